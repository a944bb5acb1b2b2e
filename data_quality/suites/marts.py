"""What a published mart must keep before a release goes out: one suite per mart.

The shape of a mart is its dbt contract's business, its logic the unit tests'; here is what a reader relies on.
"""

from __future__ import annotations

from collections.abc import Mapping

from data_quality.rules import Between, NotNull, Rule, Unique
from data_quality.table_rules import RowCount


def mart_suites() -> Mapping[str, tuple[Rule, ...]]:
    """Mart name → its rules."""
    return {
        "customer_tiers": (
            RowCount(minimum=1),
            Unique(("customer_id", "as_of_date")),
            NotNull("tier"),
            Between("tier_score", 0, 100),
        ),
        "customer_360": (
            RowCount(minimum=1),
            Unique(("customer_id",)),
        ),
        "customer_bands": (
            Unique(("customer_id", "as_of_date", "lens")),
            NotNull("lens"),
            Between("score", 0, 100),
        ),
        "customer_scores": (
            Unique(("customer_id", "as_of_date", "horizon_days")),
            Between("inactive_probability", 0, 1),
            Between("expected_purchases", minimum=0),
        ),
        "customer_indicators": (
            Between("order_count_365d", minimum=0),
            Between("recency_days", minimum=0),
            Between("return_rate_365d", 0, 1, severity="warning"),
        ),
        "customer_orders": (Unique(("source_system", "order_id")),),
    }
