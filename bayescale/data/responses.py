"""What the responses of a table are: shares or percent, losses or perplexities; their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..messages import Note, option
from .accuracies import LOSSES, rise_of
from .scales import bare, each_curve, some_curves, words

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["RESOLUTION", "remarks"]

RESOLUTION = 1e-5
"""Relative error to which any measurement is known: data that lie exactly on a law leave a
posterior to be sampled."""


def remarks(data: Dataset) -> list[Note]:
    """Return what should be said of the units of responses and standard errors, a line each."""
    notes = []
    for role, y in data.responses.items():
        notes += [*_percent(data, role, y), *_perplexity(data, role, y)]
    return [*notes, *_errors(data)]


_SHARE = {"acc", "acc1", "acc5", "accuracy", "percent", "percentage", "pct", "%", "bleu", "rouge"}
_PERPLEXITY = {"ppl", "perplexity", "perplexities"}
_LOSS = LOSSES
SCORE, RISES = 20.0, 0.5
"""Least score in percent that is one whatever its name, and rank correlation with scale of one."""
GUESSING = 20.0
"""More than guessing a token costs: of 256,000, 12.5 nats or 18 bits."""


def _called_by(data: Dataset, role: str) -> set[str]:
    """Return the words of a response's name and column; none where arithmetic was done on it."""
    name = bare(data.columns[role])
    return set() if name is None else {*words(role), *words(name)}


def _percent(data: Dataset, role: str, y: np.ndarray) -> list[Note]:
    name, known = _called_by(data, role), y[np.isfinite(y)]
    wrong = any(word.startswith("err") for word in name)
    if wrong or not len(known) or known.min() < 0 or not 1 < known.max() <= 100:
        return []
    # Whatever it is called: a loss does not rise with scale.
    rises = len(data.responses) == 1 and known.max() > SCORE and not name & (_LOSS | _PERPLEXITY)
    if not name & _SHARE and not (rises and rise_of(data) > RISES):
        return []
    said = (
        f"{_shown(data, role)} is up to {known.max():.4g}: percent? a loss law knows no ceiling; "
        f"for a law of accuracies give shares: {_instead(data, role, '{}/100')}"
    )
    return [Note("percent", said)]


def _perplexity(data: Dataset, role: str, y: np.ndarray) -> list[Note]:
    name, known = _called_by(data, role), y[np.isfinite(y)]
    if not len(known) or "log" in name:
        return []
    remedy = f"laws are of its logarithm, the loss: {_instead(data, role, 'log({})')}"
    if name & _PERPLEXITY and known.min() >= 1 and known.max() > 5:
        said = f"{_shown(data, role)} is up to {known.max():.4g}: a perplexity? {remedy}"
        return [Note("perplexity", said)]
    if name & _LOSS and np.median(known) > GUESSING:
        said = (
            f"{_shown(data, role)} is {np.median(known):.4g} in the middle, more than guessing "
            f"among 256,000 tokens costs (12.5 nats): a perplexity, or a sum? {remedy}"
        )
        return [Note("perplexity", said)]
    return []


def _shown(data: Dataset, role: str) -> str:
    return data.columns[role] if role == "y" else role


def _instead(data: Dataset, role: str, form: str) -> str:
    name = "" if role == "y" else f"{role}="
    return option("y", name + form.format(data.columns[role]))


UNLIKELY = 1e-4
"""Chance by which so small a spread would come of standard errors that are right."""


def _errors(data: Dataset) -> list[Note]:
    """Say that standard errors are 0, or larger than the response varies."""
    if data.stderr is None:
        return []
    notes, stderr = [], data.stderr
    zero = np.flatnonzero(stderr == 0)
    if len(zero):
        said = (
            f"stderr is 0 in {len(zero)} of {len(data)} rows (first: row {data.rows[zero[0]]}): "
            "only the noise's own scatter is taken there; of an accuracy of 0 or 1 it is no "
            "standard error: name the questions instead (-n COLUMN)"
        )
        notes.append(Note("stderr", said))
    y = next(iter(data.responses.values()))
    found = ((name, _too_wide(y[own], stderr[own])) for name, own in each_curve(data))
    wide = {name: said for name, said in found if said is not None}
    if wide:
        where = some_curves([*wide], len(data.curve_names)) if data.curve is not None else ""
        said = (
            f"{where}{next(iter(wide.values()))}: a standard deviation of single questions (then "
            f"{option('stderr', data.columns['stderr'] + '/sqrt(n)')}), percent, or what all rows "
            "share (one test set), which is no scatter?"
        )
        notes.append(Note("stderr", said))
    return notes


def _too_wide(y: np.ndarray, stderr: np.ndarray) -> str | None:
    """Say that responses lie closer together than their errors let them, trend and all.

    sum ((y - mean)/stderr)^2 is chi-squared at least, of rows - 1 degrees of freedom.
    """
    from scipy.special import chdtr

    use = np.isfinite(y) & (stderr > 0) & np.isfinite(stderr)
    if use.sum() < 3:
        return None
    y, narrow = y[use], stderr[use].min() / stderr[use]
    with np.errstate(over="ignore", invalid="ignore"):  # of absurd numbers nothing is said
        middle = np.average(y, weights=narrow**2)
        away = float(np.sum(((y - middle) / stderr[use]) ** 2))
    if not chdtr(len(y) - 1, away) <= UNLIKELY:
        return None
    return (
        f"stderr ({np.median(stderr[use]):.3g} in the middle) is larger than the response varies "
        f"(sd {y.std(ddof=1):.3g})"
    )
