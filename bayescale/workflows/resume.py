"""resume: fits kept in a folder as they are made, so that what was cut short goes on from there."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import EXTRAS, LABELS, Dataset
from ..inference.fit import fit
from ..inference.make_model import as_law_names, make_model
from ..inference.samplers import INTERRUPTED, NUTS
from ..messages import a_path
from ..model.model import Model
from ..parametric.parametric import Law
from ..posterior.files import StorageError, writable
from ..posterior.posterior import Posterior
from ..posterior.storage import load, save

__all__ = ["Kept"]


@dataclass(frozen=True)
class Kept:
    """A folder of fits; without one nothing is kept."""

    folder: Path | None

    @classmethod
    def at(cls, folder: str | os.PathLike | None) -> Kept:
        """Return the fits in a folder, made where there is none.

        Raises
        ------
        StorageError
            If it cannot be made, or no file can be written there.
        """
        if folder is None:
            return cls(None)
        place = Path(a_path(folder)).expanduser()
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{folder}: cannot be made: {error.strerror}") from error
        writable(place / "fit.nc")
        return cls(place)

    def fit(self, name: str, law: Law, data: Dataset, **how: Any) -> Posterior:
        """Return the fit that is kept under this name; make and keep it where it is another's.

        Raises
        ------
        KeyboardInterrupt
            If the fit is cut short: what was kept before stays.
        """
        if self.folder is None:
            return _whole(fit(law, data, **how))
        path = self.folder / f"{re.sub(r'[^A-Za-z0-9_.,()=-]', '_', name)}.nc"
        kept = _read(path, law, data, **how) if path.exists() else None
        if kept is None:
            kept = _whole(fit(law, data, **how))
            save(kept, path, rows=False)
        return kept


def _whole(posterior: Posterior) -> Posterior:
    if INTERRUPTED in posterior.sampling.notes:
        raise KeyboardInterrupt
    return posterior


def _read(
    path: Path,
    law: Law,
    data: Dataset,
    *,
    noise: Any,
    pool: Any,
    sampler: NUTS,
    seed: int,
    precision: str,
    progress: Any,
) -> Posterior | None:
    """Return the fit in a file, where it is the one that these arguments make; else None."""
    model = make_model(law, data, noise, pool)
    try:
        kept = load(path, law=law, noise=model.noise)
    except StorageError:
        return None
    made = kept.sampling
    asked = (asdict(sampler), seed, precision, version("bayescale"))
    told = (made.settings, made.seed, made.precision, made.versions.get("bayescale"))
    same = asked == told and _alike(kept.model, model)
    return kept if same and _equal(kept.data, as_law_names(law, data)) else None


def _alike(one: Model, two: Model) -> bool:
    return repr(one) == repr(two)


def _equal(one: Dataset, two: Dataset) -> bool:
    """Return whether two tables hold the same runs."""
    columns = [dict(each.inputs) | dict(each.responses) for each in (one, two)]
    for found, data in zip(columns, (one, two), strict=True):
        found |= {k: getattr(data, k) for k in (*EXTRAS, *LABELS, "rows")}
        found |= {"reference": data.reference, "groups": data.group_names}
    if columns[0].keys() != columns[1].keys():
        return False
    pairs = [(columns[0][name], columns[1][name]) for name in columns[0]]
    return all(_same(*pair) for pair in pairs)


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(two, np.ndarray):
        return np.array_equal(one, two, equal_nan=one.dtype.kind == "f")
    return type(one) is type(two) and one == two
