"""Noises: each is a density, agrees with scipy's closed form, and adds known errors rightly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma

from bayescale.data.dataset import Dataset
from bayescale.data.responses import RESOLUTION
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.model.programs import compiled
from bayescale.model.sampling import sample
from bayescale.noises.accuracy import (
    NODES,
    WEIGHTS,
    beta_binomial,
    bimodal,
    binomial,
    bounded,
    logit_normal,
    scale_scatter,
)
from bayescale.noises.loss import frontier, laplace, lognormal, normal, student
from bayescale.noises.names import NOISES, get_noise

COUNTS = ["binomial", "beta_binomial", "scale_scatter", "bimodal"]

# What each noise says at mean 2.5 with a known standard error, and scipy's word for it.
LEAST = np.hypot(0.1, RESOLUTION)
CONTINUOUS = {
    "student": (
        dict(sigma=0.1, nu=4.0),
        lambda y, m, se: (
            stats.t.logpdf(np.log(y), 4, np.log(m), np.hypot(LEAST, se / m)) - np.log(y)
        ),
    ),
    "lognormal": (
        dict(sigma=0.1),
        lambda y, m, se: stats.lognorm.logpdf(y, np.hypot(LEAST, se / m), scale=m),
    ),
    "laplace": (
        dict(sigma=0.1),
        lambda y, m, se: (
            stats.laplace.logpdf(np.log(y), np.log(m), np.hypot(LEAST, se / m / np.sqrt(2)))
            - np.log(y)
        ),
    ),
    "normal": (
        dict(sigma=0.1),
        lambda y, m, se: stats.norm.logpdf(y, m, np.hypot(0.1, se)),
    ),
    "frontier": (
        dict(sigma=0.1, excess=0.3),
        lambda y, m, se: (
            stats.exponnorm.logpdf(
                np.log(y), 0.3 / np.hypot(LEAST, se / m), np.log(m), np.hypot(LEAST, se / m)
            )
            - np.log(y)
        ),
    ),
}


def rho_of(rho, p, se):
    return rho + se**2 / (p * (1 - p))


def np_beta_binomial(k, n, p, rho):
    s = 1 / rho - 1
    return stats.betabinom.logpmf(k, n, p * s, (1 - p) * s)


def at_nodes(tau, x=1.0, k=1.2, lo=0.25, hi=0.95):
    """A sigmoid at the noise's nodes about log x = log x50 + log(x), (nodes, 1)."""
    z = k * (np.log(x) + tau * NODES)
    return (lo + (hi - lo) / (1 + np.exp(-z)))[:, None]


def test_no_noise_is_left_out():
    assert set(NOISES) == {*CONTINUOUS, *COUNTS, "bounded", "logit_normal"}
    assert all(get_noise(name) is NOISES[name] for name in NOISES)
    with pytest.raises(ValueError, match=r"unknown noise 'studnt'; did you mean 'student'\?"):
        get_noise("studnt")
    with pytest.raises(ValueError, match="power is a law, no noise"):
        get_noise(get_law("power"))


def test_defaults_do_not_clash():
    """Also where an accuracy without questions stands beside a loss."""
    x, y = np.geomspace(1e8, 1e11, 9), np.full(9, 0.5)
    for law in (get_law("sigmoid"), get_law("two_stage"), get_law("breakthrough")):
        responses = {"accuracy": y, "loss": 4 * y} if law.further else {"accuracy": y}
        without = Dataset({"x": x}, responses)
        known = Dataset({"x": x}, responses, n=np.full(9, 10.0))
        assert make_model(law, known).noise is scale_scatter
        assert make_model(law, without).noise is (bounded if law.further else normal)
        assert make_model(law, known).further == (student,) * len(law.further)
    assert make_model(get_law("power"), Dataset({"x": x}, {"y": y})).noise is student


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("stderr", [0.0, 0.4])
def test_continuous_noises_match_scipy_and_integrate_to_one(name, stderr):
    params, closed = CONTINUOUS[name]
    log_y = np.linspace(np.log(2.5) - 25, np.log(2.5) + 25, 50_001)
    y = np.linspace(-10, 15, 50_001) if name == "normal" else np.exp(log_y)
    with jax.enable_x64(True):
        found = NOISES[name].fn(jnp.array([2.5]), jnp.array([stderr]), **params)
        got = np.asarray(found.log_prob(y))
    np.testing.assert_allclose(got, closed(y, 2.5, stderr), rtol=1e-9, atol=1e-9)
    density = np.exp(got) * (1 if name == "normal" else y)
    total = np.trapezoid(density, y if name == "normal" else log_y)
    assert total == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("stderr", [0.0, 0.1])
