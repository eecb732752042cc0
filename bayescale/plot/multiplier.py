"""Plot of multipliers: how much less scale recipes need than the baseline, along scale.

Part of `plot`, which has them all.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..posterior.intervals import INTERVAL, levels
from ..recipes.multiplier import Multiplier
from . import asked
from .marks import beyond
from .style import (
    BEYOND,
    FAINT,
    HALO,
    INK,
    PALETTE,
    axis_of,
    band_keys,
    canvas,
    legend,
    scale_axis,
    scale_text,
    words,
)

__all__ = ["multiplier"]

FAR = 1e30
"""A factor beyond every frame."""
WIDEST = 30.0
"""How many times beyond all medians the axis of factors goes at most; wider bands leave it."""
ROOM = 1.15
"""How much wider than what is drawn the axes are, as a factor."""


def multiplier(found: Multiplier, ax: Axes | None = None) -> Axes:
    r"""Draw the factor of each recipe against scale: median, 90 % band, and a line at 1.

    Above 1 the recipe is better than the baseline: it needs so many times less. Lines are dashed
    where the recipe or the baseline was not run.

    Parameters
    ----------
    found
        `multiplier(data, group)`.

    Returns
    -------
    matplotlib.axes.Axes
        The axes that were given, or new ones.

    Examples
    --------
    >>> flops = np.geomspace(1e17, 1e20, 6)
    >>> rows = {"C": np.tile(flops, 2), "recipe": ["old"] * 6 + ["new"] * 6}
    >>> rows["loss"] = 1.7 + 60 * (rows["C"] * np.repeat([1, 1.5], 6)) ** -0.1
    >>> found = bs.multiplier(rows, "recipe", x="C", y="loss", common="all")
    >>> ax = bs.plot.multiplier(found)
    >>> ax.get_ylabel()
    "old's C\nover the recipe's, for equal loss"
    """
    asked.check(found, Multiplier, "multiplier(data, group)")
    x, which = (found.mixture.data.inputs[name] for name in ("x", "recipe"))
    medians = []
    with canvas(ax) as ax:
        for i, name in enumerate(found.along):
            colour, drawn = PALETTE[i % len(PALETTE)], found.along[name]
            lo, median, hi = _quantiles(drawn)
            ends = np.clip([lo, hi], 1 / FAR, FAR)  # what is 0 or infinite would not be shaded
            ax.fill_between(found.grid, *ends, color=colour, alpha=0.2, lw=0, zorder=2)
            ax.plot(found.grid, median, color=colour, **BEYOND, zorder=3)
            both = [(x[which == k].min(), x[which == k].max()) for k in (1, i + 2)]
            run = (found.grid >= max(a for a, _ in both)) & (found.grid <= min(b for _, b in both))
            inside = np.where(run, median, np.nan)
            ax.plot(found.grid, inside, color=colour, label=_said(found, name), zorder=4)
            medians.append((lo, median, hi))
        ax.axhline(1, color=INK, lw=0.8, zorder=3)
        scale_axis(ax.yaxis, *_ends(np.array(medians)))
        flops = "flop" in found.column.lower() or found.column == "C"
        ends = min(x.min(), found.grid[0]), max(x.max(), found.grid[-1])
        axis_of(ax.xaxis, found.column, *ends, flops)
        look = dict(va="bottom", ha="left", fontsize=7, color="#666666", path_effects=HALO)
        at = (0.01, 1)
        ax.text(*at, f"as good as {found.baseline}", transform=ax.get_yaxis_transform(), **look)
        ax.set_xlabel(words(found.column))
        scale = found.column.replace("_", " ")
        ax.set_ylabel(f"{found.baseline}'s {scale}\nover the recipe's, for equal {found.response}")
        beyond(ax, x.max())
        legend(ax, "beside", also=band_keys(INTERVAL, colour=FAINT), of=found.mixture)
    return ax


def _quantiles(drawn: np.ndarray) -> np.ndarray:
    """Return lo, median and hi by scale; factors may be infinite, or nan where none is told."""
    told = ~np.isnan(drawn).all(0)
    found = np.full((3, drawn.shape[1]), np.nan)
    found[:, told] = np.nanquantile(drawn[:, told], levels(), axis=0, method="inverted_cdf")
    return found


def _ends(bands: np.ndarray) -> tuple[float, float]:
    """Return the ends of the axis of factors, by lo, median and hi of recipes, (recipe, 3, along).

    Infinite and far ends leave the axis.
    """
    medians = np.append(bands[:, 1], 1.0)
    medians = medians[np.isfinite(medians) & (medians > 0)]
    lo, hi = medians.min() / WIDEST, medians.max() * WIDEST
    with np.errstate(invalid="ignore"):
        inside = bands[(bands > lo) & (bands < hi)]
    reached = np.append(inside, medians)
    low = lo if (bands[:, 0] <= lo).any() else reached.min()
    high = hi if (bands[:, 2] >= hi).any() else reached.max()
    return low / ROOM, high * ROOM


def _said(found: Multiplier, name: str) -> str:
    """Return the name of a recipe with its main answer, and what that is of."""
    at, main = found.told[name]
    lo, median, hi = _quantiles(main[:, None])[:, 0]
    if np.isnan(median):
        return name
    if at is not None:
        where = f"at {scale_text(at)}"
    elif found.response == "accuracy" and found.unlocks.get(name):
        where = f"to reach {found.unlocks[name][0].level:.3g}"
    else:
        where = "where both were run"
    lo, median, hi = ("inf" if np.isinf(each) else f"{each:.3g}" for each in (lo, median, hi))
    return f"{name}: {median} ({lo} to {hi})\n{where}"
