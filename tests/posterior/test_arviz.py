"""What ArviZ's tools need is there, and they run on it: on fits, and on their files."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from scipy.stats import lognorm

from bayescale.inference.fit import fit
from bayescale.inference.samplers import MAP
from bayescale.laws import chinchilla
from bayescale.laws.names import get_law
from bayescale.model.model import Model
from bayescale.noises.loss import student
from bayescale.parametric.priors import positive
from bayescale.posterior import storage
from bayescale.posterior.arviz import to_arviz
from bayescale.posterior.files import StorageError
from bayescale.posterior.pointwise import log_likelihood, log_prior, replicate
from bayescale.posterior.storage import load, save

arviz_plots = pytest.importorskip("arviz_plots")
arviz_stats = pytest.importorskip("arviz_stats")

PICTURES = ("plot_ppc_dist", "plot_loo_pit", "plot_prior_posterior", "plot_ppc_interval")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def tree(sigmoid_fit):
    return to_arviz(sigmoid_fit)


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")
def test_pictures_are_drawn(tree, picture):
    drawn = getattr(arviz_plots, picture)(tree, backend="matplotlib")
    assert len(drawn.viz.children) or len(drawn.viz)


@pytest.mark.filterwarnings("ignore")
def test_sensitivity_to_the_prior(tree, sigmoid_fit):
    table = arviz_stats.psense_summary(tree)
    assert set(table.index) == set(sigmoid_fit.draws)
    # Of 30 models the overdispersion is not known well; the floor is.
    assert table.loc["g", "prior"] < table.loc["g", "likelihood"]
    own = arviz_stats.psense(tree, group="prior", group_var_names=["rho"])
    assert float(own["rho"]) > 5 * float(own["x50"])


@pytest.mark.filterwarnings("ignore")
def test_other_tools_read_the_file(power_fit, tmp_path):
    save(power_fit, tmp_path / "fit.nc")
    with xr.open_datatree(tmp_path / "fit.nc", engine="h5netcdf") as kept:
        assert np.isfinite(arviz_stats.loo(kept).elpd)
        assert "alpha" in arviz_stats.psense_summary(kept).index
        arviz_plots.plot_prior_posterior(kept, var_names=["alpha"], backend="matplotlib")


def test_log_prior_is_the_prior_at_the_draw(power_fit):
    found = log_prior(power_fit)
    assert set(found) == {site.name for site in power_fit.model.sites}
    prior = get_law("power").prior_of("alpha").prior
    want = lognorm(prior.scale, scale=np.exp(prior.loc)).logpdf(power_fit.draws["alpha"])
    np.testing.assert_allclose(found["alpha"], want, rtol=1e-9)
    np.testing.assert_allclose(found["share"], 0.0, atol=1e-12)  # uniform on two shares


def test_predictive_groups_are_of_the_same_draws(power_fit):
    tree = to_arviz(power_fit, seed=4)
    runs = tree["posterior_predictive"]["y"].values
    assert runs.shape == (4, 1000, 24)
    np.testing.assert_array_equal(runs.reshape(-1, 24), replicate(power_fit, 4000, seed=4))
    x, p = power_fit.data.inputs["x"], {k: v[2, 7] for k, v in power_fit.draws.items()}
    curve = p["E"] + p["A"] * x ** -p["alpha"]
    assert abs(np.log(runs[2, 7] / curve)).max() < 40 * p["sigma"]
    assert tree["prior_predictive"]["y"].shape == (1, 1000, 24)
    assert set(tree.prior) == set(tree.posterior)


def test_many_values_are_thinned_alike(power_fit):
    tree = to_arviz(power_fit, most=20_000)
    for name in ("log_likelihood", "posterior_predictive"):
        assert tree[name]["y"].shape == (4, 200, 24)
        assert tree[name].draw.values[:3].tolist() == [0, 5, 10]
    np.testing.assert_allclose(
        tree["log_likelihood"]["y"], log_likelihood(power_fit)[:, ::5], rtol=1e-12
    )
    assert tree["prior_predictive"]["y"].shape == (1, 500, 24)
    assert tree["log_prior"]["alpha"].shape == (4, 1000)


def test_the_file_may_leave_rows_out(power_fit, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "MOST", 10_000)
    sizes = {}
    for rows in (True, False):
        path = tmp_path / f"{rows}.nc"
        save(power_fit, path, rows=rows)
        sizes[rows] = path.stat().st_size
        with xr.open_datatree(path, engine="h5netcdf") as kept:
            assert ("posterior_predictive" in kept.children) is rows
            assert {"prior", "log_prior", "posterior"} <= set(kept.children)
            if rows:
                assert kept["log_likelihood"]["y"].dtype == np.float32
                assert kept["log_likelihood"]["y"].size <= 10_000
        np.testing.assert_array_equal(load(path).draws["alpha"], power_fit.draws["alpha"])
    assert 2 * 4 * 10_000 < sizes[True] - sizes[False] < 4 * 4 * 10_000


# ------------------------------------------------------------------ priors that were changed


@pytest.fixture(scope="module")
def changed(make_table):
    law = chinchilla.with_priors(alpha=positive(0.1, 0.5))
    noise = student.with_priors(sigma=positive(0.001, 0.01))
    return fit(law, make_table["chinchilla"](16), noise=noise, sampler=MAP())


def test_changed_priors_come_back(changed, tmp_path):
    save(changed, tmp_path / "fit.nc")
    back = load(tmp_path / "fit.nc")
    assert str(back.law) == "chinchilla with alpha ~ positive(0.1, 0.5)"
    assert str(back.model.noise) == "student with sigma ~ positive(0.001, 0.01)"
    assert back.law.prior_of("alpha").warp is chinchilla.prior_of("alpha").warp
    np.testing.assert_array_equal(log_prior(back)["alpha"], log_prior(changed)["alpha"])
    assert str(load(tmp_path / "fit.nc", law=changed.law).law) == str(changed.law)
    assert to_arviz(back, rows=False).attrs["law"] == str(changed.law)
    with pytest.raises(StorageError, match="another prior of alpha"):
        load(tmp_path / "fit.nc", law=chinchilla.with_priors(alpha=positive(0.1, 0.6)))
    with pytest.raises(StorageError, match="another prior of E"):
        load(tmp_path / "fit.nc", law=chinchilla.with_priors(E=positive(1, 2)))


def test_a_prior_that_no_file_keeps_is_asked_for(changed, tmp_path):
    import numpyro.distributions as dist

    law = chinchilla.with_priors(E=dist.TruncatedNormal(1.8, 0.1, low=1.0))
    own = changed.__class__(**(vars(changed) | {"model": Model(law, student), "z": None}))
    save(own, tmp_path / "fit.nc")
    with pytest.raises(StorageError, match=r"prior of E that no file keeps.*load\(path, law=...\)"):
        load(tmp_path / "fit.nc")
    assert load(tmp_path / "fit.nc", law=law).law is not None
