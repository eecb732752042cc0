"""Plots draw what they are given, on the axes they are given, and change nothing else."""

import inspect
from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayescale import plot
from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.planning.allocate import Allocation
from bayescale.planning.match import TradeOff
from bayescale.plot.style import PALETTE, mark_models, scale_axis, scale_text
from bayescale.questions.grid import grid, isoflop_grid
from bayescale.questions.predict import predict
from bayescale.questions.residuals import residuals
from bayescale.questions.threshold import Threshold, Unlock


@pytest.fixture(autouse=True)
def closed():
    """Every test leaves matplotlib as it found it."""
    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before


@pytest.fixture(scope="module")
def two_curves():
    """Two power laws that end at different scales; few draws, for their shape alone."""
    x = np.geomspace(1e6, 1e9, 16)
    curve = np.array(["a"] * 8 + ["b"] * 8, object)
    y = 0.2 + np.where(curve == "a", 30, 60) * x**-0.3
    data = Dataset({"x": x}, {"error_rate": y}, curve=curve, source="two")
    return fit("power", data, sampler=NUTS(chains=2, warmup=100, draws=50, starts=16, retries=0))


@pytest.fixture
def ax():
    return plt.subplots()[1]


def drawn(ax):
    """Render, which is where a bad artist fails."""
    ax.figure.canvas.draw()
    return ax


def texts(ax):
    legend = ax.get_legend()
    return [t.get_text() for t in [*ax.texts, *(legend.get_texts() if legend else [])]]


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


def split(budgets=9, total=50):
    """An allocation with exponents about a half."""
    flops = np.geomspace(1e18, 1e26, budgets)
    a = np.random.default_rng(1).normal(0.5, 0.01, (total, 1))
    params = 0.1 * flops**a
    ones = np.ones_like(params)
    return Allocation(
        flops=flops,
        params=params,
        tokens=flops / (6 * params),
        loss=2 * ones,
        a=a * ones,
        b=(1 - a) * ones,
        growth_params=10**a * ones,
        growth_tokens=10 ** (1 - a) * ones,
        cost="6 N D",
        method="closed form",
        decades=np.linspace(-1, 3, budgets).clip(0),
        notes=(),
    )


def ways(total=40):
    """A trade-off that some draws cannot reach at small sizes."""
    params = np.geomspace(1e9, 1e12, 30)
    least = np.random.default_rng(2).lognormal(np.log(3e9), 0.3, (total, 1))
    with np.errstate(divide="ignore"):
        tokens = 3e11 / np.maximum(1 - (least / params) ** 0.5, 0) ** 2
    point = {name: np.full(total, v) for name, v in (("params", 5e10), ("tokens", 1e12))}
    return TradeOff(
        loss=np.full(total, 2.0),
        params=params,
        tokens=tokens,
        flops=6 * params * tokens,
        cheapest=point,
        smallest=point,
        extra=0.1,
        reference={"params": 2.8e11, "tokens": 3e11, "flops": 5e23},
        quarter=np.full(total, 4.0),
        cost="6 N D",
        notes=(),
    )


# ------------------------------------------------------------------ one contract for all


def all_plots(power_fit, chinchilla_fit):
    at = isoflop_grid(chinchilla_fit, [1e18, 1e20])
    few = predict(power_fit, grid(power_fit, points=20), allow_failed=True)
    flops = predict(chinchilla_fit, at, allow_failed=True)
    return {
        "data_and_curve": lambda ax: plot.data_and_curve(power_fit, few, ax=ax),
        "residuals": lambda ax: plot.residuals(residuals(power_fit), ax=ax),
        "exponents": lambda ax: plot.exponents(power_fit, ax=ax),
        "isoflop": lambda ax: plot.isoflop(chinchilla_fit, flops, ax=ax),
        "allocation": lambda ax: plot.allocation(split(), ax=ax),
        "isoloss": lambda ax: plot.isoloss(ways(), ax=ax),
        "threshold": lambda ax: plot.threshold(crossing(), ax=ax),
    }


def test_every_plot_returns_the_axes_it_is_given_or_makes_new_ones(
    power_fit, chinchilla_fit, monkeypatch
):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("a plot was shown"))
    plots = all_plots(power_fit, chinchilla_fit)
    assert set(plots) == set(plot.__all__) - {"comparison", "kinds", "style", "tasks", "unlock"}
    for name, draw in plots.items():
        own = plt.subplots()[1]
        assert draw(own) is own, name
        count = len(plt.get_fignums())
        new = drawn(draw(None))
        assert len(plt.get_fignums()) == count + 1, name
        assert new.get_xlabel(), name
        assert new.get_ylabel() or name == "exponents", name
        assert inspect.signature(getattr(plot, name)).parameters["ax"].default is None


