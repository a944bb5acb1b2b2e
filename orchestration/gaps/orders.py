"""What an order on the release date would make of a customer's figures: amounts, counts, and what the model would say.

The order comes at the customer's usual margin rate. Nothing else comes with it: no invoice, no contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.score import PROBABILITY_DIGITS, Outlook, outlook
from ml.train import BaseModel
from orchestration.gaps.judging import Bools, Figure, Ints, rounded_quotient
from orchestration.gaps.rules import RATE_UNIT, SCORE, TEXTS, unit_of

# What an order adds to, of all time and of windows up to the date: a purchase day, unless there was one; its amounts.
DAYS = ("purchase_days", "purchase_days_28d", "purchase_days_91d")
AMOUNTS = ("net_all", "costed_all", "margin_all", "net_28d", "net_91d", "newest")
CENT = 100  # units of an amount: orders are placed in hundredths
# Of the year and of all time, in whole numbers of the unit of amounts; those of all time only of who has bought.
READ = """
    select indicators.customer_id, {columns},
        indicators.order_count_365d as orders, indicators.order_count_all as orders_all,
        cast(indicators.net_amount_365d * 10000 as bigint) as net,
        cast((indicators.net_amount_365d - indicators.costless_amount_365d) * 10000 as bigint) as costed,
        cast(indicators.margin_amount_365d * 10000 as bigint) as margin,
        features.customer_id is not null as has_bought, features.first_purchase_date, features.last_purchase_date,
        coalesce(features.purchase_days, 0) as purchase_days,
        cast(coalesce(features.net_amount, 0) * 10000 as bigint) as net_all,
        cast(coalesce(features.costed_net_amount, 0) * 10000 as bigint) as costed_all,
        cast(coalesce(features.margin_amount, 0) * 10000 as bigint) as margin_all,
        coalesce(features.purchase_days_28d, 0) as purchase_days_28d,
        coalesce(features.purchase_days_91d, 0) as purchase_days_91d,
        cast(coalesce(features.net_amount_28d, 0) * 10000 as bigint) as net_28d,
        cast(coalesce(features.net_amount_91d, 0) * 10000 as bigint) as net_91d,
        cast(coalesce(newest.amount, 0) * 10000 as bigint) as newest
    from customer.customer_indicators as indicators
    left join intermediate.int_customers__features as features
        on indicators.customer_id = features.customer_id and indicators.as_of_date = features.as_of_date
    left join (
        -- of the purchase days that would still be among the last three
        select customer_id, sum(net_amount) as amount
        from (
            select *, row_number() over newest_first as nth, max(event_date) over newest_first as newest_date
            from intermediate.int_customer_days
            where valid_from <= $as_of_date and valid_to > $as_of_date and order_count > 0
            window newest_first as (partition by customer_id order by event_date desc)
        )
        where nth <= case when newest_date = $as_of_date then 3 else 2 end
        group by customer_id
    ) as newest on indicators.customer_id = newest.customer_id
    {joins}
    where indicators.as_of_date = $as_of_date
    order by indicators.customer_id
"""
SCORED = """
    left join ml.scores as scores_{days} on scores_{days}.as_of_date = indicators.as_of_date
        and scores_{days}.customer_id = indicators.customer_id and scores_{days}.horizon_days = {days}
