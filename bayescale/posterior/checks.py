"""Health of a fit: thresholds, verdict, and what to do about it.

Parameters and predictions are judged apart: where a break lies may be unknown while the forecast
is settled, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..misfit.look import look
from ..misfit.misfit import Finding
from ..model.arrays import pack
from ..model.evaluate import law_at
from ..model.model import Model
from .health import ESS, RHAT, ROUGH, UNREACHED, Health, Verdict, pareto
from .intervals import normal_scores, scalar_quantities

if TYPE_CHECKING:
    from .posterior import Posterior

__all__ = [
    "DIVERGENT",
    "IDENTIFIED",
    "LONG",
    "bulk_ess",
    "checked_scales",
    "judge",
    "judge_laplace",
    "judge_map",
    "judged_anew",
    "looked_at",
    "unidentified",
]

DIVERGENT = 0.001
"""Largest share of divergent draws."""
LONG = 256.0
"""Leapfrogs a draw beyond which `fit` tries no second time: it takes minutes, and seldom helps."""
IDENTIFIED = 0.5
"""A parameter is identified when its posterior sd is below this share of its prior sd."""


def _rhat_ess(draws: np.ndarray) -> tuple[float, float]:
    """Return R-hat and the smaller of bulk and tail ESS of (chain, draw).

    As ArviZ has them (tested), whose import takes longer than all the checks of a fit.
    """
    if not np.isfinite(draws).all():
        return np.inf, 0.0
    if np.ptp(draws) == 0 or draws.shape[1] < 4:
        return np.nan, np.nan
    if (np.ptp(draws, axis=1) == 0).any():
        return np.inf, 0.0  # a chain that never moved, where others did
    halves = _split(draws)
    bulk, folded = normal_scores(halves), normal_scores(abs(halves - np.median(halves)))
    rhat = max(_rhat(bulk), _rhat(folded)) if len(draws) > 1 else np.nan
    ends = np.quantile(draws, [0.1, 0.9])
    tails = [_ess(_split(draws <= end).astype(float)) for end in ends]
    return rhat, float(min(_ess(bulk), *tails))


def bulk_ess(draws: np.ndarray) -> float:
    """Return the effective sample size of the mean of (chain, draw)."""
    return _ess(_split(draws))


def _split(draws: np.ndarray) -> np.ndarray:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _rhat(draws: np.ndarray) -> float:
    count = draws.shape[1]
    between = count * draws.mean(1).var(ddof=1)
    within = draws.var(1, ddof=1).mean()
    return float(np.sqrt((between / within + count - 1) / count))


def _ess(draws: np.ndarray) -> float:
    """Return the effective sample size, its autocorrelations cut off and smoothed as Geyer does."""
    chains, count = draws.shape
    if np.ptp(draws) < np.finfo(float).resolution:
        return float(draws.size)
    centred = draws - draws.mean(1, keepdims=True)
    wave = np.fft.rfft(centred, 2 * count)
    covariance = np.fft.irfft(np.abs(wave) ** 2, 2 * count)[:, :count].mean(0) / count
    total = covariance[0] + (draws.mean(1).var(ddof=1) if chains > 1 else 0.0)
    rho = 1 - (covariance[0] * count / (count - 1) - covariance) / total
    rho[0], even, odd, t = 1.0, 1.0, rho[1], 1
    while t < count - 3 and even + odd > 0:  # Geyer's initial positive sequence
        even, odd = rho[t + 1], rho[t + 2]
        t += 2
    most = t - 2
    for i in range(1, most - 1, 2):  # and monotone
        if rho[i + 1] + rho[i + 2] > rho[i - 1] + rho[i]:
            rho[i + 1 : i + 3] = (rho[i - 1] + rho[i]) / 2
    last = even if even > 0 else 0.0
    tau = max(2 * rho[: most + 1].sum() - 1 + last, 1 / np.log10(draws.size))
    return float(draws.size / tau)


def checked_scales(lanes: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return scales at which curves are judged, (curve, point): of the data, and ten times beyond.

    Parameters
    ----------
    lanes
        Arrays of curves, `Batch.data`.
    """
    share, found = np.array([0.0, 0.25, 0.5, 0.75, 1.0]), {}
    for name, span in lanes["span"].items():
        lo, hi = span[:, :1], span[:, 1:]
        logs = np.concatenate([lo + share * (hi - lo), hi + np.log(10.0)], 1)
        found[name] = np.exp(logs) * lanes["ref"][name][:, None]
    return found


