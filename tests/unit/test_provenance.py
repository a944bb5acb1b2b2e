"""Promises of provenance: a record's delivered versions come out as the run settles them, with file, line and state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from installation import PROVE, settings_of

from orchestration.audit.provenance import Source, rows_of_accounts
from orchestration.audit.raw_zone import references
from orchestration.extract import landing
from orchestration.extract.contract import load_contract
from orchestration.extract.manifest import Batch
from orchestration.extract.registry import load_registry
from orchestration.plan import PlannedDay
from orchestration.settings import Settings
from orchestration.warehouse import AlteredRaw, load_run, open_warehouse

SOURCES = """
start_date: 2025-01-01
sources:
  hub:
    family: crm
    timezone: UTC
    quarantine: {share: 1, records: 20}
    tables:
      account:
        files: ["account_{delivery_date}.csv", "account_{delivery_date}_at_{extracted_at}.csv"]
        format: csv
        delivered: daily
        mode: MODE
        deleted: {column: gone, values: {y: "true"}}
        columns: {account_id: id, account_name: name, account_kind: kind, tax_id: tax, owner_id: owner,
          created_at: {constant: "2020-01-01T00:00:00+00:00"}}
      activity:
        files: ["activity_{delivery_date}.csv"]
        format: csv
        delivered: daily
        columns: {activity_id: id, account_id: account, kind: kind, occurred_at: at,
          business_date: {local_date_of: at}}
