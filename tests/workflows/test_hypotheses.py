"""The prior of laws: what was learnt, and what a law of one's own has beside it."""

import pytest

from bayescale.laws import get_law, sigmoid
from bayescale.parametric.parametric import law
from bayescale.parametric.priors import fraction
from bayescale.workflows.hypotheses import LEARNT, prior_of
from bayescale.workflows.tasks import LAWS


@law(support="unit", improves="up", response="accuracy")
def mine(x, *, g=fraction(0.5, 2.0)):
    """A hypothesis that nothing was learnt of."""
    return g + 0 * x


@law(support="unit", improves="up", response="accuracy", hypothesis="rise")
def also(x, *, g=fraction(0.5, 2.0)):
    """A further law of a rise."""
    return g + 0 * x


def test_the_table_is_of_the_hypotheses_of_the_default_laws():
    assert set(LEARNT) == {get_law(name).told for name in LAWS}
    assert sum(LEARNT.values()) == pytest.approx(1, abs=1e-9)
    assert min(LEARNT.values()) > 0
    falls = sum(LEARNT[name] for name in ("u_shape", "inverse", "inverted_u"))
    assert falls < 0.6, "an equal prior had three hypotheses of five that fall"


def test_laws_of_one_hypothesis_share_what_was_learnt():
    found = prior_of(map(get_law, LAWS))
    assert sum(found.values()) == pytest.approx(1)
    rising = [found[name] for name in LAWS if get_law(name).told == "rise"]
    assert len(rising) == 4
    assert rising == pytest.approx([LEARNT["rise"] / 4] * 4)
    assert found["inverse"] == pytest.approx(LEARNT["inverse"])
    two = prior_of([sigmoid, get_law("flat")])
    assert two["sigmoid"] / two["flat"] == pytest.approx(LEARNT["rise"] / LEARNT["flat"])
    assert sum(two.values()) == pytest.approx(1)


def test_a_law_of_ones_own_weighs_as_one_hypothesis_of_many():
    found = prior_of([sigmoid, get_law("flat"), mine])
    assert found["mine"] == pytest.approx(1 / 3)
    assert found["sigmoid"] / found["flat"] == pytest.approx(LEARNT["rise"] / LEARNT["flat"])
    assert sum(found.values()) == pytest.approx(1)
    assert prior_of([mine]) == {"mine": 1.0}
    own = prior_of([mine, get_law("broken_accuracy(1)")])
    assert own == pytest.approx({"mine": 0.5, "broken_accuracy(1)": 0.5})


def test_a_law_of_ones_own_may_tell_a_known_hypothesis():
    found = prior_of([sigmoid, also, get_law("flat")])
    assert found["also"] == found["sigmoid"]
    alone = prior_of([sigmoid, get_law("flat")])
    assert found["flat"] == pytest.approx(alone["flat"])
