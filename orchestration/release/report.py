"""One page that says what a release found: self-contained, offline, the same bytes for the same facts.

``render_report`` reads the marts of a release and writes HTML. It has no clock, no network and no rule of its own:
tiers, bands and labels are the policy's. Where files go, and when, is the publisher's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from jinja2 import Template

from orchestration.release import report_format as fmt
from orchestration.release import report_queries
from orchestration.release.report_lenses import dark_lenses, gates
from orchestration.release.report_methods import methods
from orchestration.release.report_movements import missing, movements, steadiness
from orchestration.release.report_pictures import draw_pictures
from orchestration.release.report_queries import Row, fetch
from orchestration.release.report_scores import scores
from orchestration.release.report_trials import drift, trial
from orchestration.release.report_value import told_value

if TYPE_CHECKING:
    from ml.comparison import Comparison
    from ml.learn import TrainedModel
    from ml.value import TierValue

# Presentation only: who is shown on the watch list. No tier, score or release depends on these, and the page says them.
WATCHED_TIERS = 2
WATCH_DAYS = 90
WATCH_OVERDUE_SHARE = Decimal("0.25")
# Presentation only: how many rows are shown, and how small a change counts as steady.
LARGEST_SHOWN = 15
WATCHED_SHOWN = 10
CHECKS_SHOWN = 40
STEADY = Decimal("0.05")
# The days behind the columns named _90d and _365d, for the trend.
RECENT_DAYS, YEAR_DAYS = 90, 365
STATUSES = ("fail", "error", "warn", "waived", "pass")


@dataclass(frozen=True)
class Freshness:
    """The newest delivery of one feed; None when it has never delivered."""

    feed: str
    newest_delivery_date: date | None
    is_daily: bool


@dataclass(frozen=True)
class ReportFacts:
    """What the page says that the marts do not hold. ``tier_history``: (as_of_date, tier, customers) as decided;
    ``model``: what scored the release date, if anything did; ``comparison``: the newest with other methods, and
    ``not_compared`` why the month has none; ``value``: what past tiers were worth, once their horizon is over."""

    release_id: str
    as_of_date: date
    known_at: datetime
    published_at: datetime
    policy_version: str
    reporting_currency: str
    company: str
    deliveries: Sequence[Freshness]
    tier_history: Sequence[tuple[date, str, int]]
    missing_extracts: Sequence[str]
    model: TrainedModel | None
    comparison: Comparison | None
    not_compared: str | None
    value: TierValue | None


def render_report(connection: duckdb.DuckDBPyConnection, facts: ReportFacts) -> str:
    """The page as HTML. ``connection`` holds the marts of one release by name; nothing is written to it."""
    totals = report_queries.totals(connection)
    tiers = _tiers(connection, totals)
    rules = fetch(connection, "select * from policy_rules order by rule_kind, subject, rule_value desc, rule_name")
    labels = {(rule["subject"], rule["rule_name"]): rule for rule in rules if rule["rule_kind"] == "band"}
    labels |= {(rule["subject"], rule["rule_name"]): rule for rule in rules if rule["rule_kind"] == "rfm_segment"}
    context: dict[str, Any] = {
        "facts": facts,
        "money": lambda value: fmt.amount(value, facts.reporting_currency),
        "label": lambda lens, band: labels.get((lens, band)),
        "tier_of": {tier["tier"]: tier for tier in tiers}.get,
        "totals": totals,
        "margin_rate": fmt.share(totals["margin"], totals["net"] - totals["costless"]),
        "before": report_queries.release_before(connection),
        "unattributed": _unattributed(connection, facts.as_of_date),
        "tiers": tiers,
        "weights": [rule for rule in rules if (rule["rule_kind"], rule["subject"]) == ("weight", "tier")],
        "largest": [_customer(row) for row in report_queries.largest_customers(connection, LARGEST_SHOWN)],
        "watched": _watched(connection, tiers),
        "moved": movements(connection, facts.as_of_date),
        "steadiness": steadiness(connection),
        "missing": missing(connection),
        "value": told_value(facts.value),
        "scores": scores(connection, facts.model),
        "drift": drift(connection),
        "trial": trial(connection, facts.model.version if facts.model else None),
        "methods": methods(facts.comparison, tiers),
        "lenses": _lenses(connection),
        "dark_lenses": dark_lenses(connection),
        "gates": gates(connection),
        "rules": rules,
        "pictures": draw_pictures(connection, facts.as_of_date, facts.reporting_currency, tiers, facts.tier_history),
        **_quality(connection, facts),
    }
    return _template().render(context)


@cache
def _template() -> Template:
    """The page, compiled once; what differs from release to release is in the context."""
    environment = fmt.page_templates(Path(__file__).parent)
    environment.globals |= {
        "watch_days": WATCH_DAYS,
        "watch_share": WATCH_OVERDUE_SHARE,
        "steady": STEADY,
        "largest_shown": LARGEST_SHOWN,
        "checks_shown": CHECKS_SHOWN,
        "statuses": STATUSES,
    }
    return environment.get_template("report.html.j2")


def _tiers(connection: duckdb.DuckDBPyConnection, totals: Row) -> list[Row]:
    rows = report_queries.tiers(connection)
    return [
        {
            **row,
            "colour": colour,
            "ink": fmt.ink(colour),
            "customer_share": fmt.share(row["customers"], totals["customers"]),
            "sales_share": fmt.share(row["net"], totals["net"]),
            "average_score": fmt.share(row["score"], row["customers"]),
        }
        for row, colour in zip(rows, fmt.ramp(len(rows)), strict=True)
    ]


def _unattributed(connection: duckdb.DuckDBPyConnection, as_of_date: date) -> Row:
    reasons = report_queries.unattributed(connection, as_of_date)
    money = sum((row["amount"] for row in reasons), Decimal(0))
    ordered = report_queries.ordered_amount(connection, as_of_date)
    return {
        "reasons": reasons,
        "amount": money,
        "orders": sum(row["orders"] for row in reasons),
        "share": fmt.share(money, ordered["amount"]),
        "from_date": as_of_date - timedelta(days=YEAR_DAYS - 1),
    }


def _customer(row: Row) -> Row:
    recent, whole = row["net_amount_90d"] or Decimal(0), row["net_amount_365d"] or Decimal(0)
    return {**row, "trend": fmt.trend(recent, whole, RECENT_DAYS, YEAR_DAYS, STEADY)}


def _watched(connection: duckdb.DuckDBPyConnection, tiers: Sequence[Row]) -> Row:
    names = [tier["tier"] for tier in tiers[:WATCHED_TIERS]]
    rows = report_queries.watch_list(connection, names, WATCH_DAYS, str(WATCH_OVERDUE_SHARE))
    return {
        "tiers": names,
        "found": len(rows),
        "of": sum(tier["customers"] for tier in tiers[:WATCHED_TIERS]),
        "rows": [_customer(row) for row in rows[:WATCHED_SHOWN]],
    }


def _lenses(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Per lens other than the segments of RFM, which have a picture of their own: its bands with their colours."""
    lenses: dict[str, list[Row]] = {}
    for row in report_queries.bands(connection):
        if row["lens"] != "rfm":
            lenses.setdefault(row["lens"], []).append(row)
    found = []
    for rows in lenses.values():
        judged = [row for row in rows if not row["is_fallback"]]
        colours = [*fmt.ramp(len(judged)), *[fmt.FALLBACK] * (len(rows) - len(judged))]
        whole = sum(row["customers"] for row in rows)
        parts = [
            {**row, "colour": colour, "ink": fmt.ink(colour), "share": fmt.share(row["customers"], whole)}
            for row, colour in zip(rows, colours, strict=True)
        ]
        found.append({"lens": rows[0]["lens"], "en": rows[0]["lens_en"], "zh": rows[0]["lens_zh"], "bands": parts})
    return found


