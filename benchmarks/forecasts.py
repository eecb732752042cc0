"""Forecasts of real curves, by data set and by distance: with misfit, without, and rivals.

Each curve is cut, forecast from what lies below and scored on what lies beyond. Each part is kept
as it is done (`python -m benchmarks forecasts` goes on from there).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.workflows.forecast import forecast
from bayescale.workflows.futures import cut_tables, held_against, scores

from . import rivals
from .common import RESULTS, cpu_seconds, data_dir, table, write
from .rival_laws import worse

ROWS = 80
"""Most rows of a curve, even in log scale."""
CURVES = 24
"""Most curves of a data set, drawn once; of `revisiting` such as played no part in choosing."""
CUTS = (0.5, 0.1, 0.03, 0.01)
KEPT = RESULTS / "forecasts.csv"
NESTED = RESULTS / "forecasts_nested.csv"
FIRST = ("revisiting", "gpt3", "lcdb", "colpret")
"""Data sets of the tables by distance; the others came later, and confirm."""
OURS = ("misfit", "none far off", "no misfit")
WAYS = (*OURS, *rivals.WAYS)
EDGES = (1.0, 2.0, 10.0, 30.0, 100.0, np.inf)
SHARED = {
    "revisiting": lambda curve: curve.split("/")[0] + "/" + curve.split("/", 2)[2],
    "lcdb": lambda curve: curve.split("/")[0],
    "colpret": lambda curve: curve.split("/")[0],
    "double descent": lambda curve: curve.split("-rep")[0],
    "datablations": lambda curve: curve.rsplit("/", 1)[0],
}
"""What curves of a data set have in common: the model that was trained, the learner's data, the
family, the experiment, corpus and model. Curves of the others stand alone."""
INTRODUCTION = f"""Curves cut at {", ".join(map(str, CUTS))} of their largest scale (revisiting: at
the source's own split) where five scales remain, at most {CURVES} curves a data set (of revisiting
none on which a choice was made) and {ROWS} rows a curve; every run beyond is scored, runs of a
curve averaged, curves counting alike. CRPS, width, log density and RMSLE are of log y; cpu is CPU
seconds a table.

misfit: `bs.forecast`; none far off: the same, but no new run is told to lie as far off as rows set
aside did; no misfit: the same laws at their word. Rivals (`rivals.py`, `rival_laws.py`): M1 to M4
of Alabdulmohsin et al. 2022 and BNSL with one and two breaks, by least squares of log y from many
starts, their intervals Student of the residual sd; bootstrap of M2: refits to residuals drawn anew,
and a residual more; a Gaussian process in double logs about a line; line: least squares through the
second half; last: the last value, as a random walk. All rivals see every row; ours sets rows far
from all others aside.

Standard errors (±) count what curves share as one: the model trained (revisiting), the learner's
data (lcdb), the family (colpret), replicates (double descent), corpus and size (datablations);
`apart` is how many such there are. Of fewer than ten they are too small, and of gpt3, whose curves
were read off one picture, too.

