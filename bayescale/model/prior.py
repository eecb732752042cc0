"""prior: parameters, curves and runs before the data, at the rows of one curve."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from .model import Model
from .sampling import sample, sample_each

__all__ = ["Before", "before"]


class Before(NamedTuple):
    """Draws of the prior, (draw, ...) each."""

    parameters: dict[str, np.ndarray]
    """In natural units."""
    curves: dict[str, np.ndarray]
    """By response: what the law says at the rows, (draw, row)."""
    runs: dict[str, np.ndarray]
    """By response: a run at each row, (draw, row)."""
    along: np.ndarray
    """What the law says of `response` at further points, (draw, point)."""


@partial(jax.jit, static_argnames=("model",))
def _before(model: Model, values, lane, points):
    def one(values):
        params = model.parameters(values, lane)
        natural = {name: params[name] * model.unit(name, params, lane) for name in model.names}
        seen = model.as_the_law_takes(params, lane)
        average, data = model.as_the_law_takes(params, lane | {"inputs": points})
        inputs = (data["inputs"][name] for name in model.law.inputs)
        along = model.law.at(*inputs, **{name: average[name] for name in model.law.parameters})
        return natural, model.curves(*seen), along, model.scatters(*seen)

    return jax.vmap(one)(values)


def before(
    model: Model,
    lane: Mapping[str, Any],
    rows: int,
    draws: int,
    rng: np.random.Generator,
    points: Mapping[str, np.ndarray] | None = None,
) -> Before:
    """Return draws of the prior at the rows of one curve, and at `points` in natural units.

    Parameters
    ----------
    lane
        The curve's arrays, as `arrays.pack` lays them out.
    rows
        How many of them are no padding.
    """
    points = {name: np.empty(0) for name in model.law.inputs} if points is None else points
    with jax.enable_x64(True):
        points = {name: np.asarray(x, float) / lane["ref"][name] for name, x in points.items()}
        values = {site.name: sample(site.prior, rng, draws) for site in model.sites}
        *found, scatters = _before(model, values, dict(lane), points)
        runs = {name: sample_each(scatter, rng) for name, scatter in scatters.items()}
    if model.noise.counts:
        runs[model.law.response] /= lane["n"]
    found = jax.tree.map(lambda leaf: np.asarray(leaf, float), jax.device_get(found))
    parameters, curves, along = found
    parts = ({name: values[:, :rows] for name, values in part.items()} for part in (curves, runs))
    return Before(parameters, *parts, along)
