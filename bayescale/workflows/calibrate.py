"""calibrate: whether the draws of a fit are of its posterior, at the user's own table.

Draws of the fit are taken for the truth, one at a time. Under each a new response of every row is
drawn, and the law is fitted to the table and its replicate together: the fit's posterior is the
prior of that. The truth is then a draw of what the refit should find, so that its rank among the
refit's draws is uniform, and 90 % intervals hold it in 90 % of the replicates. Parameters are
looked at, and what the law says beyond the data.

All refits are curves of one table, and share one program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..comparison.ranks import Calibrated, ranked
from ..data.dataset import Dataset
from ..inference.fit import fit
from ..inference.samplers import DRAWN_BY, NUTS, Laplace, Sampler, a_sampler
from ..messages import Note, a_number
from ..model.arrays import lane_of
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import plain
from ..posterior.mixture import Mixture, a_fit
from ..posterior.pointwise import law_draws, replicate, spaced
from ..posterior.posterior import Posterior
from ..progress import Progress
from ..questions.sweep import beyond, points_of, response_name, scales
from . import shown

__all__ = ["Calibration", "calibrate"]

SUSPECT = 0.05
"""Probability, over all quantities together, of suspecting one that is well."""
FEWEST = 10
"""Replicates of which anything can be said."""


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Shown):
    """How the truth ranks among the draws of the fits of replicated tables."""

    quantities: Mapping[str, Calibrated]
    """Parameters by name, then forecasts by what they are of."""
    replicates: int
    """How many tables were replicated and fitted."""
    unsound: tuple[int, ...] = ()
    """Numbers of the replicates, from 1, whose refit fails its checks; they are counted all the
    same."""
    notes: tuple[Note, ...] = field(default=())
    """What should be said with the answer."""

    @property
    def suspects(self) -> tuple[str, ...]:
        """Quantities whose ranks are not uniform: p below .05 over their number."""
        level = SUSPECT / max(1, len(self.quantities))
        return tuple(name for name, one in self.quantities.items() if one.p < level)

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        found = {name: getattr(self, name) for name in ("replicates", "unsound", "suspects")}
        quantities = {name: one.summary() for name, one in self.quantities.items()}
        return plain(found | {"notes": self.notes}) | {"quantities": quantities}

    def sheets(self) -> list[Sheet]:
        """Return one row a quantity: are ranks uniform, and how often do intervals hold it."""
        return shown.calibration(self.summary())


def check_replicates(replicates: int) -> None:
    """Refuse so few replicates that they tell nothing; a ValueError."""
    given = a_number(replicates, "replicates (--replicates)")
    if not (given.is_integer() and given >= FEWEST):
        raise ValueError(f"calibrate takes {FEWEST} replicates or more, got {given:g}")


def calibrate(
    posterior: Posterior | Mixture,
    at: Mapping[str, Any] | None = None,
    *,
    replicates: int = 50,
    sampler: NUTS | Laplace | None = None,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress = True,
) -> Calibration | dict[str, Calibration]:
    """Return whether refits of replicated tables find the parameters that made them.

    Parameters
    ----------
    posterior
        A fit with draws; of several curves, or of a mixture, each is looked at on its own. The
        same columns, groups, runs and detection limits are replicated, and a law's misfit.
    at
        Scales by input or column of forecasts that are looked at too; by default ten and a
        hundred times beyond the largest of each scale.
    replicates
        How many tables are made and fitted. A coverage of 90 % has a standard error of 4 % with
        50 of them.
    sampler
        Of the refits; by default as the fit was made.
    seed
        Decides replicates and refits.

    Returns
    -------
    Calibration, or dict of Calibration
        Ranks and coverage of each parameter and forecast. By name of the curve, or of the law,
        where there are several.

    Raises
    ------
    FailedFit
        If the draws of the fit are not to be trusted, unless `allow_failed`.
    ValueError
        For a fit without draws (`MAP`), or of one group, or with a misfit; for too few replicates.

    Notes
    -----
    Posterior simulation-based calibration: Sailynoja, Schmitt, Buerkner and Vehtari 2025
    (arXiv 2502.03279). Under the right inference theta' drawn from p(theta | y) is a draw of
    p(theta | y, y') where y' is drawn under theta'. It tells whether the inference is right about
    this table, given law, noise and priors (references and spans of the table's are kept in the
    refits); it cannot tell whether the law is right, which `backtest_forecast` can. Evenness of
    ranks is judged by the largest of all pointwise binomial tail probabilities of their empirical
    distribution, itself held against those of uniform ranks (arXiv 2103.10522).

    Examples
    --------
    >>> quick = bs.NUTS(chains=2, warmup=200, draws=200, retries=0)
    >>> found = bs.calibrate(power_fit, {"x": 1e12}, replicates=10, sampler=quick)
    >>> list(found.quantities)
    ['E', 'A', 'alpha', 'sigma', 'nu', 'y at x=1e+12']
    >>> found.quantities["alpha"].ranks.shape
    (10,)
    """
    check_replicates(replicates)
    if sampler is not None:
        _draws(type(a_sampler(sampler, ())).__name__)
    which = a_fit(posterior).trusted(allow_failed, within=True)
    how = dict(replicates=replicates, sampler=sampler, seed=seed, progress=progress)
    if isinstance(which, Mixture):
        return {name: _one(part, at, **how) for name, _, part in which.members}
    if which.curves:
        return {str(name): _one(part, at, **how) for name, part in which}
    return _one(which, at, **how)


def _one(
    one: Posterior,
    at: Mapping[str, Any] | None,
    replicates: int,
    sampler: Sampler | None,
    seed: int,
    progress: Progress,
) -> Calibration:
    """Return the calibration of one curve."""
    sampler = sampler or _as_made(one)
    _check(one, replicates)
    points = beyond(one) if at is None else scales(one, at)
    model = one.model
    refits = fit(
        model.law,
        _tables(one, replicates, seed),
        noise=model.noises,
        pool=model.pool,
        sampler=sampler,
        seed=seed,
        precision=one.sampling.precision,
        progress=progress,
    )
    picked = spaced(_count(one), replicates)
    known = [i for i, (_, each) in enumerate(refits) if _drawn(each)]
    truth = {name: draws.ravel()[picked][known] for name, draws in _scalars(one).items()}
    parts = [_scalars(refits.curve(refits.curves[i])) for i in known]
    found = {
        name: ranked(values, np.stack([part[name].ravel() for part in parts]))
        for name, values in truth.items()
    }
    here, there = law_draws(one, points), law_draws(refits, points)
    for i, (where, place) in enumerate(points_of(one, points)):
        said = ranked(here[picked][known, i], there[known][..., i])
        found[f"{response_name(one)} at {where}"] = replace(said, at=place)
    verdicts = refits.health.verdicts
    unsound = tuple(i + 1 for i in known if not verdicts[i].sampling.sound)
    made = Calibration(found, len(known), unsound)
    return replace(made, notes=tuple(_notes(made, replicates)))


def _as_made(one: Posterior) -> Sampler:
    """Return the sampler that a fit was made by."""
    info = one.sampling
    _draws(info.method)
    return DRAWN_BY[info.method](**info.settings)


def _draws(method: str) -> None:
    """Refuse a sampler among whose draws no truth has a rank."""
    if method not in DRAWN_BY:
        raise ValueError(
            f"calibrate ranks the truth among the draws of refits, and {method} draws no "
            f"posterior: take {' or '.join(DRAWN_BY)}, in the fit or as sampler=..."
        )


def _check(one: Posterior, replicates: int) -> None:
    """Refuse what is no fit of its own table."""
    if one.bends is not None:
        raise ValueError(
            "calibrate knows of no misfit beyond the data, which no table tells: calibrate the fit"
        )
    if any(not np.any(one.draws[f"{name}_shift"]) for name in one.model.pool):
        raise ValueError("this is one group of a pooled fit: calibrate the fit with all its groups")
    if one.model.runs is not None and len(set(one.data.run.astype(str))) == 1:
        raise ValueError(
            "the rows are of one run, and with a replicate they would be of two, which is another "
            "model: leave the run column out, or measure another run"
        )
    if _count(one) < replicates:
        raise ValueError(f"{replicates} replicates need as many draws, this fit has {_count(one)}")


def _count(one: Posterior) -> int:
    """Return the number of draws, chains joined."""
    return int(np.prod(next(iter(one.draws.values())).shape[:2]))


def _drawn(one: Posterior) -> bool:
    """Return whether there are draws: an interrupt leaves some curves without."""
    return all(bool(np.isfinite(draws).all()) for draws in one.draws.values())


def _scalars(one: Posterior) -> dict[str, np.ndarray]:
    """Return the quantities that are sampled and that the user knows, (chain, draw)."""
    hidden = {f"{name}_shift" for name in one.model.pool}
    hidden |= {"bends"} if one.law.wander is not None else set()
    named = replace(one, draws={k: v for k, v in one.draws.items() if k not in hidden})
    held = {name for part in one.model.parts for name in part.parameters if name not in part.free}
    return {k: v for k, v in named.scalars().items() if k not in held}


def _tables(one: Posterior, count: int, seed: int) -> Dataset:
    """Return the table and a replicate as one curve, for each replicate; references are kept."""
    data, model = one.data, one.model
    rows, lane = len(data), lane_of(model, data)
    whole = data.take(np.tile(np.arange(rows), 2 * count))
    responses = {}
    for name, seen in data.responses.items():
        new = replicate(one, count, seed=seed, response=name)
        new = np.where(np.isfinite(seen), new, np.nan)
        responses[name] = np.stack([np.broadcast_to(seen, new.shape), new], 1).ravel()
    curve = np.repeat([f"replicate {i + 1}" for i in range(count)], 2 * rows).astype(object)
    run = whole.run
    if run is not None:
        fresh = np.tile(np.repeat(["", " again"], rows), count)
        run = np.array([f"{label}{more}" for label, more in zip(run, fresh, strict=True)], object)
    level = model.law.level_in(responses)
    return replace(
        whole,
        responses=responses,
        curve=curve,
        run=run,
        rows=None,
        notes=(),
        reference={k: float(v) for k, v in lane["ref"].items()} | {level: float(lane["y"])},
    )


def _notes(made: Calibration, asked: int) -> list[Note]:
    found = []
    if made.replicates < asked:
        found.append(Note("interrupted", f"{made.replicates} of {asked} replicates were fitted"))
    if made.suspects:
        text = f"ranks of {', '.join(made.suspects)} are uneven: the draws are not of the posterior"
        found.append(Note("uneven", f"{text}; fit with more warm-up, or another sampler"))
    if made.unsound:
        text = f"{len(made.unsound)} of {made.replicates} refits fail their checks, and are counted"
        found.append(Note("unsound", text))
    text = "this is of the inference, given law, noise and priors: that the law is wrong beyond "
    text += "the data no replicate can tell; backtest_forecast (bayescale backtest) can"
    return [*found, Note("of_inference", text)]
