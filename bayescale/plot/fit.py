"""Plots of a fit: its runs and curve, and what is left over.

Part of `plot`, which has them all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..data.dataset import Dataset
from ..posterior.intervals import INTERVAL
from ..posterior.mixture import Mixture, a_fit
from ..posterior.posterior import Posterior
from ..questions.grid import grid
from ..questions.predict import Prediction, predict
from ..questions.residuals import Residuals
from ..questions.residuals import residuals as left_over
from . import asked
from .marks import beyond, mark_models
from .style import (
    BEYOND,
    HALF,
    INK,
    PALETTE,
    POINTS,
    WORDS,
    axis_of,
    band_keys,
    canvas,
    is_compute,
    legend,
    measured,
    quantile_band,
    response_axis,
    scale_axis,
    sound,
    words,
)

__all__ = ["curve", "residuals"]

# ------------------------------------------------------------------ runs and curve


def curve(
    posterior: Posterior | Mixture,
    prediction: Prediction | None = None,
    ax: Axes | None = None,
    *,
    models: Mapping[str, float] | None = None,
    held_out: Dataset | None = None,
    level: float | None = None,
) -> Axes:
    """Draw the runs, the fitted curve with its bands, and where it leaves the data.

    Parameters
    ----------
    posterior
        A fit of a law of one scale, of one or several curves, or a mixture of such laws.
    prediction
        `predict(posterior, grid(posterior))` unless given; it reaches a decade beyond the data,
        or to what is held out.
    models
        Published models, name -> scale, to mark along the top.
    held_out
        Runs that the fit has not seen, drawn hollow.
    level
        A level of the response, drawn as a line.

    Returns
    -------
    matplotlib.axes.Axes
        The axes with runs, bands and median.

    Raises
    ------
    ValueError
        If the law has several scales, or there are more curves than can be told apart.

    Examples
    --------
    >>> ax = bs.plot.curve(power_fit, level=2.0)
    >>> ax.get_ylabel()
    'loss'
    """
    name = _one_scale(posterior)
    if prediction is None:
        prediction = predict(posterior, _reach(posterior, held_out, name), allow_failed=True)
    many = len(posterior.curves) > 1
    less = name in posterior.law.less_is_better
    order = np.argsort(prediction.inputs[name])
    x = prediction.inputs[name][order]
    with canvas(ax) as ax:
        for i, (label, one) in enumerate(posterior):
            parts = [
                (values[i] if posterior.curves else values)[..., order]
                for values in (prediction.mean, prediction.new, prediction.decades > 0)
            ]
            text = f"{label}{'' if sound(one) else ': NOT TO BE TRUSTED'}" if many else None
            _curve(ax, x, *parts, PALETTE[i], text)
            _runs(ax, *measured(one), name, PALETTE[i], None if many else "runs")
            if held_out is not None:
                mine = held_out.take(held_out.of_curve(label))
                text = "held out" if i == 0 else None
                _runs(ax, *measured(one, mine), name, PALETTE[i], text, hollow=True)
        _frame(ax, posterior, prediction, held_out, name)
        if less:
            ax.invert_xaxis()
        if level is not None:
            look = dict(lw=0.8, ls=(0, (1, 1.5)), color=INK, zorder=1)
            ax.axhline(level, **look, label=f"level {level:g}")
        seen = posterior.data.inputs[name]
        beyond(ax, seen.min() if less else seen.max(), above=not models)
        if many:
            legend(ax, also=band_keys(INTERVAL, of="of curves"))
        else:
            legend(ax, of=posterior)
        if models:
            mark_models(ax, models)
    return ax


def _one_scale(posterior: Posterior | Mixture) -> str:
    if len(a_fit(posterior).law.inputs) != 1:
        raise ValueError(
            f"curve draws a law of one scale, {posterior.law.name} has "
            f"{', '.join(posterior.law.inputs)}; take isoflop, isoloss or residuals"
        )
    if len(posterior.curves) > len(PALETTE):
        raise ValueError(
            f"{len(posterior.curves)} curves cannot be told apart on one plot (at most "
            f"{len(PALETTE)}); draw one: posterior.curve(NAME)"
        )
    return posterior.law.inputs[0]


def _reach(posterior: Posterior | Mixture, held_out: Dataset | None, name: str) -> dict:
    """Return the grid of the curve, to beyond the runs that are held out."""
    further = 1.0
    if held_out is not None:
        ends = [table.inputs[name].max() for table in (held_out, posterior.data)]
        further = max(further, np.log10(1.1 * ends[0] / ends[1]))
    return grid(posterior, further)


def _curve(ax: Axes, x, mean, new, beyond, colour: str, label: str | None) -> None:
    """Draw one curve's median and bands; with a label (several curves) the 90 % band alone."""
    median = np.median(mean, axis=0)
    within = np.flatnonzero(~beyond)
    edge = slice(within[0], within[-1] + 1) if len(within) else slice(0, 0)
    if label is None:
        for draws, mass, of, alpha in (
            (new, INTERVAL, "new runs", 0.12),
            (mean, INTERVAL, "curves", 0.22),
            (mean, HALF, "curves", 0.3),
        ):
            look = dict(color=colour, alpha=alpha, label=f"{mass:.0%} of {of}")
            quantile_band(ax, x, draws, mass, **look)
    else:
        quantile_band(ax, x, mean, INTERVAL, color=colour, alpha=0.2, label=None)
    ax.plot(x, median, color=colour, **BEYOND, zorder=3)
    ax.plot(x[edge], median[edge], color=colour, label=label or "median", zorder=3)


