"""shown: the tables of the answers about parameters and tokens, each made of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log10
from typing import Any

import numpy as np

from ..data.cells import dated, days
from ..datasets.published import about, place
from ..posterior.display import MASS, Sheet, count, number, span

__all__ = ["allocation", "isoflop", "next_runs", "runs", "tradeoff"]

Summary = Mapping[str, Any]
CURVE_ROWS = 8
"""About so many sizes of an iso-loss curve are shown."""
ALLOCATED = {
    "N": ("parameters N", count),
    "D": ("tokens D", count),
    "tokens_per_param": ("tokens per parameter", number),
    "loss": ("loss", number),
    "a": ("a: N ~ C^a", number),
    "b": ("b: D ~ C^b", number),
    "N_growth": ("10 x compute: N grows", number),
    "D_growth": ("10 x compute: D grows", number),
}
"""Words and form of each quantity of an allocation."""


def _cells(found: Summary, say=number) -> list[str]:
    """Return median and interval; what has no mean is out of reach in some draws, or in all."""
    if found["mean"] is not None:
        return [say(found["median"]), span(found["lo"], found["hi"], say)]
    lo, median, hi = (say(inf if found[k] is None else found[k]) for k in ("lo", "median", "hi"))
    return [median, f"{lo} .. {hi}"]


def _ratio(value: float | None) -> str:
    return number(value, 3)


def allocation(found: Summary) -> list[Sheet]:
    """Return the best split of each budget, and how it grows."""
    sheets = []
    for each in found["budgets"]:
        rows = [[words, *_cells(each[name], say)] for name, (words, say) in ALLOCATED.items()]
        flops, size = each["flops"], each["N"]["median"]
        head = f"{count(flops)} FLOP ({about(flops, 'flops')}), {found['cost']}"
        where = place(log10(size), "params").lstrip(", ") if size else ""
        foot = [f"N is {where}"] if where else []
        sheets.append(Sheet(("", "median", f"{MASS} interval"), rows, head, foot))
    return sheets


def isoflop(found: Summary) -> list[Sheet]:
    """Return the optimum of each budget, what line and law say there, and how fast it grows."""
    rows, beside = [], found["law"] is not None
    out = not all(each["used"] for each in found["budgets"])
    for each in found["budgets"]:
        cells = [count(each["flops"]), str(each["runs"]), *_cells(each["N"], count)]
        cells += [count(each["D"]["median"]), count(each["line"]["median"])]
        cells += _cells(each["surface"], count) if beside else []
        rows.append(cells + ["" if each["used"] else "left out"] * out)
    columns = ["FLOP", "runs", "best N", MASS, "D", "line"]
    columns += [f"by {found['law']}", MASS] * beside + [""] * out
    growth = [["N ~ C^a, by the optima", *_cells(found["a"])]]
    if beside:
        growth.append([f"N ~ C^a, by {found['law']}", *_cells(found["surface_a"])])
    growth.append(["D ~ C^b, by the optima", *_cells(found["b"])])
    growth.append(["scatter of log N about the line", *_cells(found["scatter"])])
    return [
        Sheet(columns, rows, f"the best size of each budget; {found['count']}"),
        Sheet(("", "median", f"{MASS} interval"), growth),
    ]


def tradeoff(found: Summary) -> list[Sheet]:
    """Return the ways to one loss: the cheapest, the smallest model, and the iso-loss curve."""
    loss, matched, rows = found["loss"], bool(found["reference"]), []
    head = f"ways to a loss of {number(loss['median'])}"
    head += f" ({span(loss['lo'], loss['hi'])})" if loss["lo"] != loss["hi"] else ""
    extra = f"smallest +{number(100 * found['extra'])} %"
    for way, said in (("cheapest", "least compute"), ("smallest", extra)):
        for key, name in (("N", "N"), ("D", "D"), ("C", "FLOP")):
            cells = [f"{said}: {name}", *_cells(found[f"{way}_{key}"], count)]
            rows.append(cells + (_cells(found[f"{way}_{key}_ratio"], _ratio) if matched else []))
    columns = ["", "median", f"{MASS} interval"]
    columns += ["x reference", f"{MASS} interval"] if matched else []
    reached = [each for each in found["curve"] if each["D"]["median"] is not None]
    curve = [
        [count(each["N"]), *_cells(each["D"], count), *_cells(each["flops"], count)]
        for each in reached[:: max(1, len(reached) // CURVE_ROWS)]
    ]
    return [
        Sheet(columns, rows, f"{head}; {found['cost']}"),
        Sheet(("N", "D it needs", MASS, "FLOP", MASS), curve, "the same loss at other sizes"),
    ]


def runs(found: Summary) -> list[Sheet]:
    """Return two configurations side by side."""
    rows = []
    for name in ("first", "second"):
        scales = "  ".join(f"{key} {count(value)}" for key, value in found[name]["at"].items())
        rows.append([name, scales, *_cells(found[name]["mean"])])
    rows.append(["difference", "", *_cells(found["difference"])])
    line = f"the first is the better one with probability {found['p_better']:.3f}; "
    line += f"one run of it beats one run of the second with {found['p_run_better']:.3f}"
    return [Sheet(("", "at", "law", f"{MASS} interval"), rows, foot=[line], left=2)]


def next_runs(found: Summary) -> list[Sheet]:
    """Return what is wanted, now and after the runs, and the runs in the order to make them."""
    rows = []
    for name, each in found["targets"].items():
        before, after = each["before"], each["after"]
        row = [name, number(before["median"]), span(before["lo"], before["hi"])]
        rows.append([*row, span(after["lo"], after["hi"]), f"{each['left']:.0%}"])
    runs = found["runs"]
    head = f"{len(runs)} of {found['candidates']} candidates; {found['cost']}"
    if found["budget"] is not None:
        head += f": {count(found['spent'])} of {count(found['budget'])}"
    columns = ("", "now", MASS, "after the runs", "width left")
    chosen = []
    for i, run in enumerate(runs, 1):
        said = {key: (key, count(value)) for key, value in run["at"].items()}
        said |= {key: ((dated(key) or (key,))[0], day) for key, day in days({}, run["at"]).items()}
        scales = "  ".join(f"{key} {value}" for key, value in said.values())
        left = np.mean([*run["left"].values()])
        scales = "  ".join([run["recipe"], scales] if "recipe" in run else [scales])
        cells = [str(run["row"]), count(run["cost"]), count(run["total"]), f"{left:.0%}"]
        chosen.append([str(i), scales, *cells])
    order = ("", "run", "row", "cost", "together", "width left")
    return [Sheet(columns, rows, head), Sheet(order, chosen, "in this order", left=2)]
