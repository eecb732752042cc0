"""The draws of a fit at given points: the law, the log density of runs, and new runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
import numpy as np
from jaxtyping import Float

from ..model.arrays import pack
from ..model.evaluate import at_own, law_at
from ..model.replicates import columns_of, new_runs
from .drift import drifted_inputs
from .posterior import Posterior

__all__ = ["law_draws", "log_likelihood", "replicate"]


def law_draws(
    posterior: Posterior, at: Mapping[str, np.ndarray]
) -> Float[np.ndarray, "*curve draw point"]:
    """Return the law for every draw, chains joined; beyond the data with the fit's drift.

    Parameters
    ----------
    at
        Scales in natural units, (point,) of every input.
    """
    law, flat = posterior.law, posterior.flat()
    if posterior.drift is not None:
        params = {name: flat[name] for name in law.parameters}
        return at_own(law, params, drifted_inputs(posterior, at))
    # With a chain of all draws, and a curve where there is none.
    lead = (slice(None), None) if posterior.curves else (None, None)
    draws = {name: flat[name][lead] for name in law.parameters}
    curves = next(iter(draws.values())).shape[0]
    found = law_at(law, draws, {name: np.tile(x, (curves, 1)) for name, x in at.items()})[:, 0]
    return found if posterior.curves else found[0]


@partial(jax.jit, static_argnames=("model",))
def _rows(model, params, data):
    return jax.vmap(model.log_likelihoods, (0, None))(params, data)


def log_likelihood(posterior: Posterior, response: str | None = None) -> np.ndarray:
    """Return the log density of each row under its own curve, (chain, draw, row).

    Of all that was measured in the row, or of one response of a law of several.
    """
    model, data, names = posterior.model, posterior.data, posterior.curves
    draws = posterior.draws if names else {k: v[None] for k, v in posterior.draws.items()}
    lead = next(iter(draws.values())).shape[1:3]
    found = np.empty((*lead, len(data)))
    with jax.enable_x64(True):
        for batch in pack(model, data):
            for row, curve in enumerate(batch.curves):
                lane = jax.tree.map(lambda leaf, row=row: leaf[row], batch.data)
                # Draws are in natural units, so the scales must be too.
                lane["inputs"] = {k: v * lane["ref"][k] for k, v in lane["inputs"].items()}
                params = {k: v[curve].reshape(-1, *v.shape[3:]) for k, v in draws.items()}
                own = data.curve == names[curve] if names else np.ones(len(data), bool)
                parts = _rows(model, params, lane)
                values = sum(parts.values()) if response is None else parts[response]
                found[:, :, own] = np.asarray(values)[:, : own.sum()].reshape(*lead, -1)
    return found


def replicate(posterior: Posterior, count: int, *, seed: int = 0) -> np.ndarray:
    """Return new responses at the scales of the data, one set a draw, (count, row).

    Of a posterior of one curve; draws are taken evenly from all chains. Of a pooled fit each row
    is of its own group.

    Returns
    -------
    array
        New responses, (count, row).

    Examples
    --------
    >>> new = bs.replicate(power_fit, 50, seed=1)
    >>> new.shape == (50, len(power_fit.data))
    True
    """
    model, flat = posterior.model, posterior.only().flat()
    total = next(iter(flat.values())).shape[0]
    at = np.linspace(0, total - 1, count).astype(int)
    keys = jax.random.split(jax.random.key(seed), count)
    params = {name: values[at] for name, values in flat.items()}
    return new_runs(model, params, columns_of(model, posterior.data), keys)
