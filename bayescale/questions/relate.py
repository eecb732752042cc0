"""relate: how much of a task the loss explains, and how often the lower loss is worse at the task.

Loss and task are related, not the same: models of one loss differ in a task. Two figures say how
much. R^2 is the share of the variance of the models' accuracies that the curve through the loss
explains. Discordance is the probability that of two models the one with the lower loss is worse
at the task. Both are of true accuracies, those on endless questions of the kind: the sampling of
the questions at hand is left out, so that a short test does not look unrelated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from ..data.dataset import Dataset
from ..messages import Note, a_seed, as_notes
from ..model.model import Model
from ..model.programs import by_blocks, compiled
from ..model.sampling import sample_each
from ..parametric.parametric import Law
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, levels, plain, summarise
from ..posterior.mixture import a_fit
from ..posterior.pointwise import spaced
from ..posterior.posterior import Posterior
from . import shown

if TYPE_CHECKING:
    import pandas

__all__ = ["Relation", "relate"]

QUESTIONS = 10**9
"""Questions of a true accuracy: their sampling moves it by less than 2e-5."""
LEAST = 1e-12
"""Variance between models that counts as none: sampling `QUESTIONS` would add more."""
DRAWS = 500
"""Draws used, evenly thinned."""
PAIRS = 200_000
"""Pairs of models compared; where there are more, so many are drawn."""
BINS = 4
ROWS = 5
"""Models without which nothing is said."""
COLUMNS = ("gap_lo", "gap_hi", "lo", "median", "hi")


@dataclass(frozen=True, eq=False, repr=False)
class Relation(Shown):
    """How the loss and one task are related, among the models of the data."""

    r2: np.ndarray
    """Share of the variance of true accuracies that the curve explains, (draw,)."""
    discordance: np.ndarray
    """Share of pairs of models of which the one with the lower loss is worse, (draw,)."""
    by_gap: tuple[tuple[float, float, float, float, float], ...]
    """The same in quantile bins of the difference in loss: gap_lo, gap_hi, and the share's lo,
    median, hi (90 %)."""
    observed: float
    """Share of pairs discordant as measured: the sampling of questions is within."""
    rows: int
    """Models of which this speaks."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""

    def summary(self, mass: float = INTERVAL) -> dict[str, Any]:
        """Return plain numbers, fit for JSON; None where there are no draws."""
        found = {name: summarise(getattr(self, name), mass) for name in ("r2", "discordance")}
        found["by_gap"] = [dict(zip(COLUMNS, row, strict=True)) for row in self.by_gap]
        return plain(found | {k: getattr(self, k) for k in ("observed", "rows", "notes")})

    def sheets(self) -> list[Sheet]:
        """Return how much the loss explains, and how often the lower loss is worse."""
        return shown.relation(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return one row a bin of the difference in loss: P(the lower loss is worse)."""
        import pandas as pd

        return pd.DataFrame(self.by_gap, columns=COLUMNS)


def relate(
    posterior: Posterior, *, seed: int = 0, allow_failed: bool = False
) -> Relation | dict[str, Relation]:
    """Return how loss and task are related; by name of the curve where there are several.

    For each draw, p_i being the accuracy that the curve gives model i of n, v_i the variance of
    true accuracies about it, and a_i an accuracy drawn from that scatter:

        R^2 = V / (V + mean_i v_i),  V = sum_i (p_i - mean p)^2 / (n - 1)
        discordance = share of a_i < a_j among the pairs with L_i < L_j

    Parameters
    ----------
    posterior
        A fit of an accuracy law whose only scale is a loss, less being better (`from_loss`), or
        exp(-loss), more being better; or of `two_stage`, whose rows count where both were
        measured: accuracy given the loss is its second stage.
    seed
        Decides the accuracies drawn.

    Returns
    -------
    Relation, or dict of Relation
        R^2 and discordance for every draw, and the discordance observed.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`; failed curves among others say so.
    ValueError
        For another law or scale, fewer than 5 models, models of one loss, or a noise without a
        variance.

    Notes
    -----
    Ties of accuracies are not discordant. R^2: Gelman, Goodrich, Gabry and Vehtari 2019, doi
    10.1080/00031305.2018.1549100, with the variance between models in place of that of a
    measurement. Discordance: ours.

    Examples
    --------
    >>> answer = bs.relate(loss_fit)
    >>> bool(np.median(answer.r2) > 0.9), answer.rows
    (True, 12)
    """
    a_fit(posterior, mixtures=False).trusted(allow_failed)
    _check_law(posterior.law)
    groups, found = posterior.data.group_names, {}
    for i, (name, one) in enumerate(posterior):
        rng = np.random.default_rng([a_seed(seed), i, 21])
        found[name] = _one(one, _runs(one, name), groups, rng, seed)
    return found if posterior.curves else found[None]


def _check_law(law: Law) -> None:
    if law.support != "unit" or law.improves != "up":
        raise ValueError(
            f"the law {law.name} is not of accuracies: fit one such as from_loss, with the loss "
            "as its scale and the accuracy as the response"
        )
    if law.further and law.second_stage is None:
        raise ValueError(
            f"in the law {law.name} accuracy does not follow from the loss: fit two_stage"
        )
    if not law.further and len(law.inputs) != 1:
        raise ValueError(
            f"the law {law.name} has the scales {', '.join(law.inputs)}: fit one of a loss alone"
        )


class _Runs(NamedTuple):
    """Rows in which loss and accuracy were measured."""

    data: Dataset
    loss: np.ndarray
    accuracy: np.ndarray


def _runs(posterior: Posterior, curve: str | None) -> _Runs:
    """Return the rows that count, with their losses and accuracies."""
    law, data = posterior.law, posterior.data
    if law.second_stage is not None:
        level, _ = law.second_stage
        both = np.isfinite(data.responses[level]) & np.isfinite(data.responses[law.response])
        data = data.take(both)
        loss, accuracy = data.responses[level], data.responses[law.response]
    else:
        ((name, x),), (accuracy,) = data.inputs.items(), data.responses.values()
        loss = x if name in law.less_is_better else -np.log(x)
        if name not in law.less_is_better and x.max() > 1:
            column = data.columns.get(name, name)
            raise ValueError(
                f"the scale of this fit, {column}, goes up to {x.max():.3g} and is no exp(-loss), "
                "which is at most 1: fit from_loss, with the loss as its scale"
            )
    rows = f"{len(data)} models" + (f" of curve {curve!r}" if curve is not None else "")
    if len(data) < ROWS:
        raise ValueError(f"{rows} with a loss and an accuracy, {ROWS} are needed: measure more")
    if np.ptp(loss) == 0:
        raise ValueError(f"all {rows} have one loss, {loss[0]:.6g}: nothing to relate")
    return _Runs(data, loss, accuracy)


def _one(posterior: Posterior, runs: _Runs, groups, rng, seed: int) -> Relation:
    """Return the relation of one curve; `groups` are those of the whole table."""
    mean, between, true = _accuracies(posterior, runs, groups, rng)
    explained = mean.var(axis=1, ddof=1)
    total = explained + between.mean(1)
    r2 = np.divide(explained, total, out=np.zeros_like(total), where=total != 0)
    low, high = _pairs(runs.loss, seed)
    gap = runs.loss[high] - runs.loss[low]
    edges = np.unique(np.quantile(gap, np.linspace(0, 1, BINS + 1), method="higher"))
    edges = edges if len(edges) > 1 else edges.repeat(2)  # all pairs are as far apart
    place = np.searchsorted(edges[1:-1], gap)
    sizes = np.bincount(place, minlength=len(edges) - 1)
    worse = [np.bincount(place, a[low] < a[high], len(sizes)) for a in true]
    # Draws that an interrupt left out are nan, and so is what they say.
    worse = np.where(np.all(np.isfinite(true), 1)[:, None], worse, np.nan)
    with np.errstate(invalid="ignore"):
        ends = np.quantile(worse / sizes, levels(), axis=0)
    bins = zip(edges[:-1], edges[1:], *ends, strict=True)
    return Relation(
        r2=r2,
        discordance=worse.sum(1) / sizes.sum(),
        by_gap=tuple(tuple(map(float, row)) for row in bins),
        observed=float(np.mean(runs.accuracy[low] < runs.accuracy[high])),
        rows=len(runs.data),
        notes=tuple(_notes(posterior, len(runs.data))),
    )


def _pairs(loss: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the models of lower and of higher loss of each pair; equal losses make none."""
    models = len(loss)
    if models * (models - 1) // 2 <= PAIRS:
        i, j = np.triu_indices(models, 1)
    else:
        i, j = np.random.default_rng([a_seed(seed), 5]).integers(0, models, (2, PAIRS))
    turned = loss[i] > loss[j]
    low, high = np.where(turned, j, i), np.where(turned, i, j)
    apart = loss[low] < loss[high]
    return low[apart], high[apart]


def _notes(posterior: Posterior, rows: int) -> list[Note]:
    (verdict,), law, data, notes = posterior.health.verdicts, posterior.law, posterior.data, {}
    if not verdict.sound:
        notes["health"] = f"NOT TO BE TRUSTED: {'; '.join(verdict.problems)}"
    if law.further:
        if rows < len(data):
            notes["missing"] = f"loss and accuracy were measured in {rows} of {len(data)} rows"
        notes["scatter"] = (
            "the scatter of this fit is about the curve in scale, not about the loss that was "
            "measured; for that, fit from_loss"
        )
    elif law.inputs[0] not in law.less_is_better:
        name = law.inputs[0]
        column = data.columns.get(name, name)
        notes["log"] = f"{column} is taken for exp(-loss): differences in loss are those of its log"
    if posterior.model.pool:
        notes["group"] = "each group has its own curve: its lead counts as explained"
    if rows * (rows - 1) // 2 > PAIRS:
        notes["pairs"] = f"{PAIRS} pairs were compared, drawn at random"
    return as_notes(notes)


# ------------------------------------------------------------------ accuracies given the loss


def _accuracies(posterior: Posterior, runs: _Runs, groups, rng) -> tuple[np.ndarray, ...]:
    """Return the curve, the variance between models and true accuracies, (draw, row) each.

    Var(y/n) = v + (m (1 - m) - v)/n for counts y out of n of mean m, v between models.
    """
    flat, model, data = posterior.flat(), posterior.model, runs.data
    total = len(next(iter(flat.values())))
    pick = spaced(total, min(total, DRAWS))
    params = {name: values[pick] for name, values in flat.items()}
    if not all(np.isfinite(values).all() for values in params.values()):
        return (np.full((len(pick), len(data)), np.nan),) * 3
    columns = {"inputs": dict(data.inputs), "stderr": np.zeros(len(data))}
    if model.noise.counts:
        columns["n"] = np.full(len(data), QUESTIONS)
    if model.law.further:
        columns["loss"] = runs.loss
    if model.pool:
        columns["group"] = np.searchsorted(groups, data.group.astype(str))
    with jax.enable_x64(True):
        try:
            found = by_blocks(lambda each: _about(model, each, columns), params)
        except NotImplementedError:
            raise ValueError(
                f"the noise {model.noise.name} has no variance here: fit with noise='normal', or "
                "with a number of questions"
            ) from None
        scatter, mean, between = found
        true = sample_each(scatter, rng)
    if model.noise.counts:
        mean, between, true = mean / QUESTIONS, between / QUESTIONS**2, true / QUESTIONS
        between = (between - mean * (1 - mean) / QUESTIONS) / (1 - 1 / QUESTIONS)
    between = np.maximum(between, 0.0)
    return mean, between, np.where(between > LEAST, true, mean)


@compiled(static_argnames=("model",))
def _about(model: Model, params, data):
    """Return what scatters at each row, its mean and its variance, for each draw."""

    def one(params):
        found = replace(model, pool=(), groups=0).scatter(_of_rows(model, params, data), data)
        return found, found.mean, found.variance

    return jax.vmap(one)(params)


def _of_rows(model: Model, params, data) -> dict[str, Any]:
    """Return the parameters with those of the law as each row has them.

    A measured loss off the first stage moves L0 by as much the other way: s(k (L0 - L)) is then
    the second stage at the measured loss, and scatter in scale is as it was fitted.
    """
    rows, varied = model.of_rows(params, data), set(model.pool)
    if model.law.second_stage is not None:
        name, middle = model.law.second_stage
        level = model.law.fn(*(data["inputs"][x] for x in model.law.inputs), **rows)[name]
        rows[middle] = rows[middle] - (data["loss"] - level)
        varied.add(middle)
    if model.noise.nodes:
        rows |= {name: rows[name][None] for name in varied}
    return params | rows
