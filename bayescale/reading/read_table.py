"""read_table: a file as it is, without repairing it."""

from __future__ import annotations

import gzip
import sys
import zlib
from difflib import get_close_matches
from os.path import expanduser
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.cells import ROW
from ..messages import TOLD, refuse
from . import binary
from .dialect import read_text
from .records import read_lines, read_records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STDIN", "read_table"]


LARGEST = 1 << 28
"""Bytes of the largest table that is read, unpacked; eight of them a number."""
STDIN = "-"
"""The path of what stands on standard input."""
PLAIN = {".csv": ",", ".tsv": "\t", ".txt": "\t", ".jsonl": None, ".ndjson": None, ".json": None}
"""Ending of a text, which may be gzipped -> the delimiter that goes without saying."""
MARKS = {b"PAR1": ".parquet", b"ARROW1": ".feather", b"PK\x03\x04": ".xlsx"}
"""First bytes by which standard input is told."""
ENDINGS = (*PLAIN, *binary.READERS, ".gz of a text")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table as it is: CSV, TSV, JSON (also gzipped), Parquet, Feather or XLSX.

    Of a CSV the delimiter (`,` `;` tab `|`), decimal commas, thousands set apart and UTF-16 are
    recognised where all rows agree, and what is not usual for the file's ending is said in the
    notes of a `Dataset` that is made of the table.

    Parameters
    ----------
    path
        The file; `-` for standard input. Of a workbook the first sheet is read. JSON is one object
        a line, a list of objects, or an object of columns; the names of what is nested are joined
        with a point, `config.lr`.

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

    if str(path) == STDIN:
        source, ending, data = "standard input", "", _bounded(sys.stdin.buffer, "standard input")
        ending = next((kind for mark, kind in MARKS.items() if data.startswith(mark)), "")
    else:
        source, ending, data = _file(Path(expanduser(path)))
    notes: dict[str, str] = {}
    if ending in binary.READERS:
        frame = binary.READERS[ending](data, source, LARGEST, notes)
    else:
        text = _decoded(data, source, notes)
        if ending in (".jsonl", ".ndjson"):
            frame = read_lines(text, source)
        elif ending == ".json" or (not ending and text.lstrip()[:1] in ("{", "[")):
            frame = read_records(text, source)
        else:
            frame = read_text(text, PLAIN.get(ending, ","), source, notes)
    if not len(frame):
        refuse(source, "has a header and no rows", "give at least two rows")
    if frame.index.name != ROW:
        frame.index = pd.RangeIndex(1, len(frame) + 1, name=ROW)
    if notes:
        frame.attrs[TOLD] = notes
    return frame


def _file(path: Path) -> tuple[str, str, bytes]:
    """Return of a file what messages call it, its ending without that of gzip, and its bytes."""
    source, name = str(path), path.name.lower()
    if path.is_dir():
        refuse(source, "is a folder", "name one file in it")
    if not path.is_file():
        refuse(source, "there is no such file", _neighbours(path))
    packed = name.endswith(".gz")
    ending = Path(name.removesuffix(".gz")).suffix
    if ending not in PLAIN and (packed or ending not in binary.READERS):
        shown = "".join(path.suffixes[-2:]) if packed else path.suffix
        remedy = f"known are {', '.join(ENDINGS)}; give any other as a dataframe to from_frame"
        refuse(source, f"the ending {shown!r} is unknown", remedy)
    try:
        with (gzip.open if packed else open)(path, "rb") as file:
            return source, ending, _bounded(file, source)
    except (OSError, EOFError, zlib.error) as error:
        refuse(source, f"cannot be read ({error})", "check the file and its permissions")


def _neighbours(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir()]
    except (OSError, ValueError):
        return f"nor a folder {str(path.parent)!r}"
    close = get_close_matches(path.name, names)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else "check folder and name"


def _bounded(file, source: str) -> bytes:
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        refuse(source, f"is of more than {LARGEST >> 20} MB", "keep the columns and rows in use")
    return data


def _decoded(data: bytes, source: str, notes: dict[str, str]) -> str:
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = data.decode("utf-16")
            notes["encoding"] = "the text is UTF-16"
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.encoding.startswith("utf-16"):
            refuse(source, "is no UTF-16 text, though it begins as one", "save it as UTF-8")
        line = data[: error.start].count(b"\n") + 1
        refuse(source, f"line {line} is not UTF-8 text", "save the table as UTF-8")
    if "\0" in text:
        refuse(source, "holds zero bytes, so it is no text", "save the table as UTF-8")
    if not text.strip():
        refuse(source, "is empty", "give a header and rows")
    return text
