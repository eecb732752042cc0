"""Fits of rows that are of runs: what is sampled, left out, drawn anew, kept and refused."""

import numpy as np
import pytest

import bayescale as bs
from bayescale.comparison.predictive import leave_one_out
from bayescale.data.dataset import Dataset
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.posterior.pointwise import log_likelihood, replicate
from bayescale.workflows.backtest import fitted


def run_table(runs=6, rows=7, level=0.02, seed=0):
    """Checkpoints of runs that start at different scales, off the law by their own level."""
    rng = np.random.default_rng([seed, 5])
    x = np.concatenate([np.geomspace(1, 8, rows) * 1e8 * 2.2**i for i in range(runs)])
    run = np.repeat([f"r{i}" for i in range(runs)], rows).astype(object)
    off = np.repeat(level * rng.normal(size=runs), rows)
    y = (1.8 + 150 * x**-0.25) * np.exp(off + 0.002 * rng.normal(size=len(x)))
    return Dataset({"x": x}, {"loss": y}, run=run, columns={"run": "id"}, source="runs.csv")


@pytest.fixture(scope="module")
def data():
    """Six runs of seven checkpoints."""
    return run_table()


@pytest.fixture(scope="module")
def of_runs(data, small):
    """The power law fitted to them, with their runs."""
    return bs.fit("power", data, noise="lognormal", sampler=small, seed=1)


def test_the_level_of_runs_is_told_from_the_scatter_of_their_rows(of_runs):
    lo, hi = np.quantile(of_runs.draws["run_sd"], [0.05, 0.95])
    assert lo < 0.02 < hi
    # A residual that is remembered for as long as a run cannot be told from the run's level.
    assert np.median(of_runs.draws["sigma"]) < lo
    assert "runs by id" in of_runs.head
    assert of_runs.summary()["sampling"]["runs"] is True


def test_the_order_of_rows_is_no_matter(data, of_runs, small):
    mixed = data.take(np.random.default_rng(0).permutation(len(data)))
    again = bs.fit("power", mixed, noise="lognormal", sampler=small, seed=1)
    assert np.array_equal(again.draws["alpha"], of_runs.draws["alpha"])
    left = [
        dict(zip(d.rows, bs.residuals(p).hi, strict=True))
        for d, p in ((data, of_runs), (mixed, again))
    ]
    assert all(left[0][row] == pytest.approx(left[1][row], abs=0.02) for row in left[0])


def test_whole_runs_are_left_out(data, of_runs, small):
    assert log_likelihood(of_runs).shape[-1] == 6
    left = leave_one_out(of_runs)
    assert len(left.elpd) == 6
    alone = bs.fit(
        "power", bs.Dataset(data.inputs, data.responses), noise="lognormal", sampler=small, seed=1
    )
    assert len(leave_one_out(alone).elpd) == 42
    with pytest.raises(ValueError, match="whether rows are of runs"):
        bs.compare_laws({"with": of_runs, "without": alone})
    tree = bs.to_arviz(of_runs)
    assert tree.log_likelihood["loss"].dims == ("chain", "draw", "run_id")
    assert tree.posterior_predictive["loss"].dims == ("chain", "draw", "obs_id")


def test_new_runs_lie_as_far_apart_as_runs_do(data, of_runs):
    """Rows of one run together, runs apart; one new run scatters by both."""
    new = np.log(replicate(of_runs, 400, seed=1))
    away = new - np.median(new, 0)
    own = np.corrcoef(away.T)
    same = data.run[:, None] == data.run
    assert own[same].min() > 0.9
    assert abs(np.median(own[~same])) < 0.3
    there = bs.predict(of_runs, {"x": 1e10}, seed=2, allow_failed=True)
    spread = np.std(np.log(there.new / there.mean))
    draws = of_runs.draws
    assert spread == pytest.approx(
        np.sqrt(np.mean(draws["run_sd"] ** 2 + draws["sigma"] ** 2)), rel=0.2
    )


def test_a_saved_fit_keeps_its_runs(of_runs, tmp_path):
    bs.save(of_runs, tmp_path / "runs.nc")
    again = bs.load(tmp_path / "runs.nc")
    assert again.model == of_runs.model
    assert list(again.data.run) == list(of_runs.data.run)
    assert np.array_equal(log_likelihood(again), log_likelihood(of_runs))


