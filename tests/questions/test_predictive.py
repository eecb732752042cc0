"""Replicates of the table's rows and new runs elsewhere, of constructed posteriors."""

from dataclasses import replace

import numpy as np
import pytest

from bayescale.data.dataset import Dataset
from bayescale.laws import chinchilla, flat, power, sigmoid, two_stage
from bayescale.misfit.misfit import Finding
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial, binomial
from bayescale.noises.loss import lognormal, normal, student
from bayescale.planning.allocate import allocate
from bayescale.planning.compare_runs import compare_runs
from bayescale.planning.match import match
from bayescale.posterior.groups import NEW, for_group
from bayescale.posterior.health import UNREACHED, Health
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.conditions import conditions
from bayescale.questions.kind import kind
from bayescale.questions.predict import predict
from bayescale.questions.predictive import posterior_predictive
from bayescale.questions.residuals import residuals
from bayescale.questions.threshold import threshold

NOISES = {"lognormal": lognormal, "normal": normal}
INFO = SamplingInfo(0, "NUTS", 2, 50, "float64", "cpu", {}, {}, np.nan)
X = np.geomspace(1e8, 1e11, 12)
LOSS = dict(E=1.8, A=150.0, alpha=0.25, sigma=0.01, nu=50.0)


def constructed(model, data, draws):
    """A posterior of 2 x 50 draws that are all alike; of curves the first axis is the curve's."""
    curves = len(data.curve_names)
    lead = (curves, 2, 50) if curves else (2, 50)

    def alike(value):
        value = np.asarray(value, float)
        if curves and value.ndim:
            return np.broadcast_to(value[:, None, None], lead)
        return np.broadcast_to(value, (*lead, *value.shape))

    draws = {name: alike(value) for name, value in draws.items()}
    return Posterior(model, data, draws, {}, Health((UNREACHED,) * max(1, curves)), INFO)


def test_each_row_is_of_its_own_curve_and_one_without_draws_has_none():
    curve = np.array(["a", "b", "c"] * 4, object)
    data = Dataset({"x": X}, {"y": np.full(12, 2.5)}, curve=curve)
    draws = LOSS | {"E": [1.0, 2.0, np.nan]}
    fit = constructed(Model(power(), student), data, draws)
    found = posterior_predictive(fit, 200)
    for name, floor in (("a", 1.0), ("b", 2.0)):
        want = floor + 150 * X[curve == name] ** -0.25
        np.testing.assert_allclose(np.median(found[:, curve == name], 0), want, rtol=0.01)
    assert np.isnan(found[:, curve == "c"]).all()
    noise = np.log(found[:, curve == "a"]).T
    assert abs(np.corrcoef(noise)[0, 1]) < 0.3


def pooled():
    """A sigmoid of two groups that unlock at scales of their own."""
    data = Dataset(
        {"x": X},
        {"y": np.full(12, 0.5)},
        n=np.full(12, 1e4),
        group=np.array(["p", "q"] * 6, object),
    )
    model = Model(sigmoid, beta_binomial, (), ("x50",), 2)
    draws = dict(g=0.2, u=0.8, x50=1e9, k=2.0, rho=1e-5, x50_sd=1.0, x50_shift=[0.0, 5.0])
    return constructed(model, data, draws)


def test_each_row_is_of_its_own_group():
    fit = pooled()
    found = posterior_predictive(fit, 100).mean(0)
    moved = 1e9 * np.exp(np.where(fit.data.group == "p", 0.0, 5.0))
    np.testing.assert_allclose(found, 0.2 + 0.6 / (1 + (X / moved) ** -2.0), atol=0.01)


def test_a_response_of_several():
    data = Dataset(
        {"x": X}, {"accuracy": np.full(12, 0.5), "loss": np.full(12, 2.0)}, n=np.full(12, 1000.0)
    )
    model = Model(two_stage(), beta_binomial, (normal,))
    draws = LOSS | dict(g=0.2, u=0.8, L0=2.4, k=8.0, rho=1e-4)
    fit = constructed(model, data, draws)
    level = 1.8 + 150 * X**-0.25
    loss = posterior_predictive(fit, 200, response="loss").mean(0)
    np.testing.assert_allclose(loss, level, atol=0.01)
    accuracy = posterior_predictive(fit, 200).mean(0)
    np.testing.assert_allclose(accuracy, 0.2 + 0.6 / (1 + np.exp(-8 * (2.4 - level))), atol=0.01)
    with pytest.raises(ValueError, match="no response 'y'"):
        posterior_predictive(fit, response="y")


