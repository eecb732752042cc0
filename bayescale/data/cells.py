"""Cells of a table, of whatever type they were read as, as numbers or as labels."""

from __future__ import annotations

import calendar
import datetime
import re
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

__all__ = [
    "EXACT",
    "ROW",
    "WRITTEN",
    "date",
    "dated",
    "day",
    "measure",
    "measures",
    "number",
    "numbers",
    "text",
    "texts",
    "years",
]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # and no tab, no line's end
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


EXACT = 2.0**53
"""Up to here a float is each whole number, beyond it stands for several."""
ROW = "file_row"
"""The name of an index that tells which rows of a file these are."""
WRITTEN = "bayescale.written"
"""Where a pandas frame, in its `attrs`, keeps the texts of cells that were read as numbers."""


def number(cell: Any) -> float | None:
    """Return a cell as a float: nan when it is missing, None when it is no number."""
    # The missing cells of pandas go by their names, as this file does not import it.
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return np.nan
    if isinstance(cell, str):
        bare = cell.strip()  # of more than `float` takes for white space
        if not cell.isprintable() and _CONTROL.search(cell):
            return None
        return float(bare) if _NUMBER.fullmatch(bare) else None
    try:
        return float(cell) if isinstance(cell, Real | Decimal | np.bool_) else None
    except (OverflowError, TypeError, ValueError):
        return None


_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "bn": 1e9, "t": 1e12, "p": 1e15, "%": 0.01}
_UNITS |= {"mm": 1e6, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_FLOP = {"e": 1e18, "z": 1e21, "y": 1e24}
"""Letters before FLOP alone: `3 E` is no number that anybody means."""
_COUNTED = re.compile(r"(flop|param|parameter|token|tok)s?$")
"""What a cell may count, after its unit: `70M params`, `3.2e21 FLOPs`, `1.5 ZFLOP`."""
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻−", "0123456789+--")
_POWER = re.compile(r"\s*[×x*·]\s*10\s*(\^|\*\*)?\s*(?=[+-]?\d)", re.IGNORECASE)
_TEN = re.compile(r"\A10\s*(\^|\*\*)\s*(?=[+-]?\d)")
_MEASURE = re.compile(r"([+-]?[\d.]+(?:e[+-]?\d+)?)\s*([a-z% ]*)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?(?!\d|,)\D*")
_DECIMAL = re.compile(
    r"[+-]?(0|[1-9]\d*),(\d{1,2}|\d{4,})(?!\d|[.,]\d).*|[+-]?0,\d+(?!\d|[.,]\d).*"
)
"""A comma that is a decimal sign, and sets no thousands apart: `45,3 %`, `0,125`."""


def measure(cell: Any, comma: bool = False) -> float | None:
    """Return a cell with a unit as a float: `18.9M`, `75.3 B`, `2.00×10¹⁹`, `1,234`, `12 %`.

    Units are those of counts (k, M, B or G, T, P; thousand to trillion), what is counted (FLOP,
    params, tokens) behind them or alone, and %, a hundredth.

    Parameters
    ----------
    comma
        Whether `3,512` is three and a half, as another cell of its column says.
    """
    value = number(cell)
    if value is not None or not isinstance(cell, str):
        return value
    plain = _POWER.sub("e", _TEN.sub("1e", cell.strip().translate(_RAISED)))
    if comma or _DECIMAL.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".") if "," in plain else plain
    elif _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    found = _MEASURE.fullmatch(plain)
    value = number(found[1]) if found else None
    times = _times(found[2]) if found else None
    return None if value is None or times is None else value * times


def _times(unit: str) -> float | None:
    """Return what a unit multiplies by, None for one that is unknown."""
    bare = unit.strip().lower()
    counted = _COUNTED.search(bare)
    before = (bare[: counted.start()] if counted else bare).strip()
    known = _UNITS | {"": 1.0} | (_FLOP if counted and counted[1] == "flop" else {})
    return known.get(before, known.get(before.removesuffix("s")))


def measures(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a column of cells with units as `numbers` does."""
    if values.dtype.kind not in "OUT":
        return numbers(values)
    decimal = any(isinstance(cell, str) and _DECIMAL.fullmatch(cell.strip()) for cell in values)
    cells = [measure(cell, decimal) for cell in values]
    return np.array(cells, np.float64), np.array([cell is None for cell in cells], bool)


_DATE = re.compile(r"(\d{4})([-/])(\d{1,2})(?:\2(\d{1,2}))?(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?")


def date(cell: Any) -> np.datetime64 | None:
    """Return a cell that is a date, to the day: `2024-03-01`, `2024-03`; None for any other.

    Years go first: `03/01/2024` may be one day or another.
    """
    if isinstance(cell, np.datetime64 | datetime.date):
        return np.datetime64(cell, "D")
    found = _DATE.fullmatch(cell.strip()) if isinstance(cell, str) else None
    try:
        day = found and f"{found[1]}-{int(found[3]):02}-{int(found[4] or 1):02}"
        return np.datetime64(day, "D") if day else None
    except ValueError:
        return None


def years(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return dates as years with a fraction, 2024.5 at the middle of 2024, as `numbers` does."""
    found, bad = numbers(values)
    cells = values.astype("datetime64[D]") if values.dtype.kind == "M" else values
    for at in np.flatnonzero(bad):
        day = date(cells[at])
        if day is not None:
            first = day.astype("datetime64[Y]")
            after = first + np.timedelta64(1, "Y")
            length = after.astype("datetime64[D]") - first.astype("datetime64[D]")
            found[at] = 1970 + int(first.astype(int)) + (day - first) / length
            bad[at] = False
    return found, bad


_DATED = re.compile(r"\s*exp\(\s*years\((.+)\)\s*-\s*(\d{4}(?:\.\d+)?)\s*\)\s*")


def dated(text: str) -> tuple[str, float] | None:
    """Return the column of dates behind a scale `exp(years(col) - 2020)`, and that year.

    A scale x is the year 2020 + ln x there; None for any other scale.
    """
    found = _DATED.fullmatch(text)
    return None if found is None else (found[1].strip("` "), float(found[2]))


def day(year: float) -> str:
    """Return a year with a fraction as a date."""
    if not 1 <= year < 9999:
        return "before all dates" if year < 1 else "never"
    days = 366 if calendar.isleap(int(year)) else 365
    return str(datetime.date(int(year), 1, 1) + datetime.timedelta(int(year % 1 * days)))


def text(cell: Any) -> str | None:
    """Return a cell as a label, None when it is missing."""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace")
    value = number(cell)
    if value is not None and np.isnan(value):
        return None
    # A column of whole numbers with one gap is read as floats; its labels should not change.
    if isinstance(cell, float | np.floating) and abs(cell) < EXACT and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def numbers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a column as float64, nan where a cell is missing, and a mask of what is no number.

    Text that spells a number is that number: one word in a column of a CSV file makes text of
    all its cells.
    """
    if values.dtype.kind in "biuf":
        with np.errstate(over="ignore"):
            return values.astype(np.float64), np.zeros(values.shape, bool)
    if values.dtype.kind not in "OUT":
        return np.full(values.shape, np.nan), np.ones(values.shape, bool)
    cells = [number(cell) for cell in values]
    return np.array(cells, np.float64), np.array([cell is None for cell in cells], bool)


def texts(values: np.ndarray) -> np.ndarray:
    """Return a column as an object array of str, None where a cell is missing."""
    if values.dtype.kind in "mM":
        values = np.where(np.isnat(values), None, values.astype(str).astype(object))
    return np.array([*map(text, values), None], dtype=object)[:-1]
