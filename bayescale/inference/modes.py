"""Where chains begin and how coordinates are scaled: many starts, Newton's method, curvature.

Starts are drawn from the prior and polished together by damped Newton steps; the curvature at
the modes they reach gives each chain the coordinates in which its posterior is round. Models of
many coordinates go most of the way by L-BFGS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..model.model import Model
from ..model.programs import compiled
from .lbfgs import descend

__all__ = ["Mode", "Point", "evaluate", "polish", "prior_draws", "prior_moments", "search"]

GRID = np.linspace(-30.0, 30.0, 1201)
SCREENED, POLISHED = 20, 200
"""Newton steps given to every start, and then to the best of them."""
LARGE = 64
"""Beyond so many coordinates a Newton step costs more than the steps of L-BFGS that it saves."""


class Point(NamedTuple):
    """A point of the posterior with its derivatives."""

    z: Any
    """Unconstrained coordinates, (..., size)."""
    log_density: Any
    gradient: Any
    """Of the negative log density, (..., size)."""
    hessian: Any
    """Of the negative log density, (..., size, size)."""


@dataclass(frozen=True)
class Mode:
    """A local maximum of the posterior, and the coordinates in which it is round."""

    z: np.ndarray
    log_density: float
    scale: np.ndarray
    """Lower-triangular or symmetric root of the covariance there, (size, size)."""
    log_evidence: float
    """Laplace's approximation of the log mass about it."""


@compiled(level=0, static_argnames=("model",))
def _prior_profiles(model: Model, grids):
    """Return the log prior density along each coordinate with the others at 0, (size, grid)."""
    eye = jnp.eye(model.size, dtype=grids.dtype)
    along = lambda e, grid: jax.vmap(lambda u: model.log_prior(u * e))(grid)  # noqa: E731
    return jax.vmap(along)(eye, grids)


