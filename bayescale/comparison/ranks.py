"""ranks: where true values stand among draws, and whether they stand evenly.

Where draws are of the right posterior, the rank of the truth among them is uniform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..posterior.intervals import INTERVAL, levels, plain
from ..posterior.pointwise import spaced

__all__ = ["MASSES", "Calibrated", "ranked", "uniformity"]

MASSES = (0.5, 0.8, 0.9)
"""Of the intervals whose coverage is told."""
MOST = 99
"""So many draws of a refit the truth is ranked among, evenly thinned; fewer where there are."""
TRIALS = 4000
"""Sets of uniform ranks that a set is held against."""


@dataclass(frozen=True, eq=False)
class Calibrated:
    """One quantity: a parameter, or what the law says at a point."""

    ranks: np.ndarray
    """Of the truth among `draws` draws of each refit, 0 to `draws`, (replicate,)."""
    draws: int
    """Draws among which the truth is ranked."""
    inside: Mapping[float, np.ndarray]
    """By mass: whether the refit's interval holds the truth, (replicate,)."""
    at: Mapping[str, float] | None = None
    """Where a forecast lies, by column; None for a parameter."""

    @property
    def p(self) -> float:
        """Probability of ranks as uneven as these where they are uniform."""
        return uniformity(self.ranks, self.draws)

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        found = {"p": self.p, "mean_rank": self.ranks.mean() / self.draws, "at": self.at}
        inside = {f"{mass:.0%}".strip("%"): _share(held) for mass, held in self.inside.items()}
        return plain(found | {"inside": inside, "ranks": self.ranks})


def _share(held: np.ndarray) -> dict[str, float]:
    """Return a share with its interval (Wilson's)."""
    from scipy.stats import binomtest

    found = binomtest(int(held.sum()), len(held))
    lo, hi = found.proportion_ci(INTERVAL, method="wilson")
    return {"share": found.statistic, "lo": float(lo), "hi": float(hi)}


def ranked(truth: np.ndarray, draws: np.ndarray) -> Calibrated:
    """Return how true values, (replicate,), rank among their draws, (replicate, draw)."""
    kept = draws[:, spaced(draws.shape[1], min(MOST, draws.shape[1]))]
    inside = {}
    for mass in MASSES:
        lo, hi = np.quantile(draws, levels(mass)[::2], axis=1)
        inside[mass] = (lo <= truth) & (truth <= hi)
    return Calibrated((kept < truth[:, None]).sum(1), kept.shape[1], inside)


def uniformity(ranks: np.ndarray, draws: int) -> float:
    """Return the probability of ranks, 0 to `draws`, as uneven as these where they are uniform."""
    counts = np.bincount(ranks, minlength=draws + 1).cumsum()[:-1]
    null = _null(len(ranks), draws)
    return float((1 + np.sum(null <= _tail(counts, len(ranks)) * (1 + 1e-9))) / (1 + len(null)))


def _tail(counts: np.ndarray, size: int) -> Any:
    """Return the smallest two-sided binomial tail of how many ranks lie below each, (..., draw)."""
    from scipy.stats import binom

    draws = counts.shape[-1]
    below = binom.cdf(np.arange(-1, size + 1)[:, None], size, np.arange(1, draws + 1) / (draws + 1))
    at = np.arange(draws)
    tails = np.minimum(below[counts + 1, at], 1 - below[counts, at])
    return 2 * tails.min(-1)


@cache
def _null(size: int, draws: int) -> np.ndarray:
    """Return the same of sets of uniform ranks."""
    rng = np.random.default_rng([size, draws])
    held = rng.multinomial(size, np.full(draws + 1, 1 / (draws + 1)), TRIALS)
    return _tail(held.cumsum(1)[:, :-1], size)
