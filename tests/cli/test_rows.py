"""Rows that are not independent, on the command line: --run, --best, and what is told without."""

import json

import numpy as np
import pandas as pd
import pytest

from bayescale.cli import plans, terminal
from bayescale.cli.commands import main
from bayescale.data.from_frame import from_frame

MAP = ["--sampler", "map", "--law", "power", "-x", "tokens", "-y", "loss", "--json"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Four runs of six checkpoints at even steps, each at three learning rates."""
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    rng = np.random.default_rng(0)
    run, step, lr = (each.ravel() for each in np.meshgrid(range(4), range(1, 7), [1, 2, 3]))
    tokens = step * 1e9 * 7.0**run
    loss = (1.8 + 150 * tokens**-0.25) * (1 + 0.05 * abs(lr - 2)) * np.exp(0.01 * rng.random(72))
    columns = {"id": [f"r{i}" for i in run], "tokens": tokens, "lr": lr * 1e-3, "loss": loss}
    pd.DataFrame(columns).to_csv(tmp_path / "runs.csv", index=False)
    return str(tmp_path / "runs.csv")


def test_runs_and_the_best_of_a_sweep_are_named(table, capsys):
    main(["fit", table, *MAP, "--run", "id", "--best", "lr"])
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["sampling"]["runs"] is True
    assert "run_sd" in found["quantities"]
    assert found["sampling"]["data"]["rows"] == 24
    assert "run = id: 4 labels of 6 .. 6 rows" in err
    assert "at each of 24 scales: 48 of 72 rows are left out" in err


def test_without_them_it_says_what_to_write(table, capsys):
    main(["fit", table, *MAP])
    assert "--best 'lr'" in capsys.readouterr().err
    main(["fit", table, *MAP, "--best", "rate"])
    assert "no column 'rate'" in capsys.readouterr().err


def test_points_name_a_scale_by_column_input_or_not_at_all():
    data = from_frame({"flops": [1e18, 1e19], "loss": [3.0, 2.8]}, "flops", "loss")
    found = plans.points(["3e21", "flops=3e22", "x=3e23"], data)
    assert found["x"].tolist() == [3e21, 3e22, 3e23]
