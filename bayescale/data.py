"""Dataset: a checked table of measured runs.

`from_frame` says which columns (or arithmetic on columns) of a table are scales, responses and
labels, and checks them once. An error names row, column, value and remedy. Nothing is repaired in
silence: what a filter leaves out and what is dropped as a copy is told in `Dataset.notes`. How
hard input is answered stands in `remarks`.

Floor 0: imports numpy, `expression`, `remarks` and `table`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np

from bayescale import expression
from bayescale.expression import ExpressionError, near, one_line, quoted
from bayescale.remarks import remarks
from bayescale.table import DataError, Table, leave_out, open_table, option, read_table, refuse

__all__ = ["DataError", "Dataset", "from_frame", "read_table"]

EXTRAS = ("n", "stderr", "chance")
LABELS = ("curve", "group")
SUPPORTS = ("positive", "real", "unit")
DUPLICATES = ("error", "keep", "drop")


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
    """Known standard error of the response, in its unit, > 0."""
    chance: np.ndarray | None = None
    """Nominal chance level, 0 to 1."""
    curve: np.ndarray | None = None
    """Labels (str) of independent fits."""
    group: np.ndarray | None = None
    """Labels (str) for partial pooling."""
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
    notes: tuple[str, ...] = ()
    """What should be said of the rows: some left out, copies, units that look swapped."""

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
        fixed["columns"] = {role: role for role in self._roles()} | dict(self.columns)
        for name, value in fixed.items():
            object.__setattr__(self, name, value)
        _check_ranges(self)

    def __len__(self) -> int:
        return next((np.size(values) for values in self._roles().values()), 0)

    def _roles(self) -> dict[str, np.ndarray]:
        extras = {name: getattr(self, name) for name in (*EXTRAS, *LABELS)}
        extras = {name: values for name, values in extras.items() if values is not None}
        return {**self.inputs, **self.responses, **extras}

    @property
    def curve_names(self) -> tuple[str, ...]:
        """The curves in the order in which they appear; () where no column was named."""
        return () if self.curve is None else tuple(dict.fromkeys(self.curve))

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups in alphabetical order; () where no column was named."""
        if self.group is None:
            return ()
        return self.all_groups or tuple(sorted(set(map(str, self.group))))

    def take(self, index: Any) -> Dataset:
        """Return the rows that a mask, or an array of positions, picks."""
        index = np.atleast_1d(np.asarray(index))
        index = index if index.size else index.astype(np.int64)
        picked = {role: values[index] for role, values in self._roles().items()}
        return replace(
            self,
            inputs={role: picked.pop(role) for role in self.inputs},
            responses={role: picked.pop(role) for role in self.responses},
            rows=self.rows[index],
            **picked,
        )

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

    def require(self, support: str, response: str | None = None) -> None:
        """Check that all responses, or the one named, lie where a noise needs them.

        Parameters
        ----------
        support
            "positive" (> 0), "unit" (0 to 1) or "real" (anything finite).

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
                remedy = f"choose a noise for any real response, or {leave_out(test)}"
                self.fail(f"is not {bound}", row=row, role=role, value=y[row], remedy=remedy)
            for row in np.flatnonzero(y > 1)[:1] if support == "unit" else ():
                problem, remedy = _above_one(self, role, row)
                self.fail(problem, row=row, role=role, value=y[row], remedy=remedy)

    def describe(self) -> list[str]:
        """Return lines that say which column is what, and its range; the notes stand apart."""
        lines = [f"{self.source}: {len(self)} rows"]
        for role, values in self._roles().items():
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


def _summary(role: str, values: np.ndarray) -> str:
    if role in LABELS:
        sizes = np.unique(values.astype(str), return_counts=True)[1]
        span = f" of {sizes.min()} .. {sizes.max()} rows" if len(sizes) else ""
        return f"{len(sizes)} label{'s' * (len(sizes) != 1)}{span}"
    known = values[np.isfinite(values)]
    gaps = f" ({len(known)} measured)" if len(known) < len(values) else ""
    return f"{known.min():.3g} .. {known.max():.3g}{gaps}" if len(known) else "no values"


# ------------------------------------------------------------------ what each value must be

_POSITIVE = (lambda v: (v > 0) & (v < np.inf), "is not above 0", leave_out("{0} > 0"))
_MEASURED = (lambda v: ~np.isinf(v), "is no finite number", leave_out("isfinite({0})"))
_RULES = {
    "n": (
        lambda v: (v >= 1) & (v < np.inf) & (v == np.floor(v)),
        "is not a whole number, 1 or more",
        "n counts the questions behind a row: check the column",
    ),
    "stderr": _POSITIVE,
    "chance": (
        lambda v: (v >= 0) & (v <= 1),
        "is not within 0 .. 1",
        f"give fractions: {option('chance', '({0})/100')}",
    ),
}


def _check_ranges(data: Dataset) -> None:
    rules = _RULES | dict.fromkeys(data.inputs, _POSITIVE)
    rules |= dict.fromkeys(data.responses, _MEASURED)
    for role, values in {**data._roles(), "rows": data.rows}.items():
        if values.shape != (len(data),):
            problem = f"has shape {values.shape} beside {len(data)} rows"
            data.fail(problem, role=role, remedy="give one value a row")
        holds, problem, remedy = rules.get(role, (None, "", ""))
        for row in np.flatnonzero(~holds(values))[:1] if holds else ():
            remedy = remedy.format(data.columns[role])
            data.fail(problem, row=row, role=role, value=values[row], remedy=remedy)
    y = np.array([*data.responses.values()])
    for row in np.flatnonzero(np.isnan(y).all(axis=0))[:1] if len(y) else ():
        test = " or ".join(f"isfinite({data.columns[role]})" for role in data.responses)
        data.fail("no response was measured", row=row, remedy=leave_out(test))
    known = [*data.inputs, *data.responses]
    for name, size in (data.reference or {}).items():
        if name not in known:
            data.fail(f"no reference {name!r} is used", remedy=near(name, known).lstrip("; "))
        if not 0 < size < np.inf:
            remedy = "give a scale in the unit of its column"
            data.fail(f"reference {name} = {size} is not above 0", remedy=remedy)


def _above_one(data: Dataset, role: str, row: int | np.integer) -> tuple[str, str]:
    """Say why a share is above 1 and what to do, from how its column was made."""
    text, y = data.columns[role], data.responses[role]
    known = y[np.isfinite(y)]
    if parts := expression.quotient(text):
        counts = data.n is not None and parts[1] == data.columns["n"]
        values = f" ({y[row] * data.n[row]:.6g} of {data.n[row]:.6g})" if counts else ""
        remedy = "check which column counts the trials"
        return f"is above 1: {parts[0]} exceeds {parts[1]}{values}", remedy
    atom = text if re.fullmatch(r"\w+|`[^`]*`", text) else f"({text})"
    percent = option("y", f"{atom}/100")
    if data.n is not None and np.all(known == np.floor(known)):
        return "is above 1", _as_counts(data, y, atom) + (
            f"; if it is percent: {percent}" if known.max() <= 100 < data.n.min() else ""
        )
    if known.max() <= 100:
        return "is above 1", f"give fractions: {percent}"
    return "is above 1", "divide by the highest possible score"


def _as_counts(data: Dataset, y: np.ndarray, atom: str) -> str:
    """Return the remedy for counts of right answers where shares should stand."""
    share = f"{atom}/{data.columns['n']}"
    remedy = f"counts are given as fractions: {option('y', share)}"
    for row in np.flatnonzero(y > data.n)[:1]:
        remedy += f", but row {data.rows[row]} has {y[row]:.6g} of {data.n[row]:.6g}"
    return remedy


# ------------------------------------------------------------------ columns to roles


def from_frame(
    frame: Any,
    x: str | Iterable[str] | Mapping[str, str],
    y: str | Iterable[str] | Mapping[str, str],
    *,
    n: str | float | None = None,
    stderr: str | float | None = None,
    chance: str | float | None = None,
    curve: str | Iterable[str] | None = None,
    group: str | Iterable[str] | None = None,
    where: str | None = None,
    duplicates: str = "error",
    reference: Mapping[str, float] | None = None,
    source: str = "table",
    input_names: Iterable[str] | None = None,
) -> Dataset:
    """Return the checked Dataset that these columns of a table make.

    Parameters
    ----------
    frame
        Any dataframe (pandas, polars, pyarrow, ...), or a mapping of arrays.
    x
        The scales: columns or arithmetic on columns, `params` or `N=params_b*1e9`, one or
        several, or a mapping name -> text. Without names they are the law's inputs in order;
        without a law a single one is called "x", several are called by their texts.
    y
        The responses, likewise; a single one without a name is called "y". With several, a cell
        may be missing where a response was not measured.
    n, stderr, chance
        Questions, standard error and chance level: column, arithmetic or number.
    curve, group
        Columns of labels: independent fits, partial pooling. Several are joined with "/".
    where
        The rows to keep, such as "family != 'T5' and loss < 5".
    duplicates
        What to do with rows that agree in all columns used: "error", "keep" or "drop".
    reference
        Reference scales by name of input or response.
    source
        What messages call the table.
    input_names
        The law's inputs in order.

    Raises
    ------
    DataError
        Naming source, row, column, value and remedy.
    """
    if duplicates not in DUPLICATES:
        remedy = f"known are {', '.join(DUPLICATES)}"
        refuse(source, f"duplicates={duplicates!r} is unknown", remedy)
    try:
        table, notes = open_table(frame, source).filtered(where)
        inputs = _named(x, "x", table, input_names)
        responses = _named(y, "y", table, None)
        for name in inputs.keys() & responses.keys():
            refuse(source, f"{name!r} is both input and response", "name one of them anew")
        extras = {"n": n, "stderr": stderr, "chance": chance}
        extras = {k: _canonical(v, table) for k, v in extras.items() if v is not None}
        labels = {"curve": curve, "group": group}
        labels = {k: [v] if isinstance(v, str) else list(v) for k, v in labels.items() if v}
        data = Dataset(
            inputs={role: table.number(text) for role, text in inputs.items()},
            responses={k: table.number(text, len(responses) > 1) for k, text in responses.items()},
            **{role: table.number(text) for role, text in extras.items()},
            **{role: table.labels(names) for role, names in labels.items()},
            reference=reference,
            source=source,
            rows=table.keep + 1,
            columns={
                **inputs,
                **responses,
                **extras,
                **{k: "/".join(v) for k, v in labels.items()},
            },
            notes=notes,
        )
    except ExpressionError as error:
        raise DataError(f"{source}: {error}") from None
    data = _settle_copies(data, duplicates)
    _check_spread(data)
    return replace(data, notes=(*data.notes, *remarks(data)))


def _canonical(text: Any, table: Table) -> str:
    """Return the text of an expression so that its meaning is plain without the table."""
    return quoted(text) if text in table.known else str(text).strip()


def _named(given: Any, flag: str, table: Table, law: Iterable[str] | None) -> dict[str, str]:
    """Return name -> expression of the inputs or responses, in the order of the law."""
    if isinstance(given, Mapping):
        pairs = [(str(name), text) for name, text in given.items()]
    else:
        texts = [given] if isinstance(given, str) else list(given)
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
        result[name] = _canonical(text, table)
    return result if law is None else {name: result[name] for name in law}


def _split(text: Any, known: tuple[str, ...]) -> tuple[str | None, Any]:
    match = re.fullmatch(r"\s*([^\W\d]\w*)\s*=(?!=)\s*(.*)", str(text), re.DOTALL)
    return (None, text) if text in known or not match else match.groups()


# ------------------------------------------------------------------ the rows together


def _codes(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels.astype(str), return_inverse=True)[1].ravel()


def _settle_copies(data: Dataset, duplicates: str) -> Dataset:
    columns = [_codes(v) if role in LABELS else v for role, v in data._roles().items()]
    # A missing response must equal a missing response; no value is ever infinite.
    matrix = np.nan_to_num(np.column_stack(columns), nan=-np.inf)
    _, first, inverse = np.unique(matrix, axis=0, return_index=True, return_inverse=True)
    original = first[inverse.ravel()]
    copies = np.flatnonzero(original != np.arange(len(data)))
    if not len(copies):
        return data
    count = f"{len(copies)} of {len(data)} rows repeat an earlier row in all columns used"
    if duplicates == "error":
        pair = f"first: rows {data.rows[original[copies[0]]]} and {data.rows[copies[0]]}"
        drop, keep = (f"duplicates='{d}' (--duplicates {d})" for d in ("drop", "keep"))
        remedy = f"if they are copies, {drop}; if independent measurements, {keep}"
        data.fail(f"{count} ({pair})", remedy=remedy)
    if duplicates == "keep":
        note = f"{count}; kept as independent measurements"
        return replace(data, notes=(*data.notes, note))
    kept = data.take(np.unique(original))
    return replace(kept, notes=(*data.notes, f"{count}; dropped"))


def _check_spread(data: Dataset) -> None:
    """Refuse curves whose scales do not vary: no law can be learnt from one scale."""
    curve = np.full(len(data), "", object) if data.curve is None else data.curve
    codes = _codes(curve)
    varies = np.zeros(codes.max() + 1, bool)
    for x in data.inputs.values():
        low, high = np.full(varies.shape, np.inf), np.zeros(varies.shape)
        np.minimum.at(low, codes, x)
        np.maximum.at(high, codes, x)
        varies |= low < high
    for row in np.flatnonzero(~varies[codes])[:1]:
        count = int(np.sum(codes == codes[row]))
        name = "" if data.curve is None else f"curve {curve[row]!r} has "
        same = " and ".join(f"{role} = {x[row]:.6g}" for role, x in data.inputs.items())
        remedy = "a law needs two scales or more: give other rows"
        remedy += ", or leave this curve out with where (--where)" * bool(name)
        data.fail(f"{name}{count} row{'s' * (count > 1)}, all at {same}", row=row, remedy=remedy)
