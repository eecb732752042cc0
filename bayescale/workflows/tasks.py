"""many: many tasks through several laws, one row each: kind, explanation, unlock, health.

Each law is fitted to all tasks in one compiled program; then each task's laws are compared. The
kind is of all laws, weighed by belief: prior times evidence. So is the unlock, so that a task on
which nothing may ever happen says so. The explanation is of the laws that rise, by what they
predict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..comparison.compare import LawComparison, compare_laws
from ..comparison.evidence import log_evidence
from ..comparison.explain import RISE, Explanation, explain
from ..data.dataset import Dataset
from ..inference.fit import fit
from ..inference.samplers import NUTS
from ..laws import get_law
from ..parametric.parametric import Law
from ..posterior.display import Sheet, Shown
from ..posterior.drift import DRIFT, with_drift
from ..posterior.intervals import plain
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior
from ..questions.kind import Kind, kind
from ..questions.threshold import Threshold, threshold
from . import shown
from .backtest import backtest as backtest_of
from .backtest import checked_share, fitted

if TYPE_CHECKING:
    import pandas

__all__ = ["LAWS", "QUICK", "Task", "Tasks", "pool_of", "prior_of", "tasks"]

LAWS = ("sigmoid", "exact_match", "multi_step", "elbow")
LAWS += ("flat", "distractor", "inverse", "inverted_u")
QUICK = NUTS(warmup=500, draws=1000, target_accept=0.9)
"""Enough for quantiles, at a third of the default's cost."""


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


@dataclass(frozen=True, eq=False, repr=False)
class Tasks(Shown):
    """One `Task` by name."""

    rows: Mapping[str, Task]
    laws: tuple[str, ...]
    prior: Mapping[str, float]
    """Prior probability of each law."""

    def __iter__(self) -> Iterator[Task]:
        return iter(self.rows.values())

    def __getitem__(self, name: str) -> Task:
        return self.rows[name]

    def __len__(self) -> int:
        return len(self.rows)

    def table(self) -> pandas.DataFrame:
        """Return one row a task: kind, explanation, unlock scale (log10), health."""
        import pandas as pd

        columns = ("kind", "probability", "explanation", "level", "log10_unlock", "lo", "hi")
        columns += ("p_never", "p_already", "failed")
        rows = {}
        for task in self:
            if task.kind is None:
                rows[task.name] = {"kind": "not to be trusted", "failed": ", ".join(task.failed)}
                continue
            unlock = task.threshold.forecast
            rows[task.name] = {
                "kind": task.kind.likeliest,
                "probability": task.kind.probability,
                "explanation": task.explanation.verdict,
                "level": task.threshold.level,
                "log10_unlock": unlock.median,
                "lo": unlock.lo,
                "hi": unlock.hi,
                "p_never": unlock.p_never,
                "p_already": unlock.p_already,
                "failed": ", ".join(task.failed),
            }
        return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        failed = [task.name for task in self if task.kind is None]
        found = {"tasks": {task.name: task.summary() for task in self}}
        found["health"] = {"sound": not failed, "tasks": len(self), "failed": failed}
        return plain(found | {"laws": self.laws, "prior": self.prior})

    def sheets(self) -> list[Sheet]:
        """Return one row a task."""
        return shown.tasks(self.summary())


def prior_of(laws: Iterable[Law]) -> dict[str, float]:
    """Return the prior probability of laws: equal for each hypothesis, which several may tell."""
    hypothesis = {law.name: law.told for law in laws}
    told = list(hypothesis.values())
    return {name: 1 / len(set(told)) / told.count(of) for name, of in hypothesis.items()}


def tasks(
    data: Dataset,
    laws: Iterable[Law | str] = LAWS,
    *,
    level: float | str | None = None,
    noise: Any = None,
    pool: str | Iterable[str] | None = None,
    prior: Mapping[str, float] | None = None,
    horizon: float | None = None,
    drift: float = DRIFT,
    backtest: float | None = None,
    sampler: NUTS = QUICK,
    seed: int = 0,
    precision: str = "float64",
    progress: Callable[[str, float], None] | None = None,
) -> Tasks:
    """Return of each task which kind it is, what explains it, and when it unlocks.

    Parameters
    ----------
    data
        Accuracies with the task as `curve`; without one, all rows are one task.
    laws
        Capability laws, or their names.
    level
        Accuracy that counts as unlocked; by default ("half") halfway between chance and 1.
    noise, pool, sampler, seed, precision
        As in `fit`.
    prior
        Prior probability of each law; by default equal for each hypothesis (`prior_of`).
    horizon
        The largest scale looked at for an unlock; 4 decades beyond the largest run by default.
    drift
        sd of the drift of effective scale beyond the data (`with_drift`); 0 for none.
    backtest
        Share of each task's runs, those of the largest scales, that the laws of a rise are also
        to forecast from the others, as `backtest` does; None for no backtest. Shown beside the
        weights of the explanation; a task of too few scales has none.
    progress
        Called with (law: stage, share done) now and then.

    Returns
    -------
    Tasks
        One `Task` by name: kind, explanation, threshold and health.

    Raises
    ------
    DataError
        Where the data do not suit a law.
    ValueError
        For an unknown law, no laws, or a prior that does not fit.

    Examples
    --------
    >>> quick = bs.NUTS(chains=2, warmup=200, draws=200, retries=0)
    >>> laws = ("sigmoid", "flat")
    >>> found = bs.tasks(accuracy_data, laws, noise="beta_binomial", sampler=quick)
    >>> len(found), found.laws
    (1, ('sigmoid', 'flat'))
    """
    made = {law.name: law for law in map(get_law, laws)}
    if not made:
        raise ValueError(f"name at least one law, such as {', '.join(LAWS)}")
    for law in made.values():
        if law.support != "unit" or len(law.inputs) != 1 or law.further:
            raise ValueError(
                f"tasks takes laws of accuracy in one scale, such as {', '.join(LAWS)}; "
                f"{law.name} is none"
            )
    prior = dict(prior_of(made.values()) if prior is None else prior)
    if set(prior) != set(made):
        raise ValueError(f"the prior is for {', '.join(prior)}, the laws are {', '.join(made)}")
    if not (min(prior.values()) >= 0 and 0 < sum(prior.values()) < np.inf):
        raise ValueError(f"probabilities of laws are 0 or more and not all 0, got {prior}")
    backtest = None if backtest is None else checked_share(backtest)
    how = dict(noise=noise, seed=seed, precision=precision)
    parts = _fits(made, data, sampler, pool, how, progress)
    skill = {} if backtest is None else _skill(made, data, backtest, sampler, pool, how, progress)
    rows = {
        name: _task(name, fits, prior, level, horizon, drift, seed, skill.get(name))
        for name, fits in parts.items()
    }
    return Tasks(rows, tuple(made), prior)


