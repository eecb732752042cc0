"""later: what may still come of a task on which nothing has happened over the data.

`flat` says that accuracy is g at the scales of the data. That no scale ever helps is more than such
data say: some open tasks that looked flat below a cut rose beyond it. So that in a mixture a draw
of `flat` that is short of a level says, with best the largest scale of the data::

    nothing ever comes                         with probability NEVER
    else the ceiling is u = 1 - (1 - g) v,     v as the laws of a rise have it a priori,
    and a level below u is passed at           best 10^t, t = |T|,
    T Student-t with 2 degrees of freedom and a scale of one decade, as x50 has it a priori

    P(level passed by best 10^t | flat) = (1 - NEVER) P(u > level) t / sqrt(2 + t^2)

NEVER was learnt from tasks cut by design, at quantiles of scale: benchmarks/results/beliefs.md.
Nothing in one table tells it.
"""

from __future__ import annotations

import numpy as np

from ..parametric.words import quantiles
from .capability import CEILING

__all__ = ["FLAT", "NEVER", "decades_later"]

FLAT = "flat"
"""The hypothesis that nothing happens."""
NEVER = 0.85
"""Probability that nothing ever comes, given that nothing came over the data."""
STEPS = 0.8191725133961645, 0.6710436067037893, 0.5497004779019703
"""1/p, 1/p^2 and 1/p^3 with p^4 = p + 1: multiples of them fill the cube evenly (Roberts 2018,
"The unreasonable effectiveness of quasirandom sequences")."""


def decades_later(floor: np.ndarray, level: float, never: float = NEVER) -> np.ndarray:
    """Return how many decades beyond the data each draw of `flat` passes a level, (draw,).

    Parameters
    ----------
    floor
        Accuracy of each draw, (draw,), short of the level.
    level
        Accuracy asked for.
    never
        Probability that nothing ever comes.

    Returns
    -------
    ndarray
        inf where nothing comes, or the ceiling is no higher than the level.
    """
    place = np.modf(0.5 + np.arange(1, len(floor) + 1)[:, None] * np.array(STEPS))[0].T
    v = np.asarray(quantiles(CEILING.prior, place[1].tolist()))
    comes = (place[0] >= never) & (1 - (1 - floor) * v > level)
    return np.where(comes, place[2] * np.sqrt(2 / (1 - place[2] ** 2)), np.inf)
