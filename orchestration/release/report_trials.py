"""How the model in use came to speak, for the report page: the newest trial that it won or that it was kept by."""

from __future__ import annotations

from typing import Any

import duckdb

from orchestration.release.report_queries import fetch

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


def trial(connection: duckdb.DuckDBPyConnection, model_version: str | None) -> dict[str, Any] | None:
    """In the shortest horizon; None without a model in use."""
    found = fetch(
        connection,
        "select * from audit_models where spoken_version = $version order by trained_date desc, horizon_days limit 1",
        version=model_version,
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
