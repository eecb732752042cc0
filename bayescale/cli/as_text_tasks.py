"""as_text_tasks: pages of tasks as tables for a terminal, with what is to be said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from ..datasets.published import place
from ..messages import Note
from ..posterior.display import share
from ..workflows.task import Task
from ..workflows.tasks import Tasks
from .layout import drawn

__all__ = ["tasks"]

LINES = 12
"""So many notes on single tasks are shown."""
TABLED = ("average", "median", "unreached", "no_median")
"""Kinds of notes that a row of the table says."""


def tasks(found: Tasks) -> RenderableType:
    """Return one row a task, where unlocks stand among published models, and the notes."""
    parts: list[RenderableType] = drawn(found.sheets())
    parts += [Text(line, "dim") for line in _places(found)]
    bad = [task for task in found if task.kind is None]
    parts += [Text(f"NOT TO BE TRUSTED: {task.name}: {_why(task)}", "red") for task in bad]
    return Group(*parts, *(Text(f"note: {note}", "yellow") for note in _notes(found)))


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


def _notes(found: Tasks) -> list[str]:
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
