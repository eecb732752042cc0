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
percent where no bound is known, perplexity  note, with the text to write instead
standard errors of 0, or larger than the     note: what they may be instead
spread of the response
N, D or U in billions, epochs, logarithms    note (`scales`), with the text to write instead
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
============================================ ======================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..messages import Note
from . import accuracies, responses, scales

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["concerning", "remarks"]


def remarks(data: Dataset) -> tuple[Note, ...]:
    """Return what should be said of the rows, a line each."""
    notes = [*scales.remarks(data), *responses.remarks(data), *_limited(data), *_gaps(data)]
    return (*notes, *accuracies.remarks(data), *_single_models(data))


ALWAYS = ("units", "swapped", "unique", "embeddings", "percent", "perplexity", "stderr", "limit")
"""Kinds of notes without which no answer of a fit is to be read."""
OF = {"level": ("chance",), "split": ("line",)}
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
    kept = [note for note in stored if note.kind == "embeddings"]
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
