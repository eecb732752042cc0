"""`relate` and `conditions` recomputed from draws: plain NumPy, written from the docstrings.

Draws vary in every parameter, as those of a posterior do.
"""

import numpy as np
import pytest

from bayescale.data.dataset import Dataset
from bayescale.laws import distractor, from_loss, inverse, power, sigmoid, two_stage
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial, scale_scatter
from bayescale.noises.loss import student
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.conditions import conditions
from bayescale.questions.kinds import KINDS
from bayescale.questions.relate import relate

DRAWS = 500
"""As many as `relate` uses."""
RNG = np.random.default_rng(5)
LOSS = np.sort(RNG.uniform(2.3, 3.7, 16))[::-1]


def s(t):
    return 1 / (1 + np.exp(-np.clip(t, -700, 700)))


def posterior_of(law, noise, draws, data, *, further=(), pool=(), groups=0):
    draws = {k: np.asarray(v, float)[None] for k, v in draws.items()}
    run = SamplingInfo(
        0, "NUTS", *next(iter(draws.values())).shape[:2], "float64", "cpu", {}, {}, 1.0
    )
    health = Health((Verdict({}, {}, 1.0, 999.0, 0.0),))
    return Posterior(Model(law, noise, further, tuple(pool), groups), data, draws, {}, health, run)


# ------------------------------------------------------------------ loss and task


def curve_draws(draws=DRAWS):
    """Draws of an accuracy that follows from the loss, with the scatter of both noises."""
    g = RNG.uniform(0.2, 0.35, draws)
    return dict(
        g=g,
        u=g + RNG.uniform(0.3, 0.6, draws),
        L0=RNG.uniform(2.7, 3.2, draws),
        k=np.exp(RNG.uniform(np.log(2), np.log(12), draws)),
        rho=np.exp(RNG.uniform(np.log(0.002), np.log(0.05), draws)),
        tau=RNG.uniform(0.02, 0.2, draws),
    )


def rise(p, loss):
    """g + (u - g) s(k (L0 - L)), (draw, row); constants are (draw,)."""
    g, u, L0, k = (p[name][:, None] for name in ("g", "u", "L0", "k"))
    return g + (u - g) * s(k * (L0 - loss))


def overdispersion(p, tau_of=None):
    """The share of p (1 - p) by which true accuracies vary, (draw, row).

    Under `beta_binomial` it is rho; under `scale_scatter` v/(1 + v) with v = rho + Var p(log x +
    tau z)/(p (1 - p)), z standard normal by three-point Gauss-Hermite quadrature.
    """
    rho = p["rho"][:, None]
    if tau_of is None:
        return rho
    z, weights = np.array([-(3**0.5), 0, 3**0.5]), np.array([1, 4, 1]) / 6
    at = np.stack([tau_of(each) for each in z])
    mean = np.tensordot(weights, at, 1)
    v = rho + np.tensordot(weights, (at - mean) ** 2, 1) / (at[1] * (1 - at[1]))
    return v / (1 + v)


def recomputed(found, accuracy, share, loss, repeats=40):
    """Compare R^2 draw by draw, and discordance with accuracies drawn over and over.

    R^2 = V / (V + mean_i v_i), V the variance of p over the models, v_i that of true accuracies;
    discordance is the share of a_i < a_j among the pairs with L_i < L_j.
    """
    explained = accuracy.var(1, ddof=1)
    between = share * accuracy * (1 - accuracy)
    np.testing.assert_allclose(found.r2, explained / (explained + between.mean(1)), rtol=1e-4)
    size = 1 / share - 1  # a beta distribution of that mean and variance
    a = np.random.default_rng(9).beta(
        accuracy * size, (1 - accuracy) * size, (repeats, *accuracy.shape)
    )
    low, high = np.array(
        [(i, j) for i in range(len(loss)) for j in range(len(loss)) if loss[i] < loss[j]]
    ).T
    worse = a[..., low] < a[..., high]  # (repeat, draw, pair)
    one = worse.mean((0, 2))
    se = worse.mean(2).std(0).mean() / len(one) ** 0.5
    assert found.discordance.mean() == pytest.approx(one.mean(), abs=5 * se)
    # Its spread over draws is that of single drawings, not of their mean.
    for q in (0.05, 0.5, 0.95):
        expected = np.quantile(worse.mean(2), q)
        assert np.quantile(found.discordance, q) == pytest.approx(expected, abs=0.02)
    gap = loss[high] - loss[low]
    inside, told = np.zeros(len(gap), bool), []
    for lo, hi, first, median, last in found.by_gap:
        of = ((gap > lo) | (not told) & (gap == lo)) & (gap <= hi)
        assert of.mean() == pytest.approx(0.25, abs=0.02)  # bins are quantiles
        ends = np.quantile(worse[..., of].mean(2), [0.05, 0.5, 0.95])
        np.testing.assert_allclose((first, median, last), ends, atol=0.04)
        inside |= of
        told.append(median)
    assert inside.all()


