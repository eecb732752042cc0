"""parabola: which runs make a budget, where its loss is least, and the line through such optima.

All in closed form but for two small grids: the size at which a drawn curve is lowest, and the
scatter about the line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np

from ..data.dataset import Dataset

__all__ = ["BUDGETS", "Optimum", "grouped", "line", "optima"]

APART = 1.15
"""Factor in compute between neighbouring runs from which they are of two budgets."""
WIDE = 1.5
"""Factor in compute that one budget may span."""
SIZES, BUDGETS = 3, 2
"""Sizes that a budget needs, and budgets that a line needs."""
DRAWS = 2000
WINDOW = np.log(6.0)
"""How far in log N from the best run others tell of the optimum; beyond, it is no parabola."""
CLOSEST = 5
"""Sizes that are used however far they lie."""
SHAPE = (0.3, 0.15)
"""Prior sd of third and fourth derivative, as multiples of the second."""
ACROSS = 0.2
"""Prior sd of how loss falls with compute within a budget, relative to it, a factor e in C."""
FREEDOM = 4.0
"""Degrees of freedom with which the scatter of all budgets counts for one."""
PRIOR, TYPICAL_SPREAD = 1.0, 0.002
"""Degrees of freedom and relative size of the scatter that is believed before all: of one seed."""
LEAST = 1e-5
"""Relative scatter below which none is believed: losses are written with as many digits."""
POINTS, BEYOND = 600, 1.0
"""Sizes at which drawn curves are looked at, and how far in log N beyond those that were run."""
SCATTERS = np.geomspace(1e-3, 3.0, 120)
"""Scatter about the line, in log N."""
TYPICAL = 0.1
"""Scale of its half-Cauchy prior."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the loss of one budget is least."""

    flops: float
    """The budget: the geometric mean of its runs' compute."""
    runs: int
    """Runs of which the curve was drawn."""
    product: float
    """N D of its runs, the geometric mean: tokens are this over N."""
    log_n: np.ndarray
    """log N*, (draw,)."""
    loss: np.ndarray
    """Loss there, (draw,)."""
    outside: float
    """Share of draws in which it lies outside the sizes that were run."""


def grouped(
    data: Dataset,
    flops: np.ndarray,
    known: np.ndarray,
    budgets: Any,
    named: str,
) -> tuple[list[np.ndarray], str]:
    """Return the rows of each budget, ascending, and what is to be said of those left out."""
    logs, use = np.log(flops), np.flatnonzero(known)
    if budgets is None:
        order = use[np.argsort(logs[use], kind="stable")]
        cut = np.flatnonzero(np.diff(logs[order]) > np.log(APART)) + 1
        rows = np.split(order, cut)
    else:
        at = np.sort(np.asarray(budgets, float))
        if not (at.ndim == 1 and len(at) and np.isfinite(at).all() and at[0] > 0):
            raise ValueError(f"budgets are positive, finite numbers of FLOP, got {budgets}")
        gap = abs(logs[use, None] - np.log(at))
        own = np.where(gap.min(1) <= np.log(WIDE) / 2, gap.argmin(1), -1)
        rows = [use[own == i] for i in range(len(at))]
    wide = [each for each in rows if len(each) and np.ptp(logs[each]) > np.log(WIDE)]
    if wide:
        lo, hi = np.exp([logs[wide[0]].min(), logs[wide[0]].max()])
        data.fail(
            f"runs{named} of {lo:.3g} to {hi:.3g} FLOP follow one another without a gap",
            remedy="name the budgets, budgets=[...] (--budgets), or fit a law and ask allocate",
        )
    full = [each for each in rows if len(np.unique(data.inputs["N"][each])) >= SIZES]
    if len(full) < BUDGETS:
        data.fail(
            f"{len(full)} budgets{named} have runs of {SIZES} sizes or more",
            remedy=f"{BUDGETS} are needed: runs of about one compute and several sizes",
        )
    left = int(known.sum() - sum(map(len, full)))
    few = f"{left} runs are at no budget with {SIZES} sizes: left out" if left else ""
    return full, few


@dataclass(frozen=True, eq=False)
class _Runs:
    """The runs of one budget near its lowest, on u = log(N/N0)."""

    middle: float
    u: np.ndarray
    y: np.ndarray
    """Loss over `size`."""
    size: float
    log_c: float
    product: float
    """log N D."""
    design: np.ndarray
    """Columns 1, u, u^2/2, u^3/6, u^4/24, and the gap in log C where it varies."""


def optima(
    logs: Mapping[str, np.ndarray], loss: np.ndarray, rows: Sequence[np.ndarray], seed: int
) -> list[Optimum]:
    """Return the optimum of each budget, whose rows are given; `logs` are of N, D and FLOP.

    The sd of the scatter of a budget is drawn from its scaled inverse chi-squared posterior, that
    of all budgets counting `FREEDOM` degrees; coefficients then from their normal one.
    """
    each = [_near({k: v[own] for k, v in logs.items()}, loss[own]) for own in rows]
    curvature = [np.linalg.lstsq(one.design[:, :3], one.y, rcond=None)[0][2] for one in each]
    bent = [value for value in curvature if value > 0] or [np.abs(curvature).max() or 1.0]
    k, spread = float(np.median(bent)), 0.01
    for _ in range(3):
        found = [_fitted(one, k, spread) for one in each]
        squares = sum(
            np.sum((one.y - one.design @ b) ** 2) for one, (b, *_) in zip(each, found, strict=True)
        )
        free = sum(len(one.y) - used for one, (*_, used) in zip(each, found, strict=True))
        squares += PRIOR * TYPICAL_SPREAD**2
        spread = max(np.sqrt(squares / (max(free, 0.0) + PRIOR)), LEAST)
    rng = np.random.default_rng([seed, 17])
    return [_optimum(one, k, spread, rng) for one in each]


