"""read_wandb: exports of Weights & Biases as a table, one row a run and step.

Three kinds are told by their columns: charts (`Step`, `run - metric`, `run - metric__MIN`,
`run - metric__MAX`), histories (`_step`, `_runtime`, `_timestamp` and metrics, as `run.history()`
gives them), and the table of runs (`Name`, `State`, ...).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.cells import numbers
from ..messages import TOLD, paths_of, refuse
from .binary import READERS
from .join import join
from .read_table import PLAIN, read_table
from .written import with_texts

if TYPE_CHECKING:
    import pandas

__all__ = ["read_wandb"]

ASIDE = ("_runtime", "_timestamp", "_wandb", "_wandb.runtime")
"""Columns of a history that measure no training."""
RUN = ("run", "name", "run_name", "run_id", "Name")
"""Columns that name the run of a row."""
BETWEEN, ENDS = " - ", ("__MIN", "__MAX")


def read_wandb(paths: str | Path | Iterable[str | Path], *, models: Any = None) -> pandas.DataFrame:
    r"""Return the table of an export of Weights & Biases: a chart, histories, or runs.

    Parameters
    ----------
    paths
        One export or several: a chart (CSV), the history of a run each, or the table of runs, in
        any format of `read_table`.
    models
        What the export does not say of runs: a data frame, or the path of a table, with a column
        `run` and others such as `params`, `tokens`, `flops`.

    Returns
    -------
    pandas.DataFrame
        `run`, the step or whatever is the axis of a chart, and one column a metric under its own
        name. A history is called by its column of names, else by its file. What was left out is in
        the notes of a `Dataset` that is made of the table.

    Raises
    ------
    DataError
        For a file that cannot be read, or is none of these.

    Examples
    --------
    >>> from pathlib import Path
    >>> head = "Step,a - loss,a - loss__MIN,a - loss__MAX,b - loss,b - loss__MIN,b - loss__MAX"
    >>> rows = ["100,4.2,4.2,4.2,3.9,3.9,3.9", "200,,,,3.5,3.5,3.5"]
    >>> _ = Path("chart.csv").write_text("\n".join([head, *rows]))
    >>> bs.read_wandb("chart.csv").values.tolist()
    [['a', 100, 4.2], ['b', 100, 3.9], ['b', 200, 3.5]]
    """
    import pandas as pd

    notes: dict[str, str] = {}
    given = paths_of(paths)
    parts, said = [], {}
    for path, name in zip(given, _names(given), strict=True):
        frame = read_table(path)
        own = dict(frame.attrs.get(TOLD, {}))
        frame = with_texts(with_texts(frame, [e for e in RUN if e in frame], always=True))
        parts.append(_part(frame, Path(path), name, own))
        for kind, text in own.items():
            said.setdefault(kind, {}).setdefault(text, []).append(name)
    for kind, texts in said.items():
        whole = len(texts) == 1 and len(*texts.values()) == len(given)
        told = [text if whole else f"{', '.join(of)}: {text}" for text, of in texts.items()]
        notes[kind] = "; ".join(told)
    made = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if not len(made):
        refuse(", ".join(map(str, given)), "no measurement is there", "export another chart")
    if models is not None:
        made = join(made, "run", models, notes)
    made.attrs[TOLD] = notes
    return made


def _names(given: list[str | Path]) -> list[str]:
    """Return what files are called in short: with as many of their folders as tell them apart."""
    parts = [(*Path(path).resolve().parent.parts, _stem(Path(path))) for path in given]
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len({*names}) == len({*parts}):
            return names
    return [_stem(Path(path)) for path in given]


def _stem(path: Path) -> str:
    """Return the name of a file without endings that tables have: `run-1.5B.csv` is run-1.5B."""
    name = path.name
    while Path(name).suffix.lower() in (*PLAIN, *READERS, ".gz"):
        name = Path(name).stem
    return name


def _part(
    frame: pandas.DataFrame, path: Path, name: str, notes: dict[str, str]
) -> pandas.DataFrame:
    names = [str(name) for name in frame.columns]
    frame = frame.set_axis(names, axis=1)
    if {"_step", "_runtime", "_timestamp"} & {*names}:
        return _history(frame, name, notes)
    if any(BETWEEN in name for name in names):
        return _chart(frame, path, notes)
    if "Name" in names and "State" in names:
        return _table_of_runs(frame, notes)
    shown = ", ".join(map(repr, names[:8])) + ", ..." * (len(names) > 8)
    remedy = "give a chart (run - metric), a history (_step) or the table of runs (Name, State)"
    refuse(str(path), f"is no export of Weights & Biases: its columns are {shown}", remedy)


def _chart(frame: pandas.DataFrame, path: Path, notes: dict[str, str]) -> pandas.DataFrame:
    """Return a chart with one row a run and point of its axis."""
    import pandas as pd

    names = [*frame.columns]
    values = [n for n in names if BETWEEN in n and not n.endswith(ENDS)]
    of = {name: name.rpartition(BETWEEN)[::2] for name in values}
    metrics = list(dict.fromkeys(metric for _, metric in of.values()))
    axis = next((n for n in names if n not in values and not n.endswith(ENDS)), None)
    if axis is None:
        refuse(str(path), "has no column for the axis, such as Step", "export the chart again")
    runs = list(dict.fromkeys(run for run, _ in of.values()))
    made, averaged, points = [], 0, 0
    for run in runs:
        own = {k: name for name, (whose, k) in of.items() if whose == run and k != axis}
        part = frame[[*own.values()]].set_axis([*own], axis=1)
        part.insert(0, axis, frame[axis])
        part.insert(0, "run", run)
        made.append(part[part[[*own]].notna().any(axis=1)])
        for name in own.values():
            if name + ENDS[0] not in frame or name + ENDS[1] not in frame:
                continue
            ends = [numbers(frame[name + end].to_numpy(object))[0] for end in ENDS]
            points += int(np.isfinite(ends[0]).sum())
            averaged += int(np.sum(ends[0] < ends[1]))
    aside = sum(name.endswith(ENDS) for name in names)
    if aside:
        notes["left_out"] = f"left out: {aside} columns __MIN and __MAX"
    if averaged:
        notes["averaged"] = (
            f"in {averaged} of {points} points __MIN and __MAX differ: the chart shows means of "
            "steps or runs; for what was logged export the history"
        )
    kept = ["run", axis, *(metric for metric in metrics if metric != axis)]
    return pd.concat(made, ignore_index=True).reindex(columns=kept)


def _history(frame: pandas.DataFrame, name: str, notes: dict[str, str]) -> pandas.DataFrame:
    """Return the history of one or several runs without what measures no training."""
    whose = next((each for each in RUN if each in frame), None)
    runs = frame[whose] if whose else name
    aside = [n for n in frame if n in ASIDE or n == whose or n.startswith(("Unnamed: ", "system"))]
    empty = [n for n in frame if n not in aside and not frame[n].notna().any()]
    made = frame.drop(columns=[*aside, *empty])
    made.insert(0, "run", runs)
    told = [each for each in (*aside, *empty) if each != whose]
    if told:
        shown = ", ".join(told[:6]) + ", ..." * (len(told) > 6)
        notes["left_out"] = f"left out: {len(told)} column{'s' * (len(told) > 1)} ({shown})"
    gaps = [n for n in made if n not in ("run", "_step") and made[n].isna().any()]
    if gaps:
        notes["gaps"] = (
            f"{', '.join(gaps[:4])}{', ...' * (len(gaps) > 4)} {'is' if len(gaps) == 1 else 'are'} "
            f"not logged at every step: keep the rows that have them, such as --where "
            f"'isfinite(`{gaps[0]}`)'"
        )
    return made


def _table_of_runs(frame: pandas.DataFrame, notes: dict[str, str]) -> pandas.DataFrame:
    """Return the table of runs, the name under `run`; runs that did not finish are told."""
    made = frame.rename(columns={"Name": "run"})
    other = made["run"][made["State"].astype(str).str.lower() != "finished"]
    if len(other):
        shown = ", ".join(map(str, other[:4])) + ", ..." * (len(other) > 4)
        said = f"{len(other)} of {len(made)} runs did not finish ({shown}): they are here, and "
        notes["state"] = said + "--where \"State == 'finished'\" leaves them out"
    return made
