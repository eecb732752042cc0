"""prior_predictive: what a law and a noise say of runs before these are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..laws import get_law
from ..model.model import Model
from ..model.prior import before
from ..parametric.parametric import Law, Noise
from ..posterior.intervals import INTERVAL, levels
from .make_model import as_law_names, make_model

__all__ = ["PriorPredictive", "prior_predictive"]

POINTS, BEYOND = 120, 10.0
HALF = 0.5


@dataclass(frozen=True, eq=False)
class PriorPredictive:
    """Curves and runs as the prior has them, beside the runs that were measured."""

    law: Law
    data: Dataset
    response: str
    """The response that `curves` and `runs` are of, as the data call it."""
    parameters: Mapping[str, np.ndarray]
    """Draws of the parameters in natural units, ([curve,] draw, ...)."""
    curves: np.ndarray
    """What the law says at each row of the data, (draw, row), under the row's own curve."""
    runs: np.ndarray
    """A run at each row, (draw, row)."""
    grid: Mapping[str, np.ndarray]
    """Scales from the smallest of the data to ten times the largest; empty where the law has
    several, or the data several curves."""
    along: np.ndarray
    """What the law says there, (draw, point)."""
    model: Model
    """The law with its noise."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, in the unit of the response.

        `response`, `draws` and `rows` (how many); `measured` and `prior_runs`, the median and the
        ends of the 90 % interval over all rows; `within_50` and `within_90`, the share of measured
        runs inside these intervals of the prior's runs. A prior that is of use holds nearly all in
        its 90 % interval; one that says little is far wider than what was measured.
        """
        measured = self.data.responses[self.response]
        known = np.isfinite(measured)

        def told(values):
            ends = np.nanquantile(values, levels()).tolist()
            return dict(zip(("lo", "median", "hi"), ends, strict=True))

        def within(mass):
            lo, hi = np.nanquantile(self.runs, levels(mass)[::2], axis=0)
            return float(np.mean(((lo <= measured) & (measured <= hi))[known]))

        return {
            "response": self.response,
            "draws": len(self.runs),
            "rows": int(known.sum()),
            "measured": told(measured),
            "prior_runs": told(self.runs),
            "within_50": within(HALF),
            "within_90": within(INTERVAL),
        }

    def __repr__(self) -> str:
        told = self.summary()
        spans = (
            f"{name} {told[key]['median']:.3g} ({told[key]['lo']:.3g} to {told[key]['hi']:.3g})"
            for key, name in (("measured", "measured"), ("prior_runs", "before the data"))
        )
        return (
            f"PriorPredictive of {self.law}: {told['draws']} draws at {told['rows']} runs of "
            f"{self.data.source}\n{self.response}, median and 90 %: {', '.join(spans)}\n"
            f"runs within the prior's 50 % interval: {told['within_50']:.0%}, "
            f"within its 90 %: {told['within_90']:.0%}"
        )


def prior_predictive(
    law: Law | Callable[..., Law] | str,
    data: Dataset,
    noise: Noise | str | Mapping[str, Noise | str] | None = None,
    *,
    pool: str | Iterable[str] | None = None,
    response: str | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> PriorPredictive:
    """Return curves and runs of the prior at the rows of the data, and along their scale.

    The data lend their scales, numbers of questions and standard errors; of what was measured only
    the typical size of a loss enters, as in `fit`.

    Parameters
    ----------
    law, data, noise, pool
        As in `fit`.
    response
        Of a law of several the one that is looked at; its `response` by default.
    draws
        How many.
    seed
        Decides them.

    Returns
    -------
    PriorPredictive
        Draws of the parameters, the curves and new runs, for `plot.prior`.

    Raises
    ------
    DataError
        Where the data do not suit the law or the noise.
    ValueError
        For an unknown law, noise or response.

    Examples
    --------
    >>> found = bs.prior_predictive("power", power_data, draws=200)
    >>> found.runs.shape  # (draw, row)
    (200, 24)
    >>> found.summary()["within_90"] > 0.8  # the runs, within 90 % of what the prior expects
    True
    """
    law = get_law(law)
    model = make_model(law, data, noise, pool)
    of = response or law.response
    if of not in law.responses:
        raise ValueError(f"no response {of!r}; {law.name} has {', '.join(law.responses)}")
    data = as_law_names(law, data)
    grid = _grid(law, data)
    found = before(model, data, draws, seed=seed, points=grid)
    return PriorPredictive(
        law=law,
        data=data,
        response=law.name_in(data.responses, of),
        parameters=found.parameters,
        curves=found.curves[of],
        runs=found.runs[of],
        grid=grid,
        along=found.along,
        model=model,
    )


def _grid(law: Law, data: Dataset) -> dict[str, np.ndarray]:
    """Return scales to draw curves at; none where there is more than one scale, or curve."""
    if len(law.inputs) > 1 or data.curve is not None:
        return {}
    ((name, x),) = data.inputs.items()
    lo, hi = x.min(), x.max()
    lo, hi = (lo / BEYOND, hi) if name in law.less_is_better else (lo, hi * BEYOND)
    return {name: np.geomspace(lo, hi, POINTS)}
