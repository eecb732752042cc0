"""sensitivity: how far parameters and forecasts hang on the prior, and how far on the data.

Power-scaling: the posterior under prior^a x likelihood, and under prior x likelihood^a, from the
draws that there are, by weights exp((a - 1) log prior) or exp((a - 1) log likelihood), smoothed as
those of leave-one-out. No second fit is made. A weaker prior (a = .8) is 12 % wider, a stronger
one (1.25) 11 % narrower, with the same middle.

Priors are raised to powers in coordinates without bounds; see `posterior.pointwise.priors`. That of
the law's parameters is raised for these and for forecasts, that of the noise's for the noise's: a
narrower prior of the scatter would else widen or narrow all the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..data.notes import concerning
from ..messages import Note
from ..posterior.checks import IDENTIFIED
from ..posterior.display import Sheet, Shown
from ..posterior.health import ROUGH, pareto
from ..posterior.intervals import INTERVAL, levels, plain, pull, quantiles, summarise
from ..posterior.mixture import Mixture, a_fit
from ..posterior.pointwise import FEWEST, hangs_on, law_draws, log_likelihood, priors
from ..posterior.posterior import Posterior, said_of_group
from . import shown
from .sweep import beyond, points_of, response_name, scales

if TYPE_CHECKING:
    import pandas

__all__ = ["Sensitive", "Sensitivity", "sensitivity"]

WAYS = {
    "weaker_prior": ("prior", 0.8),
    "stronger_prior": ("prior", 1.25),
    "weaker_data": ("data", 0.8),
    "stronger_data": ("data", 1.25),
}
"""What is raised to which power."""
NEAR = (0.99, 1.01)
"""Powers between which the derivative of the published measure is taken."""
LIMIT = 0.05
"""Of the published measure, from which on its authors call a posterior sensitive."""
APART = 2.0
"""Standard deviations by which prior and data lie apart where they are said to disagree."""
PART = IDENTIFIED**2
"""Part of what is known of a quantity that the prior tells, from which on it is the prior's: the
data leave it more than half of its prior's spread, as a parameter that is not identified."""
FELT = 0.05
"""Part of the prior below which (and of the data) their distance is not told."""
THE_PRIORS, DISAGREE, NEITHER = "the prior's", "prior and data disagree", "-"


@dataclass(frozen=True)
class Sensitive:
    """One quantity: a parameter, or what the law says at a point."""

    spread: Mapping[str, float]
    """Median and interval as they are."""
    prior: float
    """Sensitivity to the prior: the rate at which the posterior parts from itself (Jensen-Shannon
    distance of distribution functions) as the prior is raised to powers of 2."""
    data: float
    """The same of the likelihood."""
    part: float
    """Part of what is known of it that the prior tells: the rate at which log variance falls with
    the power of the prior; of normals the prior's precision over the posterior's."""
    apart: float
    """How many standard deviations prior and data lie apart, were both normal; nan where the part
    of either is below .05."""
    under: Mapping[str, Mapping[str, float]]
    """Median and interval under a weaker or stronger prior, or data: `WAYS`."""
    at: Mapping[str, float] | None = None
    """Where a forecast lies, by column; None for a parameter."""
    through: str | None = None
    """The parameter of which the data say little that tells most of a forecast's spread."""

    @property
    def diagnosis(self) -> str:
        """`the prior's`, `prior and data disagree`, or `-`."""
        if min(self.prior, self.data) >= LIMIT and abs(self.apart) > APART:
            return DISAGREE
        return THE_PRIORS if self.part > PART or self.through else NEITHER

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        same = {name: getattr(self, name) for name in ("prior", "data", "part", "apart")}
        same |= {"at": self.at, "through": self.through}
        ends = {name: self.spread[name] for name in ("median", "lo", "hi")}
        return plain(ends | same | {"diagnosis": self.diagnosis, "under": self.under})


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(Shown):
    """How far each quantity of one fit hangs on the prior."""

    quantities: Mapping[str, Sensitive]
    """Parameters by name, then forecasts by what they are of."""
    k_hat: Mapping[str, float]
    """Pareto k of the weights, by what is raised to a power (`WAYS`); above .7 they are rough."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        powers = {name: power for name, (_, power) in WAYS.items()}
        found = {"powers": powers, "k_hat": self.k_hat, "notes": self.notes}
        return plain(found) | {
            "quantities": {name: one.summary() for name, one in self.quantities.items()}
        }

    def sheets(self) -> list[Sheet]:
        """Return one row a quantity: whose it is, and how far it moves."""
        return shown.sensitivity(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return one row a quantity."""
        import pandas as pd

        rows = {}
        for name, found in self.summary()["quantities"].items():
            apart = ("under", "at", "through")
            own = {key: value for key, value in found.items() if key not in apart}
            moved = {
                f"{end}_{way}": value
                for way, ends in found["under"].items()
                for end, value in ends.items()
            }
            rows[name] = own | moved
        return pd.DataFrame.from_dict(rows, orient="index")


