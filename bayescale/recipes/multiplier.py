"""multiplier: by which factor one recipe needs less compute than another for equal loss.

Recipes are run at several scales of one kind (compute, data or parameters). One law of all of them
(`laws.recipes`) gives both curves, with what the recipes have in common weighed by evidence; the
factor at a scale x is x_A/x, with x_A the scale at which the baseline first reaches what the recipe
reaches at x, solved on each draw's curves with their misfit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..comparison.evidence import log_evidence
from ..data.dataset import Dataset
from ..data.from_frame import as_dataset
from ..inference.fit import fit
from ..inference.samplers import NUTS
from ..laws.recipes import COMMON, recipes
from ..messages import Note, as_notes
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, plain, summarise
from ..posterior.mixture import Mixture, mix, said_of_fits
from ..posterior.posterior import Posterior
from ..progress import Progress, Tell, waiting
from . import shown
from .curves import factor_of, log_curves, turning
from .rows import as_rows, choices, recipe_names, scales_asked

if TYPE_CHECKING:
    import pandas

__all__ = ["Multiplier", "multiplier"]

SAMPLER = NUTS(warmup=500, draws=1000, retries=0)
"""Enough for quantiles of a mixture."""
DRAWS = 2000
"""Of the mixture, of which factors are solved."""
FAR = 1e4
"""Factors are looked for up to so many times less, and more, than the scales asked about."""
POINTS = 400
"""Of the baseline's curve, on which factors are solved."""
ALONG = 81
"""Scales along which the better of two may change."""
LEAST = 0.02
"""Weight of a choice of what is common below which it is left out of the answer."""