def _runs(
    ax: Axes, data: Dataset, y, name: str, colour: str, label: str | None, hollow: bool = False
) -> None:
    x = data.inputs[name]
    look = POINTS | dict(color=colour)
    if hollow:
        look |= dict(mfc="white", mec=colour, mew=0.9)
    below = data.below  # these are known to lie below where they are drawn
    if below.any():
        ax.plot(x[below], y[below], **(look | dict(marker="v", mfc="white", mec=colour)))
    x, y = x[~below], y[~below]
    if data.stderr is not None:
        ax.errorbar(x, y, data.stderr[~below], **(look | dict(elinewidth=0.8)), label=label)
    else:
        ax.plot(x, y, **look, label=label)


def _frame(ax: Axes, posterior, prediction: Prediction, held_out, name: str) -> None:
    """Set both axes to what there is to see: all runs, and the bands of the curve."""
    data, y = measured(posterior)
    seen, drawn = [data.inputs[name]], prediction.inputs[name]
    y = [y, prediction.quantiles("mean").ravel()]
    if held_out is not None:
        later, held = measured(posterior, held_out)
        seen.append(later.inputs[name])
        y.append(held)
    x, y = np.concatenate(seen), np.concatenate(y)
    # A curve goes on to the frame; runs have some room to either side.
    lo, hi = min(drawn.min(), x.min() / 1.1), max(drawn.max(), x.max() * 1.1)
    axis_of(ax.xaxis, data.columns[name], lo, hi, is_compute(data, name))
    ax.set_xlabel(words(data.columns[name], name))
    response_axis(ax, posterior, y.min(), y.max())


# ------------------------------------------------------------------ residuals


def residuals(
    posterior: Posterior | Mixture | Residuals,
    ax: Axes | None = None,
    *,
    against: str | None = None,
) -> Axes:
    """Draw what is left over, with the interval that the noise gives each run.

    Parameters
    ----------
    posterior
        A fit, or `bayescale.residuals` of it.
    against
        Name of an input; the fitted value unless given, as it needs no choice of scale.

    Returns
    -------
    matplotlib.axes.Axes
        The axes with a dot and an interval for each run.

    Raises
    ------
    ValueError
        If a mixture is given: what is left over is that of one law.

    Examples
    --------
    >>> ax = bs.plot.residuals(power_fit, against="x")
    >>> ax.get_ylabel()
    'measured / fitted − 1 (%)'
    """
    fit = None if isinstance(posterior, Residuals) else posterior
    if not isinstance(posterior, Residuals):
        asked.one_law(posterior, "residuals")
    found = posterior if fit is None else left_over(fit)
    x = found.fitted if against is None else found.inputs[against]
    known = np.isfinite(found.residual)
    x, residual, lo, hi = (v[known] for v in (x, found.residual, found.lo, found.hi))
    factor = 100.0 if found.relative else 1.0
    outside = (residual < lo) | (residual > hi)
    with canvas(ax) as ax:
        noise = dict(color="#cfe2ef", lw=2.5, zorder=1)
        noise["label"] = f"{INTERVAL:.0%} of runs, by the noise"
        ax.vlines(x, factor * lo, factor * hi, **noise)
        ax.axhline(0, color=INK, lw=0.8, zorder=2)
        for part, colour, text in (
            (~outside, PALETTE[0], "inside"),
            (outside, PALETTE[1], "outside"),
        ):
            share = f"{text}: {part.sum()} of {len(part)} runs"
            ax.plot(x[part], factor * residual[part], **POINTS, color=colour, label=share)
        scale_axis(ax.xaxis, x.min() / 1.02, x.max() * 1.02)
        ax.set_xlabel("fitted value" if against is None else WORDS.get(against, against))
        ax.set_ylabel("measured / fitted − 1 (%)" if found.relative else "measured − fitted")
        legend(ax, "above", of=fit)
    return ax
