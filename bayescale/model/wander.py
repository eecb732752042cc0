"""wander: the density of rows about a law with its misfit integrated out, and draws of the misfit.

Rows lie about the law by r = B q c + e: B the basis, q the rates, c ~ Normal(0, I) the bends. Under
a noise that is normal (of the log), with w and A the rows of r and B q in units of their scale,

    log p(r) = sum log N(w_i) - log|M|/2 + |M^(-1/2) A^T w|^2/2,  M = I + A^T A,

(Woodbury), and c given the rows is Normal(M^-1 A^T w, M^-1). Where all rows have one scale s and
there is one rate, B = U S V^T once and for all, and M is diagonal: 1 + (q S/s)^2; where there are
several, B^T B is known once and for all. Rows of runs are not independent: A and w are whitened, so
that the rows of a run and what they share are told apart from what all rows share. Bends beyond the
data no row feels: they stay as they are.

Rows below a detection limit l, in their own units, come after, one by one. Given the rows before it
c is taken for Normal(m, V); with a the row of A and t = (l - a m)/s,

    P = Phi(t), s^2 = 1 + a V a;  m -> m - V a h/s,  V -> V - V a a^T V h (h + t)/s^2,  h = phi/Phi,

the moments of the truncated normal (Mendell and Elston 1974, Biometrics 30, 41). P of one such row
is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.linalg import cho_solve, solve_triangular
from jax.scipy.special import log_ndtr
from jax.scipy.stats import norm
from jaxtyping import Array, Float
from numpyro.distributions import Distribution

from ..parametric.parametric import Law, Noise
from .located import located
from .programs import by_blocks, compiled
from .runs import log_densities, products

__all__ = ["ahead_variance", "is_lognormal", "log_marginal", "sample_bends", "wander_of"]

Along = tuple[Any, Any] | None
"""Of rows of runs `Model.along`: gaps, and the sd between runs."""


@cache
def is_lognormal(noise: Noise) -> bool:
    """Return whether a noise is normal in the log, by what it is about a mean of one half."""
    half = jnp.full(2, 0.5)
    given = {name: jnp.full(noise.shape(name), 0.5) for name in noise.parameters}
    if not set(noise.inputs) <= {"mean", "stderr"}:
        return False
    found = located(noise.fn(*(half for _ in noise.inputs), **given))
    return found is not None and found.of_logs and type(found.base) is dist.Normal


def wander_of(law: Law, lane: Mapping[str, Any]) -> dict[str, Any]:
    """Return the basis of a law's misfit at the rows of one curve, turned where it may be."""
    assert law.wander is not None
    edges = {f"edge_{x}": np.exp(span[1]) for x, span in lane["span"].items()}
    edges |= {f"middle_{x}": np.exp(np.mean(span)) for x, span in lane["span"].items()}
    columns = [lane["inputs"][name] for name in law.inputs]
    with jax.enable_x64(True):
        known = {name: edges[name] for name in law.wander.edges}
        whole = np.asarray(law.wander.basis(*map(jnp.asarray, columns), **known))
    felt, below = whole[:, ~law.wander.ahead], lane["mask"] & lane.get("below", False)
    basis = np.where((lane["mask"] & ~below)[:, None], felt, 0.0)
    if below.any():
        at = np.flatnonzero(below)
        at = np.pad(at, (0, (1 << (len(at) - 1).bit_length()) - len(at)), mode="edge")
        own = np.arange(len(at)) < below.sum()
        return {"basis": basis, "under": {"at": at, "own": own, "basis": felt[at]}}
    if lane["stderr"].any() or "first" in lane:
        return {"basis": basis}
    if len(law.wander.edges) > 1:
        return {"basis": basis, "gram": basis.T @ basis}
    turned, sizes, _ = np.linalg.svd(basis, full_matrices=False)
    return {"basis": basis, "turned": turned, "sizes": sizes}


def _whitened(found: Distribution, data: Mapping[str, Any]) -> tuple[Array, Array]:
    """Return the rows' residuals in units of their scale, and these scales."""
    noise = located(found)
    assert noise is not None  # the model was checked
    value = noise.value(data["observed"])
    scale = jnp.broadcast_to(noise.base.scale, value.shape)
    return (value - noise.base.loc) / scale, scale


def _solved(
    found: Distribution, rates: Array, data: Mapping[str, Any], along: Along
) -> tuple[Array, Array]:
    """Return the root of M, and A^T w, of the bends that rows feel."""
    if along is not None:
        inner, seen = products(found, data["observed"], data["basis"], data, *along)
        return _root(rates[:, None] * inner * rates[None]), rates * seen
    w, scale = _whitened(found, data)
    w = jnp.where(_measured(data), w, 0.0)
    if "gram" in data:
        each = rates / scale[0]
        return _root(each[:, None] * data["gram"] * each[None]), each * (w @ data["basis"])
    A = data["basis"] * rates[None] / scale[:, None]
    return _root(A.T @ A), A.T @ w


