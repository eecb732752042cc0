"""Columns side by side become rows; tables that look wide are told, with the way that works."""

import re
import shlex

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bayescale as bs
from bayescale.cli import terminal
from bayescale.cli.commands import main
from bayescale.data.notes import wide
from bayescale.messages import DataError
from bayescale.reading.to_long import parse_long

SIZES = {
    "tokens": [1e9, 4e9, 16e9],
    "loss_70M": [4.1, 3.7, 3.5],
    "loss_160M": [3.8, 3.4, 3.2],
    "loss_1.4B": [None, 3.1, 2.8],
}
TASKS = {"params": [1e8, 1e9, 1e10], "mmlu": [0.25, 0.28, 0.4], "arc (easy)": [0.26, 0.4, 0.55]}


def refusal(call, *args, error=DataError, **kwargs):
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
def test_columns_that_are_scales(make):
    long = bs.to_long(make(SIZES), "params", {"loss": "loss_*"})
    assert long.columns.tolist() == ["params", "loss", "tokens"]
    assert long["params"].tolist() == [7e7] * 3 + [1.6e8] * 3 + [1.4e9] * 2
    assert long["loss"].tolist() == [4.1, 3.7, 3.5, 3.8, 3.4, 3.2, 3.1, 2.8]
    assert long["tokens"].tolist() == [1e9, 4e9, 16e9] * 2 + [4e9, 16e9]
    data = bs.from_frame(long, {"N": "params", "D": "tokens"}, "loss")
    assert data.notes[0] == (
        "3 columns stand in rows: loss by params (70M, 160M, 1.4B); 1 of 9 rows have no value and "
        "are left out"
    )


def test_columns_that_are_tasks():
    long = bs.to_long(TASKS, "task", {"score": ["mmlu", "arc (easy)"]})
    assert long["task"].tolist() == ["mmlu"] * 3 + ["arc (easy)"] * 3
    assert bs.from_frame(long, "params", "score", curve="task").curve_names == (
        "mmlu",
        "arc (easy)",
    )


def test_columns_that_are_runs_have_cells_of_one_run_in_one_row():
    steps = {"a - step": [1, 3], "b - step": [2, np.nan]}
    frame = steps | {"a - loss": [5.0, 4.0], "b - loss": [3.0, ""]}
    long = bs.to_long(frame, "run", {"step": "* - step", "loss": "* - loss"})
    assert long.to_dict("list") == {"run": ["a", "a", "b"], "step": [1, 3, 2], "loss": [5, 4, 3]}
    frame["b - loss"] = [np.nan, 3.5]
    half = bs.to_long(frame, "run", {"s": "* - step", "l": "* - loss"})
    assert len(half) == 4  # a value without its step is not left out, but told
    assert "row 4, column 's': nan" in refusal(bs.from_frame, half, "s", "l")


def test_cells_with_units_stay_for_the_expression_that_reads_them():
    frame = {"x": [1, 2], "a": ["12 %", "13%"], "b": ["14%", ""]}
    long = bs.to_long(frame, "of", {"y": ["a", "b"]})
    data = bs.from_frame(long, "x", "units(y)", where="of == 'a'")
    np.testing.assert_allclose(data.responses["y"], [0.12, 0.13])


@pytest.mark.parametrize(
    ("label", "values", "words"),
    [
        ("params", {"loss": "los_*"}, "no column is as 'los_*'; did you mean"),
        ("params", {"loss": ["loss_7M"]}, "no column 'loss_7M'; did you mean 'loss_70M'"),
        ("tokens", {"loss": "loss_*"}, "the name 'tokens' is taken"),
        ("loss", {"loss": "loss_*"}, "the name 'loss' is taken"),
        ("params", {"loss": "*_*"}, "has several stars"),
        ("params", {}, "no columns are named"),
    ],
)
def test_columns_that_are_not_there(label, values, words):
    assert words in refusal(bs.to_long, SIZES, label, values)


