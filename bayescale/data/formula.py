"""formula: arithmetic as a function, for numbers of any kind, arrays of JAX too.

And the names in its text: those of a law's inputs, and those that want backticks.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..messages import a_number, bare
from .cells import date, dated, is_year, number
from .expression import (
    FUNCTIONS,
    LITERALS,
    READERS,
    ExpressionError,
    columns,
    evaluate,
    parse,
    refuse_syntax,
)

__all__ = ["formula", "in_inputs", "in_names", "in_scales", "one_scale", "texts_asked", "ticked"]

_PLAIN = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def formula(text: str, names: Iterable[str], functions: Any = np) -> Callable[..., Any]:
    """Return arithmetic as a function of its names, by keyword, for numbers of any kind.

    Parameters
    ----------
    names
        What the text may speak of.
    functions
        Where `exp`, `log` and their like are found: numpy, or jax.numpy.

    Raises
    ------
    ExpressionError
        When the text cannot be read or names something else.
    """
    names = tuple(names)
    columns(text, names)
    tree, _ = (ast.Name(text), {}) if text in names else parse(text)

    def work_out(node: ast.expr, given: Mapping[str, Any]) -> Any:
        match node:
            case ast.Constant(value=int() | float() as constant):
                return float(constant)
            case ast.Name(id=name):
                return given[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -work_out(operand, given)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _PLAIN:
                return _PLAIN[type(op)](work_out(left, given), work_out(right, given))
            case ast.Call(func=ast.Name(id=name), args=[arg], keywords=[]) if name in FUNCTIONS:
                return getattr(functions, name)(work_out(arg, given))
        return refuse_syntax(node, text)

    work_out(tree, dict.fromkeys(names, np.float64(1.0)))
    return lambda **given: work_out(tree, given)


def in_names(text: str, columns: Mapping[str, str], names: Iterable[str]) -> str:
    """Return arithmetic with a law's inputs in place of the columns that they are.

    Parameters
    ----------
    columns
        Input -> column, or arithmetic on columns, as a `Dataset` has them.
    names
        The law's inputs, which go before columns of the same name.
    """
    names = set(names)
    inputs = {bare(columns[name]): name for name in names if name in columns}
    inputs = {column: name for column, name in inputs.items() if column not in names}
    if text in inputs:
        return inputs[text]
    text = ticked(text, [*inputs, *names])
    return _NAMES.sub(lambda found: inputs.get(found[1] or found[0], found[0]), text)


_NAMES = re.compile(r"`([^`]*)`|[^\W\d]\w*(?!\w|\s*\()")


def ticked(text: str, known: Iterable[str]) -> str:
    """Return a text that can be read: one that cannot, with its names of columns in backticks.

    `throughput/total_tokens > 1e9` names one column, where there are no two of these names.
    """
    known = tuple(known)
    if not _reads(text, known):
        names = sorted((n for n in known if n and not n.isidentifier()), key=len, reverse=True)
        if not names or not isinstance(text, str):
            return text
        each = "|".join(re.escape(name) for name in names if "`" not in name)
        # What is quoted stays as it is; a name stands for itself, and not within a longer word.
        parts = re.compile(rf"({LITERALS.pattern})|(?<!\w)({each})(?!\w)", re.DOTALL)
        tried = parts.sub(lambda m: m[0] if m[1] is not None else f"`{m[0]}`", text)
        return tried if _reads(tried, known) else text
    return text


def texts_asked(text: str, known: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the columns that a filter holds against texts (`model in ['a', 'b']`), with each."""
    tree, stands_for = (ast.Constant(0), {}) if text in known else parse(text)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not isinstance(node.left, ast.Name):
            continue
        name = stands_for.get(node.left.id, node.left.id)
        for op, other in zip(node.ops, node.comparators, strict=True):
            given = getattr(other, "elts", [other])
            if name in known and isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
                texts = [getattr(each, "value", None) for each in given]
                yield from ((name, each) for each in texts if isinstance(each, str))