@dataclass(frozen=True, eq=False, repr=False)
class Multiplier(Shown):
    """The factor by which recipes need less scale than the baseline for equal loss."""

    baseline: str
    """The recipe that others are measured by."""
    column: str
    """What is called scale: the column or expression of the table."""
    scales: np.ndarray
    """Scales at which factors are told, ascending, (point,)."""
    factors: Mapping[str, np.ndarray]
    """By recipe, (draw, point): scale of the baseline over that of the recipe; inf where the
    baseline never gets there."""
    told: Mapping[str, tuple[float | None, np.ndarray]]
    """By recipe, its main answer: the largest scale asked about, with the factor there, (draw,); or
    where none is, None, with the geometric mean over the scales that both were run at."""
    grows: Mapping[str, float]
    """By recipe, the probability that its factor is larger at the largest of `scales` than at the
    smallest of the data."""
    turns: Mapping[str, np.ndarray]
    """By recipe, (draw,): the scale at which the better of the two changes for the last time,
    between the smallest of the data and the largest of `scales`; inf where the same is better at
    both ends."""
    losses: Mapping[str, np.ndarray]
    """By recipe, the baseline too: the curve at `scales`, (draw, point)."""
    scatter: np.ndarray
    """Sd of the log of single runs about the curve, (draw,)."""
    mixture: Mixture
    """Fits by what the recipes have in common (`all`, `floor`, `nothing`), weighed."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""

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
        told = {"multipliers": found, "health": {"sound": self.sound}, "notes": self.notes}
        return plain(same | told)

    def _of(self, name: str) -> dict[str, Any]:
        at, main = self.told[name]
        turns = self.turns[name]
        turned = turns[np.isfinite(turns)]
        points = [{"at": x, **_spread(self.factors[name][:, i])} for i, x in enumerate(self.scales)]
        ends = {"p_grows": self.grows[name], "p_turns": np.mean(np.isfinite(turns))}
        where = summarise(turned) if len(turned) > 1 else None
        return {"at": at, **_spread(main), **ends, "turns_at": where, "points": points}

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
    found = summarise(factor, mass)
    same = {key: found[key] for key in ("median", "lo", "hi")}
    return same | {
        "p_better": float(np.mean(factor > 1)),
        "p_never": float(np.mean(np.isinf(factor))),
    }


def multiplier(
    data: Any,
    group: Any = None,
    *,
    baseline: str | None = None,
    at: Any = None,
    x: Any = None,
    y: Any = None,
    common: Iterable[str] | str | None = None,
    sampler: NUTS = SAMPLER,
    seed: int = 0,
    precision: str = "float64",
    progress: Progress = True,
    **roles: Any,
) -> Multiplier:
    """Return the factor by which recipes need less scale than a baseline for equal loss.

    Parameters
    ----------
    data
        A checked table (`from_frame`) of losses by one scale, with recipes as its `group`; or a
        data frame whose columns `x`, `y`, `group` and further `roles` name.
    group
        The column that names the recipe of a run.
    baseline
        The recipe that others are measured by; by default the one of most runs, the first of
        several.
    at
        Scales asked about, numbers or by name, `{"flops": 1e21}`; by default the smallest, the
        middle and the largest of the data, and 10 and 100 times more.
    common
        What recipes have in common, of `all` (floor and exponent), `floor`, `nothing`; by default
        all three, weighed by evidence; in small tables those of no more parameters than rows.
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
        Where the table is of one recipe, of no losses, or of recipes that nowhere meet.
    ValueError
        For an unknown baseline, scale or choice of what is common.

    Notes
    -----
    With floor and exponent in common the factor of the law is ((L_A - E)/(L_B - E))^(1/alpha), the
    same at every scale; beside it stands the misfit of each recipe's own (`laws.recipes`), which
    lets it wander. Where the baseline never reaches the loss, within 10^4 times the scales asked
    about, the factor is infinite. The three choices of what is common are as probable before the
    data.

    Examples
    --------
    >>> import numpy as np
    >>> flops = np.geomspace(1e17, 1e20, 6)
    >>> rows = {"C": np.tile(flops, 2), "recipe": ["old"] * 6 + ["new"] * 6}
    >>> rows["loss"] = 1.7 + 60 * (rows["C"] * np.repeat([1, 1.5], 6)) ** -0.1
    >>> told = bs.multiplier(rows, "recipe", x="C", y="loss", common="all")
    >>> told.baseline, [*told.factors]
    ('old', ['new'])
    """
    if isinstance(data, Dataset) and group is not None:
        raise ValueError("group is a column of a data frame; a Dataset has its groups already")
    roles |= {} if group is None else {"group": group}
    data = as_dataset(data, x, y, **roles)
    names = recipe_names(data, baseline)
    scales, asked = scales_asked(data, at)
    chosen = choices(common, len(names), len(data))
    rows = as_rows(data, names)
    how = dict(noise="lognormal", sampler=sampler, seed=seed, precision=precision)
    with waiting(progress) as tell:

        def telling(i: int) -> Tell:
            return lambda stage, share: tell(
                f"common {chosen[i]}: {stage}", (i + share) / len(chosen)
            )

        fits = {
            name: fit(recipes(len(names), name), rows, progress=telling(i), **how)
            for i, name in enumerate(chosen)
        }
    return _answer(data, names, scales, asked, *_weighed(fits, seed), seed, baseline is None)


# ------------------------------------------------------------------ the answer


def _weighed(fits: Mapping[str, Posterior], seed: int) -> tuple[Mixture, dict[str, float]]:
    """Return the fits weighed by evidence, and the weights of those that are left out of it.

    Left out are fits of hardly any weight, and those that are not settled where others are that
    have most of it.
    """
    logs = {name: log_evidence(one, seed=seed).log for name, one in fits.items()}
    known = {name: log for name, log in logs.items() if np.isfinite(log)}
    known = known or dict.fromkeys(fits, 0.0)
    weights = {name: np.exp(log - max(known.values())) for name, log in known.items()}
    weights = {name: float(w / sum(weights.values())) for name, w in weights.items()}
    kept = {name: w for name, w in weights.items() if w >= LEAST}
    good = {name: w for name, w in kept.items() if fits[name].health.verdicts[0].settled}
    lost = {}
    if sum(good.values()) > 0.5:
        lost = {name: w for name, w in kept.items() if name not in good}
        kept = good
    parts, why = {name: fits[name] for name in kept}, "evidence" if len(fits) > 1 else "given"
    return mix(parts, kept, why=why, belief=len(fits) > 1), lost


def _answer(data, names, scales, asked, mixture, lost, seed: int, chosen: bool) -> Multiplier:
    """Return the factors of all recipes from draws of the fits."""
    ((column, x),) = ((data.columns[name], x) for name, x in data.inputs.items())
    labels = data.group.astype(str)
    lo, hi = np.log(min(x.min(), scales[0])), np.log(max(x.max(), scales[-1]))
    wide = np.linspace(lo - np.log(FAR), hi + np.log(FAR), POINTS)
    between = np.linspace(np.log(x.min()), np.log(scales[-1]), ALONG)
    both = [_both(x[labels == names[0]], x[labels == name]) for name in names[1:]]
    parts = [wide, np.log(scales), between, *both]
    ends = np.cumsum([len(part) for part in parts])[:-1]
    drawn, scatter = _drawn(mixture, len(names), np.concatenate(parts), seed)
    low, base, *_ = np.split(drawn[0], ends, axis=1)
    losses, factors, told, grows, turns = {names[0]: np.exp(base)}, {}, {}, {}, {}
    for i, name in enumerate(names[1:]):
        _, ours, along, *shared = np.split(drawn[i + 1], ends, axis=1)
        losses[name], factors[name] = np.exp(ours), factor_of(low, wide, ours, np.log(scales))
        main = factors[name][:, -1:] if asked else factor_of(low, wide, shared[i], both[i])
        told[name] = (float(scales[-1]) if asked else None, np.exp(np.log(main).mean(1)))
        along = factor_of(low, wide, along, between)
        grows[name] = float(np.mean(along[:, -1] > along[:, 0]))
        turns[name] = turning(along > 1, np.exp(between))
    notes = _notes(data, names, scales, mixture, lost, factors, chosen)
    answers = (factors, told, grows, turns, losses, scatter, mixture, notes)
    return Multiplier(names[0], column, scales, *answers)


def _drawn(which: Mixture, count: int, at: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of the log of each recipe's curve, (recipe, draw, point), and of the scatter."""
    rng, curves, scatter = np.random.default_rng([seed, 14]), [], []
    for _, weight, one in which.members:
        sigma, wanted = one.flat()["sigma"], round(weight * DRAWS)
        take = rng.choice(len(sigma), wanted, replace=wanted > len(sigma))
        curves.append(log_curves(one, count, at)[:, take])
        scatter.append(sigma[take])
    return np.concatenate(curves, 1), np.concatenate(scatter)


