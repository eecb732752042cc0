"""NUTS over lanes (curves x chains) as one compiled program, advanced in chunks.

A lane is one chain of one curve. Its coordinates are shifted and scaled by a mode and the
curvature there, so that the posterior is nearly round from the first step; step size and scale
adapt on top of that, the scale between chunks (`warmup`). Warm-up and sampling are the same
program: a chunk of steps, each with a phase. Nothing in it calls LAPACK, which would keep XLA from
compiling a CPU's loop as one piece. Each step's key depends on the seed, the curve, the chain and
the step's number alone, so that results do not depend on the chunks, nor on other curves' lanes.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from blackjax.adaptation.staged_adaptation import build_schedule
from blackjax.adaptation.step_size import dual_averaging_adaptation
from blackjax.mcmc.hmc import HMCState
from jax import lax
from jax.sharding import PartitionSpec as P

from ..model.model import Model
from ..model.programs import compiled
from .jumps import Jumps, jump
from .trajectories import trajectories

__all__ = ["CHUNK", "Draws", "Lanes", "advance", "chunks"]

CHUNK = 250
IDLE, SAMPLE, FAST, SLOW, WINDOW, LAST = range(6)
"""What a step is of: nothing, the draws, the warm-up. SLOW steps and the WINDOW that ends them
tell the covariance; LAST settles the step size."""

HIGH = 1e30
"""A log density from which each step falls so deep that the trajectory ends: it diverges."""
WHOLE, SHORTER, SHORT = 99, 5, 3
"""Doublings of a trajectory: as many as the sampler takes; of the first ones, and while jumps are
tried; and where jumps, at a fraction of the cost, take the chain further."""


class Lanes(NamedTuple):
    """What each lane carries from chunk to chunk; arrays with a leading lane axis."""

    seed: Any
    curve: Any
    chain: Any
    active: Any
    """False for lanes that only pad their number."""
    origin: Any
    """z = origin + scale @ u, u being what NUTS moves in."""
    scale: Any
    unscale: Any
    """Its inverse."""
    jumps: Jumps
    state: Any
    """BlackJAX HMC state in u."""
    step_size: Any
    averaging: Any
    """State of the dual averaging of the step size."""
    places: Any
    """How many places are offered to jump to before each trajectory; 0 where there are none."""
    jumped: Any
    """Draws that moved by a jump, since the last window of the warm-up."""
    doublings: Any
    """Most doublings of a trajectory: WHOLE, SHORTER or SHORT."""


class Draws(NamedTuple):
    """What a chunk yields; arrays (lane, step, ...)."""

    z: Any
    log_density: Any
    energy: Any
    n_steps: Any
    acceptance_rate: Any
    diverging: Any


def chunks(warmup: int, draws: int) -> list[tuple[int, np.ndarray]]:
    """Return (number of the first step, phase of every step) of each chunk.

    Stan's windows of warm-up first. A window ends where a chunk does: idle steps fill it up, which
    have no number, so that step 1,200 is the same one whatever the length of chunks.
    """
    schedule = np.asarray(build_schedule(warmup)) if warmup else np.zeros((0, 2), int)
    stage = np.where(schedule[:, 0] == 0, FAST, SLOW)
    stage = np.where(schedule[:, 1] == 1, WINDOW, stage)
    if warmup:
        stage[-1] = LAST
    ends = [*(np.flatnonzero(stage == WINDOW) + 1), warmup, warmup + draws]
    stage, found, begin = np.concatenate([stage, np.full(draws, SAMPLE)]), [], 0
    for end in ends:
        for at in range(begin, end, CHUNK):
            steps = stage[at : min(at + CHUNK, end)]
            padded = np.concatenate([steps, np.full(CHUNK - len(steps), IDLE)])
            found.append((at, padded.astype(np.int8)))
        begin = end
    return found


@compiled(static_argnames=("model", "max_depth", "loop", "mesh"), donate_argnums=(1,))
def advance(model: Model, lanes: Lanes, data, first, phase, target, *, max_depth, loop, mesh=None):
    """Advance all lanes by the steps of `phase`, numbered from `first`; return (lanes, Draws).

    Parameters
    ----------
    data
        Arrays of `Batch.data`, one entry a lane.
    target
        Acceptance rate that the step size is adapted to.
    loop
        `lax.map` over lanes (half the cost on a CPU), else `vmap` (an accelerator).
    mesh
        Devices over which the lanes are spread, on its axis `lanes`.
    """

    def every(lanes, data, first, phase, target):
        run = partial(_run, model, max_depth, first=first, phase=phase, target=target)
        if loop:
            return lax.map(lambda lane: run(*lane), (lanes, data))
        return jax.vmap(run)(lanes, data)

    if mesh is not None:
        split, whole = P("lanes"), P()
        every = jax.shard_map(
            every,
            mesh=mesh,
            in_specs=(split, split, whole, whole, whole),
            out_specs=split,
            check_vma=False,
        )
    return every(lanes, data, first, phase, target)


def _run(model, max_depth, lane: Lanes, data, *, first, phase, target):
    """Advance one lane."""
    key = jax.random.fold_in(jax.random.key(lane.seed), lane.curve)
    own = jax.random.fold_in(key, lane.chain)
    density = partial(model.log_density, data=data)

    def move(lane, phase, number):
        key = jax.random.fold_in(own, number)
        # Not folded in: `fold_in(key, 1)` is the second key that NUTS splits off.
        place_key, move_key = jax.random.split(key)
        offer = partial(jump, place_key, lane, density)
        z, jumped = lax.cond(lane.places > 0, offer, lambda: (lane.origin, jnp.zeros((), bool)))
        lane, told = _moved(move_key, lane, density, z, jumped, max_depth)
        lane = lane._replace(jumped=lane.jumped + jumped)
        lane = lax.cond(
            phase >= FAST, lambda lane: _adapt(lane, phase, told[2], target), lambda x: x, lane
        )
        return lane, told

    def stay(lane, phase, number):
        return lane, _nothing(lane)

    def step(lane, at):
        phase, number = at
        lane, info = lax.cond((phase != IDLE) & lane.active, move, stay, lane, phase, number)
        return lane, Draws(_place(lane), lane.state.logdensity, *info)

    return lax.scan(step, lane, (phase, first + jnp.arange(CHUNK, dtype=jnp.int32)))


def _nothing(lane: Lanes):
    """Return what is told of a step that was none: of `Draws` from the energy on."""
    zero = jnp.zeros((), lane.origin.dtype)
    return zero, jnp.zeros((), jnp.int32), zero, jnp.zeros((), bool)


def _moved(key, lane: Lanes, density, z, jumped, max_depth: int):
    """Return the lane after a trajectory, which begins at z if it `jumped` there, and what to tell.

    A place that was jumped to needs a gradient first. It is evaluated by a trajectory of one step
    of no length: one gradient is compiled for both.
    """
    landed = lane.unscale @ (z - lane.origin)
    there = HMCState(landed, jnp.full_like(lane.step_size, HIGH), jnp.zeros_like(landed))
    longest = jnp.minimum(lane.doublings, max_depth)
    inside = lambda u: density(lane.origin + lane.scale @ u)  # noqa: E731
    propose = trajectories(inside, lane.origin, longest, max_depth)
    either = lambda first, a, b: jax.tree.map(partial(jnp.where, first), a, b)  # noqa: E731

    def turn(i, carry):
        old, _ = carry
        lands = i == 0
        size = jnp.where(lands, 0.0, lane.step_size).astype(lane.step_size.dtype)
        new, info = propose(key, either(lands, there, old), size)
        end = _ends(info)
        sure = jnp.isfinite(end.logdensity) & jnp.all(jnp.isfinite(end.logdensity_grad))
        steps = info.num_integration_steps.astype(jnp.int32)
        told = (info.energy, steps, info.acceptance_rate, info.is_divergent)
        return either(lands, either(sure, end, old), new), told

    state, told = lax.fori_loop(jnp.where(jumped, 0, 1), 2, turn, (lane.state, _nothing(lane)))
    return lane._replace(state=state), told


def _ends(info) -> HMCState:
    """Return the state at the end of a trajectory of one step, which began at the height HIGH."""
    left, right = info.trajectory_leftmost_state, info.trajectory_rightmost_state
    first = left.logdensity == HIGH
    end = jax.tree.map(lambda a, b: jnp.where(first, a, b), right, left)
    return HMCState(end.position, end.logdensity, end.logdensity_grad)


def _place(lane: Lanes):
    return lane.origin + lane.scale @ lane.state.position


def _adapt(lane: Lanes, phase, acceptance, target) -> Lanes:
    """Adapt the step size after one step of the warm-up; where a window ends, start anew."""
    averaging_init, averaging_update, averaging_final = dual_averaging_adaptation(target)
    averaging = averaging_update(lane.averaging, acceptance)
    anew = averaging_init(averaging_final(averaging))
    ends = phase == WINDOW
    averaging = jax.tree.map(lambda a, b: jnp.where(ends, a, b).astype(b.dtype), anew, averaging)
    log_size = jnp.where(phase == LAST, averaging.log_step_size_avg, averaging.log_step_size)
    return lane._replace(averaging=averaging, step_size=jnp.exp(log_size))
