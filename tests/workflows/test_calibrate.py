"""calibrate: where the draws are the posterior's, the truth ranks anywhere among refits' draws."""

import json
from dataclasses import replace
from inspect import unwrap

import numpy as np
import pytest
from scipy.stats import binom

import bayescale as bs
from bayescale.cli.commands import main
from bayescale.comparison import ranks
from bayescale.comparison.ranks import uniformity
from bayescale.data.dataset import Dataset
from bayescale.model.arrays import lane_of
from bayescale.workflows import calibrate as module


def test_uniform_ranks_are_held_uniform_and_others_are_not():
    rng = np.random.default_rng(0)
    ps = [uniformity(rng.integers(0, 100, 40), 99) for _ in range(400)]
    assert abs(np.mean(np.array(ps) < 0.1) - 0.1) < 0.06  # four standard errors
    low, ends = np.full(40, 20), np.repeat([0, 99], 20)
    middle = rng.integers(40, 60, 40)
    assert max(uniformity(each, 99) for each in (low, ends, middle)) < 0.001


def test_the_measure_is_the_largest_binomial_tail():
    counts = np.bincount([1, 1, 2], minlength=4).cumsum()[:-1]  # ranks of 3 draws
    at = np.array([0.25, 0.5, 0.75])
    want = 2 * min(
        min(binom.cdf(c, 3, z), 1 - binom.cdf(c - 1, 3, z)) for c, z in zip(counts, at, strict=True)
    )
    assert ranks._tail(counts, 3) == pytest.approx(want)


@pytest.fixture(scope="module")
def found(level_fit):
    quick = bs.NUTS(chains=2, warmup=200, draws=400, retries=0)
    return bs.calibrate(level_fit, {"x": 1e12}, replicates=60, sampler=quick, progress=False)


def test_a_sound_fit_is_calibrated(found):
    assert list(found.quantities) == ["g", "acc at x=1e+12"]
    assert found.quantities["acc at x=1e+12"].at == {"x": 1e12}
    assert found.replicates == 60
    assert found.quantities["g"].draws == 99
    assert found.quantities["g"].p > 0.001  # one in a thousand where all is well
    inside = found.summary()["quantities"]["g"]["inside"]["90"]
    assert inside["share"] > 0.72  # five standard errors below
    assert inside["lo"] < inside["share"] < inside["hi"]


def test_draws_that_are_not_the_posteriors_are_found(level_fit):
    quick = bs.NUTS(chains=2, warmup=200, draws=400, retries=0)
    g = level_fit.draws["g"]
    for wrong in (g + 2 * g.std(), np.clip(g + 3 * (g - g.mean()), 0.01, 0.99)):
        told = replace(level_fit, draws=dict(level_fit.draws) | {"g": wrong})
        found = bs.calibrate(told, replicates=60, sampler=quick, progress=False)
        assert "g" in found.suspects
        assert any(note.kind == "uneven" for note in found.notes)
        assert "g *" in repr(found)


def test_all_refits_share_one_program(level_fit, compilations):
    quick = bs.NUTS(chains=2, warmup=200, draws=400, retries=0)
    bs.calibrate(level_fit, replicates=10, sampler=quick, progress=False)
    before = len(compilations)
    bs.calibrate(level_fit, replicates=14, sampler=quick, seed=1, progress=False)
    assert not [name for name in compilations[before:] if "advance" in name]


def losses(**more):
    """Runs of a power law, and what stands beside them."""
    rng = np.random.default_rng(1)
    x = np.geomspace(1e8, 1e11, 16)
    y = (1.8 + 150 * x**-0.25) * np.exp(0.01 * rng.normal(size=16))
    return Dataset({"x": x}, {"loss": y}, stderr=0.001 * y, **more)


QUICK = bs.Laplace(draws=400, starts=8)


