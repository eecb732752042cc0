"""rows: a table of recipes run at several scales, checked and as laws of recipes take it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data.accuracies import kind_of
from ..data.dataset import Dataset
from ..data.formula import in_scales
from ..data.given import same_label
from ..laws.recipes import COMMON, COMMON_OF_ACCURACIES, recipes, risings
from ..messages import bare, near, option, some_numbers, ways
from ..parametric.parametric import Law

__all__ = ["RESPONSES", "Response", "as_rows", "choices", "levels_asked", "recipe_names"]
__all__ += ["check_alone", "paired", "response_of", "scales_asked"]

CLEARLY = 0.8
"""Rank correlation with scale from which on a response is said to rise, or fall."""


@dataclass(frozen=True)
class Response:
    """What a table of recipes is of, and how it is fitted."""

    name: str
    law: Callable[[int, str], Law]
    """From the number of recipes and what they have in common."""
    common: Mapping[str, str]
    """What that may be, in words."""
    noise: str | None
    """None for the usual one of the law."""
    better: float
    """Sign of the response's change as it gets better."""


RESPONSES = {
    "loss": Response("loss", recipes, COMMON, "lognormal", -1.0),
    "accuracy": Response("accuracy", risings, COMMON_OF_ACCURACIES, None, 1.0),
}


def response_of(data: Dataset, kind: str | None) -> Response:
    """Return what the response is, as it is said or as the table tells."""
    if kind is not None and kind not in RESPONSES:
        raise ValueError(f"kind (--kind): is {' or '.join(RESPONSES)}, not {kind!r}")
    return RESPONSES[kind or kind_of(data)]


def check_alone(x: Sequence[str], source: str) -> None:
    """Refuse several scales of recipes, as they are written; a ValueError."""
    if len(x) > 1:
        raise ValueError(
            f"{source}: a multiplier is of one scale, got {', '.join(x)}: give one, such as "
            "-x 'C=6*N*D', and what recipes differ by as their --group"
        )


def recipe_names(data: Dataset, baseline: Any, of: Response) -> list[str]:
    """Return the recipes, the baseline first; refuse tables that hold no answer."""
    if data.group is None:
        data.fail("names no recipes", remedy="give the column that does: group=... (--group)")
    if data.curve is not None:
        data.fail("has curves", remedy="ask of one at a time, with where (--where)")
    if len(data.inputs) > 1 or len(data.responses) > 1:
        several = ", ".join([*data.inputs] if len(data.inputs) > 1 else [*data.responses])
        remedy = f"give one scale and one {of.name}, such as x='C=6*N*D' (-x 'C=6*N*D')"
        data.fail(f"has several of a kind: {several}; a multiplier is of one scale", remedy=remedy)
    counted = ("n", "chance") if of.name == "loss" else ()
    for role in (*counted, "limit"):
        if getattr(data, role) is not None:
            remedy = f"leave {role} out" + ", or say kind='accuracy'" * (role in counted)
            data.fail(f"has {role}: a multiplier is of one {of.name} a run", remedy=remedy)
    labels = data.group.astype(str)
    names = [*dict.fromkeys(map(str, data.group))]
    if len(names) == 1:
        remedy = "a multiplier compares two or more: name another column as group (--group)"
        data.fail(f"has one recipe only, {names[0]!r}", remedy=remedy)
    first = max(names, key=lambda name: np.sum(labels == name)) if baseline is None else baseline
    first = same_label(first, names)
    if first not in names:
        raise ValueError(f"baseline (--baseline): no recipe {first!r}{near(first, names)}")
    (x,), (y,) = data.inputs.values(), data.responses.values()
    _check_direction(data, x[labels == first], y[labels == first], first, of)
    data.require(of.law(len(names), "all").support)
    for name in names:
        apart = [_apart(each[labels == first], each[labels == name]) for each in (x, y)]
        if all(apart):
            many = {"loss": "losses", "accuracy": "accuracies"}[of.name]
            remedy = "give runs of both at like scales, or another baseline (--baseline)"
            data.fail(
                f"has {first!r} and {name!r} neither at like scales nor at like {many}",
                remedy=remedy,
            )
    return [first, *(name for name in names if name != first)]


