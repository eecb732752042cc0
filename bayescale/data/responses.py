"""What the responses of a table are: shares or percent, losses or perplexities; their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..messages import Note, option
from .accuracies import PERCENT, rise_of
from .scales import bare, each_curve, some_curves
from .shares import ACCURACIES, LOSSES, words

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["RESOLUTION", "remarks", "uncounted"]

RESOLUTION = 1e-5
"""Relative error to which any measurement is known: data that lie exactly on a law leave a
posterior to be sampled."""

QUESTION = 0.01
"""What one question is worth where no number of them is known and no accuracy is closer to a bound:
of 100."""


MANY = 15_000
"""More questions than nearly any test has."""


def uncounted(y: np.ndarray, known: bool = False) -> np.ndarray:
    """Return to what accuracies of an unknown number of questions are known at best, (row,).

    To what sampling `MANY` questions leaves: taken as exact, rows that happen to lie on one curve,
    or are all the same, would leave it no width. Nothing right of so many questions says that less
    than one in them is: of exactly 0 or 1 the least distance from a bound that other rows have, at
    most `QUESTION`; else a table of zeros would weigh laws by how deep below any measurement they
    go.

    Parameters
    ----------
    known
        Whether standard errors are given: only those of 0 and 1, which they leave without, are
        told.
    """
    away = np.minimum(y, 1 - y)
    inside = away[away > 0]
    question = min(inside.min(initial=QUESTION), QUESTION)
    sampling = 0.0 if known else np.sqrt(np.clip(y * (1 - y), 0, 0.25) / MANY)
    return np.where(away == 0, question, sampling)


def remarks(data: Dataset) -> list[Note]:
    """Return what should be said of the units of responses and standard errors, a line each."""
    notes = []
    for role, y in data.responses.items():
        notes += [*_percent(data, role, y), *_perplexity(data, role, y)]
    return [*notes, *_errors(data)]


_SHARE = ACCURACIES | PERCENT | {"bleu", "rouge"}
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


ALIKE = 0.05
"""Log ratio within which a standard error is that of n questions."""
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
    logs = np.log([*data.inputs.values()])
    curves = each_curve(data)
    found = ((name, _too_wide(y[own], stderr[own], logs[:, own])) for name, own in curves)
    wide = {name: said for name, said in found if said is not None}
    twice = _counted_twice(data, y)
    notes += [*twice, *_by_name(data)]
    if wide and not twice:
        where = some_curves([*wide], len(data.curve_names)) if data.curve is not None else ""
        said = (
            f"{where}{next(iter(wide.values()))}: a standard deviation of single questions (then "
            f"{option('stderr', data.columns['stderr'] + '/sqrt(n)')}), percent, or what all rows "
            "share (one test set), which is no scatter?"
        )
        notes.append(Note("stderr", said))
    return notes


NAMES = {
    "a standard deviation: of k seeds that of their mean is {0}/sqrt(k)": "std sd stdev",
    "a variance: its root is the error, sqrt({0})": "var variance",
    "of an interval: of 95 % errors are (HIGH - LOW)/3.92, or half of it /1.96": (
        "ci ci95 lo low lower hi high upper min max"
    ),
}
"""What a column is by its name that is no standard error, and by which words it says so."""


def _by_name(data: Dataset) -> list[Note]:
    """Say that a standard error is called something else."""
    name = bare(data.columns["stderr"])
    found = {*words(name)} if name is not None else set()
    if found & {"stderr", "se", "sem", "err", "error"}:
        return []
    for said, names in NAMES.items():
        if found & {*names.split()}:
            what = said.format(data.columns["stderr"])
            return [Note("stderr", f"stderr = {name} is by its name {what} (--stderr '...')")]
    return []


def _counted_twice(data: Dataset, y: np.ndarray) -> list[Note]:
    """Say that a standard error is of the same questions as n."""
    if data.n is None or data.stderr is None:
        return []
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = data.stderr / np.sqrt(y * (1 - y) / data.n)
    known = ratio[np.isfinite(ratio)]
    if not len(known) or abs(np.log(np.median(np.maximum(known, 1e-9)))) > ALIKE:
        return []
    said = (
        "stderr is what n questions alone scatter by, which is taken from n already: it is counted "
        "twice, and intervals are too wide; leave stderr (--stderr) away"
    )
    return [Note("stderr", said)]


def _too_wide(y: np.ndarray, stderr: np.ndarray, scales: np.ndarray) -> str | None:
    """Say that responses lie closer to a plane in the logs of scales than their errors let them.

    The weighted sum of squares about it is chi-squared at least, of so many degrees of freedom as
    rows are more than the plane has coefficients.
    """
    from scipy.special import chdtr

    use = np.isfinite(y) & (stderr > 0) & np.isfinite(stderr)
    free = use.sum() - len(scales) - 1
    if free < 2:
        return None
    y, stderr = y[use], stderr[use]
    with np.errstate(over="ignore", invalid="ignore"):  # of absurd numbers nothing is said
        plane = np.vstack([np.ones(len(y)), scales[:, use]]).T / stderr[:, None]
        if not np.isfinite(plane).all():
            return None
        left = y / stderr - plane @ np.linalg.lstsq(plane, y / stderr, rcond=None)[0]
        away = float(np.sum(left**2))
    if not chdtr(free, away) <= UNLIKELY:
        return None
    return (
        f"stderr ({np.median(stderr):.3g} in the middle) is larger than the response scatters "
        f"(sd {np.std(left * stderr, ddof=len(y) - free):.3g} about a line in log scale)"
    )