# ------------------------------------------------------------------ each one


def test_the_part_beyond_the_data_is_marked_off(power_fit):
    found = predict(power_fit, grid(power_fit, decades=2), allow_failed=True)
    ax = drawn(plot.data_and_curve(power_fit, found))
    assert "beyond the data" in texts(ax)
    edge = power_fit.data.inputs["x"].max()
    solid = [line for line in ax.lines if line.get_label() == "median"]
    assert solid[0].get_xdata().max() == pytest.approx(edge)
    near = predict(power_fit, grid(power_fit, decades=0), allow_failed=True)
    assert "beyond the data" not in texts(drawn(plot.data_and_curve(power_fit, near)))


def test_data_and_curve_draws_the_median_and_all_runs(power_fit, ax):
    found = predict(power_fit, grid(power_fit, points=30), allow_failed=True)
    plot.data_and_curve(power_fit, found, ax)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(lines["runs"].get_ydata(), power_fit.data.responses["y"])
    median = np.median(found.mean, 0)[: len(lines["median"].get_ydata())]
    np.testing.assert_allclose(lines["median"].get_ydata(), median)


def test_an_unsorted_prediction_is_drawn_in_order(power_fit, ax):
    at = {"x": np.array([1e11, 1e8, 1e10, 1e9])}
    plot.data_and_curve(power_fit, predict(power_fit, at, allow_failed=True), ax)
    dashed = ax.lines[0].get_xdata()
    np.testing.assert_array_equal(dashed, np.sort(at["x"]))


def test_several_curves_have_their_own_colours(two_curves, ax):
    found = predict(two_curves, grid(two_curves, points=20), allow_failed=True)
    drawn(plot.data_and_curve(two_curves, found, ax))
    named = {line.get_label(): line for line in ax.lines if line.get_label() in "ab"}
    assert [named[k].get_color() for k in "ab"] == list(PALETTE[:2])
    ends = {k: line.get_xdata().max() for k, line in named.items()}
    x, curve = two_curves.data.inputs["x"], two_curves.data.curve
    assert ends == {k: pytest.approx(x[curve == k].max()) for k in "ab"}
    assert ax.get_ylabel() == "error rate"


def test_held_out_runs_models_and_a_level(power_fit):
    unseen = Dataset({"x": np.array([2e12])}, {"y": np.array([1.9])})
    found = predict(power_fit, grid(power_fit, points=20), allow_failed=True)
    ax = plot.data_and_curve(
        power_fit, found, models={"GPT": 1e10, "tiny": 1.0}, held_out=unseen, level=2
    )
    drawn(ax)
    assert "GPT" in texts(ax)
    assert "tiny" not in texts(ax)
    assert "held out" in texts(ax)
    assert ax.get_xlim()[1] >= 2e12


def test_known_standard_errors_are_drawn(power_fit, ax):
    data = replace(power_fit.data, stderr=np.full(len(power_fit.data), 0.01))
    found = predict(power_fit, grid(power_fit, points=20), allow_failed=True)
    plot.data_and_curve(replace(power_fit, data=data), found, ax)
    assert ax.containers


def test_a_law_of_two_scales_is_refused_in_one_line(chinchilla_fit):
    at = isoflop_grid(chinchilla_fit, [1e20])
    with pytest.raises(ValueError, match="take isoflop, isoloss or residuals"):
        plot.data_and_curve(chinchilla_fit, predict(chinchilla_fit, at, allow_failed=True))
    with pytest.raises(ValueError, match="a grid follows one scale"):
        grid(chinchilla_fit)


def test_exponents_with_published_values(chinchilla_fit, ax):
    published = {"Hoffmann 2022": dict(alpha=0.34, beta=0.28), "one": dict(beta=0.366)}
    drawn(plot.exponents(chinchilla_fit, published=published, ax=ax))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["alpha", "beta"]
    assert set(published) <= set(texts(ax))
    with pytest.raises(ValueError, match=r"names to draw are among .*; got gamma"):
        plot.exponents(chinchilla_fit, names=("gamma",))


def test_isoflop_marks_a_minimum_within(chinchilla_fit, ax):
    found = predict(chinchilla_fit, isoflop_grid(chinchilla_fit, [1e18, 1e20]), allow_failed=True)
    drawn(plot.isoflop(chinchilla_fit, found, ax))
    assert ax.get_ylabel() == "loss (nats per token)"
    assert [t for t in texts(ax) if "FLOP" in t] == ["$10^{18}$ FLOP", "$10^{20}$ FLOP"]
    assert any(line.get_marker() == "*" for line in ax.lines)


