"""What holds of every plot of a fit or a plan, and of the axes and marks they share."""

import inspect
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayescale import plot
from bayescale.inference.prior import prior_predictive
from bayescale.plot.marks import mark_models
from bayescale.plot.style import scale_axis, scale_text, style
from bayescale.questions.grid import grid, isoflop_grid
from bayescale.questions.predict import predict
from bayescale.questions.residuals import residuals
from bayescale.questions.threshold import Threshold
from bayescale.questions.unlock import Unlock
from tests.pictures import drawn, split, texts, ways


def crossing(p_never=0.2, total=1000):
    """A forecast in which some draws never cross."""
    rng = np.random.default_rng(0)
    scale = rng.normal(10, 0.4, total)
    never = np.arange(total) < p_never * total
    log10 = np.where(never, np.nan, scale)
    at = np.geomspace(1e8, 1e13, 100)
    by = (np.nan_to_num(log10, nan=99)[:, None] <= np.log10(at)).mean(0)
    median, lo, hi = np.quantile(
        np.where(never, np.inf, scale), [0.5, 0.05, 0.95], method="inverted_cdf"
    )
    forecast = Unlock(float(median), float(lo), float(hi), p_never, 0.0, 900.0)
    flags = np.zeros(total, bool)
    return Threshold(
        0.5,
        "up",
        "x",
        "params",
        log10,
        flags,
        never,
        never,
        1e8,
        1e11,
        1e13,
        at,
        by,
        forecast,
        None,
        (),
    )


# ------------------------------------------------------------------ one contract for all


def all_plots(power_fit, chinchilla_fit):
    at = isoflop_grid(chinchilla_fit, [1e18, 1e20])
    few = predict(power_fit, grid(power_fit, points=20), allow_failed=True)
    flops = predict(chinchilla_fit, at, allow_failed=True)
    return {
        "curve": lambda ax: plot.curve(power_fit, few, ax=ax),
        "residuals": lambda ax: plot.residuals(residuals(power_fit), ax=ax),
        "exponents": lambda ax: plot.exponents(power_fit, ax=ax),
        "isoflop": lambda ax: plot.isoflop(chinchilla_fit, flops, ax=ax),
        "allocation": lambda ax: plot.allocation(split(), ax=ax),
        "isoloss": lambda ax: plot.isoloss(ways(), ax=ax),
        "threshold": lambda ax: plot.threshold(crossing(), ax=ax),
        "prior": lambda ax: plot.prior(prior_predictive("power", power_fit.data, draws=50), ax=ax),
    }


def test_every_plot_returns_the_axes_it_is_given_or_makes_new_ones(
    power_fit, chinchilla_fit, monkeypatch
):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("a plot was shown"))
    plots = all_plots(power_fit, chinchilla_fit)
    assert set(plots) == set(plot.__all__) - {"style", "kinds", "laws", "multiplier", "tasks"}
    for name, draw in plots.items():
        own = plt.subplots()[1]
        assert draw(own) is own, name
        count = len(plt.get_fignums())
        new = drawn(draw(None))
        assert len(plt.get_fignums()) == count + 1, name
        assert new.get_xlabel(), name
        assert new.get_ylabel() or name == "exponents", name
        assert inspect.signature(getattr(plot, name)).parameters["ax"].default is None


@pytest.mark.parametrize(("p_never", "said"), [(0.2, "20%"), (1.0, "100%"), (0.0, "0%")])
def test_threshold_says_how_likely_never_is(p_never, said, ax):
    drawn(plot.threshold(crossing(p_never), ax, models={"GPT-3": 1.75e11}))
    (text,) = [t for t in texts(ax) if "P(never by" in t]
    assert ("never by 10T" in texts(ax)) == (p_never > 0)
    assert f"P(never by 10T) {said}" in text
    assert ("median never" in text) == (p_never == 1.0)
    assert ax.get_xlabel() == "parameters"


def test_the_legend_of_several_laws_stands_clear_of_the_forecast():
    one, laws = crossing(), ("sigmoid", "exact_match", "elbow", "flat")
    own = dict(members=dict.fromkeys(laws, one.forecast), member_weights=dict.fromkeys(laws, 0.25))
    own |= dict(forecast=replace(one.forecast, p_already=0.01))
    several = replace(one, **own, member=np.arange(1000) % 4)
    with style():
        figure, ax = plt.subplots(figsize=(6.4, 3.2))  # as the command line draws it
    drawn(plot.threshold(several, ax))
    (text,) = [t for t in ax.texts if "median" in t.get_text()]
    legend = ax.get_legend()
    assert len(legend.get_texts()) == 8
    assert legend.get_texts()[-1].get_window_extent().y0 >= text.get_window_extent().y1
    plt.close(figure)


def test_threshold_says_on_which_side_it_is(ax):
    drawn(plot.threshold(crossing(), ax))
    assert ax.get_ylabel() == "probability of passing 0.5"
    ax.clear()
    drawn(plot.threshold(replace(crossing(), direction="down"), ax))
    assert ax.get_ylabel() == "probability of falling below 0.5"


# ------------------------------------------------------------------ axes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"), (350.0, "350"), (1e3, "1k"), (1.25e8, "125M"), (1e9, "1B"),
        (1.4e12, "1.4T"), (5.76e23, "5.76×10²³"), (1e18, "10¹⁸"),
    ],
)  # fmt: skip
def test_scales_are_written_shortly(value, text):
    assert scale_text(value) == text


@pytest.mark.parametrize("hi", [1.3, 3.0, 12.0, 70.0, 1e4, 1e12])
def test_every_span_has_ticks_to_read(hi, ax):
    scale_axis(ax.yaxis, 1.0, hi)
    drawn(ax)
    labels = [
        label.get_text()
        for label, at in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)
        if 1 <= at <= hi
    ]
    assert 2 <= len(set(labels)) <= 12
    assert all(labels)


def test_names_of_models_do_not_overlap(ax):
    scale_axis(ax.xaxis, 1e8, 1e12)
    mark_models(ax, {f"model {i}": 1.7e11 * (1 + i / 100) for i in range(5)})
    at = np.sort([t.get_position()[0] for t in ax.texts])
    assert np.diff(at).min() > 0.04
    assert abs(at.mean() - np.log(1.7e11 / 1e8) / np.log(1e4)) < 0.01
