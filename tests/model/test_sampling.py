"""Draws by NumPy follow the distributions of NumPyro."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy.stats import ks_2samp

from bayescale.model.sampling import KNOWN, sample, sample_each
from bayescale.noises.names import NOISES

ONES = [
    dist.Normal(1.0, 2.0),
    dist.LogNormal(1.0, 0.5),
    dist.StudentT(3.0, 1.0, 2.0),
    dist.Laplace(1.0, 2.0),
    dist.Logistic(1.0, 2.0),
    dist.Gamma(2.0, 0.1),
    dist.Beta(2.0, 5.0),
    dist.HalfCauchy(2.0),
    dist.TransformedDistribution(dist.Laplace(0.0, 1.0), dist.transforms.ExpTransform()),
    dist.TransformedDistribution(dist.Normal(0.0, 1.0), dist.transforms.AffineTransform(1.0, 2.0)),
]


@pytest.mark.parametrize("one", ONES, ids=lambda one: type(one).__name__)
def test_draws_are_of_the_distribution(one):
    drawn = sample(one, np.random.default_rng(0), 4000)
    assert drawn.shape == (4000,)
    want = np.asarray(one.sample(jax.random.key(1), (4000,)))
    assert ks_2samp(drawn, want).pvalue > 1e-3


def test_vectors():
    rng = np.random.default_rng(0)
    shares = sample(dist.Dirichlet(np.array([1.0, 2.0, 5.0])), rng, 4000)
    np.testing.assert_allclose(shares.sum(1), 1)
    np.testing.assert_allclose(shares.mean(0), [0.125, 0.25, 0.625], atol=0.02)
    apart = sample(dist.LogNormal(np.array([0.0, 5.0]), 0.1).to_event(1), rng, 500)
    np.testing.assert_allclose(np.log(apart).mean(0), [0, 5], atol=0.03)
    alike = sample(dist.LogNormal(0.0, 0.1).expand([3]).to_event(1), rng, 500)
    assert alike.shape == (500, 3)
    assert abs(np.corrcoef(alike.T)[0, 1]) < 0.2


def test_counts_are_of_their_mean_and_variance():
    rng, n, p = np.random.default_rng(0), 50, 0.3
    drawn = sample(dist.BinomialProbs(p, n), rng, 4000)
    assert drawn.mean() == pytest.approx(n * p, rel=0.02)
    assert drawn.var() == pytest.approx(n * p * (1 - p), rel=0.1)


@pytest.mark.parametrize("name", NOISES)
def test_a_run_of_each_draw(name):
    noise, rows = NOISES[name], 4
    mean = jnp.array([0.2, 0.4, 0.6, 0.8])
    known = {"mean": jnp.tile(mean, (3, 1)) if noise.nodes else mean, "stderr": jnp.zeros(rows)}
    known |= {"n": np.full(rows, 40), "floor": jnp.full(rows, 0.1), "ceiling": jnp.full(rows, 0.9)}
    columns = [known[each] for each in noise.inputs]
    params = {k: jnp.full(3000, {"nu": 20.0}.get(k, 0.05)) for k in noise.parameters}
    with jax.enable_x64(True):
        each = jax.vmap(lambda params: noise.fn(*columns, **params), axis_size=3000)(params)
        drawn = sample_each(each, np.random.default_rng(0))
    assert drawn.shape == (3000, rows)
    found = drawn / 40 if noise.counts else drawn
    np.testing.assert_allclose(found.mean(0), mean, rtol=0.06)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.1


def test_what_is_not_finite_has_no_count():
    one = dist.BinomialProbs(jnp.array([0.3, np.nan]), np.array([9, 9]), validate_args=False)
    drawn = sample(one, np.random.default_rng(0), 5)
    assert np.isfinite(drawn[:, 0]).all()
    assert np.isnan(drawn[:, 1]).all()


def test_a_class_of_ones_own_draws_as_it_says():
    class Shifted(dist.Normal):
        def sample(self, key, sample_shape=()):
            return 100.0 + super().sample(key, sample_shape)

    assert sample(Shifted(0.0, 1.0), np.random.default_rng(0), 50).min() > 90
    assert dist.Normal in KNOWN
