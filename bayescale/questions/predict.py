"""predict: the law at new scales, and what a new run there would measure.

Of a mixture, draws of all laws stand together, each with as large a share as its weight: what the
laws say one by one stands beside it.

A new run is measured as those of the table were: where they came with standard errors it has one
too, the data's median unless given: the noise of such a fit is what is left beside known errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..data.cells import days
from ..data.notes import concerning
from ..messages import Note, a_seed
from ..model.replicates import new_runs
from ..posterior.bends import bent
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, levels, plain, summarise
from ..posterior.mixture import Mixture, a_fit
from ..posterior.pointwise import ASK, law_draws, of_response, said_of_prior
from ..posterior.posterior import Posterior, said_of_group
from . import shown
from .remarks import said_of_misfit
from .sweep import decades_beyond, scales

if TYPE_CHECKING:
    import pandas

__all__ = ["Prediction", "predict"]

FARTHEST = 8
"""So many points are looked at for what their prior decides."""


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
    stderr: np.ndarray | None = None
    """Known standard error of each new run, in the unit of the response, ([curve,] draw, point);
    None where there is none."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Of each scale the column or expression that it is, by which dates are told."""

    def quantiles(self, which: str = "mean", mass: float = INTERVAL) -> np.ndarray:
        """Return lo, median and hi of `mean` or `new`, (3, [curve,] point)."""
        if which not in ("mean", "new"):
            raise ValueError(f"which is mean or new, got {which!r}")
        draws = self.mean if which == "mean" else self.new
        return np.quantile(draws, levels(mass), axis=-2)

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `points`, one a scale (and curve), and `notes`."""
        points = []
        for at in np.ndindex(self.decades.shape):
            scales = {name: values[at[-1]] for name, values in self.inputs.items()}
            own = (*at[:-1], slice(None), at[-1])
            spreads = {name: summarise(getattr(self, name)[own]) for name in ("mean", "new")}
            error = None if self.stderr is None else np.median(self.stderr[own])
            point = {"at": scales, **spreads, "stderr": error, "decades_beyond": self.decades[at]}
            point |= {"dates": dates} if (dates := days(self.columns, scales)) else {}
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


def predict(
    posterior: Posterior | Mixture,
    at: Any,
    *,
    n: float | None = None,
    stderr: Any = None,
    response: str | None = None,
    seed: int = 0,
    allow_failed: bool = False,
) -> Prediction:
    """Return the law's curve and new runs at new scales.

    Parameters
    ----------
    at
        Scale by input name (or column): `{"N": 7e10, "D": 1.4e12}`; arrays give several points. Of
        a law of one scale its values are enough. Along dates a date, or a year, is that day.
    n
        Number of questions of a new accuracy; the largest in the data unless given.
    stderr
        Known standard error of a new run, one number or one a point, in the unit of the response;
        0 for a run measured without error. Unless given the median of the data's: of losses
        relative to the response, of others as it is; 0 where the data have none.
    response
        Of a law of several: `loss` of `two_stage`; the law's own, accuracy, by default.
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
        For an unknown or missing scale, or a standard error that is none or not used by the noise.

    Notes
    -----
    A new run scatters with its standard error and with the noise that the fit found beside the
    data's. Of a mixture, a law of weight w gives round(w M) of its draws, evenly thinned (or
    repeated, where it has fewer), M being the draws of the member with the most.

    Examples
    --------
    >>> there = bs.predict(chinchilla_fit, {"N": 7e10, "D": 1.4e12})
    >>> lo, median, hi = there.quantiles()[:, 0]
    >>> bool(lo < median < hi), there.decades.round(1).tolist()
    (True, [0.9])
    """
    which = a_fit(posterior).trusted(allow_failed, within=_within(posterior, at))
    parts = [
        (name, weight, _predict(of_response(one, response), at, _Measured(n, stderr), seed, i))
        for i, (name, weight, one) in enumerate(which.members)
    ]
    if not isinstance(which, Mixture):
        return parts[0][2]
    first = parts[0][2]
    most = max(len(part.mean) for _, _, part in parts)
    kept = [_evenly(len(part.mean), round(weight * most)) for _, weight, part in parts]
    shares = ", ".join(f"{weight:.2f} {name}" for name, weight, _ in parts)
    notes = dict.fromkeys(
        Note(note.kind, f"{name}: {note}") if note.kind == "prior" else note
        for name, _, part in parts
        for note in part.notes
    )
    note = Note("average", f"an average over laws: {shares}; weights: {which.why}")

    def together(of: str) -> np.ndarray | None:
        draws = [getattr(part, of) for *_, part in parts]
        draws = [np.zeros_like(parts[0][2].mean) if each is None else each for each in draws]
        return np.concatenate([each[i] for each, i in zip(draws, kept, strict=True)])

    return replace(
        first,
        mean=together("mean"),
        new=together("new"),
        stderr=together("stderr") if any(part.stderr is not None for *_, part in parts) else None,
        notes=(*notes, note),
        members={name: part.quantiles() for name, _, part in parts},
    )


def _within(posterior: Posterior | Mixture, at: Any) -> bool:
    """Return whether all points lie within the data of every curve."""
    (_, _, first), *_ = posterior.members
    return bool((decades_beyond(first, scales(first, at)) <= 0).all())


def _evenly(draws: int, wanted: int) -> np.ndarray:
    """Return so many positions among the draws, evenly spread over them."""
    return ((np.arange(wanted) + 0.5) * draws / max(wanted, 1)).astype(int)


class _Measured(NamedTuple):
    """How a new run is measured; None stands for as the data were."""

    n: float | None
    stderr: Any


def _predict(posterior: Posterior, at: Any, how: _Measured, seed: int, stream: int) -> Prediction:
    """Return what one law says; members of a mixture have a stream of random numbers each."""
    inputs = scales(posterior, at)
    mean = law_draws(posterior, inputs)
    stderr, said = _stderr(posterior, mean, how.stderr)
    said = [*said, *_said_of_questions(posterior, how.n)]
    new = _new_runs(posterior, inputs, how.n, stderr, seed, stream)
    decades = decades_beyond(posterior, inputs)
    notes = [*concerning(posterior.data, "split"), *said, *said_of_group(posterior)]
    if (decades > 0).any():
        text = f"up to {decades.max():.2g} decades beyond the data: {said_of_misfit(posterior)}"
        notes.append(Note("beyond", text))
    notes += _said_of_prior(posterior, inputs, mean, decades)
    known = stderr if stderr.any() else None
    of = dict(curves=posterior.curves, stderr=known, columns=posterior.data.columns)
    return Prediction(inputs, mean, new, decades, tuple(notes), **of)


def _stderr(posterior: Posterior, mean: np.ndarray, given: Any) -> tuple[np.ndarray, list[Note]]:
    """Return the standard error of each new run, as `mean`, and what is to be said of it."""
    used, errors = "stderr" in posterior.model.noise.inputs, posterior.data.stderr
    if given is not None:
        values = np.asarray(given, float)
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise ValueError(f"stderr (--stderr) is 0 or more, got {values.min():g}")
        if values.ndim > 1 or values.size not in (1, mean.shape[-1]):
            raise ValueError(f"stderr is one number, or one a point: {mean.shape[-1]} of them")
        if values.any() and not used:
            name = posterior.model.noise.name
            raise ValueError(f"the noise {name} knows no standard error: fit with another")
        return np.broadcast_to(values, mean.shape), []
    if errors is None or not used:
        return np.broadcast_to(0.0, mean.shape), []
    relative = posterior.law.support == "positive"
    sizes = np.array([_usual(one, relative) for _, one in posterior])
    low, high = float(sizes.min()), float(sizes.max())
    size = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    of = f" of the {posterior.law.response}" * relative
    text = f"a new run has a standard error of {size}{of}, the median of the data"
    text += "'s, each curve's own" * (low != high)
    note = Note("stderr", f"{text}: for another give stderr (--stderr)")
    sizes = sizes[:, None, None] if posterior.curves else sizes
    return np.broadcast_to(sizes * (np.abs(mean) if relative else 1.0), mean.shape), [note]


def _usual(one: Posterior, relative: bool) -> float:
    """Return the median standard error of one curve's runs, of losses relative to what it is of."""
    responses, errors = one.data.responses, np.asarray(one.data.stderr)
    y = np.abs(responses[one.law.name_in(responses)])
    known = np.isfinite(y) & (y > 0 if relative else True)
    return float(np.median(errors[known] / (y[known] if relative else 1.0)))


