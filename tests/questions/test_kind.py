"""Shapes of constructed draws, whose kind is known, and of a real fit."""

import json
from dataclasses import replace

import hypothesis.strategies as st
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from hypothesis import assume, given, settings
from hypothesis.extra.numpy import arrays

from bayescale.data.dataset import Dataset
from bayescale.laws import chinchilla, from_loss, power, sigmoid
from bayescale.misfit.misfit import Finding
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import student
from bayescale.parametric.parametric import law
from bayescale.posterior.health import FailedFit, Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.kind import implied_prior, kind
from bayescale.questions.kinds import CUT, KINDS, WAIT, classify, fall, waited

KNOTS = np.linspace(np.log(1e8), np.log(1e12), 5)
T = np.linspace(0.0, 1.0, 257)


@law(support="unit", improves="up", response="accuracy")
def knots(x, *, y=dist.Uniform(np.zeros(5), 1.0).to_event(1)):
    """An accuracy through values at 1e8, ... 1e12, straight in log x."""
    return jnp.interp(jnp.log(x), jnp.asarray(KNOTS), y)


@law
def losses(x, *, y=dist.Uniform(np.ones(5), 3.0).to_event(1)):
    """A loss through values at 1e8, ... 1e12, straight in log x."""
    return jnp.interp(jnp.log(x), jnp.asarray(KNOTS), y)


@law(support="unit", improves="up", response="accuracy")
def level(x, *, p=dist.Uniform(0.0, 1.0)):
    """The same everywhere."""
    return p + 0 * jnp.log(x)


def posterior_of(law, draws, *, ok=True, y=0.5):
    """A posterior whose draws, (draw, ...) each, are given."""
    unit = law.support == "unit"
    data = Dataset(
        dict.fromkeys(law.inputs, np.geomspace(1e8, 1e12, 9)),
        {"y": np.full(9, y)},
        n=np.full(9, 100.0) if unit else None,
        columns={law.inputs[0]: "params"},
    )
    noise = {"rho": 0.01} if unit else {"sigma": 0.01, "nu": 20.0}
    draws = {k: np.asarray(v, float)[None] for k, v in draws.items()}
    lead = next(iter(draws.values())).shape[:2]
    draws |= {k: np.full(lead, v) for k, v in noise.items()}
    problems = () if ok else ("bad",)
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, (), Finding(problems, problems))
    run = SamplingInfo(0, "NUTS", *lead, "float64", "cpu", {}, {}, 1.0)
    model = Model(law, beta_binomial if unit else student)
    return Posterior(model, data, draws, {}, Health((verdict,)), run)


def through(*y):
    """Straight lines through values at even distances, one curve."""
    return np.interp(T, np.linspace(0, 1, len(y)), y)[None]


def plain_kind(curve, cut=CUT, wait=WAIT):
    return KINDS[classify(curve, cut, wait)[0]]


# ------------------------------------------------------------------ the definition


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ((0.3, 0.3), "flat"),
        ((0.3, 0.34, 0.31), "flat"),
        ((0.3, 0.9), "steady"),
        ((0.3, 0.6, 0.6, 0.9), "steady"),  # a plateau later on is no wait
        ((0.3, 0.3, 0.3, 0.9), "emergent"),
        ((0.9, 0.3), "inverse"),
        ((0.9, 0.9, 0.9, 0.3), "inverse"),
        ((0.6, 0.3, 0.6), "u_shaped"),
        ((0.6, 0.3, 0.36), "u_shaped"),
        ((0.3, 0.6, 0.3), "inverted_u"),
        ((0.3, 0.6, 0.54), "inverted_u"),
        # Double descent of an error: performance goes up, down and up again.
        ((0.3, 0.6, 0.4, 0.9), "u_shaped"),
        # A bump on the way down, and a dip on the way up that is too small to count.
        ((0.9, 0.5, 0.6, 0.1), "inverted_u"),
        ((0.3, 0.6, 0.58, 0.9), "steady"),
        # The largest fall decides: what rises before it does not count as a recovery.
        ((0.5, 0.4, 0.6, 0.1, 0.12), "inverted_u"),
    ],
)
def test_kinds_of_plain_curves(y, expected):
    assert plain_kind(through(*y)) == expected


