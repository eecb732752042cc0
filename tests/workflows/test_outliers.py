"""Rows that lie far from all others: which are set aside, and which never."""

import numpy as np
import pytest

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.inference.samplers import NUTS
from bayescale.laws import get_law
from bayescale.workflows.outliers import OUTLIERS, set_aside

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
    return set(set_aside(get_law(law), data).rows - 1)


def test_rows_far_off_are_set_aside_and_named():
    found = set_aside(get_law("power"), table(planted(runs(), [3, 11])))
    assert set(range(24)) - set(found.rows - 1) == {3, 11}
    (note,) = (note for note in found.notes if note.kind == OUTLIERS)
    assert "4 (" in note
    assert "12 (" in note
    assert "--outliers" in note


def test_sound_rows_stay():
    curves = np.repeat(np.array([f"curve {i}" for i in range(40)], object), len(X))
    y = np.concatenate([runs(seed) for seed in range(40)])
    found = set_aside(get_law("power"), table(y, np.tile(X, 40), curve=curves))
    assert len(y) - len(found) <= 4  # .005 of curves lose one: more than 4 of 40 never
    bent = table(runs(bend=-0.05))
    assert set_aside(get_law("power"), bent) is bent


def test_of_many_curves_each_is_looked_at_on_its_own():
    curves = np.repeat(np.array(["a", "b", "c"], object), len(X))
    y = np.concatenate([planted(runs(1), [5]), runs(4), 3 * runs(6)])
    found = set_aside(get_law("power"), table(y, np.tile(X, 3), curve=curves))
    assert set(range(72)) - set(found.rows - 1) == {5}


def test_what_comes_may_begin_at_the_largest_scale():
    assert kept(table(planted(runs(), [23]))) == set(range(24))


def test_few_rows_and_many_outliers_are_left_as_they_are():
    few = table(planted(runs(x=X[:9]), [4]), X[:9])
    assert set_aside(get_law("power"), few) is few
    odd = range(0, 24, 3)
    assert 24 - len(kept(table(planted(runs(), odd)))) <= 2


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


def test_one_outlier_does_not_widen_a_forecast():
    quick = NUTS(chains=2, warmup=300, draws=300, retries=0)
    data = table(planted(runs(), [10], by=0.2))
    how = dict(laws=["power"], sampler=quick, progress=False)
    own, whole = (
        bs.forecast(data, {"x": 3e11}, outliers=outliers, **how) for outliers in (False, True)
    )
    width = lambda told: float(np.ptp(np.log(told.quantiles("new")[[0, 2], 0])))  # noqa: E731
    assert width(own) < width(whole) / 2
    assert [note.kind for note in own.notes].count(OUTLIERS) == 1
    assert OUTLIERS not in [note.kind for note in whole.notes]
    assert own.quantiles("new")[1, 0] == pytest.approx(1.8 + 150 * 3e11**-0.25, rel=0.02)
