"""Unlock: when something unlocks, from draws of its scale and what is said with it.

A draw is log10 of a scale, -inf where unlocked already, inf where never: it has quantiles, and no
mean. `wider_weights` turns draws under the law's prior on the unlock scale into draws under a
prior twice as wide, to be shown beside: from a plateau the forecast is the prior. `spread` tells
how far several laws are apart from how uncertain each one is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist

from ..laws.capability import UNLOCK_PRIOR, UNLOCKS
from ..model.arrays import pack
from ..posterior.intervals import INTERVAL, quantiles
from ..posterior.posterior import Posterior

__all__ = [
    "Spread",
    "Unlock",
    "draw_weights",
    "plain",
    "share_by",
    "spread",
    "summarise_unlock",
    "unlock_parameter",
    "wider_weights",
]

WIDER = 2.0
"""How many times wider the other prior on the unlock scale is."""


@dataclass(frozen=True)
class Unlock:
    """When the level is passed, over all draws: -inf where already, inf where never."""

    median: float
    """log10 of the scale."""
    lo: float
    """The end of the interval that is reached first: of a scale of which less is better, such as
    a loss, the larger number."""
    hi: float
    """The end that is reached last."""
    p_never: float
    p_already: float
    ess: float
    """Effective number of draws, as far as their weights go: (sum w)^2 / sum w^2."""

    def converted(self, change: Callable[[float], float]) -> Unlock:
        """Return the forecast with `change` made to its log10 scales where they are finite."""
        kept = {name: getattr(self, name) for name in ("median", "lo", "hi")}
        return replace(self, **{k: change(v) for k, v in kept.items() if np.isfinite(v)})


@dataclass(frozen=True)
class Spread:
    """How far apart the laws are, apart from how uncertain each of them is; in decades."""

    between: float
    """Weighted sd of the laws' medians, over those that have a finite one; nan without any."""
    within: float
    """Weighted mean, over the same laws, of half the width of the middle half of the draws; of
    a law in which that is open at one end, the distance from the median to the other."""
    left_out: tuple[str, ...]
    """Laws whose median is infinite: in most of their draws the level is passed already, or
    never."""


def summarise_unlock(unlock: np.ndarray, weights: np.ndarray, mass: float = INTERVAL) -> Unlock:
    """Return the forecast of weighted draws."""
    weights = weights / weights.max()
    levels = [0.5, (1 - mass) / 2, (1 + mass) / 2]
    median, lo, hi = quantiles(unlock, weights, levels).tolist()
    return Unlock(
        median=median,
        lo=lo,
        hi=hi,
        p_never=float(weights[np.isposinf(unlock)].sum() / weights.sum()),
        p_already=float(weights[np.isneginf(unlock)].sum() / weights.sum()),
        ess=float(weights.sum() ** 2 / (weights**2).sum()),
    )


def draw_weights(
    parts: Sequence[tuple[str, float, Posterior]],
    draws: Mapping[str, np.ndarray],
    ratios: Mapping[str, np.ndarray | None] | None = None,
) -> np.ndarray | None:
    """Return the weight of each draw of all members together, (draw,), summing to 1.

    With `ratios` each member's draws are weighted by them among themselves, alike where it has
    none; None where no member has any.
    """
    if ratios is not None and all(ratio is None for ratio in ratios.values()):
        return None
    found = []
    for name, weight, _ in parts:
        ratio = None if ratios is None else ratios[name]
        ratio = np.ones(len(draws[name])) if ratio is None else ratio
        found.append(weight * ratio / ratio.sum())
    return np.concatenate(found)


def share_by(unlock: np.ndarray, weights: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Return the weight of the draws that are no later than each point, (point,)."""
    order = np.argsort(unlock)
    below = np.concatenate([[0.0], np.cumsum((weights / weights.max())[order])])
    return below[np.searchsorted(unlock[order], late, side="right")] / below[-1]


def spread(unlock: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> Spread:
    """Return how far laws are apart, from the draws and the weight of each."""
    found, left_out = [], []
    for name, draws in unlock.items():
        lo, median, hi = quantiles(draws, np.ones(len(draws)), [0.25, 0.5, 0.75])
        if not np.isfinite(median):
            left_out.append(name)
            continue
        halves = np.array([median - lo, hi - median])
        halves = halves[np.isfinite(halves)]
        found.append((weights[name], median, halves.mean() if len(halves) else np.nan))
    if not found:
        return Spread(np.nan, np.nan, tuple(left_out))
    w, medians, halves = np.array(found).T
    between = np.sqrt(np.average((medians - np.average(medians, weights=w)) ** 2, weights=w))
    known = np.isfinite(halves)
    within = np.average(halves[known], weights=w[known]) if known.any() else np.nan
    return Spread(float(between), float(within), tuple(left_out))


def plain(found: Unlock | Spread) -> dict[str, Any]:
    """Return the numbers, None where they are infinite, as JSON has it."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in vars(found).items()
    }


# ------------------------------------------------------------------ beside a wider prior


def unlock_parameter(posterior: Posterior) -> str | None:
    """Return the free parameter that has the prior of an unlock scale; None where none has."""
    law = posterior.law
    return next((k for k, prior in law.priors if k in law.free and _unlocks(prior)), None)


def _unlocks(prior: Any) -> bool:
    return any(prior is each for each in UNLOCKS)


def wider_weights(posterior: Posterior) -> np.ndarray | None:
    """Return wider prior over own prior of the unlock scale, (draw,).

    None where the law has no such prior. Where the scale is pooled the prior is that of the
    average group, whichever group the posterior speaks of; that needs draws in the model's own
    coordinates, and is None without them.
    """
    name = unlock_parameter(posterior)
    if name is None or (name in posterior.model.pool and posterior.z is None):
        return None
    if name in posterior.model.pool:
        beyond = _of_average(posterior, name)
    else:
        beyond = np.log(posterior.flat()[name] / posterior.data.inputs["x"].max())
    own: Any = UNLOCK_PRIOR
    wide = dist.StudentT(own.df, own.loc, WIDER * own.scale)
    return np.exp(np.asarray(wide.log_prob(beyond) - own.log_prob(beyond), float))


def _of_average(posterior: Posterior, name: str) -> np.ndarray:
    """Return log(unlock scale of the average group / largest x) of each draw."""
    model, z = posterior.model, posterior.z
    with jax.enable_x64(True):
        lane = jax.tree.map(lambda leaf: leaf[0], pack(model, posterior.data)[0].data)
        sampled = jax.vmap(lambda z: model.constrain(z, lane)[0][name])(z.reshape(-1, z.shape[-1]))
        x = lane["span"]["x"]
        scale = dict(model.law.priors)[name].form(sampled, x)
        return np.log(np.asarray(scale, float)) - x[1]


# ------------------------------------------------------------------ what a scale is


# ------------------------------------------------------------------ what is said with it
