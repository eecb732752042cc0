"""What is believed before the data, learnt from open tasks, families of tasks left out.

1. The ceiling: v ~ Beta(1, b) of several b, by the log score of models beyond cuts made by design;
   chosen on half of the families of tasks, confirmed on the other.
2. What may still come of a task that looks flat below its cut: the probability that nothing ever
   does, by the log score of when levels were passed beyond the cut, families left out.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from bayescale.laws.later import NEVER, decades_later

from .. import common
from . import cuts, designs
from .cuts import Measured
from .designs import Case
from .hypotheses import by_family, family_weights
from .real import wilson

CEILINGS = (6.0, 4.0, 3.0, 2.0, 1.0)
"""b of Beta(1, b); the first is what was."""
NEVERS = tuple(np.round(np.arange(0.0, 1.0001, 0.05), 2))
EDGES = (-np.inf, 0.25, 0.5, 1.0, np.inf)
"""Decades beyond the cut between which a level is passed, as far as models reach."""
LAWS = ("sigmoid", "flat")
EVEN = (0.5, 0.5)
LEAST = 1e-4
"""Least chance that is scored, as if of a coarse forecaster."""
LEVELS = (0.25, 0.5)
"""Share of the way from chance to 1."""
Found = dict[str, dict[str, Measured]]
"""By law, by name of the case."""


# ------------------------------------------------------------------ the ceiling


def ceiling_table(found: Found, todo: list[Case], tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what each ceiling gains over the first, in nats of a model beyond the cut."""
    told = np.array([cuts.family(case.task) for case in todo])
    order = {name: i for i, name in enumerate(sorted(set(told)))}
    first = np.array([order[name] % 2 == 0 for name in told])
    unlocks = np.array([np.isfinite(tables[case.task]["T"].iloc[0]) for case in todo])
    parts = {"first half of families": first, "second half": ~first}
    parts |= {"tasks that unlock": unlocks, "others": ~unlocks}
    scores = {b: np.array([_score(found, case, b) for case in todo]) for b in CEILINGS}
    when = {b: outcomes(found, todo, tables, b=b) for b in CEILINGS}
    was, rows = CEILINGS[0], []
    for b in CEILINGS:
        row = {"ceiling": _named(b), "5 % quantile": 0.05 ** (1 / b)}
        row["end below it"] = _below(b, {name: tables[name] for name in {c.task for c in todo}})
        for name, which in parts.items():
            row[name] = gained((scores[b] - scores[was])[which], told[which])
        level = [np.stack(when[each].score.to_list())[:, -1] for each in (b, was)]
        row["when passed"] = gained(level[0] - level[1], when[b].family)
        rows.append(row)
    return pd.DataFrame(rows)


def gained(values, families) -> str:
    """Return the mean over families, with its standard error."""
    mean, se, _ = by_family(values, families)
    return f"{mean:.3f} +- {se:.3f}"


def belief(found: Found, case: Case, b: float, prior=EVEN) -> np.ndarray:
    """Return the probability of a rise and of nothing happening, below the cut."""
    logs = np.log(prior) + [found[law][case.name].evidence_under(b) for law in LAWS]
    return np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()


def _score(found: Found, case: Case, b: float) -> float:
    """Return the mean log score of the models beyond the cut, of both laws by belief."""
    each = np.array([found[law][case.name].densities(b) for law in LAWS])
    return float(np.log(belief(found, case, b) @ np.exp(each)).mean())


