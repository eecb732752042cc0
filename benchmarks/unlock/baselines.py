"""Three forecasts of accuracy beyond the largest model fitted, to compare with.

`constant` says that nothing changes, `logistic` is the usual curve fitted by least squares, and
`slice_and_sandwich` is the published pipeline for emergent abilities. Each gives points, no
intervals: `accuracy(scale)`, and `unlock(level, horizon)` in the sense of `bayescale.threshold`:
log10 of the scale of the last crossing of the level, -inf where it is passed from the smallest
fitted scale on, inf where it is not passed at the horizon. Scales are in the unit of the fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.polynomial import Polynomial
from scipy.optimize import least_squares
from scipy.special import expit

from bayescale.questions.threshold import PER_DECADE

OVERTRAINED = (
    "microsoft/phi-1_5",
    "microsoft/phi-2",
    "Qwen/Qwen1.5-0.5B",
    "Qwen/Qwen1.5-1.8B",
    "Qwen/Qwen1.5-4B",
    "stabilityai/stablelm-2-1_6b",
)
"""Small models that Wu & Lo leave out before fitting and scoring, as the tables name them.

Their code also leaves out meta-llama/Meta-Llama-3-8B, of which it holds no accuracies.
"""
EASY_DEGREE, HARD_DEGREE = 5, 2
"""Degrees of Slice-and-Sandwich's two polynomials."""


@dataclass(frozen=True)
class Constant:
    """One accuracy for every scale."""

    mean: float

    def accuracy(self, scale) -> np.ndarray:
        """Return the accuracy at the scales."""
        return np.full(np.shape(scale), self.mean)

    def unlock(self, level: float, horizon: float) -> float:
        """Return -inf if the level is passed, inf if not."""
        return -np.inf if self.mean >= level else np.inf


@dataclass(frozen=True)
class Logistic:
    """g + (1 - g) / (1 + exp(-(a + b t))), t = ln scale - ln centre."""

    g: float
    a: float
    b: float
    centre: float
    smallest: float
    """The smallest scale fitted."""

    def accuracy(self, scale) -> np.ndarray:
        """Return the accuracy at the scales."""
        t = np.log(np.asarray(scale, float) / self.centre)
        return self.g + (1 - self.g) * expit(self.a + self.b * t)

    def unlock(self, level: float, horizon: float) -> float:
        """Return log10 of the scale at which the level is passed."""
        return _last_crossing(self.accuracy, self.smallest, level, horizon)


@dataclass(frozen=True, eq=False)
class Sandwich:
    """acc(x) = mean acc + (s(x) - mean s) / k, within 0 and 1, x = log10 scale.

    With s = -(1 - p)^2 the negative Brier score of the right answer, p renormalised over the
    choices, by least squares over the models fitted::

        s_easy(x)  polynomial of degree 5, easiest third of the questions
        s_hard(x)  polynomial of degree 2, hardest third
        s(x)       = (s_easy + s_hard) / 2; the middle third is not used
        s          = i + k acc
        acc(x)     = (s(x) - i) / k + c, c such that its mean over the models is that of acc
    """

    easy: Polynomial
    """Negative Brier score of the easiest third, in log10 scale."""
    hard: Polynomial
    """The same of the hardest third."""
    slope: float
    """Negative Brier score gained per unit of accuracy."""
    mean_accuracy: float
    mean_score: float
    """Mean of (easy + hard) / 2 over the models fitted."""
    smallest: float
    """The smallest scale fitted."""

    def unclipped(self, scale) -> np.ndarray:
        """Return the published prediction, which may leave 0 to 1."""
        x = np.log10(np.asarray(scale, float))
        score = (self.easy(x) + self.hard(x)) / 2
        return self.mean_accuracy + (score - self.mean_score) / self.slope

    def accuracy(self, scale) -> np.ndarray:
        """Return the accuracy at the scales."""
        return np.clip(self.unclipped(scale), 0, 1)

    def unlock(self, level: float, horizon: float) -> float:
        """Return log10 of the scale from which the level stays passed, up to the horizon."""
        return _last_crossing(self.accuracy, self.smallest, level, horizon)


def constant(scale, acc) -> Constant:
    """Return the mean accuracy of the models in the upper half of log scale.

    The upper half begins midway between the logs of the smallest and the largest scale, that is
    at their geometric mean; it may hold more or fewer than half of the models.
    """
    x, y = _finite(scale, acc)
    middle = (np.log(x.min()) + np.log(x.max())) / 2
    return Constant(float(y[np.log(x) >= middle].mean()))


