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

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["remarks"]

SURE = 2.0
"""Standard errors by which an accuracy must lie below chance to be no accident of guessing."""
MARGIN = 0.2
"""The share of chance that stands for them where neither n nor stderr is known."""


def remarks(data: Dataset) -> tuple[Note, ...]:
    """Return what should be said of the rows, a line each."""
    notes = [*_swapped(data), *_gaps(data)]
    for role, y in _accuracies(data).items():
        notes += [
            *_rounded(data, role, y),
            *_uncounted(data, role),
            *_below_chance(data, role, y),
            *_constant(data, role, y),
        ]
    return (*notes, *_single_models(data))


def _accuracies(data: Dataset) -> dict[str, np.ndarray]:
    """Return the responses that may be accuracies: a single one, of several the one so called."""
    alone, found = len(data.responses) == 1, {}
    for role, y in data.responses.items():
        known = y[np.isfinite(y)]
        if (alone or role == "accuracy") and len(known) and np.all((known >= 0) & (known <= 1)):
            found[role] = y
    return found


def _called(role: str) -> str:
    return "accuracy" if role == "y" else role


def _of_curves(data: Dataset, rows: np.ndarray, measured: np.ndarray) -> str | None:
    """Return "" or "in 2 of 5 curves (...) " if all that is measured is in `rows`, else None."""
    if data.curve is None:
        return "" if rows[measured].all() else None
    names = data.curve_names
    members = [measured & (data.curve == name) for name in names]
    hits = [n for n, own in zip(names, members, strict=True) if own.any() and rows[own].all()]
    if not hits:
        return None
    first = f"first: {hits[0]!r}" if len(hits) > 1 else repr(hits[0])
    return f"in {len(hits)} of {len(names)} curves ({first}) "


def _input_like(data: Dataset, name: str, word: str) -> str | None:
    if name in data.inputs:
        return name
    return next((role for role in data.inputs if word in data.columns[role].lower()), None)


def _swapped(data: Dataset) -> list[Note]:
    size, tokens = (_input_like(data, *each) for each in (("N", "param"), ("D", "token")))
    if not size or not tokens or size == tokens:
        return []
    share = 100 * np.mean(data.inputs[size] > data.inputs[tokens])
    note = f"{size} exceeds {tokens} in {share:.0f} % of rows: check order and units"
    return [Note("swapped", note)] if share > 50 else []


def _gaps(data: Dataset) -> list[Note]:
    counts = {role: int(np.isfinite(y).sum()) for role, y in data.responses.items()}
    return [
        Note("missing", f"{role} was measured in {count} of {len(data)} rows")
        for role, count in counts.items()
        if count < len(data)
    ]


def _rounded(data: Dataset, role: str, y: np.ndarray) -> list[Note]:
    if data.n is None:
        return []
    correct = y * data.n
    off = np.flatnonzero(np.abs(correct - np.round(correct)) > 0.01)  # nan is not above
    if not len(off):
        return []
    count = f"{role} * n is no whole number in {len(off)} of {len(data)} rows"
    first = f"first: row {data.rows[off[0]]}, {y[off[0]]:.6g} * {data.n[off[0]]:.6g}"
    return [Note("rounded", f"{count} ({first}): it was rounded, or n is another number")]


def _uncounted(data: Dataset, role: str) -> list[Note]:
    known = data.n is not None or data.stderr is not None
    if known or (data.chance is None and role != "accuracy"):
        return []
    said = (
        f"no number of questions is known for {_called(role)}: one scatter is taken for all rows, "
        "unless n (-n) or stderr (--stderr) name a column"
    )
    return [Note("uncounted", said)]


def _below_chance(data: Dataset, role: str, y: np.ndarray) -> list[Note]:
    """Say that no accuracy comes up to chance, by more than noise."""
    if data.chance is None:
        return []
    chance, stderr = data.chance, 0.0 if data.stderr is None else data.stderr
    if data.n is None and data.stderr is None:
        noise, said = MARGIN * chance, f"more than {MARGIN:g} of it"
    else:
        guessing = 0.0 if data.n is None else chance * (1 - chance) / data.n
        with np.errstate(over="ignore"):  # an absurd error excuses every accuracy
            noise = SURE * np.hypot(np.sqrt(guessing), stderr)
        said = f"more than {SURE:g} standard errors"
    below = y < chance - noise  # nan is not below
    where = _of_curves(data, below, np.isfinite(y))
    if where is None:
        return []
    low, high = chance[below].min(), chance[below].max()
    level = f"{low:.3g}" if low == high else f"({low:.3g} .. {high:.3g})"
    note = (
        f"CHECK CHANCE: {where}every {_called(role)} lies below chance {level} by {said}: is the "
        "column chance right, or the answer format unlearnt?"
    )
    return [Note("chance", note)]


def _constant(data: Dataset, role: str, y: np.ndarray) -> list[Note]:
    """Say that nothing was ever right, or nothing wrong."""
    tails = {
        0: "nothing tells when it unlocks but the prior",
        1: "it unlocked before the smallest scale, and nothing but the prior tells how far",
    }
    found = {value: _of_curves(data, y == value, np.isfinite(y)) for value in tails}
    return [
        Note("constant", f"{where}every {_called(role)} is {value}: {tails[value]}")
        for value, where in found.items()
        if where is not None
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
