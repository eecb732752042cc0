"""A law with its misfit in the model: the process it says, and densities without its bends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.make_model import make_model
from bayescale.inference.prior import prior_predictive
from bayescale.inference.samplers import NUTS, Laplace
from bayescale.laws import get_law
from bayescale.laws.approximate import LENGTH, approximate
from bayescale.model.arrays import lane_of, pack
from bayescale.posterior.pointwise import law_draws

X = np.geomspace(1e8, 1e11, 20)
SURFACE = {"N": np.tile(X[::4], 5), "D": 20 * np.repeat(X[::4], 5)}


@pytest.fixture(autouse=True)
def wide():
    with jax.enable_x64(True):
        yield


def table(inputs, stderr=None):
    rng = np.random.default_rng(3)
    y = 1.8 + sum(150 * x**-0.25 for x in inputs.values())
    return Dataset(inputs, {"y": y * np.exp(0.01 * rng.normal(size=len(y)))}, stderr=stderr)


def of(law, data, noise="lognormal"):
    model = make_model(get_law(law), data, noise)
    return model, lane_of(model, data)


def values(model, z, lane):
    params = model.parameters(model.constrain(z, lane)[0], lane)
    return params, *model.as_the_law_takes(params, lane)


def test_misfit_is_the_integral_of_a_stationary_process():
    law = approximate(get_law("power"))
    t = np.array([-6.0, -2.5, -0.7, 0.4, 1.5, 6.0, 11.0])
    basis = np.asarray(law.wander.basis(jnp.exp(t), edge_x=1.0))
    found = basis @ basis.T
    # Var of the integral from 0 to t of a process of sd 1 and length LENGTH; both sides of 0.
    lag = np.abs(np.subtract.outer(t, t))
    own = lambda d: 2 * LENGTH**2 * (d / LENGTH - 1 + np.exp(-d / LENGTH))  # noqa: E731
    exact = (own(abs(t))[:, None] + own(abs(t))[None] - own(lag)) / 2
    np.testing.assert_allclose(found, exact, rtol=0.06, atol=0.02)


def test_beyond_the_data_nothing_tells_of_the_bends_ahead():
    law = approximate(get_law("power"))
    basis = np.asarray(law.wander.basis(jnp.asarray(X), edge_x=X[-1]))
    assert not basis[:, law.wander.ahead].any()
    there = np.asarray(law.wander.basis(jnp.asarray(X[-1:] * 10), edge_x=X[-1]))
    assert there[:, law.wander.ahead].any()


@pytest.mark.parametrize("known", [False, True], ids=["one scale of noise", "known errors"])
@pytest.mark.parametrize("inputs", [{"x": X}, SURFACE], ids=["curve", "surface"])
def test_density_without_bends_is_that_of_a_dense_normal(inputs, known):
    law = "power" if "x" in inputs else "chinchilla"
    count = len(next(iter(inputs.values())))
    errors = np.linspace(0.001, 0.02, count) if known else None
    data = table(inputs, errors)
    model, lane = of(f"approximate({law})", data)
    z = jnp.asarray(np.random.default_rng(1).normal(size=model.size) * 0.3)
    _, params, at = values(model, z, lane)
    here = lane["mask"]
    mean = np.log(model.means(params, at)["loss"])[here]
    (found,) = model.scatters(params, at).values()
    wander = model.law.wander
    columns = [jnp.asarray(at["inputs"][name]) for name in model.law.inputs]
    whole = wander.basis(*columns, **{name: params[name] for name in wander.edges})
    basis = (np.asarray(whole) * np.asarray(wander.rates(params)))[here]
    cov = basis @ basis.T + np.diag(np.broadcast_to(found.scale, here.shape)[here] ** 2)
    y = np.log(lane["observed"][here])
    exact = multivariate_normal.logpdf(y, mean, cov) - y.sum()
    log_prior = model.constrain(z, lane)[1]
    np.testing.assert_allclose(model.log_density(z, lane) - log_prior, exact, rtol=1e-6)
    if law == "power":
        assert ("turned" in lane) is not known


def test_bends_are_drawn_from_what_the_rows_leave_open():
    data = table({"x": X})
    model, lane = of("approximate(power)", data)
    z = jnp.asarray(np.random.default_rng(1).normal(size=model.size) * 0.3)
    params, _, at = values(model, z, lane)
    (size,) = model.law.shape("bends")
    normal = np.random.default_rng(2).normal(size=(4000, size))
    draws = np.asarray(jax.vmap(lambda n: model.bends(params, lane, n))(normal))
    (found,) = model.scatters(params, at).values()
    here, scale = lane["mask"], float(found.scale[0])
    felt, rates = ~model.law.wander.ahead, np.asarray(model.law.wander.rates(params))
    A = np.zeros((here.sum(), size))
    A[:, felt] = lane["basis"][here] * rates[felt] / scale
    w = (np.log(lane["observed"]) - np.asarray(found.loc))[here] / scale
    cov = np.linalg.inv(np.eye(size) + A.T @ A)
    np.testing.assert_allclose(draws.mean(0), cov @ A.T @ w, atol=0.08)
    np.testing.assert_allclose(np.cov(draws.T), cov, atol=0.1)


def test_without_misfit_it_is_the_law():
    law = get_law("approximate(power(floor=False))")
    given = dict(A=150.0, alpha=0.25, edge_x=1e11, bends=np.ones(15))
    np.testing.assert_allclose(
        law(jnp.asarray(X), misfit_x=0.0, **given), 150 * X**-0.25, rtol=1e-12
    )
    assert law is get_law("approximate(power(floor=False))")
    assert approximate(law) is law


def test_misfit_of_a_surface_is_a_share_of_its_exponents():
    law = get_law("approximate(chinchilla)")
    given = dict(E=1.8, A=400.0, B=2000.0, alpha=0.35, beta=0.37)
    n, d = 1e9, 2e10
    params = given | {"misfit_N": 0.3, "misfit_D": 0.2, "misfit_N_D": 0.1}
    rates = np.asarray(law.wander.rates(params | {"middle_N": n, "middle_D": d}))
    terms = given["A"] * n ** -given["alpha"], given["B"] * d ** -given["beta"]
    loss = given["E"] + sum(terms)
    own = given["alpha"] * terms[0] / loss, given["beta"] * terms[1] / loss
    exact = [0.3 * own[0], 0.2 * own[1], 0.1 * np.sqrt(own[0] * own[1])]
    np.testing.assert_allclose(rates[[0, 9, 18]], exact, rtol=1e-6)
    assert len(set(rates.tolist())) == 3


@pytest.mark.parametrize("name", ["power", "chinchilla", "data_constrained"])
def test_misfit_is_0_where_the_law_has_its_level(name):
    """Elsewhere the level of the law and its bends would be one number in two."""
    N, D = SURFACE["N"], SURFACE["D"]
    known = {"N": N, "D": D, "U": np.minimum(D, 1e10)} if name != "power" else {"x": X}
    law = get_law(f"approximate({name})")
    inputs = {x: known[x] for x in law.inputs}
    _, lane = of(law, table(inputs))
    places = {f"edge_{x}": v.max() for x, v in inputs.items()}
    places |= {f"middle_{x}": np.sqrt(v.min() * v.max()) for x, v in inputs.items()}
    places = {x: places[x] for x in law.wander.edges}
    at = [jnp.asarray([lane["ref"][x], 2 * lane["ref"][x]]) for x in law.inputs]
    here, there = np.asarray(law.wander.basis(*at, **places))
    np.testing.assert_allclose(here, 0, atol=1e-9)
    assert abs(there).max() > 0.01


def test_misfit_of_a_law_of_ones_own_leaves_it_in_its_own_unit():
    """Its priors are of constants in that unit: relative scales would make it another law."""

    @bs.law
    def mine(
        N, D, *, E=bs.positive(0.5, 3), A=bs.positive(1, 1e4), B=bs.positive(1, 1e4),
        alpha=bs.positive(0.1, 0.9), beta=bs.positive(0.1, 0.9),
    ):  # fmt: skip
        return E + A * N**-alpha + B * D**-beta

    data = table(SURFACE)
    model, lane = of(approximate(mine), data)
    assert lane["ref"] == {"N": 1.0, "D": 1.0}
    z = jnp.asarray(np.random.default_rng(1).normal(size=model.size) * 0.3)
    params, own, at = values(model, z, lane)
    plain = mine(SURFACE["N"], SURFACE["D"], **{name: params[name] for name in mine.parameters})
    here = lane["mask"]
    seen = np.asarray(model.means(own | {"bends": 0 * own["bends"]}, at)["loss"])[here]
    np.testing.assert_allclose(seen, plain, rtol=1e-12)
    found = fit(approximate(mine), data, noise="lognormal", sampler=Laplace(draws=200))
    law = np.median(law_draws(found, SURFACE), 0)
    np.testing.assert_allclose(law, data.responses["y"], rtol=0.05)


@pytest.mark.parametrize("law", ["sigmoid", "two_stage", "from_loss"])
def test_misfit_is_of_laws_of_one_loss(law):
    with pytest.raises(ValueError, match="one positive response"):
        get_law(f"approximate({law})")


def test_other_noises_are_refused_in_one_line():
    with pytest.raises(ValueError, match="takes the noise lognormal, not student"):
        of("approximate(power)", table({"x": X}), "student")


def test_before_the_data_the_misfit_is_drawn_too():
    data, law = table({"x": X}), get_law("approximate(power(floor=False))").fix(A=150, alpha=0.25)
    law = law.fix(misfit_x=0.1)
    found = prior_predictive(law, data, "lognormal", draws=4000)
    off = np.log(found.curves / (150 * X**-0.25))
    exact = 0.1**2 * np.square(law.wander.basis(jnp.asarray(X), edge_x=X[-1])).sum(1)
    np.testing.assert_allclose(off.var(0), exact, rtol=0.1, atol=1e-12)


def limited(count):
    """A bent curve whose last rows are below a limit, its model, and z near its posterior."""
    rng = np.random.default_rng(3)
    y = 150 * X**-0.25 * np.exp(0.3 * np.sin(np.log(X)) + 0.01 * rng.normal(size=len(X)))
    limit = np.where(np.arange(len(X)) < len(X) - count, 1e-9, 1.1 * y)
    data = Dataset({"x": X}, {"y": y}, limit=limit)
    model, lane = of("approximate(power(floor=False))", data)
    near = {"misfit_x": 1.0, "sigma": -1.5}
    z = np.array([near.get(site.name, 0.0) for site in model.sites])
    return data, model, lane, jnp.asarray(z)


def apart(model, lane, z):
    """Residuals of the rows, the misfit's basis and the scale of the noise."""
    _, params, at = values(model, z, lane)
    wander, here = model.law.wander, lane["mask"]
    (found,) = model.scatters(params | {"bends": 0 * params["bends"]}, at).values()
    whole = wander.basis(at["inputs"]["x"], **{name: params[name] for name in wander.edges})
    basis = (np.asarray(whole) * np.asarray(wander.rates(params)))[here]
    left = np.log(lane["observed"]) - np.asarray(found.loc)
    return left[here], basis, float(found.scale.ravel()[0])


