"""Thresholds of constructed draws, whose crossings are known."""

from dataclasses import replace

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from scipy.stats import t as student_t

from bayescale.data.dataset import Dataset
from bayescale.datasets.published import place
from bayescale.laws import chinchilla, exact_match, from_loss, inverse, power, sigmoid
from bayescale.misfit.misfit import Finding
from bayescale.model.arrays import pack
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import student
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import positive
from bayescale.posterior.groups import AVERAGE, NEW, for_group
from bayescale.posterior.health import FailedFit, Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.threshold import threshold
from bayescale.questions.unlock import unlock_parameter, wider_weights

KNOTS = np.linspace(np.log(1e8), np.log(1e15), 8)
ONE = positive(0.1, 10.0)


@law(support="unit", improves="up", response="accuracy")
def knots(x, *, y=ONE):
    """A curve through given values at 1e8, 1e9, ... 1e15, straight in log x, level beyond."""
    return jnp.interp(jnp.log(x), jnp.asarray(KNOTS), y)


@law(support="unit", improves="up", response="accuracy")
def step(x, *, s=ONE):
    """0 below s, 1 from s on."""
    return jnp.where(x >= s, 1.0, 0.0)


def posterior_of(
    law, draws, *, x=(1e8, 1e11), chance=None, unidentified=(), ok=True, name="params"
):
    """A posterior whose draws, (draw, ...) each, are given."""
    scales = np.geomspace(*x, 8)
    inputs = dict.fromkeys(law.inputs, scales)
    unit = law.support == "unit"
    data = Dataset(
        inputs,
        {"y": np.full(8, 0.5)},
        n=np.full(8, 100.0) if unit else None,
        chance=None if chance is None else np.full(8, chance),
        columns={law.inputs[0]: name},
    )
    noise = {"rho": 0.01} if unit else {"sigma": 0.01, "nu": 20.0}
    draws = {k: np.asarray(v, float)[None] for k, v in draws.items()}
    shape = next(iter(draws.values())).shape[:2]
    draws |= {k: np.full(shape, v) for k, v in noise.items()}
    problems = () if ok else ("bad",)
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, unidentified, Finding(problems, problems))
    run = SamplingInfo(0, "NUTS", *shape, "float64", "cpu", {}, {}, 1.0)
    model = Model(law, beta_binomial if unit else student)
    return Posterior(model, data, draws, {}, Health((verdict,)), run)


def curve(*y):
    return posterior_of(knots, {"y": [y]})


# ------------------------------------------------------------------ what counts as a crossing


@pytest.mark.parametrize(
    ("y", "log10_scale"),
    [
        ((0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9), 11.5),
        # A bump that passes the level and falls back is no unlock; the second rise is.
        ((0.1, 0.1, 0.9, 0.1, 0.1, 0.9, 0.9, 0.9), 12.5),
        # A U: better at first, worse, better again.
        ((0.9, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9), 10.5),
        ((0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.9), 14.2),
    ],
)
def test_the_last_crossing_counts(y, log10_scale):
    found = threshold(curve(*y), 0.5)
    np.testing.assert_allclose(found.log10_scale, log10_scale, atol=1e-9)
    assert not found.never.any()
    assert not found.already.any()
    assert found.forecast.median == pytest.approx(log10_scale, abs=1e-9)
    assert (found.forecast.p_never, found.forecast.p_already) == (0.0, 0.0)


@pytest.mark.parametrize(
    "y", [(0.1,) * 8, (0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1), (0.9,) * 7 + (0.1,)]
)
def test_a_curve_short_of_the_level_at_the_horizon_never_passes_it(y):
    found = threshold(curve(*y), 0.5)
    assert found.never.all()
    assert found.limit_short.all()
    assert np.isnan(found.log10_scale).all()
    assert found.forecast.median == np.inf
    assert found.summary()["log10"]["median"] is None
    assert found.summary()["p_never"] == 1.0
    assert (found.p_by == 0).all()
    assert any("not reached" in note for note in found.notes)


def test_a_curve_past_the_level_everywhere_is_already_unlocked():
    found = threshold(curve(*(0.9,) * 8), 0.5)
    assert found.already.all()
    assert found.forecast.median == -np.inf
    assert found.p_unlocked_by(1e8) == 1.0
    assert found.summary()["log10"]["hi"] is None


