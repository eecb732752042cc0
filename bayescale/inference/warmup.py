"""What the draws of the warm-up teach the lanes: a scale, smaller steps, places to jump to."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np

from ..posterior.checks import DIVERGENT
from . import nuts
from .jumps import COMPONENTS, MOST, Jumps, local
from .lanes import Block, with_lanes

__all__ = ["WarmUp"]

STEPS = 200
"""A window of fewer does not tell how often trajectories diverge."""
RARER = 4
"""How many times rarer rejections become where trajectories diverge too often."""


class WarmUp:
    """The draws of the warm-up for as long as lanes learn from them."""

    def __init__(self, steps: int):
        self._steps = steps
        self._window: list[tuple[nuts.Draws, ...]] = []
        self._half: list[tuple[np.ndarray, ...]] = []  # z of the second half

    def learn(self, blocks: tuple[Block, ...], drawn, first: int, phase) -> tuple[Block, ...]:
        """Return the blocks as they go on after a chunk: `drawn` of each, (lane, step, ...)."""
        slow = (phase == nuts.SLOW) | (phase == nuts.WINDOW)
        late = (phase >= nuts.FAST) & (first + np.arange(len(phase)) >= self._steps / 2)
        if slow.any():
            self._window.append(tuple(jax.tree.map(lambda leaf: leaf[:, slow], drawn)))
        if late.any():
            self._half.append(tuple(each.z[:, late] for each in drawn))
        if (phase == nuts.WINDOW).any():
            window, self._window = _joined(self._window), []
            blocks = tuple(map(_after_window, blocks, window))
        if (phase == nuts.LAST).any():
            half, self._half = _joined(self._half), []
            blocks = tuple(map(remember, blocks, half))
        return blocks


def _joined(parts: list[tuple]) -> list:
    """Return what chunks have of each block, their steps behind one another."""
    behind = partial(jax.tree.map, lambda *leaves: np.concatenate(leaves, 1))
    return [behind(*each) for each in zip(*parts, strict=True)]


def _after_window(block: Block, drawn: nuts.Draws) -> Block:
    block = whiten(block, drawn.z)
    return careful(block, drawn.diverging) if drawn.z.shape[1] >= STEPS else block


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
    return with_lanes(block, block.lanes._replace(jumps=found))


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
    return with_lanes(block, lanes._replace(scale=scale, unscale=unscale, state=state))


def careful(block: Block, diverging: np.ndarray) -> Block:
    """Ask smaller steps of the chains of a curve that diverged too often, (lane, step)."""
    active, target = jax.device_get((block.lanes.active, block.lanes.target))
    target = np.array(target)
    for curve in np.unique(block.row):
        mine = block.row == curve
        if np.mean(diverging[mine & active]) > DIVERGENT:
            target[mine] = 1 - (1 - target[mine]) / RARER
    return with_lanes(block, block.lanes._replace(target=target))


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
