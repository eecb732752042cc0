"""pictures: which plot shows a fit or an answer, written to a file whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plot
from ..data.dataset import Dataset
from ..plot.style import PALETTE, style
from ..posterior.files import writable, write
from ..posterior.health import FailedFit
from ..posterior.posterior import Posterior
from ..questions.grid import grid, isoflop_grid
from ..questions.predict import predict
from ..questions.residuals import residuals

if TYPE_CHECKING:
    from ..workflows.tasks import Tasks

__all__ = ["check", "fit", "keep", "panels", "tasks", "thresholds"]

ENDINGS = (".png", ".pdf", ".svg")
BUDGETS = 5
"""Isoflop curves on a picture of a law of parameters and tokens."""


def panels(count: int, height: float = 3.2, width: float = 5.4, across: bool = False):
    """Return a figure in our style with `count` axes below, or beside, one another."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows, columns = (1, count) if across else (count, 1)
    with style():
        size = (width * columns, height * rows)
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    return figure, list(axes.flat)


def check(path: str) -> None:
    """Refuse a file in which no picture can be kept.

    Raises
    ------
    StorageError
        If it cannot be written.
    ValueError
        For an unknown ending.
    """
    if not path.lower().endswith(ENDINGS):
        raise ValueError(f"{path}: pictures end in {', '.join(ENDINGS)}; name the file so")
    writable(path)


def keep(figure: Any, path: str) -> None:
    """Write a figure to a file; the ending says in which form."""
    import matplotlib.pyplot as plt

    target, buffer = Path(path).expanduser(), io.BytesIO()
    with style():
        figure.savefig(buffer, format=target.suffix.lstrip(".").lower(), dpi=150)
    plt.close(figure)
    write(target, buffer.getvalue())


def _first(posterior: Posterior) -> Posterior:
    """Return the fit with the runs of its first response alone: that is what curves are of."""
    law, data = posterior.law, posterior.data
    if not law.further:
        return posterior
    data = data.take(np.isfinite(data.responses[law.response]))
    y = {law.response: data.responses[law.response]}
    columns = {k: v for k, v in data.columns.items() if k not in law.responses or k in y}
    return replace(posterior, data=replace(data, responses=y, columns=columns))


def fit(path: str, posterior: Posterior) -> None:
    """Draw a fit: its curve in one scale, isoflops of N and D, else what is left over."""
    posterior = _first(posterior)
    figure, (ax,) = panels(1, 3.6)
    inputs, curves = posterior.law.inputs, posterior.curves
    with style():
        if len(inputs) == 1 and len(curves) <= len(PALETTE):
            at = grid(posterior)
            plot.data_and_curve(posterior, predict(posterior, at, allow_failed=True), ax)
        elif set(inputs) == {"N", "D"} and not curves:
            spent = 6 * posterior.data.inputs["N"] * posterior.data.inputs["D"]
            budgets = np.geomspace(spent.min(), spent.max(), BUDGETS)
            at = isoflop_grid(posterior, budgets)
            plot.isoflop(posterior, predict(posterior, at, allow_failed=True), ax)
        else:
            plot.residuals(residuals(posterior), ax)
        if not posterior.health.sound:
            ax.set_title("NOT TO BE TRUSTED", color="#c22", fontsize=9)
    keep(figure, path)


def thresholds(path: str, found: Mapping[str | None, Any]) -> None:
    """Draw when a level is passed, one panel a curve that answered."""
    known = {name: each for name, each in found.items() if not isinstance(each, FailedFit)}
    if not known:
        return
    figure, axes = panels(len(known), 2.8, 6.4)
    with style():
        for ax, (name, each) in zip(axes, known.items(), strict=True):
            plot.threshold(each, ax)
            ax.set_title(name or "", loc="left", fontsize=9)
    keep(figure, path)


def tasks(path: str, found: Tasks, data: Dataset) -> None:
    """Draw a page of tasks: runs, curve and unlock of each."""
    import matplotlib

    matplotlib.use("Agg")
    from ..plot.tasks import tasks as draw
    from ..questions.curves import task_curves

    keep(draw(found, task_curves(found), data=data), path)
