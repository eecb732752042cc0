"""Tables: each either makes a valid Dataset or one line that says what to do."""

import gzip
import pickle
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.messages import DataError
from bayescale.reading.read_table import read_table

RUNS = pd.DataFrame(
    {
        "params": [1e6, 1e7, 1e8, 1e9] * 2,
        "tokens": [1e9, 1e9, 1e10, 1e10] * 2,
        "loss": [4.0, 3.0, 2.5, 2.0, 5.0, 4.5, 4.0, 3.5],
        "acc": [0.25, 0.3, 0.5, 0.75, 0.2, 0.2, 0.1, 0.4],
        "n_right": [25, 30, 50, 75, 20, 20, 10, 40],
        "n_asked": [100] * 8,
        "task": ["qa"] * 4 + ["sum"] * 4,
        "family": ["A", "B"] * 4,
        "loss (nats)": [4.0, 3.0, 2.5, 2.0, 5.0, 4.5, 4.0, 3.5],
    }
)


def edited(column, at, value):
    """Return the runs with one cell replaced."""
    cells = RUNS[column].astype(object).tolist()
    cells[at] = value
    return RUNS.assign(**{column: pd.Series(cells, dtype=object)})


def refusal(call, *args, **kwargs):
    """Return the one line of the DataError."""
    with pytest.raises(DataError) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


# ------------------------------------------------------------------ columns to roles


def test_a_table_of_losses():
    data = from_frame(RUNS, ["N=params", "D=tokens"], "loss=loss", source="runs.csv")
    assert list(data.inputs) == ["N", "D"]
    np.testing.assert_array_equal(data.inputs["N"], RUNS["params"])
    np.testing.assert_array_equal(data.responses["loss"], RUNS["loss"])
    assert data.rows.tolist() == list(range(1, 9))
    assert data.columns == {"N": "params", "D": "tokens", "loss": "loss"}
    assert (data.curve_names, data.notes, len(data)) == ((), (), 8)
    assert data.describe() == [
        "runs.csv: 8 rows",
        "N = params: 1e+06 .. 1e+09",
        "D = tokens: 1e+09 .. 1e+10",
        "loss: 2 .. 5",
    ]


def test_every_role():
    data = from_frame(
        RUNS,
        "log10(params)*1e3",
        "n_right/n_asked",
        n="n_asked",
        stderr=0.01,
        chance="0.25",
        curve=["task", "family"],
        group="family",
        where="family != 'A' or loss < 9",
        reference={"x": 7e3, "y": 0.5},
    )
    np.testing.assert_allclose(data.inputs["x"][:3], [6e3, 7e3, 8e3])
    np.testing.assert_allclose(data.responses["y"], RUNS["acc"])
    assert data.n.tolist() == [100] * 8
    assert data.chance.tolist() == [0.25] * 8
    assert data.stderr.tolist() == [0.01] * 8
    assert data.curve_names == ("qa/A", "qa/B", "sum/A", "sum/B")
    assert data.columns["curve"] == "task/family"
    assert data.columns["chance"] == "0.25"
    assert data.describe()[-2] == "curve = task/family: 4 labels of 2 .. 2 rows"


def test_a_filter_keeps_row_numbers_and_is_noted():
    data = from_frame(RUNS, "params", "loss", where="task == 'sum' and params > 1e6")
    assert data.rows.tolist() == [6, 7, 8]
    assert data.notes == ("where task == 'sum' and params > 1e6: 3 of 8 rows kept",)


@pytest.mark.parametrize(
    ("x", "names"),
    [
        (["params", "tokens"], ["N", "D"]),
        (["D=tokens", "N=params"], ["N", "D"]),
        (["D=tokens", "params"], ["N", "D"]),
        ({"D": "tokens", "N": "params"}, ["N", "D"]),
    ],
)
def test_inputs_come_in_the_order_of_the_law(x, names):
    data = from_frame(RUNS, x, "loss", input_names=("N", "D"))
    assert list(data.inputs) == names
    assert data.inputs["N"][0] == 1e6


