"""Plot of how loss varies with the split of a budget of compute.

Part of `plot`, which has them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..posterior.intervals import INTERVAL
from ..posterior.mixture import Mixture, a_fit
from ..posterior.posterior import Posterior
from ..questions.grid import compute, isoflop_grid
from ..questions.predict import Prediction, predict
from .style import (
    BEYOND,
    FAINT,
    INK,
    WORDS,
    band_keys,
    canvas,
    legend,
    measured,
    response_axis,
    scale_axis,
    scale_text,
)

__all__ = ["isoflop"]


def isoflop(
    posterior: Posterior | Mixture,
    prediction: Prediction | None = None,
    ax: Axes | None = None,
    *,
    cost: Callable[[Any, Any], Any] | None = None,
) -> Axes:
    """Draw loss against size at several budgets of compute, and every run in its compute's colour.

    Parameters
    ----------
    posterior
        A fit of a law of N and D, of one curve, or a mixture of such laws.
    prediction
        `predict(posterior, isoflop_grid(posterior, budgets))`, C = 6 N D; unless given, at round
        budgets within the compute of the data.
    cost
        What a run costs, as `isoflop_grid` takes it; 6 N D by default, for scales that are
        parameters and tokens.

    Returns
    -------
    matplotlib.axes.Axes
        The axes with a curve a budget and a dot a run.

    Raises
    ------
    ValueError
        If the law is not one of N and D alone, or there are several curves; a DataError if 6 N D is
        meant and the scales are no parameters and tokens.

    Examples
    --------
    >>> ax = bs.plot.isoflop(chinchilla_fit)
    >>> ax.get_ylabel()
    'loss (nats per token)'
    """
    if a_fit(posterior).curves:
        raise ValueError("isoflop draws one curve: take one, posterior.curve(NAME)")
    if prediction is None:
        prediction = predict(posterior, isoflop_grid(posterior, cost=cost), allow_failed=True)
    data, loss = measured(posterior)
    size, inputs = data.inputs["N"], prediction.inputs
    of = compute(posterior, cost)
    spent, at = (np.log10(of(each["N"], each["D"])) for each in (data.inputs, inputs))
    budgets = np.unique(at.round(3))
    lo, hi = min(spent.min(), budgets.min()), max(spent.max(), budgets.max())

    def colour(logs):
        return mpl.colormaps["viridis"](0.9 * (logs - lo) / max(hi - lo, 1e-9))

    with canvas(ax) as ax:
        for budget in budgets:
            own = np.flatnonzero(np.abs(at - budget) < 5e-3)
            _budget(ax, prediction, own[np.argsort(inputs["N"][own])], budget, colour(budget))
        look = dict(s=15, lw=0.4, edgecolor="white", zorder=4, clip_on=False)
        ax.scatter(size, loss, c=colour(spent), **look)
        ends = [end for x in (size, inputs["N"]) for end in (x.min(), x.max())]
        scale_axis(ax.xaxis, min(ends), max(ends))
        ax.set_xlabel(WORDS["N"])
        bands = prediction.quantiles()
        low = min(loss.min(), bands[0].min())
        response_axis(ax, posterior, low, max(loss.max(), bands[1].min() * 1.3))
        legend(ax, "beside", also=_isoflop_keys(len(loss)), of=posterior)
    return ax


def _budget(ax: Axes, prediction: Prediction, own: np.ndarray, budget: float, colour) -> None:
    """Draw the curve of one budget, dashed beyond the data, and its lowest point."""
    size, (lo, median, hi) = prediction.inputs["N"][own], prediction.quantiles()[:, own]
    within = np.where(prediction.decades[own] > 0, np.nan, median)
    ax.fill_between(size, lo, hi, color=colour, alpha=0.25, lw=0)
    ax.plot(size, median, color=colour, **BEYOND, zorder=2)
    text = scale_text(round(10**budget, 3 - int(budget)), True)
    ax.plot(size, within, color=colour, label=f"{text} FLOP", zorder=3)
    best = int(np.argmin(median))
    if 0 < best < len(own) - 1:
        look = dict(color=colour, ms=12, mec=INK, mew=0.7, zorder=6)
        ax.plot(size[best], median[best], "*", **look)


def _isoflop_keys(runs: int) -> list:
    dot = dict(ls="", marker="o", color=FAINT, mec="white", ms=4.5)
    star = dict(ls="", marker="*", color=FAINT, mec=INK, mew=0.7, ms=11)
    return [
        Line2D([], [], **dot, label=f"{runs} runs, coloured\nby their compute"),
        Line2D([], [], **star, label="lowest loss"),
        *band_keys(INTERVAL, of="of curves"),
        Line2D([], [], color=FAINT, **BEYOND, label="beyond the data"),
    ]
