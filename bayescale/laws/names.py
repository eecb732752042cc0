"""The built-in laws, and how to find one by its name; priors as they are written."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from ..data.expression import parse_call
from ..parametric.parametric import Law
from ..parametric.priors import Distribution, fraction, positive, real
from .broken import broken, broken_accuracy
from .capability import elbow, exact_match, flat, multi_step, sigmoid
from .distractor import distractor, inverse, inverted_u
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

__all__ = [
    "LAWS",
    "breakthrough",
    "broken",
    "broken_accuracy",
    "chinchilla",
    "data_constrained",
    "distractor",
    "elbow",
    "exact_match",
    "flat",
    "from_loss",
    "get_law",
    "get_prior",
    "inverse",
    "inverted_u",
    "kaplan",
    "kaplan_steps",
    "multi_step",
    "power",
    "saturating",
    "shifted_power",
    "sigmoid",
    "two_stage",
]

LAWS: dict[str, Law | Callable[..., Law]] = {
    "power": power,
    "shifted_power": shifted_power,
    "saturating": saturating,
    "broken": broken,
    "kaplan": kaplan,
    "kaplan_steps": kaplan_steps,
    "chinchilla": chinchilla,
    "data_constrained": data_constrained,
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


def get_law(text: str | Law | Callable[..., Law]) -> Law:
    """Return the law that `text` names: `"chinchilla"`, `"broken(2)"`, `"power(floor=False)"`.

    A law is returned as it is, a factory called with its defaults.

    Raises
    ------
    ValueError
        If there is no such law, or it does not take such options.
    """
    if isinstance(text, Law):
        return text
    if not isinstance(text, str):
        return text()
    name, args, kwargs = parse_call(text)
    if name not in LAWS:
        near = get_close_matches(name, LAWS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"unknown law {name!r}: {hint}the laws are {', '.join(LAWS)}")
    found = LAWS[name]
    if isinstance(found, Law):
        if args or kwargs:
            raise ValueError(f"the law {name} takes no options; write it as {name!r}")
        return found
    try:
        return found(*args, **kwargs)
    except TypeError as error:
        raise ValueError(f"the law {text!r}: {error}") from None


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