def _said_of_questions(posterior: Posterior, given: float | None) -> list[Note]:
    """Return how many questions a new run answers, where those of the table differ in it."""
    n = posterior.data.n
    if given is not None and not 1 <= given < np.inf:
        raise ValueError(f"n (-n) is a number of questions, 1 or more, got {given:g}")
    if given is not None or n is None or not posterior.model.noise.asks_n or np.ptp(n) == 0:
        return []
    text = f"a new run answers {n.max():g} questions, the most in the data (from {n.min():g} on)"
    return [Note("questions", f"{text}: for another number give n (-n)")]


def _said_of_prior(posterior: Posterior, inputs, mean, decades) -> list[Note]:
    """Return which points beyond the data the prior decides, of the farthest few.

    Of several curves, in which.
    """
    columns, found = posterior.data.columns, {}
    for i, (name, one) in enumerate(posterior):
        draws, far = (mean[i], decades[i]) if posterior.curves else (mean, decades)
        answers = {}
        beyond = np.flatnonzero(far > 0)
        for point in beyond[np.argsort(-far[beyond], kind="stable")][:FARTHEST]:
            at = {k: x[point] for k, x in inputs.items()}
            dates = days(columns, at)
            told = (dates.get(k) or f"{columns.get(k, k)}={v:.3g}" for k, v in at.items())
            answers[f"the {one.law.response} at {', '.join(told)}"] = draws[:, point]
        if said := said_of_prior(one, answers):
            found[name] = said
    if not posterior.curves or len(found) == 1:
        return [
            note if name is None else Note(note.kind, f"{name}: {note}")
            for name, notes in found.items()
            for note in notes
        ]
    few = ", ".join(map(str, [*found][:5])) + ", ..." * (len(found) > 5)
    text = f"in {len(found)} of {len(posterior.curves)} curves ({few}) forecasts beyond the data "
    return [Note("prior", f"{text}are the prior's more than the data's: {ASK}")] * bool(found)


def _new_runs(posterior: Posterior, inputs, n, stderr, seed, stream) -> np.ndarray:
    """Return one new observation a draw and point, ([curve,] draw, point)."""
    # Draws are of one group, or of the average one: what is pooled is theirs already.
    model, runs = replace(posterior.model, pool=(), groups=0), []
    columns: dict[str, Any] = {"inputs": dict(inputs)}
    if model.noise.asks_n and not (n is None and posterior.data.n is None):
        n = int(posterior.data.n.max() if n is None else n)
        columns["n"] = np.full(next(iter(inputs.values())).shape, n)
    for i, (_, one) in enumerate(posterior):
        law, params = bent(one)
        columns["stderr"] = stderr[i] if posterior.curves else stderr
        rng = np.random.default_rng([a_seed(seed), stream + i, 20])
        runs.append(new_runs(replace(model, law=law), params, columns, rng))
    found = np.stack(runs) if posterior.curves else runs[0]
    # An accuracy lies between 0 and 1, also where its noise is normal.
    return np.clip(found, 0.0, 1.0) if posterior.law.support == "unit" else found
