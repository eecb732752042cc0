"""Tables as people bring them, asked from the command line: row by row of `cases/CASES.md`.

What is right there is held against exit status, what is told, and the figure. Rows that want what
is not built stand in `LATER`, with what is said of them until then.
"""

import json
import re
import shlex
from pathlib import Path

import pytest

from bayescale.cli import terminal
from bayescale.cli.commands import main

QUICK = ["--sampler", "laplace", "--draws", "250"]
SHORT = ["--chains", "2", "--warmup", "500", "--draws", "500"]
SOUND, UNTRUSTED, WRONG = terminal.SOUND, terminal.UNTRUSTED, terminal.WRONG

LATER = {
    "22_rising_with_constant": "a rising law that levels off",
    "27_eval_log_linear": "a straight line in log scale",
}
"""Rows whose question cannot be asked yet, and what it wants."""


@pytest.fixture
def ask(data_dir, capsys, monkeypatch):
    """Run a command on a case; return its exit status, what it printed, and its error line."""
    monkeypatch.setattr(terminal, "start_jax", lambda: None)

    def run(command, case, *args):
        place = str(data_dir / "cases" / case) if "/" not in case else case
        status = main([command, place, *args])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


@pytest.fixture
def fitted(ask, tmp_path):
    """Fit a law to a case; return its exit status, the document, what is told, and its file."""

    def run(case, law, x, y, *args):
        file = str(tmp_path / f"{case}.nc")
        scales = [word for each in x for word in ("-x", each)]
        found = ask("fit", case, "--law", law, *scales, "-y", y, *args, "-o", file, "--json")
        status, out, err = found
        return status, json.loads(out) if out else {}, err, file

    return run


def law_at(ask, file, *at):
    """What the law says at points: (lo, median, hi) each."""
    places = [word for each in at for word in ("--at", each)]
    _, out, _ = ask("predict", file, *places, "--json", "--allow-failed")
    points = json.loads(out)["predictions"]["points"]
    return [tuple(point["mean"][end] for end in ("lo", "median", "hi")) for point in points]


# ------------------------------------------------------------------ every row


def test_every_row_is_asked_or_stands_for_later(data_dir):
    rows = (data_dir / "cases" / "CASES.md").read_text().splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("|")][2:]
    names = {Path(name.strip()).stem for cell in cells for name in cell.split(",")}
    here = Path(__file__)
    files = (here, here.parents[1] / "misfit" / "test_planted.py")
    own = "".join(file.read_text(encoding="utf-8") for file in files)
    for name in names:
        assert name in LATER or f'"{name}.' in own, name
    assert names >= set(LATER)


def test_a_chart_export_becomes_rows(ask, data_dir, tmp_path):
    x, y = "llama-30M - _step", "llama-30M - eval/loss"
    status, out, err = ask("fit", "02_wandb_chart_export.csv", "--law", "power", "-x", x, "-y", y)
    assert (status, out, err.count("\n")) == (WRONG, "", 1)
    assert "row 2, column" in err
    assert "bayescale import wandb FILE -o TABLE.csv" in err
    options = shlex.split(err[err.index("--long") :])
    args = ["--law", "power(floor=False)", "--curve", "run", *QUICK, "--json"]
    _, out, err = ask(
        "fit", "02_wandb_chart_export.csv", *options, "-x", "step", "-y", "loss", *args
    )
    assert "curve = run: 2 labels of 4 .. 4 rows" in err
    table = str(tmp_path / "runs.csv")
    case = str(data_dir / "cases" / "02_wandb_chart_export.csv")
    assert main(["import", "wandb", case, "-o", table]) == SOUND
    _, same, _ = ask("fit", table, "-x", "Step", "-y", "eval/loss", *args)
    both = [json.loads(each[each.index("{") :])["curves"] for each in (out, same)]
    slopes = [{k: one["quantities"]["alpha"]["median"] for k, one in each.items()} for each in both]
    assert slopes[0] == slopes[1]
    assert {*slopes[0]} == {"llama-30M", "llama-90M"}


