"""Which runs next: against the exact formula, against refits, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.laws import chinchilla
from bayescale.messages import DataError
from bayescale.planning.design import Beliefs, choose, left_by_all, tamed
from bayescale.planning.goals import check_texts, goals
from bayescale.posterior.mixture import mix
from bayescale.workflows.forecast import Forecast
from tests.planning.test_allocate import DATABLATIONS, posterior_of

TRUTH = dict(E=1.8, A=480.0, B=2000.0, alpha=0.35, beta=0.37)
TARGET = {"N": 7e10, "D": 1.4e12}
LAPLACE = bs.Laplace(draws=2000, starts=16)


def grid(*, ratio=None):
    N, D = np.meshgrid(np.geomspace(1e8, 2e10, 5), np.geomspace(2e9, 5e11, 5))
    N, D = N.ravel(), D.ravel()
    return pd.DataFrame({"N": N, "D": D if ratio is None else ratio * N}).drop_duplicates()


def measured(rng, N, D, sigma=0.01):
    law = TRUTH["E"] + TRUTH["A"] * N ** -TRUTH["alpha"] + TRUTH["B"] * D ** -TRUTH["beta"]
    return law * np.exp(sigma * rng.normal(size=np.shape(N)))


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(3)
    N, D = 10 ** rng.uniform(7.7, 9.3, 24), 10 ** rng.uniform(9, 10.8, 24)
    return Dataset({"N": N, "D": D}, {"loss": measured(rng, N, D)}, source="small")


@pytest.fixture(scope="module")
def fitted(runs):
    return bs.fit(chinchilla, runs, noise="lognormal", sampler=LAPLACE, progress=False)


@pytest.fixture(scope="module")
def spread():
    return posterior_of(chinchilla, DATABLATIONS | {"E": 1.8}, spread=0.02, draws=400)


def plan(fit, candidates=None, **how):
    how = {"target": TARGET, "allow_failed": True} | how
    return bs.next_runs(fit, grid() if candidates is None else candidates, **how)


# ------------------------------------------------------------------ the algebra


def exact(seed=0, draws=100_000):
    """A line a + b x known a priori by N(0, I), measured at x with noise; g = a + 3 b."""
    theta = np.random.default_rng(seed).normal(size=(draws, 2))
    x = np.array([-2.0, 0.0, 1.0, 2.0])
    design = np.stack([np.ones(4), x], 1)
    return Beliefs(theta @ [[1.0], [3.0]], np.zeros(1, int), theta @ design.T, np.full(4, 0.5))


def left(design, noise=0.5):
    """Exact posterior variance of a + 3 b after measurements at these x."""
    rows = np.stack([np.ones(len(design)), design], 1)
    covariance = np.linalg.inv(np.eye(2) + rows.T @ rows / noise)
    return np.array([1.0, 3.0]) @ covariance @ [1.0, 3.0]


def test_variances_are_those_of_a_normal_model():
    beliefs = exact()
    found = choose(beliefs, np.ones(4), most=3)
    x = np.array([-2.0, 0.0, 1.0, 2.0])
    made = [each.candidate for each in found]
    assert made[0] == 3  # x = 2, the nearest to 3
    for count, each in enumerate(found, 1):
        np.testing.assert_allclose(each.variances, left(x[made[:count]]), rtol=0.03)
    best = min((left(x[[3, i]]), i) for i in range(3))[1]
    assert made[1] == best
    np.testing.assert_allclose(left_by_all(beliefs), left(x), rtol=0.03)
    np.testing.assert_allclose(beliefs.alone(), [1 - left([each]) / 10 for each in x], atol=0.01)


def test_cost_decides_between_runs_that_tell_alike():
    beliefs = exact()
    assert choose(beliefs, np.array([1, 1, 1, 50.0]), most=1)[0].candidate != 3
    (only,) = choose(beliefs, np.array([1, 1, 1, 3.0]), 3.0)[:1]
    assert only.candidate in (2, 3)
    # Many cheap ones cannot crowd out the one that tells more than all of them.
    cheap = Beliefs(beliefs.goals, beliefs.of, beliefs.runs[:, [1, 1, 1, 3]], beliefs.noise)
    assert [each.candidate for each in choose(cheap, np.array([1, 1, 1, 3.5]), 3.6)] == [3]


def test_what_has_nothing_to_do_with_it_is_not_chosen():
    rng = np.random.default_rng(1)
    goals, runs = rng.normal(size=(1000, 1)), rng.normal(size=(1000, 50))
    beliefs = Beliefs(goals, np.zeros(1, int), runs, np.full(50, 0.1))
    assert len(choose(beliefs, np.geomspace(1e-6, 1, 50), most=50)) <= 3


def test_wild_draws_do_not_decide():
    draws = np.random.default_rng(2).normal(size=(4000, 2))
    wild = draws.copy()
    wild[:3] = [[np.inf, 1e9], [-1e9, -np.inf], [50, -50]]
    np.testing.assert_allclose(tamed(wild).std(0), draws.std(0), rtol=0.02)
    np.testing.assert_allclose(tamed(draws), draws, atol=0.6)
    rare = (np.arange(1000) < 20).astype(float)[:, None]
    assert (tamed(rare) == rare).all()  # an indicator of a law of little weight


# ------------------------------------------------------------------ beside refits


def test_the_width_told_is_the_width_that_refits_have(fitted, runs):
    """Runs are made under draws of the posterior; each outcome is fitted as a curve of its own."""
    told = plan(fitted, budget=2e22, most=4)
    at = grid().iloc[told.positions]
    rng, draws = np.random.default_rng(5), fitted.flat()
    ways = rng.integers(0, len(draws["E"]), 24)
    curves = []
    for way in ways:
        E, A, B, alpha, beta, sigma = (
            draws[k][way] for k in ("E", "A", "B", "alpha", "beta", "sigma")
        )
        new = E + A * at.N.to_numpy() ** -alpha + B * at.D.to_numpy() ** -beta
        new = new * np.exp(sigma * rng.normal(size=len(at)))
        N, D = (np.append(runs.inputs[k], at[k]) for k in ("N", "D"))
        loss = np.append(runs.responses["loss"], new)
        curves.append(pd.DataFrame({"N": N, "D": D, "loss": loss, "curve": f"{len(curves)}"}))
    data = bs.from_frame(pd.concat(curves), ["N", "D"], "loss", curve="curve")
    again = bs.fit(chinchilla, data, noise="lognormal", sampler=LAPLACE, progress=False)
    mean = bs.predict(again, TARGET, allow_failed=True).mean[:, :, 0]
    widths = np.log(mean).std(1)
    before = told.goals[0].draws.std()
    assert told.left()[-1, 0] < 0.8  # else there would be nothing to compare
    assert np.median(widths) / before == pytest.approx(told.left()[-1, 0], rel=0.15)


# ------------------------------------------------------------------ the question


def test_picks_obey_the_budget_and_are_made_once(spread):
    for budget in (1e20, 1e21, 2e22):
        found = plan(spread, budget=budget)
        assert 0 < found.spent <= budget
        assert len(set(found.positions)) == len(found.positions)
    assert len(plan(spread, most=2).choices) == 2
    assert len(plan(spread).choices) <= 5
    shares = plan(spread, budget=2e22).left()[:, 0]
    assert (np.diff(shares) <= 0).all()
    assert shares[-1] < 1


def test_targets_of_all_kinds(spread):
    found = plan(spread, target=["alpha", "N at 1e22", "D at 1e22", "N=7e10,D=1.4e12", TARGET])
    names = [goal.name for goal in found.goals]
    assert names[:3] == ["alpha", "the best N at 1e22", "the best D at 1e22"]
    assert names[3] == names[4]
    lo, median, hi = found.interval(0)
    wide = found.interval(0, 0)
    assert wide[0] <= lo < median < hi <= wide[2]
    two = plan(spread, target={"N": [7e10, 1e11], "D": [1.4e12, 2e12]})
    assert len(two.goals) == 2
    table = found.table()
    assert list(table.place[table.place > 0].sort_values()) == list(
        range(1, len(found.choices) + 1)
    )


def test_which_law_is_right_is_told_where_they_differ(spread):
    other = replace(spread, draws=dict(spread.draws) | {"E": spread.draws["E"] * 1.1})
    both = mix({"low": spread, "high": other}, {"low": 0.5, "high": 0.5})
    found = plan(both, target="law")
    assert found.summary()["targets"]["which law is right"]["before"]["width"] == pytest.approx(0.5)
    assert found.left()[-1, 0] < 0.9
    with pytest.raises(ValueError, match="several of them"):
        plan(spread, target="law")


def test_a_forecast_is_asked_by_its_laws(spread):
    both = mix({"one": spread, "two": spread})
    told = Forecast(bs.predict(both, TARGET, allow_failed=True), {None: both}, {}, ())
    assert plan(told, budget=2e22).positions == plan(both, budget=2e22).positions
    several = replace(told, mixtures={"a": both, "b": both})
    with pytest.raises(ValueError, match=r"several curves.*\['a'\]"):
        plan(several)


def test_a_forecast_is_split_by_its_law(spread):
    told = Forecast(
        bs.predict(spread, TARGET, allow_failed=True), {None: mix({"one": spread})}, {}, ()
    )
    ours, theirs = (bs.allocate(each, 1e21, allow_failed=True) for each in (told, spread))
    np.testing.assert_array_equal(ours.params, theirs.params)
    assert bs.match(told, N=1e9, D=1e11, allow_failed=True).extra == 0.1
    with pytest.raises(ValueError, match=r"several curves.*\['a'\]"):
        bs.allocate(
            replace(told, mixtures={"a": told.mixtures[None], "b": told.mixtures[None]}), 1e21
        )


def test_before_any_run_is_made(runs):
    prior = bs.prior_predictive(chinchilla, runs, "lognormal", draws=500)
    found = plan(prior, budget=1e22)
    assert found.left()[-1, 0] < 0.5


def test_a_law_at_its_word_is_told_what_knows_better(runs):
    def words(law, **how):
        prior = bs.prior_predictive(law, runs, "lognormal", draws=500)
        return [note for note in plan(prior, budget=1e22, **how).notes if note.kind == "word"]

    (said,) = words(chinchilla)
    assert "'approximate(chinchilla)'" in said
    assert not words(bs.laws.get_law("approximate(chinchilla)"))
    assert not words(chinchilla, target="alpha"), "an exponent is the law's own"


def test_one_ratio_of_data_to_size_is_said(spread):
    N = np.geomspace(5e7, 5e9, 25)
    line = replace(spread, data=replace(spread.data, inputs={"N": N, "D": 20 * N}))
    kinds = lambda found: {note.kind for note in found.notes}  # noqa: E731
    assert "line" in kinds(plan(line, grid(ratio=20), target="alpha"))
    assert "line" in kinds(plan(line, grid(ratio=20), target={"N": 7e10, "D": 7e12}))
    assert "line" not in kinds(plan(line, grid(ratio=20), target={"N": 7e10, "D": 1.4e12}))
    assert "line" not in kinds(plan(line, grid(), target="alpha"))


def test_candidates_by_the_names_of_the_table_and_costs_of_all_kinds(spread):
    columns = {"N": "`params (B)`*1e9", "D": "tokens"}
    named = replace(spread, data=replace(spread.data, columns=columns))
    frame = grid()
    theirs = pd.DataFrame({"params (B)": frame.N / 1e9, "tokens": frame.D, "usd": 1.0 + frame.N})
    plain = plan(spread, frame)
    written = (None, "6*N*D", "6e9*`params (B)`*tokens", "6e9*params (B)*D")
    for cost in (*written, lambda N, D: 6 * N * D):
        assert plan(named, theirs, cost=cost).positions == plain.positions
    assert plan(named, theirs, cost="usd").candidates.counted == "usd"
    theirs["usd"] = [f"{value / 1e6:.1f}M" for value in theirs["usd"]]
    with pytest.raises(DataError, match=r"write units\(usd\)"):
        plan(named, theirs, cost="usd")
    assert plan(named, theirs, cost="units(usd)").candidates.cost.min() == 1e8
    assert plan(spread, frame, cost=np.arange(1.0, 26)).candidates.cost[-1] == 25


@pytest.mark.parametrize(
    ("ok", "words"), [(True, "name another target"), (False, "fit with NUTS.*NOT TO BE TRUSTED")]
)
def test_what_is_infinite_is_put_down_to_a_fit_that_failed(ok, words):
    fit = posterior_of(chinchilla, DATABLATIONS | {"E": 1.8}, spread=0.02, draws=400, ok=ok)
    fit.draws["A"][:, ::3] = np.inf
    with pytest.raises(ValueError, match=words):
        plan(fit)
    with pytest.raises(DataError, match=words.replace("name another target", "leave it out")):
        plan(fit, target="beta")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (dict(candidates={"N": [1e9]}), ("candidates", "no column", "D")),
        (dict(candidates={"N": [1e9, -1], "D": [1e10, 1e10]}), ("row 2", "above 0")),
        (dict(cost="N - 1e9"), ("row 1", "above 0")),
        (dict(cost="dollars"), ("no column 'dollars'",)),
        (dict(cost=[1.0, 2.0]), ("2 costs", "25")),
        (dict(budget=1e15), ("1e+15", "cheapest", "row 1", "1.2e+18")),
        (dict(budget=-1.0), ("budget", "above 0")),
        (dict(most=0), ("--most",)),
        (dict(target="alhpa"), ("alhpa", "alpha")),
        (dict(target="N=many"), ("N=many", "--target")),
        (dict(target={"N": 1e9}), ("no value for D",)),
        (dict(target="unlock"), ("no scale of an unlock",)),
        (dict(target="N at most"), ("'most'",)),
        (dict(target="alpha at 1e21"), ("'alpha' is no scale",)),
        (dict(candidates={"N": ["a", 1e9], "D": [1e10, 1e10]}), ("row 1", "leave the row out")),
        (dict(target="N at -1e21"), ("'-1e21'", "no budget")),
        (dict(target=[]), ("at least one",)),
    ],
)
def test_what_is_refused_is_told_in_a_line(spread, how, words):
    with pytest.raises((ValueError, DataError)) as caught:
        plan(spread, **how)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_scales_are_asked_by_the_column_that_they_are_made_of(spread):
    columns = spread.data.columns | {"D": "exp(years(made) - 2020)", "N": "params_b*1e9"}
    asked = replace(spread, data=replace(spread.data, columns=columns))
    check_texts("made=2024-03-01")
    (goal,) = goals(asked, "params_b=70,made=2024-03-01")
    assert goal.name.endswith("2024-03-01")
    with pytest.raises(ValueError, match="no scale"):
        check_texts("made=soon")


def test_a_point_has_nothing_to_narrow(spread):
    draws = {name: values[:1, :1] for name, values in spread.draws.items()}
    with pytest.raises(ValueError, match="NUTS"):
        plan(replace(spread, draws=draws))
    with pytest.raises(ValueError, match="alpha is fixed"):
        plan(replace(spread, draws=draws), target="alpha")


def test_all_targets_are_read_before_the_first_is_computed(spread, monkeypatch):
    from bayescale.planning import goals

    def computed(*_, **__):
        raise AssertionError("a target was computed")

    for name in ("law_draws", "allocate", "together"):
        monkeypatch.setattr(goals, name, computed)
    first = ["N=7e10,D=1.4e12", "N at 1e22", "alpha"]
    slips = {"alhpa": "alhpa", "N=many": "many", "M=1e9,D=1e10": "M", "N at most": "most"}
    for slip, said in (slips | {"unlock": "no scale", "law": "several"}).items():
        with pytest.raises(ValueError, match=said):
            plan(spread, target=[*first, slip])
