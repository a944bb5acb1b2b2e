"""What is said of a customer and done beside trade, from its source rows in plain Decimal: another path than the SQL.

How it buys and pays is in ``recompute_habits``; sums of trade over windows stay in ``recompute_facts``. What only other
customers' rows tell, as who it recommended, is not computed again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from orchestration.audit.provenance import Source
from orchestration.audit.recompute_facts import Entry, converted, quotient
from orchestration.audit.recompute_habits import FOUR, SIX, Asked, Figure, habits, period_end, total

Event = tuple[str, date, date, Decimal]  # measure, day it counts from, day by which windows hold it, amount


def relation_indicators(source: Source, found: Collection[Entry], asked: Asked) -> dict[str, Figure]:
    """Every such indicator by name."""
    trade = [entry for entry in found if entry.day <= asked.as_of]
    said = _said(source, asked)
    revenue, net = said["annual_revenue_amount"][0], total(asked, trade, "net_amount", "365d")
    wallet = None
    if revenue is not None:
        share = (revenue * asked.parameter("wallet_revenue_share")).quantize(Decimal(FOUR), ROUND_HALF_UP)
        wallet = quotient(net, share, SIX, ROUND_FLOOR)
    ours: dict[str, Figure] = {"share_of_wallet_rate_365d": (wallet, len(trade))}
    if "crm.opportunity" not in source.delivered:
        ours["pipeline_amount"] = None, 0
    leads = lead_grades(source, asked)
    ours["lead_grades"] = leads, len(leads)
    return {**said, **ours, **_dealt(source, asked, trade), **habits(source, trade, asked)}


def lead_grades(source: Source, asked: Asked) -> list[str]:
    """The grades of the customer's leads that are not won, S the nearest to a sale."""
    grades = []
    for said in _of(source, asked, "crm.lead", "account_id"):
        spoken, is_met = said["last_contact_at"], said["met_at"] is not None
        if said["outcome"] == "won" or said["created_at"].astimezone(UTC).date() > asked.as_of:
            continue
        if said["outcome"] in ("lost", "invalid"):
            grades.append("D")
        elif said["has_budget"] or is_met:
            grades.append("S" if said["has_budget"] and is_met else "A")
        else:
            days = (asked.as_of - spoken.astimezone(UTC).date()).days if spoken else None
            grades.append("B" if days is not None and days <= asked.parameter("lead_warm_days") else "C")
    return grades


def _said(source: Source, asked: Asked) -> dict[str, Figure]:
    accounts = {(row.source_system, row.record_id): row for row in source.in_force("crm.account")}
    own = [accounts[key] for key in asked.accounts if key in accounts]
    debtors = {(row.source_system, row.record_id): row for row in source.in_force("finance.customer")}
    buyers = {(row.source_system, row.record_id): row for row in source.in_force("sales.customer")}
    said = own[0].values if own else {}
    first = [table[key].values for table in (accounts, buyers, debtors) for key in asked.accounts if key in table]
    kind = (first[0].get("account_kind") or first[0].get("kind")) if first else None
    limited = [table[key].values for table in (debtors, accounts, buyers) for key in asked.accounts if key in table]
    limits = [row for row in limited if row.get("credit_limit") is not None]
    names = ("industry_code", "org_type", "region", "city_tier", "employee_count", "influence_rating")
    told = {name: said.get(name) for name in names}
    told |= {f"{name}_rating": said.get(f"{name}_declared") for name in ("price_sensitivity", "quality_demand")}
    told |= {"kind": kind, "brand_preference_rating": said.get("brand_preference_declared")}
    told |= {"is_strategic": said.get("strategic_flag")}
    told["annual_revenue_amount"] = _amount(asked, said.get("annual_revenue"), said.get("currency"))
    told["credit_limit_amount"] = _amount(asked, limits[0]["credit_limit"], limits[0]["currency"]) if limits else None
    grown = [
        (end, row.values["period"], row)
        for row in source.in_force("enrich.industry")
        if row.values["industry_code"] == said.get("industry_code")
        and (end := period_end(row.values["period"])) is not None
        and end <= asked.as_of
    ]
    newest = [row for end, period, row in grown if (end, period) == max(each[:2] for each in grown)]
    newest.sort(key=lambda row: (row.values["source"], row.source_system))
    told["industry_growth_rate"] = newest[0].values["growth_rate"] if newest else None
    return {name: (value, len(own)) for name, value in told.items()}


def _amount(asked: Asked, amount: Decimal | None, currency: str | None) -> Decimal | None:
    rate = asked.rates.of(currency, asked.as_of) if amount is not None else None
    return None if rate is None else converted(amount, rate)


