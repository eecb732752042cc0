"""with_signs: numbers as they are written in one country or another, read by what a column shows.

Commas and points are read where a column can be read in one way only, or another column says
which: one with a comma, or a point, that can be nothing but the decimal sign. Where nothing else
tells, `;` between cells does: it stands where commas are decimal signs. What may be read in two
ways stays text. Spaces, apostrophes and underscores set thousands apart and nothing else.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

from ..data.cells import numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MARKED", "with_signs"]

_EXPONENT = r"(?:[eE][+-]?\d+)?"
_UNIT = r"(?P<unit>\s*[A-Za-z%][A-Za-z%/ ]*)?"
_READINGS = {
    "comma": re.compile(rf"[+-]?(\d+|[1-9]\d{{0,2}}(\.\d{{3}})+)(,\d+)?{_EXPONENT}{_UNIT}"),
    "point": re.compile(rf"[+-]?(\d+|[1-9]\d{{0,2}}(,\d{{3}})+)(\.\d+)?{_EXPONENT}{_UNIT}"),
}
"""Decimal sign -> the numbers that have it; the other sign sets thousands apart."""
_MARKED = re.compile(r"\d,\d|\d\.\d+\.\d")
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ \u00a0\u2009\u202f'’_]\d{3})+(?:[.,]\d+)?")
_BETWEEN = re.compile(r"[ \u00a0\u2009\u202f'’_]")
MARKED = re.compile(rf"{_MARKED.pattern}|\d{_BETWEEN.pattern}\d\d\d")
"""What `float` does not read: a comma within a number, two points, or thousands set apart."""
_DIGIT = re.compile(r"\d")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_POINT = re.compile(rf"[+-]?\d*\.\d+{_EXPONENT}")


def with_signs(
    frame: pd.DataFrame, written: pd.DataFrame, notes: dict[str, str], delimiter: str = ""
) -> pd.DataFrame:
    """Return the table with columns of numbers such as `3,38` or `1,000,000` read as such.

    Parameters
    ----------
    written
        The table with all its cells as texts; of a column that holds other than texts nothing is
        read.
    notes
        Where is told, under `decimals`, which columns are read how.
    delimiter
        What stands between the cells of a text.
    """
    apart = {}
    for name, cells in _texts(frame, written).items():
        digits = [cell for cell in cells if _DIGIT.search(cell)]
        spaced = [bool(_SPACED.fullmatch(cell)) for cell in digits]
        plain = [any(each.fullmatch(cell) for each in _READINGS.values()) for cell in digits]
        if any(spaced) and all(map(operator.or_, spaced, plain)) and 2 * len(digits) > len(cells):
            apart[name] = next(c for c, is_spaced in zip(digits, spaced, strict=True) if is_spaced)
            written = written.assign(**{name: written[name].map(_together, na_action="ignore")})
    signs = _signs(frame, written, apart, delimiter)
    made = {
        name: _converted(written[name], signs.get(name, "point")) for name in {**apart, **signs}
    }
    told = [_said(sign, signs, written, made) for sign in _READINGS]
    for name, cell in apart.items():
        value = _plain(_together(cell), signs.get(name, "point"))
        told.append(f"in {name!r} thousands are set apart: {cell!r} is {float(value):.10g}")
    if any(told):
        notes["decimals"] = "; ".join(filter(None, told))
    return frame.assign(**made)


def _texts(frame: pd.DataFrame, written: pd.DataFrame) -> dict[str, list[str]]:
    """Return the cells of columns that hold texts alone, without white space about them."""
    found = {}
    for name, each in frame.items():
        cells = [] if each.dtype.kind in "biufmMc" else written[name].dropna().tolist()
        if cells and all(isinstance(cell, str) for cell in cells):
            found[str(name)] = [cell.strip() for cell in cells]
    return found


def _together(cell: str) -> str:
    return _BETWEEN.sub("", cell.strip()) if _SPACED.fullmatch(cell.strip()) else cell


def _signs(
    frame: pd.DataFrame, written: pd.DataFrame, apart: dict[str, str], delimiter: str
) -> dict[str, str]:
    """Return the decimal sign of each column that holds numbers which `float` does not read."""
    ways: dict[str, list[str]] = {}
    sure: set[str] = set()
    for name, cells in _texts(frame, written).items():
        digits = [cell for cell in cells if _DIGIT.search(cell)]
        # A dash or a word among numbers is told when the column is used.
        if any(map(_MARKED.search, digits)) and 2 * len(digits) > len(cells):
            ways[name] = [
                sign for sign, reading in _READINGS.items() if all(map(reading.fullmatch, digits))
            ]
    for name, each in frame.items():
        if each.dtype.kind == "f" and written is not frame:
            cells = [str(cell).strip() for cell in written[name].dropna()]
            points = any(_POINT.fullmatch(c) and not _GROUPED.fullmatch(c) for c in cells)
            sure |= {"point"} if points else set()
    sure |= {each[0] for each in ways.values() if len(each) == 1}
    if not sure and delimiter == ";":
        sure = {"comma"}
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
    return signs


def _plain(cell: str, sign: str) -> str:
    """Return a number as `float` reads it; its unit stays behind it."""
    point, apart = (",", ".") if sign == "comma" else (".", ",")
    read = _READINGS[sign].fullmatch(cell.strip())
    return cell.strip().replace(apart, "").replace(point, ".") if read else cell


def _converted(cells: pd.Series, sign: str) -> pd.Series:
    """Return texts as numbers, the decimal sign being a comma or a point."""
    made = cells.map(lambda cell: _plain(cell, sign), na_action="ignore")
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
    value = made[names[0]][at]
    shown = f"{value!r}" if isinstance(value, str) else f"{float(value):.10g}"
    return f"in {of} {says}: {cells[at].strip()!r} is {shown}"
