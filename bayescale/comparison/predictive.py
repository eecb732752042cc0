"""predictive: how well a law predicts runs that it has not seen, one left out or the largest."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..data.dataset import Dataset
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import levels, plain
from ..posterior.pointwise import log_likelihood, replicate, runs_of
from ..posterior.posterior import Posterior
from . import shown

__all__ = ["Backtest", "LeftOut", "leave_one_out"]


FEWEST = 25
"""Draws below which importance weights have no tail to smooth."""


class LeftOut(NamedTuple):
    """How well each run is predicted from all others.

    A run is a row, or all rows of one run where the fit knows of runs: rows of one left in would
    tell the level of those left out.
    """

    elpd: np.ndarray
    """Log predictive density of each run, (run,)."""
    k_hat: np.ndarray
    """Pareto k of its importance weights, (run,); above .7 the estimate is rough."""
    complexity: np.ndarray
    """Log density in the sample less out of it, (row,): the sum is the effective number of
    parameters."""


def leave_one_out(posterior: Posterior, *, whole: bool = False) -> LeftOut:
    """Return the leave-one-run-out predictive density of `response`, by PSIS; runs as `LeftOut`.

    Where a law speaks of several responses, whole runs are left out, and what is scored is the
    law's `response`: laws of accuracy alone and laws that go through a loss compare.

    Parameters
    ----------
    whole
        Score all that was measured in each run, for laws that speak of the same responses.

    Raises
    ------
    ValueError
        If there are too few draws to smooth the importance weights.

    Notes
    -----
    Vehtari, Gelman and Gabry 2017 (arXiv 1507.04544); smoothing as in ArviZ.
    """
    from arviz_stats.base.array import array_stats
    from scipy.special import logsumexp

    runs, law = log_likelihood(posterior), posterior.law
    apart = law.further and not whole
    own = log_likelihood(posterior, law.response) if apart else runs
    runs, own = (v.reshape(-1, v.shape[-1]).T for v in (runs, own))
    if apart:
        seen = np.isfinite(posterior.data.responses[law.response])
        runs, own = runs[seen], own[seen]
    if runs.shape[1] < FEWEST:
        raise ValueError(f"leave-one-out needs {FEWEST} draws or more, got {runs.shape[1]}")
    weights, k_hat = array_stats.psislw(runs)  # which takes the negatives of log weights
    elpd = logsumexp(weights + own, axis=1)
    inside = logsumexp(own, axis=1) - np.log(own.shape[1])
    return LeftOut(elpd, np.asarray(k_hat, float), inside - elpd)


NEW = 1000
"""Simulations of the runs held out."""


@dataclass(frozen=True, repr=False)
class Backtest(Shown):
    """How one law, fitted to a curve's smaller scales, fared on the larger ones."""

    score: float
    """Mean log predictive density of a run held out (of a count, where runs are counts)."""
    error: float
    """Mean distance of the median forecast of a row from what came."""
    inside: float
    """Share of the rows inside their 90 % intervals."""
    runs: int
    """Runs held out: rows, or whole runs where the fit knows of them."""
    cut: float
    """The largest scale that was fitted."""
    sound: bool
    """Whether the fit is to be trusted."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        return plain(asdict(self))

    def sheets(self) -> list[Sheet]:
        """Return how the runs held out were foretold."""
        return shown.backtest(self.summary())


def _scored(one: Posterior, whole: Dataset, below: np.ndarray, seed: int) -> Backtest:
    from scipy.special import logsumexp

    seen, (y,) = replace(one, data=whole), whole.responses.values()
    density = log_likelihood(seen)
    held = np.unique(runs_of(seen)[~below])
    density = density.reshape(-1, density.shape[-1])[:, held]
    new = replicate(seen, NEW, seed=seed)[:, ~below]
    lo, median, hi = np.quantile(new, levels(), axis=0)
    y, (x,) = y[~below], one.data.inputs.values()
    return Backtest(
        score=float((logsumexp(density, 0) - np.log(len(density))).mean()),
        error=float(np.abs(median - y).mean()),
        inside=float(((lo <= y) & (y <= hi)).mean()),
        runs=len(held),
        cut=float(x.min() if one.law.less_is_better else x.max()),
        sound=one.health.sound,
    )
