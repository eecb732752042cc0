"""A law is found by its name and options; what is no law, or no option, is told with the remedy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayescale import noises
from bayescale.laws import broken, exact_match, get_law, power
from bayescale.laws.names import parse_call


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chinchilla", ("chinchilla", (), {})),
        (" flat() ", ("flat", (), {})),
        ("broken(2)", ("broken", (2,), {})),
        ("power(floor=False)", ("power", (), {"floor": False})),
        ("power(floor=false, rising=true)", ("power", (), {"floor": False, "rising": True})),
        ("m(1.5, -2, 'a', None, [1, 2])", ("m", (1.5, -2, "a", None, (1, 2)), {})),
    ],
)
def test_calls(text, expected):
    assert parse_call(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "a.b",
        "a(b)",
        "a(1+1)",
        "a(**k)",
        "a(*k)",
        "a(x=1, x=2)",
        "a(f())",
        "`a`(1)",
        "a(1)(2)",
        "a(b.c)",
        "a(x=b.c)",
        "a.b(1)",
        "a(10**9)",
        f"a({'9' * 5000})",
        "a(" * 2000 + ")" * 2000,
        f"a({'-' * 5000}1)",
        "lambda: a",
        "a(x := 1)",
        "a\0(1)",
    ],
)
def test_refused_calls(text):
    with pytest.raises(ValueError, match="cannot read the law") as caught:
        parse_call(text)
    check_one_line(caught.value)
    assert len(str(caught.value)) < 400


def check_one_line(error):
    assert len(str(error).splitlines()) == 1


PIECES = ["a", "broken", "1", "'x'", "-", "(", ")", "[", "]", ",", "=", "None", "true", "`", "\n"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join) | st.text(max_size=30))
def test_any_text_is_a_call_or_one_line(text):
    try:
        name, _, _ = parse_call(text)
    except ValueError as error:
        check_one_line(error)
    else:
        assert name.isidentifier()


# ------------------------------------------------------------------ laws by name


def test_options_make_the_law():
    assert get_law("broken(2)") is get_law("broken(2)") == broken(2)
    assert get_law("exact_match(tokens=true)") == exact_match(tokens=True)
    assert get_law(power) == power()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("power(E=1.6)", r"no option 'E': .*\.fix\(E=1\.6\) \(--fix E=1\.6\)"),
        ("power(floor=False, E=1.6)", r"no option 'E'; there are: 'floor', 'rising'"),
        ("power(flor=False)", r"no option 'flor'; did you mean 'floor'\? There are: 'floor', 'ris"),
        ("chinchilla(E=1.6)", r"no option 'E': .*\.fix\(E=1\.6\) \(--fix E=1\.6\)"),
        ("chinchilla(floor=False)", "takes no options; write it as 'chinchilla'"),
        ("broken(1, 2, 3, 4)", "the law 'broken\\(1, 2, 3, 4\\)'"),
        ("broken({1})", "the law 'broken"),
        ("chinchila", r"unknown law 'chinchila'; did you mean 'chinchilla'\?"),
    ],
)
def test_unknown_names_and_options_are_told_with_the_remedy(text, says):
    with pytest.raises(ValueError, match=says):
        get_law(text)


def test_a_factory_refuses_parameters_by_itself():
    with pytest.raises(TypeError, match=r"\.fix\(E=1\.6\)"):
        power(E=1.6)


def test_a_law_is_one_object_however_its_options_are_written():
    said = get_law("power"), power(), power(True), power(floor=True), power(rising=False)
    assert {*map(id, said)} == {id(get_law(power))}
    assert get_law("broken") is get_law("broken(1)") is broken(n_breaks=1, beyond=0.0)
    assert power(False) is not power()


def test_a_noise_is_no_law():
    with pytest.raises(ValueError, match="student is a noise, no law"):
        get_law(noises.student)
    with pytest.raises(ValueError, match="3, no law"):
        get_law(lambda: 3)
