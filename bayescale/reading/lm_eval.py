"""read_lm_eval: results of lm-evaluation-harness as a table, one row a model, task and metric.

The files are `results_*.json` as the harness writes them: since 0.4 metrics are called
`acc,none` (metric, filter), before `acc`; their errors `acc_stderr,none` and `acc_stderr`
(github.com/EleutherAI/lm-evaluation-harness, `lm_eval/loggers`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..messages import TOLD, paths_of, refuse
from .join import join

if TYPE_CHECKING:
    import pandas

__all__ = ["read_lm_eval"]

COLUMNS = (
    *("model", "revision", "params", "task", "part_of", "parts", "n_shot", "metric", "filter"),
    *("value", "n", "stderr", "chance", "higher_is_better"),
)
ALWAYS = ("model", "task", "metric", "filter", "value", "n", "stderr", "chance")
ASIDE = ("alias", "name", "sample_len", "sample_count", " ")
"""Keys of a task's results that are no metrics."""
SHARES = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "em", "pass@1")
"""Metrics that have a chance level: the share of questions that are answered right."""
CHANCE = {
    r"hellaswag|swag|arc_.*|openbookqa|sciq|race.*|logiqa.*|headqa.*": 1 / 4,
    r"mmlu(?!_pro).*|hendrycksTest.*": 1 / 4,
    r"piqa|winogrande|boolq|copa|wsc.*|wic|rte|qnli|mrpc|qqp|sst2?|blimp.*|storycloze.*": 1 / 2,
    r"cb|anli_.*|mnli.*|social_iqa|siqa": 1 / 3,
    r"commonsense_qa|mathqa": 1 / 5,
    r"lambada.*|gsm8k.*|triviaqa|nq_open|webqs|humaneval.*|mbpp.*|minerva_math.*|drop|squadv2": 0.0,
}
"""Tasks -> the chance level of guessing, where results do not tell the number of choices."""


def read_lm_eval(
    paths: str | Path | Iterable[str | Path], *, models: Any = None
) -> pandas.DataFrame:
    """Return the table of results of lm-evaluation-harness, of one or several models.

    Parameters
    ----------
    paths
        Files `results_*.json`, or folders, in which all such are read.
    models
        What the results do not say of models: a data frame, or the path of a table, with a column
        `model` and others such as `params`, `tokens`, `flops`.

    Returns
    -------
    pandas.DataFrame
        `model`, `task`, `metric`, `filter`, `value`, `n` (questions), `stderr`, `chance` (from the
        number of choices, or of a well-known task; else empty); where files tell them also
        `revision`, `params`, `n_shot`, `higher_is_better`, and of groups `parts`, the number of
        their tasks, which name the group in `part_of`. Of results that repeat the latest are kept.
        What was left out is in the notes of a `Dataset` that is made of the table.

    Raises
    ------
    DataError
        For a file that cannot be read or holds no results.

    Examples
    --------
    >>> import json
    >>> from pathlib import Path
    >>> found = {"acc,none": 0.58, "acc_stderr,none": 0.0115, "alias": "piqa"}
    >>> told = {"results": {"piqa": found}, "n-samples": {"piqa": {"effective": 1838}}}
    >>> _ = Path("results_1.json").write_text(json.dumps(told | {"model_name": "pythia-70m"}))
    >>> frame = bs.read_lm_eval("results_1.json", models={"model": ["pythia-70m"], "params": [7e7]})
    >>> frame[["model", "params", "task", "value", "n", "chance"]].values.tolist()
    [['pythia-70m', 70000000.0, 'piqa', 0.58, 1838.0, 0.5]]
    """
    import pandas as pd

    notes: dict[str, str] = {}
    given = paths_of(paths)
    found: dict[tuple, tuple[float, dict[str, Any]]] = {}
    skipped: list[str] = []
    empty = repeated = 0
    for path in _files(given, skipped):
        whole = _results(path, skipped, asked=str(path) in map(str, given))
        for row in _rows(whole, path, notes) if whole else ():
            if row["value"] is None:
                empty += 1
                continue
            same = tuple(row.get(k) for k in ("model", "revision", "task", "metric", "filter"))
            same += (row["n_shot"],)
            date = whole.get("date")
            date = float(date) if isinstance(date, Real) else 0.0
            repeated += same in found
            if same not in found or date >= found[same][0]:
                found[same] = (date, row)
    if not found:
        refuse(", ".join(map(str, given)), "no results are there", "name files results_*.json")
    frame = pd.DataFrame([row for _, row in found.values()], columns=[*COLUMNS])
    for name in COLUMNS:
        if name not in ALWAYS and not frame[name].notna().any():
            frame = frame.drop(columns=name)
    for name in ("value", "n", "stderr", "chance"):
        frame[name] = frame[name].astype(float)
    if models is not None:
        frame = join(frame, "model", models, notes)
    left = {"no results": len(skipped), "no number": empty, "an earlier result": repeated}
    counted = [f"{count} with {what}" for what, count in left.items() if count]
    if counted:
        files = f" (files: {', '.join(skipped[:5])}{', ...' * (len(skipped) > 5)})" * bool(skipped)
        notes["left_out"] = f"left out: {'; '.join(counted)}{files}"
    if "params" not in frame:
        notes["params"] = (
            "nothing is told of parameters and tokens: join them with models= (--models FILE), a "
            "table with the columns model, params, tokens, ..."
        )
    unknown = sorted(set(frame["task"][frame["chance"].isna() & frame["metric"].isin(SHARES)]))
    if unknown:
        notes["chance"] = f"no chance level is known of {', '.join(unknown[:8])}" + ", ..." * (
            len(unknown) > 8
        )
    frame.attrs[TOLD] = notes
    return frame


