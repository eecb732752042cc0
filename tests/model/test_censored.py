"""What is only known to lie below a limit: likelihood, evidence, new runs, residuals, files."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

import bayescale as bs
from bayescale.data.from_frame import from_frame
from bayescale.laws.loss import power
from bayescale.model.arrays import lane_of
from bayescale.model.censored import log_cdf
from bayescale.model.model import Model
from bayescale.noises.names import get_noise
from bayescale.posterior.pointwise import log_likelihood, replicate

LIMIT = 0.01
Y = np.array([0.3, 0.08, 0.03, 0.0, 0.012, 0.0])
X = 10.0 ** np.arange(6)


@bs.law
def level(x, *, m=bs.positive(0.001, 0.3)):
    return m + 0 * x


@pytest.mark.parametrize("df", [0.5, 1.0, 3.0, 30.0, 300.0])
def test_the_tail_of_student_is_scipys(df):
    z = np.array([-1e6, -1e3, -50.0, -8.0, -3.0, -1.0, -1e-3, 0.0, 0.5, 3.0, 40.0])
    with jax.enable_x64(True):
        found = log_cdf(dist.StudentT(df, 0.0, 1.0), jnp.asarray(z))
        slope = jax.vmap(jax.grad(lambda v: log_cdf(dist.StudentT(v, 0.0, 1.0), -4.0)))
        by_df = slope(jnp.array([df]))[0]
    with np.errstate(divide="ignore"):
        want = np.log(stats.t.cdf(z, df))
    known = want > -300
    np.testing.assert_allclose(np.asarray(found)[known], want[known], atol=3e-5)
    assert np.isfinite(found).all()
    ends = [np.log(stats.t.cdf(-4.0, df + h)) for h in (1e-4 * df, -1e-4 * df)]
    assert by_df == pytest.approx((ends[0] - ends[1]) / (2e-4 * df), rel=1e-3)


@pytest.mark.parametrize(
    ("scatter", "want"),
    [
        (dist.Normal(1.0, 2.0), lambda z: stats.norm.logcdf(z, 1, 2)),
        (dist.Laplace(1.0, 2.0), lambda z: stats.laplace.logcdf(z, 1, 2)),
        (dist.LogNormal(1.0, 2.0), lambda z: stats.norm.logcdf(np.log(z), 1, 2)),
        (dist.Gumbel(1.0, 2.0), lambda z: stats.gumbel_r.logcdf(z, 1, 2)),
    ],
    ids=["normal", "laplace", "lognormal", "other"],
)
def test_other_tails_are_scipys(scatter, want):
    z = np.array([0.01, 0.5, 1.0, 4.0, 60.0])
    with jax.enable_x64(True):
        np.testing.assert_allclose(log_cdf(scatter, jnp.asarray(z)), want(z), atol=1e-9)


@pytest.mark.parametrize("z", [-1e4, -5.0, 0.0, 5.0, 1e4])
def test_slopes_are_finite_in_single_precision(z):
    for base in (dist.StudentT(3.0, 0.0, 1.0), dist.Laplace(0.0, 1.0), dist.Normal(0.0, 1.0)):
        assert np.isfinite(jax.grad(lambda v, base=base: log_cdf(base, v))(jnp.float32(z)))


def table(**more):
    return from_frame({"x": X, "y": Y}, "x", "y", limit=LIMIT, input_names=["x"], **more)


def densities(noise, m, sigma, nu=None, stderr=0.0):
    """Log likelihood of each row by scipy: density where measured, probability below the limit."""
    known = stderr / np.maximum(Y, LIMIT)  # of what was measured
    scale = np.sqrt(sigma**2 + known**2 / (2 if noise == "laplace" else 1))
    of = {"student": lambda: stats.t(nu, np.log(m), scale)}
    of |= {"lognormal": lambda: stats.norm(np.log(m), scale)}
    of |= {"laplace": lambda: stats.laplace(np.log(m), scale)}
    one, y = of[noise](), np.maximum(Y, LIMIT)
    return np.where(Y <= LIMIT, one.logcdf(np.log(y)), one.logpdf(np.log(y)) - np.log(y))


@pytest.mark.parametrize("noise", ["student", "lognormal", "laplace"])
@pytest.mark.parametrize("stderr", [0.0, 0.01])
def test_the_likelihood_of_each_row(noise, stderr):
    data = table(stderr=stderr) if stderr else table()
    model = Model(level, get_noise(noise))
    params = {"m": 0.05, "sigma": 0.4} | ({"nu": 3.0} if noise == "student" else {})
    with jax.enable_x64(True):
        lane = lane_of(model, data)
        lane["inputs"] = {k: v * lane["ref"][k] for k, v in lane["inputs"].items()}
        found = model.log_likelihood({k: jnp.asarray(v) for k, v in params.items()}, lane)
    want = densities(noise, 0.05, 0.4, 3.0, stderr)
    np.testing.assert_allclose(found[: len(Y)], want, atol=1e-5)
    assert not np.asarray(found)[len(Y) :].any()


def test_errors_of_the_size_of_the_largest_response_make_no_flatter_law_likely():
    """Over the law's mean they would be small where a law lies high: a flat one won by 5 nats."""
    C = np.geomspace(6e18, 3e21, 6)
    y = 1e9 * (C / 1e20) ** 0.514
    frame = {"x": C, "y": y, "sd": 0 * y + y.max()}
    data = from_frame(frame, "x", "y", stderr="sd", input_names=["x"])
    model, found = Model(power(floor=False, rising=True), get_noise("lognormal")), []
    with jax.enable_x64(True):
        lane = lane_of(model, data)
        lane["inputs"] = {k: v * lane["ref"][k] for k, v in lane["inputs"].items()}
        for slope in (0.514, 0.15):
            params = {"A": y.max() / C[-1] ** slope, "alpha": -slope, "sigma": 0.01}
            params = {k: jnp.asarray(float(v)) for k, v in params.items()}
            found.append(float(model.log_likelihood(params, lane).sum()))
    assert found[0] > found[1]


