"""What is written amiss is refused before a fit is loaded or a table read."""

import pytest

from bayescale.cli.commands import main

TABLE = ["runs.csv", "-x", "C", "-y", "loss"]
PAIR = ["allocate", "f.nc", "--versus", "N=1,D=1", "--versus", "N=2,D=2"]
RUNS = ["next", "f.nc", "--candidates", "c.csv"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (["predict", "f.nc", "--at", "N=7e10,"], "--at: '' is no assignment"),
        (["predict", "f.nc", "--at", "large"], "--at: 'large' is no scale"),
        (["predict", "f.nc", "--at", "1e10", "-n", "0"], "n (-n)"),
        (["predict", "f.nc", "--at", "1e10", "--stderr", "-1"], "stderr (--stderr)"),
        (["allocate", "f.nc"], "nothing is asked"),
        (["allocate", "f.nc", "--budget", "1000 sheep"], "sheep"),
        ([*PAIR, "--plot", "a.png"], "--versus has no picture"),
        (["calibrate", "f.nc", "--seed", "-1"], "--seed"),
        (["allocate", "f.nc", "--flops", "1e21", "--versus", "N=1,D=1"], "--versus compares two"),
        ([*RUNS, "--target", "N=large"], "target (--target)"),
        ([*RUNS, "--target", "N at noon"], "is no budget"),
        ([*RUNS, "--target", "alpha", "--budget", "-1"], "a budget (--budget)"),
        ([*RUNS, "--target", "alpha", "--most", "0"], "most (--most)"),
        ([*RUNS, "--target", "alpha", "--stderr", "-1"], "stderr (--stderr)"),
        ([*RUNS, "--target", "alpha", "--weights", "a"], "--weights: write numbers"),
        (["threshold", "f.nc", "--level", "high"], "--level: a level is a number"),
        (["threshold", "f.nc", "--at", "D"], "--at: 'D' is no assignment"),
        (["threshold", "f.nc", "g.nc", "--weights", ".5"], "1 weights for 2 fits"),
        (["kind", "f.nc", "--at", "D"], "--at: 'D' is no assignment"),
        (["conditions", "f.nc", "--level", "high"], "--level: a level is a number"),
        (["sensitivity", "f.nc", "--at", "large"], "--at: 'large' is no scale"),
        (["calibrate", "f.nc", "--replicates", "2"], "replicates or more"),
        (["compare-laws", "f.nc"], "is one fit"),
        (["compare-laws", "f.nc", "g.nc", "--prior", "power"], "--prior: 'power' is no"),
        (["fit", *TABLE, "--law", "power", "--noise", "a", "--noise", "b"], "--noise"),
        (["forecast", *TABLE, "--at", "large"], "--at: 'large' is no scale"),
        (["forecast", *TABLE, "--at", "1e22", "--kind", "score"], "--kind"),
        (["backtest", *TABLE, "--cuts", "2"], "cuts (--cuts)"),
        (["backtest", *TABLE, "--noise", "a", "--noise", "b"], "--noise"),
        (["multiplier", *TABLE, "--group", "r", "--level", "high"], "--level"),
        (["multiplier", *TABLE, "--group", "r", "--at", "large"], "--at: 'large' is no scale"),
        (["multiplier", *TABLE, "--group", "r", "--most", "2"], "--candidates TABLE"),
        (
            ["multiplier", *TABLE, "--group", "r", "--candidates", "c.csv", "--budget", "0"],
            "a budget (--budget)",
        ),
        (["isoflop", *TABLE, "--budgets", "all"], "--budgets"),
        (["isoflop", *TABLE, "--count", "head"], "vocab"),
        (["isoflop", *TABLE, "--law", "chinchila"], "chinchilla"),
        (["metric-or-model", *TABLE, "--noise", "a", "--noise", "b"], "--noise"),
        (["tasks", *TABLE, "--level", "high"], "--level"),
    ],
    ids=lambda each: " ".join(each[:1] + each[-2:]) if isinstance(each, list) else "",
)
def test_what_is_written_amiss_costs_nothing(monkeypatch, capsys, call, words):
    def costly(*_, **__):
        raise AssertionError("a fit was loaded, or a table read")

    monkeypatch.setattr("bayescale.cli.terminal.start_jax", lambda: None)
    monkeypatch.setattr("bayescale.cli.saved.load", costly)
    monkeypatch.setattr("bayescale.cli.arguments.build_data", costly)
    monkeypatch.setattr("bayescale.reading.read_table.read_table", costly)
    assert main(call) == 2
    assert words in capsys.readouterr().err


def test_a_score_reads_what_was_registered_first(monkeypatch, tmp_path, capsys):
    def costly(*_, **__):
        raise AssertionError("a table was read")

    monkeypatch.setattr("bayescale.reading.read_table.read_table", costly)
    assert main(["score", str(tmp_path / "none.json"), "runs.csv"]) == 2
    assert "cannot be read" in capsys.readouterr().err
