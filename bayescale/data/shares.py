"""What stands where shares from 0 to 1 should: counts, percent, or a quotient above 1."""

from __future__ import annotations

import re

import numpy as np

from ..messages import option
from . import expression

__all__ = ["above_one"]


def above_one(
    text: str, y: np.ndarray, n: tuple[str, np.ndarray] | None, row: int, rows: np.ndarray
) -> tuple[str, str]:
    """Say why a share is above 1 and what to do, from how its column was made.

    Parameters
    ----------
    text, y
        The column's expression and values.
    n
        The same of the number of questions, where it is known.
    row, rows
        Position of the share, and the numbers of all rows in the source.
    """
    known = y[np.isfinite(y)]
    if parts := expression.quotient(text):
        counts = n is not None and parts[1] == n[0]
        values = f" ({y[row] * n[1][row]:.6g} of {n[1][row]:.6g})" if counts else ""
        remedy = "check which column counts the trials"
        return f"is above 1: {parts[0]} exceeds {parts[1]}{values}", remedy
    atom = text if re.fullmatch(r"\w+|`[^`]*`", text) else f"({text})"
    percent = option("y", f"{atom}/100")
    if n is not None and np.all(known == np.floor(known)):
        return "is above 1", _as_counts(y, atom, n, rows) + (
            f"; if it is percent: {percent}" if known.max() <= 100 < n[1].min() else ""
        )
    if known.max() <= 100:
        return "is above 1", f"give fractions: {percent}"
    return "is above 1", "divide by the highest possible score"


def _as_counts(y: np.ndarray, atom: str, n: tuple[str, np.ndarray], rows: np.ndarray) -> str:
    """Return the remedy for counts of right answers where shares should stand."""
    share = f"{atom}/{n[0]}"
    remedy = f"counts are given as fractions: {option('y', share)}"
    for row in np.flatnonzero(y > n[1])[:1]:
        remedy += f", but row {rows[row]} has {y[row]:.6g} of {n[1][row]:.6g}"
    return remedy