def test_a_sigmoid_is_emergent_when_it_unlocks_late_and_steady_when_early():
    curve = lambda at: 0.2 + 0.7 / (1 + np.exp(-30 * (T - at)))[None]  # noqa: E731
    assert [plain_kind(curve(at)) for at in (0.1, 0.3, 0.5, 0.9, 2.0)] == [
        *("steady", "steady", "emergent", "emergent", "flat")
    ]


def test_a_change_of_exactly_the_cut_counts():
    for lo, hi in ((0.25, 0.3), (0.1, 0.15), (0.3, 0.35), (0.9, 0.95)):
        assert plain_kind(through(hi, lo, lo, lo)) == "inverse"
        assert plain_kind(through(lo, lo, hi)) == "emergent"
        assert plain_kind(through(hi, lo, hi)) == "u_shaped"
        assert plain_kind(through(lo, hi, lo)) == "inverted_u"
        assert plain_kind(through(lo, hi - 1e-6, lo)) == "flat"


def test_the_wait_is_a_share_of_the_log_range():
    step = lambda share: np.where(share <= T, 0.9, 0.3)[None]  # noqa: E731
    hinge = lambda share: 0.3 + 0.6 * np.maximum(T - share, 0)[None] / (1 - share)  # noqa: E731
    for curve in (step, hinge):
        for share in (0.125, 0.25, 0.5, 0.75):
            assert waited(curve(share), CUT)[0] == pytest.approx(share, abs=1 / 128)
            assert plain_kind(curve(share), wait=share - 1 / 128) == "emergent"
            assert plain_kind(curve(share), wait=share + 1 / 128) == "steady"
    assert waited(-hinge(0.25), CUT)[0] == pytest.approx(0.25, abs=1 / 128)
    assert waited(through(0.3, 0.34, 0.3), CUT)[0] == 1.0  # no change that counts


