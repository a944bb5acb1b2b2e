"""Promises of the second way: how a customer buys, pays and is dealt with, by hand from few rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orchestration.audit.provenance import Source, SourceRow
from orchestration.audit.recompute_facts import Entry, Rates
from orchestration.audit.recompute_habits import Asked, period_end
from orchestration.audit.recompute_relations import relation_indicators

AS_OF = date(2025, 6, 30)
WINDOWS = {"90d": 90, "365d": 365, "730d": 730, "all": None}
PARAMETERS = {
    **{"wallet_revenue_share": "0.02", "consecutive_gap_days": "10", "lead_warm_days": "14"},
    **{"nps_scale": "10", "csat_scale": "100"},
}
ME = [("crm", "A1"), ("finance", "D1"), ("sales", "C1")]
ASKED = Asked(ME, AS_OF, WINDOWS, lambda name: Decimal(PARAMETERS[name]), Rates([], "CNY", 7))


def row(table: str, key: str, **values: Any) -> SourceRow:
    at = datetime(2025, 7, 1, tzinfo=UTC)
    place = {"file": "f.csv", "source_line": 1, "delivery_date": AS_OF, "batch_id": "b1"}
    known = {"state": "in force", "known_from": at, "known_to": None, "is_deleted": False}
    system = table.split(".", maxsplit=1)[0]
    return SourceRow(table=table, source_system=system, record_id=key, values=values, **place, **known)  # type: ignore[arg-type]


def bought(*days_back: int, net: str = "100") -> list[Entry]:
    """An order with one line on each of so many days before the as-of day."""
    order = row("sales.order", "O")
    days = [AS_OF - timedelta(days=back) for back in days_back]
    orders = [Entry("order_count", day, day, Decimal(1), order) for day in days]
    return orders + [Entry("net_amount", day, day, Decimal(net), order) for day in days]


def figures(
    *rows: SourceRow, trade: list[Entry] | None = None, delivered: tuple[str, ...] = (), asked: Asked = ASKED
) -> dict[str, Any]:
    source = Source(rows, (), 0, (), (), frozenset(delivered))
    return {name: value for name, (value, _) in relation_indicators(source, trade or [], asked).items()}


def test_purchases_in_a_row_end_with_the_first_gap_that_is_too_long() -> None:
    assert figures(trade=bought(10, 20, 31))["consecutive_purchase_count"] == 2
    assert figures(trade=bought(11, 12))["consecutive_purchase_count"] == 0


def test_gaps_are_those_between_days_of_the_window() -> None:
    found = figures(trade=bought(10, 20, 31, 729, 730))
    assert found["purchase_gap_days_p50_730d"] == 11  # of 10, 11 and 698
    assert figures(trade=bought(0, 11, 21))["purchase_gap_variation_730d"] == Decimal("0.047619")
    assert found["active_month_count_365d"] == 2


def test_the_last_whole_month_is_the_own_one_on_its_last_day_only() -> None:
    trade = bought(1, net="24")
    assert figures(trade=trade)["trend_amount_365d"] == Decimal("0.9231")  # 24 x (12 x 11 - 66) / 1716
    assert figures(trade=trade)["purchase_stability_rate_365d"] == Decimal("0.231662")  # 1 / (1 + root of 11)
    assert figures(trade=trade, asked=replace(ASKED, as_of=AS_OF - timedelta(days=1)))["trend_amount_365d"] is None


def test_an_invoice_is_settled_on_the_day_that_reaches_its_total_and_an_open_one_counts_on() -> None:
    def invoice(key: str, issued: date, total: str = "100") -> SourceRow:
        said = {"customer_ref": "D1", "issued_date": issued, "currency": "CNY", "status": "open"}
        return row("finance.invoice", key, total_amount=Decimal(total), **said)

    def paid(of: str, day: date, amount: str) -> SourceRow:
        return row("finance.payment_allocation", f"{of}|{day}", invoice_id=of, applied_date=day, amount=Decimal(amount))

    found = figures(
        *(invoice("I1", date(2025, 6, 20)), paid("I1", date(2025, 6, 25), "60"), paid("I1", AS_OF, "40")),
        *(invoice("I2", date(2025, 6, 10)), paid("I2", AS_OF + timedelta(days=1), "100")),
        invoice("I3", AS_OF - timedelta(days=730)),
    )
    assert found["days_to_pay_p50_730d"] == found["days_to_pay_p90_730d"] == 10
    assert found["max_days_to_pay_730d"] == 20


def test_nothing_said_is_zero_where_somebody_delivers_and_unknown_where_nobody_does() -> None:
    assert figures()["complaint_count_365d"] is None
    assert figures(delivered=("service.case",))["complaint_count_365d"] == 0
    assert figures(delivered=("service.case",))["suggestion_count_365d"] == 0
    assert figures(delivered=("finance.writeoff",))["net_contribution_amount_365d"] is None
    assert figures(delivered=("finance.writeoff", "finance.cost_to_serve"))["net_contribution_amount_365d"] == 0


def test_answers_are_brought_to_the_scale_of_the_policy_and_count_from_their_day() -> None:
    def answer(key: str, metric: str, score: str | None, best: str, at: datetime | None) -> SourceRow:
        said = {"customer_system": "crm", "customer_ref": "A1", "business_date": AS_OF, "metric": metric}
        scale = {"scale_min": Decimal(1), "scale_max": Decimal(best), "score": score and Decimal(score)}
        return row("survey.response", key, answered_at=at, **said, **scale)

    today, tomorrow = (datetime(2025, 6, 30, 23, tzinfo=UTC) + timedelta(hours=hours) for hours in (0, 1))
    found = figures(
        *(answer("1", "csat", "4", "5", today), answer("2", "csat", "1", "5", tomorrow)),
        *(answer("3", "nps", "10", "10", today), answer("4", "nps", None, "10", None)),
        delivered=("survey.response",),
    )
    assert (found["csat_score_365d"], found["nps_score_365d"]) == (75, 10)
    assert found["survey_response_rate_365d"] == Decimal("0.5")
    assert found["feedback_count_365d"] == 2


def test_a_question_to_the_service_is_none_of_a_survey() -> None:
    to_service = {"customer_system": "crm", "customer_ref": "A1", "business_date": AS_OF, "kind": "question"}
    found = figures(row("service.case", "1", **to_service), delivered=("service.case", "survey.response"))
    assert (found["survey_response_rate_365d"], found["inbound_contact_count_90d"]) == (None, 1)


@pytest.mark.parametrize(
    ("period", "end"),
    [
        ("2025", date(2025, 12, 31)),
        ("2025-Q3", date(2025, 9, 30)),
        ("2024-02", date(2024, 2, 29)),
        *(("2025-13", None), ("2025-Q5", None), ("autumn", None)),
    ],
)
def test_a_period_ends_on_its_last_day(period: str, end: date | None) -> None:
    assert period_end(period) == end


def test_a_lead_is_graded_by_budget_meeting_and_the_last_warm_day() -> None:
    def at(day: int) -> datetime:
        return datetime(2025, 6, day, 23, 59, tzinfo=UTC)

    def lead(**told: Any) -> SourceRow:
        unknown = {"outcome": None, "has_budget": None, "met_at": None, "last_contact_at": None}
        return row("crm.lead", "L", account_id="A1", **{"created_at": at(1), **unknown, **told})

    def graded(**told: Any) -> list[str]:
        grades: list[str] = figures(lead(**told))["lead_grades"]
        return grades

    assert graded(has_budget=True, met_at=at(20)) == ["S"]
    assert graded(has_budget=True) == graded(met_at=at(20)) == graded(has_budget=False, met_at=at(20)) == ["A"]
    assert graded(last_contact_at=at(16)) == ["B"]
    assert graded(last_contact_at=at(15)) == graded() == ["C"]
    assert graded(outcome="lost", has_budget=True) == graded(outcome="invalid") == ["D"]
    assert graded(outcome="won") == graded(created_at=at(30) + timedelta(minutes=1)) == []
