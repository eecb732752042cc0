"""multiplier: by which factor one recipe needs less compute than another to be as good.

Recipes are run at several scales of one kind (compute, data or parameters). One law of all of them
(`laws.recipes`, of accuracies `laws.risings`) gives both curves, with what the recipes have in
common weighed by evidence; the factor at a scale x is x_A/x, with x_A the scale at which the
baseline first reaches what the recipe reaches at x, solved on each draw's curves. The ratio of the
scales at which both get to one level compares thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.dataset import Dataset
from ..data.from_frame import as_dataset
from ..inference.fit import fit
from ..inference.samplers import EVIDENCE, NUTS, by_nuts
from ..messages import Note
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, plain, summarise
from ..posterior.mixture import Mixture
from ..progress import Progress, telling, waiting
from . import shown
from .answer import Asked, Reached, answered, weighed
from .rows import (
    as_rows,
    choices,
    levels_asked,
    paired,
    recipe_names,
    response_of,
    scales_asked,
)

if TYPE_CHECKING:
    import pandas

__all__ = ["Multiplier", "multiplier"]

SAMPLER = NUTS(warmup=500, draws=1000, retries=0)
"""Enough for quantiles of a mixture."""


@dataclass(frozen=True, eq=False, repr=False)
class Multiplier(Shown):
    """The factor by which recipes need less scale than the baseline for equal loss or accuracy."""

    baseline: str
    """The recipe that others are measured by."""
    column: str
    """What is called scale: the column or expression of the table."""
    scales: np.ndarray
    """Scales at which factors are told, ascending, (point,)."""
    factors: Mapping[str, np.ndarray]
    """By recipe, (draw, point): scale of the baseline over that of the recipe; inf where the
    baseline never gets there, and no less than what 10^4 times less than all scales makes."""
    told: Mapping[str, tuple[float | None, np.ndarray]]
    """By recipe, its main answer: the largest scale asked about, with the factor there, (draw,); or
    where none is, None, with the geometric mean over the scales that both were run at (of one
    scale that, of none the end of the smaller ones); of accuracies with the ratio of the scales
    at which both get to the first level of `unlocks`."""
    grows: Mapping[str, float]
    """By recipe, the probability that its factor is larger at the largest of `scales` than at the
    smallest of the data."""
    turns: Mapping[str, np.ndarray]
    """By recipe, (draw,): the scale at which the better of the two changes for the last time,
    between the smallest of the data and the largest of `scales`; inf where the same is better at
    both ends."""
    grid: np.ndarray
    """Scales from the smallest of the data to the largest of `scales`, (along,)."""
    along: Mapping[str, np.ndarray]
    """By recipe, its factor at `grid`, (draw, along)."""
    losses: Mapping[str, np.ndarray]
    """By recipe, the baseline too: the curve at `scales`, (draw, point); of accuracies these."""
    scatter: np.ndarray
    """Sd of the log of single runs about the curve, (draw,); of accuracies what their noise calls
    it: tau, of the log of their effective scale, where n is known; of log odds where rows are
    paired."""
    shared: np.ndarray
    """Share of the variance of single runs that rows which belong together have in common,
    (draw,); 0 where none do."""
    pairs: int
    """How many sets of rows belong together, of two recipes or more; 0 where none do."""
    mixture: Mixture
    """Fits by what the recipes have in common (`all`, `floor`, `nothing`), weighed."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""
    response: str = "loss"
    """`loss` or `accuracy`."""
    unlocks: Mapping[str, Sequence[Reached]] = field(default_factory=dict)
    """By recipe, the scales at which it and the baseline first get to each level; of losses none
    unless levels were given."""

    @property
    def recipes(self) -> list[str]:
        """All recipes, the baseline first."""
        return [self.baseline, *self.factors]

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each choice of what is common."""
        return dict(self.mixture.weights)

    @property
    def sound(self) -> bool:
        """Whether draws of every fit that has weight are sound."""
        return all(one.health.verdicts[0].settled for *_, one in self.mixture.members)

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `multipliers` by recipe, `common`, `notes`."""
        found = {name: self._of(name) for name in self.factors}
        same = {"baseline": self.baseline, "scale": self.column, "common": self.weights}
        share = summarise(self.shared) if self.pairs else None
        same |= {"paired": {"sets": self.pairs, "share": share}}
        told = {"multipliers": found, "health": {"sound": self.sound}, "notes": self.notes}
        return plain(same | {"response": self.response} | told)

    def _of(self, name: str) -> dict[str, Any]:
        (at, main), turns = self.told[name], self.turns[name]
        turned, unlocks = turns[np.isfinite(turns)], self.unlocks.get(name, ())
        own = self.response == "accuracy" and at is None
        level = unlocks[0].level if own and unlocks else None
        points = [{"at": x, **_spread(self.factors[name][:, i])} for i, x in enumerate(self.scales)]
        ends = {"p_grows": self.grows[name], "p_turns": np.mean(np.isfinite(turns))}
        where = summarise(turned) if len(turned) > 1 else None
        told = {"at": at, "level": level, **_spread(main), **ends, "turns_at": where}
        return told | {"points": points, "unlocks": [_compared(each) for each in unlocks]}

    def sheets(self) -> list[Sheet]:
        """Return one row a recipe, and one a scale."""
        return shown.multiplier(self.summary())

    def table(self, mass: float = INTERVAL) -> pandas.DataFrame:
        """Return one row a recipe and scale: median and interval of the factor, and P(better)."""
        import pandas as pd

        rows = []
        for name, drawn in self.factors.items():
            for i, x in enumerate(self.scales):
                rows.append({"recipe": name, "at": x, **_spread(drawn[:, i], mass)})
        return pd.DataFrame(rows)


