"""The draws of a fit at given points: the law, the log density of runs and of the prior, new runs.

`said_of_prior` tells which answers the prior decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

import jax
import numpy as np
from jaxtyping import Float

from ..messages import Note, a_seed
from ..model.arrays import Lane, lanes
from ..model.evaluate import at_own, law_at
from ..model.programs import by_blocks, compiled
from ..model.replicates import AtRows
from ..parametric.parametric import Law
from .bends import bent
from .intervals import normal_scores
from .posterior import Posterior

__all__ = [
    "ASK",
    "FEWEST",
    "MOSTLY",
    "each_lane",
    "hangs_on",
    "law_draws",
    "log_likelihood",
    "log_prior",
    "of_response",
    "priors",
    "replicate",
    "response_of",
    "runs_of",
    "said_of_prior",
    "spaced",
]

FEWEST = 100
"""Draws below which nothing is said of their prior."""
MOSTLY = 0.5
"""Share of an answer's spread that one parameter tells, from which on it decides the answer."""
ASK = "sensitivity(fit) (bayescale sensitivity) says how far"


def law_draws(
    posterior: Posterior, at: Mapping[str, np.ndarray]
) -> Float[np.ndarray, "*curve draw point"]:
    """Return the law for every draw, chains joined; beyond the data with the fit's misfit.

    Parameters
    ----------
    at
        Scales in natural units, (point,) of every input.
    """
    law, flat = bent(posterior)
    if posterior.bends is not None:
        params = {name: flat[name] for name in law.parameters}
        shape = (len(next(iter(params.values()))), len(next(iter(at.values()))))
        return at_own(law, params, {name: np.broadcast_to(x, shape) for name, x in at.items()})
    # With a chain of all draws, and a curve where there is none.
    lead = (slice(None), None) if posterior.curves else (None, None)
    draws = {name: flat[name][lead] for name in law.parameters}
    curves = next(iter(draws.values())).shape[0]
    found = law_at(law, draws, {name: np.tile(x, (curves, 1)) for name, x in at.items()})[:, 0]
    return found if posterior.curves else found[0]


def each_lane(posterior: Posterior) -> Iterator[tuple[Lane, dict]]:
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


def of_response(posterior: Posterior, response: str | None) -> Posterior:
    """Return the fit as one of a single response of its law, of the same draws.

    Raises
    ------
    ValueError
        If the law has no such response.
    """
    name, law = response_of(posterior, response), posterior.law
    if name == law.response:
        return posterior
    noise = posterior.model.noises[name]
    model = replace(posterior.model, law=_stage(law, name), noise=noise, further=())
    known = posterior.data.take(np.isfinite(posterior.data.responses[name]))
    data = replace(known, responses={name: known.responses[name]}, n=None, stderr=None)
    return replace(posterior, model=model, data=data)


@cache
def _stage(law: Law, name: str) -> Law:
    """Return a law of one further response; always the same one, of which programs are kept."""

    def formula(*inputs, **params):
        return law.fn(*inputs, **params)[name]

    facts = dict(fn=formula, response=name, support=dict(law.further)[name], further=())
    facts |= dict(improves="down" if name == "loss" else law.improves, second_stage=None)
    return replace(law, **facts, floor=None, ceiling=None, unlock=None)


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
        for lane, params in each_lane(posterior):
            parts = by_blocks(partial(_rows, posterior.model, data=lane.data), params)
            values = np.sum([*parts.values()], 0) if response is None else parts[response]
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
        own = data.of_curve(name)
        labels, run = np.unique(data.run[own].astype(str), return_inverse=True)
        found[own], start = start + run, start + len(labels)
    return found


def spaced(total: int, count: int) -> np.ndarray:
    """Return which of `total` draws, chains joined, stand for all: `count`, evenly from all."""
    return np.linspace(0, total - 1, count).astype(int)


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
    for lane, params in each_lane(posterior):
        total = next(iter(params.values())).shape[0]
        at = spaced(total, count)
        taken = {k: v[at] for k, v in params.items()}
        if not all(np.isfinite(v).all() for v in taken.values()):
            continue  # an interrupt left it without draws
        rng = np.random.default_rng([a_seed(seed), 11, lane.curve])
        drawn = AtRows.of(model, taken, lane.data).new_runs(name, rng)
        found[:, lane.own] = drawn[:, lane.place]
    if posterior.data.limit is not None:
        found = np.maximum(found, posterior.data.limit)
    return found


