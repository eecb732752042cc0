"""parabola: which runs make a budget, where its loss is least, and the line through such optima.

All in closed form but for two small grids: the size at which a drawn curve is lowest, and the
scatter about the line. Two things are common to budgets, and what is common moves all optima alike,
which is no doubt of the slope: the scatter of runs, and how far the curve is from a parabola.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import factorial
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..messages import a_seed, some_numbers

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
SHAPE, OF_SHAPE, OWN = (0.0, 0.12), (0.3, 0.12), (0.12, 0.06)
"""Third and fourth derivative as multiples of the second: mean and sd of what all budgets share,
and sd of a budget's own part. By a Chinchilla law they are beta - alpha and
alpha^2 - alpha beta + beta^2 at every budget's optimum."""
ACROSS = 0.2
"""Prior sd of how loss falls with compute within a budget, relative to it, a factor e in C."""
FREEDOM = 10.0
"""Degrees of freedom with which the scatter of all budgets counts for one."""
PRIOR, TYPICAL_SPREAD = 1.0, 0.002
"""Degrees of freedom and relative size of the scatter that is believed before all: of one seed."""
LEAST = 1e-5
"""Relative scatter below which none is believed: losses are written with as many digits."""
POINTS, BEYOND = 600, 1.0
"""Sizes at which drawn curves are looked at, and how far in log N beyond those that were run."""
SCATTERS = np.geomspace(1e-3, 3.0, 120)
"""Scatter about the line, in log N."""
TYPICAL, NONE = 0.1, 0.5
"""Scale of its half-Cauchy prior, and the probability before the data that there is none at all."""


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
    """log N*, (draw,); one draw is of one joint answer of all budgets."""
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
        at = np.sort(some_numbers(budgets, "budgets (--budgets)"))
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
        lo, hi = flops[use].min(), flops[use].max()
        at = "" if budgets is None else f", of those named: runs are of {lo:.3g} to {hi:.3g} FLOP"
        some = f"{len(full)} budget{'s' * (len(full) != 1)}{named} with runs of {SIZES} sizes"
        remedy = f"{BUDGETS} are needed: runs of about one compute and several sizes"
        data.fail(f"has {some} or more{at}", remedy=remedy)
    left = int(known.sum() - sum(map(len, full)))
    few = f"{left} runs are at no budget with {SIZES} sizes: left out" if left else ""
    return full, few


@dataclass(frozen=True, eq=False)
class _Runs:
    """The runs of one budget near its lowest, on u = log N - middle."""

    middle: float
    u: np.ndarray
    y: np.ndarray
    """Loss over `size`."""
    size: float
    log_c: float
    product: float
    """log N D."""
    gap: np.ndarray
    """log C about its mean, (run, 1), where it varies; else (run, 0)."""

    @property
    def design(self) -> np.ndarray:
        """Columns 1, u, u^2/2, u^3/6, u^4/24, and the gap in log C where it varies."""
        return np.hstack([_powers(self.u), self.gap])


def _powers(u: np.ndarray) -> np.ndarray:
    return np.stack([u**p / factorial(p) for p in range(5)], 1)


def optima(
    logs: Mapping[str, np.ndarray], loss: np.ndarray, rows: Sequence[np.ndarray], seed: int
) -> list[Optimum]:
    """Return the optimum of each budget, whose rows are given; `logs` are of N, D and FLOP.

    The sd of the scatter is drawn from its scaled inverse chi-squared posterior, that of all
    budgets counting `FREEDOM` degrees for one; then the shape that budgets share, from what each
    says of it with its own coefficients integrated out; then these, from their normal posterior.
    """
    near = [_near({k: v[own] for k, v in logs.items()}, loss[own]) for own in rows]
    near, bends, squares, free = _rough(near)
    rng = np.random.default_rng([a_seed(seed), 17])
    common = np.maximum(squares / rng.chisquare(free, DRAWS), LEAST**2)
    precision = np.tile(np.diag(np.power(OF_SHAPE, -2.0)), (DRAWS, 1, 1))
    vector = np.tile(np.array(SHAPE) / np.square(OF_SHAPE), (DRAWS, 1))
    parts = []
    for one, k in zip(near, bends, strict=True):
        # Of coefficients b: X'X/v + P and X'y/v + P H shape, with H the means by shape.
        X, P, variance = one.design, _precision(one, k, OWN), _variance(one, k, common, rng)
        push = P[:, 3:5] * k
        cov = np.linalg.inv(X.T @ X / variance[:, None, None] + P)
        pull = (X.T @ one.y) / variance[:, None]
        precision += k * push[3:5] - push.T @ cov @ push
        vector += np.einsum("dij,dj->di", cov, pull) @ push
        parts.append((cov, pull, push))
    cov = np.linalg.inv(precision)
    shape = _normal(np.einsum("dij,dj->di", cov, vector), cov, rng)
    found = []
    for one, (cov, pull, push) in zip(near, parts, strict=True):
        mean = np.einsum("dij,dj->di", cov, pull + shape @ push.T)
        found.append(_optimum(one, _normal(mean, cov, rng)))
    return found


