"""Tables in the dialects of spreadsheets: recognised where all rows agree, and said."""

import gzip
import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bayescale.cli import terminal
from bayescale.cli.commands import main
from bayescale.data.from_frame import from_frame
from bayescale.messages import DataError
from bayescale.reading import read_table as reading
from bayescale.reading.read_table import read_table

FRAME = pd.DataFrame({"N": [1e7, 2e7, 5e7], "loss": [3.38, 2.9956, 2.7], "run": ["a", "b", "c"]})


def read(tmp_path, text, name="runs.csv", encoding="utf-8"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return read_table(tmp_path / name)


def refusal(call, *args, **kwargs):
    with pytest.raises(DataError) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


# ------------------------------------------------------------------ delimiters and decimal signs


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        (
            "N;loss\n20000000;3,3800\n50000000;2,9956\n",
            "utf-8-sig",
            [
                "the delimiter is ';', not ','",
                "in 'loss' a comma is the decimal sign: '3,3800' is 3.38",
            ],
        ),
        (
            "N;loss\n20.000.000;3,3800\n50.000.000;2,9956\n",
            "utf-8",
            [
                "the delimiter is ';', not ','",
                "in 'N' and 1 more a comma is the decimal sign: '20.000.000' is 20000000",
            ],
        ),
        ("N\tloss\n2e7\t3.38\n5e7\t2.9956\n", "utf-8", ["the delimiter is a tab, not ','"]),
        ("N|loss\n2e7|3.38\n5e7|2.9956\n", "utf-8", ["the delimiter is '|', not ','"]),
        (
            'N,loss\n"20,000,000",3.38\n"50,000,000",2.9956\n',
            "utf-8",
            ["in 'N' commas set thousands apart: '20,000,000' is 20000000"],
        ),
        ("N,loss\n2e7,3.38\n5e7,2.9956\n", "utf-16", ["the text is UTF-16"]),
        ("N,loss\r\n2e7,3.38\r\n5e7,2.9956\r\n", "utf-8-sig", []),
    ],
)
def test_dialects_are_recognised_and_said(tmp_path, text, encoding, said):
    data = from_frame(read(tmp_path, text, encoding=encoding), "N", "loss")
    np.testing.assert_array_equal(data.inputs["x"], [2e7, 5e7])
    np.testing.assert_array_equal(data.responses["y"], [3.38, 2.9956])
    assert list(data.notes) == said
    assert [note.kind for note in data.notes] == [
        {"t": "dialect", "i": "decimals"}[each[0]] if "UTF" not in each else "encoding"
        for each in said
    ]


def test_a_point_sets_thousands_apart_where_commas_are_decimal_signs(tmp_path):
    frame = read(tmp_path, "N;loss\n20.000;3,38\n500;2,9\n1.500;2,5\n")
    assert frame["N"].tolist() == [20000, 500, 1500]
    plain = read(tmp_path, "N;loss\n20.5;3,38\n500;2,9\n")
    assert plain["N"].tolist() == [20.5, 500]


def test_what_can_be_read_in_two_ways_stays_text(tmp_path):
    frame = read(tmp_path, 'N,loss\n"1,234",3.38\n"5,678",2.9\n')
    assert frame["N"].tolist() == ["1,234", "5,678"]
    assert "'1,234' is no number" in refusal(from_frame, frame, "N", "loss")
    told = read(tmp_path, 'N,D,loss\n"1,234","1,000,000",3.38\n"5,678","2,000,000",2.9\n')
    assert told["N"].tolist() == [1234, 5678]  # as the column D says
    mixed = read(tmp_path, 'N,loss\n"1,5",3.38\nabc,2.9\n')
    assert mixed["N"].tolist() == ["1,5", "abc"]


def test_rows_that_no_delimiter_makes_even_are_told_as_before(tmp_path):
    assert "line 3 has 1 cells, the header 2" in refusal(read, tmp_path, "x,y\n1,2\n3\n")
    assert "line 2 has 3 cells, the header 1" in refusal(read, tmp_path, "x\n1,2,3\n")
    two = refusal(read, tmp_path, "a;b|c\n1;2|3\n")
    assert "the delimiter may be ';' or '|'; write it with ','" in two
    assert read(tmp_path, "x\n1\n2\n").columns.tolist() == ["x"]
    assert read(tmp_path, "x,y;z\n1,2;3\n4,5;6\n").columns.tolist() == ["x", "y;z"]


def test_rows_keep_their_numbers(tmp_path):
    frame = read(tmp_path, "N;loss\n\n1;2,5\n2;2,4\n\n3;oops\n")
    assert "row 5, column 'loss': 'oops'" in refusal(from_frame, frame, "N", "loss")
    assert from_frame(frame, "N", "loss", where="N < 3").responses["y"].tolist() == [2.5, 2.4]


# ------------------------------------------------------------------ other formats


