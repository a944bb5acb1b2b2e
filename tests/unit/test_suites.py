"""What the suites of contract tables and of published marts let through and what they stop."""

from __future__ import annotations

import pytest
import yaml

from data_quality.drift import MIX_OF, SUM_OF
from data_quality.rules import Between, NotNull
from data_quality.suites.candidates import CROSS_FIELD_RULES, contract_suite
from data_quality.suites.marts import mart_suites
from data_quality.thresholds import load_thresholds
from data_quality.validate import Subject, validate
from orchestration.extract.contract import load_contract
from orchestration.settings import DBT_PROJECT


def test_a_contract_suite_follows_the_table_and_every_hand_written_rule_has_a_table() -> None:
    suites = {table.name: contract_suite(table) for table in load_contract().tables}
    assert set(CROSS_FIELD_RULES) <= set(suites)
    assert [rule.name for rule in suites["finance.payment_allocation"]] == [
        "columns_are_as_promised",
        "batch_id_payment_id_invoice_id_is_unique",
        *(f"{column}_is_not_null" for column in ("payment_id", "invoice_id", "amount", "applied_date")),
        "amount_is_not_zero",
    ]
    return_line = {rule.name: rule for rule in suites["sales.return_line"]}
    assert return_line["customer_ref_is_not_null"] == NotNull("customer_ref", severity="warning")
    assert return_line["net_amount_is_within_bounds"] == Between("net_amount", maximum=0)


@pytest.mark.parametrize(("code", "status"), [("CNY", "pass"), (None, "pass"), ("cny", "warn"), ("RMB¥", "warn")])
def test_a_currency_that_is_no_code_is_warned_of(code: str | None, status: str) -> None:
    suite = contract_suite(load_contract().table("finance.payment"))
    rule = next(rule for rule in suite if rule.name == "currency_is_written_as_in_iso_4217")
    value = "null" if code is None else f"'{code}'"
    (verdict,) = validate([Subject("payments", f"select cast({value} as varchar) as currency", (rule,))])
    assert (verdict.status, verdict.blocks) == (status, False)


def test_every_contract_table_is_judged_in_one_go_and_an_empty_delivery_passes() -> None:
    def empty(columns: dict[str, str]) -> str:
        return f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in columns.items())} where false"

    tables = load_contract().tables
    verdicts = validate([Subject(table.name, empty(table.raw_columns), contract_suite(table)) for table in tables])
    assert {(verdict.subject, verdict.status) for verdict in verdicts} == {(table.name, "pass") for table in tables}


