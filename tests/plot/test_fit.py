"""Plots draw what they are given, on the axes they are given, and change nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from bayescale import plot
from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.make_model import make_model
from bayescale.inference.samplers import NUTS, Laplace
from bayescale.laws import get_law
from bayescale.misfit.misfit import Finding
from bayescale.plot.style import PALETTE
from bayescale.posterior.bends import with_misfit
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.grid import grid, isoflop_grid
from bayescale.questions.predict import predict
from bayescale.questions.residuals import residuals
from tests.pictures import drawn, texts


@pytest.fixture(scope="module")
def two_curves():
    """Two power laws that end at different scales; few draws, for their shape alone."""
    x = np.geomspace(1e6, 1e9, 16)
    curve = np.array(["a"] * 8 + ["b"] * 8, object)
    y = 0.2 + np.where(curve == "a", 30, 60) * x**-0.3
    data = Dataset({"x": x}, {"error_rate": y}, curve=curve, source="two")
    return fit("power", data, sampler=NUTS(chains=2, warmup=100, draws=50, starts=16, retries=0))


# ------------------------------------------------------------------ each one


def test_the_part_beyond_the_data_is_marked_off(power_fit):
    found = predict(power_fit, grid(power_fit, decades=2), allow_failed=True)
    ax = drawn(plot.curve(power_fit, found))
    assert "beyond the data" in texts(ax)
    edge = power_fit.data.inputs["x"].max()
    solid = [line for line in ax.lines if line.get_label() == "median"]
    assert solid[0].get_xdata().max() == pytest.approx(edge)
    near = predict(power_fit, grid(power_fit, decades=0), allow_failed=True)
    assert "beyond the data" not in texts(drawn(plot.curve(power_fit, near)))


def test_pictures_of_a_fit_alone_ask_for_what_they_need(power_fit, chinchilla_fit):
    few = predict(power_fit, grid(power_fit), allow_failed=True)
    lines = [drawn(plot.curve(power_fit, *given)).lines for given in ((), (few,))]
    for own, given in zip(*lines, strict=True):
        np.testing.assert_array_equal(own.get_xydata(), given.get_xydata())
    for draw, given in (
        (plot.residuals, (power_fit, residuals(power_fit))),
        (plot.exponents, (power_fit, power_fit)),
    ):
        assert texts(drawn(draw(given[0]))) == texts(draw(given[1]))
    assert "10¹⁹ FLOP" in texts(drawn(plot.isoflop(chinchilla_fit)))


def test_a_fit_that_is_not_to_be_trusted_is_named_so(power_fit, ax):
    verdict = replace(power_fit.health.verdicts[0], sampling=Finding(("R-hat",)))
    failed = replace(power_fit, health=replace(power_fit.health, verdicts=(verdict,)))
    for draw in (plot.curve, plot.residuals, plot.exponents):
        for fit_, said in ((failed, "NOT TO BE TRUSTED"), (power_fit, "")):
            assert draw(fit_).get_legend().get_title().get_text() == said


def test_a_mixture_has_a_curve_and_its_laws_no_common_exponents(power_fit, ax):
    mixed = mix({"a": power_fit, "b": power_fit}, {"a": 0.5, "b": 0.5})
    drawn(plot.curve(mixed, ax=ax))
    assert {"90% of curves", "runs"} <= set(texts(ax))
    for draw in (plot.exponents, plot.residuals):
        with pytest.raises(ValueError, match=r"of one law: take one of mixture\.parts"):
            draw(mixed)


def test_a_misfit_widens_the_curve_beyond_the_data(make_table):
    one = fit("sigmoid", make_table["sigmoid"](30, 1), sampler=Laplace(draws=400))
    both = (one, with_misfit(one, 2.0))
    tops = [drawn(plot.curve(each)).collections[1].get_paths()[0] for each in both]
    spans = [np.ptp(path.vertices[path.vertices[:, 0] > 2e13, 1]) for path in tops]
    assert spans[1] > 1.5 * spans[0]


def test_curve_draws_the_median_and_all_runs(power_fit, ax):
    found = predict(power_fit, grid(power_fit, points=30), allow_failed=True)
    plot.curve(power_fit, found, ax)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(lines["runs"].get_ydata(), power_fit.data.responses["y"])
    median = np.median(found.mean, 0)[: len(lines["median"].get_ydata())]
    np.testing.assert_allclose(lines["median"].get_ydata(), median)


def test_an_unsorted_prediction_is_drawn_in_order(power_fit, ax):
    at = {"x": np.array([1e11, 1e8, 1e10, 1e9])}
    plot.curve(power_fit, predict(power_fit, at, allow_failed=True), ax)
    dashed = ax.lines[0].get_xdata()
    np.testing.assert_array_equal(dashed, np.sort(at["x"]))


def test_several_curves_have_their_own_colours(two_curves, ax):
    found = predict(two_curves, grid(two_curves, points=20), allow_failed=True)
    drawn(plot.curve(two_curves, found, ax))
    # So few draws fail the checks of health, and the curves' names say so.
    named = {
        line.get_label()[0]: line
        for line in ax.lines
        if line.get_label()[1:] == ": NOT TO BE TRUSTED"
    }
    assert "90% of curves" in texts(ax)
    assert [named[k].get_color() for k in "ab"] == list(PALETTE[:2])
    ends = {k: line.get_xdata().max() for k, line in named.items()}
    x, curve = two_curves.data.inputs["x"], two_curves.data.curve
    assert ends == {k: pytest.approx(x[curve == k].max()) for k in "ab"}
    assert ax.get_ylabel() == "error rate"


def test_held_out_runs_models_and_a_level(power_fit):
    unseen = Dataset({"x": np.array([2e12])}, {"y": np.array([1.9])})
    found = predict(power_fit, grid(power_fit, points=20), allow_failed=True)
    ax = plot.curve(power_fit, found, models={"GPT": 1e10, "tiny": 1.0}, held_out=unseen, level=2)
    drawn(ax)
    assert {"GPT", "beyond the data", "level 2"} <= set(texts(ax))
    assert "tiny" not in texts(ax)
    assert "held out" in texts(ax)
    assert ax.get_xlim()[1] >= 2e12


def test_what_is_held_out_of_a_law_of_several_responses_is_its_own():
    x = np.geomspace(1e6, 1e9, 8)
    data = Dataset({"x": x}, {"loss": 1 + 100 * x**-0.25, "accuracy": np.linspace(0.2, 0.6, 8)})
    model = make_model(get_law("two_stage"), data)
    known = dict(E=1.0, A=100.0, alpha=0.25, g=0.2, u=1.0, L0=1.6, k=3.0, rho=0.01, nu=9.0)
    draws = {name: np.full((1, 4), known.get(name, 0.05)) for name in model.names}
    info = SamplingInfo(0, "NUTS", 1, 4, "float64", "cpu", {}, {}, 1.0)
    one = Posterior(model, data, draws, {}, Health((Verdict({}, {}, 1.0, 999.0, 0.0),)), info)
    later = {"loss": np.array([1.4, 1.3]), "accuracy": np.array([np.nan, 0.7])}
    ax = drawn(plot.curve(one, held_out=Dataset({"x": np.array([3e9, 1e10])}, later)))
    (line,) = (each for each in ax.lines if each.get_label() == "held out")
    assert line.get_xydata().tolist() == [[1e10, 0.7]]


def test_a_curve_goes_on_to_the_frame_also_past_what_is_held_out(power_fit):
    unseen = Dataset({"x": np.array([5e12])}, {"y": np.array([1.9])})
    for held_out in (None, unseen):
        ax = drawn(plot.curve(power_fit, held_out=held_out))
        end = max(line.get_xdata().max() for line in ax.lines if line.get_linestyle() == "--")
        assert end == pytest.approx(ax.get_xlim()[1])


def test_known_standard_errors_are_drawn(power_fit, ax):
    data = replace(power_fit.data, stderr=np.full(len(power_fit.data), 0.01))
    found = predict(power_fit, grid(power_fit, points=20), allow_failed=True)
    plot.curve(replace(power_fit, data=data), found, ax)
    assert ax.containers


def test_a_law_of_two_scales_is_refused_in_one_line(chinchilla_fit):
    at = isoflop_grid(chinchilla_fit, [1e20])
    with pytest.raises(ValueError, match="take isoflop, isoloss or residuals"):
        plot.curve(chinchilla_fit, predict(chinchilla_fit, at, allow_failed=True))
    with pytest.raises(ValueError, match="a grid follows one scale"):
        grid(chinchilla_fit)


def test_exponents_with_published_values(chinchilla_fit, ax):
    published = {"Hoffmann 2022": dict(alpha=0.34, beta=0.28), "one": dict(beta=0.366)}
    drawn(plot.exponents(chinchilla_fit, published=published, ax=ax))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["alpha", "beta"]
    assert {*published, "median", "50% interval", "90% interval"} <= set(texts(ax))
    marks = {line.get_label(): line for line in ax.lines if line.get_label() in published}
    assert (marks["Hoffmann 2022"].get_ydata() % 1 > 0.5).all()  # below the interval, not on it
    with pytest.raises(ValueError, match=r"names to draw are among .*; got gamma"):
        plot.exponents(chinchilla_fit, names=("gamma",))


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
