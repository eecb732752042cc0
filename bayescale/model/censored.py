"""log_cdf: how likely a response is to lie below a detection limit, for noises of losses.

What is only known to lie below a limit has the probability of lying there for its likelihood.
"""

from __future__ import annotations

from math import log, pi

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from jax.scipy.special import gammaln, log_ndtr
from jaxtyping import Array, Float

__all__ = ["log_cdf"]

# exp(pi/2 sinh t) takes the line to the half-line at double-exponential speed, so that the plain
# sum is good to 1e-8 for tails that fall as powers, to 2e-5 for those that fall as squares
# (Takahasi and Mori 1974, doi 10.2977/prims/1195192451).
_STEP = 0.2
_AT = np.arange(-18, 24) * _STEP
_FAR = 1e10
NODES = np.exp(pi / 2 * np.sinh(_AT))
_LOG_WEIGHTS = np.log(_STEP * pi / 2 * np.cosh(_AT)) + pi / 2 * np.sinh(_AT)


def log_cdf(scatter: dist.Distribution, limit: Float[Array, ...]) -> Float[Array, ...]:
    """Return the log probability of lying below a limit, exact far out in the tail.

    Of normal, Laplace and Student's t, and of what is one of them on the log; of any other
    distribution by its own `cdf`, which is 0 in floats far out.

    Raises
    ------
    NotImplementedError
        If a distribution has no `cdf`.
    """
    if isinstance(scatter, dist.TransformedDistribution) and _of_logs(scatter):
        return log_cdf(scatter.base_dist, jnp.log(limit))
    if isinstance(scatter, dist.Normal):
        return log_ndtr((limit - scatter.loc) / scatter.scale)
    if isinstance(scatter, dist.Laplace):
        z = (limit - scatter.loc) / scatter.scale
        inner = jnp.log1p(-0.5 * jnp.exp(-jnp.where(z < 0, 0.0, z)))
        return jnp.where(z < 0, z - log(2), inner)
    if isinstance(scatter, dist.StudentT):
        z = jnp.asarray((limit - scatter.loc) / scatter.scale)
        return _student(*jnp.broadcast_arrays(z, jnp.asarray(scatter.df, z.dtype)))
    below = scatter.cdf(limit)
    return jnp.log(jnp.maximum(below, jnp.finfo(below.dtype).tiny))


def _of_logs(scatter: dist.TransformedDistribution) -> bool:
    return [type(each) for each in scatter.transforms] == [dist.transforms.ExpTransform]


def _student(z: Array, df: Array) -> Array:
    """Return the log of Student's cumulative distribution.

    NumPyro's is an incomplete beta function, which JAX does not differentiate by df.
    """
    tail = _log_tail(jnp.abs(z), df)
    # 1 - tail, of a tail that is one half at most.
    return jnp.where(z < 0, tail, jnp.log1p(-jnp.exp(tail)))


def _log_tail(a: Array, df: Array) -> Array:
    """Return the log probability of lying above a >= 0: the density summed over a + s NODES.

    s is the length over which the density falls by e: 1 in the middle, 1/a where it falls as a
    normal one, a/(df + 2) where as a power.
    """
    dtype = a.dtype
    s = lax.stop_gradient((1 + a) / (1 + (1 + a) * (df + 1) * (a / (df + a * a))))
    nodes, weights = (
        jnp.asarray(each, dtype).reshape(*(1,) * a.ndim, -1) for each in (NODES, _LOG_WEIGHTS)
    )
    at = a[..., None] + s[..., None] * nodes
    df = df[..., None]
    # log1p(t^2/df), of t^2 that overflows as of t^2 (1/t^2 + 1/df).
    far, near = jnp.maximum(at, _FAR), jnp.minimum(at, _FAR)
    falls = jnp.where(at > _FAR, 2 * jnp.log(far) + jnp.log(far**-2 + 1 / df), 0.0)
    falls += jnp.where(at > _FAR, 0.0, jnp.log1p(near**2 / df))
    density = -0.5 * (df + 1) * falls
    density += gammaln(0.5 * (df + 1)) - gammaln(0.5 * df) - 0.5 * jnp.log(df * pi)
    terms = density + weights + jnp.log(s)[..., None]
    top = jnp.max(terms, -1, keepdims=True)
    return jnp.squeeze(top, -1) + jnp.log(jnp.sum(jnp.exp(terms - top), -1))
