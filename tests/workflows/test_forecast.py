"""Forecasts without a law to choose: what they say, how they fare, and how they are kept."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.cli.commands import main
from bayescale.data.accuracies import kind_of
from bayescale.data.accuracies import remarks as accuracy_notes
from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.inference.samplers import NUTS
from bayescale.messages import DataError
from bayescale.posterior.bends import MISFIT
from bayescale.posterior.files import StorageError
from bayescale.workflows.default_laws import ACCURACIES, held, laws_of, usual_law
from bayescale.workflows.fared import fared, past_hundred
from bayescale.workflows.forecast import variance_shares
from bayescale.workflows.futures import scores

QUICK = NUTS(chains=2, warmup=300, draws=300, retries=0)
HOW = dict(sampler=QUICK, progress=False)
X = np.geomspace(1e8, 1e11, 16)
BUDGETS = np.array([1e18, 3e18, 1e19, 3e19, 1e20, 3e20])
LOSSES = np.array([3.522, 3.339, 3.154, 3.0, 2.848, 2.7242])
"""Macro losses of Marin's six budgets; measured later: 2.599 at 1e21 and 2.234 at 1e23."""


def two_curves():
    rng = np.random.default_rng(5)
    y = np.concatenate([1.8 + 150 * X**-0.25, 2.2 + 90 * X**-0.2])
    y *= np.exp(0.004 * rng.normal(size=len(y)))
    curve = np.repeat(np.array(["a", "b"], object), len(X))
    return Dataset({"x": np.tile(X, 2)}, {"y": y}, curve=curve)


@pytest.fixture(scope="module")
def told():
    return bs.forecast(two_curves(), {"x": [1e12, 1e13]}, **HOW)


@pytest.fixture(scope="module")
def marin():
    frame = pd.DataFrame({"budget": BUDGETS, "macro_loss": LOSSES})
    return bs.forecast(frame, {"budget": [1e21, 1e23]}, y="macro_loss", **HOW)


# ------------------------------------------------------------------ what it says


def test_settled_public_forecast_is_inside(marin):
    lo, median, hi = marin.quantiles("new")
    assert (lo < [2.599, 2.234]).all()
    assert (hi > [2.599, 2.234]).all()
    np.testing.assert_allclose(median, [2.599, 2.234], rtol=0.015)
    assert (hi - lo)[1] > 3 * (hi - lo)[0]
    assert set(marin.weights[None]) <= {"power", "power(floor=False)"}


def test_curves_of_a_law_are_forecast_by_it(told):
    truth = np.array([1.8 + 150 * 1e13**-0.25, 2.2 + 90 * 1e13**-0.2])
    lo, median, hi = told.quantiles("mean")[..., 1]
    assert told.curves == ("a", "b")
    assert (lo < truth).all()
    assert (truth < hi).all()
    np.testing.assert_allclose(median, truth, rtol=0.1)


def test_width_is_made_of_its_parts(told):
    total = sum(told.shares.values())
    np.testing.assert_allclose(total, 1.0)
    assert all((part >= 0).all() for part in told.shares.values())
    assert (told.shares["noise"][:, 0] > told.shares["noise"][:, 1]).all()
    within = bs.forecast(two_curves(), {"x": [1e10]}, **HOW)
    assert (within.shares["misfit"] == 0).all()


def test_width_of_draws_without_end_is_shared_out_all_the_same(marin):
    """Heavy tails reach 0 and infinity."""
    far = replace(marin.prediction, new=marin.prediction.new.copy())
    far.new[:2] = [[0.0], [np.inf]]
    shares = variance_shares(marin.mixtures[None], far)
    np.testing.assert_allclose(sum(shares.values()), 1.0)


def test_accuracies_bend_beyond_the_data_unless_told_otherwise(make_table):
    few = NUTS(chains=2, warmup=200, draws=200, retries=0)
    at, how = {"x": [1e11, 1e13, 1e15]}, dict(laws=("flat",), sampler=few, progress=False)
    nearly, plain = (
        bs.forecast(make_table["flat"](30), at, misfit=m, **how) for m in (True, False)
    )
    part = nearly.mixtures[None].parts["flat"]
    assert part.bends.sd == MISFIT
    share = nearly.shares["misfit"]
    assert share[0] == 0 < share[1] < share[2]
    np.testing.assert_allclose(sum(nearly.shares.values()), 1.0)
    (lo, _, hi), (low, _, high) = (each.quantiles("mean") for each in (nearly, plain))
    assert (plain.shares["misfit"] == 0).all()
    assert hi[0] == high[0]
    assert (hi[1:] > high[1:] + 0.02).all()
    np.testing.assert_allclose(lo, low, atol=0.02)  # nothing is lost by it
    assert any(note.kind == "misfit" for note in nearly.notes)


