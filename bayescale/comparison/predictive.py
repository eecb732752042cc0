"""predictive: how well a law predicts runs that it has not seen, one left out or the largest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..data.dataset import Dataset
from ..inference.leave_out import can_refit, without_each
from ..messages import Note
from ..posterior.display import Sheet, Shown
from ..posterior.groups import OWN_GROUP
from ..posterior.health import ROUGH, pareto
from ..posterior.intervals import levels, plain
from ..posterior.pointwise import log_likelihood, replicate, runs_of
from ..posterior.posterior import Posterior
from . import shown
from .evidence import bridge
from .units import COUNT, DENSITY, checked_unit, in_counts, unit_of

__all__ = ["REFITS", "Backtest", "LeftOut", "leave_one_out", "scored"]


REFITS = 10
"""Most runs of a law that are left out by a fit without them: seconds each, where k is cheap."""
CLOSE = 0.5
"""Nats by which halves of the draws may differ, halved, in the density of a run left out."""
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
    """Log density in the sample less out of it, (run,): the sum is the effective number of
    parameters."""
    refitted: np.ndarray
    """Whether the density is of a fit without the run, (run,), in place of a rough estimate."""

    @property
    def rough(self) -> int:
        """How many runs have a rough estimate, and no sound fit without them."""
        return int(np.sum((self.k_hat > ROUGH) & ~self.refitted))


def leave_one_out(
    posterior: Posterior, *, whole: bool = False, unit: str | None = None, refits: int = REFITS
) -> LeftOut:
    """Return the leave-one-run-out predictive density of `response`, by PSIS and exact refits.

    Runs are as in `LeftOut`.

    Where a law speaks of several responses, whole runs are left out, and what is scored is the
    law's `response`: laws of accuracy alone and laws that go through a loss compare.

    Parameters
    ----------
    whole
        Score all that was measured in each run, for laws that speak of the same responses.
    unit
        `count` or `density`, as in `log_evidence`: by default `count` where the table has a number
        of questions.
    refits
        Most runs that are left out by a fit without them, where the estimate is rough (Pareto k
        above .7). None is where there are more: a law with so many is not reliably compared.

    Raises
    ------
    ValueError
        If there are too few draws to smooth the importance weights.

    Notes
    -----
    Vehtari, Gelman and Gabry 2017 (arXiv 1507.04544); smoothing as in ArviZ. Runs with a Pareto k
    above .7 are left out in truth, all of them in one batch of fits in which they do not count.
    """
    from scipy.special import logsumexp

    law, scored = posterior.law, checked_unit(posterior, unit)
    apart = bool(law.further) and not whole
    seen = np.isfinite(posterior.data.responses[law.response]) if apart else slice(None)
    density = log_likelihood(posterior)
    score = _scores(posterior, density, apart, scored)
    runs, own = (v.reshape(-1, v.shape[-1]).T[seen] for v in (density, score))
    if runs.shape[1] < FEWEST:
        raise ValueError(f"leave-one-out needs {FEWEST} draws or more, got {runs.shape[1]}")
    weights, k_hat = pareto(-runs)
    elpd = np.array(logsumexp(weights + own, axis=1))
    inside = logsumexp(own, axis=1) - np.log(own.shape[1])
    k_hat, refitted = np.asarray(k_hat, float), np.zeros(len(elpd), bool)
    rough = np.flatnonzero(k_hat > ROUGH)
    if 0 < len(rough) <= refits and can_refit(posterior):
        rows = np.arange(len(posterior.data))[seen][rough].tolist()
        for i, row, one in zip(rough, rows, without_each(posterior, rows), strict=True):
            without = log_likelihood(one)
            if apart:
                elpd[i], off = _halves(_mean, _scores(one, without, apart, scored)[..., row])
            else:
                with_run, more = density[..., row], (score - density)[..., row]
                elpd[i], off = _halves(_exact, with_run, without[..., row], more)
            refitted[i] = one.health.verdicts[0].settled and off < CLOSE
    return LeftOut(elpd, k_hat, inside - elpd, refitted)


def _halves(estimate: Callable[..., float], *draws: np.ndarray) -> tuple[float, float]:
    """Return an estimate from draws, (chain, draw) each, and half the difference of its halves."""
    first, second = (estimate(*(part[:, half::2] for part in draws)) for half in (0, 1))
    return estimate(*draws), abs(first - second) / 2


def _mean(logs: np.ndarray) -> float:
    """Return the log of the mean of exp(logs)."""
    from scipy.special import logsumexp

    return float(logsumexp(logs) - np.log(logs.size))


def _exact(with_run: np.ndarray, without: np.ndarray, more: np.ndarray) -> float:
    """Return the log predictive density of a run from draws with it and without it.

    It is the ratio of two evidences, of all runs and of the others, and the density of the run is
    the ratio of the two posteriors: an optimal bridge between them (Meng and Wong 1996), which the
    mean over draws without the run misses where its density is high in few of them. `more`: of a
    score that is not the density, what it has beyond it, at the draws with the run.
    """
    count = min(with_run.size, without.size)
    return bridge(with_run.ravel()[:count], without.ravel()[:count])[0] + _mean(more)


def _scores(posterior: Posterior, runs: np.ndarray, apart: bool, unit: str) -> np.ndarray:
    """Return the log density by which each row is scored, (chain, draw, row), from that fitted."""
    found = log_likelihood(posterior, posterior.law.response) if apart else runs
    more = in_counts(posterior) if unit == COUNT else None
    return found if more is None else found + more


NEW = 1000
"""Simulations of the runs held out."""


@dataclass(frozen=True, repr=False)
class Backtest(Shown):
    """How one law, fitted to a curve's smaller scales, fared on the larger ones."""

    score: float
    """Mean log predictive density of a run held out, or log probability of its count: `unit`."""
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
    unit: str = DENSITY
    """`count` where the table has a number of questions, else `density`: see `units`."""
    notes: tuple[Note, ...] = ()
    """What should be said with the answer."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        return plain(asdict(self))

    def sheets(self) -> list[Sheet]:
        """Return how the runs held out were foretold."""
        return shown.backtest(self.summary())


def scored(one: Posterior, whole: Dataset, below: np.ndarray, seed: int) -> Backtest:
    """Return how a fit of the rows `below` of one curve fares on the others.

    Parameters
    ----------
    one
        The fit, of a law of one scale and one response.
    whole
        All rows of its curve.
    """
    from scipy.special import logsumexp

    seen, (y,) = replace(one, data=whole), whole.responses.values()
    unit = unit_of(seen)
    density = _scores(seen, log_likelihood(seen), False, unit)
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
        unit=unit,
        notes=tuple(_said_of_groups(one, whole.take(~below))),
    )


def _said_of_groups(one: Posterior, ahead: Dataset) -> list[Note]:
    """Return of which groups the runs held out are foretold."""
    if not one.model.pool:
        return []
    unseen = sorted(set(map(str, ahead.group)) - set(map(str, one.data.group)))
    text = OWN_GROUP
    if unseen:
        text += f"; of {', '.join(unseen)} no run was fitted: foretold as new ones"
    return [Note("group", text)]
