"""A posterior survives the way to a file and back bit by bit; a bad file is one clear line."""

import os
import stat
from dataclasses import replace

import h5py
import numpy as np
import pytest

from bayescale.data.dataset import Dataset
from bayescale.data.responses import RESOLUTION
from bayescale.laws import broken, get_law, two_stage
from bayescale.messages import Note
from bayescale.model.model import Model
from bayescale.noises.names import get_noise
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import positive
from bayescale.posterior.arviz import to_arviz
from bayescale.posterior.checks import judged_anew
from bayescale.posterior.files import StorageError, writable
from bayescale.posterior.health import UNREACHED, Health
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.posterior.storage import FORMAT, load, save
from bayescale.questions.predict import predict


def made(which, noise, data, vectors=(), curves=(), chains=2, draws=3, further=()):
    """A posterior of invented draws: what storage needs to know takes no sampling."""
    rng = np.random.default_rng(3)
    model = Model(which, get_noise(noise), further)
    lead = (*((len(curves),) if curves else ()), chains, draws)
    names = tuple(model.names)
    values = {
        name: np.sort(
            rng.uniform(0.1, 0.9, (*lead, 2)) if name in vectors else rng.uniform(size=lead)
        )
        for name in names
    }
    stats = {
        "log_density": rng.normal(size=lead),
        "energy": rng.normal(size=lead).astype(np.float32),
        "n_steps": rng.integers(1, 9, lead).astype(np.int32),
        "acceptance_rate": rng.uniform(size=lead),
        "diverging": rng.uniform(size=lead) > 0.5,
    }
    run = SamplingInfo(
        7,
        "NUTS",
        chains,
        draws,
        "float64",
        "cpu",
        {"jax": "1"},
        {"start": 0.1},
        np.nan,
        {"warmup": 5, "time_limit": None},
        (Note("stopped", "interrupted"),),
    )
    count = max(1, len(curves))
    fit = Posterior(model, data, values, stats, Health((UNREACHED,) * count), run)
    return replace(fit, health=judged_anew(fit, [names[:1]] * count))


@pytest.fixture
def scores():
    """Accuracies of two curves, with every optional column."""
    return Dataset(
        {"x": np.linspace(1.0, 5.0, 9)},
        {"score": np.linspace(0.1, 0.9, 9)},
        n=np.full(9, 20.0),
        stderr=np.full(9, 0.01),
        chance=np.full(9, 0.1),
        curve=np.array(["a", "b/c", "a", "a", "b/c", "a", "b/c", "a", "b/c"], object),
        group=np.array(["g", "h", "g", "ü", "h", "g", "h", "g", "g"], object),
        reference={"x": 3.0},
        source="scores.csv",
        rows=np.array([2, 3, 5, 7, 11, 13, 17, 19, 23]),
        columns={"x": "params_b*1e9"},
        notes=("2 rows were left out",),
    )


def same(one: Posterior, two: Posterior) -> None:
    for part in ("draws", "stats"):
        before, after = getattr(one, part), getattr(two, part)
        assert list(before) == list(after)
        for name in before:
            assert before[name].dtype == after[name].dtype, name
            np.testing.assert_array_equal(before[name], after[name], name)
    assert repr(one.health) == repr(two.health)  # nan is not equal to itself
    assert repr(one.sampling) == repr(two.sampling)
    assert one.model == two.model
    for name in Dataset.__dataclass_fields__:
        before, after = getattr(one.data, name), getattr(two.data, name)
        if isinstance(before, np.ndarray) or name in ("inputs", "responses"):
            np.testing.assert_equal(after, before, name)
        else:
            assert before == after, name


def test_round_trip_of_curves_and_every_column(scores, tmp_path):
    fit = made(get_law("sigmoid"), "scale_scatter", scores, curves=scores.curve_names)
    save(fit, tmp_path / "fit.nc")
    same(fit, load(tmp_path / "fit.nc"))