# Per table: the columns that its hand-written rules read, a sound row, then one row to break each rule in turn.
AT = "timestamptz '2025-01-01 01:00:00Z'"
NEXT_DAY = "timestamptz '2025-01-02 00:00:00Z'"
VALID, ENDED = "date '2025-01-01', date '2025-01-02'", "date '2025-01-01', date '2025-01-01'"
CROSS_FIELD_CASES = {
    "crm.account": (
        "account_id, parent_account_id, referred_by_account_id, created_at, extracted_at, credit_limit, "
        "annual_revenue, total_assets, currency",
        f"'a', 'b', 'c', {AT}, {AT}, 10, null, null, 'CNY'",
        f"'a', null, null, {NEXT_DAY}, {AT}, null, null, null, null",
        f"'a', 'a', null, {AT}, {AT}, null, null, null, null",
        f"'a', 'b', 'a', {AT}, {AT}, null, null, null, null",
        f"'a', null, null, {AT}, {AT}, null, null, 10, null",
    ),
    "crm.account_identity": ("valid_from, valid_to", VALID, ENDED),
    "crm.lead": (
        "created_at, next_followup_at, met_at, extracted_at",
        f"{AT}, {NEXT_DAY}, {AT}, {AT}",
        f"{NEXT_DAY}, null, null, {AT}",
        f"{NEXT_DAY}, {AT}, null, {NEXT_DAY}",
        f"{NEXT_DAY}, null, {AT}, {NEXT_DAY}",
    ),
    "crm.opportunity": (
        "is_won, is_closed, created_at, extracted_at, business_date, amount, currency, close_date, lost_reason",
        f"true, true, {AT}, {AT}, date '2025-01-01', 10, 'CNY', date '2025-01-01', null",
        f"true, false, {AT}, {AT}, date '2025-01-01', 10, 'CNY', date '2025-01-01', null",
        f"true, true, {AT}, {AT}, date '2025-01-03', 10, 'CNY', date '2025-01-03', null",
        f"true, true, {NEXT_DAY}, {AT}, date '2025-01-02', 10, 'CNY', date '2025-01-02', null",
        f"true, true, {AT}, {AT}, date '2025-01-01', 10, null, date '2025-01-01', null",
        f"true, true, {AT}, {AT}, date '2025-01-01', 10, 'CNY', date '2024-12-31', null",
        f"true, true, {AT}, {AT}, date '2025-01-01', 10, 'CNY', date '2025-01-01', 'price'",
    ),
    "crm.activity": (
        "occurred_at, business_date, extracted_at",
        f"timestamptz '2025-01-01 23:00:00Z', date '2025-01-02', {NEXT_DAY}",
        f"timestamptz '2025-01-01 23:00:00Z', date '2025-01-03', {NEXT_DAY}",
        f"timestamptz '2025-01-01 23:00:00Z', date '2025-01-02', {AT}",
    ),
    "sales.customer": ("created_at, extracted_at", f"{AT}, {AT}", f"{NEXT_DAY}, {AT}"),
    "sales.order": (
        "ordered_at, business_date, extracted_at, delivered_date, promised_date",
        f"{AT}, date '2024-12-31', {AT}, date '2025-01-01', null",
        f"{AT}, date '2024-12-30', {AT}, null, date '2024-12-30'",
        f"{NEXT_DAY}, date '2025-01-02', {AT}, null, null",
        f"{AT}, date '2025-01-01', {AT}, date '2024-12-31', null",
        f"{AT}, date '2025-01-01', {AT}, null, date '2024-12-31'",
    ),
    "sales.order_line": (
        "gross_amount, discount_amount, net_amount, quantity, cost_amount",
        "100.0, 10.0, 90.0, 1, 0",
        "100.0, 10.0, 90.01, 1, null",
        "100.0, 10.0, 90.0, 0, 1",
        "0.0, 0.0, 0.0, 1, 1",
        "100.0, 100.1, -0.1, 1, 1",
        "100.0, 10.0, 90.0, 1, -1",
    ),
    "sales.return_line": (
        "returned_at, business_date, extracted_at",
        f"{AT}, date '2025-01-01', {AT}",
        f"{AT}, date '2024-01-01', {AT}",
        f"{NEXT_DAY}, date '2025-01-02', {AT}",
    ),
    "sales.contract": (
        "contract_id, renewed_by_contract_id, start_date, end_date, cancelled_at, cancel_reason",
        f"'a', 'b', {VALID}, {AT}, 'price'",
        f"'a', 'a', {VALID}, null, null",
        "'a', 'b', date '2025-01-02', date '2025-01-01', null, null",
        f"'a', 'b', {VALID}, null, 'price'",
    ),
    "sales.target": ("period", "'2025-Q4'", "'2025-Q5'"),
    "finance.customer": ("credit_limit, currency", "10, 'CNY'", "10, null"),
    "finance.invoice": (
        "issued_date, due_date, total_amount, tax_amount",
        "date '2025-01-02', date '2025-01-02', 113, 13",
        "date '2025-01-02', date '2025-01-01', 113, null",
        "date '2025-01-02', date '2025-01-02', 113, 113.1",
    ),
    "finance.payment": ("amount, unapplied_amount", "-10, -10", "10, 10.01"),
    "finance.payment_allocation": ("amount", "1", "0"),
    "finance.fx_rate": (
        "from_ccy, to_ccy, rate",
        "'CNY', 'CNY', 1",
        "'USD', 'CNY', 0",
        "'CNY', 'CNY', 1.01",
    ),
    "finance.cost_to_serve": ("period", "'2025-12'", "'2025-13'"),
    "finance.control_total": ("period", "'2025'", "'25'"),
    "service.case": (
        "opened_at, business_date, extracted_at, first_response_at, closed_at",
        f"{AT}, date '2025-01-01', {AT}, {AT}, {NEXT_DAY}",
        f"{AT}, date '2025-01-03', {AT}, null, null",
        f"{NEXT_DAY}, date '2025-01-02', {AT}, null, null",
        f"{NEXT_DAY}, date '2025-01-02', {NEXT_DAY}, {AT}, null",
        f"{NEXT_DAY}, date '2025-01-02', {NEXT_DAY}, null, {AT}",
    ),
    "survey.response": (
        "asked_at, business_date, answered_at, score, scale_min, scale_max",
        f"{AT}, date '2025-01-01', {AT}, 10, 0, 10",
        f"{AT}, date '2025-01-03', null, null, 0, 10",
        f"{AT}, date '2025-01-01', {AT}, 11, 0, 10",
        f"{AT}, date '2025-01-01', null, 10, 0, 10",
        f"{NEXT_DAY}, date '2025-01-01', {AT}, null, null, null",
    ),
    "marketing.touch": (
        "sent_at, business_date, cost, currency, is_holdout, delivered, opened, clicked",
        f"{AT}, date '2025-01-01', 1, 'CNY', true, false, null, null",
        f"{AT}, date '2025-01-03', null, null, false, true, true, true",
        f"{AT}, date '2025-01-01', 1, null, null, true, true, true",
        f"{AT}, date '2025-01-01', null, null, true, null, true, null",
    ),
    "marketing.event": ("registered_at, business_date", f"{AT}, date '2025-01-01'", f"{AT}, date '2025-01-03'"),
    "privacy.consent": ("decided_at, extracted_at", f"{AT}, {AT}", f"{NEXT_DAY}, {AT}"),
    "loyalty.ledger": (
        "occurred_at, business_date, extracted_at, expires_at",
        f"{AT}, date '2025-01-01', {AT}, {NEXT_DAY}",
        f"{AT}, date '2025-01-03', {AT}, null",
        f"{NEXT_DAY}, date '2025-01-02', {AT}, null",
        f"{NEXT_DAY}, date '2025-01-02', {NEXT_DAY}, {AT}",
    ),
    "enrich.industry": ("period", "'2025-Q1'", "'2025Q1'"),
    "reference.override": (
        "valid_from, valid_to, floor_tier, ceiling_tier",
        f"{VALID}, 'A', null",
        f"{ENDED}, 'A', 'A'",
        f"{VALID}, null, null",
    ),
    "reference.identity_decision": (
        "action, right_system, right_ref, decided_at, extracted_at",
        f"'exclude', null, null, {AT}, {AT}",
        f"'bind', 'erp', null, {AT}, {AT}",
        f"'bind', 'erp', 'a', {NEXT_DAY}, {AT}",
    ),
}


