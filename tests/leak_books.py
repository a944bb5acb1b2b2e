"""Books of a small company whose past is told again and again: late orders, restated lines, returns, corrected rates,
accounts that come and merge. Copies of them end at a day or at a moment, or deal what comes later to others.

``Books`` runs the project's own compiled SQL from staging to the features and the panel; a leak is a text put in place
of another in that SQL. What a leak is, and what finds it, is leaks.py's.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import duckdb
import pandas as pd

from orchestration.warehouse_tables import RUN_TABLES

FIRST, DAYS = date(2025, 1, 1), 365
# A run decides four dates; the third one trains, from its own cut-off and three before it.
DATES = (date(2025, 9, 30), date(2025, 10, 31), date(2025, 11, 30), date(2025, 12, 31))
TRAINS = DATES[2]
CUTOFFS = (TRAINS + timedelta(days=1), date(2025, 11, 1), date(2025, 10, 3), date(2025, 8, 1))
LIMIT = 30
EVER, ENDLESS = datetime(9999, 12, 31, tzinfo=UTC), date(9999, 12, 31)
KNOWN = "known_from timestamptz, known_to timestamptz"
MONEY = "decimal(18, 4)"
# What the SQL reads, with the column that says on which day it happened; without one it only becomes known.
GIVEN = {
    "staging.stg_sales__orders": (
        "source_system varchar, order_id varchar, customer_ref varchar, business_date date, status varchar, "
        f"channel varchar, entity_id varchar, currency varchar, batch_id varchar, source_line bigint, {KNOWN}",
        "business_date",
    ),
    "staging.stg_sales__order_lines": (
        "source_system varchar, line_id varchar, order_id varchar, product_id varchar, quantity bigint, "
        f"gross_amount {MONEY}, discount_amount {MONEY}, net_amount {MONEY}, cost_amount {MONEY}, batch_id varchar, "
        f"source_line bigint, {KNOWN}",
        "(select max(orders.business_date) from books.orders where orders.order_id = told.order_id)",
    ),
    "staging.stg_sales__return_lines": (
        "source_system varchar, return_line_id varchar, original_line_id varchar, customer_ref varchar, "
        f"business_date date, net_amount {MONEY}, cost_amount {MONEY}, currency varchar, batch_id varchar, "
        f"source_line bigint, {KNOWN}",
        "business_date",
    ),
    "staging.stg_finance__fx_rates": (
        "from_ccy varchar, to_ccy varchar, rate_date date, rate decimal(18, 8), rate_kind varchar, "
        f"source_system varchar, batch_id varchar, {KNOWN}",
        "rate_date",
    ),
}
EMPTY = {
    "staging.stg_run__builds": "known_at timestamptz, as_of_date date, as_of_known_at timestamptz",
    "staging.stg_crm__activities": f"source_system varchar, account_id varchar, business_date date, {KNOWN}",
    "intermediate.int_receivables__converted": "source_system varchar, customer_ref varchar, kind varchar, "
    f"event_date date, issued_date date, due_date date, amount {MONEY}, uncounted_reason varchar, {KNOWN}",
    "intermediate.int_opportunities__converted": "source_system varchar, account_id varchar, opened_date date, "
    f"amount {MONEY}, uncounted_reason varchar, {KNOWN}",
    "intermediate.int_relation_days": "event_date date, window_date date, effective_from timestamptz",
}
IDENTITY = (
    "source_system varchar, source_id varchar, customer_id varchar, kind varchar, first_known_at timestamptz, "
    "valid_from date, valid_to date"
)
POLICY = """
    create table policy.policy_windows as select 'p' as policy_version, 365 as window_days;
    create table policy.policy_order_statuses as
    select 'p' as policy_version, unnest(['open', 'cancelled']) as status, unnest([true, false]) as is_counted;
    create table intermediate.int_policy__in_force as
    select as_of_date, 'p' as policy_version, is_release_date, 'CNY' as reporting_currency, 10 as fx_max_age_days
    from run.run_dates where false;
    create view intermediate.int_customers__touched as
    select distinct customer_id from intermediate.int_customers__identity;
