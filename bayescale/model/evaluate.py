"""evaluate: what a law says at scales, for every draw of its parameters."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np

from ..parametric.parametric import Law
from .programs import compiled

__all__ = ["at_own", "law_at"]


@compiled(static_argnames=("law",))
def _law_at(law: Law, params, inputs):
    def one(params, inputs):
        return law.at(*(inputs[name] for name in law.inputs), **params)

    return jax.vmap(jax.vmap(one, (0, None)))(params, inputs)


def law_at(
    law: Law, draws: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Return the law for every draw, (curve, chain, draw, point), in float64.

    Parameters
    ----------
    draws
        Parameters in natural units, (curve, chain, draw, ...).
    inputs
        Scales in natural units, (curve, point).
    """
    params = {name: draws[name] for name in law.parameters}
    lead = next(iter(params.values())).shape[:3]
    flat = {k: v.reshape(lead[0], -1, *v.shape[3:]) for k, v in params.items()}
    with jax.enable_x64(True):
        values = jax.device_get(_law_at(law, flat, dict(inputs)))
    return np.asarray(values).reshape(*lead, -1)


@compiled(static_argnames=("law",))
def _at_own(law, params, inputs):
    def one(params, inputs):
        return law.at(*(inputs[name] for name in law.inputs), **params)

    return jax.vmap(one)(params, inputs)


def at_own(
    law: Law, params: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Return the law where every draw has scales of its own, (draw, point), in float64."""
    with jax.enable_x64(True):
        return np.asarray(_at_own(law, dict(params), dict(inputs)))
