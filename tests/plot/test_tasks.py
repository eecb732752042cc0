"""Pages of tasks, kinds, laws and unlocks draw what the records say, on the axes they are given."""

from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayescale import plot
from bayescale.comparison.compare import LawComparison
from bayescale.data.dataset import Dataset
from bayescale.laws import flat, from_loss, inverse, sigmoid
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.plot.marks import landmarks
from bayescale.plot.style import percent
from bayescale.plot.tasks import LONGEST
from bayescale.plot.threshold import STRIP
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.curves import Curve, curve, task_curves
from bayescale.questions.kind import Kind
from bayescale.questions.kinds import KINDS
from bayescale.questions.threshold import threshold
from bayescale.workflows.task import Task
from bayescale.workflows.tasks import Tasks

X = np.geomspace(1e20, 1e23, 8)
FALLS = {"g": [0.9] * 3, "d": [0.1] * 3, "x50": [3e21, 1e22, 3e22], "k": [3.0] * 3}
FLAT = dict.fromkeys(KINDS, 0.0)


def posterior_of(law, x=X, **draws):
    """A posterior of the same runs whose draws, (draw,) each, are given."""
    data = Dataset(
        dict.fromkeys(law.inputs, x),
        {"y": np.linspace(0.2, 0.7, len(x))},
        n=np.full(len(x), 100.0),
        chance=np.full(len(x), 0.25),
        columns={law.inputs[0]: "flops"},
    )
    draws = {k: np.asarray(v, float)[None] for k, v in draws.items()}
    shape = next(iter(draws.values())).shape
    draws["rho"] = np.full(shape, 0.01)
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0)
    run = SamplingInfo(0, "NUTS", *shape, "float64", "cpu", {}, {}, 1.0)
    return Posterior(Model(law, beta_binomial), data, draws, {}, Health((verdict,)), run)


def rise(*log10_scale, k=1.0, x=X):
    """A threshold from 0 to 1 at these scales, one a draw."""
    at = np.array(log10_scale, float)
    return posterior_of(sigmoid, x, g=0 * at, u=0 * at + 1, x50=10**at, k=0 * at + k)


def shape_of(kind="emergent", share=0.9, other="flat"):
    kinds = FLAT | {kind: share, other: 1 - share}
    none, by_draw = np.zeros(0), ("turning", "depth", "rise", "waited", "weights")
    return Kind(
        kinds=kinds,
        half=kinds | {kind: share - 0.1},
        double=kinds | {kind: share - 0.2},
        implied=dict.fromkeys(KINDS, 1 / 6),
        prior=None,
        codes=np.zeros(0, int),
        **dict.fromkeys(by_draw, none),
        improves="up",
        column="flops",
        lo=1e20,
        hi=1e23,
        cut=0.05,
        wait=1 / 3,
        notes=(),
    )


def mixture():
    return mix(
        {"sigmoid": rise(21.0, 21.5, 22.0), "flat": posterior_of(flat, g=[0.3, 0.4])},
        {"sigmoid": 0.75, "flat": 0.25},
    )


def task(name, level=0.5, kind="emergent", share=0.9):
    mixed = mixture()
    return Task(name, None, mixed, shape_of(kind, share), threshold(mixed, level), None, {}, 0.0)


def page(*rows):
    return Tasks({row.name: row for row in rows}, ("sigmoid", "flat"), {})


FAILED = Task("lost", None, None, None, None, None, {"sigmoid": "bad"}, 1.0)


def drawn(ax):
    """Render, which is where a bad artist fails."""
    ax.figure.canvas.draw()
    return ax


def texts(ax):
    legend = ax.get_legend()
    labels = legend.get_texts() if legend else []
    return [t.get_text() for t in [*ax.texts, *labels] if t.get_text()]


