"""Capability laws: accuracies between a floor and a ceiling that rise once, or stay.

`sigmoid` is the plain one. `exact_match`, `multi_step` and `elbow` are explanations of a threshold:
many tokens must be right, many steps must be right, an abrupt onset. `flat` says that nothing
happens. Those that rise have x50, the scale at which they are halfway up, but for `exact_match`
with tokens. Laws that fall are in `distractor`, those that pass through a loss in `two_stage`.

The floor g is a free parameter near the nominal chance level or above it, not chance itself:
models that know nothing of a task still learn its answer format, or always give the commoner
answer. From data that all lie on the plateau, when the task unlocks is told by the prior alone.
"""

from __future__ import annotations

from math import log

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import sigmoid as logistic
from jax.nn import softplus

from ..parametric.coordinates import Coordinate, scaled
from ..parametric.parametric import Law, law
from ..parametric.priors import fraction, positive
from .factory import factory
from .unlock import HEAVY, Shape, place, steepness, unlock


def _near_chance(z, chance):
    """Floor for a standard normal z: 90 % from a fifth of chance below it to .19 of the rest above.

    Both excursions are log-normal, so that neither a floor of exactly chance nor one well above
    it is excluded: .43 where chance is .5, .21 where it is .25, .34 where it is .145 were seen.
    """
    above, below = 0.02 * jnp.exp(1.5 * z), 0.02 * jnp.exp(-1.5 * z)
    return chance * (1 - below / (1 + below)) + (1 - chance) * above / (1 + above)


FLOOR = scaled(
    dist.Normal(0.0, 1.0),
    lambda z, at: _near_chance(z, at.chance),
    link="logit",
    says="near chance: 90 % from 0.19 of chance below it to 0.19 of the rest above it",
)


def ceiling(floor: str = "g") -> Coordinate:
    """Return the coordinate of a ceiling u between the parameter `floor` and 1.

    u = 1 - (1 - floor) v, v ~ Beta(1, 2). One that expects u near 1, Beta(1, 6), cost .15 to .2
    nats a model beyond cuts of open tasks made by design, 16 of 22 of which end below its 5 %
    (benchmarks/results/beliefs.md).
    """
    beyond = lambda v, at: 1 - (1 - at.param[floor]) * v  # noqa: E731
    says = f"1 - (1 - {floor}) v with v {{}}"
    return scaled(fraction(1 / 3, 3.0), beyond, link="logit", says=says)


CEILING = ceiling()
LOG_LOG_2 = log(log(2.0))


def logit(v, at=None):
    """Where a `sigmoid` has passed the share v of its way."""
    return jnp.log(v) - jnp.log1p(-v)


SMOOTH = Shape(logit)
SLOPE = positive(0.2, 5)
"""Of k: from 10 to 90 % of the rise in 10 decades, to .4 decades."""

capability = {"support": "unit", "improves": "up", "response": "accuracy", "floor": "g"}
"""What all laws of accuracies have in common."""
rise = capability | {
    "ceiling": "u",
    "unlock": "x50",
    "pools": ("x50", "g"),
    "exponents": ("k",),
    "hypothesis": "rise",
}
"""What those that rise once, from g to u about x50, do."""


@law(**rise, says="a smooth threshold in log scale")
def sigmoid(x, *, g=FLOOR, u=CEILING, x50=unlock(shape=SMOOTH), k=steepness(SLOPE, SMOOTH)):
    """g + (u - g) / (1 + (x/x50)^-k): a smooth threshold in log x.

    g floor and u ceiling are accuracies, x50 is the scale (in the unit of x) at which the curve
    is halfway between them, k the steepness there: from 10 to 90 % of the rise takes 1.9/k
    decades. Standard form; for downstream accuracy see Ruan et al. 2024 (arXiv 2405.10938).
    """
    return g + (u - g) * logistic(k * (jnp.log(x) - jnp.log(x50)))


@law(**capability, pools=("g",), hypothesis="flat", says="no scale helps or hurts")
def flat(x, *, g=FLOOR):
    """g: no scale helps or hurts. The null hypothesis; formula ours."""
    return g + jnp.zeros_like(x)


