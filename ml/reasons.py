"""Why a score is what it is: of a champion, what groups of inputs add to the average customer's score; of a rung below,
which rung it is, for nothing in it is a sum. Not how the score is made, which is score.py's.

Inputs that move together trade signs among themselves, so only groups are told apart that do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from ml.btyd import Floats
from ml.cells import cell_bands
from ml.champion import INPUT_GROUPS, Champion, Expected, explained, inputs_of
from ml.features import checked_features
from ml.params import Params
from ml.score import Outlook, outlooks
from ml.train import BaseModel

# A score as customer_scores calls it → what of the champion it is, and the sign by which that counts for it.
SCORES = {"inactive_probability": ("activity", -1.0), "expected_net_amount": ("value", 1.0)}
# Beside the groups: the average row that was learned from, what brings the totals to the level of the season, and
# what the most that was ever seen takes off, and what a shorter horizon says already.
BASE, LEVEL, LIMIT, SHORTER = "base", "level", "limit", "shorter_horizon"
# A probability is told to six digits; within these its log-odds are finite.
LEAST = 1e-9
# The champion's groups of inputs by those that are told.
FACTORS = {
    "buying rhythm": "buying_rhythm",
    "days since the last purchase": "silence",
    "silence against the usual gap": "silence",
    "silence against the whole history": "silence",
    "purchase days": "activity",
    "purchase days in 28 days": "activity",
    "purchase days in 91 days": "activity",
    "net amount in 28 days": "activity",
    "net amount in 91 days": "activity",
    "net amount of a purchase day": "basket",
    "net amount of the last three purchase days": "basket",
}
COLUMNS = ("customer_id", "horizon_days", "score_name", "factor", "figure", "contribution", "cell")
CONTRIBUTION_DIGITS, FIGURE_DIGITS = 12, 4


def reasons(features: pd.DataFrame, model: BaseModel, cutoff: date, horizons: Sequence[int]) -> pd.DataFrame:
    """Rows of ``COLUMNS``, several a customer, horizon and score; nothing on the rung that has no scores.

    contribution: of a champion, in log-odds of no purchase or the log of the net amount; the rounded ones sum to the
    score on that scale to 1e-9. figure: the customer's own, which leads its group. Below the champion one row, its
    factor the rung, without a contribution; of cells with the ``cell``; another where a shorter horizon says it.
    Raises as ``score.score`` does.
    """
    frame, ids = checked_features(features, cutoff), pd.Series([], dtype=str)
    parts = [pd.DataFrame({name: [] for name in COLUMNS}).astype({"customer_id": ids.dtype})]
    every = outlooks(frame, model, cutoff, horizons)
    for horizon in horizons:
        rung = model.rung_of(horizon)
        if not len(frame) or rung == "none":
            continue
        looks = every[horizon]
        for score in SCORES:
            if looks.champion is None:
                cell = _cells(frame, cutoff, model.params) if rung == "rfm_cells" else None
                is_other, _ = _by_shorter(frame, looks, score)
                told = [_rows(frame, rung, cell=cell), _rows(frame[is_other], SHORTER)]
            else:
                told = _of_champion(frame, looks, looks.champion, score)
            parts += [part.assign(horizon_days=horizon, score_name=score) for part in told]
    parts = [part for part in parts if len(part)] or parts
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _of_champion(frame: pd.DataFrame, looks: Outlook, champion: Champion, score: str) -> list[pd.DataFrame]:
    what, sign = SCORES[score]
    base = looks.by_base(frame, slice(None))
    shown, linear = explained(champion, inputs_of(frame, looks.history, base), what)
    sums: dict[str, Floats] = {BASE: shown["base"].to_numpy()}
    for group in dict.fromkeys(INPUT_GROUPS.values()):
        factor = FACTORS[group]
        sums[factor] = sums.get(factor, 0.0) + shown[group].to_numpy()
    sums[LEVEL] = shown["level"].to_numpy()
    figures = _figures(frame, looks, base, score)
    parts = [_rows(frame, factor, figures.get(factor), sign * added) for factor, added in sums.items()]
    over = linear - np.log(champion.value_cap) - champion.level.value if what == "value" else np.zeros(len(frame))
    if (capped := over > 0).any():
        parts.append(_rows(frame[capped], LIMIT, None, -over[capped]))
    is_other, published = _by_shorter(frame, looks, score)
    own = linear - np.maximum(over, 0.0)
    parts.append(_rows(frame[is_other], SHORTER, None, (published - sign * own)[is_other]))
    return parts


def _by_shorter(frame: pd.DataFrame, looks: Outlook, score: str) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Whom a shorter horizon says more of than this one alone, and the score on the scale of its reasons."""
    place = 0 if score == "inactive_probability" else 2
    alone, said = looks.alone(frame, slice(None))[place], looks.expects(frame, slice(None))[place]
    with np.errstate(divide="ignore", invalid="ignore"):
        return alone != said, np.log(said) if place else logit(np.clip(said, LEAST, 1.0 - LEAST))


def _figures(frame: pd.DataFrame, looks: Outlook, base: Expected, score: str) -> dict[str, Floats]:
    """What leads each group: how long it is silent, on how many of the last 91 days it bought, for how much a day, and
    what its rhythm alone lets expect."""
    return {
        "silence": looks.history.age - looks.history.recency,
        "activity": frame["purchase_days_91d"].to_numpy().astype(np.float64),
        "basket": frame["mean_day_amount"].to_numpy().astype(np.float64),
        "buying_rhythm": base.value if score == "expected_net_amount" else 1.0 - base.activity,
    }


def _rows(
    frame: pd.DataFrame,
    factor: str,
    figure: Floats | None = None,
    contribution: Floats | None = None,
    cell: Sequence[str] | None = None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"].to_numpy(),
            "factor": factor,
            "figure": np.nan if figure is None else figure.round(FIGURE_DIGITS),
            "contribution": np.nan if contribution is None else contribution.round(CONTRIBUTION_DIGITS),
            "cell": None if cell is None else list(cell),
        }
    )


def _cells(frame: pd.DataFrame, cutoff: date, params: Params) -> list[str]:
    """``28-90/2-3``: days since the last purchase and purchase days of those in the customer's cell."""
    recency, frequency = cell_bands(frame, cutoff, params)
    silent, bought = _bounds(0, params.cell_recency_days), _bounds(1, params.cell_purchase_days)
    return [f"{silent[r]}/{bought[f]}" for r, f in zip(recency, frequency, strict=True)]


def _bounds(least: int, edges: Sequence[int]) -> list[str]:
    lower = [least, *edges]
    upper = [*(edge - 1 for edge in edges), None]
    return [
        f"{low}+" if high is None else f"{low}-{high}" if low < high else f"{low}"
        for low, high in zip(lower, upper, strict=True)
    ]
