"""Cells of a table, of whatever type they were read as, as numbers or as labels."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from ..messages import ExpressionError

__all__ = [
    "EXACT",
    "ROW",
    "WRITTEN",
    "date",
    "dated",
    "day",
    "days",
    "in_days",
    "is_year",
    "meant",
    "measure",
    "measures",
    "no_date",
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
        bare = cell.strip().replace("\u2212", "-")  # white space, and a minus as it is typeset
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
_APART = re.compile(r"[+-]?[1-9]\d{0,2}([\s'\u2019]\d{3})+(\.\d+)?(?!\d)\D*")
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
    elif _APART.fullmatch(plain):
        plain = re.sub(r"(?<=\d)[\s'\u2019](?=\d{3})", "", plain)
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


_OWN = "give each a column of its own, the error as stderr (--stderr)"
_COUNTS = "y='right/asked' (-y 'right/asked') and n='asked' (-n 'asked')"
_SAID = {
    r"(.+?)\s*(?:±|\+/-|\+-)\s*(.+)": f"a value and its error: {_OWN}",
    r"(.+?)\s*\((.+)\)%?": f"a number with another behind it, its error? {_OWN}",
    r"(\d+)\s*(?:/|of|out of)\s*(\d+)": f"a count out of so many: two columns, {_COUNTS}",
    r"(.+?)\s*(?:-|–|—|\.\.+|to)\s*([^-–—]+)": "a range: write one number",
    r"[<≤]=?\s*(.+)": "a bound: write it alone; of a detection limit name it too, limit (--limit)",
    r"[>≥~≈]=?\s*(.+)|(?:ca\.?|about|approx\.?)\s*(.+)": "about a number: write the nearest one",
    r"\W*?([+-]?[\d.,]+(?:e[+-]?\d+)?)\s*[^\w\s%]+": "a number among signs: take them away",
}
"""What a cell that is no number may be, by how it is written around numbers, and what to do."""


def meant(cell: Any) -> str:
    """Return what a cell that is no number seems to be and what to do, after a colon; else ""."""
    text = cell.strip() if isinstance(cell, str) else ""
    for form, said in _SAID.items():
        found = re.fullmatch(form, text, re.IGNORECASE)
        inside = [each for each in found.groups() if each] if found else []
        comma = "," in text and "." not in text
        if inside and all(measure(each, comma) is not None for each in inside):
            return f": {said}"
    return ""


def measures(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a column of cells with units as `numbers` does."""
    if values.dtype.kind not in "OUT":
        return numbers(values)
    decimal = any(isinstance(cell, str) and _DECIMAL.fullmatch(cell.strip()) for cell in values)
    cells = [measure(cell, decimal) for cell in values]
    return np.array(cells, np.float64), np.array([cell is None for cell in cells], bool)


_DATE = re.compile(r"(\d{4})([-/])(\d{1,2})(?:\2(\d{1,2}))?(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?")
_POINTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_WORDED = re.compile(
    r"(\d{1,2})?[ .-]*([a-z]{3,9})\.?[ -]*(?:(\d{1,2}),)?[ -]*(\d{4})", re.IGNORECASE
)
_BASIC = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:\.0)?")
_MONTHS = {name.lower(): at for at, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name[:3]: at for name, at in _MONTHS.items()} | {"sept": 9}
YEARS = (1000, 3000)
"""Numbers that may be years: no days since 1900, no seconds since 1970."""


def date(cell: Any, days_first: bool | None = None) -> np.datetime64 | None:
    """Return a cell that is a date, to the day: `2024-03-01`, `2024-03`; None for any other.

    Years go first, or last behind points (`1.3.2024`, the day first) and months that are written
    out (`1 March 2024`, `Mar 2024`). `03/01/2024` is one day or another, unless it is known which.

    Parameters
    ----------
    days_first
        Whether of `03/01/2024` 3 is the day; None where nothing tells.
    """
    if isinstance(cell, np.datetime64 | datetime.date):
        return np.datetime64(cell, "D")
    parts = _parts(str(cell).strip(), days_first) if isinstance(cell, str | Real) else None
    try:
        year, month, day = parts or (0, 0, 0)
        return np.datetime64(f"{year:04}-{month:02}-{day:02}", "D") if parts else None
    except ValueError:
        return None


