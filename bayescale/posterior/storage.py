"""A posterior as a NetCDF file.

`save` writes the groups of `to_arviz`, whole or not at all, with all that `load` needs to return
an equal Posterior. Any tool that reads NetCDF opens such a file; `load` accepts no other. The file
ends in a line with its format and checksum, so that a damaged one is refused before HDF5 sees it;
what passes is read as from a stranger (`hdf5`), and its health judged anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ..data.dataset import EXTRAS, LABELS, Dataset
from ..laws import get_law
from ..messages import Note
from ..model.evaluate import law_at
from ..model.model import Model
from ..noises.names import get_noise
from ..noises.runs import DEPENDENCES
from ..parametric.parametric import Law, Noise
from .arviz import ARVIZ_NAMES, to_arviz
from .bends import KNOTS
from .checks import judged_anew
from .files import StorageError, line_of, sealed, unsealed, writable, write
from .hdf5 import Reader, to_bytes
from .health import UNREACHED, Health
from .intervals import plain
from .mixture import a_fit
from .posterior import Bends, Posterior, SamplingInfo
from .signature import match, signature

__all__ = ["FORMAT", "load", "save"]

FORMAT = 9
"""Version of the file's layout; a file of another one is refused."""

ROWS = ("log_likelihood", "posterior_predictive", "prior_predictive")
"""Groups that have a value a draw and row."""
MOST = 1_000_000
"""How many values a file has of each of them."""


# ------------------------------------------------------------------ to a file


def save(posterior: Posterior, path: str | os.PathLike, *, rows: bool = True) -> None:
    """Write a posterior to a NetCDF file, whole or not at all; `load` returns an equal one.

    A file that is there already is replaced only once the new one is complete on disk.

    Parameters
    ----------
    posterior, path
        What is written, and where.
    rows
        Whether the file also has what other tools ask of each row: log_likelihood,
        posterior_predictive and prior_predictive, as `to_arviz` has them. Each is of single
        precision and thinned to a million values: at most 4 MB. `load` needs none of them, and
        `to_arviz(load(path))` has them whole.

    Returns
    -------
    None
        The file is written, or an error raised.

    Raises
    ------
    StorageError
        If the file cannot be written.

    Examples
    --------
    >>> bs.save(power_fit, "power.nc")
    >>> print(bs.load("power.nc").law)
    power
    """
    import xarray as xr

    target = writable(path)
    record = json.dumps(_record(a_fit(posterior, mixtures=False)), default=plain).encode()
    try:
        tree = to_arviz(posterior, rows, most=MOST)
        with np.errstate(over="ignore"):  # a run of the prior beyond the floats: infinite
            for name in ROWS if rows else ():
                tree[name] = xr.DataTree(tree[name].to_dataset().astype(np.float32))
        own: dict[str, tuple] = {"record": ("byte", np.frombuffer(record, np.uint8))}
        for role, names in _labels(posterior.data).items():
            number = {name: i for i, name in enumerate(names)}
            rows_of = [number[label] for label in getattr(posterior.data, role)]
            own[role] = ("obs_id", np.array(rows_of, np.uint32))
        if posterior.z is not None:
            own["z"] = ([f"z_dim_{i}" for i in range(posterior.z.ndim)], posterior.z)
        if posterior.bends is not None:
            own["bends"] = (("chain", "draw", "knot"), posterior.bends.draws)
        tree["bayescale"] = xr.DataTree(xr.Dataset(own))
        content = sealed(to_bytes(tree), FORMAT)
    except (OSError, RuntimeError, ValueError) as error:  # h5py raises all three
        raise StorageError(f"{path}: this fit has no NetCDF form: {line_of(error)}") from error
    write(target, content)


