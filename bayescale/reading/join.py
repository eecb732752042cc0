"""join: what results do not say of models, such as parameters and tokens, from a small table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.cells import texts
from ..messages import near, refuse
from .read_table import read_table
from .written import with_texts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["join"]


def join(frame: pd.DataFrame, key: str, models: Any, notes: dict[str, str]) -> pd.DataFrame:
    """Return a table with the columns of another one, row by row by the name in `key`.

    Names are the same also where they differ in capitals, or lack what is before the last `/`.

    Parameters
    ----------
    models
        A data frame, or the path of a table: a column `key`, one row a name, and any others.
    notes
        Where names that it does not have are told.

    Raises
    ------
    DataError
        Where it has no such column, or a name twice.
    """
    import pandas as pd

    path = isinstance(models, str | Path)
    source, table = (str(models), read_table(models)) if path else ("models", models)
    table = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    if key not in table.columns:
        remedy = f"name the column of names {key!r}{near(key, map(str, table.columns))}"
        refuse(source, f"has no column {key!r}", remedy)
    table, frame = with_texts(table, [key], always=True), with_texts(frame, [key], always=True)
    table = with_texts(table)
    names = [str(each) for each in texts(table[key].to_numpy(object))]
    for at, name in enumerate(names):
        if name in names[:at]:
            refuse(source, f"{key} {name!r} stands twice", "keep one row a name", row=at + 1)
    rows = {name: at for at, name in enumerate(names)}
    place = {name: _place(name, rows) for name in dict.fromkeys(frame[key])}
    missing = [name for name, at in place.items() if at is None]
    if len(missing) == len(place):
        remedy = f"they are called {', '.join(map(repr, [*place][:5]))}"
        refuse(source, f"has none of the {len(place)} names of {key}", remedy)
    if missing:
        notes["models"] = f"{source} has no row for {', '.join(missing)}: cells are left empty"
    taken = table.drop(columns=key).reset_index(drop=True)
    at = [-1 if place[name] is None else place[name] for name in frame[key]]
    more = taken.reindex(at).set_axis(frame.index)
    # What the small table says of a model goes before what was found in a file.
    return frame.drop(columns=[name for name in more if name in frame]).join(more)


def _place(name: str, rows: Mapping[str, int]) -> int | None:
    """Return the row of a name, by its last part where that is only one's; None for none."""
    if name in rows:
        return rows[name]
    last = name.casefold().rpartition("/")[2]
    found = [at for other, at in rows.items() if other.casefold().rpartition("/")[2] == last]
    return found[0] if len(found) == 1 else None
