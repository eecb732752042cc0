"""futures: how forecasts would have fared on each table's own larger runs.

`backtest_forecast` leaves out all that lies beyond a cut, forecasts it from what lies below, and
compares: before a forecast is believed, this says what became of such forecasts on this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.accuracies import size_of
from ..data.dataset import Dataset
from ..data.from_frame import as_dataset, from_frame
from ..messages import Note, some_numbers
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import levels, plain
from ..progress import Progress
from ..questions.predict import predict
from . import shown
from .forecast import Forecast, forecast
from .outliers import come_again

if TYPE_CHECKING:
    import pandas

__all__ = ["CUTS", "Futures", "backtest_forecast", "cut_tables", "fared", "held_against", "scores"]

CUTS = (0.5, 0.1, 0.03, 0.01)
"""Shares of the largest scale beyond which runs are left out."""
COLUMNS = {*signature(from_frame).parameters}
"""Arguments that name columns."""
SCALES = 5
"""Fewest scales that are fitted; of several scales twice as many runs."""
MASSES = (0.5, 0.8, 0.9)
FINITE = (1e-300, 1e300)
"""Bounds of new runs whose log is taken: heavy tails reach 0 and infinity."""
RESOLVED = 1e-6
"""Spread of draws below which their density is not told more exactly."""
QUARTILES = 1.349
"""Between the quartiles of a normal of sd 1."""
REACHES = (2.0, 10.0, 30.0, 100.0, np.inf)
"""Bounds of the distance, as multiples of the last scale fitted, by which scores are told."""


@dataclass(frozen=True, eq=False, repr=False)
class Futures(Shown):
    """Every run that was left out, beside what was forecast of it."""

    runs: pandas.DataFrame
    """One row a run and cut: `curve`, `cut`, `distance` (multiple of the last scale fitted), its
    `reach`, `seen`, `median`, `error` (log median less log seen; of accuracies the difference),
    `width` and `inside` of 50, 80 and 90 %, `crps`, `log_density`."""
    notes: tuple[Note, ...] = ()

    def by_distance(self) -> pandas.DataFrame:
        """Return mean scores by distance, curves counting alike, and their standard errors."""
        return _told(self.runs, self.runs.reach, "distance")

    def by_cut(self) -> pandas.DataFrame:
        """Return mean scores by cut, curves counting alike, and their standard errors."""
        return _told(self.runs, self.runs.cut, "cut")

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `by_cut`, `by_distance`."""
        found = {"by_cut": self.by_cut(), "by_distance": self.by_distance()}
        parts = {name: table.reset_index().to_dict("records") for name, table in found.items()}
        return plain(parts | {"notes": self.notes})

    def sheets(self) -> list[Sheet]:
        """Return one row a cut, and one a distance."""
        return shown.futures(self.summary())


def _told(runs: pandas.DataFrame, by: Any, name: str) -> pandas.DataFrame:
    import pandas as pd

    columns = ["squared", "inside50", "inside80", "inside90", "width90", "crps", "log_density"]
    found = runs.assign(squared=runs.error**2, **{name: by})
    each = found.groupby([name, "curve"], observed=True)[columns].mean()
    rows = {}
    for label, own in each.groupby(level=name, observed=True):
        means = {column: float(own[column].mean()) for column in columns[1:]}
        spread = own.inside90.std(ddof=1) / np.sqrt(len(own))
        counts = {"curves": len(own), "runs": int((found[name] == label).sum())}
        root = np.sqrt(own.squared.mean())
        rows[label] = {"rmse": float(root)} | means | {"inside90_se": float(spread)} | counts
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(name)


def cut_tables(data: Dataset, cuts: Iterable[float]) -> tuple[Dataset, dict[str, tuple]]:
    """Return what lies below each cut of each curve, as curves of one table, and the rest.

    Returns
    -------
    Dataset
        Its curves are named `CURVE < CUT`.
    dict
        Of each of these: the curve, the cut, and which rows of `data` lie beyond.

    Raises
    ------
    DataError
        Where no curve has scales enough below any cut.
    """
    x, least = size_of(data.inputs), SCALES * min(len(data.inputs), 2)
    picked, labels, beyond = [], [], {}
    for name in data.curve_names or (None,):
        own = data.of_curve(name)
        for cut in cuts:
            below = own & (x <= cut * x[own].max())
            if len(np.unique(x[below])) >= least and (own & ~below).any():
                label = f"{name or 'table'} < {cut:g}"
                beyond[label] = (str(name or "table"), cut, own & ~below)
                picked.append(np.flatnonzero(below))
                labels += [label] * int(below.sum())
    if not picked:
        data.fail(
            f"has no curve with {least} scales below a cut and runs beyond it",
            remedy="measure more scales, or leave out less (--cuts .5)",
        )
    rows = data.take(np.concatenate(picked))
    return replace(rows, curve=np.array(labels, object)), beyond


