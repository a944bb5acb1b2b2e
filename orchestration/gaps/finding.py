"""The smallest order, and the fewest usual ones, that would lift a customer's score tier to the next on a date.

Promised is what is found: the amount lifts, and a cent less does not; so many orders lift, and one less does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ml.learn import TrainedModel
from ml.train import BaseModel
from orchestration.gaps.judging import Bools, Ints, Judging
from orchestration.gaps.orders import CENT, Orders
from orchestration.gaps.rules import RATE_UNIT, SCORE_UNIT, Row, UnforeseenLens, least, read_rules

# Why there is no gap. The last two: not even by as much as all customers together bought in a year.
HIGHEST, UNFORESEEN = "highest_tier", "unforeseen_lens"
NO_MARGIN, NO_ORDER = "no_usual_margin", "no_usual_order"
OUT_OF_REACH = "other_factors_hold"
Scored = Callable[[Ints, Ints], Ints]
Objects = npt.NDArray[np.object_]


def find_gaps(build: duckdb.DuckDBPyConnection, used: Mapping[str, TrainedModel]) -> None:
    """Fill ``ml.gaps`` for the release date, after the scores; ``used``: the models that scored the run's dates."""
    as_of_date, version, model_version = build.execute(
        "select as_of_date, policy_version, model_version from run.run_dates where is_release_date"
    ).fetchall()[0]
    trained = used.get(model_version)
    gaps = gaps_of(build, as_of_date, version, trained.model if trained else None)
    build.execute("delete from ml.gaps")
    build.register("gaps_found", pa.Table.from_pandas(gaps, preserve_index=False))
    build.execute("insert into ml.gaps by name select ? as as_of_date, * from gaps_found", [as_of_date])
    build.unregister("gaps_found")


def gaps_of(
    build: duckdb.DuckDBPyConnection, as_of_date: date, policy_version: str, model: BaseModel | None
) -> pd.DataFrame:
    """One row per customer of the date, its columns those of ``ml.gaps``."""
    rules = read_rules(build, policy_version)
    try:
        asked = rules.asked_for()
    except UnforeseenLens as lens:
        customers = Orders(build, as_of_date, set(), None).frame[["customer_id"]]
        return customers.assign(unforeseen_lens=str(lens), one_order_reason=UNFORESEEN, usual_orders_reason=UNFORESEEN)
    orders = Orders(build, as_of_date, asked, model)
    judging = Judging(rules, orders.today, orders.texts)
    tiers = sorted(rules.bands["tier"], key=lambda row: row["band_rank"])
    return _Search(orders, judging, tiers).found()


class _Search:
    def __init__(self, orders: Orders, judging: Judging, tiers: list[Row]) -> None:
        """``tiers`` from the best down; the last has no bound."""
        self.orders, self.judging, self.usual = orders, judging, orders.usual
        self.everybody = np.arange(len(orders.frame))
        self.names = np.array([row["band"] for row in tiers], dtype=object)
        bounds = np.array([least(row["lower_bound"], SCORE_UNIT) for row in tiers[:-1]], dtype=np.int64)
        self.bounds = bounds
        self.score = judging.tier_score(self.everybody, {})
        self.place = self._place(self.score)
        self.bound = bounds[np.maximum(self.place - 1, 0)]

    def found(self) -> pd.DataFrame:
        usual, none = self.usual, np.full(len(self.everybody), "", dtype=object)
        none[~usual.has_rate] = NO_MARGIN
        none[~self.orders.has_bought] = NO_ORDER
        none[self.place == 0] = HIGHEST
        no_usual = np.where((none == "") & ~usual.has_order, NO_ORDER, none)
        most = -(-self.orders.all_of("net") // CENT), self.orders.all_of("orders")
        cents, money_reason = self._least(self._score_by_money, none, most[0])
        count, orders_reason = self._least(self._score_by_orders, no_usual, most[1])
        is_one, are_usual = money_reason == "", orders_reason == ""
        return pd.DataFrame(
            {
                "customer_id": self.orders.frame["customer_id"],
                "tier_score": self.score / SCORE_UNIT,
                "score_tier": self.names[self.place],
                "next_tier": _text(self.names[np.maximum(self.place - 1, 0)], self.place > 0),
                "usual_margin_rate": _number(usual.rate / RATE_UNIT, usual.has_rate),
                "one_order_amount": _number(cents / CENT, is_one),
                "one_order_cost_amount": _number(usual.cost(self.everybody, cents) / CENT, is_one),
                "one_order_tier": self._reached(is_one, self._score_by_money, cents),
                "one_order_reason": _text(money_reason, ~is_one),
                "usual_order_amount": _number(usual.cents / CENT, are_usual),
                "usual_order_cost_amount": _number(usual.cost(self.everybody, usual.cents) / CENT, are_usual),
                "usual_order_count": _number(count, are_usual),
                "usual_orders_tier": self._reached(are_usual, self._score_by_orders, count),
                "usual_orders_reason": _text(orders_reason, ~are_usual),
            }
        )

    def _place(self, score: Ints) -> Ints:
        """Of the best tier whose bound the score reaches, from the best on."""
        return np.asarray((score[:, None] < self.bounds[None, :]).sum(axis=1), dtype=np.int64)

    def _score_by_money(self, who: Ints, cents: Ints) -> Ints:
        own = self.orders.with_order(who, np.ones(len(who), np.int64), cents, self.usual.cost(who, cents))
        return self.judging.tier_score(who, own)

    def _score_by_orders(self, who: Ints, count: Ints) -> Ints:
        cents = self.usual.cents[who]
        own = self.orders.with_order(who, count, count * cents, count * self.usual.cost(who, cents))
        return self.judging.tier_score(who, own)

    def _reached(self, is_found: Bools, scored: Scored, number: Ints) -> Objects:
        """The tier that what was found leads to: what makes the first step may make the second, too."""
        reached, who = np.full(len(is_found), None, dtype=object), np.flatnonzero(is_found)
        reached[who] = self.names[self._place(scored(who, number[who]))]
        return reached

    def _least(self, scored: Scored, reason: Objects, most: int) -> tuple[Ints, Objects]:
        """For whom nothing speaks against it, the least number up to ``most`` that lifts where one less does not.

        Doubled from one until it lifts, then halved in between: more lifts no less wherever a usual margin is neither
        below nothing nor far from that of old; where it is, the number found is still one at which the tier changes.
        """
        low, high, why = np.zeros(len(reason), np.int64), np.zeros(len(reason), np.int64), reason.copy()
        searching = np.flatnonzero(reason == "")
        tried, last = 1, max(most, 1)
        while len(searching):
            lifted = scored(searching, np.full(len(searching), tried, np.int64)) >= self.bound[searching]
            high[searching[lifted]] = tried
            searching = searching[~lifted]
            low[searching] = tried
            if tried == last:
                break
            tried = min(2 * tried, last)
        why[searching] = OUT_OF_REACH
        between = np.flatnonzero((why == "") & (high - low > 1))
        while len(between):
            middle = (low[between] + high[between]) // 2
            lifted = scored(between, middle) >= self.bound[between]
            high[between[lifted]] = middle[lifted]
            low[between[~lifted]] = middle[~lifted]
            between = between[high[between] - low[between] > 1]
        return high, why


def _number(values: npt.NDArray[Any], known: Bools) -> npt.NDArray[np.float64]:
    return np.where(known, values, np.nan)


def _text(values: Objects, known: Bools) -> Objects:
    text = values.astype(object)
    text[~known] = None
    return text
