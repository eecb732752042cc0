"""A remedy is tried on the table before it is printed: what is written is taken."""

import re

import numpy as np
import pandas as pd
import pytest

from bayescale.data.cells import measure
from bayescale.data.expression import ExpressionError
from bayescale.data.formula import formula, in_inputs
from bayescale.data.from_frame import from_frame
from bayescale.data.shares import least_shown
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.messages import DataError, ways

UNITS = {"N": ["18.9M", "55.1M", "1.98B"], "D": ["75.3 B", "220.3 B", "8.02T"]}
UNITS |= {"C": ["2.00×10¹⁹", "1.3x10^20", "7*10**20"], "loss": [3.2, 2.9, 2.2]}
RATES = pd.DataFrame(
    {"n_train": 2.0 ** np.arange(4, 13), "n": 1000}
    | {"error": [0.412, 0.3, 0.18, 0.09, 0.041, 0.012, 0.003, 0, 0]}
)


def refusal(call, *args, **kwargs):
    with pytest.raises(DataError) as caught:
        call(*args, **kwargs)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("18.9M", 18.9e6), ("18.9 M", 18.9e6), ("75.3 B", 75.3e9), ("8.02T", 8.02e12),
        ("2.00×10¹⁹", 2e19), ("1.3x10^20", 1.3e20), ("7*10**20", 7e20), ("1e-3", 1e-3),
        ("1,234", 1234.0), ("1,234,567.5", 1234567.5), ("12 %", 0.12), ("3 billion", 3e9),
        ("2 Millions", 2e6), ("-4k", -4e3), ("1,23", 1.23), ("M", None), ("d512", None),
        ("12 kg", None), ("1.2.3M", None), (7, 7.0), ("", None), ("10^19", 1e19), ("0,125", 0.125),
        ("3.2e21 FLOPs", 3.2e21), ("70M params", 7e7), ("1.4 billion tokens", 1.4e9),
        ("2 ZFLOP", 2e21), ("2 Z", None), ("45,3 %", 0.453), ("−3.5", -3.5), ("1,2,3", None),
    ],
)  # fmt: skip
def test_cells_with_units(cell, value):
    found = measure(cell)
    assert found is None if value is None else found == pytest.approx(value)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("3.97 ± 0.01", "a value and its error"), ("3,975 (0,010)", "its error?"),
        ("12/50", "a count out of so many"), ("7 of 50", "a count"), ("7B–13B", "a range"),
        ("<0.001", "a bound"), ("~7B", "about a number"), (">1e9", "about a number"),
        ("3.5*", "a number among signs"), ("**1e9**", "a number among signs"),
        ("diverged", None), ("mean (3)", None), ("-", None), ("a-b", None), ("#DIV/0!", None),
    ],
)  # fmt: skip
def test_what_a_cell_that_is_no_number_may_be(cell, said):
    """It is told beside the remedy for single rows."""
    message = refusal(from_frame, {"x": [1e8, 1e9, 1e10], "y": ["3.1", "2.5", cell]}, "x", "y")
    assert "--where 'isfinite(y)'" in message
    assert said in message if said else "is no number; correct" in message


def test_a_unit_in_a_cell_is_told_and_what_is_written_reads_it():
    for name in ("N", "D", "C"):
        message = refusal(from_frame, UNITS, name, "loss")
        assert f"write units({name})" in message
        assert "isfinite" not in message  # which would leave no row
        data = from_frame(UNITS, re.search(r"units\(\w+\)", message)[0], "loss")
        assert data.inputs["x"].min() >= 18.9e6
    kept = from_frame(UNITS, "units(N)*2", "loss", where="units(N) > 2e7")
    np.testing.assert_allclose(kept.inputs["x"], [110.2e6, 3.96e9])
    assert "'-' is no number" in refusal(from_frame, UNITS | {"N": ["1M", "2M", "-"]}, "units(N)",
                                         "loss")  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "kept"), [([1, 2, "x", 4], True), (["a", "b", "c", "d"], False), (["a", 2] * 2, True)]
)
def test_leaving_rows_out_is_offered_where_it_leaves_some(cells, kept):
    table = {"x": cells, "y": [1.0, 2.0, 3.0, 4.0], "t": ["u", "u", "u", "v"]}
    message = refusal(from_frame, table, "x", "y")
    assert ("where=" in message) == kept
    if kept:
        test = re.search(r"where='([^']*)'", message)[1]
        assert "is no number" not in str(_outcome(table, where=test))


