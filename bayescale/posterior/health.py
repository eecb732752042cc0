"""health: whether a fit is to be trusted, what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..misfit.misfit import Finding, Misfit
from .intervals import plain

__all__ = ["ESS", "RHAT", "ROUGH", "FailedFit", "Health", "Verdict", "pareto"]

RHAT = 1.01
"""Largest rank-normalised split R-hat (Vehtari et al. 2021, arXiv 1903.08008)."""
ESS = 400.0
"""Smallest bulk and tail effective sample size, over all chains."""
ROUGH = 0.7
"""Pareto k above which importance weights tell nothing (Vehtari et al. 2024, arXiv 1507.02646)."""


def pareto(log_weights: np.ndarray) -> tuple[Any, Any]:
    """Return smoothed log importance weights, along the last axis, and the Pareto k of their tail.

    Vehtari et al. 2024 (arXiv 1507.02646). A tail without end is told by its k, not by a warning.
    """
    from arviz_stats.base.array import array_stats

    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        smoothed, k_hat = array_stats.psislw(-log_weights)  # which takes negatives
    return smoothed, k_hat


class FailedFit(RuntimeError):
    """A question was put to a fit that is not to be trusted.

    Parameters
    ----------
    problems
        What is wrong, a line each.
    advice
        What to do about it, a sentence each, the likeliest remedy first.
    askable
        Whether the question can be put all the same, with `allow_failed`.
    """

    def __init__(
        self, problems: tuple[str, ...], advice: tuple[str, ...] = (), askable: bool = True
    ):
        super().__init__(problems, advice, askable)
        self.problems, self.advice, self.askable = problems, advice, askable

    def said(self, how: str) -> str:
        """Return all of it in one line, `how` being how to ask all the same."""
        found = [f"this fit is not to be trusted: {'; '.join(self.problems)}.", *self.advice]
        return " ".join([*found, f"To ask all the same, {how}."] if self.askable else found)

    def __str__(self) -> str:
        return self.said("pass allow_failed=True")


@dataclass(frozen=True)
class Verdict:
    """The health of one curve's fit: of its draws, and of its law beside the data."""

    rhat: Mapping[str, float]
    """Rank-normalised split R-hat of every free quantity (arXiv 1903.08008)."""
    ess: Mapping[str, float]
    """The smaller of bulk and tail effective sample size of every free quantity."""
    prediction_rhat: float
    """The largest R-hat of the mean curve over the data and ten times beyond."""
    prediction_ess: float
    divergent: float
    """Share of divergent draws."""
    unidentified: tuple[str, ...] = ()
    """Parameters whose posterior sd is more than half their prior sd: the data say little."""
    sampling: Finding = field(default_factory=Finding)
    """What is wrong with the draws: are they of the posterior?"""
    fit: Misfit = field(default_factory=Misfit)
    """What is wrong with the posterior: do the data contradict its law?"""

    @property
    def sound(self) -> bool:
        """Whether draws, parameters and predictions all pass, and the data allow the law."""
        return self.sampling.sound and self.fit.sound

    @property
    def settled(self) -> bool:
        """Whether the predicted curve is known, whatever else is wrong with the draws."""
        if not (self.rhat or self.ess):  # not by chains: Laplace, MAP, or nothing drawn
            return self.sampling.sound
        return self.prediction_rhat <= RHAT and self.prediction_ess >= ESS

    @property
    def word(self) -> str:
        """The health in a word or three, for a table of several laws."""
        if self.sound:
            return "sound"
        if not self.settled:
            return "NOT TRUSTED"
        return "CONTRADICTED" if not self.fit.sound else "settled, diverging"

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, a line each; empty when sound."""
        return self.sampling.problems + self.fit.problems

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do about it, the likeliest remedy first."""
        return self.sampling.advice + self.fit.advice

    def summary(self) -> dict[str, Any]:
        """Return plain numbers and texts, fit for JSON."""
        whole = {name: getattr(self, name) for name in ("sound", "problems", "advice")}
        parts = {"sampling": self.sampling.summary(), "fit": self.fit.summary()}
        return plain(asdict(self) | whole | parts)

    def says_little_of(self, quantity: str) -> bool:
        """Return whether the data say little about a quantity; c2 is of the parameter c."""
        return quantity in self.unidentified or quantity.rstrip("0123456789") in self.unidentified


UNREACHED = Verdict(
    rhat={},
    ess={},
    prediction_rhat=float("nan"),
    prediction_ess=0.0,
    divergent=0.0,
    sampling=Finding(
        ("not sampled: the fit was interrupted before it came to this curve",),
        ("Run the fit again.",),
    ),
)
"""The verdict on a curve without draws."""


@dataclass(frozen=True)
class Health:
    """The verdicts of a fit, one a curve."""

    verdicts: tuple[Verdict, ...]

    @property
    def sound(self) -> bool:
        """Whether every curve's fit is sound."""
        return all(verdict.sound for verdict in self.verdicts)

    @property
    def failed(self) -> tuple[int, ...]:
        """Positions of the curves whose fit is not to be trusted."""
        return tuple(i for i, verdict in enumerate(self.verdicts) if not verdict.sound)

    def summary(self, curves: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return plain numbers: the one verdict, or of several curves which failed."""
        if not curves:
            return self.verdicts[0].summary()
        failed = [curves[i] for i in self.failed]
        return {"sound": not failed, "curves": len(curves), "failed": failed}

    def __str__(self) -> str:
        if len(self.verdicts) > 1:
            passed = len(self.verdicts) - len(self.failed)
            return f"{passed} of {len(self.verdicts)} curves sound"
        verdict = self.verdicts[0]
        if verdict.sound:
            weak = verdict.unidentified
            return "sound" + (f"; the data say little about {', '.join(weak)}" if weak else "")
        return "NOT TO BE TRUSTED: " + "; ".join(verdict.problems)
