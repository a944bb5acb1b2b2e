"""Promises of tiers over time: the SQL that decides a range, and days one by one through the ledger of decisions, say
what a plain loop over the days says. Gates and people move a tier for the day alone.

Customers, scores and rules are made up; the SQL is the project's, and so is what writes and reads the ledger.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import hypothesis
import pytest
from hypothesis import strategies as st
from installation import PROVE, settings_of
from standings import BOUNDS, TIERS, Days, Row, Rules, Told, plainly

from orchestration import dbt
from orchestration.decision_history import load_standings
from orchestration.release.publish import write_incoming_decisions
from orchestration.settings import Settings
from orchestration.warehouse_tables import RUN_TABLES

FIRST = date(2025, 1, 1)
INPUTS = {
    "intermediate.int_policy__in_force": "as_of_date date, policy_version varchar, tier_keep_margin decimal(18,6), "
    "tier_dwell_days decimal(18,6), tier_hold_days decimal(18,6), tier_grace_days decimal(18,6), "
    "tier_review_months decimal(18,6)",
    "policy.policy_bands": "policy_version varchar, lens varchar, band varchar, band_rank bigint, "
    "lower_bound decimal(18,6)",
    "intermediate.int_customers__numbered": "customer_id varchar, customer_number integer",
    "intermediate.int_factors__contributed": "as_of_date date, customer_number integer, contribution decimal(18,4), "
    "is_defaulted boolean",
    "tiering.tier_explanations": "as_of_date date, customer_id varchar, contribution decimal(18,4), "
    "is_defaulted boolean, factor varchar, score decimal(9,4), weight decimal(9,4), is_dropped boolean",
    "tiering.tier_changes": "as_of_date date, customer_id varchar, main_cause varchar",
    "intermediate.int_customers__identity": "account_key varchar, customer_id varchar, valid_from date, valid_to date",
    "intermediate.int_customers__indicated": "as_of_date date, customer_number integer, tenure_days bigint",
    "scoring.customer_bands": "as_of_date date, customer_id varchar, lens varchar, band varchar",
    "tiering.tier_gates": "as_of_date date, customer_id varchar, gate varchar, floor_rank bigint, ceiling_rank bigint",
    "intermediate.int_overrides__identified": "as_of_date date, customer_id varchar, floor_tier varchar, "
    "ceiling_tier varchar",
}
MODELS = ("intermediate.int_tiers__held", "tiering.tier_standings", "tiering.customer_tiers")
VIEWS = ("staging.stg_run__dates", "staging.stg_run__standings", "intermediate.int_run_dates__ordered")


class Bench:
    """An empty build file with the tables that the models read."""

    def __init__(self, compiled: Mapping[str, str]) -> None:
        self.statements = {name.rpartition(".")[2]: sql for name, sql in compiled.items()}
        self.db = duckdb.connect()
        self.db.execute("attach ':memory:' as warehouse; use warehouse; set threads = 1")
        for schema in ("run", "staging", "intermediate", "policy", "scoring", "tiering"):
            self.db.execute(f"create schema {schema}")
        for table in ("run_dates", "run_standings"):
            self.db.execute(f"create table run.{table} ({RUN_TABLES[table]})")
        for table, columns in INPUTS.items():
            self.db.execute(f"create table {table} ({columns})")
        for view in VIEWS:
            self.db.execute(f"create view {view} as {self.statements[view.partition('.')[2]]}")
        self._fill("policy.policy_bands", [("p1", "tier", *tier) for tier in _ranked()])

    def tell(self, days: Days) -> None:
        told = [(day, who, told) for day, customers in days.items() for who, told in customers.items()]
        numbers = {who: number for number, who in enumerate(sorted({who for _, who, _ in told}), start=1)}
        self._fill("intermediate.int_customers__numbered", list(numbers.items()))
        self._fill(
            "intermediate.int_factors__contributed",
            [(day, numbers[who], one.score, False) for day, who, one in told],
        )
        self._fill(
            "tiering.tier_explanations",
            [(day, who, one.score, False, "base", None, None, False) for day, who, one in told],
        )
        self._fill("intermediate.int_customers__indicated", [(day, numbers[who], one.tenure) for day, who, one in told])
        self._fill("tiering.tier_gates", [(day, who, "gate", *one.gates) for day, who, one in told if any(one.gates)])
        self._fill(
            "intermediate.int_overrides__identified",
            [(day, who, *(TIERS[rank - 1] if rank else None for rank in one.people)) for day, who, one in told],
        )

    def decide(self, settings: Settings, rules: Rules, *days: date) -> tuple[list[Row], list[Row]]:
        """Run the models for the days, going on from the ledger, and write their decisions into it."""
        self._fill("run.run_dates", [(day, None, "p1", "none", day == days[-1], "run") for day in days])
        held_by = (rules.margin, rules.dwell, rules.hold, rules.grace, rules.months)
        self._fill("intermediate.int_policy__in_force", [(day, "p1", *held_by) for day in days])
        load_standings(settings, self.db, before=days[0])
        for model in MODELS:
            self.db.execute(f"create or replace table {model} as {self.statements[model.partition('.')[2]]}")
        for day, file in write_incoming_decisions(settings, self.db, days).items():
            file.rename(settings.decisions / f"{day}.parquet")
        standings = self.db.execute(
            "select as_of_date, customer_id, tier_rank, is_earned, is_kept, last_earned_date, last_kept_date, is_held "
            "from tiering.tier_standings order by as_of_date, customer_id, tier_rank"
        ).fetchall()
        tiers = self.db.execute(
            "select as_of_date, customer_id, score_tier, gated_tier, held_tier, decided_tier, tier, tier_score "
            "from tiering.customer_tiers order by as_of_date, customer_id"
        ).fetchall()
        return standings, tiers

    def _fill(self, table: str, rows: list[Row]) -> None:
        self.db.execute(f"delete from {table}")
        if rows:
            self.db.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)


def _ranked() -> list[Row]:
    return [(tier, rank, bound) for rank, (tier, bound) in enumerate(BOUNDS.items(), start=1)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(dbt.compiled_models(settings_of(tmp_path_factory.mktemp("compiled"))))
    yield bench
    bench.db.close()


def made_up(chance: random.Random, margin: Decimal, steps: list[int]) -> Days:
    """Customers that hover around the bounds, and are away on some days."""
    near = [bound - less for bound in BOUNDS.values() if bound for less in (0, margin, margin + Decimal("0.0001"))]
    scores = [*near, Decimal(0), Decimal("79.9999"), Decimal(100)]
    days: dict[date, dict[str, Told]] = {}
    day = FIRST + timedelta(days=chance.randrange(-40, 40))
    first_orders = {
        f"c{number}": chance.choice([None, day - timedelta(days=chance.randrange(20))]) for number in range(8)
    }
    for step in steps:
        day += timedelta(days=step)
        days[day] = {
            who: Told(
                max(chance.choice(scores), Decimal(0)),
                (day - ordered).days if ordered else None,
                chance.choice([(None, None)] * 6 + [(2, None), (None, 3), (1, 2)]),
                chance.choice([(None, None)] * 6 + [(1, None), (None, 4), (2, 3)]),
            )
            for who, ordered in first_orders.items()
            if chance.random() < 0.9
        }
    return days


RULES = st.builds(
    Rules,
    margin=st.sampled_from([Decimal(0), Decimal(5), Decimal("0.0001"), Decimal(50)]),
    dwell=st.integers(0, 6),
    hold=st.integers(0, 6),
    grace=st.integers(0, 30),
    months=st.sampled_from([0, 0, 1, 3, 12]),
)


@hypothesis.settings(max_examples=200 if PROVE else 12)
@hypothesis.given(
    rules=RULES,
    steps=st.lists(st.sampled_from([1, 1, 1, 2, 7]), min_size=1, max_size=10),
    seed=st.integers(0, 2**32),
)
def test_a_range_and_days_one_by_one_say_what_a_plain_loop_over_the_days_says(
    bench: Bench, rules: Rules, steps: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    told = made_up(random.Random(seed), rules.margin, steps)
    days = list(told)
    bench.tell(told)
    standings, tiers = plainly(told, rules)
    cut = seed % len(days)
    for name, parts in {
        "one range": [days],
        "two ranges": [part for part in (days[:cut], days[cut:]) if part],
        "one by one": [[day] for day in days],
    }.items():
        settings = settings_of(tmp_path_factory.mktemp("ledger"))
        decided = [bench.decide(settings, rules, *part) for part in parts]
        assert [row for found, _ in decided for row in found] == standings, name
        assert [row for _, found in decided for row in found] == tiers, name


def test_standings_are_those_of_the_last_day_before_the_run(bench: Bench, settings: Settings) -> None:
    """Days decided later, as when a past day is decided, are not looked at."""
    rules = Rules(Decimal(5), 3, 3, 0, 0)
    told = {
        FIRST + timedelta(days=number): {"c1": Told(score, None, (None, None), (None, None))}
        for number, score in enumerate((Decimal(70), Decimal(90), Decimal(50)))
    }
    first, second, third = told
    bench.tell(told)
    for day in (first, third):
        bench.decide(settings, rules, day)
    load_standings(settings, bench.db, before=second)
    held = "select tier_rank, last_earned_date from run.run_standings where is_held order by tier_rank"
    assert bench.db.execute(held).fetchall() == [(2, first), (3, first), (4, first)]
    load_standings(settings, bench.db, before=first)
    assert bench.db.execute("from run.run_standings").fetchall() == [], "nothing was decided before"


@hypothesis.settings(max_examples=200 if PROVE else 12)
@hypothesis.given(rules=RULES, tenure=st.one_of(st.none(), st.integers(0, 40)), first=st.dates(FIRST, date(2026, 3, 1)))
def test_a_tier_that_is_no_longer_kept_is_lost_on_the_day_that_is_told(
    bench: Bench, rules: Rules, tenure: int | None, first: date, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Earned on one day by full marks, never again: told on each day after it, and so it comes."""
    days = [first + timedelta(days=nth) for nth in range(90)]
    scores = [Decimal(100), *[Decimal(0)] * 89]
    bench.tell(
        {
            day: {"c1": Told(score, None if tenure is None else tenure + nth, (None, None), (None, None))}
            for nth, (day, score) in enumerate(zip(days, scores, strict=True))
        }
    )
    bench.decide(settings_of(tmp_path_factory.mktemp("ledger")), rules, *days)
    told = bench.db.execute(
        "select as_of_date, is_held, falls_on_date from tiering.tier_standings where tier_rank = 1 order by as_of_date"
    ).fetchall()
    assert told[0] == (first, True, None)
    lost = next((day for day, is_held, _ in told if not is_held), None)
    announced = {falls for _, is_held, falls in told[1:] if is_held}
    if lost is None:
        assert min(announced) > days[-1]
    else:
        assert announced <= {lost}
    assert {falls for _, is_held, falls in told if not is_held} <= {None}
