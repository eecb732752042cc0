"""curves: a fit's or a mixture's curve along its scale, to be drawn, and where it passes a level.

`curve` has the median and the bands of one, `task_curves` those of every task of `tasks`. Of a
mixture each draw counts with the weight of its law. `crossings` finds where each draw's curve
passes a level for good, `side` which way such a question is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..laws.later import FLAT, decades_later
from ..messages import Note, a_seed
from ..model.evaluate import at_own
from ..model.replicates import prior_curves
from ..posterior.bends import bent
from ..posterior.health import FailedFit
from ..posterior.intervals import levels
from ..posterior.mixture import Mixture
from ..posterior.pointwise import law_draws
from ..posterior.posterior import Posterior
from .sweep import HALF, Sweep, past_level, sweep

__all__ = [
    "LEVELS",
    "Crossed",
    "Curve",
    "Drawn",
    "check_finite",
    "crossings",
    "curve",
    "drawn",
    "drawn_before",
    "outcomes",
    "side",
    "task_curves",
]

LEVELS = (levels()[0], *levels(0.5), levels()[2])
"""Quantiles of a curve: the ends of 50 and 90 %, and the median between."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The curve at scales from the worst of the data to beyond the best."""

    x: np.ndarray
    """Scales, (point,)."""
    quantiles: np.ndarray
    """The response at `LEVELS`, over all draws, (5, point)."""
    edge: float
    """The best scale of the data, one of `x`: what comes after it was not measured."""


def curve(
    which: Posterior | Mixture, decades: float = 1.0, points: int = 80, end: float | None = None
) -> Curve:
    """Return the curve of a fit of one curve, or of a mixture, of one scale.

    Parameters
    ----------
    decades
        How far to go beyond the largest scale of the data. Where less of the scale is better the
        curve goes on to half of the smallest.
    points
        Scales at which the curve is taken, even in log.
    end
        The last scale, in place of `decades`.

    Raises
    ------
    FailedFit
        If no draw of a law has a finite curve.
    ValueError
        If the law has several scales, `decades` is negative or `points` below 2.
    """
    if decades < 0 or points < 2:
        raise ValueError(f"a curve needs decades >= 0 and points >= 2, got {decades} and {points}")
    ways = sweep(which)
    way = next(iter(ways.values()))
    end = _end(way, decades) if end is None else end
    x = np.unique(np.append(np.geomspace(way.worst, end, points), way.best))
    x = x if way.sign > 0 else x[::-1]
    found = drawn(which, ways, x)
    at = dict(axis=0, weights=found.weights, method="inverted_cdf")
    quantiles = np.quantile(which.law.sign * found.curves, LEVELS, **at)
    return Curve(x, quantiles, way.best)


def task_curves(found: Iterable[Any], decades: float = 1.0, points: int = 80) -> dict[str, Curve]:
    """Return the curve of each task that has a law to trust, by its name; see `curve`.

    All go on to the same scale: so far beyond the best run of any.
    """
    told = {task.name: task.mixture for task in found if task.mixture is not None}
    ways = [next(iter(sweep(mixture).values())) for mixture in told.values()]
    ends = [(way.progress(_end(way, decades)), _end(way, decades)) for way in ways]
    last = max(ends, default=(0.0, None))[1]
    return {name: curve(mixture, decades, points, last) for name, mixture in told.items()}


def _end(way: Sweep, decades: float) -> float:
    """Return the scale so far beyond the best run."""
    return way.best * (10**decades if way.sign > 0 else HALF)


LIMITS = (150.0, 20.0)
"""How many decades beyond the last scale of a grid the curve stands for the law's limit: a slow
power is there at last. Formulas that overflow there are asked nearer."""


def draws_on(posterior: Posterior, along: Sweep, grid: np.ndarray) -> np.ndarray:
    """Return each draw's curve at a grid of scales, (draw, point)."""
    return law_draws(posterior, along.at(grid))


