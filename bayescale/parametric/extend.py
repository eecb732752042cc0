"""extended: a law with a further term in front of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .base import Parametric, from_signature
from .coordinates import Coordinate

__all__ = ["extended"]


def extended(base: Any, fn: Callable, name: str) -> Any:
    """Return a law that puts what `base` says through `fn`, with the coordinates of `base`."""
    term = from_signature(Parametric, fn, name)
    columns, known = term.inputs[1:], (*base.inputs, *base.parameters)
    new = tuple(column for column in columns if column not in base.inputs)
    for taken in {*new, *term.parameters} & {*known}:
        raise ValueError(f"law {name}: {taken} is a name of {base.name} already; take another")
    for parameter, prior in term.priors:
        if isinstance(prior, Coordinate) and prior.prior is None:
            raise ValueError(
                f"law {name}: {parameter} cannot be a share of the level of {base.name}; give it "
                "a prior in its own unit, such as positive(0.01, 1)"
            )

    def formula(*inputs, **params):
        at = dict(zip((*base.inputs, *new), inputs, strict=True))
        own = {parameter: params.pop(parameter) for parameter in term.parameters}
        said = base.fn(*(at[column] for column in base.inputs), **params)
        main = said[base.response] if base.further else said
        found = fn(main, *(at[column] for column in columns), **own)
        return said | {base.response: found} if base.further else found

    return replace(
        base,
        fn=formula,
        name=name,
        inputs=(*base.inputs, *new),
        priors=(*base.priors, *term.priors),
        doc=term.doc or base.doc,
        not_scales=(*base.not_scales, *new),
        absolute=(*base.absolute, *new),
        natural=base.natural or len(new) < len(columns),
    )