def _normal(mean: np.ndarray, cov: np.ndarray, rng) -> np.ndarray:
    """Return one draw of each normal, (draw, coefficient)."""
    return mean + np.einsum("dij,dj->di", np.linalg.cholesky(cov), rng.normal(size=mean.shape))


def _near(logs: Mapping[str, np.ndarray], loss: np.ndarray) -> _Runs:
    log_n, log_c = logs["N"], logs["C"]
    middle = log_n[np.argmin(loss)]
    gap = abs(log_n - middle)
    reach = max(WINDOW, np.unique(gap)[:CLOSEST][-1])
    use = gap <= reach + 1e-9
    u, c, size = (log_n - middle)[use], log_c[use], float(np.abs(loss[use]).mean()) or 1.0
    varies = (c - log_c.mean())[:, None][:, : int(np.ptp(c) > 1e-3)]
    product = float((log_n + logs["D"])[use].mean())
    return _Runs(middle, u, loss[use] / size, size, float(log_c.mean()), product, varies)


def _rough(near: Sequence[_Runs]) -> tuple[list[_Runs], np.ndarray, float, float]:
    """Return runs about a first optimum, second derivatives, and squares and freedom of scatter.

    Second derivatives are those of a power law of compute, as a Chinchilla law has them: what they
    are for is a unit of the others, which must not hang on the noise of one budget.
    """
    curvature = [np.linalg.lstsq(one.design[:, :3], one.y, rcond=None)[0][2] for one in near]
    bent = [value for value in curvature if value > 0] or [np.abs(curvature).max() or 1.0]
    k, spread = float(np.median(bent)), 0.01
    wide = tuple(np.hypot(OF_SHAPE, OWN))
    for _ in range(3):
        found = [_fitted(one, k, spread, wide) for one in near]
        squares = sum(
            np.sum((one.y - one.design @ b) ** 2) for one, (b, _) in zip(near, found, strict=True)
        )
        free = PRIOR + max(sum(len(one.y) - u for one, (_, u) in zip(near, found, strict=True)), 0)
        squares += PRIOR * TYPICAL_SPREAD**2
        spread = max(np.sqrt(squares / free), LEAST)
    at = []
    for one, (b, _) in zip(near, found, strict=True):
        grid = np.linspace(one.u.min(), one.u.max(), POINTS)
        at.append(grid[(_powers(grid) @ b[:5]).argmin()])
    moved = [
        replace(one, middle=one.middle + u, u=one.u - u) for one, u in zip(near, at, strict=True)
    ]
    bends = np.array(
        [b[2] + b[3] * u + b[4] * u**2 / 2 for u, (b, _) in zip(at, found, strict=True)]
    )
    return moved, _along(np.array([one.log_c for one in near]), bends, k), float(squares), free


def _along(log_c: np.ndarray, bends: np.ndarray, k: float) -> np.ndarray:
    """Return second derivatives as a power law of compute; all alike where few are known."""
    known = bends > 0.1 * k
    if known.sum() < SIZES:
        return np.full(len(bends), k)
    x, y = log_c - log_c.mean(), np.log(np.where(known, bends, 1.0))
    slope = np.clip(np.polyfit(x[known], y[known], 1)[0], -0.4, 0.2)
    return np.exp(np.median((y - slope * x)[known]) + slope * x)


def _precision(one: _Runs, k: float, shape: tuple[float, ...]) -> np.ndarray:
    sds = [np.inf, np.inf, np.inf, *(k * each for each in shape), ACROSS]
    return np.diag(1 / np.square(sds[: 5 + one.gap.shape[1]]))


