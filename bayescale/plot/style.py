"""What all plots share: style, colours, words, axes and legends.

Nothing here touches matplotlib's global settings: `style` holds within a `with` block, and the
figures that plots make for themselves are made in one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from ..data.cells import dated, day
from ..data.dataset import Dataset
from ..messages import bare
from ..parametric.parametric import Law
from ..posterior.display import count
from ..posterior.intervals import INTERVAL, levels
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior

__all__ = [
    "BARS",
    "BEYOND",
    "FAINT",
    "GROUND",
    "HALF",
    "HALO",
    "INK",
    "PALETTE",
    "POINTS",
    "WORDS",
    "axis_of",
    "band_keys",
    "bar_keys",
    "beside",
    "canvas",
    "date_text",
    "is_compute",
    "legend",
    "measured",
    "percent",
    "quantile_band",
    "response_axis",
    "response_words",
    "scale_axis",
    "scale_text",
    "sound",
    "style",
    "words",
]

HALF = 0.5
"""Mass of the inner band."""
BARS = ((INTERVAL, 1.2), (HALF, 4))
"""Mass and width of the bars of an interval."""
BEYOND = dict(ls=(0, (4, 2)), lw=1.2)
"""Lines beyond the data."""
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
HALO = (withStroke(linewidth=2, foreground="white"),)
"""About words inside the frame, which a line may cross."""

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

PLAIN = {"text.parse_math": False, "text.usetex": False}
"""Names of tables are text: a dollar or a backslash in one is no formula."""


@contextmanager
def style() -> Iterator[None]:
    """Make figures within the block look as bayescale's own do.

    Returns
    -------
    context manager
        Settings of matplotlib, which hold within the block.

    Examples
    --------
    >>> with bs.plot.style():
    ...     ax = bs.plot.curve(power_fit)
    """
    plt.get_backend()  # resolved here, or a notebook would lose its inline figures on leaving
    with mpl.rc_context(STYLE | PLAIN):
        yield


@contextmanager
def canvas(ax: Axes | None) -> Iterator[Axes]:
    """Give the axes to draw on: the user's as they are, or new ones in our style."""
    if ax is not None:
        with mpl.rc_context(PLAIN):
            yield ax
        return
    with style():
        yield plt.subplots()[1]


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scale_text(value: float, powers: bool = False) -> str:
    """Write a scale shortly: 350M, 1.4T; or 10^23 with `powers` and from 10^15 on."""
    if powers or value >= 1e15 or value < 1e-3:
        exponent = int(np.floor(np.log10(value) + 1e-9))
        factor, power = f"{value / 10.0**exponent:.3g}", f"10{str(exponent).translate(RAISED)}"
        return power if factor == "1" else f"{factor}×{power}"
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


def axis_of(
    axis: Axis, column: str, lo: float, hi: float, powers: bool = False, narrow: bool = False
) -> None:
    """Make the axis of a column's scale: a plain one of years where it is of dates.

    There the scale is `exp(years(date) - 2020)`, whose logarithm is years.
    """
    known = dated(column)
    scale_axis(axis, lo, hi, powers, narrow)
    if known is None:
        return
    _, start = known
    first, last = start + np.log([lo, hi])
    steps = (0.25, 0.5, 1, 2, 5, 10, 20, 50)
    step = next((s for s in steps if (last - first) / s <= (4 if narrow else 9)), 100)
    at = np.arange(np.ceil(first / step - 1e-9), last / step + 1e-9) * step
    axis.set_major_locator(ticker.FixedLocator(np.exp(at - start).tolist()))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: date_text(x, start)))


def date_text(x: float, start: float) -> str:
    """Write a scale `exp(years(date) - start)` as a year, or a year and a month."""
    year = start + np.log(x)
    whole = abs(year - round(year)) < 1e-6
    return f"{year:.0f}" if whole else day(year + 1e-6)[:7]


def words(column: str, role: str = "") -> str:
    """Return what to write at an axis: the role in words, or the column that feeds it."""
    if known := dated(column):
        return known[0].replace("_", " ")
    return WORDS.get(role) or WORDS.get(column) or bare(column).replace("_", " ")


def is_compute(data: Dataset, role: str) -> bool:
    """Return whether a scale is compute, which is written in powers of ten."""
    return role == "C" or "flop" in data.columns.get(role, role).lower()


