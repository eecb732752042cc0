"""One task under several prompt formats: thresholds and kinds per condition, and what changes.

1. GSM8K under four formats (Ruan et al. 2024): one pooled fit beside a fit of each format alone,
   and how much models that do well under one format do well under another.
2. Simulated conditions with known kinds: chain of thought turns an inverse task into a U-shaped or
   a rising one, or changes nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayescale.data.dataset import Dataset
from bayescale.data.from_frame import from_frame
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.posterior.groups import for_group
from bayescale.posterior.posterior import Posterior
from bayescale.questions.conditions import Change, Conditions, conditions
from bayescale.questions.kind import kind
from bayescale.questions.kinds import CUT, KINDS, classify
from bayescale.questions.predict import predict
from bayescale.questions.threshold import threshold

from .common import RESULTS, data_dir, table, write

SAMPLER = NUTS(warmup=500, draws=500)
FORMATS = {
    "5-shot, direct": "gsm8k_5_exact_match,flexible-extract",
    "8-shot CoT": "gsm8k_cot_8_exact_match,flexible-extract",
    "8-shot CoT, maj@5": "gsm8k_cot_self_consistency_8_exact_match,maj@5-flexible-extract",
    "zero-shot CoT": "gsm8k_cot_zeroshot_0_exact_match,flexible-extract",
}
LEVEL = 0.3
SIMULATIONS, MODELS, QUESTIONS, RHO = 4, 60, 500, 0.005


def gsm8k() -> pd.DataFrame:
    """Return one extractor a format: format, model, x (FLOP), y, n."""
    frame = pd.read_csv(data_dir() / "obsscaling_post_training_gsm8k.csv")
    named = {task: name for name, task in FORMATS.items()}
    frame = frame[frame.task.isin(named) & (frame.flops_1e21 > 0) & frame.value.notna()]
    made = pd.DataFrame({"format": frame.task.map(named), "model": frame.model})
    return made.assign(x=frame.flops_1e21 * 1e21, y=frame.value, n=frame.n_examples)


def dataset(frame: pd.DataFrame, **labels) -> Dataset:
    """Return the rows with FLOP as scale and chance 0."""
    how = dict(n="n", chance=0.0, duplicates="keep", source="gsm8k")
    return from_frame(frame, {"x": "x"}, {"accuracy": "y"}, **how, **labels)


def decades(found: dict) -> str:
    """Return "median (lo to hi)"; infinite ends, which may be None, are called open."""
    ends = [found[name] for name in ("median", "lo", "hi")]
    ends = [f"{v:.2f}" if v is not None and np.isfinite(v) else "open" for v in ends]
    return "{} ({} to {})".format(*ends)


def sureness(found) -> str:
    """Return the kinds with 5 % or more."""
    kinds = sorted(found.kinds.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{kind} {p:.2f}" for kind, p in kinds if p >= 0.05)


def per_format(found: Conditions, alone: dict[str, Posterior], frame: pd.DataFrame) -> str:
    """Return kinds and thresholds of each format, pooled and alone."""
    rows = []
    for name, each in found.kinds.items():
        own, how = alone[name], dict(lo=each.lo, hi=each.hi, allow_failed=True)
        rows.append(
            {"format": name, "models": int((frame.format == name).sum())}
            | {"kind, pooled": sureness(each), "kind, alone": sureness(kind(own, **how))}
            | {"log10 threshold, pooled": decades(vars(found.thresholds[name].forecast))}
            | {"alone": decades(vars(threshold(own, LEVEL, allow_failed=True).forecast))}
            | {"fit alone": str(own.health).split(";")[0]}
        )
    return table(pd.DataFrame(rows))


def per_change(found: Conditions) -> str:
    """Return how the threshold and the pooled parameters shift, and whether the kind changes."""
    rows = []
    for name, change in found.changes.items():
        row, delay = {"format": name}, change.delay()
        row |= {"threshold, decades later": decades(delay), "P(later)": delay["p_later"]}
        for each in change.shifts["sigmoid"].values():
            said = each.summary()
            row[f"shift of {each.parameter}, {said['unit']}"] = decades(said)
        rows.append(row | {"P(kind differs)": change.p_differs, "likeliest change": named(change)})
    return table(pd.DataFrame(rows), 2)


def named(change: Change) -> str:
    """Return the most probable change."""
    return "{} -> {}, {:.2f}".format(*change.likeliest) if change.likeliest else "none"


def together(posterior: Posterior, frame: pd.DataFrame) -> pd.DataFrame:
    """Return correlations between formats of the models' residuals, in noise units."""
    left = {}
    for name, rows in frame.groupby("format"):
        found = predict(for_group(posterior, name), {"x": rows.x}, allow_failed=True)
        lo, median, hi = found.quantiles("new", 0.68)
        left[name] = pd.Series((rows.y.to_numpy() - median) / (hi - lo), rows.model)
    return pd.DataFrame({name: left[name] for name in FORMATS}).corr(method="spearman")


