"""Which kind each open task is, against labels fixed before any fit; and calibration of kinds.

Five hypotheses: it rises (`sigmoid`), nothing happens (`flat`), it falls and recovers
(`distractor`), it falls (`inverse`), it rises and falls (`inverted_u`), equally probable
beforehand. Losses that turn up and double descent go through broken laws of either sign instead.
"""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.inference.make_model import make_model
from bayescale.laws import broken, distractor, flat, get_law, inverse, inverted_u, sigmoid
from bayescale.model.arrays import pack
from bayescale.questions.kind import kind
from bayescale.questions.kinds import KINDS, classify
from bayescale.workflows.confusion import stacked
from bayescale.workflows.tasks import QUICK, tasks

from .. import common

HYPOTHESES = ("sigmoid", "flat", "distractor", "inverse", "inverted_u")
SAMPLER = replace(QUICK, draws=500, retries=1)
FEW = (sigmoid, flat, distractor.fix(gap=2.3, k=1.5), inverse, inverted_u.fix(gap=2.3, k=1.5))
"""For curves of four points: no more parameters than points."""
SIMULATED = 4
"""Curves simulated from each hypothesis, at each design."""


def labelled() -> pd.DataFrame:
    """Return the committed labels."""
    path = common.RESULTS / "labels.csv"
    return pd.read_csv(path).set_index(["table", "task", "metric"])


def table_of(name: str, x: str, y: str, n: str, unit: float = 1.0) -> Dataset:
    """Return a table's accuracies, one curve a task."""
    frame = pd.read_csv(common.data_dir() / f"{name}.csv")
    frame = frame[(frame[x] > 0) & frame[y].notna() & (frame[n] > 0)]
    frame = frame.assign(scale=frame[x] * unit)
    chance = "chance" if "chance" in frame else None
    how = dict(n=n, chance=chance, curve="task", duplicates="keep", source=name)
    return bs.from_frame(frame, "scale", y, **how)


def groups_of() -> Dataset:
    """Return the accuracies by difficulty, one curve a task and group."""
    frame = pd.read_csv(common.data_dir() / "expemergence_difficulty_groups.csv")
    frame = frame[(frame.flops_1e21 > 0) & (frame.metric == "acc") & frame.value.notna()]
    chance = {"mmlu": 0.25, "parsinlu_qa_mc": 0.25, "arithmetic": 0.145}
    frame = frame.assign(
        name=frame.task + "/" + frame.difficulty_group.astype(str),
        chance=frame.task.map(chance),
        y=(frame.value * frame.n_questions).round() / frame.n_questions,
    )
    how = dict(n="n_questions", chance="chance", curve="name", duplicates="keep", source="groups")
    return bs.from_frame(frame, "flops_1e21*1e21", "y", **how)


def prize() -> Dataset:
    """Return the inverse-scaling evaluations of four sizes, one curve a model family."""
    frame = pd.read_csv(common.data_dir() / "inverse_scaling_pipeline.csv")
    frame = frame[frame.accuracy.notna() & (frame.n_scored >= 30)]
    frame = frame.assign(name=frame.experiment + "/" + frame.family)
    frame = frame[frame.groupby("name").params.transform("nunique") >= 4]
    how = dict(n="n_scored", chance=0.5, curve="name", duplicates="drop", source="prize")
    return bs.from_frame(frame, "params", "accuracy", **how)


def judged(data: Dataset, table: str, laws=HYPOTHESES) -> tuple[pd.DataFrame, str]:
    """Return one row a task with its kind and the label, and what it cost."""
    said = labelled().xs("acc", level="metric").loc[table]
    before = common.cpu_seconds()
    found = tasks(data, laws, sampler=SAMPLER)
    spent = common.cpu_seconds() - before
    rows = []
    for task in found:
        key = task.name if task.name in said.index else _key(task.name, said.index)
        label = said.label.get(key, "")
        row = {"table": table, "task": task.name[:48], "label": label}
        if task.kind is not None:
            row |= {"kind": task.kind.likeliest, "probability": task.kind.probability}
            row |= {"half": _top(task.kind.half), "double": _top(task.kind.double)}
            row["P(label)"] = task.kind.kinds.get(label, np.nan)
        rows.append(row | {"failed": ", ".join(task.failed)})
    fits = len(found) * len(found.laws)
    return pd.DataFrame(rows), f"{table}: {fits} fits, {spent:.0f} CPU s ({spent / fits:.2f} a fit)"


