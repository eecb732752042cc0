"""layout: how numbers, intervals and tables look on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rich import box
from rich.table import Table

__all__ = ["number", "sheet", "span", "table"]


def number(value: float | None, digits: int = 4) -> str:
    """Return a number for reading: 1.817, 5.76e23, 240."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        places = digits - 1 - math.floor(math.log10(abs(value))) if value else 0
        return _short(f"{value:.{max(0, places)}f}")
    mantissa, exponent = f"{value:.{max(0, digits - 2)}e}".split("e")
    return f"{_short(mantissa)}e{int(exponent)}"


def _short(digits: str) -> str:
    """Leave out zeros that end a fraction."""
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def span(lo: float | None, hi: float | None, digits: int = 4) -> str:
    """Return an interval for reading."""
    return "-" if lo is None or hi is None else f"{number(lo, digits)} .. {number(hi, digits)}"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> Table:
    """Return a plain table whose first `left` columns hold text, the others numbers."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for i, name in enumerate(columns):
        # Names may be cut short where a terminal is narrow, numbers never.
        made.add_column(name, justify="left" if i < left else "right", no_wrap=i >= left)
    for row in rows:
        made.add_row(*map(str, row))
    return made


def sheet(*columns: str) -> Table:
    """Return an empty table of texts, which wrap where the terminal is narrow."""
    look = dict(pad_edge=False, show_edge=False, show_header=any(columns), header_style="bold")
    made = Table(box=box.SIMPLE_HEAD, **look)
    for i, name in enumerate(columns):
        made.add_column(name, style="bold" if i == 0 else None, no_wrap=i == 0)
    return made
