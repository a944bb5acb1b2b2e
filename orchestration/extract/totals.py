"""What the sender says a file adds up to, and whether the map reads just that.

Beside ``order_20250131.csv`` may stand ``order_20250131.csv.totals.csv``, written before it, with the columns

    business_date,currency,records,amount

in the contract's terms: the local day, the ISO code, how many records, and their control amount in whole units, signed
from the seller's side (a return is negative). Where a table has no day, no currency or no amount the column is empty.
A map with the wrong sign, unit, currency or clock reads other totals, and the file is held.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from orchestration.extract.physical import HeldFile

SUFFIX = ".totals.csv"
COLUMNS = ("business_date", "currency", "records", "amount")
SHOWN = 3

Group = tuple[date | None, str | None]


@dataclass(frozen=True)
class Total:
    """``amount`` is None where the table has none; ``unread`` counts records whose amount could not be read."""

    records: int
    amount: Decimal | None
    unread: int = 0


Totals = Mapping[Group, Total]


def totals_file(file: Path) -> Path:
    return file.with_name(file.name + SUFFIX)


def read_totals(file: Path) -> Totals:
    """What the sender says. Raises HeldFile naming the line that does not say it."""
    totals: dict[Group, Total] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            rows = list(csv.DictReader(lines, strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise HeldFile(f"{file.name} cannot be read ({error}), expected CSV in UTF-8") from error
    for line, row in enumerate(rows, start=2):
        try:
            day, currency, records, amount = (row[name].strip() for name in COLUMNS)
            group = (date.fromisoformat(day) if day else None, currency.upper() or None)
            total = Total(int(records), Decimal(amount) if amount else None)
        except (KeyError, AttributeError, ValueError, InvalidOperation) as error:
            raise HeldFile(
                f"{file.name} line {line} is {row}, expected {','.join(COLUMNS)} like 2025-01-31,EUR,12,345.60"
            ) from error
        if group in totals:
            raise HeldFile(f"{file.name} line {line} tells {_named(group)} a second time, expected each once")
        totals[group] = total
    return totals


def compare(said: Totals, found: Totals, unreadable: int) -> None:
    """Raise HeldFile where the file does not add up to what its sender says, with what would explain it.

    Of ``unreadable`` records the day or the currency is not known: so many may be missing from the groups.
    """
    different = [group for group in sorted({*said, *found}, key=str) if not _agree(said.get(group), found.get(group))]
    missing = [_records(said, group) - _records(found, group) for group in {*said, *found}]
    if not different or (min(missing) >= 0 and 0 < sum(missing) <= unreadable):
        return
    examples = "; ".join(
        f"{_named(group)}: {_told(found.get(group))}, the sender says {_told(said.get(group))}"
        for group in different[:SHOWN]
    )
    more = f" and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
    hint = next((text for text, explains in EXPLANATIONS if explains(said, found)), None)
    raise HeldFile(
        f"does not add up to its {SUFFIX[1:]}: {examples}{more}; {hint or 'ask the sender which of the two is right'}"
    )


def _agree(said: Total | None, found: Total | None) -> bool:
    if said is None or found is None or said.records != found.records:
        return False
    return said.amount is None or found.unread > 0 or said.amount == (found.amount or 0)


def _sums(totals: Totals, key: Callable[[Group], object], factor: int = 1) -> dict[object, tuple[int, Decimal]]:
    sums: dict[object, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal()))
    for group, total in totals.items():
        records, amount = sums[key(group)]
        sums[key(group)] = records + total.records, amount + factor * (total.amount or 0)
    return dict(sums)


def _whole(group: Group) -> object:
    return group


EXPLANATIONS: Sequence[tuple[str, Callable[[Totals, Totals], bool]]] = (
    (
        "the amounts are the same with the other sign: look at sign in the map",
        lambda said, found: _sums(said, _whole, -1) == _sums(found, _whole),
    ),
    (
        "the amounts are 100 times or a hundredth: look at minor_units in the map",
        lambda said, found: (
            _sums(said, _whole, 100) == _sums(found, _whole) or _sums(said, _whole) == _sums(found, _whole, 100)
        ),
    ),
    (
        "the days add up in other currencies: look at currency in the map",
        lambda said, found: _sums(said, lambda group: group[0]) == _sums(found, lambda group: group[0]),
    ),
    (
        "all days together add up, each alone does not: look at timezone in the map",
        lambda said, found: _sums(said, lambda group: group[1]) == _sums(found, lambda group: group[1]),
    ),
)


def _records(totals: Totals, group: Group) -> int:
    return totals[group].records if group in totals else 0


def _named(group: Group) -> str:
    return " ".join(str(part) for part in group if part is not None) or "the whole file"


def _told(total: Total | None) -> str:
    if total is None:
        return "nothing"
    return f"{total.records} records" + (f" of {total.amount:f}" if total.amount is not None else "")
