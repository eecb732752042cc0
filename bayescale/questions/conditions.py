"""conditions: one task under several prompt formats, told from one model.

Fit once, with the condition as the data's group and with `pool` naming what may differ (x50, g, u,
d, gap): every draw then holds a curve of every condition, compared draw by draw; rows of all tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.cells import dated, days
from ..data.given import same_label
from ..messages import Note, a_seed, near
from ..model.replicates import prior_curves
from ..posterior.display import Sheet, Shown
from ..posterior.groups import GroupShift, for_group, group_shift
from ..posterior.intervals import INTERVAL, levels, plain, quantiles
from ..posterior.mixture import Mixture, a_fit, said_of_fits
from ..posterior.posterior import Posterior
from . import shown
from .curves import side
from .kind import POINTS, Kind, kind
from .kinds import FEW, KINDS, classify
from .sweep import Sweep, level_of, sweep
from .threshold import Threshold, threshold

if TYPE_CHECKING:
    import pandas

__all__ = ["Change", "Conditions", "conditions"]

DRAWS = 2000
"""Draws of each law's prior."""
APART, PAIR = 1 - np.eye(len(KINDS)), ("from", "to", "probability")
COVERED = 0.9
"""Share of the log range that a condition holds without a remark."""
REPEATED = (
    "several conditions hold the same scales, likely the same models, but rows count as "
    "independent: where models keep their lead from condition to condition, shifts are known "
    "better than their intervals say, and what all conditions share is known less well; "
    "conditions that read the same generations (another extractor, another vote) most of all"
)


