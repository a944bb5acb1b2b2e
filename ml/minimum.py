"""The least of a smooth loss over a few logs, within bounds, from several starts. Knows no model and no data.

Many rows make every look at the loss dear. A part of them then finds the neighbourhood and the curvature, and the whole
takes the last steps with that: it ends in the whole's own minimum, by a tenth of the looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# The value and the gradient at a point.
Objective = Callable[[Floats], tuple[float, Floats]]

# Shapes are sought within e^-9 .. e^9, scales as far around the mean: the likelihood is flat past that.
LOG_BOUND = 9.0
# Up to so many rows no part is taken: the looks cost nothing.
PART_ROWS = 20_000
# The last steps end below this, as the optimiser's own would; with a good part each is a hundredth of the one before.
SETTLED, MOST_STEPS = 1e-9, 15
DIFFERENCE = 1e-4  # of a log, for the curvature: its error is the square of it


def minimum(
    loss: Objective,
    middle: Floats,
    starts: Sequence[Sequence[float]],
    names: Sequence[str],
    part: Objective | None = None,
) -> tuple[list[float], tuple[str, ...]]:
    """The best parameters from all starts (logs, off the middle), and the names of those that sit at a bound.

    ``part``: the like loss of a part of the rows. It only saves time: where it does not lead to the minimum of
    ``loss``, that is sought from the starts.
    """
    best = None if part is None else _settled(loss, part, middle, _least(part, middle, starts))
    if best is None:
        best = _least(loss, middle, starts)
    at_bound = [name for name, off in zip(names, np.abs(best - middle), strict=True) if off > LOG_BOUND - 1e-6]
    return [float(value) for value in np.exp(best)], tuple(at_bound)


def _least(loss: Objective, middle: Floats, starts: Sequence[Sequence[float]]) -> Floats:
    from scipy.optimize import minimize  # half a second, which scoring need not pay

    how = {"method": "L-BFGS-B", "options": {"maxiter": 2_000, "ftol": 1e-14, "gtol": 1e-8}}
    bounds = [(centre - LOG_BOUND, centre + LOG_BOUND) for centre in middle]
    found = [minimize(loss, middle + np.array(start), jac=True, bounds=bounds, **how) for start in starts]
    return np.asarray(min(found, key=lambda one: float(one.fun)).x)


def _settled(loss: Objective, part: Objective, middle: Floats, near: Floats) -> Floats | None:
    """Newton's steps by the curvature of the part; None when they leave the bounds or do not settle."""
    steps = DIFFERENCE * np.eye(near.size)
    curvature = np.array([part(near + step)[1] - part(near - step)[1] for step in steps]) / (2.0 * DIFFERENCE)
    curvature = (curvature + curvature.T) / 2.0
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
        return None
    at = near
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(curvature, loss(at)[1])
        at = at - step
        if not (np.abs(at - middle) < LOG_BOUND - 1e-6).all():
            return None
        if np.abs(step).max() < SETTLED:
            return at
    return None
