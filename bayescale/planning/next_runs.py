"""next_runs: which of the runs that can be made tell most, per cost, of what one wants to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.notes import concerning
from ..messages import Note, refuse
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, levels, plain
from ..posterior.mixture import Mixture
from ..posterior.posterior import Posterior, said_of_group
from ..questions.predict import Prediction, predict
from ..recipes.multiplier import Multiplier
from . import shown
from .asked import asked_of, at_its_word
from .candidates import Candidates, check_means, check_written, read_candidates, tied
from .design import Beliefs, Choice, choose, left_by_all, tamed
from .factors import factor_goals
from .goals import (
    Goal,
    check_finite,
    goals,
    in_logs,
    or_fit_again,
    several_points,
    together,
)

if TYPE_CHECKING:
    import pandas

__all__ = ["NextRuns", "next_runs"]

MOST = 5
"""Runs that are told of where there is no budget."""
LITTLE = 0.7
"""Share of a width that all candidates together leave, from which on they tell little of it."""
MIDDLE = 0.683
"""Mass within a standard deviation of a normal: by it the noise is measured, whose far tails do
not make a run tell less."""


@dataclass(frozen=True, eq=False, repr=False)
class NextRuns(Shown):
    """The runs to make, the first one first, and what they would leave of the uncertainty."""

    goals: tuple[Goal, ...]
    """What is wanted, for every draw."""
    candidates: Candidates
    """The runs that can be made."""
    choices: tuple[Choice, ...]
    """Those that are chosen, in order, each with the variance that is left of each goal."""
    alone: np.ndarray
    """The share of the goals' variance that each candidate alone would take away, (candidate,)."""
    all_made: np.ndarray
    """The share of each goal's width that would be left by all candidates, (goal,)."""
    budget: float | None
    notes: tuple[Note, ...]
    """What should be said with the answer."""

    @property
    def positions(self) -> list[int]:
        """Positions among the candidates of the runs to make, from 0."""
        return [each.candidate for each in self.choices]

    @property
    def spent(self) -> float:
        """What the runs cost together."""
        return float(self.candidates.cost[self.positions].sum())

    def left(self) -> np.ndarray:
        """Return the share of each goal's width that is left after each run, (run, goal)."""
        before = np.array([goal.draws.var(0).sum() for goal in self.goals])
        after = np.array([each.variances for each in self.choices]).reshape(-1, len(before))
        return np.sqrt(after / before)

    def interval(self, goal: int, runs: int | None = None, mass: float = INTERVAL) -> np.ndarray:
        """Return lo, median and hi that are expected of a goal after so many runs, all by default.

        About the present median: where it will come to lie only the runs can tell.
        """
        one, left = self.goals[goal], self.left()[:runs, goal]
        ends = np.quantile(one.draws[:, 0], levels(mass))
        return one.natural(ends[1] + (left[-1] if len(left) else 1.0) * (ends - ends[1]))

    def _told(self, i: int, runs: int | None) -> dict[str, float | None]:
        """Return the interval and its width; of laws the probability that two draws differ."""
        goal = self.goals[i]
        if goal.draws.shape[1] > 1:
            left = self.left()[:runs, i]
            width = goal.draws.var(0).sum() * (left[-1] ** 2 if len(left) else 1.0)
            return {"lo": None, "median": None, "hi": None, "width": float(width)}
        lo, median, hi = self.interval(i, runs).tolist()
        return {"lo": lo, "median": median, "hi": hi, "width": hi - lo}

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `targets` by name, `runs` in order, what is spent."""
        targets, left = {}, self.left()
        for i, goal in enumerate(self.goals):
            targets[goal.name] = {
                "before": self._told(i, 0),
                "after": self._told(i, None),
                "left": left[-1, i] if len(left) else 1.0,
                "left_by_all": self.all_made[i],
            }
        runs, total = [], 0.0
        for place, share in zip(self.positions, left, strict=True):
            cost = float(self.candidates.cost[place])
            total += cost
            run = {"row": int(self.candidates.rows[place]), "at": self.candidates.at(place)}
            run |= self.candidates.labelled(place)
            widths = {goal.name: w for goal, w in zip(self.goals, share, strict=True)}
            runs.append(run | {"cost": cost, "total": total, "left": widths})
        found = {"targets": targets, "runs": runs, "candidates": len(self.candidates)}
        found |= {"cost": self.candidates.counted, "budget": self.budget, "spent": self.spent}
        return plain(found | {"notes": self.notes})

    def sheets(self) -> list[Sheet]:
        """Return what is wanted, before and after, and the runs in their order."""
        return shown.next_runs(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return one row a candidate: scales, cost, what it tells alone, its place in the order.

        `place` counts from 1; 0 stands for runs that are not chosen.
        """
        import pandas as pd

        candidates, place = self.candidates, np.zeros(len(self.candidates), int)
        place[self.positions] = np.arange(1, len(self.choices) + 1)
        columns = {candidates.columns[name]: x for name, x in candidates.told().items()}
        told = {"cost": candidates.cost, "alone": self.alone, "place": place}
        return pd.DataFrame(columns | told, index=pd.Index(candidates.rows, name="row"))


