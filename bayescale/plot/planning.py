"""Plots of compute: how loss varies with the split of a budget, the best split, equal losses.

Part of `plot`, which has them all.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from ..planning.allocate import Allocation
from ..planning.match import TradeOff
from ..posterior.intervals import INTERVAL
from ..posterior.posterior import Posterior
from ..questions.predict import Prediction
from .style import (
    FAINT,
    HALF,
    INK,
    PALETTE,
    POINTS,
    WORDS,
    canvas,
    legend,
    quantile_band,
    response_axis,
    scale_axis,
    scale_text,
)

__all__ = ["allocation", "isoflop", "isoloss"]

NEAR = 0.06
"""Runs within this many decades of a budget (15 %) are drawn with it."""


def isoflop(posterior: Posterior, prediction: Prediction, ax: Axes | None = None) -> Axes:
    """Draw loss against size at several budgets of compute, with runs near these budgets.

    Parameters
    ----------
    posterior
        A fit of a law of N and D.
    prediction
        `predict(posterior, grid.isoflop_grid(posterior, budgets))`; C = 6 N D.
    """
    inputs, data = prediction.inputs, posterior.data
    logs = np.log10(6 * inputs["N"] * inputs["D"])
    budgets = np.unique(logs.round(3))
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(budgets)))
    ((_, loss),) = data.responses.items()
    spent = np.log10(6 * data.inputs["N"] * data.inputs["D"])
    shown = loss[(np.abs(spent[:, None] - budgets) < NEAR).any(1)]
    lo, median, hi = prediction.quantiles()
    with canvas(ax) as ax:
        for budget, colour in zip(budgets, colours, strict=True):
            own = np.flatnonzero(np.abs(logs - budget) < 5e-3)
            own = own[np.argsort(inputs["N"][own])]
            size, text = inputs["N"][own], scale_text(round(10**budget, 3 - int(budget)), True)
            ax.fill_between(size, lo[own], hi[own], color=colour, alpha=0.25, lw=0)
            ax.plot(size, median[own], color=colour, label=f"{text} FLOP")
            best = own[np.argmin(median[own])]
            if best not in (own[0], own[-1]):
                ax.plot(
                    inputs["N"][best], median[best], "*", color=colour, ms=12, mec="white", zorder=5
                )
            near = np.abs(spent - budget) < NEAR
            ax.plot(data.inputs["N"][near], loss[near], **POINTS, color=colour)
        scale_axis(ax.xaxis, inputs["N"].min() / 1.1, inputs["N"].max() * 1.1)
        ax.set_xlabel(WORDS["N"])
        top = max([*shown, median.min() * 1.3])
        response_axis(ax, posterior, min([*shown, lo.min()]), top)
        legend(ax, "beside")
    return ax


def allocation(
    found: Allocation,
    ax: Axes | None = None,
    *,
    frontiers: Mapping[str, np.ndarray] | None = None,
    models: Mapping[str, tuple[float, float]] | None = None,
) -> Axes:
    """Draw the best number of parameters and of tokens against compute.

    Parameters
    ----------
    found
        `allocate(posterior, flops)` at several budgets.
    frontiers
        Published frontiers: source -> optimal N at each of the budgets; tokens are C / (6 N).
    models
        Published models: name -> (parameters, tokens), marked at 6 N D.
    """
    flops = found.flops
    with canvas(ax) as ax:
        parts = (("parameters N", found.params), ("training tokens D", found.tokens))
        for (text, draws), colour in zip(parts, PALETTE, strict=False):
            for mass, alpha in ((INTERVAL, 0.2), (HALF, 0.3)):
                quantile_band(ax, flops, draws, mass, color=colour, alpha=alpha)
            median = np.median(draws, axis=0)
            ax.plot(flops, median, color=colour, ls=(0, (4, 2)), lw=1.2)
            within = np.where(found.decades > 0, np.nan, median)
            ax.plot(flops, within, color=colour, label=text)
        for i, (source, params) in enumerate((frontiers or {}).items()):
            look = dict(lw=1, ls=((0, (1, 1.5)), (0, (5, 1, 1, 1)), "-")[i % 3])
            ax.plot(flops, params, color=PALETTE[0], **look)
            ax.plot(flops, flops / (6 * params), color=PALETTE[1], **look)
            ax.plot([], [], color=INK, **look, label=source)
        y = [found.params.min(), found.params.max(), found.tokens.min(), found.tokens.max()]
        scale_axis(ax.xaxis, flops.min(), flops.max(), powers=True)
        scale_axis(ax.yaxis, min(y), max(y))
        for name, (size, tokens) in (models or {}).items():
            _model(ax, name, 6 * size * tokens, size, tokens)
        ax.set_xlabel("training compute (FLOP)")
        ax.set_ylabel("parameters or tokens")
        legend(ax)
    return ax


def _model(ax: Axes, name: str, flops: float, size: float, tokens: float) -> None:
    """Mark a published model's parameters and tokens above its compute."""
    for value, colour in ((size, PALETTE[0]), (tokens, PALETTE[1])):
        ax.plot(flops, value, "D", ms=4.5, mfc="white", mec=colour, mew=1.1, zorder=5)
    ax.plot([flops, flops], [size, tokens], color=FAINT, lw=0.5, ls=":", zorder=1)
    ax.annotate(
        name,
        (flops, size),
        (0, -6),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=7,
        color="#555555",
    )