def test_a_late_unlock_is_told_from_a_limit_below():
    draws = {"g": [0.0, 0.0], "u": [1.0, 0.4], "x50": [1e18, 1e10], "k": [2.0, 2.0]}
    found = threshold(posterior_of(sigmoid, draws), 0.5)
    assert found.never.tolist() == [True, True]
    assert found.limit_short.tolist() == [False, True]
    assert found.horizon == pytest.approx(1e15)
    late = threshold(posterior_of(sigmoid, draws), 0.5, horizon=1e20)
    np.testing.assert_allclose(late.log10_scale, [18.0, np.nan], atol=1e-9)


def test_a_sharp_step_is_found_where_it_is():
    where = np.array([1.0e8, 1.2345e9, 3.3e11, 7e14, 2e15])
    found = threshold(posterior_of(step, {"s": where}))
    np.testing.assert_allclose(found.log10_scale[1:4], np.log10(where[1:4]), atol=1e-9)
    assert found.already.tolist() == [True, False, False, False, False]
    assert found.never.tolist() == [False, False, False, False, True]
    assert found.forecast.median == pytest.approx(np.log10(3.3e11))
    assert (found.forecast.lo, found.forecast.hi) == (-np.inf, np.inf)
    by = [found.p_unlocked_by(x) for x in (1e8, 2e9, 1e12, 1e15)]
    assert by == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_a_loss_passes_a_level_downwards():
    draws = {"E": [1.0, 1.0, 2.1], "A": [100.0] * 3, "alpha": [0.2, 0.25, 0.2]}
    found = threshold(posterior_of(power(), draws), 2.0)
    np.testing.assert_allclose(found.log10_scale, [10.0, np.nan, np.nan], atol=1e-9)
    assert found.already.tolist() == [False, True, False]  # at 1e8 its loss is 2
    assert found.limit_short.tolist() == [False, False, True]


@settings(max_examples=40, deadline=None)
@given(arrays(float, (6, 8), elements=st.floats(0.01, 0.99)), st.floats(0.05, 0.95))
def test_outcomes_agree_with_a_plain_search(y, level):
    found = threshold(posterior_of(knots, {"y": y}), level, direction="up")
    logs = np.linspace(8, 15, 7001)
    for i in range(6):
        past = np.interp(logs, KNOTS / np.log(10), y[i]) >= level
        if abs(y[i] - level).min() < 1e-2:
            continue  # a touch that is narrower than either grid
        assert found.already[i] == past.all()
        assert found.never[i] == (not past[-1])
        if past[-1] and not past.all():
            first = logs[np.flatnonzero(~past)[-1]]
            assert first - 1e-9 <= found.log10_scale[i] <= first + 1e-3 + 1e-9
            reached = np.interp(found.log10_scale[i], KNOTS / np.log(10), y[i])
            assert reached == pytest.approx(level, abs=1e-6)
    forecast, crosses = found.forecast, found.summary()["p_crosses"]
    assert forecast.p_never + forecast.p_already + crosses == pytest.approx(1)
    assert (np.diff(found.p_by) >= 0).all()
    assert found.p_by[-1] == pytest.approx(1 - forecast.p_never)
    assert found.p_by[0] >= forecast.p_already
    assert forecast.lo <= forecast.median <= forecast.hi


# ------------------------------------------------------------------ which side is asked for

FALLS = {"g": [0.95, 0.9], "d": [0.05, 0.1], "x50": [1e9, 1e10], "k": [2.0, 1.0]}


def kinds_of_notes(found):
    return [note.kind for note in found.notes]


def test_a_law_that_worsens_is_asked_where_it_is_lost():
    fit = posterior_of(inverse, FALLS)
    found = threshold(fit, 0.5)
    assert found.direction == "down"
    np.testing.assert_allclose(found.log10_scale, [9.0, 10.0], atol=1e-9)
    assert (found.forecast.p_never, found.forecast.p_already) == (0.0, 0.0)
    (note,) = [note for note in found.notes if note.kind == "direction"]
    assert "by the law inverse the accuracy gets worse" in note
    assert "stays below 0.5" in note
    assert "--direction up" in note
    assert "stays below 0.5" in str(found)
    high, low = threshold(fit, 0.97), threshold(fit, 0.07)
    assert high.already.all()
    assert low.never.tolist() == [False, True]  # one draw's limit is .1
    assert low.limit_short.tolist() == [False, True]
    assert "0.50 that it stays above at any scale" in str(low)
    up = threshold(fit, 0.5, direction="up")
    assert up.never.all()
    assert "direction" not in kinds_of_notes(up)


