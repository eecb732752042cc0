"""Drift: models beyond the data may be better or worse than their scale says, all together.

A law is fitted to the models of its day. Later ones come of other data, recipes and families, and
their effective scale is off by a factor that they share: with it unsaid, forecasts of unlocks on
open tasks were too narrow (benchmarks/results/unlock.md). `with_drift` puts it into the draws: at
scales beyond the largest run, log x + drift stands for log x, drift ~ Normal(0, sd), one value a
draw. Nothing in one table tells sd; the default is learnt from backtests on many tasks.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import jax.numpy as jnp
import numpy as np

from ..model.model import Model
from ..parametric.parametric import Law
from ..parametric.priors import real
from .mixture import Mixture, mix
from .posterior import Posterior

__all__ = ["DRIFT", "with_drift"]

DRIFT = 1.0
"""sd of the drift in log x: a factor of e in effective scale, .43 decades."""


@cache
def _drifting(law: Law) -> Law:
    """Return the law whose only scale is off by `drift` beyond `edge`; as any law, unfitted."""

    def formula(x, *, drift, edge, **params):
        return law.fn(jnp.where(x > edge, x * jnp.exp(drift), x), **params)

    own = (("drift", real(-1, 1)), ("edge", real(0, 1)))
    return replace(law, fn=formula, priors=(*law.priors, *own))


def with_drift(
    which: Posterior | Mixture, sd: float = DRIFT, *, seed: int = 0
) -> Posterior | Mixture:
    """Return the posterior, or the mixture, with a drift of effective scale beyond the data.

    Questions take it as any other. Within the data nothing changes.

    Parameters
    ----------
    sd
        Of the drift, in log x; 0 returns what was given.
    seed
        Decides the drifts.

    Returns
    -------
    Posterior or Mixture
        As was given, its forecasts beyond the data wider.

    Raises
    ------
    ValueError
        If sd is negative, or the law has several scales, or one of which less is better.

    Examples
    --------
    >>> wider = bs.with_drift(sigmoid_fit, seed=1)
    >>> sure, unsure = (bs.threshold(fit, 0.9).forecast for fit in (sigmoid_fit, wider))
    >>> unsure.hi >= sure.hi
    True
    """
    if not 0 <= sd < np.inf:
        raise ValueError(f"a drift has an sd of 0 or more, got {sd}")
    if sd == 0:
        return which
    if isinstance(which, Mixture):
        parts = {name: with_drift(part, sd, seed=seed) for name, part in which.parts.items()}
        return mix(parts, which.weights, prior=which.prior, why=which.why)
    law = which.law
    if len(law.inputs) != 1 or law.less_is_better or which.curves:
        raise ValueError(
            f"a drift is of the only scale of one curve, more being better; {law.name} has "
            f"{', '.join(law.inputs)}" + ", and several curves" * bool(which.curves)
        )
    edge = which.data.inputs[law.inputs[0]].max() * (1 + 1e-9)
    shape = next(iter(which.draws.values())).shape[:2]
    drift = sd * np.random.default_rng([seed, 6]).normal(size=shape)
    model = Model(_drifting(law), which.model.noise, which.model.further)
    draws = dict(which.draws) | {"drift": drift, "edge": np.full(shape, edge)}
    notes = (*which.data.notes, f"with a drift of sd {sd:g} in log scale beyond the data")
    return replace(which, model=model, draws=draws, data=replace(which.data, notes=notes))
