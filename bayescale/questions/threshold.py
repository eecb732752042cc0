"""threshold: the scale from which a curve stays past a level, above it or below.

For each draw the curve is followed from the smallest run to a horizon, and the *last* crossing
counts: a bump that passes the level and falls back unlocks nothing. A draw crosses at a scale, or
is past the level from the start (*already*), or is short of it at the horizon (*never*). The scale
has a median and an interval over all draws, with already as -inf and never as inf; it has no mean.

Losses pass a level downwards, accuracies upwards. An accuracy that falls, such as success against
the length of a task, is asked where it is lost, and a direction may be given (see `curves.side`).

Along a scale of which less is better, such as a loss that an accuracy is told from, the curve is
followed from the largest to a horizon below the smallest, and earlier means larger (see `sweep`).

Of a mixture all draws of all laws count, each law with its weight. What the laws say one by one
stands beside it: a forecast on which they disagree is no better than the best of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.formula import one_scale
from ..datasets.published import scale_of
from ..messages import Note, a_number
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import plain
from ..posterior.mixture import Mixture, a_fit
from ..posterior.posterior import Posterior
from . import shown
from .curves import Crossed, outcomes, side
from .remarks import in_dates, remarks
from .sweep import Sweep, level_of, sweep
from .unlock import (
    Spread,
    Unlock,
    draw_weights,
    ordered,
    share_by,
    spread,
    summarise_unlock,
    wider,
)

if TYPE_CHECKING:
    import pandas

__all__ = ["Threshold", "threshold"]

DECADES = 4.0
"""How far beyond the largest run the horizon lies unless it is given."""
PER_DECADE = 60
"""Grid points a decade; a bump narrower than that is not seen."""


@dataclass(frozen=True, eq=False, repr=False)
class Threshold(Shown):
    """The scale from which one curve stays past a level, for every draw."""

    level: float
    direction: str
    """`up` or `down`: whether the curve is above the level, or below, once it is past it."""
    scale: str
    """The law's input along which is looked: `x`, `N`."""
    column: str
    """The table's column behind it."""
    log10_scale: np.ndarray
    """log10 of the scale of the last crossing, (draw,); nan where already or never."""
    already: np.ndarray
    """Past the level at every scale of the grid, (draw,)."""
    never: np.ndarray
    """Short of the level at the horizon, (draw,)."""
    limit_short: np.ndarray
    """Of these, those that no scale brings past the level, (draw,): the law's limit is short."""
    x_min: float
    """The smallest scale of the data."""
    x_max: float
    """The largest scale of the data."""
    horizon: float
    """The last scale looked at: the largest, or the smallest where less is better."""
    grid: np.ndarray
    """Scales from the worst of the data to the horizon, (point,)."""
    p_by: np.ndarray
    """Probability that the level is passed by each scale of `grid`, already included, (point,)."""
    forecast: Unlock
    """Median and interval of the log10 scale, P(never), P(already)."""
    wider: Unlock | None
    """The same under a prior on the unlock scale twice as wide; None where no law has one."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""
    weights: np.ndarray | None = None
    """Weight of each draw, (draw,), summing to 1; all alike unless given."""
    members: Mapping[str, Unlock] = field(default_factory=dict)
    """The forecast of each law by its name; of one posterior just its own."""
    member_weights: Mapping[str, float] = field(default_factory=dict)
    """Weight of each of these; they sum to 1."""
    member: np.ndarray | None = None
    """Position in `members` of the law of each draw, (draw,); the first unless given."""
    less_is_better: bool = False
    """Whether less of the scale is better."""

    def __post_init__(self) -> None:
        draws = len(self.log10_scale)
        usual = {"weights": np.full(draws, 1 / draws), "member": np.zeros(draws, int)}
        for name, value in usual.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    @property
    def unlock(self) -> np.ndarray:
        """How late each draw passes the level, (draw,): -inf where already, inf where never.

        Else log10 of the scale, its negative where less of the scale is better; nan where the curve
        is not finite, which has no weight.
        """
        sign = -1.0 if self.less_is_better else 1.0
        return ordered(sign * self.log10_scale, self.already, self.never)

    def p_unlocked_by(self, scale: Any) -> float:
        """Return the probability that the level is passed by this scale (date), already included.

        Raises
        ------
        ValueError
            If the scale lies beyond the horizon, where nothing is known.
        """
        scale = one_scale(scale, self.scale, self.column, "a scale")
        sign = -1.0 if self.less_is_better else 1.0
        late = sign * np.log10(scale / self.horizon) if 0 < scale < np.inf else np.inf
        if not late <= 1e-12:
            side = "at or above" if self.less_is_better else "from 0 to"
            raise ValueError(f"a scale {side} the horizon {self.horizon:.4g}, not {scale:.4g}")
        return self._share(self.unlock <= sign * np.log10(scale))

    def _share(self, draws: np.ndarray) -> float:
        return float(self.weights[draws].sum() / self.weights.sum())

    def spread(self) -> Spread:
        """Return how far the laws' medians are apart, and how uncertain each law is alone."""
        draws = {name: self.unlock_of(name) for name in self.members}
        return spread(draws, self.member_weights)

    def unlock_of(self, name: str) -> np.ndarray:
        """Return `unlock` of the draws of one law that have a curve."""
        own = self.unlock[self.member == list(self.members).index(name)]
        return own[~np.isnan(own)]

    def params(self, tokens_per_param: float = 20.0, unit: float = 1.0) -> Unlock:
        """Return the forecast in log10 parameters, of models trained on so many tokens for each.

        C = 6 N D with D = `tokens_per_param` N, so that N = sqrt(C / (6 tokens_per_param)).

        Parameters
        ----------
        unit
            FLOP in one unit of the column: 1e21 for a column in 1e21 FLOP.

        Raises
        ------
        ValueError
            If the scale is not a number of FLOP, or an argument is not positive.
        """
        if scale_of(f"{self.scale} {self.column}") != "flops":
            raise ValueError(
                f"only a scale in FLOP is turned into parameters; this one is {self.column!r}: "
                "call its column flops or compute"
            )
        for name, value in (("tokens_per_param", tokens_per_param), ("unit", unit)):
            if not 0 < a_number(value, name) < np.inf:
                raise ValueError(f"{name} must be positive and finite, got {value:g}")
        shift = np.log10(unit / (6 * tokens_per_param))
        return self.forecast.converted(lambda log10: float((log10 + shift) / 2))

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: log10 scales, None where they are infinite."""
        same = ("level", "direction", "scale", "column", "x_min", "x_max", "horizon", "notes")
        weights = self.member_weights
        parts = {k: each.summary() | {"weight": weights[k]} for k, each in self.members.items()}
        return (
            self.forecast.summary()
            | plain({name: getattr(self, name) for name in same})
            | {
                "p_crosses": self._share(~self.already & ~self.never),
                "p_limit_short": self._share(self.limit_short),
                "by": np.stack([self.grid, self.p_by], 1).tolist(),
                "dates": in_dates(self),
                "wider": None if self.wider is None else self.wider.summary(),
                "members": parts,
                "spread": self.spread().summary(),
            }
        )

    def sheets(self) -> list[Sheet]:
        """Return one row a forecast: under the law's own prior, the wider one, and of each law."""
        return shown.threshold(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return one row a forecast: under the law's own prior, the wider one, and of each law."""
        import pandas as pd

        rows = {"law's prior": self.forecast, "wider prior": self.wider}
        rows |= self.members if len(self.members) > 1 else {}
        known = {name: vars(each) for name, each in rows.items() if each is not None}
        return pd.DataFrame.from_dict(known, orient="index").drop(columns="weights")


def threshold(
    posterior: Posterior | Mixture,
    level: float | str | None = None,
    *,
    by: str | None = None,
    horizon: Any = None,
    at: Mapping[str, Any] | None = None,
    direction: str | None = None,
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
        The last scale to look at: by default 4 decades beyond the largest run, or half of the
        smallest where less of the scale is better.
    at
        The law's other inputs: a number, a text such as "20*N" (arithmetic on `by`), or a
        function of the scale.
    direction
        "up": from which scale on the curve stays above the level; "down": below it. By default
        the side that is better, for losses below; the other where the law `worsens`, as `inverse`,
        or most draws get worse than the level within the data, and the answer says so.

    Returns
    -------
    Threshold, or dict of Threshold
        The scale for every draw; `forecast` has its median, interval and P(never).

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`; of several curves, the failed ones
        are marked by a note, and of a mixture left out.
    ValueError
        If there is no level, or one out of range, an unknown input or direction, a horizon within
        the data, or laws that are not of one scale.

    Notes
    -----
    `wider` is the forecast with the draws reweighted from the law's prior on the unlock scale
    (Student-t, 2 degrees of freedom, one decade about the largest run) to one twice as wide: the
    weights are between 1/2 and 4. Where the two differ, the prior speaks, not the data. In a
    mixture by evidence the laws' weights change with it (`wider.weights`), in others they stay.

    In a mixture a law that says that nothing happens, as `flat`, speaks of the data alone: beyond
    them something may still come, with the probability and at the scales of `laws.later`.

    Examples
    --------
    >>> answer = bs.threshold(sigmoid_fit, 0.6)
    >>> 9 < answer.forecast.median < 12  # log10 of the scale
    True
    >>> answer.p_unlocked_by(1e13)
    1.0
    """
    which = a_fit(posterior).trusted(allow_failed)

    def one(which: Posterior | Mixture) -> Threshold:
        value, ways = level_of(which, level), sweep(which, by, at)
        asked, notes = side(which, ways, value, direction)
        found = _one(which, value, asked, ways, horizon)
        return replace(found, notes=(*notes, *found.notes))

    return {str(name): one(part) for name, part in which} if which.curves else one(which)


def _one(
    which, level: float, direction: str, ways: dict[str, Sweep], horizon: float | None
) -> Threshold:
    """Return the threshold of one curve."""
    parts, way = which.members, next(iter(ways.values()))
    horizon = way.horizon(horizon, DECADES)
    grid = way.onward(horizon, PER_DECADE)
    found = outcomes(which, ways, grid, level, direction)
    crossed = Crossed(*map(np.concatenate, zip(*found.values(), strict=True)))
    late = {k: ordered(way.sign * each.log10_scale, *each[1:3]) for k, each in found.items()}
    finite = {name: each.finite.astype(float) for name, each in found.items()}
    unlock, weights = np.concatenate([*late.values()]), draw_weights(parts, finite)
    beside = wider(which, late, finite, lost=direction != which.law.improves)

    def told(found: Unlock) -> Unlock:
        return found.converted(lambda late: way.sign * late)

    answer = Threshold(
        level=level,
        direction=direction,
        scale=way.by,
        column=way.column,
        **{name: getattr(crossed, name) for name in Crossed._fields if name != "finite"},
        x_min=float(way.seen.min()),
        x_max=float(way.seen.max()),
        horizon=horizon,
        grid=grid,
        p_by=share_by(unlock, weights, way.progress(grid)),
        forecast=told(summarise_unlock(unlock, weights)),
        wider=None if beside is None else told(beside),
        notes=(),
        weights=weights,
        members={k: told(summarise_unlock(v, finite[k])) for k, v in late.items()},
        member_weights={name: weight for name, weight, _ in parts},
        member=np.repeat(np.arange(len(late)), [len(each) for each in late.values()]),
        less_is_better=way.sign < 0,
    )
    return replace(answer, notes=tuple(remarks(answer, which, way)))
