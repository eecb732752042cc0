"""Where chains begin: Newton's method beside L-BFGS, by the number of coordinates."""

from __future__ import annotations

import subprocess
import sys

import jax
import numpy as np
import pandas as pd

from bayescale.data.from_frame import from_frame
from bayescale.inference import modes
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.model.arrays import pack

from .common import cpu_seconds, table, write

SIZES = {"7": (1, ()), "21": (6, ("A", "B")), "62": (10, ()), "202": (38, ())}
"""Coordinates -> number of groups and what is pooled; () with several groups is all."""
ALL = ("E", "A", "B", "alpha", "beta")


def runs(groups: int, rows: int = 40) -> pd.DataFrame:
    """Return simulated runs of groups that differ in their constants."""
    rng, parts = np.random.default_rng(0), []
    for group in range(groups):
        N, D = np.exp(rng.uniform(np.log([5e7, 1e9]), np.log([1e10, 4e11]), (rows, 2))).T
        E, A, B = np.array([1.7, 400, 410]) * np.exp([0.05, 0.1, 0.1] * rng.normal(size=3))
        loss = (E + A / N**0.34 + B / D**0.28) * np.exp(0.01 * rng.normal(size=rows))
        parts.append(pd.DataFrame({"N": N, "D": D, "loss": loss, "group": f"g{group}"}))
    return pd.concat(parts)


def measure(size: str, method: str) -> None:
    """Print CPU seconds of the first and of the second search, and the best density found."""
    modes.LARGE = {"Newton": sys.maxsize, "L-BFGS": 0}[method]
    groups, pool = SIZES[size]
    pool = pool or (ALL if groups > 1 else None)
    facts = dict(x=["N", "D"], y="loss", group="group" if pool else None)
    law, data = get_law("chinchilla"), from_frame(runs(groups), **facts)
    with jax.enable_x64(True):
        model = make_model(law, data, None, pool)
        (batch,) = pack(model, data.sorted())
        seconds = []
        for _ in range(2):
            before = cpu_seconds()
            (found,) = modes.search(model, batch.data, batch.keys, 0)
            seconds.append(cpu_seconds() - before)
    best = max(mode.log_density for mode in found)
    print(model.size, *seconds, best, found[0].log_evidence, flush=True)


def main() -> None:
    """Measure each pair in a process of its own, without a compilation cache."""
    rows = []
    for size in SIZES:
        for method in ("Newton", "L-BFGS"):
            code = f"from benchmarks.starts import measure; measure({size!r}, {method!r})"
            said = subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, text=True
            ).stdout.split()
            rows.append(
                {
                    "coordinates": said[0],
                    "method": method,
                    "CPU s, first": float(said[1]),
                    "CPU s, second": float(said[2]),
                    "best log density": float(said[3]),
                    "log evidence of the heaviest mode": float(said[4]),
                }
            )
    write(
        "starts",
        "Where chains begin: Newton's method beside L-BFGS",
        "64 starts of Chinchilla's law on 40 simulated runs a group, the best 16 climbed to the "
        "end. Newton: 20 steps and then 200, whose Hessians take as many gradients as there are "
        "coordinates. L-BFGS (optax): 60 and then 600, after which Newton makes 2 and 20. The "
        "first search compiles.",
        table(pd.DataFrame(rows), 6),
        f"`fit` takes L-BFGS beyond {modes.LARGE} coordinates.",
    )
