"""Posterior calibration of real tables: whether refits of replicated tables find what made them.

`bs.calibrate` on Chinchilla's runs, on a sixth of Farseer's under the law `farseer`, and on one
learning curve under a power law with its misfit (arXiv 2502.03279).
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

import bayescale as bs

from .common import cpu_seconds, data_dir, table, write
from .extrapolation import load

REPLICATES = 30
SHORT = bs.NUTS(warmup=500, draws=500)


def fits() -> Iterator[tuple[str, bs.Posterior]]:
    """Yield each table's fit, by name."""
    chinchilla = bs.from_frame(
        bs.read_table(data_dir() / "chinchilla_epoch.csv"),
        {"N": "params", "D": "tokens"},
        "loss",
        where="dropped_by_replication == 0",
    )
    yield "chinchilla, 240 rows", bs.fit("chinchilla", chinchilla, sampler=SHORT, progress=False)
    runs = pd.read_csv(data_dir() / "scalebench/farseer.csv")
    runs = runs[runs.split == "train"][::6]
    some = bs.from_frame(runs, ["N", "D"], "loss")
    yield (
        f"farseer, {len(some)} rows",
        bs.fit("farseer", some, noise="lognormal", sampler=SHORT, progress=False),
    )
    curves, _ = load()
    one = bs.from_frame(curves[curves.curve == curves.curve.iloc[0]], "seen_examples", "loss")
    law = "approximate(power)"
    yield (
        f"{law}, {len(one)} rows of one curve",
        bs.fit(law, one, noise="lognormal", sampler=SHORT, progress=False),
    )


def main() -> None:
    """Run the study and write its figures."""
    parts = []
    for name, fit in fits():
        before = cpu_seconds()
        found = bs.calibrate(fit, replicates=REPLICATES, seed=1, allow_failed=True, progress=False)
        spent = cpu_seconds() - before
        rows = []
        for quantity, one in found.summary()["quantities"].items():
            inside = {f"inside {k} %": v["share"] for k, v in one["inside"].items()}
            ends = [one["inside"]["90"][end] for end in ("lo", "hi")]
            row = {"quantity": quantity, "p": one["p"], "mean rank": one["mean_rank"]} | inside
            rows.append(row | {"of 90 %, interval": f"{ends[0]:.2f} to {ends[1]:.2f}"})
        said = f"{spent:.0f} CPU s, {spent / REPLICATES:.2f} a refit, compilation in it; "
        said += f"{len(found.unsound)} refits fail their checks; uneven: "
        parts += [f"## {name}", said + (", ".join(found.suspects) or "none") + "."]
        parts.append(table(pd.DataFrame(rows), 2))
    write(
        "calibrate",
        "Posterior calibration at real tables",
        f"{REPLICATES} replicates of each table, fitted together with it by 4 x (500 + 500) draws; "
        "p is of ranks as uneven as these where they are uniform. A coverage of 90 % over so many "
        f"has a standard error of {100 * (0.09 / REPLICATES) ** 0.5:.0f} %. "
        "It is the inference that is tested: replicates follow the law, which real runs beyond the "
        "data need not.",
        *parts,
    )
