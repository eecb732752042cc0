"""A misfit of accuracies that the data know of: draws of a fit without one, weighed by it.

To each draw of a law paths are given that leave its log odds, stationary in the slope and 0 at the
largest model, and each pair of a draw and a path weighs

    w = p(y | draw, path) / p(y | draw),   log Z = log Z without + log mean w.

Weights beyond the root of their number times their mean are cut off there (Ionides 2008,
doi 10.1198/106186008X320456). By NUTS, with the paths' bends as coordinates, the same takes six to
seven times the CPU seconds of a fit without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit, logit, logsumexp

from bayescale.comparison.evidence import shares
from bayescale.laws.approximate import wandering
from bayescale.model.evaluate import at_own
from bayescale.noises.accuracy import NODES
from bayescale.posterior.mixture import Mixture, mix
from bayescale.posterior.posterior import Posterior

from .designs import Case
from .told import curves_of, log_pmf, nodes_to

KNOTS = np.array([-12.0, -8, -5, -3, -1.5, -0.5, 0, 0.5, 1, 2, 4, 7, 12, 20])
"""E-folds from the largest model where slopes are drawn; linear between."""
GRID = np.arange(-20.0, 20, 0.05)
"""E-folds from the largest model at which paths are known; linear between."""
PATHS, KEPT = 10, 1000
"""Paths of each draw, and pairs that are kept."""
FAR = 12.0
"""Nats of evidence behind the best law from which on a law is left out."""
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Bent:
    """A law's posterior with a path of each draw."""

    posterior: Posterior
    bends: np.ndarray
    """(draw, knot)."""
    gained: float
    """What the misfit adds to the log evidence."""
    ess: float
    """Of the weights."""

    def __call__(self, one: Posterior, x: np.ndarray) -> np.ndarray:
        """Return accuracies at each draw's own scales, (draw, point)."""
        law, every, edge = one.law, one.flat(), one.data.inputs["x"].max()
        own = curves_of(one, x)
        last = at_own(law, {k: every[k] for k in law.parameters}, {"x": np.full((len(x), 1), edge)})
        off = expit(logit(np.clip(own, TINY, 1 - TINY)) + _delta(x / edge, self.bends))
        return np.where(x > edge, np.maximum(off, np.minimum(own, last)), off)


def _delta(far: np.ndarray, bends: np.ndarray) -> np.ndarray:
    """Return by how much log odds are off, (draw, point), at multiples of the largest model."""
    with jax.enable_x64(True):
        known = bends @ np.asarray(wandering(jnp.exp(GRID), 1.0, KNOTS)).T
    each = zip(np.log(far), known, strict=True)
    return np.stack([np.interp(own, GRID, path) for own, path in each])


def bent(one: Posterior, case: Case, sd: float, rng: np.random.Generator) -> Bent:
    """Return draws of a law and paths of a misfit whose size is half-normal of that sd."""
    x, n = case.fitted.x.to_numpy(), case.fitted.n.to_numpy()
    right, every = np.round(case.fitted.y * case.fitted.n).to_numpy(), one.flat()
    count, edge = len(every["tau"]), x.max()
    shift = np.exp(every["tau"][:, None] * NODES)[:, :, None]
    at = (x * shift).reshape(count, -1)
    odds = logit(np.clip(curves_of(one, at), TINY, 1 - TINY))

    def log_likelihood(odds):
        nodes = expit(odds).reshape(count, len(NODES), len(x))
        mean, rho = nodes_to(nodes, every["rho"])
        return log_pmf(right, n, mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1)).sum(1)

    alone, logs, paths = log_likelihood(odds), [], []
    for _ in range(PATHS):
        size = sd * np.abs(rng.normal(size=(count, 1)))
        paths.append(size * rng.normal(size=(count, len(KNOTS))))
        logs.append(log_likelihood(odds + _delta(at / edge, paths[-1])) - alone)
    logs = np.array(logs)
    weight = np.exp(logs.ravel() - logs.max())
    weight = np.minimum(weight, weight.mean() * np.sqrt(weight.size))
    weight /= weight.sum()
    places = (np.arange(KEPT) + rng.uniform()) / KEPT
    pick = np.searchsorted(np.cumsum(weight), places).clip(0, weight.size - 1)
    path, draw = np.unravel_index(pick, logs.shape)
    draws = {k: v.reshape(-1, *v.shape[2:])[draw][None] for k, v in one.draws.items()}
    gained = float(logsumexp(logs) - np.log(logs.size))
    return Bent(replace(one, draws=draws), np.array(paths)[path, draw], gained, 1 / sum(weight**2))


def within(
    case: Case,
    fits: Mapping[str, Posterior],
    logs: Mapping[str, float],
    prior: Mapping[str, float],
    sd: float,
) -> tuple[Mixture, Mapping[str, Bent]]:
    """Return the laws of one case, weighed with their misfit, and the paths of each."""
    rng = np.random.default_rng([int(1000 * sd), len(case.fitted)])
    near = [name for name in fits if logs[name] > max(logs.values()) - FAR]
    found = {name: bent(fits[name].curve(case.name), case, sd, rng) for name in near}
    before = {name: prior[name] / sum(prior[k] for k in near) for name in near}
    kept = shares({name: logs[name] + one.gained for name, one in found.items()}, before)
    parts = {name: found[name].posterior for name in kept}
    own = {name: before[name] for name in kept}
    return mix(parts, kept, prior=own, why="evidence", belief=True), found
