"""Capability laws that fall: U-shaped, inverse and inverted-U scaling, told as a competing task.

Small models guess. Middling models become able to do another task, the distractor, whose answers
score below (or above) the floor; large models become able to do the true one. The mechanism is
of Wei et al. 2022 (arXiv 2211.02011), after the Inverse Scaling Prize (McKenzie et al. 2023,
arXiv 2306.09479); the formulas are ours.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import sigmoid as logistic

from ..parametric.coordinates import scaled
from ..parametric.parametric import law
from ..parametric.priors import positive
from .capability import CEILING, FLOOR, SLOPE, capability, logit, rise
from .unlock import UNLOCK, Shape, steepness, unlock

BELOW = scaled(
    dist.Beta(1.0, 1.0), lambda v, at: at.param.g * v, link="logit", says="g v with v {}"
)
ABOVE = scaled(
    dist.Beta(1.0, 2.0),
    lambda v, at: at.param.g + (1 - at.param.g) * v,
    link="logit",
    says="g + (1 - g) v with v {}",
)
GAP = positive(0.7, 10)
"""In log x: the distractor comes .3 to 4.3 decades before."""
FALL = Shape(logit, "g", "d", falls=True)
falls = capability | {"pools": ("x50", "g"), "exponents": ("k",)}
"""What laws have in common whose x50 is a scale at which something is lost."""


def _two_tasks(x, first, last, d, x50, gap, k):
    """Return r_t last + (1 - r_t) ((1 - r_d) first + r_d d), r_d coming `gap` before r_t."""
    along = k * (jnp.log(x) - jnp.log(x50))
    true, other = logistic(along), logistic(along + k * gap)
    return true * last + (1 - true) * ((1 - other) * first + other * d)


@law(**(rise | {"hypothesis": "u_shape", "says": "a distractor task, then the true one"}))
def distractor(x, *, g=FLOOR, u=CEILING, d=BELOW, x50=UNLOCK, gap=GAP, k=SLOPE):
    """r_t u + (1 - r_t) ((1 - r_d) g + r_d d), r = s(k (log x - log x_r)): U-shaped, d < g.

    Small models guess (g), middling ones do a distractor task and score d, large ones the true
    task (u). x50 is the scale x_t of the true task, the distractor's is x_d = x50 e^-gap; k is
    one slope for both, for data seldom know two. Mechanism: Wei et al. 2022 (arXiv 2211.02011).
    """
    return _two_tasks(x, g, u, d, x50, gap, k)


@law(
    **falls,
    worsens=True,
    unlock="x50",
    hypothesis="inverse",
    says="a distractor task, and never the true one",
)
def inverse(x, *, g=FLOOR, d=BELOW, x50=unlock(shape=FALL), k=steepness(SLOPE, FALL)):
    """g - (g - d) s(k (log x - log x50)): the `distractor` whose true task is never learnt.

    Accuracy falls from g to d < g for good; it is halfway at x50. McKenzie et al. 2023
    (arXiv 2306.09479).

    Of success against the time that tasks take people it is, as `inverse.fix(g=1.0, d=0.0)`, the
    law of the time horizon: `threshold` then says from which length on success stays below a half
    (Kwa et al. 2025, arXiv 2503.14499). Fixed, since g lies near chance before the data.
    """
    return g + (d - g) * logistic(k * (jnp.log(x) - jnp.log(x50)))


@law(**falls, ceiling="u", hypothesis="inverted_u", says="what middling models do scores best")
def inverted_u(
    x,
    *,
    g=FLOOR,
    u=scaled(dist.Beta(1.0, 1.0), lambda v, at: at.param.d * v, link="logit", says="d v with v {}"),
    d=ABOVE,
    x50=UNLOCK,
    gap=GAP,
    k=SLOPE,
):
    """The `distractor` with d > g and u < d: accuracy rises to d and falls to u.

    What middling models do scores well, what large ones do instead scores worse: x50 is where it
    is lost, x50 e^-gap where it was gained. Formula ours, after Wei et al. 2022 (arXiv 2211.02011).
    """
    return _two_tasks(x, g, u, d, x50, gap, k)