def _record(posterior: Posterior) -> dict[str, Any]:
    """Return what the arrays do not hold."""
    data, bends = posterior.data, posterior.bends
    return {
        "law": signature(posterior.law),
        "noise": signature(posterior.model.noise),
        "beside": [signature(noise) for noise in posterior.model.further],
        "pool": list(posterior.model.pool),
        "runs": posterior.model.runs and posterior.model.runs.name,
        "probe": _probe(posterior),
        "data": {
            "inputs": list(data.inputs),
            "responses": list(data.responses),
            "reference": data.reference,
            "all_groups": list(data.all_groups),
            "extras": [name for name in EXTRAS if getattr(data, name) is not None],
            "labels": _labels(data),
            "source": data.source,
            "where": data.where,
            "columns": dict(data.columns),
            "notes": _kept(data.notes),
        },
        "draws": {name: values.dtype.name for name, values in posterior.draws.items()},
        "stats": {name: values.dtype.name for name, values in posterior.stats.items()},
        "z": None if posterior.z is None else posterior.z.dtype.name,
        "unidentified": [verdict.unidentified for verdict in posterior.health.verdicts],
        "sampling": asdict(posterior.sampling) | {"notes": _kept(posterior.sampling.notes)},
        "bends": bends and {"sd": bends.sd, "begins": bends.begins},
    }


def _labels(data: Dataset) -> dict[str, list[str]]:
    """Return the labels of each column that has some; the arrays have their numbers."""
    columns = {role: getattr(data, role) for role in LABELS}
    return {role: list(dict.fromkeys(has)) for role, has in columns.items() if has is not None}


def _kept(notes: tuple[Note, ...]) -> list[tuple[str, str]]:
    return [(note.kind, note) for note in notes]


def _probe(posterior: Posterior) -> list[float]:
    """Return the law at the first row for the first draw: tells a formula from another."""
    draws = posterior.draws
    draws = draws if posterior.curves else {name: values[None] for name, values in draws.items()}
    draws = {name: values[:1, :1, :1] for name, values in draws.items()}
    at = {name: values[None, :1] for name, values in posterior.data.inputs.items()}
    return law_at(posterior.law, draws, at).ravel().tolist()


# ------------------------------------------------------------------ from a file


def load(
    path: str | os.PathLike,
    law: Law | Callable[..., Law] | str | None = None,
    noise: Noise | None = None,
) -> Posterior:
    """Return the posterior that `save` wrote to a file.

    Parameters
    ----------
    path
        The file.
    law, noise
        Your own law and noise, where the fit was made with one; built-in ones are found by name.

    Returns
    -------
    Posterior
        Equal to the one that was saved, its health judged anew.

    Raises
    ------
    StorageError
        If there is no such file, it is not ours, damaged or of another format version, or the
        law or noise is not the one of the fit.

    Examples
    --------
    >>> bs.save(power_fit, "power.nc")
    >>> again = bs.load("power.nc")
    >>> bool((again.draws["alpha"] == power_fit.draws["alpha"]).all())
    True
    """
    content = unsealed(path, FORMAT)
    try:
        with Reader(content) as file:
            record = json.loads(file.numbers("bayescale/record", "uint8").tobytes())
            data = _dataset(file, record["data"])
            draws = _arrays(file, "posterior", record["draws"], data)
            stats = _arrays(file, "sample_stats", record["stats"], data)
            z = record["z"] and file.numbers("bayescale/z", record["z"])
            bends = _bends(file, record["bends"])
        sampling = _sampling(record["sampling"])
        model = Model(
            match(path, "law", record["law"], law, get_law),
            match(path, "noise", record["noise"], noise, get_noise),
            tuple(match(path, "noise", each, None, get_noise) for each in record["beside"]),
            tuple(map(str, record["pool"])),
            len(data.group_names) if record["pool"] else 0,
            record["runs"] and DEPENDENCES[record["runs"]],
        )
        _check_shapes(model, data, draws, stats, z, bends)
        unjudged = Health((UNREACHED,) * max(1, len(data.curve_names)))
        found = Posterior(model, data, draws, stats, unjudged, sampling, z, bends)
        same = np.allclose(_probe(found), record["probe"], rtol=1e-6, atol=0, equal_nan=True)
        found = replace(found, health=judged_anew(found, record["unidentified"]))
    except StorageError as error:
        raise StorageError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except READING as error:
        raise StorageError(
            f"{path}: this bayescale cannot read it, though it is whole: {line_of(error)}; "
            "read it with the version that wrote it, or fit again"
        ) from error
    if not same:
        raise StorageError(
            f"{path}: the law {model.law.name} has another formula than when this fit was made; "
            f"pass the law as it was: load(path, law=...)"
        )
    return found


