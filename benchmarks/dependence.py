"""Rows that are not independent: what intervals hold with and without a run column, and sweeps.

Tables of checkpoints are simulated where the truth is known; on GPT-3's curves it is asked how many
independent rows theirs are worth; on three sweeps of settings, how well the best loss at the
largest scales is told from the others. Each part is kept as it is done (`python -m benchmarks
dependence` goes on where it was stopped).
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.posterior.intervals import levels

from .common import RESULTS, cpu_seconds, data_dir, table, write

TABLES = 200
SAMPLER = NUTS(chains=2, warmup=500, draws=500, retries=0)
KEPT = RESULTS / "dependence.json"

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
    from dataclasses import replace

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
    designs = {
        "case 17": ("chinchilla", lambda: case_17(count), CASE),
        "AR(1), log-even": ("power", lambda: checkpoints(count, False), LINE),
        "AR(1), even": ("power", lambda: checkpoints(count, True), LINE),
    }
    rows = []
    for name, (law, make, truth) in designs.items():
        for noise in ("student", "lognormal"):
            for run in (False, True):
                head = {"design": name, "noise": noise, "rows": "of runs" if run else "alone"}
                kept = _kept(json.dumps(head), lambda: covered(law, make(), truth, noise, run))  # noqa: B023
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
