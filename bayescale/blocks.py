"""Blocks of lanes that advance together, and the places to which their chains may jump.

Floor 5.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from . import sample
from .model.arrays import Batch
from .model.model import Model
from .start import Mode, Point

__all__ = ["Block", "best_of", "competing", "divide", "remember"]

COMPETING, MOST = 12.0, 6
"""Chains may jump between modes within so many nats of the best, to so many at most."""
COMPONENTS = MOST + 58
"""Of the proposals of jumps: modes, and places that the warm-up has seen."""


def competing(modes: list[list[Mode]], model: Model) -> sample.Jumps:
    """Return each curve's modes for jumps, (curve, component, ...); one alone is never left."""
    rows = []
    for found in modes:
        best = best_of(found, model)
        rows.append([m for m in found if m.log_evidence > best.log_evidence - COMPETING][:MOST])
        rows[-1] = rows[-1] or [best]
    # Half the difference in evidence: light modes are tried more often than they are right, for
    # Laplace's evidence may be wrong.
    weight = np.full((len(rows), COMPONENTS), -np.inf)
    for i, row in enumerate(rows):
        weight[i, : len(row)] = [0.5 * (m.log_evidence - row[0].log_evidence) for m in row]
    padded = [row + [row[0]] * (COMPONENTS - len(row)) for row in rows]
    centre = np.array([[m.z for m in row] for row in padded])
    return _jumps(centre, np.array([[m.scale for m in row] for row in padded]), weight)


def _jumps(centre: np.ndarray, root: np.ndarray, log_weight: np.ndarray) -> sample.Jumps:
    unroot = np.linalg.inv(root)
    return sample.Jumps(centre, root, unroot, np.linalg.slogdet(unroot)[1], log_weight)


class Block(NamedTuple):
    """Lanes that advance together."""

    lanes: sample.Lanes
    data: dict
    row: np.ndarray
    """Number of each lane's curve."""
    mesh: Mesh | None


def remember(block: Block, z: np.ndarray) -> Block:
    """Let the chains jump to places that the warm-up of their curve has seen, (lane, step, size).

    A mixture of normals about some of the draws (`_local`) besides the modes: half of the
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
        new = _local(draws, COMPONENTS - MOST)
        total = np.logaddexp.reduce(old.log_weight[mine][0, :MOST])
        for name, values in new._asdict().items():
            getattr(found, name)[mine, MOST:] = values
        found.log_weight[mine, :MOST] -= total
    found = jax.tree.map(lambda leaf, like: leaf.astype(like.dtype), found, old)
    if block.mesh is not None:
        found = jax.device_put(found, NamedSharding(block.mesh, PartitionSpec("lanes")))
    return block._replace(lanes=block.lanes._replace(jumps=found))


NEAREST = 0.15
"""Share of the draws that shape a component."""


def _local(draws: np.ndarray, count: int) -> sample.Jumps:
    """Return normal components about some draws, each as wide as the draws nearest to it."""
    size = draws.shape[1]
    covariance = np.cov(draws.T).reshape(size, size)
    covariance += 1e-12 * np.trace(covariance) * np.eye(size) + 1e-20 * np.eye(size)
    round_ = np.linalg.solve(np.linalg.cholesky(covariance), draws.T).T
    picked = np.linspace(0, len(draws) - 1, count).astype(int)
    least = int(max(2 * size, NEAREST * len(draws)))
    roots = []
    for at in picked:
        near = np.argsort(((round_ - round_[at]) ** 2).sum(1))[:least]
        local = np.cov(draws[near].T).reshape(size, size) + 1e-3 * covariance
        roots.append(np.linalg.cholesky(local))
    return _jumps(draws[picked], np.array(roots), np.full(count, -np.log(count)))


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
        lanes = sample.begin(
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


def best_of(modes: list[Mode], model: Model) -> Mode:
    """Return the heaviest mode; where no start had a finite density, the origin, marked so."""
    if modes:
        return modes[0]
    return Mode(np.zeros(model.size), -np.inf, np.eye(model.size), -np.inf)
