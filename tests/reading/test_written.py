"""Labels are what stands in the cells of a file: 1.1 and 1.10 are two recipes."""

import copy
import json
import pickle

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.messages import DataError
from bayescale.reading.to_long import to_long

PAIRS = [("1.1", "1.10"), ("007", "7"), ("1e3", "1000"), ("1", "01"), ("1_000", "1000")]


def table(path, labels, between=",", name="recipe"):
    rows = [[x, f"{3 / x + at:.4f}", cell] for x in (1, 2, 4) for at, cell in enumerate(labels)]
    lines = [["x", "y", name], *rows]
    path.write_text("\n".join(between.join(map(str, each)) for each in lines) + "\n")
    return bs.read_table(path)


@pytest.mark.parametrize("role", ["curve", "group", "run"])
@pytest.mark.parametrize("labels", PAIRS)
@pytest.mark.parametrize(("ending", "between"), [("csv", ","), ("tsv", "\t"), ("csv", ";")])
def test_labels_are_the_text_of_cells(tmp_path, role, labels, ending, between):
    frame = table(tmp_path / f"runs.{ending}", labels, between)
    data = bs.from_frame(frame, "x", "y", **{role: "recipe"})
    assert getattr(data, role).tolist() == [*labels] * 3


def test_columns_stay_numbers(tmp_path):
    frame = table(tmp_path / "runs.csv", ("1.1", "1.10"))
    assert frame["recipe"].dtype == float
    assert bs.from_frame(frame, "recipe*x", "y", where="recipe == 1.1").rows.tolist() == [
        *range(1, 7)
    ]


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("recipe == '1.10'", [2, 4, 6]),
        ("'1.10' == recipe", [2, 4, 6]),
        ("recipe != '1.10'", [1, 3, 5]),
        ("recipe in ['1.10', '7']", [2, 4, 6]),
        ("recipe not in ['1.10']", [1, 3, 5]),
        ("recipe == 1.1", [1, 2, 3, 4, 5, 6]),
        ("recipe in [1.1]", [1, 2, 3, 4, 5, 6]),
        ("recipe < '1.2'", [1, 2, 3, 4, 5, 6]),
        ("`recipe` == '1.1' and x > 1", [3, 5]),
    ],
)
def test_a_filter_compares_text_with_text_and_numbers_with_numbers(tmp_path, where, rows):
    frame = table(tmp_path / "runs.csv", ("1.1", "1.10"))
    assert bs.from_frame(frame, "x", "y", curve="recipe", where=where).rows.tolist() == rows


def test_a_word_is_no_number(tmp_path):
    frame = table(tmp_path / "runs.csv", ("1.1", "1.10"))
    with pytest.raises(DataError, match="'abc' meets numbers"):
        bs.from_frame(frame, "x", "y", where="recipe != 'abc'")


@pytest.mark.parametrize("cells", [("1.1", "1.10"), ("3,3", "3,30"), ("1,000", "1000")])
def test_texts_of_json(tmp_path, cells):
    path = tmp_path / "runs.json"
    path.write_text(json.dumps([dict(x=x, y=3 / x, recipe=c) for x in (1, 2) for c in cells]))
    data = bs.from_frame(bs.read_table(path), "x", "y", curve="recipe")
    assert data.curve_names == cells


def test_numbers_of_frames_and_typed_files_are_as_they_are(tmp_path):
    frame = pd.DataFrame({"x": [1.0, 2, 1, 2], "y": [3.0, 2, 4, 3], "recipe": [1.1, 1.1, 2, 2]})
    frame.to_parquet(tmp_path / "runs.parquet")
    for each in (frame, bs.read_table(tmp_path / "runs.parquet")):
        assert bs.from_frame(each, "x", "y", curve="recipe").curve_names == ("1.1", "2")


def test_rows_keep_their_texts_as_a_frame_is_cut_and_sorted(tmp_path):
    frame = table(tmp_path / "runs.csv", ("1.1", "1.10"))
    cut = frame[frame["x"] > 1].sort_values("y", ascending=False)
    assert bs.from_frame(cut, "x", "y", curve="recipe").curve.tolist() == [
        "1.10",
        "1.10",
        "1.1",
        "1.1",
    ]
    renamed = frame.rename(columns={"recipe": "other"})
    assert bs.from_frame(renamed, "x", "y", group="other").group_names == ("1.1",)


