"""Metric or model: verdicts of given evidence, and of tables whose truth is known."""

import json
from dataclasses import replace
from inspect import unwrap

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest

from bayescale.comparison.evidence import Evidence
from bayescale.data.dataset import Dataset
from bayescale.inference.make_model import make_model
from bayescale.inference.samplers import MAP, NUTS
from bayescale.laws import breakthrough, from_loss, get_law, two_stage
from bayescale.messages import DataError
from bayescale.misfit.misfit import Finding
from bayescale.model.model import Model
from bayescale.model.programs import compiled
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import student
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.workflows import metric_or_model as metric
from bayescale.workflows.metric_or_model import HYPOTHESES, MetricOrModel, metric_or_model

X = np.geomspace(1e19, 1e23, 24)
T = np.log(X / 1e21)


def table(loss, accuracy, **more):
    accuracy = np.round(accuracy * 1000) / 1000
    data = Dataset({"x": X}, {"accuracy": accuracy, "loss": loss}, n=np.full(len(X), 1000.0))
    return replace(data, **more)


def wobble(seed):
    return np.exp(0.02 * np.random.default_rng(seed).normal(size=len(X)))


def steady(tokens=5.0):
    loss = 0.01 + 0.139 * np.exp(-0.35 * T)
    return table(loss * wobble(0), np.exp(-tokens * loss))


def jumps():
    r = 1 / (1 + np.exp(-2.0 * T))
    return table(1.2 * (1 - 0.5 * r) * wobble(1), 0.05 + 0.85 * r)


LAWS = ("two_stage", "two_stage(link='exact_match')", "breakthrough", "apart")


def found(logs, weights=(1.0, 0.0, 0.0), failed=()):
    """A finished answer of given log evidence; its posteriors only have a health."""
    prior = dict.fromkeys(HYPOTHESES, 1 / 3)
    logs = dict(zip(LAWS, logs, strict=True))
    names = (*LAWS[:3], "apart: loss", "apart: accuracy")
    posteriors = {name: posterior_of(name not in failed) for name in names}
    weights = dict(zip(HYPOTHESES, weights, strict=True))
    probability = metric._probability(logs, prior)
    return MetricOrModel(probability, weights, logs, logs, logs, posteriors, prior)


def posterior_of(ok):
    verdict = Verdict({}, {}, 1.0, 999.0, 0.0, (), Finding(() if ok else ("bad",)))
    run = SamplingInfo(0, "NUTS", 1, 1, "float64", "cpu", {}, {}, 1.0)
    model = Model(from_loss, beta_binomial)
    return Posterior(model, steady(), {}, {}, Health((verdict,)), run)


# ------------------------------------------------------------------ verdicts


def test_a_story_is_told_from_six_tenths():
    assert found((0.0, 0.0, -1.0, -3.0)).hypothesis == "metric"
    assert found((0.0, 0.0, 3.0, 0.0), (0, 1, 0)).verdict == HYPOTHESES["model"]
    assert found((0.0, 0.0, 0.0, 3.0), (0, 0, 1)).verdict.startswith("neither")
    assert found((0.0, 0.0, -0.4, -3.0)).verdict == "the data cannot tell"


def test_evidence_alone_tells_no_hypothesis():
    assert found((0.0, 0.0, -3.0, -3.0), (0.3, 0.6, 0.1)).hypothesis is None
    assert found((0.0, 0.0, -3.0, -3.0), (0.45, 0.4, 0.15)).hypothesis == "metric"


def test_the_evidence_of_a_failed_fit_is_doubted():
    apart = (0.0, 0.0, -20.0, -4.0)
    assert found(apart).hypothesis == "metric"
    assert found(apart, failed=("breakthrough",)).hypothesis == "metric"
    assert found(apart, failed=("two_stage",)).hypothesis == "metric"
    assert found(apart, failed=("apart: loss",)).hypothesis is None
    assert found(apart, failed=LAWS[:2]).hypothesis is None
    assert found(apart, failed=("apart: loss",)).unsound == ("apart: loss",)


