"""prior: parameters, curves and runs before the data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from ..data.dataset import Dataset
from ..messages import a_seed
from .arrays import lanes
from .model import Model
from .programs import by_blocks, compiled
from .replicates import sample_sites
from .runs import sample_runs
from .sampling import sample_each

__all__ = ["Before", "before"]


class Before(NamedTuple):
    """Draws of the prior."""

    parameters: dict[str, np.ndarray]
    """In natural units, ([curve,] draw, ...)."""
    curves: dict[str, np.ndarray]
    """By response: what the law says at each row of the data, (draw, row)."""
    runs: dict[str, np.ndarray]
    """By response: a run at each row, (draw, row)."""
    along: np.ndarray
    """What the law says of `response` at further points, ([curve,] draw, point)."""


@compiled(level=0, static_argnames=("model",))
def _before(model: Model, values, lane, points):
    def one(values):
        params = model.parameters(values, lane)
        natural = {name: params[name] * model.unit(name, params, lane) for name in model.names}
        seen = model.as_the_law_takes(params, lane)
        average, data = model.as_the_law_takes(params, lane | {"inputs": points})
        inputs = (data["inputs"][name] for name in model.law.inputs)
        along = model.law.at(*inputs, **{name: average[name] for name in model.law.parameters})
        runs = None if model.runs is None else model.along(*seen)
        return natural, along, runs, model.curves(*seen), model.scatters(*seen)

    return jax.vmap(one)(values)


def before(
    model: Model,
    data: Dataset,
    draws: int,
    *,
    seed: int = 0,
    points: Mapping[str, np.ndarray] | None = None,
) -> Before:
    """Return draws of the prior at the rows of the data, each under its own curve and group.

    Parameters
    ----------
    points
        Further scales, in natural units, at which the law is asked for.
    """
    points = points or {name: np.empty(0) for name in model.law.inputs}
    curves, runs = ({k: np.empty((draws, len(data))) for k in model.law.responses} for _ in "cr")
    found: dict[int, tuple] = {}
    with jax.enable_x64(True):
        for curve, own, place, lane in lanes(model, data):
            rng = np.random.default_rng([a_seed(seed), 12, curve])
            values = sample_sites(model, rng, draws)
            relative = {k: np.asarray(x, float) / lane["ref"][k] for k, x in points.items()}
            told = by_blocks(partial(_before, model, lane=lane, points=relative), values)
            *found[curve], along, said, scatters = told
            for name, scatter in scatters.items():
                counted = model.noise.counts and name == model.law.response
                if along is None:
                    drawn = sample_each(scatter, rng)
                else:
                    drawn = sample_runs(scatter, lane, *along, rng)
                runs[name][:, own] = (drawn / (lane["n"] if counted else 1.0))[:, place]
                curves[name][:, own] = np.asarray(said[name], float)[:, place]
    order = [found[curve] for curve in sorted(found)]
    parameters, along = jax.tree.map(lambda *each: np.stack(each).astype(float), *order)
    if data.curve is None:
        parameters, along = {name: values[0] for name, values in parameters.items()}, along[0]
    return Before(parameters, curves, runs, along)
