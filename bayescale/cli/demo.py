"""demo: two forecasts from small runs, held against what the large ones measured.

The macro loss of Marin's runs at 1e21 and 1e23 FLOP, from the best of six budgets up to 3e20; no
law is chosen. And GPT-3's two-digit addition, forecast from the small models.

The models up to 6.7B are fitted, in each of three prompt settings on its own. Asked are the size
at which half of the problems are solved, and what 13B and 175B will score; then it is shown what
they did score (Brown et al. 2020, arXiv 2005.14165, Table H.1). The law's priors are those that
it has everywhere: none was chosen on this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from .. import datasets, plot
from ..data.dataset import Dataset
from ..data.from_frame import from_frame
from ..inference.fit import fit
from ..inference.samplers import NUTS
from ..plot.style import style
from ..posterior.display import MASS, Sheet, count, number, share, span
from ..posterior.posterior import Posterior
from ..progress import Progress
from ..questions.predict import Prediction, predict
from ..questions.shown import when
from ..questions.threshold import Threshold, threshold
from ..questions.unlock import Unlock
from ..workflows.forecast import Forecast, forecast
from .printed import pictures
from .printed.as_text import verdict
from .printed.layout import Drawn

__all__ = ["Story", "draw", "logistic_half", "measured_half", "report", "run"]

BUDGETS = (1e18, 3e18, 1e19, 3e19, 1e20, 3e20)
LOSSES = (3.522, 3.339, 3.154, 3.000, 2.848, 2.725)
LATER = {1e21: 2.599, 1e23: 2.234}
"""Marin's mixture-of-experts models: the least macro loss at each budget, and what runs made after
these were published measured (marin-community/marin, issues 4447 and 4697, 2026)."""
LARGEST_SEEN = 7e9
LEVEL = 0.5
LARGE = {"GPT-3 13B": 13e9, "GPT-3 175B": 175e9}
# Six accuracies beside a floor leave a funnel in k and x50, which takes small steps.
SAMPLER = NUTS(target_accept=0.99)


@dataclass(frozen=True, eq=False)
class Story:
    """What was fitted, forecast and found."""

    losses: Forecast
    """Of Marin's runs."""
    posterior: Posterior
    large: Dataset
    """The runs that the fit has not seen."""
    half: Mapping[str, Threshold]
    """When half is solved, by prompt setting."""
    scores: Prediction
    """Scores of the large models, by prompt setting."""
    logistic: Mapping[str, float]
    """Half-way size of a plain logistic regression on log N, fitted to the same models."""
    measured: Mapping[str, float]
    """Half-way size between the two measured models on either side, straight in log N."""


def run(seed: int = 0, progress: Progress = True) -> Story:
    """Fit the small models and forecast the large ones."""
    frame = datasets.load("gpt3_addition")
    facts = dict(x="params", y="accuracy", n="n", curve="setting", input_names=["x"])
    facts["source"] = "gpt3_addition"
    seen = from_frame(frame, **facts, where=f"params < {LARGEST_SEEN:.0f}")
    large = from_frame(frame, **facts, where=f"params > {LARGEST_SEEN:.0f}")
    posterior = fit("sigmoid", seen, sampler=SAMPLER, seed=seed, progress=progress)
    at = {"x": [*LARGE.values()]}
    runs = {
        name: (group.params.to_numpy(), group.accuracy.to_numpy())
        for name, group in frame.groupby("setting", sort=False)
    }
    small = {name: (N[N < LARGEST_SEEN], y[N < LARGEST_SEEN]) for name, (N, y) in runs.items()}
    runs_of = {"flops": BUDGETS, "loss": LOSSES}
    losses = forecast(runs_of, {"flops": [*LATER]}, y="loss", seed=seed, progress=progress)
    return Story(
        losses=losses,
        posterior=posterior,
        large=large,
        half=threshold(posterior, LEVEL, allow_failed=True),
        scores=predict(posterior, at, n=2000, seed=seed, allow_failed=True),
        logistic={name: logistic_half(*points) for name, points in small.items()},
        measured={name: measured_half(*points) for name, points in runs.items()},
    )