def next_runs(
    fit_or_forecast: Any,
    candidates: Any,
    *,
    target: Any,
    cost: Any = None,
    budget: float | None = None,
    most: int | None = None,
    n: float | None = None,
    stderr: float | None = None,
    seed: int = 0,
    source: str = "candidates",
    allow_failed: bool = False,
) -> NextRuns:
    """Return which runs to make next, and how far they would narrow what one wants to know.

    Parameters
    ----------
    fit_or_forecast
        A fit of one curve, a mixture of several laws, a `forecast`, a `multiplier`, or, before any
        run is made, a `prior_predictive`.
    candidates
        The runs that can be made, each at most once: any data frame, or a mapping of columns, with
        the scales as the fitted table or the law calls them; of a multiplier with the recipe too.
    target
        What is wanted, one or several: scales (`{"N": 7e10, "D": 1.4e12}`, "N=7e10,D=1.4e12";
        arrays are several points), a parameter ("alpha"), "unlock", the best split of a budget
        ("N at 1e21"), or which "law" of several is right. Of a multiplier: the factor of a recipe
        at a scale ("B at 1e21", `{"B": 1e21}`), "unlock of B", or "law", what recipes have in
        common; None for its main answers. Several count alike.
    cost
        What a run costs: arithmetic on the candidates' columns and the law's inputs ("6*N*D", a
        column), a function of the inputs, or numbers, one a row; 6 N D by default.
    budget
        What all may cost together, in the unit of the cost. Without one the runs are told that tell
        most per cost, one after another.
    most
        How many runs at most; 5 without a budget.
    n, stderr
        Questions of a new accuracy, and a new run's standard error, as in `predict`.
    seed
        Decides the draws by which a new run's noise is measured.
    source
        What messages call the candidates.

    Returns
    -------
    NextRuns
        The runs in order, the intervals before and after, and what each candidate tells alone.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed` (a forecast and a multiplier are
        asked as they are).
    DataError
        Where candidates lack a scale, or a cost is not above 0.
    ValueError
        For an unknown target, a budget below the cheapest run, or a fit without a spread.

    Notes
    -----
    With g the target and y what a run would measure, as draws of the posterior have both,

        Var(g | y) = Var g - Cov(g, y)^2 / (Var y + s^2)

    is expected of each run, s being the noise of a single one; further runs are chosen beside it.
    Responses above 0 and parameters of one sign are taken as logs. It is exact where g and y are
    jointly normal; once a run is made, fit again and ask again. benchmarks/results/next_runs.md
    compares it with refits.

    Examples
    --------
    >>> runs = {"N": [1e8, 1e9, 1e10], "D": [2e10, 2e11, 2e11]}
    >>> plan = bs.next_runs(chinchilla_fit, runs, target={"N": 7e10, "D": 1.4e12}, budget=2e22)
    >>> plan.spent <= 2e22, bool(plan.left()[-1, 0] < 1)
    (True, True)
    """
    told_of = fit_or_forecast if isinstance(fit_or_forecast, Multiplier) else None
    check_written(target if told_of is None else (), budget, most)
    which = asked_of(fit_or_forecast, allow_failed)
    first = which.members[0][2]
    labels = {} if told_of is None else {"recipe": told_of.recipes}
    runs = read_candidates(candidates, first.data, cost, source, labels)
    check_means(runs, budget)
    counted = cost if isinstance(cost, str) or callable(cost) else None
    wanted = goals(which, target, counted) if told_of is None else factor_goals(told_of, target)
    check_finite(wanted, which)
    draws, noise, told = _measured(which, runs, dict(n=n, stderr=stderr, seed=seed))
    of = np.repeat(np.arange(len(wanted)), [goal.draws.shape[1] for goal in wanted])
    for i in np.flatnonzero(~(np.isfinite(draws).all(0) & np.isfinite(noise) & (noise > 0)))[:1]:
        row = int(runs.rows[i])
        remedy = or_fit_again("leave it out", which)
        refuse(source, "the fit tells no finite measurement there", remedy, row=row)
    beliefs = Beliefs(np.concatenate([g.draws for g in wanted], 1), of, draws, noise)
    before = beliefs.by_goal(beliefs.goals.var(0))
    most = MOST if most is None and budget is None else most
    choices = choose(beliefs, runs.cost, budget, most)
    all_made = np.sqrt(left_by_all(beliefs) / before)
    notes = [*_notes(first, runs, wanted, choices, all_made, budget, most), *told]
    if told_of is None and any(goal.at is not None for goal in wanted):
        notes += at_its_word(which)
    return NextRuns(
        goals=tuple(wanted),
        candidates=runs,
        choices=tuple(choices),
        alone=beliefs.alone(),
        all_made=all_made,
        budget=budget,
        notes=tuple(dict.fromkeys(notes)),
    )


