"""The prior of laws: hypotheses alike, and what a law of one's own has beside them."""

import pytest

from bayescale.laws import get_law, sigmoid
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import fraction
from bayescale.workflows.default_laws import ACCURACIES
from bayescale.workflows.hypotheses import prior_of


@law(support="unit", improves="up", response="accuracy")
def mine(x, *, g=fraction(0.5, 2.0)):
    """A hypothesis of its own."""
    return g + 0 * x


@law(support="unit", improves="up", response="accuracy", hypothesis="rise")
def also(x, *, g=fraction(0.5, 2.0)):
    """A further law of a rise."""
    return g + 0 * x


def test_hypotheses_are_alike_and_their_laws_share_one():
    found = prior_of(map(get_law, ACCURACIES))
    assert sum(found.values()) == pytest.approx(1)
    rising = [found[name] for name in ACCURACIES if get_law(name).told == "rise"]
    assert rising == pytest.approx([1 / 20] * 4)
    for name in ("flat", "distractor", "inverse", "inverted_u"):
        assert found[name] == pytest.approx(1 / 5)


def test_a_law_of_ones_own_is_one_hypothesis_of_many():
    found = prior_of([sigmoid, get_law("flat"), mine])
    assert found == pytest.approx(dict.fromkeys(("sigmoid", "flat", "mine"), 1 / 3))
    assert prior_of([mine]) == {"mine": 1.0}


def test_a_law_of_ones_own_may_tell_a_known_hypothesis():
    found = prior_of([sigmoid, also, get_law("flat")])
    assert found == pytest.approx({"sigmoid": 1 / 4, "also": 1 / 4, "flat": 1 / 2})
