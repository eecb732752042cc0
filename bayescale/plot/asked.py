"""asked: pictures of answers are given answers, and pictures of a fit a fit."""

from __future__ import annotations

from typing import Any

from ..posterior.mixture import Mixture, a_fit

__all__ = ["check", "one_law"]


def check(found: Any, kind: type, question: str) -> None:
    """Refuse what is no answer of a kind; a TypeError with the question that gives one."""
    if not isinstance(found, kind):
        given = type(found).__name__
        raise TypeError(f"this draws what {question} returns, {kind.__name__}, not a {given}")


def one_law(posterior: Any, what: str) -> None:
    """Refuse a mixture, of which there is no one such answer, and what is no fit."""
    if isinstance(posterior, Mixture):
        raise ValueError(f"{what} are those of one law: take one of mixture.parts")
    a_fit(posterior)
