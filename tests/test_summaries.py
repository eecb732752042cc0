"""Every result: a summary that is JSON with documented keys, and tables made of it."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayescale.cli.printed import as_json
from bayescale.cli.saved import Saved, ask
from bayescale.comparison.compare import LawComparison
from bayescale.comparison.evidence import Evidence
from bayescale.comparison.explain import Confusion, Explanation
from bayescale.comparison.predictive import Backtest
from bayescale.comparison.ranks import MASSES, Calibrated
from bayescale.data.dataset import Dataset
from bayescale.laws import chinchilla, flat, sigmoid
from bayescale.messages import Note
from bayescale.misfit.misfit import Finding
from bayescale.model.model import Model
from bayescale.noises.accuracy import beta_binomial
from bayescale.noises.loss import student
from bayescale.planning.allocate import allocate
from bayescale.planning.compare_runs import compare_runs
from bayescale.planning.isoflop import IsoFlop
from bayescale.planning.match import match
from bayescale.planning.next_runs import next_runs
from bayescale.planning.parabola import Optimum
from bayescale.posterior.display import Sheet, Shown, as_html, as_text
from bayescale.posterior.groups import group_shift
from bayescale.posterior.health import Health, Verdict
from bayescale.posterior.mixture import mix
from bayescale.posterior.posterior import Posterior, SamplingInfo
from bayescale.questions.conditions import Change, Conditions
from bayescale.questions.kind import kind
from bayescale.questions.kinds import KINDS
from bayescale.questions.predict import predict
from bayescale.questions.relate import Relation
from bayescale.questions.residuals import Residuals
from bayescale.questions.sensitivity import WAYS, Sensitive, Sensitivity
from bayescale.questions.threshold import threshold
from bayescale.recipes.answer import Reached
from bayescale.recipes.multiplier import Multiplier
from bayescale.workflows.calibrate import Calibration
from bayescale.workflows.forecast import Forecast
from bayescale.workflows.futures import Futures, scores
from bayescale.workflows.metric_or_model import MetricOrModel
from bayescale.workflows.register import Scored
from bayescale.workflows.task import Task
from bayescale.workflows.tasks import Tasks
from tests.documented import RECORDS, SEEN, kept

DRAWS = 40
RUN = SamplingInfo(0, "NUTS", 1, DRAWS, "float64", "cpu", {}, {}, float("nan"))
SOUND = Verdict({}, {}, 1.0, 999.0, 0.0)
FAILED = replace(SOUND, sampling=Finding(("chains <disagree>",), ("Draw more.",)))

ASKED = ("threshold", "kind", "sensitivity", "calibration")
ASKED += ("laws", "explanation", "relation", "conditions")
NOTES = (Note("test", "a note"),)
RUNS = {"N": [1e8, 1e9, 1e11], "D": [1e9, 1e11, 1e10]}
FLOPS = (1e19, 1e21)
DATED = "exp(years(released) - 2020)"


def spread(middle, width=0.1, seed=0):
    """Draws (chain, draw) about a middle, on the log."""
    return middle * np.exp(width * np.random.default_rng(seed).normal(size=(1, DRAWS)))


def accuracies(law=sigmoid, verdict=SOUND, pool=(), curves=0):
    x = np.geomspace(1e8, 1e11, 8)
    data = Dataset(
        {"x": x},
        {"y": np.full(8, 0.5)},
        n=np.full(8, 100.0),
        columns={"x": "params"},
        group=np.array(["a", "b"] * 4) if pool else None,
        curve=np.array(["one", "two"] * 4) if curves else None,
    )
    draws = {"g": spread(0.1), "u": spread(0.9, 0.01), "x50": spread(1e10), "k": spread(1.5)}
    draws = {name: values for name, values in draws.items() if name in law.parameters}
    draws["rho"] = spread(0.01)
    if pool:
        draws |= {"x50_sd": spread(1.0), "x50_shift": spread(1.0)[..., None] * np.array([1, -1])}
    if curves:
        draws = {name: np.stack([values] * 2) for name, values in draws.items()}
    model = Model(law, beta_binomial, pool=pool, groups=2 if pool else 0)
    return Posterior(model, data, draws, {}, Health((verdict,) * max(curves, 1)), RUN)


def losses():
    N, D = np.geomspace(1e8, 1e10, 8), np.geomspace(1e11, 1e9, 8)
    data = Dataset({"N": N, "D": D}, {"loss": np.full(8, 2.5)}, source="runs")
    usual = dict(E=1.8, A=480.0, B=2000.0, alpha=0.35, beta=0.37, sigma=0.01, nu=5.0)
    draws = {name: spread(value, 0.01, i) for i, (name, value) in enumerate(usual.items())}
    return Posterior(Model(chinchilla, student), data, draws, {}, Health((SOUND,)), RUN)


def compared(parts):
    each = dict.fromkeys(parts, 0.5)
    return LawComparison(parts, *[each] * 4, dict.fromkeys(parts, 1), *[each] * 5)


def left_out():
    drawn = np.exp(np.random.default_rng(0).normal(size=(DRAWS, 4)))
    frame = pd.DataFrame(scores(drawn, np.ones(4), True))
    reach = pd.Categorical(["to 2", "to 2", "to 10", "to 10"])
    return frame.assign(curve=["a", "b", "a", "a"], cut=0.5, distance=3.0, reach=reach, seen=1.0)


def budgets(law=None):
    drawn = spread(1.0)[0]
    each = [
        Optimum(C, 7, C / 6, np.log(C) / 2 + drawn, drawn, 0.2 * i) for i, C in enumerate(FLOPS)
    ]
    own = None if law is None else spread(1e9)[0][:, None] * np.ones(2)
    return IsoFlop(tuple(each), 0.5 * drawn, drawn, 0.1 * drawn, "6 N D", law, own, (), NOTES)


def measured():
    run = dict(flops=1e21, seen=2.6, median=2.59, lo=2.5, hi=2.7, error=-0.004, level=0.55)
    return pd.DataFrame([run | dict(inside50=True, inside80=True, inside90=True, crps=0.01)])


def built():
    """Return (result, record of the page) by name."""
    rises, plain, loss = accuracies(), accuracies(flat), losses()
    pooled = accuracies(pool=("x50",))
    parts = {"sigmoid": rises, "flat": plain}
    both = mix(parts, {"sigmoid": 0.6, "flat": 0.4}, prior={"sigmoid": 0.5, "flat": 0.5})
    tested = Backtest(-1.5, 0.1, 0.75, 4, 1e10, True)
    confusion = Confusion(("sigmoid", "flat"), np.diag([4, 5]), np.zeros((2, 2), int))
    weights = {"sigmoid": 0.7, "elbow": 0.3}
    said = {"sigmoid": "a <smooth> threshold", "elbow": "an abrupt onset"}
    why = Explanation(
        weights,
        {"sigmoid": 0.0, "elbow": -1.0},
        said,
        {"sigmoid": tested},
        confusion,
        NOTES,
    )
    laws = compared(parts)
    kinds = {name: kind(rises) for name in ("few-shot", "zero-shot")}
    when = {name: threshold(rises) for name in kinds}
    joint = np.zeros((len(KINDS),) * 2)
    joint[1, 2] = joint[2, 2] = 0.5
    shift = group_shift(pooled, "a", "b")
    late = np.where(np.arange(DRAWS) < 30, 0.5, np.inf)
    weighed = np.full(DRAWS, 1 / DRAWS)
    change = Change("few-shot", "zero-shot", joint, {"sigmoid": {"x50": shift}}, late, weighed)
    conditions = Conditions("zero-shot", kinds, when, {"few-shot": change}, joint, NOTES)
    answered = Task(
        "rises <1>",
        laws,
        both,
        kind(both),
        threshold(both),
        why,
        {"elbow": "R-hat"},
        0.01,
        threshold(both, direction="down"),
    )
    lost = Task("lost", None, None, None, None, None, {"sigmoid": "R-hat 1.4"}, 1.0)
    rows = {each.name: each for each in (answered, lost)}
    hypotheses = dict.fromkeys(("metric", "model", "neither"), 1 / 3)
    jumps = dict.fromkeys(("two_stage", "breakthrough", "apart"), -np.inf)
    draws = spread(0.5).ravel()
    ends = {"median": 1.8, "lo": 1.7, "hi": 1.9}
    own = Sensitive(ends, 0.2, 0.01, 0.8, np.nan, dict.fromkeys(WAYS, ends))
    far = replace(own, part=0.1, at={"params": 1e13}, through="E")
    hanging = Sensitivity({"E": own, "loss at params=1e13": far}, dict.fromkeys(WAYS, 0.3), NOTES)
    held = dict.fromkeys(MASSES, np.arange(20) > 3)
    ranked = Calibrated(np.arange(20) * 5, 99, held)
    low = Calibrated(np.zeros(20, int), 99, held, {"params": 1e13})
    refitted = Calibration({"E": ranked, "loss at params=1e13": low}, 20, (3,), NOTES)
    residual = np.array([0.1, np.nan, -0.2])
    left = Residuals(
        {"x": np.array([1e8, 1e9, 7e10])},
        np.array(["a", "a", "b"]),
        np.arange(1, 4),
        np.full(3, 2.0),
        residual,
        np.full(3, -0.15),
        np.full(3, 0.15),
        True,
    )
    turning = replace(
        kind(rises),
        codes=np.full(DRAWS, KINDS.index("u_shaped")),
        turning=np.full(DRAWS, 9.0),
        depth=np.full(DRAWS, 0.2),
    )
    reached = mix({"early": rises, "never": plain})
    shares = {name: np.full(1, 1 / 3) for name in ("noise", "parameters", "misfit")}
    told = Forecast(predict(both, {"x": 7e10}), {None: both}, shares, NOTES)
    of_curves = Forecast(
        predict(accuracies(curves=2), {"x": 7e10}),
        {"one": both, "two": both},
        {name: np.full((2, 1), 1 / 3) for name in shares},
        NOTES,
    )
    times = np.array([[1.2, np.inf], [1.4, 0.9]] * (DRAWS // 2))
    factor = Multiplier(
        "A <1>",
        "flops",
        np.array([1e20, 1e22]),
        {"B": times, "C": times},
        {"B": (1e22, times[:, 1]), "C": (None, times[:, 0])},
        {"B": 0.4, "C": 0.5},
        {"B": times[:, 1] * 1e20, "C": np.full(DRAWS, np.inf)},
        np.array([1e19, 1e22]),
        {"B": times, "C": times},
        {"A <1>": times, "B": times, "C": times},
        np.full(DRAWS, 0.01),
        np.full(DRAWS, 0.5),
        6,
        both,
        NOTES,
        "accuracy",
        {"C": (Reached(0.5, times[:, 1], times[:, 0], times[:, 1] / times[:, 0]),)},
    )
    return {
        "one curve": (rises, "Document"),
        "not to be trusted": (accuracies(verdict=FAILED), "Document"),
        "pooled": (pooled, "Document"),
        "curves": (accuracies(curves=2), "Document"),
        "mixture": (both, "Document"),
        "prediction": (predict(rises, {"x": [1e9, 7e12]}), "Prediction"),
        "prediction by date": (
            replace(predict(rises, {"x": [1e9, 7e12]}), columns={"x": DATED}),
            "Prediction",
        ),
        "of curves": (predict(accuracies(curves=2), {"x": 7e10}), "Prediction"),
        "of laws": (predict(both, {"x": 7e10}), "Prediction"),
        "allocation": (allocate(loss, [5.76e23, 1e21]), "Allocation"),
        "match": (match(loss, N=280e9, D=300e9), "TradeOff"),
        "loss": (match(loss, loss=2.5), "TradeOff"),
        "runs": (compare_runs(loss, (7e10, 1.4e12), (280e9, 300e9)), "RunComparison"),
        "next": (next_runs(loss, RUNS, target="N=1e11,D=1e10", budget=1e23), "NextRuns"),
        "next of laws": (next_runs(both, {"x": [1e10, 1e12]}, target="law", cost="x"), "NextRuns"),
        "multiplier": (factor, "Multiplier"),
        "isoflop": (budgets(), "IsoFlop"),
        "isoflop beside a law": (budgets("chinchilla"), "IsoFlop"),
        "threshold": (threshold(rises), "Threshold"),
        "threshold by date": (replace(threshold(rises), column=DATED), "Threshold"),
        "threshold of laws": (threshold(reached), "Threshold"),
        "threshold by belief": (threshold(replace(both, belief=True)), "Threshold"),
        "unlock": (threshold(rises).forecast, "Unlock"),
        "kind": (kind(both), "Kind"),
        "kind that turns": (turning, "Kind"),
        "shift": (shift, "Shift"),
        "change": (change, "Change"),
        "conditions": (conditions, "Conditions"),
        "relation": (
            Relation(draws, draws, ((0.1, 0.2, 0.3, 0.4, 0.5),), 0.3, 9, NOTES),
            "Relation",
        ),
        "sensitivity": (hanging, "Sensitivity"),
        "calibration": (refitted, "Calibration"),
        "residuals": (left, "Residuals"),
        "residuals by date": (
            replace(left, columns=dict.fromkeys(left.inputs, DATED)),
            "Residuals",
        ),
        "forecast": (told, "Forecast"),
        "forecast of curves": (of_curves, "Forecast"),
        "futures": (Futures(left_out(), NOTES), "Futures"),
        "scored": (Scored(measured(), 1, {"made": "now", "version": "1", "table": {}}), "Scored"),
        "laws": (laws, "{Compared}"),
        "explanation": (why, "Explanation"),
        "backtest": (tested, "Backtest"),
        "confusion": (confusion, "Confusion"),
        "evidence": (Evidence(-np.inf, np.inf), "Evidence"),
        "task": (answered, "Task"),
        "tasks": (Tasks(rows, ("sigmoid", "flat"), {"sigmoid": 0.5, "flat": 0.5}), "Tasks"),
        "metric or model": (
            MetricOrModel(hypotheses, hypotheses, jumps, jumps, jumps, parts, hypotheses, NOTES),
            "MetricOrModel",
        ),
    }


@pytest.fixture(scope="module")
def results():
    return built()


def test_summaries_are_json_with_the_keys_of_the_page_and_all_of_them(results):
    for result, form in results.values():
        kept(result.summary(), form)
    # What only the command line puts together.
    which = Saved({"chinchilla": results["pooled"][0]})
    answers = {None: {name: results[name][0] for name in ASKED}}
    answers[None] |= {
        "predictions": results["prediction"][0],
        "allocation": results["allocation"][0],
    }
    answers[None] |= {"tradeoff": results["match"][0], "comparison": results["runs"][0]}
    answers[None] |= {"next": results["next"][0]}
    kept(as_json.answers(which, answers), "Document")
    which = Saved({"sigmoid": accuracies(curves=2, verdict=FAILED)})
    refused = ask(which, lambda one: {"threshold": threshold(one)})
    document = kept(as_json.answers(which, refused), "Document")
    assert "not to be trusted" in document["curves"]["one"]["refused"]
    asked = {"one": {name: results[name][0] for name in ASKED}}
    asked["one"] |= {"predictions": results["prediction"][0], "next": results["next of laws"][0]}
    kept(as_json.answers(Saved({"pooled": accuracies(curves=2)}), asked), "Document")
    kept({"refused": "no", "groups": {}}, "Curve")
    kept({**results["not to be trusted"][0].summary(), "refused": "no"}, "Document")
    documented = {(name, key) for name, keys in RECORDS.items() for key in keys}
    # Seen in tests/cli, tests/recipes and tests/planning.
    elsewhere = {("Tasks", "sampling"), ("Multiplier", "next"), ("NextRun", "recipe")}
    never = documented - SEEN - elsewhere
    assert not never


def test_results_show_themselves_readably(results):
    for name, (result, _) in results.items():
        if not isinstance(result, Shown):
            continue
        text, page = repr(result), result._repr_html_()
        assert max(map(len, text.splitlines())) <= 100, name
        tables = text.partition("note:")[0]
        assert not re.search(r"\de[+]\d|nan|None|\[", tables), (name, tables)
        assert page.count("<table") == len(result.sheets()), name
        assert not re.search(r"<(smooth|disagree|1)>", page), name
        for sheet in result.sheets():
            for row in sheet.rows:
                assert len(row) == len(sheet.columns), name


def test_what_is_shown_is_what_the_summary_says(results):
    plan = repr(results["allocation"][0])
    for word in ("5.76e23 FLOP", "parameters N", "about the training compute"):
        assert word in plan
    assert "70B  1.4T" in re.sub(r"N |D ", "", repr(results["runs"][0]))
    when = results["threshold of laws"][0].summary()
    assert when["log10"]["median"] is not None or "never" in repr(results["threshold of laws"][0])
    assert "never" in repr(results["threshold of laws"][0])
    assert "NOT TO BE TRUSTED" in repr(results["not to be trusted"][0])
    assert "chains &lt;disagree&gt;" in results["not to be trusted"][0]._repr_html_()
    assert "NOT TRUSTED" in repr(results["tasks"][0])
    assert "x50 of each group beside the average one, in decades" in repr(results["pooled"][0])


def test_a_forecast_of_draws_past_the_level_says_already():
    one = accuracies()
    high = replace(one, draws=dict(one.draws) | {"g": spread(0.8, 0.001)})
    assert "already .. already" in repr(threshold(high))


def test_a_table_that_is_too_wide_is_cut_with_the_names_in_both_halves():
    rows = [["a long name of a row", "1", "2", "3 .. 4"], ["b", "5", "6", "7 .. 8"]]
    sheet = Sheet(("", "first column", "second column", "90 % interval"), rows, "what it is")
    wide, narrow = as_text(sheet, 80), as_text(sheet, 50)
    assert wide.count("a long name of a row") == 1
    assert narrow.count("a long name of a row") == 2
    for width in (40, 50, 60):
        assert max(map(len, as_text(sheet, width).splitlines())) <= width
    second = narrow.split("\n\n")[1]
    assert "second column  90 % interval" in second  # an interval stays beside what it is of


def test_rows_that_are_left_out_are_counted():
    sheet = Sheet(("", "n"), [[f"row {i}", str(i)] for i in range(9)])
    assert "... and 4 rows more" in as_text(sheet, 80, most=5)
    assert "... and 4 rows more" in as_html(sheet, most=5)
    assert "row 8" in as_text(sheet, 80)


def test_a_table_of_quantities_is_raw_numbers(results):
    found = results["pooled"][0].table()
    assert list(found.columns[:3]) == ["median", "lo", "hi"]
    median = results["pooled"][0].summary()["quantities"]["x50"]["median"]
    assert found.loc["x50", "median"] == median
