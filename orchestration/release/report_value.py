"""What past tiers were worth, for the report page: shares of the later spend, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from orchestration.release.report_queries import Row

if TYPE_CHECKING:
    from ml.value import Held, TierValue

RANKED_BY = {
    "tier_score": ("tier score", "综合得分"),
    "net_amount": ("net sales of the year before", "上年净销售额"),
    "rfm_score": ("recency, frequency, monetary", "RFM"),
    "oracle": ("what they bought then: nobody can do better", "事后最优"),
}
VERDICTS = {
    "better": ("The score ranks better than net sales alone.", "综合得分优于单看净销售额。"),
    "worse": ("Net sales alone would have ranked better than the score.", "单看净销售额优于综合得分。"),
    "unproven": ("No difference to net sales alone is proven.", "与单看净销售额的差异未被证实。"),
}


def told_value(value: TierValue | None) -> Row | None:
    """The means of the cut-offs as rows of the page; None where no decision is old enough."""
    if value is None:
        return None
    tops = _means(value.cutoffs, value.tops)
    return {
        "cutoffs": value.cutoffs,
        "horizon": value.horizon_days,
        "top": _share(value.top_share),
        "rankings": [(*RANKED_BY[name], tops[name]) for name in RANKED_BY],
        "tiers": sorted(_means(value.cutoffs, value.tiers).items()),
        "verdict": VERDICTS[value.verdict],
        "ahead": tuple(_share(part) for part in (value.ahead, value.low, value.high)),
    }


def _means(cutoffs: Sequence[date], held: Mapping[date, Mapping[str, Held]]) -> dict[str, Row]:
    """By name the mean share of customers, net and margin over the cut-offs that tell of it."""
    names = sorted({name for day in cutoffs for name in held[day]})
    return {
        name: {
            part: _mean([getattr(held[day][name], part) for day in cutoffs if name in held[day]])
            for part in ("customers", "net", "margin")
        }
        for name in names
    }


def _mean(shares: Sequence[float | None]) -> Decimal | None:
    known = [share for share in shares if share is not None]
    return _share(sum(known) / len(known)) if known else None


def _share(value: float) -> Decimal:
    return Decimal(f"{value:.6f}")
