"""Priors that are seen and changed: in words, in the formula's units, and in the density."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy.stats import kstest

from bayescale.data.dataset import Dataset
from bayescale.laws import LAWS, breakthrough, broken, chinchilla, get_law, kaplan, power, sigmoid
from bayescale.laws.names import get_prior
from bayescale.model.arrays import lanes
from bayescale.model.model import Model
from bayescale.model.prior import before
from bayescale.model.programs import compiled
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import lognormal, normal, student
from bayescale.noises.names import NOISES
from bayescale.parametric.coordinates import scaled
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import fraction, positive, real
from bayescale.parametric.words import from_record, record, said, written

# ------------------------------------------------------------------ in words


@pytest.mark.parametrize("name", [*LAWS, "power(rising=True)", "two_stage(link='exact_match')"])
def test_every_prior_of_a_built_in_law_is_said(name):
    told = get_law(name).stated()
    assert [k for k in told if k != "level"] == list(get_law(name).parameters)
    assert not [
        text for text in told.values() if not text or "a function of" in text or "{" in text
    ]


def test_a_law_states_its_priors():
    told = chinchilla.fix(E=1.8).tie("beta", "alpha").with_priors(A=positive(10, 1e4)).stated()
    assert told["alpha"] == "90 % between 0.05 and 1.5 (log-normal)"
    assert told["A"] == "90 % between 10 and 1e4 (log-normal)"
    assert told["B"] == "its term is the level at the reference scale"
    assert (told["E"], told["beta"]) == ("fixed at 1.8", "the value of alpha")
    assert "level" in told
    assert "level" not in sigmoid.stated()
    assert sigmoid.stated()["x50"].startswith("about the largest x: half within 0.8 decades")
    assert NOISES["student"].stated()["nu"] == "90 % between 3.55 and 47.4 (gamma)"


def test_quantiles_in_words_are_those_of_the_unlock_prior():
    from bayescale.laws.unlock import DECADE, UNLOCK_PRIOR

    drawn = np.asarray(UNLOCK_PRIOR.sample(jax.random.key(0), (200_000,))) / DECADE
    assert np.mean(abs(drawn) < 0.8) == pytest.approx(0.5, abs=0.02)
    assert np.mean(abs(drawn) < 2.9) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    ("prior", "text", "words"),
    [
        (positive(0.1, 0.5), "positive(0.1, 0.5)", "90 % between 0.1 and 0.5 (log-normal)"),
        (positive(1e-4, 1e9), "positive(0.0001, 1e9)", "90 % between 0.0001 and 1e9 (log-normal)"),
        (positive(1e22, 1e25), "positive(1e22, 1e25)", "90 % between 1e22 and 1e25 (log-normal)"),
        (real(0, 1), "real(0, 1)", "90 % between 0 and 1 (normal)"),
        (fraction(0.5, 2), "fraction(0.5, 2)", "uniform from 0 to 1"),
        (fraction(0.3, 10), "fraction(0.3, 10)", "90 % between 0.0977 and 0.55 (beta)"),
        (dist.HalfNormal(1.0), "HalfNormal(scale=1)", "90 % between 0.0627 and 1.96 (half-normal)"),
        (dist.Uniform(0.0, 2.0), "Uniform(low=0, high=2)", "uniform from 0 to 2"),
    ],
)
def test_a_prior_is_written_said_and_kept(prior, text, words):
    assert written(prior) == text
    assert said(prior) == words
    kept = from_record(record(prior))
    assert type(kept) is type(prior)
    assert record(kept) == record(prior)


def test_what_no_record_keeps():
    assert record(dist.TruncatedNormal(0.0, 1.0, low=0.0)) is None
    assert record(positive(0.1, 1).expand([2]).to_event(1)) is None
    with pytest.raises(ValueError, match="no distribution"):
        from_record({"of": "biject_to", "with": {}})


def test_priors_are_parsed_never_run():
    assert record(get_prior("positive(.1, .5)")) == record(positive(0.1, 0.5))
    assert record(get_prior("fraction(mean=.3, concentration=10)")) == record(fraction(0.3, 10))
    for text, why in (
        ("normal(0, 1)", "write positive"),
        ("", "write positive"),
        ("__import__('os')", "write positive"),
        ("positive(.1)", "missing"),
        ("positive(.5, .1)", "0 < lo < hi"),
        ("real('a', 1)", "is no prior"),
    ):
        with pytest.raises(ValueError, match=why):
            get_prior(text)


# ------------------------------------------------------------------ in the formula's units


@pytest.fixture(scope="module")
def runs():
    """Runs of N and D, with a count for accuracies."""
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(18, 22, 20)), np.exp(rng.uniform(21, 25, 20))
    return {"N": N, "D": D, "x": 6 * N * D}


CHANGES = [
    (chinchilla, dict(A=positive(10, 1e4), E=real(0, 3), alpha=positive(0.1, 0.5))),
    (chinchilla, dict(alpha=real(0, 0.6), B=dist.HalfNormal(1000.0))),
    (kaplan, dict(N_c=positive(1e12, 1e15))),
    (power(), dict(A=positive(1e3, 1e5), alpha=dist.Gamma(5.0, 20.0))),
    (sigmoid, dict(x50=positive(1e19, 1e22), g=fraction(0.3, 20), u=dist.Uniform(0.5, 1.0))),
    (sigmoid, dict(k=real(-1, 3))),
    (breakthrough, dict(x50=positive(1e19, 1e22), high=positive(2, 5), drop=fraction(0.2, 9))),
]


def table(law, runs):
    inputs = {name: runs[name] for name in law.inputs}
    n = np.full(20, 50.0) if law.support == "unit" else None
    responses = {
        name: np.full(20, 0.5 if of == "unit" else 2.5) for name, of in law.responses.items()
    }
    return Dataset(inputs, responses, n=n)


def model_of(law):
    noise = beta_binomial if law.support == "unit" else student
    return Model(law, noise, (student,) * len(law.further))


@pytest.mark.parametrize(("base", "priors"), CHANGES)
def test_draws_follow_the_prior_that_was_given(base, priors, runs):
    changed = base.with_priors(**priors)
    found = before(model_of(changed), table(changed, runs), 4000, seed=3).parameters
    for name, prior in priors.items():
        assert kstest(found[name], lambda x, d=prior: np.asarray(d.cdf(x))).pvalue > 1e-3, name


@pytest.mark.parametrize(("base", "priors"), CHANGES)
def test_density_and_gradient_are_finite(base, priors, runs):
    changed = base.with_priors(**priors)
    model = model_of(changed)
    z = 0.3 * np.random.default_rng(1).normal(size=(20, model.size))
    with jax.enable_x64(True):
        ((*_, lane),) = lanes(model, table(changed, runs))
        both = jax.vmap(jax.value_and_grad(lambda z: model.log_density(z, lane)))
        found = compiled(level=0)(both)(jnp.asarray(z))
    assert np.isfinite(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_the_density_is_that_of_the_formula_with_plain_priors(runs):
    priors = dict(E=positive(0.5, 3), A=positive(1, 1e6), alpha=positive(0.05, 1))
    changed = power().with_priors(**priors)

    @law
    def raw(x, *, E=priors["E"], A=priors["A"], alpha=priors["alpha"]):
        return E + A * x**-alpha

    data = Dataset({"x": runs["x"]}, {"y": 1.8 + 0.01 * np.arange(20)})
    one, other = Model(changed, lognormal), Model(raw, lognormal)
    names = [site.name for site in other.sites]
    with jax.enable_x64(True):
        ((*_, mine),), ((*_, plain),) = lanes(one, data), lanes(other, data)

        def logs(z):
            params = one.parameters(one.constrain(z, mine)[0], mine)
            return jnp.stack([jnp.log(params[k] * one.unit(k, params, mine)) for k in names])

        for z in jnp.asarray(np.random.default_rng(2).normal(size=(5, one.size))):
            volume = np.linalg.slogdet(jax.jacfwd(logs)(z))[1]
            want = other.log_density(logs(z), plain) + volume
            np.testing.assert_allclose(one.log_density(z, mine), want, rtol=1e-9)


def test_a_coordinate_that_is_the_constant_keeps_its_warp():
    now = chinchilla.with_priors(alpha=positive(0.1, 0.5), A=positive(10, 1e4))
    assert now.prior_of("alpha").warp is chinchilla.prior_of("alpha").warp
    assert now.prior_of("A").warp is None
    assert chinchilla.with_priors(alpha=real(0, 1)).prior_of("alpha").warp is None
    assert sigmoid.with_priors(x50=positive(1e9, 1e12)).prior_of("x50").link == "log"
    assert sigmoid.with_priors(g=positive(0.1, 0.4)).prior_of("g").link is None


def test_a_law_of_plain_priors_stays_one():
    @law
    def mine(x, *, A=positive(1, 10), alpha=positive(0.05, 1)):
        return A * x**-alpha

    assert not mine.with_priors(alpha=real(-1, 1)).relative
    assert power().with_priors(E=positive(1, 2), A=positive(1, 9), alpha=positive(0.1, 1)).relative


def test_what_is_said_later_holds():
    one = (
        chinchilla.fix(alpha=0.3).tie("B", "A").with_priors(alpha=positive(0.1, 0.5), B=real(0, 9))
    )
    assert (one.fixed, one.tied) == ((), ())
    assert str(one) == "chinchilla with alpha ~ positive(0.1, 0.5), B ~ real(0, 9)"
    assert str(one.fix(alpha=0.3)) == "chinchilla with alpha=0.3, B ~ real(0, 9)"
    assert str(one.with_priors(alpha=real(0, 1))).endswith("B ~ real(0, 9), alpha ~ real(0, 1)")
    assert "alpha  90 % between 0.1 and 0.5" in repr(one)
    assert str(student.with_priors(sigma=positive(0.01, 0.1))) == (
        "student with sigma ~ positive(0.01, 0.1)"
    )
    assert str(normal) == "normal"


@pytest.mark.parametrize(
    ("base", "name", "prior", "error", "said"),
    [
        (chinchilla, "alhpa", positive(1, 2), ValueError, "did you mean 'alpha'"),
        (chinchilla, "alpha", positive(1, 2).expand([2]), TypeError, "to_event"),
        (chinchilla, "alpha", positive(1, 2).expand([2]).to_event(1), ValueError, "one number"),
        (broken(2), "f", positive(1, 2), ValueError, "vector of 2"),
        (chinchilla, "alpha", dist.Poisson(3.0), TypeError, "discrete"),
        (chinchilla, "alpha", scaled(positive(1, 2)), TypeError, "formula's units"),
        (chinchilla, "alpha", 0.3, TypeError, "needs a prior"),
    ],
)
def test_what_is_no_prior_of_a_parameter_is_refused(base, name, prior, error, said):
    with pytest.raises(error, match=said):
        base.with_priors(**{name: prior})
