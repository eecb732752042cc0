"""Which run next, by ScaleBench's protocol: target R2 from a share of the pool's cost.

Each path begins with a few of the pool's cheapest runs; then `next_runs` buys what tells most of
the target region, from refits. V-optimal designs, random and cheapest runs start alike and buy as
much.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS, Laplace
from bayescale.planning.design import tamed
from bayescale.posterior.mixture import Mixture
from bayescale.posterior.posterior import Posterior
from bayescale.questions.predict import predict
from bayescale.workflows.forecast import forecast

from .common import cpu_seconds, table, write
from .designs import bought, others, start, v_optimal
from .next_runs_text import REFITS, closing, opening
from .scalebench import PUBLISHED, Task, tasks

SEEDS = 5
SAMPLER = Laplace(draws=1000, starts=16)
MISFIT = NUTS(chains=2, warmup=250, draws=250, retries=0)
"""Of laws with their misfit."""
OURS, V_OPTIMAL = "next_runs", "V-optimal"
WITH_MISFIT = ("moe", "farseer", "chinchilla_split")

Paths = dict[str, list[int]]
"""Runs that are made, by `WAY SEED`."""


class Told(NamedTuple):
    """What the runs of a path tell."""

    asked: Posterior | Mixture
    """What `next_runs` asks."""
    mean: np.ndarray
    """Draws of the law at the targets, (draw, target)."""
    new: np.ndarray
    """lo, median and hi of new runs there, (3, target)."""


def refit(task: Task, paths: Paths, misfit: bool) -> dict[str, Told]:
    """Return what the runs of each path tell: by one law at its word, or by `forecast`."""
    rows = [task.pool.iloc[made].assign(path=name) for name, made in paths.items()]
    roles = dict(curve="path", duplicates="keep")
    data: Dataset = from_frame(pd.concat(rows), [*task.scales], "loss", **roles)
    if misfit:
        laws = None if isinstance(task.law, str) else [task.law]
        found = forecast(data, task.at, laws=laws, sampler=MISFIT, progress=False)
        told = found.prediction
        new, curves = told.quantiles("new"), enumerate(found.curves)
        return {str(k): Told(found.mixtures[k], told.mean[i], new[:, i]) for i, k in curves}
    fits = fit(task.law, data, noise=task.noise, sampler=SAMPLER, progress=False)
    each = {name: predict(one, task.at, allow_failed=True) for name, one in fits}
    return {k: Told(fits.curve(k), one.mean, one.quantiles("new")) for k, one in each.items()}


def spreads(task: Task, told: Told) -> np.ndarray:
    """Return the spread of what the law says of each target, of losses in logs, (target,)."""
    return tamed(np.log(told.mean) if task.logs else told.mean).std(0)


def studied(
    name: str, task: Task, misfit: bool, seeds: int = SEEDS
) -> tuple[list[dict[str, str]], list[float]]:
    """Return the rows of the table, and how spreads after a round lie to those told before it."""
    ways = (OURS,) if misfit else (OURS, V_OPTIMAL)
    paths = {f"{way} {seed}": start(task, seed) for way in ways for seed in range(seeds)}
    fits, rows, ratios = refit(task, paths, misfit), [], []
    for stop in task.rounds:
        told = {}
        for key, made in paths.items():
            way, seed = key.split()
            if way == V_OPTIMAL:
                made += v_optimal(task, fits[key].asked, made, stop)
            elif plan := bought(task, fits[key].asked, made, stop, int(seed)):
                made += plan.positions
                told[key] = spreads(task, fits[key]) * (plan.left()[-1] if plan.choices else 1.0)
        fits = refit(task, paths, misfit)
        now = {key: spreads(task, fits[key]) for key in told}
        ratios += [float(np.exp(np.median(np.log(now[key] / told[key])))) for key in told]
        if stop in task.budgets:
            others_ = others(task, stop, seeds)
            more = {f"{way} {i}": made for way, each in others_.items() for i, made in each.items()}
            whole = {"all-runs 0": [*range(len(task.cost))]} if stop == task.budgets[-1] else {}
            scores = scored(task, paths, fits)
            scores += [
                row
                for each in (more, whole)
                if each
                for row in scored(task, each, refit(task, each, misfit))
            ]
            rows += shown(name, misfit, stop, pd.DataFrame(scores))
    return rows, ratios


def scored(task: Task, paths: Paths, fits: dict[str, Told]) -> list[dict]:
    """Return R2 and coverage of the targets, a row a path."""
    seen, rows = task.targets.loss.to_numpy(), []
    for key, made in paths.items():
        lo, median, hi = fits[key].new
        left = np.square(seen - median).sum() / np.square(seen - seen.mean()).sum()
        row = {"way": key.split()[0], "runs": len(made), "R2": max(-1.0, 1 - left)}
        row |= {"inside90": np.mean((lo <= seen) & (seen <= hi))}
        rows.append(row | {"width90": np.median(np.log(hi / lo) if task.logs else hi - lo)})
    return rows


def shown(name: str, misfit: bool, share: float, each: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row of the table for each way."""
    rows = []
    for way, own in each.groupby("way", sort=False):
        means = own.drop(columns="way").mean()
        row = {"task": name, "laws": "misfit" if misfit else "one"}
        row |= {"budget": "-" if way == "all-runs" else f"{share:.0%}", "way": way}
        row |= {"paths": len(own), "runs": f"{means.runs:.0f}"}
        row |= {"R2": f"{means.R2:.2f}", "sd": f"{own.R2.std(ddof=0):.2f}"}
        row |= {"inside 90": f"{means.inside90:.2f}", "width 90": f"{means.width90:.3f}"}
        published = dict(
            zip(("random", V_OPTIMAL, OURS), PUBLISHED.get((name, share), "---"), strict=True)
        )
        rows.append(row | {"published R2": published.get(way, "-")})
    return rows


def main() -> None:
    """Run every task by a law at its word, some by laws with their misfit, and write the table."""
    known, found, ratios, seconds = tasks(), {}, {}, {}
    todo = [(name, False) for name in known] + [(name, True) for name in WITH_MISFIT]
    for name, misfit in todo:
        began, label = cpu_seconds(), f"{name}, {'misfit' if misfit else 'one law'}"
        found[label], ratios[label] = studied(name, known[name], misfit)
        seconds[label] = cpu_seconds() - began
        write("next_runs", "Which run next: ScaleBench", *page(found, ratios, seconds))


def page(
    found: dict[str, list[dict[str, str]]],
    ratios: dict[str, list[float]],
    seconds: dict[str, float],
) -> tuple[str, ...]:
    """Return the text, the table, spreads beside those that were told, and what all of it cost."""
    told = ", ".join(f"{name} {value:.0f}" for name, value in seconds.items())
    rows = [row for rows in found.values() for row in rows]
    return (
        *opening(SEEDS),
        *closing(rows),
        table(pd.DataFrame(rows)),
        REFITS,
        table(pd.DataFrame(map(_quantiles, ratios.items()))),
        f"CPU seconds, all paths of all ways: {told}; together {sum(seconds.values()):.0f}.",
    )


def _quantiles(of: tuple[str, list[float]]) -> dict[str, Any]:
    """Return how spreads after a round compare with those that were told before it."""
    name, ratios = of
    levels = {f"{level:.0%}": f"{np.quantile(ratios, level):.2f}" for level in (0.1, 0.5, 0.9)}
    return {"task": name, "rounds": len(ratios)} | levels
