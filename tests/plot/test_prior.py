"""The prior beside the data: every band is named, every run is shown."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayescale import plot
from bayescale.inference.prior import prior_predictive


def entries(ax):
    return ax.get_legend_handles_labels()[1]


def test_bands_along_one_scale(power_data):
    found = prior_predictive("power", power_data, draws=200)
    ax = plot.prior(found)
    assert entries(ax) == [
        "20 of the curves",
        "90% of curves",
        "50% of curves",
        "median",
        "90% of runs",
        "24 runs measured",
    ]
    dots = ax.lines[-1]
    np.testing.assert_array_equal(dots.get_ydata(), power_data.responses["y"])
    lo, hi = ax.get_ylim()
    assert lo <= np.quantile(found.runs, 0.05, axis=0).min()
    assert np.quantile(found.runs, 0.95, axis=0).max() <= hi
    assert ax.get_xlim()[1] >= 1e12
    assert ax.get_title(loc="left") == "before the data: power"


def test_bars_of_several_scales(make_table):
    data = make_table["chinchilla"](100)
    found = prior_predictive("chinchilla", data, draws=100)
    ax = plot.prior(found, against="N")
    assert entries(ax) == [
        "90% of new runs, at 50 of 100",
        "50% of new runs, at 50 of 100",
        "100 runs measured",
    ]
    assert ax.get_xlabel() == "parameters N"
    assert ax.get_ylabel() == "loss (nats per token)"
    with pytest.raises(ValueError, match="the scales are N, D"):
        plot.prior(found, against="C")


def test_an_accuracy_on_axes_of_ones_own(make_table):
    found = prior_predictive("sigmoid", make_table["sigmoid"](12), draws=50)
    _, ax = plt.subplots()
    assert plot.prior(found, ax) is ax
    assert ax.get_ylim() == (-0.03, 1.03)
