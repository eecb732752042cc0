"""How the families of a pooled fit differ in a parameter: on which scale, and by how much.

Floor 1.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from .parametric import Coordinate, Parametric
from .priors import positive

__all__ = ["link_of", "shifted", "spread_of"]

# How much families differ: in scale, from a tenth to a factor of 20 of effective compute; in any
# other constant, on its link's scale, less.
SPREAD, SPREAD_OF_SCALE = positive(0.05, 1), positive(0.1, 3)
LINKS = {
    "log": (jnp.log, jnp.exp),
    "logit": (jax.scipy.special.logit, jax.nn.sigmoid),
    "identity": (lambda v: v, lambda v: v),
}


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


def shifted(law: Parametric, name: str, value: Any, shift: Any) -> Any:
    """Return a pooled parameter at a shift on its link's scale: link^-1(link(value) + shift)."""
    there, back = LINKS[link_of(law, name)]
    return back(there(value) + shift)
