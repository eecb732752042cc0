"""formula: arithmetic as a function, for numbers of any kind, arrays of JAX too."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..messages import bare
from .expression import FUNCTIONS, columns, parse, refuse_syntax

__all__ = ["formula", "in_names"]

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
    return _NAMES.sub(lambda found: inputs.get(found[1] or found[0], found[0]), text)


_NAMES = re.compile(r"`([^`]*)`|[^\W\d]\w*(?!\w|\s*\()")