def _apart(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(one.max() < other.min() or other.max() < one.min())


def _check_direction(data: Dataset, x: np.ndarray, y: np.ndarray, name: str, of: Response) -> None:
    """Refuse a baseline at one scale, or one whose response gets worse with scale."""
    from scipy.stats import spearmanr

    if np.ptp(x) == 0:
        data.fail(
            f"has the baseline {name!r} at one scale",
            remedy="take a recipe of several scales: baseline=... (--baseline)",
        )
    if np.ptp(y) and -of.better * spearmanr(x, y).statistic > CLEARLY:
        way, remedy = {
            "loss": ("rises", _turned(data)),
            "accuracy": ("falls", "of losses and errors say kind='loss' (--kind loss)"),
        }[of.name]
        data.fail(
            f"has a response that {way} with scale under {name!r}: taken for one of {of.name}, "
            "by which more scale is worse",
            remedy=remedy,
        )


def _turned(data: Dataset) -> str:
    """Return how a response that rises is given: as an accuracy, or as what falls from it."""
    ((role, y),) = data.responses.items()
    text, as_accuracy = data.columns[role], "kind='accuracy' (--kind accuracy)"
    text = text if text.isidentifier() or bare(text) != text else f"({text})"
    if y.min() >= 0 and y.max() <= 1:
        return f"of accuracies say {as_accuracy}"
    span = float(f"{np.ptp(y):.1g}")
    remedies = [f"of a score without a ceiling give {option('y', f'exp(-{text}/{span:g})')}"]
    if y.min() >= 0 and y.max() <= 100:
        remedies.insert(0, f"of percent give {option('y', f'{text}/100')} and {as_accuracy}")
    return ways(remedies)


def scales_asked(data: Dataset, at: Any) -> tuple[np.ndarray, bool]:
    """Return the scales asked about, ascending, and whether they were given."""
    ((name, x),) = data.inputs.items()
    column = data.columns[name]
    if at is None:
        lo, hi = x.min(), x.max()
        return np.array([lo, np.sqrt(lo * hi), hi, 10 * hi, 100 * hi]), False
    alone, known = not isinstance(at, Mapping), {name, column, column.strip("`")}
    at = in_scales({name: at} if alone else at, data.columns, data.inputs, alone)
    for key in at:
        if key not in known:
            raise ValueError(f"at (--at): {key!r} is no scale of {data.source}{near(key, known)}")
    (at,) = at.values()
    scales = np.unique(some_numbers(at, "at (--at)"))
    if not len(scales) or not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ValueError(f"at (--at): scales are positive and finite, got {at}")
    return scales, True


def levels_asked(
    data: Dataset, names: list[str], level: Any, of: Response
) -> dict[str, tuple[float, ...]]:
    """Return, by recipe but the baseline, the levels at which its threshold is compared.

    Of accuracies by default the one halfway between the higher of their lowest and the lower of
    their highest values, both having been near it; and within the middle half of all values, so
    that a recipe that stays on its floor does not choose it.
    """
    if level is not None:
        levels = np.unique(some_numbers(level, "level (--level)"))
        inside = (levels > 0) & (levels < (1.0 if of.name == "accuracy" else np.inf))
        if not len(levels) or not inside.all():
            bounds = "between 0 and 1" if of.name == "accuracy" else "positive and finite"
            raise ValueError(f"level (--level): a level of {of.name} is {bounds}, got {level}")
        return dict.fromkeys(names[1:], tuple(levels.tolist()))
    if of.name != "accuracy":
        return dict.fromkeys(names[1:], ())
    (y,), labels = data.responses.values(), data.group.astype(str)
    found = {}
    for name in names[1:]:
        lows, highs = (
            [end(y[labels == each]) for each in (names[0], name)] for end in (np.min, np.max)
        )
        least, most = min(lows), max(highs)
        quarter, middle = (most - least) / 4, (max(lows) + min(highs)) / 2
        level = np.clip(middle, least + quarter, most - quarter)
        found[name] = (float(np.clip(round(level, 3), 0.001, 0.999)),)
    return found


def choices(
    common: Iterable[str] | str | None, recipe_count: int, rows: int, of: Response
) -> tuple[str, ...]:
    """Return what recipes may have in common: as asked, or what so many rows can tell."""
    if common is None:
        can = [name for name in of.common if of.law(recipe_count, name).size <= rows]
        return tuple(can) or tuple(of.common)[:1]
    alone = isinstance(common, str) or not isinstance(common, Iterable)
    chosen: tuple[str, ...] = (str(common),) if alone else tuple(common)
    for name in chosen or ("",):
        if name not in of.common:
            raise ValueError(f"common (--common): no choice {name!r}{near(str(name), of.common)}")
    return chosen


def paired(data: Dataset, of: Response) -> Dataset:
    """Return the table with what belongs together as its runs, none where nothing does.

    Rows of one label; of one scale where a recipe has several of it. Of losses, where no labels are
    given, rows of one scale: what a law misses of a size, an evaluation or a batch order, it misses
    of all recipes.

    Raises
    ------
    DataError
        Where the labels that are given pair no two recipes.
    """
    ((name, x),) = data.inputs.items()
    if data.run is None and of.name != "loss":
        return data
    recipe, scale = data.group.astype(str), [*map(repr, x.tolist())]
    label = [""] * len(data) if data.run is None else [*map(str, data.run)]
    of_recipe = Counter((one, own) for one, own, _ in {*zip(label, recipe, scale, strict=True)})
    apart = {one for (one, _), scales in of_recipe.items() if scales > 1}
    sets = [f"{one} {at}" if one in apart else one for one, at in zip(label, scale, strict=True)]
    both = len({*zip(sets, recipe, strict=True)}) > len({*sets})
    if data.run is not None and not both:
        remedy = "name the column in which rows of several recipes are alike, such as the seed"
        data.fail("pairs no two recipes", role="run", remedy=f"{remedy}: pair=... (--pair)")
    columns = dict(data.columns) | {"run": data.columns.get("run", data.columns[name])}
    return replace(data, run=np.array(sets, object) if both else None, columns=columns)


def as_rows(data: Dataset, names: list[str]) -> Dataset:
    """Return the table as the law takes it: recipes counted from 1."""
    ((own, x),), (y,) = data.inputs.items(), data.responses
    number = {name: float(i) for i, name in enumerate(names, 1)}
    which = np.array([number[name] for name in data.group.astype(str)])
    columns = {"x": data.columns[own], "recipe": data.columns["group"], y: data.columns[y]}
    kept = ("stderr", "n", "chance", "run")
    columns |= {name: data.columns[name] for name in kept if getattr(data, name) is not None}
    inputs = {"x": x, "recipe": which}
    return replace(data, inputs=inputs, group=None, columns=columns, reference=None)
