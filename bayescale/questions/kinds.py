"""kinds: which kind of curve plain numbers are.

The kinds are geometric, and speak of *performance*: more is better. On a grid even in log scale,
from the worse end to the better one, let R be the largest rise from an earlier to a later point,
F the largest fall, and c the cut, the least change that counts:

    flat        R < c,  F < c
    steady      R >= c, F < c
    emergent    the same, and it waits at its start for at least `wait` of the log range
    u_shaped    R >= c, F >= c, and after the bottom of the largest fall it rises by c again
    inverted_u  R >= c, F >= c, and it does not
    inverse     R < c,  F >= c

How long it waits is told by the shares t1 and t2 of the range before it is a = min(c, D/2) and 2 a
away from its start, D being the farthest it goes, up where R > F and down else::

    wait = max(2 t1 - t2, 0)

What is level and then straight waits as long as it is level, a step until it comes, a straight line
not at all, however little it rises. What moves by less than the cut meanwhile counts as level. The
labels of open tasks in benchmarks/unlock/labels.py are by the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..messages import Note, a_number, shares_of

__all__ = [
    "CUT",
    "KINDS",
    "WAIT",
    "Fall",
    "checked",
    "checked_cut",
    "classify",
    "coded",
    "fall",
    "remarks",
    "reweighted",
    "shares",
    "turned",
    "waited",
]

KINDS = ("flat", "steady", "emergent", "u_shaped", "inverted_u", "inverse")
"""What `classify` counts, in its order."""
TURNING = ("u_shaped", "inverted_u")
"""Kinds with a turning point: the bottom of the largest fall, and its top."""
CUT = 0.05
"""The least change that counts: in accuracy, or as a share of the median of other responses."""
WAIT = 1 / 3
"""Share of the log range that an emergent curve waits at its start."""
FEW = 20
"""Draws below which nothing is said of a kind: of its turning point, or of its prior."""
ALIKE = 0.1
"""Total variation below which the posterior of the kinds is called hardly different."""
ROUNDING = 1e-9
"""Share of the cut that is forgiven, so that .30 - .25 reaches .05 in floating point."""


class Fall(NamedTuple):
    """The largest fall of each curve from an earlier to a later point, (draw,) each."""

    top: np.ndarray
    """Index of the point that it starts from: the last as high as that before the bottom."""
    bottom: np.ndarray
    """Index of the point that it ends at, the first as low as that."""
    depth: np.ndarray
    """How far it goes, 0 or more."""


def fall(curves: np.ndarray) -> Fall:
    """Return the largest fall of each curve, (draw, point); that of `-curves` is the rise."""
    highest = np.maximum.accumulate(curves, 1)
    bottom = np.argmax(highest - curves, 1)[:, None]
    level = np.take_along_axis(highest, bottom, 1)
    points = np.arange(curves.shape[1])
    top = np.max(np.where((curves == level) & (points <= bottom), points, 0), 1)
    depth = level - np.take_along_axis(curves, bottom, 1)
    return Fall(top, bottom[:, 0], depth[:, 0])


def waited(curves: np.ndarray, cut: float, at: np.ndarray | None = None) -> np.ndarray:
    """Return how long each curve waits at its start, as a share of the log range, (draw,).

    Parameters
    ----------
    curves
        As in `classify`, (draw, point).
    cut
        The least change that counts.
    at
        Share of the log range at each point, rising from 0 to 1, (point,); even unless given.

    Returns
    -------
    ndarray
        2 t1 - t2, or 0, as said above; 1 where no change counts.
    """
    at = np.linspace(0, 1, curves.shape[1]) if at is None else at
    gone = curves - curves[:, :1]
    rise, drop = fall(-curves).depth, fall(curves).depth
    away = np.where((rise > drop)[:, None], gone, -gone)
    near = np.minimum(cut, away.max(1) / 2)
    found = np.maximum(2 * _first(away, near, at) - _first(away, 2 * near, at), 0.0)
    return np.where(_reaches(np.maximum(rise, drop), cut), found, 1.0)


def _first(away: np.ndarray, wanted: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return where each curve, joined by lines, is first so far away, (draw,)."""
    rows = np.arange(len(away))
    i = np.maximum(np.argmax(_reaches(away, wanted[:, None]), 1), 1)
    before, after = away[rows, i - 1], away[rows, i]
    share = (wanted - before) / np.where(after > before, after - before, 1.0)
    return at[i - 1] + np.clip(share, 0, 1) * (at[i] - at[i - 1])


def classify(curves: np.ndarray, cut: float, wait: float = WAIT) -> np.ndarray:
    """Return each curve's kind as its position in `KINDS`, (draw,).

    Parameters
    ----------
    curves
        Performance, more being better, at scales that are even in log, (draw, point); finite.
    cut
        The least change that counts, in the unit of the curves.
    wait
        Share of the range that an emergent curve waits at its start.
    """
    down = fall(curves)
    rises, falls = _reaches(fall(-curves).depth, cut), _reaches(down.depth, cut)
    late = waited(curves, cut) >= wait * (1 - ROUNDING)
    after = np.arange(curves.shape[1]) >= down.bottom[:, None]
    bottom = np.take_along_axis(curves, down.bottom[:, None], 1)
    again = _reaches(np.max(np.where(after, curves - bottom, 0.0), 1), cut)
    return coded(rises, falls, late, again)


