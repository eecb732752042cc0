"""How the groups of a pooled fit differ in a parameter: on which scale, by how much, and where."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import logit
from numpyro.distributions import Distribution

from ..parametric.coordinates import Coordinate
from ..parametric.parametric import Law
from ..parametric.priors import positive

__all__ = [
    "Pinned",
    "check_pool",
    "expected_shifts",
    "expected_value",
    "link_of",
    "linked",
    "shifted",
    "spread_of",
    "unpinned",
]

# How much groups differ: in scale, from a tenth to a factor of 20 of effective compute; in any
# other constant, on its link's scale, less.
SPREAD, SPREAD_OF_SCALE = positive(0.05, 1), positive(0.1, 3)
LINKS = {
    "log": (lambda v: jnp.log(_inside(v, jnp.inf)), jnp.exp),
    "logit": (lambda v: logit(_inside(v, 1.0)), jax.nn.sigmoid),
    "identity": (lambda v: v, lambda v: v),
}


def _inside(v: Any, end: float) -> Any:
    """Return a value that was rounded to 0 or `end` as its neighbour: its link is finite."""
    width = jnp.finfo(jnp.result_type(v, float))
    last = width.max if np.isinf(end) else end - width.epsneg
    return jnp.where(v == 0, width.tiny, jnp.where(v == end, last, v))


def check_pool(law: Law, pool: tuple[str, ...]) -> None:
    """Refuse to pool what a law has no one free number of."""
    for name in pool:
        if name not in law.free:
            raise ValueError(
                f"{name!r} cannot be pooled: it is no free parameter of {law} "
                f"({', '.join(law.free)})"
            )
        prior = dict(law.priors)[name]
        prior = prior.prior if isinstance(prior, Coordinate) else prior
        if prior is not None and prior.event_shape:
            raise ValueError(f"{name!r} cannot be pooled: it is a vector in {law.name}")
        for tied, to in law.tied:
            if to == name:
                raise ValueError(f"{name!r} cannot be pooled: {tied} is tied to it")


def spread_of(law: Law, name: str) -> Distribution:
    """Return the prior of how much groups differ in a parameter."""
    prior = dict(law.priors)[name]
    scale = isinstance(prior, Coordinate) and prior.link == "log"
    return SPREAD_OF_SCALE if scale else SPREAD


def link_of(law: Law, name: str) -> str:
    """Return on which scale groups differ in a parameter: log, logit or identity."""
    prior = dict(law.priors)[name]
    if isinstance(prior, Coordinate):
        if prior.link is not None or prior.prior is None:
            return prior.link or "log"
        prior = prior.prior
    if prior.support is dist.constraints.positive:
        return "log"
    return "logit" if prior.support is dist.constraints.unit_interval else "identity"


def linked(law: Law, name: str, value: Any) -> Any:
    """Return a pooled parameter on its link's scale."""
    return LINKS[link_of(law, name)][0](value)


def shifted(law: Law, name: str, value: Any, shift: Any) -> Any:
    """Return a pooled parameter at a shift on its link's scale: link^-1(link(value) + shift)."""
    there, back = LINKS[link_of(law, name)]
    return back(there(value) + shift)


class Pinned(NamedTuple):
    """What the data of each group say of its parameter, as a sampler found out (`centring`)."""

    seen: Any
    """Where they put it on its link's scale, (group,)."""
    precision: Any
    """How precisely, (group,); 0 where nothing is known."""
    straight: Any
    """Where they put slope times the coordinate of the average group, (group,)."""
    slope: Any
    """Of the link in that coordinate; 0 for an amplitude, which has none."""
    mean: Any
    """Of the coordinate, before the data."""
    prior: Any
    """Precision of the coordinate before the data."""


def unpinned(groups: int) -> Pinned:
    """Return what is known before a sampler has looked: nothing."""
    nothing, zero = np.zeros(groups), np.float64(0.0)
    return Pinned(nothing, nothing, nothing, slope=zero, mean=zero, prior=np.float64(1.0))


def expected_value(pinned: Pinned, sd: Any) -> tuple[Any, Any]:
    """Return (middle, width): the coordinate of the average group is middle + width * sampled.

    Sampled is the coordinate itself where nothing is known. Each group sees the average one
    through the sd between groups, with variance 1 / precision + sd^2.
    """
    weight = pinned.precision / (1 + pinned.precision * sd**2)
    total = pinned.prior + pinned.slope**2 * jnp.sum(weight)
    seen = pinned.slope * jnp.sum(weight * pinned.straight)
    width = jnp.sqrt(pinned.prior / total)
    return (pinned.prior * pinned.mean + seen) / total - width * pinned.mean, width


def expected_shifts(pinned: Pinned, value: Any, sd: Any) -> tuple[Any, Any]:
    """Return (middle, width): the groups' e are middle + width * sampled."""
    ratio = 1 + pinned.precision * sd**2
    return (pinned.seen - value) * pinned.precision * sd / ratio, ratio**-0.5