def test_round_trip_of_vectors_fixed_and_tied(tmp_path, power_data):
    vectors = ("c", "d", "f")
    fit = made(broken(2).fix(c0=0.5).tie("a", "b"), "lognormal", power_data, vectors)
    save(fit, tmp_path / "fit.nc")
    back = load(str(tmp_path / "fit.nc"))
    same(fit, back)
    assert str(back.law) == "broken(2) with c0=0.5, a=b"


def test_round_trip_of_two_responses_some_missing(tmp_path):
    rng, gap = np.random.default_rng(0), np.array([np.nan, 2.0, 2.1] * 4)
    data = Dataset(
        {"N": np.geomspace(1e8, 1e10, 12), "D": np.geomspace(1e9, 1e12, 12)},
        {"accuracy": np.full(12, 0.5), "loss": gap},
        n=np.full(12, 40.0),
    )
    further = (get_noise("student").fix(nu=5.0),)
    fit = made(two_stage(loss="chinchilla"), "scale_scatter", data, further=further)
    model = fit.model
    fit = replace(fit, z=rng.normal(size=(2, 3, model.size)))
    save(fit, tmp_path / "fit.nc")
    back = load(tmp_path / "fit.nc")
    same(fit, back)
    np.testing.assert_array_equal(back.z, fit.z)
    assert repr(back.model.further) == repr(model.further)


def test_round_trip_of_one_curve_of_a_pooled_fit(scores, tmp_path):
    """The curve has no row of the last group, whose shift stands among the draws all the same."""
    fit = made(get_law("sigmoid"), "scale_scatter", scores, curves=scores.curve_names)
    shifts = np.random.default_rng(0).normal(size=(2, 2, 3, 3))
    draws = dict(fit.draws) | {"x50_sd": fit.draws["k"], "x50_shift": shifts}
    fit = replace(fit, model=replace(fit.model, pool=("x50",), groups=3), draws=draws)
    fit = replace(fit, health=judged_anew(fit, [()] * 2))
    one = fit.curve("b/c")
    assert one.data.group_names == fit.data.group_names == ("g", "h", "ü")
    for each in (fit, one):
        save(each, tmp_path / "fit.nc")
        same(each, load(tmp_path / "fit.nc"))


def test_round_trip_of_a_real_fit_predicts_the_same(power_fit, tmp_path):
    save(power_fit, tmp_path / "fit.nc")
    back = load(tmp_path / "fit.nc")
    same(power_fit, back)
    at = {"x": np.array([1e9, 1e12])}
    before, after = predict(power_fit, at, seed=4), predict(back, at, seed=4)
    np.testing.assert_array_equal(before.new, after.new)
    np.testing.assert_array_equal(before.mean, after.mean)


def test_a_long_record_fits_into_the_file(power_data, tmp_path):
    """HDF5 holds attributes up to 64 kB; the verdicts of many curves are longer."""
    fit = made(get_law("power"), "student", power_data)
    fit = replace(fit, sampling=replace(fit.sampling, notes=(Note("long", "x" * 200_000),)))
    save(fit, tmp_path / "fit.nc")
    same(fit, load(tmp_path / "fit.nc"))


# ------------------------------------------------------------------ ArviZ


def test_datatree_is_what_arviz_reads(power_fit):
    import arviz_stats

    tree = to_arviz(power_fit)
    assert set(tree.children) == {
        "posterior",
        "sample_stats",
        "log_likelihood",
        "log_prior",
        "posterior_predictive",
        "prior",
        "prior_predictive",
        "observed_data",
        "constant_data",
    }
    assert {"lp", "energy", "n_steps", "acceptance_rate", "diverging"} == set(tree.sample_stats)
    assert tree.posterior["alpha"].dims == ("chain", "draw")
    table = arviz_stats.summary(tree)
    assert table.loc["alpha", "ess_bulk"] is not None
    elpd = arviz_stats.loo(tree)
    assert np.isfinite(elpd.elpd)
    assert elpd.n_data_points == len(power_fit.data)


