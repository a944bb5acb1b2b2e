"""What is missing to the next tier of the score, in words: one order, or usual ones; or why neither is told."""

from __future__ import annotations

from decimal import Decimal

import duckdb

from orchestration.release.phrases import PHRASES, plain
from orchestration.release.report_queries import Row, fetch

SMALLEST = Decimal("0.01")  # of orders


def gap_of(connection: duckdb.DuckDBPyConnection, customer_id: str) -> Row | None:
    """The customer's row of tier_gaps; None in a release of older code, which has none."""
    if not fetch(connection, "select 1 as known from duckdb_columns() where table_name = 'tier_gaps' limit 1"):
        return None
    (gap,) = fetch(connection, "select * from tier_gaps where customer_id = $customer_id", customer_id=customer_id)
    return gap


def gap_sentences(gap: Row | None, language: str) -> list[str]:
    """In English (``en``) or Chinese (``zh``). One reason for both is told once; in the highest tier there is none."""
    if gap is None or gap["one_order_reason"] == "highest_tier":
        return []
    say, words, day = PHRASES[language], [], gap["as_of_date"]
    does_any_order = gap["one_order_amount"] == SMALLEST
    if gap["one_order_reason"] is None:
        rate = plain((100 * gap["usual_margin_rate"]).quantize(Decimal("0.1")))
        told = {"tier": gap["one_order_tier"], "amount": plain(gap["one_order_amount"]), "rate": rate}
        words.append(say["any_order" if does_any_order else "one_order"].format(as_of_date=day, **told))
    else:
        words.append(say["no_order"].format(reason=say[gap["one_order_reason"]].format(**gap)))
    if gap["usual_orders_reason"] is None:
        if not does_any_order or gap["usual_orders_tier"] != gap["one_order_tier"]:
            told = {"tier": gap["usual_orders_tier"], "amount": plain(gap["usual_order_amount"])}
            words.append(say["usual_orders"].format(as_of_date=day, count=gap["usual_order_count"], **told))
    elif gap["usual_orders_reason"] != gap["one_order_reason"]:
        words.append(say["no_orders"].format(reason=say[gap["usual_orders_reason"]].format(**gap)))
    return words
