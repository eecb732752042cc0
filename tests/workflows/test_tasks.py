"""Many tasks at once: the right kinds, numbers fit for JSON, and no more programs than laws."""

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from bayescale.cli.printed import as_text
from bayescale.comparison.evidence import Evidence
from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.inference import nuts
from bayescale.inference.samplers import NUTS
from bayescale.messages import DataError
from bayescale.misfit.misfit import Finding, Misfit
from bayescale.posterior.health import Health, Verdict
from bayescale.workflows import task as one_task
from bayescale.workflows import tasks as many
from bayescale.workflows.default_laws import ACCURACIES
from bayescale.workflows.tasks import QUICK, Tasks, tasks

X = np.geomspace(1e8, 1e12, 40)
CURVES = {
    "still": 0.25 + 0 * X,
    "rises": 0.25 + 0.6 / (1 + (X / 5e10) ** -2.0),
    "falls": 0.45 - 0.35 / (1 + (X / 1e10) ** -1.5),
}
CHEAP = NUTS(chains=1, warmup=100, draws=100, starts=4, retries=0)
"""Never sound: enough to count programs."""


def simulated(names=tuple(CURVES)):
    rng, size = np.random.default_rng(4), len(X)
    curve = np.repeat(np.array(names, object), size)
    p = np.concatenate([CURVES[name] for name in names])
    n = np.full(len(p), 500.0)
    y = rng.binomial(500, p) / n
    return Dataset({"x": np.tile(X, len(names))}, {"acc": y}, n=n, chance=0 * n + 0.25, curve=curve)


@pytest.fixture(scope="module")
def three():
    """Three tasks through three laws, with draws enough to be trusted at the first try."""
    once = NUTS(chains=2, warmup=300, draws=1000, retries=0)
    how = dict(noise="beta_binomial", sampler=once, seed=1, backtest=0.15)
    return tasks(simulated(), ("sigmoid", "flat", "inverse"), **how)


# ------------------------------------------------------------------ answers


def test_each_task_is_of_its_kind(three):
    assert list(three.rows) == list(CURVES)
    assert len(three) == 3
    kinds = {task.name: task.kind.likeliest for task in three}
    assert kinds == {"still": "flat", "rises": "emergent", "falls": "inverse"}
    for task in three:
        assert task.kind.probability > 0.8, task.name
        assert sum(task.mixture.weights.values()) == pytest.approx(1)
        assert set(task.comparison.posteriors) | set(task.failed) == set(three.laws)
    rises, still, falls = three["rises"], three["still"], three["falls"]
    assert rises.comparison.probability["sigmoid"] > 0.99
    assert rises.explanation.verdict == "one law of a rise alone was weighed, against no other"
    assert falls.comparison.probability["inverse"] > 0.99
    assert still.comparison.probability["flat"] > 0.3
    # Halfway between chance and 1 is .625, a factor of 1.3 above x50.
    unlock = rises.threshold.forecast
    assert unlock.median == pytest.approx(np.log10(5e10 * 1.29), abs=0.1)
    assert (unlock.p_never, unlock.p_already) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert falls.threshold.forecast.p_never > 0.99
    assert still.threshold.forecast.p_never > 0.5


def test_what_a_falling_task_passes_is_no_unlock(three):
    falls, rises = three["falls"], three["rises"]
    assert {task.threshold.direction for task in three} == {"up"}
    assert [task.lost for task in three] == [None] * 3  # all start below the level, .625
    found = one_task.task(
        "falls",
        falls.comparison.posteriors,
        falls.comparison.prior,
        {},
        level=0.3,
        horizon=None,
        misfit=0.0,
        seed=0,
        backtests=None,
    )
    assert found.threshold.direction == "up"
    assert found.threshold.forecast.p_never > 0.99
    # .45 - .35 s = .3 where s = 3/7, at 1e10 (3/4)^(1/1.5).
    assert found.lost.direction == "down"
    assert found.lost.forecast.median == pytest.approx(10 + np.log10(0.75) / 1.5, abs=0.1)
    page = repr(Tasks({"falls": found, "rises": rises}, three.laws, three.prior))
    assert "tasks that fall below their level" in page
    assert "stays below 0.3" in repr(found)
    assert "fall below" not in repr(three)
    above = one_task._lost(falls.mixture, falls.kind, 0.05, None)  # it stays above .1
    assert above.forecast.p_never > 0.9
    told = found.threshold.forecast
    high = replace(found.threshold, forecast=replace(told, p_already=1.0, median=-np.inf))
    shown = repr(Tasks({"falls": replace(found, threshold=high)}, three.laws, three.prior))
    assert "already" not in shown.partition("tasks that fall")[0]


