"""residuals: what the fitted curve leaves over, beside the scatter that the noise allows.

Runs that lie together on one side over a range of scales say that the law is wrong there; runs
far outside the interval say that the noise is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.cells import days
from ..messages import Note
from ..posterior.display import Sheet, Shown
from ..posterior.groups import OWN_GROUP, for_group
from ..posterior.intervals import levels, plain
from ..posterior.mixture import a_fit
from ..posterior.pointwise import law_draws, replicate
from ..posterior.posterior import Posterior
from . import shown

if TYPE_CHECKING:
    import pandas

__all__ = ["Residuals", "residuals"]

DRAWS = 1000
"""Runs from which an interval is taken; its ends are then known to a few per cent."""


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
    notes: tuple[Note, ...] = ()
    """What should be said with the answer."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Of each scale the column or expression that it is, by which dates are told."""

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
        scales = [{k: x[i] for k, x in self.inputs.items()} for i in range(len(self.rows))]
        dates = [days(self.columns, at) for at in scales]
        runs = [
            {
                "row": self.rows[i],
                "curve": None if self.curve is None else str(self.curve[i]),
                "at": scales[i],
                **({"dates": dates[i]} if dates[i] else {}),
                **{name: getattr(self, name)[i] for name in ("fitted", "residual", "lo", "hi")},
            }
            for i in range(len(self.rows))
        ]
        found = {"relative": self.relative, "outside": out.mean(), "runs": runs}
        return plain(found | {"notes": self.notes})

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
    data, law = a_fit(posterior, mixtures=False).data, posterior.law
    observed = data.responses[law.name_in(data.responses)]
    fitted, lo, hi = (np.empty(len(data)) for _ in range(3))
    for name, one in posterior:
        own = data.of_curve(name)
        fitted[own] = np.median(_curve(one), axis=0)
        runs = replicate(one, DRAWS, seed=seed)
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
        columns=data.columns,
        notes=(Note("group", OWN_GROUP),) * bool(posterior.model.pool),
    )


def _curve(one: Posterior) -> np.ndarray:
    """Return the law at the rows of one curve, each under its own group, (draw, row)."""
    inputs = one.data.inputs
    if not one.model.pool:
        return law_draws(one, inputs)
    rows = one.data.group.astype(str)
    curves = {name: law_draws(for_group(one, name), inputs) for name in set(rows)}
    return np.stack([curves[name][..., i] for i, name in enumerate(rows)], -1)
