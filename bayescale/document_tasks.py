"""document_tasks: tasks, kinds and mixtures as one JSON document, and files written as a whole.

The document of `tasks` has `tasks` by name, `laws`, `prior`, `health` and `run`. That of several
fits has `fits`, each a document of its own, beside the answer. What is not finite is null.

Floor 8.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import questions
from .data.dataset import Dataset
from .document import document, plain
from .many import Tasks
from .posterior.files import StorageError, writable, write
from .posterior.health import FailedFit
from .posterior.intervals import INTERVAL
from .shapes import Shape

__all__ = ["answers", "folder", "keep", "shape", "tasks"]

FILES = ("tasks.csv", "tasks.json", "tasks.png")


# ------------------------------------------------------------------ documents


def answers(
    which: questions.Saved, found: Mapping[str | None, Any], render: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """Return the document of an answer: that of the fit, or of several fits and their mixture."""
    if which.only is not None:
        return document(which.only, found, render)
    failed = [name for name, one in which.fits.items() if not one.health.sound]
    weights = which.weights or dict.fromkeys(which.fits, 1 / len(which.fits))
    parts = {
        name: {"refused": str(answer)} if isinstance(answer, FailedFit) else render(answer)
        for name, answer in found.items()
    }
    whole: dict[str, Any] = {"quantities": {}}
    whole["health"] = {"sound": not failed, "fits": len(which.fits), "failed": failed}
    whole["run"] = {"interval": INTERVAL, "weights": dict(weights)}
    whole["fits"] = {name: document(one) for name, one in which.fits.items()}
    return plain(whole | parts.get(None, {"curves": parts}))


def shape(found: Shape) -> dict[str, Any]:
    """Return `shape`: the kinds at the cut, at half and twice of it, and the turning point."""
    return {"shape": found.summary()}


def tasks(found: Tasks, plan: questions.Tasks, data: Dataset) -> dict[str, Any]:
    """Return the document of many tasks: the answers, and how which table was asked."""
    failed = [task.name for task in found if task.shape is None]
    health = {"sound": not failed, "tasks": len(found), "failed": failed}
    run = {"interval": INTERVAL, "version": version("bayescale"), **asdict(plan)}
    run["data"] = {
        "source": data.source,
        "rows": len(data),
        "columns": data.columns,
        "notes": data.notes,
    }
    return plain(found.summary() | {"health": health, "run": run})


# ------------------------------------------------------------------ files


def folder(path: str) -> Path:
    """Return the folder for the files of `tasks`, which is there or can be made.

    Raises
    ------
    StorageError
        If it cannot be made, or a file cannot be written there.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        for name in FILES:
            writable(place / name)
    elif place.exists():
        raise StorageError(f"{path}: cannot be written: it is a file; -o names a folder")
    else:
        writable(place)
    return place


def keep(place: Path, found: Tasks, whole: Mapping[str, Any], picture: Callable[[str], None]):
    """Write table, document and picture to a folder, each whole or not at all.

    Parameters
    ----------
    place
        What `folder` returned.
    whole
        The document.
    picture
        Draws the tasks to the file of this name.
    """
    place.mkdir(exist_ok=True)
    table, text, drawn = (place / name for name in FILES)
    write(table, found.table().to_csv(index_label="task").encode())
    write(text, (json.dumps(whole, indent=1, allow_nan=False) + "\n").encode())
    picture(str(drawn))
