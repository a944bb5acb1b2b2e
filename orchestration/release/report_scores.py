"""What the model expects, how far to believe it, and whom there is most to lose, for the report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
from markupsafe import Markup

from orchestration.release import charts
from orchestration.release.report_queries import NAME, fetch

if TYPE_CHECKING:
    from ml.learn import TrainedModel

# Presentation only: how many customers are shown, and which figures of the back-test under which name.
CUSTOMERS_SHOWN = 10
FIGURES = {
    "auc": "AUC of no purchase: 0.5 is chance, 1 is perfect order",
    "brier": "Brier score: mean squared error, less is better",
    "ece": "mean gap between predicted and observed",
    "count_bias": "purchases predicted / came",
    "value_bias": "net sales predicted / came",
    "value_gini": "order by value: 0 is chance, 1 is perfect",
    "value_top_share": "share of net sales of the tenth ranked highest",
}


def scores(connection: duckdb.DuckDBPyConnection, trained: TrainedModel | None) -> dict[str, Any] | None:
    """The shortest horizon's totals, the model's back-test over it and the customers with most to lose; None without
    a model."""
    if trained is None:
        return None
    model, horizon = trained.model, trained.model.params.horizons[0]
    test = next((test for test in trained.backtests if test.horizon == horizon), None)
    (total,) = fetch(
        connection,
        "select count(inactive_probability) as customers, round(sum(1 - inactive_probability)) as buying, "
        "sum(expected_net_amount) as net, sum(potential_margin_amount) as margin "
        "from customer_scores where horizon_days = $horizon",
        horizon=horizon,
    )
    at_risk = fetch(
        connection,
        f"""
        select customer_id, {NAME}, kind, tier, net_amount_365d,
            scores.inactive_probability, scores.expected_net_amount, scores.next_purchase_p50_date
        from customer_scores as scores
        inner join customer_360 using (customer_id)
        where scores.horizon_days = $horizon and scores.inactive_probability is not null and net_amount_365d > 0
        order by scores.inactive_probability * net_amount_365d desc, customer_id
        limit {CUSTOMERS_SHOWN}
        """,
        horizon=horizon,
    )
    return {
        "version": trained.version,
        "name": model.name,
        "trained_on": trained.as_of_date,
        "customers": model.customer_count,
        "rung": model.rung_of(horizon),
        "reason": model.reason,
        "horizon": horizon,
        "total": total,
        "backtest_cutoff": test.cutoff if test else None,
        "figures": _figures(test.figures) if test else [],
        # Safe: charts escape every text they write.
        "picture": Markup(_drawn(test.calibration)) if test else None,
        "at_risk": at_risk,
    }


def _figures(figures: Mapping[str, float | None]) -> list[tuple[str, str]]:
    return [(label, f"{value:.3f}") for name, label in FIGURES.items() if (value := figures[name]) is not None]


def _drawn(calibration: Sequence[Mapping[str, float]]) -> str:
    return charts.calibration([(row["predicted"], row["observed"], int(row["customers"])) for row in calibration])
