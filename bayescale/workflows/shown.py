"""shown: the tables of tasks and of the two hypotheses of a jump, each made of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..comparison import shown as comparison
from ..posterior.display import MASS, Sheet, count, number, share
from ..questions import shown as questions

__all__ = ["metric_or_model", "task", "tasks"]

Summary = Mapping[str, Any]
RISING = ("steady", "emergent", "u_shaped")
"""Kinds whose rise there is something to explain of."""


def tasks(found: Summary) -> list[Sheet]:
    """Return one row a task, and how the laws fared on the scales held out."""
    rows = [_row(name, each, len(found["laws"])) for name, each in found["tasks"].items()]
    head = f"{len(rows)} task{'s' * (len(rows) > 1)}, laws: {', '.join(found['laws'])}"
    columns = ("task", "kind", "explained by", "unlocks at", MASS, "P(never)", "laws\nsound")
    return [Sheet(columns, rows, head, left=3), *_backtests(found)]


def _row(name: str, task: Summary, laws: int) -> list[str]:
    sound = f"{laws - len(task['health']['failed'])} of {laws}"
    if not task["health"]["sound"]:
        return [name, "NOT TRUSTED", "-", "-", "-", "-", sound]
    kind, unlock = task["kind"], task["threshold"]
    said = f"{questions.kind_word(kind['likeliest'])} {share(kind['probability'])}"
    interval = f"{questions.when(unlock, 'lo')} .. {questions.when(unlock, 'hi')}"
    why = task["explanation"]["verdict"] if kind["likeliest"] in RISING else "-"
    return [name, said, why, questions.when(unlock), interval, share(unlock["p_never"]), sound]


def _backtests(found: Summary) -> list[Sheet]:
    """Return how the laws, fitted to the smaller scales, fared, beside their weights."""
    told = {name: each["explanation"] for name, each in found["tasks"].items()}
    told = {name: each for name, each in told.items() if each and each["backtest"]}
    laws = [law for law in found["laws"] if any(law in each["backtest"] for each in told.values())]
    rows = []
    for name, each in told.items():
        one = next(iter(each["backtest"].values()))
        cells = [_tested(each, law) for law in laws]
        rows.append([name, f"{one['runs']} above {count(one['cut'])}", *cells])
    head = "weight, and log score a run forecast from the smaller scales (* fit not sound)"
    return [Sheet(("task", "runs", *laws), rows, head, left=2)] if laws else []


def _tested(explanation: Summary, law: str) -> str:
    one = explanation["backtest"].get(law)
    if one is None:
        return "-"
    weight = share(explanation["weights"].get(law, 0.0))
    return f"{weight}, {number(one['score'], 3)}" + "*" * (not one["sound"])


def task(found: Summary) -> list[Sheet]:
    """Return what is said of one task: kind, unlock, explanation, laws."""
    failed = found["health"]["failed"].items()
    rows = [[law, why] for law, why in failed]
    out = [Sheet(("", ""), rows, "left out, not to be trusted", left=2)] if rows else []
    if not found["health"]["sound"]:
        return out
    return [
        *questions.kind(found["kind"]),
        *questions.threshold(found["threshold"]),
        *comparison.explanation(found["explanation"]),
        *comparison.laws(found["laws"]),
        *out,
    ]


def metric_or_model(found: Summary) -> list[Sheet]:
    """Return one row a hypothesis, and one a law."""
    columns = ("probability", "weights", "prior")
    rows = [
        [hypothesis, *(share(found[name][hypothesis]) for name in columns)]
        for hypothesis in found["probability"]
    ]
    laws = [
        [law, number(log), number(found["evidence_se"][law], 2), number(found["elpd"][law])]
        for law, log in found["log_evidence"].items()
    ]
    noises = "".join(f"; {name}: {noise} noise" for name, noise in found["noise"].items())
    return [
        Sheet(("", "probability", "weight", "prior"), rows, found["verdict"]),
        Sheet(("", "log evidence", "se", "elpd"), laws, f"laws of score and accuracy{noises}"),
    ]
