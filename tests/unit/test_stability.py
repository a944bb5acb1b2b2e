"""Promises of the stability limit on small days."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from data_quality.stability import stability_rule
from data_quality.thresholds import load_thresholds

TODAY = date(2025, 6, 30)


def day_of(customers: int, moved: int, limit: str = "0.10") -> duckdb.DuckDBPyConnection:
    """A build file in which so many of the customers rose today; the others entered, which is no move."""
    build = duckdb.connect()
    for schema in ("tiering", "intermediate"):
        build.execute(f"create schema {schema}")
    build.execute(
        f"create table tiering.customer_tiers as select date '{TODAY}' as as_of_date, nth as customer_id "
        f"from range({customers}) as customers(nth)"
    )
    build.execute(
        "create table tiering.tier_movements as select as_of_date as movement_date, customer_id, "
        f"if(customer_id < {moved}, 'up', 'entered') as direction from tiering.customer_tiers"
    )
    build.execute(
        "create table intermediate.int_policy__in_force as "
        f"select date '{TODAY}' as as_of_date, 'p1' as policy_version, {limit}::decimal(18, 6) as tier_moved_limit"
    )
    return build


@pytest.mark.parametrize(("customers", "moved", "is_kept"), [(100, 10, True), (100, 11, False), (49, 49, True)])
def test_as_many_as_the_limit_may_move_and_few_customers_are_not_judged(
    customers: int, moved: int, is_kept: bool
) -> None:
    with day_of(customers, moved) as build:
        rule = stability_rule(build, load_thresholds())
        assert (build.execute(rule.violations("customers")).fetchall() == []) is is_kept
        told = rule.observe(customers, {})
    assert is_kept or "11 of 100 customers; policy p1 lets 0.1 move in a day (policy_parameters.csv" in told
