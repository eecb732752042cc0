"""Rows of one run: their joint density against a dense normal and against numerical integrals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import laplace, multivariate_normal, norm, t

from bayescale.data.dataset import Dataset
from bayescale.data.responses import RESOLUTION
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.model.arrays import lane_of
from bayescale.model.layout import by_run
from bayescale.model.programs import compiled

PARAMS = dict(
    E=1.8, A=150.0, alpha=0.25, sigma=0.01, run_sd=0.02, run_length=0.8, run_spacing=0.6, nu=3.0
)


def table(sizes, seed=0, stderr=False, off=0.0):
    """Runs of so many rows at random scales, in random order; `off` moves a row of the first."""
    rng = np.random.default_rng([seed, 3])
    run = np.repeat([f"r{i}" for i in range(len(sizes))], sizes).astype(object)
    steps = np.concatenate([np.arange(1, size + 1) for size in sizes])
    x = 1e8 * np.exp(0.3 * steps + rng.uniform(0, 0.2, len(run)))
    level = 0.02 * rng.normal(size=len(sizes))
    y = 1.8 + 150 * x**-0.25
    y = y * np.exp(np.repeat(level, sizes) + 0.01 * rng.normal(size=len(run)))
    y[0] *= np.exp(off)
    mixed = rng.permutation(len(run))
    error = 0.01 * rng.uniform(1, 3, len(run))[mixed] if stderr else None
    return Dataset({"x": x[mixed]}, {"y": y[mixed]}, run=run[mixed], stderr=error)


def densities(data, noise, **params):
    """The log density of each run under the power law, in natural units."""
    with jax.enable_x64(True):
        model = make_model(get_law("power"), data, noise)
        lane = lane_of(model, data)
        lane["inputs"] = {k: v * lane["ref"][k] for k, v in lane["inputs"].items()}
        given = {name: (PARAMS | params)[name] for name in model.names}
        given["sigma"] = given["sigma"] * (3.0 if noise == "normal" else 1.0)
        given = jax.tree.map(jax.numpy.asarray, given)
        found = np.asarray(compiled(level=0)(model.log_likelihood)(given, lane))
    return found[: len(set(data.run))]


@pytest.mark.parametrize("noise", ["lognormal", "student"])
def test_float32_agrees_with_float64(noise):
    data = table((5, 1, 12))
    with jax.enable_x64(True):
        model = make_model(get_law("power"), data, noise)
        lane = lane_of(model, data)
        z = np.full(model.size, 0.1)
        both = compiled(level=0)(jax.value_and_grad(model.log_density))
        exact = both(z, lane)
    with jax.enable_x64(False):
        narrow = jax.tree.map(
            lambda x: np.asarray(x, np.float32) if x.dtype.kind == "f" else x, lane
        )
        found = both(z.astype(np.float32), narrow)
    assert np.allclose(found[0], exact[0], rtol=1e-4)
    assert np.allclose(found[1], exact[1], rtol=2e-3, atol=2e-3)


def by_hand(data, name, on_log=True):
    """Residuals, scales, correlations to the row before and volume of one run, in order."""
    own = data.take(data.run == name)
    order = np.argsort(own.inputs["x"])
    x, y = own.inputs["x"][order], own.responses["y"][order]
    mean = 1.8 + 150 * x**-0.25
    error = np.zeros(len(x)) if own.stderr is None else own.stderr[order]
    error = np.hypot(error / y if on_log else error, RESOLUTION * (1 if on_log else abs(y)))
    scale = np.hypot(0.01 if on_log else 0.03, error)
    pace = np.median(
        np.concatenate(
            [np.diff(np.sort(np.log(data.inputs["x"][data.run == r]))) for r in set(data.run)]
        )
    )
    rho = np.exp(-pace / 0.8 * (np.diff(np.log(x)) / pace) ** 0.6)
    left = np.log(y / mean) if on_log else y - mean
    return left, scale, rho, np.log(y).sum() if on_log else 0.0


@pytest.mark.parametrize("stderr", [False, True])
@pytest.mark.parametrize("noise", ["lognormal", "normal"])
@pytest.mark.parametrize("sizes", [(5, 1, 12, 3), (40, *(1,) * 30)])
def test_normal_runs_have_the_density_of_a_dense_normal(noise, sizes, stderr):
    data = table(sizes, stderr=stderr)
    found = densities(data, noise)
    assert ("run" in by_run(data).runs) == (len(sizes) > 4)  # both layouts
    for name, value in zip(sorted(set(data.run)), found, strict=True):
        left, scale, rho, volume = by_hand(data, name, noise == "lognormal")
        steps = np.concatenate([[0.0], np.cumsum(np.log(rho))])
        cov = 0.02**2 + np.outer(scale, scale) * np.exp(-abs(steps[:, None] - steps))
        assert value == pytest.approx(multivariate_normal(cov=cov).logpdf(left) - volume, rel=1e-9)


@pytest.mark.parametrize("off", [0.0, 0.1])
@pytest.mark.parametrize(("noise", "within"), [("student", 0.01), ("laplace", 0.1)])
def test_other_runs_have_the_density_of_the_integral_over_their_level(noise, within, off):
    data = table((5, 1, 12), off=off)
    found = densities(data, noise)
    kind = t(3.0) if noise == "student" else laplace()
    for name, value in zip(sorted(set(data.run)), found, strict=True):
        left, scale, rho, volume = by_hand(data, name)

        b, width = np.linspace(-0.15, 0.15, 20001), np.sqrt(1 - rho**2)
        e = (left - b[:, None]) / scale
        steps = kind.logpdf((e[:, 1:] - rho * e[:, :-1]) / width) - np.log(width)
        given = kind.logpdf(e[:, 0]) + steps.sum(1) - np.log(scale).sum() + norm(0, 0.02).logpdf(b)
        exact = logsumexp(given) + np.log(b[1] - b[0]) - volume
        assert value == pytest.approx(exact, abs=within)


def test_odds_of_runs_have_the_density_of_a_dense_normal():
    """Of shares of n questions; run_sd and sigma are then in log odds."""
    data = table((5, 1, 12))
    rng = np.random.default_rng(4)
    n = rng.integers(50, 500, len(data)).astype(float)
    k = rng.binomial(n.astype(int), 0.4)
    k[:2] = 0, n[1]
    data = Dataset(data.inputs, {"acc": k / n}, n=n, run=data.run)
    given = dict(y=0.4, sigma=0.1, run_sd=0.3, run_length=0.8, run_spacing=0.6)
    with jax.enable_x64(True):
        model = make_model(get_law("flat"), data)
        lane = lane_of(model, data)
        params = {k: jax.numpy.asarray(given.get(k, 0.4)) for k in model.names}
        found = np.asarray(compiled(level=0)(model.log_likelihood)(params, lane))
    gaps = np.concatenate(
        [np.diff(np.sort(np.log(data.inputs["x"][data.run == r]))) for r in set(data.run)]
    )
    for name, value in zip(sorted(set(data.run)), found, strict=False):
        own = data.run == name
        order = np.argsort(data.inputs["x"][own])
        x, of, y = (v[own][order] for v in (data.inputs["x"], n, k / n))
        inside = (of * y + 0.5) / (of + 1)
        left = np.log(inside / (1 - inside)) - np.log(0.4 / 0.6)
        error = RESOLUTION * y / 0.24
        scale = np.sqrt(0.1**2 + 1 / (of * 0.24) + error**2)
        pace = np.median(gaps)
        rho = np.exp(-pace / 0.8 * (np.diff(np.log(x)) / pace) ** 0.6)
        steps = np.concatenate([[0.0], np.cumsum(np.log(rho))])
        cov = 0.3**2 + np.outer(scale, scale) * np.exp(-abs(steps[:, None] - steps))
        volume = (np.log((of + 1) / of) + np.log(inside * (1 - inside))).sum()
        assert value == pytest.approx(multivariate_normal(cov=cov).logpdf(left) - volume, rel=1e-9)


@pytest.mark.parametrize("sizes", [(5, 1, 12, 3), (6,), (40, *(1,) * 30)])
def test_runs_with_a_misfit_have_the_density_of_a_dense_normal(sizes):
    """The misfit of the law is of all rows, what is a run's own of its rows alone."""
    data = table(sizes)
    place = by_run(data).place
    with jax.enable_x64(True):
        model = make_model(get_law("approximate(power)"), data, "lognormal")
        lane = lane_of(model, data)
        z = jnp.asarray(np.random.default_rng(1).normal(size=model.size) * 0.3)
        found, log_prior = model.log_density(z, lane), model.constrain(z, lane)[1]
        params = model.parameters(model.constrain(z, lane)[0], lane)
        ((gap, sd), (noise,)) = model.along(params, lane), model.scatters(params, lane).values()
        rates, felt = np.asarray(model.law.wander.rates(params)), ~model.law.wander.ahead
        normal = np.random.default_rng(2).normal(size=(4000, len(felt)))
        bends = compiled(level=0)(jax.vmap(model.bends, (None, None, 0)))(params, lane, normal)
    gap = np.where(lane["first"], 0.0, gap)[place]
    y, loc = np.log(data.responses["y"]), np.asarray(noise.loc)[place]
    scale = np.broadcast_to(noise.scale, lane["mask"].shape)[place]
    cov = np.zeros((len(y), len(y)))
    for name in set(data.run):
        own = np.flatnonzero(data.run == name)
        own = own[np.argsort(data.inputs["x"][own])]
        away = np.subtract.outer(*[np.cumsum(gap[own])] * 2)
        within = np.outer(scale[own], scale[own]) * np.exp(-abs(away))
        cov[np.ix_(own, own)] = within + (0.0 if sd is None else float(sd) ** 2)
    basis = (lane["basis"] * rates[felt])[place]
    exact = multivariate_normal(cov=cov + basis @ basis.T).logpdf(y - loc) - y.sum()
    assert float(found - log_prior) == pytest.approx(exact, rel=1e-8)
    inner = np.linalg.inv(np.eye(felt.sum()) + basis.T @ np.linalg.solve(cov, basis))
    middle = inner @ basis.T @ np.linalg.solve(cov, y - loc)
    drawn = np.asarray(bends)[:, felt]
    assert np.allclose(drawn.mean(0), middle, atol=0.08)
    assert np.allclose(np.cov(drawn.T), inner, atol=0.1)