@pytest.mark.parametrize("x", ["params", ["N=params", "E=tokens"], ["N=params"] * 3, []])
def test_inputs_that_are_not_those_of_the_law(x):
    message = refusal(from_frame, RUNS, x, "loss", input_names=("N", "D"))
    assert "the law's inputs are N, D" in message
    assert "-x N=... -x D=..." in message


def test_names_without_a_law():
    assert list(from_frame(RUNS, "params", "loss").inputs) == ["x"]
    assert list(from_frame(RUNS, ["params", "tokens"], "loss").inputs) == ["params", "tokens"]
    assert list(from_frame(RUNS, "params", ["loss", "a=acc"]).responses) == ["loss", "a"]
    odd = from_frame(RUNS, "params", "loss (nats)")
    assert odd.columns["y"] == "`loss (nats)`"
    same = from_frame(RUNS, "params", "`loss (nats)`*2")
    np.testing.assert_array_equal(same.responses["y"], 2 * odd.responses["y"])


def test_several_responses_may_have_gaps():
    gaps = edited("acc", 2, None)
    data = from_frame(gaps, "params", {"loss": "loss", "acc": "acc"}, group="task")
    assert np.isnan(data.responses["acc"][2])
    assert data.notes == ("acc was measured in 7 of 8 rows",)
    assert "(7 measured)" in data.describe()[3]
    both = gaps.assign(loss=edited("loss", 2, np.nan)["loss"])
    message = refusal(from_frame, both, "params", ["loss", "acc"])
    assert "row 3: no response was measured" in message
    assert "where='isfinite(loss) or isfinite(acc)'" in message
    assert "row 3, column 'log(acc - 0.5)'" in refusal(
        from_frame, RUNS, "params", ["loss", "log(acc - 0.5)"], where="acc >= .5 or acc < 0.15"
    ).replace("row 7", "row 3")


@pytest.mark.parametrize(
    ("frame", "kwargs", "words"),
    [
        (edited("params", 3, "oops"), {}, ["row 4, column 'params': 'oops' is no number"]),
        (edited("params", 3, None), {}, ["row 4, column 'params': nan", "isfinite(params)"]),
        (edited("params", 3, np.inf), {}, ["row 4, column 'params': inf"]),
        (edited("params", 3, 0.0), {}, ["row 4, column 'params': 0 is not", "where='params > 0'"]),
        (edited("params", 3, -5), {}, ["row 4, column 'params': -5 is not above 0"]),
        (edited("loss", 0, np.nan), {}, ["row 1, column 'loss': nan", "--where 'isfinite(loss)'"]),
        (edited("loss", 0, -np.inf), {}, ["row 1, column 'loss': -inf"]),
        (edited("n_asked", 5, np.nan), {"n": "n_asked"}, ["row 6, column 'n_asked': nan"]),
        (edited("n_asked", 5, 2.5), {"n": "n_asked"}, ["row 6", "2.5 is not a whole number"]),
        (edited("n_asked", 5, 0), {"n": "n_asked"}, ["row 6", "0 is not a whole number, 1 or"]),
        (edited("acc", 1, -1), {"stderr": "acc"}, ["row 2, column 'acc': -1 is not 0 or more"]),
        (
            edited("acc", 1, 25),
            {"chance": "acc"},
            ["25 is not within 0 .. 1", "chance='(acc)/100'"],
        ),
        (edited("task", 1, None), {"curve": "task"}, ["row 2, column 'task'", "task == task"]),
        (RUNS, {"curve": "tusk"}, ["no column 'tusk'; did you mean 'task'?"]),
        (RUNS, {"n": "asked"}, ["no column 'asked'"]),
        (RUNS, {"where": "loss > 10"}, ["none of 8 rows passes where='loss > 10'"]),
        (RUNS, {"where": "loss"}, ["a value stands where a comparison must"]),
        (RUNS, {"where": "params == 1e6 and task == 'qa'"}, ["one row, all", "1 row"]),
        (RUNS, {"where": "params == 1e6"}, ["2 rows, all at x = 1e+06"]),
        (RUNS, {"curve": "params"}, ["curve '1000000' has 2 rows, all at x = 1e+06"]),
        (RUNS, {"duplicates": "no"}, ["known are error, keep, drop"]),
        (RUNS, {"reference": {"N": 1.0}}, ["no reference 'N'", "'x', 'y'"]),
        (RUNS, {"reference": {"x": 0.0}}, ["reference x = 0.0 is not above 0"]),
        (RUNS[:0], {}, ["has no rows"]),
        (RUNS[["loss", "loss", "params"]], {}, ["'loss' 2 times"]),
        ({"params": [1, 2], "loss": [1]}, {}, ["'params' (2,), 'loss' (1,)"]),
        ({"params": [[1, 2]], "loss": [1]}, {}, ["'params' (1, 2)"]),
        ({}, {}, ["has no rows"]),
        (3, {}, ["is no usable table"]),
    ],
)
def test_what_is_refused(frame, kwargs, words):
    message = refusal(from_frame, frame, "params", "loss", source="runs.csv", **kwargs)
    assert message.startswith("runs.csv: ")
    assert any(word in message for word in words), message


