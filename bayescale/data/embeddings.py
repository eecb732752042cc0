"""Whether a table counts parameters both with embeddings and without, and which were taken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..messages import Note, option, quoted
from .cells import numbers
from .scales import bare, counts

if TYPE_CHECKING:
    from .dataset import Dataset
    from .table import Table

__all__ = ["embeddings"]

NO_EMBEDDINGS = re.compile(r"(no|non|not|without|excl\w*)[ _-]*(emb|vocab)", re.IGNORECASE)
SAME = 1.05
"""Two counts of parameters that differ by less than this factor are alike."""


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
