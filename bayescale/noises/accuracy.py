"""Noises of accuracies and other shares from 0 to 1.

With a number of questions `scale_scatter` is the default; `beta_binomial` has one overdispersion
everywhere; `binomial` has none, for one model family and nothing but sampling error; `bimodal`
where runs of one scale are either on the floor or on the ceiling. Without one (Brier, ROUGE, the
probability of a right answer): `bounded` where scores come near a bound, `normal` where they keep
away from both. `logit_normal` of rows that are of runs, with or without a number of questions.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from ..parametric.parametric import noise
from ..parametric.priors import positive
from .densities import Beta, Share, ToShare, inside, overdispersed, with_error

__all__ = ["beta_binomial", "bimodal", "binomial", "bounded", "logit_normal", "scale_scatter"]


@noise(support="unit", counts=True)
def beta_binomial(mean, stderr, n, *, rho=positive(0.001, 0.2)):
    """n y ~ BetaBinomial(n, mean, rho): the models' accuracies scatter by rho mean (1 - mean).

    rho is the variance between models, relative to that of a single question. Griffiths 1973,
    doi 10.2307/2529131.
    """
    p = inside(mean)
    return overdispersed(p, with_error(p, rho, stderr), n)


@noise(support="unit", counts=True)
def binomial(mean, n):
    """n y ~ Binomial(n, mean): nothing but the sampling of n questions."""
    return dist.Binomial(n, probs=inside(mean))


@noise(support="unit", counts=True)
def bimodal(mean, stderr, n, floor, ceiling, *, rho=positive(0.001, 0.2)):
    """n y ~ (1 - w) BetaBinomial(n, g, rho) + w BetaBinomial(n, u, rho), w = (mean - g)/(u - g).

    Each run breaks through or does not: the law says how many do, not how far each one comes.
    g and u are the law's own floor and ceiling, so that the mean is the law; u may lie below g.
    rho is the variance between runs on the same level, relative to that of a single question.
    Zhao et al. 2025 (Random Scaling of Emergent Capabilities, arXiv 2502.17356).
    """
    eps = jnp.finfo(mean.dtype).eps
    gap = jnp.where(ceiling == floor, eps, ceiling - floor)
    w = jnp.clip((mean - floor) / gap, eps, 1 - eps)

    def level(p):
        p = inside(jnp.broadcast_to(jnp.asarray(p, mean.dtype), mean.shape))
        return overdispersed(p, with_error(p, rho, stderr), n)

    either = dist.CategoricalLogits(jnp.log(jnp.stack([1 - w, w], -1)))
    return dist.MixtureGeneral(either, [level(floor), level(ceiling)])


@noise(support="unit")
def bounded(mean, stderr, *, rho=positive(0.0003, 0.1)):
    """y ~ Beta of mean `mean` and variance rho mean (1 - mean) + stderr^2.

    rho is the variance between runs, relative to the largest that scores from 0 to 1 can have.
    Scores below 5e-4 or above 1 - 5e-4 count as these, where a beta density may be infinite: for
    tiny probabilities take `student`, whose errors are relative. Ferrari and Cribari-Neto 2004,
    doi 10.1080/0266476042000214501.
    """
    p = inside(mean)
    concentration = 1 / with_error(p, rho, stderr) - 1
    return Beta(p * concentration, (1 - p) * concentration)


@noise(support="unit")
def logit_normal(mean, stderr, n, *, sigma=positive(0.03, 1)):
    """logit y' ~ Normal(logit p, s), s^2 = sigma^2 + 1/(n p q) + (stderr/(p q))^2, q = 1 - p.

    p is the mean, y' = (n y + 1/2)/(n + 1), so that none and all of n questions right are finite;
    n is left out where it is not known. sigma is how far models are off the law, in log odds. What
    counts become where they have to have a location and a scale, as rows of one run do; near the
    binomial where n p q is above 5 (Gart et al. 1985, doi 10.1093/biomet/72.1.179).
    """
    p = inside(mean)
    within = p * (1 - p)
    variance = sigma**2 + (stderr / within) ** 2
    if n is not None:
        variance += 1 / (n * within)
    odds = dist.Normal(jnp.log(p) - jnp.log1p(-p), jnp.sqrt(variance))
    return Share(odds, ToShare(n))


NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(3)
WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@noise(support="unit", counts=True, nodes=3, spread="tau")
def scale_scatter(mean, stderr, n, *, tau=positive(0.1, 3), rho=positive(1e-4, 0.05)):
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
    p = inside(mean[len(WEIGHTS) // 2])
    apart = mean - jnp.sum(weights * mean, 0)[None]
    v = rho + jnp.sum(weights * apart**2, 0) / (p * (1 - p))
    return overdispersed(p, with_error(p, v / (1 + v), stderr), n)
