"""What should be said of a table that is valid and odd: the notes of a Dataset.

What hard input is answered by, of accuracies above all:

============================================ ======================================================
percent for fraction                         error at the fit, with the text to write instead
counts, or counts above n                    error at the fit: row, the count and its n
chance outside 0 .. 1, or percent            error, with the text to write instead
n missing in a row, no whole number, below 1 error: row and column
no n, a noise that counts                    error at the fit: name n, or take noise='normal'
no n, no noise named                         noise `normal`; a note where chance or the name
                                             `accuracy` tells that it is one
y * n no whole number                        note: rounded
every accuracy below chance by more than     note: 2 standard errors of guessing on n questions
noise                                        (and stderr, if known), or a fifth of chance without
                                             both
accuracies that stand on a plateau above     note: chance may be wrong, with the text to write
chance, or lie below it in some rows         (and tasks that mislead do go below)
percent where no bound is known, perplexity  note, with the text to write instead; error where the
                                             name says accuracy and a law is to be chosen
standard errors of 0, or larger than the     note: what they may be instead
spread of the response
N, D or U in billions, epochs; a logarithm   note (`scales`), with the text to write instead
scales in two units: a jump by 10,000 times  note
one scale only, in the table or in a curve   error: a law needs two scales or more
every accuracy 0, or every accuracy 1        fits; note: what it says of the unlock is the prior
every group has one row (in each curve)      fits; note: the sd of groups is told by its prior
one group only                               error at the fit where something is pooled
a curve that lacks some groups               fits: their shifts there are told by their prior
a response measured in some rows             fits where a law speaks of several; note
a response measured in no row of a curve     error at the fit: curve and response
rows that repeat                             error; note where they are kept or dropped
rows that lie along steps as checkpoints do, note: name the runs, or the settings (`dependent`)
several evaluations of a model, a sweep
responses that differ by labels that are not note: fit each family apart, or pool them (`dependent`)
used
columns that are scales, or runs, or tasks   note, and with the error (`wide`), with the way to rows
============================================ ======================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..messages import Note, quoted
from . import accuracies, beside, responses, scales
from .cells import measure, numbers

if TYPE_CHECKING:
    from .dataset import Dataset
    from .table import Table

__all__ = ["as_rows", "concerning", "remarks", "side_by_side", "wide"]


def remarks(data: Dataset) -> tuple[Note, ...]:
    """Return what should be said of the rows, a line each."""
    notes = [*scales.remarks(data), *beside.remarks(data), *responses.remarks(data)]
    notes += [*_jumps(data), *_limited(data), *_gaps(data)]
    return (*notes, *accuracies.remarks(data), *_single_models(data))


JUMP = 1e4
"""Times from one scale to the next from which they may be in two units."""


def _jumps(data: Dataset) -> list[Note]:
    """Say where scales fall into two far apart, as cells with units beside cells without do."""
    found = []
    for role, x in data.inputs.items():
        seen = np.unique(x)
        at = int(np.argmax(seen[1:] / seen[:-1])) if len(seen) > 1 else 0
        if len(seen) > 1 and seen[at + 1] / seen[at] >= JUMP:
            text = data.columns[role]
            said = f"{text} jumps from {seen[at]:.4g} to {seen[at + 1]:.4g}: are all in one unit?"
            found.append(Note("units", said))
    return found


ALWAYS = ("units", "swapped", "unique", "embeddings", "families")
ALWAYS += ("percent", "perplexity", "stderr", "limit")
"""Kinds of notes without which no answer of a fit is to be read."""
OF = {"level": ("chance", "constant"), "split": ("line",)}
"""Those of answers about levels and kinds; and about several scales at once."""


def concerning(data: Dataset, *questions: str) -> list[Note]:
    """Return the notes that answers about these rows are to be read with.

    Those that follow from the rows are made anew, so that an answer about one curve of several
    has those of its own.

    Parameters
    ----------
    questions
        "level" for thresholds and kinds, "split" for predictions and budgets of several scales.
    """
    kinds = {*ALWAYS, *(kind for each in questions for kind in OF[each])}
    stored = (note for note in data.notes if isinstance(note, Note))
    kept = [note for note in stored if note.kind in ("embeddings", "families")]
    return [note for note in (*kept, *remarks(data)) if note.kind in kinds]


def _limited(data: Dataset) -> list[Note]:
    """Say of how many responses no more is known than that they lie below a limit."""
    if data.limit is None:
        return []
    known = data.limit[data.below]
    if not len(known):
        return [Note("limit", f"no response lies at or below limit = {data.columns['limit']}")]
    low, high = known.min(), known.max()
    level = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    said = f"{len(known)} of {len(data)} responses are only known to lie below the limit {level}"
    return [Note("limit", said)]


def _gaps(data: Dataset) -> list[Note]:
    counts = {role: int(np.isfinite(y).sum()) for role, y in data.responses.items()}
    return [
        Note("missing", f"{role} was measured in {count} of {len(data)} rows")
        for role, count in counts.items()
        if count < len(data)
    ]


def _single_models(data: Dataset) -> list[Note]:
    """Say that groups of one row each leave the sd of groups to its prior."""
    if len(data.group_names) < 2:
        return []
    curve = [""] * len(data) if data.curve is None else data.curve
    pairs = set(zip(map(str, curve), map(str, data.group), strict=True))
    if len(pairs) < len(data):
        return []
    where = "" if data.curve is None else " in each curve"
    said = (
        f"every group has one row{where}: what groups differ by and what single models scatter "
        "by cannot be told apart, and the sd of groups is told by its prior alone"
    )
    return [Note("single", said)]


# ------------------------------------------------------------------ tables that look wide

SIZES, LEAST = 3, 1e3
"""Fewest columns that differ in a size, and the least that is one: no number of a layer or seed."""


def wide(known: Iterable[str]) -> tuple[tuple[str, ...], str] | None:
    """Return which columns look as if they should be rows, and how they become such."""
    known = tuple(known)
    runs = [name for name in known if " - " in name and f"{name}__MIN" in known]
    if runs:
        metrics = dict.fromkeys(name.rpartition(" - ")[2] for name in runs)
        way = " ".join(f"--long 'run:{_name(each)}=* - {each}'" for each in metrics)
        said = "runs side by side, as Weights & Biases exports charts: bayescale import wandb FILE"
        return tuple(runs), f"{runs[0]!r}, ... are {said} -o TABLE.csv makes a table, or {way}"
    for head, tail, names in _alike(known):
        inside = [measure(name[len(head) : len(name) - len(tail)]) for name in names]
        if all(size is not None and size >= LEAST for size in inside):
            value = _name(head + tail) or "loss"
            stem = f"{head}*{tail}"
            if head or tail:
                way = f"to_long(frame, 'params', {{{value!r}: {stem!r}}}) "
                way += f"(--long 'params:{value}={stem}')"
            else:
                way = as_rows(names, "params", value)
            return names, f"{names[0]!r}, {names[1]!r}, ... differ in a size: {way}"
    return None


def side_by_side(table: Table, y: Any, x: Any) -> str:
    """Return, after the message that there is no column `y`, which may be it in several parts."""
    if not isinstance(y, str) or y in table.known or not y.isidentifier():
        return ""
    known = [name for name in table.known if name not in str(x)]
    for head, tail, names in _alike(tuple(known)):
        if head or tail:
            way = f"{head}*{tail}"
            said = f"to_long(frame, 'number', {{{y!r}: {way!r}}}) (--long 'number:{y}={way}')"
            return f"; {names[0]!r}, {names[1]!r}, ... differ in a number: {said}"
    shares = []
    for name in known:
        values, bad = numbers(table.column(name))
        held = values[np.isfinite(values)]
        if not bad.any() and len(held) and np.all((held >= 0) & (held <= 1)):
            shares.append(name)
    if len(shares) < SIZES:
        return ""
    return f"; {shares[0]!r}, {shares[1]!r}, ... may be tasks: {as_rows(shares, 'task', y)}"


def as_rows(names: Iterable[str], label: str = "task", value: str = "score") -> str:
    """Return how columns side by side become rows."""
    names = list(names)
    flag = ",".join(map(quoted, names))
    return f"to_long(frame, {label!r}, {{{value!r}: {names}}}) (--long '{label}:{value}={flag}')"


def _alike(known: tuple[str, ...]) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Yield what comes before and after a size in several names, and those names."""
    parts: dict[tuple[str, str], list[str]] = {}
    for name in known:
        for found in re.finditer(r"(?<![\d.])\d[\d.]*(e[+-]?\d+)?\s?[a-zA-Z]{0,2}", name):
            parts.setdefault((name[: found.start()], name[found.end() :]), []).append(name)
    for (head, tail), names in parts.items():
        if len(names) >= SIZES and len(set(names)) == len(names):
            yield head, tail, tuple(names)


def _name(text: str) -> str:
    """Return a name for a column of what `loss_` or `eval/loss` measures."""
    return re.sub(r"\W+", "_", text.rpartition("/")[2]).strip("_")