def sensitivity(
    posterior: Posterior | Mixture,
    at: Mapping[str, Any] | None = None,
    *,
    allow_failed: bool = False,
) -> Sensitivity | dict[str, Sensitivity]:
    """Return how far parameters and forecasts hang on the prior, and how far on the data.

    prior(theta)^a likelihood(theta), or prior(theta) likelihood(theta)^a, about a = 1.

    Parameters
    ----------
    posterior
        A fit with draws; of several curves, or of a mixture, each is looked at on its own.
    at
        Scales by input or column, several points or one; by default ten and a hundred times
        beyond the largest of each scale.

    Returns
    -------
    Sensitivity, or dict of Sensitivity
        One row a quantity: whose it is, and where median and interval go under a prior and under
        data that are weaker or stronger. By name of the curve, or of the law, where there are
        several.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`.
    ValueError
        For an unknown or missing scale, a fit without draws (`MAP`), or one that has lost the
        coordinates it was drawn in.

    Notes
    -----
    `prior` and `data` are the sensitivities of Kallioinen, Paananen, Buerkner and Vehtari 2023
    (arXiv 2107.14054), as ArviZ has them. They do not tell a prior that decides from one that
    pulls a little: with normals one sd apart both are above .05 from a tenth of the precision on.
    So words come of what the same weights do to the median and the variance. `part` is how fast
    1/variance grows with the power of the prior, `the prior's` where that is above a quarter: the
    data leave more than half of the prior's spread, as of a parameter that is not identified; of a
    forecast also where such a parameter tells more than half of its spread (`through`).
    `prior and data disagree` where both sensitivities are above .05 and the two lie more than two
    standard deviations apart. Both are of normal scores, so of any unit.

    Examples
    --------
    >>> found = bs.sensitivity(power_fit, {"x": 1e13})
    >>> list(found.quantities)
    ['E', 'A', 'alpha', 'sigma', 'nu', 'y at x=1e+13']
    >>> found.quantities["sigma"].diagnosis
    '-'
    """
    which = a_fit(posterior).trusted(allow_failed)
    if isinstance(which, Mixture):
        return {name: _one(part, at) for name, _, part in which.members}
    return {str(k): _one(v, at) for k, v in which} if which.curves else _one(which, at)


