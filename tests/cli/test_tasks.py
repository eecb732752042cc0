"""Tasks, kinds, families and mixtures on the command line."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescale
from bayescale.cli import arguments, output, terminal
from bayescale.cli.commands import main
from bayescale.cli.printed import catalogue
from bayescale.laws import get_law
from bayescale.laws.later import NEVER
from bayescale.workflows import resume
from bayescale.workflows import tasks as many
from bayescale.workflows.hypotheses import prior_of
from bayescale.workflows.task import Task
from tests.documented import kept

QUICK = ["--draws", "200", "--warmup", "200"]
ROLES = ["-x", "flops", "-y", "acc", "-n", "n_questions", "--chance", "chance"]
LAPLACE = ["--sampler", "laplace", "--draws", "250"]
ONE = ["--where", "task == 'rises'"]


@pytest.fixture(scope="session", autouse=True)
def settings_stay():
    """In this process the command line must leave JAX's global settings to the other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "start_jax", lambda: None)
        yield


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """Two tasks of 25 runs: one unlocks at 1e21 FLOP, family b three times earlier; one never."""
    rng, x = np.random.default_rng(0), np.geomspace(1e19, 1e23, 25)
    family = np.array(["a", "b", "c", "a", "b"] * 5)
    scale = x * np.where(family == "b", 3.0, 1.0)
    parts = []
    for task, unlock in (("rises", 1e21), ("never", 1e40)):
        share = 0.25 + 0.7 / (1 + (scale / unlock) ** -1.2)
        acc = rng.binomial(200, share) / 200
        parts.append(pd.DataFrame({"task": task, "flops": x, "family": family, "acc": acc}))
    frame = pd.concat(parts).assign(n_questions=200, chance=0.25)
    path = tmp_path_factory.mktemp("tasks") / "tasks.csv"
    frame.to_csv(path, index=False)
    return str(path)


@pytest.fixture(scope="session")
def answered(table):
    """The folder that `tasks -o` makes."""
    place = Path(table).with_name("page")
    call = ["tasks", table, "--curve", "task", *ROLES, "--laws", "sigmoid,flat", *QUICK]
    assert main([*call, "--backtest", ".25", "-o", str(place)]) == 0
    return place


def fitted(table, law, *more):
    path = str(Path(table).with_name(f"{law}{len(more)}.nc"))
    main(["fit", table, "--law", law, *ROLES, *LAPLACE, *more, "-o", path])
    return path


@pytest.fixture(scope="session")
def two(table):
    """Two laws of the task that rises, as files."""
    return [fitted(table, law, *ONE) for law in ("sigmoid", "flat")]


@pytest.fixture(scope="session")
def pooled(table):
    """A fit of both tasks in which the families differ."""
    return fitted(table, "sigmoid", "--curve", "task", "--group", "family")


def strict(text):
    """Parse JSON; NaN and Infinity, which are none, are refused by `int`."""
    return json.loads(text, parse_constant=int)


def asked(capsys, *call):
    """Return the document that a call with --json prints."""
    capsys.readouterr()
    assert main([*call, "--json"]) in (0, 1)
    form = "Tasks" if call[0] == "tasks" else "Document"
    return kept(strict(capsys.readouterr().out), form)


