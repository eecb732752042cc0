"""Plot of which kind of curve a task has, and the colours of the kinds.

Part of `plot`, which has them all.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..questions.kind import Kind
from ..questions.kinds import KINDS
from ..questions.shown import kind_word
from . import asked
from .style import FAINT, INK, PALETTE, beside, canvas, legend, percent

__all__ = ["COLOURS", "kinds"]

COLOURS = dict(zip(KINDS, ("#666666", *(PALETTE[i] for i in (2, 0, 3, 4, 1))), strict=True))


def kinds(found: Kind, ax: Axes | None = None) -> Axes:
    """Draw the probability of each kind, at half and twice the cut too, and before the data.

    Hollow bars are what the laws' own priors say of the kinds; with a prior of your own, that.

    Parameters
    ----------
    found
        `kind(posterior)` of one curve.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, a row a kind.

    Examples
    --------
    >>> ax = bs.plot.kinds(bs.kind(sigmoid_fit))
    >>> [label.get_text() for label in ax.get_yticklabels()][:3]
    ['flat', 'steady', 'emergent']
    """
    asked.check(found, Kind, "kind(fit)")
    rows = np.arange(float(len(KINDS)))[::-1]
    given = found.implied if found.prior is None else found.prior
    before = "before the data, by the laws" if found.prior is None else "the prior given"
    told, prior, half, double = (
        [each[kind] for kind in KINDS] for each in (found.kinds, given, found.half, found.double)
    )
    with canvas(ax) as ax:
        ax.barh(rows, prior, 0.74, fc="none", ec=FAINT, lw=0.9, label=before, zorder=4)
        ax.barh(rows, told, 0.46, color=[COLOURS[kind] for kind in KINDS], zorder=2)
        for values, marker, shift, text in ((half, "v", 0.3, "half"), (double, "^", -0.3, "twice")):
            look = dict(ms=4.5, mfc="white", mec=INK, mew=0.9, zorder=5, clip_on=False)
            ax.plot(values, rows + shift, marker, label=f"at {text} the cut", **look)
        for row, kind, share in zip(rows, KINDS, told, strict=True):
            bold = "bold" if kind == found.likeliest else "normal"
            beside(ax, 32, row, percent(share), fontweight=bold)
        ax.set_yticks(rows, [kind_word(kind) for kind in KINDS])
        ax.tick_params(axis="y", length=0)
        ax.set(xlim=(0, 1), ylim=(-0.6, len(KINDS) - 0.4))
        ax.set_xlabel(f"probability of the kind, at a cut of {found.cut:.3g}")
        legend(ax, "above")
    return ax