def test_a_mixture_gives_each_law_its_share():
    data = Dataset({"x": X}, {"acc": np.full(12, 0.5)}, n=np.full(12, 1000.0))
    fits = {str(g): constructed(Model(flat, binomial), data, dict(g=g)) for g in (0.1, 0.5, 0.9)}
    mixture = mix(fits, {"0.1": 0.25, "0.5": 0.45, "0.9": 0.3})
    found = posterior_predictive(mixture, 100, seed=1).mean(1)
    counts = [int(np.sum(abs(found - g) < 0.1)) for g in (0.1, 0.5, 0.9)]
    assert counts == [25, 45, 30]
    again = posterior_predictive(mixture, 100, seed=1).mean(1)
    np.testing.assert_array_equal(again, found)
    other = posterior_predictive(fits["0.1"], 5, seed=2)
    assert not np.array_equal(other, posterior_predictive(fits["0.1"], 5, seed=3))


# ------------------------------------------------------------------ new runs elsewhere


def losses(stderr=None, sigma=0.002, noise=lognormal, **more):
    """A fit that knows its law exactly; losses have a known standard error of about 2 %."""
    y = 1.8 + 150 * X**-0.25
    data = Dataset({"x": X}, {"y": y}, stderr=None if stderr is None else stderr * y, **more)
    return constructed(Model(power(), noise), data, dict(LOSS, sigma=sigma))


def share_inside(found, truth, sd, seed=0):
    """How many of 4,000 new runs, log-normal about the truth, lie in the interval."""
    lo, _, hi = found.quantiles("new")
    runs = truth * np.exp(sd * np.random.default_rng(seed).normal(size=(4000, len(truth))))
    return ((lo <= runs) & (runs <= hi)).mean()


