"""confusion: how often laws are told apart on runs simulated from each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..comparison.compare import pseudo_bma
from ..comparison.explain import SURE, Confusion
from ..comparison.predictive import leave_one_out
from ..comparison.units import COUNT, common_unit
from ..data.dataset import EXTRAS
from ..inference.fit import fit
from ..inference.samplers import NUTS
from ..messages import a_count
from ..posterior.mixture import fits_by_name
from ..posterior.pointwise import replicate
from ..posterior.posterior import Posterior

__all__ = ["confusion"]


def confusion(
    posteriors: Mapping[str, Posterior] | Sequence[Posterior],
    *,
    simulations: int = 10,
    sampler: NUTS | None = None,
    seed: int = 0,
) -> Confusion:
    """Return how well laws are told apart on runs simulated from each of them, at this design.

    Scales, numbers of questions and scatter are those of the fits. Each of the simulations is
    fitted with every law: this takes laws^2 x simulations fits. Runs of a noise of shares are
    rounded to counts where others count.

    Parameters
    ----------
    posteriors
        Posterior by law, or a list of them, each of one curve and of the same runs.

    Returns
    -------
    Confusion
        How often each law was favoured, by the law that made the runs.

    Raises
    ------
    ValueError
        For a fit of several curves, in which something is pooled, or of several responses.

    Examples
    --------
    >>> quick = bs.NUTS(chains=2, warmup=200, draws=200, retries=0)
    >>> matrix = bs.confusion(rivals, simulations=2, sampler=quick)
    >>> matrix.chosen.sum(axis=1)
    array([2, 2])
    """
    posteriors = fits_by_name(posteriors)
    simulations = a_count(simulations, "simulations", 1)
    for law, one in posteriors.items():
        if one.curves or one.model.pool or one.law.further:
            raise ValueError(
                f"confusion takes fits of one curve and one response with nothing pooled; {law} "
                "is none: take one curve, posterior.curve(NAME), or fit without groups"
            )
    unit = common_unit(posteriors.values())
    names, sampler = tuple(posteriors), sampler or NUTS(warmup=300, draws=300, retries=0)
    tables, labels = [], []
    for name, posterior in posteriors.items():
        for i, shares in enumerate(replicate(posterior, simulations, seed=seed)):
            n = posterior.data.n
            tables.append(np.clip(np.round(shares * n) / n, 0, 1) if unit == COUNT else shares)
            labels.append(f"{name}|{i}")
    data = stacked(next(iter(posteriors.values())).data, tables, labels)
    scores = []
    for posterior in posteriors.values():
        refit = fit(posterior.law, data, noise=posterior.model.noise, sampler=sampler, seed=seed)
        scores.append([leave_one_out(one, unit=unit, refits=0).elpd for _, one in refit])
    chosen, told = np.zeros((2, len(names), len(names)), int)
    for i, label in enumerate(labels):
        weights = pseudo_bma(np.stack([rows[i] for rows in scores]), seed)
        at = names.index(label.split("|")[0]), int(weights.argmax())
        chosen[at] += 1
        told[at] += weights.max() >= SURE
    return Confusion(names, chosen, told)


def stacked(data, tables: list[np.ndarray], labels: list[str]):
    """Return the data once for each set of responses, as curves of their own, by label."""
    count, (response,) = len(tables), data.responses
    rows = np.arange(1, count * len(data) + 1)
    tiled = {k: None if v is None else np.tile(v, count) for k, v in _extras(data).items()}
    return replace(
        data,
        inputs={k: np.tile(v, count) for k, v in data.inputs.items()},
        responses={response: np.concatenate(tables)},
        curve=np.repeat(np.array(labels, object), len(data)),
        group=None,
        rows=rows,
        **tiled,
    )


def _extras(data) -> dict:
    return {name: getattr(data, name) for name in EXTRAS}
