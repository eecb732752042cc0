"""Centring: the same posterior in other coordinates, in which normal data leave no funnel."""

import jax
import numpy as np
import pytest
from numpyro.distributions import Normal

from bayescale.data.dataset import Dataset
from bayescale.inference.centring import centred, standard
from bayescale.inference.make_model import make_model
from bayescale.inference.modes import evaluate, search
from bayescale.laws import breakthrough, distractor, power, sigmoid
from bayescale.model.arrays import pack
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import normal, student
from bayescale.parametric.parametric import law

SEEN = np.array([1.0, 1.1, 4.0])
"""Of three groups, the last with few runs."""
RUNS = np.array([40, 30, 2])


@law(support="real")
def level(x, *, m=Normal(5.0, 6.0)):
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
    y *= np.exp(0.01 * np.random.default_rng(22).normal(size=20))
    return Dataset({"x": x}, {"loss": y}, group=group)


CASES = {
    "a threshold and a ceiling": (sigmoid, accuracies, ("x50", "u")),
    "a distractor": (distractor, accuracies, ("x50", "gap")),
    "an amplitude": (power(), losses, ("A",)),
}


@pytest.fixture(autouse=True)
def wide():
    """Modes of float64, as fits have them by default."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """A model, its batch with nothing pinned, and batch and modes as they are sampled."""
    formula, table, pool = CASES[request.param]
    data = table()
    model = make_model(formula, data, pool=pool)
    (batch,) = pack(model, data)
    with jax.enable_x64(True):
        modes = search(model, batch.data, batch.keys, 0, starts=16)
        return model, batch, *centred(model, batch, modes)


def test_it_is_the_same_posterior(case):
    # Any place has the density that it has where nothing is pinned, but for the change's volume.
    model, plain, batch, modes = case
    rng = np.random.default_rng(0)
    best = modes[0][0]
    z = best.z + rng.normal(size=(1, 1, 20, model.size)) @ best.scale.T
    own = evaluate(model, z[0], batch.data).log_density
    moved, lost = standard(model, batch, z)
    np.testing.assert_allclose(
        evaluate(model, moved[0], plain.data).log_density, own - lost[0], rtol=1e-4, atol=1e-3
    )
    assert np.abs(moved - z).max() > 0.1
    # And the change is what its volume says it is.
    step = 1e-2
    around = best.z + np.concatenate([step * np.eye(model.size), -step * np.eye(model.size)])
    ends = standard(model, batch, around[None, None])[0][0, 0]
    slope = (ends[: model.size] - ends[model.size :]) / (2 * step)
    volume = standard(model, batch, best.z[None, None, None])[1].item()
    np.testing.assert_allclose(np.linalg.slogdet(slope)[1], volume, atol=0.01)


def test_chains_begin_at_its_modes(case):
    model, _, batch, modes = case
    for mode in modes[0]:
        point = evaluate(model, mode.z[None, None], batch.data)
        np.testing.assert_allclose(point.log_density, mode.log_density, rtol=1e-4, atol=1e-2)
        assert np.abs(mode.scale.T @ point.gradient[0, 0]).max() < 0.05


def test_there_is_no_funnel_in_normal_data():
    # Given any sd, the coordinates are independent, centred and of one width.
    data = normal_table()
    model = make_model(level, data, noise=normal.fix(sigma=0.5), pool="m")
    (batch,) = pack(model, data)
    batch, _ = centred(model, batch, search(model, batch.data, batch.keys, 0))
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

    middle, precision = np.array([5.0, 0, 0, 0]), np.array([1 / 6**2, 1.0, 1.0, 1.0])
    for log_sd in np.log([0.01, 0.3, 10.0]):
        away = np.array([3.0, -1.0, 0.5, 2.0])
        gradient, hessian = slopes(np.array([log_sd, *(away + middle)]))
        np.testing.assert_allclose(gradient, -precision * away, atol=0.01)
        np.testing.assert_allclose(hessian, -np.diag(precision), atol=0.01)


def test_warps_see_the_parameters_that_they_speak_of():
    # Those of `breakthrough` speak of x50, which is pooled, and of each other.
    made = dict(noise=beta_binomial, further=(student,))
    alone = [site.name for site in Model(breakthrough, **made).sites]
    pooled = [site.name for site in Model(breakthrough, **made, pool=("x50",), groups=2).sites]
    assert [name for name in pooled if name in alone] == alone
    assert alone.index("x50") < alone.index("drop") < alone.index("high")
    assert pooled.index("x50_sd") < pooled.index("x50") < pooled.index("x50_shift")
