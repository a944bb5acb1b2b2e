"""What the scores of a million customers cost: learned and scored for one horizon, beside lifetimes, as JSON.

    python -m benchmarks.score_scale [--customers 1000000] [--lifetimes-customers 1000000]

Customers buy and stop as BG/NBD says, over three years, the same on every machine. ``learned`` is what a training day
does: base, champion and back-test from the panel as of all cut-offs it reads, then the scores. ``base`` fits BG/NBD and
Gamma-Gamma and says the purchases and net value of the horizon, as ``lifetimes`` does on the same statistics; that is
the oracle that a developer's machine has, not a dependency. Each way is a process of its own; seconds are those after
its imports and the reading of its features, the peak is the whole of it. ``met`` compares; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.score_features import features_of
from ml.btyd import Floats, expected_amount, expected_purchases, fit_btyd, fit_gamma_gamma
from ml.features import checked_features, history_of
from ml.learn import cutoffs, learn
from ml.params import load_panel_params, load_params
from ml.score import score

TARGETS = {"seconds": 60.0, "peak_mib": 4096, "times_lifetimes": 20.0}
START, DAY, DAYS = date(2023, 1, 1), date(2025, 12, 30), 1095
CUTOFF, HORIZON = DAY + timedelta(days=1), 90
# The customers: rate ~ Gamma(r, alpha), chance to stop ~ Beta(a, b), as of CDNOW but in days; mean value log-normal.
R, ALPHA, A, B, MOST_PURCHASES = 0.55, 40.0, 0.9, 2.5, 200


def write_purchases(connection: duckdb.DuckDBPyConnection, customers: int) -> None:
    """Table ``purchases``, a row per customer and day, about three a customer."""
    random, parts = np.random.default_rng(20251230), []
    rate, stop = random.gamma(R, 1.0 / ALPHA, customers), random.beta(A, B, customers)
    who, day = np.arange(customers), random.integers(0, DAYS, customers).astype(np.float64)
    usual = random.lognormal(4.0, 0.8, customers)
    for _ in range(MOST_PURCHASES):
        amount = (usual[who] * random.gamma(4.0, 0.25, len(who))).round(2)
        parts.append(pd.DataFrame({"nth": who, "day": day.astype(np.int64), "net_amount": amount}))
        day = day + random.exponential(1.0 / np.maximum(rate[who], 1e-9))
        stays = (day < DAYS) & (random.random(len(who)) >= stop[who])
        who, day = who[stays], day[stays]
    connection.register("bought", pd.concat(parts))
    connection.execute(
        f"""
        create table purchases as
        select 'C' || lpad(cast(nth as varchar), 9, '0') as customer_id, date '{START}' + day as purchase_date,
            cast(sum(net_amount) as decimal(18, 4)) as net_amount,
            cast(sum(net_amount) * 0.6 as decimal(18, 4)) as cost_amount
        from (select nth, cast(day as integer) as day, net_amount from bought)
        group by all
        """
    )
    connection.unregister("bought")


def write_panel(folder: Path, customers: int, panel_customers: int) -> dict[str, int]:
    """``features.parquet`` as of the cut-off and ``panel.parquet`` as of all that a day learns from, of earlier ones
    so many customers as the pipeline's panel has."""
    own, *earlier = cutoffs(DAY, replace(load_params(), horizons=(HORIZON,)))
    some = f"select distinct customer_id from purchases order by md5(customer_id) limit {panel_customers}"
    with duckdb.connect() as connection:
        write_purchases(connection, customers)
        features = features_of(connection, [own], "select customer_id from purchases")
        panel = pd.concat([features, features_of(connection, earlier, some)])
        features.drop(columns="cutoff_date").to_parquet(folder / "features.parquet")
        panel.to_parquet(folder / "panel.parquet")
        [(purchases,)] = connection.execute("select count(*) from purchases").fetchall()
    return {"customers": len(features), "purchases": purchases, "cutoffs": 1 + len(earlier), "panel_rows": len(panel)}