def _spread(factor: np.ndarray, mass: float = INTERVAL) -> dict[str, float]:
    """Return median and interval of the draws that say something, and shares of all."""
    known = factor[~np.isnan(factor)]
    found = summarise(known, mass) if len(known) > 1 else {}
    same = {key: found.get(key, np.nan) for key in ("median", "lo", "hi")}
    return same | {
        "p_better": float(np.mean(factor > 1)),
        "p_never": float(np.mean(np.isinf(factor))),
    }


def _compared(each: Reached) -> dict[str, Any]:
    told = {"level": each.level, **_spread(each.ratio)}
    told |= {"p_neither": float(np.mean(np.isnan(each.ratio)))}
    return told | {"baseline": _crossing(each.baseline), "recipe": _crossing(each.recipe)}


def _crossing(scale: np.ndarray) -> dict[str, float]:
    found = summarise(scale)
    same = {key: found[key] for key in ("median", "lo", "hi")}
    never, already = (float(np.mean(each)) for each in (np.isinf(scale), scale == 0))
    return same | {"p_never": never, "p_already": already}


def multiplier(
    data: Any,
    group: Any = None,
    *,
    pair: Any = None,
    baseline: str | None = None,
    at: Any = None,
    x: Any = None,
    y: Any = None,
    kind: str | None = None,
    level: Any = None,
    common: Iterable[str] | str | None = None,
    sampler: NUTS = SAMPLER,
    seed: int = 0,
    precision: str = "float64",
    progress: Progress = True,
    **roles: Any,
) -> Multiplier:
    """Return the factor by which recipes need less scale than a baseline for equal loss.

    Or for equal accuracy, with the ratio of the scales at which both pass a threshold.

    Parameters
    ----------
    data
        A checked table (`from_frame`) of losses or accuracies by one scale, with recipes as its
        `group`; or a data frame whose columns `x`, `y`, `group` and further `roles` (of accuracies
        `n` and `chance`) name.
    group
        The column that names the recipe of a run.
    pair
        The column in which rows that belong together are alike: the seed, the configuration, or of
        accuracies the model that is asked in several ways. Of rows of one label those of one scale
        do, where a recipe has several. By default losses of one scale do.
    baseline
        The recipe that others are measured by; by default the one of most runs, the first of
        several.
    at
        Scales asked about, numbers or by name, `{"flops": 1e21}`; by default the smallest, the
        middle and the largest of the data, and 10 and 100 times more.
    kind
        `loss` or `accuracy`; by default what the table says: an accuracy has a number of questions
        or a chance level, or lies between 0 and 1 and rises.
    level
        Levels of the response, the thresholds of which are compared; of accuracies by default one
        that both recipes have been near, in the middle half of all values.
    common
        What recipes have in common, of `all` (floor and exponent; of accuracies floor, ceiling and
        slope: all but the threshold), `floor`, `nothing`; by default all three, weighed by
        evidence; in small tables those of no more parameters than rows.
    sampler, seed, precision, progress
        As in `fit`.

    Returns
    -------
    Multiplier
        The factor at each scale as draws, the probability that it is above 1, that it grows with
        scale, that the better of the two changes, and where.

    Raises
    ------
    DataError
        Where the table is of one recipe, of what gets worse with scale, or of recipes that nowhere
        meet.
    ValueError
        For an unknown baseline, scale, level, kind or choice of what is common.

    Notes
    -----
    With floor and exponent in common the factor of the law is ((L_A - E)/(L_B - E))^(1/alpha), the
    same at every scale; beside it stands the misfit of each recipe's own (`laws.recipes`), which
    lets it wander. Where the baseline never reaches the loss, within 10^4 times the scales asked
    about, the factor is infinite. The three choices of what is common are as probable before the
    data.

    Rows that belong together are off the law together, by a level of their own. How much of their
    scatter that is, is learnt (`shared`); the ratio of their losses is free of it.

    Of accuracies the law is a sigmoid of log scale. With all but the threshold in common the factor
    is the ratio of the thresholds x50, at every scale and level, but for what lets it wander. With
    ceilings of their own a recipe may pass levels that another never does: the factor is infinite
    then, or 0, and intervals are of the draws in which one of them gets there at all (`p_neither`).

    Examples
    --------
    >>> import numpy as np
    >>> flops = np.geomspace(1e17, 1e20, 6)
    >>> rows = {"C": np.tile(flops, 2), "recipe": ["old"] * 6 + ["new"] * 6}
    >>> rows["loss"] = 1.7 + 60 * (rows["C"] * np.repeat([1, 1.5], 6)) ** -0.1
    >>> told = bs.multiplier(rows, "recipe", x="C", y="loss", common="all")
    >>> told.baseline, [*told.factors]
    ('old', ['new'])
    >>> odds = 1.5 * np.log(rows["C"] * np.repeat([1, 3], 6) / 1e19)
    >>> right = {"C": rows["C"], "recipe": rows["recipe"]}
    >>> right["acc"] = np.round(400 * (0.25 + 0.6 / (1 + np.exp(-odds)))) / 400
    >>> told = bs.multiplier(right, "recipe", x="C", y="acc", n=400, chance=0.25, common="all")
    >>> told.response, bool(told.told["new"][1].mean() > 1)
    ('accuracy', True)
    """
    if isinstance(data, Dataset) and group is not None:
        raise ValueError("group is a column of a data frame; a Dataset has its groups already")
    if isinstance(data, Dataset) and pair is not None:
        raise ValueError("pair is a column of a data frame; in from_frame it is run=...")
    sampler, given = by_nuts(sampler, EVIDENCE, roles), {"group": group, "run": pair}
    roles |= {name: column for name, column in given.items() if column is not None}
    data = as_dataset(data, x, y, **roles)
    of = response_of(data, kind)
    names = recipe_names(data, baseline, of)
    data = paired(data, of)
    scales, at_given = scales_asked(data, at)
    given = (level is not None, baseline is not None)
    asked = Asked(names, of, scales, at_given, levels_asked(data, names, level, of), *given)
    chosen = choices(common, len(names), len(data), of)
    rows = as_rows(data, names)
    how = dict(noise=of.noise, sampler=sampler, seed=seed, precision=precision)
    with waiting(progress) as tell:
        fits = {
            name: fit(
                of.law(len(names), name),
                rows,
                progress=telling(tell, f"common {name}", i, len(chosen)),
                **how,
            )
            for i, name in enumerate(chosen)
        }
    return Multiplier(**answered(data, asked, *weighed(fits, seed), seed))
