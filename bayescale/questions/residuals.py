"""residuals: what the fitted curve leaves over, beside the scatter that the noise allows.

Runs that lie together on one side over a range of scales say that the law is wrong there; runs
far outside the interval say that the noise is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from ..model.evaluate import law_at
from ..model.model import Model
from ..posterior.display import Sheet, Shown
from ..posterior.groups import for_group
from ..posterior.intervals import levels, plain
from ..posterior.posterior import Posterior
from . import shown

if TYPE_CHECKING:
    import pandas

__all__ = ["Residuals", "residuals"]

DRAWS = 1000
"""Draws from which the interval of a run is taken; its ends are then known to a few per cent."""


@dataclass(frozen=True, eq=False, repr=False)
class Residuals(Shown):
    """Measured less fitted, one entry a row of the table."""

    inputs: Mapping[str, np.ndarray]
    """Scales of the rows."""
    curve: np.ndarray | None
    """Label of each row's curve; None where there are none."""
    rows: np.ndarray
    """Numbers of the rows in the source."""
    fitted: np.ndarray
    """Posterior median of the law at the row's scales."""
    residual: np.ndarray
    """measured/fitted - 1 where `relative`, else measured - fitted."""
    lo: np.ndarray
    """Lower end of the 90 % interval of a run there, in the unit of `residual`."""
    hi: np.ndarray
    """Its upper end."""
    relative: bool
    """Whether residuals are shares of the fitted value (positive responses)."""

    def table(self) -> pandas.DataFrame:
        """Return one row a run: its scales, fitted value, residual, and the ends of its interval.

        The index is the number of the row in the source.
        """
        import pandas as pd

        columns = {} if self.curve is None else {"curve": self.curve.astype(str)}
        columns |= dict(self.inputs)
        columns |= {name: getattr(self, name) for name in ("fitted", "residual", "lo", "hi")}
        return pd.DataFrame(columns, index=pd.Index(self.rows, name="row"))

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: the share of runs outside, and each run."""
        known = np.isfinite(self.residual)
        out = ~((self.lo <= self.residual) & (self.residual <= self.hi))[known]
        runs = [
            {
                "row": self.rows[i],
                "curve": None if self.curve is None else str(self.curve[i]),
                "at": {name: values[i] for name, values in self.inputs.items()},
                **{name: getattr(self, name)[i] for name in ("fitted", "residual", "lo", "hi")},
            }
            for i in range(len(self.rows))
        ]
        return plain({"relative": self.relative, "outside": out.mean(), "runs": runs})

    def sheets(self) -> list[Sheet]:
        """Return the runs farthest outside their interval."""
        return shown.residuals(self.summary())


def residuals(posterior: Posterior, seed: int = 0) -> Residuals:
    """Return the residuals of every row, and the interval that the noise gives them.

    Of a pooled fit each row is beside the curve of its own group; of a law of several responses
    these are of `response`, nan where it was not measured.

    Parameters
    ----------
    posterior
        Any fit, sound or not: residuals are looked at to find out.
    seed
        Decides the runs from which the intervals are taken.

    Returns
    -------
    Residuals
        Fitted value, residual and the noise's 90 % interval of each row.

    Examples
    --------
    >>> left = bs.residuals(power_fit)
    >>> inside = (left.lo <= left.residual) & (left.residual <= left.hi)
    >>> bool(inside.mean() > 0.8)
    True
    """
    data = posterior.data
    law = posterior.law
    observed = data.responses[law.response if law.further else next(iter(data.responses))]
    fitted, lo, hi = (np.empty(len(data)) for _ in range(3))
    for i, (name, one) in enumerate(posterior):
        own = slice(None) if name is None else data.curve == name
        fitted[own] = np.median(_curve(one), axis=(0, 1))
        runs = _runs(one, jax.random.fold_in(jax.random.key(seed), i))
        lo[own], hi[own] = np.quantile(runs, levels()[::2], axis=0)
    relative = law.support == "positive"

    def against(values):
        return values / fitted - 1 if relative else values - fitted

    return Residuals(
        inputs=data.inputs,
        curve=data.curve,
        rows=data.rows,
        fitted=fitted,
        residual=against(observed),
        lo=against(lo),
        hi=against(hi),
        relative=relative,
    )


def _curve(one: Posterior) -> np.ndarray:
    """Return the law at the rows of one curve, each under its own group, (chain, draw, row)."""
    at = {key: values[None] for key, values in one.data.inputs.items()}

    def under(which: Posterior) -> np.ndarray:
        return law_at(one.law, {key: values[None] for key, values in which.draws.items()}, at)[0]

    if not one.model.pool:
        return under(one)
    rows = one.data.group.astype(str)
    curves = {name: under(for_group(one, name)) for name in set(rows)}
    return np.stack([curves[name][..., i] for i, name in enumerate(rows)], -1)


@partial(jax.jit, static_argnames=("model",))
def _sample(model: Model, params, data, key):
    def one(key, params):
        return model.scatter(params, data).sample(key)

    return jax.vmap(one)(jax.random.split(key, next(iter(params.values())).shape[0]), params)


def _runs(one: Posterior, key) -> np.ndarray:
    """Return new runs at the rows of one curve, with their own n and standard errors."""
    data, model = one.data, one.model
    flat = one.flat()
    total = next(iter(flat.values())).shape[0]
    pick = np.linspace(0, total - 1, min(total, DRAWS)).astype(int)
    params = {name: values[pick] for name, values in flat.items()}
    stderr = data.stderr if data.stderr is not None else np.zeros(len(data))
    columns = {"inputs": dict(data.inputs), "stderr": stderr}
    if model.pool:
        columns["group"] = np.searchsorted(data.group_names, data.group.astype(str))
    # NumPyro samples counts only where their total is of an integer type.
    columns |= {"n": data.n.astype(np.int64)} if data.n is not None else {}
    with jax.enable_x64(True):
        runs = np.asarray(_sample(model, params, columns, key))
    return runs / data.n if model.noise.counts else runs