def test_checkpoints_are_forecast_with_the_misfit_of_the_law():
    """Runs that all bend away from the law alike: that is the law's misfit, and may go on."""
    rng = np.random.default_rng(8)
    x, run = np.tile(X[4:], 4), np.repeat(np.array([*"abcd"], object), 12)
    y = 150 * x**-0.25 * np.exp(0.02 * np.log(x / X[-1]) ** 2 + np.repeat([0.01, -0.01, 0, 0], 12))
    data = Dataset({"x": x}, {"y": y * np.exp(0.002 * rng.normal(size=len(y)))}, run=run)
    law, at = ["power(floor=False)"], {"x": X[-1] * 10}
    nearly, at_word = (
        bs.forecast(data, at, laws=law, misfit=misfit, **HOW) for misfit in (True, False)
    )
    (lo, _, hi), (low, _, high) = (one.quantiles("new")[:, 0] for one in (nearly, at_word))
    assert hi - lo > 1.3 * (high - low)
    assert nearly.shares["misfit"][0] > 0.1
    assert not any(note.kind == "misfit" for note in nearly.notes)
    ((_, _, one),) = nearly.mixtures[None].members
    assert one.model.runs is not None


def test_a_training_curve_is_one_run_whether_it_is_said_or_not(told):
    """Its own level would be forgotten beyond the data, and a forecast next to them be wide."""
    data = two_curves()
    said = bs.forecast(replace(data, run=data.curve), {"x": [1e12, 1e13]}, **HOW)
    np.testing.assert_array_equal(said.quantiles("new"), told.quantiles("new"))
    assert [note.kind for note in said.notes].count("runs") == 1


def test_summary_is_plain_and_names_laws(told, marin):
    whole = json.loads(json.dumps(marin.summary()))
    assert len(whole["points"]) == 2
    assert set(whole["points"][0]["shares"]) == set(told.shares)
    assert sum(law["weight"] for law in whole["laws"].values()) == pytest.approx(1)
    assert [*json.loads(json.dumps(told.summary()))["curves"]] == ["a", "b"]
    assert marin.table().shape[0] == 2
    assert "share_misfit" in marin.table()
    assert str(marin).count("1e21") >= 2


def test_answer_says_how_such_forecasts_fared(marin):
    (said,) = (note for note in marin.notes if note.kind == "fared")
    assert "more than 100 times" in said  # 1e23 is 333 times beyond
    assert [note.kind for note in fared(2.0)] == ["fared"]
    assert "up to 2 times the largest scale" in fared(2.0)[0]
    assert "up to 30 times the largest N D" in fared(11.0, several=True)[0]
    assert "none of the real surfaces" in fared(1000.0, several=True)[0]
    assert fared(1.0) == []


def test_misfit_is_saved_with_a_fit(marin, tmp_path):
    part = next(iter(marin.mixtures[None].parts.values()))
    bs.save(part, tmp_path / "fit.nc")
    again = bs.load(tmp_path / "fit.nc")
    np.testing.assert_array_equal(again.draws["bends"], part.draws["bends"])
    at = {"x": 1e23}
    np.testing.assert_array_equal(
        bs.predict(again, at, allow_failed=True).mean, bs.predict(part, at, allow_failed=True).mean
    )


def test_scores_told_beyond_100_say_so(marin):
    """Of percent it would be a wrong answer that looks right."""
    data = from_frame({"x": X, "mmlu": np.linspace(25, 70, len(X))}, "x", "mmlu")
    new = np.linspace(40, 130, 200)[:, None]
    told = replace(marin.prediction, new=new, mean=new, decades=np.zeros(1), curves=())
    (note,) = past_hundred(data, told)
    assert "told up to 1" in note
    assert "(-y 'mmlu/100')" in note
    assert not past_hundred(data, replace(told, new=new / 2))
    assert not past_hundred(from_frame({"x": X, "elo": 10 * new[:16, 0]}, "x", "elo"), told)


# ------------------------------------------------------------------ which laws


