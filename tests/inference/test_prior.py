"""Curves and runs before the data."""

from dataclasses import replace

import numpy as np
import pytest

from bayescale.data.dataset import Dataset
from bayescale.inference.prior import prior_predictive
from bayescale.laws import chinchilla, from_loss, power, sigmoid, two_stage
from bayescale.parametric.priors import positive


def test_curves_are_the_law_at_its_parameters(make_table):
    data = make_table["chinchilla"](20)
    found = prior_predictive("chinchilla", data, draws=50, seed=3)
    assert found.curves.shape == found.runs.shape == (50, 20)
    for i in (0, 7):
        constants = {k: found.parameters[k][i] for k in chinchilla.parameters}
        want = chinchilla(*data.inputs.values(), **constants)
        np.testing.assert_allclose(found.curves[i], want, rtol=1e-5)
    off = np.log(found.runs / found.curves).std(1) / found.parameters["sigma"]
    assert 0.7 < np.median(off) < 1.5
    assert found.grid == {}
    again = prior_predictive("chinchilla", data, draws=50, seed=3)
    np.testing.assert_array_equal(again.runs, found.runs)


def test_one_scale_is_followed_beyond_the_data(power_data):
    narrow = power().with_priors(E=positive(1.79, 1.81), A=positive(1, 2), alpha=positive(0.3, 0.4))
    found = prior_predictive(narrow, power_data, draws=200)
    (x,) = found.grid.values()
    assert (x[0], x[-1]) == pytest.approx((1e8, 1e12))
    assert found.along.shape == (200, len(x))
    constants = {k: found.parameters[k][:, None] for k in narrow.parameters}
    np.testing.assert_allclose(found.along, narrow(x[None], **constants), rtol=1e-5)
    told = found.summary()
    assert told["rows"] == 24
    assert told["prior_runs"]["median"] == pytest.approx(1.8, abs=0.02)
    assert told["within_50"] <= told["within_90"] < 0.5
    assert "0 and 1" not in repr(found)
    assert "within its 90 %" in repr(found)


def test_an_accuracy_is_a_share_of_its_questions(make_table):
    data = make_table["sigmoid"](12)
    found = prior_predictive(sigmoid, replace(data, n=np.full(12, 8.0)), draws=40)
    np.testing.assert_allclose(found.runs * 8, np.round(found.runs * 8), atol=1e-9)
    assert found.runs.min() >= 0
    assert found.runs.max() <= 1


def test_less_is_better_goes_the_other_way():
    data = Dataset({"L": np.linspace(2, 4, 9)}, {"acc": np.full(9, 0.3)}, n=np.full(9, 50.0))
    (x,) = prior_predictive(from_loss, data, draws=5).grid.values()
    assert (x[0], x[-1]) == pytest.approx((0.2, 4))


def test_curves_groups_and_responses(make_table):
    data = make_table["power"](16)
    curves = replace(data, curve=np.array(["a", "b"] * 8, object))
    found = prior_predictive("power", curves, draws=30)
    assert found.parameters["alpha"].shape == (2, 30)
    for i, name in enumerate("ab"):
        own = curves.curve == name
        at = {k: found.parameters[k][i, 4] for k in power().parameters}
        want = power()(data.inputs["x"][own], **at)
        np.testing.assert_allclose(found.curves[4, own], want, rtol=1e-5)
    scores = replace(make_table["sigmoid"](16), group=np.array(["a", "b"] * 8, object))
    pooled = prior_predictive("sigmoid", scores, "beta_binomial", draws=30)
    assert pooled.parameters["x50_shift"].shape == (30, 2)
    both = Dataset(
        {"x": np.geomspace(1e8, 1e10, 12)},
        {"accuracy": np.full(12, 0.5), "loss": np.where(np.arange(12) == 3, np.nan, 2.5)},
        n=np.full(12, 40.0),
    )
    told = prior_predictive(two_stage(), both, response="loss", draws=30)
    assert told.response == "loss"
    assert told.summary()["rows"] == 11
    assert prior_predictive(two_stage(), both, draws=30).runs.max() <= 1
    with pytest.raises(ValueError, match="no response 'lost'"):
        prior_predictive(two_stage(), both, response="lost")
