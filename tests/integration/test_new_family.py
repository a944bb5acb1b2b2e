"""Promises of tables that nobody has delivered so far: named in sources.yml, they land, are judged and reach raw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import pytest
from installation import KEY, Published, copy_of, current, rows, settings_of, tiering

from data_quality.suites.candidates import contract_suite
from data_quality.verdicts import Given
from orchestration import dbt
from orchestration.extract.contract import load_contract
from orchestration.extract.landing import judged_tables
from orchestration.extract.registry import load_registry
from orchestration.extract.vault import Pseudonymiser
from orchestration.release.catalogue import read_release
from orchestration.release.gate import promised_checks
from orchestration.settings import Settings
from orchestration.verdict_log import verdict_log

LEDGER, DECISION = (load_contract().table(name) for name in ("loyalty.ledger", "reference.identity_decision"))
SYSTEMS = """
  club:
    family: loyalty
    timezone: Asia/Shanghai
    tables:
      ledger:
        files: "ledger_{delivery_date}.csv"
        format: csv
        delivered: daily
        columns: {entry_id: nr, customer_system: {constant: sales}, customer_ref: customer, points: points,
          occurred_at: {column: entered, timezone: Asia/Shanghai}, business_date: {local_date_of: entered}}
  house:
    family: reference
    timezone: Asia/Shanghai
    tables:
      identity_decision:
        files: "identity_decision_{delivery_date}.csv"
        format: csv
        delivered: on_change
        columns: {decision_id: nr, action: {constant: exclude}, left_system: {constant: sales}, left_ref: customer,
          decided_by: who, decided_at: {column: at, timezone: Asia/Shanghai}}
"""


@dataclass(frozen=True)
class Delivered:
    """The home after the fifth day, on which two tables came that nobody had delivered before, one of a new family."""

    settings: Settings
    day: date
    given: list[Given]


@pytest.fixture(scope="module")
def delivered(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    settings = settings_of(copy_of(published_home, tmp_path_factory.mktemp("families")))
    day = published_home.next_day
    with settings.sources.open("a", encoding="utf-8") as sources:
        sources.write(SYSTEMS)
    entries = f"nr,customer,points,entered\n1,007,20,{day} 09:00:00\n2,,-5,{day} 10:00:00\n3,8,many,{day}\n"
    decisions = f"nr,customer,who,at\n1,007,王芳,{day} 11:00:00\n"
    for name, text in (("club/ledger", entries), ("house/identity_decision", decisions)):
        file = settings.landing / f"{name}_{day:%Y%m%d}.csv"
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
    ran = tiering(settings.home, "run", "--date", str(day))
    assert ran.returncode == 0, ran.stderr
    release = read_release(current(settings.home))
    assert release["as_of_date"] == str(day)
    return Delivered(settings, day, verdict_log(settings, release["run_id"]).read())


def test_its_rows_stand_in_their_raw_tables_and_what_breaks_a_rule_is_set_aside(delivered: Delivered) -> None:
    token = Pseudonymiser(KEY.encode()).token("王芳")
    build = f"attach '{delivered.settings.warehouse}' as build (read_only); from build"
    found = rows(
        f"{build}.raw.raw_loyalty__ledger select entry_id, customer_ref, points, business_date order by entry_id"
    )
    assert found == [("1", "007", 20, delivered.day), ("2", None, -5, delivered.day)]
    found = rows(f"{build}.raw.raw_reference__identity_decision select action, left_system, left_ref, decided_by")
    assert found == [("exclude", "sales", "007", token)]
    set_aside = str(current(delivered.settings.home) / "audit_quarantine.parquet")
    found = rows("from read_parquet(?) select source_line, rule, raw_text where family = 'loyalty'", set_aside)
    assert found == [(3, "type", "many")]


def test_it_is_judged_like_any_other(delivered: Delivered) -> None:
    of_entries = [entry.verdict for entry in delivered.given if LEDGER.raw_name in entry.verdict.subject]
    assert Counter((verdict.owner, verdict.status) for verdict in of_entries) == {("reconciliation", "pass"): 3}
    said = {e.verdict.check_name: e.verdict for e in delivered.given if e.verdict.subject == LEDGER.name}
    assert {rule.name for rule in contract_suite(LEDGER)} <= set(said)
    not_passed = {name: verdict.status for name, verdict in said.items() if verdict.status != "pass"}
    assert not_passed["customer_ref_is_not_null"] == "warn"
    assert set(not_passed.values()) == {"warn"}
    assert {entry.verdict.status for entry in delivered.given if entry.verdict.subject == "loyalty"} == {"pass"}


def test_a_table_that_nobody_delivers_is_promised_no_check_and_given_no_verdict(
    delivered: Delivered, published_home: Published
) -> None:
    def promised(settings: Settings) -> set[str]:
        manifest = dbt.manifest_document(dbt.manifest_path(settings))
        tables = judged_tables(settings, load_registry(settings.sources))
        return {promise.subject for promise in promised_checks(manifest, tables)}

    new = promised(delivered.settings) - promised(published_home.settings)
    assert new == {LEDGER.family} | {
        subject
        for table in (LEDGER, DECISION)
        for subject in (table.name, f"raw zone to {table.raw_name}", f"{table.raw_name} by state")
    }
    subjects = {entry.verdict.subject for entry in delivered.given}
    silent = [table for table in load_contract().tables if table.name not in subjects]
    assert {table.name for table in silent} >= {"crm.account_identity", "sales.target", "finance.calendar"}
    assert [table.name for table in silent if any(table.raw_name in subject for subject in subjects)] == []
