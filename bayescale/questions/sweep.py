"""sweep: the scale along which a question follows a curve, and which way is better on it.

Most scales are better the larger; of a loss from which an accuracy is told, less is better
(`law.less_is_better`). A curve is always followed from the worse end to the better one. What is
*ordered* (earlier and later, passed by, the ends of an interval) is ordered by `Sweep.progress`:
log10 of the scale, its negative where less is better. What is *told* is log10 of the scale itself.

`scales` reads the points that a question names, `decades_beyond` how far from the data they lie,
`level_of` the level of the response that is to be passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.expression import evaluate
from ..data.formula import in_names, in_scales, one_scale
from ..messages import a_number, some_numbers
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior

__all__ = [
    "HALF",
    "Sweep",
    "beyond",
    "decades_beyond",
    "follow",
    "inputs",
    "level_of",
    "past_level",
    "points_of",
    "response_name",
    "scales",
    "sweep",
]


BEYOND = (10.0, 100.0)
"""How many times beyond the largest scale of the data forecasts are asked for."""
LESS = (0.75, 0.5)
"""Of a scale of which less is better: at these shares of the smallest."""
HALF = 0.5
"""Where it lies of a scale of which less is better: at this share of the smallest."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """One input of a law, and how the others follow it."""

    by: str
    """The law's input."""
    others: Mapping[str, Any]
    """The law's other inputs: a number, a text such as "20*N", or a function of the scale."""
    column: str
    """The table's column of the input."""
    seen: np.ndarray
    """Its scales in the data."""
    sign: float
    """1, or -1 where less is better."""

    @property
    def worst(self) -> float:
        """Where in the data a curve begins."""
        return float(self.seen.min() if self.sign > 0 else self.seen.max())

    @property
    def best(self) -> float:
        """The scale of the data beyond which nothing was measured."""
        return float(self.seen.max() if self.sign > 0 else self.seen.min())

    @property
    def end(self) -> str:
        """What `best` is called."""
        return "the largest run" if self.sign > 0 else f"the smallest {self.column}"

    def progress(self, scale: Any) -> Any:
        """Return log10 of scales, its negative where less is better: later is always more."""
        return self.sign * np.log10(scale)

    def at(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return all inputs of the law at the scales x, in the shape of x."""
        return follow(self.others, self.by, x)

    def horizon(self, given: Any, decades: float) -> float:
        """Return the last scale to look at: what is given, or so many decades beyond the data.

        Where less of the scale is better that is half of the smallest.
        """
        if given is None:
            return self.best * (10**decades if self.sign > 0 else HALF)
        given = one_scale(given, self.by, self.column, "the horizon")
        if not (0 < given < np.inf and self.progress(given) >= self.progress(self.best)):
            side = "below" if self.sign > 0 else "above"
            raise ValueError(
                f"the horizon {given:.4g} must not be {side} {self.end} {self.best:.4g}"
            )
        return float(given)

    def onward(self, horizon: float, per_decade: int) -> np.ndarray:
        """Return scales from the worst of the data to a horizon, even in log: 201 or more."""
        decades = abs(np.log10(horizon / self.worst))
        return np.geomspace(self.worst, horizon, max(200, int(np.ceil(per_decade * decades))) + 1)

    def grid(self, lo: Any, hi: Any, points: int) -> np.ndarray:
        """Return scales from the worse bound to the better one, even in log.

        Parameters
        ----------
        lo, hi
            The smaller and the larger bound; by default the smallest and largest of the data.

        Raises
        ------
        ValueError
            If the bounds are not positive and in order.
        """
        x = self.seen
        lo = float(x.min()) if lo is None else one_scale(lo, self.by, self.column, "lo (--lo)")
        hi = float(x.max()) if hi is None else one_scale(hi, self.by, self.column, "hi (--hi)")
        if not 0 < lo < hi < np.inf:
            raise ValueError(
                f"a range of scale needs 0 < lo < hi, got lo={lo:g} and hi={hi:g}; the data are "
                f"from {x.min():g} to {x.max():g}"
            )
        return np.geomspace(*((lo, hi) if self.sign > 0 else (hi, lo)), points)


def sweep(
    which: Posterior | Mixture, by: str | None = None, at: Mapping[str, Any] | None = None
) -> dict[str, Sweep]:
    """Return along what each member is followed, by its name.

    Parameters
    ----------
    by
        The input along which to look; by default the one that `at` leaves.
    at
        The law's other inputs: a number, a text such as "20*N" (arithmetic on `by`), or a
        function of the scale.

    Raises
    ------
    ValueError
        If there are several curves, an unknown input, one without a value, or if the members of
        a mixture are followed along different scales or in different directions.
    """
    found = {name: _sweep(one, by, at) for name, _, one in which.only().members}
    (first, start), *rest = found.items()
    for name, each in rest:
        if each.sign != start.sign or not np.array_equal(each.seen, start.seen):
            raise ValueError(
                f"{name} is followed along {each.by} and {first} along {start.by}, "
                "which are not one scale with one direction: name its column as by=..., or mix "
                "laws of the same scale"
            )
    return found


def level_of(which: Posterior | Mixture, level: float | str | None) -> float:
    """Return the level that is meant, checked; of accuracies by default the one halfway up."""
    law, chance = which.law, which.data.chance
    if level is None or level == "half":
        if law.support != "unit":
            raise ValueError(
                f"a {law.response} has no natural level: name one (level=...); only accuracies "
                "have a default, halfway between chance and 1"
            )
        return float((1 + (0.0 if chance is None else chance[0])) / 2)
    if not np.isfinite(a_number(level, "a level", ', or "half"')):
        raise ValueError(f'a level is a number, or "half"; got {level!r}')
    if law.support == "unit" and not 0 < level < 1:
        raise ValueError(f"a level of accuracy lies between 0 and 1, got {level:g}")
    return float(level)


def past_level(values: np.ndarray, level: float, direction: str) -> np.ndarray:
    """Return whether values are past a level: at it or above (`up`), at it or below (`down`)."""
    return values >= level if direction == "up" else values <= level


def _sweep(posterior: Posterior, by: str | None, at: Mapping[str, Any] | None) -> Sweep:
    name, others = inputs(posterior, by, at)
    data = posterior.data
    sign = -1.0 if name in posterior.law.less_is_better else 1.0
    return Sweep(name, others, data.columns.get(name, name), data.inputs[name], sign)


def inputs(
    posterior: Posterior, by: str | None, at: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """Return the input along which to look, and how the others follow; see `sweep`."""
    law, columns = posterior.law, posterior.data.columns
    if not (isinstance(at, Mapping | None) and isinstance(by, str | None)):
        raise ValueError(f"by (--by) names a scale, at={{...}} the others; got {by!r} and {at!r}")
    others = {
        posterior.name_of(key): in_names(value, columns, law.inputs)
        if isinstance(value, str)
        else value
        for key, value in (at or {}).items()
    }
    left = [name for name in law.inputs if name not in others]
    by = posterior.name_of(by) if by is not None else (left[0] if left else None)
    if by is None or by in others or left != [by]:
        raise ValueError(
            "a curve is followed along one scale, by=... (--by), and every other needs a value, "
            "at={...} (--at), a number or a text such as '20*N'; the law "
            f"{law.name} takes {', '.join(law.inputs)}"
        )
    return by, others


def follow(others: Mapping[str, Any], by: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return all inputs at the scales x, in the shape of x."""
    found = {by: x}
    for name, rule in others.items():
        try:
            if isinstance(rule, str):
                rule = evaluate(rule, {by: x.ravel()}).reshape(-1)
            values = np.asarray(rule(x) if callable(rule) else rule, float)
            values = values.reshape(x.shape) if values.size == x.size else values
            found[name] = np.broadcast_to(values, x.shape)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{name}, at={{...}} (--at), is a number or follows {by}: {error}"
            ) from None
        if not (np.isfinite(found[name]).all() and (found[name] > 0).all()):
            raise ValueError(f"{name} must be positive and finite, got {found[name].min():g}")
    return found


