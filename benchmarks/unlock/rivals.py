"""Rivals that give whole distributions of what comes beyond a cut, to score ours against.

Each gives draws of its curve and normal scatter about it, of accuracies or of their logits::

    logistic   g + (1 - g) expit(a + b log x), least squares; curves by bootstrap of the rows
    stays      the mean of the upper half of scales, with its standard error
    GP         logit y ~ a line in log x and a Matern 5/2 process, by marginal likelihood
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, minimize
from scipy.special import expit, logit
from scipy.stats import norm

from . import baselines
from .designs import Case
from .outcomes import Told, grid_of, passed

DRAWS = 400
REFITS = 60
"""Bootstrap samples of the logistic."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Draws of a curve, and the scatter of runs about it."""

    held: np.ndarray
    """At the models beyond the cut, (draw, model), as accuracies or logits."""
    grid: np.ndarray
    """Along a grid of scales, (draw, point), as accuracies."""
    sd: np.ndarray
    """Of new runs about `held`, (draw, 1) or (draw, model)."""
    logits: bool

    def new(self, n: np.ndarray, rng) -> np.ndarray:
        """Return a new run of each model, (draw, model)."""
        drawn = self.held + self.sd * rng.normal(size=self.held.shape)
        share = expit(drawn) if self.logits else np.clip(drawn, 0, 1)
        return np.round(share * n) / n

    def log_pmf(self, right: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Return the log probability of the counts that came, (model,): never less than e^-30."""
        ends = [(right - 0.5) / n, (right + 0.5) / n]
        if self.logits:
            ends = [logit(np.clip(end, 1e-300, 1 - 1e-16)) for end in ends]
        lo = np.where(right == 0, -np.inf, ends[0])
        hi = np.where(right == n, np.inf, ends[1])
        mass = norm.cdf((hi - self.held) / self.sd) - norm.cdf((lo - self.held) / self.sd)
        return np.log(np.maximum(mass.mean(0), np.exp(-30)))


def rivals(case: Case, grid: np.ndarray) -> dict[str, Curves]:
    """Return what each rival says of a case, from what was fitted alone."""
    rng = np.random.default_rng(0)
    made = {"logistic": _logistic, "stays": _stays, "GP on the logit": _process}
    return {name: make(case, grid, rng) for name, make in made.items()}


def _logistic(case: Case, grid: np.ndarray, rng) -> Curves:
    x, y = case.fitted.x.to_numpy(), case.fitted.y.to_numpy()
    fit = baselines.logistic(x, y, float(case.fitted.chance.iloc[0]))
    t, held, along = (np.log(v / fit.centre) for v in (x, case.held.x.to_numpy(), grid))

    def curve(p, t):
        return fit.g + (1 - fit.g) * expit(p[0] + p[1] * t)

    found = []
    for _ in range(REFITS):
        at = rng.integers(0, len(x), len(x))
        own = least_squares(
            lambda p, at=at: curve(p, t[at]) - y[at],
            np.clip([fit.a, fit.b], [-29.9, 1e-3], [29.9, 19.9]),
            bounds=([-30, 0], [30, 20]),
            max_nfev=100,
        )
        found.append(own.x)
    each = np.array(found)[rng.integers(0, REFITS, DRAWS)][:, :, None]
    p = each[:, 0], each[:, 1]
    left = max(len(x) - 2, 1)
    s = np.sqrt(np.sum((curve((fit.a, fit.b), t) - y) ** 2) / left + 1e-6)
    sd = s * np.sqrt(left / rng.chisquare(left, (DRAWS, 1)))
    return Curves(curve(p, held[None]), curve(p, along[None]), sd, False)


def _stays(case: Case, grid: np.ndarray, rng) -> Curves:
    x, y = case.fitted.x.to_numpy(), case.fitted.y.to_numpy()
    mean = baselines.constant(x, y).mean
    upper = y[np.log(x) >= (np.log(x.min()) + np.log(x.max())) / 2]
    left = max(len(upper) - 1, 1)
    s = np.sqrt(np.sum((upper - mean) ** 2) / left + 1e-6)
    sd = s * np.sqrt(left / rng.chisquare(left, (DRAWS, 1)))
    curve = mean + sd / np.sqrt(len(upper)) * rng.normal(size=(DRAWS, 1))
    ones = np.ones((1, len(case.held)))
    return Curves(curve * ones, curve * np.ones((1, len(grid))), sd, False)


def _matern(a: np.ndarray, b: np.ndarray, length: float) -> np.ndarray:
    d = np.sqrt(5) * np.abs(a[:, None] - b[None]) / length
    return (1 + d + d**2 / 3) * np.exp(-d)


def _process(case: Case, grid: np.ndarray, rng) -> Curves:
    """Return a Gaussian process of the logit; sizes by maximum under wide log-normal priors."""
    fitted = case.fitted
    n, share = fitted.n.to_numpy(), (fitted.y * fitted.n + 0.5) / (fitted.n + 1)
    z, known = logit(share.to_numpy()), 1 / (n * share * (1 - share)).to_numpy()
    centre = np.log(fitted.x).mean()
    t, held, along = (np.log(v) - centre for v in (fitted.x.to_numpy(), case.held.x, grid))
    held = np.asarray(held)
    middle, wide = np.log([1.0, 2.0, 0.3]), np.array([1.0, 0.7, 1.0])

    def kernel(a, b, p):
        rise, length, _ = np.exp(p)
        line = 4.0 + 0.25 * a[:, None] * b[None]
        return line + rise**2 * _matern(a, b, length)

    def loss(p):
        k = kernel(t, t, p) + np.diag(known + np.exp(2 * p[2]))
        root = np.linalg.cholesky(k)
        w = np.linalg.solve(root, z - z.mean())
        return 0.5 * w @ w + np.log(np.diag(root)).sum() + 0.5 * np.sum(((p - middle) / wide) ** 2)

    best = minimize(loss, middle, method="Nelder-Mead", options={"maxfev": 150}).x
    every = np.concatenate([held, along])
    k = kernel(t, t, best) + np.diag(known + np.exp(2 * best[2]))
    cross = kernel(every, t, best)
    mean = z.mean() + cross @ np.linalg.solve(k, z - z.mean())
    left = kernel(every, every, best) - cross @ np.linalg.solve(k, cross.T)
    values, vectors = np.linalg.eigh((left + left.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn = mean + rng.normal(size=(DRAWS, len(every))) @ root.T
    at = len(held)
    curve = expit(drawn[:, :at])
    scatter = 1 / (case.held.n.to_numpy() * np.maximum(curve * (1 - curve), 1e-4))
    sd = np.sqrt(np.exp(2 * best[2]) + scatter)
    return Curves(drawn[:, :at], expit(drawn[:, at:]), sd, True)


def of_rivals(case: Case, levels) -> dict[str, Told]:
    """Return what each rival says."""
    grid, rng = grid_of(case), np.random.default_rng(2)
    n = case.held.n.to_numpy()
    right = np.round(case.held.y * case.held.n).to_numpy()
    return {
        name: Told(
            one.new(n, rng),
            one.log_pmf(right, n),
            {level: passed(one.grid, grid, level) for level in levels},
        )
        for name, one in rivals(case, grid).items()
    }
