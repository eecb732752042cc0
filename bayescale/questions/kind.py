"""kind: which kind of curve this is, and how sure that is.

The kinds, defined in `kinds`, are of *performance*: of the response where more is better, of its
negative where less is (`improves == "down"`), so that a loss which falls and then rises is an
inverted U. The scale runs from its worse end to the better one: where it is itself a loss, from
the largest to the smallest. Every draw of every law has a kind, so that their shares are its
probability; what the laws' own priors say of the kinds stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..messages import Note, as_notes
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, levels, plain
from ..posterior.mixture import Mixture, a_fit, said_of_fits
from ..posterior.posterior import Posterior
from . import shown
from .curves import drawn, drawn_before
from .kinds import (
    CUT,
    FEW,
    KINDS,
    ROUNDING,
    TURNING,
    WAIT,
    checked,
    checked_cut,
    classify,
    fall,
    remarks,
    reweighted,
    shares,
    turned,
    waited,
)
from .remarks import said_of_misfit
from .sweep import Sweep, sweep

if TYPE_CHECKING:
    import pandas

__all__ = ["Kind", "implied_prior", "kind"]

POINTS = 257
"""Points of the grid; a bump narrower than 1/256 of the range is not seen."""
DRAWS = 2000
"""Draws of each law's prior."""


@dataclass(frozen=True, eq=False, repr=False)
class Kind(Shown):
    """Which kind of curve one curve is, over all draws of one or several laws."""

    kinds: Mapping[str, float]
    """Probability of each of `KINDS` at the cut."""
    half: Mapping[str, float]
    """The same at half the cut; `double` is at twice the cut."""
    double: Mapping[str, float]
    implied: Mapping[str, float]
    """What the laws' own priors say of the kinds before the data, at the cut."""
    prior: Mapping[str, float] | None
    """The user's prior of the kinds, which then stands in for `implied`; None without."""
    codes: np.ndarray
    """Position in `KINDS` of each draw's kind, (draw,); -1 where the curve is not finite."""
    weights: np.ndarray
    """Weight of each draw, `prior` included, (draw,); they sum to 1."""
    turning: np.ndarray
    """log10 of the scale of each draw's turning point, (draw,): the bottom of the largest fall of
    a U, the top of that of an inverted U, nan for other kinds."""
    depth: np.ndarray
    """Largest fall of each draw, in the response's unit, (draw,); `rise` is the largest rise."""
    rise: np.ndarray
    waited: np.ndarray
    """Share of the log range that each draw waits at its start, (draw,); see `kinds`."""
    improves: str
    """`up` or `down`: the side on which the response gets better."""
    column: str
    """The table's column of the scale."""
    lo: float
    """The smallest scale looked at; `hi` is the largest."""
    hi: float
    cut: float
    """The least change that counts, in the unit of the response."""
    wait: float
    """Share of the log range that an emergent curve waits at its start."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""

    @property
    def likeliest(self) -> str:
        """The most probable kind."""
        return max(self.kinds, key=self.kinds.get)

    @property
    def probability(self) -> float:
        """The probability of the most probable kind."""
        return self.kinds[self.likeliest]

    def turning_point(self, mass: float = INTERVAL, kind: str = "u_shaped") -> dict | None:
        """Return where a U turns and how deep it is, among the draws that are one.

        Returns
        -------
        The `share` of such draws, and lo, median and hi of `log10_scale` and of `depth`; None
        with fewer than 20 of them.
        """
        if kind not in TURNING:
            raise ValueError(f"a turning point is of {' or '.join(TURNING)} curves, not {kind!r}")
        among = self.codes == KINDS.index(kind)
        if among.sum() < FEW:
            return None
        found: dict[str, Any] = {"share": self.kinds[kind]}
        for name, values in (("log10_scale", self.turning), ("depth", self.depth)):
            how = dict(weights=self.weights[among], method="inverted_cdf")
            at = np.quantile(values[among], levels(mass), **how)
            found[name] = dict(zip(("lo", "median", "hi"), at.tolist(), strict=True))
        return found

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        same = ("likeliest", "probability", "kinds", "half", "double", "implied", "prior")
        more = ("improves", "column", "lo", "hi", "cut", "wait", "notes")
        found = {name: getattr(self, name) for name in (*same, *more)}
        return plain(found | {"turning_point": self.turning_point()})

    def sheets(self) -> list[Sheet]:
        """Return one row a kind: its probability, at other cuts, and before the data."""
        return shown.kind(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return one row a kind: its probability, at other cuts, and before the data."""
        import pandas as pd

        columns = {"probability": self.kinds, "at_half_cut": self.half, "at_twice_cut": self.double}
        columns |= {"implied": self.implied} | ({"prior": self.prior} if self.prior else {})
        return pd.DataFrame(columns).rename_axis("kind").reset_index()


