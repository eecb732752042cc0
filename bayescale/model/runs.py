"""runs: the joint density of rows that are of one run, and draws of whole runs.

r_i = b + e_i about the law, on the scale of the noise (the log of a loss): b ~ Normal(0, sd) is the
run's, e_i a Markov chain along the run's rows, e_i | e_(i-1) ~ noise(rho_i e_(i-1),
sqrt(1 - rho_i^2) scale_i), each in units of its row's own scale. Whatever noise has a location and
a scale takes it. Known standard errors are part of that scale: of two errors of a row, its run's
and its measurement's, only the sum is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float
from numpyro.distributions import Distribution

from .located import Located, located
from .sampling import sample_each

__all__ = ["log_densities", "of_new_run", "products", "sample_runs"]

NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
LOG_WEIGHTS = np.log(_WEIGHTS) + NODES**2 / 2
REACH = 1.5
"""Width of the nodes in standard deviations of a normal run effect: tails of others are longer."""
ROUNDS, HEAVY = 3, 4.0
"""Of least squares that find it, with the weights of a Student-t of so many degrees of freedom."""


class _Rows(NamedTuple):
    """How one goes along runs and sums over them, as their rows are laid out."""

    laid: Any
    """An array of the places -> one as the functions below take it."""
    before: Any
    """A value of each row -> that of the row before it."""
    total: Any
    """A value of each row -> its sums over runs, (..., run)."""
    wide: Any
    """A value of each run -> that of each row's run."""


def _rows(data: Mapping[str, Any]) -> _Rows:
    mask, runs = data["mask"], len(data["sizes"])
    if "run" in data:
        add = partial(jax.ops.segment_sum, num_segments=runs, indices_are_sorted=True)
        return _Rows(
            laid=lambda x: x,
            before=lambda x: jnp.concatenate([x[:1], x[:-1]]),
            total=lambda x: add(jnp.where(_as(x, mask), x, 0.0).T, data["run"]).T,
            wide=lambda b: b[..., data["run"]],
        )
    grid = jnp.reshape(mask, (runs, -1))
    return _Rows(
        laid=lambda x: jnp.broadcast_to(x, mask.shape).reshape(grid.shape),
        before=lambda x: jnp.concatenate([x[:, :1], x[:, :-1]], 1),
        total=lambda x: jnp.sum(jnp.where(_as(x, grid), x, 0.0), -1),
        wide=lambda b: b[..., None],
    )


def _as(x: Array, mask: Array) -> Array:
    """Return the mask with the leading axes that x has before it."""
    return mask.reshape(*(1,) * (jnp.ndim(x) - mask.ndim), *mask.shape)


class _Along(NamedTuple):
    """Rows in units of what each adds to the one before it, as they are laid out."""

    residual: Any
    """w of the residuals."""
    one: Any
    """u: what an effect of 1 of the run is."""
    of: Any
    """An array of the places, on the scale of the noise -> the same of it."""


def _along(
    found: Distribution, observed: Array, data: Mapping[str, Any], gap: Array
) -> tuple[Located, _Rows, _Along, Array]:
    """Return the noise, how one goes along runs, the rows whitened and their log volume."""
    noise, rows = located(found), _rows(data)
    assert noise is not None  # the model was checked
    value = noise.value(observed)
    of_link = rows.laid(noise.volume(value, observed))
    scale, gap, first = (rows.laid(x) for x in (noise.base.scale, gap, data["first"]))
    rho = jnp.where(first, 0.0, jnp.exp(-gap))
    square = jnp.where(first, 1.0, -jnp.expm1(-2 * gap))

    def innovation(x):
        x = rows.laid(x) / scale
        return (x - rho * rows.before(x)) * lax.rsqrt(square)

    along = _Along(innovation(value - noise.base.loc), innovation(1.0), innovation)
    return noise, rows, along, 0.5 * jnp.log(square) + jnp.log(scale) + of_link


def products(
    found: Distribution,
    observed: Array,
    basis: Float[Array, "place bend"],
    data: Mapping[str, Any],
    gap: Array,
    sd: Array | None,
) -> tuple[Float[Array, "bend bend"], Float[Array, " bend"]]:
    """Return B' V^-1 B and B' V^-1 r of rows whose residuals r have the covariance V.

    Of whitened rows it is 1 + sd^2 u u' in each run, whose inverse takes sd^2 u u'/(1 + sd^2 U)
    off (Sherman and Morrison). Of a noise that is normal, or is so of the log.
    """
    _, rows, along, _ = _along(found, observed, data, gap)
    share = 0.0 if sd is None else sd * lax.rsqrt(1 + sd**2 * rows.total(along.one**2))

    def parts(white):
        """Return what lies along rows, and what along the effects of runs."""
        own = jnp.where(rows.laid(data["mask"]), white, 0.0)
        return jnp.ravel(own), share * rows.total(own * along.one)

    bent, of_runs = jax.vmap(lambda bend: parts(along.of(bend)))(basis.T)
    w, own = parts(along.residual)
    return bent @ bent.T - of_runs @ of_runs.T, bent @ w - of_runs @ own


