"""Rows that are not independent: what intervals hold with and without a run column, and sweeps.

Tables of checkpoints are simulated where the truth is known; on GPT-3's curves it is asked how many
independent rows theirs are worth; on three sweeps of settings, how well the best loss at the
largest scales is told from the others. Each part is kept as it is done (`python -m benchmarks
dependence` goes on where it was stopped).
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
from numpyro.diagnostics import effective_sample_size

from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.model.arrays import lanes
from bayescale.posterior.intervals import levels
from bayescale.posterior.pointwise import law_draws
from bayescale.posterior.posterior import Posterior
from bayescale.questions.predict import predict

from .common import RESULTS, cpu_seconds, data_dir, table, write

TABLES = 100
SAMPLER = NUTS(chains=2, warmup=500, draws=500, retries=0)
KEPT = RESULTS / "dependence.json"
HEADS = """## Coverage

{count} simulated tables of case 17 and half as many of AR(1), each design fitted as one batch
with 2 chains of 500 draws (too few for the strict checks of health, enough for intervals; all
are counted). Case 17: ten checkpoints each of six runs of a size each, runs off the law by 1.5
%, rows by .4 %. AR(1): one curve of {n} checkpoints whose residuals of 1 % follow each other
with correlation .95, at even steps in log tokens or in tokens. `held` is the share of 90 %
intervals that hold the truth, whose standard error at 90 % is 2 % of 200 tables and 3 %
of 100.|## The rows' worth

GPT-3's validation curves, power law, rows at one step averaged. Worth: 1 + sum (1 - rho_i)/(1 +
rho_i) over the rows but the first, rho_i the correlation of its residual with that of the row
before (`noises.runs.within`): so many independent rows of the same scatter would tell the level as
well; median and 90 % interval. `of residuals`: the effective sample size of the residuals about the
median of the law fitted to rows alone, taken as a chain (Geyer). `sd` is of the level at 1e11
tokens, relative, with rows as independent and as one run's: what the law misses lasts, and is no
small noise any more.|## Sweeps

