"""What a delivered batch must keep before it enters raw: one suite per contract table.

The base is generated from the contract; what it cannot say, rules between columns, is added here by hand.
Relationships between tables are dbt's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from data_quality.rules import Between, InSet, NoRowsWhere, NotNull, Rule, Unique
from data_quality.table_rules import HasColumns


class ContractColumn(Protocol):
    """What this module reads of a contract column."""

    @property
    def name(self) -> str: ...
    @property
    def sql_type(self) -> str: ...
    @property
    def null_policy(self) -> str: ...
    @property
    def is_required(self) -> bool: ...
    @property
    def values(self) -> tuple[str, ...]: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...


class ContractTable(Protocol):
    """What this module reads of a contract table."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> Sequence[ContractColumn]: ...


# A local date may differ from the UTC date of its instant by the time zone, so by one day at most.
_MORE_THAN_A_DAY_FROM = "abs(date_diff('day', cast({instant} at time zone 'UTC' as date), business_date)) > 1"

CROSS_FIELD_RULES: Mapping[str, tuple[Rule, ...]] = {
    "crm.opportunity": (NoRowsWhere("a_won_opportunity_is_closed", "is_won and not is_closed"),),
    "crm.activity": (
        NoRowsWhere("business_date_is_near_occurred_at", _MORE_THAN_A_DAY_FROM.format(instant="occurred_at")),
    ),
    "sales.order": (
        NoRowsWhere("business_date_is_near_ordered_at", _MORE_THAN_A_DAY_FROM.format(instant="ordered_at")),
    ),
    "sales.order_line": (
        NoRowsWhere("net_amount_is_gross_less_discount", "gross_amount - discount_amount <> net_amount"),
        # Tills send lines without a quantity, for coupons: .6 % of the Complete Journey's. No measure divides by it.
        NoRowsWhere("quantity_is_not_zero", "quantity = 0", severity="warning"),
        NoRowsWhere("gross_amount_is_not_zero", "gross_amount = 0", severity="warning"),
    ),
    "sales.return_line": (
        NoRowsWhere("business_date_is_near_returned_at", _MORE_THAN_A_DAY_FROM.format(instant="returned_at")),
    ),
    "finance.invoice": (
        NoRowsWhere("due_date_is_not_before_issued_date", "due_date < issued_date", severity="warning"),
    ),
    "finance.fx_rate": (NoRowsWhere("rate_is_positive", "rate <= 0"),),
}


def contract_suite(table: ContractTable) -> tuple[Rule, ...]:
    """The rules of a contract table, for a relation that also carries the envelope's ``batch_id``."""
    columns = (("batch_id", "varchar"), *((column.name, column.sql_type) for column in table.columns))
    return (
        HasColumns(columns),
        Unique(("batch_id", *table.key)),
        *(rule for column in table.columns for rule in _column_rules(column)),
        *CROSS_FIELD_RULES.get(table.name, ()),
    )


def _column_rules(column: ContractColumn) -> Iterator[Rule]:
    if column.is_required:
        yield NotNull(column.name)
    elif column.null_policy == "W":
        yield NotNull(column.name, severity="warning")
    if column.values:
        yield InSet(column.name, column.values)
    if column.minimum is not None or column.maximum is not None:
        yield Between(column.name, column.minimum, column.maximum)
