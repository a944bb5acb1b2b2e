"""Spare a build what dbt does for readers that it has not got here; it is a third of what dbt costs a small build.

The one place that reaches into dbt. ``tests/unit/test_dbt_overhead.py`` fails when what is replaced has moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.dataclass_schema import dbtClassMixin
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager


class Unheard(EventManager):  # type: ignore[misc]
    """Composes no message: there are no logs, and what fails is in the results. What would raise still raises."""

    def fire_event(
        self,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: Any = None,
        force_warn_or_error_handling: bool = False,
    ) -> None:
        if force_warn_or_error_handling or self.require_warn_or_error_handling:
            super().fire_event(e, level, node, force_warn_or_error_handling)


@contextmanager
def spared() -> Iterator[None]:
    """Within, for a project that has been parsed: no messages, no search of the call stack for the module that defines
    a flag, and no JSON schema against which to validate again what parsing has validated."""
    heard = get_event_manager()
    source, validate = BehaviorFlagRendered.__dict__["_default_source"], dbtClassMixin.__dict__["validate"]
    ctx_set_event_manager(Unheard())
    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")
    dbtClassMixin.validate = classmethod(lambda cls, data: None)
    try:
        yield
    finally:
        ctx_set_event_manager(heard)
        BehaviorFlagRendered._default_source = source
        dbtClassMixin.validate = validate
