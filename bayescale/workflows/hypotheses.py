"""hypotheses: how probable each hypothesis is of a task before its data, learnt from open tasks.

Laws tell hypotheses (`law.hypothesis`): that accuracy rises, that nothing happens, that it falls
and recovers, falls, or rises and falls. With the evidence Z_ih of hypothesis h on task i, and tasks
of one family (prompts, digits, tables of one task) sharing the weight w_i of one task, the learnt
probabilities are the fixed point of expectation and maximisation under a Dirichlet prior worth
three tasks of each of the H hypotheses::

    r_ih = pi_h Z_ih / sum_k pi_k Z_ik
    pi_h = (3 + sum_i w_i r_ih) / (3 H + sum_i w_i)

They are of laws, not of kinds: a law that may fall and recovers early tells many rises as well as
one that only rises, and which kind it is is decided by its draws. On which tasks, and how it fares
on families left out: benchmarks/results/kinds.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..comparison.evidence import Evidence, log_evidence, shares
from ..parametric.parametric import Law
from ..posterior.mixture import Mixture, mix
from ..posterior.posterior import Posterior

__all__ = ["LEARNT", "prior_of", "weighed"]

LEARNT: Mapping[str, float] = {
    "rise": 0.327,
    "flat": 0.1,
    "u_shape": 0.318,
    "inverse": 0.084,
    "inverted_u": 0.171,
}
"""Probability of each hypothesis of a task before its data."""


def prior_of(laws: Iterable[Law]) -> dict[str, float]:
    """Return the prior probability of laws, which several of one hypothesis share alike.

    Of k hypotheses each that is not among `LEARNT`, such as that of a law of one's own, has 1 / k;
    those that are share the rest as they were learnt.

    Parameters
    ----------
    laws
        Laws of one task.

    Returns
    -------
    dict
        By name of the law; they sum to 1.
    """
    hypothesis = {law.name: law.told for law in laws}
    every = list(hypothesis.values())
    names = set(every)
    known = sum(LEARNT[name] for name in names if name in LEARNT)
    share = sum(name in LEARNT for name in names) / len(names)
    of = {
        name: share * LEARNT[name] / known if name in LEARNT else 1 / len(names) for name in names
    }
    return {law: of[name] / every.count(name) for law, name in hypothesis.items()}


def weighed(
    fits: Mapping[str, Posterior], prior: Mapping[str, float], seed: int
) -> dict[str | None, Mixture]:
    """Return of each curve its laws, weighed by prior times evidence, as `shares` has it."""
    logs = {name: log_evidence(one, seed=seed) for name, one in fits.items()}
    first = next(iter(fits.values()))
    found = {}
    for curve in first.curves or (None,):
        own = {k: (one if isinstance(one, Evidence) else one[curve]).log for k, one in logs.items()}
        kept = shares(own, prior)
        parts = {k: fits[k] if curve is None else fits[k].curve(curve) for k in kept}
        found[curve] = mix(
            parts, kept, prior={k: prior[k] for k in kept}, why="evidence", belief=True
        )
    return found
