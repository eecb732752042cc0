"""Evidence: how probable the data are under a law and all its prior, by bridge sampling.

The log marginal likelihood ranks laws as beliefs: with it, prior probabilities of laws become
posterior ones. It depends on the width of priors; predictive scores (`predictive`) do not, and
speak of new runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import jax
import numpy as np

from ..messages import a_seed
from ..model.arrays import pack
from ..model.programs import by_blocks, compiled
from ..posterior.checks import bulk_ess
from ..posterior.display import Sheet, Shown
from ..posterior.health import ROUGH, pareto
from ..posterior.intervals import plain
from ..posterior.mixture import a_fit
from ..posterior.posterior import Posterior
from . import shown
from .units import COUNT, DENSITY, checked_unit, in_counts

__all__ = ["Evidence", "Proposal", "bridge", "log_evidence", "shares"]

LEAST = 0.02
"""Weight of a fit below which it is left out of an answer."""

CENTRES = 64
"""Draws about which the proposal has its components."""
HEAVY = 7.0
"""Degrees of freedom of the components."""
ROUNDS = 200
_known: WeakKeyDictionary[Posterior, dict[Any, dict]] = WeakKeyDictionary()
"""What was found of posteriors that live, by seed, as fitted, and by (seed, unit): several answers
of `tasks` ask for it."""


@dataclass(frozen=True, repr=False)
class Evidence(Shown):
    """The log marginal likelihood of one curve."""

    log: float
    se: float
    """Standard error of the estimate, autocorrelation of the draws included."""
    unit: str = DENSITY
    """`count` (probability of the counts) or `density` (of the response): see `units`."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON; None for a fit without draws."""
        return plain({"log": self.log, "se": self.se, "unit": self.unit})

    def sheets(self) -> list[Sheet]:
        """Return the estimate and its standard error."""
        return shown.evidence(self.summary())


@compiled(static_argnames=("model",))
def _density(model, z, data):
    return jax.lax.map(lambda one: model.log_density(one, data), z, batch_size=64)


def _densities(model, z: np.ndarray, data: dict) -> np.ndarray:
    """Return the log density at z, (row, size)."""
    with jax.enable_x64(True):
        found = by_blocks(lambda block: _density(model, block, data), z)
    return np.where(np.isnan(found), -np.inf, found).astype(float)


def log_evidence(
    posterior: Posterior, *, seed: int = 0, unit: str | None = None
) -> Evidence | dict[str, Evidence]:
    """Return the log marginal likelihood, by name of the curve where there are several.

    Parameters
    ----------
    seed
        Decides the proposals.
    unit
        `count`: the probability of the counts, also under a noise of shares; `density`: of what
        was fitted. By default `count` where the table has a number of questions, so that fits of
        one table compare whatever their noise.

    Returns
    -------
    Evidence, or dict of Evidence
        The log marginal likelihood, `log`, and its standard error, `se`.

    Raises
    ------
    ValueError
        If the posterior holds no unconstrained draws, or was not sampled; or if counts are asked
        of a noise of shares without a cdf, or one so narrow beside 1/n that the density it was
        fitted by is no stand-in for the mass.

    Notes
    -----
    Meng and Wong 1996 (Statistica Sinica 6, 831); the optimal bridge by iteration, Gronau et al.
    2017 (arXiv 1703.05984). Under a noise of shares Z of the counts is Z of the densities times
    the posterior mean of mass over density. The proposal is fitted to one half of the draws:
    Student-t components about some of them, with their covariance. The other half is what is
    bridged to. Both halves in turn, averaged.

    Examples
    --------
    >>> rises, level = (bs.log_evidence(rivals[law]).log for law in ("sigmoid", "flat"))
    >>> rises > level
    True
    """
    if a_fit(posterior, mixtures=False).z is None or posterior.sampling.method != "NUTS":
        raise ValueError("evidence needs draws in unconstrained coordinates: fit with NUTS()")
    unit, known = checked_unit(posterior, unit), _known.setdefault(posterior, {})
    seed = a_seed(seed)
    if seed not in known:
        known[seed] = _by_curve(posterior, seed)
    if (seed, unit) not in known:
        known[seed, unit] = _told_in(unit, posterior, known[seed])
    found = known[seed, unit]
    return found if posterior.curves else found[None]


def _told_in(unit: str, posterior: Posterior, found: dict) -> dict[str | None, Evidence]:
    """Return the evidence of each curve in a unit."""
    ratio = in_counts(posterior) if unit == COUNT else None
    if ratio is None:
        return {name: replace(one, unit=unit) for name, one in found.items()}
    curve = posterior.data.curve
    own = {name: slice(None) if name is None else curve == name for name in found}
    return {
        name: _reweighed(posterior, one, ratio[..., own[name]].sum(-1))
        for name, one in found.items()
    }


def _reweighed(posterior: Posterior, one: Evidence, logs: np.ndarray) -> Evidence:
    """Return the evidence times the mean of exp(logs), (chain, draw), where that has a mean."""
    from scipy.special import logsumexp

    _, k_hat = pareto(logs.reshape(1, -1))
    if not np.isfinite(logs).all() or float(np.squeeze(k_hat)) > ROUGH:
        raise ValueError(
            f"the noise {posterior.model.noise.name} is so narrow beside a question, 1/n, that its "
            "densities say nothing of counts: compare fits of one noise, or of noises that count"
        )
    parts = [part.ravel() for part in np.array_split(logs, 2, axis=1)]
    each = np.array([logsumexp(part) - np.log(part.size) for part in parts])
    return Evidence(
        float(one.log + logsumexp(logs) - np.log(logs.size)),
        float(np.hypot(one.se, np.ptp(each) / 2)),
        COUNT,
    )


