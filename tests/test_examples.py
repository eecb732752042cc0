"""Examples in docstrings are code: each public function has one, and it runs.

They share a few finished fits, named as the fixtures below; the reference page says what each is.
"""

import doctest
import inspect
import re
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

import bayescale as bs
from bayescale.comparison.evidence import Evidence
from bayescale.data.dataset import Dataset
from bayescale.inference.make_model import make_model
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.workflows import metric_or_model

OUTPUT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def functions():
    """Return the public functions by name: laws and noises are values, and show a formula."""
    found = {}
    for home, module in (("", bs), *((f"{each}.", getattr(bs, each)) for each in bs._PACKAGES)):
        for name in module.__all__:
            public = getattr(module, name)
            if inspect.isroutine(inspect.unwrap(public)):
                found[f"{home}{name}"] = public
    return found


FUNCTIONS = functions()


def constructed(law, data, draws, **more):
    """A posterior of given draws, (draw,) each: some examples need no sampler."""
    draws = {name: np.asarray(values, float)[None] for name, values in draws.items()}
    (count,) = {values.shape[1] for values in draws.values()}
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0)
    info = SamplingInfo(0, "NUTS", 1, count, "float64", "cpu", {}, {}, 1.0)
    model = make_model(bs.get_law(law), data, "beta_binomial", **more)
    return Posterior(model, data, draws, {}, Health((verdict,)), info)


@pytest.fixture(scope="session")
def pooled_fit():
    """A sigmoid of two prompt formats, letters and cloze; the scale of the unlock is pooled."""
    rng, count = np.random.default_rng(12), 400
    x, group = np.tile(np.geomspace(1e8, 1e12, 8), 2), np.repeat(["letters", "cloze"], 8)
    data = Dataset({"x": x}, {"acc": 0.5 + 0 * x}, n=100 + 0 * x, chance=0.25 + 0 * x, group=group)
    wobble = 0.1 * rng.normal(size=(5, count))
    draws = {
        "g": 0.25 * np.exp(wobble[0]),
        "u": 1 - 0.1 * np.exp(wobble[1]),
        "x50": 1e10 * np.exp(wobble[2]),
        "k": 1.5 * np.exp(wobble[3]),
        "rho": 0.01 * np.exp(wobble[4]),
        "x50_sd": np.ones(count),
    }
    fit = constructed("sigmoid", data, draws)
    shifts = np.stack([-1 + wobble[0], 1 + wobble[1]], -1)  # cloze before letters
    return replace(fit, draws={**fit.draws, "x50_shift": shifts[None]})


@pytest.fixture(scope="session")
def loss_fit():
    """An accuracy told from a loss, of 12 models."""
    rng, count = np.random.default_rng(13), 200
    loss = np.linspace(2.2, 3.8, 12)
    data = Dataset(
        {"L": loss},
        {"acc": np.round(30 + 60 / (1 + np.exp(4 * (loss - 3)))) / 100},
        n=100 + 0 * loss,
        chance=0.25 + 0 * loss,
    )
    values = {"g": 0.3, "u": 0.9, "L0": 3.0, "k": 4.0, "rho": 0.001}
    draws = {k: v * np.exp(0.02 * rng.normal(size=count)) for k, v in values.items()}
    return constructed("from_loss", data, draws)


@pytest.fixture(scope="session")
def accuracy_data(make_table):
    """Accuracies of 16 models, which rise."""
    return make_table["sigmoid"](16)


@pytest.fixture(scope="session")
def two_scores():
    """A loss that falls steadily and the accuracy that it implies, of 24 models."""
    x = np.geomspace(1e19, 1e23, 24)
    loss = 0.01 + 0.139 * (x / 1e21) ** -0.35
    loss = loss * np.exp(0.02 * np.random.default_rng(0).normal(size=24))
    accuracy = np.round(1000 * np.exp(-5 * loss)) / 1000
    return Dataset({"x": x}, {"accuracy": accuracy, "loss": loss}, n=1000 + 0 * x)


NAMES = (
    "power_data",
    "power_fit",
    "chinchilla_fit",
    "sigmoid_fit",
    "rivals",
    "pooled_fit",
    "loss_fit",
    "accuracy_data",
    "two_scores",
)


@pytest.fixture
def no_fits(monkeypatch, loss_fit):
    """Stand in for the five fits of `metric_or_model`, which take a minute to compile."""
    canned = lambda law, data, **how: replace(loss_fit, data=data)  # noqa: E731
    monkeypatch.setattr(metric_or_model, "fit", canned)
    monkeypatch.setattr(metric_or_model, "log_evidence", lambda *_, **how: Evidence(0.0, 0.1))
    monkeypatch.setattr(metric_or_model, "common_unit", lambda fits: "density")
    monkeypatch.setattr(metric_or_model, "_left_out", lambda one: np.zeros(len(one.data)))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.usefixtures("no_fits", "quick_forecasts")
def test_the_example_runs(name, request, monkeypatch, tmp_path):
    text = inspect.getdoc(FUNCTIONS[name])
    given = {each: request.getfixturevalue(each) for each in NAMES if each in text}
    example = doctest.DocTestParser().get_doctest(
        text, {"bs": bs, "np": np} | given, name, None, None
    )
    monkeypatch.chdir(tmp_path)
    said = []
    doctest.DocTestRunner(optionflags=OUTPUT).run(example, out=said.append)
    assert example.examples
    assert not said, "".join(said)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_docstring_says_what_is_returned(name):
    assert "\nReturns\n-------\n" in inspect.getdoc(FUNCTIONS[name])


def test_the_reference_has_every_public_name_and_no_other():
    pages = (Path(__file__).parents[1] / "docs" / "reference").glob("*.md")
    names = re.findall(r":: bayescale\.(\S+)", "\n".join(page.read_text() for page in pages))
    said = {id(attrgetter(name)(bs)) for name in names}
    assert (
        not [  # of pictures, one automodule
            name
            for name, public in FUNCTIONS.items()
            if id(public) not in said and "plot." not in name
        ]
    )
