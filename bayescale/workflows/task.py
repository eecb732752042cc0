"""task: what the fits of several laws say of one task: kind, explanation, unlock, health.

The kind is of all laws, weighed by belief: prior times evidence. So is the unlock, so that a task
on which nothing may ever happen says so. The explanation is of the laws that rise, by what they
predict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..comparison.compare import LawComparison, compare_laws
from ..comparison.evidence import log_evidence
from ..comparison.explain import Explanation, explain
from ..comparison.predictive import Backtest
from ..posterior.display import Sheet, Shown
from ..posterior.drift import with_drift
from ..posterior.intervals import plain
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior
from ..questions.kind import Kind, kind
from ..questions.threshold import Threshold, threshold
from . import shown

__all__ = ["Task", "task"]

CLEARLY = 3.0
"""Nats of evidence by which a failed law is clearly better than all that passed."""


@dataclass(frozen=True, eq=False, repr=False)
class Task(Shown):
    """What the runs say of one task."""

    name: str
    comparison: LawComparison | None
    """The laws whose fit is to be trusted; None where there is none, or where one that failed
    explains the data clearly better and says another kind."""
    mixture: Mixture | None
    """They, weighed by belief."""
    kind: Kind | None
    threshold: Threshold | None
    explanation: Explanation | None
    failed: Mapping[str, str]
    """What is wrong with the laws left out, by name."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON; None where the fits are not to be trusted."""
        parts = {name: getattr(self, name) for name in ("kind", "explanation", "threshold")}
        parts["laws"] = self.comparison
        found = {name: None if one is None else one.summary() for name, one in parts.items()}
        return found | {"health": {"sound": self.kind is not None, "failed": plain(self.failed)}}

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said with the answers."""
        parts = [each for each in (self.threshold, self.explanation, self.kind) if each is not None]
        return tuple(dict.fromkeys(note for part in parts for note in part.notes))

    def sheets(self) -> list[Sheet]:
        """Return kind, unlock, explanation and laws, a table each."""
        first, *rest = shown.task(self.summary())
        return [replace(first, head=f"{self.name}: {first.head}"), *rest]


def _overturned(answer: Kind, failed: Mapping[str, float], parts: dict, seed: int) -> bool:
    """Return whether a law that failed, but explains the data clearly better, says another kind.

    The laws that passed would then call a rising task flat, and be sure of it.
    """
    kinds = (kind(parts[law], seed=seed, allow_failed=True).likeliest for law in failed)
    return any(kind != answer.likeliest for kind in kinds)


def _wrong(one: Posterior) -> str:
    (verdict,) = one.health.verdicts
    return "; ".join(verdict.problems)


def task(
    name: str,
    parts: Mapping[str, Posterior],
    prior: Mapping[str, float],
    *,
    level: float | str | None,
    horizon: float | None,
    drift: float,
    seed: int,
    backtests: Mapping[str, Backtest] | None,
) -> Task:
    """Return the answers on one task from its fits, one a law; of the others as in `tasks`."""
    sound = {law: one for law, one in parts.items() if one.health.sound}
    failed = {law: _wrong(one) for law, one in parts.items() if law not in sound}
    without = Task(name, None, None, None, None, None, failed)
    if not sound:
        return without
    found = compare_laws(sound, prior={law: prior[law] for law in sound}, seed=seed)
    mixture, best = found.mixture("evidence"), max(found.log_evidence.values())
    how = dict(seed=seed, unit=found.unit)
    gains = {law: log_evidence(parts[law], **how).log - best for law in failed}
    better = {law: gain for law, gain in gains.items() if gain > CLEARLY}
    answer = kind(mixture, seed=seed)
    if _overturned(answer, better, parts, seed):
        return without
    for law, gain in better.items():
        failed[law] += f"; by evidence it is {gain:.0f} nats better than all that passed"
    return Task(
        name,
        found,
        mixture,
        answer,
        threshold(with_drift(mixture, drift, seed=seed), level, horizon=horizon),
        explain(found, backtest=backtests),
        failed,
    )