def _near(logs: Mapping[str, np.ndarray], loss: np.ndarray) -> _Runs:
    log_n, log_c = logs["N"], logs["C"]
    middle = log_n[np.argmin(loss)]
    gap = abs(log_n - middle)
    reach = max(WINDOW, np.unique(gap)[:CLOSEST][-1])
    use = gap <= reach + 1e-9
    u, c, size = (log_n - middle)[use], log_c[use], float(np.abs(loss[use]).mean()) or 1.0
    columns = [u**p / factorial(p) for p in range(5)]
    columns += [c - log_c.mean()] * bool(np.ptp(c) > 1e-3)
    product = float((log_n + logs["D"])[use].mean())
    design = np.stack(columns, 1)
    return _Runs(middle, u, loss[use] / size, size, float(log_c.mean()), product, design)


def _precision(one: _Runs, k: float) -> np.ndarray:
    sds = [np.inf, np.inf, np.inf, *(k * each for each in SHAPE), ACROSS]
    return np.diag(1 / np.square(sds[: one.design.shape[1]]))


def _fitted(one: _Runs, k: float, spread: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return coefficients, their covariance, and how many degrees of freedom they take."""
    X = one.design
    cov = np.linalg.inv(X.T @ X / spread**2 + _precision(one, k))
    return cov @ X.T @ one.y / spread**2, cov, float(np.trace(X @ cov @ X.T)) / spread**2


def _optimum(one: _Runs, k: float, spread: float, rng) -> Optimum:
    X = one.design
    mean, _, used = _fitted(one, k, spread)
    free = FREEDOM + max(len(one.y) - used, 0.0)
    squares = FREEDOM * spread**2 + np.sum((one.y - X @ mean) ** 2)
    variance = squares / rng.chisquare(free, DRAWS)
    cov = np.linalg.inv(X.T @ X / variance[:, None, None] + _precision(one, k))
    mean = cov @ (X.T @ one.y) / variance[:, None]
    normal = rng.normal(size=mean.shape)
    drawn = mean + np.einsum("dij,dj->di", np.linalg.cholesky(cov), normal)
    grid = np.linspace(one.u.min() - BEYOND, one.u.max() + BEYOND, POINTS)
    curves = drawn[:, :5] @ np.stack([grid**p / factorial(p) for p in range(5)])
    i = curves.argmin(1)
    inside = (grid[i] >= one.u.min()) & (grid[i] <= one.u.max())
    return Optimum(
        flops=float(np.exp(one.log_c)),
        runs=len(one.y),
        product=float(np.exp(one.product)),
        log_n=one.middle + grid[i],
        loss=one.size * curves[np.arange(DRAWS), i],
        outside=float(1 - inside.mean()),
    )


def line(found: Sequence[Optimum], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return draws of slope, intercept and scatter of the line through the optima.

    log N* = a log C + log k + t z: a and log k are integrated out for each scatter t of a grid,
    whose weight is prior times marginal likelihood (Gelman et al. 2013, section 5.4).
    """
    x = np.log([each.flops for each in found])
    y = np.array([np.median(each.log_n) for each in found])
    ends = np.array([np.quantile(each.log_n, (0.16, 0.84)) for each in found])
    sd, middle = np.maximum(np.diff(ends, axis=1)[:, 0] / 2, 1e-4), x.mean()
    X = np.stack([x - middle, np.ones_like(x)], 1)
    logs, means, roots = [], [], []
    for scatter in SCATTERS:
        variance = sd**2 + scatter**2
        cov = np.linalg.inv(X.T @ (X / variance[:, None]))
        mean = cov @ X.T @ (y / variance)
        off = np.sum((y - X @ mean) ** 2 / variance) + np.log(variance).sum()
        logs.append(np.linalg.slogdet(cov)[1] / 2 - off / 2)
        means.append(mean)
        roots.append(np.linalg.cholesky(cov))
    # The grid is even in log t: the prior there is t p(t).
    logs = np.array(logs) + np.log(SCATTERS / (1 + (SCATTERS / TYPICAL) ** 2))
    weights = np.exp(logs - logs.max())
    rng = np.random.default_rng([seed, 18])
    pick = rng.choice(len(SCATTERS), DRAWS, p=weights / weights.sum())
    normal = rng.normal(size=(DRAWS, 2))
    drawn = np.array(means)[pick] + np.einsum("dij,dj->di", np.array(roots)[pick], normal)
    return drawn[:, 0], drawn[:, 1] - drawn[:, 0] * middle, SCATTERS[pick]
