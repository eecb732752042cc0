"""Fine grids of scales to predict at, for curves on plots and in tables.

`grid` follows one scale through the data and beyond; `isoflop_grid` keeps compute and varies the
split between parameters and tokens. Both return what `predict` takes as `at`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..data.scales import not_flop
from ..posterior.mixture import Mixture, a_fit
from ..posterior.posterior import Posterior
from .sweep import HALF

__all__ = ["compute", "grid", "isoflop_grid"]


def grid(
    posterior: Posterior | Mixture, decades: float = 1.0, points: int = 120
) -> dict[str, np.ndarray]:
    """Return scales from the smallest of the data to `decades` beyond the largest.

    Where less of the scale is better they go from half of the smallest to the largest. The last
    scale of the data is one of them, so that a curve's solid part ends there.

    Returns
    -------
    dict
        Scales of the law's input, rising, as `predict` takes them.

    Raises
    ------
    ValueError
        If the law has several scales, `decades` is negative or `points` below 2.

    Examples
    --------
    >>> at = bs.grid(power_fit, decades=1, points=50)
    >>> bool(at["x"].max() > 9 * power_fit.data.inputs["x"].max())
    True
    """
    law = a_fit(posterior).law
    if len(law.inputs) != 1:
        raise ValueError(
            f"a grid follows one scale, {law.name} has {', '.join(law.inputs)}: give predict the "
            "points, or take isoflop_grid for parameters and tokens"
        )
    if decades < 0 or points < 2:
        raise ValueError(f"a grid needs decades >= 0 and points >= 2, got {decades} and {points}")
    (name,) = law.inputs
    seen = posterior.data.inputs[name]
    less = name in law.less_is_better
    each = [seen[posterior.data.of_curve(curve)] for curve in posterior.curves or (None,)]
    ends = [values.min() if less else values.max() for values in each]
    lo, hi = (HALF * seen.min(), seen.max()) if less else (seen.min(), seen.max() * 10**decades)
    return {name: np.unique(np.concatenate([np.geomspace(lo, hi, points), ends]))}


def isoflop_grid(
    posterior: Posterior | Mixture,
    flops: Sequence[float] | np.ndarray | None = None,
    points: int = 60,
    *,
    cost: Callable[[Any, Any], Any] | None = None,
) -> dict[str, np.ndarray]:
    """Return N and D whose cost is each budget, N over the sizes of the data.

    Parameters
    ----------
    flops
        Budgets; by default three to six round ones within the compute of the data.
    points
        Sizes, even in log.
    cost
        cost(N, D) in the budget's unit, rising with D, of arrays; 6 N D by default, for scales that
        are parameters and tokens.

    Returns
    -------
    dict
        N and D, one after the other for each budget, as `predict` takes them.

    Raises
    ------
    ValueError
        If the law is not one of N and D alone, or a budget is not positive; a DataError if 6 N D
        is meant and the scales are no parameters and tokens.

    Examples
    --------
    >>> at = bs.isoflop_grid(chinchilla_fit, [1e20, 1e21], points=3)
    >>> [f"{spent:.0e}" for spent in 6 * at["N"] * at["D"]]
    ['1e+20', '1e+20', '1e+20', '1e+21', '1e+21', '1e+21']
    """
    law = a_fit(posterior).law
    if set(law.inputs) != {"N", "D"}:
        has = f"{law.name} has {', '.join(law.inputs)}"
        raise ValueError(f"isoflop_grid needs a law of N and D, {has}")
    spent = compute(posterior, cost)
    flops = _round_budgets(posterior.data, spent) if flops is None else flops
    budgets = np.atleast_1d(np.asarray(flops, float))
    if not ((budgets > 0) & np.isfinite(budgets)).all():
        raise ValueError(f"a budget in FLOP is positive and finite, got {budgets.min():g}")
    seen = posterior.data.inputs["N"]
    sizes = np.geomspace(seen.min(), seen.max(), points)
    at_budget = budgets[:, None]
    tokens = at_budget / (6 * sizes) if cost is None else _tokens(cost, sizes, at_budget)
    return {"N": np.tile(sizes, len(budgets)), "D": tokens.ravel()}


def compute(
    posterior: Posterior | Mixture, cost: Callable[[Any, Any], Any] | None = None
) -> Callable[[Any, Any], Any]:
    """Return what a run of N and D costs: `cost`, else 6 N D, refused where that is no FLOP."""
    if cost is None and (other := not_flop(posterior.data)):
        posterior.data.fail(f"{other[0]}: 6 N D is no FLOP here", remedy=other[1])
    return cost or (lambda N, D: 6 * N * D)


def _tokens(cost: Callable[[Any, Any], Any], N: np.ndarray, budget: np.ndarray) -> np.ndarray:
    """Return the D at which a run costs its budget, by bisection of log D, (budget, size)."""
    lo, hi = (np.full(np.broadcast_shapes(N.shape, budget.shape), end) for end in (-90.0, 90.0))
    for _ in range(HALVINGS):
        middle = (lo + hi) / 2
        over = np.asarray(cost(N, np.exp(middle)), float) > budget
        lo, hi = np.where(over, lo, middle), np.where(over, middle, hi)
    return np.exp(hi)


HALVINGS = 60
"""Of 180 in log D, after which D is known to the last digits."""


MOST = 6
"""Budgets that are taken unless they are given."""


def _round_budgets(data: Dataset, cost: Callable[[Any, Any], Any]) -> list[float]:
    """Return budgets of 1, 3 or 1, 2, 5 times powers of ten within the compute of the data."""
    spent = np.asarray(cost(data.inputs["N"], data.inputs["D"]), float)
    lo, hi = spent.min(), spent.max()
    powers = range(int(np.floor(np.log10(lo))), int(np.ceil(np.log10(hi))))
    for steps in ((1,), (1, 3), (1, 2, 5)):
        found = [m * 10.0**k for k in powers for m in steps if lo <= m * 10.0**k <= hi]
        if len(found) > 2:
            return found[:: -(-len(found) // MOST)]
    return list(np.geomspace(lo, hi, 3))