@pytest.mark.parametrize("noise", [beta_binomial, scale_scatter])
def test_r2_and_discordance_of_an_accuracy_told_from_a_loss(noise):
    p = curve_draws()
    measured = rise({k: v[:1] for k, v in p.items()}, LOSS)[0] + RNG.normal(0, 0.1, len(LOSS))
    data = Dataset({"L": LOSS}, {"acc": measured}, n=np.full(len(LOSS), 50.0))
    own = ("g", "u", "L0", "k", *noise.parameters)
    found = relate(posterior_of(from_loss, noise, {name: p[name] for name in own}, data))
    at = None
    if noise is scale_scatter:
        at = lambda z: rise(p, LOSS * np.exp(p["tau"][:, None] * z))  # noqa: E731
    recomputed(found, rise(p, LOSS), overdispersion(p, at), LOSS)
    low, high = np.array([(i, j) for i in range(16) for j in range(16) if LOSS[i] < LOSS[j]]).T
    assert found.observed == pytest.approx(np.mean(measured[low] < measured[high]))


def test_r2_and_discordance_of_two_stages():
    """Given the loss that was measured; models scatter in scale as they were fitted to."""
    p, x = curve_draws(), np.geomspace(1e7, 1e10, 16)
    p |= dict(E=RNG.uniform(1.7, 1.9, DRAWS), alpha=RNG.uniform(0.15, 0.25, DRAWS))
    p["A"] = 40.0 * 1e8 ** (p["alpha"] - 0.2)
    loss = 1.8 + 40 * x**-0.2 + RNG.normal(0, 0.05, 16)
    data = Dataset({"x": x}, {"accuracy": np.full(16, 0.5), "loss": loss}, n=np.full(16, 50.0))
    draws = p | dict(sigma=np.full(DRAWS, 0.02), nu=np.full(DRAWS, 20.0))
    found = relate(posterior_of(two_stage(), scale_scatter, draws, data, further=(student,)))

    def first(x):
        E, A, alpha = (p[name][:, None] for name in ("E", "A", "alpha"))
        return E + A * x**-alpha

    def at(z):
        return rise(p, loss + first(x * np.exp(p["tau"][:, None] * z)) - first(x))

    recomputed(found, rise(p, loss), overdispersion(p, at), loss)


def test_r2_where_each_group_has_its_own_curve():
    p, group = curve_draws(), np.resize(["a", "b"], 16).astype(object)
    shift = RNG.normal(0, 0.05, (DRAWS, 2))
    draws = p | {"L0_sd": np.full(DRAWS, 0.05), "L0_shift": shift}
    data = Dataset({"L": LOSS}, {"acc": np.full(16, 0.5)}, n=np.full(16, 50.0), group=group)
    fit = posterior_of(from_loss, beta_binomial, draws, data, pool=("L0",), groups=2)
    accuracy = np.empty((DRAWS, 16))
    for i, name in enumerate("ab"):
        rows = group == name
        accuracy[:, rows] = rise(p | {"L0": p["L0"] * np.exp(shift[:, i])}, LOSS[rows])
    recomputed(relate(fit), accuracy, overdispersion(p), LOSS)