def test_laws_of_one_story_share_its_prior():
    logs = dict(zip(LAWS, (0.0, -np.inf, 0.0, -2000.0), strict=True))
    named = metric._probability(logs, dict.fromkeys(HYPOTHESES, 1 / 3))
    assert named == pytest.approx({"metric": 1 / 3, "model": 2 / 3, "neither": 0.0})
    named = metric._probability(logs, {"metric": 1.0, "model": 0.0, "neither": 0.0})
    assert named == pytest.approx({"metric": 1.0, "model": 0.0, "neither": 0.0})


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match="metric, model, neither"):
        metric_or_model(steady(), prior={"luck": 1.0})
    with pytest.raises(ValueError, match="0 or more"):
        metric_or_model(steady(), prior={"metric": -1.0, "model": 2.0})
    with pytest.raises(ValueError, match=r"nothing of neither, .* sums to 0\.5"):
        metric_or_model(steady(), prior={"metric": 0.25, "model": 0.25})
    with pytest.raises(TypeError, match=r"by NUTS: .* not MAP"):
        unwrap(metric_or_model)(steady(), sampler=MAP())
    with pytest.raises(ValueError, match=r"several responses: .*--noise accuracy="):
        make_model(get_law("two_stage"), steady(), "student")
    with pytest.raises(DataError, match="several rows are of one run"):
        metric_or_model(replace(steady(), run=np.repeat(["a", "b"], 12).astype(object)))
    with pytest.raises(DataError, match="the responses accuracy and loss"):
        metric_or_model(replace(steady(), responses={"loss": np.ones(len(X))}))


def test_a_score_that_rises_is_said_to():
    assert metric._rises(steady()) == metric._rises(jumps()) == []
    data = steady()
    loss = 1 - data.responses["loss"]
    columns = {"loss": "right"}
    (note,) = metric._rises(
        replace(data, responses={**data.responses, "loss": loss}, columns=columns)
    )
    assert note.kind == "rises"
    assert "-y 'loss=1-right'" in note


def test_one_response_alone_takes_its_own_rows():
    data = steady()
    loss = data.responses["loss"].copy()
    loss[3:6] = np.nan
    data = replace(data, responses=dict(data.responses) | {"loss": loss}, chance=np.zeros(len(X)))
    alone = metric._alone(data, "loss")
    assert len(alone) == len(X) - 3
    assert alone.n is None
    assert alone.chance is None
    assert metric._alone(data, "accuracy").n is not None
    spread = metric._spread(np.ones(len(alone)), loss)
    assert spread.tolist() == np.isfinite(loss).astype(float).tolist()


# ------------------------------------------------------------------ laws and their coordinates


def test_exact_match_of_a_loss():
    law = two_stage(link="exact_match")
    said = law(100.0, E=0.1, A=1.0, alpha=0.5, g=0.2, u=0.9, T=3.0)
    assert law.name == "two_stage(link='exact_match')"
    assert float(said["loss"]) == pytest.approx(0.2)
    assert float(said["accuracy"]) == pytest.approx(0.2 + 0.7 * np.exp(-0.6))


@pytest.mark.parametrize("law", [breakthrough, two_stage(), two_stage(link="exact_match")])
def test_coordinates_hold_far_from_the_data(law):
    from bayescale.model.arrays import pack

    model = make_model(law, steady())
    data = jax.tree.map(lambda leaf: leaf[0], pack(model, steady())[0].data)
    z = np.random.default_rng(2).normal(size=(200, model.size)) * 2
    with jax.enable_x64(True):
        density = jax.vmap(jax.value_and_grad(lambda z: model.log_density(z, data)))
        values, slopes = jax.device_get(compiled(level=0)(density)(jnp.asarray(z)))
    assert np.mean(np.isfinite(values)) > 0.97
    assert np.isfinite(slopes).all(1)[np.isfinite(values)].mean() > 0.97


def test_warps_leave_the_priors_as_they_are():
    # Mass of drop below 1/2 under the prior is 1/2, in whatever coordinate it is sampled.
    model = make_model(breakthrough, steady())
    data = {"span": {"x": np.array([-9.0, 0.0])}, "y": 1.0, "chance": 0.0, "ref": {"x": 1.0}}
    at = model.labels.index("drop")
    grid = np.linspace(-40, 40, 4001)

    def of(u):
        z = jnp.zeros(model.size).at[at].set(u)
        values, log_prior, _ = model.constrain(z, data)
        return values["drop"], log_prior - dist.Normal(0.0, 0.7).log_prob(values["high"])

    with jax.enable_x64(True):
        drop, log_prior = jax.device_get(compiled(level=0)(jax.vmap(of))(jnp.asarray(grid)))
    mass = np.exp(log_prior - log_prior.max())
    assert mass[drop < 0.5].sum() / mass.sum() == pytest.approx(0.5, abs=0.01)