def kind(
    posterior: Posterior | Mixture,
    *,
    lo: Any = None,
    hi: Any = None,
    cut: float | None = None,
    wait: float = WAIT,
    prior: Mapping[str, float] | None = None,
    by: str | None = None,
    at: Mapping[str, Any] | None = None,
    seed: int = 0,
    allow_failed: bool = False,
) -> Kind | dict[str, Kind]:
    """Return which kind a curve is; by name of the curve where there are several.

    P(kind | y) is the weight of the draws of that kind; with a prior of the kinds it is
    proportional to P(kind | y) prior(kind) / implied(kind), the laws' own prior taken out.

    Parameters
    ----------
    lo, hi
        The scales between which to look, dates along dates; by default the smallest and the
        largest of the data.
    cut
        The least change that counts, in the unit of the response: .05 for accuracies, 5 % of the
        median response for others.
    wait
        Share of the log range that an emergent curve waits within `cut` of its start, or within
        half of its rise where that is less; what a straight line takes for that is no wait.
    prior
        Probability of the kinds before the data, over `KINDS`, those left out having none; None
        takes what the laws' priors say.
    by, at
        As in `threshold`: the input along which to look, and what the law's other inputs are.
    seed
        Decides the draws from the laws' priors.

    Returns
    -------
    Kind, or dict of Kind
        The probability of each kind, and the kind of each draw.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`; of several curves, the failed ones
        are marked by a note.
    ValueError
        For a range, cut or wait out of bounds, unknown kinds, or probabilities that do not sum
        to 1 or that only name kinds which these laws cannot be.

    Examples
    --------
    >>> answer = bs.kind(sigmoid_fit)
    >>> answer.likeliest
    'steady'
    >>> round(sum(answer.kinds.values()), 6)
    1.0
    """
    which = a_fit(posterior).trusted(allow_failed)
    prior = None if prior is None else checked(prior)

    def one(which: Posterior | Mixture) -> Kind:
        return _kind(which, _view(which, sweep(which, by, at), lo, hi, cut, wait), prior, seed)

    return {str(name): one(part) for name, part in which} if which.curves else one(which)


def implied_prior(
    which: Posterior | Mixture,
    lo: float | None = None,
    hi: float | None = None,
    cut: float | None = None,
    wait: float = WAIT,
    draws: int = DRAWS,
    seed: int = 0,
    *,
    by: str | None = None,
    at: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Return the probability of each kind before the data, over draws of the laws' own priors.

    The laws of a mixture are equally likely there, whatever their weights after the data. See
    `kind` for the arguments; a law's prior is relative to the range and the level of the data.
    """
    return _implied(which, _view(which, sweep(which, by, at), lo, hi, cut, wait), draws, seed)


class _View(NamedTuple):
    """Along what, from where to where, and with which cut is looked."""

    ways: Mapping[str, Sweep]
    """Scale of each law by its name: `way` for all."""
    way: Sweep
    grid: np.ndarray
    cut: float
    wait: float


def _view(which, ways: dict[str, Sweep], lo, hi, cut, wait) -> _View:
    """Return the question, checked."""
    way = next(iter(ways.values()))
    responses = which.data.responses
    y = abs(responses[which.law.name_in(responses)])
    size, most = (1.0, 1.0) if which.law.support == "unit" else (np.nanmedian(y), np.nanmax(y))
    cut, wait = checked_cut(CUT * float(size) if cut is None else cut, wait, float(most))
    return _View(ways, way, way.grid(lo, hi, POINTS), cut, wait)


def _implied(which: Posterior | Mixture, view: _View, draws: int, seed: int) -> dict[str, float]:
    before = drawn_before(which, view.ways, view.grid, draws, seed)
    return shares(classify(before.curves, view.cut, view.wait), before.weights)


def _kind(which, view: _View, prior: dict[str, float] | None, seed: int) -> Kind:
    """Return the kind of one curve."""
    pool = drawn(which, view.ways, view.grid)
    implied = _implied(which, view, DRAWS, seed)
    codes = classify(pool.curves, view.cut, view.wait)
    weights, lost = pool.weights, pool.weights == 0
    own = shares(codes, weights)
    if prior is not None:
        weights = reweighted(codes, weights, prior, implied)
    kinds, half, double = (
        shares(classify(pool.curves, factor * view.cut, view.wait), weights)
        for factor in (1.0, 0.5, 2.0)
    )
    down = fall(pool.curves)
    by_draw = {
        "turning": turned(codes, down, np.log10(view.grid)),
        "depth": down.depth,
        "rise": fall(-pool.curves).depth,
        "waited": waited(pool.curves, view.cut),
    }
    return Kind(
        kinds=kinds,
        half=half,
        double=double,
        implied=implied,
        prior=prior,
        codes=np.where(lost, -1, codes),
        weights=weights,
        **{name: np.where(lost, np.nan, values) for name, values in by_draw.items()},
        improves=which.law.improves,
        column=view.way.column,
        lo=float(view.grid.min()),
        hi=float(view.grid.max()),
        cut=view.cut,
        wait=view.wait,
        notes=(
            *_remarks(which, view, lost),
            *remarks((kinds, half, double), own, implied, prior, DRAWS),
        ),
    )


def _remarks(which: Posterior | Mixture, view: _View, lost: np.ndarray) -> list[Note]:
    notes, (lo, hi) = {}, np.sort(view.grid[[0, -1]])
    if lost.any():
        notes["infinite"] = (
            f"{lost.mean():.1%} of draws have no finite curve there and are left out"
        )
    if which.law.improves == "down":
        notes["fall"] = (
            f"the kinds are of performance: a fall of the {which.law.response} is a rise"
        )
    if view.way.sign < 0:
        notes["direction"] = (
            f"the curve is followed from the largest {view.way.column} to the smallest"
        )
    if lo < view.way.seen.min() * (1 - ROUNDING) or hi > view.way.seen.max() * (1 + ROUNDING):
        notes["beyond"] = said_of_misfit(which)
    return [*said_of_fits(which), *as_notes(notes)]
