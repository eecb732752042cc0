"""Dataset: a checked table of measured runs; an error names row, column, value and remedy."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np

from ..messages import Note, leave_out, near, one_line, option, refuse, ways
from .shares import above_one

__all__ = ["Dataset"]

EXTRAS = ("n", "stderr", "chance", "limit")
LABELS = ("curve", "group", "run")
SUPPORTS = ("positive", "real", "unit")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Measured runs, each array with one entry a row; `from_frame` makes one from a table.

    Raises
    ------
    DataError
        For lengths that differ and values out of range, naming row and column.
    """

    inputs: Mapping[str, np.ndarray]
    """Law input -> scales, finite and > 0, in the order of the law."""
    responses: Mapping[str, np.ndarray]
    """Response -> values, nan where it was not measured; each row has at least one."""
    n: np.ndarray | None = None
    """Questions (binomial trials)."""
    stderr: np.ndarray | None = None
    """Known standard error of the response, in its unit, 0 or more."""
    chance: np.ndarray | None = None
    """Nominal chance level, 0 to 1."""
    limit: np.ndarray | None = None
    """Detection limit of the single response, in its unit: a response at or below it is only known
    to lie below it, and is put at it."""
    curve: np.ndarray | None = None
    """Labels (str) of independent fits."""
    group: np.ndarray | None = None
    """Labels (str) for partial pooling."""
    run: np.ndarray | None = None
    """Labels (str) of runs, within a curve: rows of one are its checkpoints or evaluations."""
    all_groups: tuple[str, ...] = ()
    """Names of the groups where rows of some are not here; by default those of `group`."""
    reference: Mapping[str, float] | None = None
    """Reference scales, by name of input or response, in place of the usual ones; > 0."""
    source: str = "table"
    """Where the rows came from, for messages."""
    rows: np.ndarray | None = None
    """1-based row numbers in the source; by default 1, 2, ..."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Role -> column or expression, such as {"N": "params", "n": "n_questions"}."""
    where: str | None = None
    """The filter that the rows passed."""
    notes: tuple[str, ...] = ()
    """What should be said of the rows: some left out, copies, units that look swapped. A text
    that is no `Note` becomes one of the kind `given`."""

    def __post_init__(self) -> None:
        fixed: dict[str, Any] = {
            name: {k: _fixed(v, np.float64) for k, v in getattr(self, name).items()}
            for name in ("inputs", "responses")
        }
        for name in (*EXTRAS, *LABELS):
            if getattr(self, name) is not None:
                fixed[name] = _fixed(getattr(self, name), object if name in LABELS else np.float64)
        rows = np.arange(1, len(self) + 1) if self.rows is None else self.rows
        fixed["rows"] = _fixed(rows, np.int64)
        fixed["columns"] = {role: role for role in self.roles()} | dict(self.columns)
        told = (note if isinstance(note, Note) else Note("given", note) for note in self.notes)
        fixed["notes"] = tuple(told)
        for name, value in (fixed | _at_limit(self, fixed)).items():
            object.__setattr__(self, name, value)
        _check_ranges(self)

    def __len__(self) -> int:
        return next((np.size(values) for values in self.roles().values()), 0)

    def roles(self) -> dict[str, np.ndarray]:
        """Return every column by its role: inputs, responses, and what else the rows have."""
        extras = {name: getattr(self, name) for name in (*EXTRAS, *LABELS)}
        known = {name: values for name, values in extras.items() if values is not None}
        return {**self.inputs, **self.responses, **known}

    @property
    def curve_names(self) -> tuple[str, ...]:
        """The curves in the order in which they appear; () where no column was named."""
        return () if self.curve is None else tuple(dict.fromkeys(self.curve))

    def of_curve(self, name: str | None) -> np.ndarray:
        """Return which rows are of a curve, (row,); all where it is None."""
        return np.ones(len(self), bool) if name is None else self.curve == name

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups in alphabetical order; () where no column was named."""
        if self.group is None:
            return ()
        return self.all_groups or tuple(sorted(set(map(str, self.group))))

    @property
    def below(self) -> np.ndarray:
        """Which rows are only known to lie below the detection limit, (row,)."""
        if self.limit is None:
            return np.zeros(len(self), bool)
        return next(iter(self.responses.values())) <= self.limit

    def take(self, index: Any) -> Dataset:
        """Return the rows that a mask, or an array of positions, picks."""
        index = np.atleast_1d(np.asarray(index))
        index = index if index.size else index.astype(np.int64)
        picked = {role: values[index] for role, values in self.roles().items()}
        return replace(
            self,
            inputs={role: picked.pop(role) for role in self.inputs},
            responses={role: picked.pop(role) for role in self.responses},
            rows=self.rows[index],
            **picked,
        )

    def sorted(self) -> Dataset:
        """Return each curve's rows in an order that is theirs, however the table has them."""
        names = {name: i for i, name in enumerate(self.curve_names)}
        columns = [] if self.curve is None else [np.array([names[name] for name in self.curve])]
        columns += [*self.inputs.values(), *self.responses.values()]
        columns += [getattr(self, name) for name in EXTRAS if getattr(self, name) is not None]
        for labels in (self.group, self.run):
            if labels is not None:
                columns.append(np.unique(labels.astype(str), return_inverse=True)[1])
        return self.take(np.lexsort(columns[::-1]))

    def fail(
        self,
        problem: str,
        *,
        row: int | np.integer | None = None,
        role: str | None = None,
        value: Any = None,
        remedy: str,
    ) -> NoReturn:
        """Raise a DataError: "<source>: row 17, column 'acc': <value> <problem>; <remedy>".

        `row` is a position in this Dataset; the message gives its number in the source.
        """
        number = None if row is None else int(self.rows[row])
        column = None if role is None else self.columns.get(role, role)
        refuse(self.source, problem, remedy, row=number, column=column, value=value)

    def left_out(self, bad: np.ndarray, test: str) -> str:
        """Return what to do about bad rows: the filter `test`, where it leaves some to fit.

        Rows are left where some curve has two scales without them.
        """
        kept = ~np.broadcast_to(bad, (len(self),))
        curve = np.full(len(self), "", object) if self.curve is None else self.curve
        columns = self.inputs.values()
        scales = {
            (label, *at)
            for label, *at in zip(curve[kept], *(x[kept] for x in columns), strict=True)
        }
        several = len(scales) > len({label for label, *_ in scales})
        return leave_out(test, self.where, several)

    def require(
        self,
        support: str,
        response: str | None = None,
        others: Callable[[str, int], Iterable[str]] | None = None,
    ) -> None:
        """Check that all responses, or the one named, lie where a noise needs them.

        Parameters
        ----------
        support
            "positive" (> 0), "unit" (0 to 1) or "real" (anything finite).
        others
            From the response and the first row that is too low, what else to do than to leave such
            rows out; by default nothing.

        Raises
        ------
        DataError
            Naming the first row outside, and the likeliest slip: percent, or counts above n.
        """
        if support not in SUPPORTS:
            raise ValueError(f"support is one of {', '.join(SUPPORTS)}, got {support!r}")
        for role in self.responses if response is None else (response,):
            y, text = self.responses[role], self.columns[role]
            low = {"positive": y <= 0, "unit": y < 0, "real": np.zeros(y.shape, bool)}[support]
            for row in np.flatnonzero(low)[:1]:
                bound = "above 0" if support == "positive" else "within 0 .. 1"
                test = f"{text} {'>' if support == 'positive' else '>='} 0"
                given = [*others(role, int(row))] if others else []
                if_missing = "if it was not measured, " * bool(given and y[row] == 0)
                remedy = ways([*given, if_missing + self.left_out(low, test)])
                self.fail(f"is not {bound}", row=row, role=role, value=y[row], remedy=remedy)
            for row in np.flatnonzero(y > 1)[:1] if support == "unit" else ():
                n = None if self.n is None else (self.columns["n"], self.n)
                problem, remedy = above_one(text, y, n, int(row), self.rows)
                self.fail(problem, row=row, role=role, value=y[row], remedy=remedy)

    def summary(self) -> dict[str, Any]:
        """Return what table this is of: source, rows, columns by role, notes."""
        known = {"source": self.source, "rows": len(self), "columns": dict(self.columns)}
        return known | {"notes": [str(note) for note in self.notes]}

    def describe(self) -> list[str]:
        """Return lines that say which column is what, and its range; the notes stand apart."""
        lines = [f"{self.source}: {len(self)} rows"]
        for role, values in self.roles().items():
            text = self.columns[role]
            head = role if text == role else f"{role} = {text}"
            lines.append(f"{head}: {_summary(role, values)}")
        return [one_line(line) for line in lines]

    def __repr__(self) -> str:
        return f"Dataset({'; '.join(self.describe())})"

    def _repr_html_(self) -> str:
        first, *rest = map(html.escape, self.describe())
        cells = "".join("<tr><td>{}</td><td>{}</td></tr>".format(*r.rsplit(": ", 1)) for r in rest)
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"<b>{first}</b><table>{cells}</table><ul>{notes}</ul>"


