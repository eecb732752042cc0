"""paired: how much runs of several recipes have in common at one scale, and what it is to know it.

Of real tables the correlation of residuals, each recipe about its own curve: a power with a floor
of one scale, a cubic surface in log N and log D of two. And of an idealised table (a known line,
one factor) how 90 % intervals of the factor fare, rows taken as alone or as sets.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from .common import data_dir

CORRELATED = (
    "Correlation of what recipes leave over at one scale, each about a power with a floor of its "
    "own; of Gadre et al. about a cubic in log N and log D of its own, at the same configuration "
    "and tokens. `error`: by leaving out one scale (configuration) at a time. What a power misses "
    "of nanoGPT's widths and of Porian's budgets is mostly smooth: about cubics in log x the "
    "correlations are .11 and -.07, and in a multiplier the misfit that recipes share has the rest."
)
IDEALISED = (
    "What it is to know it: tables of two recipes whose curve is a quadratic in log x, and one "
    "factor. 90 % intervals of the log of the factor (400 tables a line; widths in sds of a single "
    "run), rows taken as alone, and as sets with the priors of `multiplier`."
)
EVALS = ("openlm_val", "c4_val", "paloma_ptb")
SHARES = (0.0, 0.5, 0.9)
TABLES, DRAWS = 400, 1500
SCATTER = 0.006
"""Sd of single runs."""
MIDDLE, SPREAD = np.log(np.sqrt(0.001 * 0.3)), 1.73
"""Median and sd of the log of both scatters before the data, as of `lognormal` and `together`."""


def _about_power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return residuals of log y about a power with a floor."""
    t, logs = np.log(x / np.exp(np.log(x).mean())), np.log(y)
    fits = []
    for slope in (0.05, 0.2, 0.5):
        for share in (0.2, 0.6, 0.9):
            start = [np.log(max(y.mean() - share * y.min(), 1e-3)), slope, np.log(share * y.min())]
            fits.append(
                least_squares(
                    lambda p: np.logaddexp(p[2], p[0] - p[1] * t) - logs, start, max_nfev=400
                )
            )
    return -min(fits, key=lambda fit: fit.cost).fun


