"""What a mixture of laws says of one task beyond its cut: accuracies, and scales of unlocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln

from bayescale.laws.later import FLAT, decades_later
from bayescale.model.evaluate import at_own
from bayescale.noises.accuracy import NODES, WEIGHTS
from bayescale.posterior.bends import bent
from bayescale.posterior.mixture import Mixture
from bayescale.posterior.posterior import Posterior

from .designs import Case
from .outcomes import GRID, Told, grid_of, passed

ROWS = 80
"""Models beyond a cut are padded to so many."""
DRAWS = 1000
"""Of a mixture, each law with its share."""


def curves_of(one: Posterior, x: np.ndarray) -> np.ndarray:
    """Return each draw's accuracies at scales of its own, (draw, point), as questions see them."""
    law, every = bent(one)
    return at_own(law, {name: every[name] for name in law.parameters}, {"x": x})


def drifted(one: Posterior, x: np.ndarray) -> np.ndarray:
    """Return the same as it was before: beyond the data that of a scale e^drift times as large."""
    edge, drift = one.data.inputs["x"].max(), np.random.default_rng([0, 6]).normal(size=(len(x), 1))
    return curves_of(one, np.where(x > edge, x * np.exp(drift), x))


def told(case: Case, which: Mixture, levels, curves: Callable = curves_of) -> Told:
    """Return what a mixture says: of each law so many draws as its weight."""
    rng, grid, parts = np.random.default_rng(1), grid_of(case), []
    held = case.held
    n, right = held.n.to_numpy(), np.round(held.y * held.n).to_numpy()
    padded = np.concatenate([held.x, np.full(ROWS - len(held), held.x.iloc[0])])
    for _, weight, one in which.members:
        every = one.flat()
        shift = np.exp(every["tau"][:, None] * NODES)[:, :, None]
        x = (padded * shift).reshape(len(shift), -1)
        found = curves(one, np.concatenate([x, np.broadcast_to(grid, (len(x), GRID))], 1))
        nodes = found[:, :-GRID].reshape(len(x), len(NODES), ROWS)[:, :, : len(held)]
        mean, rho = nodes_to(nodes, every["rho"])
        take = ((np.arange(m := round(weight * DRAWS)) + 0.5) * len(x) / max(m, 1)).astype(int)
        late = {level: passed(found[:, -GRID:], grid, level) for level in levels}
        if one.law.told == FLAT:
            late = {level: _still(late[level], every["g"], case, level) for level in levels}
        a, b = mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1)
        parts.append(
            {"new": rng.binomial(n.astype(int), rng.beta(a[take], b[take])) / n}
            | {"pmf": weight * np.exp(log_pmf(right, n, a, b)).mean(0)}
            | {level: late[level][take] for level in levels}
        )
    total = sum(weight for _, weight, _ in which.members)
    pmf = sum(part["pmf"] for part in parts) / total
    unlock = {level: np.concatenate([part[level] for part in parts]) for level in levels}
    log = np.log(np.maximum(pmf, np.exp(-30)))
    return Told(np.concatenate([part["new"] for part in parts]), log, unlock)


def nodes_to(nodes: np.ndarray, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and overdispersion of `scale_scatter`, (draw, model), from the law at nodes."""
    p = np.clip(nodes[:, 1], 1e-12, 1 - 1e-12)
    w = WEIGHTS[:, None]
    apart = nodes - np.sum(w * nodes, 1, keepdims=True)
    v = rho[:, None] + np.sum(w * apart**2, 1) / (p * (1 - p))
    return p, np.clip(v / (1 + v), 1e-7, 0.999)


def log_pmf(k, n, a, b) -> np.ndarray:
    """Return the log probability of beta-binomial counts."""
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    top = gammaln(k + a) + gammaln(n - k + b) - gammaln(n + a + b)
    return choose + top + gammaln(a + b) - gammaln(a) - gammaln(b)


def _still(late: np.ndarray, floor: np.ndarray, case: Case, level: float) -> np.ndarray:
    """Return when what is flat passes a level after all, as `threshold` of a mixture has it."""
    edge = np.log10(case.fitted.x.max())
    at = edge + decades_later(floor, level)
    come = np.isposinf(late) & (at <= np.log10(grid_of(case)[-1]))
    return np.where(come, at, late)
