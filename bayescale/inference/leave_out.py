"""leave_out: a fit anew without single rows, all else as it was.

A row is left out by not counting it. Priors, reference scales and span are those of the whole
table, so that it is the same model without the row, in the program that is compiled already; the
fits without each of several rows run as curves of one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from ..messages import SEEDS
from ..model.arrays import Batch, pack
from ..posterior.health import Health
from ..posterior.posterior import Posterior
from ..progress import Progress, waiting
from .fit import fit_batch
from .samplers import DRAWN_BY, Clock

__all__ = ["can_refit", "without_each", "without_rows"]


def can_refit(posterior: Posterior) -> bool:
    """Return whether the fit is of one curve of independent rows, by a sampler that is known."""
    known = posterior.sampling.method in DRAWN_BY
    return known and not posterior.curves and posterior.model.runs is None


def without_each(
    posterior: Posterior, rows: Sequence[int], *, progress: Progress = False
) -> list[Posterior]:
    """Return the posterior without each of these rows, by the sampler that made it.

    Each is still of the whole table: the density of the row left out is its `log_likelihood`.

    Parameters
    ----------
    rows
        Positions of the rows, each left out in turn.
    """
    run, data = posterior.sampling, posterior.data
    sampler = DRAWN_BY[run.method](**run.settings)
    (batch,) = pack(posterior.model, data)
    keys = tuple((batch.keys[0] + 1 + int(row)) % SEEDS for row in rows)
    without = without_rows(batch.data, list(rows))
    with waiting(progress) as tell, jax.enable_x64(run.precision == "float64"):
        parts = Batch(tuple(range(len(rows))), keys, without)
        found = fit_batch(posterior.model, parts, sampler, run.seed, Clock(tell))
    return [
        replace(
            posterior,
            draws={name: values[i] for name, values in found.draws.items()},
            stats={name: values[i] for name, values in found.stats.items() if name != "z"},
            health=Health((found.verdicts[i],)),
            z=found.stats["z"][i],
        )
        for i in range(len(rows))
    ]


def without_rows(lane: dict[str, Any], rows: list[int]) -> dict[str, Any]:
    """Return the arrays of one curve once a row, in which that row does not count."""
    found = jax.tree.map(lambda leaf: np.repeat(leaf, len(rows), axis=0), lane)
    for response in (found, *found.get("beside", {}).values()):
        response["mask"][np.arange(len(rows)), rows] = False
    return found