Log densities are from 2,000 draws of each way alike, by `futures.scores`: kernels of a width that
draws far off do not widen, and one draw's worth of a Cauchy for what no draw tells. Before, it was
a normal kernel of a width in proportion to the draws' sd. Of a normal with 1 in 60 draws 50 sd off
that was .23 too low (now .01), of a Cauchy 2.3 (now .2), and 5 sd from a normal, where the log
density is 8.8 - 4.6 below its middle's, it lay 21 lower still: figures such as -600 (line) or -6.24
(lcdb) were its own. Log densities of older pages cannot be compared."""
CHOSEN = """@@CHOSEN@@"""


def _thinned(own: pd.DataFrame) -> pd.DataFrame:
    own = own.groupby("x", as_index=False).agg(curve=("curve", "first"), y=("y", "mean"))
    own = own.sort_values("x")
    if len(own) <= ROWS:
        return own
    marks = np.geomspace(own.x.min(), own.x.max(), ROWS)
    at = np.unique(np.searchsorted(own.x.to_numpy(), marks).clip(0, len(own) - 1))
    return own.iloc[at]


def _frames() -> dict[str, pd.DataFrame]:
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


def _ours(data: Dataset, fitted: Dataset, beyond: dict) -> dict[str, pd.DataFrame]:
    """Return how our forecasts fare, with and without runs far off, and without the misfit."""
    at, found = {"x": [data.inputs["x"].max()]}, {}
    for way, misfit in (("misfit", True), ("no misfit", False)):
        before = cpu_seconds()
        told = forecast(fitted, at, kind="loss", misfit=misfit, progress=False)
        runs = held_against(told, data, fitted, beyond).runs
        spent = (cpu_seconds() - before) / len(beyond)
        found[way] = runs.assign(cpu=spent)
        if misfit:
            plain = held_against(replace(told, far={}), data, fitted, beyond).runs
            found["none far off"] = plain.assign(cpu=spent)
            far = {str(label): len(one.off) for label, one in told.far.items()}
            print(f"{len(far)} of {len(beyond)} tables with rows far off: {far}", flush=True)
    return found


def _rivals(
    name: str, data: Dataset, fitted: Dataset, beyond: dict
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return how the rivals fare, and where a law fits worse than one it contains."""
    found, nested = {way: [] for way in rivals.WAYS}, []
    for label, (curve, cut, held) in beyond.items():
        own = fitted.curve == label
        x, y = fitted.inputs["x"][own], fitted.responses["y"][own]
        at, seen = data.inputs["x"][held], data.responses["y"][held]
        told, fits, spent = rivals.told(x, y, at)
        nested += [(name, str(label), *each) for each in worse(fits)]
        for way, draws in told.items():
            part = pd.DataFrame(scores(np.exp(np.clip(draws, -690, 690)), seen, True))
            where = dict(curve=curve, cut=cut, distance=at / x.max(), seen=seen, cpu=spent[way])
            found[way].append(part.assign(**where))
    columns = ["data", "table", "law", "contains", "worse", "alone"]
    return {way: pd.concat(each) for way, each in found.items()}, pd.DataFrame(
        nested, columns=columns
    )


def _add(path, frame: pd.DataFrame) -> None:
    """Append to what is kept."""
    frame.round(6).to_csv(path, mode="a", header=not path.exists(), index=False)


def _kept(name: str, frame: pd.DataFrame) -> None:
    """Run a data set where it is not kept yet."""
    if KEPT.exists() and (pd.read_csv(KEPT).data == name).any():
        return
    data, fitted, beyond = parts(name, frame)
    found, nested = _rivals(name, data, fitted, beyond)
    found |= _ours(data, fitted, beyond)
    _add(NESTED, nested)
    runs = pd.concat([found[way].assign(way=way) for way in WAYS])
    _add(KEPT, runs.drop(columns="reach", errors="ignore").assign(data=name))
    print(_told(_labelled(runs.assign(data=name)), ["data", "way"]).to_string(), flush=True)


