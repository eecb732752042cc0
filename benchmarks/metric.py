"""Is the jump in the metric or in the model? Where the truth is known, and on real pairs.

1. Simulated tables of a smooth score and an accuracy: how often each hypothesis is told.
2. Real pairs: Brier score and accuracy, bits per byte and accuracy.
3. Exact match of a known number of tokens: does the fit find the constants that made the data?
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.posterior.intervals import summarise
from bayescale.workflows.metric_or_model import HYPOTHESES, MetricOrModel, metric_or_model

from .common import data_dir, table, write

SAMPLER = NUTS(warmup=500, draws=500, target_accept=0.9)
QUICK = replace(SAMPLER, retries=0)
"""For simulated tables, where what fails is counted."""
REPEATS, RUNS, QUESTIONS = 8, 60, 1000
ALPHA, TOKEN_LOSS, LEAST = 0.35, 0.139, 0.01
"""Exponent of the loss of a token, its value in the middle of the scales, and its floor."""
CASES = {
    "exact match, T = 1": ("metric", 1.0),
    "exact match, T = 5": ("metric", 5.0),
    "exact match, T = 20": ("metric", 20.0),
    "one threshold, k = .6": ("model", 0.6),
    "one threshold, k = 1.2": ("model", 1.2),
    "one threshold, k = 2.5": ("model", 2.5),
    "two thresholds, a decade apart": ("neither", 1.2),
}
TOKENS = np.array([2.0, 5.0, 10.0, 20.0])
CHANCE = {"piqa_val": 0.5, "boolq_val": 0.5}
ORDINARY_CHANCE = 0.25


def simulated(
    kind: str, constant: float, rng: np.random.Generator, scatter: float = 0.0
) -> pd.DataFrame:
    """Return runs over four decades; the score is off by 2 %, the scale by `scatter` in logs."""
    x = np.geomspace(1e19, 1e23, RUNS)
    t = np.log(x / 1e21) + scatter * rng.normal(size=RUNS)
    if kind == "metric":
        loss = LEAST + TOKEN_LOSS * np.exp(-ALPHA * t)
        p = np.exp(-constant * loss)
    else:
        away = np.log(10) / 2 * (kind == "neither")
        r, late = (1 / (1 + np.exp(-constant * (t + shift))) for shift in (away, -away))
        loss, p = 1.2 * (1 - 0.5 * r), 0.05 + 0.85 * late
    loss = loss * np.exp(0.02 * rng.normal(size=RUNS))
    counts = rng.binomial(QUESTIONS, p)
    return pd.DataFrame({"x": x, "loss": loss, "acc": counts / QUESTIONS, "n": QUESTIONS})


def verdicts(repeats: int = REPEATS) -> str:
    """Return how often each hypothesis is told of each truth."""
    frames = [
        simulated(kind, constant, np.random.default_rng([i, s, 11])).assign(curve=f"{case}|{s}")
        for i, (case, (kind, constant)) in enumerate(CASES.items())
        for s in range(repeats)
    ]
    data = from_frame(
        pd.concat(frames), {"x": "x"}, {"accuracy": "acc", "loss": "loss"}, n="n", curve="curve"
    )
    found = metric_or_model(data, sampler=QUICK)
    rows = []
    for case, (kind, _) in CASES.items():
        own = [found[f"{case}|{s}"] for s in range(repeats)]
        told = [one.hypothesis for one in own]
        row = {"truth": case} | {
            f"told {hypothesis}": told.count(hypothesis) for hypothesis in HYPOTHESES
        }
        row |= {"cannot tell": told.count(None)}
        row["mean P(truth)"] = float(np.mean([one.probability[kind] for one in own]))
        row["mean predictive weight"] = float(np.mean([one.weights[kind] for one in own]))
        row["some fit failed"] = sum(bool(one.unsound) for one in own)
        rows.append(row)
    return table(pd.DataFrame(rows), 2)


def brier() -> Dataset:
    """Return accuracies and Brier scores of about 65 models on 6 tasks."""
    runs = pd.read_csv(data_dir() / "expemergence_overall.csv")
    return from_frame(
        runs,
        {"x": "flops_1e21"},
        {"accuracy": "acc", "loss": "brier"},
        n="n_questions",
        chance="chance",
        curve="task",
        where="flops_1e21 > 0",
        duplicates="keep",
    )


def bits() -> Dataset:
    """Return accuracies and bits per byte of the ladder's 30 runs on 10 tasks."""
    runs = pd.read_csv(data_dir() / "olmo_ladder_final.csv")
    runs["chance"] = runs.task.map(CHANCE).fillna(ORDINARY_CHANCE)
    return from_frame(
        runs,
        {"x": "flops"},
        {"accuracy": "acc", "loss": "task_bpb"},
        n="n_examples",
        chance="chance",
        curve="task",
        where="role == 'ladder'",
        duplicates="keep",
    )


