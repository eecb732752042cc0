"""Simulation-based calibration of every law and noise: are the draws of the posterior.

Parameters are drawn from the prior, runs from law and noise at a small design, and the rank of each
true parameter among its draws must be uniform; so must be that of what the law says ten times
beyond the data, and of the log likelihood, which sees what no single parameter does (Modrak et al.
2023, arXiv 2211.02383). Talts et al. 2018 (arXiv 1804.06788). `calibration` does the same of few
laws, with more simulations, and draws the ranks.

The simulations of a pair are curves of one table, so that it is compiled once. Each pair is kept as
it is done (`python -m benchmarks sbc` goes on from there).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import chisquare

from bayescale.comparison.ranks import MASSES, ranked, uniformity
from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.make_model import make_model
from bayescale.inference.samplers import NUTS
from bayescale.laws import get_law
from bayescale.model.arrays import lane_of
from bayescale.model.model import Model
from bayescale.model.prior import before
from bayescale.parametric.parametric import Law
from bayescale.posterior.pointwise import law_draws, log_likelihood
from bayescale.posterior.posterior import Posterior

from .common import RESULTS, cpu_seconds, table, write

KEPT = RESULTS / "sbc.csv"
SIMULATIONS = 50
SAMPLER = NUTS(chains=2, warmup=400, draws=500, retries=0)
BINS = 5
"""Of the chi-square test: ten ranks expected in each."""
BEYOND = 10.0
"""How many times beyond the data the law is asked for."""
SUSPECT = 0.05


@dataclass(frozen=True)
class Pair:
    """A law and a noise at a design."""

    law: str
    noise: str | Mapping[str, str]
    design: str
    pool: str | None = None

    @property
    def name(self) -> str:
        """The pair in words."""
        noise = self.noise if isinstance(self.noise, str) else " + ".join(self.noise.values())
        words = {"groups": f", {self.pool} pooled", "runs": ", rows of runs"}
        words["models in runs"] = words["runs"]
        return f"{self.law} x {noise}{words.get(self.design, '')}"


BOTH = {"accuracy": "beta_binomial", "loss": "student"}
PAIRS = (
    Pair("power", "student", "12 sizes"),
    Pair("sigmoid", "beta_binomial", "groups", pool="x50"),
    Pair("two_stage", BOTH, "both"),
    Pair("data_constrained", "student", "N, D, U"),
    Pair("approximate(power)", "lognormal", "12 sizes"),
    Pair("power", "frontier", "12 sizes"),
    Pair("sigmoid", "scale_scatter", "16 models"),
    Pair("chinchilla", "student", "N, D"),
    Pair("power", "lognormal", "runs"),
    Pair("sigmoid", "logit_normal", "models in runs"),
    Pair("distractor", "binomial", "16 models"),
    Pair("farseer", "student", "N, D"),
    Pair("breakthrough", BOTH, "both"),
    Pair("power", "lognormal", "12 sizes"),
    Pair("power", "laplace", "12 sizes"),
    Pair("power", "normal", "12 sizes"),
    Pair("sigmoid", "binomial", "16 models"),
    Pair("sigmoid", "beta_binomial", "16 models"),
    Pair("sigmoid", "bimodal", "16 models"),
    Pair("sigmoid", "bounded", "16 models"),
    Pair("sigmoid", "normal", "16 models"),
    Pair("flat", "scale_scatter", "16 models"),
    Pair("inverse", "scale_scatter", "16 models"),
    Pair("inverted_u", "scale_scatter", "16 models"),
    Pair("distractor", "scale_scatter", "16 models"),
    Pair("exact_match", "scale_scatter", "16 models"),
    Pair("multi_step", "scale_scatter", "16 models"),
    Pair("elbow", "scale_scatter", "16 models"),
    Pair("from_loss", "scale_scatter", "by loss"),
    Pair("power(floor=False)", "student", "12 sizes"),
    Pair("shifted_power", "student", "12 sizes"),
    Pair("saturating", "student", "12 sizes"),
    Pair("broken(1)", "student", "12 sizes"),
    Pair("broken(1, monotone=False)", "student", "12 sizes"),
    Pair("broken(1)", "lognormal", "12 sizes"),
    Pair("kaplan", "student", "N, D"),
    Pair("chinchilla", "lognormal", "N, D"),
    Pair("chinchilla", "laplace", "N, D"),
    Pair("chinchilla", "frontier", "N, D"),
    Pair("farseer", "lognormal", "N, D"),
    Pair("data_constrained", "lognormal", "N, D, U"),
    Pair("approximate(chinchilla)", "lognormal", "N, D"),
    Pair("power", "student", "groups", pool="A"),
)
"""In the order in which they are run: what is asked for by name first."""


def designs() -> dict[str, Dataset]:
    """Return the designs by name; responses are placeholders."""
    few, sizes = np.geomspace(1e7, 1e10, 12), np.geomspace(1e20, 1e24, 16)
    N, D = np.array(np.meshgrid(np.geomspace(5e7, 1.5e10, 5), np.geomspace(1e9, 4e11, 5)))
    N, D = N.ravel(), D.ravel()
    U = np.minimum(D, np.tile([1e9, 5e9, 2.5e10, 1e11, 4e11], 5))
    groups = np.repeat(np.array(["a", "b", "c", "d"], object), 8)
    each = np.tile(np.geomspace(1e20, 1e24, 8), 4)
    runs = np.repeat(np.array(["a", "b", "c", "d", "e"], object), 4)
    counted = lambda x: dict(n=np.full(len(x), 300.0), chance=np.full(len(x), 0.25))  # noqa: E731
    one = lambda x: {"y": np.ones(len(x))}  # noqa: E731
    share = lambda x: {"y": np.full(len(x), 0.5)}  # noqa: E731
    facts = dict(source="simulation")
    both = {"accuracy": np.full(16, 0.5), "loss": np.full(16, 2.0)}
    losses = np.geomspace(1.8, 4.0, 16)
    return {
        "12 sizes": Dataset({"x": few}, one(few), **facts),
        "runs": Dataset({"x": np.geomspace(1e7, 1e10, 20)}, one(runs), run=runs, **facts),
        "models in runs": Dataset(
            {"x": np.geomspace(1e20, 1e24, 20)},
            {"y": np.full(20, 0.5)},
            run=runs,
            **counted(runs),
            **facts,
        ),
        "N, D": Dataset({"N": N, "D": D}, one(N), **facts),
        "N, D, U": Dataset({"N": N, "D": D, "U": U}, one(N), **facts),
        "16 models": Dataset({"x": sizes}, share(sizes), **counted(sizes), **facts),
        "by loss": Dataset({"L": losses}, share(losses), **counted(losses), **facts),
        "groups": Dataset({"x": each}, share(each), group=groups, **counted(each), **facts),
        "both": Dataset({"x": sizes}, both, **counted(sizes), **facts),
    }


def simulate(model: Model, design: Dataset, count: int, seed: int) -> tuple[dict, Dataset]:
    """Return true quantities, (simulation, ...) each, and one curve of runs a simulation.

    Tables with a response that the law cannot have (a loss of 0 or below under `normal`, one beyond
    all floats under a `student` of few degrees of freedom) are left out: a choice by the data alone
    changes no posterior.
    """
    lane, names = lane_of(model, design), [f"s{i:03d}" for i in range(count)]
    made = before(model, design, 2 * count, seed=seed, points=beyond(model.law, design))
    supports, noise = model.law.responses, model.noise
    own = noise.support if noise.counts else supports[model.law.response]
    supports = supports | {model.law.response: own}
    tiny, inf = np.finfo(float).tiny, np.inf
    bounds = {"positive": (tiny, inf), "unit": (0.0, 1.0), "real": (-inf, inf)}
    good = [
        (np.isfinite(y) & (y >= bounds[supports[k]][0]) & (y <= bounds[supports[k]][1])).all(1)
        for k, y in made.runs.items()
    ]
    kept, rows = np.flatnonzero(np.all(good, 0))[:count], len(design)
    whole = design.take(np.tile(np.arange(rows), count))
    of = dict(zip(design.responses, made.runs.values(), strict=True))
    if model.law.further:
        of = {name: made.runs[name] for name in design.responses}
    level = model.law.level_in(design.responses)
    data = replace(
        whole,
        responses={name: y[kept].ravel() for name, y in of.items()},
        curve=np.repeat(np.array(names, object), rows),
        rows=None,
        reference={k: float(v) for k, v in lane["ref"].items()} | {level: float(lane["y"])},
    )
    true = made.parameters | {"beyond": made.along[:, 0]}
    return {name: values[kept] for name, values in true.items()}, data


def beyond(law: Law, design: Dataset) -> dict[str, np.ndarray]:
    """Return a point beyond the data, (1,) of each scale; of a loss that is a scale half of it."""
    less = law.less_is_better
    far = {k: x.min() / 2 if k in less else BEYOND * x.max() for k, x in design.inputs.items()}
    return {name: np.array([x]) for name, x in far.items()}


def quantities(posterior: Posterior) -> dict[str, np.ndarray]:
    """Return the draws of the free parameters and of the law beyond, (simulation, draw, ...)."""
    model, flat, one = posterior.model, posterior.flat(), next(iter(posterior))[1]
    hidden = {f"{name}_shift" for name in model.pool} | {"bends"}
    held = {name for part in model.parts for name in part.parameters if name not in part.free}
    known = {name: flat[name] for name in flat if name not in hidden | held}
    points = beyond(model.law, one.data)
    return known | {"beyond": law_draws(posterior, points)[..., 0]}


def likelihoods(truth: dict, posterior: Posterior) -> tuple[np.ndarray, np.ndarray]:
    """Return the log likelihood at the truth, (simulation,), and of draws, (simulation, draw)."""
    true, drawn = [], []
    for i, (_, one) in enumerate(posterior):
        at = {name: truth[name][i][None, None] for name in one.draws}
        true.append(log_likelihood(replace(one, draws=at)).sum())
        drawn.append(log_likelihood(one).sum(-1).ravel())
    return np.array(true), np.stack(drawn)


def studied(pair: Pair, seed: int, count: int = SIMULATIONS) -> pd.DataFrame:
    """Return one row a simulation and quantity: the rank of the truth, and what holds it."""
    spent, law, design = cpu_seconds(), get_law(pair.law), designs()[pair.design]
    model = make_model(law, design, pair.noise, pair.pool)
    if not model.noise.counts:
        design = replace(design, n=None)
    truth, data = simulate(model, design, count, seed)
    how = dict(noise=pair.noise, pool=pair.pool, sampler=SAMPLER, seed=seed, progress=False)
    posterior = fit(law, data, **how)
    drawn = quantities(posterior)
    found = {}
    for name, draws in drawn.items():
        true, draws = truth[name].reshape(count, -1), draws.reshape(*draws.shape[:2], -1)
        for i in range(true.shape[1]):
            label = name if true.shape[1] == 1 else f"{name}{i + 1}"
            found[label] = ranked(true[:, i], draws[..., i])
    found["log likelihood"] = ranked(*likelihoods(truth, posterior))
    settled = [verdict.settled for verdict in posterior.health.verdicts]
    rows = [
        pd.DataFrame(
            {"pair": pair.name, "quantity": name, "simulation": np.arange(count)}
            | {"rank": one.ranks, "draws": one.draws, "settled": settled}
            | {f"inside {mass:.0%}": held for mass, held in one.inside.items()}
        )
        for name, one in found.items()
    ]
    leapfrogs, spent = posterior.sampling.leapfrogs, cpu_seconds() - spent
    return pd.concat(rows, ignore_index=True).assign(cpu=spent, leapfrogs=leapfrogs)


def by_quantity(kept: pd.DataFrame) -> pd.DataFrame:
    """Return how even the ranks of each quantity of each pair are."""
    rows = []
    for (pair, name), own in kept.groupby(["pair", "quantity"], sort=False):
        ranks, draws = own["rank"].to_numpy(), int(own.draws.iloc[0])
        counts = np.histogram(ranks, np.linspace(0, draws + 1, BINS + 1) - 0.5)[0]
        row = {"pair": pair, "quantity": name, "ECDF p": uniformity(ranks, draws)}
        row |= {"chi2 p": float(chisquare(counts).pvalue), "mean rank": ranks.mean() / draws}
        rows.append(row | {f"{m:.0%}": own[f"inside {m:.0%}"].mean() for m in MASSES})
    return pd.DataFrame(rows)


def by_pair(kept: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Return the least even quantity of each pair, and how its fits went."""
    rows = []
    for pair, own in kept.groupby("pair", sort=False):
        each = told[told.pair == pair]
        least, count = each.loc[each["ECDF p"].idxmin()], len(each)
        first = own[own.quantity == own.quantity.iloc[0]]
        row = {"pair": pair, "simulations": len(first), "quantities": count}
        row |= {"least even": least.quantity, "p x quantities": min(1, least["ECDF p"] * count)}
        row |= {"held at 90 %": own["inside 90%"].mean(), "settled": first.settled.mean()}
        rows.append(row | {"leapfrogs": own.leapfrogs.iloc[0], "CPU s": own.cpu.iloc[0]})
    return pd.DataFrame(rows)


