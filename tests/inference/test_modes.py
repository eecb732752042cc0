"""Starts: prior draws, prior widths, modes and curvature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import biject_to
from scipy.special import polygamma

from bayescale.data.dataset import Dataset
from bayescale.inference import modes
from bayescale.inference.modes import evaluate, prior_draws, prior_moments, search
from bayescale.laws import get_law
from bayescale.model.arrays import pack
from bayescale.model.model import Model
from bayescale.model.programs import compiled
from bayescale.noises.names import get_noise
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import positive, real

NINETY = 2 * 1.6448536


def trigamma(x):
    return polygamma(1, x)


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


def model_of(law_name, noise):
    return Model(get_law(law_name), get_noise(noise))


def by_label(model, values):
    return dict(zip(model.labels, values, strict=True))


def test_prior_sds_are_the_analytic_ones(x64):
    sd = by_label(*(lambda m: (m, prior_moments(m)[1]))(model_of("chinchilla", "student")))
    want = {
        "level": 1.0,
        "share[0]": np.sqrt(trigamma(1) + trigamma(2)),  # a stick of Beta(1, 2)
        "share[1]": np.sqrt(2 * trigamma(1)),
        "alpha": np.log(1.5 / 0.05) / NINETY,
        "beta": np.log(1.5 / 0.05) / NINETY,
        "sigma": np.log(0.3 / 0.001) / NINETY,
        "nu": np.sqrt(trigamma(2)),
    }
    assert sd == pytest.approx(want, rel=1e-3)
    sd = by_label(*(lambda m: (m, prior_moments(m)[1]))(model_of("sigmoid", "beta_binomial")))
    assert sd["g"] == pytest.approx(1, rel=1e-3)
    assert sd["u"] == pytest.approx(np.sqrt(trigamma(1) + trigamma(2)), rel=1e-3)
    assert sd["rho"] == pytest.approx(np.log(0.2 / 0.001) / NINETY, rel=1e-3)


@pytest.mark.parametrize(
    ("law_name", "noise"),
    [("chinchilla", "student"), ("kaplan", "laplace"), ("broken(2)", "lognormal")],
)
def test_starts_follow_the_prior(law_name, noise, x64):
    """Each unwarped coordinate by itself has the mean and sd of exact draws of the prior."""
    model = model_of(law_name, noise)
    starts = prior_draws(model, np.random.default_rng(0), 4000)
    values = jax.vmap(model.sample_prior)(jax.random.split(jax.random.key(0), 4000))
    blocks = [
        np.reshape(jax.vmap(biject_to(s.prior.support).inv)(values[s.name]), (4000, s.size))
        for s in model.sites
    ]
    exact = np.concatenate(blocks, 1)
    assert starts.shape == exact.shape
    error = exact.std(0) / np.sqrt(4000)
    np.testing.assert_array_less(np.abs(starts.mean(0) - exact.mean(0)), 6 * error)
    np.testing.assert_allclose(starts.std(0), exact.std(0), rtol=0.1)


def test_starts_depend_on_the_generator_alone(x64):
    model = model_of("power", "student")
    one, two = (prior_draws(model, np.random.default_rng([3, 1]), 10) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(one, prior_draws(model, np.random.default_rng([3, 2]), 10))


@law(support="real")
def two_answers(x, *, a=real(-3, 3)):
    return a**2 * x


@law(support="real")
def unequal(x, *, a=real(-2, 2.4)):
    return a**2 * x


@pytest.mark.parametrize("made", [two_answers, unequal])
def test_both_modes_are_found(made, x64):
    x = np.linspace(1, 2, 16)
    data = Dataset({"x": x}, {"y": 1.44 * x})
    model = Model(made, get_noise("normal").fix(sigma=0.1))
    (batch,) = pack(model, data)
    ((first, second, *rest),) = search(model, batch.data, batch.keys, seed=0)
    assert not rest
    got = sorted(float(mode.z[0]) for mode in (first, second))
    assert got == pytest.approx([-1.2, 1.2], abs=0.01)
    if made is two_answers:
        assert first.log_evidence == pytest.approx(second.log_evidence, abs=1e-3)
    else:
        assert first.z[0] > 0
        # Both modes have one curvature by the likelihood: evidence differs by the prior alone.
        ratio = first.log_evidence - second.log_evidence
        sd = 4.4 / NINETY
        assert ratio == pytest.approx(2 * 1.2 * 0.2 / sd**2, rel=0.05)
    # The sd there: d mean/d a = 2 a x.
    sd = 0.1 / np.sqrt(np.sum((2 * 1.2 * x) ** 2))
    assert abs(first.scale.item()) == pytest.approx(sd, rel=0.02)


@pytest.mark.parametrize(
    ("law_name", "noise", "table"),
    [("power", "lognormal", "power"), ("chinchilla", "laplace", "chinchilla")],
)
def test_derivatives_are_those_of_the_density(law_name, noise, table, make_table, x64):
    model = model_of(law_name, noise)
    (batch,) = pack(model, make_table[table](30))
    lane = jax.tree.map(lambda leaf: leaf[0], batch.data)
    z = 0.3 * np.random.default_rng(0).normal(size=(1, 4, model.size))
    points = evaluate(model, z, batch.data)
    density = lambda z: model.log_density(z, lane)  # noqa: E731
    value, gradient = compiled(level=0)(jax.vmap(jax.value_and_grad(density)))(z[0])
    hessian = compiled(level=0)(jax.vmap(jax.hessian(lambda z: -density(z))))(z[0])
    np.testing.assert_array_equal(points.z, z)
    np.testing.assert_allclose(points.log_density[0], value, rtol=1e-9)
    np.testing.assert_allclose(np.abs(points.gradient[0]), np.abs(gradient), rtol=1e-6, atol=1e-6)
    size = np.abs(np.asarray(hessian)).max((1, 2))[:, None, None]
    np.testing.assert_allclose(points.hessian[0] / size, hessian / size, atol=1e-3)


@pytest.mark.parametrize("large", [100, 0])  # by Newton's method alone, and after L-BFGS
def test_modes_are_stationary_and_curves_have_their_own(large, make_table, x64, monkeypatch):
    monkeypatch.setattr(modes, "LARGE", large)
    tables = [make_table["power"](20, seed, alpha) for seed, alpha in ((0, 0.25), (1, 0.4))]
    joint = Dataset(
        {"x": np.concatenate([t.inputs["x"] for t in tables])},
        {"y": np.concatenate([t.responses["y"] for t in tables])},
        curve=np.repeat(["a", "b"], 20),
    )
    model = model_of("power", "student")
    (batch,) = pack(model, joint)
    found = search(model, batch.data, batch.keys, seed=0)
    for i, own in enumerate(found):
        lane = jax.tree.map(lambda leaf, i=i: leaf[i], batch.data)
        gradient = jax.grad(model.log_density)(jnp.asarray(own[0].z), lane)
        assert np.abs(gradient @ own[0].scale).max() < 0.02
        assert own[0].log_evidence == max(mode.log_evidence for mode in own)


def test_a_prior_helper_keeps_its_promise():
    with pytest.raises(ValueError, match="0 < lo < hi"):
        positive(0, 1)
    with pytest.raises(ValueError, match="lo < hi"):
        real(1, 1)
    with pytest.raises(ValueError, match="mass lies between"):
        real(0, 1, mass=1.0)
    x = np.array([0.05, 1.5])
    with jax.enable_x64(True):
        np.testing.assert_allclose(positive(*x).cdf(x), [0.05, 0.95], atol=1e-9)
        np.testing.assert_allclose(real(-2, 3, mass=0.5).cdf(np.array([-2.0, 3])), [0.25, 0.75])


def test_moments_of_a_narrow_prior():
    law = get_law("chinchilla").with_priors(alpha=positive(0.30, 0.31), E=real(1.8, 1.81))
    model = Model(law, get_noise("student"))
    with jax.enable_x64(True):
        mean, sd = prior_moments(model)
        starts = prior_draws(model, np.random.default_rng(0), 400)
    at = model.labels.index("alpha")
    prior = positive(0.30, 0.31)
    assert mean[at] == pytest.approx(prior.loc, abs=1e-5)
    assert sd[at] == pytest.approx(prior.scale, rel=0.01)
    assert starts[:, at].std() == pytest.approx(prior.scale, rel=0.15)
    assert sd[model.labels.index("E")] == pytest.approx(1.0, rel=0.01)
