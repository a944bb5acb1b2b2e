"""Orders planted in the demo's extracts, and the engine's word on each customer as if its orders alone had come.

Everything planted is delivered and run through the front door. The figures and scores of one customer do not depend on
others; the judgements do. So each planted customer gets a date of its own, on which all others are as they were without
any order, and the second half of the dbt project judges all of these dates at once, as it judges the days of a range.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
from installation import number_customers, settings_of

from orchestration import dbt

CENT = Decimal("0.01")
INDICATED = "intermediate.int_customers__indicated"
# What the second half reads of the first, a row per date.
JUDGED_FROM = (
    *(INDICATED, "intermediate.int_customers__population", "intermediate.int_customers__private"),
    *("intermediate.int_leads__identified", "intermediate.int_overrides__identified"),
    *("intermediate.int_policy__in_force", "run.run_dates", "ml.models", "ml.scores"),
)
OF_A_CUSTOMER = (INDICATED, "ml.scores")


@dataclass(frozen=True)
class Planted:
    """So many orders of a customer, each of this net amount and cost; ``code`` is its account in the ERP."""

    customer: str
    code: str
    count: int
    net: Decimal
    cost: Decimal


def plant(home: Path, day: date, planted: Sequence[Planted]) -> None:
    """Append the orders to the extracts of the day, as one of the shop's own would stand there."""
    sales = home / "landing" / "sales"
    orders, lines = (sales / f"{name}_{day:%Y%m%d}.parquet" for name in ("order", "order_line"))
    told = [(nth, one) for nth, one in enumerate(one for one in planted for _ in range(one.count))]
    if not told:
        return
    with duckdb.connect() as connection:
        (item,) = connection.execute(f"select min(item_code) from '{lines}'").fetchall()[0]
        connection.execute(
            "create table planted (order_no varchar, code varchar, net decimal(18,4), cost decimal(18,4))"
        )
        connection.executemany(
            "insert into planted values (?, ?, ?, ?)",
            [(f"SO9{nth:07}", one.code, one.net, one.cost) for nth, one in told],
        )
        for file, columns in (
            (
                orders,
                f"order_no, code as cust_code, timestamp '{day} 10:00:00' as order_time, 'CONF' as order_status, "
                "'web' as sales_channel, 'CN01' as company_code, 'CNY' as currency",
            ),
            (
                lines,
                f"order_no || '-1' as line_key, 1 as line_no, order_no, '{item}' as item_code, 1 as qty, "
                "net as list_value, 0 as discount_value, net as net_value, 0 as tax_value, cost as cost_value",
            ),
        ):
            more = file.with_suffix(".more")
            connection.execute(
                f"copy (from '{file}' union all by name select {columns} from planted) to '{more}' (format parquet)"
            )
            more.replace(file)


def score_tiers(base: Path, worlds: Sequence[tuple[str, Path]], folder: Path) -> list[str]:
    """The score tier of each customer in its own world: on the last day of ``base``, with the figures that the home
    beside it gives that customer."""
    home = folder / "home"
    home.mkdir(parents=True)
    settings = settings_of(home)
    shutil.copyfile(base / settings.warehouse.name, settings.warehouse)
    homes = sorted({planted for _, planted in worlds})
    with duckdb.connect(str(settings.warehouse)) as build:
        build.execute("set timezone = 'UTC'")
        for nth, planted in enumerate(homes):
            build.execute(f"attach '{planted / settings.warehouse.name}' as planted_{nth} (read_only)")
        build.execute("create temp table worlds (nth integer, customer_id varchar, home integer)")
        build.executemany(
            "insert into worlds values (?, ?, ?)",
            [(nth, customer, homes.index(planted)) for nth, (customer, planted) in enumerate(worlds, start=1)],
        )
        ((day, version),) = build.execute(
            "select as_of_date, model_version from run.run_dates where is_release_date"
        ).fetchall()
        for nth in range(len(homes)):
            scored_by = f"select distinct model_version from planted_{nth}.run.run_dates where as_of_date = ?"
            assert build.execute(scored_by, [day]).fetchall() == [(version,)], "another model is another promise"
        for table in JUDGED_FROM:
            own = f"select told.*, worlds.nth from {table} as told cross join worlds where told.as_of_date = $day"
            if table in OF_A_CUSTOMER:
                own += " and told.customer_id <> worlds.customer_id"
                for nth in range(len(homes)):
                    own += (
                        f" union all by name select told.*, worlds.nth from planted_{nth}.{table} as told "
                        f"inner join worlds using (customer_id) where told.as_of_date = $day and worlds.home = {nth}"
                    )
            release = ", nth = (select max(nth) from worlds) as is_release_date"
            has_release = table in ("run.run_dates", "intermediate.int_policy__in_force")
            build.execute(f"create temp table judged as {own}", {"day": day})
            build.execute(f"delete from {table}")
            build.execute(
                f"insert into {table} by name select * exclude (nth, as_of_date{', is_release_date' * has_release}), "
                f"as_of_date + nth as as_of_date{release * has_release} from judged"
            )
            build.execute("drop table judged")
        number_customers(build)  # a home numbers its own customers
    judges = "+customer_tiers,tiering.marts.scoring+,resource_type:model"
    results = dbt.build(settings, ["--select", "int_run_dates__ordered", judges], command="run")
    assert [result for result in results if result.status != "success"] == []
    with duckdb.connect(str(settings.warehouse), read_only=True) as build:
        found = build.execute("select as_of_date, customer_id, score_tier from tiering.customer_tiers").fetchall()
    tiers = {((on - day).days, customer): tier for on, customer, tier in found}
    return [tiers[nth, customer] for nth, (customer, _) in enumerate(worlds, start=1)]
