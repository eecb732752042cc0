"""next_runs_text: what stands beside the figures of the study of next runs.

Sentences that tell of figures are made from them.
"""

from __future__ import annotations

from itertools import groupby

__all__ = ["REFITS", "closing", "opening"]

ALL = "all-runs"

REFITS = """Once the runs of a round are made, the spread of what the law says of the targets, in
the refit, over the spread that was told before: its quantiles over all rounds and seeds."""


def opening(seeds: int) -> tuple[str, ...]:
    """Return what was done."""
    return (
        f"""R2 over all targets about their mean, clipped at -1; a budget is a share of the cost of
all runs of the pool; {seeds} seeds, which decide the cheap runs that a path begins with (of the
pool's cheapest fifth; 15, or 2.5 for each constant of the law, as in the source) and the order of
random ones. Designs buy in four rounds, at a quarter, a half and all of the first budget and at the
second, each after a refit, with the targets' scales as goals; a round may buy several runs, of
which the source's protocol sees one at a time. `one`: one law at its word, by Laplace. `misfit`:
`forecast`, whose law knows that it is only nearly right, by 2 chains of 250 draws. `inside 90` is
the share of targets within 90 % intervals of new runs, `width 90` the median width of these in log
(of vocab in nats). The published figures average up to ten formulas a task, fitted by least
squares: one law that is right for a task beats such an average whichever runs it has, so what to
compare with are the other ways with the same law. Of chinchilla_split nothing is published.""",
        """V-optimal: of the same fits, the run that takes most of the mean variance at the targets,
over its cost^.3, one after another (the source's own design of that name). From `next_runs` it
differs in this: the law is made linear at the estimate, where `next_runs` has the draws as they are
(taken in where they are wild); losses count as such, where `next_runs` takes logs and counts each
target by the share of its own variance; all runs have one noise; a gain is over cost^.3, where
`next_runs` fills the budget by gain over cost and by gain, and takes the better; and no gain is too
small, where `next_runs` stops at what draws of a finite number show by chance.""",
        """Laws (`scalebench.py`): `farseer`, `data_constrained` and `chinchilla` are bayescale's,
the others were written for this study and chosen by their sources and by the rows of the pool
alone: BIC of least squares in logs, and how those without the largest size told these. moe: Clark's
effective parameters N E'^worth with his saturating experts E', and a floor, BIC -1488. Clark's own
law (no floor, an interaction) has -1476 and tells the largest size of the pool with R2 .40 for .59;
with a floor -1483; N E^worth without saturation -1479; E + A (N E^worth)^-alpha + B N^-alpha -1474,
with an exponent of its own -1472; no floor and no saturation -1448; the source's form ((1 + B
E^g)/(1 + B))^-b has -1490, at constants that make of it a step, and tells the targets no better.
sparsity: a formula of Liew et al. (P and N apart) and a term of the tokens D2, one law of all
groups, BIC -593; with P and N as one product, D2 in it or beside it, -583 to -588. vocab: Tao et
al., with tokens in the place of characters, BIC -5243 for -4633 with characters, on a plain scale
(losses are below 0, so there is no misfit, which multiplies). lr_bsz: `chinchilla` times basins of
learning rate and batch, askew, and a best rate that goes with the batch: the dearest 15 % of the
pool are told with R2 .91, by basins that are parabolas .80 (curvatures that are powers of N and D
lower BIC by a further 52 of 26451, and tell these no better).""",
    )