def complaint(capsys, *call):
    """Return the one line with which a call is refused."""
    capsys.readouterr()
    assert main(list(call)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    (line,) = [line for line in said.err.splitlines() if line.startswith("bayescale: ")]
    return line


# ------------------------------------------------------------------ tasks


def test_the_files_of_a_page_of_tasks(answered):
    assert sorted(each.name for each in answered.iterdir()) == sorted([*output.FILES, "fits"])
    frame = pd.read_csv(answered / "tasks.csv", index_col="task")
    assert frame.loc["rises", "log10_unlock"] == pytest.approx(20.8, abs=0.3)
    assert frame.loc["never", "kind"] == "flat"
    assert (answered / "tasks.png").read_bytes().startswith(b"\x89PNG")


def test_the_document_of_tasks(answered):
    found = kept(strict((answered / "tasks.json").read_text()), "Tasks")
    assert {"tasks", "laws", "prior", "health", "sampling"} == found.keys()
    assert found["tasks"].keys() == {"rises", "never"}
    assert found["prior"] == prior_of([get_law("sigmoid"), get_law("flat")])
    assert found["health"] == {"sound": True, "tasks": 2, "failed": []}
    assert found["sampling"]["sampler"]["draws"] == 200
    assert found["sampling"]["data"]["columns"]["curve"] == "task"
    for each in found["tasks"].values():
        assert {"kind", "explanation", "threshold", "lost", "laws", "health"} == each.keys()
        assert each["lost"] is None
        assert sum(each["kind"]["kinds"].values()) == pytest.approx(1)
        assert {"log10", "p_never", "p_already"} <= each["threshold"].keys()
        assert each["threshold"]["level"] == 0.625
    rises, never = found["tasks"]["rises"], found["tasks"]["never"]
    ends = rises["threshold"]["log10"]
    assert ends["lo"] < ends["median"] < ends["hi"]
    assert rises["explanation"]["law"] is None  # one law of a rise, against no other
    assert rises["explanation"]["weights"] == {"sigmoid": 1.0}
    assert rises["explanation"]["backtest"]["sigmoid"]["runs"] == 6
    assert never["threshold"]["log10"]["median"] is None
    assert never["threshold"]["p_never"] > 0.5


def stub(name="hard"):
    """A task of which no law's fit is sound."""
    failed = {"sigmoid": "R-hat 1.4", "flat": "R-hat 1.1"}
    return Task(name, None, None, None, None, None, failed, 1.0)


def test_a_task_without_a_sound_law_exits_1(capsys, monkeypatch, table):
    page = many.Tasks({"hard": stub()}, ("sigmoid", "flat"), {"sigmoid": 0.5, "flat": 0.5})
    monkeypatch.setattr(many, "tasks", lambda *args, **kwargs: page)
    assert main(["tasks", table, "--curve", "task", *ROLES]) == 1
    shown = capsys.readouterr().out
    assert "NOT TRUSTED" in shown
    assert "R-hat 1.4" in shown
    found = asked(capsys, "tasks", table, "--curve", "task", *ROLES)
    assert found["tasks"]["hard"]["kind"] is None
    assert found["tasks"]["hard"]["health"]["failed"].keys() == {"sigmoid", "flat"}
    assert found["health"]["failed"] == ["hard"]
    assert found["sampling"]["laws"] == list(many.ACCURACIES)


BAD = {
    "unknown law": (["--laws", "sigmoid,flatt"], ("did you mean 'flat'",)),
    "law of a loss": (["--laws", "power"], ("takes laws of accuracy",)),
    "unknown column": (["--curve", "tsk"], ("'tsk'", "did you mean 'task'")),
    "no response": ([], ("-y is missing",)),
    "level": (["--level", "1.5"], ("--level", "between 0 and 1")),
    "no level": (["--level", "most"], ("--level", "'most'")),
    "horizon": (["--horizon", "1e20"], ("--horizon", "largest run")),
    "misfit": (["--misfit", "-1"], ("--misfit",)),
    "backtest": (["--backtest", "1"], ("--backtest", "between 0 and 1")),
    "noise": (["--noise", "bad"], ("unknown noise",)),
    "pool without groups": (["--pool", "x50", "--laws", "sigmoid"], ("--group",)),
    "few draws": (["--draws", "1"], ("draws",)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_before_any_fit(capsys, monkeypatch, tmp_path, table, case):
    monkeypatch.setattr(resume, "fit", None)
    more, words = BAD[case]
    roles = ROLES[:2] if case == "no response" else ROLES
    line = complaint(capsys, "tasks", table, *roles, *more, "-o", str(tmp_path / "page"))
    assert all(word in line for word in words), line
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_cannot_be_written_is_refused(capsys, monkeypatch, tmp_path, table):
    monkeypatch.setattr(resume, "fit", None)
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "page" / "tasks.csv").mkdir(parents=True)
    for name in ("file", "none/page", "page"):
        line = complaint(capsys, "tasks", table, *ROLES, "-o", str(tmp_path / name))
        assert "cannot be written" in line


# ------------------------------------------------------------------ families, mixtures, kinds


def test_families_have_a_table_of_their_own(capsys, pooled):
    found = asked(capsys, "show", pooled)["curves"]["rises"]
    assert "x50_sd" in found["quantities"]
    assert not [name for name in found["quantities"] if name.startswith("x50_shift")]
    shifts = found["groups"]["x50"]
    assert shifts.keys() == {"a", "b", "c"}
    assert shifts["b"]["median"] < shifts["a"]["median"]
    assert (shifts["b"]["unit"], shifts["b"]["runs"]) == ("decades", 10)
    main(["show", pooled])
    shown = capsys.readouterr().out
    assert "x50 of each group" in shown
    assert "x50_shift1" not in shown


def test_a_family_is_asked_about(capsys, pooled):
    call, medians = ["threshold", pooled, "--allow-failed", "--group"], {}
    for family in ("b", "average", "new"):
        found = asked(capsys, *call, family)["curves"]["rises"]["threshold"]
        medians[family] = found["log10"]["median"]
        said = {"b": "b", "average": "the average one", "new": "a new one"}[family]
        assert any(f"of the groups, this speaks of {said}" in each for each in found["notes"])
    assert medians["b"] < medians["average"]
    line = complaint(capsys, *call, "zz")
    assert "there are: 'a', 'b', 'c'" in line
    at = ["--at", "x=1e24", "--group", "new", "--allow-failed"]
    assert main(["predict", pooled, *at]) in (0, 1)
    assert "speaks of a new one" in " ".join(capsys.readouterr().out.split())


def test_several_fits_are_mixed(capsys, two):
    call = ["threshold", *two, "--weights", ".7,.3", "--level", ".8", "--allow-failed"]
    found = asked(capsys, *call)
    assert found["fits"].keys() == {"sigmoid", "flat"}
    assert found["sampling"]["weights"] == {"sigmoid": 0.7, "flat": 0.3}
    answer = found["threshold"]
    assert answer["members"]["sigmoid"]["weight"] == pytest.approx(0.7)
    # What is flat over the data may still rise beyond them: `laws.later`.
    never = answer["members"]["flat"]["p_never"]
    assert NEVER <= never < 1
    assert answer["p_never"] == pytest.approx(0.3 * never, abs=0.01)
    assert answer["spread"]["left_out"] == ["flat"]
    main(call)
    assert "sigmoid (0.70)" in capsys.readouterr().out
    assert "--weights" in complaint(capsys, "threshold", *two, "--weights", "1")
    assert "twice" in complaint(capsys, "threshold", two[0], two[0])


def test_kinds(capsys, two):
    found = asked(capsys, "kind", *two, "--cut", ".1", "--allow-failed")["kind"]
    assert found["cut"] == 0.1
    assert sum(found["half"].values()) == pytest.approx(1)
    assert found["kinds"]["flat"] == pytest.approx(0.5, abs=0.02)
    assert main(["kind", two[1], "--allow-failed"]) in (0, 1)
    shown = capsys.readouterr().out
    assert "cut 0.05" in shown
    assert "cut" in complaint(capsys, "kind", two[1], "--allow-failed", "--cut", "-1")


def test_less_of_a_loss_is_later(capsys, tmp_path):
    loss = np.geomspace(4, 2, 25)
    acc = np.round(200 * (0.1 + 0.85 / (1 + np.exp(6 * (loss - 2.3))))) / 200
    pd.DataFrame({"loss": loss, "acc": acc, "n": 200}).to_csv(tmp_path / "loss.csv", index=False)
    path, roles = str(tmp_path / "loss.nc"), ["-x", "loss", "-y", "acc", "-n", "n"]
    main(["fit", str(tmp_path / "loss.csv"), "--law", "from_loss", *roles, *LAPLACE, "-o", path])
    capsys.readouterr()
    main(["threshold", path, "--level", ".93", "--allow-failed"])
    told = [one for one in capsys.readouterr().out.splitlines() if one.startswith("probability")]
    (line,) = [one for one in told if " by " in one]
    shares = [float(part.split()[-3]) for part in line.removeprefix("probability").split(",")[:4]]
    assert shares == sorted(shares)
    assert "by 2," in line


# ------------------------------------------------------------------ parts


def test_names_noises_and_levels():
    found = arguments.names(["sigmoid,broken(2, True)", "flat"])
    assert found == ("sigmoid", "broken(2, True)", "flat")
    assert arguments.names(None) is arguments.names([]) is arguments.names("") is None
    assert arguments.noise(["student"]) == "student"
    found = arguments.noise(["loss=student", "accuracy=beta_binomial"])
    assert found == {"loss": "student", "accuracy": "beta_binomial"}
    with pytest.raises(ValueError, match="of which response"):
        arguments.noise(["student", "loss=student"])
    assert [arguments.level(text) for text in ("half", ".5", None)] == ["half", 0.5, None]


def test_responses_are_named_once_each(capsys, monkeypatch, tmp_path):
    seen = {}

    def stop(law, data, **kwargs):
        seen.update(kwargs, responses=[*data.responses])
        raise KeyboardInterrupt

    monkeypatch.setattr("bayescale.inference.fit.fit", stop)
    text = "x,l,a,n\n" + "".join(f"{i},{3 - i / 9},.{i},10\n" for i in range(1, 9))
    (tmp_path / "t.csv").write_text(text)
    call = ["fit", str(tmp_path / "t.csv"), "--law", "two_stage", "-x", "x", "-n", "n"]
    call += ["-y", "accuracy=a", "-y", "loss=l", "--noise", "loss=lognormal"]
    assert main(call) == 130
    assert seen["responses"] == ["accuracy", "loss"]
    assert seen["noise"] == {"loss": "lognormal"}
    assert seen["pool"] is None


def test_laws_read_well(capsys):
    assert main(["laws", "distractor"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Small models guess (g), middling ones do a distractor task" in shown
    assert "2211.02011" in shown
    assert main(["laws", "two_stage"]) == main(["laws", "from_loss"]) == 0
    shown = capsys.readouterr().out
    assert "-y loss=COLUMN" in shown
    assert "L (less is better)" in shown
    assert catalogue._flowing("a\nb\n\nlink\n    is kept") == "a b\n\nlink\n    is kept"


def test_no_name_of_the_package_is_that_of_a_module():
    files = {path.stem for path in Path(bayescale.__file__).parent.glob("*")}
    assert not files & bayescale._HOMES.keys()
    for name, home in bayescale._HOMES.items():
        assert getattr(bayescale, name) is getattr(import_module(f"bayescale.{home}"), name)