@pytest.fixture(scope="module")
def limited_fit():
    """A level and a lognormal scatter, 2 x 1000 draws."""
    sampler = bs.NUTS(chains=2, warmup=300, draws=1000, retries=0)
    return bs.fit(level, table(), noise="lognormal", sampler=sampler, seed=1)


@pytest.fixture(scope="module")
def grid():
    """Brute force: m, sigma and their log joint density on a grid even in logs."""
    m, sigma = np.meshgrid(np.geomspace(1e-5, 30, 500), np.geomspace(1e-4, 60, 500))
    joint = np.zeros(m.shape)
    for y in Y:
        at = (np.log(max(y, LIMIT)) - np.log(m)) / sigma
        joint += (
            stats.norm.logcdf(at)
            if y <= LIMIT
            else (stats.norm.logpdf(at) - np.log(sigma) - np.log(y))
        )
    for value, prior in (
        (m, level.prior_of("m")),
        (sigma, get_noise("lognormal").prior_of("sigma")),
    ):
        with jax.enable_x64(True):
            joint += np.asarray(prior.log_prob(jnp.asarray(value))) + np.log(value)
    cell = np.diff(np.log(m[0]))[0] * np.diff(np.log(sigma[:, 0]))[0]
    return m, sigma, joint, cell


def test_the_posterior_is_that_of_a_brute_force_integral(limited_fit, grid):
    m, sigma, joint, cell = grid
    weight = np.exp(joint - joint.max())
    weight /= weight.sum()
    for name, values in (("m", m), ("sigma", sigma)):
        want = np.sum(weight * np.log(values))
        spread = np.sqrt(np.sum(weight * (np.log(values) - want) ** 2))
        drawn = np.log(limited_fit.flat()[name])
        assert drawn.mean() == pytest.approx(want, abs=0.15 * spread)
        assert drawn.std() == pytest.approx(spread, rel=0.15)
    evidence = joint.max() + np.log(np.exp(joint - joint.max()).sum() * cell)
    assert bs.log_evidence(limited_fit, seed=0).log == pytest.approx(evidence, abs=0.1)
    naive = {"x": X[Y > LIMIT], "y": Y[Y > LIMIT]}
    assert np.median(naive["y"]) > 1.2 * np.median(limited_fit.draws["m"])


def test_leaving_one_out_takes_the_probability_below(limited_fit):
    flat, found = limited_fit.flat(), log_likelihood(limited_fit)
    found = found.reshape(-1, len(Y))
    below = stats.norm.logcdf((np.log(LIMIT) - np.log(flat["m"])) / flat["sigma"])
    for row in np.flatnonzero(Y <= LIMIT):
        np.testing.assert_allclose(found[:, row], below, atol=1e-6)


def test_new_runs_are_put_at_the_limit_as_the_data_are(limited_fit):
    found, flat = replicate(limited_fit, 2000, seed=0), limited_fit.flat()
    assert found.min() == LIMIT
    want = stats.norm.cdf((np.log(LIMIT) - np.log(flat["m"])) / flat["sigma"]).mean()
    assert (found == LIMIT).mean() == pytest.approx(want, abs=0.03)
    free = bs.predict(limited_fit, {"x": 10.0}, allow_failed=True)
    assert free.new.min() < LIMIT  # a forecast knows of no limit


def test_residuals_below_the_limit_are_inside_unless_the_law_is_far_above(limited_fit):
    left = bs.residuals(limited_fit)
    inside = (left.lo <= left.residual) & (left.residual <= left.hi)
    assert inside[Y <= LIMIT].all()
    high = dict(limited_fit.draws)
    high["m"], high["sigma"] = high["m"] * 0 + 0.5, high["sigma"] * 0 + 0.1
    from dataclasses import replace

    left = bs.residuals(replace(limited_fit, draws=high))
    assert (left.lo > left.residual)[Y <= LIMIT].all()


def test_a_file_keeps_the_limit(limited_fit, tmp_path):
    bs.save(limited_fit, tmp_path / "fit.nc")
    again = bs.load(tmp_path / "fit.nc", law=level)
    assert again.data.below.tolist() == (Y <= LIMIT).tolist()
    np.testing.assert_array_equal(again.data.limit, LIMIT)


def test_rows_picked_stay_below():
    data = table()
    assert data.take([3, 4]).below.tolist() == [True, False]
    assert data.take(data.below).responses["y"].tolist() == [LIMIT, LIMIT]


def test_counted_errors_of_a_law_of_losses_are_binomial():
    n = np.full(len(Y), 500.0)
    data = from_frame({"x": X, "y": np.round(Y * 500) / 500, "n": n}, "x", "y", n="n")
    model = Model(level, get_noise("binomial"))
    with jax.enable_x64(True):
        lane = lane_of(model, data)
        found = [model.log_likelihood({"m": jnp.asarray(m)}, lane)[: len(Y)] for m in (0.05, 1.5)]
    want = stats.binom.logpmf(np.round(Y * 500), 500, 0.05)
    np.testing.assert_allclose(found[0], want, atol=1e-6)
    assert np.isfinite(found[1]).all()  # above 1 it is taken for 1
