"""Whether the model in use still meets the customers it was trained on, and whether what it predicted came: warnings.

The figures and their limits are those the scoring told; nothing here blocks a release.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb

from data_quality.table_rules import Figure, Within

MART = "customer_scores"
# Topic of the figures → the promise, and why it may have nothing to judge.
PROMISES = {
    "input": ("drift_of_model_inputs", "too few customers, or a model of before there were references"),
    "score": ("drift_of_model_scores", "too few customers, or a model of before there were references"),
    "realised": ("predictions_beside_what_came", "no horizon of a model in use has ended yet"),
}
TOLD = """
    select topic, figure, warn_limit,
        case when topic = 'realised'
            then format('{} of {} days from {}: predicted {:.2f} times what came, by model {}',
                measure, horizon_days, since_date, cast(predicted_to_came as double), model_version)
            else format('{}: {}, beside the training day {}', measure, level, since_date)
        end
    from ml.drifts order by figure desc, horizon_days, measure, since_date
"""


def model_drift_rules(connection: duckdb.DuckDBPyConnection | None = None) -> tuple[Within, ...]:
    """One warning a topic. Without a connection the promises alone."""
    rows = connection.execute(TOLD).fetchall() if connection else []
    rules = []
    for topic, (measure, nothing) in PROMISES.items():
        figures = tuple(Figure(figure, told) for of, figure, _, told in rows if of == topic)
        limit = next((limit for of, _, limit, _ in rows if of == topic), Decimal(1))
        rules.append(Within(measure, figures, None, limit, nothing=nothing, severity="warning"))
    return tuple(rules)
