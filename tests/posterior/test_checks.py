"""Health: constructed chains get the verdict they deserve, and what to do about it."""

import numpy as np
import pytest

from bayescale.laws import chinchilla, power
from bayescale.model.model import Model
from bayescale.noises.loss import student
from bayescale.posterior.checks import judge, judge_laplace, judge_map, unidentified
from bayescale.posterior.health import ESS, RHAT

MODEL = Model(power(), student)
CHAINS, DRAWS = 4, 1000
PRIOR_SD = np.ones(MODEL.size)


def good(seed=0, shape=(CHAINS, DRAWS)):
    return np.random.default_rng(seed).normal(size=shape)


def shifted(by=3.0):
    chains = good()
    chains[0] += by
    return chains


def sticky():
    """Autoregressive chains that mix, but slowly: few independent draws."""
    noise = good(1, (CHAINS, DRAWS)) * np.sqrt(1 - 0.97**2)
    chains = np.empty_like(noise)
    chains[:, 0] = good(2, (CHAINS,))
    for i in range(1, DRAWS):
        chains[:, i] = 0.97 * chains[:, i - 1] + noise[:, i]
    return chains


def verdict(chains=None, curve=None, diverging=0, extra=None, n_steps=7):
    chains = good() if chains is None else chains
    curve = good(5) if curve is None else curve
    stats = {"diverging": np.arange(CHAINS * DRAWS).reshape(CHAINS, DRAWS) < diverging}
    stats["n_steps"] = np.full((CHAINS, DRAWS), n_steps)
    scalars = {"alpha": chains} | (extra or {})
    predictions = np.stack([good(6), curve], -1)
    return judge(scalars, predictions, stats)


def test_good_chains_are_sound():
    found = verdict()
    assert found.sound
    assert (found.problems, found.advice) == ((), ())
    assert found.rhat["alpha"] < RHAT
    assert found.ess["alpha"] > 2000
    assert found.prediction_rhat < RHAT
    assert found.prediction_ess > 2000


def test_long_trajectories_tell_of_a_narrow_ridge():
    assert "ridge" not in str(verdict(diverging=100).advice)
    assert "Trajectories of 900 steps" in verdict(diverging=100, n_steps=900).advice[0]
    assert verdict(n_steps=900).sound


@pytest.mark.parametrize("shape", [(4, 1000), (2, 101), (1, 400), (3, 8)])
@pytest.mark.parametrize("stick", [0.0, 0.9, -0.7])
def test_r_hat_and_ess_are_those_of_arviz(shape, stick):
    from arviz_stats.base.array import array_stats

    rng, axes = np.random.default_rng(0), dict(chain_axis=0, draw_axis=1)
    draws = rng.normal(size=shape)
    for i in range(1, shape[1]):
        draws[:, i] += stick * draws[:, i - 1]
    for values in (draws, draws.round(1), np.exp(3 * draws)):
        found = judge(
            {"a": values},
            values[..., None],
            {"diverging": np.zeros(shape, bool), "n_steps": np.full(shape, 7)},
        )
        want = [
            float(array_stats.ess(values, method="bulk", **axes)),
            float(array_stats.ess(values, method="tail", prob=0.9, **axes)),
        ]
        assert found.ess["a"] == pytest.approx(min(want), rel=1e-9)
        if shape[0] > 1:
            rhat = float(array_stats.rhat(values, method="rank", **axes))
            assert found.rhat["a"] == pytest.approx(rhat, rel=1e-9)


def test_one_chain_elsewhere_is_named():
    found = verdict(shifted())
    assert not found.sound
    assert found.rhat["alpha"] > 1.1
    assert "chains disagree" in found.problems[0]
    assert "alpha" in found.problems[0]
    assert any("settled all the same" in problem for problem in found.problems)
    assert "different modes" in found.advice[0]


def test_a_curve_that_is_not_settled_fails_though_parameters_pass():
    found = verdict(curve=shifted())
    assert not found.sound
    assert len(found.problems) == 1
    assert "predicted curve is not settled" in found.problems[0]
    assert found.advice


def test_sticky_chains_need_more_draws():
    found = verdict(sticky())
    assert not found.sound
    assert found.ess["alpha"] < ESS
    assert any("too few independent draws" in p and "alpha" in p for p in found.problems)
    assert any("Draw more" in advice for advice in found.advice)


def test_constants_are_left_out_of_account():
    found = verdict(extra={"E": np.full((CHAINS, DRAWS), 1.8)})
    assert found.sound
    assert "E" not in found.rhat


def test_chains_stuck_at_different_points_are_not_taken_for_a_constant():
    stuck = np.repeat(np.arange(4.0)[:, None], DRAWS, 1)
    found = verdict(stuck)
    assert not found.sound
    assert any("alpha" in problem for problem in found.problems)


def test_chains_that_are_not_finite_fail():
    bad = good()
    bad[0, 0] = np.nan
    found = verdict(bad)
    assert not found.sound
    assert found.ess["alpha"] == 0


@pytest.mark.parametrize(("count", "sound"), [(4, True), (5, False)])
def test_a_thousandth_of_the_draws_may_diverge(count, sound):
    found = verdict(diverging=count)
    assert found.sound is sound
    if not sound:
        assert found.problems == ("0.12% of draws diverged",)
        assert any("smaller steps" in advice for advice in found.advice)


def test_what_the_data_say_little_about_is_named():
    sites = [site.name for site in MODEL.sites]
    for name, parameter in (("alpha", "alpha"), ("sigma", "sigma"), ("level", "E"), ("nu", "nu")):
        z_sd = np.where(np.array(sites) == name, 0.8, 0.1)
        z = z_sd * good(3, (CHAINS, DRAWS, MODEL.size))
        assert unidentified(MODEL, z, PRIOR_SD) == (parameter,)


def test_a_loose_share_names_the_terms_it_stands_between():
    model = Model(chinchilla, student)
    labels = np.array(model.labels)
    z = 0.1 * good(3, (CHAINS, DRAWS, model.size))
    z[..., labels == "share[1]"] *= 9
    assert set(unidentified(model, z, np.ones(model.size))) == {"A", "B"}


def test_a_single_chain_is_judged_by_its_draws():
    one = good(0, (1, DRAWS))
    stats = {"diverging": np.zeros((1, DRAWS), bool), "n_steps": np.full((1, DRAWS), 7)}
    found = judge({"alpha": one}, one[..., None], stats)
    assert found.sound
    assert found.ess["alpha"] > ESS


@pytest.mark.parametrize(("power_of", "sound"), [(1.0, True), (0.9, True), (0.2, False)])
def test_laplace_is_judged_by_its_weights(power_of, sound):
    """A proposal much narrower than the posterior has weights without a variance."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1, 4000, MODEL.size))
    proposal = -0.5 * (z**2).sum(-1)
    stats = {"log_density": power_of * proposal, "log_proposal": proposal}
    found = judge_laplace({}, np.zeros((1, 4000, 1)), stats)
    assert found.sound is sound
    if not sound:
        assert "k-hat" in found.problems[0]
        assert "NUTS" in found.advice[0]


def test_map_fails_only_where_no_mode_was_found():
    args = ({}, np.zeros((1, 1, 1)))
    assert judge_map(*args, {"log_density": np.zeros((1, 1))}).sound
    lost = judge_map(*args, {"log_density": np.full((1, 1), -np.inf)})
    assert not lost.sound
    assert "no start" in lost.problems[0]
