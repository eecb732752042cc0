"""intervals: how draws become a median and an interval, and numbers become plain ones.

One default for the whole library. Draws may be infinite (a loss out of reach, a level that is
never passed): they keep their place among the quantiles, and there is no mean then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = [
    "INTERVAL",
    "levels",
    "normal_scores",
    "plain",
    "pull",
    "quantiles",
    "scalar_quantities",
    "summarise",
    "summarise_shift",
]


INTERVAL = 0.9
"""Mass of every interval in the library unless asked otherwise; intervals have equal tails."""


def levels(mass: float = INTERVAL) -> tuple[float, float, float]:
    """Return the levels of lo, median and hi; a ValueError where mass is no share."""
    if not 0 < mass < 1:
        raise ValueError(f"mass is a share between 0 and 1, such as .9, got {mass}")
    return (1 - mass) / 2, 0.5, (1 + mass) / 2


def summarise(draws: np.ndarray, mass: float = INTERVAL) -> dict[str, float]:
    """Return mean, sd, median and the equal-tailed interval lo, hi of draws.

    Mean and sd are nan where a draw is infinite. A single draw is a point: it has no sd and no
    interval, which are nan.
    """
    values = np.asarray(draws, float).ravel()
    if len(values) == 1:
        (value,), none = values.tolist(), math.nan
        return {"mean": value, "sd": none, "median": value, "lo": none, "hi": none}
    finite = bool(np.isfinite(values).all())
    # Between a finite draw and an infinite one there is nothing to interpolate.
    method = "linear" if finite else "inverted_cdf"
    lo, median, hi = np.quantile(values, levels(mass), method=method).tolist()
    # The squares of what a law without a limit says may be beyond the floats.
    unit = max(float(np.abs(values).max()), 1.0) if finite else math.nan
    mean, sd = (values / unit).mean() * unit, (values / unit).std(ddof=1) * unit
    return {"mean": float(mean), "sd": float(sd), "median": median, "lo": lo, "hi": hi}


def summarise_shift(draws: np.ndarray, link: str, mass: float = INTERVAL) -> dict[str, Any]:
    """Return the spread of differences between groups, log ratios as decades, and P(above 0).

    Parameters
    ----------
    link
        `log`: draws are of log ratios; `logit`: of log odds; `identity`: of differences; `years`:
        of log ratios of a scale exp(years), which are years.
    """
    draws = draws / np.log(10.0) if link == "log" else draws
    units = {"log": "decades", "logit": "log odds", "identity": "its own unit", "years": "years"}
    unit = units[link]
    return summarise(draws, mass) | {"unit": unit, "p_above": float(np.mean(draws > 0))}


def scalar_quantities(draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return (chain, draw) arrays: a vector c becomes c1, c2."""
    found = {}
    for name, values in draws.items():
        if values.ndim == 2:
            found[name] = values
        else:
            found |= {f"{name}{i + 1}": values[..., i] for i in range(values.shape[-1])}
    return found


def quantiles(draws: np.ndarray, weights: np.ndarray, shares: Any) -> np.ndarray:
    """Return weighted quantiles, each being one of the draws: they may be infinite."""
    order = np.argsort(draws)
    below = np.cumsum(weights[order]) / weights.sum()
    at = np.searchsorted(below, np.asarray(shares) - 1e-12)
    return draws[order][np.minimum(at, len(draws) - 1)]


def normal_scores(draws: np.ndarray) -> np.ndarray:
    """Return the normal quantiles of the ranks, those of equal draws averaged."""
    from scipy.special import ndtri

    _, inverse, counts = np.unique(draws, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse.ravel()]
    return ndtri((rank - 0.375) / (draws.size + 0.25)).reshape(draws.shape)


def pull(draws: np.ndarray, logs: np.ndarray) -> tuple[float, float]:
    """Return how draws move, and narrow, as a part of their posterior is raised to a power.

    d mean / d a and -d log variance / d a at a = 1, under weights exp((a - 1) logs), of the
    normal scores of the draws: they may be of any unit, and infinite. Where prior and likelihood
    are normal the second is, of the prior, its precision over that of the posterior.

    Parameters
    ----------
    logs
        Log density of the part, the prior or the likelihood, at each draw.
    """
    scores, away = normal_scores(draws.ravel()), logs.ravel() - np.mean(logs)
    return float(np.mean(scores * away)), float(-np.mean((scores**2 - 1) * away))


def plain(value: Any) -> Any:
    """Return `value` in JSON's terms: mappings, lists, texts, numbers; None for what is not finite.

    Each `summary()` is made by this.
    """
    match value:
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case list() | tuple():
            return [plain(each) for each in value]
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int():
            return value
    return str(value)
