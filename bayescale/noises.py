"""What scatters about the law.

Losses and error rates: `student` on the log scale is the default, since a few runs of any table
are off; `lognormal` where none is; `laplace` to compare with published Huber fits; `normal` for
responses that may be negative. Accuracies with a number of questions: `scatter` is the default;
`beta_binomial` has one overdispersion everywhere; `binomial` has none, for one model family and
nothing but sampling error.

All but `binomial` take a known standard error, in the response's unit, which adds to their own.
"""

from __future__ import annotations

from difflib import get_close_matches

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import gammaln

from .data import Dataset
from .parametric import Parametric, noise, scaled
from .priors import positive

__all__ = [
    "NOISES",
    "beta_binomial",
    "binomial",
    "default_noise",
    "get_noise",
    "laplace",
    "lognormal",
    "normal",
    "scatter",
    "student",
]

# Relative error of one run: seeds differ by .1 to 1 %, digitised figures by 1 %, few-shot error
# rates by 10 % and more.
RELATIVE = positive(0.001, 0.3)


def _log_scale(base, mean, sigma):
    """The law of y when log y follows `base` about log mean."""
    return dist.TransformedDistribution(base(jnp.log(mean), sigma), dist.transforms.ExpTransform())


@noise
def student(mean, stderr, *, sigma=RELATIVE, nu=dist.Gamma(2.0, 0.1)):
    """log y ~ StudentT(nu, log mean, sqrt(sigma^2 + (stderr/mean)^2)).

    sigma is a relative error, nu the degrees of freedom: small where a few runs are far off.
    Prior of nu: Juarez and Steel 2010, doi 10.1198/jbes.2009.07145.
    """
    scale = jnp.sqrt(sigma**2 + (stderr / mean) ** 2)
    return _log_scale(lambda loc, s: dist.StudentT(nu, loc, s), mean, scale)


@noise
def lognormal(mean, stderr, *, sigma=RELATIVE):
    """log y ~ Normal(log mean, sqrt(sigma^2 + (stderr/mean)^2)); sigma is a relative error."""
    return dist.LogNormal(jnp.log(mean), jnp.sqrt(sigma**2 + (stderr / mean) ** 2))


@noise
def laplace(mean, stderr, *, sigma=RELATIVE):
    """log y ~ Laplace(log mean, sqrt(sigma^2 + (stderr/mean)^2 / 2)).

    Its mode is the least-absolute-error fit: what a Huber loss on the log with delta 1e-3
    amounts to (Hoffmann et al. 2022, arXiv 2203.15556). A known standard error enters through
    its variance.
    """
    return _log_scale(dist.Laplace, mean, jnp.sqrt(sigma**2 + (stderr / mean) ** 2 / 2))


@noise(support="real")
def normal(mean, stderr, *, sigma=scaled(RELATIVE, lambda s, y: s * y)):
    """y ~ Normal(mean, sqrt(sigma^2 + stderr^2)); sigma in the unit of the response."""
    return dist.Normal(mean, jnp.sqrt(sigma**2 + stderr**2))


def _inside(p):
    """Keep p off 0 and 1, so that no count is impossible and no gradient infinite."""
    eps = jnp.finfo(p.dtype).eps
    return jnp.clip(p, eps**2, 1 - eps)


def _log_rising(a, k):
    """log Gamma(a + k) - log Gamma(a): by Stirling's series where a is large.

    The difference of two log-gammas near 1e7 has no digits left in float32.
    """
    large = jnp.maximum(a, 8.0)

    def tail(x):
        return (1 - 1 / (30 * x**2)) / (12 * x)

    series = (large - 0.5) * jnp.log1p(k / large) + k * (jnp.log(large + k) - 1)
    series += tail(large + k) - tail(large)
    small = jnp.minimum(a, 8.0)
    return jnp.where(a > 8.0, series, gammaln(small + k) - gammaln(small))


class _BetaBinomial(dist.BetaBinomial):
    """NumPyro's, with a log density that holds in float32 for any concentration."""

    def log_prob(self, value):
        a, b, n = self.concentration1, self.concentration0, self.total_count
        ways = gammaln(n + 1.0) - gammaln(value + 1.0) - gammaln(n - value + 1.0)
        parts = _log_rising(a, value) + _log_rising(b, n - value) - _log_rising(a + b, n)
        return ways + parts


def _overdispersed(p, rho, n):
    """Counts out of n whose probability has mean p and variance rho p (1 - p)."""
    concentration = 1 / rho - 1
    return _BetaBinomial(p * concentration, (1 - p) * concentration, n)


def _with_error(p, rho, stderr):
    """rho, raised by a known standard error of the accuracy beyond its n questions."""
    return jnp.clip(rho + stderr**2 / (p * (1 - p)), 1e-7, 0.999)


@noise(support="unit", counts=True)
def beta_binomial(mean, stderr, n, *, rho=positive(0.001, 0.2)):
    """n y ~ BetaBinomial(n, mean, rho): the models' accuracies scatter by rho mean (1 - mean).

    rho is the variance between models, relative to that of a single question. Griffiths 1973,
    doi 10.2307/2529131.
    """
    p = _inside(mean)
    return _overdispersed(p, _with_error(p, rho, stderr), n)


@noise(support="unit", counts=True)
def binomial(mean, n):
    """n y ~ Binomial(n, mean): nothing but the sampling of n questions."""
    return dist.Binomial(n, probs=_inside(mean))


NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@noise(support="unit", counts=True, nodes=5)
def scatter(mean, stderr, n, *, tau=positive(0.1, 3)):
    """Models differ in effective scale: log x varies from model to model with sd tau.

    n y ~ BetaBinomial matched to the mean and variance of p(log x + tau z), z standard normal,
    by five-point Gauss-Hermite quadrature: accuracies scatter where the curve is steep and agree
    on its plateaus. tau is in units of log x: .7 is a factor of 2 in effective compute.
    """
    weights = jnp.asarray(WEIGHTS, mean.dtype)[:, None]
    p = _inside(jnp.sum(weights * mean, 0))
    variance = jnp.sum(weights * (mean - p[None]) ** 2, 0)
    return _overdispersed(p, _with_error(p, variance / (p * (1 - p)), stderr), n)


NOISES: dict[str, Parametric] = {
    made.name: made
    for made in (student, lognormal, laplace, normal, scatter, beta_binomial, binomial)
}


def default_noise(law: Parametric, data: Dataset) -> str:
    """Return the name of the noise that a law's response has unless the user says otherwise."""
    if law.support == "positive":
        return "student"
    return "scatter" if law.support == "unit" and data.n is not None else "normal"


def get_noise(text: str | Parametric) -> Parametric:
    """Return the noise that `text` names.

    Raises
    ------
    ValueError
        If there is no such noise.
    """
    if isinstance(text, Parametric):
        return text
    if text not in NOISES:
        near = get_close_matches(text, NOISES, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"unknown noise {text!r}: {hint}the noises are {', '.join(NOISES)}")
    return NOISES[text]
