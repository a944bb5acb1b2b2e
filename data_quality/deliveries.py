"""What is usual for a delivery, from the deliveries of the same table by the same system before it.

A delivery is compared with those of its weekday, for trade follows the week; roots and logarithms, medians and median
deviations, so that a pay day, a holiday or the first complete file moves little. Too short a history says nothing.
Of the versions of a delivery only the newest is judged: it is the one that counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import TypeVar

from data_quality.rules import NegativeShare, NewestNear, Rule
from data_quality.table_rules import Figure, Within
from data_quality.thresholds import Thresholds

# The standard deviation of normal values in units of their median absolute deviation.
ROBUST = 1.4826
# The least deviation that counts as one: of the root of a Poisson number, and of a total's logarithm to ten.
ROOT_DEVIATION, LOG_DEVIATION = 0.5, 0.25
HOUR = timedelta(hours=1)
NO_HISTORY = "nothing to compare with: too few deliveries before"
NO_CURRENCY = "no currency of an amount to compare"


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """A version of what one system says of one table for one day. ``amounts``: its control amount per currency."""

    source_system: str
    delivery_date: date
    extracted_at: datetime
    records: int
    amounts: Mapping[str | None, Decimal]


@dataclass(frozen=True, kw_only=True)
class Arriving(Delivered):
    """A version that waits for its verdict. ``is_daily``: a day without it is missing something."""

    batch_id: str
    file: str
    day_ends_at: datetime
    is_daily: bool


Compared = tuple[Arriving, list[Delivered]]
N = TypeVar("N", int, Decimal)


def delivery_rules(
    thresholds: Thresholds,
    table: str,
    event_date: str | None,
    control_amount: str | None,
    *,
    arriving: Sequence[Arriving],
    before: Sequence[Delivered],
) -> tuple[Rule, ...]:
    """Volume, money and time of a table's deliveries. ``before`` are those that have landed, in any order.

    The rules about ``event_date`` and ``control_amount``, columns, want ``batch_id`` in the relation, the first also
    ``delivery_date``.
    """
    judged = _compared(arriving, before)
    of_any_day = _compared(arriving, before, same_weekday=False)
    figures = {
        "volume_deviation": _volume_deviations(thresholds, judged),
        "volume_share": _volume_shares(thresholds, judged),
        "money_deviation": _money_deviations(thresholds, judged),
        "mean_amount_ratio": _mean_amount_ratios(thresholds, of_any_day),
        "hours_before_the_end": _hours_before_the_end(judged),
    }
    found = {measure: tuple(values) for measure, values in figures.items()}
    lags = () if event_date is None else thresholds.of("delivery", table, "lag_days")
    signs = () if control_amount is None else thresholds.of("delivery", table, "negative_share")
    new = tuple(_new_currencies(of_any_day))
    return (
        *(
            Within(measure, values, row.minimum, row.maximum, nothing=NO_HISTORY, severity=row.severity)
            for measure, values in found.items()
            for row in thresholds.of("delivery", table, measure)
        ),
        *(
            Within("new_currencies", new, row.minimum, row.maximum, nothing=NO_CURRENCY, severity=row.severity)
            for row in thresholds.of("delivery", table, "new_currencies")
        ),
        *(NewestNear(str(event_date), row.minimum, row.maximum, severity=row.severity) for row in lags),
        *(NegativeShare(str(control_amount), row.minimum, row.maximum, severity=row.severity) for row in signs),
    )


def _compared(
    arriving: Sequence[Arriving], before: Sequence[Delivered], *, same_weekday: bool = True
) -> dict[str, Compared]:
    """By batch, each version that counts and the deliveries of its system and weekday before it, oldest first."""
    newest: dict[tuple[str, date], Delivered] = {}
    for one in sorted([*before, *arriving], key=lambda one: one.extracted_at):
        newest[one.source_system, one.delivery_date] = one
    by_day = sorted(newest.values(), key=lambda one: one.delivery_date)
    return {
        one.batch_id: (
            one,
            [
                other
                for other in by_day
                if other.source_system == one.source_system
                and other.delivery_date < one.delivery_date
                and (not same_weekday or other.delivery_date.weekday() == one.delivery_date.weekday())
            ],
        )
        for one in arriving
        if newest[one.source_system, one.delivery_date] == one
    }


def _volume_deviations(thresholds: Thresholds, judged: Mapping[str, Compared]) -> Iterator[Figure]:
    for batch_id, (one, alike) in judged.items():
        usual = _last(thresholds, [other.records for other in alike])
        if usual:
            roots = [math.sqrt(records) for records in usual]
            yield Figure(_deviation(math.sqrt(one.records), roots, ROOT_DEVIATION), _told(one, usual), batch_id)


def _volume_shares(thresholds: Thresholds, judged: Mapping[str, Compared]) -> Iterator[Figure]:
    """Of daily deliveries: what is delivered on change may well be little."""
    least, _ = thresholds.history("usual_records")
    for batch_id, (one, alike) in judged.items():
        usual = _last(thresholds, [other.records for other in alike])
        if one.is_daily and usual and median(usual) >= least:
            yield Figure(round(Decimal(one.records) / Decimal(median(usual)), 4), _told(one, usual), batch_id)


def _money_deviations(thresholds: Thresholds, judged: Mapping[str, Compared]) -> Iterator[Figure]:
    for batch_id, (one, alike) in judged.items():
        for currency, amount in one.amounts.items():
            usual = _last(thresholds, [total for other in alike if (total := other.amounts.get(currency))])
            if amount and usual:
                told = f"{one.file}: {amount:.2f} {currency or ''}".rstrip() + f", usual {median(usual):.2f}"
                logs = [math.log10(abs(total)) for total in usual]
                yield Figure(_deviation(math.log10(abs(amount)), logs, LOG_DEVIATION), told, batch_id)


def _mean_amount_ratios(thresholds: Thresholds, judged: Mapping[str, Compared]) -> Iterator[Figure]:
    """What a record is worth, of all currencies together: a unit or a decimal point read otherwise shows at once."""
    least, _ = thresholds.history("usual_records")
    for batch_id, (one, earlier) in judged.items():
        usual = _last(thresholds, [mean for other in earlier if (mean := _mean_amount(other))])
        if usual and one.records >= least:
            mean = _mean_amount(one)
            told = f"{one.file}: {mean:.2f} a record, usual {median(usual):.2f}"
            yield Figure(round(mean / median(usual), 4), told, batch_id)


def _mean_amount(one: Delivered) -> Decimal:
    total = sum((abs(amount) for amount in one.amounts.values()), Decimal())
    return total / one.records if one.records else Decimal()


def _new_currencies(judged: Mapping[str, Compared]) -> Iterator[Figure]:
    """How many currencies of a delivery none before it had; of the first delivery with money there is none before."""
    for batch_id, (one, earlier) in judged.items():
        known = {currency for other in earlier for currency in other.amounts}
        if known and one.amounts:
            new = sorted(str(currency) for currency in one.amounts if currency not in known)
            told = f"{one.file}: {', '.join(new)} never before" if new else f"{one.file}: no new currency"
            yield Figure(Decimal(len(new)), told, batch_id)


def _hours_before_the_end(judged: Mapping[str, Compared]) -> Iterator[Figure]:
    for batch_id, (one, _) in judged.items():
        early = one.day_ends_at - one.extracted_at
        told = f"{one.file} extracted {max(early, timedelta())} before the end of its day"
        yield Figure(round(Decimal(early / HOUR), 2), told, batch_id)


def _last(thresholds: Thresholds, values: list[N]) -> list[N]:
    """The newest of what deliveries of the same weekday held, oldest first; none when there are too few of them."""
    least, most = thresholds.history("same_weekday_deliveries")
    return values[-most:] if len(values) >= least else []


def _deviation(value: float, usual: Sequence[float], least: float) -> Decimal:
    """How far a value is from the median of what is usual, in robust standard deviations of at least ``least``."""
    middle = median(usual)
    spread = max(ROBUST * median(abs(other - middle) for other in usual), least)
    return round(Decimal((value - middle) / spread), 2)


def _told(one: Arriving, usual: Sequence[int]) -> str:
    return f"{one.file}: {one.records} records, usual {median(usual):g}"
