"""Promises about mistakes in a vendor map: with the sender's totals each one that changes them is held and told by its
cause; without them most are told by what a table may hold and by what is usual for its deliveries.

Mistakes are made in the parsed map of a table, one at a time: the other sign, a hundredth, another currency, another
clock. Which cannot be made, and why, is counted too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from installation import PROVE, Published, settings_of
from vendors import VENDORS, Company

from orchestration.assets.ingestion import judge
from orchestration.extract import landing
from orchestration.extract.candidate import Candidate, Delivery
from orchestration.extract.column_map import ColumnMap
from orchestration.extract.registry import Feed, load_registry

HINTS = {
    "sign": "look at sign in the map",
    "unit": "look at minor_units in the map",
    "currency": "look at currency in the map",
    "clock": "look at timezone in the map",
}
RIGHT = "right"
NO_AMOUNT, NO_CURRENCY, NO_CLOCK = "no amount", "no currency", "no clock"
HARMLESS = "reads the same"
WEEKS = 4

Case = tuple[str, str]  # the table and the mistake


def with_mistake(feed: Feed, mistake: str) -> Feed | str:
    """The feed with the mistake in its map, or why there is none to make."""
    table, columns = feed.table, dict(feed.columns)
    amount, currency, day = (
        columns.get(name or "") for name in (table.control_amount, table.control_currency, table.event_date)
    )
    if mistake == "sign":
        if amount is None:
            return NO_AMOUNT
        columns[str(table.control_amount)] = replace(amount, negate=not amount.negate)
    elif mistake == "unit":
        if amount is None:
            return NO_AMOUNT
        columns[str(table.control_amount)] = replace(amount, minor_units=ColumnMap(constant="EUR"))
    elif mistake == "currency":
        if currency is None:
            return NO_CURRENCY
        columns[str(table.control_currency)] = ColumnMap(constant="SEK")
    elif mistake == "clock":
        if day is None or not day.is_local_date:
            return NO_CLOCK
        if day.timezone is not None:
            feed = replace(feed, timezone="America/New_York")
        else:  # on the system's own clock: it is read as one of UTC
            for name, entry in feed.columns.items():
                if entry.is_local_date or entry.timezone is not None:
                    columns[name] = replace(entry, timezone="UTC")
    return replace(feed, columns=columns, source_system=f"{feed.source_system}_{mistake}")


def read(published: Published, vendor: str, folder: Path, *, has_totals: bool) -> dict[Case, Candidate | str]:
    """The first file of each table with a day or an amount, by the right map and by each mistaken one.

    Each is of a system of its own: two readings of one file by one system would be one.
    """
    company = Company(published, vendor)
    company.write_home(published, folder / "home", only_own=True)
    settings = settings_of(folder / "home")
    feeds = {feed.table.name: feed for feed in load_registry(settings.sources).feeds}
    found: dict[Case, Candidate | str] = {}
    deliveries: dict[Case, Delivery] = {}
    for table in company.tables:
        if table.control_amount is None and table.event_date is None:
            continue
        file = company.first_file(table, folder / table.name, has_totals=has_totals)
        arrival = feeds[table.name].arrival(file.name)
        for mistake in (RIGHT, *HINTS):
            feed = with_mistake(feeds[table.name], mistake)
            if isinstance(feed, str):
                found[table.name, mistake] = feed
            elif arrival is not None:
                deliveries[table.name, mistake] = Delivery(feed, file, arrival)
    prepared = landing.prepare(settings, list(deliveries.values()))
    return found | dict(zip(deliveries, prepared, strict=True))


def reads_the_same(one: Candidate, other: Candidate) -> bool:
    columns = ", ".join(column.name for column in one.delivery.feed.table.columns)
    selects = [f"select {columns} from read_parquet('{file}')" for file in (one.data_file, other.data_file)]
    with duckdb.connect() as connection:
        return not connection.execute(f"({selects[0]}) except all ({selects[1]})").fetchall()


# How many mistakes are held with their cause, cannot be made (no amount, no currency, no clock), change nothing: a day
# at midnight is the same day on either clock.
OUTCOMES = {
    # vendor:      sign       unit       currency   clock
    "salesforce": ((2, 2, 0), (2, 2, 0), (2, 2, 0), (3, 1, 0)),
    "shopify": ((2, 1, 0), (2, 1, 0), (2, 1, 0), (2, 1, 0)),
    "quickbooks": ((4, 0, 0), (4, 0, 0), (3, 1, 0), (0, 4, 0)),
    "zoho_crm": ((1, 1, 0), (1, 1, 0), (1, 1, 0), (2, 0, 0)),
    "zoho_books": ((5, 1, 0), (5, 1, 0), (4, 2, 0), (1, 5, 0)),
    "fxiaoke": ((3, 2, 0), (3, 2, 0), (3, 2, 0), (4, 1, 0)),
    "kingdee": ((6, 1, 0), (6, 1, 0), (5, 2, 0), (2, 1, 4)),
    "odoo": ((7, 1, 0), (7, 1, 0), (6, 2, 0), (3, 5, 0)),
}
CAUGHT = "caught"


def outcome(candidate: Candidate | str, right: Candidate, mistake: str) -> str:
    """What became of a mistake, or why it cannot be made. What is neither is told in full."""
    if isinstance(candidate, str):
        return candidate
    if candidate.held is not None:
        return CAUGHT if HINTS[mistake] in candidate.held else candidate.held
    return HARMLESS if reads_the_same(candidate, right) else "not seen"


@pytest.mark.parametrize("vendor", VENDORS)
def test_with_the_senders_totals_every_mistake_that_changes_what_lands_is_held_with_its_cause(
    published_home: Published, tmp_path: Path, vendor: str
) -> None:
    found = read(published_home, vendor, tmp_path, has_totals=True)
    rights = {
        table: item for (table, mistake), item in found.items() if mistake == RIGHT and isinstance(item, Candidate)
    }
    assert [item.held for item in rights.values() if item.held is not None] == []
    outcomes = {
        case: outcome(candidate, rights[case[0]], case[1]) for case, candidate in found.items() if case[1] != RIGHT
    }
    known = {CAUGHT, HARMLESS, NO_AMOUNT, NO_CURRENCY, NO_CLOCK}
    assert {case: told for case, told in outcomes.items() if told not in known} == {}
    counted = []
    for kind in HINTS:
        told = Counter(told for (_, mistake), told in outcomes.items() if mistake == kind)
        counted.append((told[CAUGHT], told[NO_AMOUNT] + told[NO_CURRENCY] + told[NO_CLOCK], told[HARMLESS]))
    assert tuple(counted) == OUTCOMES[vendor]


def last_weeks(right: Candidate, system: str) -> list[Candidate]:
    """What the same table was like in the weeks before, by the right map, as deliveries of ``system``."""
    feed, arrival = replace(right.delivery.feed, source_system=system), right.delivery.arrival
    return [
        replace(
            right,
            batch_id=f"{system} {week}",
            delivery=Delivery(
                feed,
                right.delivery.file,
                replace(
                    arrival,
                    delivery_date=arrival.delivery_date - timedelta(weeks=week),
                    extracted_at=arrival.extracted_at - timedelta(weeks=week),
                ),
            ),
        )
        for week in range(1, WEEKS + 1)
    ]


def warnings(found: dict[Case, Candidate | str], folder: Path) -> dict[Case, set[str]]:
    """The checks that tell of a mistaken reading and not of the right one."""
    candidates = {case: item for case, item in found.items() if isinstance(item, Candidate) and item.held is None}
    usual = [
        earlier
        for (table, _), item in candidates.items()
        for earlier in last_weeks(candidates[table, RIGHT], item.delivery.feed.source_system)
    ]
    tables = list({item.delivery.feed.table.name: item.delivery.feed.table for item in candidates.values()}.values())
    verdicts = judge(settings_of(folder / "home"), tables, [*candidates.values(), *usual], ())
    told = {
        case: {
            verdict.check_name
            for verdict in verdicts
            if verdict.status != "pass" and verdict.subject == case[0] and item.batch_id in verdict.batch_ids
        }
        for case, item in candidates.items()
    }
    return {(table, mistake): checks - told[table, RIGHT] for (table, mistake), checks in told.items()}


# The vendor whose map has most to mistake is judged in every run, all of them under PROVE=1: a judgement is 3 s.
@pytest.mark.parametrize("vendor", VENDORS if PROVE else ("kingdee",))
def test_without_totals_a_wrong_sign_unit_or_currency_of_an_amount_is_told_and_blocks_or_warns(
    published_home: Published, tmp_path: Path, vendor: str
) -> None:
    found = read(published_home, vendor, tmp_path, has_totals=False)
    told = warnings(found, tmp_path)
    silent = {case for case, checks in told.items() if not checks and case[1] != RIGHT}
    with_amount = {table for table, mistake in found if isinstance(found[table, "sign"], Candidate)}
    assert {case for case in silent if case[1] != "clock" and case[0] in with_amount} == set()
    if vendor == "kingdee":
        assert told["finance.payment", "sign"] == {"negative_amount_share_is_as_usual"}
        assert told["finance.payment", "unit"] == {"mean_amount_ratio_as_usual"}
        assert told["finance.payment", "currency"] == {"new_currencies_as_usual"}
        assert "ordered_at_is_not_after_extracted_at" in told["sales.order", "clock"]
        # Days carry no clock, and an order's currency no money: nothing tells of those but the sender's totals.
        assert ("sales.order", "currency") in silent
