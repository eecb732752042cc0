"""Conditions of constructed draws, whose kinds, thresholds and shifts are known."""

import json
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest

from bayescale.data.dataset import Dataset
from bayescale.laws import distractor, power, sigmoid
from bayescale.misfit.misfit import Finding
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import student
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import positive
from bayescale.posterior.groups import for_group
from bayescale.posterior.health import FailedFit, Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.conditions import REPEATED, conditions
from bayescale.questions.kind import kind
from bayescale.questions.kinds import CUT, KINDS, classify
from bayescale.questions.threshold import threshold

X = np.geomspace(1e8, 1e12, 9)
DECADE = np.log(10.0)


@law(support="unit", improves="up", response="accuracy")
def line(x, *, s=dist.Normal(0.0, 1.0)):
    """.5 at 1e10 and s a decade: inverse where s < 0."""
    return jnp.clip(0.5 + s * (jnp.log10(x) - 10), 0.01, 0.99)


def pooled(law, pool, shifts, *, ok=True, x=(X, X), names=("b", "a"), **draws):
    """A fit of conditions b and a, in this order of rows; shifts, (draw,), are of (a, b)."""
    unit = law.support == "unit"
    group = np.repeat(names, [len(each) for each in x]).astype(object)
    data = Dataset(
        {"x": np.concatenate(x)},
        {"y": np.full(len(group), 0.5)},
        n=np.full(len(group), 100.0) if unit else None,
        group=group,
        columns={"x": "params"},
    )
    draws = {k: np.asarray(v, float)[None] for k, v in draws.items()}
    lead = next(iter(draws.values())).shape
    noise = {"rho": 0.01} if unit else {"sigma": 0.01, "nu": 20.0}
    draws |= {k: np.full(lead, v) for k, v in noise.items()}
    for name in pool:
        draws[f"{name}_sd"] = np.ones(lead)
        draws[f"{name}_shift"] = np.stack([np.broadcast_to(v, lead) for v in shifts[name]], -1)
    problems = () if ok else ("bad",)
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, (), Finding(problems, problems))
    run = SamplingInfo(0, "NUTS", *lead, "float64", "cpu", {}, {}, 1.0)
    model = Model(law, beta_binomial if unit else student, pool=tuple(pool), groups=2)
    return Posterior(model, data, draws, {}, Health((verdict,)), run)


def steps(a, b, draws=40, **facts):
    """Steps from 0 to 1 whose x50 is 1e10, moved by so many decades under a and b."""
    shifts = {"x50": (np.multiply(a, DECADE), np.multiply(b, DECADE))}
    one = np.ones(draws)
    return pooled(sigmoid, ("x50",), shifts, g=0 * one, u=one, x50=1e10 * one, k=50 * one, **facts)


def lines(a, b, **facts):
    """Straight lines whose slopes are these, over and over to 40 draws."""
    a, b = np.resize(a, 40), np.resize(b, 40)
    return pooled(line, ("s",), {"s": (a, b)}, s=np.zeros(40), **facts)


def test_thresholds_shapes_and_shifts_of_each_condition():
    fit = steps(1.0, -0.5)
    found = conditions(fit, level=0.5)
    assert found.reference == "b"  # the first row's
    assert list(found.kinds) == list(found.thresholds) == ["b", "a"]
    assert found.thresholds["a"].forecast.median == pytest.approx(11.0, abs=1e-6)
    assert found.thresholds["b"].forecast.median == pytest.approx(9.5, abs=1e-6)
    assert found.kinds["a"].likeliest == found.kinds["b"].likeliest == "emergent"
    change = found.changes["a"]
    assert list(found.changes) == ["a"]
    assert change.p_differs == 0
    assert change.likeliest is None
    assert change.shifts["sigmoid"]["x50"].summary()["median"] == pytest.approx(1.5)
    assert change.delay() == pytest.approx(
        {"lo": 1.5, "median": 1.5, "hi": 1.5, "share": 1.0, "p_later": 1.0, "unit": "decades"}
    )
    other = conditions(fit, level=0.5, reference="a").changes["b"]
    assert other.delay()["median"] == pytest.approx(-1.5)
    assert other.delay()["p_later"] == 0
    for name in ("a", "b"):
        alone = for_group(fit, name)
        np.testing.assert_array_equal(found.kinds[name].codes, kind(alone).codes)
        assert found.thresholds[name].forecast == threshold(alone, 0.5).forecast


