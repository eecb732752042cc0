"""from_frame: which columns of a table, or arithmetic on columns, are scales, responses and labels.

They are checked once. Nothing is repaired in silence: what a filter leaves out and what is dropped
as a copy is told in `Dataset.notes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..messages import TOLD, DataError, Note, as_notes, bare, option, quoted, refuse
from .beside import embeddings
from .best import best_rows
from .cells import numbers
from .dataset import EXTRAS, LABELS, Dataset
from .dependent import codes, dependent, settled
from .expression import ExpressionError
from .formula import ticked
from .given import mask_of, with_columns
from .notes import remarks, side_by_side, wide
from .scales import scale_of
from .table import Table, name_of, open_table

__all__ = ["as_dataset", "canonical", "from_frame", "rows_of"]

DUPLICATES = ("error", "keep", "drop")


def from_frame(
    frame: Any,
    x: Any,
    y: Any,
    *,
    n: Any = None,
    stderr: Any = None,
    chance: Any = None,
    limit: Any = None,
    curve: Any = None,
    group: Any = None,
    run: Any = None,
    best: str | Iterable[str] | None = None,
    where: Any = None,
    duplicates: str = "error",
    reference: Mapping[str, float] | None = None,
    source: str = "table",
    input_names: Iterable[str] | None = None,
) -> Dataset:
    """Return the checked Dataset that these columns of a table make.

    Parameters
    ----------
    frame
        Any dataframe (pandas, polars, pyarrow, ...; one that is lazy is collected), or a mapping
        of arrays.
    x
        The scales: columns or arithmetic on columns, `params` or `N=params_b*1e9`, one or
        several, or a mapping name -> text. Without names they are the law's inputs in order;
        without a law a single one is called "x", several are called by their texts. `units(col)`
        reads cells such as `75.3 B` or `2.00×10¹⁹`, `exp(years(col) - 2020)` dates. A column may be
        given as it is, a Series or an array of numbers, here and in all that follows.
    y
        The responses, likewise; a single one without a name is called "y". With several, a cell
        may be missing where a response was not measured.
    n, stderr, chance
        Questions, standard error and chance level: column, arithmetic or number.
    limit
        Detection limit of the response, likewise: a response at or below it, such as an error rate
        of 0, is only known to lie below it.
    curve, group, run
        Columns of labels: independent fits; partial pooling; and runs, whose rows are checkpoints
        or evaluations of one model, hence not independent. Seeds are runs of their own. Several
        columns are joined with "/".
    best
        Settings of a sweep, such as ["lr", "batch"]: of the rows at one scale those of the setting
        of the lowest mean response are kept (the highest of accuracies and what rises with scale).
    where
        The rows to keep, such as "family != 'T5' and loss < 5", or a mask.
    duplicates
        What to do with rows that agree in all columns used: "error", "keep" or "drop".
    reference
        Reference scales by name of input or response.
    source
        What messages call the table.
    input_names
        The law's inputs in order.

    Returns
    -------
    Dataset
        The rows kept, with a role for each column and notes on what was left out.

    Raises
    ------
    DataError
        Naming source, row, column, value and remedy.

    Examples
    --------
    >>> runs = {"params": [1e8, 1e9, 1e10], "loss": [3.9, 3.1, 2.6]}
    >>> data = bs.from_frame(runs, {"N": "params"}, "loss", where="params > 5e8")
    >>> data.inputs["N"].tolist(), data.responses["y"].tolist()
    ([1000000000.0, 10000000000.0], [3.1, 2.6])
    >>> rates = {"n_train": [100, 1000, 10000], "error": [0.2, 0.01, 0.0]}
    >>> bs.from_frame(rates, "n_train", "error", limit=0.001).below.tolist()
    [False, False, True]
    >>> import pandas as pd
    >>> frame = pd.DataFrame(runs)
    >>> len(bs.from_frame(frame, frame["params"], frame["loss"], where=frame["loss"] < 3.5))
    2
    """
    if duplicates not in DUPLICATES:
        remedy = f"known are {', '.join(DUPLICATES)}"
        refuse(source, f"duplicates={duplicates!r} is unknown", remedy)
    whole = open_table(frame, source)
    try:
        roles = dict(x=x, y=y, n=n, stderr=stderr, chance=chance, limit=limit)
        roles |= dict(curve=curve, group=group, run=run)
        whole, named = with_columns(whole, frame, roles)
        x, y, n, stderr, chance, limit, curve, group, run = named.values()
        table, notes = mask_of(whole, frame, where) or whole.filtered(where)
        notes = (*as_notes(_told(frame)), *notes)
        inputs = _named(x, "x", table, input_names)
        responses = _named(y, "y", table, None)
        for name in inputs.keys() & responses.keys():
            refuse(source, f"{name!r} is both input and response", "name one of them anew")
        for text in set(inputs.values()) & set(responses.values()):
            refuse(source, f"{text!r} is both scale and response", "name one column for each")
        extras = {"n": n, "stderr": stderr, "chance": chance, "limit": limit}
        extras = {k: canonical(v, table) for k, v in extras.items() if v is not None}
        labels = {"curve": curve, "group": group, "run": run}
        labels = {k: found for k, v in labels.items() if (found := _several(v, k, table))}
        chosen = {k: _setting(table, k) for k in ([best] if isinstance(best, str) else best or ())}
        data = Dataset(
            inputs={role: scale_of(table, text) for role, text in inputs.items()},
            responses={k: table.number(text, len(responses) > 1) for k, text in responses.items()},
            **{role: table.number(text) for role, text in extras.items()},
            **{role: table.labels(names) for role, names in labels.items()},
            reference=reference,
            source=source,
            rows=table.rows,
            columns={
                **inputs,
                **responses,
                **extras,
                **{k: "/".join(v) for k, v in labels.items()},
            },
            notes=notes,
            where=table.where,
        )
        notes = embeddings(data, table)
    except ExpressionError as error:
        way = _wide(whole) or side_by_side(whole, y, x)
        raise DataError(f"{source}: {error}{way}") from None
    except DataError as error:
        raise DataError(f"{error}{_wide(whole, error)}") from None
    said = () if best else dependent(data, table)
    if best:
        data = best_rows(data, chosen)
    data = settled(data, duplicates, table)
    _check_spread(data)
    return replace(data, notes=(*data.notes, *remarks(data), *notes, *said, *_beside(data, whole)))


def _beside(data: Dataset, table: Table) -> tuple[Note, ...]:
    """Say that the response is one of several columns that look as if they should be rows."""
    names, way = wide(table.known) or ((), "")
    used = {bare(data.columns[name]) for name in data.responses}
    return (Note("wide", f"the table looks wide: {way}"),) if used & {*names} else ()


def _wide(table: Table, error: DataError | None = None) -> str:
    """Return, after a message, how columns that are named in it may become rows."""
    names, way = wide(table.known) or ((), "")
    meant = error is None or any(repr(name) in str(error) for name in names)
    return f"; {way}" if way and meant else ""


def _told(frame: Any) -> Mapping[str, str]:
    """Return what was said as a table was read (`read_table`), by kind."""
    told = getattr(frame, "attrs", {}).get(TOLD)
    return told if isinstance(told, Mapping) else {}


def rows_of(data: Any) -> Any:
    """Return the checked table of a fit, and anything else as it is."""
    own = getattr(data, "data", None)
    return own if isinstance(own, Dataset) else data


def as_dataset(
    data: Any, x: Any = None, y: Any = None, law: Iterable[str] | None = None, /, **roles: Any
) -> Dataset:
    """Return a checked table as it is, a fit's own, a data frame by the columns that are named.

    Raises
    ------
    DataError
        Where the frame cannot be used, or no columns are named.
    ValueError
        For columns beside a checked table.
    """
    data = rows_of(data)
    if not isinstance(data, Dataset):
        source = roles.setdefault("source", "table")
        if x is None or y is None:
            known = open_table(data, source).known
            example = "..." if law is None else f"{{{', '.join(f'{k!r}: ...' for k in law)}}}"
            here = "here or " * (law is not None or x is not None)
            remedy = f"say x={example}, y=..., {here}in from_frame(frame, x=..., y=...)"
            named = ", ".join(map(repr, known[:15])) + ", ..." * (len(known) > 15)
            refuse(source, f"which of the columns {named} are scale and response?", remedy)
        return from_frame(data, x, y, input_names=law, **roles)
    if x is not None or y is not None or roles:
        raise ValueError("columns (x=, y=, ...) are of a data frame; a Dataset has them already")
    return data


def _setting(table: Table, name: str) -> np.ndarray:
    """Return a setting's values: numbers where it has some in every row, else labels."""
    labels = table.labels([name])
    values, bad = numbers(table.column(name if name in table.known else bare(name)))
    return labels if bad.any() else values


