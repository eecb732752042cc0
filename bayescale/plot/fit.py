"""Plots: each draws a finished result on given axes, or on new ones, and returns the axes.

| question | plot | what it draws |
|---|---|---|
| does the law fit, where does it lead? | `data_and_curve` | `predict(fit, grid(fit))` |
| what is left over? | `residuals` | `residuals.residuals(fit)` |
| how fast does it fall? | `exponents` | a posterior |
| how is a budget best split? | `isoflop`, `allocation` | `predict(fit, isoflop(...))`, `allocate` |
| which other ways lead to the same loss? | `isoloss` | `match` |
| when is a capability unlocked? | `threshold` | `threshold` |

Of many tasks, `plot_tasks` has a page; of one, the kinds of its curve and its laws side by side.

Bands are intervals with equal tails: 50 % darker, 90 % lighter, and for new runs the lightest.
Beyond the data the ground is shaded and lines are dashed. `style()` gives figures that you make
yourself the same look; `ax.figure.savefig(...)` keeps one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..data.dataset import Dataset
from ..posterior.intervals import INTERVAL
from ..posterior.posterior import Posterior
from ..questions.predict import Prediction
from ..questions.residuals import Residuals
from .planning import allocation, isoflop, isoloss
from .style import (
    HALF,
    INK,
    PALETTE,
    POINTS,
    WORDS,
    beyond,
    canvas,
    legend,
    mark_models,
    quantile_band,
    response_axis,
    scale_axis,
    style,
    words,
)
from .threshold import threshold

__all__ = [
    "allocation",
    "data_and_curve",
    "exponents",
    "isoflop",
    "isoloss",
    "residuals",
    "style",
    "threshold",
]

# ------------------------------------------------------------------ data and curve


def data_and_curve(
    posterior: Posterior,
    prediction: Prediction,
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
        A fit of a law of one scale, of one or several curves.
    prediction
        `predict(posterior, grid(posterior))`.
    models
        Published models, name -> scale, to mark along the top.
    held_out
        Runs that the fit has not seen, drawn hollow.
    level
        A level of the response, drawn as a line.

    Raises
    ------
    ValueError
        If the law has several scales, or there are more curves than can be told apart.
    """
    name = _one_scale(posterior)
    many = len(posterior.curves) > 1
    order = np.argsort(prediction.inputs[name])
    x = prediction.inputs[name][order]
    with canvas(ax) as ax:
        for i, (label, one) in enumerate(posterior):
            parts = [
                (values[i] if posterior.curves else values)[..., order]
                for values in (prediction.mean, prediction.new, prediction.decades > 0)
            ]
            _curve(ax, x, *parts, PALETTE[i], label if many else None)
            _runs(ax, one.data, name, PALETTE[i], None if many else "runs")
            if held_out is not None:
                mine = held_out if label is None else held_out.take(held_out.curve == label)
                _runs(ax, mine, name, PALETTE[i], "held out" if i == 0 else None, hollow=True)
        _frame(ax, posterior, prediction, held_out, name)
        if level is not None:
            ax.axhline(level, lw=0.8, ls=(0, (1, 1.5)), color=INK, zorder=1)
        beyond(ax, posterior.data.inputs[name].max(), high=posterior.law.improves == "down")
        legend(ax)
        if models:
            mark_models(ax, models)
    return ax


def _one_scale(posterior: Posterior) -> str:
    if len(posterior.law.inputs) != 1:
        raise ValueError(
            f"data_and_curve draws a law of one scale, {posterior.law.name} has "
            f"{', '.join(posterior.law.inputs)}; take isoflop, isoloss or residuals"
        )
    if len(posterior.curves) > len(PALETTE):
        raise ValueError(
            f"{len(posterior.curves)} curves cannot be told apart on one plot (at most "
            f"{len(PALETTE)}); draw one: posterior.curve(NAME)"
        )
    return posterior.law.inputs[0]


def _curve(ax: Axes, x, mean, new, beyond, colour: str, label: str | None) -> None:
    """Draw one curve's median and bands; with a label (several curves) the 90 % band alone."""
    median = np.median(mean, axis=0)
    within = np.flatnonzero(~beyond)
    edge = slice(within[0], within[-1] + 1) if len(within) else slice(0, 0)
    if label is None:
        quantile_band(
            ax, x, new, INTERVAL, color=colour, alpha=0.12, label=f"{INTERVAL:.0%} of new runs"
        )
        quantile_band(
            ax, x, mean, INTERVAL, color=colour, alpha=0.22, label=f"{INTERVAL:.0%} of curves"
        )
        quantile_band(ax, x, mean, HALF, color=colour, alpha=0.3, label=f"{HALF:.0%} of curves")
    else:
        quantile_band(ax, x, mean, INTERVAL, color=colour, alpha=0.2, label=None)
    ax.plot(x, median, color=colour, ls=(0, (4, 2)), lw=1.2, zorder=3)
    ax.plot(x[edge], median[edge], color=colour, label=label or "median", zorder=3)