def test_kinds_are_compared_draw_by_draw():
    up, down = [0.1, 0.1, -0.1, -0.1], [-0.1, -0.1, 0.1, 0.1]
    same, apart = conditions(lines(up, up)), conditions(lines(up, down))
    for found in (same, apart):  # the kinds of either condition alone are the same
        for each in found.kinds.values():
            assert each.kinds["steady"] == pytest.approx(0.5)
    assert same.changes["a"].p_differs == 0
    assert apart.changes["a"].p_differs == pytest.approx(1)
    three = conditions(lines([0.1, 0.1, 0.1, -0.1], [-0.1, -0.1, 0.1, -0.1])).changes["a"]
    half = pytest.approx(0.5)
    assert three.p_differs == half
    assert three.likeliest == ("inverse", "steady", half)
    assert three.table().loc["inverse", "steady"] == half  # rows are the reference's
    assert three.joint.sum() == pytest.approx(1)
    assert three.joint.shape == (len(KINDS),) * 2


def test_the_level_may_be_passed_under_one_condition_alone():
    found = conditions(steps(0.0, 9.0), level=0.5, reference="a").changes["b"]
    none = dict.fromkeys(("lo", "median", "hi"))
    assert found.delay() == none | {"share": 1.0, "p_later": 1.0, "unit": "decades"}
    never = conditions(steps(9.0, 9.0), level=0.5).changes["a"]
    assert np.isnan(never.later).all()
    assert never.delay() is None


def test_a_mixture_of_laws_is_compared_within_each_law():
    up = 0.1
    parts = {"moves": lines(up, -up), "stays": lines(up, up), "steps": steps(1.0, 0.0, 8)}
    found = conditions(mix(parts, {"moves": 0.3, "stays": 0.2, "steps": 0.5}), level=0.55)
    change = found.changes["a"]
    assert change.p_differs == pytest.approx(0.3)
    assert change.likeliest == ("inverse", "steady", pytest.approx(0.3))
    assert change.joint[KINDS.index("emergent"), KINDS.index("emergent")] == pytest.approx(0.5)
    assert change.weights.sum() == pytest.approx(1)
    assert {law: list(each) for law, each in change.shifts.items()} == {
        "moves": ["s"],
        "stays": ["s"],
        "steps": ["x50"],
    }
    assert any("0.50 steps" in note for note in found.notes)
    failed = mix({"good": parts["moves"], "bad": lines(up, up, ok=False)})
    assert conditions(failed).changes["a"].p_differs == pytest.approx(1)
    assert conditions(failed, allow_failed=True).changes["a"].p_differs == pytest.approx(0.5)


def test_draws_without_a_curve_are_left_out_of_the_pair():
    found = conditions(lines([0.1, np.nan, 0.1, 0.1], [0.1, 0.1, np.nan, -0.1])).changes["a"]
    assert found.p_differs == pytest.approx(0.5)
    np.testing.assert_allclose(found.weights[:4], [0.05, 0, 0, 0.05])


def test_the_kinds_of_two_conditions_before_the_data():
    found = conditions(lines([0.1], [0.1]))
    np.testing.assert_allclose(found.before, found.before.T, atol=0.03)
    # Slopes are s + sd e, of which the average condition has s alone.
    rng = np.random.default_rng(0)
    sd = np.exp(positive(0.05, 1).base_dist.scale * rng.normal(size=4000)) * 0.05**0.5
    pair = rng.normal(size=4000) + sd * rng.normal(size=(2, 4000))
    t = np.linspace(-2, 2, 257)
    one, other = (classify(np.clip(0.5 + s[:, None] * t, 0.01, 0.99), CUT) for s in pair)
    assert found.p_differs_before == pytest.approx((one != other).mean(), abs=0.04)
    again = conditions(lines([0.1], [0.1]), seed=0)
    np.testing.assert_array_equal(found.before, again.before)


def test_what_is_said_of_shared_and_of_missing_rows():
    assert REPEATED in conditions(steps(0.0, 0.0)).notes
    apart = conditions(steps(0.0, 0.0, x=(np.geomspace(1e8, 1e10, 9), X * 1.1))).notes
    assert REPEATED not in apart
    assert any("b was measured from 1e+08 to 1e+10 alone" in note for note in apart)
    assert not any("a was measured" in note for note in apart)


