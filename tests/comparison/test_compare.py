"""Laws side by side: left-out densities, evidence and weights against what they must be."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import binom, norm

from bayescale.comparison import explain as explaining
from bayescale.comparison.compare import LawComparison, compare_laws, pseudo_bma
from bayescale.comparison.explain import CANNOT_TELL, Confusion, explain
from bayescale.comparison.predictive import Backtest, leave_one_out
from bayescale.data.dataset import Dataset
from bayescale.inference.samplers import NUTS
from bayescale.laws import flat, get_law
from bayescale.misfit.misfit import Finding
from bayescale.model.arrays import pack
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import student
from bayescale.parametric.coordinates import At
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.pointwise import log_likelihood, replicate
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.workflows.confusion import confusion, stacked


@pytest.fixture(scope="module")
def found(rivals):
    return compare_laws(rivals)


# ------------------------------------------------------------------ runs left out


def on_a_grid(posterior):
    """Of a model of one parameter: log prior (grid,), log likelihoods (grid, row), by hand."""
    z = np.linspace(-6, 6, 4001)
    with jax.enable_x64(True):
        (batch,) = pack(posterior.model, posterior.data)
        lane = jax.tree.map(lambda leaf: leaf[0], batch.data)
        values = jax.vmap(lambda z: posterior.model.constrain(z[None], lane)[0]["g"])(z)
        g = np.asarray(posterior.law.priors[0][1].form(values, At(chance=0.25)))
    data = posterior.data
    k = np.round(data.responses["acc"] * data.n)
    return norm.logpdf(z), binom.logpmf(k, data.n, g[:, None]), g


def test_runs_left_out_are_predicted_as_exact_refits_predict_them(level_fit):
    prior, rows, _ = on_a_grid(level_fit)
    whole = prior + rows.sum(1)
    exact = [logsumexp(whole) - logsumexp(whole - row) for row in rows.T]
    inside = [logsumexp(whole + row) - logsumexp(whole) for row in rows.T]
    left = leave_one_out(level_fit)
    np.testing.assert_allclose(left.elpd, exact, atol=0.05)
    np.testing.assert_allclose(left.complexity, np.subtract(inside, exact), atol=0.03)
    assert left.elpd.shape == left.k_hat.shape == (10,)
    assert (left.k_hat < 0.7).all()


def test_complexity_is_about_the_number_of_parameters(level_fit, rivals):
    assert (leave_one_out(level_fit).complexity > 0).all()
    assert leave_one_out(level_fit).complexity.sum() == pytest.approx(1, abs=0.6)
    few, many = (leave_one_out(rivals[name]).complexity.sum() for name in ("flat", "sigmoid"))
    assert 0 < few < many < 8


def test_log_likelihoods_are_the_noise_at_the_law(level_fit):
    found = log_likelihood(level_fit)
    assert found.shape == (*level_fit.draws["g"].shape, 10)
    data = level_fit.data
    k = np.round(data.responses["acc"] * data.n)
    want = binom.logpmf(k, data.n, level_fit.draws["g"][..., None])
    np.testing.assert_allclose(found, want, rtol=1e-9)


def test_replicates_scatter_as_the_posterior_predicts(level_fit):
    prior, rows, g = on_a_grid(level_fit)
    weight = np.exp(prior + rows.sum(1) - logsumexp(prior + rows.sum(1)))
    mean = weight @ g
    variance = weight @ (g * (1 - g)) / 60 + weight @ (g - mean) ** 2
    again = replicate(level_fit, 2000, seed=1)
    assert again.shape == (2000, 10)
    np.testing.assert_allclose(again * 60, np.round(again * 60), atol=1e-9)
    assert again.mean() == pytest.approx(mean, abs=0.005)
    assert again.var(0).mean() == pytest.approx(variance, rel=0.1)
    # Runs of one set share their draw of the level.
    shared = weight @ (g - mean) ** 2
    assert again.mean(1).var() == pytest.approx(shared + (variance - shared) / 10, rel=0.15)
    np.testing.assert_array_equal(replicate(level_fit, 3, seed=1), replicate(level_fit, 3, seed=1))


# ------------------------------------------------------------------ weights


def test_predictive_weights_sum_to_one_and_know_no_order():
    rows = np.random.default_rng(0).normal(-2, 0.3, (3, 40))
    weights = pseudo_bma(rows)
    assert weights.sum() == pytest.approx(1)
    assert (weights > 0).all()
    np.testing.assert_allclose(pseudo_bma(rows[::-1]), weights[::-1], rtol=1e-12)
    np.testing.assert_allclose(pseudo_bma(rows - 5.0), weights, rtol=1e-9)
    np.testing.assert_allclose(pseudo_bma(np.stack([rows[0]] * 4)), 0.25)
    assert pseudo_bma(rows[:1]) == pytest.approx([1.0])


def test_the_better_law_weighs_more_and_a_much_better_one_all():
    rng = np.random.default_rng(1)
    base = rng.normal(-2, 0.3, 60)
    for gain, least in ((0.02, 0.5), (0.1, 0.9), (1.0, 0.999999)):
        better, worse = pseudo_bma(np.stack([base + gain, base]))
        assert better > least
        assert better > worse
    # Spread over runs: as large a mean difference from a few runs is less sure.
    uneven = np.where(np.arange(60) < 3, 2.0, 0.0)
    assert (
        pseudo_bma(np.stack([base + uneven, base]))[0] < pseudo_bma(np.stack([base + 0.1, base]))[0]
    )


def test_a_comparison_of_two_laws(rivals, found):
    assert found.best == "sigmoid"
    assert found.difference["sigmoid"] == found.difference_se["sigmoid"] == 0.0
    assert found.difference["flat"] == pytest.approx(found.elpd["flat"] - found.elpd["sigmoid"])
    assert found.difference["flat"] < -10
    assert found.difference_se["flat"] > 0
    assert found.weights["sigmoid"] > 0.99
    assert found.probability["sigmoid"] > 0.99
    assert sum(found.weights.values()) == pytest.approx(1)
    assert sum(found.probability.values()) == pytest.approx(1)
    assert found.prior == {"sigmoid": 0.5, "flat": 0.5}
    gap = found.log_evidence["sigmoid"] - found.log_evidence["flat"]
    odds = np.log(found.probability["sigmoid"]) - np.log(found.probability["flat"])
    assert odds == pytest.approx(gap)
    table = found.table()
    assert list(table.index) == ["sigmoid", "flat"]
    assert list(table["weight"]) == [found.weights[name] for name in table.index]
    json.dumps(found.summary(), allow_nan=False)


def test_prior_and_evidence_make_the_probability(rivals, found):
    gap = found.log_evidence["sigmoid"] - found.log_evidence["flat"]
    unlikely = float(expit(-gap))
    even = compare_laws(rivals, prior={"sigmoid": unlikely, "flat": 1 - unlikely})
    assert even.probability["sigmoid"] == pytest.approx(0.5, abs=1e-6)
    assert even.weights == found.weights
    none = compare_laws(rivals, prior={"sigmoid": 0.0, "flat": 3.0})
    assert none.probability == {"sigmoid": 0.0, "flat": 1.0}


def test_a_comparison_makes_a_mixture(found):
    assert found.mixture().weights == pytest.approx(found.weights)
    assert found.mixture("evidence").weights == pytest.approx(found.probability)
    assert found.mixture("equal").weights == {"sigmoid": 0.5, "flat": 0.5}
    assert found.mixture("evidence").why == "evidence"
    assert found.mixture().prior == found.prior
    with pytest.raises(ValueError, match="predictive, evidence or equal, got 'loo'"):
        found.mixture("loo")


def test_what_does_not_compare_is_refused(rivals, level_fit):
    with pytest.raises(ValueError, match="there are no fits"):
        compare_laws({})
    with pytest.raises(ValueError, match="is of other runs or another response"):
        compare_laws({"sigmoid": rivals["sigmoid"], "level": level_fit})
    with pytest.raises(ValueError, match="are for sigmoid, these are sigmoid, flat"):
        compare_laws(rivals, prior={"sigmoid": 1.0})
    with pytest.raises(ValueError, match="weights are 0 or more and not all 0"):
        compare_laws(rivals, prior={"sigmoid": 0.0, "flat": 0.0})
    with pytest.raises(ValueError, match="evidence needs draws in unconstrained"):
        compare_laws({"flat": replace(rivals["flat"], z=None)})


# ------------------------------------------------------------------ explanations


def made_up(sound=True, law=flat):
    """A posterior that only says whether it is to be trusted."""
    problems = () if sound else ("bad",)
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, (), Finding(problems))
    run = SamplingInfo(0, "NUTS", 1, 1, "float64", "cpu", {}, {}, 1.0)
    data = Dataset({"x": np.ones(1)}, {"y": np.ones(1) / 2}, n=np.full(1, 10.0))
    return Posterior(
        Model(law, beta_binomial, (student,) * len(law.further)),
        data,
        {},
        {},
        Health((verdict,)),
        run,
    )


def weighed(unsound=(), **weights):
    """A comparison of invented weights."""
    zero = dict.fromkeys(weights, 0.0)
    return LawComparison(
        posteriors={name: made_up(name not in unsound, get_law(name)) for name in weights},
        elpd={name: 10 * weight for name, weight in weights.items()},
        difference=zero,
        difference_se=zero,
        complexity=zero,
        rough=dict.fromkeys(weights, 0),
        log_evidence=zero,
        evidence_se=zero,
        weights=weights,
        probability=weights,
        prior=weights,
    )


@pytest.mark.parametrize(
    ("weights", "law"),
    [
        (dict(sigmoid=0.6, elbow=0.4), "sigmoid"),
        (dict(sigmoid=0.59, elbow=0.41), None),
        (dict(sigmoid=0.45, elbow=0.15, flat=0.4), "sigmoid"),  # .75 among those that rise
        (dict(exact_match=0.05, multi_step=0.95), "multi_step"),
        (dict(two_stage=0.9, sigmoid=0.1), "two_stage"),
        (dict(sigmoid=0.34, exact_match=0.33, elbow=0.33), None),
    ],
)
def test_an_explanation_is_named_from_a_weight_of_six_tenths(weights, law):
    found = explain(weighed(**weights))
    assert found.law == law
    assert found.verdict == (CANNOT_TELL if law is None else get_law(law).says)
    assert sum(found.weights.values()) == pytest.approx(1)
    assert set(found.weights) == {name for name in weights if get_law(name).told == "rise"}
    assert max(found.elpd.values()) == 0.0
    said = found.summary()
    assert (said["law"], said["verdict"]) == (law, found.verdict)
    json.dumps(said, allow_nan=False)


def test_one_law_and_a_rise_that_is_improbable_explain_nothing():
    alone = explain(weighed(sigmoid=0.8, flat=0.2))
    assert alone.law is None
    assert alone.verdict == "one law of a rise alone was weighed, against no other"
    none = explain(weighed(sigmoid=0.3, elbow=0.1, flat=0.1, distractor=0.5))
    assert none.law is None
    assert none.verdict.startswith(get_law("distractor").says + ": more probable than a rise")
    assert (
        none.others == none.summary()["others"] == pytest.approx({"flat": 0.1, "distractor": 0.5})
    )
    unsettled = explain(weighed(("flat", "sigmoid"), sigmoid=0.3, elbow=0.1, flat=0.6))
    assert unsettled.others == {}


def test_laws_with_options_count_under_their_name():
    found = explain(weighed(**{"exact_match(tokens=True)": 0.9, "sigmoid": 0.1}))
    assert found.law == "exact_match(tokens=True)"
    assert found.verdict == get_law("exact_match").says == "many tokens must all be right"


def test_what_explains_nothing_is_left_out():
    none = explain(weighed(flat=0.5, inverse=0.5))
    assert (none.law, none.verdict) == (None, "no law of a rise was fitted")
    assert repr(none) == "no law of a rise was fitted"
    skill = {law: Backtest(-3.5, 0.1, 0.9, 8, 1e10, True) for law in ("elbow", "sigmoid")}
    found = explain(weighed(("sigmoid",), sigmoid=0.8, elbow=0.2), backtest=skill)
    assert found.law is None  # of the two laws one is left
    assert found.notes == ("left out, not settled: sigmoid",)
    assert found.summary()["backtest"] == {"elbow": skill["elbow"].summary()}
    assert explain(weighed(("sigmoid",), sigmoid=1.0)).law is None


def test_posteriors_are_compared_first(rivals):
    sound = {k: replace(v, health=made_up().health) for k, v in rivals.items()}
    assert explain(sound).weights == {"sigmoid": 1.0}
    with pytest.raises(ValueError, match="by law"):
        explaining._by_law(Backtest(-3.5, 0.1, 0.9, 8, 1e10, True), ("sigmoid",))


def test_laws_are_told_apart_on_runs_simulated_from_them(rivals):
    """A rise by .6 over 1,000 questions and none at all cannot be confused."""
    quick = NUTS(chains=2, warmup=100, draws=50, retries=0)
    found = confusion(rivals, simulations=2, sampler=quick)
    assert found.laws == ("sigmoid", "flat")
    assert found.chosen.shape == found.told.shape == (2, 2)
    assert found.chosen.sum(1).tolist() == [2, 2]
    assert (found.told <= found.chosen).all()
    assert found.chosen[0].tolist() == [2, 0]
    assert found.told[0].tolist() == [2, 0]
    assert found.error == pytest.approx(1 - np.trace(found.chosen) / 4)
    assert found.told_share == found.told.sum() / 4
    assert list(found.table().columns) == ["sigmoid", "flat"]


def test_where_simulated_runs_cannot_be_told_apart_no_law_is_named():
    sure = weighed(sigmoid=0.9, elbow=0.1)
    for right, law in ((6, "sigmoid"), (5, None)):
        chosen = np.array([[right, 10 - right], [10 - right, right]])
        simulated = Confusion(("sigmoid", "elbow"), chosen, 0 * chosen)
        assert simulated.error == pytest.approx(1 - right / 10)
        found = explain(sure, simulated=simulated)
        assert found.law == law
        said = json.loads(json.dumps(found.summary(), allow_nan=False))["simulated"]
        assert (said["error"], said["error_where_told"]) == (simulated.error, None)
    assert found.verdict == CANNOT_TELL


def test_confusion_refuses_what_it_cannot_simulate(rivals):
    model = replace(rivals["flat"].model, pool=("g",), groups=2)
    with pytest.raises(ValueError, match="nothing pooled; flat is none"):
        confusion(rivals | {"flat": replace(rivals["flat"], model=model)})


def test_simulated_runs_stand_as_curves_of_their_own(rivals):
    data = rivals["flat"].data
    both = stacked(data, [0 * data.n + 0.25, 0 * data.n + 0.5], ["a", "b"])
    assert both.curve_names == ("a", "b")
    assert len(both) == 2 * len(data)
    later = both.take(both.curve == "b")
    np.testing.assert_array_equal(later.inputs["x"], data.inputs["x"])
    np.testing.assert_array_equal(later.n, data.n)
    assert (later.responses["acc"] == 0.5).all()
