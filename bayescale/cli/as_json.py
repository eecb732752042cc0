"""document: a posterior and the answers to questions as one JSON document.

Every document has the keys `quantities`, `health` and `run`; an answer stands under a key of its
own. Where the table named a curve column, `quantities` is empty at the top and `curves` holds,
for each curve, its `quantities`, `health` and answers. What is not finite is null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..planning.allocate import Allocation
from ..planning.compare_runs import RunComparison
from ..planning.match import TradeOff
from ..posterior.files import StorageError, writable, write
from ..posterior.groups import shifts
from ..posterior.health import Verdict
from ..posterior.intervals import INTERVAL, scalar_quantities, summarise
from ..posterior.posterior import Posterior
from ..questions.kind import Kind
from ..questions.predict import Prediction
from ..questions.threshold import Threshold
from ..questions.unlock import Unlock
from ..questions.unlock import plain as finite
from ..workflows.tasks import Tasks
from . import plans, saved

__all__ = [
    "answers",
    "document",
    "folder",
    "groups",
    "keep",
    "kind",
    "plain",
    "plan",
    "predictions",
    "quantities",
    "spread",
    "tasks",
    "threshold",
]


def plain(value: Any) -> Any:
    """Return `value` in JSON's terms: lists, numbers, null for what is not finite."""
    match value:
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case list() | tuple():
            return [plain(each) for each in value]
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
    return str(value)


