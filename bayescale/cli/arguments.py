"""arguments: what the texts of a command line stand for.

A law with what is fixed and tied, a table with its roles, a sampler, scales to ask about. Texts
are parsed, never evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import datasets
from ..data.cells import measure
from ..data.dataset import Dataset
from ..data.formula import in_inputs
from ..data.from_frame import from_frame
from ..datasets.published import place
from ..inference.samplers import MAP, NUTS, Laplace
from ..laws.names import get_law, get_prior
from ..messages import DataError
from ..parametric.parametric import Law
from ..posterior.posterior import Posterior
from ..questions import predict as prediction
from ..reading.read_table import STDIN, read_table
from ..reading.to_long import parse_long, to_long

__all__ = [
    "Roles",
    "assignments",
    "build_data",
    "build_law",
    "build_sampler",
    "echo",
    "level",
    "names",
    "noise",
    "numbers",
    "priors",
    "rules",
    "scales",
]

Texts = Iterable[str]


@dataclass(frozen=True)
class Roles:
    """Which columns of a table are what, as the command line gives it."""

    x: Sequence[str] | None = None
    y: Sequence[str] | None = None
    n: str | None = None
    stderr: str | None = None
    chance: str | None = None
    limit: str | None = None
    curve: Sequence[str] | None = None
    group: Sequence[str] | None = None
    run: Sequence[str] | None = None
    best: Sequence[str] | None = None
    where: str | None = None
    duplicates: str = "error"
    long: Sequence[str] | None = None


def assignments(texts: Iterable[str], flag: str) -> dict[str, str]:
    """Return name -> text of `E=1.8,A=3` and the like, each name once.

    Raises
    ------
    ValueError
        Naming the flag, the text and how it is written.
    """
    found: dict[str, str] = {}
    # A comma in backticks is of a column's name, which ends at the last "=".
    for part in re.split(r",(?=(?:[^`]*`[^`]*`)*[^`]*$)", ",".join(texts)):
        name, equals, text = (each.strip() for each in part.rpartition("="))
        if not (name and equals and text):
            more = f"write {flag} NAME=VALUE,..., and {flag} again for others"
            raise ValueError(f"{flag}: {part!r} is no assignment; {more}")
        if name in found:
            raise ValueError(f"{flag}: {name} is given twice; give it once")
        found[name] = text
    return found


def numbers(texts: Iterable[str], flag: str, only: str | None = None) -> dict[str, float]:
    """Return name -> number of `N=7e10,D=1.4e12`; a bare number stands for `only`.

    Raises
    ------
    ValueError
        Naming the flag, the text and how it is written.
    """
    texts = list(texts)
    if only and len(texts) == 1 and "=" not in texts[0]:
        texts = [f"{only}={texts[0]}"]
    found = {}
    for name, text in assignments(texts, flag).items():
        found[name] = measure(text)
        if found[name] is None:
            example = f"write {flag} {name}=NUMBER, such as {name}=7e10"
            raise ValueError(f"{flag}: {text!r} is no number for {name}; {example}")
    return found


def rules(texts: Iterable[str], flag: str) -> dict[str, float | str]:
    """Return name -> number, or the text of arithmetic: `U=1e11,D=20*N`.

    Raises
    ------
    ValueError
        Naming the flag, the text and how it is written.
    """
    found: dict[str, float | str] = {}
    for name, text in assignments(texts, flag).items():
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = text
    return found


def names(texts: Iterable[str] | str | None) -> tuple[str, ...] | None:
    """Return the names of `x50,g` or `sigmoid,broken(2, True)`; None where there are none.

    A comma in backticks is of a column's name.
    """
    joined = texts if isinstance(texts, str) else ",".join(texts or ())
    parts = re.split(r",(?![^()]*\))(?=(?:[^`]*`[^`]*`)*[^`]*$)", joined)
    return tuple(part.strip() for part in parts if part.strip()) or None


def noise(texts: Iterable[str] | None) -> str | dict[str, str] | None:
    """Return the noise that is named, or the noise by response: `loss=student`.

    Raises
    ------
    ValueError
        If several are given and one does not say of which response it is, or one twice.
    """
    texts = list(texts or ())
    pairs = [re.fullmatch(r"\s*(\w+)\s*=\s*(.+)", text) for text in texts]
    if len(texts) == 1 and pairs[0] is None:
        return texts[0]
    found: dict[str, str] = {}
    for text, pair in zip(texts, pairs, strict=True):
        if pair is None:
            raise ValueError(f"--noise: {text!r} is of which response? write --noise NAME={text}")
        if pair[1] in found:
            raise ValueError(f"--noise: {pair[1]} is given twice; give it once")
        found[pair[1]] = pair[2]
    return found or None


def level(text: str | None) -> float | str | None:
    """Return a level as a number, or `half`; a ValueError if it is neither."""
    try:
        return text if text is None or text == "half" else float(text)
    except ValueError:
        raise ValueError(f"--level: a level is a number, or half, not {text!r}") from None


def scales(texts: Iterable[str], flag: str, posterior: Posterior) -> dict[str, np.ndarray]:
    """Return the law's inputs at several points, one text a point.

    Raises
    ------
    ValueError
        Naming the flag and the text, or the name that is no scale of the fit.
    """
    inputs = posterior.law.inputs
    only = inputs[0] if len(inputs) == 1 else None
    asked = [in_inputs(text, posterior.data.columns, inputs) for text in texts]
    points = [prediction.scales(posterior, numbers([text], flag, only)) for text in asked]
    return {name: np.concatenate([point[name] for point in points]) for name in inputs}


def priors(texts: Iterable[str]) -> dict[str, object]:
    """Return name -> prior of `alpha=positive(.1,.5),E=real(0,3)`; a ValueError for other texts."""
    found: dict[str, object] = {}
    for part in names(texts) or ():
        name, _, text = (each.strip() for each in part.partition("="))
        if name in found:
            raise ValueError(f"--prior: {name} is given twice; give it once")
        try:
            found[name] = get_prior(text)
        except ValueError as error:
            raise ValueError(f"--prior: {name}: {error}") from None
    return found


def build_law(table: str, name: str | None, fix: Texts, tie: Texts, prior: Texts = ()) -> Law:
    """Return the law of this name, or that of a named data set, as the options change it.

    Raises
    ------
    ValueError
        If there is no such law, option or parameter.
    """
    if name is None and table in datasets.names():
        name = datasets.describe(table).law
    if name is None:
        raise ValueError("no law is named; give --law, such as --law power (bayescale laws)")
    try:
        law = get_law(name)
    except TypeError as error:  # an option of a type that the law does not take
        raise ValueError(f"the law {name!r}: {error}") from None
    fix, tie = list(fix), list(tie)
    if fix:
        law = law.fix(**numbers(fix, "--fix"))
    for one, other in (assignments(tie, "--tie") if tie else {}).items():
        law = law.tie(one, other)
    given = priors(prior)
    for both in {*given} & {*law.parameters} - {*law.free}:
        raise ValueError(f"--prior: {both} is fixed or tied already; say one of the two")
    return law.with_priors(**given)


def build_sampler(
    name: str, chains: int, draws: int, warmup: int, **more: float
) -> NUTS | Laplace | MAP:
    """Return the sampler of this name.

    Raises
    ------
    ValueError
        If there is no such sampler, or a number is too small for it.
    """
    known = {
        "nuts": lambda: NUTS(chains=chains, draws=draws, warmup=warmup, **more),
        "laplace": lambda: Laplace(draws=chains * draws),
        "map": MAP,
    }
    if name.lower() not in known:
        raise ValueError(f"unknown sampler {name!r}; the samplers are {', '.join(known)}")
    return known[name.lower()]()


def build_data(table: str, roles: Roles, law: Law, further: Sequence[str] = ()) -> Dataset:
    """Return the checked rows of a file or of a named data set.

    Parameters
    ----------
    table
        A file that `read_table` reads, `-`, or a name of `datasets.names`.
    roles
        Columns; for a named data set the usual ones where neither x nor y is given.
    law
        The law whose inputs the columns are, the further ones last.

    Raises
    ------
    DataError
        Naming source, row, column, value and remedy.
    """
    inputs = (*law.inputs, *further)
    named = table in datasets.names()
    roles = _usual(table, roles, inputs) if named else roles
    for flag, given in (("-x", roles.x), ("-y", roles.y)):
        if not given:
            example = " ".join(f"-x {name}=COLUMN" for name in inputs)
            raise DataError(f"{table}: {flag} is missing; {law.name} takes {example} -y COLUMN")
    if not (named or table == STDIN or Path(table).suffix or Path(table).exists()):
        known = ", ".join(datasets.names())
        raise DataError(f"{table}: there is no such file, nor a data set; data sets are {known}")
    source = "standard input" if table == STDIN else table
    frame = datasets.load(table) if named else read_table(table)
    if roles.long:
        frame = to_long(frame, *parse_long(roles.long), source=source)
        source += ", as rows"
    return from_frame(
        frame,
        roles.x,
        roles.y,
        n=roles.n,
        stderr=roles.stderr,
        chance=roles.chance,
        limit=roles.limit,
        curve=roles.curve,
        group=roles.group,
        run=roles.run,
        best=roles.best,
        where=roles.where,
        duplicates=roles.duplicates,
        source=source,
        input_names=inputs,
    )


def echo(data: Dataset) -> list[str]:
    """Return lines that say which column is what, its range, and where its largest scale stands."""
    lines = data.describe()
    for i, (name, values) in enumerate(data.inputs.items(), 1):
        where = place(np.log10(values.max()), f"{name} {data.columns[name]}").lstrip(", ")
        lines[i] += f"; the largest is {where}" if where else ""
    return [*lines, *(f"note: {note}" for note in data.notes)]


def _usual(table: str, roles: Roles, inputs: Sequence[str]) -> Roles:
    """Fill in the roles that a named data set usually has."""
    info = datasets.describe(table)
    if info.law is None:
        raise DataError(f"{table}: is not to be fitted: {info.description}")
    if roles.x or roles.y:
        return roles
    columns = [*info.x.values()]
    if set(info.x) == set(inputs):
        columns = [info.x[name] for name in inputs]
    return replace(
        roles,
        x=columns,
        y=[info.y] if info.y else None,
        n=roles.n or info.n,
        curve=roles.curve or ([info.curve] if info.curve else None),
        where=roles.where or info.where,
    )
