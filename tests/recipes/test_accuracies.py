"""Multipliers of accuracies: a known ratio of thresholds comes back, what is never is told so."""

import json

import jax
import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.cli.commands import main
from bayescale.inference.samplers import NUTS
from bayescale.laws.recipes import FARTHER, risings
from bayescale.recipes.curves import curves_of
from bayescale.recipes.rows import RESPONSES, choices, levels_asked, recipe_names
from tests.documented import kept

QUICK = NUTS(chains=2, warmup=300, draws=300, retries=0)
ROLES = dict(x="C", y="acc", group="recipe", n=500, chance=0.25)
HOW = ROLES | dict(sampler=QUICK, progress=False)
RATIO = 3.0


def runs(seed=0, ratio=RATIO, count=8, top=0.85):
    """Two recipes of which B passes the threshold at a `ratio` of A's scale less."""
    rng, parts = np.random.default_rng(seed), []
    for name, factor in (("A", 1.0), ("B", ratio)):
        flops = np.geomspace(1e19, 3e21, count)
        seen = flops * np.exp(0.2 * rng.normal(size=count))
        share = 0.25 + (top - 0.25) / (1 + (seen * factor / 1e21) ** -1.4)
        accuracy = rng.binomial(500, share) / 500
        parts.append(pd.DataFrame({"C": flops, "acc": accuracy, "recipe": name}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def told():
    return [bs.multiplier(runs(seed), common="all", baseline="A", **HOW) for seed in range(6)]


# ------------------------------------------------------------------ what it says


def test_a_known_ratio_of_thresholds_comes_back(told):
    found = [kept(each.summary(), "Multiplier")["multipliers"]["B"] for each in told]
    held = sum(each["lo"] < RATIO < each["hi"] for each in found)
    assert held >= 4, [(each["lo"], each["hi"]) for each in found]
    assert np.exp(np.mean(np.log([each["median"] for each in found]))) == pytest.approx(3, rel=0.25)
    assert all(each["hi"] / each["lo"] < 5 for each in found)
    assert all(each["p_better"] > 0.9 for each in found)
    (one,) = found[0]["unlocks"]
    assert found[0]["level"] == one["level"]
    assert one["recipe"]["median"] < one["baseline"]["median"] < 3e21
    assert one["p_neither"] < 0.02


def test_the_factor_is_told_at_scales_from_the_data_to_beyond(told):
    table = told[0].table().set_index("at")
    width = np.log(table.hi / table.lo)
    assert width.iloc[-1] > width.iloc[1]
    assert ((table["lo"] < RATIO) & (table["hi"] > RATIO)).sum() >= 4
    # Curves at the scales asked about are those of the rows.
    seen = runs().query("recipe == 'B'").acc.to_numpy()
    np.testing.assert_allclose(np.median(told[0].losses["B"], 0)[2], seen[-1], atol=0.05)


def test_levels_that_are_asked_about_are_told():
    found = bs.multiplier(runs(), common="floor", level=[0.4, 0.97], at=3e21, **HOW).summary()
    low, high = found["multipliers"]["B"]["unlocks"]
    assert found["response"] == "accuracy"
    assert (low["level"], high["level"]) == (0.4, 0.97)
    assert low["lo"] < RATIO < low["hi"]
    assert high["recipe"]["p_never"] > low["recipe"]["p_never"]
    assert high["p_neither"] > 0.3  # a ceiling near .85 was seen
    assert found["multipliers"]["B"]["at"] == 3e21
    assert found["multipliers"]["B"]["level"] is None


# ------------------------------------------------------------------ the curves of draws


def draws(**own):
    """One draw of two recipes with a threshold at 1e21, the second's at a third of it."""
    known = dict(g=0.25, u=0.85, x50=1e21, k=1.4, middle_x=1e20, factor=[np.log(3)])
    known |= dict(apart=0.0, bends=np.zeros(len(FARTHER)))
    return {name: np.array([value], float) for name, value in (known | own).items()}


WIDE = np.linspace(np.log(1e15), np.log(1e27), 400)
AT = np.log([1e10, 1e19, 1e21, 1e24])


def test_a_recipe_is_the_sigmoid_at_as_many_times_the_scale():
    x, plain = np.array([1e19, 1e20, 1e21]), bs.get_law("sigmoid")
    params = {name: values[0] for name, values in draws().items()}
    with jax.enable_x64(True):
        both = [risings(2)(x, np.full(3, which), **params) for which in (1.0, 2.0)]
        alone = {name: params[name] for name in plain.parameters}
        np.testing.assert_allclose(both[0], plain(x, **alone), rtol=1e-6)
        np.testing.assert_allclose(both[1], plain(3 * x, **alone), rtol=1e-6)


def test_the_factor_is_known_on_plateaus_too():
    found = curves_of(risings(2), draws(k=np.float64(5.0)), 2, AT[1:], WIDE, (0.3, 0.55))
    np.testing.assert_allclose(np.exp(found.logs[0, 0]), 3.0, rtol=1e-6)
    np.testing.assert_allclose(np.exp(found.crossed[:, 0, 1]), [1e21, 1e21 / 3], rtol=1e-6)
    np.testing.assert_allclose(found.crossed[0, 0] - found.crossed[1, 0], np.log(3), rtol=1e-6)


def test_what_a_ceiling_forbids_is_never():
    law = risings(2, "floor")
    own = dict(steeper=[0.0], higher=[np.log(4.0)])  # leaves more to be desired
    levels = (0.2, 0.4, 0.7, 0.95)
    found = curves_of(law, draws(**own), 2, AT[2:], WIDE, levels)
    first, other = found.crossed[:, 0]
    assert np.isneginf([first[0], other[0]]).all()  # below the floor: from the start
    assert np.isfinite([first[1], other[1]]).all()
    assert np.isfinite(first[2])
    assert np.isposinf([other[2], first[3], other[3]]).all()
    lower = curves_of(law, draws(steeper=[0.0], higher=[-np.log(4.0)]), 2, AT[2:], WIDE, levels)
    assert np.isposinf(lower.logs[0, 0, -1])  # the recipe has what the baseline never gets to


def test_a_factor_may_wander_with_scale():
    law, bends = risings(2), np.zeros(len(FARTHER))
    bends[-2] = 1.0
    found = curves_of(law, draws(apart=0.2, bends=bends), 2, AT[1:], WIDE)
    rises = np.diff(found.logs[0, 0])
    assert abs(rises[0]) < 0.1 < rises[-1]


# ------------------------------------------------------------------ what is asked, and refused


def test_the_level_lies_where_both_have_been():
    data = bs.from_frame(runs(), "C", "acc", group="recipe", n=500)
    names = recipe_names(data, "A", RESPONSES["accuracy"])
    ((level,),) = levels_asked(data, names, None, RESPONSES["accuracy"]).values()
    lowest, highest = (runs().groupby("recipe").acc.agg(f) for f in ("min", "max"))
    assert lowest.max() < level < highest.min()
    assert levels_asked(data, names, None, RESPONSES["loss"]) == {"B": ()}
    flat = runs().assign(acc=lambda d: d.acc.where(d.recipe == "A", 0.25))
    data = bs.from_frame(flat, "C", "acc", group="recipe", n=500)
    ((level,),) = levels_asked(data, names, None, RESPONSES["accuracy"]).values()
    assert 0.35 < level < 0.45  # a recipe on its floor does not choose it


def test_small_tables_are_asked_what_they_have_rows_for():
    of = RESPONSES["accuracy"]
    assert choices(None, 2, 6, of) == ("all",)
    assert choices(None, 2, 7, of) == ("all", "floor")
    assert choices(None, 2, 8, of) == ("all", "floor", "nothing")


@pytest.mark.parametrize(
    ("change", "how", "words"),
    [
        ({}, dict(level=1.2), ("--level", "between 0 and 1", "1.2")),
        ({}, dict(kind="score"), ("--kind", "loss or accuracy", "score")),
        ({"acc": lambda d: 1 - d.acc}, {}, ("falls with scale under 'A'", "kind='loss'")),
        ({"acc": lambda d: 100 * d.acc}, {}, ("row 1, column 'acc'", "acc/100")),
        ({}, dict(kind="loss", n=None, chance=None), ("rises with scale", "kind='accuracy'")),
        (
            {"acc": lambda d: 100 * d.acc},
            dict(kind="loss", n=None, chance=None),
            ("rises with scale", "(1) of percent give y='acc/100'", "(2) of a score without a"),
        ),
        (
            {"elo": lambda d: 1000 + 400 * d.acc},
            dict(y="elo", n=None, chance=None),
            ("rises with scale", "give y='exp(-elo/200)'"),
        ),
        ({"acc": lambda d: 1 - d.acc}, dict(kind="loss"), ("has n", "leave n out")),
        ({}, dict(common="exponent"), ("--common", "exponent")),
        ({}, dict(common=[]), ("--common", "'floor'")),
        ({}, dict(at="far"), ("--at", "is a number", "'far'")),
        ({}, dict(level="half"), ("--level", "is a number", "'half'")),
    ],
)
def test_what_cannot_be_told_is_refused_in_a_line(change, how, words):
    with pytest.raises(ValueError, match=words[0]) as caught:
        bs.multiplier(runs().assign(**change), baseline="A", **(HOW | how))
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_the_command_line_tells_thresholds(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bayescale.cli.terminal.start_jax", lambda: None)
    path = tmp_path / "runs.csv"
    runs().to_csv(path, index=False)
    call = ["multiplier", str(path), "-x", "C", "-y", "acc", "--group", "recipe", "--common", "all"]
    call += ["-n", "500", "--chance", ".25", "--level", ".5", "--chains", "2"]
    call += ["--draws", "300", "--warmup", "300"]
    possible = tmp_path / "possible.csv"
    frame = pd.DataFrame({"C": [1e20, 1e21, 1e22] * 2, "recipe": ["A"] * 3 + ["B"] * 3})
    frame.to_csv(possible, index=False)
    asked = ["--candidates", str(possible), "--cost", "C", "--most", "2"]
    assert main([*call, *asked, "--json"]) in (0, 1)
    found = kept(json.loads(capsys.readouterr().out), "Multiplier")
    assert found["multipliers"]["B"]["unlocks"][0]["level"] == 0.5
    assert {run["recipe"] for run in found["next"]["runs"]} <= {"A", "B"}
    assert main([*call, "--most", "2"]) == 2
    assert "--candidates TABLE" in capsys.readouterr().err
    assert main([*call, "--level", "high"]) == 2
    assert "--level: write numbers" in capsys.readouterr().err
