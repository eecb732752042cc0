"""look: a fitted curve beside its data.

What refuses an answer is a contradiction within the data: residuals that lie together along a
scale as noise hardly ever does, and that are large beside what the law itself says of the data.
Real curves lie about every law in patterns of a per cent; that is said and refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..data.dataset import Dataset
from ..data.responses import uncounted
from ..messages import Note
from ..model.arrays import lanes
from ..model.model import Model
from ..model.replicates import AtRows
from ..parametric.parametric import Law
from .largest import Largest, largest
from .misfit import Misfit
from .patterns import Pattern, Residue, pattern, residue
from .told import at_largest, contradiction, far_rows, many_out, names_of, patterns

__all__ = ["look"]

DRAWS = 200
"""Draws of the posterior, spread evenly, that are held against the data."""
UNLIKELY = 0.01
"""Chance of a pattern up to which it may contradict the law; so often a right law is refused."""
LARGE = 0.2
"""Size of a pattern, as a multiple of what the law varies by, from which on it does."""
TURNS = 0.2
"""Share of its way that a curve goes back when it is said to turn."""
TURNING = 0.1
"""The same where the data go back against the law."""
MATERIAL = 0.01
"""Size of a pattern, relative to a response, that contradicts a law at the least."""
SLIGHT = 3e-4
"""Patterns and rows that are off by less, relative to a response, are not told."""
LEAST = 20
"""Draws with a curve, of these, below which nothing is said."""
HUGE = 1e150
FAR = 5.0
"""Widths of the noise beyond which a row is named."""
JUMP = 3.0
"""Usual steps between neighbouring scales by which the largest is worse than most to be told."""
SAME = 0.01
"""Values of a scale that follow each other by a smaller share are one."""


def look(model: Model, params: Mapping[str, np.ndarray], data: Dataset) -> Misfit:
    """Return what the data of one curve say against its law.

    Parameters
    ----------
    params
        Draws of all parameters in natural units, (draw, ...).
    data
        The curve's rows.
    """
    count = len(next(iter(params.values())))
    which = np.linspace(0, count - 1, DRAWS).astype(int)
    taken = {name: values[which] for name, values in params.items()}
    if not all(np.isfinite(values).all() for values in taken.values()):
        return Misfit()
    (lane,) = lanes(model, data)
    arrays, found = lane.data, _scales(model, data)
    natural = {name: x * arrays["ref"][name] for name, x in arrays["inputs"].items()}
    at = AtRows.of(model, taken, arrays | {"inputs": natural})
    for name in model.law.responses:
        own = arrays if name == model.law.response else arrays["beside"][name]
        counted = model.noise.counts and name == model.law.response
        questions = arrays["n"] if counted else np.ones(len(own["mask"]))
        # Of what lies below a detection limit no residual is known.
        seen = own["mask"] & ~own.get("below", np.zeros_like(own["mask"]))
        rows = lane.place[seen[lane.place]]
        law = np.asarray(at.curves[name], float)[:, rows]
        new = at.new_runs(name, np.random.default_rng([0, 16]))[:, rows]
        known = np.isfinite(law).all(1) & ~np.isnan(new).any(1)
        if known.sum() >= LEAST:
            measured = own["observed"][rows] / questions[rows]
            # A new run may be infinite, under a wide prior: far out is all that is asked of it.
            draws = law[known], np.clip(new[known], -HUGE, HUGE)
            here = data.take(seen[lane.place])
            share = not counted and model.law.responses[name] == "unit"
            exact = uncounted(measured, known=True) if share else np.zeros(1)
            least = float(np.median(1 / questions[rows] if counted else exact))
            found = _and(found, _of_response(model, name, here, measured, *draws, least))
    return found


def _and(one: Misfit, other: Misfit) -> Misfit:
    """Return both; numbers are of the worse one."""
    worse = max(one, other, key=lambda each: (not each.sound, -each.chance, each.relative))
    return replace(
        one,
        problems=one.problems + other.problems,
        advice=tuple(dict.fromkeys(one.advice + other.advice)),
        notes=one.notes + other.notes,
        chance=worse.chance,
        relative=worse.relative,
        outside=max(one.outside, other.outside),
        far=tuple(dict.fromkeys(one.far + other.far)),
    )


# ------------------------------------------------------------------ the scales


def _distinct(values: np.ndarray) -> int:
    """Return how many values there are, of which those nearly alike are one."""
    return 1 + int(np.sum(np.diff(np.log(np.unique(values))) > SAME))


def _scales(model: Model, data: Dataset) -> Misfit:
    """Return what the number of scales leaves open."""
    law, inputs = model.law, data.inputs
    distinct = {name: _distinct(values) for name, values in inputs.items()}
    span = {name: float(values.max() / values.min()) for name, values in inputs.items()}
    found = Misfit(distinct=distinct, span=span)
    places = len(np.unique(np.round(np.log([*inputs.values()]).T / SAME), axis=0))
    free = sum(
        site.size for site in model.sites if site.name in {"level", "share", *law.parameters}
    )
    names = names_of(data)
    if free > 1 and max(distinct.values()) == 1:
        widest = max(span.values())
        problem = f"all rows are at one scale: {names} differs by a factor of {widest:.6g} in all"
        return replace(found, problems=(problem,), advice=("Add runs at other scales.",))
    if places < free:
        text = (
            f"{places} different values of {names} for {free} parameters of {law.name}: what is "
            "between and beyond them is told by the prior; add scales, or fix parameters"
        )
        return replace(found, notes=(Note("scales", text),))
    return found


# ------------------------------------------------------------------ the residuals


def _of_response(
    model: Model,
    name: str,
    data: Dataset,
    seen: np.ndarray,
    law: np.ndarray,
    runs: np.ndarray,
    least: float,
) -> Misfit:
    """Return what one response says against the law, (row,) and (draw, row).

    `least`: what cannot be measured, such as less than one question: no pattern is that small.
    """
    if len(data) < 3:
        return Misfit()
    positive = model.law.responses[name] == "positive" and bool(seen.min() > 0)
    left = residue(seen, law, runs, positive)
    scales = np.log(np.array([*data.inputs.values()]).T)
    # Rows of one run lie together however right the law is.
    along = pattern(left, scales) if model.runs is None else Pattern()
    lo, hi = np.quantile(runs, [0.05, 0.95], axis=0)
    out = (seen < lo) | (seen > hi)
    unit = 1.0 if positive else float(np.abs(seen).max() or 1.0)
    far = (abs(left.residual) > FAR * left.noise) & (abs(left.residual) > SLIGHT * unit)
    found = Misfit(
        chance=along.chance,
        relative=along.relative,
        outside=float(out.mean()),
        far=tuple(data.rows[far].tolist()),
    )
    turns = along.turn > TURNS and len(data.inputs) == 1
    large = TURNING if turns else LARGE
    material = along.size > max(MATERIAL * unit, least) and along.relative > large
    if material and along.chance <= UNLIKELY:
        problem, advice = contradiction(along, model.law, data, name, positive, turns)
        return replace(found, problems=(problem,), advice=advice)
    end = _end(model.law, data, seen, left) if positive else None
    if end and model.runs is None and end.size > MATERIAL and end.chance <= UNLIKELY:
        problem, advice = at_largest(end, data, name, against=True)
        return replace(found, problems=(problem,), advice=advice, chance=end.chance)
    notes = [*far_rows(data, model.law.name_in(data.responses, name), far, left), *many_out(out)]
    if along.size > max(SLIGHT * unit, least):
        notes += patterns(along, data, positive)
    if end and end.steps > JUMP:
        notes.append(Note("worse", at_largest(end, data, name, against=False)[0]))
    return replace(found, notes=tuple(notes))


def _end(law: Law, data: Dataset, seen: np.ndarray, left: Residue) -> Largest | None:
    """Return how the largest scale lies beside the smaller ones, of a law that improves.

    None of several scales, and of a law that does not get better all the way.
    """
    if len(data.inputs) > 1:
        return None
    ((scale, x),) = data.inputs.items()
    along = -np.log(x) if scale in law.less_is_better else np.log(x)
    worse = -law.sign
    onward = np.diff(worse * left.fitted[np.argsort(along, kind="stable")])
    return largest(along, worse * np.log(seen)) if np.all(onward <= 0) else None
