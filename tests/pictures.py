"""What tests of pictures are made of: finished answers, and what an axes says."""

import numpy as np

from bayescale.planning.allocate import Allocation
from bayescale.planning.match import TradeOff


def drawn(ax):
    """Render, which is where a bad artist fails."""
    ax.figure.canvas.draw()
    return ax


def texts(ax):
    legend = ax.get_legend()
    return [t.get_text() for t in [*ax.texts, *(legend.get_texts() if legend else [])]]


def split(budgets=9, total=50):
    """An allocation with exponents about a half."""
    flops = np.geomspace(1e18, 1e26, budgets)
    a = np.random.default_rng(1).normal(0.5, 0.01, (total, 1))
    params = 0.1 * flops**a
    ones = np.ones_like(params)
    return Allocation(
        flops=flops,
        params=params,
        tokens=flops / (6 * params),
        loss=2 * ones,
        a=a * ones,
        b=(1 - a) * ones,
        growth_params=10**a * ones,
        growth_tokens=10 ** (1 - a) * ones,
        cost="6 N D",
        method="closed form",
        decades=np.linspace(-1, 3, budgets).clip(0),
        notes=(),
    )


def ways(total=40):
    """A trade-off that some draws cannot reach at small sizes."""
    params = np.geomspace(1e9, 1e12, 30)
    least = np.random.default_rng(2).lognormal(np.log(3e9), 0.3, (total, 1))
    with np.errstate(divide="ignore"):
        tokens = 3e11 / np.maximum(1 - (least / params) ** 0.5, 0) ** 2
    point = {name: np.full(total, v) for name, v in (("params", 5e10), ("tokens", 1e12))}
    return TradeOff(
        loss=np.full(total, 2.0),
        params=params,
        tokens=tokens,
        flops=6 * params * tokens,
        cheapest=point,
        smallest=point,
        extra=0.1,
        reference={"params": 2.8e11, "tokens": 3e11, "flops": 5e23},
        quarter=np.full(total, 4.0),
        cost="6 N D",
        notes=(),
    )
