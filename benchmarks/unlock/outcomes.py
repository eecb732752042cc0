"""How forecasts ahead of a cut came out: scores of accuracies and of scales, and their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import cuts
from .beliefs import LEAST
from .beliefs import gained as gain
from .designs import Case
from .hypotheses import half_of

GRID = 160
"""Points of the grid along which levels are passed."""
BINS = (0.0, 0.25, 0.5, 1.0, np.inf)
"""Decades beyond the cut by which a level is passed, as far as models reach."""
ACCURACY = ["inside50", "inside90", "above", "below", "width90", "error", "crps", "log_score"]
UNLOCK = ["inside50", "inside90", "sooner", "later", "score"]
PASSED, UNLOCKS, STAYS = "passed below the cut", "unlocks", "stays"


@dataclass(frozen=True, eq=False)
class Told:
    """What one forecaster says of one case."""

    new: np.ndarray
    """Accuracies of new runs of the models beyond the cut, (draw, model)."""
    log_pmf: np.ndarray
    """Log probability of what came, (model,)."""
    unlock: Mapping[float, np.ndarray]
    """By level: log10 of the scale from which it stays passed up to the last model, (draw,);
    -inf where it is so from the smallest on, inf where it is not so of the last."""


def grid_of(case: Case) -> np.ndarray:
    """Return scales from the smallest model fitted to the largest of all."""
    last = max(case.fitted.x.max(), case.held.x.max())
    return np.geomspace(case.fitted.x.min(), last, GRID)


def passed(curves: np.ndarray, grid: np.ndarray, level: float) -> np.ndarray:
    """Return log10 of the scale of each curve's last crossing upwards, linear between points."""
    past, x = curves >= level, np.log10(grid)
    last = np.minimum(len(x) - 1 - np.argmin(past[:, ::-1], 1), len(x) - 2)
    rows = np.arange(len(curves))
    lo, hi = curves[rows, last], curves[rows, last + 1]
    share = (level - lo) / np.where(hi == lo, 1.0, hi - lo)
    at = x[last] + np.clip(share, 0, 1) * (x[last + 1] - x[last])
    return np.where(past.all(1), -np.inf, np.where(past[:, -1], at, np.inf))


def of_accuracies(case: Case, said: Told) -> dict:
    """Return coverage, misses, width, CRPS and log score of one case's models beyond its cut."""
    y, new = case.held.y.to_numpy(), said.new
    row, ordered, count = {"models": len(y)}, np.sort(new, 0), len(new)
    for mass in (50, 90):
        lo, hi = np.quantile(new, [0.5 - mass / 200, 0.5 + mass / 200], axis=0)
        row[f"inside{mass}"] = np.mean((lo <= y) & (y <= hi))
    weight = (2 * np.arange(1, count + 1) - count - 1)[:, None] / count**2
    crps = np.abs(new - y).mean(0) - (weight * ordered).sum(0)
    row |= {"above": np.mean(y > hi), "below": np.mean(y < lo), "width90": np.mean(hi - lo)}
    row |= {"crps": crps.mean(), "log_score": said.log_pmf.mean()}
    return row | {"error": np.mean(np.median(new, 0) - y)}


def bins_of(case: Case, rows: pd.DataFrame, draws: np.ndarray, level: float):
    """Return log10 of the scale at which a level was passed, and what draws say of its bin.

    That is the share of draws no later than the end of each of `BINS`, as far as models reach,
    (bin,), and the place of the bin that came: 0 for already, the last for by no model.
    """
    edge, reach = np.log10([case.fitted.x.max(), case.held.x.max()])
    at = cuts.passes(rows, level)
    ends = np.array([min(end, reach - edge) for end in BINS])
    before = np.array([(draws - edge <= end + 1e-9).mean() for end in ends])
    came = len(ends) if np.isposinf(at) else int(np.argmax(at - edge <= ends + 1e-9))
    return at, before, came


def chances(before: np.ndarray) -> np.ndarray:
    """Return the probability of each bin, that of none within reach last, (bin + 1,)."""
    return np.append(np.diff(before, prepend=0.0), 1 - before[-1])


