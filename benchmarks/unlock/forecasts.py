"""What the forecast studies share: fits of many cut tasks, and how a forecast is scored.

A forecast is a mixture of laws. Its misfit beyond the data may be set; of each law the draws of new
runs, the densities of what came and the unlock scale of each draw are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import jax
import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.comparison.evidence import log_evidence
from bayescale.laws import get_law
from bayescale.laws.unlock import UNLOCK_PRIOR
from bayescale.posterior.bends import bent, with_misfit
from bayescale.posterior.pointwise import law_draws
from bayescale.workflows.hypotheses import prior_of
from bayescale.workflows.tasks import QUICK

from .designs import Case

RISING = ("sigmoid", "exact_match", "multi_step", "elbow")
LAWS = (*RISING, "flat")
ONCE = replace(QUICK, retries=0)
ROWS = 128
"""Held-out models are padded to so many."""
DECADES = 4.0
DRAWS = 500
"""Of each law, of the four that make a mixture."""


@dataclass(frozen=True, eq=False)
class Unlock:
    """One law's forecast of one case; arrays (draw, model) and (draw,)."""

    density: np.ndarray
    """Log density of what came."""
    new: np.ndarray
    """A new run of each model, as an accuracy."""
    curve: np.ndarray
    unlock: np.ndarray
    """log10 of the scale at which the level is passed, as `threshold` has it."""
    beyond: np.ndarray | None
    """log(x50 / largest fitted scale)."""
    evidence: float
    sound: bool


@partial(jax.jit, static_argnames=("model",))
def _ahead(model, params, data, x, keys):
    def one(params, x, key):
        made = model.scatter(params, data | {"inputs": {"x": x}})
        return made.log_prob(data["observed"]), made.sample(key)

    return jax.vmap(one)(params, x, keys)


def fit_all(cases: list[Case], laws=LAWS, sampler=ONCE) -> dict:
    """Return the posterior of every law on every case."""
    frame = pd.concat([case.fitted.assign(curve=case.name) for case in cases])
    data = bs.from_frame(frame, "x", "y", n="n", chance="chance", curve="curve", duplicates="keep")
    found = {}
    for law in laws:
        fit = bs.fit(law, data, sampler=sampler)
        print(law, fit.health, fit.sampling.seconds, flush=True)
        found |= {(name, law): one for name, one in fit}
    return found


def ahead(case: Case, posterior, sizes) -> dict[float, Unlock]:
    """Return what one law forecasts of a case's held-out models, by size of the misfit."""
    evidence = log_evidence(posterior).log
    return {sd: _forecast(case, with_misfit(posterior, sd), evidence) for sd in sizes}


def density_of(case: Case, one) -> np.ndarray:
    """Return the log density of a case's held-out models under each draw, (draw, model)."""
    return _beyond(case, one)[1]


def _beyond(case: Case, one) -> tuple[dict, np.ndarray, np.ndarray]:
    """Return draws, the log density of what came beyond the cut, and new runs there."""
    law, every = bent(one)
    thin = max(1, len(next(iter(every.values()))) // DRAWS)
    every = {name: values[::thin] for name, values in every.items()}
    held, model = case.held.iloc[:ROWS], replace(one.model, law=law)
    n = _padded(held, held.n).astype(int)
    data = {"observed": np.round(_padded(held, held.y) * n), "n": n, "stderr": np.zeros(ROWS)}
    count = len(next(iter(every.values())))
    x = np.broadcast_to(_padded(held, held.x), (count, ROWS))
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(0), count)
        density, new = jax.device_get(_ahead(model, every, data, x, keys))
    return every, density[:, : len(held)], (new / n)[:, : len(held)]


def _padded(held: pd.DataFrame, column) -> np.ndarray:
    return np.concatenate([column, np.full(ROWS - len(held), column.iloc[0])])