def scales(posterior: Posterior, at: Any) -> dict[str, np.ndarray]:
    """Return the law's inputs from `at`, whose keys are input names or the table's columns.

    Of a law of one scale its values may stand alone.

    Raises
    ------
    ValueError
        For an unknown or missing name, or a scale that is not positive and finite.
    """
    law, alone = posterior.law, False
    if not (isinstance(at, Mapping) or hasattr(at, "columns")):
        if len(law.inputs) > 1:
            names = ", ".join(f"{name!r}: ..." for name in law.inputs)
            raise ValueError(f"at names its scales, {{{names}}}, got {at!r}")
        at, alone = {law.inputs[0]: at}, True
    at = in_scales(at, posterior.data.columns, law.inputs, alone)
    found = {posterior.name_of(key): _numbers(str(key), value) for key, value in at.items()}
    missing = [name for name in law.inputs if name not in found]
    if missing:
        raise ValueError(
            f"no value for {', '.join(missing)}; the scales are {posterior.scale_names}"
        )
    for name, values in found.items():
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError(f"{name} must be positive and finite, got {values.min():g}")
    try:
        points = np.broadcast_shapes(*(v.shape for v in found.values()))
    except ValueError:
        counts = ", ".join(f"{name} {values.size}" for name, values in found.items())
        raise ValueError(f"scales differ in their number of values: {counts}") from None
    return {name: np.broadcast_to(found[name], points).ravel() for name in law.inputs}


def _numbers(name: str, value: Any) -> np.ndarray:
    found = some_numbers(value, name)
    if not found.size:
        raise ValueError(f"{name} has no value; give one or more")
    return found


def decades_beyond(posterior: Posterior, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return how many decades each point lies beyond the data, in the input that is farthest.

    0 within the data, ([curve,] point).
    """
    found = []
    for _, one in posterior:
        beyond = [np.zeros(next(iter(inputs.values())).shape)]
        for name, values in inputs.items():
            seen = one.data.inputs[name]
            beyond += [np.log10(values / seen.max()), np.log10(seen.min() / values)]
        found.append(np.maximum.reduce(beyond).round(6))
    return np.stack(found) if posterior.curves else found[0]


def beyond(one: Posterior) -> dict[str, np.ndarray]:
    """Return the points that are asked for unless others are: `BEYOND` the data of one curve."""
    law, found = one.law, {}
    for name in law.inputs:
        seen = one.data.inputs[name]
        if name in law.less_is_better:
            found[name] = seen.min() * np.array(LESS)
        else:
            found[name] = seen.max() * np.array((1.0, 1.0) if name in law.not_scales else BEYOND)
    return found


def points_of(
    one: Posterior, points: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each point in words, and its scales by column."""
    columns = {name: one.data.columns.get(name, name) for name in points}
    for each in zip(*points.values(), strict=True):
        place = {columns[k]: float(x) for k, x in zip(points, each, strict=True)}
        yield ", ".join(f"{name}={value:.3g}" for name, value in place.items()), place


def response_name(one: Posterior) -> str:
    """Return what the table calls the response of the law."""
    of = one.law.name_in(one.data.responses)
    return one.data.columns.get(of, of)
