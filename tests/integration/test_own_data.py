"""Promises to a new user: what docs/bring-your-own-data.md says leads from their own CSVs to their own tiers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from installation import current, rows, settings_of, tiering
from typer.main import get_command

from orchestration.cli import app
from orchestration.init import Company, init_home
from orchestration.policy import read_rows
from orchestration.settings import PROJECT_ROOT

GUIDE = (PROJECT_ROOT / "docs" / "bring-your-own-data.md").read_text(encoding="utf-8")
FIRST, SECOND, THIRD = date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1)
CLIENTS = range(40)


def filled_in(text: str) -> str:
    """sources.yml as the guide fills it in: its three entries in the place of those that stand there."""
    (entries,) = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
    begun = re.compile(r"      # One row per customer of the sales system.*?(?=\n#)", re.DOTALL)
    assert len(begun.findall(text)) == 1
    (start,) = re.findall(r"`(start_date: [\d-]+)`", GUIDE)
    return begun.sub(lambda _: entries.rstrip(), text).replace("start_date: 2025-01-01", start)


def write(file: Path, lines: list[str]) -> None:
    file.write_text("\n".join([*lines, ""]), encoding="cp1252")


def german(amount: int) -> str:
    return f"{amount:,}".replace(",", ".") + ",00"


def bought() -> list[tuple[str, int, date]]:
    """The nth client buys every (n + 3)th day of a year, the more the smaller n is."""
    days = [(n, SECOND - timedelta(days=back)) for n in CLIENTS for back in range(0, 364, n + 3)]
    return [(f"A{n:02}-{day:%y%m%d}", n, day) for n, day in days]


def spent(n: int) -> int:
    return 2 * (1500 - 10 * n) - n


def deliver(landing: Path, sent: date, orders: list[tuple[str, int, date]]) -> None:
    write(
        landing / f"Auftraege_{sent:%Y%m%d}.csv",
        ["Auftragsnr;Kundennummer;Auftragsdatum;Status;Vertriebskanal"]
        + [f"{number};K{n:05};{day:%d.%m.%Y};bezahlt;Web" for number, n, day in orders],
    )
    write(
        landing / f"Positionen_{sent:%Y%m%d}.csv",
        ["Auftragsnr;Pos;Artikel;Menge;Einzelpreis;Rabatt;Nettobetrag"]
        + [f"{number};1;Art1;2;{german(1500 - 10 * n)};{german(n)};{german(spent(n))}" for number, n, _ in orders],
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("own") / "mueller"
    begun = init_home(home, Company("Müller Versand", "Europe/Berlin", "EUR"))
    begun.sources.write_text(filled_in(begun.sources.read_text(encoding="utf-8")), encoding="utf-8")
    landing = begun.landing / "sales"
    kinds = {0: "Firma", 1: "Privat"}
    write(
        landing / f"Kunden_{FIRST:%Y%m%d}.csv",
        ["Kundennummer;Name;Kundenart;Land;Angelegt am"]
        + [f"K{n:05};Müller {n};{kinds[n % 2]};DE;{n % 28 + 1:02}.11.2024" for n in CLIENTS],
    )
    deliver(landing, FIRST, [order for order in bought() if order[2] < SECOND])
    deliver(landing, SECOND, [order for order in bought() if order[2] == SECOND])
    ran = tiering(home, "run")
    assert ran.returncode == 0, ran.stderr
    return home


def test_the_extracts_of_the_guide_are_graded_by_shares_of_customers(graded: Path) -> None:
    tiers = str(current(graded) / "customer_tiers.parquet")
    counted = dict(rows("select tier, count(*) from read_parquet(?) group by tier", tiers))
    assert sum(counted.values()) == len(CLIENTS)
    assert {"T1", "T4"} <= set(counted), "shares of customers give both ends somebody, whatever the amounts are"
    assert rows("select distinct policy_version from read_parquet(?)", tiers) == [("2025-1",)]


def test_decimal_commas_are_read_to_the_cent_and_reported_in_the_currency_asked_for(graded: Path) -> None:
    orders = str(current(graded) / "customer_orders.parquet")
    assert rows("select sum(net_amount) from read_parquet(?)", orders) == [(sum(spent(n) for _, n, _ in bought()),)]
    versions = read_rows(settings_of(graded).policy / "policy_versions.csv")
    assert [row["reporting_currency"] for _, row in versions] == ["EUR"]


def test_a_version_of_the_companys_own_takes_over_the_next_day(graded: Path) -> None:
    new = ["policy", "new", "2026-1", "--from", str(THIRD), "--approver", "A. Müller", "--note", "T1 from 75 points"]
    told = tiering(graded, *new, "--approved-at", "2025-12-20T09:00:00+01:00")
    assert told.returncode == 0, told.stderr
    bands = settings_of(graded).policy / "policy_bands.csv"
    text = bands.read_text(encoding="utf-8")
    for before, after in (
        ("2026-1,tier,T2,2,60,80,", "2026-1,tier,T2,2,60,75,"),
        ("2026-1,tier,T1,1,80,", "2026-1,tier,T1,1,75,"),
    ):
        assert before in text
        text = text.replace(before, after)
    bands.write_text(text, encoding="utf-8")
    checked = tiering(graded, "policy", "check")
    assert (checked.returncode, "2026-1  in force from 2026-01-01" in checked.stdout) == (0, True), checked.stdout
    deliver(graded / "landing" / "sales", THIRD, [("B1", 7, THIRD)])
    ran = tiering(graded, "run")
    assert ran.returncode == 0, ran.stderr
    tiers = str(current(graded) / "customer_tiers.parquet")
    assert rows("select distinct policy_version from read_parquet(?)", tiers) == [("2026-1",)]
    ((told_first, by_bound),) = rows(
        "select count(*) filter (where tier = 'T1'), count(*) filter (where tier_score >= 75) from read_parquet(?)",
        tiers,
    )
    assert told_first == by_bound


def test_every_command_of_the_guide_exists() -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    said = re.findall(r"^tiering (\w+)(?: (\w+))?", GUIDE, flags=re.MULTILINE)
    assert len(said) > 8
    for command, part in said:
        assert command in known, command
        if hasattr(known[command], "commands"):
            assert part in known[command].commands, part
