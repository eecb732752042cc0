"""plans: what the command line asks of a fit or a table, checked whole before the first draw."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import datasets
from ..data.cells import date, measure
from ..data.dataset import Dataset
from ..data.formula import in_inputs
from ..inference.samplers import NUTS
from ..laws import get_law
from ..messages import bare, near
from ..parametric.parametric import Law
from ..parametric.priors import Distribution
from ..planning.allocate import allocate
from ..planning.budget import budget
from ..planning.candidates import check_means, check_written, read_candidates
from ..planning.compare_runs import compare_runs
from ..planning.factors import read_factors
from ..planning.match import match
from ..planning.next_runs import NextRuns, next_runs
from ..posterior.posterior import Posterior
from ..posterior.storage import load
from ..progress import Progress
from ..reading.read_table import read_table
from ..recipes.multiplier import Multiplier
from ..recipes.rows import as_rows, choices, levels_asked, recipe_names, response_of
from ..workflows import tasks as workflow
from ..workflows.default_laws import usual_law
from . import arguments, terminal

__all__ = [
    "Plan",
    "Tasks",
    "check_kind",
    "check_measured",
    "check_picture",
    "check_possible",
    "flops",
    "listed",
    "points",
]
__all__ += ["possible", "told", "told_of_runs", "written"]


def flops(
    given: float | None, words: str | None, flops_per_gpu: float | None, mfu: float | None
) -> float | None:
    """Return the compute budget, given as a number or in words; None where there is none.

    Raises
    ------
    ValueError
        If both are given, or the words are no budget.
    """
    if words is None:
        return given
    if given is not None:
        raise ValueError("--flops and --budget both name a budget; give one of them")
    return budget(words, flops_per_gpu=flops_per_gpu, mfu=mfu)


def points(texts: Iterable[str], data: Dataset) -> dict[str, np.ndarray]:
    """Return scales of a table at several points, one text a point.

    Raises
    ------
    ValueError
        Naming the flag and the text, or points of different scales.
    """
    only = next(iter(data.inputs)) if len(data.inputs) == 1 else None
    asked = [in_inputs(text, data.columns, data.inputs) for text in texts]
    given = [arguments.numbers([text], "--at", only) for text in asked]
    called = {bare(data.columns[name]): name for name in data.inputs}
    each = [{called.get(bare(k), k): value for k, value in one.items()} for one in given]
    if len({tuple(sorted(one)) for one in each}) > 1:
        raise ValueError("--at: every point names the same scales")
    return {name: np.array([one[name] for one in each]) for name in each[0]}


def written(texts: Iterable[str] | None, flag: str) -> None:
    """Refuse what can be no scale of any fit or table, before one is read; a ValueError."""
    for text in texts or ():
        if "=" in text:
            arguments.assignments([text], flag)
        elif not all(measure(part) is not None or date(part) for part in text.split(",")):
            raise ValueError(
                f"{flag}: {text!r} is no scale; write {flag} NAME=NUMBER, such as N=7e10"
            )


def check_measured(n: float | None, stderr: float | None) -> None:
    """Refuse questions and standard errors that no new run has; a ValueError."""
    if n is not None and not 1 <= n < np.inf:
        raise ValueError(f"n (-n) is a number of questions, 1 or more, got {n:g}")
    if stderr is not None and not 0 <= stderr < np.inf:
        raise ValueError(f"stderr (--stderr) is 0 or more, got {stderr:g}")


def check_kind(kind: str | None) -> None:
    """Refuse a kind of response that there is not; a ValueError."""
    if kind not in (None, "loss", "accuracy"):
        raise ValueError(f"--kind: is loss or accuracy, not {kind!r}")


def check_picture(plot: str | None, scales: Collection[str], response: str | None = None) -> None:
    """Refuse a picture of what is told along several scales, or not of the law's own response.

    Raises
    ------
    ValueError
        Saying what has a picture.
    """
    if plot and len(scales) > 1:
        raise ValueError(
            "--plot draws what is told along one scale, and this is told along "
            f"{', '.join(scales)}: leave --plot out"
        )
    if plot and response is not None:
        raise ValueError("--plot draws the law's own response: leave out --response or --plot")


def check_possible(table: str | None, how: Mapping[str, Any]) -> None:
    """Refuse what no plan of further runs can take, before a table is read.

    Raises
    ------
    ValueError
        If there are no candidates, and options ask for them, or for these options.
    """
    for name in ("target", "cost", "budget", "most"):
        if table is None and how[name] is not None:
            raise ValueError(f"--{name} is of further runs: give them, --candidates TABLE")
    check_written((), how["budget"], how["most"])


def possible(
    table: str | None, data: Dataset, of: Mapping[str, Any], how: Mapping[str, Any]
) -> Callable[[Multiplier], NextRuns] | None:
    """Return what says which of a table's runs tell most of a multiplier; None without a table.

    Parameters
    ----------
    of
        How `multiplier` is asked: `baseline`, `kind`, `level`, `common`.
    how
        How `next_runs` is.

    Raises
    ------
    ValueError
        If a target is none of this multiplier; a DataError where candidates are not of these
        recipes.
    """
    if table is None:
        return None
    response = response_of(data, of["kind"])
    names = recipe_names(data, of["baseline"], response)
    levels = any(levels_asked(data, names, of["level"], response).values())
    laws = len(choices(of["common"], len(names), len(data), response))
    read_factors(how["target"], names, levels, laws)
    frame, labels = read_table(table), {"recipe": names}
    runs = read_candidates(frame, as_rows(data, names), how["cost"], table, labels)
    check_means(runs, how["budget"])
    return lambda told: next_runs(told, frame, source=table, **how)


def listed(text: str | None, flag: str, such: str) -> tuple[float, ...] | None:
    """Return the numbers of `.5,.1`; None where there are none, a ValueError for other texts."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{flag}: write numbers, such as {such}, not {text!r}") from None


