"""Tables in the dialects of spreadsheets: recognised where all rows agree, and said."""

import gzip
import io
import json
import os
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bayescale.cli import terminal
from bayescale.cli.commands import main
from bayescale.data.from_frame import from_frame
from bayescale.messages import TOLD, DataError
from bayescale.reading import read_table as reading
from bayescale.reading.read_table import read_table

TITLE = "above the names stands 'Runs of 2024': left out"
TWO_COMMENTS = "2 lines that begin with # are left out"
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
    frame = read(tmp_path, 'N,loss\n"1,234",3\n"5,678",2\n')
    assert frame["N"].tolist() == ["1,234", "5,678"]
    assert "'1,234' is no number" in refusal(from_frame, frame, "N", "loss")
    told = read(tmp_path, 'N,D,loss\n"1,234","1,000,000",3.38\n"5,678","2,000,000",2.9\n')
    assert told["N"].tolist() == [1234, 5678]  # as the column D says
    mixed = read(tmp_path, 'N,loss\n"1,5",3.38\nabc,2.9\n')
    assert mixed["N"].tolist() == ["1,5", "abc"]


@pytest.mark.parametrize(
    ("text", "N", "loss", "said"),
    [
        # A column whose points are decimal signs says what commas are; `;` says it where none does.
        ('N,loss\n"125,000",3.5\n350,2.9\n', [125000, 350], [3.5, 2.9], "'125,000' is 125000"),
        ("N;loss\n20;3,512\n50;2,996\n", [20, 50], [3.512, 2.996], "'3,512' is 3.512"),
        ("N;loss\n125,000;3.5\n350,000;2.9\n", [125000, 350000], [3.5, 2.9], "is 125000"),
        # No thousands begin with 0.
        ('N,loss\n1.5,"0,512"\n2.5,"0,498"\n', [1.5, 2.5], [0.512, 0.498], "'0,512' is 0.512"),
        ("N;loss\n0.001;3,5\n0.002;2,9\n", [0.001, 0.002], [3.5, 2.9], "'3,5' is 3.5"),
        ("N;loss\n1 250 000;3,5\n350;2,9\n", [1250000, 350], [3.5, 2.9], "'1 250 000' is 1250000"),
        ("N;loss\n1\u202f250;3,5\n350;2,9\n", [1250, 350], [3.5, 2.9], "is 1250"),
        ("N,loss\n1'250'000,3.5\n350,2.9\n", [1250000, 350], [3.5, 2.9], "is 1250000"),
        ("N,loss\n1_250_000,3.5\n350,2.9\n", [1250000, 350], [3.5, 2.9], "is 1250000"),
    ],
)
def test_signs_in_numbers(tmp_path, text, N, loss, said):
    frame = read(tmp_path, text)
    assert frame["N"].tolist() == N
    assert frame["loss"].tolist() == loss
    assert said in frame.attrs[TOLD]["decimals"]


def test_units_of_cells_with_decimal_commas(tmp_path):
    frame = read(tmp_path, "N;error\n18,9M;45,312 %\n75,3M;45,3 %\n")
    data = from_frame(frame, "units(N)", "units(error)")
    np.testing.assert_allclose(data.inputs["x"], [18.9e6, 75.3e6])
    np.testing.assert_allclose(data.responses["y"], [0.45312, 0.453])
    # In Python, where no file says it, another cell of the column does.
    cells = {"N": [1.0, 2.0], "error": ["45,312 %", "45,3 %"]}
    np.testing.assert_allclose(
        from_frame(cells, "N", "units(error)").responses["y"], [0.45312, 0.453]
    )


def test_texts_of_workbooks_and_records_are_read_alike(tmp_path):
    cells = {"N": ["1,000,000", "10,000,000"], "loss": ["3,5", "2,9"]}
    pd.DataFrame(cells).to_excel(tmp_path / "runs.xlsx", index=False)
    pd.DataFrame(cells).to_json(tmp_path / "runs.json", orient="records")
    for name in ("runs.xlsx", "runs.json"):
        frame = read_table(tmp_path / name)
        assert frame["N"].tolist() == [1e6, 1e7]
        assert frame["loss"].tolist() == [3.5, 2.9]
        assert "'3,5' is 3.5" in frame.attrs[TOLD]["decimals"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# made, by me\n# in 2024\nN,loss\n1,3.5\n2,2.9\n", TWO_COMMENTS),
        ("N,loss\n1,3.5\n2,2.9\n# done\n", "1 line that begins with # is left out"),
        ("# N,loss\n1,3.5\n2,2.9\n", None),
        ("# N loss\n1 3.5\n2 2.9\n", "the delimiter is spaces, not ','"),
        (" N  loss\n 1   3.5\n 2   2.9 \n", "the delimiter is spaces, not ','"),
        (" N , loss \n1, 3.5\n2 ,2.9\n", None),
        ("Runs of 2024,\n,\nN,loss\n1,3.5\n2,2.9\n", TITLE),
        ("Runs of 2024\n\nN,loss\n1,3.5\n2,2.9\n", TITLE),
        ("sep=;\nN;loss\n1;3.5\n2;2.9\n", "the delimiter is ';', not ','"),
        ("N,loss\n1,3.5\n,\n2,2.9\n,\n", None),
        ("N,loss,\n1,3.5,\n2,2.9,\n", None),
        ("N,loss\n1,3.5,\n2,2.9,\n", None),
        ("| N | loss |\n|---|:---:|\n| 1 | 3.5 |\n| 2 | 2.9 |\n", "the delimiter is '|', not ','"),
    ],
)  # fmt: skip
def test_what_stands_about_a_table_is_no_row(tmp_path, text, said):
    frame = read(tmp_path, text)
    assert frame.to_dict("list") == {"N": [1, 2], "loss": [3.5, 2.9]}
    assert [*frame.attrs.get(TOLD, {}).values()] == ([said] if said else [])


