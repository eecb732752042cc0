"""Runs under the draws of a fit: their log density, left out one at a time, and new ones.

Floor 4.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from .model.arrays import pack
from .posterior import Posterior

__all__ = ["LeftOut", "leave_one_out", "log_likelihood", "replicate"]

FEWEST = 25
"""Draws below which importance weights have no tail to smooth."""


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


class LeftOut(NamedTuple):
    """How well each run is predicted from all others."""

    elpd: np.ndarray
    """Log predictive density of each run, (row,)."""
    k_hat: np.ndarray
    """Pareto k of its importance weights, (row,); above .7 the estimate is rough."""
    complexity: np.ndarray
    """Log density in the sample less out of it, (row,): the sum is the effective number of
    parameters."""


def leave_one_out(posterior: Posterior, *, whole: bool = False) -> LeftOut:
    """Return the leave-one-run-out predictive density of `response`, by PSIS.

    Where a law speaks of several responses, whole runs are left out, and what is scored is the
    law's `response`: laws of accuracy alone and laws that go through a loss compare.

    Parameters
    ----------
    whole
        Score all that was measured in each run, for laws that speak of the same responses.

    Raises
    ------
    ValueError
        If there are too few draws to smooth the importance weights.

    Notes
    -----
    Vehtari, Gelman and Gabry 2017 (arXiv 1507.04544); smoothing as in ArviZ.
    """
    from arviz_stats.base import array_stats
    from scipy.special import logsumexp

    runs, law = log_likelihood(posterior), posterior.law
    apart = law.beside and not whole
    own = log_likelihood(posterior, law.response) if apart else runs
    runs, own = (v.reshape(-1, v.shape[-1]).T for v in (runs, own))
    if apart:
        seen = np.isfinite(posterior.data.responses[law.response])
        runs, own = runs[seen], own[seen]
    if runs.shape[1] < FEWEST:
        raise ValueError(f"leave-one-out needs {FEWEST} draws or more, got {runs.shape[1]}")
    weights, k_hat = array_stats.psislw(runs)  # which takes the negatives of log weights
    elpd = logsumexp(weights + own, axis=1)
    inside = logsumexp(own, axis=1) - np.log(own.shape[1])
    return LeftOut(elpd, np.asarray(k_hat, float), inside - elpd)


@partial(jax.jit, static_argnames=("model",))
def _again(model, params, data, keys):
    def one(key, params):
        return model.scatter(params, data).sample(key)

    return jax.vmap(one)(keys, params)


def replicate(posterior: Posterior, count: int, *, seed: int = 0) -> np.ndarray:
    """Return new responses at the scales of the data, one set a draw, (count, row).

    Of a posterior of one curve; draws are taken evenly from all chains.
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
