"""recipes: one law of several recipes that were run at several scales, each with its own factor.

Recipes of one experiment have much in common: data and its floor, mostly the exponent, and most of
what the law misses. `recipes(2)` is the power law with the factor by which each further recipe
needs less scale than the first, and with a misfit of which most is shared. `risings(2)` is the same
of accuracies: a `sigmoid` of which each recipe passes the threshold at its own scale.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.nn import sigmoid as logistic
from jax.scipy.special import logit

from ..parametric.base import Wander
from ..parametric.coordinates import scaled
from ..parametric.parametric import Law
from .approximate import FEWER, SHARE, bends_of, edge_of, middle_of, wandering
from .capability import sigmoid
from .factory import factory
from .loss import power

__all__ = ["COMMON", "COMMON_OF_ACCURACIES", "parts_of_rising", "recipes", "risings"]

COMMON = {
    "all": "floor and exponent",
    "floor": "the floor, each with an exponent of its own",
    "nothing": "neither floor nor exponent",
}
"""What recipes may have in common, in words."""
COMMON_OF_ACCURACIES = {
    "all": "all but the threshold: floor, ceiling and slope",
    "floor": "the floor, each with a ceiling and a slope of its own",
    "nothing": "nothing, each with a floor, a ceiling and a slope of its own",
}
"""The same of accuracies."""
FACTOR = 1.5
"""Sd of the log of a recipe's factor."""
STEEPER = 0.2
"""Sd of the log of an exponent of a recipe's own over that of the first."""
LOWER = 0.1
"""Sd of the log of a floor of a recipe's own over that of the first."""
OWN = np.array([-9.0, -5, -2, 0, 2, 5, 9, 14, 20])
"""E-folds from the middle of the data where slopes of a recipe's own misfit are drawn."""
APART = dist.HalfNormal(0.1)
"""Sd of these slopes, as a share of the law's local exponent in the middle of the data: that of the
log of the factor, by the log of the scale."""
ACROSS = dist.StudentT(4.0, 0.0, 1.5)
"""Log of a recipe's factor, of accuracies: prompts may be worth a thousand times the scale."""
SHARPER, HIGHER, OTHER_FLOOR = 0.5, 0.7, 0.5
"""Sd of the log of a slope of a recipe's own over that of the first, of the log odds of what its
ceiling leaves, and of the log odds of its floor."""
FARTHER = np.array([-8.0, -3, 0, 3, 8, 15])
"""E-folds from the middle of the data where slopes of the log of a factor are drawn."""


def _each(sd: float, count: int):
    return dist.Normal(0.0, sd).expand([count - 1]).to_event(1)


def _told(raw, at, lower: bool):
    """Return log factors from what is seen of them: log ratios of losses in the middle."""
    alpha, floor, middle = at.coordinate.alpha, at.share.E, jnp.mean(at.span.x)
    alone = at.share.A * jnp.exp(-alpha * middle)
    raised = at.coordinate.lower * floor if lower else 0.0
    return (raw * (floor + alone) + raised) / (alpha * alone)


def _which(recipe, further: int):
    """Return a row's recipe as 0 or 1 for each but the first, (..., further)."""
    return jax.nn.one_hot(jnp.asarray(recipe).astype(int) - 2, further)


@factory
def recipes(count: int, common: str = "all") -> Law:
    """E_k + r exp(-alpha_k (log(x/m) + f_k)), times exp(delta(log x) + delta_k(log x)).

    r is what the first recipe can still lose in the middle m of the data; exp(f_k) is the factor by
    which recipe k needs less x there (f_1 = 0). delta is the misfit of `approximate(power)`, shared
    by all recipes; delta_k of each but the first is another such, 0 in the middle of the data, of
    a slope `apart` times the law's local exponent there: d log factor / d log x wanders by about
    `apart`.

    Parameters
    ----------
    count
        How many recipes there are; the input `recipe` counts them from 1.
    common
        `all`: E and alpha are those of the first; `floor`: alpha_k = alpha exp(a_k); `nothing`:
        E_k = E exp(e_k) too.

    Returns
    -------
    Law
        The law of these options, always the same one; `fit` takes it with noise `lognormal`.

    Notes
    -----
    Priors: f_k normal of sd 1.5, a_k of sd .2, e_k of sd .1, `apart` half-normal of sd .1; others
    as of `approximate(power)`. How intervals fared on a few open tables:
    benchmarks/results/multiplier.md.
    """
    if common not in COMMON:
        raise ValueError(f"common is one of {', '.join(COMMON)}, got {common!r}")
    base, lower = power(), common == "nothing"
    priors: dict[str, Any] = {"middle_x": middle_of("x")}
    priors |= {"lower": _each(LOWER, count)} if lower else {}
    priors |= {"steeper": _each(STEEPER, count)} if common != "all" else {}
    factor = scaled(_each(FACTOR, count), warp=lambda raw, at: _told(raw, at, lower))
    priors |= {"factor": factor}

    def plain(x, recipe, *, E, A, alpha, middle_x, factor, steeper=None, lower=None):
        which = _which(recipe, count - 1)
        ahead = jnp.log(x / middle_x) + which @ factor
        steep = alpha if steeper is None else alpha * jnp.exp(which @ steeper)
        floor = E if lower is None else E * jnp.exp(which @ lower)
        return floor + A * jnp.exp(-alpha * jnp.log(middle_x) - steep * ahead)

    law = replace(
        base,
        fn=plain,
        name=f"recipes({count}, {common})",
        inputs=("x", "recipe"),
        priors=(*base.priors, *priors.items()),
        not_scales=("recipe",),
        absolute=("recipe",),
        powers=None,
    )
    bends = len(FEWER) + (count - 1) * len(OWN)
    further = {"edge_x": edge_of("x"), "misfit_x": SHARE, "apart": APART}
    further |= {"bends": bends_of(bends)}

    def basis(x, recipe, *, edge_x, middle_x):
        which, apart = _which(recipe, count - 1), wandering(x, middle_x, OWN)
        apart = which[..., :, None] * apart[..., None, :]
        shared = wandering(x, edge_x, FEWER)
        return jnp.concatenate([shared, apart.reshape(*shared.shape[:-1], -1)], -1)

    def rates(params):
        alone = params["A"] * jnp.exp(-params["alpha"] * jnp.log(params["middle_x"]))
        slope = params["alpha"] * alone / (alone + params["E"])
        parts = {"misfit_x": len(FEWER), "apart": (count - 1) * len(OWN)}
        return jnp.concatenate(
            [jnp.broadcast_to(params[k] * slope, size) for k, size in parts.items()]
        )

    def formula(x, recipe, **params):
        own = {name: params.pop(name) for name in further}
        edges = {"edge_x": own["edge_x"], "middle_x": params["middle_x"]}
        off = basis(x, recipe, **edges) @ (rates(params | own) * own["bends"])
        return plain(x, recipe, **params) * jnp.exp(off)

    ahead = np.concatenate([FEWER > 0, np.zeros((count - 1) * len(OWN), bool)])
    return replace(
        law,
        fn=formula,
        priors=(*law.priors, *further.items()),
        wander=Wander(law, basis, rates, ("edge_x", "middle_x"), ahead),
    )