def test_the_wait_is_that_of_uneven_points_joined_by_lines():
    at = np.array([0.0, 0.1, 0.4, 1.0])  # level for .4, then straight
    assert waited(np.array([[0.2, 0.2, 0.2, 0.8]]), CUT, at)[0] == pytest.approx(0.4)
    assert waited(np.array([[0.2, 0.26, 0.44, 0.8]]), CUT, at)[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("top", [0.35, 0.44, 0.46, 0.99])
def test_a_straight_line_is_steady_whatever_its_rise(top):
    assert plain_kind(through(0.3, top)) == "steady"
    assert plain_kind(through(0.3, 0.3, 0.3, top)) == "emergent"


def test_what_moves_by_less_than_the_cut_counts_as_level():
    slow = through(0.30, 0.32, 0.34, 0.46)
    assert plain_kind(slow) == "emergent"
    assert plain_kind(slow, cut=0.02) == "steady"
    assert plain_kind(through(0.30, 0.35, 0.40, 0.60)) == "steady"


def test_where_a_fall_begins_and_ends():
    found = fall(np.concatenate([through(0.6, 0.3, 0.6), through(0.2, 0.7, 0.1), through(0.1, 1)]))
    assert found.top.tolist()[:2] == [0, 128]
    assert found.bottom.tolist()[:2] == [128, 256]
    np.testing.assert_allclose(found.depth, [0.3, 0.6, 0.0], atol=1e-12)
    plateaus = fall(np.array([[0.1, 0.5, 0.5, 0.2, 0.2, 0.4]]))  # the steepest way down
    assert (plateaus.top[0], plateaus.bottom[0]) == (2, 3)


# In 64ths, whose differences are exact, and cuts that none of them equals.
ANY = arrays(float, (5, 12), elements=st.integers(0, 64).map(lambda i: i / 64))
CUTS = st.integers(0, 32).map(lambda i: (2 * i + 1) / 128)


@settings(max_examples=60, deadline=None)
@given(ANY, CUTS)
def test_the_definition_agrees_with_a_plain_search(curves, cut):
    for y, code in zip(curves, classify(curves, cut), strict=True):
        pairs = [(y[j] - y[i], i, j) for i in range(12) for j in range(i, 12)]
        rise, drop = max(d for d, *_ in pairs), -min(d for d, *_ in pairs)
        bottom = min(pairs, key=lambda pair: (pair[0], pair[2]))[2]
        assert fall(y[None]).depth[0] == drop
        if rise < cut or drop < cut:
            up = "steady"
            if rise >= cut:
                near, fine = min(cut, (y.max() - y[0]) / 2), np.linspace(0, 11, 110_001)
                line = np.interp(fine, np.arange(12), y) - y[0]
                t1, t2 = (fine[np.argmax(line >= far - 1e-9)] / 11 for far in (near, 2 * near))
                assume(abs(2 * t1 - t2 - 1 / 3) > 1e-3)
                up = "emergent" if 2 * t1 - t2 >= 1 / 3 else "steady"
            expected = {(False, False): "flat", (True, False): up, (False, True): "inverse"}
            assert KINDS[code] == expected[bool(rise >= cut), bool(drop >= cut)]
        else:
            again = y[bottom:].max() - y[bottom] >= cut
            assert KINDS[code] == ("u_shaped" if again else "inverted_u")


@settings(max_examples=60, deadline=None)
@given(ANY, CUTS, st.sampled_from([0.5, 4.0, 1024.0]))
def test_units_do_not_matter_and_mirrors_swap_rise_and_fall(curves, cut, unit):
    codes = classify(curves, cut)
    np.testing.assert_array_equal(classify(curves * unit, cut * unit), codes)
    swapped = {
        "flat": {"flat"},
        "steady": {"inverse"},
        "emergent": {"inverse"},
        "inverse": {"steady", "emergent"},
    }
    for code, mirrored in zip(codes, classify(-curves, cut), strict=True):
        both = {"u_shaped", "inverted_u"}
        assert KINDS[mirrored] in swapped.get(KINDS[code], both)


# ------------------------------------------------------------------ the record

U, BUMP, LATE = (0.6, 0.4, 0.3, 0.4, 0.6), (0.3, 0.5, 0.7, 0.5, 0.3), (0.3, 0.3, 0.3, 0.6, 0.9)


def test_probabilities_are_shares_of_draws():
    found = kind(posterior_of(knots, {"y": [U] * 6 + [BUMP] * 3 + [LATE]}))
    assert found.kinds == pytest.approx(
        dict(zip(KINDS, (0, 0, 0.1, 0.6, 0.3, 0), strict=True)), abs=1e-12
    )
    assert (found.likeliest, found.probability) == ("u_shaped", pytest.approx(0.6))
    np.testing.assert_allclose(found.turning, [10.0] * 9 + [np.nan], atol=1e-9)
    np.testing.assert_allclose(found.depth, [0.3] * 6 + [0.4] * 3 + [0.0], atol=1e-9)
    np.testing.assert_allclose(found.rise, [0.3] * 6 + [0.4] * 3 + [0.6], atol=1e-9)
    assert found.waited[-1] == pytest.approx(0.5, abs=1 / 256)
    assert (found.cut, found.wait, found.lo, found.hi) == (CUT, WAIT, 1e8, pytest.approx(1e12))
    assert found.column == "params"
    assert found.turning_point() is None  # six draws are too few to speak of
    assert json.loads(json.dumps(found.summary()))["kinds"] == found.kinds


def test_the_turning_point_of_a_u():
    depth = np.linspace(0.1, 0.3, 50)
    dips = [(0.6, 0.6, 0.6 - d, 0.6, 0.6) for d in depth] + [LATE] * 50
    found = kind(posterior_of(knots, {"y": dips})).turning_point()
    assert found["share"] == pytest.approx(0.5)
    assert found["log10_scale"] == pytest.approx({"lo": 10.0, "median": 10.0, "hi": 10.0})
    lo, median, hi = np.quantile(depth, [0.05, 0.5, 0.95])
    assert found["depth"] == pytest.approx({"lo": lo, "median": median, "hi": hi}, abs=0.005)
    peaks = kind(posterior_of(knots, {"y": [BUMP] * 30}))
    assert peaks.turning_point(kind="inverted_u")["log10_scale"]["median"] == pytest.approx(10.0)
    with pytest.raises(ValueError, match="a turning point is of"):
        peaks.turning_point(kind="flat")


def test_a_loss_that_falls_and_rises_is_an_inverted_u_of_performance():
    draws = {"y": [[3.0, 2.5, 2.0, 2.5, 3.0]]}
    found = kind(posterior_of(losses, draws, y=2.5))
    assert found.likeliest == "inverted_u"
    assert found.cut == pytest.approx(0.05 * 2.5)
    assert any("a fall of the loss is a rise" in note for note in found.notes)
    falls = posterior_of(power(), {"E": [1.0], "A": [100.0], "alpha": [0.2]}, y=1.5)
    assert kind(falls).likeliest == "steady"


def test_the_range_decides_and_beyond_the_data_is_said():
    posterior = posterior_of(knots, {"y": [U]})
    assert kind(posterior, hi=1e10).likeliest == "inverse"
    assert kind(posterior, lo=1e10).likeliest == "steady"
    assert kind(posterior, lo=1.2e8, hi=1.5e8).likeliest == "flat"
    assert not any("54 to 68 %" in note for note in kind(posterior).notes)
    assert any("54 to 68 %" in note for note in kind(posterior, hi=1e13).notes)


@settings(max_examples=20, deadline=None)
@given(arrays(float, (8, 5), elements=st.floats(0.01, 0.99)), st.floats(0.02, 0.4))
def test_probabilities_sum_to_one_and_a_larger_cut_is_flatter(y, cut):
    found = kind(posterior_of(knots, {"y": y}), cut=cut)
    for kinds in (found.kinds, found.half, found.double, found.implied):
        assert list(kinds) == list(KINDS)
        assert sum(kinds.values()) == pytest.approx(1)
    flat = [kinds["flat"] for kinds in (found.half, found.kinds, found.double)]
    assert (np.diff(flat) >= -1e-12).all()
    assert found.weights.sum() == pytest.approx(1)


def test_another_likeliest_kind_at_another_cut_is_said():
    y = (0.3, 0.3, 0.3, 0.34, 0.34)
    found = kind(posterior_of(knots, {"y": [y]}))
    assert (found.likeliest, found.half["emergent"]) == ("flat", 1.0)
    assert "at half the cut the likeliest kind is emergent, not flat" in found.notes


def test_other_inputs_are_held_or_follow():
    constants = dict(E=1.8, A=480.0, B=2085.0, alpha=0.35, beta=0.36)
    two = posterior_of(chinchilla, {k: [v] for k, v in constants.items()}, y=2.0)
    assert kind(two, at={"D": "20*N"}).likeliest == "steady"
    assert kind(two, by="N", at={"D": 1e20}).likeliest == "steady"
    with pytest.raises(ValueError, match=r"along one scale, by=.*takes N, D"):
        kind(two)


def test_from_a_loss_the_curve_is_followed_from_the_largest_down():
    L = np.linspace(4.0, 2.0, 9)
    constants = {"g": 0.25, "u": 0.95, "L0": 2.3, "k": 10.0}
    late = posterior_of(from_loss, {k: [v] for k, v in constants.items()})
    late = replace(late, data=replace(late.data, inputs={"L": L}, columns={"L": "loss"}))
    found = kind(late)
    assert found.likeliest == "emergent"
    at = lambda far: np.log(4 / (2.3 + np.log(0.7 / far - 1) / 10)) / np.log(2)  # noqa: E731
    assert found.waited[0] == pytest.approx(2 * at(0.05) - at(0.1), abs=2 / 256)
    assert (found.lo, found.hi, found.column) == (2.0, 4.0, "loss")
    assert any("from the largest loss to the smallest" in note for note in found.notes)
    early = replace(late, draws=late.draws | {"L0": np.array([[3.6]])})
    assert kind(early).likeliest == "steady"
    assert kind(late, lo=2.8).likeliest == "flat"
    assert any("54 to 68 %" in note for note in kind(late, lo=1.5).notes)
    # The law's own prior knows no fall, in this direction.
    assert found.implied["inverse"] == found.implied["u_shaped"] == 0.0


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"cut": 0.0}, "above 0, got 0"),
        ({"cut": 5.0}, "below 1 and above 0, got 5"),
        ({"cut": np.nan}, "above 0, got nan"),
        ({"lo": 1e10, "hi": 1e10}, "lo < hi, got lo=1e.10 and hi=1e.10"),
        ({"lo": -1.0}, "0 < lo < hi"),
        ({"wait": 0.0}, "at most 1, got 0"),
        ({"wait": 1.5}, "at most 1, got 1.5"),
        ({"by": "tokens"}, "'tokens' is no scale"),
        ({"prior": {"bumpy": 1.0}}, "'bumpy' is no kind of curve; they are flat, steady"),
        ({"prior": {"flat": 0.5, "steady": 0.4}}, "sum to 1"),
        ({"prior": {"flat": 1.5, "steady": -0.5}}, "0 or more"),
        ({"prior": {"flat": np.nan}}, "sum to 1"),
        ({"prior": {"flat": 1.0}}, r"a kind that the prior allows \(flat\)"),
    ],
)
def test_what_shape_refuses(kwargs, message):
    with pytest.raises(ValueError, match=message):
        kind(posterior_of(knots, {"y": [U]}), **kwargs)


