"""Results of lm-evaluation-harness and exports of Weights & Biases, in the forms that they have."""

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

import bayescale as bs
from bayescale.cli import terminal
from bayescale.cli.commands import main
from bayescale.messages import TOLD, DataError


def refusal(call, *args, **kwargs):
    with pytest.raises(DataError) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


# ------------------------------------------------------------------ lm-evaluation-harness


def results(model="EleutherAI/pythia-70m", acc=0.58, date=1769439493.1, params=None, **more):
    """A file as harness 0.4 writes it: a task alone, a group of two, a task that generates."""
    choices = {"output_type": "multiple_choice", "doc_to_choice": ["A", "B", "C", "D"]}
    own = {} if params is None else {"model_num_parameters": params, "model_revision": "main"}
    whole = {
        "results": {
            "piqa": {
                "alias": "piqa",
                "acc,none": acc,
                "acc_stderr,none": 0.0115,
                "acc_norm,none": acc + 0.01,
                "acc_norm_stderr,none": 0.0114,
            },
            "quiz": {"acc,none": 0.255, "acc_stderr,none": 0.0219, "alias": "quiz"},
            "quiz_law": {"alias": " - quiz_law", "acc,none": 0.276, "acc_stderr,none": 0.0592},
            "quiz_art": {"alias": " - quiz_art", "acc,none": 0.245, "acc_stderr,none": "N/A"},
            "gsm8k": {
                "alias": "gsm8k",
                "exact_match,strict-match": 0.02,
                "exact_match_stderr,strict-match": 0.0039,
                "exact_match,flexible-extract": 0.03,
                "exact_match_stderr,flexible-extract": 0.0047,
            },
            "wikitext": {"alias": "wikitext", "word_perplexity,none": 47.1, "bits,none": "N/A"},
        },
        "groups": {"quiz": {"acc,none": 0.255, "acc_stderr,none": 0.0219, "alias": "quiz"}},
        "group_subtasks": {"quiz": ["quiz_law", "quiz_art"], "piqa": []},
        "configs": {
            "piqa": {"output_type": "multiple_choice", "doc_to_choice": "{{[sol1, sol2]}}"},
            "quiz_law": choices,
            "quiz_art": choices,
            "gsm8k": {"output_type": "generate_until"},
        },
        "versions": {"piqa": 1.0},
        "n-shot": {"piqa": 0, "quiz_law": 0, "quiz_art": 0, "gsm8k": 5},
        "higher_is_better": {"piqa": {"acc": True}, "wikitext": {"word_perplexity": False}},
        "n-samples": {
            "piqa": {"original": 1838, "effective": 1838},
            "quiz_law": {"original": 58, "effective": 58},
            "quiz_art": {"original": 102, "effective": 100},
        },
        "config": {
            "model": "hf",
            "model_args": {"pretrained": model, "dtype": "bfloat16"},
            "limit": None,
            **own,
        },
        "git_hash": "b97e2b2",
        "date": date,
        "lm_eval_version": "0.4.9.2",
        "model_source": "hf",
        "model_name": model,
        "model_name_sanitized": model.replace("/", "__"),
    }
    return whole | more


OLD = {
    "results": {
        "lambada_openai": {"ppl": 18.3, "ppl_stderr": 0.6, "acc": 0.42, "acc_stderr": 0.0069},
        "piqa": {"acc": 0.62, "acc_stderr": 0.0113, "acc_norm": 0.61, "acc_norm_stderr": 0.0114},
    },
    "versions": {"lambada_openai": 0, "piqa": 0},
    "config": {
        "model": "hf-causal-experimental",
        "model_args": "pretrained=EleutherAI/pythia-160m,revision=step143000",
        "num_fewshot": 5,
        "batch_size": 16,
        "limit": None,
    },
}
"""A file as harness 0.3 wrote it."""


