"""Do 90 % intervals of a new run hold 90 %? Simulated tables with known standard errors.

A new run is measured as the table's were: it has a standard error drawn as theirs, and the scatter
of the noise. `predict` gives it the median of the table's; with `stderr=0`, as it did before, the
interval has the noise alone, which is what is left beside the known errors.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.data.dataset import Dataset

from . import common

TABLES, ROWS, NEW = 100, 16, 40
LARGEST = 1e11
PLACES = {"within": np.array([1e9, 3e10]), "3 times beyond": np.array([3 * LARGEST])}


def errors(rng, shape, size, factor):
    """Standard errors about a size, within a factor either way."""
    return size * np.exp(np.log(factor) * rng.uniform(-1, 1, shape))


def losses(rng, x, *size):
    """A power law; noise of .2 %, standard errors relative to the loss."""
    mean = 1.8 + 150 * x**-0.25
    stderr = errors(rng, mean.shape, *size) * mean
    return mean * np.exp(np.hypot(0.002, stderr / mean) * rng.normal(size=mean.shape)), stderr


def scores(rng, x, *size):
    """A threshold; noise of .005, standard errors of the score itself."""
    mean = 0.1 + 0.8 / (1 + (x / 5e9) ** -1.0)
    stderr = errors(rng, mean.shape, *size)
    return mean + np.hypot(0.005, stderr) * rng.normal(size=mean.shape), stderr


CASES = {
    "losses, standard errors of 2 %": ("power", "lognormal", losses, 0.02, 1),
    "losses, of .2 %": ("power", "lognormal", losses, 0.002, 1),
    "losses, of 1 to 4 %": ("power", "lognormal", losses, 0.02, 2),
    "scores, standard errors of .03": ("sigmoid", "normal", scores, 0.03, 1),
    "scores, of .015 to .06": ("sigmoid", "normal", scores, 0.03, 2),
}


def measured(law, noise, simulate, *size, seed) -> dict:
    """Return the share of new runs inside, by place, with and without their standard error."""
    rng = np.random.default_rng([21, seed])
    x = np.tile(np.geomspace(1e8, LARGEST, ROWS), TABLES)
    y, stderr = simulate(rng, x, *size)
    y = np.clip(y, 0, 1) if law == "sigmoid" else y
    curve = np.repeat([f"table {i}" for i in range(TABLES)], ROWS).astype(object)
    data = Dataset({"x": x}, {"y": y}, stderr=stderr, curve=curve)
    sampler = bs.NUTS(chains=2, warmup=500, draws=1000)
    fit = bs.fit(law, data, noise=noise, sampler=sampler, seed=seed, progress=False)
    found = {"sound": f"{sum(v.sound for v in fit.health.verdicts)} of {TABLES}"}
    for place, at in PLACES.items():
        runs, _ = simulate(rng, np.broadcast_to(at, (TABLES, NEW, len(at))), *size)
        for said, given in (("", None), (" without its standard error", 0.0)):
            answer = bs.predict(fit, {"x": at}, stderr=given, allow_failed=True)
            lo, _, hi = answer.quantiles("new")
            inside = (lo[:, None] <= runs) & (runs <= hi[:, None])
            # Runs of one table share its fit: the tables are what is independent.
            share, se = inside.mean(), inside.mean((1, 2)).std() / np.sqrt(TABLES)
            found[place + said] = f"{share:.3f} +- {se:.3f}"
    return found


def main() -> None:
    """Simulate, fit, predict and write."""
    rows = {name: measured(*case, seed=i) for i, (name, case) in enumerate(CASES.items())}
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("case")
    common.write(
        "new_runs",
        "New runs of tables with standard errors",
        f"Share of new runs inside their 90 % interval: {TABLES} simulated tables of {ROWS} rows, "
        f"{NEW} new runs a table and scale, whose standard errors are drawn as the table's. Where "
        "these differ, the median stands for all of them, and the interval is a little short.",
        common.table(frame),
    )
