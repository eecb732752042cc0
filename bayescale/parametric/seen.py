"""seen: where few models saw a curve: two points by which coordinates are chosen, and no more."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["UNSEEN", "Seen", "seen"]

FEW = 12
"""Scales up to which a posterior is a thin bent sheet: more of them pin the curve down."""
CLEARLY, LEAST = 0.7, 3.0
"""Correlation with log scale, and difference in height beside the error of one, from which on a
curve has a slope."""


class Seen(NamedTuple):
    """Two points of a curve; of no consequence for what is said, only for how it is sampled."""

    first: Any
    """The log scale at which a quarter of the way from one end of the heights is passed."""
    last: Any
    """That at which three quarters are."""
    low: Any
    """The height at the first."""
    high: Any
    """The height at the last."""
    error: Any
    """The least error with which heights are known, a typical one."""
    way: Any
    """1 where it rises and coordinates should know of it, -1 where it falls, 0 where they should
    not."""


UNSEEN = Seen(-1.0, 0.0, 0.3, 0.6, 0.0, 0.0)


def seen(log_x: np.ndarray, y: np.ndarray, error: np.ndarray) -> Seen:
    """Return where a curve was seen to rise or to fall, by a line from row to row.

    Not where it has many rows, or none but a plateau: there the coordinates are good without. What
    goes the other way is noise: the line is the mean of the lowest and the highest that does not.
    """
    known = np.isfinite(y)
    t, y = log_x[known], y[known]
    scales = np.unique(t)
    if not 3 <= len(scales) <= FEW or not np.ptp(y) > 0:
        return UNSEEN
    along, least = np.corrcoef(t, y)[0, 1], float(np.median(error[known]))
    way = np.sign(along)
    mean = way * np.array([y[t == each].mean() for each in scales])
    line = (np.maximum.accumulate(mean) + np.minimum.accumulate(mean[::-1])[::-1]) / 2
    low, high = line[0] + np.array([0.25, 0.75]) * (line[-1] - line[0])
    if abs(along) <= CLEARLY or high - low <= LEAST * least:
        return UNSEEN
    first, last = np.interp([low, high], line + 1e-9 * np.arange(len(line)), scales)
    return Seen(*map(np.float64, (first, last, way * low, way * high, least, way)))
