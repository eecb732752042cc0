"""Parquet, Feather and Excel: tables whose cells have types of their own."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..data.cells import ROW
from ..messages import near, refuse, shortened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READERS"]


def _parquet(data: bytes, source: str, largest: int, notes: dict[str, str]) -> pd.DataFrame:
    import pyarrow.parquet as pq

    try:
        told = pq.read_metadata(io.BytesIO(data))
        _check_size(told.num_rows, told.num_columns, largest)
        return _whole(_flat(pq.read_table(io.BytesIO(data))).to_pandas())
    except Exception as error:  # a damaged file may fail in any layer of the reader
        refuse(source, f"is no readable Parquet file ({_line(error)})", "write it again")


def _feather(data: bytes, source: str, largest: int, notes: dict[str, str]) -> pd.DataFrame:
    import pyarrow.feather as feather

    try:
        table = feather.read_table(io.BytesIO(data))
        _check_size(table.num_rows, table.num_columns, largest)
        return _whole(_flat(table).to_pandas())
    except Exception as error:
        refuse(source, f"is no readable Feather file ({_line(error)})", "write it again")


def _excel(
    data: bytes, source: str, largest: int, notes: dict[str, str], sheet: str | None = None
) -> pd.DataFrame:
    """Return a sheet of a workbook: the one that is named, or the first that holds a number."""
    try:
        import openpyxl
    except ImportError:
        remedy = 'pip install "bayescale[xlsx]", or save the sheet as CSV'
        refuse(source, "is a workbook, which openpyxl reads, and that is not installed", remedy)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = {}
        for name in book.sheetnames:
            cells = sheets[name] = []
            # A chart has a sheet of its own, without cells.
            for row in getattr(book[name], "iter_rows", lambda **_: ())(values_only=True):
                cells.append(row)
                _check_size(len(cells), len(row), largest)
    except Exception as error:
        refuse(source, f"is no readable workbook ({_line(error)})", "save it again, or as CSV")
    chosen = _chosen(sheets, source, sheet)
    others = [name for name in sheets if name != chosen]
    if others and sheet is None:
        shown = ", ".join(map(repr, others[:5]))
        file = source.rpartition("/")[2]
        notes["sheet"] = f"this is sheet {chosen!r}, not {shown}: such is {file}#{others[0]}"
    return _from_cells(sheets[chosen], source, notes)


def _chosen(sheets: dict[str, list[tuple]], source: str, sheet: str | None) -> str:
    """Return the sheet that is named, or the first that holds a number."""
    if sheet is not None:
        if sheet not in sheets:
            refuse(source, f"has no sheet {sheet!r}", near(sheet, sheets).lstrip("; "))
        return sheet
    numbered = (
        name
        for name, cells in sheets.items()
        if any(isinstance(each, int | float) for row in cells for each in row)
    )
    filled = (name for name, cells in sheets.items() if cells)
    return next(numbered, next(filled, next(iter(sheets))))


def _from_cells(cells: list[tuple], source: str, notes: dict[str, str]) -> pd.DataFrame:
    """Return the table whose header is the first row that is not empty, but for a title."""
    import pandas as pd

    filled = [(at, row) for at, row in enumerate(cells) if _filled(row)]
    if not filled:
        refuse(source, "is empty", "give a header and rows")
    while len(filled) > 1 and len(_filled(filled[0][1])) == 1 < len(_filled(filled[1][1])):
        (title,) = _filled(filled[0][1])
        if not isinstance(title, str) or any(isinstance(e, float) for e in filled[1][1]):
            break
        notes["title"] = f"above the names stands {shortened(title.strip(), 60)!r}: left out"
        filled = filled[1:]
    (top, header), *below = filled
    used = [i for i, name in enumerate(header) if name not in (None, "")]
    for at, row in below:
        outside = [i for i, cell in enumerate(row) if cell not in (None, "") and i not in used]
        if outside:
            problem = f"cell {outside[0] + 1} of row {at + 1} of the sheet is under no name"
            refuse(source, problem, "name the columns in one row above the cells")
    names = [str(header[i]).strip() for i in used]
    for name in names:
        if names.count(name) > 1:
            refuse(source, f"two columns are called {name!r}", "rename one of them")
    columns = {name: [row[i] for _, row in below] for name, i in zip(names, used, strict=True)}
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([at - top for at, _ in below], name=ROW, dtype="int64")
    return frame


def _filled(row: tuple) -> list[Any]:
    return [cell for cell in row if cell not in (None, "")]


def _check_size(rows: int, columns: int, largest: int) -> None:
    if rows * max(columns, 1) > largest // 8:
        raise ValueError(f"it has {rows:,} rows of {columns:,} columns, more than this reads")


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose index, where it has a name, is a column: it was one to its writer."""
    return frame if frame.index.names == [None] else frame.reset_index()


def _flat(table: Any) -> Any:
    """Return an Arrow table with the names of what is nested joined by points, `config.lr`."""
    import pyarrow as pa

    table.validate(full=True)  # texts that are no UTF-8 would fail where they are looked at
    while any(pa.types.is_struct(each.type) for each in table.schema):
        table = table.flatten()
    return table


def _line(error: Exception) -> str:
    return shortened(str(error), 200)


READERS: dict[str, Callable[..., pd.DataFrame]] = {
    ".parquet": _parquet,
    ".feather": _feather,
    ".arrow": _feather,
    ".xlsx": _excel,
}
"""Ending -> what makes a table of the bytes of such a file, from what messages call it, the most
bytes, and where notes go; of a workbook also from the name of a sheet."""
