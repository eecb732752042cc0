"""The largest scale beside the smaller ones: seldom told of a right law, told of what diverged."""

import numpy as np
import pytest

from bayescale.misfit.largest import largest

LEVELS = (0.01, 0.05)


@pytest.mark.parametrize("rows", [4, 5, 8, 16])
@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_runs_of_a_right_law_are_doubted_as_seldom_as_said(rows, slope):
    rng, x = np.random.default_rng([rows, 1]), np.arange(1.0, rows + 1)
    found = [largest(x, -slope * x + rng.standard_t(5, rows)).chance for _ in range(400)]
    for level in LEVELS:
        assert np.mean(np.array(found) <= level) <= level + 3 * np.sqrt(level / 400)


def test_seeds_at_one_scale_are_one_and_a_single_run_scatters_more_than_their_mean():
    rng = np.random.default_rng(2)
    x = np.r_[np.repeat(np.arange(5.0), 8), 5.0]
    found = [largest(x, rng.normal(size=len(x))).chance for _ in range(150)]
    assert 0 < np.mean(np.array(found) <= 0.05) < 0.1


@pytest.mark.parametrize("last", [1, 2])
def test_runs_that_diverged_are_found_from_five_scales_on(last):
    losses = np.log([0.59, 0.5, 0.48, 0.47, 0.46])
    losses[-last:] = np.log([1.7, 2.4])[:last]
    found = largest(np.arange(5.0), losses)
    assert found.chance <= 0.01
    assert found.steps > 5
    assert found.rows.tolist() == [False] * 4 + [True]
    assert largest(np.arange(5.0)[::-1], losses[::-1]).rows.tolist() == [True] + [False] * 4


def test_a_last_run_that_is_better_than_some_is_no_contradiction():
    falls = np.log([3.0, 2.0, 1.5, 1.2, 1.1, 1.0, 1.4])
    assert largest(np.arange(7.0), falls).chance == 1.0
    assert largest(np.arange(3.0), falls[-3:]) is None
