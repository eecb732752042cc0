"""Simulation-based calibration of the whole of `tasks`: kind, law, unlock, and what never comes.

A law is drawn from the prior of the hypotheses that `tasks` starts from, its parameters and its
noise's from their priors at the design of a real table, counts from these, and beyond the data a
misfit, as `tasks` has it; of `flat`, whether and when something still comes, as `laws.later` has
it. So told probabilities should come true as often as they say, of whatever was told. Talts et al.
2018 (arXiv 1804.06788), of a whole program.

Many simulated tasks are curves of one table, so that each law is compiled once. Each batch is kept
as it is done (`python -m benchmarks tasks_calibration` goes on from there).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bayescale.data.dataset import Dataset
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.laws.later import FLAT, NEVER
from bayescale.model.evaluate import at_own
from bayescale.model.prior import before
from bayescale.parametric.parametric import Law
from bayescale.posterior.bends import MISFIT, OWN, bending, paths
from bayescale.questions.kind import POINTS
from bayescale.questions.kinds import CUT, KINDS, classify
from bayescale.questions.threshold import DECADES
from bayescale.workflows.confusion import stacked
from bayescale.workflows.default_laws import ACCURACIES
from bayescale.workflows.hypotheses import prior_of
from bayescale.workflows.task import Task
from bayescale.workflows.tasks import QUICK, tasks

from .. import common
from .kinds import FEW, by_bins
from .real import wilson
from .tables import prize, table_of

KEPT = common.RESULTS / "tasks_calibration.csv"
SAMPLER = replace(QUICK, warmup=300, draws=500, starts=32)
"""Shorter than the product's, with its second try of what matters: with 2 chains of 500 draws and
no second try 17 of 24 tasks of four models had no answer."""
OF = {"4 models": FEW}
"""Laws of a design, where they are not those of `tasks`: no more parameters than models."""
EACH = {"4 models": 24, "33 models": 12, "63 models": 12}
"""Simulated tasks of a batch."""
BATCHES = {"4 models": 12, "33 models": 12, "63 models": 6}
MASSES = (0.5, 0.8, 0.9)
GRID = 4000
"""Points a curve between the smallest model and the horizon at which the truth is looked for."""


def designs() -> dict[str, Dataset]:
    """Return one task of each real table: its scales, numbers of questions and chance."""
    few = prize()
    overall = table_of("expemergence_overall", "flops_1e21", "acc", "n_questions", 1e21)
    sizes = {name: few.n[few.curve == name].mean() for name in few.curve_names}
    middle = sorted(sizes, key=sizes.__getitem__)[len(sizes) // 2]
    mmlu = overall.take(overall.curve == "mmlu")
    parts = {
        "4 models": few.take(few.curve == middle),
        "33 models": mmlu.take(np.arange(0, len(mmlu), 2)),
        "63 models": overall.take(overall.curve == "conceptual_combinations"),
    }
    return {name: replace(part, curve=None, group=None) for name, part in parts.items()}


# ------------------------------------------------------------------ the truth


def simulate(design: Dataset, laws, count: int, seed: int) -> tuple[pd.DataFrame, Dataset]:
    """Return the truth of each simulated task, and their counts as curves of one table."""
    known = [get_law(law) for law in laws]
    prior = prior_of(known)
    rng = np.random.default_rng([seed, 21])
    drawn = rng.choice(len(known), size=count, p=[prior[law.name] for law in known])
    truths, responses = [], []
    for i, law in enumerate(known):
        if own := int((drawn == i).sum()):
            truth, y = _of_law(law, design, own, seed * len(ACCURACIES) + i, rng)
            truths.append(truth)
            responses += list(y)
    truth = pd.concat(truths, ignore_index=True)
    truth["task"] = [f"task {i:03d}" for i in range(count)]
    return truth, stacked(design, responses, list(truth.task))


def _of_law(law: Law, design: Dataset, count: int, seed: int, rng) -> tuple[pd.DataFrame, list]:
    """Return the truth of so many tasks of one law, and their accuracies."""
    model = make_model(law, design)
    made = before(model, design, count, seed=seed)
    params = {name: made.parameters[name] for name in model.law.parameters}
    x = design.inputs["x"]
    seen = np.broadcast_to(np.geomspace(x.min(), x.max(), POINTS), (count, POINTS))
    codes = classify(np.asarray(at_own(model.law, params, {"x": seen})), CUT)
    unlock = crossed(model.law, params, x, half(design), paths((count,), MISFIT, rng))
    if model.law.told == FLAT:
        unlock = _later(params["g"], unlock, x.max(), half(design), rng)
    told = {"law": law.name, "truth": [KINDS[i] for i in codes], "unlock": unlock}
    return pd.DataFrame(told), list(made.runs[model.law.response])


def half(design: Dataset) -> float:
    """Return the level halfway between chance and 1."""
    return (1 + float(design.chance[0])) / 2


def crossed(law: Law, params: dict, x: np.ndarray, level: float, bends: np.ndarray) -> np.ndarray:
    """Return log10 of the scale from which on each curve is above a level, (draw,).

    -inf where it is so from the smallest model on, inf where it is not at the horizon. Beyond the
    largest model it leaves the law by its path (`with_misfit`).
    """
    grid = np.geomspace(x.min(), x.max() * 10**DECADES, GRID)
    grid = np.broadcast_to(grid, (len(bends), GRID))
    own = np.full(len(bends), x.max() * (1 + 1e-9)), bends
    known = params | dict(zip(OWN, own, strict=True))
    past = np.asarray(at_own(bending(law), known, {"x": grid})) >= level
    last = GRID - 1 - np.argmax(~past[:, ::-1], 1)
    found = np.log10(grid[0])[np.minimum(last + 1, GRID - 1)]
    return np.where(past.all(1), -np.inf, np.where(past[:, -1], found, np.inf))


def _later(g: np.ndarray, unlock: np.ndarray, best: float, level: float, rng) -> np.ndarray:
    """Return when tasks on which nothing happens over the data pass the level after all."""
    comes = rng.uniform(size=len(g)) >= NEVER
    comes &= 1 - (1 - g) * rng.beta(1.0, 2.0, len(g)) > level
    decades = np.abs(rng.standard_t(2.0, len(g)))
    comes &= np.isposinf(unlock) & (decades <= DECADES)
    return np.where(comes, np.log10(best) + decades, unlock)


# ------------------------------------------------------------------ what is told


def told(task: Task, unlock: float, laws, rng) -> dict:
    """Return what is said of one task, beside the scale at which it unlocks."""
    place = rng.uniform()
    row = {"lost": task.belief_lost, "sound": task.sound, "failed": " ".join(task.failed)}
    if task.mixture is None:
        return row
    row |= {f"p {kind}": p for kind, p in task.kind.kinds.items()}
    row |= {f"law {law}": task.mixture.weights.get(law, 0.0) for law in laws}
    answer = task.threshold
    weights = answer.weights / answer.weights.sum()
    row |= {"p_never": answer.forecast.p_never, "p_already": answer.forecast.p_already}
    row["p_decade"] = answer.p_unlocked_by(10 * answer.x_max)
    row["log_x_max"] = np.log10(answer.x_max)
    # An atom is split evenly: uniform where what is told is right.
    below, at = weights[answer.unlock < unlock].sum(), weights[answer.unlock == unlock].sum()
    return row | {"pit": below + place * at}


def batch(design: Dataset, name: str, number: int) -> pd.DataFrame:
    """Return truth and answer of each task of a batch."""
    seed = 1000 * list(BATCHES).index(name) + number
    spent = common.cpu_seconds()
    laws = OF.get(name, ACCURACIES)
    truth, data = simulate(design, laws, EACH[name], seed)
    found = tasks(data, laws, sampler=SAMPLER, seed=seed, progress=False)
    rng = np.random.default_rng([seed, 22])
    rows = [told(found[row.task], row.unlock, found.laws, rng) for row in truth.itertuples()]
    spent = (common.cpu_seconds() - spent) / len(truth)
    return truth.join(pd.DataFrame(rows)).assign(design=name, batch=number, cpu=spent)


# ------------------------------------------------------------------ how it came out


def calls(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the likeliest kind of each task, its probability, and whether it is right."""
    p = rows[[f"p {kind}" for kind in KINDS]].to_numpy()
    call = np.array(KINDS)[p.argmax(1)]
    return rows.assign(call=call, probability=p.max(1), right=call == rows.truth)


