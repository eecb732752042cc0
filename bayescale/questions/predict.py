"""predict: the law at new scales, and what a new run there would measure.

Of a mixture, draws of all laws stand together, each law with as large a share of them as its
weight: what the laws say one by one stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from ..data.notes import concerning
from ..messages import Note
from ..model.replicates import new_runs
from ..posterior.display import Sheet, Shown
from ..posterior.drift import drifted_inputs
from ..posterior.intervals import INTERVAL, levels, plain, summarise
from ..posterior.mixture import Mixture
from ..posterior.pointwise import law_draws
from ..posterior.posterior import Posterior
from . import shown

if TYPE_CHECKING:
    import pandas

__all__ = ["UNCALIBRATED", "Prediction", "predict", "scales"]

UNCALIBRATED = (
    "beyond the data the law itself may be wrong, and these intervals do not know it: on 92 real "
    "curves intervals of this kind covered 53 to 60 % of held-out points where they promised 90 %"
)


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Shown):
    """The law and new runs at given scales; draws have the shape ([curve,] draw, point)."""

    inputs: Mapping[str, np.ndarray]
    """Scales, (point,) each."""
    mean: np.ndarray
    """The law's curve for every draw: what it says, without the scatter of single runs."""
    new: np.ndarray
    """A new run for every draw: the curve with the noise's scatter."""
    decades: np.ndarray
    """How far each point lies beyond the data, ([curve,] point), 0 within."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""
    members: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Lo, median and hi of the curve by each law of a mixture, (3, point), 90 % between; empty
    where one law was asked."""
    curves: tuple[str, ...] = ()
    """Names of the curves; () where there are none."""

    def quantiles(self, which: str = "mean", mass: float = INTERVAL) -> np.ndarray:
        """Return lo, median and hi of `mean` or `new`, (3, [curve,] point)."""
        draws = {"mean": self.mean, "new": self.new}[which]
        return np.quantile(draws, levels(mass), axis=-2)

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `points`, one a scale (and curve), and `notes`."""
        points = []
        for at in np.ndindex(self.decades.shape):
            scales = {name: values[at[-1]] for name, values in self.inputs.items()}
            spreads = {
                name: summarise(draws[(*at[:-1], slice(None), at[-1])])
                for name, draws in (("mean", self.mean), ("new", self.new))
            }
            point = {"at": scales, **spreads, "decades_beyond": self.decades[at]}
            points.append(({"curve": self.curves[at[0]]} if self.curves else {}) | point)
        return plain({"points": points, "notes": self.notes})

    def sheets(self) -> list[Sheet]:
        """Return one row a scale."""
        return shown.predictions(self.summary())

    def table(self, mass: float = INTERVAL) -> pandas.DataFrame:
        """Return one row a point (and curve): the scales, median and interval of curve and run."""
        import pandas as pd

        rows = []
        curve, new = self.quantiles("mean", mass), self.quantiles("new", mass)
        for at in np.ndindex(self.decades.shape):
            rows.append(
                ({"curve": self.curves[at[0]]} if self.curves else {})
                | {name: values[at[-1]] for name, values in self.inputs.items()}
                | dict(zip(("curve_lo", "curve_median", "curve_hi"), curve[:, *at], strict=True))
                | dict(zip(("run_lo", "run_median", "run_hi"), new[:, *at], strict=True))
                | {"decades_beyond": self.decades[at]}
            )
        return pd.DataFrame(rows)


def scales(posterior: Posterior, at: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the law's inputs from `at`, whose keys are input names or the table's columns.

    Raises
    ------
    ValueError
        For an unknown or missing name, or a scale that is not positive and finite.
    """
    law = posterior.law
    found = {
        posterior.name_of(key): np.atleast_1d(np.asarray(value, float)) for key, value in at.items()
    }
    missing = [name for name in law.inputs if name not in found]
    if missing:
        raise ValueError(
            f"no value for {', '.join(missing)}; the scales are {posterior.scale_names}"
        )
    for name, values in found.items():
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError(f"{name} must be positive and finite, got {values.min():g}")
    points = np.broadcast_shapes(*(v.shape for v in found.values()))
    return {name: np.broadcast_to(found[name], points).ravel() for name in law.inputs}


