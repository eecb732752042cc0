"""bends: beyond the data an accuracy wanders off its law, continuously, on the log odds.

A law is fitted to the models of its day; later ones come of other data, recipes and families, and
its form is only nearly right. With that unsaid, forecasts on open tasks were too narrow, and most
of what they missed came sooner. `with_misfit` adds it to a fit: with t = log(x / largest x) > 0

    logit p = logit f(x) + delta(t),   delta(0) = 0,   d delta / dt = v(t),   v(0) = 0

and v an Ornstein-Uhlenbeck process of sd m and length 4, m half-normal, one path a draw. So there
is no jump at the edge, and the width grows from nothing there. An accuracy is not lost by it: p is
no lower than the law's own f(x), or than f at the largest run where that is less.

Model, data and draws stay as they are: a fit with a misfit is compared and kept as any other.
Nothing in one table tells m beyond its data; its size is learnt from cuts of many tasks
(benchmarks/results/unlocks_ahead.md). Losses have their misfit in the model: `laws.approximate`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.nn import sigmoid
from jax.scipy.special import logit

from ..laws.approximate import bends_of, edge_of, wandering
from ..messages import a_seed
from ..parametric.parametric import Law
from .mixture import Mixture, a_fit
from .posterior import Bends, Posterior

__all__ = ["MISFIT", "OWN", "bending", "bent", "may_bend", "paths", "with_misfit"]

MISFIT = 0.1
"""sd of the half-normal m: of the slope of the log odds, an e-fold of scale."""
KNOTS = np.array([0.0, 0.5, 1, 2, 4, 7, 12, 20])
"""E-folds from the largest scale where slopes are drawn; linear between."""
OWN = ("edge_beyond", "bends_beyond")
"""Parameters of a law that bends."""


def with_misfit(
    which: Posterior | Mixture, sd: float = MISFIT, *, seed: int = 0
) -> Posterior | Mixture:
    """Return the posterior, or the mixture, with a misfit of the law's log odds beyond the data.

    Questions take it as any other. Within the data nothing changes.

    Parameters
    ----------
    sd
        Of the half-normal size of the slope's misfit, in log odds an e-fold of scale; 0 returns
        what was given. It takes the place of an earlier one.
    seed
        Decides the paths.

    Returns
    -------
    Posterior or Mixture
        As was given, its forecasts beyond the data wider.

    Raises
    ------
    ValueError
        If sd is negative, or the law is no accuracy in one scale of which more is better.

    Notes
    -----
    Uhlenbeck and Ornstein 1930 (doi 10.1103/PhysRev.36.823); the integral of their process, as
    the misfit of losses in `laws.approximate`, from a slope of 0 at the edge.

    Examples
    --------
    >>> wider = bs.with_misfit(sigmoid_fit, seed=1)
    >>> sure, unsure = (bs.threshold(fit, 0.9).forecast for fit in (sigmoid_fit, wider))
    >>> unsure.hi >= sure.hi
    True
    """
    if not 0 <= sd < np.inf:
        raise ValueError(f"a misfit has an sd of 0 or more, got {sd}")
    if sd == 0 or not a_fit(which):
        return which
    if isinstance(which, Mixture):
        parts = {
            name: with_misfit(part, sd, seed=seed + i)
            for i, (name, part) in enumerate(which.parts.items())
        }
        return replace(which, parts=parts)
    law = which.law
    if not may_bend(law) or which.curves:
        raise ValueError(
            "a misfit of log odds is of an accuracy in the only scale of one curve, more being "
            f"better; {law.name} is of {', '.join(law.inputs)}"
            + ", and of several curves" * bool(which.curves)
            + ". Of losses: approximate(power)" * (law.support != "unit")
        )
    edge = which.data.inputs[law.inputs[0]].max() * (1 + 1e-9)
    shape = next(iter(which.draws.values())).shape[:2]
    draws = paths(shape, sd, np.random.default_rng([a_seed(seed), 6]))
    return replace(which, bends=Bends(sd, float(edge), draws))


def may_bend(law: Law) -> bool:
    """Return whether a law is of an accuracy in one scale of which more is better."""
    return law.support == "unit" and len(law.inputs) == 1 and not law.less_is_better


def paths(shape: tuple[int, ...], sd: float, rng: np.random.Generator) -> np.ndarray:
    """Return so many paths, (*shape, knot): each its size times what makes its slopes."""
    found = sd * np.abs(rng.normal(size=(*shape, 1))) * rng.normal(size=(*shape, len(KNOTS)))
    found[..., 0] = 0.0  # the slope at the edge is the law's own
    return found


@cache
def bending(base: Law) -> Law:
    """Return a law that leaves its base beyond an edge, by `OWN`; always the same one."""

    def formula(x, *, edge_beyond, bends_beyond, **params):
        own = base.fn(x, **params)
        floor = jnp.minimum(own, base.fn(edge_beyond, **params))
        tiny = jnp.finfo(own.dtype).eps
        odds = logit(jnp.clip(own, tiny**2, 1 - tiny))
        off = wandering(x, edge_beyond, KNOTS) @ bends_beyond
        return jnp.where(x > edge_beyond, jnp.maximum(sigmoid(odds + off), floor), own)

    (x,) = base.inputs
    priors = dict(zip(OWN, (edge_of(x), bends_of(len(KNOTS))), strict=True))
    return replace(base, fn=formula, priors=(*base.priors, *priors.items()))


def bent(posterior: Posterior) -> tuple[Law, dict[str, Any]]:
    """Return the law that tells of scales beyond the data too, and its draws, (draw, ...).

    The law itself where the posterior has no misfit. Draws have those of the noise beside them.
    """
    flat = dict(posterior.flat())
    if posterior.bends is None:
        return posterior.law, flat
    bends = posterior.bends.draws
    bends = bends.reshape(-1, bends.shape[-1])
    own = np.full(len(bends), posterior.bends.begins), bends
    return bending(posterior.law), flat | dict(zip(OWN, own, strict=True))