def real() -> tuple[list[str], Conditions, Posterior, pd.DataFrame]:
    """Return the study of GSM8K in words, and what is drawn of it."""
    frame = gsm8k()
    post = fit("sigmoid", dataset(frame, group="format"), pool=("x50", "u"), sampler=SAMPLER)
    apart = fit("sigmoid", dataset(frame, curve="format"), sampler=SAMPLER)
    first, *_ = FORMATS
    found = conditions(post, level=LEVEL, reference=first, allow_failed=True)
    (verdict,) = post.health.verdicts
    said = [
        f"{len(frame)} rows, {frame.model.nunique()} models, one extractor a format; sigmoid with "
        f"x50 and u pooled, g, k and the noise shared. Health: {post.health} (R-hat "
        f"{max(verdict.rhat.values()):.4f}, ESS {min(verdict.ess.values()):.0f}). The threshold is "
        f"an accuracy of {LEVEL:g}; scales are log10 FLOP. Kinds are over all formats' range.",
        per_format(found, dict(apart), frame),
        "Where a kind is surer pooled than alone, the shared g and k make it so.",
        f"Against {first}. Before the data two formats differ in kind with probability "
        f"{found.p_differs_before:.2f}.",
        per_change(found),
        "Models that do well for their compute under one format do well under another (Spearman "
        "correlation of residuals in units of the noise). With a correlation of r the variance of "
        "a difference of two formats is about 1 - r of what independent rows have:",
        table(together(post, frame).rename_axis("format"), 2),
        "Notes of the answer: " + "; ".join(found.notes) + ".",
    ]
    return said, found, post, frame


# ------------------------------------------------------------------ simulated conditions

G, D, U, K = 0.25, 0.08, 0.9, 1.5
LOST, FOUND, LATE = 1e22, 1e24, 1.5e26  # FLOP at which distractor and true task are learnt
POOL = ("x50", "gap")
MANY = NUTS(warmup=500, draws=1000, target_accept=0.9)


def rises(x, at: float) -> np.ndarray:
    """Return the share learnt of a task."""
    return 1 / (1 + (x / at) ** -K)


def falling(x) -> np.ndarray:
    """Inverse: from G to D for good."""
    return G + (D - G) * rises(x, LOST)


def recovering(x, at: float = FOUND) -> np.ndarray:
    """The same distractor, and the true task within the range: U-shaped."""
    true = rises(x, at)
    return true * U + (1 - true) * falling(x)


def rising(x) -> np.ndarray:
    """No distractor: from G to U."""
    return G + (U - G) * rises(x, FOUND)


def late(x) -> np.ndarray:
    """The same, but the largest models alone know a little of the true task."""
    return recovering(x, LATE)


SCENARIOS = {
    "cot recovers": (falling, recovering),
    "cot rises": (falling, rising),
    "cot hardly recovers": (falling, late),
    "the same, inverse": (falling, falling),
    "the same, hardly recovers": (late, late),
}


