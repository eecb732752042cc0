"""Descent by L-BFGS, for models of so many coordinates that a Hessian costs more than the way down.

Newton's method takes as many gradients a step as there are coordinates; L-BFGS takes one or two
(optax; Liu and Nocedal 1989).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from ..model.model import Model
from ..model.programs import compiled

__all__ = ["descend"]

TRIED = 12
"""Steps along a line at most."""
FLAT = 1e-3
"""A gradient below it in every coordinate is the end."""


@compiled(static_argnames=("model", "loop"))
def _descend(model: Model, z, data, steps, *, loop: bool):
    def one(z, data):
        cost = lambda z: -model.log_density(z, data)  # noqa: E731
        search = optax.scale_by_zoom_linesearch(TRIED, initial_guess_strategy="one")
        method = optax.lbfgs(linesearch=search)
        value_and_gradient = optax.value_and_grad_from_state(cost)

        def step(carry):
            count, z, state, _ = carry
            value, gradient = value_and_gradient(z, state=state)
            move, state = method.update(
                gradient, state, z, value=value, grad=gradient, value_fn=cost
            )
            lost = ~jnp.all(jnp.isfinite(move))
            done = lost | (jnp.max(jnp.abs(gradient)) < FLAT)
            return count + 1, jnp.where(lost, z, z + move), state, done

        start = (0, z, method.init(z), jnp.zeros((), bool))
        return lax.while_loop(lambda c: (c[0] < steps) & ~c[3], step, start)[1]

    if loop:
        return lax.map(lambda each: one(*each), (z, data))
    return jax.vmap(one)(z, data)


def descend(model: Model, z: np.ndarray, data: dict, steps: int) -> np.ndarray:
    """Return where `steps` of L-BFGS lead from each start z, (curve, start, size)."""
    loop = jax.default_backend() == "cpu"

    def one(curve):
        own = np.full(z.shape[1], curve)
        lanes = jax.tree.map(lambda leaf: leaf[own], data)
        return _descend(model, z[curve], lanes, steps, loop=loop)

    return np.stack(jax.device_get([one(curve) for curve in range(len(z))]))
