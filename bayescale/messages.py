"""messages: how errors and notes are said: one line with source, row, column, value, remedy."""

from __future__ import annotations

import difflib
import keyword
import os
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import numpy as np

__all__ = ["DataError", "ExpressionError", "Note"]


TOLD = "bayescale"
"""Where a pandas frame, in its `attrs`, keeps the notes on how it was read, text by kind."""


class Note(str):
    """What should be said with an answer: a text, and its `kind` for programs that look for it."""

    kind: str
    """One word: what the note is of, whatever its text."""

    def __new__(cls, kind: str, text: str) -> Note:
        """Return the text, in one line."""
        note = super().__new__(cls, one_line(text))
        note.kind = kind
        return note

    def __getnewargs__(self) -> tuple[str, str]:
        return self.kind, str(self)


class DataError(ValueError):
    """A table that cannot be used, in one line: source, row, column, value, remedy."""

    def __init__(self, message: str):
        super().__init__(shortened(one_line(message)))


def shortened(message: str, most: int = 2000) -> str:
    """Return a message without its middle where a name or a cell makes it too long to read."""
    if len(message) <= most:
        return message
    return f"{message[: most // 2]} ... {message[-most // 3 :]}"


def a_path(given: Any) -> Any:
    """Return the name of a file as it is; a TypeError for what is none."""
    if isinstance(given, str | os.PathLike):
        return given
    raise TypeError(f"a file is named by a text or a Path, not by a {type(given).__name__}")


def paths_of(given: Any) -> list[Any]:
    """Return the names of files, of which one may stand alone; a TypeError for what are none."""
    several = isinstance(given, Iterable) and not isinstance(given, str | os.PathLike)
    return [a_path(each) for each in (given if several else [given])]


def a_number(given: Any, name: str) -> float:
    """Return a number; a ValueError with the name of the argument for what is none."""
    try:
        return float(given)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is a number, got {shortened(repr(given), 60)}") from None


def some_numbers(given: Any, name: str) -> np.ndarray:
    """Return numbers, (number,), of which one may stand alone; a ValueError for what are none."""
    try:
        if given is None:
            raise TypeError
        return np.atleast_1d(np.asarray(given, float))
    except (TypeError, ValueError):
        said = f"{name} is a number, or several, got {shortened(repr(given), 60)}"
        raise ValueError(said) from None


def as_notes(texts: Mapping[str, str]) -> list[Note]:
    """Return the notes whose texts stand under their kinds."""
    return [Note(kind, text) for kind, text in texts.items()]


def refuse(source: str, problem: str, remedy: str, **place: Any) -> NoReturn:
    """Raise a DataError; `place` holds any of row, column and value."""
    value = place.pop("value", None)
    value = value.item() if isinstance(value, np.generic) else value
    if value is not None:
        shown = f"{value:.6g}" if isinstance(value, float) else repr(value)[:60]
        problem = f"{shown} {problem}"
    parts = [
        f"{kind} {shortened(repr(name), 200)}" for kind, name in place.items() if name is not None
    ]
    at = [", ".join(parts)] if parts else []
    raise DataError(": ".join([source, *at, f"{problem}; {remedy}"]))


def option(name: str, text: str) -> str:
    """Return an argument as it is written in Python and on the command line."""
    return f"{name}='{text}' ({'-' if len(name) == 1 else '--'}{name} '{text}')"


UNFILTERED = ""
"""In place of a filter, of a table of which rows are not kept by one, such as runs to be made."""


def leave_out(test: str, where: str | None = None, left: bool = True) -> str:
    """Return the remedy for single bad rows: the filter that keeps the others.

    Parameters
    ----------
    where
        The filter that is there already.
    left
        Whether the filter was found to leave rows that can be fitted; else it is not offered.
    """
    if where == UNFILTERED:
        return "correct it, or leave the row out"
    if not left:
        return "correct it: without such rows none are left to fit"
    test = test if where is None else f"({where}) and {test}"
    return f"correct it, or leave such rows out: {option('where', test)}"


def ways(remedies: Iterable[str]) -> str:
    """Return remedies of which one is enough: alone as it is, several as a numbered list."""
    found = list(remedies)
    if len(found) < 2:
        return "".join(found)
    return "either " + ", or ".join(f"({i}) {each}" for i, each in enumerate(found, 1))


def one_line(message: str) -> str:
    """Return `message` in one line that can be read; names and cells of a table may hold all."""
    return visible(" ".join(message.splitlines()))


JOINERS = "\u200c\u200d"  # parts of words in some scripts, and of emoji


def visible(text: str, keep: str = "") -> str:
    r"""Return a text with what steers a terminal or turns the order of letters shown as `\x1b`.

    `keep`: characters that are left as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = JOINERS + keep
    steers = {c for c in set(text) if unicodedata.category(c) in STEERING and c not in kept}
    return text.translate({ord(c): c.encode("unicode_escape").decode() for c in steers})


STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")


def near(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'loss'? There are: ..." for a `name` that is not among `known`."""
    known = list(known)
    folded = {each.casefold(): each for each in known}
    close = [folded[each] for each in difflib.get_close_matches(name.casefold(), folded)]
    hint = f"; did you mean {' or '.join(map(repr, close))}? T" if close else "; t"
    more = f" and {len(known) - 15} more" if len(known) > 15 else ""
    return f"{hint}here are: {', '.join(map(repr, known[:15])) or 'none'}{more}"


class ExpressionError(ValueError):
    """A text that cannot be read: what is wrong, the text and the known names, in one line."""

    def __init__(self, message: str):
        super().__init__(one_line(message))


def bare(text: str) -> str:
    """Return the name of a column that stands in backticks; any other text as it is."""
    inside = text[1:-1]
    return inside if text == f"`{inside}`" and "`" not in inside else text


def quoted(name: str) -> str:
    """Return `name` as it stands inside an expression, in backticks where it needs them."""
    plain = (name.isidentifier() and not keyword.iskeyword(name)) or "`" in name
    return name if plain else f"`{name}`"
