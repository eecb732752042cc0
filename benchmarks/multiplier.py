"""Multipliers of real recipes: told from the smaller half of the scales, against the largest.

Each pair of a recipe and its baseline is fitted twice, to the smaller half of its scales and to
all. The factor told from the half at the largest scale is held against that of the whole table, and
the ratio of losses that was measured at each scale left out against what was told of it. Of
accuracies the ratio of two thresholds told from the smaller two thirds of the models is held
against that told by all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayescale.recipes.multiplier import SAMPLER, Multiplier, multiplier

from . import paired
from .common import cpu_seconds, data_dir, table, write

EXPERTS = (8, 512)
EVALS = ("openlm_val", "c4_val")
STEPS = {
    "warmup-short/decay-kaplan": "shorter warm-up",
    "warmup-short/decay-chinchilla": "and cosine decay",
    "tuned": "tuned instead",
}
"""Steps of Porian et al. away from Kaplan's recipe, each against that one."""
CASE = (1.356, 0.027)
"""Known of two variants: factor with one exponent for both, and the standard error of its log."""
SIMULATED = 2, 3
"""Tables of a known factor, of losses and of accuracies."""
TASKS = {"arc_easy": "rpj"}
"""Tasks of Gadre et al., each with a training set that is compared with c4."""


def pairs() -> Iterator[tuple[str, pd.DataFrame, str]]:
    """Give each pair: its name, rows of `x`, `loss` and `recipe`, and the baseline."""
    folder = data_dir()
    routed = pd.read_csv(folder / "routing_moe.csv").query("is_final == 1 and seed == 42")
    routed = routed.rename(columns={"dense_params": "x", "loss_validation": "loss"})
    dense = routed[routed.router_type == "Dense"].assign(recipe="dense")
    chosen = "router_type == 'S-Base' and experts_per_token == 1 and routing_frequency == .5"
    for experts in EXPERTS:
        own = routed.query(f"{chosen} and num_experts == {experts} and flop_increase == 1")
        both = pd.concat([dense, own.assign(recipe="experts")])
        yield f"{experts} experts", both.drop_duplicates(["x", "recipe"]), "dense"
    gadre = pd.read_csv(folder / "gadre_losses.csv").query("chinchilla_multiplier == 1")
    gadre = gadre.rename(columns={"flops": "x", "train_data": "recipe"})
    for name in EVALS:
        for other in ("rpj", "rw"):
            own = gadre[(gadre.eval_set == name) & gadre.recipe.isin(["c4", other])]
            yield f"{other} against c4, {name}", own.drop_duplicates(["x", "recipe"]), "c4"
    porian = pd.read_csv(folder / "porian_isoflops.csv").query("param_count == 'standard'")
    best = porian.groupby(["experiment", "flops"]).loss.min().reset_index()
    best = best[best.flops.isin(sorted(best.flops.unique())[::2])].rename(columns={"flops": "x"})
    kaplan = best[best.experiment.str.contains("warmup-long/decay-kaplan")]
    for part, words in STEPS.items():
        own = best[best.experiment.str.contains(part)].assign(recipe="step")
        yield words, pd.concat([kaplan.assign(recipe="kaplan"), own]), "kaplan"


def _told(rows: pd.DataFrame, baseline: str, at) -> Multiplier:
    how = dict(baseline=baseline, at=at, progress=False)
    return multiplier(rows, "recipe", x="x", y="loss", **how)


