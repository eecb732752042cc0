"""The loss laws on published measurements, beside the published answers.

1. Chinchilla's runs: five rows and the noise model decide beta.
2. Ten times the compute; Gopher against Chinchilla.
3. Porian et al. 2024: from Kaplan's exponent to Chinchilla's as the accounting is mended.
4. Repeated data (Muennighoff et al. 2023) and over-training (Gadre et al. 2024).
"""

from __future__ import annotations

from math import exp

import numpy as np
import pandas as pd

from bayescale.data.from_frame import from_frame
from bayescale.inference.fit import fit
from bayescale.laws import chinchilla, data_constrained, kaplan
from bayescale.laws.powers import BESIROGLU, HOFFMANN, KAPLAN, KAPLAN_FRONTIER, implied_exponent
from bayescale.planning.allocate import allocate
from bayescale.planning.compare_runs import compare_runs
from bayescale.planning.match import match
from bayescale.posterior.intervals import summarise
from bayescale.posterior.posterior import Posterior
from bayescale.questions.predict import predict

from .common import data_dir, table, write

GOPHER, CHINCHILLA = {"N": 280e9, "D": 300e9}, {"N": 70e9, "D": 1.4e12}


def surface(frame: pd.DataFrame, y: str = "loss", **options):
    """Return a Dataset of parameters, tokens and loss."""
    return from_frame(frame, {"N": "params", "D": "tokens"}, y, **options)


def interval(draws: np.ndarray, digits: int = 3) -> str:
    """Return "median (lo to hi)"."""
    found = summarise(draws)
    return f"{found['median']:.{digits}g} ({found['lo']:.{digits}g} to {found['hi']:.{digits}g})"


def state(posterior: Posterior) -> str:
    """Return the verdict in a few words."""
    if posterior.health.sound:
        return "sound"
    return posterior.health.verdicts[0].problems[0] if not posterior.curves else "some failed"


def rows_and_noise(runs: pd.DataFrame) -> tuple[str, Posterior]:
    """Fit 240 and 245 rows under three noises; return the table and the default posterior."""
    rows, kept = [], None
    for where in ("dropped_by_replication == 0", None):
        for noise in ("student", "laplace", "lognormal"):
            post = fit("chinchilla", surface(runs, where=where), noise=noise)
            kept = kept or post
            row = {"rows": len(post.data), "noise": noise}
            for name in ("E", "A", "B", "alpha", "beta"):
                found = summarise(post.draws[name])
                row[name] = f"{found['mean']:.4g} +- {found['sd']:.2g}"
            share = post.draws["beta"] / (post.draws["alpha"] + post.draws["beta"])
            found = summarise(share)
            row["a"] = f"{found['mean']:.3f} +- {found['sd']:.2g}"
            verdict = post.health.verdicts[0]
            row["max R-hat"] = round(max(verdict.rhat.values()), 4)
            row["min ESS"] = round(min(verdict.ess.values()))
            row["health"] = state(post)
            rows.append(row)
    return table(pd.DataFrame(rows)), kept


def against_published(post: Posterior) -> str:
    """Compare means and sds with the replication's, and find Hoffmann's constants."""
    draws = dict(post.draws) | {
        "a": post.draws["beta"] / (post.draws["alpha"] + post.draws["beta"])
    }
    published = {"E": (1.817, 0.026), "alpha": (0.348, 0.015), "beta": (0.366, 0.021)}
    published |= {"a": (0.513, 0.020)}
    rows = []
    for name, (mean, se) in published.items():
        found = summarise(draws[name])
        rows.append(
            {
                "quantity": name,
                "published": f"{mean} +- {se}",
                "posterior": f"{found['mean']:.4f} +- {found['sd']:.4f}",
                "difference in published se": round(abs(found["mean"] - mean) / se, 2),
                "sd / published se": round(found["sd"] / se, 2),
            }
        )
    names = ("E", "A", "B", "alpha", "beta")
    logs = np.stack([np.log(post.draws[n]).ravel() for n in names])
    away = np.log([HOFFMANN[n] for n in names]) - logs.mean(1)
    distance = float(away @ np.linalg.solve(np.cov(logs), away))
    return table(pd.DataFrame(rows)) + (
        f"\n\nHoffmann's printed constants lie at a squared Mahalanobis distance of {distance:.0f} "
        "from the posterior mean in the logs of (E, A, B, alpha, beta), where 5 is expected "
        "and 15 is passed in 1 % of draws (published: chi-squared 238)."
    )