def test_names_that_clash():
    assert "the name 'n' is taken" in refusal(from_frame, RUNS, "n=params", "loss")
    assert "the name 'N' is taken" in refusal(from_frame, RUNS, ["N=params", "N=tokens"], "loss")
    assert "both input and response" in refusal(from_frame, RUNS, "y=params", "loss")
    assert "y names no column" in refusal(from_frame, RUNS, "params", [])


def test_an_expression_without_value_is_named_with_its_row():
    message = refusal(from_frame, edited("n_asked", 2, 0), "params", "n_right/n_asked")
    assert "row 3, column 'n_right/n_asked': inf is no finite number" in message
    assert "where='isfinite(n_right/n_asked)'" in message


def test_the_remedies_work():
    broken = edited("acc", 2, "n/a?")
    test = refusal(from_frame, broken, "params", "acc").split("where='")[1].split("'")[0]
    assert from_frame(broken, "params", "acc", where=test).rows.tolist() == [1, 2, 4, 5, 6, 7, 8]
    broken = edited("task", 1, None)
    test = refusal(from_frame, broken, "params", "acc", curve="task")
    test = test.split("where='")[1].split("'")[0]
    assert len(from_frame(broken, "params", "acc", curve="task", where=test)) == 7


def test_labels_that_collide_when_joined():
    frame = RUNS.assign(a=["p/q", "p"] * 4, b=["r", "q/r"] * 4)
    assert "look alike" in refusal(from_frame, frame, "params", "loss", curve=["a", "b"])


def test_labels_of_any_type():
    frame = RUNS.assign(seed=[1.0, 2.0] * 4, kind=pd.Categorical(["a", "b"] * 4))
    data = from_frame(frame, "params", "loss", curve="seed", group="kind")
    assert data.curve_names == ("1", "2")
    assert from_frame(frame, "params", "loss", curve=[]).curve is None
    assert set(data.group) == {"a", "b"}


def test_masked_cells_are_missing():
    columns = {"x": np.ma.masked_array([1, 2, 3], [0, 1, 0]), "y": np.arange(3.0)}
    assert "row 2, column 'x': nan" in refusal(from_frame, columns, "x", "y")
    assert len(from_frame(columns, "x", "y", where="x == x")) == 2


# ------------------------------------------------------------------ copies and remarks


def test_copies():
    twice = pd.concat([RUNS, RUNS[2:5]], ignore_index=True)
    message = refusal(from_frame, twice, "params", "loss", curve="task")
    assert "3 of 11 rows repeat an earlier row" in message
    assert "first: rows 3 and 9" in message
    assert "--duplicates drop" in message
    assert "duplicates='keep'" in message
    dropped = from_frame(twice, "params", "loss", curve="task", duplicates="drop")
    assert dropped.rows.tolist() == list(range(1, 9))
    assert dropped.notes[0].endswith("; dropped")
    kept = from_frame(twice, "params", "loss", curve="task", duplicates="keep")
    assert len(kept) == 11
    assert kept.notes[0].endswith("; kept as independent measurements")


def test_rows_that_differ_in_a_used_column_are_no_copies():
    twice = pd.concat([RUNS.assign(seed=0), RUNS.assign(seed=1)], ignore_index=True)
    assert len(from_frame(twice, "params", "loss", curve="task", group="seed")) == 16
    gaps = pd.concat([edited("acc", 2, None)] * 2, ignore_index=True)
    assert "8 of 16 rows" in refusal(from_frame, gaps, "params", ["loss", "acc"])