def _fits(made, data: Dataset, sampler: NUTS, pool, how: dict, progress) -> dict[str, dict]:
    """Return each task's posteriors by law; those that fail and matter are run again."""
    names = data.curve_names or (None,)
    found: dict[Any, dict[str, Posterior]] = {name: {} for name in names}
    for i, (law, formula) in enumerate(made.items()):
        tell = _telling(progress, law, i, len(made))
        once = replace(sampler, retries=0)
        own = dict(progress=tell, pool=pool_of(formula, pool))
        for name, one in fit(formula, data, sampler=once, **own, **how):
            found[name][law] = one
    matter = {name: _mattering(found[name]) for name in names} if sampler.retries else {}
    for i, (law, formula) in enumerate(made.items() if sampler.retries else ()):
        again = [name for name in names if law in matter[name]]
        if again:
            tell = _telling(progress, f"{law}, again", i, len(made))
            part = data if data.curve is None else data.take(np.isin(data.curve, again))
            # The same groups: the model is that of the first try, and so is its program.
            part = replace(part, all_groups=data.group_names)
            harder = replace(sampler.harder(0), retries=0, draws=2 * sampler.draws)
            for name, one in fit(
                formula, part, sampler=harder, progress=tell, pool=pool_of(formula, pool), **how
            ):
                found[name][law] = one
    return {_said(name): fits for name, fits in found.items()}


def _said(name) -> str:
    return "all rows" if name is None else str(name)


def _skill(made, data: Dataset, share, sampler: NUTS, pool, how: dict, progress) -> dict[str, dict]:
    """Return each task's backtests of the laws of a rise; of tasks long enough for one."""
    rising = {law: one for law, one in made.items() if one.told == RISE}
    found: dict[str, dict] = {}
    for i, (law, formula) in enumerate(rising.items()):
        below = fitted(formula, data, share)
        if not below.any():
            continue
        part = data if data.curve is None else data.take(np.isin(data.curve, data.curve[below]))
        part = replace(part, all_groups=data.group_names)
        own = dict(progress=_telling(progress, f"{law}, backtest", i, len(rising)))
        own |= dict(pool=pool_of(formula, pool), sampler=replace(sampler, retries=0), share=share)
        tested = backtest_of(formula, part, **own, **how)
        for name, one in (tested if data.curve is not None else {None: tested}).items():
            found.setdefault(_said(name), {})[law] = one
    return found


def pool_of(law: Law, pool: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return those of the parameters to pool that a law has; None, the usual one, without any."""
    named = (pool,) if isinstance(pool, str) else tuple(pool or ())
    return tuple(name for name in named if name in law.free) or None


def _telling(progress, law: str, i: int, count: int):
    def tell(stage: str, share: float) -> None:
        if progress is not None:
            progress(f"{law}: {stage}", (i + share) / count)

    return tell


HOPELESS = 12.0
"""Nats of evidence behind the best law from which a failed fit is not run again."""


def _mattering(fits: Mapping[str, Posterior]) -> set[str]:
    """Return the laws whose fit failed and might weigh in."""
    failed = {law for law, one in fits.items() if not one.health.sound}
    if not failed:
        return failed
    logs = {law: log_evidence(one).log for law, one in fits.items()}
    return {law for law in failed if not logs[law] < max(logs.values()) - HOPELESS}


CLEARLY = 3.0
"""Nats of evidence by which a failed law is clearly better than all that passed."""


def _overturned(answer: Kind, failed: Mapping[str, float], parts: dict, seed: int) -> bool:
    """Return whether a law that failed, but explains the data clearly better, says another kind.

    The laws that passed would then call a rising task flat, and be sure of it.
    """
    kinds = (kind(parts[law], seed=seed, allow_failed=True).likeliest for law in failed)
    return any(kind != answer.likeliest for kind in kinds)


def _wrong(one: Posterior) -> str:
    (verdict,) = one.health.verdicts
    return "; ".join(verdict.problems)


def _task(
    name: str, parts: dict[str, Posterior], prior, level, horizon, drift, seed, skill
) -> Task:
    """Return the answers on one task from its fits."""
    sound = {law: one for law, one in parts.items() if one.health.sound}
    failed = {law: _wrong(one) for law, one in parts.items() if law not in sound}
    without = Task(name, None, None, None, None, None, failed)
    if not sound:
        return without
    found = compare_laws(sound, prior={law: prior[law] for law in sound}, seed=seed)
    mixture, best = found.mixture("evidence"), max(found.log_evidence.values())
    gains = {law: log_evidence(parts[law], seed=seed).log - best for law in failed}
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
        explain(found, backtest=skill),
        failed,
    )
