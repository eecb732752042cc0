"""Multipliers: a known factor comes back, what is asked is answered, what cannot be is refused."""

import jax
import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.cli.commands import main
from bayescale.inference.samplers import NUTS
from bayescale.laws.recipes import recipes
from bayescale.recipes.answer import told_of
from bayescale.recipes.curves import factor_of, turning
from bayescale.recipes.rows import RESPONSES, choices
from tests.documented import kept

QUICK = NUTS(chains=2, warmup=300, draws=300, retries=0)
HOW = dict(x="C", y="loss", group="recipe", sampler=QUICK, progress=False)
FLOPS = np.geomspace(1e18, 1e21, 6)
FACTORS = {"A": 1.0, "B": 2.0, "C": 0.7}


def runs(noise=0.002, **factors):
    """Losses of recipes that need so many times less compute, at every scale."""
    rng = np.random.default_rng(3)
    parts = []
    for name, factor in (factors or FACTORS).items():
        loss = 1.7 + 1.6 * (factor * FLOPS / 1e18) ** -0.15
        loss = loss * np.exp(noise * rng.normal(size=len(FLOPS)))
        parts.append(pd.DataFrame({"C": FLOPS, "loss": loss, "recipe": name}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def told():
    return bs.multiplier(runs(), common="all", baseline="A", level=[2.5, 1.2], **HOW)


# ------------------------------------------------------------------ what it says


def test_a_known_factor_comes_back(told):
    found = kept(told.summary(), "Multiplier")["multipliers"]
    for name in ("B", "C"):
        assert found[name]["lo"] < FACTORS[name] < found[name]["hi"], found[name]
        assert found[name]["hi"] / found[name]["lo"] < 1.5
    assert found["B"]["p_better"] > 0.99
    assert found["C"]["p_better"] < 0.01
    assert found["B"]["at"] is None
    assert told.weights == {"all": 1.0}


def test_where_recipes_share_no_range_the_answer_is_of_a_scale():
    logs = np.log([[2.0, 4.0], [2.0, 8.0]])
    assert told_of(np.log([1e19, 1e21]), logs)[0] is None
    at, factor = told_of(np.log([1e19, 1e19]), logs[:, :1])
    assert (at, *factor) == pytest.approx((1e19, 2.0, 2.0))


def test_intervals_widen_beyond_the_data(told):
    table = told.table().query("recipe == 'B'").set_index("at")
    width = np.log(table.hi / table.lo)
    assert width.iloc[-1] > 1.5 * width.iloc[2]
    assert (table["lo"] < 2).all()
    assert (table["hi"] > 2).all()


def test_curves_of_the_answer_are_those_of_the_rows(told):
    seen = runs().query("recipe == 'B'").loss.to_numpy()[[0, -1]]
    np.testing.assert_allclose(np.median(told.losses["B"], 0)[[0, 2]], seen, rtol=0.01)


def test_a_law_of_recipes_is_the_power_law_at_as_many_times_the_scale():
    law, x = recipes(3).wander.base, np.array([1e18, 1e19, 1e20])
    power = bs.get_law("power")
    constants = dict(E=1.7, A=800.0, alpha=0.15)
    with jax.enable_x64(True):
        own = law(x, np.full(3, 3.0), middle_x=1e19, factor=np.log([2.0, 5.0]), **constants)
        plain = power(5 * x, **constants)
    np.testing.assert_allclose(own, plain, rtol=1e-6)


def test_levels_of_a_loss_are_told_where_asked(told):
    never, seen = told.summary()["multipliers"]["B"]["unlocks"]
    assert seen["lo"] < 2 < seen["hi"]
    assert seen["baseline"]["p_never"] == 0
    assert never["p_neither"] > 0.9  # below the floor of both


def test_larger_runs_of_a_recipe_tell_most_of_its_factor(told):
    possible = {"C": [1e17, 1e21, 1e22] * 3, "recipe": np.repeat(["A", "B", "C"], 3)}
    found = bs.next_runs(told, possible, target="B at 1e23", cost=1.0, most=2)
    runs = found.summary()["runs"]
    assert {run["recipe"] for run in runs} == {"A", "B"}
    assert all(run["at"]["C"] == 1e22 for run in runs)
    assert found.left()[-1, 0] < 0.95


def test_factors_are_solved_on_curves():
    wide = np.linspace(0.0, 20.0, 401)
    low = np.stack([3 - 0.1 * wide, np.maximum(3 - 0.1 * wide, 2.0)])
    at = np.array([2.0, 8.0])
    ours = np.stack([3 - 0.1 * (at + np.log(3)), 3 - 0.1 * (at + 5)])
    found = factor_of(low, wide, ours, at)
    np.testing.assert_allclose(found[0], 3.0, rtol=1e-6)
    np.testing.assert_allclose(found[1, 0], np.exp(5), rtol=1e-6)
    assert found[1, 1] == np.inf  # the baseline levels off at 2


def test_small_tables_are_asked_what_they_have_rows_for():
    of = RESPONSES["loss"]
    assert choices(None, 2, 6, of) == ("all",)
    assert choices(None, 2, 8, of) == ("all", "floor", "nothing")
    assert choices(None, 4, 11, of) == ("all", "floor")
    assert choices("nothing", 2, 6, of) == ("nothing",)


def test_a_ranking_that_turns_is_told_where():
    better = np.array([[True, True, False, False], [True, False, True, True], [False] * 4])
    found = turning(better, np.array([1.0, 10.0, 100.0, 1000.0]))
    np.testing.assert_allclose(found, [np.sqrt(1000), np.inf, np.inf])


# ------------------------------------------------------------------ what is refused


def refused(frame, match, error=bs.DataError, **more):
    with pytest.raises(error, match=match):
        bs.multiplier(frame, **(HOW | more))


def test_what_cannot_be_compared_is_refused_in_one_line():
    two = runs(A=1.0, B=2.0)
    refused(two.query("recipe == 'A'"), "one recipe only, 'A'")
    refused(two, "no recipe 'a'", ValueError, baseline="a")
    refused(two, "no recipe", ValueError, baseline="Z")
    refused(two, "names no recipes", group=None)
    refused(two.assign(elo=4 - two.loss), "rises with scale", y="elo")
    refused(two.assign(n=100), "has n: a multiplier is of one loss a run", n="n", kind="loss")
    refused(two.assign(N=two.C**0.5), "several of a kind: C, N", x=["C", "N"])
    refused(two, "no scale of table", ValueError, at={"D": 1e22})
    refused(two, "positive and finite", ValueError, at=-1.0)
    refused(two, "no choice 'both'", ValueError, common="both")
    apart = two.assign(C=two.C.where(two.recipe == "A", two.C * 1e9))
    apart["loss"] = apart.loss.where(apart.recipe == "A", apart.loss - 1.65)
    refused(apart, "neither at like scales nor at like losses")


def test_the_command_line_refuses_likewise(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bayescale.cli.terminal.start_jax", lambda: None)
    path = tmp_path / "runs.csv"
    runs(A=1.0, B=2.0).to_csv(path, index=False)
    call = ["multiplier", str(path), "-x", "C", "-y", "loss", "--group", "recipe"]
    assert main([*call, "--baseline", "Z"]) == 2
    assert "baseline (--baseline): no recipe 'Z'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--target", "Z at 1e22"], "'Z' is no recipe"),
        (["--target", "A at 1e22"], "'A' is the baseline"),
        (["--target", "B at 1e22", "--target", "B at most"], "no scale of 'B'"),
        (["--target", "unlock of B"], "--level"),
        (["--target", "law", "--common", "all"], "one choice only"),
        (["--budget", "1e3"], "buys none"),
        (["--most", "0"], "--most"),
        (["-x", "other=(recipe == 'A') + 1"], "of one scale"),
        (["--plot", "factors.gif"], "end in .png"),
    ],
)
def test_what_is_asked_amiss_costs_no_fit(tmp_path, monkeypatch, capsys, more, words):
    from bayescale.recipes import multiplier as module

    def fitted(*_, **__):
        raise AssertionError("a law was fitted")

    monkeypatch.setattr(module, "fit", fitted)
    table, possible = tmp_path / "runs.csv", tmp_path / "possible.csv"
    runs(A=1.0, B=2.0).to_csv(table, index=False)
    pd.DataFrame({"C": [1e21, 1e22], "recipe": ["A", "B"]}).to_csv(possible, index=False)
    asked = ["multiplier", str(table), "-x", "C", "-y", "loss", "--group", "recipe"]
    asked += ["--candidates", str(possible), "--cost", "C"]
    assert main([*asked, *more]) == 2
    assert words in capsys.readouterr().err