def test_laws_of_a_rise_are_backtested_beside_their_weights(three):
    for task in three:
        passed = {"sigmoid"} - set(task.failed)
        assert set(task.explanation.backtest) == passed, task.name
    found = three["rises"].explanation.backtest["sigmoid"]
    assert (found.runs, found.cut) == (6, X[33])
    said = three.summary()["tasks"]["rises"]["explanation"]["backtest"]["sigmoid"]
    assert said["score"] == found.score
    Console(width=120, file=(page := StringIO())).print(as_text.tasks(three))
    assert f"1.00, {said['score']:.3g}" in page.getvalue()


def test_the_table_has_one_row_a_task(three):
    table = three.table()
    assert list(table.index) == list(CURVES)
    assert list(table["kind"]) == ["flat", "emergent", "inverse"]
    assert table.loc["rises", "log10_unlock"] == three["rises"].threshold.forecast.median
    assert "emergent" in repr(three)
    assert "<table" in three._repr_html_()


def test_the_summary_is_plain_numbers(three):
    said = json.loads(json.dumps(three.summary(), allow_nan=False))
    assert list(said["tasks"]) == list(CURVES)
    assert said["laws"] == ["sigmoid", "flat", "inverse"]
    for name, task in said["tasks"].items():
        keys = {"kind", "explanation", "threshold", "lost", "laws", "health"}
        assert keys == set(task), name
        assert {"log10", "p_never", "p_already"} <= set(task["threshold"]), name
        assert sum(task["kind"]["kinds"].values()) == pytest.approx(1)
        assert task["kind"]["likeliest"] == three[name].kind.likeliest
        assert task["health"]["sound"]
    assert said["tasks"]["falls"]["threshold"]["log10"]["median"] is None


def failing(posterior):
    """The same fit, not to be trusted."""
    bad = Verdict({}, {}, 2.0, 1.0, 0.0, (), Finding(("chains disagree",), ("Draw more.",)))
    return replace(posterior, health=Health((bad,)))


def again(three, monkeypatch, fits, **given):
    """`tasks` on fits that are there already."""
    monkeypatch.setattr(many, "_fits", lambda *args: fits)
    return tasks(simulated(), three.laws, **given)


def test_a_task_whose_every_fit_failed_says_so(three, monkeypatch):
    fits = {
        "bad": {law: failing(one) for law, one in three["still"].comparison.posteriors.items()},
        "good": dict(three["rises"].comparison.posteriors),
    }
    found = again(three, monkeypatch, fits)
    bad = found["bad"]
    assert bad.comparison is bad.mixture is bad.kind is bad.threshold is bad.explanation is None
    assert set(bad.failed) == set(fits["bad"])
    assert all("chains disagree" in why for why in bad.failed.values())
    said = json.loads(json.dumps(found.summary(), allow_nan=False))["tasks"]["bad"]
    assert said["kind"] is said["threshold"] is None
    assert not said["health"]["sound"]
    table = found.table()
    assert table.loc["bad", "kind"] == "not to be trusted"
    assert table.loc["good", "kind"] == "emergent"


def test_a_law_that_failed_is_left_out_of_its_task(three, monkeypatch):
    fits = dict(three["rises"].comparison.posteriors)
    fits["flat"] = failing(fits["flat"])
    found = again(three, monkeypatch, {"rises": fits})["rises"]
    assert list(found.failed) == ["flat"]
    assert "flat" not in found.mixture.weights
    assert found.kind.likeliest == "emergent"
    prior = found.comparison.prior
    assert sum(prior.values()) == pytest.approx(1)