def _labelled(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with where they belong: domain, distance, and what curves share."""
    runs = runs.assign(domain=runs.data, share=runs.data + "/" + runs.curve)
    own = runs.data == "revisiting"
    runs.loc[own, "domain"] = "revisiting " + runs.curve[own].str.split("/").str[0]
    for name, shared in SHARED.items():
        own = runs.data == name
        runs.loc[own, "share"] = name + "/" + runs.curve[own].map(shared)
    runs["curve"] = runs.data + "/" + runs.curve
    runs["to"] = pd.cut(runs.distance, EDGES, labels=[f"{edge:g}" for edge in EDGES[1:]])
    runs["way"] = pd.Categorical(runs.way, WAYS)
    return runs


def _se(values: pd.Series, share: pd.Series) -> float:
    """Return the standard error of a mean over curves that err together where they share."""
    sums = (values - values.mean()).groupby(share.to_numpy()).sum()
    count = len(sums)
    return (
        np.sqrt(np.square(sums).sum() * count / (count - 1)) / len(values) if count > 1 else np.nan
    )


def _by_curve(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return the scores of each curve, the runs of it averaged."""
    columns = ["inside50", "inside90", "width90", "crps", "log_density", "cpu"]
    groups = runs.assign(squared=runs.error**2).groupby([*by, "curve"], observed=True)
    each = groups[[*columns, "squared"]].mean()
    return each.assign(rmsle=np.sqrt(each.squared), share=groups.share.first()).reset_index()


def _told(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return mean scores, curves counting alike, with standard errors."""
    rows = []
    for key, own in _by_curve(runs, by).groupby(by, observed=True):
        row = dict(zip(by, key, strict=True)) | {"curves": len(own), "apart": own.share.nunique()}
        row["rmsle"] = float(np.sqrt(own.squared.mean()))
        for column in ("crps", "log_density", "inside50", "inside90", "width90", "cpu"):
            row[column] = float(own[column].mean())
            if column in ("crps", "log_density", "inside90"):
                row[column] = _pm(row[column], _se(own[column], own.share))
        rows.append(row)
    return pd.DataFrame(rows)


def _pm(mean: float, se: float) -> str:
    return f"{mean:.3g} ± {se:.2g}"


def _paired(runs: pd.DataFrame, by: str, score: str) -> pd.DataFrame:
    """Return ours minus each rival's, mean over curves and its standard error."""
    each = _by_curve(runs, [by, "way"]).set_index(["curve", by])
    ours, rows = each[each.way == "misfit"], []
    for way in WAYS[1:]:
        gap = (ours[score] - each[each.way == way][score]).reset_index()
        gap["share"] = ours.share.to_numpy()
        cells = {
            name: _pm(own[score].mean(), _se(own[score], own.share))
            for name, own in gap.groupby(by, observed=True)
        }
        rows.append({"rival": way} | cells)
    return pd.DataFrame(rows)


def _nested(nested: pd.DataFrame) -> str:
    """Say how often a law fits worse than one it contains."""
    if nested.worse.any():
        raise AssertionError(f"a law fits worse than one it contains:\n{nested[nested.worse]}")
    alone = nested.groupby(["law", "contains"], sort=False).alone.agg(["sum", "count"])
    each = [f"{a} than {b} {n:g} of {of}" for (a, b), (n, of) in alone.iterrows()]
    return (
        f"In {len(nested)} comparisons none fits worse than one it contains. From their own starts "
        f"alone, without those of the laws contained, so many would: {', '.join(each)}."
    )


def main() -> None:
    """Run what is not kept yet, and write."""
    for name, frame in _frames().items():
        _kept(name, frame)
    runs, nested = _labelled(pd.read_csv(KEPT)), pd.read_csv(NESTED)
    first = runs[runs.data.isin(FIRST)]
    ways = ((first, "to"), (runs, "domain"))
    pairs = [
        "\n\n".join([f"### {score}", *(table(_paired(own, by, score)) for own, by in ways)])
        for score in ("log_density", "crps", "rmsle")
    ]
    write(
        "forecasts",
        "Forecasts of real curves",
        INTRODUCTION,
        CHOSEN,
        _nested(nested),
        f"## By distance, in multiples of the last scale fitted: {', '.join(FIRST)}\n\n"
        + table(_told(first, ["to", "way"]), 3),
        "## The further data sets by distance\n\n"
        + table(_told(runs[~runs.data.isin(FIRST)], ["to", "way"]), 3),
        "## By data set\n\n" + table(_told(runs, ["domain", "way"]), 3),
        "## Ours minus each rival, of the same curves\n\nOf log density more is better, of CRPS "
        "and RMSLE (here each curve's own, averaged) less.",
        *pairs,
    )
