"""Which kind each open task is, against labels fixed before any fit; and calibration of kinds.

Five hypotheses: it rises (`sigmoid`), nothing happens (`flat`), it falls and recovers
(`distractor`), it falls (`inverse`), it rises and falls (`inverted_u`), each as probable as any
other; priors that were learnt (`hypotheses`) stand beside. Losses that turn up and double descent
go through broken laws of either sign instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import jax
import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.comparison.evidence import log_evidence
from bayescale.data.dataset import Dataset
from bayescale.inference.make_model import make_model
from bayescale.laws import broken, distractor, flat, get_law, inverse, inverted_u, sigmoid
from bayescale.model.arrays import pack
from bayescale.questions.curves import drawn
from bayescale.questions.kind import POINTS, kind
from bayescale.questions.kinds import CUT, KINDS, classify
from bayescale.questions.sweep import sweep
from bayescale.workflows.confusion import stacked
from bayescale.workflows.tasks import QUICK, tasks

from .. import common
from . import cuts
from .hypotheses import AHEAD, BY_EVIDENCE, EQUAL
from .real import wilson
from .tables import GROUPS, PRIZE, groups_of, labelled, labels_of, open_tasks, prize, table_of

HYPOTHESES = ("sigmoid", "flat", "distractor", "inverse", "inverted_u")
SAMPLER = replace(QUICK, chains=2, warmup=300, draws=500, starts=32, retries=0)
FEW = (sigmoid, flat, distractor.fix(gap=2.3, k=1.5), inverse, inverted_u.fix(gap=2.3, k=1.5))
"""For curves of four points: no more parameters than points."""
SIMULATED = 4
"""Curves simulated from each hypothesis, at each design."""


def judged(data: Dataset, laws=HYPOTHESES) -> tuple[pd.DataFrame, str]:
    """Return one row a task, by hypothesis its evidence and kinds; and what it cost.

    All fits count, as they do not in `tasks`, which runs what fails again and leaves out what still
    does.
    """
    before, found, failed = common.cpu_seconds(), {}, {}
    for law in laws:
        fit = bs.fit(law, data, sampler=SAMPLER, progress=False)
        for name, one in fit:
            found.setdefault(name, {})[one.law.told] = _told(one)
            failed.setdefault(name, [])
            if not one.health.verdicts[0].settled:
                failed[name].append(one.law.told)
        print(one.law.name, f"{common.cpu_seconds() - before:.0f} CPU s", flush=True)
    rows = [{"task": name, "told": told} for name, told in found.items()]
    for row in rows:
        row["family"] = cuts.family(row["task"])
        row["unsettled"] = ", ".join(failed[row["task"]])
    spent, fits = common.cpu_seconds() - before, len(found) * len(laws)
    return pd.DataFrame(rows), f"{fits} fits, {spent:.0f} CPU s ({spent / fits:.2f} a fit)"


def _told(one) -> tuple[float, np.ndarray]:
    """Return the log evidence of a fit, and the share of each kind among its draws."""
    ways = sweep(one)
    curves = drawn(one, ways, next(iter(ways.values())).grid(None, None, POINTS)).curves
    codes = classify(curves, CUT)
    return log_evidence(one).log, np.bincount(codes, minlength=len(KINDS)) / len(codes)


def called(told: dict, prior: Mapping[str, float]) -> np.ndarray:
    """Return the probability of each kind under a prior of the hypotheses, as `tasks` has it."""
    best = max(log for log, _ in told.values())
    weights = {name: prior[name] * np.exp(log - best) for name, (log, _) in told.items()}
    total = sum(weights.values())
    return sum(weights[name] / total * shares for name, (_, shares) in told.items())


def curves_of_losses() -> pd.DataFrame:
    """Return the kinds of loss against repeated epochs, and of double descent."""
    said, rows = labelled(), []
    folder = common.data_dir()
    epochs = pd.read_csv(folder / "datablations_final.csv")
    sizes = epochs.params.map("N={:.4g}".format), epochs.unique_tokens.map("U={:.4g}".format)
    epochs["name"] = sizes[0] + " " + sizes[1]
    epochs = epochs[epochs.groupby("name").tokens.transform("nunique") >= 6]
    descent = pd.read_csv(folder / "double_descent.csv")
    for table, frame, x, y, name, law in (
        ("datablations_final", epochs, "epochs", "val_loss", "name", broken(1, monotone=False)),
        ("double_descent", descent, "x", "y", "curve", broken(2, monotone=False)),
    ):
        data = bs.from_frame(frame, x, y, curve=name, duplicates="keep", source=table)
        fit = bs.fit(law, data, sampler=replace(SAMPLER, warmup=1000))
        kinds = kind(fit, allow_failed=True)
        for task, found in kinds.items():
            sound = fit.curve(task).health.sound
            known = said.loc[table].label.groupby("task").first()
            label = known.get(task, "")
            rows.append(
                {"table": table, "curve": task, "label": label, "kind": found.likeliest}
                | {"probability": found.probability, "sound": sound}
            )
    return pd.DataFrame(rows)


def simulated() -> str:
    """Return how often kinds are right where the truth is known, at real designs."""
    designs = {
        "mmlu": table_of("expemergence_overall", "flops_1e21", "acc", "n_questions", 1e21),
        "arc_easy": table_of("gadre_downstream", "flops", "accuracy", "n_examples"),
        "arithmetic_2dm": table_of(
            "obsscaling_emergent", "flops_1e21", "value", "n_examples", 1e21
        ),
    }
    rows = []
    for i, (task, data) in enumerate(designs.items()):
        one = replace(data.take(data.curve == task), curve=None, group=None)
        truth, made = _simulate(one, seed=i)
        found = tasks(made, HYPOTHESES, sampler=SAMPLER)
        for name, wanted in truth.items():
            answer = found[name].kind
            if answer is not None:
                right = answer.likeliest == wanted
                sure = (answer.probability, right, answer.kinds[wanted])
                rows.append((task, wanted, answer.likeliest, *sure))
            else:
                rows.append((task, wanted, "none sound", np.nan, False, np.nan))
    frame = pd.DataFrame(
        rows, columns=["design", "truth", "called", "probability", "right", "p_truth"]
    )
    known = frame[frame.probability.notna()]
    matrix = pd.crosstab(frame.truth, frame.called)
    return (
        f"{len(frame)} curves simulated from the five laws' priors at the scales and questions of "
        f"{', '.join(designs)}; {len(frame) - len(known)} without a sound law.\n\n"
        + common.table(by_bins(known.probability, known.right), 3)
        + "\n\nTruth in rows, call in columns:\n\n"
        + common.table(matrix)
    )


def _simulate(data: Dataset, seed: int) -> tuple[dict[str, str], Dataset]:
    """Return the true kinds of curves drawn from each law's prior, and the curves."""
    tables, truth = [], {}
    for i, law in enumerate(HYPOTHESES):
        model = make_model(get_law(law), data)
        with jax.enable_x64(True):
            lane = jax.tree.map(lambda leaf: leaf[0], pack(model, data)[0].data)
            keys = jax.random.split(jax.random.key(1000 * seed + i), SIMULATED)
            for j, key in enumerate(keys):
                first, second = jax.random.split(key)
                params = model.parameters(model.sample_prior(first), lane)
                drawn = np.asarray(model.scatter(params, lane).sample(second))[: len(data)]
                grid = np.exp(np.linspace(*lane["span"]["x"], 257))
                given = {name: params[name] for name in model.law.parameters}
                curve = np.asarray(model.law.at(grid, **given))
                name = f"{law}|{j}"
                truth[name] = KINDS[int(classify(curve[None], 0.05)[0])]
                tables.append(drawn / data.n)
    return truth, stacked(data, tables, list(truth))


