"""Plots of an unlock: how likely a level is passed by each scale, law by law.

Part of `plot`, which has them all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..data.cells import dated
from ..posterior.intervals import INTERVAL
from ..questions.threshold import Threshold
from ..questions.unlock import share_by
from . import asked
from .marks import beyond, landmarks, mark_models
from .style import INK, PALETTE, axis_of, canvas, date_text, legend, percent, scale_text, words

__all__ = ["threshold"]

LAWS = (2, 3, 4, 6)
"""Colours of the laws of a mixture, those that weigh most first."""
LEAST = 0.01
"""Weight from which a law of a mixture has a line of its own; half of it can just be seen."""


def threshold(
    found: Threshold, ax: Axes | None = None, *, models: Mapping[str, float] | None = None
) -> Axes:
    """Draw the probability that a level is passed by each scale, upwards or down, and where.

    The line ends at the horizon, short of 1 by the probability that it is never passed. In a strip
    of its own below is the density, per decade, of draws that cross. Of a mixture the laws that
    weigh most have thin lines of their own.

    Parameters
    ----------
    found
        `threshold(posterior, level)` of one curve.
    models
        Published models, name -> scale, to mark along the top; where the scale is one that they
        have, some of `datasets.published` unless given. `{}` marks none.

    Returns
    -------
    matplotlib.axes.Axes
        The axes with the probability over the scale.

    Examples
    --------
    >>> ax = bs.plot.threshold(bs.threshold(sigmoid_fit, 0.6))
    >>> ax.get_ylabel()
    'probability of passing 0.6'
    """
    asked.check(found, Threshold, "threshold(fit, level)")
    ends = sorted((found.grid[0], found.horizon))
    if models is None:
        models = landmarks(f"{found.scale} {found.column}", *ends)
    what = "scale" if dated(found.column) is None else "date"
    with canvas(ax) as ax:
        ax.plot(found.grid, found.p_by, color=PALETTE[0], label=f"passed by this {what}", zorder=3)
        _laws(ax, found)
        if found.forecast.p_never > LEAST / 2:
            look = dict(color=PALETTE[1], alpha=0.15, lw=0)
            text = f"never by {_place(found, found.horizon)}"
            ax.fill_between(found.grid, found.p_by[-1], 1, **look, label=text)
        _density(ax, found)
        axis_of(ax.xaxis, found.column, *ends, "flop" in found.column.lower())
        if found.less_is_better:
            ax.invert_xaxis()
        ax.set(ylim=(-STRIP, 1.02), yticks=np.linspace(0, 1, 6))
        ax.spines["left"].set_bounds(0, 1)
        ax.set_xlabel(words(found.column, found.scale))
        passing = "passing" if found.direction == "up" else "falling below"
        ax.set_ylabel(f"probability of {passing} {found.level:g}")
        beyond(ax, found.x_min if found.less_is_better else found.x_max, above=not models)
        legend(ax, "beside")
        look = dict(va="bottom", fontsize=8, color=INK, linespacing=1.25)
        ax.text(1.03, 0, _said(found), transform=ax.transAxes, **look)
        mark_models(ax, models, narrow=True)
    return ax


STRIP = 0.2
"""Height of the strip of the density, which is no probability, below the axis of them."""


def _density(ax: Axes, found: Threshold) -> None:
    crosses = np.isfinite(found.log10_scale)
    when, weights = found.log10_scale[crosses], found.weights[crosses]
    span = np.sort(np.log10([found.grid[0], found.horizon]))
    how = dict(bins=int(16 * np.ptp(span)) + 1, range=tuple(span), weights=weights)
    height, edges = np.histogram(when, **how)
    ax.axhline(0, color=INK, lw=0.7, zorder=2)
    if height.any():
        look = dict(fill=True, color=PALETTE[5], alpha=0.6, label="its density, below")
        top = 0.85 * STRIP * height / height.max() - STRIP
        ax.stairs(top, 10.0**edges, baseline=-STRIP, **look)


def _laws(ax: Axes, found: Threshold) -> None:
    """Draw what the laws that weigh most say one by one."""
    weights = found.member_weights
    shown = sorted(weights, key=weights.__getitem__, reverse=True)[: len(LAWS)]
    late = (-1.0 if found.less_is_better else 1.0) * np.log10(found.grid)
    for colour, name in zip(LAWS, shown, strict=False) if len(weights) > 1 else ():
        if weights[name] >= LEAST:
            draws = found.unlock_of(name)
            share = share_by(draws, np.ones(len(draws)), late)
            text = f"{name} ({percent(weights[name])})"
            ax.plot(found.grid, share, color=PALETTE[colour], lw=0.9, label=text, zorder=4)


def _place(found: Threshold, x: float) -> str:
    """Write a scale, or the date that it is."""
    known = dated(found.column)
    return scale_text(x) if known is None else date_text(x, known[1])


def _said(found: Threshold) -> str:
    """Return the forecast in a few lines; scales, never logarithms."""
    forecast = found.forecast

    def scale(log10):
        if np.isfinite(log10):
            return _place(found, 10**log10)
        return "never" if log10 > 0 else "already"

    lines = [
        f"median {scale(forecast.median)}",
        f"{INTERVAL:.0%}: {scale(forecast.lo)} to {scale(forecast.hi)}",
        f"P(never by {_place(found, found.horizon)}) {percent(forecast.p_never)}",
    ]
    if forecast.p_already > 0:
        lines.append(f"P(already) {percent(forecast.p_already)}")
    return "\n".join(lines)
