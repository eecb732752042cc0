"""Accuracy through the loss, beside published answers.

1. The model ladder of Bhagia et al. 2024 (arXiv 2412.04403): 16 small runs, targets of 7B and 13B.
2. Gadre et al. 2024 (arXiv 2403.08540): accuracy of large runs from their measured loss.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy.optimize import OptimizeWarning, curve_fit

from bayescale.data.from_frame import from_frame
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.laws import two_stage
from bayescale.model.evaluate import law_at
from bayescale.posterior.posterior import Posterior
from bayescale.questions.predict import predict

from .common import data_dir, table, write

SAMPLER = NUTS(warmup=500, draws=500, target_accept=0.9)
PAPER = "role == 'ladder' and rerun == 0 and size != '3B' and xC >= 1"
TARGETS = {"7B-4T": "peteish7_eval_anneal", "13B-5T": "peteish13_eval_full"}
CHANCE = {"piqa_val": 0.5, "boolq_val": 0.5}
ORDINARY_CHANCE = 0.25
PUBLISHED_7B = {
    "mmlu_avg_test": 0.013,
    "hellaswag_val": 0.014,
    "piqa_val": 0.010,
    "arc_easy_test": 0.094,
    "openbookqa_test": 0.106,
    "boolq_val": 0.018,
}
CUTS = (1e20, 1e21)
RISES = -0.7
"""Rank correlation of accuracy and loss among the fitted runs below which a task rises."""
MASSES = (0.5, 0.9)


def published() -> dict[tuple[str, str], float]:
    """Return the published relative error (size) by target and task."""
    rows = pd.read_csv(data_dir() / "olmo_ladder_published_predictions.csv")
    rows = rows[rows.analysis == "chained_main"]
    names = rows.task.str.removesuffix("_5shot")
    found = {("13B-5T", n): abs(e) for n, e in zip(names, rows.rel_error, strict=True)}
    return found | {("7B-4T", name): error for name, error in PUBLISHED_7B.items()}


def ladder(loss: str) -> pd.DataFrame:
    """Fit the paper's 16 runs of each task through a loss; return one row a target and task."""
    runs = pd.read_csv(data_dir() / "olmo_ladder_final.csv")
    runs["chance"] = runs.task.map(CHANCE).fillna(ORDINARY_CHANCE)
    small = runs.query(PAPER)
    data = from_frame(
        small,
        {"N": "params", "D": "tokens"},
        {"accuracy": "acc", "loss": loss},
        n="n_examples",
        chance="chance",
        curve="task",
    )
    posterior = fit(two_stage(loss="chinchilla"), data, sampler=SAMPLER)
    theirs, rows = published(), []
    for task, one in posterior:
        for target, run in TARGETS.items():
            actual = runs[(runs.run == run) & (runs.task == task)].iloc[0]
            rows.append({"task": task, "target": target} | _forecast(one, actual))
            rows[-1]["their error"] = theirs.get((target, task), np.nan)
            rows[-1]["health"] = "sound" if one.health.sound else "failed"
    return pd.DataFrame(rows)


def _forecast(one: Posterior, actual: pd.Series) -> dict:
    """Return the accuracy forecast for a target run beside what was measured."""
    at = {"N": actual.params, "D": actual.tokens}
    found = predict(one, at, n=actual.n_examples, allow_failed=True)
    (median,) = found.quantiles("mean")[1]
    row = {"measured": actual.acc, "median": float(median), "error": median / actual.acc - 1}
    for which, label in (("mean", "curve"), ("new", "run")):
        for mass in MASSES:
            lo, _, hi = found.quantiles(which, mass)[:, 0]
            row[f"{label} {mass:.0%}"] = f"{lo:.3f} to {hi:.3f}"
            row[f"in {label} {mass:.0%}"] = bool(lo <= actual.acc <= hi)
    level = np.median(_levels(one, at))
    row["loss error"] = float(level / actual[one.data.columns["loss"]] - 1)
    return row


def _levels(one: Posterior, at: dict) -> np.ndarray:
    """Return the loss that every draw gives a run, (draw,)."""
    from bayescale.laws import chinchilla

    draws = {name: one.draws[name][None] for name in chinchilla.parameters}
    inputs = {name: np.full((1, 1), value) for name, value in at.items()}
    return law_at(chinchilla, draws, inputs).ravel()


def summary(found: pd.DataFrame) -> str:
    """Return errors and coverage by target, and over the tasks of the paper."""
    rows = []
    for target, part in found.groupby("target", sort=False):
        shared = part[part["their error"].notna()]
        row = {"target": target, "tasks": len(part)}
        row["mean error"] = f"{part.error.abs().mean():.1%}"
        row["on the published tasks"] = f"{shared.error.abs().mean():.1%} ({len(shared)})"
        row["published"] = f"{shared['their error'].mean():.1%}"
        for column in found.columns[found.columns.str.startswith("in ")]:
            row[column] = f"{part[column].sum()} of {len(part)}"
        rows.append(row)
    return table(pd.DataFrame(rows))


