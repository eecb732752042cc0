"""compare: several laws of the same runs, by what they predict and by what is believed of them.

`weights` are predictive (leave one run out): they ask which law would have foretold the runs best,
and make mixtures. `probability` is of belief: prior times evidence, for laws that are hypotheses
about the task (does it fall at all?). Where both are spread over several laws, the data cannot
tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..messages import Note, a_count, a_seed
from ..posterior.display import Sheet, Shown
from ..posterior.health import ROUGH
from ..posterior.intervals import plain
from ..posterior.mixture import Mixture, mix
from ..posterior.posterior import Posterior
from . import shown
from .evidence import log_evidence
from .predictive import REFITS, LeftOut, leave_one_out
from .units import DENSITY, common_unit, said_of_unit

if TYPE_CHECKING:
    import pandas

__all__ = ["LawComparison", "compare_laws", "pseudo_bma"]

BOOTSTRAPS = 1000


@dataclass(frozen=True, eq=False, repr=False)
class LawComparison(Shown):
    """Several laws of one curve, side by side; every field is by law."""

    posteriors: Mapping[str, Posterior]
    elpd: Mapping[str, float]
    """Expected log predictive density: the sum over runs, each left out in turn."""
    difference: Mapping[str, float]
    """elpd less that of the best law."""
    difference_se: Mapping[str, float]
    """Standard error of the difference, from the spread over runs."""
    complexity: Mapping[str, float]
    """Effective number of parameters."""
    rough: Mapping[str, int]
    """Runs whose leave-one-out density is rough (Pareto k above .7), and was not found by a sound
    fit without them: where there are some, elpd and predictive weights are not reliable."""
    log_evidence: Mapping[str, float]
    evidence_se: Mapping[str, float]
    weights: Mapping[str, float]
    """Predictive weights (pseudo-BMA+, arXiv 1704.02030)."""
    probability: Mapping[str, float]
    """Posterior probability of each law: prior times evidence."""
    prior: Mapping[str, float]
    """Prior probability of each law."""
    refitted: Mapping[str, int] = field(default_factory=dict)
    """Runs that were left out by a fit without them."""
    unit: str = DENSITY
    """`count` (probability of the counts) or `density` (of the response): what elpd and evidence
    are the log of."""
    notes: tuple[Note, ...] = ()
    """What should be said with the answer."""

    @property
    def best(self) -> str:
        """The law with the highest predictive density."""
        return max(self.elpd, key=self.elpd.__getitem__)

    def mixture(self, by: str = "predictive") -> Mixture:
        """Return the laws weighed: `predictive`, `evidence`, or `equal`.

        Raises
        ------
        ValueError
            If `by` is none of these.
        """
        chosen = {"predictive": self.weights, "evidence": self.probability, "equal": None}
        if by not in chosen:
            raise ValueError(f"weights are predictive, evidence or equal, got {by!r}")
        belief = by == "evidence"
        return mix(self.posteriors, chosen[by], prior=self.prior, why=by, belief=belief)

    def table(self) -> pandas.DataFrame:
        """Return one row a law, the best first."""
        import pandas as pd

        rows = pd.DataFrame.from_dict(self.summary(), orient="index")
        return rows.sort_values("elpd", ascending=False)

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return plain numbers by law, fit for JSON."""
        names = ("elpd", "difference", "difference_se", "complexity", "rough", "log_evidence")
        names += ("evidence_se", "weights", "probability", "prior")
        singular = {"weights": "weight"}
        found = {
            law: {singular.get(name, name): getattr(self, name)[law] for name in names}
            | {"refitted": self.refitted.get(law, 0), "unit": self.unit}
            | {"sound": one.health.sound, "health": one.health.verdicts[0].word}
            for law, one in self.posteriors.items()
        }
        return plain(found)

    def sheets(self) -> list[Sheet]:
        """Return one row a law, the best first."""
        return shown.laws(self.summary())


