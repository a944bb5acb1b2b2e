"""Promises of the figures that no dossier computes again: those of persons and balances, which nobody may read there,
and those that only other customers' rows tell. Of every customer, against plain Python over the rows known that day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
import pytest
from installation import Published

Row = dict[str, Any]
STAGED = ("crm__persons", "crm__accounts", "privacy__consents", "finance__balance_dailies", "finance__fx_rates")


class Known:
    """The rows known at the last instant of the release's day, and whose each account is."""

    def __init__(self, build: duckdb.DuckDBPyConnection) -> None:
        self.build = build
        [run] = self.rows("from run.run_dates where is_release_date")
        self.day: date = run["as_of_date"]
        at = f"known_from <= '{run['known_at'].isoformat()}' and known_to > '{run['known_at'].isoformat()}'"
        self.staged = {name: self.rows(f"from staging.stg_{name} where {at}") for name in (*STAGED, "sales__products")}
        self.lines = self.rows(f"from intermediate.int_order_lines__converted where is_counted and {at}")
        self.kinds = {row["product_kind"]: row for row in self.rows("from policy.policy_balance_kinds")}
        self.parameters = {row["parameter"]: int(row["value"]) for row in self.rows("from policy.policy_parameters")}
        self.customer_of = {
            (row["source_system"], row["source_id"]): row["customer_id"]
            for row in self.rows("from intermediate.int_customers__identity")
            if row["valid_from"] <= self.day < row["valid_to"]
        }

    def rows(self, query: str) -> list[Row]:
        found = self.build.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def computed(self, table: str) -> dict[str, Row]:
        return {row["customer_id"]: row for row in self.rows(f"from {table} where as_of_date = '{self.day}'")}


@pytest.fixture(scope="module")
def known(published_home: Published) -> Iterator[Known]:
    with duckdb.connect(str(published_home.settings.warehouse), read_only=True) as build:
        build.execute("set timezone = 'UTC'")
        yield Known(build)


def who_agrees(known: Known, purpose: str) -> set[str]:
    """Customers one of whose subjects agrees by its newest word, while none refuses."""
    account_of = {(row["source_system"], row["person_id"]): row["account_id"] for row in known.staged["crm__persons"]}
    words: dict[str, dict[tuple[str, ...], list[tuple[Any, bool]]]] = defaultdict(lambda: defaultdict(list))
    for row in known.staged["privacy__consents"]:
        system, subject = row["subject_system"], row["subject_id"]
        account = subject if row["subject_kind"] == "customer" else account_of.get((system, subject))
        customer = known.customer_of.get((system, account))
        if row["purpose"] == purpose and customer is not None and row["subject_kind"] in ("customer", "person"):
            words[customer][system, row["subject_kind"], subject].append((row["decided_at"], not row["is_given"]))
    return {customer for customer, said in words.items() if not any(max(told)[1] for told in said.values())}


def household_of(known: Known, person: Row, age: int | None) -> str:
    if person["marital"] in (None, "unknown") or person["children_count"] is None:
        return "unknown"
    is_married, youngest = person["marital"] == "married", person["youngest_child_age"]
    if person["children_count"] > 0:
        if youngest is not None and youngest >= known.parameters["household_grown_years"]:
            return "empty_nest"
        if not is_married:
            return "single_parent"
        is_baby = youngest is not None and youngest < known.parameters["household_baby_years"]
        return "couple_with_baby" if is_baby else "family"
    if not is_married:
        return "single"
    return "empty_nest" if age is not None and age >= known.parameters["household_empty_nest_years"] else "couple"


def test_persons_speak_for_a_customer_only_to_whom_agrees(known: Known) -> None:
    first: dict[str, Row] = {}
    for person in sorted(known.staged["crm__persons"], key=lambda row: (row["source_system"], row["person_id"])):
        customer = known.customer_of.get((person["source_system"], person["account_id"]))
        if customer is not None:
            first.setdefault(customer, person)
    profiled, psychographic = who_agrees(known, "profiling"), who_agrees(known, "psychographic")
    computed = known.computed("intermediate.int_customers__private")
    told = ("age_years", "household_stage", "income_band", "lifestyle")
    assert profiled - psychographic, "the demo has nobody who agrees to one purpose only"
    stages = set()
    for customer, row in computed.items():
        expected: Row = dict.fromkeys(told)
        if person := first.get(customer):
            age = known.day.year - person["birth_year"] if person["birth_year"] else None
            if customer in profiled:
                household = household_of(known, person, age)
                expected |= {"age_years": age, "household_stage": household, "income_band": person["income_band"]}
                stages.add(household)
            if customer in psychographic and person["lifestyle_tags"]:
                expected["lifestyle"] = person["lifestyle_tags"].split("|")[0].strip() or None
        assert {name: row[name] for name in told} == expected, customer
    assert stages >= {"single", "couple", "family", "single_parent", "empty_nest", "unknown"}
    assert first.keys() & (profiled | psychographic) <= computed.keys()


