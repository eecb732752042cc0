"""answer: from fits of recipes to factors and thresholds, with what is to be said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..comparison.evidence import log_evidence, shares
from ..data.dataset import Dataset
from ..messages import a_seed, as_notes, bare
from ..posterior.intervals import summarise
from ..posterior.mixture import Mixture, mix, said_of_fits
from ..posterior.posterior import Posterior
from .curves import Curves, curves_of, turning
from .rows import Response

__all__ = ["Asked", "Reached", "answered", "reached", "span_of", "told_of", "weighed"]

DRAWS = 2000
"""Of the mixture, of which factors are solved."""
FAR = 1e4
"""Factors are looked for up to so many times less, and more, than the scales asked about."""
POINTS = 400
"""Of the baseline's curve, on which factors are solved."""
ALONG = 81
"""Scales along which the better of two may change."""
SAME = 0.8
"""Share of a recipe's scales that are the baseline's too, from which on both may be one model's."""


class Asked(NamedTuple):
    """What is asked of a table of recipes."""

    names: list[str]
    """Recipes, the baseline first."""
    of: Response
    scales: np.ndarray
    """Ascending."""
    at_given: bool
    """Whether scales were given."""
    levels: Mapping[str, tuple[float, ...]]
    """By recipe, the levels at which its threshold is compared."""
    level_given: bool
    baseline_given: bool


@dataclass(frozen=True, eq=False)
class Reached:
    """The scales at which the baseline and a recipe first get to a level."""

    level: float
    baseline: np.ndarray
    """(draw,): 0 where it has got there from the start, inf where it never does."""
    recipe: np.ndarray
    ratio: np.ndarray
    """The baseline's over the recipe's, (draw,): inf where the baseline alone never gets there, 0
    where the recipe alone never does, nan where neither does, or both have from the start."""


def weighed(fits: Mapping[str, Posterior], seed: int) -> tuple[Mixture, dict[str, float]]:
    """Return the fits weighed by evidence, and the weights of those that are left out of it.

    Left out are fits of hardly any weight, and those that are not settled where others are that
    have most of it.
    """
    kept = shares({name: log_evidence(one, seed=seed).log for name, one in fits.items()})
    good = {name: w for name, w in kept.items() if fits[name].health.verdicts[0].settled}
    lost = {}
    if sum(good.values()) > 0.5:
        lost = {name: w for name, w in kept.items() if name not in good}
        kept = good
    parts, why = {name: fits[name] for name in kept}, "evidence" if len(fits) > 1 else "given"
    return mix(parts, kept, why=why, belief=len(fits) > 1), lost


