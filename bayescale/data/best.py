"""best: of a sweep, the rows of the best setting at each scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..messages import Note
from .accuracies import more_is_better
from .dataset import Dataset
from .dependent import codes

__all__ = ["best_rows"]

TRIED = 3
"""Values of a setting from which on the best one can lie within them."""


def best_rows(data: Dataset, settings: Mapping[str, np.ndarray]) -> Dataset:
    """Return the rows of the best setting at each scale, and a note of how many were left out.

    A scale is one value of every input, within a curve and a group. Best is the setting of the
    lowest mean response there, of the highest where more is better (`more_is_better`); all rows of
    it are kept, so that seeds are not chosen among.

    Parameters
    ----------
    settings
        Value of each setting, by name: numbers, or labels.

    Raises
    ------
    DataError
        Where the table has several responses, or a setting is one of its scales.
    """
    name = ", ".join(settings)
    if len(data.responses) > 1:
        remedy = "name one response"
        data.fail(f"best={name} is asked of {len(data.responses)} responses", remedy=remedy)
    for each in settings:
        for role in data.inputs:
            if each in (role, data.columns[role], f"`{data.columns[role]}`"):
                remedy = f"leave {each} out of best, or out of the scales"
                data.fail(f"best={each} is a scale of the law", remedy=remedy)
    labels = [each for each in (data.curve, data.group) if each is not None]
    scale = codes([*data.inputs.values(), *labels], len(data))
    setting = codes([scale, *settings.values()], len(data))
    ((response, y),) = data.responses.items()
    rising = more_is_better(data)
    mean = np.bincount(setting, -y if rising else y) / np.bincount(setting)
    least = np.full(scale.max() + 1, np.inf)
    np.minimum.at(least, scale, mean[setting])
    # Of settings that do equally well the first one stands, whole.
    ties = np.flatnonzero(mean[setting] == least[scale])
    first = setting[ties][np.unique(scale[ties], return_index=True)[1]]
    keep = setting == first[scale]
    count, scales = int((~keep).sum()), scale.max() + 1
    what = "highest" if rising else "lowest"
    text = (
        f"of {name} the setting of {what} {data.columns[response]} is kept at each of {scales} "
        f"scales: {count} of {len(data)} rows are left out"
    )
    notes = (Note("best", text), *_at_the_end(settings, scale, keep))
    return replace(data.take(keep), notes=(*data.notes, *notes))


def _at_the_end(
    settings: Mapping[str, np.ndarray], scale: np.ndarray, keep: np.ndarray
) -> list[Note]:
    """Say where the best value of a setting is the first or last that was tried."""
    notes = []
    for name, values in settings.items():
        if values.dtype == object:
            continue
        ends = wide = 0
        for at in range(scale.max() + 1):
            tried = np.unique(values[scale == at])
            if len(tried) >= TRIED:
                wide += 1
                ends += bool(np.isin(values[(scale == at) & keep], tried[[0, -1]]).any())
        if 2 * ends > wide:
            notes.append(
                Note(
                    "edge",
                    f"at {ends} of {wide} scales the best {name} is the lowest or highest that was "
                    "tried: the best one may lie beyond",
                )
            )
    return notes
