"""Tables of a PostgreSQL server are pulled into the landing folder, where landing finds them like any file.

All tables of a source come from one read-only snapshot. The server says when that was; no clock is asked here. What
is in the rows is read by landing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet

from orchestration.errors import PlainError
from orchestration.extract.manifest import read_manifest
from orchestration.extract.query import Query
from orchestration.extract.readers import quoted
from orchestration.extract.registry import DATE_FIELD, EXTRACTED_FIELD, Feed, load_registry
from orchestration.locking import writing
from orchestration.settings import Settings, secret

WATERMARK, WATERMARK_TYPE = b"tiering.watermark", b"tiering.watermark_type"


class DatabaseError(PlainError):
    """A server cannot be reached or read."""


def pull_databases(settings: Settings) -> list[Path]:
    """Pull every source of sources.yml that is a database, as the only writer of the home. Raises Locked, too."""
    feeds = [feed for feed in load_registry(settings.sources).feeds if feed.query]
    if not feeds:
        return []
    with writing(settings):
        return pull(settings, feeds)


def pull(settings: Settings, feeds: Sequence[Feed]) -> list[Path]:
    """Write a Parquet file of each table for the last day that is over, unless that day has one; gives back the files.

    A source has all its files or none. Raises DatabaseError, which names no password.
    """
    if not settings.may_pull:
        return []
    of_databases = sorted((feed for feed in feeds if feed.query), key=lambda feed: feed.name)
    pulled: list[Path] = []
    for system, tables in groupby(of_databases, key=lambda feed: feed.source_system):
        pulled += _pull_source(settings, system, list(tables))
    return pulled


def _pull_source(settings: Settings, system: str, feeds: Sequence[Feed]) -> list[Path]:
    try:
        from adbc_driver_postgresql import dbapi as postgres
    except ImportError as error:
        raise DatabaseError(f"{system}: the driver of PostgreSQL is missing; install the extra: postgres") from error
    url = secret(_query(feeds[0]).url)
    folder = settings.landing / feeds[0].folder
    folder.mkdir(parents=True, exist_ok=True)
    landed = {batch.delivery for batch in read_manifest(settings.manifest)}
    written: dict[Path, Path] = {}
    try:
        with postgres.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            cursor.execute("set local timezone = 'UTC'")
            cursor.execute("select now()")
            (now,) = cursor.fetchone()
            for feed in feeds:
                local = now.astimezone(ZoneInfo(feed.timezone))
                day = local.date() - timedelta(days=1)
                if (system, feed.table.entity, day) not in landed and day not in _files(folder, feed):
                    target = folder / _file_name(feed, day, local)
                    written[target] = _write(cursor, feed, _watermark(folder, feed), folder / f".{target.name}")
    except postgres.Error as error:
        raise DatabaseError(
            f"{system}: the server that {_query(feeds[0]).url} names cannot be read: {_told(error, url)}; expected "
            "it to answer and to let its tables be read; see database and from in sources.yml"
        ) from error
    for target, part in written.items():
        os.replace(part, target)
    return list(written)


def _write(cursor: Any, feed: Feed, watermark: tuple[str, str] | None, part: Path) -> Path:
    """Stream the table's rows, all or from the watermark on, into ``part``, and compare how many they are."""
    query = _query(feed)
    since, newest = "", "cast(null as text), cast(null as text)"
    if query.cursor is not None:
        column = '"' + query.cursor.replace('"', "") + '"'
        newest = f"cast(max({column}) as text), cast(pg_typeof(max({column})) as text)"
        if watermark is not None:
            since = f"where {column} >= cast({quoted(watermark[0])} as {watermark[1]})"
            since += f" - interval '{query.overlap}'" if query.overlap else ""
    cursor.execute(f"select count(*), {newest} from {query.relation} {since}")
    expected, value, kind = cursor.fetchone()
    watermark = (value, kind) if value is not None else watermark
    cursor.execute(f"select * from {query.relation} {since}")
    reader = cursor.fetch_record_batch()
    schema = pa.schema([(field.name, _plain_type(feed, field)) for field in reader.schema])
    if watermark is not None:
        schema = schema.with_metadata({WATERMARK: watermark[0], WATERMARK_TYPE: watermark[1]})
    rows = 0
    try:
        with pyarrow.parquet.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(
                    pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], schema=schema)
                )
                rows += batch.num_rows
        if rows != expected:
            raise DatabaseError(f"{feed.name}: {rows} rows were pulled, expected {expected}; pull again")
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _plain_type(feed: Feed, field: pa.Field) -> pa.DataType:
    """The type in the file: a numeric is the text of all its digits, as are the server's other types of text."""
    kind = field.type
    storage = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    if isinstance(kind, pa.UuidType) or pa.types.is_string(storage):
        return pa.string()
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_nested(kind) or pa.types.is_interval(kind):
        raise DatabaseError(f"{feed.name}: column {field.name} is {kind}, expected a plain type; select it as text")
    return kind


def _plain(column: pa.Array) -> pa.Array:
    if isinstance(column.type, pa.UuidType):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _watermark(folder: Path, feed: Feed) -> tuple[str, str] | None:
    """The cursor's last value in the newest file, and its type; None where there is no file, or no value in it."""
    files = _files(folder, feed)
    if not files:
        return None
    metadata = pyarrow.parquet.read_schema(files[max(files)]).metadata or {}
    if WATERMARK not in metadata:
        return None
    return metadata[WATERMARK].decode(), metadata[WATERMARK_TYPE].decode()


def _files(folder: Path, feed: Feed) -> dict[date, Path]:
    """The newest pulled file of each day."""
    found = {file: arrival for file in folder.iterdir() if (arrival := feed.arrival(file.name))}
    ordered = sorted(found, key=lambda file: found[file].extracted_at)
    return {found[file].delivery_date: file for file in ordered}


def _file_name(feed: Feed, day: date, local: datetime) -> str:
    name = feed.files[0].replace(DATE_FIELD, f"{day:%Y%m%d}")
    return name.replace(EXTRACTED_FIELD, f"{local:%Y%m%dT%H%M%S}")


def _query(feed: Feed) -> Query:
    if feed.query is None:
        raise ValueError(f"{feed.name} is delivered in files")
    return feed.query


def _told(error: Exception, url: str) -> str:
    """The first line of the server's complaint without the URL or a password in it."""
    told = (str(error) or type(error).__name__).splitlines()[0]
    found = re.findall(r"://[^:/@]*:([^@]+)@|password=([^ &]+)", url)
    secrets = [url, *(text for pair in found for part in pair if part for text in (part, unquote(part)))]
    for text in secrets:
        told = told.replace(text, "***")
    return told
