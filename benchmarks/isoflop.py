"""isoflop: whether its intervals hold, of simulated designs, and what it says of real tables.

Simulated runs are of a Chinchilla law, so that a parabola is only nearly right: 4 to 9 budgets over
1.5 to 3.5 decades of 4 to 9 sizes each, within a factor of 2.5 to 8 of a middle that lies off the
optimum by up to half of that, exponents .25 to .5, noise .2 to 1 %. Beside them are the same
designs with optima that scatter about their line. Real tables are held against published exponents,
and against themselves: every second size against the others, which share no run.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.planning.isoflop import OUTSIDE, IsoFlop
from bayescale.plot.style import FAINT, INK, PALETTE, style

from .common import RESULTS, cpu_seconds, data_dir, table, write
from .isoflop_counts import COUNTS, recounted, spread

TABLES, SCATTERED = 900, {0.05: 300, 0.1: 300}
"""Simulated tables without scatter about the line; its sd in log N -> tables."""
SAMPLER = bs.NUTS(warmup=500, draws=500)
AHEAD = 10.0
"""Times beyond the last budget, where what the line says of N* is checked."""
BINS = {
    "budgets": [3, 5, 7, 9],
    "sizes": [3, 5, 7, 9],
    "noise": [0.0, 0.003, 0.005, 0.0075, 0.02],
    "off the middle": [0.0, 0.17, 0.33, 0.5],
    "alpha off beta": [0.0, 0.05, 0.1, 0.25],
    "decades": [0.0, 2.0, 2.75, 4.0],
}
FLOPS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21)
"""Budgets of Hoffmann et al."""
DOUBLED = 2.4e17 * 2.0 ** np.arange(6)
"""Compute about which runs of a grid of sizes and tokens are taken as a budget."""


def _design(rng) -> dict[str, float]:
    """Return one design: how many, how far apart, how noisy, of which law."""
    found = {name: int(rng.integers(4, 10)) for name in ("budgets", "sizes")}
    found["noise"] = np.exp(rng.uniform(*np.log([0.002, 0.01])))
    found |= {name: rng.uniform(0.25, 0.5) for name in ("alpha", "beta")}
    found |= {"decades": rng.uniform(1.5, 3.5), "reach": rng.uniform(*np.log([2.5, 8]))}
    found |= {"off": rng.uniform(-0.5, 0.5), "jitter": rng.choice([0.0, 0.3])}
    return found | {"drift": rng.uniform(-0.1, 0.1)}


def _runs(
    one: dict[str, float], scatter: float, rng
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return runs, log N* of each budget by the law, and how far its own scatters about that."""
    alpha, beta = one["alpha"], one["beta"]
    C = np.geomspace(1e18, 1e18 * 10 ** one["decades"], one["budgets"])
    A, B = (
        3e8**alpha * beta / (alpha + beta),
        (1e19 / 1.8e9) ** beta * alpha / (alpha + beta),
    )
    best = np.log(alpha * A / (beta * B) * (C / 6) ** beta) / (alpha + beta)
    middle = best + one["off"] * one["reach"] + one["drift"] * np.log(C / np.sqrt(C[0] * C[-1]))
    middle += one["jitter"] * rng.normal(size=len(C))
    size = middle[:, None] + one["reach"] * np.linspace(-1, 1, one["sizes"])
    off = scatter * rng.normal(size=(len(C), 1))
    N, D = (np.exp(each).ravel() for each in (size, np.log(C / 6)[:, None] - size))
    z = np.repeat(off, one["sizes"])
    loss = 1.8 + A * (N * np.exp(-z)) ** -alpha + B * (D * np.exp(z)) ** -beta
    loss *= np.exp(one["noise"] * rng.normal(size=len(N)))
    return pd.DataFrame({"N": N, "D": D, "loss": loss}), best, off[:, 0]


def _level(drawn: np.ndarray, truth: float) -> float:
    return float((drawn < truth).mean())


