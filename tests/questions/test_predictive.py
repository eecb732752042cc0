"""Replicates of the table's rows, of constructed posteriors."""

import numpy as np
import pytest

from bayescale.data.dataset import Dataset
from bayescale.laws import flat, power, sigmoid, two_stage
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial, binomial
from bayescale.noises.loss import normal, student
from bayescale.posterior.health import UNREACHED, Health
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.predictive import posterior_predictive

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


def test_each_row_is_of_its_own_group():
    data = Dataset(
        {"x": X},
        {"y": np.full(12, 0.5)},
        n=np.full(12, 1e4),
        group=np.array(["p", "q"] * 6, object),
    )
    model = Model(sigmoid, beta_binomial, (), ("x50",), 2)
    draws = dict(g=0.2, u=0.8, x50=1e9, k=2.0, rho=1e-5, x50_sd=1.0, x50_shift=[0.0, 5.0])
    found = posterior_predictive(constructed(model, data, draws), 100).mean(0)
    moved = 1e9 * np.exp(np.where(data.group == "p", 0.0, 5.0))
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
