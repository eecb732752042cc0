"""to_long: columns that are scales, tasks or runs side by side, as one row each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.cells import WRITTEN, measure, measures, numbers, texts
from ..data.table import open_table
from ..messages import TOLD, near, one_line, refuse
from .written import Written

if TYPE_CHECKING:
    import pandas

__all__ = ["parse_long", "to_long"]


def to_long(
    frame: Any,
    label: str,
    values: Mapping[str, str | Iterable[str]],
    *,
    source: str = "table",
) -> pandas.DataFrame:
    """Return a wide table with one row for each cell that was measured.

    Parameters
    ----------
    frame
        Any data frame, or a mapping of arrays.
    label
        What the columns differ in, and the name of the column that says it: `task`, `run`,
        `params`. Where all labels are sizes, such as `70M` or `1e9`, it holds numbers.
    values
        Name of a new column -> the columns whose cells it takes: their names, or one text with a
        star for what differs, `"loss_*"`, `"* - eval/loss"`. Of several, all with stars, cells of
        one label stand in one row.
    source
        What messages call the table.

    Returns
    -------
    pandas.DataFrame
        `label`, the new columns, and all other columns as they were. Rows without a value are left
        out; a `Dataset` that is made of the table tells how many.

    Raises
    ------
    DataError
        For columns that are not there, names that are taken, and cells that are no numbers, naming
        row, column and value.

    Examples
    --------
    >>> wide = {"tokens": [1e9, 4e9], "loss_70M": [4.1, 3.7], "loss_160M": [3.8, 3.4]}
    >>> bs.to_long(wide, "params", {"loss": "loss_*"})
            params  loss        tokens
    0   70000000.0   4.1  1.000000e+09
    1   70000000.0   3.7  4.000000e+09
    2  160000000.0   3.8  1.000000e+09
    3  160000000.0   3.4  4.000000e+09
    """
    import pandas as pd

    table = open_table(frame, source)
    if not isinstance(values, Mapping):
        remedy = "say which columns make which, such as {'loss': 'loss_*'}"
        refuse(source, f"values is a {type(values).__name__}", remedy)
    found = {name: _columns(each, table.known, source) for name, each in values.items()}
    if not found:
        refuse(source, "no columns are named", "say which, such as {'loss': 'loss_*'}")
    labels = list(dict.fromkeys(each for columns in found.values() for each in columns))
    used = {column for columns in found.values() for column in columns.values()}
    others = [name for name in table.known if name not in used]
    for name in (label, *found):
        if name in others or (label, *found).count(name) > 1:
            refuse(source, f"the name {name!r} is taken", "give another")
    length = len(table.keep)
    cells = {
        name: np.concatenate(
            [
                _numbers(table, columns[each])
                if each in columns
                else np.full(length, np.nan, object)
                for each in labels
            ]
        )
        for name, columns in found.items()
    }
    # What is empty stays out: an export of runs side by side is empty where a run has no step.
    empty = [[each is None for each in texts(cells[name])] for name in found]
    kept = ~np.all(empty, axis=0)
    if not kept.any():
        refuse(source, f"no cell of {', '.join(sorted(used))} holds a value", "name other columns")
    sizes = _sizes(labels)
    columns: dict[str, Any] = {label: np.repeat(np.array(sizes, object), length)[kept]}
    columns |= {name: each[kept] for name, each in cells.items()}
    columns |= {name: np.tile(table.column(name), len(labels))[kept] for name in others}
    made = pd.DataFrame({name: _plain(each) for name, each in columns.items()})
    told = getattr(frame, "attrs", {}).get(TOLD, {})
    made.attrs[TOLD] = {**told, "long": _said(label, found, labels, kept)}
    written = {label: np.repeat(np.array(labels, object), length)[kept]}
    for name in others:
        if table.written(name) is not None:
            written[name] = np.tile(table.texts(name), len(labels))[kept]
    made.attrs[WRITTEN] = Written(made, written)
    return made


def parse_long(given: Iterable[str]) -> tuple[str, dict[str, str | list[str]]]:
    """Return label and values of texts such as `params:loss=loss_*`, `task:score=mmlu,arc`.

    Raises
    ------
    ValueError
        For a text that is none, several labels, or a name that is given twice.
    """
    label, values = None, {}
    for text in given:
        match = re.fullmatch(r"\s*([^:=]+?)\s*:\s*([^=]+?)\s*=\s*(.+)", text, re.DOTALL)
        if match is None:
            example = "write LABEL:NAME=COLUMNS, such as 'params:loss=loss_*'"
            raise ValueError(one_line(f"--long: cannot read {text!r}; {example}"))
        if label not in (None, match[1]):
            raise ValueError(f"--long: the columns differ in {label} or in {match[1]}? say one")
        if match[2] in values:
            raise ValueError(f"--long: {match[2]} is given twice; give it once")
        label, parts = match[1], re.split(r",(?=(?:[^`]*`[^`]*`)*[^`]*$)", match[3])
        names = [re.sub(r"^`(.*)`$", r"\1", part.strip()) for part in parts]
        values[match[2]] = names[0] if len(names) == 1 and "*" in names[0] else names
    if label is None:
        raise ValueError("--long: names no columns")
    return label, values


def _columns(given: str | Iterable[str], known: tuple[str, ...], source: str) -> dict[str, str]:
    """Return label -> column of names, or of a text with a star."""
    if isinstance(given, str) and "*" in given and given not in known:
        if given.count("*") > 1:
            refuse(source, f"{given!r} has several stars", "leave one, for what differs")
        head, tail = map(re.escape, given.split("*"))
        matches = [re.fullmatch(f"{head}(.+){tail}", name, re.DOTALL) for name in known]
        found = {match[1].strip(): match[0] for match in matches if match}
        if not found:
            refuse(source, f"no column is as {given!r}", near(given, known).lstrip("; "))
        return found
    names = [given] if isinstance(given, str) else list(given)
    for name in names:
        if name not in known:
            refuse(source, f"no column {name!r}", near(name, known).lstrip("; "))
    return {name: name for name in names}


def _numbers(table: Any, name: str) -> np.ndarray:
    """Return cells that are numbers, with units or without, or empty."""
    cells = table.column(name).astype(object)
    cells[[isinstance(cell, str) and not cell.strip() for cell in cells]] = None
    bad = measures(cells)[1]
    for at in np.flatnonzero(bad)[:1]:
        remedy = "correct it, or leave the cell empty"
        row = int(table.rows[at])
        refuse(table.source, "is no number", remedy, row=row, column=name, value=cells[at])
    return cells


def _sizes(labels: list[str]) -> list[Any]:
    """Return labels as numbers where all are sizes."""
    sizes = [measure(each) for each in labels]
    return labels if None in sizes or len(set(sizes)) < len(sizes) else sizes


def _plain(cells: np.ndarray) -> Any:
    """Return numbers as such, an empty cell among them as nan."""
    values, bad = numbers(cells) if cells.dtype.kind == "O" else (cells, np.zeros(1, bool))
    return cells if bad.any() or any(isinstance(c, str) for c in cells) else values


def _said(
    label: str, found: Mapping[str, Mapping[str, str]], labels: list[str], kept: np.ndarray
) -> str:
    columns = sum(map(len, found.values()))
    shown = ", ".join(map(str, labels[:4])) + ", ..." * (len(labels) > 4)
    said = f"{columns} columns stand in rows: {', '.join(found)} by {label} ({shown})"
    left = int(np.sum(~kept))
    return said + f"; {left} of {len(kept)} rows have no value and are left out" * bool(left)
