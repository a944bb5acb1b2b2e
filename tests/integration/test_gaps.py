"""Promises of gaps: the order that is told to be missing lifts the score tier, and a cent or an order less does not."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from installation import PROVE, Published, current, rows, settings_of, start_tiering, tiering
from worlds import CENT, Planted, plant, score_tiers

from ml.store import read_models
from orchestration.demo.company import END, write_demo
from orchestration.gaps.finding import gaps_of
from orchestration.gaps.judging import Figure, Ints
from orchestration.gaps.orders import Orders

GAPS = 1_000 if PROVE else 20  # one half in money, the other in orders
ALONE = 4 if PROVE else 0  # of them also run all by themselves, through the front door
AT_ONCE = 100
# What an order changes. The last two, which the model says, decide too seldom for a few gaps to show it.
FIGURES = ["recency_days", "order_count_365d", "net_amount_365d", "margin_amount_365d"]
FIGURES += ["inactive_probability_90d", "potential_margin_amount_90d"] if PROVE else []
RELEASE = "select as_of_date, policy_version, model_version from run.run_dates where is_release_date"


@dataclass(frozen=True)
class Promise:
    """What lifts a customer from its tier to which, and what just does not."""

    score_tier: str
    reached_tier: str
    lifts: Planted
    falls_short: Planted


@dataclass(frozen=True)
class Told:
    """A home whose last day has come without anything planted, what its release promises of that day, and the homes in
    which what was promised, and what just falls short of it, was delivered with the rest of the day."""

    home: Path
    promises: tuple[Promise, ...]
    lifted: Path
    short: Path


@pytest.fixture(scope="module")
def undecided(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose last day is delivered and not decided; under PROVE one with customers enough."""
    if not PROVE:
        return published_home.untouched
    home = tmp_path_factory.mktemp("many") / "home"
    write_demo(home, scale="demo", daily_days=5)
    ran = tiering(home, "backfill", "--from", str(END - timedelta(days=4)), "--to", str(END - timedelta(days=1)))
    assert ran.returncode == 0, ran.stderr
    return home