def judge(
    scalars: Mapping[str, np.ndarray], predictions: np.ndarray, stats: Mapping[str, np.ndarray]
) -> Verdict:
    """Return the verdict on one curve's chains of NUTS.

    Parameters
    ----------
    scalars
        Quantities in natural units, (chain, draw) each; constants are left out of account.
    predictions
        The mean curve at `checked_scales`, (chain, draw, point).
    stats
        Of the sampler, (chain, draw) each; `diverging` and `n_steps` are used.
    """
    found = {name: _rhat_ess(values) for name, values in scalars.items()}
    found = {name: pair for name, pair in found.items() if not np.isnan(pair[1])}
    curve = [_rhat_ess(predictions[..., i]) for i in range(predictions.shape[-1])]
    curve = [pair for pair in curve if not np.isnan(pair[1])]
    curve_rhat = float(max((r for r, _ in curve), default=np.nan))
    curve_ess = float(min((e for _, e in curve), default=np.nan))
    divergent = float(np.mean(stats["diverging"]))
    length = float(np.mean(stats["n_steps"]))
    problems = _problems(found, curve_rhat, curve_ess, divergent)
    return Verdict(
        rhat={name: rhat for name, (rhat, _) in found.items()},
        ess={name: ess for name, (_, ess) in found.items()},
        prediction_rhat=curve_rhat,
        prediction_ess=curve_ess,
        divergent=divergent,
        sampling=Finding(
            problems, _advice(found, curve_rhat, divergent, length) if problems else ()
        ),
    )


def judge_laplace(scalars, predictions, stats) -> Verdict:
    """Return the verdict on draws of a normal approximation, by their importance weights.

    Pareto k-hat of the weights above .7 means that the approximation misses part of the
    posterior (Vehtari et al. 2024, arXiv 1507.02646).
    """
    weights = (stats["log_density"] - stats["log_proposal"]).ravel()
    finite = np.isfinite(weights)
    k_hat = np.inf if finite.mean() <= 0.5 else -np.inf
    if k_hat < 0 and np.ptp(weights[finite]) > 0:
        _, k_hat = pareto(np.where(finite, weights, weights[finite].min()))
    problems = (f"the normal approximation is off: Pareto k-hat {float(k_hat):.2f} above {ROUGH}",)
    return _quick(problems * bool(k_hat > ROUGH), ("Sample: sampler=NUTS().",))


def judge_map(scalars, predictions, stats) -> Verdict:
    """Return the verdict on a mode: whether one was found."""
    bad = not np.isfinite(stats["log_density"]).all()
    problems = ("no start had a finite density",) * bad
    return _quick(problems, ("Check the units.",))


def judged_anew(fit: Posterior, unidentified: Iterable[Iterable[str]]) -> Health:
    """Return the health of the draws as they are, whatever was found before.

    Parameters
    ----------
    unidentified
        Of each curve, names of parameters of which the data say little.
    """
    verdicts = []
    for (_, one), loose in zip(fit, map(set, unidentified), strict=True):
        known = tuple(name for name in one.model.names if name in loose)
        verdicts.append(replace(_verdict(one), unidentified=known))
    return looked_at(replace(fit, health=Health(tuple(verdicts))))


