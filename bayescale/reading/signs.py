"""with_signs: numbers as they are written in one country or another, read by what a column shows.

Commas and points are read where a column can be read in one way only, or another column says
which: one with a comma, or a point, that can be nothing but the decimal sign. Where nothing else
tells, `;` between cells does: it stands where commas are decimal signs. What may be read in two
ways stays text. Spaces, apostrophes and underscores set thousands apart and nothing else.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.cells import numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["each_of", "with_signs"]

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
_DIGIT = re.compile(r"\d")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_POINT = re.compile(rf"[+-]?\d*\.\d+{_EXPONENT}")


def with_signs(
    frame: pd.DataFrame,
    notes: dict[str, str],
    written: Callable[[str], pd.Series] | None = None,
    delimiter: str = "",
) -> pd.DataFrame:
    """Return the table with columns of numbers such as `3,38` or `1,000,000` read as such.

    Parameters
    ----------
    notes
        Where is told, under `decimals`, which columns are read how.
    written
        Name -> the texts of a column that was read as numbers; of a column that holds other than
        texts nothing is read without it.
    delimiter
        What stands between the cells of a text.
    """
    apart, together = {}, {}
    texts = {str(name): cells for name, each in frame.items() if (cells := _counted(each))}
    for name, cells in texts.items():
        if found := _apart(cells):
            apart[name] = found
            together[name] = each_of(frame[name], _together)
            texts[name] = _counted(together[name])
    signs = _signs(frame, texts, written, delimiter)

    def cells_of(name: str) -> pd.Series:
        if name in together or written is None or frame[name].dtype.kind != "f":
            return together.get(name, frame[name])
        return written(name).where(frame[name].notna())

    made = {name: _converted(cells_of(name), signs.get(name, "point")) for name in apart | signs}
    told = [_said(sign, signs, cells_of, made) for sign in _READINGS]
    for name, cell in apart.items():
        value = _plain(_together(cell), signs.get(name, "point"))
        told.append(f"in {name!r} thousands are set apart: {cell!r} is {float(value):.10g}")
    if any(told):
        notes["decimals"] = "; ".join(filter(None, told))
    return frame.assign(**made)


def each_of(cells: pd.Series, change: Callable[[Any], Any]) -> pd.Series:
    """Return what a function makes of cells, asked once of those that are alike."""
    import pandas as pd

    code, distinct = pd.factorize(cells)
    made = [change(cell) for cell in distinct]
    if all(map(operator.is_, made, distinct)):
        return cells
    made = np.array([*made, np.nan, None], object)[:-1]
    return pd.Series(made[code], index=cells.index, name=cells.name, dtype=cells.dtype)


def _counted(cells: pd.Series) -> dict[str, int]:
    """Return how often each cell stands in a column of texts, without white space about them.

    It is empty for a column that holds anything else.
    """
    if cells.dtype.kind in "biufmMc":
        return {}
    if cells.dtype == object:
        every = cells.dropna().tolist()
        if not all(map(isinstance, every, repeat(str))):
            return {}
        found = Counter(every)
    else:
        counts = cells.value_counts(sort=False)
        found = dict(zip(counts.index.to_numpy(object), counts.tolist(), strict=True))
    if not all(map(isinstance, found, repeat(str))):
        return {}
    stripped = [cell.strip() for cell in found]
    if stripped == [*found]:
        return found
    counted = Counter()
    for cell, count in zip(stripped, found.values(), strict=True):
        counted[cell] += count
    return counted


def _digits(cells: dict[str, int]) -> list[str]:
    """Return the cells that hold a digit, where these are most; none where they are few."""
    found = [cell for cell in cells if _DIGIT.search(cell)]
    # A dash or a word among numbers is told when the column is used.
    most = 2 * sum(cells[cell] for cell in found) > sum(cells.values())
    return found if most else []


def _apart(cells: dict[str, int]) -> str | None:
    """Return the first cell with thousands set apart by spaces, of a column of such numbers."""
    if not any(map(_BETWEEN.search, cells)):
        return None
    digits = _digits(cells)
    spaced = [bool(_SPACED.fullmatch(cell)) for cell in digits]
    plain = (any(each.fullmatch(cell) for each in _READINGS.values()) for cell in digits)
    if any(spaced) and all(one or other for one, other in zip(spaced, plain, strict=True)):
        return digits[spaced.index(True)]
    return None


def _together(cell: str) -> str:
    return _BETWEEN.sub("", cell.strip()) if _SPACED.fullmatch(cell.strip()) else cell


def _signs(
    frame: pd.DataFrame,
    texts: dict[str, dict[str, int]],
    written: Callable[[str], pd.Series] | None,
    delimiter: str,
) -> dict[str, str]:
    """Return the decimal sign of each column that holds numbers which `float` does not read."""
    ways: dict[str, list[str]] = {}
    for name, cells in texts.items():
        if any(map(_MARKED.search, cells)) and (digits := _digits(cells)):
            signs = [k for k, reading in _READINGS.items() if all(map(reading.fullmatch, digits))]
            if signs:
                ways[name] = signs
    sure = {each[0] for each in ways.values() if len(each) == 1}
    floats = {}
    if ways and written is not None:
        # White space is that of the file, an empty cell holds no digit.
        names = [str(name) for name, each in frame.items() if each.dtype.kind == "f"]
        floats = {name: [*filter(_DIGIT.search, written(name).unique())] for name in names}
    points = (_POINT.fullmatch(c) and not _GROUPED.fullmatch(c) for f in floats.values() for c in f)
    sure |= {"point"} if any(points) else set()
    if not sure and delimiter == ";":
        sure = {"comma"}
    signs = {
        name: each[0] if len(each) == 1 else next(iter(sure))
        for name, each in ways.items()
        if len(each) == 1 or len(sure) == 1
    }
    if "comma" in signs.values():
        # Where commas are decimal signs, 20.000 is twenty thousand.
        for name, cells in floats.items():
            grouped = [bool(_GROUPED.fullmatch(cell)) for cell in cells]
            if any(grouped) and all(map(operator.or_, grouped, map(str.isdigit, cells))):
                signs[name] = "comma"
    return signs


def _plain(cell: str, sign: str) -> str:
    """Return a number as `float` reads it; its unit stays behind it."""
    point, apart = (",", ".") if sign == "comma" else (".", ",")
    read = _READINGS[sign].fullmatch(cell.strip())
    return cell.strip().replace(apart, "").replace(point, ".") if read else cell


def _converted(cells: pd.Series, sign: str) -> pd.Series:
    """Return texts as numbers, the decimal sign being a comma or a point."""
    point, apart = (",", ".") if sign == "comma" else (".", ",")
    with suppress(ValueError, TypeError):  # a unit, a dash: cell by cell
        plain = cells.str.replace(apart, "", regex=False).str.replace(point, ".", regex=False)
        return plain.astype(float)
    made = each_of(cells, lambda cell: _plain(cell, sign))
    return made if numbers(made.to_numpy(object))[1].any() else made.astype(float)


def _said(
    sign: str, signs: dict[str, str], cells_of: Callable[[str], pd.Series], made: dict
) -> str:
    """Return which columns are read by a decimal sign, with an example."""
    names = [name for name, each in signs.items() if each == sign]
    if not names:
        return ""
    cells = cells_of(names[0]).dropna()
    shown = (i for i, each in enumerate(cells) if _MARKED.search(each) or _GROUPED.fullmatch(each))
    at = cells.index[next(shown)]
    says = "a comma is the decimal sign" if sign == "comma" else "commas set thousands apart"
    of = f"{names[0]!r}" + f" and {len(names) - 1} more" * (len(names) > 1)
    value = made[names[0]][at]
    shown = f"{value!r}" if isinstance(value, str) else f"{float(value):.10g}"
    return f"in {of} {says}: {cells[at].strip()!r} is {shown}"
