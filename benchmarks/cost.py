"""What many tasks cost, and how often fits pass: every task of one table, compilation apart.

Each law is fitted twice, with another seed the second time: the first time it is compiled. CPU
seconds of the process, so that other work on the machine counts little.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.comparison.evidence import log_evidence
from bayescale.workflows.default_laws import ACCURACIES
from bayescale.workflows.tasks import QUICK, tasks

from . import common
from .unlock import kinds

CHOSEN = ("sigmoid", "exact_match", "multi_step", "elbow", "flat")


def main() -> None:
    """Fit, answer and write."""
    data = kinds.table_of("gadre_downstream", "flops", "accuracy", "n_examples")
    once, count, rows = replace(QUICK, retries=0), len(data.curve_names), {}
    for law in ACCURACIES:
        spent = []
        for seed in (0, 1):
            before = common.cpu_seconds()
            fit = bs.fit(law, data, sampler=once, seed=seed)
            spent.append(common.cpu_seconds() - before)
        before = common.cpu_seconds()
        for _, one in fit:
            log_evidence(one)
        bridge = common.cpu_seconds() - before
        verdicts = fit.health.verdicts
        unsaid = Counter(name for one in verdicts for name in one.unidentified).most_common(4)
        rows[law] = {
            "CPU s a task": spent[1] / count,
            "compilation, s": spent[0] - spent[1],
            "evidence, CPU s a task": bridge / count,
            "sound": f"{sum(one.sound for one in verdicts)} of {count}",
            "median least ESS": float(np.median([min(v.ess.values()) for v in verdicts])),
            "median largest R-hat": float(np.median([max(v.rhat.values()) for v in verdicts])),
            "the data say little about": ", ".join(f"{k} {n}" for k, n in unsaid) or "-",
        }
        print(law, rows[law], flush=True)
    before = common.cpu_seconds()
    found = tasks(data, CHOSEN, sampler=QUICK)
    whole = common.cpu_seconds() - before
    answered = sum(task.kind is not None for task in found)
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("law")
    common.write(
        "cost",
        "What many tasks cost",
        f"All {count} tasks of gadre_downstream ({len(data)} rows) through {len(ACCURACIES)} laws: "
        f"{QUICK.chains} chains of {QUICK.draws} draws after {QUICK.warmup} of warm-up, float64. "
        "First tries; beside a parameter, on how many tasks its posterior is nearly its prior:",
        common.table(frame, 3),
        f"The whole of `tasks` with {', '.join(CHOSEN)} on them afterwards (second tries where a "
        f"failed fit might weigh in, comparison, kinds, unlocks): {whole:.0f} CPU s, "
        f"{whole / count / len(CHOSEN):.2f} a task and law; {answered} of {count} tasks answered.",
    )