def _outcome(table, **kwargs):
    try:
        return from_frame(table, "x", "y", **kwargs)
    except DataError as error:
        return error


def test_a_filter_that_is_there_is_kept():
    table = {"x": [1, 2, "x", 4, 5], "y": [1.0, 2.0, 3.0, 4.0, 5.0], "t": [*"uuuuv"]}
    message = refusal(from_frame, table, "x", "y", where="t == 'u'")
    test = message.split("--where '")[1][:-2]
    assert test == "(t == 'u') and isfinite(x)"
    assert from_frame(table, "x", "y", where=test).inputs["x"].tolist() == [1, 2, 4]


def test_values_out_of_range():
    table = {"x": [1.0, 2.0, -1.0], "y": [1.0, 2.0, 3.0]}
    assert "where='x > 0'" in refusal(from_frame, table, "x", "y")
    assert "none are left" in refusal(from_frame, table | {"x": [-1.0, -2.0, 3.0]}, "x", "y")
    gaps = {"x": [1.0, 2.0, 3.0], "a": [1.0, 2.0, np.nan], "b": [np.nan] * 3}
    assert "where='isfinite(a) or isfinite(b)'" in refusal(from_frame, gaps, "x", ["a", "b"])


def test_a_zero_among_losses_that_hardly_vary_is_a_cell_and_no_limit():
    table = {"x": [1e8, 1e9, 1e10, 1e11], "loss": [3.5, 3.1, 0.0, 2.46]}
    message = refusal(fitted, from_frame(table, "x", "loss"))
    assert "--limit" not in message
    assert "--where 'loss > 0'" in message


def test_losses_are_no_accuracies_in_percent():
    table = {"x": [1e8, 1e9, 1e10], "val_loss": [3.5, 3.1, 2.8]}
    message = refusal(fitted, from_frame(table, "x", "val_loss"), law="sigmoid")
    assert "/100" not in message
    assert "a law of losses" in message


def fitted(data, noise=None, law="power"):
    return make_model(get_law(law), data, noise)


@pytest.mark.parametrize("noise", [None, "normal", "lognormal"])
@pytest.mark.parametrize("more", [{}, {"n": "n"}])
def test_error_rates_of_zero_have_ways_and_each_is_taken(noise, more):
    message = refusal(fitted, from_frame(RATES, "n_train", "error", **more), noise)
    assert "noise='normal'" not in message  # a law of losses refuses a 0 whatever the noise
    limit = re.search(r"--limit '([^']*)'", message)[1]
    limited = from_frame(RATES, "n_train", "error", limit=limit, **more)
    assert fitted(limited, noise).noise.name == (noise or "student")
    assert limited.below.tolist() == [False] * 7 + [True] * 2
    assert limited.notes[0] == "2 of 9 responses are only known to lie below the limit 0.001"
    assert ("-n COLUMN" in message) == (not more)
    counted = from_frame(RATES, "n_train", "error", n="n")
    assert fitted(counted, "beta_binomial").noise.counts
    test = re.search(r"where='([^']*)'", message)[1]
    assert fitted(from_frame(RATES, "n_train", "error", where=test), noise)


def test_losses_below_zero_have_no_such_ways():
    data = from_frame(RATES.assign(error=RATES.error - 0.1), "n_train", "error")
    message = refusal(fitted, data)
    assert "limit" not in message
    assert "beta_binomial" not in message
    assert "where='error > 0'" in message