def test_names_of_groups_of_columns_are_a_title(tmp_path):
    frame = read(tmp_path, "Model,,Training,\nN,embeddings,D,loss\n1,2,3,3.5\n2,4,6,2.9\n")
    assert [*frame] == ["N", "embeddings", "D", "loss"]
    assert frame.attrs[TOLD]["title"] == "above the names stands 'Model, Training': left out"
    plain = read(tmp_path, ",N,,loss\na,1,,3.5\nb,2,,2.9\n")  # the row below is none of names
    assert len(plain) == 2


def test_texts_have_no_white_space_about_them(tmp_path):
    frame = read(tmp_path, "N, run\n1, a\n2,a \n3,b\n")
    assert frame["run"].tolist() == ["a", "a", "b"]


def test_a_line_of_one_cell_may_be_a_note(tmp_path):
    told = refusal(read, tmp_path, "N,loss\n1,3.5\n2,2.9\n* the last checkpoint\n")
    assert "line 4 has 1 cells, the header 2; leave it out, or begin it with #" in told
    assert len(read(tmp_path, "N,loss\n1,3.5\n2,2.9\n# the last checkpoint\n")) == 2


def test_a_first_line_that_is_too_short_is_told_so(tmp_path):
    told = refusal(read, tmp_path, "N,loss\n1,10,3.5\n2,20,2.9\n")
    assert "line 2 has 3 cells, the header 2; all rows have 3: give the first line as many" in told


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
        assert not frame.attrs.get(TOLD), path


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


def test_a_log_that_was_cut_off_is_read_to_its_last_whole_line(tmp_path):
    whole = ['{"run": "a", "x": 1, "y": 3.1}', '{"run": "b", "x": 2, "y": 2.9}']
    for cut in ('{"run": "c", "x"', '{"run": "c", "x": 4, "y": 2.', '{"run": "c", "x": nul', "{"):
        frame = read(tmp_path, "\n".join([*whole, cut]), "log.jsonl")
        assert frame["x"].tolist() == [1, 2]
        (note,) = from_frame(frame, "x", "y").notes
        assert note == f"line 3, the last, is cut off, and left out: {cut!r}"
    within = "\n".join([whole[0], '{"run": "c", "x"', whole[1]])
    assert "line 2 is no JSON" in refusal(read, tmp_path, within, "log.jsonl")


def test_a_table_of_excel_in_the_west(tmp_path):
    text = "Größe;Verlust\n1e7;3,9\n1e8;3,2\n1e9;2,7\n"
    (tmp_path / "a.csv").write_bytes(text.encode("cp1252"))
    data = from_frame(read_table(tmp_path / "a.csv"), "Größe", "Verlust")
    assert data.responses["y"].tolist() == [3.9, 3.2, 2.7]
    assert "line 1 is no UTF-8, and read as Windows-1252" in " ".join(data.notes)


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
    assert note == "this is sheet 'runs', not 'old': such is runs.xlsx#old"
    assert read_table(f"{path}#old")["loss"].tolist() == FRAME["loss"].tolist()
    assert "has no sheet 'od'; did you mean 'old'?" in refusal(read_table, f"{path}#od")
    pd.DataFrame({"x": [1, 2], "": [None, 3]}).to_excel(path, index=False)
    assert "cell 2 of row 3 of the sheet is under no name" in refusal(read_table, path)