@pytest.fixture(scope="module")
def told(undecided: Path, fifth_day_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    home = decided_with([], undecided, tmp_path_factory.mktemp("told")) if PROVE else fifth_day_home
    promises = promised_by(current(home))
    lifted, short = decided_with_each(
        [[one.lifts for one in promises], [one.falls_short for one in promises]], undecided, tmp_path_factory
    )
    return Told(home, tuple(promises), lifted, short)


def decided_with_each(
    planted: Sequence[Sequence[Planted]], undecided: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Homes that are decided side by side, each with orders of its own."""
    homes = [prepared(orders, undecided, tmp_path_factory.mktemp("planted")) for orders in planted]
    running = [start_tiering(home, "run", "--date", str(END)) for home in homes]
    for process in running:
        _, said = process.communicate()
        assert process.returncode == 0, said
    return homes


def decided_with(planted: Sequence[Planted], undecided: Path, folder: Path) -> Path:
    home = prepared(planted, undecided, folder)
    ran = tiering(home, "run", "--date", str(END))
    assert ran.returncode == 0, ran.stderr
    return home


def prepared(planted: Sequence[Planted], undecided: Path, folder: Path) -> Path:
    shutil.copytree(undecided, folder / "home", symlinks=True)
    plant(folder / "home", END, planted)
    return folder / "home"


def promised_by(release: Path) -> list[Promise]:
    """As many of either kind from every tier, nobody twice; first those whom not just any order lifts."""
    hard = "one_order_amount > 0.01 and usual_order_count > 1"
    found = rows(
        f"""
        with accounts as (
            select customer_id, min(source_id) as code from '{release}/customer_identity.parquet'
            where family = 'sales' group by customer_id
        )
        select customer_id, code, score_tier, one_order_amount, usual_margin_rate, one_order_cost_amount,
            one_order_tier, usual_order_amount, usual_order_cost_amount, usual_order_count, usual_orders_tier
        from '{release}/tier_gaps.parquet' inner join accounts using (customer_id)
        where one_order_amount is not null and usual_order_count is not null
        order by row_number() over (partition by score_tier order by {hard} desc, md5(customer_id)), score_tier limit ?
        """,
        GAPS,
    )
    promises = []
    for nth, (customer, code, tier, net, rate, cost, one_tier, usual, usual_cost, count, more_tier) in enumerate(found):
        one, many = Planted(customer, code, 1, net, cost), Planted(customer, code, count, usual, usual_cost)
        less = net - CENT
        # What the cent less costs at the same rate, rounded half up as that of the amount is.
        short = replace(one, net=less, cost=(less * (1 - rate)).quantize(CENT, "ROUND_HALF_UP"), count=int(less > 0))
        in_money = Promise(tier, one_tier, one, short)
        in_orders = Promise(tier, more_tier, many, replace(many, count=count - 1))
        promises.append(in_money if nth // 3 % 2 else in_orders)
    return promises


def in_worlds(told: Told, folder: Path) -> list[tuple[str, str]]:
    """The score tiers of each promise's customer, with what was promised and with what falls short of it."""
    found = []
    for start in range(0, len(told.promises), AT_ONCE):
        customers = [one.lifts.customer for one in told.promises[start : start + AT_ONCE]]
        worlds = [(customer, home) for home in (told.lifted, told.short) for customer in customers]
        tiers = score_tiers(told.home, worlds, folder / str(start))
        found += zip(tiers[: len(customers)], tiers[len(customers) :], strict=True)
        shutil.rmtree(folder / str(start))
    return found


def test_what_is_missing_lifts_the_tier_and_less_does_not(told: Told, tmp_path: Path) -> None:
    assert len({one.lifts.customer for one in told.promises}) == GAPS
    assert {one.score_tier for one in told.promises} == {"T2", "T3", "T4"}
    assert {one.lifts.count > 1 for one in told.promises} == {True, False}
    wrong = [
        (one, found)
        for one, found in zip(told.promises, in_worlds(told, tmp_path), strict=True)
        if found != (one.reached_tier, one.score_tier)
    ]
    assert wrong == []


def test_a_world_of_its_own_is_what_the_engine_says_with_one_customer_s_orders_alone(
    told: Told, undecided: Path, tmp_path: Path
) -> None:
    for nth, one in enumerate(told.promises[:ALONE]):
        home = decided_with([one.lifts], undecided, tmp_path / str(nth))
        tier = f"select score_tier from '{current(home)}/customer_tiers.parquet' where customer_id = ?"
        assert rows(tier, one.lifts.customer) == [(one.reached_tier,)]


@pytest.mark.parametrize("forgotten", FIGURES)
def test_a_what_if_that_forgets_what_an_order_changes_promises_something_else(
    forgotten: str, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The amounts above hold to the cent, so that any other is one that the engine does not keep."""
    whole = Orders.with_order

    def forgetful(orders: Orders, who: Ints, count: Ints, cents: Ints, cost: Ints) -> Mapping[str, Figure]:
        return {name: it for name, it in whole(orders, who, count, cents, cost).items() if name != forgotten}

    monkeypatch.setattr(Orders, "with_order", forgetful)
    settings = settings_of(told.home)
    with duckdb.connect(str(settings.warehouse), read_only=True) as build:
        day, version, model = build.execute(RELEASE).fetchall()[0]
        gaps = gaps_of(build, day, version, read_models(settings.models)[model].model).set_index("customer_id")
    wrong = 0
    for one in told.promises:
        gap = gaps.loc[one.lifts.customer]
        in_money = one.lifts.count == 1 and one.lifts.net != gap["usual_order_amount"]
        wrong += (
            gap["one_order_amount"] != float(one.lifts.net) if in_money else gap["usual_order_count"] != one.lifts.count
        )
    assert wrong > 0
