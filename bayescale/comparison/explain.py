"""explain: which explanation of a threshold the data favour, and whether they can tell.

A task that unlocks may cross a threshold in log scale, be a product of many tokens or steps that
must all be right, set in abruptly, or follow from the loss. These laws mostly fit alike; weights
are predictive (each run left out in turn), and where no law has a weight of .6 the answer is that
the data cannot tell. `confusion` says how often that verdict is right where the truth is known:
on simulated runs of the same design.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..messages import Note
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import plain
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior
from . import shown
from .compare import LawComparison, compare_laws
from .predictive import Backtest

if TYPE_CHECKING:
    import pandas

__all__ = ["CANNOT_TELL", "RISE", "Confusion", "Explanation", "explain"]

RISE = "rise"
"""The hypothesis of the laws that explain a rise."""
CANNOT_TELL = "the data cannot tell"
SURE = 0.6
"""Weight from which a law is named: less would be wrong more than 4 times in 10."""
WRONG = 1 - SURE
"""Share of simulations at a design in which another law than the true one weighs most, above which
none is named there."""


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Shown):
    """What the data favour among the laws of a rise."""

    weights: Mapping[str, float]
    """Predictive weight of each law of a rise; they sum to 1."""
    elpd: Mapping[str, float]
    """Leave-one-out log predictive density, less that of the best."""
    says: Mapping[str, str]
    """What each law says of the task, in words."""
    backtest: Mapping[str, Backtest]
    """How each law, fitted to the smaller scales, fared on the larger; none unless asked for."""
    simulated: Confusion | None = None
    """How often such a verdict is right on simulated runs, where that was asked."""
    notes: tuple[Note, ...] = ()
    others: Mapping[str, float] = field(default_factory=dict)
    """Probability of each law compared that tells of no rise, the rises having the rest; where laws
    go through a loss, the predictive weight."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What these say of the task, in words."""

    @property
    def law(self) -> str | None:
        """The favoured law; None where the data cannot tell, or such data could not.

        None too where one law alone was weighed, and where others than rises are more probable.
        """
        best = max(self.weights, key=self.weights.__getitem__, default=None)
        if best is None or self.weights[best] < SURE or len(self.weights) < 2 or self.unlikely:
            return None
        return None if self.simulated is not None and self.simulated.error > WRONG else best

    @property
    def unlikely(self) -> bool:
        """Whether laws that tell of no rise are more probable than those that do."""
        return sum(self.others.values()) > 0.5

    @property
    def verdict(self) -> str:
        """The favoured explanation in words, or that the data cannot tell."""
        if not self.weights:
            return "no law of a rise was fitted"
        if self.unlikely:
            likeliest = max(self.others, key=self.others.__getitem__)
            return f"{self.told[likeliest] or likeliest}: more probable than a rise alone"
        if len(self.weights) < 2:
            return "one law of a rise alone was weighed, against no other"
        if self.law is None:
            return CANNOT_TELL
        return self.says[self.law] or self.law

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        same = ("verdict", "law", "weights", "elpd", "others", "notes")
        found = {name: getattr(self, name) for name in same} | {
            "backtest": {law: one.summary() for law, one in self.backtest.items()},
            "simulated": None if self.simulated is None else self.simulated.summary(),
        }
        return plain(found)

    def sheets(self) -> list[Sheet]:
        """Return one row a law of a rise: its weight, and how it forecast the larger scales."""
        return shown.explanation(self.summary())


