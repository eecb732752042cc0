"""Sensitivity to the prior beside closed forms, ArviZ, integrals and fits under other priors."""

import json
from dataclasses import replace

import numpy as np
import numpyro.distributions as dist
import pytest
import xarray as xr
from scipy.special import expit, log_expit
from scipy.stats import binom, norm

import bayescale as bs
from bayescale.cli.commands import main
from bayescale.inference.make_model import make_model
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.pointwise import log_likelihood, priors, said_of_prior
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.sensitivity import DISAGREE, NEITHER, PART, THE_PRIORS

SD = 0.5
DRAWS = 4000
QUANTILES = norm.ppf((np.arange(DRAWS) + 0.5) / DRAWS)


@bs.noise(support="real")
def known(mean):
    return dist.Normal(mean, SD)


@bs.law(support="real", response="y")
def line(x, *, m=dist.Normal(0.0, 1.0), s=dist.Normal(0.0, 2.0)):
    import jax.numpy as jnp

    return m + s * jnp.log10(x)


@bs.law(support="real", response="y")
def level(x, *, m=dist.Normal(0.0, 1.0)):
    return m + 0.0 * x


def exact(rows, mean, loose=()):
    """The posterior of `level` of so many runs with this mean, its draws at even quantiles."""
    x = np.geomspace(1.0, 10.0, rows)
    data = bs.Dataset({"x": x}, {"y": mean + 0 * x})
    precision = 1 + rows / SD**2
    m = (mean * rows / SD**2) / precision + QUANTILES / np.sqrt(precision)
    m = np.random.default_rng(1).permutation(m).reshape(4, -1)
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, tuple(loose))
    info = SamplingInfo(0, "NUTS", 4, DRAWS // 4, "float64", "cpu", {}, {}, 1.0)
    model = make_model(level, data, known)
    return Posterior(model, data, {"m": m}, {}, Health((verdict,)), info, z=m[..., None])


def scaled(rows, mean, prior=1.0, data=1.0):
    """Mean and sd of that posterior with prior and likelihood raised to powers."""
    precision = prior + data * rows / SD**2
    return data * mean * rows / SD**2 / precision, 1 / np.sqrt(precision)


POWERS = {
    "weaker_prior": dict(prior=0.8),
    "stronger_prior": dict(prior=1.25),
    "weaker_data": dict(data=0.8),
    "stronger_data": dict(data=1.25),
}


@pytest.mark.parametrize(("rows", "mean"), [(2, 0.0), (2, 1.5), (30, 0.4), (2, 4.0)])
def test_normals_are_as_the_closed_form_has_them(rows, mean):
    fit = exact(rows, mean)
    found = bs.sensitivity(fit, {"x": [10.0, 1e3]})
    one = found.quantities["m"]
    for way, powers in POWERS.items():
        centre, sd = scaled(rows, mean, **powers)
        ends = one.under[way]
        for name, at in (("lo", -1.645), ("median", 0.0), ("hi", 1.645)):
            assert ends[name] == pytest.approx(centre + at * sd, abs=0.06 * sd), (way, name)
    own = scaled(rows, mean)[1] ** 2
    assert one.part == pytest.approx(own, abs=0.01)  # of the prior's precision, which is 1
    apart = -mean / np.sqrt(1 + SD**2 / rows) if own > 0.05 else np.nan
    assert one.apart == pytest.approx(apart, abs=0.1, nan_ok=True)
    assert max(found.k_hat.values()) < 0.7
    forecast = found.quantities["y at x=1e+03"]  # of a level as of its parameter
    assert forecast.at == {"x": 1e3}
    assert forecast.part == pytest.approx(one.part, abs=1e-6)


def test_words_speak_of_what_decides():
    said = lambda *how: bs.sensitivity(exact(*how)).quantities["m"].diagnosis  # noqa: E731
    assert said(30, 0.4) == NEITHER
    assert said(2, 0.9) == NEITHER  # a prior one sd away pulls, and is no contradiction
    assert said(2, 4.0) == DISAGREE
    wide = exact(2, 0.0)
    few = replace(wide, draws={"m": QUANTILES.reshape(4, -1) * 0.9}, z=None)
    with pytest.raises(ValueError, match="fit anew"):
        bs.sensitivity(few)


def test_rates_are_those_of_arviz():
    from arviz_stats import psense

    fit = exact(2, 1.5)
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"m": (("chain", "draw"), fit.draws["m"])}),
            "log_prior": xr.Dataset({"m": (("chain", "draw"), priors(fit)["law"])}),
            "log_likelihood": xr.Dataset({"y": (("chain", "draw", "row"), log_likelihood(fit))}),
        }
    )
    one = bs.sensitivity(fit).quantities["m"]
    for own, group in ((one.prior, "prior"), (one.data, "likelihood")):
        assert own == pytest.approx(float(psense(tree, group=group)["m"]), rel=0.02)


