"""Hard inputs, accuracies above all: the table in `bayescale.remarks` says what answers each."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.messages import DataError
from bayescale.model.arrays import pack

X = np.geomspace(1e8, 1e11, 8)
RIGHT = np.array([24, 27, 25, 30, 45, 66, 80, 88])
TABLE = pd.DataFrame(
    {
        "flops": X,
        "acc": RIGHT / 100,
        "percent": RIGHT.astype(float),
        "right": RIGHT,
        "asked": 100,
        "chance": 0.25,
        "family": ["A", "B"] * 4,
        "task": ["qa"] * 4 + ["sum"] * 4,
    }
)
SMALL = bs.NUTS(chains=2, warmup=200, draws=100, starts=8, retries=0)


def table(frame=TABLE, y="acc", **kwargs):
    return from_frame(frame, "flops", y, source="runs.csv", **kwargs)


def packed(data, law="sigmoid", noise=None, pool=None):
    return pack(make_model(get_law(law), data, noise, pool), data)


def refusal(call, *args, error=DataError, **kwargs):
    """Return the one line of the error."""
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def edited(column, at, value):
    cells = TABLE[column].astype(object).tolist()
    cells[at] = value
    return TABLE.assign(**{column: pd.Series(cells, dtype=object)})


def note(data, words):
    """Return the only note with these words."""
    (found,) = [each for each in data.notes if words in each]
    return found


# ------------------------------------------------------------------ units and counts


def test_percent():
    message = refusal(packed, table(y="percent"))
    assert message.startswith("runs.csv: row 1, column 'percent': 24 is above 1; give fractions:")
    assert "y='percent/100' (-y 'percent/100')" in message
    packed(table(y="percent/100"))
    message = refusal(table, edited("chance", 2, 25), chance="chance")
    assert message.startswith("runs.csv: row 3, column 'chance': 25 is not within 0 .. 1")
    assert "chance='(chance)/100'" in message
    assert "25 is not within 0 .. 1" in refusal(table, chance=25)
    packed(table(chance="chance"))


def test_percent_beside_a_number_of_questions_may_be_counts():
    message = refusal(packed, table(TABLE.assign(asked=1000), "percent", n="asked"))
    assert "counts are given as fractions: y='percent/asked'" in message
    assert message.endswith("if it is percent: y='percent/100' (-y 'percent/100')")


def test_more_right_answers_than_questions():
    frame = edited("asked", 4, 40)
    message = refusal(packed, table(frame, "right", n="asked"))
    assert "y='right/asked'" in message
    assert "but row 5 has 45 of 40" in message
    message = refusal(packed, table(frame, "right/asked", n="asked"))
    assert message.startswith("runs.csv: row 5, column 'right/asked': 1.125 is above 1: right exc")
    assert "(45 of 40)" in message
    message = refusal(packed, table(frame, "right/asked"))
    assert "row 5, column 'right/asked': 1.125 is above 1: right exceeds asked" in message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "row 3, column 'asked': nan is no finite number"),
        (np.nan, "row 3, column 'asked': nan is no finite number"),
        ("", "row 3, column 'asked': '' is no number"),
        (0, "row 3, column 'asked': 0 is not a whole number, 1 or more"),
        (-5, "row 3, column 'asked': -5 is not a whole number, 1 or more"),
        (0.5, "row 3, column 'asked': 0.5 is not a whole number"),
    ],
)
def test_an_unusable_number_of_questions(value, words):
    assert words in refusal(table, edited("asked", 2, value), n="asked")


def test_a_missing_number_of_questions_in_a_dataset_made_by_hand():
    words = refusal(Dataset, {"x": X[:2]}, {"y": RIGHT[:2] / 100}, n=np.array([100, np.nan]))
    assert "row 2, column 'n': nan is not a whole number" in words


def test_no_number_of_questions():
    message = refusal(packed, table(), noise="binomial")
    assert "no number of questions, which the noise binomial needs" in message
    assert "-n COLUMN" in message
    assert "noise='normal'" in message
    assert make_model(get_law("sigmoid"), table()).noise.name == "normal"
    assert table().notes == ()
    assert "one scatter is taken for all rows" in note(table(chance=0.25), "no number of questions")
    assert note(table(y="accuracy=acc"), "no number of questions is known for accuracy")
    assert table(chance=0.25, stderr=0.05).notes == table(chance=0.25, n=100).notes == ()


# ------------------------------------------------------------------ chance


def test_all_accuracies_below_chance():
    low = TABLE.assign(acc=TABLE.acc / 10)
    found = note(table(low, chance=0.5, n=1000), "CHECK CHANCE")
    assert found == (
        "CHECK CHANCE: every accuracy lies below chance 0.5 by more than 2 standard errors: is "
        "the column chance right, or the answer format unlearnt?"
    )
    assert "more than 0.2 of it" in note(table(low, chance=0.5), "CHECK CHANCE")
    assert "every acc lies" in note(table(low, "acc=acc", chance=0.5, n=1000), "CHECK CHANCE")
    packed(table(low, chance=0.5, n=1000))


def test_accuracies_below_chance_by_no_more_than_noise():
    near = TABLE.assign(acc=0.47)
    assert table(near, chance=0.5, n=100).notes == ()
    assert note(table(near, chance=0.5, n=10_000), "CHECK CHANCE")
    noisy = table(near, chance=0.5, n=10_000, stderr=0.02).notes
    assert [each.kind for each in noisy] == ["stderr"]  # equal accuracies, and errors of .02
    assert note(table(near, chance=0.5, stderr=0.01), "CHECK CHANCE")
    assert len(table(near, chance=0.5).notes) == 1  # n is missing, and no more
    one_above = near.assign(acc=[0.1] * 7 + [0.5])
    (said,) = table(one_above, chance=0.5, n=100).notes
    assert said.startswith("7 of 8 rows lie below chance")


def test_one_curve_below_chance():
    frame = TABLE.assign(chance=[0.25] * 4 + [0.95] * 4)
    data = table(frame, chance="chance", n="asked", curve="task")
    assert "in 1 of 2 curves ('sum') every accuracy lies below chance 0.95 by" in data.notes[0]
    assert len(data.notes) == 1
    frame = frame.assign(chance=0.95)
    found = note(table(frame, chance="chance", n="asked", curve="task"), "CHECK CHANCE")
    assert "in 2 of 2 curves (first: 'qa')" in found


# ------------------------------------------------------------------ one scale


def test_one_scale_only():
    message = refusal(table, TABLE.assign(flops=1e9))
    assert "8 rows, all at x = 1e+09; a law needs two scales or more" in message
    frame = TABLE.assign(flops=[1e9] * 4 + [*X[4:]])
    message = refusal(table, frame, curve="task")
    assert "row 1: curve 'qa' has 4 rows, all at x = 1e+09" in message
    assert "or leave this curve out with where (--where)" in message
    assert len(table(frame, curve="task", where="task != 'qa'")) == 4
    assert len(table(frame)) == 8


# ------------------------------------------------------------------ nothing right, nothing wrong


def test_notes_of_all_zeros_and_all_ones():
    zero, one = (TABLE.assign(acc=float(value)) for value in (0, 1))
    assert table(zero, n=100).notes == (
        "every accuracy is 0: nothing tells when it unlocks but the prior",
    )
    assert "every accuracy is 1: it unlocked before the smallest" in table(one, n=100).notes[0]
    assert note(table(zero, chance=0.25, n=100), "CHECK CHANCE")
    some = TABLE.assign(acc=[0.0] * 4 + [0.0, 0.0, 0.1, 0.2])
    found = table(some, n=100, curve="task").notes
    assert found == (
        "in 1 of 2 curves ('qa') every accuracy is 0: nothing tells when it unlocks but the prior",
    )
    assert table(some, n=100).notes == ()


@pytest.fixture(scope="module")
def extremes():
    """Fits of tasks of which nothing, everything, and nothing though chance is a half was right."""
    frame = pd.concat(
        [
            TABLE.assign(acc=float(value), chance=chance, task=task)
            for task, value, chance in (("none", 0, 0.0), ("all", 1, 0.25), ("odd", 0, 0.5))
        ]
    )
    data = table(frame, n="asked", chance="chance", curve="task")
    return bs.fit("sigmoid", data, sampler=SMALL)


@pytest.mark.parametrize("task", ["none", "all", "odd"])
def test_a_fit_of_extremes(extremes, task):
    one = extremes.curve(task)
    assert all(np.isfinite(draws).all() for draws in one.draws.values())
    found = bs.threshold(one, allow_failed=True).forecast
    assert 0 <= found.p_never <= 1
    if task == "all":
        assert found.p_already > 0.95
    else:
        assert found.p_already < 0.05
        assert found.p_never > 0.05


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_fit_of_extremes_without_a_number_of_questions(value):
    posterior = bs.fit("sigmoid", table(TABLE.assign(acc=value)), sampler=SMALL)
    assert all(np.isfinite(draws).all() for draws in posterior.draws.values())
    assert posterior.draws["sigma"].min() > 0
    found = bs.threshold(posterior, allow_failed=True).forecast
    assert found.p_already > 0.95 if value else found.p_already < 0.05


# ------------------------------------------------------------------ groups


def test_groups_of_one_row():
    frame = TABLE.assign(family=[*"ABCDEFGH"])
    found = note(table(frame, n=100, group="family"), "every group has one row")
    assert "the sd of groups is told by its prior alone" in found
    assert table(n=100, group="family").notes == ()
    frame = TABLE.assign(family=[*"ABCD"] * 2)
    assert table(frame, n=100, group="family").notes == ()
    data = table(frame, n=100, group="family", curve="task")
    assert "every group has one row in each curve" in data.notes[0]


def test_one_group_only():
    data = table(TABLE.assign(family="A"), n=100, group="family")
    message = refusal(make_model, get_law("sigmoid"), data, error=ValueError)
    assert "groups with two groups or more (--group)" in message
    assert make_model(get_law("sigmoid"), data, pool=()).pool == ()
    message = refusal(make_model, get_law("sigmoid"), table(), pool="x50", error=ValueError)
    assert "--group" in message


def test_curves_that_lack_some_groups():
    frame = TABLE.assign(family=["A", "B"] * 2 + ["B", "C"] * 2, task=["qa"] * 4 + ["sum"] * 4)
    frame = pd.concat([frame, frame.assign(flops=2 * X)])
    data = table(frame, n="asked", group="family", curve="task", duplicates="keep")
    posterior = bs.fit("sigmoid", data, sampler=SMALL)
    assert posterior.model.groups == 3
    shifts = posterior.draws["x50_shift"]
    assert shifts.shape[-1] == 3
    assert np.isfinite(shifts).all()
    spread = shifts.std((1, 2))
    assert spread[0, 2] > 0.1  # no row of group C in the first curve: its prior speaks
    assert spread[1, 0] > 0.1


# ------------------------------------------------------------------ several responses


def both(acc):
    """The table with accuracies and losses."""
    return TABLE.assign(acc=acc, loss=4 * X**-0.05)


QUESTION = {"y": {"accuracy": "acc", "loss": "loss"}, "curve": "task", "n": "asked"}


def test_gaps_in_one_of_several_responses():
    acc = TABLE.acc.where(np.arange(8) != 2)
    data = table(both(acc), **QUESTION | {"curve": None})
    assert data.notes == ("accuracy was measured in 7 of 8 rows",)
    (batch,) = packed(data, "two_stage")
    assert batch.data["mask"][0, :9].tolist() == [True, True, False, *[True] * 5, False]
    assert batch.data["beside"]["loss"]["mask"][0].sum() == 8
    assert np.isfinite(batch.data["observed"]).all()


@pytest.mark.parametrize(("role", "column"), [("accuracy", "acc"), ("loss", "loss")])
def test_a_response_missing_in_a_whole_curve(role, column):
    frame = pd.concat([both(TABLE.acc).assign(task=task) for task in ("qa", "sum")])
    frame.loc[frame.task == "sum", column] = np.nan
    data = table(frame, **QUESTION)
    assert f"{role} was measured in 8 of 16 rows" in data.notes
    message = refusal(packed, data, "two_stage")
    assert f"column '{column}': curve 'sum' has no value of {role}" in message
    assert "leave the curve out with where (--where)" in message
    packed(table(frame, where="task != 'sum'", **QUESTION), "two_stage")
    frame[column] = np.nan
    message = refusal(packed, table(frame.iloc[:8], **QUESTION | {"curve": None}), "two_stage")
    assert f"the table has no value of {role}; take a law of the other response alone" in message


def test_extremes_of_several_responses():
    data = table(both(0.0), **QUESTION | {"curve": None})
    assert data.notes == ("every accuracy is 0: nothing tells when it unlocks but the prior",)
    assert "every accuracy" in note(table(both(0.1), chance=0.5, **QUESTION), "CHECK CHANCE")


@pytest.mark.parametrize("stderr", [0.001, 1e200, 1e308])
def test_an_absurd_standard_error_excuses_an_accuracy_below_chance(stderr):
    frame = pd.DataFrame({"x": np.geomspace(1, 9, 5), "acc": 0.01, "se": [0.001] * 4 + [stderr]})
    notes = from_frame(frame, "x", "acc", stderr="se", chance=0.25).notes
    assert any("CHECK CHANCE" in note for note in notes) == (stderr < 1)


@pytest.mark.parametrize(("role", "size"), [("x", 1e-294), ("y", 5e-300), ("y", 3e200)])
def test_sizes_beyond_all_reason_are_a_matter_of_scale(role, size):
    frame = pd.DataFrame({"x": np.geomspace(1e6, 1e9, 8), "y": np.geomspace(5, 2, 8)})
    frame[role] *= size
    with pytest.raises(DataError, match=rf"row 1, column '{role}'.*give another unit: {role}\*1e"):
        from_frame(frame, x="x", y="y")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("FLOP (1e18)", "`FLOP (1e18)`*1e18"),
        ("flops_e21", "flops_e21*1e21"),
        ("FLOPs (x10^18)", "`FLOPs (x10^18)`*1e18"),
        ("train_flops", "train_flops*UNIT"),
        ("PFLOP-days", None),
        ("flops_per_token", None),
    ],
)
def test_flop_in_another_unit(name, said):
    frame = pd.DataFrame({name: np.geomspace(6, 600, 8), "y": np.geomspace(5, 2, 8)})
    notes = [note for note in from_frame(frame, name, "y").notes if note.kind == "units"]
    assert len(notes) == (said is not None)
    assert said is None or f"in which unit? x='{said}'" in notes[0]
    assert not from_frame(frame.assign(f=1e18 * frame[name]), "f", "y").notes


def test_scales_in_two_units_are_told():
    sizes = ["70", "160", "410", "1B", "2.8B", "6.9B"]
    frame = pd.DataFrame({"params": sizes, "y": np.geomspace(5, 2, 6)})
    (note,) = from_frame(frame, "units(params)", "y").notes
    assert note.kind == "units"
    assert "units(params) jumps from 410 to 1e+09: are all in one unit?" in note
    assert not from_frame(frame.iloc[3:], "units(params)", "y").notes


def test_one_column_is_no_scale_of_itself():
    frame = pd.DataFrame({"x": np.geomspace(1, 9, 5), "y": np.geomspace(5, 2, 5)})
    with pytest.raises(DataError, match="'y' is both scale and response; name one column for each"):
        from_frame(frame, "y", "y")


@pytest.mark.parametrize(
    "cell", ["70 000 000", "70'000'000", "70\u202f000\u202f000", "70 000 000 params"]
)
def test_thousands_set_apart(cell):
    frame = pd.DataFrame({"params": [cell, "1 000 000 000"], "y": [3.0, 2.0]})
    with pytest.raises(DataError, match=r"write units\(params\)"):
        from_frame(frame, "params", "y")
    assert from_frame(frame, "units(params)", "y").inputs["x"].tolist() == [7e7, 1e9]


def test_a_filter_with_a_text_that_no_cell_is_says_so():
    frame = pd.DataFrame({"model": list("abc"), "x": [1.0, 2.0, 4.0], "y": [4.0, 3.0, 2.0]})
    for where in ("model != 'B'", "model in ['a', 'b', 'B']", "`model` == 'a' or model != 'B'"):
        notes = [str(note) for note in from_frame(frame, "x", "y", where=where).notes]
        assert any("no cell of model is 'B'; did you mean 'b'?" in note for note in notes)
    assert not from_frame(frame, "x", "y", where="model in ['a', 'b', 'c']").notes
    with pytest.raises(DataError, match="no cell of model is 'A'; did you mean 'a'"):
        from_frame(frame, ["x", "m=(model == 'A') + 1"], "y")


def test_a_minus_as_it_is_typeset():
    frame = {"x": [1.0, 2.0], "gain": ["\u22123.2", "\u22121e\u22122"]}
    assert from_frame(frame, "x", "gain").responses["y"].tolist() == [-3.2, -0.01]
