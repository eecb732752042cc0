"""register: a forecast written down before the runs are made, and how it came out.

`register` writes quantiles, the table's hash and the version to a JSON file that is never written
over; `score` holds what was measured later against it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.expression import ExpressionError
from ..data.from_frame import canonical
from ..data.given import relabelled
from ..data.table import open_table
from ..messages import DataError, a_path
from ..posterior.display import Sheet, Shown
from ..posterior.files import StorageError, writable, write
from ..posterior.intervals import plain
from . import shown
from .forecast import Forecast

if TYPE_CHECKING:
    import pandas

__all__ = ["Scored", "register", "registrable", "score"]

FORMAT = 1
LEVELS = (0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995)
SAME = 0.01
"""Scales that differ by a smaller share are one."""
LARGEST = 10_000_000
"""Bytes of a file that is read."""


def register(found: Forecast, path: str | os.PathLike) -> None:
    """Write a forecast down: what was forecast, from which table, by which version, and when.

    Parameters
    ----------
    path
        A file that is not there yet, such as `runs.forecast.json`.

    Returns
    -------
    None
        The file holds quantiles of a new run at each point, and a hash of the table.

    Raises
    ------
    StorageError
        If there is such a file already, or it cannot be written.

    Examples
    --------
    >>> bs.register(bs.forecast(power_data, {"x": 1e12}), "runs.forecast.json")
    """
    if not isinstance(found, Forecast):
        name = type(found).__name__
        raise TypeError(f"what forecast returns is registered, not a {name}: forecast(data, at)")
    target = registrable(path)
    which = next(iter(found.mixtures.values()))
    data, law = which.data, which.law
    new = np.quantile(found.prediction.new, LEVELS, axis=-2)
    columns = {name: data.columns.get(name, name) for name in found.inputs}
    points = []
    for at in np.ndindex(found.prediction.decades.shape):
        scales = {columns[name]: x[at[-1]] for name, x in found.inputs.items()}
        levels = {str(level): new[(i, *at)] for i, level in enumerate(LEVELS)}
        of = {"curve": found.curves[at[0]]} if found.curves else {}
        points.append(of | {"at": scales, "new": levels})
    (response,) = data.responses
    record = {
        "format": FORMAT,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("bayescale"),
        "table": {"source": data.source, "sha256": _hash(found)},
        "response": data.columns.get(response, response),
        "logs": law.support == "positive",
        "weights": {curve or "": one for curve, one in found.weights.items()},
        "points": points,
    }
    write(target, json.dumps(plain(record), indent=1) + "\n")


def registrable(path: str | os.PathLike) -> Path:
    """Return where a forecast can be registered; asked before a long fit.

    Raises
    ------
    StorageError
        If there is such a file already, or it cannot be written.
    """
    if Path(a_path(path)).expanduser().exists():
        raise StorageError(
            f"{path}: is there already; a registered forecast stays as it is: name another file"
        )
    return writable(path)


def _hash(found: Forecast) -> str:
    """Return a hash of all rows that the forecast is made from."""
    digest = sha256()
    for curve, which in found.mixtures.items():
        data = which.data.sorted()
        digest.update(repr(curve).encode())
        for columns in (data.inputs, data.responses):
            for name, values in columns.items():
                digest.update(name.encode() + np.ascontiguousarray(values, float).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False, repr=False)
class Scored(Shown):
    """Registered forecasts beside what was measured."""

    runs: pandas.DataFrame
    """One row a measured run: the scales, `seen`, `median`, `lo` and `hi` (90 %), `error` (log
    median less log seen; of accuracies the difference), `level` (where in the forecast it lies, 0
    to 1), `inside50`, `inside80`, `inside90`, and `crps` (of the log) from the quantiles."""
    open: int
    """Points of which nothing was measured yet."""
    record: Mapping[str, Any]
    """The file."""
    elsewhere: Mapping[int, str] = field(default_factory=dict)
    """Rows of the table that lie at no scale that was forecast -> where they lie, in words."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `runs`, `open`, `elsewhere`, means of the scores."""
        runs = self.runs
        names = ("inside50", "inside80", "inside90", "crps")
        means = {name: runs[name].mean() for name in names} if len(runs) else {}
        about = {name: self.record[name] for name in ("made", "version", "table")}
        found = {"runs": runs.to_dict("records"), "open": self.open}
        return plain(about | found | {"elsewhere": [*self.elsewhere], "mean": means})

    @property
    def notes(self) -> tuple[str, ...]:
        """What is still to be measured, and which rows no forecast was made of."""
        points = "1 point is" if self.open == 1 else f"{self.open} points are"
        notes = [f"{points} not measured yet"] * bool(self.open)
        if self.elsewhere:
            row, where = next(iter(self.elsewhere.items()))
            rows = "1 row lies" if len(self.elsewhere) == 1 else f"{len(self.elsewhere)} rows lie"
            notes.append(
                f"{rows} at no scale that was forecast (within {SAME:.0%}), which tells nothing: "
                f"row {row} at {where}"
            )
        return tuple(notes)

    def sheets(self) -> list[Sheet]:
        """Return one row a measured run."""
        return shown.scored(self.summary())