@pytest.fixture
def folder(tmp_path):
    """Results of three models in folders of their own, as the harness lays them out."""
    for model, acc in (("EleutherAI/pythia-70m", 0.58), ("EleutherAI/pythia-410m", 0.66)):
        place = tmp_path / model.replace("/", "__")
        place.mkdir()
        name = "results_2026-01-26T15-00-37.633186.json"
        (place / name).write_text(json.dumps(results(model, acc)))
        (place / "samples_piqa_2026-01-26T15-00-37.633186.jsonl").write_text('{"doc_id": 0}\n')
    (tmp_path / "old.json").write_text(json.dumps(OLD))
    (tmp_path / "notes.json").write_text('{"mine": 1}')
    return tmp_path


def test_results_are_rows(tmp_path):
    path = tmp_path / "results_1.json"
    path.write_text(json.dumps(results(params=70426624)))
    frame = bs.read_lm_eval(path)
    assert frame.columns.tolist() == [
        *("model", "params", "task", "part_of", "parts", "n_shot", "metric", "filter"),
        *("value", "n", "stderr", "chance", "higher_is_better"),
    ]
    rows = {
        (row.task, row.metric, row["filter"]): row
        for _, row in frame.astype(object).where(frame.notna(), None).iterrows()
    }
    piqa = rows["piqa", "acc_norm", "none"]
    assert (piqa.model, piqa.params) == ("EleutherAI/pythia-70m", 70426624)
    assert (piqa.value, piqa.n, piqa.stderr, piqa.chance) == (0.59, 1838, 0.0114, 0.5)
    assert (piqa.n_shot, piqa.parts, piqa.part_of) == (0, 0, None)
    quiz = rows["quiz", "acc", "none"]
    assert (quiz.n, quiz.chance, quiz.parts) == (158, 0.25, 2)  # of the group's tasks together
    art = rows["quiz_art", "acc", "none"]
    assert (art.n, art.stderr, art.part_of) == (100, None, "quiz")
    gsm = rows["gsm8k", "exact_match", "flexible-extract"]
    assert (gsm.value, gsm.stderr, gsm.chance, gsm.n_shot) == (0.03, 0.0047, 0.0, 5)
    word = rows["wikitext", "word_perplexity", "none"]
    assert (word.chance, word.higher_is_better) == (None, False)
    assert len(frame) == 8
    assert frame.attrs[TOLD] == {"left_out": "left out: 1 with no number"}  # bits: N/A


def test_folders_of_several_models_and_older_files(folder):
    frame = bs.read_lm_eval(
        folder, models={"model": ["pythia-70m", "PYTHIA-410M"], "params": [7e7, 4e8]}
    )
    params = frame.groupby("model")["params"].first()
    assert params["EleutherAI/pythia-70m"] == 7e7
    assert params["EleutherAI/pythia-410m"] == 4e8
    old = frame[frame["model"] == "EleutherAI/pythia-160m"]
    assert old["params"].isna().all()
    assert old["revision"].tolist() == ["step143000"] * 4
    assert old["metric"].tolist() == ["ppl", "acc", "acc", "acc_norm"]
    assert old["chance"].fillna(-1).tolist() == [-1, 0, 0.5, 0.5]
    assert old["n_shot"].tolist() == [5] * 4
    notes = frame.attrs[TOLD]
    assert notes["models"] == "models has no row for EleutherAI/pythia-160m: cells are left empty"
    assert notes["left_out"] == (
        "left out: 1 with no results; 2 with no number (files: notes.json)"
    )
    data = bs.from_frame(
        frame,
        "params",
        "value",
        chance="chance",
        where="task == 'piqa' and metric == 'acc' and isfinite(params)",
    )
    assert data.responses["y"].tolist() == [0.58, 0.66] or data.responses["y"].tolist() == [
        0.66,
        0.58,
    ]
    assert {note.kind for note in data.notes} >= {"models", "left_out", "where"}


