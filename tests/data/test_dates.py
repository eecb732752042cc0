"""Dates as a scale, and what is said of categories and indicators."""

import datetime
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bayescale as bs
from bayescale.data.cells import date, dated, days, years
from bayescale.data.formula import in_inputs, in_scales
from bayescale.questions.remarks import in_dates
from bayescale.workflows.default_laws import check_scales
from tests.documented import kept

DAYS = ["2022-01-01", "2022-07-02", "2023-01-01", "2024-07-02"]
YEARS = [2022, 2022 + 182 / 365, 2023, 2024 + 183 / 366]


def refusal(call, *args, **kwargs):
    with pytest.raises(bs.DataError) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2024-03-01", "2024-03-01"),
        (" 2024/3/1 ", "2024-03-01"),
        ("2024-03", "2024-03-01"),
        ("2024-03-01T12:30:00Z", "2024-03-01"),
        ("2024-03-01 12:30:00+02:00", "2024-03-01"),
        (datetime.datetime(2024, 3, 1, 23), "2024-03-01"),
        (np.datetime64("2024-03-01T23:00"), "2024-03-01"),
        ("2024-02-30", None),
        ("2024-03/01", None),
        ("03/01/2024", None),
        ("1.3.2024", "2024-03-01"),
        ("01. 03. 2024", "2024-03-01"),
        ("1 March 2024", "2024-03-01"),
        ("Mar 1, 2024", "2024-03-01"),
        ("1-Mar-2024", "2024-03-01"),
        ("March 2024", "2024-03-01"),
        ("20240301", "2024-03-01"),
        (20240301, "2024-03-01"),
        ("1 March 1, 2024", None),
        ("Q1 2024", None),
        ("2024", None),
        (2024.5, None),
    ],
)
def test_what_is_a_date(cell, day):
    found = date(cell)
    assert (found is None) if day is None else (found == np.datetime64(day))


@pytest.mark.parametrize(
    ("other", "day"),
    [("25/12/2023", "2024-01-03"), ("12/25/2023", "2024-03-01"), ("1/2/2023", None)],
)
def test_days_and_months_stand_as_other_cells_of_a_column_say(other, day):
    found, bad = years(np.array(["03/01/2024", other], object))
    assert bad[0] == (day is None)
    assert day is None or found[0] == years(np.array([day], object))[0][0]


@pytest.mark.parametrize(
    ("cell", "said"),
    [(45000, "is no date"), ("03/01/2024", "is one day or another"), ("soon", "is no date")],
)
def test_what_is_no_date_is_refused_as_one(cell, said):
    frame = {"day": ["2023-01-01", "2024-01-01", cell], "y": [0.1, 0.2, 0.3]}
    with pytest.raises(bs.DataError, match=rf"row 3, column 'day'.*{said}.*isfinite\(years\(day\)"):
        bs.from_frame(frame, "exp(years(day) - 2020)", "y")


def test_years_of_any_frame():
    frames = [
        {"day": DAYS},
        pd.DataFrame({"day": pd.to_datetime(DAYS)}),
        pl.DataFrame({"day": [datetime.date.fromisoformat(each) for each in DAYS]}),
        {"day": YEARS},
    ]
    for frame in frames:
        whole = frame | {"y": [1, 2, 3, 4]} if isinstance(frame, dict) else frame
        y = "y" if isinstance(frame, dict) else np.arange(1.0, 5)
        data = bs.from_frame(whole, "exp(years(day) - 2022)", y)
        np.testing.assert_allclose(np.log(data.inputs["x"]) + 2022, YEARS, atol=1e-9)
    gaps, bad = years(np.array(["NaT", "2024-01-01"], "datetime64[D]"))
    assert np.isnan(gaps[0])
    assert (gaps[1], bad.any()) == (2024, False)