def pairs(rows: pd.DataFrame, prefix: str, truth: str, names) -> tuple[np.ndarray, np.ndarray]:
    """Return every probability told of every name, and whether it was the true one."""
    p = rows[[f"{prefix} {name}" for name in names]].to_numpy()
    came = rows[truth].to_numpy()[:, None] == np.array(names)
    return p[np.isfinite(p)], came[np.isfinite(p)]


def laws_of(rows: pd.DataFrame) -> list[str]:
    """Return the laws that were weighed in any design."""
    return [name.removeprefix("law ") for name in rows if name.startswith("law ")]


def reliability(p, came) -> pd.DataFrame:
    """Return how often came true what was told, by its probability, with 90 % intervals."""
    found, p = by_bins(p, came, edges=EDGES), np.asarray(p)
    z = (np.sum(came) - p.sum()) / np.sqrt(max(np.sum(p * (1 - p)), 1e-12))
    total = {"probability": "all", "calls": len(p), "promised": p.mean()}
    total |= {"right": f"{np.sum(came)} of {len(p)}", "90 % interval": f"z = {z:.2f}"}
    return pd.concat([found, pd.DataFrame([total])], ignore_index=True).fillna("-")


EDGES = (0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0001)


def scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Brier and log scores, of what was told and of what the told probabilities expect."""
    made = [
        ("kind", *pairs(rows, "p", "truth", KINDS)),
        ("law", *pairs(rows, "law", "law", laws_of(rows))),
    ]
    never, far = np.isposinf(rows.unlock), rows.log_x_max + 1
    for name, p, came in (
        ("never by the horizon", rows.p_never, never),
        ("already at the smallest", rows.p_already, np.isneginf(rows.unlock)),
        ("passed a decade beyond", rows.p_decade, rows.unlock <= far),
    ):
        made.append((name, *(np.concatenate([a, b]) for a, b in ((p, 1 - p), (came, ~came)))))
    table = []
    for name, p, came in made:
        log = np.log(np.maximum(p, 1e-4))
        row = {"of": name, "Brier": np.sum((p - came) ** 2) / len(rows)}
        row |= {"expected": np.sum(p * (1 - p)) / len(rows)}
        row |= {"log score": np.sum(log[came.astype(bool)]) / len(rows)}
        table.append(row | {"expected ": np.sum(p * log) / len(rows)})
    return pd.DataFrame(table)


def coverage(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many intervals of each mass hold the scale of the unlock."""
    off, crosses = np.abs(rows.pit - 0.5), 1 - rows.p_never - rows.p_already
    table = []
    for group, own in (("all", off), ("told to cross, at .5 or more", off[crosses >= 0.5])):
        if own.empty:
            continue
        for mass in MASSES:
            held = int((own <= mass / 2).sum())
            row = {"tasks": group, "mass": f"{mass:.0%}", "held": f"{held} of {len(own)}"}
            row["90 % interval"] = "{:.2f}-{:.2f}".format(*wilson(held, len(own)))
            table.append(row)
    return pd.DataFrame(table)