def test_what_the_draws_say_of_the_side_is_of_the_data_alone():
    """Data reach from 1e8 to 1e11, the fourth knot."""
    fallen = (0.9, 0.8, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2)
    found = threshold(curve(*fallen), 0.5)
    assert found.direction == "down"
    assert found.log10_scale[0] == pytest.approx(9.6)
    assert "in 100% of draws the accuracy gets worse than the level" in " ".join(found.notes)
    assert threshold(curve(*fallen), 0.5, direction="up").forecast.p_never == 1
    for y in (
        (0.3, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9),  # the trough of a U below the level
        (0.9, 0.1, 0.1, 0.6, 0.9, 0.9, 0.9, 0.9),  # a U that came back
        (0.9, 0.9, 0.9, 0.8, 0.1, 0.1, 0.1, 0.1),  # falls beyond the data
        (0.3, 0.6, 0.6, 0.4, 0.4, 0.4, 0.4, 0.4),  # a bump
    ):
        found = threshold(curve(*y), 0.5)
        assert found.direction == "up"
        assert "direction" not in kinds_of_notes(found)
    back = (0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9)  # below the level, and back beyond the data
    shares = {2: "down", 1: "up"}
    for falling, direction in shares.items():
        draws = [fallen] * falling + [(0.2,) * 8] * (3 - falling)
        assert threshold(posterior_of(knots, {"y": draws}), 0.5).direction == direction
    assert threshold(curve(*back), 0.5, direction="up").log10_scale[0] == pytest.approx(12.5)


def test_a_loss_that_rises_is_asked_above_the_level():
    draws = {"E": [1.0] * 3, "A": [1e-2] * 3, "alpha": [-0.2] * 3}
    found = threshold(posterior_of(power(), draws), 1.9)
    assert found.direction == "up"
    np.testing.assert_allclose(found.log10_scale, np.log10(90.0) / 0.2, atol=1e-9)
    assert any("--direction down" in note for note in found.notes)
    rising = threshold(posterior_of(power(rising=True), draws), 1.9)  # more is better
    assert (rising.direction, kinds_of_notes(rising)) == ("up", ["median"])


def test_laws_that_are_mixed_fall_where_all_do_or_most_draws():
    falls = posterior_of(inverse, FALLS)
    rise = {"g": [0.1] * 2, "u": [0.9] * 2, "x50": [1e10] * 2, "k": [2.0] * 2}
    rises = posterior_of(sigmoid, rise)
    late = posterior_of(inverse, FALLS | {"x50": [1e13, 1e14]})
    for parts, direction in (
        ({"a": falls, "b": late}, "down"),
        ({"a": falls, "b": rises}, "up"),
        ({"a": late, "b": rises}, "up"),
    ):
        assert threshold(mix(parts), 0.5).direction == direction
    most = threshold(mix({"a": falls, "b": rises}, {"a": 0.6, "b": 0.4}), 0.5)
    assert (most.direction, most.forecast.p_never) == ("down", pytest.approx(0.4))
    assert list(most.members) == ["a", "b"]


def test_the_prior_of_an_unlock_is_none_of_a_loss():
    falls, rises = posterior_of(inverse, FALLS), from_g_to_u()
    for fit, side, wider in (
        (falls, "down", True),
        (falls, "up", False),
        (rises, "up", True),
        (rises, "down", False),
    ):
        assert (threshold(fit, 0.5, direction=side).wider is not None) == wider
    weak = replace(
        falls, health=Health((replace(falls.health.verdicts[0], unidentified=("x50",)),))
    )
    assert "prior" in kinds_of_notes(threshold(weak, 0.5))
    assert "prior" not in kinds_of_notes(threshold(weak, 0.5, direction="up"))


def from_g_to_u():
    return posterior_of(sigmoid, {"g": [0.1], "u": [0.9], "x50": [1e10], "k": [2.0]})


