"""Pictures of budgets: isoflops, allocations, equal losses."""

from dataclasses import replace

import numpy as np
import pytest

from bayescale import plot
from bayescale.questions.grid import isoflop_grid
from bayescale.questions.predict import predict
from tests.pictures import drawn, split, texts, ways


def test_isoflop_marks_a_minimum_within(chinchilla_fit, ax):
    found = predict(chinchilla_fit, isoflop_grid(chinchilla_fit, [1e18, 1e20]), allow_failed=True)
    drawn(plot.isoflop(chinchilla_fit, found, ax))
    assert ax.get_ylabel() == "loss (nats per token)"
    assert [t for t in texts(ax) if "FLOP" in t] == ["10¹⁸ FLOP", "10²⁰ FLOP"]
    assert any(line.get_marker() == "*" for line in ax.lines)
    assert "90% of curves" in texts(ax)


def test_isoflop_shows_every_run_and_says_how_many(chinchilla_fit, ax):
    drawn(plot.isoflop(chinchilla_fit, ax=ax))
    data = chinchilla_fit.data
    shown = np.concatenate([c.get_offsets() for c in ax.collections if len(c.get_offsets()) > 1])
    np.testing.assert_allclose(shown, np.stack([data.inputs["N"], data.responses["loss"]], 1))
    (lo, hi), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert ((shown >= (0.999 * lo, low)) & (shown <= (1.001 * hi, high))).all()
    assert f"{len(data)} runs, coloured\nby their compute" in texts(ax)


def test_round_budgets_lie_within_the_compute_of_the_data(chinchilla_fit):
    data = chinchilla_fit.data
    for keep in (np.arange(len(data)), np.argsort(data.inputs["N"] * data.inputs["D"])[20:24]):
        few = replace(chinchilla_fit, data=data.take(keep))
        spent = 6 * few.data.inputs["N"] * few.data.inputs["D"]
        at = isoflop_grid(few, points=2)
        budgets = np.unique((6 * at["N"] * at["D"]).round(-5))
        assert 3 <= len(budgets) <= 6
        assert spent.min() * (1 - 1e-9) <= budgets.min() < budgets.max() <= spent.max() * (1 + 1e-9)


def test_allocation_with_frontiers_and_models(ax):
    found = split()
    frontier = {"Kaplan 2020": 1e8 * (found.flops / 1e18) ** 0.73}
    drawn(plot.allocation(found, ax, frontiers=frontier, models={"Gopher": (280e9, 300e9)}))
    said = {"50% interval", "90% interval", "beyond the data"}
    assert {"Kaplan 2020", "Gopher", "parameters N", "training tokens D"} | said <= set(texts(ax))
    (name,) = [text for text in ax.texts if text.get_text() == "Gopher"]
    assert name.get_position()[1] > 1  # above the frame, where no line crosses it


def test_allocation_of_one_budget_has_its_intervals(ax):
    drawn(plot.allocation(split(budgets=1), ax))
    bars = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert sorted(line.get_linewidth() for line in bars) == [1.2, 1.2, 4, 4]
    lo, hi = ax.get_xlim()
    assert lo < 1e18 < hi
    assert "90% interval" in texts(ax)


def test_isoloss_with_draws_that_cannot_reach(ax):
    drawn(plot.isoloss(ways(), ax, models={"Chinchilla": (70e9, 1.4e12)}))
    said = {"the one to match", "least compute", "smallest within +10%", "90% interval"}
    assert {"Chinchilla"} | said <= set(texts(ax))
    assert np.isfinite(ax.get_ylim()).all()


def test_budgets_of_isoloss_are_named_within_the_frame_and_away_from_what_is_drawn(ax):
    drawn(plot.isoloss(ways(), ax, models={"Chinchilla": (70e9, 1.4e12)}))
    names = [text for text in ax.texts if text.get_text().startswith("10")]
    assert len(names) >= 2
    frame, (curve_line, *_) = ax.get_window_extent(), ax.lines
    drawn_at = ax.transData.transform(curve_line.get_xydata())
    for name in names:
        box = name.get_window_extent()
        assert frame.containsx(box.x0)
        assert frame.containsx(box.x1)
        assert frame.containsy(box.y0)
        assert frame.containsy(box.y1)
        assert not any(box.contains(*at) for at in drawn_at)


def test_isoloss_out_of_reach_is_said():
    nowhere = replace(ways(), tokens=np.full((40, 30), np.inf))
    with pytest.raises(ValueError, match="reach this loss at no size"):
        plot.isoloss(nowhere)


def test_isoflop_keeps_compute(chinchilla_fit, power_fit):
    at = isoflop_grid(chinchilla_fit, [1e20, 1e21], points=5)
    want = np.repeat([1e20, 1e21], 5)
    np.testing.assert_allclose(6 * at["N"] * at["D"], want)
    with pytest.raises(ValueError, match="needs a law of N and D"):
        isoflop_grid(power_fit, [1e20])
    with pytest.raises(ValueError, match="positive and finite"):
        isoflop_grid(chinchilla_fit, [0.0])