def canonical(text: Any, table: Table) -> str:
    """Return the text of an expression so that its meaning is plain without the table."""
    return quoted(text) if text in table.known else ticked(str(text).strip(), table.known)


def _named(given: Any, flag: str, table: Table, law: Iterable[str] | None) -> dict[str, str]:
    """Return name -> expression of the inputs or responses, in the order of the law."""
    if isinstance(given, Mapping):
        pairs = [(str(name), text) for name, text in given.items()]
    else:
        texts = _several(given, flag, table)
        pairs = [_split(text, table.known) for text in texts]
    named = [name for name, _ in pairs if name]
    if law is None:
        spare = [flag] if len(pairs) == 1 else [text for name, text in pairs if not name]
    else:
        law = list(law)
        spare = [name for name in law if name not in named]
        if len(pairs) != len(law) or set(named) - set(law):
            got = ", ".join(f"{name}={text}" if name else str(text) for name, text in pairs)
            problem = f"the law's inputs are {', '.join(law)}, got {len(pairs)}: {got or 'none'}"
            example = " ".join(f"-{flag} {name}=..." for name in law)
            refuse(table.source, problem, f"give each once: {example}")
    if not pairs:
        refuse(table.source, f"{flag} names no column", "name at least one")
    spare = iter(spare)
    result: dict[str, str] = {}
    for name, text in pairs:
        name = name or next(spare)
        if name in (*result, *EXTRAS, *LABELS):
            remedy = f"give another: {option(flag, f'name={text}')}"
            refuse(table.source, f"the name {name!r} is taken", remedy)
        result[name] = canonical(text, table)
    return result if law is None else {name: result[name] for name in law}