def _by_curve(posterior: Posterior, seed: int) -> dict[str | None, Evidence]:
    """Return the evidence of each curve by its name; None is that of a table without."""
    found = {}
    for batch in pack(posterior.model, posterior.data.sorted()):
        for row, (curve, key) in enumerate(zip(batch.curves, batch.keys, strict=True)):
            z = posterior.z[curve] if posterior.curves else posterior.z
            data = jax.tree.map(lambda leaf, row=row: leaf[row], batch.data)
            found[curve] = _one(posterior.model, z, data, np.random.default_rng([seed, key, 4]))
    return {name: found[i] for i, name in enumerate(posterior.curves or (None,))}


def _one(model, z: np.ndarray, data: dict, rng: np.random.Generator) -> Evidence:
    """Return the evidence of one curve from draws (chain, draw, size)."""
    if not np.isfinite(z).all():
        return Evidence(-np.inf, np.inf)
    halves = [z[:, half::2][:, : z.shape[1] // 2] for half in (0, 1)]
    size, estimates, errors = z.shape[-1], [], []
    for fitted, kept in (halves, halves[::-1]):
        proposal = Proposal(fitted.reshape(-1, size), rng)
        own = kept.reshape(-1, size)
        at = np.concatenate([own, proposal.sample(rng, len(own))])
        ratios = _densities(model, at, data) - proposal.log_density(at)
        log, error = bridge(*np.split(ratios, 2), chains=len(z))
        estimates.append(log)
        errors.append(error)
    # Either half serves both estimates: as if they were one.
    error = max(float(np.sqrt(np.mean(np.square(errors)))), float(np.ptp(estimates)) / 2)
    return Evidence(float(np.mean(estimates)), error)


class Proposal:
    """A mixture of Student-t about some draws, wide enough to cover all of them."""

    def __init__(self, draws: np.ndarray, rng: np.random.Generator):
        size = draws.shape[1]
        picked = rng.choice(len(draws), min(CENTRES, len(draws)), replace=False)
        self.centres = draws[picked]
        # Silverman's width for so many components, shared by all.
        width = (4 / (size + 2) / len(picked)) ** (1 / (size + 4))
        covariance = np.cov(draws.T).reshape(size, size) + 1e-10 * np.eye(size)
        self.root = width * np.linalg.cholesky(covariance)

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return draws, (count, size)."""
        centre = self.centres[rng.integers(len(self.centres), size=count)]
        normal = rng.normal(size=centre.shape) @ self.root.T
        return centre + normal / np.sqrt(rng.chisquare(HEAVY, (count, 1)) / HEAVY)

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """Return the log density at z, (row,)."""
        from scipy.special import gammaln, logsumexp

        size = z.shape[1]
        away = np.linalg.solve(self.root, (z[:, None] - self.centres).reshape(-1, size).T)
        square = (away**2).sum(0).reshape(len(z), -1)
        front = gammaln((HEAVY + size) / 2) - gammaln(HEAVY / 2) - size / 2 * np.log(HEAVY * np.pi)
        front -= np.log(np.diagonal(self.root)).sum() + np.log(len(self.centres))
        return front + logsumexp(-(HEAVY + size) / 2 * np.log1p(square / HEAVY), axis=1)


def shares(logs: Mapping[str, float], prior: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return prior times evidence of each fit, of all 1; those below `LEAST` are left out.

    The prior alone where no evidence is finite; equal unless given.
    """
    known = {name: log for name, log in logs.items() if np.isfinite(log)}
    known, most = known or dict.fromkeys(logs, 0.0), max(known.values(), default=0.0)
    weights = {k: (prior[k] if prior else 1.0) * np.exp(log - most) for k, log in known.items()}
    total = sum(weights.values())
    return {k: float(w / total) for k, w in weights.items() if w >= LEAST * total}


def bridge(own: np.ndarray, drawn: np.ndarray, chains: int = 1) -> tuple[float, float]:
    """Return log Z and its standard error from log(density / proposal) at draws of either.

    Equally many of each; `own` are of chains one after the other. The error is that of
    Fruehwirth-Schnatter 2004 (doi 10.1111/j.1368-423X.2004.00125.x, equation 13).
    """
    from scipy.special import expit, logsumexp

    log_z = float(np.median(own))
    for _ in range(ROUNDS):
        # Optimal bridge with as many draws of each: h = 1 / (density / Z + proposal).
        above = logsumexp(drawn - np.logaddexp(drawn - log_z, 0.0))
        below = logsumexp(-np.logaddexp(own - log_z, 0.0))
        new = float(above - below)
        if abs(new - log_z) < 1e-8:
            break
        log_z = new
    kept, met = expit(log_z - own), expit(drawn - log_z)
    effective = bulk_ess(kept.reshape(chains, -1))
    square = met.var() / met.mean() ** 2 / len(met) + kept.var() / kept.mean() ** 2 / effective
    return log_z, float(np.sqrt(square))
