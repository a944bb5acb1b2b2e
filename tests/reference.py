"""The lenses and the tier said once more, straight from the policy's rows in plain Decimal. Uses nothing of it.

A customer is a dict of figures and texts by the name that policy_lenses uses; scores carry their horizon, as in
``potential_margin_amount_90d``. What a mart of its own judges comes ready, as ``evidence[lens][customer]``.
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from standings import Limits, Rules, within

Judged = tuple[str, Decimal]
Row = dict[str, str]


class Reference:
    """``bands[lens][customer]`` is (band, score) of everybody whom the lens can judge."""

    def __init__(
        self, policy: Path, customers: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Mapping[str, Judged]]
    ) -> None:
        self.customers, self.evidence = customers, evidence
        self.rows = {file.stem.removeprefix("policy_"): _rows(file) for file in policy.glob("*.csv")}
        self.lenses = {row["lens"]: row for row in self.rows["lenses"]}
        self.of_lens: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows["bands"]:
            self.of_lens[row["lens"]].append(row)
        self.ranks = {row["band"]: int(row["band_rank"]) for row in self.of_lens["tier"]}
        self.bands: dict[str, dict[str, Judged]] = {}
        for row in sorted(self.lenses.values(), key=lambda row: row["stage"]):
            self.bands[row["lens"]] = dict(self._judged(row))

    def tier(self, customer: str) -> tuple[str, str, Decimal]:
        """Tier by points, tier after the gates, and the points."""
        kept, found = self._factors("tier", customer)
        whole = sum((Decimal(row["weight"]) for row in kept), Decimal())
        [base] = (row for row in self.rows["parameters"] if row["parameter"] == "tier_base_score")
        weighed = sum(self._score(row["factor"], found[row["factor"]]) * Decimal(row["weight"]) for row in kept)
        points = Decimal(base["value"]) + _fourth(weighed / whole)
        by_points = self._holding("tier", points)
        gated = within(self.ranks[by_points["band"]], self.gates(customer))
        return by_points["band"], {rank: tier for tier, rank in self.ranks.items()}[gated], points

    def gates(self, customer: str) -> Limits:
        """The ranks that the customer's gates hold its tier between."""
        open_gates = [
            gate
            for gate in self.rows["gates"]
            if (found := self.bands[gate["lens"]].get(customer)) and found[0] == gate["band"]
        ]
        return self.limits((gate["floor_tier"], gate["ceiling_tier"]) for gate in open_gates)

    def limits(self, orders: Iterable[tuple[str | None, str | None]]) -> Limits:
        """The highest of the floors and the lowest of the ceilings, as ranks."""
        told = list(orders)
        floors = [self.ranks[floor] for floor, _ in told if floor]
        ceilings = [self.ranks[ceiling] for _, ceiling in told if ceiling]
        return min(floors, default=None), max(ceilings, default=None)

    def rules(self) -> Rules:
        """How slowly a tier is lost."""
        value = {row["parameter"]: Decimal(row["value"]) for row in self.rows["parameters"]}
        days = (int(value[f"tier_{name}"]) for name in ("dwell_days", "hold_days", "grace_days", "review_months"))
        return Rules(value["tier_keep_margin"], *days)

    def _judged(self, lens: Row) -> Iterable[tuple[str, Judged]]:
        if lens["lens"] in self.evidence:
            return self.evidence[lens["lens"]].items()
        methods = {"cut": self._cut, "rank": self._rank, "label": self._label, "worst": self._part, "best": self._part}
        methods |= {"weighted": self._weighted, "count": self._count, "matrix": self._matrix}
        return methods[lens["method"]](lens)

    def _known(self, name: str) -> dict[str, Any]:
        return {customer: told[name] for customer, told in self.customers.items() if told.get(name) is not None}

    def _cut(self, lens: Row) -> Iterable[tuple[str, Judged]]:
        for customer, figure in self._known(lens["indicator"]).items():
            yield customer, self._placed(lens["lens"], Decimal(figure))

    def _rank(self, lens: Row) -> Iterable[tuple[str, Judged]]:
        known = self._known(lens["indicator"])
        ordered = sorted(known.values())
        for customer, figure in known.items():
            yield customer, self._placed(lens["lens"], Decimal(bisect_left(ordered, figure)), Decimal(len(known)))

    def _label(self, lens: Row) -> Iterable[tuple[str, Judged]]:
        words = {row["label"]: row["band"] for row in self.rows["labels"] if row["lens"] == lens["lens"]}
        for customer, told in self._known(lens["indicator"]).items():
            word = str(told).lower() if isinstance(told, bool) else told
            if word in words:
                yield customer, self._named(lens["lens"], words[word])

    def _part(self, lens: Row) -> Iterable[tuple[str, Judged]]:
        parts = [row for row in self.rows["parts"] if row["lens"] == lens["lens"]]
        for customer in self.customers:
            ranks = {row["part"]: self._place(row["part"], customer) for row in parts}
            told = [rank for rank in ranks.values() if rank]
            if told and all(ranks[row["part"]] for row in parts if row["is_required"] == "true"):
                chosen = max(told) if lens["method"] == "worst" else min(told)
                [band] = (row["band"] for row in self.of_lens[lens["lens"]] if int(row["band_rank"]) == chosen)
                yield customer, self._named(lens["lens"], band)

    def _weighted(self, lens: Row) -> Iterable[tuple[str, Judged]]:
        for customer in self.customers:
            kept, found = self._factors(lens["lens"], customer)
            if any(found.values()):
                points = sum(self._score(row["factor"], found[row["factor"]]) * Decimal(row["weight"]) for row in kept)
                whole = sum(Decimal(row["weight"]) for row in kept)
                yield customer, self._placed(lens["lens"], _fourth(points / whole))

    def _count(self, lens: Row) -> Iterable[tuple[str, Judged]]:
        counted = Counter(band for band, _ in self.bands[lens["indicator"]].values())
        for customer, (band, _) in self.bands[lens["indicator"]].items():
            yield customer, self._placed(lens["lens"], Decimal(counted[band]))

    def _matrix(self, lens: Row) -> Iterable[tuple[str, Judged]]:
        for cell in (row for row in self.rows["matrices"] if row["lens"] == lens["lens"]):
            for customer, (band, _) in self.bands[cell["row_lens"]].items():
                column = self.bands[cell["column_lens"]].get(customer)
                if band == cell["row_band"] and column and column[0] == cell["column_band"]:
                    yield customer, self._named(lens["lens"], cell["band"])

    def _factors(self, target: str, customer: str) -> tuple[list[Row], dict[str, Judged | None]]:
        """The rows of weights that count for the customer, and what each factor says of it."""
        rows = [row for row in self.rows["weights"] if row["target"] == target]
        found = {row["factor"]: self.bands[row["factor"]].get(customer) for row in rows}
        return [row for row in rows if found[row["factor"]] or not self._drops_out(row["factor"])], found

    def _holding(self, lens: str, part: Decimal, whole: Decimal = Decimal(1)) -> Row:
        """The one band with lower x whole <= part < upper x whole."""
        [band] = (
            row
            for row in self.of_lens[lens]
            if (not row["lower_bound"] or part >= Decimal(row["lower_bound"]) * whole)
            and (not row["upper_bound"] or part < Decimal(row["upper_bound"]) * whole)
        )
        return band

    def _placed(self, lens: str, part: Decimal, whole: Decimal = Decimal(1)) -> Judged:
        return self._named(lens, self._holding(lens, part, whole)["band"])

    def _named(self, lens: str, band: str) -> Judged:
        [row] = (row for row in self.of_lens[lens] if row["band"] == band)
        return band, Decimal(row["score"])

    def _place(self, lens: str, customer: str) -> int | None:
        found = self.bands[lens].get(customer)
        return next((int(row["band_rank"]) for row in self.of_lens[lens] if found and row["band"] == found[0]), None)

    def _drops_out(self, lens: str) -> bool:
        return self.lenses[lens]["on_missing"] == "renormalise"

    def _score(self, lens: str, found: Judged | None) -> Decimal:
        return found[1] if found else Decimal(self.lenses[lens]["fallback_score"])


def _rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def _fourth(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.0001"), ROUND_HALF_UP)
