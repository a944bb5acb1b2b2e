"""Dagster's event log in one SQLite file over an engine that is kept: its own makes a new engine for every event.

A run stores about six hundred events. With a new engine each, they cost a fifth of a day's CPU seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine

BUSY_TIMEOUT_SECONDS = 60


class EventLog(ConsolidatedSqliteEventLogStorage):
    """``dagster.yaml`` names this class. ``dagster dev`` reads the same file while a run writes to it (WAL)."""

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._conn_string, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()  # type: ignore[no-untyped-call]