def many(posterior, draws=4000):
    """The same posterior with as many draws as ends of intervals need."""
    again = {name: np.repeat(v, draws // 50, axis=-1) for name, v in posterior.draws.items()}
    return replace(posterior, draws=again)


def test_a_new_run_has_the_standard_error_of_the_data():
    errors = np.linspace(0.01, 0.03, len(X))
    fit, at = many(losses(errors)), {"x": np.array([1e9, 1e13])}
    found = predict(fit, at, allow_failed=True)
    truth = 1.8 + 150 * at["x"] ** -0.25
    spread = np.hypot(0.002, np.median(errors))
    np.testing.assert_allclose(np.log(found.new).std(0), spread, rtol=0.03)
    assert 0.89 < share_inside(found, truth, spread) < 0.91
    assert any("standard error of 0.02 of the loss, the median" in note for note in found.notes)
    np.testing.assert_allclose(np.median(found.stderr, 0), 0.02 * truth, rtol=1e-6)
    points = found.summary()["points"]
    assert [point["stderr"] for point in points] == pytest.approx(list(0.02 * truth))
    given = predict(fit, at, stderr=[0.1, 0.3], allow_failed=True)
    np.testing.assert_allclose(
        np.log(given.new).std(0), np.hypot(0.002, [0.1, 0.3] / truth), rtol=0.03
    )
    exact = predict(fit, at, stderr=0, allow_failed=True)
    assert exact.stderr is None
    assert 0.1 < share_inside(exact, truth, spread) < 0.2  # what was promised as 90 % before
    assert predict(losses(), at, allow_failed=True).stderr is None


def test_new_runs_agree_with_replicates_of_the_rows():
    fit = losses(0.02, noise=normal)
    rows = np.std(posterior_predictive(many(fit), 4000), 0)
    new = np.std(predict(many(fit), {"x": X}, allow_failed=True).new, 0)
    np.testing.assert_allclose(new, rows, rtol=0.06)


def test_the_standard_error_of_an_accuracy_is_as_it_is():
    errors = np.where(np.arange(12) < 9, 0.05, 0.2)
    data = Dataset({"x": X}, {"y": np.full(12, 0.5)}, n=np.full(12, 1e6), stderr=errors)
    fit = many(constructed(Model(flat, beta_binomial), data, dict(g=0.3, rho=1e-5)))
    found = predict(fit, {"x": 1e13}, allow_failed=True)
    assert found.new.std() == pytest.approx(0.05, rel=0.05)
    assert any("a standard error of 0.05, the median of the data: " in n for n in found.notes)
    plain = constructed(Model(flat, binomial), data, dict(g=0.3))
    assert predict(plain, {"x": 1e13}, allow_failed=True).stderr is None
    with pytest.raises(ValueError, match="the noise binomial knows no standard error"):
        predict(plain, {"x": 1e13}, stderr=0.1, allow_failed=True)
    for wrong, said in ((-0.1, "0 or more"), (np.nan, "0 or more"), ([0.1, 0.2], "one a point")):
        with pytest.raises(ValueError, match=said):
            predict(fit, {"x": 1e13}, stderr=wrong, allow_failed=True)


def test_an_accuracy_lies_between_0_and_1_whatever_its_noise():
    data = Dataset({"x": X}, {"y": np.full(12, 0.02)})
    fit = many(constructed(Model(flat, normal), data, dict(g=0.02, sigma=0.03)))
    found = predict(fit, {"x": 1e13}, allow_failed=True).new
    assert found.min() == 0
    assert np.quantile(found, 0.9) == pytest.approx(0.02 + 1.28 * 0.03, rel=0.1)


def test_curves_and_laws_have_standard_errors_of_their_own():
    curve = np.repeat(np.array(["a", "b"], object), 6)
    fit = many(losses(np.repeat([0.01, 0.05], 6), curve=curve))
    found = predict(fit, {"x": np.array([1e9, 1e10])}, allow_failed=True)
    spread = np.log(found.new).std(1)
    np.testing.assert_allclose(spread, np.hypot(0.002, [[0.01] * 2, [0.05] * 2]), rtol=0.03)
    assert any(
        "0.01 to 0.05 of the loss" in note and "each curve's" in note for note in found.notes
    )
    laws = {name: many(losses(0.02, noise=noise)) for name, noise in NOISES.items()}
    both = predict(mix(laws), {"x": 1e9}, allow_failed=True)
    assert both.stderr.shape == both.new.shape
    assert np.log(both.new).std() == pytest.approx(0.02, rel=0.05)


def test_the_number_of_questions_is_said_where_rows_differ_in_it():
    data = Dataset({"x": X}, {"y": np.full(12, 0.5)}, n=np.arange(100.0, 112.0))
    fit = constructed(Model(flat, binomial), data, dict(g=0.3))
    said = predict(fit, {"x": 1e13}, allow_failed=True).notes
    assert any("answers 111 questions, the most in the data (from 100 on)" in n for n in said)
    assert not [n for n in predict(fit, {"x": 1e13}, n=100, allow_failed=True).notes if "ques" in n]


# ------------------------------------------------------------------ of which group


def test_answers_of_a_pooled_fit_say_of_whom_they_speak():
    fit = pooled()

    def told(answer):
        (note,) = [note for note in answer.notes if note.kind == "group"]
        return str(note).split("this speaks of ")[1].split(",")[0]

    groups = (
        ("the average one", fit),
        ("q", for_group(fit, "q")),
        ("a new one", for_group(fit, NEW)),
    )
    for said, one in groups:
        for answer in (
            predict(one, {"x": 1e12}, allow_failed=True),
            predict(mix({"a": one, "b": one}), {"x": 1e12}, allow_failed=True),
            threshold(one, allow_failed=True),
            kind(one, allow_failed=True),
        ):
            assert told(answer) == said
        assert any(said in line for _, line in one.said())
    assert told(residuals(fit)) == "each row's own"
    each = conditions(fit, allow_failed=True)
    assert told(each.kinds["q"]) == told(each.thresholds["q"]) == "q"
    assert [str(n) for n in each.notes if n.kind == "group"] == [
        "each answer speaks of the condition it names"
    ]
    alone = losses()
    assert not [n for n in predict(alone, {"x": 1e9}, allow_failed=True).notes if n.kind == "group"]


def test_plans_of_a_pooled_fit_say_of_whom_they_speak():
    data = Dataset(
        {"N": X, "D": 20 * X[::-1]},
        {"y": np.full(12, 2.5)},
        group=np.array(["p", "q"] * 6, object),
    )
    model = Model(chinchilla, student, (), ("E",), 2)
    draws = dict(E=1.7, A=480.0, B=2000.0, alpha=0.35, beta=0.37, sigma=0.01, nu=5.0)
    fit = constructed(model, data, draws | dict(E_sd=0.1, E_shift=[0.0, 0.1]))
    fit = replace(fit, health=Health((replace(UNREACHED, sampling=Finding()),)))
    own = for_group(fit, "q")
    for one, said in ((fit, "the average one"), (own, "of the groups, this speaks of q")):
        runs = compare_runs(one, (1e9, 2e10), (2e9, 1e10))
        for answer in (allocate(one, 1e21), match(one, loss=2.5), runs):
            (note,) = [note for note in answer.notes if note.kind == "group"]
            assert said in note
