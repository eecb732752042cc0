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
DECADE = log(10.0)


def _unlock(r, x):
    """x50 for a standard logistic r: log10 x50 is Student-t about the largest x.

    With 2 degrees of freedom and a scale of one decade: the quantile function of that
    distribution is sqrt(2) sinh(r/2), and r has none of its heavy tails. Kept within e^80.
    """
    return jnp.exp(jnp.clip(x[1] + DECADE * 2**0.5 * jnp.sinh(r / 2), -80.0, 80.0))


def _in_logits(raw, k):
    """Sample asinh(k t), t being the distance of x50 from the largest x in logs.

    A plateau pins down how many logits the largest model is short of the threshold: a wall that
    is steep in t where k is large, and equally smooth for every k here. Far out it is log t.
    """
    return 2 * jnp.arcsinh(jnp.sinh(raw) / (k * DECADE * 2**0.5))


# Where the unlock lies, before the data speak: about the largest model, one decade either way.
UNLOCK_PRIOR = dist.StudentT(2.0, 0.0, DECADE)
"""Of log(x50 / largest x): what `UNLOCK` amounts to."""
UNLOCK = scaled(dist.Logistic(0.0, 1.0), _unlock, unit=lambda x: x, warp=_in_logits)


@law(support="unit", improves="up", response="accuracy")
def sigmoid(x, *, g=FLOOR, u=CEILING, x50=UNLOCK, k=positive(0.2, 5)):
    """g + (u - g) / (1 + (x/x50)^-k): a smooth threshold in log x.

    g floor and u ceiling are accuracies, x50 is the scale (in the unit of x) at which the curve
    is halfway between them, k the steepness there: from 10 to 90 % of the rise takes 1.9/k
    decades. Standard form; for downstream accuracy see Ruan et al. 2024 (arXiv 2405.10938).
    """
    return g + (u - g) * logistic(k * (jnp.log(x) - jnp.log(x50)))