def test_log_likelihood_is_the_noise_about_the_law(power_fit):
    from scipy import stats

    found = to_arviz(power_fit)["log_likelihood"]["y"].values[1, 5]
    p = {name: values[1, 5] for name, values in power_fit.draws.items()}
    x, y = power_fit.data.inputs["x"], power_fit.data.responses["y"]
    mean = p["E"] + p["A"] * x ** -p["alpha"]
    sigma = np.hypot(p["sigma"], RESOLUTION)
    want = stats.t.logpdf(np.log(y), p["nu"], np.log(mean), sigma) - np.log(y)
    np.testing.assert_allclose(found, want, rtol=1e-8)


def test_log_likelihood_of_a_row_is_under_its_own_curve(scores):
    fit = made(get_law("sigmoid"), "scale_scatter", scores, curves=scores.curve_names)
    whole = to_arviz(fit)["log_likelihood"]["score"]
    assert whole.dims == ("chain", "draw", "obs_id")
    for name, one in fit:
        alone = to_arviz(one)["log_likelihood"]["score"].values
        np.testing.assert_allclose(whole.values[..., scores.curve == name], alone, rtol=1e-12)


def test_datatree_has_the_curve_behind_the_draw(scores):
    fit = made(get_law("sigmoid"), "scale_scatter", scores, curves=scores.curve_names)
    tree = to_arviz(fit, rows=False)
    assert "log_likelihood" not in tree.children
    assert tree.prior["k"].dims == ("chain", "draw", "curve")
    assert tree.posterior["k"].dims == ("chain", "draw", "curve")
    np.testing.assert_array_equal(tree.posterior["k"].sel(curve="b/c"), fit.draws["k"][1])
    assert list(tree.constant_data["group"].values) == list(scores.group)
    assert list(tree.observed_data["obs_id"].values) == list(scores.rows)


# ------------------------------------------------------------------ a law of one's own


def own_law(name="mine", exponent="alpha", scale=1.0):
    def mine(x, *, E=positive(0.5, 3), A=positive(1, 1e4), alpha=positive(0.05, 1)):
        return E + scale * A * x**-alpha

    def other(x, *, E=positive(0.5, 3), A=positive(1, 1e4), gamma=positive(0.05, 1)):
        return E + A * x**-gamma

    return law(mine if exponent == "alpha" else other, name=name)


def test_a_law_of_ones_own_is_passed_and_checked(power_data, tmp_path):
    path = tmp_path / "fit.nc"
    fit = made(own_law().fix(E=1.8), "student", power_data)
    save(fit, path)
    back = load(path, law=own_law())
    np.testing.assert_array_equal(back.draws["alpha"], fit.draws["alpha"])
    assert back.law.fixed == (("E", 1.8),)
    for wrong, said in (
        (None, "not built in; pass it: load(path, law=...)"),
        (own_law("yours"), "whose name is mine; this law has yours"),
        (own_law(exponent="gamma"), "whose parameters are E, A, alpha; this law has E, A, gamma"),
        (own_law(scale=2.0), "another formula"),
    ):
        refused(path, said, law=wrong)


def test_a_built_in_law_does_not_stand_in_for_ones_own_of_that_name(power_data, tmp_path):
    save(made(own_law("power", scale=2.0), "student", power_data), tmp_path / "fit.nc")
    refused(tmp_path / "fit.nc", "another formula")


# ------------------------------------------------------------------ what is refused


def refused(path, said, **passed):
    with pytest.raises(StorageError) as caught:
        load(path, **passed)
    message = str(caught.value)
    assert said in message
    assert str(path) in message
    assert "\n" not in message


@pytest.fixture
def kept(power_data, tmp_path):
    """A small file of ours."""
    path = tmp_path / "fit.nc"
    save(made(get_law("power"), "student", power_data), path)
    return path


