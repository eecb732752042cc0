"""The built-in laws, and how to find one by its name; priors as they are written."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from typing import Any

from ..messages import near
from ..parametric.parametric import Law, Parametric
from ..parametric.priors import Distribution, fraction, positive, real
from .approximate import approximate
from .broken import broken, broken_accuracy
from .capability import elbow, exact_match, flat, multi_step, sigmoid
from .distractor import distractor, inverse, inverted_u
from .factory import to_fix
from .farseer import farseer
from .loss import (
    chinchilla,
    data_constrained,
    kaplan,
    kaplan_steps,
    power,
    saturating,
    shifted_power,
)
from .two_stage import breakthrough, from_loss, two_stage

__all__ = ["LAWS", "get_law", "get_prior", "parse_call"]

LAWS: dict[str, Law | Callable[..., Law]] = {
    "power": power,
    "shifted_power": shifted_power,
    "saturating": saturating,
    "broken": broken,
    "kaplan": kaplan,
    "kaplan_steps": kaplan_steps,
    "chinchilla": chinchilla,
    "data_constrained": data_constrained,
    "farseer": farseer,
    "sigmoid": sigmoid,
    "exact_match": exact_match,
    "multi_step": multi_step,
    "elbow": elbow,
    "flat": flat,
    "distractor": distractor,
    "inverse": inverse,
    "inverted_u": inverted_u,
    "broken_accuracy": broken_accuracy,
    "from_loss": from_loss,
    "two_stage": two_stage,
    "breakthrough": breakthrough,
}

PRIORS = {"positive": positive, "real": real, "fraction": fraction}


def get_law(text: str | Parametric | Callable[..., Law]) -> Law:
    """Return the law that `text` names: `"chinchilla"`, `"broken(2)"`, `"power(floor=False)"`.

    A law is returned as it is, a factory called with its defaults.

    Returns
    -------
    Law
        The law.

    Raises
    ------
    ValueError
        If there is no such law, it does not take such options, or what is given is no law.

    Examples
    --------
    >>> bs.get_law("power(floor=False)").parameters
    ('A', 'alpha')
    """
    if isinstance(text, str):
        return _named(text)
    if not (isinstance(text, Parametric) or callable(text)):
        what = "the law comes first, fit('power', data)" * hasattr(text, "columns")
        what = what or "one at a time; of several, forecast(data, at, laws=[...])"
        raise TypeError(
            f"a law is a name, such as 'power', or a Law, no {type(text).__name__}: {what}"
        )
    found = text if isinstance(text, Parametric) else text()
    if not isinstance(found, Law):
        what = f"{found.name} is a noise" if isinstance(found, Parametric) else repr(found)
        raise ValueError(f"{what}, no law; the laws are {', '.join(LAWS)}, or your own (@law)")
    return found


def _named(text: str) -> Law:
    inner = re.fullmatch(r"\s*approximate\((.*)\)\s*", text, re.DOTALL)
    if inner:
        return approximate(_named(inner[1]))
    name, args, options = parse_call(text)
    if name not in LAWS:
        raise ValueError(f"unknown law {name!r}{near(name, LAWS)}")
    found = LAWS[name]
    if not isinstance(found, Law):
        try:
            return found(*args, **options)
        except (TypeError, ValueError) as error:
            raise ValueError(f"the law {text[:200]!r}: {error}") from None
    for option, value in options.items():
        if remedy := to_fix(found, option, value):
            raise ValueError(f"the law {text!r}: no option {option!r}{remedy}")
    if args or options:
        raise ValueError(f"the law {name} takes no options; write it as {name!r}")
    return found


def parse_call(text: str) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Return name, arguments and options of `broken(2)`, `power(floor=False)` or `chinchilla`.

    Arguments are literals, with true and false also as the command line may write them, and lists
    read as tuples.

    Raises
    ------
    ValueError
        When the text is anything else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in quoted text
            call: Any = ast.parse(text.strip(), mode="eval").body
        if isinstance(call, ast.Name):
            return call.id, (), {}
        options = {each.arg: _literal(each.value) for each in call.keywords}
        if None in options or len(options) < len(call.keywords):
            raise ValueError("an option without a name, or twice")
        return call.func.id, tuple(map(_literal, call.args)), options
    except (AttributeError, SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ValueError(
            f"cannot read the law {text[:200]!r}; write such as chinchilla or power(floor=False)"
        ) from None


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id in ("true", "false"):
        return node.id == "true"
    value = ast.literal_eval(node)
    return tuple(value) if isinstance(value, list) else value


def get_prior(text: str) -> Distribution:
    """Return the prior that `text` describes: `"positive(.1,.5)"`, `"fraction(.3, 10)"`.

    Raises
    ------
    ValueError
        If it is none, or not one of numbers that make one.
    """
    how = "write positive(LO,HI) or real(LO,HI), 90 % between, or fraction(MEAN,CONCENTRATION)"
    try:
        name, args, options = parse_call(text)
    except ValueError:
        name = ""
    if name not in PRIORS:
        raise ValueError(f"{text!r} is no prior; {how}")
    try:
        return PRIORS[name](*args, **options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{text!r} is no prior: {error}; {how}") from None