@pytest.mark.parametrize(("count", "near"), [(1, 1e-6), (5, 0.02)])
def test_density_of_rows_below_a_limit_is_that_of_the_dense_normals_tail(count, near):
    data, model, lane, z = limited(count)
    left, basis, sigma = apart(model, lane, z)
    cov = basis @ basis.T + sigma**2 * np.eye(len(X))
    known, under = ~data.below, data.below
    exact = multivariate_normal.logpdf(left[known], cov=cov[np.ix_(known, known)])
    exact -= np.log(data.responses["y"][known]).sum()
    gain = cov[np.ix_(under, known)] @ np.linalg.inv(cov[np.ix_(known, known)])
    rest = cov[np.ix_(under, under)] - gain @ cov[np.ix_(known, under)]
    tail = multivariate_normal.cdf(left[under], gain @ left[known], rest, rng=0)
    assert -30 < np.log(tail) < -0.05
    found = model.log_density(z, lane) - model.constrain(z, lane)[1]
    np.testing.assert_allclose(found, exact + np.log(tail), atol=near)


def test_bends_of_rows_below_a_limit_are_drawn_as_by_importance():
    data, model, lane, z = limited(3)
    left, basis, sigma = apart(model, lane, z)
    params, _, _ = values(model, z, lane)
    (size,) = model.law.shape("bends")
    normal = np.random.default_rng(2).normal(size=(4000, size))
    draws = np.asarray(jax.vmap(lambda n: model.bends(params, lane, n))(normal))
    A, w = basis / sigma, left / sigma
    known = ~data.below
    cov = np.linalg.inv(np.eye(size) + A[known].T @ A[known])
    rng = np.random.default_rng(4)
    plain = rng.multivariate_normal(cov @ A[known].T @ w[known], cov, 40_000)
    weight = np.exp(norm.logcdf(w[~known] - plain @ A[~known].T).sum(1))
    mean = weight @ plain / weight.sum()
    sd = np.sqrt(weight @ (plain - mean) ** 2 / weight.sum())
    assert abs(mean - plain.mean(0)).max() > 0.3  # the limit moves what the other rows say
    np.testing.assert_allclose(draws.mean(0), mean, atol=0.1)
    np.testing.assert_allclose(draws.std(0), sd, rtol=0.1)


def test_a_limit_is_taken_by_several_curves_at_once():
    """Rows below it are as many in none."""
    y, curve = 150 * X**-0.25, np.repeat(["a", "b", "c"], [8, 8, 4])
    limit = np.where(np.isin(X, X[[7, 14, 15]]), 2 * y, 1e-9)
    data = Dataset({"x": X}, {"y": y}, limit=limit, curve=curve)
    model = make_model(get_law("approximate(power(floor=False))"), data, "lognormal")
    batches = {batch.curves: batch.data for batch in pack(model, data)}
    assert batches.keys() == {(0,), (1,), (2,)}
    assert [len(each["under"]["at"][0]) for each in (batches[0,], batches[1,])] == [1, 2]
    assert "under" not in batches[2,]


def test_another_seed_draws_other_bends():
    quick = NUTS(chains=1, warmup=100, draws=100, starts=4, retries=0)
    how = dict(noise="lognormal", sampler=quick, progress=False)
    one, other = (fit("approximate(power)", table({"x": X}), seed=s, **how) for s in (0, 1))
    told = [each.draws["bends"][..., each.law.wander.ahead].ravel() for each in (one, other)]
    assert abs(np.corrcoef(*told)[0, 1]) < 0.3
