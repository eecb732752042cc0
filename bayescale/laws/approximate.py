"""approximate: a law that real runs follow only nearly, and wander about.

Residuals of real curves are smooth: the local exponent is a little larger here and smaller there,
more so the farther one goes. A law alone takes that for noise, learns its exponent far too well and
is sure of what comes. `approximate(power)` is the law with its misfit in the model: intervals grow
with the distance from the data, as fast as this table's own curve bends.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from ..parametric.base import Wander
from ..parametric.coordinates import given
from ..parametric.parametric import Law

__all__ = [
    "FEWER",
    "SHARE",
    "approximate",
    "bends_of",
    "edge_of",
    "middle_of",
    "wandering",
]

LENGTH = 4.0
"""E-folds of a scale over which the misfit of a slope is forgotten."""
KNOTS = np.array([-12.0, -8, -5, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 4, 7, 12, 20])
"""E-folds from the largest scale of the data where slopes are drawn; linear between."""
FEWER = np.array([-8.0, -4, -2, -0.75, 0, 1, 3, 7, 14])
"""The same of each of several scales, whose rows lie at few."""
COARSE = np.array([-6.0, -2, 0, 2, 7])
"""Of the misfit of two scales together."""
SLOPE = dist.HalfNormal(0.1)
"""Local exponents of real curves are off their law's by up to so much."""
SHARE = dist.HalfNormal(0.3)
"""The same of one of several scales, as a share of the law's own exponent there."""
BOTH = dist.HalfNormal(0.1)
"""Of two scales together, as a share of the root of the product of their exponents."""


def _chain(knots: np.ndarray) -> np.ndarray:
    """Return what makes slopes at the knots of independent normal numbers: v = M c."""
    stay = np.exp(-np.diff(knots) / LENGTH)
    found = np.eye(len(knots))
    for i, p in enumerate(stay, 1):
        found[i, i] = np.sqrt(1 - p**2)
        found[i, :i] = p * found[i - 1, :i]
    return found


def _reached(t, knots: np.ndarray):
    """Return what a slope of 1 at each knot, linear to its neighbours, adds up to from 0 to t."""
    lead = tuple(range(jnp.ndim(t)))
    lo, width = (jnp.expand_dims(v, lead) for v in (knots[:-1], np.diff(knots)))
    here, nought = (jnp.minimum(jnp.maximum(s - lo, 0), width) for s in (t[..., None], 0.0))
    gone, curved = here - nought, (here**2 - nought**2) / (2 * width)
    pad = [(0, 0)] * len(lead)
    return jnp.pad(gone - curved, [*pad, (0, 1)]) + jnp.pad(curved, [*pad, (1, 0)])


def wandering(x, edge, knots: np.ndarray):
    """Return what a bend of 1 at each knot adds up to from the edge to x, (..., knot)."""
    t = jnp.log(x / edge)
    return _reached(t, knots) @ jnp.asarray(_chain(knots), t.dtype)