def explain(
    which: LawComparison | Mapping[str, Posterior] | Sequence[Posterior] | Mixture,
    *,
    backtest: Mapping[str, Backtest] | None = None,
    simulated: Confusion | None = None,
    seed: int = 0,
) -> Explanation:
    """Return which explanation of a rise the data favour.

    Parameters
    ----------
    which
        A comparison, or what `compare_laws` takes. Laws that explain no rise have no weight; where
        they are more probable than those that do, there is none to explain.
    backtest
        By law, from `backtest`: shown beside the weights, which do not use it.
    simulated
        From `confusion` of the same fits: where another law than the true one weighed most in more
        than 40 % of the simulations, the data cannot tell.

    Returns
    -------
    Explanation
        The weight of each law of a rise, and the verdict in words.

    Raises
    ------
    ValueError
        As `compare_laws`; for backtests in several units, or not by law.

    Examples
    --------
    >>> answer = bs.explain({"sigmoid": sigmoid_fit})
    >>> dict(answer.weights)
    {'sigmoid': 1.0}
    >>> answer.law, answer.verdict
    (None, 'one law of a rise alone was weighed, against no other')
    """
    found = which if isinstance(which, LawComparison) else compare_laws(which, seed=seed)
    rising = {k: v for k, v in found.posteriors.items() if v.law.told == RISE}
    lost = [k for k, v in rising.items() if not v.health.verdicts[0].settled]
    rising = {k: v for k, v in rising.items() if k not in lost}
    kept = {k: v for k, v in found.posteriors.items() if v.law.told != RISE}
    kept = {k: v for k, v in kept.items() if v.health.verdicts[0].settled}
    others = _others(found, rising, kept)
    notes = [Note("left_out", f"left out, not settled: {', '.join(lost)}")] * bool(lost)
    notes += found.notes
    shown = _by_law(backtest, rising)
    if not isinstance(simulated, Confusion | None):
        raise ValueError(f"simulated is what confusion returns, got {simulated!r:.60}")
    if len({one.unit for one in shown.values()}) > 1:
        raise ValueError("backtests of counts and of shares do not compare: fit one table, with n")
    total = sum(found.weights[k] for k in rising)
    if not rising or total <= 0:
        return Explanation({}, {}, {}, shown, simulated, tuple(notes))
    best = max(found.elpd[k] for k in rising)
    return Explanation(
        {k: found.weights[k] / total for k in rising},
        {k: found.elpd[k] - best for k in rising},
        {k: v.law.says for k, v in rising.items()},
        shown,
        simulated,
        tuple(notes),
        others,
        {k: v.law.says for k, v in kept.items()},
    )


def _others(found: LawComparison, rising: Collection[str], kept: Collection[str]):
    """Return the probability of laws that tell of no rise, among these and the rises."""
    # Evidence of laws that go through a loss is of the loss too: there predictive weights compare.
    loss = any(found.posteriors[k].law.further for k in (*rising, *kept))
    belief = found.weights if loss else found.probability
    total = sum(belief[k] for k in (*rising, *kept))
    return {k: belief[k] / total for k in kept} if total > 0 else {}


def _by_law(backtest: Any, rising: Collection[str]) -> dict[str, Backtest]:
    """Return the backtests of these laws; a ValueError for what are none by law."""
    given = {} if backtest is None else backtest
    known = isinstance(given, Mapping) and all(isinstance(v, Backtest) for v in given.values())
    if not known:
        raise ValueError("backtest takes what backtest(law, data) returns by law, {'sigmoid': ...}")
    return {law: each for law, each in given.items() if law in rising}


@dataclass(frozen=True, eq=False, repr=False)
class Confusion(Shown):
    """How often the verdict names the law that made simulated runs of this design."""

    laws: tuple[str, ...]
    chosen: np.ndarray
    """Simulations of each truth (row) for which each law weighed most (column)."""
    told: np.ndarray
    """Of these, those in which it weighed .6 or more, (truth, law)."""

    @property
    def error(self) -> float:
        """Share of simulations in which another law than the true one weighed most."""
        return float(1 - np.trace(self.chosen) / self.chosen.sum())

    @property
    def error_where_told(self) -> float:
        """The same among those where a law was named; nan where none was."""
        total = self.told.sum()
        return float(1 - np.trace(self.told) / total) if total else float("nan")

    @property
    def told_share(self) -> float:
        """Share of simulations in which a law was named."""
        return float(self.told.sum() / self.chosen.sum())

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: truth in rows, favoured law in columns."""
        same = ("laws", "chosen", "told", "error", "error_where_told", "told_share")
        return plain({name: getattr(self, name) for name in same})

    def sheets(self) -> list[Sheet]:
        """Return the matrix: truth in rows, favoured law in columns."""
        return shown.confusion(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return the matrix: truth in rows, favoured law in columns."""
        import pandas as pd

        return pd.DataFrame(self.chosen, index=list(self.laws), columns=list(self.laws))
