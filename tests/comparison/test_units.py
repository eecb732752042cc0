"""Counts and shares in one unit: against sums, integrals and SciPy's own masses."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from bayescale.comparison.compare import compare_laws
from bayescale.comparison.evidence import log_evidence
from bayescale.comparison.explain import explain
from bayescale.comparison.predictive import Backtest, leave_one_out
from bayescale.comparison.units import common_unit, log_mass
from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.laws import flat, get_law
from bayescale.model.arrays import pack
from bayescale.model.model import Model
from bayescale.noises import NOISES, get_noise
from bayescale.noises.accuracy import bounded
from bayescale.noises.loss import lognormal, normal, student
from bayescale.parametric.coordinates import At
from bayescale.parametric.parametric import noise
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.workflows.confusion import confusion

SAMPLER = NUTS(chains=2, warmup=300, draws=2000, retries=0)
SOUND = Verdict({}, {}, 1.0, 999.0, 0.0)
INFO = SamplingInfo(0, "NUTS", 1, 1, "float64", "cpu", {}, {}, np.nan)
G = np.linspace(-5, 5, 401)
LOGS = np.linspace(-16, 3, 801)
"""A grid of the coordinate of g, and of log sigma over a typical accuracy."""


def level(n, p=0.3, count=10, seed=0):
    """Accuracies of models that all know as much."""
    y = np.random.default_rng([12, seed]).binomial(n, p, count) / n
    x, rows = np.geomspace(1e8, 1e11, count), np.full(count, float(n))
    return Dataset({"x": x}, {"acc": y}, n=rows, chance=0 * rows + 0.25)


@pytest.fixture(scope="module")
def both():
    """The same runs under a noise of shares and one of counts; a law of one parameter."""
    data = level(60)
    names = ("normal", "binomial")
    return {name: fit("flat", data, noise=name, sampler=SAMPLER, seed=1) for name in names}


def on_a_grid(data, scatter):
    """Log prior (g, sigma) and log of what `scatter(row, mean, sigma)` gives each row, by hand."""
    g = np.asarray(flat.priors[0][1].form(jnp.asarray(G), At(chance=0.25)))[:, None]
    lo, hi = np.log([0.001, 0.3])
    sd = (hi - lo) / 2 / stats.norm.ppf(0.95)
    prior = stats.norm.logpdf(G)[:, None] + stats.norm.logpdf(LOGS, (lo + hi) / 2, sd)
    prior += np.log((G[1] - G[0]) * (LOGS[1] - LOGS[0]))
    y = data.responses["acc"]
    sigma = np.exp(LOGS) * np.median(y)
    return prior, np.stack([scatter(i, g, sigma) for i in range(len(y))])


def masses(data):
    y, n = data.responses["acc"], data.n

    def scatter(i, g, sigma):
        ends = [stats.norm.cdf(y[i] + side / n[i], g, sigma) for side in (-0.5, 0.5)]
        with np.errstate(divide="ignore"):
            return np.log(ends[1] - ends[0])

    return on_a_grid(data, scatter)


def densities(data):
    return on_a_grid(
        data, lambda i, g, sigma: stats.norm.logpdf(data.responses["acc"][i], g, sigma)
    )


# ------------------------------------------------------------------ what each noise gives


@pytest.mark.parametrize("name", NOISES)
def test_every_noise_sums_to_one_over_what_can_be_measured(name):
    """Noises of log y are densities of y: they compare with those of y as they stand."""
    part, usual = NOISES[name], dict(sigma=0.2, nu=4.0, rho=0.05, tau=0.5, excess=0.3)
    given = {k: usual[k] for k in part.parameters}
    n = 40
    y = (
        np.arange(n + 1.0)
        if part.counts
        else np.linspace(1e-7, 1 if part.support == "unit" else 60, 600_001)
    )
    mean = np.array([0.2, 0.3, 0.5])[:, None] * np.ones(len(y)) if part.nodes else 0 * y + 0.3
    columns = dict(mean=mean, stderr=0.02 + 0 * y, n=np.full(len(y), n), floor=0.1, ceiling=0.9)
    with jax.enable_x64(True):
        columns = {k: jnp.asarray(v) for k, v in columns.items()}
        logs = part.fn(*(columns[k] for k in part.inputs), **given).log_prob(jnp.asarray(y))
    p = np.exp(np.asarray(logs))
    total = (
        p.sum()
        if part.counts
        else np.trapezoid(p, y) + (name == "normal") * stats.norm.cdf(0, 0.3, np.hypot(0.2, 0.02))
    )
    assert total == pytest.approx(1, abs=2e-3)


def constructed(noise, y, n, **draws):
    x, rows = np.geomspace(1e8, 1e11, len(y)), np.full(len(y), float(n))
    data = Dataset({"x": x}, {"acc": np.asarray(y, float)}, n=rows)
    draws = {name: np.array([[value]]) for name, value in draws.items()}
    return Posterior(Model(flat, noise), data, draws, {}, Health((SOUND,)), INFO)


@pytest.mark.parametrize(
    ("noise", "draws", "scipy"),
    [
        (normal, dict(sigma=0.02), stats.norm(0.3, 0.02)),
        (normal, dict(sigma=1e-4), stats.norm(0.3, 1e-4)),
        (bounded, dict(rho=0.05), stats.beta(0.3 * 19, 0.7 * 19)),
        (lognormal, dict(sigma=0.3), stats.lognorm(0.3, scale=0.3)),
    ],
)
def test_the_mass_of_a_cell(noise, draws, scipy):
    y = np.array([0, 1, 5, 6, 7, 12, 19, 20]) / 20
    y = y[1:] if noise is lognormal else y
    with np.errstate(divide="ignore"):
        mass = np.where(
            y > 0.3,
            scipy.sf(y - 1 / 40) - scipy.sf(y + 1 / 40),
            scipy.cdf(y + 1 / 40) - scipy.cdf(y - 1 / 40),
        )
        want = np.log(mass)
    found = log_mass(constructed(noise, y, 20, g=0.3, **draws))[0, 0]
    near = want > -300  # SciPy has none of what lies farther out
    np.testing.assert_allclose(found[near], want[near], rtol=0.01, atol=1e-6)
    assert (found[~near] < -250).all()
    assert (found <= 0).all()


def test_a_student_has_a_mass_and_a_noise_without_a_cdf_is_refused():
    found = log_mass(constructed(student, [0.25, 0.4], 20, g=0.3, sigma=0.2, nu=4.0))[0, 0]
    scale = stats.t(4, np.log(0.3), 0.2)
    want = np.log(scale.cdf(np.log([0.275, 0.425])) - scale.cdf(np.log([0.225, 0.375])))
    np.testing.assert_allclose(found, want, rtol=1e-6)
    strange = noise(support="unit")(_strange)
    with pytest.raises(ValueError, match="the noise _strange has no cdf"):
        log_mass(constructed(strange, [0.25, 0.4], 20, g=0.3))


def _strange(mean):
    import numpyro.distributions as dist

    return dist.Kumaraswamy(1 + mean, 1 + mean)


# ------------------------------------------------------------------ evidence and runs left out


def test_evidence_of_counts_under_a_noise_of_shares(both):
    one = both["normal"]
    for unit, table in (("count", masses), ("density", densities)):
        prior, rows = table(one.data)
        found = log_evidence(one, unit=unit)
        assert found.log == pytest.approx(logsumexp(prior + rows.sum(0)), abs=0.05)
        assert found.unit == unit
    assert log_evidence(one) == log_evidence(one, unit="count")
    with pytest.raises(ValueError, match="flat with the noise binomial is told in count"):
        log_evidence(both["binomial"], unit="density")
    with pytest.raises(ValueError, match="a unit is count or density, got 'nats'"):
        log_evidence(one, unit="nats")


def test_noises_compare_as_counts(both):
    """As they stand the two are off by the sum of log n, 41 nats here."""
    found = compare_laws(both)
    data = both["normal"].data
    prior, rows = masses(data)
    shares = logsumexp(prior + rows.sum(0))
    g = np.asarray(flat.priors[0][1].form(jnp.asarray(G), At(chance=0.25)))
    k = np.round(data.responses["acc"] * data.n)
    counts = logsumexp(
        stats.norm.logpdf(G) + np.log(G[1] - G[0]) + stats.binom.logpmf(k, 60, g[:, None]).sum(1)
    )
    want = 1 / (1 + np.exp(shares - counts))
    assert found.probability["binomial"] == pytest.approx(want, abs=0.02)
    assert found.unit == found.summary()["normal"]["unit"] == "count"
    naive = logsumexp(densities(data)[0] + densities(data)[1].sum(0)) - counts
    assert naive - (shares - counts) == pytest.approx(np.log(data.n).sum(), abs=0.5)
    assert any("of normal, a noise of shares, the mass from" in note for note in found.notes)
    assert abs(found.elpd["normal"] - found.elpd["binomial"]) < 4
    told = explain({name: replace(one, model=_rising(one)) for name, one in both.items()})
    assert any("a noise of shares" in note for note in told.notes)


def _rising(one):
    return replace(one.model, law=replace(one.law, hypothesis="rise"))


def test_runs_left_out_of_a_noise_of_shares_are_scored_as_counts(both):
    """The fit is by densities, as it was made; what it says of the run left out is a mass."""
    prior, fitted = densities(both["normal"].data)
    _, scored = masses(both["normal"].data)
    whole = prior + fitted.sum(0)
    exact = [
        logsumexp(whole - row + mass) - logsumexp(whole - row)
        for row, mass in zip(fitted, scored, strict=True)
    ]
    found = leave_one_out(both["normal"])
    np.testing.assert_allclose(found.elpd, exact, atol=0.06)
    own = leave_one_out(both["normal"], unit="density").elpd
    assert own.sum() - found.elpd.sum() == pytest.approx(10 * np.log(60), abs=1)


def test_fits_of_one_noise_compare_in_their_own_unit(both):
    assert common_unit([both["normal"]]) == "density"
    assert compare_laws({"a": both["normal"]}).unit == "density"
    assert compare_laws({"a": both["normal"]}).notes == ()
    assert compare_laws({"a": both["binomial"]}).unit == "count"


def test_a_noise_narrower_than_a_question_says_nothing_of_counts():
    data = replace(level(60), responses={"acc": np.full(10, 0.25)})
    names = ("normal", "binomial")
    same = {name: fit("flat", data, noise=name, sampler=SAMPLER, seed=1) for name in names}
    with pytest.raises(ValueError, match="the noise normal is so narrow beside a question, 1/n"):
        compare_laws(same)
    assert np.isfinite(log_evidence(same["normal"], unit="density").log)


# ------------------------------------------------------------------ a run without which all changes


def test_runs_whose_estimate_is_rough_are_left_out_by_a_fit_without_them():
    y = np.array([0.30, 0.31, 0.29, 0.30, 0.32, 0.31, 0.42])
    data = replace(level(60, count=7), responses={"acc": y}, n=None)
    one = fit("flat", data, noise="normal", sampler=SAMPLER, seed=1)
    prior, rows = densities(data)
    exact = np.array(
        [logsumexp(prior + rows.sum(0)) - logsumexp(prior + rows.sum(0) - r) for r in rows]
    )
    rough, found = leave_one_out(one, refits=0), leave_one_out(one)
    assert rough.k_hat[-1] > 0.7
    assert rough.rough >= 1 > found.rough == 0
    assert found.refitted[-1]
    assert abs(rough.elpd - exact)[-1] > 1 > 0.3 > abs(found.elpd - exact)[-1]
    np.testing.assert_allclose(found.elpd[:-1], exact[:-1], atol=0.1)
    told = compare_laws({"flat": one})
    assert told.refitted == {"flat": int(found.refitted.sum())}
    assert told.rough == {"flat": 0}
    assert any("left out by a fit without them: " in note for note in told.notes)
    said = compare_laws({"flat": one}, refits=0)
    assert said.rough == {"flat": rough.rough}
    assert any("NOT RELIABLE" in note for note in said.notes)
    # Several at once, as curves of one batch, are the same fits as one by one.
    again = leave_one_out(one)
    np.testing.assert_array_equal(again.elpd, found.elpd)


# ------------------------------------------------------------------ what does not compare


def test_fits_of_other_runs_are_refused_in_one_line(both):
    one = both["binomial"]
    data = one.data
    others = {
        "it has 9 rows, not 10": data.take(np.arange(10) > 0),
        "row 1 has 1e[+]09 as x, not 1e[+]08": replace(
            data, inputs={"x": data.inputs["x"][::1] * 10}
        ),
        "as acc, not": replace(data, responses={"acc": data.responses["acc"] / 2}),
        "row 1 has 600 as n, not 60": replace(data, n=data.n * 10),
        "it is of loss, not of acc": replace(data, responses={"loss": data.responses["acc"]}),
        "as acc/100, not .* as acc;": replace(
            data,
            responses={"acc": data.responses["acc"] / 100},
            columns={"acc": "acc/100"},
        ),
    }
    for said, table in others.items():
        with pytest.raises(ValueError, match=said) as refusal:
            compare_laws({"one": one, "two": replace(one, data=table)})
        assert "\n" not in str(refusal.value)
    without = replace(both["normal"], data=replace(data, n=None))
    assert mix({"one": one, "two": without}).weights == {"one": 0.5, "two": 0.5}
    with pytest.raises(ValueError, match="flat with the noise normal has no number of questions"):
        compare_laws({"one": one, "two": without})
    up = replace(one, model=replace(one.model, law=replace(one.law, improves="down")))
    with pytest.raises(ValueError, match="gets better down, not up"):
        mix({"one": one, "two": up})


def test_backtests_of_other_units_are_refused(both):
    rising = {name: replace(one, model=_rising(one)) for name, one in both.items()}
    units = dict(zip(rising, ("density", "count"), strict=True))
    held = {name: Backtest(-1.0, 0.1, 0.9, 3, 1e9, True, unit) for name, unit in units.items()}
    with pytest.raises(ValueError, match="backtests of counts and of shares do not compare"):
        explain(rising, backtest=held)


def test_runs_simulated_from_shares_are_rounded_where_others_count(both):
    quick = NUTS(chains=2, warmup=100, draws=50, retries=0)
    found = confusion(both, simulations=2, sampler=quick)
    assert found.chosen.sum(1).tolist() == [2, 2]


def test_the_arrays_without_a_row_are_those_of_the_table():
    """Priors and references of a fit without a row are those of the whole table."""
    from bayescale.inference.leave_out import without_rows

    data = level(60)
    (batch,) = pack(Model(get_law("sigmoid"), get_noise("binomial")), data)
    found = without_rows(batch.data, [9, 0])
    for name in ("ref", "span", "y", "chance", "observed"):
        for i in range(2):
            jax.tree.map(
                np.testing.assert_array_equal,
                jax.tree.map(lambda leaf, i=i: leaf[i], found[name]),
                jax.tree.map(lambda leaf: leaf[0], batch.data[name]),
            )
    assert found["mask"][:, :10].sum(1).tolist() == [9, 9]
    assert not found["mask"][0, 9]
    assert not found["mask"][1, 0]
    assert batch.data["mask"][0, :10].all()