def test_a_failed_law_that_is_better_and_of_another_kind_leaves_no_answer(three, monkeypatch):
    fits = dict(three["rises"].comparison.posteriors)
    fits["sigmoid"] = failing(fits["sigmoid"])
    found = again(three, monkeypatch, {"rises": fits})["rises"]
    assert found.kind is None, "flat and inverse alone would be sure that nothing rises"
    assert not found.summary()["health"]["sound"]


def diverging(posterior):
    """The same fit, its curve settled, with divergences."""
    (verdict,) = posterior.health.verdicts
    bad = replace(verdict, sampling=Finding(("0.30% of draws diverged",), ("Smaller steps.",)))
    return replace(posterior, health=Health((bad,)))


def test_a_settled_law_is_weighed_whatever_its_divergences(three, monkeypatch):
    fits = dict(three["rises"].comparison.posteriors)
    fits["sigmoid"] = diverging(fits["sigmoid"])
    found = again(three, monkeypatch, {"rises": fits})
    one = found["rises"]
    assert one.failed == {}
    assert one.diverging == ("sigmoid",)
    assert one.kind.likeliest == "emergent"
    assert one.sound
    assert "3 of 3, 1 diverging" in str(found)
    assert any("settled, with divergences" in note for note in one.notes)


def test_belief_lost_is_told_and_a_tenth_of_it_leaves_no_answer(three, monkeypatch):
    fits = dict(three["rises"].comparison.posteriors)
    best = max(three["rises"].comparison.log_evidence.values())
    lost = {}
    for behind in (0.5, 4.0):
        rough = dict.fromkeys(fits, Evidence(best, 0.01)) | {"flat": Evidence(best - behind, 0.5)}
        found = {id(one): rough[law] for law, one in fits.items()}
        monkeypatch.setattr(one_task, "log_evidence", lambda one, f=found, **how: f[id(one)])
        answer = again(three, monkeypatch, {"rises": fits})["rises"]
        assert "known to 0.5" in answer.failed["flat"]
        lost[behind] = answer.belief_lost
        assert (answer.kind is None) == (answer.belief_lost > 0.1)
    assert lost[4.0] < 0.1 < lost[0.5]


def test_data_that_contradict_what_weighs_most_are_told(three, monkeypatch):
    fits = dict(three["rises"].comparison.posteriors)
    (verdict,) = fits["sigmoid"].health.verdicts
    bad = replace(verdict, fit=Misfit(("the data have another shape than the law",)))
    fits["sigmoid"] = replace(fits["sigmoid"], health=Health((bad,)))
    found = again(three, monkeypatch, {"rises": fits})
    assert not found["rises"].sound
    assert found["rises"].kind.likeliest == "emergent", "what lies within the data is answered"
    assert found.summary()["health"]["failed"] == ["rises"]
    assert "NOT TO BE TRUSTED: rises: sigmoid: the data have another shape" in str(found)