@factory
def exact_match(tokens: bool = False) -> Law:
    """g + (u - g) exp(-T (x/c)^-alpha): all of T tokens must be right.

    Each token's log probability falls as a power of scale; the exact match of T of them looks
    like a threshold. With one T for all rows only T c^alpha matters, and the law is written in
    the scale x50 where exp(...) is a half: g + (u - g) 2^-(x/x50)^-alpha, c = x50 (T / log 2)^(-1/
    alpha). T and c cannot both be known from such data.

    Parameters
    ----------
    tokens
        T is a second column, the number of tokens of each row: c is then free.

    Returns
    -------
    Law
        The law of these options, always the same one.

    Notes
    -----
    Schaeffer et al. 2023 (arXiv 2304.15004). alpha is in units of 1/log x, k of `sigmoid` at x50
    is 4 log(2)/2 alpha = 1.4 alpha.

    Examples
    --------
    >>> bs.laws.exact_match().unlock
    'x50'
    """
    if not tokens:

        @law(name="exact_match", **many_tokens)
        def formula(
            x, *, g=FLOOR, u=CEILING, x50=unlock("alpha", shape=MANY), alpha=steepness(ALPHA, MANY)
        ):
            """g + (u - g) 2^-(x/x50)^-alpha: all of many tokens must be right (2304.15004)."""
            return g + (u - g) * _all_right(alpha * (jnp.log(x) - jnp.log(x50)) - LOG_LOG_2)

        return formula

    facts = many_tokens | {"unlock": None, "pools": ("c", "g"), "not_scales": ("T",)}

    @law(name="exact_match(tokens=True)", **facts)
    def formula(x, T, *, g=FLOOR, u=CEILING, c=TOKEN_SCALE, alpha=ALPHA):
        """g + (u - g) exp(-T (x/c)^-alpha): all of T tokens must be right (2304.15004)."""
        return g + (u - g) * _all_right(alpha * (jnp.log(x) - jnp.log(c)) - jnp.log(T))

    return formula


ALPHA = positive(0.15, 3.5)
many_tokens = rise | {"exponents": ("alpha",), "says": "many tokens must all be right"}
# c where T is a column: half of the answers of the usual length are right at an `UNLOCK` scale.
TOKEN_SCALE = scaled(
    dist.Logistic(0.0, 1.0),
    lambda r, at: place(r, at.span.x) * jnp.exp(LOG_LOG_2 / at.param.alpha),
    unit=lambda at: at.ref.x * at.ref.T ** (-1 / at.param.alpha),
    link="log",
    says=f"half of the answers are right at a scale about the largest x: {HEAVY}",
)


def _all_right(log_odds):
    """exp(-exp(-log_odds)), kept from overflow where nothing is right."""
    return jnp.exp(-jnp.exp(jnp.minimum(-log_odds, 30.0)))


def _to_be_right(v, at=None):
    """Where `exact_match` has passed the share v of its way."""
    return LOG_LOG_2 - jnp.log(-jnp.log(v))


MANY = Shape(_to_be_right)


def _each_step(steps):
    """The slope of each step in units of k, and its log odds at x50."""
    log_q = -log(2.0) / steps
    return 1 / (-2 * steps * jnp.expm1(log_q)), log_q - jnp.log(-jnp.expm1(log_q))


def _to_step(v, at):
    """Where `multi_step` has passed the share v of its way."""
    slope, odds = _each_step(at.param.steps)
    return (-jnp.log(jnp.expm1(-jnp.log(v) / at.param.steps)) - odds) / slope


SEVERAL = Shape(_to_step)
STEPS = scaled(positive(0.3, 30), lambda v, at: 1 + v, says="1 + v with v {}")


@law(**rise, says="several steps must all be right")
def multi_step(
    x, *, g=FLOOR, u=CEILING, x50=unlock(shape=SEVERAL), k=steepness(SLOPE, SEVERAL), steps=STEPS
):
    """g + (u - g) s(k_1 (log x - log x0))^steps: all steps must be right, each a `sigmoid`.

    Written in x50, where all steps are right half of the time, and in k, the slope of `sigmoid`
    that is as steep there: with q = 2^(-1/steps), k = 2 steps (1 - q) k_1 and
    s(k_1 (log x50 - log x0)) = q. One step is `sigmoid`, infinitely many are `exact_match`. After
    Wei et al. 2022 (arXiv 2206.07682, section 5) and Schaeffer et al. 2023 (arXiv 2304.15004);
    formula ours.
    """
    slope, odds = _each_step(steps)
    each = slope * k * (jnp.log(x) - jnp.log(x50)) + odds
    return g + (u - g) * jnp.exp(-steps * softplus(-each))


CORNER = 0.05
"""Width of the elbow's corners, as a share of its ramp."""


def _up_ramp(v, at=None):
    """Where the `elbow` has passed the share v of its way, its corners aside."""
    return 4 * (v - 0.5)


RAMP = Shape(_up_ramp)


@law(**rise, says="an abrupt onset")
def elbow(x, *, g=FLOOR, u=CEILING, x50=unlock(shape=RAMP), k=steepness(SLOPE, RAMP)):
    """g, a straight rise in log x, and u: an abrupt onset.

    The ramp is 4/k long in log x about x50, as steep as `sigmoid` there; it begins at
    x50 e^(-2/k), below which nothing is seen of it. Its corners are rounded over a twentieth of
    it. Formula ours.
    """
    along = k * (jnp.log(x) - jnp.log(x50)) / 4
    ramp = softplus((along + 0.5) / CORNER) - softplus((along - 0.5) / CORNER)
    return g + (u - g) * CORNER * ramp