def test_balances_are_averaged_over_the_days_of_the_last_whole_month(known: Known) -> None:
    after = (known.day + timedelta(days=1)).replace(day=1)
    start = (after - timedelta(days=1)).replace(day=1)
    spot = {
        (row["from_ccy"], row["rate_date"]): row["rate"]
        for row in known.staged["finance__fx_rates"]
        if row["rate_kind"] == "spot"
    }
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    held: dict[str, dict[str, set[tuple[str, ...]]]] = defaultdict(lambda: defaultdict(set))
    for row in known.staged["finance__balance_dailies"]:
        customer = known.customer_of.get((row["source_system"], row["customer_ref"]))
        if customer is None or not start <= row["balance_date"] < after:
            continue
        days = (row["balance_date"] - timedelta(days=age) for age in range(8))
        rates = [spot[row["currency"], day] for day in days if (row["currency"], day) in spot]
        rate = Decimal(1) if row["currency"] == "CNY" else rates[0]
        sums[customer][row["product_kind"]] += fourth(row["balance"] * rate)
        if row["balance"] > 0:
            place = (row["source_system"], row["customer_ref"], row["currency"])
            held[customer][row["product_kind"]].add(place)
    days_in_month = (after - start).days
    profiled = who_agrees(known, "profiling")
    computed = known.computed("intermediate.int_customers__private")
    assert len(sums.keys() & profiled) >= 3
    for customer in sums.keys() & profiled:
        wealth = [kind for kind in sums[customer] if known.kinds[kind]["is_wealth"]]
        loans = [kind for kind in sums[customer] if known.kinds[kind]["is_loan"]]
        average = {kind: fourth(amount / days_in_month) for kind, amount in sums[customer].items()}
        earned = {
            kind: fourth(amount * known.kinds[kind]["earning_rate"] / days_in_month / 12)
            for kind, amount in sums[customer].items()
        }
        held_loans = sum(len(held[customer][kind]) for kind in loans)
        expected = {
            "wealth_amount": sum(average[kind] for kind in wealth),
            "wealth_loan_amount": sum(average[kind] for kind in (*wealth, *loans)),
            "product_count": sum(bool(held[customer][kind]) for kind in wealth),
            "loan_count": held_loans,
            "bank_profit_amount": sum(earned.values()),
            "has_loan": "true" if held_loans else "false",
        }
        assert {name: computed[customer][name] for name in expected} == expected, customer


def test_recommended_customers_and_categories_not_bought_are_told_by_others(known: Known) -> None:
    recommended: dict[str, set[str]] = defaultdict(set)
    for row in known.staged["crm__accounts"]:
        system = row["source_system"]
        by, who = (known.customer_of.get((system, row[name])) for name in ("referred_by_account_id", "account_id"))
        if by is not None and who is not None and by != who:
            recommended[by].add(who)
    category = {
        (row["source_system"], row["product_id"]): row["category_l1"] for row in known.staged["sales__products"]
    }
    year = known.day - timedelta(days=365)
    bought: dict[str | None, set[str]] = defaultdict(set)
    for line in known.lines:
        name = category.get((line["source_system"], line["product_id"]))
        if name is not None and year < line["order_date"] <= known.day:
            bought[known.customer_of.get((line["source_system"], line["customer_ref"]))].add(name)
    offered = set().union(*bought.values())
    published = known.computed("customer.customer_indicators")
    assert sum(map(len, recommended.values())) >= 10
    for customer, row in published.items():
        found = (row["referred_customer_count"], row["category_count_365d"], row["whitespace_category_count"])
        own = len(bought[customer])
        assert found == (len(recommended[customer]), own, len(offered) - own), customer


def fourth(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
