"""shown: multipliers as tables of short cells, made of the plain numbers of a summary."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from ..posterior.display import MASS, Sheet, count, number, share, span

__all__ = ["multiplier"]

Summary = Mapping[str, Any]
LEAST = 0.005
"""Probability that is shown as 0: of so few draws no interval is told."""


def multiplier(found: Summary) -> list[Sheet]:
    """Return one row a recipe, one a recipe and level, and one a recipe and scale."""
    rows, levels, points = [], [], []
    base, scale = found["baseline"], found["scale"]
    for name, each in found["multipliers"].items():
        where = each["turns_at"]
        seldom = where is None or each["p_turns"] < LEAST
        turns = "-" if seldom else span(where["lo"], where["hi"], count)
        cells = [_place(each), *_factor(each), share(each["p_better"])]
        rows.append([name, *cells, share(each["p_grows"]), share(each["p_turns"]), turns])
        for one in each["unlocks"]:
            cells = [number(one["level"], 3), *_factor(one), share(one["p_better"])]
            levels.append([name, *cells, *_crossing(one["baseline"]), *_crossing(one["recipe"])])
        for point in each["points"]:
            points.append([name, count(point["at"]), *_factor(point), share(point["p_better"])])
    head = f"times less {scale} than {base!r} for equal {found['response']}"
    factor = ("factor", MASS, "P(better)")
    main = ("", f"at\n{scale}", *factor, "P(grows)", "P(turns\nover)", "turns over at")
    sheets = [Sheet(main, rows, head, left=1)]
    if levels:
        crossing = (f"{base!r}\nat", "P(never)", "recipe\nat", "P(never) ")
        title = f"thresholds: {scale} at which each first gets to a level"
        sheets.append(Sheet(("", "level", *factor, *crossing), levels, title, left=1))
    return [*sheets, Sheet(("", f"at\n{scale}", *factor), points, "by scale", left=1)]


def _place(each: Summary) -> str:
    """Return where the main answer is told."""
    if each["level"] is not None:
        return f"level {number(each['level'], 3)}"
    return "all shared" if each["at"] is None else count(each["at"])


def _factor(each: Summary) -> list[str]:
    lo, median, hi = (inf if each[k] is None else each[k] for k in ("lo", "median", "hi"))
    say = lambda v: "never" if v == inf else number(v, 4)  # noqa: E731
    return [say(median), f"{say(lo)} .. {say(hi)}" if hi == inf else span(lo, hi, say)]


def _crossing(each: Summary) -> list[str]:
    at = each["median"]
    said = "never" if at is None else "before" if at == 0 else count(at)
    return [said, share(each["p_never"])]