def test_along_a_loss_an_accuracy_may_be_asked_below_the_level():
    up = threshold(from_a_loss(5.0, 3.0, 0.5))
    down = threshold(from_a_loss(5.0, 3.0, 0.5), direction="down")
    assert (up.direction, down.direction) == ("up", "down")
    np.testing.assert_array_equal(down.already, up.never)
    assert down.never.tolist() == [True, True, False]


def test_draws_without_a_curve_are_left_out_and_told():
    draws = {"g": [0.1] * 4, "u": [0.9] * 4, "x50": [1e9, 1e10, np.nan, 1e18], "k": [9.0] * 4}
    found = threshold(posterior_of(sigmoid, draws), 0.5)
    assert found.forecast.p_never == pytest.approx(1 / 3)
    assert found.forecast.median == pytest.approx(10)
    assert found.summary()["p_crosses"] == pytest.approx(2 / 3)
    np.testing.assert_allclose(found.weights, [1 / 3, 1 / 3, 0, 1 / 3])
    assert found.p_by[-1] == pytest.approx(2 / 3)
    assert any("25.0% of draws have no finite curve" in note for note in found.notes)
    mixed = mix({"a": posterior_of(sigmoid, draws), "b": from_g_to_u()}, {"a": 0.75, "b": 0.25})
    several = threshold(mixed, 0.5)
    assert several.forecast.p_never == pytest.approx(0.25)
    assert several.members["a"].p_never == pytest.approx(1 / 3)
    with pytest.raises(FailedFit, match="no draw of sigmoid has a finite curve"):
        threshold(posterior_of(sigmoid, draws | {"x50": [np.nan] * 4}), 0.5)


# ------------------------------------------------------------------ what is asked, and of what


def test_the_default_level_is_halfway_between_chance_and_one():
    draws = {"g": [0.25], "u": [1.0], "x50": [1e10], "k": [2.0]}
    found = threshold(posterior_of(sigmoid, draws, chance=0.25))
    assert found.level == 0.625
    np.testing.assert_allclose(found.log10_scale, 10.0, atol=1e-9)
    assert threshold(posterior_of(sigmoid, draws), "half").level == 0.5
    low = threshold(posterior_of(sigmoid, draws, chance=0.25), 0.2)
    assert any("not above chance" in note for note in low.notes)


def test_other_inputs_are_held_or_follow():
    constants = dict(E=1.8, A=480.0, B=2085.0, alpha=0.35, beta=0.36)
    posterior = posterior_of(chinchilla, {k: [v] for k, v in constants.items()})
    for at in ({"D": "20*N"}, {"D": lambda N: 20 * N}):
        found = threshold(posterior, 2.5, at=at)
        N = 10 ** found.log10_scale[0]
        with jax.enable_x64(True):
            assert float(chinchilla(N, 20 * N, **constants)) == pytest.approx(2.5, rel=1e-9)
    held = threshold(posterior, 2.5, by="D", at={"N": 1e10})
    with jax.enable_x64(True):
        D = 10 ** held.log10_scale[0]
        assert float(chinchilla(1e10, D, **constants)) == pytest.approx(2.5, rel=1e-9)
    assert (held.scale, found.scale) == ("D", "N")


def from_a_loss(*halfway, k=1000.0):
    """Draws of an accuracy that is told from losses of 4 down to 2, sharp about `halfway`."""
    one = np.ones(len(halfway))
    draws = {"g": 0.0 * one, "u": one, "L0": np.array(halfway), "k": k * one}
    return posterior_of(from_loss, draws, x=(4.0, 2.0), name="loss")