def _one(one: Posterior, at: Mapping[str, Any] | None) -> Sensitivity:
    """Return the sensitivity of one curve."""
    before = priors(one)
    if not before:
        raise ValueError("the fit has lost the coordinates it was drawn in: fit anew")
    draws = next(iter(before.values())).size
    if draws < FEWEST:
        raise ValueError(
            f"sensitivity weighs {FEWEST} draws or more, this fit has {draws}: fit with NUTS or "
            "Laplace"
        )
    data = log_likelihood(one).sum(-1)
    raised = {of: _Raised.of({"prior": logs, "data": data}) for of, logs in before.items()}
    points = scales(one, at) if at is not None else beyond(one)
    own = {name for each in one.model.parts[1:] for name in each.parameters}
    quantities = {
        name: _of(draws, raised["noise" if name in own else "law"])
        for name, draws in one.scalars().items()
        if np.ptp(draws) > 0 and not name.rstrip("0123456789").endswith("_shift")
    }
    said_at = zip(points_of(one, points), law_draws(one, points).T, strict=True)
    for (where, place), said in said_at:
        draws = said.reshape(data.shape)
        through = hangs_on(one, said)
        quantities[f"{response_name(one)} at {where}"] = _of(
            draws, raised["law"], place, through and through[0]
        )
    worst = {way: max(each.k_hat[way] for each in raised.values()) for way in WAYS}
    notes = (*concerning(one.data, "split"), *_notes(worst), *said_of_group(one))
    return Sensitivity(quantities, worst, notes)


def _weights(logs: np.ndarray, power: float) -> tuple[np.ndarray, float]:
    """Return the weights of draws as a part is raised to a power, (chain, draw), and Pareto k."""
    if np.ptp(logs) < 1e-12:  # a part that says nothing
        return np.full(logs.shape, 1 / logs.size), -np.inf
    weights, k_hat = pareto((power - 1) * logs.reshape(1, -1))
    return np.exp(weights).reshape(logs.shape), float(np.squeeze(k_hat))


class _Raised(NamedTuple):
    """Weights of all draws as the prior of some parameters, or the data, are raised to powers."""

    parts: Mapping[str, np.ndarray]
    """Log density of `prior` and `data`, (chain, draw)."""
    close: Mapping[str, list[np.ndarray]]
    """Weights at `NEAR` of each."""
    weights: Mapping[str, np.ndarray]
    """Weights by `WAYS`."""
    k_hat: Mapping[str, float]
    """Their Pareto k."""

    @classmethod
    def of(cls, parts: Mapping[str, np.ndarray]) -> _Raised:
        """Return the weights of draws with these log densities."""
        found = {way: _weights(parts[of], power) for way, (of, power) in WAYS.items()}
        close = {of: [_weights(part, power)[0] for power in NEAR] for of, part in parts.items()}
        weights, k_hat = ({way: pair[i] for way, pair in found.items()} for i in (0, 1))
        return cls(parts, close, weights, k_hat)


def _of(
    draws: np.ndarray,
    raised: _Raised,
    at: Mapping[str, float] | None = None,
    through: str | None = None,
) -> Sensitive:
    """Return how far one quantity, (chain, draw), hangs on each part."""
    from arviz_stats.base.array import array_stats

    rates = {
        of: float(array_stats.power_scale_sense(draws, *pair, *NEAR))
        for of, pair in raised.close.items()
    }
    moved, part = pull(draws, raised.parts["prior"])
    part = float(np.clip(part, 0.0, 1.0))
    # Of normals d mean / d a, in sds of the posterior, is the distance times this.
    apart = moved / np.sqrt(part * (1 - part)) if FELT < part < 1 - FELT else np.nan
    under = {}
    for way, each in raised.weights.items():
        lo, median, hi = quantiles(draws.ravel(), each.ravel(), levels(INTERVAL)).tolist()
        under[way] = {"median": median, "lo": lo, "hi": hi}
    rate = (rates["prior"], rates["data"])
    return Sensitive(summarise(draws), *rate, part, apart, under, at, through)


def _notes(k_hat: Mapping[str, float]) -> list[Note]:
    rough = [way.replace("_", " ") for way, k in k_hat.items() if not k <= ROUGH]
    if not rough:
        return []
    text = f"rough under a {', '.join(rough)} (Pareto k above {ROUGH}): few draws lie where "
    return [Note("rough", f"{text}such a posterior would be; fit with another prior to be sure")]
