"""Any file is a table, or one line that names it."""

import json
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayescale.data.from_frame import from_frame
from bayescale.messages import DataError
from bayescale.reading.lm_eval import read_lm_eval
from bayescale.reading.read_table import read_table
from bayescale.reading.to_long import to_long
from bayescale.reading.wandb import read_wandb

ANY = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
NAMES = st.sampled_from(["a", "b", "results", "acc,none", "config", "model_args", "", "x.y"])
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), LEAF, max_size=3), max_size=4)
CELLS = st.sampled_from(
    ["1", "2,5", "1,234", "1.234", "1.234,5", "1,234,567", "", "-", "x", '"', "3e9", "2024-01-01"]
)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=5)


def one_line(error, path):
    message = str(error)
    assert len(message.splitlines()) == 1
    assert path.name in message


def read(path, content):
    """Read a file, and ask for two of its columns; all errors are one line."""
    path.write_bytes(content)
    try:
        frame = read_table(path)
    except DataError as error:
        one_line(error, path)
        return
    assert frame.index.is_unique
    with suppress(DataError):
        from_frame(frame, "a", "b", source=str(path))
    with suppress(DataError):
        to_long(frame, "of", {"value": "*a"})


@ANY
@given(JSON | RECORDS, st.sampled_from([".json", ".jsonl"]), st.booleans())
def test_any_json(tmp_path_factory, value, ending, lines):
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    parts = value if lines and isinstance(value, list) else [value]
    read(path, "\n".join(map(json.dumps, parts)).encode())
    with suppress(DataError):
        read_wandb(path)


@ANY
@given(LINES, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-16"]))
def test_any_dialect(tmp_path_factory, lines, delimiter, encoding):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    text = "\n".join(delimiter.join(line) for line in [["a", "b", "c - loss"], *lines])
    read(path, text.encode(encoding))
    with suppress(DataError):
        read_wandb(path)


@ANY
@given(JSON)
def test_any_results(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "results_any.json"
    for whole in (value, {"results": value}, {"results": {"t": value}, "config": value}):
        path.write_text(json.dumps(whole))
        try:
            read_lm_eval(path)
        except DataError as error:
            one_line(error, path)


@pytest.mark.parametrize("form", ["feather", "xlsx"])
def test_damaged_files(tmp_path, form):
    frame = pd.DataFrame({"a": np.arange(1.0, 9), "b": np.arange(2.0, 10)})
    path = tmp_path / f"whole.{form}"
    frame.to_feather(path) if form == "feather" else frame.to_excel(path, index=False)
    whole, rng = path.read_bytes(), np.random.default_rng(5)
    for _ in range(60):
        content = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            content[at] = rng.integers(0, 256)
        read(tmp_path / f"damaged.{form}", bytes(content[: rng.integers(1, len(whole) + 1)]))


def test_numbers_of_too_many_digits_are_one_line(tmp_path):
    read(tmp_path / "a.json", b'[{"a": ' + b"9" * 5000 + b"}]")
    with pytest.raises(DataError, match="is no readable JSON"):
        read_table(tmp_path / "a.json")
