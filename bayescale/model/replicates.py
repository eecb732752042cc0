"""replicates: new runs from a noise, and curves from a law's prior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpyro.distributions import Distribution

from ..data.dataset import Dataset
from .arrays import lane_of
from .model import Model
from .programs import by_blocks, compiled
from .runs import sample_runs
from .sampling import sample, sample_each

__all__ = ["AtRows", "new_runs", "prior_curves", "sample_sites"]


@compiled(static_argnames=("model",))
def _at_rows(model, params, data):
    def one(params):
        along = None if model.runs is None else model.along(params, data)
        return model.curves(params, data), model.scatters(params, data), along

    return jax.vmap(one)(params)


class AtRows(NamedTuple):
    """What draws of the parameters say of each row that is there."""

    model: Model
    data: Mapping[str, Any]
    """The curve's arrays, scales in natural units."""
    curves: Mapping[str, np.ndarray]
    """The law, by response, (draw, row)."""
    scatters: Mapping[str, Distribution]
    """What is observed of each response."""
    along: tuple[Any, Any] | None
    """How rows of one run depend on each other; None of independent rows."""

    @classmethod
    def of(cls, model: Model, params: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> AtRows:
        """Return what draws in natural units, (draw, ...), say of the rows of one curve."""
        with jax.enable_x64(True):
            found = by_blocks(lambda each: _at_rows(model, each, dict(data)), dict(params))
        return cls(model, data, *found)

    def new_runs(self, name: str, rng: np.random.Generator) -> np.ndarray:
        """Return new runs in the place of the rows, (draw, row); of counts their share of n."""
        with jax.enable_x64(True):
            if self.along is None:
                drawn = sample_each(self.scatters[name], rng)
            else:
                drawn = sample_runs(self.scatters[name], self.data, *self.along, rng)
        counted = self.model.noise.counts and name == self.model.law.response
        return drawn / self.data["n"] if counted else drawn


@compiled(level=0, static_argnames=("model",))
def _scatter(model: Model, params, own, columns):
    return jax.vmap(lambda params, own: model.scatter(params, columns | own))(params, own)


def new_runs(
    model: Model,
    params: Mapping[str, np.ndarray],
    columns: Mapping[str, Any],
    rng: np.random.Generator,
) -> Float[np.ndarray, "draw row"]:
    """Return what a new run would measure, for every draw and row; of counts their share of n.

    Parameters
    ----------
    params
        Draws of all parameters in natural units, (draw, ...).
    columns
        `inputs` by name and `stderr`, (row,) or, where each draw has its own, (draw, row); where
        the model needs them `n` and `group`, (row,).
    """
    shape = (len(next(iter(params.values()))), np.shape(columns["stderr"])[-1])
    own = {name: columns[name] for name in ("inputs", "stderr")}
    own = jax.tree.map(lambda x: np.broadcast_to(x, shape), own)
    rest = {name: values for name, values in columns.items() if name not in own}
    with jax.enable_x64(True):
        scatter = by_blocks(lambda each: _scatter(model, *each, rest), (dict(params), own))
        found = sample_each(scatter, rng)
    return found / columns["n"] if model.noise.counts else found


def sample_sites(model: Model, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Return draws of the prior of each site, (draw, ...), and of the bends of a law's misfit."""
    found = {site.name: sample(site.prior, rng, count) for site in model.sites}
    if model.law.wander is not None:
        found["bends"] = rng.normal(size=(count, *model.law.shape("bends")))
    return found


@compiled(level=0, static_argnames=("model", "groups"))
def _prior_curves(model: Model, values, lane, scales, groups):
    inputs = [scales[name] for name in model.law.inputs]

    def one(values):
        params = model.parameters(values, lane)
        average = {name: params[name] for name in model.law.parameters}
        each = [average if i is None else model.of_rows(params, {"group": i}) for i in groups]
        return jnp.stack([model.law.at(*inputs, **of) for of in each])

    return jax.vmap(one)(values)


def prior_curves(
    model: Model,
    data: Dataset,
    at: Mapping[str, np.ndarray],
    draws: int,
    rng: np.random.Generator,
    groups: tuple[int | None, ...] = (None,),
) -> Float[np.ndarray, "draw group point"]:
    """Return the law under draws of its prior, which the scales of the data decide with.

    Parameters
    ----------
    at
        Scales in natural units, (point,) each.
    groups
        Positions of the groups; None is the average one.
    """
    with jax.enable_x64(True):
        lane = lane_of(model, data)
        values = sample_sites(model, rng, draws)
        scales = {name: x / lane["ref"][name] for name, x in at.items()}
        return np.asarray(_prior_curves(model, values, lane, scales, groups), float)
