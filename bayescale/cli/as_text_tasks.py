"""report_tasks: unlocks, kinds and whole pages of tasks as tables for a terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from ..comparison.explain import Explanation
from ..datasets.published import place
from ..messages import Note
from ..posterior.intervals import INTERVAL
from ..questions.kind import Kind
from ..questions.kinds import KINDS
from ..questions.threshold import Threshold
from ..questions.unlock import Unlock
from ..workflows.tasks import Task, Tasks
from .layout import number, span, table

__all__ = ["kind", "tasks", "threshold"]

MASS = f"{INTERVAL:.0%}".replace("%", " %")
STEPS = 8
"""About so many scales are shown with the probability that the level is passed there."""
LINES = 12
"""So many notes on single tasks are shown."""
TABLED = ("average", "median", "unreached", "no_median")
"""Kinds of notes that a row of the table says."""
RISING = ("steady", "emergent", "u_shaped")
"""Kinds whose rise there is something to explain of."""


# ------------------------------------------------------------------ an unlock


def threshold(found: Threshold) -> RenderableType:
    """Return from which scale on the level is passed: by the prior, a wider one, and each law."""
    past = "above" if found.improves == "up" else "below"
    head = f"{found.column} from which on the curve stays {past} {number(found.level)}"
    cases = {"forecast": found.forecast}
    if found.wider is not None:
        cases["prior twice as wide"] = found.wider
    if len(found.members) > 1:
        weights = found.member_weights
        cases |= {f"{name} ({weights[name]:.2f})": each for name, each in found.members.items()}
    rows = [[name, *_when(case)] for name, case in cases.items()]
    columns = ("", "median", f"{MASS} interval", "P(already)", f"P(not by {number(found.horizon)})")
    parts: list[RenderableType] = [Text(head, "bold"), table(columns, rows)]
    return Group(*parts, *(Text(line, "dim") for line in (_by_scale(found), _apart(found)) if line))


def _when(case: Unlock) -> list[str]:
    interval = f"{_scale(case.lo)} .. {_scale(case.hi)}"
    return [_scale(case.median), interval, f"{case.p_already:.2f}", f"{case.p_never:.2f}"]


def _scale(log10: float) -> str:
    if math.isinf(log10):
        return "never" if log10 > 0 else "already"
    return number(10**log10, 3)


def _by_scale(found: Threshold) -> str:
    """Return the probability that the level is passed by some scales: decades, or even steps."""
    if found.less_is_better:
        points = {number(v, 3): v for v in np.linspace(found.x_min, found.horizon, 6)}
    else:
        decades = np.ceil(np.log10(found.x_max)) + np.arange(STEPS)
        kept = (decades <= np.log10(found.horizon)) & (decades >= np.log10(found.x_min))
        points = {f"1e{d:.0f}": 10.0**d for d in decades[kept]}
    line = ", ".join(f"{found.p_unlocked_by(v):.2f} by {name}" for name, v in points.items())
    return f"probability {line}" if line else ""


def _apart(found: Threshold) -> str:
    """Return how far several laws are apart."""
    if len(found.members) < 2:
        return ""
    spread = found.spread()
    if not math.isfinite(spread.between):
        return ""
    line = f"the laws' medians are {number(spread.between, 2)} decades apart (sd)"
    return line + f", each is uncertain by {number(spread.within, 2)}"


# ------------------------------------------------------------------ a kind


def kind(found: Kind) -> RenderableType:
    """Return the probability of each kind at the cut, half and twice of it, and the turn."""
    head = f"kind of curve from {number(found.lo, 3)} to {number(found.hi, 3)} {found.column}: "
    head += f"{_said(found.likeliest)}, probability {found.probability:.2f}"
    columns = ["", f"cut {number(found.cut, 3)}", *(number(found.cut * k, 3) for k in (0.5, 2))]
    columns.append("before\nthe data")
    shares = (found.kinds, found.half, found.double, found.implied)
    rows = [[_said(kind), *(f"{each[kind]:.2f}" for each in shares)] for kind in KINDS]
    parts: list[RenderableType] = [Text(head, "bold"), table(columns, rows)]
    turn = found.turning_point()
    if turn is not None:
        at, depth = turn["log10_scale"], turn["depth"]
        line = f"where it is U-shaped ({turn['share']:.2f}) it turns at "
        line += f"{number(10 ** at['median'], 3)} ({span(10 ** at['lo'], 10 ** at['hi'], 3)}), "
        line += f"{number(depth['median'], 2)} ({span(depth['lo'], depth['hi'], 2)}) deep"
        parts.append(Text(line))
    return Group(*parts)


def _said(kind: str) -> str:
    return {"u_shaped": "U-shaped", "inverted_u": "inverted U"}.get(kind, kind)


# ------------------------------------------------------------------ many tasks


def tasks(found: Tasks) -> RenderableType:
    """Return one row a task, where unlocks stand among published models, and the notes."""
    columns = ("task", "kind", "explained by", "unlocks at", MASS, "P(never)", "laws\nsound")
    head = f"{len(found)} task{'s' * (len(found) > 1)}, laws: {', '.join(found.laws)}"
    rows = [_row(task, len(found.laws)) for task in found]
    parts: list[RenderableType] = [Text(head, "bold"), table(columns, rows, left=3)]
    parts += _backtests(found)
    parts += [Text(line, "dim") for line in _places(found)]
    bad = [task for task in found if task.kind is None]
    parts += [Text(f"NOT TO BE TRUSTED: {task.name}: {_why(task)}", "red") for task in bad]
    return Group(*parts, *(Text(f"note: {note}", "yellow") for note in _notes(found)))


def _row(task: Task, laws: int) -> list[str]:
    sound = f"{laws - len(task.failed)} of {laws}"
    if task.kind is None:
        return [task.name, "NOT TRUSTED", "-", "-", "-", "-", sound]
    unlock = task.threshold.forecast
    kind = f"{_said(task.kind.likeliest)} {task.kind.probability:.2f}"
    interval = f"{_scale(unlock.lo)} .. {_scale(unlock.hi)}"
    cells = [_scale(unlock.median), interval, f"{unlock.p_never:.2f}", sound]
    why = task.explanation.verdict if task.kind.likeliest in RISING else "-"
    return [task.name, kind, why, *cells]


def _backtests(found: Tasks) -> list[RenderableType]:
    """Return how the laws, fitted to the smaller scales, fared, beside their weights."""
    told = {task.name: task.explanation for task in found if task.explanation is not None}
    told = {name: each for name, each in told.items() if each.backtest}
    laws = [law for law in found.laws if any(law in each.backtest for each in told.values())]
    if not laws:
        return []
    rows = []
    for name, each in told.items():
        one = next(iter(each.backtest.values()))
        cells = [_tested(each, law) for law in laws]
        rows.append([name, f"{one.runs} above {number(one.cut, 3)}", *cells])
    head = "weight, and log score a run forecast from the smaller scales (* fit not sound)"
    return [Text(head, "bold"), table(("task", "runs", *laws), rows, left=2)]


def _tested(each: Explanation, law: str) -> str:
    if law not in each.backtest:
        return "-"
    one = each.backtest[law]
    return f"{each.weights.get(law, 0.0):.2f}, {number(one.score, 3)}" + "*" * (not one.sound)


def _why(task: Task) -> str:
    law, reason = next(iter(task.failed.items()))
    return f"no law's fit is sound; {law}: {reason}"


def _places(found: Tasks) -> list[str]:
    """Return where each unlock stands among published models, where they have such a scale."""
    lines = []
    for task in found:
        if task.threshold is not None:
            each = task.threshold
            words = place(each.forecast.median, f"{each.scale} {each.column}")
            lines += [f"{task.name} unlocks{words}"] if words else []
    return lines


def _notes(found: Tasks) -> list[str]:
    """Return what matters of what is said of the tasks: of several once, of one with its name."""
    told: dict[str, Mapping[str, None]] = {task.name: _told(task) for task in found}
    count = Counter(note for notes in told.values() for note in notes)
    many = [f"{note} ({n} tasks)" if n < len(found) else note for note, n in count.items() if n > 1]
    single = [
        note if len(found) == 1 else f"{name}: {note}"
        for name, notes in told.items()
        for note in notes
        if count[note] == 1
    ]
    more = len(single) - LINES
    return [*many, *single[:LINES], *([f"and {more} more: see --json"] if more > 0 else [])]


def _told(task: Task) -> dict[Note, None]:
    parts = [each for each in (task.threshold, task.explanation, task.kind) if each is not None]
    notes = [note for part in parts for note in part.notes]
    if task.failed and parts:
        out = f"left out, not to be trusted: {', '.join(task.failed)}"
        notes.append(Note("left_out", out))
    return dict.fromkeys(note for note in notes if note.kind not in TABLED)
