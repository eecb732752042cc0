"""Noises of losses and error rates, and of any real response.

`student` on the log scale is the default, since a few runs of any table are off; `lognormal` where
none is; `laplace` to compare with published Huber fits; `normal` for responses that may be
negative. `frontier` for all runs of a sweep, whose law is that of the best.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from ..data.responses import RESOLUTION
from ..parametric.coordinates import scaled
from ..parametric.parametric import noise
from ..parametric.priors import positive
from .densities import ExponentiallyModified

__all__ = ["frontier", "laplace", "lognormal", "normal", "student"]


# Relative error of one run: seeds differ by .1 to 1 %, digitised figures by 1 %, few-shot error
# rates by 10 % and more.
RELATIVE = positive(0.001, 0.3)


def _spread(sigma, error):
    """The scale of log y: of a run's own error, its measurement's, and the least there is."""
    return jnp.sqrt(sigma**2 + error**2 + RESOLUTION**2)


def _log_scale(base, mean, sigma):
    """The law of y when log y follows `base` about log mean."""
    return dist.TransformedDistribution(base(jnp.log(mean), sigma), dist.transforms.ExpTransform())


@noise
def student(mean, stderr, *, sigma=RELATIVE, nu=dist.Gamma(2.0, 0.1)):
    """log y ~ StudentT(nu, log mean, sqrt(sigma^2 + (stderr/mean)^2)).

    sigma is a relative error, nu the degrees of freedom: small where a few runs are far off.
    Prior of nu: Juarez and Steel 2010, doi 10.1198/jbes.2009.07145.
    """
    scale = _spread(sigma, stderr / mean)
    return _log_scale(lambda loc, s: dist.StudentT(nu, loc, s), mean, scale)


@noise
def lognormal(mean, stderr, *, sigma=RELATIVE):
    """log y ~ Normal(log mean, sqrt(sigma^2 + (stderr/mean)^2)); sigma is a relative error."""
    return dist.LogNormal(jnp.log(mean), _spread(sigma, stderr / mean))


@noise
def laplace(mean, stderr, *, sigma=RELATIVE):
    """log y ~ Laplace(log mean, sqrt(sigma^2 + (stderr/mean)^2 / 2)).

    Its mode is the least-absolute-error fit: what a Huber loss on the log with delta 1e-3
    amounts to (Hoffmann et al. 2022, arXiv 2203.15556). A known standard error enters through
    its variance.
    """
    return _log_scale(dist.Laplace, mean, _spread(sigma, stderr / mean / np.sqrt(2)))


@noise
def frontier(mean, stderr, *, sigma=positive(0.0005, 0.05), excess=positive(0.003, 1)):
    """log y = log mean + m + e, m ~ Exponential of mean excess, e ~ Normal(0, s).

    s^2 = sigma^2 + (stderr/mean)^2. Runs lie above the law by how badly they were tuned: the law
    is their lower envelope, what a run of the best settings has, and excess how far a run of this
    sweep is above it (relative). A new run is one of the sweep, not the best. Where all were tuned
    alike, nothing tells the two scatters apart, and `student` is the better one. The stochastic
    frontier of Aigner, Lovell and Schmidt 1977, doi 10.1016/0304-4076(77)90052-5.
    """
    scale = _spread(sigma, stderr / mean)
    return _log_scale(lambda loc, s: ExponentiallyModified(loc, s, excess), mean, scale)


@noise(support="real")
def normal(
    mean,
    stderr,
    *,
    sigma=scaled(RELATIVE, lambda s, at: s * at.y, says="{}, times a typical response"),
):
    """y ~ Normal(mean, sqrt(sigma^2 + stderr^2)); sigma in the unit of the response."""
    return dist.Normal(mean, jnp.sqrt(sigma**2 + stderr**2))
