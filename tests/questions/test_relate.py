"""Relations of constructed draws, whose R^2 and discordance are known."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from bayescale.data.dataset import Dataset
from bayescale.laws import breakthrough, chinchilla, from_loss, power, sigmoid, two_stage
from bayescale.misfit.misfit import Finding
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial, bimodal, binomial, bounded, scale_scatter
from bayescale.noises.loss import normal, student
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import positive
from bayescale.posterior.health import FailedFit, Health, Verdict
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.relate import relate

LOSS = np.array([3.9, 3.6, 3.4, 3.1, 2.9, 2.6, 2.5])
CURVE = {"g": 0.3, "u": 0.9, "L0": 3.0, "k": 4.0}
GROUND = {"E": 1.8, "A": 50.0, "alpha": 0.2}


def values(loss=LOSS, g=0.3, u=0.9, L0=3.0, k=4.0):
    return g + (u - g) * expit(k * (L0 - loss))


def posterior_of(law, noise, params, data, *, draws=3, ok=True, further=(), pool=(), groups=0):
    """A posterior whose draws are all the same, or given one by one."""
    params = {k: np.broadcast_to(np.asarray(v, float), (1, draws)) for k, v in params.items()}
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, (), Finding(() if ok else ("bad",)))
    run = SamplingInfo(0, "NUTS", 1, draws, "float64", "cpu", {}, {}, 1.0)
    model = Model(law, noise, further, pool, groups)
    return Posterior(model, data, params, {}, Health((verdict,)), run)


def table(loss=LOSS, accuracy=None, name="L", n=100.0, **others):
    accuracy = np.full(len(loss), 0.5) if accuracy is None else accuracy
    n = None if n is None else np.full(len(loss), n)
    return Dataset({name: loss}, {"acc": accuracy}, n=n, **others)


def one_curve(noise=beta_binomial, own=None, loss=LOSS, draws=3, **curve):
    own = {"rho": 0.01} if own is None else own
    return posterior_of(from_loss, noise, CURVE | curve | own, table(loss), draws=draws)


def share(mean, variance):
    return mean.var(ddof=1) / (mean.var(ddof=1) + np.mean(variance))


# ------------------------------------------------------------------ the two figures


def test_r2_leaves_the_sampling_of_questions_out():
    p, rho = values(), np.array([0.001, 0.02, 0.2])
    expected = [share(p, r * p * (1 - p)) for r in rho]
    for n in (5.0, 10_000.0):
        few = posterior_of(from_loss, beta_binomial, CURVE | {"rho": rho}, table(n=n))
        np.testing.assert_allclose(relate(few).r2, expected, rtol=1e-9)
    for noise, own, v in (
        (normal, {"sigma": 0.05}, 0.05**2),
        (bounded, {"rho": 0.01}, 0.01 * p * (1 - p)),
        (bimodal, {"rho": 0.0}, (p - 0.3) * (0.9 - p)),
    ):
        data = table(n=100.0 if noise.counts else None, stderr=np.full(7, 0.1))
        found = relate(posterior_of(from_loss, noise, CURVE | own, data))
        np.testing.assert_allclose(found.r2, share(p, v), rtol=1e-5)


def test_r2_agrees_with_accuracies_drawn_on_many_questions():
    posterior = one_curve(scale_scatter, {"tau": 0.1, "rho": 0.003}, draws=1)
    columns = {"inputs": {"L": LOSS}, "stderr": 0 * LOSS, "n": np.full(7, 10**6)}
    params = {k: v[0, 0] for k, v in posterior.draws.items()}
    with jax.enable_x64(True):
        drawn = posterior.model.scatter(params, columns).sample(jax.random.key(0), (5_000,))
        drawn = np.asarray(drawn) / 10**6
    expected = share(drawn.mean(0), drawn.var(0))
    assert relate(posterior).r2[0] == pytest.approx(expected, rel=0.05)


def test_discordance_of_normal_scatter_is_known():
    loss = np.sort(np.random.default_rng(0).uniform(2.3, 3.7, 40))[::-1]
    params = CURVE | {"sigma": 0.1}
    found = relate(posterior_of(from_loss, normal, params, table(loss, n=None), draws=4000))
    i, j = np.triu_indices(40, 1)  # losses fall
    p, gap = values(loss), loss[i] - loss[j]
    worse = norm.cdf((p[i] - p[j]) / (0.1 * 2**0.5))
    assert found.discordance.shape == (500,)
    assert found.discordance.mean() == pytest.approx(worse.mean(), abs=0.005)
    edges = np.quantile(gap, [0, 0.25, 0.5, 0.75, 1], method="higher")
    np.testing.assert_allclose(
        [row[:2] for row in found.by_gap], np.stack([edges[:-1], edges[1:]], 1)
    )
    for lo, hi, low, median, high in found.by_gap:
        inside = ((gap > lo) | (lo == edges[0])) & (gap <= hi)
        assert low <= median <= high
        assert median == pytest.approx(worse[inside].mean(), abs=0.02)


def test_a_curve_without_scatter_is_never_discordant():
    for posterior in (one_curve(binomial, {}), one_curve(binomial, {}, k=400.0)):
        found = relate(posterior)
        np.testing.assert_array_equal(found.r2, 1.0)
        np.testing.assert_array_equal(found.discordance, 0.0)
    np.testing.assert_allclose(relate(one_curve(own={"rho": 1e-7})).discordance, 0.0)


def test_a_flat_curve_explains_nothing():
    found = relate(one_curve(u=0.3, loss=np.linspace(2, 4, 60), draws=100))
    assert found.r2.max() < 1e-9
    assert np.median(found.discordance) == pytest.approx(0.5, abs=0.03)
    assert all(row[3] == pytest.approx(0.5, abs=0.05) for row in found.by_gap)


def test_a_task_that_a_lower_loss_hurts_is_discordant():
    assert (relate(one_curve(g=0.9, u=0.3, own={"rho": 1e-6})).discordance == 1).all()


def test_what_was_measured_stands_beside_it():
    accuracy = np.array([0.3, 0.3, 0.2, 0.5, 0.6, 0.7, 0.65])  # a tie, and three turned
    data = table(accuracy=accuracy)
    found = relate(posterior_of(from_loss, beta_binomial, CURVE | {"rho": 0.01}, data))
    assert found.observed == pytest.approx(3 / 21)
    equal = np.array([3.0, 3.0, 3.0, 3.0, 2.0, 2.0, 2.0])
    two = relate(one_curve(loss=equal))
    assert [row[:2] for row in two.by_gap] == [(1.0, 1.0)]
    assert two.rows == 7
    spread = relate(one_curve(loss=np.array([3.0, 3.0, 2.5, 2.5, 2.5, 2.5, 2.0])))
    assert [row[:2] for row in spread.by_gap] == [(0.5, 1.0)]
    assert np.isfinite(spread.by_gap).all()


def test_a_scale_of_exp_minus_loss_is_the_loss():
    plain = relate(one_curve())
    params = {"g": 0.3, "u": 0.9, "x50": np.exp(-3.0), "k": 4.0, "rho": 0.01}
    data = table(np.exp(-LOSS), name="x", columns={"x": "exp(-loss)"})
    found = relate(posterior_of(sigmoid, beta_binomial, params, data))
    np.testing.assert_allclose(found.r2, plain.r2, rtol=1e-9)
    np.testing.assert_allclose(found.by_gap, plain.by_gap, rtol=1e-6)
    assert any("exp(-loss) is taken for exp(-loss)" in note for note in found.notes)


def test_of_many_models_pairs_are_drawn():
    loss = np.linspace(2, 4, 700)
    found = relate(one_curve(loss=loss, draws=2), seed=1)
    assert any("200000 pairs" in note for note in found.notes)
    p, rho = values(loss), 0.01
    i, j = np.triu_indices(700, 1)
    sd = np.sqrt(rho * p * (1 - p))
    near = norm.cdf((p[j] - p[i]) / np.hypot(sd[i], sd[j])).mean()
    np.testing.assert_allclose(found.discordance, near, atol=0.02)


# ------------------------------------------------------------------ two stages, families


def two_stages(first, inputs, constants, noise, own, off=0.0, missing=()):
    loss = np.asarray(first(*inputs.values(), **constants)) + off
    loss[list(missing)] = np.nan
    accuracy = np.full(len(loss), 0.5)
    data = Dataset(inputs, {"accuracy": accuracy, "loss": loss}, n=np.full(len(loss), 100.0))
    params = CURVE | constants | own | {"sigma": 0.01, "nu": 20.0}
    chosen = two_stage() if first is not chinchilla else two_stage("chinchilla")
    return posterior_of(chosen, noise, params, data, further=(student,)), loss


def test_the_second_stage_is_put_to_the_losses_measured():
    x = np.geomspace(1e6, 1e9, 9)
    off = np.linspace(-0.3, 0.2, 9)
    posterior, loss = two_stages(
        power(), {"x": x}, GROUND, beta_binomial, {"rho": 0.02}, off, missing=(2, 5)
    )
    found, p = relate(posterior), values(loss[np.isfinite(loss)])
    assert found.rows == 7
    np.testing.assert_allclose(found.r2, share(p, 0.02 * p * (1 - p)), rtol=1e-6)
    assert any("in 7 of 9 rows" in note for note in found.notes)
    assert any("about the curve in scale" in note for note in found.notes)


def test_scatter_in_scale_is_as_it_was_fitted():
    N, D = np.geomspace(1e7, 1e10, 8), np.geomspace(1e9, 4e11, 8)
    constants = dict(E=1.8, A=480.0, B=2085.0, alpha=0.35, beta=0.36)
    own = {"tau": 0.8, "rho": 0.001}
    posterior, _ = two_stages(chinchilla, {"N": N, "D": D}, constants, scale_scatter, own)
    columns = {"inputs": {"N": N, "D": D}, "stderr": 0 * N, "n": np.full(8, 10**9)}
    params = {k: v[0, 0] for k, v in posterior.draws.items()}
    with jax.enable_x64(True):
        about = posterior.model.scatter(params, columns)
        mean, variance = np.asarray(about.mean) / 1e9, np.asarray(about.variance) / 1e18
    # The table's losses were computed in float32.
    np.testing.assert_allclose(relate(posterior).r2, share(mean, variance), rtol=1e-4)
    off, loss = two_stages(chinchilla, {"N": N, "D": D}, constants, scale_scatter, own, off=0.2)
    assert relate(off).r2[0] < share(values(loss), 0.001 * values(loss) * (1 - values(loss)))


def test_each_family_has_its_own_curve():
    group = np.array(list("abababa"), object)
    data = table(group=group)
    params = CURVE | {"rho": 0.01, "L0_sd": 0.1}
    posterior = posterior_of(from_loss, beta_binomial, params, data, pool=("L0",), groups=2)
    shift = np.tile([0.1, -0.2], (1, 3, 1))
    found = relate(replace(posterior, draws=posterior.draws | {"L0_shift": shift}))
    p = values(L0=3.0 * np.exp(np.where(group == "a", 0.1, -0.2)))
    np.testing.assert_allclose(found.r2, share(p, 0.01 * p * (1 - p)), rtol=1e-9)
    assert any("each group" in note for note in found.notes)


# ------------------------------------------------------------------ what is asked, and of what


def test_curves_are_answered_by_name_and_failed_ones_marked():
    one = one_curve()
    labels = np.repeat(["good", "bad", "none"], 7).astype(object)
    data = Dataset(
        {"L": np.tile(LOSS, 3)},
        {"acc": np.full(21, 0.5)},
        n=np.full(21, 100.0),
        curve=labels,
    )
    (verdict,) = one.health.verdicts
    failed = replace(verdict, sampling=Finding(("chains disagree",)))
    draws = {k: np.stack([v, v, np.full_like(v, np.nan)]) for k, v in one.draws.items()}
    health = Health((verdict, failed, failed))
    found = relate(replace(one, data=data, draws=draws, health=health))
    assert list(found) == ["good", "bad", "none"]
    assert not found["good"].notes
    assert "NOT TO BE TRUSTED: chains disagree" in found["bad"].notes
    np.testing.assert_allclose(found["bad"].r2, relate(one).r2, rtol=1e-9)
    assert np.isnan(found["none"].discordance).all()
    short = replace(data.take(np.arange(18)), notes=())
    with pytest.raises(ValueError, match="4 models of curve 'none'"):
        relate(replace(one, data=short, draws=draws, health=health))
    assert found["none"].summary()["r2"]["median"] is None


def test_a_summary_is_plain_and_the_seed_decides():
    posterior = one_curve(own={"rho": 0.1})
    first, again, other = (relate(posterior, seed=seed) for seed in (1, 1, 2))
    summary = json.loads(json.dumps(first.summary(), allow_nan=False))
    assert summary["r2"]["lo"] <= summary["r2"]["median"] <= summary["r2"]["hi"]
    assert len(summary["by_gap"]) == len(first.table()) == 4
    assert list(first.table().columns) == ["gap_lo", "gap_hi", "lo", "median", "hi"]
    np.testing.assert_array_equal(first.discordance, again.discordance)
    assert (first.discordance != other.discordance).any()


@law(support="unit", improves="up", response="accuracy")
def two_scales(a, b, *, s=positive(0.1, 10.0)):
    """A law of two scales."""
    return s * a / (a + b)


def test_what_relate_refuses():
    x = np.geomspace(1e8, 1e10, 7)
    loss = posterior_of(
        power(), student, GROUND | {"sigma": 0.1, "nu": 9.0}, Dataset({"x": x}, {"y": LOSS})
    )
    both = Dataset({"a": x, "b": x}, {"acc": np.full(7, 0.5)}, n=np.full(7, 9.0))
    several = posterior_of(two_scales, beta_binomial, {"s": 1.0, "rho": 0.1}, both)
    data = Dataset({"x": x}, {"accuracy": np.full(7, 0.5), "loss": LOSS}, n=np.full(7, 9.0))
    jump = posterior_of(breakthrough, beta_binomial, {"g": 0.1}, data, further=(student,))
    heavy = CURVE | {"sigma": 0.1, "nu": 9.0}
    for posterior, message in (
        (loss, "not of accuracies"),
        (several, "the scales a, b"),
        (jump, "does not follow from the loss"),
        (posterior_of(sigmoid, beta_binomial, {"x50": 1e9}, table(x, name="x")), "no exp.-loss"),
        (one_curve(loss=LOSS[:4]), "4 models .* 5 are needed"),
        (one_curve(loss=np.full(7, 2.5)), "one loss, 2.5"),
        (posterior_of(from_loss, student, heavy, table()), "has no variance"),
    ):
        with pytest.raises(ValueError, match=message):
            relate(posterior)
    failed = posterior_of(from_loss, beta_binomial, CURVE | {"rho": 0.1}, table(), ok=False)
    with pytest.raises(FailedFit, match="bad"):
        relate(failed)
    assert any("NOT TO BE TRUSTED" in note for note in relate(failed, allow_failed=True).notes)
