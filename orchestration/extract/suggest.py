"""Which column of a file may be meant by which column of the contract: by its name, and by what its values look like.

Names are compared with the contract's own, with those of all shipped maps and with ``synonyms.yml``. Suggestions are
for a person to look at; nothing that is read depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from functools import cache, partial
from pathlib import Path

from orchestration.extract.contract import Column, Table, load_contract, read_yaml
from orchestration.extract.registry import MAPS

SYNONYMS = Path(__file__).with_name("synonyms.yml")
GOOD_ENOUGH = 0.72  # of the likeness of two names; below it a person finds better by reading
MOST_FAULTS = 0.05  # of the values that a reading need not fit
FORMATS = tuple(
    f"{day}{time}"
    for day in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%Y年%m月%d日")
    for time in ("", " %H:%M", " %H:%M:%S")
)
ISO = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?")
NUMBERS = {
    ".": re.compile(r"[-+]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?"),
    ",": re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?"),
}
OFFSET = re.compile(r":\d\d(\.\d+)? ?(Z|[+-]\d\d(:?\d\d)?)$")
CURRENCY = re.compile("[A-Za-z]{3}")
BOOLEANS = {"true": "true", "false": "false", "yes": "true", "no": "false", "y": "true", "n": "false", "1": "true",
    "0": "false", "ja": "true", "nein": "false", "是": "true", "否": "false"}  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """What the values of one source column look like in a sample. ``formats`` is None where they are no dates."""

    name: str
    filled: int
    words: tuple[str, ...]
    is_number: bool
    is_boolean: bool
    is_currency: bool
    formats: tuple[str, ...] | None
    has_offset: bool

    def fits(self, column: Column) -> bool:
        """Whether the column's type could be read from it. An empty sample fits anything."""
        if not self.filled or column.values or column.kind == "text":
            return True
        if column.kind in ("date", "timestamp"):
            return self.formats is not None
        if column.kind in ("boolean", "currency"):
            return self.is_boolean if column.kind == "boolean" else self.is_currency
        return self.is_number


@dataclass(frozen=True)
class Proposal:
    """A source column for a canonical one. ``likeness`` from 0 to 1; ``reason`` is the name it resembles."""

    column: Column
    profile: Profile
    likeness: float
    reason: str


def profiles(rows: Sequence[Mapping[str, str | None]], decimal: str = ".") -> list[Profile]:
    """One profile a column of a sample of records as texts."""
    found = []
    for name in rows[0] if rows else ():
        values = [text for row in rows if (text := (row[name] or "").strip())]
        found.append(
            Profile(
                name,
                filled=len(values),
                words=tuple(sorted(set(values))),
                is_number=nearly_all(values, NUMBERS[decimal].fullmatch),
                is_boolean=nearly_all(values, lambda text: text.lower() in BOOLEANS),
                is_currency=nearly_all(values, CURRENCY.fullmatch),
                formats=date_formats(values),
                has_offset=bool(values) and nearly_all(values, OFFSET.search),
            )
        )
    return found


def date_formats(values: Sequence[str]) -> tuple[str, ...] | None:
    """How these dates or times are written: () as ISO 8601 says, one of FORMATS, None where they are no dates."""
    if not values or nearly_all(values, ISO.fullmatch):
        return ()
    return next(((form,) for form in FORMATS if nearly_all(values, partial(_is, form))), None)


def nearly_all(values: Sequence[str], holds: Callable[[str], object]) -> bool:
    """Whether it holds for all but a few: one of three, or MOST_FAULTS of many."""
    faults = sum(1 for value in values if not holds(value))
    return faults <= max(MOST_FAULTS * len(values), len(values) > 2)


def proposals(table: Table, found: Sequence[Profile]) -> list[Proposal]:
    """The best source column for each canonical one, each used once, the likeliest pairs first."""
    pairs = [
        Proposal(column, profile, *likeness(table, column.name, profile.name))
        for column in table.columns
        for profile in found
        if profile.fits(column)
    ]
    pairs.sort(key=lambda pair: (-pair.likeness, not pair.column.is_required, pair.column.name, pair.profile.name))
    taken: dict[str, Proposal] = {}
    used: set[str] = set()
    for pair in pairs:
        if pair.likeness >= GOOD_ENOUGH and pair.column.name not in taken and pair.profile.name not in used:
            taken[pair.column.name] = pair
            used.add(pair.profile.name)
    return [taken[column.name] for column in table.columns if column.name in taken]


def likely_table(found: Sequence[Profile]) -> Table:
    """The contract table whose required columns the file's columns resemble most."""
    return max(load_contract().tables, key=lambda table: _resemblance(table, found))


def renamed(table: Table, goals: Sequence[str], missing: str, present: Sequence[str]) -> str | None:
    """Which column of the file took the place of ``missing``: one like it, or like what it is read for."""
    scored = [
        (max([_alike(missing, name), *(likeness(table, goal, name)[0] for goal in goals)]), name) for name in present
    ]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= GOOD_ENOUGH else None


def likeness(table: Table, column: str, name: str) -> tuple[float, str]:
    """How alike a source column's name is to a name that the canonical column goes by, and that name."""
    return max((_alike(known, name), known) for known in _known_names()[f"{table.name}.{column}"])


def _resemblance(table: Table, found: Sequence[Profile]) -> tuple[float, float]:
    best = {proposal.column.name: proposal.likeness for proposal in proposals(table, found)}
    required = [column for column in table.columns if column.is_required]
    share = sum(best.get(column.name, 0) for column in required) / len(required)
    return share, sum(best.values())


@cache
def _known_names() -> Mapping[str, tuple[str, ...]]:
    """``family.entity.column`` → all names that it goes by."""
    synonyms = read_yaml(SYNONYMS)
    shipped: dict[str, set[str]] = {}
    for file in MAPS.glob("*.yml"):
        for table, body in read_yaml(file)["tables"].items():
            for column, spec in body["columns"].items():
                shipped.setdefault(f"{table}.{column}", set()).update(_sources(spec))
    return {
        f"{table.name}.{column.name}": tuple(
            sorted(
                {column.name, *synonyms.get(column.name, ()), *shipped.get(f"{table.name}.{column.name}", ())}
                | set(re.findall(r"[\u4e00-\u9fff]+", column.description))
            )
        )
        for table in load_contract().tables
        for column in table.columns
    }


def _sources(spec: object) -> Iterator[str]:
    if isinstance(spec, str):
        yield spec
    elif isinstance(spec, dict) and isinstance(name := spec.get("column", spec.get("local_date_of")), str):
        yield name


def _alike(known: str, name: str) -> float:
    left, right = _plain(known), _plain(name)
    if left == right:
        return 1.0
    if set(left.split()) == set(right.split()) or left.replace(" ", "") == right.replace(" ", ""):
        return 0.95
    if set(left.split()) < set(right.split()):
        return 0.8
    return 0.9 * SequenceMatcher(None, left, right).ratio()


@cache
def _plain(name: str) -> str:
    """The words of a name in lower case: CustomerNo, customer_no and "Customer No." are the same."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"\w+", parted.replace("_", " ").lower()))


def _is(form: str, text: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - whether it can be read, not when it is
    except ValueError:
        return False
    return True