def test_of_results_that_repeat_the_latest_are_kept(tmp_path):
    for name, acc, date in (("a", 0.6, 2.0), ("b", 0.5, 1.0)):
        (tmp_path / f"{name}.json").write_text(json.dumps(results(acc=acc, date=date)))
    frame = bs.read_lm_eval([tmp_path / "a.json", tmp_path / "b.json"])
    assert frame["value"][frame["task"] == "piqa"].tolist() == [0.6, 0.61]
    assert "8 with an earlier result" in frame.attrs[TOLD]["left_out"]
    more = results(acc=0.7) | {"n-shot": {"piqa": 5}}
    (tmp_path / "c.json").write_text(json.dumps(more))
    both = bs.read_lm_eval([tmp_path / "a.json", tmp_path / "c.json"])
    assert both["value"][(both["task"] == "piqa") & (both["metric"] == "acc")].tolist() == [
        0.6,
        0.7,
    ]


def test_a_model_without_a_name_is_called_by_its_folder(tmp_path):
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / "results_1.json"
    path.write_text(json.dumps(results("") | {"config": {"model": "local-completions"}}))
    frame = bs.read_lm_eval(path)
    assert set(frame["model"]) == {"mine"}
    assert (
        frame.attrs[TOLD]["model"]
        == "results_1.json names no model: it is called by its folder, mine"
    )
    assert "nothing is told of parameters" in frame.attrs[TOLD]["params"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no readable JSON"),
        ("[]", "holds no results of lm-evaluation-harness"),
        ('{"results": {"piqa": 3}}', "holds no results"),
        ('{"results": {}}', "no results are there"),
        ('{"results": {"piqa": {"acc,none": "N/A"}}}', "no results are there"),
    ],
)
def test_files_without_results(tmp_path, content, words):
    (tmp_path / "results_1.json").write_text(content)
    assert words in refusal(bs.read_lm_eval, tmp_path / "results_1.json")


def test_paths_and_tables_of_models_that_do_not_fit(folder, tmp_path):
    assert "no such file, nor a folder" in refusal(bs.read_lm_eval, tmp_path / "no")
    (tmp_path / "void").mkdir()
    assert "no file in this folder ends in .json" in refusal(bs.read_lm_eval, tmp_path / "void")
    path = folder / "old.json"
    other = refusal(bs.read_lm_eval, path, models={"model": ["gpt2"], "params": [1]})
    assert (
        "models: has none of the 1 names of model; they are called 'EleutherAI/pythia-160m'"
        in other
    )
    assert "has no column 'model'" in refusal(bs.read_lm_eval, path, models={"name": ["a"]})
    twice = refusal(bs.read_lm_eval, path, models={"model": ["a", "a"], "params": [1, 2]})
    assert "row 2: model 'a' stands twice" in twice


