"""Tables as people bring them, asked from the command line: units in cells, billions, zeros."""

import json
import re
import shlex

import pytest

from bayescale.cli.commands import main

QUICK = ["--sampler", "laplace", "--draws", "250"]


@pytest.fixture
def ask(data_dir, capsys):
    """Run a command on a case; return its exit status, what it printed, and its error line."""

    def run(command, case, *args):
        status = main([command, str(data_dir / "cases" / case) if case.endswith("csv") else case,
                       *args])  # fmt: skip
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_units_in_cells(ask):
    args = ["--law", "power", "-y", "paloma macro_loss"]
    status, _, err = ask("fit", "08_units_in_cells.csv", "-x", "tokens", *args)
    assert status == 2
    assert "isfinite" not in err
    text = re.search(r"units\(\w+\)", err)[0]
    _, out, err = ask("fit", "08_units_in_cells.csv", "-x", text, *args, *QUICK)
    assert "7.53e+10" in err
    assert "alpha" in out


def test_billions(ask, tmp_path):
    fit = str(tmp_path / "fit.nc")
    args = ["--law", "chinchilla", "-y", "loss", *QUICK, "-o", fit]
    _, _, err = ask("fit", "26_billions.csv", "-x", "params_B", "-x", "tokens_B", *args)
    assert err.count("in billions?") == 2
    budget = ["--flops", "1e21", "--allow-failed", "--json"]
    status, out, err = ask("allocate", fit, *budget)
    assert (status, out) == (2, "")
    assert "6 N D is no FLOP" in err
    scales = shlex.split(err.split("fit with ")[1].split(", or ")[0])
    cost = re.search(r"--cost '([^']*)'", err)[1]
    _, out, _ = ask("allocate", fit, *budget, "--cost", cost)
    (found,) = json.loads(out)["allocation"]["budgets"]
    assert found["loss"]["median"] == pytest.approx(2.31, abs=0.02)  # at 1e21 FLOP
    ask("fit", "26_billions.csv", *scales, *args)
    _, out, _ = ask("allocate", fit, *budget)
    (plain,) = json.loads(out)["allocation"]["budgets"]
    assert plain["loss"]["median"] == pytest.approx(found["loss"]["median"], abs=0.01)
    assert plain["N"]["median"] == pytest.approx(1e9 * found["N"]["median"], rel=0.1)


def test_error_rates_of_zero(ask):
    args = ["33_error_zero.csv", "--law", "power", "-x", "n_train", "-y", "test_error"]
    for noise in ([], ["--noise", "normal"]):
        status, _, err = ask("fit", *args, *noise)
        assert status == 2
        assert "--noise normal" not in err
    limit = re.search(r"--limit '([^']*)'", err)[1]
    _, out, err = ask("fit", *args, "--limit", limit, *QUICK)
    assert "2 of 9 responses are only known to lie below the limit 0.001" in err
    assert "alpha" in out
    _, out, _ = ask("fit", *args, "-n", "1000", "--noise", "beta_binomial", *QUICK)
    assert "rho" in out