def test_formats_agree(tmp_path):
    records = FRAME.to_dict("records")
    FRAME.to_feather(tmp_path / "runs.feather")
    FRAME.to_excel(tmp_path / "runs.xlsx", index=False)
    FRAME.to_json(tmp_path / "runs.jsonl", orient="records", lines=True)
    FRAME.to_json(tmp_path / "columns.json")
    FRAME.to_csv(tmp_path / "runs.txt", sep="\t", index=False)
    (tmp_path / "records.json").write_text(json.dumps(records, indent=1))
    (tmp_path / "lists.json").write_text(json.dumps(FRAME.to_dict("list")))
    (tmp_path / "runs.jsonl.gz").write_bytes(gzip.compress((tmp_path / "runs.jsonl").read_bytes()))
    for path in sorted(tmp_path.iterdir()):
        frame = read_table(path)
        assert frame.index.tolist() == [1, 2, 3], path
        assert frame.columns.tolist() == [*FRAME.columns], path
        assert frame.to_dict("list") == FRAME.to_dict("list"), path
        assert not frame.attrs, path


def test_records_are_flat_and_named_by_line(tmp_path):
    lines = [
        '{"model": {"name": "s", "d": 32}, "val_bpc": 3.19, "flops": 6.8e11}',
        "",
        '{"model": {"name": "m", "d": 64}, "val_bpc": NaN, "flops": 1.3e12, "seed": 1}',
        '{"model": {"name": "l", "d": 96}, "val_bpc": null, "flops": 2.1e12, '
        '"seed": 12345678901234567}',
    ]
    frame = read(tmp_path, "\n".join(lines), "runs.jsonl")
    assert frame.columns.tolist() == ["model.name", "model.d", "val_bpc", "flops", "seed"]
    assert frame["seed"].tolist() == [None, 1, 12345678901234567]
    assert "row 3, column 'val_bpc': nan" in refusal(from_frame, frame, "model.d", "val_bpc")
    assert from_frame(frame, "model.d", "flops").inputs["x"].tolist() == [32, 64, 96]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", '{"x": 1}\n{"x": }\n', "line 2 is no JSON (Expecting value)"),
        ("a.jsonl", '{"x": 1}\n[1]\n', "line 2 is [1], no object"),
        ("a.jsonl", '{"x": 1, "x": 2}\n', "the name 'x' stands twice"),
        ("a.json", '[{"x": 1}, 3]', "row 2 is 3, no object"),
        ("a.json", '{"x": [1, 2], "y": [1]}', "is no table"),
        ("a.json", '{"results": {"arc": {"acc,none": 0.3}}, "n-shot": {}}', "import lm-eval"),
        ("a.json", "[" * 100_000, "is nested without end"),
        ("a.json", "[]", "has a header and no rows"),
        ("a.feather", "x", "is no readable Feather file"),
        ("a.xlsx", "x", "is no readable workbook"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, name, text, words):
    assert words in refusal(read, tmp_path, text, name)


def test_workbooks(tmp_path):
    path = tmp_path / "runs.xlsx"
    with pd.ExcelWriter(path) as book:
        FRAME.to_excel(book, sheet_name="runs", index=False, startrow=1)
        FRAME.to_excel(book, sheet_name="old", index=False)
    frame = read_table(path)
    assert frame["loss"].tolist() == FRAME["loss"].tolist()
    (note,) = from_frame(frame, "N", "loss").notes
    assert note == "this is sheet 'runs'; 'old' are left out"
    pd.DataFrame({"x": [1, 2], "": [None, 3]}).to_excel(path, index=False)
    assert "cell 2 of row 3 of the sheet is under no name" in refusal(read_table, path)


def test_a_workbook_without_its_reader_names_the_install_line(tmp_path, monkeypatch):
    FRAME.to_excel(tmp_path / "runs.xlsx", index=False)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert 'pip install "bayescale[xlsx]"' in refusal(read_table, tmp_path / "runs.xlsx")


# ------------------------------------------------------------------ standard input


@pytest.mark.parametrize("form", ["csv", "jsonl", "records", "parquet", "feather", "xlsx"])
def test_standard_input(monkeypatch, form):
    buffer = io.BytesIO()
    if form in ("parquet", "feather"):
        getattr(FRAME, f"to_{form}")(buffer)
    elif form == "xlsx":
        FRAME.to_excel(buffer, index=False)
    elif form == "csv":
        buffer.write(FRAME.to_csv(index=False).encode())
    else:
        buffer.write(FRAME.to_json(orient="records", lines=form == "jsonl").encode())
    stdin = SimpleNamespace(buffer=io.BytesIO(buffer.getvalue()))
    monkeypatch.setattr(reading.sys, "stdin", stdin)
    assert read_table("-").to_dict("list") == FRAME.to_dict("list")


def test_the_command_line_reads_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    text = "N;loss\n10000000;3,38\n20000000;2,99\n50000000;2,7\n100000000;oops\n"
    monkeypatch.setattr(reading.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert main(["fit", "-", "--law", "power", "-x", "N", "-y", "loss"]) == terminal.WRONG
    assert "standard input: row 4, column 'loss': 'oops' is no number" in capsys.readouterr().err
