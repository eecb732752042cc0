"""Columns given as they are, and frames given straight to a fit: what a pandas user tries first."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bayescale as bs
from bayescale.data.from_frame import from_frame

COLUMNS = {
    "params": [1e8, 1e9, 1e10, 1e11],
    "loss": [3.9, 3.1, 2.6, 2.3],
    "task": ["a", "a", "b", "b"],
}
RUNS = pd.DataFrame(COLUMNS)


def refusal(call, *args, error=bs.DataError, **kwargs):
    """Return the one line of the error."""
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize(
    "frame",
    [
        RUNS,
        pl.DataFrame(COLUMNS),
        pa.table(COLUMNS),
        COLUMNS | {"params": np.array([1e8, 1e9, 1e10, 1e11])},
    ],
    ids=["pandas", "polars", "pyarrow", "mapping"],
)
def test_a_series_is_the_column_it_is_of(frame):
    named = from_frame(frame, "params", "loss", group="task")
    given = from_frame(frame, frame["params"], {"loss": frame["loss"]}, group="task")
    assert given.inputs["x"].tolist() == named.inputs["x"].tolist() == COLUMNS["params"]
    assert given.responses["loss"].tolist() == COLUMNS["loss"]
    assert (given.columns["loss"], given.columns["group"]) == ("loss", "task")


def test_a_lazy_frame_is_collected():
    lazy = pl.LazyFrame(COLUMNS).filter(pl.col("params") > 1e8)
    assert from_frame(lazy, "params", "loss").inputs["x"].tolist() == COLUMNS["params"][1:]


def test_a_series_has_a_name_of_its_own_or_that_of_its_role():
    data = from_frame(RUNS, [RUNS.params, (20 * RUNS.params).rename("tokens")], 2 * RUNS.loss)
    assert [*data.inputs] == ["params", "tokens"]
    assert data.columns["y"] == "y"  # `loss` stands for other cells
    np.testing.assert_allclose(data.responses["y"], 2 * RUNS.loss)
    labels = from_frame(RUNS, "params", "loss", curve=RUNS.task.rename(None), stderr=[0.1] * 4)
    assert labels.curve_names == ("a", "b")
    assert labels.stderr.tolist() == [0.1] * 4
    gap = (RUNS.loss.where(RUNS.loss > 2.5)).rename("eval")
    message = refusal(from_frame, RUNS, "params", gap)
    assert "row 4, column 'eval': nan is no finite number" in message
    assert from_frame(RUNS, "params", gap, where="isfinite(eval)").rows.tolist() == [1, 2, 3]


def test_names_stay_names():
    assert [*from_frame(RUNS, RUNS.columns[:1], RUNS[["loss"]]).inputs] == ["x"]
    assert [*from_frame(RUNS, np.array(["params"]), "loss").inputs] == ["x"]


@pytest.mark.parametrize("mask", [RUNS.loss < 3.5, (RUNS.loss < 3.5).tolist()])
def test_a_mask_keeps_rows(mask):
    data = from_frame(RUNS, "params", "loss", where=mask)
    assert data.rows.tolist() == [2, 3, 4]
    assert data.notes == ("where, a mask: 3 of 4 rows kept",)
    assert from_frame(pl.DataFrame(COLUMNS), "params", "loss", where=pl.Series(mask)).rows[0] == 2


def test_columns_of_other_rows_are_refused():
    assert "x has 2 cells, the table 4 rows" in refusal(from_frame, RUNS, RUNS.params[:2], "loss")
    other = refusal(from_frame, RUNS, RUNS.params[::-1], "loss")
    assert "whose rows have other labels" in other
    kept = RUNS[RUNS.loss < 3.5]  # labels 1 to 3, as of the frame
    assert len(from_frame(kept, kept.params, kept.loss)) == 3
    assert "row 1: 3.9 stands in where" in refusal(
        from_frame, RUNS, "params", "loss", where=RUNS.loss
    )
    none = refusal(from_frame, RUNS, "params", "loss", where=RUNS.loss > 9)
    assert "where keeps none of 4 rows" in none
    assert "y names no column" in refusal(from_frame, RUNS, "params", None)


def test_a_frame_goes_straight_to_a_fit():
    fit = bs.fit("power", RUNS, x="params", y="loss", sampler=bs.MAP(), where="params > 1e8")
    assert fit.data.rows.tolist() == [2, 3, 4]
    assert fit.data.columns == {"x": "params", "y": "loss"}
    law = bs.get_law("chinchilla").fix(E=1.7).tie("beta", "alpha")
    scales = {"N": RUNS.params, "D": "params*20"}
    both = bs.fit(law, RUNS, x=scales, y=RUNS.loss, sampler=bs.MAP())
    assert [*both.data.inputs] == ["N", "D"]


def test_a_frame_without_columns_is_told_what_to_say():
    message = refusal(bs.fit, "chinchilla", RUNS)
    assert "which of the columns 'params', 'loss', 'task' are scale and response?" in message
    assert (
        "say x={'N': ..., 'D': ...}, y=..., here or in from_frame(frame, x=..., y=...)" in message
    )
    assert "here or in from_frame" in refusal(bs.forecast, RUNS, {"params": 1e12})
    for ask in (bs.tasks, bs.backtest_forecast, bs.metric_or_model):
        assert "y=..., in from_frame(frame" in refusal(ask, RUNS)
    assert "in from_frame(frame" in refusal(bs.backtest, "power", RUNS)
    data = from_frame(RUNS, "params", "loss")
    assert "has them already" in refusal(bs.fit, "power", data, x="params", error=ValueError)


def test_cells_with_units_are_read_by_the_expression_that_is_named():
    cells = {"N": ["18.9M", "2.00x10^9", "?"], "p": ["12 %", "45%", "3%"], "y": [3.0, 2.0, 1.0]}
    message = refusal(from_frame, cells, "N", "y")
    assert "row 1, column 'N': '18.9M' is no number; it has a unit: write units(N)" in message
    message = refusal(from_frame, cells, "units(N)", "y")
    assert "row 3, column 'N': '?' is no number" in message
    assert "where='isfinite(units(N))'" in message
    data = from_frame(cells, "units(N)", "units(p)", where="isfinite(units(N))")
    np.testing.assert_allclose(data.inputs["x"], [18.9e6, 2e9])
    np.testing.assert_allclose(data.responses["y"], [0.12, 0.45])


# ------------------------------------------------------------------ what a pandas user brings


BROUGHT = pd.DataFrame({"N": [1e7, 1e8, 1e9], "loss": [3.9, 3.1, 2.6], "run": ["a", "b", "c"]})


@pytest.mark.parametrize(
    ("frame", "x", "y"),
    [
        (BROUGHT.set_index("N"), "N", "loss"),
        (BROUGHT.set_index(["run", "N"]), "N", "loss"),
        (BROUGHT.groupby("N").mean(numeric_only=True), "N", "loss"),
        (BROUGHT.groupby("N")["loss"].mean(), "N", "loss"),
        (BROUGHT.groupby("N")[["loss"]].agg(["mean", "std"]), "N", "loss.mean"),
        (BROUGHT.groupby("N")[["loss"]].agg(["mean", "std"]), "N", ("loss", "mean")),
        (BROUGHT[["N", "loss"]].set_axis([0, 1], axis=1), 0, 1),
        (BROUGHT.to_dict("records"), "N", "loss"),
        (BROUGHT[["N", "loss"]].to_records(index=False), "N", "loss"),
        (BROUGHT, pd.array(BROUGHT["N"]), pd.array(BROUGHT["loss"])),
    ],
)
def test_frames_as_they_come(frame, x, y):
    data = from_frame(frame, x, y)
    assert data.inputs["x"].tolist() == [1e7, 1e8, 1e9]
    assert data.responses["y"].tolist() == [3.9, 3.1, 2.6]


def test_an_index_of_runs_is_a_column_of_labels():
    data = from_frame(
        pd.concat([BROUGHT, BROUGHT]).set_index("run"), "N", "loss", group="run", duplicates="keep"
    )
    assert data.group_names == ("a", "b", "c")


def test_masks_of_every_kind():
    for mask in (pd.array(BROUGHT["loss"] < 3.5), pd.array(BROUGHT["loss"] < 3.5, dtype="boolean")):
        assert from_frame(BROUGHT, "N", "loss", where=mask).responses["y"].tolist() == [3.1, 2.6]
    gap = pd.array([True, None, True], dtype="boolean")
    with pytest.raises(bs.DataError, match="row 2: <NA> stands in where, which is yes or no"):
        from_frame(BROUGHT, "N", "loss", where=gap)


def test_what_names_no_column_is_one_line():
    frame = pl.DataFrame({"N": [1.0, 2.0], "cfg": [{"loss": 1.0}] * 2, "many": [[1.0, 2.0]] * 2})
    for x, y, words in [
        (pl.col("N"), "N", "x is a Expr, no name of a column"),
        ("N", "cfg", "row 1, column 'cfg'"),
        ("N", "many", "row 1, column 'many'"),
    ]:
        with pytest.raises(bs.DataError, match=words) as caught:
            from_frame(frame, x, y)
        assert "\n" not in str(caught.value)
    with pytest.raises(bs.DataError, match=r"give read_table\('runs.csv'\)"):
        from_frame("runs.csv", "N", "loss")


# ------------------------------------------------------------------ names without backticks


@pytest.mark.parametrize(
    ("x", "where"),
    [
        ("run/tokens", "run/tokens > 1e7 and eval loss (nats) < 3.5"),
        ("run/tokens*1", "not eval loss (nats) >= 3.5"),
        ("(run/tokens)", "`run/tokens` > 1e7"),
        ("`run/tokens`", "run/tokens in [1e8, 1e9] and note != 'run/tokens'"),
    ],
)
def test_names_are_read_without_backticks_where_nothing_else_can_be_meant(x, where):
    frame = {"run/tokens": [1e7, 1e8, 1e9], "eval loss (nats)": [3.9, 3.1, 2.6], "note": ["a"] * 3}
    data = from_frame(frame, x, "eval loss (nats)", where=where)
    assert data.inputs["x"].tolist() == [1e8, 1e9]
    assert "`" in data.columns["x"]


def test_a_quotient_of_two_columns_stays_one():
    frame = {"a/b": [1.0, 2.0], "a": [6.0, 8.0], "b": [2.0, 2.0], "y": [1.0, 2.0]}
    assert from_frame(frame, "a/b", "y").inputs["x"].tolist() == [1.0, 2.0]
    assert from_frame(frame, "a/b*1", "y").inputs["x"].tolist() == [3.0, 4.0]
    with pytest.raises(bs.DataError, match="no column 'c'"):
        from_frame(frame, "a/c", "y")
