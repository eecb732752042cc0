"""Plot of many tasks: a page with a panel a task. A kind has the colour that `kinds` gives it.

Part of `plot`, which has them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..data.dataset import Dataset
from ..posterior.intervals import INTERVAL
from ..questions.curves import Curve, task_curves
from ..questions.shown import kind_word
from ..questions.threshold import Threshold
from ..workflows.tasks import Tasks
from . import asked
from .kinds import COLOURS
from .style import (
    FAINT,
    GROUND,
    INK,
    axis_of,
    is_compute,
    percent,
    style,
    words,
)

if TYPE_CHECKING:
    from ..workflows.task import Task

__all__ = ["tasks"]

PANEL = 2.1
"""Width of a panel in inches, where there are three or more beside one another."""
LONGEST = 27
"""Letters of a task's name above a panel."""


def tasks(
    found: Tasks,
    curves: Mapping[str, Curve] | None = None,
    *,
    data: Dataset | None = None,
    columns: int = 4,
) -> Figure:
    """Draw one panel a task: runs, curve with 50 and 90 % bands, level and when it is passed.

    The bar at the level is the 90 % interval of the unlock, its dot the median; an arrow says
    that it goes on beyond the panel, or was passed before the smallest run. Of a task that falls
    from above its level the bar, dotted, is where it stays below. All panels share their axes.

    Parameters
    ----------
    found
        `tasks(data)`.
    curves
        `task_curves(found)` unless given; of tasks that are not among them no curve is drawn.
    data
        The table that was fitted, for the runs of tasks of which no law's fit is to be trusted.
    columns
        Panels beside one another.

    Returns
    -------
    matplotlib.figure.Figure
        The page.

    Raises
    ------
    ValueError
        If there are no tasks, or fewer columns than one.

    Examples
    --------
    >>> quick = bs.NUTS(chains=2, warmup=200, draws=200, retries=0)
    >>> laws = ("sigmoid", "flat")
    >>> found = bs.tasks(accuracy_data, laws, noise="beta_binomial", sampler=quick)
    >>> page = bs.plot.tasks(found, data=accuracy_data)
    >>> len(page.axes)
    1
    """
    asked.check(found, Tasks, "tasks(data)")
    if not len(found) or columns < 1:
        raise ValueError(f"a page has a task or more and a column or more, not {len(found)} tasks")
    curves = task_curves(found) if curves is None else curves
    rows = {task.name: _data(task, data) for task in found}
    across = min(columns, len(found))
    down, width = -(-len(found) // across), max(PANEL, 5.0 / across)
    size = (width * across + 0.3, min(0.9 * width + 0.15, 3.4) * down + 0.7)
    with style():
        how = dict(figsize=size, sharex=True, sharey=True, squeeze=False)
        figure, axes = plt.subplots(down, across, **how)
        _scales(figure, axes[0, 0], [each for each in rows.values() if each is not None], curves)
        if any(task.threshold is not None and task.threshold.less_is_better for task in found):
            axes[0, 0].invert_xaxis()
        for i, (ax, task) in enumerate(zip(axes.flat, found, strict=False)):
            _panel(ax, task, rows[task.name], curves.get(task.name))
            ax.tick_params(labelbottom=i + across >= len(found))
        for ax in axes.flat[len(found) :]:
            ax.remove()
        chance = any(table is not None and table.chance is not None for table in rows.values())
        lost = any(task.lost is not None for task in found)
        _explain(figure, bool(curves), chance, across, lost)
    return figure


def _data(task: Task, data: Dataset | None) -> Dataset | None:
    """Return the runs of a task where they are known."""
    if task.mixture is not None:
        return task.mixture.data
    if data is None or data.curve is None:
        return data
    return data.take(data.curve.astype(str) == task.name)


def _scales(figure: Figure, ax: Axes, tables: list[Dataset], curves: Mapping) -> None:
    """Set the axes that all panels share to what there is to see, and name them."""
    if tables:
        (name,) = tables[0].inputs
        column = tables[0].columns.get(name, name)
        x = np.concatenate([table.inputs[name] for table in tables])
        # A curve goes on to the frame; runs have some room to either side.
        ends = [x.min() / 1.2, x.max() * 1.2, *(v for each in curves.values() for v in each.x)]
        flops = is_compute(tables[0], name)
        axis_of(ax.xaxis, column, min(ends), max(ends), flops, narrow=True)
        figure.supxlabel(words(column, name), fontsize=9)
    figure.supylabel("accuracy", fontsize=9)
    ax.set(ylim=(-0.03, 1.03), yticks=(0, 0.5, 1))


def _panel(ax: Axes, task: Task, data: Dataset | None, curve: Curve | None) -> None:
    """Draw one task."""
    if data is not None:
        ((x, *_), (y, *_)) = data.inputs.values(), data.responses.values()
        ax.plot(x, y, "o", ms=2.6, mew=0, color=INK, alpha=0.4, zorder=2)
        if data.chance is not None:
            ax.axhline(data.chance[0], lw=0.9, ls=(0, (1, 1.5)), color=FAINT, zorder=1)
    name = task.name if len(task.name) <= LONGEST else task.name[: LONGEST - 1] + "…"
    ax.set_title(name, loc="left", fontsize=8.5, fontweight="bold", pad=13)
    look = dict(xy=(0, 1), xycoords="axes fraction", textcoords="offset points", fontsize=7.5)
    if task.kind is None:
        ax.annotate("not to be trusted", xytext=(0, 4), color="#cc2222", **look)
        return
    told = task.threshold if task.lost is None else task.lost
    kind, never = task.kind.likeliest, percent(told.forecast.p_never)
    said = f"{kind_word(kind)} {percent(task.kind.probability)}"
    head = ax.annotate(said, xytext=(0, 4), color=COLOURS[kind], fontweight="bold", **look)
    look |= dict(xy=(1, 1), xycoords=(head, "axes fraction"), fontsize=7, color="#555555")
    falls = "P(never below)" if task.lost is not None else "P(never)"
    ax.annotate(f"{falls} {never}", xytext=(6, 4), **look)
    if curve is not None:
        _bands(ax, curve, COLOURS[kind])
    _interval(ax, told, ":" if task.lost is not None else "-")


def _bands(ax: Axes, curve: Curve, colour: str) -> None:
    """Draw the median and both bands; lighter, dashed and on shaded ground beyond the data."""
    edge = int(np.flatnonzero(curve.x == curve.edge)[0])
    for part, fade, ls in ((slice(edge + 1), 1.0, "-"), (slice(edge, None), 0.6, (0, (4, 2)))):
        x, (lo, low, median, high, hi) = curve.x[part], curve.quantiles[:, part]
        ax.fill_between(x, lo, hi, color=colour, alpha=0.22 * fade, lw=0)
        ax.fill_between(x, low, high, color=colour, alpha=0.3 * fade, lw=0)
        ax.plot(x, median, color=colour, ls=ls, lw=1.4, zorder=3)
    ax.axvspan(curve.edge, ax.get_xlim()[1], color=GROUND, lw=0, zorder=0)


def _interval(ax: Axes, found: Threshold, dash: str) -> None:
    """Draw the level, and along it the interval of the scale from which it is passed."""
    ax.axhline(found.level, lw=0.6, color=FAINT, zorder=1)
    sign, told = (-1.0 if found.less_is_better else 1.0), found.forecast
    start, end = sign * np.log10(ax.get_xlim())
    late = [v if np.isinf(v) else sign * v for v in (told.lo, told.median, told.hi)]
    lo, median, hi = 10 ** (sign * np.clip(late, start, end))
    look = dict(color=INK, zorder=5, clip_on=False)
    ax.plot([lo, hi], [found.level] * 2, lw=2, ls=dash, solid_capstyle="butt", **look)
    if start <= late[1] <= end:
        ax.plot(median, found.level, "o", ms=4.5, mec="white", mew=0.8, **look)
    for outside, x, marker in ((late[0] < start, lo, "<"), (late[2] > end, hi, ">")):
        if outside:
            ax.plot(x, found.level, marker, ms=5, mew=0, **look)


def _explain(figure: Figure, curves: bool, chance: bool, across: int, lost: bool) -> None:
    """Say above the panels what is drawn."""
    dotted, grey = (0, (1, 1.5)), "#777777"
    drawn = [
        (Line2D([], [], ls="", marker="o", ms=3, color=INK, mew=0, alpha=0.5), "runs"),
        ((Patch(color=grey, alpha=0.35, lw=0), Line2D([], [], color=grey)), "curve, 50% and 90%"),
        (Patch(fc=GROUND, ec="#cccccc", lw=0.5), "beyond the data"),
        (Line2D([], [], color=INK, lw=2, marker="o", mec="white"), f"unlock, {INTERVAL:.0%}"),
        (Line2D([], [], color=INK, lw=2, ls=":", marker="o", mec="white"), "falls below"),
        (Line2D([], [], color=FAINT, lw=0.7), "level"),
        (Line2D([], [], color=FAINT, lw=0.9, ls=dotted), "chance"),
    ]
    absent = {"curve, 50% and 90%", "beyond the data"} if not curves else set()
    absent |= {text for text, there in (("falls below", lost), ("chance", chance)) if not there}
    drawn = [each for each in drawn if each[1] not in absent]
    handles, texts = zip(*drawn, strict=True)
    across_page = 3 if across <= 2 else 6 if len(drawn) <= 6 else 4
    how = dict(loc="outside upper left", fontsize=7.5, columnspacing=1.4)
    figure.legend(handles, texts, ncols=across_page, **how)
