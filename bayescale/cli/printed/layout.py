"""layout: how tables look on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from ...posterior.display import Sheet, text_lines

__all__ = ["Drawn", "drawn", "sheet"]

STYLES = {"head": "bold", "names": "bold", "row": "", "foot": "dim"}


@dataclass(frozen=True)
class Drawn:
    """A sheet as the terminal shows it: as wide as there is room, names whole, all rows."""

    sheet: Sheet

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines: what it is and the names of columns bold, what stands below faint."""
        for what, line in text_lines(self.sheet, options.max_width):
            yield Text(line, STYLES[what], no_wrap=True, overflow="ignore")


def drawn(sheets: Iterable[Sheet]) -> list[RenderableType]:
    """Return sheets below one another, a line between them."""
    parts: list[RenderableType] = []
    for one in sheets:
        parts += [Text(""), Drawn(one)]
    return parts[1:]


def sheet(*columns: str) -> Table:
    """Return an empty table of texts, which wrap where the terminal is narrow."""
    look = dict(pad_edge=False, show_edge=False, show_header=any(columns), header_style="bold")
    made = Table(box=box.SIMPLE_HEAD, **look)
    for i, name in enumerate(columns):
        made.add_column(name, style="bold" if i == 0 else None, no_wrap=i == 0)
    return made
