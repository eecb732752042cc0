"""Plots of capabilities: a page of tasks, the kind of a curve, its laws side by side.

| question | plot | what it draws |
|---|---|---|
| what do many tasks do, and when do they unlock? | `tasks` | `tasks(...)`, `curves(...)` of it |
| which kind of curve is it? | `kinds` | `kind` |
| which law would have foretold the runs best? | `laws` | `compare_laws` |

A kind has one colour on all of them.
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
from ..questions.kind import Kind
from ..questions.kinds import KINDS
from ..questions.threshold import Threshold
from .style import (
    FAINT,
    GROUND,
    INK,
    PALETTE,
    canvas,
    is_compute,
    legend,
    percent,
    scale_axis,
    style,
    words,
)

if TYPE_CHECKING:
    from ..comparison.compare import LawComparison
    from ..workflows.tasks import Task, Tasks

__all__ = ["kinds", "laws", "tasks"]

COLOURS = dict(zip(KINDS, ("#666666", *(PALETTE[i] for i in (2, 0, 3, 4, 1))), strict=True))
SAID = {"u_shaped": "U-shaped", "inverted_u": "inverted U"}
"""Kinds that are not called by their name."""

# ------------------------------------------------------------------ a page of tasks

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
    that it goes on beyond the panel, or was passed before the smallest run. All panels share
    their axes.

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

    Raises
    ------
    ValueError
        If there are no tasks, or fewer columns than one.
    """
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
        _explain(figure, bool(curves), chance, across)
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
        scale_axis(ax.xaxis, min(ends), max(ends), is_compute(tables[0], name), narrow=True)
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
    kind, never = task.kind.likeliest, percent(task.threshold.forecast.p_never)
    said = f"{_said_kind(kind)} {percent(task.kind.probability)}"
    head = ax.annotate(said, xytext=(0, 4), color=COLOURS[kind], fontweight="bold", **look)
    look |= dict(xy=(1, 1), xycoords=(head, "axes fraction"), fontsize=7, color="#555555")
    ax.annotate(f"P(never) {never}", xytext=(6, 4), **look)
    if curve is not None:
        _bands(ax, curve, COLOURS[kind])
    _interval(ax, task.threshold)


def _bands(ax: Axes, curve: Curve, colour: str) -> None:
    """Draw the median and both bands; lighter, dashed and on shaded ground beyond the data."""
    edge = int(np.flatnonzero(curve.x == curve.edge)[0])
    for part, fade, ls in ((slice(edge + 1), 1.0, "-"), (slice(edge, None), 0.6, (0, (4, 2)))):
        x, (lo, low, median, high, hi) = curve.x[part], curve.quantiles[:, part]
        ax.fill_between(x, lo, hi, color=colour, alpha=0.22 * fade, lw=0)
        ax.fill_between(x, low, high, color=colour, alpha=0.3 * fade, lw=0)
        ax.plot(x, median, color=colour, ls=ls, lw=1.4, zorder=3)
    ax.axvspan(curve.edge, ax.get_xlim()[1], color=GROUND, lw=0, zorder=0)


def _interval(ax: Axes, found: Threshold) -> None:
    """Draw the level, and along it the interval of the scale from which it is passed."""
    ax.axhline(found.level, lw=0.6, color=FAINT, zorder=1)
    sign, told = (-1.0 if found.less_is_better else 1.0), found.forecast
    start, end = sign * np.log10(ax.get_xlim())
    late = [v if np.isinf(v) else sign * v for v in (told.lo, told.median, told.hi)]
    lo, median, hi = 10 ** (sign * np.clip(late, start, end))
    look = dict(color=INK, zorder=5, clip_on=False)
    ax.plot([lo, hi], [found.level] * 2, lw=2, solid_capstyle="butt", **look)
    if start <= late[1] <= end:
        ax.plot(median, found.level, "o", ms=4.5, mec="white", mew=0.8, **look)
    for outside, x, marker in ((late[0] < start, lo, "<"), (late[2] > end, hi, ">")):
        if outside:
            ax.plot(x, found.level, marker, ms=5, mew=0, **look)


