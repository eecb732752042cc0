"""What scatters about the law.

Losses and error rates: `student` on the log scale is the default, since a few runs of any table
are off; `lognormal` where none is; `laplace` to compare with published Huber fits; `normal` for
responses that may be negative. Accuracies with a number of questions: `scatter` is the default;
`beta_binomial` has one overdispersion everywhere; `binomial` has none, for one model family and
nothing but sampling error; `bimodal` where runs of one scale are either on the floor or on the
ceiling. Scores from 0 to 1 without a number of questions (Brier, ROUGE, the probability of a right
answer): `bounded` where they come near a bound, `normal` where they keep away from both.

All but `binomial` take a known standard error, in the response's unit, which adds to their own.
"""

from __future__ import annotations

from difflib import get_close_matches
from math import log, pi

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from .data.dataset import Dataset
from .parametric.coordinates import scaled
from .parametric.parametric import Parametric, noise
from .parametric.priors import positive

__all__ = [
    "NOISES",
    "beta_binomial",
    "bimodal",
    "binomial",
    "bounded",
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


@noise(support="unit", counts=True)
def bimodal(mean, stderr, n, g, u, *, rho=positive(0.001, 0.2)):
    """n y ~ (1 - w) BetaBinomial(n, g, rho) + w BetaBinomial(n, u, rho), w = (mean-g)/(u-g).

    Each run breaks through or does not: the law says how many do, not how far each one comes.
    g and u are the law's own floor and ceiling, so that the mean is the law; u may lie below g.
    rho is the variance between runs on the same level, relative to that of a single question.
    Zhao et al. 2025 (Random Scaling of Emergent Capabilities, arXiv 2502.17356).
    """
    eps = jnp.finfo(mean.dtype).eps
    gap = jnp.where(u == g, eps, u - g)
    w = jnp.clip((mean - g) / gap, eps, 1 - eps)

    def level(p):
        p = _inside(jnp.broadcast_to(jnp.asarray(p, mean.dtype), mean.shape))
        return _overdispersed(p, _with_error(p, rho, stderr), n)

    either = dist.CategoricalLogits(jnp.log(jnp.stack([1 - w, w], -1)))
    return dist.MixtureGeneral(either, [level(g), level(u)])


EDGE = 5e-4
"""Scores nearer to 0 or 1 than this count as this near: half of the last of three digits."""


class _Beta(dist.Beta):
    """NumPyro's, with a log density that holds in float32, finite for scores of 0 and 1."""

    def log_prob(self, value):
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


@noise(support="unit")
def bounded(mean, stderr, *, rho=positive(0.0003, 0.1)):
    """y ~ Beta of mean `mean` and variance rho mean (1 - mean) + stderr^2.

    rho is the variance between runs, relative to the largest that scores from 0 to 1 can have.
    Scores below 5e-4 or above 1 - 5e-4 count as these, where a beta density may be infinite: for
    tiny probabilities take `student`, whose errors are relative. Ferrari and Cribari-Neto 2004,
    doi 10.1080/0266476042000214501.
    """
    p = _inside(mean)
    concentration = 1 / _with_error(p, rho, stderr) - 1
    return _Beta(p * concentration, (1 - p) * concentration)


NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(3)
WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@noise(support="unit", counts=True, nodes=3)
def scatter(mean, stderr, n, *, tau=positive(0.1, 3), rho=positive(1e-4, 0.05)):
    """Models differ in effective scale, with sd tau in log x, and in all else, by rho.

    n y ~ BetaBinomial of mean p(x) and variance rho' p (1 - p), rho' = v / (1 + v), v = rho +
    Var p(log x + tau z) / (p (1 - p)), z standard normal, by three-point Gauss-Hermite
    quadrature: accuracies scatter more where the curve is steep than on its plateaus. tau is in
    units of log x: .7 is a factor of 2 in effective compute.

    The law is the mean accuracy at x. Were it the accuracy of the median model, blurred by tau,
    steep laws would turn into stairs between the nodes; and plateaus on which models differ by no
    more than the sampling of questions are not what is measured.
    """
    weights = jnp.asarray(WEIGHTS, mean.dtype)[:, None]
    p = _inside(mean[len(WEIGHTS) // 2])
    apart = mean - jnp.sum(weights * mean, 0)[None]
    v = rho + jnp.sum(weights * apart**2, 0) / (p * (1 - p))
    return _overdispersed(p, _with_error(p, v / (1 + v), stderr), n)


NOISES: dict[str, Parametric] = {
    made.name: made
    for made in (
        student,
        lognormal,
        laplace,
        normal,
        bounded,
        scatter,
        beta_binomial,
        binomial,
        bimodal,
    )
}


def default_noise(law: Parametric, data: Dataset) -> str:
    """Return the name of the noise that a law's response has unless the user says otherwise."""
    if law.support == "positive":
        return "student"
    if law.support == "unit" and data.n is not None:
        return "scatter"
    # `normal` has a sigma, as the noise of a loss beside an accuracy has.
    return "bounded" if law.support == "unit" and law.beside else "normal"


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
