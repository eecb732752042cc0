"""metric_or_model: whether a jump of accuracy is in the metric or in the model.

A smooth score of the same task (the loss of a token of the right answer, Brier, bits per byte)
tells them apart, if anything does. Score and accuracy are fitted together, under three hypotheses:

    metric    the score follows a power law, and accuracy is a function of it, logistic or an
              exact match of many tokens (`two_stage`): the metric makes the jump
    model     score and accuracy cross one threshold, at one scale and equally fast
              (`breakthrough`): the jump is in the model
    neither   the score bends (`saturating`) and accuracy rises (`sigmoid`), each in its own way

Without the third, a table that fits neither of the others would get a sure answer from the less
wrong of them. A response has one noise under all three: evidence would else tell noises apart, not
hypotheses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..comparison.compare import pseudo_bma
from ..comparison.evidence import log_evidence
from ..comparison.explain import CANNOT_TELL, SURE
from ..comparison.predictive import leave_one_out
from ..comparison.units import common_unit
from ..data.accuracies import rise_of
from ..data.dataset import Dataset
from ..data.from_frame import as_dataset
from ..inference.fit import fit
from ..inference.make_model import make_model, of_runs
from ..inference.samplers import EVIDENCE, NUTS, by_nuts
from ..laws import get_law
from ..messages import Note, as_notes, beliefs, option
from ..parametric.parametric import Noise
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import plain
from ..posterior.posterior import Posterior
from . import shown

__all__ = ["HYPOTHESES", "MetricOrModel", "metric_or_model"]

HYPOTHESES = {
    "metric": "the jump is in the metric: the smooth score improves without one",
    "model": "the jump is in the model: the smooth score jumps as accuracy does",
    "neither": "neither: score and accuracy each bend in their own way",
}
JOINT = {
    "two_stage": "metric",
    "two_stage(link='exact_match')": "metric",
    "breakthrough": "model",
}
"""Laws of both responses, with the hypothesis that each tells."""
APART = {"loss": "saturating", "accuracy": "sigmoid"}
"""Laws of either response alone: together they are the third hypothesis."""
HYPOTHESIS = JOINT | {"apart": "neither"}
MARGIN = 5.0
"""Nats by which the evidence of a law may be off where its fit is not to be trusted."""
GROUPS = "of the groups, this speaks of none: rows are taken for those of one family"
RISES = 0.5
"""Rank correlation of a score and its scale from which on it is said to rise."""
FEW = 10
"""Runs with both responses below which that is said."""


@dataclass(frozen=True, eq=False, repr=False)
class MetricOrModel(Shown):
    """What the data say of the three hypotheses, for one task."""

    probability: Mapping[str, float]
    """Of each hypothesis: prior times evidence, the evidence being of all that was measured."""
    weights: Mapping[str, float]
    """Predictive weight of each, that of its best law: pseudo-BMA+ of runs left out whole."""
    log_evidence: Mapping[str, float]
    """By law; `apart` is the third hypothesis."""
    evidence_se: Mapping[str, float]
    elpd: Mapping[str, float]
    """By law: log density of score and accuracy of each run, left out in turn, summed."""
    posteriors: Mapping[str, Posterior]
    """By law; those of the third hypothesis are `apart: loss` and `apart: accuracy`."""
    prior: Mapping[str, float]
    notes: tuple[Note, ...] = ()
    noise: Mapping[str, str] = field(default_factory=dict)
    """Name of the noise of each response, under all hypotheses."""

    @property
    def hypothesis(self) -> str | None:
        """The hypothesis with a probability of .6 or more that also predicts best; else None.

        Where fits failed, also if their evidence were 5 nats off to its disadvantage.
        """
        best = max(self.probability, key=self.probability.__getitem__)
        sure = self.probability[best] >= SURE and self.weights[best] >= max(self.weights.values())
        if sure and self.unsound:
            sure = _probability(self._doubted(best), self.prior)[best] >= SURE
        return best if sure else None

    def _doubted(self, hypothesis: str) -> dict[str, float]:
        """Return the log evidence, of laws that failed `MARGIN` nats worse for a hypothesis."""
        failed = {name.split(":")[0] for name in self.unsound}
        off = {law: MARGIN if HYPOTHESIS[law] != hypothesis else -MARGIN for law in failed}
        return {law: value + off.get(law, 0.0) for law, value in self.log_evidence.items()}

    @property
    def unsound(self) -> tuple[str, ...]:
        """Laws whose fit is not to be trusted."""
        return tuple(name for name, one in self.posteriors.items() if not one.health.sound)

    @property
    def verdict(self) -> str:
        """The hypothesis in words, or that the data cannot tell."""
        return CANNOT_TELL if self.hypothesis is None else HYPOTHESES[self.hypothesis]

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON; None where there are none."""
        names = ("verdict", "hypothesis", "probability", "weights", "log_evidence", "evidence_se")
        names += ("elpd", "prior", "noise", "notes")
        return plain({name: getattr(self, name) for name in names})

    def sheets(self) -> list[Sheet]:
        """Return one row a hypothesis, and one a law."""
        return shown.metric_or_model(self.summary())


