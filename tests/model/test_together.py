"""Rows of one set about a law with its misfit: the density against a dense normal."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from bayescale.data.dataset import Dataset
from bayescale.data.responses import RESOLUTION
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.laws.recipes import recipes
from bayescale.model.arrays import lane_of

FLOPS = np.geomspace(1e18, 1e21, 5)


def table(error=None, uneven=False):
    """Losses of two recipes at five scales; `uneven` adds many rows at the first of them."""
    x = np.concatenate([np.tile(FLOPS, 2), np.full(60 * uneven, FLOPS[0])])
    recipe = np.repeat([1.0, 2.0, 2.0], [5, 5, 60 * uneven])
    rng = np.random.default_rng(1)
    y = (1.7 + 1.6 * (recipe * x / 1e18) ** -0.15) * np.exp(0.01 * rng.normal(size=len(x)))
    stderr = None if error is None else error * rng.uniform(1, 3, len(x))
    sets = np.array([f"{each:.3g}" for each in x], object)
    return Dataset({"x": x, "recipe": recipe}, {"y": y}, stderr=stderr, run=sets)


@pytest.mark.parametrize("how", [{}, {"error": 0.02}, {"uneven": True}])
def test_sets_of_rows_have_the_density_of_a_dense_normal(how):
    data = table(**how)
    with jax.enable_x64(True):
        model = make_model(recipes(2), data, "lognormal")
        lane = lane_of(model, data)
        z = jax.numpy.asarray(np.random.default_rng(0).normal(size=model.size) * 0.3)
        params = model.parameters(model.constrain(z, lane)[0], lane)
        prior = model.constrain(z, lane)[1]
        found = float(model.log_density(z, lane) - prior)
        felt = ~model.law.wander.ahead
        rates = np.asarray(model.law.wander.rates(params))[felt]
        base = replace(model, law=model.law.wander.base)
        mean = np.asarray(base.means(params, lane)["loss"])
    sigma, sd = float(params["sigma"]), float(params["run_sd"])
    real = np.flatnonzero(lane["mask"])
    y = np.asarray(lane["observed"])[real]
    error = np.asarray(lane["stderr"])[real] / y
    spread = np.sqrt(sigma**2 + error**2 + RESOLUTION**2)
    columns = np.asarray(lane["basis"])[real] * rates
    x = np.asarray(lane["inputs"]["x"])[real]
    sets = sd**2 * np.isclose(x[:, None], x[None], rtol=1e-9)
    cov = np.diag(spread**2) + sets + columns @ columns.T
    exact = multivariate_normal(np.log(mean[real]), cov).logpdf(np.log(y)) - np.log(y).sum()
    np.testing.assert_allclose(found, exact, rtol=1e-9)


def test_nothing_is_remembered_along_sets_of_one_scale():
    assert make_model(recipes(2), table(), "lognormal").runs.name == "together"
    alone = Dataset(
        {"x": FLOPS.repeat(2)}, {"y": 4 - 0.1 * np.arange(10)}, run=np.array(["a", "b"] * 5, object)
    )
    assert make_model(get_law("power"), alone).runs.name == "between"
    sets = replace(alone, run=FLOPS.repeat(2).astype(str))
    model = make_model(get_law("power"), sets)
    assert model.runs.parameters == ("run_sd",)
    along = replace(table(), run=table().inputs["recipe"].astype(str))
    assert make_model(recipes(2), along, "lognormal").runs.name == "between"
