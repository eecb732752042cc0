"""posterior_predictive: runs as the fit has them, in the place of those that were measured."""

from __future__ import annotations

import numpy as np

from ..posterior.mixture import Mixture, a_fit
from ..posterior.pointwise import replicate
from ..posterior.posterior import Posterior

__all__ = ["posterior_predictive"]


def posterior_predictive(
    posterior: Posterior | Mixture, draws: int = 1000, *, response: str | None = None, seed: int = 0
) -> np.ndarray:
    """Return new runs in the place of the table's rows, (draw, row).

    Each row under its own curve and group, with its own scales, questions and standard error: what
    the model takes for possible, to be held against what was measured.

    Parameters
    ----------
    posterior
        Any fit, sound or not: replicates are looked at to find out. Of a mixture each law has as
        many sets as its weight says.
    draws
        How many sets; the posterior's draws are taken evenly from all chains.
    response
        Of a law of several the one that is asked for; its `response` by default.
    seed
        Decides the scatter of the runs.

    Returns
    -------
    np.ndarray
        New runs, (draw, row); accuracies as shares of the questions.

    Raises
    ------
    ValueError
        If the law has no such response.

    Examples
    --------
    >>> runs = bs.posterior_predictive(power_fit, draws=100)
    >>> runs.shape
    (100, 24)
    >>> measured = power_data.responses["y"]
    >>> bool((abs(np.median(runs, 0) / measured - 1) < 0.05).all())
    True
    """
    parts = a_fit(posterior).members
    ends = np.rint(np.cumsum([weight for _, weight, _ in parts]) * draws).astype(int)
    counts = np.diff(ends, prepend=0).tolist()
    return np.concatenate(
        [
            replicate(one, count, seed=seed + i, response=response)
            for i, ((_, _, one), count) in enumerate(zip(parts, counts, strict=True))
        ]
    )