def test_a_date_is_told_the_scale_that_reads_it():
    frame = {"day": DAYS, "y": [1.0, 2.0, 3.0, 4.0]}
    message = refusal(bs.from_frame, frame, "day", "y")
    assert "row 1, column 'day': '2022-01-01' is a date; a scale along which a year is a" in message
    assert "exp(years(day) - 2022)" in message
    stamps = pd.DataFrame(frame).assign(day=pd.to_datetime(DAYS))
    assert "exp(years(day) - 2022)" in refusal(bs.from_frame, stamps, "day", "y")
    kept = bs.from_frame(frame, "exp(years(day) - 2022)", "y", where="years(day) > 2022.2")
    assert len(kept) == 3
    frame["day"] = [*DAYS[:3], "soon"]
    message = refusal(bs.from_frame, frame, "exp(years(day) - 2022)", "y")
    assert "row 4, column 'day': 'soon' is no date" in message
    assert "where='isfinite(years(day))'" in message


def test_every_day_comes_back_from_its_scale_as_itself():
    """The scale of a day is exp(years - 2020), whose log may lie just before the day."""
    named = [str(datetime.date(2019, 12, 30) + datetime.timedelta(i)) for i in range(1500)]
    table = pd.DataFrame({"date": named})
    scale = np.exp(years(table["date"].to_numpy(object))[0] - 2020)
    columns = {"x": "exp(years(date) - 2020)"}
    assert [days(columns, {"x": x})["x"] for x in scale] == named


def test_a_threshold_by_date():
    start = np.datetime64("2021-01-01")
    days = start + np.arange(24) * np.timedelta64(45, "D")
    at = np.arange(24) * 45 / 365.25
    share = 0.1 + 0.8 / (1 + np.exp(-2.5 * (at - 2.0)))  # half of the way on 2023-01-01
    frame = pd.DataFrame({"released": days, "score": np.round(200 * share) / 200, "n": 200})
    fit = bs.fit(
        "sigmoid", frame, x="exp(years(released) - 2021)", y="score", n="n", sampler=bs.Laplace()
    )
    answer = bs.threshold(fit, 0.5, allow_failed=True)
    (note,) = [each for each in answer.notes if each.kind == "dates"]
    median, lo, hi = map(np.datetime64, re.findall(r"\d{4}-\d\d-\d\d", note))
    assert lo < median < hi
    assert abs(median - np.datetime64("2023-01-01")) < np.timedelta64(45, "D")
    when = 2021 + answer.forecast.median * np.log(10)
    assert abs(when - 2023) < 0.12
    assert answer.summary()["dates"] == dict(
        zip(("median", "lo", "hi"), map(str, (median, lo, hi)), strict=True)
    )
    text = repr(answer)
    assert str(median) in text
    assert re.search(r"0\.\d\d by 2023, 1\.00 by 2024, 1\.00\s+by 2025", text)
    assert "exp(" not in text.splitlines()[0]
    # Steps of years stand evenly: the logarithm of such a scale is a date.
    for ax in (bs.plot.threshold(answer), bs.plot.curve(fit)):
        ax.figure.canvas.draw()
        lo, hi = ax.get_xlim()
        ticks = {
            t.get_text(): x
            for x, t in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            if lo <= x <= hi
        }
        years = {int(text): x for text, x in ticks.items() if re.fullmatch(r"20\d\d", text)}
        assert len(years) > 1
        for year, x in years.items():
            assert x == pytest.approx(np.exp(year - 2021))
        assert np.ptp(np.diff(np.log([*ticks.values()]))) < 1e-9
        assert ax.get_xlabel() == "released"
    # Scales asked about are told as dates, and what lies beyond them in years.
    told = bs.predict(fit, {"x": np.exp([1.5, 5.0])}, allow_failed=True)
    points = kept(told.summary(), "Prediction")["points"]
    assert [point["dates"] for point in points] == [{"x": "2022-07-02"}, {"x": "2026-01-01"}]
    assert re.search(r"2022-07-02 .* within", repr(told))
    assert repr(told).split("\n")[0].strip() == "years"  # over beyond
    assert re.search(r"2026-01-01 .* 2\.2\b", repr(told))
    left = bs.residuals(fit)
    assert kept(left.summary(), "Residuals")["runs"][0]["dates"] == {"x": "2021-01-01"}
    assert "x 2021-" in repr(left)


