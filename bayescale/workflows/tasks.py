"""tasks: many tasks through several laws, one row each: kind, explanation, unlock, health.

Each law is fitted to all tasks in one compiled program; then each task's laws are compared. What
could be refused of the whole is refused before the first fit.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..comparison.evidence import log_evidence
from ..comparison.explain import RISE
from ..comparison.units import common_unit
from ..data.dataset import Dataset
from ..data.formula import in_scales
from ..data.from_frame import as_dataset
from ..inference.make_model import as_law_names, make_model
from ..inference.samplers import NUTS, a_weigher
from ..laws import get_law
from ..model.arrays import pack
from ..parametric.parametric import Law
from ..posterior.bends import MISFIT
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import plain
from ..posterior.posterior import Posterior
from ..progress import Progress, Tell, telling, waiting
from . import shown
from .backtest import backtest as backtest_of
from .backtest import checked_share, fitted
from .default_laws import ACCURACIES, parts_of, short_of
from .hypotheses import prior_of
from .resume import Kept
from .task import Task, task

if TYPE_CHECKING:
    import pandas

__all__ = ["QUICK", "Tasks", "pool_of", "tasks"]

QUICK = NUTS(warmup=500, draws=1000, target_accept=0.9)
"""Enough for quantiles, at a third of the default's cost."""


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
        for one in self:
            if one.kind is None:
                rows[one.name] = {"kind": "not to be trusted", "failed": ", ".join(one.failed)}
                continue
            unlock = one.threshold.forecast
            rows[one.name] = {
                "kind": one.kind.likeliest,
                "probability": one.kind.probability,
                "explanation": one.explanation.verdict,
                "level": one.threshold.level,
                "log10_unlock": unlock.median,
                "lo": unlock.lo,
                "hi": unlock.hi,
                "p_never": unlock.p_never,
                "p_already": unlock.p_already,
                "failed": ", ".join(one.failed),
            }
        return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        failed = [one.name for one in self if not one.sound]
        found = {"tasks": {one.name: one.summary() for one in self}}
        found["health"] = {"sound": not failed, "tasks": len(self), "failed": failed}
        return plain(found | {"laws": self.laws, "prior": self.prior})

    def sheets(self) -> list[Sheet]:
        """Return one row a task."""
        return shown.tasks(self.summary())


