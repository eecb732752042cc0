"""Rows that are not independent, on the command line: --run, --best, and what is told without."""

import json

import numpy as np
import pandas as pd
import pytest

from bayescale.cli import terminal
from bayescale.cli.commands import main

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
