"""What the model expects, how far to believe it, and whom there is most to lose, for the report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
from markupsafe import Markup

from orchestration.release import charts
from orchestration.release.report_queries import NAME, fetch

if TYPE_CHECKING:
    from ml.grade import Grade
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
SENTENCES = {
    "A": (
        "Grade A: it beats every simple rule, its probabilities are right, and it stays so from cut-off to cut-off.",
        "A级：优于所有简单规则，概率可信，且各期稳定。",
    ),
    "B": (
        "Grade B: it beats every simple rule, but not all else is shown.",
        "B级：优于所有简单规则，但并非其余各项均得到证实。",
    ),
    "C": (
        "Grade C: it is not shown to beat a simple rule.",
        "C级：未证实优于简单规则。",
    ),
}
# Of a C: what the scores below it are.
SPEAKS = {
    "withheld": (
        "Its scores are withheld; those below are of a simple rule, cells of recency and frequency.",
        "其评分已停用，以下为简单规则（最近购买×购买次数分组）的结果。",
    ),
    "rule": ("The scores below are those of the simple rule it already is.", "以下评分本身即为简单规则的结果。"),
    "unheld": (
        "There is too little history for a simple rule in its place: do not rely on the scores below.",
        "历史太短，无法以简单规则代替，请勿依赖以下评分。",
    ),
}
MISSED = {
    "nothing_to_test": ("no past cut-off to test at", "没有可回测的历史时点"),
    "auc_no_lift": ("who buys: no lift over the best simple rule is shown", "谁会购买：未证实优于最佳简单规则"),
    "gini_no_lift": (
        "who buys for how much: no lift over the best simple rule is shown",
        "购买金额：未证实优于最佳简单规则",
    ),
    "few_cutoffs": ("too few past cut-offs to tell whether it is stable", "历史时点太少，无法判断稳定性"),
    "ece": ("the probabilities are off", "概率有偏差"),
    "count_bias": ("the number of purchases is off", "购买次数有偏差"),
    "value_bias": ("the net sales are off", "净销售额有偏差"),
    "auc_range": ("it orders customers unlike well from cut-off to cut-off", "各期排序能力相差较大"),
    "lifting_share": ("it falls behind a simple rule at too many cut-offs", "过多时点落后于简单规则"),
}
RULES = {
    "recency": ("recency", "最近购买"),
    "frequency": ("purchases so far", "购买次数"),
    "past_value": ("net sales so far", "历史净销售额"),
    "rfm_sum": ("recency, frequency, monetary", "RFM"),
}
MEASURES = {
    "auc": ("who buys (AUC)", "谁会购买"),
    "gini": ("who buys for how much (Gini)", "购买金额"),
}


def scores(connection: duckdb.DuckDBPyConnection, trained: TrainedModel | None) -> dict[str, Any] | None:
    """Totals of the horizon that customer_360 shows, the model's back-test over it and the customers with most to lose;
    None without a model."""
    if trained is None:
        return None
    model, horizon = trained.model, shown_horizon(connection) or trained.model.params.horizons[0]
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
        "grade": grade_told(trained.grade_of(horizon), model.rung_of(horizon), is_withheld=horizon in model.withheld),
        "horizon": horizon,
        "total": total,
        "backtest_cutoff": test.cutoff if test else None,
        "figures": _figures(test.figures) if test else [],
        # Safe: charts escape every text they write.
        "picture": Markup(_drawn(test.calibration)) if test else None,
        "at_risk": at_risk,
    }


def shown_horizon(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The one that customer_360 shows of several; None where it has no customer."""
    (row,) = fetch(connection, "select max(score_horizon_days) as days from customer_360")
    return int(row["days"]) if row["days"] else None


def grade_told(grade: Grade | None, rung: str, *, is_withheld: bool) -> dict[str, Any] | None:
    """The grade in words, in English and Chinese; of a C also what speaks in its place. None without a grade."""
    if grade is None:
        return None
    sentence = SENTENCES[grade.grade]
    if grade.grade == "C":
        speaks = SPEAKS["withheld" if is_withheld else "unheld" if rung in ("champion", "btyd") else "rule"]
        sentence = sentence[0] + " " + speaks[0], sentence[1] + speaks[1]
    missed = [MISSED[name] for name in grade.reasons]
    return {
        "letter": grade.grade,
        "sentence": sentence,
        "missed": tuple(mark.join(parts) for mark, parts in zip(("; ", "；"), zip(*missed, strict=True), strict=True))
        if missed
        else None,
        "cutoffs": grade.cutoffs,
        "figures": [
            (*label, RULES[grade.rules[measure]], *(f"{grade.figures[name]:.3f}" for name in _names(measure)))
            for measure, label in MEASURES.items()
            if measure in grade.rules and all(grade.figures[name] is not None for name in _names(measure))
        ],
    }


def _names(measure: str) -> tuple[str, ...]:
    return measure, f"{measure}_rule", f"{measure}_lift_low", f"{measure}_lift_high"


def _figures(figures: Mapping[str, float | None]) -> list[tuple[str, str]]:
    return [(label, f"{value:.3f}") for name, label in FIGURES.items() if (value := figures[name]) is not None]


def _drawn(calibration: Sequence[Mapping[str, float]]) -> str:
    return charts.calibration([(row["predicted"], row["observed"], int(row["customers"])) for row in calibration])
