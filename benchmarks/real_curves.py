"""Real curves as studies of forecasts take them: thinned, drawn once, cut below what is left."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.workflows.futures import cut_tables

from .common import data_dir

ROWS = 80
"""Most rows of a curve, even in log scale."""
CURVES = 24
"""Most curves of a data set, drawn once; of `revisiting` such as played no part in choosing."""
CUTS = (0.5, 0.1, 0.03, 0.01)
SHARED = {
    "revisiting": lambda curve: curve.split("/")[0] + "/" + curve.split("/", 2)[2],
    "lcdb": lambda curve: curve.split("/")[0],
    "colpret": lambda curve: curve.split("/")[0],
    "double descent": lambda curve: curve.split("-rep")[0],
    "datablations": lambda curve: curve.rsplit("/", 1)[0],
}
"""What curves of a data set have in common: the model that was trained, the learner's data, the
family, the experiment, corpus and model. Curves of the others stand alone."""


def _thinned(own: pd.DataFrame) -> pd.DataFrame:
    own = own.groupby("x", as_index=False).agg(curve=("curve", "first"), y=("y", "mean"))
    own = own.sort_values("x")
    if len(own) <= ROWS:
        return own
    marks = np.geomspace(own.x.min(), own.x.max(), ROWS)
    at = np.unique(np.searchsorted(own.x.to_numpy(), marks).clip(0, len(own) - 1))
    return own.iloc[at]


def frames() -> dict[str, pd.DataFrame]:
    """Return the data sets as `curve`, `x`, `y` (and `training`, where the source splits)."""
    folder = data_dir()
    first = pd.read_csv(folder / "revisiting_extrapolation.csv").query("copy == 0")
    first["curve"] = first.domain + "/" + first.task + "/" + first.model.astype(str)
    first = first.rename(columns={"seen_examples": "x", "loss": "y"})
    gpt3 = pd.read_csv(folder / "gpt3_training_curves.csv").query("split == 'val' and tokens > 0")
    gpt3 = gpt3.rename(columns={"model": "curve", "tokens": "x", "loss": "y"})
    lcdb = pd.read_csv(folder / "lcdb11_selection.csv").query("test_error > 0")
    lcdb["curve"] = lcdb.openml_id.astype(str) + "/" + lcdb.learner
    lcdb = lcdb.rename(columns={"n_train": "x", "test_error": "y"})
    colpret = pd.read_csv(folder / "colpret_learning_curves.csv").query("tokens > 0 and loss > 0")
    colpret["curve"] = colpret.family + "/" + colpret.curve.astype(str)
    colpret = colpret.rename(columns={"tokens": "x", "loss": "y"})
    widths = pd.read_csv(folder / "nanogpt_width.csv").query("quantity == 'final_val_loss'")
    widths["curve"] = "set " + widths.hyperparameter_set.astype(str)
    widths = widths.rename(columns={"n_embd": "x", "loss": "y"})
    repeated = pd.read_csv(folder / "datablations_traces.csv")
    parts = [repeated.corpus, (repeated.params / 1e9).map("{:.1f}B".format)]
    parts.append(repeated.total_epochs.map("{} epochs".format))
    repeated["curve"] = parts[0] + "/" + parts[1] + "/" + parts[2]
    repeated = repeated.rename(columns={"tokens": "x", "val_loss": "y"})
    return {
        **{"revisiting": first, "gpt3": gpt3, "lcdb": lcdb, "colpret": colpret},
        **{"nanogpt": widths, "double descent": pd.read_csv(folder / "double_descent.csv")},
        "datablations": repeated,
    }


def parts(name: str, frame: pd.DataFrame) -> tuple[Dataset, Dataset, dict]:
    """Return the runs of a data set, what is fitted of them, and what lies beyond."""
    names = np.unique(frame.curve)
    rng = np.random.default_rng(0)
    if name == "revisiting":
        names = np.setdiff1d(names, rng.choice(names, 24, replace=False))
    if len(names) > CURVES:
        names = np.sort(rng.choice(names, CURVES, replace=False))
    frame = frame[frame.curve.isin(names)]
    if name != "revisiting":
        rows = pd.concat([_thinned(own) for _, own in frame.groupby("curve")])
        data = from_frame(rows, {"x": "x"}, "y", curve="curve")
        return data, *cut_tables(data, CUTS)
    split = frame.groupby(["curve", "training"], group_keys=False)
    rows = pd.concat([_thinned(own).assign(training=key[1]) for key, own in split])
    data = from_frame(rows, {"x": "x"}, "y", curve="curve")
    train = rows.training.to_numpy() == 1
    fitted = data.take(train)
    beyond = {name: (name, 0.5, (data.curve == name) & ~train) for name in data.curve_names}
    return data, fitted, beyond