def _key(name: str, known) -> str:
    return next((each for each in known if name.startswith(str(each)[:40])), name)


def _top(kinds) -> str:
    return max(kinds, key=kinds.get)


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
    called = frame[frame.probability.notna()]
    bins = pd.cut(called.probability, [0, 0.5, 0.7, 0.9, 0.97, 1.0001], right=False)
    reliable = called.groupby(bins, observed=True).agg(
        calls=("right", "size"), right=("right", "mean"), promised=("probability", "mean")
    )
    reliable.index = reliable.index.astype(str)
    reliable.index.name = "probability of the call"
    matrix = pd.crosstab(frame.truth, frame.called)
    return (
        f"{len(frame)} curves simulated from the five laws' priors at the scales and questions of "
        f"{', '.join(designs)}; {len(frame) - len(called)} without a sound law.\n\n"
        + common.table(reliable, 3)
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


SOURCES = (
    ("expemergence_overall", "flops_1e21", "acc", "n_questions", 1e21),
    ("gadre_downstream", "flops", "accuracy", "n_examples", 1.0),
    ("obsscaling_emergent", "flops_1e21", "value", "n_examples", 1e21),
)


def main() -> None:
    """Judge, simulate and write; after each part, so that a long study leaves what it has."""
    found, costs, parts = [], [], {}
    sources = [(name, table_of(name, *rest), HYPOTHESES) for name, *rest in SOURCES]
    sources += [("expemergence_difficulty_groups", groups_of(), HYPOTHESES)]
    sources += [("inverse_scaling_pipeline", prize(), FEW)]
    for name, data, laws in sources:
        rows, cost = judged(data, name, laws)
        print(cost, flush=True)
        found.append(rows)
        costs.append(cost)
        _write(pd.concat(found, ignore_index=True), costs, parts)
        if name == "obsscaling_emergent":
            parts["Calibration on simulated curves"] = simulated()
    parts["Losses"] = common.table(curves_of_losses(), 3)
    _write(pd.concat(found, ignore_index=True), costs, parts)


def _write(rows: pd.DataFrame, costs: list[str], parts: dict[str, str]) -> None:
    report = [f"Laws: {', '.join(HYPOTHESES)}. {'; '.join(costs)}."]
    report += ["## Against the labels\n\n" + agreement(rows)]
    if (rows.table == "gadre_downstream").any():
        report += ["## By category\n\n" + by_category(rows)]
    report += [f"## {title}\n\n{text}" for title, text in parts.items()]
    report += ["## Every task\n\n" + common.table(rows, 3)]
    common.write("kinds", "Which kind of task", *report)


def agreement(rows: pd.DataFrame) -> str:
    """Return label against kind, and reliability of the calls against the labels."""
    known = rows[(rows.label != "") & rows.likeliest.notna()]
    matrix = pd.crosstab(known.label, known.likeliest)
    sure = known[known.probability >= 0.9]
    right = (known.likeliest == known.label).mean()
    # Most labels are by a rule on raw accuracies, which noise moves over the line between the two.
    rise = {"emergent": "rises", "steady": "rises"}
    alike = known.likeliest.replace(rise) == known.label.replace(rise)
    return (
        f"{len(known)} tasks with a label: {right:.0%} agree; of {len(sure)} calls made with 90 % "
        f"or more, {(sure.likeliest == sure.label).mean():.0%}. With steady and emergent as one: "
        f"{alike.mean():.0%}, and {alike[sure.index].mean():.0%}. Label in rows:\n\n"
        + common.table(matrix)
    )


def by_category(rows: pd.DataFrame) -> str:
    """Return the kinds of the gadre tasks by the file's category."""
    own = rows[rows.table == "gadre_downstream"]
    frame = pd.read_csv(common.data_dir() / "gadre_downstream.csv")
    category = frame.drop_duplicates("task").set_index("task").category
    return common.table(pd.crosstab(own.task.map(category).rename("category"), own.likeliest))
