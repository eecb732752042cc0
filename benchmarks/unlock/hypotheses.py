"""Priors of the hypotheses that were tried, one of them learnt from what came beyond cuts.

Where nothing has happened yet a distractor whose rise is still to come tells the data as well as
`flat` does: evidence cannot say how probable each is, what came later can. With the evidence Z_ih
of hypothesis h below cut i, and its weight W_ih = pi_h Z_ih / sum_k pi_k Z_ik, a cut scores

    s_i(pi) = mean over later models of log sum_h W_ih p_ih(count of right answers)
            + mean over levels to wait for of log sum_h W_ih p_ih(bin of the scale of its unlock)

and pi maximises sum_f mean_{i in f} s_i(pi) + a sum_h log pi_h over families f of tasks, each
counting once: a Dirichlet prior worth a tasks of each hypothesis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from bayescale.laws import get_law

from .. import common

HYPOTHESES = ("rise", "flat", "u_shape", "inverse", "inverted_u")
EQUAL = dict.fromkeys(HYPOTHESES, 1 / len(HYPOTHESES))
"""What is in use."""
BY_EVIDENCE = dict(rise=0.327, flat=0.1, u_shape=0.318, inverse=0.084, inverted_u=0.171)
"""What was in use before: learnt from the evidence of whole tasks alone (Dirichlet, worth 3)."""
AHEAD = dict(rise=0.280, flat=0.273, u_shape=0.087, inverse=0.231, inverted_u=0.130)
"""Learnt here, worth 1, from all families."""
WORTH = 1.0
"""Tasks that the Dirichlet prior is worth, of each hypothesis; `WORTHS` beside it."""
WORTHS = (1.0, 3.0, 10.0)
LEAST = 1e-4, np.exp(-30)
"""Least chance of a bin, and of a count, that is scored."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """What each hypothesis says of what came beyond one cut."""

    family: str
    evidence: np.ndarray
    """Log evidence below the cut, (hypothesis,)."""
    counts: np.ndarray
    """Probability of what later models scored, (hypothesis, model)."""
    bins: np.ndarray
    """Probability of the bin in which a level was passed, (hypothesis, level left to wait for)."""
    passes: np.ndarray
    """Probability that it is passed by the last model, (hypothesis, level)."""
    passed: np.ndarray
    """Whether it was, (level,)."""

    def weights(self, pi: np.ndarray) -> np.ndarray:
        """Return the weight of each hypothesis below the cut, (hypothesis,)."""
        return softmax(np.log(pi) + self.evidence)

    def scores(self, pi: np.ndarray) -> tuple[float, float]:
        """Return the mean log score of the counts, and of the bins; nan where there is no level."""
        weights = self.weights(pi)
        counts = np.log(np.maximum(weights @ self.counts, LEAST[1])).mean()
        if not self.bins.size:
            return counts, np.nan
        return counts, np.log(np.maximum(weights @ self.bins, LEAST[0])).mean()


def means(cuts: Sequence[Ahead], pi: np.ndarray) -> pd.DataFrame:
    """Return the mean scores of each family, columns `counts` and `bins`."""
    rows = [(one.family, *one.scores(pi)) for one in cuts]
    return pd.DataFrame(rows, columns=["family", "counts", "bins"]).groupby("family").mean()


def learnt(cuts: Sequence[Ahead], worth: float = WORTH) -> np.ndarray:
    """Return the probability of each hypothesis, (hypothesis,)."""

    def cost(z: np.ndarray) -> float:
        log = z - logsumexp(z)
        return -means(cuts, np.exp(log)).sum().sum() - worth * log.sum()

    how = dict(maxiter=3000, xatol=1e-3, fatol=1e-4)
    return softmax(minimize(cost, np.zeros(len(HYPOTHESES)), method="Nelder-Mead", options=how).x)


def half_of(families: Iterable[str]) -> dict[str, int]:
    """Return of each family which half it belongs to: every other one, in their order."""
    return {name: i % 2 for i, name in enumerate(sorted(set(families)))}


def crossed(cuts: Sequence[Ahead], worth: float = WORTH) -> list[np.ndarray]:
    """Return for each half of the families the prior learnt from the other."""
    half = half_of(one.family for one in cuts)
    return [learnt([one for one in cuts if half[one.family] != own], worth) for own in (0, 1)]


def shared(laws: Iterable[str], prior: Mapping[str, float]) -> dict[str, float]:
    """Return the prior of laws, which several of one hypothesis share alike."""
    told = {name: get_law(name).told for name in laws}
    return {name: prior[one] / [*told.values()].count(one) for name, one in told.items()}


def learning(cuts: Sequence[Ahead]) -> list[str]:
    """Return what was learnt, and how priors fare on families they were not learnt from."""
    half = half_of(one.family for one in cuts)
    equal, before = (np.array([*prior.values()]) for prior in (EQUAL, BY_EVIDENCE))
    every = {f"learnt, worth {worth:g}": learnt(cuts, worth) for worth in WORTHS}
    priors = {"equal (in use)": equal, "by evidence (before)": before, **every}
    shown = pd.DataFrame(priors, index=pd.Index(HYPOTHESES, name="hypothesis"))
    ways = {"equal (in use)": [equal] * 2, "by evidence (before)": [before] * 2}
    for worth in WORTHS:
        ways[f"learnt from the other half, worth {worth:g}"] = crossed(cuts, worth)
    table = []
    for own in (0, 1):
        held = [one for one in cuts if half[one.family] == own]
        was = means(held, equal)
        for name, pi in ways.items():
            told = np.concatenate([one.weights(pi[own]) @ one.passes for one in held])
            came = np.concatenate([one.passed for one in held])
            row = {"scored on": ("first half", "second half")[own], "prior": name}
            for part in ("counts", "bins"):
                gain = (means(held, pi[own]) - was)[part].dropna()
                error = gain.std() / np.sqrt(len(gain))
                row[f"gained, {part}"] = f"{gain.mean():.3f} +- {error:.3f}"
            row |= {"promised": told.sum(), "passed": int(came.sum()), "levels": len(came)}
            table.append(row | {"Brier": np.mean((told - came) ** 2)})
    return [WORDS, common.table(shown, 3), common.table(pd.DataFrame(table), 3)]


def family_weights(families) -> np.ndarray:
    """Return weights that let each family count as one task."""
    families = pd.Series(list(families))
    return (1 / families.map(families.value_counts())).to_numpy()


def by_family(values, families) -> tuple[float, float, int]:
    """Return the mean over families of their means, its standard error, and how many there are."""
    means = pd.Series(np.asarray(values, float)).groupby(list(families)).mean()
    return float(means.mean()), float(means.std() / np.sqrt(len(means))), len(means)


WORDS = (
    "Learnt from the cuts by scale, by what came beyond them, with a Dirichlet prior worth so many "
    "tasks of each hypothesis; scored on the half of the families that it was not learnt from. "
    "Gained over the equal one: log score of a later model's count, and of the bin in which a "
    "level is passed (none within reach is one), nats. The one before was learnt from the evidence "
    "of whole tasks, and had every third task as a U-shape: where nothing has happened yet, a "
    "U-shape whose rise is to come is told as well as that nothing happens, and seldom comes. What "
    "is learnt from what came is hardly better than equal ones where it was not learnt, and with "
    "it four U-shapes of the inverse-scaling prize are told less well (kinds.md)."
)
