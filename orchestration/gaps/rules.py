"""The rows of a policy by which a tier score comes about, and which figures of a customer they ask for.

Of a policy that asks for more than is known here nothing is foretold: ``asked_for`` raises UnforeseenLens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

import duckdb

Row = dict[str, Any]

# What an order changes, and how is known here; scores name their horizon, as in inactive_probability_90d.
MOVED = frozenset(
    {
        *("recency_days", "order_count_365d", "net_amount_90d", "net_amount_365d", "net_amount_730d"),
        "margin_amount_365d",
    }
)
SCORE = re.compile(r"(inactive_probability|potential_margin_amount)_(\d+)d")
# What an order leaves as it is, of those who have bought before: neither the order nor its lines are in any of these.
STEADY = frozenset(
    {
        *("tenure_days", "tenure_years", "days_since_contact", "contact_count_90d", "contact_count_365d"),
        *("collection_rate_730d", "late_payment_rate_365d", "overdue_amount", "pipeline_amount", "employee_count"),
        *("annual_revenue_amount", "credit_limit_amount", "influence_rating", "price_sensitivity_rating"),
        *("quality_demand_rating", "brand_preference_rating", "industry_growth_rate", "writeoff_amount_365d"),
        *("days_to_pay_p50_730d", "days_to_pay_p90_730d", "max_days_to_pay_730d", "inbound_contact_count_90d"),
        *("event_attendance_count_365d", "feedback_count_365d", "complaint_count_365d", "suggestion_count_365d"),
        *("quality_case_count_365d", "lost_opportunity_count_365d", "competitor_loss_count_365d"),
        *("nps_score_365d", "csat_score_365d", "survey_response_rate_365d"),
    }
)
TEXTS = frozenset({"kind", "industry_code", "org_type", "region", "city_tier", "is_strategic"})
# What each method compares beside an indicator of its own.
SHARE_READS = ("order_count_365d", "margin_amount_365d", "net_amount_365d", "costless_amount_365d")
# For the lineage of columns, which no SQL tells here: the columns of customer_indicators, and of the policy.
FIGURES = sorted({*MOVED, *STEADY, *TEXTS, *SHARE_READS, "order_count_all"})
RULED_BY = (
    *("policy_bands.lower_bound", "policy_bands.score", "policy_weights.weight", "policy_matrices.band"),
    *("policy_lenses.indicator", "policy_lenses.fallback_score", "policy_rfm_metrics.indicator"),
    *("policy_parameters.value", "policy_parts.part", "policy_labels.band"),
)
SCORE_UNIT = WEIGHT_UNIT = 10_000
RATE_UNIT = 1_000_000


class UnforeseenLens(Exception):
    """A lens that counts is judged by something that an order may change in a way not known here."""


def unit_of(figure: str) -> int:
    """Figures are whole numbers of the last digit that they have: no comparison is rounded."""
    return 10_000 if "_amount" in figure else RATE_UNIT


def whole(number: Decimal, unit: int, rounding: str = ROUND_HALF_UP) -> int:
    return int((number * unit).to_integral_value(rounding))


def least(bound: Decimal, unit: int) -> int:
    """The least whole number of units that is not below a bound."""
    return whole(bound, unit, ROUND_CEILING)


@dataclass(frozen=True)
class Rules:
    """One version's rows by what they are of; bands from the lowest bound up, tiers from the best down."""

    lenses: dict[str, Row]
    bands: dict[str, list[Row]]
    weights: dict[str, dict[str, int]]
    matrices: dict[str, list[Row]]
    parts: dict[str, list[Row]]
    labels: dict[str, list[Row]]
    metrics: dict[str, Row]
    parameters: dict[str, Decimal]

    def parts_of(self, lens: str) -> list[str]:
        """The lenses that a lens reads."""
        method = self.lenses[lens]["method"]
        if method == "matrix":
            return sorted({row[side] for row in self.matrices[lens] for side in ("row_lens", "column_lens")})
        if method in ("worst", "best"):
            return [row["part"] for row in self.parts[lens]]
        return list(self.weights[lens])

    def asked_for(self) -> set[str]:
        """The figures and texts that the tier score is made of. Raises UnforeseenLens."""
        return {name for factor in self.weights["tier"] for name in self.asked_by(factor)}

    def asked_by(self, lens: str) -> Iterator[str]:
        """Those that one lens is judged by, and the lenses that it reads."""
        if lens not in self.lenses:
            raise UnforeseenLens(lens)
        method, indicator = self.lenses[lens]["method"], self.lenses[lens]["indicator"]
        is_figure = method in ("cut", "rank") and (indicator in MOVED | STEADY or SCORE.fullmatch(indicator))
        if is_figure or (method == "label" and indicator in TEXTS):
            yield indicator
        elif method == "share":
            yield from SHARE_READS
        elif method == "quantile" and {row["indicator"] for row in self.metrics.values()} <= MOVED | STEADY:
            yield from ("order_count_365d", *(row["indicator"] for row in self.metrics.values()))
        elif method in ("matrix", "worst", "best", "weighted"):
            for part in self.parts_of(lens):
                if method != "weighted" and self.lenses[part]["method"] == "quantile":
                    raise UnforeseenLens(lens)  # its bands are segments
                yield from self.asked_by(part)
        else:
            raise UnforeseenLens(lens)


def read_rules(build: duckdb.DuckDBPyConnection, policy_version: str) -> Rules:
    """The rows of a version, of the policy that this build was made with."""

    def rows(table: str, order: str) -> list[Row]:
        query = f"select * from policy.{table} where policy_version = ? order by {order}"
        found = build.execute(query, [policy_version])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def by(key: str, table: str, order: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in rows(table, order):
            found.setdefault(row[key], []).append(row)
        return found

    weights = by("target", "policy_weights", "weight desc, factor")
    return Rules(
        lenses={row["lens"]: row for row in rows("policy_lenses", "lens")},
        bands=by("lens", "policy_bands", "lower_bound nulls first, band_rank"),
        weights={
            target: {row["factor"]: whole(row["weight"], WEIGHT_UNIT) for row in factors}
            for target, factors in weights.items()
        },
        matrices=by("lens", "policy_matrices", "row_band, column_band"),
        parts=by("lens", "policy_parts", "part"),
        labels=by("lens", "policy_labels", "label"),
        metrics={row["factor"]: row for row in rows("policy_rfm_metrics", "factor")},
        parameters={row["parameter"]: row["value"] for row in rows("policy_parameters", "parameter")},
    )