def logistic(scale, acc, chance: float) -> Logistic:
    """Fit g + (1 - g) / (1 + (scale/x50)^-b) by least squares, g = chance, 0 <= b <= 20.

    Written as a + b t with t from the mean log scale, so that a flat or falling curve is the
    bound b = 0 and not an x50 at infinity. The best of 16 starts is kept. (Wu & Lo's own sigmoid
    differs: a line through logit(acc - chance), whose ceiling is 1 + chance.)
    """
    x, y = _finite(scale, acc)
    centre = float(np.exp(np.log(x).mean()))
    t = np.log(x / centre)

    def residuals(p):
        return chance + (1 - chance) * expit(p[0] + p[1] * t) - y

    starts = [(a, b) for a in (-6, -3, -1, 1) for b in (0.1, 0.5, 1.5, 4)]
    found = [least_squares(residuals, p, bounds=([-30, 0], [30, 20])) for p in starts]
    best = min(found, key=lambda f: f.cost)
    return Logistic(float(chance), *map(float, best.x), centre, float(x.min()))


def slice_and_sandwich(
    task_overall: pd.DataFrame, task_groups: pd.DataFrame, below: float
) -> Sandwich:
    """Fit easy and hard questions apart, average them, map the average to accuracy: `Sandwich`.

    Parameters
    ----------
    task_overall, task_groups
        One task's rows of `expemergence_overall.csv` and `expemergence_difficulty_groups.csv`,
        joined on task and model. Dropping `OVERTRAINED` is left to the caller; models without
        compute are left out.
    below
        Models of less compute are fitted. In 1e21 FLOP, as `flops_1e21` and the result's scales.

    Raises
    ------
    ValueError
        If there is more than one task, or too few scales for the polynomial of degree 5.

    Notes
    -----
    The steps follow Wu & Lo, ICLR 2025 (arXiv 2410.01692); degrees, thirds and c follow their
    code (github.com/tony10101105/ExpEmergence: fit_cluster.py, utils.py), with its option "hard
    lift" off, as there by default. Two choices are made here. The tables hold ten groups, not
    three: a third is three groups and a third of the next, whose mean stands for that part.
    Accuracies are clipped to 0 and 1; there that is an option, and only at 1: see `unclipped`.
    Difficulty was ranked on models below the published threshold, so a lower `below` sees them.
    """
    frame = _thirds(task_overall, task_groups)
    frame = frame[frame.flops_1e21 < below]
    x, acc = np.log10(frame.flops_1e21.to_numpy()), frame.acc.to_numpy()
    if len(np.unique(x)) <= EASY_DEGREE:
        raise ValueError(
            f"a polynomial of degree {EASY_DEGREE} needs more than {EASY_DEGREE} scales below "
            f"{below:.4g}, not {len(np.unique(x))}"
        )
    easy = Polynomial.fit(x, -frame.easy.to_numpy(), EASY_DEGREE)
    hard = Polynomial.fit(x, -frame.hard.to_numpy(), HARD_DEGREE)
    slope = np.polyfit(acc, -frame.brier.to_numpy(), 1)[0]
    # The intercept i cancels against the constant c.
    score = (easy(x) + hard(x)) / 2
    return Sandwich(
        easy, hard, float(slope), float(acc.mean()), float(score.mean()), float(10 ** x.min())
    )


def _thirds(overall: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Return the models with the Brier scores of the easiest and of the hardest third."""
    tasks = set(overall.task) | set(groups.task)
    if len(tasks) != 1:
        raise ValueError(f"one task at a time, not {', '.join(sorted(tasks))}")
    overall = overall.dropna(subset=["flops_1e21", "acc", "brier"])
    groups = groups[groups.metric == "brier"].dropna(subset=["flops_1e21", "value"])
    _, low, high, n = np.floor(np.linspace(0, groups.q_to.max(), 4))
    parts = {"easy": (0, low), "hard": (high, n)}
    for part, (start, end) in parts.items():
        inside = np.minimum(groups.q_to, end) - np.maximum(groups.q_from, start)
        groups = groups.assign(**{part: groups.value * inside.clip(lower=0) / (end - start)})
    sums = groups.groupby(["task", "model"])[list(parts)].sum().reset_index()
    return overall.merge(sums, on=["task", "model"], validate="one_to_one")


def _finite(scale, acc) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that have both."""
    x, y = np.asarray(scale, float), np.asarray(acc, float)
    keep = np.isfinite(x) & np.isfinite(y)
    if not keep.any():
        raise ValueError(f"none of the {len(x)} rows has both a scale and an accuracy")
    return x[keep], y[keep]


def _last_crossing(curve: Callable, smallest: float, level: float, horizon: float) -> float:
    """Return log10 of the scale from which the curve stays at or above the level."""
    start, end = np.log10(smallest), np.log10(horizon)
    if end <= start:
        raise ValueError(f"the horizon {horizon:.4g} is not above the smallest run {smallest:.4g}")
    x = np.linspace(start, end, max(200, int(np.ceil(PER_DECADE * (end - start)))) + 1)
    over = curve(10**x) - level
    short = np.flatnonzero(over < 0)
    if not len(short):
        return -np.inf
    i = short[-1]
    if i == len(x) - 1:
        return np.inf
    return float(x[i] + (x[i + 1] - x[i]) * over[i] / (over[i] - over[i + 1]))
