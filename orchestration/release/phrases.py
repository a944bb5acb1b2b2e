"""The sentences of an explanation in both languages; labels of tiers, lenses, bands and gates come from the release."""

from __future__ import annotations

from decimal import Decimal

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
        "one_order": "One order more on {as_of_date}, of {amount} net at its usual margin of {rate} %, would have "
        "earned {tier} by the score; a hundredth less would not. All else is taken as it is.",
        "any_order": "Any order more on {as_of_date} would have earned {tier} by the score, all else as it is.",
        "usual_orders": "On {as_of_date} {count} of its usual orders, of {amount} net each, would have earned {tier}.",
        "no_order": "What one order would do: {reason}.",
        "no_orders": "What its usual orders would do: {reason}.",
        "highest_tier": "the score already earns the highest tier",
        "no_usual_order": "not told, for it has bought nothing that shows what a usual order is",
        "no_usual_margin": "not told, for of what it bought no cost, or none that makes sense, is known",
        "other_factors_hold": "not enough, for other factors hold the score below {next_tier}",
        "unforeseen_lens": "not told, for {unforeseen_lens} counts, of which an order may make what is not known here",
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
        "one_order": "若 {as_of_date} 再有一笔净额 {amount} 的订单（通常毛利率 {rate} %），按得分即达 {tier}；少 0.01 "
        "则不够。其余一切视为不变。",
        "any_order": "若 {as_of_date} 再有任何一笔订单，按得分即达 {tier}。其余一切视为不变。",
        "usual_orders": "{as_of_date} 再有 {count} 笔通常规模（每笔净额 {amount}）的订单，按得分即达 {tier}。",
        "no_order": "再下一笔订单：{reason}。",
        "no_orders": "再下通常规模的订单：{reason}。",
        "highest_tier": "按得分已是最高等级",
        "no_usual_order": "无从得知，历史购买未显示其通常的订单",
        "no_usual_margin": "无从得知，所购商品的成本未知或不合理",
        "other_factors_hold": "不足以升级，其他因素使得分低于 {next_tier}",
        "unforeseen_lens": "无从得知，计分项 {unforeseen_lens} 受订单的影响在此未知",
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


def plain(number: Decimal | None) -> str:
    """A number without zeros that say nothing."""
    if number is None:
        return ""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