def test_runs_of_one_row_change_nothing():
    data = run_table(rows=1, runs=30)
    assert make_model(get_law("power"), data).runs is None
    quick = bs.Laplace(draws=50)
    one, other = (
        bs.fit("power", each, sampler=quick)
        for each in (data, Dataset(data.inputs, data.responses))
    )
    assert all(np.array_equal(one.draws[k], other.draws[k]) for k in other.draws)
    assert one.draws.keys() == other.draws.keys()


def test_one_run_alone_has_no_level_of_its_own():
    data = run_table(runs=1, rows=30)
    assert make_model(get_law("power"), data).runs.parameters == ("run_length", "run_spacing")
    curves = Dataset(data.inputs, data.responses, curve=data.run, run=data.run)
    assert make_model(get_law("power"), curves).runs.parameters == ("run_length", "run_spacing")


@pytest.mark.parametrize("noise", ["student", "laplace", "normal"])
def test_other_noises_take_runs_too(data, noise):
    found = bs.fit("power", data, noise=noise, sampler=bs.Laplace(draws=100), seed=1)
    assert {"run_sd", "run_length", "run_spacing"} < found.draws.keys()
    assert found.summary()["quantities"]["run_sd"]["median"] > 0
    assert replicate(found, 3).shape == (3, 42)
    assert log_likelihood(found).shape[-1] == 6


def test_backtests_cut_between_runs(data):
    below = fitted(get_law("power"), data)
    assert below.any()
    assert not below.all()
    for name in set(data.run):
        assert len(set(below[data.run == name])) == 1
    assert not fitted(get_law("power"), run_table(runs=1, rows=40)).any()


def test_what_has_no_joint_density_is_refused(data):
    n = np.full(len(data), 100.0)
    counts = Dataset(data.inputs, {"acc": np.full(len(data), 0.5)}, n=n, run=data.run)
    with pytest.raises(ValueError, match=r"under the noise scale_scatter.*logit_normal"):
        make_model(get_law("sigmoid"), counts, "scale_scatter")
    with pytest.raises(ValueError, match="no joint density under the noise frontier"):
        make_model(get_law("power"), data, "frontier")


def test_counts_of_runs_have_a_level_of_their_run(data):
    """In log odds; without runs a law takes the scatter of six runs for that of 42 models."""
    rng = np.random.default_rng(3)
    run, x = data.run, data.inputs["x"] / data.inputs["x"].max()
    level = dict(zip(sorted(set(run)), 0.3 * rng.normal(size=6), strict=True))
    p = 0.25 + 0.7 / (1 + (x / 0.1) ** -1.0)
    odds = np.log(p / (1 - p)) + np.array([level[name] for name in run])
    n = np.full(len(x), 2000.0)
    y = rng.binomial(2000, 1 / (1 + np.exp(-odds))) / n
    table = dict(inputs=data.inputs, responses={"acc": y}, n=n, chance=np.full(len(x), 0.25))
    model = make_model(get_law("sigmoid"), Dataset(**table, run=run))
    assert model.noise.name == "logit_normal"
    laplace = bs.Laplace(draws=400)
    found = bs.fit("sigmoid", Dataset(**table, run=run), sampler=laplace, seed=1)
    lo, hi = np.quantile(found.draws["run_sd"], [0.01, 0.99])
    assert lo < np.std([*level.values()]) < hi
    new = bs.predict(found, {"x": [data.inputs["x"].max()]}, n=100).quantiles("new")
    law = bs.predict(found, {"x": [data.inputs["x"].max()]}).quantiles("mean")
    assert new[2, 0] - new[0, 0] > law[2, 0] - law[0, 0]
    assert new.min() >= 0
    assert new.max() <= 1
    drawn = replicate(found, 200)
    assert abs(np.median(drawn, 0) - y).max() < 0.2
    # New runs in the place of the old ones: rows of a run go up and down together.
    apart = drawn - np.median(drawn, 0)
    # What they share with other runs, the law of a draw, is in no difference of two runs.
    level = {name: apart[:, run == name].mean(1) for name in set(run)}
    first, second = level["r0"] - level["r2"], level["r1"] - level["r3"]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.3
    assert np.corrcoef(apart[:, run == "r0"][:, :2].T)[0, 1] > 0.3
