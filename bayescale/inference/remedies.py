"""What else than leaving rows out makes a response one that a fit takes; each is tried first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ..data.dataset import Dataset
from ..data.shares import least_shown
from ..messages import option
from ..model.arrays import check_responses
from ..model.model import Model
from ..noises.names import NOISES

__all__ = ["checked"]

QUESTIONS = 1000.0
"""Questions of a table that does not name them, to try whether counts would be taken."""


def checked(model: Model, data: Dataset) -> Model:
    """Return the model, where it can speak of the data's responses.

    Raises
    ------
    DataError
        Naming row, column and value, and what was found to help.
    """
    check_responses(model, data, partial(_other_ways, model, data))
    return model


def _other_ways(model: Model, data: Dataset, role: str, row: int) -> Iterator[str]:
    y = data.responses[role]
    losses = {name: -each if name == role else each for name, each in data.responses.items()}
    if not (y >= 0).any() and _passes(model, replace(data, responses=losses)):
        way = option("y", f"-{data.columns[role]}")
        yield f"take its negative, a loss where this is a log likelihood: {way}"
    if any(getattr(note, "kind", "") == "percent" for note in data.notes):
        yield f"give shares, {option('y', f'{data.columns[role]}/100')}, for a law of accuracies"
        return
    zero = y[row] == 0
    least = least_shown(y) if zero and _fades(data, y) else None
    if least is not None and _passes(model, _with(data, limit=np.full(len(data), least))):
        limit = f"1/{data.columns['n']}" if data.n is not None else f"{least:g}"
        yield f"name the least that can be measured, {option('limit', limit)}"
    rates = bool((y >= 0).all() and (y <= 1).all())
    counted = data if data.n is not None else _with(data, n=np.full(len(data), QUESTIONS))
    if zero and rates and _passes(model, counted, "beta_binomial"):
        given = "" if data.n is not None else "n='COLUMN' (-n COLUMN) and "
        yield f"count the wrong out of n: {given}noise='beta_binomial' (--noise beta_binomial)"
    if _passes(model, data, "normal"):
        yield "take a noise of any real response, noise='normal' (--noise normal)"


def _fades(data: Dataset, y: np.ndarray) -> bool:
    """Return whether a 0 may be what is left of a response: not beside others that hardly vary."""
    known = y[y > 0]
    return data.n is not None or bool(len(known) and known.min() <= known.max() / 2)


def _with(data: Dataset, **columns: np.ndarray) -> Dataset | None:
    """Return the data with other columns, None where they are not taken."""
    try:
        return replace(data, **columns)
    except ValueError:
        return None


def _passes(model: Model, data: Dataset | None, noise: str | None = None) -> bool:
    """Return whether data suit the model, or the model with another noise."""
    if data is None:
        return False
    try:
        check_responses(model if noise is None else replace(model, noise=NOISES[noise]), data)
    except ValueError:
        return False
    return True