def _about_surface(N: np.ndarray, D: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return residuals of log y about a cubic in log N and log D."""
    a, b = ((v - v.mean()) / v.std() for v in (np.log(N), np.log(D)))
    basis = np.stack([a**i * b ** (d - i) for d in range(4) for i in range(d + 1)], 1)
    q, _ = np.linalg.qr(basis)
    return np.log(y) - q @ (q.T @ np.log(y))


def _shared(residuals: pd.DataFrame) -> tuple[float, float]:
    """Return the mean correlation of recipes, and its error by leaving out one row at a time."""

    def of(rows: np.ndarray) -> float:
        z = rows / np.sqrt(np.nanmean(rows**2, 0))
        count = (~np.isnan(z)).sum(1)
        both = np.nansum(z, 1) ** 2 - np.nansum(z**2, 1)
        return float(both.sum() / (count * (count - 1)).sum())

    rows = residuals.to_numpy()
    left = np.array([of(np.delete(rows, i, 0)) for i in range(len(rows))])
    return of(rows), float(np.sqrt((len(left) - 1) * left.var()))


def _by_scale(rows: pd.DataFrame, recipe: str, x: str, y: str) -> pd.DataFrame:
    wide = rows.pivot_table(index=x, columns=recipe, values=y, aggfunc="min")
    return wide.apply(
        lambda column: pd.Series(_about_power(wide.index.to_numpy(), column), wide.index)
    )


def tables() -> Iterator[tuple[str, pd.DataFrame]]:
    """Give real tables: a name, and residuals by row and recipe."""
    folder = data_dir()
    moe = pd.read_csv(folder / "scalebench/moe.csv").round({"dense_parameter_count": -5})
    columns = ("num_experts", "dense_parameter_count", "loss_validation")
    yield "moe, by number of experts", _by_scale(moe, *columns)
    routed = pd.read_csv(folder / "routing_moe.csv").query(
        "is_final == 1 and seed == 42 and experts_per_token == 1 and routing_frequency == .5"
    )
    routed = routed[(routed.flop_increase == 1) & routed.num_experts.isin([8, 64, 512])]
    routed["recipe"] = routed.router_type + routed.num_experts.astype(str)
    wide = routed.pivot_table(index="dense_params", columns="recipe", values="loss_validation")
    whole = [name for name in wide if wide[name].notna().all()]
    own = routed[routed.recipe.isin(whole)]
    yield "routers and experts", _by_scale(own, "recipe", "dense_params", "loss_validation")
    porian = pd.read_csv(folder / "porian_isoflops.csv").query("param_count == 'standard'")
    best = porian.groupby(["experiment", "flops"]).loss.min().reset_index()
    yield "steps of Porian et al., best of a budget", _by_scale(best, "experiment", "flops", "loss")
    nano = pd.read_csv(folder / "nanogpt_width.csv").query("quantity == 'final_val_loss'")
    whole = nano.groupby("hyperparameter_set").loss.transform("count") == 7
    yield (
        "nanoGPT settings by width",
        _by_scale(nano[whole], "hyperparameter_set", "n_embd", "loss"),
    )
    gadre = pd.read_csv(folder / "gadre_losses.csv")
    gadre["row"] = gadre.model + gadre.chinchilla_multiplier.astype(str)
    for name in EVALS:
        own = gadre[gadre.eval_set == name]
        left = own.groupby("train_data", group_keys=False).apply(
            lambda g: g.assign(left=_about_surface(g.params_no_embed, g.tokens, g.loss)),
            include_groups=False,
        )
        left["train_data"] = own.train_data
        wide = left.pivot_table(index="row", columns="train_data", values="left").dropna()
        yield f"training sets of Gadre et al., {name}", wide


def correlations() -> pd.DataFrame:
    """Return one row a table."""
    found = []
    for name, left in tables():
        share, error = _shared(left)
        sd = float(np.sqrt(np.nanmean(left.to_numpy() ** 2)))
        kept = {"table": name, "recipes": left.shape[1], "rows": len(left)}
        found.append(kept | {"correlation": share, "error": error, "sd of residuals": sd})
    return pd.DataFrame(found)


# ------------------------------------------------------------------ an idealised table


def _width(share: float, scales: int, sets: bool, rng: np.random.Generator) -> tuple[bool, float]:
    """Return whether a 90 % interval of the factor holds it, and its width in sds of a run."""
    t = np.linspace(-1, 1, scales)
    basis = np.stack([np.ones(scales), t, t**2 - (t**2).mean()], 1)[:, : 3 if scales > 3 else 2]
    basis *= np.array([10, 0.3, 0.1])[: basis.shape[1]]
    common = np.sqrt(share) * SCATTER * rng.normal(size=scales)
    own = np.sqrt(1 - share) * SCATTER * rng.normal(size=(2, scales))
    apart = own[1] - own[0]
    middle = common + own.mean(0) + basis @ (0.3 * rng.normal(size=basis.shape[1]))
    logs = np.linspace(np.log(2e-4), np.log(0.2), 61)
    of_sets = np.linspace(np.log(2e-5), np.log(0.5), 41) if sets else np.array([-np.inf])
    s, k = (each.ravel() for each in np.meshgrid(logs, of_sets))
    prior = -0.5 * ((s - MIDDLE) / SPREAD) ** 2
    prior -= 0.5 * ((k - MIDDLE) / SPREAD) ** 2 if sets else 0.0
    alone, level = np.exp(2 * s), np.exp(2 * s) / 2 + np.exp(2 * k)
    dense = prior - 0.5 * (scales - 1) * np.log(alone)
    dense -= ((apart - apart.mean()) ** 2).sum() / (4 * alone)
    size, turn = np.linalg.eigh(basis.T @ basis)
    seen = turn.T @ (basis.T @ middle)
    spread = 1 + size / level[:, None]
    left = middle @ middle / level - (seen**2 / level[:, None] ** 2 / spread).sum(1)
    dense -= 0.5 * (left + scales * np.log(level) + np.log(spread).sum(1))
    weight = np.exp(dense - dense.max())
    take = rng.choice(len(weight), DRAWS, p=weight / weight.sum())
    factor = apart.mean() + np.sqrt(2 * alone[take] / scales) * rng.normal(size=DRAWS)
    lo, hi = np.quantile(factor, (0.05, 0.95))
    return bool(lo < 0 < hi), (hi - lo) / SCATTER


def idealised() -> pd.DataFrame:
    """Return coverage and width by number of scales and share in common."""
    found = []
    for scales in (3, 6, 12):
        for share in SHARES:
            kept = {"scales": scales, "share in common": share}
            for way, sets in {"alone": False, "sets": True}.items():
                rng = np.random.default_rng([scales, int(10 * share)])
                each = [_width(share, scales, sets, rng) for _ in range(TABLES)]
                held, width = np.mean(each, 0)
                kept |= {f"{way}: in 90 %": held, f"{way}: width": width}
            found.append(kept)
    return pd.DataFrame(found)