def learned(folder: Path, _: int) -> tuple[Floats, dict[str, Any]]:
    """A training day: everything is learned, everybody is scored."""
    params = replace(load_params(), horizons=(HORIZON,))
    panel = pd.read_parquet(folder / "panel.parquet")
    started = clock()
    trained = learn(panel, DAY, datetime(2025, 12, 31, tzinfo=UTC), params)
    fitted, own = clock(), panel["cutoff_date"] == pd.Timestamp(CUTOFF)
    features = panel[own].drop(columns="cutoff_date")
    del panel
    scored = score(features, trained.model, CUTOFF, [HORIZON])
    spent = clock() - started
    learning = float(fitted[0] - started[0])
    told = {"learn_seconds": round(learning, 2), "score_seconds": round(float(spent[0]) - learning, 2)}
    told |= {"rows": len(scored), "expected_purchases": float(scored["expected_purchase_count"].sum())}
    return spent, told | {"rung": trained.model.rung_of(HORIZON)}


def base(folder: Path, customers: int) -> tuple[Floats, dict[str, Any]]:
    """What lifetimes does, by ml/btyd.py."""
    import scipy.optimize  # noqa: F401  # lifetimes imports it before its clock starts, too

    frame = checked_features(pd.read_parquet(folder / "features.parquet").head(customers), CUTOFF)
    history, days, amounts = history_of(frame, CUTOFF), frame["purchase_days"], frame["mean_day_amount"]
    started = clock()
    model = fit_btyd(history, "bg_nbd")
    count = expected_purchases(model, history, HORIZON)
    values = fit_gamma_gamma(days.to_numpy(), amounts.to_numpy(), 1.0)
    expected_amount(values, days.to_numpy(), amounts.to_numpy())
    found = {"parameters": [model.r, model.alpha, model.a, model.b]}
    return clock() - started, {"rows": len(frame), "expected_purchases": float(count.sum())} | found


def lifetimes(folder: Path, customers: int) -> tuple[Floats, dict[str, Any]]:
    """BG/NBD and Gamma-Gamma of the package on the same statistics, and what they expect."""
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    frame = checked_features(pd.read_parquet(folder / "features.parquet").head(customers), CUTOFF)
    history, days, amounts = history_of(frame, CUTOFF), frame["purchase_days"], frame["mean_day_amount"]
    started = clock()
    model = BetaGeoFitter().fit(history.repeats, history.recency, history.age)
    fitted = clock()
    count = model.conditional_expected_number_of_purchases_up_to_time(
        HORIZON, history.repeats, history.recency, history.age
    )
    values = GammaGammaFitter().fit(days, amounts)
    values.conditional_expected_average_profit(days, amounts)
    found = {
        "fit_seconds": round(float(fitted[0] - started[0]), 2),
        "parameters": [float(value) for value in model.params_],
    }
    return clock() - started, {"rows": len(frame), "expected_purchases": float(count.sum())} | found


WAYS: dict[str, Callable[[Path, int], tuple[Floats, dict[str, Any]]]] = {
    "learned": learned,
    "base": base,
    "lifetimes": lifetimes,
}


def clock() -> Floats:
    """Wall and CPU seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def measure(way: str, folder: Path, customers: int) -> dict[str, Any]:
    """One way in this process: wall and CPU seconds, peak memory in MiB, what came out."""
    with threadpool_limits(1):  # as the pipeline learns; two threads would wait for each other and other work
        spent, told = WAYS[way](folder, customers)
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    wall, cpu = (round(float(seconds), 2) for seconds in spent)
    return {"seconds": wall, "cpu_seconds": cpu, "peak_mib": int(peak) // 1024} | told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--panel-customers", type=int, default=load_panel_params().max_customers)
    parser.add_argument("--lifetimes-customers", type=int, default=1_000_000, help="fewer: both ways on the same part")
    parser.add_argument("--way", choices=sorted(WAYS))
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments.way, arguments.folder, arguments.lifetimes_customers)))
        return
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = {"load_before": os.getloadavg()[0]}
        found |= write_panel(Path(folder), arguments.customers, arguments.panel_customers)
        for way in WAYS:
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.score_scale", "--way", way, "--folder", folder]
            command += ["--lifetimes-customers", str(arguments.lifetimes_customers)]
            print(f"{way} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)
            found[way] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    reached = {name: found["learned"][name] for name in ("seconds", "peak_mib")}
    reached["times_lifetimes"] = round(found["lifetimes"]["cpu_seconds"] / found["base"]["cpu_seconds"], 1)
    found |= {"reached": reached, "targets": TARGETS}
    found["met"] = {name: reached[name] <= TARGETS[name] for name in ("seconds", "peak_mib")}
    found["met"]["times_lifetimes"] = reached["times_lifetimes"] >= TARGETS["times_lifetimes"]
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
