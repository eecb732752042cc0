"""display: results for reading: numbers in words, and tables as text and as HTML of the same rows.

A result that derives from `Shown` gives its rows by `sheets`, made of its `summary()`; from them
come its `repr`, its table in a notebook and the table of the command line.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ..messages import visible
from .intervals import INTERVAL

__all__ = [
    "MASS",
    "Sheet",
    "Shown",
    "as_html",
    "as_text",
    "count",
    "number",
    "share",
    "span",
    "text_lines",
]

MASS = f"{INTERVAL:.0%}".replace("%", " %")
"""What the interval's column is called; it stays beside the column before it."""
WIDTH = 100
"""Columns of a `repr`."""
MOST = 40
"""Rows of a `repr` and of a table in a notebook; the command line shows all."""

# ------------------------------------------------------------------ numbers

SI = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def number(value: float | None, digits: int = 4) -> str:
    """Return a number for reading: 1.817, 5.76e23, 240; a dash for none."""
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


def count(value: float | None, digits: int = 3) -> str:
    """Return a scale (parameters, tokens, FLOP) for reading: 240, 350M, 1.4T, 5.76e23."""
    if value is None or not math.isfinite(value):
        return number(value)
    rounded = float(f"{value:.{digits - 1}e}")
    for unit, letter in SI if abs(rounded) < 1e15 else ():
        if abs(rounded) >= unit:
            return number(rounded / unit, digits) + letter
    return number(rounded, digits if abs(rounded) < 1e5 else digits + 1)


def share(value: float | None) -> str:
    """Return a probability for reading: 0.07."""
    return "-" if value is None or math.isnan(value) else f"{value:.2f}"


def span(lo: float | None, hi: float | None, say: Callable[[float | None], str] = number) -> str:
    """Return an interval for reading: 59.9B .. 85.4B."""
    return "-" if lo is None or hi is None else f"{say(lo)} .. {say(hi)}"


# ------------------------------------------------------------------ tables


