"""backtest: what a law fitted to the smaller scales would have foretold of the larger."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ..comparison.predictive import Backtest, scored
from ..data.dataset import Dataset
from ..data.from_frame import as_dataset
from ..inference.fit import fit
from ..inference.samplers import NUTS
from ..laws import get_law
from ..messages import a_number
from ..parametric.parametric import Law
from ..progress import Progress

__all__ = ["SHARE", "backtest", "checked_share", "fitted"]

SHARE = 0.25
"""Share of a curve's runs, those of the largest scales, that are held out."""
RUNS, SCALES = 8, 4
"""Fewest runs, and scales, that are fitted."""


def backtest(
    law: Law | Callable[..., Law] | str,
    data: Any,
    *,
    share: float = SHARE,
    noise: Any = None,
    pool: str | Iterable[str] | None = None,
    sampler: NUTS | None = None,
    seed: int = 0,
    precision: str = "float64",
    progress: Progress = True,
) -> Backtest | dict[str, Backtest]:
    """Return how the law, fitted to the smaller scales, fares on the larger; by curve if several.

    Parameters
    ----------
    law, noise, pool, sampler, seed, precision, progress
        As in `fit`.
    data
        Runs in one scale, or of a loss as scale (less is then larger).
    share
        Of each curve's runs, those of the largest scales, held out; runs of one scale stay
        together, on the side of the smaller, and so do all rows of one run (by its largest scale).

    Returns
    -------
    Backtest, or dict of Backtest
        Score, error and share inside the 90 % intervals of the runs held out.

    Raises
    ------
    DataError
        Where a curve leaves fewer than 8 runs, or 4 scales, to fit.
    ValueError
        If share is no share, or the law has several scales or responses.

    Examples
    --------
    >>> quick = bs.NUTS(chains=2, warmup=200, draws=200, retries=0)
    >>> held = bs.backtest("sigmoid", accuracy_data, noise="beta_binomial", sampler=quick)
    >>> held.runs, 0 <= held.inside <= 1
    (4, True)
    """
    data = as_dataset(data)
    law = get_law(law)
    below = fitted(law, data, share)
    for row in np.flatnonzero(~_kept(data, below)):
        where = "the table" if data.curve is None else f"curve {data.curve[row]!r}"
        data.fail(
            f"{where} leaves fewer than {RUNS} runs at {SCALES} scales below the largest "
            f"{share:.0%} of the runs"
            + (
                f", or fewer than 2 labels of {data.columns['run']}" if data.run is not None else ""
            ),
            remedy="measure more scales, or leave the backtest out",
        )
    how = dict(noise=noise, pool=pool, sampler=sampler, seed=seed, precision=precision)
    whole = replace(data, all_groups=data.group_names)
    found = {}
    for name, one in fit(law, whole.take(below), progress=progress, **how):
        own = data.of_curve(name)
        found[name] = scored(one, replace(whole.take(own), curve=None), below[own], seed)
    return found[None] if data.curve is None else found


def fitted(law: Law, data: Dataset, share: float = SHARE) -> np.ndarray:
    """Return which rows a backtest fits, (row,): none of a curve that is too short for one.

    Raises
    ------
    ValueError
        If share is no share, or the law has several scales or responses.
    """
    share = checked_share(share)
    if len(law.inputs) != 1 or law.further:
        raise ValueError(f"a backtest is of a law of one response in one scale, not {law.name}")
    (x,) = data.inputs.values()
    size = 1 / x if law.less_is_better else x.copy()
    found = np.zeros(len(data), bool)
    for name in data.curve_names or (None,):
        own = data.of_curve(name)
        size[own] = _largest(size[own], None if data.run is None else data.run[own])
        cut = np.quantile(size[own], 1 - share, method="lower")
        below = own & (size <= cut if cut < size[own].max() else size < cut)
        alone = data.run is not None and len(set(data.run[below])) < 2  # of others it says nothing
        if below.sum() >= RUNS and len(np.unique(x[below])) >= SCALES and not alone:
            found |= below
    return found


def _largest(size: np.ndarray, run: np.ndarray | None) -> np.ndarray:
    """Return of each row the largest scale of its run."""
    if run is None:
        return size
    _, at = np.unique(run.astype(str), return_inverse=True)
    top = np.zeros(at.max() + 1)
    np.maximum.at(top, at, size)
    return top[at]


def checked_share(share: float) -> float:
    """Return the share of runs held out.

    Raises
    ------
    ValueError
        If it is no share.
    """
    if not 0 < a_number(share, "the share of runs held out (--backtest)") < 1:
        raise ValueError(
            f"the share of runs held out (--backtest) lies between 0 and 1, got {share:g}"
        )
    return float(share)


def _kept(data: Dataset, below: np.ndarray) -> np.ndarray:
    """Return which rows are of a curve that is fitted."""
    if data.curve is None:
        return np.full(len(data), below.any())
    return np.isin(data.curve, data.curve[below])
