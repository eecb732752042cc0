"""Table: the numbers and labels that expressions make of the columns of any dataframe.

It refuses cells that are no finite numbers. Row 1 is the first row below the header.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np

from ..messages import Note, bare, leave_out, near, quoted, refuse
from . import expression
from .cells import ROW, WRITTEN, date, meant, measures, no_date, number, numbers, texts, years
from .expression import ExpressionError
from .formula import texts_asked, ticked

__all__ = ["Table", "name_of", "open_table"]


@dataclass(frozen=True)
class Table:
    """Columns of any dataframe, read when they are asked for."""

    known: tuple[str, ...]
    """The names of the columns."""
    read: Callable[[str], np.ndarray]
    """Name -> all cells of the column."""
    keep: np.ndarray
    """Positions of the rows in use."""
    rows: np.ndarray
    """Of the rows in use, as messages name them."""
    source: str
    """What messages call the table."""
    where: str | None = None
    """The filter that the rows in use passed."""
    written: Callable[[str], np.ndarray | None] = lambda name: None
    """Name -> what stands in a file in each cell of a column; None where that is not known."""

    def column(self, name: str) -> np.ndarray:
        """Return the cells in use."""
        return self.read(name)[self.keep]

    def texts(self, name: str) -> np.ndarray:
        """Return the cells in use as labels: as they stand in a file, None where one is missing.

        Numbers whose text is not known go by their value.
        """
        cells, own = self.column(name), self.written(name)
        if own is None or cells.dtype.kind not in "biuf":
            return texts(cells)
        own = own[self.keep]
        own[np.isnan(cells.astype(float))] = None
        if not all(map(isinstance, own, repeat(str))):
            own = np.where(np.equal(own, None), texts(cells), own)
        return own

    def _as_written(self, name: str) -> np.ndarray | None:
        known = self.column(name).dtype.kind in "biuf" and self.written(name) is not None
        return self.texts(name) if known else None

    def filtered(self, text: str | None) -> tuple[Table, tuple[Note, ...]]:
        """Return the rows that pass a filter, and a note where that is not all."""
        if text is None:
            return self, ()
        text = ticked(text, self.known)
        parts = {name: self.column(name) for name in expression.columns(text, self.known)}
        passes = np.broadcast_to(
            expression.filter_rows(text, parts, self._as_written), self.keep.shape
        )
        kept, total = int(passes.sum()), len(passes)
        if not kept:
            remedy = "check the filter against the values in the table"
            refuse(self.source, f"none of {total} rows passes where={text!r}", remedy)
        note = Note("where", f"where {text}: {kept} of {total} rows kept")
        used = replace(self, keep=self.keep[passes], rows=self.rows[passes], where=text)
        odd = (Note("where", f"where {text}: {said}") for said in self._unmatched(text))
        return used, (*(note,) * (kept < total), *odd)

    def _unmatched(self, text: str) -> Iterator[str]:
        """Yield what is said of texts in comparisons that no cell of their column is."""
        for name, given in texts_asked(text, self.known):
            cells = {each for each in self.texts(name) if each is not None}
            if given not in cells and date(given) is None and number(given) is None:
                hint = near(given, sorted(cells))
                yield f"no cell of {name} is {given!r}{hint}"

    def number(self, text: str, gaps: bool = False) -> np.ndarray:
        """Return the finite values of an expression, (rows,); with `gaps` cells may be missing."""
        text = ticked(text, self.known)
        parts, missing = {}, np.zeros(self.keep.shape, bool)
        by = expression.readers(text, self.known)
        compared = expression.compared(text, self.known)
        for said in self._unmatched(text) if compared else ():
            raise ExpressionError(said)
        for name in expression.columns(text, self.known):
            cells, reader = self.column(name), by.get(name)
            if name in compared:
                self.labels([name])  # each row has one
                parts[name] = cells
                continue
            test = f"isfinite({f'{reader}({quoted(name)})' if reader else quoted(name)})"
            parts[name], bad = (expression.READERS[reader] if reader else numbers)(cells)
            if bad.any() and reader is None:
                self._refuse_readable(bad, cells, name)
            first = cells[np.argmax(bad)] if bad.any() else None
            self._check(
                bad,
                cells,
                name,
                no_date(first) if reader == "years" else NUMBER + meant(first),
                test,
            )
            if not gaps:
                bad = ~np.isfinite(parts[name])
                self._check(bad, parts[name], name, "is no finite number", test)
            missing |= np.isnan(parts[name])
        values = np.broadcast_to(expression.evaluate(text, parts), self.keep.shape)
        bad = np.isinf(values) | (np.isnan(values) & ~missing)
        self._check(bad, values, text, "is no finite number", f"isfinite({text})")
        return values

    def labels(self, given: str | Iterable[str]) -> np.ndarray:
        """Return the labels in one column, or those in several joined with "/", (rows,) of str."""
        names = [given] if isinstance(given, str) else list(given)
        names = [name if name in self.known else bare(name) for name in names]
        parts = []
        for name in names:
            if name not in self.known:
                raise ExpressionError(f"no column {name!r}{near(name, self.known)}")
            cells, test = self.column(name), f"{quoted(name)} == {quoted(name)}"
            parts.append(self.texts(name))
            gap = np.equal(parts[-1], None).astype(bool)
            if gap.any():
                self._check(gap, self._gaps(name), name, "is no label", test)
            self._check_labels(cells, parts[-1], name)
        tuples = list(zip(*parts, strict=True))
        joined = ["/".join(each) for each in tuples]
        if len(set(joined)) < len(set(tuples)):
            problem = f"labels of {' and '.join(names)} look alike when joined with '/'"
            refuse(self.source, problem, "join them yourself in one column")
        return np.array(joined, object)

    def _gaps(self, name: str) -> np.ndarray:
        """Return what messages call the cells of a column that are missing."""
        own = self.written(name)
        cells = [None] * len(self.keep) if own is None else own[self.keep]
        says = "{!r}, which stands for an empty cell,"
        return np.array([says.format(each) if each else "an empty cell" for each in cells], object)

    def _check_labels(self, cells: np.ndarray, labels: np.ndarray, name: str) -> None:
        """Refuse labels that no file or picture can hold, and distinct cells of one label."""
        first: dict[str, Any] = {}
        for at, (label, cell) in enumerate(zip(labels, cells.tolist(), strict=True)):
            place = dict(row=int(self.rows[at]), column=name, value=cell)
            if UNSAFE.search(label):
                problem = "is no label: it has a zero byte, or half a letter"
                refuse(self.source, problem, "take it out of the text", **place)
            if not _same(first.setdefault(label, cell), cell):
                problem = f"and {first[label]!r} are other cells with the same label"
                refuse(self.source, problem, "write them as text that differs", **place)

    def _check(
        self, bad: np.ndarray, cells: np.ndarray, name: str, problem: str, test: str
    ) -> None:
        for at in np.flatnonzero(bad)[:1]:
            remedy = leave_out(test, self.where, self._leaves_rows(test, bad))
            refuse(
                self.source, problem, remedy, row=int(self.rows[at]), column=name, value=cells[at]
            )

    def _leaves_rows(self, test: str, bad: np.ndarray) -> bool:
        """Return whether a filter, tried on the rows in use, leaves two or more, none bad."""
        parts = {name: self.column(name) for name in expression.columns(test, self.known)}
        kept = np.broadcast_to(expression.filter_rows(test, parts), self.keep.shape)
        return bool(kept.sum() > 1 and not bad[kept].any())

    def _refuse_readable(self, bad: np.ndarray, cells: np.ndarray, name: str) -> None:
        """Refuse a cell that is no number with the expression that reads it, or what it is for."""
        at = int(np.flatnonzero(bad)[0])
        cell, said = cells[at], quoted(name)
        place = dict(row=int(self.rows[at]), column=name)
        if not measures(cells)[1][at]:
            remedy = f"it has a unit: write units({said}) where the column stands, which reads it "
            remedy += f"as {measures(cells)[0][at]:.6g}, if that is meant"
            refuse(self.source, NUMBER, remedy, value=cell, **place)
        days, other = years(cells)
        if not other[at]:
            first = int(np.nanmin(days))
            remedy = f"a scale along which a year is a factor of e: exp(years({said}) - {first})"
            refuse(self.source, "is a date", remedy, value=str(cell), **place)


NUMBER = "is no number"


def open_table(frame: Any, source: str) -> Table:
    """Return any dataframe, a mapping of arrays, or a list of records, as a Table.

    An index of pandas that has a name is a column, as it is to who gave it that name.
    """
    frame = _as_frame(frame, source)
    if isinstance(frame, Mapping):
        names, columns = [*frame], [*map(_vector, frame.values())]
        shapes = {column.shape for column in columns}
        if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
            shown = ", ".join(f"{k!r} {v.shape}" for k, v in zip(names, columns, strict=True))
            remedy = "give columns of one dimension and one length"
            refuse(source, f"the columns differ in shape: {shown}", remedy)
        length, read = max(map(len, columns), default=0), columns.__getitem__
    else:
        import narwhals as nw

        try:
            table = nw.from_native(frame)
            table = table.collect() if isinstance(table, nw.LazyFrame) else table
            names, length = table.columns, len(table)
        except (TypeError, ValueError) as error:
            remedy = "give a dataframe with its own name for each column, or a mapping of arrays"
            refuse(source, f"is no usable table ({str(error)[:200]})", remedy)
        read = lambda at: _cells(table[:, at].to_numpy())  # noqa: E731
    known = tuple(map(name_of, names))
    position = {name: at for at, name in enumerate(known)}
    if len(position) < len(known):
        refuse(source, "two columns have the same name", "rename one of them")
    if not length:
        refuse(source, "has no rows", "give some, below the names of the columns")
    keep = np.arange(length)
    rows = _rows(frame, keep)
    by_name = lambda name: read(position[name])  # noqa: E731
    kept = getattr(frame, "attrs", {}).get(WRITTEN)
    if not hasattr(kept, "column"):
        return Table(known, by_name, keep, rows, source)
    written = lambda name: _written(kept.column(name, frame.index), by_name(name))  # noqa: E731
    return Table(known, by_name, keep, rows, source, written=written)


def _written(found: tuple[np.ndarray, np.ndarray] | None, cells: np.ndarray) -> np.ndarray | None:
    """Return the texts of cells, None where a cell has been changed since it was read."""
    if found is None:
        return None
    own, read = found
    if cells.dtype.kind in "biuf" and read.dtype.kind in "biuf":
        same = (cells == read) | ((cells != cells) & (read != read))
    else:  # of texts only what stands in empty cells is asked
        same = np.equal(texts(cells), None) & np.equal(texts(read), None)
    return np.where(same.astype(bool), own, None)


def name_of(column: Any) -> str:
    """Return the name of a column; one of several parts, `("loss", "mean")`, is `loss.mean`."""
    if isinstance(column, tuple):
        return ".".join(str(part) for part in column if str(part))
    return str(column)


def _as_frame(frame: Any, source: str) -> Any:
    """Return what is no dataframe and can be read as one, as such."""
    if isinstance(frame, str | os.PathLike):
        path = os.fspath(frame)
        refuse(source, f"{path!r} is the name of a file", f"give read_table({path!r})")
    if isinstance(frame, list | tuple) and frame and all(isinstance(e, Mapping) for e in frame):
        names = dict.fromkeys(name for each in frame for name in each)
        return {name: [each.get(name) for each in frame] for name in names}
    if isinstance(frame, np.ndarray) and frame.dtype.names:
        return {name: frame[name] for name in frame.dtype.names}
    if hasattr(frame, "index") and hasattr(frame, "to_frame"):  # a Series of pandas
        frame = frame.to_frame()
    levels = getattr(getattr(frame, "index", None), "names", None) or ()
    if levels and hasattr(frame, "columns") and list(levels) != [ROW]:
        taken = [*map(name_of, frame.columns)]
        named = [each for each in levels if each is not None and name_of(each) not in taken]
        return frame.reset_index(level=named) if named else frame
    return frame


def _cells(values: Any) -> np.ndarray:
    """Return one cell a row, also where each holds several values."""
    values = _vector(values)
    return values if values.ndim == 1 else np.array([*values, None], object)[:-1]


def _rows(frame: Any, keep: np.ndarray) -> np.ndarray:
    """Return the places of rows in the file that was read, or else in the frame, from 1."""
    index = getattr(frame, "index", None)
    if getattr(index, "name", None) != ROW or not index.is_unique or index.dtype.kind != "i":
        return keep + 1
    return np.asarray(index)


UNSAFE = re.compile("[\x00\ud800-\udfff]")


def _same(one: Any, two: Any) -> bool:
    """Return whether two cells are one: 1 and 1.0 are, 1 and "1" are not."""
    return one is two or bool(one == two)


def _vector(values: Any) -> np.ndarray:
    if isinstance(values, list | tuple) and any(isinstance(each, str) for each in values):
        return np.array([*values, None], object)[:-1]  # numpy's own texts lose zero bytes
    if isinstance(values, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(values), None, values.data)
    try:
        return np.asarray(values)
    except ValueError:
        # Cells of unequal shapes; they are refused by row, as no numbers.
        return np.array([*values, None], object)[:-1]