def coded(rises: np.ndarray, falls: np.ndarray, late: np.ndarray, again: np.ndarray) -> np.ndarray:
    """Return kinds as positions in `KINDS`, from what is true of each curve, (draw,) each.

    Parameters
    ----------
    rises, falls
        Whether its largest rise counts, and its largest fall.
    late
        Whether it waits for long enough.
    again
        Whether a rise that counts follows the bottom of the largest fall.
    """
    kinds = {
        "flat": ~rises & ~falls,
        "steady": rises & ~falls & ~late,
        "emergent": rises & ~falls & late,
        "u_shaped": rises & falls & again,
        "inverted_u": rises & falls & ~again,
        "inverse": ~rises & falls,
    }
    return np.argmax([kinds[kind] for kind in KINDS], 0)


def turned(codes: np.ndarray, down: Fall, scales: np.ndarray) -> np.ndarray:
    """Return the scale at which each curve turns, nan for kinds that do not, (draw,)."""
    turn = [codes == KINDS.index(kind) for kind in TURNING]
    return np.select(turn, [scales[down.bottom], scales[down.top]], np.nan)


def _reaches(change: np.ndarray, cut: float | np.ndarray) -> np.ndarray:
    return change >= cut * (1 - ROUNDING)


def checked_cut(cut: float, wait: float, most: float) -> tuple[float, float]:
    """Return both as numbers.

    Parameters
    ----------
    most
        What the response is at most: no change is as large.

    Raises
    ------
    ValueError
        If the cut is not above 0 or too large, or `wait` is no share.
    """
    cut, wait = a_number(cut, "the cut (--cut)"), a_number(wait, "wait")
    if not 0 < cut < most:
        raise ValueError(
            "the cut is the least change of the response that counts, in its unit, below "
            f"{most:.3g} and above 0, got {cut:g}: give cut=... (--cut), such as .05, "
            "5 points of accuracy"
        )
    if not 0 < wait <= 1:
        raise ValueError(
            f"wait is a share of the log range, above 0 and at most 1, got {wait:g}; the default "
            "is a third"
        )
    return cut, wait


# ------------------------------------------------------------------ their probabilities


def shares(codes: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Return the weight of each kind among weighted draws; they sum to 1."""
    found = np.bincount(codes, weights, len(KINDS))
    return dict(zip(KINDS, (found / found.sum()).tolist(), strict=True))


def checked(prior: Mapping[str, float]) -> dict[str, float]:
    """Return the probability of every kind, those left out having none.

    Raises
    ------
    ValueError
        For unknown kinds, or probabilities that are negative or do not sum to 1.
    """
    prior = shares_of(prior, "probabilities of kinds")
    unknown = [kind for kind in prior if kind not in KINDS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no kind of curve; they are {', '.join(KINDS)}")
    given = {kind: float(prior.get(kind, 0.0)) for kind in KINDS}
    total = sum(given.values())
    if not (min(given.values()) >= 0 and abs(total - 1) <= 1e-6):
        raise ValueError(f"the prior's probabilities are 0 or more and sum to 1, got {dict(prior)}")
    return {kind: value / total for kind, value in given.items()}


def reweighted(
    codes: np.ndarray,
    weights: np.ndarray,
    prior: Mapping[str, float],
    implied: Mapping[str, float],
) -> np.ndarray:
    """Return the weights of draws under another prior of the kinds than the `implied` one.

    Raises
    ------
    ValueError
        If no draw is of a kind that `prior` allows.
    """
    ratio = [prior[kind] / implied[kind] if implied[kind] else 0.0 for kind in KINDS]
    found = weights * np.array(ratio)[codes]
    if not found.sum() > 0:
        named = ", ".join(kind for kind in KINDS if prior[kind])
        raise ValueError(
            f"no draw is of a kind that the prior allows ({named}): give other kinds some "
            "probability, or take a law that can be so"
        )
    return found / found.sum()


def remarks(
    at_cuts: tuple[Mapping[str, float], ...],
    own: Mapping[str, float],
    implied: Mapping[str, float],
    prior: Mapping[str, float] | None,
    draws: int,
) -> list[Note]:
    """Return what is to be said of probabilities of the kinds.

    Parameters
    ----------
    at_cuts
        The answer at the cut, at half of it and at twice of it.
    own
        The answer without `prior`.
    implied
        What the laws' priors say, from so many `draws`.
    prior
        The user's prior of the kinds.
    """
    notes, (kind, *others) = [], (max(found, key=found.get) for found in at_cuts)
    for other, times in zip(others, ("half", "twice"), strict=True):
        if other != kind:
            notes.append(
                Note("cut", f"at {times} the cut the likeliest kind is {other}, not {kind}")
            )
    if sum(abs(own[each] - implied[each]) for each in KINDS) / 2 < ALIKE:
        same = "the data say little of the kind: the laws' priors alone say nearly the same"
        notes.append(Note("prior", same))
    for each in KINDS if prior is not None else ():
        if prior[each] and own[each] and implied[each] * draws < FEW:
            few = f"fewer than {FEW} of {draws} prior draws are {each}"
            notes.append(Note("rough", f"{few}: what the prior makes of it is rough"))
    return notes
