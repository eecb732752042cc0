"""Parquet, Feather and Excel: tables whose cells have types of their own."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..data.cells import ROW
from ..messages import refuse, shortened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READERS"]


def _parquet(data: bytes, source: str, largest: int, notes: dict[str, str]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        told = pq.read_metadata(io.BytesIO(data))
        _check_size(told.num_rows, told.num_columns, largest)
        return _whole(pd.read_parquet(io.BytesIO(data)))
    except Exception as error:  # a damaged file may fail in any layer of the reader
        refuse(source, f"is no readable Parquet file ({_line(error)})", "write it again")


def _feather(data: bytes, source: str, largest: int, notes: dict[str, str]) -> pd.DataFrame:
    import pyarrow.feather as feather

    try:
        table = feather.read_table(io.BytesIO(data))
        _check_size(table.num_rows, table.num_columns, largest)
        return _whole(table.to_pandas())
    except Exception as error:
        refuse(source, f"is no readable Feather file ({_line(error)})", "write it again")


def _excel(data: bytes, source: str, largest: int, notes: dict[str, str]) -> pd.DataFrame:
    try:
        import openpyxl
    except ImportError:
        remedy = 'pip install "bayescale[xlsx]", or save the sheet as CSV'
        refuse(source, "is a workbook, which openpyxl reads, and that is not installed", remedy)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = book.sheetnames
        cells = []
        for row in book[sheets[0]].iter_rows(values_only=True):
            cells.append(row)
            _check_size(len(cells), len(row), largest)
    except Exception as error:
        refuse(source, f"is no readable workbook ({_line(error)})", "save it again, or as CSV")
    if len(sheets) > 1:
        others = ", ".join(map(repr, sheets[1:6]))
        notes["sheet"] = f"this is sheet {sheets[0]!r}; {others} are left out"
    return _from_cells(cells, source)


def _from_cells(cells: list[tuple], source: str) -> pd.DataFrame:
    """Return the table whose header is the first row that is not empty."""
    import pandas as pd

    filled = [(at, row) for at, row in enumerate(cells) if any(c not in (None, "") for c in row)]
    if not filled:
        refuse(source, "is empty", "give a header and rows")
    (top, header), *below = filled
    used = [i for i, name in enumerate(header) if name not in (None, "")]
    for at, row in below:
        outside = [i for i, cell in enumerate(row) if cell not in (None, "") and i not in used]
        if outside:
            problem = f"cell {outside[0] + 1} of row {at + 1} of the sheet is under no name"
            refuse(source, problem, "name the columns in one row above the cells")
    names = [str(header[i]) for i in used]
    for name in names:
        if names.count(name) > 1:
            refuse(source, f"two columns are called {name!r}", "rename one of them")
    columns = {name: [row[i] for _, row in below] for name, i in zip(names, used, strict=True)}
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([at - top for at, _ in below], name=ROW, dtype="int64")
    return frame


def _check_size(rows: int, columns: int, largest: int) -> None:
    if rows * max(columns, 1) > largest // 8:
        raise ValueError(f"it has {rows:,} rows of {columns:,} columns, more than this reads")


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose index, where it has a name, is a column: it was one to its writer."""
    return frame if frame.index.names == [None] else frame.reset_index()


def _line(error: Exception) -> str:
    return shortened(str(error), 200)


READERS: dict[str, Callable[[bytes, str, int, dict[str, str]], pd.DataFrame]] = {
    ".parquet": _parquet,
    ".feather": _feather,
    ".arrow": _feather,
    ".xlsx": _excel,
}
"""Ending -> what makes a table of the bytes of such a file."""
