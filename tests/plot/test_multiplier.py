"""The plot of multipliers: bands and medians of the answer, the edge of the data, far ends."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale import plot
from bayescale.inference.samplers import NUTS
from tests.pictures import drawn, texts

FLOPS = np.geomspace(1e18, 1e21, 6)


@pytest.fixture(scope="module")
def told():
    """A recipe twice as good as the baseline, run at its smaller scales."""
    rng, parts = np.random.default_rng(3), []
    for name, factor, runs in (("old", 1.0, 6), ("new", 2.0, 4)):
        loss = 1.7 + 1.6 * (factor * FLOPS / 1e18) ** -0.15
        rows = {"flops": FLOPS, "loss": loss * np.exp(0.002 * rng.normal(size=6)), "recipe": name}
        parts.append(pd.DataFrame(rows)[:runs])
    quick = NUTS(chains=2, warmup=300, draws=300, retries=0)
    how = dict(x="flops", y="loss", common="all", sampler=quick, progress=False)
    return bs.multiplier(pd.concat(parts), "recipe", **how)


def test_median_and_band_are_those_of_the_draws(told, ax):
    assert drawn(plot.multiplier(told, ax)) is ax
    assert plot.multiplier(told) is not ax
    (band,) = (each for each in ax.collections if each.get_alpha() == 0.2)
    lo, median, hi = np.quantile(
        told.along["new"], (0.05, 0.5, 0.95), axis=0, method="inverted_cdf"
    )
    edge = band.get_paths()[0].vertices
    at_first = edge[np.isclose(edge[:, 0], told.grid[0]), 1]
    assert at_first.min() == pytest.approx(lo[0])
    assert at_first.max() == pytest.approx(hi[0])
    dashed, whole, one = ax.lines[:3]
    np.testing.assert_allclose(dashed.get_ydata(), median)
    known = np.isfinite(whole.get_ydata())
    assert told.grid[known].max() <= FLOPS[3]  # where both were run
    assert set(one.get_ydata()) == {1}
    assert "as good as old" in texts(ax)
    assert "beyond the data" in texts(ax)
    assert any(text.startswith("new: ") for text in texts(ax))


def test_the_grid_holds_the_scales_that_were_asked(told):
    assert told.grid[0] == pytest.approx(FLOPS[0])
    assert told.grid[-1] == pytest.approx(told.scales[-1])
    ends = np.quantile(told.factors["new"][:, [0, -1]], 0.5, axis=0, method="inverted_cdf")
    along = np.quantile(told.along["new"][:, [0, -1]], 0.5, axis=0, method="inverted_cdf")
    np.testing.assert_allclose(ends, along, rtol=1e-6)


def test_what_is_infinite_or_not_told_leaves_the_frame(told, ax):
    never = told.along["new"].copy()
    never[: len(never) // 3, 40:] = np.inf
    never[: len(never) // 4, 60:] = 0.0
    never[:5, 50:] = np.nan
    plot.multiplier(replace(told, along={"new": never}), ax)
    lo, hi = drawn(ax).get_ylim()
    assert 0 < lo < 0.2
    assert 20 < hi < 1e3
    (band,) = (each for each in ax.collections if each.get_alpha() == 0.2)
    edge = band.get_paths()[0].vertices
    assert edge[:, 0].max() == pytest.approx(told.grid[-1])  # the band goes on, out of the frame
    assert edge[:, 1].max() > hi
    assert edge[:, 1].min() < lo


def test_a_recipe_for_which_nothing_is_told_is_named_all_the_same(told, ax):
    nothing = {"new": np.full_like(told.along["new"], np.nan)}
    main = {"new": (None, np.full(len(told.told["new"][1]), np.nan))}
    plot.multiplier(replace(told, along=nothing, told=main), ax)
    assert any(text.startswith("new") for text in texts(drawn(ax)))