def test_swapped_scales_are_noted():
    data = from_frame(RUNS, ["D=params", "N=tokens"], "loss")
    assert data.notes == ("N exceeds D in 100 % of rows: check order and units",)
    assert from_frame(RUNS, ["tokens", "params"], "loss").notes == ()


def test_shares_that_are_no_counts_are_noted():
    data = from_frame(RUNS, "params", "loss/7", n="n_asked")
    assert "y * n is no whole number in 7 of 8 rows (first: row 1" in data.notes[0]
    assert from_frame(RUNS, "params", "acc", n="n_asked").notes == ()


# ------------------------------------------------------------------ Dataset


def small(**changes):
    fields = {"inputs": {"x": np.array([1.0, 2.0])}, "responses": {"y": np.array([0.5, 1.5])}}
    return Dataset(**{**fields, **changes})


def test_support():
    small().require("positive")
    small().require("real")
    assert "row 2, column 'y': 1.5 is above 1; give fractions: y='y/100'" in refusal(
        small().require, "unit"
    )
    with pytest.raises(ValueError, match="positive, real, unit"):
        small().require("count")
    lower = small(responses={"y": np.array([-0.5, 0.5]), "z": np.array([np.nan, 1.0])}, source="t")
    lower.require("unit", "z")
    lower.require("real")
    assert "t: row 1, column 'y': -0.5 is not within 0 .. 1" in refusal(lower.require, "unit")
    assert "is not above 0" in refusal(lower.require, "positive")


@pytest.mark.parametrize(
    ("y", "n", "words"),
    [
        ("acc*100", None, "give fractions: y='(acc*100)/100' (-y '(acc*100)/100')"),
        ("n_right", None, "25 is above 1; give fractions: y='n_right/100'"),
        ("n_right", "n_asked", "counts are given as fractions: y='n_right/n_asked'"),
        ("n_asked/n_right", None, "4 is above 1: n_asked exceeds n_right; check which"),
        ("tokens/params*1.5", None, "divide by the highest possible score"),
    ],
)
def test_shares_above_one(y, n, words):
    assert words in refusal(from_frame(RUNS, "params", y, n=n, group="task").require, "unit")


def test_take_and_fail():
    data = from_frame(RUNS, "params", "loss", curve="task", n="n_asked")
    some = data.take(data.curve == "sum")
    assert some.rows.tolist() == [5, 6, 7, 8]
    assert some.curve_names == ("sum",)
    assert some.columns == data.columns
    assert data.take([0, 0]).rows.tolist() == [1, 1]
    assert len(data.take([])) == 0
    message = refusal(some.fail, "is odd", row=1, role="y", value=4.5, remedy="look")
    assert message == "table: row 6, column 'loss': 4.5 is odd; look"
    assert refusal(some.fail, "is odd", remedy="look") == "table: is odd; look"


