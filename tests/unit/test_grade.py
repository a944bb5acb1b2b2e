"""Promises of the grade: noise gets a C, what is known gets an A, and what is missed is said."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from ml.learn import cutoffs, learn
from ml.params import GradeParams, load_params

DAY, KNOWN, DAYS = date(2025, 6, 30), datetime(2025, 6, 30, 16, tzinfo=UTC), 540
PARAMS = load_params()
(HORIZON,) = PARAMS.horizons
OWN = DAY + timedelta(days=1)


def given() -> GradeParams:
    assert PARAMS.grade is not None
    return PARAMS.grade


def panel(days: list[np.ndarray], amounts: list[np.ndarray]) -> pd.DataFrame:
    """Features as of each cut-off of DAY; ``days``: of purchases of each customer, counted up to the cut-off of DAY."""
    start, parts = pd.Timestamp(OWN - timedelta(days=DAYS)), []
    for cutoff in cutoffs(DAY, PARAMS):
        since, rows = (pd.Timestamp(cutoff) - start).days, []
        for nth, (bought, amount) in enumerate(zip(days, amounts, strict=True)):
            before, of = bought[bought < since], amount[bought < since]
            if not len(before):
                continue
            recent = [(before >= since - window, window) for window in (28, 91)]
            rows.append(
                {"customer_id": f"c{nth:04}", "cutoff_date": pd.Timestamp(cutoff)}
                | {"first_purchase_date": start + pd.Timedelta(days=int(before[0]))}
                | {"last_purchase_date": start + pd.Timedelta(days=int(before[-1]))}
                | {"purchase_days": len(before), "net_amount": of.sum(), "mean_day_amount": of.mean()}
                | {"margin_amount": 0.0, "costed_net_amount": 0.0, "newest_days_amount": of[-3:].mean()}
                | {f"purchase_days_{window}d": int(late.sum()) for late, window in recent}
                | {f"net_amount_{window}d": float(of[late].sum()) for late, window in recent}
            )
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)


def noise(seed: int, customers: int = 300) -> pd.DataFrame:
    """All customers buy at one rate and for amounts of one kind, so that no past tells anything."""
    random = np.random.default_rng(seed)
    days = [np.flatnonzero(random.random(DAYS) < 0.01) for _ in range(customers)]
    return panel(days, [random.gamma(2.0, 50.0, len(bought)) for bought in days])


def test_pure_noise_gets_a_c_in_at_least_95_of_100_sets() -> None:
    """Ten sets; with PROVE=1 a hundred."""
    sets = 100 if os.environ.get("PROVE") else 10
    grades = [learn(noise(seed), DAY, KNOWN, PARAMS).grades for seed in range(sets)]
    found = [one.grade for grade in grades for one in grade or ()]
    assert len(found) == sets
    assert found.count("C") >= 0.95 * sets