def of_unlocks(case: Case, rows: pd.DataFrame, said: Told, level: float, rng) -> dict:
    """Return how one level's scale fares: place, score, probability to be passed beyond the cut.

    `rows` is the whole task. What no model passes is censored at the last one; its place is drawn
    evenly from what is left, and so is that of a level passed below the cut, from what lies below.
    """
    draws = said.unlock[level]
    at, before, came = bins_of(case, rows, draws, level)
    chance, lo, hi = chances(before), before[0], before[-1]
    if came == 0:
        ends_of = 0.0, lo
    elif np.isposinf(at):
        ends_of = hi, 1.0
    else:
        ends_of = np.mean(draws < at), np.mean(draws <= at)
    place = rng.uniform(*ends_of)
    state = PASSED if came == 0 else STAYS if np.isposinf(at) else UNLOCKS
    row = {"state": state, "place": place, "score": np.log(max(chance[came], LEAST))}
    row |= {"sooner": place < 0.05, "later": place > 0.95, "inside90": abs(place - 0.5) <= 0.45}
    row |= {"inside50": abs(place - 0.5) <= 0.25, "p": hi, "already": lo}
    return row | {"within": (place - lo) / max(hi - lo, LEAST) if state == UNLOCKS else np.nan}


def means(rows: pd.DataFrame, by: list[str], columns: list[str], se: str) -> pd.DataFrame:
    """Return means over families, with the standard error of one, in the order of the rows."""
    table = []
    for key, own in rows.groupby(by, sort=False):
        each = own.groupby("family")[columns].mean()
        row = dict(zip(by, key, strict=True)) | {"cases": len(own), "families": len(each)}
        row |= each.mean().to_dict()
        error = each[se].std() / np.sqrt(len(each)) if len(each) > 1 else np.nan
        table.append(row | {f"se of {se}": error})
    return pd.DataFrame(table)


def all_ahead(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how places of all levels left to wait for lie, and of those that came within reach.

    Of those that came alone most misses are sooner whatever is told: what comes later than told is
    not among them. So many would be if all that was told were right: `sooner expected`.
    """
    table = []
    for name, own in rows[rows.state != PASSED].groupby("way", sort=False):
        came = own[own.state == UNLOCKS]
        each = own.groupby("family").inside90.mean()
        row = {"way": name, "levels": len(own), "inside50": own.inside50.mean()}
        row |= {"inside90": own.inside90.mean(), "inside90, families alike": each.mean()}
        row |= {"se": each.std() / np.sqrt(len(each)), "sooner": int(own.sooner.sum())}
        row |= {"later": int(own.later.sum()), "came": len(came)}
        row |= {"came sooner": int(came.sooner.sum())}
        early = np.maximum(np.minimum(own.p, 0.05) - own.already, 0)
        row |= {"sooner expected": (early / np.maximum(1 - own.already, LEAST)).sum()}
        row |= {"came, inside90 of when": (abs(came.within - 0.5) <= 0.45).mean()}
        table.append(row)
    return pd.DataFrame(table)


def against(rows: pd.DataFrame, first: str, score: str, by: str) -> pd.DataFrame:
    """Return what each way gains over the first in a score, means over families, with errors."""
    wide = rows.pivot_table(index=["case", "family", by], columns="way", values=score, sort=False)
    table = []
    for name in wide:
        for label, own in wide.groupby(level=by, sort=False):
            gained = own[name] - own[first]
            row = {"way": name, by: label}
            table.append(row | {"gained": gain(gained, own.index.get_level_values("family"))})
    found = pd.DataFrame(table).pivot(index="way", columns=by, values="gained")
    return found.loc[list(dict.fromkeys(rows.way))].reset_index()


def halves(rows: pd.DataFrame, first: str, score: str) -> pd.DataFrame:
    """Return what each way gains over the first, on every other family and on the rest."""
    half = rows.family.map(half_of(rows.family))
    named = rows.assign(half=half.map({0: "first half of families", 1: "second half"}))
    return against(named, first, score, "half")


def crossings(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Brier scores of whether a level left to wait for is passed by the last model."""
    table = []
    for name, own in rows[rows.state != PASSED].groupby("way", sort=False):
        came = (own.state == UNLOCKS).to_numpy()
        row = {"way": name, "levels": len(own), "passed": int(came.sum())}
        row |= {"promised": own.p.sum(), "Brier": np.mean((own.p - came) ** 2)}
        row["Brier of the base rate"] = came.mean() * (1 - came.mean())
        for lo, hi in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
            at = ((own.p >= lo) & (own.p < hi)).to_numpy()
            row[f"{lo:g}-{min(hi, 1):g}"] = f"{came[at].sum()} of {at.sum()}"
        table.append(row)
    return pd.DataFrame(table)
