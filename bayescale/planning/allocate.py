"""allocate: how to split a compute budget between parameters N and tokens D, and how both grow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.notes import concerning
from ..laws.powers import closed_form
from ..messages import Note
from ..model.programs import compiled
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, plain, summarise
from ..posterior.pointwise import said_of_prior
from ..posterior.posterior import said_of_group
from ..questions.remarks import said_of_misfit
from . import shown
from .asked import fit_of
from .surface import FINE, GRID, STEPS, Cost, Surface, bisect, functions, lowest, make_cost, surface

if TYPE_CHECKING:
    import pandas

__all__ = ["Allocation", "allocate"]


GROWTH = 10.0  # growth factors are for ten times the budget
STEP = 0.01  # of log C, either way, for local exponents
EDGE = 0.01  # share of draws at a bound of the search from which it is said


@dataclass(frozen=True, eq=False, repr=False)
class Allocation(Shown):
    """The best split of each budget, for every draw."""

    flops: np.ndarray
    """Budgets C, (budget,)."""
    params: np.ndarray
    """Optimal N, (draw, budget)."""
    tokens: np.ndarray
    """Optimal D, (draw, budget)."""
    loss: np.ndarray
    """What the law says at the optimum, (draw, budget)."""
    a: np.ndarray
    """d log N / d log C at the optimum, (draw, budget); for `chinchilla` beta/(alpha + beta)."""
    b: np.ndarray
    """d log D / d log C, (draw, budget)."""
    growth_params: np.ndarray
    """Factor by which N grows when the budget grows ten times, (draw, budget)."""
    growth_tokens: np.ndarray
    """The same for D."""
    cost: str
    """What is counted as compute."""
    method: str
    """`closed form` or `minimisation`."""
    decades: np.ndarray
    """How far the median optimum lies beyond the data, (budget,), 0 within."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""

    @property
    def tokens_per_param(self) -> np.ndarray:
        """D/N at the optimum, (draw, budget)."""
        return self.tokens / self.params

    def _columns(self) -> dict[str, np.ndarray]:
        return {
            "N": self.params,
            "D": self.tokens,
            "tokens_per_param": self.tokens_per_param,
            "loss": self.loss,
            "a": self.a,
            "b": self.b,
            "N_growth": self.growth_params,
            "D_growth": self.growth_tokens,
        }

    def _by_budget(self, mass: float) -> list[dict[str, dict[str, float]]]:
        columns = self._columns().items()
        return [
            {name: summarise(draws[:, i], mass) for name, draws in columns}
            for i in range(len(self.flops))
        ]

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `budgets`, one each, and what is counted as cost."""
        budgets = [
            {"flops": self.flops[i], **spreads, "decades_beyond": self.decades[i]}
            for i, spreads in enumerate(self._by_budget(INTERVAL))
        ]
        same = {name: getattr(self, name) for name in ("cost", "method", "notes")}
        return plain({"budgets": budgets} | same)

    def sheets(self) -> list[Sheet]:
        """Return the best split of each budget."""
        return shown.allocation(self.summary())

    def table(self, mass: float = INTERVAL) -> pandas.DataFrame:
        """Return one row a budget and quantity: median, lo and hi, indexed by both."""
        import pandas as pd

        by_budget = zip(self.flops, self._by_budget(mass), strict=True)
        rows = {(flops, name): v for flops, of in by_budget for name, v in of.items()}
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.index = pd.MultiIndex.from_tuples(rows, names=["flops", "quantity"])
        return table.loc[:, ["median", "lo", "hi"]]


def allocate(
    posterior: Any,
    flops: Any,
    *,
    cost: Callable[[Any, Any], Any] | str | None = None,
    inference_tokens: float = 0.0,
    at: Mapping[str, Any] | None = None,
    allow_failed: bool = False,
) -> Allocation:
    """Return the split of compute budgets between N and D that has the best loss.

    Parameters
    ----------
    posterior
        A fit of a law of N and D, or a `forecast`, whose law knows that it may be wrong: then the
        split is as wide as that leaves it.
    flops
        Budgets C, a number or several; see `budget` for "1000 gpu-days".
    cost
        cost(N, D) in the budget's unit, in JAX operations, rising with N and D, or the same as text
        ("6e18*N*D"); 6 N D by default, for scales that are parameters and tokens.
    inference_tokens
        Tokens that the model will serve, at 2 N FLOP each, paid from the same budget.
    at
        The law's other inputs, such as `{"U": 1e11}`, by input name or column.

    Returns
    -------
    Allocation
        Parameters, tokens and loss for every draw and budget, and how fast both grow.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`.
    ValueError
        If the law does not take N and D, or a budget, the cost or another input is unusable; a
        DataError if 6 N D is meant and the scales are no parameters and tokens.

    Notes
    -----
    With r(L) = A N^-alpha + B D^-beta (`chinchilla`, `kaplan`) and C = 6 N D,

        N = G (C/6)^(beta/(alpha+beta)),  D = (C/6)/N,  G = (alpha A/(beta B))^(1/(alpha+beta))

    (Hoffmann et al. 2022, arXiv 2203.15556, equation 4). Otherwise D follows from N and the budget
    by bisection, and N is where the loss along the budget is least: the lowest point of a grid,
    then bisection on the sign of the derivative, which settles N to 1e-12 where a comparison of
    losses would settle it to 1e-7.

    Examples
    --------
    >>> plan = bs.allocate(chinchilla_fit, [1e21, 1e22])
    >>> plan.params.shape  # (draw, budget)
    (4000, 2)
    >>> ratio = plan.tokens[:, 1] / plan.params[:, 1]
    >>> bool(1 < np.median(ratio) < 100)
    True
    """
    try:
        budgets = np.atleast_1d(np.asarray(flops, float))
    except (TypeError, ValueError):
        raise ValueError(
            f"budgets are numbers of FLOP, got {flops!r}; budget(...) reads words"
        ) from None
    if budgets.ndim > 1 or not (budgets.size and np.isfinite(budgets).all() and budgets.min() > 0):
        raise ValueError(f"budgets are positive, finite numbers of FLOP, got {flops}")
    posterior = fit_of(posterior)
    on = surface(posterior, at, allow_failed)
    spending = make_cost(cost, inference_tokens, on)
    near = np.exp(np.array([-STEP, 0.0, STEP, np.log(GROWTH)]))
    N, D, edge = _split(on, spending, np.outer(near, budgets).ravel())
    (N, D), edge = (v.reshape(len(N), 4, -1) for v in (N, D)), edge.reshape(len(N), 4, -1)
    a, b = (np.log(v[:, 2] / v[:, 0]) / (2 * STEP) for v in (N, D))
    middle = np.median(N[:, 1], 0), np.median(D[:, 1], 0)
    decades, loss = on.decades(*middle), on.loss(N[:, 1], D[:, 1])
    beyond = {}
    for i in np.flatnonzero(decades > 0):
        beyond[f"the {on.law.response} for {budgets[i]:.3g} FLOP"] = loss[:, i]
        beyond[f"the best N for {budgets[i]:.3g} FLOP"] = N[:, 1, i]
    exact = spending.plain and closed_form(on.law, on.params) is not None
    return Allocation(
        flops=budgets,
        params=N[:, 1],
        tokens=D[:, 1],
        loss=loss,
        a=a,
        b=b,
        growth_params=N[:, 3] / N[:, 1],
        growth_tokens=D[:, 3] / D[:, 1],
        cost=str(spending),
        method="closed form" if exact else "minimisation",
        decades=decades,
        notes=(
            *concerning(on.table, "split"),
            *_notes(budgets, edge, decades, said_of_misfit(posterior)),
            *said_of_prior(posterior, beyond),
            *said_of_group(posterior),
        ),
    )


def _notes(budgets: np.ndarray, edge: np.ndarray, decades: np.ndarray, sure: str) -> list[Note]:
    notes = []
    for what, share in zip(budgets, edge[:, 1].mean(0), strict=True):
        if share > EDGE:
            note = (
                f"for {what:.3g} FLOP the optimum lies at the bounds of the search in {share:.0%} "
                "of draws: the law gives no best split there, the numbers are the bounds' own"
            )
            notes.append(Note("edge", note))
    if (decades > 0).any():
        notes.append(
            Note(
                "beyond",
                f"optimum up to {decades.max():.2g} decades beyond the data: {sure}",
            )
        )
    return notes


@compiled(static_argnames=("law", "fn"))
def _minimise(law, fn, served, params, others, log_flops, span):
    """Return log N, log D and whether a bound was hit, (budget, draw)."""
    log_cost, worse = functions(law, fn, served, others)
    n_lo, n_hi, d_lo, d_hi = span

    def one_budget(log_c):
        def data_for(n, lo=d_lo, hi=d_hi, steps=STEPS):
            return bisect(lambda d: log_cost(n, d) - log_c, lo, hi, steps)

        low = bisect(lambda n: log_cost(n, d_hi) - log_c, n_lo, n_hi)
        high = bisect(lambda n: log_cost(n, d_lo) - log_c, n_lo, n_hi)
        grid = jnp.linspace(low, high, GRID)
        along = jax.vmap(data_for)(grid)

        def one_draw(params):
            def slope(n, before, after):
                at = (n, data_for(n, along[after], along[before], FINE))
                by_n, by_d = jax.grad(partial(worse, params), (0, 1))(*at)
                cost_n, cost_d = jax.grad(log_cost, (0, 1))(*at)
                return by_n - by_d * cost_n / cost_d

            n, edge = lowest(grid, jax.vmap(partial(worse, params))(grid, along), slope)
            return n, data_for(n), edge

        return jax.vmap(one_draw)(params)

    return jax.lax.map(one_budget, log_flops)


def _split(on: Surface, cost: Cost, flops: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the optimal N and D, and whether a bound was hit, (draw, budget) each."""
    form = closed_form(on.law, on.params) if cost.plain else None
    if form is None:
        given = (cost.inference_tokens, dict(on.params), dict(on.others), np.log(flops), on.span)
        with jax.enable_x64(True):
            n, d, edge = jax.device_get(_minimise(on.law, cost.fn, *given))
        return np.exp(n).T, np.exp(d).T, edge.T
    total = form.alpha + form.beta
    log_G = (np.log(form.alpha / form.beta) + form.log_A - form.log_B) / total
    N = np.exp(log_G[:, None] + (form.beta / total)[:, None] * np.log(flops / 6))
    return N, flops / 6 / N, np.zeros(N.shape, bool)
