"""Jumps: independence proposals that carry chains between modes and along bent ridges."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..model.model import Model
from .modes import Mode, best_of

__all__ = ["Jumps", "competing", "jump"]


class Jumps(NamedTuple):
    """Normal components from which a chain's jumps are proposed; arrays (..., component, ...).

    In warm-up these are the posterior's modes, where there are several; afterwards, and where
    trajectories are long already within it, also places that the warm-up has seen.
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


def jump(key, lane, density):
    """Return where a chain is after it was offered places of the posterior, and whether it moved.

    NUTS does not cross a deep valley and creeps along a bent ridge; without jumps, chains of one
    curve would weigh its modes by where they began. Proposals come from a mixture, independent of
    the state: of the components once and twice as wide. By Metropolis and Hastings' rule, one
    after the other, from densities alone.
    """
    here = lane.origin + lane.scale @ lane.state.position
    weight = lane.state.logdensity - _log_proposal(lane.jumps, here)
    below = jnp.cumsum(jax.nn.softmax(lane.jumps.log_weight))[:-1]

    def offered(number, carry):
        z, level = _proposed(jax.random.fold_in(key, number), lane.jumps, below)
        new = density(z) - _log_proposal(lane.jumps, z)
        taken = level < new - carry[1]  # never where it is nan
        there = (z, new, jnp.ones((), bool))
        return jax.tree.map(lambda a, b: jnp.where(taken, a, b), there, carry)

    start = (here, weight, jnp.zeros((), bool))
    place, _, moved = jax.lax.fori_loop(0, lane.places, offered, start)
    return place, moved


def _proposed(key, jumps: Jumps, below):
    """Return a draw of the mixture, and the log of a uniform number, by which it is taken.

    All of one call for random numbers, which cost as much as the density. `below` are the sums of
    the weights of the first components.
    """
    size, dtype = jumps.centre.shape[1], jumps.centre.dtype
    normal = jax.random.normal(key, (size + 3,), dtype)
    uniform = jax.scipy.special.ndtr(normal[size:])
    chosen = jnp.sum(uniform[0] >= below)
    width = jnp.where(uniform[1] < 0.5, 2.0, 1.0).astype(dtype)
    z = jumps.centre[chosen] + width * jumps.root[chosen] @ normal[:size]
    return z, jnp.log(uniform[2])


def _log_proposal(jumps: Jumps, z):
    """Return the log density of the mixture, but for a constant."""
    away = z[None] - jumps.centre
    square = jnp.sum(jnp.einsum("mij,mj->mi", jumps.unroot, away) ** 2, -1)
    either = jnp.stack([-square / 2, -square / 8 - z.size * jnp.log(2.0)])
    return jax.nn.logsumexp(either + (jumps.log_weight + jumps.log_volume)[None])


COMPETING, MOST = 12.0, 6
"""Chains may jump between modes within so many nats of the best, to so many at most."""


SMALL = 32
"""Coordinates up to which normals about draws often hit the posterior."""


def competing(modes: list[list[Mode]], model: Model) -> Jumps:
    """Return each curve's modes for jumps, (curve, component, ...); one alone is never left."""
    rows = []
    for found in modes:
        best = best_of(found, model)
        rows.append([m for m in found if m.log_evidence > best.log_evidence - COMPETING][:MOST])
        rows[-1] = rows[-1] or [best]
    # Half the difference in evidence: light modes are tried more often than they are right, for
    # Laplace's evidence may be wrong.
    count = MOST + (122 if model.size <= SMALL else 58)  # modes, and places yet to be seen
    weight = np.full((len(rows), count), -np.inf)
    for i, row in enumerate(rows):
        weight[i, : len(row)] = [0.5 * (m.log_evidence - row[0].log_evidence) for m in row]
    padded = [row + [row[0]] * (count - len(row)) for row in rows]
    centre = np.array([[m.z for m in row] for row in padded])
    return _components(centre, np.array([[m.scale for m in row] for row in padded]), weight)


def _components(centre: np.ndarray, root: np.ndarray, log_weight: np.ndarray) -> Jumps:
    unroot = np.linalg.inv(root)
    return Jumps(centre, root, unroot, np.linalg.slogdet(unroot)[1], log_weight)


FLOOR = 0.2
"""Least weight of a place that lies apart, beside that of all alike."""


def local(draws: np.ndarray, count: int, apart: np.random.Generator | None = None) -> Jumps:
    """Return normal components about some draws, each as wide as the draws nearest to it.

    Along a bent ridge `apart` draws centres as k-means++ does (Arthur and Vassilvitskii 2007), the
    more likely the farther from those before; a component weighs as much as the draws that are
    nearest to its centre. Without it draws are taken as they come: most lie where most mass is.
    """
    total, size = draws.shape
    covariance = np.cov(draws.T).reshape(size, size)
    covariance += 1e-12 * np.trace(covariance) * np.eye(size) + 1e-20 * np.eye(size)
    round_ = np.linalg.solve(np.linalg.cholesky(covariance), draws.T).T
    picked = np.linspace(0, total - 1, count).astype(int)
    away, gap = np.empty((count, total)), np.ones(total)
    for k in range(count):
        if apart is not None:  # of draws that are few places, any
            picked[k] = apart.choice(total, p=gap / gap.sum() if gap.any() else None)
        away[k] = ((round_ - round_[picked[k]]) ** 2).sum(1)
        gap = np.minimum(gap, away[k]) if k else away[k]
    least = min(int(max(2 * size, (0.15 if apart is None else 0.05) * total)), total)
    near = draws[np.argpartition(away, least - 1)[:, :least]]
    near = near - near.mean(1, keepdims=True)
    shape = np.einsum("kni,knj->kij", near, near) / (least - 1) + 1e-3 * covariance
    weight = np.full(count, 1 / count)
    if apart is not None:
        nearest = np.bincount(away.argmin(0), minlength=count) / total
        weight = np.maximum(nearest, FLOOR * weight)
    return _components(draws[picked], np.linalg.cholesky(shape), np.log(weight / weight.sum()))
