"""Scales and columns are asked by the names that a fit took, wherever one is asked for."""

import re

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.cli.arguments import names
from bayescale.data.formula import in_names, ticked

N, D, Y = "params (B)", "throughput/total_tokens", "eval/loss (nats)"
POINT = {N: 70.0, D: 1e12}


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(3)
    params, tokens = 10 ** rng.uniform(-1.5, 1, 40), 10 ** rng.uniform(9, 11.5, 40)
    loss = 1.8 + 480 * (params * 1e9) ** -0.35 + 2000 * tokens**-0.365
    loss *= np.exp(0.004 * rng.normal(size=40))
    frame = pd.DataFrame({N: params, D: tokens, Y: loss, "lr, peak": 0.1})
    return bs.fit("chinchilla", frame, x=[N, D], y=Y, sampler=bs.Laplace())


def test_arithmetic_takes_columns_for_inputs():
    columns = {"N": "params", "D": "`total/tokens`", "x": "`a`*2"}
    told = {
        "20*params": "20*N",
        "20 * `params` + params_b": "20 * N + params_b",
        "`total/tokens`": "D",
        "total/tokens": "D",
        "log(params)*`total/tokens`": "log(N)*D",
        "6*N*D": "6*N*D",
    }
    assert {text: in_names(text, columns, "NDx") for text in told} == told
    swapped = {"N": "D", "D": "N"}  # the names of inputs go first
    assert in_names("6*N*D", swapped, "ND") == "6*N*D"
    assert in_names("exp(exp)", {"x": "exp"}, "x") == "exp(x)"


def test_every_question_takes_the_names_of_the_table(fit):
    how = dict(allow_failed=True)
    own = {"N": POINT[N], "D": POINT[D]}
    named = bs.predict(fit, POINT, seed=1, **how).mean
    np.testing.assert_array_equal(named, bs.predict(fit, own, seed=1, **how).mean)
    rule = bs.threshold(fit, 2.5, by=N, at={D: f"20e9*`{N}`"}, **how)
    plain = bs.threshold(fit, 2.5, by="N", at={"D": "20e9*N"}, **how)
    assert rule.summary() == plain.summary()
    kinds = [bs.kind(fit, by=by, at=at, **how) for by, at in ((N, {D: 1e12}), ("N", {"D": 1e12}))]
    assert kinds[0].summary() == kinds[1].summary()
    cost = bs.allocate(fit, 1e21, cost=f"6e9*`{N}`*`{D}`", **how)
    assert cost.cost == "6e9*N*D"
    runs = [{N: 7.0, D: 3e11}, {N: 3.0, D: 7e11}]
    named = bs.compare_runs(fit, *runs, seed=1, **how).summary()
    own = [{"N": run[N], "D": run[D]} for run in runs]
    assert named == bs.compare_runs(fit, *own, seed=1, **how).summary()


def test_columns_of_labels_stand_in_backticks_too():
    runs = {"x": [1, 2, 3, 4], "y": [4, 3, 2.5, 2], "lr, peak": [0.1, 0.2] * 2, "a b": list("aabb")}
    assert bs.from_frame(runs, "x", "y", curve="`a b`").curve_names == ("a", "b")
    assert names("`lr, peak`,batch") == ("`lr, peak`", "batch")
    assert names(["broken(2, True),sigmoid"]) == ("broken(2, True)", "sigmoid")
    data = bs.from_frame(runs, "x", "y", best=names("`lr, peak`"))
    assert data.notes


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ([1e9], "at names its scales, {'N': ..., 'D': ...}"),
        ({N: "7B", D: 1e12}, "params (B) is a number, or several, got '7B'"),
        ({N: [], D: 1e12}, "params (B) has no value"),
        ({N: [1, 2], D: [1e9, 1e10, 1e11]}, "differ in their number of values: N 2, D 3"),
        ({N: None, D: 1e12}, "params (B) is a number, or several, got None"),
    ],
)
def test_what_names_no_scale_is_one_line(fit, at, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        bs.predict(fit, at, allow_failed=True)


def test_what_is_asked_of_an_answer_is_named(fit):
    told = bs.predict(fit, POINT, allow_failed=True)
    data = {"x": [1e8, 1e9], "y": [3.0, 2.0]}
    with pytest.raises(ValueError, match="which is mean or new, got 'median'"):
        told.quantiles("median")
    with pytest.raises(ValueError, match="mass is a share between 0 and 1"):
        told.quantiles("new", 95)
    with pytest.raises(ValueError, match=r"at names the scale, such as \{'flops'"):
        bs.forecast(data, 4096, x="x", y="y")
    with pytest.raises(TypeError, match="'law'"):
        bs.forecast(data, {"x": 4}, x="x", y="y", law="power")


def test_a_name_that_looks_like_a_call_is_a_column():
    known = ("FLOP (1e18)", "params (M)", "M", "loss")
    told = {
        "FLOP (1e18)*1e18": "`FLOP (1e18)`*1e18",
        "params (M)*1e6": "`params (M)`*1e6",
        "exp(FLOP (1e18))": "exp(`FLOP (1e18)`)",
        "log(loss)": "log(loss)",
        "sinh(loss)": "sinh(loss)",
    }
    assert {text: ticked(text, known) for text in told} == told
