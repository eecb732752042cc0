"""goals: what further runs are to tell: a response at a scale, a parameter, a best split, a law.

| as it is written | what is wanted |
|---|---|
| `N=7e10,D=1.4e12`, or a mapping | what the law says there; arrays are several points |
| `alpha` | a parameter of the law |
| `unlock` | the scale of the unlock, whatever the law calls it |
| `N at 1e21`, `D at 1e21` | the best split of a budget |
| `law` | which law of a mixture is right |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.cells import date, days, number
from ..data.formula import in_inputs
from ..messages import near
from ..posterior.display import count
from ..posterior.intervals import scalar_quantities
from ..posterior.mixture import Mixture
from ..posterior.pointwise import law_draws, spaced
from ..posterior.posterior import Posterior
from ..questions.sweep import points_of, response_name, scales
from .allocate import allocate
from .design import tamed

__all__ = [
    "LAW",
    "Goal",
    "check_finite",
    "check_texts",
    "goals",
    "in_logs",
    "of_laws",
    "several_points",
]
__all__ += ["or_fit_again", "together"]

LAW, UNLOCK = "law", "unlock"
SPLIT = re.compile(r"(?:best )?(.+?) at (\S+)")


@dataclass(frozen=True, eq=False)
class Goal:
    """One thing that is wanted, for every draw."""

    name: str
    """In words."""
    draws: np.ndarray
    """On the scale on which its variance is counted, (draw, column): logs where `logs`."""
    logs: bool
    """Whether draws are of logs."""
    at: Mapping[str, float] | None = None
    """The scales, of a response at some."""

    @property
    def natural(self) -> Callable[[Any], Any]:
        """What takes draws into the unit of what is wanted."""
        return np.exp if self.logs else np.asarray


def together(which: Posterior | Mixture, of: Callable[[str, Posterior], np.ndarray]) -> np.ndarray:
    """Return an answer for all draws: of a mixture each law's share of them, evenly thinned.

    Parameters
    ----------
    of
        Takes a member's name and posterior to (draw, ...); every call thins alike.
    """
    parts = [(weight, of(name, one)) for name, weight, one in which.members]
    if not isinstance(which, Mixture):
        return parts[0][1]
    most = max(len(each) for _, each in parts)
    return np.concatenate([each[spaced(len(each), round(w * most))] for w, each in parts])


def goals(which: Posterior | Mixture, target: Any, cost: Any = None) -> list[Goal]:
    """Return what is wanted; see the module's table.

    Parameters
    ----------
    target
        A text, a mapping of scales, or several of them.
    cost
        What a budget of a best split counts, as `allocate` takes it.

    Raises
    ------
    ValueError
        Where the target is none of these.
    """
    several = isinstance(target, Sequence | Iterable) and not isinstance(target, str | Mapping)
    # All are read before the first is computed: a slip in the last one costs no wait.
    read = [_read(which, each, cost) for each in (target if several else [target])]
    if not read:
        raise ValueError("name at least one target: scales, a parameter, 'N at 1e21', law")
    return [goal for told in read for goal in told()]


def check_texts(target: Any) -> None:
    """Refuse texts that are a target of no fit.

    Raises
    ------
    ValueError
        For scales without a number, and a split of no budget.
    """
    if isinstance(target, Iterable) and not isinstance(target, str | Mapping):
        for each in target:
            check_texts(each)
        return
    text = str(target).strip()
    if isinstance(target, str) and "=" in text:
        _assigned(text, dates=True)
    elif split := SPLIT.fullmatch(text):
        _budget(split)


def check_finite(found: Iterable[Goal], which: Posterior | Mixture) -> None:
    """Refuse goals whose draws are infinite, or have no spread."""
    for goal in found:
        if not np.isfinite(goal.draws).all():
            remedy = or_fit_again("name another target", which)
            raise ValueError(f"{goal.name} has no finite interval: {remedy}")
    if not all(goal.draws.var(0).sum() > 0 for goal in found):
        raise ValueError("this fit is a point without a spread: fit with NUTS() or Laplace()")


def or_fit_again(remedy: str, which: Posterior | Mixture) -> str:
    """Return a remedy for what is infinite: of a fit that is not to be trusted another fit.

    With fewer runs than constants a law may pass through all of them, whatever it says elsewhere.
    """
    for *_, one in which.members:
        if not one.health.sound:
            return f"fit with NUTS(), or with more runs, for this fit is {one.health}"
    return remedy


def in_logs(draws: np.ndarray) -> np.ndarray:
    """Return logs; wide posteriors have draws that are 0 to a float."""
    with np.errstate(divide="ignore"):
        return np.log(draws)


def _read(which: Posterior | Mixture, target: Any, cost: Any) -> Callable[[], list[Goal]]:
    """Return what computes the goals of one target; refuse what is none at once."""
    text = str(target).strip()
    if isinstance(target, Mapping) or "=" in text:
        one = which.members[0][2]
        own = in_inputs(text, one.data.columns, one.law.inputs)
        at = target if isinstance(target, Mapping) else _assigned(own)
        scales(one, at)
        return lambda: _responses(which, at)
    if split := SPLIT.fullmatch(text):
        flops, scale = _budget(split), which.members[0][2].name_of(split[1])
        if scale not in ("N", "D"):
            said = f"{split[1]!r} is no best split of a budget; write 'N at 1e21', or D"
            raise ValueError(f"target (--target): {said}")
        return lambda: [_split(which, scale, flops, cost)]
    if text == LAW:
        _several(which)
        return lambda: [of_laws(which)]
    for *_, one in which.members:
        _called(one, text)
    return lambda: [_parameter(which, text)]


def _budget(split: re.Match) -> float:
    """Return the FLOP of a best split as it is written."""
    flops = number(split[2])
    if flops is None or not 0 < flops < np.inf:
        said = f"{split[2]!r} is no budget; write '{split[1]} at 1e21'"
        raise ValueError(f"target (--target): {said}")
    return flops


def _assigned(text: str, dates: bool = False) -> dict[str, float]:
    """Return scales as they are written; with `dates` some may be these, which a fit reads."""
    found = {}
    for part in text.split(","):
        name, _, value = (each.strip() for each in part.rpartition("="))
        known = np.nan if dates and date(value) else number(value)
        if not name or known is None:
            raise ValueError(f"target (--target): {part!r} is no scale; write N=7e10,D=1.4e12")
        found[name] = known
    return found


def _responses(which: Posterior | Mixture, at: Mapping[str, Any]) -> list[Goal]:
    first = which.members[0][2]
    draws = together(which, lambda _, one: law_draws(one, scales(one, at)))
    logs = which.law.support == "positive"
    draws, said = tamed(in_logs(draws) if logs else draws), response_name(first)
    return [
        Goal(f"{said} at {_place(point)}", draws[:, [i]], logs, point)
        for i, (_, point) in enumerate(points_of(first, scales(first, at)))
    ]


def _place(point: Mapping[str, float]) -> str:
    said = {name: f"{name}={count(value)}" for name, value in point.items()}
    return ", ".join((said | days({}, point)).values())


def _called(one: Posterior, name: str) -> tuple[str, dict[str, np.ndarray]]:
    """Return what the law calls a parameter, and all draws; refuse what is none."""
    called = one.law.unlock if name == UNLOCK else name
    known = scalar_quantities({k: one.draws[k] for k in one.law.parameters})
    if called in known:
        return called, known
    if name == UNLOCK:
        raise ValueError(f"the law {one.law.name} has no scale of an unlock")
    others = near(name, [*known, *[UNLOCK] * (one.law.unlock is not None), LAW])
    others += f"; or scales ({','.join(f'{each}=NUMBER' for each in one.law.inputs)})"
    others += ", or 'N at 1e21'" * ({"N", "D"} <= {*one.law.inputs})
    raise ValueError(f"no target {name!r} of the law {one.law.name}{others}")


def _parameter(which: Posterior | Mixture, name: str) -> Goal:
    def own(_: str, one: Posterior) -> np.ndarray:
        called, known = _called(one, name)
        return known[called].ravel()

    draws = together(which, own)
    if np.ptp(draws) == 0:
        raise ValueError(f"{name} is fixed: there is nothing to learn of it")
    logs = bool((draws > 0).all())
    return Goal(name, tamed((np.log(draws) if logs else draws)[:, None]), logs)


def _split(which: Posterior | Mixture, scale: str, flops: float, cost: Any) -> Goal:
    def own(_: str, one: Posterior) -> np.ndarray:
        plan = allocate(one, flops, cost=cost, allow_failed=True)
        return (plan.params if scale == "N" else plan.tokens)[:, 0]

    return Goal(
        f"the best {scale} at {count(flops)}", tamed(in_logs(together(which, own)[:, None])), True
    )


def of_laws(which: Posterior | Mixture, what: str = "which law is right") -> Goal:
    """Return which member of a mixture is right, as what is wanted."""
    _several(which)
    names = [name for name, *_ in which.members]

    def own(name: str, one: Posterior) -> np.ndarray:
        count = next(iter(one.flat().values())).shape[0]
        return np.tile(np.array([each == name for each in names], float), (count, 1))

    return Goal(what, together(which, own), False)


def _several(which: Posterior | Mixture) -> None:
    if len(which.members) < 2:
        raise ValueError("which law is right is a question to several of them: mix(...), forecast")


def several_points(goal: Iterable[Goal]) -> dict[str, np.ndarray]:
    """Return the scales of the goals that are responses, by column."""
    points = [each.at for each in goal if each.at is not None]
    return {name: np.array([p[name] for p in points]) for name in (points[0] if points else ())}
