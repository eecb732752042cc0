"""Kinds of a curve of four models beside brute force: means over draws of the laws' priors.

Law, noise and weights are written again in NumPy; only draws of the priors are the library's.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import betabinom

import bayescale as bs
from bayescale.inference.make_model import make_model
from bayescale.laws import distractor, flat, inverse, inverted_u, sigmoid
from bayescale.model.prior import before
from bayescale.questions.kinds import KINDS, classify

X = np.array([3.5e8, 1.3e9, 6.7e9, 1.75e11])
RIGHT, ASKED = np.array([845, 846, 1002, 1024]), 1560
"""`dice-0shot` of GPT-3, of the evaluations for the Inverse Scaling Prize (I. McKenzie 2022)."""
HELD = dict(gap=2.3, k=1.5)
LAWS = (sigmoid, flat, inverse, distractor.fix(**HELD), inverted_u.fix(**HELD))
DRAWS, KEPT, POINTS = 300_000, 8_000, 129
NODES = {-(3**0.5): 1 / 6, 0.0: 2 / 3, 3**0.5: 1 / 6}
"""Of three-point Gauss-Hermite quadrature, with their weights."""


@pytest.fixture(scope="module")
def data():
    n, chance = np.full(4, float(ASKED)), np.full(4, 0.5)
    return bs.Dataset({"x": X}, {"accuracy": RIGHT / ASKED}, n=n, chance=chance)


def curve(law, p, log_x):
    """The law by its formula, (draw, point)."""
    if law.name == "flat":
        return p.g[:, None] + 0 * log_x
    away = p.k[:, None] * (log_x - np.log(p.x50)[:, None])
    last = (p.d if law.name == "inverse" else p.u)[:, None]
    g, reached = p.g[:, None], expit(away)
    if law.name in ("sigmoid", "inverse"):
        return g + (last - g) * reached
    other = expit(away + (p.k * p.gap)[:, None])
    return reached * last + (1 - reached) * ((1 - other) * g + other * p.d[:, None])


def log_likelihood(law, p):
    """Of counts under models that differ in effective scale, and otherwise, (draw,)."""
    shifted = {z: np.log(X) + p.tau[:, None] * z for z in NODES}
    at = {z: np.clip(curve(law, p, log_x), 1e-12, 1 - 1e-12) for z, log_x in shifted.items()}
    middle = at[0.0]
    mean = sum(weight * at[z] for z, weight in NODES.items())
    variance = sum(weight * (at[z] - mean) ** 2 for z, weight in NODES.items())
    v = p.rho[:, None] + variance / (middle * (1 - middle))
    size = 1 / (v / (1 + v)) - 1
    return betabinom.logpmf(RIGHT, ASKED, middle * size, (1 - middle) * size).sum(1)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(LAWS[:2], id="two laws"),
        pytest.param(LAWS, id="five laws", marks=pytest.mark.study),
    ],
)
def laws(request):
    """Laws that are weighed; each costs a program of NUTS."""
    return request.param


@pytest.fixture(scope="module")
def exact(data, laws):
    """Log evidence by law; the probability of each kind; draws that count."""
    logs, kinds, effective = {}, {}, {}
    rng, grid = np.random.default_rng(0), np.linspace(*np.log(X[[0, -1]]), POINTS)
    for law in laws:
        drawn = before(make_model(law, data), data, DRAWS, seed=1).parameters
        log = log_likelihood(law, SimpleNamespace(**drawn))
        logs[law.name] = float(logsumexp(log) - np.log(DRAWS))
        weights = np.exp(log - logsumexp(log))
        effective[law.name] = 1 / (weights**2).sum()
        which = rng.choice(DRAWS, KEPT, p=weights)
        kept = SimpleNamespace(**{name: values[which] for name, values in drawn.items()})
        codes = classify(np.broadcast_to(curve(law, kept, grid), (KEPT, POINTS)), 0.05)
        kinds[law.name] = np.bincount(codes, minlength=len(KINDS)) / KEPT
    belief = np.exp(np.array([*logs.values()]) - logsumexp([*logs.values()]))
    both = belief @ np.array([*kinds.values()])
    return SimpleNamespace(
        logs=logs, kinds=dict(zip(KINDS, both, strict=True)), effective=effective
    )


def test_kinds_are_those_of_brute_force(data, laws, exact):
    assert min(exact.effective.values()) > 500
    quick = bs.NUTS(chains=4, warmup=500, draws=1000, target_accept=0.95, retries=0)
    equal = {law.name: 1 / len(laws) for law in laws}
    (task,) = bs.tasks(data, laws, prior=equal, misfit=0.0, sampler=quick, seed=0)
    assert not task.failed
    for law, log in exact.logs.items():
        assert bs.log_evidence(task.mixture.parts[law], seed=0).log == pytest.approx(log, abs=0.1)
    found = task.kind.kinds
    assert found == pytest.approx(exact.kinds, abs=0.03)
    assert task.kind.likeliest == "steady"
