"""threshold: the scale from which a curve stays past a level.

For each draw the curve is followed from the smallest run to a horizon, and the *last* crossing
into the better side counts: a bump that passes the level and falls back unlocks nothing. A draw
crosses at a scale, or is past the level from the start (*already*), or is short of it at the
horizon (*never*). The scale has a median and an interval over all draws, with already as -inf
and never as inf; it has no mean.

Floor 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .expression import evaluate
from .forecast import (
    Forecast,
    place,
    plain,
    summarise_unlock,
    unlock_parameter,
    wider_weights,
)
from .posterior import Posterior
from .prediction import UNCALIBRATED, law_at
from .surface import at_own

if TYPE_CHECKING:
    import pandas

__all__ = ["Forecast", "Threshold", "threshold"]

DECADES = 4.0
"""How far beyond the largest run the horizon lies unless it is given."""
LIMIT = 20.0
"""How many decades beyond the horizon the curve stands for the law's limit."""
PER_DECADE = 60
"""Grid points a decade; a bump narrower than that is not seen."""
FEW = 100.0
"""Effective draws below which a reweighted forecast is said to be rough."""


@dataclass(frozen=True, eq=False)
class Threshold:
    """The scale from which one curve stays past a level, for every draw."""

    level: float
    improves: str
    """`up` or `down`: the side on which the level is passed."""
    scale: str
    """The law's input along which is looked: `x`, `N`."""
    column: str
    """The table's column behind it."""
    log10_scale: np.ndarray
    """log10 of the scale of the last crossing, (draw,); nan where already or never."""
    already: np.ndarray
    """Past the level at every scale from the smallest run on, (draw,)."""
    never: np.ndarray
    """Short of the level at the horizon, (draw,)."""
    limit_short: np.ndarray
    """Of these, still short 20 decades beyond the horizon, (draw,): the law's limit is short."""
    x_min: float
    """The smallest scale of the data."""
    x_max: float
    """The largest scale of the data."""
    horizon: float
    """The largest scale looked at."""
    grid: np.ndarray
    """Scales from x_min to the horizon, (point,)."""
    p_by: np.ndarray
    """Probability that the level is passed by each scale of `grid`, already included, (point,)."""
    forecast: Forecast
    """Median and interval of the log10 scale, P(never), P(already)."""
    wider: Forecast | None
    """The same under a prior on the unlock scale twice as wide; None where the law has none."""
    notes: tuple[str, ...]
    """What should be said with the answer."""

    @property
    def unlock(self) -> np.ndarray:
        """log10 of the scale of every draw, -inf where already, inf where never, (draw,)."""
        return _ordered(self.log10_scale, self.already, self.never)

    def p_unlocked_by(self, scale: float) -> float:
        """Return the probability that the level is passed by this scale, already included.

        Raises
        ------
        ValueError
            If the scale lies beyond the horizon, where nothing is known.
        """
        if not 0 < scale <= self.horizon * (1 + 1e-12):
            raise ValueError(f"a scale from 0 to the horizon {self.horizon:.4g}, not {scale:.4g}")
        return float(np.mean(self.unlock <= np.log10(scale)))

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: log10 scales, None where they are infinite."""
        wider = None if self.wider is None else plain(self.wider)
        return plain(self.forecast) | {
            "p_crosses": float(np.mean(~self.already & ~self.never)),
            "p_limit_short": float(np.mean(self.limit_short)),
            "level": self.level,
            "scale": self.scale,
            "column": self.column,
            "x_min": self.x_min,
            "x_max": self.x_max,
            "horizon": self.horizon,
            "wider": wider,
            "notes": list(self.notes),
        }

    def table(self) -> pandas.DataFrame:
        """Return one row a forecast, under the law's own prior and under the wider one."""
        import pandas as pd

        rows = {"law's prior": vars(self.forecast)}
        if self.wider is not None:
            rows["wider prior"] = vars(self.wider)
        return pd.DataFrame.from_dict(rows, orient="index")


