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
    **{"unique_tokens": "U", "num_experts": "experts", "N_active": "N", "D2": "D"},
    **{"non_vocab_parameters": "N", "vocab_size": "V", "num_characters": "chars"},
    **dict.fromkeys(("loss_validation", "lm_loss", "unigram_normalized_loss"), "loss"),
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
    ("sparsity", 0.35): (0.37, 0.39, 0.44),
    ("sparsity", 0.5): (0.38, 0.51, 0.53),
    ("vocab", 0.05): (0.53, 0.97, 0.98),
    ("vocab", 0.1): (0.59, 0.98, 0.98),
}
"""R2 of random runs, of V-optimal ones and of the source's own, arXiv 2604.22753."""


@law
def routed(
    N,
    experts,
    *,
    level=positive(1.5, 4.5),
    floor=dist.Uniform(0.0, 1.0),
    alpha=positive(0.05, 1),
    worth=positive(0.05, 1.5),
    start=positive(0.5, 5),
    most=positive(50, 1000),
):
    """level (floor + (1 - floor) (N/1e8 (E'/16)^worth)^-alpha): as a dense model of N E'^worth.

    1/E' = 1/(experts - 1 + 1/(1/start - 1/most)) + 1/most are the experts of Clark et al. 2022
    (arXiv 2202.01169), which saturate, and a power of them their effective parameters; they have
    no floor, as laws of experts after them do (arXiv 2402.07871, 2502.05172).
    """
    least = 1 / (1 / start - 1 / jnp.maximum(most, 1.1 * start))
    saturated = 1 / (1 / (experts - 1 + least) + 1 / most)
    size = N / 1e8 * (saturated / 16) ** worth
    return level * (floor + (1 - floor) * size**-alpha)


@law
def upcycled(
    P,
    N,
    D,
    *,
    level=positive(1.5, 4.5),
    size=dist.Uniform(0.0, 1.0),
    data=dist.Uniform(0.0, 1.0),
    b=positive(0.05, 1),
    c=positive(0.02, 1),
    A=positive(0.005, 0.3),
    a=positive(0.2, 6),
):
    """A (P/1.86)^-a + level (s (N/.1)^-b + (1 - s) (d (D/2.3)^-c + 1 - d)), shares s and d.

    P all parameters over active ones, N these in 1e9, D the tokens of the routed model in 1e10.
    Of the formulas of P and N of Liew et al. 2025 (arXiv 2502.03009) as ScaleBench has them the
    one without a product, and a term of D, by which its groups are one.
    """
    rest = data * (D / 2.3) ** -c + 1 - data
    return A * (P / 1.86) ** -a + level * (size * (N / 0.1) ** -b + (1 - size) * rest)


@law(support="real")
def vocabulary(
    N,
    V,
    chars,
    *,
    level=dist.Normal(-4.0, 1.5),
    A=positive(0.05, 5),
    alpha=positive(0.05, 1),
    B=positive(0.01, 1),
    beta=positive(0.1, 2),
    C=positive(0.2, 5),
    gamma=positive(0.1, 1),
    fewer=dist.Normal(0.2, 0.2),
):
    """level + A ((N/2e8)^-alpha - 1) + B ((V/2e4)^-beta - 1) + C ((tokens/1e10)^-gamma - 1).

    The law of Tao et al. 2024 (arXiv 2407.13623), of a loss less that of the unigrams, below 0,
    where tokens are characters (V/2e4)^-fewer: a larger vocabulary makes fewer of a text.
    """
    tokens = chars / 1e10 * (V / 2e4) ** -fewer
    sizes = A * ((N / 2e8) ** -alpha - 1) + B * ((V / 2e4) ** -beta - 1)
    return level + sizes + C * (tokens**-gamma - 1)


def _basin(x, steeper):
    """2 (e^u - 1 - u)/steeper^2 with u = steeper x: x^2, but steeper on one side."""
    u = jnp.clip(steeper * x, -30.0, 30.0)
    far = jnp.where(jnp.abs(u) < 0.02, 1.0, u)
    near = 1 + u / 3 + u**2 / 12
    return x**2 * jnp.where(jnp.abs(u) < 0.02, near, 2 * (jnp.expm1(far) - far) / far**2)


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
    w=dist.Normal(0.3, 0.3),
    c=positive(0.0003, 0.03),
    steeper_lr=dist.Normal(0.0, 0.5),
    size=positive(50, 2000),
    r=dist.Normal(0.5, 0.2),
    k=positive(0.0003, 0.03),
    steeper_bsz=dist.Normal(0.0, 0.5),
):
    """L (1 + c f(log(lr/lr*)) + k f(log(bsz/b*))), f(x) = 2 (e^sx - 1 - sx)/s^2: x^2, askew.

    lr* is a power of N, D and bsz, b* of D, as in the Step Law (Li et al. 2025, arXiv 2503.04715),
    which has the first at the best bsz. At others a larger batch wants a larger rate (McCandlish
    et al. 2018, arXiv 1812.06162), and too large a rate costs more than one as much too small.
    """
    away = jnp.log(lr / best) - p * jnp.log(N / 3e8) - q * jnp.log(D / 2e10)
    away = away - w * jnp.log(bsz / 200)
    off = jnp.log(bsz / size) - r * jnp.log(D / 2e10)
    return loss * (1 + c * _basin(away, steeper_lr) + k * _basin(off, steeper_bsz))


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
    budgets: tuple[float, float] = (0.05, 0.1)
    """Shares of the pool's cost of which the table tells."""

    @property
    def rounds(self) -> tuple[float, ...]:
        """Shares of the pool's cost at which designs are refitted; the last two are told."""
        first, last = self.budgets
        return first / 4, first / 2, first, last

    @property
    def logs(self) -> bool:
        """Whether losses are above 0, and told in logs."""
        return isinstance(self.law, str) or self.law.support == "positive"

    @property
    def at(self) -> dict[str, np.ndarray]:
        """The targets' scales."""
        return {name: self.targets[name].to_numpy() for name in self.scales}


def read(name: str, law: str | Law, scales: tuple[str, ...], cost, **more) -> Task:
    """Return a task by the source's own split, copies left out."""
    rows = pd.read_csv(data_dir() / f"scalebench/{name}.csv").rename(columns=NAMES)
    rows = rows.drop_duplicates()
    pool, targets = (rows[rows.split == each] for each in ("train", "target"))
    return Task(law, scales, pool, targets, cost(pool).to_numpy(float), **more)


def tasks() -> dict[str, Task]:
    """Return the tasks that laws of bayescale are of."""
    six = lambda rows: 6 * rows.N * rows.D  # noqa: E731
    two, three = ("N", "D"), ("N", "D", "U")
    both = lambda rows: 6 * (rows.N_dense * rows.D1 + rows.N * rows.D)  # noqa: E731
    return {
        "farseer": read("farseer", "farseer", two, six),
        "data_constrained": read("data_constrained", "data_constrained", three, six),
        "chinchilla_split": read("chinchilla_split", "chinchilla", two, six),
        "moe": read("moe", routed, ("N", "experts"), lambda rows: rows.N * rows.experts),
        "sparsity": read("sparsity", upcycled, upcycled.inputs, both, budgets=(0.35, 0.5)),
        "vocab": read(
            "vocab", vocabulary, vocabulary.inputs, lambda rows: rows.N * rows.chars, noise="normal"
        ),
        "lr_bsz": read("lr_bsz", tuned, tuned.inputs, six),
    }
