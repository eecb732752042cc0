"""The command line: its contract with scripts, and how it takes bad input."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescale.cli import arguments, demo, terminal
from bayescale.cli.commands import main
from bayescale.inference import fit as inference
from bayescale.inference.samplers import NUTS
from bayescale.posterior.display import count, number
from bayescale.posterior.intervals import plain, summarise
from tests.documented import kept

FIVE = {"mean", "sd", "median", "lo", "hi"}
QUICK = ["--draws", "400", "--warmup", "400"]
ROLES = ["--law", "chinchilla", "-x", "params", "-x", "tokens", "-y", "loss"]


@pytest.fixture(scope="session", autouse=True)
def settings_stay():
    """In this process the command line must leave JAX's global settings to the other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "start_jax", lambda: None)
        yield


def runs(rows=64, seed=1):
    rng = np.random.default_rng(seed)
    params, tokens = 10 ** rng.uniform(7.5, 10, rows), 10 ** rng.uniform(9, 11.5, rows)
    loss = 1.8 + 480 * params**-0.35 + 2000 * tokens**-0.365
    loss *= np.exp(0.004 * rng.normal(size=rows))
    return pd.DataFrame({"params": params, "tokens": tokens, "loss": loss})


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="session")
def table(folder):
    runs().to_csv(folder / "runs.csv", index=False)
    return str(folder / "runs.csv")


@pytest.fixture(scope="session")
def fitted(folder, table):
    path = str(folder / "fit.nc")
    assert main(["fit", table, *ROLES, *QUICK, "-o", path]) == 0
    return path


@pytest.fixture(scope="session")
def failed(folder, table):
    path = str(folder / "failed.nc")
    assert main(["fit", table, *ROLES, "--draws", "20", "--warmup", "100", "-o", path]) == 1
    return path


@pytest.fixture(scope="session")
def curves(folder):
    """Two curves, the second without anything to learn from."""
    x = np.tile(np.geomspace(10, 1e4, 12), 2)
    y = np.where(np.arange(24) < 12, 0.5 + 4 * x**-0.5, 3.0)
    y *= np.exp(0.01 * np.random.default_rng(0).normal(size=24))
    frame = pd.DataFrame({"x": x, "loss": y, "task": ["falls"] * 12 + ["flat"] * 12})
    frame.to_csv(folder / "curves.csv", index=False)
    path = str(folder / "curves.nc")
    call = ["fit", str(folder / "curves.csv"), "--law", "power", "-x", "x", "-y", "loss"]
    assert main([*call, "--curve", "task", *QUICK, "-o", path]) in (0, 1)
    return path


