"""A user's law is the equal of ours: copies under other names give the same answers."""

from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.parametric.coordinates import Coordinate, Lookup
from bayescale.plot import exponents
from bayescale.questions.unlock import unlock_parameter

X, COMPUTE = np.geomspace(1e8, 1e11, 16), np.geomspace(1e18, 1e24, 16)
_rng = np.random.default_rng(1)
N, D = np.exp(_rng.uniform(np.log(1e8), np.log(1e11), 16)), np.geomspace(1e9, 1e12, 16)
S, U = np.exp(_rng.uniform(np.log(1e3), np.log(1e5), 16)), D / np.geomspace(1, 30, 16)
T, L = np.arange(1.0, 17), np.geomspace(4.0, 2.0, 16)
RISE = dict(g=0.27, u=0.9, x50=3e9)
CASES = {
    "power": ([X], dict(E=1.8, A=150.0, alpha=0.25)),
    "power(floor=False, rising=True)": ([COMPUTE], dict(A=0.1, alpha=-0.5)),
    "shifted_power": ([X], dict(beta=30.0, gamma=1e-9, c=0.15)),
    "saturating": ([X], dict(a=1.5, b=2.0, c=0.5, d=1e9, f=0.5)),
    "broken(1)": ([X], dict(a=1.0, b=40.0, c0=0.1, c=[0.3], d=[3e9], f=[0.4])),
    "kaplan": ([N, D], dict(N_c=6.4e13, D_c=1.8e13, alpha_N=0.076, alpha_D=0.103)),
    "kaplan_steps": ([N, S], dict(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76)),
    "chinchilla": ([N, D], dict(E=1.8, A=480.0, B=2000.0, alpha=0.35, beta=0.37)),
    "data_constrained": (
        [N, D, U],
        dict(E=1.8, A=480.0, B=2000.0, alpha=0.35, beta=0.37, R_D=15.0, R_N=5.0),
    ),
    "farseer": ([N, D], dict(bs.laws.FARSEER)),
    "sigmoid": ([X], RISE | dict(k=1.2)),
    "exact_match": ([X], RISE | dict(alpha=0.8)),
    "exact_match(tokens=True)": ([X, T], dict(g=0.27, u=0.9, c=1e8, alpha=0.8)),
    "multi_step": ([X], RISE | dict(k=1.2, steps=4.0)),
    "elbow": ([X], RISE | dict(k=1.2)),
    "flat": ([X], dict(g=0.27)),
    "distractor": ([X], dict(g=0.27, u=0.9, d=0.1, x50=3e10, gap=3.0, k=1.5)),
    "inverse": ([X], dict(g=0.27, d=0.05, x50=3e9, k=1.2)),
    "inverted_u": ([X], dict(g=0.27, u=0.3, d=0.7, x50=2e10, gap=3.0, k=1.5)),
    "broken_accuracy(1)": (
        [X],
        dict(g=0.27, u=0.9, b=1e4, c0=0.4, c=[0.2], d=[3e9], f=[0.4]),
    ),
    "from_loss": ([L], dict(g=0.27, u=0.9, L0=2.8, k=5.0)),
    "two_stage": ([X], dict(g=0.27, u=0.9, L0=2.8, k=5.0, E=1.8, A=150.0, alpha=0.25)),
    "two_stage(link='exact_match')": ([X], dict(g=0.27, u=0.9, T=1.0, E=0.1, A=150.0, alpha=0.25)),
    "breakthrough": ([X], RISE | dict(k=1.2, drop=0.5, high=3.0)),
}

COMMON = ("power", "chinchilla", "broken(1)", "sigmoid", "two_stage")
"""One law of a kind each: one scale, two, parameters with an event, accuracy, two responses."""


def each_of(names, common=COMMON):
    """Laws to test; all but the common ones when studies are asked for."""
    return pytest.mark.parametrize(
        "name",
        [pytest.param(n, marks=[] if n in common else pytest.mark.study) for n in names],
    )


def copied(law):
    """The law under another name, with other names of its parameters, and the same facts."""
    new = {name: f"{name}_of_mine" for name in law.parameters}

    def seen(lookup):
        return Lookup("copy", lambda name: lookup[new.get(name, name)])

    def moved(fn):
        if fn is None:
            return None
        names = ("param", "share", "coordinate", "raw")
        return lambda *args: fn(
            *args[:-1], replace(args[-1], **{k: seen(getattr(args[-1], k)) for k in names})
        )

    def prior(given):
        if not isinstance(given, Coordinate):
            return given
        fns = {name: moved(getattr(given, name)) for name in ("form", "unit", "warp")}
        return replace(given, **fns)

    def back(fn):
        old = {mine: name for name, mine in new.items()}
        return lambda *args, **params: fn(*args, **{old[k]: v for k, v in params.items()})

    def renamed(names):
        return tuple(new[name] for name in names)

    stage = law.second_stage
    return replace(
        law,
        fn=back(law.fn),
        name=f"my own {law.name}",
        priors=tuple((new[name], prior(given)) for name, given in law.priors),
        unlock=new.get(law.unlock),
        floor=new.get(law.floor),
        ceiling=new.get(law.ceiling),
        pools=renamed(law.pools),
        exponents=renamed(law.exponents),
        second_stage=stage and (stage[0], new[stage[1]]),
        hypothesis=law.told,
        powers=law.powers and back(law.powers),
    )