The best loss at the scales of most compute ({held:.0%} of them held out) foretold from the others:
by the law of all rows, of the rows of the best setting at each scale, and of the frontier."""

# ------------------------------------------------------------------ coverage

CASE = dict(E=1.7, A=400.0, B=1200.0, alpha=0.34, beta=0.36)
"""The law of cases/17_checkpoints_same_tokens: its alpha and E, the rest as fitted to it."""
CASE_RUN, CASE_ROW = 0.015, 0.004
"""Sd of its runs, and of its rows about them."""
LINE = dict(E=1.8, A=150.0, alpha=0.25)
RHO, LINE_ROW, CHECKPOINTS = 0.95, 0.01, 80


def case_17(count: int, seed: int = 0) -> Dataset:
    """Return tables like case 17, one a curve: ten checkpoints each of six runs of a size each."""
    rows = pd.read_csv(data_dir() / "cases" / "17_checkpoints_same_tokens.csv")
    N, D = (np.tile(rows[name].to_numpy(float), count) for name in ("params", "tokens"))
    run = np.tile(np.repeat(np.arange(6), 10), count)
    curve = np.repeat(np.arange(count), len(rows))
    rng = np.random.default_rng([17, seed])
    off = (CASE_RUN * rng.normal(size=(count, 6)))[curve, run]
    mean = CASE["E"] + CASE["A"] * N ** -CASE["alpha"] + CASE["B"] * D ** -CASE["beta"]
    y = mean * np.exp(off + CASE_ROW * rng.normal(size=len(N)))
    return Dataset({"N": N, "D": D}, {"y": y}, curve=_labels("t", curve), run=_labels("r", run))


def checkpoints(count: int, even: bool, seed: int = 0) -> Dataset:
    """Return training curves whose residuals follow an AR(1), at even or at log-even steps."""
    along = np.linspace if even else np.geomspace
    x = np.tile(along(1e9 if even else 1e8, 8e10, CHECKPOINTS), count)
    curve = np.repeat(np.arange(count), CHECKPOINTS)
    rng = np.random.default_rng([95, even, seed])
    e = rng.normal(size=(count, CHECKPOINTS)) * np.sqrt(1 - RHO**2)
    e[:, 0] /= np.sqrt(1 - RHO**2)
    for i in range(1, CHECKPOINTS):
        e[:, i] += RHO * e[:, i - 1]
    y = (LINE["E"] + LINE["A"] * x ** -LINE["alpha"]) * np.exp(LINE_ROW * e.ravel())
    label = _labels("t", curve)
    return Dataset({"x": x}, {"y": y}, curve=label, run=label)


def _labels(letter: str, numbers: np.ndarray) -> np.ndarray:
    return np.array([f"{letter}{i:03d}" for i in numbers], object)


def covered(law: str, data: Dataset, truth: dict, noise: str, run: bool) -> list[dict]:
    """Return of each parameter how often its 90 % interval holds the truth, and its width."""
    before = cpu_seconds()
    own = data if run else replace(data, run=None)
    found = fit(law, own, noise=noise, sampler=SAMPLER, seed=1, progress=False)
    spent, flat = cpu_seconds() - before, found.flat()
    rows = []
    for name in ("E", "alpha"):
        lo, _, hi = np.quantile(flat[name], levels(), axis=1)
        rows.append(
            {
                "quantity": name,
                "held": float(((lo <= truth[name]) & (truth[name] <= hi)).mean()),
                "median width": float(np.median(hi - lo)),
                "sound": 1 - len(found.health.failed) / len(found.curves),
                "CPU s a table": spent / len(found.curves),
            }
        )
    return rows


def coverage(count: int = TABLES) -> list[dict]:
    """Return the coverage of each simulated design, noise and way to fit."""
    half = count // 2
    designs = {
        "case 17": ("chinchilla", lambda: case_17(count), CASE, ("lognormal", "student")),
        "AR(1), log-even": ("power", lambda: checkpoints(half, False), LINE, ("student",)),
        "AR(1), even": ("power", lambda: checkpoints(half, True), LINE, ("student",)),
    }
    rows = []
    for name, (law, make, truth, noises) in designs.items():
        for noise in noises:
            for run in (False, True):
                head = {"design": name, "noise": noise, "rows": "of runs" if run else "alone"}
                key = json.dumps(head | {"tables": count})
                kept = _kept(key, lambda: covered(law, make(), truth, noise, run))  # noqa: B023
                rows += [head | each for each in kept]
    return rows


def _kept(key: str, make) -> list[dict]:
    """Return what was found before, or find it and keep it."""
    known = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if key not in known:
        known[key] = make()
        KEPT.write_text(json.dumps(known))
        print(key, known[key], flush=True)
    return known[key]


# ------------------------------------------------------------------ the rows' worth


def worth() -> list[dict]:
    """Return of each of GPT-3's curves how many independent rows its rows are worth.

    Their scatter told, that is 1' R^-1 1 with R the correlations of their residuals.
    """
    frame = pd.read_csv(data_dir() / "gpt3_training_curves.csv")
    # Digitised lines have a thickness: several rows at one step are one measurement.
    frame = frame.groupby(["model", "params", "split", "tokens"], as_index=False).loss.mean()
    frame = frame[(frame.tokens > 0) & (frame.split == "val")].sort_values(
        ["params", "split", "tokens"]
    )
    label = frame.model.to_numpy(object)
    data = Dataset(
        {"x": frame.tokens.to_numpy(float)},
        {"y": frame.loss.to_numpy(float)},
        curve=label,
        run=label,
        source="gpt3_training_curves",
    )
    alone, of_runs = (
        fit("power", each, noise="lognormal", sampler=SAMPLER, seed=1, progress=False)
        for each in (replace(data, run=None), data)
    )
    rows = []
    for lane in lanes(of_runs.model, data):
        name = data.curve_names[lane.curve]
        naive, own = (fitted.curve(name) for fitted in (alone, of_runs))
        sds = [np.log(law_draws(each, {"x": np.array([1e11])})).std() for each in (naive, own)]
        low, high = np.quantile(own.flat()["alpha"], levels()[::2])
        least, most = np.quantile(naive.flat()["alpha"], levels()[::2])
        rows.append(
            {
                "curve": name,
                "rows": int(lane.own.sum()),
                "worth": _worth(own, lane.data),
                "of residuals": float(effective_sample_size(_left(naive)[None])),
                "sd, rows alone": f"{100 * sds[0]:.3f} %",
                "sd, rows of a run": f"{100 * sds[1]:.3f} %",
                "alpha, rows alone": f"{least:.3f} .. {most:.3f}",
                "alpha, rows of a run": f"{low:.3f} .. {high:.3f}",
                "largest R-hat": own.health.verdicts[0].prediction_rhat,
            }
        )
    return rows


def _left(naive: Posterior) -> np.ndarray:
    """Return the residuals of the log about the median of the law, along the curve."""
    data = naive.data
    order = np.argsort(data.inputs["x"])
    x, y = data.inputs["x"][order], data.responses["y"][order]
    return np.log(y / np.median(law_draws(naive, {"x": x}), 0))


def _worth(own: Posterior, lane: dict) -> str:
    """Return how many independent rows the rows of one run are worth, and the 90 % interval."""
    flat, apart = own.flat(), ~lane["first"] & lane["mask"]
    spacing, length = (flat[name].ravel()[:, None] for name in ("run_spacing", "run_length"))
    # (1 - rho)/(1 + rho) with rho = exp(-distance).
    distance = lane["pace"] / length * np.exp(spacing * lane["gap"][apart])
    low, median, high = np.quantile(1 + np.tanh(distance / 2).sum(1), levels())
    return f"{median:.3g} ({low:.3g} .. {high:.3g})"


# ------------------------------------------------------------------ sweeps

HELD = 0.2
"""Share of the scales, those of most compute, whose best loss is forecast."""


def _sweeps() -> dict[str, tuple[str, pd.DataFrame, list[str]]]:
    """Return of each sweep its law, its rows (inputs of the law and `y`), and its settings."""
    folder = data_dir()
    one = pd.read_csv(folder / "misfitting_runs.csv").query("is_final == 1")
    one = one.assign(N=one.params, D=one.tokens, y=one.loss)
    two = pd.read_csv(folder / "clip_mammut_scaling.csv").dropna(subset=["imagenet_acc1"])
    two = two.assign(x=two.total_gflops, y=1 - two.imagenet_acc1)
    three = pd.read_csv(folder / "scalebench" / "lr_bsz.csv")
    three = three.assign(N=three.non_embedding_param_size, D=three.data_size, y=three.lm_loss)
    return {
        "misfitting_runs": ("chinchilla", one, ["peak_lr"]),
        "clip_mammut_scaling": ("power", two, ["lr", "global_batch_size", "warmup"]),
        "lr_bsz": ("chinchilla", three, ["lr", "bsz"]),
    }


def sweep(name: str) -> list[dict]:
    """Return how well each way foretells the best loss at the scales held out."""
    law, frame, settings = _sweeps()[name]
    inputs = [each for each in ("N", "D", "x") if each in frame]
    best = frame.groupby(inputs).y.agg(["min", "size"]).reset_index()
    compute = best[inputs].prod(axis=1)
    held = best[compute > compute.quantile(1 - HELD)]
    most = compute.quantile(1 - HELD)
    below = frame[frame[inputs].prod(axis=1) <= most]
    rows = []
    for how, noise, chosen in (
        ("all rows, student", "student", None),
        ("best rows, student", "student", settings),
        ("all rows, frontier", "frontier", None),
    ):
        data = from_frame(below, inputs, "y", best=chosen, duplicates="drop")
        found = fit(law, data, noise=noise, sampler=SAMPLER, seed=1, progress=False)
        said = predict(found, {k: held[k].to_numpy(float) for k in inputs}, allow_failed=True)
        lo, median, hi = said.quantiles("mean")
        true = held["min"].to_numpy(float)
        off = 100 * np.log(median / true)
        rows.append(
            {
                "sweep": name,
                "way": how,
                "rows": len(data),
                "scales ahead": len(held),
                "mean error": f"{off.mean():+.2f} %",
                "root mean square": f"{np.sqrt(np.mean(off**2)):.2f} %",
                "best within the law's 90 %": float(((lo <= true) & (true <= hi)).mean()),
            }
        )
    return rows


def main(count: int = TABLES) -> None:
    """Run all parts and write."""
    swept = [row for name in _sweeps() for row in _kept(name, lambda: sweep(name))]  # noqa: B023
    found = (coverage(count), _kept("worth", worth), swept)
    parts = [table(pd.DataFrame(rows), 3) for rows in found]
    heads = HEADS.format(count=count, n=CHECKPOINTS, held=HELD).split("|")
    texts = [each for pair in zip(heads, parts, strict=True) for each in pair]
    write("dependence", "Rows that are not independent", *texts)