def test_a_spreadsheet_in_another_dialect(ask):
    args = ["--law", "power", "-x", "Parameter", "-y", "Verlust", *QUICK]
    _, out, err = ask("fit", "09_excel_semicolon.csv", *args)
    assert "the delimiter is ';', not ','" in err
    assert "in 'Verlust' a comma is the decimal sign: '3,3800' is 3.38" in err
    assert "y = Verlust: 2.23 .. 3.38" in err
    assert "alpha" in out


def test_records(ask):
    args = ["--law", "power(floor=False)", "-x", "flops", "-y", "val_bpc"]
    _, out, err = ask("fit", "05_runs.jsonl", *args, "--best", "train.lr", *QUICK)
    assert "05_runs.jsonl: 4 rows" in err
    assert "y = val_bpc: 2.59 .. 3.01" in err
    assert "alpha" in out


# ------------------------------------------------------------------ cells and names


def test_columns_are_asked_by_their_names(ask, fitted):
    x, y = "throughput/total_tokens", "eval/c4_en-validation/CrossEntropyLoss"
    status, found, _, file = fitted("01_olmo_wandb_history.csv", "power", [x], y, *SHORT)
    assert status == SOUND
    assert found["quantities"]["E"]["median"] == pytest.approx(2.839, abs=0.01)
    assert found["quantities"]["alpha"]["median"] == pytest.approx(0.453, abs=0.005)
    plain, ticked = law_at(ask, file, f"{x}=1e10"), law_at(ask, file, f"`{x}`=1e10")
    assert plain == ticked == law_at(ask, file, "x=1e10")


@pytest.mark.parametrize(
    ("case", "law", "x", "y", "row", "value"),
    [
        ("07_isoflop_emdash.csv", "power", ["budget"], "adamh bpb", 9, "'—'"),
        ("31_diverged_nan.csv", "chinchilla", ["N=params", "D=tokens"], "loss", 6, "nan"),
    ],
)
def test_gaps_are_told_by_row_with_a_remedy_that_works(ask, case, law, x, y, row, value):
    scales = [word for each in x for word in ("-x", each)]
    args = [case, "--law", law, *scales, "-y", y]
    status, _, err = ask("fit", *args)
    assert status == WRONG
    assert f"row {row}, column {y!r}: {value}" in err
    (where,) = re.findall(r"--where '(.*)'\)", err)
    _, out, err = ask("fit", *args, "--where", where, *QUICK)
    assert "alpha" in out
    assert "rows kept" in err


def test_units_in_cells(ask):
    args = ["--law", "power", "-y", "paloma macro_loss"]
    status, _, err = ask("fit", "08_units_in_cells.csv", "-x", "tokens", *args)
    assert status == WRONG
    assert "isfinite" not in err
    text = re.search(r"units\(\w+\)", err)[0]
    _, out, err = ask("fit", "08_units_in_cells.csv", "-x", text, *args, *QUICK)
    assert "7.53e+10" in err
    assert "alpha" in out
    status, _, err = ask("fit", "08_units_plain.csv", "--law", "power", "-x", "N", "-y", "loss")
    assert status == WRONG
    assert "units(N)" in err


def test_billions(ask, tmp_path):
    fit = str(tmp_path / "fit.nc")
    args = ["--law", "chinchilla", "-y", "loss", *QUICK, "-o", fit]
    _, _, err = ask("fit", "26_billions.csv", "-x", "params_B", "-x", "tokens_B", *args)
    assert err.count("in billions?") == 2
    budget = ["--flops", "1e21", "--allow-failed", "--json"]
    status, out, err = ask("allocate", fit, *budget)
    assert (status, out) == (WRONG, "")
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
        assert status == WRONG
        assert "--noise normal" not in err
    limit = re.search(r"--limit '([^']*)'", err)[1]
    _, out, err = ask("fit", *args, "--limit", limit, *QUICK)
    assert "2 of 9 responses are only known to lie below the limit 0.001" in err
    assert "alpha" in out
    rates = [args[0], *args[3:]]
    status, _, said = ask("forecast", *rates, "--at", "n_train=1e5")
    assert (status, re.search(r"--limit '([^']*)'", said)[1]) == (WRONG, limit)
    _, out, err = ask("forecast", *rates, "--at", "n_train=1e5", "--limit", limit, *SHORT)
    assert "the misfit of the law is in the width" in " ".join(out.split())
    _, out, _ = ask("fit", *args, "-n", "1000", "--noise", "beta_binomial", *QUICK)
    assert "rho" in out