READING = (
    AttributeError,
    ArithmeticError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,  # RecursionError too, of a record nested deep
    TypeError,
    ValueError,
)
"""What a file that was made to harm may raise."""


def _arrays(
    file: Reader, group: str, dtypes: Mapping[str, str], data: Dataset
) -> dict[str, np.ndarray]:
    """Return the arrays of a group as a Posterior has them, the curve first."""
    found = {}
    for name, dtype in dtypes.items():
        values = file.numbers(f"{group}/{ARVIZ_NAMES.get(name, name)}", dtype)
        values = np.moveaxis(values, 2, 0) if data.curve_names else values
        found[name] = np.ascontiguousarray(values)
    return found


def _dataset(file: Reader, record: Mapping) -> Dataset:
    def number(name):
        return file.numbers(name, "float64")

    extras = {name: number(f"constant_data/{name}") for name in record["extras"] if name in EXTRAS}
    labels = {
        role: np.array(list(map(str, names)), object)[file.numbers(f"bayescale/{role}", "uint32")]
        for role, names in record["labels"].items()
        if role in LABELS
    }
    return Dataset(
        inputs={name: number(f"constant_data/{name}") for name in record["inputs"]},
        responses={name: number(f"observed_data/{name}") for name in record["responses"]},
        **extras,
        **labels,
        reference=record["reference"] and {k: float(v) for k, v in record["reference"].items()},
        all_groups=tuple(map(str, record["all_groups"])),
        source=str(record["source"]),
        rows=file.numbers("constant_data/obs_id", "int64"),
        columns={str(k): str(v) for k, v in record["columns"].items()},
        where=record.get("where") and str(record["where"]),
        notes=_notes(record["notes"]),
    )


def _bends(file: Reader, record: Mapping | None) -> Bends | None:
    if not record:
        return None
    draws = file.numbers("bayescale/bends", "float64")
    return Bends(float(record["sd"]), float(record["begins"]), draws)


def _sampling(record: Mapping[str, Any]) -> SamplingInfo:
    texts, wholes = ("method", "precision", "device"), ("seed", "chains", "draws")
    return SamplingInfo(
        **{name: str(record[name]) for name in texts},
        **{name: int(record[name]) for name in wholes},
        versions={str(k): str(v) for k, v in record["versions"].items()},
        seconds={str(k): float(v) for k, v in record["seconds"].items()},
        leapfrogs=float("nan") if record["leapfrogs"] is None else float(record["leapfrogs"]),
        settings=dict(record["settings"]),
        notes=_notes(record["notes"]),
    )


def _check_shapes(model, data, draws, stats, z, bends) -> None:
    """Refuse arrays that are not of the same curves, chains and draws."""
    if missing := set(model.names) - set(draws):
        raise ValueError(f"no draws of {', '.join(sorted(missing))}")
    lead = stats["log_density"].shape
    if len(lead) != 2 + bool(data.curve_names) or 0 in lead:
        raise ValueError(f"log_density has the shape {lead}")
    if data.curve_names and lead[0] != len(data.curve_names):
        raise ValueError(f"draws of {lead[0]} curves, {len(data.curve_names)} in the data")
    for name, values in {**draws, **stats, **({} if z is None else {"z": z})}.items():
        if values.shape[: len(lead)] != lead or values.ndim > len(lead) + 1:
            raise ValueError(f"{name} has the shape {values.shape}, not {lead}")
    if z is not None and z.shape != (*lead, model.size):
        raise ValueError(f"z has the shape {z.shape}, of {model.size} coordinates")
    if bends is not None and bends.draws.shape != (*lead[-2:], len(KNOTS)):
        raise ValueError(f"the bends have the shape {bends.draws.shape}")


def _notes(kept: Iterable[Iterable[str]]) -> tuple[Note, ...]:
    return tuple(Note(str(kind), str(text)) for kind, text in kept)
