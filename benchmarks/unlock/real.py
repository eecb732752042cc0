"""Forecasts of unlocks on every open task, from models below the threshold only; and alarms.

Two cuts: below the published or natural threshold, and below half of it without the models that
already score well. The threshold is not given to the fit. Then all tasks, those that unlock and
those that do not: "crosses its level within one decade". The misfit's size is learnt by leaving out
all cases of a kind of task in turn.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.posterior.bends import MISFIT

from .. import common
from . import baselines, designs, forecasts
from .designs import Case

MISFITS = (0.0, 0.1, 0.2, 0.4)
SAMPLER = bs.NUTS(chains=2, warmup=300, draws=400, target_accept=0.9, starts=32, retries=0)
EXTRACTORS = ("gsm8k_5_flex", "gsm8k_cot_8_flex", "gsm8k_cot_zeroshot_0_flex")
"""Of GSM8K one extractor a prompt format: the others read the same generations."""


def unlocking(tasks: dict[str, pd.DataFrame]) -> list[Case]:
    """Return the cases of all tasks with a threshold."""
    found = []
    for name, rows in tasks.items():
        again = "gsm8k" in name and not any(each in name for each in EXTRACTORS)
        if np.isfinite(rows["T"].iloc[0]) and not again:
            found += designs.cases(rows, name, rows["T"].iloc[0])
    return found


def staying(tasks: dict[str, pd.DataFrame]) -> list[Case]:
    """Return the tasks that never pass halfway between chance and 1, cut a decade from the end."""
    found = []
    for name, rows in tasks.items():
        level = (1 + rows.chance.iloc[0]) / 2
        if np.isfinite(rows["T"].iloc[0]) or (rows.y >= level).mean() > 0.02:
            continue
        cut = rows.x.max() / 10
        fitted, held = rows[rows.x < cut], rows[rows.x >= cut]
        if len(fitted) >= designs.LEAST and len(held):
            found.append(Case(f"{name}|stays", name, fitted, held, level, np.inf, cut))
    return found


def family(case: Case) -> str:
    """Return which cases are no news to each other: prompts and digits of one task."""
    for word in ("gsm8k", "arithmetic", "parsinlu", "conceptual"):
        if word in case.task:
            return word
    return case.task


def baseline_scores(case: Case) -> dict[str, tuple[float, float]]:
    """Return (mean absolute error, unlock) of each baseline."""
    x, y = case.fitted.x.to_numpy(), case.fitted.y.to_numpy()
    made = {
        "logistic": baselines.logistic(x, y, case.fitted.chance.iloc[0]),
        "stays": baselines.constant(x, y),
    }
    top = x.max() * 10**forecasts.DECADES
    scores = {}
    for name, fit in made.items():
        error = np.mean(np.abs(fit.accuracy(case.held.x.to_numpy()) - case.held.y.to_numpy()))
        scores[name] = float(error), fit.unlock(case.level, top)
    sandwich = _sandwich(case)
    return scores | ({"sandwich": sandwich} if sandwich else {})


def _sandwich(case: Case) -> tuple[float, float] | None:
    name = case.task.partition("/")[2]
    if not case.task.startswith("expemergence"):
        return None
    folder = common.data_dir()
    overall = pd.read_csv(folder / "expemergence_overall.csv")
    groups = pd.read_csv(folder / "expemergence_difficulty_groups.csv")
    overall = overall[overall.task == name]
    groups = groups[(groups.task == name) & (groups.metric == "brier")]
    try:
        fit = baselines.slice_and_sandwich(overall, groups, case.cut / designs.FLOP)
    except ValueError:
        return None
    scale = case.held.x.to_numpy() / designs.FLOP
    error = np.mean(np.abs(fit.accuracy(scale) - case.held.y.to_numpy()))
    top = case.fitted.x.max() / designs.FLOP * 10**forecasts.DECADES
    return float(error), fit.unlock(case.level, top) + np.log10(designs.FLOP)


def summary(rows: pd.DataFrame) -> dict:
    """Return means over cases, with the binomial interval of the unlocks' coverage."""
    hits, count = int(rows.unlock90.sum()), len(rows)
    lo, hi = wilson(hits, count)
    names = ["cover50", "cover90", "above", "below", "width90", "mae", "log_score", "unlock50"]
    names += ["unlock90", "sooner", "later"]
    found = {"cases": count} | rows[names].astype(float).mean().to_dict()
    return found | {"unlock90_interval": f"{lo:.2f}-{hi:.2f}", "decades": rows.decades90.median()}


