"""read_table: a file as it is, without repairing it."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from difflib import get_close_matches
from os.path import expanduser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..messages import refuse, shortened
from .cells import EXACT, ROW, numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table"]


LARGEST = 1 << 28
"""Bytes of the largest table that is read, unpacked; eight of them a number."""
ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV, TSV (also gzipped) or Parquet file as it is.

    Returns
    -------
    pandas.DataFrame
        The table, its columns as they are named in the file. Its index `file_row` is the place of
        each row below the header, blank lines counted: messages name rows by it.

    Raises
    ------
    DataError
        For a file that is missing, empty, damaged, of another kind, or whose rows differ in
        length (naming the line). Nothing is skipped but blank lines.

    Examples
    --------
    >>> bs.datasets.load("gpt3_addition").to_csv("runs.csv", index=False)
    >>> bs.read_table("runs.csv").shape
    (24, 7)
    """
    import pandas as pd

    path = Path(expanduser(path))
    source, name = str(path), path.name.lower()
    if path.is_dir():
        refuse(source, "is a folder", "name one file in it")
    if not path.is_file():
        refuse(source, "there is no such file", _neighbours(path))
    if not name.endswith(ENDINGS):
        remedy = f"known are {', '.join(ENDINGS)}; give any other as a dataframe to from_frame"
        refuse(source, f"the ending {path.suffix!r} is unknown", remedy)
    if name.endswith(".parquet"):
        frame = _read_parquet(path)
        rows = [*range(1, len(frame) + 1)]
    else:
        frame, rows = _read_text(path)
    if not len(frame):
        refuse(source, "has a header and no rows", "give at least two rows")
    frame.index = pd.Index(rows, name=ROW)
    return frame


def _neighbours(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir()]
    except (OSError, ValueError):
        return f"nor a folder {str(path.parent)!r}"
    close = get_close_matches(path.name, names)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else "check folder and name"


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        told = pq.read_metadata(path)
        if told.num_rows * max(told.num_columns, 1) > LARGEST // 8:
            problem = f"has {told.num_rows:,} rows of {told.num_columns:,} columns"
            raise ValueError(f"it {problem}, more than this reads")
        frame = pd.read_parquet(path)
        # An index with a name was a column to whoever wrote the file.
        return frame if frame.index.names == [None] else frame.reset_index()
    except Exception as error:  # a damaged file may fail in any layer of the reader
        refuse(
            str(path),
            f"is no readable Parquet file ({shortened(str(error), 200)})",
            "write it again",
        )


def _read_text(path: Path) -> tuple[pd.DataFrame, list[int]]:
    import pandas as pd

    source, text = str(path), _decoded(path)
    delimiter = "\t" if ".tsv" in path.name.lower()[-7:] else ","
    width, rows = _scan(text, delimiter, source)
    try:
        frame = pd.read_csv(io.StringIO(text), sep=delimiter, low_memory=False)
    except ValueError as error:
        refuse(
            source, f"is no readable table ({shortened(str(error), 200)})", "look for stray quotes"
        )
    # Numbers that no float tells apart, as they are written: they may be names.
    large = [
        name for name, each in frame.select_dtypes("float").items() if (each.abs() >= EXACT).any()
    ]
    if large:
        cells = pd.read_csv(io.StringIO(text), sep=delimiter, usecols=large, dtype=str)
        whole = [name for name in large if cells[name].str.fullmatch(r"\d+").any()]
        frame = frame.assign(**{name: cells[name] for name in whole})
    if frame.shape != (len(rows), width):
        problem = f"reads as {frame.shape[0]} x {frame.shape[1]} cells, not {len(rows)} x {width}"
        refuse(source, problem, "look for stray quotes and control characters")
    return frame, rows


def _decoded(path: Path) -> str:
    source = str(path)
    try:
        opened = gzip.open if path.suffix.lower() == ".gz" else open
        with opened(path, "rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            refuse(
                source, f"is of more than {LARGEST >> 20} MB", "keep the columns and rows in use"
            )
        text = data.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        refuse(source, f"cannot be read ({error})", "check the file and its permissions")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        refuse(source, f"line {line} is not UTF-8 text", "save the table as UTF-8")
    if "\0" in text:
        refuse(source, "holds zero bytes, so it is no text", "save the table as UTF-8")
    if not text.strip():
        refuse(source, "is empty", "give a header and rows")
    return text


def _scan(text: str, delimiter: str, source: str) -> tuple[int, list[int]]:
    """Return how many columns and which rows a table has; all rows must be of one length.

    pandas fills short rows with nan, and reads a first column too many as an index.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    rows: list[int] = []
    at = 0
    try:
        for cells in reader:
            at += bool(header)
            if len(cells) == 0 or (len(cells) == 1 and not cells[0].strip()):
                continue
            if header:
                rows.append(at)
            header = header or cells
            if len(cells) != len(header):
                problem = f"line {reader.line_num} has {len(cells)} cells, the header {len(header)}"
                refuse(source, problem, "quote cells that hold the delimiter")
    except csv.Error as error:
        refuse(source, f"line {reader.line_num}: {error}", "look for stray quotes")
    for name in header:
        if name and header.count(name) > 1:
            refuse(source, f"two columns are called {name!r}", "rename one of them")
    if not numbers(np.array(header, object))[1].any():
        refuse(source, "the first line holds only numbers", "name the columns in a header")
    return len(header), rows
