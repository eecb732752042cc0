"""Densities of counts and shares that hold in float32, without log-gammas."""

from __future__ import annotations

from math import log, pi

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import random, vmap
from jax.scipy.special import expit, log_ndtr

__all__ = [
    "Beta",
    "ExponentiallyModified",
    "Share",
    "ToShare",
    "inside",
    "overdispersed",
    "with_error",
]


def inside(p):
    """Keep p off 0 and 1, so that no count is impossible and no gradient infinite."""
    eps = jnp.finfo(p.dtype).eps
    return jnp.clip(p, eps**2, 1 - eps)


# Coefficients of log Gamma(x) - (x - 1/2) log x + x - log(2 pi)/2 in 1/x, 1/x^3, ...: seven are
# good to 3e-11 from x = SHIFT on.
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


SHIFT = 4


def _tail(x):
    """What Stirling's formula leaves of log Gamma(x)."""
    w = 1 / x
    found, square = STIRLING[-1], w * w
    for coefficient in STIRLING[-2::-1]:
        found = coefficient + found * square
    return found * w


def _shifted(a, b, s):
    """Two factors of Gamma(x + SHIFT)/Gamma(x) at a, times that at b, over that at s."""
    a, b, s = a * (a + 3), b * (b + 3), s * (s + 3)
    return a * (b / s), (a + 2) * ((b + 2) / (s + 2))


class _BetaBinomial(dist.BetaBinomial):
    """NumPyro's, with a log density without log-gammas.

    It takes a fraction of their time, and holds in float32 for any concentration: the difference
    of two log-gammas near 1e7 has no digits left there.
    """

    def log_prob(self, value):
        a, b = self.concentration1, self.concentration0
        n = jnp.asarray(self.total_count, a.dtype)
        y, z = value, n - value

        def rest(a, b, s):
            """log of Gamma(a + y)/Gamma(a), times b's with z, over s's with n, but for `main`."""
            A, B, S = a + SHIFT, b + SHIFT, s + SHIFT
            found = (A - 0.5) * jnp.log1p(y / A) + (B - 0.5) * jnp.log1p(z / B)
            found -= (S - 0.5) * jnp.log1p(n / S)
            found += _tail(A + y) - _tail(A) + (_tail(B + z) - _tail(B))
            found -= _tail(S + n) - _tail(S)
            (p, q), (p0, q0) = _shifted(a + y, b + z, s + n), _shifted(a, b, s)
            return found - jnp.log(p / p0) - jnp.log(q / q0)

        # Stirling's y log(A + y) and its like, taken together: alone they are large, and cancel.
        one = 1 + SHIFT
        unit = (a + b + SHIFT + n) / (one + n)
        main = y * jnp.log((a + SHIFT + y) / ((one + y) * unit))
        main += z * jnp.log((b + SHIFT + z) / ((one + z) * unit))
        return main + rest(a, b, a + b) - rest(1, 1, 1)


def overdispersed(p, rho, n):
    """Counts out of n whose probability has mean p and variance rho p (1 - p)."""
    concentration = 1 / rho - 1
    return _BetaBinomial(p * concentration, (1 - p) * concentration, n)


def with_error(p, rho, stderr):
    """rho, raised by a known standard error of the accuracy beyond its n questions."""
    return jnp.clip(rho + stderr**2 / (p * (1 - p)), 1e-7, 0.999)


EDGE = 5e-4
"""Scores nearer to 0 or 1 than this count as this near: half of the last of three digits."""


class Beta(dist.Beta):
    """NumPyro's, with a log density that holds in float32, finite for scores of 0 and 1."""

    def log_prob(self, value):
        """Return the log density of a share."""
        a, b = self.concentration1, self.concentration0
        s, y = a + b, jnp.clip(value, EDGE, 1 - EDGE)
        A, B, S = a + SHIFT, b + SHIFT, s + SHIFT
        # From the distance to the mean: y S / A and (1 - y) S / B are near 1, to large powers.
        away = s * (y - a / s)
        found = (A - 0.5) * jnp.log1p((away - SHIFT * (1 - y)) / A)
        found += (B - 0.5) * jnp.log1p((-away - SHIFT * y) / B)
        found -= (SHIFT + 0.5) * jnp.log(y * (1 - y)) + (SHIFT - 0.5) * jnp.log(S)
        p, q = _shifted(a, b, s)
        found += _tail(S) - _tail(A) - _tail(B) + jnp.log(p) + jnp.log(q)
        return found + (SHIFT - log(2 * pi) / 2)