def test_the_command_goes_on_to_tasks(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    models, table = tmp_path / "models.csv", tmp_path / "evals.csv"
    models.write_text("model,params\npythia-70m,7e7\npythia-160m,1.6e8\npythia-410m,4.1e8\n")
    args = ["import", "lm-eval", str(folder), "-o", str(table), "--models", str(models)]
    assert main(args) == terminal.SOUND
    told = capsys.readouterr()
    assert told.out == ""
    assert "rows, columns model, revision, task" in told.err
    (line,) = [each for each in told.err.splitlines() if each.startswith("next: ")]
    words = shlex.split(line.removeprefix("next: bayescale "))
    where = words[words.index("--where") + 1]
    assert words[:6] == ["tasks", str(table), "--curve", "task", "-x", "params"]
    data = bs.from_frame(
        bs.read_table(table), "params", "value", n="n", chance="chance", curve="task", where=where
    )
    assert where == "metric == 'acc' and isfinite(n)"
    assert {*data.curve_names} == {"piqa", "quiz", "quiz_law", "quiz_art"}
    assert main(["import", "lm-eval", str(folder / "old.json")]) == terminal.SOUND
    assert capsys.readouterr().out.startswith("model,revision,task,n_shot,metric,filter,value")


# ------------------------------------------------------------------ Weights & Biases

CHART = """\
"Step","llama-30M - eval/loss","llama-30M - eval/loss__MIN","llama-30M - eval/loss__MAX",\
"llama - 90M - eval/loss","llama - 90M - eval/loss__MIN","llama - 90M - eval/loss__MAX"
"500","4.679","4.679","4.679","","",""
"1000","","","","3.933","3.9","3.97"
"2000","4.171","4.171","4.171","3.7","3.7","3.7"
"4000","NaN","","","3.547","3.547","3.547"
"""
HISTORY = """\
,train/loss,_step,_runtime,_timestamp,eval/loss,throughput/total_tokens,system/gpu.0.memory,note
0,8.1,0,1.2,1700000001.5,,1000,12.5,
1,6.2,100,9.8,1700000010.1,6.4,101000,12.5,
2,5.1,200,18.5,1700000018.9,5.3,201000,12.5,
"""


def test_charts(tmp_path):
    path = tmp_path / "wandb_export_2026-01-26T15_00_37.csv"
    path.write_text(CHART)
    frame = bs.read_wandb(path, models={"run": ["llama-30M", "llama - 90M"], "params": [3e7, 9e7]})
    assert frame.columns.tolist() == ["run", "Step", "eval/loss", "params"]
    assert frame["run"].tolist() == ["llama-30M"] * 2 + ["llama - 90M"] * 3
    assert frame["Step"].tolist() == [500, 2000, 1000, 2000, 4000]
    assert frame["params"].tolist() == [3e7] * 2 + [9e7] * 3
    assert frame.attrs[TOLD]["left_out"] == "left out: 4 columns __MIN and __MAX"
    assert frame.attrs[TOLD]["averaged"].startswith("in 1 of 5 points __MIN and __MAX differ")
    data = bs.from_frame(frame, "Step", "eval/loss", curve="run")
    assert data.curve_names == ("llama-30M", "llama - 90M")


def test_a_chart_of_several_metrics_and_another_axis(tmp_path):
    path = tmp_path / "chart.csv"
    path.write_text("tokens,a - loss,b - loss,a - acc\n1e9,4,3.5,.3\n2e9,3.8,,.4\n")
    frame = bs.read_wandb(path)
    assert frame.columns.tolist() == ["run", "tokens", "loss", "acc"]
    assert frame.fillna(-1).to_numpy().tolist() == [
        ["a", 1e9, 4.0, 0.3],
        ["a", 2e9, 3.8, 0.4],
        ["b", 1e9, 3.5, -1],
    ]


def test_histories(tmp_path):
    for run in ("small", "large"):
        (tmp_path / f"{run}.csv").write_text(HISTORY)
    frame = bs.read_wandb([tmp_path / "small.csv", tmp_path / "large.csv"])
    assert frame.columns.tolist() == [
        *("run", "train/loss", "_step", "eval/loss", "throughput/total_tokens")
    ]
    assert frame["run"].tolist() == ["small"] * 3 + ["large"] * 3
    notes = frame.attrs[TOLD]
    assert notes["left_out"] == (
        "left out: 5 columns (Unnamed: 0, _runtime, _timestamp, system/gpu.0.memory, note)"
    )
    where = re.search(r"--where '(.*)'", notes["gaps"])[1]
    data = bs.from_frame(frame, "throughput/total_tokens", "eval/loss", curve="run", where=where)
    assert data.responses["y"].tolist() == [6.4, 5.3] * 2
    lines = [{"_step": i, "name": "r", "loss": 4.0 - i, "_timestamp": i} for i in range(3)]
    (tmp_path / "h.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert bs.read_wandb(tmp_path / "h.jsonl").columns.tolist() == ["run", "_step", "loss"]


def test_histories_of_one_file_name_are_runs_of_their_own(tmp_path):
    paths = [tmp_path / run / "history.csv" for run in ("small", "large")]
    paths += [tmp_path / "gpt-1.3B.csv", tmp_path / "gpt-1.5B.csv"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(HISTORY)
    assert [*bs.read_wandb(paths[:2])["run"].unique()] == ["small/history", "large/history"]
    assert [*bs.read_wandb(paths[2:])["run"].unique()] == ["gpt-1.3B", "gpt-1.5B"]


def test_notes_of_all_files_are_told(tmp_path):
    (tmp_path / "a.csv").write_text("_step,_timestamp,loss\n1,1,4\n2,2,\n")
    (tmp_path / "b.csv").write_text("_step,_runtime,loss\n1,1,4\n2,2,3\n")
    notes = bs.read_wandb([tmp_path / "a.csv", tmp_path / "b.csv"]).attrs[TOLD]
    assert notes["left_out"] == (
        "a: left out: 1 column (_timestamp); b: left out: 1 column (_runtime)"
    )
    assert notes["gaps"].startswith("a: loss is not logged at every step")


def test_the_next_command_is_one_that_runs(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    history, table = tmp_path / "history.csv", tmp_path / "all {runs}.csv"
    rows = [f"0.1,{100 * i},{1.7e9 + i},{2 + 3 / (1 + i) if i > 1 else ''}" for i in range(8)]
    history.write_text("\n".join(["lr,_step,_timestamp,eval/loss", *rows]))
    assert main(["import", "wandb", str(history), "-o", str(table)]) == terminal.SOUND
    line = capsys.readouterr().err.splitlines()[-1]
    words = shlex.split(line.removeprefix("next: bayescale "))
    assert words[1:] == [
        *(str(table), "--law", "power", "-x", "_step", "-y", "eval/loss", "--curve", "run"),
        *("--where", "_step > 0 and isfinite(`eval/loss`)"),
    ]
    main([*words, "--sampler", "laplace", "--draws", "100"])
    assert "y = `eval/loss`: 2.38 .. 3" in capsys.readouterr().err


@pytest.mark.parametrize("role", ["file", "models", "folder"])
def test_what_is_read_is_not_written_over(folder, tmp_path, capsys, monkeypatch, role):
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    chart, models = tmp_path / "chart.csv", tmp_path / "models.csv"
    chart.write_text(CHART)
    models.write_text("run,params\nllama-30M,3e7\nllama - 90M,9e7\n")
    results = next(folder.rglob("*.json"))
    words = {
        "file": ["wandb", str(chart), "-o", str(chart)],
        "models": ["wandb", str(chart), "--models", str(models), "-o", str(models)],
        "folder": ["lm-eval", str(folder), "-o", str(results)],
    }[role]
    before = Path(words[-1]).read_text()
    assert main(["import", *words]) == terminal.WRONG
    assert "is read by this command, and would be lost" in capsys.readouterr().err
    assert Path(words[-1]).read_text() == before


def test_the_table_of_runs(tmp_path):
    path = tmp_path / "project.csv"
    path.write_text(
        '"Name","State","Created","Runtime","params","eval/loss"\n'
        '"a","finished","2026-01-01T00:00:00.000Z","100","1e8","3.2"\n'
        '"b","crashed","2026-01-01T00:00:00.000Z","50","1e9","3.0"\n'
    )
    frame = bs.read_wandb(path)
    assert frame["run"].tolist() == ["a", "b"]
    assert frame.attrs[TOLD]["state"].startswith("1 of 2 runs did not finish (b)")


def test_other_tables_are_no_exports(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("params,loss\n1e8,3.2\n1e9,3.0\n")
    assert "is no export of Weights & Biases: its columns are 'params', 'loss'" in refusal(
        bs.read_wandb, path
    )


def test_the_command_goes_on_to_a_fit(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(terminal, "start_jax", lambda: None)
    chart, table = tmp_path / "chart.csv", tmp_path / "runs.csv"
    chart.write_text(CHART)
    assert main(["import", "wandb", str(chart), "-o", str(table)]) == terminal.SOUND
    line = capsys.readouterr().err.splitlines()[-1]
    words = shlex.split(line.removeprefix("next: bayescale "))
    assert words == [
        "fit",
        str(table),
        "--law",
        "power",
        "-x",
        "Step",
        "-y",
        "eval/loss",
        "--curve",
        "run",
    ]
    assert pd.read_csv(table).shape == (5, 3)
    assert (
        main(["import", "wandb", str(chart), "-o", str(tmp_path / "no" / "a.csv")])
        == terminal.WRONG
    )
    assert "cannot be written" in capsys.readouterr().err