def _told(frame: pd.DataFrame, **how) -> IsoFlop:
    how = {"law": None} | how
    return bs.isoflop(frame, x={"N": "N", "D": "D"}, y="loss", progress=False, **how)


def _simulated(seed: int, scatter: float) -> dict:
    rng = np.random.default_rng([seed, 31])
    one = _design(rng)
    frame, best, off = _runs(one, scatter, rng)
    a = one["beta"] / (one["alpha"] + one["beta"])
    kept = one | {"scatter": scatter, "alpha off beta": abs(one["alpha"] - one["beta"])}
    kept |= {"off the middle": abs(one["off"]), "answered": False}
    try:
        found = _told(frame, seed=seed)
    except bs.DataError:  # fewer than two budgets whose loss turns: it says so, and no more
        return kept
    lo, median, hi = np.quantile(found.a, (0.05, 0.5, 0.95))
    used = [
        _level(each.log_n, truth)
        for each, truth in zip(found.optima, best + off, strict=True)
        if each.outside <= OUTSIDE
    ]
    kept |= {"answered": True, "level": _level(found.a, a), "width": hi - lo, "error": median - a}
    far = np.log(found.params(AHEAD * found.flops[-1])[:, 0])
    kept["ahead"] = _level(far, best[-1] + a * np.log(AHEAD))
    return kept | {"used": len(used), "optima": np.mean([0.05 <= p <= 0.95 for p in used])}