def test_cells_that_were_changed_go_by_their_value(tmp_path):
    frame = table(tmp_path / "runs.csv", ("1.1", "1.10"))
    frame["recipe"] = np.where(frame["x"] > 1, frame["recipe"], 5.0)
    assert {*bs.from_frame(frame, "x", "y", group="recipe").group} == {"1.1", "1.10", "5"}


def test_frames_are_copied_kept_and_joined_as_ever(tmp_path):
    frame = table(tmp_path / "runs.csv", ("1.1", "1.10"))
    for each in (copy.deepcopy(frame), pickle.loads(pickle.dumps(frame)), frame.copy()):
        assert bs.from_frame(each, "x", "y", curve="recipe").curve_names == ("1.1", "1.10")
    frame.to_parquet(tmp_path / "runs.parquet")
    assert len(bs.read_table(tmp_path / "runs.parquet")) == len(frame)
    assert len(pd.concat([frame, table(tmp_path / "more.csv", ("2", "2.0"))])) == 12


def test_gaps_and_whole_numbers(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("x,y,run\n1,3,1\n2,2,1\n1,4,02\n2,3,02\n3,2,\n")
    data = bs.from_frame(bs.read_table(path), "x", "y", run="run", where="run == run")
    assert {*data.run} == {"1", "02"}


@pytest.mark.parametrize("others", ["1.1", "a"])
@pytest.mark.parametrize("cell", ["NA", "None", "null", "nan"])
def test_a_cell_that_stands_for_none_is_told(tmp_path, others, cell):
    path = tmp_path / "runs.csv"
    path.write_text(f"x,y,run\n1,3,{others}\n2,2,{others}\n3,4,{cell}\n")
    with pytest.raises(DataError, match=f"row 3, column 'run'.*{cell}.*empty cell"):
        bs.from_frame(bs.read_table(path), "x", "y", run="run")
    path.write_text(f"x,y,run\n1,3,{others}\n2,2,{others}\n3,4,\n")
    with pytest.raises(DataError, match="row 3, column 'run'") as caught:
        bs.from_frame(bs.read_table(path), "x", "y", run="run")
    assert "stands for" not in str(caught.value)


def test_long_tables(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("x,recipe,a_1e3,a_20\n1,1.1,3,4\n2,1.1,2,3\n1,1.10,5,6\n2,1.10,4,5\n")
    made = to_long(bs.read_table(path), "task", {"y": "a_*"})
    assert made["task"].dtype.kind in "if"
    data = bs.from_frame(made, "x", "y", curve="task", group="recipe")
    assert data.curve_names == ("1e3", "20")
    assert data.group_names == ("1.1", "1.10")
    assert len(bs.from_frame(made, "x", "y", group="recipe", where="task == '1e3'")) == 4


def test_models_of_a_joined_table_are_named_by_text(tmp_path):
    history = tmp_path / "history.csv"
    history.write_text("_step,run,loss\n1,1.1,3\n2,1.1,2\n1,1.10,4\n2,1.10,3\n")
    models = tmp_path / "models.csv"
    models.write_text("run,params,recipe\n1.1,1e8,7\n1.10,2e8,07\n")
    made = bs.read_wandb(history, models=models)
    assert made["run"].tolist() == ["1.1", "1.1", "1.10", "1.10"]
    assert made["params"].tolist() == [1e8, 1e8, 2e8, 2e8]
    assert made["recipe"].tolist() == ["7", "7", "07", "07"]


def test_settings_are_numbers_however_they_are_written(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("x,y,lr\n1,3,1e-3\n1,4,0.01\n2,2,0.001\n2,2.5,1e-2\n4,1,0.001\n4,2,0.01\n")
    data = bs.from_frame(bs.read_table(path), "x", "y", best="lr")
    assert data.rows.tolist() == [1, 3, 5]