@dataclass(frozen=True)
class Sheet:
    """One table for reading."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    head: str = ""
    """What it is, in a line."""
    foot: Sequence[str] = ()
    """Lines below it."""
    left: int = 1
    """So many columns hold text, the others numbers."""
    keys: int = 1
    """So many columns name the row: where a table is cut in two, both halves have them."""

    def __post_init__(self) -> None:
        rows = [[visible(str(cell)) for cell in row] for row in self.rows]
        for name, value in (
            ("columns", [visible(each, "\n") for each in self.columns]),
            ("rows", rows),
            ("head", visible(self.head, "\n")),
            ("foot", [visible(each) for each in self.foot]),
        ):
            object.__setattr__(self, name, value)


class Shown:
    """A result that shows itself, as text and as HTML, by the rows of `sheets`."""

    def sheets(self) -> list[Sheet]:
        """Return the tables of this result."""
        raise NotImplementedError

    def said(self) -> list[tuple[str, str]]:
        """Return what is to be said below the tables: a kind (note, good, bad) and a line each."""
        return [("note", f"note: {note}") for note in getattr(self, "notes", ())]

    def __repr__(self) -> str:
        parts = [as_text(sheet, WIDTH, MOST) for sheet in self.sheets()]
        said = [line for _, text in self.said() for line in textwrap.wrap(text, WIDTH)]
        return "\n".join(["\n\n".join(parts), *said])

    def _repr_html_(self) -> str:
        said = "".join(
            f'<div style="color:{COLOURS[kind]}">{escape(text)}</div>' for kind, text in self.said()
        )
        return "".join(as_html(sheet, MOST) for sheet in self.sheets()) + said


COLOURS = {"note": "#860", "good": "#2a7", "bad": "#c22"}
GAP = "  "


def as_text(sheet: Sheet, width: int, most: int | None = None) -> str:
    """Return a sheet as text; see `text_lines`."""
    return "\n".join(line for _, line in text_lines(sheet, width, most))


def text_lines(sheet: Sheet, width: int, most: int | None = None) -> Iterator[tuple[str, str]]:
    """Yield the lines of a sheet, each with what it is: head, names (of columns), row or foot.

    Parameters
    ----------
    width
        Characters that there are. A table that is wider wraps its texts between words, then is
        cut into several below one another, each with the names of the rows.
    most
        Rows that are shown; how many more there are is said.
    """
    yield from (("head", line) for line in _flowing(sheet.head.split("\n"), width))
    rows = _kept(sheet, most)
    for i, part in enumerate(_parts(sheet, rows, width)):
        yield from [("row", "")] * (i > 0)
        yield from _grid(sheet, rows, part)
    yield from (("foot", line) for line in _flowing(_foot(sheet, most), width))


def _flowing(texts: Iterable[str], width: int) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, width)]


def _kept(sheet: Sheet, most: int | None) -> list[list[str]]:
    return [list(row) for row in sheet.rows[:most]]


def _foot(sheet: Sheet, most: int | None) -> list[str]:
    more = 0 if most is None else len(sheet.rows) - most
    return [*([f"... and {more} rows more"] if more > 0 else []), *sheet.foot]


def _parts(sheet: Sheet, rows, width: int) -> Iterator[dict[int, int]]:
    """Yield of each table, the one or several below one another, the width of its columns."""
    columns = range(len(sheet.columns))
    cells = [[*sheet.columns[i].split("\n"), *(row[i] for row in rows)] for i in columns]
    natural = [max(map(len, texts)) for texts in cells]
    words = [
        max((len(word) for text in texts for word in text.split()), default=0) for texts in cells
    ]
    # Names of rows stay in one line where that leaves half of the width; then between words.
    texts = [natural[i] if i < sheet.keys else words[i] for i in range(sheet.left)]
    least = [min(texts[i], width // 2) if i < sheet.left else natural[i] for i in columns]
    for part in _cut(sheet, least, width):
        found = {i: least[i] for i in part}
        over = sum(found.values()) + len(GAP) * (len(part) - 1) - width
        if over > 0 and sheet.keys:
            found[0] = max(found[0] - over, min(words[0], found[0]))
        room = width - sum(found.values()) - len(GAP) * (len(part) - 1)
        for i in part:
            more = min(max(room, 0), natural[i] - least[i])
            found[i], room = found[i] + more, room - more
        yield found


def _cut(sheet: Sheet, least: list[int], width: int) -> list[list[int]]:
    """Return the columns of each table, those that name the row in all of them."""
    keys = list(range(sheet.keys))
    parts, part = [], list(keys)
    blocks: list[list[int]] = []
    for i in range(sheet.keys, len(sheet.columns)):
        if sheet.columns[i].startswith(MASS) and blocks:
            blocks[-1].append(i)
        else:
            blocks.append([i])
    for block in blocks:
        wide = sum(least[i] + len(GAP) for i in part + block) - len(GAP)
        if wide > width and len(part) > len(keys):
            parts, part = [*parts, part], list(keys)
        part = part + block
    return [*parts, part]


def _grid(sheet: Sheet, rows, part: dict[int, int]) -> Iterator[tuple[str, str]]:
    """Yield the lines of one table: names of the columns, a rule, the rows."""
    if any(sheet.columns):
        names = [name.split("\n") for name in sheet.columns]
        yield from (("names", line) for line in _row(sheet, names, part, low=True))
        yield "row", "─" * (sum(part.values()) + len(GAP) * (len(part) - 1))
    for row in rows:
        yield from (("row", line) for line in _row(sheet, [[cell] for cell in row], part))


def _row(sheet: Sheet, cells: list[list[str]], part: dict[int, int], low=False) -> list[str]:
    """Return the lines of one row, texts wrapped; what is shorter stands at the top, or `low`."""
    stacks = [_stack(cells[i], wide, i < sheet.left) for i, wide in part.items()]
    tall = max(map(len, stacks))
    for stack, wide in zip(stacks, part.values(), strict=True):
        blank = [" " * wide] * (tall - len(stack))
        stack[:] = blank + stack if low else stack + blank
    return [GAP.join(line).rstrip() for line in zip(*stacks, strict=True)]


def _stack(lines: list[str], wide: int, text: bool) -> list[str]:
    """Return the lines of one cell, each as wide as its column."""
    if not text:
        return [line.rjust(wide) for line in lines]
    return [part.ljust(wide) for line in lines for part in _wrapped(line, wide)]


def _wrapped(line: str, wide: int) -> list[str]:
    return [line] if len(line) <= wide else textwrap.wrap(line, wide, break_on_hyphens=False)


def as_html(sheet: Sheet, most: int | None = None) -> str:
    """Return a sheet as HTML, escaped."""

    def cell(tag: str, text: str, i: int) -> str:
        look = "text-align:left" if i < sheet.left else "text-align:right;white-space:nowrap"
        return f'<{tag} style="{look}">{escape(text)}</{tag}>'

    def row(tag: str, cells: Sequence[str]) -> str:
        return f"<tr>{''.join(cell(tag, text, i) for i, text in enumerate(cells))}</tr>"

    head = "".join(f"<div><b>{escape(text)}</b></div>" for text in sheet.head.split("\n") if text)
    foot = "".join(f"<div><small>{escape(text)}</small></div>" for text in _foot(sheet, most))
    names = [name.replace("\n", " ") for name in sheet.columns]
    body = "".join(row("td", cells) for cells in _kept(sheet, most))
    table = f"<table><thead>{row('th', names)}</thead><tbody>{body}</tbody></table>"
    return head + table + foot
