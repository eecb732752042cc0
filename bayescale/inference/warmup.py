"""What the first draws teach the lanes: a scale, places to jump to, smaller steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import numpy as np

from . import nuts
from .jumps import MOST, SMALL, Jumps, local
from .lanes import Block, with_lanes

__all__ = ["WarmUp", "carefully"]

LONG = {nuts.WHOLE: 24.0, nuts.SHORTER: 14.0}
"""Most doublings of trajectories -> leapfrogs a draw from which on they are long: jumps to places
of the warm-up are tried within it."""
LEARNT = 25
"""Draws of a chain in a window from which on they are."""
TRIED, PLACES = 6, 32
"""Places that are offered at first, and most of them."""
OFTEN, SELDOM = 0.6, 0.2
"""Share of draws that are to jump: as many places are offered. Where PLACES do not reach it
trajectories stay somewhat longer; where they do not reach SELDOM, jumps are no help."""
HALVINGS = 3
"""How often steps are halved where trajectories diverge."""


class WarmUp:
    """The draws of the warm-up for as long as lanes learn from them."""

    def __init__(self, steps: int):
        self._steps = steps
        self._window: list[tuple[np.ndarray, ...]] = []  # z since the last window's end
        self._lengths: list[tuple[np.ndarray, ...]] = []  # leapfrogs of these
        self._half: list[tuple[np.ndarray, ...]] = []  # z of the second half

    def learn(self, blocks: tuple[Block, ...], drawn, first: int, phase) -> tuple[Block, ...]:
        """Return the blocks as they go on after a chunk: `drawn` of each, (lane, step, ...)."""
        slow = (phase == nuts.SLOW) | (phase == nuts.WINDOW)
        late = (phase >= nuts.FAST) & (first + np.arange(len(phase)) >= self._steps / 2)
        if slow.any():
            self._window.append(tuple(each.z[:, slow] for each in drawn))
            self._lengths.append(tuple(each.n_steps[:, slow] for each in drawn))
        if late.any():
            self._half.append(tuple(each.z[:, late] for each in drawn))
        if (phase == nuts.WINDOW).any():
            window, self._window = _joined(self._window), []
            lengths, self._lengths = _joined(self._lengths), []
            blocks = tuple(map(whiten, blocks, window))
            blocks = tuple(map(offer, blocks, window, lengths))
        if (phase == nuts.LAST).any():
            half, self._half = _joined(self._half), []
            blocks = tuple(map(remember, blocks, half))
        return blocks


def _joined(parts: list[tuple[np.ndarray, ...]]) -> list[np.ndarray]:
    """Return what chunks have of each block, their steps behind one another."""
    return [np.concatenate(each, 1) for each in zip(*parts, strict=True)]


def offer(block: Block, z: np.ndarray, lengths: np.ndarray) -> Block:
    """Let the chains of curves whose trajectories are long jump to places of a window."""
    lanes, (_, count, size) = jax.device_get(block.lanes), z.shape
    places, doublings = np.array(lanes.places), np.array(lanes.doublings)
    for curve in np.unique(block.row[lanes.active]):
        mine = (block.row == curve) & lanes.active
        before = int(places[mine][0]), int(doublings[mine][0])
        share = lanes.jumped[mine].mean() / count
        now = _offered(*before, share, lengths[mine].mean())
        if count < LEARNT or size > SMALL:
            now = before[0], nuts.WHOLE
        places[mine], doublings[mine] = now
    lanes = lanes._replace(places=places, doublings=doublings, jumped=0 * lanes.jumped)
    return remember(with_lanes(block, lanes), z, places > 1)


def _offered(places: int, doublings: int, share: float, length: float) -> tuple[int, int]:
    """Return how many places to offer a curve, and most doublings of its trajectories.

    Of `places` a share of draws took one, and trajectories had so many leapfrogs.
    """
    if doublings in LONG and length <= LONG[doublings]:
        return min(places, 1), nuts.WHOLE
    if places <= 1:
        return TRIED, nuts.SHORTER
    stays = max(1 - share, 1e-3) ** (1 / places)  # at one place
    if 1 - stays**PLACES < SELDOM:
        return 1, nuts.WHOLE
    enough = np.ceil(np.log(1 - OFTEN) / np.log(stays))
    if enough > PLACES:
        return PLACES, nuts.SHORTER
    return max(int(enough), 2), nuts.SHORT


def remember(block: Block, z: np.ndarray, which: np.ndarray | bool = True) -> Block:
    """Let chains jump to places that the warm-up of their curve has seen, (lane, step, size).

    A mixture of normals about some of the draws (`local`) besides the modes: half of the
    proposals each. But one mode alone of a bent ridge counts as one of the places. `which` are the
    lanes. Nothing adapts afterwards.
    """
    lanes, size = jax.device_get(block.lanes), z.shape[2]
    found, places = jax.tree.map(np.array, lanes.jumps), np.array(lanes.places)
    count = found.log_weight.shape[1] - MOST
    which = which & lanes.active
    for curve in np.unique(block.row[which]):
        mine = block.row == curve
        draws = z[mine & which].reshape(-1, size)
        if not np.isfinite(draws).all():
            continue
        bent = places[mine][0] > 1
        ids = (int(ids[mine][0]) for ids in (lanes.seed, lanes.curve))
        new = local(draws, count, np.random.default_rng([*ids, 2]) if bent else None)
        for name, values in new._asdict().items():
            getattr(found, name)[mine, MOST:] = values
        modes = found.log_weight[mine][0, :MOST]
        less = np.log(count) if bent and np.isfinite(modes).sum() == 1 else 0.0
        found.log_weight[mine, :MOST] = modes - np.logaddexp.reduce(modes) - less
        places[mine] = np.maximum(places[mine], 1)
    return with_lanes(block, lanes._replace(jumps=found, places=places))


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


def carefully(block: Block, drawn: nuts.Draws, turn: Callable) -> tuple[Block, nuts.Draws]:
    """Return a block and the first draws that are kept, after smaller steps where some diverged.

    A chunk tells it best: while the warm-up looks for a step size it also takes larger steps. The
    chains of a curve that diverge take it again, from where they are, with half the steps.

    Parameters
    ----------
    turn
        block -> (block, drawn): what makes these draws.
    """
    for _ in range(HALVINGS):
        lanes = jax.device_get(block.lanes)
        diverged = drawn.diverging.any(1) & lanes.active
        bad = np.isin(block.row, block.row[diverged]) & lanes.active
        if not bad.any():
            break
        size = np.where(bad, lanes.step_size / 2, lanes.step_size)
        again = with_lanes(block, lanes._replace(step_size=size, active=bad))
        again, new = turn(again)
        block = with_lanes(again, again.lanes._replace(active=lanes.active))
        drawn = jax.tree.map(partial(_where, bad), new, drawn)
    return block, drawn


def _where(lanes: np.ndarray, new: np.ndarray, old: np.ndarray) -> np.ndarray:
    return np.where(lanes.reshape(-1, *[1] * (new.ndim - 1)), new, old)


def _within_modes(jumps: Jumps, z: np.ndarray) -> np.ndarray:
    """Return draws, (step, size), relative to the mode that each belongs to.

    Between modes far apart the covariance says nothing of the shape that a trajectory meets.
    """
    real = np.flatnonzero(np.isfinite(jumps.log_weight[:MOST]))
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