def test_a_dataset_owns_its_arrays():
    x = np.array([1.0, 2.0])
    data = small(inputs={"x": x})
    x[0] = 7.0
    assert data.inputs["x"][0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        data.inputs["x"][0] = 7.0
    again = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(again.inputs["x"], data.inputs["x"])


def test_a_dataset_made_by_hand_is_checked_too():
    assert "has shape (1,) beside 2 rows" in refusal(small, n=np.array([3.0]))
    assert "nan is not above 0" in refusal(small, inputs={"x": np.array([1.0, np.nan])})
    assert "row 12" in refusal(small, stderr=np.array([1.0, -1.0]), rows=np.array([11, 12]))


def test_how_a_dataset_shows_itself():
    data = from_frame(RUNS, "params", "loss (nats)", where="loss > 2", source="<b>.csv")
    shown = "<b>.csv: 7 rows; x = params: 1e+06 .. 1e+09; y = `loss (nats)`: 2.5 .. 5"
    assert repr(data) == f"Dataset({shown})"
    page = data._repr_html_()
    assert "&lt;b&gt;.csv" in page
    assert "where loss &gt; 2: 7 of 8 rows kept" in page


# ------------------------------------------------------------------ files


def test_what_can_be_read(tmp_path):
    RUNS.to_csv(tmp_path / "runs.csv", index=False)
    RUNS.to_csv(tmp_path / "runs.tsv", sep="\t", index=False)
    RUNS.set_index("task").to_parquet(tmp_path / "runs.parquet")
    (tmp_path / "Runs.CSV.gz").write_bytes(gzip.compress((tmp_path / "runs.csv").read_bytes()))
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "runs.csv").read_bytes())
    for name in ("runs.csv", "runs.tsv", "runs.parquet", "Runs.CSV.gz", "bom.csv"):
        frame = read_table(tmp_path / name)
        assert frame.index.tolist() == [*range(1, len(RUNS) + 1)]
        frame = frame[RUNS.columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(frame, RUNS, check_dtype=False)


def test_blank_lines_and_large_integers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('x,y\n\n600000000000000000000000,1\n  \n7,"2"\n\n', encoding="utf-8")
    data = from_frame(read_table(str(path)), "x", "y")
    assert data.inputs["x"].tolist() == [6e23, 7]


def test_rows_are_named_as_they_stand_in_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('\nrow,x,y\n\n1,2,"4"\n2,3,oops\n\n\n3,5,7\n4,inf,8\n', encoding="utf-8")
    runs = read_table(path)
    assert "row 3, column 'y': 'oops'" in refusal(from_frame, runs, "row", "y")
    assert "row 3, column 'y': 'oops'" in refusal(from_frame, runs[::-1], "row", "y")
    assert "row 7, column 'x'" in refusal(from_frame, runs, "x", "row", where="row != 2")
    assert from_frame(runs[runs.row != 2], "row", "row + 1").rows.tolist() == [2, 6, 7]
    # What has lost its file is counted anew.
    joined = pd.concat([runs, runs])
    assert "row 2, column 'y': 'oops'" in refusal(from_frame, joined, "row", "y")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b" \n\n", "is empty"),
        ("a.csv", b"x,y\n", "has a header and no rows"),
        ("a.csv", b"x,y\n1,2\n3\n", "line 3 has 1 cells, the header 2"),
        ("a.csv", b"x,y\n1,2,3\n4,5,6\n", "line 2 has 3 cells, the header 2"),
        ("a.csv", b"x,x\n1,2\n", "two columns are called 'x'"),
        ("a.csv", b"1,2\n3,4\n", "the first line holds only numbers"),
        ("a.csv", b'x,y\n"1,2\n3,4\n', "line 3: unexpected end of data"),
        ("a.csv", b"x,y\n1,2\n\x81,3\n", "line 3 is not UTF-8 text"),
        ("a.csv", b"\xff\xfex", "is no UTF-16 text"),
        ("a.csv", b"x,y\n1,\0\n", "holds zero bytes"),
        ("a.csv.gz", gzip.compress(b"x,y\n1,2\n", mtime=0)[:-9], "cannot be read"),
        ("a.parquet", b"x,y\n1,2\n", "is no readable Parquet file"),
        ("a.parquet", b"", "is no readable Parquet file"),
        ("a.xls", b"x", "the ending '.xls' is unknown; known are .csv"),
        ("a", b"x", "the ending '' is unknown"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    message = refusal(read_table, tmp_path / name)
    assert words in message
    assert name in message


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "losses.csv").touch()
    assert "did you mean 'losses.csv'?" in refusal(read_table, tmp_path / "loses.csv")
    assert "is a folder" in refusal(read_table, tmp_path)
    assert "nor a folder" in refusal(read_table, tmp_path / "no" / "a.csv")
    assert "no such file" in refusal(read_table, "a\0.csv")


# ------------------------------------------------------------------ any table at all

