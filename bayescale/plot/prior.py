"""prior: what a law and a noise say before the data, beside the runs that were measured."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..inference.prior import PriorPredictive
from ..posterior.intervals import INTERVAL, levels
from . import asked
from .style import (
    FAINT,
    HALF,
    INK,
    PALETTE,
    POINTS,
    axis_of,
    canvas,
    is_compute,
    legend,
    response_words,
    scale_axis,
    words,
)

__all__ = ["prior"]

BANDS = ((INTERVAL, 0.18), (HALF, 0.3))
CURVES, BARS = 20, 60
"""How many single curves, and how many bars at most."""
ROOM = 1.1
"""How much wider than the runs the axes are, as a factor."""


def prior(found: PriorPredictive, ax: Axes | None = None, *, against: str | None = None) -> Axes:
    """Draw curves and runs of the prior beside the data: `plot.prior(prior_predictive(law, data))`.

    Along one scale the intervals of curves are bands, with a few curves in them, and that of new
    runs is dashed. Of a law of several scales, or of several curves, each run has the interval of
    runs as a bar.

    Parameters
    ----------
    found
        `prior_predictive(law, data)`.
    against
        Of a law of several scales, the one along which bars stand; by default that of the widest
        range.

    Returns
    -------
    Axes
        The axes that were given, or new ones.

    Raises
    ------
    ValueError
        If `against` is no scale of the law.

    Examples
    --------
    >>> ax = bs.plot.prior(bs.prior_predictive("power", power_data, draws=50))
    >>> ax.get_title(loc="left")
    'before the data: power'
    """
    asked.check(found, PriorPredictive, "prior_predictive(law, data)")
    scales = found.data.inputs
    if against is not None and against not in scales:
        raise ValueError(f"no scale {against!r}; the scales are {', '.join(scales)}")
    wide = {name: np.log(values.max() / values.min()) for name, values in scales.items()}
    name = against or max(wide, key=wide.__getitem__)
    with canvas(ax) as ax:
        ends = _bands(ax, found, name) if found.grid else _bars(ax, found, name)
        measured = found.data.responses[found.response]
        look = POINTS | dict(color=INK, ms=3.5)
        ax.plot(
            scales[name], measured, **look, label=f"{np.isfinite(measured).sum()} runs measured"
        )
        x = np.concatenate([scales[name], found.grid.get(name, [])])
        column, flops = found.data.columns[name], is_compute(found.data, name)
        axis_of(ax.xaxis, column, x.min() / ROOM, x.max() * ROOM, flops)
        ax.set_xlabel(words(column, name))
        _response_axis(ax, found, ends, measured)
        ax.set_title(f"before the data: {found.law}", loc="left", fontsize=9)
        legend(ax)
    return ax


def _interval(draws: np.ndarray, mass: float) -> np.ndarray:
    """Return the ends of an interval of draws, (2, point)."""
    return np.nanquantile(draws, levels(mass)[::2], axis=0)


def _bands(ax: Axes, found: PriorPredictive, name: str) -> np.ndarray:
    """Draw bands of curves, a few curves, and the ends of runs; return what was reached."""
    x, runs = found.grid[name], _interval(found.runs, INTERVAL)
    for i, curve in enumerate(found.along[:CURVES]):
        label = f"{CURVES} of the curves" if i == 0 else None
        ax.plot(x, curve, color=FAINT, lw=0.5, alpha=0.6, zorder=1, label=label)
    for mass, alpha in BANDS:
        look = dict(color=PALETTE[0], alpha=alpha, lw=0, label=f"{mass:.0%} of curves")
        ax.fill_between(x, *_interval(found.along, mass), **look)
    ax.plot(x, np.nanmedian(found.along, axis=0), color=PALETTE[0], label="median")
    order = np.argsort(found.data.inputs[name])
    for i, end in enumerate(runs):
        label = f"{INTERVAL:.0%} of runs" if i == 0 else None
        look = dict(color=PALETTE[0], lw=0.9, ls=(0, (4, 2)), label=label)
        ax.plot(found.data.inputs[name][order], end[order], **look)
    return np.concatenate([runs.ravel(), _interval(found.along, INTERVAL).ravel()])


def _bars(ax: Axes, found: PriorPredictive, name: str) -> np.ndarray:
    """Draw the intervals of runs as bars, at some of many runs; return what was reached."""
    order = np.argsort(found.data.inputs[name])
    shown = order[:: -(-len(order) // BARS)]
    where = f", at {len(shown)} of {len(order)}" * (len(shown) < len(order))
    for (mass, alpha), width in zip(BANDS, (2.0, 3.0), strict=True):
        look = dict(color=PALETTE[0], alpha=alpha, lw=width, label=f"{mass:.0%} of new runs{where}")
        ax.vlines(found.data.inputs[name][shown], *_interval(found.runs[:, shown], mass), **look)
    return _interval(found.runs[:, shown], INTERVAL).ravel()


def _response_axis(ax: Axes, found: PriorPredictive, ends, measured) -> None:
    """Name the y-axis, and fit it to the 90 % intervals and the runs."""
    law, name = found.law, found.response
    ax.set_ylabel(response_words(law, name, found.data.columns[name]))
    values = np.concatenate([ends, measured])
    values = values[np.isfinite(values)]
    support = law.responses.get(name, law.support)
    if support == "unit":
        ax.set_ylim(-0.03, 1.03)
    elif support == "positive" and values.min() > 0:
        scale_axis(ax.yaxis, values.min() / ROOM, values.max() * ROOM)
    else:
        room = 0.05 * np.ptp(values)
        ax.set_ylim(values.min() - room, values.max() + room)