def test_losses_beyond_the_floats_are_told_the_unit(ask):
    status, _, err = ask("fit", "fault_tiny_loss.csv", "--law", "power", "-x", "x", "-y", "y")
    assert status == WRONG
    assert "row 1, column 'y': 5.44049e-300 is beyond floats" in err
    status, out, _ = ask(
        "fit", "fault_tiny_loss.csv", "--law", "power", "-x", "x", "-y", "y*1e299", *QUICK
    )
    assert "alpha" in out


def test_a_variant_needs_less_compute_by_the_known_factor(ask):
    roles = ["-x", "flops", "-y", "loss", "--group", "variant"]
    how = ["--common", "all", "--json"]
    status, out, _ = ask("multiplier", "14_two_variants.csv", *roles, *how)
    told = json.loads(out)
    found = told["multipliers"]["muonh"]
    assert status == SOUND
    assert told["baseline"] == "baseline"
    assert found["lo"] < 1.356 < found["hi"]
    assert abs(found["median"] / 1.356 - 1) < 0.08
    assert found["p_better"] > 0.99


def test_ids_of_14_digits_are_told_apart(ask):
    args = ["--law", "power", "-x", "params", "-y", "loss", "--curve", "run", *QUICK]
    status, _, err = ask("fit", "fault_id_14_digits_one_gap.csv", *args)
    assert status == WRONG
    assert "row 19, column 'run': 'an empty cell' is no label" in err
    where = re.search(r"--where '(.*)'\)", err)[1]
    _, out, _ = ask("fit", "fault_id_14_digits_one_gap.csv", *args, "--where", where)
    for name in ("20231115123045", "20231115123046", "20231115123047"):
        assert name in out


@pytest.mark.parametrize("case", ["fault_mathtext_name.csv", "fault_escape_name.csv"])
def test_names_of_curves_are_drawn_and_printed_as_text(ask, tmp_path, case):
    picture = tmp_path / "fit.png"
    args = ["--law", "power", "-x", "params", "-y", "loss", "--curve", "task", *QUICK]
    status, out, err = ask("fit", case, *args, "--plot", str(picture))
    assert status in (SOUND, UNTRUSTED)
    assert "no picture" not in err
    assert picture.stat().st_size > 10_000
    assert "\x1b" not in out + err
    assert ("$\\frac{$" if "mathtext" in case else "\\x1b[2J\\x1b[31mRED") in out


# ------------------------------------------------------------------ figures


def test_forecasts_are_as_measured_later(ask, fitted):
    short = ("12_marin_three_points.csv", "power", ["flops"], "macro_loss", "--fix", "E=1.6")
    status, found, _, file = fitted(*short)
    assert status == SOUND
    assert found["quantities"]["A"]["median"] == pytest.approx(81.68, rel=0.05)
    assert found["quantities"]["alpha"]["median"] == pytest.approx(0.0912, abs=0.001)
    assert not any("lie together" in note for note in found["health"]["fit"]["notes"])
    ((lo, median, hi),) = law_at(ask, file, "flops=2.83e19")
    assert median == pytest.approx(2.975, abs=0.005)
    _, _, _, file = fitted("13_marin_six_budgets.csv", "power", ["budget"], "macro_loss")
    for (lo, median, hi), later in zip(
        law_at(ask, file, "budget=1e21", "budget=1e23"), (2.599, 2.234), strict=True
    ):
        assert lo <= later <= hi
        assert median == pytest.approx(later, abs=0.02)