def _parts(text: str, days_first: bool | None) -> tuple[int, int, int] | None:
    """Return year, month and day of what is written as a date."""
    if found := _DATE.fullmatch(text):
        return int(found[1]), int(found[3]), int(found[4] or 1)
    if found := _BASIC.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _POINTED.fullmatch(text):
        return int(found[3]), int(found[2]), int(found[1])
    if (found := _SLASHED.fullmatch(text)) and days_first is not None:
        day, month = (found[1], found[2]) if days_first else (found[2], found[1])
        return int(found[3]), int(month), int(day)
    found = _WORDED.fullmatch(text)
    month = _MONTHS.get(found[2].lower()) if found else None
    if found is None or month is None or (found[1] and found[3]):
        return None
    return int(found[4]), month, int(found[1] or found[3] or 1)


def _days_first(cells: Any) -> bool | None:
    """Return whether days stand before months in a column of `13/1/2024`, None where none tells."""
    found = [_SLASHED.fullmatch(cell.strip()) for cell in cells if isinstance(cell, str)]
    first, second = ({int(each[i]) > 12 for each in found if each} for i in (1, 2))
    return True in first if (True in first) != (True in second) else None


def no_date(cell: Any) -> str:
    """Return what is wrong with a cell that is no date."""
    if isinstance(cell, str) and _SLASHED.fullmatch(cell.strip()):
        return "is one day or another, as days or months go first: write it as 2024-03-01"
    return "is no date, such as 2024-03-01"


def years(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return dates as years with a fraction, 2024.5 at the middle of 2024, as `numbers` does."""
    found, bad = numbers(values)
    cells = values.astype("datetime64[D]") if values.dtype.kind == "M" else values
    bad = bad | (found < YEARS[0]) | (found >= YEARS[1])  # what is missing is nan, and not bad
    first = _days_first(cells) if cells.dtype.kind in "OUT" else None
    for at in np.flatnonzero(bad):
        day = date(cells[at].item() if isinstance(cells[at], np.number) else cells[at], first)
        if day is not None:
            start = day.astype("datetime64[Y]")
            after = start + np.timedelta64(1, "Y")
            length = after.astype("datetime64[D]") - start.astype("datetime64[D]")
            found[at] = 1970 + int(start.astype(int)) + (day - start) / length
            bad[at] = False
    return found, bad


def in_days(one: Any, other: Any) -> tuple[Any, Any]:
    """Return two sides of a comparison as years where one is a text of a date, the other dates.

    As texts '3/1/2024' comes after '2024-06-01', and is not '2024-03-01'. Any others stay.
    """
    if isinstance(one, str) and not isinstance(other, str):
        return in_days(other, one)[::-1]
    dates = isinstance(other, str) and number(other) is None and np.asarray(one).dtype.kind in "OU"
    if not dates or np.ndim(one) != 1:
        return one, other
    cells = np.array([*one, other], object)
    found, bad = years(cells)
    if date(other) is not None and bad.any() and _SLASHED.fullmatch(str(cells[bad][0]).strip()):
        raise ExpressionError(f"{cells[bad][0]!r} {no_date(cells[bad][0])}")
    return (one, other) if bad.any() or np.isnan(found[-1]) else (found[:-1], found[-1])


def is_year(cell: Any) -> bool:
    """Return whether a cell is a number that may be a year."""
    value = number(cell)
    return value is not None and YEARS[0] <= value < YEARS[1]


_DATED = re.compile(r"\s*exp\(\s*years\((.+)\)\s*-\s*(\d{4}(?:\.\d+)?)\s*\)\s*")


def dated(text: str) -> tuple[str, float] | None:
    """Return the column of dates behind a scale `exp(years(col) - 2020)`, and that year.

    A scale x is the year 2020 + ln x there; None for any other scale.
    """
    found = _DATED.fullmatch(text)
    return None if found is None else (found[1].strip("` "), float(found[2]))


def days(columns: Mapping[str, str], at: Mapping[str, float]) -> dict[str, str]:
    """Return the dates that scales stand for, by name, of those that are made of dates."""
    known = {name: dated(columns.get(name, name)) for name in at}
    return {name: day(each[1] + np.log(at[name])) for name, each in known.items() if each}


def day(year: float) -> str:
    """Return a year with a fraction as a date; one that is rounded to just before it, too."""
    year += 1e-4 / 366
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
