"""Two-stage laws: loss from scale, accuracy from loss.

`two_stage` fits both together, so that the forecast knows the uncertainty of both: the loss may be
measured in all rows or in some. `from_loss` is the second stage alone, with a measured loss as the
scale. `breakthrough` is the rival of `two_stage` where the loss is a smooth score of the same
task: there the score itself has the threshold (is the jump in the metric or in the model?).
"""

from __future__ import annotations

import inspect
from functools import cache
from math import log

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import sigmoid as logistic
from jax.nn import softplus

from ..parametric.coordinates import scaled
from ..parametric.parametric import Law, law
from ..parametric.priors import positive
from .capability import CEILING, FLOOR, SLOPE, capability, rise
from .loss import chinchilla, power
from .unlock import UNLOCK

LINKS = {
    "sigmoid": lambda level, L0, k: logistic(k * (L0 - level)),
    # Snell et al. 2024: nothing above the elbow, then a straight rise (here up to the ceiling).
    "hinge": lambda level, L0, k: jnp.clip(k * (L0 - level) / 4, 0.0, 1.0),
    # Schaeffer et al. 2023: where the loss is that of a token, and T of them must be right.
    "exact_match": lambda level, T: jnp.exp(-T * level),
}
"""By name: the share of the rise from floor to ceiling at a level of the loss."""
BOTH = {"accuracy": "unit", "loss": "positive"}
from_level = capability | {
    "ceiling": "u",
    "pools": ("g",),
    "hypothesis": "rise",
}
"""What laws of an accuracy that follows from a loss have in common."""
STEEP = positive(3, 60)
"""k in units of 1/level: the rise from 10 to 90 % takes 4.4/k."""


def two_stage(loss: str = "power", link: str = "sigmoid") -> Law:
    """L by a loss law, then accuracy g + (u - g) s(k (L0 - L)).

    Parameters
    ----------
    loss
        "power" (of any one scale x) or "chinchilla" (of N and D).
    link
        "sigmoid"; "hinge": g down to L0, then a straight rise over 4/k, then u; or "exact_match":
        g + (u - g) exp(-T L), where L is the loss of one token and all of T must be right.

    Returns
    -------
    Law
        The law of these options, always the same one.

    Raises
    ------
    ValueError
        For another loss or link.

    Notes
    -----
    Responses are `accuracy` and `loss`; in each row either may be missing. L0 is the loss at
    which accuracy is halfway up (where it sets out, for the hinge), k and T are per unit of loss.
    Bhagia et al. 2024 (arXiv 2412.04403), Gadre et al. 2024 (arXiv 2403.08540); the hinge: Snell
    et al. 2024 (arXiv 2411.16035); exact match: Schaeffer et al. 2023 (arXiv 2304.15004).

    Examples
    --------
    >>> bs.laws.two_stage(loss="chinchilla").inputs
    ('N', 'D')
    """
    stages = {"power": power(), "chinchilla": chinchilla}
    if loss not in stages or link not in LINKS:
        raise ValueError(
            f"two_stage takes loss {' or '.join(stages)} and link {' or '.join(LINKS)}, got "
            f"{loss!r} and {link!r}"
        )
    return _two_stage(loss, stages[loss], link)


@cache
def _two_stage(loss: str, first: Law, link: str) -> Law:
    """Return the one law of these options, however they were written."""
    risen = LINKS[link]
    second = {"T": TOKENS} if link == "exact_match" else {"L0": MIDDLE, "k": STEEPNESS}

    def formula(*inputs, g, u, **constants):
        own = {name: constants.pop(name) for name in second}
        level = first.fn(*inputs, **constants)
        return {"accuracy": g + (u - g) * risen(level, **own), "loss": level}

    formula.__signature__ = _signature(first, {"g": FLOOR, "u": CEILING, **second})
    curve = "exp(-T L) (arXiv 2304.15004)" if "T" in second else "s(k (L0 - L)) (arXiv 2412.04403)"
    formula.__doc__ = f"L by a loss law, then g + (u - g) {curve}."
    options = [f"loss={loss!r}"] * (loss != "power") + [f"link={link!r}"] * (link != "sigmoid")
    name = f"two_stage({', '.join(options)})" if options else "two_stage"
    facts = from_level | {"says": "a steady loss, and a threshold in it"}
    facts |= {
        "exponents": first.exponents,
        "second_stage": None if "T" in second else ("loss", "L0"),
    }
    return law(name=name, responses=BOTH, **facts)(formula)


def _signature(first: Law, own: dict) -> inspect.Signature:
    """Return the signature of a loss law with further parameters."""
    kinds = inspect.Parameter
    data = [kinds(name, kinds.POSITIONAL_OR_KEYWORD) for name in first.inputs]
    known = [
        kinds(name, kinds.KEYWORD_ONLY, default=prior)
        for name, prior in (*first.priors, *own.items())
    ]
    return inspect.Signature(data + known)


