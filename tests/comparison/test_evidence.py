"""Evidence: against the integral of the density itself, in one dimension and in two."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.special import betaln, gammaln, logsumexp
from scipy.stats import multivariate_t, norm

from bayescale.comparison.evidence import Evidence, Proposal, bridge, log_evidence
from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.samplers import MAP, NUTS
from bayescale.model.arrays import pack
from bayescale.model.programs import compiled
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import fraction


def lane_of(model, data):
    (batch,) = pack(model, data)
    return jax.tree.map(lambda leaf: leaf[0], batch.data)


def by_grid(model, data, *axes):
    """log of the integral of the joint density over a grid of z, one axis a coordinate."""
    with jax.enable_x64(True):
        lane = lane_of(model, data)
        z = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))
        logs = np.asarray(compiled(level=0)(jax.vmap(model.log_density, (0, None)))(z, lane))
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    ends = np.array([logs[0], logs[-1]])
    assert (ends < logs.max() - 12).all(), "the grid holds all of the mass"
    return float(logsumexp(logs) + np.log(cell))


@pytest.fixture(scope="module")
def two(make_table):
    """Two curves of 9 and 12 models, flat x beta_binomial: two parameters each."""
    tables = {"one": make_table["flat"](9), "two": make_table["flat"](12, 1)}
    parts = tables.values()
    join = lambda part: np.concatenate([part(table) for table in parts])  # noqa: E731
    data = Dataset(
        {"x": join(lambda t: t.inputs["x"])},
        {"acc": join(lambda t: t.responses["acc"])},
        n=join(lambda t: t.n),
        chance=join(lambda t: t.chance),
        curve=np.repeat(np.array(["one", "two"], object), [9, 12]),
    )
    sampler = NUTS(chains=2, warmup=200, draws=500, retries=0)
    return fit("flat", data, noise="beta_binomial", sampler=sampler, seed=1), tables


def test_one_parameter(level_fit):
    found = log_evidence(level_fit)
    want = by_grid(level_fit.model, level_fit.data, np.linspace(-8, 8, 4001))
    assert found.log == pytest.approx(want, abs=0.05)
    assert 0 <= found.se < 0.05


def test_two_parameters_and_several_curves(two):
    posterior, tables = two
    found = log_evidence(posterior)
    assert list(found) == ["one", "two"]
    axes = np.linspace(-6, 6, 241), np.linspace(-16, 4, 201)
    for name, table in tables.items():
        want = by_grid(posterior.model, table, *axes)
        assert found[name].log == pytest.approx(want, abs=0.05), name
        assert found[name].se < 0.05
        alone = log_evidence(posterior.curve(name))
        assert alone.log == pytest.approx(want, abs=0.05), name


def test_a_closed_form(make_table, small):
    """Counts of one probability with a beta prior: beta-binomial in closed form."""

    @law(support="unit")
    def conjugate(x, *, p=fraction(0.4, 5.0)):
        return p + 0 * x

    data = make_table["flat"](10)
    found = log_evidence(fit(conjugate, data, noise="binomial", sampler=small, seed=2))
    n, k = data.n, np.round(data.responses["acc"] * data.n)
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    want = choose.sum() + betaln(2 + k.sum(), 3 + (n - k).sum()) - betaln(2, 3)
    assert found.log == pytest.approx(want, abs=0.05)


def test_the_seed_decides(level_fit):
    assert log_evidence(level_fit, seed=3) == log_evidence(level_fit, seed=3)
    assert log_evidence(level_fit, seed=3).log != log_evidence(level_fit, seed=4).log


def test_the_bridge_is_exact_where_the_proposal_is_off():
    """A normal of known mass, bridged from a normal twice as wide and off its centre."""
    rng = np.random.default_rng(0)
    log_ratio = lambda z: 7.0 + norm.logpdf(z) - norm.logpdf(z, 0.5, 2.0)  # noqa: E731
    own, drawn = rng.normal(size=20_000), rng.normal(0.5, 2.0, 20_000)
    log, error = bridge(log_ratio(own), log_ratio(drawn))
    assert log == pytest.approx(7.0, abs=0.03)
    assert 0.002 < error < 0.02


def test_the_proposal_has_the_density_it_is_drawn_from():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(200, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    proposal = Proposal(draws, rng)
    at = rng.normal(size=(5, 2))
    shape = proposal.root @ proposal.root.T
    each = [multivariate_t.logpdf(at, centre, shape, 7) for centre in proposal.centres]
    want = logsumexp(each, axis=0) - np.log(len(each))
    np.testing.assert_allclose(proposal.log_density(at), want, rtol=1e-9)
    sample = proposal.sample(rng, 20_000)
    middle = proposal.centres.mean(0)
    np.testing.assert_allclose(sample.mean(0), middle, atol=0.05)
    spread = np.cov(proposal.centres.T, bias=True) + shape * 7 / 5
    np.testing.assert_allclose(np.cov(sample.T), spread, atol=0.1)


def test_draws_that_went_astray_have_no_evidence(level_fit):
    z = np.array(level_fit.z)
    z[0, 0] = np.nan
    assert log_evidence(replace(level_fit, z=z)) == Evidence(-np.inf, np.inf, "count")


def test_evidence_needs_draws_of_a_posterior(level_fit):
    mode = fit("flat", level_fit.data, noise="binomial", sampler=MAP(starts=4))
    for without in (mode, replace(level_fit, z=None)):
        with pytest.raises(ValueError, match="evidence needs draws in unconstrained"):
            log_evidence(without)
