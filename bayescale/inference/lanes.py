"""Blocks of lanes that advance together, and the places to which their chains may jump."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..model.arrays import Batch
from .jumps import COMPONENTS, MOST, local
from .modes import Mode, Point
from .nuts import Lanes, begin

__all__ = ["Block", "divide", "remember"]


class Block(NamedTuple):
    """Lanes that advance together."""

    lanes: Lanes
    data: dict
    row: np.ndarray
    """Number of each lane's curve."""
    mesh: Mesh | None


def remember(block: Block, z: np.ndarray) -> Block:
    """Let the chains jump to places that the warm-up of their curve has seen, (lane, step, size).

    A mixture of normals about some of the draws (`local`) besides the modes: half of the
    proposals each. Nothing adapts afterwards.
    """
    old, size = jax.device_get(block.lanes.jumps), z.shape[2]
    active = jax.device_get(block.lanes.active)
    found = jax.tree.map(np.array, old)
    for curve in np.unique(block.row):
        mine = block.row == curve
        draws = z[mine & active].reshape(-1, size)
        if not len(draws) or not np.isfinite(draws).all():
            continue
        new = local(draws, COMPONENTS - MOST)
        total = np.logaddexp.reduce(old.log_weight[mine][0, :MOST])
        for name, values in new._asdict().items():
            getattr(found, name)[mine, MOST:] = values
        found.log_weight[mine, :MOST] -= total
    found = jax.tree.map(lambda leaf, like: leaf.astype(like.dtype), found, old)
    if block.mesh is not None:
        found = jax.device_put(found, NamedSharding(block.mesh, PartitionSpec("lanes")))
    return block._replace(lanes=block.lanes._replace(jumps=found))


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
        lanes = begin(
            np.uint32(seed),
            np.asarray(batch.curves, np.int32)[row],
            chain.astype(np.int32),
            at < count,
            np.stack([flat[i].z for i in index]),
            np.stack([flat[i].scale for i in index]),
            jax.tree.map(lambda leaf, row=row: leaf[row], jumps),
            points.z[row, chain],
            points.log_density[row, chain],
            points.gradient[row, chain] * -1.0,
        )
        data = jax.tree.map(lambda leaf, row=row: leaf[row], batch.data)
        if mesh is not None:
            lanes, data = jax.device_put((lanes, data), NamedSharding(mesh, PartitionSpec("lanes")))
        blocks.append(Block(lanes, data, row, mesh))
    return tuple(blocks)