def overlaps(figure):
    """Pairs of texts of a figure that lie on one another."""
    figure.canvas.draw()
    found = [t for t in figure.findobj(mpl.text.Text) if t.get_text() and t.get_visible()]
    boxes = [(t.get_text(), t.get_window_extent()) for t in found]
    boxes = [(text, box) for text, box in boxes if figure.bbox.overlaps(box)]
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i]]
    return [(a[0], b[0]) for a, b in pairs if a[1].shrunk(0.9, 0.8).overlaps(b[1].shrunk(0.9, 0.8))]


# ------------------------------------------------------------------ curves


def test_a_curve_of_a_mixture_weighs_its_draws_by_their_law():
    found = curve(mixture(), points=7)
    assert found.x[0] == pytest.approx(1e20)
    assert found.x[-1] == pytest.approx(1e24)
    assert found.edge == X.max()
    assert found.edge in found.x
    assert found.quantiles.shape == (5, len(found.x))
    # At the end all of sigmoid, .75 of the whole, is near 1; flat is .3 and .4.
    lo, low, median, high, hi = found.quantiles[:, -1]
    assert lo == pytest.approx(0.3)
    assert low == pytest.approx(0.4)
    assert median == pytest.approx(1 / (1 + 10.0**-2.0))
    assert high == pytest.approx(1 / (1 + 10.0**-2.5))
    assert hi == pytest.approx(1 / (1 + 10.0**-3.0))


def test_a_curve_ends_at_half_the_scale_where_less_is_better():
    x = np.linspace(2.0, 4.0, 8)
    law = from_loss
    at = {name: np.full(3, 0.5) for name in law.parameters}
    found = curve(posterior_of(law, x, **at), points=5)
    assert found.x[[0, -1]] == pytest.approx([4.0, 1.0])
    assert found.edge == 2.0
    assert (np.diff(found.x) < 0).all()


def test_a_curve_needs_points():
    with pytest.raises(ValueError, match=r"points >= 2, got 1.* and 1"):
        curve(mixture(), points=1)


def test_curves_are_of_tasks_with_a_law_to_trust():
    assert list(task_curves(page(task("a"), FAILED), points=3)) == ["a"]


# ------------------------------------------------------------------ a page of tasks


def test_a_page_has_a_panel_a_task_with_its_answers():
    found = page(task("a"), task("b", kind="u_shaped", share=1.0), FAILED)
    figure = plot.tasks(found, task_curves(found, points=9), columns=2)
    assert not overlaps(figure)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["a", "b", "lost"]
    a, b, lost = figure.axes
    assert texts(a) == ["emergent 90%", "P(never) 25%"]
    assert texts(b) == ["U-shaped 100%", "P(never) 25%"]
    assert texts(lost) == ["not to be trusted"]
    assert not lost.lines
    dashed = [line for line in a.lines if line.get_linestyle() == "--"]
    assert any(line.get_xdata()[0] == X.max() for line in dashed)
    shown = [any(t.get_visible() for t in ax.get_xticklabels()) for ax in figure.axes]
    assert shown == [False, True, True]
    assert figure.get_supxlabel() == "training compute (FLOP)"


def test_a_page_makes_the_curves_that_are_not_given_and_they_end_together():
    short = replace(task("b"), mixture=mix({"sigmoid": rise(21.0, 21.5, x=X[:5])}))
    figure = plot.tasks(page(task("a"), short))
    dashed = [line for ax in figure.axes for line in ax.lines if line.get_linestyle() == "--"]
    ends = [line.get_xdata().max() for line in dashed if len(line.get_xdata()) > 2]
    assert ends == pytest.approx([1e24, 1e24])
    assert figure.axes[0].get_xlim()[1] == pytest.approx(1e24)


def test_a_page_draws_the_runs_of_failed_tasks_from_the_table():
    names = np.array(["a"] * 8 + ["lost"] * 8, object)
    table = Dataset({"x": np.tile(X, 2)}, {"y": np.repeat([0.5, 0.9], 8)}, curve=names)
    figure = plot.tasks(page(task("a"), FAILED), {}, data=table)
    (runs,) = figure.axes[1].lines
    np.testing.assert_array_equal(runs.get_ydata(), 0.9)
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == ["runs", "unlock, 90%", "level", "chance"]