def _both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return scales in log over which both were run; where there are none the end of the first."""
    lo, hi = max(one.min(), other.min()), min(one.max(), other.max())
    return np.linspace(np.log(min(lo, hi)), np.log(hi), 9)


def _notes(data, names, scales, mixture, lost, factors, chosen: bool) -> tuple[Note, ...]:
    """Return what is to be said: the baseline, what is common, how far beyond, what is never."""
    (x,) = data.inputs.values()
    notes = {}
    if chosen:
        notes["baseline"] = (
            f"measured by {names[0]!r}, the recipe of most runs (the first of several); another: "
            "baseline=... (--baseline)"
        )
    each = ", ".join(f"{COMMON[k]} {w:.2f}" for k, w in mixture.weights.items())
    notes["common"] = f"in common are: {each}; weights: {mixture.why}"
    if lost:
        left = ", ".join(f"{COMMON[k]} {w:.2f}" for k, w in lost.items())
        notes["left out"] = f"left out, their draws not being settled, with weights of: {left}"
    decades = np.log10(scales[-1] / x.max())
    if decades > 0:
        notes["beyond"] = (
            f"up to {decades:.2g} decades beyond the data: the misfit of the law is shared but for "
            "a part of each recipe's own (see benchmarks/results/multiplier.md)"
        )
    never = {name: np.isinf(drawn[:, -1]).mean() for name, drawn in factors.items()}
    never = [f"{name} {p:.0%}" for name, p in never.items() if p > 0.005]
    if never:
        notes["never"] = (
            f"share of draws in which the baseline never gets there, up to {FAR:.0g} times the "
            f"scale: {', '.join(never)}"
        )
    said = [note for note in said_of_fits(mixture) if note.kind != "average"]
    return tuple(dict.fromkeys([*data.notes, *as_notes(notes), *said]))