def threshold(
    posterior: Posterior,
    level: float | str | None = None,
    *,
    by: str | None = None,
    horizon: float | None = None,
    at: Mapping[str, Any] | None = None,
    allow_failed: bool = False,
) -> Threshold | dict[str, Threshold]:
    """Return when a curve stays past a level; by name of the curve where there are several.

    Parameters
    ----------
    level
        In the unit of the response. Default ("half"), for accuracies: halfway between chance
        (0 where the data name none) and 1. Losses need one.
    by
        The input along which to look; by default the one that `at` leaves.
    horizon
        The largest scale to look at; 4 decades beyond the largest run by default.
    at
        The law's other inputs: a number, a text such as "20*N" (arithmetic on `by`), or a
        function of the scale.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`; of several curves, the failed ones
        are marked by a note.
    ValueError
        If there is no level, or one out of range, an unknown input, or a horizon below the data.

    Notes
    -----
    `wider` is the forecast with the draws reweighted from the law's prior on the unlock scale
    (Student-t, 2 degrees of freedom, one decade about the largest run) to one twice as wide: the
    weights are between 1/2 and 4. Where the two differ, the prior speaks, not the data.
    """
    posterior.trusted(allow_failed)
    by, others = _inputs(posterior, by, at)
    if not posterior.curves:
        return _one(posterior, level, by, horizon, others)
    return {str(name): _one(one, level, by, horizon, others) for name, one in posterior}


