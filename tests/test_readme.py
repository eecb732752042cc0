"""The README's blocks run: Python in one go, the command line as it is written."""

import os
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescale.cli import terminal
from bayescale.cli.commands import main

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.M | re.S)
SHELL = [
    line
    for kind, block in BLOCKS
    if not kind
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith(("bayescale ", "$ bayescale "))
]
NEEDS = "evals"
"""What stands for a table of the reader's own."""


@pytest.mark.usefixtures("quick_forecasts")
def test_python_blocks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    known = {}
    for code in (block for kind, block in BLOCKS if kind == "python" and NEEDS not in block):
        exec(compile(code, "README.md", "exec"), known)
    assert known["fit"].health.sound
    assert {"loss.png", "loss.nc"} <= {each.name for each in tmp_path.iterdir()}
    first, second = known["bs"].predict(known["fit"], {"flops": [1e21, 1e23]}).quantiles()[1]
    assert (first, second) == (pytest.approx(2.60, abs=0.006), pytest.approx(2.23, abs=0.02))


def _tables(folder):
    """Write the tables of one's own that commands speak of."""
    x = np.geomspace(1e8, 1e11, 12)
    losses = 1.8 + 150 * x**-0.25
    pd.DataFrame({"flops": x * 1e9, "loss": losses}).to_csv(folder / "losses.csv", index=False)
    pd.DataFrame({"flops": [1e23], "loss": [2.0]}).to_csv(folder / "later.csv", index=False)
    both = [
        pd.DataFrame({"flops": x * 1e9 * by, "loss": losses, "recipe": name})
        for name, by in (("A", 1.0), ("B", 0.7))
    ]
    pd.concat(both).to_csv(folder / "runs.csv", index=False)
    curves = pd.DataFrame({"tokens": x, "loss": losses, "run": "a"})
    curves.to_csv(folder / "curves.csv", index=False)


@pytest.mark.usefixtures("quick_forecasts")
def test_command_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    lines = [line.removeprefix("$ ") for line in SHELL if NEEDS not in line]
    assert len(lines) >= 5
    if not os.environ.get("BAYESCALE_DATA"):  # the named table would be downloaded
        lines = [line for line in lines if "chinchilla" not in line]
    _tables(tmp_path)
    for line in lines:
        command, _, target = line.partition(" > ")
        words = shlex.split(command, comments=True)[1:]
        if words[0] in ("fit", "multiplier"):
            words += ["--draws", "300", "--warmup", "300"]
        if words[0] == "multiplier":
            words += ["--common", "all"]
        elif words[0] not in ("fit", "data", "forecast", "register", "backtest", "score"):
            words += ["--allow-failed"]
        assert main(words) in (0, 1), line
        said = capsys.readouterr().out
        assert said, line
        if target:
            (tmp_path / target.strip()).write_text(said)
    assert (tmp_path / "addition.png").stat().st_size > 10_000