def test_few_rows_are_told_by_few_shapes():
    def kept(rows):
        return held(ACCURACIES, Dataset({"x": X[:rows]}, {"y": np.linspace(0.2, 0.6, rows)}))

    names, (short, alike) = kept(5)
    assert names == ("sigmoid", "exact_match", "flat", "inverse")
    assert "fewer than the parameters of distractor" in short
    assert "sigmoid, exact_match stand for multi_step, elbow too" in alike
    assert kept(7) == (ACCURACIES, ())
    assert kept(6)[0] == ("sigmoid", "exact_match", "flat", "distractor", "inverse", "inverted_u")
    nothing = Dataset({"x": X[:5]}, {"y": np.zeros(5)})
    assert held(ACCURACIES, nothing)[0] == names  # as `tasks` has them, whose prior is stated
    assert "name their number (-n COLUMN)" in str(accuracy_notes(nothing))
    losses = Dataset({"x": X[:3]}, {"y": np.array([3.0, 2.8, 2.7])})
    assert held(("power", "power(floor=False)"), losses) == (("power", "power(floor=False)"), ())


def test_table_says_which_kind():
    rising = np.linspace(0.2, 0.8, len(X))
    assert kind_of(Dataset({"x": X}, {"y": rising})) == "accuracy"
    assert kind_of(Dataset({"x": X}, {"y": rising[::-1]})) == "loss"
    assert kind_of(Dataset({"x": X}, {"y": rising * 3})) == "loss"
    counted = Dataset({"x": X}, {"y": rising[::-1].round(2)}, n=np.full(len(X), 100.0))
    assert kind_of(counted) == "accuracy"
    assert "sigmoid" in laws_of(counted)
    assert laws_of(Dataset({"N": X, "D": X[::-1]}, {"y": 3 - rising})) == ("chinchilla",)
    # Losses in bits a character, below 1: larger models had fewer tokens, and are no better.
    size = {"N": np.array([1e7, 1e8, 2e8, 4e8]), "D": np.array([1e12, 1e9, 4e8, 1e8])}
    assert laws_of(Dataset(size, {"y": np.array([0.5, 0.9, 0.91, 0.92])})) == ("chinchilla",)


def test_what_grows_is_no_loss():
    grown = Dataset({"x": X}, {"y": 8.4 - 7.2 * (X / X[0]) ** -0.14})
    assert laws_of(grown)[0] == "power(rising=True)"
    turned = Dataset({"x": X[:5]}, {"y": np.array([2.9, 2.5, 2.2, 1.7, 2.4])})
    assert laws_of(turned)[0] == "power"


def test_kind_is_told_curve_by_curve():
    falls = np.linspace(0.5, 0.4, 8)
    later = Dataset(
        {"x": np.r_[X[:8], X[8:]]},
        {"y": np.r_[falls, falls + 0.3]},
        curve=np.repeat(np.array(["a", "b"], object), 8),
    )
    assert kind_of(later) == "loss"


def test_scales_without_a_law_are_refused():
    with pytest.raises(DataError, match="no law of loss is forecast"):
        laws_of(Dataset({"lr": X, "batch": X[::-1]}, {"y": 3 + 0 * X}))
    with pytest.raises(ValueError, match="are of a data frame"):
        bs.forecast(two_curves(), {"x": 1e12}, y="y")


# ------------------------------------------------------------------ its own past


def test_backtest_scores_what_was_left_out():
    fared = bs.backtest_forecast(two_curves(), [0.1], **HOW)
    runs = fared.runs
    assert set(runs.curve) == {"a", "b"}
    assert (runs.distance > 1).all()
    assert len(runs) == 2 * (0.1 * X.max() < X).sum()
    assert runs.inside90.mean() >= 0.7
    told = json.loads(json.dumps(fared.summary()))
    assert told["by_cut"][0]["curves"] == 2
    assert told["by_cut"][0]["runs"] == len(runs)
    np.testing.assert_allclose(told["by_cut"][0]["rmse"], _rms(runs), rtol=1e-9)


def _rms(runs):
    return np.sqrt(np.mean([np.mean(own.error**2) for _, own in runs.groupby("curve")]))


@pytest.mark.parametrize("cuts", [[], [1.5], [0.0]])
def test_cuts_are_shares(cuts):
    with pytest.raises(ValueError, match="shares between 0 and 1"):
        bs.backtest_forecast(two_curves(), cuts)


def test_too_short_a_table_has_no_past():
    short = Dataset({"x": X[:6]}, {"y": 3 - 0.1 * np.arange(6)})
    with pytest.raises(DataError, match="no curve with 5 scales below a cut"):
        bs.backtest_forecast(short, [0.01])


