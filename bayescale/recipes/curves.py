"""curves: the curves of recipes from draws, and the factor that lies between two of them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..model.programs import compiled
from ..posterior.posterior import Posterior

__all__ = ["factor_of", "log_curves", "turning"]


@compiled(static_argnames=("law",))
def _curves(law, params, x, which, basis):
    wander = law.wander

    def one(params):
        own = {name: params[name] for name in wander.base.parameters}
        bent = basis @ (wander.rates(params) * params["bends"])
        return jnp.log(wander.base.fn(x, which, **own)) + bent

    return jax.vmap(one)(params)


def log_curves(one: Posterior, count: int, at: np.ndarray) -> np.ndarray:
    """Return the log of each recipe's curve with its misfit, (recipe, draw, point).

    Parameters
    ----------
    one
        A fit of `laws.recipes`.
    count
        How many recipes there are.
    at
        Scales in log.
    """
    wander, flat = one.law.wander, one.flat()
    assert wander is not None
    edges = {name: float(flat[name][0]) for name in wander.edges}
    known = {name: flat[name] for name in one.law.parameters}
    with jax.enable_x64(True):
        x = jnp.asarray(np.tile(np.exp(at), count))
        which = jnp.asarray(np.repeat(np.arange(1.0, count + 1), len(at)))
        basis = wander.basis(x, which, **edges)
        found = np.asarray(_curves(one.law, known, x, which, basis))
    return np.moveaxis(found.reshape(len(found), count, len(at)), 1, 0)


def factor_of(low: np.ndarray, wide: np.ndarray, ours: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the scale at which the baseline first gets to `ours` over `at`, (draw, point).

    Parameters
    ----------
    low
        Log of the baseline's curve at the scales `wide`, in log: (draw, wide).
    ours
        Log of the recipe's at the scales `at`, in log: (draw, point).
    """
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