@pytest.mark.parametrize(
    ("how", "more"),
    [
        ({}, {}),
        ({"noise": "lognormal"}, {"run": np.repeat(["a", "b", "c", "d"], 4).astype(object)}),
        ({"noise": "lognormal", "law": "approximate(power)"}, {}),
        ({}, {"limit": np.full(16, 1.9)}),
        ({"pool": "A"}, {"group": np.array(["a", "b"] * 8, object)}),
    ],
    ids=["plain", "runs", "misfit", "limit", "groups"],
)
def test_a_table_and_its_replicate_are_fitted_as_the_table_was(how, more):
    """The rows first, then new ones, at the same references and spans; runs and groups kept."""
    how = {"law": "power"} | how
    fit = bs.fit(how.pop("law"), losses(**more), sampler=QUICK, progress=False, **how)
    tables = module._tables(fit, 3, 0)
    assert len(tables.curve_names) == 3
    assert len(tables) == 3 * 2 * 16
    alone = lane_of(fit.model, fit.data)
    for name in tables.curve_names:
        one = replace(tables.take(tables.curve == name), curve=None)
        np.testing.assert_array_equal(one.responses["loss"][:16], fit.data.responses["loss"])
        assert not np.array_equal(one.responses["loss"][16:], fit.data.responses["loss"])
        lane = lane_of(fit.model, one)
        assert (lane["ref"]["x"], lane["y"]) == (alone["ref"]["x"], alone["y"])
        np.testing.assert_allclose(lane["span"]["x"], alone["span"]["x"])
        if one.run is not None:
            assert len(set(one.run)) == 8
            assert set(one.run[:16]) == {"a", "b", "c", "d"}
        if one.limit is not None:
            assert (one.responses["loss"] >= 1.9).all()
    if fit.law.wander is None and not fit.model.pool:
        return  # the refits are those of any table
    found = bs.calibrate(fit, {"x": 1e12}, replicates=10, allow_failed=True, progress=False)
    assert {"E", "A", "alpha", "sigma", "loss at x=1e+12"} <= set(found.quantities)
    assert not any(name.startswith(("bends", "A_shift", "edge")) for name in found.quantities)
    assert all(0 <= one.ranks.min() <= one.ranks.max() <= 99 for one in found.quantities.values())


def test_what_is_no_fit_of_its_own_table_is_refused(level_fit, power_data):
    point = bs.fit("power", power_data, sampler=bs.MAP(), progress=False)
    with pytest.raises(ValueError, match="MAP draws no posterior"):
        bs.calibrate(point, allow_failed=True)
    with pytest.raises(ValueError, match=r"MAP draws no posterior: .* sampler="):
        unwrap(bs.calibrate)(level_fit, sampler=bs.MAP())
    with pytest.raises(ValueError, match="10 replicates or more, got 3"):
        bs.calibrate(level_fit, replicates=3)
    groups = losses(group=np.array(["a", "b"] * 8, object))
    pooled = bs.fit("power", groups, pool="A", sampler=QUICK, progress=False)
    with pytest.raises(ValueError, match="one group of a pooled fit"):
        bs.calibrate(bs.for_group(pooled, "a"), allow_failed=True)
    run = losses(run=np.full(16, "a", object))
    alone = bs.fit("power", run, noise="lognormal", sampler=QUICK, progress=False)
    with pytest.raises(ValueError, match="of one run"):
        bs.calibrate(alone, allow_failed=True)


def test_the_command(level_fit, tmp_path, capsys):
    path = str(tmp_path / "fit.nc")
    few = {name: draws[:, :50] for name, draws in level_fit.draws.items()}
    stats = {name: values[:, :50] for name, values in level_fit.stats.items()}
    settings = dict(level_fit.sampling.settings) | {"draws": 100}
    sampling = replace(level_fit.sampling, draws=50, settings=settings)
    fit = replace(level_fit, draws=few, stats=stats, z=level_fit.z[:, :50], sampling=sampling)
    bs.save(fit, path)
    words = ["calibrate", path, "--replicates", "10", "--at", "x=1e12", "--allow-failed"]
    assert main([*words, "--json"]) in (0, 1)
    document = json.loads(capsys.readouterr().out)
    assert document["calibration"]["replicates"] == 10
    assert set(document["calibration"]["quantities"]) == {"g", "acc at x=1e+12"}
    assert main(["calibrate", path, "--replicates", "3", "--allow-failed"]) == 2
    assert "10 replicates or more" in capsys.readouterr().err
