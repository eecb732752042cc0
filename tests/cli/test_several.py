"""Commands that ask several laws or conditions, isoflop and metric-or-model; help, completion."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
import typer

import bayescale as bs
from bayescale.cli import saved as files
from bayescale.cli import terminal
from bayescale.cli.app import app
from bayescale.cli.commands import main
from bayescale.cli.examples import EXAMPLES
from bayescale.planning import isoflop as planning
from bayescale.workflows import metric_or_model as judging
from tests.documented import kept
from tests.planning.test_isoflop import runs
from tests.test_examples import loss_fit, pooled_fit  # noqa: F401


@pytest.fixture(autouse=True)
def settings_stay(monkeypatch):
    monkeypatch.setattr(terminal, "start_jax", lambda: None)


def document(capsys, *call, status=(0, 1), form="Document"):
    capsys.readouterr()
    assert main([*call, "--json"]) in status
    return kept(json.loads(capsys.readouterr().out), form)


def complaint(capsys, *call):
    capsys.readouterr()
    assert main([*call]) == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture
def kept_as(monkeypatch):
    """Return how a posterior is put in a place from which the command line loads it."""
    places = {}
    monkeypatch.setattr(files, "load", places.__getitem__)

    def keep(one, path):
        places[path] = one
        return path

    return keep


@pytest.fixture
def saved(rivals, tmp_path, kept_as):
    return [kept_as(one, str(tmp_path / f"{name}.nc")) for name, one in rivals.items()]


def test_laws_are_compared_and_explain(capsys, saved, rivals):
    found = document(capsys, "compare-laws", *saved)
    want = bs.compare_laws(rivals).summary()
    assert found["laws"].keys() == want.keys()
    for law, each in want.items():
        assert found["laws"][law]["elpd"] == pytest.approx(each["elpd"], abs=1e-6)
    text = ",".join(f"{law}={int(i == 0)}" for i, law in enumerate(rivals))
    believed = document(capsys, "compare-laws", *saved, "--prior", text)["laws"]
    assert believed[next(iter(rivals))]["probability"] == pytest.approx(1.0)
    assert main(["compare-laws", *saved]) in (0, 1)
    assert "laws of the same runs" in capsys.readouterr().out
    why = document(capsys, "explain", *saved)["explanation"]
    assert why == json.loads(json.dumps(bs.explain(rivals).summary()))
    assert "under several laws" in complaint(capsys, "compare-laws", saved[0])


def test_loss_and_task_are_related(capsys, kept_as, loss_fit):  # noqa: F811
    path = kept_as(loss_fit, "loss.nc")
    found = document(capsys, "relate", path, "--allow-failed")["relation"]
    assert found["rows"] == 12
    assert found["r2"]["median"] > 0.9
    assert main(["relate", path, "--allow-failed"]) in (0, 1)
    assert capsys.readouterr().out


def test_conditions_are_told_apart(capsys, kept_as, pooled_fit):  # noqa: F811
    path = kept_as(pooled_fit, "pooled.nc")
    call = ["conditions", path, "--level", "0.6", "--reference", "cloze", "--allow-failed"]
    found = document(capsys, *call)["conditions"]
    assert found["reference"] == "cloze"
    assert [*found["changes"]] == ["letters"]
    late = {k: each["log10"]["median"] for k, each in found["thresholds"].items()}
    assert late["letters"] > late["cloze"]
    call[-2] = "verse"
    assert "verse" in complaint(capsys, *call)


@pytest.fixture
def swept(tmp_path):
    frame, _ = runs()
    path = tmp_path / "sweep.csv"
    frame.rename(columns={"N": "params", "D": "tokens"}).to_csv(path, index=False)
    return [str(path), "-x", "params", "-x", "tokens", "-y", "loss"]


def test_isoflop(capsys, monkeypatch, swept, chinchilla_fit):
    found = document(capsys, "isoflop", *swept, "--law", "none", form="IsoFlop", status=(0,))
    assert len(found["budgets"]) == 6
    assert found["a"]["lo"] < 0.37 / 0.72 < found["a"]["hi"]
    assert found["law"] is None
    failed = replace(chinchilla_fit.health.verdicts[0], prediction_rhat=2.0)
    health = replace(chinchilla_fit.health, verdicts=(failed,))
    for one in (chinchilla_fit, replace(chinchilla_fit, health=health)):
        monkeypatch.setattr(planning, "fit", lambda law, data, one=one, **how: one)
        assert main(["isoflop", *swept]) == (0 if one.health.sound else 1)
        assert "by chinchilla" in capsys.readouterr().out
    assert "numbers" in complaint(capsys, "isoflop", *swept, "--budgets", "many")
    assert "head" in complaint(capsys, "isoflop", *swept, "--count", "haed")


def test_metric_or_model_gets_what_the_call_says(capsys, monkeypatch, tmp_path):
    """Its five fits are tried in tests/workflows."""
    hypotheses = dict.fromkeys(judging.HYPOTHESES, 1 / 3)
    laws = dict.fromkeys(judging.HYPOTHESIS, -1.0)
    answer = judging.MetricOrModel(hypotheses, hypotheses, laws, laws, laws, {}, hypotheses)
    asked = []

    def judged(data, **how):
        asked.append((data, how))
        return {"a": answer, "b": answer} if data.curve is not None else answer

    monkeypatch.setattr(judging, "metric_or_model", judged)
    frame = pd.DataFrame({"x": [1e8, 1e9] * 2, "acc": [0.2, 0.6] * 2, "nll": [3.0, 1.0] * 2})
    frame.assign(task=["a", "a", "b", "b"]).to_csv(tmp_path / "t.csv", index=False)
    call = ["metric-or-model", str(tmp_path / "t.csv"), "-x", "x"]
    call += ["-y", "accuracy=acc", "-y", "loss=nll"]
    one = ["--where", "task == 'a'", "--prior", "metric=.5,model=.5", "--noise", "loss=lognormal"]
    document(capsys, *call, *one, form="MetricOrModel", status=(0,))
    data, how = asked[-1]
    assert len(data) == 2
    assert how["prior"] == {"metric": 0.5, "model": 0.5}
    assert how["noise"] == {"loss": "lognormal"}
    capsys.readouterr()
    assert main([*call, "--curve", "task", "--json"]) == 0
    both = json.loads(capsys.readouterr().out)["curves"]
    assert [kept(each, "MetricOrModel")["hypothesis"] for each in both.values()] == [None, None]
    assert main([*call, "--curve", "task"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^a$", shown, re.M)
    assert re.search(r"^b$", shown, re.M)


# ------------------------------------------------------------------ help and completion


def commands():
    """Return every command by its name, those of `import` among them."""
    root = typer.main.get_command(app)
    within = root.commands["import"].commands
    return {k: v for k, v in root.commands.items() if k != "import"} | within


@pytest.mark.parametrize("name", sorted(commands()))
def test_each_command_has_an_example_that_parses_and_options_in_panels(name, capsys):
    one = commands()[name]
    words = shlex.split(EXAMPLES[name].partition(" > ")[0])
    start = 3 if words[1] == "import" else 2
    assert words[start - 1] == name
    with one.make_context(name, words[start:]) as context:
        assert context.command is one
    assert EXAMPLES[name] in one.epilog
    panels = {p.rich_help_panel for p in one.params if p.param_type_name == "option"}
    assert panels <= {"Table", "Fit", "Question", "Answer", None}
    unsorted = [p.name for p in one.params if p.opts[0][0] == "-" and p.rich_help_panel is None]
    assert unsorted in ([], ["help"])


def test_no_example_is_of_a_command_that_is_not_there():
    assert EXAMPLES.keys() == commands().keys()


CODE = "import sys; from bayescale.cli.commands import main; sys.exit(main())"


@pytest.mark.parametrize(
    ("line", "offered"),
    {
        "bayescale comp": {"compare-laws"},
        "bayescale data g": {"gpt3_addition"},
        "bayescale fit runs.csv --sampler l": {"laplace"},
        "bayescale fit runs.csv --law two": {"two_stage"},
        "bayescale isoflop runs.csv --count h": {"head"},
        "bayescale import l": {"lm-eval"},
    }.items(),
)
def test_a_shell_completes(line, offered):
    told = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    told |= {"_BAYESCALE_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=os.environ | told, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == offered


def test_completion_is_installed_for_a_shell(tmp_path):
    for shell, file in (("bash", ".bash_completions/bayescale.sh"), ("zsh", ".zfunc/_bayescale")):
        # Where the shell that runs can't be told, typer asks for its name.
        call = f"import typer.completion as c; print(c.install('{shell}', 'bayescale')[1])"
        home = os.environ | {"HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", call], env=home, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "_BAYESCALE_COMPLETE" in (tmp_path / file).read_text()
    shown = subprocess.run(
        [sys.executable, "-c", CODE, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "--install-completion" in shown