def _files(given: Iterable[str | Path], skipped: list[str]) -> Iterator[Path]:
    """Yield the files that are named, and those in the folders that are."""
    for each in given:
        path = Path(each).expanduser()
        if path.is_dir():
            inside = sorted(path.rglob("*.json"))
            if not inside:
                refuse(str(path), "no file in this folder ends in .json", "name another")
            yield from inside
        elif path.is_file():
            yield path
        else:
            refuse(str(path), "there is no such file, nor a folder", "check folder and name")


def _results(path: Path, skipped: list[str], asked: bool) -> dict[str, Any]:
    """Return what a file holds; of one that was not named, {} where it holds no results."""
    problem = "holds no results of lm-evaluation-harness"
    whole: Any = None
    try:
        whole = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        problem = f"is no readable JSON ({error})"
    tasks = whole.get("results") if isinstance(whole, dict) else None
    if isinstance(tasks, dict) and all(isinstance(each, dict) for each in tasks.values()):
        return whole
    if asked:
        refuse(str(path), problem, "name a file results_*.json")
    skipped.append(path.name)
    return {}


def _rows(whole: dict[str, Any], path: Path, notes: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield one row a task and metric of a file."""
    model = _model(whole, path, notes)
    parts = {k: v for k, v in _mapping(whole, "group_subtasks").items() if v}
    part_of = {each: group for group, inside in parts.items() for each in inside}
    higher, shots = _mapping(whole, "higher_is_better"), _mapping(whole, "n-shot")
    for task, told in whole["results"].items():
        for key, value in told.items():
            metric, _, chosen = key.partition(",")
            if metric in ASIDE or metric.endswith("_stderr"):
                continue
            yield model | {
                "task": task,
                "part_of": part_of.get(task),
                "parts": len(_leaves(task, parts)) if task in parts else (0 if parts else None),
                "n_shot": shots.get(task, _mapping(whole, "config").get("num_fewshot")),
                "metric": metric,
                "filter": chosen or "none",
                "value": _number(value),
                "n": _questions(whole, task, parts),
                "stderr": _number(told.get(f"{metric}_stderr" + f",{chosen}" * bool(chosen))),
                "chance": _chance(whole, task, parts) if metric in SHARES else None,
                "higher_is_better": _mapping(higher, task).get(metric),
            }


def _model(whole: dict[str, Any], path: Path, notes: dict[str, str]) -> dict[str, Any]:
    """Return name, revision and parameters of the model of a file."""
    config = _mapping(whole, "config")
    args = config.get("model_args")
    if isinstance(args, str):
        pairs = (part.partition("=") for part in args.split(","))
        args = {name.strip(): value.strip() for name, _, value in pairs}
    args = args if isinstance(args, dict) else {}
    names = [whole.get("model_name"), *(args.get(k) for k in ("pretrained", "model", "path"))]
    name = next((each for each in names if isinstance(each, str) and each.strip()), None)
    if name is None:
        name = path.resolve().parent.name
        notes["model"] = f"{path.name} names no model: it is called by its folder, {name}"
    revision = args.get("revision") or config.get("model_revision")
    return {
        "model": name,
        "revision": revision if revision != "main" else None,
        "params": _number(config.get("model_num_parameters")),
    }


def _leaves(task: str, parts: Mapping[str, list[str]]) -> list[str]:
    """Return the tasks of a group, those of groups within it too."""
    seen, open_ = [], [task]
    while open_:
        each = open_.pop()
        if each not in seen:
            seen.append(each)
            open_ += parts.get(each, [])
    return [each for each in seen if each not in parts]


def _questions(whole: dict[str, Any], task: str, parts: Mapping[str, list[str]]) -> float | None:
    """Return the number of questions of a task, of a group the sum over its tasks."""
    if task in parts:
        counts = [_questions(whole, each, {}) for each in _leaves(task, parts)]
        return None if None in counts else sum(counts)
    told = _mapping(_mapping(whole, "n-samples"), task)
    length = _mapping(whole["results"], task).get("sample_len")
    return _number(told.get("effective", told.get("original", length)))


def _chance(whole: dict[str, Any], task: str, parts: Mapping[str, list[str]]) -> float | None:
    """Return the chance level: one in as many as there are choices; of a group if all agree."""
    if task in parts:
        levels = {_chance(whole, each, {}) for each in _leaves(task, parts)}
        return levels.pop() if len(levels) == 1 else None
    config = _mapping(_mapping(whole, "configs"), task)
    choices = config.get("doc_to_choice")
    if config.get("output_type") == "multiple_choice" and isinstance(choices, list) and choices:
        return 1 / len(choices)
    levels = (level for names, level in CHANCE.items() if re.fullmatch(names, task))
    return next(levels, None)


def _mapping(whole: Any, name: str) -> dict[str, Any]:
    found = whole.get(name) if isinstance(whole, dict) else None
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    """Return a finite number; None for "N/A" and what is none."""
    real = isinstance(value, Real) and not isinstance(value, bool)
    return float(value) if real and abs(value) < float("inf") else None
