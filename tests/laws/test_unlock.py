"""Coordinates of a rise that few models saw: another way to sample, never another posterior."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.model.arrays import lane_of
from bayescale.model.programs import compiled
from bayescale.parametric.seen import UNSEEN, seen

X = np.array([7e7, 1.6e8, 4.1e8, 1e9, 1.4e9])
RISES = np.array([0.38, 0.45, 0.54, 0.6, 0.63])
LAWS = {"sigmoid": "k", "exact_match": "alpha", "multi_step": "k", "elbow": "k", "inverse": "k"}


def model_and_lane(law, y):
    law, data = get_law(law), Dataset({"x": X}, {"y": y})
    model = make_model(law, data, None)
    return model, lane_of(model, data)


def heights(law, y):
    return y[::-1] if law == "inverse" else y


@pytest.mark.parametrize("law", LAWS)
def test_coordinates_of_few_models_leave_the_prior_as_it_is(law):
    """Its density changes by the volume of the change alone."""
    model, lane = model_and_lane(law, heights(law, RISES))
    assert lane["seen"].way == (-1 if law == "inverse" else 1)
    z = np.random.default_rng(1).normal(size=(20, model.size))
    with jax.enable_x64(True):

        def plain(z):
            return model.constrain(z, lane)[2]

        def one(z):
            volume = jnp.linalg.slogdet(jax.jacobian(plain)(z))[1]
            return model.constrain(z, lane)[1], model.log_prior(plain(z)) + volume

        found, wanted = jax.device_get(compiled(level=0)(jax.vmap(one))(jnp.asarray(z)))
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("law", LAWS)
def test_curve_goes_through_what_was_seen_whatever_floor_and_ceiling_are(law):
    model, lane = model_and_lane(law, heights(law, RISES))
    at = [model.places[name].start for name in ("x50", LAWS[law])]
    z = 2 * np.random.default_rng(2).normal(size=(1000, model.size))
    z[:, at], z[:, model.places["sigma"]] = 0.0, -6.0
    two = np.exp([lane["seen"].first, lane["seen"].last])

    def one(z):
        params = model.parameters(model.constrain(z, lane)[0], lane)
        own = {name: params[name] for name in model.law.parameters}
        start, end = own["g"], own.get("u", own.get("d"))
        return model.law.fn(jnp.asarray(two), **own), jnp.stack([start, end])

    with jax.enable_x64(True):
        curve, ends = jax.device_get(compiled(level=0)(jax.vmap(one))(jnp.asarray(z)))
    low, high = np.sort([lane["seen"].low, lane["seen"].high])
    allowed = (ends.min(1) < low - 0.05) & (ends.max(1) > high + 0.05)
    assert allowed.sum() > 10
    off = curve[allowed] - [lane["seen"].low, lane["seen"].high]
    assert np.abs(off).max() < 0.03


def test_plateaus_and_long_curves_are_sampled_as_ever():
    t = np.log(X)
    for y in (np.full(5, 0.25), np.array([0.25, 0.26, 0.24, 0.25, 0.255])):
        assert seen(t, y, np.zeros(5)) == UNSEEN
    assert seen(np.arange(30.0), np.linspace(0.1, 0.9, 30), np.zeros(30)) == UNSEEN
    found = seen(t, RISES, np.full(5, 0.004))
    assert (found.way, found.error) == (1, 0.004)
    assert found.low < found.high


def test_a_fit_of_five_models_takes_few_steps():
    """It took 170 steps a draw in x50 and k."""
    data = Dataset({"x": X}, {"y": np.array([0.383, 0.453, 0.539, 0.601, 0.633])})
    fit = bs.fit("sigmoid", data, sampler=bs.NUTS(draws=400, warmup=500, retries=0))
    assert fit.stats["n_steps"].mean() < 120
    assert (fit.draws["u"] > 0.6).all()
