"""The project's own tier scores of a real data set on many past dates, beside what was spent before and after them.

The extracts of ``examples/`` are landed in a home of their own, then dbt decides weekly dates, some at a time, with
the models' scores between its two halves; of each only what the benchmark reads is kept. The policy is the example's
without the lenses that no tier weighs, which shortens ``int_customers__judged``. Nothing is published.

All records were delivered at once, so every customer is known on every date: who has not bought yet is left out of the
figures, though not out of the ranks (CDNOW has none such, Complete Journey 6 % on its first date and 1 % on its last
ranking). Complete Journey's later days are the file's (UTC), the scores' the shop's: a thousandth of the spend.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from examples.deliver import write_example
from examples.tables import open_tables
from examples.wheels import data_folder
from ml.params import load_panel_params, load_params
from ml.store import plan_models
from orchestration import dbt
from orchestration.extract import landing
from orchestration.extract.manifest import read_manifest
from orchestration.extract.registry import load_registry
from orchestration.locking import writing
from orchestration.plan import PlannedDay
from orchestration.scoring import score_run, tell_models
from orchestration.settings import Settings
from orchestration.warehouse import load_run, open_warehouse

DATES_AT_ONCE = 12  # whole months of four weeks, so that models are trained on the dates a single range would take
FIRST_HALF = (
    "--select",
    "+tier_explanations",
    "+int_customers__panel",
    "+int_customers__features",
    "--exclude",
    *dbt.SECOND_HALF,
    "--full-refresh",
)
SECOND_HALF = ("--select", *(f"{models},+tier_explanations" for models in dbt.SECOND_HALF))
KEPT = """
    with scored as (
        select
            as_of_date, customer_id, cast(sum(contribution) as decimal(9, 4)) as tier_score,
            count(*) filter (where is_defaulted) as defaulted_lens_count
        from tiering.tier_explanations
        group by all
    ),

    accounts as (
        select distinct customer_id, source_id
        from intermediate.int_customers__identity
        where source_system = '{system}'
    )

    select
        scored.as_of_date, accounts.source_id as customer_id, scored.tier_score, scored.defaulted_lens_count,
        rfm.rfm_score, indicators.net_amount_365d, lifecycle.tenure_days
    from scored
    inner join accounts on scored.customer_id = accounts.customer_id
    inner join customer.customer_indicators as indicators
        on scored.as_of_date = indicators.as_of_date and scored.customer_id = indicators.customer_id
    left join scoring.customer_rfm as rfm
        on scored.as_of_date = rfm.as_of_date and scored.customer_id = rfm.customer_id
    left join scoring.customer_lifecycle as lifecycle
        on scored.as_of_date = lifecycle.as_of_date and scored.customer_id = lifecycle.customer_id
