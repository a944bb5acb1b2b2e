"""How good a model would have been: scores at a past cut-off against what came. Frames in, figures out, no verdict.

The measures are those of the protocol: inactive = no purchase in the window; bias = predicted sum / actual sum; Gini is
normalised (order by prediction / perfect order). Equal predictions are one group: they share their actual values, so
that no figure depends on the order of rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.btyd import Floats
from ml.curve import mean_wait
from ml.features import FeaturesError, checked_features
from ml.score import PROBABILITY_DIGITS, outlook, purchase_days_at, score
from ml.train import BaseModel

AS_NOTHING = {"purchase_count": 0, "net_amount": 0, "margin_amount": 0}


def backtest(
    features: pd.DataFrame, outcomes: pd.DataFrame, model: BaseModel, horizon: int
) -> tuple[dict[str, float], pd.DataFrame]:
    """Figures of a model fitted as of a past cut-off, and its calibration table.

    ``features``: as of ``model.cutoff``, as in train.fit; ``outcomes``: customer_id, purchase_count and net_amount in
    [cutoff, cutoff + horizon), a customer without a row having bought nothing; also margin_amount where costs are
    known and first_purchase_date, the first day in the window. Figures: auc, average_precision, log_loss, brier and ece
    of inactivity; bias, mae, rmse and correlation of the count; bias, mae, rmse, gini and top_share (share of the
    actual sum held by the customers ranked highest) of the value; mae and gini of the margin; concordance and mae_days
    of the next purchase's date. A figure that the outcomes do not define is NaN. Raises FeaturesError and LeakError as
    score does, FeaturesError when a customer stands twice in the outcomes.
    """
    if outcomes["customer_id"].duplicated().any():
        raise FeaturesError("outcomes: customers stand there twice, expected one row each")
    scored = score(features, model, model.cutoff, [horizon])
    came = outcomes.set_index("customer_id").reindex(scored["customer_id"])
    knows_costs = "margin_amount" in came and model.margin_rate is not None
    first = came.get("first_purchase_date", pd.Series(pd.NaT, came.index))
    days = (first - pd.Timestamp(model.cutoff)).dt.days.to_numpy().astype(np.float64)
    came = came.assign(margin_amount=came["margin_amount"] if knows_costs else 0).fillna(AS_NOTHING)
    count, amount, margin = (
        came[name].to_numpy().astype(np.float64) for name in ("purchase_count", "net_amount", "margin_amount")
    )
    predicted, expected, value = (
        scored[name].to_numpy() for name in ("inactive_probability", "expected_purchase_count", "expected_net_amount")
    )
    potential = scored["potential_margin_amount"].to_numpy()
    inactive = (count == 0).astype(np.float64)
    table = calibration_table(predicted, inactive, model.params.calibration_bins)
    gaps = (table["predicted"] - table["observed"]).abs()
    figures = {
        "auc": auc(predicted, inactive),
        "average_precision": average_precision(predicted, inactive),
        "log_loss": log_loss(predicted, inactive),
        "brier": float(np.mean((predicted - inactive) ** 2)),
        "ece": float((gaps * table["customers"]).sum() / len(inactive)),
        "count_bias": _ratio(expected.sum(), count.sum()),
        "count_mae": float(np.mean(np.abs(expected - count))),
        "count_rmse": float(np.sqrt(np.mean((expected - count) ** 2))),
        "count_correlation": correlation(expected, count),
        "value_bias": _ratio(value.sum(), amount.sum()),
        "value_mae": float(np.mean(np.abs(value - amount))),
        "value_rmse": float(np.sqrt(np.mean((value - amount) ** 2))),
        "value_gini": normalised_gini(value, amount),
        "value_top_share": top_share(value, amount, model.params.top_share),
        "margin_mae": float(np.mean(np.abs(potential - margin))) if knows_costs else float("nan"),
        "margin_gini": normalised_gini(potential, margin) if knows_costs else float("nan"),
        "next_date_concordance": concordance(_waits(features, model, horizon, predicted), days),
        "next_date_mae_days": _days_off(features, model, horizon, predicted, days),
    }
    return figures, table


def calibration_table(predicted: Floats, observed: Floats, bins: int) -> pd.DataFrame:
    """Mean prediction, mean outcome and customers of equal-count bins, lowest predictions first; columns bin (from 1),
    predicted, observed, customers. Fewer customers than bins make fewer bins."""
    order = np.argsort(predicted, kind="stable")
    shared = _shared(predicted, observed)
    parts = [part for part in np.array_split(order, bins) if part.size]
    return pd.DataFrame(
        {
            "bin": np.arange(1, len(parts) + 1),
            "predicted": [predicted[part].mean() for part in parts],
            "observed": [shared[part].mean() for part in parts],
            "customers": [part.size for part in parts],
        }
    )


def auc(score_of: Floats, positive: Floats) -> float:
    """P(a positive is ranked above a negative), ties counting half: the Mann-Whitney statistic. NaN with one class."""
    positives = positive.sum()
    ranks = pd.Series(score_of).rank().to_numpy()[positive > 0].sum()
    return _ratio(ranks - positives * (positives + 1) / 2, positives * (positive.size - positives))


def average_precision(score_of: Floats, positive: Floats) -> float:
    """Mean precision at each positive, equal scores being one threshold. NaN without positives."""
    groups = pd.DataFrame({"score": -score_of, "hits": positive, "all": 1.0}).groupby("score").sum()
    precision = groups["hits"].cumsum() / groups["all"].cumsum()
    return _ratio((groups["hits"] * precision).sum(), positive.sum())


def log_loss(predicted: Floats, positive: Floats) -> float:
    """Mean -log of the probability given to what happened; one that was called impossible costs 1e-6, the last digit
    that a score has."""
    happened = np.where(positive > 0, predicted, 1.0 - predicted)
    return float(-np.log(np.maximum(happened, 10.0**-PROBABILITY_DIGITS)).mean())


def correlation(predicted: Floats, actual: Floats) -> float:
    """Pearson's correlation. NaN when either is the same for all."""
    if not (np.ptp(predicted) and np.ptp(actual)):
        return float("nan")
    deviations = predicted - predicted.mean(), actual - actual.mean()
    return _ratio(deviations[0] @ deviations[1], float(np.linalg.norm(deviations[0]) * np.linalg.norm(deviations[1])))


