"""Marks on a scale: where the data end, and published models along the top."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from scipy.optimize import isotonic_regression

from ..datasets.published import published_models, scale_of
from .style import FAINT, GROUND

__all__ = ["beyond", "landmarks", "mark_models"]


def beyond(ax: Axes, edge: float, above: bool = True) -> None:
    """Shade what lies beyond the last scale that was measured, and say so.

    Parameters
    ----------
    above
        Write it above the frame; else, where names of models stand there, it goes to the legend.
    """
    start, end = ax.get_xlim()
    share = np.log(end / edge) / np.log(end / start)
    if share <= 0 or abs(np.log(end / edge)) <= np.log(1.2):
        return
    text = "beyond the data"
    ax.axvspan(edge, end, color=GROUND, lw=0, zorder=0, label=None if above else text)
    ax.axvline(edge, color=FAINT, lw=0.7, zorder=1)
    if above:
        at, side = (edge, "left") if share > 0.27 else (end, "right")
        ax.annotate(
            text,
            (at, 1),
            (0, 3),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            ha=side,
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


def mark_models(ax: Axes, models: Mapping[str, float], narrow: bool = False) -> None:
    """Write published models along the top of a plot, each at its scale on the x-axis.

    Names that would overlap are set apart, more so on `narrow` axes, with a line to where they
    belong.
    """
    lo, hi = ax.get_xlim()
    places = {name: np.log(scale / lo) / np.log(hi / lo) for name, scale in models.items()}
    inside = sorted((at, name) for name, at in places.items() if 0 <= at <= 1)
    at = np.array([at for at, _ in inside])
    frame = ax.get_xaxis_transform()
    for true, place, (_, name) in zip(
        at, _apart(at, 0.07 if narrow else 0.042), inside, strict=True
    ):
        scale = models[name]
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


def _apart(at: np.ndarray, gap: float) -> np.ndarray:
    """Return places at least `gap` apart, in the same order, near where they were and in 0 to 1."""
    if not len(at):
        return at
    # Least squares under order constraints: isotonic regression of the places less their gaps.
    shift = gap * np.arange(len(at))
    return np.clip(isotonic_regression(at - shift).x, 0, max(1 - shift[-1], 0)) + shift
