"""6 N D is FLOP for parameters and tokens alone: refused on other scales unless a cost is given."""

from dataclasses import replace

import numpy as np
import pytest

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.laws import chinchilla
from bayescale.messages import DataError
from bayescale.model.model import Model
from bayescale.noises.loss import student
from bayescale.planning.allocate import allocate
from bayescale.planning.match import match
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.grid import isoflop_grid

TRUE = dict(E=1.8, A=480.0, B=2000.0, alpha=0.35, beta=0.37, sigma=0.004, nu=20.0)
INFO = SamplingInfo(0, "NUTS", 2, 8, "float64", "cpu", {}, {}, np.nan)
SOUND = Verdict({}, {}, 1.0, 999.0, 0.0)


def fitted(unit_N=1.0, unit_D=1.0, columns=None):
    """A posterior of known constants on scales in these units."""
    N, D = np.repeat(np.geomspace(5e7, 3e9, 4), 4), np.tile(np.geomspace(1e9, 6e10, 4), 4)
    loss = TRUE["E"] + TRUE["A"] * N ** -TRUE["alpha"] + TRUE["B"] * D ** -TRUE["beta"]
    own = dict(TRUE, A=TRUE["A"] * unit_N ** -TRUE["alpha"], B=TRUE["B"] * unit_D ** -TRUE["beta"])
    data = Dataset({"N": N / unit_N, "D": D / unit_D}, {"loss": loss}, columns=columns or {})
    draws = {name: np.full((2, 8), value) for name, value in own.items()}
    return Posterior(Model(chinchilla, student), data, draws, {}, Health((SOUND,)), INFO)


QUESTIONS = [
    lambda fit, **more: allocate(fit, 1e21, **more).loss,
    lambda fit, **more: match(fit, loss=2.5, **more).cheapest["flops"],
    lambda fit, **more: isoflop_grid(fit, [1e20], points=3, **more)["D"] * fit.data.inputs["N"][0],
]
COLUMNS = {"N": "params_B", "D": "tokens_B"}


@pytest.mark.parametrize("ask", QUESTIONS, ids=["allocate", "match", "isoflop"])
def test_billions_are_refused_with_what_to_write(ask):
    fit = fitted(1e9, 1e9, COLUMNS)
    with pytest.raises(DataError) as caught:
        ask(fit)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert "fit with -x 'N=params_B*1e9' -x 'D=tokens_B*1e9'" in message
    assert "cost='6e18*N*D' (--cost '6e18*N*D')" in message


@pytest.mark.parametrize("ask", QUESTIONS[:2], ids=["allocate", "match"])
def test_what_is_written_gives_the_answer_of_plain_scales(ask):
    fit, plain = fitted(1e9, 1e9, COLUMNS), fitted()
    want = ask(plain)
    for cost in ("6e18*N*D", lambda N, D: 6e18 * N * D):
        np.testing.assert_allclose(ask(fit, cost=cost), want, rtol=1e-6)


def test_an_isoflop_grid_of_another_cost():
    fit, plain = fitted(1e9, 1e9, COLUMNS), fitted()
    cost = lambda N, D: 6e18 * N * D + 1e15 * D  # noqa: E731
    at = isoflop_grid(fit, [1e20, 1e21], points=5, cost=cost)
    np.testing.assert_allclose(cost(at["N"], at["D"]), np.repeat([1e20, 1e21], 5), rtol=1e-9)
    same = isoflop_grid(fit, cost=lambda N, D: 6e18 * N * D)
    for name, values in isoflop_grid(plain).items():
        np.testing.assert_allclose(same[name] * 1e9, values, rtol=1e-9)


@pytest.mark.parametrize(
    ("columns", "units", "said"),
    [
        ({"D": "epochs"}, (1, 1e9), "'D=epochs*TOKENS_PER_EPOCH'"),
        ({"D": "hours"}, (1, 1e8), "'D=hours*TOKENS_PER_HOUR'"),
        ({"D": "images"}, (1, 1), "D = images counts no tokens"),
        ({"N": "width"}, (1e6, 1), "'N=width*PARAMETERS_PER_WIDTH'"),
        ({}, (1e9, 1), "'N=N*1e9'"),
        ({"N": "log10(params)"}, (1e9, 1), "N is a logarithm"),
    ],
)
def test_other_scales_that_are_no_parameters_and_tokens(columns, units, said):
    with pytest.raises(DataError) as caught:
        allocate(fitted(*units, columns), 1e21)
    assert said in str(caught.value)


@pytest.mark.parametrize("columns", [{}, {"N": "params_b*1e9"}, {"D": "images*256"}])
def test_plain_scales_are_not_refused(columns):
    assert allocate(fitted(columns=columns), 1e21).cost == "6 N D"


def test_tokens_served_cost_parameters():
    fit = fitted(1e9, 1e9, COLUMNS)
    with pytest.raises(DataError, match="2 N a token served is no FLOP"):
        allocate(fit, 1e21, cost="6e18*N*D", inference_tokens=1e9)


@pytest.mark.parametrize("cost", ["6*N*X", "6/N/D", "6*N*D*", "N**-1*D", "6*N"])
def test_costs_that_are_none(cost):
    with pytest.raises(ValueError, match=r"no column 'X'|cannot read|must be positive"):
        allocate(fitted(), 1e21, cost=cost)


def test_answers_are_read_with_what_the_table_says():
    fit = fitted(1e9, 1e9, COLUMNS)
    plan = allocate(fit, 1e21, cost="6e18*N*D")
    ways = match(fit, loss=2.5, cost="6e18*N*D")
    there = bs.predict(fit, {"N": 1.0, "D": 20.0})
    for answer in (plan, ways, there):
        assert sum(note.kind == "units" for note in answer.notes) == 2
    assert "Pythia" not in "".join(map(str, plan.sheets()[0].foot))
    line = replace(fit, data=replace(fit.data, inputs=dict.fromkeys("ND", fit.data.inputs["N"])))
    assert any(note.kind == "line" for note in bs.predict(line, {"N": 1.0, "D": 1.0}).notes)


def test_pictures_of_another_cost():
    fit = fitted(1e9, 1e9, COLUMNS)
    with pytest.raises(DataError, match="6 N D is no FLOP"):
        bs.plot.isoflop(fit)
    ax = bs.plot.isoflop(fit, cost=lambda N, D: 6e18 * N * D)
    assert any("FLOP" in text.get_text() for text in ax.get_legend().get_texts())
