"""designs: which runs of a task's pool are made, in every way that the study compares.

`bought` takes what `next_runs` chooses, `v_optimal` a V-optimal design of the same fit.
"""

from __future__ import annotations

import numpy as np

from bayescale.inference.fit import natural
from bayescale.laws.names import get_law
from bayescale.model.arrays import pack
from bayescale.model.evaluate import law_at
from bayescale.planning.next_runs import NextRuns, next_runs
from bayescale.posterior.posterior import Posterior
from bayescale.questions.predict import predict

from .scalebench import Task

START = 2.5
"""Runs that a path begins with, for each constant of the law, as ScaleBench has it; 15 at least:
with as many as there are constants a law passes through all of them."""
COST_COUNTS = 0.3
"""Power of the cost by which ScaleBench's V-optimal design divides what a run tells."""
SOME = 100
"""Runs of the pool by which a V-optimal design takes the noise of all."""
STEP = 1e-4
"""Standard deviations from the estimate at which slopes are taken."""


def start(task: Task, seed: int) -> list[int]:
    """Return a few of the cheapest fifth of the pool, of a small one among twice as many."""
    count = max(15, int(START * len(get_law(task.law).parameters)))
    cheap = np.argsort(task.cost, kind="stable")[: max(len(task.cost) // 5, 2 * count)]
    return np.random.default_rng([seed, 1]).choice(cheap, count, replace=False).tolist()


def fill(task: Task, made: list[int], order: np.ndarray, budget: float) -> list[int]:
    """Return the runs that are made, and those that come next in an order and can be paid."""
    made, spent = list(made), task.cost[made].sum()
    for i in order:
        if i not in made and spent + task.cost[i] <= budget:
            made.append(int(i))
            spent += task.cost[i]
    return made


def others(task: Task, share: float, seeds: int) -> dict[str, dict[int, list[int]]]:
    """Return the random and the cheapest runs of as much, by seed."""
    budget, cheapest = share * task.cost.sum(), np.argsort(task.cost, kind="stable")
    shuffled = lambda seed: np.random.default_rng([seed, 2]).permutation(len(task.cost))  # noqa: E731
    starts = {seed: start(task, seed) for seed in range(seeds)}
    return {
        "random": {s: fill(task, made, shuffled(s), budget) for s, made in starts.items()},
        "cheapest": {0: fill(task, [], cheapest, budget)},
    }


def bought(task: Task, asked, made: list[int], share: float, seed: int) -> NextRuns | None:
    """Return what `next_runs` chooses beside the runs that are made; None where none can be."""
    rest, cost = _left(task, made, share)
    if rest < cost.min():
        return None
    how = dict(cost=cost, budget=rest, target=task.at, seed=seed, allow_failed=True)
    return next_runs(asked, task.pool[[*task.scales]], **how)


def v_optimal(task: Task, fit: Posterior, made: list[int], share: float) -> list[int]:
    """Return the runs that take most of the mean variance at the targets, one after another.

    As ScaleBench's V-optimal design: the law made linear at the estimate, losses as such, one
    noise for all runs, and what a run tells over its cost^.3.
    """
    rest, cost = _left(task, made, share)
    pool = {name: task.pool[name].to_numpy() for name in task.scales}
    runs, targets = (_linear(fit, at) for at in (pool, task.at))
    some = slice(None, None, max(1, len(cost) // SOME))
    told = predict(fit, {name: x[some] for name, x in pool.items()}, allow_failed=True)
    lo, hi = np.quantile(told.new - told.mean, (0.1585, 0.8415), axis=0)
    noise, chosen = np.median((hi - lo) / 2) ** 2, []
    while True:
        variance = np.square(runs).mean(0) + noise
        gain = np.square(targets.T @ runs / len(runs)).sum(0) / variance / cost**COST_COUNTS
        gain[(cost > rest) | np.isin(np.arange(len(cost)), chosen)] = 0.0
        best = int(gain.argmax())
        if not gain[best] > 0:
            return chosen
        chosen.append(best)
        rest -= cost[best]
        # A root of the covariance given the run (Potter 1963).
        own = runs[:, best] / variance[best]
        keep = 1 / (1 + np.sqrt(noise / variance[best]))
        runs, targets = (
            x - keep * np.outer(own, runs[:, best] @ x / len(x)) for x in (runs, targets)
        )


def _left(task: Task, made: list[int], share: float) -> tuple[float, np.ndarray]:
    """Return what is left of the budget, and the costs: of runs that are made out of reach."""
    total, cost = task.cost.sum(), task.cost.copy()
    cost[made] = 10 * total
    return share * total - task.cost[made].sum(), cost


def _linear(fit: Posterior, at: dict[str, np.ndarray]) -> np.ndarray:
    """Return the law made linear at the estimate, along the axes of the fit, (axis, point).

    Times as much that products of two points have as their mean over the axes the covariance.
    """
    z = fit.z.reshape(-1, fit.z.shape[-1])
    sizes, axes = np.linalg.svd(z - z.mean(0), full_matrices=False)[1:]
    away = STEP * np.sqrt(len(axes) / len(z)) * sizes[:, None] * axes
    both = (z.mean(0) + np.stack([away, -away]))[None]
    params, _ = natural(fit.model, both, pack(fit.model, fit.data)[0].data)
    up, down = law_at(fit.law, params, {name: x[None] for name, x in at.items()})[0]
    return (up - down) / (2 * STEP)
