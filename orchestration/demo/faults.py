"""Which records with faults the demo company's systems send, in the words of their files.

Numbers from 99000001 on are planted; the company itself never gets that far. Here: what is wrong and what finds it.
How a record gets into its file, and what is wrong with whole files, is ``plant.py``'s part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

RESTATED = "SO99000009"
OLDER_THAN_A_RATE_MAY_BE = timedelta(days=30)

Fields = Mapping[str, str] | Sequence[str]


@dataclass(frozen=True)
class Fault:
    """``found_as``: the rule of quarantine, the check, or what a mart says of the record. ``column``: of the file."""

    kind: str
    found_as: str
    column: str | None = None


@dataclass(frozen=True)
class Record:
    """A record to append to the file of a feed and day: its columns, or its fields where the line is broken.

    The first field is its number in its system. ``fault`` is None for a record that only completes another.
    """

    feed: str
    day: date
    fields: Fields
    fault: Fault | None = None

    @property
    def number(self) -> str:
        return next(iter(self.fields.values() if isinstance(self.fields, Mapping) else self.fields))


@dataclass(frozen=True)
class Customer:
    """A customer known to every system, under its code in each."""

    crm: str
    sales: str
    finance: str


def planted_records(days: Sequence[date], customer: Customer) -> Iterator[Record]:
    """All records with faults for the days that carry them, but the lines of the restated delivery."""
    yield from _orders(days, customer)
    yield from _returns(days, customer)
    yield from _receivables(days, customer)
    yield from _payments(days, customer)
    yield Record("sales.order", days[2], _order(RESTATED, days[2], customer.sales))
    yield Record("crm.activity", days[2], ("HD99000001", customer.crm, "电话"), Fault("broken_line", "broken_line"))


def restated_lines(day: date) -> tuple[list[Record], list[Record]]:
    """The lines of the restated order as first sent, one of them too high and one too many, and as meant."""
    too_high, right, too_many = (_line(RESTATED, *line) for line in ((1, 5000), (1, 500), (2, 700)))
    first = [Record("sales.order_line", day, line) for line in (too_high, too_many)]
    return first, [Record("sales.order_line", day, right)]


def _orders(days: Sequence[date], customer: Customer) -> Iterator[Record]:
    """Per day: an order without a customer, one of an unknown customer, one with odd prices."""
    nobody, stranger = Fault("order_without_customer", "no_customer_given", "cust_code"), "D-99999"
    unknown = Fault("unknown_customer", "unknown_customer", "cust_code")
    for place, day in enumerate(days[:2]):
        first, second, third = (f"SO9900000{3 * place + number}" for number in (1, 2, 3))
        yield Record("sales.order", day, _order(first, day, ""), nobody)
        yield Record("sales.order", day, _order(second, day, stranger), unknown)
        yield Record("sales.order", day, _order(third, day, customer.sales))
        for order_no in (first, second, third):
            yield Record("sales.order_line", day, _line(order_no, 1, 400))
        yield Record("sales.order_line", day, _line(third, 2, -90), Fault("negative_price", "range", "list_value"))
        free = Fault("zero_price", "gross_amount_is_not_zero", "list_value")
        yield Record("sales.order_line", day, _line(third, 3, 0), free)


def _returns(days: Sequence[date], customer: Customer) -> Iterator[Record]:
    """Goods brought back on the day of their order, and goods of an order that no file names."""
    for place, day in enumerate(days[1:3]):
        order_no = f"SO9900000{7 + place}"
        yield Record("sales.order", day, _order(order_no, day, customer.sales))
        yield Record("sales.order_line", day, _line(order_no, 1, 300))
        for number, line, fault in (
            (2 * place + 1, f"{order_no}-1", Fault("same_day_return", "returned_amount", "return_time")),
            (2 * place + 2, ("", "SO98000000-1")[place], Fault("orphan_return", "is_orphan", "source_line_key")),
        ):
            returned = {
                "return_key": f"RT-9900000{number}",
                "source_line_key": line,
                "cust_code": customer.sales,
                "return_time": f"{day} 16:30:00",
                "qty": "1",
                "net_value": "60.00",
                "cost_value": "40.00",
                "currency": "CNY",
                "return_reason": "质量问题",
            }
            yield Record("sales.return_line", day, returned, fault)


def _receivables(days: Sequence[date], customer: Customer) -> Iterator[Record]:
    """Invoices in a currency that does not exist, and in one whose only rate is too old or was sent without a value."""
    for day, rate_date, rate, fault in (
        (days[0], days[0] - OLDER_THAN_A_RATE_MAY_BE, "9.1500", None),
        (days[2], days[2], "", Fault("missing_rate", "required", "rate")),
    ):
        told = {"from_currency": "GBP", "to_currency": "CNY", "rate_date": str(rate_date), "rate": rate}
        yield Record("finance.fx_rate", day, told, fault)
    unknown = Fault("unknown_currency", "no_fx_rate", "currency")
    missing = Fault("missing_rate", "no_fx_rate", "currency")
    for number, (day, currency, fault) in enumerate(
        ((days[1], "RNB", unknown), (days[2], "EUO", unknown), (days[1], "GBP", missing), (days[2], "GBP", missing)), 1
    ):
        invoice = {
            "invoice_no": f"FP9900000{number}",
            "debtor_no": customer.finance,
            "order_no": "",
            "invoice_date": str(day),
            "due_date": str(day + timedelta(days=30)),
            "currency": currency,
            "gross_total": "1130.00",
            "vat_total": "130.00",
            "state": "O",
            "opening_item": "N",
        }
        yield Record("finance.invoice", day, invoice, fault)


def _payments(days: Sequence[date], customer: Customer) -> Iterator[Record]:
    """Money booked by hand: text in an amount, days written in three ways that are understood and one that is not."""
    text = Fault("text_in_number", "type", "amount")
    other_way = Fault("date_in_other_format", "accepted", "value_date")
    no_way = Fault("date_not_understood", "type", "value_date")
    number = 0
    for day in (days[0], days[2]):
        for written, amount, fault in (
            (f"{day:%Y-%m-%d}", "12OO.50", text),
            (f"{day:%Y-%m-%d}", "约1200", text),
            (f"{day:%Y/%m/%d}", "100.00", other_way),
            (f"{day:%d.%m.%Y}", "100.00", other_way),
            (f"{day:%d %B %Y}", "100.00", no_way),
        ):
            number += 1
            payment = {
                "receipt_no": f"SK990000{number:02}",
                "debtor_no": customer.finance,
                "value_date": written,
                "amount": amount,
                "currency": "CNY",
                "method": "cash",
                "refund": "N",
                "unapplied": "0.00",
            }
            yield Record("finance.payment", day, payment, fault)
    broken = Fault("broken_line", "broken_line")
    yield Record("finance.payment", days[0], ("SK99000091", customer.finance, f"{days[0]}"), broken)
    whole = (f"{days[2]}", "100.00", "CNY", "cash", "N", "0.00")
    yield Record("finance.payment", days[2], ("SK99000092", customer.finance, *whole, "一次付清", "ok"), broken)


def _order(order_no: str, day: date, cust_code: str) -> dict[str, str]:
    return {
        "order_no": order_no,
        "cust_code": cust_code,
        "order_time": f"{day} 10:15:00",
        "order_status": "SHIP",
        "sales_channel": "counter",
        "company_code": "CN01",
        "currency": "CNY",
        "promised_date": f"{day}",
        "delivered_date": f"{day}",
    }


def _line(order_no: str, line_no: int, list_value: int) -> dict[str, str]:
    """A line of five pieces without a discount, at 13 % tax and 60 % cost."""
    return {
        "line_key": f"{order_no}-{line_no}",
        "line_no": f"{line_no}",
        "order_no": order_no,
        "item_code": "SP-0001",
        "qty": "5",
        "unit_price": f"{list_value / 5:.2f}",
        "list_value": f"{list_value}",
        "discount_value": "0",
        "net_value": f"{list_value}",
        "tax_value": f"{list_value * 0.13:.2f}",
        "cost_value": f"{list_value * 0.6:.2f}",
    }