def metric_or_model(
    data: Any,
    *,
    prior: Mapping[str, float] | None = None,
    noise: Mapping[str, Any] | None = None,
    sampler: NUTS | None = None,
    seed: int = 0,
) -> MetricOrModel | dict[str, MetricOrModel]:
    """Return whether a jump is in the metric or in the model; by curve where there are several.

    Parameters
    ----------
    data
        One scale, and the responses `accuracy` and `loss`, the smooth score, less being better;
        runs that lack one of them still count for the other. Groups are left aside.
    prior
        Probability of each of `HYPOTHESES`; alike unless given. What is left out of a prior that
        sums to 1 has none. The laws of one share it.
    noise
        By response, the same under all hypotheses; by default that of `two_stage`, see `fit`.
    sampler
        `NUTS()` by default, for all five fits.
    seed
        Decides draws, bridge and bootstrap.

    Returns
    -------
    MetricOrModel, or dict of MetricOrModel
        The probability of each hypothesis, and its fits.

    Raises
    ------
    DataError, ValueError
        As `fit`, and for a prior of other hypotheses.

    Notes
    -----
    One is named where its probability is .6 or more and no other predicts better; where fits
    failed their checks, also if their evidence were 5 nats off to its disadvantage. Both responses
    of a run are taken to scatter independently about their curves, and groups are not told
    apart: where a model that is ahead of its scale is so in both, evidence is less sure than it
    looks. Metric or model: Schaeffer et al. 2023 (arXiv 2304.15004).

    Examples
    --------
    >>> answer = bs.metric_or_model(two_scores)
    >>> list(answer.probability)
    ['metric', 'model', 'neither']
    """
    data = as_dataset(data)
    prior = _checked(prior)
    both = {"accuracy", "loss"} == set(data.responses)
    if not both or len(data.inputs) != 1:
        data.fail(
            f"has responses {', '.join(data.responses)} and scales {', '.join(data.inputs)}",
            remedy="give one scale, and the responses accuracy and loss (a smooth score): "
            "y={'accuracy': ..., 'loss': ...} (-y accuracy=COL -y loss=COL)",
        )
    aside = [Note("group", GROUPS)] * (data.group is not None)
    if of_runs(data):
        data.fail(
            "several rows are of one run, and rows are taken for runs of their own",
            role="run",
            remedy="keep one row a run, and leave the run column out",
        )
    aside += _rises(data)
    data, sampler = replace(data, group=None), by_nuts(sampler, EVIDENCE)
    noise = _noises(data, noise)
    fits = {law: fit(law, data, noise=noise, sampler=sampler, seed=seed) for law in JOINT}
    for response, law in APART.items():
        alone = _alone(data, response)
        fits[f"apart: {response}"] = fit(
            law, alone, noise=noise[response], sampler=sampler, seed=seed
        )

    def judged(rows: Dataset, fits: Mapping[str, Posterior]) -> MetricOrModel:
        answer = _judge(rows, fits, prior, seed)
        return replace(answer, notes=(*answer.notes, *aside))

    if not data.curve_names:
        return judged(data, fits)
    return {
        name: judged(data.take(data.of_curve(name)), {k: v.curve(name) for k, v in fits.items()})
        for name in data.curve_names
    }