@pytest.mark.parametrize(
    ("level", "markers"),
    [(0.5, {">"}), (0.01, {"<"}), (0.9999, {">"})],
)
def test_arrows_where_the_interval_leaves_the_panel(level, markers):
    found = page(task("a", level))
    (ax,) = plot.tasks(found, task_curves(found, points=9)).axes
    marks = [line for line in ax.lines if line.get_marker() in "<>"]
    assert {line.get_marker() for line in marks} == markers
    lo, hi = ax.get_xlim()
    for line in marks:
        end = lo if line.get_marker() == "<" else hi
        assert line.get_xdata() == pytest.approx([end])
    dots = [line for line in ax.lines if line.get_markersize() == 4.5]
    median = found["a"].threshold.forecast.median
    assert bool(dots) == (np.log10(lo) <= median <= np.log10(hi))


def test_where_a_falling_task_is_lost_is_drawn_apart_from_unlocks():
    one = task("a", kind="inverse")
    lost = threshold(posterior_of(inverse, **FALLS), 0.5)
    figure = plot.tasks(page(replace(one, lost=lost), task("b"), task("c")))
    (ax, other, _), (legend,) = figure.axes, figure.legends
    dots = [line.get_xdata() for line in ax.lines if line.get_markersize() == 4.5]
    assert np.concatenate(dots) == pytest.approx([10**lost.forecast.median])
    assert [line.get_linestyle() for line in ax.lines if line.get_linewidth() == 2] == [":"]
    assert [line.get_linestyle() for line in other.lines if line.get_linewidth() == 2] == ["-"]
    assert any("P(never below) 0%" in text for text in texts(ax))
    assert "falls below" in [text.get_text() for text in legend.get_texts()]
    figure.canvas.draw()
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    usual = plot.tasks(page(one)).legends[0].get_texts()
    assert "falls below" not in [text.get_text() for text in usual]


def test_a_scale_of_which_less_is_better_runs_to_the_right():
    one = task("a")
    turned = replace(one.threshold, less_is_better=True, horizon=1e19)
    figure = plot.tasks(page(replace(one, threshold=turned)))
    lo, hi = drawn(figure.axes[0]).get_xlim()
    assert lo > hi


def test_long_names_are_cut():
    figure = plot.tasks(page(task("a" * 40)))
    assert len(figure.axes[0].get_title(loc="left")) == LONGEST
    assert not overlaps(figure)


def test_a_page_of_nothing_is_refused():
    with pytest.raises(ValueError, match="not 0 tasks"):
        plot.tasks(page())


# ------------------------------------------------------------------ kinds, laws, unlock


def comparison_of(**difference):
    zeros = dict.fromkeys(difference, 0.0)
    return LawComparison(
        posteriors={},
        elpd={law: value - 100 for law, value in difference.items()},
        difference=difference,
        difference_se={law: abs(value) / 3 for law, value in difference.items()},
        complexity=zeros,
        rough=dict.fromkeys(difference, 0),
        log_evidence=zeros,
        evidence_se=zeros,
        weights=zeros | {"sigmoid": 0.75},
        probability=zeros | {"sigmoid": 0.997},
        prior=zeros,
    )


def test_each_returns_the_axes_it_is_given_or_makes_new_ones():
    plots = {
        plot.kinds: shape_of(),
        plot.laws: comparison_of(sigmoid=0.0, flat=-1.5),
        plot.threshold: task("a").threshold,
    }
    for draw, found in plots.items():
        own = plt.subplots()[1]
        assert draw(found, own) is own
        count = len(plt.get_fignums())
        assert not overlaps(draw(found).figure), draw.__name__
        assert len(plt.get_fignums()) == count + 1


