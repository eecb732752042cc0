"""compare_runs: which of two runs is better, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..messages import Note
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import plain, summarise
from ..posterior.mixture import a_fit
from ..posterior.posterior import Posterior
from ..questions.predict import predict
from ..questions.sweep import scales
from . import shown

__all__ = ["RunComparison", "compare_runs"]


@dataclass(frozen=True, eq=False, repr=False)
class RunComparison(Shown):
    """Two configurations; differences are first minus second, in the unit of the response."""

    first: Mapping[str, float]
    second: Mapping[str, float]
    losses: np.ndarray
    """What the law says of each, (2, draw)."""
    p_better: float
    """Probability that the law's mean of the first is the better one."""
    p_run_better: float
    """Probability that one new run of the first beats one new run of the second."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""

    @property
    def difference(self) -> dict[str, float]:
        """Mean, sd, median and interval of first minus second, in the unit of the response."""
        return summarise(self.losses[0] - self.losses[1])

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON."""
        ways = {"first": self.first, "second": self.second}
        found = {
            name: {"at": at, "mean": summarise(losses)}
            for (name, at), losses in zip(ways.items(), self.losses, strict=True)
        }
        same = ("difference", "p_better", "p_run_better", "notes")
        return plain(found | {name: getattr(self, name) for name in same})

    def sheets(self) -> list[Sheet]:
        """Return the two side by side."""
        return shown.runs(self.summary())


def compare_runs(
    posterior: Posterior,
    first: Mapping[str, Any] | Sequence[Any],
    second: Mapping[str, Any] | Sequence[Any],
    *,
    n: float | None = None,
    stderr: float | None = None,
    seed: int = 0,
    allow_failed: bool = False,
) -> RunComparison:
    """Return the probability that the first configuration is better than the second.

    Parameters
    ----------
    first, second
        Scales by input name or column, `{"N": 7e10, "D": 1.4e12}`, or in the law's order.
    n, stderr
        Questions of a new accuracy, and a new run's standard error, as in `predict`.
    seed
        Decides the scatter of new runs.

    Returns
    -------
    RunComparison
        Both curves' responses, and the probability that the first is better.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`.
    ValueError
        For an unknown or missing scale, or a posterior of several curves.

    Examples
    --------
    >>> answer = bs.compare_runs(chinchilla_fit, {"N": 7e9, "D": 2e11}, {"N": 2.8e10, "D": 3e10})
    >>> 0 <= answer.p_better <= 1
    True
    """
    law, found = a_fit(posterior, mixtures=False).only().law, []
    for each in (first, second):
        if not isinstance(each, Mapping):
            if np.ndim(each) != 1 or len(each) != len(law.inputs):
                raise ValueError(f"a configuration is {', '.join(law.inputs)}; got {each}")
            each = dict(zip(law.inputs, each, strict=True))
        found.append(scales(posterior, each))
    at = {name: np.concatenate([one[name] for one in found]) for name in law.inputs}
    if any(len(values) != 2 for values in at.values()):
        raise ValueError("a configuration is one number a scale, not several")
    how = dict(n=n, stderr=stderr, seed=seed, allow_failed=allow_failed)
    answer = predict(posterior, at, **how)
    means, runs = answer.mean.T, answer.new.T
    return RunComparison(
        first={name: float(values[0]) for name, values in at.items()},
        second={name: float(values[1]) for name, values in at.items()},
        losses=means,
        p_better=float(np.mean(law.sign * (means[0] - means[1]) > 0)),
        p_run_better=float(np.mean(law.sign * (runs[0] - runs[1]) > 0)),
        notes=answer.notes,
    )
