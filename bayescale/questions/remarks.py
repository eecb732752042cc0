"""remarks: what is to be said with a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.cells import dated, day
from ..datasets.published import place
from ..messages import Note, as_notes
from ..posterior.mixture import Mixture, said_of_fits
from ..posterior.pointwise import said_of_prior
from ..posterior.posterior import Posterior
from .sweep import Sweep
from .unlock import Spread, unlock_parameter

__all__ = ["UNCALIBRATED", "in_dates", "remarks", "said_of_misfit"]

UNCALIBRATED = (
    "beyond the data the law itself may be wrong, and these intervals do not know it: on 60 real "
    "curves intervals of this kind covered 54 to 68 % of held-out points where they promised 90 %"
)
"""Of `broken(1)` and of `power` (benchmarks/results/extrapolation.md)."""
OPEN = "`forecast` of this fit's runs leaves the law open, and is wider"
WIDENED = "the misfit of the law is in the width, as far as the curve's own bends tell of it"
BENT = "the misfit of the law is in the width, as large as it was on other tasks"
FEW = 100.0
"""Effective draws below which a reweighted forecast is said to be rough."""


def said_of_misfit(which: Posterior | Mixture) -> str:
    """Return what intervals beyond the data know of the law's misfit; of a mixture by its first."""
    (_, _, one), *_ = which.members
    if one.bends is not None:
        return BENT
    if one.law.wander is not None:
        return WIDENED
    return UNCALIBRATED if one.law.further else f"{UNCALIBRATED}; {OPEN}"


def remarks(found: Any, which: Posterior | Mixture, way: Sweep) -> list[Note]:
    """Return what should be said with a forecast."""
    notes, forecast = {}, found.forecast
    if np.isfinite(forecast.median):
        beyond = way.sign * forecast.median - way.progress(way.best)
        far, at = f"{beyond:.2g} decades", f"{10**forecast.median:.3g}"
        at += place(forecast.median, f"{way.by} {way.column}")
        if dates := in_dates(found):
            lo, at, hi = dates.values()
            far = f"{beyond * np.log(10):.2g} years"
            said = f"in dates: {at}, 90 % from {lo or 'the first run on'} to {hi or 'never'}"
            notes["dates"] = said
        where = f"{far} beyond {way.end}" if beyond > 0 else "within the data"
        notes["median"] = f"the median lies {where}, at {at}"
    elif forecast.median > 0:
        horizon = f"{'down' if found.less_is_better else 'up'} to {found.horizon:.3g}"
        notes["unreached"] = f"in most draws the level {found.level:.3g} is not reached {horizon}"
    if forecast.hi == np.inf or way.sign * forecast.hi > way.progress(way.best):
        notes["beyond"] = said_of_misfit(which)
    chance = which.data.chance
    if chance is not None and found.level <= chance[0]:
        notes["chance"] = f"the level {found.level:.3g} is not above chance ({chance[0]:.3g})"
    weak = {}
    for name, _, one in which.members:
        unlock, (verdict,) = unlock_parameter(one), one.health.verdicts
        asked = one.law.worsens == (found.direction != which.law.improves)
        if asked and unlock is not None and unlock in verdict.unidentified:
            weak[f"{unlock} ({name})" if len(found.members) > 1 else unlock] = None
    if weak:
        notes["prior"] = (
            f"the data say little of {', '.join(weak)}: from a plateau the forecast is the prior "
            "on that scale"
        )
    if "beyond" in notes and not weak:
        notes |= _prior(found, which)
    if found.wider is not None and found.wider.ess < FEW:
        notes["rough"] = f"under the wider prior only {found.wider.ess:.0f} effective draws: rough"
    lost = np.isnan(found.unlock)
    if lost.any():
        notes["infinite"] = f"{lost.mean():.1%} of draws have no finite curve and are left out"
    if found.wider is not None and found.wider.weights and len(found.members) > 1:
        shares = ", ".join(f"{weight:.2f} {name}" for name, weight in found.wider.weights.items())
        notes["wider"] = f"under the wider prior the laws' evidence is another: {shares}"
    notes |= _apart(found.spread()) if len(found.members) > 1 else {}
    return [*said_of_fits(which), *as_notes(notes)]


def in_dates(found: Any) -> dict[str, str | None] | None:
    """Return the ends of a threshold as dates, where the scale is `exp(years(date) - 2020)`.

    None for never, and for passed already; None in all for other scales.
    """
    known = dated(found.column)
    if known is None:
        return None
    _, start = known
    ends = {name: getattr(found.forecast, name) for name in ("lo", "median", "hi")}
    when = {name: start + end * np.log(10) for name, end in ends.items()}
    return {name: day(year) if np.isfinite(year) else None for name, year in when.items()}


def _prior(found: Any, which: Posterior | Mixture) -> dict[str, str]:
    """Return whether the prior decides the scale under a law without a scale of its own."""
    what, said = f"the {found.column} of the level {found.level:.3g}", []
    for i, (name, _, one) in enumerate(which.members):
        if unlock_parameter(one) is None:
            whose = f"{name}: " * (len(which.members) > 1)
            answers = {what: found.unlock[found.member == i]}
            said += [f"{whose}{note}" for note in said_of_prior(one, answers)]
    return {"prior": "; ".join(said)} if said else {}


def _apart(spread: Spread) -> dict[str, str]:
    """Return what is to be said of several laws."""
    notes = {}
    if spread.between > spread.within:
        notes["disagree"] = (
            f"the laws disagree: their medians are {spread.between:.2g} decades apart (sd), where "
            f"each is uncertain by {spread.within:.2g}"
        )
    if spread.left_out:
        text = "without a median within the horizon, so not in the spread of laws: "
        notes["no_median"] = text + ", ".join(spread.left_out)
    return notes