def test_from_a_loss_less_is_later():
    found = threshold(from_a_loss(5.0, 3.0, 2.5, 1.5, 0.5))
    assert (found.level, found.horizon, found.grid[0], found.grid[-1]) == (0.5, 1.0, 4.0, 1.0)
    assert (found.x_min, found.x_max, found.less_is_better) == (2.0, 4.0, True)
    assert (np.diff(found.grid) < 0).all()
    np.testing.assert_allclose(found.log10_scale, np.log10([np.nan, 3, 2.5, 1.5, np.nan]))
    assert found.already.tolist() == [True, False, False, False, False]
    assert found.never.tolist() == [False, False, False, False, True]
    assert not found.limit_short.any()  # its limit at a loss of 0 is past the level
    assert found.unlock.tolist()[0] == -np.inf
    assert (np.diff(found.unlock) > 0).all()
    assert found.forecast.median == pytest.approx(np.log10(2.5))
    assert (found.forecast.lo, found.forecast.hi) == (-np.inf, np.inf)
    assert (found.forecast.p_already, found.forecast.p_never) == (0.2, 0.2)
    by = [found.p_unlocked_by(x) for x in (1e3, 3.1, 2.9, 2.4, 1.0)]
    assert by == pytest.approx([0.2, 0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(found.p_by, [found.p_unlocked_by(x) for x in found.grid], atol=1e-12)
    assert found.wider is None
    assert found.summary()["log10"]["median"] == found.forecast.median


def test_from_a_loss_the_interval_begins_at_the_larger_one():
    found = threshold(from_a_loss(*np.linspace(3.0, 1.5, 100)), horizon=1.2)
    assert found.forecast.lo > found.forecast.median > found.forecast.hi
    assert 10**found.forecast.lo == pytest.approx(2.94, abs=0.02)
    assert 10**found.forecast.hi == pytest.approx(1.56, abs=0.02)
    assert found.horizon == 1.2
    assert any("within the data" in note for note in found.notes)
    assert any("54 to 68 %" in note for note in found.notes)
    later = threshold(from_a_loss(1.6)).notes
    assert any("0.097 decades beyond the smallest loss, at 1.6" in note for note in later)
    assert any("not reached down to 1" in note for note in threshold(from_a_loss(0.5)).notes)
    with pytest.raises(ValueError, match="horizon 3 must not be above the smallest loss 2"):
        threshold(from_a_loss(1.6), horizon=3.0)
    with pytest.raises(ValueError, match=r"at or above the horizon 1, not 0\.9"):
        threshold(from_a_loss(1.6)).p_unlocked_by(0.9)


def test_compute_is_told_in_parameters():
    draws = {"g": [0.0] * 3, "u": [1.0] * 3, "x50": [1.2, 120.0, 1e9], "k": [9.0] * 3}
    posterior = posterior_of(sigmoid, draws, x=(1e-2, 1e2), name="flops_1e21")
    found = threshold(posterior, 0.5, horizon=1e6)
    params = found.params(unit=1e21)  # 1.2e21 FLOP at 20 tokens a parameter: C = 120 N^2
    assert (params.lo, params.hi) == (pytest.approx(np.log10(1e19) / 2), np.inf)
    assert params.median == pytest.approx(0.5 * np.log10(1e21))
    assert (params.p_never, params.ess) == (found.forecast.p_never, found.forecast.ess)
    more = found.params(tokens_per_param=2000.0, unit=1e21)
    assert more.median == pytest.approx(params.median - 1)
    for kwargs, message in (({"unit": 0.0}, "unit must be"), ({"tokens_per_param": np.inf}, "per")):
        with pytest.raises(ValueError, match=message):
            found.params(**kwargs)
    with pytest.raises(ValueError, match=r"only a scale in FLOP.*'params'"):
        threshold(curve(*(0.5,) * 8), 0.6).params()


@pytest.mark.parametrize(
    ("scale", "name", "said"),
    [
        (5.4e11, "N params", ", about the size of PaLM 540B"),
        (1e11, "x params", ", between Qwen2.5 72B and GLM 130B"),
        (1e12, "N", ", beyond the largest model listed (PaLM 540B)"),
        (2.0e6, "N", ", below the smallest model listed (Pythia 70M)"),
        (2.6e24, "C compute", ", about the training compute of PaLM 540B"),
        (1e24, "C compute", ", between MT-NLG 530B and PaLM 540B in training compute"),
        (100.0, "N params", ""),
        (1e11, "x width", ""),
        (np.inf, "N params", ""),
    ],
)
def test_where_a_scale_stands_among_published_models(scale, name, said):
    assert place(np.log10(scale), name) == said


def test_what_threshold_refuses():
    loss = posterior_of(power(), {"E": [1.0], "A": [100.0], "alpha": [0.2]})
    accuracy = curve(*(0.5,) * 8)
    two = posterior_of(
        chinchilla, {k: [v] for k, v in dict(E=1.8, A=480, B=2085, alpha=0.35, beta=0.36).items()}
    )
    for posterior, kwargs, message in (
        (loss, {}, "no natural level"),
        (accuracy, {"level": 50.0}, "between 0 and 1"),
        (accuracy, {"level": "most"}, "a level is a number"),
        (accuracy, {"horizon": 1e9}, "below the largest run"),
        (accuracy, {"by": "tokens"}, "'tokens' is no scale"),
        (accuracy, {"direction": "under"}, r"direction \(--direction\) is up or down, got 'under'"),
        (two, {"level": 2.0}, "every other needs a value"),
        (two, {"level": 2.0, "at": {"D": "20*M"}}, r"D, at=.*no column 'M'"),
        (two, {"level": 2.0, "at": {"D": -1.0}}, "positive and finite"),
    ):
        with pytest.raises(ValueError, match=message):
            threshold(posterior, **kwargs)
    with pytest.raises(ValueError, match="to the horizon"):
        threshold(accuracy, 0.6).p_unlocked_by(1e20)
    with pytest.raises(FailedFit, match="bad"):
        threshold(posterior_of(knots, {"y": [(0.5,) * 8]}, ok=False))


def test_curves_are_answered_by_name_and_failed_ones_marked():
    one = curve(0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9)
    labels = np.repeat(["good", "bad"], 8).astype(object)
    data = Dataset(
        {"x": np.tile(one.data.inputs["x"], 2)},
        {"y": np.full(16, 0.5)},
        n=np.full(16, 100.0),
        curve=labels,
    )
    (verdict,) = one.health.verdicts
    both = replace(
        one,
        data=data,
        draws={k: np.stack([v, v]) for k, v in one.draws.items()},
        health=Health((verdict, replace(verdict, sampling=Finding(("chains disagree",))))),
    )
    found = threshold(both)
    assert list(found) == ["good", "bad"]
    assert not any("NOT TO BE TRUSTED" in note for note in found["good"].notes)
    assert "NOT TO BE TRUSTED: chains disagree" in found["bad"].notes
    np.testing.assert_allclose(found["bad"].log10_scale, 9.5, atol=1e-9)


# ------------------------------------------------------------------ beside a wider prior


def from_the_prior(draws=4000, **kwargs):
    """Draws of a sharp sigmoid whose unlock scale is the prior's: 1e11 and a decade, t2."""
    z = student_t.ppf((np.arange(draws) + 0.5) / draws, 2)
    draws = {"g": 0 * z, "u": 0 * z + 1, "x50": 10 ** (11 + np.clip(z, -60, 60)), "k": 0 * z + 9}
    return posterior_of(sigmoid, draws, **kwargs)


def test_the_wider_forecast_is_the_wider_prior_where_the_data_say_nothing():
    found = threshold(from_the_prior(unidentified=("x50",)), 0.5)
    assert found.forecast.p_never == pytest.approx(student_t.sf(4, 2), abs=1e-3)
    assert found.wider.p_never == pytest.approx(student_t.sf(2, 2), abs=2e-3)
    assert found.wider.p_already == pytest.approx(student_t.cdf(-1.5, 2), abs=2e-3)
    assert found.wider.median == pytest.approx(11.0, abs=0.01)
    assert found.wider.ess < found.forecast.ess == 4000
    assert any("the forecast is the prior" in note for note in found.notes)
    assert found.summary()["wider"]["p_never"] == found.wider.p_never
    assert list(found.table().index) == ["law's prior", "wider prior"]


def test_which_parameter_is_an_unlock_scale():
    ones = {"g": [0.1], "u": [0.9], "x50": [1e12], "k": [1.0]}
    assert unlock_parameter(posterior_of(sigmoid, ones)) == "x50"
    assert unlock_parameter(posterior_of(sigmoid.fix(x50=1e12), ones)) is None
    match = {"g": [0.1], "u": [0.9], "x50": [1e12], "alpha": [1.0]}
    other = posterior_of(exact_match(), match)
    assert unlock_parameter(other) == "x50"
    np.testing.assert_allclose(
        wider_weights(other), wider_weights(posterior_of(sigmoid, ones)), rtol=1e-6
    )
    # That of one token is none.
    token = {"g": [0.1], "u": [0.9], "c": [1e9], "alpha": [1.0]}
    assert unlock_parameter(posterior_of(exact_match(True), token)) is None


def test_a_prior_without_a_formula_of_its_quantiles_is_widened_about_its_median():
    """NumPyro knows no quantiles of a mixture."""
    either = dist.Categorical(probs=jnp.array([0.5, 0.5]))
    prior = dist.MixtureSameFamily(either, dist.LogNormal(jnp.array([20.0, 24.0]), jnp.ones(2)))

    @law(support="unit", improves="up", response="accuracy", unlock="x50")
    def mine(x, *, x50=prior, k=positive(0.3, 3)):
        """1 / (1 + (x / x50)^-k)."""
        return 1 / (1 + (x / x50) ** -k)

    logs = np.array([20.0, 22.0, 25.0])
    with jax.numpy_rank_promotion("allow"):  # as NumPyro's own mixture needs
        found = wider_weights(posterior_of(mine, {"x50": np.exp(logs), "k": [1.0] * 3}))
    density = lambda log: norm.pdf(log, 20) + norm.pdf(log, 24)  # noqa: E731
    expected = density(22 + (logs - 22) / 2) / 2 / density(logs)
    np.testing.assert_allclose(found / found[1], expected / expected[1], rtol=0.1)


def test_the_wider_prior_is_of_the_average_group():
    from bayescale.inference.fit import natural

    data = Dataset(
        {"x": np.geomspace(1e8, 1e11, 8)},
        {"y": np.full(8, 0.5)},
        n=np.full(8, 100.0),
        group=np.array(["a", "b"] * 4, object),
    )
    model = Model(sigmoid, beta_binomial, pool=("x50",), groups=2)
    z = np.random.default_rng(0).normal(size=(1, 1, 50, model.size))
    with jax.enable_x64(True):
        lane = pack(model, data)[0].data
        draws = {k: np.asarray(v)[0] for k, v in natural(model, z, lane)[0].items()}
    plain = posterior_of(sigmoid, {k: [1.0] for k in ("g", "u", "x50", "k")})
    pooled = replace(plain, model=model, data=data, draws=draws, z=z[0])
    apart = replace(pooled, model=Model(sigmoid, beta_binomial))
    expected = wider_weights(apart)  # of the draws themselves: those of the average group
    assert np.ptp(np.log(expected)) > 0.1
    for group in ("a", "b", AVERAGE, NEW):
        one = for_group(pooled, group)
        assert (group == AVERAGE) == np.allclose(one.draws["x50"], draws["x50"], rtol=1e-5)
        np.testing.assert_allclose(wider_weights(one), expected, rtol=1e-5)
        assert threshold(one).wider is not None
    assert wider_weights(replace(pooled, z=None)) is None


def test_few_effective_draws_are_said():
    assert any("rough" in note for note in threshold(from_the_prior(40), 0.5).notes)
    fixed = posterior_of(sigmoid.fix(x50=1e12), {"g": [0.1], "u": [0.9], "x50": [1e12], "k": [1.0]})
    assert threshold(fixed, 0.5).wider is None


def test_a_forecast_beyond_the_data_says_so_and_where():
    draws = {"g": [0.0], "u": [1.0], "x50": [5.4e11], "k": [2.0]}
    notes = threshold(posterior_of(sigmoid, draws), 0.5).notes
    assert any("0.73 decades beyond" in note and "PaLM 540B" in note for note in notes)
    assert any("54 to 68 %" in note for note in notes)
    unnamed = threshold(posterior_of(sigmoid, draws, name="width"), 0.5).notes
    assert not any("PaLM" in note for note in unnamed)


def test_addition_from_models_that_are_all_near_the_floor():
    from bayescale import NUTS, fit, from_frame
    from bayescale.datasets.tables import load

    where = "setting == 'few-shot' and params < 1e10"
    data = from_frame(load("gpt3_addition"), {"x": "params"}, "accuracy", n="n", where=where)
    posterior = fit("sigmoid", data, sampler=NUTS(warmup=200, draws=200, retries=0))
    found = threshold(posterior, allow_failed=True)
    # With 16,000 draws lo is 10.7, P(never) .42: so near a half, few draws may have no median.
    assert 10.3 < found.forecast.lo < 11.1
    assert 0.2 < found.forecast.p_never < 0.65
    assert found.forecast.median > 11
    assert found.forecast.hi - found.forecast.lo > 1
    assert found.wider.hi - found.wider.lo > 1