def main(batches: dict[str, int] = BATCHES) -> None:
    """Run what is not kept yet of so many batches of each design, and write."""
    kept = pd.read_csv(KEPT) if KEPT.exists() else pd.DataFrame(columns=["design", "batch"])
    known = designs()
    for number in range(max(batches.values(), default=0)):
        for name, most in batches.items():
            if number >= most or ((kept.design == name) & (kept.batch == number)).any():
                continue
            new = batch(known[name], name, number).round(6)
            kept = pd.concat([kept, new], ignore_index=True) if len(kept) else new
            kept.to_csv(KEPT, index=False)
            print(name, number, f"{new.cpu.mean():.1f} CPU s a task", flush=True)
    write(kept)


def write(kept: pd.DataFrame) -> None:
    """Write what was found."""
    rows = calls(kept[kept.p_never.notna()])
    counts = kept.groupby("design", sort=False).agg(
        **{
            "tasks": ("task", "count"),
            "no answer": ("p_never", lambda p: int(p.isna().sum())),
            "a law left out": ("failed", lambda names: int(names.fillna("").ne("").sum())),
            "contradicted": ("sound", "size"),
            "CPU s a task": ("cpu", "mean"),
        }
    )
    refused = kept.p_never.notna() & ~kept.sound.astype(bool)
    counts["contradicted"] = refused.groupby(kept.design, sort=False).sum()
    missing = {
        name: most - kept[kept.design == name].batch.nunique() for name, most in BATCHES.items()
    }
    left = ", ".join(f"{n} of {name}" for name, n in missing.items() if n)
    sure = rows[rows.probability >= 0.9]
    never, far = np.isposinf(rows.unlock), rows.unlock <= rows.log_x_max + 1
    parts = [
        f"{len(kept)} simulated tasks, {len(rows)} with an answer; the laws of `tasks` and their "
        f"prior (of 4 models {', '.join(law.name for law in FEW)}: `tasks` refuses laws of more "
        f"parameters than models); {SAMPLER.chains} chains of {SAMPLER.draws} draws after "
        f"{SAMPLER.warmup} of warm-up (the product: 1000 after 500), with its second try. "
        f"Of calls of a kind at 90 % or more {int(sure.right.sum())} of {len(sure)} are right. "
        f"Not run: {left or 'nothing'}.",
        common.table(counts, 3),
        "no answer: too much of the belief is in laws whose draws are not settled. contradicted: "
        "told not to be sound, since the data are said to contradict most of what is believed; "
        "here, where the laws are right, a false alarm. These are counted below, as all that have "
        "an answer are.",
        "## Scores\n\nBrier score (sum over the outcomes, mean over the tasks) and log score, and "
        "what the told probabilities themselves expect of both.",
        common.table(scores(rows), 3),
        "## The likeliest kind\n\nIntervals are 90 % ones (Wilson's); z is what came true less "
        "what was promised over its standard deviation.",
        common.table(reliability(rows.probability, rows.right), 3),
        "Truth in rows, call in columns:\n\n" + common.table(pd.crosstab(rows.truth, rows.call)),
    ]
    for title, told in (
        ("Every kind", pairs(rows, "p", "truth", KINDS)),
        ("Every law", pairs(rows, "law", "law", laws_of(rows))),
        ("Never by the horizon", (rows.p_never, never)),
        ("Passed within a decade of the largest model", (rows.p_decade, far)),
    ):
        parts += [f"## {title}\n\n" + common.table(reliability(*told), 3)]
    text = "of the scale of the unlock; never and already are split at random, so that they count."
    parts += [f"## Coverage\n\nIntervals {text}", common.table(coverage(rows), 3)]
    parts += ["## By design\n\nThe likeliest kind, and coverage at 90 %:"]
    parts += [common.table(by_design(rows), 3)]
    common.write("tasks_calibration", "Calibration of the whole of `tasks`", *parts)


def by_design(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each design fares."""
    table = []
    for name, own in rows.groupby("design", sort=False):
        sure, held = own[own.probability >= 0.9], int((abs(own.pit - 0.5) <= 0.45).sum())
        row = {"design": name, "tasks": len(own), "promised": own.probability.mean()}
        row |= {"right": own.right.mean(), "at 90 %": f"{sure.right.sum()} of {len(sure)}"}
        row |= {"P(never)": own.p_never.mean(), "never": np.isposinf(own.unlock).mean()}
        table.append(row | {"unlock held": f"{held} of {len(own)}"})
    return pd.DataFrame(table)
