"""Can explanations of a threshold be told apart? On real tasks, and on simulated truth at them.

Each of the laws that rise is fitted to open tasks that unlock; runs are then simulated from each
fit at the same scales and questions, and fitted by all laws again.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

import bayescale as bs
from bayescale.comparison.compare import compare_laws
from bayescale.comparison.explain import SURE, WRONG, explain
from bayescale.workflows.confusion import confusion
from bayescale.workflows.tasks import QUICK

from . import common
from .unlock import kinds
from .unlock.forecasts import RISING

TASKS = ("mmlu", "arithmetic", "arithmetic_2dm")
SIMULATIONS = 4
SHORT = bs.NUTS(warmup=300, draws=250, target_accept=0.9, retries=0)


def tables():
    """Return the tables of the tasks, one curve each."""
    overall = kinds.table_of("expemergence_overall", "flops_1e21", "acc", "n_questions", 1e21)
    emergent = kinds.table_of("obsscaling_emergent", "flops_1e21", "value", "n_examples", 1e21)
    return overall, emergent


def main() -> None:
    """Explain, confuse and write."""
    rows, matrices = {}, []
    for data in tables():
        names = [name for name in data.curve_names if name in TASKS]
        part = data.take([label in names for label in data.curve])
        fits = {law: bs.fit(law, part, sampler=replace(QUICK, retries=1)) for law in RISING}
        for name in names:
            own = {law: fit.curve(name) for law, fit in fits.items()}
            made = confusion(own, simulations=SIMULATIONS, sampler=SHORT)
            found = explain(compare_laws(own), simulated=made)
            weights = {law: found.weights.get(law, float("nan")) for law in RISING}
            rows[name] = {"verdict": found.verdict} | weights
            print(name, found.verdict, made.error, made.told_share, flush=True)
            matrices.append(
                f"### {name}\n\nWrong in {made.error:.0%} of {made.chosen.sum()} simulations; "
                f"a weight is {SURE:g} or more in {made.told.sum()}, and then the wrong law's in "
                f"{made.told.sum() - made.told.trace()}. Truth in rows, heaviest in columns:\n\n"
                + common.table(made.table().rename_axis("truth"))
            )
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("task")
    head = (
        f"Predictive weights (leave one run out) of the laws that rise, on all models of a task. A "
        f"law is named from a weight of {SURE:g} on, unless in more than {WRONG:.0%} of the "
        "simulations at the task's design another than the true one weighs most."
    )
    common.write(
        "explanations", "Which explanation of a threshold", head, common.table(frame, 2), *matrices
    )
