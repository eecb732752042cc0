"""read_text: a table of cells between delimiters, in the dialect that its rows agree on.

A delimiter is taken where every row has as many cells by it; that of the file's ending goes first,
spaces go last. What is not usual is told.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..data.cells import EXACT, ROW, WRITTEN
from ..messages import DataError, refuse, shortened
from .lines import Rows, scan
from .signs import each_of, with_signs
from .written import Written, parse_texts

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
    below = _below(text, lines)
    columns = [name or f"Unnamed: {at}" for at, name in enumerate(names)]
    how: dict[str, Any] = dict(sep=r"\s+" if delimiter == " " else delimiter, low_memory=False)
    how |= dict(header=None, names=columns, index_col=False)
    frame = _cells(below, how, len(rows), source)
    nameless = [name for name, given in zip(columns, names, strict=True) if not given]
    frame = frame.drop(columns=[name for name in nameless if frame[name].isna().all()])
    written = partial(parse_texts, below, how)
    frame = _exact(frame, written)
    frame = with_signs(frame, notes, written, delimiter)
    texts = frame.select_dtypes(exclude="number")
    frame = frame.assign(**{name: each_of(each, _stripped) for name, each in texts.items()})
    frame.index = pd.Index(rows, name=ROW, dtype="int64")
    frame.attrs[WRITTEN] = Written(frame, written)
    return frame


def _below(text: str, lines: list[tuple[int, int]]) -> bytes:
    """Return the lines that hold the rows."""
    file, at, parts = io.StringIO(text, newline=""), 0, []
    for first, last in lines:
        deque(islice(file, first - at), maxlen=0)
        start, at = file.tell(), last
        deque(islice(file, last - first), maxlen=0)
        parts.append(text[start : file.tell()])
    return "".join(parts).encode()


def _stripped(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def _cells(below: bytes, how: dict[str, Any], rows: int, source: str) -> pd.DataFrame:
    """Return the rows below the names as numbers and texts."""
    import pandas as pd

    if not below:
        return pd.DataFrame(columns=how["names"])
    try:
        frame = pd.read_csv(io.BytesIO(below), **how)
    except ValueError as error:
        refuse(
            source, f"is no readable table ({shortened(str(error), 200)})", "look for stray quotes"
        )
    if frame.shape != (rows, len(how["names"])):
        shape = "{} x {}".format(*frame.shape)
        problem = f"reads as {shape} cells, not {rows} x {len(how['names'])}"
        refuse(source, problem, "look for stray quotes and control characters")
    return frame


def _exact(frame: pd.DataFrame, written: Callable[[str], pd.Series]) -> pd.DataFrame:
    """Return a frame whose numbers that no float tells apart are texts: they may be names."""
    floats = frame.select_dtypes("float").items()
    large = [str(name) for name, each in floats if (each.abs() >= EXACT).any()]
    texts = {name: written(name).where(frame[name].notna()) for name in large}
    # Of 1e20 nothing is lost.
    whole = {name: each for name, each in texts.items() if each.str.fullmatch(r"\d+").any()}
    return frame.assign(**whole)


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
        with suppress(DataError):
            if each != usual:
                others[each] = scan(text, each, source, several=True)
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
