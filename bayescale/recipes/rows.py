"""rows: a table of recipes run at several scales, checked and as `laws.recipes` takes it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..laws.recipes import COMMON, recipes
from ..messages import near
from ..parametric.parametric import Law

__all__ = ["as_rows", "choices", "recipe_names", "scales_asked"]

RISES = 0.8
"""Rank correlation with scale from which on a response is said to rise."""


def recipe_names(data: Dataset, baseline: Any) -> list[str]:
    """Return the recipes, the baseline first; refuse tables that hold no answer."""
    if data.group is None:
        data.fail("names no recipes", remedy="give the column that does: group=... (--group)")
    if data.curve is not None:
        data.fail("has curves", remedy="ask of one at a time, with where (--where)")
    if len(data.inputs) > 1 or len(data.responses) > 1:
        several = ", ".join([*data.inputs] if len(data.inputs) > 1 else [*data.responses])
        remedy = "give one scale and one loss, such as x='C=6*N*D' (-x 'C=6*N*D'), y='loss'"
        data.fail(f"has several of a kind: {several}; a multiplier is of one scale", remedy=remedy)
    for role in ("n", "chance", "limit", "run"):
        if getattr(data, role) is not None:
            remedy = f"leave {role} out; of accuracies give errors as y, such as '1 - acc'"
            data.fail(f"has {role}: a multiplier is of losses, one row a run", remedy=remedy)
    labels = data.group.astype(str)
    names = [*dict.fromkeys(map(str, data.group))]
    if len(names) == 1:
        remedy = "a multiplier compares two or more: name another column as group (--group)"
        data.fail(f"has one recipe only, {names[0]!r}", remedy=remedy)
    first = max(names, key=lambda name: np.sum(labels == name)) if baseline is None else baseline
    first = str(first)
    if first not in names:
        raise ValueError(f"baseline (--baseline): no recipe {first!r}{near(first, names)}")
    (x,), (y,) = data.inputs.values(), data.responses.values()
    _check_falls(data, x[labels == first], y[labels == first], first)
    for name in names:
        apart = [_apart(of[labels == first], of[labels == name]) for of in (x, y)]
        if all(apart):
            remedy = "give runs of both at like scales, or another baseline (--baseline)"
            data.fail(
                f"has {first!r} and {name!r} neither at like scales nor at like losses",
                remedy=remedy,
            )
    return [first, *(name for name in names if name != first)]


def _apart(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(one.max() < other.min() or other.max() < one.min())


def _check_falls(data: Dataset, x: np.ndarray, y: np.ndarray, name: str) -> None:
    """Refuse a baseline at one scale, or one whose response rises."""
    from scipy.stats import spearmanr

    if np.ptp(x) == 0:
        data.fail(
            f"has the baseline {name!r} at one scale",
            remedy="take a recipe of several scales: baseline=... (--baseline)",
        )
    if np.ptp(y) and spearmanr(x, y).statistic > RISES:
        data.fail(
            f"has a response that rises with scale under {name!r}: a multiplier is of losses",
            remedy="of accuracies give errors as y, such as '1 - acc'",
        )


def scales_asked(data: Dataset, at: Any) -> tuple[np.ndarray, bool]:
    """Return the scales asked about, ascending, and whether they were given."""
    ((name, x),) = data.inputs.items()
    column = data.columns[name]
    if at is None:
        lo, hi = x.min(), x.max()
        return np.array([lo, np.sqrt(lo * hi), hi, 10 * hi, 100 * hi]), False
    if isinstance(at, Mapping):
        known = {name, column, column.strip("`")}
        for key in at:
            if key not in known:
                raise ValueError(
                    f"at (--at): {key!r} is no scale of {data.source}{near(key, known)}"
                )
        (at,) = at.values()
    scales = np.unique(np.asarray(at, float))
    if not len(scales) or not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ValueError(f"at (--at): scales are positive and finite, got {at}")
    return scales, True


def choices(common: Iterable[str] | str | None, recipe_count: int, rows: int) -> tuple[str, ...]:
    """Return what recipes may have in common: as asked, or what so many rows can tell."""
    if common is None:
        can = [name for name in COMMON if _size(recipes(recipe_count, name)) <= rows]
        return tuple(can) or tuple(COMMON)[:1]
    chosen = (common,) if isinstance(common, str) else tuple(common)
    for name in chosen:
        if name not in COMMON:
            raise ValueError(f"common (--common): no choice {name!r}{near(name, COMMON)}")
    return chosen


def _size(law: Law) -> int:
    """Return how many free numbers a law has."""
    return sum(math.prod(law.shape(name)) for name in law.free)


def as_rows(data: Dataset, names: list[str]) -> Dataset:
    """Return the table as the law takes it: recipes counted from 1."""
    ((own, x),), (y,) = data.inputs.items(), data.responses
    number = {name: float(i) for i, name in enumerate(names, 1)}
    which = np.array([number[name] for name in data.group.astype(str)])
    columns = {"x": data.columns[own], "recipe": data.columns["group"], y: data.columns[y]}
    columns |= {"stderr": data.columns["stderr"]} if data.stderr is not None else {}
    inputs = {"x": x, "recipe": which}
    return replace(data, inputs=inputs, group=None, columns=columns, reference=None)
