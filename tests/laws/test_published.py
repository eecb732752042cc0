"""What a law says without data: published constants, or given ones."""

import re

import numpy as np
import pytest

import bayescale as bs
from bayescale.cli import terminal
from bayescale.cli.commands import main
from bayescale.laws import PUBLISHED, get_law, value_at


def test_published_constants_are_those_of_their_laws():
    for name, sets in PUBLISHED.items():
        for constants in sets.values():
            assert {*constants} == {*get_law(name).parameters}


def test_values_are_those_of_the_papers():
    hoffmann, besiroglu = value_at("chinchilla", {"N": 70e9, "D": 1.4e12}).values()
    assert hoffmann == pytest.approx(1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28)
    assert besiroglu == pytest.approx(1.8172 + 482.01 / 70e9**0.3478 + 2085.43 / 1.4e12**0.3658)
    (kaplan,) = value_at("kaplan", {"N": 1e9, "D": 1e30}).values()
    assert kaplan == pytest.approx((6.4e13 / 1e9) ** 0.076)
    (steps,) = value_at("kaplan_steps", {"N": 1e9, "S": 1e5}).values()
    assert steps == pytest.approx((6.5e13 / 1e9) ** 0.077 + (2.1e3 / 1e5) ** 0.76)
    once = {"N": 1e9, "D": 2e10, "U": 2e10}
    (repeated,) = value_at("data_constrained", once | {"D": 8e10}).values()
    (fresh,) = value_at("data_constrained", once | {"D": 8e10, "U": 8e10}).values()
    assert repeated > fresh


def test_constants_that_are_given():
    law = bs.get_law("power").fix(E=2).tie("alpha", "A")
    assert value_at(law, {"x": 4.0}, {"A": 1.0})["as given"] == pytest.approx(2.25)
    found = value_at("chinchilla", {"N": [1e9, 1e10], "D": 2e10}, {"E": 1.8})
    assert all(source.endswith(", with E as given") for source in found)
    plain = value_at("chinchilla", {"N": [1e9, 1e10], "D": 2e10})
    for changed, printed, E in zip(found.values(), plain.values(), (1.69, 1.8172), strict=True):
        np.testing.assert_allclose(changed - printed, 1.8 - E)


@pytest.mark.parametrize(
    ("law", "at", "constants", "words"),
    [
        ("power", {"x": 1e9}, {}, "no constants of power were published"),
        ("power", {"x": 1e9}, {"E": 1}, "give A=..., alpha=... (--fix 'A=...,alpha=...')"),
        ("chinchilla", {"N": 1e9}, {}, "needs a value for D (--at D=...)"),
        ("chinchilla", {"N": 1e9, "D": 1e9, "S": 1}, {}, "no scale 'S'"),
        ("chinchilla", {"N": -1, "D": 1e9}, {}, "N is positive and finite, got -1"),
        ("chinchilla", {"N": 1e9, "D": 1e9}, {"F": 1}, "no parameter 'F'"),
    ],
)
def test_what_cannot_be_said(law, at, constants, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        value_at(law, at, constants)


def test_the_command(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    points = ["--at", "N=7e10,D=1.4e12", "--at", "N=1e9,D=2e10"]
    assert main(["laws", "chinchilla", *points]) == terminal.SOUND
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if "arXiv" in line and line.strip()[0].isdigit()]
    assert [row.split()[:3] for row in rows] == [
        ["70B", "1.4T", "1.937"],
        ["70B", "1.4T", "1.974"],
        ["1B", "20B", "2.58"],
        ["1B", "20B", "2.53"],
    ]
    assert main(["laws", "power", "--at", "1e8", "--fix", "E=2,A=100,alpha=.25"]) == terminal.SOUND
    assert "as given" in capsys.readouterr().out
    for args, words in (
        (["laws", "--at", "N=1"], "name a law and a scale"),
        (["laws", "power", "--fix", "E=2"], "name a law and a scale"),
        (["laws", "power", "--at", "1e8"], "no constants of power were published"),
    ):
        assert main(args) == terminal.WRONG
        assert words in capsys.readouterr().err