def advice(post: Posterior) -> str:
    """Return what ten times the compute buys, and Gopher against Chinchilla."""
    plan = allocate(post, [5.76e23])
    rows = [
        {
            "source": "posterior of 240 runs",
            "N": interval(plan.growth_params),
            "D": interval(plan.growth_tokens),
        }
    ]
    for name, a in (
        ("Kaplan 2020, published frontier", KAPLAN_FRONTIER["a"]),
        ("Kaplan 2020, what L(N, D) implies under 6ND", implied_exponent(kaplan, KAPLAN)),
        ("Hoffmann 2022, printed constants", implied_exponent(chinchilla, HOFFMANN)),
        ("Besiroglu 2024", implied_exponent(chinchilla, BESIROGLU)),
    ):
        rows.append({"source": name, "N": f"{10**a:.3g}", "D": f"{10 ** (1 - a):.3g}"})
    compared = compare_runs(post, CHINCHILLA, GOPHER)
    gap = compared.losses[0] - compared.losses[1]
    trade = match(post, **GOPHER)
    return "\n\n".join(
        [
            "Factors for ten times the compute:\n\n" + table(pd.DataFrame(rows)),
            f"At 5.76e23 FLOP: N = {interval(plan.params)}, D = {interval(plan.tokens)}, "
            f"{interval(plan.tokens_per_param)} tokens per parameter.",
            f"Chinchilla (70B, 1.4T tokens) against Gopher (280B, 300B): the mean loss is lower "
            f"with probability {compared.p_better:.4f}, that of a single run with "
            f"{compared.p_run_better:.3f}; difference {interval(gap)} nats.",
            "Equal loss to Gopher's:\n\n" + table(trade.table().iloc[::6]),
        ]
    )


def porian() -> str:
    """Fit the rising power law to the published optima, and the surface to the runs."""
    optima = pd.read_csv(data_dir() / "porian_optima.csv")
    runs = pd.read_csv(data_dir() / "porian_isoflops.csv")
    published = pd.read_csv(data_dir() / "porian_published_fits.csv")
    keys = ["source_file", "experiment"]
    data = from_frame(
        optima,
        {"x": "flops"},
        "n_opt",
        stderr="n_opt*log_n_opt_std",
        curve=keys,
        where="isfinite(n_opt)",
    )
    post = fit("power(floor=False, rising=True)", data)
    both = surface(runs, curve=keys, duplicates="drop")
    plane = fit("chinchilla", both)
    rows = []
    for source, experiment, *_ in published[keys].itertuples(index=False):
        name = f"{source}/{experiment}"
        answer = published[(published[keys] == [source, experiment]).all(axis=1)].iloc[0]
        one = post.curve(name)
        row = {
            "experiment": experiment,
            "published": f"{answer.n_exponent:.3f} ({answer.n_exponent_boot_lo95:.3f} to "
            f"{answer.n_exponent_boot_hi95:.3f})",
            "optima": interval(-one.draws["alpha"]),
        }
        found = summarise(-one.draws["alpha"])
        row["published inside"] = bool(found["lo"] <= answer.n_exponent <= found["hi"])
        row["health"] = state(one)
        if name in plane.curves:
            other = plane.curve(name)
            a = other.draws["beta"] / (other.draws["alpha"] + other.draws["beta"])
            row["surface"] = interval(a)
            row["surface's health"] = state(other)
        rows.append(row)
    return table(pd.DataFrame(rows))