def main() -> None:
    """Judge, simulate and write; after each part, so that a long study leaves what it has."""
    found, costs, parts = [], [], {}
    sources = (("open tasks", open_tasks, HYPOTHESES), ("prize", prize, FEW))
    for name, data, laws in (*sources, ("groups", groups_of, HYPOTHESES)):
        rows, cost = judged(data(), laws)
        found.append(labels_of(rows))
        costs.append(f"{name}: {cost}")
        print(costs[-1], flush=True)
        write(pd.concat(found, ignore_index=True), costs, parts)
    parts["Calibration on simulated curves"] = simulated()
    parts["Losses"] = common.table(curves_of_losses(), 3)
    write(pd.concat(found, ignore_index=True), costs, parts)


def write(rows: pd.DataFrame, costs: list[str], parts: dict[str, str]) -> None:
    """Write what was found."""
    under = {"equal": EQUAL, "by evidence (before)": BY_EVIDENCE, "learnt ahead of cuts": AHEAD}
    calls = {name: with_calls(rows, prior) for name, prior in under.items()}
    final = calls["equal"]
    report = [
        f"Laws: {', '.join(HYPOTHESES)}. {'; '.join(costs)}. 2 chains of 500 draws and no second "
        "tries: all fits count, also what `tasks` would run again or leave out."
    ]
    report += ["## Priors of the hypotheses against the labels\n\n" + by_prior(calls)]
    for name, each in calls.items():
        report += [f"## Against the labels, {name} prior\n\n" + agreement(each)]
    if (rows.table == "gadre_downstream").any():
        report += ["## By category\n\n" + by_category(final)]
    report += [f"## {title}\n\n{text}" for title, text in parts.items()]
    columns = ["table", "task", "label", "kind", "probability", "P(label)", "unsettled"]
    report += ["## Every task, with the prior in use\n\n" + common.table(final[columns], 3)]
    common.write("kinds", "Which kind of task", *report)


