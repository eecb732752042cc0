"""largest: whether the largest scale is worse than the smaller ones, of a law that improves.

Runs that diverge are the large ones. A pattern of residuals takes rows that few tables have, and a
noise that is wide enough holds a few such runs; but what is worse at the end than at every smaller
scale is worse whatever the noise is made of. Were the law level, all orders of the scales would be
equally probable; where it improves, this one is rarer still.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .patterns import SEED

__all__ = ["Largest", "largest"]

FEWEST = 4
"""Scales below which nothing is said."""
SETS = 20_000
"""Simulated sets of runs of a level law; fewer of very long tables."""
CELLS = 4_000_000
TAILS = 3.0
"""Degrees of freedom of their noise: single runs of any table are far off."""


class Largest(NamedTuple):
    """How much worse it is there."""

    steps: float
    """Than the median of the smaller ones, in usual steps: the median of those between neighbouring
    scales."""
    size: float
    """The same, as a difference of logs."""
    chance: float
    """Probability that runs of a level law would be worse than at every smaller scale, and by so
    many steps; 1 where these are not."""
    rows: np.ndarray
    """Which rows are of the largest scale."""


def largest(x: np.ndarray, badness: np.ndarray) -> Largest | None:
    """Return how much worse the last scale is than the ones before; None of fewer than four.

    Parameters
    ----------
    x
        Scales, (row,), from the worse end to the better one as they grow.
    badness
        Logs of the response, more being worse, (row,).
    """
    places, of = np.unique(x, return_inverse=True)
    if len(places) < FEWEST:
        return None
    ((steps, size, beyond),) = _at_the_end(badness[None], of)
    chance = _chance(steps, of) if beyond else 1.0
    return Largest(float(steps), float(size), chance, of == of.max())


def _chance(steps: float, of: np.ndarray) -> float:
    """Return how often noise alone is worse than all smaller scales by so many steps."""
    sets = int(np.clip(CELLS / len(of), 1000, SETS))
    level = np.random.default_rng(SEED).standard_t(TAILS, (sets, len(of)))
    null = _at_the_end(level, of)
    return float((1 + np.sum((null[:, 2] > 0) & (null[:, 0] >= steps))) / (1 + sets))


def _at_the_end(badness: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return steps, size, and whether it is worse than all (1 or 0), of sets (set, row).

    `of`: the place of each row.
    """
    order = np.argsort(of, kind="stable")
    first = np.flatnonzero(np.diff(of[order], prepend=-1))
    means = np.add.reduceat(badness[:, order], first, axis=1) / np.bincount(of)
    usual = np.maximum(np.median(abs(np.diff(means)), axis=1), np.finfo(float).tiny)
    size = means[:, -1] - np.median(means[:, :-1], axis=1)
    return np.stack([size / usual, size, means[:, -1] > means[:, :-1].max(1)], 1)
