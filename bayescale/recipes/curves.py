"""curves: the curves of recipes from draws, and the factors and thresholds that they tell.

Of losses the curves with their misfit are solved on a grid. Of accuracies what a recipe reaches is
told by its log odds between floor and ceiling, which are known on plateaus too, where accuracies
are alike to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..laws.recipes import parts_of_rising
from ..model.programs import compiled
from ..parametric.parametric import Law

__all__ = ["Curves", "curves_of", "factor_of", "turning"]


class Curves(NamedTuple):
    """What draws say of recipes."""

    values: np.ndarray
    """The curves at the scales asked about, (recipe, draw, point)."""
    logs: np.ndarray
    """Log of the factor of each recipe but the first there, (recipe - 1, draw, point); inf where
    the first never gets to what the recipe has."""
    crossed: np.ndarray
    """Log of the scale at which each recipe first gets to each level, (recipe, draw, level); -inf
    where it has from the start, inf where it never does."""


def curves_of(
    law: Law,
    params: Mapping[str, np.ndarray],
    count: int,
    at: np.ndarray,
    wide: np.ndarray,
    levels: np.ndarray | tuple[float, ...] = (),
) -> Curves:
    """Return curves, factors and thresholds of recipes.

    Parameters
    ----------
    law
        `laws.recipes` of losses, or `laws.risings` of accuracies.
    params
        Draws of its parameters in natural units, (draw, ...).
    count
        How many recipes there are.
    at
        Scales in log.
    wide
        Scales in log, ascending, within which others are looked for.
    levels
        Values of the response that are to be reached.
    """
    known = {name: params[name] for name in law.parameters}
    return WAYS[law.support](law, known, count, at, wide, np.asarray(levels, float))


# ------------------------------------------------------------------ losses


@compiled(static_argnames=("law",))
def _logs(law, params, x, which, basis):
    wander = law.wander

    def one(params):
        own = {name: params[name] for name in wander.base.parameters}
        bent = basis @ (wander.rates(params) * params["bends"])
        return jnp.log(wander.base.fn(x, which, **own)) + bent

    return jax.vmap(one)(params)


def _falling(law, params, count, at, wide, levels) -> Curves:
    points = np.concatenate([wide, at])
    edges = {name: float(params[name][0]) for name in law.wander.edges}
    with jax.enable_x64(True):
        x, which = _rows(points, count)
        found = np.asarray(_logs(law, params, x, which, law.wander.basis(x, which, **edges)))
    far, ours = np.split(_by_recipe(found, count), [len(wide)], axis=2)
    with np.errstate(divide="ignore"):
        logs = [np.log(factor_of(far[0], wide, each, at)) for each in ours[1:]]
        aims = -np.log(np.broadcast_to(levels, (far.shape[1], len(levels))))
    crossed = [
        _solved(-np.minimum.accumulate(each, axis=1), wide, aims, left=-np.inf) for each in far
    ]
    return Curves(np.exp(ours), np.array(logs), np.array(crossed))


def factor_of(low: np.ndarray, wide: np.ndarray, ours: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the scale at which the baseline first gets to `ours` over `at`, (draw, point).

    Parameters
    ----------
    low
        Log of the baseline's curve at the scales `wide`, in log: (draw, wide).
    ours
        Log of the recipe's at the scales `at`, in log: (draw, point).
    """
    return np.exp(_solved(-np.minimum.accumulate(low, axis=1), wide, -ours) - at)


def _solved(risen: np.ndarray, wide: np.ndarray, aims: np.ndarray, left=None) -> np.ndarray:
    """Return the log of the scale at which each draw's curve, which rises, gets to its aims."""
    each = zip(aims, risen, strict=True)
    return np.array([np.interp(aim, own, wide, left=left, right=np.inf) for aim, own in each])


# ------------------------------------------------------------------ accuracies


@compiled(static_argnames=("names",))
def _parts(names, params, x, which):
    def one(params):
        parts = parts_of_rising(x, which, **{name: params[name] for name in names})
        return jnp.stack([jnp.broadcast_to(part, x.shape) for part in parts])

    return jax.vmap(one)(params)


def _rising(law, params, count, at, wide, levels) -> Curves:
    points = np.concatenate([wide, at])
    with jax.enable_x64(True):
        x, which = _rows(points, count)
        found = np.asarray(_parts(law.parameters, params, x, which))
    parts = (_by_recipe(found[:, i], count) for i in range(3))
    (floor, top), odds = (each[..., :1] for each in (next(parts), next(parts))), next(parts)
    far, odds = np.split(odds, [len(wide)], axis=2)
    far, rise = np.maximum.accumulate(far, axis=2), top - floor
    with np.errstate(over="ignore"):
        above, below = rise / (1 + np.exp(-odds)), rise / (1 + np.exp(odds))
    gained, left = floor[1:] - floor[0] + above[1:], top[0] - top[1:] + below[1:]
    logs = [_solved(far[0], wide, aims) - at for aims in _log_odds(gained, left)]
    crossed = [
        _solved(own, wide, aims, left=-np.inf)
        for own, aims in zip(far, _log_odds(levels - floor, top - levels), strict=True)
    ]
    return Curves(floor + above, np.array(logs), np.array(crossed))


def _log_odds(gained: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return log(gained/left): -inf where nothing need be gained, inf where too much."""
    known = np.log(np.where(gained > 0, gained, 1.0)) - np.log(np.where(left > 0, left, 1.0))
    return np.where(gained > 0, np.where(left > 0, known, np.inf), -np.inf)


WAYS: dict[str, Callable[..., Curves]] = {"positive": _falling, "unit": _rising}
"""How the curves of a law are solved, by what its response may be."""


# ------------------------------------------------------------------ both


def _rows(points: np.ndarray, count: int) -> tuple[jax.Array, jax.Array]:
    """Return scales and recipes of all recipes at these points, in log."""
    x = jnp.asarray(np.tile(np.exp(points), count))
    return x, jnp.asarray(np.repeat(np.arange(1.0, count + 1), len(points)))


def _by_recipe(found: np.ndarray, count: int) -> np.ndarray:
    return np.moveaxis(found.reshape(len(found), count, -1), 1, 0)


def turning(better: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return where the better one changes for the last time; inf where the ends agree."""
    changes = better[:, 1:] != better[:, :-1]
    last = changes.shape[1] - 1 - np.argmax(changes[:, ::-1], axis=1)
    found = np.sqrt(scales[last] * scales[last + 1])
    return np.where(better[:, 0] != better[:, -1], found, np.inf)
