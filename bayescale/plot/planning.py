"""Plots of plans: the best split of compute, and all ways to one loss.

Part of `plot`, which has them all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..planning.allocate import Allocation
from ..planning.match import TradeOff
from ..posterior.intervals import INTERVAL, levels
from . import asked
from .marks import mark_models
from .style import (
    BARS,
    BEYOND,
    FAINT,
    HALF,
    HALO,
    INK,
    PALETTE,
    WORDS,
    band_keys,
    bar_keys,
    canvas,
    legend,
    quantile_band,
    scale_axis,
    scale_text,
)

__all__ = ["allocation", "isoloss"]


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

    Returns
    -------
    matplotlib.axes.Axes
        The axes with the best N and D over compute.

    Examples
    --------
    >>> plan = bs.allocate(chinchilla_fit, [1e20, 1e21, 1e22])
    >>> ax = bs.plot.allocation(plan, models={"Chinchilla": (70e9, 1.4e12)})
    >>> ax.get_xlabel()
    'training compute (FLOP)'
    """
    asked.check(found, Allocation, "allocate(fit, flops)")
    flops = found.flops
    with canvas(ax) as ax:
        seen = [_growth(ax, found, *part) for part in PARTS]
        for i, (source, params) in enumerate((frontiers or {}).items()):
            look = dict(lw=1, ls=((0, (1, 1.5)), (0, (5, 1, 1, 1)), "-")[i % 3])
            ax.plot(flops, params, color=PALETTE[0], **look)
            ax.plot(flops, flops / (6 * params), color=PALETTE[1], **look)
            ax.plot([], [], color=INK, **look, label=source)
            seen += [params, flops / (6 * params)]
        known = {name: (6 * N * D, N, D) for name, (N, D) in (models or {}).items()}
        for values in known.values():
            for value, (_, colour, size) in zip(values[1:], PARTS, strict=True):
                ax.plot(values[0], value, "D", ms=size, mfc="none", mec=colour, mew=1.2, zorder=5)
        x = np.concatenate([flops, [value[0] for value in known.values()]])
        y = np.concatenate([np.ravel(each) for each in [*seen, *(v[1:] for v in known.values())]])
        room = 3.0 if len(flops) == 1 else 1.0
        scale_axis(ax.xaxis, x.min() / room, x.max() * room, powers=True)
        scale_axis(ax.yaxis, y.min() / 1.2, y.max() * 1.2)
        mark_models(ax, {name: at for name, (at, *_) in known.items()}, narrow=True)
        ax.set_xlabel(WORDS["flops"])
        ax.set_ylabel("parameters or tokens")
        legend(ax, "beside", also=_allocation_keys(found, bool(known)))
    return ax


PARTS = (("params", PALETTE[0], 6.5), ("tokens", PALETTE[1], 4.5))
"""What is split, with colour and the size of the mark of published models."""


def _growth(ax: Axes, found: Allocation, name: str, colour: str, _: float) -> np.ndarray:
    """Draw the best N, or D, over compute; return the ends of its band."""
    flops, draws = found.flops, getattr(found, name)
    median = np.median(draws, axis=0)
    ends = np.quantile(draws, levels()[::2], axis=0)
    label = "parameters N" if name == "params" else "training tokens D"
    if len(flops) == 1:
        for mass, width in BARS:
            span = np.quantile(draws, levels(mass)[::2])
            ax.plot(np.repeat(flops, 2), span, color=colour, lw=width, solid_capstyle="butt")
        ax.plot(flops, median, "o", color="white", mec=colour, ms=5, label=label)
        return ends
    for mass, alpha in ((INTERVAL, 0.2), (HALF, 0.3)):
        quantile_band(ax, flops, draws, mass, color=colour, alpha=alpha)
    ax.plot(flops, median, color=colour, **BEYOND)
    ax.plot(flops, np.where(found.decades > 0, np.nan, median), color=colour, label=label)
    return ends


