"""How the families of a pooled fit differ in a parameter: on which scale, by how much, and where.

Floor 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import logit
from numpyro.distributions import Distribution

from .parametric import Coordinate, Parametric
from .priors import positive

__all__ = [
    "Pinned",
    "expected_shifts",
    "expected_value",
    "link_of",
    "linked",
    "shifted",
    "spread_of",
    "unpinned",
]

# How much families differ: in scale, from a tenth to a factor of 20 of effective compute; in any
# other constant, on its link's scale, less.
SPREAD, SPREAD_OF_SCALE = positive(0.05, 1), positive(0.1, 3)
LINKS = {
    "log": (lambda v: jnp.log(jnp.maximum(v, _ends(v).tiny)), jnp.exp),
    "logit": (lambda v: logit(jnp.clip(v, _ends(v).tiny, 1 - _ends(v).eps)), jax.nn.sigmoid),
    "identity": (lambda v: v, lambda v: v),
}


def _ends(v: Any) -> Any:
    """Return the limits of a value's width: a value rounded to an end has a finite link."""
    return jnp.finfo(jnp.result_type(v, float))


def spread_of(law: Parametric, name: str) -> Distribution:
    """Return the prior of how much families differ in a parameter."""
    prior = dict(law.priors)[name]
    scale = isinstance(prior, Coordinate) and prior.link == "log"
    return SPREAD_OF_SCALE if scale else SPREAD


def link_of(law: Parametric, name: str) -> str:
    """Return on which scale families differ in a parameter: log, logit or identity."""
    prior = dict(law.priors)[name]
    if isinstance(prior, Coordinate):
        if prior.link is not None or prior.prior is None:
            return prior.link or "log"
        prior = prior.prior
    if prior.support is dist.constraints.positive:
        return "log"
    return "logit" if prior.support is dist.constraints.unit_interval else "identity"


def linked(law: Parametric, name: str, value: Any) -> Any:
    """Return a pooled parameter on its link's scale."""
    return LINKS[link_of(law, name)][0](value)


def shifted(law: Parametric, name: str, value: Any, shift: Any) -> Any:
    """Return a pooled parameter at a shift on its link's scale: link^-1(link(value) + shift)."""
    there, back = LINKS[link_of(law, name)]
    return back(there(value) + shift)


class Pinned(NamedTuple):
    """What the data of each group say of its parameter, as a sampler found out (`centring`)."""

    seen: Any
    """Where they put it on its link's scale, (group,)."""
    precision: Any
    """How precisely, (group,); 0 where nothing is known."""
    at: Any
    """The same places as coordinates of the parameter, (group,)."""
    slope: Any
    """Of the link in this coordinate."""
    prior: Any
    """Precision of the coordinate before the data."""


def unpinned(groups: int) -> Pinned:
    """Return what is known before a sampler has looked: nothing."""
    nothing, one = np.zeros(groups), np.float64(1.0)
    return Pinned(nothing, nothing, nothing, slope=one, prior=one)


def expected_value(pinned: Pinned, sd: Any) -> tuple[Any, Any]:
    """Return where the coordinate of the average group lies given sd, and how wide (prior: 1).

    Each group sees it through the sd between groups: with variance 1 / precision + sd^2.
    """
    information = pinned.slope**2 * pinned.precision / (1 + pinned.precision * sd**2)
    total = pinned.prior + jnp.sum(information)
    return jnp.sum(information * pinned.at) / total, jnp.sqrt(pinned.prior / total)


def expected_shifts(pinned: Pinned, value: Any, sd: Any) -> tuple[Any, Any]:
    """Return where the groups' e lie given the average group's value and sd, and how wide."""
    ratio = 1 + pinned.precision * sd**2
    return (pinned.seen - value) * pinned.precision * sd / ratio, ratio**-0.5
