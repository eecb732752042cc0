"""Coordinates: what is sampled in place of a formula's constant.

`share` makes a term a share of the level at the reference scale, `scaled` a constant that is its
unit times a form of a dimensionless coordinate.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpyro.distributions import Distribution

__all__ = ["Coordinate", "by_name", "scaled", "share"]


def by_name(fn: Callable, known: Mapping[str, Any], *first: Any) -> Any:
    """Call `fn` with `first`, and with what its further argument names stand for in `known`."""
    names = list(inspect.signature(fn).parameters)[len(first) :]
    return fn(*first, *(known[name] for name in names))


@dataclass(frozen=True, eq=False)
class Coordinate:
    """What is sampled in place of a formula's constant: constant = unit * form(coordinate).

    With inputs measured in units of their reference scale the unit is 1, so that priors, modes
    and step sizes are the same for tokens, images and embedding widths.
    """

    prior: Distribution | None
    """Prior of the coordinate; None makes it a share of the level at the reference scale."""
    form: Callable = lambda coordinate: coordinate
    """(coordinate, *by name) -> the constant when every reference scale is 1. Names: other
    parameters; an input for its log-span, an array (lowest, highest) relative to the reference;
    `chance` for the nominal chance level."""
    unit: Callable = lambda: 1.0
    """(*by name) -> the unit. Names: other dimensionless parameters, an input for its reference."""
    warp: Callable | None = None
    """(raw, *by name) -> the unconstrained coordinate, increasing in raw, element by element. It
    changes what is sampled (raw), never the prior. Names: an amplitude for its share of the level,
    an input for its log-span, another parameter for its coordinate. A fit knows the slope that a
    term makes far better than its exponent or its share alone: sampling the slope straightens the
    ridge between them."""
    link: str | None = None
    """How families differ in the constant where it is pooled: `log`, `logit` or `identity`; by
    default as the prior's support suggests."""


def share(form: Callable = lambda a: a, unit: Callable = lambda: 1.0) -> Coordinate:
    """Return the coordinate of a term of the law: its share of the level at the reference.

    The level is the sum of all free terms there; the shares are uniform on the simplex.
    """
    return Coordinate(None, form, unit)


def scaled(
    prior: Distribution,
    form: Callable = lambda u: u,
    unit: Callable = lambda: 1.0,
    warp: Callable | None = None,
    link: str | None = None,
) -> Coordinate:
    """Return the coordinate of a constant that is `unit * form(u)` with u drawn from `prior`."""
    return Coordinate(prior, form, unit, warp, link)