def log_densities(
    found: Distribution, observed: Array, data: Mapping[str, Any], gap: Array, sd: Array | None
) -> Float[Array, " run"]:
    """Return the log density of each run, by its number; 0 beyond the last.

    Whitened, rows are w_i = b u_i + innovation, with w and u the residuals and the ones after
    (x_i - rho_i x_(i-1)) / sqrt(1 - rho_i^2), each in units of its row's scale. Of normal ones

        log p = sum log N(w_i) - log(1 + sd^2 U)/2 + sd^2 W^2/(1 + sd^2 U)/2 + volume,
        U = sum u_i^2, W = sum u_i w_i

    by Sherman and Morrison: nothing is factored. Of others b is integrated out by Gauss-Hermite
    quadrature about where a heavy-tailed noise has it.

    Parameters
    ----------
    found
        The noise about the law, of each row as if it were alone.
    data
        What `layout` says of the runs, and `mask`.
    gap
        To the row before, in units of the length of memory.
    sd
        Of the effect of a run, None without one.
    """
    noise, rows, along, volume = _along(found, observed, data, gap)
    w, u = along.residual, along.one
    standard = noise.standard.log_prob
    if sd is None:
        return rows.total(standard(w) - volume)
    if type(noise.base) is dist.Normal:
        alone, U, W = rows.total(standard(w) - volume), rows.total(u * u), rows.total(u * w)
        gain = 1 + sd**2 * U
        return alone - 0.5 * jnp.log(gain) + 0.5 * sd**2 * W**2 / gain
    middle, width = _about(rows, *lax.stop_gradient((w, u, sd)))
    nodes, weights = (jnp.asarray(x, width.dtype)[:, None] for x in (NODES, LOG_WEIGHTS))
    b = middle[None] + width[None] * nodes
    given = rows.total(standard(w[None] - rows.wide(b) * u[None]) - volume[None])
    given += weights + jnp.log(width / sd)[None] - 0.5 * ((b / sd) ** 2 + np.log(2 * np.pi))
    return jnp.where(data["sizes"] > 0, logsumexp(given, 0), 0.0)


def _about(rows: _Rows, w: Array, u: Array, sd: Array) -> tuple[Array, Array]:
    """Return where the effect of each run is expected, and how wide to look about it, (run,).

    By rounds of weighted least squares in which rows far off count less. Where nodes lie is no
    matter of the density, so that no gradient goes through it.
    """
    weight = jnp.ones_like(w)
    for _ in range(ROUNDS):
        gain = 1 + sd**2 * rows.total(weight * u * u)
        middle = sd**2 * rows.total(weight * u * w) / gain
        weight = (HEAVY + 1) / (HEAVY + (w - rows.wide(middle) * u) ** 2)
    return middle, REACH * sd / jnp.sqrt(gain)


class OfNewRun(Distribution):
    """What is observed of a run that is not among the rows: a noise about its own level."""

    def __init__(self, noise: Located, sd: Any):
        self.noise, self.sd = noise, sd
        super().__init__(jnp.shape(noise.base.loc))

    def sample(self, key, sample_shape=()):
        """Return draws."""
        first, second = jax.random.split(key)
        b = self.sd * jax.random.normal(first, (*sample_shape, *self.batch_shape))
        return self.noise.moved(b).sample(second)

    def log_prob(self, value):
        """Return the log density, by Gauss-Hermite quadrature."""
        nodes = jnp.asarray(NODES, jnp.result_type(self.noise.base.loc))
        nodes = nodes.reshape(-1, *(1,) * len(self.batch_shape))
        given = self.noise.moved(self.sd * nodes).log_prob(value)
        weights = (LOG_WEIGHTS - (NODES**2 + np.log(2 * np.pi)) / 2).reshape(nodes.shape)
        return logsumexp(given + jnp.asarray(weights, nodes.dtype), 0)


def of_new_run(found: Distribution, sd: Any) -> Distribution:
    """Return what is observed of a new run at each row, each row a run of its own."""
    noise = located(found)
    if sd is None or noise is None:
        return found
    if type(noise.base) is not dist.Normal:
        return OfNewRun(noise, sd)
    base = dist.Normal(noise.base.loc, jnp.hypot(noise.base.scale, sd))
    return noise.about(base)


def sample_runs(
    found: Distribution,
    data: Mapping[str, Any],
    gap: Any,
    sd: Any,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return draws of whole runs in the place of the rows, (draw, row).

    Parameters
    ----------
    found
        The noise of each draw and row, as `vmap` made it.
    gap, sd
        As in `log_densities`, (draw, row) and (draw,).
    """
    noise = located(found)
    assert noise is not None
    first, gap = np.asarray(data["first"]), np.asarray(gap)
    runs = len(data["sizes"])
    run = data["run"] if "run" in data else np.repeat(np.arange(runs), len(first) // runs)
    rho = np.where(first, 0.0, np.exp(-gap))
    value = np.sqrt(1 - rho**2) * sample_each(noise.filled(gap), rng)
    for row in np.flatnonzero(~first):
        value[:, row] += rho[:, row] * value[:, row - 1]
    value = np.asarray(noise.base.loc) + np.asarray(noise.base.scale) * value
    if sd is not None:
        value += np.asarray(sd)[:, None] * rng.normal(size=(len(value), runs))[:, run]
    return np.asarray(noise.observed(value), float)
