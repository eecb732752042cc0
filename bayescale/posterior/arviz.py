"""A posterior as an ArviZ DataTree, for ArviZ's tools (`arviz_stats.loo`, `arviz_plots`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Dataset
from . import pointwise
from .posterior import Posterior

if TYPE_CHECKING:
    import xarray

__all__ = ["ARVIZ_NAMES", "ROLES", "to_arviz"]

ARVIZ_NAMES = {"log_density": "lp"}
ROLES = ("n", "stderr", "chance", "curve", "group")


def to_arviz(posterior: Posterior, log_likelihood: bool = True) -> xarray.DataTree:
    """Return the posterior as ArviZ lays it out, dimensions chain, draw (, curve).

    Parameters
    ----------
    posterior
        Any fit, sound or not.
    log_likelihood
        Whether to compute the log density of each row, which leave-one-out needs. With several
        curves a row's density is that under its own curve.

    Returns
    -------
    xarray.DataTree
        Groups posterior, sample_stats, log_likelihood, observed_data and constant_data; rows of
        the table have the dimension obs_id, and their numbers in the source as its coordinate.
    """
    import xarray as xr

    data = posterior.data
    coords = _coords(posterior)
    stats = {ARVIZ_NAMES.get(name, name): value for name, value in posterior.stats.items()}
    rows = {name: ("obs_id", values) for name, values in _columns(data).items()}
    observed = {name: rows.pop(name) for name in data.responses}
    groups = {
        "posterior": _by_draw(posterior, posterior.draws, coords),
        "sample_stats": _by_draw(posterior, stats, coords),
        "observed_data": xr.Dataset(observed, {"obs_id": data.rows}),
        "constant_data": xr.Dataset(rows, {"obs_id": data.rows}),
    }
    if log_likelihood:
        response = posterior.law.response if posterior.law.further else next(iter(data.responses))
        density = {response: (("chain", "draw", "obs_id"), pointwise.log_likelihood(posterior))}
        at = {name: coords[name] for name in ("chain", "draw")} | {"obs_id": data.rows}
        groups["log_likelihood"] = xr.Dataset(density, at)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {
        "inference_library": "bayescale",
        "inference_library_version": posterior.sampling.versions.get("bayescale", ""),
        "law": str(posterior.law),
        "noise": posterior.model.noise.name,
        "health": str(posterior.health),
    }
    return tree


def _coords(posterior: Posterior) -> dict[str, np.ndarray]:
    chains, draws = next(iter(posterior.stats.values())).shape[-2:]
    coords = {"chain": np.arange(chains), "draw": np.arange(draws)}
    return coords | ({"curve": np.array(posterior.curves, object)} if posterior.curves else {})


def _by_draw(posterior: Posterior, arrays: Mapping[str, np.ndarray], coords) -> xarray.Dataset:
    """Return ([curve,] chain, draw, ...) arrays with the curve behind the draw, as ArviZ has it."""
    import xarray as xr

    lead = ("chain", "draw", "curve") if posterior.curves else ("chain", "draw")
    found = {}
    for name, values in arrays.items():
        values = np.moveaxis(values, 0, 2) if posterior.curves else values
        own = tuple(f"{name}_dim_{i}" for i in range(values.ndim - len(lead)))
        found[name] = ((*lead, *own), values)
    return xr.Dataset(found, coords)


def _columns(data: Dataset) -> dict[str, np.ndarray]:
    """Return every column of the data by its role."""
    given = {role: getattr(data, role) for role in ROLES}
    given = {role: values for role, values in given.items() if values is not None}
    return {**data.responses, **data.inputs, **given}
