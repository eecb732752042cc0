"""Which responses are accuracies, how they were counted, and where they stand beside chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..messages import Note, option, ways
from .scales import bare, each_curve, in_curves, some_curves
from .shares import said_by, words

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["kind_of", "more_is_better", "remarks", "rise_of", "size_of"]

PERCENT = {"percent", "percentage", "pct", "%"}
"""Words of the names of responses in percent."""
SURE = 2.0
"""Standard errors by which an accuracy must lie below chance to be no accident of guessing."""
MARGIN = 0.2
"""The share of chance that stands for them where neither n nor stderr is known."""


def kind_of(data: Dataset) -> str:
    """Return whether a response is a `loss` or an `accuracy`, by its table.

    Questions or a chance level are of accuracies, numbers outside 0 .. 1 of losses; else the name
    says it, and where that says nothing whether the response rises with scale.

    Raises
    ------
    DataError
        Where its name says that it is an accuracy, and its numbers that they are percent: a law of
        losses would go on beyond 100.
    """
    if data.n is not None or data.chance is not None:
        return "accuracy"
    (role, *_), (y, *_) = data.responses, data.responses.values()
    if np.nanmin(y) < 0 or np.nanmax(y) > 1:
        text = data.columns[role]
        own = bare(text) is not None and np.nanmin(y) >= 0 and np.nanmax(y) <= 100
        percent = PERCENT & _words(data) and more_is_better(data)
        if own and (_named(data) == "accuracy" or percent):
            remedy = [f"for percent of right answers give shares: {option('y', f'{text}/100')}"]
            remedy.append("of a score that has no ceiling say kind='loss' (--kind loss)")
            row = int(np.nanargmax(y))
            data.fail("is above 1", row=row, role=role, value=y[row], remedy=ways(remedy))
        return "loss"
    return "accuracy" if more_is_better(data) else "loss"


def more_is_better(data: Dataset) -> bool:
    """Return whether a higher response is a better one.

    Questions or a chance level say so, and so does the name, of a column in arithmetic too;
    where that says nothing, whether the response rises with scale.
    """
    if data.n is not None or data.chance is not None:
        return True
    return _named(data) == "accuracy" or (_named(data) is None and rise_of(data) > 0)


def _named(data: Dataset) -> str | None:
    """Return whether the name of the response says `loss` or `accuracy`; None for neither."""
    (role, *_) = data.responses
    return said_by(role, data.columns[role])


def _words(data: Dataset) -> set[str]:
    (role, *_) = data.responses
    return {*words(role), *words(data.columns[role])}


def rise_of(data: Dataset) -> float:
    """Return the rank correlation of response and size, the mean of all curves; -1 to 1."""
    from scipy.stats import spearmanr

    (y, *_), x = data.responses.values(), size_of(data.inputs)
    found = []
    for name in data.curve_names or (None,):
        own = np.isfinite(y) & data.of_curve(name)
        if own.sum() > 1 and np.ptp(x[own]) and np.ptp(y[own]):
            found.append(float(spearmanr(x[own], y[own]).statistic))
    return float(np.mean(found)) if found else 0.0


def size_of(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return by what runs are large, (row,): their scale; N D, in proportion to their compute."""
    both = [x for name, x in inputs.items() if name in ("N", "D")]
    return np.prod(both if len(both) == 2 else [*inputs.values()], axis=0)


def remarks(data: Dataset) -> list[Note]:
    """Return what should be said of each response that is an accuracy, a line each."""
    notes = []
    for role, y in _accuracies(data).items():
        notes += [
            *_rounded(data, role, y),
            *_uncounted(data, role),
            *(_below_chance(data, role, y) or _beside_chance(data, y)),
            *_constant(data, role, y),
        ]
    return notes


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
    where = in_curves(data, below, np.isfinite(y))
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
    found = {value: in_curves(data, y == value, np.isfinite(y)) for value in tails}
    ask = "; of few questions that says little: name their number (-n COLUMN)"
    ask *= data.n is None and data.stderr is None
    return [
        Note("constant", f"{where}every {_called(role)} is {value}: {tails[value]}{ask}")
        for value, where in found.items()
        if where is not None
    ]


# ------------------------------------------------------------------ chance

FAR = 4.0
"""Standard errors from chance that are no accident, whichever row of many is looked at."""
LONG = 8
"""Rows of a curve of which the lower half can be called a plateau."""
PLATEAU = 0.05
"""A plateau as far above chance as this, in accuracy, is above it."""


def _beside_chance(data: Dataset, y: np.ndarray) -> list[Note]:
    """Say that rows lie below chance, or stand on a plateau above it, by more than noise."""
    if data.chance is None or (data.n is None and data.stderr is None):
        return []
    chance, stderr = data.chance, 0.0 if data.stderr is None else data.stderr
    share = np.clip(np.where(np.isfinite(y), y, 0.5), 0, 1)
    count = np.inf if data.n is None else data.n
    with np.errstate(over="ignore"):  # an absurd error excuses every accuracy
        below = FAR * np.hypot(np.sqrt(chance * (1 - chance) / count), stderr)
        noise = FAR * np.hypot(np.sqrt(share * (1 - share) / count), stderr)
    rows = (y < chance - below) & (y < (1 - MARGIN) * chance)
    notes = []
    if rows.sum() > 1:
        at = int(np.nanargmin(np.where(rows, y - chance, np.inf)))
        whose = "" if data.curve is None else f" of {data.curve[at]!r}"
        said = (
            f"{rows.sum()} of {len(data)} rows lie below chance by more than {FAR:g} standard "
            f"errors, row {data.rows[at]}{whose} with {y[at]:.3g} under {chance[at]:.3g} most of "
            "all: a task that misleads does that, and so do models that answer one way; else the "
            "column chance is not its chance"
        )
        notes.append(Note("chance", said))
    found = {
        name: level
        for name, own in each_curve(data)
        if (level := _plateau(data, y, noise, own)) is not None
    }
    if found:
        where = some_curves([*found], len(data.curve_names)) if data.curve is not None else ""
        level, low = next(iter(found.values()))
        said = (
            f"{where}the smaller models stand on a plateau at {level:.3g}, above chance {low:.3g}: "
            f"if they guess there, write {option('chance', f'{level:.2g}')}; halfway between "
            "chance and 1 hangs on it"
        )
        notes.append(Note("chance", said))
    return notes


def _plateau(
    data: Dataset, y: np.ndarray, noise: np.ndarray, own: np.ndarray
) -> tuple[float, float] | None:
    """Return the level on which the lower half of the scale stands above chance, and chance.

    A plateau: its rows agree with one level within their noise. None where there is none.

    Parameters
    ----------
    noise
        How far noise may take each row, `FAR` standard errors, (row,).
    own
        Positions of the curve's rows.
    """
    from scipy.special import chdtr

    own = own[np.isfinite(y[own])]
    if len(data.inputs) != 1 or len(own) < LONG or data.chance is None:
        return None
    (x,) = data.inputs.values()
    low = own[x[own] <= np.median(x[own])]
    values, errors = y[low], np.maximum(noise[low] / FAR, 1e-6)
    if not np.isfinite(errors).all():
        return None
    level = float(np.average(values, weights=(errors.min() / errors) ** 2))
    chance = float(data.chance[own][0])
    if not chance + PLATEAU < level < 0.5 * (1 + chance):
        return None
    apart = float(np.sum(((values - level) / errors) ** 2))
    if (y[own] < chance + noise[own]).any() or chdtr(len(values) - 1, apart) > 0.95:
        return None
    return level, chance