def _reads(text: str, known: tuple[str, ...]) -> bool:
    """Return whether a text is of known columns and functions: `FLOP (1e18)` is no call of FLOP."""
    try:
        columns(text, known)
    except ExpressionError:
        return False
    nodes = () if text in known else ast.walk(parse(text)[0])
    called = {getattr(node.func, "id", "") for node in nodes if isinstance(node, ast.Call)}
    return called <= {*FUNCTIONS, *READERS, "isfinite"}


def in_inputs(text: str, columns: Mapping[str, str], inputs: Iterable[str]) -> str:
    """Return `name=value,...` with inputs for columns that scales are made of by arithmetic.

    Where N is `params_b*1e9`, `params_b=70` is `N=70000000000.0`, and a date stands for the scale
    that is made of it, a year for its beginning. What is none of these stays as it is.
    """
    inputs = tuple(inputs)
    made = {name: columns[name] for name in inputs if name in columns}
    own = {*inputs, *map(bare, made.values())}
    only = len(inputs) == 1 and "=" not in text

    def of(part: str) -> str:
        column, _, cell = ("", "", part) if only else part.rpartition("=")
        column, cell = bare(column.strip()), cell.strip()
        for name, scale in made.items():
            used = _only_column(scale)
            if used is None or (not only and used != column) or used in own:
                continue
            if only and number(cell) is not None and not (dated(scale) and is_year(cell)):
                continue  # of the scale itself
            try:
                value = evaluate(scale, {used: np.array([cell, None], object)[:-1]})[0]
            except ExpressionError:
                continue
            if np.isfinite(value):
                return f"{name}={float(value)!r}"
        return part

    parts = re.split(r",(?=(?:[^`]*`[^`]*`)*[^`]*$)", text)
    return ",".join(map(of, parts))


def in_scales(
    at: Mapping[Any, Any], columns: Mapping[str, str], inputs: Iterable[str], alone: bool = False
) -> dict[Any, Any]:
    """Return scales to ask about, in Python, as `in_inputs` reads them on the command line.

    Parameters
    ----------
    alone
        Whether values stand without a name: then all numbers that may be years are years, else
        whole ones, which no grid of scales has.
    """
    inputs = tuple(inputs)
    made = {name: columns[name] for name in inputs if name in columns}
    own = {*inputs, *made.values(), *map(bare, made.values())}
    found = {}
    for key, given in at.items():
        name = next((k for k, scale in made.items() if key in (k, scale, bare(scale))), None)
        if name is not None:
            found[key] = _by_date(given, made[name], alone)
            continue
        of = [k for k, scale in made.items() if key not in own and _only_column(scale) == key]
        found[of[0] if of else key] = _evaluated(given, made[of[0]]) if of else given
    return found


def one_scale(given: Any, by: str, column: str, what: str) -> float:
    """Return a scale that is asked about as a number; along dates a date, or a year, is its day.

    Raises
    ------
    ValueError
        For what is no number, naming `what` it is for.
    """
    return a_number(in_scales({by: given}, {by: column}, [by])[by], what)


def _by_date(given: Any, scale: str, alone: bool) -> Any:
    """Return values along a scale, dates and years as that of the scale, where it is of dates."""
    if dated(scale) is None or given is None:
        return given
    cells = [*np.ravel(np.asarray(given))] if np.ndim(given) else [given]
    if not any(_is_day(cell, alone) for cell in cells):
        return given
    return _evaluated(given, scale)


def _is_day(cell: Any, alone: bool) -> bool:
    """Return whether a value along dates is a date, or a number that is a year."""
    if number(cell) is None:
        return date(cell) is not None
    return is_year(cell) and (alone or float(cell).is_integer())


def _evaluated(given: Any, scale: str) -> Any:
    """Return what a scale is where the only column that it is made of holds these values."""
    cells = [*np.ravel(np.asarray(given))] if np.ndim(given) else [given]
    column = np.array([*cells, None], object)[:-1]
    try:
        found = evaluate(scale, {_only_column(scale): column})
    except ExpressionError as error:
        raise ValueError(f"at (--at): {error}") from None
    return found if np.ndim(given) else float(found[0])


def _only_column(text: str) -> str | None:
    """Return the column that arithmetic is made of, None where it is of several or of none."""
    tree, stands_for = parse(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    found = {stands_for.get(name, name) for name in names}
    return found.pop() if len(found) == 1 else None
