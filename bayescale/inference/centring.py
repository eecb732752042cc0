"""Centring: coordinates in which the groups of a pooled fit are sampled well.

A group's parameter is link(value) + sd * e on its link's scale, e standard normal a priori. Where
the group's data pin it down, e follows value and sd closely, and the posterior of the three is a
funnel; where they say little, e depends on neither. How much they say is read off the curvature at
the mode, as if the data were normal: the parameter is seen with a precision p. For normal data

    e = (seen - link(value)) p sd / (1 + p sd^2) + u / sqrt(1 + p sd^2)

has a u that is standard normal whatever value and sd are; the coordinate of value is likewise
centred and scaled given sd (`pooling`). It is the same posterior in other coordinates, whatever
the data are: the plain ones without a precision (non-centred), the groups' own parameters with a
large one (centred), and what lies between (Papaspiliopoulos, Roberts and Skold 2007; Gorinova,
Moore and Hoffman, arXiv 1906.03028).
"""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np

from ..model.arrays import Batch
from ..model.model import Model
from ..model.pooling import Pinned, linked
from ..model.programs import compiled
from .modes import Mode, best_of, polish, prior_moments

__all__ = ["centred", "standard"]


def centred(model: Model, batch: Batch, modes: list[list[Mode]]) -> tuple[Batch, list[list[Mode]]]:
    """Return the batch with what each curve's best mode sees, and modes in those coordinates."""
    if not model.pool:
        return batch, modes
    moments, most = prior_moments(model), max(map(len, modes))
    seen, starts = [], []
    for i, found in enumerate(modes):
        lane = jax.tree.map(lambda leaf, i=i: leaf[i], batch.data)
        best = best_of(found, model)
        seen.append(_pinned(model, best, lane, *moments))
        padded = found + [best] * (max(most, 1) - len(found))
        starts.append([np.asarray(_moved(model, mode.z, lane, seen[i]), float) for mode in padded])
    data = batch.data | {"pinned": jax.tree.map(lambda *leaves: np.stack(leaves), *seen)}
    return replace(batch, data=data), polish(model, np.array(starts), data)


def standard(model: Model, batch: Batch, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return draws (curve, chain, draw, size) as they are where nothing is pinned.

    And the log density that each loses by the change.
    """
    if not model.pool:
        return z, np.zeros(())
    flat, lost = jax.device_get(_unpinned(model, z.reshape(len(z), -1, model.size), batch.data))
    return flat.astype(z.dtype).reshape(z.shape), lost.reshape(z.shape[:-1])


@compiled(level=0, static_argnames=("model",))
def _unpinned(model: Model, z, data):
    return jax.vmap(jax.vmap(model.unpinned, (0, None)))(z, data)


def _pinned(model: Model, mode: Mode, data: dict, mean, sd) -> dict[str, Pinned]:
    """Return what the data say of each group, from the curvature at a mode."""
    curvature = np.linalg.inv(mode.scale @ mode.scale.T)
    shifts = [model.places[f"{name}_shift"] for name in model.pool]
    # Of each group's parameters together, given all that groups share: (group, parameter).
    own = np.array([np.arange(model.size)[at] for at in shifts]).T
    variance = np.array([np.diag(np.linalg.inv(curvature[np.ix_(at, at)])) for at in own])
    links, found = jax.device_get(_linked(model, mode.z, data)), {}
    for name, of_data in zip(model.pool, np.maximum(1 / variance - 1, 0.0).T, strict=True):
        value, gradient, spread, e = links[name]
        precision = of_data / spread**2
        # At the mode the prior pulls by e / sd, the data by precision * (seen - parameter).
        away = spread * e + e / spread / np.maximum(precision, 1e-3)
        found[name] = Pinned(value + away, precision, away, slope=0.0, mean=0.0, prior=1.0)
        if name in model.places:  # an amplitude has no coordinate of its own
            at = model.places[name].start
            found[name] = found[name]._replace(
                straight=gradient[at] * mode.z[at] + away,
                slope=gradient[at],
                mean=mean[at],
                prior=sd[at] ** -2,
            )
    return found


@compiled(level=0, static_argnames=("model",))
def _linked(model: Model, z, data):
    """Return each pooled parameter on its link's scale, the gradient of that, sd and e."""

    def link(z):
        values = model.constrain(z, data)[0]
        known = model.parameters(values, data)
        found = {name: linked(model.law, name, known[name]) for name in model.pool}
        return found, (found, values)

    slopes, (found, values) = jax.jacfwd(link, has_aux=True)(z)
    return {
        name: (found[name], slopes[name], values[f"{name}_sd"], values[f"{name}_shift"])
        for name in model.pool
    }


@compiled(level=0, static_argnames=("model",))
def _moved(model: Model, z, data, pinned):
    """Return z, of data in which nothing is pinned, in the coordinates of what is."""
    values = model.constrain(z, data)[0]
    for site, at in model.places.items():
        pin = model.pin(site, values, data | {"pinned": pinned})
        if pin is not None:
            middle, width = pin
            z = z.at[at].set((z[at] - middle) / width)
    return z
