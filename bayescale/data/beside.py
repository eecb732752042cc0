"""Scales beside each other: swapped, one that follows another, and two counts of parameters.

Counts are with embeddings or without; where a table has both it matters which were taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..messages import Note, option, quoted
from .cells import numbers
from .scales import bare, counts, each_curve, some_curves, units_of

if TYPE_CHECKING:
    from .dataset import Dataset
    from .table import Table

__all__ = ["embeddings", "remarks"]

LINE = 0.05
"""Share of its own spread in log scale that one scale must vary by beside another."""

NO_EMBEDDINGS = re.compile(r"(no|non|not|without|excl\w*)[ _-]*(emb|vocab)", re.IGNORECASE)
SAME = 1.05
"""Two counts of parameters that differ by less than this factor are alike."""


def remarks(data: Dataset) -> list[Note]:
    """Return what should be said of scales beside each other, a line each."""
    known = {"N", "D"} & {each.role for each in units_of(data)}
    return [*([] if known else _swapped(data)), *_unique(data), *_line(data)]


def embeddings(data: Dataset, table: Table) -> list[Note]:
    """Say that the table has parameters both with embeddings and without, and which were taken.

    `data` has all rows of the table.
    """
    for role, N in data.inputs.items():
        name = bare(data.columns[role])
        if name is None or counts(role, data.columns[role]) != "params":
            continue
        without = bool(NO_EMBEDDINGS.search(name))
        for other in table.known:
            if other == name or without == bool(NO_EMBEDDINGS.search(other)):
                continue
            if not re.search("param|total", other, re.IGNORECASE):
                continue
            values, bad = numbers(table.column(other))
            with np.errstate(all="ignore"):
                ratio = values / N if without else N / values
            if bad.any() or not (np.isfinite(ratio) & (ratio >= 1)).all() or ratio.max() < SAME:
                continue
            more, less = (other, name) if without else (name, other)
            said = (
                f"{role} = {name} {'leaves out' if without else 'counts'} embeddings: {more} is "
                f"{ratio.min():.3g} to {ratio.max():.3g} times {less}, and exponents and the best "
                f"split differ with which is meant; for the other write "
            )
            prefix = "" if role == "x" else f"{role}="
            return [Note("embeddings", said + option("x", f"{prefix}{quoted(other)}"))]
    return []


def _input_like(data: Dataset, name: str, word: str) -> str | None:
    if name in data.inputs:
        return name
    return next((role for role in data.inputs if word in data.columns[role].lower()), None)


def _swapped(data: Dataset) -> list[Note]:
    size, tokens = (_input_like(data, *each) for each in (("N", "param"), ("D", "token")))
    if not size or not tokens or size == tokens:
        return []
    share = 100 * np.mean(data.inputs[size] > data.inputs[tokens])
    note = f"{size} exceeds {tokens} in {share:.0f} % of rows: check order and units"
    return [Note("swapped", note)] if share > 50 else []


def _unique(data: Dataset) -> list[Note]:
    """Say that more tokens are unique than there are."""
    if not {"U", "D"} <= set(data.inputs):
        return []
    over = data.inputs["U"] > data.inputs["D"] * (1 + 1e-6)
    if not over.any():
        return []
    row = data.rows[np.flatnonzero(over)[0]]
    said = f"U exceeds D in {over.sum()} of {len(data)} rows (first: row {row})"
    if over.all():
        return [Note("unique", f"{said}: are they swapped, or in other units?")]
    u, d = (f"({data.columns[name]})" for name in "UD")
    least = option("x", f"U=({u}+{d}-abs({u}-{d}))/2")
    said += f": of what was not seen nothing is learnt; the lesser is {least}"
    return [Note("unique", said)]


def _line(data: Dataset) -> list[Note]:
    """Say that one scale follows another, so that their exponents cannot be told apart."""
    other = next((name for name in ("D", "S") if name in data.inputs), None)
    if "N" not in data.inputs or other is None:
        return []
    N, D = data.inputs["N"], data.inputs[other]
    each = {name: _tied(other, N[own], D[own]) for name, own in each_curve(data)}
    found = {name: said for name, said in each.items() if said}
    if not found:
        return []
    where = some_curves([*found], len(data.curve_names)) if data.curve is not None else ""
    why = next(iter(found.values()))
    return [Note("line", f"{where}{why}; add runs off this line, or fit one scale")]


def _tied(other: str, N: np.ndarray, D: np.ndarray) -> str | None:
    """Return how D follows N and what that means, None where it does not."""
    if len(N) < 3:
        return None
    n, d = np.log(N), np.log(D)
    for name, values in (("N", n), (other, d)):
        if np.ptp(values) < 1e-9:
            said = f"{name} is {np.exp(values[0]):.4g} in every row"
            return f"{said}: what it does is told by the prior alone"
    slope = float(np.cov(n, d)[0, 1] / np.var(n, ddof=1))
    left = d - d.mean() - slope * (n - n.mean())
    if left.std() > LINE * min(d.std(), n.std()):
        return None
    along = f"{other} goes with N^{slope:.2f}"
    for power, name in ((1, f"{other}/N"), (-1, f"N {other}")):
        if abs(slope - power) < LINE:
            logs = d - power * n
            within = np.expm1(np.abs(logs - np.median(logs)).max())
            along = f"{name} is {np.exp(np.median(logs)):.4g}, within {within:.0%},"
    return (
        f"{along} in every row: what N and what {other} do cannot be told apart, nor their "
        "exponents, nor a best split, but by the prior"
    )
