"""Two-stage laws: loss from scale, accuracy from loss.

`two_stage` fits both together, so that the forecast knows the uncertainty of both: the loss may be
measured in all rows or in some. `from_loss` is the second stage alone, with a measured loss as the
scale. `breakthrough` is the rival of `two_stage` where the loss is a smooth score of the same
task: there the score itself has the threshold (is the jump in the metric or in the model?).
"""

from __future__ import annotations

import inspect
from functools import cache

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import sigmoid as logistic

from ..parametric import Parametric, law, scaled
from ..priors import positive
from .capability import CEILING, FLOOR, SLOPE, UNLOCK, capability
from .loss import chinchilla, power

LINKS = {
    "sigmoid": logistic,
    # Snell et al. 2024: nothing above the elbow, then a straight rise (here up to the ceiling).
    "hinge": lambda t: jnp.clip(t / 4, 0.0, 1.0),
}
STEEP = positive(3, 60)
"""k in units of 1/level: the rise from 10 to 90 % takes 4.4/k."""


@cache
def two_stage(loss: str = "power", link: str = "sigmoid") -> Parametric:
    """L by a loss law, then accuracy g + (u - g) s(k (L0 - L)).

    Parameters
    ----------
    loss
        "power" (of any one scale x) or "chinchilla" (of N and D).
    link
        "sigmoid", or "hinge": g down to L0, then a straight rise over 4/k, then u.

    Raises
    ------
    ValueError
        For another loss or link.

    Notes
    -----
    Responses are `accuracy` and `loss`; in each row either may be missing. L0 is the loss at
    which accuracy is halfway up (where it sets out, for the hinge), k is per unit of loss.
    Bhagia et al. 2024 (arXiv 2412.04403), Gadre et al. 2024 (arXiv 2403.08540); the hinge: Snell
    et al. 2024 (arXiv 2411.16035).
    """
    stages = {"power": power(), "chinchilla": chinchilla}
    if loss not in stages or link not in LINKS:
        raise ValueError(
            f"two_stage takes loss {' or '.join(stages)} and link {' or '.join(LINKS)}, got "
            f"{loss!r} and {link!r}"
        )
    first, rise = stages[loss], LINKS[link]

    def formula(*inputs, g, u, L0, k, **constants):
        level = first.fn(*inputs, **constants)
        return {"accuracy": g + (u - g) * rise(k * (L0 - level)), "loss": level}

    own = {"g": FLOOR, "u": CEILING, "L0": MIDDLE, "k": STEEPNESS}
    formula.__signature__ = _signature(first, own)
    formula.__doc__ = "L by a loss law, then g + (u - g) s(k (L0 - L)) (arXiv 2412.04403)."
    options = [f"loss={loss!r}"] * (loss != "power") + [f"link={link!r}"] * (link != "sigmoid")
    name = f"two_stage({', '.join(options)})" if options else "two_stage"
    return law(name=name, beside=(("loss", "positive"),), **capability)(formula)


def _signature(first: Parametric, own: dict) -> inspect.Signature:
    """Return the signature of a loss law with further parameters."""
    kinds = inspect.Parameter
    data = [kinds(name, kinds.POSITIONAL_OR_KEYWORD) for name in first.inputs]
    known = [
        kinds(name, kinds.KEYWORD_ONLY, default=prior)
        for name, prior in (*first.priors, *own.items())
    ]
    return inspect.Signature(data + known)


# Of the loss at the middle of the data, a factor of e^.5 either way (90 %).
MIDDLE = scaled(dist.Normal(-0.1, 0.3), lambda z, y: y * jnp.exp(z), link="log")
STEEPNESS = scaled(STEEP, lambda v, y: v / y, link="log")


@law(descending=("L",), **capability)
def from_loss(
    L,
    *,
    g=FLOOR,
    u=CEILING,
    L0=scaled(
        dist.Normal(-0.1, 0.3), lambda z, L: jnp.exp(z + L[0] / 2), unit=lambda L: L, link="log"
    ),
    k=scaled(STEEP, lambda v, L: v * jnp.exp(-L[0] / 2), unit=lambda L: 1 / L),
):
    """g + (u - g) s(k (L0 - L)): accuracy from a measured loss.

    The second stage of `two_stage` alone; scale is a loss, less is better. L0 is the loss at
    which accuracy is halfway up, k is per unit of loss. Bhagia et al. 2024 (arXiv 2412.04403).
    """
    return g + (u - g) * logistic(k * (L0 - L))


@law(beside=(("loss", "positive"),), **capability)
def breakthrough(
    x,
    *,
    g=FLOOR,
    u=CEILING,
    x50=UNLOCK,
    k=SLOPE,
    high=scaled(dist.Normal(0.0, 0.7), lambda z, y: y * jnp.exp(z)),
    drop=dist.Beta(1.0, 1.0),
):
    """Loss and accuracy cross one threshold: r = s(k (log x - log x50)).

    loss = high (1 - drop r), accuracy = g + (u - g) r. The smooth score has the jump too: it is
    in the model. Its rival is `two_stage`, where the smooth score follows a power law and only
    the metric makes a jump of it. Formula ours; the question is of Schaeffer et al. 2023 (arXiv
    2304.15004).
    """
    r = logistic(k * (jnp.log(x) - jnp.log(x50)))
    return {"accuracy": g + (u - g) * r, "loss": high * (1 - drop * r)}
