"""hypotheses: how probable each hypothesis is of a task before its data, learnt from open tasks.

Laws tell hypotheses (`law.hypothesis`): that accuracy rises, that nothing happens, that it falls
and recovers, falls, or rises and falls. Evidence cannot learn how probable they are: a distractor
whose rise is still to come tells a task on which nothing has happened as well as `flat` does. What
came later can. Tasks were cut at quantiles of their scale; with the evidence Z_ih of hypothesis h
below cut i, W_ih = pi_h Z_ih / sum_k pi_k Z_ik, and p_ih what h says of what came, pi maximises

    sum_f mean_{i in f} s_i(pi) + sum_h log pi_h,    s_i: the mean of log sum_h W_ih p_ih

over the later accuracies, and over the scales at which levels were passed, each family f of tasks
(prompts, digits, tables of one task) counting once. How that fares on families left out:
benchmarks/results/unlocks_ahead.md.

They are of laws, not of kinds: which kind a task is of is decided by draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..comparison.evidence import Evidence, log_evidence, shares
from ..parametric.parametric import Law
from ..posterior.mixture import Mixture, mix
from ..posterior.posterior import Posterior

__all__ = ["LEARNT", "prior_of", "weighed"]

LEARNT: Mapping[str, float] = {
    "rise": 0.282,
    "flat": 0.272,
    "u_shape": 0.087,
    "inverse": 0.231,
    "inverted_u": 0.128,
}
"""Probability of each hypothesis of a task before its data."""


def prior_of(laws: Iterable[Law], learnt: Mapping[str, float] = LEARNT) -> dict[str, float]:
    """Return the prior probability of laws, which several of one hypothesis share alike.

    Of k hypotheses each that is not among `learnt`, such as that of a law of one's own, has 1 / k;
    those that are share the rest as they were learnt.

    Parameters
    ----------
    laws
        Laws of one task.
    learnt
        Probability of hypotheses.

    Returns
    -------
    dict
        By name of the law; they sum to 1.
    """
    hypothesis = {law.name: law.told for law in laws}
    every = list(hypothesis.values())
    names = set(every)
    known = sum(learnt[name] for name in names if name in learnt)
    share = sum(name in learnt for name in names) / len(names)
    of = {
        name: share * learnt[name] / known if name in learnt else 1 / len(names) for name in names
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