def side(
    which: Posterior | Mixture, ways: Mapping[str, Sweep], level: float, given: str | None
) -> tuple[str, tuple[Note, ...]]:
    """Return on which side a level is passed, `up` or `down`, and what to say of the choice.

    What is given; else the side on which the response is better, as the law `improves`. It is the
    worse side where the curve falls, so that what is asked is where it is lost: where all laws
    `worsens`, or where most draws are past the level at the worst scale of the data, and short of
    it at the best.

    Raises
    ------
    ValueError
        If what is given is neither up nor down.
    """
    better = which.law.improves
    worse = "down" if better == "up" else "up"
    if given is not None:
        if given not in ("up", "down"):
            raise ValueError(f"direction (--direction) is up or down, got {given!r}")
        return given, ()
    way = next(iter(ways.values()))
    if all(one.law.worsens for _, _, one in which.members):
        why = f"by the law {which.law.name} the {which.law.response} gets worse with scale"
    else:
        found = drawn(which, ways, np.array([way.worst, way.best]))
        first, last = past_level(found.curves, level if better == "up" else -level, "up").T
        share = float(found.weights[first & ~last].sum())
        if not share > 0.5:
            return better, ()
        why = f"in {share:.0%} of draws the {which.law.response} gets worse than the level"
        why += " within the data"
    where = f"{'below' if worse == 'down' else 'above'} {level:.3g}"
    text = f"{why}: what is told is the {way.column} from which on it stays {where}; "
    text += f"direction='{better}' (--direction {better}) asks for the other side"
    return worse, (Note("direction", text),)


class Crossed(NamedTuple):
    """Where each draw's curve passes for good from the short side of a level to the other."""

    log10_scale: np.ndarray
    """log10 of the scale of the last crossing, (draw,); nan where there is none."""
    already: np.ndarray
    """Past the level at every point of the grid, (draw,)."""
    never: np.ndarray
    """Short of it at the last point, (draw,)."""
    limit_short: np.ndarray
    """Of these, still short in the law's limit, far beyond, (draw,)."""
    finite: np.ndarray
    """Whether the curve has a number at every point of the grid, (draw,): nothing is known of
    others, of which all of this is False."""


def crossings(
    posterior: Posterior, way: Sweep, grid: np.ndarray, past: Callable[[np.ndarray], np.ndarray]
) -> Crossed:
    """Return the last crossing of each draw: found on the grid, then by bisection.

    Parameters
    ----------
    grid
        Scales from the worst to the best.
    past
        Says of values of the curve whether they are on the better side.
    """
    law, flat = bent(posterior)
    params = {name: flat[name] for name in law.parameters}

    def value(scale: np.ndarray) -> np.ndarray:
        return at_own(law, params, way.at(scale))[:, 0]

    curves = draws_on(posterior, way, grid)
    on_grid, finite = past(curves), np.isfinite(curves).all(1)
    check_finite(law.name, finite)
    crosses = on_grid[:, -1] & ~on_grid.all(1) & finite
    last = np.minimum(len(grid) - 1 - np.argmin(on_grid[:, ::-1], 1), len(grid) - 2)
    lo, hi = way.progress(grid)[last], way.progress(grid)[last + 1]
    for _ in range(40):
        middle = 0.5 * (lo + hi)
        reached = past(value(10 ** (way.sign * middle[:, None])))
        lo, hi = np.where(reached, lo, middle), np.where(reached, middle, hi)
    far, never = _limit(value, grid[-1], way.sign, len(curves)), ~on_grid[:, -1] & finite
    short = never & np.isfinite(far) & ~past(far)
    log10 = np.where(crosses, way.sign * hi, np.nan)
    return Crossed(log10, on_grid.all(1) & finite, never, short, finite)