def span_of(x: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the scales in log within which others are looked for, ascending."""
    lo, hi = np.log(min(x.min(), scales.min())), np.log(max(x.max(), scales.max()))
    return np.linspace(lo - np.log(FAR), hi + np.log(FAR), POINTS)


def answered(
    data: Dataset, asked: Asked, mixture: Mixture, lost: Mapping[str, float], seed: int
) -> dict[str, Any]:
    """Return the fields of a `Multiplier`: factors of all recipes from draws of the fits.

    Parameters
    ----------
    lost
        Weights of the fits that were left out of the mixture.
    """
    ((column, x),) = ((bare(data.columns[name]), x) for name, x in data.inputs.items())
    names, scales, labels = asked.names, asked.scales, data.group.astype(str)
    wide, between = span_of(x, scales), np.linspace(np.log(x.min()), np.log(scales[-1]), ALONG)
    both = [_both(x[labels == names[0]], x[labels == name]) for name in names[1:]]
    parts = [np.log(scales), between, *both]
    ends = np.cumsum([len(part) for part in parts])[:-1]
    levels = np.unique([each for of in asked.levels.values() for each in of])
    drawn, scatter, common = _drawn(mixture, len(names), np.concatenate(parts), wide, levels, seed)
    losses = {names[0]: drawn.values[0][:, : len(scales)]}
    factors, told, grows, turns, unlocks, path = {}, {}, {}, {}, {}, {}
    for i, name in enumerate(names[1:]):
        losses[name] = drawn.values[i + 1][:, : len(scales)]
        logs, along, *shared = np.split(drawn.logs[i], ends, axis=1)
        factors[name], path[name] = np.exp(logs), np.exp(along)
        pair = drawn.crossed[0], drawn.crossed[i + 1]
        unlocks[name] = tuple(
            reached(c, *(each[:, np.searchsorted(levels, c)] for each in pair), wide[0])
            for c in asked.levels[name]
        )
        if asked.at_given:
            told[name] = (float(scales[-1]), factors[name][:, -1])
        elif unlocks[name] and asked.of.name == "accuracy":
            told[name] = (None, unlocks[name][0].ratio)
        else:
            told[name] = told_of(both[i], shared[i])
        grows[name] = float(np.mean(along[:, -1] > along[:, 0]))
        turns[name] = turning(along > 0, np.exp(between))
    found = dict(scales=scales, factors=factors, told=told, grows=grows, turns=turns)
    found |= dict(baseline=names[0], column=column, response=asked.of.name, unlocks=unlocks)
    found |= dict(grid=np.exp(between), along=path, shared=common, pairs=_sets(data))
    said = _notes(data, asked, mixture, lost, factors, unlocks) | _notes_on_pairs(data, found)
    of_fits = [note for note in said_of_fits(mixture) if note.kind != "average"]
    notes = tuple(dict.fromkeys([*data.notes, *as_notes(said), *of_fits]))
    return found | dict(losses=losses, scatter=scatter, mixture=mixture, notes=notes)


def _drawn(
    which: Mixture, count: int, at: np.ndarray, wide: np.ndarray, levels: np.ndarray, seed: int
) -> tuple[Curves, np.ndarray, np.ndarray]:
    """Return what draws say, the scatter of single runs, and the share of it that sets share."""
    rng, found, scatter, shared = np.random.default_rng([a_seed(seed), 14]), [], [], []
    for _, weight, one in which.members:
        flat, wanted, noise = one.flat(), round(weight * DRAWS), one.model.noise
        spread = flat[noise.spread or noise.parameters[0]]
        take = rng.choice(len(spread), wanted, replace=wanted > len(spread))
        params = {name: flat[name][take] for name in one.law.parameters}
        found.append(curves_of(one.law, params, count, at, wide, levels))
        own, common = spread[take], flat.get("run_sd", np.zeros(len(spread)))[take]
        scatter.append(np.hypot(own, common))
        shared.append(np.square(common / scatter[-1]))
    parts = (np.concatenate(each, 1) for each in zip(*found, strict=True))
    return Curves(*parts), np.concatenate(scatter), np.concatenate(shared)


def _sets(data: Dataset) -> int:
    """Return how many sets of rows that belong together are of several recipes."""
    if data.run is None:
        return 0
    both = {*zip(data.run, data.group.astype(str), strict=True)}
    return sum(count > 1 for count in Counter(one for one, _ in both).values())


def _both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return scales in log over which both were run; where there are none the end of the first."""
    lo, hi = max(one.min(), other.min()), min(one.max(), other.max())
    return np.linspace(np.log(min(lo, hi)), np.log(hi), 9)


def told_of(scales: np.ndarray, logs: np.ndarray) -> tuple[float | None, np.ndarray]:
    """Return the main answer at scales in log that both were run at: their mean, or that of one."""
    at = None if np.ptp(scales) else float(np.exp(scales[0]))
    return at, np.exp(logs.mean(1))


def reached(level: float, first: np.ndarray, other: np.ndarray, least: float) -> Reached:
    """Return how the scales compare, in log; `least` stands for what had got there before."""
    told = ~((np.isinf(first) & (first == other)) | np.isnan(first) | np.isnan(other))
    known = (np.where(told, np.maximum(each, least), 0.0) for each in (first, other))
    with np.errstate(over="ignore"):
        ratio = np.exp(np.subtract(*known))
        return Reached(level, np.exp(first), np.exp(other), np.where(told, ratio, np.nan))


# ------------------------------------------------------------------ what is to be said


def _notes(
    data: Dataset,
    asked: Asked,
    mixture: Mixture,
    lost: Mapping[str, float],
    factors: Mapping[str, np.ndarray],
    unlocks: Mapping[str, Sequence[Reached]],
) -> dict[str, str]:
    """Return what is to be said: the baseline, what is common, how far beyond, what is never."""
    (x,), words = data.inputs.values(), asked.of.common
    notes = {}
    if not asked.baseline_given:
        notes["baseline"] = (
            f"measured by {asked.names[0]!r}, the recipe of most runs (the first of several); "
            "another: baseline=... (--baseline)"
        )
    each = ", ".join(f"{words[k]} {w:.2f}" for k, w in mixture.weights.items())
    notes["common"] = f"in common are: {each}; weights: {mixture.why}"
    if lost:
        left = ", ".join(f"{words[k]} {w:.2f}" for k, w in lost.items())
        notes["left out"] = f"left out, their draws not being settled, with weights of: {left}"
    decades = np.log10(asked.scales[-1] / x.max())
    if decades > 0:
        notes["beyond"] = (
            f"up to {decades:.2g} decades beyond the data: the misfit of the law is shared but for "
            "a part of each recipe's own (see benchmarks/results/multiplier.md)"
        )
    never = {name: np.isinf(drawn[:, -1]).mean() for name, drawn in factors.items()}
    if shares := _shares(never):
        notes["never"] = (
            f"share of draws in which the baseline never gets there, up to {FAR:.0g} times the "
            f"scale: {shares}"
        )
    bound = np.exp(span_of(x, asked.scales)[0]) / asked.scales
    early = {name: (drawn <= 1.001 * bound).mean(0).max() for name, drawn in factors.items()}
    if shares := _shares(early):
        notes["already"] = (
            f"share of draws in which the baseline is there at a scale {FAR:.0g} times below all "
            f"others already, where no more is looked for: {shares}; their factor is smaller than "
            "told"
        )
    notes |= _notes_on_levels(asked, unlocks)
    if data.run is None and (same := _same_scales(data, asked.names)):
        notes["same scales"] = (
            f"{', '.join(same)}: mostly at scales of {asked.names[0]!r}; rows count as "
            "independent: where they are one model's, asked in two ways, name its column: "
            "pair=... (--pair)"
        )
    return notes


def _notes_on_pairs(data: Dataset, found: Mapping[str, Any]) -> dict[str, str]:
    """Return which rows belong together, and how much they have in common."""
    if not found["pairs"]:
        return {}
    share, column = summarise(found["shared"]), data.columns["run"]
    of = " and ".join(dict.fromkeys([column, found["column"]]))
    return {
        "paired": f"rows of one {of} belong together ({found['pairs']} sets), and have "
        f"{share['median']:.0%} ({share['lo']:.0%} to {share['hi']:.0%}) of the variance of single "
        "runs in common; others: pair=... (--pair)"
    }


def _notes_on_levels(asked: Asked, unlocks: Mapping[str, Sequence[Reached]]) -> dict[str, str]:
    """Return at which levels thresholds are compared, and where there is nothing to compare."""
    notes, of = {}, {name: each[0] for name, each in unlocks.items() if each}
    if of and not asked.level_given:
        levels = ", ".join(f"{name} {each.level:.3g}" for name, each in of.items())
        notes["level"] = (
            "thresholds are compared at an accuracy that both have been near, in the middle half "
            f"of all: {levels}; at another: level=... (--level)"
        )
    open_ = {name: np.isnan(each.ratio).mean() for name, each in of.items()}
    if said := _shares(open_):
        notes["neither"] = (
            "share of draws in which neither, or both from the start, get to the level, of which "
            f"its factor says nothing: {said}"
        )
    return notes


def _shares(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {p:.0%}" for name, p in found.items() if p > 0.005)


def _same_scales(data: Dataset, names: Sequence[str]) -> list[str]:
    """Return the recipes whose scales are mostly those of the baseline."""
    (x,), labels = data.inputs.values(), data.group.astype(str)
    own = {name: x[labels == name] for name in names}
    return [n for n in names[1:] if np.isin(own[n], own[names[0]]).mean() > SAME]
