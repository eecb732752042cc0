"""runs: the joint density of rows that are of one run, and draws of whole runs.

r_i = b + e_i about the law, on the scale of the noise (the log of a loss): b ~ Normal(0, sd) is the
run's, e_i a Markov chain along the run's rows, e_i | e_(i-1) ~ noise(rho_i e_(i-1),
sqrt(1 - rho_i^2) scale_i), each in units of its row's own scale. Whatever noise has a location and
a scale takes it. Known standard errors are part of that scale: of two errors of a row, its run's
and its measurement's, only the sum is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float
from numpyro.distributions import Distribution

from ..parametric.parametric import Noise
from .sampling import sample_each

__all__ = ["has_location", "located", "log_densities", "of_new_run", "sample_runs"]

NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
LOG_WEIGHTS = np.log(_WEIGHTS) + NODES**2 / 2
REACH = 1.2
"""Width of the nodes in standard deviations of a normal run effect: tails of others are longer."""
ROUNDS, HEAVY = 4, 4.0
"""Of least squares that find it, with the weights of a Student-t of so many degrees of freedom."""


class Located(NamedTuple):
    """A noise as location plus scale times a standard variable, of the response or its log."""

    base: Distribution
    log: bool

    @property
    def standard(self) -> Distribution:
        """The standard variable."""
        return self._at(jnp.zeros_like(self.base.loc), jnp.ones_like(self.base.scale))

    def moved(self, by: Any) -> Distribution:
        """The noise with its location moved."""
        base = self._at(self.base.loc + by, self.base.scale)
        return dist.TransformedDistribution(base, EXP) if self.log else base

    def _at(self, loc: Any, scale: Any) -> Distribution:
        given = {name: getattr(self.base, name) for name in self.base.arg_constraints}
        return type(self.base)(**given | {"loc": loc, "scale": scale})


EXP = dist.transforms.ExpTransform()
FAMILIES = (dist.Normal, dist.StudentT, dist.Laplace, dist.Logistic, dist.Cauchy, dist.Gumbel)


def located(found: Distribution) -> Located | None:
    """Return a noise's distribution as a `Located`; None where it has no location and scale."""
    log = isinstance(found, dist.TransformedDistribution)
    if log and [type(each) for each in found.transforms] != [type(EXP)]:
        return None
    base = found.base_dist if log else found
    return Located(base, log) if type(base) in FAMILIES else None


@cache
def has_location(noise: Noise) -> bool:
    """Return whether a noise is `located`, by what it is about a mean of one half."""
    if noise.nodes or noise.counts:
        return False
    half = jnp.full(2, 0.5)
    given = {name: jnp.full(noise.shape(name), 0.5) for name in noise.parameters}
    columns = [jnp.zeros(2) if name == "stderr" else half for name in noise.inputs]
    return located(noise.fn(*columns, **given)) is not None


class _White(NamedTuple):
    """Rows of runs, whitened: w - b u are independent, b the effect of the row's run."""

    w: Any
    u: Any
    log_volume: Any
    """Of each row, what its density loses by that."""


def _whitened(noise: Located, observed: Any, data: Mapping[str, Any], gap: Any) -> _White:
    """Return the innovations along each run; `gap` is in units of the length of memory."""
    scale = noise.base.scale
    value = jnp.log(observed) if noise.log else observed
    first = data["first"]
    rho = jnp.where(first, 0.0, jnp.exp(-gap))
    spread = jnp.where(first, 1.0, -jnp.expm1(-2 * gap)) ** 0.5

    def innovation(x):
        before = jnp.concatenate([x[:1], x[:-1]])
        return (x - rho * before) / spread

    volume = jnp.log(spread) + jnp.log(scale) + (value if noise.log else 0.0)
    return _White(innovation((value - noise.base.loc) / scale), innovation(1 / scale), volume)


def log_densities(
    found: Distribution, observed: Array, data: Mapping[str, Any], gap: Array, sd: Array | None
) -> Float[Array, " row"]:
    """Return the log density of each run, in the place of its number; 0 beyond the last.

    Parameters
    ----------
    found
        The noise about the law, of each row as if it were alone.
    data
        `run` (numbers of runs, rows of one together and in order), `first` and `mask`.
    gap
        To the row before, in units of the length of memory.
    sd
        Of the effect of a run, None without one. It is integrated out: exactly where the noise is normal, else by
        Gauss-Hermite quadrature about where a heavy-tailed noise has it.
    """
    noise, mask = located(found), data["mask"]
    assert noise is not None  # the model was checked
    white = _whitened(noise, observed, data, gap)
    standard = noise.standard

    def by_run(values):
        return jax.ops.segment_sum(
            values, data["run"], len(observed), indices_are_sorted=True, mode="drop"
        )

    def seen(values):
        return jnp.where(mask, values, 0.0)

    if sd is None:
        return by_run(seen(standard.log_prob(white.w) - white.log_volume))
    if type(standard) is dist.Normal:
        rows = seen(standard.log_prob(white.w) - white.log_volume)
        parts = jnp.stack([rows, seen(white.u * white.u), seen(white.u * white.w)], -1)
        alone, U, W = by_run(parts).T
        gain = 1 + sd**2 * U
        return alone - 0.5 * jnp.log(gain) + 0.5 * sd**2 * W**2 / gain
    middle, width = _about(white, data["run"], seen, by_run, sd)
    b = middle + width * jnp.asarray(NODES, width.dtype)[:, None]
    away = white.w - b[:, data["run"]] * white.u
    given = by_run(seen(standard.log_prob(away) - white.log_volume).T).T
    given += dist.Normal(jnp.zeros_like(sd), sd).log_prob(b) + jnp.log(width)
    given += jnp.asarray(LOG_WEIGHTS, width.dtype)[:, None]
    return jnp.where(by_run(seen(jnp.ones_like(white.w))) > 0, logsumexp(given, 0), 0.0)


def _about(white: _White, run: Any, seen: Any, by_run: Any, sd: Any) -> tuple[Any, Any]:
    """Return where the effect of each run is expected, and how wide to look about it, (run,).

    By rounds of weighted least squares in which rows far off count less. Where nodes lie is no
    matter of the density, so that no gradient goes through it.
    """
    w, u, sd = map(jax.lax.stop_gradient, (white.w, white.u, sd))
    weight = jnp.ones_like(w)
    for _ in range(ROUNDS):
        U, W = by_run(jnp.stack([seen(weight * u * u), seen(weight * u * w)], -1)).T
        middle = sd**2 * W / (1 + sd**2 * U)
        weight = (HEAVY + 1) / (HEAVY + (w - middle[run] * u) ** 2)
    return middle, REACH * sd / jnp.sqrt(1 + sd**2 * U)


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
    return dist.TransformedDistribution(base, EXP) if noise.log else base


def sample_runs(
    found: Distribution,
    data: Mapping[str, Any],
    gap: np.ndarray,
    sd: np.ndarray | None,
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
    first, run = np.asarray(data["first"]), np.asarray(data["run"])
    e = sample_each(noise.standard, rng)
    rho = np.where(first, 0.0, np.exp(-np.asarray(gap)))
    e = e * np.sqrt(1 - rho**2)
    for row in np.flatnonzero(~first):
        e[:, row] += rho[:, row] * e[:, row - 1]
    value = np.asarray(noise.base.loc) + np.asarray(noise.base.scale) * e
    if sd is not None:
        value = value + np.asarray(sd)[:, None] * rng.normal(size=e.shape)[:, run]
    return np.exp(value) if noise.log else value
