"""Rows that lie far from all others: which are set aside, which never, and that they come again."""

from dataclasses import replace

import numpy as np
import pytest

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.inference.samplers import NUTS
from bayescale.laws import get_law
from bayescale.questions.predict import Prediction
from bayescale.workflows.forecast import forecast
from bayescale.workflows.futures import cut_tables, held_against
from bayescale.workflows.outliers import OUTLIERS, FarOff, come_again, set_aside

X = np.geomspace(1e8, 1e11, 24)
SD = 0.004


def runs(seed=1, bend=0.0, x=X):
    """Return losses about a power law, with or without a bend of its exponent in their middle."""
    rng = np.random.default_rng(seed)
    t = np.log(x / x[0])
    off = bend * np.maximum(t - t.mean(), 0) + SD * rng.normal(size=len(x))
    return (1.8 + 150 * x**-0.25) * np.exp(off)


def planted(y, rows, by=0.1):
    y = y.copy()
    y[list(rows)] *= 1 + by
    return y


def table(y, x=X, **roles):
    return Dataset({"x": x}, {"y": y}, **roles)


def kept(data, law="power"):
    return set(set_aside(get_law(law), data).data.rows - 1)


def test_rows_far_off_are_set_aside_and_named():
    found = set_aside(get_law("power"), table(planted(runs(), [3, 11]))).data
    assert set(range(24)) - set(found.rows - 1) == {3, 11}
    (note,) = (note for note in found.notes if note.kind == OUTLIERS)
    assert "4 (" in note
    assert "12 (" in note
    assert "--outliers" in note


def test_sound_rows_stay():
    curves = np.repeat(np.array([f"curve {i}" for i in range(40)], object), len(X))
    y = np.concatenate([runs(seed) for seed in range(40)])
    found = set_aside(get_law("power"), table(y, np.tile(X, 40), curve=curves)).data
    assert len(y) - len(found) <= 4  # .005 of curves lose one: more than 4 of 40 never
    bent = table(runs(bend=-0.05))
    assert set_aside(get_law("power"), bent).data is bent


def test_of_many_curves_each_is_looked_at_on_its_own():
    curves = np.repeat(np.array(["a", "b", "c"], object), len(X))
    y = np.concatenate([planted(runs(1), [5]), runs(4), 3 * runs(6)])
    found = set_aside(get_law("power"), table(y, np.tile(X, 3), curve=curves)).data
    assert set(range(72)) - set(found.rows - 1) == {5}


def test_what_comes_may_begin_at_the_largest_scale():
    assert kept(table(planted(runs(), [23]))) == set(range(24))


def test_few_rows_and_many_outliers_are_left_as_they_are():
    few = table(planted(runs(x=X[:9]), [4]), X[:9])
    assert set_aside(get_law("power"), few).data is few
    odd = range(0, 24, 3)
    assert 24 - len(kept(table(planted(runs(), odd)))) <= 2


def test_of_few_rows_one_far_off_is_named_and_stays():
    x = X[:18:3]
    diverged = planted(runs(x=x), [4], by=2.5)
    found = set_aside(get_law("power"), table(diverged, x))
    (note,) = (note for note in found.data.notes if note.kind == OUTLIERS)
    assert note.startswith(f"row 5 ({diverged[4]:.4g}) is 3.5 times")
    assert "--where 'y < ...'" in note
    assert (len(found.data), found.far) == (6, {})
    for seed in range(50):
        few = table(runs(seed, bend=-0.05, x=x), x)
        assert set_aside(get_law("power"), few).data is few
    last = table(planted(runs(x=x), [5], by=2.5), x)
    assert set_aside(get_law("power"), last).data is last


def test_rows_exactly_on_a_law_stay_but_one_that_is_not():
    y = 1.8 + 150 * X**-0.25
    assert kept(table(y)) == set(range(24))
    assert kept(table(planted(y, [9], by=0.01))) == set(range(24)) - {9}


def test_a_known_error_is_believed():
    y = planted(runs(), [7])
    assert 7 not in kept(table(y))
    stderr = np.where(np.arange(24) == 7, 0.1 * y, 0.0)
    assert 7 in kept(table(y, stderr=stderr))