ODD = [0.0, -1.0, np.nan, np.inf, "oops", "1e9", "", None, True, "é", b"x", 10**400, "1,5", "a\nb"]
CELLS = st.sampled_from(ODD) | st.floats() | st.integers(-5, 10**20) | st.text(max_size=3)
CLEAN = st.sampled_from([0.1, 0.5, 1.0, 2.0, 55.5, 100.0, 1e9, 1e300, 5e-324])
NAMES = ("a", "b", "c c", "n")
GOOD = st.sampled_from(["a", "b", "c c", "a*3", "`c c`/100", "sqrt(b)"])
TEXTS = GOOD | st.sampled_from(["n", "N=a", "D=b", "a/b", "log(b)", "z", "2", "b*1e300", "a +", ""])
FILTERS = ["isfinite(a)", "a > 0", "a > 0 and b > 0", "b == b", "a in [1]", "n != 'oops'", "a"]


@st.composite
def tables(draw):
    """Columns of numbers, a few of their cells replaced, as lists, arrays or a dataframe."""
    rows = draw(st.sampled_from([0, 1, 2, 3, 3, 5, 5, 8]))
    frame = {name: draw(st.lists(CLEAN, min_size=rows, max_size=rows)) for name in NAMES}
    frame["n"] = [float(draw(st.integers(1, 4))) for _ in range(rows)]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])) if rows else 0):
        frame[draw(st.sampled_from(NAMES))][draw(st.integers(0, rows - 1))] = draw(CELLS)
    if draw(st.integers(0, 4)) == 0:
        frame = {name: cells + cells[:2] for name, cells in frame.items()}
    make = draw(st.sampled_from([dict, pd.DataFrame, None, np.array]))
    with suppress(OverflowError, ValueError):
        if make is np.array:
            return {name: np.array(cells) for name, cells in frame.items()}
        return pd.DataFrame(frame, dtype=object) if make is None else make(frame)
    return frame


def rarely(values):
    return st.none() | st.none() | st.none() | st.sampled_from(values)


QUESTIONS = st.fixed_dictionaries(
    {
        "x": GOOD | TEXTS | st.lists(TEXTS, max_size=3),
        "y": GOOD | GOOD.map(lambda text: f"loss={text}") | st.lists(TEXTS, max_size=3),
        "n": rarely(["n", "100", "a", 7]),
        "stderr": rarely(["b", 0.5]),
        "chance": rarely([0.25, "b"]),
        "curve": rarely(["n", ["b", "n"], "z", []]),
        "group": rarely(["n", "b"]),
        "where": rarely(FILTERS),
        "duplicates": st.sampled_from(["error", "keep", "drop", "drop"]),
        "input_names": rarely([["N"], ["N", "D"]]),
    }
)


def check_one_line(error, start="table: "):
    assert len(str(error).splitlines()) == 1
    assert str(error).startswith(start)


def check_valid(data, rows):
    assert len(data) >= 2
    for values in data.inputs.values():
        assert values.dtype == np.float64
        assert values.shape == data.rows.shape
        assert np.all(np.isfinite(values) & (values > 0))
    measured = np.array([np.isfinite(y) for y in data.responses.values()])
    assert measured.any(axis=0).all()
    assert not any(np.isinf(y).any() for y in data.responses.values())
    assert len(data) == rows or any("kept" in note or "dropped" in note for note in data.notes)
    assert len(set(data.rows)) == len(data)
    assert all(len(line.splitlines()) == 1 for line in (*data.describe(), *data.notes))
    for support in ("unit", "positive", "real"):
        with suppress(DataError):
            data.require(support)


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), QUESTIONS)
def test_any_table_is_a_dataset_or_one_line(frame, question):
    try:
        data = from_frame(frame, **question)
    except DataError as error:
        check_one_line(error)
    else:
        check_valid(data, len(frame["a"]))


ROWS = st.lists(st.tuples(CLEAN, CLEAN).map(lambda pair: f"{pair[0]},{pair[1]}"), max_size=5)
LINES = st.text('ab,"\n\r\t 1\0é;', max_size=8) | st.lists(CELLS.map(str), max_size=3).map(",".join)
FILES = st.tuples(
    st.sampled_from(["a,b\n", "a,b\r\n", "\ufeffa,b\n\n", ""]), ROWS, rarely([""]) | LINES, ROWS
).map(
    lambda parts: (
        parts[0] + "\n".join([*parts[1], *([parts[2]] if parts[2] else []), *parts[3]])
    ).encode("utf-8", "surrogatepass")
)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    FILES | st.binary(max_size=60),
    st.sampled_from([".csv", ".csv", ".csv", ".tsv", ".csv.gz", ".parquet", ".txt"]),
    st.booleans(),
)
def test_any_file_is_a_dataset_or_one_line(tmp_path_factory, content, ending, packed):
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    path.write_bytes(
        gzip.compress(content, mtime=0) if packed and ending.endswith(".gz") else content
    )
    try:
        frame = read_table(path)
        data = from_frame(frame, "a", "b", source=str(path))
    except DataError as error:
        check_one_line(error, str(path))
    else:
        check_valid(data, len(frame))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4))
