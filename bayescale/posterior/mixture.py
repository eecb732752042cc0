"""Mixture: several posteriors of one curve, each with a weight.

Forecasts depend on the law; where laws fit the data alike, their answers are averaged. Every
question takes a `Mixture` where it takes a `Posterior`: laws may differ, the runs may not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.notes import concerning
from ..messages import Note, shares_of
from .display import Sheet, Shown, share
from .health import FailedFit
from .intervals import INTERVAL, plain
from .posterior import Posterior, said_of_group

__all__ = ["Mixture", "a_fit", "fits_by_name", "mix", "said_of_fits", "summary_of_fits"]

SLIGHT = 0.01
"""Weight of a member below which nothing is said of its health."""


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
    belief: bool = False
    """Whether the weights are prior times evidence: another prior of a parameter changes them."""

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
        """Names of the members whose curve is not settled."""
        verdicts = {name: part.health.verdicts[0] for name, part in self.parts.items()}
        return tuple(name for name, one in verdicts.items() if not one.settled)

    def trusted(self, allow_failed: bool = False, *, within: bool = False) -> Mixture:
        """Return the mixture of its settled members, or raise `FailedFit`.

        Where there are none; and where the data contradict laws of more than half the weight,
        unless the question stays `within` the data.
        """
        if allow_failed:
            return self
        bad = self.failed
        kept = {name: part for name, part in self.parts.items() if name not in bad}
        if sum(self.weights[name] for name in kept) <= 0:
            problem = f"no member of this mixture is sound ({', '.join(bad)})"
            raise FailedFit((problem,), ("See the health of each.",))
        found = self
        if bad:
            left = f"{self.why}; left out, not to be trusted: {', '.join(bad)}"
            prior = None if self.prior is None else {name: self.prior[name] for name in kept}
            weights = {name: self.weights[name] for name in kept}
            found = mix(kept, weights, prior=prior, why=left, belief=self.belief)
        looks = {name: one.health.verdicts[0].fit for name, _, one in found.members}
        wrong = {name: fit for name, fit in looks.items() if not fit.sound}
        if not within and sum(found.weights[name] for name in wrong) > 0.5:
            problems = [f"{name}: {line}" for name, fit in wrong.items() for line in fit.problems]
            advice = dict.fromkeys(line for fit in wrong.values() for line in fit.advice)
            raise FailedFit(tuple(problems), tuple(advice))
        return found

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
    posteriors: Mapping[str, Posterior] | Sequence[Posterior],
    weights: Mapping[str, float] | None = None,
    *,
    prior: Mapping[str, float] | None = None,
    why: str | None = None,
    belief: bool = False,
) -> Mixture:
    """Return the weighted set of posteriors; equal weights unless given.

    Parameters
    ----------
    posteriors
        Posterior by name, each of one curve and of the same runs; of different laws a list of them.
    weights
        Weight by name, 0 or more; normalised here. `compare_laws` finds some.
    prior
        Probability of each before the data, where it is not the same for all.
    why
        Where the weights come from, for reports.
    belief
        Whether they are prior times evidence, so that another prior of a parameter changes them.

    Returns
    -------
    Mixture
        The posteriors with their weights, which sum to 1; questions take it as a fit.

    Raises
    ------
    TypeError
        If something else is given in place of fits.
    ValueError
        If there are none, they are of several curves or of other runs, or the weights do not fit.

    Examples
    --------
    >>> both = bs.mix(rivals, {"sigmoid": 3, "flat": 1})
    >>> dict(both.weights)
    {'sigmoid': 0.75, 'flat': 0.25}
    """
    posteriors = fits_by_name(posteriors)
    first = next(iter(posteriors.values()))
    for name, part in posteriors.items():
        if part.curves:
            raise ValueError(f"{name} has several curves; mix one at a time: posterior.curve(NAME)")
        differs = _differs(part, first)
        if differs:
            raise ValueError(
                f"{name} is of other runs or another response than {next(iter(posteriors))}: "
                f"{differs}; laws are weighed on the same rows, in one unit"
            )
        if (part.model.runs is None) != (first.model.runs is None):
            raise ValueError(
                f"{name} and {next(iter(posteriors))} differ in whether rows are of runs: fit all "
                "with the run column (--run), or none"
            )
    named = "weights (probabilities) of fits"
    given = dict.fromkeys(posteriors, 1.0) if weights is None else shares_of(weights, named)
    if set(given) != set(posteriors):
        raise ValueError(
            f"{named} are for {', '.join(map(str, given)) or 'none'}, these are "
            f"{', '.join(posteriors)}: give one of each"
        )
    total = sum(given.values())
    if not (np.isfinite(total) and total > 0 and min(given.values()) >= 0):
        raise ValueError(f"weights are 0 or more and not all 0, got {given}")
    why = why or ("equal" if weights is None else "given")
    weights = {k: float(given[k] / total) for k in posteriors}
    return Mixture(dict(posteriors), weights, why, prior, belief)


# ------------------------------------------------------------------ what is given as a fit


def a_fit(given: Any, mixtures: bool = True) -> Any:
    """Return a fit as it is, and a mixture where they are taken.

    Raises
    ------
    TypeError
        For anything else, saying what to give.
    """
    if isinstance(given, Posterior) or (mixtures and isinstance(given, Mixture)):
        return given
    raise TypeError(_no_fit(given))


def _no_fit(given: Any) -> str:
    """Return what is to be given in place of what is no fit."""
    if isinstance(given, Mixture):
        return "this is asked of one law, and a Mixture has several: take one of mixture.parts"
    if isinstance(given, str | os.PathLike):
        return f"{os.fspath(given)!r} is a text, no fit: give what fit returns, or load(FILE)"
    several = [*given.values()] if isinstance(given, Mapping) else given
    if isinstance(several, list | tuple) and any(isinstance(one, Posterior) for one in several):
        return f"this is asked of one fit, got {len(several)}: ask each, or mix(...) of them"
    said = f"this is asked of a fit, what fit or load returns, not of a {type(given).__name__}"
    if hasattr(given, "mixtures"):  # a forecast, which lives on a higher floor
        return f"{said}: ask its laws, .mixtures[{next(iter(given.mixtures))!r}]"
    return said + ": fit a law to it first, fit('power', data)" * hasattr(given, "columns")


NAMED = "{'NAME': fit, ...}"


def fits_by_name(given: Any) -> dict[str, Posterior]:
    """Return fits by name; of a list of them by law, of a mixture its parts.

    Raises
    ------
    TypeError
        For anything that is no several fits.
    ValueError
        If there are none, or two of a list are of one law.
    """
    if isinstance(given, Mixture):
        return dict(given.parts)
    if isinstance(given, list | tuple):
        names = [str(a_fit(one, mixtures=False).law) for one in given]
        if len(set(names)) < len(names):
            raise ValueError(f"two of {', '.join(names)} are alike: name them, {NAMED}")
        given = dict(zip(names, given, strict=True))
    if not isinstance(given, Mapping):
        what = "one fit" if isinstance(given, Posterior) else type(given).__name__
        raise TypeError(f"this is asked of several fits, {NAMED} or a list, not of {what}")
    if not given:
        raise ValueError(f"there are no fits: give one or more, {NAMED}")
    return {name: a_fit(one, mixtures=False) for name, one in given.items()}


def _differs(one: Posterior, other: Posterior) -> str:
    """Return in what the runs of two fits differ; an empty text where they are the same."""
    if one.law.improves != other.law.improves:
        return f"its {one.law.response} gets better {one.law.improves}, not {other.law.improves}"
    mine, theirs = one.data, other.data
    shared = [name for name in mine.responses if name in theirs.responses]
    if not shared:
        return f"it is of {', '.join(mine.responses)}, not of {', '.join(theirs.responses)}"
    if len(mine) != len(theirs):
        return f"it has {len(mine)} rows, not {len(theirs)}"
    if len(mine.inputs) != len(theirs.inputs):
        return f"it is of the scales {', '.join(mine.inputs)}, not {', '.join(theirs.inputs)}"
    roles = [*zip(mine.inputs, theirs.inputs, strict=True), *((name, name) for name in shared)]
    roles += [("n", "n")] * (mine.n is not None and theirs.n is not None)
    for role, beside in roles:
        values, others = mine.roles()[role], theirs.roles()[beside]
        apart = ~((values == others) | (np.isnan(values) & np.isnan(others)))
        for row in np.flatnonzero(apart)[:1]:
            column, there = mine.columns[role], theirs.columns[beside]
            said = f"row {mine.rows[row]} has {values[row]:.6g} as {column}, not {others[row]:.6g}"
            return said + f" as {there}" * (there != column)
    if not np.array_equal(mine.below, theirs.below):
        return "its detection limits are others"
    return ""


def said_of_fits(which: Posterior | Mixture) -> list[Note]:
    """Return what must be said of the fits behind an answer: the failed ones, and the weights."""
    parts, notes = which.members, []
    for name, weight, one in parts:
        (verdict,) = one.health.verdicts
        whose = f"{name}: " * (len(parts) > 1)
        if weight < SLIGHT or verdict.sound:
            continue
        if verdict.settled and verdict.fit.sound:
            text = f"{whose}settled, with divergences or few draws: {'; '.join(verdict.problems)}"
        else:
            text = f"NOT TO BE TRUSTED: {whose}{'; '.join(verdict.problems)}"
        notes.append(Note("health", text))
    said = [note for *_, one in parts for note in _said_of(one)]
    notes += dict.fromkeys(said)
    heaviest = max(parts, key=lambda part: part[1])[2]
    notes += heaviest.health.verdicts[0].fit.notes
    if isinstance(which, Mixture):
        shares = ", ".join(f"{weight:.2f} {name}" for name, weight, _ in parts)
        notes.append(Note("average", f"an average over laws: {shares}; weights: {which.why}"))
    return notes


def _said_of(one: Posterior) -> list[Note]:
    """Return of what the answers of one fit speak, and what its table says against them."""
    notes = [*concerning(one.data, "level"), *said_of_group(one)]
    if one.bends is not None:
        text = "beyond the data with a misfit of the law: slopes of its log odds are off by"
        notes.append(Note("misfit", f"{text} {one.bends.sd:g} an e-fold of scale"))
    return notes
