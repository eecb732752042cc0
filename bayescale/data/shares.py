"""What stands where shares from 0 to 1 should: counts, percent, or a quotient above 1.

And whether the name of a response says that it is an accuracy, or a loss.
"""

from __future__ import annotations

import re

import numpy as np

from ..messages import option

__all__ = ["above_one", "least_shown", "quotient", "said_by", "words"]

ACCURACIES = {"acc", "acc1", "acc5", "accuracy", "accuracies", "em", "exact", "correct", "top1"}
ACCURACIES |= {"top5", "solved", "success"}
LOSSES = {"loss", "losses", "nll", "ce", "xent", "entropy", "crossentropy", "bpb", "bpc"}
"""Words of the names of responses."""

_QUOTIENT = re.compile(r"\s*(`[^`]+`|\w+)\s*/\s*(`[^`]+`|[^\W\d]\w*)\s*")


def words(text: str) -> list[str]:
    """Return the words of a column's name in lower case: `params_B` has params and b."""
    apart = re.sub(r"([a-z])([A-Z][a-z])", r"\1 \2", text)
    return [word.lower() for word in re.split(r"[^0-9A-Za-z.%@]+", apart) if word]


def said_by(*names: str) -> str | None:
    """Return whether names of a response say `loss` or `accuracy`; None for neither."""
    name = {word for each in names for word in words(each)}
    if name & LOSSES or any(word.startswith("err") for word in name):
        return "loss"
    known = name & ACCURACIES or any(word.startswith("pass@") for word in name)
    return "accuracy" if known else None


def quotient(text: str) -> tuple[str, str] | None:
    """Return numerator and denominator of a text such as `n_correct/n`, None for another text."""
    match = _QUOTIENT.fullmatch(text)
    return (match[1], match[2]) if match else None


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
    if parts := quotient(text):
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
    if n is None and said_by(text) == "loss":
        remedy = "take a law of losses, such as power or chinchilla, or another column"
        return "is no accuracy, by its name and above 1", remedy
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


def least_shown(y: np.ndarray) -> float | None:
    """Return the last digit that positive values are written with, at most the least of them.

    0.41, 0.003 and 0 were measured to a thousandth, so a 0 is known to lie below that. None where
    nothing is positive.
    """
    known = y[np.isfinite(y) & (y > 0)]
    if not len(known):
        return None
    for digit in 10.0 ** np.arange(0, -10, -1):
        times = np.round(known / digit)
        if times.min() >= 1 and np.abs(known / digit - times).max() < 1e-6:
            return float(min(digit, known.min()))
    return float(known.min())