def test_what_is_no_fit_is_refused(tmp_path):
    refused(tmp_path / "none.nc", "No such file")
    refused(tmp_path, "cannot be read")
    text = tmp_path / "runs.csv"
    for content in (b"", b"N,D,loss\n1,2,3\n" * 99):
        text.write_bytes(content)
        refused(text, "is no fit saved by bayescale")
    with h5py.File(tmp_path / "other.nc", "w") as file:
        file["x"] = np.arange(3)
    refused(tmp_path / "other.nc", "is no fit saved by bayescale")


def test_another_format_is_refused(kept):
    kept.write_bytes(
        kept.read_bytes().replace(f"bayescale format {FORMAT} ".encode(), b"bayescale format 12 ")
    )
    refused(kept, f"is of format 12, this bayescale reads format {FORMAT}")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(kept, share):
    whole = kept.read_bytes()
    kept.write_bytes(whole[: int(share * len(whole))])
    refused(kept, "cut short")


def test_a_changed_number_is_refused(kept):
    with h5py.File(kept, "a") as file:
        file["posterior/alpha"][0, 0] += 1e-12
    refused(kept, "changed since")


def test_any_flipped_byte_is_found(kept):
    whole, rng = kept.read_bytes(), np.random.default_rng(0)
    for at in (0, len(whole) - 1, *rng.integers(0, len(whole), 40)):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        kept.write_bytes(damaged)
        with pytest.raises(StorageError):
            load(kept)


def test_other_programs_read_the_file(kept):
    import xarray as xr

    with xr.open_datatree(kept, engine="h5netcdf") as tree:
        assert tree.posterior["alpha"].shape == (2, 3)
        assert tree.attrs["law"] == "power"


# ------------------------------------------------------------------ writing


def unwritable(path, said):
    with pytest.raises(StorageError) as caught:
        writable(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unwritable_paths_are_known_before(tmp_path):
    (tmp_path / "file").write_text("x")
    unwritable(tmp_path / "none" / "fit.nc", "No such file")
    unwritable(tmp_path / "file" / "fit.nc", "Not a directory")
    unwritable(tmp_path, "it is a folder")
    unwritable("/dev/null", "no regular file")
    unwritable("a\0b.nc", "no path")
    assert writable(tmp_path / "fit.nc") == (tmp_path / "fit.nc").resolve()
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_closed_folder_is_unwritable(tmp_path):
    tmp_path.chmod(0o500)
    unwritable(tmp_path / "fit.nc", "Permission denied")


@pytest.mark.parametrize(
    ("where", "error", "raised"),
    [
        ("os.fsync", OSError("No space left"), StorageError),
        ("xarray.DataTree.to_netcdf", RuntimeError("HDF5"), StorageError),
        ("xarray.DataTree.to_netcdf", MemoryError(), MemoryError),
    ],
)
def test_a_failure_leaves_what_was_there(kept, power_data, monkeypatch, where, error, raised):
    before = kept.read_bytes()

    def fails(*args, **kwargs):
        raise error

    monkeypatch.setattr(where, fails)
    with pytest.raises(raised):
        save(made(get_law("power"), "student", power_data, draws=5), kept)
    assert kept.read_bytes() == before
    assert os.listdir(kept.parent) == ["fit.nc"]


def test_a_file_is_replaced_and_open_to_others_as_usual(kept, power_data):
    save(made(get_law("power"), "student", power_data, draws=9), kept)
    assert load(kept).draws["alpha"].shape == (2, 9)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o666 & ~mask
    assert os.listdir(kept.parent) == ["fit.nc"]


def test_a_link_is_followed(kept, power_data):
    link = kept.with_name("latest.nc")
    link.symlink_to(kept)
    save(made(get_law("power"), "student", power_data, draws=4), link)
    assert link.is_symlink()
    assert load(kept).draws["alpha"].shape == (2, 4)