def closing(rows: list[dict[str, str]]) -> tuple[str, ...]:
    """Return what the figures say, of rows as the table has them."""
    return (
        "\n".join([_beside(rows, way) for way in ("random", "V-optimal", "cheapest")]),
        "\n".join([_published(rows), _inside(rows)]),
        """On lr_bsz an earlier law, of parabolas, gave next_runs R2 -1 at both budgets where random
runs had -.3 and -.4. What was seen of it: (1) A design that takes its law at its word goes to the
edges of rate and batch, where it says most, and there no parabola holds: about the law of all runs
the runs chosen scattered by .024 in log, random ones by .014. On a pool drawn from that law, 3
paths each, the chosen runs told the targets within .0029 (rms, log), random ones within .0055, at
10 % within .0021 and .0039: where the law is right the choice is. (2) `fit` called the first
Laplace fits and those at 5 % not to be trusted (Pareto k-hat .8 to 1.0), so that `next_runs`
refuses them; the study asks all the same. After a round spreads were 1.2 to 1.4 times what was told
before; by NUTS on two of the paths .86 and 1.03 times. (3) With the law used now, of 15 constants,
15 runs to begin with are too few, it passes through all of them (sigma 1e-5, k-hat 30). Neither
more of them nor basins askew mend it: on one path the law was .030 too high in log at 5 %, five
times its spread, by the V-optimal runs .015, and by all runs of the pool .013 (targets vary by
.018). (4) The cost: of 4 paths from the first fit to 2.5 % in one round, the runs that tell most
over their cost left the law .015 to .027 too high in log, random ones .016 to .023, V-optimal ones
.003 to .013; the same draws and gains as `next_runs` has, over cost^.3, .002 to .013, and as such,
whatever the cost, .002 to .007 on three and .09 on one. A law that is wrong in N and D is so most
far from the targets, where runs are cheap, and a gain over cost believes it there. Where the law is
right that is the way to buy; a forecast's misfit is what makes near runs worth more. So it is with
any law that is only nearly right, and most with inputs that `extend` added: a forecast's misfit is
of N and D alone.""",
        """A law of one's own as a sum of constants (E + A ... + C ...) is a ridge that Laplace does
not follow: on sparsity every way ended at R2 -1 so written (by NUTS at .62 at 35 %), and by Laplace
at .64 once the law was written as its level and the shares of it. Not run: one run at a time.

With the misfit, run aside on 2026-12-01, 3 paths each (783, 301 and 541 CPU seconds), at the two
budgets, beside random runs: R2 .73 and .80 (random .81 and .92) on data_constrained, inside 90 %
.19 and .24 (.83 and 1.00); .50 and .49 (.29 and .26) on sparsity, inside .74 and .67 (.69 and
.56); .72 and .76 (.79 and .83) on lr_bsz, inside .93 and .96 (.94 and .91). So lr_bsz, whose one
law failed, is above the published row with intervals that hold, though its misfit is of N and D
alone; by random runs, twice to three times as many, it is better still. On data_constrained the
misfit does harm: runs bought for it leave intervals that do not hold, where one law at its word
has R2 .97 and .95 and holds .98 and .90. With 4 chains of 1000 draws it is the same on the path
that was looked at (sound, .24 inside, medians 9 % too high; the misfit has .03 of the width, and a
note says that residuals lie in a pattern, so that intervals beyond are too narrow): it bought two
runs of 3.9e9 parameters at losses of 2.92 and 2.95, beside targets of 4.2e9 at 2.62, and normal
noise believes them, where that of one law is Student's. Spreads after a round were .90 to 1.27, .67 to 1.18 and
.93 to 1.59 times those told before it.""",
    )


def _pairs(rows: list[dict[str, str]]):
    """Yield (label, {way: row}) of each task, laws and budget."""
    told = [row for row in rows if row["way"] != ALL]
    key = lambda row: (row["task"], row["laws"], row["budget"])  # noqa: E731
    for (task, laws, budget), own in groupby(told, key):
        yield f"{task}{' misfit' * (laws == 'misfit')} {budget}", {row["way"]: row for row in own}


def _beside(rows: list[dict[str, str]], other: str) -> str:
    """Return where `next_runs` is ahead of another way, and where it is behind."""
    ahead, behind, level = [], [], 0
    for label, ways in _pairs(rows):
        if other not in ways:
            continue
        ours, theirs = float(ways["next_runs"]["R2"]), float(ways[other]["R2"])
        said = f"{label} ({ours:.2f}, {theirs:.2f})"
        if abs(ours - theirs) < 0.015:
            level += 1
        else:
            (ahead if ours > theirs else behind).append(said)
    return (
        f"- Beside {other}: R2 within .01 in {level}; ahead in {len(ahead)}: "
        f"{', '.join(ahead) or 'none'}; behind in {len(behind)}: {', '.join(behind) or 'none'}."
    )


def _published(rows: list[dict[str, str]]) -> str:
    """Return how `next_runs` compares with the published row."""
    short, reached = [], 0
    for label, ways in _pairs(rows):
        ours = ways["next_runs"]
        if ours["published R2"] == "-":
            continue
        if float(ours["R2"]) >= float(ours["published R2"]):
            reached += 1
        else:
            short.append(f"{label} ({ours['R2']}, published {ours['published R2']})")
    return (
        f"- Beside the published row: at or above it in {reached}; below it in {len(short)}: "
        f"{', '.join(short) or 'none'}."
    )


def _inside(rows: list[dict[str, str]]) -> str:
    """Return what share of the targets intervals hold, by task."""
    said = []
    for laws in ("one", "misfit"):
        ours = [row for row in rows if row["way"] == "next_runs" and row["laws"] == laws]
        each = {row["task"]: [] for row in ours}
        for row in ours:
            each[row["task"]].append(row["inside 90"])
        told = ", ".join(f"{task} {' and '.join(shares)}" for task, shares in each.items())
        said += [f"{'one law' if laws == 'one' else 'with the misfit'}: {told}"] if told else []
    return f"- 90 % intervals hold of the targets, by the chosen runs, {'; '.join(said)}."
