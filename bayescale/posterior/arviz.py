"""A posterior as an ArviZ DataTree, for ArviZ's tools (`arviz_stats.loo`, `arviz_plots`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Dataset
from ..model.prior import before
from . import pointwise
from .mixture import a_fit
from .posterior import Posterior

if TYPE_CHECKING:
    import xarray

__all__ = ["ARVIZ_NAMES", "to_arviz"]

ARVIZ_NAMES = {"log_density": "lp"}
PRIOR_DRAWS = 1000


def to_arviz(
    posterior: Posterior, rows: bool = True, *, most: int | None = None, seed: int = 0
) -> xarray.DataTree:
    """Return the posterior as ArviZ lays it out, dimensions chain, draw (, curve).

    Parameters
    ----------
    posterior
        Any fit, sound or not.
    rows
        Whether to compute the groups that have a value for each draw and row of the table:
        log_likelihood (which leave-one-out needs), posterior_predictive and prior_predictive. With
        several curves a row's is that of its own curve. Where rows are of runs, log_likelihood has
        one value a run, dimension run_id: whole runs are left out.
    most
        The number of values that each of these may have: where there would be more, every second,
        third, ... draw is left out of them. By default they have all draws.
    seed
        Decides the runs of posterior_predictive, and the draws of the prior.

    Returns
    -------
    xarray.DataTree
        Groups posterior, sample_stats, log_likelihood, posterior_predictive, prior,
        prior_predictive, log_prior (where the fit has its own coordinates), observed_data and
        constant_data; rows of the table have the dimension obs_id, and their numbers in the source
        as its coordinate. log_prior has one variable for each block that is sampled.

    Examples
    --------
    >>> tree = bs.to_arviz(power_fit, rows=False)
    >>> tree.posterior["alpha"].dims
    ('chain', 'draw')
    """
    import xarray as xr

    data, coords = a_fit(posterior, mixtures=False).data, _coords(posterior)
    stats = {ARVIZ_NAMES.get(name, name): value for name, value in posterior.stats.items()}
    table = {name: ("obs_id", values) for name, values in _columns(data).items()}
    observed = {name: table.pop(name) for name in data.responses}
    groups = {
        "posterior": _by_draw(posterior, posterior.draws, coords),
        "sample_stats": _by_draw(posterior, stats, coords),
        "observed_data": xr.Dataset(observed, {"obs_id": data.rows}),
        "constant_data": xr.Dataset(table, {"obs_id": data.rows}),
    }
    if prior := pointwise.log_prior(posterior):
        groups["log_prior"] = _by_draw(posterior, prior, coords)
    groups |= _before(posterior, coords, rows, most, seed)
    if rows:
        groups |= _rows(posterior, coords, most, seed)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {
        "inference_library": "bayescale",
        "inference_library_version": posterior.sampling.versions.get("bayescale", ""),
        "law": str(posterior.law),
        "noise": posterior.model.noise.name,
        "health": str(posterior.health),
    }
    return tree


def _rows(posterior: Posterior, coords, most: int | None, seed: int) -> dict[str, xarray.Dataset]:
    """Return log_likelihood and posterior_predictive, of every so many-th draw."""
    import xarray as xr

    data, chains = posterior.data, len(coords["chain"])
    step = _step(len(coords["draw"]) * chains * len(data), most)
    lead = (slice(None),) * (2 if posterior.curves else 1)
    draws = {name: values[*lead, ::step] for name, values in posterior.draws.items()}
    thin = replace(posterior, draws=draws, z=None)
    at = {"chain": coords["chain"], "draw": coords["draw"][::step], "obs_id": data.rows}
    names, dims = _responses(posterior), ("chain", "draw", "obs_id")
    shape, main = tuple(map(len, at.values())), next(iter(names.values()))
    parts = (*dims[:2], "run_id") if posterior.model.runs is not None else dims
    density = {main: (parts, pointwise.log_likelihood(thin))}
    again = {
        own: pointwise.replicate(thin, shape[0] * shape[1], seed=seed, response=of)
        for of, own in names.items()
    }
    runs = {name: (dims, values.reshape(shape)) for name, values in again.items()}
    return {
        group: xr.Dataset(variables, {k: v for k, v in at.items() if k != "obs_id" or rows})
        for group, variables, rows in (
            ("log_likelihood", density, posterior.model.runs is None),
            ("posterior_predictive", runs, True),
        )
    }


def _before(posterior: Posterior, coords, rows: bool, most: int | None, seed: int) -> dict:
    """Return prior, and prior_predictive where it is wanted."""
    import xarray as xr

    data, count = posterior.data, PRIOR_DRAWS
    drawn = before(posterior.model, data, count, seed=seed)
    lead = (slice(None), None) if posterior.curves else (None,)  # the one chain
    parameters = {name: values[lead] for name, values in drawn.parameters.items()}
    own = coords | {"chain": np.arange(1), "draw": np.arange(count)}
    prior = _by_draw(posterior, parameters, own)
    if not rows:
        return {"prior": prior}
    step = _step(count * len(data), most)
    at = {"chain": own["chain"], "draw": own["draw"][::step], "obs_id": data.rows}
    dims = ("chain", "draw", "obs_id")
    runs = {own: drawn.runs[of] for of, own in _responses(posterior).items()}
    found = {name: (dims, values[None, ::step]) for name, values in runs.items()}
    return {"prior": prior, "prior_predictive": xr.Dataset(found, at)}


def _step(values: int, most: int | None) -> int:
    return 1 if most is None else max(1, -(-values // most))


def _responses(posterior: Posterior) -> dict[str, str]:
    """Return what the data call each response of the law, `response` first."""
    law, seen = posterior.law, posterior.data.responses
    return {name: law.name_in(seen, name) for name in law.responses}


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
    """Return every column of the data by its role, responses first."""
    return {**data.responses, **data.roles()}
