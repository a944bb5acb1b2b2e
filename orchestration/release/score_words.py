"""What a model expects of a customer and why, in words of both languages; the reasons themselves are those of the mart
score_reasons. Nothing is said of a rung that its rows do not hold."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import exp

import duckdb

from orchestration.release.phrases import LANGUAGES, PHRASES, plain
from orchestration.release.report_queries import Row, fetch

# Factor → what it is called, and what its figure is; of the rhythm by score.
FACTORS = {
    "silence": (
        ("its silence, by its own gaps and history", "{} days since the last purchase"),
        ("沉默时长（相对自身间隔与历史）", "距上次购买 {} 天"),
    ),
    "activity": (
        ("how much it bought of late", "purchases on {} of the last 91 days"),
        ("近期购买", "91天内购买 {} 天"),
    ),
    "basket": (("its basket", "{} net a purchase day"), ("单次购买额", "每购买日净额 {}")),
    "level": (("the season's level", ""), ("季节水平", "")),
    "limit": (("the most that was ever seen", ""), ("历史最高值上限", "")),
    "shorter_horizon": (("what is expected within fewer days already", ""), ("更短预测期内已有的预期", "")),
}
RHYTHM = {
    "inactive_probability": (("its buying rhythm", "{} % by that alone"), ("购买节奏", "仅凭此 {} %")),
    "expected_net_amount": (("its buying rhythm", "{} by that alone"), ("购买节奏", "仅凭此 {}")),
}
BASES = ("base", "level", "limit", "shorter_horizon")
# Below the champion, where nothing is a sum.
FOLLOWS = (
    " Within fewer days more is expected already, and that stands for these days, too.",
    "更短预测期内的预期已更高，故沿用之。",
)
SUMS = {
    "inactive_probability": (
        "Why {score} %: a customer of average figures has {base} %; the odds change by {parts}.",
        "无购买概率为何是 {score} %：各项均为平均的客户为 {base} %；其几率依次变动：{parts}。",
    ),
    "expected_net_amount": (
        "Why {score}: a customer of average figures has {base}; it changes by {parts}.",
        "预期净销售额为何是 {score}：各项均为平均的客户为 {base}；依次变动：{parts}。",
    ),
}
RUNGS = {
    "btyd": (
        "Why: the base model says so from how often it bought, since when and when last; no other figure was read.",
        "依据：仅由基础模型根据购买次数、首次与最近购买时间得出，未用其他数据。",
    ),
    "rfm_cells": (
        "Why: both are those of its cell of recency and frequency, last purchase {silent} days ago on {bought} "
        "purchase days in all: what customers there did, the net sales in proportion to its own. No model adds to it.",
        "依据：取自其所在的“最近购买×购买次数”分组（距上次购买 {silent} 天，共 {bought} 个购买日）的客户表现，"
        "净销售额按其自身水平折算，没有模型另加判断。",
    ),
    "global_rate": (
        "Why: one rate stands for all customers, for there is too little data to tell them apart.",
        "依据：数据太少，无法区分客户，所有客户按同一比率。",
    ),
}
GRADES = {
    "A": ("Grade A: the model beats every simple rule, and steadily.", "A级：模型稳定优于所有简单规则。"),
    "B": (
        "Grade B: the model beats every simple rule; not all else is shown.",
        "B级：模型优于所有简单规则，其余未全部证实。",
    ),
    "C": ("Grade C: no model is shown to beat a simple rule.", "C级：未证实模型优于简单规则。"),
}
# Of a C where a model speaks all the same.
UNHELD = (" There is none in its place: do not rely on it.", "没有规则可替代，请勿依赖。")


def reasons_of(connection: duckdb.DuckDBPyConnection, customer_id: str) -> list[Row]:
    """A customer's rows of score_reasons, the strongest first; nothing in a release from before reasons were told."""
    if not fetch(connection, "select 1 as found from information_schema.tables where table_name = 'score_reasons'"):
        return []
    return fetch(
        connection,
        "select * exclude (as_of_date, customer_id) from score_reasons where customer_id = $customer_id "
        "order by horizon_days, score_name desc, factor <> 'base', abs(contribution) desc, factor",
        customer_id=customer_id,
    )


def scores_in_words(scores: Sequence[Row], reasons: Sequence[Row], language: str) -> list[str]:
    """What is expected, by horizon, then how far to believe it and why it is expected of this customer."""
    say, nth = PHRASES[language], LANGUAGES.index(language)
    words = []
    for row in scores:
        words.append(
            say["expected"].format(
                days=row["horizon_days"],
                inactive=_percent(row["inactive_probability"]),
                net=plain(row["expected_net_amount"]),
                model=row["model_version"],
            )
        )
        own = [reason for reason in reasons if reason["horizon_days"] == row["horizon_days"]]
        if own:
            words += [*_believed(row, nth), *_why(row, own, nth, say["comma"])]
    return words


def _believed(score: Row, nth: int) -> list[str]:
    grade = score.get("model_grade")
    if grade is None:
        return []
    return [GRADES[grade][nth] + (UNHELD[nth] if grade == "C" and score["rung"] in ("champion", "btyd") else "")]


def _why(score: Row, reasons: Sequence[Row], nth: int, comma: str) -> list[str]:
    if score["rung"] != "champion":
        silent, _, bought = next((row["cell"] for row in reasons if row["cell"]), "").partition("/")
        follows = any(row["factor"] == "shorter_horizon" for row in reasons)
        return [RUNGS[score["rung"]][nth].format(silent=silent, bought=bought) + (FOLLOWS[nth] if follows else "")]
    words = []
    for name, sentences in SUMS.items():
        base, *added = [row for row in reasons if row["score_name"] == name]
        average = float(base["contribution"])
        told, shown = (_percent, 1 / (1 + exp(-average))) if name == "inactive_probability" else (_amount, exp(average))
        parts = [_part(row, nth) for row in sorted(added, key=lambda row: row["factor"] in BASES)]
        words.append(sentences[nth].format(score=told(score[name]), base=told(shown), parts=comma.join(parts)))
    return words


def _part(row: Row, nth: int) -> str:
    """``× 1.84 for its silence (61 days since the last purchase)``."""
    label, of_figure = (RHYTHM[row["score_name"]] if row["factor"] == "buying_rhythm" else FACTORS[row["factor"]])[nth]
    figure = of_figure.format(_figure(row)) if of_figure else ""
    times = f"× {exp(row['contribution']):.2f}"
    if nth == 0:
        return f"{times} for {label}" + (f" ({figure})" if figure else "")
    return f"{label} {times}" + (f"（{figure}）" if figure else "")


def _figure(row: Row) -> str:
    if row["factor"] == "buying_rhythm":
        return _percent(row["figure"]) if row["score_name"] == "inactive_probability" else _amount(row["figure"])
    return _amount(row["figure"]) if row["factor"] == "basket" else f"{row['figure']:,.0f}"


def _percent(share: Decimal | float) -> str:
    return f"{100 * share:.1f}"


def _amount(amount: Decimal | float) -> str:
    return f"{amount:,.2f}"
