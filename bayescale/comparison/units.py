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
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from ..messages import Note
from ..model.programs import by_blocks, compiled
from ..posterior.pointwise import each_lane, log_likelihood
from ..posterior.posterior import Posterior

__all__ = [
    "COUNT",
    "DENSITY",
    "checked_unit",
    "common_unit",
    "in_counts",
    "log_mass",
    "said_of_unit",
    "unit_of",
]

COUNT, DENSITY = "count", "density"


NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
THIN = 1e-6
"""Mass of a cell below which a difference of two shares of 1 has few digits left."""


@compiled(static_argnames=("model",))
def _cells(model, params, data, lo, hi):
    """Return the log mass of the response from lo to hi, by the cdf; in a tail by quadrature."""

    def one(params):
        scatter = model.scatters(params, data)[model.law.response]
        mass = scatter.cdf(hi) - scatter.cdf(lo)
        middle, half = (hi + lo) / 2, (hi - lo) / 2
        inner = jnp.stack([scatter.log_prob(middle + half * node) for node in NODES])
        tail = logsumexp(inner + jnp.log(_WEIGHTS)[:, None], 0) + jnp.log(half)
        return jnp.where(mass > THIN, jnp.log(jnp.maximum(mass, THIN)), tail)

    return jax.vmap(one)(params)


def log_mass(posterior: Posterior) -> np.ndarray:
    """Return the log probability of each row's count under a continuous noise, (chain, draw, row).

    The mass of shares from (k - 1/2)/n to (k + 1/2)/n, k = round(n y): what rounds to that count.

    Raises
    ------
    ValueError
        If the noise's distribution has no cdf.
    """
    model = posterior.model
    lead = next(iter(posterior.draws.values())).shape[bool(posterior.curves) :][:2]
    found = np.empty((*lead, len(posterior.data)))
    ends = {"real": (-np.inf, np.inf), "positive": (0.0, np.inf), "unit": (0.0, 1.0)}
    with jax.enable_x64(True):
        for lane, params in each_lane(posterior):
            data = lane.data
            k = np.round(data["observed"] * data["n"])
            cell = ((k + side) / data["n"] for side in (-0.5, 0.5))
            lo, hi = (np.clip(end, *ends[model.noise.support]) for end in cell)
            try:
                cells = partial(_cells, model, data=data, lo=lo, hi=hi)
                values = by_blocks(cells, params)
            except (NotImplementedError, AttributeError) as error:
                raise ValueError(
                    f"the noise {model.noise.name} has no cdf, so that it gives no probability of "
                    "counts: compare it with fits of the same noise"
                ) from error
            values = np.where(data["mask"], values, 0.0)
            found[:, :, lane.own] = values[:, lane.place].reshape(*lead, -1)
    return found


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