def _allocation_keys(found: Allocation, models: bool) -> list:
    keys = band_keys(HALF, INTERVAL) if len(found.flops) > 1 else bar_keys(FAINT)[1:]
    if len(found.flops) > 1 and (found.decades > 0).any():
        keys.append(Line2D([], [], color=FAINT, **BEYOND, label="beyond the data"))
    if models:
        look = dict(ls="", marker="D", ms=5, mfc="none", mec=INK, mew=1.2)
        keys.append(Line2D([], [], **look, label="published"))
    return keys


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

    Returns
    -------
    matplotlib.axes.Axes
        The axes with the iso-loss curve.

    Raises
    ------
    ValueError
        If most draws reach the loss at none of the sizes: there is nothing to draw.

    Examples
    --------
    >>> ax = bs.plot.isoloss(bs.match(chinchilla_fit, N=28e9, D=300e9))
    >>> ax.get_ylabel()
    'training tokens D'
    """
    asked.check(found, TradeOff, "match(fit, loss=...)")
    median = _order(found.tokens, 0.5)
    if not np.isfinite(median).any():
        raise ValueError("most draws reach this loss at no size: ask for a higher loss")
    with canvas(ax) as ax:
        _isoloss_frame(ax, found, median, models or {})
        _, top = ax.get_ylim()
        for mass, alpha in ((INTERVAL, 0.2), (HALF, 0.3)):
            lo, hi = (_order(found.tokens, q) for q in levels(mass)[::2])
            lo, hi = np.minimum(lo, 10 * top), np.minimum(hi, 10 * top)
            ax.fill_between(found.params, lo, hi, color=PALETTE[0], alpha=alpha, lw=0)
        ax.plot(found.params, median, color=PALETTE[0], label="equal loss, median")
        marks = [*(models or {}).values()]
        if found.reference:
            marks.append(_cross(ax, found.reference, PALETTE[6], "D", "the one to match"))
        marks.append(_cross(ax, found.cheapest, PALETTE[1], "o", "least compute"))
        name = f"smallest within +{found.extra:.0%}"
        marks.append(_cross(ax, found.smallest, PALETTE[2], "^", name))
        for name, at in (models or {}).items():
            ax.plot(*at, "s", ms=4.5, mfc="white", mec=INK, zorder=5)
            look = dict(textcoords="offset points", fontsize=7, path_effects=HALO, zorder=7)
            ax.annotate(name, at, (5, 4), **look)
        if found.cost.startswith("6 N D"):
            _equal_compute(ax, np.concatenate([np.stack([found.params, median], 1), marks]))
        legend(ax, "beside", also=_isoloss_keys())
    return ax


def _isoloss_keys() -> list:
    look = dict(color=FAINT, marker="+", ms=11, mew=1, ls="")
    return [
        *band_keys(HALF, INTERVAL, colour=PALETTE[0]),
        Line2D([], [], **look, label=f"{INTERVAL:.0%} interval of each"),
        Line2D([], [], color="#cccccc", lw=0.6, label="equal compute, FLOP"),
    ]


def _order(draws: np.ndarray, share: float) -> np.ndarray:
    """Return an order statistic over draws, which stays right where some are infinite."""
    return np.asarray(np.quantile(draws, share, axis=0, method="inverted_cdf"))


def _isoloss_frame(ax: Axes, found: TradeOff, median: np.ndarray, models: Mapping) -> None:
    """Set the axes about what can be reached, and published models."""
    known = median[np.isfinite(median)]
    ends = [_order(np.asarray(found.cheapest["tokens"]), q) for q in levels()[::2]]
    y = np.concatenate([known, [end for end in ends if np.isfinite(end)]])
    low, high = y.min() / 1.5, min(y.max(), 1e2 * y.min()) * 1.5
    sizes, tokens = zip(*models.values(), strict=True) if models else ((), ())
    scale_axis(ax.xaxis, *_about(found.params.min(), found.params.max(), sizes))
    scale_axis(ax.yaxis, *_about(low, high, tokens))
    ax.set_xlabel(WORDS["N"])
    ax.set_ylabel(WORDS["D"])


def _about(lo: float, hi: float, points: tuple[float, ...]) -> tuple[float, float]:
    """Widen an axis to points with some room."""
    return min([lo, *(p / 1.3 for p in points)]), max([hi, *(p * 1.3 for p in points)])


def _equal_compute(ax: Axes, taken: np.ndarray) -> None:
    """Draw lines of equal compute 6 N D, each named where it is farthest from what is drawn.

    Parameters
    ----------
    taken
        Sizes and tokens of what is drawn, (point, 2).
    """
    ends = np.log10([ax.get_xlim(), ax.get_ylim()])

    def places(N, D):
        return (np.log10(np.stack([N, D], -1)) - ends[:, 0]) / np.ptp(ends, axis=1)

    taken = places(*taken[np.isfinite(taken).all(1)].T)
    sizes, six = np.logspace(*ends[0], 60), np.log10(6)
    for power in np.arange(np.ceil(six + ends[:, 0].sum()), six + ends[:, 1].sum()):
        tokens = 10**power / (6 * sizes)
        ax.plot(sizes, tokens, lw=0.6, color="#cccccc", zorder=0)
        at = places(sizes, tokens)
        free = np.linalg.norm(at[:, None] - taken, axis=-1).min(1)
        free = np.where(((at > 0.05) & (at < 0.95)).all(1), free, 0.0)
        if free.max() > 0.06:
            best = np.argmax(free)
            look = dict(ha="center", va="center", fontsize=6.5, color="#777777", zorder=0.5)
            box = dict(boxstyle="square,pad=0.15", fc="white", ec="none")
            flops = scale_text(10.0**power, powers=True)
            ax.text(sizes[best], tokens[best], flops, bbox=box, **look)


def _cross(ax: Axes, at: Mapping, colour: str, marker: str, label: str) -> tuple[float, float]:
    """Draw a point that is known up to an interval in both directions, and return it."""
    (x_lo, x, x_hi), (y_lo, y, y_hi) = (
        [_order(np.atleast_1d(at[name]), q) for q in levels()] for name in ("params", "tokens")
    )
    look = dict(color=colour, lw=1, zorder=4)
    ax.plot([x_lo, x_hi], [y, y], **look)
    ax.plot([x, x], [y_lo, y_hi], **look)
    ax.plot(x, y, marker, color=colour, mec="white", ms=6, label=label, zorder=5)
    return float(x), float(y)
