"""The open tables of accuracies that kinds are judged on, and their labels."""

from __future__ import annotations

import pandas as pd

import bayescale as bs
from bayescale.data.dataset import Dataset

from .. import common

GROUPS, PRIZE = "expemergence_difficulty_groups", "inverse_scaling_pipeline"
SOURCES = (
    ("expemergence_overall", "flops_1e21", "acc", "n_questions", 1e21),
    ("gadre_downstream", "flops", "accuracy", "n_examples", 1.0),
    ("obsscaling_emergent", "flops_1e21", "value", "n_examples", 1e21),
)


def labelled() -> pd.DataFrame:
    """Return the committed labels."""
    path = common.RESULTS / "labels.csv"
    return pd.read_csv(path).set_index(["table", "task", "metric"])


def table_of(name: str, x: str, y: str, n: str, unit: float = 1.0) -> Dataset:
    """Return a table's accuracies, one curve a task."""
    how = dict(n="n", chance="chance", curve="task", duplicates="keep", source=name)
    return bs.from_frame(rows_of(name, x, y, n, unit), "scale", "y", **how)


def rows_of(name: str, x: str, y: str, n: str, unit: float = 1.0) -> pd.DataFrame:
    """Return a table's accuracies: task, scale in FLOP, y, n, chance."""
    frame = pd.read_csv(common.data_dir() / f"{name}.csv")
    frame = frame[(frame[x] > 0) & frame[y].notna() & (frame[n] > 0)]
    made = {"task": frame.task, "scale": frame[x] * unit, "y": frame[y], "n": frame[n]}
    return pd.DataFrame(made | {"chance": frame.get("chance", 0.0)})


def open_tasks() -> Dataset:
    """Return the tasks of all tables together, named by table and task."""
    frames = [rows_of(name, *rest).assign(table=name) for name, *rest in SOURCES]
    frame = pd.concat(frames, ignore_index=True)
    frame["task"] = frame.table + "|" + frame.task.astype(str)
    how = dict(n="n", chance="chance", curve="task", duplicates="keep", source="open tasks")
    return bs.from_frame(frame, "scale", "y", **how)


def groups_of() -> Dataset:
    """Return the accuracies by difficulty, one curve a task and group."""
    frame = pd.read_csv(common.data_dir() / "expemergence_difficulty_groups.csv")
    frame = frame[(frame.flops_1e21 > 0) & (frame.metric == "acc") & frame.value.notna()]
    chance = {"mmlu": 0.25, "parsinlu_qa_mc": 0.25, "arithmetic": 0.145}
    frame = frame.assign(
        name="expemergence_difficulty_groups|"
        + frame.task
        + "/"
        + frame.difficulty_group.astype(str),
        chance=frame.task.map(chance),
        y=(frame.value * frame.n_questions).round() / frame.n_questions,
    )
    how = dict(n="n_questions", chance="chance", curve="name", duplicates="keep", source="groups")
    return bs.from_frame(frame, "flops_1e21*1e21", "y", **how)


def prize() -> Dataset:
    """Return the inverse-scaling evaluations of four sizes, one curve a model family."""
    frame = pd.read_csv(common.data_dir() / "inverse_scaling_pipeline.csv")
    frame = frame[frame.accuracy.notna() & (frame.n_scored >= 30)]
    frame = frame.assign(name=f"{PRIZE}|" + frame.experiment + "/" + frame.family)
    frame = frame[frame.groupby("name").params.transform("nunique") >= 4]
    how = dict(n="n_scored", chance=0.5, curve="name", duplicates="drop", source="prize")
    return bs.from_frame(frame, "params", "accuracy", **how)


def labels_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with table and label; a task's name begins by its table."""
    said, found = labelled().xs("acc", level="metric"), []
    for name in rows.task:
        table, _, task = name.partition("|")
        known = said.loc[table]
        key = task if task in known.index else _key(task, known.index)
        found.append((table, task[:48], known.label.get(key, "")))
    told = pd.DataFrame(found, columns=["table", "task", "label"], index=rows.index)
    return rows.drop(columns="task").join(told)


def _key(name: str, known) -> str:
    return next((each for each in known if name.startswith(str(each)[:40])), name)
