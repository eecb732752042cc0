"""along: the scale along which a question follows a curve, and which way is better on it.

Most scales are better the larger; of a loss from which an accuracy is told (`law.descending`) less
is better. A curve is always followed from the worse end to the better one. What is *ordered*
(earlier and later, passed by, the ends of an interval) is ordered by `Along.progress`: log10 of
the scale, its negative where less is better. What is *told* is log10 of the scale itself.

Floor 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from .data.expression import evaluate
from .model.arrays import pack
from .model.evaluate import at_own, law_at
from .posterior.health import FailedFit
from .posterior.mixture import Mixture, members
from .posterior.posterior import Posterior

__all__ = [
    "Along",
    "Crossed",
    "Drawn",
    "along",
    "crossings",
    "curves",
    "drawn",
    "drawn_before",
    "follow",
    "inputs",
]

LIMIT = 20.0
"""How many decades beyond the last scale of a grid the curve stands for the law's limit."""


@dataclass(frozen=True, eq=False)
class Along:
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

    def grid(self, lo: float | None, hi: float | None, points: int) -> np.ndarray:
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
        lo, hi = (float(x.min()) if lo is None else lo), (float(x.max()) if hi is None else hi)
        if not 0 < lo < hi < np.inf:
            raise ValueError(
                f"a range of scale needs 0 < lo < hi, got lo={lo:g} and hi={hi:g}; the data are "
                f"from {x.min():g} to {x.max():g}"
            )
        return np.geomspace(*((lo, hi) if self.sign > 0 else (hi, lo)), points)


def along(
    which: Posterior | Mixture, by: str | None = None, at: Mapping[str, Any] | None = None
) -> dict[str, Along]:
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
    if which.curves:
        raise ValueError("this posterior has several curves; take one: posterior.curve(NAME)")
    found = {name: _along(one, by, at) for name, _, one in members(which)}
    (first, start), *rest = found.items()
    for name, each in rest:
        if each.sign != start.sign or not np.array_equal(each.seen, start.seen):
            raise ValueError(
                f"{name} is followed along {each.by} and {first} along {start.by}, "
                "which are not one scale with one direction: name its column as by=..., or mix "
                "laws of the same scale"
            )
    return found


def _along(posterior: Posterior, by: str | None, at: Mapping[str, Any] | None) -> Along:
    name, others = inputs(posterior, by, at)
    data = posterior.data
    sign = -1.0 if name in posterior.law.descending else 1.0
    return Along(name, others, data.columns.get(name, name), data.inputs[name], sign)


