"""catalogue: the laws, the named data sets and the installation, as tables for a terminal."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from ... import datasets
from ...posterior.display import count
from .layout import sheet

__all__ = ["data_set", "data_sets", "info", "law", "laws", "values"]

PACKAGES = ("bayescale", "jax", "jaxlib", "numpyro", "blackjax", "numpy", "pandas", "matplotlib")
SUPPORTS = {"unit": "from 0 to 1", "positive": "above 0", "real": "any number"}


def laws() -> RenderableType:
    """Return one row a law: formula, inputs, parameters."""
    from ...laws import LAWS, get_law

    made = sheet("law", "formula", "inputs", "parameters")
    for name in LAWS:
        found = get_law(name)
        head, _ = _described(name, found.doc)
        made.add_row(name, head, " ".join(found.inputs), " ".join(found.parameters))
    return Group(made, Text("\nbayescale laws NAME says more, with options and sources", "dim"))


def law(name: str) -> RenderableType:
    """Return everything about one law.

    Raises
    ------
    ValueError
        If there is no such law, or it does not take such options.
    """
    from ...laws import get_law

    found = get_law(name)
    head, rest = _described(name, found.doc)
    facts = sheet("", "")
    inputs = (f"{x} (less is better)" if x in found.less_is_better else x for x in found.inputs)
    facts.add_row("inputs", " ".join(inputs))
    better = {"down": "lower is better", "up": "higher is better"}[found.improves]
    better += ", and it gets worse with scale" * found.worsens
    facts.add_row("response", f"{found.response}, {SUPPORTS[found.support]}; {better}")
    for name, support in found.further:
        facts.add_row("and", f"{name}, {SUPPORTS[support]}: -y {name}=COLUMN")
    priors = sheet("parameter", "prior")
    for parameter, text in found.stated().items():
        priors.add_row(parameter, text)
    hint = Text("another prior: bayescale fit --prior 'NAME=positive(lo,hi)'", "dim")
    shown = (Text(f"{found.name}", "bold"), Text(head), facts, priors, hint)
    return Group(*shown, Text(f"\n{_flowing(rest)}"))


def values(name: str | None, at: Sequence[str], fix: Sequence[str]) -> RenderableType:
    """Return what a law says at scales, one row a scale and source of its constants.

    Raises
    ------
    ValueError
        If there is no such law, scale or parameter, or no constants are known.
    """
    from ...laws import get_law, value_at
    from ..arguments import numbers

    if not (name and at):
        raise ValueError("name a law and a scale: bayescale laws chinchilla --at N=7e10,D=1.4e12")
    found = get_law(name)
    only = found.inputs[0] if len(found.inputs) == 1 else None
    points = [numbers([each], "--at", only) for each in at]
    constants = numbers(fix, "--fix") if fix else {}
    made = sheet(*found.inputs, found.response, "constants")
    for point in points:
        for source, value in value_at(found, point, constants).items():
            scales = (count(point[each]) for each in found.inputs)
            made.add_row(*scales, f"{float(value):.4g}", source)
    unit = f", in {found.unit}" * bool(found.unit)
    head, _ = _described(name, found.doc)
    said = [f"{found.response}{unit}; no data, no interval"]
    if not fix and {"N", "D"} & {*found.inputs}:
        said += _odd_units(points)
    return Group(Text(head), made, *(Text(each, "dim") for each in said))


def _odd_units(points: Sequence[Mapping[str, float]]) -> list[str]:
    """Return what is to be said of parameters and tokens that published constants are not of."""
    from ...data.scales import LEAST, NEVER

    notes = []
    for name, kind in (("N", "params"), ("D", "tokens")):
        least = min((point[name] for point in points if name in point), default=LEAST[kind][0])
        if least < LEAST[kind][0]:
            odd = f"note: {name} = {least:.4g} is {NEVER[kind]}"
            notes.append(f"{odd}: in billions? {name}={least:.4g}B")
    return notes


def _flowing(doc: str) -> str:
    """Return a docstring whose plain paragraphs are a line each, to be wrapped by the terminal."""
    parts = doc.split("\n\n")
    plain = [not any(line.startswith((" ", "--")) for line in part.split("\n")) for part in parts]
    return "\n\n".join(
        part.replace("\n", " ") if whole else part for part, whole in zip(parts, plain, strict=True)
    )


def _described(name: str, doc: str) -> tuple[str, str]:
    """Return the first paragraph of a law's docstring, or of its factory's, and the rest."""
    from inspect import getdoc

    from ...laws import LAWS
    from ...parametric.parametric import Law

    made = LAWS[name.partition("(")[0].strip()]
    text = doc if isinstance(made, Law) else (getdoc(made) or doc)
    head, _, rest = text.partition("\n\n")
    return " ".join(head.split()), rest


def data_sets() -> RenderableType:
    """Return one row a named data set."""
    made = sheet("name", "what it is", "fit")
    for name in datasets.names():
        found = datasets.describe(name)
        made.add_row(name, found.description, found.law or "-")
    return Group(made, Text("\nbayescale fit NAME uses the usual law and columns", "dim"))


def data_set(name: str) -> RenderableType:
    """Return everything about one named data set.

    Raises
    ------
    DatasetError
        If there is no such table.
    """
    found = datasets.describe(name)
    made = sheet("column", "meaning")
    for column, meaning in found.columns.items():
        made.add_row(column, meaning)
    lines = [f"source: {found.source}", f"licence: {found.licence}"]
    if found.law:
        roles = " ".join(f"-x {role}={column}" for role, column in found.x.items())
        roles += f" -y {found.y}" + f" -n {found.n}" * bool(found.n)
        roles += f" --curve {found.curve}" * bool(found.curve)
        roles += f" --where '{found.where}'" * bool(found.where)
        lines.append(f"usually: bayescale fit {name} --law {found.law} {roles}")
    head = (Text(name, "bold"), Text(found.description))
    return Group(*head, made, Text("\n" + "\n".join(lines)))


def info(cache: Path, kept: Path | None) -> RenderableType:
    """Return versions, devices and folders.

    Parameters
    ----------
    cache
        The folder for what is kept from run to run.
    kept
        Where compiled programs are kept, None where they cannot be.
    """
    import jax

    made = sheet("", "")
    made.add_row("python", platform.python_version())
    for package in PACKAGES:
        made.add_row(package, version(package))
    made.add_row("devices", ", ".join(map(str, jax.devices())))
    made.add_row("cache", str(cache))
    made.add_row("programs", str(kept or "not kept: the cache folder cannot be written"))
    return made