def spread(draws: np.ndarray) -> dict[str, float | None]:
    """Return mean, sd, median, lo and hi; infinite draws keep their place among the quantiles.

    A single draw is a point: it has no sd and no interval.
    """
    values = np.asarray(draws, float).ravel()
    if np.isfinite(values).all() and len(values) > 1:
        return summarise(values)
    found = dict.fromkeys(("mean", "sd", "median", "lo", "hi"))
    if len(values) == 1:
        return found | {"mean": float(values[0]), "median": float(values[0])}
    levels = [(1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2]
    # Between a finite draw and an infinite one there is nothing to interpolate.
    lo, median, hi = np.quantile(values, levels, method="inverted_cdf")
    return found | {"median": float(median), "lo": float(lo), "hi": float(hi)}


def quantities(posterior: Posterior) -> dict[str, dict[str, float | None]]:
    """Return the spread of every scalar quantity of one curve, in natural units.

    What families differ by is left to `groups`.
    """
    apart = [f"{name}_shift" for name in posterior.model.pool]
    order = [name for name in posterior.model.names if name not in apart]
    scalars = scalar_quantities({name: posterior.draws[name] for name in order})
    return {name: spread(draws) for name, draws in scalars.items()}


def groups(one: Posterior) -> dict[str, dict[Any, Any]]:
    """Return of each pooled parameter how far each family's lies from the average one's."""
    return {of: shifts(one, of).to_dict("index") for of in one.model.pool}


def document(
    posterior: Posterior,
    answers: Mapping[str | None, Any] | None = None,
    render: Callable[[Any], dict[str, Any]] = dict,
) -> dict[str, Any]:
    """Return the whole document.

    Parameters
    ----------
    posterior
        Any fit, sound or not.
    answers
        What `saved.ask` returned.
    render
        Turns an answer into its keys.
    """
    parts = {}
    for name, one in posterior:
        (verdict,) = one.health.verdicts
        parts[name] = {"quantities": quantities(one), "health": _verdict(verdict)}
        if one.model.pool:
            parts[name]["groups"] = groups(one)
        answer = (answers or {}).get(name)
        if why := saved.refused(answer):
            parts[name]["refused"] = why
        elif answer is not None:
            parts[name] |= render(answer)
    whole = {"quantities": {}, "health": {}} | parts.get(None, {})
    whole["sampling"] = _sampling(posterior)
    if None not in parts:
        failed = [posterior.curves[i] for i in posterior.health.failed]
        whole["health"] = {"sound": not failed, "curves": len(parts), "failed": failed}
        whole["curves"] = parts
    return plain(whole)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return asdict(verdict)


def _sampling(posterior: Posterior) -> dict[str, Any]:
    data, law = posterior.data, posterior.law
    facts = {
        "law": law.name,
        "noise": posterior.model.noise.name,
        "pooled": list(posterior.model.pool),
        "fixed": dict(law.fixed),
        "tied": dict(law.tied),
        "interval": INTERVAL,
    }
    table = {
        "source": data.source,
        "rows": len(data),
        "columns": data.columns,
        "notes": data.notes,
    }
    return facts | asdict(posterior.sampling) | {"data": table}


def predictions(found: Prediction) -> dict[str, Any]:
    """Return `predictions`, one a scale: `mean` is the law, `new` a new run there."""
    rows = [
        {
            "at": {name: values[i] for name, values in found.inputs.items()},
            "mean": spread(found.mean[:, i]),
            "new": spread(found.new[:, i]),
            "decades_beyond": found.decades[i],
        }
        for i in range(found.decades.shape[-1])
    ]
    return {"predictions": rows, "notes": found.notes}


def plan(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return `allocation`, `tradeoff` and `comparison`, as far as they were asked for."""
    return {name: _PLANS[name](answer) for name, answer in found.items()}


def _allocation(found: Allocation) -> dict[str, Any]:
    """Return the split of one budget: N, D, tokens_per_param, loss, a, b, N_growth, D_growth."""
    return {
        "flops": found.flops[0],
        **found.quantities(),
        "cost": found.cost,
        "method": found.method,
        "decades_beyond": found.decades[0],
        "notes": found.notes,
    }


def _tradeoff(found: TradeOff) -> dict[str, Any]:
    """Return the cheapest way to a loss, the smallest model, and the iso-loss curve."""
    curve = [
        {"N": size, "D": spread(found.tokens[:, i]), "flops": spread(found.flops[:, i])}
        for i, size in enumerate(found.params)
    ]
    return {
        **found.quantities(),
        "p_reachable": found.p_reachable,
        "reference": found.reference,
        "extra": found.extra,
        "curve": curve,
        "cost": found.cost,
        "notes": found.notes,
    }


def _comparison(found: RunComparison) -> dict[str, Any]:
    """Return which of two configurations is better, and by how much."""
    return {
        "first": {"at": found.first, "mean": spread(found.losses[0])},
        "second": {"at": found.second, "mean": spread(found.losses[1])},
        "difference": found.difference,
        "p_better": found.p_better,
        "p_run_better": found.p_run_better,
        "notes": found.notes,
    }


_PLANS = {"allocation": _allocation, "tradeoff": _tradeoff, "comparison": _comparison}


def threshold(found: Threshold) -> dict[str, Any]:
    """Return when the level is passed; null stands for never, and for already (see p_already)."""
    answer = {
        "level": found.level,
        "improves": found.improves,
        "scale": found.scale,
        "column": found.column,
        **_forecast(found.forecast),
        "p_asymptotically_short": np.mean(found.limit_short),
        "x_min": found.x_min,
        "x_max": found.x_max,
        "horizon": found.horizon,
        "by": np.stack([found.grid, found.p_by], 1),
        "wider": found.wider and _forecast(found.wider),
        "notes": found.notes,
    }
    if len(found.members) > 1:
        answer["members"] = {
            name: _forecast(each) | {"weight": found.member_weights[name]}
            for name, each in found.members.items()
        }
        answer["spread"] = finite(found.spread())
    return {"threshold": answer}


def _forecast(found: Unlock) -> dict[str, Any]:
    log10 = {"median": found.median, "lo": found.lo, "hi": found.hi}
    kept = ("p_never", "p_already", "ess")
    return {"log10": log10} | {name: getattr(found, name) for name in kept}


FILES = ("tasks.csv", "tasks.json", "tasks.png")


def answers(
    which: saved.Saved, found: Mapping[str | None, Any], render: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """Return the document of an answer: that of the fit, or of several fits and their mixture."""
    if which.only is not None:
        return document(which.only, found, render)
    failed = [name for name, one in which.fits.items() if not one.health.sound]
    weights = which.weights or dict.fromkeys(which.fits, 1 / len(which.fits))
    parts = {
        name: {"refused": why} if (why := saved.refused(answer)) else render(answer)
        for name, answer in found.items()
    }
    whole: dict[str, Any] = {"quantities": {}}
    whole["health"] = {"sound": not failed, "fits": len(which.fits), "failed": failed}
    whole["sampling"] = {"interval": INTERVAL, "weights": dict(weights)}
    whole["fits"] = {name: document(one) for name, one in which.fits.items()}
    return plain(whole | parts.get(None, {"curves": parts}))


def kind(found: Kind) -> dict[str, Any]:
    """Return `kind`: the kinds at the cut, at half and twice of it, and the turning point."""
    return {"kind": found.summary()}


def tasks(found: Tasks, plan: plans.Tasks, data: Dataset) -> dict[str, Any]:
    """Return the document of many tasks: the answers, and how which table was asked."""
    failed = [task.name for task in found if task.kind is None]
    health = {"sound": not failed, "tasks": len(found), "failed": failed}
    run = {"interval": INTERVAL, "version": version("bayescale"), **asdict(plan)}
    run["data"] = {
        "source": data.source,
        "rows": len(data),
        "columns": data.columns,
        "notes": data.notes,
    }
    return plain(found.summary() | {"health": health, "sampling": run})


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
    rows = found.table().to_csv(index_label="task")
    write(table, lambda part: part.write_text(rows, encoding="utf-8", newline=""))
    said = json.dumps(whole, indent=1, allow_nan=False) + "\n"
    write(text, lambda part: part.write_text(said, encoding="utf-8"))
    picture(str(drawn))
