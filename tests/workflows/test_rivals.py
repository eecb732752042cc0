"""Rivals of a forecast: known laws come back, none fits worse than one it contains."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.forecasts import standard_error
from benchmarks.rival_laws import FORMS, worse
from benchmarks.rivals import WAYS, told

X = np.geomspace(1e3, 1e6, 40)
FAR = np.array([1e7])


def saturating(x, E=0.1, Y=0.9, a=0.7, b=300.0, c=-0.6):
    """Return M4 by the inverse of its law, which gives x of y."""
    y = np.linspace(E, Y, 400_002)[1:-1]
    return np.interp(-np.log(x), -np.log(((y - E) / (Y - y) ** a / b) ** (1 / c)), y)


LAWS = {
    "M1": lambda x: 3 * x**-0.2,
    "M2": lambda x: 1.8 + 50 * x**-0.4,
    "M3": lambda x: 3 * (1 / x + 1e-5) ** 0.3,
    "M4": saturating,
    "BNSL 1": lambda x: 0.2 + 2 * x**-0.05 * (1 + (x / 3e4) ** (1 / 0.3)) ** (-0.5 * 0.3),
    "BNSL 2": lambda x: (
        2 * x**-0.05 * (1 + (x / 1e4) ** 4) ** (-0.4 / 4) * (1 + (x / 1e5) ** 4) ** (0.3 / 4)
    ),
}


@pytest.mark.parametrize("name", LAWS)
def test_known_law_comes_back(name):
    law = LAWS[name]
    draws, fits, _ = told(X[::-1], law(X)[::-1], FAR)
    assert fits[name].sse < 1e-6
    assert np.exp(np.median(draws[name])) == pytest.approx(law(FAR)[0], rel=2e-3)
    if name in ("M2", "M4"):
        own = np.exp(np.median(draws["M4, own measure"]))
        assert own == pytest.approx(law(FAR)[0], rel=5e-3)
    for larger in ("BNSL 1", "BNSL 2"):
        if name in ("M1", "M2", "M3"):
            assert fits[larger].sse < 1e-6


def test_none_fits_worse_than_one_it_contains_and_all_have_an_interval():
    rng = np.random.default_rng(3)
    for count in (40, 12):
        x = np.geomspace(1e3, 1e6, count)
        y = (0.4 + 20 * x**-0.4) * np.exp(0.02 * rng.normal(size=count))
        draws, fits, spent = told(x, y, FAR)
        pairs = worse(fits)
        assert len(pairs) == sum(len(form.contains) for form in FORMS.values())
        assert not any(so for *_, so, _ in pairs)
        assert [*draws] == [*spent] == [*WAYS]
        assert all(np.isfinite(each).all() and np.ptp(each) > 0 for each in draws.values())
        lo, hi = np.quantile(draws["M2"] - np.median(draws["M2"]), [0.05, 0.95])
        assert 0.03 < hi - lo < 0.14  # 3.4 of the scatter's sd
        wide = np.ptp(np.quantile(draws["bootstrap of M2"], [0.05, 0.95]))
        assert wide > 0.8 * (hi - lo)


def test_few_rows_give_way_to_what_a_law_contains():
    x = np.geomspace(1e3, 1e5, 6)
    _, fits, _ = told(x, LAWS["M2"](x), FAR)
    assert {name: one.name for name, one in fits.items()} == {
        **{"M1": "M1", "M2": "M2", "M3": "M3"},
        **{"M4": "M2", "BNSL 1": "M2", "BNSL 2": "M2"},
    }
    assert [pair[:2] for pair in worse(fits)] == [("M2", "M1"), ("M3", "M1")]


def test_gaussian_process_goes_on_as_a_line_and_widens():
    rng = np.random.default_rng(1)
    y = LAWS["M1"](X) * np.exp(0.01 * rng.normal(size=len(X)))
    draws = told(X, y, np.array([3e6, 1e9]))[0]["Gaussian process"]
    lo, hi = np.quantile(draws, [0.02, 0.98], axis=0)
    truth = np.log(LAWS["M1"](np.array([3e6, 1e9])))
    assert ((lo < truth) & (truth < hi)).all()
    assert (hi - lo)[1] > (hi - lo)[0] > 0.02


def test_standard_errors_count_what_curves_share_once():
    values = pd.Series(np.random.default_rng(0).normal(size=12))
    alone = standard_error(values, pd.Series(range(12)))
    assert alone == pytest.approx(values.std() / np.sqrt(12))
    four = pd.concat([values] * 4, ignore_index=True)
    assert standard_error(four, pd.Series([*range(12)] * 4)) == pytest.approx(alone)
    assert np.isnan(standard_error(values, pd.Series([1] * 12)))