def test_surfaces_have_outliers_too():
    N, D = (grid.ravel() for grid in np.meshgrid(X[::4], 20 * X[::4]))
    rng = np.random.default_rng(4)
    y = (1.8 + 400 * N**-0.35 + 2000 * D**-0.37) * np.exp(SD * rng.normal(size=len(N)))
    data = Dataset({"N": N, "D": D}, {"loss": planted(y, [14, 20])})
    assert set(range(36)) - kept(data, "chinchilla") == {14, 20}


HOW = dict(laws=["power"], sampler=NUTS(chains=2, warmup=300, draws=300, retries=0), progress=False)
AT = {"x": [2e11, 3e11, 4e11, 5e11]}


@pytest.fixture(scope="module")
def told():
    """Return a forecast of runs of which one lies 20 % too high."""
    return forecast(table(planted(runs(), [10], by=0.2)), AT, **HOW)


def test_one_outlier_does_not_widen_a_forecast(told):
    data = table(planted(runs(), [10], by=0.2))
    whole = forecast(data, AT, outliers=True, **HOW)
    width = lambda told: np.ptp(np.log(told.quantiles("new")[[0, 2]]), axis=0)  # noqa: E731
    assert (width(told) < width(whole) / 2).all()
    assert [note.kind for note in told.notes].count(OUTLIERS) == 1
    assert OUTLIERS not in [note.kind for note in whole.notes]
    assert whole.far == {}
    assert told.quantiles("new")[1, 1] == pytest.approx(1.8 + 150 * 3e11**-0.25, rel=0.02)


# ------------------------------------------------------------------ they come again


def test_new_runs_lie_as_far_off_and_as_often(told):
    (far,) = told.far.values()
    assert far.off == pytest.approx([np.log(1.2)], abs=0.02)
    assert far.share == pytest.approx(1.5 / 34)
    off = np.log(told.prediction.new) - np.log(np.median(told.prediction.new, 0))
    assert np.mean(off > 0.12, 0) == pytest.approx(far.share, abs=0.005)  # of each point's draws
    assert np.log(told.prediction.mean).std(0).max() < 0.05
    (note,) = (note for note in told.notes if note.kind == OUTLIERS)
    assert "4.4 % of new runs are told to lie as far off" in note


def test_draws_of_sound_runs_are_what_they_were():
    (own, whole) = (forecast(table(runs()), AT, outliers=taken, **HOW) for taken in (False, True))
    assert own.far == {}
    np.testing.assert_array_equal(own.prediction.new, whole.prediction.new)


def test_a_spike_that_comes_again_is_less_of_a_surprise():
    y = planted(runs(), [5, 21], by=0.2)
    data = table(y, curve=np.full(24, "a", object))
    fitted, beyond = cut_tables(data, [0.3])
    there = forecast(fitted, {"x": 1e11}, **HOW)
    own, before = (
        held_against(one, data, fitted, beyond).runs for one in (there, replace(there, far={}))
    )
    spike = own.seen.to_numpy() == y[21]
    gain = (own.log_density - before.log_density).to_numpy()
    assert spike.sum() == 1
    assert gain[spike] > 1
    assert (abs(gain[~spike]) < 0.3).all()
    again = held_against(there, data, fitted, beyond).runs
    np.testing.assert_array_equal(own.log_density, again.log_density)
    backtest = bs.backtest_forecast(data, [0.3], **HOW).runs
    np.testing.assert_array_equal(own.log_density, backtest.log_density)


def test_one_run_in_eighty_hardly_moves_an_interval():
    new = np.exp(0.01 * np.random.default_rng(0).normal(size=(20_000, 1)))
    plain = Prediction({"x": np.ones(1)}, new, new, np.zeros(1), ())
    far = FarOff(np.array([0.5]), 80)
    found = come_again(plain, far, 3)
    moved = np.log(found.quantiles("new") / plain.quantiles("new"))[:, 0] / 0.01
    assert abs(moved[:2]).max() < 0.1
    assert 0.02 < moved[2] < 0.35  # in sd of the runs: from 1.64 to 1.83
    assert found.mean is plain.mean
    hit = found.new != plain.new
    assert hit.mean() == pytest.approx(1.5 / 90, abs=1e-4)
    np.testing.assert_allclose(found.new[hit] / plain.new[hit], np.exp(0.5))
    np.testing.assert_array_equal(found.new, come_again(plain, far, 3).new)
    assert (found.new != come_again(plain, far, 4).new).any()
    assert come_again(plain, None, 3) is plain
