"""Promises of the leak checks: each planted leak is found, and the project as it is breaks none of their promises.

A leak is a small edit of the SQL that makes features and panel, of the code that learns from them, or of what a source
delivers. The text that an edit replaces must stand there, so that no leak is planted in vain.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from installation import settings_of
from leak_books import Books
from leaks import LONG, SHORT, found_in_learning, found_in_sql
from threadpoolctl import threadpool_limits

from ml import challenge, grade, learn, store
from orchestration import dbt

AT_CUTOFF = "    and trade.event_date < cutoffs.cutoff_date\n"
PURCHASES_ON = "case when trade.order_count > 0 then trade.event_date end"
ALL_TRADE = '"warehouse"."intermediate"."int_customer_days" as later where later.customer_id = trade.customer_id'
KNOWN_ON = "greatest(days.as_of_date, known.as_of_date, accounts.valid_from)"
LINES = '"warehouse"."staging"."stg_sales__order_lines"'

# By what leaks: the model, the text in its SQL, and the text in its place.
IN_SQL = {
    "the day of the cut-off counts": ("int_customers__panel", "event_date < cutoffs", "event_date <= cutoffs"),
    "every cut-off reads to the end of the data": ("int_customers__panel", AT_CUTOFF, ""),
    "recent trade is what will be known a month later": (
        "int_customers__features",
        "trade.valid_from <= population.as_of_date",
        "trade.valid_from <= population.as_of_date + 31",
    ),
    "features are the newest there are": (
        "int_customers__features",
        "purchased.valid_from <= population.as_of_date\n    and purchased.valid_to > population.as_of_date",
        "purchased.valid_to = date '9999-12-31'",
    ),
    "the panel reads days of trade as they stand last": (
        "int_customers__panel",
        "days.valid_from <= dates.as_of_date\n        and days.valid_to > dates.as_of_date",
        "days.valid_to = date '9999-12-31'",
    ),
    "purchases count before they are known": (
        "int_customers__purchased",
        "trade.valid_from <= steps.valid_from",
        "trade.valid_from <= steps.valid_to",
    ),
    "when a row was loaded is ignored": ("int_run_days__resolved", "known.effective_from <= dates.known_at", "true"),
    "tomorrow is today": ("int_run_days__resolved", "days.day <= dates.as_of_date", "days.day <= dates.as_of_date + 1"),
    "a day of trade is known when it happened": ("int_customer_days", KNOWN_ON, "days.as_of_date"),
    "accounts that merge later are one before": (
        "int_customer_days",
        KNOWN_ON,
        "greatest(days.as_of_date, known.as_of_date)",
    ),
    "customers enter before they are known": (
        "int_customers__population",
        "identity.valid_from <= dates.as_of_date\n    and ",
        "",
    ),
    "only who comes back is looked at": (
        "int_customers__panel",
        "having sum",
        f"having exists (select * from {ALL_TRADE} and later.event_date >= cutoffs.cutoff_date) and sum",
    ),
    "a limited panel takes those who buy most in all": (
        "int_customers__panel",
        "order by substring(sha256(customer_id), 1, 16), customer_id",
        'order by (select -count(*) from "warehouse"."intermediate"."int_customer_days" as later '
        "where later.customer_id = int_customers__population.customer_id), customer_id",
    ),
    "a return lowers the day of its order": (
        "int_account_events__unioned",
        "return_date as event_date",
        "coalesce(order_date, return_date) as event_date",
    ),
    "an order counts before its rate is known": (
        "int_orders__counted",
        "greatest(orders.known_from, fx.known_from)",
        "orders.known_from",
    ),
    "a rate holds for the days before it": (
        "int_fx_rates__daily",
        "fx.rate_date + cast(ages.age_days",
        "fx.rate_date - cast(ages.age_days",
    ),
    "a rate is the last correction of it": (
        "int_fx_rates__daily",
        "    and moments.known_from >= candidates.known_from\n        and moments.known_from < candidates.known_to",
        "    and candidates.known_to = timestamptz '9999-12-31 00:00:00+00'",
    ),
    "a restated line was so from the start": (
        "int_order_lines__converted",
        "greatest(lines.known_from, orders.known_from)",
        "orders.known_from",
    ),
    "a cost is the one that is known last": (
        "int_order_lines__converted",
        "lines.cost_amount as decimal",
        f"(select max(last.cost_amount) from {LINES} as last where last.line_id = lines.line_id) as decimal",
    ),
    "what is taken back later never was": (
        "int_account_days",
        "known_to as effective_from",
        "known_from as effective_from",
    ),
    "an order that is cancelled later never counted": (
        "int_orders__counted",
        "statuses.is_counted and rated.rate is not null",
        "min(statuses.is_counted) over (partition by rated.order_id) and rated.rate is not null",
    ),
    "the newest baskets are those of all time": (
        "int_customers__panel",
        f"list_sum(max_by(trade.net_amount, {PURCHASES_ON}, 3))",
        f"(select list_sum(max_by(later.net_amount, later.event_date, 3)) from {ALL_TRADE} and later.order_count > 0)",
    ),
    "the last purchase is that of all time": (
        "int_customers__panel",
        f"max({PURCHASES_ON}) as last",
        f"(select max(later.event_date) from {ALL_TRADE}) as last",
    ),
    "tenure counts back from the end of the data": (
        "int_customers__panel",
        f"min({PURCHASES_ON}) as first",
        f"min({PURCHASES_ON}) + cast(cutoffs.cutoff_date - (select max(later.event_date) from {ALL_TRADE}) as integer) "
        "as first",
    ),
    "margins are those of all time": (
        "int_customers__panel",
        "sum(trade.margin_amount)",
        f"(select sum(later.margin_amount) from {ALL_TRADE})",
    ),
}
# By what leaks: the day that shows it, and edits of functions.
IN_CODE: dict[str, tuple[Any, list[tuple[Callable[..., Any], str, str]]]] = {
    "the base of a past cut-off knows what came until now": (
        LONG,
        [(challenge._rows, "fit(frame, cutoff, base.params)", "base")],
    ),
    "a gap ends with the purchase after the cut-off": (
        LONG,
        [
            (
                challenge._rows,
                "history_of(frame, cutoff), expected",
                'history_of(frame.assign(last_purchase_date=known[end].set_index("customer_id")'
                '.loc[frame["customer_id"], "last_purchase_date"].to_numpy()), end), expected',
            )
        ],
    ),
    "recent days are those of the label": (
        LONG,
        [
            (
                challenge._rows,
                "inputs_of(frame, ",
                'inputs_of(frame.assign(purchase_days_28d=known[end].set_index("customer_id")'
                '.loc[frame["customer_id"], "purchase_days_28d"].to_numpy()), ',
            )
        ],
    ),
    "labels end after the cut-off that learns": (
        LONG,
        [
            (challenge._learned_cutoffs, "range(horizon, ", "range(step, "),
            (challenge._rows, "min(cutoff + timedelta(days=horizon), base.cutoff)", "cutoff + timedelta(days=horizon)"),
        ],
    ),
    "labels of the newest cut-off overlap what is tested": (
        LONG,
        [(challenge._learned_cutoffs, "own - timedelta(days=days)", "own + timedelta(days=step - days)")],
    ),
    "a label begins before its cut-off": (
        LONG,
        [
            (
                challenge._came,
                'frame["purchase_days"].to_numpy()',
                '(frame["purchase_days"] - frame["purchase_days_28d"]).to_numpy()',
            )
        ],
    ),
    "what a cut-off taught a later day is taught again": (
        SHORT,
        [
            (
                challenge.learned_rows,
                "place = cutoff, min(cutoff + timedelta(days=horizon), base.cutoff)",
                "place = cutoff",
            )
        ],
    ),
    "the day of the next purchase is told before the horizon has ended": (
        SHORT,
        [
            (challenge._rows, " if seen == horizon else None", ""),
            (challenge._days_until, "days < (end - cutoff).days", "days >= 0"),
        ],
    ),
    "inputs are scaled by those of the newest cut-off": (
        LONG,
        [
            (
                challenge._champion,
                'fit_glm("logit", inputs, ',
                'fit_glm("logit", inputs / known[max(known)]["purchase_days_28d"].mean(), ',
            )
        ],
    ),
    "counts are capped by the most of all time": (
        LONG,
        [(challenge._champion, "float(count.max())", 'float(known[max(known)]["purchase_days"].max())')],
    ),
    "values are capped by what comes": (
        LONG,
        [(challenge._champion, "float(value.max())", 'float(known[max(known)]["net_amount_91d"].max())')],
    ),
    "totals are those of the season to come": (
        LONG,
        [
            (
                challenge._last_year,
                "base.params.champion, base.cutoff - timedelta(days=YEAR)",
                "base.params.champion, base.cutoff",
            )
        ],
    ),
    "a tested model is fitted on what it is tested by": (
        LONG,
        [(learn.past_model, "fit(known[cutoff], cutoff", "fit(known[max(known)], cutoff")],
    ),
    "a tested model scores with what came": (
        LONG,
        [
            (
                learn._backtest,
                "backtest(before, ",
                'backtest(before.assign(**{f"{name}_{days}d": outcomes[came] for days in (28, 91) for name, came in '
                '(("purchase_days", "purchase_count"), ("net_amount", "net_amount"))}), ',
            )
        ],
    ),
    "a day learns from cut-offs after it": (
        LONG,
        [(learn.cutoffs, "for times in (1, 2)", "for times in (-1, 1, 2)")],
    ),
    "a day is graded before the horizon has ended": (
        LONG,
        [(grade.graded_cutoffs, "days=horizon + spacing * nth", "days=spacing * nth")],
    ),
    "a model of a later day speaks": (
        LONG,
        [(store._newest, "0 <= (day - one.as_of_date).days", "abs((day - one.as_of_date).days)")],
    ),
    "a model that knew more speaks": (LONG, [(store._newest, "one.known_at <= known_at", "True")]),
}


def overwritten(world: pd.DataFrame, since: int) -> pd.DataFrame:
    """Amounts of the past are raised for who bought again."""
    returned = later(world, since)
    return world.assign(net_amount=world["net_amount"] * np.where((world["day"] < since) & returned, 3.0, 1.0).round(2))


def archived(world: pd.DataFrame, since: int) -> pd.DataFrame:
    """Of who does not come back, all but the first purchase is gone."""
    first = world["day"] == world.groupby("customer_id")["day"].transform("min")
    return world[first | later(world, since)]


def backdated(world: pd.DataFrame, since: int) -> pd.DataFrame:
    """Who comes back has a purchase of a week before as well."""
    again = world[(world["day"] >= since) & (world["day"] < since + 56)].drop_duplicates("customer_id")
    return pd.concat([world, again.assign(day=since - 7)]).drop_duplicates(["customer_id", "day"])


def later(world: pd.DataFrame, since: int) -> pd.Series[bool]:
    came = world.loc[(world["day"] >= since) & (world["day"] < since + 56), "customer_id"]
    return world["customer_id"].isin(came)


IN_DATA = {
    "amounts are overwritten by what came": overwritten,
    "purchases of who left are archived": archived,
    "purchases are booked before they were": backdated,
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    return Books(dbt.compiled_models(settings_of(tmp_path_factory.mktemp("compiled"))))


def plant(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], old: str, new: str) -> None:
    """Put the edited function in the place of the one that is there, in every module that names it."""
    source, planted = inspect.getsource(function), dict[str, Any]()
    assert source.count(old) == 1, f"{function.__name__} has not one {old!r}"
    code = compile(source.replace(old, new), function.__name__, "exec", annotations.compiler_flag)
    exec(code, function.__globals__, planted)
    for module in [module for name, module in sys.modules.items() if name.startswith("ml.")]:
        for name, value in list(vars(module).items()):
            if value is function:
                monkeypatch.setattr(module, name, planted[function.__name__])


def test_thirty_leaks_are_planted_and_each_is_another() -> None:
    names = [*IN_SQL, *IN_CODE, *IN_DATA]
    assert len(names) == len(set(names)) >= 30


def test_the_project_as_it_is_leaks_nothing(books: Books) -> None:
    with threadpool_limits(1):
        assert [*found_in_sql(books), *found_in_learning(LONG), *found_in_learning(SHORT)] == []


@pytest.mark.parametrize("name", IN_SQL)
def test_a_leak_in_the_sql_is_found(name: str, books: Books) -> None:
    assert next(found_in_sql(books, [IN_SQL[name]]), None) is not None


@pytest.mark.parametrize("name", IN_CODE)
def test_a_leak_in_the_learning_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    day, edits = IN_CODE[name]
    for edit in edits:
        plant(monkeypatch, *edit)
    with threadpool_limits(1):
        assert next(found_in_learning(day), None) is not None


@pytest.mark.parametrize("name", IN_DATA)
def test_a_leak_in_what_is_delivered_is_found_by_nothing_but_the_ceiling(name: str) -> None:
    with threadpool_limits(1):
        [found] = found_in_learning(LONG, IN_DATA[name])
    assert found.startswith("an AUC of ")