def repeated() -> str:
    """Fit Muennighoff's law with their constants held, then with all free."""
    runs = pd.read_csv(data_dir() / "datablations_final.csv")
    data = from_frame(
        runs,
        {"N": "params", "D": "tokens", "U": "unique_tokens"},
        "val_loss",
        where="used_in_published_fit == 1",
        duplicates="keep",
    )
    held = data_constrained.fix(
        E=exp(0.6254804), A=exp(6.255414), B=exp(7.3049974), alpha=0.3526596, beta=0.3526596
    )
    rows = []
    for label, law in (("held at the published values", held), ("all free", data_constrained)):
        for noise in ("student", "laplace", "lognormal", "normal"):
            post = fit(law, data, noise=noise)
            mean = predict(post, data.inputs, allow_failed=True).quantiles()[1]
            y = data.responses["y"]
            r2 = 1 - ((y - mean) ** 2).sum() / ((y - y.mean()) ** 2).sum()
            row = {"E, A, B, alpha, beta": label, "noise": noise}
            row |= {n: interval(post.draws[n]) for n in ("R_D", "R_N", "E", "alpha", "beta")}
            row |= {"R squared": round(float(r2), 4), "health": state(post)}
            row["not identified"] = ", ".join(post.health.verdicts[0].unidentified) or "-"
            rows.append(row)
    return table(pd.DataFrame(rows))


def overtrained() -> str:
    """Predict Gadre's two large runs from five small ones, for each training set."""
    losses = pd.read_csv(data_dir() / "gadre_losses.csv")
    law = chinchilla.tie("beta", "alpha")
    rows, errors, inside = [], [], []
    for (trained, evaluated), runs in losses.groupby(["train_data", "eval_set"]):
        sizes = runs.params / 1e6
        first = runs.chinchilla_multiplier
        near = lambda size, sizes=sizes: (sizes / size - 1).abs() < 0.05  # noqa: E731
        small = (near(10.6) | near(79) | near(154) | near(411)) & (first == 1)
        small |= near(10.6) & (first == 16)
        large = (near(1400) & (first == 32)) | (near(6900) & (first == 1))
        if small.sum() < 4 or not large.any():
            continue
        post = fit(law, surface(runs[small], duplicates="keep"))
        targets = runs[large]
        found = predict(post, {"N": targets.params, "D": targets.tokens}, allow_failed=True)
        _, median, _ = found.quantiles("mean")
        lo, _, hi = found.quantiles("new")
        for i, target in enumerate(targets.itertuples()):
            error = median[i] / target.loss - 1
            errors.append(abs(error))
            inside.append(lo[i] <= target.loss <= hi[i])
            if evaluated == "c4_val" or trained == "rpj":
                rows.append(
                    {
                        "trained on": trained,
                        "evaluated on": evaluated,
                        "small runs": int(small.sum()),
                        "target": f"{target.params / 1e9:.1f}B x {target.chinchilla_multiplier:g}",
                        "loss": target.loss,
                        "predicted": f"{median[i]:.4f} (run {lo[i]:.3f} to {hi[i]:.3f})",
                        "error": f"{error:+.2%}",
                        "inside 90 %": bool(inside[-1]),
                        "health": state(post),
                    }
                )
    return table(pd.DataFrame(rows)) + (
        f"\n\nOver all {len(errors)} pairs of selection and target: mean error "
        f"{np.mean(errors):.2%}, largest {np.max(errors):.2%}; the 90 % interval of a run holds "
        f"{np.sum(inside)} of {len(inside)}."
    )


def main() -> None:
    """Run the study and write its figures."""
    runs = pd.read_csv(data_dir() / "chinchilla_epoch.csv")
    noises, post = rows_and_noise(runs)
    write(
        "loss_laws",
        "Loss laws on published measurements",
        "4 chains of 1000 draws after 1000 of warm-up, seed 0; intervals are 90 %.",
        "## Chinchilla's runs: rows and noise\n\n" + noises,
        against_published(post),
        "## Ten times the compute, Gopher and Chinchilla\n\n" + advice(post),
        "## Porian et al. 2024: the exponent of N against C\n\n" + porian(),
        "## Repeated data (Muennighoff et al. 2023, 182 runs)\n\n" + repeated(),
        "## Over-training (Gadre et al. 2024)\n\n" + overtrained(),
    )