def measured(
    posterior: Posterior | Mixture, data: Dataset | None = None
) -> tuple[Dataset, np.ndarray]:
    """Return the runs, of the fit or others, with the law's response, and that response."""
    data = posterior.data if data is None else data
    y = data.responses[posterior.law.name_in(data.responses)]
    known = np.isfinite(y)
    return (data if known.all() else data.take(known)), y[known]


def response_words(law: Law, name: str, column: str) -> str:
    """Return a response's own name, else its column's, else what the law calls it; and its unit."""
    said = name if name != "y" else column if column.isidentifier() else ""
    said = (said if len(said) > 1 else law.response).replace("_", " ")
    return f"{said} ({law.unit})" if law.unit else said


def response_axis(ax: Axes, posterior: Posterior | Mixture, lo: float, hi: float) -> None:
    """Name the y-axis and fit it to the response: 0 to 1, logarithmic, or plain for either sign."""
    law, data = posterior.law, posterior.data
    name = law.name_in(data.responses)
    ax.set_ylabel(response_words(law, name, data.columns[name]))
    if posterior.law.support == "unit":
        ax.set_ylim(-0.03, 1.03)
    elif posterior.law.support == "positive" and lo > 0:
        room = (hi / lo) ** 0.06
        scale_axis(ax.yaxis, lo / room, hi * room)


def quantile_band(
    ax: Axes, x: np.ndarray, draws: np.ndarray, mass: float, **look: float | str | None
) -> None:
    """Shade the interval of `mass` with equal tails of draws (draw, point) over x."""
    lo, hi = np.quantile(draws, levels(mass)[::2], axis=0)
    ax.fill_between(x, lo, hi, lw=0, **look)


def band_keys(*masses: float, of: str = "interval", colour: str = FAINT) -> list[Patch]:
    """Return entries of a legend that say what the bands hold."""
    look = dict(color=colour, lw=0)
    shades = [0.22 if mass > HALF else 0.5 for mass in masses]
    pairs = zip(masses, shades, strict=True)
    return [Patch(alpha=shade, label=f"{mass:.0%} {of}", **look) for mass, shade in pairs]


def bar_keys(colour: str = PALETTE[0]) -> list[Line2D]:
    """Return entries of a legend for a dot on a thick and a thin bar."""
    look = dict(ls="", marker="o", color="white", mec=colour, ms=5, label="median")
    bars = [Line2D([], [], color=colour, lw=w, label=f"{m:.0%} interval") for m, w in BARS]
    return [Line2D([], [], **look), *bars[::-1]]


def sound(posterior: Posterior | Mixture) -> bool:
    """Return whether a fit, or all that a mixture is of, is to be trusted."""
    mixed = isinstance(posterior, Mixture)
    return not posterior.failed if mixed else posterior.health.sound


MANY = 6
"""Entries of a legend beyond which they stand nearer, above what stands below them."""


def legend(
    ax: Axes, place: str = "inside", also: list | None = None, of: Posterior | Mixture | None = None
) -> None:
    """Explain what is drawn: inside where there is room, or `above` or `beside` the frame.

    Parameters
    ----------
    also
        Entries beside those of what is drawn.
    of
        The fit that is drawn: one that is not to be trusted is named so.
    """
    where = {
        "inside": dict(loc="best", frameon=True, framealpha=0.8, edgecolor="none"),
        "above": dict(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2),
        "beside": dict(loc="upper left", bbox_to_anchor=(1, 1)),
    }
    look = dict(frameon=False, fontsize=8, handlelength=1.8, columnspacing=1.2) | where[place]
    handles = [*ax.get_legend_handles_labels()[0], *(also or [])]
    doubt = "NOT TO BE TRUSTED" if of is not None and not sound(of) else None
    look |= {"labelspacing": 0.1} if len(handles) > MANY else {}
    if handles or doubt:
        shown = ax.legend(handles=handles, title=doubt, **look)
        shown.get_title().set(color="#cc2222", fontsize=8, fontweight="bold")


def beside(ax: Axes, x: float, row: float, text: str, **look: str) -> None:
    """Write a cell of a column so many points right of the frame, level with a row."""
    how = dict(xycoords=ax.get_yaxis_transform(), textcoords="offset points", ha="right")
    look = dict(va="center", color=INK) | look
    ax.annotate(text, (1, row), (x, 0), fontsize=8, annotation_clip=False, **how, **look)
