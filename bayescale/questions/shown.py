"""shown: the tables of the answers about one posterior, each made of the answer's summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.cells import dated, day
from ..messages import bare
from ..posterior.display import MASS, Sheet, count, number, share, span
from ..posterior.intervals import levels

__all__ = [
    "change",
    "conditions",
    "kind",
    "kind_word",
    "place",
    "predictions",
    "relation",
    "residuals",
    "sensitivity",
    "start_of",
    "threshold",
    "when",
]

Summary = Mapping[str, Any]
STEPS = 8
"""About so many scales are shown with the probability that the level is passed there."""
FARTHEST = 10
"""So many residuals are shown."""


def predictions(found: Summary) -> list[Sheet]:
    """Return one row a scale: the law, a new run there, how far beyond the data."""
    rows, points = [], found["points"]
    scales = list(points[0]["at"]) if points else []
    curves = ["curve"] * any("curve" in point for point in points)
    years = bool(points) and len(points[0].get("dates", ())) == len(scales)
    for point in points:
        cells = [point[name] for name in curves] + [_at(point, name) for name in scales]
        for of in ("mean", "new"):
            cells += [number(point[of]["median"]), span(point[of]["lo"], point[of]["hi"])]
        beyond = point["decades_beyond"] * (np.log(10) if years else 1.0)
        rows.append([*cells, f"{beyond:.1f}" if beyond else "within"])
    keys = [*curves, *scales]
    columns = (*keys, "law", MASS, "new run", MASS, f"{'years' if years else 'decades'}\nbeyond")
    return [Sheet(columns, rows, left=len(keys), keys=len(keys))]


def place(point: Summary) -> str:
    """Return the scales of a point in words, dates as such."""
    return ", ".join(f"{name} {_at(point, name)}" for name in point["at"])


def _at(point: Summary, name: str) -> str:
    return point.get("dates", {}).get(name) or count(point["at"][name])


def residuals(found: Summary) -> list[Sheet]:
    """Return the rows that lie farthest outside their interval."""
    say = _percent if found["relative"] else number
    known = [run for run in found["runs"] if run["residual"] is not None]

    def far(run: Summary) -> float:
        return max(run["residual"] - run["hi"], run["lo"] - run["residual"])

    rows = []
    for run in sorted(known, key=far, reverse=True)[:FARTHEST]:
        at = place(run)
        of = f"{run['row']}" + (f" ({run['curve']})" if run["curve"] is not None else "")
        rows.append([of, at, say(run["residual"]), span(run["lo"], run["hi"], say)])
    head = f"{found['outside']:.0%} of {len(known)} runs lie outside their {MASS} interval; "
    head += "those farthest out, measured less fitted"
    head += ", as a share of the fitted" * found["relative"]
    return [Sheet(("row", "at", "residual", f"{MASS} interval"), rows, head, left=2)]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2g} %"


# ------------------------------------------------------------------ an unlock


def threshold(found: Summary) -> list[Sheet]:
    """Return from which scale on the level is passed: by the prior, a wider one, and each law."""
    past = "above" if found["direction"] == "up" else "below"
    known = dated(found["column"])
    column, start = (bare(found["column"]), None) if known is None else known
    head = f"{column} from which on the curve stays {past} {number(found['level'])}"
    cases = {"forecast": found}
    if found["wider"] is not None:
        cases["wider prior"] = found["wider"]
    if len(found["members"]) > 1:
        members = found["members"].items()
        cases |= {f"{name} ({share(each['weight'])})": each for name, each in members}
    rows = []
    for name, case in cases.items():
        shares = share(case["p_already"]), share(case["p_never"])
        rows.append([name, when(case, start=start), _interval(case, start), *shares])
    never = f"P(not by\n{_scale(found['horizon'], start)})"
    columns = ("", "median", f"{MASS} interval", "P(already)", never)
    foot = [line for line in (_by_scale(found), _limit(found), _apart(found)) if line]
    return [Sheet(columns, rows, head, foot)]


def when(case: Summary, end: str = "median", start: float | None = None) -> str:
    """Return an end or the median of an unlock's scale, or that it is passed already, or never.

    Parameters
    ----------
    start
        Of a scale that is `exp(years(date) - start)`, which is told as a date.
    """
    log10 = case["log10"][end]
    if log10 is not None:
        return _scale(10**log10, start)
    level = dict(zip(("lo", "median", "hi"), levels(), strict=True))[end]
    return "already" if case["p_already"] >= level - 1e-9 else "never"


def start_of(found: Summary) -> float | None:
    """Return the year at which the scale of an unlock begins; None where it is no date."""
    known = dated(found["column"])
    return known and known[1]


def _scale(x: float, start: float | None) -> str:
    return count(x) if start is None else day(start + np.log(x))


def _interval(case: Summary, start: float | None = None) -> str:
    return f"{when(case, 'lo', start)} .. {when(case, 'hi', start)}"


def _by_scale(found: Summary) -> str:
    """Return the probability that the level is passed by some scales: decades, or even steps."""
    scales, known = np.transpose(found["by"])
    dates = dated(found["column"])
    if dates is not None:
        _, start = dates
        first, last, end = start + np.log([found["x_min"], found["x_max"], found["horizon"]])
        lo = found["log10"]["lo"]
        early = last if lo is None else min(last, start + lo * np.log(10))
        years = max(np.ceil(first), np.floor(early)) + np.arange(STEPS)
        years = years[years <= end]
        by = np.interp(years - start, np.log(scales), known)
        line = ", ".join(f"{share(p)} by {at:.0f}" for p, at in zip(by, years, strict=True))
        return f"probability {line}" if line else ""
    if scales[-1] < scales[0]:  # of a scale of which less is better
        points = np.linspace(found["x_min"], found["horizon"], 6)
    else:
        first, lo = np.ceil(np.log10(found["x_max"])), found["log10"]["lo"]
        # A level that is passed within the data: from the decade before the interval on.
        first = first if lo is None else min(first, np.floor(lo))
        decades = first + np.arange(STEPS)
        kept = (decades <= np.log10(found["horizon"])) & (decades >= np.log10(found["x_min"]))
        points = 10.0 ** decades[kept]
    late = np.sign(scales[-1] - scales[0])
    by = np.interp(late * np.log10(points), late * np.log10(scales), known)
    line = ", ".join(f"{share(p)} by {count(at)}" for p, at in zip(by, points, strict=True))
    return f"probability {line}" if line else ""


def _limit(found: Summary) -> str:
    """Return how likely it is that no scale whatever passes the level."""
    short = found["p_limit_short"]
    side = "below" if found["direction"] == "up" else "above"
    return f"probability {share(short)} that it stays {side} at any scale" if short > 0.005 else ""


def _apart(found: Summary) -> str:
    """Return how far several laws are apart."""
    spread = found["spread"]
    if len(found["members"]) < 2 or spread["between"] is None:
        return ""
    line = f"the laws' medians are {number(spread['between'], 2)} decades apart (sd)"
    return line + f", each is uncertain by {number(spread['within'], 2)}"


# ------------------------------------------------------------------ a kind


def kind(found: Summary) -> list[Sheet]:
    """Return the probability of each kind at the cut, half and twice of it, and the turn."""
    known = dated(found["column"])
    column, start = (bare(found["column"]), None) if known is None else known
    lo, hi = (_scale(found[end], start) for end in ("lo", "hi"))
    head = f"kind of curve from {lo} to {hi} {column}: "
    head += f"{kind_word(found['likeliest'])}, probability {share(found['probability'])}"
    cut = found["cut"]
    columns = ["", f"cut {number(cut, 3)}", *(number(cut * k, 3) for k in (0.5, 2))]
    shares = [found[name] for name in ("kinds", "half", "double", "implied")]
    columns.append("before\nthe data")
    if found["prior"] is not None:
        columns, shares = [*columns, "prior"], [*shares, found["prior"]]
    rows = [[kind_word(k), *(share(each.get(k)) for each in shares)] for k in found["kinds"]]
    return [Sheet(columns, rows, head, _turn(found["turning_point"], start))]


def _turn(turn: Summary | None, start: float | None) -> list[str]:
    if turn is None:
        return []
    at, depth = (
        {k: turn[of][k] for k in ("lo", "median", "hi")} for of in ("log10_scale", "depth")
    )
    lo, median, hi = (_scale(10 ** at[end], start) for end in ("lo", "median", "hi"))
    line = f"where it is U-shaped ({share(turn['share'])}) it turns at {median} ({lo} .. {hi}), "
    depths = span(depth["lo"], depth["hi"], lambda value: number(value, 2))
    return [f"{line}{number(depth['median'], 2)} ({depths}) deep"]


def kind_word(name: str) -> str:
    """Return what a kind is called in a sentence."""
    return {"u_shaped": "U-shaped", "inverted_u": "inverted U"}.get(name, name)


# ------------------------------------------------------------------ conditions


def conditions(found: Summary) -> list[Sheet]:
    """Return one row a condition: kind, threshold, and what differs from the reference."""
    rows, passed = [], bool(found["thresholds"])
    for name, each in found["kinds"].items():
        row = [name, f"{kind_word(each['likeliest'])} {share(each['probability'])}"]
        if passed:
            one = found["thresholds"][name]
            start = start_of(one)
            row += [when(one, start=start), _interval(one, start), share(one["p_never"])]
        rows.append([*row, share(found["changes"].get(name, {}).get("p_differs"))])
    columns = ("", "kind", *("threshold", MASS, "P(never)")[: 3 * passed], "P(kind\ndiffers)")
    before = share(found["p_differs_before"])
    head = f"conditions beside {found['reference']}; two differ in kind, before the data: {before}"
    if passed:
        one = next(iter(found["thresholds"].values()))
        past = "above" if one["direction"] == "up" else "below"
        head += f"; thresholds: from where on it stays {past} {number(one['level'])}"
    return [Sheet(columns, rows, head, left=2)]


def change(found: Summary) -> list[Sheet]:
    """Return how far one condition lies from the reference: parameters, threshold, kind."""
    rows = []
    for law, of in found["shifts"].items():
        for name, each in of.items():
            said = [f"{name} ({law}), {each['unit']}", number(each["median"], 3)]
            rows.append([*said, span(each["lo"], each["hi"]), share(each["p_above"])])
    delay = found["delay"]
    if delay is not None:
        cells = [
            number(delay["median"], 3),
            span(delay["lo"], delay["hi"]),
            share(delay["p_later"]),
        ]
        rows.append([f"threshold, {delay['unit']}", *cells])
    head = f"{found['condition']} beside {found['reference']}: "
    head += f"the kind differs with probability {share(found['p_differs'])}"
    if found["likeliest"]:
        one, other, p = found["likeliest"].values()
        head += f", most likely {kind_word(one)} to {kind_word(other)} ({share(p)})"
    return [Sheet(("", "median", f"{MASS} interval", "P(above 0)"), rows, head)]


# ------------------------------------------------------------------ loss and task


def relation(found: Summary) -> list[Sheet]:
    """Return how much the loss explains, and how often the lower loss is worse."""
    words = {"r2": "variance that the loss explains", "discordance": "the lower loss is worse"}
    rows = [
        [said, number(found[name]["median"], 3), span(found[name]["lo"], found[name]["hi"])]
        for name, said in words.items()
    ]
    foot = [f"of the pairs as measured {share(found['observed'])} are discordant"]
    gaps = [
        [
            span(each["gap_lo"], each["gap_hi"]),
            number(each["median"], 3),
            span(each["lo"], each["hi"]),
        ]
        for each in found["by_gap"]
    ]
    columns = ("median", f"{MASS} interval")
    return [
        Sheet(("", *columns), rows, f"loss and task, {found['rows']} models", foot),
        Sheet(("difference in loss", *columns), gaps, "P(the lower loss is worse)"),
    ]


# ------------------------------------------------------------------ prior and data


def sensitivity(found: Summary) -> list[Sheet]:
    """Return of each quantity whose it is; and where it goes under other priors."""
    first, second = [], []
    for name, each in found["quantities"].items():
        own = [number(each["median"]), span(each["lo"], each["hi"])]
        rates = [number(each[of], 2) for of in ("prior", "data")]
        first.append([name, each["diagnosis"], *own, *rates, share(each["part"])])
        cells = [name]
        for way in ("weaker_prior", "stronger_prior"):
            ends = each["under"][way]
            cells += [number(ends["median"]), span(ends["lo"], ends["hi"])]
        second.append(cells)
    powers = [number(found["powers"][way]) for way in ("weaker_prior", "stronger_prior")]
    columns = ("", "", "median", f"{MASS} interval", "sensitivity\nto prior", "to data")
    head = "whose each quantity is: the prior's, or the data's"
    names = [f"prior to\nthe {power}" for power in powers]
    after = ("", names[0], f"{MASS} interval", names[1], f"{MASS} interval")
    return [
        Sheet((*columns, "prior's\npart"), first, head, left=2),
        Sheet(after, second, "and under a weaker prior, and a stronger one"),
    ]