@pytest.mark.parametrize("rows", [2, 3])
def test_tables_of_two_and_three_rows_are_forecast(rows):
    x = np.geomspace(1e18, 1e20, rows)
    data = from_frame({"flops": x, "loss": 1.8 + 8 * (x / 1e15) ** -0.15}, "flops", "loss")
    told = bs.forecast(data, {"flops": 1e21}, **HOW)
    lo, _, hi = told.quantiles()[:, 0]
    assert lo < 2.807 < hi
    assert [*told.weights[None]] == ["power", "power(floor=False)"][rows == 2 :]
    left = "2 rows are fewer than the parameters of power (3): left out"
    assert (left in told.notes) == (rows == 2)


# ------------------------------------------------------------------ written down


def test_registered_forecast_is_scored_once_measured(marin, tmp_path):
    path = tmp_path / "runs.forecast.json"
    bs.register(marin, path)
    with pytest.raises(StorageError, match="stays as it is"):
        bs.register(marin, path)
    later = pd.DataFrame({"budget": [1e21, 1e22], "macro_loss": [2.599, 2.4]})
    came = bs.score(path, later)
    assert came.open == 1
    assert len(came.runs) == 1
    assert bs.score(path, later[:1]).summary()["elsewhere"] == []
    assert came.summary()["elsewhere"] == [2]
    assert came.notes[0] == "1 point is not measured yet"
    assert "row 2 at budget=1e+22, the nearest forecast at budget=1e+23" in came.notes[1]
    (run,) = came.runs.to_dict("records")
    assert run["inside90"]
    assert 0 < run["level"] < 1
    assert run["budget"] == 1e21
    assert run["error"] == pytest.approx(np.log(run["median"] / 2.599))
    far = bs.score(path, later.assign(macro_loss=3.0)).runs.iloc[0]
    assert not far.inside90
    assert far.level == 1
    assert far.crps > run["crps"]
    record = json.loads(path.read_text())
    assert record["version"] == bs.__version__
    assert len(record["table"]["sha256"]) == 64


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:100],
        lambda text: text.replace('"format": 1', '"format": 2'),
        lambda text: text.replace('"0.5"', '"0.6"'),
        lambda text: "[1, 2]",
        lambda text: "[" * 100_000,
    ],
)
def test_damaged_register_is_one_line(marin, tmp_path, damage):
    path = tmp_path / "one.forecast.json"
    bs.register(marin, path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(StorageError, match="is no registered forecast") as error:
        bs.score(path, pd.DataFrame({"budget": [1e21], "macro_loss": [2.6]}))
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------ on the command line


def test_command_line_forecasts_registers_and_scores(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"budget": BUDGETS, "loss": LOSSES}).to_csv("runs.csv", index=False)
    asked = ["forecast", "runs.csv", "-x", "budget", "-y", "loss", "--at", "budget=1e21"]
    few = ["--chains", "2", "--draws", "300", "--warmup", "300"]
    main([*asked, *few, "-o", "f.forecast.json", "--plot", "f.png", "--json"])
    whole = json.loads(capsys.readouterr().out)
    assert whole["points"][0]["new"]["lo"] < 2.599 < whole["points"][0]["new"]["hi"]
    assert (tmp_path / "f.png").stat().st_size > 10_000
    pd.DataFrame({"budget": [1e21], "loss": [2.599]}).to_csv("later.csv", index=False)
    assert main(["score", "f.forecast.json", "later.csv", "-x", "budget", "-y", "loss"]) == 0
    assert "yes" in capsys.readouterr().out


def test_a_fit_is_forecast_by_its_runs(power_fit, truth, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no value for x"):
        bs.forecast(power_fit, {})
    with pytest.raises(ValueError, match="a Dataset has them already"):
        bs.forecast(power_fit, {"x": 1e12}, x="x", y="y")
    assert "leaves the law open" in str(bs.predict(power_fit, {"x": 1e15}).notes)
    bs.save(power_fit, "fit.nc")
    assert main(["forecast", "fit.nc", "-x", "x", "--at", "x=1e12"]) == 2
    assert "its rows and columns are known" in capsys.readouterr().err
    few = ["--chains", "2", "--draws", "300", "--warmup", "300", "--json"]
    main(["forecast", "fit.nc", "--at", "1e12", *few])
    (point,) = json.loads(capsys.readouterr().out)["points"]
    law = {name: truth["power"][name] for name in power_fit.law.parameters}
    assert point["new"]["lo"] < power_fit.law(1e12, **law) < point["new"]["hi"]


def test_columns_that_want_backticks_are_asked_by_their_names(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"run/flops": BUDGETS, "eval/loss": LOSSES})
    frame.to_csv("runs.csv", index=False)
    few = ["--chains", "1", "--draws", "150", "--warmup", "150", "-o", "f.forecast.json"]
    roles = ["-x", "run/flops", "-y", "eval/loss"]
    assert main(["forecast", "runs.csv", *roles, "--at", "run/flops=1e21", *few]) in (0, 1)
    later = pd.DataFrame({"run/flops": [1e21], "eval/loss": [2.599]})
    for named in ({}, {"x": "run/flops", "y": "eval/loss"}):
        assert len(bs.score("f.forecast.json", later, **named).runs) == 1