def with_calls(rows: pd.DataFrame, prior: Mapping[str, float]) -> pd.DataFrame:
    """Return the rows with the kind that is likeliest under a prior of the hypotheses."""
    found = np.array([called(one, prior) for one in rows.told])
    label = [KINDS.index(each) if each in KINDS else -1 for each in rows.label]
    of_label = [row[at] if at >= 0 else np.nan for row, at in zip(found, label, strict=True)]
    kind = [KINDS[at] for at in found.argmax(1)]
    return rows.assign(kind=kind, probability=found.max(1), **{"P(label)": of_label})


def against_labels(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Return the rows with a label, whether steady and emergent as one agree, and log P(label)."""
    known = rows[rows.label != ""]
    # Most labels are by a rule on raw accuracies, which noise moves over the line between the two.
    rise = {"emergent": "rises", "steady": "rises"}
    alike = known.kind.replace(rise) == known.label.replace(rise)
    return known, alike, np.log(np.maximum(known["P(label)"], 0.001))


def by_prior(calls: Mapping[str, pd.DataFrame]) -> str:
    """Return how each prior fares against the labels, tables made from outcomes apart."""
    rows = []
    for chosen in (False, True):
        for name, every in calls.items():
            own = every[every.table.isin((GROUPS, PRIZE)) == chosen]
            known, alike, score = against_labels(own)
            if len(known):
                row = {"tasks": "made from outcomes, or looked for" if chosen else "open tasks"}
                row |= {
                    "prior": name,
                    "labelled": len(known),
                    "agree": (known.kind == known.label).mean(),
                }
                rows.append(row | {"steady = emergent": alike.mean(), "log P(label)": score.mean()})
    return common.table(pd.DataFrame(rows), 3)


def agreement(rows: pd.DataFrame) -> str:
    """Return label against kind, and reliability of the calls against the labels."""
    known, alike, score = against_labels(rows)
    matrix = pd.crosstab(known.label, known.kind)
    return (
        f"{len(known)} tasks with a label: {(known.kind == known.label).mean():.0%} agree, "
        f"{alike.mean():.0%} with steady and emergent as one; log probability of the label "
        f"{score.mean():.3g} a task (no less than log .001). Calls by their probability:\n\n"
        + common.table(by_bins(known.probability, known.kind == known.label, alike), 3)
        + "\n\nLabel in rows, call in columns:\n\n"
        + common.table(matrix)
    )


def by_bins(probability, right, alike=None, edges=(0, 0.5, 0.7, 0.9, 0.97, 1.0001)) -> pd.DataFrame:
    """Return how many calls of each probability were right, with 90 % binomial intervals."""
    rows = []
    p, right = np.asarray(probability, float), np.asarray(right, bool)
    for lo, hi in (*pairwise(edges), (0.9, 1.0001)):
        own = (p >= lo) & (p < hi)
        row = {"probability": f"{lo:g} to {min(hi, 1):g}", "calls": int(own.sum())}
        if own.any():
            row |= {"promised": p[own].mean(), "right": f"{right[own].sum()} of {own.sum()}"}
            row["90 % interval"] = "{:.2f}-{:.2f}".format(*wilson(int(right[own].sum()), own.sum()))
            if alike is not None:
                both = int(np.asarray(alike)[own].sum())
                row["steady = emergent"] = f"{both} of {own.sum()}"
                row["90 % interval "] = "{:.2f}-{:.2f}".format(*wilson(both, own.sum()))
        rows.append(row)
    return pd.DataFrame(rows).fillna("-")


def by_category(rows: pd.DataFrame) -> str:
    """Return the kinds of the gadre tasks by the file's category."""
    own = rows[rows.table == "gadre_downstream"]
    frame = pd.read_csv(common.data_dir() / "gadre_downstream.csv")
    category = frame.drop_duplicates("task").set_index("task").category
    return common.table(pd.crosstab(own.task.map(category).rename("category"), own.kind))