def test_a_fit_under_the_weaker_prior_says_the_same():
    x, rng = np.geomspace(1.0, 30.0, 6), np.random.default_rng(2)
    data = bs.Dataset({"x": x}, {"y": 1.0 + 0.8 * np.log10(x) + SD * rng.normal(size=6)})
    how = dict(noise=known, sampler=bs.Laplace(draws=8000), seed=1)
    found = bs.sensitivity(bs.fit(line, data, **how), {"x": [300.0, 3e4]})
    wide = {"m": dist.Normal(0.0, 0.8**-0.5), "s": dist.Normal(0.0, 2 * 0.8**-0.5)}
    again = bs.predict(bs.fit(line.with_priors(**wide), data, **how), {"x": [300.0, 3e4]})
    lo, median, hi = again.quantiles()
    for i, name in enumerate(("y at x=300", "y at x=3e+04")):
        one = found.quantities[name]
        ends, width = one.under["weaker_prior"], hi[i] - lo[i]
        assert ends["median"] == pytest.approx(median[i], abs=0.03 * width)
        assert ends["lo"] == pytest.approx(lo[i], abs=0.05 * width)
        assert ends["hi"] == pytest.approx(hi[i], abs=0.05 * width)
        assert width > one.spread["hi"] - one.spread["lo"]


# ------------------------------------------------------------------ counts of right answers

CHANCE, ASKED, RIGHT = 0.25, 12, np.array([4, 7, 5])


def near_chance(z):
    """The floor of accuracies, as its docstring has it."""
    above, below = 0.02 * np.exp(1.5 * z), 0.02 * np.exp(-1.5 * z)
    return CHANCE * (1 - below / (1 + below)) + (1 - CHANCE) * above / (1 + above)


def floor(power=1.0):
    """A floor whose prior, of z, is raised to a power: its precision is."""
    import jax.numpy as jnp

    def form(z, at):
        above, below = 0.02 * jnp.exp(1.5 * z), 0.02 * jnp.exp(-1.5 * z)
        return at.chance * (1 - below / (1 + below)) + (1 - at.chance) * above / (1 + above)

    return shares_of("floor", bs.scaled(dist.Normal(0.0, power**-0.5), form, link="logit"))


def ceiling(power=1.0):
    """A ceiling, 1 - (1 - g) v with v of Beta(1, 6): on the logit that is Beta(a, 6 a)."""
    form = lambda v, at: 1 - (1 - CHANCE) * v  # noqa: E731
    return shares_of("ceiling", bs.scaled(dist.Beta(power, 6 * power), form, link="logit"))


def shares_of(name, coordinate):
    """A law that is one share everywhere."""

    @bs.law(support="unit", response="accuracy", name=name)
    def formula(x, *, p=coordinate):
        return p + 0 * x

    return formula


def powered(name, power):
    """Median and ends of the share under its prior of a power, by integration."""
    z = np.linspace(-9.0, 9.0, 20_001)  # of the floor; the logit of v, of the ceiling
    if name == "floor":
        p, prior = near_chance(z), -(z**2) / 2
    else:
        p, prior = 1 - (1 - CHANCE) * expit(z), log_expit(z) + 6 * log_expit(-z)
    told = binom.logpmf(RIGHT[:, None], ASKED, p).sum(0)
    density = np.exp(power * prior + told - (power * prior + told).max())
    order = np.argsort(p)
    below = np.cumsum(density[order]) / density.sum()
    ends = np.interp([0.05, 0.5, 0.95], below, p[order])
    return dict(zip(("lo", "median", "hi"), ends, strict=True))


@pytest.mark.parametrize("law", [floor, ceiling])
def test_shares_of_counts_as_by_integration_and_a_fit_under_the_weaker_prior(law):
    n, chance = np.full(3, float(ASKED)), np.full(3, CHANCE)
    x = np.geomspace(1.0, 10.0, 3)
    data = bs.Dataset({"x": x}, {"y": RIGHT / ASKED}, n=n, chance=chance)
    sampler = bs.NUTS(warmup=300, draws=4000, retries=0)
    how = dict(noise="binomial", sampler=sampler, seed=1)
    one = bs.sensitivity(bs.fit(law(), data, **how)).quantities["p"]
    assert one.prior > 0.05  # twelve answers of three models do not drown it
    again = bs.fit(law(0.8), data, **how).table().loc["p"]
    for way, power in (("weaker_prior", 0.8), ("stronger_prior", 1.25)):
        exact = powered(law.__name__, power)
        for end, value in exact.items():
            near = pytest.approx(value, abs=0.05 * (exact["hi"] - exact["lo"]))
            assert one.under[way][end] == near, (way, end)
            assert power > 1 or again[end] == near, end


# ------------------------------------------------------------------ said unasked


