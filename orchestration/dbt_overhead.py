"""Spare a build what dbt does for readers that it has not got here; it is a third of what dbt costs a small build.

The one place that reaches into dbt. ``tests/unit/test_dbt_overhead.py`` fails when what is replaced has moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from dbt.clients.jinja import MacroGenerator
from dbt.context.macros import FlatNamespace, FullNamespace, MacroNamespace, MacroNamespaceBuilder
from dbt.contracts.graph.nodes import Macro, ParsedNode
from dbt.include.global_project import PROJECT_NAME
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.clients import jinja
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


class OneLookup(MacroNamespace):  # type: ignore[misc]
    """The macros that a node sees, each name decided beforehand in the order of search: a node asks for all of them."""

    def __init__(self, *of_root_node_and_internal: FlatNamespace, packages: dict[str, FlatNamespace]) -> None:
        of_root, of_node, internal = of_root_node_and_internal
        super().__init__(of_root, of_node, internal, packages)
        self._found: FullNamespace = {**internal, PROJECT_NAME: internal, **packages, **of_root, **of_node}

    def __getitem__(self, name: str) -> Any:
        return self._found[name]

    def _keys(self) -> set[str]:
        return set(self._found)


def namespace_of(
    builder: MacroNamespaceBuilder, macros: Mapping[str, Mapping[str, Macro]], context: dict[str, Any]
) -> OneLookup:
    """What ``MacroNamespaceBuilder.build_namespace`` gives, package by package instead of macro by macro."""
    of: dict[str, FlatNamespace] = {
        package: {name: MacroGenerator(macro, context, builder.node, builder.thread_ctx) for name, macro in own.items()}
        for package, own in macros.items()
    }
    internal: FlatNamespace = {}
    for package in reversed(builder.internal_package_names_order):
        internal |= of.get(package, {})
    packages = {package: own for package, own in of.items() if package not in builder.internal_package_names}
    of_node = packages.get(builder.search_package, {})
    of_root = {} if builder.search_package == builder.root_package else packages.get(builder.root_package, {})
    return OneLookup(of_root, of_node, internal, packages=packages)


@contextmanager
def spared() -> Iterator[None]:
    """Within, for a project that has been parsed: no messages, no search of the call stack for the module that defines
    a flag, no JSON schema against which to validate again what parsing has validated, no search for each macro of each
    node, no template engine anew for each text, and no file of the SQL that a node ran, which is in its result."""
    engine_for = jinja.get_environment
    of_texts = cache(engine_for)

    def environment_of(node: Any = None, capture_macros: bool = False, native: bool = False) -> Any:
        # Only an engine that captures macros knows of its node, and writes to it.
        return engine_for(node, True, native) if capture_macros else of_texts(native=native)

    replacements: tuple[tuple[Any, str, Any], ...] = (
        (jinja, "get_environment", environment_of),
        (BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt")),
        (dbtClassMixin, "validate", classmethod(lambda cls, data: None)),
        (MacroNamespaceBuilder, "build_namespace", namespace_of),
        (ParsedNode, "write_node", lambda node, project_root, compiled_path, compiled_code: None),
    )
    heard, replaced = get_event_manager(), [owner.__dict__[name] for owner, name, _ in replacements]
    ctx_set_event_manager(Unheard())
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)
    try:
        yield
    finally:
        ctx_set_event_manager(heard)
        for (owner, name, _), original in zip(replacements, replaced, strict=True):
            setattr(owner, name, original)
