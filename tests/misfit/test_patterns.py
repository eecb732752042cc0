"""Patterns of residuals: as rare as said where a law is right, found where it is not."""

import numpy as np
import pytest

from bayescale.misfit.patterns import pattern, residue

DRAWS, ROWS = 200, 24
X = np.log(np.geomspace(1e6, 1e10, ROWS))[:, None]
TREND = (X[:, 0] - X[:, 0].mean()) / X[:, 0].std()


def straight(y, rng, sd=1.0, slope=True):
    """Posterior draws of a straight line with known noise, and of new runs about it."""
    design = np.stack([np.ones(ROWS), TREND], 1)[:, : 1 + slope]
    root = np.linalg.inv(np.linalg.cholesky(design.T @ design)).T * sd
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    law = (best + rng.normal(size=(DRAWS, design.shape[1])) @ root.T) @ design.T
    return law, law + rng.normal(0, sd, law.shape)


def chance(y, rng, **how):
    return pattern(residue(y, *straight(y, rng, **how), positive=False), X).chance


def test_a_right_law_is_doubted_as_often_as_said():
    rng = np.random.default_rng(1)
    found = np.array([chance(3 * TREND + rng.normal(size=ROWS), rng) for _ in range(300)])
    for level in (0.02, 0.1, 0.3):
        # The chance is of the smaller of two, doubled: that is at most as often.
        assert np.mean(found <= level) <= level + 3 * np.sqrt(level / 300)


@pytest.mark.parametrize(
    "shape", [TREND**2, np.sign(TREND), np.sin(5 * TREND), np.where(TREND > 1, 2.0, 0.0)]
)
def test_what_a_line_cannot_follow_is_found(shape):
    rng = np.random.default_rng(2)
    found = [chance(TREND + 5 * shape + rng.normal(size=ROWS), rng) for _ in range(10)]
    assert np.mean(np.array(found) <= 0.01) >= 0.8


def test_a_slope_is_a_pattern_to_a_law_without_one_alone():
    rng = np.random.default_rng(3)
    y = 2 * TREND + rng.normal(size=ROWS)
    assert chance(y, rng) > 0.05
    assert chance(y, rng, slope=False) < 0.01


def test_rows_of_one_scale_may_stand_in_any_order():
    rng = np.random.default_rng(4)
    twice = np.repeat([0.0, 1.0], ROWS // 2)[:, None]
    y = np.concatenate([np.sort(rng.normal(size=ROWS // 2)) for _ in range(2)])
    law = rng.normal(0, ROWS**-0.5, (DRAWS, ROWS))
    left = residue(y, law, law + rng.normal(size=law.shape), positive=False)
    assert pattern(left, twice).chance > 0.05


def test_single_runs_far_out_are_no_pattern():
    rng = np.random.default_rng(5)
    y = TREND + rng.normal(size=ROWS)
    y[[3, 17]] += 40
    law, runs = straight(TREND, rng)
    assert pattern(residue(y, law, runs, positive=False), X).chance > 0.05


def test_size_turn_and_end_are_of_the_data():
    rng = np.random.default_rng(6)
    shape = np.where(TREND > 1, 3.0, 0.0)
    law, runs = straight(-2 * TREND, rng, sd=0.05)
    found = pattern(residue(-2 * TREND + shape, law, runs, positive=False), X)
    assert found.chance < 0.01
    assert 0.8 < found.size < 2
    assert found.relative == pytest.approx(found.size / 2, rel=0.2)
    assert found.turn > 0.2
    assert found.end > 1
    assert found.end_chance < 0.01


def test_directions_of_few_draws_and_of_many_rows_are_those_of_singular_values():
    rng = np.random.default_rng(3)
    for rows in (20, 300):  # fewer than the draws, and more
        x = np.linspace(-1, 1, rows)
        law = rng.normal(size=(50, 3)) * [0.5, 0.2, 0.05] @ np.vander(x, 3).T
        left = residue(np.zeros(rows), law, law + rng.choice([-1, 1], law.shape), positive=False)
        away = law - law.mean(0)
        _, sizes, modes = np.linalg.svd(away / left.noise, full_matrices=False)
        taken = np.minimum(sizes[:3] ** 2 / 50, 1)
        whole = (left.modes * left.taken) @ left.modes.T
        assert np.allclose(whole, (modes[:3].T * taken) @ modes[:3], atol=1e-9)
