"""What all plots share: style, colours, words and axes, marks of published models.

Nothing here touches matplotlib's global settings: `style` holds within a `with` block, and the
figures that plots make for themselves are made in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from ..datasets.published import published_models, scale_of
from ..posterior.display import count
from ..posterior.posterior import Posterior

__all__ = [
    "FAINT",
    "GROUND",
    "HALF",
    "INK",
    "PALETTE",
    "POINTS",
    "STYLE",
    "WORDS",
    "beyond",
    "canvas",
    "landmarks",
    "legend",
    "mark_models",
    "percent",
    "quantile_band",
    "response_axis",
    "scale_axis",
    "scale_text",
    "style",
    "words",
]

HALF = 0.5
"""Mass of the inner band."""
POINTS = dict(ls="none", marker="o", ms=4, mec="white", mew=0.4, zorder=4)
WORDS = {
    "N": "parameters N",
    "D": "training tokens D",
    "U": "unique tokens U",
    "S": "steps S",
    "params": "parameters",
    "tokens": "training tokens",
    "flops": "training compute (FLOP)",
}

# Okabe and Ito 2008: told apart with every common colour blindness.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
INK, FAINT = "#222222", "#8a8a8a"
GROUND = "#f1f1ee"
"""What lies beyond the data."""

STYLE = {
    "figure.figsize": (5.4, 3.6),
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.5,
}


@contextmanager
def style() -> Iterator[None]:
    """Make figures within the block look as bayescale's own do."""
    plt.get_backend()  # resolved here, or a notebook would lose its inline figures on leaving
    with mpl.rc_context(STYLE):
        yield


@contextmanager
def canvas(ax: Axes | None) -> Iterator[Axes]:
    """Give the axes to draw on: the user's as they are, or new ones in our style."""
    if ax is not None:
        yield ax
        return
    with style():
        yield plt.subplots()[1]


def scale_text(value: float, powers: bool = False) -> str:
    """Write a scale shortly: 350M, 1.4T; or 10^23 with `powers` and from 10^15 on."""
    if powers or value >= 1e15 or value < 1e-3:
        exponent = int(np.floor(np.log10(value) + 1e-9))
        factor = f"{value / 10.0**exponent:.3g}"
        return f"$10^{{{exponent}}}$" if factor == "1" else rf"${factor}\times10^{{{exponent}}}$"
    return count(value)