def table(name, groups=False):
    """Runs that follow the law, with some scatter; accuracies of 400 questions."""
    law, (columns, truth) = bs.get_law(name), CASES[name]
    found = law.fn(*columns, **{k: np.asarray(v) for k, v in truth.items()})
    found = found if law.further else {law.response: found}
    rng, responses = np.random.default_rng(3), {}
    for response, y in found.items():
        y = np.asarray(y, float)
        unit = law.responses[response] == "unit"
        responses[response] = (
            rng.binomial(400, y) / 400 if unit else y * np.exp(0.01 * rng.normal(size=len(y)))
        )
    more = {}
    if law.support == "unit":
        more = dict(n=np.full(len(y), 400.0), chance=np.full(len(y), 0.25))
    if groups:
        more["group"] = np.array(["a", "b"] * 8, object)
    inputs = dict(zip(law.inputs, columns, strict=True))
    return Dataset(inputs, responses, **more)


@cache
def pair(name, groups=False, sampler=bs.Laplace(draws=400, starts=16)):
    """The fits of a law and of its copy."""
    law = bs.get_law(name)
    how = dict(sampler=sampler, seed=1)
    if law.support == "unit":
        how["noise"] = {law.response: "binomial"}
    data = table(name, groups)
    return [bs.fit(each, data, **how) for each in (law, copied(law))]


def same(mine, ours):
    """Whether two answers are equal, but for the names of laws and parameters."""
    if isinstance(ours, dict):
        assert len(mine) == len(ours)
        for (key, a), (_, b) in zip(mine.items(), ours.items(), strict=True):
            if key not in ("notes", "law", "verdict"):
                same(a, b)
    elif isinstance(ours, list | tuple):
        assert len(mine) == len(ours)
        for a, b in zip(mine, ours, strict=True):
            same(a, b)
    elif isinstance(ours, str):
        assert mine.replace("my own ", "").replace("_of_mine", "") == ours
    elif ours is not None:
        np.testing.assert_allclose(mine, ours, rtol=1e-9)
    else:
        assert mine is None


@each_of(CASES)
def test_fit_predict_and_pictures(name):
    ours, mine = pair(name)
    np.testing.assert_allclose(mine.z, ours.z, rtol=1e-9, atol=1e-12)
    for ours_of, mine_of in zip(ours.draws.values(), mine.draws.values(), strict=True):
        np.testing.assert_allclose(mine_of, ours_of, rtol=1e-9)
    at = {k: v[[0, -1]] * 2 for k, v in ours.data.inputs.items()}
    a, b = (bs.predict(each, at, allow_failed=True) for each in (ours, mine))
    np.testing.assert_allclose(b.mean, a.mean, rtol=1e-9)
    np.testing.assert_allclose(b.new, a.new, rtol=1e-9)
    a, b = (bs.residuals(each) for each in (ours, mine))
    np.testing.assert_allclose(b.residual, a.residual, rtol=1e-9)
    assert unlock_parameter(mine) == (ours.law.unlock and f"{ours.law.unlock}_of_mine")
    if ours.law.exponents and len(ours.law.inputs) == 1:
        axes = [exponents(each) for each in (ours, mine)]
        counts = [len(ax.get_yticks()) for ax in axes]
        assert counts[0] == counts[1] >= 1
        plt.close("all")


ONE_SCALE = [
    name for name, (columns, _) in CASES.items() if len(columns) == 1 and "two_stage" not in name
]


@each_of(ONE_SCALE)
def test_kinds_and_thresholds_with_a_wider_prior(name):
    ours, mine = pair(name)
    same(*(bs.kind(each, allow_failed=True).summary() for each in (mine, ours)))
    level = (
        None
        if ours.law.support == "unit"
        else float(np.median(ours.data.responses["loss"]))
        if "loss" in ours.data.responses
        else 1e9
    )
    a, b = (bs.threshold(each, level, allow_failed=True) for each in (ours, mine))
    same(b.summary(), a.summary())
    assert (b.wider is None) == (ours.law.unlock is None)


@each_of(["sigmoid", "exact_match(tokens=True)", "flat", "two_stage"], common=["sigmoid"])
def test_pooling(name):
    ours, mine = pair(name, groups=True)
    assert mine.model.pool == tuple(f"{each}_of_mine" for each in ours.model.pool)
    np.testing.assert_allclose(mine.z, ours.z, rtol=1e-9, atol=1e-12)


@each_of(["chinchilla", "kaplan"])
def test_allocation_in_closed_form(name):
    ours, mine = pair(name)
    a, b = (bs.allocate(each, 1e21, allow_failed=True) for each in (ours, mine))
    assert a.method == b.method == "closed form"
    np.testing.assert_allclose(b.params, a.params, rtol=1e-12)
    a, b = (bs.match(each, N=1e9, D=1e10, allow_failed=True) for each in (ours, mine))
    np.testing.assert_allclose(b.tokens, a.tokens, rtol=1e-9)


def test_tasks_and_explanations_by_nuts():
    quick = bs.NUTS(chains=2, warmup=200, draws=200, retries=0)
    laws = [bs.get_law(name) for name in ("sigmoid", "flat")]
    how = dict(noise="binomial", sampler=quick, seed=1)
    ours, mine = (
        bs.tasks(table("sigmoid"), each, **how) for each in (laws, [copied(law) for law in laws])
    )
    assert list(mine.prior.values()) == list(ours.prior.values())
    same(mine.summary(), ours.summary())
    (a,), (b,) = ours, mine
    if a.explanation is not None:
        assert b.explanation.verdict == a.explanation.verdict
        assert [*b.explanation.weights.values()] == [*a.explanation.weights.values()]


def test_the_noise_that_asks_for_floor_and_ceiling():
    law = bs.get_law("sigmoid")
    how = dict(noise="bimodal", sampler=bs.Laplace(draws=200, starts=16))
    ours, mine = (bs.fit(each, table("sigmoid"), **how) for each in (law, copied(law)))
    np.testing.assert_allclose(mine.z, ours.z, rtol=1e-9)
