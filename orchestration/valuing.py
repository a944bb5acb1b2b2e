"""What the tiers that past days decided were worth by a release's date: the back-test of ml/value.py on the ledger."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb

from ml.params import ValueParams
from ml.value import Cutoff, TierValue, tier_value
from orchestration.settings import Settings

FIGURES = ("tier_score", "net_amount", "order_count", "recency", "later_net", "later_margin")
# Trade of the customers of a past decision: before it in the window of the rankings, and after it up to the horizon.
TRADE = """
    with traded as (
        select identity.customer_id,
            sum(case when days.event_date <= $cutoff then days.net_amount else 0 end) as net_amount,
            sum(case when days.event_date <= $cutoff then days.order_count else 0 end) as order_count,
            max(case when days.event_date <= $cutoff and days.order_count > 0 then days.event_date end) as last_date,
            sum(case when days.event_date > $cutoff then days.net_amount else 0 end) as later_net,
            sum(case when days.event_date > $cutoff then days.margin_amount else 0 end) as later_margin
        from intermediate.int_account_days as days
        inner join intermediate.int_customers__identity as identity
            on days.source_system = identity.source_system and days.source_id = identity.source_id
            and identity.valid_from <= $as_of_date and identity.valid_to > $as_of_date
        where days.event_date > cast($cutoff as date) - $before_days
            and days.event_date <= cast($cutoff as date) + $horizon_days and days.effective_from <= $known_at
        group by identity.customer_id
    )
    select decided.tier, cast(decided.tier_score as double) as tier_score,
        coalesce(cast(net_amount as double), 0) as net_amount, coalesce(cast(order_count as double), 0) as order_count,
        coalesce(cast(cast($cutoff as date) - last_date as double), 0) as recency,
        coalesce(cast(later_net as double), 0) as later_net, coalesce(cast(later_margin as double), 0) as later_margin,
        cast('0x' || left(md5(decided.customer_id), 8) as bigint) % $groups as customer_group
    from read_parquet($file) as decided left join traded using (customer_id)
    order by decided.customer_id
"""


def value_of_tiers(
    settings: Settings, build: duckdb.DuckDBPyConnection, as_of_date: date, known_at: datetime, params: ValueParams
) -> TierValue | None:
    """The back-test over decisions whose horizon ended by the release's date, of days before this run's; None without
    one. A run that is repeated finds the same, whatever it decided itself."""
    (first,) = build.execute("select min(as_of_date) from run.run_dates").fetchall()[0]
    newest = as_of_date - timedelta(days=params.horizon_days)
    days = [newest - nth * timedelta(days=params.spacing_days) for nth in range(params.cutoffs)]
    files = {day: settings.decisions / f"{day}.parquet" for day in reversed(days) if day < first}
    told = {"as_of_date": as_of_date, "known_at": known_at, "groups": params.groups}
    windows = {"before_days": params.before_days, "horizon_days": params.horizon_days}
    cutoffs = []
    for day, file in files.items():
        if file.exists():
            frame = build.execute(TRADE, told | windows | {"cutoff": day, "file": str(file)}).df()
            figures = {name: frame[name].to_numpy() for name in FIGURES}
            cutoffs.append(Cutoff(day, tuple(frame["tier"]), **figures, group=frame["customer_group"].to_numpy()))
    return tier_value(cutoffs, params)