"""

Array = NDArray[Any]
LOOKS, TRAILING_DAYS, FUTURE_DAYS = 8, 180, 90
RANKINGS, RANKING_WEEKS = 7, 4


@dataclass(frozen=True)
class Cuts:
    """The weekly cuts whose changes count, and the last date of the data."""

    last: date
    count: int
    end: date

    @property
    def dates(self) -> list[date]:
        """The cuts that count, the looks after them, and whatever the rankings need before."""
        newest = self.last + timedelta(weeks=LOOKS)
        first = min(self.last - timedelta(weeks=self.count - 1), self.rankings[0])
        return [first + timedelta(weeks=nth) for nth in range((newest - first).days // 7 + 1)]

    @property
    def rankings(self) -> list[date]:
        newest = self.last
        while newest + timedelta(days=FUTURE_DAYS) > self.end:
            newest -= timedelta(weeks=1)
        return [newest - timedelta(weeks=RANKING_WEEKS * back) for back in reversed(range(RANKINGS))]


CUTS = {
    "cdnow": Cuts(date(1998, 5, 5), 40, date(1998, 6, 30)),
    "complete_journey": Cuts(date(2017, 11, 5), 13, date(2017, 12, 31)),
}


@dataclass(frozen=True)
class Looks:
    """By date and customer: spend of the trailing and of the next days in ten-thousandths, days since the first
    purchase (below zero: none yet), tier and RFM score, net sales of a year. ``counted`` marks the dates that count,
    ``matured`` those of them with the next days in the data."""

    dates: list[date]
    counted: Array
    matured: Array
    trailing: Array
    future: Array
    tenure: Array
    score: Array
    rfm: Array
    net: Array

    @property
    def known(self) -> Array:
        return np.asarray(self.tenure >= 0)


def score_dates(dataset: str, dates: Sequence[date], folder: Path, wheels: Path) -> Path:
    """``<dataset>.parquet`` in the folder: a row per date and customer. What is there already is not made again."""
    kept = folder / f"{dataset}.parquet"
    if kept.exists():
        return kept
    settings = Settings(home=folder / dataset, pseudonym_key="benchmark")
    data_folder(dataset, wheels)
    (settings.home / "wheels").mkdir(parents=True, exist_ok=True)
    for wheel in wheels.glob("*.whl"):
        shutil.copy(wheel, settings.home / "wheels")
    write_example(dataset, settings.home)
    version = _only_weighing_lenses(settings)
    feeds = load_registry(settings.sources).feeds
    landing.commit(
        settings, landing.prepare(settings, landing.pending_deliveries(settings, feeds, date.max)), decided_until=None
    )
    parts = []
    for nth in range(0, len(dates), DATES_AT_ONCE):
        parts.append(str(folder / f"{dataset}-{nth}.parquet"))
        _decide(settings, version, dates[nth : nth + DATES_AT_ONCE], parts[-1])
    duckdb.sql(f"copy (from read_parquet({parts}) order by as_of_date, customer_id) to '{kept}' (format parquet)")
    shutil.rmtree(settings.home)
    return kept


def read_looks(dataset: str, scores: Path, wheels: Path) -> Looks:
    dates = CUTS[dataset].dates
    with open_tables(dataset, wheels) as connection:
        columns: list[list[Array]] = [[] for _ in range(6)]
        for day in dates:
            found = connection.execute(
                f"""
                with spent as (
                    select
                        customer_id,
                        $1 - min(purchase_date) as tenure,
                        sum(net_amount) filter (purchase_date <= $1 and purchase_date > $1 - {TRAILING_DAYS}) as spent,
                        sum(net_amount) filter (purchase_date > $1 and purchase_date <= $1 + {FUTURE_DAYS}) as to_come
                    from purchases group by customer_id
                )

                select
                    cast(coalesce(spent, 0) * 10000 as bigint) as trailing,
                    cast(coalesce(to_come, 0) * 10000 as bigint) as future,
                    tenure, cast(tier_score as double) as score,
                    coalesce(cast(rfm_score as double), -1) as rfm,
                    cast(coalesce(net_amount_365d, 0) * 10000 as bigint) as net
                from spent
                inner join read_parquet('{scores}') as scored using (customer_id)
                where scored.as_of_date = $1
                order by customer_id
                """,
                [day],
            ).fetchnumpy()
            for column, values in zip(columns, found.values(), strict=True):
                column.append(np.asarray(values))
    age = np.array([(CUTS[dataset].last - day).days for day in dates])
    counted = (age >= 0) & (age < 7 * CUTS[dataset].count)
    matured = counted & np.array([day + timedelta(days=FUTURE_DAYS) <= CUTS[dataset].end for day in dates])
    return Looks(dates, counted, matured, *(np.stack(column) for column in columns))


def _decide(settings: Settings, version: str, dates: Sequence[date], file: str) -> None:
    batches, params = read_manifest(settings.manifest), load_params()
    known_at = max(batch.known_at for batch in batches)
    days = [PlannedDay(day, known_at, version) for day in dates]
    with writing(settings), open_warehouse(settings) as connection:
        load_run(settings, connection, days, batches, (), run_id="benchmark", project="benchmark")
        planned = plan_models([(day, known_at) for day in dates], {}, {}, params)
        tell_models(connection, planned, params, load_panel_params())
    _build(settings, FIRST_HALF)
    with open_warehouse(settings) as connection:
        score_run(connection, {}, params)
    _build(settings, SECOND_HALF)
    [system] = {
        feed.source_system for feed in load_registry(settings.sources).feeds if feed.table.name == "sales.order"
    }
    with open_warehouse(settings) as connection:
        connection.execute(f"copy ({KEPT.format(system=system)}) to '{file}' (format parquet)")


def _build(settings: Settings, selection: Sequence[str]) -> None:
    results = dbt.build(settings, selection)
    broken = [f"{result.unique_id}: {result.message}" for result in results if result.status in ("error", "skipped")]
    if broken:
        raise SystemExit("\n".join(broken))


def _only_weighing_lenses(settings: Settings) -> str:
    """Take the other lenses out of the home's policy. Returns its version."""
    lenses = rows_of(settings.policy / "policy_lenses.csv")
    fed_by = {row["lens"]: row["fed_by"].split() for row in lenses}
    wanted = {row["factor"] for row in rows_of(settings.policy / "policy_weights.csv") if row["target"] == "tier"}
    while more := {name for lens in wanted for name in fed_by[lens] if name in fed_by} - wanted:
        wanted |= more
    with (settings.policy / "policy_lenses.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lenses[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in lenses if row["lens"] in wanted)
    return lenses[0]["policy_version"]


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
