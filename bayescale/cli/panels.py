"""panels: how an option is made: its panel in the help, and what a shell completes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import typer

__all__ = [
    "argument",
    "data_sets",
    "in_answer",
    "in_fit",
    "in_question",
    "in_table",
    "law_names",
    "words_of",
]


def _option(
    text: str, *names: str, panel: str, metavar: str | None = None, words=None, **more: Any
) -> Any:
    """Return an option in a panel of the help; `words` are completed by a shell."""
    more |= {"autocompletion": words} if words else {}
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel=panel, **more)


def argument(text: str, metavar: str, words=None) -> Any:
    """Return an argument; `words` are completed by a shell."""
    more: dict[str, Any] = {"autocompletion": words} if words else {}
    return typer.Argument(help=text, metavar=metavar, **more)


def law_names(incomplete: str) -> list[str]:
    """Return the laws that start so."""
    from ..laws import LAWS

    return [name for name in LAWS if name.startswith(incomplete)]


def data_sets(incomplete: str) -> list[str]:
    """Return the named data sets that start so."""
    from ..datasets import names

    return [name for name in names() if name.startswith(incomplete)]


def words_of(*known: str) -> Callable[[str], list[str]]:
    """Return what a shell completes where only these can stand."""

    def started(incomplete: str) -> list[str]:
        return [word for word in known if word.startswith(incomplete)]

    return started


in_table = partial(_option, panel="Table")
in_fit = partial(_option, panel="Fit")
in_question = partial(_option, panel="Question")
in_answer = partial(_option, panel="Answer")
