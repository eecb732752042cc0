"""Tasks cut by design: at quantiles of scale that know nothing of where anything happens.

`measured` fits a law to each cut with a ceiling of which nothing is known, v ~ Beta(1, 1); a
narrower one is had by weighing draws, Beta(1, b) by b (1 - v)^(b - 1), and its evidence is the mean
of that weight times the evidence found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpyro.distributions as dist
import pandas as pd

import bayescale as bs
from bayescale.comparison.evidence import log_evidence
from bayescale.laws import get_law
from bayescale.parametric.coordinates import scaled
from bayescale.parametric.parametric import Law
from bayescale.posterior.bends import with_misfit

from . import designs, forecasts, labels
from .designs import Case
from .real import EXTRACTORS

SHARES = (0.4, 0.6, 0.8)
"""Quantiles of scale at which a task is cut."""
FEWEST = 3
"""Least number of models beyond the cut."""
SAMPLER = bs.NUTS(chains=2, warmup=300, draws=400, target_accept=0.9, starts=32, retries=0)
WIDEST = scaled(
    dist.Beta(1.0, 1.0),
    lambda v, at: 1 - (1 - at.param["g"]) * v,
    link="logit",
    says="anywhere between g and 1",
)
FAMILIES = ("gsm8k", "arithmetic", "parsinlu", "conceptual", "mmlu", "hellaswag", "arc", "agi_eval")
FAMILIES += ("QA-v", "boolq", "dice", "scope", "syllogism", "winogra", "winoge", "pii", "lambada")


@dataclass(frozen=True, eq=False)
class Measured:
    """What one law's fit to one cut says; arrays by draw."""

    evidence: float
    se: float
    settled: bool
    v: np.ndarray | None
    """Share of the way from 1 down to the floor at which the ceiling lies; None without one."""
    g: np.ndarray
    density: np.ndarray | None
    """Log density of the models beyond the cut, (draw, model)."""
    unlock: dict[float, np.ndarray]
    """By level: log10 of the scale at which it is passed for good, as `threshold` has it."""

    def weights(self, b: float) -> np.ndarray:
        """Return the weight of each draw under a ceiling of Beta(1, b)."""
        return np.ones(len(self.g)) if self.v is None else b * (1 - self.v) ** (b - 1)

    def evidence_under(self, b: float) -> float:
        """Return the log evidence under a ceiling of Beta(1, b)."""
        return self.evidence + float(np.log(self.weights(b).mean()))

    def score_under(self, b: float) -> float:
        """Return the mean log score of a model beyond the cut."""
        return float(self.densities(b).mean())

    def densities(self, b: float) -> np.ndarray:
        """Return the log density of each model beyond the cut, (model,)."""
        w, top = self.weights(b), self.density.max(0)
        return np.log((w[:, None] * np.exp(self.density - top)).sum(0) / w.sum()) + top


def family(task: str) -> str:
    """Return which tasks are no news to each other: prompts, digits and tables of one task."""
    name = task.partition("/")[2] or task
    return next((word for word in FAMILIES if word in name), name)


def cases(shares=SHARES) -> list[Case]:
    """Return every open task, cut at quantiles of its scales; at 1 the whole."""
    found = []
    for name, rows in designs.tasks().items():
        if "gsm8k" in name and not any(each in name for each in EXTRACTORS):
            continue
        for share in shares:
            cut = np.inf if share == 1 else rows.x.quantile(share)
            fitted, held = rows[rows.x < cut], rows[rows.x >= cut]
            enough = share == 1 or len(held) >= FEWEST
            if len(fitted) >= designs.LEAST and enough:
                told = f"{name}|q{share:g}"
                found.append(Case(told, name, fitted, held, halfway(rows), np.inf, cut))
    return found


def halfway(rows: pd.DataFrame, share: float = 0.5) -> float:
    """Return the level this share of the way from chance to 1."""
    return float(rows.chance.iloc[0] + share * (1 - rows.chance.iloc[0]))


def passes(rows: pd.DataFrame, level: float) -> float:
    """Return log10 of the scale from which on a bin's worth of rows has its median past a level.

    As the labels have it; -inf where that is so from the smallest scale on, inf where it is not so
    of the largest.
    """
    curve = rows.sort_values("x", kind="stable")
    x, s = np.log10(curve.x.to_numpy()), curve.y.to_numpy()
    table = pd.DataFrame({"x": x, "s": s, "n": curve.n.to_numpy(), "sweep": False})
    size = int(np.ceil(len(x) / len(labels.bins(table))))
    starts = np.unique(x[: len(x) - size + 1])
    below = np.flatnonzero([np.median(s[x >= at][:size]) <= level for at in starts])
    if not len(below):
        return -np.inf
    return np.inf if below[-1] + 1 == len(starts) else float(starts[below[-1] + 1])


def widest(name: str) -> Law:
    """Return a law whose ceiling may lie anywhere above its floor."""
    law = get_law(name)
    if law.ceiling is None or name == "inverted_u":
        return law
    known = tuple((k, WIDEST if k == law.ceiling else prior) for k, prior in law.priors)
    return replace(law, priors=known)


def measured(todo: list[Case], law: str, levels: dict[str, tuple[float, ...]]) -> dict:
    """Return what one law says of each case, by its name."""
    frame = pd.concat([case.fitted.assign(curve=case.name) for case in todo])
    data = bs.from_frame(frame, "x", "y", n="n", chance="chance", curve="curve", duplicates="keep")
    own = dict(bs.fit(widest(law), data, sampler=SAMPLER, progress=False))
    return {case.name: _measured(case, own[case.name], levels[case.name]) for case in todo}


def _measured(case: Case, one, levels: tuple[float, ...]) -> Measured:
    every, evidence = one.flat(), log_evidence(one)
    thin = max(1, len(every["g"]) // forecasts.DRAWS)
    every = {name: values[::thin] for name, values in every.items()}
    low = "u" in every and one.law.name != "inverted_u"
    later = with_misfit(one)
    top = case.fitted.x.max() * 10**forecasts.DECADES
    return Measured(
        evidence.log,
        evidence.se,
        one.health.verdicts[0].settled,
        (1 - every["u"]) / (1 - every["g"]) if low else None,
        every["g"],
        forecasts.density_of(case, later) if len(case.held) else None,
        {level: _unlock(later, level, top)[::thin] for level in levels},
    )


def _unlock(one, level: float, top: float) -> np.ndarray:
    return bs.threshold(one, level, horizon=top, direction="up", allow_failed=True).unlock
