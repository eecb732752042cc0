"""hypotheses: how probable each hypothesis is of a task before its data.

Laws tell hypotheses (`law.hypothesis`): that accuracy rises, that nothing happens, that it falls
and recovers, falls, or rises and falls. Each is as probable as any other, and laws that tell the
same share its probability, so that a variant more is no vote more.

Other priors were tried and are not better. Learnt from the evidence of whole tasks every third
task was a U-shape, and too much was promised beyond cuts: where nothing has happened yet a U-shape
whose rise is to come is told as well as `flat`. Learnt from what came beyond cuts, U-shapes are
rare: that hardly foretells more than the equal one on tasks left out, and misses U-shapes that are
there (benchmarks/results/unlocks_ahead.md, kinds.md).

They are of laws, not of kinds: which kind a task is of is decided by draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..comparison.evidence import Evidence, log_evidence, shares
from ..parametric.parametric import Law
from ..posterior.mixture import Mixture, mix
from ..posterior.posterior import Posterior

__all__ = ["prior_of", "weighed"]


def prior_of(laws: Iterable[Law]) -> dict[str, float]:
    """Return the prior probability of laws: 1 / (k m) of k hypotheses, m laws telling the same.

    Parameters
    ----------
    laws
        Laws of one task. One that names no hypothesis, such as one's own, is one of its own.

    Returns
    -------
    dict
        By name of the law; they sum to 1.
    """
    told = {law.name: law.told for law in laws}
    every = list(told.values())
    return {law: 1 / (len(set(every)) * every.count(name)) for law, name in told.items()}


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
