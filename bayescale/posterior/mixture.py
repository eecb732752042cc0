"""Mixture: several posteriors of one curve, each with a weight.

Forecasts depend on the law; where laws fit the data alike, their answers are averaged. Every
question takes a `Mixture` where it takes a `Posterior`: laws may differ, the runs may not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..messages import Note
from .display import Sheet, Shown, share
from .health import FailedFit
from .intervals import INTERVAL, plain
from .posterior import Posterior

__all__ = ["Mixture", "mix", "said_of_fits", "summary_of_fits"]


@dataclass(frozen=True, eq=False, repr=False)
class Mixture(Shown):
    """Posteriors of the same runs under several laws; `mix` makes one."""

    parts: Mapping[str, Posterior]
    """Posterior by name, each of one curve."""
    weights: Mapping[str, float]
    """Weight by name; they sum to 1."""
    why: str = "equal"
    """Where the weights come from."""
    prior: Mapping[str, float] | None = None
    """Probability of each member before the data; None where all are alike."""

    @property
    def law(self):
        """The law that weighs most: what the response is called, and which way is better."""
        return self.parts[max(self.weights, key=self.weights.__getitem__)].law

    @property
    def data(self):
        """The runs."""
        return next(iter(self.parts.values())).data

    @property
    def curves(self) -> tuple[str, ...]:
        """A mixture is of one curve."""
        return ()

    @property
    def members(self) -> list[tuple[str, float, Posterior]]:
        """(name, weight, posterior) of each that has weight."""
        return [(name, w, self.parts[name]) for name, w in self.weights.items() if w > 0]

    def only(self) -> Mixture:
        """Return self, which is of one curve."""
        return self

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the members whose fit is not to be trusted."""
        return tuple(name for name, part in self.parts.items() if not part.health.sound)

    def trusted(self, allow_failed: bool = False) -> Mixture:
        """Return the mixture of its sound members, or raise `FailedFit` where there are none."""
        bad = self.failed
        if allow_failed or not bad:
            return self
        sound = {name: part for name, part in self.parts.items() if name not in bad}
        if sum(self.weights[name] for name in sound) <= 0:
            problem = f"no member of this mixture is sound ({', '.join(bad)})"
            raise FailedFit((problem,), ("See the health of each.",))
        left = f"{self.why}; left out, not to be trusted: {', '.join(bad)}"
        prior = None if self.prior is None else {name: self.prior[name] for name in sound}
        return mix(sound, {name: self.weights[name] for name in sound}, prior=prior, why=left)

    def __iter__(self) -> Iterator[tuple[None, Mixture]]:
        yield None, self

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: the weights, and the summary of each fit."""
        return summary_of_fits(self.parts, self.weights, self.why, self.prior)

    def sheets(self) -> list[Sheet]:
        """Return one row a member: its weight, its prior probability, its health."""
        found = self.summary()
        prior = found["sampling"]["prior"] or {}
        rows = [
            [name, str(self.parts[name].health), share(weight), share(prior.get(name))]
            for name, weight in found["sampling"]["weights"].items()
        ]
        head = f"Mixture of {len(rows)} fits; weights: {self.why}"
        return [Sheet(("", "health", "weight", "prior"), rows, head, left=2)]


def summary_of_fits(
    fits: Mapping[str, Posterior],
    weights: Mapping[str, float],
    why: str = "equal",
    prior: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the summary of several fits of one table, weighed."""
    failed = [name for name, one in fits.items() if not one.health.sound]
    sampling = {"interval": INTERVAL, "weights": weights, "why": why, "prior": prior}
    found = {"quantities": {}, "health": {"sound": not failed, "fits": len(fits), "failed": failed}}
    found |= {"sampling": sampling, "fits": {name: one.summary() for name, one in fits.items()}}
    return plain(found)


