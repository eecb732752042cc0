"""unlock: coordinates of a rise: the scale at which it comes, and how steep it is.

A few models see a stretch of a rise, whose height and slope they know to a percent, and neither
its floor g nor its ceiling u. In x50 and k that is a thin sheet, bent through decades, along which
a sampler creeps. With s the shape of the rise, f = g + (u - g) s(k (log x - log x50)), and with
v_i = (y_i - g)/(u - g) the share of the way that is passed at two points (t_i, y_i) of the data
(`parametric.seen`), the curve through both points has for every g and u

    k (t_2 - t_1) = s^-1(v_2) - s^-1(v_1)      and      k (t_1 - log x50) = s^-1(v_1)

What is sampled is how far k and x50 are from that, in units of how far the scatter of runs lets
them be: nearly independent of g, u and scatter. Prior and posterior stay as they are, coordinates
alone change.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import softplus
from numpyro.distributions import Distribution

from ..parametric.coordinates import Coordinate, scaled

__all__ = ["DECADE", "HEAVY", "UNLOCK", "UNLOCK_PRIOR", "Shape", "place", "steepness", "unlock"]

DECADE = log(10.0)
HEAVY = "half within 0.8 decades of it, 90 % within 2.9 (Student-t, 2 df)"
"""What a Student-t with 2 degrees of freedom and a scale of one decade amounts to."""
UNLOCK_PRIOR = dist.StudentT(2.0, 0.0, DECADE)
"""Of log(x50 / largest x): what `unlock` amounts to."""


class Shape(NamedTuple):
    """How a law goes from one level to another."""

    back: Callable[[Any, Any], Any]
    """(v, at) -> where it has passed the share v of its way, s^-1(v)."""
    start: str = "g"
    end: str = "u"
    """The parameters that are the levels before and after."""
    falls: bool = False


EDGE = 0.02, 0.4
"""How near to floor and ceiling points are taken to be at least, and at most."""
SOFT, FLATTEST = 0.2, 0.05
"""Below which differences of s^-1 are bent to stay above 0, and the least."""


def place(r, x):
    """x50 for a standard logistic r: log10 x50 is Student-t about the largest x.

    With 2 degrees of freedom and a scale of one decade: the quantile function of that
    distribution is sqrt(2) sinh(r/2), and r has none of its heavy tails. Kept within e^80.
    """
    return jnp.exp(jnp.clip(x[1] + DECADE * 2**0.5 * jnp.sinh(r / 2), -80.0, 80.0))


def _passed(at, shape: Shape):
    """s^-1 of the share of the way that is passed at the two points seen."""
    start, gap = at.param[shape.start], at.param[shape.end] - at.param[shape.start]
    gap = jnp.where(jnp.abs(gap) < 1e-9, 1e-9, gap)
    share = jnp.clip((jnp.stack([at.seen.low, at.seen.high]) - start) / gap, -5.0, 5.0)
    # Nearer to either than runs scatter nothing is known of s^-1.
    edge = jnp.clip(_scatter(at) / jnp.abs(gap), *EDGE)
    over = softplus(2 * (share - edge) / edge) - softplus(2 * (share - 1 + edge) / edge)
    return shape.back(edge + edge * over / 2, at)


def _scatter(at):
    """The sd of a run about the law, as far as it is known."""
    return at.seen.error if at.scatter is None else jnp.hypot(at.scatter, at.seen.error)


def _goes_so(at, shape: Shape):
    """1 of a few models whose curve goes the way of the law, else 0."""
    return jnp.maximum(-at.seen.way if shape.falls else at.seen.way, 0.0)


def _narrow(at, shape: Shape):
    """How far the scatter of runs lets the curve be from what was seen, beside its rise: below 1.

    1 where the noise has no sd, or of many models.
    """
    if at.scatter is None:
        return 1.0
    away = 2 * _scatter(at) / jnp.abs(at.seen.high - at.seen.low)
    return jnp.where(_goes_so(at, shape) > 0, away / jnp.sqrt(1 + away**2), 1.0)


def _in_logits(raw, at, slope: str, scale: str, shape: Shape | None):
    """Sample asinh(k t), t being the distance of x50 from the largest x in logs.

    A plateau pins down how many logits the largest model is short of the threshold: a wall that
    is steep in t where k is large, and equally smooth for every k here. Far out it is log t. Of a
    few models that saw a rise k t is told relative to what they saw in the middle.
    """
    k = at.coordinate[slope]
    if shape is None:
        away = jnp.sinh(raw)
    else:
        middle = (at.seen.first + at.seen.last) / 2 - at.span[scale][1]
        known = k * middle - _passed(at, shape).mean()
        away = jnp.sinh(raw * _narrow(at, shape)) + _goes_so(at, shape) * known
    return 2 * jnp.arcsinh(away / (k * DECADE * 2**0.5))


def _in_slopes(raw, at, shape: Shape):
    """Sample log k relative to that of the curve through what was seen."""
    first, last = _passed(at, shape)
    rise = SOFT * softplus((last - first) / SOFT) + FLATTEST
    known = jnp.log(rise / (at.seen.last - at.seen.first))
    return raw * _narrow(at, shape) + _goes_so(at, shape) * known


def unlock(slope: str = "k", scale: str = "x", shape: Shape | None = None) -> Coordinate:
    """Return the coordinate of a scale of an unlock, in the input `scale`.

    Before the data speak it lies about the largest model: log(x50 / largest x) is Student-t with 2
    degrees of freedom and a scale of one decade. Sampled in units of the parameter `slope`.

    Parameters
    ----------
    shape
        Of the law, for what few models saw of it.
    """
    return scaled(
        dist.Logistic(0.0, 1.0),
        lambda r, at: place(r, at.span[scale]),
        unit=lambda at: at.ref[scale],
        warp=lambda raw, at: _in_logits(raw, at, slope, scale, shape),
        link="log",
        says=f"about the largest {scale}: {HEAVY}",
        last=shape is not None,
    )


def steepness(prior: Distribution, shape: Shape) -> Coordinate:
    """Return the coordinate of the slope of a law of this shape, with this prior."""
    return scaled(prior, warp=lambda raw, at: _in_slopes(raw, at, shape))


UNLOCK = unlock()
