"""task: what the fits of several laws say of one task: kind, explanation, unlock, health.

The kind is of all laws, weighed by belief: prior times evidence. So is the unlock, so that a task
on which nothing may ever happen says so. The explanation is of the laws that rise, by what they
predict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..comparison.compare import LawComparison, compare_laws
from ..comparison.evidence import Evidence, log_evidence
from ..comparison.explain import Explanation, explain
from ..comparison.predictive import Backtest
from ..comparison.units import common_unit
from ..misfit.misfit import Finding
from ..posterior.bends import with_misfit
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import plain
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior
from ..questions.kind import Kind, kind
from ..questions.threshold import Threshold, threshold
from . import shown

__all__ = ["Task", "task"]

PRECISE = 0.1
"""Standard error of log evidence up to which a law is weighed: a tenth of its probability."""
LOST = 0.1
"""Belief in laws that had to be left out above which there is no answer."""


@dataclass(frozen=True, eq=False, repr=False)
class Task(Shown):
    """What the runs say of one task."""

    name: str
    comparison: LawComparison | None
    """The laws whose curve is settled and whose evidence is precise; None where too much of the
    belief is in others."""
    mixture: Mixture | None
    """They, weighed by belief."""
    kind: Kind | None
    threshold: Threshold | None
    explanation: Explanation | None
    failed: Mapping[str, str]
    """What is wrong with the laws left out, by name."""
    belief_lost: float
    """Belief in the laws left out, as far as their evidence is known."""
    lost: Threshold | None = None
    """Of a task that falls from above its level, the scale from which on it stays below; else
    None."""

    @property
    def diverging(self) -> tuple[str, ...]:
        """Laws that are weighed, their curve being settled, though draws diverged or were few."""
        kept = {} if self.comparison is None else self.comparison.posteriors
        return tuple(law for law, one in kept.items() if not _sampling(one).sound)

    @property
    def contradicted(self) -> Mapping[str, str]:
        """What the data say against laws of a tenth of the belief or more, by name."""
        weights = {} if self.mixture is None else self.mixture.weights
        fits = {law: self.mixture.parts[law] for law, weight in weights.items() if weight >= LOST}
        found = {law: one.health.verdicts[0].fit.problems for law, one in fits.items()}
        return {law: "; ".join(problems) for law, problems in found.items() if problems}

    @property
    def sound(self) -> bool:
        """Whether there are answers, and most of the belief is in laws that the data allow."""
        if self.mixture is None:
            return False
        return sum(self.mixture.weights[law] for law in self.contradicted) <= 0.5

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON; None where the fits are not to be trusted."""
        parts = {k: getattr(self, k) for k in ("kind", "explanation", "threshold", "lost")}
        parts["laws"] = self.comparison
        found = {name: None if one is None else one.summary() for name, one in parts.items()}
        names = ("sound", "failed", "belief_lost", "diverging", "contradicted")
        return found | {"health": plain({name: getattr(self, name) for name in names})}

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said with the answers."""
        parts = [each for each in (self.threshold, self.explanation, self.kind) if each is not None]
        return tuple(dict.fromkeys(note for part in parts for note in part.notes))

    def sheets(self) -> list[Sheet]:
        """Return kind, unlock, explanation and laws, a table each."""
        first, *rest = shown.task(self.summary())
        return [replace(first, head=f"{self.name}: {first.head}"), *rest]


def _sampling(one: Posterior) -> Finding:
    (verdict,) = one.health.verdicts
    return verdict.sampling


def _wrong(one: Posterior, evidence: Evidence) -> str:
    """Return why a law cannot be weighed; nothing where it can."""
    (verdict,) = one.health.verdicts
    if not verdict.settled:
        return "; ".join(verdict.sampling.problems)
    if evidence.se > PRECISE:
        return f"its evidence is known to {evidence.se:.2g} only"
    return ""


def _belief(evidence: Mapping[str, Evidence], prior: Mapping[str, float]) -> dict[str, float]:
    """Return the probability of each law; of those roughly known what it may well be."""
    logs = {law: one.log + (one.se if one.se > PRECISE else 0.0) for law, one in evidence.items()}
    logs = {law: log if np.isfinite(log) else -np.inf for law, log in logs.items()}
    best = max(logs.values())
    if not np.isfinite(best):
        return dict(prior)
    parts = {law: prior[law] * float(np.exp(log - best)) for law, log in logs.items()}
    total = sum(parts.values())
    return {law: part / total for law, part in parts.items()} if total > 0 else dict(prior)


def task(
    name: str,
    parts: Mapping[str, Posterior],
    prior: Mapping[str, float],
    short: Mapping[str, str],
    *,
    level: float | str | None,
    horizon: float | None,
    misfit: float,
    seed: int,
    backtests: Mapping[str, Backtest] | None,
) -> Task:
    """Return the answers on one task from its fits, one a law; of the others as in `tasks`.

    Of the laws that the task is too `short` for stands what is wrong with them.
    """
    how = dict(seed=seed, unit=common_unit(parts.values()))
    evidence = {law: log_evidence(one, **how) for law, one in parts.items()}
    wrong = {law: _wrong(one, evidence[law]) for law, one in parts.items()}
    failed = {law: why for law, why in wrong.items() if why}
    belief = _belief(evidence, prior)
    lost = sum(belief[law] for law in failed)
    kept = {law: one for law, one in parts.items() if law not in failed}
    failed = failed | dict(short)
    if not kept or lost > LOST:
        return Task(name, None, None, None, None, None, failed, lost)
    # Of eight laws by many tasks nothing is fitted anew.
    found = compare_laws(kept, prior={law: prior[law] for law in kept}, seed=seed, refits=0)
    mixture = found.mixture("evidence")
    bent = with_misfit(mixture, misfit, seed=seed)
    # What the data say against a law is told with the task, and refuses none of its answers.
    answer = kind(mixture, seed=seed, allow_failed=True)
    asked = dict(horizon=horizon, direction=mixture.law.improves, allow_failed=True)
    return Task(
        name,
        found,
        mixture,
        answer,
        threshold(bent, level, **asked),
        explain(found, backtest=backtests),
        failed,
        lost,
        _lost(bent, answer, level, horizon),
    )


def _lost(bent: Mixture, found: Kind, level, horizon) -> Threshold | None:
    """Return from where on a task that falls from above its level stays below it."""
    if found.likeliest not in shown.FALLING:
        return None
    worse = "down" if bent.law.improves == "up" else "up"
    lost = threshold(bent, level, horizon=horizon, direction=worse, allow_failed=True)
    assert isinstance(lost, Threshold)  # a mixture is of one curve
    return lost if lost.forecast.p_already < 0.5 else None
