"""fared: what is known of forecasts of losses: how they came out, and that they know no ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..messages import Note, option

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..questions.predict import Prediction

__all__ = ["fared", "past_hundred"]

FARED = {2: 0.90, 10: 0.91, 30: 0.88, 100: 0.80, np.inf: 0.79}
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


def past_hundred(data: Dataset, told: Prediction) -> list[Note]:
    """Return what is said where a response that may be percent is told beyond 100."""
    may_be = any(isinstance(note, Note) and note.kind == "percent" for note in data.notes)
    most = float(told.quantiles("new")[2].max())
    if not may_be or most <= 100:
        return []
    (text,) = (data.columns[name] for name in data.responses)
    said = (
        f"NOT OF PERCENT: new runs are told up to {most:.3g}: a law of scores knows no ceiling; "
        f"of percent give shares: {option('y', f'{text}/100')}"
    )
    return [Note("percent", said)]
