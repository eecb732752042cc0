"""default_laws: by which laws a table is forecast where none is named, and at which scales."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.accuracies import kind_of, rise_of
from ..data.dataset import Dataset
from ..data.formula import in_scales
from ..data.scales import each_curve
from ..laws.names import get_law
from ..messages import Note, bare, near, some_numbers
from ..parametric.parametric import Law

if TYPE_CHECKING:
    from ..posterior.posterior import Posterior

__all__ = ["ACCURACIES", "check_scales", "held", "laws_of", "named", "parts_of", "short_of"]
__all__ += ["usual_law"]

ACCURACIES = ("sigmoid", "exact_match", "multi_step", "elbow")
ACCURACIES += ("flat", "distractor", "inverse", "inverted_u")
LOSSES = ("power", "power(floor=False)")
GROWING = ("power(rising=True)", "power(floor=False, rising=True)")
"""Of what grows with scale and is no accuracy."""
SURFACES = ("chinchilla",)
REPEATED = ("data_constrained",)
SHORT, SHAPES = 6, 2
"""Rows up to which one hypothesis is told by so many laws, the first: no such table tells one shape
of a rise from another, and each is a fit more that has to pass its checks. On 12 real tasks cut to
5 models all four shapes of a rise foretold what came hardly better (CRPS .045, and .046 of two)."""
CLEARLY = 0.8
"""Rank correlation from which on a response that is no accuracy is said to grow."""


def laws_of(data: Dataset, kind: str | None = None) -> tuple[str, ...]:
    """Return the laws that a table is forecast by.

    Parameters
    ----------
    kind
        `loss` or `accuracy`; by default what the table says: an accuracy has a number of
        questions or a chance level, or lies between 0 and 1 and rises.

    Raises
    ------
    DataError
        Where there is no law of such scales.
    """
    kind = kind or kind_of(data)
    if kind not in ("loss", "accuracy"):
        raise ValueError(f"kind is loss or accuracy, got {kind!r}")
    scales = tuple(data.inputs)
    if len(scales) == 1 and kind == "accuracy":
        return ACCURACIES
    if len(scales) == 1:
        return GROWING if rise_of(data) > CLEARLY else LOSSES
    known = {("D", "N"): SURFACES, ("D", "N", "U"): REPEATED}
    if kind == "loss" and tuple(sorted(scales)) in known:
        return known[tuple(sorted(scales))]
    data.fail(
        f"has the scales {', '.join(scales)}, of which no law of {kind} is forecast by default",
        remedy="give one scale, or N and D (and U) for losses, or name laws=... (--law)",
    )


def usual_law(x: Sequence[str], source: str) -> Law:
    """Return a law of as many scales, as they are written, by which none need be named.

    Raises
    ------
    ValueError
        Where they are called otherwise than its own.
    """
    law = get_law({2: SURFACES, 3: REPEATED}.get(len(x), LOSSES)[0])
    named = {match[1] for text in x if (match := re.match(r"\s*(\w+)\s*=(?!=)", text))}
    if len(x) > 1 and (len(x) > len(law.inputs) or not named <= {*law.inputs}):
        raise ValueError(
            f"{source}: no law of {', '.join(x)} is taken by default: give one scale, or N and D "
            "(and U), or name --laws; a law of your own is asked in Python (docs/own_law.md)"
        )
    return law


def held(names: Iterable[str], data: Dataset) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Return the laws that every curve has rows enough for, and notes of the others.

    All of them where it has for none, which the fit refuses; of those of one hypothesis as many as
    so few rows could tell apart.
    """
    rows, names = min(len(own) for _, own in each_curve(data)), tuple(names)
    wanted = {name: get_law(name).size for name in names}
    found = tuple(name for name, count in wanted.items() if count <= rows)
    left = [f"{name} ({count})" for name, count in wanted.items() if count > rows]
    if not found:
        return names, ()
    notes, count = [], f"{rows} row{'s' * (rows > 1)}"
    if left:
        said = f"{count} are fewer than the parameters of {', '.join(left)}: left out"
        notes.append(Note("laws", said))
    if rows <= SHORT:
        told = [get_law(name).told for name in found]
        alike = [name for i, name in enumerate(found) if told[:i].count(told[i]) >= SHAPES]
        found = tuple(name for name in found if name not in alike)
        if alike:
            said = (
                f"{count} do not tell shapes of a rise apart: {', '.join(found[:SHAPES])} stand for"
            )
            notes.append(Note("laws", f"{said} {', '.join(alike)} too"))
    return found, tuple(notes)


def parts_of(laws: Iterable[Law], data: Dataset) -> dict[str, Dataset | None]:
    """Return of each law the tasks that have rows for its parameters; None where none has.

    A task that has rows for no law is of every law's part, whose fit refuses it.
    """
    laws, rows = [*laws], np.zeros(len(data), int)
    for _, own in each_curve(data):
        rows[own] = len(own)
    hopeless = rows < min(law.size for law in laws)
    found: dict[str, Dataset | None] = {}
    for law in laws:
        own = (rows >= law.size) | hopeless
        part = data if own.all() else replace(data.take(own), all_groups=data.group_names)
        found[law.name] = part if own.any() else None
    return found


def short_of(made: Mapping[str, Law], fits: Mapping[str, Posterior]) -> dict[str, str]:
    """Return the laws that a task has too few rows for, and what is said of them."""
    rows = max(len(one.data) for one in fits.values())
    return {
        name: f"{rows} row{'s' * (rows > 1)} for its {law.size} parameters"
        for name, law in made.items()
        if name not in fits
    }


def named(at: Any) -> Mapping[str, Any]:
    """Return scales to ask about, where they are named; a ValueError for bare numbers."""
    if not hasattr(at, "items"):
        raise ValueError(f"at names the scale, such as {{'flops': [1e23]}}, got {at!r}")
    return at


def check_scales(data: Dataset, at: Mapping[str, Any]) -> None:
    """Refuse scales that the table does not have, or leaves without a value."""
    at = in_scales(at, data.columns, data.inputs)
    columns = {data.columns.get(name, name): name for name in data.inputs}
    known = {bare(text): name for text, name in columns.items()}
    known |= {name: name for name in data.inputs}
    for name in at:
        if bare(name) not in known:
            raise ValueError(
                f"at (--at): {name!r} is no scale of {data.source}{near(name, columns)}"
            )
        values = some_numbers(at[name], f"at (--at): {name}")
        if not values.size:
            raise ValueError(f"at (--at): {name} has no value; give one or more")
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError(f"at (--at): {name} is positive and finite, got {values.min():g}")
    if missing := set(data.inputs) - {known[bare(name)] for name in at}:
        raise ValueError(f"at (--at): no value for {', '.join(sorted(missing))}")
