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

from ..messages import Note, option

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = [
    "bare",
    "counts",
    "each_curve",
    "in_curves",
    "not_flop",
    "remarks",
    "some_curves",
    "words",
]

LEAST = {"params": (1e5, 1e7), "tokens": (1e6, 1e8)}
"""The largest scale of a table is in another unit below the first; below the second, where its
name says so. Models of 1e5 parameters are trained to show something, none is the largest of a
study; GPT-3 in millions has 1.75e5."""
PLAUSIBLE = {"params": (1e7, 1e13), "tokens": (1e8, 1e14)}
"""Where the largest scale lies in the unit that is guessed."""
UNITS = {1e9: "b bn billion billions", 1e6: "m mn million millions mparams mtokens"}
UNITS |= {1e12: "t tn trillion trillions", 1e3: "k thousand thousands"}
FACTORS = {word: factor for factor, names in UNITS.items() for word in names.split()}
CALLED = {1e9: "billions", 1e6: "millions", 1e12: "trillions", 1e3: "thousands"}
NEVER = {"params": "below what any model has", "tokens": "fewer than any model was trained on"}
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
_POWERS = {"log10": "10**{}", "log2": "2**{}", "ln": "exp({})", "log": "10**{}"}
LOGARITHMS, LOGARITHM = {*_POWERS}, 100.0
"""Words of a column that holds logarithms, and what none of a scale reaches."""
LINE = 0.05
"""Share of its own spread in log scale that one scale must vary by beside another."""


class Unit(NamedTuple):
    """A scale that is counted in something else than parameters or tokens."""

    role: str
    said: str
    """`N is at most 2.5, below what any model has`."""
    written: str
    """What makes the scale of its column, such as `params_b*1e9`."""
    factor: float | None
    """What it is to be multiplied by; None where no number is known."""


def remarks(data: Dataset) -> list[Note]:
    """Return what should be said of the scales, a line each."""
    units = [*_units(data)]
    notes = [_unit_note(each) for each in units]
    if not {"N", "D"} & {each.role for each in units}:
        notes += _swapped(data)
    return [*notes, *_calendar(data), *_unique(data), *_line(data)]


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


def words(text: str) -> list[str]:
    """Return the words of a column's name in lower case: `params_B` has params and b."""
    apart = re.sub(r"([a-z])([A-Z][a-z])", r"\1 \2", text)
    return [word.lower() for word in re.split(r"[^0-9A-Za-z.%@]+", apart) if word]


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


def _units(data: Dataset) -> Iterator[Unit]:
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
        parts = words(name) if name is not None else []
        known = [FACTORS[word] for word in parts[1:] if word in FACTORS]
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
    found = LOGARITHMS & {*words(name)} if name is not None else set()
    return _POWERS[found.pop()].format(text) if found else None


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
    if "logarithm" in unit.said:
        ask = "laws take the scale itself: "
    name = "" if unit.role == "x" else f"{unit.role}="
    return Note("units", f"{unit.said}: {ask}{option('x', name + unit.written)}")


def not_flop(data: Dataset) -> tuple[str, str] | None:
    """Return why 6 N D is no FLOP for these scales, and what to write; None where it is.

    That N is below what any model has, or D fewer tokens than any was trained on, or that their
    columns are of something else: epochs, hours, images, widths.
    """
    found = {each.role: each for each in _units(data) if each.role in ("N", "D")}
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
    if all(each.factor for each in found.values()):
        total = np.prod([each.factor for each in found.values()])
        cost = f"6e{np.log10(total):.0f}*N*D"
    elif "logarithm" not in why:
        units = [each.written.rpartition("*")[2] for each in found.values()]
        cost = "*".join(["6*N*D", *units])
    else:
        return why, f"fit the scales themselves: {again}"
    return why, f"fit with {again}, or say what a run costs in FLOP: {option('cost', cost)}"


# ------------------------------------------------------------------ scales beside each other


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


def _input_like(data: Dataset, name: str, word: str) -> str | None:
    if name in data.inputs:
        return name
    return next((role for role in data.inputs if word in data.columns[role].lower()), None)


def _swapped(data: Dataset) -> list[Note]:
    size, tokens = (_input_like(data, *each) for each in (("N", "param"), ("D", "token")))
    if not size or not tokens or size == tokens:
        return []
    share = 100 * np.mean(data.inputs[size] > data.inputs[tokens])
    note = f"{size} exceeds {tokens} in {share:.0f} % of rows: check order and units"
    return [Note("swapped", note)] if share > 50 else []


def _unique(data: Dataset) -> list[Note]:
    """Say that more tokens are unique than there are."""
    if not {"U", "D"} <= set(data.inputs):
        return []
    over = data.inputs["U"] > data.inputs["D"] * (1 + 1e-6)
    if not over.any():
        return []
    row = data.rows[np.flatnonzero(over)[0]]
    said = f"U exceeds D in {over.sum()} of {len(data)} rows (first: row {row})"
    if over.all():
        return [Note("unique", f"{said}: are they swapped, or in other units?")]
    u, d = (f"({data.columns[name]})" for name in "UD")
    least = option("x", f"U=({u}+{d}-abs({u}-{d}))/2")
    said += f": of what was not seen nothing is learnt; the lesser is {least}"
    return [Note("unique", said)]


def _line(data: Dataset) -> list[Note]:
    """Say that one scale follows another, so that their exponents cannot be told apart."""
    other = next((name for name in ("D", "S") if name in data.inputs), None)
    if "N" not in data.inputs or other is None:
        return []
    N, D = data.inputs["N"], data.inputs[other]
    each = {name: _tied(other, N[own], D[own]) for name, own in each_curve(data)}
    found = {name: said for name, said in each.items() if said}
    if not found:
        return []
    where = some_curves([*found], len(data.curve_names)) if data.curve is not None else ""
    why = next(iter(found.values()))
    return [Note("line", f"{where}{why}; add runs off this line, or fit one scale")]


def _tied(other: str, N: np.ndarray, D: np.ndarray) -> str | None:
    """Return how D follows N and what that means, None where it does not."""
    if len(N) < 3:
        return None
    n, d = np.log(N), np.log(D)
    for name, values in (("N", n), (other, d)):
        if np.ptp(values) < 1e-9:
            said = f"{name} is {np.exp(values[0]):.4g} in every row"
            return f"{said}: what it does is told by the prior alone"
    slope = float(np.cov(n, d)[0, 1] / np.var(n, ddof=1))
    left = d - d.mean() - slope * (n - n.mean())
    if left.std() > LINE * min(d.std(), n.std()):
        return None
    along = f"{other} goes with N^{slope:.2f}"
    for power, name in ((1, f"{other}/N"), (-1, f"N {other}")):
        if abs(slope - power) < LINE:
            logs = d - power * n
            within = np.expm1(np.abs(logs - np.median(logs)).max())
            along = f"{name} is {np.exp(np.median(logs)):.4g}, within {within:.0%},"
    return (
        f"{along} in every row: what N and what {other} do cannot be told apart, nor their "
        "exponents, nor a best split, but by the prior"
    )
