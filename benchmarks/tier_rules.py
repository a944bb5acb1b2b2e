"""Rules that make tiers of figures, and how long a tier is held: in plain Python, and by the project's own statement.

A rule says of each date, customer and tier whether it is earned and whether it is at least kept; the best tier comes
first, and the last is everybody's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.tier_scores import Array, Looks, rows_of
from orchestration import dbt
from orchestration.settings import POLICY_SEEDS, Settings

ABC_BOUNDS = (0.80, 0.95)
UNITS = 10_000  # of a point: scores have four digits, and are compared as whole numbers


@dataclass(frozen=True)
class Setting:
    """``margin``: of ABC a part of the spend, of the score points; the others are days."""

    margin: float
    dwell: int
    hold: int
    grace: int

    def __str__(self) -> str:
        return f"margin {self.margin:g}, dwell {self.dwell}, hold {self.hold}, grace {self.grace}"


PLAIN = Setting(0, 0, 0, 0)


def held_tiers(earned: Array, kept: Array, days: Array, tenure: Array, setting: Setting) -> Array:
    """The best tier each customer holds on each date, as int_tiers__held decides it. ``earned``, ``kept``: by date,
    customer and tier, the last tier everybody's; ``tenure`` by date and customer, below zero before
    the first purchase."""
    never = -(10**6)
    held = np.zeros(earned.shape[1:], dtype=bool)
    last_earned, last_kept = np.full(held.shape, never), np.full(held.shape, never)
    tiers = np.empty(earned.shape[:2], dtype=np.int64)
    for nth, day in enumerate(days):
        last_earned, last_kept = np.where(earned[nth], day, last_earned), np.where(kept[nth], day, last_kept)
        may_fall = (tenure[nth] >= setting.grace) | (tenure[nth] < 0)
        falls = (day - last_kept >= setting.dwell) & (day - last_earned >= setting.hold)
        held = earned[nth] | (held & ~(falls & may_fall[:, None]))
        tiers[nth] = held.argmax(axis=1)
    return tiers


def abc_rules(trailing: Array, margin: float) -> tuple[Array, Array]:
    """Earned and kept of A, B, C. A class goes by the share of all spend before the customer and its equals; without
    spend it is C. It is kept with a spend that is at most ``margin`` short of the smallest that earns it."""
    earned = np.ones((*trailing.shape, len(ABC_BOUNDS) + 1), dtype=bool)
    kept = earned.copy()
    for nth, spend in enumerate(trailing):
        values, counts = np.unique(spend, return_counts=True)
        before = spend.sum() - np.cumsum(values * counts)
        for tier, bound in enumerate(ABC_BOUNDS):
            least = values[(before < bound * spend.sum()) & (values > 0)].min()
            earned[nth, :, tier], kept[nth, :, tier] = spend >= least, spend >= (1 - margin) * least
    return earned, kept


def score_rules(score: Array, margin: float, bounds: Sequence[float]) -> tuple[Array, Array]:
    """Earned and kept of the tiers with these lower bounds, the best first, and of the last tier."""
    ladder, points = np.rint(UNITS * np.array(bounds)), np.rint(UNITS * score)[:, :, None]
    everybody = np.ones((*score.shape, 1), dtype=bool)
    kept = points + round(UNITS * margin) >= ladder
    return np.concatenate([points >= ladder, everybody], axis=2), np.concatenate([kept, everybody], axis=2)


def in_sql(folder: Path, looks: Looks, setting: Setting, bounds: Sequence[float]) -> Array:
    """The tiers as the project's own statement decides them: the compiled model, over tables made of the looks."""
    folder.mkdir(exist_ok=True)
    sql = dbt.compiled_models(Settings(home=folder))["model.tiering.int_tiers__held"]
    schemas = {name: schema for schema, name in re.findall(r'("\w+"\."\w+")\."(\w+)"', sql)}
    dates, customers = np.array(looks.dates, dtype="datetime64[D]"), np.arange(looks.score.shape[1])
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.register("dates", pa.table({"as_of_date": dates, "date_number": np.arange(len(dates)) + 1}))
        connection.register(
            "looked",
            pa.table(
                {
                    "as_of_date": np.repeat(dates, len(customers)),
                    "customer_number": np.tile(customers, len(dates)),
                    "contribution": looks.score.ravel(),
                    "tenure_days": looks.tenure.ravel(),
                }
            ),
        )
        connection.register("tiers", pa.table({"band_rank": range(1, len(bounds) + 2), "lower_bound": [*bounds, None]}))
        for name, rows in {
            "int_run_dates__ordered": "from dates",
            "int_policy__in_force": "select as_of_date, 'one' as policy_version, "
            f"{setting.margin} as tier_keep_margin, {setting.dwell} as tier_dwell_days, "
            f"{setting.hold} as tier_hold_days, {setting.grace} as tier_grace_days, "
            "0 as tier_review_months from dates",
            "int_customers__numbered": "select distinct customer_number as customer_id, customer_number from looked",
            "int_factors__contributed": "select as_of_date, customer_number, false as is_defaulted, "
            "cast(contribution as decimal(9, 4)) as contribution from looked",
            "policy_bands": "select 'one' as policy_version, 'tier' as lens, 'T' || band_rank as band, band_rank, "
            "cast(lower_bound as decimal(9, 4)) as lower_bound from tiers",
            "int_customers__indicated": "select as_of_date, customer_number, tenure_days from looked "
            "where tenure_days >= 0",
            "stg_run__standings": "select 0 as customer_id, 0 as tier_rank, false as is_held, "
            "current_date as last_earned_date, current_date as last_kept_date where false",
        }.items():
            connection.execute(f"create schema if not exists {schemas[name]}")
            connection.execute(f'create table {schemas[name]}."{name}" as {rows}')
        held = connection.execute(
            f"select min(tier_rank) - 1 as tier from ({sql}) where is_held group by as_of_date, customer_number "
            "order by as_of_date, customer_number"
        ).fetchnumpy()["tier"]
    return np.asarray(held).reshape(looks.score.shape)


def shipped() -> tuple[Setting, Sequence[float]]:
    """What the shipped policy says of keeping tiers, and the lower bounds of its tiers, the best first."""
    value = {row["parameter"]: float(row["value"]) for row in rows_of(POLICY_SEEDS / "policy_parameters.csv")}
    bands = [row for row in rows_of(POLICY_SEEDS / "policy_bands.csv") if row["lens"] == "tier" and row["lower_bound"]]
    ladder = sorted((float(row["lower_bound"]) for row in bands), reverse=True)
    margin, *days = (value[f"tier_{name}"] for name in ("keep_margin", "dwell_days", "hold_days", "grace_days"))
    return Setting(margin, *(int(number) for number in days)), ladder