class ToShare(dist.transforms.Transform):
    """Log odds -> a share of n questions, with half a question more on either side of them.

    y = ((n + 1) s(z) - 1/2)/n: none and all right are finite log odds (Haldane 1956, doi
    10.1111/j.1469-1809.1955.tb01285.x). Without a number, y = s(z), kept EDGE off 0 and 1.
    """

    domain = dist.constraints.real  # pyright: ignore[reportAssignmentType]
    codomain = dist.constraints.unit_interval  # pyright: ignore[reportAssignmentType]

    def __init__(self, n=None):
        self.n = n

    def __call__(self, z):
        """Return the share."""
        p = expit(z)
        return p if self.n is None else jnp.clip(((self.n + 1) * p - 0.5) / self.n, 0.0, 1.0)

    def _inverse(self, y):
        n = self.n
        inside = jnp.clip(y, EDGE, 1 - EDGE) if n is None else (n * y + 0.5) / (n + 1)
        return jnp.log(inside) - jnp.log1p(-inside)

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        """Log dy/dz."""
        more = 0.0 if self.n is None else jnp.log1p(1 / self.n)
        return more - jnp.logaddexp(0.0, x) - jnp.logaddexp(0.0, -x)

    def tree_flatten(self):
        """Return what NumPyro asks for."""
        return (self.n,), (("n",), {})


class Share(dist.TransformedDistribution):
    """A share whose log odds follow a distribution of location and scale."""

    def cdf(self, value):
        """All that would lie below 0 is at 0, all above 1 at 1."""
        below = self.base_dist.cdf(self.transforms[0].inv(jnp.clip(value, 0.0, 1.0)))
        return jnp.where(value <= 0, 0.0, jnp.where(value >= 1, 1.0, below))

    def _at_nodes(self):
        """The share at the nodes of a normal of the same location and scale."""
        base, link = self.base_dist, self.transforms[0]
        return vmap(lambda z: link(base.loc + base.scale * z))(jnp.asarray(NODES, base.loc.dtype))

    @property
    def mean(self):
        """Mean, by Gauss-Hermite quadrature."""
        return jnp.tensordot(jnp.asarray(WEIGHTS, self.base_dist.loc.dtype), self._at_nodes(), 1)

    @property
    def variance(self):
        """Variance, likewise."""
        at = self._at_nodes() - self.mean[None]
        return jnp.tensordot(jnp.asarray(WEIGHTS, at.dtype), at**2, 1)


NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


FAR, DEPTH = 5.0, 16
"""From where on the tail of a normal is taken from its continued fraction, and how deep."""


def _log_mills(t):
    """log of (1 - Phi(t))/phi(t), the tail of a normal over its density."""
    near, far = jnp.minimum(t, FAR), jnp.maximum(t, FAR)
    below = far
    for k in range(DEPTH, 0, -1):
        below = far + k / below
    direct = log_ndtr(-near) + 0.5 * near**2 + 0.5 * log(2 * pi)
    return jnp.where(t > FAR, -jnp.log(below), direct)


class ExponentiallyModified(dist.Distribution):
    """A normal variable plus an exponential one of mean `excess`."""

    arg_constraints = {  # noqa: RUF012
        "loc": dist.constraints.real,
        "scale": dist.constraints.positive,
        "excess": dist.constraints.positive,
    }
    support = dist.constraints.real  # pyright: ignore[reportAssignmentType]
    reparametrized_params = ["loc", "scale", "excess"]  # noqa: RUF012

    def __init__(self, loc, scale, excess, *, validate_args=None):
        shape = jnp.broadcast_shapes(jnp.shape(loc), jnp.shape(scale), jnp.shape(excess))
        self.loc, self.scale, self.excess = loc, scale, excess
        super().__init__(shape, validate_args=validate_args)

    def log_prob(self, value):
        """-log excess + a^2/2 - a z + log Phi(z - a), z = (y - loc)/scale, a = scale/excess."""
        z, a = (value - self.loc) / self.scale, self.scale / self.excess
        t = a - z
        # Where a is large, a^2/2 and log Phi cancel: only their rest is formed.
        inside = -0.5 * z**2 - 0.5 * log(2 * pi) + _log_mills(jnp.maximum(t, 0.0))
        beyond = 0.5 * a**2 - a * z + log_ndtr(jnp.maximum(-t, 0.0))
        return jnp.where(t > 0, inside, beyond) - jnp.log(self.excess)

    def sample(self, key, sample_shape=()):
        """Return draws."""
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        normal, rest = random.normal(first, shape), random.exponential(second, shape)
        return self.loc + self.scale * normal + self.excess * rest
