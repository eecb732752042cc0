"""Answers against brute force: plain NumPy on a dense grid, written from what the docstrings say.

Laws are written again from their formulas, so that neither a question nor what evaluates a law is
trusted. Draws are of constructed posteriors, wide enough to hold every shape that a law can have.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit, logit

from bayescale.data.dataset import Dataset
from bayescale.laws import (
    broken_accuracy,
    chinchilla,
    data_constrained,
    distractor,
    from_loss,
    inverse,
    inverted_u,
    kaplan,
    power,
    sigmoid,
)
from bayescale.laws.broken import broken
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import student
from bayescale.posterior.bends import KNOTS, with_misfit
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.threshold import threshold

DRAWS = 60
POINTS = 8_001
X = np.geomspace(1e8, 1e11, 9)
LOSS = np.geomspace(4.0, 2.0, 9)


def posterior_of(law, draws, inputs=None):
    """A posterior whose draws, (draw, ...) each, are given."""
    inputs = dict.fromkeys(law.inputs, X) if inputs is None else inputs
    unit = law.support == "unit"
    rows = len(next(iter(inputs.values())))
    data = Dataset(inputs, {"y": np.full(rows, 0.5)}, n=np.full(rows, 100.0) if unit else None)
    draws = {k: np.asarray(v, float)[None] for k, v in draws.items()}
    lead = next(iter(draws.values())).shape[:2]
    noise = {"rho": 0.01} if unit else {"sigma": 0.01, "nu": 20.0}
    draws |= {k: np.full(lead, v) for k, v in noise.items()}
    run = SamplingInfo(0, "NUTS", *lead, "float64", "cpu", {}, {}, 1.0)
    health = Health((Verdict({}, {}, 1.0, 999.0, 0.0),))
    return Posterior(Model(law, beta_binomial if unit else student), data, draws, {}, health, run)


# ------------------------------------------------------------------ the formulas, once more


def s(t):
    return 1 / (1 + np.exp(-np.clip(t, -700, 700)))


def two_tasks(x, first, last, d, x50, gap, k):
    true, other = s(k * np.log(x / x50)), s(k * (np.log(x / x50) + gap))
    return true * last + (1 - true) * ((1 - other) * first + other * d)


def broken_power(x, b, c0, c, d, f):
    """Of one break."""
    return b * x**-c0 * (1 + (x / d[:, 0]) ** (1 / f[:, 0])) ** (-c[:, 0] * f[:, 0])


def repeated(N, D, U, *, E, A, B, alpha, beta, R_D, R_N):
    U = np.minimum(U, D)
    D_eff = U + U * R_D * (1 - np.exp(-(D / U - 1) / R_D))
    U_N = np.minimum(N, (alpha * A / (beta * B)) ** (1 / alpha) * U ** (beta / alpha))
    N_eff = U_N + U_N * R_N * (1 - np.exp(-(N / U_N - 1) / R_N))
    return E + A / N_eff**alpha + B / D_eff**beta


def uniform(rng, lo, hi):
    return rng.uniform(lo, hi, DRAWS)


def log_uniform(rng, lo, hi):
    return np.exp(rng.uniform(np.log(lo), np.log(hi), DRAWS))


def between(rng, lo, hi):
    return lo + (hi - lo) * rng.uniform(0, 1, DRAWS)


def rise(rng):
    g = uniform(rng, 0.0, 0.5)
    return dict(g=g, x50=log_uniform(rng, 1e7, 1e17), k=log_uniform(rng, 0.3, 4.0)), g


def draws_of(name, seed=0):
    """Draws of a law's parameters, and the curve as a function of its scale, (point, draw)."""
    rng = np.random.default_rng([seed, len(name)])
    if name in ("sigmoid", "inverse"):
        p, g = rise(rng)
        end = between(rng, g, 1) if name == "sigmoid" else between(rng, 0, 0.9)
        p["g"] = g if name == "sigmoid" else between(rng, end, 1)
        p["u" if name == "sigmoid" else "d"] = end
        return p, lambda x: p["g"] + (end - p["g"]) * s(p["k"] * np.log(x / p["x50"]))
    if name in ("distractor", "inverted_u"):
        p, g = rise(rng)
        p["gap"] = log_uniform(rng, 0.7, 12.0)
        if name == "distractor":
            p["g"] = g = uniform(rng, 0.2, 0.8)
            p |= dict(d=between(rng, 0, g), u=between(rng, g, 1))
        else:
            p["d"] = between(rng, g, 1)
            p["u"] = between(rng, 0, p["d"])
        return p, lambda x: two_tasks(x, p["g"], p["u"], p["d"], p["x50"], p["gap"], p["k"])
    if name in ("broken", "broken_accuracy"):
        rough = dict(c0=rng.normal(0, 0.4, DRAWS), c=rng.normal(0, 0.8, (DRAWS, 1)))
        rough |= dict(d=log_uniform(rng, 1e8, 1e11)[:, None], f=log_uniform(rng, 0.1, 2)[:, None])
        h = log_uniform(rng, 0.1, 4.0)
        rough["b"] = h / broken_power(1e10, 1.0, **rough)
        if name == "broken":
            rough["a"] = uniform(rng, 0.0, 1.0)
            return rough, lambda x: rough["a"] + broken_power(x, **without(rough, "a"))
        rough["g"] = g = uniform(rng, 0.0, 0.5)
        rough["u"] = u = between(rng, g, 1)
        shape = without(rough, "g", "u")
        return rough, lambda x: g + (u - g) * np.exp(-broken_power(x, **shape))
    if name == "power":
        p = dict(E=uniform(rng, 0.0, 2.5), alpha=log_uniform(rng, 0.02, 0.5))
        p["A"] = log_uniform(rng, 0.1, 4.0) * 1e10 ** p["alpha"]
        return p, lambda x: p["E"] + p["A"] * x ** -p["alpha"]
    if name == "from_loss":
        p = dict(g=uniform(rng, 0.0, 0.5), L0=uniform(rng, 0.5, 6), k=log_uniform(rng, 1, 30))
        p["u"] = between(rng, p["g"], 1)
        return p, lambda x: p["g"] + (p["u"] - p["g"]) * s(p["k"] * (p["L0"] - x))
    if name == "kaplan":
        p = dict(N_c=log_uniform(rng, 1e12, 1e15), D_c=log_uniform(rng, 1e12, 1e15))
        p |= dict(alpha_N=log_uniform(rng, 0.03, 0.3), alpha_D=log_uniform(rng, 0.05, 0.3))
        size = p["alpha_N"] / p["alpha_D"]
        return p, lambda x: ((p["N_c"] / x) ** size + p["D_c"] / (20 * x)) ** p["alpha_D"]
    p = dict(E=uniform(rng, 1.0, 2.6), A=log_uniform(rng, 50, 2e3), B=log_uniform(rng, 100, 5e3))
    p |= dict(alpha=uniform(rng, 0.2, 0.5), beta=uniform(rng, 0.2, 0.5))
    if name == "chinchilla":
        return p, lambda x: p["E"] + p["A"] / x ** p["alpha"] + p["B"] / 1e10 ** p["beta"]
    p |= dict(R_D=log_uniform(rng, 1, 100), R_N=log_uniform(rng, 1, 100))
    return p, lambda x: repeated(x, 20 * x, 1e10, **p)


