"""Tables whose rows look as if several were of one run, and those that do not."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.data.from_frame import from_frame

KINDS = ("checkpoints", "sweep", "repeats")


def said(frame, x, y="loss", **how):
    notes = bs.from_frame(frame, x, y, duplicates="drop", **how).notes
    return {n.kind: str(n) for n in notes if n.kind in KINDS and "repeat an" not in n}


def checkpoints(runs=3, rows=8, start=1e9):
    """Rows at even steps of tokens, a size to each run."""
    tokens = np.tile(start * np.arange(1, rows + 1), runs)
    size = np.repeat([1e8, 3e8, 1e9][:runs], rows)
    names = np.repeat(["a", "b", "c"][:runs], rows)
    loss = 1.8 + 400 * size**-0.34 + 400 * tokens**-0.28
    return {"params": size, "tokens": tokens, "name": names, "loss": loss}


def test_even_steps_are_told_with_the_column_of_runs():
    found = said(checkpoints(), ["params", "tokens"])
    assert "(about 8 each)" in found["checkpoints"]
    assert "run='params' (--run 'params')" in found["checkpoints"]
    named = checkpoints() | {"run_id": checkpoints()["name"]}
    assert "--run 'run_id'" in said(named, ["params", "tokens"])["checkpoints"]


def test_nothing_is_said_once_runs_are_named():
    assert not said(checkpoints(), ["params", "tokens"], run="name")


def test_curves_that_are_runs_are_told_to_be():
    found = said(checkpoints(), "tokens", curve="name")
    assert "each curve is one" in found["checkpoints"]


def test_runs_of_their_own_tokens_are_no_checkpoints():
    tokens = np.tile([1e9, 2e9, 4e9, 8e9, 16e9, 32e9, 64e9], 3)
    frame = checkpoints(rows=7) | {"tokens": tokens}
    frame["loss"] = 1.8 + 400 * frame["params"] ** -0.34 + 400 * tokens**-0.28
    assert not said(frame, ["params", "tokens"])


def test_a_sweep_is_told_with_both_remedies():
    size = np.repeat([1e8, 1e9, 1e10], 4)
    frame = {"N": size, "peak_lr": np.tile([1, 2, 3, 4], 3) * 1e-3, "seed": np.arange(12)}
    frame["loss"] = 3 + 0.1 * np.arange(12) % 4 + size**-0.1
    found = said(frame, "N")["sweep"]
    assert "best=['peak_lr'] (--best 'peak_lr')" in found
    assert "--noise 'frontier'" in found


def test_seeds_are_runs_and_evaluations_of_one_are_not():
    size = np.repeat([1e8, 1e9, 1e10], 8)
    loss = 3 + np.arange(24) / 100 + size**-0.1
    seeds = {"N": size, "seed": np.arange(24), "loss": loss}
    assert not said(seeds, "N")
    found = said(seeds | {"model": np.repeat(np.arange(6), 4)}, "N")
    assert "run='model' (--run 'model')" in found["repeats"]


REAL = {
    "cases/17_checkpoints_same_tokens": (["params", "tokens"], "loss", {}, "--run 'params'"),
    "gpt3_training_curves": ("tokens", "loss", dict(curve=["model", "split"]), "each curve is one"),
    "misfitting_runs": (["params", "tokens"], "loss", {}, "--run 'run'"),
    "olmo_ladder_trajectories": (
        ["params", "tokens"],
        "`ce:c4_en`",
        dict(where="isfinite(`ce:c4_en`) and tokens > 0"),
        "--run 'run'",
    ),
    "scalebench/lr_bsz": (["non_embedding_param_size", "data_size"], "lm_loss", {}, "'lr,bsz'"),
    "chinchilla_epoch": (["params", "tokens"], "loss", {}, ""),
    "datablations_final": (["params", "tokens"], "val_loss", {}, ""),
    "dclm_models_wide": (["params", "tokens"], "core_v1", dict(where="core_v1 > 0"), ""),
    "gadre_losses": (["params", "tokens"], "loss", dict(curve=["train_data", "eval_set"]), ""),
    "porian_isoflops": (["params", "tokens"], "loss", dict(curve=["experiment", "loss_split"]), ""),
    "scalebench/farseer": (["N", "D"], "loss", {}, ""),
    "scalebench/vocab": (
        ["non_vocab_parameters", "num_characters"],
        "unigram_normalized_loss",
        {},
        "",
    ),
    "monkeys_pass_at_k": ("k", "mean_pass_at_k", dict(curve="model"), ""),
    "olmo_ladder_final": (["params", "tokens"], "task_bpb", dict(curve="task"), ""),
}


@pytest.mark.parametrize("name", REAL)
def test_real_tables_are_told_as_they_are(name, data_dir):
    x, y, how, remedy = REAL[name]
    found = said(pd.read_csv(data_dir / f"{name}.csv", low_memory=False), x, y, **how)
    assert bool(found) == bool(remedy), found
    assert remedy in "".join(found.values())


# ------------------------------------------------------------------ families in one table


def families(level, labels=("a", "b", "c"), rows=7, seed=1):
    rng = np.random.default_rng(seed)
    x = np.geomspace(1e18, 1e21, rows)
    parts = [(1.8 + 8 * (x / 1e15) ** -0.15) * (1 + level * i) for i in range(len(labels))]
    y = np.concatenate(parts) * np.exp(rng.normal(0, 0.004, rows * len(labels)))
    return {"flops": np.tile(x, len(labels)), "loss": y, "family": np.repeat(labels, rows)}


def test_families_that_are_not_told_apart_are_told():
    def said(level, **roles):
        notes = from_frame(families(level), "flops", "loss", **roles).notes
        return [note for note in notes if note.kind == "families"]

    (note,) = said(0.1)
    assert note.startswith("loss differs by family, of 3 labels, which is not used")
    assert "curve='family' (--curve 'family')" in note
    for level, roles in [(0, {}), (0.1, {"curve": "family"}), (0.1, {"group": "family"})]:
        assert not said(level, **roles)
    assert not said(0.1, where="family == 'b'")


def test_a_name_of_each_size_is_no_family():
    table = families(0.1)
    table["family"] = np.tile([f"m{i}" for i in range(7)], 3)
    kinds = [note.kind for note in from_frame(table, "flops", "loss").notes]
    assert "families" not in kinds


def test_rows_that_repeat_but_for_a_seed_are_no_copies():
    frame = pd.DataFrame({"N": [1.0, 2.0, 2.0, 4.0], "loss": [4.0, 3.0, 3.0, 2.0]})
    apart = frame.assign(seed=[0, 0, 1, 0], host=["a", "a", "b", "a"])
    (note,) = [n for n in from_frame(apart, "N", "loss").notes if n.kind == "repeats"]
    assert note.endswith("kept as independent measurements, as they differ in seed")
    assert len(from_frame(apart, "N", "loss")) == 4
    assert len(from_frame(apart, "N", "loss", duplicates="drop")) == 3
    with pytest.raises(bs.DataError, match="first: rows 2 and 3, which differ in host"):
        from_frame(apart.drop(columns="seed"), "N", "loss")
    with pytest.raises(bs.DataError, match=r"first: rows 2 and 3\); if they are copies"):
        from_frame(frame.assign(seed=[0, 1, 1, 1]), "N", "loss")
