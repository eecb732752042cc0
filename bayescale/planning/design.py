"""design: what measurements would leave of an uncertainty, and which to make first.

Draws of a posterior stand for what is believed: of each goal g (what one wants to know) and of what
each candidate run would measure, y, jointly. Of goals and runs that are jointly normal

    Var(g | y + e) = Var g - Cov(g, y)^2 / (Var y + s^2),  e ~ N(0, s^2)

whatever is measured (Lindley 1956, doi 10.1214/aoms/1177728069; Chaloner and Verdinelli 1995, doi
10.1214/ss/1177009939). After each choice variances and covariances are those given the run: a
rank-one update, so that the next one is chosen beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..posterior.intervals import INTERVAL, levels

__all__ = ["Beliefs", "Choice", "choose", "left_by_all", "tamed"]

CHANCE = 10.0
"""Over the number of draws: the share of a variance that draws of what has nothing to do with it
seem to tell, at most. So much of each gain is not believed."""
ALL = 500
"""Of so many candidates, those that tell most alone, is asked what all of them would leave."""


FAR = 4.0
"""Standard deviations from the median to which draws that lie farther are taken in."""


def tamed(draws: np.ndarray) -> np.ndarray:
    """Return draws, (draw, column), without wild ones: a few decide a covariance alone.

    Those beyond `FAR` standard deviations of a normal with the same 90 % interval are put there:
    of normal draws hardly any, of a posterior that tells little those that are absurd, or infinite.
    nan where the interval is.
    """
    with np.errstate(invalid="ignore"):
        lo, middle, hi = np.quantile(draws, levels(), axis=0)
        reach = FAR * (hi - lo) / (2 * NormalDist().inv_cdf((1 + INTERVAL) / 2))
        return np.where(reach > 0, np.clip(draws, middle - reach, middle + reach), draws)


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Draws of what is wanted and of what runs would measure, and the noise of these."""

    goals: np.ndarray
    """(draw, column)."""
    of: np.ndarray
    """Of which goal each column is, (column,) from 0: most goals have one."""
    runs: np.ndarray
    """What the law says of each candidate, (draw, candidate)."""
    noise: np.ndarray
    """Variance of a measurement about it, (candidate,)."""

    @property
    def weights(self) -> np.ndarray:
        """What the variance of each column counts, (column,): those of all goals sum to 1."""
        before = self.by_goal(self.goals.var(0))
        return 1 / (len(before) * np.where(before > 0, before, np.inf))[self.of]

    def by_goal(self, variances: np.ndarray) -> np.ndarray:
        """Return the sum over the columns of each goal, (goal,)."""
        return np.bincount(self.of, variances)

    def alone(self) -> np.ndarray:
        """Return the share of the goals' variance that each candidate alone would take away."""
        goals, runs = (x - x.mean(0) for x in (self.goals, self.runs))
        told = (goals.T @ runs / len(goals)) ** 2 / (runs.var(0) + self.noise)
        return self.weights @ told


@dataclass(frozen=True)
class Choice:
    """One run that is chosen, beside those before it."""

    candidate: int
    """Its position."""
    variances: np.ndarray
    """Of each goal once it is made too, (goal,)."""


def _one_way(
    beliefs: Beliefs, cost: np.ndarray, budget: float, most: int, per_cost: bool
) -> list[Choice]:
    """Return the runs in the order in which they tell most, per cost or each as such."""
    goals, runs = (x - x.mean(0) for x in (beliefs.goals, beliefs.runs))
    draws, weights = len(goals), beliefs.weights
    cross, told = goals.T @ runs / draws, runs.var(0)
    left, factors = goals.var(0), np.empty((0, runs.shape[1]))
    open_, spent, found = np.ones(runs.shape[1], bool), 0.0, []
    while len(found) < most:
        total = told + beliefs.noise
        gain = weights @ (cross**2 / total) - CHANCE / draws * (weights @ left)
        gain[~open_ | (spent + cost > budget * (1 + 1e-9))] = 0.0
        score = gain / cost if per_cost else gain
        best = int(np.argmax(score))
        if not score[best] > 0:
            break
        root = np.sqrt(total[best])
        row = (runs.T @ runs[:, best] / draws - factors.T @ factors[:, best]) / root
        own = cross[:, best] / root
        told, left = np.maximum(told - row**2, 0.0), np.maximum(left - own**2, 0.0)
        cross, factors = cross - np.outer(own, row), np.vstack([factors, row])
        open_[best], spent = False, spent + cost[best]
        found.append(Choice(best, beliefs.by_goal(left)))
    return found


def choose(
    beliefs: Beliefs, cost: np.ndarray, budget: float | None = None, most: int | None = None
) -> list[Choice]:
    """Return which runs to make, the first one first; each at most once.

    Without a budget the next is always the one that tells most per cost. Under a budget that is
    one way to fill it, and the one that tells most, whatever its cost, another: the better of both
    is taken, by which many small runs cannot crowd out a large one that alone tells more (Khuller,
    Moss and Naor 1999, doi 10.1016/S0020-0190(99)00031-9).

    Parameters
    ----------
    cost
        Of each candidate, (candidate,), above 0.
    budget
        What all may cost together.
    most
        How many.
    """
    most = len(cost) if most is None else most
    if budget is None:
        return _one_way(beliefs, cost, np.inf, most, True)
    ways = [_one_way(beliefs, cost, budget, most, per_cost) for per_cost in (True, False)]
    scale = beliefs.by_goal(beliefs.goals.var(0))

    def left(way: list[Choice]) -> float:
        return float(np.mean(way[-1].variances / np.where(scale > 0, scale, 1.0))) if way else 1.0

    return min(ways, key=left)


def left_by_all(beliefs: Beliefs) -> np.ndarray:
    """Return the variance of each goal once all candidates are made, (goal,).

    Of more than `ALL` those that tell most alone.
    """
    which = np.argsort(-beliefs.alone())[:ALL]
    goals, runs = beliefs.goals - beliefs.goals.mean(0), beliefs.runs[:, which]
    runs = runs - runs.mean(0)
    cross = goals.T @ runs / len(goals)
    seen = runs.T @ runs / len(goals) + np.diag(beliefs.noise[which])
    told = np.einsum("gc,cg->g", cross, np.linalg.solve(seen, cross.T))
    return beliefs.by_goal(np.maximum(goals.var(0) - told, 0.0))