def _fixed(values: Any, dtype: type) -> np.ndarray:
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def _at_limit(data: Dataset, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response with what lies below the limit put at it."""
    if "limit" not in fixed:
        return {}
    if len(fixed["responses"]) != 1:
        remedy = "give the limit for a fit of its response alone"
        data.fail("is of one response", role="limit", remedy=remedy)
    ((role, y),) = fixed["responses"].items()
    if y.shape != fixed["limit"].shape:
        return {}  # refused with all that differs in shape
    return {"responses": {role: _fixed(np.maximum(y, fixed["limit"]), np.float64)}}


def _summary(role: str, values: np.ndarray) -> str:
    if role in LABELS:
        sizes = np.unique(values.astype(str), return_counts=True)[1]
        span = f" of {sizes.min()} .. {sizes.max()} rows" if len(sizes) else ""
        return f"{len(sizes)} label{'s' * (len(sizes) != 1)}{span}"
    known = values[np.isfinite(values)]
    gaps = f" ({len(known)} measured)" if len(known) < len(values) else ""
    return f"{known.min():.3g} .. {known.max():.3g}{gaps}" if len(known) else "no values"


# ------------------------------------------------------------------ what each value must be

_POSITIVE = (lambda v: (v > 0) & (v < np.inf), "is not above 0", "", "{0} > 0")
_MEASURED = (lambda v: ~np.isinf(v), "is no finite number", "", "isfinite({0})")
EXTREME = 150  # decades from 1 beyond which squares leave the range of floats
_RULES = {
    "n": (
        lambda v: (v >= 1) & (v < np.inf) & (v == np.floor(v)),
        "is not a whole number, 1 or more",
        "n counts the questions behind a row: check the column",
        "",
    ),
    "stderr": (lambda v: (v >= 0) & (v < np.inf), "is not 0 or more", "", "{0} >= 0"),
    "limit": (np.isfinite, "is no finite number", "", "isfinite({0})"),
    "chance": (
        lambda v: (v >= 0) & (v <= 1),
        "is not within 0 .. 1",
        f"give fractions: {option('chance', '({0})/100')}",
        "",
    ),
}


def _check_ranges(data: Dataset) -> None:
    rules = _RULES | dict.fromkeys(data.inputs, _POSITIVE)
    rules |= dict.fromkeys(data.responses, _MEASURED)
    columns = {**data.roles(), "rows": data.rows}
    for role, values in columns.items():
        if values.shape != (len(data),):
            problem = f"has shape {values.shape} beside {len(data)} rows"
            data.fail(problem, role=role, remedy="give one value a row")
    for role, values in columns.items():
        holds, problem, remedy, test = rules.get(role, (None, "", "", ""))
        bad = ~holds(values) if holds else np.zeros(len(data), bool)
        for row in np.flatnonzero(bad)[:1]:
            remedy, test = (text.format(data.columns[role]) for text in (remedy, test))
            remedy = remedy or data.left_out(bad, test)
            data.fail(problem, row=row, role=role, value=values[row], remedy=remedy)
    for role, values in {**data.inputs, **data.responses}.items():
        sizes = np.where(np.isfinite(values) & (values != 0), abs(values), 1.0)
        for row in np.flatnonzero(abs(np.log10(sizes)) > EXTREME)[:1]:
            remedy = f"give another unit: {data.columns[role]}*1e{-int(np.log10(sizes[row]))}"
            data.fail("is beyond floats", row=row, role=role, value=values[row], remedy=remedy)
    y = np.array([*data.responses.values()])
    gaps = np.isnan(y).all(axis=0) if len(y) else np.zeros(len(data), bool)
    for row in np.flatnonzero(gaps)[:1]:
        test = " or ".join(f"isfinite({data.columns[role]})" for role in data.responses)
        data.fail("no response was measured", row=row, remedy=data.left_out(gaps, test))
    known = [*data.inputs, *data.responses]
    for name, size in (data.reference or {}).items():
        if name not in known:
            data.fail(f"no reference {name!r} is used", remedy=near(name, known).lstrip("; "))
        if not 0 < size < np.inf:
            remedy = "give a scale in the unit of its column"
            data.fail(f"reference {name} = {size} is not above 0", remedy=remedy)