def _coverage(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(
        {
            "tables": f"{len(rows)}",
            "a in 90 %": rows["level"].between(0.05, 0.95).mean(),
            "in 50 %": rows["level"].between(0.25, 0.75).mean(),
            "width of a": rows.width.median(),
            "error (rms)": np.sqrt((rows.error**2).mean()),
            "optima in 90 %": np.average(rows.optima, weights=rows.used),
            "N* ten times beyond": rows.ahead.between(0.05, 0.95).mean(),
        }
    )


def _by_design(rows: pd.DataFrame) -> pd.DataFrame:
    parts = {("all", ""): rows}
    for name, edges in BINS.items():
        for lo, hi in pairwise(edges):
            words = f"{lo + 1} to {hi}" if isinstance(lo, int) else f"{lo:g} to {hi:g}"
            parts[name, words] = rows[(rows[name] > lo) & (rows[name] <= hi)]
    found = pd.DataFrame({key: _coverage(part) for key, part in parts.items()}).T
    return found.rename_axis(["design", "range"])


def real() -> Iterator[tuple[str, pd.DataFrame, str, dict]]:
    """Give each real table: its name, runs, what is published of it, and how it is asked."""
    folder = data_dir()
    names = {"params": "N", "tokens": "D"}
    porian = pd.read_csv(folder / "porian_isoflops.csv").rename(columns=names)
    for row in pd.read_csv(folder / "porian_published_fits.csv").itertuples():
        own = porian[(porian.source_file == row.source_file)]
        own = own[own.experiment == row.experiment]
        ends = f"{row.n_exponent_boot_lo95:.3f} to {row.n_exponent_boot_hi95:.3f}"
        name = row.experiment.replace("/val", "").replace("/train", "").replace("-", " ")
        yield f"Porian {name}", own, f"{row.n_exponent:.3f} ({ends})", {}
    hoffmann = pd.read_csv(folder / "chinchilla_epoch.csv").rename(columns=names)
    hoffmann = hoffmann[hoffmann.dropped_by_replication == 0]
    said = "0.49 (Hoffmann), 0.513 (Epoch, law)"
    yield "Chinchilla, read off a figure", hoffmann, said, {"budgets": FLOPS}
    llama = pd.read_csv(folder / "isoflops_llama3_marin.csv").rename(columns=names)
    said = "0.47 (Llama 3), 0.463 (Open-Athena)"
    yield "Llama 3, read off a figure", llama[llama.outlier == 0], said, {}
    runs = pd.read_csv(folder / "misfitting_runs.csv").query("is_final == 1")
    best = runs.sort_values("loss").drop_duplicates(["params", "tokens"]).rename(columns=names)
    yield "(Mis)fitting, best learning rates", best, "-", {"budgets": DOUBLED}


def _answer(
    name: str, frame: pd.DataFrame, published: str, how: dict
) -> tuple[dict, IsoFlop | None]:
    """Return what is told of a real table, and of halves of its sizes."""
    try:
        found = _told(frame, **how, law="chinchilla", sampler=SAMPLER)
    except bs.DataError as refused:
        said = str(refused).partition(": ")[2].partition(";")[0]
        return {"table": name, "published": published, "a by the optima": f"refused: {said}"}, None
    used = sum(each.outside <= OUTSIDE for each in found.optima)
    kept = {"table": name, "published": published, "a by the optima": spread(found.a)}
    kept |= {"by the law": spread(found.surface_a)}
    kept |= {"budgets": f"{used} of {len(found.optima)}"}
    kept |= {"law sound": not found.unsound, "scatter": float(np.median(found.scatter))}
    kept |= {"P(none)": float((found.scatter == 0).mean())}
    sizes = np.unique(frame.N.to_numpy().round())
    halves = [frame[frame.N.round().isin(sizes[i::2])] for i in range(2)]
    try:
        one, other = (_told(each, **how).a for each in halves)
    except bs.DataError:
        return kept | {"even and odd sizes": "too few", "apart": np.nan}, found
    gap = (np.median(one) - np.median(other)) / np.hypot(one.std(), other.std())
    words = f"{np.median(one):.3f}, {np.median(other):.3f}"
    return kept | {"even and odd sizes": words, "apart": gap}, found


def _picture(rows: pd.DataFrame, told: list[tuple[dict, IsoFlop]]) -> None:
    """Draw coverage by budgets, and the exponents of real tables beside published ones."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    with style():
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(10.5, 4.6), gridspec_kw={"width_ratios": (1, 1.5)}
        )
        for i, (scatter, own) in enumerate(rows.groupby("scatter")):
            held = own.groupby("budgets")["level"].agg(
                share=lambda p: p.between(0.05, 0.95).mean(), n="size"
            )
            error = np.sqrt(held.share * (1 - held.share) / held.n)
            words = "optima on a line" if scatter == 0 else f"scatter {scatter:g} about it"
            at = held.index + 0.15 * (i - 1)
            left.errorbar(at, held.share, error, fmt="o", ms=4, color=PALETTE[i], label=words)
        left.axhline(0.9, color=INK, lw=0.7)
        left.axhspan(0.85, 0.95, color=FAINT, alpha=0.15, lw=0)
        left.set(ylim=(0.7, 1.01), xlabel="budgets", ylabel="share of 90 % intervals that hold a")
        left.legend(loc="lower right")
        for i, (kept, found) in enumerate(told):
            for drawn, colour, up in (
                (found.a, PALETTE[0], 0.16),
                (found.surface_a, PALETTE[1], -0.16),
            ):
                lo, median, hi = np.quantile(drawn, (0.05, 0.5, 0.95))
                right.plot([lo, hi], [i - up] * 2, color=colour, lw=1.8)
                right.plot(median, i - up, "o", color=colour, ms=4)
            if kept["published"] != "-":
                right.plot(float(kept["published"].split()[0]), i, "x", color=INK, ms=6, zorder=5)
        names = [kept["table"].replace("/count", "\ncount") for kept, _ in told]
        right.set_yticks(range(len(told)), names, fontsize=6.5)
        right.invert_yaxis()
        right.set_xlabel("exponent a of N* ~ C^a: median and 90 %")
        for colour, words in ((PALETTE[0], "line through optima"), (PALETTE[1], "law of N and D")):
            right.plot([], [], "o-", color=colour, ms=4, label=words)
        right.plot([], [], "x", color=INK, label="published")
        right.legend(loc="lower right")
        figure.savefig(RESULTS / "isoflop.png", dpi=150)
        plt.close(figure)


def main() -> None:
    """Measure all and write benchmarks/results/isoflop.md and isoflop.png."""
    started = cpu_seconds()
    rows = [_simulated(seed, 0.0) for seed in range(TABLES)]
    rows += [_simulated(seed, sd) for sd, count in SCATTERED.items() for seed in range(count)]
    every = pd.DataFrame(rows)
    known = every[every.answered]
    plain = known[known.scatter == 0]
    seconds = cpu_seconds() - started
    scattered = pd.DataFrame({f"{sd:g}": _coverage(own) for sd, own in known.groupby("scatter")}).T
    print(_by_design(plain), scattered, seconds, sep="\n", flush=True)
    told = []
    for each in real():
        told.append(_answer(*each))
        print(told[-1][0], cpu_seconds() - started, flush=True)
    answers, counted = pd.DataFrame([kept for kept, _ in told]), pd.DataFrame([*recounted()])
    apart = answers.apart.dropna()
    _picture(known, [each for each in told if each[1] is not None])
    inside = [
        lo <= float(kept["published"].split()[0]) <= hi
        for kept, found in told
        if found is not None
        for lo, hi in [np.quantile(found.a, (0.05, 0.95))]
    ]
    write(
        "isoflop",
        "IsoFLOP: whether intervals hold, and real tables beside published exponents",
        "![coverage, and real tables](isoflop.png)",
        "## Simulated designs",
        f"{TABLES} tables of Chinchilla laws ({len(every) - len(known)} of all {len(every)} tables "
        "are refused: the loss turns at fewer than two budgets). 90 % and 50 % intervals of the "
        "exponent a, its median width and root mean square error, intervals of the optima that "
        "the line goes through, and of what the line says of N* ten times beyond the last budget. "
        "`off the middle`: by which share of the reach the optimum lies off the middle of the "
        f"sizes; `alpha off beta`: by how much they differ. {seconds:.0f} CPU seconds.",
        table(_by_design(plain), 3),
        "The same designs with optima that scatter about their line, sd in log N. Optima are then "
        "held against their own, N* beyond against the line:",
        table(scattered.rename_axis("scatter"), 3),
        "Before this answer, 1,200 tables of such designs: a prior of the scatter with no mass at "
        "none, each budget with a shape of its own and its own errors, held a in .971 of tables "
        "with a width of .074. Without any scatter .908, and less where there is some; with none "
        "or some by the evidence .940 with .063 (800 tables); with shared shapes the above. With a "
        "fifth of the prior on no scatter in place of half (159 other tables) a is held in .981 "
        "without scatter (.956) and .906 at .1 (.881), a tenth wider: one prior is not right of "
        "both, and four budgets (36 tables) tell too little of it, with 1.00 (1.00) and .944 "
        "(.917).",
        "## Real tables",
        "`published` with 95 % of a bootstrap where it has one. `count` says what N counts: kaplan "
        "neither embeddings nor head, standard the head, attention its FLOP beside. The law is "
        "`chinchilla` of the same runs, sound or not. `even and odd sizes`: the exponent of every "
        "second size and of the others, and how many standard deviations they are `apart`; "
        f"{(apart.abs() < 1.645).sum()} of {len(apart)} lie within 1.645. Published exponents, of "
        f"which the first of several counts, are within 90 % of the line's in {sum(inside)} of "
        f"{len(inside)}: they are point estimates by other rules, of the same runs. In Porian's "
        "tables a run is read at several budgets, whose optima err together: intervals are too "
        f"narrow there, where the same sizes stand in all budgets. Their published optima have an "
        "sd of .11 or more each, by which a line through twelve errs by .014. CPU: "
        f"{cpu_seconds() - started:.0f} s.",
        table(answers.fillna("-"), 3),
        COUNTS,
        table(counted, 3),
    )
