"""Promises of the plan: a day of a range is decided as if alone, under exactly one policy, when its extracts are in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.extract.manifest import Batch
from orchestration.extract.registry import Registry, load_registry
from orchestration.plan import (
    PlanError,
    PolicyVersion,
    days_between,
    missing_extracts,
    newest_complete_day,
    next_to_decide,
    plan_days,
    policy_in_force,
)
from orchestration.policy import read_policies
from orchestration.settings import POLICY_SEEDS

D1, D2, D3, D4 = (date(2025, 1, day) for day in (1, 2, 3, 4))
EVER = datetime(2000, 1, 1, tzinfo=UTC)
SOURCES = """
start_date: 2025-01-02
sources:
  shop:
    family: sales
    timezone: Asia/Shanghai
    map: demo_sales
    tables:
      order: {files: "order_{delivery_date}.csv", format: csv, delivered: daily}
      return_line: {files: "return_{delivery_date}.csv", format: csv, delivered: daily}
      product: {files: "product_{delivery_date}.csv", format: csv, delivered: on_change}
"""


def at(day: date, hour: int = 16) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def batch(day: date, known_at: datetime) -> Batch:
    return Batch(
        batch_id=f"{day}-{known_at}", source_system="shop", family="sales", entity="order", file="f", sha256="s",
        bytes=1,
        modified_ns=1, delivery_date=day, extracted_at=known_at, mode="incremental", known_at=known_at,
        duplicate_of=None, records=1, accepted=1, duplicates=0, quarantined=0, filtered=0, amounts=(),
        unknown_columns=(), raw_file="r", raw_sha256="s", quarantine_sha256=None, contract_version="1",
        landed_at=known_at,
    )  # fmt: skip


def policy(name: str, since: date, until: date | None, approved: datetime = EVER) -> PolicyVersion:
    return PolicyVersion(name, since, until, approved)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    (tmp_path / "sources.yml").write_text(SOURCES, encoding="utf-8")
    return load_registry(tmp_path / "sources.yml")


@given(
    deliveries=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 72)), min_size=1),
    first=st.integers(0, 6),
    length=st.integers(0, 6),
)
def test_a_day_of_a_range_is_planned_as_if_it_were_run_alone(
    deliveries: list[tuple[int, int]], first: int, length: int
) -> None:
    batches = [batch(D1, at(D1))]
    batches += [batch(D1 + timedelta(days=day), at(D1) + timedelta(days=day, hours=late)) for day, late in deliveries]
    days = days_between(D1 + timedelta(days=first), D1 + timedelta(days=first + length))
    policies = [policy("2025.1", date(2024, 1, 1), None)]
    alone = [plan_days([day], [b for b in batches if b.delivery_date <= day], policies, at)[0] for day in days]
    assert plan_days(days, batches, policies, at) == alone
    assert [day.as_of_date for day in alone] == days


def test_a_day_knows_the_newest_delivery_up_to_it_and_none_after_it() -> None:
    batches = [batch(D1, at(D1)), batch(D2, at(D2)), batch(D4, at(D4))]
    planned = plan_days([D1, D2, D3], batches, [policy("2025.1", D1, None)], at)
    assert [(day.as_of_date, day.known_at) for day in planned] == [(D1, at(D1)), (D2, at(D2)), (D3, at(D2))]


def test_a_decided_day_keeps_the_knowledge_it_was_decided_with() -> None:
    """What arrived late for a decided day changes no decision; days without one know all that was delivered by then."""
    batches = [batch(D1, at(D1)), batch(D1, at(D2, 20)), batch(D2, at(D2))]
    planned = plan_days([D1, D2], batches, [policy("2025.1", D1, None)], at, {D1: at(D1)})
    assert [(day.as_of_date, day.known_at) for day in planned] == [(D1, at(D1)), (D2, at(D2, 20))]


def test_what_was_told_when_the_next_day_had_ended_is_not_known_to_a_day_of_a_range() -> None:
    batches = [batch(D1, at(D1)), batch(D1, at(D3)), batch(D2, at(D2)), batch(D3, at(D3))]
    planned = plan_days([D1, D2, D3], batches, [policy("2025.1", D1, None)], at)
    assert [day.known_at for day in planned] == [at(D1), at(D2), at(D3)]


def test_a_first_load_that_was_told_at_once_gives_all_its_days_one_knowledge() -> None:
    planned = plan_days([D1, D2], [batch(D1, at(D4)), batch(D2, at(D4))], [policy("2025.1", D1, None)], at)
    assert [day.known_at for day in planned] == [at(D4), at(D4)]


def test_a_range_follows_one_policy() -> None:
    policies = [policy("2025.1", D1, D3), policy("2025.2", D3, None)]
    with pytest.raises(PlanError, match=r"2025\.2 takes over on 2025-01-03"):
        plan_days([D1, D2, D3], [batch(D1, at(D1))], policies, at)
    assert [day.policy_version for day in plan_days([D3, D4], [batch(D1, at(D1))], policies, at)] == ["2025.2"] * 2


def test_a_day_before_any_delivery_cannot_be_planned() -> None:
    with pytest.raises(PlanError, match="nothing was delivered for 2025-01-01 or before"):
        plan_days([D1, D2], [batch(D2, at(D2))], [policy("2025.1", D1, None)], at)


def test_the_policy_in_force_holds_the_day_and_was_approved_by_then() -> None:
    versions = [policy("old", D1, D3), policy("new", D3, None), policy("later", D1, None, approved=at(D4))]
    assert [policy_in_force(versions, day, at(day)) for day in (D1, D2, D3)] == ["old", "old", "new"]


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ([], r"0 policy versions \[\] are in force on 2025-01-02, expected exactly one"),
        ([("a", D1, D2, EVER)], "0 policy versions"),
        ([("a", D3, None, EVER)], "0 policy versions"),
        ([("a", D1, None, at(D3))], "0 policy versions"),
        ([("a", D1, None, EVER), ("b", D2, None, EVER)], r"2 policy versions \['a', 'b'\]"),
    ],
)
def test_none_or_two_policies_in_force_are_refused(
    versions: list[tuple[str, date, date | None, datetime]], message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        policy_in_force([PolicyVersion(*version) for version in versions], D2, at(D2))


def test_the_shipped_policies_give_every_demo_day_exactly_one_version() -> None:
    shipped = read_policies(POLICY_SEEDS)
    assert shipped
    for day in days_between(date(2025, 1, 1), date(2025, 12, 31)):
        assert policy_in_force(shipped, day, at(day)) in {version.policy_version for version in shipped}


def test_missing_extracts_name_the_daily_feeds_that_said_nothing_for_the_day(registry: Registry) -> None:
    delivered = {("shop", "order", D2), ("another", "return_line", D2)}
    assert missing_extracts(registry, delivered, D2) == ["shop.return_line"]
    assert missing_extracts(registry, delivered, D3) == ["shop.order", "shop.return_line"]
    assert missing_extracts(registry, {("shop", "order", D2), ("shop", "return_line", D2)}, D2) == []


def test_days_are_decided_in_order_from_the_start_on(registry: Registry) -> None:
    assert next_to_decide(registry, set()) == D2
    assert next_to_decide(registry, {D1, D2, D4}) == D3
    assert next_to_decide(registry, {D2, D3}) == D4


def test_the_newest_complete_day_is_not_the_newest_day_and_not_before_the_start(registry: Registry) -> None:
    whole = {("shop", entity, day) for entity in ("order", "return_line") for day in (D1, D2, D3)}
    assert newest_complete_day(registry, whole | {("shop", "order", D4), ("shop", "product", D4)}) == D3
    assert newest_complete_day(registry, whole - {("shop", "order", D3), ("shop", "return_line", D2)}) is None
    assert newest_complete_day(registry, set()) is None
