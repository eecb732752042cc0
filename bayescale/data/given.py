"""What is given as it is: a Series as a scale or a response, a mask as a filter, a label.

Of a label that a question gives, which one of a table it means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from ..messages import Note, refuse
from .cells import number, texts
from .table import Table, name_of

__all__ = ["mask_of", "relabelled", "same_label", "with_columns"]

Roles = Mapping[str, Any]


def with_columns(table: Table, frame: Any, roles: Roles) -> tuple[Table, dict[str, Any]]:
    """Return a table that has the columns that are given as they are, and the roles by name.

    Parameters
    ----------
    roles
        Role (x, y, n, ...) -> names of columns, columns, or several of either.

    Raises
    ------
    DataError
        Where a column is not of the table's length, or a Series has other labels of rows.
    """
    added: dict[str, np.ndarray] = {}

    def named(given: Any, role: str) -> Any:
        cells = _cells(given)
        if cells is None:
            return given
        _check_rows(table, frame, given, cells, role)
        name = _name(table, added, given, cells, role)
        if name not in table.known:
            added[name] = cells
        return name

    found: dict[str, Any] = {}
    for role, given in roles.items():
        if isinstance(given, Mapping):
            found[role] = {name: named(each, str(name)) for name, each in given.items()}
        elif isinstance(given, tuple) and name_of(given) in table.known:
            found[role] = name_of(given)  # of a column whose name has several parts
        elif isinstance(given, list | tuple) and _cells(given) is None:
            found[role] = [named(each, role) for each in given]
        else:
            found[role] = named(given, role)
    if not added:
        return table, found
    read = lambda name: added[name] if name in added else table.read(name)  # noqa: E731
    return replace(table, known=(*table.known, *added), read=read), found


def mask_of(table: Table, frame: Any, given: Any) -> tuple[Table, tuple[Note, ...]] | None:
    """Return the rows that a mask of yes and no keeps, and a note; None for what is no mask.

    Raises
    ------
    DataError
        Where it holds other than yes and no, is not of the table's length, or keeps no row.
    """
    cells = _cells(given)
    if cells is None:
        return None
    _check_rows(table, frame, given, cells, "where")
    if cells.dtype.kind != "b":
        bad = [i for i, each in enumerate(cells) if not isinstance(each, bool | np.bool_)]
        for at in bad[:1]:
            problem = "stands in where, which is yes or no for each row"
            remedy = "compare first, such as where=frame['loss'] < 3"
            refuse(table.source, problem, remedy, row=int(table.rows[at]), value=cells[at])
    passes = cells.astype(bool)
    kept, total = int(passes.sum()), len(passes)
    if not kept:
        refuse(table.source, f"where keeps none of {total} rows", "check it against the table")
    note = Note("where", f"where, a mask: {kept} of {total} rows kept")
    used = replace(table, keep=table.keep[passes], rows=table.rows[passes])
    return used, (note,) * (kept < total)


def _cells(given: Any) -> np.ndarray | None:
    """Return the cells of a column; None where names or a number are given."""
    if isinstance(given, np.ndarray):
        return given if given.ndim == 1 and given.dtype.kind in "biufmM" else None
    if isinstance(given, list | tuple):
        numbers = bool(given) and all(isinstance(each, Real | np.bool_) for each in given)
        return np.asarray(given) if numbers else None
    if isinstance(given, str | Mapping | Real) or given is None:
        return None
    import narwhals as nw

    series = nw.from_native(given, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        return series.to_numpy()
    # Arrays of other kinds: of pandas, of JAX.
    arrays = hasattr(given, "__array__") and getattr(given, "ndim", 0) == 1
    cells = np.asarray(given) if arrays else np.empty(0, str)
    words = cells.dtype.kind in "SUT" or any(isinstance(each, str) for each in cells)
    return None if words else cells


def _check_rows(table: Table, frame: Any, given: Any, cells: np.ndarray, role: str) -> None:
    """Refuse a column of other rows than the table's; pandas itself would align them by label."""
    if cells.shape != table.keep.shape:
        problem = f"{role} has {len(cells)} cells, the table {len(table.keep)} rows"
        refuse(table.source, problem, "give a column of the same table, or its name")
    ours, theirs = (getattr(each, "index", None) for each in (frame, given))
    if hasattr(ours, "equals") and hasattr(theirs, "equals") and not ours.equals(theirs):
        problem = f"{role} is a Series whose rows have other labels than the table's"
        refuse(table.source, problem, "give a column of the same table, or its name")


def _name(table: Table, added: Iterable[str], given: Any, cells: np.ndarray, role: str) -> str:
    """Return the name of a column: its own, where it has one that stands for no other cells."""
    own = getattr(given, "name", None)
    name = own if isinstance(own, str) and own else role
    if name in table.known and texts(table.read(name)).tolist() == texts(cells).tolist():
        return name
    stem, several = role if name in table.known else name, 1
    name = stem
    while name in (*table.known, *added):
        several += 1
        name = f"{stem}_{several}"
    return name


# ------------------------------------------------------------------ labels


def same_label(name: Any, known: Iterable[str]) -> str:
    """Return the label that a name means: that text, or else the only label of the same number.

    A column written 1.0 has the label `1.0`, which a question may call 1. The name itself, where
    it means none of them, or may mean several.
    """
    wanted, known = str(name), [*known]
    value = None if wanted in known else number(wanted)
    same = [label for label in known if number(label) == value] if value is not None else []
    return same[0] if len(same) == 1 else wanted


def relabelled(labels: np.ndarray, known: Iterable[str]) -> np.ndarray:
    """Return labels of a table as another table writes them (`same_label`).

    Those that both have stay apart from the others; where two mean one neither does.
    """
    own = {str(label) for label in labels}
    open_ = [label for label in known if label not in own]
    found = {label: same_label(label, open_) for label in own.difference(known)}
    twice = {label for label, n in Counter(found.values()).items() if n > 1}
    return np.array(
        [
            str(x) if found.get(str(x), str(x)) in twice else found.get(str(x), str(x))
            for x in labels
        ],
        object,
    )
