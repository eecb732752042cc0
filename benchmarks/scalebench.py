"""scalebench: tasks of ScaleBench (Li et al. 2026, arXiv 2604.22753), and their laws.

Of each a pool of runs that can be made, with a cost, and a target region.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pandas as pd

from bayescale.laws import chinchilla
from bayescale.parametric.parametric import Law, law
from bayescale.parametric.priors import positive

from .common import data_dir

NAMES = {
    **dict.fromkeys(("params", "dense_parameter_count", "non_embedding_param_size"), "N"),
    **dict.fromkeys(("tokens", "data_size"), "D"),
    **{"unique_tokens": "U", "num_experts": "experts"},
    **dict.fromkeys(("loss_validation", "lm_loss"), "loss"),
}
PUBLISHED = {
    ("moe", 0.05): (0.01, 0.80, 0.65),
    ("moe", 0.1): (0.26, 0.80, 0.83),
    ("lr_bsz", 0.05): (-0.45, -0.06, 0.00),
    ("lr_bsz", 0.1): (-0.33, 0.18, 0.22),
    ("farseer", 0.05): (0.78, 0.87, 0.88),
    ("farseer", 0.1): (0.79, 0.92, 0.93),
    ("data_constrained", 0.05): (-0.36, 0.83, 0.85),
    ("data_constrained", 0.1): (0.12, 0.85, 0.86),
}
"""R2 of random runs, of V-optimal ones and of the source's own, arXiv 2604.22753."""


@law
def routed(
    N,
    experts,
    *,
    d=dist.Normal(1.0, 0.3),
    a=dist.Normal(-0.2, 0.2),
    b=dist.Normal(-0.1, 0.1),
    c=dist.Normal(0.0, 0.05),
    start=positive(0.5, 5),
    most=positive(50, 1000),
):
    """log L = d + (a + c log E') log(N/1e8) + b log E', E' the experts, which saturate.

    1/E' = 1/(experts - 1 + 1/(1/start - 1/most)) + 1/most (Clark et al. 2022, arXiv 2202.01169).
    """
    least = 1 / (1 / start - 1 / jnp.maximum(most, 1.1 * start))
    e = jnp.log(1 / (1 / (experts - 1 + least) + 1 / most))
    return jnp.exp(d + (a + c * e) * jnp.log(N / 1e8) + b * e)


@chinchilla.extend
def tuned(
    loss,
    N,
    D,
    lr,
    bsz,
    *,
    best=positive(1e-4, 1e-2),
    p=dist.Normal(-0.5, 0.3),
    q=dist.Normal(0.2, 0.2),
    c=positive(0.0003, 0.03),
    size=positive(50, 2000),
    r=dist.Normal(0.5, 0.2),
    k=positive(0.0003, 0.03),
):
    """L (1 + c log^2(lr/lr*) + k log^2(bsz/b*)), lr* a power of N and D, b* of D.

    The optima are of the form of the Step Law (Li et al. 2025, arXiv 2503.04715).
    """
    away = jnp.log(lr / best) - p * jnp.log(N / 3e8) - q * jnp.log(D / 2e10)
    off = jnp.log(bsz / size) - r * jnp.log(D / 2e10)
    return loss * (1 + c * away**2 + k * off**2)


@dataclass(frozen=True, eq=False)
class Task:
    """A pool of runs, the targets, and the law by which these are told."""

    law: str | Law
    scales: tuple[str, ...]
    pool: pd.DataFrame
    targets: pd.DataFrame
    cost: np.ndarray
    """Of each run of the pool."""
    noise: str = "student"

    @property
    def at(self) -> dict[str, np.ndarray]:
        """The targets' scales."""
        return {name: self.targets[name].to_numpy() for name in self.scales}


def read(name: str, law: str | Law, scales: tuple[str, ...], cost) -> Task:
    """Return a task by the source's own split, copies left out."""
    rows = pd.read_csv(data_dir() / f"scalebench/{name}.csv").rename(columns=NAMES)
    rows = rows.drop_duplicates()
    pool, targets = (rows[rows.split == each] for each in ("train", "target"))
    return Task(law, scales, pool, targets, cost(pool).to_numpy(float))


def tasks() -> dict[str, Task]:
    """Return the tasks that laws of bayescale are of."""
    six = lambda rows: 6 * rows.N * rows.D  # noqa: E731
    two, three = ("N", "D"), ("N", "D", "U")
    return {
        "farseer": read("farseer", "farseer", two, six),
        "data_constrained": read("data_constrained", "data_constrained", three, six),
        "chinchilla_split": read("chinchilla_split", "chinchilla", two, six),
        "moe": read("moe", routed, ("N", "experts"), lambda rows: rows.N * rows.experts),
        "lr_bsz": read("lr_bsz", tuned, tuned.inputs, six),
    }