def test_command_line_says_what_is_wrong(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"budget": BUDGETS, "loss": LOSSES}).to_csv("runs.csv", index=False)
    both = ["runs.csv", "-x", "budget", "-y", "loss"]
    assert main(["forecast", *both, "--at", "flops=1e21"]) == 2
    assert "flops" in capsys.readouterr().err
    asked = ["forecast", *both, "--at", "budget=1e21"]
    for output, words in {
        "runs.csv": "is read by this command",
        "old.json": "a registered forecast stays as it is",
    }.items():
        (tmp_path / "old.json").write_text("{}")
        assert main([*asked, "-o", output]) == 2
        told = capsys.readouterr()
        assert words in told.err
        assert not told.out  # refused before the fit
    for command in ("fit", "tasks"):
        law = ["--law", "power"] * (command == "fit")
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "tasks.csv").write_text((tmp_path / "runs.csv").read_text())
        read = "out/tasks.csv"
        output = "out" if command == "tasks" else read
        assert main([command, read, *both[1:], *law, "-o", output]) == 2
        assert "is read by this command" in capsys.readouterr().err
    assert main(["backtest", *both, "--cuts", "a"]) == 2
    assert "--cuts" in capsys.readouterr().err


def test_scores_bear_draws_without_end_and_without_spread():
    new = np.tile(np.geomspace(1, 2, 40)[:, None], 2)
    new[:2, 0] = 0.0, np.inf
    new[:, 1] = 1.5
    found = scores(new, np.array([1.4, 1.5]), True)
    assert all(np.isfinite(values).all() for values in found.values())
    assert found["log_density"][1] > found["log_density"][0]
    shares = scores(np.zeros((40, 1)), np.array([0.5]), False)
    assert shares["crps"][0] == pytest.approx(0.5)
    assert not np.isnan(shares["log_density"][0])


def test_density_of_two_parts_and_of_what_no_draw_reached_is_nearly_exact():
    rng, normal = np.random.default_rng(2), lambda z: -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    draws = 0.01 * rng.normal(size=(2000, 60)) + 0.5 * (rng.random((2000, 60)) < 0.02)
    seen = np.where(np.arange(60) < 30, 0.01 * rng.normal(size=60), 0.5)
    told = scores(np.exp(draws), np.exp(seen), True)["log_density"] + np.log(0.01)
    exact = np.where(
        np.arange(60) < 30, np.log(0.98) + normal(seen / 0.01), np.log(0.02) + normal(0)
    )
    assert abs(told - exact)[:30].mean() < 0.15
    assert abs(told - exact)[30:].mean() < 0.5
    far = scores(np.exp(draws[:, :2]), np.exp([0.05, 1.5]), True)["log_density"] + np.log(0.01)
    assert far[0] > normal(5.0) - 2
    assert far == pytest.approx(
        -np.log(2001 * np.pi) - np.log1p(np.array([5.0, 150]) ** 2), abs=0.3
    )


def test_scales_that_are_called_otherwise_are_of_no_usual_law():
    for texts, name in ((["c"], "power"), (["a", "b"], "chinchilla"), (["D=b", "a"], "chinchilla")):
        assert usual_law(texts, "runs.csv").name == name
    for texts in (["params", "moe=(kind == 'moe') + 1"], [*"abcd"]):
        with pytest.raises(ValueError, match=r"runs.csv: no law of \S+, .*--laws"):
            usual_law(texts, "runs.csv")


def test_a_backtest_takes_a_frame_by_its_columns(monkeypatch):
    from bayescale.workflows import futures

    seen = []

    def fared(*given, **how):
        seen.append((given[0], how))
        return futures.Futures(pd.DataFrame())

    monkeypatch.setattr(futures, "fared", fared)
    runs = {"c": np.geomspace(1e18, 1e21, 8), "loss": np.linspace(3, 2, 8), "k": [*"aaaabbbb"]}
    bs.backtest_forecast(runs, [0.5], x="c", y="loss", where="loss > 0", seed=3)
    ((data, how),) = seen
    assert (len(data), how) == (8, {"seed": 3, "progress": True})