def predict(
    posterior: Posterior | Mixture,
    at: Mapping[str, Any],
    *,
    n: float | None = None,
    seed: int = 0,
    allow_failed: bool = False,
) -> Prediction:
    """Return the law's curve and new runs at new scales.

    Parameters
    ----------
    at
        Scale by input name (or column): `{"N": 7e10, "D": 1.4e12}`; arrays give several points.
    n
        Number of questions of a new accuracy; the largest in the data unless given.
    seed
        Decides the scatter of new runs.

    Returns
    -------
    Prediction
        Curve and new runs for every draw, and how far each point lies beyond the data.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`; of a mixture, if no member is.
    ValueError
        For an unknown or missing scale.

    Notes
    -----
    Of a mixture, a law of weight w gives round(w M) of its draws, evenly thinned (or repeated,
    where it has fewer), M being the draws of the member with the most.

    Examples
    --------
    >>> there = bs.predict(chinchilla_fit, {"N": 7e10, "D": 1.4e12})
    >>> lo, median, hi = there.quantiles()[:, 0]
    >>> bool(lo < median < hi), there.decades.round(1).tolist()
    (True, [0.9])
    """
    which = posterior.trusted(allow_failed)
    parts = [
        (name, weight, _predict(one, at, n, seed, i))
        for i, (name, weight, one) in enumerate(which.members)
    ]
    first = parts[0][2]
    if not isinstance(which, Mixture):
        return first
    most = max(len(part.mean) for _, _, part in parts)
    kept = [_evenly(len(part.mean), round(weight * most)) for _, weight, part in parts]
    shares = ", ".join(f"{weight:.2f} {name}" for name, weight, _ in parts)
    note = Note("average", f"an average over laws: {shares}; weights: {which.why}")
    return replace(
        first,
        mean=np.concatenate([part.mean[i] for (*_, part), i in zip(parts, kept, strict=True)]),
        new=np.concatenate([part.new[i] for (*_, part), i in zip(parts, kept, strict=True)]),
        notes=(*first.notes, note),
        members={name: part.quantiles() for name, _, part in parts},
    )


def _evenly(draws: int, wanted: int) -> np.ndarray:
    """Return so many positions among the draws, evenly spread over them."""
    return ((np.arange(wanted) + 0.5) * draws / max(wanted, 1)).astype(int)


def _predict(posterior: Posterior, at: Mapping[str, Any], n, seed, stream) -> Prediction:
    """Return what one law says; members of a mixture have a stream of random numbers each."""
    inputs = scales(posterior, at)
    mean = law_draws(posterior, inputs)
    new = _new_runs(posterior, inputs, n, seed, stream)
    decades = _decades(posterior, inputs)
    notes = concerning(posterior.data, "split")
    if (decades > 0).any():
        notes.append(
            Note("beyond", f"up to {decades.max():.2g} decades beyond the data: {UNCALIBRATED}")
        )
    return Prediction(inputs, mean, new, decades, tuple(notes), curves=posterior.curves)


def _decades(posterior: Posterior, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return how many decades each point lies beyond the data, in the input that is farthest."""
    found = []
    for _, one in posterior:
        beyond = [np.zeros(next(iter(inputs.values())).shape)]
        for name, values in inputs.items():
            seen = one.data.inputs[name]
            beyond += [np.log10(values / seen.max()), np.log10(seen.min() / values)]
        found.append(np.maximum.reduce(beyond).round(6))
    return np.stack(found) if posterior.curves else found[0]


def _new_runs(posterior: Posterior, inputs, n, seed, stream) -> np.ndarray:
    """Return one new observation a draw and point, ([curve,] draw, point)."""
    # Draws are of one group, or of the average one: what is pooled is theirs already.
    model = replace(posterior.model, pool=(), groups=0)
    points = len(next(iter(inputs.values())))
    columns = {"inputs": drifted_inputs(posterior, inputs), "stderr": np.zeros(points)}
    if model.noise.counts:
        columns["n"] = np.full(points, int(n or posterior.data.n.max()))
    runs = []
    for i, (_, one) in enumerate(posterior):
        params = one.flat()
        key = jax.random.fold_in(jax.random.key(seed), stream + i)
        keys = jax.random.split(key, len(next(iter(params.values()))))
        runs.append(new_runs(model, params, columns, keys))
    return np.stack(runs) if posterior.curves else runs[0]