def score(
    path: str | os.PathLike,
    measured: Any,
    *,
    x: str | Iterable[str] | Mapping[str, str] | None = None,
    y: str | None = None,
    curve: str | None = None,
    where: str | None = None,
    source: str = "table",
) -> Scored:
    """Return how a registered forecast came out.

    Parameters
    ----------
    path
        The file that `register` wrote.
    measured
        A data frame of the runs that were made since; one row is enough.
    x, y, curve, where
        Columns as in `from_frame`, where they are called otherwise than those of the table that
        was forecast from.
    source
        How messages call the table.

    Returns
    -------
    Scored
        One row for each measured run at a scale (within 1 %) that was forecast.

    Raises
    ------
    StorageError
        If the file is none, or not one of ours.
    DataError
        Where the table has no such columns, or a cell is no number.

    Examples
    --------
    >>> bs.register(bs.forecast(power_data, {"x": 1e12}), "later.forecast.json")
    >>> bs.score("later.forecast.json", {"x": [1e12], "y": [1.95]}).runs.inside90.tolist()
    [True]
    """
    import pandas as pd

    record = registered(path)
    first = record["points"][0]
    try:
        table, _ = open_table(measured, source).filtered(where)
        named = _columns(x, [*first["at"]])
        scales = {k: table.number(canonical(text, table)) for k, text in named.items()}
        seen = table.number(canonical(y or record["response"], table))
        labels = table.labels([curve or "curve"]) if "curve" in first else None
        if labels is not None:
            labels = relabelled(labels, dict.fromkeys(p["curve"] for p in record["points"]))
    except ExpressionError as error:
        raise DataError(f"{source}: {error}") from None
    rows, open_points, used = [], 0, np.zeros(len(seen), bool)
    for point in record["points"]:
        here = np.ones(len(seen), bool) if labels is None else labels == point["curve"]
        for name, value in point["at"].items():
            with np.errstate(divide="ignore", invalid="ignore"):
                here &= np.abs(np.log(scales[name] / value)) < SAME
        open_points += not here.any()
        used |= here
        rows += [_scored(point, value, record["logs"]) for value in seen[here]]
    elsewhere = {}
    for at in np.flatnonzero(~used):
        own = {name: float(values[at]) for name, values in scales.items()}
        whose = "" if labels is None else f"{labels[at]} "
        elsewhere[int(table.rows[at])] = f"{whose}{_nearest(record['points'], own)}"
    return Scored(pd.DataFrame(rows), open_points, record, elsewhere)


def _nearest(points: Iterable[Mapping[str, Any]], own: Mapping[str, float]) -> str:
    """Return the scales of a row, and those of the registered point that is nearest."""

    def apart(point: Mapping[str, Any]) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = [np.abs(np.log(own[name] / value)) for name, value in point["at"].items()]
        return float(np.nan_to_num(max(logs), nan=np.inf))

    nearest = min(points, key=apart)["at"]
    here, there = (
        ", ".join(f"{name}={value:.4g}" for name, value in at.items()) for at in (own, nearest)
    )
    return f"{here}, the nearest forecast at {there}"


def _columns(given: Any, scales: list[str]) -> dict[str, str]:
    """Return the column of each scale: its own name where nothing else is said."""
    if isinstance(given, Mapping):
        return {name: given.get(name, name) for name in scales}
    texts = [given] if isinstance(given, str) else list(given or ())
    pairs = [text.split("=", 1) if "=" in text else (None, text) for text in texts]
    spare = iter([name for name in scales if name not in [k for k, _ in pairs]])
    named = {key or next(spare, ""): text for key, text in pairs}
    if unknown := set(named) - set(scales):
        known = ", ".join(scales)
        raise ValueError(f"x (-x): {', '.join(unknown) or texts[-1]} is no scale of it: {known}")
    return {name: named.get(name, name) for name in scales}


def _scored(point: Mapping[str, Any], seen: float, logs: bool) -> dict[str, Any]:
    """Return how one point came out, by its quantiles."""
    levels = np.array([float(level) for level in point["new"]])
    values = np.array([*point["new"].values()], float)
    found = dict(zip(point["new"], values, strict=True))
    value = np.log(seen) if logs else seen
    at = np.log(values) if logs else values
    told = {f"inside{m}": bool(found[lo] <= seen <= found[hi]) for m, lo, hi in BOUNDS}
    # CRPS is twice the integral of the pinball loss over levels (Gneiting and Ranjan 2011).
    loss = 2 * (levels - (value < at)) * (value - at)
    return (
        ({"curve": point["curve"]} if "curve" in point else {})
        | dict(point["at"])
        | {"seen": seen, "median": found["0.5"], "lo": found["0.05"], "hi": found["0.95"]}
        | {"error": float(at[levels == 0.5][0] - value)}
        | {"level": float(np.interp(value, at, levels, left=0.0, right=1.0))}
        | told
        | {"crps": float(np.trapezoid(loss, levels))}
    )


BOUNDS = ((50, "0.25", "0.75"), (80, "0.1", "0.9"), (90, "0.05", "0.95"))


def registered(path: str | os.PathLike) -> dict[str, Any]:
    """Return a registered forecast, its form checked."""
    place = Path(a_path(path)).expanduser()
    try:
        if place.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        record = json.loads(place.read_text())
        if record["format"] != FORMAT:
            raise ValueError(f"it has format {record['format']!r}, not {FORMAT}")
        for point in record["points"]:
            values = [float(point["new"][str(level)]) for level in LEVELS]
            if not (np.isfinite(values).all() and (np.diff(values) >= 0).all()):
                raise ValueError("its quantiles are in no order")
            point["at"] = {str(name): float(value) for name, value in point["at"].items()}
        if not record["points"]:
            raise ValueError("it forecasts nothing")
        for name in ("response", "logs", "made", "version", "table"):
            record[name]
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)[:120]
        remedy = "name a file that register wrote (bayescale register ... -o FILE)"
        raise StorageError(f"{path}: is no registered forecast: {what}; {remedy}") from error
    return record
