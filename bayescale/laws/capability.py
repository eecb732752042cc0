"""Capability laws: accuracies between a floor and a ceiling.

The floor g is a free parameter near the nominal chance level or above it, not chance itself:
models that know nothing of a task still learn its answer format, or always give the commoner
answer. From data that all lie on the plateau, when the task unlocks is told by the prior alone.
"""

from __future__ import annotations

from math import log

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import sigmoid as logistic

from ..parametric import law, scaled
from ..priors import fraction, positive


def _near_chance(z, chance):
    """Floor for a standard normal z: 90 % from a fifth of chance below it to .19 of the rest above.

    Both excursions are log-normal, so that neither a floor of exactly chance nor one well above
    it is excluded: .43 where chance is .5, .21 where it is .25, .34 where it is .145 were seen.
    """
    above, below = 0.02 * jnp.exp(1.5 * z), 0.02 * jnp.exp(-1.5 * z)
    return chance * (1 - below / (1 + below)) + (1 - chance) * above / (1 + above)


FLOOR = scaled(dist.Normal(0.0, 1.0), _near_chance)
CEILING = scaled(fraction(1 / 7, 7.0), lambda v, g: 1 - (1 - g) * v)
# Where the unlock lies, before the data speak: about the largest model, one decade either way,
# with the heavy tails of 2 degrees of freedom.
# Sampled as k times that distance: what a plateau pins down is how far the largest model is from
# the threshold in log-odds.
UNLOCK = scaled(
    dist.StudentT(2.0, 0.0, log(10.0)),
    lambda t, x: jnp.exp(x[1] + t),
    unit=lambda x: x,
    warp=lambda raw, k: raw / k,
)


@law(support="unit", improves="up", response="accuracy")
def sigmoid(x, *, g=FLOOR, u=CEILING, x50=UNLOCK, k=positive(0.2, 5)):
    """g + (u - g) / (1 + (x/x50)^-k): a smooth threshold in log x.

    g floor and u ceiling are accuracies, x50 is the scale (in the unit of x) at which the curve
    is halfway between them, k the steepness there: from 10 to 90 % of the rise takes 1.9/k
    decades. Standard form; for downstream accuracy see Ruan et al. 2024 (arXiv 2405.10938).
    """
    return g + (u - g) * logistic(k * (jnp.log(x) - jnp.log(x50)))
