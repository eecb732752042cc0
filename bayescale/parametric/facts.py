"""facts: what is told of a law beside its formula, checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..messages import near

__all__ = ["as_tuples", "check_facts", "check_names"]


def as_tuples(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts with tuples for lists: a law is hashed."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}


def check_names(facts: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse what is no fact of a law."""
    unknown = set(facts) - set(known)
    if unknown:
        fact = min(unknown)
        raise TypeError(f"law: no fact {fact!r}{near(fact, sorted(known))}")


def check_facts(made: Any) -> None:
    """Refuse facts that name no parameter, input or response of the law."""
    of = {
        "parameter": [
            *(made.unlock, made.floor, made.ceiling),
            *(*made.pools, *made.exponents, *made.misfit),
        ],
        "input": [*made.less_is_better, *made.not_scales, *(x for x, _ in made.same_unit)],
        "response": [],
    }
    if made.second_stage is not None:
        of["response"].append(made.second_stage[0])
        of["parameter"].append(made.second_stage[1])
    known = {"parameter": made.parameters, "input": made.inputs, "response": made.responses}
    for kind, names in of.items():
        for name in names:
            if name is not None and name not in known[kind]:
                raise ValueError(f"law {made.name}: no {kind} {name!r}{near(name, known[kind])}")
