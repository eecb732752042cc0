"""A law of parameters N and tokens D with the draws of a fit: what `allocate` and `match` share.

`Surface` is the law and its draws, `Cost` what is counted as compute. Questions about them are
answered by a closed form where the law has one (`closed_form`), and otherwise by bisection on
logarithms in float64, for all draws at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..data.dataset import Dataset
from ..data.formula import formula, in_names
from ..data.scales import not_flop
from ..messages import a_number
from ..model.evaluate import at_own
from ..parametric.parametric import Law
from ..posterior.posterior import Posterior
from ..questions.sweep import scales

__all__ = [
    "DECADES",
    "FINE",
    "GRID",
    "STEPS",
    "Cost",
    "Surface",
    "bisect",
    "functions",
    "lowest",
    "make_cost",
    "six_nd",
    "surface",
]

STEPS = 64  # halvings: 30 decades in log N are then known to the last bit of float64
FINE = 44  # halvings of two steps of the grid, less than a decade, to 1e-13
GRID = 192
DECADES = (6.0, 12.0)
"""How many decades below and above the data an optimum is looked for."""


def six_nd(N, D):
    """6 N D: forward and backward pass of a dense transformer (Kaplan 2020, arXiv 2001.08361)."""
    return 6.0 * N * D


@dataclass(frozen=True)
class Formula:
    """A cost given as text, arithmetic on N and D; two of one text are one to the compiler."""

    text: str

    def __post_init__(self) -> None:
        formula(self.text, "ND")

    def __call__(self, N, D):
        """Return what a run costs."""
        return formula(self.text, "ND", jnp)(N=N, D=D)


class Cost(NamedTuple):
    """What is counted as compute: fn(N, D) + 2 N inference_tokens."""

    fn: Callable[[Any, Any], Any]
    inference_tokens: float

    @property
    def plain(self) -> bool:
        """Whether it is 6 N D alone."""
        return self.fn is six_nd and self.inference_tokens == 0

    def __call__(self, N, D):
        """Return the compute that a configuration takes."""
        return self.fn(N, D) + 2.0 * N * self.inference_tokens

    def __str__(self) -> str:
        name = getattr(self.fn, "__name__", "")
        if isinstance(self.fn, Formula):
            return self.fn.text + self._served()
        named = "a given cost of N and D" if name in ("", "<lambda>") else f"{name}(N, D)"
        return ("6 N D" if self.fn is six_nd else named) + self._served()

    def _served(self) -> str:
        served = f" + 2 N T with T = {self.inference_tokens:.4g} tokens served"
        return served * (self.inference_tokens > 0)


@dataclass(frozen=True, eq=False)
class Surface:
    """A law of N and D, with the draws of one fit and its other inputs held."""

    law: Law
    params: Mapping[str, np.ndarray]
    """Parameters in natural units, (draw, ...)."""
    others: Mapping[str, np.ndarray]
    """The law's inputs other than N and D, a number each."""
    table: Dataset
    """The runs that were fitted."""

    @property
    def data(self) -> dict[str, np.ndarray]:
        """N and D of the runs."""
        return {name: self.table.inputs[name] for name in ("N", "D")}

    @property
    def span(self) -> np.ndarray:
        """Bounds of the search: log N from, to, log D from, to."""
        below, above = (decades * np.log(10.0) for decades in DECADES)
        logs = [np.log(self.data[name]) for name in ("N", "D")]
        return np.array([end for v in logs for end in (v.min() - below, v.max() + above)])

    def loss(self, N: np.ndarray, D: np.ndarray) -> np.ndarray:
        """Return what the law says at each draw's own N and D, (draw, point) both."""
        fixed = {name: np.broadcast_to(value, N.shape) for name, value in self.others.items()}
        return at_own(self.law, self.params, {"N": N, "D": D} | fixed)

    def decades(self, N: np.ndarray, D: np.ndarray) -> np.ndarray:
        """Return how many decades each point lies beyond the data, 0 within."""
        gaps = [np.zeros(np.shape(N))]
        for name, values in (("N", N), ("D", D)):
            seen = self.data[name]
            gaps += [np.log10(values / seen.max()), np.log10(seen.min() / values)]
        return np.maximum.reduce(gaps).round(6)