def test_failed_fits_are_refused_and_marked():
    failed = posterior_of(knots, {"y": [U]}, ok=False)
    with pytest.raises(FailedFit, match="bad"):
        kind(failed)
    assert "NOT TO BE TRUSTED: bad" in kind(failed, allow_failed=True).notes


def test_draws_without_a_finite_curve_are_left_out():
    found = kind(posterior_of(knots, {"y": [U, BUMP, (0.5, 0.5, np.nan, 0.5, 0.5)]}))
    assert found.codes.tolist() == [KINDS.index("u_shaped"), KINDS.index("inverted_u"), -1]
    assert found.weights.tolist() == [0.5, 0.5, 0.0]
    assert np.isnan([found.turning[2], found.depth[2], found.rise[2], found.waited[2]]).all()
    assert any(note.startswith("33.3% of draws have no finite curve") for note in found.notes)
    with pytest.raises(FailedFit, match="no draw of knots has a finite curve"):
        kind(posterior_of(knots, {"y": [(np.nan,) * 5]}))


def test_curves_are_answered_by_name():
    one = posterior_of(knots, {"y": [U] * 3})
    (verdict,) = one.health.verdicts
    both = replace(
        one,
        data=Dataset(
            {"x": np.tile(one.data.inputs["x"], 2)},
            {"y": np.full(18, 0.5)},
            n=np.full(18, 100.0),
            curve=np.repeat(["good", "bad"], 9).astype(object),
        ),
        draws={k: np.stack([v, v]) for k, v in one.draws.items()},
        health=Health((verdict, replace(verdict, sampling=Finding(("chains disagree",))))),
    )
    with pytest.raises(ValueError, match="several curves; take one"):
        implied_prior(both)
    found = kind(both)
    assert list(found) == ["good", "bad"]
    assert {each.likeliest for each in found.values()} == {"u_shaped"}
    assert "NOT TO BE TRUSTED: chains disagree" in found["bad"].notes
    assert not any("TRUSTED" in note for note in found["good"].notes)