def percent(share: float) -> str:
    """Write a probability in percent; what is not quite 0 or 1 is not called so."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 < share < 1 - 1e-12 else f"{share:.0%}"


def scale_axis(
    axis: Axis, lo: float, hi: float, powers: bool = False, narrow: bool = False
) -> None:
    """Make an axis logarithmic from lo to hi, with ticks that can be read.

    Below a factor of 4 the ticks are evenly spaced numbers, below 2 decades 1, 2, (3,) 5 of each;
    fewer where the axis is `narrow`.
    """
    name = axis.axis_name
    axis.axes.set(**{f"{name}scale": "log", f"{name}lim": (lo, hi)})
    if hi < 4 * lo:
        axis.set_major_locator(ticker.MaxNLocator(3 if narrow else 6))
        axis.set_minor_locator(ticker.NullLocator())
    elif hi < 100 * lo:
        subs = (1, 2, 3, 5) if hi < 15 * lo else (1, 2, 5)
        subs = (1, 3) if narrow else subs
        axis.set_major_locator(ticker.LogLocator(subs=subs))
        axis.set_minor_locator(ticker.LogLocator(subs=np.arange(1, 10)))
    else:
        axis.set_major_locator(ticker.LogLocator(numticks=4 if narrow else 9))
        axis.set_minor_locator(ticker.LogLocator(subs=np.arange(1, 10), numticks=99))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: scale_text(value, powers)))
    axis.set_minor_formatter(ticker.NullFormatter())


def words(column: str, role: str = "") -> str:
    """Return what to write at an axis: the role in words, or the column that feeds it."""
    return WORDS.get(role) or WORDS.get(column) or column.replace("_", " ")


def response_axis(ax: Axes, posterior: Posterior, lo: float, hi: float) -> None:
    """Name the y-axis and fit it to the response: 0 to 1, logarithmic, or plain for either sign.

    The name is the response's own; without one, that of its column, else what the law calls it.
    """
    (name,) = posterior.data.responses
    column = posterior.data.columns[name]
    said = name if name != "y" else column if column.isidentifier() else ""
    said = (said if len(said) > 1 else posterior.law.response).replace("_", " ")
    ax.set_ylabel(f"{said} ({posterior.law.unit})" if posterior.law.unit else said)
    if posterior.law.support == "unit":
        ax.set_ylim(-0.03, 1.03)
    elif posterior.law.support == "positive" and lo > 0:
        room = (hi / lo) ** 0.06
        scale_axis(ax.yaxis, lo / room, hi * room)


def quantile_band(
    ax: Axes, x: np.ndarray, draws: np.ndarray, mass: float, **look: float | str | None
) -> None:
    """Shade the interval of `mass` with equal tails of draws (draw, point) over x."""
    lo, hi = np.quantile(draws, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    ax.fill_between(x, lo, hi, lw=0, **look)


def legend(ax: Axes, place: str = "inside") -> None:
    """Explain what is drawn: inside where there is room, or `above` or `beside` the frame."""
    where = {
        "inside": dict(loc="best"),
        "above": dict(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2),
        "beside": dict(loc="upper left", bbox_to_anchor=(1, 1)),
    }
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=8, handlelength=1.8, **where[place])


def beyond(ax: Axes, edge: float, high: bool) -> None:
    """Shade what lies beyond the last scale that was measured, and say so where it is free."""
    start, end = ax.get_xlim()
    share = np.log(end / edge) / np.log(end / start)
    if share <= 0 or abs(np.log(end / edge)) <= np.log(1.2):
        return
    ax.axvspan(edge, end, color=GROUND, lw=0, zorder=0)
    ax.axvline(edge, color=FAINT, lw=0.7, zorder=1)
    ax.annotate(
        "beyond the data" if share > 0.27 else "beyond\nthe data",
        (edge, high),
        (4, -3 if high else 3),
        xycoords=ax.get_xaxis_transform(),
        textcoords="offset points",
        va="top" if high else "bottom",
        fontsize=7,
        style="italic",
        color="#666666",
    )


def landmarks(name: str, lo: float, hi: float, most: int = 7) -> dict[str, float]:
    """Return published models between two scales, name -> scale, at most so many, well apart.

    Parameters
    ----------
    name
        Name or column of a scale of parameters, tokens or FLOP; other scales have no models.
    """
    kind, found = scale_of(name), {}
    if kind is None:
        return found
    models, last = published_models().sort_values(kind), 0.0
    for model, scale in zip(models["name"], models[kind], strict=True):
        if lo <= scale <= hi and scale >= last * (hi / lo) ** (1 / most):
            found[model] = last = float(scale)
    return found


def mark_models(ax: Axes, models: Mapping[str, float]) -> None:
    """Write published models along the top of a plot, each at its scale on the x-axis.

    Names that would overlap are set apart, with a line to where they belong.
    """
    lo, hi = ax.get_xlim()
    inside = sorted((scale, name) for name, scale in models.items() if lo <= scale <= hi)
    at = np.array([np.log(scale / lo) / np.log(hi / lo) for scale, _ in inside])
    frame = ax.get_xaxis_transform()
    for true, place, (scale, name) in zip(at, _apart(at, 0.042), inside, strict=True):
        ax.plot([scale, scale], [0, 1], transform=frame, lw=0.5, ls=":", color=FAINT, zorder=0)
        ax.plot(
            [true, place],
            [1, 1.035],
            transform=ax.transAxes,
            lw=0.5,
            color=FAINT,
            clip_on=False,
        )
        ax.text(
            place,
            1.045,
            name,
            transform=ax.transAxes,
            rotation=45,
            rotation_mode="anchor",
            ha="left",
            va="center",
            fontsize=7,
            color="#555555",
        )


def _apart(at: Sequence[float] | np.ndarray, gap: float) -> np.ndarray:
    """Return places at least `gap` apart, in the same order and near where they were."""
    # Least squares under order constraints: isotonic regression of the places less their gaps.
    shift = gap * np.arange(len(at))
    blocks: list[tuple[float, int]] = []
    for value in np.asarray(at) - shift:
        mean, count = float(value), 1
        while blocks and blocks[-1][0] > mean:
            before, size = blocks.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    return np.concatenate([np.full(n, mean) for mean, n in blocks] or [np.empty(0)]) + shift
