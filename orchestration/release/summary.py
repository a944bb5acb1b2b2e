"""A release in a few figures: for its manifest, for the terminal and for the page that people open."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ml.params import load_value_params
from orchestration.extract.manifest import read_manifest
from orchestration.extract.registry import Registry
from orchestration.plan import missing_extracts
from orchestration.release import catalogue
from orchestration.release.report import Freshness, ReportFacts, render_report
from orchestration.settings import Settings
from orchestration.valuing import value_of_tiers

if TYPE_CHECKING:
    from ml.learn import TrainedModel

REPORT = "report.html"


def summarise(folder: Path) -> dict[str, Any]:
    """Customers, net sales, tiers and unattributed money of a release folder. Amounts as text, exact."""
    with duckdb.connect(str(folder / catalogue.SERVING), read_only=True) as release:
        customers, net = release.execute(
            "select count(*), coalesce(sum(net_amount_365d), 0) from customer_360"
        ).fetchall()[0]
        tiers = release.execute(
            "select tier, any_value(tier_label_en), any_value(tier_label_zh), count(*), sum(net_amount_365d) "
            "from customer_360 group by tier order by tier"
        ).fetchall()
        unattributed = release.execute(
            "select count(*), coalesce(sum(net_amount), 0) from customer_orders "
            "where is_counted and customer_id is null"
        ).fetchall()[0]
    return {
        "customer_count": customers,
        "net_amount_365d": str(net),
        "tiers": [
            {"tier": tier, "label_en": en, "label_zh": zh, "customers": count, "net_amount_365d": str(amount)}
            for tier, en, zh, count, amount in tiers
        ],
        "unattributed": {"orders": unattributed[0], "net_amount": str(unattributed[1])},
    }


def report_facts(
    settings: Settings,
    registry: Registry | None,
    manifest: dict[str, Any],
    build: duckdb.DuckDBPyConnection,
    model: TrainedModel | None,
) -> ReportFacts:
    """What the report says beyond the marts: deliveries, the ledger of decisions and this run's own days."""
    as_of_date = date.fromisoformat(manifest["as_of_date"])
    known_at = datetime.fromisoformat(manifest["known_at"])
    batches = [batch for batch in read_manifest(settings.manifest) if batch.known_at <= known_at]
    newest: dict[tuple[str, str], date] = {}
    for batch in batches:
        key = (batch.source_system, batch.entity)
        newest[key] = max(newest.get(key, batch.delivery_date), batch.delivery_date)
    feeds = registry.feeds if registry else ()
    delivered = {(batch.source_system, batch.entity, batch.delivery_date) for batch in batches}
    return ReportFacts(
        release_id=manifest["release_id"],
        as_of_date=as_of_date,
        known_at=known_at,
        published_at=datetime.fromisoformat(manifest["published_at"]),
        policy_version=manifest["policy_version"],
        reporting_currency=_currency(build, manifest["policy_version"]),
        company=registry.company if registry else "The company",
        deliveries=[
            Freshness(feed.name, newest.get((feed.source_system, feed.table.entity)), feed.delivered == "daily")
            for feed in feeds
        ],
        tier_history=_tier_history(build),
        missing_extracts=missing_extracts(registry, delivered, as_of_date) if registry else [],
        model=model,
        value=value_of_tiers(settings, build, as_of_date, known_at, load_value_params()),
        **_methods(build),
    )


def write_report(folder: Path, facts: ReportFacts) -> None:
    with duckdb.connect(str(folder / catalogue.SERVING), read_only=True) as release:
        (folder / REPORT).write_text(render_report(release, facts), encoding="utf-8")


def _methods(build: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The comparison with other methods that the release shows, if any, and why there is none of its own month."""
    from ml.comparison import Comparison

    rows = build.execute("select document, reason from ml.comparisons").fetchall()
    document, reason = rows[0] if rows else (None, None)
    return {"comparison": Comparison.from_json(document) if document else None, "not_compared": reason}


def _currency(build: duckdb.DuckDBPyConnection, policy_version: str) -> str:
    query = "select reporting_currency from policy.policy_versions where policy_version = ?"
    return str(build.execute(query, [policy_version]).fetchall()[0][0])


def _tier_history(build: duckdb.DuckDBPyConnection) -> list[tuple[date, str, int]]:
    """Customers per tier on every day decided before this run, and on the days of this run."""
    days = build.execute(
        "select as_of_date from run.run_dates union select as_of_date from run.decisions_read "
        "where as_of_date < (select min(as_of_date) from run.run_dates) order by as_of_date"
    ).fetchall()
    changes: dict[date, list[tuple[str, int]]] = {}
    for day, tier, change in build.execute(
        """
        select day, tier, sum(change) from (
            select valid_from_date as day, tier, 1 as change from tiering.customer_tier_history
            union all
            select valid_to_date, tier, -1 from tiering.customer_tier_history where valid_to_date is not null
        ) group by day, tier
        """
    ).fetchall():
        changes.setdefault(day, []).append((tier, change))
    standing = dict.fromkeys(sorted({tier for moved in changes.values() for tier, _ in moved}), 0)
    history = []
    for (day,) in days:
        for tier, change in changes.get(day, []):
            standing[tier] += change
        history += [(day, tier, customers) for tier, customers in standing.items() if customers]
    return history
