"""Promises of the contract: it is whole, what is generated from it agrees with it, and a file of any table lands."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
import yaml
from installation import KEY, rows, settings_of

from data_quality.rules import Between, InSet, NotNull, Unique
from data_quality.suites.candidates import contract_suite
from orchestration.extract import dbt_yaml, landing
from orchestration.extract.contract import CONTRACT_FILE, SQL_TYPES, Column, ContractError, Table, load_contract
from orchestration.extract.manifest import Batch
from orchestration.extract.registry import load_registry
from orchestration.extract.vault import Pseudonymiser
from orchestration.settings import Settings

CONTRACT = load_contract()
TABLES = {table.name: table for table in CONTRACT.tables}
CODE_OF_A_CUSTOMER = "customer_system customer_ref"

# Every table that customer tiering reads, and what it must at least be able to say.
PROMISED = {
    "crm.account": "account_id account_name account_kind parent_account_id referred_by_account_id owner_id created_at "
    "lifecycle_source industry_code org_type employee_count annual_revenue total_assets currency country region city "
    "city_tier tax_id strategic_flag influence_rating price_sensitivity_declared quality_demand_declared "
    "brand_preference_declared default_payment_terms_days credit_limit customer_profit_state customer_profit_trend",
    "crm.person": "person_id account_id birth_year gender marital children_count youngest_child_age income_band "
    "education occupation lifestyle_tags",
    "crm.contact": "contact_id account_id full_name email phone role decision_role",
    "crm.account_identity": "account_id id_type id_value valid_from valid_to",
    "crm.opportunity": "opportunity_id account_id stage is_won is_closed amount currency probability created_at "
    "close_date lost_reason lost_to_competitor lead_source product_line",
    "crm.activity": "activity_id account_id contact_id kind direction occurred_at duration_s owner_id",
    "crm.lead": "lead_id account_id created_at grade_declared status outcome has_budget met_at last_contact_at "
    "next_followup_at",
    "crm.owner": "owner_id team_id level capacity_hours_week active",
    "sales.customer": "customer_ref customer_name tax_id code country crm_account_ref kind created_at",
    "sales.order": "order_id customer_ref ordered_at business_date processed_at status channel entity_id currency "
    "promised_date delivered_date",
    "sales.order_line": "line_id order_id product_id quantity gross_amount discount_amount net_amount tax_amount "
    "cost_amount cost_basis",
    "sales.return_line": "return_line_id original_line_id customer_ref returned_at business_date quantity net_amount "
    "reason restocked",
    "sales.product": "product_id category_l1 category_l2 brand product_line uom active",
    "sales.contract": "contract_id customer_ref start_date end_date renewed_by_contract_id mrr currency cancelled_at "
    "cancel_reason",
    "sales.target": "owner_id tier period amount currency",
    "finance.customer": "customer_ref customer_name tax_id code country sales_customer_ref payment_terms_days "
    "credit_limit currency",
    "finance.invoice": "invoice_id customer_ref order_id issued_date due_date currency total_amount tax_amount status "
    "is_opening_balance",
    "finance.credit_note": "note_id customer_ref invoice_id issued_date amount reason",
    "finance.payment": "payment_id customer_ref received_date amount currency method is_refund unapplied_amount",
    "finance.payment_allocation": "payment_id invoice_id amount applied_date",
    "finance.writeoff": "invoice_id writeoff_date amount currency",
    "finance.cost_to_serve": "customer_ref period cost_type amount currency allocation_rule",
    "finance.fx_rate": "from_ccy to_ccy rate_date rate rate_kind source",
    "finance.calendar": "entity_id calendar_date fiscal_year fiscal_quarter fiscal_month fiscal_week is_close",
    "finance.balance_daily": "customer_ref balance_date product_kind balance currency",
    "finance.control_total": "period entity_id measure amount currency",
    "service.case": f"case_id {CODE_OF_A_CUSTOMER} opened_at first_response_at closed_at kind severity category "
    "reopened_count satisfaction",
    "survey.response": f"response_id survey_id {CODE_OF_A_CUSTOMER} asked_at answered_at metric score scale_min "
    "scale_max",
    "marketing.touch": f"touch_id {CODE_OF_A_CUSTOMER} campaign_id channel sent_at delivered opened clicked converted "
    "unsubscribed cost currency is_holdout",
    "marketing.event": f"event_id {CODE_OF_A_CUSTOMER} kind registered_at attended",
    "privacy.consent": "subject_system subject_id purpose given decided_at source",
    "loyalty.ledger": f"entry_id {CODE_OF_A_CUSTOMER} occurred_at points reason expires_at order_id",
    "enrich.industry": "industry_code period growth_rate source",
    "reference.override": f"override_id {CODE_OF_A_CUSTOMER} scheme floor_tier ceiling_tier reason approved_by "
    "valid_from valid_to",
    "reference.identity_decision": "decision_id action left_system left_ref right_system right_ref decided_by "
    "decided_at evidence",
    "reference.entity": "entity_id name timezone base_currency country",
}
# Money whose currency another table names.
CURRENCY_ELSEWHERE = {"sales.order_line": "sales.order", "finance.payment_allocation": "finance.invoice"}


def test_every_table_and_column_that_was_promised_is_there() -> None:
    assert set(TABLES) == set(PROMISED)
    missing = {
        name: found
        for name, columns in PROMISED.items()
        if (found := set(columns.split()) - {column.name for column in TABLES[name].columns})
    }
    assert missing == {}


def test_the_version_is_semver() -> None:
    assert re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", CONTRACT.version)


@pytest.mark.parametrize("table", CONTRACT.tables, ids=lambda table: table.name)
def test_a_table_says_what_a_row_is_and_what_each_column_means(table: Table) -> None:
    assert table.grain.startswith("One row per ")
    assert all(len(column.description.split()) > 0 for column in table.columns)
    required = {column.name for column in table.columns if column.is_required}
    assert set(table.key) <= required, "a record without its key cannot be told from another"
    kinds = {column.kind for column in table.columns}
    assert "money" not in kinds or "currency" in kinds or table.name in CURRENCY_ELSEWHERE
    instants = {f"Local date of {column.name}" for column in table.columns if column.kind == "timestamp"}
    days = {column.description for column in table.columns if column.name == "business_date"}
    assert days <= instants


def test_what_is_said_of_a_persons_life_names_the_consent_it_needs() -> None:
    (purpose,) = (column for column in TABLES["privacy.consent"].columns if column.name == "purpose")
    sensitive = [column for table in CONTRACT.tables for column in table.columns if column.pii == "P3"]
    of_persons = [column for column in TABLES["crm.person"].columns if column.name not in ("person_id", "account_id")]
    assert all(column.pii == "P3" and column.consent_purpose for column in of_persons)
    assert {column.consent_purpose for column in sensitive} - {None} <= set(purpose.values)
    asked = [column for table in CONTRACT.tables for column in table.columns if column.consent_purpose]
    assert [column.name for column in asked if column not in sensitive] == []


def test_the_contract_is_read_only_where_it_says_what_a_column_is(tmp_path: Path) -> None:
    for wrong in (
        {"key": ["b"]},
        {"columns": {"a": ["number", "R", "P0", "x"]}},
        {"columns": {"a": ["text", "X", "P0", "x"]}},
        {"columns": {"a": ["text", "R", "P9", "x"]}},
        {"columns": {"a": ["text", "R", "P0", "x", {"maximum": 1}]}},
        {"control_amount": "a"},
        {"event_date": "a"},
    ):
        table = {"grain": "x", "key": ["a"], "columns": {"a": ["text", "R", "P0", "x"]}} | wrong
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.yml"
        document = {"version": "1.0.0", "quarantine": {"share": 0, "records": 0}, "tables": {"crm.a": table}}
        file.write_text(yaml.safe_dump(document))
        with pytest.raises(ContractError, match=r"crm\.a"):
            load_contract(file)


# What is generated.


def test_every_file_that_dbt_reads_of_the_contract_is_as_it_would_be_generated() -> None:
    generated = dbt_yaml.dbt_files(CONTRACT)
    families = ("crm", "sales", "finance", "service", "survey", "marketing", "privacy", "enrich", "reference")
    assert {file.name for file in generated} == {"_sources.yml", *(f"_{family}.yml" for family in families)}
    for file, text in generated.items():
        assert file.read_text(encoding="utf-8") == text, "run: python -m orchestration.extract.dbt_yaml"


def test_dbt_holds_every_staging_model_to_the_contracts_types() -> None:
    models = {
        model["name"]: model
        for file in dbt_yaml.dbt_files(CONTRACT)
        if file.name != "_sources.yml"
        for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
    }
    staged = [table for table in CONTRACT.tables if dbt_yaml.staging_file(table).exists()]
    assert set(models) == {dbt_yaml.staging_file(table).stem for table in staged}
    assert all(model["config"] == {"contract": {"enforced": True}} for model in models.values())
    accounts = {column["name"]: column["data_type"] for column in models["stg_crm__accounts"]["columns"]}
    assert (accounts["is_strategic"], accounts["credit_limit"]) == ("boolean", "decimal(18,4)")


def test_a_staging_column_of_no_column_of_its_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt_yaml, "STAGING", tmp_path)
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "stg_crm__owners.sql").write_text("x\n\nselect\n    owner_id,\n    1 as size\nfrom source\n")
    with pytest.raises(ContractError, match=r"1 as size is of no column of crm\.owner"):
        dbt_yaml.dbt_files(CONTRACT)


@pytest.mark.parametrize("table", CONTRACT.tables, ids=lambda table: table.name)
def test_a_suite_has_a_rule_for_all_that_the_contract_says_of_a_column(table: Table) -> None:
    suite = contract_suite(table)
    assert Unique(("batch_id", *table.key)) in suite
    for column in table.columns:
        if column.null_policy != "O":
            severity = "error" if column.null_policy == "R" else "warning"
            assert NotNull(column.name, severity=severity) in suite
        if column.values:
            assert InSet(column.name, column.values) in suite
        if column.minimum is not None or column.maximum is not None:
            assert Between(column.name, column.minimum, column.maximum) in suite
        if column.kind == "currency":
            assert any(rule.name == f"{column.name}_is_written_as_in_iso_4217" for rule in suite)


# What lands.


def value(column: Column) -> str:
    """A value as a system might send it, within the contract."""
    if column.values:
        return column.values[0]
    plain = {
        "currency": "CNY",
        "date": "2025-01-01",
        "timestamp": "2025-01-01 08:00:00+00",
        "boolean": "true",
        "text": "2025-Q1" if column.name == "period" else f"{column.name} 1",
    }
    number = column.minimum if column.minimum is not None else min(1, column.maximum or 0)
    return plain.get(column.kind, str(number))


def land(settings: Settings, records: dict[str, list[dict[str, str]]]) -> dict[str, Batch]:
    """One file of each table, its columns called as in the contract, landed by a system of its family."""
    families: dict[str, dict[str, object]] = {}
    for name, sent in records.items():
        table = TABLES[name]
        feed = {
            "files": f"{table.entity}_{{delivery_date}}.csv",
            "format": "csv",
            "delivered": "on_change",
            "columns": {column: column for column in sent[0]},
        }
        families.setdefault(table.family, {})[table.entity] = feed
        text = io.StringIO()
        writer = csv.DictWriter(text, list(sent[0]))
        writer.writeheader()
        writer.writerows(sent)
        file = settings.landing / f"the_{table.family}" / f"{table.entity}_20250101.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.getvalue(), encoding="utf-8")
    sources = {
        f"the_{family}": {"family": family, "timezone": "Asia/Shanghai", "tables": tables}
        for family, tables in families.items()
    }
    settings.sources.write_text(f"start_date: 2025-01-01\n{yaml.safe_dump({'sources': sources})}")
    registry = load_registry(settings.sources)
    found = landing.prepare(settings, landing.pending_deliveries(settings, registry.feeds, registry.start_date))
    assert [candidate.held for candidate in found if candidate.held] == []
    batches = landing.commit(settings, found, decided_until=None)
    assert {table.name for table in landing.judged_tables(settings, registry)} == set(records)
    assert {table.name for table in landing.judged_tables(settings, None)} == set(records), "it has landed"
    return {f"{batch.family}.{batch.entity}": batch for batch in batches}


def raw(settings: Settings, batch: Batch, columns: str) -> list[tuple[object, ...]]:
    return rows(f"select {columns} from read_parquet(?)", str(settings.raw / str(batch.raw_file)))


def vault(settings: Settings, batch: Batch) -> set[tuple[object, ...]]:
    file = settings.vault / batch.family / batch.entity / f"{batch.batch_id}.parquet"
    return set(rows("select column_name, token, value from read_parquet(?)", str(file))) if file.exists() else set()


def test_a_file_of_any_table_lands_in_its_types_and_leaves_what_is_personal_in_the_vault(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    batches = land(settings, {name: [{c.name: value(c) for c in table.columns}] for name, table in TABLES.items()})
    assert set(batches) == set(TABLES)
    token = Pseudonymiser(KEY.encode()).token
    for name, batch in batches.items():
        table = TABLES[name]
        assert (batch.records, batch.accepted) == (1, 1), name
        types = rows("describe from read_parquet(?)", str(settings.raw / str(batch.raw_file)))
        wanted = {column.name: SQL_TYPES[column.kind] for column in table.columns}
        found = {row[0]: row[1].lower().replace("timestamp with time zone", "timestamptz") for row in types}
        assert wanted.items() <= found.items()
        always = [column for column in table.columns if column.pii == "P2" and column.personal_when is None]
        tokens = {(column.name, token(value(column)), value(column)) for column in always}
        assert tokens <= vault(settings, batch)
        (stands,) = raw(settings, batch, ", ".join(column.name for column in table.columns))
        assert not {said for _, _, said in vault(settings, batch)} & set(stands), name
        assert {said for _, said, _ in tokens} <= set(stands)


def test_no_key_of_a_record_shows_what_is_personal(tmp_path: Path) -> None:
    """A mark and the subject of a consent are parts of keys, and some of them are addresses."""
    settings = settings_of(tmp_path)
    mail, code = "wang@example.com", "0010023"
    marks = [
        {"account_id": "a", "id_type": kind, "id_value": said, "valid_from": "2025-01-01"}
        for kind, said in (("email", mail), ("erp_code", code))
    ]
    consents = [
        {"subject_system": "crm", "subject_kind": kind, "subject_id": said, "purpose": "marketing"}
        | {"given": "false", "decided_at": "2025-01-01 00:00:00+00"}
        for kind, said in (("email", mail), ("customer", code))
    ]
    batches = land(settings, {"crm.account_identity": marks, "privacy.consent": consents})
    token = Pseudonymiser(KEY.encode()).token(mail)
    found = raw(settings, batches["crm.account_identity"], "id_value, source_record_id")
    assert found == [
        (token, f"a|email|{token}|2025-01-01"),
        (code, f"a|erp_code|{code}|2025-01-01"),
    ]
    found = raw(settings, batches["privacy.consent"], "subject_id, source_record_id")
    assert found == [
        (token, f"crm|email|{token}|marketing|2025-01-01 00:00:00+00"),
        (code, f"crm|customer|{code}|marketing|2025-01-01 00:00:00+00"),
    ]
    assert vault(settings, batches["privacy.consent"]) == {("subject_id", token, mail)}


def test_quarantine_has_a_token_of_a_sensitive_value(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    batch = land(settings, {"crm.person": [{"person_id": "p", "birth_year": "1899"}]})["crm.person"]
    file = settings.quarantine / "crm" / "person" / f"{batch.batch_id}.parquet"
    assert rows("select rule, column_name, raw_text from read_parquet(?)", str(file)) == [
        ("range", "birth_year", Pseudonymiser(KEY.encode()).token("1899"))
    ]


def test_the_file_of_the_contract_is_one_that_a_person_can_read() -> None:
    assert len(CONTRACT_FILE.read_text(encoding="utf-8").splitlines()) <= 600
