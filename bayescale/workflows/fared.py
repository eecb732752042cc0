"""fared: how forecasts of losses came out on real curves, by how far they reached."""

from __future__ import annotations

import numpy as np

from ..messages import Note

__all__ = ["fared"]

FARED = {2: 0.90, 10: 0.92, 30: 0.87, 100: 0.80, np.inf: 0.79}
"""Share of runs that 90 % intervals of such forecasts of one scale held, by the distance from the
last scale fitted: 78 real curves that played no part in their choice
(benchmarks/results/forecasts.md)."""


def fared(decades: float) -> list[Note]:
    """Return how such forecasts fared as far beyond the data."""
    if decades <= 0:
        return []
    most = next(far for far in FARED if 10**decades <= 1.001 * far)
    known = [far for far in FARED if far < np.inf]
    where = f"up to {most:g} times" if most < np.inf else f"more than {known[-1]} times"
    text = f"on real curves 90 % intervals of such forecasts held {FARED[most]:.0%} of the runs at "
    return [Note("fared", f"{text}{where} the largest scale fitted")]