def wilson(hits: int, count: int, z: float = 1.645) -> tuple[float, float]:
    """Return Wilson's 90 % interval of a share."""
    p, a = hits / count, z**2 / count
    half = z * np.sqrt(p * (1 - p) / count + a / (4 * count))
    return (p + a / 2 - half) / (1 + a), (p + a / 2 + half) / (1 + a)


def chosen_misfit(scores: dict[float, pd.DataFrame], families: list[str]) -> list[float]:
    """Return each case's misfit: the one that scores best on the cases of other families."""
    table = np.stack([scores[sd].log_score.to_numpy() for sd in MISFITS])
    apart = np.array(families)
    return [MISFITS[int(table[:, apart != own].mean(1).argmax())] for own in families]


def main() -> None:
    """Fit, score and write."""
    tasks = designs.tasks()
    rise, stay = unlocking(tasks), staying(tasks)
    fits = forecasts.fit_all(rise + stay, sampler=SAMPLER)
    made = {
        (case.name, law): forecasts.ahead(case, fits[case.name, law], MISFITS)
        for case in rise + stay
        for law in forecasts.LAWS
    }
    health = {
        law: f"{sum(fits[c.name, law].health.sound for c in rise + stay)} of {len(rise + stay)}"
        for law in forecasts.LAWS
    }
    parts = {
        sd: {c.name: {k: made[c.name, k][sd] for k in forecasts.LAWS} for c in rise + stay}
        for sd in MISFITS
    }
    text = [_laws_table(rise, parts), _misfit_table(rise, parts), _baseline_table(rise, parts)]
    text += [_alarm_table(rise, stay, parts), _case_table(rise, parts)]
    sound = ", ".join(f"{law} {share}" for law, share in health.items())
    count = len({case.task for case in rise})
    head = (
        f"Laws: {', '.join(forecasts.LAWS)}; misfits {', '.join(f'{sd:g}' for sd in MISFITS)}. "
        f"{len(rise)} cases of {count} tasks that unlock (their prompts and digits are related), "
        f"{len(stay)} tasks that do not. 2 chains of 400 draws and no second tries, fewer than the "
        f"product takes; fits that pass: {sound}; those that fail are counted all the same. Means "
        "over cases; `sooner`: the truth lies before the interval."
    )
    common.write("unlock", "Forecasts of unlocks, and alarms", head, *text)


def _scores(cases, parts, by="equal", laws=None) -> pd.DataFrame:
    rows = []
    for case in cases:
        own = parts[case.name]
        weights = dict.fromkeys(laws, 1.0) if laws else forecasts.law_weights(own, by)
        total = sum(weights.values())
        weights = {law: weight / total for law, weight in weights.items()}
        rows.append(forecasts.score(case, *forecasts.pooled(own, weights)))
    return pd.DataFrame(rows)


def _laws_table(rise, parts) -> str:
    rows = {}
    for share in ("1T", "0.5T"):
        cases = [case for case in rise if case.name.endswith(f"|{share}")]
        for sd in (0.0, MISFIT):
            for law in forecasts.RISING:
                rows[f"{share} {law}, misfit {sd:g}"] = summary(
                    _scores(cases, parts[sd], laws=[law])
                )
            for by in forecasts.MIXTURES:
                rows[f"{share} mixture ({by}), misfit {sd:g}"] = summary(
                    _scores(cases, parts[sd], by)
                )
    return "## Laws and mixtures\n\n" + _markdown(rows)


def _misfit_table(rise, parts) -> str:
    scores = {sd: _scores(rise, parts[sd]) for sd in MISFITS}
    rows = {f"misfit {sd:g}": summary(found) for sd, found in scores.items()}
    picked = chosen_misfit(scores, [family(case) for case in rise])
    left = pd.DataFrame([scores[sd].iloc[i] for i, sd in enumerate(picked)])
    rows["misfit chosen on other tasks"] = summary(left)
    often = pd.Series(picked).value_counts().to_dict()
    return (
        "## How much misfit beyond the data\n\nEqual mixture; both cuts. Chosen by log score on "
        f"the cases of other families of tasks: {often}.\n\n" + _markdown(rows)
    )


