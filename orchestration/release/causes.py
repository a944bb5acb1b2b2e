"""Why a score or a tier is another than in the decision before, in words of both languages. The causes themselves are
decided by the marts tier_causes and tier_changes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import duckdb

from orchestration.release.report_queries import Row, fetch

LABELS = {
    "policy": ("another policy", "政策变更"),
    "model": ("another model", "模型更换"),
    "identity": ("accounts joined or parted", "客户合并或拆分"),
    "correction": ("records corrected or late", "数据更正或迟到"),
    "fx": ("restated exchange rates", "汇率重述"),
    "returns": ("returns", "退货"),
    "behaviour": ("the customer's own conduct", "客户行为"),
    "roll_off": ("the passing of time", "时间推移"),
    "drift": ("changes of other customers", "其他客户变动"),
    "hold": ("the end of the time it was held", "保级期满"),
    "gate": ("a gate", "准入与上限"),
    "override": ("a decision of people", "人工决定"),
}
SENTENCES = (
    ("Since the decision before, the score changed by {points}: {parts}.", "{cause} {points}", ", "),
    ("与上次判定相比，得分变动 {points}：{parts}。", "{cause} {points}", "、"),
)
MAINLY = (" Mainly: {cause}.", "主要原因：{cause}。")


def label(cause: str, nth: int) -> str:
    """What a cause is called in the ``nth`` language."""
    return LABELS[cause][nth] if cause in LABELS else cause


def causes_of(connection: duckdb.DuckDBPyConnection, customer_id: str) -> list[Row]:
    """``cause`` and ``points`` of a customer on the day of the release, the most points first; nothing in a release
    from before causes were told."""
    if not fetch(connection, "select 1 as found from information_schema.tables where table_name = 'tier_causes'"):
        return []
    return fetch(
        connection,
        "select cause, sum(points) as points from tier_causes where customer_id = $customer_id "
        "group by cause order by abs(sum(points)) desc, cause",
        customer_id=customer_id,
    )


def change_in_words(causes: Sequence[Row], nth: int) -> list[str]:
    """One sentence, or none where nothing changed."""
    if not causes:
        return []
    sentence, part, comma = SENTENCES[nth]
    parts = [part.format(cause=label(row["cause"], nth), points=_signed(row["points"])) for row in causes]
    total = sum((Decimal(row["points"]) for row in causes), Decimal(0))
    return [sentence.format(points=_signed(total), parts=comma.join(parts))]


def mainly(movement: Row, nth: int) -> str:
    """What follows the sentence of a movement: its main cause, where one was told."""
    cause = movement.get("main_cause")
    return MAINLY[nth].format(cause=label(cause, nth)) if cause else ""


def _signed(points: Decimal) -> str:
    text = f"{points:+f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