# ------------------------------------------------------------------ conditions

X = np.geomspace(1e8, 1e12, 9)
NAMES, LEVEL = ("cloze", "letters"), 0.5


def reached(away, far):
    """Share of the range at which a curve, joined by lines, is first so far away."""
    i = next(i for i, value in enumerate(away) if i and value >= far - 1e-12)
    return (i - 1 + (far - away[i - 1]) / (away[i] - away[i - 1])) / (len(away) - 1)


def kinds_of(curves, cut=0.05, wait=1 / 3):
    """The kinds as `kinds` defines them, draw by draw and point by point."""
    found = []
    for y in curves:
        rise, fall, bottom, top, low = 0.0, 0.0, 0, y[0], y[0]
        for i, value in enumerate(y):
            top, low = max(top, value), min(low, value)
            if top - value > fall:
                fall, bottom = top - value, i
            rise = max(rise, value - low)
        gone = y - y[0]
        away = -gone if -gone.min() > gone.max() else gone
        near = min(cut, away.max() / 2)
        late = rise >= cut and 2 * reached(away, near) - reached(away, 2 * near) >= wait
        again = y[bottom:].max() - y[bottom] >= cut
        if rise >= cut and fall >= cut:
            found.append("u_shaped" if again else "inverted_u")
        elif rise >= cut:
            found.append("emergent" if late else "steady")
        else:
            found.append("inverse" if fall >= cut else "flat")
    return np.array(found)


def sigmoids(rng, draws):
    g = rng.uniform(0.1, 0.4, draws)
    p = dict(g=g, u=g + (1 - g) * rng.uniform(0.3, 1, draws), k=rng.uniform(0.4, 4, draws))
    return p | dict(x50=10 ** rng.uniform(8, 15, draws))


def distractors(rng, draws):
    p = sigmoids(rng, draws)
    return p | dict(d=p["g"] * rng.uniform(0, 1, draws), gap=rng.uniform(1, 8, draws))


def at_scales(name, p, x):
    """The curve of one law, (draw, point)."""
    p = {k: v[:, None] for k, v in p.items()}
    t = p["k"] * np.log(x / p["x50"])
    if name == "sigmoid":
        return p["g"] + (p["u"] - p["g"]) * s(t)
    if name == "inverse":
        return p["g"] + (p["d"] - p["g"]) * s(t)
    true, other = s(t), s(t + p["k"] * p["gap"])
    return true * p["u"] + (1 - true) * ((1 - other) * p["g"] + other * p["d"])


def pooled(law, p, x50, g):
    """A fit of two conditions whose x50 differ by x50 in logs, and whose g by g in logits."""
    draws = len(p["g"])
    group = np.repeat(NAMES, len(X)).astype(object)
    rows = 2 * len(X)
    y, n = np.full(rows, 0.5), np.full(rows, 99.0)
    data = Dataset({"x": np.tile(X, 2)}, {"y": y}, n=n, group=group)
    more = dict(rho=np.full(draws, 0.01), x50_sd=np.ones(draws), g_sd=np.ones(draws))
    more |= dict(x50_shift=x50, g_shift=g)
    return posterior_of(law, beta_binomial, p | more, data, pool=("x50", "g"), groups=2)


def under(p, x50, g, i):
    """The parameters under one condition: log-scale x50 and logit-scale g, moved."""
    return p | dict(x50=p["x50"] * np.exp(x50[:, i]), g=s(np.log(p["g"] / (1 - p["g"])) + g[:, i]))


def late_of(curves, scales, level):
    """How late each draw stays at the level or above: -inf already, inf never."""
    past = curves >= level
    last = np.array([np.flatnonzero(~row)[-1] if not row.all() else 0 for row in past])
    found = np.log10(scales)[np.minimum(last + 1, len(scales) - 1)]
    return np.where(past.all(1), -np.inf, np.where(past[:, -1], found, np.inf))


def weighted(values, weights, level):
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return values[order][np.flatnonzero(reached >= level - 1e-9)[0]]