def test_counts_match_scipy_and_sum_to_one(name, stderr):
    n, k = 40.0, np.arange(41.0)
    with jax.enable_x64(True):
        known = dict(stderr=jnp.array([stderr]), n=jnp.array([n]))
        if name == "binomial":
            found = binomial.fn(jnp.array([0.3]), known["n"])
            want = stats.binom.logpmf(k, n, 0.3)
        elif name == "beta_binomial":
            found = beta_binomial.fn(jnp.array([0.3]), **known, rho=0.05)
            want = np_beta_binomial(k, n, 0.3, rho_of(0.05, 0.3, stderr))
        elif name == "bimodal":  # a quarter of the runs broke through
            found = bimodal.fn(jnp.array([0.35]), **known, floor=0.2, ceiling=0.8, rho=0.05)
            low, high = (
                np.exp(np_beta_binomial(k, n, p, rho_of(0.05, p, stderr))) for p in (0.2, 0.8)
            )
            want = np.log(0.75 * low + 0.25 * high)
        else:
            mean = at_nodes(0.7)
            found = scale_scatter.fn(jnp.asarray(mean), **known, tau=0.7, rho=0.003)
            p, apart = mean[1, 0], mean[:, 0] - WEIGHTS @ mean[:, 0]
            v = 0.003 + WEIGHTS @ apart**2 / (p * (1 - p))
            want = np_beta_binomial(k, n, p, rho_of(v / (1 + v), p, stderr))
        got = np.asarray(found.log_prob(k))
    np.testing.assert_allclose(got, want, atol=1e-6)
    assert np.exp(got).sum() == pytest.approx(1, abs=1e-6)


def test_a_known_error_adds_its_variance():
    mean, se = jnp.array([2.5]), jnp.array([0.3])
    with jax.enable_x64(True):
        spread = lambda noise, se: float(noise.fn(mean, se, sigma=0.2).variance[0])  # noqa: E731
        assert spread(normal, se) == pytest.approx(0.2**2 + 0.3**2)
        logs = lognormal.fn(mean, se, sigma=0.2).base_dist.variance[0]
        assert float(logs) == pytest.approx(0.2**2 + (0.3 / 2.5) ** 2)
        logs = laplace.fn(mean, se, sigma=0.2).base_dist.variance[0]
        assert float(logs) == pytest.approx(2 * 0.2**2 + (0.3 / 2.5) ** 2)
        p, n = jnp.array([0.3]), jnp.array([1e4])
        with_error = beta_binomial.fn(p, jnp.array([0.1]), n, rho=0.01).variance[0] / 1e8
        between = 0.01 * 0.21 + 0.1**2
        assert float(with_error) == pytest.approx(between + (0.21 - between) / 1e4, rel=1e-6)


@pytest.mark.parametrize("tau", [1e-3, 1e-2])
def test_scatter_without_scatter_is_binomial(tau):
    k = np.arange(101.0)
    with jax.enable_x64(True):
        mean = jnp.asarray(at_nodes(tau, x=0.3))
        got = scale_scatter.fn(mean, jnp.zeros(1), jnp.array([100.0]), tau=tau, rho=1e-9).log_prob(
            k
        )
    want = stats.binom.logpmf(k, 100, float(mean[1, 0]))
    likely = want > want.max() - 10
    np.testing.assert_allclose(np.asarray(got)[likely], want[likely], atol=0.02)