"""
DAY = date(2025, 1, 1)
MIDNIGHT = datetime(2025, 1, 2, tzinfo=UTC)
LATER = MIDNIGHT + timedelta(days=99)
PLAN = [PlannedDay(DAY, MIDNIGHT, "2025.1")]


def settled(home: Path, mode: str = "incremental") -> Settings:
    settings = settings_of(home)
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.sources.write_text(SOURCES.replace("MODE", mode), encoding="utf-8")
    return settings


def deliver(settings: Settings, entity: str, offset: int, lines: Sequence[str], late: int = 0) -> list[Batch]:
    """Write and land one file: "id owner" of accounts ("id -" is gone), whole lines of other tables."""
    day = DAY + timedelta(days=offset)
    said = f"_at_{MIDNIGHT + timedelta(days=offset, hours=late):%Y%m%dT%H%M%S}" if late else ""
    header = "id,name,kind,tax,owner,gone" if entity == "account" else "id,account,kind,at"
    if entity == "account":
        split = [line.split(" ") for line in lines]
        lines = [f"{key},Firm {key},company,,{owner},{'y' if owner == '-' else ''}" for key, owner in split]
    folder = settings.landing / "hub"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{entity}_{day:%Y%m%d}{said}.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    pending = landing.pending_deliveries(settings, load_registry(settings.sources).feeds, date.max)
    return landing.commit(settings, landing.prepare(settings, pending), None)


def of_account(settings: Settings, key: str, known_at: datetime = LATER) -> Source:
    return rows_of_accounts(settings, known_at, [("crm", "hub", key)])


def test_what_hangs_on_what_is_read_off_the_contract() -> None:
    contract = load_contract()
    found = {
        table.name: {column: other.name for column, other in links.items()}
        for table in contract.tables
        if (links := references(table, contract))
    }
    assert found == {
        "crm.account": {"owner_id": "crm.owner"},
        "crm.contact": {"account_id": "crm.account"},
        "crm.opportunity": {"account_id": "crm.account"},
        "crm.activity": {"account_id": "crm.account", "contact_id": "crm.contact", "owner_id": "crm.owner"},
        "crm.person": {"account_id": "crm.account"},
        "crm.account_identity": {"account_id": "crm.account"},
        "crm.lead": {"account_id": "crm.account"},
        "sales.order": {"customer_ref": "sales.customer"},
        "sales.contract": {"customer_ref": "sales.customer"},
        "sales.order_line": {"order_id": "sales.order", "product_id": "sales.product"},
        "sales.return_line": {"original_line_id": "sales.order_line", "customer_ref": "sales.customer"},
        "finance.invoice": {"customer_ref": "finance.customer"},
        "finance.writeoff": {"invoice_id": "finance.invoice"},
        "finance.cost_to_serve": {"customer_ref": "finance.customer"},
        "finance.balance_daily": {"customer_ref": "finance.customer"},
        "finance.credit_note": {"customer_ref": "finance.customer", "invoice_id": "finance.invoice"},
        "finance.payment": {"customer_ref": "finance.customer"},
        "finance.payment_allocation": {"payment_id": "finance.payment", "invoice_id": "finance.invoice"},
    }


FILES = st.tuples(
    st.integers(0, 3),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "-"]), min_size=1, max_size=3),
    st.sampled_from([0, 0, 5, 30]),
)


@hypothesis.settings(max_examples=150 if PROVE else 12, deadline=None)
@given(
    files=st.lists(FILES, min_size=1, max_size=5),
    mode=st.sampled_from(["incremental", "full"]),
    until=st.integers(0, 4),
)
def test_the_rows_of_one_record_settle_as_a_run_settles_those_of_all(
    files: list[tuple[int, dict[str, str], int]], mode: str, until: int
) -> None:
    """Read by key, as if the others had never been delivered: also who is absent from a full file comes out so."""
    known_at = MIDNIGHT + timedelta(days=until)
    with TemporaryDirectory() as folder:
        settings = settled(Path(folder) / "home", mode)
        batches: list[Batch] = []
        for offset, records, late in files:
            batches += deliver(settings, "account", offset, [f"{key} {owner}" for key, owner in records.items()], late)
        with open_warehouse(settings) as build:
            load_run(
                settings,
                build,
                PLAN,
                [b for b in batches if b.known_at <= known_at],
                [],
                run_id="one",
                project="as it is",
            )
            expected = build.execute(
                "select source_record_id, batch_id, source_line, known_from, nullif(known_to, "
                "timestamptz '9999-12-31 00:00:00+00') from raw.raw_crm__account order by all"
            ).fetchall()
        found = [
            (row.record_id, row.batch_id, row.source_line, row.known_from, row.known_to)
            for key in "abc"
            for row in of_account(settings, key, known_at).rows
        ]
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("mode", "files", "states"),
    [
        ("incremental", [(0, ["a 1"], 0)], ["in force"]),
        ("incremental", [(0, ["a 1"], 0), (1, ["a 2"], 0)], ["superseded", "in force"]),
        ("incremental", [(0, ["a 1", "b 1"], 0), (0, ["a 2", "b 1"], 5)], ["restated", "in force"]),
        ("incremental", [(0, ["a 1"], 0), (1, ["a -"], 0)], ["superseded", "deleted"]),
        ("incremental", [(1, ["a 2"], 0), (0, ["a 1"], 30)], ["in force", "never in force"]),
        ("full", [(0, ["a 1", "b 1"], 0), (1, ["b 1"], 0)], ["absent"]),
    ],
)
def test_a_version_says_why_it_no_longer_holds(
    settings: Settings, mode: str, files: list[tuple[int, list[str], int]], states: list[str]
) -> None:
    settings = settled(settings.home, mode)
    for offset, lines, late in files:
        deliver(settings, "account", offset, lines, late)
    assert [row.state for row in of_account(settings, "a").rows] == states


def test_a_row_names_its_file_and_line_and_nothing_after_its_instant(settings: Settings) -> None:
    settings = settled(settings.home)
    deliver(settings, "account", 0, ["x 1", "a 1"])
    deliver(settings, "activity", 0, ["V1,x,call,2025-01-01T10:00:00", "V2,a,visit,2025-01-01T11:00:00"])
    deliver(settings, "activity", 1, ["V2,x,visit,2025-01-01T11:00:00", "V3,a,call,2025-01-02T11:00:00"])
    then = of_account(settings, "a", MIDNIGHT)
    assert [(row.table, row.file, row.source_line) for row in then.rows] == [
        ("crm.account", "hub/account_20250101.csv", 2),
        ("crm.activity", "hub/activity_20250101.csv", 2),
    ]
    # What was moved to another account was once this one's: all its versions are its history.
    now = of_account(settings, "a")
    assert [
        (row.record_id, row.values["account_id"], row.state) for row in now.rows if row.table == "crm.activity"
    ] == [
        ("V2", "a", "superseded"),
        ("V2", "x", "in force"),
        ("V3", "a", "in force"),
    ]
    assert {batch.file for batch in now.batches} == {
        *("hub/account_20250101.csv", "hub/activity_20250101.csv", "hub/activity_20250102.csv"),
    }


def test_quarantined_rows_are_told_where_they_name_the_record_and_counted_where_not(settings: Settings) -> None:
    settings = settled(settings.home)
    deliver(settings, "account", 0, ["a 1", "b 1"])
    broken = ["V1,a,call", "V2,b,call", "V3,a,smoke,2025-01-01T10:00:00", "V4,a,call,2025-01-01T10:00:00"]
    deliver(settings, "activity", 0, broken)
    source = of_account(settings, "a")
    assert [(row.file, row.source_line, row.rule) for row in source.rejected] == [
        ("hub/activity_20250101.csv", 1, "broken_line")
    ]
    assert source.untold == 2


def test_personal_values_and_their_tokens_are_left_out(settings: Settings) -> None:
    settings = settled(settings.home)
    folder = settings.landing / "hub"
    folder.mkdir(parents=True)
    (folder / "account_20250101.csv").write_text(
        "id,name,kind,tax,owner,gone\na,Wang Wei,person,T1,E1,\nb,Firm,company,T2,E1,\n", encoding="utf-8"
    )
    pending = landing.pending_deliveries(settings, load_registry(settings.sources).feeds, date.max)
    landing.commit(settings, landing.prepare(settings, pending), None)
    (person,) = of_account(settings, "a").rows
    (firm,) = of_account(settings, "b").rows
    assert (person.values["account_name"], person.values["tax_id"]) == (None, None)
    assert (firm.values["account_name"], firm.values["tax_id"]) == ("Firm", "T2")


def test_a_raw_file_that_is_not_as_landed_is_named(settings: Settings) -> None:
    settings = settled(settings.home)
    (batch,) = deliver(settings, "account", 0, ["a 1"])
    assert of_account(settings, "a").altered == ()
    file = settings.raw / str(batch.raw_file)
    with duckdb.connect() as other:
        rows = f"read_parquet('{file}', hive_partitioning = false)"
        other.execute(f"copy (select * replace ('E9' as owner_id) from {rows}) to '{file}' (format parquet)")
    assert of_account(settings, "a").altered == (batch.raw_file,)
    file.write_bytes(b"PAR1")
    with pytest.raises(AlteredRaw, match=r"raw zone: .*restore it from a backup"):
        of_account(settings, "a")
