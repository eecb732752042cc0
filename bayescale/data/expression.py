"""Short texts that name columns, arithmetic on columns, or rows to keep.

`params_b*1e9`, `n_correct/n_examples` and `log10(flops)` make a column; `loss < 5` keeps rows.
Names that are no identifiers stand in backticks (`` `loss (nats)`*2 ``); a text that is exactly the
name of a column is that column. Texts are parsed against a whitelist and are never executed.
"""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from ..messages import ExpressionError, near
from .cells import in_days, measures, number, numbers, texts, years

__all__ = ["ExpressionError", "columns", "compared", "evaluate", "filter_rows", "parse", "readers"]

Columns = Mapping[str, np.ndarray]
Texts = Callable[[str], np.ndarray | None] | None


# ------------------------------------------------------------------ reading a text

LITERALS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`([^`]*)`", re.DOTALL)
_STEM = "column_in_backticks_"


def parse(text: str) -> tuple[ast.expr, dict[str, str]]:
    """Return the syntax tree, and what the stand-ins for names in backticks stand for."""
    if not isinstance(text, str) or not text.strip():
        raise ExpressionError(f"expected an expression, got {text!r}")
    stands_for: dict[str, str] = {}

    def stand_in(match: re.Match) -> str:
        if match[1] is None:
            return match[0]
        name = f"{_STEM}{len(stands_for)}"
        stands_for[name] = match[1]
        return f" {name} "

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(LITERALS.sub(stand_in, text).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        hint = "names with other signs than letters, digits and _ go in backticks"
        if re.search(r"[^=!<>]=[^=]", text):
            hint = "equality is written =="
        raise ExpressionError(f"cannot read {text[:200]!r}; {hint}") from None
    return tree.body, stands_for


def columns(text: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the names of the columns that an expression or a filter uses, in their order.

    An ExpressionError for a text that cannot be read, or a column that is not known.
    """
    return (text,) if text in known else _named(*_read(text, known))


def compared(text: str, known: Collection[str]) -> frozenset[str]:
    """Return the columns that a text compares, as `kind == 'moe'` does: their cells may be text."""
    if text in known:
        return frozenset()
    tree, scope = _read(text, known)
    parts = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    return frozenset(name for node in parts for name in _named(node, scope))


def _read(text: str, known: Iterable[str]) -> tuple[ast.expr, _Scope]:
    tree, names = parse(text)
    return tree, _Scope(text, names, dict.fromkeys(known))


def _named(node: ast.expr, scope: _Scope) -> tuple[str, ...]:
    """Return the columns that are named in a part of a text, in their order."""
    called = {id(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in called]
    names.sort(key=lambda each: (each.lineno, each.col_offset))
    return tuple(dict.fromkeys(scope.resolve(each.id) for each in names))


READERS = {"units": measures, "years": years}
"""What reads cells that are no plain numbers: `units(tokens)`, `years(date)`."""


def readers(text: str, known: Collection[str]) -> dict[str, str]:
    """Return the columns whose cells a text reads by one of `READERS`, and by which."""
    if text in known or not any(name in text for name in READERS):
        return {}
    tree, scope = _read(text, known)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _reads(node)]
    return {scope.resolve(node.args[0].id): node.func.id for node in calls}


def _reads(node: ast.Call) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.Name()], keywords=[]):
            return name in READERS
    return False


@dataclass(frozen=True)
class _Scope:
    """What an expression may use; a value is a number (float64), truth (bool) or text (object)."""

    text: str
    stands_for: Mapping[str, str]
    known: Mapping[str, Any]
    filters: bool = False
    texts: Texts = None

    def refuse(self, problem: str, remedy: str) -> NoReturn:
        raise ExpressionError(f"{problem} in {self.text[:200]!r}; {remedy}")

    def resolve(self, name: str) -> str:
        name = self.stands_for.get(name, name)
        if name in self.known:
            return name
        # Python reads identifiers in their NFKC form: a micro sign arrives here as a mu.
        for other in self.known:
            if unicodedata.normalize("NFKC", other) == name:
                return other
        within = "" if name == self.text else f" in {self.text[:200]!r}"
        raise ExpressionError(f"no column {name[:200]!r}{within}{near(name[:200], self.known)}")

    def column(self, name: str) -> np.ndarray:
        name = self.resolve(name)
        values = np.asarray(self.known[name])
        if values.dtype.kind == "b":
            return values
        as_numbers, bad = numbers(values)
        if self.filters and values.dtype.kind == "O" and any(isinstance(c, str) for c in values):
            return texts(values)
        if bad.any() and not self.filters:
            cell = texts(values)[bad][0]
            self.refuse(f"column {name!r} holds {cell!r}", "arithmetic needs numbers")
        return texts(values) if bad.any() else as_numbers

    def written(self, node: ast.expr, value: Any, other: Any) -> Any:
        """Return a column of numbers as texts where a text stands beside it: 1.10 is no '1.1'."""
        quoted = isinstance(other, str) and number(other) is not None
        asked = quoted and self.texts is not None and isinstance(node, ast.Name)
        found = self.texts(self.resolve(node.id)) if asked else None  # pyright: ignore
        return value if found is None else found

    def read(self, reader: str, name: str) -> np.ndarray:
        values, bad = READERS[reader](np.asarray(self.known[self.resolve(name)]))
        return np.where(bad, np.nan, values)

    def number(self, value: Any) -> Any:
        as_numbers, bad = numbers(np.atleast_1d(value))
        if bad.any():
            sample = np.atleast_1d(value)[bad][0]
            self.refuse(f"text such as {str(sample)!r} meets numbers", "quote text, and text only")
        return as_numbers if np.ndim(value) else as_numbers[0]

    def truth(self, value: Any) -> np.ndarray:
        if np.asarray(value).dtype.kind != "b":
            self.refuse("a value stands where a comparison must", "write such as loss < 3")
        return np.asarray(value)


# ------------------------------------------------------------------ working it out

_ARITHMETIC = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
FUNCTIONS = {name: getattr(np, name) for name in ("exp", "log", "log2", "log10", "sqrt", "abs")}
_COMPARISONS = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ADVICE = {
    ast.BitXor: "powers are written **",
    ast.BitAnd: "write `and` for &",
    ast.BitOr: "write `or` for |",
    ast.Invert: "write `not` for ~",
    ast.Call: f"functions are {', '.join([*FUNCTIONS, *READERS])}; isfinite in filters",
}


def _value(node: ast.expr, scope: _Scope) -> Any:
    match node:
        case ast.Constant(value=bool() | str() as constant):
            return constant
        case ast.Constant(value=int() | float() as constant) if number(constant) is not None:
            return np.float64(constant)
        case ast.Name(id=name):
            return scope.column(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -scope.number(_value(operand, scope))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            sides = [scope.number(_value(side, scope)) for side in (left, right)]
            return _ARITHMETIC[type(op)](*sides)
        case ast.Call(func=ast.Name(id=reader), args=[ast.Name(id=name)]) if _reads(node):
            return scope.read(reader, name)
        case ast.Call(func=ast.Name(id=name), args=[arg], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](scope.number(_value(arg, scope)))
        case ast.Compare() if not scope.filters:  # an indicator; of what is missing there is none
            gaps = [np.equal(texts(scope.known[name]), None) for name in _named(node, scope)]
            truth = _truth(node, replace(scope, filters=True))
            return np.where(np.any(gaps, 0), np.nan, truth)
    if scope.filters:
        return _truth(node, scope)
    _refuse_syntax(node, scope)


def _truth(node: ast.expr, scope: _Scope) -> Any:
    match node:
        case ast.Call(func=ast.Name(id="isfinite"), args=[arg], keywords=[]):
            return np.isfinite(numbers(np.atleast_1d(_value(arg, scope)))[0])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ~scope.truth(_value(operand, scope))
        case ast.BoolOp(op=op, values=nodes):
            parts = [scope.truth(_value(each, scope)) for each in nodes]
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return join.reduce(np.broadcast_arrays(*parts))
        case ast.Compare(left=left, ops=ops, comparators=others):
            nodes = [left, *others]
            parts = [_compare(*each, scope) for each in zip(nodes, ops, others, strict=False)]
            return np.logical_and.reduce(np.broadcast_arrays(*parts))
    _refuse_syntax(node, scope)


def refuse_syntax(node: ast.expr, text: str) -> NoReturn:
    """Refuse what is no arithmetic, and say how it is written."""
    _refuse_syntax(node, _Scope(text, {}, {}))


def _refuse_syntax(node: ast.expr, scope: _Scope) -> NoReturn:
    advice = [_ADVICE[type(each)] for each in ast.walk(node) if type(each) in _ADVICE]
    remedy = advice[0] if advice else "use names, numbers and + - * / **"
    scope.refuse(f"{type(node).__name__} is not allowed", remedy)


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, scope: _Scope) -> np.ndarray:
    a = _value(left, scope)
    if type(op) in _COMPARISONS:
        b = _value(right, scope)
        if isinstance(op, ast.Eq | ast.NotEq):
            a, b = scope.written(left, a, b), scope.written(right, b, a)
        return _pair(_COMPARISONS[type(op)], a, b, scope)
    if not isinstance(op, ast.In | ast.NotIn) or not isinstance(right, ast.List | ast.Tuple):
        scope.refuse("this comparison is not allowed", "write such as task in ['a', 'b']")
    found = np.zeros(np.shape(a), bool)
    for each in right.elts:
        b = _value(each, scope)
        found = found | _pair(operator.eq, scope.written(left, a, b), b, scope)
    return found if isinstance(op, ast.In) else ~found


def _pair(compare: Callable, a: Any, b: Any, scope: _Scope) -> np.ndarray:
    a, b = in_days(a, b)
    if any(np.asarray(side).dtype.kind not in "OU" for side in (a, b)):
        return np.asarray(compare(scope.number(a), scope.number(b)))
    # A missing text is like nan: unequal to everything, and neither smaller nor larger.
    gap = compare is operator.ne
    each = np.frompyfunc(lambda s, t: gap if s is None or t is None else compare(s, t), 2, 1)
    return np.asarray(each(a, b), bool)


def _evaluate(text: str, known: Columns, filters: bool, texts: Texts = None) -> np.ndarray:
    tree, stands_for = (ast.Name(_STEM), {_STEM: text}) if text in known else parse(text)
    scope = _Scope(text, stands_for, known, filters, texts)
    try:
        with np.errstate(all="ignore"):
            value = _value(tree, scope)
    except RecursionError:
        scope.refuse("too many levels", "write it shorter")
    value = scope.truth(value) if filters else scope.number(value)
    shapes = [np.shape(column) for column in known.values()]
    return np.array(np.broadcast_to(value, shapes[0] if shapes else ()))


def evaluate(text: str, frame_columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return arithmetic on columns, (rows,) float64; what has no value, such as 0/0, is nan.

    Parameters
    ----------
    text
        Column names, numbers, `+ - * / **`, parentheses, `exp log log2 log10 sqrt abs`,
        `units(x)`, which reads cells such as `18.9M` or `12 %`, `years(x)`, which reads dates,
        and comparisons such as `kind == 'moe'`, 1 where they hold and else 0.
    frame_columns
        The columns, all of one length.
    """
    return _evaluate(text, frame_columns, filters=False)


def filter_rows(text: str, columns: Columns, texts: Texts = None) -> np.ndarray:
    """Return whether each row passes, (rows,) bool.

    Parameters
    ----------
    text
        Comparisons (also `a < b < c`), `in [...]`, `not in`, `and`, `or`, `not`, `isfinite(x)` of
        columns, arithmetic, numbers and quoted text. A missing cell passes no comparison but `!=`.
    columns
        The columns, all of one length, of any type; texts of dates are compared as days.
    texts
        Name -> numbers as they are written, if known: for quoted ones, `recipe == '1.10'`.
    """
    return _evaluate(text, columns, filters=True, texts=texts)