def main(names: tuple[str, ...] = tuple(pair.name for pair in PAIRS)) -> None:
    """Run those of the pairs that are not kept yet, and write."""
    kept = pd.read_csv(KEPT) if KEPT.exists() else pd.DataFrame(columns=["pair"])
    for seed, pair in enumerate(PAIRS):
        if pair.name not in names or (kept.pair == pair.name).any():
            continue
        new = studied(pair, seed)
        kept = pd.concat([kept, new], ignore_index=True) if len(kept) else new
        kept.to_csv(KEPT, index=False)
        print(by_pair(new, by_quantity(new)).to_string(), flush=True)
    report(kept)


def report(kept: pd.DataFrame) -> None:
    """Write what was found."""
    told = by_quantity(kept)
    pairs = by_pair(kept, told)
    least, total = told["ECDF p"].min(), len(told)
    suspects = told[told["ECDF p"] < SUSPECT / total]
    uneven = ", ".join(f"{row.quantity} of {row.pair}" for row in suspects.itertuples())
    left = [pair.name for pair in PAIRS if pair.name not in set(kept.pair)]
    write(
        "sbc",
        "Simulation-based calibration of laws and noises",
        f"{SIMULATIONS} simulations a pair from the prior at small designs of 12 to 32 rows; "
        f"{SAMPLER.chains} chains of {SAMPLER.draws} draws after {SAMPLER.warmup} of warm-up, no "
        "second tries; all fits count, whatever their health. Ranks among 99 draws, thinned.",
        f"ECDF p is that of ranks as uneven by chance (arXiv 2103.10522), chi2 p of {BINS} bins. "
        f"Of {total} quantities of {len(pairs)} pairs the least even has p {least:.2g}, where "
        f"Bonferroni's {SUSPECT / total:.2g} is suspect: {uneven or 'none'}; "
        f"{(told['ECDF p'] < 0.05).mean():.1%} have p below .05, and "
        f"{(told['chi2 p'] < 0.05).mean():.1%} by chi-square. A coverage of 90 % has a standard "
        f"error of {100 * np.sqrt(0.09 / SIMULATIONS):.1f} % a quantity. Over all quantities "
        + ", ".join(f"{kept[f'inside {m:.0%}'].mean():.1%} are held at {m:.0%}" for m in MASSES)
        + ".",
        "## By pair\n\n" + table(pairs, 3),
        f"Not run: {'; '.join(left) or 'nothing'}.",
        "## By quantity\n\n" + table(told, 3),
    )