def _several(given: Any, flag: str, table: Table) -> list[Any]:
    """Return names, of which one may be given alone; a number may be the name of a column."""
    if given is None or (isinstance(given, str) and not given):
        return []
    one = isinstance(given, str) or (not isinstance(given, list) and name_of(given) in table.known)
    try:
        found = [given] if one else list(given)
    except TypeError:
        refuse(table.source, f"{flag} is a {type(given).__name__}, no name of a column", "name one")
    return [*map(name_of, found)]


def _split(text: Any, known: tuple[str, ...]) -> tuple[str | None, Any]:
    match = re.fullmatch(r"\s*([^\W\d]\w*)\s*=(?!=)\s*(.*)", str(text), re.DOTALL)
    return (None, text) if text in known or not match else (match[1], match[2])


# ------------------------------------------------------------------ the rows together


def _check_spread(data: Dataset) -> None:
    """Refuse curves whose scales do not vary: no law can be learnt from one scale."""
    curve = np.full(len(data), "", object) if data.curve is None else data.curve
    found = codes([curve], len(data))
    varies = np.zeros(found.max() + 1, bool)
    for x in data.inputs.values():
        low, high = np.full(varies.shape, np.inf), np.zeros(varies.shape)
        np.minimum.at(low, found, x)
        np.maximum.at(high, found, x)
        varies |= low < high
    for row in np.flatnonzero(~varies[found])[:1]:
        count = int(np.sum(found == found[row]))
        name = "" if data.curve is None else f"curve {curve[row]!r} has "
        same = " and ".join(f"{role} = {x[row]:.6g}" for role, x in data.inputs.items())
        remedy = "a law needs two scales or more: give other rows"
        others = bool(name) and bool(varies.any())
        remedy += ", or leave this curve out with where (--where)" * others
        data.fail(f"{name}{count} row{'s' * (count > 1)}, all at {same}", row=row, remedy=remedy)
