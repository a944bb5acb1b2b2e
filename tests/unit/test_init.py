"""Promises of ``tiering init``: a home that is sound from the start, says what the contract wants, is begun once."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.doctor import examine
from orchestration.extract.column_map import OPTIONS, ORIGINS, SourcesError
from orchestration.extract.contract import load_contract
from orchestration.extract.registry import CADENCES, FORMATS, MODES, load_registry
from orchestration.init import FIRST_VERSION, NEEDED, Company, InitError, Proposal, init_home, needed, render_sources
from orchestration.init_from import newest_day, proposals_from
from orchestration.policy import check_policy, read_rows
from orchestration.policy_rules import broken_rules, unfed_weights
from orchestration.settings import Settings

CONTRACT = load_contract()
ACME = Company("Acme: the 1st", "Europe/Berlin", "EUR")
FEED_OPTIONS = ("family", "timezone", "folder", "map", "quarantine", "files", "format", "encoding", "delivered", "mode",
    "deleted", "only", "without", "has_totals", "delimiter", "quote", "decimal", "thousands")  # fmt: skip


@pytest.fixture
def begun(tmp_path: Path) -> Settings:
    return init_home(tmp_path / "acme", ACME)


def everything(text: str) -> str:
    """The file with every block of a table taken into use, as the file says how."""
    return re.sub("^#(?=  )", "", text.partition("company:")[1] + text.partition("company:")[2], flags=re.MULTILINE)


def test_a_new_home_is_sound_but_for_the_release_it_does_not_have(begun: Settings) -> None:
    assert [finding.what for finding in examine(begun) if not finding.is_ok] == ["release"]
    assert broken_rules(begun, begun.policy) == []
    assert unfed_weights(begun, begun.policy) == []
    registry = load_registry(begun.sources)
    assert (registry.company, [feed.table.name for feed in registry.feeds]) == ("Acme: the 1st", list(NEEDED))
    assert {feed.timezone for feed in registry.feeds} == {"Europe/Berlin"}
    assert {path.name for path in begun.landing.iterdir()} == {table.family for table in CONTRACT.tables}


def test_the_tables_of_every_family_can_be_taken_into_use_with_all_they_need(begun: Settings) -> None:
    begun.sources.write_text(everything(begun.sources.read_text(encoding="utf-8")), encoding="utf-8")
    document = yaml.safe_load(begun.sources.read_text(encoding="utf-8"))
    told = {
        f"{source['family']}.{entity}": table["columns"]
        for source in document["sources"].values()
        for entity, table in source["tables"].items()
    }
    assert set(told) == {table.name for table in CONTRACT.tables}
    for name, columns in told.items():
        table = CONTRACT.table(name)
        required = {column.name for column in table.columns if column.is_required}
        assert required <= {column for column, entry in columns.items() if entry is not None}
        assert set(columns) <= {column.name for column in table.columns}


def test_every_option_is_shown_once_in_words(begun: Settings) -> None:
    words = begun.sources.read_text(encoding="utf-8").partition("company:")[0]
    for option in (*FEED_OPTIONS, *ORIGINS, *OPTIONS, *FORMATS, *CADENCES, *MODES):
        assert re.search(rf"\b{option}\b", words), f"{option} is not explained"


def test_the_policy_is_the_companys_in_its_currency_and_weighs_what_is_delivered(begun: Settings) -> None:
    (version,) = check_policy(begun)
    assert version.policy_version == FIRST_VERSION
    assert version.effective_from < date(2001, 1, 1), "a first load may speak for any day"
    (stated,) = (row for _, row in read_rows(begun.policy / "policy_versions.csv"))
    assert (stated["reporting_currency"], stated["approved_by"]) == ("EUR", "nobody yet")
    weights = [row for _, row in read_rows(begun.policy / "policy_weights.csv") if row["target"] == "tier"]
    assert {row["factor"] for row in weights} == {"rfm", "value_potential", "churn"}
    assert sum(Decimal(row["weight"]) for row in weights) == 1
    indicators = {row["lens"]: row["indicator"] for _, row in read_rows(begun.policy / "policy_lenses.csv")}
    assert indicators["value"] == "net_amount_365d", "nobody's margin is known without costs"


def test_what_is_delivered_more_weighs_more(tmp_path: Path) -> None:
    *others, lines = needed(CONTRACT, ACME)
    with_costs = replace(lines, columns={**lines.columns, "cost_amount": "cost"})
    begun = init_home(tmp_path / "acme", ACME, [*others, with_costs])
    weights = {row["factor"] for _, row in read_rows(begun.policy / "policy_weights.csv") if row["target"] == "tier"}
    assert weights == {"rfm", "value_potential", "churn", "abc"}
    indicators = {row["lens"]: row["indicator"] for _, row in read_rows(begun.policy / "policy_lenses.csv")}
    assert indicators["value"] == "margin_amount_365d"


def test_proposals_are_told_as_they_were_made(tmp_path: Path) -> None:
    """What looks at files only has to say which table, which file names, and what each column is made of."""
    columns = {"customer_ref": "Kd-Nr: alt", "customer_name": {"join": ["Vorname", "Name"]}, "country": None}
    made = {"kind": {"constant": "unknown"}, "created_at": {"column": "seit", "formats": ["%d.%m.%Y"]}}
    files = ("kunden_{delivery_date}.csv", "kunden_{delivery_date}_{extracted_at}.csv")
    told = Proposal(
        "shop", CONTRACT.table("sales.customer"), files, "csv", "on_change", columns | made, {"encoding": "cp1252"}
    )
    file = tmp_path / "sources.yml"
    text = render_sources(CONTRACT, replace(ACME, start_date=date(2025, 12, 30)), [told])
    file.write_text(text, encoding="utf-8")
    registry = load_registry(file)
    (feed,) = registry.feeds
    assert (registry.start_date, feed.name, feed.files) == (date(2025, 12, 30), "shop.customer", files)
    assert (feed.dialect.encoding, feed.delivered) == ("cp1252", "on_change")
    assert feed.columns["customer_ref"].column == "Kd-Nr: alt"
    assert feed.columns["created_at"].formats == ("%d.%m.%Y",)
    assert "country" not in feed.columns
    assert "\n#      order:\n" in text, "the tables that nobody proposed stand there to be filled in"


@pytest.mark.parametrize(
    ("currency", "zone", "error", "message"),
    [
        ("euro", "Europe/Berlin", InitError, "--currency is 'euro', expected the three letters of ISO 4217, like EUR"),
        ("EUR", "Berlin", SourcesError, "--timezone: timezone is 'Berlin', expected a name like"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path, currency: str, zone: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        init_home(tmp_path / "acme", Company("Acme", zone, currency))
    assert list(tmp_path.iterdir()) == []


def test_a_home_is_never_written_over(begun: Settings) -> None:
    begun.sources.write_text("mine\n", encoding="utf-8")
    before = {path: path.stat()[stat.ST_MTIME] for path in begun.home.rglob("*")}
    told = CliRunner().invoke(app, ["init", str(begun.home)])
    assert (told.exit_code, "holds something, expected a new folder" in told.stderr) == (1, True)
    assert {path: path.stat()[stat.ST_MTIME] for path in begun.home.rglob("*")} == before
    assert begun.sources.read_text(encoding="utf-8") == "mine\n"


def test_the_command_says_where_to_read_on(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    told = CliRunner().invoke(app, ["init", str(tmp_path / "home"), "--currency", "EUR", "--company", "Acme"])
    assert told.exit_code == 0, told.output
    assert f"export TIERING_HOME={tmp_path / 'home'}" in told.output
    readme = (tmp_path / "home" / "README.md").read_text(encoding="utf-8")
    assert "`tiering doctor`" in readme
    assert "{{" not in readme


GERMAN = {
    "auftraege_20251230.csv": "Belegnr;Kundennr;Belegdatum;Status;Währung\nA1;1;30.12.2025;offen;EUR\n",
    "auftraege_20251231.csv": "Belegnr;Kundennr;Belegdatum;Status;Währung\nA2;1;31.12.2025;versendet;EUR\n",
    "positionen_20251231.csv": "Belegnr;Pos;Artikelnr;Menge;Listenwert;Rabatt;Netto\nA2;1;x;1,5;1.200,50;,5;1.200\n",
    "kunden_20251231.csv": "Kundennr;Name;Typ;Land;angelegt am\n1;Muster GmbH;B2B;DE;01.02.2024\n",
    "notizen.pdf": "nothing to read",
}


def test_a_home_can_be_begun_from_a_folder_of_files(tmp_path: Path) -> None:
    for name, text in GERMAN.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(text, encoding="utf-8")
    proposals, notes = proposals_from(Settings(home=tmp_path / "none"), tmp_path / "in")
    assert {proposal.table.name for proposal in proposals} == {"sales.customer", "sales.order", "sales.order_line"}
    assert [note for note in notes if "notizen.pdf" in note]
    assert newest_day(tmp_path / "in") == date(2025, 12, 31)
    begun = init_home(tmp_path / "home", Company("Muster", "Europe/Berlin", "EUR"), proposals)
    feeds = {feed.table.entity: feed for feed in load_registry(begun.sources).feeds}
    assert feeds["order_line"].dialect.decimal == ","
    assert feeds["order"].columns["order_id"].column == "Belegnr"
    assert feeds["order"].columns["entity_id"].column == "???"  # is said by the company, and holds a file until then
    assert "auftraege_{delivery_date}.csv" in begun.sources.read_text(encoding="utf-8")


def test_a_folder_without_files_begins_nothing(tmp_path: Path) -> None:
    with pytest.raises(InitError, match="expected a folder with one or more of your files"):
        proposals_from(Settings(home=tmp_path / "none"), tmp_path)
