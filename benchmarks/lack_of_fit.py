"""The verdict on the fit: how often a right law is refused, and how often a wrong one is.

False alarms are counted on simulations from the prior of each law and noise at designs of real
tables; power on curves that no setting of the law can follow, of several sizes. Thresholds were
set on the planted curves of `cases/fault_plant_power.csv` and looked at on real learning curves;
the note of the last quarter, which refuses nothing, was changed after a first run of this study.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax
import numpy as np
import pandas as pd

from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.laws import get_law
from bayescale.model.model import Model
from bayescale.noises.names import get_noise

from .calibration import simulate
from .common import cpu_seconds, data_dir, table, write

SIMULATIONS, PLANTED = 100, 20
SAMPLER = NUTS(chains=2, warmup=500, draws=500, retries=0)


def designs() -> dict[str, Dataset]:
    """Return designs of real tables by name; responses are placeholders."""
    runs = pd.read_csv(data_dir() / "chinchilla_epoch.csv").iloc[::3]
    curve = pd.read_csv(data_dir() / "revisiting_extrapolation.csv")
    curve = curve[(curve["copy"] == 0) & (curve.task == "bird_5") & (curve.model == "MiX/B/16")]
    curve = curve.iloc[:: max(1, len(curve) // 40)]
    models = pd.read_csv(data_dir() / "expemergence_overall.csv")
    models = models[(models.task == "mmlu") & np.isfinite(models.flops_1e21)]
    sizes = np.array([3.5e8, 1.3e9, 6.7e9, 1.75e11])
    ones = lambda x: {"y": np.ones(len(x))}  # noqa: E731
    counted = dict(chance=np.full(len(models), 0.25), n=models.n_questions.to_numpy(float))
    few = dict(chance=np.full(4, 0.25), n=np.full(4, 300.0))
    facts = dict(source="simulation")
    return {
        "7 widths": Dataset({"x": np.geomspace(6, 384, 7)}, ones(range(7)), **facts),
        "learning curve": Dataset({"x": curve.seen_examples.to_numpy(float)}, ones(curve), **facts),
        "Chinchilla": Dataset(
            {"N": runs.params.to_numpy(float), "D": runs.tokens.to_numpy(float)},
            ones(runs),
            **facts,
        ),
        "65 models": Dataset(
            {"x": models.flops_1e21.to_numpy(float)},
            {"y": np.full(len(models), 0.5)},
            **counted,
            **facts,
        ),
        "4 models": Dataset({"x": sizes}, {"y": np.full(4, 0.5)}, **few, **facts),
    }


NULL = [
    ("power", "student", "7 widths"),
    ("power", "student", "learning curve"),
    ("saturating", "lognormal", "learning curve"),
    ("broken(1)", "student", "learning curve"),
    ("power", "laplace", "learning curve"),
    ("chinchilla", "student", "Chinchilla"),
    ("kaplan", "lognormal", "Chinchilla"),
    ("sigmoid", "scale_scatter", "65 models"),
    ("sigmoid", "beta_binomial", "65 models"),
    ("flat", "scale_scatter", "65 models"),
    ("exact_match", "scale_scatter", "65 models"),
    ("distractor", "beta_binomial", "65 models"),
    ("inverse", "binomial", "4 models"),
]
"""Laws, noises and designs of which the data are simulated."""


def misfits() -> dict[str, tuple[str, str, Callable]]:
    """Return of each planted curve the law it is fitted with, its design, and y of t in 0 .. 1."""
    return {
        "rises by a tenth": ("power", "loss", lambda t: 1 + 0.1 * t),
        "U of a tenth": ("power", "loss", lambda t: 2 + 0.8 * (t - 0.5) ** 2),
        "step of a third": ("power", "loss", lambda t: np.where(t < 0.5, 3, 2.0)),
        "straight in log x": ("power", "loss", lambda t: 5 - 4.2 * t),
        "last fifth diverged": ("power", "loss", lambda t: 3 - t + (t > 0.8)),
        "bump of a fifth": (
            "power",
            "loss",
            lambda t: 3 - t + 0.5 * np.exp(-(((t - 0.5) / 0.1) ** 2)),
        ),
        "-log pass@k": ("power", "loss", lambda t: 2.2 * np.exp(-6 * t**2)),
        "break of exponents": (
            "power",
            "loss",
            lambda t: 3 * np.exp(-0.1 * t - 2 * np.maximum(t - 0.6, 0)),
        ),
        "U of accuracy": ("sigmoid", "accuracy", lambda t: 0.3 + 2.4 * (t - 0.45) ** 2),
        "inverted U of accuracy": ("sigmoid", "accuracy", lambda t: 0.7 - 1.6 * (t - 0.5) ** 2),
        "two steps": ("sigmoid", "accuracy", lambda t: 0.25 + 0.3 * (t > 0.3) + 0.35 * (t > 0.8)),
        "rise": ("flat", "accuracy", lambda t: 0.3 + 0.3 * t),
        "fall": ("sigmoid", "accuracy", lambda t: 0.6 - 0.3 * t),
    }


def planted(curve, design: str, rows: int, count: int, seed: int) -> Dataset:
    """Return tables of one planted curve, one a simulation: 1 % noise, or 500 questions a row."""
    rng = np.random.default_rng([seed, rows])
    t = np.tile(np.linspace(0, 1, rows), count)
    names = np.repeat([f"s{i:03d}" for i in range(count)], rows).astype(object)
    facts = dict(curve=names, source="simulation")
    x = {"x": 1e18 * 10 ** (5 * t)}
    if design == "loss":
        return Dataset(x, {"y": curve(t) * np.exp(rng.normal(0, 0.01, len(t)))}, **facts)
    y = rng.binomial(500, np.clip(curve(t), 0, 1)) / 500
    n, chance = np.full(len(t), 500.0), np.full(len(t), 0.25)
    return Dataset(x, {"y": y}, n=n, chance=chance, **facts)


def _row(posterior, spent: float) -> dict:
    """Return the share of the curves that are refused, and of those of which something is said."""
    fits = [verdict.fit for verdict in posterior.health.verdicts]
    kinds = ("pattern", "end", "outside", "far", "worse")
    said = {
        kind: np.mean([any(n.kind == kind for n in one.notes) for one in fits]) for kind in kinds
    }
    refused = sum(not one.sound for one in fits)
    found = {"curves": len(fits), "refused": refused, "share refused": refused / len(fits)}
    return found | {kind: float(value) for kind, value in said.items()} | {"CPU s": round(spent)}


def _fit(law: str, data: Dataset, noise: str | None, seed: int) -> dict:
    before = cpu_seconds()
    found = fit(law, data, noise=noise, sampler=SAMPLER, seed=seed, progress=False)
    return _row(found, cpu_seconds() - before)


def false_alarms() -> pd.DataFrame:
    """Return one row a law, noise and design."""
    rows, known = [], designs()
    for seed, (law, noise, design) in enumerate(NULL):
        model = Model(get_law(law), get_noise(noise))
        at = known[design]
        inputs = dict(zip(model.law.inputs, at.inputs.values(), strict=True))
        reference = {name: float(x.max()) for name, x in inputs.items()}
        reference["y"] = float(np.median(at.responses["y"]))
        n = at.n if model.noise.counts else None
        at = replace(at, inputs=inputs, n=n, reference=reference, columns={})
        with jax.enable_x64(True):
            _, data = simulate(model, at, SIMULATIONS, 100 + seed)
        found = _fit(law, data, noise, seed)
        rows.append({"law": law, "noise": noise, "design": design} | found)
        print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def power() -> pd.DataFrame:
    """Return one row a planted curve and number of rows."""
    rows = []
    for seed, (name, (law, design, curve)) in enumerate(misfits().items()):
        for count in (8, 16, 32):
            data = planted(curve, design, count, PLANTED, seed)
            found = _fit(law, data, None, seed)
            rows.append({"planted": name, "law": law, "rows": count} | found)
            print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    """Run both halves and write their figures."""
    null, planted_ = false_alarms(), power()
    total, refused = int(null.curves.sum()), int(null.refused.sum())
    write(
        "lack_of_fit",
        "Lack of fit: false alarms and power",
        f"{SAMPLER.chains} chains of {SAMPLER.draws} draws after {SAMPLER.warmup} of warm-up, no "
        "second tries; what is counted is the verdict on the fit alone, not that on the draws. "
        "Columns beside `share refused` are shares of the curves of which such a note is given.",
        "## False alarms\n\nData simulated from the prior of the law that is fitted. Together "
        f"{refused} of {total} are refused ({refused / total:.2%}; aim: at most 2 %).",
        table(null, 3),
        "## Power\n\nCurves that the law cannot follow, over five decades: losses with 1 % noise, "
        "accuracies with 500 questions a row; every planted curve is one that the law is not.",
        table(planted_, 3),
    )