def test_a_cell_that_is_no_number_is_told_where_it_stands():
    frame = {"x": [1, 2], "y_1M": [3.0, 2.0], "y_2M": [3.0, "oops"]}
    message = refusal(bs.to_long, frame, "N", {"y": "y_*"}, source="wide.csv")
    assert message.startswith("wide.csv: row 2, column 'y_2M': 'oops' is no number; correct it")


# ------------------------------------------------------------------ what is said of wide tables


def test_a_table_that_looks_wide_is_told_with_the_way_that_works():
    frame = pd.DataFrame(SIZES)
    (note,) = bs.from_frame(frame, "tokens", "loss_70M").notes
    assert note.kind == "wide"
    way = re.search(r"to_long\(.*?\}\)", note)[0]
    long = eval(way, {"to_long": bs.to_long, "frame": frame})
    assert len(bs.from_frame(long, ["params", "tokens"], "loss")) == 8
    assert way in refusal(bs.from_frame, frame, "tokens", "loss")  # no such column
    assert way in refusal(bs.from_frame, frame, "tokens", "loss_1.4B")  # a gap in one
    assert bs.from_frame(frame, "tokens", frame["tokens"] * 2).notes == ()


def test_names_that_are_sizes():
    assert "--long 'params:loss=`70M`,`160M`,`1.4B`'" in wide(["D", "70M", "160M", "1.4B"])[1]
    assert wide(["x", "seed1", "seed2", "seed3"]) is None
    assert wide(["layer.1", "layer.2", "layer.3", "arc_25", "arc_50"]) is None
    assert wide(["D", "loss@1e9", "loss@1e10", "loss@1e11"])[0] == (
        "loss@1e9",
        "loss@1e10",
        "loss@1e11",
    )


def test_several_responses_of_a_law_of_one_are_told_the_way():
    data = bs.from_frame(TASKS, "params", ["mmlu", "arc (easy)"])
    message = refusal(bs.fit, "sigmoid", data)
    assert "to_long(frame, 'task', {'score': ['mmlu', 'arc (easy)']})" in message
    (flag,) = re.findall(r"--long '[^']*'", message)
    label, values = parse_long([shlex.split(flag)[1]])
    assert bs.to_long(TASKS, label, values)["task"].unique().tolist() == ["mmlu", "arc (easy)"]


# ------------------------------------------------------------------ the option


def test_the_option():
    assert parse_long(["params:loss=loss_*"]) == ("params", {"loss": "loss_*"})
    assert parse_long(["run : a = * - a", "run:b=* - b, c"]) == (
        "run",
        {"a": "* - a", "b": [["* - b", "c"][0], "c"]},
    )
    assert parse_long(["t:s=`a,b`,c"]) == ("t", {"s": ["a,b", "c"]})
    for given, words in (
        (["loss=a"], "cannot read 'loss=a'; write LABEL:NAME=COLUMNS"),
        (["a:x=b*", "c:y=d*"], "differ in a or in c"),
        (["a:x=b*", "a:x=c*"], "x is given twice"),
    ):
        assert words in refusal(parse_long, given, error=ValueError)


def test_the_command_line_makes_rows(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    path = tmp_path / "wide.csv"
    pd.DataFrame(SIZES).to_csv(path, index=False)
    args = [str(path), "--law", "power(floor=False)", "-x", "tokens", "-y", "loss"]
    args += ["--long", "params:loss=loss_*", "--curve", "params", "--where", "params < 1e9"]
    main(["fit", *args, "--sampler", "laplace", "--draws", "250"])
    told = capsys.readouterr()
    assert "wide.csv, as rows: 6 rows" in told.err
    assert "3 columns stand in rows: loss by params" in told.err
    assert "160M" in told.out
    assert main(["fit", *args[:-4], "--long", "params=loss_*"]) == terminal.WRONG
    assert "--long: cannot read" in capsys.readouterr().err
