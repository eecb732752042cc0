"""curves: the curves of recipes from draws, and the factor that lies between two of them."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from ..posterior.posterior import Posterior

__all__ = ["factor_of", "log_curve", "turning"]


def log_curve(
    one: Posterior, drawn: Mapping[str, np.ndarray], recipe: int, at: np.ndarray
) -> np.ndarray:
    """Return the log of a recipe's curve with its misfit at scales in log, (draw, point)."""
    wander = one.law.wander
    assert wander is not None
    x, which = jnp.exp(jnp.asarray(at)), jnp.full(len(at), float(recipe))
    edges = {name: float(drawn[name][0]) for name in wander.edges}
    known = {name: drawn[name] for name in one.law.parameters}
    with jax.enable_x64(True):
        x, which = jnp.asarray(np.exp(at)), jnp.full(len(at), float(recipe))
        basis = np.asarray(wander.basis(x, which, **edges))

        def law(params):
            own = {name: params[name] for name in wander.base.parameters}
            return jnp.log(wander.base.fn(x, which, **own)), wander.rates(params) * params["bends"]

        alone, bent = jax.vmap(law)({name: jnp.asarray(v) for name, v in known.items()})
    return np.asarray(alone) + np.asarray(bent) @ basis.T


def factor_of(low: np.ndarray, wide: np.ndarray, ours: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the scale at which the baseline first gets to `ours` over `at`, (draw, point)."""
    reached = -np.minimum.accumulate(low, axis=1)
    there = [
        np.interp(-mine, base, wide, right=np.inf) for mine, base in zip(ours, reached, strict=True)
    ]
    return np.exp(np.array(there) - at)


def turning(better: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return where the better one changes for the last time; inf where the ends agree."""
    changes = better[:, 1:] != better[:, :-1]
    last = changes.shape[1] - 1 - np.argmax(changes[:, ::-1], axis=1)
    found = np.sqrt(scales[last] * scales[last + 1])
    return np.where(better[:, 0] != better[:, -1], found, np.inf)