def without(values, *names):
    return {k: v for k, v in values.items() if k not in names}


LAWS = {
    # name: law, levels, the other inputs
    "sigmoid": (sigmoid, (0.3, 0.6), {}),
    "inverse": (inverse, (0.3, 0.6), {}),
    "distractor": (distractor, (0.2, 0.5), {}),
    "inverted_u": (inverted_u, (0.2, 0.5), {}),
    "broken_accuracy": (broken_accuracy(1), (0.2, 0.5), {}),
    "broken": (broken(1, monotone=False), (1.0, 3.0), {}),
    "power": (power(), (2.0, 4.0), {}),
    "chinchilla": (chinchilla, (2.0, 3.0), {"D": 1e10}),
    "data_constrained": (data_constrained, (2.0, 3.0), {"D": "20*N", "U": 1e10}),
    "kaplan": (kaplan, (1.5, 2.5), {"D": "20*N"}),
    "from_loss": (from_loss, (0.3, 0.6), {}),
}


def made(name, seed=0):
    """The posterior of a law's draws, its curve, and what the law's other inputs are."""
    law, levels, others = LAWS[name]
    p, curve = draws_of(name, seed)
    inputs = {"L": LOSS} if name == "from_loss" else None
    by = law.inputs[0]
    return SimpleNamespace(
        posterior=posterior_of(law, p, inputs), curve=curve, levels=levels, at=others, by=by
    )


