"""NUTS over lanes (curves x chains) as one compiled program, advanced in chunks.

A lane is one chain of one curve. Its coordinates are shifted and scaled by a mode and the
curvature there, so that the posterior is nearly round from the first step; step size and a dense
metric adapt on top of that. Warm-up and sampling are the same program: a chunk of steps, each
with a phase. Each step's key depends on the seed, the curve, the chain and the step's number
alone, so that results do not depend on the chunks or on the other lanes.
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

from .model import Model

__all__ = ["CHUNK", "Draws", "Lanes", "advance", "begin", "phases"]

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
    state: Any
    """BlackJAX HMC state in u."""
    step_size: Any
    averaging: Any
    """State of the dual averaging of the step size."""
    metric: Any
    """State of the metric's adaptation, its inverse mass matrix in u within."""


class Draws(NamedTuple):
    """What a chunk yields; arrays (lane, step, ...)."""

    z: Any
    log_density: Any
    energy: Any
    n_steps: Any
    acceptance_rate: Any
    diverging: Any


def phases(warmup: int, draws: int) -> np.ndarray:
    """Return the phase of every step, Stan's warm-up windows first, padded to whole chunks."""
    schedule = np.asarray(build_schedule(warmup)) if warmup else np.zeros((0, 2), int)
    stage = np.where(schedule[:, 0] == 0, FAST, SLOW)
    stage = np.where(schedule[:, 1] == 1, SLOW_END, stage)
    if warmup:
        stage[-1] = LAST
    steps = np.concatenate([stage, np.full(draws, SAMPLE)])
    return np.concatenate([steps, np.full(-len(steps) % CHUNK, IDLE)]).astype(np.int8)


@jax.jit
def begin(seed, curve, chain, active, origin, scale, z, log_density, gradient) -> Lanes:
    """Return lanes that start at z, whose log density and gradient are known."""
    averaging_init, _, _ = dual_averaging_adaptation(0.8)
    metric_init, _, _ = mass_matrix_adaptation(False)

    def lane(curve, chain, active, origin, scale, z, log_density, gradient):
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), curve), chain)
        u = jnp.linalg.solve(scale, z - origin)
        state = nuts.hmc.HMCState(u, log_density, scale.T @ gradient)
        first = jnp.asarray(0.7, z.dtype)
        metric = metric_init(z.size)
        return Lanes(key, active, origin, scale, state, first, averaging_init(first), metric)

    return jax.vmap(lane)(curve, chain, active, origin, scale, z, log_density, gradient)


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

    def density(u):
        return model.log_density(lane.origin + lane.scale @ u, data)

    def move(lane, phase, number):
        key = jax.random.fold_in(lane.key, number)
        metric = lane.metric.inverse_mass_matrix
        state, info = kernel(key, lane.state, density, lane.step_size, metric, max_depth)
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
        z = lane.origin + lane.scale @ lane.state.position
        return lane, Draws(z, lane.state.logdensity, *info)

    return lax.scan(step, lane, (phase, first + jnp.arange(CHUNK, dtype=jnp.int32)))


def _adapt(lane: Lanes, phase, acceptance, target) -> Lanes:
    """Adapt step size and metric after one step of the warm-up."""
    averaging_init, averaging_update, averaging_final = dual_averaging_adaptation(target)
    _, metric_update, metric_final = mass_matrix_adaptation(False)
    averaging = averaging_update(lane.averaging, acceptance)
    metric = lax.cond(
        (phase == SLOW) | (phase == SLOW_END),
        lambda metric: metric_update(metric, lane.state.position),
        lambda metric: metric,
        lane.metric,
    )
    metric, averaging = lax.cond(
        phase == SLOW_END,
        lambda metric, a: (metric_final(metric), averaging_init(averaging_final(a))),
        lambda metric, a: (metric, a),
        metric,
        averaging,
    )
    log_size = jnp.where(phase == LAST, averaging.log_step_size_avg, averaging.log_step_size)
    return lane._replace(step_size=jnp.exp(log_size), averaging=averaging, metric=metric)
