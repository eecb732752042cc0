"""factors: what further runs are to tell of a multiplier, and of which recipe each of them is.

| as it is written | what is wanted |
|---|---|
| `B at 1e21`, or `{"B": 1e21}` | the factor of recipe B at that scale |
| `unlock of B` | the baseline's threshold over that of B, at the first level that was told of |
| `law` | what the recipes have in common |
| nothing | of each recipe its main answer |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..data.cells import number
from ..messages import near
from ..posterior.display import count
from ..posterior.posterior import Posterior
from ..recipes.answer import reached, span_of
from ..recipes.curves import curves_of
from ..recipes.multiplier import Multiplier
from .design import tamed
from .goals import LAW, Goal, of_laws, together

__all__ = ["factor_goals"]

AT, UNLOCK = re.compile(r"(.+?)\s+at\s+(\S+)"), re.compile(r"unlock of (.+)")
WRITE = "write 'B at 1e21', 'unlock of B', or 'law'"
SILENT = 0.05
"""Share of draws in which no level is passed, from which on their ratio has no interval."""


def factor_goals(told: Multiplier, target: Any) -> list[Goal]:
    """Return what is wanted of a multiplier; see the module's table.

    Raises
    ------
    ValueError
        Where the target is none of these, or is of no recipe beside the baseline.
    """
    if target is None:
        return [_main(told, name) for name in told.factors]
    if isinstance(target, Mapping):
        return [_factor(told, str(name), x) for name, x in target.items()]
    if isinstance(target, Iterable) and not isinstance(target, str):
        return [goal for each in target for goal in factor_goals(told, each)]
    text = str(target).strip()
    if text == LAW:
        return [of_laws(told.mixture, "what recipes have in common")]
    if match := UNLOCK.fullmatch(text):
        return [_unlock(told, match[1])]
    if match := AT.fullmatch(text):
        return [_factor(told, match[1], number(match[2]))]
    raise ValueError(f"target (--target): {text!r} is none of a multiplier; {WRITE}")


def _place(told: Multiplier, name: str) -> int:
    """Return which recipe it is, from 0; the baseline has no factor."""
    if name not in told.factors:
        said = "is the baseline" if name == told.baseline else "is no recipe"
        raise ValueError(f"target (--target): {name!r} {said}{near(name, [*told.factors])}")
    return told.recipes.index(name)


def _main(told: Multiplier, name: str) -> Goal:
    at, _ = told.told[name]
    if at is None and told.unlocks.get(name):
        return _unlock(told, name)
    return _factor(told, name, at or told.mixture.data.inputs["x"].max())


def _factor(told: Multiplier, name: str, at: Any) -> Goal:
    place = _place(told, name)
    if at is None or np.ndim(at) or not 0 < float(at) < np.inf:
        raise ValueError(f"target (--target): {at!r} is no scale of {name!r}; {WRITE}")
    points = np.array([float(at)])
    wide = span_of(told.mixture.data.inputs["x"], points)

    def own(_: str, one: Posterior) -> np.ndarray:
        params, size = one.flat(), len(told.recipes)
        return curves_of(one.law, params, size, np.log(points), wide).logs[place - 1]

    draws = tamed(together(told.mixture, own))
    return Goal(f"the factor of {name} at {count(points[0])}", draws, True)


def _unlock(told: Multiplier, name: str) -> Goal:
    place, levels = _place(told, name), told.unlocks.get(name, ())
    if not levels:
        raise ValueError(f"target (--target): no level of {name!r} was told of; give it: level=...")
    level = levels[0].level
    wide = span_of(told.mixture.data.inputs["x"], told.scales)

    def own(_: str, one: Posterior) -> np.ndarray:
        size, at = len(told.recipes), np.log(told.scales[:1])
        crossed = curves_of(one.law, one.flat(), size, at, wide, (level,)).crossed[..., 0]
        with np.errstate(divide="ignore"):
            return np.log(reached(level, crossed[0], crossed[place], wide[0]).ratio)

    draws = together(told.mixture, own)
    silent = np.isnan(draws)
    if silent.mean() > SILENT:
        raise ValueError(
            f"the unlock of {name} has no interval: in {silent.mean():.0%} of draws neither gets "
            f"to {level:.3g}; ask of another level, or of the factor at a scale"
        )
    draws = np.where(silent, np.median(draws[~silent]), draws)
    return Goal(f"the unlock of {name}, by its factor", tamed(draws[:, None]), True)
