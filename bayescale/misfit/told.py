"""told: what a look at the residuals found, in words: a line each, with the remedy."""

from __future__ import annotations

import numpy as np

from ..data.dataset import Dataset
from ..messages import Note, option
from ..parametric.parametric import Law
from .largest import Largest
from .patterns import Pattern, Residue

__all__ = ["at_largest", "contradiction", "far_rows", "many_out", "names_of", "patterns"]

TOLD = 0.02
"""Chance below which a pattern is told."""
STILL = 100.0
"""Size of a pattern, beside what the law varies by, from which on the law is still."""
LOOK = "Look at the residuals: plot.residuals(fit) (--plot FILE draws the fit)."
OTHER_WAY = {
    "positive": "broken(1) or power(rising=True)",
    "unit": "distractor, inverse or inverted_u",
}
"""Laws that turn or go the other way, by the support of the response."""


def _amount(value: float, positive: bool) -> str:
    """Return a residual in words: as a share of the response, as a factor, or as it is."""
    if not positive:
        return f"{abs(value):.2g}"
    share = np.expm1(abs(value))
    return f"{100 * share:.2g} %" if share < 1 else f"a factor of {1 + share:.3g}"


def names_of(data: Dataset) -> str:
    """Return what the table calls the scales."""
    return " and ".join(data.columns.get(name, name) for name in data.inputs)


def contradiction(
    along: Pattern, law: Law, data: Dataset, name: str, positive: bool, turns: bool
) -> tuple[str, tuple[str, ...]]:
    """Return in what the data contradict the law, and what to do.

    `turns`: whether they go back against it.
    """
    of, odds = names_of(data), f"chance of it {along.chance:.2g}"
    size = _amount(along.size, positive)
    if turns:
        problem = (
            f"the data go against the law: along {of} {name} turns or runs the other way, and lies "
            f"about the law in a pattern of {size} ({odds})"
        )
        other = OTHER_WAY.get(law.responses[name], OTHER_WAY["positive"])
        first = (
            f"Take a law that can go that way, such as {other}; or leave out runs that diverged: "
            f"{option('where', f'{of} < ...')}."
        )
    else:
        problem = (
            f"the data have another shape than the law: along {of} they lie about it in a pattern "
            f"of {size}, {_beside(along.relative)} ({odds})"
        )
        first = "Take a law of another shape: compare_laws says which foretells the runs best."
    return problem, (first, LOOK)


def _beside(relative: float) -> str:
    if relative > STILL:
        return "where the law has nothing change"
    return f"{relative:.2g} times what the law itself varies by"


def far_rows(data: Dataset, name: str, far: np.ndarray, left: Residue) -> list[Note]:
    """Name the rows that lie far from the law."""
    if not far.any():
        return []
    y, sigma = data.responses[name], left.residual / left.noise
    worst = np.flatnonzero(far)[np.argsort(-abs(sigma[far]))]
    rows = [f"{data.rows[i]} ({y[i]:.4g}, {sigma[i]:+.0f} sigma)" for i in worst[:5]]
    more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
    text = f"far from the law: row {', '.join(rows)}{more}: is each what the others are?"
    return [Note("far", text)]


def many_out(out: np.ndarray) -> list[Note]:
    """Say that more rows than a tenth lie outside their interval, where no chance explains it."""
    from scipy.stats import binom

    if binom.sf(out.sum() - 1, len(out), 0.1) > 1e-3:
        return []
    text = f"{out.mean():.0%} of the rows lie outside the 90 % interval of a run there"
    return [Note("outside", f"{text}: runs scatter otherwise than the noise says")]


def patterns(along: Pattern, data: Dataset, positive: bool) -> list[Note]:
    """Say that residuals lie together, and where the largest scales lie."""
    notes, of = [], names_of(data)
    if along.chance <= TOLD:
        text = (
            f"along {of} residuals lie together, in a pattern of {_amount(along.size, positive)} "
            f"(chance of it {along.chance:.2g}): the law is off by so much within the data, and "
            "intervals beyond them are too narrow"
        )
        notes.append(Note("pattern", text))
    if along.end_chance <= TOLD / 4 and len(data) >= 8:
        side = "below" if along.end < 0 else "above"
        name = data.columns.get(first := next(iter(data.inputs)), first)
        text = (
            f"the last quarter of {name} lies {_amount(along.end, positive)} {side} the law: what "
            f"comes may lie {side} its forecasts"
        )
        notes.append(Note("end", text))
    return notes


def at_largest(
    end: Largest, data: Dataset, name: str, against: bool
) -> tuple[str, tuple[str, ...]]:
    """Return that the largest scale is worse than the smaller ones, and what to do.

    `against`: than all of them, by more than chance allows.
    """
    (scale,) = data.inputs
    column = data.columns.get(scale, scale)
    rows = ", ".join(map(str, data.rows[end.rows][:3]))
    where = f"at the largest {column} (row {rows}) {name} is worse than at"
    if not against:
        text = (
            f"{where} most smaller ones, where the law gets better all the way: leave runs that "
            "diverged out by where (--where); if none did, its forecasts do not hold"
        )
        return text, ()
    problem = (
        f"the data go against the law: {where} every smaller one, {_amount(end.size, True)} off "
        f"their median, where the law gets better all the way (chance of it {end.chance:.2g})"
    )
    first = (
        f"Leave out runs that diverged: {option('where', f'{column} < ...')}; if none did, take a "
        f"law that can turn, such as {OTHER_WAY['positive']}."
    )
    return problem, (first, LOOK)
