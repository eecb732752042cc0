"""Families: what is pooled has the density it says, and each family gets its own answer."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

from bayescale.comparison.predictive import leave_one_out
from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.make_model import make_model
from bayescale.inference.modes import prior_draws
from bayescale.inference.samplers import NUTS
from bayescale.laws import broken, chinchilla, get_law, inverse, sigmoid
from bayescale.messages import DataError
from bayescale.model.arrays import pack
from bayescale.model.model import Model
from bayescale.model.pooling import link_of, shifted
from bayescale.model.programs import compiled
from bayescale.noises.accuracy import beta_binomial, binomial
from bayescale.noises.loss import normal
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import fraction, positive
from bayescale.posterior.groups import AVERAGE, NEW, for_group, group_shift
from bayescale.posterior.pointwise import log_likelihood
from bayescale.posterior.posterior import Posterior
from bayescale.posterior.storage import load, save
from bayescale.questions.residuals import residuals
from bayescale.questions.threshold import threshold

SHIFTS = {"ahead": -2.0, "behind": 2.0, "middle": 0.0}
"""By family: log x50 less that of the average one."""
ROWS = 16


def family_table(shifts=SHIFTS, seed=0, **labels):
    """Accuracies of families whose thresholds lie apart."""
    rng = np.random.default_rng([11, seed])
    x = np.tile(np.geomspace(1e8, 1e12, ROWS // 2), len(shifts))
    group = np.repeat(np.array(list(shifts), object), ROWS // 2)
    x50 = 1e10 * np.exp(np.array([shifts[name] for name in group]))
    p = 0.25 + 0.65 / (1 + (x / x50) ** -1.3)
    n = np.full(len(x), 1000.0)
    y = rng.binomial(1000, p) / n
    return Dataset({"x": x}, {"acc": y}, n=n, chance=0 * n + 0.25, group=group, **labels)


@pytest.fixture(scope="module")
def families():
    """Three families far apart, pooled by x50; a small fit."""
    sampler = NUTS(chains=2, warmup=500, draws=500, retries=0)
    return fit("sigmoid", family_table(), noise="beta_binomial", sampler=sampler, seed=1)


@pytest.fixture(scope="module")
def two_curves():
    """Two curves, one of which lacks the first and the last family; draws are invented."""
    whole = family_table(dict.fromkeys("abcd", 0.0))
    part = family_table(dict.fromkeys("bc", 0.0), seed=1)
    both = Dataset(
        {"x": np.concatenate([whole.inputs["x"], part.inputs["x"]])},
        {"acc": np.concatenate([whole.responses["acc"], part.responses["acc"]])},
        n=np.concatenate([whole.n, part.n]),
        group=np.concatenate([whole.group, part.group]),
        curve=np.repeat(np.array(["whole", "part"], object), [len(whole), len(part)]),
    )
    model, rng = make_model(sigmoid, both, "beta_binomial"), np.random.default_rng(2)
    lead = (2, 1, 3)
    draws = {
        "g": rng.uniform(0.2, 0.3, lead),
        "u": rng.uniform(0.8, 0.9, lead),
        "x50": 1e10 * np.exp(rng.normal(size=lead)),
        "k": rng.uniform(1, 2, lead),
        "rho": rng.uniform(0.001, 0.01, lead),
        "x50_sd": np.ones(lead),
        "x50_shift": rng.normal(size=(*lead, 4)),
    }
    return model, both, draws


def z_of(model, **by_site):
    """A vector of coordinates from values by site; sites without one are 0."""
    sites = [(site.name, site.size) for site in model.sites]
    return jnp.concatenate([jnp.zeros(n) + jnp.asarray(by_site.get(k, 0.0)) for k, n in sites])


# ------------------------------------------------------------------ the density


def test_without_shifts_the_density_is_unpooled_times_the_priors_of_what_is_pooled():
    data = family_table()
    pooled = make_model(sigmoid, data, "beta_binomial")
    alone = make_model(sigmoid, replace(data, group=None), "beta_binomial")
    assert (pooled.pool, pooled.groups) == (("x50",), 3)
    assert pooled.size == alone.size + 4
    assert pooled.names == (*alone.names, "x50_sd", "x50_shift")
    own = dict(g=0.3, u=-1.0, k=0.4, rho=-4.0, x50=-0.7)
    with jax.enable_x64(True):
        (one,), (other,) = pack(pooled, data), pack(alone, replace(data, group=None))
        one, other = (jax.tree.map(lambda leaf: leaf[0], b.data) for b in (one, other))
        got = pooled.log_density(z_of(pooled, **own, x50_sd=-0.5), one)
        want = alone.log_density(z_of(alone, **own), other)
    # The sd of a scale: 90 % from .1 to 3, log-normal, so that its log is a coordinate.
    lo, hi = np.log([0.1, 3.0])
    sd = stats.norm.logpdf(-0.5, (lo + hi) / 2, (hi - lo) / 2 / stats.norm.ppf(0.95))
    assert float(got - want) == pytest.approx(sd + 3 * stats.norm.logpdf(0), abs=1e-9)


def test_with_shifts_each_row_is_under_its_own_family():
    data = family_table()
    model, e = make_model(sigmoid, data, "beta_binomial"), np.array([0.5, -1.2, 2.0])
    own = dict(g=0.3, u=-1.0, k=0.4, rho=-4.0, x50=-0.7, x50_sd=0.2, x50_shift=e)
    with jax.enable_x64(True):
        lane = jax.tree.map(lambda leaf: leaf[0], pack(model, data)[0].data)
        params = model.parameters(model.constrain(z_of(model, **own), lane)[0], lane)
        np.testing.assert_allclose(params["x50_shift"], np.exp(0.2) * e)
        rows = np.asarray(model.log_likelihood(params, lane))
        alone = Model(sigmoid, beta_binomial)
        for i, name in enumerate(data.group_names):
            moved = params | {"x50": params["x50"] * np.exp(np.exp(0.2) * e[i])}
            here = np.flatnonzero(data.group == name)
            want = np.asarray(alone.log_likelihood(moved, lane))
            np.testing.assert_allclose(rows[here], want[here], rtol=1e-10)


@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("noise", ["beta_binomial", "scale_scatter"])
def test_a_pooled_density_has_finite_gradients(noise, x64):
    data = family_table()
    with jax.enable_x64(x64):
        model = make_model(sigmoid, data, noise, ("x50", "g", "u"))
        lane = jax.tree.map(lambda leaf: leaf[0], pack(model, data)[0].data)
        z = prior_draws(model, np.random.default_rng(0), 200)
        z = jnp.asarray(z, jnp.float64 if x64 else jnp.float32)
        both = compiled(level=0)(jax.vmap(jax.value_and_grad(model.log_density), (0, None)))
        value, gradient = both(z, lane)
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


@law(support="real")
def mine(x, *, a=dist.Normal(0.0, 1.0), b=positive(0.1, 1), c=fraction(0.5, 2)):
    return a + b * x + c


@pytest.mark.parametrize(
    ("which", "links"),
    [
        (sigmoid, dict(g="logit", u="logit", x50="log", k="log")),
        (inverse, dict(g="logit", d="logit", x50="log", k="log")),
        (get_law("two_stage"), dict(E="log", alpha="log", L0="log", k="log")),
        (get_law("breakthrough"), dict(high="log", drop="logit")),
        (chinchilla, dict(E="log", A="log", beta="log")),
        (mine, dict(a="identity", b="log", c="logit")),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_scale_on_which_families_differ(which, links):
    assert {name: link_of(which, name) for name in links} == links
    model = Model(which, binomial if which.support == "unit" else normal)
    with jax.enable_x64(True):
        for name, link in links.items():
            moved = float(shifted(model.law, name, 0.3, 0.7))
            want = {
                "log": 0.3 * np.exp(0.7),
                "logit": 1 / (1 + np.exp(-np.log(3 / 7) - 0.7)),
                "identity": 1.0,
            }[link]
            assert moved == pytest.approx(want), name


# ------------------------------------------------------------------ answers by family


def test_a_real_fit_recovers_how_families_differ(families):
    assert families.model.pool == ("x50",)
    assert families.draws["x50_shift"].shape == (2, 500, 3)
    assert families.draws["x50_sd"].shape == (2, 500)
    assert max(families.health.verdicts[0].rhat.values()) < 1.1
    told = families.summary()["groups"]["x50"]
    assert list(told) == ["ahead", "behind", "middle"]
    assert sorted(told, key=lambda name: told[name]["median"]) == ["ahead", "middle", "behind"]
    assert all(each["runs"] == ROWS // 2 for each in told.values())
    assert all(each["unit"] == "decades" for each in told.values())
    apart = group_shift(families, "behind", "ahead")
    assert apart.draws.mean() == pytest.approx(4.0, abs=0.5)
    assert apart.summary()["median"] == pytest.approx(4.0 / np.log(10), abs=0.25)
    assert apart.summary()["p_above"] == 1.0
    # The average scale is the shift of none: each family's own x50 is near the truth.
    for name, truth in SHIFTS.items():
        own = np.log(for_group(families, name).draws["x50"])
        assert abs(own.mean() - np.log(1e10) - truth) < 4 * own.std(), name


def test_the_draws_of_a_family_are_those_of_the_law_moved_by_its_shift(families):
    draws = families.draws
    for i, name in enumerate(families.data.group_names):
        own = for_group(families, name)
        moved = draws["x50"] * np.exp(draws["x50_shift"][..., i])
        np.testing.assert_allclose(own.draws["x50"], moved, rtol=1e-12)
        np.testing.assert_array_equal(own.draws["k"], draws["k"])
        assert own.data.notes[-1] == f"of the groups, this speaks of {name}"
    np.testing.assert_allclose(for_group(families, AVERAGE).draws["x50"], draws["x50"], rtol=1e-12)
    new = for_group(families, NEW, seed=3).draws["x50"]
    e = np.log(new / draws["x50"]) / draws["x50_sd"]
    assert stats.kstest(e.ravel(), "norm").pvalue > 1e-3
    np.testing.assert_array_equal(for_group(families, NEW, seed=3).draws["x50"], new)
    assert not np.any(for_group(families, NEW, seed=4).draws["x50"] == new)
    # What is known of a new family is least, and what is known of one that was seen is most.
    widths = [
        np.log(for_group(families, name).draws["x50"]).std() for name in ("ahead", AVERAGE, NEW)
    ]
    assert widths == sorted(widths)


def test_questions_are_answered_for_a_family(families):
    early, late = (
        threshold(for_group(families, name), 0.5, allow_failed=True).forecast.median
        for name in ("ahead", "behind")
    )
    assert (late - early) * np.log(10) == pytest.approx(4.0, abs=0.6)


def test_shifts_are_differences_of_the_same_draws(families):
    flat = families.flat()["x50_shift"]
    np.testing.assert_array_equal(group_shift(families, "middle").draws, flat[:, 2])
    between = group_shift(families, "ahead", "behind", of="x50")
    np.testing.assert_array_equal(between.draws, flat[:, 0] - flat[:, 1])
    assert (between.parameter, between.group, between.other) == ("x50", "ahead", "behind")
    assert between.link == "log"
    np.testing.assert_array_equal(group_shift(families, "behind", "ahead").draws, -between.draws)


def test_rows_are_told_under_their_family_whoever_asks(families):
    """Of the whole fit, and of the part of it that speaks of a family, which is moved once."""
    whole = log_likelihood(families)
    for name in families.data.group_names:
        here = families.data.group == name
        own = log_likelihood(for_group(families, name))
        np.testing.assert_allclose(own[..., here], whole[..., here], rtol=1e-8, atol=1e-8)
    assert np.isfinite(leave_one_out(families).elpd).all()
    found = residuals(families)
    assert np.abs(found.residual).max() < 0.1
    assert np.mean((found.residual > found.lo) & (found.residual < found.hi)) > 0.7


def test_one_of_several_curves_keeps_the_places_of_its_groups(two_curves, families):
    """The shifts of a curve stand under the groups of the whole table, not under its own."""
    model, data, draws = two_curves
    both = Posterior(model, data, draws, {}, families.health, families.sampling)
    both = replace(both, health=replace(both.health, verdicts=both.health.verdicts * 2))
    part = both.curve("part")
    for i, name in enumerate("abcd"):
        want = draws["x50"][1] * np.exp(draws["x50_shift"][1][..., i])
        np.testing.assert_allclose(for_group(part, name).draws["x50"], want, rtol=1e-12)
    whole = log_likelihood(both)[..., data.curve == "part"]
    np.testing.assert_allclose(log_likelihood(part), whole, rtol=1e-12)


# ------------------------------------------------------------------ on disk


def test_a_pooled_fit_comes_back_from_a_file(families, tmp_path):
    save(families, tmp_path / "fit.nc")
    back = load(tmp_path / "fit.nc")
    assert back.model == families.model
    np.testing.assert_array_equal(back.z, families.z)
    assert list(back.draws) == list(families.draws)
    for name, values in families.draws.items():
        np.testing.assert_array_equal(back.draws[name], values, err_msg=name)
    np.testing.assert_array_equal(
        for_group(back, "ahead").draws["x50"], for_group(families, "ahead").draws["x50"]
    )


# ------------------------------------------------------------------ what is refused


def test_what_cannot_be_pooled_is_refused():
    data = family_table()
    with pytest.raises(ValueError, match="'x5' cannot be pooled: it is no free parameter"):
        make_model(sigmoid, data, pool="x5")
    with pytest.raises(ValueError, match="'x50' cannot be pooled: it is no free parameter"):
        make_model(sigmoid.fix(x50=1e10), data, pool="x50")
    with pytest.raises(ValueError, match="pool=x50 needs a column of groups with two"):
        make_model(sigmoid, replace(data, group=None), pool="x50")
    one = replace(data, group=np.full(len(data), "only", object))
    with pytest.raises(ValueError, match="pool=x50 needs a column of groups with two"):
        make_model(sigmoid, one, pool="x50")
    with pytest.raises(ValueError, match="name both or none"):
        Model(sigmoid, beta_binomial, pool=("x50",))
    with pytest.raises(ValueError, match="say what differs between them"):
        make_model(get_law("power"), data)
    with pytest.raises(ValueError, match="'k' cannot be pooled: u is tied to it"):
        make_model(sigmoid.tie("u", "k"), data, pool="k")
    ungrouped = replace(data, group=None)
    with pytest.raises(DataError, match="has no groups to pool"):
        pack(make_model(sigmoid, data), ungrouped)


@pytest.mark.parametrize("name", ["c", "d", "f"])
@pytest.mark.parametrize("breaks", [1, 2])
def test_vectors_cannot_be_pooled(name, breaks):
    """One shift a group would be taken for one a break."""
    x = np.geomspace(1e8, 1e11, 16)
    data = Dataset({"x": x}, {"y": 1 + x**-0.1}, group=np.array(["a", "b"] * 8, object))
    with pytest.raises(ValueError, match=f"'{name}' cannot be pooled: it is a vector"):
        pack(make_model(broken(breaks), data, pool=name), data)


def test_questions_about_families_say_what_there_is(families, level_fit):
    with pytest.raises(ValueError, match="nothing is pooled in this fit"):
        for_group(level_fit, "ahead")
    with pytest.raises(
        ValueError, match=r"no group 'Llama'; there are: 'ahead', 'behind', 'middle'"
    ):
        for_group(families, "Llama")
    with pytest.raises(ValueError, match="no group 'Llama'"):
        group_shift(families, "ahead", "Llama")
    with pytest.raises(ValueError, match="'k' is not pooled; pooled are x50"):
        group_shift(families, "ahead", of="k")
    with pytest.raises(ValueError, match="is not pooled; pooled are none"):
        group_shift(level_fit, "ahead")