def test_a_damaged_parquet_file_is_one_line(tmp_path_factory, damage):
    folder = tmp_path_factory.getbasetemp()
    if not (folder / "whole.parquet").exists():
        RUNS.to_parquet(folder / "whole.parquet")
    content = bytearray((folder / "whole.parquet").read_bytes())
    for at, byte in damage:
        content[at % len(content)] = byte
    (folder / "damaged.parquet").write_bytes(content)
    with suppress(DataError):
        from_frame(read_table(folder / "damaged.parquet"), "params", "loss")


def test_a_parquet_file_of_texts_that_are_no_utf8_is_one_line(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    ends = pa.py_buffer(np.array([0, 2, 4], np.int32).tobytes())
    texts = pa.StringArray.from_buffers(2, ends, pa.py_buffer(b"\x82aab"))
    pq.write_table(pa.table({"run": texts, "loss": [2.0, 3.0]}), tmp_path / "texts.parquet")
    with pytest.raises(DataError, match="is no readable Parquet file"):
        read_table(tmp_path / "texts.parquet")


# ------------------------------------------------------------------ real tables


def test_real_losses(data_dir):
    frame = read_table(data_dir / "chinchilla_epoch.csv")
    kept = from_frame(
        frame,
        ["params", "tokens"],
        "loss",
        input_names=["N", "D"],
        where="dropped_by_replication == 0",
    )
    assert len(kept) == 240
    assert kept.notes == ("where dropped_by_replication == 0: 240 of 245 rows kept",)
    kept.require("positive")
    swapped = from_frame(frame, ["tokens", "params"], "loss", input_names=["N", "D"])
    assert "N exceeds D" in swapped.notes[0]


def test_real_copies(data_dir):
    frame = read_table(data_dir / "revisiting_extrapolation.csv")
    question = {"x": "seen_examples", "y": "loss", "curve": ["task", "model"]}
    lm = {**question, "where": "domain == 'LM'"}
    assert "repeat an earlier row in all columns used" in refusal(from_frame, frame, **lm)
    kept = from_frame(frame, **lm, duplicates="keep")
    dropped = from_frame(frame, **lm, duplicates="drop")
    first = from_frame(frame, **question, where="domain == 'LM' and copy == 0")
    assert len(kept) == 4 * len(dropped)
    np.testing.assert_array_equal(dropped.rows, first.rows)
    images = from_frame(frame, **question, where="domain == 'IC' and training == 1")
    tasks = frame[frame.domain == "IC"].groupby(["task", "model"]).ngroups
    assert len(images.curve_names) == tasks
    images.require("unit")


def test_real_accuracies(data_dir):
    frame = read_table(data_dir / "gadre_downstream.csv")
    question = {"x": "flops", "y": "n_correct/n_examples", "n": "n_examples", "chance": "chance"}
    message = refusal(from_frame, frame, **question, curve="task", group="train_data")
    assert "column 'n_correct': nan is no finite number" in message
    data = from_frame(
        frame, **question, curve="task", where="isfinite(n_correct)", duplicates="keep"
    )
    data.require("unit")
    assert len(data) == frame["n_correct"].notna().sum()
    assert not any("whole" in note for note in data.notes)


def test_real_repeated_data(data_dir):
    frame = read_table(data_dir / "datablations_final.csv")
    data = from_frame(
        frame,
        ["params", "tokens", "unique_tokens"],
        "loss=val_loss",
        input_names=["N", "D", "U"],
        where="used_in_published_fit == 1",
        duplicates="keep",
    )
    assert len(data) == 182
    assert list(data.inputs) == ["N", "D", "U"]
