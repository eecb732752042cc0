"""units: densities of shares and probabilities of counts, put into one unit.

A noise of counts gives the probability of k right answers of n, one of shares the density of k/n:
per share, and larger by a factor of about n in each row. As they stand they do not compare: over a
table they are off by sum(log n). Where the number of questions is known, both are told as

    count     the probability of the count: a continuous noise has as much as its mass from
              (k - 1/2)/n to (k + 1/2)/n, so that it too speaks of what could be measured
    density   of the response, in its own unit: all noises that are not of counts

Mass rather than density times 1/n: a noise narrower than a question would have a probability
above 1. Noises of log y give densities of y, and compare with those of y as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ..messages import Note
from ..posterior.pointwise import log_likelihood, log_mass
from ..posterior.posterior import Posterior

__all__ = [
    "COUNT",
    "DENSITY",
    "checked_unit",
    "common_unit",
    "in_counts",
    "said_of_unit",
    "unit_of",
]

COUNT, DENSITY = "count", "density"


def unit_of(posterior: Posterior) -> str:
    """Return the unit in which a fit is told by default: `count` where it can be.

    Of rows that are of runs only the density of a run is known.
    """
    known = posterior.data.n is not None and posterior.law.support == "unit"
    return COUNT if known and posterior.model.runs is None else DENSITY


def checked_unit(posterior: Posterior, unit: str | None) -> str:
    """Return the unit that is asked, by default that of the table.

    Raises
    ------
    ValueError
        If there is no such unit, or the fit cannot be told in it.
    """
    usual = unit_of(posterior)
    if unit is None or unit == usual:
        return usual
    if unit not in (COUNT, DENSITY):
        raise ValueError(f"a unit is {COUNT} or {DENSITY}, got {unit!r}")
    if unit == COUNT or posterior.model.noise.counts:
        raise ValueError(
            f"{posterior.law.name} with the noise {posterior.model.noise.name} is told in {usual}, "
            f"not in {unit}"
        )
    return unit


def common_unit(posteriors: Iterable[Posterior]) -> str:
    """Return the unit in which fits compare: `density` where no noise is of counts.

    Raises
    ------
    ValueError
        If a noise of counts stands beside a table without a number of questions.
    """
    fits = list(posteriors)
    if not any(one.model.noise.counts for one in fits):
        return DENSITY
    for one in fits:
        if unit_of(one) != COUNT:
            raise ValueError(
                f"{one.law.name} with the noise {one.model.noise.name} has no number of questions, "
                "others count: fit it to the table with its n (-n)"
            )
    return COUNT


def in_counts(posterior: Posterior) -> np.ndarray | None:
    """Return what turns log densities of rows into log probabilities of counts, as they are.

    (chain, draw, row), to be added; None of a noise that counts.
    """
    if posterior.model.noise.counts:
        return None
    own = log_likelihood(posterior, posterior.law.response)
    return log_mass(posterior) - own


def said_of_unit(posteriors: Mapping[str, Posterior]) -> list[Note]:
    """Return what is to be said where noises of counts and of shares are compared."""
    shares = {one.model.noise.name for one in posteriors.values() if not one.model.noise.counts}
    if not shares or common_unit(posteriors.values()) == DENSITY:
        return []
    text = f"compared by the probability of the counts: of {', '.join(sorted(shares))}, a noise of "
    return [Note("unit", f"{text}shares, the mass from (k - 1/2)/n to (k + 1/2)/n")]