def test_a_forecast_that_the_prior_decides_is_told_and_no_other():
    def told(fit, x):
        return [note for note in bs.predict(fit, {"x": x}).notes if note.kind == "prior"]

    weak = exact(2, 0.0, loose=["m"])
    (note,) = told(weak, [5.0, 1e3])
    assert note.startswith("m, and the y at x=1e+03, are the prior's more than the data's: ")
    assert not told(weak, 5.0)  # within the data
    assert not told(exact(2, 0.0), 1e3)
    (note,) = told(weak, np.geomspace(5.0, 1e3, 40))
    assert "so of 7 answers more" in note  # of the farthest few
    m, other = weak.draws["m"].ravel(), np.random.default_rng(0).normal(size=DRAWS)
    assert not said_of_prior(weak, {"it": m + 2 * other})  # it hangs on something else
    assert said_of_prior(weak, {"it": np.where(m > 0, np.inf, m)})
    assert not said_of_prior(weak, {"it": np.full(DRAWS, np.nan)})
    assert bs.sensitivity(weak).quantities["y at x=1e+03"].through == "m"


def unsure(fit, *names):
    """The fit as if the data said little of these parameters."""
    verdicts = (replace(fit.health.verdicts[0], unidentified=names),)
    return replace(fit, health=Health(verdicts))


def test_plans_and_thresholds_say_it_too(chinchilla_fit, power_fit):
    def kinds(answer):
        return [note.kind for note in answer.notes]

    loose = unsure(chinchilla_fit, "E", "alpha")
    assert "prior" in kinds(bs.allocate(loose, 1e27))
    assert "prior" not in kinds(bs.allocate(loose, 1e20))  # within the data
    assert "prior" not in kinds(bs.allocate(unsure(chinchilla_fit, "nu"), 1e27))
    assert "prior" not in kinds(bs.allocate(chinchilla_fit, 1e27))
    assert "prior" in kinds(bs.match(loose, N=1e13, D=1e14))
    assert "prior" in kinds(bs.compare_runs(loose, (1e13, 1e14), (2e13, 5e13)))
    far = bs.predict(power_fit, {"x": 1e14}).quantiles()[1, 0]
    low = bs.threshold(unsure(power_fit, "E", "A"), far)
    assert any(n.kind == "prior" and "x of the level" in n for n in low.notes)
    assert "prior" not in kinds(bs.threshold(power_fit, far))
    both = bs.mix({"short": unsure(power_fit, "E"), "long": power_fit})
    (note,) = [n for n in bs.predict(both, {"x": 1e14}).notes if n.kind == "prior"]
    assert note.startswith("short: E, and the loss at x=1e+14, are the prior's")


def test_a_floor_that_short_data_cannot_tell(data_dir):
    """Three runs of 1.6 decades: what they say of 1e22 is mostly the floor's prior."""
    import pandas as pd

    frame = pd.read_csv(data_dir / "cases" / "12_marin_three_points.csv")
    data = bs.from_frame(frame, x="flops", y="macro_loss")
    fit = bs.fit("power", data, sampler=bs.NUTS(warmup=300, draws=500), seed=0)
    found = bs.sensitivity(fit, {"flops": [1e20, 1e22]}, allow_failed=True)
    # How far apart prior and data are, which a diagnosis looks at too, 2,000 draws do not settle.
    assert found.quantities["E"].part > PART
    assert found.quantities["macro_loss at flops=1e+22"].diagnosis == THE_PRIORS
    notes = bs.predict(fit, {"flops": 1e22}, allow_failed=True).notes
    assert any(n.kind == "prior" and n.startswith("E, and the loss at flops=1e+22") for n in notes)


# ------------------------------------------------------------------ how it is told


def test_the_command_line_prints_what_the_library_says(power_fit, tmp_path, capsys):
    path = str(tmp_path / "fit.nc")
    bs.save(power_fit, path)
    assert main(["sensitivity", path, "--at", "x=1e13", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    whole = bs.sensitivity(power_fit, {"x": 1e13}).summary()
    assert document["sensitivity"]["quantities"]["E"]["part"] == pytest.approx(
        whole["quantities"]["E"]["part"], abs=1e-6
    )
    assert main(["sensitivity", path]) == 0
    text = capsys.readouterr().out
    assert "y at x=1e+12" in text
    assert "y at x=1e+13" in text
    assert main(["sensitivity", path, "--at", "z=1"]) == 2


def test_a_point_has_no_sensitivity(power_data):
    fit = bs.fit("power", power_data, sampler=bs.MAP(), seed=0)
    with pytest.raises(ValueError, match="weighs 100 draws or more, this fit has 1"):
        bs.sensitivity(fit)


def test_several_laws_and_curves_are_looked_at_one_by_one(rivals):
    found = bs.sensitivity(bs.mix(rivals), allow_failed=True)
    assert set(found) == {"sigmoid", "flat"}
    assert "x50" in found["sigmoid"].quantities
    assert found["sigmoid"].table().loc["x50", "diagnosis"] in (THE_PRIORS, NEITHER, DISAGREE)
