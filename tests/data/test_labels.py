"""Distinct cells never become one label; what is no number is none."""

import gzip

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.data.cells import number
from bayescale.data.from_frame import from_frame
from bayescale.data.given import relabelled, same_label
from bayescale.messages import DataError
from bayescale.reading import read_table as reading
from bayescale.reading.read_table import read_table


def labelled(cells, **more):
    count = len(cells)
    runs = {"x": np.arange(1.0, count + 1), "y": np.linspace(3, 2, count), "task": cells} | more
    return from_frame(runs, "x", "y", curve="task")


@pytest.mark.parametrize(
    "cells",
    [
        [1, "1"],
        [True, "True"],
        ["a", b"a"],
        [1.5, "1.5"],
        ["a", "a\0"],
        ["a", "\ud800"],
    ],
)
def test_cells_that_would_give_one_label_are_refused(cells):
    column = np.array([*cells, *cells, None], object)[:-1]
    with pytest.raises(DataError, match=r"table: row \d, column 'task': .*label"):
        labelled(column)


def test_texts_that_end_in_a_zero_byte_are_seen():
    with pytest.raises(DataError, match="zero byte"):
        labelled(["a", "a\0", "a", "a\0"])


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([1234567890123.0, 1234567890124.0] * 2, ("1234567890123", "1234567890124")),
        ([1.0, 2.0] * 2, ("1", "2")),
        ([0.1, 0.1 + 2**-54] * 2, ("0.1", "0.10000000000000006")),
        (np.array([0.1, 0.2] * 2, np.float32), ("0.1", "0.2")),
        ([1, 1.0, 2, 2.0], ("1", "2")),
        ([10**17, 10**17 + 1] * 2, ("100000000000000000", "100000000000000001")),
    ],
)
def test_labels_of_numbers_are_as_many_as_the_numbers(cells, names):
    assert labelled(cells).curve_names == names


def test_whole_numbers_beyond_the_floats_with_a_gap_are_read_as_text(tmp_path):
    path = tmp_path / "runs.csv"
    large = ["90071992547409931", "90071992547409930"]
    rows = [f"{x},{3 / x},{name}" for x in (1, 2, 3) for name in large]
    path.write_text("\n".join(["x,y,task", *rows, "4,2,"]))
    data = from_frame(read_table(path), "x", "y", curve="task", where="task == task")
    assert data.curve_names == tuple(large)


@pytest.mark.parametrize("cell", ["1\x1f", "\x001", "1\x0b", "\x851", "1\x7f"])
def test_a_cell_with_a_control_character_is_no_number(cell):
    assert number(cell) is None
    assert number(" 1\t") == number("\xa01") == 1.0


def test_a_table_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST", 1 << 16)
    packed = tmp_path / "runs.csv.gz"
    packed.write_bytes(gzip.compress(b"x,y\n" + b"1,2\n" * 100_000))
    with pytest.raises(DataError, match="more than"):
        read_table(packed)
    parquet = tmp_path / "runs.parquet"
    pd.DataFrame({"x": np.ones(100_000), "y": np.ones(100_000)}).to_parquet(parquet)
    with pytest.raises(DataError, match="more than this reads"):
        read_table(parquet)


def test_messages_do_not_echo_a_megabyte():
    long = "x" * 10**6
    with pytest.raises(DataError) as caught:
        from_frame({"x": [1.0, 2.0], long: [1.0, long]}, "x", long)
    assert len(str(caught.value)) < 3000


# ------------------------------------------------------------------ labels that are asked for


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("1", ["1.0", "2.0"], "1.0"),
        (1, ["1.0", "2.0"], "1.0"),
        (1.0, ["1", "2"], "1"),
        ("1.0", ["1", "1.0"], "1.0"),
        ("1e0", ["1", "1.0"], "1e0"),
        ("7", ["007", "8"], "007"),
        ("1.1", ["1.10", "1.100"], "1.1"),
        ("a", ["A"], "a"),
        ("nan", ["", "x"], "nan"),
    ],
)
def test_a_label_is_meant_by_its_text_or_by_a_number_that_is_its_alone(name, known, found):
    assert same_label(name, known) == found


def test_labels_of_another_table_are_told_apart():
    labels = np.array(["1", "2.0", "3", "x"], object)
    assert relabelled(labels, ["1.0", "2.0", "3"]).tolist() == ["1.0", "2.0", "3", "x"]
    twice = np.array(["1", "01", "1.0"], object)
    assert relabelled(twice[:2], ["1.0"]).tolist() == ["1", "01"]
    assert relabelled(twice[::2], ["1.0"]).tolist() == ["1", "1.0"]


def test_a_curve_written_as_a_number_is_found_by_that_number():
    runs = {"x": np.tile(np.geomspace(1, 1e3, 6), 2), "seed": ["1.0"] * 6 + ["2.0"] * 6}
    runs["y"] = 1 + runs["x"] ** -0.3
    fit = bs.fit("power", bs.from_frame(runs, "x", "y", curve="seed"), sampler=bs.MAP())
    assert fit.curve("1").data.source == fit.curve("1e0").data.source
    np.testing.assert_array_equal(fit.curve("2").data.rows, np.arange(7, 13))
    with pytest.raises(KeyError, match=r"no curve '3'; there are: '1\.0', '2\.0'"):
        fit.curve("3")
