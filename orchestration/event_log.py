"""Dagster's event log in one SQLite file over an engine that is kept, in one transaction an event or batch of events.

A run stores about a thousand events. Dagster's own storage makes new engines for each, opens up to five transactions
and asks the file for its tables and columns: that is most of what storing them would cost. The names that begin with an
underscore are Dagster's; ``tests/unit/test_event_log.py`` fails when they change their meaning.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import dagster as dg
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, inspect

BUSY_TIMEOUT_SECONDS = 60


class EventLog(ConsolidatedSqliteEventLogStorage):
    """``dagster.yaml`` names this class. ``dagster dev`` reads the same file while a run writes to it (WAL)."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._columns: dict[str, frozenset[str]] = {}
        self._thread = threading.local()
        super().__init__(base_dir, inst_data)

    def store_event(self, event: dg.EventLogEntry) -> None:
        with self._connect():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """All of the events or, when one cannot be stored, none."""
        with self._connect():
            super().store_event_batch(events)

    def has_table(self, table_name: str) -> bool:
        return bool(self._columns_of(table_name))

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()  # type: ignore[no-untyped-call]

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._conn_string, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        """The transaction this thread is in, or one of its own."""
        connection: Connection | None = getattr(self._thread, "connection", None)
        if connection is not None:
            yield connection
            return
        with self._engine.begin() as connection:
            self._thread.connection = connection
            try:
                yield connection
            finally:
                self._thread.connection = None

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        del conn
        return column_name in self._columns_of("asset_keys")

    def _columns_of(self, table: str) -> frozenset[str]:
        """Asked once: a table that is there keeps its columns while the file is open. Empty when there is none yet."""
        if table not in self._columns:
            with self._connect() as connection:
                inspector = inspect(connection)
                if not inspector.has_table(table):
                    return frozenset()
                self._columns[table] = frozenset(column["name"] for column in inspector.get_columns(table))
        return self._columns[table]
