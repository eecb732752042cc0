"""shown: the tables of tasks and of the two hypotheses of a jump, each made of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..comparison import shown as comparison
from ..posterior.display import MASS, Sheet, count, number, share, span
from ..questions import shown as questions

__all__ = ["calibration", "forecast", "futures", "metric_or_model", "scored", "task", "tasks"]

Summary = Mapping[str, Any]
FEW = 3
"""So many scales of each law are shown."""
WORTH = 0.005
"""Belief lost from which it is told."""
RISING = ("steady", "emergent", "u_shaped")
"""Kinds whose rise there is something to explain of."""
FALLING = ("inverse", "inverted_u")
"""Kinds that end by a fall: what they pass is no unlock."""


def calibration(found: Summary) -> list[Sheet]:
    """Return one row a quantity of replicated tables."""
    rows = []
    for name, each in found["quantities"].items():
        inside = [share(each["inside"][mass]["share"]) for mass in ("50", "80", "90")]
        widest = each["inside"]["90"]
        mark = " *" * (name in found["suspects"])
        cells = [number(each["p"], 2), share(each["mean_rank"]), *inside]
        rows.append([name + mark, *cells, span(widest["lo"], widest["hi"], share)])
    columns = ("", "p of the ranks", "mean rank", "inside 50 %", "80 %", "90 %", "that is")
    head = f"{found['replicates']} replicates of the table, each fitted with it: does a refit hold "
    head += "the truth?"
    foot = ["* ranks are not uniform"] if found["suspects"] else []
    return [Sheet(columns, rows, head, foot)]


def forecast(found: Summary) -> list[Sheet]:
    """Return one row a scale, and of one curve one row a law."""
    (sheet,) = questions.predictions(found)
    columns = (*sheet.columns, *(f"{name}\n(share)" for name in found["points"][0]["shares"]))
    rows = [
        [*row, *(share(part) for part in point["shares"].values())]
        for row, point in zip(sheet.rows, found["points"], strict=True)
    ]
    return [replace(sheet, columns=columns, rows=rows), *_laws(found), *_exponents(found)]


def _laws(found: Summary) -> list[Sheet]:
    """Return what each law says, of a forecast of one curve."""
    rows = []
    for name, law in found.get("laws", {}).items():
        cells = [f"{number(median)} ({span(lo, hi)})" for lo, median, hi in _points(law)]
        rows.append([name, share(law["weight"]), law["health"], *cells[:FEW]])
    if not rows:
        return []
    asked = [questions.place(each) for each in found["points"]]
    return [Sheet(("law", "weight", "health", *asked[:FEW]), rows, "each law alone", left=1)]


def _exponents(found: Summary) -> list[Sheet]:
    """Return the exponents of laws of several scales, in a forecast of one curve."""
    if len(found["points"][0]["at"]) < 2:
        return []
    rows = [
        [name, exponent, number(each["median"]), span(each["lo"], each["hi"])]
        for name, law in found.get("laws", {}).items()
        for exponent, each in law["exponents"].items()
    ]
    head = "exponents, with the law's misfit in their width"
    return [Sheet(("law", "", "median", MASS), rows, head, left=2)] if rows else []


def _points(law: Summary):
    return zip(*(law[name] for name in ("lo", "median", "hi")), strict=True) if "lo" in law else ()


def futures(found: Summary) -> list[Sheet]:
    """Return how forecasts fared, one row a cut and one a distance."""
    heads = {
        "cut": "by where the table was cut (share of the largest scale)",
        "distance": "by distance (multiples of the last scale fitted)",
    }
    columns = ("runs", "curves", "rms error", "inside 50 %", "80 %", "90 %", "width of 90 %")
    columns += ("CRPS", "log density")
    sheets = []
    for name, head in heads.items():
        rows = []
        for each in found[f"by_{name}"]:
            inside = [share(each[f"inside{mass}"]) for mass in (50, 80)]
            se = each["inside90_se"]
            inside.append(share(each["inside90"]) + (f" ± {se:.2f}" if se is not None else ""))
            scores = [number(each[score]) for score in ("width90", "crps", "log_density")]
            counts = [f"{each[score]:.0f}" for score in ("runs", "curves")]
            rows.append([str(each[name]), *counts, number(each["rmse"]), *inside, *scores])
        sheets.append(Sheet((name, *columns), rows, head, left=1))
    return sheets


def scored(found: Summary) -> list[Sheet]:
    """Return one row a run that was forecast and is measured now."""
    scores = ("seen", "median", "lo", "hi", "error", "level", "crps")
    rows = []
    for run in found["runs"]:
        scales = [
            count(value) if isinstance(value, float) else str(value)
            for name, value in run.items()
            if name not in scores and not name.startswith("inside")
        ]
        inside = ["yes" if run[f"inside{mass}"] else "no" for mass in (50, 90)]
        interval = span(run["lo"], run["hi"])
        cells = [number(run["seen"]), number(run["median"]), interval, share(run["level"])]
        rows.append([*scales, *cells, *inside])
    if not rows:
        return []
    names = [k for k in found["runs"][0] if k not in scores and not k.startswith("inside")]
    columns = (*names, "measured", "forecast", MASS, "level", "inside 50 %", "90 %")
    head = f"registered {found['made']} by version {found['version']}"
    return [Sheet(columns, rows, head, left=len(names))]


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
    falls, start = kind["likeliest"] in FALLING, questions.start_of(unlock)
    ends = [
        # What starts above the level and falls has unlocked nothing.
        "above" if falls and word == "already" else word
        for word in (questions.when(unlock, end, start) for end in ("median", "lo", "hi"))
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
            start = questions.start_of(lost)
            median, lo, hi = (questions.when(lost, k, start) for k in ("median", "lo", "hi"))
            p = [share(lost[key]) for key in ("p_already", "p_never")]
            rows.append([name, number(lost["level"]), median, f"{lo} .. {hi}", *p])
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