def _fitted(
    one: _Runs, k: float, spread: float, shape: tuple[float, ...]
) -> tuple[np.ndarray, float]:
    """Return coefficients, and how many degrees of freedom they take."""
    X, prior = one.design, _precision(one, k, shape)
    cov = np.linalg.inv(X.T @ X / spread**2 + prior)
    middle = prior[:, 3:5] @ (k * np.array(SHAPE))
    return cov @ (X.T @ one.y / spread**2 + middle), float(np.trace(X @ cov @ X.T)) / spread**2


def _variance(one: _Runs, k: float, common: np.ndarray, rng) -> np.ndarray:
    """Return draws of the squared scatter of one budget, by those of all."""
    b, used = _fitted(one, k, float(np.sqrt(np.median(common))), tuple(np.hypot(OF_SHAPE, OWN)))
    squares = FREEDOM * common + np.sum((one.y - one.design @ b) ** 2)
    return squares / rng.chisquare(FREEDOM + max(len(one.y) - used, 0.0), DRAWS)


def _optimum(one: _Runs, drawn: np.ndarray) -> Optimum:
    """Return where curves are lowest, by their coefficients (draw, coefficient)."""
    grid = np.linspace(one.u.min() - BEYOND, one.u.max() + BEYOND, POINTS)
    curves = drawn[:, :5] @ _powers(grid).T
    i = _downhill(curves, int(np.argmin(abs(grid))))
    inside = (grid[i] >= one.u.min()) & (grid[i] <= one.u.max())
    return Optimum(
        flops=float(np.exp(one.log_c)),
        runs=len(one.y),
        product=float(np.exp(one.product)),
        log_n=one.middle + grid[i],
        loss=one.size * curves[np.arange(DRAWS), i],
        outside=float(1 - inside.mean()),
    )


def _downhill(curves: np.ndarray, start: int) -> np.ndarray:
    """Return where each curve is lowest, going down from `start`: far off a polynomial may dive."""
    rises = np.diff(curves, axis=1) > 0
    after, before = rises[:, start:], ~rises[:, :start][:, ::-1]
    right = np.where(after.any(1), start + after.argmax(1), rises.shape[1])
    left = np.where(before.any(1), start - before.argmax(1), 0)
    return np.where(rises[:, start], left, right)


def line(found: Sequence[Optimum], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return draws of slope, intercept and scatter of the line through the optima.

    log N* = a log C + log k + t z, with the joint errors of the optima: a and log k are integrated
    out for each scatter t of a grid, whose weight is prior times marginal likelihood (Gelman et al.
    2013, section 5.4). The first of the grid is no scatter, as a power law of N and D has it.
    """
    x = np.log([each.flops for each in found])
    drawn = np.stack([each.log_n for each in found], 1)
    lo, y, hi = np.quantile(drawn, (0.16, 0.5, 0.84), axis=0)
    sd, middle = np.maximum((hi - lo) / 2, 1e-4), x.mean()
    # Tails, of draws that hardly turn, would make both sd and correlation their own.
    errors = np.corrcoef(np.clip((drawn - y) / sd, -2.5, 2.5).T) * np.outer(sd, sd)
    X, scatters = np.stack([x - middle, np.ones_like(x)], 1), np.array([0.0, *SCATTERS])
    weigh = np.linalg.inv(errors + scatters[:, None, None] ** 2 * np.eye(len(x)))
    covs = np.linalg.inv(X.T @ weigh @ X)
    means = np.einsum("tij,tj->ti", covs, X.T @ weigh @ y)
    off = y - means @ X.T
    off = np.einsum("ti,tij,tj->t", off, weigh, off)
    logs = (np.linalg.slogdet(covs)[1] + np.linalg.slogdet(weigh)[1] - off) / 2
    # The grid is even in log t: the prior there is t p(t).
    some = SCATTERS / (1 + (SCATTERS / TYPICAL) ** 2)
    logs += np.log([NONE, *((1 - NONE) * some / some.sum())])
    weights = np.exp(logs - logs.max())
    rng = np.random.default_rng([a_seed(seed), 18])
    pick = rng.choice(len(scatters), DRAWS, p=weights / weights.sum())
    drawn = _normal(means[pick], covs[pick], rng)
    return drawn[:, 0], drawn[:, 1] - drawn[:, 0] * middle, scatters[pick]
