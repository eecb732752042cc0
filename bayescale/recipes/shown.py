"""shown: multipliers as tables of short cells, made of the plain numbers of a summary."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from ..posterior.display import MASS, Sheet, count, number, share, span

__all__ = ["multiplier"]

Summary = Mapping[str, Any]


def multiplier(found: Summary) -> list[Sheet]:
    """Return one row a recipe, and one a recipe and scale."""
    rows, points = [], []
    for name, each in found["multipliers"].items():
        where = each["turns_at"]
        turns = "-" if where is None else span(where["lo"], where["hi"], count)
        where_told = "all shared" if each["at"] is None else count(each["at"])
        cells = [where_told, *_factor(each), share(each["p_better"])]
        rows.append([name, *cells, share(each["p_grows"]), share(each["p_turns"]), turns])
        for point in each["points"]:
            points.append([name, count(point["at"]), *_factor(point), share(point["p_better"])])
    base, scale = found["baseline"], found["scale"]
    head = f"times less {scale} than {base!r} for equal loss"
    columns = ("", f"at\n{scale}", "factor", MASS)
    main = (*columns, "P(better)", "P(grows)", "P(turns\nover)", "turns over at")
    return [
        Sheet(main, rows, head, left=1),
        Sheet((*columns, "P(better)"), points, "by scale", left=1),
    ]


def _factor(each: Summary) -> list[str]:
    lo, median, hi = (inf if each[k] is None else each[k] for k in ("lo", "median", "hi"))
    say = lambda v: "never" if v == inf else number(v, 4)  # noqa: E731
    return [say(median), f"{say(lo)} .. {say(hi)}" if hi == inf else span(lo, hi, say)]