def inputs(
    posterior: Posterior, by: str | None, at: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """Return the input along which to look, and how the others follow; see `along`."""
    law, columns = posterior.law, posterior.data.columns
    names = {columns.get(name): name for name in law.inputs} | {n: n for n in law.inputs}
    known = ", ".join(law.inputs)
    for key in (*(at or {}), *([] if by is None else [by])):
        if key not in names:
            raise ValueError(f"{key!r} is no scale of this fit; its scales are {known}")
    others = {names[key]: value for key, value in (at or {}).items()}
    left = [name for name in law.inputs if name not in others]
    by = names[by] if by is not None else (left[0] if left else None)
    if by is None or by in others or left != [by]:
        raise ValueError(
            "a curve is followed along one scale (by=...), and every other needs a value in `at` "
            f"(a number, or a text such as '20*N'); the law {law.name} takes {known}"
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
            raise ValueError(f"{name} in `at` is a number or follows {by}: {error}") from None
        if not (np.isfinite(found[name]).all() and (found[name] > 0).all()):
            raise ValueError(f"{name} must be positive and finite, got {found[name].min():g}")
    return found


def curves(posterior: Posterior, along: Along, grid: np.ndarray) -> np.ndarray:
    """Return each draw's curve at a grid of scales, (draw, point)."""
    draws = {name: values[None] for name, values in posterior.draws.items()}
    found = law_at(posterior.law, draws, {k: v[None] for k, v in along.at(grid).items()})
    return found.reshape(-1, found.shape[-1])


class Crossed(NamedTuple):
    """Where each draw's curve passes for good from the worse side of a level to the better."""

    log10_scale: np.ndarray
    """log10 of the scale of the last crossing, (draw,); nan where there is none."""
    already: np.ndarray
    """Past the level at every point of the grid, (draw,)."""
    never: np.ndarray
    """Short of it at the last point, (draw,)."""
    limit_short: np.ndarray
    """Of these, still short 20 decades beyond, (draw,)."""


def crossings(
    posterior: Posterior, way: Along, grid: np.ndarray, past: Callable[[np.ndarray], np.ndarray]
) -> Crossed:
    """Return the last crossing of each draw: found on the grid, then by bisection.

    Parameters
    ----------
    grid
        Scales from the worst to the best.
    past
        Says of values of the curve whether they are on the better side.
    """
    flat = posterior.flat()
    params = {name: flat[name] for name in posterior.law.parameters}
    on_grid = past(curves(posterior, way, grid))
    crosses = on_grid[:, -1] & ~on_grid.all(1)
    last = np.minimum(len(grid) - 1 - np.argmin(on_grid[:, ::-1], 1), len(grid) - 2)
    lo, hi = way.progress(grid)[last], way.progress(grid)[last + 1]
    for _ in range(40):
        middle = 0.5 * (lo + hi)
        scale = 10 ** (way.sign * middle[:, None])
        reached = past(at_own(posterior.law, params, way.at(scale)))[:, 0]
        lo, hi = np.where(reached, lo, middle), np.where(reached, middle, hi)
    beyond = np.full((len(on_grid), 1), grid[-1] * 10 ** (way.sign * LIMIT))
    far, never = at_own(posterior.law, params, way.at(beyond))[:, 0], ~on_grid[:, -1]
    short = never & np.isfinite(far) & ~past(far)
    return Crossed(np.where(crosses, way.sign * hi, np.nan), on_grid.all(1), never, short)


class Drawn(NamedTuple):
    """Curves of all draws of one or several laws, and how much each counts."""

    curves: np.ndarray
    """Performance, more being better, (draw, point); 0 where a draw's curve is not finite."""
    weights: np.ndarray
    """(draw,), summing to 1; 0 for these."""


def drawn(which: Posterior | Mixture, ways: Mapping[str, Along], grid: np.ndarray) -> Drawn:
    """Return the curves of the posterior's draws at a grid of scales.

    Raises FailedFit if no draw of a member has a finite curve.
    """
    parts = members(which)
    return _together(which, [(k, w, curves(one, ways[k], grid)) for k, w, one in parts])


def drawn_before(
    which: Posterior | Mixture, ways: Mapping[str, Along], grid: np.ndarray, draws: int, seed: int
) -> Drawn:
    """Return the curves of so many draws of each law's prior, by the laws' prior probability."""
    found, parts = [], members(which)
    prior = getattr(which, "prior", None) or dict.fromkeys((name for name, *_ in parts), 1.0)
    total = sum(prior[name] for name, *_ in parts)
    for i, (name, _, one) in enumerate(parts):
        with jax.enable_x64(True):
            lane = jax.tree.map(lambda leaf: leaf[0], pack(one.model, one.data)[0].data)
            scales = {k: v / lane["ref"][k] for k, v in ways[name].at(grid).items()}
            keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), i), draws)
            values = np.asarray(_prior_curves(one.model, keys, lane, scales))
        found.append((f"the prior of {name}", prior[name] / total, values))
    return _together(which, found)


@partial(jax.jit, static_argnames=("model",))
def _prior_curves(model, keys, lane, scales):
    def one(key):
        params = model.parameters(model.sample_prior(key), lane)
        given = {name: params[name] for name in model.law.parameters}
        return model.law.at(*(scales[name] for name in model.law.inputs), **given)

    return jax.vmap(one)(keys)


def _together(which, parts: list[tuple[str, float, np.ndarray]]) -> Drawn:
    sign, found, weights = (1.0 if which.law.improves == "up" else -1.0), [], []
    for name, weight, values in parts:
        finite = np.isfinite(values).all(1)
        if not finite.any():
            raise FailedFit(f"no draw of {name} has a finite curve: fit again, or leave it out")
        found.append(np.where(finite[:, None], sign * values, 0.0))
        weights.append(weight * finite / finite.sum())
    return Drawn(np.concatenate(found), np.concatenate(weights))
