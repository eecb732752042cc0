"""Blocks of lanes that advance together, and the places to which their chains may jump."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from blackjax.adaptation.step_size import DualAveragingAdaptationState
from blackjax.mcmc.hmc import HMCState
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..model.arrays import Batch
from .jumps import COMPONENTS, MOST, Jumps, local
from .modes import Mode, Point
from .nuts import Lanes

__all__ = ["Block", "divide", "remember", "whiten"]

FIRST = 0.7
"""Step size that the warm-up begins with."""


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
    return _with(block, block.lanes._replace(jumps=found))


def whiten(block: Block, z: np.ndarray) -> Block:
    """Make the covariance of a window's draws, (lane, step, size), part of the scale.

    u is round again: the same moves as with a dense metric, without the root of one at every step.
    """
    lanes = jax.device_get(block.lanes)
    scale, unscale, state = np.array(lanes.scale), np.array(lanes.unscale), lanes.state
    position, gradient = np.array(state.position), np.array(state.logdensity_grad)
    for i in np.flatnonzero(lanes.active):
        away = _within_modes(jax.tree.map(lambda leaf, i=i: leaf[i], lanes.jumps), z[i])
        root = _root(away @ unscale[i].T)
        if root is not None:
            scale[i] = scale[i] @ root
            unscale[i] = np.linalg.solve(root, unscale[i])
            position[i] = np.linalg.solve(root, position[i])
            gradient[i] = root.T @ gradient[i]
    state = state._replace(position=position, logdensity_grad=gradient)
    return _with(block, lanes._replace(scale=scale, unscale=unscale, state=state))


def _within_modes(jumps: Jumps, z: np.ndarray) -> np.ndarray:
    """Return draws, (step, size), relative to the mode that each belongs to.

    Between modes far apart the covariance says nothing of the shape that a trajectory meets.
    """
    real = np.isfinite(jumps.log_weight)
    away = z[:, None] - jumps.centre[real]
    squares = np.sum(np.einsum("mij,smj->smi", jumps.unroot[real], away) ** 2, -1)
    nearest = np.argmax(jumps.log_volume[real] - squares / 2, -1)
    return away[np.arange(len(z)), nearest]


def _root(draws: np.ndarray) -> np.ndarray | None:
    """Return the root of the covariance, shrunk as Stan does; None where there is none."""
    count, size = draws.shape
    if count < 2 or not np.isfinite(draws).all():
        return None
    covariance = np.cov(draws.T, ddof=1).reshape(size, size)
    shrunk = (count * covariance + 5e-3 * np.eye(size)) / (count + 5)
    try:
        return np.linalg.cholesky(shrunk)
    except np.linalg.LinAlgError:
        return None


def _with(block: Block, lanes: Lanes) -> Block:
    """Return the block with other lanes, of the same types and on the same devices."""
    lanes = jax.tree.map(lambda leaf, like: np.asarray(leaf, like.dtype), lanes, block.lanes)
    if block.mesh is not None:
        lanes = jax.device_put(lanes, NamedSharding(block.mesh, PartitionSpec("lanes")))
    return block._replace(lanes=lanes)


def _begin(seed: int, curve, chain, active, modes: list[Mode], jumps: Jumps, at: Point) -> Lanes:
    """Return lanes that start at points; `at` has the gradient of the negative log density."""
    dtype, count = at.z.dtype, len(curve)
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
    real = (origin, scale, unscale, jumps, state, like, averaging)
    real = jax.tree.map(
        lambda leaf: np.asarray(leaf, dtype) if leaf.dtype.kind == "f" else leaf, real
    )
    ids = np.full(count, seed, np.uint32), curve.astype(np.uint32), chain.astype(np.int32)
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
        curve = np.asarray(batch.keys)[row]
        modes = [flat[i] for i in index]
        lanes = _begin(seed, curve, chain, at < count, modes, own_jumps, start)
        data = jax.tree.map(lambda leaf, row=row: leaf[row], batch.data)
        if mesh is not None:
            lanes, data = jax.device_put((lanes, data), NamedSharding(mesh, PartitionSpec("lanes")))
        blocks.append(Block(lanes, data, row, mesh))
    return tuple(blocks)
