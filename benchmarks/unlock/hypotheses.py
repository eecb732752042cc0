"""The prior of the hypotheses, learnt from open tasks, families of tasks left out.

pi_h = (a + sum_i w_i r_ih) / (a H + sum_i w_i), r_ih = pi_h Z_ih / sum_k pi_k Z_ik, iterated:
expectation and maximisation under a Dirichlet prior worth a tasks of each hypothesis. Each family
of tasks (prompts, digits, tables of one task) weighs as one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayescale.workflows.hypotheses import LEARNT

from .. import common
from . import tables

HYPOTHESES = tuple(LEARNT)
CHOSEN = (tables.GROUPS, tables.PRIZE)
"""Tables that nothing is learnt from: groups of questions made from their outcomes, and tasks that
were looked for because they fall."""
ROUNDS = 2000
WORTH = 3.0
"""Tasks that the Dirichlet prior is worth, of each hypothesis; `WORTHS` beside it."""
WORTHS = (1.0, 3.0, 10.0)


def learnt(logs: np.ndarray, weights: np.ndarray, worth: float = WORTH) -> np.ndarray:
    """Return the probability of each hypothesis, learnt from many tasks, (hypothesis,).

    Parameters
    ----------
    logs
        Log evidence of each hypothesis on each task, (task, hypothesis); each task's up to a
        constant.
    weights
        How much each task counts, (task,).
    """
    evidence = np.exp(logs - logs.max(1, keepdims=True))
    found = np.full(evidence.shape[1], 1 / evidence.shape[1])
    for _ in range(ROUNDS):
        belief = found * evidence
        belief /= belief.sum(1, keepdims=True)
        found = worth + weights @ belief
        found /= found.sum()
    return found


def family_weights(families) -> np.ndarray:
    """Return weights that let each family count as one task."""
    families = pd.Series(list(families))
    return (1 / families.map(families.value_counts())).to_numpy()


def by_family(values, families) -> tuple[float, float, int]:
    """Return the mean over families of their means, its standard error, and how many there are."""
    means = pd.Series(np.asarray(values, float)).groupby(list(families)).mean()
    return float(means.mean()), float(means.std() / np.sqrt(len(means))), len(means)


def evidence_of(rows: pd.DataFrame) -> np.ndarray:
    """Return log evidence, (task, hypothesis); -inf of laws that were left out."""
    nothing = (-np.inf, None)
    return np.array([[one.get(name, nothing)[0] for name in HYPOTHESES] for one in rows.told])


def without_family(rows: pd.DataFrame, worth: float = WORTH) -> np.ndarray:
    """Return the prior learnt for each task from the other families, (task, hypothesis)."""
    logs, families = evidence_of(rows), rows.family.to_numpy()
    learning, found = ~rows.table.isin(CHOSEN).to_numpy(), []
    for own in families:
        rest = learning & (families != own)
        found.append(learnt(logs[rest], family_weights(families[rest]), worth))
    return np.array(found)


def gains(rows: pd.DataFrame, left: np.ndarray) -> np.ndarray:
    """Return the log score of each task's data under its prior, over that of equal ones."""
    logs = evidence_of(rows)
    evidence = np.exp(logs - logs.max(1, keepdims=True))
    return np.log((evidence * left).sum(1) / evidence.mean(1))


def learning(rows: pd.DataFrame) -> tuple[str, dict[str, list[dict[str, float]]]]:
    """Return what was learnt and how it fares, and each task's prior: equal, and learnt."""
    logs, families = evidence_of(rows), rows.family.to_numpy()
    own, table = ~rows.table.isin(CHOSEN).to_numpy(), []
    for worth in WORTHS:
        gain = gains(rows, without_family(rows, worth))
        for name, which in [
            ("learnt from, family left out", own),
            *((name, (rows.table == name).to_numpy()) for name in CHOSEN),
        ]:
            if which.any():
                mean, se, count = by_family(gain[which], families[which])
                row = {"prior worth": worth, "tasks": name, "number": int(which.sum())}
                table.append(row | {"families": count, "gained": f"{mean:.3f} +- {se:.3f}"})
    left = without_family(rows)
    every = learnt(logs[own], family_weights(families[own]))
    prior = pd.DataFrame(
        {"equal": 1 / len(HYPOTHESES), "learnt from all": every, "in use": LEARNT.values()}
        | {"least, a family left out": left[own].min(0), "most": left[own].max(0)},
        index=pd.Index(HYPOTHESES, name="hypothesis"),
    )
    text = WORDS + "\n\n" + common.table(prior, 3) + "\n\n" + common.table(pd.DataFrame(table), 3)
    equal = dict.fromkeys(HYPOTHESES, 1 / len(HYPOTHESES))
    named = [dict(zip(HYPOTHESES, row, strict=True)) for row in left]
    return text, {"learnt (family left out)": named, "equal": [equal] * len(rows)}


WORDS = (
    f"Learnt from the tables not made from outcomes, with a Dirichlet prior worth {WORTH:g} tasks "
    "of each hypothesis; others beside it. Gained: log score of a task's data, the prior learnt "
    "without its family, over that of equal probabilities; means over families, nats. The share of "
    "laws that may fall stays near 60 %: `distractor` tells most rises as well as `sigmoid` does, "
    "within 2 nats, so that evidence cannot take its weight from it. Kinds, which are told draw by "
    "draw, hardly depend on it: see the calls under either prior."
)