@pytest.mark.parametrize(
    ("laws", "given", "says"),
    [
        ((), {}, "name at least one law"),
        (("sigmoid",), {"backtest": 1.0}, "held out .*lies between 0 and 1, got 1"),
        (("power",), {}, "tasks takes laws of accuracy in one scale.*power is none"),
        (("two_stage",), {}, "two_stage is none"),
        (("exact_match(tokens=True)",), {}, "is none"),
        (("sigmoyd",), {}, "did you mean 'sigmoid'"),
        (("sigmoid", "flat"), {"prior": {"sigmoid": 1.0}}, "prior is for sigmoid"),
        (("sigmoid", "flat"), {"prior": {"sigmoid": 0.0, "flat": 0.0}}, "not all 0"),
        (("sigmoid", "flat"), {"prior": {"sigmoid": -1.0, "flat": 2.0}}, "0 or more"),
        (ACCURACIES, {"level": 1.5}, "level .*between 0 and 1, got 1.5"),
        (ACCURACIES, {"level": "most"}, "'most'"),
        ("sigmoyd", {}, "did you mean 'sigmoid'"),
        (ACCURACIES, {"misfit": -1.0}, "misfit .*0 or more, got -1"),
        (ACCURACIES, {"misfit": np.nan}, "misfit .*0 or more, got nan"),
        (("from_loss",), {}, "of from_loss less is: misfit=0"),
        (ACCURACIES, {"horizon": 1e3}, "horizon .*at or beyond the largest run"),
        (ACCURACIES, {"horizon": np.inf}, "horizon .*got inf"),
        (("from_loss",), {"horizon": 1e20, "misfit": 0.0}, "horizon .*got 1e\\+20"),
        (ACCURACIES, {"noise": "bad"}, "unknown noise 'bad'"),
        (("sigmoid",), {"pool": "x50"}, "--group"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_before_sampling(laws, given, says, monkeypatch):
    monkeypatch.setattr(many, "_fits", lambda *args: pytest.fail("it began"))
    with pytest.raises(ValueError, match=says):
        tasks(simulated(), laws, **given)


def test_losses_are_no_tasks(power_data):
    with pytest.raises(DataError, match="is above 1"):
        tasks(power_data, ("sigmoid",), sampler=CHEAP)


# ------------------------------------------------------------------ compiled once


def test_many_open_tasks_take_one_program_a_law(data_dir, compilations):
    """Seven tasks, three laws, one length class: three programs of the sampler, then none."""
    frame = pd.read_csv(data_dir / "gadre_downstream.csv")
    frame = frame[frame.task.isin(sorted(set(frame.task))[::5])].groupby("task").head(len(X))
    columns = dict(x="flops", y="accuracy", n="n_examples", chance="chance", curve="task")
    data = from_frame(frame, **columns, input_names=("x",), duplicates="keep")
    laws = ("sigmoid", "flat", "inverse")
    before = nuts.advance.program()._cache_size()
    found = tasks(data, laws, noise="beta_binomial", sampler=CHEAP)
    assert len(found) == len(set(frame.task)) == 7
    assert nuts.advance.program()._cache_size() - before <= len(laws)
    compilations.clear()
    tasks(data, laws, noise="beta_binomial", sampler=CHEAP, seed=1)
    assert not [name for name in compilations if "advance" in name]


def test_running_failed_tasks_again_takes_no_new_program_of_the_sampler(compilations):
    data = simulated()
    laws = ("sigmoid", "flat", "inverse")
    tasks(data, laws, noise="beta_binomial", sampler=CHEAP)
    sampler = replace(CHEAP, retries=1)
    before = nuts.advance.program()._cache_size()
    assert len(tasks(data, laws, noise="beta_binomial", sampler=sampler)) == 3
    assert nuts.advance.program()._cache_size() == before
    compilations.clear()
    tasks(data, laws, noise="beta_binomial", sampler=sampler, seed=1)
    assert [name for name in compilations if "advance" in name] == []


def test_the_default_is_quick():
    assert QUICK.retries == 1
    assert QUICK.draws * QUICK.chains >= 2000


def test_a_failed_law_that_explains_clearly_more_leaves_no_answer(three, monkeypatch):
    fits = dict(three["rises"].comparison.posteriors)
    fits["sigmoid"] = failing(fits["sigmoid"])  # flat and inverse alone would be sure, and wrong
    found = again(three, monkeypatch, {"rises": fits})["rises"]
    assert found.kind is None
    assert set(found.failed) == {"sigmoid"}


def test_a_short_task_is_of_the_laws_that_it_has_rows_for():
    """Three rows are too few for four parameters, and no reason to refuse the other tasks."""
    data = simulated(("rises", "still"))
    few = data.take(np.flatnonzero((data.curve == "rises") | (np.arange(len(data)) % 13 == 0)))
    found = tasks(few, ("sigmoid", "flat"), noise="beta_binomial", sampler=CHEAP)
    assert sum(few.curve == "still") == 3
    assert found["still"].failed["sigmoid"] == "3 rows for its 4 parameters"
    assert "sigmoid" not in found["rises"].failed or "rows" not in found["rises"].failed["sigmoid"]
    with pytest.raises(DataError, match=r"curve 'still' has 3 rows, the law .* 4 free parameters"):
        tasks(few, ("sigmoid", "inverse"), noise="beta_binomial", sampler=CHEAP)
