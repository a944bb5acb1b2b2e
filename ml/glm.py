"""Additive models by penalised maximum likelihood: a chance by its log-odds, an amount of at least nothing by its log.

Arrays in, arrays out. The losses are those of scikit-learn's LogisticRegression and PoissonRegressor, against which a
test holds them; Newton's method finds their one minimum, so that no day waits for a heavy import to learn or to score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ml.btyd import Floats

# The fit ends where no weight moves by more than this; either loss takes about ten steps.
SETTLED, MOST_STEPS = 1e-10, 100


class GlmRefused(ValueError):
    """No model fits these rows; the message is the reason."""


@dataclass(frozen=True)
class Glm:
    """``link``: logit (of a chance) or log (of an amount). Inputs are scaled by the ``centre`` and ``spread`` of those
    it was fitted on, so that ``intercept`` is the score of the average row."""

    link: str
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    intercept: float
    weights: tuple[float, ...]

    def contributions(self, inputs: Floats) -> Floats:
        """What each input adds to the intercept on the scale of the link, shape (n, inputs)."""
        return np.asarray((inputs - np.array(self.centre)) / np.array(self.spread) * np.array(self.weights))

    def linear(self, inputs: Floats) -> Floats:
        """Scores on the scale of the link, shape (n,)."""
        return np.asarray(self.intercept + self.contributions(inputs).sum(axis=1))


def fit_glm(link: str, inputs: Floats, labels: Floats, penalty: float) -> Glm:
    """The model of least sum of losses + penalty / 2 x squared weights. Labels lie in [0, 1] (logit) or are at least 0.

    Raises GlmRefused when all labels are the same end of their range, or the steps do not settle.
    """
    mean = float(labels.mean()) if labels.size else 0.0
    if mean <= 0.0 or (link == "logit" and mean >= 1.0):
        raise GlmRefused(f"the mean outcome is {mean:g}, which leaves nothing to learn")
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    rows = np.column_stack([np.ones(len(inputs)), (inputs - centre) / spread])
    ridge = np.r_[0.0, np.full(inputs.shape[1], penalty)]
    weights = np.zeros(rows.shape[1])
    weights[0] = np.log(mean / (1.0 - mean)) if link == "logit" else np.log(mean)
    fitting = _Fitting(link, rows, labels, ridge)
    loss, scores = fitting.loss(weights)
    for _ in range(MOST_STEPS):
        step = fitting.step(weights, scores)
        # Halved until the loss does not grow; nothing where it cannot shrink.
        while np.abs(step).max() >= SETTLED:
            tried, scored = fitting.loss(weights - step)
            if tried <= loss:
                loss, scores = tried, scored
                break
            step = step / 2.0
        weights = weights - step
        if np.abs(step).max() < SETTLED:
            found = tuple(float(weight) for weight in weights[1:])
            return Glm(link, tuple(map(float, centre)), tuple(map(float, spread)), float(weights[0]), found)
    raise GlmRefused(f"the fit did not settle within {MOST_STEPS} steps")


@dataclass(frozen=True)
class _Fitting:
    """Scaled rows with a one before them, their labels, and the penalty of each weight."""

    link: str
    rows: Floats
    labels: Floats
    ridge: Floats

    def loss(self, weights: Floats) -> tuple[float, Floats]:
        """With the scores of the rows."""
        scores = self.rows @ weights
        with np.errstate(over="ignore"):
            whole = np.logaddexp(0.0, scores) if self.link == "logit" else np.exp(scores)
        return float((whole - self.labels * scores).sum() + (self.ridge * weights) @ weights / 2.0), scores

    def step(self, weights: Floats, scores: Floats) -> Floats:
        """Newton's, to take off the weights."""
        expected = np.asarray(expit(scores) if self.link == "logit" else np.exp(scores))
        slope = expected * (1.0 - expected) if self.link == "logit" else expected
        curvature = (self.rows * slope[:, None]).T @ self.rows + np.diag(self.ridge)
        gradient = self.rows.T @ (expected - self.labels) + self.ridge * weights
        return np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
