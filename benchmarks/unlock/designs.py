"""Open tasks that unlock, as forecasts see them, and simulated ones of the same designs.

A `Case` is one task cut at a scale: what a forecaster may fit, and what came afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..common import data_dir
from . import labels

WELL_ABOVE = 0.2
"""Below half the threshold, models this share of the way from chance to 1 are left out."""
LEAST = 12
"""Fewest rows that are fitted."""
FLOP = 1e21
DAY = "2023-07"
"""Models of families that came out before are fitted, in the cut by release."""
RELEASED = {
    "GPT-Neo/J": "2021-03",
    "XGLM": "2021-12",
    "Codegen": "2022-03",
    "OPT": "2022-05",
    "BLOOM": "2022-07",
    "Llama": "2023-02",
    "Pythia": "2023-04",
    "StableLM": "2023-04",
    "MPT": "2023-05",
    "StarCoder": "2023-05",
    "RedPajama-INCITE-Base": "2023-05",
    "Falcon": "2023-05",
    "OpenLlama": "2023-06",
    "OpenLlamaV2": "2023-07",
    "Llama-2": "2023-07",
    "Qwen": "2023-08",
    "CodeLlama": "2023-08",
    "Phi": "2023-09",
    "Yi": "2023-11",
    "Yi-200K": "2023-11",
    "DeepSeek-Coder": "2023-11",
    "Amber": "2023-12",
    "DeepSeek-MoE": "2024-01",
    "Qwen1.5": "2024-02",
    "Gemma": "2024-02",
    "StarCoder2": "2024-02",
    "Llama-3": "2024-04",
    "DeepSeek-V2": "2024-05",
    "Yi-1.5": "2024-05",
    "DeepSeek-Coder-V2": "2024-06",
    "Gemma-2": "2024-06",
    "Llama-3.1": "2024-07",
}
"""Month in which the first models of a family came out, by hand; the tables have no dates."""


@dataclass(frozen=True, eq=False)
class Case:
    """One task, cut: columns x (FLOP), y (accuracy), n, chance of both parts."""

    name: str
    task: str
    fitted: pd.DataFrame
    held: pd.DataFrame
    level: float
    """Halfway between chance and the highest level of the whole task."""
    unlock: float
    """FLOP at which the whole task's smoothed accuracies stay past the level; inf for never."""
    cut: float


def tasks() -> dict[str, pd.DataFrame]:
    """Return every open task with counts: x in FLOP, y, n, chance, family, T, label."""
    folder, found = data_dir(), {}
    table = labels.labelled()[0].set_index(["table", "task", "metric"])
    for name, x, y, n, unit in (
        ("expemergence_overall", "flops_1e21", "acc", "n_questions", FLOP),
        ("obsscaling_emergent", "flops_1e21", "value", "n_examples", FLOP),
        ("obsscaling_post_training_gsm8k", "flops_1e21", "value", "n_examples", FLOP),
        ("gadre_downstream", "flops", "accuracy", "n_examples", 1.0),
    ):
        frame = pd.read_csv(folder / f"{name}.csv")
        for task, rows in frame.groupby("task"):
            good = rows[(rows[x] > 0) & rows[y].notna() & (rows[n] > 0)]
            made = pd.DataFrame({"x": good[x] * unit, "y": good[y], "n": good[n]})
            made["chance"] = good.get("chance", 0.0)
            made["family"] = good["family"] if "family" in good else good["train_data"]
            said = table.loc[(name, task, "acc")]
            made["T"], made["label"] = said.unlock_flops, said.label
            key = f"{name.split('_')[0]}/{task}".replace("exact_match,", "")
            found[key] = made.sort_values("x", kind="stable").reset_index(drop=True)
    return found


def level_and_unlock(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the level halfway between chance and the highest, and where it is passed for good."""
    curve = rows.assign(x=np.log10(rows.x), s=rows.y, sweep=False)
    found = labels.bins(curve[["x", "s", "n", "sweep"]])
    base, top = float(rows.chance.iloc[0]), float(found.s.max())
    size = int(np.ceil(len(rows) / len(found)))
    return (base + top) / 2, labels.unlock(curve, base, top, size)


def cases(rows: pd.DataFrame, name: str, threshold: float, halves=(1.0, 0.5)) -> list[Case]:
    """Return the task cut at its threshold, and at half of it without the early risers."""
    level, unlock = level_and_unlock(rows)
    made = []
    for share in halves:
        below = rows.x < share * threshold
        if share < 1:
            below &= rows.y < rows.chance + WELL_ABOVE * (1 - rows.chance)
        held = rows[rows.x >= threshold]
        if below.sum() >= LEAST and len(held):
            label = f"{name}|{share:g}T"
            made.append(Case(label, name, rows[below], held, level, unlock, share * threshold))
    return made
