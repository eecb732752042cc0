"""asked: whose draws answer: a fit's, a forecast's, a multiplier's, or those of a prior.

And whether their laws know that they may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..inference.prior import PriorPredictive
from ..messages import Note
from ..posterior.health import Health, Verdict
from ..posterior.mixture import Mixture, a_fit
from ..posterior.posterior import Posterior, SamplingInfo
from ..recipes.multiplier import Multiplier

__all__ = ["asked_of", "at_its_word", "fit_of"]


def asked_of(asked: Any, allow_failed: bool) -> Posterior | Mixture:
    """Return the draws that are asked: of a fit, of a forecast's or a multiplier's, or of a prior.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`; a forecast and a multiplier are
        asked as they are.
    ValueError
        If it is of several curves.
    """
    if isinstance(asked, PriorPredictive):
        return _before_any(asked)
    if isinstance(asked, Multiplier):
        return asked.mixture
    which = _mixture_of(asked)
    return a_fit(asked).only().trusted(allow_failed) if which is None else which


def fit_of(asked: Any) -> Posterior:
    """Return the fit that is asked: of a forecast that of the law that has the most weight.

    Raises
    ------
    ValueError
        If a forecast is of several curves.
    """
    which = _mixture_of(asked)
    if which is None:
        return a_fit(asked, mixtures=False)
    _, _, one = max(which.members, key=lambda member: member[1])
    return one


def at_its_word(which: Posterior | Mixture) -> Iterator[Note]:
    """Yield that a loss is asked of a law that does not know that it may be wrong."""
    for *_, one in which.members:
        if one.law.support == "positive" and one.law.wander is None:
            yield Note("word", WORD.format(one.law.name))
            return


WORD = (
    "the law is taken at its word, and the runs are those that tell most if it is right: on 3 of 7 "
    "benchmark tables they told the targets less well than random ones; ask a forecast, or a fit "
    "of 'approximate({})', which knows that it may be wrong"
)


def _mixture_of(asked: Any) -> Mixture | None:
    """Return the laws of a forecast, and None for what is none."""
    mixtures = getattr(asked, "mixtures", None)
    if mixtures is not None and len(mixtures) > 1:
        name = next(iter(mixtures))
        raise ValueError(f"this forecast is of several curves; take one: .mixtures[{name!r}]")
    return None if mixtures is None else next(iter(mixtures.values()))


def _before_any(prior: PriorPredictive) -> Posterior:
    """Return draws of the prior as if they were a fit's."""
    draws = {name: values[None] for name, values in prior.parameters.items()}
    if prior.data.curve is not None:
        raise ValueError("this prior is of several curves: give it the rows of one")
    sound = Health((Verdict({}, {}, 1.0, np.inf, 0.0),))
    how = SamplingInfo(0, "prior", 1, len(prior.runs), "float64", "cpu", {}, {}, np.nan)
    return Posterior(prior.model, prior.data, draws, {}, sound, how)
