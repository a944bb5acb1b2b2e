"""The gates of a policy as a release tells them: which band of a lens holds whom at least or at most in a tier."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestration.release.report_queries import Row

TOLD = re.compile(r"(?P<band>.+?):(?: at least (?P<floor>.+?))?(?: at most (?P<ceiling>.+?))?(?:;.*)?")


@dataclass(frozen=True, eq=False)
class Gate:
    """``floor`` and ``ceiling`` are tiers, one of them or both; ``rule`` is the row of policy_rules."""

    name: str
    lens: str
    band: str
    floor: str | None
    ceiling: str | None
    rule: Row


def open_gates(rules: Iterable[Row], bands: Mapping[str, str]) -> list[Gate]:
    """The gates among rows of policy_rules that a customer with these bands by lens comes to, by name."""
    gates = [_gate(rule) for rule in rules if rule["rule_kind"] == "gate"]
    return sorted((gate for gate in gates if bands.get(gate.lens) == gate.band), key=lambda gate: gate.name)


def _gate(rule: Row) -> Gate:
    told = TOLD.fullmatch(rule["provenance_note"])
    if told is None:
        raise ValueError(f"gate {rule['rule_name']}: {rule['provenance_note']!r} names no band and tier")
    return Gate(rule["rule_name"], rule["subject"], told["band"], told["floor"], told["ceiling"], rule)
