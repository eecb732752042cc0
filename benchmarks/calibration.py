"""Simulation-based calibration: where the truth is known, is the posterior what it says.

Parameters are drawn from the prior, data from the law and the noise at a fixed design, and the
rank of each true parameter among its posterior draws must be uniform. Talts et al. 2018
(arXiv 1804.06788); ranks are compared by their empirical distribution (Sailynoja et al. 2022,
arXiv 2103.10522).
"""

from __future__ import annotations

import jax
import numpy as np
import pandas as pd
from scipy.stats import kstest

from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.laws import get_law
from bayescale.model.arrays import pack
from bayescale.model.model import Model
from bayescale.noises.names import get_noise
from bayescale.posterior.intervals import INTERVAL

from .common import RESULTS, table, write

SIMULATIONS, RANKS = 200, 100


def designs() -> dict[str, tuple[str, str, Dataset]]:
    """Return each studied law, noise and design; responses are placeholders."""
    grid = np.array(np.meshgrid(np.geomspace(5e7, 1.5e10, 8), np.geomspace(1e9, 4e11, 8)))
    N, D = grid.reshape(2, -1)
    many, few = np.geomspace(1e7, 1e10, 48), np.geomspace(1e20, 1e24, 32)
    facts = dict(source="simulation")
    counts = Dataset(
        {"x": few},
        {"y": np.full(32, 0.5)},
        n=np.full(32, 500.0),
        chance=np.full(32, 0.25),
        reference={"x": 1e24, "y": 0.5},
        **facts,
    )
    return {
        "chinchilla x student": (
            "chinchilla",
            "student",
            Dataset(
                {"N": N, "D": D},
                {"y": np.ones(64)},
                reference={"N": 9e8, "D": 2e10, "y": 3.0},
                **facts,
            ),
        ),
        "broken(1) x lognormal": (
            "broken(1)",
            "lognormal",
            Dataset({"x": many}, {"y": np.ones(48)}, reference={"x": 1e10, "y": 0.3}, **facts),
        ),
        "sigmoid x beta_binomial": ("sigmoid", "beta_binomial", counts),
        "sigmoid x scale_scatter": ("sigmoid", "scale_scatter", counts),
    }


def simulate(model: Model, design: Dataset, count: int, seed: int) -> tuple[dict, Dataset]:
    """Return true parameters in natural units, (simulation, ...), and one curve a simulation."""
    (batch,) = pack(model, design)
    lane = jax.tree.map(lambda leaf: leaf[0], batch.data)

    @jax.jit
    def one(key):
        first, second = jax.random.split(key)
        params = model.parameters(model.sample_prior(first), lane)
        return params, model.scatter(params, lane).sample(second)

    params, observed = jax.vmap(one)(jax.random.split(jax.random.key(seed), count))
    truth = {k: np.asarray(v, float) for k, v in params.items()}
    for name, value in truth.items():
        unit = np.asarray(model.unit(name, truth, {"ref": lane["ref"]}))
        truth[name] = value * unit.reshape(unit.shape + (1,) * (value.ndim - max(unit.ndim, 1)))
    rows = len(design)
    y = np.asarray(observed, float)[:, :rows] / (design.n if design.n is not None else 1.0)
    tile = lambda column: None if column is None else np.tile(column, count)  # noqa: E731
    data = Dataset(
        {name: np.tile(column, count) for name, column in design.inputs.items()},
        {"y": y.ravel()},
        n=tile(design.n),
        chance=tile(design.chance),
        curve=np.repeat([f"s{i:03d}" for i in range(count)], rows).astype(object),
        reference=design.reference,
        source=design.source,
    )
    return truth, data


def ranks(truth: dict, posterior) -> pd.DataFrame:
    """Return each quantity's rank of the truth among RANKS - 1 draws, (simulation, quantity)."""
    flat, found = posterior.flat(), {}
    for name, true in truth.items():
        draws = flat[name]
        keep = np.linspace(0, draws.shape[1] - 1, RANKS - 1).astype(int)
        below = (draws[:, keep] < true[:, None]).sum(1)
        for i in range(below[0].size):
            label = name if below.ndim == 1 else f"{name}{i + 1}"
            found[label] = below if below.ndim == 1 else below[:, i]
    return pd.DataFrame(found)


