"""Promises of a look at a file: it writes nothing, proposes what lands, and names what is odd with its mend."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.extract.map_report import MapReport, report_on
from orchestration.extract.physical import HeldFile
from orchestration.extract.propose import TO_SAY, rendered
from orchestration.extract.registry import load_registry
from orchestration.settings import Settings

GERMAN = """Belegnr;Kundennr;Belegdatum;Status;Währung;Lagerort
A1;0001;31.12.2025 09:15;offen;EUR;Süd
A2;0002;30.12.2025 10:00;versendet;EUR;Nord
"""
LINES = """Belegnr;Pos;Artikelnr;Menge;Listenwert;Rabatt;Netto;Einstandswert
A1;1;x1;1,5;1.200,50;0,50;1.200,00;800
A1;2;x2;1;3,00;0;3,00;
A2;1;x2;1;3,00;0;3,00;2
"""
PAYMENTS = """
start_date: 2025-01-01
sources:
  till:
    family: finance
    timezone: Asia/Shanghai
    tables:
      payment:
        {files: "p_{delivery_date}.csv", format: csv, delivered: daily, columns: {payment_id: nr, customer_ref: who,
        received_date: day, amount: AMOUNT, currency: code, method: {column: how, unverified: true}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def look(settings: Settings, folder: Path, name: str, text: str | bytes, table: str | None = None) -> MapReport:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    registry = load_registry(settings.sources) if settings.sources.exists() else None
    (report,) = report_on(settings, file, registry, table)
    return report


def till(settings: Settings, folder: Path, lines: list[str], amount: str = "amount") -> MapReport:
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.sources.write_text(PAYMENTS.replace("AMOUNT", amount), encoding="utf-8")
    return look(settings, folder, "p_20250101.csv", "\n".join(["nr,who,day,amount,code,how,left", *lines, ""]))


def test_an_unknown_file_is_proposed_as_its_table_in_its_dialect(settings: Settings, folder: Path) -> None:
    report = look(settings, folder, "auftraege_2025-12-31.csv", GERMAN.encode("cp1252"), "sales.order")
    assert report.proposed is not None
    entry = report.proposed.entry
    assert {name: entry[name] for name in ("files", "format", "encoding", "delimiter")} == {
        "files": "auftraege_{delivery_date}.csv", "format": "csv", "encoding": "cp1252", "delimiter": ";"
    }  # fmt: skip
    columns = entry["columns"]
    assert (columns["order_id"], columns["customer_ref"], columns["currency"]) == ("Belegnr", "Kundennr", "Währung")
    assert columns["ordered_at"] == {"column": "Belegdatum", "formats": ["%d.%m.%Y %H:%M"], "timezone": "local"}
    assert columns["business_date"] == {"local_date_of": "Belegdatum", "formats": ["%d.%m.%Y %H:%M"]}
    assert columns["status"] == {"column": "Status", "values": {"offen": TO_SAY, "versendet": TO_SAY}}
    assert report.unmapped_required == ("entity_id",)
    assert report.unread == (("Lagerort", None),)


def test_a_proposal_is_yaml_that_lands_once_what_is_left_to_say_is_said(settings: Settings, folder: Path) -> None:
    report = look(settings, folder, "positionen_20251231.csv", LINES)
    assert report.table.name == "sales.order_line"
    assert report.proposed is not None
    assert report.candidate is not None
    assert (report.candidate.accepted, report.candidate.quarantined, report.held) == (3, 0, None)
    assert (report.proposed.entry["decimal"], report.proposed.entry["thousands"]) == (",", ".")
    assert report.proposed.entry["columns"]["line_id"] == {"join": ["Belegnr", "Pos"], "with": "-"}
    (entry,) = yaml.safe_load(rendered(report.proposed)).values()
    assert entry == report.proposed.sayable


def test_every_kind_of_rendered_word_is_read_back_as_it_was(settings: Settings, folder: Path) -> None:
    text = "id,Customer #,date,Yes: or no\n1,A,2025-01-01,x\n2,B,2025-01-02,y\n"
    report = look(settings, folder, "things_20250101.csv", text, "sales.order")
    assert report.proposed is not None
    (entry,) = yaml.safe_load(rendered(report.proposed)).values()
    assert entry["columns"]["customer_ref"] == "Customer #"


def test_a_look_leaves_nothing_behind(settings: Settings, folder: Path) -> None:
    till(settings, folder, ["1,A,2025-01-01,5,EUR,cash,x", "2,,2025-01-01,5,EUR,cash,x"])
    left = {path.relative_to(settings.home).parts[0] for path in settings.home.rglob("*")}
    assert left <= {"sources.yml", "extensions"}


def test_a_file_of_a_feed_is_read_as_the_feed_says(settings: Settings, folder: Path) -> None:
    report = till(settings, folder, ["1,A,2025-01-01,5,EUR,cash,x", "2,A,2025-01-01,5,EUR,,x", "3,,soon,7,EUR,,x"])
    assert (report.feed, report.proposed) == ("till.payment", None)
    assert report.candidate is not None
    assert (report.candidate.accepted, report.candidate.quarantined) == (2, 1)
    filled = {entry.column.name: (entry.source, entry.filled) for entry in report.entries}
    assert (filled["method"], filled["amount"], filled["is_refund"]) == (("how", 1), ("amount", 2), (None, 0))
    (rejection,) = report.rejections
    assert (rejection.rule, rejection.column, rejection.lines) == ("required", "customer_ref", (3,))
    assert ("left", None) in report.unread
    assert any("general knowledge" in sentence and "method" in sentence for sentence in report.surprises)


MANY = [f"{nr},A,2025-01-01,{{}},EUR,cash,x" for nr in range(10)]


@pytest.mark.parametrize(
    ("lines", "amount", "told"),
    [
        ([line.format(-5) for line in MANY], "amount", "amount: 10 of 10 are negative"),
        ([line.format(1999) for line in MANY], "amount", "cents? minor_units"),
        ([line.format("1.999,5").replace('1.999,5', '"1.999,5"') for line in MANY], "amount", 'decimal: ","'),
        ([line.replace("2025-01-01", "31.12.2025").format(5) for line in MANY], "amount", 'formats: ["%d.%m.%Y"]'),
        ([line.replace("EUR", "Euro").format(5) for line in MANY], "amount", "currency: 10 are no codes of ISO 4217"),
    ],
)  # fmt: skip
def test_what_is_odd_is_said_with_what_would_mend_it(
    settings: Settings, folder: Path, lines: list[str], amount: str, told: str
) -> None:
    report = till(settings, folder, lines, amount)
    assert any(told in sentence for sentence in report.surprises), report.surprises


def test_an_event_before_dawn_tells_of_another_clock(settings: Settings, folder: Path) -> None:
    lines = [f"O{nr},A,2025-01-01T{nr:02}:00:00,confirmed,X,EUR" for nr in range(17, 23)]
    report = look(settings, folder, "orders_20250101.csv",
        "\n".join(["order no,customer,order date,status,company code,currency", *lines, ""]))  # fmt: skip
    settings.home.mkdir(parents=True, exist_ok=True)
    assert report.proposed is not None
    source = {"family": "sales", "timezone": "Asia/Shanghai", "tables": {"order": report.proposed.sayable}}
    source["tables"]["order"]["columns"]["ordered_at"]["timezone"] = "UTC"  # type: ignore[index]
    document = {"start_date": "2025-01-01", "sources": {"shop": source}}
    settings.sources.write_text(yaml.safe_dump(document).replace("'2025-01-01'", "2025-01-01"), encoding="utf-8")
    (again,) = report_on(settings, folder / "orders_20250101.csv", load_registry(settings.sources))
    assert any(sentence.startswith("ordered_at: 5 of 6 are before 6") for sentence in again.surprises), again.surprises


def test_words_that_stand_for_nothing_known_are_listed_and_personal_ones_are_not_shown(
    settings: Settings, folder: Path
) -> None:
    contacts = "contact_id,account_id,full_name,decision_role\n1,A,Wang Wei,boss\n2,A,Li Na,boss\n"
    report = look(settings, folder, "contacts_20250101.csv", contacts, "crm.contact")
    assert report.proposed is not None
    assert report.proposed.entry["columns"]["decision_role"]["values"] == {"boss": TO_SAY}
    assert "Wang Wei" not in rendered(report.proposed)
    sent = contacts.replace("boss", "decides").replace("account_id", "account").replace("1,A", "1,")
    again = look(settings, folder, "contacts_20250101.csv", sent, "crm.contact")
    assert "Wang Wei" not in f"{again.rejections}{again.surprises}{again.entries}"


def test_a_file_that_is_none_is_told(settings: Settings, folder: Path) -> None:
    with pytest.raises(HeldFile, match="is not there"):
        report_on(settings, folder / "none.csv", None)
    with pytest.raises(HeldFile, match=r"ends in \.pdf, expected one of"):
        look(settings, folder, "x_20250101.pdf", "x")


def test_the_command_shows_the_entry_to_begin_with(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERING_HOME", str(settings.home))
    file = folder / "positionen_20251231.csv"
    file.write_text(LINES, encoding="utf-8")
    told = CliRunner().invoke(app, ["map", str(file)])
    assert told.exit_code == 0, told.output
    assert "line_id: {join: [Belegnr, Pos]" in told.output
    assert '"accepted": 3' in CliRunner().invoke(app, ["map", str(file), "--json"]).output
    assert CliRunner().invoke(app, ["map", str(file), "--table", "sales.ordr"]).exit_code == 1