def looked_at(fit: Posterior) -> Health:
    """Return the health with what the data of each curve say against its law."""
    verdicts = []
    for _, one in fit:
        (verdict,) = one.health.verdicts
        verdicts.append(replace(verdict, fit=look(one.model, one.flat(), one.data.sorted())))
    return Health(tuple(verdicts))


def _verdict(fit: Posterior) -> Verdict:
    """Return the verdict on the fit of one curve."""
    stats, draws = fit.stats, {name: values[None] for name, values in fit.draws.items()}
    if fit.sampling.draws > 1 and not np.isfinite(stats["log_density"]).any():
        return UNREACHED
    lanes = pack(fit.model, fit.data.sorted())[0].data
    how = judge_map if fit.sampling.method == "MAP" else judge
    how = judge_laplace if "log_proposal" in stats else how
    predictions = law_at(fit.law, draws, checked_scales(lanes))[0]
    return how(scalar_quantities(fit.draws), predictions, stats)


def _quick(problems, advice) -> Verdict:
    return Verdict(
        rhat={},
        ess={},
        prediction_rhat=np.nan,
        prediction_ess=np.nan,
        divergent=0.0,
        sampling=Finding(problems, advice if problems else ()),
    )


def _problems(
    found: dict, curve_rhat: float, curve_ess: float, divergent: float
) -> tuple[str, ...]:
    apart = [f"{name} ({rhat:.3f})" for name, (rhat, _) in found.items() if rhat > RHAT]
    few = [f"{name} ({ess:.0f})" for name, (_, ess) in found.items() if ess < ESS]
    problems = []
    if apart:
        problems.append(f"chains disagree: R-hat above {RHAT} for {', '.join(apart)}")
    if few:
        problems.append(f"too few independent draws: ESS below {ESS:.0f} for {', '.join(few)}")
    if curve_rhat > RHAT or curve_ess < ESS:
        problems.append(
            f"the predicted curve is not settled: R-hat {curve_rhat:.3f}, ESS {curve_ess:.0f}"
        )
    elif problems:
        problems.append(f"the predicted curve is settled all the same (R-hat {curve_rhat:.3f})")
    if divergent > DIVERGENT:
        problems.append(f"{divergent:.2%} of draws diverged")
    return tuple(problems)


def _advice(found: dict, curve_rhat: float, divergent: float, length: float) -> tuple[str, ...]:
    worst = max((rhat for rhat, _ in found.values() if np.isfinite(rhat)), default=1.0)
    advice = []
    if length > LONG:
        advice.append(
            f"Trajectories of {length:.0f} steps follow a narrow ridge: pool fewer parameters, fix "
            "or tie one, or take a simpler law."
        )
    if worst > 1.1:
        advice.append(
            "Chains sit in different modes: take a simpler law, fix or tie a parameter, or add "
            "runs at other scales."
        )
    if worst <= 1.1 or curve_rhat <= RHAT:
        advice.append("Draw more: NUTS(warmup=2000, draws=4000) (--draws 4000).")
    if divergent > DIVERGENT:
        advice.append("Take smaller steps: NUTS(target_accept=0.98).")
    return tuple(advice)


def unidentified(model: Model, z: np.ndarray, prior_sd: np.ndarray) -> tuple[str, ...]:
    """Return the parameters whose coordinates the data hardly moved from the prior.

    Parameters
    ----------
    z
        Unconstrained draws without their warps, (chain, draw, size).
    prior_sd
        Of each coordinate.
    """
    ratio = z.reshape(-1, z.shape[-1]).std(0) / prior_sd
    names, start = [], 0
    for site in model.sites:
        loose = ratio[start : start + site.size] > IDENTIFIED
        start += site.size
        if not loose.any():
            continue
        if site.name == "share":
            # Coordinate i of the simplex sets share i against those after it.
            names += [model.shares[i] for i in np.flatnonzero(loose)]
            names += [model.shares[-1]] * bool(loose[-1])
        else:
            names.append(model.shares[0] if site.name == "level" else site.name)
    return tuple(dict.fromkeys(names))