def followed(curve, level, direction, worst, horizon):
    """For each draw: past the level from the start, short of it at the end, and the last crossing.

    "For each draw the curve is followed from the smallest run to a horizon, and the last crossing
    counts. A draw crosses at a scale, or is past the level from the start (already), or is short
    of it at the horizon (never)."
    """
    scales = np.geomspace(worst, horizon, POINTS)
    values = curve(scales[:, None])  # (point, draw)
    past = values >= level if direction == "up" else values <= level
    already, never = past.all(0), ~past[-1]
    log10 = np.full(values.shape[1], np.nan)
    for i in np.flatnonzero(~already & ~never):
        last = np.flatnonzero(~past[:, i])[-1]
        log10[i] = np.log10(scales[last : last + 2]).mean()
    return already, never, log10


def narrow(curve, level, worst, horizon):
    """Draws that are past the level, or short of it, for less than a fiftieth of a decade.

    "A bump narrower than that is not seen": such draws are told apart by neither search.
    """
    values = curve(np.geomspace(worst, horizon, POINTS)[:, None])
    decades, found = abs(np.log10(horizon / worst)), []
    for draw in (values >= level).T:
        passes = np.flatnonzero(np.diff(draw))
        found.append(len(passes) > 1 and np.diff(passes).min() * decades / POINTS < 1 / 50)
    return np.array(found)


def check_told(found, late, weights, less):
    """What is told of draws: `late` is log10 of each one's scale, or -inf, or inf."""
    weights = weights / weights.sum()
    told = found.forecast
    assert told.p_already == pytest.approx(weights[late == -np.inf].sum(), abs=1e-9)
    assert told.p_never == pytest.approx(weights[late == np.inf].sum(), abs=1e-9)
    by = late if not less else np.where(np.isfinite(late), -late, late)
    for x in found.grid[::40]:
        at = -np.log10(x) if less else np.log10(x)
        clear = np.abs(by - at) > 1e-3
        lo, hi = (weights[clear & (by <= at)].sum(), weights[~clear | (by <= at)].sum())
        assert lo - 1e-9 <= found.p_unlocked_by(x) <= hi + 1e-9
    order = np.argsort(by)
    reached = np.cumsum(weights[order])
    for mass, said in ((0.05, told.lo), (0.5, told.median), (0.95, told.hi)):
        expected = late[order][np.flatnonzero(reached >= mass - 1e-9)[0]]
        assert said == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("name", LAWS)
def test_already_never_and_the_last_crossing(name, direction):
    one, less = made(name), name == "from_loss"
    worst, horizon = (4.0, 1.0) if less else (1e8, 1e15)
    step = abs(np.log10(horizon / worst)) / (POINTS - 1)
    for level in one.levels:
        found = threshold(one.posterior, level, by=one.by, at=one.at, direction=direction)
        assert (found.grid[0], found.horizon) == pytest.approx((worst, horizon))
        already, never, log10 = followed(one.curve, level, direction, worst, horizon)
        sure = ~narrow(one.curve, level, worst, horizon)
        assert sure.mean() > 0.9
        np.testing.assert_array_equal(found.already[sure], already[sure])
        np.testing.assert_array_equal(found.never[sure], never[sure])
        np.testing.assert_allclose(found.log10_scale[sure], log10[sure], atol=step)
        late = np.where(already, -np.inf, np.where(never, np.inf, log10))
        own = np.where(found.less_is_better, -1, 1) * found.unlock
        late = np.where(sure, late, np.where(np.isfinite(own), own, found.unlock))
        check_told(found, late, np.ones(DRAWS), less)