def scores(new: np.ndarray, seen: np.ndarray, logs: bool) -> dict[str, np.ndarray]:
    """Return how draws of new runs, (draw, point), fare on what was seen, (point,).

    Parameters
    ----------
    logs
        Whether errors, widths, CRPS and densities are of the log.

    Notes
    -----
    CRPS from draws: E|X - y| - E|X - X'|/2 (Gneiting and Raftery 2007,
    doi 10.1198/016214506000001437). The density is a kernel estimate, a normal about each of M
    draws, of the width .9 min(sd, quartiles/1.349) M^-1/5 (Silverman 1986, eq. 3.31), which a few
    draws far off do not widen; with the weight 1/(M + 1), of what no draw tells, a Cauchy about
    the median of the same scale: a run beyond all draws costs about 2 log of its distance.
    """
    draws, y = (np.log(np.clip(v, *FINITE)) if logs else v for v in (new, seen))
    ordered, count = np.sort(draws, 0), len(draws)
    weight = (2 * np.arange(1, count + 1) - count - 1)[:, None] / count**2
    found = {"median": np.median(new, 0), "error": np.median(draws, 0) - y}
    for mass in MASSES:
        lo, hi = np.quantile(draws, levels(mass)[::2], axis=0)
        found[f"inside{mass * 100:.0f}"] = (lo <= y) & (y <= hi)
        found[f"width{mass * 100:.0f}"] = hi - lo
    found["crps"] = np.abs(draws - y).mean(0) - (weight * ordered).sum(0)
    found["log_density"] = _log_density(draws, y)
    return found


def _log_density(draws: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the log density of y, (point,), of which draws, (draw, point), tell."""
    count = len(draws)
    first, middle, third = np.quantile(draws, [0.25, 0.5, 0.75], axis=0)
    scale = np.maximum(np.minimum(draws.std(0), (third - first) / QUARTILES), RESOLVED)
    width = 0.9 * scale * count**-0.2
    near = np.exp(-0.5 * np.square((y - draws) / width)).sum(0) / (width * np.sqrt(2 * np.pi))
    beyond = 1 / (np.pi * scale * (1 + np.square((y - middle) / scale)))
    return np.log((near + beyond) / (count + 1))


def backtest_forecast(
    data: Any,
    cuts: Iterable[float] | None = None,
    *,
    progress: Progress = True,
    **how: Any,
) -> Futures:
    """Return how forecasts from the smaller scales of a table fare on its larger ones.

    Parameters
    ----------
    data
        Runs of one or several curves, as `forecast` takes them; each curve is cut on its own,
        along its scale, or the product of its scales (of N and D alone where they have others).
    cuts
        Shares of the largest scale beyond which runs are left out; by default 1/2, 1/10, 3/100 and
        1/100, as far as five scales remain (ten of a product).
    progress, how
        As in `forecast`: laws, kind, noise, sampler, seed, precision; the columns of a frame.

    Returns
    -------
    Futures
        Error, coverage, width, CRPS and log density of every run left out.

    Raises
    ------
    DataError
        Where no curve has scales enough.
    ValueError
        If a cut is no share.

    Examples
    --------
    >>> fared = bs.backtest_forecast(power_data, [0.3])
    >>> fared.by_cut().index.tolist()
    [0.3]
    """
    columns = {name: how.pop(name) for name in COLUMNS & {*how}}
    data = as_dataset(data, columns.pop("x", None), columns.pop("y", None), **columns)
    cuts = checked_cuts(cuts)
    return fared(data, *cut_tables(data, cuts), progress=progress, **how)


def checked_cuts(cuts: Iterable[float] | None) -> tuple[float, ...]:
    """Return the cuts, the usual ones where none are given; a ValueError where one is no share."""
    cuts = tuple(some_numbers(CUTS if cuts is None else cuts, "cuts (--cuts)").tolist())
    if not cuts or not all(0 < cut < 1 for cut in cuts):
        raise ValueError(f"cuts (--cuts) are shares between 0 and 1, got {cuts}")
    return cuts


def fared(data: Dataset, fitted: Dataset, beyond: Mapping[str, tuple], **how: Any) -> Futures:
    """Return how forecasts from what is `fitted` fare on the rows of `data` that lie `beyond`.

    Parameters
    ----------
    fitted, beyond
        As `cut_tables` returns them.
    """
    told = forecast(fitted, {name: [x.max()] for name, x in data.inputs.items()}, **how)
    return held_against(told, data, fitted, beyond, how.get("seed", 0))


def held_against(
    told: Forecast, data: Dataset, fitted: Dataset, beyond: Mapping[str, tuple], seed: int = 0
) -> Futures:
    """Return how a forecast from what was `fitted` fares on the rows that lie `beyond`."""
    import pandas as pd

    (y,) = data.responses.values()
    size, known = size_of(data.inputs), size_of(fitted.inputs)
    logs = bool(next(iter(told.mixtures.values())).law.support == "positive")
    rows = []
    for label, which in told.mixtures.items():
        curve, cut, held = beyond[str(label)]
        names = dict(zip(data.inputs, which.law.inputs, strict=True))
        at = {names[name]: x[held] for name, x in data.inputs.items()}
        far = size[held] / known[fitted.curve == label].max()
        there = predict(which, at, seed=seed, allow_failed=True)
        new = come_again(there, told.far.get(label), seed).new
        part = pd.DataFrame(scores(new, y[held], logs))
        rows.append(part.assign(curve=curve, cut=cut, distance=far, seen=y[held]))
    runs = pd.concat(rows, ignore_index=True)
    edges = [0.0, *REACHES]
    labels = [f"to {edge:g}" for edge in REACHES[:-1]] + [f"beyond {REACHES[-2]:g}"]
    runs["reach"] = pd.cut(runs.distance, edges, labels=labels)
    return Futures(runs, told.notes if not told.sound else ())