def shown(found: pd.DataFrame) -> str:
    """Return one row a target and task."""
    kept = found.drop(columns=[c for c in found if c.startswith("in ")])
    for column in ("error", "loss error", "their error"):
        kept[column] = [
            "-" if np.isnan(v) else f"{v:{'' if column == 'their error' else '+'}.1%}"
            for v in kept[column]
        ]
    kept["in run 90%"] = ["yes" if inside else "no" for inside in found["in run 90%"]]
    return table(kept, 3)


# ------------------------------------------------------------------ error from loss


def gadre(cut: float) -> tuple[str, str]:
    """Fit accuracy against C4 loss below a budget, and predict above it from the loss there."""
    runs, losses = (
        pd.read_csv(data_dir() / f"gadre_{name}.csv") for name in ("downstream", "losses")
    )
    c4 = losses[losses.eval_set == "c4_val"][["run", "loss"]]
    runs = runs.merge(c4, on="run").assign(curve=lambda f: f.train_data + "/" + f.task)
    small, large = runs[runs.flops < cut], runs[runs.flops >= cut]
    rank = {
        name: rows.loss.corr(rows.accuracy, "spearman") for name, rows in small.groupby("curve")
    }
    rising = [name for name, value in rank.items() if value < RISES]
    data = from_frame(
        small[small.curve.isin(rising)],
        {"L": "loss"},
        {"accuracy": "accuracy"},
        n="n_examples",
        chance="chance",
        curve="curve",
        duplicates="keep",
    )
    posterior = fit("from_loss", data, sampler=SAMPLER)
    rows = []
    for name, one in posterior:
        held, fitted = (part[part.curve == name] for part in (large, small))
        n = float(held.n_examples.iloc[0])
        found = predict(one, {"L": held.loss.to_numpy()}, n=n, allow_failed=True)
        row = {"curve": name, "accuracy": held.accuracy.to_numpy(), "sound": one.health.sound}
        row["ours"] = found.quantiles("mean")[1]
        row["theirs"] = exponential(fitted, held.loss.to_numpy())
        for mass in MASSES:
            lo, _, hi = found.quantiles("new", mass)
            row[f"run {mass:.0%}"] = (lo <= held.accuracy) & (held.accuracy <= hi)
        rows.append(row)
    return _scores(rows)


def exponential(fitted: pd.DataFrame, loss: np.ndarray) -> np.ndarray:
    """Return the accuracies of error = eps - k exp(-gamma L), by least squares."""

    def error(L, eps, k, gamma):
        return eps - k * np.exp(-gamma * (L - 3.0))

    y = 1 - fitted.accuracy.to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        found, _ = curve_fit(error, fitted.loss, y, (y.max(), 0.1, 1.0), maxfev=100_000)
    return 1 - error(loss, *found)


def _scores(rows: list[dict]) -> tuple[str, str]:
    """Return the table by task, and that of all."""
    frame = pd.DataFrame(rows)
    frame["task"] = frame.curve.str.split("/").str[1]

    def one(part):
        real, ours, theirs = (np.concatenate(list(part[n])) for n in ("accuracy", "ours", "theirs"))
        found = {"runs": len(real), "MAE": float(np.abs(ours - real).mean())}
        found |= {"MAE, exponential": float(np.abs(theirs - real).mean())}
        found |= {"bias": float((ours - real).mean())}
        found |= {"bias, exponential": float((theirs - real).mean())}
        for mass in MASSES:
            inside = np.concatenate(list(part[f"run {mass:.0%}"]))
            found[f"in run {mass:.0%}"] = f"{inside.sum()} of {len(inside)}"
        return found | {"failed fits": int((~part.sound).sum())}

    by_task = [{"task": name} | one(part) for name, part in frame.groupby("task")]
    return table(pd.DataFrame(by_task), 3), table(pd.DataFrame([one(frame)]), 3)


def main() -> None:
    """Run the study and write its figures."""
    own, c4 = ladder("task_bpb"), ladder("c4_loss")
    parts = []
    for cut in CUTS:
        by_task, total = gadre(cut)
        parts += [f"### Fitted below {cut:.0e} FLOP, predicted above", total, by_task]
    write(
        "two_stage",
        "Accuracy through the loss",
        "4 chains of 500 draws after 500 of warm-up, seed 0. Error: median of the curve over what "
        "was measured, less 1. Curve: intervals of the law; run: of a new run.",
        "## The ladder: 16 runs of 190M to 1.3B, targets 7B-4T (annealed) and 13B-5T\n\n"
        "Law two_stage(loss='chinchilla'); their errors are the published chained (13B) and "
        "stacked (7B) ones, without a sign.",
        "### Through bits per byte of the task",
        summary(own),
        shown(own),
        "### Through C4 loss",
        summary(c4),
        shown(c4),
        "## Gadre: accuracy from C4 loss\n\n"
        "Law from_loss, one fit for each training set and task with a rank correlation of loss "
        f"and accuracy below {RISES} among the fitted runs, beside the published form "
        "error = eps - k exp(-gamma L) by least squares.",
        *parts,
    )
