"""candidates: the runs that can be made, from a table, and what each costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..data.expression import ExpressionError, columns
from ..data.given import relabelled
from ..data.notes import concerning
from ..data.scales import not_flop, scale_of
from ..data.table import Table, open_table
from ..messages import UNFILTERED, a_number, bare, near, option, quoted, refuse, some_numbers
from .goals import check_texts

__all__ = ["Candidates", "check_means", "check_written", "read_candidates", "tied"]

SIX_ND = "6*N*D"


@dataclass(frozen=True, eq=False)
class Candidates:
    """Runs that can be made."""

    inputs: Mapping[str, np.ndarray]
    """The law's scales, (candidate,) each."""
    columns: Mapping[str, str]
    """Input -> what the fitted table calls it."""
    cost: np.ndarray
    """Of each, (candidate,)."""
    counted: str
    """What is counted as cost."""
    rows: np.ndarray
    """Their rows in the table, (candidate,)."""
    source: str
    labels: Mapping[str, Sequence[str]]
    """Inputs that count labels from 1, such as recipes, and these."""

    def __len__(self) -> int:
        return len(self.cost)

    def at(self, i: int) -> dict[str, float]:
        """Return the scales of one by column."""
        scales = {name: x for name, x in self.inputs.items() if name not in self.labels}
        return {self.columns[name]: float(x[i]) for name, x in scales.items()}

    def labelled(self, i: int) -> dict[str, str]:
        """Return the labels of one, by input: its recipe."""
        return {name: of[int(self.inputs[name][i]) - 1] for name, of in self.labels.items()}

    def told(self) -> dict[str, Any]:
        """Return the inputs as the table has them, labels in the place of their numbers."""
        own = range(len(self))
        return dict(self.inputs) | {k: [self.labelled(i)[k] for i in own] for k in self.labels}