def compare_laws(
    posteriors: Mapping[str, Posterior] | Sequence[Posterior] | Mixture,
    *,
    prior: Mapping[str, float] | None = None,
    seed: int = 0,
    refits: int = REFITS,
) -> LawComparison:
    """Return how well several laws foretell the same runs, and how probable each is.

    Parameters
    ----------
    posteriors
        Posterior by name, each of one curve and of the same runs, in the same response and unit; of
        different laws a list of them, or a mixture.
    prior
        Prior probability of each law; equal unless given.
    seed
        Decides bootstrap and bridge.
    refits
        Most runs of a law that are left out by a fit without them, where the estimate from all
        is rough (Pareto k above .7); a law with more is not reliably compared, which is said.

    Returns
    -------
    LawComparison
        Predictive weight, evidence and probability of each law.

    Raises
    ------
    ValueError
        If they are of several curves, of other runs or another response, or the prior does not
        fit; or a noise of shares has no probability of counts to be compared with one of counts.

    Notes
    -----
    Where noises of counts and of shares meet, all is told as probabilities of the counts: of a
    noise of shares the mass of what rounds to the count, (k +- 1/2)/n. Noises of log y and of y
    both are densities of y, and compare as they stand.

    Evidence is of all that a law speaks of: between laws of accuracy alone and laws that go
    through a loss only predictive weights compare.

    Examples
    --------
    >>> found = bs.compare_laws(rivals)
    >>> max(found.weights, key=found.weights.get)
    'sigmoid'
    >>> mixture = found.mixture("evidence")  # for predict, threshold and kind
    """
    seed, refits = a_seed(seed), a_count(refits, "refits (--refits)")
    mixed = mix(posteriors, prior)  # checks that they compare, and normalises the prior
    posteriors = mixed.parts
    unit = common_unit(posteriors.values())
    how = dict(unit=unit, refits=refits)
    left = {name: leave_one_out(part, **how) for name, part in posteriors.items()}
    rows = np.stack([each.elpd for each in left.values()])
    totals = rows.sum(1)
    best = rows[totals.argmax()]
    gap = rows - best
    spread = np.sqrt(rows.shape[1]) * gap.std(1)
    evidence = {k: log_evidence(part, seed=seed, unit=unit) for k, part in posteriors.items()}
    logs = np.array([each.log for each in evidence.values()])
    names = list(posteriors)

    def named(values):
        return {name: float(value) for name, value in zip(names, values, strict=True)}

    return LawComparison(
        posteriors=dict(posteriors),
        elpd=named(totals),
        difference=named(gap.sum(1)),
        difference_se=named(spread),
        complexity=named([each.complexity.sum() for each in left.values()]),
        rough={name: each.rough for name, each in left.items()},
        log_evidence=named(logs),
        evidence_se=named([each.se for each in evidence.values()]),
        weights=named(pseudo_bma(rows, seed)),
        probability=named(_posterior(logs, np.array([mixed.weights[n] for n in names]))),
        prior=dict(mixed.weights),
        refitted={name: int(each.refitted.sum()) for name, each in left.items()},
        unit=unit,
        notes=(*said_of_unit(posteriors), *_said_of_runs(left, refits), *_groups(posteriors)),
    )


def _said_of_runs(left: Mapping[str, LeftOut], refits: int) -> list[Note]:
    """Return which runs were left out by fits without them, and which could not be."""
    notes, again = [], {name: int(each.refitted.sum()) for name, each in left.items()}
    if any(again.values()):
        told = ", ".join(f"{count} of {name}" for name, count in again.items() if count)
        text = "runs that a law's other runs foretell badly were left out by a fit without them"
        notes.append(Note("refitted", f"{text}: {told}"))
    rough = {name: each.rough for name, each in left.items() if each.rough}
    if rough:
        told = ", ".join(f"{count} of {name}" for name, count in rough.items())
        text = f"elpd and predictive weights are NOT RELIABLE: rough (Pareto k above {ROUGH}) in "
        notes.append(Note("rough", f"{text}{told} runs; up to {refits} of a law are fitted anew"))
    return notes


def _groups(posteriors: Mapping[str, Posterior]) -> list[Note]:
    pooled = any(one.model.pool for one in posteriors.values())
    return [Note("group", "elpd and weights speak of each row's own group")] * pooled


def pseudo_bma(rows: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return pseudo-BMA+ weights of laws from their log densities, (law, row).

    exp(elpd), normalised, averaged over the Bayesian bootstrap of the rows: Yao, Vehtari, Simpson
    and Gelman 2018 (arXiv 1704.02030).
    """
    rng = np.random.default_rng([seed, 5])
    share = rng.dirichlet(np.ones(rows.shape[1]), BOOTSTRAPS)
    sums = rows.shape[1] * share @ rows.T
    weights = np.exp(sums - sums.max(1, keepdims=True))
    return (weights / weights.sum(1, keepdims=True)).mean(0)


def _posterior(logs: np.ndarray, prior: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        logs = logs + np.log(prior)
    if not np.isfinite(logs).any():
        return prior
    weights = np.exp(logs - np.max(logs[np.isfinite(logs)]))
    return weights / weights.sum()