# ------------------------------------------------------------------ accuracies


def parts_of_rising(x, recipe, *, g, u, x50, k, middle_x, factor, apart, bends, **own):
    """Return floor, ceiling and log odds between them, of each row's recipe at its scale."""
    which = _which(recipe, len(factor))
    bent = which[..., :, None] * wandering(x, middle_x, FARTHER)[..., None, :]
    bent = bent.reshape(*bent.shape[:-2], -1) @ bends
    along = jnp.log(x / x50) + which @ factor + apart * bent

    def moved(share, by):
        return logistic(logit(share) + which @ own[by]) if by in own else share

    floor = moved(g, "lower")
    ceiling = 1 - (1 - floor) * moved((1 - u) / (1 - g), "higher") if "higher" in own else u
    steep = k * jnp.exp(which @ own["steeper"]) if "steeper" in own else k
    return floor, ceiling, steep * along


@factory
def risings(count: int, common: str = "all") -> Law:
    """g_k + (u_k - g_k) s(k_k (log(x/x50) + f_k + delta_k(log x))), s the logistic function.

    The `sigmoid` of a first recipe, and the factor exp(f_k) by which each further one needs less
    scale for it (f_1 = delta_1 = 0). delta_k is 0 in the middle of the data, and its slope, that of
    the log of the factor by the log of the scale, an Ornstein-Uhlenbeck process of sd `apart`, as
    the misfit of `approximate`. What the sigmoid misses alike under all recipes cancels.

    Parameters
    ----------
    count
        How many recipes there are; the input `recipe` counts them from 1.
    common
        `all`: g, u and k are those of the first; `floor`: k_k = k exp(a_k), and what u_k leaves,
        (1 - u_k)/(1 - g), has log odds larger by b_k; `nothing`: the log odds of g_k by c_k too.

    Returns
    -------
    Law
        The law of these options, always the same one.

    Notes
    -----
    Priors: f_k Student-t of 4 degrees of freedom and scale 1.5, a_k normal of sd .5, b_k of .7, c_k
    of .5, `apart` half-normal of sd .1; others as of `sigmoid`.
    """
    if common not in COMMON_OF_ACCURACIES:
        known = ", ".join(COMMON_OF_ACCURACIES)
        raise ValueError(f"common is one of {known}, got {common!r}")
    priors: dict[str, Any] = {"middle_x": middle_of("x")}
    priors |= {"lower": _each(OTHER_FLOOR, count)} if common == "nothing" else {}
    if common != "all":
        priors |= {"higher": _each(HIGHER, count), "steeper": _each(SHARPER, count)}
    priors |= {"factor": ACROSS.expand([count - 1]).to_event(1), "apart": APART}
    priors |= {"bends": _each(1.0, count=1 + (count - 1) * len(FARTHER))}

    def formula(x, recipe, **params):
        floor, ceiling, odds = parts_of_rising(x, recipe, **params)
        return floor + (ceiling - floor) * logistic(odds)

    return replace(
        sigmoid,
        fn=formula,
        name=f"risings({count}, {common})",
        inputs=("x", "recipe"),
        priors=(*sigmoid.priors, *priors.items()),
        not_scales=("recipe",),
        absolute=("recipe",),
        misfit=("apart", "bends"),
    )