def logistic_half(params: np.ndarray, accuracy: np.ndarray) -> float:
    """Return where a logistic regression of accuracy on log N passes one half.

    Maximum likelihood by iteratively reweighted least squares; equal n for all models.
    """
    x, y = np.log(params), accuracy
    design = np.stack([np.ones_like(x), x - x.mean()], 1)
    beta = np.array([np.log(y.mean() / (1 - y.mean())), 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        weighted = design * (p * (1 - p))[:, None]
        beta = beta + np.linalg.solve(weighted.T @ design, design.T @ (y - p))
    return float(np.exp(x.mean() - beta[0] / beta[1]))


def measured_half(params: np.ndarray, accuracy: np.ndarray) -> float:
    """Return where the line between neighbouring models passes one half."""
    x, y = np.log(params), accuracy
    last = np.flatnonzero(y < LEVEL)[-1]
    return float(np.exp(np.interp(LEVEL, y[last : last + 2], x[last : last + 2])))


# ------------------------------------------------------------------ shown


def draw(path: str, story: Story) -> None:
    """Draw the fitted curves with the runs they have not seen, and when half is solved."""
    posterior, settings = story.posterior, story.posterior.curves
    figure, axes = pictures.panels(len(settings), 3.2, 4.0, across=True)
    with style():
        for ax, name in zip(axes, settings, strict=True):
            one = posterior.curve(name)
            unseen = story.large.take(story.large.curve == name)
            plot.curve(one, ax=ax, held_out=unseen, level=LEVEL)
            ax.set_title(name, loc="left")
            if ax is not axes[0]:
                ax.get_legend().remove()
                ax.set_ylabel("")
    pictures.keep(figure, path)


def report(story: Story) -> RenderableType:
    """Return the tables, and what they can and cannot say."""
    settings = story.posterior.curves
    head = "GPT-3 on two-digit addition: fitted to the six models up to 6.7B"
    parts = [Text(LOSSES_OF, "bold"), Text(""), _losses(story), Text("")]
    parts += [Text(head, "bold"), Text(""), _halves(story), Text(""), _scores(story), Text("")]
    parts += [Text(f"{line}\n") for line in _lesson(story, settings[-1])]
    return Group(*parts, verdict(story.posterior))


LOSSES_OF = "Marin's loss at 1e21 and 1e23 FLOP, from the best of six budgets up to 3e20"


def _losses(story: Story) -> RenderableType:
    """Return the table of the losses that were forecast, and measured later."""
    rows = []
    for flops, *ends in zip(LATER, *story.losses.quantiles("new"), strict=True):
        lo, median, hi = ends
        inside = "inside" if lo <= LATER[flops] <= hi else "OUTSIDE"
        rows.append([count(flops), number(median), span(lo, hi), number(LATER[flops]), inside])
    columns = ("loss at", "forecast", f"{MASS} interval", "measured later", "")
    return Drawn(Sheet(columns, rows))


def _halves(story: Story) -> RenderableType:
    """Return the table of the sizes at which half is solved."""
    rows = []
    for name, found in story.half.items():
        points = [count(known[name]) for known in (story.logistic, story.measured)]
        rows.append([name, *_when(found.forecast), *points])
        if found.wider:
            rows.append(["  wider prior", *_when(found.wider), "", ""])
    never = f"P(not by\n{count(next(iter(story.half.values())).horizon)})"
    columns = ("half solved at", "median", f"{MASS} interval", never, "logistic", "measured")
    return Drawn(Sheet(columns, rows))


def _when(case: Unlock) -> list[str]:
    found = case.summary()
    return [when(found), _interval(case), share(found["p_never"])]


def _interval(case: Unlock) -> str:
    return " .. ".join(when(case.summary(), end) for end in ("lo", "hi"))


def _scores(story: Story) -> RenderableType:
    """Return the table of what the large models were forecast to score, and did."""
    rows = []
    for name, model, lo, median, hi, truth in _outcomes(story):
        inside = "inside" if lo <= truth <= hi else "OUTSIDE"
        cells = [share(median), span(lo, hi, share), share(truth), inside]
        rows.append([name, model, *cells])
    columns = ("score", "model", "forecast", f"{MASS} interval", "scored", "")
    return Drawn(Sheet(columns, rows, left=2))


def _outcomes(story: Story) -> list[tuple]:
    """Return (setting, model, lo, median, hi, scored) of each forecast score."""
    quantiles = story.scores.quantiles("new")
    found = []
    for i, name in enumerate(story.posterior.curves):
        truth = story.large.responses["y"][story.large.curve == name]
        found += [(name, model, *quantiles[:, i, j], truth[j]) for j, model in enumerate(LARGE)]
    return found


def _lesson(story: Story, name: str) -> list[str]:
    """Return what the forecast can and cannot know, in the figures of this run."""
    found, best = story.half[name], story.posterior.curve(name).data.responses["y"].max()
    at = {key: np.log10(value) for key, value in story.measured.items()}
    halves = [case.forecast.lo <= at[key] <= case.forecast.hi for key, case in story.half.items()]
    sooner = sum(at[key] < case.forecast.lo for key, case in story.half.items())
    scores = [lo <= truth <= hi for *_, lo, _, hi, truth in _outcomes(story)]
    wide = found.wider or found.forecast
    return [
        f"How it went: {sum(halves)} of {len(halves)} half-way points and {sum(scores)} of "
        f"{len(scores)} scores lie in their {MASS} intervals; {sooner} came sooner than forecast. "
        "The law is only approximately right, and intervals of one law do not know it; and of "
        "tasks picked since they did unlock more than should come sooner than was told.",
        f"A plain logistic regression in log N on {name} says {count(story.logistic[name])} and "
        f"knows no doubt; it was near {count(story.measured[name])}.",
        f"What can be known from models near the floor (at most {best:.3g} on {name}): the floor, "
        "and whether a rise has begun. What cannot: how steep it gets and where it ends. On that "
        "the forecast is the prior, the same for every task and not chosen on this table: within "
        "a decade or so of the largest model seen, with heavy tails.",
        f"Under a prior twice as wide the {MASS} interval on {name} goes from "
        f"{_interval(found.forecast)} to {_interval(wide)}, and P(not by {count(found.horizon)}) "
        f"from {found.forecast.p_never:.2f} to {wide.p_never:.2f}: where the two rows differ, the "
        "prior speaks and not the data.",
    ]
