"""read_table: a file as it is, without repairing it."""

from __future__ import annotations

import gzip
import io
import re
import sys
import zlib
from difflib import get_close_matches
from os.path import expanduser
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.cells import ROW, WRITTEN
from ..messages import TOLD, a_path, refuse
from . import binary
from .dialect import read_text
from .records import read_records
from .signs import with_signs
from .written import Written

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
"""First bytes by which a file is told, whatever it is called."""
ENDINGS = (*PLAIN, *binary.READERS, ".gz of a text")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table as it is: CSV, TSV, JSON (also gzipped), Parquet, Feather or XLSX.

    Of a CSV the delimiter (`,` `;` tab `|` spaces), decimal commas, thousands set apart and UTF-16
    are recognised where all rows agree, and what is not usual for the file's ending is said in the
    notes of a `Dataset` that is made of the table; so are comments (#) and a title above the names.

    Parameters
    ----------
    path
        The file; `-` for standard input. Of a workbook the first sheet that holds a number is read,
        or the one that is named, `runs.xlsx#results`. JSON is one object a line, a list of
        objects, an object of columns, or one of objects by name; the names of what is nested are
        joined with a point, `config.lr`.

    Returns
    -------
    pandas.DataFrame
        The table, its columns as they are named in the file. Its index `file_row` is the place of
        each row below the header, blank lines counted: messages name rows by it.

    Raises
    ------
    DataError
        For a file that is missing, empty, damaged, of another kind, or whose rows differ in
        length (naming the line). Nothing else is skipped but empty lines.

    Examples
    --------
    >>> bs.datasets.load("gpt3_addition").to_csv("runs.csv", index=False)
    >>> bs.read_table("runs.csv").shape
    (24, 7)
    """
    if str(a_path(path)) == STDIN:
        source, ending, sheet = "standard input", "", None
        data = _unpacked(_bounded(sys.stdin.buffer, source), source)
    else:
        source, ending, sheet, data = _file(expanduser(path))
    # What a file is goes before what it is called.
    ending = next((kind for mark, kind in MARKS.items() if data.startswith(mark)), ending)
    notes: dict[str, str] = {}
    if ending in binary.READERS:
        named = {"sheet": sheet} if sheet is not None else {}
        frame = binary.READERS[ending](data, source, LARGEST, notes, **named)
        frame = _converted(frame, notes)
    else:
        text = _decoded(data, source, notes)
        lines = ending in (".jsonl", ".ndjson")
        if lines or ending == ".json" or (not ending and text.lstrip()[:1] in ("{", "[")):
            frame = read_records(text, source, notes, lines)
            frame = _converted(frame, notes)
        else:
            frame = read_text(text, PLAIN.get(ending, ","), source, notes)
    if not len(frame):
        refuse(source, "has a header and no rows", "give some below it")
    if notes:
        frame.attrs[TOLD] = notes
    return frame


def _converted(frame: pd.DataFrame, notes: dict[str, str]) -> pd.DataFrame:
    """Return cells that are texts of numbers as such; labels go by their texts."""
    import pandas as pd

    made = with_signs(frame, notes)
    if made.index.name != ROW:
        made.index = pd.RangeIndex(1, len(made) + 1, name=ROW)
    texts = {k: frame[k] for k in frame if made[k].dtype.kind == "f" != frame[k].dtype.kind}
    if texts:
        made.attrs[WRITTEN] = Written(made, texts)
    return made


def _file(given: str) -> tuple[str, str, str | None, bytes]:
    """Return of a file what messages call it, its ending, the sheet that is named, and its bytes.

    A sheet of a workbook is named behind it, `runs.xlsx#results`; an ending is that without `.gz`.
    """
    sheet = None
    if not Path(given).exists() and (named := re.fullmatch(r"(.*\.xlsx)#(.+)", given, re.I | re.S)):
        given, sheet = named.groups()
    path, name = Path(given), Path(given).name.lower()
    if path.is_dir():
        refuse(given, "is a folder", "name one file in it")
    if not path.exists():
        refuse(given, "there is no such file", _neighbours(path))
    packed, piped = name.endswith(".gz"), not path.is_file()
    ending = "" if piped else Path(name.removesuffix(".gz")).suffix
    if not piped and ending not in PLAIN and (packed or ending not in binary.READERS):
        shown = "".join(path.suffixes[-2:]) if packed else path.suffix
        remedy = f"known are {', '.join(ENDINGS)}; give any other text on standard input, with - "
        refuse(given, f"the ending {shown!r} is unknown", remedy + "as its name, or as a dataframe")
    try:
        with open(path, "rb") as file:
            return given, ending, sheet, _unpacked(_bounded(file, given), given)
    except OSError as error:
        refuse(given, f"cannot be read ({error})", "check the file and its permissions")


def _unpacked(data: bytes, source: str) -> bytes:
    """Return what is gzipped as it was before, whatever its file is called."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return _bounded(gzip.GzipFile(fileobj=io.BytesIO(data)), source)
    except (OSError, EOFError, zlib.error) as error:
        refuse(source, f"cannot be read ({error})", "write it again")


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
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            refuse(source, f"line {line} is not UTF-8 text", "save the table as UTF-8")
        said = "is no UTF-8, and read as Windows-1252, as Excel writes it: check names and labels"
        notes["encoding"] = f"line {line} {said}"
    if "\0" in text:
        refuse(source, "holds zero bytes, so it is no text", "save the table as UTF-8")
    if not text.strip():
        refuse(source, "is empty", "give a header and rows")
    return text