def _root(inner: Array) -> Array:
    """Return the root of M = I + A^T A."""
    return jnp.linalg.cholesky(jnp.eye(len(inner), dtype=inner.dtype) + inner)


def log_marginal(
    found: Distribution, rates: Float[Array, " felt"], data: Mapping[str, Any], along: Along
) -> Array:
    """Return the log density of all rows of one curve, the bends integrated out.

    Parameters
    ----------
    found
        The noise about the law without bends.
    rates
        Of the bends that rows feel.
    along
        Where rows are of runs, how far each is from the one before, and the sd between runs.
    """
    if along is not None:
        alone = jnp.sum(log_densities(found, data["observed"], data, *along))
    else:
        alone = jnp.sum(jnp.where(_measured(data), found.log_prob(data["observed"]), 0.0))
    if "turned" in data:
        w, scale = _whitened(found, data)
        w = jnp.where(data["mask"], w, 0.0)
        gain = (rates[0] * data["sizes"] / scale[0]) ** 2
        seen = w @ data["turned"]
        return alone + 0.5 * jnp.sum(gain / (1 + gain) * seen**2 - jnp.log1p(gain))
    root, seen = _solved(found, rates, data, along)
    half = solve_triangular(root, seen, lower=True)
    alone += 0.5 * half @ half - jnp.sum(jnp.log(jnp.diagonal(root)))
    return alone + _below(found, rates, data, root, seen)[0] if "under" in data else alone


def _measured(data: Mapping[str, Any]) -> Any:
    """Return which rows were measured: neither padding nor below a limit."""
    return data["mask"] & ~data["below"] if "below" in data else data["mask"]


def _below(
    found: Distribution, rates: Array, data: Mapping[str, Any], root: Array, seen: Array
) -> tuple[Array, Array, Array]:
    """Return the log probability of what lies below its limit, and mean and covariance of bends."""
    at, own, basis = (data["under"][name] for name in ("at", "own", "basis"))
    limit, scale = (each[at] for each in _whitened(found, data))
    covariance = cho_solve((root, True), jnp.eye(len(seen), dtype=seen.dtype))

    def add(carry, row):
        total, mean, covariance = carry
        a, limit, own = row
        shared = covariance @ a
        s = jnp.sqrt(1 + a @ shared)
        t = (limit - a @ mean) / s
        log_p = log_ndtr(t)
        h = jnp.exp(norm.logpdf(t) - log_p)
        mean -= jnp.where(own, h / s, 0.0) * shared
        less = jnp.where(own, jnp.clip(h * (h + t), 0.0, 1.0) / s**2, 0.0)
        covariance -= less * jnp.outer(shared, shared)
        return (total + jnp.where(own, log_p, 0.0), mean, covariance), None

    start = (jnp.zeros((), seen.dtype), covariance @ seen, covariance)
    A = basis * rates[None] / scale[:, None]
    return jax.lax.scan(add, start, (A, limit, own))[0]


def sample_bends(
    found: Distribution,
    rates: Array,
    data: Mapping[str, Any],
    along: Along,
    normal: Float[Array, " felt"],
) -> Float[Array, " felt"]:
    """Return a draw of the bends that rows feel, from standard normal numbers."""
    root, seen = _solved(found, rates, data, along)
    if "under" in data:
        _, mean, covariance = _below(found, rates, data, root, seen)
        return mean + jnp.linalg.cholesky(covariance) @ normal
    return cho_solve((root, True), seen) + solve_triangular(root, normal, lower=True, trans=1)


def ahead_variance(law: Law, params: Mapping[str, Any], inputs: Mapping[str, Any]) -> np.ndarray:
    """Return what the bends beyond the data, which no row tells of, add to log y, (draw, point).

    Parameters
    ----------
    params
        Draws of the law's parameters in natural units, (draw, ...).
    inputs
        Scales in natural units, (point,) each.
    """
    assert law.wander is not None
    own = {name: params[name] for name in law.parameters}
    at = {name: inputs[name] for name in law.inputs}
    with jax.enable_x64(True):
        found = by_blocks(lambda each: _bent(law, each, at), own)
    return np.square(found[..., law.wander.ahead]).sum(-1)


@compiled(static_argnames=("law",))
def _bent(law: Law, params, inputs):
    """Return what a bend of 1 adds to log y, (draw, point, bend)."""
    wander = law.wander
    assert wander is not None

    def one(params):
        edges = {name: params[name] for name in wander.edges}
        return (
            wander.basis(*(inputs[name] for name in law.inputs), **edges)
            * wander.rates(params)[None]
        )

    return jax.vmap(one)(params)