def _measured(
    which: Posterior | Mixture, runs: Candidates, how: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, list[Note]]:
    """Return what the law says of each candidate, (draw, candidate), and a run's variance."""
    logs, found = which.law.support == "positive", []

    def own(_: str, one: Posterior) -> np.ndarray:
        told: Prediction = predict(one, runs.inputs, allow_failed=True, **how)
        found.extend(note for note in told.notes if note.kind in ("stderr", "questions"))
        pair = np.stack([told.mean, told.new], 1)
        return in_logs(pair) if logs else pair

    draws = together(which, own)
    mean, new = draws[:, 0], draws[:, 1]
    about = np.where(np.isfinite(mean), new, 0.0) - np.where(np.isfinite(mean), mean, 0.0)
    lo, hi = np.quantile(about, levels(MIDDLE)[::2], axis=0)
    return tamed(mean), np.square((hi - lo) / 2), found


def _notes(
    first: Posterior,
    runs: Candidates,
    wanted: Sequence[Goal],
    choices: Sequence[Choice],
    all_made: np.ndarray,
    budget: float | None,
    most: int | None,
) -> Iterable[Note]:
    asked = several_points(wanted)
    free = [goal.name for goal in wanted if goal.at is None]
    asked = {first.name_of(name): x for name, x in asked.items()}
    if not runs.labels and (line := tied(first.data, runs.inputs, {} if free else asked)):
        what = ", ".join(free or [goal.name for goal in wanted])
        text = f"in the runs and in all candidates {line.rstrip('.')}: they cannot identify {what}"
        yield Note("line", text)
    for goal, left in zip(wanted, all_made, strict=True):
        if left > LITTLE:
            text = f"all {len(runs)} candidates together would leave {left:.0%} of the width of "
            yield Note("little", f"{text}{goal.name}: add others, nearer to it or unlike the runs")
    if not choices:
        text = "no candidate tells more than draws of a finite number show by chance"
        yield Note("none", text)
    elif budget is not None and (most is None or len(choices) < most):
        rest = budget - sum(runs.cost[each.candidate] for each in choices)
        chosen = {each.candidate for each in choices}
        left = sum(i not in chosen and cost <= rest for i, cost in enumerate(runs.cost))
        if left:
            text = f"{rest:.3g} of the budget is left: {left} candidates that it would buy add "
            yield Note("rest", f"{text}nothing beyond chance to those that are chosen")
    yield from concerning(first.data)
    yield from said_of_group(first)