@pytest.mark.parametrize("x", [0.03, 0.5, 1.0, 8.0])
@pytest.mark.parametrize(("tau", "off"), [(0.2, 0.01), (0.7, 0.15), (1.5, 0.35)])
@pytest.mark.parametrize("rho", [1e-9, 0.02])
def test_scatter_has_the_variance_of_models_that_differ_in_scale(rho, tau, off, x):
    """Against brute-force quadrature; the mean is the law, and three nodes are rough for wide tau.

    A variance v between models, as a share of p (1 - p), counts as v / (1 + v): it stays below 1.
    """
    z = np.linspace(-9, 9, 20_001)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    p = 0.25 + 0.7 / (1 + np.exp(-1.2 * (np.log(x) + tau * z)))
    middle = p[len(z) // 2]
    v = rho + weight @ (p - weight @ p) ** 2 / (middle * (1 - middle))
    n = 1e6
    with jax.enable_x64(True):
        nodes = jnp.asarray(at_nodes(tau, x=x))
        found = scale_scatter.fn(nodes, jnp.zeros(1), jnp.array([n]), tau=tau, rho=rho)
        got_mean, got_variance = float(found.mean[0]) / n, float(found.variance[0]) / n**2
    assert got_mean == pytest.approx(middle, rel=1e-9)
    total = v / (1 + v) * (1 - 1 / n) + 1 / n
    assert got_variance / (middle * (1 - middle)) == pytest.approx(total, rel=off)


@pytest.mark.parametrize("name", [*COUNTS, "bounded", "logit_normal"])
@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
def test_certainty_never_makes_an_accuracy_impossible(name, x64):
    """The law may say 0 or 1 and the model score anything: density and gradient stay finite."""
    n, k = 50.0, np.array([0.0, 1.0, 25.0, 49.0, 50.0])

    def density(p):
        column = jnp.full(5, p)
        known = dict(stderr=jnp.zeros(5), n=jnp.full(5, n))
        if name == "binomial":
            found = binomial.fn(column, known["n"])
        elif name == "beta_binomial":
            found = beta_binomial.fn(column, **known, rho=0.01)
        elif name == "bimodal":  # floor and ceiling too, and now and then they are one
            found = bimodal.fn(column, **known, floor=p, ceiling=jnp.ones_like(p), rho=0.01)
        elif name == "bounded":
            return jnp.sum(bounded.fn(column, known["stderr"], rho=0.01).log_prob(k / n))
        elif name == "logit_normal":
            return jnp.sum(logit_normal.fn(column, **known, sigma=0.1).log_prob(k / n))
        else:
            found = scale_scatter.fn(jnp.tile(column, (3, 1)), **known, tau=0.5, rho=0.01)
        return jnp.sum(found.log_prob(jnp.asarray(k)))

    with jax.enable_x64(x64):
        every = jnp.array([0.0, 1e-30, 1e-9, 0.5, 1 - 1e-9, 1.0], float if x64 else "f4")
        values, gradients = compiled(level=0)(jax.vmap(jax.value_and_grad(density)))(every)
        assert np.isfinite(values).all()
        assert np.isfinite(gradients).all()


@pytest.mark.parametrize("name", NOISES)
def test_float32_agrees_with_float64(name):
    rng = np.random.default_rng(0)
    counts = NOISES[name].counts
    unit = NOISES[name].support == "unit"
    mean = rng.uniform(0.2, 0.9, 30) if unit else rng.uniform(1.5, 5, 30)
    n = np.full(30, 2000.0)
    y = rng.binomial(2000, mean) if counts else mean * np.exp(0.05 * rng.normal(size=30))

    def density(width):
        cast = lambda v: jnp.asarray(v, width)  # noqa: E731
        known = {"stderr": cast(np.full(30, 0.001)), "n": cast(n), "mean": cast(mean)}
        known |= {"floor": cast(0.15), "ceiling": cast(0.95)}
        if name == "scale_scatter":  # a plateau, where the models agree: rho is tiny
            known["mean"] = cast(np.tile(mean, (3, 1)) + 1e-4 * NODES[:, None])
        params = dict(CONTINUOUS.get(name, [{}])[0])
        params |= {"scale_scatter": dict(tau=0.5, rho=1e-4)}.get(name, {})
        params |= dict(rho=0.002) if name in ("beta_binomial", "bimodal", "bounded") else {}
        params |= dict(sigma=0.1) if name == "logit_normal" else {}
        columns = [known[column] for column in NOISES[name].inputs]
        return np.asarray(NOISES[name].fn(*columns, **params).log_prob(cast(y)))

    with jax.enable_x64(True):
        double = density(jnp.float64)
    with jax.enable_x64(False):
        single = density(jnp.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-3, atol=0.02)


def test_student_with_many_degrees_of_freedom_is_lognormal():
    y = np.linspace(1.5, 4, 20)
    with jax.enable_x64(True):
        column, none = jnp.full(20, 2.5), jnp.zeros(20)
        heavy = student.fn(column, none, sigma=0.2, nu=1e6).log_prob(y)
        light = lognormal.fn(column, none, sigma=0.2).log_prob(y)
    np.testing.assert_allclose(heavy, light, atol=1e-3)


def log_rising(a, k):
    """log Gamma(a + k) - log Gamma(a) by its definition, for k a whole number."""
    return np.log(a + np.arange(k)).sum()


@pytest.mark.parametrize("n", [0, 1, 10, 2000, 1_000_000])
@pytest.mark.parametrize("rho", [1e-7, 1e-3, 0.1, 0.5, 0.999])
def test_the_density_of_counts_holds_at_any_concentration(n, rho):
    """Against products of n factors, with concentrations from 1e-10 to 1e7."""
    p, y = np.meshgrid([1e-10, 0.01, 0.3, 1 - 1e-3], sorted({0, min(1, n), n // 3, n}))
    p, y = p.ravel(), y.ravel()
    c = 1 / rho - 1

    def at(width):
        column = jnp.asarray(p, width)
        known = jnp.zeros_like(column), jnp.full(p.shape, n)
        found = beta_binomial.fn(column, *known, rho=jnp.asarray(rho, width))
        return np.asarray(found.log_prob(jnp.asarray(y, width)))

    with jax.enable_x64(True):
        double = at(jnp.float64)
    with jax.enable_x64(False):
        single = at(jnp.float32)
    want = [
        log_rising(a, k) + log_rising(c - a, n - k) - log_rising(c, n)
        - (log_rising(1, k) + log_rising(1, n - k) - log_rising(1, n))
        for a, k in zip(p * c, y, strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(double, want, rtol=1e-9, atol=1e-8)
    assert n > 0 or (single == 0).all()
    likely = np.array(want) > -30
    if n <= 2000:
        np.testing.assert_allclose(single[likely], double[likely], atol=1e-3)
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=0.2)


@pytest.mark.parametrize("rho", [1e-6, 1e-3, 0.1, 0.9])
def test_the_gradient_of_counts_is_that_of_log_gammas(rho):
    p, y = np.meshgrid([1e-6, 0.01, 0.3, 0.999], [0.0, 1.0, 300.0, 1000.0])
    p, y = p.ravel(), y.ravel()
    c, n = 1 / rho - 1, 1000
    a, b = p * c, (1 - p) * c
    with jax.enable_x64(True):
        known = jnp.zeros(p.shape), jnp.full(p.shape, n)
        gradient = jax.grad(lambda p: beta_binomial.fn(p, *known, rho=rho).log_prob(y).sum())
        got = np.asarray(gradient(jnp.asarray(p)))
    want = c * (digamma(a + y) - digamma(a) - digamma(b + n - y) + digamma(b))
    np.testing.assert_allclose(got * p * (1 - p), want * p * (1 - p), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("g", "u"), [(0.2, 0.8), (0.8, 0.2)], ids=["rises", "falls"])
def test_bimodal_is_on_one_level_where_the_law_is(g, u):
    k, n = np.arange(101.0), jnp.array([100])
    with jax.enable_x64(True):
        for mean, level in ((g, g), (u, u), (g + 3 * (g - u), g), (u + 3 * (u - g), u)):
            got = bimodal.fn(jnp.array([mean]), jnp.zeros(1), n, g, u, rho=0.01).log_prob(k)
            want = np_beta_binomial(k, 100, level, 0.01)
            likely = want > want.max() - 15
            np.testing.assert_allclose(np.asarray(got)[likely], want[likely], atol=1e-6)


@pytest.mark.parametrize("u", [0.9, 0.0])
def test_bimodal_has_the_mean_of_the_law_and_two_modes(u):
    g, mean, n = 0.3, np.linspace(0.3, u, 7), np.full(7, 200)
    w = (mean - g) / (u - g)
    with jax.enable_x64(True):
        columns = jnp.asarray(mean), jnp.zeros(7), jnp.asarray(n)
        found = bimodal.fn(*columns, g, u, rho=0.01)
        np.testing.assert_allclose(found.mean / 200, mean, atol=1e-12)
        variance = np.asarray(found.variance) / 200**2
        draws = sample(found, np.random.default_rng(1), 20_000) / 200
    np.testing.assert_allclose(draws.mean(0), mean, atol=0.01)
    np.testing.assert_allclose(draws.var(0), variance, atol=0.005)
    middle = (g + u) / 2
    np.testing.assert_allclose(((draws > middle) == (u > g)).mean(0), w, atol=0.02)


def test_bimodal_without_a_gap_is_beta_binomial():
    """Also in gradients: a sampler may pass there."""
    k, columns = jnp.arange(5.0), (jnp.zeros(5), jnp.full(5, 4))

    def density(g, u):
        found = bimodal.fn(jnp.full(5, 0.5), *columns, g, u, rho=0.1)
        return jnp.sum(found.log_prob(k))

    value, gradient = jax.value_and_grad(density, (0, 1))(0.5, 0.5)
    assert value == pytest.approx(np_beta_binomial(np.arange(5), 4, 0.5, 0.1).sum(), abs=1e-4)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("stderr", [0.0, 0.05])
@pytest.mark.parametrize("rho", [1e-5, 0.01, 0.3])
@pytest.mark.parametrize("mean", [0.02, 0.3, 0.97])
def test_bounded_is_a_beta_density_with_the_stated_moments(mean, rho, stderr):
    variance = rho * mean * (1 - mean) + stderr**2
    c = mean * (1 - mean) / variance - 1
    closed = stats.beta(mean * c, (1 - mean) * c)
    y = closed.ppf(np.linspace(0.001, 0.999, 101)).clip(5e-4, 1 - 5e-4)
    with jax.enable_x64(True):
        found = bounded.fn(jnp.array([mean]), jnp.array([stderr]), rho=rho)
        got = np.asarray(found.log_prob(y))
        assert float(found.mean[0]) == pytest.approx(mean)
        assert float(found.variance[0]) == pytest.approx(variance)
        draws = np.asarray(found.sample(jax.random.key(2), (20_000,)))
    np.testing.assert_allclose(got, closed.logpdf(y), atol=1e-8)
    assert draws.mean() == pytest.approx(mean, abs=5 * (variance / 20_000) ** 0.5)
    assert draws.var() == pytest.approx(variance, rel=0.1)
    with jax.enable_x64(False):
        narrow = jnp.array([mean], "f4"), jnp.array([stderr], "f4")
        single = bounded.fn(*narrow, rho=rho).log_prob(jnp.asarray(y, "f4"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, got, atol=0.01)


@pytest.mark.parametrize("mean", [0.05, 0.3, 0.9])
def test_bounded_integrates_to_one(mean):
    y = np.linspace(0, 1, 50_001)
    with jax.enable_x64(True):
        got = np.asarray(bounded.fn(jnp.array([mean]), jnp.zeros(1), rho=0.02).log_prob(y))
    assert np.trapezoid(np.exp(got), y) == pytest.approx(1, abs=1e-4)


def test_a_bounded_score_at_its_bound_is_half_a_thousandth_inside():
    with jax.enable_x64(True):
        found = bounded.fn(jnp.full(4, 0.001), jnp.zeros(4), rho=0.3)
        low, inside, high, below = found.log_prob(jnp.array([0.0, 5e-4, 1.0, 1 - 5e-4]))
    assert low == inside
    assert high == below


@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("excess", [1e-4, 1e-2, 1.0, 30.0])
def test_the_frontier_holds_wherever_one_of_its_scatters_is_small(excess, x64):
    """Against the integral over the mistuning, far on both sides; gradients are finite."""
    y = np.exp([-0.3, -0.03, -1e-3, 0.0, 1e-3, 0.02, 0.3, 2.0])
    with jax.enable_x64(x64):
        found = lambda y, e: frontier.fn(jnp.ones(()), 0.0, sigma=0.01, excess=e).log_prob(y)  # noqa: E731
        each = compiled(level=0)(jax.vmap(jax.value_and_grad(found, (0, 1)), (0, None)))
        value, slopes = each(jnp.asarray(y, float), jnp.asarray(excess, float))
    rest = np.log(y)[:, None] - np.linspace(0, 2.5, 200_001)
    step = -np.diff(rest[0, :2])[0]
    density = stats.norm.logpdf(rest, scale=0.01) + stats.expon.logpdf(
        np.log(y)[:, None] - rest, scale=excess
    )
    density[:, 0] -= np.log(2)  # the trapezoid's half weight
    top = density.max(1, keepdims=True)
    exact = np.log(np.exp(density - top).sum(1) * step) + top[:, 0] - np.log(y)
    assert np.allclose(value, exact, rtol=2e-3, atol=0.02)
    assert all(np.isfinite(each).all() for each in slopes)


def test_draws_of_a_frontier_lie_above_it_by_the_excess():
    drawn = frontier.fn(jnp.full(40_000, 2.5), 0.0, sigma=0.05, excess=0.2).sample(
        jax.random.key(0)
    )
    away = np.log(np.asarray(drawn) / 2.5)
    assert away.mean() == pytest.approx(0.2, abs=0.005)
    assert away.std() == pytest.approx(np.hypot(0.05, 0.2), abs=0.005)


def test_logit_normal_is_normal_in_log_odds_with_the_sampling_of_questions():
    """Its density is the closed form, and near enough the binomial's where n p q is large."""
    n, k, p, se = 400, np.arange(401), 0.3, 0.01
    odds = np.log((k + 0.5) / (n - k + 0.5))
    scale = np.sqrt(0.05**2 + 1 / (n * p * (1 - p)) + (se / (p * (1 - p))) ** 2)
    inside = (k + 0.5) / (n + 1)
    volume = np.log((n + 1) / n) + np.log(inside * (1 - inside))
    closed = stats.norm.logpdf(odds, np.log(p / (1 - p)), scale) - volume
    with jax.enable_x64(True):
        column, counts = jnp.full(401, p), jnp.full(401, n)
        whole = logit_normal.fn(column, jnp.full(401, se), counts, sigma=0.05)
        got = np.asarray(whole.log_prob(jnp.asarray(k / n)))
        plain = logit_normal.fn(column, jnp.zeros(401), counts, sigma=1e-6)
        mass = np.diff(np.asarray(plain.cdf(jnp.asarray((np.arange(402) - 0.5)[:401] / n))))
        moments = float(plain.mean[0]), float(plain.variance[0])
        alone = logit_normal.fn(column, jnp.zeros(401), None, sigma=0.5)
        ends = np.asarray(alone.log_prob(jnp.linspace(0, 1, 401)))
    np.testing.assert_allclose(got, closed, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mass, stats.binom(n, p).pmf(k[:400]), atol=0.002)
    assert moments == pytest.approx((p, p * (1 - p) / n), rel=0.02)
    assert np.isfinite(ends).all()
