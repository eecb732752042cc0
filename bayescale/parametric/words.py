"""Priors in words and numbers: how they are written, said, and kept in a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from .coordinates import Coordinate, as_it_is, no_unit

__all__ = ["LEVEL", "from_record", "quantiles", "record", "said", "written"]

LEVEL = "at the reference scale: 68 % within a factor of e of a typical response (log-normal)"
"""Of the sum of a law's terms, where these are shares of it."""
SHARE = "a share of the level at the reference scale, uniform on the simplex"
ALL = "the level at the reference scale"
MASS = 0.9
"""Mass of the interval in which a prior is told."""

# Quantile functions that NumPyro has in single precision, with a further package, or not at all;
# of `scipy.stats`, which takes half a second to import.
SCIPY = {
    dist.Normal: lambda stats, p: stats.norm(p.loc, p.scale),
    dist.LogNormal: lambda stats, p: stats.lognorm(p.scale, scale=np.exp(np.asarray(p.loc, float))),
    dist.Beta: lambda stats, p: stats.beta(p.concentration1, p.concentration0),
    dist.Gamma: lambda stats, p: stats.gamma(p.concentration, scale=1 / np.asarray(p.rate)),
    dist.InverseGamma: lambda stats, p: stats.invgamma(p.concentration, scale=p.rate),
    dist.StudentT: lambda stats, p: stats.t(p.df, p.loc, p.scale),
}


def quantiles(prior: Distribution, levels: Sequence[float]) -> np.ndarray | None:
    """Return quantiles of each element, (level, ...); None where no formula of them is known."""
    prior = _elements(prior)
    at = np.asarray(levels).reshape(-1, *[1] * len(prior.batch_shape))
    if type(prior) in SCIPY:
        from scipy import stats

        found = np.asarray(SCIPY[type(prior)](stats, prior).ppf(at))
        rounded = isinstance(prior, dist.Normal) & (abs(found) < 1e-9 * np.ptp(found))
        return np.where(rounded, 0.0, found)
    try:
        with jax.ensure_compile_time_eval():  # also within a function that is being traced
            return np.asarray(prior.icdf(at), float)
    except (NotImplementedError, ImportError, AttributeError):
        return None


def _elements(prior: Distribution) -> Distribution:
    """Return the distribution of the elements of a vector, as a batch."""
    while isinstance(prior, dist.Independent | dist.ExpandedDistribution):
        prior = prior.base_dist
    return prior


# ------------------------------------------------------------------ in words


def said(prior: Distribution | Coordinate, alone: bool = False) -> str:
    """Return a prior in words and numbers: `90 % between 0.05 and 1.5 (log-normal)`.

    `alone`: a law has no other term that is a share of its level.
    """
    if isinstance(prior, Distribution):
        return _plain(prior)
    bare = prior.form is as_it_is and prior.unit is no_unit
    if prior.prior is None:
        return prior.says or "its term is " * (not bare) + (ALL if alone else SHARE)
    text = _plain(prior.prior)
    if prior.says:
        return prior.says.format(text)
    return text if bare else f"a function of a number, {text}"


def _plain(prior: Distribution) -> str:
    parts = _elements(prior)
    if isinstance(parts, dist.Dirichlet):
        flat = bool(np.all(np.asarray(parts.concentration) == 1))
        return "uniform on the simplex" if flat else "Dirichlet"
    if isinstance(parts, dist.Beta) and _equal(parts, concentration1=1, concentration0=1):
        return "uniform from 0 to 1"
    if isinstance(parts, dist.Uniform) and not parts.batch_shape:
        return f"uniform from {_number(parts.low)} to {_number(parts.high)}"
    name = _name(parts)
    if isinstance(parts, dist.StudentT):
        name += f", {_number(parts.df)} df"
    ends = quantiles(parts, [(1 - MASS) / 2, (1 + MASS) / 2])
    if ends is None:
        return name
    ends = ends.reshape(2, -1)
    each = "each " * bool(prior.event_shape)
    if np.ptp(ends, 1).any():
        between = ", ".join(f"{_number(lo)} and {_number(hi)}" for lo, hi in ends.T)
        return f"{MASS:.0%} between {between} ({name})".replace("%", " %")
    lo, hi = (_number(end) for end in ends[:, 0])
    return f"{each}{MASS:.0%} between {lo} and {hi} ({name})".replace("%", " %")


def _name(prior: Distribution) -> str:
    known = {"LogNormal": "log-normal", "StudentT": "Student-t"}
    kind = type(prior).__name__
    return known.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()


def _equal(prior: Distribution, **values: float) -> bool:
    return all(np.all(np.asarray(getattr(prior, k)) == v) for k, v in values.items())


def _number(value: Any, digits: int = 3) -> str:
    return f"{float(np.ravel(value)[0]):.{digits}g}".replace("e+", "e").replace("e0", "e")


# ------------------------------------------------------------------ as it is written


def written(prior: Distribution) -> str:
    """Return a prior as it is written: `positive(0.1, 0.5)`, `HalfNormal(scale=1)`."""
    kind = type(prior)
    if kind in (dist.LogNormal, dist.Normal) and not prior.batch_shape:
        ends = np.asarray(quantiles(prior, [(1 - MASS) / 2, (1 + MASS) / 2]))
        lo, hi = (_number(end, 4) for end in ends)
        return f"{'positive' if kind is dist.LogNormal else 'real'}({lo}, {hi})"
    if kind is dist.Beta and not prior.batch_shape:
        worth = prior.concentration1 + prior.concentration0
        return f"fraction({_number(prior.concentration1 / worth, 4)}, {_number(worth, 4)})"
    kept = record(prior)
    if kept is None:
        return _name(_elements(prior))
    arguments = ", ".join(f"{name}={_number(value)}" for name, value in kept["with"].items())
    return f"{kept['of']}({arguments})"


# ------------------------------------------------------------------ in a file


def record(prior: Distribution) -> dict[str, Any] | None:
    """Return a distribution of plain numbers as JSON has it; None for any other."""
    kind = type(prior)
    if getattr(dist, kind.__name__, None) is not kind or prior.batch_shape or prior.event_shape:
        return None
    given = {name: np.asarray(getattr(prior, name, None)) for name in kind.arg_constraints}
    if not all(value.ndim == 0 and value.dtype.kind in "fiu" for value in given.values()):
        return None
    plain = {name: float(value) for name, value in given.items()}
    try:
        kind(**plain)
    except TypeError:  # made of more than numbers: a truncated distribution
        return None
    return {"of": kind.__name__, "with": plain}


def from_record(kept: dict[str, Any]) -> Distribution:
    """Return the distribution of a `record`.

    Raises
    ------
    ValueError
        If it is of no distribution.
    """
    kind = getattr(dist, kept["of"], None)
    if not (isinstance(kind, type) and issubclass(kind, Distribution)):
        raise ValueError(f"{kept['of']!r} is no distribution")
    found = kind(**{name: float(value) for name, value in kept["with"].items()})
    if found.batch_shape or found.event_shape:
        raise ValueError(f"{kept['of']!r} is not of one number")
    return found