def _middle(r):
    """log(L0 / median loss) for a standard logistic r: Student-t about -.1, scale .3.

    With 2 degrees of freedom, as in `UNLOCK`: over the models of a table most losses vary by less
    than a factor of 2, some by a factor of 30, and a plateau says little of what a rise takes.
    """
    return jnp.clip(-0.1 + 0.3 * 2**0.5 * jnp.sinh(r / 2), -30.0, 30.0)


def _in_odds(raw, k, u):
    """Sample the odds of the rise at the middle loss, u - g taken as 1 - g: data pin these down.

    L0 follows from them and from k. u is (1 - u)/(1 - g), as it is sampled, or 1 where it is fixed.
    """
    away = (jnp.sinh(raw) - jnp.log1p(-0.98 * u)) / k
    return 2 * jnp.arcsinh((away + 0.1) / (0.3 * 2**0.5))


HEAVY = "half between 0.7 and 1.2 times a typical loss, 90 % between 0.4 and 2.2 (Student-t, 2 df)"
MIDDLE = scaled(
    dist.Logistic(0.0, 1.0),
    lambda r, at: at.y * jnp.exp(_middle(r)),
    warp=lambda raw, at: _in_odds(raw, at.coordinate.k, at.coordinate.u),
    link="log",
    says=HEAVY,
)
STEEPNESS = scaled(STEEP, lambda v, at: v / at.y, link="log", says="{}, over a typical loss")
# Half of the answers are right at such a loss.
TOKENS = scaled(
    dist.Logistic(0.0, 1.0),
    lambda r, at: log(2) / at.y * jnp.exp(-_middle(r)),
    link="log",
    says=f"half of the answers are right at a loss of this prior: {HEAVY}",
)


@law(
    **(from_level | {"hypothesis": None}),
    less_is_better=("L",),
    exponents=("k",),
    says="a threshold in the loss",
)
def from_loss(
    L,
    *,
    g=FLOOR,
    u=CEILING,
    L0=scaled(
        dist.Logistic(0.0, 1.0),
        lambda r, at: jnp.exp(_middle(r) + at.span.L[0] / 2),
        unit=lambda at: at.ref.L,
        warp=lambda raw, at: _in_odds(raw, at.coordinate.k, at.coordinate.u),
        link="log",
        says=HEAVY,
    ),
    k=scaled(
        STEEP,
        lambda v, at: v * jnp.exp(-at.span.L[0] / 2),
        unit=lambda at: 1 / at.ref.L,
        says="{}, over a typical loss",
    ),
):
    """g + (u - g) s(k (L0 - L)): accuracy from a measured loss.

    The second stage of `two_stage` alone; scale is a loss, less is better. L0 is the loss at
    which accuracy is halfway up, k is per unit of loss. Bhagia et al. 2024 (arXiv 2412.04403).
    """
    return g + (u - g) * logistic(k * (L0 - L))


def _ends(at):
    """Logits of r at both ends of the data, from x50 as it is sampled."""
    t = at.coordinate.k * (at.span.x - jnp.log(UNLOCK.form(at.coordinate.x50, at)))
    return t[0], t[1]


def _in_drop(raw, at):
    """Log odds of drop, from the log of how much log loss falls over the data.

    Data pin that down at both ends; drop, k and x50 apart only by the bend between. No fall passes
    that of drop = 1: fall = most (1 + (most/exp(raw))^4)^(-1/4), rest = most - fall.
    """
    low, high = _ends(at)
    most = softplus(high) - softplus(low)
    short = softplus(4 * (jnp.log(most) - raw)) / 4
    fall, rest = jnp.exp(jnp.log(most) - short), -most * jnp.expm1(-short)
    log_expm1 = fall + jnp.log(-jnp.expm1(-fall))
    return log_expm1 + softplus(low) - jnp.log(-jnp.expm1(-rest))


def _in_level(raw, at):
    """Log of high, from the log of the loss in the middle of the data."""
    ends = jnp.stack(_ends(at))
    return raw - jnp.mean(jnp.log1p(-at.coordinate.drop * logistic(ends)))


@law(
    **(rise | {"hypothesis": None}),
    responses=BOTH,
    says="score and accuracy cross one threshold",
)
def breakthrough(
    x,
    *,
    g=FLOOR,
    u=CEILING,
    x50=UNLOCK,
    k=SLOPE,
    drop=scaled(dist.Beta(1.0, 1.0), warp=_in_drop),
    high=scaled(
        dist.Normal(0.0, 0.7),
        lambda z, at: at.y * jnp.exp(z),
        warp=_in_level,
        link="log",
        says="a typical loss times e^v with v {}",
    ),
):
    """Loss and accuracy cross one threshold: r = s(k (log x - log x50)).

    loss = high (1 - drop r), accuracy = g + (u - g) r. The smooth score has the jump too: it is
    in the model. Its rival is `two_stage`, where the smooth score follows a power law and only
    the metric makes a jump of it. Formula ours; the question is of Schaeffer et al. 2023 (arXiv
    2304.15004).
    """
    r = logistic(k * (jnp.log(x) - jnp.log(x50)))
    return {"accuracy": g + (u - g) * r, "loss": high * (1 - drop * r)}
