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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..data.cells import number
from ..data.given import same_label
from ..messages import near
from ..posterior.display import count
from ..posterior.posterior import Posterior
from ..recipes.answer import reached, span_of
from ..recipes.curves import curves_of
from ..recipes.multiplier import Multiplier
from .design import tamed
from .goals import LAW, Goal, of_laws, together

__all__ = ["factor_goals", "read_factors"]

AT, UNLOCK_OF = re.compile(r"(.+?)\s+at\s+(\S+)"), re.compile(r"unlock of (.+)")
FACTOR, UNLOCK = "factor", "unlock"
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
    levels = any(told.unlocks.values())
    found = []
    for what, name, at in read_factors(target, told.recipes, levels, len(told.mixture.members)):
        if what == LAW:
            found.append(of_laws(told.mixture, "what recipes have in common"))
        elif what == UNLOCK:
            found.append(_unlock(told, name))
        else:
            found.append(_main(told, name) if at is None else _factor(told, name, at))
    return found


def read_factors(
    target: Any, recipes: Sequence[str], levels: bool, laws: int
) -> list[tuple[str, str, float | None]]:
    """Return what each target is (`factor`, `unlock` or `law`), of which recipe, at which scale.

    All that can be known before the first fit is refused here. A factor at no scale is the
    recipe's main answer.

    Parameters
    ----------
    recipes
        Their names, the baseline first.
    levels
        Whether thresholds are compared.
    laws
        How many choices there are of what recipes have in common.

    Raises
    ------
    ValueError
        As `factor_goals`.
    """
    if target is None:
        return [(FACTOR, name, None) for name in recipes[1:]]
    if isinstance(target, Mapping):
        return [
            (FACTOR, _known(str(name), recipes), _positive(x, name)) for name, x in target.items()
        ]
    if isinstance(target, Iterable) and not isinstance(target, str):
        return [one for each in target for one in read_factors(each, recipes, levels, laws)]
    text = str(target).strip()
    if text == LAW:
        if laws < 2:
            raise ValueError(
                "target (--target): 'law' asks what recipes have in common, of which there is one "
                "choice only: leave common (--common) out, or give several"
            )
        return [(LAW, "", None)]
    if match := UNLOCK_OF.fullmatch(text):
        name = _known(match[1], recipes)
        if not levels:
            said = f"no level of {name!r} is told of; give it: level=... (--level)"
            raise ValueError(f"target (--target): {said}")
        return [(UNLOCK, name, None)]
    if match := AT.fullmatch(text):
        return [(FACTOR, _known(match[1], recipes), _positive(number(match[2]), match[1]))]
    raise ValueError(f"target (--target): {text!r} is none of a multiplier; {WRITE}")


def _known(name: str, recipes: Sequence[str]) -> str:
    """Return the name of a recipe that has a factor; the baseline has none."""
    baseline, *others = recipes
    name = same_label(name, recipes)
    if name not in others:
        said = "is the baseline" if name == baseline else "is no recipe"
        raise ValueError(f"target (--target): {name!r} {said}{near(name, others)}")
    return name


def _positive(at: Any, name: Any) -> float:
    if at is None or np.ndim(at) or not 0 < float(at) < np.inf:
        raise ValueError(f"target (--target): {at!r} is no scale of {name!r}; {WRITE}")
    return float(at)


def _main(told: Multiplier, name: str) -> Goal:
    at, _ = told.told[name]
    if at is None and told.unlocks.get(name):
        return _unlock(told, name)
    return _factor(told, name, at or told.mixture.data.inputs["x"].max())


def _factor(told: Multiplier, name: str, at: float) -> Goal:
    place, points = told.recipes.index(name), np.array([at])
    wide = span_of(told.mixture.data.inputs["x"], points)

    def own(_: str, one: Posterior) -> np.ndarray:
        params, size = one.flat(), len(told.recipes)
        return curves_of(one.law, params, size, np.log(points), wide).logs[place - 1]

    draws = tamed(together(told.mixture, own))
    return Goal(f"the factor of {name} at {count(points[0])}", draws, True)


def _unlock(told: Multiplier, name: str) -> Goal:
    place, level = told.recipes.index(name), told.unlocks[name][0].level
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
