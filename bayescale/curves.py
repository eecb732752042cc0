"""curves: a fit's or a mixture's curve along its scale, its median and its bands, to be drawn.

`curve` follows one, `curves` every task of `tasks`. Of a mixture each draw counts with the weight
of its law.

Floor 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .along import along, drawn
from .posterior.intervals import INTERVAL
from .posterior.mixture import Mixture
from .posterior.posterior import Posterior
from .thresholds import HALF

if TYPE_CHECKING:
    from .many import Tasks

__all__ = ["LEVELS", "Curve", "curve", "curves"]

LEVELS = ((1 - INTERVAL) / 2, 0.25, 0.5, 0.75, (1 + INTERVAL) / 2)
"""Quantiles of a curve: the ends of 50 and 90 %, and the median between."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The curve at scales from the worst of the data to beyond the best."""

    x: np.ndarray
    """Scales, (point,)."""
    quantiles: np.ndarray
    """The response at `LEVELS`, over all draws, (5, point)."""
    edge: float
    """The best scale of the data, one of `x`: what comes after it was not measured."""


def curve(which: Posterior | Mixture, decades: float = 1.0, points: int = 80) -> Curve:
    """Return the curve of a fit of one curve, or of a mixture, of one scale.

    Parameters
    ----------
    decades
        How far to go beyond the largest scale of the data. Where less of the scale is better the
        curve goes on to half of the smallest.
    points
        Scales at which the curve is taken, even in log.

    Raises
    ------
    FailedFit
        If no draw of a law has a finite curve.
    ValueError
        If the law has several scales, `decades` is negative or `points` below 2.
    """
    if decades < 0 or points < 2:
        raise ValueError(f"a curve needs decades >= 0 and points >= 2, got {decades} and {points}")
    ways = along(which)
    way = next(iter(ways.values()))
    end = way.best * (10**decades if way.sign > 0 else HALF)
    x = np.unique(np.append(np.geomspace(way.worst, end, points), way.best))
    x = x if way.sign > 0 else x[::-1]
    found = drawn(which, ways, x)
    sign = 1.0 if which.law.improves == "up" else -1.0
    at = dict(axis=0, weights=found.weights, method="inverted_cdf")
    quantiles = np.quantile(sign * found.curves, LEVELS, **at)
    return Curve(x, quantiles, way.best)


def curves(found: Tasks, decades: float = 1.0, points: int = 80) -> dict[str, Curve]:
    """Return the curve of each task that has a law to trust, by its name; see `curve`."""
    told = {task.name: task.mixture for task in found if task.mixture is not None}
    return {name: curve(mixture, decades, points) for name, mixture in told.items()}
