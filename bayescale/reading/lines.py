"""scan: which lines of a text are the names and the rows of a table, and which stand about it.

Lines that begin with `#`, a title above the names, a rule below them and lines of empty cells are
no rows. They are told, but for lines of empty cells.
"""

from __future__ import annotations

import csv
import io
import re
from typing import NamedTuple

from ..messages import refuse, shortened

__all__ = ["Rows", "scan"]

_RULE = re.compile(r"\s*:?-{2,}:?\s*")
"""A cell of the rule below the names of a table in Markdown."""
_NUMBER = re.compile(r"\s*[+-]?[\d.,]*\d[\d.,]*(e[+-]?\d+)?\s*", re.IGNORECASE)
"""Whatever its decimal sign."""
_OTHER = re.compile(r"[;\t|]")
"""What stands between the names of a table with another delimiter: these are no title."""
_SIGN = re.compile(r"sep=", re.IGNORECASE)
"""The line by which Excel is told the delimiter."""
_ONE_LONGER = "give the first line as many names"


class Rows(NamedTuple):
    """How a text falls into rows by a delimiter."""

    names: list[str]
    """Of the columns; one is empty where a column has none."""
    rows: list[int]
    """Places of the rows below the names, blank lines counted."""
    lines: list[tuple[int, int]]
    """First and last line, from 0 and the last not included, of each row."""
    told: dict[str, str]
    """What stands about the table, and is left out."""


class _Record(NamedTuple):
    cells: list[str]
    lines: tuple[int, int]

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell.strip()]

    @property
    def comment(self) -> bool:
        return bool(self.cells) and self.cells[0].lstrip().startswith("#")


def scan(text: str, delimiter: str, source: str) -> Rows:
    """Return the names of a table and where its rows stand; all rows must be of one length.

    pandas fills short rows with nan, and reads a first column too many as an index.

    Raises
    ------
    DataError
        For rows that differ in length, naming the line, for stray quotes, and for names that
        stand twice or are numbers.
    """
    records = _records(text, delimiter, source)
    top, told = _top(records)
    header, *below = records[top:] or [_Record([], (0, 0))]
    names = [name.strip() for name in header.cells]
    if header.comment:
        names = names[1:] if names[0] == "#" else [names[0].lstrip("# "), *names[1:]]
    comments = sum(each.comment for each in records[:top])
    rows, lines = [], []
    for at, each in enumerate(below, 1):
        if not each.filled or (at == 1 and all(map(_RULE.fullmatch, each.filled))):
            continue
        if each.comment and len(each.cells) != len(names):
            comments += 1
            continue
        rows.append(at)
        lines.append((each, each.lines))
    if comments:
        lines_are = (
            "1 line that begins with # is"
            if comments == 1
            else f"{comments} lines that begin with # are"
        )
        told["comments"] = f"{lines_are} left out"
    _check(names, [each for each, _ in lines], source)
    if lines and len(lines[0][0].cells) == len(names) + 1:
        names.append("")  # of cells after a last delimiter that stands in the rows alone
    return Rows(names, rows, [where for _, where in lines], told)


def _records(text: str, delimiter: str, source: str) -> list[_Record]:
    """Return all lines as cells, blank ones too, which hold none."""
    by_spaces = delimiter == " "
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=by_spaces
    )
    found, before = [], 0
    try:
        for cells in reader:
            if by_spaces:  # before the first cell and after the last
                cells = [cell for cell in cells if cell]
            found.append(_Record(cells, (before, reader.line_num)))
            before = reader.line_num
    except csv.Error as error:
        refuse(source, f"line {reader.line_num}: {error}", "look for stray quotes")
    return found


def _top(records: list[_Record]) -> tuple[int, dict[str, str]]:
    """Return where the names stand, and what stands above them.

    What begins with # is no name, unless the row below it is one of numbers. What stands alone in
    its line is a title, where more stands in the next one and none of that is a number.
    """
    at, told = 0, {}
    filled = [i for i, each in enumerate(records) if each.filled]
    for here, after in zip(filled, [*filled[1:], None][: len(filled)], strict=True):
        at = here
        if after is None:
            break
        numbered = any(map(_NUMBER.fullmatch, records[after].filled))
        several = len(records[after].filled) > 1
        alone = len(records[here].filled) == 1
        if records[here].comment:
            if numbered and not records[after].comment:
                break
        elif alone and several and not numbered and not records[after].comment:
            if _OTHER.search(records[here].filled[0]):
                break
            title = shortened(records[here].filled[0].strip(), 60)
            if not _SIGN.match(title):
                told["title"] = f"above the names stands {title!r}: left out"
        else:
            break
    return at, told


def _check(names: list[str], rows: list[_Record], source: str) -> None:
    """Refuse rows of other lengths than the names, and names that are none."""
    sizes = {len(each.cells) for each in rows}
    longer = sizes == {len(names) + 1}
    spare = longer and not any(each.cells[-1].strip() for each in rows)
    for each in rows:
        if len(each.cells) != len(names) and not spare:
            line = each.lines[1]
            problem = f"line {line} has {len(each.cells)} cells, the header {len(names)}"
            remedy = "quote cells that hold the delimiter"
            if longer and len(rows) > 1:
                remedy = f"all rows have {len(each.cells)}: {_ONE_LONGER}, or {remedy}"
            refuse(source, problem, remedy)
    for name in names:
        if name and names.count(name) > 1:
            refuse(source, f"two columns are called {name!r}", "rename one of them")
    if names and all(map(_NUMBER.fullmatch, names)):
        refuse(source, "the first line holds only numbers", "name the columns in a header")
