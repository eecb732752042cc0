"""read_records, read_lines: JSON as a table, one object a row or one list a column."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.cells import ROW
from ..messages import DataError, refuse, shortened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_lines", "read_records"]


def read_lines(text: str, source: str, notes: dict[str, str] | None = None) -> pd.DataFrame:
    """Return the table of JSON lines, one object a line; its rows are named by their lines.

    The last line may be cut off, as a run that was ended leaves it: it is left out, and told.

    Raises
    ------
    DataError
        For a line that is no JSON object, naming it.
    """
    records, rows, lines = [], [], text.split("\n")
    for at, line in enumerate(lines, 1):
        if records and at == len(lines) and notes is not None and _cut_off(line):
            notes["cut"] = f"line {at}, the last, is cut off, and left out: {line.strip()[:60]!r}"
        elif line.strip():
            records.append(_object(_parsed(line, source, at), source, f"line {at}"))
            rows.append(at)
    return _table(records, rows)


def read_records(
    text: str, source: str, notes: dict[str, str], lines: bool = False
) -> pd.DataFrame:
    """Return the table of JSON: a list of objects or of rows, an object of columns or of rows.

    Objects one after another, a line each or not, are rows too; of an object that holds a list of
    objects beside other things that list is the table.

    Parameters
    ----------
    notes
        Where is told what was chosen.
    lines
        Whether the file's ending says that each line is an object.

    Raises
    ------
    DataError
        For a text that is none of these.
    """
    filled = [line for line in text.split("\n") if line.strip()]
    if _is_object(filled[0]) and (lines or len(filled) > 1):
        return read_lines(text, source, notes)
    if lines and filled[0].lstrip()[:1] not in ("[", "{"):
        return read_lines(text, source, notes)
    found = _parsed(text, source)
    if isinstance(found, dict):
        found = _inside(found, source, notes)
    if isinstance(found, list) and _is_rows(found):
        names, *found = found
        found = [dict(zip(names, row, strict=True)) for row in found]
    if isinstance(found, list):
        records = [_object(each, source, f"row {at}") for at, each in enumerate(found, 1)]
        return _table(records, [*range(1, len(records) + 1)])
    refuse(source, "is no table", "give a list of objects, one a run, or an object of columns")


def _inside(found: dict[str, Any], source: str, notes: dict[str, str]) -> Any:
    """Return the rows that an object holds; None where it holds no table."""
    results = found.get("results")
    if isinstance(results, dict) and all(isinstance(each, dict) for each in results.values()):
        remedy = "bayescale import lm-eval FILE -o TABLE.csv makes a table of it"
        refuse(source, "looks like results of lm-evaluation-harness", remedy)
    if isinstance(found.get("columns"), list) and isinstance(found.get("data"), list):
        return [found["columns"], *found["data"]]  # as pandas writes it, split
    of_objects = [name for name, each in found.items() if _is_list_of_objects(each)]
    if len(of_objects) == 1:
        notes["within"] = f"the table is what stands under {of_objects[0]!r}"
        return found[of_objects[0]]
    if found and all(isinstance(each, dict) and each for each in found.values()):
        return _of_objects(found, notes)
    columns = {name: each for name, each in found.items() if isinstance(each, list)}
    single = {name: each for name, each in found.items() if not isinstance(each, list | dict)}
    if not columns:
        return [found] if found and len(single) == len(found) else None
    sizes = {name: len(each) for name, each in columns.items()}
    if len({*sizes.values()}) > 1:
        shown = ", ".join(f"{name!r} {size}" for name, size in [*sizes.items()][:8])
        refuse(source, f"is no table: lists differ in length: {shown}", "give one value a run each")
    if len(columns) + len(single) < len(found):
        return None
    rows = zip(*columns.values(), strict=True)
    return [single | dict(zip(columns, row, strict=True)) for row in rows]


def _is_list_of_objects(found: Any) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(e, dict) for e in found)


def _is_rows(found: list[Any]) -> bool:
    """Return whether these are rows of cells below a row of names."""
    if not found or not all(isinstance(each, list) for each in found):
        return False
    names = found[0]
    alike = all(len(each) == len(names) for each in found)
    return (
        alike and len({*map(str, names)}) == len(names) and all(isinstance(n, str) for n in names)
    )


def _of_objects(found: dict[str, dict], notes: dict[str, str]) -> list[dict[str, Any]]:
    """Return the rows of an object of objects: `{"loss": {"0": 3.1}}` or `{"run": {"loss": 3.1}}`.

    Cells of one row are those of one name, in whatever order they stand.
    """
    inner = list(dict.fromkeys(name for each in found.values() for name in each))
    if not _of_columns(found, inner):
        rows = {name: dict(each) for name, each in found.items()}
        said = f"each of {len(rows)} objects is a row"
    else:
        rows = {at: {k: each[at] for k, each in found.items() if at in each} for at in inner}
        said = f"each of {len(found)} objects is a column"
    if all(map(str.isdigit, rows)):
        return [*rows.values()]
    taken = {name for each in rows.values() for name in each}
    label = next(each for each in ("name", "run", "key", "label of the row") if each not in taken)
    notes["objects"] = f"{said}; rows are called by their names in {label!r}"
    return [{label: name} | each for name, each in rows.items()]


def _of_columns(found: dict[str, dict], inner: list[str]) -> bool:
    """Return whether objects are columns rather than rows: columns hold what is alike."""
    if all(map(str.isdigit, inner)):
        return True  # as pandas numbers its rows
    if all(map(str.isdigit, found)):
        return False
    across = [[each[name] for each in found.values() if name in each] for name in inner]
    return _unlike([[*each.values()] for each in found.values()]) < _unlike(across)


def _unlike(groups: list[list[Any]]) -> float:
    """Return how much cells of a group differ, in decades, the mean of all groups."""
    found = []
    for cells in groups:
        real = [abs(cell) for cell in cells if type(cell) in (int, float)]
        sizes = [math.log10(cell) for cell in real if 0 < cell < math.inf]
        mixed = 0 < len(real) < sum(cell is not None for cell in cells)
        found.append(MIXED if mixed else statistics.pstdev(sizes) if sizes else 0.0)
    return statistics.mean(found)


_BLANK = re.compile(r"\s*")
MIXED = 400.0
"""Decades by which a number differs from a text: more than any two numbers do."""


def _cut_off(line: str) -> bool:
    """Return whether an object begins in a line, and does not end in it."""
    begun = line.strip()
    if not begun.startswith("{") or begun.endswith("}"):
        return False
    try:
        json.JSONDecoder().raw_decode(begun)
    except (ValueError, RecursionError):
        return True
    return False


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _parsed(text: str, source: str, line: int | None = None) -> Any:
    """Return what a text holds; of several objects, one after another, the list of them."""
    decoder = json.JSONDecoder(object_pairs_hook=lambda pairs: _once(pairs, source, line))
    try:
        found, end = decoder.raw_decode(text, _next(text, 0))
        rest = [found]
        while line is None and isinstance(rest[-1], dict) and (at := _next(text, end)) < len(text):
            found, end = decoder.raw_decode(text, at)
            rest.append(found)
        if (at := _next(text, end)) < len(text):
            raise json.JSONDecodeError("Extra data", text, at)
        return rest if len(rest) > 1 else rest[0]
    except json.JSONDecodeError as error:
        at = error.lineno if line is None else line
        refuse(source, f"line {at} is no JSON ({error.msg})", "write it again")
    except RecursionError:
        refuse(source, "is nested without end", "write it as a list of objects")
    except ValueError as error:  # a number of too many digits
        if isinstance(error, DataError):
            raise
        refuse(source, f"is no readable JSON ({shortened(str(error), 200)})", "write it again")


def _next(text: str, at: int) -> int:
    """Return where the next value begins, the end of the text where none does."""
    return _BLANK.match(text, at).end()  # pyright: ignore


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