def coverage(truth: dict, posterior) -> dict[str, float]:
    """Return the share of simulations whose interval holds the truth."""
    flat, tails = posterior.flat(), [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2]
    found = {}
    for name, true in truth.items():
        lo, hi = np.quantile(flat[name], tails, axis=1)
        inside = ((lo <= true) & (true <= hi)).reshape(len(true), -1)
        for i in range(inside.shape[1]):
            found[name if true.ndim == 1 else f"{name}{i + 1}"] = float(inside[:, i].mean())
    return found


def draw(name: str, found: pd.DataFrame) -> None:
    """Draw the distribution of ranks less the uniform, with its 95 % band under uniformity."""
    import matplotlib.pyplot as plt

    columns = 4
    rows = -(-found.shape[1] // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(9, 2.1 * rows), sharex=True, sharey=True, squeeze=False
    )
    at = np.arange(1, RANKS) / RANKS
    rng = np.random.default_rng(0)
    null = rng.integers(0, RANKS, (4000, len(found)))
    ecdf = lambda r: (r[..., None] < at * RANKS).mean(-2) - at  # noqa: E731
    gap = np.abs(ecdf(null)) / np.sqrt(at * (1 - at))
    width = np.quantile(gap.max(-1), 0.95) * np.sqrt(at * (1 - at))
    for ax, (label, values) in zip(axes.flat, found.items(), strict=False):
        ax.fill_between(at, -width, width, color="#cfd8e3", lw=0)
        ax.step(at, ecdf(values.to_numpy()), color="#1f4e79", lw=1.2, where="post")
        ax.set_title(label, fontsize=9)
        ax.axhline(0, color="0.6", lw=0.6)
    for ax in axes.flat[found.shape[1] :]:
        ax.set_axis_off()
    figure.supxlabel("rank of the truth among the draws", fontsize=9)
    figure.supylabel("ECDF less uniform", fontsize=9)
    figure.tight_layout()
    figure.savefig(RESULTS / f"{stem(name)}.png", dpi=120)
    plt.close(figure)


def stem(name: str) -> str:
    """Return the name of a design's files: calibration_chinchilla_student."""
    return "calibration_" + name.replace(" x ", "_").replace("(", "").replace(")", "")


def study(name: str, seed: int, count: int) -> None:
    """Run one design and write its figures."""
    law, noise, design = designs()[name]
    model = Model(get_law(law), get_noise(noise))
    with jax.enable_x64(True):
        truth, data = simulate(model, design, count, seed)
    posterior = fit(law, data, noise=noise, sampler=NUTS(retries=0), seed=seed)
    found, inside = ranks(truth, posterior), coverage(truth, posterior)
    draw(name, found)
    rng = np.random.default_rng(seed)
    rows = [
        {
            "quantity": label,
            "uniformity p (KS)": float(
                kstest((values + rng.uniform(size=count)) / RANKS, "uniform").pvalue
            ),
            "mean rank": float(values.mean() / (RANKS - 1)),
            f"{INTERVAL:.0%} coverage": inside[label],
        }
        for label, values in found.items()
    ]
    sound = 1 - len(posterior.health.failed) / count
    write(
        stem(name),
        f"Simulation-based calibration: {name}",
        f"{count} simulations from the prior at {len(design)} rows; 4 chains of 1000 draws after "
        f"1000 of warm-up, without second tries; {sound:.1%} of the fits pass their checks, and "
        f"all are counted; {posterior.sampling.leapfrogs:.1f} leapfrogs a draw.",
        table(pd.DataFrame(rows), 3),
        "A quantity is suspect when its p is below .05 divided by the number of quantities; a "
        f"coverage of 90 % over {count} simulations has a standard error of "
        f"{100 * np.sqrt(0.09 / count):.1f} %.",
        f"![ranks]({stem(name)}.png)",
    )


def main(count: int = SIMULATIONS) -> None:
    """Run all designs."""
    RESULTS.mkdir(exist_ok=True)
    for seed, name in enumerate(designs()):
        study(name, seed, count)