def outcomes(
    which: Posterior | Mixture,
    ways: Mapping[str, Sweep],
    grid: np.ndarray,
    level: float,
    direction: str,
) -> dict[str, Crossed]:
    """Return the last crossing of each draw of each member, by its name.

    In a mixture what is `FLAT` over the data may still rise beyond them: see `laws.later`.
    """
    past = partial(past_level, level=level, direction=direction)
    found = {name: crossings(one, ways[name], grid, past) for name, _, one in which.members}
    if isinstance(which, Mixture) and direction == "up" == which.law.improves:
        for name, _, one in which.members:
            if one.law.told == FLAT and one.law.support == "unit" and ways[name].sign > 0:
                found[name] = _still(found[name], one, ways[name], grid[-1], level)
    return found


def _still(
    found: Crossed, posterior: Posterior, way: Sweep, horizon: float, level: float
) -> Crossed:
    """Return when draws that are short of a level over the data pass it beyond them."""
    floor = draws_on(posterior, way, np.array([way.best]))[:, 0]
    decades = np.where(found.never, decades_later(floor, level), np.inf)
    comes = decades <= np.log10(horizon / way.best)
    return found._replace(
        log10_scale=np.where(comes, np.log10(way.best) + decades, found.log10_scale),
        never=found.never & ~comes,
        limit_short=found.limit_short & np.isinf(decades),
    )


def _limit(value: Callable, last: float, sign: float, draws: int) -> np.ndarray:
    """Return what each draw's curve comes to far beyond the last scale; nan where it is not known.

    Other inputs may leave the range of floats there before the scale does.
    """
    found = np.full(draws, np.nan)
    for decades in LIMITS:
        with suppress(ValueError), np.errstate(over="ignore", under="ignore"):
            far = value(np.full((draws, 1), last * 10 ** (sign * decades)))
            found = np.where(np.isfinite(found), found, far)
    return found


class Drawn(NamedTuple):
    """Curves of all draws of one or several laws, and how much each counts."""

    curves: np.ndarray
    """Performance, more being better, (draw, point); 0 where a draw's curve is not finite."""
    weights: np.ndarray
    """(draw,), summing to 1; 0 for these."""


def drawn(which: Posterior | Mixture, ways: Mapping[str, Sweep], grid: np.ndarray) -> Drawn:
    """Return the curves of the posterior's draws at a grid of scales.

    Raises FailedFit if no draw of a member has a finite curve.
    """
    parts = which.members
    return _together(which, [(k, w, draws_on(one, ways[k], grid)) for k, w, one in parts])


def drawn_before(
    which: Posterior | Mixture, ways: Mapping[str, Sweep], grid: np.ndarray, draws: int, seed: int
) -> Drawn:
    """Return the curves of so many draws of each law's prior, by the laws' prior probability."""
    found, parts = [], which.members
    prior = getattr(which, "prior", None) or dict.fromkeys((name for name, *_ in parts), 1.0)
    total = sum(prior[name] for name, *_ in parts)
    for i, (name, _, one) in enumerate(parts):
        rng = np.random.default_rng([a_seed(seed), 14, i])
        values = prior_curves(one.model, one.data, ways[name].at(grid), draws, rng)[:, 0]
        found.append((f"the prior of {name}", prior[name] / total, values))
    return _together(which, found)


def check_finite(name: str, finite: np.ndarray) -> None:
    """Refuse a law or a prior none of whose draws has a curve."""
    if not finite.any():
        problem, advice = f"no draw of {name} has a finite curve", "Fit again, or leave it out."
        raise FailedFit((problem,), (advice,), askable=False)


def _together(which, parts: list[tuple[str, float, np.ndarray]]) -> Drawn:
    sign, found, weights = which.law.sign, [], []
    for name, weight, values in parts:
        finite = np.all(np.isfinite(values), 1)
        check_finite(name, finite)
        found.append(np.where(finite[:, None], sign * values, 0.0))
        weights.append(weight * finite / finite.sum())
    return Drawn(np.concatenate(found), np.concatenate(weights))
