"""Blocks of lanes that advance together: how they are divided, and how they begin."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from blackjax.adaptation.step_size import DualAveragingAdaptationState
from blackjax.mcmc.hmc import HMCState
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..model.arrays import Batch
from .jumps import Jumps
from .modes import Mode, Point
from .nuts import WHOLE, Lanes

__all__ = ["Block", "divide", "with_lanes"]

FIRST = 0.7
"""Step size that the warm-up begins with."""


class Block(NamedTuple):
    """Lanes that advance together."""

    lanes: Lanes
    data: dict
    row: np.ndarray
    """Number of each lane's curve."""
    mesh: Mesh | None


def with_lanes(block: Block, lanes: Lanes) -> Block:
    """Return the block with other lanes, of the same types and on the same devices."""
    lanes = jax.tree.map(lambda leaf, like: np.asarray(leaf, like.dtype), lanes, block.lanes)
    if block.mesh is not None:
        lanes = jax.device_put(lanes, NamedSharding(block.mesh, PartitionSpec("lanes")))
    return block._replace(lanes=lanes)


def _begin(ids, active, modes: list[Mode], jumps: Jumps, at: Point) -> Lanes:
    """Return lanes that start at points; `at` has the gradient of the negative log density."""
    dtype, count = at.z.dtype, len(active)
    origin, scale = (np.stack([getattr(mode, k) for mode in modes]) for k in ("z", "scale"))
    unscale = np.linalg.inv(scale)
    state = HMCState(
        np.einsum("lij,lj->li", unscale, at.z - origin),
        at.log_density,
        -np.einsum("lji,lj->li", scale, at.gradient),
    )
    like = np.full(count, FIRST, dtype)
    averaging = DualAveragingAdaptationState(
        np.log(like), 0 * like, np.ones(count, np.int32), 0 * like, np.log(10 * like)
    )
    places = (np.isfinite(jumps.log_weight).sum(-1) > 1).astype(np.int32)
    moves = (places, np.zeros(count, np.int32), np.full(count, WHOLE, np.int32))
    real = (origin, scale, unscale, jumps, state, like, averaging, *moves)
    real = jax.tree.map(
        lambda leaf: np.asarray(leaf, dtype) if leaf.dtype.kind == "f" else leaf, real
    )
    return Lanes(*ids, active, *real)


def divide(batch: Batch, own: list[list[Mode]], jumps, points: Point, seed: int):
    """Return blocks of lanes with their data, over the mesh of all devices.

    On a CPU a block is the chains of a curve or few: one compiled program serves any number of
    curves. An accelerator takes all lanes at once, their number padded to a power of two.
    """
    curves, chains = points.log_density.shape
    devices = jax.devices()
    count = curves * chains
    size = max(4, 1 << ((count if jax.default_backend() != "cpu" else chains) - 1).bit_length())
    size = -(-size // len(devices)) * len(devices)
    flat = [mode for modes in own for mode in modes]
    mesh = Mesh(np.asarray(devices), ("lanes",)) if len(devices) > 1 else None
    blocks = []
    for first in range(0, count, size):
        at = np.arange(first, first + size)
        index = np.minimum(at, count - 1)
        row, chain = index // chains, index % chains
        start = jax.tree.map(lambda leaf, at=(row, chain): leaf[at], points)
        own_jumps = jax.tree.map(lambda leaf, row=row: leaf[row], jumps)
        curve = np.asarray(batch.keys, np.uint32)[row]
        ids = np.full(size, seed, np.uint32), curve, chain.astype(np.int32)
        modes = [flat[i] for i in index]
        lanes = _begin(ids, at < count, modes, own_jumps, start)
        data = jax.tree.map(lambda leaf, row=row: leaf[row], batch.data)
        if mesh is not None:
            lanes, data = jax.device_put((lanes, data), NamedSharding(mesh, PartitionSpec("lanes")))
        blocks.append(Block(lanes, data, row, mesh))
    return tuple(blocks)