"""


@dataclass(frozen=True)
class Usual:
    """The size of a customer's orders in cents and its margin rate in RATE_UNITs, as its year tells them, else all of
    its time; and where there is one."""

    cents: Ints
    has_order: Bools
    rate: Ints
    has_rate: Bools

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Usual:
        def column(name: str) -> Ints:
            return frame[name].to_numpy(dtype=np.int64)

        in_year = (column("orders") > 0) & (column("net") > 0)
        net = np.where(in_year, column("net"), np.maximum(column("net_all"), 0))
        count = np.where(in_year, column("orders"), column("orders_all"))
        cents = rounded_quotient(net, count * CENT)
        is_costed = column("costed") > 0
        costed = np.where(is_costed, column("costed"), column("costed_all"))
        margin = np.where(is_costed, column("margin"), column("margin_all"))
        # Of any size: 64 bits do not hold an amount in millionths of its unit.
        rate = margin.astype(object) * RATE_UNIT // np.maximum(costed, 1).astype(object)
        has_rate = (costed > 0) & (rate <= RATE_UNIT) & (rate > -RATE_UNIT * RATE_UNIT)
        return cls(cents, cents > 0, np.where(has_rate, rate, 0).astype(np.int64), np.asarray(has_rate, dtype=np.bool_))

    def cost(self, who: Ints, cents: Ints) -> Ints:
        """What an order of so many cents costs, in cents, rounded half up."""
        high, low = np.divmod(cents, RATE_UNIT)
        share = RATE_UNIT - self.rate[who]
        return np.asarray(high * share + (low * share + RATE_UNIT // 2) // RATE_UNIT, dtype=np.int64)


class Orders:
    """Customers of a date with the figures that are ``asked`` for, and those they would have with an order more."""

    def __init__(self, build: duckdb.DuckDBPyConnection, as_of_date: date, asked: set[str], model: BaseModel | None):
        frame = _read(build, as_of_date, asked)
        self.frame, self.usual = frame, Usual.of(frame)
        self.texts: dict[str, npt.NDArray[np.object_]] = {
            name: frame[f"asked_{name}"].to_numpy(dtype=object) for name in sorted(asked & TEXTS)
        }
        self.today = {name: _figure(frame[f"asked_{name}"]) for name in sorted(asked - TEXTS)}
        self._numbers = {
            name: frame[name].to_numpy(dtype=np.int64) for name in (*DAYS, *AMOUNTS, "orders", "orders_all", "net")
        }
        self.has_bought = frame["has_bought"].to_numpy(dtype=np.bool_)
        self._place_bought = self.has_bought.cumsum() - 1
        is_day = pd.to_datetime(frame["last_purchase_date"]) == pd.Timestamp(as_of_date)
        for name in DAYS:
            self._numbers[name] = self._numbers[name] + ~is_day.to_numpy(dtype=np.bool_)
        self._outlooks = self._look_ahead(model, as_of_date) if model else {}

    def with_order(self, who: Ints, orders: Ints, cents: Ints, cost: Ints) -> Mapping[str, Figure]:
        """The figures that so many orders of the release date change, all of them together being worth so much."""
        net, margin = cents * CENT, (cents - cost) * CENT
        own: dict[str, Figure] = {}
        for name in self.today:
            today = self.today[name].of(who)
            if name == "recency_days":
                own[name] = _known(np.zeros(len(who), np.int64))
            elif name == "order_count_365d":
                own[name] = _known(today.values + orders * unit_of(name))
            elif name.startswith("net_amount_"):
                own[name] = _known(today.values + net)
            elif name == "margin_amount_365d":
                own[name] = _known(today.values + margin)
        return own | self._scored(who, net, margin)

    def all_of(self, name: str) -> int:
        """The sum over all customers: of their ``orders``, or of the ``net`` that is positive."""
        return int(np.maximum(self._numbers[name], 0).sum())

    def _look_ahead(self, model: BaseModel, as_of_date: date) -> dict[int, Outlook]:
        bought = self.frame[self.has_bought]
        features = bought[["customer_id", "first_purchase_date"]].assign(
            last_purchase_date=pd.Timestamp(as_of_date),
            purchase_days=self._numbers["purchase_days"][self.has_bought],
            **dict.fromkeys(("net_amount", "mean_day_amount", "margin_amount", "costed_net_amount"), 0.0),
        )
        horizons = {int(found[2]) for name in self.today if (found := SCORE.fullmatch(name))}
        cutoff = as_of_date + timedelta(days=1)
        return {days: outlook(features, model, cutoff, days) for days in horizons if days in model.params.horizons}

    def _scored(self, who: Ints, net: Ints, margin: Ints) -> dict[str, Figure]:
        """As the day's model would say it; nothing where it does not speak of the horizon or of who never bought."""
        rows, said = self._place_bought[who], dict[str, npt.NDArray[np.float64]]()
        features = self._features(who, net, margin)
        for horizon, looks in self._outlooks.items():
            inactive, _, amount = looks.expects(features, rows)
            said[f"inactive_probability_{horizon}d"] = inactive.round(PROBABILITY_DIGITS)
            said[f"potential_margin_amount_{horizon}d"] = looks.potential_margin(features, amount)
        own: dict[str, Figure] = {}
        for name in filter(SCORE.fullmatch, self.today):
            value = said.get(name, np.full(len(who), np.nan))
            known = ~np.isnan(value) & self.has_bought[who]
            own[name] = Figure(np.rint(np.where(known, value, 0.0) * unit_of(name)).astype(np.int64), known)
        return own

    def _features(self, who: Ints, net: Ints, margin: Ints) -> pd.DataFrame:
        """What the model would read of their days and amounts, rounded as the features are."""
        days = {name: self._numbers[name][who] for name in DAYS}
        amounts = {name: self._numbers[name][who] + (margin if name == "margin_all" else net) for name in AMOUNTS}
        count = days["purchase_days"]
        in_units = {
            "net_amount": amounts["net_all"],
            "mean_day_amount": rounded_quotient(amounts["net_all"], count),
            "newest_days_amount": rounded_quotient(amounts["newest"], np.minimum(count, 3)),
            "margin_amount": amounts["margin_all"],
            "costed_net_amount": amounts["costed_all"],
            "net_amount_28d": amounts["net_28d"],
            "net_amount_91d": amounts["net_91d"],
        }
        counted = {name: values.astype(np.float64) for name, values in days.items()}
        return pd.DataFrame(counted | {name: values / 10_000 for name, values in in_units.items()})


def _known(values: Ints) -> Figure:
    return Figure(values, np.ones(len(values), np.bool_))


def _figure(column: pd.Series[Any]) -> Figure:
    known = column.notna().to_numpy(dtype=np.bool_)
    return Figure(column.fillna(0).to_numpy(dtype=np.int64), known)


def _read(build: duckdb.DuckDBPyConnection, as_of_date: date, asked: set[str]) -> pd.DataFrame:
    columns, joins = ["null as nothing_asked"], dict[str, str]()
    for name in sorted(asked):
        if name in TEXTS:
            columns.append(f"cast(indicators.{name} as varchar) as asked_{name}")
            continue
        relation = "indicators"
        if score := SCORE.fullmatch(name):
            relation, joins[score[2]] = f"scores_{score[2]}", SCORED.format(days=score[2])
        column = score[1] if score else name
        exact = f"cast({relation}.{column} as decimal(28, 6)) * {unit_of(name)}"
        columns.append(f"cast({exact} as bigint) as asked_{name}")
    query = READ.format(columns=", ".join(columns), joins=" ".join(joins.values()))
    return build.execute(query, {"as_of_date": as_of_date}).df()
