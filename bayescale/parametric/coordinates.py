"""Coordinates: what is sampled in place of a formula's constant.

`share` makes a term a share of the level at the reference scale, `scaled` a constant that is its
unit times a form of a dimensionless coordinate. Their functions take what they need from one last
argument, `at`: `lambda raw, at: contrast(raw, at.span.N, at.share.A)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from .seen import UNSEEN, Seen

__all__ = [
    "At",
    "Coordinate",
    "Lookup",
    "as_it_is",
    "given",
    "in_own_unit",
    "no_unit",
    "scaled",
    "share",
]


class Lookup:
    """Values by attribute or by item, each found when it is asked for."""

    def __init__(self, kind: str, find: Callable[[str], Any]):
        self._kind, self._find = kind, find

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        try:
            return self._find(name)
        except KeyError:
            raise AttributeError(
                f"a coordinate asks for at.{self._kind}.{name}: there is none"
            ) from None


NOTHING = Lookup("", {}.__getitem__)


@dataclass(frozen=True)
class At:
    """What the functions of a coordinate may ask for."""

    span: Lookup = NOTHING
    """By input: an array (lowest, highest) of its log over the data, relative to the reference."""
    ref: Lookup = NOTHING
    """By input: its reference scale."""
    param: Lookup = NOTHING
    """By parameter: its value when every reference scale is 1."""
    share: Lookup = NOTHING
    """By amplitude: its share of the level at the reference; 1 where it is fixed or tied."""
    coordinate: Lookup = NOTHING
    """By parameter: its own coordinate, as drawn from its prior; 1 where it is fixed or tied."""
    raw: Lookup = NOTHING
    """By parameter: what is sampled of it, also of one after it; 0 where it is fixed or tied."""
    y: Any = None
    """A typical size of the response (of the loss, where a law speaks of one too)."""
    chance: Any = None
    """The nominal chance level, 0 where the data name none."""
    seen: Seen = UNSEEN
    """Two points of a curve of few models."""
    scatter: Any = None
    """The sd of runs about the law, where the noise has one in the unit of the response."""


def as_it_is(coordinate: Any, at: At) -> Any:
    """Return the coordinate: the form of a constant that is sampled itself."""
    return coordinate


def no_unit(at: At) -> float:
    """Return 1: the unit of a constant without one."""
    return 1.0


@dataclass(frozen=True, eq=False)
class Coordinate:
    """What is sampled in place of a formula's constant: constant = unit * form(coordinate).

    With inputs measured in units of their reference scale the unit is 1, so that priors, modes
    and step sizes are the same for tokens, images and embedding widths.
    """

    prior: Distribution | None
    """Prior of the coordinate; None makes it a share of the level at the reference scale."""
    form: Callable[[Any, At], Any] = as_it_is
    """(coordinate, at) -> the constant when every reference scale is 1; asks for `at.param`,
    `at.span`, `at.y` and `at.chance`."""
    unit: Callable[[At], Any] = no_unit
    """(at) -> the unit; asks for `at.ref` and `at.param`."""
    warp: Callable[[Any, At], Any] | None = None
    """(raw, at) -> the unconstrained coordinate, increasing in raw, element by element. It changes
    what is sampled (raw), never the prior; asks for `at.span`, `at.seen`, `at.scatter`, and for
    `at.share`, `at.coordinate` and `at.param` of what is sampled before it: all without a warp. A
    fit knows the slope that a term makes far better than its exponent or its share alone: sampling
    the slope straightens the ridge between them."""
    link: str | None = None
    """How groups differ in the constant where it is pooled: `log`, `logit` or `identity`; by
    default as the prior's support suggests."""
    last: bool = False
    """Whether its warp asks for what has one itself: it is sampled last."""
    given: bool = False
    """Whether nothing is sampled: the data say what the constant is, unit * form(0)."""
    says: str = ""
    """What the prior of the constant is in words, where there is a form or a unit; `{}` in it
    stands for the prior of the coordinate: `{} times a typical loss`."""


