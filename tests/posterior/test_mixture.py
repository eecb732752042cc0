"""Questions put to a mixture of constructed draws, whose answers are known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import t as student_t

from bayescale.data.dataset import Dataset
from bayescale.laws import flat, from_loss, sigmoid
from bayescale.misfit.misfit import Finding
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.posterior.bends import with_misfit
from bayescale.posterior.health import FailedFit, Health, Verdict
from bayescale.posterior.mixture import Mixture, mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.predict import predict
from bayescale.questions.sweep import sweep
from bayescale.questions.threshold import threshold
from bayescale.questions.unlock import spread

X = np.geomspace(1e8, 1e11, 8)


def posterior_of(law, *, ok=True, unidentified=(), **draws):
    """A posterior of the same runs whose draws, (draw,) each, are given."""
    data = Dataset(
        dict.fromkeys(law.inputs, X),
        {"y": np.full(8, 0.5)},
        n=np.full(8, 100.0),
        columns={law.inputs[0]: "params"},
    )
    draws = {k: np.asarray(v, float)[None] for k, v in draws.items()}
    shape = next(iter(draws.values())).shape
    draws["rho"] = np.full(shape, 0.01)
    problems = () if ok else ("bad",)
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, unidentified, Finding(problems, problems))
    run = SamplingInfo(0, "NUTS", *shape, "float64", "cpu", {}, {}, 1.0)
    return Posterior(Model(law, beta_binomial), data, draws, {}, Health((verdict,)), run)


def unlocks(*log10_scale, k=1e4, **facts):
    """A step from 0 to 1 at these scales, one a draw."""
    at = np.array(log10_scale, float)
    return posterior_of(sigmoid, g=0 * at, u=0 * at + 1, x50=10**at, k=0 * at + k, **facts)


def stays(draws=5, level=0.2, **facts):
    """No rise at all."""
    return posterior_of(flat, g=np.full(draws, level), **facts)


# ------------------------------------------------------------------ weights and draws


def test_members_count_by_their_weight_not_by_their_draws():
    many = unlocks(*np.linspace(9.0, 10.0, 101))
    found = threshold(mix({"many": many, "few": unlocks(12.0, 13.0)}, {"many": 3.0, "few": 1.0}))
    assert found.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.weights, [0.75 / 101] * 101 + [0.125] * 2)
    assert found.member.tolist() == [0] * 101 + [1] * 2
    assert found.member_weights == {"many": 0.75, "few": 0.25}
    assert found.p_unlocked_by(10**10.5) == pytest.approx(0.75)
    assert found.p_unlocked_by(10**12.5) == pytest.approx(0.875)
    assert found.p_by[-1] == pytest.approx(1.0)
    assert np.interp(11.0, np.log10(found.grid), found.p_by) == pytest.approx(0.75)
    # The median of all is the 2/3 quantile of the first, whose draws are three quarters.
    assert found.forecast.median == pytest.approx(9 + 2 / 3, abs=0.011)
    assert found.forecast.hi == pytest.approx(13.0)
    assert found.members["many"].median == pytest.approx(9.5, abs=1e-6)
    assert found.members["few"].median == pytest.approx(12.0)
    assert found.forecast.ess == pytest.approx(1 / (0.75**2 / 101 + 2 * 0.125**2))


def test_one_posterior_is_its_only_member():
    found = threshold(unlocks(9.0, 10.0, 11.0, 12.0))
    assert found.weights.tolist() == [0.25] * 4
    assert found.members == {"sigmoid": found.forecast}
    assert found.member_weights == {"sigmoid": 1.0}
    assert found.spread().between == 0.0
    assert found.spread().within == pytest.approx(1.0, abs=1e-6)
    assert not any("law" in note for note in found.notes if "beyond the data" not in note)


@pytest.fixture
def flat_for_ever(monkeypatch):
    """What is flat stays so: nothing comes later (`laws.later`, which has its own tests)."""
    never = lambda floor, level: np.full(len(floor), np.inf)  # noqa: E731
    monkeypatch.setattr("bayescale.questions.curves.decades_later", never)


def test_never_already_and_crosses_are_weighted(flat_for_ever):
    parts = {"late": unlocks(10.0, 20.0), "flat": stays(), "high": stays(2, 0.9)}
    found = threshold(mix(parts, {"late": 0.5, "flat": 0.3, "high": 0.2}))
    assert found.forecast.p_never == pytest.approx(0.25 + 0.3)
    assert found.forecast.p_already == pytest.approx(0.2)
    said = found.summary()
    assert said["p_crosses"] == pytest.approx(0.25)
    assert said["p_limit_short"] == pytest.approx(0.3)  # 1e20 is but late
    assert found.p_by[0] == pytest.approx(0.2)
    assert found.p_by[-1] == pytest.approx(0.45)
    assert (found.forecast.lo, found.forecast.median) == (-np.inf, np.inf)
    assert said["log10"]["median"] is None
    assert said["members"]["late"]["weight"] == 0.5
    assert said["members"]["flat"]["p_never"] == 1.0
    assert json.loads(json.dumps(said))["spread"]["left_out"] == ["flat", "high"]
    assert list(found.table().index[-3:]) == ["late", "flat", "high"]


def test_a_mixture_of_one_law_with_itself_is_that_law():
    rng = np.random.default_rng(0)
    one = unlocks(*rng.normal(11, 1, 400))
    alone, both = threshold(one), threshold(mix({"a": one, "b": one}))
    for name in ("median", "lo", "hi", "p_never", "p_already"):
        assert getattr(both.forecast, name) == pytest.approx(getattr(alone.forecast, name))
        assert getattr(both.wider, name) == pytest.approx(getattr(alone.wider, name))
    np.testing.assert_allclose(both.p_by, alone.p_by, atol=1e-12)
    assert both.spread().between == pytest.approx(0.0, abs=1e-9)


def test_members_without_weight_and_failed_ones_are_left_out():
    parts = {"good": unlocks(10.0, 10.0), "none": stays(), "failed": unlocks(14.0, ok=False)}
    whole = mix(parts, {"good": 1.0, "none": 0.0, "failed": 1.0}, why="for the test")
    found = threshold(whole)
    assert list(found.members) == ["good"]
    assert found.forecast.median == pytest.approx(10.0)
    assert any("left out, not to be trusted: failed" in note for note in found.notes)
    asked = threshold(whole, allow_failed=True)
    assert list(asked.members) == ["good", "failed"]
    assert asked.forecast.hi == pytest.approx(14.0)
    assert any("NOT TO BE TRUSTED: failed: bad" in note for note in asked.notes)
    with pytest.raises(FailedFit, match="no member of this mixture"):
        threshold(mix({"failed": parts["failed"]}))
    with pytest.raises(FailedFit, match="no member"):
        threshold(mix({k: parts[k] for k in ("none", "failed")}, {"none": 0.0, "failed": 1.0}))
    assert [name for name, *_ in whole.members] == ["good", "failed"]
    assert isinstance(whole, Mixture)


def test_laws_of_other_scales_do_not_mix():
    two = {"up": unlocks(10.0), "down": posterior_of(from_loss, g=[0.1], u=[0.9], L0=[1e9], k=[1])}
    with pytest.raises(ValueError, match="down is followed along L and up along x"):
        threshold(mix(two))
    with pytest.raises(ValueError, match="'tokens' is no scale"):
        sweep(two["up"], by="tokens")
    named = sweep(mix({"up": two["up"], "flat": stays()}), by="params")
    assert [each.by for each in named.values()] == ["x", "x"]


# ------------------------------------------------------------------ wider priors, and the spread


def from_the_prior(draws, **facts):
    z = student_t.ppf((np.arange(draws) + 0.5) / draws, 2)
    return unlocks(*(11 + np.clip(z, -60, 60)), k=9.0, **facts)


def test_the_wider_prior_is_taken_within_each_law(flat_for_ever):
    parts = {"prior": from_the_prior(4000, unidentified=("x50",)), "flat": stays()}
    found = threshold(mix(parts, {"prior": 0.6, "flat": 0.4}), 0.5)
    assert found.forecast.p_never == pytest.approx(0.4 + 0.6 * student_t.sf(4, 2), abs=1e-3)
    assert found.wider.p_never == pytest.approx(0.4 + 0.6 * student_t.sf(2, 2), abs=2e-3)
    assert found.wider.p_already == pytest.approx(0.6 * student_t.cdf(-1.5, 2), abs=2e-3)
    assert any("little of x50 (prior): from a plateau" in note for note in found.notes)
    assert threshold(mix({"a": stays(), "b": stays(3)})).wider is None


def test_of_laws_weighed_by_evidence_the_wider_prior_changes_the_weights(flat_for_ever):
    """Against quadrature: runs at 1e9, 1e11 and 1e13 that stay at the floor."""
    log10 = np.linspace(-50, 80, 400_001)
    run = np.array([9.0, 11.0, 13.0])
    risen = expit(9 * np.log(10) * (run[:, None] - log10))
    likelihood = np.exp(np.log1p(-0.9 * risen).sum(0) * 2)  # six wrong answers
    priors = {"own": student_t.pdf(log10, 2, 11), "wider": student_t.pdf(log10, 2, 11, 2)}
    step, level = log10[1] - log10[0], 0.25  # the evidence of a law that says nothing of them
    evidence = {name: (each * likelihood).sum() * step for name, each in priors.items()}
    share = {name: each / (each + level) for name, each in evidence.items()}
    assert abs(share["own"] - share["wider"]) > 0.05
    cdf = np.cumsum(priors["own"] * likelihood)
    draws = np.interp((np.arange(20_000) + 0.5) / 20_000, cdf / cdf[-1], log10)
    parts = {"rises": unlocks(*draws, k=9.0), "flat": stays()}
    weights = {"rises": share["own"], "flat": 1 - share["own"]}
    found = threshold(mix(parts, weights, belief=True), 0.5)
    assert found.wider.weights["rises"] == pytest.approx(share["wider"], abs=2e-3)
    late = (priors["wider"] * likelihood)[log10 > 15].sum() * step / evidence["wider"]
    never = 1 - share["wider"] + share["wider"] * late
    assert found.wider.p_never == pytest.approx(never, abs=5e-3)
    assert any("under the wider prior the laws' evidence is another" in n for n in found.notes)
    kept = threshold(mix(parts, weights), 0.5).wider
    assert kept.weights is None
    assert kept.p_never == pytest.approx(1 - share["own"] + share["own"] * late, abs=5e-3)
    assert trusted_still_believes(mix(parts, weights, belief=True))


def trusted_still_believes(mixture):
    failed = mixture.parts | {"failed": unlocks(14.0, ok=False)}
    more = mix(failed, dict(mixture.weights) | {"failed": 0.5}, belief=True)
    return more.trusted().belief and with_misfit(mixture, 0.5).belief


def test_the_spread_between_laws_is_apart_from_that_within():
    step = np.linspace(-0.2, 0.2, 101)
    parts = {"soon": unlocks(*(10 + step)), "late": unlocks(*(12 + step)), "flat": stays()}
    found = threshold(mix(parts, {"soon": 0.4, "late": 0.4, "flat": 0.2}))
    apart = found.spread()
    assert apart.between == pytest.approx(1.0, abs=1e-6)
    assert apart.within == pytest.approx(0.1, abs=1e-6)
    assert apart.left_out == ("flat",)
    assert any("the laws disagree: their medians are 1 decades apart" in n for n in found.notes)
    assert any("not in the spread of laws: flat" in note for note in found.notes)
    same = threshold(mix({"a": parts["soon"], "b": parts["soon"]}))
    assert not any("disagree" in note for note in same.notes)


def test_the_spread_of_open_intervals():
    inf, draws = np.inf, np.array([0.0, 1.0, 2.0, 3.0])
    assert spread({"a": draws}, {"a": 1.0}).within == pytest.approx(1.0)
    half_open = np.array([-inf, -inf, 2.0, 2.5, 3.0, 5.0])  # lower quartile already
    assert spread({"a": half_open}, {"a": 1.0}).within == pytest.approx(1.0)
    both_open = np.array([-inf, -inf, 1.0, inf, inf])
    found = spread({"a": both_open, "b": draws}, {"a": 0.5, "b": 0.5})
    assert (found.between, found.within, found.left_out) == (0.0, 1.0, ())
    never = spread({"a": np.full(4, inf)}, {"a": 1.0})
    assert np.isnan([never.between, never.within]).all()
    assert never.left_out == ("a",)
    weighed = spread({"a": draws, "b": draws + 4}, {"a": 0.75, "b": 0.25})
    assert weighed.between == pytest.approx(4 * np.sqrt(0.75 * 0.25))


# ------------------------------------------------------------------ predictions


def test_a_prediction_takes_draws_by_weight():
    parts = {"low": stays(400, 0.2), "high": stays(40, 0.8), "rest": stays(400, 0.5)}
    found = predict(mix(parts, {"low": 0.7, "high": 0.3, "rest": 0.0}), {"x": [1e9, 1e13]})
    assert found.mean.shape == found.new.shape == (400, 2)
    assert (found.mean == 0.2).mean() == pytest.approx(0.7)
    assert list(found.members) == ["low", "high"]
    np.testing.assert_allclose(found.members["high"], 0.8)
    assert found.members["low"].shape == (3, 2)
    np.testing.assert_allclose(found.decades, [0.0, 2.0])
    assert found.new[:280].mean() == pytest.approx(0.2, abs=0.03)
    assert found.new[280:].mean() == pytest.approx(0.8, abs=0.03)
    assert any("0.70 low, 0.30 high; weights: given" in note for note in found.notes)
    assert len(found.table()) == 2
    alone = predict(parts["low"], {"x": [1e9, 1e13]})
    assert alone.members == {}
    np.testing.assert_array_equal(found.mean[:280], alone.mean[:280])


def test_draws_are_thinned_evenly_and_members_scatter_apart():
    level = np.linspace(0.1, 0.9, 1000)
    one = posterior_of(flat, g=level)
    found = predict(mix({"a": one, "b": one}), {"x": 1e9}, seed=3)
    np.testing.assert_allclose(found.mean[:500, 0], level[1::2])
    assert not np.array_equal(found.new[:500], found.new[500:])
    np.testing.assert_array_equal(
        found.new, predict(mix({"a": one, "b": one}), {"x": 1e9}, seed=3).new
    )
    little = predict(mix({"a": one, "b": stays(9)}, {"a": 1.0, "b": 1e-6}), {"x": 1e9})
    assert little.mean.shape == (1000, 1)
    assert list(little.members) == ["a", "b"]


def test_a_prediction_leaves_failed_members_out():
    bad = mix({"a": stays(10), "b": stays(10, 0.9, ok=False)})
    assert (predict(bad, {"x": 1e9}).mean == 0.2).all()
    assert (predict(bad, {"x": 1e9}, allow_failed=True).mean == 0.9).mean() == 0.5
    with pytest.raises(FailedFit, match="no member"):
        predict(mix({"b": stays(10, ok=False)}), {"x": 1e9})


def test_a_prediction_from_a_pooled_fit_is_of_the_average_group():
    one = stays(50)
    pooled = replace(one, model=Model(flat, beta_binomial, pool=("g",), groups=2))
    found = predict(pooled, {"x": 1e9}, seed=1)
    np.testing.assert_array_equal(found.new, predict(one, {"x": 1e9}, seed=1).new)
