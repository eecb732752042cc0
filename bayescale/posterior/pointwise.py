"""The draws of a fit at given points: the law, the log density of runs, and new runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp
from jaxtyping import Float

from ..model.arrays import Lane, lanes
from ..model.evaluate import at_own, law_at
from ..model.programs import compiled
from ..model.runs import sample_runs
from ..model.sampling import sample_each
from .drift import drifted_inputs
from .posterior import Posterior

__all__ = [
    "law_draws",
    "log_likelihood",
    "log_mass",
    "log_prior",
    "replicate",
    "response_of",
    "runs_of",
]


def law_draws(
    posterior: Posterior, at: Mapping[str, np.ndarray]
) -> Float[np.ndarray, "*curve draw point"]:
    """Return the law for every draw, chains joined; beyond the data with the fit's drift.

    Parameters
    ----------
    at
        Scales in natural units, (point,) of every input.
    """
    law, flat = posterior.law, posterior.flat()
    if posterior.drift is not None:
        params = {name: flat[name] for name in law.parameters}
        return at_own(law, params, drifted_inputs(posterior, at))
    # With a chain of all draws, and a curve where there is none.
    lead = (slice(None), None) if posterior.curves else (None, None)
    draws = {name: flat[name][lead] for name in law.parameters}
    curves = next(iter(draws.values())).shape[0]
    found = law_at(law, draws, {name: np.tile(x, (curves, 1)) for name, x in at.items()})[:, 0]
    return found if posterior.curves else found[0]


def _natural(posterior: Posterior) -> Iterator[tuple[Lane, dict]]:
    """Yield each curve with its draws, scales as these in natural units."""
    flat = posterior.flat()
    for lane in lanes(posterior.model, posterior.data):
        ref = lane.data["ref"]
        lane.data["inputs"] = {k: v * ref[k] for k, v in lane.data["inputs"].items()}
        yield lane, {k: v[lane.curve] if posterior.curves else v for k, v in flat.items()}


def response_of(posterior: Posterior, response: str | None = None) -> str:
    """Return the name of a response as the law has it; the law's `response` by default.

    Raises
    ------
    ValueError
        If the law has no such response.
    """
    law = posterior.law
    known = dict.fromkeys(law.responses)
    if not law.further:  # the table may call it otherwise
        known |= dict.fromkeys(posterior.data.responses)
    if response is not None and response not in known:
        raise ValueError(f"no response {response!r}; there are {', '.join(known)}")
    return response if law.further and response is not None else law.response


@compiled(static_argnames=("model",))
def _rows(model, params, data):
    return jax.vmap(model.log_likelihoods, (0, None))(params, data)


def log_likelihood(posterior: Posterior, response: str | None = None) -> np.ndarray:
    """Return the log density of each row under its own curve, (chain, draw, row).

    Of all that was measured in the row, or of one response of a law of several. Where rows are of
    runs, these are what is independent: (chain, draw, run), in the order of `runs_of`.
    """
    first = 1 if posterior.curves else 0
    lead = next(iter(posterior.draws.values())).shape[first : first + 2]
    of = runs_of(posterior)
    found = np.empty((*lead, of.max() + 1))
    with jax.enable_x64(True):
        for lane, params in _natural(posterior):
            parts = _rows(posterior.model, params, lane.data)
            values = np.asarray(sum(parts.values()) if response is None else parts[response])
            units, at = np.unique(of[lane.own]), lane.place
            if posterior.model.runs is not None:
                at = np.arange(len(units))
            found[:, :, units] = values[:, at].reshape(*lead, -1)
    return found


def runs_of(posterior: Posterior) -> np.ndarray:
    """Return which of the independent parts of the data each row is of, (row,): from 0.

    Its run, where the fit knows of runs; else the row itself. By curve, then by label.
    """
    data = posterior.data
    if posterior.model.runs is None:
        return np.arange(len(data))
    found, start = np.empty(len(data), int), 0
    for name in data.curve_names or (None,):
        own = np.ones(len(data), bool) if name is None else data.curve == name
        labels, run = np.unique(data.run[own].astype(str), return_inverse=True)
        found[own], start = start + run, start + len(labels)
    return found


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
        for lane, params in _natural(posterior):
            data = lane.data
            k = np.round(data["observed"] * data["n"])
            cell = ((k + side) / data["n"] for side in (-0.5, 0.5))
            lo, hi = (np.clip(end, *ends[model.noise.support]) for end in cell)
            try:
                values = np.asarray(_cells(model, params, data, lo, hi))
            except (NotImplementedError, AttributeError) as error:
                raise ValueError(
                    f"the noise {model.noise.name} has no cdf, so that it gives no probability of "
                    "counts: compare it with fits of the same noise"
                ) from error
            values = np.where(data["mask"], values, 0.0)
            found[:, :, lane.own] = values[:, lane.place].reshape(*lead, -1)
    return found


@compiled(static_argnames=("model", "response"))
def _scatters(model, params, data, response):
    def one(params):
        along = None if model.runs is None else model.along(params, data)
        return model.scatters(params, data)[response], along

    return jax.vmap(one)(params)


def replicate(
    posterior: Posterior, count: int, *, seed: int = 0, response: str | None = None
) -> np.ndarray:
    """Return new responses at the rows of the data, one set a draw, (count, row).

    Each row under its own curve and group, and as it would be measured: what lies below a
    detection limit is put at it, as in the data; of runs whole ones, each with a level of its own
    and rows that follow each other. Draws are taken evenly from all chains; a curve without draws
    has none of these either, but nan.

    Returns
    -------
    array
        New responses, (count, row).

    Examples
    --------
    >>> new = bs.replicate(power_fit, 50, seed=1)
    >>> new.shape == (50, len(power_fit.data))
    True
    """
    model, name = posterior.model, response_of(posterior, response)
    found = np.full((count, len(posterior.data)), np.nan)
    with jax.enable_x64(True):
        for lane, params in _natural(posterior):
            total = next(iter(params.values())).shape[0]
            at = np.linspace(0, total - 1, count).astype(int)
            taken = {k: v[at] for k, v in params.items()}
            if not all(np.isfinite(v).all() for v in taken.values()):
                continue  # an interrupt left it without draws
            rng = np.random.default_rng([seed, 11, lane.curve])
            scatter, along = _scatters(model, taken, lane.data, name)
            if model.runs is None:
                drawn = sample_each(scatter, rng)
            else:
                drawn = sample_runs(scatter, lane.data, *along, rng)
            counted = model.noise.counts and name == model.law.response
            found[:, lane.own] = (drawn / lane.data["n"] if counted else drawn)[:, lane.place]
    if posterior.data.limit is not None:
        found = np.maximum(found, posterior.data.limit)
    return found


@compiled(static_argnames=("model",))
def _priors(model, z, data):
    def one(z):
        values = model.constrain(z, data)[0]
        return {site.name: site.prior.log_prob(values[site.name]) for site in model.sites}

    return jax.vmap(one)(z)


def log_prior(posterior: Posterior) -> dict[str, np.ndarray]:
    """Return the log prior density of each block of coordinates, ([curve,] chain, draw) each.

    By name of a parameter; `level` and `share` are those of the law's terms. Of the quantities as
    their priors have them, without a volume for how they are sampled. Empty for a posterior that
    has lost its own coordinates.
    """
    model, z = posterior.model, posterior.z
    if z is None or z.shape[-1] != model.size:
        return {}
    z = z if posterior.curves else z[None]
    found: dict[str, np.ndarray] = {}
    with jax.enable_x64(True):
        for curve, *_, lane in lanes(model, posterior.data):
            parts = _priors(model, z[curve].reshape(-1, model.size).astype(float), lane)
            for name, values in parts.items():
                blank = np.full(z.shape[:-1], np.nan)
                found.setdefault(name, blank)[curve] = np.asarray(values).reshape(z.shape[1:-1])
    return found if posterior.curves else {name: values[0] for name, values in found.items()}
