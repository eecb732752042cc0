"""evaluate: what a law says at scales, for every draw of its parameters."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np

from ..parametric.parametric import Law
from .programs import by_blocks, compiled

__all__ = ["at_own", "law_at"]


@compiled(static_argnames=("law",))
def _at(law: Law, params, inputs):
    def one(params, inputs):
        return law.at(*(inputs[name] for name in law.inputs), **params)

    return jax.vmap(one)(params, inputs)


def at_own(
    law: Law, params: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Return the law where every draw has scales of its own, (draw, point), in float64.

    Points are padded to a power of two: programs of few lengths serve all.
    """
    given = {name: np.asarray(inputs[name]) for name in law.inputs}
    points = given[law.inputs[0]].shape[1]
    places = np.minimum(np.arange(1 << (points - 1).bit_length()), points - 1)

    def block(own):
        params, inputs = own
        padded = {name: x[:, places] for name, x in inputs.items()}
        return np.asarray(_at(law, params, padded))[:, :points]

    with jax.enable_x64(True):
        return by_blocks(block, (dict(params), given))


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
    lead, found = next(iter(params.values())).shape[:3], []
    for curve in range(lead[0]):
        own = {name: x[curve].reshape(-1, *x.shape[3:]) for name, x in params.items()}
        shape = lead[1] * lead[2], inputs[law.inputs[0]].shape[1]
        at = {name: np.broadcast_to(inputs[name][curve], shape) for name in law.inputs}
        found.append(at_own(law, own, at))
    return np.stack(found).reshape(*lead, -1)