def test_a_log_likelihood_is_a_loss_below_0():
    frame, law = {"x": [1e8, 1e9, 1e10], "ll": [-4.0, -3.0, -2.5]}, get_law("power")
    message = refusal(make_model, law, from_frame(frame, "x", "ll"))
    way = re.search(r"-y '([^']*)'", message)[1]
    assert from_frame(frame, "x", way).responses["y"].tolist() == [4.0, 3.0, 2.5]
    mixed = from_frame(frame | {"ll": [-1.0, 3.0, 2.0]}, "x", "ll")
    assert "negative" not in refusal(make_model, law, mixed)


def test_a_noise_of_any_response_is_named_where_the_law_takes_it():
    import bayescale as bs

    @bs.law(support="real")
    def line(x, *, a=bs.real(-3, 3)):
        return a + 0 * x

    data = from_frame({"x": [1.0, 2.0, 4.0], "y": [-1.0, 1.0, 2.0]}, "x", "y")
    assert "noise='normal'" in refusal(make_model, line, data, "student")
    assert make_model(line, data, "normal").noise.name == "normal"


def test_a_limit_is_of_losses_and_of_one_response():
    data = from_frame(RATES, "n_train", "error", n="n", limit=0.001)
    assert "takes a 0 as it is" in refusal(fitted, data, "beta_binomial")
    two = RATES.assign(other=1.0)
    assert "of one response" in refusal(from_frame, two, "n_train", ["error", "other"], limit=0.001)


def test_the_least_that_was_measured():
    assert least_shown(np.array([0.412, 0.3, 0.0, 0.041])) == pytest.approx(0.001)
    assert least_shown(np.array([1e-5, 0.0])) == pytest.approx(1e-5)
    assert least_shown(np.array([0.123456789012, 0.0])) == 0.123456789012
    assert least_shown(np.array([3.0, 20.0])) == 1.0
    assert least_shown(np.zeros(3)) is None


def test_several_ways_are_a_list():
    assert ways(["a"]) == "a"
    assert ways(["a", "b"]) == "either (1) a, or (2) b"


def test_formulas_are_functions_of_any_numbers():
    import jax.numpy as jnp

    cost = formula("6e18*N*D + exp(-N)", "ND", jnp)
    assert float(cost(N=jnp.float32(1), D=jnp.float32(2))) == pytest.approx(1.2e19, rel=1e-5)
    assert formula("-N**2/D", "ND")(N=3.0, D=2.0) == -4.5
    for text in ("6*N*X", "N if D else N", "__import__('os')", "N.real", "sin(N)", ""):
        with pytest.raises(ExpressionError):
            formula(text, "ND")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("params (B)=70,D=1.4e12", "N=70000000000.0,D=1.4e12"),
        ("`params (B)`=70,tokens=1e12", "N=70000000000.0,tokens=1e12"),
        ("N=7e10,D=1.4e12", "N=7e10,D=1.4e12"),
        ("other=3", "other=3"),
        ("params (B)=many", "params (B)=many"),
    ],
)
def test_columns_that_a_scale_is_made_of_are_asked_by_their_names(text, found):
    assert in_inputs(text, {"N": "`params (B)`*1e9", "D": "tokens"}, ["N", "D"]) == found


def test_dates_are_asked_as_dates():
    columns = {"x": "exp(years(released) - 2020)"}
    for text in ("2021-01-01", "released=2021-01-01"):
        name, _, value = in_inputs(text, columns, ["x"]).partition("=")
        assert name == "x"
        assert float(value) == pytest.approx(np.e)
    assert in_inputs("6.7", columns, ["x"]) == "6.7"
    assert in_inputs("2026", columns, ["x"]) == in_inputs("2026-01-01", columns, ["x"])
    assert in_inputs("70", {"x": "units(tokens)"}, ["x"]) == "70"
    assert in_inputs("70B", {"x": "units(tokens)"}, ["x"]) == "x=70000000000.0"