def _below(b: float, tables: dict[str, pd.DataFrame]) -> str:
    """Return how many tasks that unlock end below the 5 % quantile of the ceiling."""
    ends = []
    for rows in tables.values():
        if np.isfinite(rows["T"].iloc[0]):
            last = rows.sort_values("x").y.iloc[-max(3, len(rows) // 8) :]
            ends.append((last.median() - rows.chance.iloc[0]) / (1 - rows.chance.iloc[0]))
    return f"{int((np.array(ends) < 0.05 ** (1 / b)).sum())} of {len(ends)}"


# ------------------------------------------------------------------ what may still come


def waiting(case: Case, rows: pd.DataFrame, level: float) -> float | None:
    """Return how many decades beyond the cut a level is passed, inf for not by any model.

    None where it is passed below the cut already, and nothing is left to wait for.
    """
    edge, at = np.log10(case.fitted.x.max()), cuts.passes(rows, level)
    return None if at <= edge else at - edge


def chances(found: Found, case: Case, level: float, b: float) -> np.ndarray:
    """Return the chance of passing the level before each edge, (never, edge)."""
    rise, flat = (found[law][case.name] for law in LAWS)
    edge, weight = np.log10(case.fitted.x.max()), belief(found, case, b)
    reach = np.log10(case.held.x.max()) - edge
    ends = [min(end, reach) for end in EDGES[1:]]
    w, rises = rise.weights(b), rise.unlock[level] - edge
    rising = np.array([w[rises <= end].sum() for end in ends]) / w.sum()
    later = [decades_later(flat.g, level, never) for never in NEVERS]
    still = np.array([[(each <= end).mean() for end in ends] for each in later])
    return weight[0] * rising + weight[1] * still


def outcomes(found: Found, todo: list[Case], tables, b: float = 1.0) -> pd.DataFrame:
    """Return, for each case and level left to wait for, log scores by probability of never."""
    rows = []
    for case in todo:
        for share in LEVELS:
            level = cuts.halfway(tables[case.task], share)
            at = waiting(case, tables[case.task], level)
            if at is None:
                continue
            before = chances(found, case, level, b)
            chance = np.diff(before, axis=1, prepend=0.0)
            place = next((i for i, (lo, hi) in enumerate(pairwise(EDGES)) if lo < at <= hi), None)
            came = bool(np.isfinite(at))
            score = np.log(np.maximum(chance[:, place] if came else 1 - before[:, -1], LEAST))
            rows.append(
                {"case": case.name, "family": cuts.family(case.task), "level": share}
                | {"came": came, "flat": belief(found, case, b)[1]}
                | {"p": before[:, -1], "score": score}
            )
    return pd.DataFrame(rows)


def never_of(rows: pd.DataFrame) -> float:
    """Return the probability of never, its posterior mean under an even prior; families count 1."""
    total = family_weights(rows.family) @ np.stack(rows.score.to_list())
    weight = np.exp(total - total.max())
    return float(weight @ np.array(NEVERS) / weight.sum())


def never_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return log scores of the day a level is passed, the families left out in turn."""
    scores, grid = np.stack(rows.score.to_list()), np.array(NEVERS)
    pick = [never_of(rows[rows.family != own]) for own in rows.family]
    left = np.array([np.interp(one, grid, row) for one, row in zip(pick, scores, strict=True)])
    told = {"1 (flat is for ever)": scores[:, -1], "learnt, family left out": left}
    told |= {f"{one:g}": scores[:, NEVERS.index(one)] for one in (0.9, 0.75, 0.5, 0.25, 0.0)}
    table = [
        {"P(never, given flat)": name, "log score": by_family(score, rows.family)[0]}
        | {"gained": gained(score - scores[:, -1], rows.family)}
        for name, score in told.items()
    ]
    return pd.DataFrame(table)


def reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often a level was passed, by the probability that it had, flat being for ever."""
    p = np.array([each[-1] for each in rows.p])
    found = []
    for lo, hi in pairwise((0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0001)):
        own = (p >= lo) & (p < hi)
        if own.any():
            hits, count = int(rows.came[own].sum()), int(own.sum())
            row = {"probability": f"{lo:g} to {min(hi, 1):g}", "promised": p[own].mean()}
            row |= {"passed": f"{hits} of {count}"}
            found.append(row | {"90 % interval": "{:.2f}-{:.2f}".format(*wilson(hits, count))})
    return pd.DataFrame(found)


def main() -> None:
    """Fit what is cut, and write."""
    tables, todo = designs.tasks(), cuts.cases()
    levels = {c.name: tuple(cuts.halfway(tables[c.task], one) for one in LEVELS) for c in todo}
    write({law: cuts.measured(todo, law, levels) for law in LAWS}, todo, tables)


def write(found: Found, todo: list[Case], tables: dict[str, pd.DataFrame]) -> None:
    """Write what was found."""
    was, rows = (outcomes(found, todo, tables, b=b) for b in (CEILINGS[0], CEILINGS[-1]))
    still = rows[rows.flat > 0.5].reset_index(drop=True)
    families = len({cuts.family(case.task) for case in todo})
    head = (
        f"{len({case.task for case in todo})} open tasks of {families} families, cut at the "
        f"quantiles {', '.join(f'{one:g}' for one in cuts.SHARES)} of their scales: {len(todo)} "
        "cuts. `sigmoid` and `flat`, weighed by belief from even odds; misfit as in `tasks`. Means "
        "over families, with standard errors; nats. 2 chains of 400 draws and no second tries, "
        "fewer than the product takes: all fits count."
    )
    common.write(
        "beliefs",
        "What is believed before the data",
        head,
        "## The ceiling\n\n" + CEILING_WORDS,
        common.table(ceiling_table(found, todo, tables), 3),
        "## What may still come\n\n" + _of_never(still),
        common.table(never_table(still), 3),
        f"All {len(rows)} cuts and levels, {rows.came.sum()} passed: here an atom below 1 costs "
        "a little, since the law of a rise itself has half of its unlocks beyond the data.",
        common.table(never_table(rows), 3),
        "Whether a level was passed by any model, flat being for ever; the ceiling as it was:",
        common.table(reliability(was), 3),
        "and uniform:",
        common.table(reliability(rows), 3),
    )


CEILING_WORDS = (
    "The ceiling is u = 1 - (1 - g) v. Of v ~ Beta(1, b): the 5 % quantile of the share of the way "
    "from floor to 1 that is reached, how many tasks that unlock end below it, and what is gained "
    "over the first, which was the default: log score of a model beyond the cut, and of when "
    "levels a quarter and half of the way from chance to 1 are passed. Chosen on the first half of "
    "the families; the second confirms. Beyond uniform nothing was tried: it would say that most "
    "of what rises does not."
)


def _of_never(still: pd.DataFrame) -> str:
    """Return what is to be said of the atom of never."""
    decades = ", ".join(f"{edge:g}" for edge in EDGES[1:-1])
    return (
        f"When a level is passed beyond the cut (within {decades} decades, further, or by no "
        "model), by the probability that nothing ever comes of what is flat. Of "
        f"{len(still)} cuts and levels at which `flat` is the likelier, {still.came.sum()} were "
        f"passed later. There the learnt probability is {never_of(still):.2f} (posterior mean "
        f"under an even prior; {NEVER:g} is in use). Within the reach of the models it foretells "
        "no better than 1 does: such data refuse a half, and hardly tell .8 from 1. It is kept for "
        "what is said of scales beyond their reach."
    )


def _named(b: float) -> str:
    return f"Beta(1, {b:g})"