def told(table: str, roles: arguments.Roles, laws: Sequence[str] | None) -> Dataset:
    """Return the checked rows of a table by roles, and tell of them."""
    data = arguments.build_data(table, roles, _law_of(table, roles.x, laws))
    terminal.tell(*arguments.echo(data))
    return data


def told_of_runs(table: str, roles: arguments.Roles, laws: Sequence[str] | None) -> Dataset:
    """Return the rows of a saved fit, or of a table as `told` does, and tell of them."""
    if Path(table).suffix != ".nc":
        return told(table, roles, laws)
    if roles != arguments.Roles():
        raise ValueError(f"{table} is a saved fit: its rows and columns are known; name no column")
    data = load(table).data
    terminal.tell(*arguments.echo(data))
    return data


def _law_of(table: str, x: Sequence[str] | None, laws: Sequence[str] | None) -> Law:
    """Return a law of the scales of a table: the first that is named, or one of as many scales."""
    if laws:
        return get_law(laws[0])
    if not x and table in datasets.names() and datasets.describe(table).law is not None:
        return get_law(datasets.describe(table).law)
    return usual_law(x or (), table)


@dataclass(frozen=True)
class Plan:
    """Questions about parameters and tokens; at least one of the first four is asked."""

    flops: float | None
    """Budget to split."""
    loss: float | None
    """Loss to reach."""
    match: Mapping[str, float] | None
    """Configuration whose loss is to be reached."""
    versus: Sequence[Mapping[str, float]]
    """Two configurations to compare, or none."""
    extra: float
    """Share of compute that the smallest model may cost beyond the cheapest."""
    inference_tokens: float
    cost: str | None
    """What a run costs, arithmetic on N and D; 6 N D by default."""
    at: Mapping[str, float] | None
    """The law's other inputs."""
    seed: int
    allow_failed: bool

    def __post_init__(self) -> None:
        if self.versus and len(self.versus) != 2:
            raise ValueError(f"--versus compares two: give it twice, not {len(self.versus)} times")
        if self.loss is not None and self.match:
            raise ValueError("--loss and --match both name a loss to reach: give one of them")
        if self.flops is None and self.loss is None and not self.match and not self.versus:
            raise ValueError(
                "nothing is asked: give --flops, --budget, --loss, --match or --versus"
            )

    def check_picture(self, plot: str | None) -> None:
        """Refuse a picture of two configurations alone; a ValueError."""
        if plot and self.flops is None and self.loss is None and not self.match:
            raise ValueError(
                "--plot draws a split (--flops, --budget) and ways to a loss (--loss, --match); "
                "--versus has no picture: leave --plot out"
            )

    def __call__(self, posterior: Posterior) -> dict[str, Any]:
        """Return an Allocation, a TradeOff and a RunComparison, as far as they are asked for."""
        found: dict[str, Any] = {}
        common: dict[str, Any] = dict(at=self.at, allow_failed=self.allow_failed)
        common |= dict(inference_tokens=self.inference_tokens, cost=self.cost)
        if self.flops is not None:
            found["allocation"] = allocate(posterior, self.flops, **common)
        if self.loss is not None or self.match:
            to = {"loss": self.loss} if self.loss is not None else self._size(posterior)
            found["tradeoff"] = match(posterior, **to, extra=self.extra, **common)
        if self.versus:
            how = dict(seed=self.seed, allow_failed=self.allow_failed)
            found["comparison"] = compare_runs(posterior, *self.versus, **how)
        return found

    def _size(self, posterior: Posterior) -> dict[str, float]:
        """Return N and D of the configuration to match, which may be given by column."""
        named = {posterior.name_of(name): value for name, value in self.match.items()}
        if set(named) != {"N", "D"}:
            got = ", ".join(self.match)
            raise ValueError(f"--match takes parameters and tokens, N=280e9,D=300e9; got {got}")
        return named


@dataclass(frozen=True)
class Tasks:
    """What is asked of a table of tasks; the whole of it is checked before the first draw."""

    laws: tuple[str, ...]
    level: float | str | None
    horizon: float | None
    misfit: float
    backtest: float | None
    noise: str | Mapping[str, str] | None
    pool: tuple[str, ...] | None
    prior: Mapping[str, Distribution]
    """Of parameters of the laws that have them."""
    sampler: NUTS
    seed: int
    precision: str

    @cached_property
    def formulas(self) -> list[Law]:
        """The laws, with the priors that are given."""
        laws = [get_law(name) for name in self.laws]
        for name in self.prior:
            if not any(name in law.parameters for law in laws):
                known = dict.fromkeys(name for law in laws for name in law.parameters)
                raise ValueError(f"--prior: no law has a parameter {name!r}{near(name, known)}")
        own = [{k: v for k, v in self.prior.items() if k in law.parameters} for law in laws]
        return [law.with_priors(**given) for law, given in zip(laws, own, strict=True)]

    def __call__(
        self, data: Dataset, progress: Progress, folder: Path | None = None
    ) -> workflow.Tasks:
        """Return the kind, explanation and unlock of each task; fits are kept in a folder."""
        settings = {each.name: getattr(self, each.name) for each in fields(self)}
        settings |= {"laws": self.formulas}
        del settings["prior"]
        return workflow.tasks(data, progress=progress, folder=folder, **settings)
