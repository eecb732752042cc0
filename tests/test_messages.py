"""What is given as a number, a seed, or probabilities by name; anything else is one line."""

import ast
from pathlib import Path

import numpy as np
import pytest

import bayescale
from bayescale.messages import a_count, a_number, a_seed, beliefs, shares_of


@pytest.mark.parametrize("given", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0)])
def test_a_number_is_one_of_any_kind(given):
    assert a_number(given, "cut") == 2.0
    assert type(a_number(given, "cut")) is float


@pytest.mark.parametrize("given", ["2", None, [2], (1, 2), np.array([2.0]), True, np.bool_(1), {}])
def test_what_is_no_number_is_named(given):
    with pytest.raises(ValueError, match=r"^the cut \(--cut\) is a number, or half, got "):
        a_number(given, "the cut (--cut)", ", or half")


@pytest.mark.parametrize("given", [-1, 1.5, "1", None, 2**32, True, [1]])
def test_a_seed_is_a_whole_number(given):
    assert a_seed(np.int64(3)) == 3
    with pytest.raises(ValueError, match="seed is a whole number from 0 to 4294967295, got"):
        a_seed(given)
    with pytest.raises(ValueError, match="draws is a"):
        a_count([given], "draws")


def test_every_seed_of_a_call_is_looked_at():
    """`fit` looks at its own, which all of `inference` and `workflows.outliers` are given."""
    for path in Path(bayescale.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
                plain = ast.unparse(node.args[0]).startswith("[seed,")
                assert not plain or path.parent.name in ("inference", "workflows", "comparison")


def test_probabilities_go_by_name():
    assert shares_of({"a": np.float64(2)}, "weights") == {"a": 2.0}
    for given in ([0.5, 0.5], {"a": "much"}, "a", 0.5):
        with pytest.raises(ValueError, match="weights"):
            shares_of(given, "weights")
    three = ("a", "b", "c")
    assert beliefs({"a": 2, "b": 1, "c": 1}, three, "prior") == {"a": 0.5, "b": 0.25, "c": 0.25}
    assert beliefs({"a": 1}, three, "prior") == {"a": 1.0, "b": 0.0, "c": 0.0}
    with pytest.raises(ValueError, match=r"says nothing of b, c, and what it gives sums to 0\.5"):
        beliefs({"a": 0.5}, three, "prior")
