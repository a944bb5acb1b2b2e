"""How a customer buys and pays, from its source rows in plain Decimal: growth, rhythm, assortment, days to pay.

Who is asked about, and when, is here, too; what is said of the customer and done beside trade is in
``recompute_relations``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from typing import Any

from orchestration.audit.provenance import Source
from orchestration.audit.recompute_facts import DIGITS, ONE_DAY, Entry, Key, Rates, quotient

Figure = tuple[Any, int]  # a value, and how many rows it comes from
SIX, FOUR = "0.000001", "0.0001"
MONTHS = 12


@dataclass(frozen=True)
class Asked:
    """Of whom, when and by which rules. ``accounts`` in the order of their codes; ``parameter`` of the policy."""

    accounts: Sequence[Key]
    as_of: date
    windows: Mapping[str, int | None]
    parameter: Callable[[str], Decimal]
    rates: Rates

    def holds(self, day: date, window: str) -> bool:
        """Whether a trailing window holds a day."""
        days = self.windows[window]
        return day <= self.as_of and (days is None or day > self.as_of - days * ONE_DAY)


def total(asked: Asked, trade: Collection[Entry], measure: str, window: str) -> Decimal:
    """The sum of a measure over a window."""
    return sum(
        (entry.amount for entry in trade if entry.measure == measure and asked.holds(entry.window_day, window)),
        Decimal(0),
    )


def habits(source: Source, trade: Collection[Entry], asked: Asked) -> dict[str, Figure]:
    """Every such indicator by name. ``trade``: entries up to the as-of day."""
    return {**_grown(asked, trade), **_paced(asked, trade), **_bought(source, asked, trade), **_paid(source, asked)}


def _grown(asked: Asked, trade: Collection[Entry]) -> dict[str, Figure]:
    quarter, year, two = (total(asked, trade, "net_amount", window) for window in ("90d", "365d", "730d"))
    orders, gross = (total(asked, trade, name, "365d") for name in ("order_count", "gross_amount"))
    discounted = sum(
        (
            entry.amount
            for entry in trade
            if entry.measure == "gross_amount"
            and asked.holds(entry.day, "365d")
            and entry.row.values["discount_amount"] > 0
        ),
        Decimal(0),
    )
    costed = year - total(asked, trade, "costless_amount", "365d")
    margin = total(asked, trade, "margin_amount", "365d")
    months = _net_by_month(asked, trade)
    slope = MONTHS * sum(t * net for t, net in enumerate(months)) - sum(range(MONTHS)) * sum(months)
    spread = MONTHS * sum(t * t for t in range(MONTHS)) - sum(range(MONTHS)) ** 2
    variation = _variation(months)
    figures = {
        "yearly_growth_rate": _share(year - (two - year), two - year) if two > year else None,
        "recent_net_rate": _share(quarter, year) if year > 0 else None,
        "margin_rate_365d": _share(margin, costed),
        "discounted_share_rate_365d": _share(discounted, gross),
        "repeat_order_rate_365d": _share(orders - 1, orders),
        "trend_amount_365d": quotient(Decimal(slope), Decimal(spread), FOUR, ROUND_HALF_UP) if months else None,
        "purchase_stability_rate_365d": None if variation is None else _share(Decimal(1), 1 + variation),
    }
    return {name: (value, len(trade)) for name, value in figures.items()}


def _net_by_month(asked: Asked, trade: Collection[Entry]) -> list[Decimal]:
    """Of the last twelve whole months, the earliest first; none where there was no trade in them."""
    after = asked.as_of + ONE_DAY
    last = after.year * MONTHS + after.month - 1  # the month of the day after is the first that is not whole
    months: dict[int, Decimal] = defaultdict(Decimal)
    active = False
    for entry in trade:
        place = entry.day.year * MONTHS + entry.day.month - 1 - (last - MONTHS)
        if 0 <= place < MONTHS and entry.measure in ("order_count", "net_amount", "margin_amount", "costless_amount"):
            active = True
            months[place] += entry.amount if entry.measure == "net_amount" else 0
    return [months[place] for place in range(MONTHS)] if active else []


def _paced(asked: Asked, trade: Collection[Entry]) -> dict[str, Figure]:
    ordered: dict[date, Decimal] = defaultdict(Decimal)
    for entry in trade:
        if entry.measure == "order_count":
            ordered[entry.day] += entry.amount
    days = sorted(day for day, count in ordered.items() if count > 0)
    pairs = list(pairwise(days))
    gaps = sorted((later - earlier).days for earlier, later in pairs if asked.holds(earlier, "730d"))
    longest = asked.parameter("consecutive_gap_days")
    in_a_row = 0
    later = asked.as_of
    for day in reversed(days):
        if (later - day).days > longest:
            break
        in_a_row, later = in_a_row + 1, day
    months = len({(day.year, day.month) for day in days if asked.holds(day, "365d")})
    first = days[0] if days else None
    years = first and asked.as_of.year - first.year - ((asked.as_of.month, asked.as_of.day) < (first.month, first.day))
    figures: dict[str, Any] = {
        "active_month_count_365d": months,
        "orders_per_active_month_365d": _share(total(asked, trade, "order_count", "365d"), Decimal(months)),
        "consecutive_purchase_count": in_a_row,
        "purchase_gap_days_p50_730d": _nearest(gaps, 50),
        "purchase_gap_variation_730d": _variation([Decimal(gap) for gap in gaps]),
        "tenure_years": years,
    }
    return {name: (value, len(days)) for name, value in figures.items()}


def _bought(source: Source, asked: Asked, trade: Collection[Entry]) -> dict[str, Figure]:
    products = {(row.source_system, row.record_id): row.values for row in source.in_force("sales.product")}
    kinds: dict[str, dict[str, Decimal]] = {"category_l1": defaultdict(Decimal), "brand": defaultdict(Decimal)}
    lines = [
        entry
        for entry in trade
        if entry.measure == "net_amount" and entry.row.table == "sales.order_line" and asked.holds(entry.day, "365d")
    ]
    for line in lines:
        product = products.get((line.row.source_system, line.row.values["product_id"]), {})
        for kind, amounts in kinds.items():
            if product.get(kind) is not None:
                amounts[product[kind]] += line.amount
    first = {
        kind: min(amounts, key=lambda name: (-amounts[name], name.encode()), default=None)
        for kind, amounts in kinds.items()
    }
    brands = sum(kinds["brand"].values(), Decimal(0))
    figures = {
        "category_count_365d": len(kinds["category_l1"]) if "sales.product" in source.delivered else None,
        "favourite_category": first["category_l1"],
        "favourite_brand": first["brand"],
        "favourite_brand_rate_365d": _share(kinds["brand"][first["brand"]], brands)
        if first["brand"] and brands > 0
        else None,
    }
    return {name: (value, len(lines)) for name, value in figures.items()}


def _paid(source: Source, asked: Asked) -> dict[str, Figure]:
    accounts = set(asked.accounts)
    parts: dict[Key, list[tuple[date, Decimal]]] = defaultdict(list)
    invoices = {(row.source_system, row.record_id): row.values for row in source.in_force("finance.invoice")}
    for row in source.in_force("finance.payment_allocation"):
        parts[row.source_system, row.values["invoice_id"]].append((row.values["applied_date"], row.values["amount"]))
    for row in source.in_force("finance.credit_note"):
        key = row.source_system, row.values["invoice_id"]
        if key in invoices and invoices[key]["currency"] == row.values["currency"]:
            parts[key].append((row.values["issued_date"], -row.values["amount"]))
    settled, every = [], []
    for key, said in invoices.items():
        issued = said["issued_date"]
        if (
            said["status"] == "void"
            or (key[0], said["customer_ref"]) not in accounts
            or not asked.holds(issued, "730d")
        ):
            continue
        day = _settling_day(issued, said["total_amount"], parts[key])
        if day is not None and day <= asked.as_of:
            settled.append((day - issued).days)
        every.append((min(day or asked.as_of, asked.as_of) - issued).days)
    ways = Counter(
        row.values["method"]
        for row in source.in_force("finance.payment")
        if (row.source_system, row.values["customer_ref"]) in accounts
        and asked.holds(row.values["received_date"], "730d")
        and row.values["method"] is not None
        and not row.values["is_refund"]
    )
    return {
        "days_to_pay_p50_730d": (_nearest(sorted(settled), 50), len(settled)),
        "days_to_pay_p90_730d": (_nearest(sorted(settled), 90), len(settled)),
        "max_days_to_pay_730d": (max(every, default=None), len(every)),
        "payment_method": (min(ways, key=lambda way: (-ways[way], way.encode()), default=None), ways.total()),
    }


def _settling_day(issued: date, owed: Decimal, parts: list[tuple[date, Decimal]]) -> date | None:
    """The first day by which the parts reach what is owed, never before the issue; None while they do not."""
    if owed <= 0:
        return issued
    paid: dict[date, Decimal] = defaultdict(Decimal)
    for day, amount in parts:
        paid[day] += amount
    reached = Decimal(0)
    for day in sorted(paid):
        reached += paid[day]
        if reached >= owed:
            return max(day, issued)
    return None


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return quotient(part, whole, SIX, ROUND_FLOOR)


def _nearest(values: Sequence[int], percent: int) -> int | None:
    """The percentile by nearest rank of values in order."""
    return values[-(-len(values) * percent // 100) - 1] if values else None


def _variation(values: Sequence[Decimal]) -> Decimal | None:
    """Standard deviation over mean, to six digits; None where the sum is not above zero."""
    summed = sum(values, Decimal(0))
    if summed <= 0:
        return None
    with localcontext(prec=DIGITS):
        squares = sum((value * value for value in values), Decimal(0))
        return ((len(values) * squares - summed**2).sqrt() / summed).quantize(Decimal(SIX), ROUND_HALF_UP)


def period_end(period: str) -> date | None:
    """The last day of 2025, 2025-Q1 or 2025-01; None for anything else."""
    year, _, part = period.partition("-")
    try:
        month = 12 if not part else 3 * int(part[1:]) if part.startswith("Q") else int(part)
        following = date(int(year) + month // 12, month % 12 + 1, 1)
    except ValueError:
        return None
    return following - timedelta(days=1) if 1 <= month <= MONTHS else None