def _dealt(source: Source, asked: Asked, trade: Collection[Entry]) -> dict[str, Figure]:
    events = list(_events(source, asked))

    def summed(measure: str, window: str, *tables: str) -> Figure:
        """Zero without rows, None where nobody delivers any of the tables."""
        parts = [
            amount for name, day, counted_by, amount in events
            if name == measure and day <= asked.as_of and asked.holds(counted_by, window)
        ]  # fmt: skip
        is_known = not tables or bool(source.delivered & set(tables))
        return (sum(parts, Decimal(0)) if is_known else None), len(parts)

    def share(part: str, whole: str, window: str, scale: Decimal = Decimal(1)) -> Figure:
        (top, _), (bottom, count) = summed(part, window), summed(whole, window)
        return quotient(top * scale, bottom, SIX, ROUND_FLOOR), count

    costs = {
        "service_cost_amount_365d": summed("service_cost", "365d", "finance.cost_to_serve"),
        "writeoff_amount_365d": summed("writeoff", "365d", "finance.writeoff"),
    }
    margin = total(asked, trade, "margin_amount", "365d")
    spent = [value for value, _ in costs.values()]
    complaints = summed("complaint", "365d", "service.case")
    orders = total(asked, trade, "order_count", "365d")
    rate = None if complaints[0] is None else quotient(complaints[0], orders, SIX, ROUND_FLOOR)
    return costs | {
        "net_contribution_amount_365d": (None if None in spent else margin - sum(spent), len(spent)),
        "inbound_contact_count_90d": summed("inbound", "90d", "crm.activity", "service.case"),
        "campaign_response_rate_365d": share("response", "touch", "365d"),
        "event_attendance_count_365d": summed("attendance", "365d", "marketing.event"),
        "feedback_count_365d": summed("feedback", "365d", "service.case", "survey.response"),
        "complaint_count_365d": complaints,
        "suggestion_count_365d": summed("suggestion", "365d", "service.case"),
        "complaint_rate_365d": (rate, complaints[1]),
        "quality_case_count_365d": summed("quality_case", "365d", "service.case"),
        "renewal_rate_730d": share("renewed", "expired", "730d"),
        "lost_opportunity_count_365d": summed("lost", "365d", "crm.opportunity"),
        "competitor_loss_count_365d": summed("competitor", "365d", "crm.opportunity"),
        "nps_score_365d": share("nps", "nps_answer", "365d", asked.parameter("nps_scale")),
        "csat_score_365d": share("csat", "csat_answer", "365d", asked.parameter("csat_scale")),
        "survey_response_rate_365d": share("answer", "question", "365d"),
    }


def _of(source: Source, asked: Asked, table: str, column: str = "customer_ref") -> Iterator[Mapping[str, Any]]:
    """What every row of a table says that is of the customer's accounts."""
    accounts = set(asked.accounts)
    for row in source.in_force(table):
        if (row.values.get("customer_system") or row.source_system, row.values[column]) in accounts:
            yield row.values


def _events(source: Source, asked: Asked) -> Iterator[Event]:
    """What every row beside trade adds."""
    for said in _of(source, asked, "crm.activity", "account_id"):
        if said["direction"] == "in":
            yield _event("inbound", said["business_date"])
    for said in _of(source, asked, "service.case"):
        kind, day = said["kind"], said["business_date"]
        yield _event("inbound", day)
        if kind in ("complaint", "suggestion"):
            yield _event(kind, day)
            yield _event("feedback", day)
        if kind in ("complaint", "return"):
            yield _event("quality_case", day)
    for said in _of(source, asked, "survey.response"):
        yield from _answered(said)
    yield from _offered(source, asked)
    yield from _ended(source, asked)
    yield from _cost(source, asked)


def _event(measure: str, day: date, amount: Decimal | None = Decimal(1)) -> Event:
    return measure, day, day, amount or Decimal(0)


def _answered(said: Mapping[str, Any]) -> Iterator[Event]:
    """A question, and the answer from its own day on, as a share of its scale; windows hold both by the question's."""
    day, worst, best = said["business_date"], said["scale_min"], said["scale_max"]
    yield _event("question", day)
    if said["answered_at"] is None or said["score"] is None:
        return
    told = max(day, said["answered_at"].astimezone(UTC).date())
    yield "answer", told, day, Decimal(1)
    yield "feedback", told, day, Decimal(1)
    if worst is not None and best is not None and best > worst:
        share = quotient(said["score"] - worst, best - worst, FOUR, ROUND_HALF_UP) or Decimal(0)
        yield said["metric"], told, day, share
        yield f"{said['metric']}_answer", told, day, Decimal(1)


def _offered(source: Source, asked: Asked) -> Iterator[Event]:
    for said in _of(source, asked, "marketing.touch"):
        if not said["is_holdout"] and said["delivered"] is not False:
            yield _event("touch", said["business_date"])
            if said["clicked"] or said["converted"]:
                yield _event("response", said["business_date"])
    for said in _of(source, asked, "marketing.event"):
        if said["attended"]:
            yield _event("attendance", said["business_date"])


def _ended(source: Source, asked: Asked) -> Iterator[Event]:
    for said in _of(source, asked, "sales.contract"):
        if said["end_date"]:
            yield _event("expired", said["end_date"])
            yield _event("renewed", said["end_date"], Decimal(said["renewed_by_contract_id"] is not None))
    for said in _of(source, asked, "crm.opportunity", "account_id"):
        day = said["close_date"] or said["business_date"]
        if said["is_closed"] and not said["is_won"]:
            yield _event("lost", day)
            yield _event("competitor", day, Decimal(said["lost_to_competitor"] is not None))


def _cost(source: Source, asked: Asked) -> Iterator[Event]:
    """Cost to serve on the last day of its period; what was written off at the rate of its invoice's day."""
    for said in _of(source, asked, "finance.cost_to_serve"):
        end = period_end(said["period"])
        rate = asked.rates.of(said["currency"], end) if end else None
        if end and rate is not None:
            yield _event("service_cost", end, converted(said["amount"], rate))
    invoices = {(row.source_system, row.record_id): row for row in source.in_force("finance.invoice")}
    for row in source.in_force("finance.writeoff"):
        invoice = invoices.get((row.source_system, row.values["invoice_id"]))
        if invoice is None or invoice.values["status"] == "void":
            continue
        rate = asked.rates.of(row.values["currency"], invoice.values["issued_date"])
        if (row.source_system, invoice.values["customer_ref"]) in asked.accounts and rate is not None:
            yield _event("writeoff", row.values["writeoff_date"], converted(row.values["amount"], rate))