@cache
def approximate(base: Law) -> Law:
    """f(x) exp(delta(log x)): a law f, and a misfit delta whose slope wanders about 0.

    delta(0) = 0 at the largest scale of the data, and its slope v is an Ornstein-Uhlenbeck process
    in t = log x, stationary, of sd `misfit` and length 4: Cov[v(s), v(t)] = misfit^2
    exp(-|s - t|/4). So real curves lie about the law within the data, and beyond them the local
    exponent is off by what it was off there, and by more the farther one goes. Of several scales
    the misfits add, and each pair has one of both: a product of two such functions.

    v is drawn at knots and linear between, by independent normal `bends`. Given the other
    parameters the bends are integrated out of the density of the rows, exactly under `lognormal`
    noise, and drawn afterwards: draws of the law have them.

    Of several scales delta is 0 in the middle of the data (of U where D's is), where rows tell the
    law's level: few have the largest of all, and level and exponents would lie on a narrow ridge
    (on Chinchilla's runs 271 leapfrogs a draw for 36). There `misfit` is a share: v has the sd
    `misfit` times the law's own exponent of that scale, |d log f / d log x| in the middle of the
    data. Exponents are small where the floor is most of a loss, and a misfit as large would take
    the place of the law.

    Parameters
    ----------
    base
        A law of one loss.

    Returns
    -------
    Law
        The law with its misfit, always the same one; `fit` takes it with noise `lognormal`.

    Raises
    ------
    ValueError
        If the law is of no positive response, or of several.

    Notes
    -----
    The prior of `misfit` is half-normal of sd .1, of a share of sd .3 (of two scales together .1):
    benchmarks/results/forecasts.md and surfaces.md say on what they were chosen, and how they fare.
    Rasmussen and Williams 2006, chapter 2.7 (a Gaussian process about a parametric mean).

    Examples
    --------
    >>> bs.get_law("approximate(power)").parameters
    ('E', 'A', 'alpha', 'edge_x', 'misfit_x', 'bends')
    """
    if base.support != "positive" or base.further or base.less_is_better:
        raise ValueError(f"approximate is of laws of one positive response, not of {base.name}")
    if base.wander is not None:
        return base
    scales = [x for x in base.inputs if x not in (*base.not_scales, *base.absolute)]
    pairs = list(combinations(scales, 2))
    knots = KNOTS if len(scales) == 1 else FEWER
    sizes = {x: len(knots) for x in scales} | {f"{a}_{b}": len(COARSE) ** 2 for a, b in pairs}
    priors: dict[str, Any] = {f"edge_{x}": edge_of(x) for x in scales}
    if pairs:
        priors |= {f"middle_{x}": middle_of(x) for x in base.inputs}
    places = tuple(f"edge_{x}" for x in scales)
    places += tuple(f"middle_{x}" for x in scales if pairs)
    alone = SHARE if pairs else SLOPE
    priors |= {f"misfit_{x}": alone if x in scales else BOTH for x in sizes}
    total = sum(sizes.values())
    priors["bends"] = bends_of(total)
    later = [knots > 0] * len(scales)
    later += [np.logical_or.outer(COARSE > 0, COARSE > 0).ravel()] * len(pairs)

    same = dict(base.same_unit)

    def from_edges(at, edges):
        parts = [wandering(at[x], edges[f"edge_{x}"], knots) for x in scales]
        for pair in pairs:
            left, right = (wandering(at[x], edges[f"edge_{x}"], COARSE) for x in pair)
            both = left[..., :, None] * right[..., None, :]
            parts.append(both.reshape(*left.shape[:-1], len(COARSE) ** 2))
        return jnp.concatenate(parts, -1)

    def basis(*inputs, **edges):
        found = from_edges(dict(zip(base.inputs, inputs, strict=True)), edges)
        if not pairs:
            return found
        middle = from_edges({x: edges[f"middle_{same.get(x, x)}"] for x in scales}, edges)
        return found - jnp.expand_dims(middle, tuple(range(found.ndim - 1)))

    def exponents(params):
        """Return |d log f / d log x| in the middle of the data, by scale and pair of scales."""
        own = {name: params[name] for name in base.parameters}
        middle = {x: jnp.log(params[f"middle_{x}"]) for x in base.inputs}

        def log_law(logs):
            return jnp.log(base.fn(*(jnp.exp(logs[x]) for x in base.inputs), **own))

        slope = jax.grad(log_law)(middle)
        found = {x: jnp.abs(slope[x]) + 1e-9 for x in scales}
        return found | {f"{a}_{b}": jnp.sqrt(found[a] * found[b]) for a, b in pairs}

    def rates(params):
        of = {x: params[f"misfit_{x}"] for x in sizes}
        if pairs:
            of = {x: of[x] * exponent for x, exponent in exponents(params).items()}
        return jnp.concatenate([jnp.broadcast_to(of[x], size) for x, size in sizes.items()])

    def formula(*inputs, **params):
        own = {name: params.pop(name) for name in priors}
        edges = {name: own[name] for name in places}
        off = basis(*inputs, **edges) @ (rates(params | own) * own["bends"])
        return base.fn(*inputs, **params) * jnp.exp(off)

    return replace(
        base,
        fn=formula,
        name=f"approximate({base.name})",
        priors=(*base.priors, *priors.items()),
        doc=f"{base.doc.splitlines()[0] if base.doc else base.name} Nearly: with a misfit.",
        powers=None,
        second_stage=None,
        misfit=(*base.misfit, *(name for name in priors if name not in places)),
        wander=Wander(base, basis, rates, places, np.concatenate(later)),
    )


def bends_of(count: int):
    """Return so many bends, which are integrated out of the density of the rows."""
    return given(lambda at: jnp.zeros(count), says="what the rows leave open")


def middle_of(x: str):
    """Return the middle of the data in log scale, which a table tells."""
    return given(
        lambda at: jnp.exp(jnp.mean(at.span[x])),
        lambda at: at.ref[x],
        says="the middle of the data",
    )


def edge_of(x: str):
    """Return the largest scale of the data, which a table tells."""
    return given(
        lambda at: jnp.exp(at.span[x][1]), lambda at: at.ref[x], says="the largest of the data"
    )
