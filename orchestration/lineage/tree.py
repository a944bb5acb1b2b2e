"""The lineage of one column as a tree of words, and as what it reaches: read from a release's ``lineage.json``.

Like the page it follows the main edges. A condition on the way makes what is behind it one step less direct; the tree
counts the conditions behind the first and leaves them out, the list of what is reached does not.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from orchestration.errors import PlainError
from orchestration.lineage.graph import LINEAGE, MAIN, ROWS
from orchestration.release.catalogue import NoRelease

LEAVES = ("source", "policy", "run")


class UnknownColumn(PlainError):
    """The lineage has no such column."""


class Lineage:
    """The main edges of a release's lineage, from a column to what it comes from or, ``down``, to what it goes into."""

    def __init__(self, document: Mapping[str, Any], down: bool = False) -> None:
        near, other = ("from", "to") if down else ("to", "from")
        self.down = down
        self.columns: dict[str, dict[str, Any]] = {column["id"]: column for column in document["columns"]}
        self.kinds: dict[str, str] = {node["name"]: node["kind"] for node in document["nodes"]}
        self.layers: dict[str, str] = {node["name"]: node["layer"] for node in document["nodes"]}
        self.edges: dict[str, list[tuple[str, str, str]]] = {}
        for edge in document["edges"]:
            if edge["is_main"]:
                told = [mark for mark in edge["by"] if mark in MAIN] or edge["by"]
                by = "value" if edge["kind"] == "value" else ", ".join(told)
                self.edges.setdefault(edge[near], []).append((edge[other], edge["kind"], by))
        for edges in self.edges.values():
            edges.sort(key=lambda edge: (edge[1] != "value", edge[0]))

    @classmethod
    def of_release(cls, release: Path, down: bool = False) -> Lineage:
        """Raises NoRelease when the release was published without a lineage."""
        file = release / LINEAGE
        if not file.exists():
            raise NoRelease(
                f"no {LINEAGE} in {release}, which is older than lineages; the next `tiering run` writes one"
            )
        return cls(json.loads(file.read_text(encoding="utf-8")), down)

    def reached(self, column: str) -> dict[str, int]:
        """Every column behind this one, with how many conditions lie between at least; the most direct first.

        Raises UnknownColumn naming what resembles it.
        """
        if column not in self.columns:
            alike = get_close_matches(column, self.columns, n=5) or ["customer_tiers.tier_score"]
            raise UnknownColumn(f"lineage: there is no column {column!r}, expected one like {', '.join(alike)}")
        found: dict[str, int] = {}
        waiting = deque([(column, 0)])
        while waiting:
            at, conditions = waiting.popleft()
            if at in found:
                continue
            found[at] = conditions
            for other, kind, _ in self.edges.get(at, ()):
                if kind == "value":
                    waiting.appendleft((other, conditions))
                else:
                    waiting.append((other, conditions + 1))
        del found[column]
        return found

    def ends(self, column: str) -> dict[str, int]:
        """Of what is reached the ends of the way: columns of sources, policy and run, or ``down`` those of marts."""
        return {
            found: conditions
            for found, conditions in self.reached(column).items()
            if not found.endswith(f".{ROWS}") and self._is_end(found.rpartition(".")[0])
        }

    def lines(self, column: str) -> Iterator[tuple[int, str]]:
        """The tree in lines with their depth. What was told before is named and not told again."""
        yield from self._branch(column, "", 0, 0, {})

    def _is_end(self, node: str) -> bool:
        if self.down:
            return self.layers[node] not in ("staging", "intermediate", "ml", *LEAVES)
        return self.kinds[node] in LEAVES

    def _branch(
        self, column: str, by: str, depth: int, conditions: int, seen: dict[str, int]
    ) -> Iterator[tuple[int, str]]:
        edges, is_told = self.edges.get(column, []), seen.get(column, conditions + 1) <= conditions
        seen[column] = min(conditions, seen.get(column, conditions))
        told = self.columns.get(column, {})
        pii = f" [{told['pii']}]" if told.get("pii", "P0") != "P0" else ""
        delivered = f"  = {'; '.join(told['delivered_as'])}" if told.get("delivered_as") else ""
        shown = [] if is_told else [edge for edge in edges if edge[1] == "value" or not conditions]
        left_out = len(edges) - len(shown)
        note = " (above)" if is_told and edges else f" (and {left_out} conditions)" if left_out else ""
        yield depth, f"{by + ': ' if by else ''}{column}{pii}{note}{delivered}"
        for other, kind, how in shown:
            yield from self._branch(other, how, depth + 1, conditions + (kind != "value"), seen)