def test_every_outcome_is_among_those_compared():
    """The laws above hold draws that are already past, that never are, and that cross."""
    for name in ("distractor", "inverted_u", "broken_accuracy", "power", "chinchilla"):
        one = made(name)
        both = [
            threshold(one.posterior, level, by=one.by, at=one.at, direction=direction)
            for level in one.levels
            for direction in ("up", "down")
        ]
        for outcome in ("already", "never"):
            assert any(getattr(found, outcome).any() for found in both), (name, outcome)
        assert any(np.isfinite(found.log10_scale).sum() > 5 for found in both), name


def test_a_mixture_counts_each_draw_with_the_weight_of_its_law():
    weights = {"sigmoid": 0.5, "distractor": 0.3, "broken_accuracy": 0.2}
    parts = {name: made(name, seed=1) for name in weights}
    found = threshold(mix({k: one.posterior for k, one in parts.items()}, weights), 0.4)
    assert found.direction == "up"
    late = []
    for name, one in parts.items():
        already, never, log10 = followed(one.curve, 0.4, "up", 1e8, 1e15)
        late.append(np.where(already, -np.inf, np.where(never, np.inf, log10)))
        told = found.members[name]
        assert told.p_never == pytest.approx(never.mean())
        assert told.p_already == pytest.approx(already.mean())
    share = np.repeat([*weights.values()], DRAWS) / DRAWS
    check_told(found, np.concatenate(late), share, less=False)


def test_a_misfit_bends_what_lies_beyond_the_data_alone():
    """Beyond the largest run the log odds wander off, one path a draw; nothing is lost."""
    one = made("distractor", seed=2)
    wider = with_misfit(one.posterior, 1.0, seed=3)
    (draws,) = wider.bends.draws  # one chain
    slopes = [np.zeros(len(draws))]
    for i, gap in enumerate(np.diff(KNOTS), 1):
        stay = np.exp(-gap / 4)
        slopes.append(stay * slopes[-1] + np.sqrt(1 - stay**2) * draws[:, i])
    v, width = np.transpose(slopes), np.diff(KNOTS)
    whole = np.cumsum((v[:, 1:] + v[:, :-1]) / 2 * width, 1)
    whole = np.concatenate([np.zeros((len(v), 1)), whole], 1)

    def delta(t):
        at = np.clip(np.searchsorted(KNOTS, t, side="right") - 1, 0, len(KNOTS) - 2)
        gone, rows = t - KNOTS[at], np.arange(len(v))[None]
        rate = (v[rows, at + 1] - v[rows, at]) / width[at]
        return whole[rows, at] + v[rows, at] * gone + rate * gone**2 / 2

    def curve(x):
        own = one.curve(x)
        t = np.broadcast_to(np.log(np.maximum(x / 1e11, 1.0)), own.shape)
        bent = expit(logit(own) + delta(t))
        return np.where(t > 1e-6, np.maximum(bent, np.minimum(own, one.curve(1e11 + 0 * x))), own)

    found = threshold(wider, 0.4)
    already, never, log10 = followed(curve, 0.4, "up", 1e8, 1e15)
    np.testing.assert_array_equal(found.already, already)
    np.testing.assert_array_equal(found.never, never)
    np.testing.assert_allclose(found.log10_scale, log10, atol=7 / (POINTS - 1))


@pytest.mark.parametrize("name", ["power", "chinchilla", "sigmoid", "inverse"])
def test_which_draws_no_scale_brings_past_the_level(name):
    """Their limits are known: E, E + B/D^beta, u and d."""
    one = made(name)
    p = {k: v[0] for k, v in one.posterior.draws.items()}
    limit = {"power": "E", "sigmoid": "u", "inverse": "d"}.get(name)
    limit = p[limit] if limit else p["E"] + p["B"] / 1e10 ** p["beta"]
    for level in one.levels:
        found = threshold(one.posterior, level, by=one.by, at=one.at)
        short = limit < level if found.direction == "up" else limit > level
        np.testing.assert_array_equal(found.limit_short, found.never & short)
