"""fared: how forecasts of losses came out on real curves, by how far they reached."""

from __future__ import annotations

import numpy as np

from ..messages import Note

__all__ = ["fared"]

FARED = {2: 0.89, 10: 0.91, 30: 0.88, 100: 0.80, np.inf: 0.79}
"""Share of runs that 90 % intervals of such forecasts of one scale held, by the distance from the
last scale fitted: 78 real curves that played no part in their choice
(benchmarks/results/forecasts.md)."""
SURFACES = {2: 0.92, 10: 0.95, 30: 0.96, 100: 0.95}
"""The same of N and D, by the distance in N D: 13 real tables, two of which played a part in it
(benchmarks/results/surfaces.md)."""


def fared(times: float, several: bool = False) -> list[Note]:
    """Return how such forecasts fared so many times beyond the largest scale fitted.

    Parameters
    ----------
    several
        Whether they are of N and D, and the distance is in N D.
    """
    if times <= 1:
        return []
    known, of, scale = (SURFACES, "surfaces", "N D") if several else (FARED, "curves", "scale")
    most = next((far for far in known if times <= 1.001 * far), None)
    if most is None:
        text = f"none of the real {of} on which such forecasts were tried reached so far: more than"
        return [Note("fared", f"{text} {[*known][-1]} times the largest {scale} fitted")]
    last = [far for far in known if far < np.inf][-1]
    where = f"up to {most:g} times" if most < np.inf else f"more than {last} times"
    text = f"on real {of} 90 % intervals of such forecasts held {known[most]:.0%} of the runs at "
    return [Note("fared", f"{text}{where} the largest {scale} fitted")]
