"""Centring: the same posterior in other coordinates, in which normal data leave no funnel."""

import jax
import numpy as np
import pytest

from bayescale.batch import pack
from bayescale.centring import centred, standard
from bayescale.data import Dataset
from bayescale.infer import make_model
from bayescale.laws import distractor, power, sigmoid
from bayescale.noises import normal
from bayescale.parametric import law
from bayescale.priors import real
from bayescale.start import evaluate, search

SEEN = np.array([1.0, 1.1, 4.0])
"""Of three groups, the last with few runs."""
RUNS = np.array([40, 30, 2])


@law(support="real")
def level(x, *, m=real(-20, 20)):
    """A level, whatever the scale."""
    return m + 0 * x


def normal_table():
    """Runs of three groups that scatter about their levels by exactly .5."""
    y = [mean + 0.5 * np.where(np.arange(n) % 2, 1, -1) for mean, n in zip(SEEN, RUNS, strict=True)]
    y = np.concatenate(y)
    return Dataset({"x": np.ones(len(y))}, {"y": y}, group=np.repeat(list("abc"), RUNS))


def accuracies(groups=("a", "b", "c")):
    """Accuracies of groups whose thresholds lie apart."""
    rng = np.random.default_rng([21, len(groups)])
    x = np.tile(np.geomspace(1e8, 1e12, 8), len(groups))
    at = np.repeat(np.arange(len(groups)), 8)
    p = 0.25 + 0.65 / (1 + (x / (1e9 * 10.0**at)) ** -1.3)
    n = np.full(len(x), 500.0)
    group = np.asarray(groups, object)[at]
    return Dataset(
        {"x": x}, {"acc": rng.binomial(500, p) / n}, n=n, chance=0 * n + 0.25, group=group
    )


def losses():
    """Losses of two groups that differ in their amplitude."""
    x = np.tile(np.geomspace(1e8, 1e11, 10), 2)
    group = np.repeat(list("ab"), 10)
    y = 1.8 + np.where(group == "a", 150, 250) * x**-0.25
    return Dataset({"x": x}, {"loss": y}, group=group)


CASES = {
    "a threshold and a ceiling": (sigmoid, accuracies, ("x50", "u")),
    "a distractor": (distractor, accuracies, ("x50", "gap")),
    "an amplitude": (power(), losses, ("A",)),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """A model, its modes in plain coordinates, and the batch and the modes in its own."""
    formula, table, pool = CASES[request.param]
    data = table()
    model = make_model(formula, data, pool=pool)
    (batch,) = pack(model, data)
    modes = search(model, batch.data, batch.curves, 0, starts=16)
    return model, modes, *centred(model, batch, modes)


def test_it_is_the_same_posterior(case):
    # log p(coordinates) = log p(plain) - log |slope|, at the mode and about it.
    model, modes, batch, own = case
    for old, new in zip(modes[0], own[0], strict=True):
        found = evaluate(model, new.z[None, None], batch.data).log_density
        np.testing.assert_allclose(found, new.log_density, rtol=1e-3, atol=1e-2)
        plain = standard(model, batch, new.z[None, None, None])
        np.testing.assert_allclose(plain[0, 0, 0], old.z, rtol=1e-3, atol=1e-3)


def test_the_covariance_is_carried_over(case):
    # A small step in the new coordinates is one of the old ones through the slope.
    model, modes, batch, own = case
    old, new = modes[0][0], own[0][0]
    rng = np.random.default_rng(0)
    steps = 1e-3 * rng.normal(size=(5, model.size))
    moved = standard(model, batch, (new.z + steps @ new.scale.T)[None, None])
    plain = old.z + steps @ old.scale.T
    np.testing.assert_allclose(moved[0, 0] - old.z, plain - old.z, atol=2e-4)


def test_there_is_no_funnel_in_normal_data():
    # Given any sd, the coordinates are independent, centred and of one width.
    with jax.enable_x64(True):
        data = normal_table()
        model = make_model(level, data, noise=normal.fix(sigma=0.5), pool="m")
        (batch,) = pack(model, data)
        batch, _ = centred(model, batch, search(model, batch.data, batch.curves, 0))
        lane = jax.tree.map(lambda leaf: leaf[0], batch.data)
        pinned = lane["pinned"]["m"]
        np.testing.assert_allclose(pinned.seen, SEEN, atol=1e-3)
        np.testing.assert_allclose(pinned.precision, RUNS / 0.5**2, rtol=1e-3)
        assert model.labels == ("m_sd", "m", "m_shift[0]", "m_shift[1]", "m_shift[2]")

        @jax.jit
        def slopes(z):
            def density(z):
                return model.log_density(z, lane)

            return jax.grad(density)(z)[1:], jax.hessian(density)(z)[1:, 1:]

        precision = np.array([pinned.prior, 1.0, 1.0, 1.0])
        for log_sd in np.log([0.01, 0.3, 10.0]):
            u = np.array([3.0, -1.0, 0.5, 2.0])
            gradient, hessian = slopes(np.array([log_sd, *u]))
            np.testing.assert_allclose(gradient, -precision * u, atol=0.01)
            np.testing.assert_allclose(hessian, -np.diag(precision), atol=0.01)