def strict(text):
    """Parse JSON that holds no NaN and no Infinity."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def asked(capsys, *call, status=0):
    """Return the document that a call with --json prints."""
    capsys.readouterr()
    assert main([*call, "--json"]) == status
    return kept(strict(capsys.readouterr().out), "Document")


def complaint(capsys, *call, status=2):
    """Return the one line with which a call is refused."""
    capsys.readouterr()
    assert main(list(call)) == status
    said = capsys.readouterr()
    assert said.out == ""
    lines = [line for line in said.err.splitlines() if line.startswith("bayescale: ")]
    assert len(lines) == 1
    assert said.err.splitlines()[-1] == lines[0]
    assert "Traceback" not in said.err
    return lines[0]


# ------------------------------------------------------------------ answers


def test_the_document_of_a_fit(capsys, fitted):
    found = asked(capsys, "show", fitted)
    assert {"quantities", "health", "sampling"} == found.keys()
    assert [*found["quantities"]][:5] == ["E", "A", "B", "alpha", "beta"]
    assert all(each.keys() == FIVE for each in found["quantities"].values())
    E = found["quantities"]["E"]
    assert E["lo"] < E["median"] < E["hi"]
    assert abs(E["mean"] - 1.8) < 4 * E["sd"]
    assert found["health"]["sound"] is True
    assert found["sampling"]["seed"] == 0
    assert found["sampling"]["law"] == "chinchilla"
    assert found["sampling"]["data"]["columns"]["N"] == "params"


def test_fit_prints_one_document_and_echoes_the_mapping(capsys, table, fitted):
    capsys.readouterr()
    assert main(["fit", table, *ROLES, *QUICK, "--json"]) == 0
    said = capsys.readouterr()
    assert strict(said.out)["quantities"] == asked(capsys, "show", fitted)["quantities"]
    assert "N = params: " in said.err
    assert "D = tokens: " in said.err


def test_a_failed_fit_is_shown_marked_and_exits_1(capsys, failed):
    found = asked(capsys, "show", failed, status=1)
    assert found["health"]["sound"] is False
    assert found["health"]["problems"]
    assert found["health"]["advice"]
    assert found["quantities"]["E"]["median"] > 0
    assert main(["show", failed]) == 1
    assert "NOT TO BE TRUSTED" in capsys.readouterr().out


def test_questions_refuse_a_failed_fit_unless_told(capsys, failed):
    call = ["predict", failed, "--at", "params=7e10,tokens=1.4e12"]
    assert "--allow-failed" in complaint(capsys, *call, status=1)
    found = asked(capsys, *call, status=1)
    assert "predictions" not in found
    assert "not to be trusted" in found["refused"]
    found = asked(capsys, *call, "--allow-failed", status=1)
    assert found["predictions"]["points"][0]["mean"]["median"] > 1
    assert main([*call, "--allow-failed"]) == 1
    assert "NOT TO BE TRUSTED" in capsys.readouterr().out


def test_predictions_by_column_or_by_input(capsys, fitted):
    call = ["--at", "params=7e10,tokens=1.4e12", "--at", "N=1e9,D=2e10"]
    found = asked(capsys, "predict", fitted, *call)
    first, second = found["predictions"]["points"]
    assert first["at"] == {"N": 7e10, "D": 1.4e12}
    assert first["mean"].keys() == first["new"].keys() == FIVE
    assert first["decades_beyond"] > 0 == second["decades_beyond"]
    truth = 1.8 + 480 * 1e9**-0.35 + 2000 * 2e10**-0.365
    assert second["new"]["lo"] < truth < second["new"]["hi"]
    assert second["stderr"] is None
    measured = asked(capsys, "predict", fitted, *call, "--stderr", "0.5")["predictions"]
    assert [point["stderr"] for point in measured["points"]] == [0.5, 0.5]
    assert measured["points"][1]["new"]["hi"] - truth > 3 * (second["new"]["hi"] - truth)


def test_allocation_tradeoff_and_comparison(capsys, fitted):
    pair = ["--versus", "N=7e10,D=1.4e12", "--versus", "N=280e9,D=300e9"]
    call = ["allocate", fitted, "--flops", "5.76e23", "--match", "N=280e9,D=300e9", *pair]
    found = asked(capsys, *call)
    (plan,) = found["allocation"]["budgets"]
    assert plan["flops"] == 5.76e23
    assert 6 * plan["N"]["median"] * plan["D"]["median"] == pytest.approx(5.76e23, rel=0.01)
    assert found["tradeoff"]["cheapest_C_ratio"]["hi"] <= 1
    assert found["tradeoff"]["curve"][0].keys() == {"N", "D", "flops"}
    assert 0 <= found["comparison"]["p_better"] <= 1
    assert main(call) == 0
    assert "parameters N" in capsys.readouterr().out


def test_a_budget_in_gpu_days(capsys, fitted):
    gpus = ["--flops-per-gpu", "1e15", "--mfu", ".4"]
    found = asked(capsys, "allocate", fitted, "--budget", "1000 gpu-days", *gpus)
    assert found["allocation"]["budgets"][0]["flops"] == pytest.approx(1000 * 86400 * 4e14)
    assert "gpu-days" in complaint(capsys, "allocate", fitted, "--budget", "1000 gpu-days")


def test_which_runs_next(capsys, fitted, folder):
    N, D = (each.ravel() for each in np.meshgrid([1e8, 1e9, 1e10], [1e10, 1e11, 1e12]))
    path = str(folder / "candidates.csv")
    pd.DataFrame({"params": N, "tokens": D}).to_csv(path, index=False)
    call = ["next", fitted, "--candidates", path, "--target", "N=7e10,D=1.4e12"]
    call += ["--cost", "6*N*D", "--budget", "1e22"]
    found = asked(capsys, *call)["next"]
    assert 0 < found["spent"] <= 1e22
    assert found["runs"][0]["at"].keys() == {"params", "tokens"}
    assert found["targets"]["loss at params=70B, tokens=1.4T"]["left"] < 1
    assert main(call) == 0
    assert "width left" in capsys.readouterr().out
    few = complaint(capsys, *call[:-1], "1e9")
    assert "buys none" in few
    assert "row 1" in few
    pd.DataFrame({"params": N}).to_csv(path, index=False)
    assert "candidates.csv: no column for the scale D (tokens)" in complaint(capsys, *call)


def test_a_threshold_along_one_of_two_scales(capsys, fitted):
    found = asked(capsys, "threshold", fitted, "--level", "2.2", "--at", "D=20*N")["threshold"]
    assert found["log10"].keys() == {"median", "lo", "hi"}
    assert found["log10"]["lo"] < found["log10"]["median"] < found["log10"]["hi"]
    assert 0 == found["p_never"] == found["p_already"]
    assert found["level"] == 2.2
    assert found["p_crosses"] == 1
    assert found["by"][-1] == [found["horizon"], 1.0]


def test_a_threshold_is_asked_on_either_side(capsys, fitted):
    call = ["threshold", fitted, "--level", "2.2", "--at", "D=20*N"]
    down, up = asked(capsys, *call), asked(capsys, *call, "--direction", "up")
    down, up = down["threshold"], up["threshold"]
    assert (down["direction"], up["direction"]) == ("down", "up")
    assert up["p_never"] == 1  # it falls for good
    for direction, past in (("down", "below"), ("up", "above")):
        assert main([*call, "--direction", direction]) == 0
        assert f"stays {past} 2.2" in capsys.readouterr().out
    assert "up or down, got 'under'" in complaint(capsys, *call, "--direction", "under")


def test_a_level_that_is_never_reached_is_null(capsys, fitted):
    found = asked(capsys, "threshold", fitted, "--level", "1.5", "--at", "D=20*N")["threshold"]
    assert found["log10"] == {"median": None, "lo": None, "hi": None}
    assert found["p_never"] == 1


def test_curves_have_their_own_answers(capsys, curves):
    capsys.readouterr()
    status = main(["show", curves, "--json"])
    found = strict(capsys.readouterr().out)
    assert found["quantities"] == {}
    assert found["curves"].keys() == {"falls", "flat"}
    for each in found["curves"].values():
        assert each["quantities"]["alpha"].keys() == FIVE
    sound = [each["health"]["sound"] for each in found["curves"].values()]
    assert found["health"]["sound"] is all(sound)
    assert status == (0 if all(sound) else 1)
    call = ["threshold", curves, "--level", "0.7", "--allow-failed"]
    found = asked(capsys, *call, status=status)["curves"]
    crossing = np.log10((0.2 / 4) ** -2)
    assert found["falls"]["threshold"]["log10"]["median"] == pytest.approx(crossing, abs=0.15)
    assert found["flat"]["threshold"]["p_never"] > 0.5
    assert main(call) == status
    assert "flat" in capsys.readouterr().out


@pytest.mark.parametrize("width", ["60", "80"])
def test_tables_fit_the_terminal(capsys, monkeypatch, fitted, curves, width):
    monkeypatch.setenv("COLUMNS", width)
    capsys.readouterr()
    main(["show", fitted])
    main(["show", curves])
    main(["predict", fitted, "--at", "N=7e10,D=1.4e12"])
    pair = ["--versus", "N=7e10,D=1.4e12", "--versus", "N=280e9,D=300e9"]
    main(["allocate", fitted, "--flops", "1e23", "--match", "N=280e9,D=300e9", *pair])
    main(["threshold", fitted, "--level", "2.2", "--at", "D=20*N"])
    main(["kind", fitted, "--at", "D=20*N"])
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= int(width)
    assert "…" not in shown
    for name in ("sigma", "tokens per parameter", "least compute: FLOP", "inverted U", "forecast"):
        assert name in shown
    assert "70B" in shown
    assert "e+" not in shown.partition("note:")[0]


def test_pictures(capsys, folder, fitted, curves):
    calls = (
        ["show", fitted],
        ["threshold", curves, "--level", "0.7"],
        ["predict", curves, "--at", "1e5", "--allow-failed"],
        ["allocate", fitted, "--flops", "1e22", "--loss", "2.2"],
        ["kind", curves, "--allow-failed"],
    )
    for call in calls:
        path = folder / "picture.png"
        assert main([*call, "--plot", str(path)]) in (0, 1)
        assert path.read_bytes().startswith(b"\x89PNG")
        path.unlink()
    assert "Traceback" not in capsys.readouterr().err


# ------------------------------------------------------------------ bad input

GOOD = "params,tokens,loss\n" + "".join(f"{i}e8,{i * i}e9,{2 + 1 / i}\n" for i in range(1, 13))
ACCURACY = ["--law", "sigmoid", "-x", "params", "-y", "acc", "-n", "n"]
SCORES = "params,acc,n\n" + "".join(f"{i}e8,{{}},100\n" for i in range(1, 9))
BAD = {
    "missing column": (GOOD, [*ROLES[:-1], "los"], ("'los'", "did you mean 'loss'")),
    "no number": (GOOD.replace("\n2e8,", "\nmany,"), ROLES, ("row 2", "'params'", "'many'")),
    "nan": (GOOD.replace("\n2e8,", "\nnan,"), ROLES, ("row 2", "'params'", "isfinite")),
    "zero": (GOOD.replace("\n2e8,", "\n0,"), ROLES, ("row 2", "'params'", "above 0")),
    "negative": (GOOD.replace("\n2e8,", "\n-2e8,"), ROLES, ("row 2", "'params'", "-2e+08")),
    "percent": (SCORES.format(*range(20, 28)).replace(",20,", ",20.5,"), ACCURACY, ("100",)),
    "counts": ("p,k,n\n1e8,3,10\n2e8,12,10\n3e8,5,10\n", [], ("row 2", "k exceeds n")),
    "few rows": ("\n".join(GOOD.split("\n")[:4]), ROLES, ("3 rows", "5 free parameters")),
    "one scale": ("params,tokens,loss\n1e8,1e9,3\n1e8,1e9,3.1\n", ROLES, ("two scales",)),
    "copies": (GOOD + GOOD.split("\n", 1)[1], ROLES, ("--duplicates drop", "--duplicates keep")),
    "header alone": ("params,tokens,loss\n", ROLES, ("no rows",)),
    "empty": ("", ROLES, ("is empty",)),
    "unknown law": (GOOD, ["--law", "chinchila", *ROLES[2:]], ("did you mean 'chinchilla'",)),
    "bad option of a law": (GOOD, ["--law", "broken(x)", *ROLES[2:]], ("broken(x)",)),
    "unknown noise": (GOOD, [*ROLES, "--noise", "studnt"], ("did you mean 'student'",)),
    "unknown sampler": (GOOD, [*ROLES, "--sampler", "hmc"], ("nuts, laplace, map",)),
    "unknown precision": (GOOD, [*ROLES, "--precision", "float16"], ("float64 or float32",)),
    "unknown parameter": (GOOD, [*ROLES, "--fix", "gamma=1"], ("'gamma'", "alpha")),
    "fixed at no number": (GOOD, [*ROLES, "--fix", "E=low"], ("--fix", "'low'")),
    "tied to nothing": (GOOD, [*ROLES, "--tie", "beta"], ("--tie", "'beta'")),
    "no law": (GOOD, ROLES[2:], ("--law",)),
    "no response": (GOOD, ROLES[:-2], ("-y is missing",)),
    "one scale of two": (GOOD, [*ROLES[:4], *ROLES[-2:]], ("N, D",)),
    "filter": (GOOD, [*ROLES, "--where", "loss > 9"], ("none of 12 rows",)),
    "filter that calls": (GOOD, [*ROLES, "--where", "open('x')"], ("open",)),
    "too few draws": (GOOD, [*ROLES, "--draws", "1"], ("draws", "at least")),
    "no such option": (GOOD, [*ROLES, "--drws", "9"], ("--drws", "--help")),
    "no integer": (GOOD, [*ROLES, "--draws", "ten"], ("--draws", "integer")),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(capsys, tmp_path, case):
    text, roles, words = BAD[case]
    roles = roles or ["--law", "sigmoid", "-x", "p", "-y", "k/n", "-n", "n"]
    (tmp_path / "bad.csv").write_text(text)
    out = tmp_path / "fit.nc"
    line = complaint(capsys, "fit", str(tmp_path / "bad.csv"), *roles, "-o", str(out))
    assert all(word in line for word in words), line
    assert [each.name for each in tmp_path.iterdir()] == ["bad.csv"]


def test_a_file_that_is_not_there(capsys, tmp_path):
    assert "no such file" in complaint(capsys, "fit", str(tmp_path / "runs.csv"), *ROLES)
    line = complaint(capsys, "fit", "chinchila", *ROLES)
    assert "data sets are chinchilla" in line


def test_an_output_that_cannot_be_written_is_refused_before_sampling(
    capsys, monkeypatch, tmp_path, table
):
    def never(*args, **kwargs):
        raise AssertionError("sampled in vain")

    monkeypatch.setattr(inference, "fit", never)
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "no" / "file.png", tmp_path / "folder.png"):
        for flag in ("-o", "--plot"):
            assert "written" in complaint(capsys, "fit", table, *ROLES, flag, str(path))
    line = complaint(capsys, "fit", table, *ROLES, "--plot", str(tmp_path / "picture.doc"))
    assert ".png" in line
    assert [each.name for each in tmp_path.iterdir()] == ["folder.png"]


def test_broken_files_are_refused(capsys, tmp_path, fitted):
    whole = Path(fitted).read_bytes()
    (tmp_path / "half.nc").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.nc").write_text("no fit")
    for name in ("half.nc", "text.nc", "none.nc"):
        assert name in complaint(capsys, "show", str(tmp_path / name))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (["predict"], ("--at",)),
        (["predict", "--at", "params=7e10"], ("D",)),
        (["predict", "--at", "params=7e10,tokens=many"], ("--at", "'many'")),
        (["predict", "--at", "7e10"], ("--at", "NAME=VALUE")),
        (["predict", "--at", "N=-1,D=1e9"], ("positive",)),
        (["predict", "--at", "N=1,N=2"], ("twice",)),
        (["allocate"], ("--flops", "--budget")),
        (["allocate", "--flops", "-1"], ("positive",)),
        (["predict", "--at", "N=7e10,D=1e12", "--plot", "a.png"], ("--plot", "N, D")),
        (["predict", "--at", "N=7e10,D=1e12", "--seed", "-1"], ("--seed", "0")),
        (["allocate", "--flops", "1e22", "--budget", "1e22"], ("one of them",)),
        (["allocate", "--budget", "many"], ("gpu-days",)),
        (["allocate", "--versus", "N=1e9,D=1e10"], ("twice",)),
        (["allocate", "--match", "N=1e9"], ("--match",)),
        (["threshold", "--at", "D=20*N"], ("level",)),
        (["threshold", "--level", "2"], ("one scale", "20*N")),
        (["threshold", "--level", "2", "--at", "D=20*N", "--horizon", "1"], ("horizon",)),
    ],
)
def test_bad_questions_are_one_line(capsys, fitted, call, words):
    line = complaint(capsys, call[0], fitted, *call[1:])
    assert all(word in line for word in words), line


def test_copies_are_kept_or_dropped_as_told(capsys, monkeypatch, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text(GOOD + GOOD.split("\n", 1)[1])
    seen = []

    def stop(law, data, **kwargs):
        seen.append(len(data))
        raise KeyboardInterrupt

    monkeypatch.setattr(inference, "fit", stop)
    for what, said in (("keep", "kept as independent"), ("drop", "dropped")):
        capsys.readouterr()
        assert main(["fit", str(path), *ROLES, "--duplicates", what]) == 130
        assert said in capsys.readouterr().err
    assert seen == [24, 12]


def test_swapped_scales_are_noticed(capsys, monkeypatch, table):
    def stop(law, data, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(inference, "fit", stop)
    swapped = [*ROLES[:2], "-x", "tokens", "-x", "params", *ROLES[-2:]]
    assert main(["fit", table, *swapped]) == 130
    assert "N exceeds D" in capsys.readouterr().err


def test_a_named_data_set_brings_its_columns(capsys, monkeypatch):
    seen = {}

    def stop(law, data, **kwargs):
        seen.update(law=law.name, curves=data.curve_names, rows=len(data), n=data.n)
        raise KeyboardInterrupt

    monkeypatch.setattr(inference, "fit", stop)
    assert main(["fit", "gpt3_addition", "--where", "params < 7e9"]) == 130
    assert seen["law"] == "sigmoid"
    assert seen["curves"] == ("zero-shot", "one-shot", "few-shot")
    assert seen["rows"] == 18
    assert seen["n"].max() == 2000
    assert "not to be fitted" in complaint(capsys, "fit", "published_models", "--law", "power")


# ------------------------------------------------------------------ lists and the process


def test_lists(capsys):
    assert main(["laws"]) == main(["data"]) == main(["info"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("data_constrained", "gpt3_addition", "jaxlib"))
    assert main(["laws", "broken(2)"]) == main(["data", "chinchilla"]) == 0
    shown = capsys.readouterr().out
    assert "2210.14891" in shown
    assert "2404.10102" in shown
    assert main(["data", "gpt3_addition", "--csv"]) == 0
    assert capsys.readouterr().out.startswith("setting,model,params")
    assert "nonesuch" in complaint(capsys, "data", "nonesuch")
    assert "--help" in complaint(capsys)
    assert "power" in complaint(capsys, "laws", "powr")
    assert main(["laws", "chinchilla", "--at", "N=70,D=1.4T"]) == 0
    shown = capsys.readouterr().out
    assert "in billions? N=70B" in shown
    assert "D=" not in shown.rpartition("note")[2]


def test_an_interrupt_is_one_line(capsys, monkeypatch, table):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(inference, "fit", interrupt)
    assert "interrupted" in complaint(capsys, "fit", table, *ROLES, status=130)


def bayescale(*call, cache, **kwargs):
    """Run the command line as a process of its own."""
    code = "import sys; from bayescale.cli.commands import main; sys.exit(main())"
    env = os.environ | {"BAYESCALE_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *call],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **kwargs,
    )


def test_a_process_keeps_its_programs_and_its_streams_apart(tmp_path, fitted):
    call = ["predict", fitted, "--at", "N=1e9,D=2e10", "--json"]
    process = bayescale(*call, cache=tmp_path)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert strict(out)["predictions"]
    assert err == ""
    assert [*(tmp_path / "jax").iterdir()]


def test_a_cache_that_cannot_be_written_is_passed_over(tmp_path, fitted):
    (tmp_path / "file").write_text("in the way")
    process = bayescale("show", fitted, "--json", cache=tmp_path / "file")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert strict(out)["health"]["sound"]


def test_a_broken_pipe_is_quiet(tmp_path):
    process = bayescale("data", "published_models", "--csv", cache=tmp_path)
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_help_is_quick():
    code = (
        "import sys, time; from bayescale.cli.commands import main; main(sys.argv[1:]);"
        "heavy = {'jax', 'pandas', 'matplotlib', 'numpyro', 'scipy'} & set(sys.modules);"
        "assert not heavy, heavy; assert time.process_time() < 1.0, time.process_time()"
    )
    for call in (["--help"], ["fit", "--help"], ["--version"]):
        done = subprocess.run([sys.executable, "-c", code, *call], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "bayescale" in done.stdout


# ------------------------------------------------------------------ parts


def test_numbers_are_read_as_answers_write_them():
    found = arguments.numbers(["N=70B,D=1.4T", "C=5.76e23"], "--at")
    assert found == {"N": 7e10, "D": 1.4e12, "C": 5.76e23}
    with pytest.raises(ValueError, match="'many' is no number for N"):
        arguments.numbers(["N=many"], "--at")
    with pytest.raises(ValueError, match=r"'1e23' is no assignment; .* and --at again for others"):
        arguments.numbers(["flops=1e22,1e23"], "--at")


def test_assignments():
    found = arguments.assignments(["a*2=1,b=x", "c=3"], "--at")
    assert found == {"a*2": "1", "b": "x", "c": "3"}
    assert arguments.numbers(["7e10"], "--at", "x") == {"x": 7e10}
    assert arguments.rules(["D=20*N,U=1e11"], "--at") == {"D": "20*N", "U": 1e11}


def test_draws_whose_squares_are_beyond_the_floats_have_a_spread():
    found = summarise(1e200 * np.array([1.0, 2.0, 3.0]))
    assert found["mean"] == pytest.approx(2e200)
    assert found["sd"] == pytest.approx(1e200)


def test_spreads_of_draws_that_are_infinite_or_single():
    found = summarise(np.array([1.0] * 50 + [math.inf] * 50))
    assert (found["lo"], found["hi"]) == (1.0, math.inf)
    assert math.isnan(found["mean"])
    assert plain(found)["hi"] is None
    found = plain(summarise(np.array([[2.0]])))
    assert (found["median"], found["sd"], found["lo"]) == (2.0, None, None)
    assert plain({"a": np.float32(1), "b": (np.nan, np.arange(2))}) == {
        "a": 1.0,
        "b": [None, [0, 1]],
    }


@pytest.mark.parametrize(
    ("value", "text"),
    {
        1.8172: "1.817",
        0.0094: "0.0094",
        2410.0: "2410",
        5.76e23: "5.76e23",
        1e11: "1e11",
        -0.5: "-0.5",
        0.0: "0",
        math.nan: "-",
        math.inf: "∞",
    }.items(),
)
def test_numbers_for_reading(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    {
        240: "240",
        1.8172: "1.82",
        999.6: "1k",
        350e6: "350M",
        999.6e6: "1B",
        7.12e10: "71.2B",
        1.4e12: "1.4T",
        5.76e23: "5.76e23",
        1e15: "1e15",
        math.inf: "∞",
        math.nan: "-",
        None: "-",
    }.items(),
)
def test_scales_for_reading(value, text):
    assert count(value) == text


def test_the_demo_computes_what_it_compares_with():
    from bayescale.datasets import tables as datasets

    frame = datasets.load("gpt3_addition")
    few = frame[frame.setting == "few-shot"]
    params, accuracy = few.params.to_numpy(), few.accuracy.to_numpy()
    small = params < 7e9
    half = demo.logistic_half(params[small], accuracy[small])
    assert half == pytest.approx(442e9, rel=0.01)
    assert demo.measured_half(params, accuracy) == pytest.approx(12e9, rel=0.03)


@pytest.mark.usefixtures("quick_forecasts")
def test_the_demo(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "SAMPLER", NUTS(chains=2, warmup=100, draws=50, retries=0))
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    assert "442B" in shown
    assert "GPT-3 175B" in shown
    assert (tmp_path / "bayescale-demo.png").read_bytes().startswith(b"\x89PNG")


def test_the_package_is_the_command_line():
    call = [sys.executable, "-m", "bayescale", "--version"]
    done = subprocess.run(call, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("bayescale ")
