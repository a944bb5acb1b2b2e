"""What tiers were worth: how much of the later spend those hold whom a past day ranked highest, and simpler rankings.

Plain arrays in, shares out. The interval of a difference comes from leaving out one of equal groups of customers at a
time (grouped jackknife; Efron and Tibshirani 1993, chapter 11), so that no chance is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ml.params import ValueParams

Array = npt.NDArray[np.float64]
NORMAL_95 = 1.959964
RANKINGS = ("tier_score", "net_amount", "rfm_score", "oracle")


@dataclass(frozen=True)
class Cutoff:
    """A past decision, an entry per customer: its ``tier`` and what it was ranked by, ``recency`` as days before, and
    what it bought in the days after, net and in margin. ``group`` numbers the customers' groups from 0."""

    day: date
    tier: Sequence[str]
    tier_score: Array
    net_amount: Array
    order_count: Array
    recency: Array
    later_net: Array
    later_margin: Array
    group: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Held:
    """Shares of a day's customers, of what they bought later and of its margin; None where that is not above 0."""

    customers: float
    net: float | None
    margin: float | None


@dataclass(frozen=True)
class TierValue:
    """``tiers``: of each tier, by cut-off; ``tops``: of the top share by each of RANKINGS. ``ahead``: how much more of
    the later net spend the top by tier score holds than the top by net spend, the mean of the cut-offs, with its
    interval of 95 %."""

    top_share: float
    horizon_days: int
    cutoffs: tuple[date, ...]
    tiers: Mapping[date, Mapping[str, Held]]
    tops: Mapping[date, Mapping[str, Held]]
    ahead: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """better, worse, or unproven: whether the interval leaves zero out."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "unproven"


def tier_value(cutoffs: Sequence[Cutoff], params: ValueParams) -> TierValue | None:
    """The back-test over the cut-offs at which anybody bought something later; None without any."""
    told = [cutoff for cutoff in cutoffs if cutoff.later_net.sum() > 0]
    if not told:
        return None
    tops, ahead = {}, []
    for cutoff in told:
        rankings = dict(
            zip(
                RANKINGS,
                (cutoff.tier_score, cutoff.net_amount, rfm_scores(cutoff, params), cutoff.later_net),
                strict=True,
            )
        )
        tops[cutoff.day] = {name: _top(ranking, cutoff, params) for name, ranking in rankings.items()}
        shares = [held_by_top(rankings[name], cutoff.later_net, cutoff.group, params) for name in RANKINGS[:2]]
        ahead.append(shares[0] - shares[1])
    whole, *without = np.mean(ahead, axis=0)
    spread = np.sqrt((len(without) - 1) / len(without) * np.square(np.array(without) - np.mean(without)).sum())
    return TierValue(
        params.top_share,
        params.horizon_days,
        tuple(cutoff.day for cutoff in told),
        {cutoff.day: _tiers(cutoff) for cutoff in told},
        tops,
        float(whole),
        float(whole - NORMAL_95 * spread),
        float(whole + NORMAL_95 * spread),
    )


def held_by_top(ranking: Array, later: Array, group: npt.NDArray[np.int64], params: ValueParams) -> Array:
    """Share of ``later`` that the top share of customers by ``ranking`` holds: of all customers, then without each
    group. Equals at the edge count in part."""
    values, place = np.unique(-ranking, return_inverse=True)
    shape = (len(values), params.groups)
    cells = place * params.groups + group
    customers = np.bincount(cells, minlength=len(values) * params.groups).reshape(shape).astype(float)
    bought = np.bincount(cells, later, minlength=len(values) * params.groups).reshape(shape)
    customers = np.column_stack([customers.sum(axis=1), customers.sum(axis=1, keepdims=True) - customers])
    bought = np.column_stack([bought.sum(axis=1), bought.sum(axis=1, keepdims=True) - bought])
    room = params.top_share * customers.sum(axis=0) - (customers.cumsum(axis=0) - customers)
    part = np.clip(np.divide(room, customers, out=np.zeros_like(room), where=customers > 0), 0, 1)
    return np.asarray((part * bought).sum(axis=0) / bought.sum(axis=0))


def rfm_scores(cutoff: Cutoff, params: ValueParams) -> Array:
    """Recency, frequency and monetary as quantiles from 1, by the number of buyers strictly worse, summed; 0 for who
    had not bought."""
    buys = cutoff.order_count > 0
    total = np.zeros(len(buys))
    for figure in (-cutoff.recency, cutoff.order_count, cutoff.net_amount):
        ordered = np.sort(figure[buys])
        worse = np.searchsorted(ordered, figure[buys], side="left")
        total[buys] += 1 + np.floor(params.quantiles * worse / max(1, len(ordered)))
    return total


def _top(ranking: Array, cutoff: Cutoff, params: ValueParams) -> Held:
    net, margin = (
        float(held_by_top(ranking, later, cutoff.group, params)[0]) if later.sum() > 0 else None
        for later in (cutoff.later_net, cutoff.later_margin)
    )
    return Held(params.top_share, net, margin)


def _tiers(cutoff: Cutoff) -> dict[str, Held]:
    tiers = np.array(cutoff.tier)
    return {
        str(tier): Held(
            float((tiers == tier).mean()),
            *(
                float(later[tiers == tier].sum() / later.sum()) if later.sum() > 0 else None
                for later in (cutoff.later_net, cutoff.later_margin)
            ),
        )
        for tier in np.unique(tiers)
    }
