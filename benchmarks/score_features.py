"""Features and outcomes of a data set's ``purchases``: the pipeline's own macros, rendered for DuckDB without dbt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pandas as pd

MACROS = Path(__file__).parents[1] / "dbt_project" / "macros"


def features_of(connection: duckdb.DuckDBPyConnection, cutoffs: Iterable[date], customers: str) -> pd.DataFrame:
    """What the models read as of each cut-off, ``cutoff_date``, from the purchases before it and from no other."""
    connection.execute("create or replace temp table cutoffs (cutoff_date date)")
    connection.executemany("insert into cutoffs values (?)", [[cutoff] for cutoff in cutoffs])
    return connection.execute(
        f"""
        with trade as (
            select
                customer_id,
                purchase_date as event_date,
                1 as order_count,
                net_amount,
                net_amount - cost_amount as margin_amount,
                case when cost_amount is not null then net_amount end as costed_net_amount
            from purchases
            where customer_id in ({customers}) and purchase_date < (select max(cutoff_date) from cutoffs)
        ),
        ordered as (select *, {_macros().purchase_after("trade", "trade.customer_id")} from trade)
        select cutoffs.cutoff_date, trade.customer_id, {_macros().purchase_features("trade")},
            {_macros().recent_features("trade", "cutoffs.cutoff_date")},
            {_macros().next_purchase("trade", "cutoffs.cutoff_date")}
        from ordered as trade
        inner join cutoffs on trade.event_date < cutoffs.cutoff_date
        group by cutoffs.cutoff_date, trade.customer_id
        order by cutoffs.cutoff_date, trade.customer_id
        """
    ).df()


def outcomes_of(connection: duckdb.DuckDBPyConnection, cutoff: date, horizon: int) -> pd.DataFrame:
    """What came in [cutoff, cutoff + horizon), as evaluate.backtest reads it."""
    return connection.execute(
        """
        select
            customer_id,
            count(*) as purchase_count,
            sum(net_amount) as net_amount,
            sum(net_amount - cost_amount) as margin_amount,
            min(purchase_date) as first_purchase_date
        from purchases
        where purchase_date >= ? and purchase_date < ?
        group by customer_id
        """,
        [cutoff, cutoff + timedelta(days=horizon)],
    ).df()


@cache
def _macros() -> Any:
    """The macros as functions. ``adapter.dispatch`` finds DuckDB's own spelling, else the default, as dbt does."""

    def dispatch(name: str) -> Callable[..., str]:
        found: Callable[..., str] = getattr(module, f"duckdb__{name}", None) or getattr(module, f"default__{name}")
        return found

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.globals["adapter"] = {"dispatch": dispatch}
    files = (MACROS / "engine.sql", MACROS / "features.sql")
    module = environment.from_string("\n".join(file.read_text(encoding="utf-8") for file in files)).module
    return module
