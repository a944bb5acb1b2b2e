"""What a delivered batch must keep before it enters raw: one suite per contract table.

The base is generated from the contract; what it cannot say, rules between columns, is added here by hand. What is
usual for a delivery as a whole is told in ``deliveries.py``.
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
    def kind(self) -> str: ...
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

# A row may be of a time to come only if it says what is planned: what happened, the sender knew when it was extracted.
_LATER_THAN_EXTRACTED = "{instant} > extracted_at"
_CURRENCY_CODE = "not regexp_full_match({column}, '[A-Z]{{3}}')"
_NO_PERIOD = "not regexp_full_match(period, '[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?')"


def _warn(promise: str, condition: str) -> NoRowsWhere:
    return NoRowsWhere(promise, condition, severity="warning")


def _near(instant: str) -> NoRowsWhere:
    return NoRowsWhere(f"business_date_is_near_{instant}", _MORE_THAN_A_DAY_FROM.format(instant=instant))


def _not_later_than_extracted(instant: str) -> NoRowsWhere:
    return _warn(f"{instant}_is_not_after_extracted_at", _LATER_THAN_EXTRACTED.format(instant=instant))


_A_PERIOD = NoRowsWhere("period_is_a_year_a_quarter_or_a_month", _NO_PERIOD)
_VALID = NoRowsWhere("valid_to_is_after_valid_from", "valid_to <= valid_from")

CROSS_FIELD_RULES: Mapping[str, tuple[Rule, ...]] = {
    "crm.account": (
        _not_later_than_extracted("created_at"),
        _warn("no_account_is_its_own_parent", "parent_account_id = account_id"),
        _warn("no_account_recommends_itself", "referred_by_account_id = account_id"),
        _warn(
            "an_amount_has_its_currency",
            "currency is null and coalesce(annual_revenue, total_assets, credit_limit) is not null",
        ),
    ),
    "crm.account_identity": (_VALID,),
    "crm.lead": (
        _not_later_than_extracted("created_at"),
        _warn("no_lead_is_followed_up_before_it_came_in", "next_followup_at < created_at"),
        _warn("nobody_is_met_before_the_lead_came_in", "met_at < created_at"),
    ),
    "crm.opportunity": (
        NoRowsWhere("a_won_opportunity_is_closed", "is_won and not is_closed"),
        _near("created_at"),
        _not_later_than_extracted("created_at"),
        _warn("an_amount_has_its_currency", "amount is not null and currency is null"),
        _warn("close_date_is_not_before_business_date", "close_date < business_date"),
        _warn("a_reason_for_losing_is_of_a_lost_opportunity", "lost_reason is not null and (is_won or not is_closed)"),
    ),
    "crm.activity": (_near("occurred_at"), _not_later_than_extracted("occurred_at")),
    "sales.customer": (_not_later_than_extracted("created_at"),),
    "sales.order": (
        _near("ordered_at"),
        _not_later_than_extracted("ordered_at"),
        _warn("nothing_is_delivered_before_it_is_ordered", "delivered_date < business_date"),
        _warn("nothing_is_promised_for_before_it_is_ordered", "promised_date < business_date"),
    ),
    "sales.order_line": (
        NoRowsWhere("net_amount_is_gross_less_discount", "gross_amount - discount_amount <> net_amount"),
        # Tills send lines without a quantity, for coupons: .6 % of the Complete Journey's. No measure divides by it.
        _warn("quantity_is_not_zero", "quantity = 0"),
        _warn("gross_amount_is_not_zero", "gross_amount = 0"),
        _warn("discount_amount_is_at_most_gross_amount", "discount_amount > gross_amount"),
        _warn("cost_amount_is_not_negative", "cost_amount < 0"),
    ),
    "sales.return_line": (
        _near("returned_at"),
        _not_later_than_extracted("returned_at"),
    ),
    "sales.contract": (
        _warn("no_contract_renews_itself", "renewed_by_contract_id = contract_id"),
        _warn("end_date_is_not_before_start_date", "end_date < start_date"),
        _warn(
            "a_reason_for_cancelling_is_of_a_cancelled_contract", "cancel_reason is not null and cancelled_at is null"
        ),
    ),
    "sales.target": (_A_PERIOD,),
    "finance.customer": (_warn("a_credit_limit_has_its_currency", "credit_limit is not null and currency is null"),),
    "finance.invoice": (
        _warn("due_date_is_not_before_issued_date", "due_date < issued_date"),
        _warn("tax_amount_is_at_most_total_amount", "abs(tax_amount) > total_amount"),
    ),
    "finance.payment": (_warn("unapplied_amount_is_at_most_amount", "abs(unapplied_amount) > abs(amount)"),),
    "finance.payment_allocation": (_warn("amount_is_not_zero", "amount = 0"),),
    "finance.fx_rate": (
        NoRowsWhere("rate_is_positive", "rate <= 0"),
        NoRowsWhere("a_currency_is_worth_itself", "from_ccy = to_ccy and rate <> 1"),
    ),
    "finance.cost_to_serve": (_A_PERIOD,),
    "finance.control_total": (_A_PERIOD,),
    "service.case": (
        _near("opened_at"),
        _not_later_than_extracted("opened_at"),
        _warn("nobody_is_answered_before_the_case_is_opened", "first_response_at < opened_at"),
        _warn("no_case_is_closed_before_it_is_opened", "closed_at < opened_at"),
    ),
    "survey.response": (
        _near("asked_at"),
        NoRowsWhere("score_is_on_its_scale", "score < scale_min or score > scale_max"),
        _warn("a_score_is_of_an_answer", "score is not null and answered_at is null"),
        _warn("nobody_answers_before_being_asked", "answered_at < asked_at"),
    ),
    "marketing.touch": (
        _near("sent_at"),
        _warn("a_cost_has_its_currency", "cost is not null and currency is null"),
        _warn("the_control_group_gets_nothing", "is_holdout and (delivered or opened or clicked)"),
    ),
    "marketing.event": (_near("registered_at"),),
    "privacy.consent": (_not_later_than_extracted("decided_at"),),
    "loyalty.ledger": (
        _near("occurred_at"),
        _not_later_than_extracted("occurred_at"),
        _warn("points_do_not_lapse_before_they_are_given", "expires_at < occurred_at"),
    ),
    "enrich.industry": (_A_PERIOD,),
    "reference.override": (
        _VALID,
        NoRowsWhere("an_override_names_a_tier", "floor_tier is null and ceiling_tier is null"),
    ),
    "reference.identity_decision": (
        NoRowsWhere("a_bond_has_two_ends", "action <> 'exclude' and (right_system is null or right_ref is null)"),
        _not_later_than_extracted("decided_at"),
    ),
}


def contract_suite(table: ContractTable) -> tuple[Rule, ...]:
    """The rules of a contract table, for a relation that also carries ``batch_id`` and ``extracted_at``."""
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
    if column.kind == "currency":
        written = _CURRENCY_CODE.format(column=column.name)
        yield _warn(f"{column.name}_is_written_as_in_iso_4217", written)
    if column.minimum is not None or column.maximum is not None:
        yield Between(column.name, column.minimum, column.maximum)