# ------------------------------------------------------------------ fits


def test_scores_of_two_fits_apart_are_added(monkeypatch):
    data = steady()
    loss = data.responses["loss"].copy()
    loss[:4] = np.nan
    data = replace(data, responses=dict(data.responses) | {"loss": loss})
    logs = dict(zip((*LAWS[:3], "saturating", "sigmoid"), (1.0, 2.0, 3.0, 4.0, 5.0), strict=True))
    said = {}
    monkeypatch.setattr(metric, "fit", lambda law, data, **how: _named(law, data, said))
    monkeypatch.setattr(
        metric, "log_evidence", lambda p, seed, unit: Evidence(logs[said[id(p)]], 0.3)
    )
    monkeypatch.setattr(metric, "_left_out", lambda p: np.full(len(p.data), logs[said[id(p)]] / 10))
    answer = metric_or_model(data)
    assert answer.log_evidence == dict(zip(LAWS, (1.0, 2.0, 3.0, 9.0), strict=True))
    assert answer.evidence_se["apart"] == pytest.approx(0.3 * 2**0.5)
    assert answer.elpd["apart"] == pytest.approx(20 * 0.4 + 24 * 0.5)
    assert answer.elpd["breakthrough"] == pytest.approx(24 * 0.3)
    assert answer.hypothesis == "neither"
    assert answer.notes == ()
    json.dumps(answer.summary(), allow_nan=False)


def _named(law, data, said):
    noise = beta_binomial if data.n is not None else student
    one = replace(posterior_of(True), data=data, model=Model(from_loss, noise))
    said[id(one)] = law
    return one


@pytest.mark.study
def test_tables_of_known_truth():
    data = [steady(), jumps()]
    join = lambda part: np.concatenate([part(d) for d in data])  # noqa: E731
    both = Dataset(
        {"x": join(lambda d: d.inputs["x"])},
        {k: join(lambda d, k=k: d.responses[k]) for k in ("accuracy", "loss")},
        n=join(lambda d: d.n),
        curve=np.repeat(["steady", "jumps"], len(X)),
    )
    sampler = NUTS(chains=2, warmup=100, draws=100, starts=32, retries=0)
    told = metric_or_model(both, sampler=sampler)
    assert list(told) == ["steady", "jumps"]
    assert told["steady"].probability["metric"] > 0.95
    assert told["jumps"].probability["model"] > 0.6
    assert told["steady"].log_evidence.keys() == told["steady"].elpd.keys()
    assert np.sum(list(told["steady"].weights.values())) == pytest.approx(1)
    tokens = np.median(told["steady"].posteriors["two_stage(link='exact_match')"].draws["T"])
    assert tokens == pytest.approx(5.0, rel=0.15)
    json.dumps(told["jumps"].summary(), allow_nan=False)


@pytest.mark.parametrize("counted", [True, False])
def test_a_response_has_one_noise_under_all_hypotheses(monkeypatch, counted):
    """Without a number of questions `sigmoid` alone would take another than `two_stage`."""
    data = replace(steady(), group=np.array(["a", "b"] * 12, object))
    data = data if counted else replace(data, n=None)
    seen = {}

    def made(law, table, noise, **how):
        model = make_model(get_law(law), table, noise)
        seen[law] = {model.law.name_in(table.responses, k): v for k, v in model.noises.items()}
        return replace(posterior_of(True), data=table, model=model)

    monkeypatch.setattr(metric, "fit", made)
    monkeypatch.setattr(metric, "log_evidence", lambda p, seed, unit: Evidence(0.0, 0.1))
    monkeypatch.setattr(metric, "_left_out", lambda p: np.zeros(len(p.data)))
    answer = metric_or_model(data)
    noises = {"accuracy": "scale_scatter" if counted else "bounded", "loss": "student"}
    assert answer.noise == answer.summary()["noise"] == noises
    for of in seen.values():
        assert all(noise.name == noises[name] for name, noise in of.items())
    assert seen.keys() == {*metric.JOINT, *metric.APART.values()}
    assert [note.kind for note in answer.notes] == ["group"]
    given = metric_or_model(data, noise={"loss": "lognormal"})
    assert given.noise == noises | {"loss": "lognormal"}