# ------------------------------------------------------------------ several laws, and priors


def test_a_mixture_weighs_its_members_not_their_draws():
    parts = {
        "knots": posterior_of(knots, {"y": [U] * 30 + [BUMP] * 10}),
        "level": posterior_of(level, {"p": [0.5] * 4}),
    }
    found = kind(mix(parts, {"knots": 0.8, "level": 0.2}, why="for the test"))
    assert found.kinds == pytest.approx(
        dict(zip(KINDS, (0.2, 0, 0, 0.6, 0.2, 0), strict=True)), abs=1e-12
    )
    np.testing.assert_allclose(found.weights, [0.8 / 40] * 40 + [0.2 / 4] * 4)
    assert found.turning_point()["share"] == pytest.approx(0.6)
    assert "an average over laws: 0.80 knots, 0.20 level; weights: for the test" in found.notes
    # Before the data the laws are equally likely, whatever their weights after.
    own = implied_prior(parts["knots"])
    assert found.implied["flat"] == pytest.approx(0.5 + own["flat"] / 2, abs=0.02)
    failed = mix(parts | {"level": posterior_of(level, {"p": [0.5] * 4}, ok=False)})
    assert kind(failed).kinds["u_shaped"] == pytest.approx(0.75)
    assert any("left out, not to be trusted: level" in note for note in kind(failed).notes)
    assert any("level: bad" in note for note in kind(failed, allow_failed=True).notes)