def _forecast(case: Case, one, evidence: float) -> Unlock:
    every, density, new = _beyond(case, one)
    thin = max(1, len(next(iter(one.flat().values()))) // DRAWS)
    held = case.held.iloc[:ROWS]
    top = case.fitted.x.max() * 10**DECADES
    # As a member of a mixture: what is flat over the data may still come.
    alone = bs.mix({one.law.name: one})
    found = bs.threshold(alone, case.level, horizon=top, direction="up", allow_failed=True)
    x50 = every.get("x50")
    return Unlock(
        density=density,
        new=new,
        curve=law_draws(one, {"x": held.x.to_numpy()})[::thin],
        unlock=found.unlock[::thin],
        beyond=None if x50 is None else np.log(x50 / case.fitted.x.max()),
        evidence=evidence,
        sound=one.health.sound,
    )


def width_weights(forecast: Unlock, factor: float) -> np.ndarray:
    """Return draw weights under a prior on the unlock scale wider by `factor`."""
    if forecast.beyond is None or factor == 1:
        return np.ones(len(forecast.unlock))
    t, df = forecast.beyond / float(UNLOCK_PRIOR.scale), float(UNLOCK_PRIOR.df)
    power = (df + 1) / 2
    return ((1 + t**2 / df) / (1 + (t / factor) ** 2 / df)) ** power / factor


MIXTURES = ("equal", "belief", "story")
WINDOW = 3.0
"""Nats of evidence behind the best law of a rise within which the others count as much: a factor
of 20 (Madigan and Raftery 1994, JASA 89, 1535)."""


def law_weights(parts: dict[str, Unlock], by: str) -> dict[str, float]:
    """Return the weight of each law.

    `equal` of those that rise; `belief` of all: prior times evidence; `story` by belief whether
    accuracy rises at all, and equal of the laws of a rise that are not clearly worse than the best.
    """
    best = max(part.evidence for part in parts.values())
    prior = prior_of(map(get_law, parts))
    belief = {law: prior[law] * np.exp(part.evidence - best) for law, part in parts.items()}
    least = max(parts[law].evidence for law in RISING) - WINDOW
    near = [law for law in RISING if parts[law].evidence >= least]
    rise = sum(belief[law] for law in RISING) / len(near)
    chosen = {
        "equal": dict.fromkeys(RISING, 1.0),
        "belief": belief,
        "story": belief | {law: rise * (law in near) for law in RISING},
    }[by]
    total = sum(chosen.values())
    return {law: weight / total for law, weight in chosen.items()}


def pooled(parts: dict[str, Unlock], weights: dict[str, float], factor: float = 1.0):
    """Return all draws of a mixture as one forecast, and their weights."""
    kept = {law: weight for law, weight in weights.items() if weight > 1e-6}
    each = [width_weights(parts[law], factor) for law in kept]
    joined = {
        name: np.concatenate([getattr(parts[law], name) for law in kept])
        for name in ("density", "new", "curve", "unlock")
    }
    share = [w / w.sum() * kept[law] for w, law in zip(each, kept, strict=True)]
    return joined, np.concatenate(share) / sum(kept.values())


def quantile(values: np.ndarray, weights: np.ndarray, level: float) -> np.ndarray:
    """Return weighted quantiles of draws, over the first axis."""
    values = values[:, None] if values.ndim == 1 else values
    order = np.argsort(values, 0)
    below = np.cumsum(weights[order], 0)
    at = np.minimum((below < level - 1e-12).sum(0), len(values) - 1)
    return np.take_along_axis(values, np.take_along_axis(order, at[None], 0), 0)[0]


def score(case: Case, joined: dict, weights: np.ndarray) -> dict:
    """Return coverage, error and log score of one forecast, and how its unlock fares."""
    y = case.held.y.to_numpy()[:ROWS]
    lo, q1, q3, hi = (quantile(joined["new"], weights, q) for q in (0.05, 0.25, 0.75, 0.95))
    top = joined["density"].max(0)
    density = np.log((weights[:, None] * np.exp(joined["density"] - top)).sum(0)) + top
    centre = quantile(joined["curve"], weights, 0.5)
    early, l50, median, h50, late = (
        float(quantile(joined["unlock"], weights, q)[0]) for q in (0.05, 0.25, 0.5, 0.75, 0.95)
    )
    truth, edge = np.log10(case.unlock), np.log10(case.fitted.x.max())
    limit = edge + DECADES
    return {
        "case": case.name,
        "models": len(y),
        "cover50": np.mean((q1 <= y) & (y <= q3)),
        "cover90": np.mean((lo <= y) & (y <= hi)),
        "above": np.mean(y > hi),
        "below": np.mean(y < lo),
        "width90": np.mean(hi - lo),
        "mae": np.mean(np.abs(centre - y)),
        "log_score": density.mean(),
        "unlock50": l50 <= truth <= h50,
        "unlock90": early <= truth <= late,
        "sooner": truth < early,
        "later": truth > late,
        "decades90": min(late, limit) - max(early, edge - DECADES),
        "median": median,
        "truth": truth,
        "p_decade": float(weights[joined["unlock"] <= edge + 1].sum()),
    }