"""
MODELS = (
    *("stg_run__dates", "stg_run__cutoffs", "int_fx_rates__daily", "int_orders__counted", "int_order_lines__converted"),
    *("int_returns__converted", "int_account_events__unioned", "int_account_days", "int_run_days__resolved"),
    *("int_run_dates__ordered", "int_customers__population", "int_customer_days", "int_customers__purchased"),
    *("int_customers__features", "int_customers__panel"),
)


@dataclass(frozen=True)
class Copy:
    """How much of the books a copy holds: what happened before ``ends``, or all with what happened from then on
    dealt to others; what was known by the end of ``last``, the last date of the run."""

    ends: date | None = None
    is_dealt: bool = False
    last: date = DATES[-1]


class Books:
    """A build file in memory. ``compiled``: the SQL of every model by its unique id."""

    def __init__(self, compiled: Mapping[str, str]) -> None:
        self.statements = {model: compiled[f"model.tiering.{model}"] for model in MODELS}
        self.db = duckdb.connect()
        self.db.execute("set timezone = 'UTC'; set threads = 1; attach ':memory:' as warehouse; use warehouse")
        for schema in ("run", "staging", "intermediate", "policy", "books"):
            self.db.execute(f"create schema {schema}")
        for table in ("run_dates", "run_cutoffs"):
            self.db.execute(f"create table run.{table} ({RUN_TABLES[table]})")
        for table, columns in EMPTY.items():
            self.db.execute(f"create table {table} ({columns})")
        self.db.execute(f"create table books.identity ({IDENTITY}); create table intermediate.int_customers__identity "
                        f"({IDENTITY})")  # fmt: skip
        self.db.execute(POLICY)
        written = _written(random.Random(20251231))
        for table, (columns, _) in GIVEN.items():
            self.db.execute(f"create table books.{_short(table)} ({columns})")
            self._fill(f"books.{_short(table)}", written[_short(table)])
        self._fill("books.identity", written["identity"])

    def told(self, copy: Copy, edits: Sequence[tuple[str, str, str]] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Features of the run's dates and the panel of the date that trains, from a copy of the books.

        ``edits``: model, the text that stands in its SQL, and what stands there instead.
        """
        statements = dict(self.statements)
        for model, old, new in edits:
            assert old in statements[model], f"{model} has no {old!r}"
            statements[model] = statements[model].replace(old, new)
        self._copy(copy)
        for model in MODELS:
            schema = "staging" if model.startswith("stg_") else "intermediate"
            self.db.execute(f"create or replace table {schema}.{model} as {statements[model]}")
        features = self.db.execute("from intermediate.int_customers__features order by as_of_date, customer_id").df()
        panel = self.db.execute("from intermediate.int_customers__panel order by cutoff_date, customer_id").df()
        return features, panel

    def _copy(self, copy: Copy) -> None:
        dates, known = [day for day in DATES if day <= copy.last], known_at(copy.last)
        self._fill("run.run_dates", [(day, known_at(day), "p", "m", day == dates[-1], "r") for day in dates])
        limits = [None, *(LIMIT for _ in CUTOFFS[1:])]
        cutoffs = [(TRAINS, cutoff, limit) for cutoff, limit in zip(CUTOFFS, limits, strict=True)]
        self._fill("run.run_cutoffs", cutoffs if TRAINS in dates else [])
        self._fill("intermediate.int_policy__in_force", [(day, "p", day == dates[-1], "CNY", 10) for day in dates])
        self.db.execute(
            "create or replace table intermediate.int_customers__identity as select * replace (case when valid_to > "
            "$last then date '9999-12-31' else valid_to end as valid_to) from books.identity where valid_from <= $last",
            {"last": copy.last},
        )
        for table, (_, day) in GIVEN.items():
            later = f"{day} >= date '{copy.ends or ENDLESS}'"
            self.db.execute(
                f"create or replace table {table} as select * replace (case when known_to > $known then $ever "
                f"else known_to end as known_to) from books.{_short(table)} as told where known_from "
                f"<= $known {'' if copy.is_dealt else f'and not {later}'}",
                {"known": known, "ever": EVER},
            )
            if copy.is_dealt:
                self._deal(table, later)

    def _deal(self, table: str, later: str) -> None:
        """Amounts and accounts of what is later, each to the next in an order that has nothing to do with them."""
        columns = [name for name in ("customer_ref", "net_amount", "cost_amount", "rate") if name in GIVEN[table][0]]
        key = "rate_date" if "fx" in table else "batch_id, source_line"
        dealt = ", ".join(
            f"case when is_later then coalesce(lead({name}) over dealing, first_value({name}) over dealing) "
            f"else {name} end as {name}"
            for name in columns
        )
        self.db.execute(
            f"create or replace table {table} as select * exclude (is_later) replace ({dealt}) from (select *, {later} "
            f"as is_later from {table} as told) window dealing as (partition by is_later order by "
            f"md5(concat({key})), known_from rows between unbounded preceding and unbounded following)"
        )

    def _fill(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self.db.execute(f"delete from {table}")
        if rows:
            frame = pd.DataFrame(rows).astype(object)
            self.db.register("rows", frame.where(frame.notna(), None))
            self.db.execute(f"insert into {table} from rows")
            self.db.unregister("rows")


def known_at(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(6), tzinfo=UTC)


def _short(table: str) -> str:
    return table.rpartition("__")[2]


def _written(chance: random.Random) -> dict[str, list[tuple[Any, ...]]]:
    """Forty accounts and their year. Every tenth order comes late and another before its day, every sixth line is
    restated, every tenth order is cancelled, every fifth line comes back; rates of the week are known a day after or
    weeks late, some corrected."""
    orders, lines, returns, rates = [], [], [], []
    placed = [(account, FIRST + timedelta(days=chance.randrange(DAYS))) for account in range(40) for _ in range(12)]
    placed += [(account, cutoff) for cutoff in (*CUTOFFS, *DATES) for account in chance.sample(range(40), 4)]
    for nth, (account, day) in enumerate(placed):
        known = _known(day, {0: chance.randint(10, 60), 7: -4}.get(nth % 10, 0))
        currency = chance.choice(["CNY", "CNY", "USD"])
        order = ("s", f"o{nth:04}", f"a{account:02}", day, "open", "shop", "e", currency)
        cancelled = known + timedelta(days=chance.randint(5, 90)) if nth % 10 == 5 else EVER
        orders.append((*order, "b", len(orders), known, cancelled))
        if cancelled < EVER:
            orders.append((*order[:4], "cancelled", *order[5:], "b", len(orders), cancelled, EVER))
        restated = known + timedelta(days=chance.randint(5, 90)) if nth % 6 == 0 else EVER
        net, cost = chance.randrange(20, 900), None if nth % 6 == 0 else chance.randrange(5, 20)
        line = ("s", f"l{nth:04}", f"o{nth:04}", "p", 1)
        lines.append((*line, net + 1, 1, net, cost, "b", len(lines), known, restated))
        if restated < EVER:
            lines.append((*line, net + 8, 1, net + 7, chance.randrange(5, 20), "b", len(lines), restated, EVER))
        if nth % 5 == 3:
            back = day + timedelta(days=chance.randint(10, 90))
            amounts = (-net / 2, None if cost is None else -cost / 2)
            told = ("s", f"r{nth:04}", line[1], order[2], back, *amounts, currency)
            returns.append((*told, "b", len(returns), _known(back), EVER))
    for week in range(DAYS // 7 + 1):
        day = FIRST + timedelta(days=7 * week)
        known = _known(day, 20 if week % 9 == 4 else 0)
        corrected = known + timedelta(days=30) if week % 4 == 2 else EVER
        rate = ("USD", "CNY", day, round(7 + chance.random(), 4), "spot", "f")
        rates.append((*rate, "b", known, corrected))
        if corrected < EVER:
            rates.append((*rate[:3], round(7 + chance.random(), 4), *rate[4:], "b", corrected, EVER))
    books = {"orders": orders, "order_lines": lines, "return_lines": returns, "fx_rates": rates}
    return books | {"identity": _accounts()}


def _known(day: date, late: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=1 + late), time(3), tzinfo=UTC)


def _accounts() -> list[tuple[Any, ...]]:
    """Most are there from the start, five come with each later date; on the third and on the last some merge. One is
    the company itself."""
    told: list[tuple[Any, ...]] = []
    for account in range(40):
        came = DATES[max(0, account - 24) // 5]
        merges = {36: DATES[2], 37: DATES[2], 5: DATES[2], 6: DATES[3], 38: DATES[3]}.get(account, ENDLESS)
        told.append((account, f"c{account:02}", came, merges))
        if merges < ENDLESS:
            told.append((account, f"c{account % 4:02}", merges, ENDLESS))
    return [
        ("s", f"a{nth:02}", customer, "internal" if nth == 9 else "person", known_at(first), first, last)
        for nth, customer, first, last in told
        if first < last
    ]