def _rises(data: Dataset) -> list[Note]:
    """Say that the score rises with scale, where less of it is taken for better."""
    first = {name: data.responses[name] for name in ("loss", "accuracy")}
    rise = rise_of(replace(data, responses=first))
    if rise <= RISES:
        return []
    text = f"the score rises with scale (rank correlation {rise:.2f}), and less of it is taken for "
    column = data.columns.get("loss", "loss")
    text += f"better: is more of it better? then give {option('y', f'loss=1-{column}')}"
    return [Note("rises", text)]


def _noises(data: Dataset, given: Mapping[str, Any] | None) -> dict[str, Noise]:
    """Return one noise for each response, whichever law speaks of it."""
    return make_model(get_law(next(iter(JOINT))), data, given or {}).noises


def _checked(prior: Mapping[str, float] | None) -> dict[str, float]:
    """Return the probability of every hypothesis before the data."""
    alike = dict.fromkeys(HYPOTHESES, 1.0)
    return beliefs(alike if prior is None else prior, HYPOTHESES, "prior (--prior)")


def _alone(data: Dataset, response: str) -> Dataset:
    """Return the rows and columns of one response; questions and chance are of the accuracy."""
    found = data.take(np.isfinite(data.responses[response]))
    if response == "loss":
        found = replace(found, n=None, stderr=None, chance=None)
    return replace(found, responses={response: found.responses[response]})


def _judge(
    data: Dataset, fits: Mapping[str, Posterior], prior: Mapping[str, float], seed: int
) -> MetricOrModel:
    """Return what the fits of one curve say."""
    evidence = {
        name: log_evidence(one, seed=seed, unit=common_unit([one])) for name, one in fits.items()
    }
    rows = {name: _left_out(one) for name, one in fits.items()}
    logs = {name: evidence[name].log for name in JOINT}
    errors = {name: evidence[name].se for name in JOINT}
    left = {name: rows[name] for name in JOINT}
    parts = [f"apart: {response}" for response in APART]
    logs["apart"] = sum(evidence[name].log for name in parts)
    errors["apart"] = float(np.hypot(*(evidence[name].se for name in parts)))
    left["apart"] = sum(
        _spread(rows[f"apart: {response}"], data.responses[response]) for response in APART
    )
    elpd = {name: float(values.sum()) for name, values in left.items()}
    of = {each: [law for law in elpd if HYPOTHESIS[law] == each] for each in HYPOTHESES}
    best = [max(laws, key=elpd.__getitem__) for laws in of.values()]
    weights = pseudo_bma(np.stack([left[name] for name in best]), seed)
    found = MetricOrModel(
        probability=_probability(logs, prior),
        weights=dict(zip(HYPOTHESES, map(float, weights), strict=True)),
        log_evidence=logs,
        evidence_se=errors,
        elpd=elpd,
        posteriors=dict(fits),
        prior=dict(prior),
        noise={response: fits[f"apart: {response}"].model.noise.name for response in APART},
    )
    return replace(found, notes=tuple(_notes(found, data)))


def _left_out(posterior: Posterior) -> np.ndarray:
    """Return the log density of all that was measured in each run, left out in turn."""
    return leave_one_out(posterior, whole=True, unit=common_unit([posterior])).elpd


def _spread(values: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return the values of the rows in which a response was measured, 0 in others."""
    found = np.zeros(len(response))
    found[np.isfinite(response)] = values
    return found


def _probability(logs: Mapping[str, float], prior: Mapping[str, float]) -> dict[str, float]:
    """Return prior times evidence of each hypothesis, the mean of its laws', normalised."""
    top = max(logs.values())
    mass = {
        hypothesis: prior[hypothesis]
        * np.mean([np.exp(logs[n] - top) for n in logs if HYPOTHESIS[n] == hypothesis])
        for hypothesis in HYPOTHESES
    }
    total = sum(mass.values())
    return {hypothesis: float(value / total) for hypothesis, value in mass.items()}


def _notes(found: MetricOrModel, data: Dataset) -> list[Note]:
    notes = {}
    together = int(np.sum(np.all([np.isfinite(y) for y in data.responses.values()], axis=0)))
    if together < FEW:
        notes["few"] = f"only {together} runs have both a score and an accuracy"
    if found.unsound:
        notes["health"] = f"not to be trusted: {', '.join(found.unsound)}"
    best = max(found.probability, key=found.probability.__getitem__)
    if found.probability[best] >= SURE and found.hypothesis is None:
        notes["unsure"] = f"{best} has the most evidence, but is not sure: see weights and health"
    return as_notes(notes)