def read_candidates(
    frame: Any,
    fitted: Dataset,
    cost: Any,
    source: str,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Candidates:
    """Return the runs of a table that can be made, with their scales and costs checked.

    Parameters
    ----------
    frame
        Any data frame, or a mapping of columns, with the scales as the fitted table calls them, or
        as the law does.
    fitted
        The runs that were fitted, by the law's inputs.
    cost
        Arithmetic on its columns and the law's inputs, a function of the inputs in the law's order,
        or numbers, one a row; 6 N D by default.
    labels
        By input of the law that counts labels from 1, these.

    Raises
    ------
    DataError
        Where a scale is missing or not above 0, or a cost is, or a label is none of these, naming
        row and value.
    """
    table, labels = replace(open_table(frame, source), where=UNFILTERED), labels or {}
    names = {name: bare(fitted.columns.get(name, name)) for name in fitted.inputs}
    inputs = {k: _scale(table, k, column) for k, column in names.items() if k not in labels}
    values, counted = _costs(table, inputs, fitted, cost)
    inputs |= {k: _numbered(table, k, names[k], known) for k, known in labels.items()}
    for at in np.flatnonzero(~(np.isfinite(values) & (values > 0)))[:1]:
        refuse(
            source,
            f"is what the run costs ({counted})",
            "a cost is above 0: correct it, or leave the run out",
            row=int(table.rows[at]),
            value=float(values[at]),
        )
    return Candidates(inputs, names, values, counted, table.rows, source, labels)


def check_written(target: Any, budget: float | None, most: int | None) -> None:
    """Refuse what no fit and no candidates could answer, before any is read.

    Raises
    ------
    ValueError
        For targets that cannot be read, a budget that is none, and no runs.
    """
    check_texts(target)
    if budget is not None and not 0 < a_number(budget, "a budget (--budget)") < np.inf:
        raise ValueError(f"a budget (--budget) is a finite number above 0, got {budget}")
    if most is not None and not (isinstance(most, Integral) and most >= 1):
        raise ValueError(f"most (--most) is a number of runs, 1 or more, got {most}")


def check_means(runs: Candidates, budget: float | None) -> None:
    """Refuse a budget that buys no run; a ValueError."""
    cheapest = float(runs.cost.min())
    if budget is not None and budget < cheapest:
        raise ValueError(
            f"the budget {budget:.3g} buys none of the candidates: the cheapest, row "
            f"{runs.rows[int(runs.cost.argmin())]}, costs {cheapest:.3g} ({runs.counted})"
        )


def _numbered(table: Table, name: str, column: str, known: Sequence[str]) -> np.ndarray:
    """Return labels as numbers from 1, of a column or of several joined with "/"."""
    for text in (column, name):
        parts = [text] if text in table.known else text.split("/")
        if not set(parts) <= set(table.known):
            continue
        found = relabelled(table.labels(parts), known).astype(str)
        for at in np.flatnonzero(~np.isin(found, known))[:1]:
            remedy = f"they are {', '.join(known)}{near(found[at], known)}"
            place = dict(row=int(table.rows[at]), column=text, value=str(found[at]))
            refuse(table.source, f"is none of the {name}s compared", remedy, **place)
        return np.array([known.index(each) + 1.0 for each in found])
    remedy = f"every candidate says which it is of{near(column, table.known)}"
    refuse(table.source, f"no column for the {name} ({column})", remedy)


def _scale(table: Table, name: str, column: str) -> np.ndarray:
    """Return a scale, under the name that the fitted table has for it or the law's own."""
    for text in dict.fromkeys((column, name)):
        try:
            columns(text, table.known)
        except ExpressionError:
            continue
        text = quoted(text) if text in table.known else text
        values = scale_of(table, text)
        for at in np.flatnonzero(values <= 0)[:1]:
            place = dict(row=int(table.rows[at]), column=text, value=float(values[at]))
            remedy = "scales are above 0: correct it, or leave the row out"
            refuse(table.source, "is no scale", remedy, **place)
        return values
    called = f"{name} ({column})" if column != name else name
    remedy = f"every candidate has each scale of the fit{near(column, table.known)}"
    refuse(table.source, f"no column for the scale {called}", remedy)


def _costs(
    table: Table, inputs: Mapping[str, np.ndarray], fitted: Dataset, cost: Any
) -> tuple[np.ndarray, str]:
    """Return what each run costs, and how that is counted in words."""
    if cost is None:
        cost = SIX_ND
        if not {"N", "D"} <= set(inputs):
            one = quoted(bare(fitted.columns[next(iter(inputs))]))
            remedy = f"name its column, or arithmetic on columns: {option('cost', one)}"
            refuse(table.source, "what a run costs is not said, and the law has no N and D", remedy)
        if other := not_flop(fitted):
            remedy = f"{other[1]}, or its column"
            refuse(table.source, f"{other[0]}: 6 N D is no FLOP here", remedy)
    if isinstance(cost, str):
        known = (*inputs, *(name for name in table.known if name not in inputs))
        read = lambda name: inputs[name] if name in inputs else table.column(name)  # noqa: E731
        rows = np.arange(len(table.keep))
        return replace(table, known=known, read=read, keep=rows).number(cost), cost
    if isinstance(cost, Callable):
        values, counted = cost(*inputs.values()), "a given function"
    else:
        values, counted = cost, "as given"
    values = some_numbers(values, f"{table.source}: cost")
    if values.size not in (1, len(table.keep)):
        remedy = f"give one a row: {len(table.keep)}"
        refuse(table.source, f"{values.size} costs", remedy)
    return np.broadcast_to(values.ravel(), table.keep.shape), counted


def tied(
    fitted: Dataset, added: Mapping[str, np.ndarray], asked: Mapping[str, np.ndarray]
) -> str | None:
    """Return how one scale follows another in all runs, made and to be made; None where none does.

    And where what is asked lies on the same line, as a larger model of the same D/N does.

    Parameters
    ----------
    asked
        Scales of the goals that are responses, by input; empty where a parameter is wanted.
    """

    def line(*more: Mapping[str, np.ndarray]) -> str | None:
        inputs = {
            name: np.concatenate([x, *(each[name] for each in more)])
            for name, x in fitted.inputs.items()
        }
        count = len(next(iter(inputs.values())))
        whole = Dataset(inputs, {"y": np.ones(count)}, columns=fitted.columns)
        found = [str(note) for note in concerning(whole, "split") if note.kind == "line"]
        return found[0] if found else None

    if not set(fitted.inputs) <= set(added):
        return None
    found = line(added)
    return None if found is None or (asked and line(added, asked)) else found