def test_the_sheet_of_a_workbook_that_holds_runs(tmp_path):
    path = tmp_path / "runs.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"About": ["made in 2024", "by me"]}).to_excel(book, sheet_name="READ ME")
        pd.DataFrame({"About": ["made in 2024"]}).to_excel(book, sheet_name="me", index=False)
        FRAME.rename(columns={"N": " N "}).to_excel(
            book, sheet_name="runs", index=False, startrow=2
        )
        book.sheets["runs"].cell(1, 1, "Scaling runs")
    told = read_table(f"{path}#runs")
    assert told.attrs[TOLD] == {"title": "above the names stands 'Scaling runs': left out"}
    assert told.to_dict("list") == FRAME.to_dict("list")
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"About": ["made in 2024"]}).to_excel(book, sheet_name="me", index=False)
        FRAME.to_excel(book, sheet_name="runs", index=False)
    frame = read_table(path)
    assert frame.to_dict("list") == FRAME.to_dict("list")
    assert frame.attrs[TOLD] == {"sheet": "this is sheet 'runs', not 'me': such is runs.xlsx#me"}


def test_a_file_is_told_by_what_it_holds(tmp_path, monkeypatch):
    text = FRAME.to_csv(index=False).encode()
    FRAME.to_excel(tmp_path / "runs.xlsx", index=False)
    (tmp_path / "packed.csv").write_bytes(gzip.compress(text))
    (tmp_path / "plain.csv.gz").write_bytes(text)
    (tmp_path / "book.csv").write_bytes((tmp_path / "runs.xlsx").read_bytes())
    for path in tmp_path.iterdir():
        assert read_table(path).to_dict("list") == FRAME.to_dict("list"), path
    stdin = SimpleNamespace(buffer=io.BytesIO(gzip.compress(text)))
    monkeypatch.setattr(reading.sys, "stdin", stdin)
    assert read_table("-").to_dict("list") == FRAME.to_dict("list")


def test_a_pipe_with_a_name_is_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[FRAME.to_csv(index=False).encode()])
    writer.start()
    assert read_table(pipe).to_dict("list") == FRAME.to_dict("list")
    writer.join()


def test_nested_columns_of_parquet_are_flat(tmp_path):
    nested = pd.DataFrame({"config": [{"lr": 0.1, "model": {"N": 1e7}}] * 3, "loss": FRAME["loss"]})
    nested.to_parquet(tmp_path / "runs.parquet")
    names = ["config.lr", "config.model.N", "loss"]
    assert read_table(tmp_path / "runs.parquet").columns.tolist() == names


ROWS = [{"N": 1e7, "loss": 3.38}, {"N": 2e7, "loss": 2.9956}, {"N": 5e7, "loss": 2.7}]
CELLS = [[*row.values()] for row in ROWS]


@pytest.mark.parametrize(
    "found",
    [
        {"N": {"0": 1e7, "1": 2e7, "2": 5e7}, "loss": {"2": 2.7, "0": 3.38, "1": 2.9956}},
        {"0": ROWS[0], "1": ROWS[1], "2": ROWS[2]},
        {"N": [1e7, 2e7, 5e7], "loss": [3.38, 2.9956, 2.7]},
        [["N", "loss"], *CELLS],
        {"columns": ["N", "loss"], "index": [0, 1, 2], "data": CELLS},
        {"by": "me", "runs": ROWS},
    ],
)
def test_forms_of_json(tmp_path, found):
    frame = read(tmp_path, json.dumps(found, indent=1), "runs.json")
    assert frame.to_dict("list") == {"N": [1e7, 2e7, 5e7], "loss": [3.38, 2.9956, 2.7]}
    assert frame.attrs.get(TOLD, {}) == (
        {"within": "the table is what stands under 'runs'"} if "runs" in found else {}
    )


@pytest.mark.parametrize("by_columns", [True, False])
def test_objects_by_name_are_rows_or_columns(tmp_path, by_columns):
    frame = FRAME.set_index("run").drop(columns="loss").assign(D=[3e9, 3e9, 3e9], loss=FRAME.loss)
    frame["loss"] = [3.38, 2.9956, 2.7]
    frame.to_json(tmp_path / "runs.json", orient="columns" if by_columns else "index")
    read_back = read_table(tmp_path / "runs.json")
    assert read_back["name"].tolist() == ["a", "b", "c"]
    assert read_back["N"].tolist() == [1e7, 2e7, 5e7]
    assert read_back["loss"].tolist() == [3.38, 2.9956, 2.7]
    assert f"is a {'column' if by_columns else 'row'}" in read_back.attrs[TOLD]["objects"]


def test_objects_one_after_another(tmp_path):
    objects = [json.dumps(each, indent=1) for each in FRAME.to_dict("records")]
    for name in ("runs.json", "runs.jsonl"):
        assert read(tmp_path, "\n".join(objects), name).to_dict("list") == FRAME.to_dict("list")
    told = refusal(read, tmp_path, '{"N": [1, 2], "loss": [3.5]}', "runs.json")
    assert "lists differ in length: 'N' 2, 'loss' 1" in told


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