def test_plain_numbers_and_a_table():
    found = conditions(lines([0.1, 0.1], [0.1, -0.1]), cut=0.02, lo=1e9, hi=1e11)
    said = json.loads(json.dumps(found.summary(), allow_nan=False))
    assert said["kinds"]["a"]["cut"] == 0.02
    assert (said["kinds"]["b"]["lo"], said["kinds"]["b"]["hi"]) == (1e9, 1e11)
    half = pytest.approx(0.5)
    assert said["changes"]["a"]["joint"] == {"steady -> steady": half, "inverse -> steady": half}
    assert said["changes"]["a"]["likeliest"] == {
        "from": "inverse",
        "to": "steady",
        "probability": half,
    }
    frame = found.table()
    assert list(frame.index) == ["b", "a"]
    assert frame.loc["a", "p_differs"] == half
    assert (frame.loc["a", "from"], frame.loc["a", "to"]) == ("inverse", "steady")
    assert np.isnan(frame.loc["b", "p_differs"])


def test_a_loss_has_kinds_and_thresholds_where_it_has_a_level():
    one = np.ones(40)
    law, facts = power(), dict(E=0.1 * one, A=one * 1e3, alpha=0.3 * one)
    fit = pooled(law, ("alpha",), {"alpha": (0.1, -0.1)}, **facts)
    bare = conditions(fit)
    assert bare.thresholds == {}
    assert bare.changes["a"].delay() is None
    assert "threshold" not in bare.table()
    found = conditions(fit, level=1.0)
    assert found.changes["a"].delay()["median"] < 0  # it falls faster
    assert set(found.kinds) == {"a", "b"}


def test_along_dates_scales_are_days_and_shifts_years():
    fit = steps(1.0, -0.5)
    data = replace(fit.data, columns={"x": "exp(years(date) - 2020)"})
    found = conditions(replace(fit, data=data), level=0.5, lo="2040-01-01", hi=2046)
    assert (found.kinds["a"].lo, found.kinds["a"].hi) == pytest.approx(np.exp([20.0, 26.0]))
    assert "from 2040-01-01 to 2046-01-01 date" in repr(found.kinds["a"])
    unlock = found.thresholds["a"]  # 2020 and the log of 1e11
    assert "2045-04-30" in repr(found)
    assert (unlock.p_unlocked_by("2045-04-01"), unlock.p_unlocked_by(2046)) == (0.0, 1.0)
    change = found.changes["a"]
    for told in (change.delay(), change.shifts["sigmoid"]["x50"].summary()):
        assert told["unit"] == "years"
        assert told["median"] == pytest.approx(1.5 * np.log(10))
    assert "threshold, years" in repr(change)
    with pytest.raises(ValueError, match=r"lo \(--lo\) is a number, got 'early'"):
        kind(for_group(fit, "a"), lo="early")


def test_a_seed_that_is_none_is_refused_by_every_question():
    fit = steps(1.0, -0.5)
    for ask in (conditions, lambda one, seed: kind(for_group(one, "a"), seed=seed)):
        with pytest.raises(ValueError, match="seed is a whole number"):
            ask(fit, seed=-1)


def test_what_conditions_refuses():
    fit = steps(0.0, 1.0)
    with pytest.raises(ValueError, match="no condition 'c'; there are: 'a', 'b'"):
        conditions(fit, reference="c")
    with pytest.raises(ValueError, match=r"in sigmoid nothing differs.*pool"):
        conditions(replace(fit, model=Model(sigmoid, beta_binomial)))
    with pytest.raises(FailedFit, match="bad"):
        conditions(steps(0.0, 1.0, ok=False))
    found = conditions(steps(0.0, 1.0, ok=False), allow_failed=True)
    assert "NOT TO BE TRUSTED: bad" in found.notes
    with pytest.raises(ValueError, match="0 < lo < hi"):
        conditions(fit, lo=1e9, hi=1e8)


def test_an_inverse_task_becomes_u_shaped():
    one = np.ones(40)
    facts = dict(g=0.25 * one, u=0.9 * one, d=0.05 * one, x50=1e11 * one, gap=4 * one, k=3 * one)
    shifts = {"x50": (0.0, 3 * DECADE), "gap": (0.0, np.log1p(3 * DECADE / 4))}
    found = conditions(pooled(distractor, ("x50", "gap"), shifts, **facts), reference="b")
    assert found.changes["a"].likeliest == ("inverse", "u_shaped", pytest.approx(1.0))
    assert found.kinds["a"].turning_point()["log10_scale"]["median"] > 9
    assert 0.02 < found.p_differs_before < 0.6
