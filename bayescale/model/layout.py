"""layout: where the rows of one curve stand in its arrays.

Independent rows stand as they come, padded to a length. Rows of runs stand in a grid, a run in each
line and along it in order, so that sums over runs and steps along them are those of an array; where
one run is far longer than most, a grid would be mostly empty: they stand one run after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..data.dataset import Dataset

__all__ = ["Layout", "as_they_come", "by_run"]

EMPTY = 4
"""Places for a row above which a grid is no grid any more."""
CLOSE = 0.1
"""Share of a typical gap that stands for a gap of 0: two rows of a run at one scale are distinct
measurements, and a correlation of 1 would leave no density."""


class Layout(NamedTuple):
    """The places of one curve's rows."""

    take: np.ndarray
    """Which row of the table stands in each place; any where none does."""
    present: np.ndarray
    """Whether one does."""
    place: np.ndarray
    """Where each row of the table stands."""
    runs: dict[str, Any]
    """Of each place `first`, whether it begins a run or is one of several of a run at one scale,
    and `gap`, the log of its distance to the row before relative to a typical one, which is `pace`
    in log scale; of each run `sizes`, its rows; and where there is no grid, `run`, the number of
    each place's run."""


def as_they_come(count: int) -> Layout:
    """Return the layout of independent rows: a power of two of places, at least 16."""
    length = max(16, 1 << (count - 1).bit_length())
    places = np.arange(length)
    present = places < count
    return Layout(np.where(present, places, 0), present, places[:count], {})


def by_run(data: Dataset, not_scales: Iterable[str] = ()) -> Layout:
    """Return the layout of the runs of one curve, in the order of their labels.

    Along the scale (no input of `not_scales`) that varies most within runs; rows of one scale stay
    in the order of the table. Where a run has but one scale, its rows are independent but for what
    is the run's.
    """
    names, run = np.unique(data.run.astype(str), return_inverse=True)
    sizes = np.bincount(run)
    logs = np.log([x for name, x in data.inputs.items() if name not in {*not_scales}])
    means = np.stack([np.bincount(run, x) / sizes for x in logs])
    along = logs[np.square(logs - means[:, run]).sum(1).argmax()]
    order = np.lexsort((data.rows, along, run))
    first, gap, pace = _steps(run[order], along[order])

    rows, runs, longest = len(data), _roomy(len(names)), _roomy(int(sizes.max()))
    within = np.arange(rows) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    if runs * longest <= max(EMPTY * rows, 64):
        length, where, more = runs * longest, run[order] * longest + within, {}
    else:
        length, where = _roomy(rows), np.arange(rows)
        numbers = np.pad(run[order], (0, length - rows), constant_values=runs - 1)
        more = {"run": numbers.astype(np.int32)}
    take, present = np.zeros(length, int), np.zeros(length, bool)
    take[where], present[where] = order, True
    place = np.empty(rows, int)
    place[order] = where
    begins, gaps = np.ones(length, bool), np.zeros(length)
    begins[where], gaps[where] = first, gap
    more |= {
        "first": begins,
        "gap": gaps,
        "pace": pace,
        "sizes": np.pad(sizes, (0, runs - len(sizes))),
    }
    return Layout(take, present, place, more)


def _steps(run: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.float64]:
    """Return which rows begin a run (or are of one at one scale), log gaps, and the typical gap."""
    first = np.diff(run, prepend=-1) > 0
    gap = np.diff(along, prepend=0.0)
    low, high = np.full(run.max() + 1, np.inf), np.full(run.max() + 1, -np.inf)
    np.minimum.at(low, run, along)
    np.maximum.at(high, run, along)
    first |= (low == high)[run]
    moved = gap[~first & (gap > 0)]
    pace = np.float64(np.median(moved) if len(moved) else 1.0)
    return first, np.log(np.where(first, 1.0, np.maximum(gap / pace, CLOSE))), pace


def _roomy(count: int) -> int:
    """Return a length not much above `count`, of few, so that few programs are compiled."""
    step = max(4, (1 << (count - 1).bit_length()) // 4)
    return count if count == 1 else -(-count // step) * step
