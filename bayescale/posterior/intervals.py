"""intervals: how draws become a median and an interval. One default for the whole library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["INTERVAL", "quantiles", "scalar_quantities", "summarise"]


INTERVAL = 0.9
"""Mass of every interval in the library unless asked otherwise; intervals have equal tails."""


def summarise(draws: np.ndarray, mass: float = INTERVAL) -> dict[str, float]:
    """Return mean, sd, median and the equal-tailed interval lo, hi of draws."""
    values = np.asarray(draws, float).ravel()
    with np.errstate(all="ignore"):  # a draw may be infinite, and so is the mean then
        lo, median, hi = np.quantile(values, [(1 - mass) / 2, 0.5, (1 + mass) / 2])
        mean, sd = values.mean(), values.std(ddof=1) if len(values) > 1 else 0.0
    return {
        "mean": float(mean),
        "sd": float(sd),
        "median": float(median),
        "lo": float(lo),
        "hi": float(hi),
    }


def scalar_quantities(draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return (chain, draw) arrays: a vector c becomes c1, c2."""
    found = {}
    for name, values in draws.items():
        if values.ndim == 2:
            found[name] = values
        else:
            found |= {f"{name}{i + 1}": values[..., i] for i in range(values.shape[-1])}
    return found


def quantiles(unlock: np.ndarray, weights: np.ndarray, levels: Any) -> np.ndarray:
    """Return weighted quantiles, each being one of the draws: they may be infinite."""
    order = np.argsort(unlock)
    below = np.cumsum(weights[order]) / weights.sum()
    at = np.searchsorted(below, np.asarray(levels) - 1e-12)
    return unlock[order][np.minimum(at, len(unlock) - 1)]
