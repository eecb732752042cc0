"""forecast: what larger runs will measure, told from a table, with no law to choose.

Several laws, each with its misfit in the model (`laws.approximate`), weighed by evidence: what is
not known of the law, of its parameters and of how it goes on beyond the data is all in the width.
A forecast refuses no table that can be fitted: it widens, and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.accuracies import size_of
from ..data.dataset import Dataset
from ..data.from_frame import as_dataset, rows_of
from ..data.scales import each_curve
from ..inference.fit import fit
from ..inference.make_model import of_runs
from ..inference.samplers import EVIDENCE, NUTS, by_nuts
from ..laws import get_law
from ..laws.approximate import approximate
from ..messages import Note
from ..model.wander import ahead_variance
from ..parametric.parametric import Law
from ..posterior.bends import may_bend, with_misfit
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, plain, summarise
from ..posterior.mixture import Mixture, said_of_fits
from ..posterior.pointwise import law_draws
from ..progress import Progress, telling, waiting
from ..questions.predict import Prediction, predict
from . import shown
from .default_laws import check_scales, held, laws_of, named
from .fared import fared, past_hundred
from .hypotheses import prior_of, weighed
from .outliers import OUTLIERS, FarOff, come_again, set_aside

if TYPE_CHECKING:
    import pandas

__all__ = ["Forecast", "forecast", "variance_shares"]

SAMPLER = NUTS(warmup=500, draws=1000, enough=True)
"""Enough for quantiles of a mixture; a second try where a predicted curve is not settled."""
ALONE = Note("runs", "of one run what its rows have in common is taken as the misfit of the law")


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Shown):
    """What runs at given scales will measure, and which laws say so."""

    prediction: Prediction
    """The mean and new runs at the scales asked for."""
    mixtures: Mapping[str | None, Mixture]
    """By curve, under None where there are none: the laws, fitted and weighed."""
    shares: Mapping[str, np.ndarray]
    """Of the variance of log new runs (of accuracies themselves) how much is `noise`, `misfit` (of
    the law beyond the data) and `parameters` (and choice of the law), ([curve,] point) each; runs
    that lie far off are not counted in."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""
    far: Mapping[str | None, FarOff] = field(default_factory=dict)
    """By curve, what its rows were that were set aside: some new runs lie as far off."""

    @property
    def inputs(self) -> Mapping[str, np.ndarray]:
        """The scales asked for, (point,) each."""
        return self.prediction.inputs

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the curves; () where there are none."""
        return self.prediction.curves

    @property
    def weights(self) -> dict[str | None, dict[str, float]]:
        """Of each curve the laws' weights."""
        return {curve: dict(one.weights) for curve, one in self.mixtures.items()}

    @property
    def sound(self) -> bool:
        """Whether draws of every law that has weight are sound."""
        parts = [one for which in self.mixtures.values() for *_, one in which.members]
        return all(one.health.verdicts[0].settled for one in parts)

    def quantiles(self, which: str = "new", mass: float = INTERVAL) -> np.ndarray:
        """Return lo, median and hi of `new` runs or of the `mean`, (3, [curve,] point)."""
        return self.prediction.quantiles(which, mass)

    def table(self, mass: float = INTERVAL) -> pandas.DataFrame:
        """Return one row a point (and curve), as `predict` does, with the shares of the width."""
        found = self.prediction.table(mass)
        for name, values in self.shares.items():
            found[f"share_{name}"] = np.ravel(values)
        return found

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `points`, `laws` and `health` by curve, `notes`."""
        points = self.prediction.summary()["points"]
        for i, point in enumerate(points):
            point["shares"] = {name: np.ravel(v)[i] for name, v in self.shares.items()}
        found = {"points": points, "notes": self.notes, "health": {"sound": self.sound}}
        each = {curve: _of_laws(one, self.prediction) for curve, one in self.mixtures.items()}
        own = {"laws": each[None]} if None in each else {"curves": each}
        return plain(found | own)

    def sheets(self) -> list[Sheet]:
        """Return one row a scale, and of one curve what each law says."""
        return shown.forecast(self.summary())


def _of_laws(which: Mixture, told_of: Prediction) -> dict[str, Any]:
    """Return of each law its weight, its health and, of one curve, what it says at each point."""
    told = {}
    for name, weight in which.weights.items():
        one = which.parts[name]
        told[name] = {"weight": weight, "health": one.health.verdicts[0].word}
        flat = one.flat()
        alone = [each for each in one.law.exponents if flat[each].ndim == 1]
        told[name]["exponents"] = {each: summarise(flat[each]) for each in alone}
        said = told_of.members.get(name)
        if said is not None:
            told[name] |= dict(zip(("lo", "median", "hi"), said.tolist(), strict=True))
    return told


def forecast(
    data: Any,
    at: Any,
    *,
    x: Any = None,
    y: Any = None,
    laws: Iterable[Law | str] | None = None,
    kind: str | None = None,
    noise: Any = None,
    misfit: bool = True,
    outliers: bool = False,
    sampler: NUTS = SAMPLER,
    seed: int = 0,
    precision: str = "float64",
    progress: Progress = True,
    **roles: Any,
) -> Forecast:
    """Return what new runs at some scales will measure, with no law to choose.

    Parameters
    ----------
    data
        A checked table (`from_frame`), a fit, for its runs, or a data frame whose columns `x`, `y`
        and further `roles` (as `from_frame` takes them) name.
    at
        Scale by input name (or column), as in `predict`.
    laws
        Laws to weigh, in place of the usual ones.
    kind
        `loss` or `accuracy`, where the table does not say (`laws_of`).
    noise
        As in `fit`; `lognormal` for losses unless given.
    misfit
        Whether laws of losses are `approximate`, and those of accuracies bend beyond the data
        (`with_misfit`); without it each is taken at its word, and intervals beyond the data are
        too narrow (benchmarks/results/forecasts.md, unlocks_ahead.md).
    outliers
        Whether rows of losses that lie far from what all others say are taken in; else they are
        set aside, a note names them, and some new runs lie as far off (`outliers.set_aside`).
        Rows of runs, of which several are off together, are taken in.
    sampler, seed, precision, progress
        As in `fit`.

    Returns
    -------
    Forecast
        Mean and new runs for every draw, the laws with their weights, what the width is made of.

    Raises
    ------
    DataError
        Where the table cannot be fitted.
    ValueError
        For an unknown or missing scale, or an unknown law.

    Notes
    -----
    Each law of losses is `approximate`. Weights are prior times evidence, the prior as in `tasks`.
    Of the variance of a new run `misfit` is what the local exponent may still change beyond the
    data, `noise` the scatter of runs, `parameters` the rest.

    Examples
    --------
    >>> told = bs.forecast(power_data, {"x": 1e12})
    >>> lo, median, hi = told.quantiles("new")[:, 0]
    >>> bool(lo < median < hi)
    True
    """
    data, sampler = rows_of(data), by_nuts(sampler, EVIDENCE, roles)
    if x is None and not isinstance(data, Dataset):
        x = [*named(at)]
    data = as_dataset(data, x, y, **roles)
    check_scales(data, named(at))
    if isinstance(laws, str) or not isinstance(laws, Iterable | None):
        laws = (get_law(laws),)
    names, left = held(laws_of(data, kind), data) if laws is None else (tuple(laws), ())
    plain = {law.name: law for law in map(get_law, names)}
    made = {
        name: approximate(law) if misfit and law.support == "positive" else law
        for name, law in plain.items()
    }
    if not made:
        raise ValueError("name at least one law")
    losses = all(law.support == "positive" for law in made.values())
    nearly = any(law.wander is not None for law in made.values())
    usual = "lognormal" if nearly or (losses and len(data.inputs) == 1) else None
    far: Mapping[str | None, FarOff] = {}
    if nearly and _alone(data):
        data, left = replace(data, run=None), (*left, ALONE)
    if nearly and not outliers and not of_runs(data):
        first = next(law for law in plain.values() if law.support == "positive")
        found = set_aside(first, data)
        data, far = found.data, found.far
    how = dict(noise=noise or usual, sampler=sampler, seed=seed, precision=precision)
    with waiting(progress) as tell:
        fits = {
            name: fit(law, data, progress=telling(tell, name, i, len(made)), **how)
            for i, (name, law) in enumerate(made.items())
        }
    mixtures = weighed(fits, prior_of(plain.values()), seed)
    if misfit and all(may_bend(law) for law in made.values()):
        mixtures = {curve: with_misfit(one, seed=seed) for curve, one in mixtures.items()}
    told = {
        curve: predict(one, at, seed=seed, allow_failed=True) for curve, one in mixtures.items()
    }
    shares = [variance_shares(mixtures[curve], one) for curve, one in told.items()]
    told = {curve: come_again(one, far.get(curve), seed) for curve, one in told.items()}
    whole = _together(told)
    notes = (*left, *past_hundred(data, whole), *_notes(data, mixtures, told))
    if misfit and losses:
        times = size_of(whole.inputs).max() / size_of(data.inputs).max()
        notes = (*notes, *fared(float(times), len(whole.inputs) > 1))
    parts = {name: np.stack([each[name] for each in shares]) for name in shares[0]}
    parts = parts if whole.curves else {name: values[0] for name, values in parts.items()}
    return Forecast(replace(whole, notes=notes), mixtures, parts, notes, far)


def _alone(data: Dataset) -> bool:
    """Return whether each curve is one run, of which what lasts along its rows is misfit.

    As a run's own its level would be forgotten beyond the data (benchmarks/results/checkpoints.md).
    """
    runs = data.run
    return runs is not None and all(len({*runs[own]}) == 1 for _, own in each_curve(data))


def variance_shares(which: Mixture, told: Prediction) -> dict[str, np.ndarray]:
    """Return of what the variance of new runs of one curve is made, (point,) each."""
    positive = which.law.support == "positive"
    mean, new = told.mean, told.new
    if positive:  # heavy tails reach 0 and infinity, of whose logs there is no variance
        mean, new = (np.log(np.clip(x, 1e-300, 1e300)) for x in (mean, new))
    noise, law = np.square(new - mean).mean(0), mean.var(0)
    total, misfit = noise + law, np.zeros_like(law)
    for _, weight, one in which.members:
        if one.law.wander is not None:
            misfit += weight * ahead_variance(one.law, one.flat(), told.inputs).mean(0)
        elif one.bends is not None:
            off = law_draws(one, told.inputs) - law_draws(replace(one, bends=None), told.inputs)
            misfit += weight * np.square(off).mean(0)
    misfit = np.minimum(misfit, law)
    parts = {"noise": noise, "parameters": law - misfit, "misfit": misfit}
    return {name: part / np.where(total > 0, total, 1.0) for name, part in parts.items()}


def _together(told: Mapping[str | None, Prediction]) -> Prediction:
    """Return the predictions of all curves as one; that of the only one as it is."""
    if None in told:
        return told[None]
    each = [*told.values()]
    least = min(len(one.mean) for one in each)
    take = [np.linspace(0, len(one.mean) - 1, least).astype(int) for one in each]

    def stacked(name: str) -> np.ndarray:
        return np.stack([getattr(one, name)[i] for one, i in zip(each, take, strict=True)])

    stderr = None if any(one.stderr is None for one in each) else stacked("stderr")
    return Prediction(
        each[0].inputs,
        stacked("mean"),
        stacked("new"),
        np.stack([one.decades for one in each]),
        (),
        curves=tuple(map(str, told)),
        stderr=stderr,
        columns=each[0].columns,
    )


def _notes(
    data: Dataset,
    mixtures: Mapping[str | None, Mixture],
    told: Mapping[str | None, Prediction],
) -> tuple[Note, ...]:
    """Return what is to be said of the answer, of several curves each with its name."""
    notes = [note for note in data.notes if isinstance(note, Note) and note.kind == OUTLIERS]
    for curve, which in mixtures.items():
        own = [*told[curve].notes, *said_of_fits(which)]
        several = curve is None and len(which.weights) > 1
        own = [note for note in dict.fromkeys(own) if several or note.kind != "average"]
        notes += [note if curve is None else Note(note.kind, f"{curve}: {note}") for note in own]
    return tuple(dict.fromkeys(notes))
