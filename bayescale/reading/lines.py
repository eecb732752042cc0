"""scan: which lines of a text are the names and the rows of a table, and which stand about it.

Lines that begin with `#`, a title above the names, a rule below them and lines of empty cells are
no rows. They are told, but for lines of empty cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple, NoReturn

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
ABOVE = 1000
"""Lines among which the names stand."""


class Rows(NamedTuple):
    """How a text falls into rows by a delimiter."""

    names: list[str]
    """Of the columns; one is empty where a column has none."""
    rows: list[int]
    """Places of the rows below the names, blank lines counted."""
    lines: list[tuple[int, int]]
    """First and last line, from 0 and the last not included, of rows that follow each other."""
    told: dict[str, str]
    """What stands about the table, and is left out."""


class _Record(NamedTuple):
    cells: list[str]
    first: int
    last: int

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell.strip()]

    @property
    def comment(self) -> bool:
        return bool(self.cells) and self.cells[0].lstrip().startswith("#")

    @property
    def rule(self) -> bool:
        return all(map(_RULE.fullmatch, self.filled))


def scan(text: str, delimiter: str, source: str, several: bool = False) -> Rows:
    """Return the names of a table and where its rows stand; all rows must be of one length.

    pandas fills short rows with nan, and reads a first column too many as an index.

    Parameters
    ----------
    several
        Whether a table of one column is refused, before its rows are read.

    Raises
    ------
    DataError
        For rows that differ in length, naming the line, for stray quotes, and for names that
        stand twice or are numbers.
    """
    records = _records(text, delimiter, source)
    head = list(islice(records, ABOVE))
    top, told = _top(head)
    header, *below = head[top:] or [_Record([], 0, 0)]
    names = [name.strip() for name in header.cells]
    if header.comment:
        names = names[1:] if names[0] == "#" else [names[0].lstrip("# "), *names[1:]]
    comments = sum(each.comment for each in head[:top])
    width, spare, sizes, uneven = len(names), True, set(), None  # sizes of all rows
    if several and width < 2:
        refuse(source, "has one column", "name its delimiter")
    rows, lines = [], []
    for at, each in enumerate(chain(below, records), 1):
        cells = each.cells
        if not any(map(str.strip, cells)) or (at == 1 and each.rule):
            continue
        if len(cells) != width and each.comment:
            comments += 1
            continue
        sizes.add(len(cells))
        if len(cells) != width:
            uneven = uneven or each
            spare = spare and not cells[-1].strip()
        if uneven is not None and sizes != {width + 1}:
            _refuse_uneven(uneven, width, False, source)
        rows.append(at)
        if lines and lines[-1][1] == each.first:
            lines[-1] = (lines[-1][0], each.last)
        else:
            lines.append((each.first, each.last))
    if comments:
        said = "1 line that begins with # is" if comments == 1 else ""
        said = said or f"{comments} lines that begin with # are"
        told["comments"] = f"{said} left out"
    if uneven is not None and not spare:
        _refuse_uneven(uneven, width, len(rows) > 1, source)
    _check(names, source)
    if uneven is not None:
        names.append("")  # of cells after a last delimiter that stands in the rows alone
    return Rows(names, rows, lines, told)


def _records(text: str, delimiter: str, source: str) -> Iterator[_Record]:
    """Yield all lines as cells, blank ones too, which hold none."""
    by_spaces = delimiter == " "
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=by_spaces
    )
    before = 0
    try:
        for cells in reader:
            if by_spaces:  # before the first cell and after the last
                cells = [cell for cell in cells if cell]
            yield _Record(cells, before, reader.line_num)
            before = reader.line_num
    except csv.Error as error:
        refuse(source, f"line {reader.line_num}: {error}", "look for stray quotes")


def _top(records: list[_Record]) -> tuple[int, dict[str, str]]:
    """Return where the names stand, and what stands above them.

    What begins with # is no name, unless the row below it is one of numbers. What stands alone in
    its line is a title, where more stands in the next one and none of that is a number; so are the
    names of groups of columns, of which several have none, above a line of names for all.
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
        elif (alone or _grouped(*(records[i].cells for i in (here, after)))) and (
            several and not numbered and not records[after].comment
        ):
            if alone and _OTHER.search(records[here].filled[0]):
                break
            title = shortened(", ".join(map(str.strip, records[here].filled)), 60)
            if not _SIGN.match(title):
                told["title"] = f"above the names stands {title!r}: left out"
        else:
            break
    return at, told


def _grouped(above: list[str], names: list[str]) -> bool:
    """Return whether a line names groups of the columns that the next one names one by one."""
    gaps = sum(not cell.strip() for cell in above)
    distinct = {*map(str.strip, names)} - {""}
    return gaps > 1 and len(above) == len(names) == len(distinct)


def _refuse_uneven(row: _Record, width: int, all_alike: bool, source: str) -> NoReturn:
    """Refuse a row of another length than the names."""
    remedy = "quote cells that hold the delimiter"
    if len(row.cells) == 1:
        remedy = "leave it out, or begin it with #, where it is a note"
    if all_alike:
        remedy = f"all rows have {len(row.cells)}: give the first line as many names, or {remedy}"
    refuse(source, f"line {row.last} has {len(row.cells)} cells, the header {width}", remedy)


def _check(names: list[str], source: str) -> None:
    """Refuse names that stand twice, or are numbers."""
    for name in names:
        if name and names.count(name) > 1:
            refuse(source, f"two columns are called {name!r}", "rename one of them")
    if names and all(map(_NUMBER.fullmatch, names)):
        refuse(source, "the first line holds only numbers", "name the columns in a header")
