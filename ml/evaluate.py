"""How good a model would have been: scores at a past cut-off against what came. Frames in, figures out, no verdict.

The measures are those of the protocol: inactive = no purchase in the window; bias = predicted sum / actual sum; Gini is
normalised (order by prediction / perfect order). Equal predictions are one group: they share their actual values, so
that no figure depends on the order of rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ml.btyd import Floats
from ml.score import score
from ml.train import BaseModel, FeaturesError


def backtest(
    features: pd.DataFrame, outcomes: pd.DataFrame, model: BaseModel, horizon: int
) -> tuple[dict[str, float], pd.DataFrame]:
    """Figures of a model fitted as of a past cut-off, and its calibration table.

    ``features``: as of ``model.cutoff``, as in train.fit; ``outcomes``: customer_id, purchase_count and net_amount in
    [cutoff, cutoff + horizon), a customer without a row having bought nothing. Figures: auc, average_precision, brier
    and ece of inactivity; count_bias, count_rmse; value_bias, value_gini, value_top_share (share of the actual value
    held by the customers ranked highest). A figure that the outcomes do not define is NaN. Raises FeaturesError and
    LeakError as score does, FeaturesError when a customer stands twice in the outcomes.
    """
    if outcomes["customer_id"].duplicated().any():
        raise FeaturesError("outcomes: customers stand there twice, expected one row each")
    scored = score(features, model, model.cutoff, [horizon])
    came = (
        outcomes.set_index("customer_id").reindex(scored["customer_id"]).fillna({"purchase_count": 0, "net_amount": 0})
    )
    count, amount = (came[name].to_numpy().astype(np.float64) for name in ("purchase_count", "net_amount"))
    predicted, expected, value = (
        scored[name].to_numpy() for name in ("inactive_probability", "expected_purchase_count", "expected_net_amount")
    )
    inactive = (count == 0).astype(np.float64)
    table = calibration_table(predicted, inactive, model.params.calibration_bins)
    gaps = (table["predicted"] - table["observed"]).abs()
    figures = {
        "auc": auc(predicted, inactive),
        "average_precision": average_precision(predicted, inactive),
        "brier": float(np.mean((predicted - inactive) ** 2)),
        "ece": float((gaps * table["customers"]).sum() / len(inactive)),
        "count_bias": _ratio(expected.sum(), count.sum()),
        "count_rmse": float(np.sqrt(np.mean((expected - count) ** 2))),
        "value_bias": _ratio(value.sum(), amount.sum()),
        "value_gini": normalised_gini(value, amount),
        "value_top_share": top_share(value, amount, model.params.top_share),
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
    ranks = rankdata(score_of)[positive > 0].sum()
    return _ratio(ranks - positives * (positives + 1) / 2, positives * (positive.size - positives))


def average_precision(score_of: Floats, positive: Floats) -> float:
    """Mean precision at each positive, equal scores being one threshold. NaN without positives."""
    groups = pd.DataFrame({"score": -score_of, "hits": positive, "all": 1.0}).groupby("score").sum()
    precision = groups["hits"].cumsum() / groups["all"].cumsum()
    return _ratio((groups["hits"] * precision).sum(), positive.sum())


def normalised_gini(predicted: Floats, actual: Floats) -> float:
    """Gini of the actual values in order of prediction over that in their own order. NaN when all are equal."""
    return _ratio(_concentration(predicted, actual), _concentration(actual, actual))


def top_share(predicted: Floats, actual: Floats, share: float) -> float:
    """Share of the actual sum held by the ``share`` of customers (rounded up) predicted highest. NaN for a sum of 0."""
    highest = np.argsort(-predicted, kind="stable")[: int(np.ceil(share * actual.size))]
    return _ratio(_shared(predicted, actual)[highest].sum(), actual.sum())


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
