"""sampling: draws of distributions by NumPy.

JAX's own samplers of gamma, beta and binomial variables take a second each to compile, which is
more than all else that a few thousand draws cost. What is not known here is drawn by JAX.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

__all__ = ["sample", "sample_each"]


def _binomial(rng: np.random.Generator, n: Any, p: Any, size: Any) -> np.ndarray:
    known = np.isfinite(p)
    drawn = rng.binomial(np.asarray(n, int), np.where(known, np.clip(p, 0, 1), 0), size)
    return np.where(known, drawn, np.nan)


def _dirichlet(rng: np.random.Generator, concentration: Any, size: Any) -> np.ndarray:
    shape = None if size is None else (*size[: len(size) - 1], *concentration.shape)
    drawn = rng.gamma(concentration, 1.0, shape)
    return drawn / drawn.sum(-1, keepdims=True)


KNOWN = {
    dist.Normal: lambda d, rng, size: rng.normal(d.loc, d.scale, size),
    dist.LogNormal: lambda d, rng, size: rng.lognormal(d.loc, d.scale, size),
    dist.StudentT: lambda d, rng, size: (
        d.loc
        + d.scale * rng.standard_t(d.df, size or np.broadcast_shapes(*map(np.shape, (d.df, d.loc))))
    ),
    dist.Laplace: lambda d, rng, size: rng.laplace(d.loc, d.scale, size),
    dist.Logistic: lambda d, rng, size: rng.logistic(d.loc, d.scale, size),
    dist.Gamma: lambda d, rng, size: rng.gamma(d.concentration, 1 / d.rate, size),
    dist.Beta: lambda d, rng, size: rng.beta(d.concentration1, d.concentration0, size),
    dist.Dirichlet: lambda d, rng, size: _dirichlet(rng, d.concentration, size),
    dist.BinomialProbs: lambda d, rng, size: _binomial(rng, d.total_count, d.probs, size),
    dist.BetaBinomial: lambda d, rng, size: _binomial(
        rng, d.total_count, rng.beta(d.concentration1, d.concentration0, size), size
    ),
}


def _known(d: Distribution) -> Any:
    """Return (distribution, rng, size) -> draws; None where that is left to JAX."""
    for kind in type(d).__mro__:
        if kind in KNOWN:
            return KNOWN[kind] if type(d).sample is kind.sample else None
    return None


def _drawn(d: Distribution, rng: np.random.Generator, size: tuple[int, ...] | None) -> Any:
    """Return draws of a distribution, or of its exponential; None where that is left to JAX."""
    if _known(d) is not None:
        return _known(d)(jax.tree.map(np.asarray, d), rng, size)
    if type(d).sample is not dist.TransformedDistribution.sample:
        return None
    if [type(transform) for transform in d.transforms] != [dist.transforms.ExpTransform]:
        return None
    drawn = _drawn(d.base_dist, rng, size)
    with np.errstate(over="ignore"):  # a wide prior's tail leaves the floats: infinity, as in JAX
        return None if drawn is None else np.exp(drawn)


def sample(d: Distribution, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Return so many draws, (draw, ...)."""
    shape, elements = (draws, *d.batch_shape, *d.event_shape), d
    while isinstance(elements, dist.Independent | dist.ExpandedDistribution):
        elements = elements.base_dist
    drawn = _drawn(elements, rng, shape)
    if drawn is None:
        drawn = d.sample(jax.random.key(rng.integers(2**32)), (draws,))
    return np.asarray(drawn, float)


def sample_each(d: Distribution, rng: np.random.Generator) -> np.ndarray:
    """Return one draw of each of many distributions, which `vmap` made: (draw, ...)."""
    drawn = _drawn(d, rng, None)
    if drawn is None:
        count = jax.tree.leaves(d)[0].shape[0]
        keys = jax.random.split(jax.random.key(rng.integers(2**32)), count)
        drawn = jax.vmap(lambda d, key: d.sample(key))(d, keys)
    return np.asarray(drawn, float)