def test_an_end_that_no_date_is_has_none():
    found = SimpleNamespace(column="exp( years(`day of it`)-2020 )")
    found.forecast = SimpleNamespace(lo=-np.inf, median=2 / np.log(10), hi=np.inf)
    assert in_dates(found) == {"lo": None, "median": "2022-01-01", "hi": None}
    assert dated("exp(years(`day of it`) - 2020)") == ("day of it", 2020)
    assert dated("exp(years(a) - years(b))") is None
    assert dated("flops") is None


def test_years_of_the_calendar_are_no_scale_and_are_told_so():
    frame = {"year": [2019.0, 2021.5, 2024.0, 2026.0], "day": DAYS, "y": [1.0, 2.0, 3.0, 4.0]}
    for x, remedy in (
        ("year", "exp(years(year) - 2019)"),
        ("years(day)", "exp(years(day) - 2022)"),
    ):
        data = bs.from_frame(frame, x, "y")
        (note,) = [each for each in data.notes if each.kind == "calendar"]
        assert remedy in note
        kept = bs.from_frame(frame, remedy, "y")
        assert "calendar" not in {each.kind for each in kept.notes}
    few = {"years": [1.0, 2.0, 4.0], "y": [1.0, 2.0, 3.0]}
    assert not [each for each in bs.from_frame(few, "years", "y").notes if each.kind == "calendar"]


def test_categories_and_indicators_are_told_what_they_may_be():
    frame = {
        "size": ["small", "large", "small", "large"],
        "moe": [0, 1, 0, 1],
        "N": [1.0, 2.0, 3.0, 4.0],
        "y": [4.0, 3.0, 3.5, 2.5],
    }
    message = refusal(bs.from_frame, frame, "size", "y")
    assert "row 1, column 'size': 'small' is no number; categories are no scale" in message
    assert "curve='size' (--curve 'size'), or pool them, group='size' (--group 'size')" in message
    message = refusal(bs.from_frame, frame, ["N", "moe"], "y")
    assert "row 1, column 'moe': the column holds 0 and 1 alone" in message
    assert "take 1 and 2, moe + 1, or" in message
    message = refusal(bs.from_frame, frame, ["N", "m=size == 'large'"], "y")
    assert message.endswith("take 1 and 2, (size == 'large') + 1")
    assert "as an indicator, (size == 'small') + 1" in refusal(bs.from_frame, frame, "size", "y")
    counts = frame | {"epochs": [0, 1, 4, 2], "at 0": [0, 1, 1, 3]}
    for name, made in {"epochs": "epochs + 1", "at 0": "`at 0` + 1"}.items():
        message = refusal(bs.from_frame, counts, ["N", name], "y")
        assert "0 is not above 0; correct it, or leave such rows out" in message
        assert message.endswith(f"takes counts is given one more, {made}")
        assert len(bs.from_frame(counts, ["N", f"e={made}"], "y")) == 4
    assert len(bs.from_frame(frame, ["N", "m=moe + 1"], "y")) == 4
    assert "is not above 0" in refusal(bs.from_frame, frame | {"N": [0, 1, 2, 3]}, "N", "y")


def test_dates_and_years_along_dates_are_days_in_python_as_on_the_command_line():
    columns, at = {"x": "exp(years(date) - 2020)", "N": "params_b*1e9"}, np.exp([6.0, 7.0])

    def asked(given, alone=False):
        ((name, found),) = in_scales(given, columns, ["x", "N"], alone).items()
        return name, np.atleast_1d(found)

    for given in (2026, 2026.0, "2026", "2026-01-01", datetime.date(2026, 1, 1)):
        for key in ("x", "date", columns["x"]):
            assert asked({key: given})[1] == pytest.approx(at[:1])
    for given in (
        [2026, 2027],
        ["2026-01-01", "2027"],
        pd.to_datetime(["2026-01-01", "2027-01-01"]),
    ):
        for key in ("x", "date"):
            name, found = asked({key: given})
            assert (name, found) == ("x", pytest.approx(at)) or name == columns["x"]
    assert asked({"x": 2026.5}, alone=True)[1] == pytest.approx(np.exp(6.5))
    np.testing.assert_array_equal(asked({"x": at})[1], at)  # a grid of the scale itself stays
    assert asked({"x": 3})[1] == 3
    assert asked({"params_b": [70, 7]}) == ("N", pytest.approx([7e10, 7e9]))
    assert asked({"N": 7e10}) == ("N", 7e10)


