"""The sentences of an explanation in both languages; labels of tiers, lenses, bands and gates come from the release."""

from __future__ import annotations

LANGUAGES = ("en", "zh")

PHRASES = {
    "en": {
        "verdict": "{name} is in tier {tier} ({label}) on {as_of_date} with {score} points.",
        "known": "Decided with what was known at {known_at}, under policy {policy_version}.",
        "accounts": "One customer of {count} accounts: {accounts}.",
        "base": "Base: {contribution} points.",
        "factor": "{label}: {value}{band}, {score} points × {weight}{present} = {contribution}.",
        "defaulted": "{label}: could not judge ({reason}); {score} points stand in × {weight}{present} = "
        "{contribution}.",
        "dropped": "{label}: could not judge ({reason}); the others share its weight.",
        "sum": "Together {score} points.",
        "gap": "{points} points more would be tier {tier} ({label}).",
        "stands": "These points earn {earned_tier}; {tier} still stands: earned last on {last_earned_date}, kept last "
        "on {last_kept_date}{falls}.",
        "falls": "; lost on {day} if the score stays as it is",
        "gated": "By points alone it would be {tier}; moved by: {gates}.",
        "overruled": "The engine decides {decided_tier}; people decided {bounds} since {valid_from_date}{until}: "
        "{reason}.",
        "in_force": "People decided {bounds} since {valid_from_date}{until}, which moves nothing today: {reason}.",
        "floor": "{tier} at least",
        "ceiling": "{tier} at most",
        "until": ", up to {day}",
        "held": "No points lead higher while this holds: {gates}.",
        "top": "There is no higher tier.",
        "entered": "{movement_date}: entered in {to_tier}.",
        "left": "{movement_date}: left {from_tier}.",
        "up": "{movement_date}: up from {from_tier} to {to_tier}.",
        "down": "{movement_date}: down from {from_tier} to {to_tier}.",
        "missing": "Not delivered, so not judged: {inputs}.",
        "also": "Judged beside the score: {bands}.",
        "band": "{lens}: {band}",
        "expected": "In the {days} days after it: no purchase with a probability of {inactive} %, "
        "{net} net sales expected (model {model}).",
        "comma": ", ",
    },
    "zh": {
        "verdict": "{name} 在 {as_of_date} 属于 {tier}（{label}），得分 {score}。",
        "known": "依据截至 {known_at} 已知的数据，按政策 {policy_version} 判定。",
        "accounts": "由 {count} 个账户合并的一个客户：{accounts}。",
        "base": "基础分：{contribution}。",
        "factor": "{label}：{value}{band}，{score} 分 × 权重 {weight}{present} = {contribution}。",
        "defaulted": "{label}：无法判定（{reason}），按 {score} 分代替 × 权重 {weight}{present} = {contribution}。",
        "dropped": "{label}：无法判定（{reason}），其权重由其他项分摊。",
        "sum": "合计 {score} 分。",
        "gap": "再得 {points} 分即升为 {tier}（{label}）。",
        "stands": "按得分应为 {earned_tier}；仍保留 {tier}：最近达标 {last_earned_date}，"
        "最近保级 {last_kept_date}{falls}。",
        "falls": "；若得分不变，{day} 降级",
        "gated": "仅按得分为 {tier}；调整依据：{gates}。",
        "overruled": "系统判定 {decided_tier}；人工决定 {bounds}，自 {valid_from_date} 起{until}：{reason}。",
        "in_force": "人工决定 {bounds}，自 {valid_from_date} 起{until}，当前不改变等级：{reason}。",
        "floor": "不低于 {tier}",
        "ceiling": "不高于 {tier}",
        "until": "，至 {day}",
        "held": "在此限制下得分再高也不升级：{gates}。",
        "top": "已是最高等级。",
        "entered": "{movement_date}：进入 {to_tier}。",
        "left": "{movement_date}：离开 {from_tier}。",
        "up": "{movement_date}：由 {from_tier} 升为 {to_tier}。",
        "down": "{movement_date}：由 {from_tier} 降为 {to_tier}。",
        "missing": "未提供、因此未判定：{inputs}。",
        "also": "不计分的判定：{bands}。",
        "band": "{lens}：{band}",
        "expected": "其后 {days} 天：无购买的概率 {inactive} %，预期净销售额 {net}（模型 {model}）。",
        "comma": "、",
    },
}