def isoloss(
    found: TradeOff,
    ax: Axes | None = None,
    *,
    models: Mapping[str, tuple[float, float]] | None = None,
) -> Axes:
    """Draw all sizes and amounts of data that reach one loss, on lines of equal compute.

    Parameters
    ----------
    found
        The trade-off: an iso-loss curve, its cheapest point and the smallest model.
    models
        Published models to mark: name -> (parameters, tokens).

    Raises
    ------
    ValueError
        If most draws reach the loss at none of the sizes: there is nothing to draw.
    """
    median = _order(found.tokens, 0.5)
    if not np.isfinite(median).any():
        raise ValueError("most draws reach this loss at no size: ask for a higher loss")
    with canvas(ax) as ax:
        _isoloss_frame(ax, found, median)
        _, top = ax.get_ylim()
        for mass, alpha in ((INTERVAL, 0.2), (HALF, 0.3)):
            lo, hi = (_order(found.tokens, q) for q in ((1 - mass) / 2, (1 + mass) / 2))
            lo, hi = np.minimum(lo, 10 * top), np.minimum(hi, 10 * top)
            text = f"{mass:.0%}"
            ax.fill_between(found.params, lo, hi, color=PALETTE[0], alpha=alpha, lw=0, label=text)
        ax.plot(found.params, median, color=PALETTE[0], label="equal loss")
        if found.reference:
            _cross(ax, found.reference, PALETTE[6], "D", "given")
        _cross(ax, found.cheapest, PALETTE[1], "o", "least compute")
        _cross(ax, found.smallest, PALETTE[2], "^", f"smallest within +{found.extra:.0%}")
        for name, (size, tokens) in (models or {}).items():
            ax.plot(size, tokens, "s", ms=4.5, mfc="white", mec=INK, zorder=5)
            ax.annotate(name, (size, tokens), (5, 4), textcoords="offset points", fontsize=7)
        legend(ax, "beside")
    return ax


def _order(draws: np.ndarray, share: float) -> np.ndarray:
    """Return an order statistic over draws, which stays right where some are infinite."""
    return np.asarray(np.quantile(draws, share, axis=0, method="inverted_cdf"))


def _isoloss_frame(ax: Axes, found: TradeOff, median: np.ndarray) -> None:
    """Set the axes about what can be reached, and draw lines of equal compute 6 N D."""
    known = median[np.isfinite(median)]
    ends = [_order(np.asarray(found.cheapest["tokens"]), q) for q in (0.05, 0.95)]
    y = np.concatenate([known, [end for end in ends if np.isfinite(end)]])
    scale_axis(ax.xaxis, found.params.min(), found.params.max())
    scale_axis(ax.yaxis, y.min() / 1.5, min(y.max(), 1e2 * y.min()) * 1.5)
    ax.set_xlabel(WORDS["N"])
    ax.set_ylabel(WORDS["D"])
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    decades = np.arange(np.ceil(np.log10(6 * left * low)), np.log10(6 * right * high))
    for flops in 10.0**decades:
        ax.plot([left, right], [flops / (6 * left), flops / (6 * right)], lw=0.6, color="#cccccc")
        # Written where the line leaves the frame, at its right or its foot.
        x, y = min(right, flops / (6 * low)), max(low, flops / (6 * right))
        ax.annotate(
            f"{scale_text(flops, True)} FLOP",
            (x, y),
            (-4, 3),
            textcoords="offset points",
            ha="right",
            fontsize=6.5,
            color=FAINT,
        )


def _cross(ax: Axes, at: Mapping, colour: str, marker: str, label: str) -> None:
    """Draw a point that is known up to an interval in both directions."""
    (x_lo, x, x_hi), (y_lo, y, y_hi) = (
        [_order(np.atleast_1d(at[name]), q) for q in (0.05, 0.5, 0.95)]
        for name in ("params", "tokens")
    )
    look = dict(color=colour, lw=1, zorder=4)
    ax.plot([x_lo, x_hi], [y, y], **look)
    ax.plot([x, x], [y_lo, y_hi], **look)
    ax.plot(x, y, marker, color=colour, mec="white", ms=6, label=label, zorder=5)