def _baseline_table(rise, parts) -> str:
    rows = {}
    for share in ("1T", "0.5T"):
        cases = [case for case in rise if case.name.endswith(f"|{share}")]
        ours = _scores(cases, parts[MISFIT]).set_index("case")
        each = {case.name: baseline_scores(case) for case in cases}
        for name in ("logistic", "stays", "sandwich"):
            known = [case for case in cases if name in each[case.name]]
            miss = [abs(each[c.name][name][1] - np.log10(c.unlock)) for c in known]
            rows[f"{share} {name}"] = {
                "cases": len(known),
                "mae": np.mean([each[c.name][name][0] for c in known]),
                "mae of ours": ours.loc[[c.name for c in known]].mae.mean(),
                "median decades off": np.median(miss),
                "of ours": np.median(np.abs(ours["median"] - ours.truth)[[c.name for c in known]]),
            }
    return (
        "## Against the baselines\n\nOurs: equal mixture, misfit as in the product.\n\n"
        + _markdown(rows)
    )


def _alarm_table(rise, stay, parts) -> str:
    rows = {}
    for by in forecasts.MIXTURES:
        for sd in (0.0, MISFIT):
            for factor in (0.5, 1.0, 2.0):
                name = f"{by}, misfit {sd:g}, prior x{factor:g}"
                rows[name] = alarms(*_crossings(rise + stay, parts[sd], by, factor))
    for by in forecasts.MIXTURES:
        reliability(f"unlock_{by}", *_crossings(rise + stay, parts[MISFIT], by, 1.0))
    return (
        "## Alarms: crosses its level within one decade\n\n"
        f"{len(rise)} cases that unlock, {len(stay)} that stay. Alarm at a probability of one "
        "half.\n\n"
        + _markdown(rows)
        + "\n\nReliability, misfit as in the product, with 90 % intervals: "
        "![belief](unlock_belief.png) ![equal](unlock_equal.png) "
        "![story](unlock_story.png)"
    )


def _crossings(cases, parts, by: str, factor: float) -> tuple[list[float], list[bool]]:
    """Return the probability that each level is crossed within a decade, and whether it was."""
    probability, truth = [], []
    for case in cases:
        own = parts[case.name]
        joined, weights = forecasts.pooled(own, forecasts.law_weights(own, by), factor)
        edge = np.log10(case.fitted.x.max())
        probability.append(weights[joined["unlock"] <= edge + 1].sum())
        truth.append(np.log10(case.unlock) <= edge + 1)
    return probability, truth


def reliability(name: str, probability, truth) -> None:
    """Draw how often what had a probability came, to results/NAME.png."""
    import matplotlib.pyplot as plt

    p, y = np.asarray(probability, float), np.asarray(truth, bool)
    figure, ax = plt.subplots(figsize=(4, 4))
    ax.plot([0, 1], [0, 1], color="0.7", lw=0.8)
    edges = np.array([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0001])
    for lo, hi in pairwise(edges):
        own = (p >= lo) & (p < hi)
        if not own.any():
            continue
        ends, share = wilson(int(y[own].sum()), int(own.sum())), y[own].mean()
        ax.plot([p[own].mean()] * 2, ends, color="#1f4e79", lw=1.2)
        ax.plot(p[own].mean(), share, "o", color="#1f4e79")
        ax.annotate(f" {own.sum()}", (p[own].mean(), share), fontsize=8)
    ax.set_xlabel("probability of crossing within one decade")
    ax.set_ylabel("share that crossed")
    figure.tight_layout()
    figure.savefig(common.RESULTS / f"{name}.png", dpi=120)
    plt.close(figure)


def alarms(probability, truth) -> dict:
    """Return Brier score, hit rate and false-alarm rate at one half, and reliability by thirds."""
    p, y = np.asarray(probability, float), np.asarray(truth, bool)
    found = {"brier": np.mean((p - y) ** 2), "base rate": y.mean()}
    found |= {"hits": np.mean(p[y] >= 0.5), "false alarms": np.mean(p[~y] >= 0.5)}
    for lo, hi in ((0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.01)):
        own = (p >= lo) & (p < hi)
        found[f"{lo:g}-{min(hi, 1):g}"] = f"{y[own].sum()} of {own.sum()}"
    return found


def _case_table(rise, parts) -> str:
    rows = _scores(rise, parts[MISFIT]).set_index("case")
    kept = rows[
        ["models", "cover90", "mae", "log_score", "median", "truth", "unlock90", "p_decade"]
    ]
    return "## Every case\n\nEqual mixture, misfit as in the product.\n\n" + common.table(kept, 3)


def _markdown(rows: dict[str, dict]) -> str:
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "forecast"
    return common.table(frame, 3)