def normalised_gini(predicted: Floats, actual: Floats) -> float:
    """Gini of the actual values in order of prediction over that in their own order. NaN when all are equal."""
    return _ratio(_concentration(predicted, actual), _concentration(actual, actual))


def top_share(predicted: Floats, actual: Floats, share: float) -> float:
    """Share of the actual sum held by the ``share`` of customers (rounded up) predicted highest. NaN for a sum of 0."""
    highest = np.argsort(-predicted, kind="stable")[: int(np.ceil(share * actual.size))]
    return _ratio(_shared(predicted, actual)[highest].sum(), actual.sum())


def concordance(predicted: Floats, days: Floats) -> float:
    """P(the one predicted lower comes first) of customers that came and those that came later or, NaN, not yet; ties
    count half: Harrell's C, customers who did not come being censored at the window's end. NaN without such a pair."""
    agreeing = pairs = 0.0
    for day in np.unique(days[~np.isnan(days)]):
        now, later = predicted[days == day], np.sort(predicted[~(days <= day)])
        below, beside = np.searchsorted(later, now, side="left"), np.searchsorted(later, now, side="right")
        agreeing += float((later.size - (below + beside) / 2).sum())
        pairs += now.size * later.size
    return _ratio(agreeing, pairs)


def _waits(features: pd.DataFrame, model: BaseModel, horizon: int, inactive: Floats) -> Floats:
    """What customers rank by, who comes first lowest: the expected wait where a curve was learned, else P(inactive)."""
    shares = outlook(features, model, model.cutoff, horizon).shares(checked_features(features, model.cutoff))
    return inactive if shares is None else mean_wait(shares, horizon, 1.0 - inactive)


def _days_off(features: pd.DataFrame, model: BaseModel, horizon: int, inactive: Floats, days: Floats) -> float:
    """Mean distance, over those that came, of the day they came (1 = the cut-off's) from the median day of those who
    come within the window: the curve's own, at half of its height there. NaN for a rung without a curve."""
    came = ~np.isnan(days)
    frame = checked_features(features, model.cutoff)
    median = purchase_days_at(frame, model, model.cutoff, horizon, quantile=(1.0 - inactive) / 2.0, longest=horizon)
    return float(np.mean(np.abs(median - (days + 1.0))[came])) if came.any() else float("nan")


def _concentration(predicted: Floats, actual: Floats) -> float:
    """Area between the diagonal and the cumulated actual values, highest predictions first, times the actual sum."""
    held = _shared(predicted, actual)[np.argsort(-predicted, kind="stable")]
    return float((held.cumsum() - held.sum() * np.arange(1, held.size + 1) / held.size).sum())


def _shared(predicted: Floats, actual: Floats) -> Floats:
    """Actual values, those of equal predictions replaced by their mean."""
    shared: Floats = pd.Series(actual).groupby(predicted).transform("mean").to_numpy()
    return shared


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
