"""When within a horizon the next purchase comes: a chance per part of it for who has not come before, learned apart.

Glms on the inputs of the champion, one a part; arrays in, arrays out. The parts say how the chance of the whole horizon
is spread over it, the champion how high it is: so that P(inactive) and the dates are one curve. Discrete-time hazards
as in Singer, Willett 1993, Journal of Educational Statistics 18(2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import expit

from ml.btyd import Floats
from ml.glm import Glm, GlmRefused, fit_glm

# Equal parts of a horizon: on the Complete Journey's four weeks, four were .34 days further off and 28 .03 nearer.
PARTS = 8
# Of so many rows at most, evenly over them: a Glm of fourteen weights learns no more from more, and a day waits for it.
MOST_ROWS = 50_000


def learned_curve(inputs: Floats, days: Floats, horizon: int, penalty: float) -> tuple[Glm, ...] | None:
    """``days`` from the cut-off to the next purchase, 0 on the cut-off itself, NaN for none in the horizon; shape (n,).
    None where a part has nobody who comes, or nobody who does not."""
    every = max(1, -(-len(days) // MOST_ROWS))
    inputs, days = inputs[::every], days[::every]
    part = np.where(np.isnan(days), PARTS, np.floor(days * PARTS / horizon))
    try:
        return tuple(
            fit_glm("logit", inputs[part >= nth], (part[part >= nth] == nth).astype(np.float64), penalty)
            for nth in range(PARTS)
        )
    except GlmRefused:
        return None


def shares_of(curve: Sequence[Glm], inputs: Floats) -> Floats:
    """Of who comes within the horizon, the share that has come by the end of each part, shape (n, parts); the last is
    1, or all are where none is expected at all."""
    staying = np.ones(len(inputs))
    come = np.empty((len(inputs), len(curve)))
    for nth, glm in enumerate(curve):
        staying = staying * expit(-glm.linear(inputs))
        come[:, nth] = 1.0 - staying
    whole = come[:, -1:]
    return np.asarray(np.divide(come, whole, out=np.ones_like(come), where=whole > 0))


def days_within(shares: Floats, horizon: int, activity: Floats, quantile: float | Floats, beyond: Floats) -> Floats:
    """Days until the next purchase has probability ``quantile``, shape (n,): within a part they come evenly. Where
    ``activity``, the chance of the horizon, is lower, what lies ``beyond`` stands."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.broadcast_to(np.asarray(quantile / activity), activity.shape)
    ends = np.column_stack([np.zeros(len(shares)), shares])
    nth = np.clip((shares < share[:, None]).sum(axis=1), 0, shares.shape[1] - 1)
    rows = np.arange(len(shares))
    below, upto = ends[rows, nth], ends[rows, nth + 1]
    part = np.divide(share - below, upto - below, out=np.ones(len(shares)), where=upto > below)
    return np.where(share <= 1.0, (nth + part) * (horizon / shares.shape[1]), beyond)


def mean_wait(shares: Floats, horizon: int, activity: Floats) -> Floats:
    """Expected days until the next purchase, shape (n,); who does not come within the horizon waits it out."""
    ends = np.column_stack([np.zeros(len(shares)), shares])
    come = (ends[:, 1:] + ends[:, :-1]).mean(axis=1) / 2.0
    return np.asarray(horizon * (1.0 - activity * come))


def dates_of(days: Floats, cutoff: date, longest: int) -> pd.Series[pd.Timestamp]:
    """The day that holds each moment: (n - 1, n] days after the cut-off is the n-th day, the cut-off itself the 1st."""
    whole = np.ceil(np.where(days <= longest, days, np.nan).round(6)) - 1.0
    return pd.Timestamp(cutoff) + pd.Series(pd.to_timedelta(np.maximum(whole, 0.0), unit="D"))
