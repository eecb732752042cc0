"""messages: how errors and notes are said: one line with source, row, column, value, remedy."""

from __future__ import annotations

import difflib
import keyword
import os
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from numbers import Real
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


def _kind(given: Any) -> str:
    """Return the kind of dtype of a single number, "O" for all else."""
    single = isinstance(given, Real) or getattr(given, "ndim", None) == 0
    return np.asarray(given).dtype.kind if single else "O"


def a_number(given: Any, what: str, more: str = "") -> float:
    """Return a number as a float; a ValueError for a text, several of them, yes or no, and None."""
    if _kind(given) in "fiu":
        return float(given)
    raise ValueError(f"{what} is a number{more}, got {shortened(repr(given), 60)}")


def some_numbers(given: Any, what: str) -> np.ndarray:
    """Return numbers, (number,), of which one may stand alone; a ValueError for what are none."""
    try:
        if given is None:
            raise TypeError
        return np.atleast_1d(np.asarray(given, float))
    except (TypeError, ValueError):
        said = f"{what} is a number, or several, got {shortened(repr(given), 60)}"
        raise ValueError(said) from None


def a_count(given: Any, what: str, least: int = 0) -> int:
    """Return a whole number; a ValueError for another, and below `least`."""
    found = a_number(given, what)
    if not (found.is_integer() and found >= least):
        raise ValueError(f"{what} is a whole number, {least} or more, got {found:g}")
    return int(found)


SEEDS = 2**32


def a_seed(given: Any) -> int:
    """Return a seed as it is; a ValueError for what is none."""
    if not (_kind(given) in "iu" and 0 <= given < SEEDS):
        got = shortened(repr(given), 60)
        raise ValueError(f"seed is a whole number from 0 to {SEEDS - 1}, got {got}")
    return int(given)


def shares_of(given: Any, what: str) -> dict[Any, float]:
    """Return probabilities or weights by name; a ValueError for what is none."""
    if not isinstance(given, Mapping):
        got = shortened(repr(given), 60)
        raise ValueError(f"{what} go by name, {{'NAME': .5, ...}}, got {got}")
    return {name: a_number(share, f"{what}: that of {name}") for name, share in given.items()}


ROUNDING = 1e-6
"""How far from 1 the sum of probabilities may be."""


def beliefs(given: Any, among: Collection[str], what: str) -> dict[str, float]:
    """Return the probability of each of `among`, summing to 1.

    Raises
    ------
    ValueError
        For others, for what is no probability, and where some are left out of what sums to less:
        it would be all there is.
    """
    found, known = shares_of(given, what), ", ".join(among)
    total, left = sum(found.values()), [name for name in among if name not in found]
    if {*found} - {*among} or not (np.isfinite(total) and total > 0 <= min(found.values())):
        raise ValueError(f"the {what} gives {known} probabilities of 0 or more, got {found}")
    if left and abs(total - 1) > ROUNDING:
        raise ValueError(
            f"the {what} says nothing of {', '.join(left)}, and what it gives sums to {total:.4g}: "
            f"give all of {known}, or what sums to 1"
        )
    return {name: found.get(name, 0.0) / total for name in among}


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


def near(name: Any, known: Iterable[str]) -> str:
    """Return "; did you mean 'loss'? There are: ..." for a `name` that is not among `known`."""
    known, name = list(known), str(name)
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