def test_each_hand_written_rule_is_broken_by_its_row_and_by_no_other() -> None:
    assert set(CROSS_FIELD_CASES) == set(CROSS_FIELD_RULES)
    subjects, broken = [], []
    for table, (columns, sound, *rows) in CROSS_FIELD_CASES.items():
        suite = CROSS_FIELD_RULES[table]
        assert len(rows) == len(suite)
        values = ", ".join(
            f"('{batch}', {row})"
            for batch, row in zip(("sound", *(r.name for r in suite)), (sound, *rows), strict=True)
        )
        subjects.append(Subject(table, f"select * from (values {values}) v(batch_id, {columns})", suite))
        broken += [(table, "warn" if rule.severity == "warning" else "fail", (rule.name,)) for rule in suite]
    assert [(verdict.subject, verdict.status, verdict.batch_ids) for verdict in validate(subjects)] == broken


def test_every_published_mart_has_a_suite_and_every_threshold_a_mart_and_columns_of_it() -> None:
    """The models' files say which marts there are and which columns they have."""
    files = (DBT_PROJECT / "models" / "marts").glob("*/_*.yml")
    models = [model for file in files for model in yaml.safe_load(file.read_text()).get("models", [])]
    marts = {model["name"]: {column["name"] for column in model["columns"]} for model in models}
    assert set(marts) == {file.stem for file in (DBT_PROJECT / "models" / "marts").glob("*/*.sql")}
    assert set(mart_suites()) == set(marts)
    assert all(mart_suites().values())
    tables = {table.name for table in load_contract().tables}
    for row in load_thresholds().rows:
        assert row.subject == "*" or row.subject in (marts if row.scope == "release" else tables), row
        for prefix in (SUM_OF, MIX_OF):
            if row.measure.startswith(prefix):
                assert set(row.measure.removeprefix(prefix).split("_and_")) <= marts[row.subject], row


def test_a_mart_suite_fails_what_a_reader_may_not_meet() -> None:
    tiers = (
        "select * from (values ('c1', 1, 'A', 101), ('c1', 1, null, 50)) v(customer_id, as_of_date, tier, tier_score)"
    )
    indicators = (
        "select -1 as order_count_365d, -1 as recency_days, 1.5 as return_rate_365d, "
        "1.5 as purchase_stability_rate_365d, -1 as days_to_pay_p50_730d, -1 as whitespace_category_count, "
        "1.5 as campaign_response_rate_365d, 1.5 as renewal_rate_730d"
    )
    suites = mart_suites()
    names = ("customer_tiers", "customer_indicators")
    verdicts = validate(
        [Subject(name, sql, suites[name]) for name, sql in zip(names, (tiers, indicators), strict=True)]
    )
    assert [verdict.status for verdict in verdicts] == [
        *("pass", "fail", "fail", "fail", "fail", "fail", "warn"),
        *("fail", "fail", "fail", "fail", "fail"),
    ]
