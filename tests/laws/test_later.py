"""What may still come of a task on which nothing has happened: against plain simulation."""

import numpy as np
import pytest

from bayescale.data.dataset import Dataset
from bayescale.laws import flat, inverse, sigmoid
from bayescale.laws.capability import CEILING
from bayescale.laws.later import NEVER, decades_later
from bayescale.misfit.misfit import Finding
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.threshold import threshold

DRAWS = 4000


def simulated(floor, level, never, count=200_000, seed=0):
    """The words of `later` in a loop's terms: something comes, high enough, at |T| decades."""
    rng = np.random.default_rng(seed)
    v = rng.beta(CEILING.prior.concentration1, CEILING.prior.concentration0, count)
    comes = (rng.uniform(size=count) > never) & (1 - (1 - floor) * v > level)
    return np.where(comes, np.abs(rng.standard_t(2, count)), np.inf)


@pytest.mark.parametrize("floor", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("level", [0.55, 0.8, 0.97])
@pytest.mark.parametrize("never", [0.0, 0.3, 0.9, 1.0])
def test_as_simulated(floor, level, never):
    found = decades_later(np.full(DRAWS, floor), level, never)
    expected = simulated(floor, level, never)
    assert (found >= 0).all()
    for decades in (0.1, 0.5, 1.0, 2.0, 4.0, 1e9):
        share = (expected <= decades).mean()
        assert (found <= decades).mean() == pytest.approx(share, abs=0.01), decades


def posterior_of(law, **constants):
    """A fit of one curve whose draws are all alike, of runs from 1e8 to 1e11."""
    x = np.geomspace(1e8, 1e11, 8)
    data = Dataset({"x": x}, {"y": np.full(8, 0.25)}, n=np.full(8, 100.0), chance=0.25 + 0 * x)
    draws = {k: np.full((1, DRAWS), v) for k, v in (constants | {"rho": 0.01}).items()}
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, (), Finding((), ()))
    run = SamplingInfo(0, "NUTS", 1, DRAWS, "float64", "cpu", {}, {}, 1.0)
    return Posterior(Model(law, beta_binomial), data, draws, {}, Health((verdict,)), run)


STILL = posterior_of(flat, g=0.25)
RISES = posterior_of(sigmoid, g=0.25, u=0.9, x50=1e10, k=2.0)


def test_a_mixture_does_not_read_flat_as_never():
    found = threshold(mix({"sigmoid": RISES, "flat": STILL}, {"sigmoid": 1, "flat": 3}), 0.6)
    expected = simulated(0.25, 0.6, NEVER)
    own = found.members["flat"]
    assert own.p_never == pytest.approx((expected > 4).mean(), abs=0.01)
    assert found.forecast.p_never == pytest.approx(0.75 * own.p_never)
    assert found.members["sigmoid"].p_never == 0
    for decades in (0.2, 1.0, 3.0):
        by = 0.25 + 0.75 * (expected <= decades).mean()
        assert found.p_unlocked_by(1e11 * 10**decades) == pytest.approx(by, abs=0.01)
    late = found.log10_scale[found.member == 1]
    assert (late[~np.isnan(late)] >= 11).all(), "over the data nothing came"
    # What no scale brings past the level: nothing ever comes, or the ceiling is short.
    short = found.limit_short[found.member == 1].mean()
    assert short == pytest.approx(np.isinf(expected).mean(), abs=0.01)


def test_a_higher_level_and_a_nearer_horizon_are_passed_less():
    both = mix({"sigmoid": RISES, "flat": STILL})
    never = [threshold(both, level).members["flat"].p_never for level in (0.4, 0.7, 0.95)]
    assert never == sorted(never)
    assert never[0] < never[-1]
    near = threshold(both, 0.4, horizon=1e12).members["flat"].p_never
    assert near > never[0]


def test_flat_alone_says_what_its_formula_says():
    assert threshold(STILL, 0.6).forecast.p_never == 1.0


def test_what_is_above_the_level_or_asked_below_it_is_left():
    both = mix({"sigmoid": RISES, "flat": STILL})
    assert threshold(both, 0.2).members["flat"].p_already == 1.0
    lost = threshold(both, 0.2, direction="down")
    assert lost.members["flat"].p_never == 1.0
    falls = posterior_of(inverse, g=0.25, d=0.1, x50=1e10, k=2.0)
    other = threshold(mix({"inverse": falls, "flat": STILL}), 0.6, direction="up")
    assert other.members["inverse"].p_never == 1.0
    assert other.members["flat"].p_never < 1.0