def test_the_best_tokens_of_two_budgets(ask, fitted):
    scales = ["N=budget/(6*tokens)", "D=tokens"]
    status, _, _, file = fitted("15_isoflop_two_budgets.csv", "chinchilla", scales, "macro_loss")
    assert status == SOUND
    _, out, _ = ask("allocate", file, "--flops", "1e19", "--json")
    (best,) = json.loads(out)["allocation"]["budgets"]
    assert best["D"]["median"] == pytest.approx(1.0e10, rel=0.15)
    assert best["D"]["lo"] < 1.0e10 < best["D"]["hi"]


def test_a_perfect_separation_lies_between_the_two(ask, fitted):
    how = ("23_perfect_separation.csv", "sigmoid", ["params"], "solved/asked", "-n", "asked")
    status, found, _, file = fitted(*how, *SHORT)
    assert status == SOUND
    assert not any("lie together" in note for note in found["health"]["fit"]["notes"])
    _, out, _ = ask("threshold", file, "--level", ".5", "--json")
    unlock = json.loads(out)["threshold"]["log10"]
    assert 2.7e9 < 10 ** unlock["median"] < 6.7e9
    assert 2.5e9 < 10 ** unlock["lo"] < 10 ** unlock["hi"] < 7e9


def test_accuracies_at_chance_foretell_little(ask, fitted):
    how = ("37_loss_to_accuracy_floor.csv", "from_loss", ["bpb"], "mmlu_acc", "-n", "n")
    _, _, _, file = fitted(*how, "--chance", ".25", *QUICK)
    ((lo, _, hi),) = law_at(ask, file, "bpb=0.7")
    assert hi - lo > 0.3


# ------------------------------------------------------------------ the law and the data


def test_checkpoints_are_told_with_the_column_to_name(fitted):
    scales = ["N=params", "D=tokens"]
    _, _, err, _ = fitted("17_checkpoints_same_tokens.csv", "chinchilla", scales, "loss", *QUICK)
    assert "rows lie along tokens as checkpoints of a run do" in err
    assert "--run 'params'" in err


@pytest.mark.parametrize(
    ("case", "x", "y", "said"),
    [
        ("18_diverged_large.csv", "n_params", "sp_val_loss", "worse than at every smaller one"),
        ("29_pass_at_k.csv", "k", "-log(pass_at_k)", "another shape than the law"),
        ("fault_rising_loss.csv", "x", "y", "go against the law"),
        ("fault_x_equal_to_1e-9.csv", "x", "y", "all rows are at one scale"),
    ],
)
def test_a_law_that_its_data_contradict_ends_with_1_and_forecasts_nothing(
    ask, fitted, case, x, y, said
):
    status, found, _, file = fitted(case, "power", [x], y)
    assert status == UNTRUSTED
    assert found["health"]["sampling"]["sound"]
    assert said in found["health"]["fit"]["problems"][0]
    status, out, err = ask("predict", file, "--at", f"{x}=1e15")
    assert (status, out) == (UNTRUSTED, "")
    assert said in err
    assert ask("predict", file, "--at", f"{x}=1e15", "--allow-failed")[1]


@pytest.mark.parametrize(
    ("case", "x", "y", "said"),
    [
        ("18_diverged_large.csv", "mup_params", "mup_val_loss", None),
        ("27_eval_log_linear.csv", "tokens", "val_loss", "residuals lie together"),
        ("fault_two_scales_8_seeds.csv", "x", "y", "2 different values of x for 3 parameters"),
        ("fault_no_noise.csv", "x", "y", None),
    ],
)
def test_what_may_be_a_law_is_a_fit_with_what_is_to_be_said(fitted, case, x, y, said):
    status, found, _, _ = fitted(case, "power", [x], y)
    assert status == SOUND
    notes = found["health"]["fit"]["notes"]
    assert any(said in note for note in notes) if said else notes == []
