"""A trajectory of NUTS as BlackJAX has it, whose longest length a program may change as it runs."""

from __future__ import annotations

from typing import Any

import blackjax.mcmc.nuts as nuts
import jax
import jax.numpy as jnp
import numpy as np
from blackjax.mcmc import integrators, metrics, proposal, termination, trajectory

__all__ = ["trajectories"]

DIVERGED = 1000.0
"""Energy that is lost on a trajectory that diverges."""


def trajectories(density, like, longest, max_depth: int):
    """Return (key, state, step size) -> (state, info), as `blackjax.nuts` has, in a round metric.

    Parameters
    ----------
    density
        Log density.
    like
        Anything of the shape and type of a position.
    longest
        Doublings of a trajectory, at most `max_depth`.
    """
    metric = metrics.default_metric(jnp.ones_like(like))
    leap = integrators.velocity_verlet(density, metric.kinetic_energy)
    begin, update, turned = termination.iterative_uturn_numpyro(metric.check_turning)
    along = trajectory.dynamic_progressive_integration(
        leap, metric.kinetic_energy, update, turned, DIVERGED
    )
    expand: Any = trajectory.dynamic_multiplicative_expansion(along, metric.check_turning, longest)

    def propose(key, state, step_size):
        momentum_key, expand_key = jax.random.split(key)
        momentum = metric.sample_momentum(momentum_key, state.position)
        at = integrators.IntegratorState(
            state.position, momentum, state.logdensity, state.logdensity_grad
        )
        energy = -at.logdensity + metric.kinetic_energy(momentum)
        start = trajectory.DynamicExpansionState(
            0,
            proposal.Proposal(at, energy, 0.0, -np.inf),
            trajectory.Trajectory(at, at, momentum, 0),
            begin(at, max_depth),
        )
        (depth, chosen, path, _), ends = expand(expand_key, start, energy, step_size)
        rate = jnp.exp(chosen.sum_log_p_accept) / path.num_states
        both = path.leftmost_state, path.rightmost_state
        steps = depth, path.num_states
        info = nuts.NUTSInfo(momentum, *ends, chosen.energy, *both, *steps, rate)
        found = chosen.state
        return nuts.hmc.HMCState(found.position, found.logdensity, found.logdensity_grad), info

    return propose