def described(name: str, runs: int, one: MetricOrModel) -> dict:
    """Return one row of figures."""
    best = max(one.log_evidence.values())
    row = {"task": name, "runs": runs} | {
        f"P({s})": round(one.probability[s], 3) for s in HYPOTHESES
    }
    row |= {f"weight {s}": round(one.weights[s], 2) for s in HYPOTHESES}
    logs = " / ".join(f"{value - best:.1f}" for value in one.log_evidence.values())
    row["log evidence (logistic / exact match / breakthrough / apart)"] = logs
    row["told"] = one.hypothesis or "cannot tell"
    row["failed"] = ", ".join(one.unsound) or "-"
    return row


def real(data: Dataset) -> str:
    """Return what is told of each task of a table."""
    found = metric_or_model(data, sampler=SAMPLER)
    rows = [described(n, int((data.curve == n).sum()), one) for n, one in found.items()]
    return table(pd.DataFrame(rows))


def exact_tokens() -> str:
    """Return how well c and alpha are found where T is a column."""
    c, rows, frames = 1e20, [], []
    x = np.geomspace(1e19, 1e23, 20)
    for s in range(REPEATS):
        rng = np.random.default_rng([s, 12])
        long, T = (each.ravel() for each in np.meshgrid(x, TOKENS))
        p = np.exp(-T * (long / c) ** -ALPHA)
        counts = rng.binomial(QUESTIONS, p)
        frames.append(
            pd.DataFrame({"x": long, "T": T, "acc": counts / QUESTIONS, "n": QUESTIONS, "curve": s})
        )
    data = from_frame(
        pd.concat(frames), {"x": "x", "T": "T"}, {"accuracy": "acc"}, n="n", curve="curve"
    )
    post = fit("exact_match(tokens=True)", data, sampler=SAMPLER)
    for name, truth in (("c", c), ("alpha", ALPHA)):
        found = [summarise(one.draws[name]) for _, one in post]
        medians = [each["median"] for each in found]
        rows.append(
            {
                "constant": name,
                "truth": truth,
                "medians": f"{min(medians):.4g} to {max(medians):.4g}",
                "median width of the 90 % interval, share of truth": float(
                    np.median([each["hi"] - each["lo"] for each in found]) / truth
                ),
                "truth inside": f"{sum(f['lo'] <= truth <= f['hi'] for f in found)} of {REPEATS}",
                "sound fits": f"{REPEATS - len(post.health.failed)} of {REPEATS}",
            }
        )
    return table(pd.DataFrame(rows))


INTRODUCTION = (
    "Three hypotheses: metric (the score follows a power law, accuracy is a function of it), model "
    "(both cross one threshold), neither (each bends in its own way). One is told where its "
    "probability is .6 or more and no other predicts better with whole runs left out; otherwise "
    "the data cannot tell. Where a fit failed its checks, its evidence is doubted by 5 nats. "
    "4 chains of 500 draws after 500 of warm-up, seed 0."
)


def main() -> None:
    """Run the study and write its figures."""
    write(
        "metric",
        "Metric or model",
        INTRODUCTION,
        f"## Simulated, {RUNS} runs over four decades, {QUESTIONS} questions\n\n"
        "The score is off by 2 %; T tokens of loss (x/c)^-.35 + .01 must all be right, or score "
        f"and accuracy are logistic in log x. {REPEATS} tables of each; fits that "
        "failed were not run again.\n\n" + verdicts(),
        "## Accuracy and Brier score, expemergence_overall\n\n" + real(brier()),
        "## Accuracy and bits per byte, olmo_ladder_final (30 ladder runs)\n\n" + real(bits()),
        "## Exact match with T = 2, 5, 10, 20 tokens as a column\n\n"
        "20 scales of each T, 1000 questions.\n\n" + exact_tokens(),
    )
