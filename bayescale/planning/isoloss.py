"""What it takes to reach a loss: the numbers behind `match`.

Closed forms for a sum of two powers, bisection in log N and log D for any other law.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ..laws.powers import closed_form
from ..model.programs import compiled
from .surface import GRID, Cost, Surface, bisect, functions, lowest

__all__ = ["extremes", "tokens_for"]

KEYS = ("params", "tokens", "flops")


@compiled(static_argnames=("law",))
def _iso(law, params, others, target, log_n, span):
    """Return log D that reaches the target at each size, (draw, size); inf where none does."""
    _, worse = functions(law, None, 0.0, others)

    def one(params, target, n):
        return _data_to_reach(partial(worse, params), target, n, span)

    return jax.vmap(jax.vmap(one, (None, None, 0)), (0, 0, None))(params, target, log_n)


def _data_to_reach(worse, target, n, span):
    d = bisect(lambda d: target - worse(n, d), span[2], span[3])
    return jnp.where(worse(n, span[3]) <= target, d, jnp.inf)


@compiled(static_argnames=("law", "fn"))
def _search(law, fn, served, params, others, target, best, extra, span):
    """Return (log N, log D, log cost) of the cheapest and of the smallest way, (draw,) each.

    `best` is log N of the cheapest where it is known, nan where it is to be found.
    """
    log_cost, worse = functions(law, fn, served, others)

    def one(params, target, best):
        def data_for(n):
            return _data_to_reach(partial(worse, params), target, n, span)

        def spent(n):
            d = data_for(n)
            within = jnp.isfinite(d)
            return jnp.where(within, log_cost(n, jnp.where(within, d, span[3])), jnp.inf)

        grid = jnp.linspace(span[0], span[1], GRID)
        values = jax.vmap(spent)(grid)
        middle = grid[jnp.argmin(values)]

        def slope(n, before, after):
            d = data_for(n)
            within = jnp.isfinite(d)
            d = jnp.where(within, d, span[3])
            by_n, by_d = jax.grad(partial(worse, params), (0, 1))(n, d)
            cost_n, cost_d = jax.grad(log_cost, (0, 1))(n, d)
            return jnp.where(within, cost_n - cost_d * by_n / by_d, n - middle)

        found, _ = lowest(grid, values, slope)
        best = jnp.where(jnp.isnan(best), found, best)
        least = spent(best)
        small = bisect(lambda n: least + jnp.log1p(extra) - spent(n), span[0], best)
        ways = [(n, data_for(n), spent(n)) for n in (best, small)]
        return jax.tree.map(lambda v: jnp.where(jnp.isfinite(least), v, jnp.inf), ways)

    return jax.vmap(one)(params, target, best)


def extremes(
    on: Surface, cost: Cost, target: np.ndarray, extra: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the cheapest way to the target and the smallest within `extra` of its cost.

    Each is N, D and cost, (draw,), as `params`, `tokens`, `flops`; inf where out of reach.
    """
    best = np.full(len(target), np.nan)
    form = closed_form(on.law, on.params)
    if form is not None and cost.plain:
        rest = form.rest(target)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.log(rest * form.beta / (form.alpha + form.beta))
        best = np.where(rest > 0, (form.log_A - share) / form.alpha, np.nan)
    shortfall = -on.law.sign * target
    given = (cost.inference_tokens, dict(on.params), dict(on.others), shortfall, best, extra)
    with jax.enable_x64(True):
        ways = jax.device_get(_search(on.law, cost.fn, *given, on.span))
    best, small = ({k: np.exp(v) for k, v in zip(KEYS, way, strict=True)} for way in ways)
    return best, small


def tokens_for(on: Surface, target: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return D that reaches the target at each size, (draw, size); inf where none does."""
    form = closed_form(on.law, on.params)
    if form is not None:
        log_A, log_B, alpha, beta = (v[:, None] for v in form[:4])
        left = form.rest(target)[:, None] - np.exp(log_A - alpha * np.log(sizes))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where(left > 0, np.exp((log_B - np.log(left)) / beta), np.inf)
    given = (dict(on.params), dict(on.others), -on.law.sign * target, np.log(sizes), on.span)
    with jax.enable_x64(True):
        return np.exp(jax.device_get(_iso(on.law, *given)))