@dataclass(frozen=True, eq=False, repr=False)
class Change(Shown):
    """What becomes of a task as the reference condition gives way to another."""

    condition: str
    reference: str
    joint: np.ndarray
    """Probability of each pair of `KINDS`: the reference's (row), the condition's (column)."""
    shifts: Mapping[str, Mapping[str, GroupShift]]
    """By law and by pooled parameter: how far the condition's lies from the reference's."""
    later: np.ndarray
    """How much later each draw passes the level, in decades, (draw,): inf or -inf where it does
    so under one of them alone, nan under neither or where both are past it from the start."""
    weights: np.ndarray
    """Weight of each draw, (draw,); they sum to 1."""
    dates: bool = False
    """Whether the scale is of dates: a delay is then told in years."""

    @property
    def p_differs(self) -> float:
        """The probability that the kind differs."""
        return float(np.sum(self.joint * APART))

    @property
    def likeliest(self) -> tuple[str, str, float] | None:
        """The most probable change: from which kind to which, and how probable; None without."""
        apart = self.joint * APART
        row, column = np.unravel_index(apart.argmax(), apart.shape)
        found = float(apart[row, column])
        return (KINDS[row], KINDS[column], found) if found else None

    def delay(self, mass: float = INTERVAL) -> dict[str, Any] | None:
        """Return lo, median, hi (None: infinite), their unit, P(later) and the share that tells.

        In decades, along dates in years; None with fewer than 20 such draws.
        """
        known = ~np.isnan(self.later)
        if known.sum() < FEW:
            return None
        late, weights = self.later[known] * (np.log(10) if self.dates else 1), self.weights[known]
        ends = quantiles(late, weights, levels(mass))
        found = dict(zip(("lo", "median", "hi"), ends, strict=True)) | {"share": weights.sum()}
        found |= {"p_later": weights[late > 0].sum() / weights.sum()}
        return plain(found | {"unit": "years" if self.dates else "decades"})

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        pairs = {f"{KINDS[i]} -> {KINDS[j]}": (i, j) for i, j in np.argwhere(self.joint)}
        said = {law: {k: v.summary() for k, v in of.items()} for law, of in self.shifts.items()}
        found = {
            "condition": self.condition,
            "reference": self.reference,
            "p_differs": self.p_differs,
            "likeliest": self.likeliest and dict(zip(PAIR, self.likeliest, strict=True)),
            "joint": {name: self.joint[pair] for name, pair in pairs.items()},
            "shifts": said,
            "delay": self.delay(),
        }
        return plain(found)

    def sheets(self) -> list[Sheet]:
        """Return how far the condition lies from the reference: parameters, threshold, kind."""
        return shown.change(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return the joint probabilities: the reference's kind by the condition's."""
        import pandas as pd

        return pd.DataFrame(self.joint, index=list(KINDS), columns=list(KINDS))


@dataclass(frozen=True, eq=False, repr=False)
class Conditions(Shown):
    """One task under several conditions."""

    reference: str
    kinds: Mapping[str, Kind]
    """By condition, over the same range of scale; `implied` is of the average condition."""
    thresholds: Mapping[str, Threshold]
    """By condition; none for losses without a level."""
    changes: Mapping[str, Change]
    """By condition, the reference aside."""
    before: np.ndarray
    """What `joint` of any two conditions is before the data: the laws' own priors."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""

    @property
    def p_differs_before(self) -> float:
        """The probability, before the data, that two conditions differ in kind."""
        return float(np.sum(self.before * APART))

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        found = {"reference": self.reference, "p_differs_before": self.p_differs_before}
        for name in ("kinds", "thresholds", "changes"):
            found[name] = {k: each.summary() for k, each in getattr(self, name).items()}
        return plain(found | {"notes": self.notes})

    def sheets(self) -> list[Sheet]:
        """Return one row a condition: kind, threshold, and what differs from the reference."""
        return shown.conditions(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return one row a condition: kind, threshold, and what differs from the reference."""
        import pandas as pd

        rows = {}
        for name, each in self.kinds.items():
            rows[name] = {"kind": each.likeliest, "probability": each.probability}
            if name in self.thresholds:
                told = self.thresholds[name].forecast
                row = {"threshold": told.median, "lo": told.lo, "hi": told.hi}
                rows[name] |= row | {"p_never": told.p_never}
            if name in self.changes:
                change = self.changes[name]
                row = dict(zip(("from", "to", "p_change"), change.likeliest or (), strict=False))
                rows[name] |= {"p_differs": change.p_differs} | row
        return pd.DataFrame.from_dict(rows, orient="index")


def conditions(
    which: Posterior | Mixture,
    *,
    level: float | str | None = None,
    cut: float | None = None,
    lo: Any = None,
    hi: Any = None,
    reference: str | None = None,
    by: str | None = None,
    at: Mapping[str, Any] | None = None,
    direction: str | None = None,
    seed: int = 0,
    allow_failed: bool = False,
) -> Conditions:
    """Return kinds and thresholds under each condition, and what differs between conditions.

    Parameters
    ----------
    which
        One fit whose groups are the conditions, with a pool; or several laws so fitted, mixed.
    level
        Of the thresholds, as in `threshold`; a loss without one has no thresholds.
    cut, lo, hi
        Of the kinds, as in `kind`; the range is the same for all conditions.
    reference
        The condition that others are compared with: by default that of the data's first row.
    by, at
        As in `threshold`: the input along which to look, and what the law's other inputs are.
    direction
        As in `threshold`, of all conditions alike: by default as the average one suggests.
    seed
        Decides what is drawn from the laws' priors.

    Returns
    -------
    Conditions
        Kind and threshold under each, and how they differ draw by draw.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`; of a mixture see `threshold`.
    ValueError
        If there are several curves, nothing is pooled, or there is no such condition.

    Examples
    --------
    >>> answer = bs.conditions(pooled_fit, level=0.6, reference="cloze")
    >>> list(answer.kinds), list(answer.changes)
    (['cloze', 'letters'], ['letters'])
    >>> late = {name: each.forecast.median for name, each in answer.thresholds.items()}
    >>> bool(late["letters"] > late["cloze"])
    True
    """
    which = a_fit(which).trusted(allow_failed)
    reference = _checked(which, reference)
    names = (reference, *(name for name in which.data.group_names if name != reference))
    parts = {name: _under(which, name) for name in names}
    how = dict(by=by, at=at, allow_failed=True)
    kinds = {k: kind(one, cut=cut, lo=lo, hi=hi, seed=seed, **how) for k, one in parts.items()}
    level = "half" if level is None and which.law.support == "unit" else level
    why, thresholds = (), {}
    if level is not None:
        how["direction"], why = side(which, sweep(which, by, at), level_of(which, level), direction)
        thresholds = {k: threshold(one, level, **how) for k, one in parts.items()}
    return Conditions(
        reference=reference,
        kinds=kinds,
        thresholds=thresholds,
        changes={k: _change(which, k, reference, kinds, thresholds) for k in names[1:]},
        before=_before(which, kinds[reference], sweep(which, by, at), seed),
        notes=(*why, *_remarks(which, sweep(which, by, at), names)),
    )


def _checked(which: Posterior | Mixture, reference: str | None) -> str:
    """Return the reference, or raise where conditions cannot be compared."""
    for name, _, one in which.only().members:
        if not one.model.pool:
            raise ValueError(
                f"in {name} nothing differs between conditions: fit with the condition as the "
                "data's group, and name in pool=(...) what may differ"
            )
    names = which.data.group_names
    reference = same_label(which.data.group[0] if reference is None else reference, names)
    if reference not in names:
        raise ValueError(f"no condition {reference!r}{near(reference, names)}")
    return reference


def _under(which: Posterior | Mixture, name: str) -> Posterior | Mixture:
    """Return the same draws under one condition."""
    if isinstance(which, Posterior):
        return for_group(which, name)
    return replace(which, parts={k: for_group(one, name) for k, one in which.parts.items()})


def _change(which, name: str, reference: str, kinds, thresholds) -> Change:
    one, other = kinds[reference], kinds[name]
    weights = np.where(other.codes >= 0, one.weights, 0.0)
    later = np.full(len(weights), np.nan)
    if thresholds:
        with np.errstate(invalid="ignore"):  # inf - inf
            later = thresholds[name].unlock - thresholds[reference].unlock
    parts = which.members
    shifts = {
        k: {p: group_shift(m, name, reference, of=p) for p in m.model.pool} for k, _, m in parts
    }
    joint = _joint(one.codes, other.codes, weights)
    told = joint, shifts, later, weights / weights.sum(), dated(one.column) is not None
    return Change(name, reference, *told)


def _joint(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weight of each pair of kinds, (kind, kind), summing to 1."""
    found = np.zeros(APART.shape)
    np.add.at(found, (one, other), weights)
    return found / found.sum()


def _before(which, seen: Kind, ways: Mapping[str, Sweep], seed: int) -> np.ndarray:
    """Return the joint probability of the kinds of two conditions before the data."""
    grid = next(iter(ways.values())).grid(seen.lo, seen.hi, POINTS)
    prior = getattr(which, "prior", None) or dict.fromkeys(ways, 1.0)
    total = np.zeros(APART.shape)
    for i, (name, _, one) in enumerate(which.members):
        rng, at = np.random.default_rng([a_seed(seed), 15, i]), ways[name].at(grid)
        found = prior_curves(one.model, one.data, at, DRAWS, rng, groups=(0, 1))
        found = which.law.sign * found[np.isfinite(found).all((1, 2))]
        first, second = (classify(found[:, k], seen.cut, seen.wait) for k in (0, 1))
        total = total + prior[name] * _joint(first, second, np.ones(len(found)))
    return total / total.sum()


def _remarks(which, ways: Mapping[str, Sweep], names: tuple[str, ...]) -> list[Note]:
    """Return what must be said of the fits, and of the scales that conditions share, or lack."""
    notes = [Note("group", "each answer speaks of the condition it names")]
    notes += [note for note in said_of_fits(which) if note.kind != "group"]
    group = which.data.group.astype(str)
    rows = np.stack([*which.data.inputs.values()], 1)
    scales = [set(map(tuple, rows[group == name])) for name in names]
    if sum(map(len, scales)) > 1.5 * len(set.union(*scales)):
        notes.append(Note("repeated", REPEATED))
    way = next(iter(ways.values()))
    for name in names:
        ends = [of(way.seen[group == name]) for of in (np.min, np.max)]
        if np.log(ends[1] / ends[0]) < COVERED * np.log(way.seen.max() / way.seen.min()):
            ends = [days({"": way.column}, {"": x}).get("", f"{x:.3g}") for x in ends]
            span = f"{name} was measured from {' to '.join(ends)} alone: beyond it the law and "
            notes.append(Note("covered", f"{span}the other conditions speak"))
    return notes