def mix(
    posteriors: Mapping[str, Posterior],
    weights: Mapping[str, float] | None = None,
    *,
    prior: Mapping[str, float] | None = None,
    why: str | None = None,
) -> Mixture:
    """Return the weighted set of posteriors; equal weights unless given.

    Parameters
    ----------
    posteriors
        Posterior by name, each of one curve and of the same runs.
    weights
        Weight by name, 0 or more; normalised here. `compare` finds some.
    prior
        Probability of each before the data, where it is not the same for all.
    why
        Where the weights come from, for reports.

    Returns
    -------
    Mixture
        The posteriors with their weights, which sum to 1; questions take it as a fit.

    Raises
    ------
    ValueError
        If there are none, they are of several curves or of other runs, or the weights do not fit.

    Examples
    --------
    >>> both = bs.mix(rivals, {"sigmoid": 3, "flat": 1})
    >>> dict(both.weights)
    {'sigmoid': 0.75, 'flat': 0.25}
    """
    if not posteriors:
        raise ValueError("a mixture needs at least one posterior")
    first = next(iter(posteriors.values()))
    for name, part in posteriors.items():
        if part.curves:
            raise ValueError(f"{name} has several curves; mix one at a time: posterior.curve(NAME)")
        same = part.law.improves == first.law.improves and _same_runs(part, first)
        if not same:
            raise ValueError(
                f"{name} is of other runs or another response than {next(iter(posteriors))}: a "
                "mixture averages laws, not data"
            )
        if (part.model.runs is None) != (first.model.runs is None):
            raise ValueError(
                f"{name} and {next(iter(posteriors))} differ in whether rows are of runs: fit all "
                "with the run column (--run), or none"
            )
    given = dict.fromkeys(posteriors, 1.0) if weights is None else dict(weights)
    if set(given) != set(posteriors):
        raise ValueError(
            f"weights are for {', '.join(given)}, posteriors are {', '.join(posteriors)}"
        )
    total = sum(given.values())
    if not (np.isfinite(total) and total > 0 and min(given.values()) >= 0):
        raise ValueError(f"weights are 0 or more and not all 0, got {given}")
    why = why or ("equal" if weights is None else "given")
    weights = {k: float(given[k] / total) for k in posteriors}
    return Mixture(dict(posteriors), weights, why, prior)


def _same_runs(one: Posterior, other: Posterior) -> bool:
    pairs = [(list(p.data.inputs.values()), p.data.responses) for p in (one, other)]
    (x, y), (x0, y0) = pairs
    shared = set(y) & set(y0)
    return (
        bool(shared)
        and len(x) == len(x0)
        and all(np.array_equal(a, b) for a, b in zip(x, x0, strict=True))
        and all(np.array_equal(y[name], y0[name], equal_nan=True) for name in shared)
    )


def said_of_fits(which: Posterior | Mixture) -> list[Note]:
    """Return what must be said of the fits behind an answer: the failed ones, and the weights."""
    parts, notes = which.members, []
    for name, _, one in parts:
        (verdict,) = one.health.verdicts
        if not verdict.sound:
            whose = f"{name}: " * (len(parts) > 1)
            text = f"NOT TO BE TRUSTED: {whose}{'; '.join(verdict.problems)}"
            notes.append(Note("health", text))
    said = [note for *_, one in parts for note in _said_of(one)]
    notes += dict.fromkeys(said)
    if isinstance(which, Mixture):
        shares = ", ".join(f"{weight:.2f} {name}" for name, weight, _ in parts)
        notes.append(Note("average", f"an average over laws: {shares}; weights: {which.why}"))
    return notes


def _said_of(one: Posterior) -> list[Note]:
    """Return of what the answers of one fit speak."""
    notes = [n for n in one.data.notes if isinstance(n, Note) and n.kind == "group"]
    if one.drift is not None:
        text = f"with a drift of sd {one.drift.sd:g} in log scale beyond the data"
        notes.append(Note("drift", text))
    return notes