def _prior_mass(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Return for each coordinate a grid and the prior mass on it, (size, grid) each.

    Exact where coordinates are independent. The grid is finer for a prior that is narrow.
    """
    grids = np.tile(GRID, (model.size, 1))
    mass = _mass_on(model, grids)
    mean, sd = _moments(grids, mass)
    narrow = sd < 4 * (GRID[1] - GRID[0])
    if narrow.any():
        half = 8 * sd[narrow, None] + 2 * (GRID[1] - GRID[0])
        grids[narrow] = mean[narrow, None] + half * np.linspace(-1.0, 1.0, len(GRID))
        mass = _mass_on(model, grids)
    return grids, mass


def _mass_on(model: Model, grids: np.ndarray) -> np.ndarray:
    profile = np.asarray(_prior_profiles(model, grids), float)
    mass = np.exp(profile - np.nanmax(profile, 1, keepdims=True))
    mass = np.where(np.isfinite(mass), mass, 0.0)
    return mass / mass.sum(1, keepdims=True)


def _moments(grids: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = np.sum(mass * grids, 1)
    return mean, np.sqrt(np.sum(mass * (grids - mean[:, None]) ** 2, 1))


def prior_draws(model: Model, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Return broad starts, (draws, size): the prior of each coordinate, warps left out.

    The samplers of gamma and Dirichlet variables would cost more to compile than all the rest of
    a start; inverting each coordinate's own distribution needs none of them.
    """
    grids, mass = _prior_mass(model)
    uniform = rng.uniform(size=(draws, model.size))
    columns = zip(uniform.T, np.cumsum(mass, 1), grids, strict=True)
    return np.stack([np.interp(u, levels, grid) for u, levels, grid in columns], 1)


def prior_moments(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Return prior mean and standard deviation of each coordinate without its warp, (size,)."""
    return _moments(*_prior_mass(model))


@compiled(static_argnames=("model", "loop"))
def _climb(model: Model, z, data, steps, *, loop: bool) -> Point:
    """Climb from each start, z (start, size), by at most its `steps` damped Newton steps.

    With 0 only evaluate, below it do nothing. `loop`: one start after the other (a CPU), else
    side by side (an accelerator).
    """
    climb = partial(_climb_one, model)
    if loop:
        return lax.map(lambda start: climb(*start), (z, data, steps))
    return jax.vmap(climb)(z, data, steps)


def _climb_one(model: Model, z, data, steps) -> Point:
    """Climb from one start.

    Levenberg's damping on the diagonal of the Hessian: a step that does not improve is not
    taken and raises the damping. The Hessian is the difference quotient of gradients: nearly as
    exact as this use needs, and half the price to compile.
    """
    size, dtype = model.size, z.dtype
    h = jnp.finfo(dtype).eps ** (1 / 3)
    eye = jnp.eye(size, dtype=dtype)
    value_and_gradient = jax.value_and_grad(lambda z: -model.log_density(z, data))

    def derivatives(z):
        values, gradients = jax.vmap(value_and_gradient)(
            jnp.concatenate([z[None], z[None] + h * eye])
        )
        hessian = (gradients[1:] - gradients[:1]) / h
        return -values[0], gradients[0], (hessian + hessian.T) / 2

    def direction(point, damping):
        diagonal = jnp.maximum(jnp.abs(jnp.diagonal(point.hessian)), 1e-3)
        move = -_solve(point.hessian + damping * jnp.diag(diagonal), point.gradient)
        # Without a bound, flat starts run off to infinity in one step.
        return move * jnp.minimum(1.0, 3.0 / jnp.maximum(jnp.max(jnp.abs(move)), 1e-30))

    def step(carry):
        count, point, damping, _ = carry
        move = direction(point, damping)
        new = Point(point.z + move, *derivatives(point.z + move))
        finite = jnp.all(jnp.isfinite(new.gradient)) & jnp.all(jnp.isfinite(new.hessian))
        better = finite & (new.log_density > point.log_density)
        gain = -0.5 * jnp.dot(point.gradient, move)
        small = (gain < 1e-6) & jnp.isfinite(point.log_density)
        point = jax.tree.map(lambda a, b: jnp.where(better, a, b), new, point)
        damping = jnp.clip(jnp.where(better, damping / 5, damping * 5), 1e-9, 1e9)
        return count + 1, point, damping, small | (damping >= 1e9)

    def goes_on(carry):
        count, *_, done = carry
        return (count <= steps) & ~done

    # The first step does not move (its gradient is 0): it evaluates the start, so that the
    # density is traced once.
    flat = Point(z, jnp.asarray(-jnp.inf, dtype), jnp.zeros_like(z), eye)
    start = (0, flat, jnp.ones((), dtype), jnp.zeros((), bool))
    return lax.while_loop(goes_on, step, start)[1]


def _solve(matrix, vector):
    """Solve a positive definite system by Cholesky's method; nan where it is not.

    LAPACK's would keep XLA from compiling the climb as one loop, at half the price.
    """
    size = len(vector)
    rows = jnp.arange(size)

    def column(j, root):
        rest = matrix[:, j] - root @ root[j]
        return root.at[:, j].set(jnp.where(rows >= j, rest / jnp.sqrt(rest[j]), 0.0))

    root = lax.fori_loop(0, size, column, jnp.zeros_like(matrix))

    def forward(j, x):
        return x.at[j].set((vector[j] - root[j] @ x) / root[j, j])

    half = lax.fori_loop(0, size, forward, jnp.zeros_like(vector))

    def backward(k, x):
        j = size - 1 - k
        return x.at[j].set((half[j] - root[:, j] @ x) / root[j, j])

    return lax.fori_loop(0, size, backward, jnp.zeros_like(vector))


def evaluate(model: Model, z: np.ndarray, data: dict, steps: int = 0) -> Point:
    """Return the points reached from z, (curve, start, size), in `steps` Newton steps.

    Blocks of one size, whatever the number of curves, so that one program serves all.
    """
    curves, starts, size = z.shape
    loop = jax.default_backend() == "cpu"
    block = 64 if loop else 4096
    owner = np.repeat(np.arange(curves), starts)
    flat = z.reshape(-1, size)
    pieces = []
    for first in range(0, len(flat), block):
        at = np.arange(first, first + block)
        index = np.minimum(at, len(flat) - 1)
        lanes = jax.tree.map(lambda leaf, at=owner[index]: leaf[at], data)
        own = np.where(at < len(flat), steps, -1)  # what fills the block up costs nothing
        points = jax.device_get(_climb(model, flat[index], lanes, own, loop=loop))
        pieces.append(jax.tree.map(lambda leaf, n=len(flat) - first: leaf[:n], points))
    joined = jax.tree.map(lambda *leaves: np.concatenate(leaves), *pieces)
    return jax.tree.map(lambda leaf: leaf.reshape(curves, starts, *leaf.shape[1:]), joined)


def search(
    model: Model, data: dict, keys: tuple[int, ...], seed: int, starts: int = 64
) -> list[list[Mode]]:
    """Return the distinct modes of each curve, the heaviest first.

    Parameters
    ----------
    data
        Arrays of `Batch.data`.
    keys
        Numbers of the curves (`Batch.keys`), which with `seed` decide the starts.
    starts
        Draws from the prior; the best quarter, at least 16, is polished to the end.
    """
    z = np.stack([prior_draws(model, np.random.default_rng([seed, key]), starts) for key in keys])
    points = _climbed(model, z, data, SCREENED)
    best = np.array([_promising(p, max(16, starts // 4)) for p in _each(points)])
    z = np.take_along_axis(points.z, best[..., None], 1)
    return polish(model, z, data)


def polish(model: Model, z: np.ndarray, data: dict) -> list[list[Mode]]:
    """Return the distinct modes of each curve that are reached from z, (curve, start, size)."""
    return [_distinct(each) for each in _each(_climbed(model, z, data, POLISHED))]


def _climbed(model: Model, z: np.ndarray, data: dict, steps: int) -> Point:
    """Return the points reached from z in `steps` of Newton's method.

    Of a large model in three times as many of L-BFGS, and the last tenth of Newton's.
    """
    if model.size <= LARGE:
        return evaluate(model, z, data, steps)
    return evaluate(model, descend(model, z, data, 3 * steps), data, steps // 10)


def _each(points: Point) -> Iterator[Point]:
    """Yield the points of one curve at a time."""
    return (jax.tree.map(lambda leaf, i=i: leaf[i], points) for i in range(len(points.z)))


def _promising(points: Point, count: int) -> np.ndarray:
    """Return the positions of `count` starts to polish: the best that lie apart come first.

    The best by density alone may all be on their way to one mode.
    """
    order = np.argsort(-np.nan_to_num(points.log_density, nan=-np.inf))
    apart: list[int] = []
    for i in order:
        away = points.z[i] - points.z[apart]
        metric = points.hessian[apart]
        if (np.einsum("ij,ijk,ik->i", away, metric, away) > 1).all():
            apart.append(i)
    return np.array([*apart, *(i for i in order if i not in apart)][:count])


def _distinct(points: Point) -> list[Mode]:
    """Return the modes among `points` that differ by more than one standard deviation."""
    modes: list[Mode] = []
    for i in np.argsort(-points.log_density):
        if not np.isfinite(points.log_density[i]):
            continue
        mode = _mode(jax.tree.map(lambda leaf, i=i: leaf[i], points))
        if all(np.linalg.norm(np.linalg.solve(m.scale, mode.z - m.z)) > 1 for m in modes):
            modes.append(mode)
    return sorted(modes, key=lambda mode: -mode.log_evidence)


def _mode(point: Point) -> Mode:
    """Return a mode with the root of its covariance.

    Eigenvalues of the Hessian are kept above .03: no direction is taken to be wider than about
    three times a standardised prior, not even where the density is flat or curved upwards.
    """
    values, vectors = np.linalg.eigh(np.asarray(point.hessian, float))
    values = np.maximum(values, 0.03)
    scale = (vectors / np.sqrt(values)) @ vectors.T
    half = 0.5 * len(values) * np.log(2 * np.pi)
    evidence = float(point.log_density) + half - 0.5 * np.log(values).sum()
    return Mode(point.z, float(point.log_density), scale, evidence)


def best_of(modes: list[Mode], model: Model) -> Mode:
    """Return the heaviest mode; where no start had a finite density, the origin, marked so."""
    if modes:
        return modes[0]
    return Mode(np.zeros(model.size), -np.inf, np.eye(model.size), -np.inf)
