"""Which runs tell most of a multiplier: beside refits, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.inference.samplers import NUTS
from bayescale.laws.recipes import risings
from bayescale.messages import DataError
from bayescale.recipes.answer import span_of
from bayescale.recipes.curves import curves_of
from tests.documented import kept

QUICK = NUTS(chains=2, warmup=300, draws=400, retries=0)
RECIPES = ("A", "B")


def measured(rng, x, recipe, x50=(1e21, 3e20)):
    at = np.where(np.asarray(recipe) == "A", *x50)
    return rng.binomial(500, 0.25 + 0.6 / (1 + (x / at) ** -1.4)) / 500


@pytest.fixture(scope="module")
def rows():
    rng, x = np.random.default_rng(1), np.tile(np.geomspace(1e19, 4e20, 6), 2)
    recipe = np.repeat(RECIPES, 6)
    return pd.DataFrame({"C": x, "acc": measured(rng, x, recipe), "recipe": recipe})


@pytest.fixture(scope="module")
def told(rows):
    roles = dict(x="C", y="acc", n=500, chance=0.25, baseline="A", common="all")
    return bs.multiplier(rows, "recipe", level=0.5, sampler=QUICK, progress=False, **roles)


CANDIDATES = pd.DataFrame(
    {"C": np.tile(np.geomspace(1e19, 3e21, 6), 2), "recipe": np.repeat(RECIPES, 6)}
)


def plan(told, candidates=CANDIDATES, **how):
    return bs.next_runs(told, candidates, **({"target": "B at 1e21", "cost": "C"} | how))


# ------------------------------------------------------------------ beside refits


def test_the_width_told_is_the_width_that_refits_have(told, rows):
    """Runs are made under draws of the posterior; each outcome is fitted as a curve of its own."""
    found = plan(told, target="B at 1e21", cost=1.0, most=4)
    at = CANDIDATES.iloc[found.positions]
    rng, (_, _, one) = np.random.default_rng(5), told.mixture.members[0]
    own = one.flat()
    ways = rng.integers(0, len(own["k"]), 8)
    number = np.where(at.recipe == "A", 1.0, 2.0)
    which = np.concatenate([np.where(rows.recipe == "A", 1.0, 2.0), number])
    curves = []
    for i, way in enumerate(ways):
        params = {name: own[name][way] for name in one.law.parameters}
        mean = np.asarray(one.law(at.C.to_numpy(), number, **params))
        new = rng.binomial(500, np.clip(mean, 0, 1)) / 500
        y = np.concatenate([rows.acc, new])
        x = np.concatenate([rows.C, at.C])
        curves.append(pd.DataFrame({"x": x, "recipe": which, "acc": y, "curve": str(i)}))
    inputs = {"x": "x", "recipe": "recipe"}
    roles = dict(n=500, chance=0.25, curve="curve", duplicates="keep")
    data = bs.from_frame(pd.concat(curves), inputs, "acc", **roles)
    sampler = NUTS(chains=1, warmup=300, draws=300, retries=0)
    again = bs.fit(risings(2), data, sampler=sampler, progress=False)
    wide, widths = span_of(rows.C.to_numpy(), told.scales), []
    for _, each in again:
        widths.append(curves_of(each.law, each.flat(), 2, np.log([1e21]), wide).logs.std())
    before, left = found.goals[0].draws.std(), found.left()[-1, 0]
    assert left < 0.85  # else there would be nothing to compare
    assert np.median(widths) / before == pytest.approx(left, rel=0.25)


# ------------------------------------------------------------------ the question


def test_runs_of_both_recipes_are_told_with_their_names(told):
    found = plan(told, target=["B at 1e21", {"B": 1e22}, "unlock of B"], budget=2e22)
    summary = kept(found.summary(), "NextRuns")
    assert len(summary["targets"]) == 3
    assert 0 < found.spent <= 2e22
    for run in summary["runs"]:
        assert run["recipe"] == CANDIDATES.recipe[run["row"] - 1]
        assert run["at"] == {"C": CANDIDATES.C[run["row"] - 1]}
    assert set(found.table().recipe) == {"A", "B"}
    assert any("B  C" in " ".join(row) for sheet in found.sheets() for row in sheet.rows)
    lo, median, hi = found.interval(0)
    wide = found.interval(0, 0)
    assert wide[0] <= lo < median < hi <= wide[2]


def test_by_default_its_main_answers_are_wanted(told):
    (goal,) = plan(told, target=None).goals
    assert goal.name == "the unlock of B, by its factor"


def test_what_is_common_is_a_question_to_several_fits(told):
    with pytest.raises(ValueError, match="one choice only"):
        plan(told, target="law")


def test_costs_know_of_scales_and_columns(told):
    plain = plan(told)
    assert plan(told, cost=lambda x: x).positions == plain.positions
    priced = CANDIDATES.assign(usd=CANDIDATES.C / 1e18)
    assert plan(told, priced, cost="usd").positions == plain.positions


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (dict(target="A at 1e21"), ("--target", "'A' is the baseline", "B")),
        (dict(target="Z at 1e21"), ("'Z' is no recipe", "B")),
        (dict(target="B at most"), ("no scale of 'B'", "B at 1e21")),
        (dict(target={"B": -1.0}), ("-1.0 is no scale",)),
        (dict(target="factor"), ("'factor'", "unlock of B")),
        (dict(cost=None), ("no N and D", "--cost")),
        (dict(candidates={"C": [1e21]}), ("no column for the recipe",)),
        (dict(candidates={"C": [1e21, 1e21], "recipe": ["A", "b"]}), ("row 2", "'b'", "A, B")),
        (dict(candidates={"recipe": ["A"]}), ("no column for the scale", "C")),
    ],
)
def test_what_is_refused_is_told_in_a_line(told, how, words):
    with pytest.raises((ValueError, DataError)) as caught:
        plan(told, **how)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
