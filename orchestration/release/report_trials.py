"""How the model in use came to speak, for the report page: the newest trial that it won or that it was kept by; and
whether it still meets the customers it was trained on."""

from __future__ import annotations

from typing import Any

import duckdb

from orchestration.release.report_queries import fetch
from orchestration.release.report_scores import shown_horizon

# Which figures are shown of both, in their order, with how what the new one gains is told.
MEASURES = (
    ("auc", "who buys (AUC)", "谁会购买", "at least"),
    ("gini", "who buys for how much (Gini)", "购买金额", "at least"),
    ("brier", "squared error of the probabilities (Brier), less is better", "概率误差", "at most"),
)
LEVELS = (
    ("count_bias", "purchases predicted / came", "预测/实际购买次数"),
    ("value_bias", "net sales predicted / came", "预测/实际净销售额"),
    ("ece", "mean gap between predicted and observed", "概率偏差"),
)
# Presentation only: how many figures of drift are shown, the highest first; and what is measured, in words.
DRIFTS_SHOWN = 5
TOPICS = {
    "input": ("input", "输入"),
    "score": ("score", "评分"),
    "realised": ("predicted beside what came", "预测与实际"),
}


def drift(connection: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    """The figures that drifted most, and how many are past their limit; None without any."""
    rows = fetch(connection, "select * from audit_drift order by figure desc, topic, measure, since_date, horizon_days")
    if not rows:
        return None
    return {
        "figures": len(rows),
        "over": sum(row["level"] != "steady" for row in rows),
        "shown": [
            {
                "topic": TOPICS[row["topic"]],
                "measure": row["measure"].replace("_", " "),
                "since": row["since_date"],
                "figure": f"{row['figure']:.3f}",
                "limit": f"{row['warn_limit']:.2f}",
                "ratio": f"{row['predicted_to_came']:.2f}" if row["predicted_to_came"] is not None else None,
                "level": row["level"],
            }
            for row in rows[:DRIFTS_SHOWN]
        ],
    }


def trial(connection: duckdb.DuckDBPyConnection, model_version: str | None) -> dict[str, Any] | None:
    """In the horizon that customer_360 shows; None without a model in use."""
    found = fetch(
        connection,
        "select * from audit_models where spoken_version = $version "
        "order by trained_date desc, horizon_days <> $shown, horizon_days limit 1",
        version=model_version,
        shown=shown_horizon(connection) or 0,
    )
    if not found:
        return None
    (row,) = found
    is_judged = row["ece"] is not None
    return {
        "trained_date": row["trained_date"],
        "sentence": (row["sentence_en"], row["sentence_zh"]),
        "cutoffs": row["cutoff_count"],
        "gains": [
            (english, chinese, f"{row[f'{name}_gain']:+.4f}", f"{bound} {row[_bound(name)]:+.4f}")
            for name, english, chinese, bound in (MEASURES if is_judged else ())
        ],
        "levels": [
            (english, chinese, f"{row[name]:.3f}", f"{row[f'champion_{name}']:.3f}")
            for name, english, chinese in (LEVELS if is_judged else ())
        ],
    }


def _bound(name: str) -> str:
    return f"{name}_gain_{'high' if name == 'brier' else 'low'}"
