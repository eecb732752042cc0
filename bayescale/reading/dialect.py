"""read_text: a table of cells between delimiters, in the dialect that its rows agree on.

A delimiter is taken where every row has as many cells by it; that of the file's ending goes first,
spaces go last. What is not usual is told.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ..data.cells import EXACT, ROW
from ..messages import DataError, refuse, shortened
from .lines import Rows, scan
from .signs import MARKED, with_signs

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_text"]

DELIMITERS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'", " ": "spaces"}


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

    delimiter, (names, rows, lines, told) = _delimiter(text, usual, source)
    if delimiter != usual:
        notes["dialect"] = f"the delimiter is {DELIMITERS[delimiter]}, not {DELIMITERS[usual]}"
    notes |= told
    every = list(io.StringIO(text, newline=""))
    below = "".join(line for first, last in lines for line in every[first:last])
    frame, written = _cells(below, delimiter, names, len(rows), source)
    frame = with_signs(frame, written, notes, delimiter)
    texts = frame.select_dtypes(exclude="number")
    frame = frame.assign(**{name: each.map(_stripped) for name, each in texts.items()})
    frame.index = pd.Index(rows, name=ROW, dtype="int64")
    return frame


def _stripped(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def _cells(
    below: str, delimiter: str, names: list[str], rows: int, source: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows below the names as numbers and texts, and all as texts."""
    import pandas as pd

    columns = [name or f"Unnamed: {at}" for at, name in enumerate(names)]
    how: dict[str, Any] = dict(sep=r"\s+" if delimiter == " " else delimiter, low_memory=False)
    how |= dict(header=None, names=columns, index_col=False)
    if not below:
        frame = pd.DataFrame(columns=columns)
        return frame, frame
    try:
        frame = pd.read_csv(io.StringIO(below), **how)
    except ValueError as error:
        refuse(
            source, f"is no readable table ({shortened(str(error), 200)})", "look for stray quotes"
        )
    if frame.shape != (rows, len(names)):
        problem = f"reads as {frame.shape[0]} x {frame.shape[1]} cells, not {rows} x {len(names)}"
        refuse(source, problem, "look for stray quotes and control characters")
    nameless = [name for name, given in zip(columns, names, strict=True) if not given]
    frame = frame.drop(columns=[name for name in nameless if frame[name].isna().all()])
    # Numbers that no float tells apart, as they are written: they may be names.
    large = [
        name for name, each in frame.select_dtypes("float").items() if (each.abs() >= EXACT).any()
    ]
    marked = bool(MARKED.search(below))
    if not (large or marked):
        return frame, frame
    written = pd.read_csv(io.StringIO(below), dtype=str, **how)[[*frame]]
    whole = [name for name in large if written[name].str.fullmatch(r"\d+").any()]
    frame = frame.assign(**{name: written[name] for name in whole})
    return frame, written if marked else frame


# ------------------------------------------------------------------ delimiters


def _delimiter(text: str, usual: str, source: str) -> tuple[str, Rows]:
    """Return the delimiter by which all rows have as many cells."""
    try:
        own: Rows | DataError = scan(text, usual, source)
        if len(own.names) > 1:
            return usual, own
    except DataError as error:
        own = error
    others: dict[str, Rows] = {}
    for each in DELIMITERS:
        try:
            by = scan(text, each, source)
        except DataError:
            continue
        if each != usual and len(by.names) > 1:
            others[each] = by
        if others and each == "|":
            break  # spaces stand within cells too
    if len(others) == 1:
        return next(iter(others.items()))
    if others:
        told = " or ".join(DELIMITERS[each] for each in others)
        refuse(source, f"the delimiter may be {told}", f"write it with {DELIMITERS[usual]}")
    if isinstance(own, DataError):
        raise own
    return usual, own
