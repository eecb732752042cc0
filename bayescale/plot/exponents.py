"""Plot of how steep a law is: its exponents, beside published ones.

Part of `plot`, which has them all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..posterior.intervals import levels
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior
from . import asked
from .style import BARS, PALETTE, bar_keys, canvas, legend

__all__ = ["exponents"]


def exponents(
    posterior: Posterior | Mixture,
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

    Returns
    -------
    matplotlib.axes.Axes
        The axes, a row an exponent.

    Raises
    ------
    ValueError
        If a name is no quantity of the fit, or a mixture is given.

    Examples
    --------
    >>> published = {"a paper": {"alpha": 0.34, "beta": 0.28}}
    >>> ax = bs.plot.exponents(chinchilla_fit, published=published)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['alpha', 'beta']
    """
    asked.one_law(posterior, "exponents")
    known, steep = posterior.scalars(), posterior.law.exponents
    names = names or tuple(n for n in known if {n, n.rstrip("0123456789")} & set(steep))
    if not names or not set(names) <= set(known):
        raise ValueError(f"names to draw are among {', '.join(known)}; got {', '.join(names)}")
    rows = dict(zip(names, np.arange(len(names), 0.0, -1.0) - 1, strict=True))
    with canvas(ax) as ax:
        for name, row in rows.items():
            _ridge(ax, row, known[name].ravel())
        # Published values stand below the intervals, which they would hide.
        depth = 0.16
        for i, (source, values) in enumerate((published or {}).items()):
            x = [values[name] for name in names if name in values]
            y = [rows[name] - depth for name in names if name in values]
            look = dict(ls="", marker="DsP^v*X"[i % 7], color=PALETTE[1 + i % 7], ms=5.5)
            ax.plot(x, y, **look, label=source, zorder=5)
            depth += 0.11
        ax.set_yticks([*rows.values()], [name.replace("_", " ") for name in names])
        ax.set_ylim(-0.15 - depth, len(names) - 0.2)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("exponent" if set(names) <= set(steep) else "value")
        legend(ax, "above", also=bar_keys(), of=posterior)
    return ax


def _ridge(ax: Axes, row: float, draws: np.ndarray) -> None:
    parts = ax.violinplot(
        [draws], [row], orientation="horizontal", side="high", widths=1.4, showextrema=False
    )
    for body in parts["bodies"]:
        body.set(facecolor=PALETTE[0], alpha=0.25, edgecolor="none")
    for mass, width in BARS:
        ends = np.quantile(draws, levels(mass)[::2])
        ax.plot(ends, [row, row], color=PALETTE[0], lw=width, solid_capstyle="butt", zorder=3)
    ax.plot(np.median(draws), row, "o", color="white", mec=PALETTE[0], ms=5, zorder=4)
