"""The policy a release was decided under: its rules, and in which line of which file each of them is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.policy import PolicyError, policy_rows
from orchestration.release.report_queries import Row


class CannotJudge(LookupError):
    """There is nothing to judge by; a lens's fallback stands in."""


class UnknownMethod(LookupError):
    """The policy judges in a way that is not known here."""


@dataclass(frozen=True)
class Policy:
    """One version. ``rules`` are rows of policy_rules, each with where it is written; ``version`` and ``lenses`` what
    only the policy's files say: who approved it, the reporting currency, and each lens's method and indicator.
    ``ranks``: those of the bands, by lens and name."""

    version: Row
    rules: tuple[Row, ...]
    lenses: dict[str, Row]
    ranks: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, kind: str, subject: str) -> list[Row]:
        return [rule for rule in self.rules if (rule["rule_kind"], rule["subject"]) == (kind, subject)]

    def parameter(self, name: str) -> Row:
        """Raises UnknownMethod when the policy has no such parameter."""
        found = self.of("parameter", name)
        if not found:
            raise UnknownMethod(f"policy_rules has no parameter {name}")
        return found[0]

    def band(self, lens: str, name: str) -> Row:
        return next(rule for rule in self.of("band", lens) if rule["rule_name"] == name)

    def rank(self, lens: str, name: str) -> int:
        """The rank of a band of a lens. Raises UnknownMethod where the policy's files do not define it."""
        if (lens, name) not in self.ranks:
            raise UnknownMethod(f"policy_bands.csv has no {name} of {lens}")
        return self.ranks[lens, name]

    def ranked(self, lens: str, rank: int) -> Row:
        """The band of a lens that has this rank. Raises CannotJudge without one."""
        for band in self.of("band", lens):
            if self.rank(lens, band["rule_name"]) == rank:
                return band
        raise CannotJudge(f"no band of {lens} has rank {rank}")

    def drops_out(self, lens: str) -> bool:
        """Whether the lens, where it cannot judge, leaves its weight to the others."""
        return bool(self.lenses[lens]["on_missing"] == "renormalise")

    def holding(self, subject: str, part: Decimal, whole: Decimal = Decimal(1)) -> Row:
        """The band whose bounds hold ``part / whole``, compared by multiplication. Raises CannotJudge without one."""
        for band in self.of("band", subject):
            lower, upper = band["lower_bound"], band["upper_bound"]
            if (lower is None or part >= lower * whole) and (upper is None or part < upper * whole):
                return band
        raise CannotJudge(f"no band of {subject} holds {part:f} of {whole:f}")


@dataclass(frozen=True)
class Place:
    """The file of a kind of rule, how a row of it is called in policy_rules, and the columns of its numbers."""

    file: str
    subject: str
    rule_name: str
    lower_bound: str = ""
    upper_bound: str = ""
    rule_value: str = ""


PLACES = {
    "parameter": Place("policy_parameters", "{parameter}", "{parameter}", rule_value="value"),
    "band": Place("policy_bands", "{lens}", "{band}", "lower_bound", "upper_bound", "score"),
    "weight": Place("policy_weights", "{target}", "{factor}", rule_value="weight"),
    "window": Place("policy_windows", "window", "{window_name}", rule_value="window_days"),
    "fallback": Place("policy_lenses", "{lens}", "{fallback_band}", rule_value="fallback_score"),
    "lens": Place("policy_lenses", "lens", "{lens}", rule_value="stage"),
    "order_status": Place("policy_order_statuses", "is_counted", "{status}", rule_value="is_counted"),
    "rfm_segment": Place("policy_rfm_segments", "{lens}", "{segment}", "recency_from", "recency_to"),
    "rfm_metric": Place("policy_rfm_metrics", "rfm", "{factor}", rule_value="is_less_better"),
    "cell": Place("policy_matrices", "{lens}", "{row_band} x {column_band}"),
    "label": Place("policy_labels", "{lens}", "{label}"),
    "part": Place("policy_parts", "{lens}", "{part}", rule_value="is_required"),
    "gate": Place("policy_gates", "{lens}", "{gate}"),
    "action": Place("policy_actions", "{lens}", "{band}", rule_value="followup_days"),
    "balance_kind": Place("policy_balance_kinds", "balance", "{product_kind}", rule_value="earning_rate"),
    "transition": Place("policy_transitions", "{lens}", "{from_band} to {to_band}", rule_value="is_expected"),
}
NUMBERS = ("lower_bound", "upper_bound", "rule_value")


def read_policy(folder: Path, policy_version: str, rules: Iterable[Row]) -> Policy:
    """The version that a release's policy_rules are of. Raises PolicyError when the folder does not state it."""
    versions = _written(folder, "policy_versions", policy_version)
    if not versions:
        raise PolicyError(
            f"policy: {folder} states no version {policy_version}, expected it: the release was decided under it; "
            "bring its rows back"
        )
    lenses = {row["lens"]: row for row in _written(folder, "policy_lenses", policy_version)}
    bands = _written(folder, "policy_bands", policy_version)
    ranks = {(row["lens"], row["band"]): int(row["band_rank"]) for row in bands}
    return Policy(versions[0], tuple(located(folder, rules)), lenses, ranks)


def located(folder: Path, rules: Iterable[Row]) -> list[Row]:
    """Rows of policy_rules with ``file``, ``line`` and ``is_as_written``: whether the file states the same numbers.

    File and line are null for a rule that the folder does not hold.
    """
    rules = list(rules)
    written: dict[tuple[str, str, str], tuple[Place, Row]] = {}
    for version in {rule["policy_version"] for rule in rules}:
        for kind, place in PLACES.items():
            for row in _written(folder, place.file, version):
                written[kind, place.subject.format(**row), place.rule_name.format(**row)] = place, row
    return [_located(rule, written.get((rule["rule_kind"], rule["subject"], rule["rule_name"]))) for rule in rules]


def _written(folder: Path, table: str, policy_version: str) -> list[Row]:
    """The rows of a version, each with its ``line``; none where the folder has no such file."""
    file = folder / f"{table}.csv"
    return [row | {"line": line} for line, row in policy_rows(file, policy_version)] if file.exists() else []


def _located(rule: Row, found: tuple[Place, Row] | None) -> Row:
    if found is None:
        return rule | {"file": None, "line": None, "is_as_written": False}
    place, row = found
    stated = {number: row.get(column) for number in NUMBERS if (column := getattr(place, number))}
    return rule | {
        "file": f"{place.file}.csv",
        "line": row["line"],
        "is_as_written": all(_number(text) == rule[number] for number, text in stated.items()),
    }


def _number(text: Any) -> Decimal | None:
    words = {"true": Decimal(1), "false": Decimal(0), "": None}
    return words[text] if text in words else Decimal(text)
