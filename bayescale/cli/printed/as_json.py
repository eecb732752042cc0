"""as_json: a fit and the answers to questions as one JSON document, of their summaries.

Every document has the keys `quantities`, `health` and `sampling`; an answer stands under a key of
its own. Where the table named a curve column, `quantities` is empty at the top and `curves` holds,
for each curve, its `quantities`, `health` and answers. What is not finite is null. `keys` says
what each key means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from ...data.dataset import Dataset
from ...posterior.intervals import INTERVAL, plain
from ...workflows.tasks import Tasks as Answers
from ..plans import Tasks
from ..saved import Saved, refused

__all__ = ["answers", "tasks"]


def answers(which: Saved, found: Mapping[str | None, Any]) -> dict[str, Any]:
    """Return the document of answers: that of the fit, or of several fits and their mixture.

    Parameters
    ----------
    found
        What `saved.ask` returned.
    """
    whole = which.summary()
    for name, answer in found.items():
        part = whole if name is None else whole.setdefault("curves", {}).setdefault(name, {})
        if why := refused(answer):
            part["refused"] = why
        else:
            part |= {key: each.summary() for key, each in answer.items()}
    return whole


def tasks(found: Answers, plan: Tasks, data: Dataset) -> dict[str, Any]:
    """Return the document of many tasks: the answers, and how which table was asked."""
    how = {"interval": INTERVAL, "version": version("bayescale"), **asdict(plan)}
    return found.summary() | {"sampling": plain(how | {"data": data.summary()})}