def surface(posterior: Posterior, at: Mapping[str, Any] | None, allow_failed: bool) -> Surface:
    """Return the surface of a sound fit of one curve.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`.
    ValueError
        If the law does not take N and D, another input has no value, or there are several curves.
    """
    posterior.only().trusted(allow_failed)
    law, at = posterior.law, dict(at or {})
    if not {"N", "D"} <= set(law.inputs):
        raise ValueError(
            f"budgets are split between N (parameters) and D (tokens); the law {law.name} takes "
            f"{', '.join(law.inputs)}: fit chinchilla, kaplan, or a law of your own in N and D"
        )
    held = [key for key in at if posterior.name_of(key) in "ND"]
    if held:
        raise ValueError(f"{', '.join(sorted(held))} is what is asked for, not to be held in `at`")
    others = {
        k: v for k, v in scales(posterior, {"N": 1.0, "D": 1.0} | at).items() if k not in "ND"
    }
    several = [name for name, values in others.items() if len(values) > 1]
    if several:
        raise ValueError(f"{', '.join(several)} takes one value in `at`, not several")
    flat = posterior.flat()
    return Surface(
        law,
        {name: flat[name] for name in law.parameters},
        {name: np.asarray(values[0]) for name, values in others.items()},
        posterior.data,
    )


def make_cost(fn: Callable | str | None, inference_tokens: float, over: Surface) -> Cost:
    """Return the cost, checked to be positive and to rise with N and with D.

    Without one it is 6 N D, which is FLOP for parameters and tokens alone.

    Raises
    ------
    ValueError
        If it is not, the tokens served are negative, or 6 N D is meant and the scales are no
        parameters and tokens (a `DataError`, which says what to write).
    """
    if not 0 <= a_number(inference_tokens, "inference_tokens") < np.inf:
        raise ValueError(f"inference_tokens is a number of 0 or more, got {inference_tokens}")
    if (fn is None or inference_tokens > 0) and (other := not_flop(over.table)):
        why, remedy = other
        counted = "6 N D" if fn is None else "2 N a token served"
        over.table.fail(f"{why}: {counted} is no FLOP here", remedy=remedy)
    if isinstance(fn, str):
        text = in_names(fn, over.table.columns, over.law.inputs)
        fn = six_nd if text.replace(" ", "") == "6*N*D" else Formula(text)
    elif not (fn is None or callable(fn)):
        raise ValueError(f"cost is a function of N and D, or such as '6*N*D', got {fn!r}")
    cost = Cost(fn or six_nd, float(inference_tokens))
    n_lo, n_hi, d_lo, d_hi = over.span
    with jax.enable_x64(True):
        values = np.array(
            [
                [float(cost(np.exp(n), np.exp(d))) for d in np.linspace(d_lo, d_hi, 5)]
                for n in np.linspace(n_lo, n_hi, 5)
            ]
        )
    steps = np.diff(values, axis=0), np.diff(values, axis=1)
    rises = all((each >= 0).all() and (each > 0).any() for each in steps)
    if not (np.isfinite(values).all() and (values > 0).all() and rises):
        raise ValueError(f"the cost ({cost}) must be positive, finite, and rise with N and with D")
    return cost


# ------------------------------------------------------------------ closed forms


# ------------------------------------------------------------------ bisection, in logarithms


def bisect(f, lo, hi, steps=STEPS):
    """Return where f, negative at lo, turns to 0 or more; lo or hi where it does not turn."""

    def halve(_, ends):
        lo, hi = ends
        middle = 0.5 * (lo + hi)
        past = f(middle) >= 0
        return jnp.where(past, lo, middle), jnp.where(past, middle, hi)

    return jax.lax.fori_loop(0, steps, halve, (lo, hi))[1]


def lowest(grid, values, slope):
    """Return the minimum near the lowest grid point, and whether it is an end of the grid.

    `slope(n, before, after)` has the sign of the derivative at n, between two grid points.
    """
    i = jnp.argmin(jnp.where(jnp.isnan(values), jnp.inf, values))
    before, after = jnp.maximum(i - 1, 0), jnp.minimum(i + 1, GRID - 1)
    best = bisect(lambda n: slope(n, before, after), grid[before], grid[after], FINE)
    return best, (best <= grid[0] + 1e-9) | (best >= grid[-1] - 1e-9)


def functions(law, fn, served, others):
    """Return log cost(n, d) and shortfall(params, n, d), lower being better, of log N and log D."""

    def log_cost(n, d):
        return jnp.log(fn(jnp.exp(n), jnp.exp(d)) + 2.0 * jnp.exp(n) * served)

    def worse(params, n, d):
        inputs = {"N": jnp.exp(n), "D": jnp.exp(d)} | others
        return -law.sign * law.at(*(inputs[name] for name in law.inputs), **params)

    return log_cost, worse
