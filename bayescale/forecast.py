"""Forecast: when something unlocks, from draws of its scale and what is said with it.

A draw is log10 of a scale, -inf where unlocked already, inf where never: it has quantiles, and no
mean. `wider_weights` turns draws under the law's prior on the unlock scale into draws under a
prior twice as wide, to be shown beside: from a plateau the forecast is the prior.

Floor 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpyro.distributions as dist

from .datasets import about
from .laws.capability import UNLOCK, UNLOCK_PRIOR
from .posterior import INTERVAL, Posterior

__all__ = ["Forecast", "place", "plain", "summarise_unlock", "unlock_parameter", "wider_weights"]

WIDER = 2.0
"""How many times wider the other prior on the unlock scale is."""

KINDS = (  # what a scale is, from its name and column; the least that is plausible in plain units
    ("params", re.compile(r"param|^N\b", re.IGNORECASE), 1e6),
    ("tokens", re.compile(r"token|^D\b", re.IGNORECASE), 1e8),
    ("flops", re.compile(r"flop|compute|^C\b", re.IGNORECASE), 1e15),
)


@dataclass(frozen=True)
class Forecast:
    """When the level is passed, over all draws: -inf where already, inf where never."""

    median: float
    """log10 of the scale."""
    lo: float
    hi: float
    p_never: float
    p_already: float
    ess: float
    """Effective number of draws, as far as their weights go: (sum w)^2 / sum w^2."""


def summarise_unlock(unlock: np.ndarray, weights: np.ndarray, mass: float = INTERVAL) -> Forecast:
    """Return the forecast of weighted draws."""
    order = np.argsort(unlock)
    below = np.cumsum(weights[order]) / weights.sum()
    at = np.searchsorted(below, [0.5 - 1e-12, (1 - mass) / 2, (1 + mass) / 2])
    median, lo, hi = (float(unlock[order][min(i, len(unlock) - 1)]) for i in at)
    return Forecast(
        median=median,
        lo=lo,
        hi=hi,
        p_never=float(weights[np.isposinf(unlock)].sum() / weights.sum()),
        p_already=float(weights[np.isneginf(unlock)].sum() / weights.sum()),
        ess=float(weights.sum() ** 2 / (weights**2).sum()),
    )


def unlock_parameter(posterior: Posterior) -> str | None:
    """Return the free parameter whose prior is `UNLOCK`; None where the law has none."""
    law = posterior.law
    return next((name for name, prior in law.priors if prior is UNLOCK and name in law.free), None)


def wider_weights(posterior: Posterior, by: str) -> np.ndarray | None:
    """Return wider prior over own prior of the unlock coordinate, (draw,)."""
    name = unlock_parameter(posterior)
    if name is None:
        return None
    own: Any = UNLOCK_PRIOR
    wide = dist.StudentT(own.df, own.loc, WIDER * own.scale)
    z = np.log(posterior.flat()[name] / posterior.data.inputs[by].max())
    return np.exp(np.asarray(wide.log_prob(z) - own.log_prob(z), float))


def place(log10_scale: float, name: str) -> str:
    """Return ", about the size of PaLM 540B" where the scale is one that models publish."""
    for kind, pattern, least in KINDS:
        if pattern.search(name) and np.isfinite(log10_scale) and 10**log10_scale >= least:
            return f", {about(10**log10_scale, kind)}"
    return ""


def plain(forecast: Forecast) -> dict[str, float | None]:
    """Return the numbers, None where they are infinite, as JSON has it."""
    return {name: value if np.isfinite(value) else None for name, value in vars(forecast).items()}
