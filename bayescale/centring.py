"""Centring: coordinates in which the groups of a pooled fit are sampled well.

A group's parameter is link(value) + sd * e on its link's scale, e standard normal a priori. Where
the group's data pin it down, e follows value and sd closely, and the posterior of the three is a
funnel; where they say little, e depends on neither. How much they say is read off the curvature at
the mode: as normal data, seen with a precision p on the link's scale. For such data the
coordinates u and v of

    e = (seen - link(value)) p sd / (1 + p sd^2) + u / sqrt(1 + p sd^2)

and likewise of value given sd (`pooling`) are independent of each other and of sd. It is the same
posterior in other coordinates, whatever the data are. Without a precision they are the plain ones
(non-centred), with a large one the groups' own parameters (centred), and what lies between
(Papaspiliopoulos, Roberts and Skold 2007; Gorinova, Moore and Hoffman, arXiv 1906.03028).

Floor 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import jax
import numpy as np

from .batch import Batch
from .blocks import best_of
from .model import Model
from .pooling import Pinned, linked, unpinned
from .start import Mode, prior_sd

__all__ = ["centred", "standard"]


def centred(model: Model, batch: Batch, modes: list[list[Mode]]) -> tuple[Batch, list[list[Mode]]]:
    """Return the batch with what each curve's best mode sees, and the modes in its coordinates."""
    if not model.pool:
        return batch, modes
    lanes, moved = [], []
    for i, found in enumerate(modes):
        lane = jax.tree.map(lambda leaf, i=i: leaf[i], batch.data)
        lane |= {"pinned": _pinned(model, best_of(found, model), lane)}
        lanes.append(lane["pinned"])
        moved.append([_moved(model, mode, lane) for mode in found])
    pinned = jax.tree.map(lambda *leaves: np.stack(leaves), *lanes)
    return replace(batch, data=batch.data | {"pinned": pinned}), moved


def standard(model: Model, batch: Batch, z: np.ndarray) -> np.ndarray:
    """Return draws in the batch's coordinates, (curve, chain, draw, size), in the plain ones."""
    if not model.pool:
        return z
    plain = np.asarray(_unwarped(model, z.reshape(len(z), -1, model.size), batch.data), float)
    of_law = [site.name in model.warped for site in model.sites for _ in range(site.size)]
    return np.where(of_law, z, plain.reshape(z.shape))


@partial(jax.jit, static_argnames=("model",))
def _unwarped(model: Model, z, data):
    def one(z, data):
        return model.constrain(z, data)[2]

    return jax.vmap(jax.vmap(one, (0, None)))(z, data)


def _pinned(model: Model, mode: Mode, data: dict) -> dict[str, Pinned]:
    """Return what the data say of each group, from the curvature at a mode."""
    curvature = np.linalg.inv(mode.scale @ mode.scale.T)
    places = list(_places(model))
    # Of each group's parameters together, given all that groups share: (group, parameter).
    own = np.array([np.arange(model.size)[shifts] for _, _, shifts in places]).T
    variance = np.array([np.diag(np.linalg.inv(curvature[np.ix_(at, at)])) for at in own])
    prior, found = prior_sd(model) ** -2, {}
    for (name, at, _), of_data in zip(places, np.maximum(1 / variance - 1, 0).T, strict=True):
        link, slope, sd, e = jax.device_get(_linked(model, name, at, mode.z, data))
        precision = of_data / sd**2
        # At the mode the prior pulls by e / sd, the data by precision * (seen - parameter).
        away = sd * e + e / sd / np.maximum(precision, 1e-3)
        own_at, own_prior = (0.0, 1.0) if at is None else (mode.z[at], prior[at])
        seen_at = own_at + (away / slope if slope else 0 * away)
        found[name] = Pinned(link + away, precision, seen_at, slope, own_prior)
    return found


@partial(jax.jit, static_argnames=("model", "name", "at"))
def _linked(model: Model, name: str, at: int | None, z, data):
    """Return a pooled parameter on its link's scale, the slope of that in z, sd and e."""

    def link(z):
        values = model.constrain(z, data)[0]
        return linked(model.law, name, model.parameters(values, data)[name]), values

    (value, values), gradient = jax.value_and_grad(link, has_aux=True)(z)
    slope = 0.0 if at is None else gradient[at]
    return value, slope, values[f"{name}_sd"], values[f"{name}_shift"]


def _moved(model: Model, mode: Mode, data: dict) -> Mode:
    """Return a mode in the data's coordinates; its covariance by their slope there."""
    z, slope = (np.asarray(leaf, float) for leaf in _move(model, mode.z, data))
    log_density = mode.log_density - np.linalg.slogdet(slope)[1]
    return replace(mode, z=z, log_density=float(log_density), scale=slope @ mode.scale)


@partial(jax.jit, static_argnames=("model",))
def _move(model: Model, z, data):
    """Return plain z in the data's coordinates, and their slope."""
    plain = data | {"pinned": dict.fromkeys(model.pool, unpinned(model.groups))}

    def moved(z):
        values = model.constrain(z, plain)[0]
        for name, at, shifts in _places(model):
            middle, width = model.centre(f"{name}_shift", values, data)
            z = z.at[shifts].set((z[shifts] - middle) / width)
            if at is not None and name not in model.warped:
                middle, width = model.centre(name, values, data)
                z = z.at[at].set((z[at] - middle) / width)
        return z

    return moved(z), jax.jacfwd(moved)(z)


def _places(model: Model) -> Iterator[tuple[str, int | None, slice]]:
    """Yield of each pooled parameter its name, its place in z, and the places of its shifts.

    An amplitude has no coordinate of its own.
    """
    ends = np.cumsum([site.size for site in model.sites]).tolist()
    at = {s.name: slice(end - s.size, end) for s, end in zip(model.sites, ends, strict=True)}
    for name in model.pool:
        yield name, at[name].start if name in at else None, at[f"{name}_shift"]
