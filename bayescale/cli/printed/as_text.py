"""as_text: fits, answers and pages of tasks as tables for a terminal, with health and notes.

The rows are those that a result shows of itself (`sheets`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from ...datasets.published import place
from ...messages import Note
from ...posterior import shown
from ...posterior.display import share
from ...posterior.health import FailedFit, Verdict
from ...posterior.posterior import SHOWN_WHOLE, Posterior, said_of_group
from ..saved import Saved, refused
from .layout import Drawn, drawn

if TYPE_CHECKING:
    from ...workflows.task import Task
    from ...workflows.tasks import Tasks

__all__ = ["answers", "fit", "of_curves", "tasks", "told", "verdict"]

LINES = 12
"""So many notes on single tasks are shown."""
TABLED = ("average", "median", "unreached", "no_median")
"""Kinds of notes that a row of the table says."""


def fit(posterior: Posterior) -> RenderableType:
    """Return every quantity, and the verdict."""
    run, found, scale = posterior.sampling, posterior.summary(), posterior.law.unlock
    parts: list[RenderableType] = [Text(posterior.head, "bold")]
    if len(posterior.curves) > SHOWN_WHOLE:
        parts.append(Drawn(shown.medians(found["curves"], scale)))
    else:
        for name, one in posterior:
            parts += [] if name is None else [Text(f"\n{name}", "bold")]
            own = found if name is None else found["curves"][name]
            parts += map(Drawn, shown.curve(own, found["sampling"], scale))
            parts += [] if name is None else [verdict(one)]
    seconds = ", ".join(f"{stage} {value:.1f}" for stage, value in run.seconds.items())
    foot = f"{run.method}, {run.chains} x {run.draws} draws, seed {run.seed}, {run.precision} on "
    foot += f"{run.device}; seconds: {seconds}"
    notes = [Text(f"note: {note}", "yellow") for note in (*run.notes, *said_of_group(posterior))]
    return Group(*parts, verdict(posterior), *notes, Text(foot, "dim"))


def verdict(posterior: Posterior) -> RenderableType:
    """Return the health, loud where the fit is not to be trusted."""
    health = posterior.health
    if len(health.verdicts) > 1:
        if health.sound:
            return Text(str(health), "green")
        bad = ", ".join(posterior.curves[i] for i in health.failed[:20])
        lines = Text(f"{health}; not to be trusted: {bad}")
        return Panel(lines, title="NOT TO BE TRUSTED", style="red", box=box.HEAVY)
    one = health.verdicts[0]
    notes = [Text(f"note: {note}", "yellow") for note in one.fit.notes]
    if one.sound:
        return Group(_sound(one), *notes)
    steps = [f"{i + 1}. {advice}" for i, advice in enumerate(one.advice)]
    lines = Text("\n".join([*one.problems, *steps]))
    panel = Panel(lines, title="NOT TO BE TRUSTED", style="red", box=box.HEAVY)
    return Group(panel, *notes)


def _sound(one: Verdict) -> RenderableType:
    text = Text("sound", "bold green")
    rhats = [value for value in one.rhat.values() if math.isfinite(value)]
    if rhats:
        ess = min(one.ess.values())
        text.append(f": R-hat at most {max(rhats):.3f}, ESS at least {ess:,.0f}", "green not bold")
    return text


def answers(which: Posterior | Saved, found: Mapping[str | None, Any]) -> list[RenderableType]:
    """Return each curve's answers, what was refused, and the notes once."""
    parts: list[RenderableType] = []
    notes = {name: _notes(answer) for name, answer in found.items()}
    told = [note for each in notes.values() for note in each]
    for name, one in which:
        if name is not None:
            parts.append(Text(f"\n{name}", "bold"))
        if why := refused(found[name]):
            parts.append(Text(f"refused: {why}", "red"))
            continue
        parts += drawn(sheet for each in found[name].values() for sheet in each.sheets())
        parts += [verdict(each) for *_, each in one.members if not each.health.sound]
        own = [note for note in notes[name] if told.count(note) == 1 and len(found) > 1]
        parts += [Text(f"note: {note}", "yellow") for note in own]
    shared = dict.fromkeys(note for note in told if told.count(note) > 1 or len(found) == 1)
    return [*parts, *(Text(f"note: {note}", "yellow") for note in shared)]


def told(found: Any) -> list[RenderableType]:
    """Return a result that has sheets and notes, and nothing else."""
    notes = [Text(f"note: {note}", "yellow") for note in found.notes]
    return [*drawn(found.sheets()), *notes]


def of_curves(found: Mapping[str | None, Any]) -> list[RenderableType]:
    """Return the results of curves below one another, each under its name."""
    parts: list[RenderableType] = []
    for name, one in found.items():
        parts += [] if name is None else [Text(f"\n{name}", "bold")]
        parts += told(one)
    return parts


def _notes(answer: Mapping[str, Any] | FailedFit) -> list[str]:
    """Return the notes of all that was answered of one curve."""
    if isinstance(answer, FailedFit):
        return []
    return list(dict.fromkeys(note for each in answer.values() for note in each.notes))


# ------------------------------------------------------------------ many tasks


def tasks(found: Tasks) -> RenderableType:
    """Return one row a task, where unlocks stand among published models, and the notes."""
    parts: list[RenderableType] = drawn(found.sheets())
    parts += [Text(line, "dim") for line in _places(found)]
    bad = [task for task in found if task.kind is None]
    parts += [Text(f"NOT TO BE TRUSTED: {task.name}: {_why(task)}", "red") for task in bad]
    return Group(*parts, *(Text(f"note: {note}", "yellow") for note in _notes_of_tasks(found)))


def _why(task: Task) -> str:
    law, reason = next(iter(task.failed.items()))
    return f"{share(task.belief_lost)} of the belief is in laws that failed; {law}: {reason}"


def _places(found: Tasks) -> list[str]:
    """Return where each unlock stands among published models, where they have such a scale."""
    lines = []
    for task in found:
        if task.threshold is not None:
            each = task.threshold
            words = place(each.forecast.median, f"{each.scale} {each.column}")
            lines += [f"{task.name} unlocks{words}"] if words else []
    return lines


def _notes_of_tasks(found: Tasks) -> list[str]:
    """Return what matters of what is said of the tasks: of several once, of one with its name."""
    told: dict[str, Mapping[Note, None]] = {task.name: _told(task) for task in found}
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
        out = f"left out, with {share(task.belief_lost)} of the belief: {', '.join(task.failed)}"
        notes.append(Note("left_out", out))
    return dict.fromkeys(note for note in notes if note.kind not in TABLED)
