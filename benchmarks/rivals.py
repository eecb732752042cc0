"""Rivals of `bs.forecast`: what else one would draw through a curve, each with an interval.

A law's fit (`rival_laws`) is a point. Its new runs are Student about it, of the residual sd s,
s^2 = SSE/(n - p), and n - p degrees of freedom; s is no less than .001. The others' draws are
described where they are made.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from .common import cpu_seconds
from .rival_laws import FINE, FORMS, Fitted, descend, fitted, own_measure

DRAWS = 2000
"""Of new runs, as many as a forecast's."""
LEAST_SD = 1e-3
RESAMPLES = 200
WAYS = (*FORMS, "M4, own measure", "bootstrap of M2", "Gaussian process", "line", "last")


def _about(one: Fitted, t, at, rng) -> np.ndarray:
    """Return new runs about a fit, Student of its residual sd."""
    free = max(len(t) - len(one.p), 1)
    s = max(np.sqrt(one.sse / free), LEAST_SD)
    return FORMS[one.name].log_law(one.p[None], at) + s * rng.standard_t(free, (DRAWS, len(at)))


def bootstrap(one: Fitted, t, v, at, rng) -> np.ndarray:
    """Return new runs about refits of M2 to its residuals drawn anew, each with one drawn more."""
    form = FORMS[one.name]
    curve = form.log_law(one.p[None], t)[0]
    left = (v - curve) * np.sqrt(len(t) / max(len(t) - len(one.p), 1))
    again = curve + rng.choice(left, (RESAMPLES, len(t)))
    starts = np.array([one.p, *form.starts(t, v)[[0, -1]]])
    tries = [descend(form, np.tile(start, (RESAMPLES, 1)), t, again, FINE // 2) for start in starts]
    best = np.argmin([sse for _, sse in tries], 0)
    p = np.stack([p for p, _ in tries])[best, np.arange(RESAMPLES)]
    told = np.repeat(form.log_law(p, at), DRAWS // RESAMPLES, 0)
    return told + rng.choice(left, told.shape) + LEAST_SD * rng.normal(size=told.shape)


def _marginal(logs: np.ndarray, t: np.ndarray, v: np.ndarray):
    """Return minus the log marginal likelihood of a Gaussian process, and what forecasts need.

    Squared exponential of length e^l and sd e^f, noise e^n, about a line of flat prior: Rasmussen
    and Williams 2006, eq. 2.45.
    """
    length, signal, noise = np.exp(logs)
    gap = (t[:, None] - t) / length
    cover = signal**2 * np.exp(-0.5 * gap**2) + (noise**2 + 1e-10) * np.eye(len(t))
    root = np.linalg.cholesky(cover)
    basis = np.linalg.solve(root, np.stack([np.ones_like(t), t, v], 1))
    line, own = basis[:, :2], basis[:, 2]
    square = line.T @ line
    beta = np.linalg.solve(square, line.T @ own)
    rest = own - line @ beta
    value = 0.5 * rest @ rest + np.log(np.diag(root)).sum() + 0.5 * np.linalg.slogdet(square)[1]
    return value, root, line, square, beta, rest


def gaussian_process(t, v, at, rng) -> np.ndarray:
    """Return new runs of a Gaussian process in double logs, its sizes the likeliest of 4 starts."""
    away = max(np.std(v - np.polyval(np.polyfit(t, v, 1), t)), LEAST_SD)
    span, bounds = np.ptp(t), [(-9.0, 2.0), (-9.2, 2.0)]
    near = np.log(max(np.diff(np.sort(t)).min(), 1e-3 * span))
    sizes = [np.log(span * np.array([0.1, 0.3, 1, 3])), np.log(away * np.array([0.3, 1, 5, 20]))]
    sizes.append(np.log(away * np.array([0.03, 0.1, 0.4, 1])))
    grid = np.stack(np.meshgrid(*sizes), -1).reshape(-1, 3)
    bounds = [(near, np.log(10 * span)), *bounds]
    grid = np.clip(grid, *np.array(bounds).T)
    order = np.argsort([_marginal(one, t, v)[0] for one in grid])[:4]
    cost = lambda logs: _marginal(logs, t, v)[0]  # noqa: E731
    tries = [minimize(cost, grid[i], method="L-BFGS-B", bounds=bounds) for i in order]
    logs = min(tries, key=lambda one: one.fun).x
    _, root, line, square, beta, rest = _marginal(logs, t, v)
    length, signal, noise = np.exp(logs)
    cross = np.linalg.solve(root, signal**2 * np.exp(-0.5 * ((t[:, None] - at) / length) ** 2))
    there = np.stack([np.ones_like(at), at], 1)
    gap = there - cross.T @ line
    mean = there @ beta + cross.T @ rest
    variance = signal**2 - np.square(cross).sum(0) + noise**2
    variance += np.einsum("ij,jk,ik->i", gap, np.linalg.inv(square), gap)
    return mean + np.sqrt(np.maximum(variance, noise**2)) * rng.normal(size=(DRAWS, len(at)))


def last(t, v, at, rng) -> np.ndarray:
    """Return new runs as a random walk in log x from the last value, of the curve's own steps."""
    rate = np.sqrt(np.mean(np.diff(v) ** 2 / np.maximum(np.diff(t), 1e-9)))
    sd = rate * np.sqrt(np.maximum(at - t[-1], 1e-9))
    return v[-1] + sd * rng.normal(size=(DRAWS, len(at)))


def line(t, v, at, rng) -> np.ndarray:
    """Return new runs about least squares through the second half of the curve in log x."""
    half = t >= (t[0] + t[-1]) / 2
    half |= np.arange(len(t)) >= len(t) - 4
    basis = np.stack([np.ones(half.sum()), t[half]], 1)
    inverse, free = np.linalg.inv(basis.T @ basis), max(half.sum() - 2, 1)
    b = inverse @ basis.T @ v[half]
    s = np.sqrt(np.sum((v[half] - basis @ b) ** 2) / free + 1e-12)
    far = np.stack([np.ones(len(at)), at], 1)
    sd = s * np.sqrt(1 + np.einsum("ij,jk,ik->i", far, inverse, far))
    return far @ b + sd * rng.standard_t(free, size=(DRAWS, len(at)))


def told(x, y, at) -> tuple[dict[str, np.ndarray], dict[str, Fitted], dict[str, float]]:
    """Return draws of log new runs by rival, (draw, point), the laws' fits, and CPU seconds.

    Parameters
    ----------
    x, y
        The runs of one curve, in any order.
    at
        Scales asked for.
    """
    order = np.argsort(x, kind="stable")
    t, v = np.log(x)[order], np.log(y)[order]
    at, t = np.log(at) - t.mean(), t - t.mean()
    found, fits, spent = {}, {}, {}
    for way in WAYS:
        rng, before = np.random.default_rng(0), cpu_seconds()
        if way in FORMS:
            fits[way] = fitted(way, t, v, fits)
            found[way] = _about(fits[way], t, at, rng)
        elif way == "M4, own measure":
            found[way] = _about(own_measure(t, v, fits), t, at, rng)
        elif way == "bootstrap of M2":
            found[way] = bootstrap(fits["M2"], t, v, at, rng)
        else:
            found[way] = {"last": last, "line": line}.get(way, gaussian_process)(t, v, at, rng)
        spent[way] = cpu_seconds() - before
    return found, fits, spent
