"""Tiers over time said once more, in a plain loop over the days. Uses nothing of the project.

A tier is held from the day that earns it until a day of review, past the customer's grace, on which it was neither kept
within the days of dwelling nor earned within those of holding. Gates and people move it for the day alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Row = tuple[Any, ...]
# The ranks of a floor and of a ceiling.
Limits = tuple[int | None, int | None]
# From the highest: the rank of a tier is its place.
BOUNDS: Mapping[str, Decimal | None] = {"T1": Decimal(80), "T2": Decimal(60), "T3": Decimal(35), "T4": None}
TIERS = list(BOUNDS)
NO_TIER = len(TIERS) + 1


@dataclass(frozen=True)
class Rules:
    margin: Decimal
    dwell: int
    hold: int
    grace: int
    months: int

    def is_review(self, day: date) -> bool:
        return self.months == 0 or (day.day == 1 and (day.month - 1) % self.months == 0)


@dataclass(frozen=True)
class Told:
    """A customer on a day: its score, its first order, and between which ranks the gates, and people, hold its tier."""

    score: Decimal
    tenure: int | None
    gates: Limits
    people: Limits


Days = Mapping[date, Mapping[str, Told]]


@dataclass
class Standing:
    """The rank held, and the last days that earned and kept each tier."""

    held: int
    earned: dict[int, date]
    kept: dict[int, date]


def reached(score: Decimal) -> int:
    """The rank of the best tier whose bound the score reaches."""
    return min(rank for rank, bound in enumerate(BOUNDS.values(), start=1) if bound is None or score >= bound)


def within(rank: int, limits: Limits) -> int:
    floor, ceiling = limits
    return max(min(rank, floor or rank), ceiling or 1)


def plainly(days: Days, rules: Rules) -> tuple[list[Row], list[Row]]:
    """What the tables should hold: tier' = greatest(up, least(tier, ceiling)), day after day."""
    standings, tiers = [], []
    known: dict[str, Standing] = {}
    for day, customers in days.items():
        today: dict[str, Standing] = {}
        for who, told in customers.items():
            up, keep = reached(told.score), reached(told.score + rules.margin)
            before = known.get(who)
            earned = (before.earned if before else {}) | dict.fromkeys(range(up, NO_TIER), day)
            kept = (before.kept if before else {}) | dict.fromkeys(range(keep, NO_TIER), day)
            held = before.held if before else NO_TIER
            if rules.is_review(day) and (told.tenure is None or told.tenure >= rules.grace):
                recent = [
                    rank
                    for rank in range(1, NO_TIER)
                    if kept.get(rank, date.min) > day - timedelta(days=rules.dwell)
                    or earned.get(rank, date.min) > day - timedelta(days=rules.hold)
                ]
                held = max(held, min(recent, default=NO_TIER))
            held = min(held, up)
            today[who] = Standing(held, earned, kept)
            standings += [
                (day, who, rank, up <= rank, keep <= rank, earned.get(rank), kept.get(rank), held <= rank)
                for rank in range(1, NO_TIER)
            ]
            decided = within(held, told.gates)
            ranks = (up, within(up, told.gates), held, decided, within(decided, told.people))
            tiers.append((day, who, *(TIERS[rank - 1] for rank in ranks), told.score))
        known = today
    return sorted(standings), sorted(tiers)