@pytest.fixture(scope="module")
def compared():
    """The answer on a mixture of two laws, and what each draw says under either condition."""
    rng, draws, weights = np.random.default_rng(1), 80, {"sigmoid": 0.35, "distractor": 0.65}
    laws = {"sigmoid": (sigmoid, sigmoids), "distractor": (distractor, distractors)}
    fits, said = {}, {name: [] for name in NAMES}
    near, far = np.geomspace(1e8, 1e12, 257), np.geomspace(1e8, 1e16, 8_001)
    shifts = {}
    for name, (law, make) in laws.items():
        p = make(rng, draws)
        x50, g = rng.normal(0, 1.5, (draws, 2)), rng.normal(0, 0.4, (draws, 2))
        fits[name], shifts[name] = pooled(law, p, x50, g), (x50, g)
        for i, condition in enumerate(NAMES):
            own = under(p, x50, g, i)
            kinds = kinds_of(at_scales(name, own, near))
            said[condition].append((kinds, late_of(at_scales(name, own, far), far, LEVEL)))
    joined = {k: tuple(map(np.concatenate, zip(*v, strict=True))) for k, v in said.items()}
    share = np.repeat([*weights.values()], draws) / draws
    found = conditions(mix(fits, weights), level=LEVEL, reference="cloze")
    return found, joined, share, shifts


def test_kinds_and_thresholds_of_each_condition(compared):
    found, said, share, _ = compared
    for name in NAMES:
        kinds, late = said[name]
        for kind in KINDS:
            expected = share[kinds == kind].sum()
            assert found.kinds[name].kinds[kind] == pytest.approx(expected, abs=1e-9)
        told = found.thresholds[name].forecast
        assert told.p_never == pytest.approx(share[late == np.inf].sum())
        assert told.p_already == pytest.approx(share[late == -np.inf].sum())
        for level, end in ((0.05, told.lo), (0.5, told.median), (0.95, told.hi)):
            assert end == pytest.approx(weighted(late, share, level), abs=2e-3)


def test_what_differs_between_conditions(compared):
    found, said, share, shifts = compared
    change = found.changes["letters"]
    (one, before), (other, after) = (said[name] for name in NAMES)
    for i, row in enumerate(KINDS):
        for j, column in enumerate(KINDS):
            expected = share[(one == row) & (other == column)].sum()
            assert change.joint[i, j] == pytest.approx(expected, abs=1e-9)
    assert change.p_differs == pytest.approx(share[one != other].sum())
    pairs = {(a, b): share[(one == a) & (other == b)].sum() for a in KINDS for b in KINDS if a != b}
    assert change.likeliest[:2] == max(pairs, key=pairs.get)
    with np.errstate(invalid="ignore"):
        later = after - before
    known = ~np.isnan(later)
    delay = change.delay()
    assert delay["share"] == pytest.approx(share[known].sum())
    same = np.abs(later) < 2e-3  # nearer than the grid can tell
    for level, end in ((0.05, "lo"), (0.5, "median"), (0.95, "hi")):
        expected = weighted(later[known], share[known], level)
        assert delay[end] == pytest.approx(expected if np.isfinite(expected) else None, abs=4e-3)
    p = share[known & (later > 0)].sum() / share[known].sum()
    assert delay["p_later"] == pytest.approx(p, abs=share[known & same].sum() + 1e-9)
    for law, (x50, g) in shifts.items():
        for name, values, unit in (("x50", x50, np.log(10)), ("g", g, 1.0)):
            apart = (values[:, 1] - values[:, 0]) / unit
            told = change.shifts[law][name].summary()
            assert told["median"] == pytest.approx(np.median(apart))
            assert told["p_above"] == pytest.approx(np.mean(apart > 0))
            assert told["lo"] == pytest.approx(np.quantile(apart, 0.05))


