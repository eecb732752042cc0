"""factory: options of functions that make laws, such as `broken(2)` and `power(floor=False)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from inspect import signature
from math import isfinite
from numbers import Integral, Real
from typing import Any

from ..messages import near
from ..parametric.parametric import Law

__all__ = ["factory", "to_fix"]


def factory(make: Callable[..., Law]) -> Callable[..., Law]:
    """Return `make` with its options checked, and one law of the same options, however written.

    One of another type is a ValueError; one that it does not have a TypeError that tells what to
    write: parameters of a law are no options. One object a law: its programs are compiled once.
    """
    options, kept = tuple(signature(make).parameters), cache(make)

    @wraps(make)
    def made(*args: Any, **given: Any) -> Law:
        for name in given:
            if name not in options:
                law = kept(*args, **{k: v for k, v in given.items() if k in options})
                remedy = to_fix(law, name, given[name])
                raise TypeError(f"no option {name!r}{remedy or near(name, options)}")
        call = signature(make).bind(*args, **given)
        for name, value in call.arguments.items():
            _check(make.__annotations__[name], name, value)
        call.apply_defaults()
        return kept(*call.args)

    return made


MOST = 20
"""The largest whole number that an option takes: so many breaks or steps."""


def _check(kind: str, name: str, value: Any) -> None:
    """Refuse a value of another type than the option is of, or beyond bounds."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    fits = {
        "bool": isinstance(value, bool),
        "int": whole and value <= MOST,
        "float": isinstance(value, Real) and not isinstance(value, bool) and isfinite(value),
    }
    said = {
        "bool": "true or false",
        "int": f"a whole number, at most {MOST}",
        "float": "a finite number",
    }
    if not fits.get(kind, True):
        raise ValueError(f"option {name} is {said[kind]}, got {repr(value)[:60]}")


def to_fix(law: Law, name: str, value: Any) -> str:
    """Return how to hold a parameter of the law at a value; "" where it has no such parameter."""
    if name not in law.parameters:
        return ""
    return f": it is a parameter; to hold it write .fix({name}={value!r}) (--fix {name}={value})"
