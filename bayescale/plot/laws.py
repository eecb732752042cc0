"""Plot of several laws of the same runs, side by side.

Part of `plot`, which has them all.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..comparison.compare import LawComparison
from . import asked
from .style import FAINT, PALETTE, beside, canvas, percent

__all__ = ["laws"]


def laws(found: LawComparison, ax: Axes | None = None) -> Axes:
    """Draw how much worse each law would have foretold the runs than the best.

    The difference in expected log predictive density with its standard error, the best law on
    top; beside it the predictive weight, and the probability by evidence. Where laws are far apart
    the axis is linear to 2 nats and logarithmic beyond.

    Parameters
    ----------
    found
        `compare_laws(posteriors)`.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, a row a law.

    Examples
    --------
    >>> ax = bs.plot.laws(bs.compare_laws(rivals))
    >>> ax.get_yticklabels()[0].get_text()  # the best law is on top
    'sigmoid'
    """
    asked.check(found, LawComparison, "compare_laws(fits)")
    names = sorted(found.elpd, key=found.elpd.__getitem__, reverse=True)
    rows = np.arange(float(len(names)))[::-1]
    numbers = (found.difference, found.difference_se)
    gap, se = (np.array([of[law] for law in names]) for of in numbers)
    low, high = (gap - se).min(), (gap + se).max()
    with canvas(ax) as ax:
        ax.axvline(0, color=FAINT, lw=0.8, zorder=1)
        look = dict(fmt="o", color=PALETTE[0], ms=5, mec="white", mew=0.6, elinewidth=1.4)
        ax.errorbar(gap, rows, xerr=se, **look, zorder=3)
        columns = ((44, "weight", found.weights), (86, "P(law)", found.probability))
        for x, head, values in columns:
            beside(ax, x, len(names) - 0.4, head, color="#666666", va="bottom")
            for row, law in zip(rows, names, strict=True):
                beside(ax, x, row, percent(values[law]))
        ax.set_yticks(rows, names)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("log predictive density less the best law's, ± s.e. (nats)")
        if low < -FAR:
            ax.set_xscale("symlog", linthresh=NEAR, linscale=1.0)
            shown = [tick for tick in TICKS[int(low < -5 * FAR)] if tick >= 1.3 * low]
            ax.set_xticks(shown, [f"{tick:g}".replace("-", "−") for tick in shown])
        ax.set(xlim=(1.3 * low - 0.1, high + 0.04 * min(-low, FAR)), ylim=(-0.6, len(names) - 0.4))
    return ax


FAR, NEAR = 20.0, 2.0
"""Nats of difference from which the axis is logarithmic, and up to which it is then linear."""
TICKS = ((0, -1, -2, -5, -10, -20, -50, -100), (0, -1, -2, *(-(10.0**k) for k in range(1, 9))))
"""Where that axis has ticks, up to 100 nats and beyond."""