def share(
    form: Callable[[Any, At], Any] = as_it_is,
    unit: Callable[[At], Any] = no_unit,
    says: str = "",
) -> Coordinate:
    """Return the coordinate of a term of the law: its share of the level at the reference.

    The level is the sum of all free terms there; the shares are uniform on the simplex. The
    reference is the largest scale of the data; of several scales the middle of each.

    Returns
    -------
    Coordinate
        To stand as the default of a law's parameter.

    Examples
    --------
    >>> @bs.law
    ... def two_terms(x, *, E=bs.share(), A=bs.share(), alpha=bs.positive(0.05, 1)):
    ...     return E + A * x**-alpha
    >>> two_terms.relative  # x is measured relative to the reference scale
    True
    """
    return Coordinate(None, form, unit, says=says)


def scaled(
    prior: Distribution,
    form: Callable[[Any, At], Any] = as_it_is,
    unit: Callable[[At], Any] = no_unit,
    warp: Callable[[Any, At], Any] | None = None,
    link: str | None = None,
    says: str = "",
    last: bool = False,
) -> Coordinate:
    """Return the coordinate of a constant that is `unit * form(u)` with u drawn from `prior`.

    Returns
    -------
    Coordinate
        To stand as the default of a law's parameter.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import numpyro.distributions as dist
    >>> scale = bs.scaled(dist.Normal(0, 2), lambda u, at: jnp.exp(u), lambda at: at.ref.x)
    >>> @bs.law(support="unit", improves="up", response="accuracy", unlock="x50")
    ... def step(x, *, x50=scale):
    ...     return 1 / (1 + x50 / x)
    >>> float(step(1e9, x50=1e9))
    0.5
    """
    return Coordinate(prior, form, unit, warp, link, last, says=says)


def given(form: Callable[[At], Any], unit: Callable[[At], Any] = no_unit, says: str = "") -> Any:
    """Return what stands for a constant of the table at hand, of which nothing is sampled."""
    return Coordinate(None, lambda _, at: form(at), unit, given=True, says=says)


def in_own_unit(old: Distribution | Coordinate, prior: Distribution) -> Distribution | Coordinate:
    """Return what is sampled in place of a constant whose prior is changed to `prior`.

    `prior` is of the constant itself, in its own unit. A coordinate that is the constant keeps its
    warp; of any other only the unit and how groups differ in it are kept. A log-normal or normal
    prior is sampled in units of its median or its sd, since constants may be as large as 1e24.
    """
    if isinstance(old, Distribution):
        if prior.support == old.support:
            return prior
        old = Coordinate(old)
    link = old.link if _allows(prior, old.link) else None
    itself = old.form is as_it_is and old.unit is no_unit and old.prior is not None
    if itself and prior.support == old.prior.support:
        return Coordinate(prior, warp=old.warp, link=link, last=old.last)
    sampled, natural = prior, as_it_is
    if type(prior) is dist.LogNormal:
        sampled = dist.LogNormal(0.0 * prior.loc, prior.scale)
        natural = lambda v, at: jnp.exp(prior.loc) * v  # noqa: E731
    elif type(prior) is dist.Normal:
        sampled = dist.Normal(0.0 * prior.loc, 1.0)
        natural = lambda v, at: prior.loc + prior.scale * v  # noqa: E731
    return Coordinate(sampled, lambda v, at: natural(v, at) / old.unit(at), old.unit, link=link)


def _allows(prior: Distribution, link: str | None) -> bool:
    """Return whether all values of a prior have a finite place on a link's scale."""
    lo, hi = (getattr(prior.support, end, inf) for end in ("lower_bound", "upper_bound"))
    above, below = 0 <= lo < inf, hi <= 1
    return {"log": above, "logit": above and below}.get(link or "", True)
