"""Who moved between tiers, for the report page: the release day in counts, the largest movers with their history; how
steady each tier is, and what people overruled."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from orchestration.release.causes import LABELS
from orchestration.release.report_queries import NAME, fetch

# Presentation only: how far back a mover is looked for, and how many are shown.
DAYS_SHOWN = 30
MOVERS_SHOWN = 10
OVERRIDES_SHOWN = 20
DIRECTIONS = ("up", "down", "entered", "left")


def movements(connection: duckdb.DuckDBPyConnection, as_of_date: date) -> dict[str, Any]:
    """``counts`` by direction on the release date; ``movers``: who went up or down in the days shown, the largest net
    sales first, each with its ``history`` of (tier, since), oldest first; ``causes`` of the day's changes of scores."""
    counts = {
        row["direction"]: row["customers"]
        for row in fetch(
            connection,
            "select direction, count(*) as customers from tier_movements "
            "where movement_date = $as_of_date group by direction",
            as_of_date=as_of_date,
        )
    }
    movers = fetch(
        connection,
        f"""
        with latest as (
            select customer_id, max(movement_date) as movement_date
            from tier_movements
            where direction in ('up', 'down') and movement_date > cast($as_of_date as date) - {DAYS_SHOWN}
            group by customer_id
        )
        select
            latest.customer_id, {NAME}, kind, tier, net_amount_365d,
            moves.movement_date, moves.direction, moves.from_tier, moves.main_cause,
            (
                select list({{'tier': history.tier, 'since': history.valid_from_date}} order by history.valid_from_date)
                from customer_tier_history as history where history.customer_id = latest.customer_id
            ) as history
        from latest
        inner join tier_movements as moves
            on latest.customer_id = moves.customer_id and latest.movement_date = moves.movement_date
        inner join customer_360 on latest.customer_id = customer_360.customer_id
        order by net_amount_365d desc, latest.customer_id
        limit {MOVERS_SHOWN}
        """,
        as_of_date=as_of_date,
    )
    causes = fetch(
        connection,
        """
        select cause, count(distinct customer_id) as customers, sum(greatest(points, 0)) as gained,
            sum(least(points, 0)) as lost
        from tier_causes group by cause order by customers desc, cause
        """,
    )
    return {
        "causes": causes,
        "cause_labels": LABELS,
        "counts": [(direction, counts.get(direction, 0)) for direction in DIRECTIONS],
        "movers": movers,
        "days": DAYS_SHOWN,
    }


def missing(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What lifts customers by the score: ``tiers``, by the tier that it earns, how many one usual order lifts, how many
    several and how many none, and the middle of the smallest orders; ``reasons``, why for some none is told."""
    return {
        "tiers": fetch(
            connection,
            """
            select
                score_tier, next_tier, count(*) as customers,
                count(*) filter (usual_order_count = 1) as one_order,
                count(*) filter (usual_order_count > 1) as several_orders,
                count(*) filter (usual_order_count is null) as not_told,
                cast(median(one_order_amount) as decimal(18, 4)) as amount
            from tier_gaps where next_tier is not null group by all order by next_tier
            """,
        ),
        "reasons": fetch(
            connection,
            "select usual_orders_reason as reason, count(*) as customers from tier_gaps "
            "where usual_orders_reason <> 'highest_tier' group by all order by all",
        ),
    }


def steadiness(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """``tiers``: rows of tier_kpi; ``policies``: of tier_policy_kpi where there are two to compare; ``held``: how many
    customers keep a tier that their score no longer earns; ``overrides``: what people decided, first what moves a
    tier, the dearest before."""
    (counted,) = fetch(connection, "select count(*) as held from customer_tiers where held_tier <> score_tier")
    return counted | {
        "tiers": fetch(connection, "select * from tier_kpi order by tier_rank"),
        "policies": fetch(
            connection,
            "select * from tier_policy_kpi where (select count(distinct policy_version) from tier_policy_kpi) > 1 "
            "order by first_date, tier_rank",
        ),
        "overrides": fetch(
            connection,
            f"""
            select overrides.*, {NAME}, kind
            from tier_overrides as overrides left join customer_360 using (customer_id)
            order by effect, margin_shortfall_amount_365d desc nulls last, override_id limit {OVERRIDES_SHOWN}
            """,
        ),
    }