@compiled(level=0, static_argnames=("model", "volume"))
def _priors(model, z, data, volume):
    def one(z):
        values, _, plain = model.constrain(z, data)
        if volume:
            return model.log_priors(plain)
        return {site.name: site.prior.log_prob(values[site.name]) for site in model.sites}

    return jax.vmap(one)(z)


def log_prior(posterior: Posterior, *, volume: bool = False) -> dict[str, np.ndarray]:
    """Return the log prior density of each block of coordinates, ([curve,] chain, draw) each.

    By name of a parameter; `level` and `share` are those of the law's terms. Empty for a posterior
    that has lost its own coordinates.

    Parameters
    ----------
    volume
        Of coordinates without bounds: logs of what is positive, logits of shares. By default of
        the quantities as their priors have them, without a volume for how they are sampled.
    """
    model, z = posterior.model, posterior.z
    if z is None or z.shape[-1] != model.size:
        return {}
    z = z if posterior.curves else z[None]
    found: dict[str, np.ndarray] = {}
    with jax.enable_x64(True):
        for curve, *_, lane in lanes(model, posterior.data):
            flat = z[curve].reshape(-1, model.size).astype(float)
            each = by_blocks(partial(_priors, model, data=lane, volume=volume), flat)
            for name, values in each.items():
                blank = np.full(z.shape[:-1], np.nan)
                found.setdefault(name, blank)[curve] = values.reshape(z.shape[1:-1])
    return found if posterior.curves else {name: values[0] for name, values in found.items()}


def priors(posterior: Posterior) -> dict[str, np.ndarray]:
    """Return the log prior density of the law's parameters and of the noise's, `law` and `noise`.

    ([curve,] chain, draw) each, in coordinates without bounds (`log_prior` with its volume): there
    powers of a prior keep its middle. Of a log normal it is the median, and a flat prior of shares
    becomes Dirichlet(a), while as it stands no power would change it. What groups differ by is
    told by the groups, and not counted. Empty where the posterior has lost its own coordinates.
    """
    model, parts = posterior.model, log_prior(posterior, volume=True)
    noises = {name for each in model.noises.values() for name in each.parameters}
    found: dict[str, np.ndarray] = {}
    for name, values in parts.items():
        if not name.endswith("_shift"):
            of = "noise" if name in noises else "law"
            found[of] = found.get(of, 0.0) + values
    return found


def hangs_on(one: Posterior, draws: np.ndarray) -> tuple[str, float] | None:
    """Return the parameter of which the data say little that decides an answer, and how far.

    The parameter of the law that is not identified (its posterior sd is more than half of its
    prior sd) and that tells more than half of the spread of the draws, as the square of the
    correlation of normal scores; None where there is none.

    Parameters
    ----------
    draws
        Of one curve, chains joined, (draw,); they may be infinite.
    """
    verdict, law = one.health.verdicts[0], one.law
    loose = [name for name in law.free if name in verdict.unidentified]
    if not loose or len(draws) < FEWEST or np.isnan(draws).any() or (draws == draws[0]).all():
        return None
    flat, scores = one.flat(), normal_scores(draws)
    size, told = np.mean(scores**2), {}
    for name in loose:
        parts = [normal_scores(each) for each in flat[name].reshape(len(draws), -1).T]
        alike = [np.mean(part * scores) ** 2 / (np.mean(part**2) * size) for part in parts]
        told[name] = float(max(alike))
    most = max(told, key=told.__getitem__)
    return (most, told[most]) if told[most] > MOSTLY else None


def said_of_prior(one: Posterior, answers: Mapping[str, np.ndarray]) -> list[Note]:
    """Return which answers hang on the prior of a parameter of which the data say little.

    Nothing, and at no cost, where the data tell all parameters of the law.

    Parameters
    ----------
    answers
        Draws beyond the data by what they are of, (draw,), of one curve.
    """
    found = {what: hangs_on(one, draws) for what, draws in answers.items()}
    known = {what: pair for what, pair in found.items() if pair is not None}
    if not known:
        return []
    what = max(known, key=lambda each: known[each][1])
    name, part = known[what]
    text = (
        f"{name}, and {what}, are the prior's more than the data's: the data say little of {name},"
    )
    text += f" which tells {part:.0%} of the spread of {what}"
    rest = [each for each in known if each != what]
    text += f"; so of {rest[0] if len(rest) == 1 else f'{len(rest)} answers more'}" * bool(rest)
    return [Note("prior", f"{text}; {ASK}")]
