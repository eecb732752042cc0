"""Jumps: independence proposals that carry chains between modes and along bent ridges."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..model.model import Model
from .modes import Mode, best_of

__all__ = ["Jumps", "accepted", "competing", "propose"]


class Jumps(NamedTuple):
    """Normal components from which a chain's jumps are proposed; arrays (..., component, ...).

    In warm-up these are the posterior's modes, where there are several; afterwards also places
    that the warm-up has seen.
    """

    centre: Any
    root: Any
    """Root of the covariance, (..., component, size, size)."""
    unroot: Any
    """Its inverse."""
    log_volume: Any
    """Log determinant of the inverse, (..., component)."""
    log_weight: Any
    """Of the component in the proposal; -inf for padding."""


def propose(key, lane):
    """Return a place of the posterior to jump to: z, and u in which the chain moves.

    NUTS does not cross a deep valley and creeps along a bent ridge; without jumps, chains of one
    curve would weigh its modes by where they began. Proposals come from a mixture, independent of
    the state: of the components once and twice as wide.
    """
    jumps, dtype = lane.jumps, lane.origin.dtype
    pick, wide, noise = jax.random.split(key, 3)
    width = jnp.where(jax.random.bernoulli(wide), 2.0, 1.0).astype(dtype)
    chosen = jax.random.categorical(pick, jumps.log_weight)
    normal = jax.random.normal(noise, lane.origin.shape, dtype)
    z = jumps.centre[chosen] + width * jumps.root[chosen] @ normal
    return z, lane.unscale @ (z - lane.origin)


def accepted(key, lane, old, new, z):
    """Return where the chain is after a jump from state `old` to `new`, at z, was proposed.

    By Metropolis and Hastings' rule.
    """
    size, dtype = lane.origin.size, lane.origin.dtype

    def log_proposal(z):
        square = squares(lane.jumps, z)
        wider = -square / 8 - size * jnp.log(2.0)
        near = jnp.logaddexp(-square / 2, wider)
        return jax.nn.logsumexp(lane.jumps.log_weight + lane.jumps.log_volume + near)

    here = lane.origin + lane.scale @ old.position
    ratio = new.logdensity - old.logdensity + log_proposal(here) - log_proposal(z)
    taken = jnp.log(jax.random.uniform(key, dtype=dtype)) < ratio
    taken &= jnp.isfinite(new.logdensity) & jnp.all(jnp.isfinite(new.logdensity_grad))
    return jax.tree.map(lambda a, b: jnp.where(taken, a, b), new, old)


def squares(jumps: Jumps, z):
    """Return the squared distance of z from each component, in its own standard deviations."""
    away = z[None] - jumps.centre
    return jnp.sum(jnp.einsum("mij,mj->mi", jumps.unroot, away) ** 2, -1)


COMPETING, MOST = 12.0, 6
"""Chains may jump between modes within so many nats of the best, to so many at most."""


COMPONENTS = MOST + 58
"""Of the proposals of jumps: modes, and places that the warm-up has seen."""


def competing(modes: list[list[Mode]], model: Model) -> Jumps:
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
    return _components(centre, np.array([[m.scale for m in row] for row in padded]), weight)


def _components(centre: np.ndarray, root: np.ndarray, log_weight: np.ndarray) -> Jumps:
    unroot = np.linalg.inv(root)
    return Jumps(centre, root, unroot, np.linalg.slogdet(unroot)[1], log_weight)


NEAREST = 0.15
"""Share of the draws that shape a component."""


def local(draws: np.ndarray, count: int) -> Jumps:
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
    return _components(draws[picked], np.array(roots), np.full(count, -np.log(count)))