def _explain(figure: Figure, curves: bool, chance: bool, across: int) -> None:
    """Say above the panels what is drawn."""
    dotted, grey = (0, (1, 1.5)), "#777777"
    drawn = [
        (Line2D([], [], ls="", marker="o", ms=3, color=INK, mew=0, alpha=0.5), "runs"),
        ((Patch(color=grey, alpha=0.35, lw=0), Line2D([], [], color=grey)), "curve, 50% and 90%"),
        (Patch(fc=GROUND, ec="#cccccc", lw=0.5), "beyond the data"),
        (Line2D([], [], color=INK, lw=2, marker="o", mec="white"), f"unlock, {INTERVAL:.0%}"),
        (Line2D([], [], color=FAINT, lw=0.7), "level"),
        (Line2D([], [], color=FAINT, lw=0.9, ls=dotted), "chance"),
    ]
    drawn = (drawn if curves else [drawn[0], *drawn[3:]])[: None if chance else -1]
    handles, texts = zip(*drawn, strict=True)
    how = dict(loc="outside upper left", fontsize=7.5, columnspacing=1.4)
    figure.legend(handles, texts, ncols=6 if across > 2 else 3, **how)


def _said_kind(kind: str) -> str:
    return SAID.get(kind, kind)


# ------------------------------------------------------------------ kinds and laws


def kinds(found: Kind, ax: Axes | None = None) -> Axes:
    """Draw the probability of each kind, at half and twice the cut too, and before the data.

    Hollow bars are what the laws' own priors say of the kinds; with a prior of your own, that.

    Parameters
    ----------
    found
        `kind(posterior)` of one curve.
    """
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
            _beside(ax, 32, row, percent(share), fontweight=bold)
        ax.set_yticks(rows, [_said_kind(kind) for kind in KINDS])
        ax.tick_params(axis="y", length=0)
        ax.set(xlim=(0, 1), ylim=(-0.6, len(KINDS) - 0.4))
        ax.set_xlabel(f"probability of the kind, at a cut of {found.cut:.3g}")
        legend(ax, "above")
    return ax


def laws(found: LawComparison, ax: Axes | None = None) -> Axes:
    """Draw how much worse each law would have foretold the runs than the best.

    The difference in expected log predictive density with its standard error, the best law on
    top; beside it the predictive weight, and the probability by evidence. Where laws are far apart
    the axis is linear to 2 nats and logarithmic beyond.

    Parameters
    ----------
    found
        `compare_laws(posteriors)`.
    """
    names = sorted(found.elpd, key=found.elpd.__getitem__, reverse=True)
    rows = np.arange(float(len(names)))[::-1]
    numbers = (found.difference, found.difference_se)
    gap, se = (np.array([of[law] for law in names]) for of in numbers)
    low, high = (gap - se).min(), (gap + se).max()
    with canvas(ax) as ax:
        ax.axvline(0, color=FAINT, lw=0.8, zorder=1)
        look = dict(fmt="o", color=PALETTE[0], ms=5, mec="white", mew=0.6, elinewidth=1.4)
        ax.errorbar(gap, rows, xerr=se, **look, zorder=3)
        columns = ((44, "weight", found.weights), (86, "P(law)", found.probability))
        for x, head, values in columns:
            _beside(ax, x, len(names) - 0.4, head, color="#666666", va="bottom")
            for row, law in zip(rows, names, strict=True):
                _beside(ax, x, row, percent(values[law]))
        ax.set_yticks(rows, names)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("log predictive density less the best law's, ± s.e. (nats)")
        if low < -FAR:
            ax.set_xscale("symlog", linthresh=NEAR, linscale=1.0)
            shown = [tick for tick in TICKS[int(low < -5 * FAR)] if tick >= 1.3 * low]
            ax.set_xticks(shown, [f"{tick:g}".replace("-", "−") for tick in shown])
        ax.set(xlim=(1.3 * low - 0.1, high + 0.04 * min(-low, FAR)), ylim=(-0.6, len(names) - 0.4))
    return ax


FAR, NEAR = 20.0, 2.0
"""Nats of difference from which the axis is logarithmic, and up to which it is then linear."""
TICKS = ((0, -1, -2, -5, -10, -20, -50, -100), (0, -1, -2, *(-(10.0**k) for k in range(1, 9))))
"""Where that axis has ticks, up to 100 nats and beyond."""


def _beside(ax: Axes, x: float, row: float, text: str, **look: str) -> None:
    """Write a cell of a column so many points right of the frame, level with a row."""
    how = dict(xycoords=ax.get_yaxis_transform(), textcoords="offset points", ha="right")
    look = dict(va="center", color=INK) | look
    ax.annotate(text, (1, row), (x, 0), fontsize=8, annotation_clip=False, **how, **look)
