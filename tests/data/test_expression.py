"""Expressions: what they compute, and that nothing but the whitelist is read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayescale.data.cells import numbers, texts
from bayescale.data.expression import (
    ExpressionError,
    columns,
    evaluate,
    filter_rows,
)
from bayescale.data.shares import quotient

TABLE = {
    "a": np.array([1, 2, 4]),
    "b": np.array([0.5, np.nan, 2.0]),
    "loss (nats)": np.array([3.0, 2.0, 1.0]),
    "a/b": np.array([7.0, 8.0, 9.0]),
    "task": np.array(["qa", None, "it's"], dtype=object),
    "done": np.array([True, False, True]),
    "size": np.array(["1", "2", "oops"], dtype=object),
    "class": np.array([1.0, 2.0, 3.0]),
    "µ": np.array([1.0, 1.0, 1.0]),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [1, 2, 4]),
        ("a*1e9", [1e9, 2e9, 4e9]),
        ("-a + 2**a", [1, 2, 12]),
        ("6*a*(a + 1)/2", [6, 18, 60]),
        ("a/b", [7, 8, 9]),
        ("a / b", [2, np.nan, 2]),
        ("loss (nats)", [3, 2, 1]),
        ("`loss (nats)`/100", [0.03, 0.02, 0.01]),
        ("`class`+`a/b`", [8, 10, 12]),
        ("class", [1, 2, 3]),
        ("µ*2", [2, 2, 2]),
        ("log2(a)", [0, 1, 2]),
        ("log(a - 1)", [-np.inf, 0, np.log(3)]),
        ("sqrt(-a)", [np.nan] * 3),
        ("done", [1, 0, 1]),
        (" 25 ", [25, 25, 25]),
        ("10**400", [np.inf] * 3),
    ],
)
def test_arithmetic(text, expected):
    result = evaluate(text, TABLE)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1", [0, 1, 1]),
        ("1 < a < 4", [0, 1, 0]),
        ("a in [1, 4]", [1, 0, 1]),
        ("a not in [1, 4]", [0, 1, 0]),
        ("a in []", [0, 0, 0]),
        ("task == 'qa'", [1, 0, 0]),
        ("task != 'qa'", [0, 1, 1]),
        ("task == task", [1, 0, 1]),
        ('task == "it\'s"', [0, 0, 1]),
        ("task in ('qa', 'x') or a == 4", [1, 0, 1]),
        ("task > 'p'", [1, 0, 0]),
        ("b == b", [1, 0, 1]),
        ("isfinite(b)", [1, 0, 1]),
        ("isfinite(size)", [1, 1, 0]),
        ("not isfinite(a/b)", [0, 1, 0]),
        ("not (a > 1 and a < 4)", [1, 0, 1]),
        ("done", [1, 0, 1]),
        ("done == True and `loss (nats)` < 3", [0, 0, 1]),
        ("a*2 >= `class` + 1", [1, 1, 1]),
        ("size == '2'", [0, 1, 0]),
        ("1 < 2", [1, 1, 1]),
    ],
)
def test_filters(text, expected):
    result = filter_rows(text, TABLE)
    assert result.dtype == bool
    assert result.tolist() == [bool(e) for e in expected]


def test_dates_compare_as_text():
    days = {"day": np.array(["2020-01-01", "2023-05-01", "NaT"], dtype="datetime64[ns]")}
    assert filter_rows("day > '2022'", days).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("los", r"no column 'los'.*did you mean|no column 'los'; there are: 'a', 'b'"),
        ("LOSS (NATS)", "Call is not allowed"),
        ("A*2", "no column 'A' in 'A\\*2'; did you mean 'a'"),
        ("", "expected an expression"),
        ("a +", "cannot read 'a \\+'; .*backticks"),
        ("a ^ 2", r"powers are written \*\*"),
        ("task*2", "column 'task' holds 'qa'"),
        ("'x'", "text such as 'x' meets numbers"),
        ("sin(a)", "functions are exp, log"),
        ("log(a, 2)", "functions"),
        ("isfinite(a)", "isfinite in filters"),
        ("a if a else a", "IfExp is not allowed"),
        ("a.real", "Attribute is not allowed"),
        ("a[0]", "Subscript is not allowed"),
        ("[a for a in a]", "ListComp is not allowed"),
        ("lambda: a", "Lambda is not allowed"),
        ("f'{a}'", "JoinedStr is not allowed"),
        ("(a := 2)", "NamedExpr is not allowed"),
        ("1j", "Constant is not allowed"),
        ("b'x'", "Constant is not allowed"),
        ("__import__('os').system('true')", "not allowed"),
        ("exp.__class__", "Attribute"),
        ("(" * 5000 + "a" + ")" * 5000, "cannot read"),
        ("-" * 50000 + "a", "cannot read"),
        ("a\0", "cannot read"),
        ("a\ud800", "cannot read"),
        ("9" * 6000, "cannot read|not allowed"),
    ],
)
def test_refused_arithmetic(text, message):
    with pytest.raises(ExpressionError, match=message) as caught:
        evaluate(text, TABLE)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "a value stands where a comparison must"),
        ("a = 1", "equality is written =="),
        ("a > 1 & b < 2", "write `and` for &"),
        ("~done", "write `not` for ~"),
        ("task == 1", "text such as 'qa' meets numbers"),
        ("a == 'x'", "text such as 'x' meets numbers"),
        ("size > 1", "text such as 'oops' meets numbers"),
        ("a in b", "write such as task in"),
        ("a is 1", "this comparison is not allowed"),
        ("a > 1 and b", "a value stands"),
        ("nope > 1", "no column 'nope' in 'nope > 1'"),
        (" and ".join(["a > 1"] * 3 + ["(" * 90 + "a" + ")" * 90]), "a value stands"),
    ],
)
def test_refused_filters(text, message):
    with pytest.raises(ExpressionError, match=message):
        filter_rows(text, TABLE)


def test_columns_in_order_of_appearance():
    assert columns("6*b*log(a)+b", TABLE) == ("b", "a")
    assert columns("`a/b` > a", TABLE) == ("a/b", "a")
    assert columns("a/b", TABLE) == ("a/b",)
    assert columns("3", TABLE) == ()
    with pytest.raises(ExpressionError, match="did you mean 'tokens'"):
        columns("6*token", ["params", "tokens"])


def test_long_lists_of_columns_are_cut():
    with pytest.raises(ExpressionError, match=r"'c14' and 85 more$"):
        columns("zzz", [f"c{i}" for i in range(100)])


def test_cells():
    assert numbers(np.array(["\x1c7"], object))[1].all()  # white space to `strip` alone
    mixed = np.array([1, " 2e3 ", "1_0", None, True, np.float32(0.5), 10**400, [1]], dtype=object)
    values, bad = numbers(mixed)
    np.testing.assert_array_equal(values, [1, 2000, np.nan, np.nan, 1, 0.5, np.nan, np.nan])
    assert bad.tolist() == [False, False, True, False, False, False, True, True]
    assert texts(np.array([3.0, np.nan, 0.25])).tolist() == ["3", None, "0.25"]
    assert texts(np.array([b"x", 3, None], dtype=object)).tolist() == ["x", "3", None]
    assert numbers(np.array(["2020-01-01"], dtype="datetime64[ns]"))[1].all()


def test_quotient():
    assert quotient("n_correct/n") == ("n_correct", "n")
    assert quotient(" `n (right)` / n ") == ("`n (right)`", "n")
    assert quotient("acc/100") is None
    assert quotient("a*b/n") is None


PIECES = ["a", "b", "task", "`loss (nats)`", "1", "'x'", "+", "-", "**", "/", "(", ")", "==", "<"]
PIECES += ["in", "not", "and", "[", "]", ",", "log", "isfinite", " ", "`", "=", "é", "\n", "1e999"]


def check_one_line(error):
    assert len(str(error).splitlines()) == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join) | st.text(max_size=30))
def test_any_text_gives_a_column_or_one_line(text):
    for read, dtype in ((evaluate, np.float64), (filter_rows, bool)):
        try:
            result = read(text, TABLE)
        except ExpressionError as error:
            check_one_line(error)
        else:
            assert result.shape == (3,)
            assert result.dtype == dtype
            assert set(columns(text, TABLE)) <= TABLE.keys()
