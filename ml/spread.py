"""How far what comes lies around what is expected: the spread of purchases and of net value, learned from the past.

Nobody buys with P(inactive). Who buys, buys once and then by a negative binomial; the net value of who buys is what is
expected of buyers times a ratio as the past saw it, by how many purchases were expected. Arrays in, arrays out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from ml.btyd import Floats
from ml.champion import LEAST, Expected

# Bins of buyers, as many of them in each, by the purchases expected of who buys.
BINS = 10
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class Spread:
    """An entry per bin of expected purchases of who buys, whose inner ``edges`` rise. Purchases after the first have
    the mean ``more`` and the variance more + dispersion more^2; net value lies between ``low`` and ``high`` times what
    is expected of who buys, in four of five cases."""

    edges: tuple[float, ...]
    more: tuple[float, ...]
    dispersion: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def learned_spread(expected: Expected, came: Expected) -> Spread:
    """Of customers of past cut-offs, what was expected of them and what came. Raises ValueError when nobody bought."""
    buys = came.count > 0
    if not buys.any():
        raise ValueError("spread: nobody bought, expected buyers to learn from")
    count, value = _of_buyers(expected)
    edges = np.unique(np.quantile(count[buys], np.arange(1, BINS) / BINS))
    place = np.searchsorted(edges, count[buys], side="right")
    ratio, more = came.value[buys] / value[buys], np.maximum(came.count[buys] - 1.0, 0.0)
    bins = [place == nth for nth in range(edges.size + 1) if (place == nth).any()]
    means = [float(max(more[those].mean(), LEAST)) for those in bins]
    spare = [float(more[those].var()) - mean for those, mean in zip(bins, means, strict=True)]
    return Spread(
        edges=tuple(float(count[buys][those].min()) for those in bins[1:]),
        more=tuple(means),
        dispersion=tuple(max(extra / mean**2, LEAST) for extra, mean in zip(spare, means, strict=True)),
        low=tuple(float(np.quantile(ratio[those], LOW)) for those in bins),
        high=tuple(float(np.quantile(ratio[those], HIGH)) for those in bins),
    )


def count_ranks(spread: Spread, expected: Expected, count: Floats, random: np.random.Generator) -> Floats:
    """Where the purchases that came stand in their distribution, shape (n,), 0 to 1: a place drawn between P(fewer) and
    P(no more), even over all customers when the distribution is right (randomised probability integral transform)."""
    below, upto = _no_more(spread, expected, count - 1.0), _no_more(spread, expected, count)
    return np.asarray(below + random.random(count.size) * (upto - below))


def value_range(spread: Spread, expected: Expected) -> tuple[Floats, Floats]:
    """The p10 and p90 of the net value of who buys, shape (n,) each."""
    count, value = _of_buyers(expected)
    place = _places(spread, count)
    return np.array(spread.low)[place] * value, np.array(spread.high)[place] * value


def _no_more(spread: Spread, expected: Expected, count: Floats) -> Floats:
    """P(purchases <= count); 0 below none."""
    place = _places(spread, _of_buyers(expected)[0])
    mean, size = np.array(spread.more)[place], 1.0 / np.array(spread.dispersion)[place]
    # The negative binomial's P(at most k) is I_p(size, k + 1).
    more = np.where(count < 1, 0.0, betainc(size, np.maximum(count, 1.0), size / (size + mean)))
    return np.where(count < 0, 0.0, 1.0 - expected.activity + expected.activity * more)


def _of_buyers(expected: Expected) -> tuple[Floats, Floats]:
    """What is expected of a customer if it buys: purchases, at least the one, and net value."""
    chance = np.maximum(expected.activity, LEAST)
    return np.maximum(expected.count / chance, 1.0), np.maximum(expected.value / chance, LEAST)


def _places(spread: Spread, count: Floats) -> npt.NDArray[np.intp]:
    return np.searchsorted(np.array(spread.edges), count, side="right")