def test_the_implied_prior_is_the_law_prior_classified():
    posterior = posterior_of(knots, {"y": [U]})
    draws = np.random.default_rng(1).uniform(size=(20_000, 5))
    curves = np.stack([np.interp(4 * T, np.arange(5), y) for y in draws])
    expected = np.bincount(classify(curves, 0.2), minlength=6) / 20_000
    found = implied_prior(posterior, cut=0.2, draws=4000, seed=3)
    np.testing.assert_allclose(list(found.values()), expected, atol=0.03)
    assert found == implied_prior(posterior, cut=0.2, draws=4000, seed=3)
    assert implied_prior(posterior_of(level, {"p": [0.5]}))["flat"] == 1


def test_the_implied_prior_is_the_same_in_any_unit_of_scale():
    one = posterior_of(sigmoid, {"g": [0.1], "u": [0.9], "x50": [1e10], "k": [1.0]})
    small = replace(one, data=replace(one.data, inputs={"x": one.data.inputs["x"] / 1e7}))
    found = implied_prior(one)
    assert found == pytest.approx(implied_prior(small), abs=1e-3)
    assert found["u_shaped"] == found["inverted_u"] == found["inverse"] == 0.0
    assert min(found[kind] for kind in ("flat", "steady", "emergent")) > 0.02


def test_a_prior_of_the_kinds_replaces_the_implied_one():
    posterior = posterior_of(knots, {"y": [U] * 50 + [BUMP] * 50})
    plain = kind(posterior)
    assert plain.prior is None
    given = {"u_shaped": 0.9, "inverted_u": 0.1}
    found = kind(posterior, prior=given)
    odds = 9 * plain.implied["inverted_u"] / plain.implied["u_shaped"]
    assert found.kinds["u_shaped"] / found.kinds["inverted_u"] == pytest.approx(odds)
    assert sum(found.kinds.values()) == pytest.approx(1)
    assert found.prior == dict.fromkeys(KINDS, 0.0) | given
    assert found.turning_point()["share"] == found.kinds["u_shaped"]
    same = kind(posterior, prior=plain.implied)
    assert same.kinds == pytest.approx(plain.kinds)
    assert list(found.table()) == [
        *("kind", "probability", "at_half_cut", "at_twice_cut", "implied", "prior")
    ]
    assert "prior" not in plain.table()
    # Nearly every curve through five uniform values rises and falls: flat is rare there.
    rare = posterior_of(knots, {"y": [U] * 50 + [(0.5,) * 5]})
    notes = kind(rare, prior={"flat": 0.5, "u_shaped": 0.5}, cut=0.2).notes
    assert any("prior draws are flat" in note for note in notes)


def test_it_is_said_when_the_data_say_little():
    draws = np.random.default_rng(2).uniform(size=(1000, 5))
    said = lambda y: any("say little" in note for note in kind(y).notes)  # noqa: E731
    assert said(posterior_of(knots, {"y": draws}))
    assert not said(posterior_of(knots, {"y": [LATE] * 100}))


def test_addition_by_gpt3_emerges():
    from bayescale import NUTS, fit, from_frame
    from bayescale.datasets.tables import load

    where = "setting == 'few-shot'"
    data = from_frame(load("gpt3_addition"), {"x": "params"}, "accuracy", n="n", where=where)
    sampler = NUTS(chains=2, warmup=200, draws=200, retries=0)
    posterior = fit("sigmoid", data, sampler=sampler)
    found = kind(posterior, allow_failed=True)
    assert found.likeliest == "emergent"
    assert found.probability > 0.7  # .90 with 4,000 draws; 400 are few independent ones
    assert found.codes.shape == (400,)
    assert 0.02 < found.implied["emergent"] < 0.9
    assert not any("say little" in note for note in found.notes)
    assert kind(posterior, hi=3e9, allow_failed=True).kinds["flat"] > 0.5
    believed = {"flat": 0.2, "steady": 0.6, "emergent": 0.2}
    assert kind(posterior, prior=believed, allow_failed=True).likeliest == "emergent"