def test_allocation_with_frontiers_and_models(ax):
    found = split()
    frontier = {"Kaplan 2020": 1e8 * (found.flops / 1e18) ** 0.73}
    drawn(plot.allocation(found, ax, frontiers=frontier, models={"Gopher": (280e9, 300e9)}))
    assert {"Kaplan 2020", "Gopher", "parameters N", "training tokens D"} <= set(texts(ax))


def test_isoloss_with_draws_that_cannot_reach(ax):
    drawn(plot.isoloss(ways(), ax, models={"Chinchilla": (70e9, 1.4e12)}))
    assert {"Chinchilla", "given", "least compute", "smallest within +10%"} <= set(texts(ax))
    assert np.isfinite(ax.get_ylim()).all()


def test_isoloss_out_of_reach_is_said():
    nowhere = replace(ways(), tokens=np.full((40, 30), np.inf))
    with pytest.raises(ValueError, match="reach this loss at no size"):
        plot.isoloss(nowhere)


@pytest.mark.parametrize(("p_never", "said"), [(0.2, "20%"), (1.0, "100%"), (0.0, "0%")])
def test_threshold_says_how_likely_never_is(p_never, said, ax):
    drawn(plot.threshold(crossing(p_never), ax, models={"GPT-3": 1.75e11}))
    (text,) = [t for t in texts(ax) if "never by" in t]
    assert f"P(never by 10T) {said}" in text
    assert ("median never" in text) == (p_never == 1.0)
    assert ax.get_xlabel() == "parameters"


# ------------------------------------------------------------------ residuals and grids


def test_residuals_against_a_direct_computation(power_fit):
    found = residuals(power_fit)
    x, y = power_fit.data.inputs["x"], power_fit.data.responses["y"]
    p = {k: v[..., None] for k, v in power_fit.draws.items()}
    fitted = np.median(p["E"] + p["A"] * x ** -p["alpha"], axis=(0, 1))
    np.testing.assert_allclose(found.fitted, fitted, rtol=1e-9)
    np.testing.assert_allclose(found.residual, y / fitted - 1, rtol=1e-6, atol=1e-12)
    assert found.relative
    assert (found.lo < 0).all()
    assert (found.hi > 0).all()
    inside = (found.residual >= found.lo) & (found.residual <= found.hi)
    assert inside.mean() > 0.7


def test_residuals_of_accuracies_have_each_rows_number_of_questions(sigmoid_fit):
    data = sigmoid_fit.data
    n = np.where(np.arange(len(data)) == 0, 10.0, 1e6)
    found = residuals(replace(sigmoid_fit, data=replace(data, n=n)))
    assert not found.relative
    width = found.hi - found.lo
    assert width[0] > 5 * width[1]


def test_residuals_of_curves_are_those_of_each(two_curves):
    whole = residuals(two_curves)
    one = residuals(two_curves.curve("b"))
    own = two_curves.data.curve == "b"
    np.testing.assert_allclose(whole.fitted[own], one.fitted)
    np.testing.assert_allclose(whole.residual[own], one.residual)


def test_grid_reaches_the_end_of_the_data_and_beyond(two_curves):
    (x,) = grid(two_curves, decades=1, points=10).values()
    seen = two_curves.data.inputs["x"]
    assert x[0] == pytest.approx(seen.min())
    assert x[-1] == pytest.approx(10 * seen.max())
    assert {seen[7], seen[15]} <= set(x)
    with pytest.raises(ValueError, match="decades >= 0"):
        grid(two_curves, decades=-1)


def test_isoflop_keeps_compute(chinchilla_fit, power_fit):
    at = isoflop_grid(chinchilla_fit, [1e20, 1e21], points=5)
    want = np.repeat([1e20, 1e21], 5)
    np.testing.assert_allclose(6 * at["N"] * at["D"], want)
    with pytest.raises(ValueError, match="needs a law of N and D"):
        isoflop_grid(power_fit, [1e20])
    with pytest.raises(ValueError, match="positive and finite"):
        isoflop_grid(chinchilla_fit, [0.0])


# ------------------------------------------------------------------ axes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"), (350.0, "350"), (1e3, "1k"), (1.25e8, "125M"), (1e9, "1B"),
        (1.4e12, "1.4T"), (5.76e23, r"$5.76\times10^{23}$"), (1e18, "$10^{18}$"),
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
