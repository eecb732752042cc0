"""Runs under the draws of a fit: their log density, left out one at a time, and new ones."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np

from ..model.arrays import pack
from .posterior import Posterior

__all__ = ["log_likelihood", "replicate"]


@partial(jax.jit, static_argnames=("model",))
def _rows(model, params, data):
    return jax.vmap(model.log_likelihoods, (0, None))(params, data)


def log_likelihood(posterior: Posterior, response: str | None = None) -> np.ndarray:
    """Return the log density of each row under its own curve, (chain, draw, row).

    Of all that was measured in the row, or of one response of a law of several.
    """
    model, data, names = posterior.model, posterior.data, posterior.curves
    draws = posterior.draws if names else {k: v[None] for k, v in posterior.draws.items()}
    lead = next(iter(draws.values())).shape[1:3]
    found = np.empty((*lead, len(data)))
    with jax.enable_x64(True):
        for batch in pack(model, data):
            for row, curve in enumerate(batch.curves):
                lane = jax.tree.map(lambda leaf, row=row: leaf[row], batch.data)
                # Draws are in natural units, so the scales must be too.
                lane["inputs"] = {k: v * lane["ref"][k] for k, v in lane["inputs"].items()}
                params = {k: v[curve].reshape(-1, *v.shape[3:]) for k, v in draws.items()}
                own = data.curve == names[curve] if names else np.ones(len(data), bool)
                parts = _rows(model, params, lane)
                values = sum(parts.values()) if response is None else parts[response]
                found[:, :, own] = np.asarray(values)[:, : own.sum()].reshape(*lead, -1)
    return found


@partial(jax.jit, static_argnames=("model",))
def _again(model, params, data, keys):
    def one(key, params):
        return model.scatter(params, data).sample(key)

    return jax.vmap(one)(keys, params)


def replicate(posterior: Posterior, count: int, *, seed: int = 0) -> np.ndarray:
    """Return new responses at the scales of the data, one set a draw, (count, row).

    Of a posterior of one curve; draws are taken evenly from all chains.

    Returns
    -------
    array
        New responses, (count, row).

    Examples
    --------
    >>> new = bs.replicate(power_fit, 50, seed=1)
    >>> new.shape == (50, len(power_fit.data))
    True
    """
    if posterior.curves:
        raise ValueError("replicate takes a posterior of one curve: posterior.curve(NAME)")
    model, flat = posterior.model, posterior.flat()
    total = next(iter(flat.values())).shape[0]
    at = np.linspace(0, total - 1, count).astype(int)
    with jax.enable_x64(True):
        (batch,) = pack(model, posterior.data)
        lane = jax.tree.map(lambda leaf: leaf[0], batch.data)
        lane["inputs"] = {k: v * lane["ref"][k] for k, v in lane["inputs"].items()}
        keys = jax.random.split(jax.random.key(seed), count)
        drawn = _again(model, {k: v[at] for k, v in flat.items()}, lane, keys)
        shares = np.asarray(drawn, float) / (lane["n"] if model.noise.counts else 1.0)
    return shares[:, : len(posterior.data)]
