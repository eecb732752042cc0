"""shown: the tables of tasks and of the two hypotheses of a jump, each made of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..comparison import shown as comparison
from ..posterior.display import MASS, Sheet, count, number, share
from ..questions import shown as questions

__all__ = ["metric_or_model", "task", "tasks"]

Summary = Mapping[str, Any]
WORTH = 0.005
"""Belief lost from which it is told."""
RISING = ("steady", "emergent", "u_shaped")
"""Kinds whose rise there is something to explain of."""
FALLING = ("inverse", "inverted_u")
"""Kinds that end by a fall: what they pass is no unlock."""


def tasks(found: Summary) -> list[Sheet]:
    """Return one row a task, and how the laws fared on the scales held out."""
    rows = [_row(name, each, len(found["laws"])) for name, each in found["tasks"].items()]
    head = f"{len(rows)} task{'s' * (len(rows) > 1)}, laws: {', '.join(found['laws'])}"
    columns = ("task", "kind", "explained by", "unlocks at", MASS, "P(never)", "laws\nweighed")
    return [Sheet(columns, rows, head, _feet(found), left=3), *_lost(found), *_backtests(found)]


def _feet(found: Summary) -> list[str]:
    """Return what is to be said of the health of single tasks."""
    feet = []
    for name, each in found["tasks"].items():
        health = each["health"]
        feet += [
            f"NOT TO BE TRUSTED: {name}: {law}: {why}"
            for law, why in health["contradicted"].items()
            if not health["sound"]
        ]
        if each["kind"] is not None and health["belief_lost"] >= WORTH:
            feet.append(f"{name}: {share(health['belief_lost'])} of the belief is lost")
    return feet


def _row(name: str, task: Summary, laws: int) -> list[str]:
    sound = f"{laws - len(task['health']['failed'])} of {laws}"
    if diverging := task["health"]["diverging"]:
        sound += f", {len(diverging)} diverging"
    if task["kind"] is None:
        return [name, "NOT TRUSTED", "-", "-", "-", "-", sound]
    kind, unlock = task["kind"], task["threshold"]
    said = f"{questions.kind_word(kind['likeliest'])} {share(kind['probability'])}"
    falls = kind["likeliest"] in FALLING
    ends = [
        # What starts above the level and falls has unlocked nothing.
        "above" if falls and word == "already" else word
        for word in (questions.when(unlock, end) for end in ("median", "lo", "hi"))
    ]
    why = task["explanation"]["verdict"] if kind["likeliest"] in RISING else "-"
    median, interval = ends[0], f"{ends[1]} .. {ends[2]}"
    return [name, said, why, median, interval, share(unlock["p_never"]), sound]


def _lost(found: Summary) -> list[Sheet]:
    """Return from where on tasks that fall from above their level stay below it."""
    rows = []
    for name, each in found["tasks"].items():
        lost = each["lost"]
        if lost is not None:
            interval = f"{questions.when(lost, 'lo')} .. {questions.when(lost, 'hi')}"
            p = [share(lost[key]) for key in ("p_already", "p_never")]
            rows.append([name, number(lost["level"]), questions.when(lost), interval, *p])
    columns = ("task", "level", "below from", MASS, "P(already)", "P(never)")
    return [Sheet(columns, rows, "tasks that fall below their level")] if rows else []


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
    health = found["health"]
    out = []
    if health["failed"]:
        head = f"left out, with {share(health['belief_lost'])} of the belief"
        out = [Sheet(("", ""), [[law, why] for law, why in health["failed"].items()], head, left=2)]
    if health["contradicted"]:
        rows = [[law, why] for law, why in health["contradicted"].items()]
        out.append(Sheet(("", ""), rows, "contradicted by the data", left=2))
    if found["kind"] is None:
        return out
    return [
        *questions.kind(found["kind"]),
        *questions.threshold(found["threshold"]),
        *(questions.threshold(found["lost"]) if found["lost"] else []),
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