def simulated(scales: np.ndarray, count: int = SIMULATIONS) -> pd.DataFrame:
    """Return accuracies of real models' scales under "direct" and "cot", `count` a scenario."""
    rng, parts = np.random.default_rng(1), []
    for scenario, laws in SCENARIOS.items():
        for i in range(count):
            x = rng.choice(scales, MODELS, replace=False)
            grid = np.geomspace(x.min(), x.max(), 257)
            for name, law in zip(("direct", "cot"), laws, strict=True):
                p, s = law(x), 1 / RHO - 1
                y = rng.binomial(QUESTIONS, rng.beta(p * s, (1 - p) * s)) / QUESTIONS
                part = pd.DataFrame({"x": x, "y": y, "n": QUESTIONS, "condition": name})
                true = KINDS[classify(law(grid)[None], CUT)[0]]
                parts.append(part.assign(curve=f"{scenario}|{i:02d}", true=true))
    return pd.concat(parts)


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row a simulation: what is said of each condition and of the change."""
    how = dict(curve="curve", group="condition", n="n", chance=G, duplicates="keep")
    data = from_frame(frame, {"x": "x"}, {"accuracy": "y"}, **how, source="simulation")
    post = fit("distractor", data, noise="beta_binomial", pool=POOL, sampler=MANY)
    truth, rows = frame.groupby(["curve", "condition"]).true.first(), []
    for name, one in post:
        found = conditions(one, reference="direct", allow_failed=True)
        change, true = found.changes["cot"], truth[name]
        rows.append(
            {"scenario": name.split("|")[0], "sound": one.health.sound}
            | {f"true, {k}": true[k] for k in found.kinds}
            | {f"said, {k}": each.likeliest for k, each in found.kinds.items()}
            | {f"P(true), {k}": each.kinds[true[k]] for k, each in found.kinds.items()}
            | {"P(kind differs)": change.p_differs, "before": found.p_differs_before}
            | {"likeliest change": named(change)}
        )
    return pd.DataFrame(rows)


def tallied(found: pd.DataFrame) -> str:
    """Return one row a scenario: means over simulations, and how often a change is claimed."""
    rows = []
    for scenario, part in found.groupby("scenario", sort=False):
        differs = part["P(kind differs)"]
        changes = part["true, direct"] != part["true, cot"]
        row = {"scenario": scenario, "simulations": len(part), "sound": int(part.sound.sum())}
        for name in ("direct", "cot"):
            true = part[f"true, {name}"]
            row[f"true, {name}"] = ", ".join(sorted(true.unique()))
            row[f"said rightly, {name}"] = int((part[f"said, {name}"] == true).sum())
            row[f"mean P(true), {name}"] = part[f"P(true), {name}"].mean()
        spread = differs.mean(), differs.min(), differs.max()
        row["P(kind differs)"] = "{:.2f} ({:.2f} to {:.2f})".format(*spread)
        row["P > .5 where it changes"] = f"{(differs[changes] > 0.5).sum()} of {changes.sum()}"
        row["P > .5 where it does not"] = f"{(differs[~changes] > 0.5).sum()} of {(~changes).sum()}"
        rows.append(row)
    return table(pd.DataFrame(rows), 2)


def told_of_simulations(found: pd.DataFrame) -> list[str]:
    """Return the figures of simulated conditions in words."""
    return [
        f"These are simulated: {MODELS} models at scales of real ones, {QUESTIONS} questions each, "
        f"overdispersion {RHO:g}, floor {G:g}. Under the distractor accuracy falls to {D:g} about "
        f"{LOST:.0e} FLOP; the true task is learnt about {FOUND:.0e} FLOP (recovers, rises), or "
        f"about {LATE:.1e}, beyond the largest model (hardly recovers). Each pair of conditions is "
        f"fitted by one distractor law with {' and '.join(POOL)} pooled, all else shared, by "
        f"{MANY.chains} chains of {MANY.draws} draws, with one second try: {found.sound.sum()} of "
        f"{len(found)} fits pass their checks; all are counted. True kinds are of the "
        "true curves over the simulated range.",
        tallied(found),
        f"Before the data two of them differ in kind with probability {found.before.mean():.2f}.",
    ]


def draw(found: Conditions, post: Posterior, frame: pd.DataFrame, made: pd.DataFrame) -> None:
    """Draw the real formats' curves, their thresholds, and P(kind differs) in simulations."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), width_ratios=(1.4, 1, 1))
    x = np.geomspace(frame.x.min(), frame.x.max(), 80)
    colours = dict(zip(FORMATS, ("#1f4e79", "#c0504d", "#7a9a3a", "#8064a2"), strict=True))
    for name, rows in frame.groupby("format", sort=False):
        axes[0].plot(rows.x, rows.y, ".", ms=3, color=colours[name], alpha=0.6)
        lo, median, hi = predict(for_group(post, name), {"x": x}, allow_failed=True).quantiles()
        axes[0].fill_between(x, lo, hi, color=colours[name], alpha=0.2, lw=0)
        axes[0].plot(x, median, color=colours[name], lw=1.5, label=name)
    axes[0].axhline(LEVEL, color="0.5", lw=0.6, ls=":")
    axes[0].set(xscale="log", xlabel="training FLOP", ylabel="accuracy", title="GSM8K, real")
    axes[0].legend(frameon=False, fontsize=8)
    for i, name in enumerate(FORMATS):
        told = found.thresholds[name].forecast
        axes[1].plot([told.lo, told.hi], [-i, -i], color=colours[name], lw=2)
        axes[1].plot(told.median, -i, "o", color=colours[name])
    axes[1].set_yticks([-i for i in range(len(FORMATS))], FORMATS, fontsize=8)
    axes[1].set(xlabel="log10 FLOP", title=f"accuracy {LEVEL:g} passed, 90 %")
    aside = made.groupby("scenario").cumcount() / 4 - 1
    places = made.scenario.map([*SCENARIOS].index) + 0.1 * aside
    changes = made["true, direct"] != made["true, cot"]
    for which, colour, label in ((changes, "#c0504d", "changes"), (~changes, "#1f4e79", "stays")):
        style = dict(ms=4, color=colour, alpha=0.7, label=f"the true kind {label}")
        axes[2].plot(made["P(kind differs)"][which], -places[which], "o", **style)
    axes[2].set_yticks([-i for i in range(len(SCENARIOS))], SCENARIOS, fontsize=8)
    axes[2].set(xlim=(-0.03, 1.03), xlabel="P(kind differs)", title="simulated conditions")
    axes[2].legend(frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(RESULTS / "conditions.png", dpi=120)


def main() -> None:
    """Run the study and write its figures."""
    said, found, post, frame = real()
    made = judged(simulated(frame.drop_duplicates("model").x.to_numpy()))
    draw(found, post, frame, made)
    write(
        "conditions",
        "One task under several prompt formats",
        f"Intervals are 90 %; NUTS with {SAMPLER.chains} chains of {SAMPLER.draws} draws after "
        f"{SAMPLER.warmup} of warm-up, unless said otherwise.",
        "## GSM8K under four formats, real",
        *said,
        "## Simulated conditions",
        *told_of_simulations(made),
        "![conditions](conditions.png)",
    )
