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
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution, biject_to

from ..model.arrays import lane_of
from ..model.programs import compiled
from ..model.sampling import sample
from ..parametric.coordinates import At, Lookup
from ..parametric.words import quantiles as prior_quantiles
from ..posterior.intervals import INTERVAL, levels, plain, quantiles
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior

__all__ = [
    "Spread",
    "Unlock",
    "draw_weights",
    "ordered",
    "share_by",
    "spread",
    "summarise_unlock",
    "unlock_parameter",
    "wider",
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
    weights: Mapping[str, float] | None = None
    """Weight of each law in it, where these are others than in the forecast beside it."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON; of scales the log10, None where they are infinite."""
        log10 = {"median": self.median, "lo": self.lo, "hi": self.hi}
        kept = {name: getattr(self, name) for name in ("p_never", "p_already", "ess")}
        weights = {} if self.weights is None else {"weights": self.weights}
        return plain({"log10": log10} | kept | weights)

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

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON; None where no law has a finite median."""
        return plain(vars(self))


def ordered(late: np.ndarray, already: np.ndarray, never: np.ndarray) -> np.ndarray:
    """Return how late draws are: -inf where already, inf where never."""
    return np.where(already, -np.inf, np.where(never, np.inf, late))


def summarise_unlock(unlock: np.ndarray, weights: np.ndarray, mass: float = INTERVAL) -> Unlock:
    """Return the forecast of weighted draws."""
    weights = weights / weights.max()
    lo, median, hi = quantiles(unlock, weights, levels(mass)).tolist()
    return Unlock(
        median=median,
        lo=lo,
        hi=hi,
        p_never=float(weights[np.isposinf(unlock)].sum() / weights.sum()),
        p_already=float(weights[np.isneginf(unlock)].sum() / weights.sum()),
        ess=float(weights.sum() ** 2 / (weights**2).sum()),
    )


def draw_weights(
    parts: Sequence[tuple[str, float, Posterior]], ratios: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Return the weight of each draw of all members together, (draw,), summing to 1.

    A member's draws are weighted by its `ratios` among themselves.
    """
    found = [weight * ratios[name] / ratios[name].sum() for name, weight, _ in parts]
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


# ------------------------------------------------------------------ beside a wider prior


def wider(
    which: Posterior | Mixture,
    unlock: Mapping[str, np.ndarray],
    finite: Mapping[str, np.ndarray],
    lost: bool,
) -> Unlock | None:
    """Return the forecast under the wider prior; None where no law has an unlock scale.

    With r = wider prior over own prior of each draw, the draws of a law are reweighted by r among
    themselves. Its evidence is E[r] times what it was: where the weights of laws are prior times
    evidence, they change likewise.

    Parameters
    ----------
    unlock
        By law: how late each draw passes the level, (draw,).
    finite
        By law: 1 of draws that have a curve, else 0, (draw,).
    lost
        Whether is asked where the response is lost: the scale of an unlock is none of a loss, nor
        the other way round.
    """
    ratios = {
        name: wider_weights(one) if one.law.worsens == lost else None
        for name, _, one in which.members
    }
    if all(ratio is None for ratio in ratios.values()):
        return None
    belief = isinstance(which, Mixture) and which.belief
    found = {}
    for name, weight, _ in which.members:
        ratio = finite[name] * (1.0 if ratios[name] is None else ratios[name])
        found[name] = weight * ratio / (finite[name].sum() if belief else ratio.sum())
    weights = np.concatenate([*found.values()])
    told = summarise_unlock(np.concatenate([unlock[name] for name in found]), weights)
    if not belief:
        return told
    shares = {name: float(each.sum() / weights.sum()) for name, each in found.items()}
    return replace(told, weights=shares)


def unlock_parameter(posterior: Posterior) -> str | None:
    """Return the parameter that is the scale of an unlock, where it is free; None without."""
    name = posterior.law.unlock
    return name if name in posterior.law.free else None


def wider_weights(posterior: Posterior) -> np.ndarray | None:
    """Return wider prior over own prior of the unlock scale, (draw,).

    The wider one is that of log scale stretched by a factor of 2 about its median. None where the
    law has no such scale. Where the scale is pooled the prior is that of the average group,
    whichever group the posterior speaks of; that needs draws in the model's own coordinates, and
    is None without them.
    """
    name, model = unlock_parameter(posterior), posterior.model
    if (
        name is None
        or (name in model.pool and posterior.z is None)
        or not _of_logs(model.law, name)
    ):
        return None
    with jax.enable_x64(True):
        lane = lane_of(model, posterior.data)
        if name in model.pool:
            params = _of_average(model, posterior.z.reshape(-1, model.size), lane)
        else:
            flat = posterior.flat()
            params = {key: flat[key] for key in model.law.parameters}
            params |= {key: params[key] / model.unit(key, params, lane) for key in params}
        prior = model.law.prior_of(name)
        own = prior if isinstance(prior, Distribution) else prior.prior
        found = prior_quantiles(own, [0.5])
        if found is None:  # of a prior without a formula, from draws
            found = np.median(sample(own, np.random.default_rng(0), 10_000), axis=0)[None]
        (median,) = found
        return np.asarray(_wider_over_own(model.law, name, params, lane, median), float)


def _of_logs(law, name: str) -> bool:
    """Return whether the prior is of positive values and its median is known."""
    prior = dict(law.changed).get(name)
    if prior is None:
        return True
    lowest = getattr(prior.support, "lower_bound", -np.inf)
    return bool(lowest >= 0) and prior_quantiles(prior, [0.5]) is not None


@compiled(level=0, static_argnames=("model",))
def _of_average(model, z, lane):
    """Return the law's parameters of the average group, in units of the references."""
    return jax.vmap(lambda z: _relative(model, model.constrain(z, lane)[0], lane))(z)


def _relative(model, values, lane):
    known = model.known(values, lane)
    return {name: known[name] for name in model.law.parameters}


@compiled(level=0, static_argnames=("law", "name"))
def _wider_over_own(law, name, params, lane, median):
    """Return the ratio of densities of log scale, for each draw of relative parameters.

    The scale is a function of an unconstrained coordinate z, which rises; with t(z) its log and m
    at the prior's median, the wider density at t is half the own one at (t + m)/2.
    """
    prior = law.prior_of(name)
    own = prior if isinstance(prior, Distribution) else prior.prior
    bijector = biject_to(own.support)
    middle = bijector.inv(median)

    def one(params):
        at = At(
            span=Lookup("span", lane["span"].__getitem__),
            ref=Lookup("ref", lane["ref"].__getitem__),
            param=Lookup("param", params.__getitem__),
            y=lane["y"],
            chance=lane["chance"],
        )

        def log_scale(z):
            value = bijector(z)
            return jnp.log(value if prior is own else prior.form(value, at))

        def log_density(z):  # of log scale
            value = bijector(z)
            density = own.log_prob(value) + bijector.log_abs_det_jacobian(z, value)
            return density - jnp.log(jax.grad(log_scale)(z))

        t, m = jnp.log(params[name]), log_scale(middle)
        here, half = (solve(log_scale, each) for each in (t, (t + m) / 2))
        return jnp.exp(log_density(half) - log_density(here)) / WIDER

    return jax.vmap(one)(params)


BOUND = 60.0
"""How far out an unconstrained coordinate is looked for."""


def solve(rising, value):
    """Return where a function that rises reaches a value, between -BOUND and BOUND."""

    def halve(_, ends):
        lo, hi = ends
        middle = (lo + hi) / 2
        past = rising(middle) >= value
        return jnp.where(past, lo, middle), jnp.where(past, middle, hi)

    lo, hi = jax.lax.fori_loop(0, 70, halve, (-BOUND * jnp.ones(()), BOUND * jnp.ones(())))
    return (lo + hi) / 2
