"""A posterior as a NetCDF file.

`save` writes the groups of `to_arviz`, whole or not at all, with all that `load` needs to return
an equal Posterior. Any tool that reads NetCDF opens such a file; `load` accepts no other. The file
ends in a line with its format and checksum, so that a damaged one is refused before HDF5 sees it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.dataset import Dataset
from ..laws import get_law
from ..messages import Note
from ..model.evaluate import law_at
from ..model.model import Model
from ..noises.names import get_noise
from ..parametric.parametric import Law, Noise, Parametric
from ..parametric.words import from_record, record
from .arviz import ARVIZ_NAMES, ROLES, to_arviz
from .files import StorageError, line_of, resolved, writable, write
from .health import Health, Verdict
from .intervals import plain
from .posterior import Drift, Posterior, SamplingInfo
from .seal import check_seal, seal

if TYPE_CHECKING:
    import xarray

__all__ = ["FORMAT", "load", "save"]

FORMAT = 4
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
    record = json.dumps(_record(posterior), default=plain)
    try:
        tree = to_arviz(posterior, rows, most=MOST)
        with np.errstate(over="ignore"):  # a run of the prior beyond the floats: infinite
            for name in ROWS if rows else ():
                tree[name] = xr.DataTree(tree[name].to_dataset().astype(np.float32))
        own = {"record": ((), record)}
        if posterior.z is not None:
            own["z"] = ([f"z_dim_{i}" for i in range(posterior.z.ndim)], posterior.z)
        if posterior.drift is not None:
            own["drift"] = (("chain", "draw"), posterior.drift.draws)
        tree["bayescale"] = xr.DataTree(xr.Dataset(own))
    except ValueError as error:
        raise StorageError(f"{path}: this fit has no NetCDF form: {line_of(error)}") from error

    def fill(part: Path) -> None:
        tree.to_netcdf(part, engine="h5netcdf")
        seal(part, FORMAT)

    try:
        write(target, fill)
    except (OSError, RuntimeError, ValueError) as error:  # h5py raises all three
        raise StorageError(
            f"{target}: could not be written, what was there is unchanged: {line_of(error)}"
        ) from error


def _record(posterior: Posterior) -> dict[str, Any]:
    """Return what the arrays do not hold."""
    data, drift = posterior.data, posterior.drift
    return {
        "law": _signature(posterior.law),
        "noise": _signature(posterior.model.noise),
        "beside": [_signature(noise) for noise in posterior.model.further],
        "pool": list(posterior.model.pool),
        "probe": _probe(posterior),
        "data": {
            "inputs": list(data.inputs),
            "responses": list(data.responses),
            "reference": data.reference,
            "all_groups": list(data.all_groups),
            "source": data.source,
            "columns": dict(data.columns),
            "notes": _kept(data.notes),
        },
        "draws": list(posterior.draws),
        "stats": list(posterior.stats),
        "health": [asdict(verdict) for verdict in posterior.health.verdicts],
        "sampling": asdict(posterior.sampling) | {"notes": _kept(posterior.sampling.notes)},
        "drift": drift and {"sd": drift.sd, "begins": drift.begins},
    }


def _kept(notes: tuple[Note, ...]) -> list[tuple[str, str]]:
    return [(note.kind, note) for note in notes]


def _signature(part: Parametric) -> dict[str, Any]:
    names = ("name", "inputs", "parameters", "fixed", "tied")
    priors = {name: record(prior) for name, prior in part.changed}
    return {name: getattr(part, name) for name in names} | {"priors": priors}


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
    check_seal(path, FORMAT)
    try:
        tree = _read(path)
        record = json.loads(tree["bayescale/record"].item())
        data = _dataset(tree, record["data"])
        draws, stats = _arrays(tree, "posterior", record), _arrays(tree, "sample_stats", record)
        health = Health(tuple(Verdict(**_tuples(verdict)) for verdict in record["health"]))
        sampling = _tuples(record["sampling"])
        sampling = SamplingInfo(**sampling | {"notes": _notes(sampling["notes"])})
        own = tree["bayescale"]
        z = own["z"].values if "z" in own else None
        drift = record["drift"] and Drift(**record["drift"], draws=own["drift"].values)
    except (KeyError, TypeError, OSError, ValueError) as error:
        raise StorageError(
            f"{path}: this bayescale cannot read it, though it is whole: {line_of(error)}; "
            "read it with the version that wrote it, or fit again"
        ) from error
    pool = tuple(record["pool"])
    model = Model(
        _match(path, "law", record["law"], law, get_law),
        _match(path, "noise", record["noise"], noise, get_noise),
        tuple(_match(path, "noise", each, None, get_noise) for each in record["beside"]),
        pool,
        len(data.group_names) if pool else 0,
    )
    found = Posterior(model, data, draws, stats, health, sampling, z, drift)
    if not np.allclose(_probe(found), record["probe"], rtol=1e-6, atol=0, equal_nan=True):
        raise StorageError(
            f"{path}: the law {model.law.name} has another formula than when this fit was made; "
            f"pass the law as it was: load(path, law=...)"
        )
    return found


def _read(path: str | os.PathLike) -> xarray.DataTree:
    import xarray as xr

    with xr.open_datatree(resolved(path), engine="h5netcdf") as opened:
        return opened.drop_nodes(ROWS, errors="ignore").load()


def _arrays(tree: xarray.DataTree, group: str, record: Mapping) -> dict[str, np.ndarray]:
    """Return the arrays of a group as a Posterior has them, the curve first."""
    found = {}
    for name in record["draws" if group == "posterior" else "stats"]:
        variable = tree[group][ARVIZ_NAMES.get(name, name)]
        if "curve" in variable.dims:
            variable = variable.transpose("curve", ...)
        found[name] = np.ascontiguousarray(variable.values)
    return found


def _dataset(tree: xarray.DataTree, record: Mapping) -> Dataset:
    observed, constant = tree["observed_data"], tree["constant_data"]
    return Dataset(
        inputs={name: constant[name].values for name in record["inputs"]},
        responses={name: observed[name].values for name in record["responses"]},
        **{role: constant[role].values for role in ROLES if role in constant},
        reference=record["reference"],
        all_groups=tuple(record.get("all_groups", ())),
        source=record["source"],
        rows=constant["obs_id"].values,
        columns=record["columns"],
        notes=_notes(record["notes"]),
    )


def _notes(kept: Iterable[Iterable[str]]) -> tuple[Note, ...]:
    return tuple(Note(*each) for each in kept)


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a record; JSON knows no tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}


def _match(
    path: str | os.PathLike, kind: str, saved: Mapping, own: Any, find: Callable
) -> Parametric:
    """Return the law or noise of the fit: the user's own if one is passed, else the built-in."""
    try:
        found = find(saved["name"] if own is None else own)
    except ValueError as error:
        raise StorageError(
            f"{path}: the {kind} {saved['name']} is not built in; pass it: load(path, {kind}=...)"
        ) from error
    for name in ("name", "inputs", "parameters"):
        then, now = (np.atleast_1d(v).tolist() for v in (saved[name], getattr(found, name)))
        if then != now:
            raise StorageError(
                f"{path}: was fitted with the {kind} {saved['name']}, whose {name} "
                f"{'is' if name == 'name' else 'are'} {', '.join(then)}; this {kind} has "
                f"{', '.join(now)}; pass the right one: load(path, {kind}=...)"
            )
    return replace(
        _with_saved_priors(path, kind, saved["priors"], found),
        fixed=tuple((k, v) for k, v in saved["fixed"]),
        tied=tuple((k, v) for k, v in saved["tied"]),
    )


def _with_saved_priors(
    path: str | os.PathLike, kind: str, saved: Mapping, found: Parametric
) -> Parametric:
    """Return the law or noise with the priors that it had; refuse those that are not known."""
    own = {name: record(prior) for name, prior in found.changed}
    lost = [name for name, prior in saved.items() if prior is None and name not in own]
    if lost:
        raise StorageError(
            f"{path}: was fitted with a prior of {', '.join(lost)} that no file keeps; pass the "
            f"{kind} with it: load(path, {kind}=...)"
        )
    for name, prior in own.items():
        if name not in saved or prior != saved[name]:
            raise StorageError(
                f"{path}: was fitted with another prior of {name} than this {kind} has; pass the "
                f"{kind} as it was, or as it is built in"
            )
    priors = {k: from_record(prior) for k, prior in saved.items() if k not in own}
    return found.with_priors(**priors)
