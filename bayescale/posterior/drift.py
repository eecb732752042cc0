"""Drift: models beyond the data may be better or worse than their scale says, all together.

A law is fitted to the models of its day. Later ones come of other data, recipes and families, and
their effective scale is off by a factor that they share: with it unsaid, forecasts of unlocks on
open tasks were too narrow (benchmarks/results/unlock.md). `with_drift` adds it to a fit: at scales
beyond the largest run, log x + drift stands for log x, drift ~ Normal(0, sd), one value a draw.
Model, data and draws stay as they are: a fit with a drift is compared and kept as any other.
Nothing in one table tells sd; the default is learnt from backtests on many tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from .mixture import Mixture
from .posterior import Drift, Posterior

__all__ = ["DRIFT", "drifted_inputs", "with_drift"]

DRIFT = 1.0
"""sd of the drift in log x: a factor of e in effective scale, .43 decades."""


def with_drift(
    which: Posterior | Mixture, sd: float = DRIFT, *, seed: int = 0
) -> Posterior | Mixture:
    """Return the posterior, or the mixture, with a drift of effective scale beyond the data.

    Questions take it as any other. Within the data nothing changes.

    Parameters
    ----------
    sd
        Of the drift, in log x; 0 returns what was given. It takes the place of an earlier one.
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
        return replace(which, parts=parts)
    law = which.law
    if len(law.inputs) != 1 or law.less_is_better or which.curves:
        raise ValueError(
            f"a drift is of the only scale of one curve, more being better; {law.name} has "
            f"{', '.join(law.inputs)}" + ", and several curves" * bool(which.curves)
        )
    edge = which.data.inputs[law.inputs[0]].max() * (1 + 1e-9)
    shape = next(iter(which.draws.values())).shape[:2]
    drift = sd * np.random.default_rng([seed, 6]).normal(size=shape)
    return replace(which, drift=Drift(sd, float(edge), drift))


def drifted_inputs(
    posterior: Posterior, inputs: Mapping[str, np.ndarray]
) -> dict[str, Float[np.ndarray, "draw point"]]:
    """Return the scales at which each draw's law is asked for what it says at `inputs`.

    The same for every draw where the posterior has no drift.

    Parameters
    ----------
    inputs
        Scales in natural units, (point,) or (draw, point) each.
    """
    lead = 1 if posterior.curves else 0
    chains, draws = next(iter(posterior.draws.values())).shape[lead : lead + 2]
    count = chains * draws
    found = {k: np.broadcast_to(x, (count, np.shape(x)[-1])) for k, x in inputs.items()}
    if posterior.drift is None:
        return found
    ((name, x),) = found.items()
    drift = posterior.drift.draws.reshape(-1, 1)
    return {name: np.where(x > posterior.drift.begins, x * np.exp(drift), x)}
