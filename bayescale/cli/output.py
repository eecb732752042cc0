"""output: how an answer leaves the command line: what is printed, drawn, and the exit status."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import terminal

if TYPE_CHECKING:
    import pandas

    from ..data.dataset import Dataset
    from ..planning.next_runs import NextRuns
    from ..posterior.posterior import Posterior
    from ..recipes.multiplier import Multiplier
    from ..workflows import tasks as workflow
    from ..workflows.forecast import Forecast
    from . import plans
    from .saved import Saved

__all__ = [
    "FILES",
    "answers",
    "check",
    "check_registered",
    "fit",
    "folder",
    "forecast",
    "load",
    "multiplier",
    "of_curves",
    "resumable",
    "table",
    "tasks",
    "told",
]


def check(output: str | None, plot: str | None, *given: str | None) -> None:
    """Refuse files that cannot be written before time is spent on them.

    Parameters
    ----------
    given
        Files that are read, which no answer may replace; folders, whose `*.json` are read.
    """
    from ..posterior import files

    if output:
        target = files.writable(output)
        for each in given:
            place = files.resolved(each) if each not in (None, "-") else None
            inside = place in target.parents and target.suffix == ".json" and target.exists()
            if place is not None and (place == target or (place.is_dir() and inside)):
                raise files.StorageError(
                    f"{output}: is read by this command, and would be lost; name another file"
                )
    if plot:
        from .printed import pictures

        pictures.check(plot)
    if output and plot and files.resolved(output) == files.resolved(plot):
        raise files.StorageError(f"{plot}: is named for the picture and for -o; name two files")


def check_registered(output: str | None, plot: str | None, table: str) -> None:
    """Refuse files of a forecast as `check` does, and one that is registered already."""
    check(output, plot, table)
    if output:
        from ..workflows.register import registrable

        registrable(output)


def load(
    paths: list[str],
    plot: str | None = None,
    weights: str | None = None,
    group: str | None = None,
) -> Saved:
    """Return the fits in these files, after a look at where a picture goes."""
    terminal.start_jax()
    check(None, plot)
    from .saved import saved

    return saved(paths, weights, group)


def fit(posterior: Posterior, json: bool, plot: str | None, output: str | None = None) -> int:
    """Print a fit, then save it and draw it: the answer is there whatever fails after it."""
    from .printed import as_text

    if json:
        terminal.put(posterior.summary())
    else:
        terminal.show(as_text.fit(posterior))
    if output:
        from ..posterior.storage import save

        save(posterior, output)
        terminal.tell(f"saved: {output}")
    if plot:
        from .printed import pictures

        pictures.draw(plot, pictures.fit, posterior)
    return _status([posterior], json)


def answers(which: Saved, found: dict[str | None, Any], json: bool, plot: str | None = None) -> int:
    """Print the answers of all curves, what was refused in their place, and draw them."""
    from . import saved
    from .printed import as_json, as_text

    refused = saved.refusals(found)
    if json:
        terminal.put(as_json.answers(which, found))
    elif len(refused) < len(found):
        terminal.show(*as_text.answers(which, found))
    if plot and len(refused) < len(found):
        from .printed import pictures

        pictures.draw(plot, pictures.answers, which, found)
    if len(refused) == len(found):
        return terminal.complain(refused[0], terminal.UNTRUSTED)
    return _status([*which.fits.values()], json)


def forecast(found: Forecast, json: bool, plot: str | None, output: str | None) -> int:
    """Print a forecast, register and draw it; 1 where a law that has weight is not settled."""
    told(found, json)
    if output:
        from ..workflows.register import register

        register(found, output)
        terminal.tell(f"registered: {output}")
    if plot:
        from .printed import pictures

        pictures.draw(plot, pictures.forecast, found)
    return terminal.SOUND if found.sound else terminal.UNTRUSTED


def multiplier(found: Multiplier, plan: NextRuns | None, json: bool, plot: str | None) -> int:
    """Print factors, draw them, and say which runs to make; 1 where a fit is not settled."""
    if json:
        following = {} if plan is None else {"next": plan.summary()}
        terminal.put(found.summary() | following)
    else:
        for each in (found, plan) if plan is not None else (found,):
            told(each, json)
    if plot:
        from .printed import pictures

        pictures.draw(plot, pictures.multiplier, found)
    return terminal.SOUND if found.sound else terminal.UNTRUSTED


def table(frame: pandas.DataFrame, output: str | None, example: str) -> int:
    """Write a table that was imported, tell what it is, what was left out, and how to go on."""
    from ..messages import TOLD

    text = frame.to_csv(index=False)
    if output:
        from ..posterior import files

        files.write(files.writable(output), text)
    else:
        terminal.put(text)
    terminal.tell(f"{output or 'table'}: {len(frame)} rows, columns {', '.join(frame.columns)}")
    terminal.tell(*(f"note: {note}" for note in frame.attrs.get(TOLD, {}).values()))
    if output:
        terminal.tell(f"next: {example.replace('{}', shlex.quote(output), 1)}")
    return terminal.SOUND


def told(found: Any, json: bool) -> int:
    """Print a result that has a summary, sheets and notes."""
    from .printed import as_text

    if json:
        terminal.put(found.summary())
    else:
        terminal.show(*as_text.told(found))
    return terminal.SOUND


def of_curves(found: Any, json: bool) -> int:
    """Print a result of a table, or those of its curves by name; 1 where one is not sound."""
    from .printed import as_text

    parts = found if isinstance(found, dict) else {None: found}
    if json and isinstance(found, dict):
        terminal.put({"curves": {name: one.summary() for name, one in found.items()}})
    elif json:
        terminal.put(found.summary())
    else:
        terminal.show(*as_text.of_curves(parts))
    return terminal.UNTRUSTED if any(one.unsound for one in parts.values()) else terminal.SOUND


def _status(fits: list[Posterior], json: bool) -> int:
    if json:
        terminal.tell(*(f"note: {note}" for one in fits for note in one.sampling.notes))
    failed = [one for one in fits if not one.health.sound]
    if any(note.kind == "interrupted" for one in fits for note in one.sampling.notes):
        return terminal.INTERRUPTED
    if not failed:
        return terminal.SOUND
    if not json:  # the tables are marked; a document is read by a program
        return terminal.UNTRUSTED
    return terminal.complain(str(failed[0].health), terminal.UNTRUSTED)


def tasks(
    found: workflow.Tasks,
    data: Dataset,
    plan: plans.Tasks,
    output: str | None,
    json: bool,
    plot: str | None,
) -> int:
    """Print tasks, and write them to a folder; 1 where a task has no sound law."""
    from .printed import as_json, as_text, pictures

    whole = as_json.tasks(found, plan, data)
    if json:
        terminal.put(whole)
    else:
        terminal.show(as_text.tasks(found))
    drawings = [plot] if plot else []
    if output:
        place = folder(output)
        _keep(place, found, whole)
        terminal.tell(f"saved: {', '.join(str(place / name) for name in FILES[:-1])}")
        drawings.insert(0, str(place / FILES[-1]))
    for path in drawings:
        pictures.draw(path, pictures.tasks, found, data)
    failed = whole["health"]["failed"]
    if not failed:
        return terminal.SOUND
    if not json:
        return terminal.UNTRUSTED
    return terminal.complain(f"no law's fit is sound of {', '.join(failed)}", terminal.UNTRUSTED)


@contextmanager
def resumable(place: Path | None) -> Iterator[None]:
    """Say, after an interrupt, what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        if place and (place / "fits").is_dir():
            done = len([*(place / "fits").glob("*.nc")])
            terminal.tell(f"{done} fits are kept in {place / 'fits'}; the same command goes on")
        raise


FILES = ("tasks.csv", "tasks.json", "tasks.png")


def folder(path: str, table: str = "-") -> Path:
    """Return the folder for the files of `tasks`, which is there or can be made.

    Parameters
    ----------
    table
        The file that is read, which none of them may replace.

    Raises
    ------
    StorageError
        If it cannot be made, or a file cannot be written there.
    """
    from ..posterior.files import StorageError, writable

    place = Path(path).expanduser()
    if place.is_dir():
        for name in FILES:
            check(str(place / name), None, table)
    elif place.exists():
        raise StorageError(f"{path}: cannot be written: it is a file; -o names a folder")
    else:
        writable(place)
    return place


def _keep(place: Path, found: workflow.Tasks, whole: Mapping[str, Any]) -> None:
    """Write table and document to a folder, each whole or not at all."""
    from ..posterior.files import write

    place.mkdir(exist_ok=True)
    table, text = found.table().to_csv(index_label="task"), terminal.written(whole)
    for name, content in zip(FILES, (table, text), strict=False):
        write(place / name, content)
