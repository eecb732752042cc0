"""A drift moves what a fit says beyond the data, and nothing else."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bayescale as bs
from bayescale.comparison.predictive import leave_one_out
from bayescale.posterior.drift import drifted_inputs
from bayescale.posterior.mixture import mix
from bayescale.posterior.pointwise import law_draws
from bayescale.posterior.storage import load, save
from bayescale.questions.curves import crossings
from bayescale.questions.predict import predict
from bayescale.questions.residuals import residuals
from bayescale.questions.sweep import sweep
from bayescale.questions.threshold import threshold

X = np.geomspace(1e8, 1e10, 12)
BEYOND = np.array([1e8, 1e10, 1.01e10, 1e11, 1e13])
ASKED = dict(seed=1, allow_failed=True)


@pytest.fixture(scope="module")
def fit():
    """A quick fit of a rise, said to be sampled so that its evidence can be asked."""
    n = 200
    right = np.random.default_rng(0).binomial(n, 0.25 + 0.75 / (1 + (1e10 / X) ** 1.5))
    columns = {"x": X, "y": right / n, "n": np.full(len(X), n), "chance": np.full(len(X), 0.25)}
    data = bs.from_frame(columns, "x", "y", n="n", chance="chance")
    found = bs.fit("sigmoid", data, noise="binomial", sampler=bs.Laplace(draws=400))
    return replace(found, sampling=replace(found.sampling, method="NUTS"))


def before(posterior, x):
    """The law with the drift inside its formula, (draw, point)."""
    drift, edge = posterior.drift.draws.reshape(-1, 1), posterior.drift.begins
    x, flat = x[None], posterior.flat()
    params = {name: flat[name][:, None] for name in posterior.law.parameters}
    with jax.enable_x64(True):
        moved = jnp.where(x > edge, x * jnp.exp(drift), x)
        return np.asarray(posterior.law.fn(moved, **params))


def test_the_law_beyond_the_data_is_that_of_the_drifted_scale(fit):
    drifted = bs.with_drift(fit, 1.0, seed=2)
    assert drifted.drift.begins == pytest.approx(1e10, rel=1e-6)
    assert drifted.drift.draws.std() == pytest.approx(1.0, rel=0.15)
    found = law_draws(drifted, {"x": BEYOND})
    np.testing.assert_allclose(found, before(drifted, BEYOND), rtol=1e-12)
    np.testing.assert_array_equal(predict(drifted, {"x": BEYOND}, **ASKED).mean, found)
    plain = law_draws(fit, {"x": BEYOND})
    np.testing.assert_allclose(found[:, :2], plain[:, :2], rtol=1e-12)
    assert (np.abs(found - plain)[:, 2:] > 0).all(1).mean() > 0.9


def test_new_runs_and_crossings_drift_too(fit):
    drifted = bs.with_drift(fit, 1.0)
    one, other = (predict(each, {"x": BEYOND}, n=10_000, **ASKED).new for each in (fit, drifted))
    np.testing.assert_array_equal(one[:, :2], other[:, :2])
    law = law_draws(drifted, {"x": BEYOND})
    assert np.abs(other - law).max() < 0.03
    (way,) = sweep(fit).values()
    grid = np.geomspace(X.min(), 1e14, 300)
    plain, late = (crossings(each, way, grid, lambda y: y >= 0.9) for each in (fit, drifted))
    far = plain.log10_scale > 11.5  # the whole drift of such a draw lies beyond the data
    moved = plain.log10_scale - drifted.drift.draws.ravel() / np.log(10)
    kept = far & (moved > 10.1)
    np.testing.assert_allclose(late.log10_scale[kept], moved[kept], atol=1e-6)
    assert kept.sum() > 0 or far.sum() == 0


def test_within_the_data_nothing_changes(fit):
    drifted = bs.with_drift(fit, 1.0)
    np.testing.assert_array_equal(residuals(drifted).fitted, residuals(fit).fitted)
    np.testing.assert_array_equal(residuals(drifted).hi, residuals(fit).hi)
    one, other = (leave_one_out(each) for each in (fit, drifted))
    np.testing.assert_array_equal(one.elpd, other.elpd)
    assert bs.log_evidence(drifted) == bs.log_evidence(fit)
    found = bs.compare_laws({"plain": fit, "drifted": drifted})
    assert found.elpd["plain"] == found.elpd["drifted"]
    assert found.probability["drifted"] == pytest.approx(0.5)


def test_it_is_said_and_carried_by_mixtures(fit):
    drifted = bs.with_drift(mix({"a": fit, "b": fit}), 0.5)
    notes = threshold(drifted, 0.9, allow_failed=True).notes
    (said,) = [note for note in notes if note.kind == "drift"]
    assert said == "with a drift of sd 0.5 in log scale beyond the data"
    assert not any(each.kind == "drift" for each in threshold(fit, 0.9, allow_failed=True).notes)


def test_it_survives_a_file(fit, tmp_path):
    drifted = bs.with_drift(fit, 0.7, seed=3)
    save(drifted, tmp_path / "fit.nc")
    kept = load(tmp_path / "fit.nc")
    assert (kept.drift.sd, kept.drift.begins) == (drifted.drift.sd, drifted.drift.begins)
    np.testing.assert_array_equal(kept.drift.draws, drifted.drift.draws)
    at = {"x": BEYOND}
    np.testing.assert_array_equal(predict(kept, at, **ASKED).new, predict(drifted, at, **ASKED).new)
    save(fit, tmp_path / "plain.nc")
    assert load(tmp_path / "plain.nc").drift is None


def test_none_and_refused(fit):
    assert bs.with_drift(fit, 0.0) is fit
    for inputs in ({"x": BEYOND}, {"x": np.tile(BEYOND, (400, 1))}):
        np.testing.assert_array_equal(drifted_inputs(fit, inputs)["x"], np.tile(BEYOND, (400, 1)))
    with pytest.raises(ValueError, match="sd of 0 or more"):
        bs.with_drift(fit, -1.0)
