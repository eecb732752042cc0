"""pictures: which plot shows a fit or an answer, written to a file whole or not at all."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import plot
from ...data.dataset import Dataset
from ...data.scales import not_flop
from ...planning.allocate import Allocation, allocate
from ...plot.style import INK, PALETTE, style
from ...posterior.files import StorageError, line_of, writable, write
from ...posterior.health import FailedFit
from ...posterior.posterior import Posterior
from ...questions.predict import predict
from .. import terminal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...posterior.mixture import Mixture
    from ...recipes.multiplier import Multiplier
    from ...workflows.forecast import Forecast
    from ...workflows.tasks import Tasks
    from ..saved import Saved

__all__ = ["answers", "check", "draw", "fit", "forecast", "keep", "multiplier", "panels", "tasks"]

ENDINGS = (".png", ".pdf", ".svg")


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

    target, drawn = Path(path).expanduser(), io.BytesIO()
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # letters that no font here has
        figure.savefig(drawn, format=target.suffix.lstrip(".").lower(), dpi=150)
    plt.close(figure)
    write(target, drawn.getvalue())


def draw(path: str, how: Callable[..., None], *what: Any) -> None:
    """Draw `what` to a file; a picture that fails is a note: the answer is there without it.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    try:
        how(path, *what)
    except StorageError:
        raise
    except Exception as error:
        terminal.tell(f"note: no picture {path}: {type(error).__name__}: {line_of(error)}")
    else:
        terminal.tell(f"picture: {path}")


def fit(path: str, posterior: Posterior) -> None:
    """Draw a fit: its curve in one scale, isoflops of N and D, else what is left over."""
    figure, (ax,) = panels(1, 3.6)
    inputs, curves = posterior.law.inputs, posterior.curves
    with style():
        if len(inputs) == 1 and len(curves) <= len(PALETTE):
            plot.curve(posterior, ax=ax)
        elif set(inputs) == {"N", "D"} and not curves and not_flop(posterior.data) is None:
            plot.isoflop(posterior, ax=ax)
        else:
            plot.residuals(posterior, ax)
    keep(figure, path)


def forecast(path: str, found: Forecast) -> None:
    """Draw a forecast in one scale, one panel a curve: runs, and the bands up to what was asked."""
    figure, axes = panels(len(found.mixtures), 3.6)
    with style():
        for ax, (name, which) in zip(axes, found.mixtures.items(), strict=True):
            _up_to(found.inputs, which, ax)
            ax.set_title(name or "", loc="left", fontsize=9)
    keep(figure, path)


def _up_to(asked: Mapping[str, np.ndarray], which: Posterior | Mixture, ax: Axes) -> None:
    """Draw runs and curve in one scale, from the first of both to the last."""
    ((scale, points),) = asked.items()
    both = np.concatenate([which.data.inputs[scale], points])
    at = {scale: np.geomspace(both.min(), both.max(), 80)}
    plot.curve(which, predict(which, at, allow_failed=True), ax)


def answers(path: str, which: Saved, found: Mapping[str | None, Any]) -> None:
    """Draw what was answered, one panel an answer, below one another."""
    drawn = [
        (name, one, question, each)
        for name, one in which
        if not isinstance(found[name], FailedFit)
        for question, each in found[name].items()
        if question in DRAWN
    ]
    if not drawn:
        return
    figure, axes = panels(len(drawn), *SIZES.get(drawn[0][2], (3.6, 6.4)))
    with style():
        for ax, (name, one, question, each) in zip(axes, drawn, strict=True):
            DRAWN[question](name, one, each, ax)
            if question in ("kind", "laws"):  # above these stand keys and heads of columns
                ax.set_ylabel(name or "")
            else:
                ax.set_title(name or "", loc="left", fontsize=9)
    keep(figure, path)


def _split(one: Posterior, found: Allocation, ax: Axes) -> None:
    """Draw the best split at a budget, and how it grows up to it from the smallest run."""
    (budget,) = found.flops
    if found.cost == "6 N D" and found.method == "closed form":
        spent = 6 * one.data.inputs["N"] * one.data.inputs["D"]
        ends = min(spent.min(), budget / 10), max(spent.max(), budget)
        found = allocate(one, np.geomspace(*ends, 60), allow_failed=True)
        ax.axvline(budget, color=INK, lw=0.8, ls=(0, (1, 1.5)), zorder=1)
    plot.allocation(found, ax)


DRAWN: dict[str, Callable[[str | None, Any, Any, Axes], Any]] = {
    "predictions": lambda name, one, each, ax: _up_to(each.inputs, one, ax),
    "threshold": lambda name, one, each, ax: plot.threshold(each, ax, models={} if name else None),
    "kind": lambda name, one, each, ax: plot.kinds(each, ax),
    "laws": lambda name, one, each, ax: plot.laws(each, ax),
    "allocation": lambda name, one, each, ax: _split(one, each, ax),
    "tradeoff": lambda name, one, each, ax: plot.isoloss(each, ax),
}
"""By the key of an answer what draws it, of a curve's name, its fit, the answer and axes."""
SIZES = {"predictions": (3.6, 5.4), "threshold": (3.2, 6.4)}
"""Height and width of a panel."""


def multiplier(path: str, found: Multiplier) -> None:
    """Draw the factors of recipes along scale."""
    figure, (ax,) = panels(1, 3.6, 6.4)
    with style():
        plot.multiplier(found, ax)
    keep(figure, path)


def tasks(path: str, found: Tasks, data: Dataset) -> None:
    """Draw a page of tasks: runs, curve and unlock of each."""
    import matplotlib

    matplotlib.use("Agg")
    keep(plot.tasks(found, data=data), path)