def _inputs(
    posterior: Posterior, by: str | None, at: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """Return the input along which to look, and how the others follow."""
    law, columns = posterior.law, posterior.data.columns
    names = {columns.get(name): name for name in law.inputs} | {n: n for n in law.inputs}
    for key in (*(at or {}), *([] if by is None else [by])):
        if key not in names:
            raise ValueError(
                f"{key!r} is no scale of this fit; its scales are {', '.join(law.inputs)}"
            )
    others = {names[key]: value for key, value in (at or {}).items()}
    left = [name for name in law.inputs if name not in others]
    by = names[by] if by is not None else (left[0] if left else None)
    if by is None or by in others or left != [by]:
        raise ValueError(
            f"a threshold is looked for along one scale, and every other needs a value in `at` (a "
            f"number, or a text such as '20*N'); the scales are {', '.join(law.inputs)}"
        )
    return by, others


def _follow(others: Mapping[str, Any], by: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return all inputs at the scales x, in the shape of x."""
    inputs = {by: x}
    for name, rule in others.items():
        try:
            if isinstance(rule, str):
                rule = evaluate(rule, {by: x.ravel()}).reshape(-1)
            values = np.asarray(rule(x) if callable(rule) else rule, float)
            values = values.reshape(x.shape) if values.size == x.size else values
            inputs[name] = np.broadcast_to(values, x.shape)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} in `at` is a number or follows {by}: {error}") from None
        if not (np.isfinite(inputs[name]).all() and (inputs[name] > 0).all()):
            raise ValueError(f"{name} must be positive and finite, got {inputs[name].min():g}")
    return inputs


def _level(posterior: Posterior, level: float | str | None) -> float:
    law, chance = posterior.law, posterior.data.chance
    if level is None or level == "half":
        if law.support != "unit":
            raise ValueError(
                f"a {law.response} has no natural level: name one (level=...); only accuracies "
                "have a default, halfway between chance and 1"
            )
        return float((1 + (0.0 if chance is None else chance[0])) / 2)
    if isinstance(level, str) or not np.isfinite(level):
        raise ValueError(f'a level is a number, or "half"; got {level!r}')
    if law.support == "unit" and not 0 < level < 1:
        raise ValueError(f"a level of accuracy lies between 0 and 1, got {level:g}")
    return float(level)


def _one(posterior: Posterior, level, by, horizon, others) -> Threshold:
    """Return the threshold of one curve."""
    x, column = posterior.data.inputs[by], posterior.data.columns.get(by, by)
    x_min, x_max = float(x.min()), float(x.max())
    horizon = x_max * 10**DECADES if horizon is None else float(horizon)
    if not x_max <= horizon < np.inf:
        raise ValueError(f"the horizon {horizon:.4g} must not be below the largest run {x_max:.4g}")
    level = _level(posterior, level)
    points = max(200, int(np.ceil(PER_DECADE * np.log10(horizon / x_min)))) + 1
    grid = np.geomspace(x_min, horizon, points)
    log10_scale, already, never, limit_short = _outcomes(posterior, level, by, others, grid)
    unlock = _ordered(log10_scale, already, never)
    weights = wider_weights(posterior, by)
    forecast = summarise_unlock(unlock, np.ones(len(unlock)))
    wider = None if weights is None else summarise_unlock(unlock, weights)
    return Threshold(
        level=level,
        improves=posterior.law.improves,
        scale=by,
        column=column,
        log10_scale=log10_scale,
        already=already,
        never=never,
        limit_short=limit_short,
        x_min=x_min,
        x_max=x_max,
        horizon=horizon,
        grid=grid,
        p_by=np.searchsorted(np.sort(unlock), np.log10(grid), side="right") / len(unlock),
        forecast=forecast,
        wider=wider,
        notes=tuple(_notes(posterior, level, f"{by} {column}", x_max, horizon, forecast, wider)),
    )


def _outcomes(posterior: Posterior, level, by, others, grid) -> tuple[np.ndarray, ...]:
    """Return log10 of the last crossing, already, never, and never at the limit, (draw,) each."""
    law, flat = posterior.law, posterior.flat()
    params = {name: flat[name] for name in law.parameters}

    def curve(x: np.ndarray) -> np.ndarray:
        return at_own(law, params, _follow(others, by, x))

    def past(values: np.ndarray) -> np.ndarray:
        return values >= level if law.improves == "up" else values <= level

    everywhere = past(_on_grid(posterior, _follow(others, by, grid)))
    already, never = everywhere.all(1), ~everywhere[:, -1]
    log10_scale = _last_crossing(everywhere, np.log10(grid), lambda x: past(curve(x)))
    far = curve(np.full((len(never), 1), grid[-1] * 10**LIMIT))[:, 0]
    return log10_scale, already, never, never & np.isfinite(far) & ~past(far)


def _on_grid(posterior: Posterior, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return each draw's curve at the grid, (draw, point)."""
    draws = {name: values[None] for name, values in posterior.draws.items()}
    curve = law_at(posterior.law, draws, {name: v[None] for name, v in inputs.items()})
    return curve.reshape(-1, curve.shape[-1])


def _last_crossing(past: np.ndarray, log_grid: np.ndarray, at) -> np.ndarray:
    """Return log10 of the scale after which a draw stays past, nan where there is none.

    Between the last grid point short of the level and the next, by bisection of `at`.
    """
    crosses = past[:, -1] & ~past.all(1)
    last = past.shape[1] - 1 - np.argmin(past[:, ::-1], 1)
    lo = log_grid[np.minimum(last, past.shape[1] - 2)]
    hi = log_grid[np.minimum(last, past.shape[1] - 2) + 1]
    for _ in range(40):
        middle = 0.5 * (lo + hi)
        reached = at(10 ** middle[:, None])[:, 0]
        lo, hi = np.where(reached, lo, middle), np.where(reached, middle, hi)
    return np.where(crosses, hi, np.nan)


def _ordered(log10_scale: np.ndarray, already: np.ndarray, never: np.ndarray) -> np.ndarray:
    return np.where(already, -np.inf, np.where(never, np.inf, log10_scale))


def _notes(posterior, level, name, x_max, horizon, forecast, wider) -> list[str]:
    (verdict,), notes = posterior.health.verdicts, []
    if not verdict.sound:
        notes.append(f"NOT TO BE TRUSTED: {'; '.join(verdict.problems)}")
    if np.isfinite(forecast.median):
        beyond = forecast.median - np.log10(x_max)
        where = f"{beyond:.2g} decades beyond the largest run" if beyond > 0 else "within the data"
        median = f"{10**forecast.median:.3g}{place(forecast.median, name)}"
        notes.append(f"the median lies {where}, at {median}")
    elif forecast.median > 0:
        notes.append(f"in most draws the level {level:.3g} is not reached up to {horizon:.3g}")
    if forecast.hi > np.log10(x_max):
        notes.append(UNCALIBRATED)
    chance = posterior.data.chance
    if chance is not None and posterior.law.improves == "up" and level <= chance[0]:
        notes.append(f"the level {level:.3g} is not above chance ({chance[0]:.3g})")
    unlock = unlock_parameter(posterior)
    if unlock is not None and unlock in verdict.unidentified:
        notes.append(
            f"the data say little of {unlock}: from a plateau the forecast is the prior on the "
            "unlock scale"
        )
    if wider is not None and wider.ess < FEW:
        notes.append(f"under the wider prior only {wider.ess:.0f} effective draws: rough")
    return notes