def test_a_forecast_by_date_is_asked_by_the_year():
    frame = pd.DataFrame({"date": DAYS, "acc": [0.3, 0.4, 0.5, 0.6]})
    data = bs.from_frame(frame, "exp(years(date) - 2020)", "acc")
    fit = bs.fit("flat", data, sampler=bs.MAP(), noise="normal")
    for at in (2026, {"date": "2026"}, {"x": "2026-01-01"}, pd.Series([2026])):
        (point,) = bs.predict(fit, at, allow_failed=True).summary()["points"]
        assert point["dates"] == {"x": "2026-01-01"}
    found = bs.threshold(fit, 0.9, horizon=2030, allow_failed=True)
    assert found.horizon == pytest.approx(np.exp(10))
    check_scales(data, {"date": "2026"})
    with pytest.raises(ValueError, match="'day' is no scale"):
        check_scales(data, {"day": "2026"})


def test_a_comparison_is_an_indicator():
    kinds = np.array(["dense", "moe", "moe", "dense"], object)
    frame = {"N": [1.0, 2.0, 3.0, 4.0], "kind": kinds, "y": [4.0, 3.0, 3.5, 2.5]}
    made = "(kind == 'moe') + 1"
    data = bs.from_frame(frame, ["N", f"moe={made}"], "y")
    np.testing.assert_array_equal(data.inputs["moe"], [1, 2, 2, 1])
    columns = {"moe": made}
    assert in_scales({"kind": "moe"}, columns, ["moe"]) == {"moe": 2.0}
    assert in_scales({"kind": "dense"}, columns, ["moe"]) == {"moe": 1.0}
    assert in_inputs("kind=moe", columns, ["moe"]) == "moe=2.0"
    assert len(bs.from_frame(frame, ["N", "m=(N > 2) + 1"], "y")) == 4
    gap = frame | {"kind": np.array(["dense", None, "moe", "dense"], object)}
    assert "row 2, column 'kind'" in refusal(bs.from_frame, gap, ["N", f"moe={made}"], "y")


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-05", "2024-3-1", "2024-10-01", "2024-12-01"],
        ["1/5/2024", "3/1/2024", "10/1/2024", "12/31/2024"],
        ["5.1.2024", "1.3.2024", "1.10.2024", "1.12.2024"],
        [*pd.to_datetime(["2024-01-05", "2024-03-01", "2024-10-01", "2024-12-01"])],
    ],
)
def test_filters_compare_dates_as_days(cells):
    frame = pd.DataFrame({"date": cells, "N": [1.0, 2, 4, 8], "y": [4.0, 3, 2.5, 2.2]})
    for where, rows in {
        "date < '2024-06-01'": [1, 2],
        "'2024-06-01' <= date": [3, 4],
        "date != '2024-03-01'": [1, 3, 4],
    }.items():
        assert bs.from_frame(frame, "N", "y", where=where).rows.tolist() == rows


def test_days_that_may_be_others_are_not_compared():
    frame = pd.DataFrame({"date": ["3/1/2024", "5/6/2024"], "N": [1.0, 2], "y": [4.0, 3]})
    assert "'3/1/2024' is one day or another" in refusal(
        bs.from_frame, frame, "N", "y", where="date < '2024-06-01'"
    )
    assert "none of 2 rows" in refusal(bs.from_frame, frame, "N", "y", where="date == 'new'")