def _quality(connection: duckdb.DuckDBPyConnection, facts: ReportFacts) -> dict[str, Any]:
    checks = fetch(connection, "select * exclude (checked_at, run_id) from audit_checks order by all")
    counts = {status: sum(check["status"] == status for check in checks) for status in STATUSES}
    owners = {
        owner: {status: sum((c["owner"], c["status"]) == (owner, status) for c in checks) for status in STATUSES}
        for owner in sorted({check["owner"] for check in checks})
    }
    broken = (
        "select source_system, entity, rule, count(*) as records from audit_quarantine "
        "group by all order by records desc, source_system, entity, rule"
    )
    quarantine = fetch(connection, broken)
    late = [feed for feed in facts.deliveries if feed.is_daily and _is_late(feed, facts.as_of_date)]
    return {
        "checks": checks,
        "check_counts": counts,
        "owners": owners,
        "not_passed": sorted(
            (check for check in checks if check["status"] != "pass"), key=lambda c: STATUSES.index(c["status"])
        ),
        "quarantine": quarantine,
        "quarantined": sum(row["records"] for row in quarantine),
        "reconciliation": fetch(connection, "select * from audit_reconciliation order by status, subject, measure"),
        "late": late,
    }


def _is_late(feed: Freshness, as_of_date: date) -> bool:
    return feed.newest_delivery_date is None or feed.newest_delivery_date < as_of_date
