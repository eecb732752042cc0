"""seen: where few models saw a curve: two points by which coordinates are chosen, and no more."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["UNSEEN", "Seen", "seen"]

FEW = 12
"""Scales up to which a posterior is a thin bent sheet: more of them pin the curve down."""
CLEARLY, LEAST = 0.7, 0.02
"""Correlation with log scale, and difference in height, from which on a curve has a slope."""


class Seen(NamedTuple):
    """Two points of a curve; of no consequence for what is said, only for how it is sampled."""

    first: Any
    """A log scale, a quarter of the way through the data."""
    last: Any
    """One three quarters of the way through."""
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
    """Return where a curve was seen, by a line from row to row.

    Not where it has many rows, or none but a plateau: there the coordinates are good without.
    """
    known = np.isfinite(y)
    t, y = log_x[known], y[known]
    scales = np.unique(t)
    if not 3 <= len(scales) <= FEW or not np.ptp(y) > LEAST:
        return UNSEEN
    ends = scales[0] + np.array([0.25, 0.75]) * (scales[-1] - scales[0])
    low, high = np.interp(ends, scales, [y[t == each].mean() for each in scales])
    if abs(high - low) <= LEAST or abs(np.corrcoef(t, y)[0, 1]) <= CLEARLY:
        return UNSEEN
    return Seen(*map(np.float64, (*ends, low, high, np.median(error[known]), np.sign(high - low))))
