"""shown: the tables of comparisons of laws, each made of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..posterior.display import MASS, Sheet, count, number, share

__all__ = ["backtest", "confusion", "evidence", "explanation", "laws"]

Summary = Mapping[str, Any]


def laws(found: Summary) -> list[Sheet]:
    """Return one row a law, the best first."""
    rows = []
    for name, each in sorted(found.items(), key=lambda item: -(item[1]["elpd"] or 0.0)):
        behind = f"{number(each['difference'], 3)} ± {number(each['difference_se'], 2)}"
        shares = [share(each[key]) for key in ("weight", "probability", "prior")]
        logs = [number(each[key], 3) for key in ("complexity", "log_evidence")]
        rows.append([name, each["health"], number(each["elpd"]), behind, *logs, *shares])
    columns = ("", "health", "elpd", "behind", "complexity", "log\nevidence")
    columns = (*columns, "weight", "probability", "prior")
    return [Sheet(columns, rows, "laws of the same runs", left=2)]


def evidence(found: Summary) -> list[Sheet]:
    """Return the estimate and its standard error."""
    row = [number(found["log"]), number(found["se"], 2)]
    return [Sheet(("log evidence", "se"), [row], left=0, keys=0)]


def backtest(found: Summary) -> list[Sheet]:
    """Return how the runs held out were foretold."""
    head = f"{found['runs']} runs above {count(found['cut'])}, forecast from those up to it"
    row = [number(found["score"]), number(found["error"]), f"{found['inside']:.0%}"]
    columns = ("log score\na run", "error of\nthe median", f"inside\n{MASS}", "fit")
    health = "sound" if found["sound"] else "NOT TRUSTED"
    return [Sheet(columns, [[*row, health]], head, left=0, keys=0)]


def explanation(found: Summary) -> list[Sheet]:
    """Return one row a law of a rise: its weight, and how it forecast the larger scales."""
    tested, rows = found["backtest"], []
    for law, weight in found["weights"].items():
        row = [law, share(weight), number(found["elpd"][law], 3)]
        if tested:
            row.append(number(tested.get(law, {}).get("score"), 3))
        rows.append(row)
    simulated, foot = found["simulated"], []
    if found["others"]:
        beside = ", ".join(f"{law} {share(p)}" for law, p in found["others"].items())
        foot = [f"probability of laws that tell of no rise: {beside}"]
    if simulated is not None:
        foot += [f"such data favour another law than the true one in {simulated['error']:.0%}"]
    columns = ("", "weight", "elpd less\nthe best's", *["backtest,\na run"] * bool(tested))
    if not rows:
        return [Sheet((), [], found["verdict"], foot, left=0, keys=0)]
    return [Sheet(columns, rows, found["verdict"], foot)]


def confusion(found: Summary) -> list[Sheet]:
    """Return the matrix: truth in rows, favoured law in columns."""
    rows = zip(found["laws"], found["chosen"], strict=True)
    foot = f"another law than the true one in {found['error']:.0%} of simulations; where one is "
    foot += f"named ({found['told_share']:.0%} of them) in "
    told = found["error_where_told"]
    foot += "-" if told is None else f"{told:.0%}"
    cells = [[law, *map(str, counts)] for law, counts in rows]
    return [Sheet(("truth", *found["laws"]), cells, "law that weighs most", [foot])]
