"""What the scales of a table are: parameters and tokens, or something else; notes, and 6 N D.

A scale is taken for parameters or tokens where a law calls it N, D or U, or where its column does.
Numbers below what any model has are in other units; so are columns whose names say so
(`params_b`, `tokens (M)`, `epochs`). Nothing is converted: what to write stands in the note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..messages import Note, leave_out, option, quoted, refuse
from .shares import words

if TYPE_CHECKING:
    from .dataset import Dataset
    from .table import Table

__all__ = [
    "bare",
    "counts",
    "each_curve",
    "in_curves",
    "not_flop",
    "remarks",
    "scale_of",
    "some_curves",
    "units_of",
]

LEAST = {"params": (1e5, 1e7), "tokens": (1e6, 1e8)}
"""The largest scale of a table is in another unit below the first; below the second, where its
name says so. Models of 1e5 parameters are trained to show something, none is the largest of a
study; GPT-3 in millions has 1.75e5."""
PLAUSIBLE = {"params": (1e7, 1e13), "tokens": (1e8, 1e14)}
"""Where the largest scale lies in the unit that is guessed."""
MOST = {"params": 1e14, "tokens": 1e16}
"""More than any model has, or was trained on: the largest scale is of something else, as FLOP."""
UNITS = {1e9: "b bn billion billions mrd mld", 1e6: "m mn million millions mio mparams mtokens"}
UNITS |= {1e12: "t tn trillion trillions", 1e3: "k thousand thousands"}
FACTORS = {word: factor for factor, names in UNITS.items() for word in names.split()}
CALLED = {1e9: "billions", 1e6: "millions", 1e12: "trillions", 1e3: "thousands"}
NEVER = {"params": "below what any model has", "tokens": "fewer than any model was trained on"}
BEYOND = {"params": "above what any model has", "tokens": "more than any model was trained on"}
NOUN = {"params": "parameters", "tokens": "tokens"}
OTHER = {
    word
    for words in (
        "epoch hour day week second minute step iteration iter update batch sample image example",
        "sequence document sentence character char byte flop gflop tflop mac gmac gpu tpu dollar",
        "width embd dim depth layer head expert",
    )
    for word in words.split()
}
"""What a scale may count that is neither parameters nor tokens."""
_POWERS = {"log10": "10**{}", "log2": "2**{}", "ln": "exp({})", "log": "10**{}", "lg": "10**{}"}
LOGARITHM, LARGEST = 100.0, 1e30
"""What no logarithm of a scale reaches, and what no scale does."""
_LOGGED = re.compile(
    r"(?:^|[^A-Za-z])(log10|log2|log|ln|lg)(?=[_ .(/-]|$|\d|[A-Z]|flop|comp|param|tok)"
)
"""The name of a column that holds logarithms: `log10_flops`, `logC`, `ln(N)`."""


FEWEST = 1e9
"""The largest FLOP of a table are in another unit below this."""


class Unit(NamedTuple):
    """A scale that is counted in something else than parameters or tokens."""

    role: str
    said: str
    """`N is at most 2.5, below what any model has`."""
    written: str
    """What makes the scale of its column, such as `params_b*1e9`."""
    factor: float | None
    """What it is to be multiplied by; None where no number is known."""


COUNTED = 1000
"""Whole numbers up to here with 0 among them may be counts, or the steps of a setting."""


def scale_of(table: Table, text: str) -> np.ndarray:
    """Return the values of a scale; what is none (categories, indicators, 0) is told what to be.

    A law takes scales above 0 alone.
    """
    name = text if text in table.known else bare(text)
    known = name in table.known
    made = f"{quoted(name)} + 1" if known else f"({text}) + 1"
    ways = f"{option('curve', name)}, or pool them, {option('group', name)}" if known else ""
    cells = table.column(name) if known else np.empty(0)
    words = [isinstance(each, str) and not any(map(str.isdigit, each)) for each in cells]
    if words and all(words):
        indicator = f"({quoted(name)} == {str(cells[0])!r}) + 1"
        remedy = f"categories are no scale: fit each apart, {ways}; or as an indicator, {indicator}"
        place = dict(row=int(table.rows[0]), column=name, value=cells[0])
        refuse(table.source, "is no number", remedy, **place)
    values = table.number(text)
    seen = set(values.tolist())
    if 0.0 not in seen or len(seen) == 1:
        return values
    place = dict(row=int(table.rows[np.flatnonzero(values == 0)[0]]), column=text)
    if seen == {0.0, 1.0}:
        remedy = f"a scale is above 0: take 1 and 2, {made}"
        remedy += f", or fit the two apart, {ways}" * known
        problem = "the column holds 0 and 1 alone, as an indicator does"
        refuse(table.source, problem, remedy, **place)
    if all(each >= 0 and each == int(each) and each <= COUNTED for each in seen):
        remedy = leave_out(f"{text} > 0", table.where)
        remedy += f"; a law of your own that takes counts is given one more, {made}"
        refuse(table.source, "is not above 0", remedy, **place, value=0.0)
    return values


def remarks(data: Dataset) -> list[Note]:
    """Return what should be said of each scale, a line each."""
    return [*map(_unit_note, units_of(data)), *_flop(data), *_calendar(data)]


def _flop(data: Dataset) -> Iterator[Note]:
    """Yield scales that are called FLOP and are fewer than any training takes."""
    for role, x in data.inputs.items():
        text, most = data.columns[role], float(x.max(initial=0))
        name = {*words(text)}
        if most >= FEWEST or not {"flop", "flops"} & name or {"per", "day", "days", "hours"} & name:
            continue
        if len(x) and not _unlogged(text, most):
            unit = re.search(r"(?:10\^|e)(\d\d)(?!\d)", text)
            made = f"{text}*1e{unit[1]}" if unit else f"{text}*UNIT"
            made = made if role == "x" else f"{role}={made}"
            said = f"{_shown(data, role)} is at most {most:.4g}, fewer FLOP than any training takes"
            yield Note("units", f"{said}: in which unit? {option('x', made)}")


def _calendar(data: Dataset) -> Iterator[Note]:
    """Yield scales that are years as they stand: on a log axis 2020 and 2024 are one place."""
    for role, x in data.inputs.items():
        text = data.columns[role]
        named = {"year", "years", "date", "dates"} & {*words(text)}
        if len(x) and named and x.min() >= 1900 and x.max() <= 2200:
            inner = re.fullmatch(r"years\((.+)\)", text.strip())
            made = f"exp(years({inner[1] if inner else text}) - {np.floor(x.min()):.0f})"
            said = (
                f"{_shown(data, role)} is of years, {x.min():.4g} to {x.max():.4g}: laws are of "
                f"log scale, on which these are one; along {made} a year is a factor of e: "
            )
            yield Note("calendar", said + option("x", made if role == "x" else f"{role}={made}"))


# ------------------------------------------------------------------ units


def bare(text: str) -> str | None:
    """Return the name of a column that stands for itself, None for arithmetic."""
    quoted = re.fullmatch(r"`([^`]*)`", text)
    return quoted[1] if quoted else text if re.fullmatch(r"\w+", text) else None


def counts(role: str, text: str) -> str | None:
    """Return what a scale should count: params, tokens, or None."""
    if role in ("N", "D", "U"):
        return "params" if role == "N" else "tokens"
    if role not in ("x", text, bare(text)) or "/" in text:
        return None
    name = words(text)
    found = [kind for kind in NOUN if any(word.startswith(kind[:5]) for word in name)]
    return found[0] if len(found) == 1 and "per" not in name else None


def _stem(name: list[str]) -> str | None:
    """Return the word that says that something else is counted, None where none does."""
    if "per" not in name and any("param" in word or "token" in word for word in name):
        return None
    return next((word for word in name if word.removesuffix("s") in OTHER), None)


def units_of(data: Dataset) -> Iterator[Unit]:
    """Yield the scales that are too small to be parameters or tokens."""
    for role, x in data.inputs.items():
        text = data.columns[role]
        kind = counts(role, text)
        if not len(x):
            continue
        if scale := _unlogged(text, float(x.max())):
            yield Unit(role, f"{_shown(data, role)} is a logarithm", scale, None)
            continue
        if kind is None:
            continue
        name, most = bare(text), float(x.max())
        by_value, by_name = LEAST[kind]
        parts = [word.strip(".") for word in words(name)] if name is not None else []
        known = [FACTORS[word] for word in parts[1:] if word in FACTORS]
        if most > MOST[kind]:
            flop = f"{text}/(6*{data.columns['N']})" if role == "D" and "N" in data.inputs else None
            said = f"{_shown(data, role)} is up to {most:.4g}, {BEYOND[kind]}"
            yield Unit(role, said, flop or f"{text}/UNIT", None)
            continue
        if most < (by_name if known else by_value):
            said = f"{_shown(data, role)} is at most {most:.4g}, {NEVER[kind]}"
            if not known and (stem := _stem(parts)):
                yield Unit(role, said, f"{text}*{NOUN[kind].upper()}_PER_{_one(stem)}", None)
                continue
            factor = known[0] if known else _guess(most, *PLAUSIBLE[kind])
            atom = text if name is not None else f"({text})"
            times = f"1e{np.log10(factor):.0f}" if factor else "UNIT"
            yield Unit(role, said, f"{atom}*{times}", factor)


def _unlogged(text: str, most: float) -> str | None:
    """Return what makes the scale of its logarithm, None for what is none."""
    if most >= LOGARITHM:
        return None
    if inside := re.fullmatch(r"\s*log(2|10)?\s*\(([^()]*)\)\s*", text):
        return inside[2]
    name = bare(text)
    found = _LOGGED.search(name) if name is not None else None
    if found is None:
        return None
    natural = found[1] == "log" and 10**most > MOST.get(counts("x", text) or "", LARGEST)
    return _POWERS["ln" if natural else found[1]].format(text)


def _shown(data: Dataset, role: str) -> str:
    return data.columns[role] if role == "x" else role


def _one(stem: str) -> str:
    return stem.removesuffix("s").upper()


def _guess(most: float, least: float, largest: float) -> float | None:
    return next((factor for factor in CALLED if least <= factor * most <= largest), None)


def _unit_note(unit: Unit) -> Note:
    ask = f"in {CALLED[unit.factor]}? " if unit.factor in CALLED else ""
    if "PER_" in unit.written or "UNIT" in unit.written:
        ask = "in which unit? "
    if "/(6*" in unit.written:
        ask = "FLOP? tokens are FLOP/(6 N): "
    if "logarithm" in unit.said:
        ask = "laws take the scale itself: "
    name = "" if unit.role == "x" else f"{unit.role}="
    return Note("units", f"{unit.said}: {ask}{option('x', name + unit.written)}")


def not_flop(data: Dataset, costs: bool = True) -> tuple[str, str] | None:
    """Return why 6 N D is no FLOP for these scales, and what to write; None where it is.

    That N is below what any model has, or D fewer tokens than any was trained on, or that their
    columns are of something else: epochs, hours, images, widths.

    Parameters
    ----------
    costs
        Whether the question takes another cost.
    """
    found = {each.role: each for each in units_of(data) if each.role in ("N", "D")}
    for role in ("N", "D"):
        name = bare(data.columns[role])
        stem = None if name is None or role in found else _stem(words(name))
        if stem is not None:
            kind = "parameters" if role == "N" else "tokens"
            made = f"{data.columns[role]}*{kind.upper()}_PER_{_one(stem)}"
            found[role] = Unit(role, f"{role} = {name} counts no {kind}", made, None)
    if not found:
        return None
    why = ", and ".join(each.said for each in found.values())
    again = " ".join(f"-x '{role}={each.written}'" for role, each in found.items())
    cost = "6*N*D"
    if not costs:
        return why, f"give the scales themselves: {again}"
    if all(each.factor for each in found.values()):
        total = np.prod([each.factor for each in found.values()])
        cost = f"6e{np.log10(total):.0f}*N*D"
    elif all("PER_" in each.written or "*UNIT" in each.written for each in found.values()):
        units = [each.written.rpartition("*")[2] for each in found.values()]
        cost = "*".join(["6*N*D", *units])
    else:
        return why, f"fit the scales themselves: {again}"
    return why, f"fit with {again}, or say what a run costs in FLOP: {option('cost', cost)}"


# ------------------------------------------------------------------ curves


def in_curves(data: Dataset, rows: np.ndarray, measured: np.ndarray) -> str | None:
    """Return "" or "in 2 of 5 curves (...) " if all that is measured is in `rows`, else None."""
    if data.curve is None:
        return "" if rows[measured].all() else None
    curves = [(name, own[measured[own]]) for name, own in each_curve(data)]
    hits = [name for name, own in curves if len(own) and rows[own].all()]
    return some_curves(hits, len(curves)) if hits else None


def each_curve(data: Dataset) -> list[tuple[str, np.ndarray]]:
    """Return the name of each curve and the positions of its rows; "" and all where there is none.

    In the order in which they appear.
    """
    if data.curve is None:
        return [("", np.arange(len(data)))]
    number = {name: i for i, name in enumerate(data.curve_names)}
    of = np.array([number[name] for name in data.curve])
    ends = np.cumsum(np.bincount(of, minlength=len(number)))[:-1]
    return list(zip(number, np.split(np.argsort(of, kind="stable"), ends), strict=True))


def some_curves(hits: list[str], of: int) -> str:
    """Return "in 2 of 5 curves (first: 'one') "."""
    first = f"first: {hits[0]!r}" if len(hits) > 1 else repr(hits[0])
    return f"in {len(hits)} of {of} curves ({first}) "
