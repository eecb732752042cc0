"""signature: what a file keeps of a law or noise, and how the one of the fit is found again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..messages import one_line
from ..parametric.parametric import Parametric
from ..parametric.words import from_record, record
from .files import StorageError

__all__ = ["match", "signature"]


def signature(part: Parametric) -> dict[str, Any]:
    """Return the names, the fixed, the tied and the changed of a law or noise."""
    names = ("name", "inputs", "parameters", "fixed", "tied")
    priors = {name: record(prior) for name, prior in part.changed}
    return {name: getattr(part, name) for name in names} | {"priors": priors}


def match(
    path: str | os.PathLike, kind: str, saved: Mapping, own: Any, find: Callable
) -> Parametric:
    """Return the law or noise of the fit: the user's own if one is passed, else the built-in."""
    called = one_line(str(saved["name"]))[:80]
    try:
        found = find(str(saved["name"]) if own is None else own)
    except ValueError as error:
        raise StorageError(
            f"{path}: the {kind} {called} is not built in; pass it: load(path, {kind}=...)"
        ) from error
    for name in ("name", "inputs", "parameters"):
        then, now = (np.atleast_1d(v).tolist() for v in (saved[name], getattr(found, name)))
        if then != now:
            raise StorageError(
                f"{path}: was fitted with the {kind} {called}, whose {name} "
                f"{'is' if name == 'name' else 'are'} {', '.join(then)[:200]}; this {kind} has "
                f"{', '.join(now)}; pass the right one: load(path, {kind}=...)"
            )
    return replace(
        _with_saved_priors(path, kind, saved["priors"], found),
        fixed=tuple((k, v) for k, v in saved["fixed"]),
        tied=tuple((k, v) for k, v in saved["tied"]),
    )


def _with_saved_priors(
    path: str | os.PathLike, kind: str, saved: Mapping, found: Parametric
) -> Parametric:
    """Return the law or noise with the priors that it had; refuse those that are not known."""
    own = {name: record(prior) for name, prior in found.changed}
    lost = [name for name, prior in saved.items() if prior is None and name not in own]
    if lost:
        raise StorageError(
            f"{path}: was fitted with a prior of {', '.join(lost)} that no file keeps; pass the "
            f"{kind} with it: load(path, {kind}=...)"
        )
    for name, prior in own.items():
        if name not in saved or prior != saved[name]:
            raise StorageError(
                f"{path}: was fitted with another prior of {name} than this {kind} has; pass the "
                f"{kind} as it was, or as it is built in"
            )
    priors = {k: from_record(prior) for k, prior in saved.items() if k not in own}
    return found.with_priors(**priors)
