"""Backtests: what laws fitted to the smaller scales foretell of the larger."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.laws import from_loss, get_law
from bayescale.messages import DataError
from bayescale.workflows.backtest import backtest, fitted


@pytest.fixture(scope="module")
def table(make_table):
    """Two curves: one that rises, one that stays."""
    parts = [make_table["sigmoid"](24), make_table["flat"](24, n=1000)]
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("n", "chance")
    }
    columns |= {"curve": np.repeat(np.array(["rises", "stays"], object), 24)}
    x, y = (
        np.concatenate([next(iter(getattr(part, side).values())) for part in parts])
        for side in ("inputs", "responses")
    )
    return Dataset({"x": x}, {"acc": y}, **columns)


@pytest.fixture(scope="module")
def tested(table, small):
    """Both curves through two laws."""
    how = dict(noise="binomial", sampler=small, seed=1)
    return {law: backtest(law, table, **how) for law in ("sigmoid", "flat")}


def test_the_score_is_the_density_of_the_runs_held_out(table, tested, small):
    one = replace(table.take(table.curve == "stays"), curve=None)
    below = fitted(get_law("flat"), one)
    found = tested["flat"]["stays"]
    assert found.runs == (~below).sum() == 6
    assert found.cut == one.inputs["x"][below].max() < one.inputs["x"][~below].min()
    post = fit("flat", table.take(np.tile(below, 2)), noise="binomial", sampler=small, seed=1)
    g, y = post.draws["g"][1].reshape(-1, 1), one.responses["acc"][~below]
    density = binom.pmf(np.round(1000 * y), 1000, g).mean(0)
    assert found.score == pytest.approx(np.log(density).mean(), abs=1e-3)
    assert found.error == pytest.approx(np.abs(y - np.median(g)).mean(), abs=2e-3)


def test_a_rise_is_foretold_by_the_law_that_rises(tested):
    rises = {law: found["rises"] for law, found in tested.items()}
    assert rises["sigmoid"].score > rises["flat"].score + 10
    assert rises["sigmoid"].error < 0.2 < rises["flat"].error
    assert rises["flat"].inside == 0
    stays = {law: found["stays"] for law, found in tested.items()}
    assert stays["flat"].inside >= 0.5
    json.dumps(stays["flat"].summary(), allow_nan=False)


def test_runs_of_one_scale_stay_together():
    x = np.repeat([1e8, 1e9, 1e10, 1e11, 1e12], 4)
    data = Dataset({"x": x}, {"acc": np.full(20, 0.5)}, n=np.full(20, 100.0))
    law = get_law("flat")
    assert x[fitted(law, data, 0.25)].max() == 1e11
    assert x[fitted(law, data, 0.3)].max() == 1e11, "on the side of the smaller"
    assert x[fitted(law, data, 0.01)].max() == 1e11, "something is held out"
    assert not fitted(law, data, 0.7).any(), "fewer than four scales"


def test_of_a_loss_less_is_larger():
    loss = np.linspace(2, 4, 40)
    data = Dataset({"L": loss}, {"acc": np.full(40, 0.5)}, n=np.full(40, 100.0))
    assert loss[fitted(from_loss, data, 0.25)].min() > loss[~fitted(from_loss, data, 0.25)].max()


def test_a_family_of_large_models_alone_is_forecast_as_a_new_one(make_table, small):
    data = make_table["sigmoid"](32)
    group = np.array(["a"] * 12 + ["b"] * 14 + ["c"] * 6, object)
    found = backtest("sigmoid", replace(data, group=group), sampler=small, seed=1)
    (note,) = found.notes
    assert note.endswith("each row's own; of c no run was fitted: foretold as new ones")
    assert found.unit == "count"
    assert found.runs == 8
    assert np.isfinite(found.score)


@pytest.mark.parametrize(
    ("law", "share", "error", "says"),
    [
        ("sigmoid", 0.0, ValueError, "between 0 and 1, got 0"),
        ("chinchilla", 0.25, ValueError, "not chinchilla"),
        ("two_stage", 0.25, ValueError, "not two_stage"),
        ("sigmoid", 0.8, DataError, "curve 'rises' leaves fewer than 8 runs at 4 scales"),
    ],
)
def test_what_cannot_be_asked_is_refused(table, law, share, error, says):
    with pytest.raises(error, match=says):
        backtest(law, table, share=share)
