"""What is believed before the data, learnt from open tasks, families of tasks left out.

1. The ceiling: v ~ Beta(1, b) of several b, by the log score of models beyond cuts made by design;
   chosen on half of the families of tasks, confirmed on the other.
2. The prior of the hypotheses: learnt from the evidence on whole tasks (`learnt`), scored on tasks
   of families left out, against the equal one.
3. What may still come of a task that looks flat below its cut: the probability that nothing ever
   does, by the log score of when levels were passed beyond the cut, families left out.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from bayescale.laws import get_law
from bayescale.posterior.later import decades_later
from bayescale.workflows.hypotheses import LEARNT

from .. import common
from . import cuts, designs
from .cuts import HYPOTHESES, Measured
from .designs import Case

CEILINGS = (6.0, 4.0, 3.0, 2.0, 1.0)
"""b of Beta(1, b); the first is what was."""
NEVERS = tuple(np.round(np.arange(0.0, 1.0001, 0.05), 2))
EDGES = (-np.inf, 0.25, 0.5, 1.0, np.inf)
"""Decades beyond the cut between which a level is passed, as far as models reach."""
ROUNDS = 2000
LEVELS = (0.25, 0.5)
"""Share of the way from chance to 1."""
Found = dict[str, dict[str, Measured]]
"""By law, by name of the case."""


def learnt(log_evidence: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the probability of each hypothesis, learnt from many tasks, (hypothesis,).

    pi_h = (1 + sum_i w_i r_ih) / (H + sum_i w_i), r_ih = pi_h Z_ih / sum_k pi_k Z_ik, by iteration:
    expectation and maximisation under a Dirichlet prior worth one task of each hypothesis.

    Parameters
    ----------
    log_evidence
        Log evidence of each hypothesis on each task, (task, hypothesis); of a task up to a constant.
    weights
        How much each task counts, (task,).
    """
    logs = np.asarray(log_evidence, float)
    evidence = np.exp(logs - logs.max(1, keepdims=True))
    found = np.full(evidence.shape[1], 1 / evidence.shape[1])
    for _ in range(ROUNDS):
        belief = found * evidence
        belief /= belief.sum(1, keepdims=True)
        found = 1 + weights @ belief
        found /= found.sum()
    return found


def family_weights(families) -> np.ndarray:
    """Return weights that let each family count as one task."""
    families = pd.Series(list(families))
    return (1 / families.map(families.value_counts())).to_numpy()


def held_out(logs: np.ndarray, families: list[str]) -> pd.DataFrame:
    """Return each task's log score under the prior learnt without its family, and the equal one."""
    families, rows = np.array(families), []
    equal = np.full(logs.shape[1], 1 / logs.shape[1])
    for own in families:
        rest = families != own
        rows.append(learnt(logs[rest], family_weights(families[rest])))
    best = logs.max(1, keepdims=True)
    score = lambda prior: np.log((np.exp(logs - best) * prior).sum(1)) + best[:, 0]  # noqa: E731
    learnt_score, equal_score = score(np.array(rows)), score(equal[None])
    found = pd.DataFrame(np.array(rows), columns=list(HYPOTHESES)[: logs.shape[1]])
    return found.assign(family=families, learnt=learnt_score, equal=equal_score)


def by_family(values: np.ndarray, families) -> tuple[float, float, int]:
    """Return the mean over families of their means, its standard error, and how many there are."""
    means = pd.Series(np.asarray(values, float)).groupby(list(families)).mean()
    return float(means.mean()), float(means.std() / np.sqrt(len(means))), len(means)


# ------------------------------------------------------------------ the ceiling


def ceiling_table(found: Found, todo: list[Case]) -> tuple[pd.DataFrame, str]:
    """Return the log score of each ceiling on either half of the families, and the choice."""
    told = [cuts.family(case.task) for case in todo]
    order = {name: i for i, name in enumerate(sorted(set(told)))}
    first = np.array([order[name] % 2 == 0 for name in told])
    scores = {b: np.array([_rise_score(found, case, b) for case in todo]) for b in CEILINGS}
    was, rows = scores[CEILINGS[0]], []
    for b in CEILINGS:
        row = {"ceiling": f"Beta(1, {b:g})", "5 % of the way up": 1 - 0.05 ** (1 / b)}
        row["ends below 5 %"] = _below(b)
        for name, half in (("first", first), ("second", ~first)):
            gain, se, count = by_family((scores[b] - was)[half], np.array(told)[half])
            row[f"{name} half: gain"], row["se" if name == "first" else "se "] = gain, se
            row["families" if name == "first" else "families "] = count
        rows.append(row)
    table = pd.DataFrame(rows)
    best = table.loc[table["first half: gain"].idxmax(), "ceiling"]
    return table, str(best)


def _rise_score(found: Found, case: Case, b: float) -> float:
    return found["sigmoid"][case.name].score_under(b)


def _below(b: float) -> str:
    """Return how many tasks that unlock end below the 5 % quantile of the ceiling."""
    ends = []
    for rows in designs.tasks().values():
        if np.isfinite(rows["T"].iloc[0]):
            last = rows.sort_values("x").y.iloc[-max(3, len(rows) // 8) :]
            ends.append((last.median() - rows.chance.iloc[0]) / (1 - rows.chance.iloc[0]))
    at = 0.05 ** (1 / b)
    return f"{int((np.array(ends) < 1 - (1 - at)).sum())} of {len(ends)}"
