"""A customer's indicators, added up from its source rows in plain Decimal: another path than the warehouse's SQL.

What a delivered row amounts to and which days it counts on; sums over the policy's windows. No rank, no band, no score.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from orchestration.audit.provenance import Source, SourceRow

DIGITS = 60  # of quotients, so that no rounding before the last one shows
Key = tuple[str, str]  # an account: source system and code
ONE_DAY = timedelta(days=1)
MEASURES = (
    *("order_count", "gross_amount", "discount_amount", "net_amount", "returned_amount", "margin_amount"),
    *("costless_amount", "due_amount", "collected_amount", "late_collected_amount", "contact_count"),
)
BALANCES = ("open_amount", "overdue_amount", "pipeline_amount")


@dataclass(frozen=True)
class Entry:
    """What one row adds to one measure: it counts from ``day`` on, and in a window while that holds ``window_day``."""

    measure: str
    day: date
    window_day: date
    amount: Decimal
    row: SourceRow


class Rates:
    """The newest known spot rate up to ``max_age`` days old; the reporting currency converts at one."""

    def __init__(self, rows: Iterable[SourceRow], reporting_currency: str, max_age: int) -> None:
        self.reporting_currency, self.max_age = reporting_currency, max_age
        self.used: set[SourceRow] = set()
        self.rows: dict[tuple[str, date], SourceRow] = {}
        for row in sorted(rows, key=lambda row: (row.source_system, row.batch_id)):
            said = row.values
            if said["rate_kind"] == "spot" and said["to_ccy"] == reporting_currency:
                self.rows[said["from_ccy"], said["rate_date"]] = row

    def of(self, currency: str | None, day: date) -> Decimal | None:
        if currency == self.reporting_currency:
            return Decimal(1)
        for age in range(self.max_age + 1):
            if row := self.rows.get((str(currency), day - age * ONE_DAY)):
                self.used.add(row)
                return Decimal(row.values["rate"])
        return None


def converted(amount: Decimal | None, rate: Decimal) -> Decimal | None:
    """An amount in the reporting currency, rounded once, half away from zero."""
    return None if amount is None else (amount * rate).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def quotient(part: Decimal, whole: Decimal, step: str, rounding: str) -> Decimal | None:
    """``part / whole`` to a step; None where there is no whole."""
    with localcontext(prec=DIGITS):
        return (part / whole).quantize(Decimal(step), rounding) if whole else None


def entries(source: Source, accounts: Collection[Key], rates: Rates, counted: Mapping[str, bool]) -> list[Entry]:
    """What every row in force adds for the accounts. ``counted``: order status → whether such orders count."""
    found = [*_trade(source, accounts, rates, counted), *_receivables(source, accounts, rates)]
    for row in source.in_force("crm.opportunity"):
        said, day = row.values, row.values["business_date"]
        rate = rates.of(said["currency"], day)
        if (row.source_system, said["account_id"]) in accounts and not said["is_closed"] and rate is not None:
            found += _entry(row, day, day, pipeline_amount=converted(said["amount"], rate))
    for row in source.in_force("crm.activity"):
        if (row.source_system, row.values["account_id"]) in accounts:
            found += _entry(row, row.values["business_date"], row.values["business_date"], contact_count=Decimal(1))
    return found


def indicators(
    found: Collection[Entry], as_of: date, windows: Mapping[str, int | None], names: Iterable[str]
) -> dict[str, tuple[Any, int]]:
    """The named indicators as of a day, each with how many rows it was added up from. Unknown names are left out.

    ``windows``: name → days, the as-of day and those before it; None for all of history.
    """

    def summed(measure: str, window: str) -> tuple[Decimal, int]:
        days = windows[window]
        parts = [
            entry.amount
            for entry in found
            if entry.measure == measure
            and entry.day <= as_of
            and (days is None or entry.window_day > as_of - days * ONE_DAY)
        ]
        return sum(parts, Decimal(0)), len(parts)

    def share(part: str, whole: str, window: str, *also: str) -> tuple[Decimal | None, int]:
        (top, _), (bottom, count) = summed(part, window), summed(whole, window)
        return quotient(top, bottom + sum(summed(name, window)[0] for name in also), "0.000001", ROUND_FLOOR), count

    def dated(measure: str) -> list[date]:
        """Days of the measure up to the as-of day in order, of which the first and the last are wanted."""
        return sorted(entry.day for entry in found if entry.measure == measure and entry.day <= as_of)

    orders, contacts = dated("order_count"), dated("contact_count")
    net, order_count = summed("net_amount", "365d"), summed("order_count", "365d")
    special: dict[str, tuple[Any, int]] = {
        "first_order_date": (orders[0] if orders else None, len(orders)),
        "last_order_date": (orders[-1] if orders else None, len(orders)),
        "last_contact_date": (contacts[-1] if contacts else None, len(contacts)),
        "recency_days": ((as_of - orders[-1]).days if orders else None, len(orders)),
        "tenure_days": ((as_of - orders[0]).days if orders else None, len(orders)),
        "days_since_contact": ((as_of - contacts[-1]).days if contacts else None, len(contacts)),
        "average_order_amount_365d": (quotient(net[0], order_count[0], "0.0001", ROUND_HALF_UP), net[1]),
        "return_rate_365d": share("returned_amount", "net_amount", "365d", "returned_amount"),
        "discount_rate_365d": share("discount_amount", "gross_amount", "365d"),
        "collection_rate_730d": share("collected_amount", "due_amount", "730d"),
        "late_payment_rate_365d": share("late_collected_amount", "collected_amount", "365d"),
        **{name: summed(name, "all") for name in BALANCES},
    }
    for name in names:
        measure, _, window = name.rpartition("_")
        if measure in MEASURES and window in windows:
            special[name] = summed(measure, window)
    return {name: special[name] for name in names if name in special}


def _trade(source: Source, accounts: Collection[Key], rates: Rates, counted: Mapping[str, bool]) -> Iterator[Entry]:
    """Counted orders, their lines at the rate of their day, returns at the rate of the order they come back from."""
    orders = {
        (row.source_system, row.record_id): row
        for row in source.in_force("sales.order")
        if row.values["status"] in counted
    }
    lines = {(row.source_system, row.record_id): row for row in source.in_force("sales.order_line")}

    def order_of(line: SourceRow | None) -> SourceRow | None:
        return orders.get((line.source_system, line.values["order_id"])) if line else None

    def rate_of(order: SourceRow) -> Decimal | None:
        said = order.values
        return rates.of(said["currency"], said["business_date"]) if counted[said["status"]] else None

    for order in orders.values():
        if (order.source_system, order.values["customer_ref"]) in accounts and rate_of(order) is not None:
            yield from _entry(order, order.values["business_date"], None, order_count=Decimal(1))
    for line in lines.values():
        parent = order_of(line)
        if parent is None or (parent.source_system, parent.values["customer_ref"]) not in accounts:
            continue
        if (rate := rate_of(parent)) is not None:
            parts = {name: converted(line.values[name], rate) for name in ("gross_amount", "discount_amount")}
            yield from _entry(line, parent.values["business_date"], None, **parts, **_net(line, rate))
    for back in source.in_force("sales.return_line"):
        said = back.values
        parent = order_of(lines.get((back.source_system, said["original_line_id"])))
        customer = said["customer_ref"] or (parent.values["customer_ref"] if parent else None)
        if (back.source_system, customer) not in accounts or (parent is not None and rate_of(parent) is None):
            continue
        rate = rates.of(said["currency"], parent.values["business_date"] if parent else said["business_date"])
        if rate is not None:
            parts = _net(back, rate)
            returned = -(parts["net_amount"] or Decimal(0))
            yield from _entry(back, said["business_date"], None, **parts, returned_amount=returned)


def _net(row: SourceRow, rate: Decimal) -> dict[str, Decimal | None]:
    net, cost = converted(row.values["net_amount"], rate), converted(row.values["cost_amount"], rate)
    if net is None or cost is None:
        return {"net_amount": net, "costless_amount": net}
    return {"net_amount": net, "margin_amount": net - cost}


def _receivables(source: Source, accounts: Collection[Key], rates: Rates) -> Iterator[Entry]:
    """Invoices, what was paid on them and credited, all of an invoice at the rate of its day and due when it is."""
    invoices = {
        (row.source_system, row.record_id): row
        for row in source.in_force("finance.invoice")
        if row.values["status"] != "void"
    }

    def dates(invoice: SourceRow) -> tuple[date, date]:
        issued = invoice.values["issued_date"]
        return issued, max(invoice.values["due_date"] or issued, issued)

    def rate_of(invoice: SourceRow) -> Decimal | None:
        return rates.of(invoice.values["currency"], invoice.values["issued_date"])

    for row in invoices.values():
        if (row.source_system, row.values["customer_ref"]) in accounts and (rate := rate_of(row)) is not None:
            yield from _owed(row, row.values["issued_date"], *dates(row), converted(row.values["total_amount"], rate))
    for row in source.in_force("finance.payment_allocation"):
        invoice = invoices.get((row.source_system, row.values["invoice_id"]))
        if invoice is None or (row.source_system, invoice.values["customer_ref"]) not in accounts:
            continue
        if (rate := rate_of(invoice)) is not None:
            paid = converted(row.values["amount"], rate) or Decimal(0)
            yield from _owed(row, row.values["applied_date"], *dates(invoice), -paid, is_payment=True)
    for row in source.in_force("finance.credit_note"):
        if (row.source_system, row.values["customer_ref"]) not in accounts:
            continue
        invoice = invoices.get((row.source_system, row.values["invoice_id"]))
        own = row.values["issued_date"]
        issued, due = dates(invoice) if invoice else (own, own)
        rate = rates.of(row.values["currency"], issued)
        if rate is not None and (invoice is None or rate_of(invoice) is not None):
            yield from _owed(row, own, issued, due, converted(row.values["amount"], rate))


def _owed(
    row: SourceRow, day: date, issued: date, due: date, amount: Decimal | None, *, is_payment: bool = False
) -> Iterator[Entry]:
    amount = amount or Decimal(0)
    yield from _entry(row, day, issued, open_amount=amount)
    yield from _entry(row, max(day, due + ONE_DAY), issued, overdue_amount=amount)
    if not is_payment:
        yield from _entry(row, max(day, due), issued, due_amount=amount)
        return
    yield from _entry(row, max(day, due), issued, collected_amount=-amount)
    if day > due:
        yield from _entry(row, max(day, due), issued, late_collected_amount=-amount)


def _entry(row: SourceRow, day: date, window_day: date | None, **amounts: Decimal | None) -> Iterator[Entry]:
    for measure, amount in amounts.items():
        if amount is not None:
            yield Entry(measure, day, window_day or day, amount, row)