def test_kinds_has_the_share_of_each_and_what_was_before(ax):
    drawn(plot.kinds(shape_of(), ax))
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths[:6], 1 / 6)
    np.testing.assert_allclose(widths[6:], [0.1, 0, 0.9, 0, 0, 0])
    assert texts(ax)[:6] == ["10%", "0%", "90%", "0%", "0%", "0%"]
    half, double = (line.get_xdata()[2] for line in ax.lines)
    assert (half, double) == pytest.approx((0.8, 0.7))
    assert "before the data, by the laws" in texts(ax)
    given = replace(shape_of(), prior=FLAT | {"steady": 1.0})
    assert "the prior given" in texts(plot.kinds(given))


def test_laws_has_the_best_law_on_top(ax):
    drawn(plot.laws(comparison_of(flat=-3.0, sigmoid=0.0), ax))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["sigmoid", "flat"]
    assert ax.get_xscale() == "linear"
    assert texts(ax) == ["weight", "75%", "0%", "P(law)", ">99%", "0%"]


def test_laws_of_laws_far_apart_still_shows_those_that_are_near():
    ax = plot.laws(comparison_of(sigmoid=0.0, distractor=-1.0, flat=-900.0))
    assert not overlaps(ax.figure)
    assert ax.get_xscale() == "symlog"
    at = ax.transAxes.inverted().transform(ax.transData.transform([[-1, 0], [0, 0]]))
    assert np.diff(at[:, 0]) > 0.05


def test_an_unlock_has_a_line_for_each_law_that_weighs_in(ax):
    plot.threshold(task("a").threshold, ax)
    lines = {line.get_label(): line.get_ydata() for line in drawn(ax).lines}
    assert lines["sigmoid (75%)"][-1] == 1
    assert lines["flat (25%)"][-1] == 0
    assert lines["passed by this scale"][-1] == pytest.approx(0.75)
    assert "Pythia 70M" in texts(ax)


def test_the_density_is_of_weighted_draws(ax):
    mixed = mix({"a": rise(21.0), "b": rise(22.0)}, {"a": 0.8, "b": 0.2})
    plot.threshold(threshold(mixed, 0.5), ax)
    (stairs,) = [patch for patch in ax.patches if patch.get_label() == "its density, below"]
    heights, _, foot = stairs.get_data()
    heights = np.sort(heights - foot) / 0.85 / STRIP
    np.testing.assert_allclose(heights[-2:], [0.25, 1.0])
    # It is no probability: it ends below the axis of probabilities, which is from 0 to 1.
    assert stairs.get_data().values.max() < 0
    assert ax.spines["left"].get_bounds() == (0, 1)


def test_a_threshold_in_a_loss_is_drawn_from_the_largest_to_the_smallest(ax):
    found = threshold(mixture(), 0.5)
    turned = replace(
        found,
        less_is_better=True,
        x_min=2.0,
        x_max=4.0,
        horizon=1.0,
        column="loss",
        log10_scale=np.log10([3.0, 2.5, 1.5, np.nan, np.nan]),
        grid=np.geomspace(4.0, 1.0, 50),
        p_by=np.linspace(0, 0.75, 50),
    )
    drawn(plot.threshold(turned, ax))
    assert ax.get_xlim() == pytest.approx((4, 1))
    assert "beyond the data" in texts(ax)
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert lines["sigmoid (75%)"][[0, -1]] == pytest.approx([0, 1])


def test_a_share_is_not_rounded_to_never_or_always():
    shares = [0.0, 0.001, 0.25, 0.999, 1.0]
    assert [percent(share) for share in shares] == ["0%", "<1%", "25%", ">99%", "100%"]


def test_landmarks_are_few_and_well_apart():
    found = landmarks("params", 1e8, 1e12)
    assert 3 <= len(found) <= 8
    assert np.diff(np.log10([*found.values()])).min() >= 4 / 7 - 1e-9
    assert landmarks("loss", 1.0, 4.0) == {}
    assert landmarks("x flops", 1.0, 100.0) == {}


def test_a_curve_may_be_made_by_hand():
    made = {"a": Curve(X, np.linspace(0.1, 0.5, 5)[:, None] + 0 * X, X[-1])}
    assert not overlaps(plot.tasks(page(task("a")), made))
