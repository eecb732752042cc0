"""read_text: a table of cells between delimiters, in the dialect that its rows agree on.

A delimiter is taken where every row has as many cells by it; that of the file's ending goes first.
Commas and points in numbers are read where a column can be read in one way only, or another column
says which; what may be read in two ways stays text. What is not usual is told.
"""

from __future__ import annotations

import csv
import io
import operator
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..data.cells import EXACT, ROW, numbers
from ..messages import DataError, refuse, shortened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_text"]

DELIMITERS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_READINGS = {
    "comma": re.compile(rf"[+-]?(\d+|\d{{1,3}}(\.\d{{3}})+)(,\d+)?{_EXPONENT}"),
    "point": re.compile(rf"[+-]?(\d+|\d{{1,3}}(,\d{{3}})+)(\.\d+)?{_EXPONENT}"),
}
"""Decimal sign -> the numbers that have it; the other sign sets thousands apart."""
_MARKED = re.compile(r"\d,\d|\d\.\d+\.\d")
"""A comma within a number, or two points: what `float` does not read."""
_DIGIT = re.compile(r"\d")
_GROUPED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+")


class Rows(NamedTuple):
    """How a text falls into rows by a delimiter."""

    width: int
    """Cells of the header, and of every row."""
    rows: list[int]
    """Places of the rows below the header, blank lines counted."""


def read_text(text: str, usual: str, source: str, notes: dict[str, str]) -> pd.DataFrame:
    """Return the table, and tell in `notes` what of its dialect is not usual.

    Parameters
    ----------
    usual
        The delimiter that goes without saying.

    Raises
    ------
    DataError
        For rows that differ in length by every delimiter, naming the line, and for stray quotes.
    """
    import pandas as pd

    delimiter, (width, rows) = _delimiter(text, usual, source)
    if delimiter != usual:
        notes["dialect"] = f"the delimiter is {DELIMITERS[delimiter]}, not {DELIMITERS[usual]}"
    how = dict(sep=delimiter, low_memory=False)
    try:
        frame = pd.read_csv(io.StringIO(text), **how)
    except ValueError as error:
        refuse(
            source, f"is no readable table ({shortened(str(error), 200)})", "look for stray quotes"
        )
    if frame.shape != (len(rows), width):
        problem = f"reads as {frame.shape[0]} x {frame.shape[1]} cells, not {len(rows)} x {width}"
        refuse(source, problem, "look for stray quotes and control characters")
    # Numbers that no float tells apart, as they are written: they may be names.
    large = [
        name for name, each in frame.select_dtypes("float").items() if (each.abs() >= EXACT).any()
    ]
    if large:
        cells = pd.read_csv(io.StringIO(text), usecols=large, dtype=str, **how)
        whole = [name for name in large if cells[name].str.fullmatch(r"\d+").any()]
        frame = frame.assign(**{name: cells[name] for name in whole})
    written = pd.read_csv(io.StringIO(text), dtype=str, **how) if _MARKED.search(text) else frame
    frame = _with_signs(frame, written, notes)
    frame.index = pd.Index(rows, name=ROW)
    return frame


# ------------------------------------------------------------------ delimiters


def _delimiter(text: str, usual: str, source: str) -> tuple[str, Rows]:
    """Return the delimiter by which all rows have as many cells."""
    try:
        own: Rows | DataError = _scan(text, usual, source)
        if own.width > 1:
            return usual, own
    except DataError as error:
        own = error
    others: dict[str, Rows] = {}
    for each in DELIMITERS:
        try:
            by = _scan(text, each, source)
        except DataError:
            continue
        if each != usual and by.width > 1:
            others[each] = by
    if len(others) == 1:
        return next(iter(others.items()))
    if others:
        told = " or ".join(DELIMITERS[each] for each in others)
        refuse(source, f"the delimiter may be {told}", f"write it with {DELIMITERS[usual]}")
    if isinstance(own, DataError):
        raise own
    return usual, own


def _scan(text: str, delimiter: str, source: str) -> Rows:
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
    return Rows(len(header), rows)


# ------------------------------------------------------------------ commas and points in numbers


def _with_signs(frame: pd.DataFrame, written: pd.DataFrame, notes: dict[str, str]) -> pd.DataFrame:
    """Return the table with columns of numbers such as `3,38` or `1,000,000` read as such.

    `written` is the table with all its cells as texts.
    """
    ways: dict[str, list[str]] = {}
    for name, each in frame.items():
        cells = [] if each.dtype.kind in "biuf" else written[name].dropna().str.strip().tolist()
        digits = [cell for cell in cells if _DIGIT.search(cell)]
        # A dash or a word among numbers is told when the column is used.
        if any(map(_MARKED.search, digits)) and 2 * len(digits) > len(cells):
            ways[str(name)] = [
                sign for sign, reading in _READINGS.items() if all(map(reading.fullmatch, digits))
            ]
    sure = {each[0] for each in ways.values() if len(each) == 1}
    signs = {
        name: each[0] if len(each) == 1 else next(iter(sure))
        for name, each in ways.items()
        if len(each) == 1 or (each and len(sure) == 1)
    }
    if "comma" in signs.values():
        # Where commas are decimal signs, 20.000 is twenty thousand.
        for name, each in frame.items():
            cells = written[name].dropna() if each.dtype.kind == "f" else ()
            grouped = [bool(_GROUPED.fullmatch(str(cell).strip())) for cell in cells]
            plain = [str(cell).strip().isdigit() for cell in cells]
            if any(grouped) and all(map(operator.or_, grouped, plain)):
                signs[str(name)] = "comma"
    made = {name: _converted(written[name], sign) for name, sign in signs.items()}
    if signs:
        notes["decimals"] = "; ".join(_said(sign, signs, written, made) for sign in _READINGS)
        notes["decimals"] = notes["decimals"].strip("; ")
    return frame.assign(**made)


def _converted(cells: pd.Series, sign: str) -> pd.Series:
    """Return texts as numbers, the decimal sign being a comma or a point."""
    point, apart = (",", ".") if sign == "comma" else (".", ",")

    def plain(cell: str) -> str:
        read = _READINGS[sign].fullmatch(cell.strip())
        return cell.strip().replace(apart, "").replace(point, ".") if read else cell

    made = cells.map(plain, na_action="ignore")
    return made if numbers(made.to_numpy(object))[1].any() else made.astype(float)


def _said(sign: str, signs: dict[str, str], written: pd.DataFrame, made: dict) -> str:
    """Return which columns are read by a decimal sign, with an example."""
    names = [name for name, each in signs.items() if each == sign]
    if not names:
        return ""
    cells = written[names[0]].dropna()
    at = next(i for i in cells.index if _MARKED.search(cells[i]) or _GROUPED.fullmatch(cells[i]))
    says = "a comma is the decimal sign" if sign == "comma" else "commas set thousands apart"
    of = f"{names[0]!r}" + f" and {len(names) - 1} more" * (len(names) > 1)
    return f"in {of} {says}: {cells[at].strip()!r} is {float(made[names[0]][at]):.10g}"