def _backtest(name: str, rows: pd.DataFrame, baseline: str) -> tuple[dict, list[dict]]:
    """Return how the factor at the largest scale fared, and the ratio at each scale left out."""
    wide = rows.pivot(index="x", columns="recipe", values="loss").dropna().sort_index()
    scales = wide.index.to_numpy()
    first = scales[: (len(scales) + 1) // 2]
    later = scales[len(first) :]
    started = cpu_seconds()
    told = _told(rows[rows.x <= first[-1]], baseline, later)
    whole = _told(rows, baseline, scales[-1:])
    ((recipe, drawn),) = told.factors.items()
    lo, median, hi = np.quantile(drawn[:, -1], (0.05, 0.5, 0.95), method="inverted_cdf")
    came = np.quantile(whole.factors[recipe][:, 0], (0.05, 0.5, 0.95), method="inverted_cdf")
    kept = {
        **{"pair": name, "scales": len(first), "ahead": later[-1] / first[-1]},
        **{"told": median, "lo": lo, "hi": hi, "came": came[1]},
        **{"came lo": came[0], "came hi": came[2], "inside": bool(lo <= came[1] <= hi)},
        **{"meet": bool(lo <= came[2] and came[0] <= hi)},
        **{"shared": float(np.median(whole.shared))},
        **{"P(better)": float((drawn[:, -1] > 1).mean()), "all": whole.weights.get("all", 0.0)},
        **{"sound": told.sound and whole.sound, "cpu": cpu_seconds() - started},
    }
    rng = np.random.default_rng(0)
    ratio = np.log(told.losses[recipe] / told.losses[baseline])
    own = told.scatter * np.sqrt(2 * (1 - told.shared))  # what paired rows share is in no ratio
    ratio += own[:, None] * rng.normal(size=ratio.shape)
    seen = np.log(wide[recipe] / wide[baseline]).to_numpy()[len(first) :]
    levels = (ratio < seen).mean(0)
    runs = [
        {"pair": name, "x": x, "level": level, "inside50": 0.25 < level < 0.75}
        | {"inside90": 0.05 < level < 0.95}
        for x, level in zip(later, levels, strict=True)
    ]
    return kept, runs


def _case() -> dict:
    rows = pd.read_csv(data_dir() / "cases/14_two_variants.csv")
    rows = rows.rename(columns={"flops": "x", "variant": "recipe"})
    told = _told(rows, "baseline", None)
    return {"table": "two variants (case 14)", "truth": CASE[0], **_of(told)}


def _simulated(seed: int) -> dict:
    """Return what is told of a table whose factor is known, the same at every scale."""
    rng = np.random.default_rng(seed)
    x, factor = np.tile(np.geomspace(1e18, 1e21, 6), 2), np.exp(rng.normal(0, 0.4))
    loss = 1.7 + 1.6 * (x / 1e18 * np.repeat([1, factor], 6)) ** -0.15
    loss *= np.exp(0.003 * rng.normal(size=12))
    rows = pd.DataFrame({"x": x, "loss": loss, "recipe": np.repeat(["A", "B"], 6)})
    return {"table": f"simulated {seed}", "truth": factor, **_of(_told(rows, "A", None))}


def _thresholds(rows: pd.DataFrame, baseline: str, **how) -> Multiplier:
    roles = dict(x="x", y="accuracy", n="n_examples", chance="chance", duplicates="keep")
    return multiplier(rows, "recipe", baseline=baseline, progress=False, **roles, **how)


def _simulated_accuracies(seed: int) -> dict:
    """Return what is told of two sigmoids, the second's threshold at a known share of the scale.

    Floor, slope and the scatter of models in effective scale are common; so is the ceiling in every
    second table, and in the others the second recipe's is lower.
    """
    rng = np.random.default_rng([seed, 1])
    x, factor = np.tile(np.geomspace(1e19, 5e21, 9), 2), np.exp(rng.normal(np.log(2), 0.7))
    seen = x * np.repeat([1, factor], 9) * np.exp(0.3 * rng.normal(size=18))
    top = np.repeat([0.85, 0.85 - 0.15 * (seed % 2)], 9)
    share = 0.25 + (top - 0.25) / (1 + (seen / 1e21) ** -1.3)
    rows = pd.DataFrame({"x": x, "recipe": np.repeat(["A", "B"], 9), "chance": 0.25})
    rows = rows.assign(accuracy=rng.binomial(500, share) / 500, n_examples=500)
    told = _thresholds(rows, "A")
    ((reached,),) = told.unlocks.values()
    first, other = (
        1e21 * ((u - 0.25) / (reached.level - 0.25) - 1) ** (-1 / 1.3) for u in top[[0, 9]]
    )
    name = f"accuracies {seed}" + ", a lower ceiling" * (seed % 2)
    return {"table": name, "truth": first / (other / factor), **_of(told)}


def answers() -> Iterator[tuple[str, pd.DataFrame, str]]:
    """Give tables of accuracies: a name, rows, and the baseline."""
    gadre = pd.read_csv(data_dir() / "gadre_downstream.csv").query("chinchilla_multiplier == 1")
    gadre = gadre.rename(columns={"flops": "x", "train_data": "recipe"})
    for task, other in TASKS.items():
        yield (
            f"{task}, {other}",
            gadre[gadre.recipe.isin(["c4", other]) & (gadre.task == task)],
            "c4",
        )


def _backtest_accuracies(name: str, rows: pd.DataFrame, baseline: str) -> dict:
    """Return the ratio of thresholds told from the smaller two thirds of the rows, and from all."""
    edge = np.quantile(rows.x, 2 / 3)
    whole = _thresholds(rows, baseline)
    ((reached,),) = whole.unlocks.values()
    told = _thresholds(rows[rows.x <= edge], baseline, level=reached.level)
    then, now = (next(iter(each.summary()["multipliers"].values())) for each in (told, whole))
    kept = {"table": name, "rows": int((rows.x <= edge).sum()), "level": reached.level}
    kept |= {"told": then["median"], "lo": then["lo"], "hi": then["hi"], "came": now["median"]}
    kept |= {"came lo": now["lo"], "came hi": now["hi"]}
    kept |= {"neither": then["unlocks"][0]["p_neither"], "P(better)": now["p_better"]}
    ends = (np.inf if v is None else v for v in (then["lo"], now["median"], then["hi"]))
    lo, came, hi = ends
    return kept | {"inside": lo <= came <= hi, "sound": told.sound and whole.sound}


def _of(told: Multiplier) -> dict:
    (found,) = told.summary()["multipliers"].values()
    same = {key: found[key] for key in ("median", "lo", "hi", "p_better")}
    return same | {"all": told.weights.get("all", 0.0), "sound": told.sound}


def main() -> None:
    """Measure all pairs and write benchmarks/results/multiplier.md."""
    started = cpu_seconds()
    tables = [_case(), *map(_simulated, range(SIMULATED[0]))]
    known = pd.DataFrame([*tables, *map(_simulated_accuracies, range(SIMULATED[1]))])
    known["inside"] = (known.lo <= known.truth) & (known.truth <= known.hi.fillna(np.inf))
    print(known, flush=True)
    thresholds = pd.DataFrame([_backtest_accuracies(*each) for each in answers()])
    print(thresholds, flush=True)
    kept, runs = [], []
    for name, rows, baseline in pairs():
        own, each = _backtest(name, rows, baseline)
        print(own, flush=True)
        kept.append(own)
        runs += each
    pair, run = pd.DataFrame(kept), pd.DataFrame(runs)
    by_pair = run.groupby("pair", sort=False)[["inside50", "inside90"]].mean()
    with np.errstate(divide="ignore"):  # never is an infinite factor
        off = np.log(pair.told / pair.came)
    counts = pd.DataFrame(
        {
            "pairs": [len(pair)],
            "inside 90 %": [pair.inside.mean()],
            "intervals meet": [pair.meet.mean()],
            "median log told/came": [off.median()],
            "its size": [off.abs().median()],
            "ratios": [len(run)],
            "ratios inside 50 %": [run.inside50.mean()],
            "inside 90 % ": [run.inside90.mean()],
            "by pair": [by_pair.inside90.mean()],
        }
    )
    write(
        "multiplier",
        "Multipliers: by which factor one recipe needs less scale than another",
        "Routed models by their dense parameters (Clark et al. 2022, S-Base, against dense), "
        "training sets by FLOP at 20 tokens a parameter (Gadre et al. 2024, each test set alone), "
        "and the steps of Porian et al. 2024 by FLOP (best size of every second budget, against "
        "Kaplan's recipe). `all`: weight of floor and exponent in common. `ahead`: the largest "
        f"scale over the largest fitted. NUTS with {SAMPLER.draws} draws a chain.",
        "## Known factors",
        "Of accuracies (500 questions a model) the ratio of the scales at which both get to the "
        "level halfway between the accuracies that both have.",
        table(known),
        "## Accuracies",
        "The ratio of two thresholds told from the smaller two thirds of the rows, against that "
        "told by all: a task of models of 20 tokens a parameter, trained on c4 and on another set "
        "(Gadre et al. 2024). `neither`: probability, by the part, that neither ever gets there.",
        table(thresholds),
        "## Rows that belong together",
        paired.CORRELATED,
        table(paired.correlations(), 3),
        paired.IDEALISED,
        table(paired.idealised(), 3),
        "## Told from the smaller half of the scales",
        "The factor at the largest scale, told from the half, against the median of the whole "
        "table there; and the ratios of losses below. Pairs share baselines and runs: so many "
        f"figures are fewer tables. CPU: {cpu_seconds() - started:.0f} s.",
        table(counts),
        table(pair),
        "## Ratios of losses measured at scales left out",
        "`level`: share of draws below what was measured.",
        table(run),
    )