def _runs(
    ax: Axes, data: Dataset, name: str, colour: str, label: str | None, hollow: bool = False
) -> None:
    ((_, y),) = data.responses.items()
    x = data.inputs[name]
    look = POINTS | dict(color=colour)
    if hollow:
        look |= dict(mfc="white", mec=colour, mew=0.9)
    if data.stderr is not None:
        ax.errorbar(x, y, data.stderr, **(look | dict(elinewidth=0.8)), label=label)
    else:
        ax.plot(x, y, **look, label=label)


def _is_compute(data: Dataset, role: str) -> bool:
    """Return whether a scale is compute, which is written in powers of ten."""
    return role == "C" or "flop" in data.columns[role].lower()


def _frame(ax: Axes, posterior: Posterior, prediction: Prediction, held_out, name: str) -> None:
    """Set both axes to what there is to see: all runs, and the bands of the curve."""
    data = posterior.data
    tables = [data] if held_out is None else [data, held_out]
    x = np.concatenate([prediction.inputs[name], *(table.inputs[name] for table in tables)])
    scale_axis(ax.xaxis, x.min() / 1.1, x.max() * 1.1, _is_compute(data, name))
    ax.set_xlabel(words(data.columns[name], name))
    y = [next(iter(table.responses.values())) for table in tables]
    bands = prediction.quantiles("mean")
    y = np.concatenate([*y, bands.ravel()])
    response_axis(ax, posterior, y.min(), y.max())


# ------------------------------------------------------------------ residuals and exponents


def residuals(found: Residuals, ax: Axes | None = None, *, against: str | None = None) -> Axes:
    """Draw what is left over, with the interval that the noise gives each run.

    Parameters
    ----------
    found
        `residuals.residuals(posterior)`.
    against
        Name of an input; the fitted value unless given, as it needs no choice of scale.
    """
    x = found.fitted if against is None else found.inputs[against]
    factor = 100.0 if found.relative else 1.0
    order = np.argsort(x)
    outside = (found.residual < found.lo) | (found.residual > found.hi)
    with canvas(ax) as ax:
        ax.vlines(
            x[order],
            factor * found.lo[order],
            factor * found.hi[order],
            color=PALETTE[0],
            alpha=0.18,
            lw=2.5,
            label=f"{INTERVAL:.0%} of runs, by the noise",
        )
        ax.axhline(0, color=INK, lw=0.8, zorder=1)
        for part, colour, text in (
            (~outside, PALETTE[0], "runs"),
            (outside, PALETTE[1], "outside"),
        ):
            share = f"{text}: {part.sum()} of {len(part)}"
            ax.plot(x[part], factor * found.residual[part], **POINTS, color=colour, label=share)
        scale_axis(ax.xaxis, x.min() / 1.05, x.max() * 1.05)
        ax.set_xlabel("fitted value" if against is None else WORDS.get(against, against))
        ax.set_ylabel("measured / fitted − 1 (%)" if found.relative else "measured − fitted")
        legend(ax, "above")
    return ax


def exponents(
    posterior: Posterior,
    names: tuple[str, ...] | None = None,
    published: Mapping[str, Mapping[str, float]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the posterior of each exponent: density, median, 50 and 90 % interval.

    Parameters
    ----------
    posterior
        A fit of one curve.
    names
        Quantities to draw; the law's exponents unless given.
    published
        Published values to mark: source -> {quantity: value}.

    Raises
    ------
    ValueError
        If a name is no quantity of the fit.
    """
    known = posterior.scalars()
    law = posterior.law
    names = names or tuple(
        n for n in known if n in law.exponents or n.rstrip("0123456789") in law.exponents
    )
    if not names or not set(names) <= set(known):
        raise ValueError(f"names to draw are among {', '.join(known)}; got {', '.join(names)}")
    with canvas(ax) as ax:
        rows = [float(row) for row in reversed(range(len(names)))]
        for row, name in zip(rows, names, strict=True):
            _ridge(ax, row, known[name].ravel())
        for i, (source, values) in enumerate((published or {}).items()):
            at = [
                (values[name], row) for row, name in zip(rows, names, strict=True) if name in values
            ]
            colour = PALETTE[1 + i % (len(PALETTE) - 1)]
            marker = "DsP^v*X"[i % 7]
            ax.plot(*zip(*at, strict=True), marker, color=colour, ms=6, label=source, zorder=5)
        ax.set_yticks(rows, [name.replace("_", " ") for name in names])
        ax.set_ylim(-0.35, len(names) - 0.2)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("exponent")
        legend(ax, "above")
    return ax


def _ridge(ax: Axes, row: float, draws: np.ndarray) -> None:
    parts = ax.violinplot(
        [draws], [row], orientation="horizontal", side="high", widths=1.4, showextrema=False
    )
    for body in parts["bodies"]:
        body.set(facecolor=PALETTE[0], alpha=0.25, edgecolor="none")
    for mass, width in ((INTERVAL, 1.2), (HALF, 4)):
        ends = np.quantile(draws, [(1 - mass) / 2, (1 + mass) / 2])
        ax.plot(ends, [row, row], color=PALETTE[0], lw=width, solid_capstyle="butt", zorder=3)
    ax.plot(np.median(draws), row, "o", color="white", mec=PALETTE[0], ms=5, zorder=4)
