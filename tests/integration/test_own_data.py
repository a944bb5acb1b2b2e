"""Promises to a new user: a home from ``tiering init``, filled in for extracts of a shape of their own, grades them."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from installation import current, rows, settings_of, tiering

from orchestration.init import Company, init_home
from orchestration.policy import read_rows

FIRST, SECOND = date(2025, 12, 30), date(2025, 12, 31)
# What this company calls things: the name in sources.yml as it is begun, and what it is filled in with.
NAMES = {
    "customer_{delivery_date}.csv": "clients-{delivery_date}.csv",
    "customer_ref: customer_ref": "customer_ref: client",
    "customer_name: customer_name": "customer_name: client",
    "kind: kind": "kind: {column: sort, values: {F: company, P: person}}",
    "created_at: {column: created_at, timezone: Europe/Paris}": (
        'created_at: {column: since, timezone: local, formats: ["%d.%m.%Y"]}'
    ),
    "order_id: order_id": "order_id: number",
    "ordered_at: {column: ordered_at, timezone: Europe/Paris}": "ordered_at: {column: time, timezone: local}",
    "{local_date_of: ordered_at}": "{local_date_of: time}",
    "status: status": "status: {constant: fulfilled}",
    "entity_id: entity_id": "entity_id: {constant: shop}",
    "line_id: line_id": 'line_id: {join: [number, pos], with: "-"}',
    "product_id: product_id": "product_id: article",
    "quantity: quantity": "quantity: pieces",
    "gross_amount: gross_amount": "gross_amount: amount",
    "discount_amount: discount_amount": "discount_amount: {constant: 0}",
    "net_amount: net_amount": "net_amount: amount",
    "start_date: 2025-01-01": f"start_date: {FIRST}",
}


def write(file: Path, header: str, lines: list[tuple[object, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(header.split())
        writer.writerows(lines)


def deliver(landing: Path) -> None:
    """Forty clients; the nth buys every (n + 3)th day of 2025, the more the smaller n is."""
    write(
        landing / f"clients-{FIRST:%Y%m%d}.csv",
        "client sort since",
        [(f"K{n:02}", "PF"[n % 2], f"{n % 28 + 1:02}.11.2024") for n in range(40)],
    )
    bought = [
        (f"{n:02}-{day:%m%d}", n, day)
        for n in range(40)
        for back in range(0, 364, n + 3)
        if (day := SECOND - timedelta(days=back))
    ]
    for sent in (FIRST, SECOND):
        of_file = [order for order in bought if (order[2] == SECOND) == (sent == SECOND)]
        write(
            landing / f"order_{sent:%Y%m%d}.csv",
            "number client time",
            [(number, f"K{n:02}", f"{day} 10:00:00") for number, n, day in of_file],
        )
        write(
            landing / f"order_line_{sent:%Y%m%d}.csv",
            "number pos article pieces amount",
            [(number, 1, "A", 1, f"{500 - 10 * n}.00") for number, n, _ in of_file],
        )


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("own") / "home"
    begun = init_home(home, Company("Rives", "Europe/Paris", "EUR"))
    text = begun.sources.read_text(encoding="utf-8")
    for before, after in NAMES.items():
        assert before in text, before
        text = text.replace(before, after)
    begun.sources.write_text(text, encoding="utf-8")
    deliver(begun.landing / "sales")
    ran = tiering(home, "run")
    assert ran.returncode == 0, ran.stderr
    return home


def test_extracts_of_a_shape_of_their_own_are_graded_by_relative_bounds(graded: Path) -> None:
    tiers = str(current(graded) / "customer_tiers.parquet")
    counted = dict(rows("select tier, count(*) from read_parquet(?) group by tier", tiers))
    assert sum(counted.values()) == 40
    assert {"T1", "T4"} <= set(counted), "shares of customers give both ends somebody, whatever the amounts are"
    scores = rows("select min(tier_score), max(tier_score) from read_parquet(?)", tiers)
    assert scores[0][1] > scores[0][0]
    assert rows("select distinct policy_version from read_parquet(?)", tiers) == [("2025-1",)]


def test_money_is_in_the_currency_that_was_asked_for(graded: Path) -> None:
    orders = str(current(graded) / "customer_orders.parquet")
    ((net,),) = rows("select sum(net_amount) from read_parquet(?)", orders)
    expected = sum((500 - 10 * n) * len(range(0, 364, n + 3)) for n in range(40))
    assert net == expected
    assert [row["reporting_currency"] for _, row in read_rows(settings_of(graded).policy / "policy_versions.csv")] == [
        "EUR"
    ]


def test_a_version_of_the_companys_own_takes_over_the_next_day(graded: Path) -> None:
    new = ["policy", "new", "2026-1", "--from", "2026-01-01", "--approver", "A. Rives", "--note", "Ours"]
    told = tiering(graded, *new, "--approved-at", "2025-12-31T12:00:00+01:00")
    assert told.returncode == 0, told.stderr
    checked = tiering(graded, "policy", "check")
    assert (checked.returncode, "2026-1  in force from 2026-01-01" in checked.stdout) == (0, True), checked.stdout