def test_how_often_kinds_differ_before_the_data(compared):
    """Laws are equally likely before; two conditions scatter by the prior of their spread."""
    found, *_ = compared
    rng, draws, differs = np.random.default_rng(2), 4000, []
    z = rng.normal(size=draws)

    def positive(lo, hi):  # log-normal, 90 % between
        return np.exp((np.log(lo * hi) + np.log(hi / lo) / 1.6449 * rng.normal(size=draws)) / 2)

    for name in ("sigmoid", "distractor"):
        above = 0.02 * np.exp(1.5 * z)  # of a chance of 0
        p = dict(g=above / (1 + above), k=positive(0.2, 5))
        p["u"] = 1 - (1 - p["g"]) * rng.beta(1, 6, draws)
        p["x50"] = 1e12 * 10 ** np.clip(rng.standard_t(2, draws), -30, 30)
        p |= dict(d=p["g"] * rng.uniform(0, 1, draws), gap=positive(0.7, 10))
        x50 = positive(0.1, 3)[:, None] * rng.normal(size=(draws, 2))
        g = positive(0.05, 1)[:, None] * rng.normal(size=(draws, 2))
        scales = np.geomspace(1e8, 1e12, 257)
        one, other = (kinds_of(at_scales(name, under(p, x50, g, i), scales)) for i in (0, 1))
        differs.append(np.mean(one != other))
    assert found.p_differs_before == pytest.approx(np.mean(differs), abs=0.03)


def test_conditions_that_fall_are_asked_where_they_are_lost():
    rng, draws = np.random.default_rng(4), 60
    p = dict(g=rng.uniform(0.6, 0.99, draws), k=rng.uniform(0.4, 3, draws))
    p |= dict(d=p["g"] * rng.uniform(0, 0.6, draws), x50=10 ** rng.uniform(9, 14, draws))
    x50, g = rng.normal(0, 1.0, (draws, 2)), rng.normal(0, 0.2, (draws, 2))
    found = conditions(pooled(inverse, p, x50, g), level=LEVEL)
    scales = np.geomspace(1e8, 1e16, 8_001)
    late = [-at_scales("inverse", under(p, x50, g, i), scales) for i in (0, 1)]
    late = [late_of(each, scales, -LEVEL) for each in late]
    for name, each in zip(NAMES, late, strict=True):
        told = found.thresholds[name]
        assert told.direction == "down"
        median = weighted(each, np.ones(draws), 0.5)
        assert told.forecast.median == pytest.approx(median, abs=2e-3)
        assert told.forecast.p_never == pytest.approx(np.mean(each == np.inf))
        assert told.forecast.p_already == pytest.approx(np.mean(each == -np.inf))
    assert "direction" in [note.kind for note in found.notes]
    assert "stays below 0.5" in str(found)
    up = conditions(pooled(inverse, p, x50, g), level=LEVEL, direction="up")
    assert up.thresholds["cloze"].direction == "up"


def test_a_loss_that_falls_under_both_conditions_is_asked_below_the_level():
    draws, rng = 40, np.random.default_rng(3)
    alpha = rng.uniform(0.05, 0.3, draws)
    p = dict(E=rng.uniform(0.5, 2, draws), A=2.0 * 1e8**alpha, alpha=alpha)
    shift = rng.normal(0, 0.2, (draws, 2))
    rows, group = 2 * len(X), np.repeat(NAMES, len(X)).astype(object)
    data = Dataset({"x": np.tile(X, 2)}, {"y": np.full(rows, 2.0)}, group=group)
    more = dict(sigma=np.full(draws, 0.01), nu=np.full(draws, 20.0))
    more |= dict(alpha_sd=np.ones(draws), alpha_shift=shift)
    fit = posterior_of(power(), student, p | more, data, pool=("alpha",), groups=2)
    found, scales = conditions(fit, level=2.0), np.geomspace(1e8, 1e16, 8_001)
    for i, name in enumerate(NAMES):
        own = (alpha * np.exp(shift[:, i]))[:, None]
        late = late_of(-(p["E"][:, None] + p["A"][:, None] * scales**-own), scales, -2.0)
        told = found.thresholds[name]
        assert told.direction == "down"
        finite = np.isfinite(late)
        np.testing.assert_allclose(told.log10_scale[finite], late[finite], atol=2e-3)
        assert told.forecast.p_never == pytest.approx(np.mean(late == np.inf))
