"""read_records, read_lines: JSON as a table, one object a row or one list a column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.cells import ROW
from ..messages import DataError, refuse, shortened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_lines", "read_records"]


def read_lines(text: str, source: str) -> pd.DataFrame:
    """Return the table of JSON lines, one object a line; its rows are named by their lines.

    Raises
    ------
    DataError
        For a line that is no JSON object, naming it.
    """
    records, rows = [], []
    for at, line in enumerate(text.split("\n"), 1):
        if line.strip():
            records.append(_object(_parsed(line, source, at), source, f"line {at}"))
            rows.append(at)
    return _table(records, rows)


def read_records(text: str, source: str) -> pd.DataFrame:
    """Return the table of JSON: a list of objects, an object of columns, or lines of objects.

    Raises
    ------
    DataError
        For a text that is none of these.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > 1 and _is_object(lines[0]):
        return read_lines(text, source)
    found = _parsed(text, source)
    if isinstance(found, list):
        records = [_object(each, source, f"row {at}") for at, each in enumerate(found, 1)]
        return _table(records, [*range(1, len(records) + 1)])
    if isinstance(found, dict) and _is_columns(found):
        # {"loss": [3.1, 2.9]}, or as pandas writes it: {"loss": {"0": 3.1, "1": 2.9}}.
        each = [v if isinstance(v, list) else list(v.values()) for v in found.values()]
        records = [dict(zip(found, row, strict=True)) for row in zip(*each, strict=True)]
        return _table(records, [*range(1, len(records) + 1)])
    if isinstance(found, dict) and isinstance(found.get("results"), dict):
        remedy = "bayescale import lm-eval FILE -o TABLE.csv makes a table of it"
        refuse(source, "looks like results of lm-evaluation-harness", remedy)
    if isinstance(found, dict) and not any(isinstance(v, dict | list) for v in found.values()):
        return _table([found], [1])
    remedy = "give a list of objects, one a run, or an object of columns of one length"
    refuse(source, "is no table", remedy)


def _is_columns(found: Mapping[str, Any]) -> bool:
    sizes = {len(v) for v in found.values() if isinstance(v, list | dict)}
    kinds = {type(v) for v in found.values()}
    return len(sizes) == 1 and kinds in ({list}, {dict})


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _parsed(text: str, source: str, line: int | None = None) -> Any:
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, source, line))
    except json.JSONDecodeError as error:
        at = error.lineno if line is None else line
        refuse(source, f"line {at} is no JSON ({error.msg})", "write it again")
    except RecursionError:
        refuse(source, "is nested without end", "write it as a list of objects")
    except ValueError as error:  # a number of too many digits
        if isinstance(error, DataError):
            raise
        refuse(source, f"is no readable JSON ({shortened(str(error), 200)})", "write it again")


def _once(pairs: list[tuple[str, Any]], source: str, line: int | None) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        where = "" if line is None else f"line {line}: "
        refuse(source, f"{where}the name {twice!r} stands twice in one object", "rename one")
    return found


def _object(found: Any, source: str, where: str) -> dict[str, Any]:
    """Return an object with the names of what is nested joined by points."""
    if not isinstance(found, dict):
        shown = json.dumps(found)[:60]
        refuse(source, f"{where} is {shown}, no object", "write one object a run")
    flat: dict[str, Any] = {}

    def unfold(each: Mapping[str, Any], head: str) -> None:
        for name, value in each.items():
            if isinstance(value, dict) and value:
                unfold(value, f"{head}{name}.")
            elif f"{head}{name}" in flat:
                refuse(source, f"{where} has two values of {head + name!r}", "rename one")
            else:
                flat[f"{head}{name}"] = value

    unfold(found, "")
    return flat


def _table(records: list[dict[str, Any]], rows: list[int]) -> pd.DataFrame:
    import pandas as pd

    names = list(dict.fromkeys(name for each in records for name in each))
    columns = {name: [each.get(name) for each in records] for name in names}
    frame = pd.DataFrame({name: _column(cells) for name, cells in columns.items()})
    frame.index = pd.Index(rows, name=ROW, dtype="int64")
    return frame


def _column(cells: list[Any]) -> Any:
    """Return numbers as such, and all else as it is: an id must not become a float."""
    import pandas as pd

    kinds = {type(cell) for cell in cells}
    if kinds <= {float, int} or kinds <= {float, type(None)}:
        return cells
    return pd.Series(cells, dtype=object)