def tasks(
    data: Any,
    laws: Iterable[Law | str] = ACCURACIES,
    *,
    level: float | str | None = None,
    noise: Any = None,
    pool: str | Iterable[str] | None = None,
    prior: Mapping[str, float] | None = None,
    horizon: float | None = None,
    misfit: float = MISFIT,
    backtest: float | None = None,
    sampler: NUTS = QUICK,
    seed: int = 0,
    precision: str = "float64",
    folder: str | os.PathLike | None = None,
    progress: Progress = True,
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
        Prior probability of each law; by default hypotheses are alike (`workflows.hypotheses`), in
        equal shares where several laws tell one.
    horizon
        The largest scale looked at for an unlock; 4 decades beyond the largest run by default.
    misfit
        sd of the size of the law's misfit beyond the data (`with_misfit`); 0 for none.
    backtest
        Share of each task's runs, those of the largest scales, that the laws of a rise are also
        to forecast from the others, as `backtest` does; None for no backtest. Shown beside the
        weights of the explanation; a task of too few scales has none.
    folder
        Where each law's fit is kept as soon as it is made. The same call reads what is there and
        goes on from it, after an interrupt too; fits of other data or settings are made anew.
    progress
        As in `fit`; what is told is (law: stage, share done).

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
    KeyboardInterrupt
        If a fit is cut short; those before it stay in `folder`.

    Examples
    --------
    >>> quick = bs.NUTS(chains=2, warmup=200, draws=200, retries=0)
    >>> laws = ("sigmoid", "flat")
    >>> found = bs.tasks(accuracy_data, laws, noise="beta_binomial", sampler=quick)
    >>> len(found), found.laws
    (1, ('sigmoid', 'flat'))
    """
    data, sampler = as_dataset(data), a_weigher(sampler)
    made = {law.name: law for law in map(get_law, laws)}
    if not made:
        raise ValueError(f"name at least one law, such as {', '.join(ACCURACIES)}")
    for law in made.values():
        if law.support != "unit" or len(law.inputs) != 1 or law.further:
            raise ValueError(
                f"tasks takes laws of accuracy in one scale, such as {', '.join(ACCURACIES)}; "
                f"{law.name} is none"
            )
    prior = dict(prior_of(made.values()) if prior is None else prior)
    if set(prior) != set(made):
        raise ValueError(f"the prior is for {', '.join(prior)}, the laws are {', '.join(made)}")
    if not (min(prior.values()) >= 0 and 0 < sum(prior.values()) < np.inf):
        raise ValueError(f"probabilities of laws are 0 or more and not all 0, got {prior}")
    backtest = None if backtest is None else checked_share(backtest)
    parts = parts_of(made.values(), data)
    along = next(iter(data.inputs))
    horizon = in_scales({along: horizon}, data.columns, [along])[along]
    _check(made.values(), data, parts, noise, pool, level, horizon, misfit)
    how = dict(noise=noise, seed=seed, precision=precision)
    answers = dict(level=level, horizon=horizon, misfit=misfit, seed=seed)
    kept = Kept.at(folder)
    with waiting(progress) as tell:
        fits = _fits(made, data, parts, sampler, pool, how, tell, kept.fit)
        skill = {} if backtest is None else _skill(made, data, backtest, sampler, pool, how, tell)
    rows = {
        name: task(name, own, prior, short_of(made, own), backtests=skill.get(name), **answers)
        for name, own in fits.items()
    }
    return Tasks(rows, tuple(made), prior)


def _check(
    laws: Iterable[Law], data: Dataset, parts: Mapping, noise, pool, level, horizon, misfit
) -> None:
    """Refuse what a law's fit, or the question of an unlock, would refuse after the first fits."""
    if isinstance(level, str) and level != "half":
        raise ValueError(f'level (--level) is a number, or "half"; got {level!r}')
    if isinstance(level, float | int) and not 0 < level < 1:
        raise ValueError(f"level (--level) of an accuracy lies between 0 and 1, got {level:g}")
    if not 0 <= misfit < np.inf:
        raise ValueError(f"misfit (--misfit) is an sd, 0 or more, got {misfit:g}")
    for law in laws:
        if law.less_is_better and misfit:
            raise ValueError(
                f"misfit (--misfit) is of a scale of which more is better; of {law.name} less is: "
                "misfit=0 (--misfit 0)"
            )
        part = parts[law.name]
        if part is not None:
            table = as_law_names(law, part)
            pack(make_model(law, table, noise, pool_of(law, pool)), table)
        (x,) = data.inputs.values()
        end = x.min() if law.less_is_better else x.max()
        late = horizon is None or (horizon <= end if law.less_is_better else horizon >= end)
        if not (late and (horizon is None or 0 < horizon < np.inf)):
            raise ValueError(
                f"horizon (--horizon) is at or beyond the largest run, {end:.4g}; got {horizon:.4g}"
            )


def _fits(
    made, data: Dataset, parts: Mapping, sampler: NUTS, pool, how: dict, tell: Tell, fit
) -> dict[str, dict]:
    """Return each task's posteriors by law; those that fail and matter are run again."""
    names = data.curve_names or (None,)
    found: dict[Any, dict[str, Posterior]] = {name: {} for name in names}
    for i, (law, formula) in enumerate(made.items()):
        once = replace(sampler, retries=0)
        own = dict(progress=telling(tell, law, i, len(made)), pool=pool_of(formula, pool))
        if parts[law] is None:
            continue
        for name, one in fit(law, formula, parts[law], sampler=once, **own, **how):
            found[name][law] = one
    matter = {name: _mattering(found[name], how["seed"]) for name in names}
    for i, (law, formula) in enumerate(made.items() if sampler.retries else ()):
        again = [name for name in names if law in matter[name]]
        if again:
            part = data if data.curve is None else data.take(np.isin(data.curve, again))
            # The same groups: the model is that of the first try, and so is its program.
            part = replace(part, all_groups=data.group_names)
            harder = replace(sampler.harder(0), retries=0, draws=2 * sampler.draws)
            own = dict(progress=telling(tell, f"{law}, again", i, len(made)))
            own["pool"] = pool_of(formula, pool)
            for name, one in fit(f"{law}-again", formula, part, sampler=harder, **own, **how):
                found[name][law] = one
    return {_said(name): fits for name, fits in found.items()}


def _said(name) -> str:
    return "all rows" if name is None else str(name)


def _skill(
    made, data: Dataset, share, sampler: NUTS, pool, how: dict, tell: Tell
) -> dict[str, dict]:
    """Return each task's backtests of the laws of a rise; of tasks long enough for one."""
    rising = {law: one for law, one in made.items() if one.told == RISE}
    found: dict[str, dict] = {}
    for i, (law, formula) in enumerate(rising.items()):
        below = fitted(formula, data, share)
        if not below.any():
            continue
        part = data if data.curve is None else data.take(np.isin(data.curve, data.curve[below]))
        part = replace(part, all_groups=data.group_names)
        own = dict(progress=telling(tell, f"{law}, backtest", i, len(rising)))
        own |= dict(pool=pool_of(formula, pool), sampler=replace(sampler, retries=0), share=share)
        tested = backtest_of(formula, part, **own, **how)
        for name, one in (tested if data.curve is not None else {None: tested}).items():
            found.setdefault(_said(name), {})[law] = one
    return found


def pool_of(law: Law, pool: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return those of the parameters to pool that a law has; None, the usual one, without any."""
    named = (pool,) if isinstance(pool, str) else tuple(pool or ())
    return tuple(name for name in named if name in law.free) or None


HOPELESS = 12.0
"""Nats of evidence behind the best law from which a failed fit is not run again."""


def _mattering(fits: Mapping[str, Posterior], seed: int) -> set[str]:
    """Return the laws whose draws failed and might weigh in."""
    failed = {law for law, one in fits.items() if not one.health.verdicts[0].sampling.sound}
    if not failed:
        return failed
    how = dict(seed=seed, unit=common_unit(fits.values()))
    logs = {law: log_evidence(one, **how).log for law, one in fits.items()}
    return {law for law in failed if not logs[law] < max(logs.values()) - HOPELESS}
