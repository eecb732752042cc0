"""NUTS over lanes (curves x chains) as one compiled program, advanced in chunks.

A lane is one chain of one curve. Its coordinates are shifted and scaled by a mode and the
curvature there, so that the posterior is nearly round from the first step; step size and scale
adapt on top of that. Warm-up and sampling are the same program: a chunk of steps, each
with a phase. Each step's key depends on the seed, the curve, the chain and the step's number
alone, so that results do not depend on the chunks, nor on the lanes of other curves.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import blackjax.mcmc.nuts as nuts
import jax
import jax.numpy as jnp
import numpy as np
from blackjax.adaptation.mass_matrix import mass_matrix_adaptation
from blackjax.adaptation.staged_adaptation import build_schedule
from blackjax.adaptation.step_size import dual_averaging_adaptation
from jax import lax
from jax.sharding import PartitionSpec as P

from ..model.model import Model
from .jumps import Jumps, jump, squares

__all__ = ["CHUNK", "Draws", "Lanes", "advance", "begin", "chunks"]

CHUNK = 250
IDLE, SAMPLE, FAST, SLOW, SLOW_END, LAST = range(6)


class Lanes(NamedTuple):
    """What each lane carries from chunk to chunk; arrays with a leading lane axis."""

    key: Any
    active: Any
    """False for lanes that only pad their number."""
    origin: Any
    """z = origin + scale @ u, u being what NUTS moves in."""
    scale: Any
    jumps: Jumps
    state: Any
    """BlackJAX HMC state in u."""
    step_size: Any
    averaging: Any
    """State of the dual averaging of the step size."""
    metric: Any
    """State of the covariance's estimate in u."""


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

    Stan's windows of warm-up first. Warm-up ends where a chunk does: idle steps fill it up, which
    have no number, so that step 1,200 is the same one whatever the length of chunks.
    """
    schedule = np.asarray(build_schedule(warmup)) if warmup else np.zeros((0, 2), int)
    stage = np.where(schedule[:, 0] == 0, FAST, SLOW)
    stage = np.where(schedule[:, 1] == 1, SLOW_END, stage)
    if warmup:
        stage[-1] = LAST
    found = []
    for begin, steps in ((0, stage), (warmup, np.full(draws, SAMPLE))):
        padded = np.concatenate([steps, np.full(-len(steps) % CHUNK, IDLE)]).astype(np.int8)
        found += [(begin + at, padded[at : at + CHUNK]) for at in range(0, len(padded), CHUNK)]
    return found


@jax.jit
def begin(seed, curve, chain, active, origin, scale, jumps, z, log_density, gradient) -> Lanes:
    """Return lanes that start at z, whose log density and gradient are known."""
    averaging_init, _, _ = dual_averaging_adaptation(0.8)
    metric_init, _, _ = mass_matrix_adaptation(False)

    def lane(curve, chain, active, origin, scale, jumps, z, log_density, gradient):
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), curve), chain)
        u = jnp.linalg.solve(scale, z - origin)
        state = nuts.hmc.HMCState(u, log_density, scale.T @ gradient)
        first = jnp.asarray(0.7, z.dtype)
        metric = metric_init(z.size)
        averaging = averaging_init(first)
        return Lanes(key, active, origin, scale, jumps, state, first, averaging, metric)

    return jax.vmap(lane)(curve, chain, active, origin, scale, jumps, z, log_density, gradient)


@partial(jax.jit, static_argnames=("model", "max_depth", "loop", "mesh"), donate_argnums=(1,))
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
    kernel = nuts.build_kernel()

    def move(lane, phase, number):
        def density(u):
            return model.log_density(lane.origin + lane.scale @ u, data)

        key = jax.random.fold_in(lane.key, number)
        unit = jnp.ones_like(lane.origin)
        state, info = kernel(key, lane.state, density, lane.step_size, unit, max_depth)
        several = jnp.sum(jnp.isfinite(lane.jumps.log_weight)) > 1
        again = jax.random.fold_in(key, 1)
        leap = partial(jump, again, lane.origin, lane.scale, lane.jumps, density)
        state = lax.cond(several, leap, lambda state: state, state)
        lane = lane._replace(state=state)
        lane = lax.cond(
            phase >= FAST,
            lambda lane: _adapt(lane, phase, info.acceptance_rate, target),
            lambda lane: lane,
            lane,
        )
        return lane, (
            info.energy,
            info.num_integration_steps.astype(jnp.int32),
            info.acceptance_rate,
            info.is_divergent,
        )

    def stay(lane, phase, number):
        zero = jnp.zeros((), lane.origin.dtype)
        return lane, (zero, jnp.zeros((), jnp.int32), zero, jnp.zeros((), bool))

    def step(lane, at):
        phase, number = at
        lane, info = lax.cond((phase != IDLE) & lane.active, move, stay, lane, phase, number)
        return lane, Draws(_place(lane), lane.state.logdensity, *info)

    return lax.scan(step, lane, (phase, first + jnp.arange(CHUNK, dtype=jnp.int32)))


def _within_mode(lane: Lanes):
    """Return the position relative to the mode it belongs to, where modes compete.

    Between modes far apart the covariance says nothing of the shape that a trajectory meets.
    """
    real = jnp.isfinite(lane.jumps.log_weight)
    near = lane.jumps.log_volume - squares(lane.jumps, _place(lane)) / 2
    nearest = jnp.argmax(jnp.where(real, near, -jnp.inf))
    return jnp.linalg.solve(lane.scale, _place(lane) - lane.jumps.centre[nearest])


def _place(lane: Lanes):
    return lane.origin + lane.scale @ lane.state.position


def _adapt(lane: Lanes, phase, acceptance, target) -> Lanes:
    """Adapt step size and coordinates after one step of the warm-up."""
    averaging_init, averaging_update, averaging_final = dual_averaging_adaptation(target)
    _, metric_update, _ = mass_matrix_adaptation(False)
    averaging = averaging_update(lane.averaging, acceptance)
    lane = lane._replace(averaging=averaging)
    lane = lax.cond(
        (phase == SLOW) | (phase == SLOW_END),
        lambda lane: lane._replace(metric=metric_update(lane.metric, _within_mode(lane))),
        lambda lane: lane,
        lane,
    )
    lane = lax.cond(
        phase == SLOW_END,
        lambda lane: _whiten(lane)._replace(
            averaging=averaging_init(averaging_final(lane.averaging))
        ),
        lambda lane: lane,
        lane,
    )
    averaging = lane.averaging
    log_size = jnp.where(phase == LAST, averaging.log_step_size_avg, averaging.log_step_size)
    return lane._replace(step_size=jnp.exp(log_size))


def _whiten(lane: Lanes) -> Lanes:
    """Make the covariance seen in this window part of the scale: u is round again.

    The same moves as with a dense metric, without the root of one at every step.
    """
    metric_init, _, metric_final = mass_matrix_adaptation(False)
    root = jnp.linalg.cholesky(metric_final(lane.metric).inverse_mass_matrix)
    position, log_density, gradient = lane.state
    position = jax.scipy.linalg.solve_triangular(root, position, lower=True)
    state = nuts.hmc.HMCState(position, log_density, root.T @ gradient)
    fresh = metric_init(position.size)
    return lane._replace(scale=lane.scale @ root, state=state, metric=fresh)
