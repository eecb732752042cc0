"""Unlocks ahead of cuts made by design: what the product's mixture says of what came later.

Every open task is cut where nothing is known of the answer: at quantiles of scale, and, where
models have a date, by the month of their release. The laws of `tasks` are fitted to what lies below
and weighed as `forecast` does. Accuracies beyond are scored, and the scales at which levels are
passed, of tasks that unlock and of those that stay, beside rivals that see the same rows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import logsumexp

import bayescale as bs
from bayescale.comparison.evidence import log_evidence
from bayescale.data.dataset import Dataset
from bayescale.laws import get_law
from bayescale.posterior.bends import MISFIT, with_misfit
from bayescale.posterior.mixture import Mixture
from bayescale.posterior.posterior import Posterior
from bayescale.workflows.hypotheses import weighed
from bayescale.workflows.resume import Kept

from .. import common
from . import cuts, designs, hypotheses
from .beliefs import LEVELS
from .designs import DAY, RELEASED, Case
from .hypotheses import BY_EVIDENCE, EQUAL, HYPOTHESES, Ahead, shared
from .outcomes import (
    ACCURACY,
    PASSED,
    STAYS,
    UNLOCK,
    UNLOCKS,
    Told,
    against,
    all_ahead,
    bins_of,
    chances,
    crossings,
    halves,
    means,
    of_accuracies,
    of_unlocks,
)
from .rivals import of_rivals
from .told import drifted, told
from .within import within

LAWS = ("sigmoid", "exact_match", "flat", "distractor", "inverse", "inverted_u")
"""Of the eight of `tasks`: two of a rise, and each of the other hypotheses."""
SHARES = (0.5, 0.75)
SAMPLER = bs.NUTS(chains=2, warmup=300, draws=400, target_accept=0.9, starts=32, retries=0)
FITS = os.environ.get("BAYESCALE_FITS")
"""Folder where fits are kept, if any: the study goes on from there."""


@cache
def tables() -> dict[str, pd.DataFrame]:
    """Return every open task with counts."""
    return designs.tasks()


def cases() -> list[Case]:
    """Return every open task, cut at quantiles of scale, and where it can be by release."""
    found = cuts.cases(SHARES)
    for task in dict.fromkeys(case.task for case in found):
        rows = tables()[task]
        if set(rows.family) <= RELEASED.keys():
            early, name = rows.family.map(RELEASED) < DAY, f"{task}|release"
            parts = rows[early], rows[~early]
            found.append(Case(name, task, *parts, cuts.halfway(rows), np.inf, np.nan))
    return found


def table_of(todo: list[Case]) -> Dataset:
    """Return what lies below the cuts, each case a curve."""
    frame = pd.concat([case.fitted.assign(curve=case.name) for case in todo])
    return bs.from_frame(frame, "x", "y", n="n", chance="chance", curve="curve", duplicates="keep")


def fitted(todo: list[Case], laws=LAWS) -> dict[str, Posterior]:
    """Return each law's fit to all cases."""
    data, kept = table_of(todo), Kept.at(FITS)
    how = dict(sampler=SAMPLER, noise=None, pool=None, seed=0, precision="float64", progress=False)
    return {name: kept.fit(name, get_law(name), data, **how) for name in laws}


def scored(todo: list[Case], ways) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores of accuracies and of unlocks, a row a case (and level) and forecaster.

    Parameters
    ----------
    ways
        Function of a case and its levels that returns what each forecaster says, by its name.
    """
    accuracies, unlocks = [], []
    for i, case in enumerate(todo):
        levels = tuple(cuts.halfway(tables()[case.task], share) for share in LEVELS)
        task, _, cut = case.name.partition("|")
        of = {"case": case.name, "cut": cut, "family": cuts.family(task)}
        for name, said in ways(case, levels).items():
            accuracies.append(of | {"way": name} | of_accuracies(case, said))
            if cut == "release":
                continue
            for share, level in zip(LEVELS, levels, strict=True):
                rng = np.random.default_rng([i, int(100 * share)])
                own = of_unlocks(case, tables()[case.task], said, level, rng)
                unlocks.append(of | {"way": name, "level": share} | own)
    return pd.DataFrame(accuracies), pd.DataFrame(unlocks)


def ahead(todo: list[Case], fits: Mapping[str, Posterior]) -> list[Ahead]:
    """Return what each hypothesis alone says of what came, of the cuts by scale."""
    logs, found = {name: log_evidence(fit, seed=0) for name, fit in fits.items()}, []
    own = {one: [name for name in fits if get_law(name).told == one] for one in HYPOTHESES}
    alone = {one: weighed({k: fits[k] for k in names}, dict.fromkeys(names, 1.0), 0)
             for one, names in own.items()}  # fmt: skip
    for case in todo:
        task, _, cut = case.name.partition("|")
        if cut == "release":
            continue
        rows = tables()[task]
        levels = tuple(cuts.halfway(rows, share) for share in LEVELS)
        said = [told(case, with_misfit(alone[one][case.name]), levels) for one in HYPOTHESES]
        each = [[bins_of(case, rows, one.unlock[level], level) for level in levels] for one in said]
        left = [i for i, (_, _, came) in enumerate(each[0]) if came > 0]
        logged = [[logs[name][case.name].log for name in own[one]] for one in HYPOTHESES]
        found.append(
            Ahead(
                cuts.family(task),
                np.array([logsumexp(one) - np.log(len(one)) for one in logged]),
                np.exp([one.log_pmf for one in said]),
                np.array([[chances(one[i][1])[one[i][2]] for i in left] for one in each]),
                np.array([[one[i][1][-1] for i in left] for one in each]),
                np.array([np.isfinite(each[0][i][0]) for i in left]),
            )
        )
    return found


# ------------------------------------------------------------------ what is written


def ours(case: Case, which: Mixture, levels) -> dict[str, Told]:
    """Return what the mixture says, by the size of its misfit; and with a drift, as it was."""
    found = {NAME.format(sd): told(case, with_misfit(which, sd), levels) for sd in MISFITS}
    return found | {DRIFT: told(case, which, levels, drifted)}


def main() -> None:
    """Fit, score and write."""
    todo = cases()
    fits = fitted(todo)
    learning = ahead(todo, fits)
    half = hypotheses.half_of(cuts.family(case.task) for case in todo)
    other = [dict(zip(HYPOTHESES, pi, strict=True)) for pi in hypotheses.crossed(learning)]
    priors = {IN_USE: [EQUAL, EQUAL], OTHER: other, BEFORE: [BY_EVIDENCE, BY_EVIDENCE]}
    which = {}
    for name, both in priors.items():
        each = [weighed(fits, shared(fits, own), 0) for own in both]
        which[name] = {case.name: each[half[cuts.family(case.task)]][case.name] for case in todo}
    settled = {k: sum(part.health.verdicts[0].settled for _, part in v) for k, v in fits.items()}

    logs = {name: log_evidence(one, seed=0) for name, one in fits.items()}
    alike = shared(fits, EQUAL)

    def ways(case: Case, levels) -> dict[str, Told]:
        beside = {k: told(case, with_misfit(which[k][case.name]), levels) for k in (OTHER, BEFORE)}
        own = {name: one[case.name].log for name, one in logs.items()}
        for sd in WITHIN:
            mixed, paths = within(case, fits, own, alike, sd)
            curves = lambda one, x, paths=paths: paths[one.law.name](one, x)  # noqa: E731
            beside[INSIDE.format(sd)] = told(case, mixed, levels, curves)
        return ours(case, which[IN_USE][case.name], levels) | beside | of_rivals(case, levels)

    write(todo, settled, hypotheses.learning(learning), *scored(todo, ways))


def write(todo, settled: Mapping[str, int], learnt: list[str], accuracies, unlocks) -> None:
    """Write what was found."""
    product, bare = NAME.format(MISFIT), NAME.format(0.0)
    inside = [INSIDE.format(sd) for sd in WITHIN]
    order = [product, *inside, OTHER, BEFORE, bare, DRIFT, *RIVALS]
    few = _in_order(accuracies, "cut", order)
    scale = _in_order(unlocks, "state", order)
    tried = [NAME.format(sd) for sd in MISFITS] + [*inside, DRIFT]
    sizes, waits = (_in_order(rows, "cut", tried) for rows in (accuracies, unlocks))
    waits = waits[waits.state != PASSED]
    tasks = {case.task for case in todo}
    families = {cuts.family(task) for task in tasks}
    head = HEAD.format(
        tasks=len(tasks),
        families=len(families),
        cuts=len(todo),
        laws=", ".join(f"{law} ({count})" for law, count in settled.items()),
        release=sum(case.name.endswith("|release") for case in todo),
        product=product,
    )
    each = accuracies[accuracies.way == product].set_index("case")
    each = each[["models", "inside90", "above", "below", "width90", "error", "log_score"]]
    common.write(
        "unlocks_ahead",
        "Unlocks ahead of cuts made by design",
        head,
        "## Accuracies beyond the cut\n\n" + ACCURACY_WORDS,
        common.table(means(few, ["cut", "way"], ACCURACY, "inside90"), 3),
        f"Log score gained over `{product}`, nats a model:",
        common.table(against(few, product, "log_score", "cut"), 3),
        "CRPS less that of it (less is better):",
        common.table(against(few, product, "crps", "cut"), 3),
        "## Scales of unlocks\n\n" + UNLOCK_WORDS,
        common.table(all_ahead(scale), 3),
        "By what became of them:",
        common.table(means(scale, ["state", "way"], UNLOCK, "inside90"), 3),
        f"Log score of when a level left to wait for is passed, over `{product}`:",
        common.table(against(scale[scale.state != PASSED], product, "score", "cut"), 3),
        "Whether it is passed by the last model, by the probability told:",
        common.table(crossings(scale), 3),
        "## The prior of the hypotheses",
        *learnt,
        "## Sizes of the misfit that were tried\n\n" + TRIED_WORDS,
        "Accuracies, nats a model gained over none:",
        common.table(halves(sizes, bare, "log_score"), 3),
        "Scales left to wait for, nats a level gained over none:",
        common.table(halves(waits, bare, "score"), 3),
        common.table(crossings(waits), 3),
        f"## Every case\n\n`{product}`.",
        common.table(each.reset_index(), 3),
    )


def _in_order(rows: pd.DataFrame, by: str, names: list[str]) -> pd.DataFrame:
    """Return the rows of some forecasters, in their order within each part."""
    own = rows[rows.way.isin(names)]
    place = [own.way.map(names.index), own[by].map({k: i for i, k in enumerate(PARTS)})]
    return own.assign(_way=place[0], _part=place[1]).sort_values(["_part", "_way"], kind="stable")


PARTS = (*(f"q{share:g}" for share in SHARES), "release", UNLOCKS, STAYS, PASSED)
RIVALS = ("logistic", "stays", "GP on the logit")
MISFITS = (0.0, 0.05, 0.1, 0.2, 0.4)
WITHIN = (0.1, 0.2)
NAME, DRIFT = "ours, misfit {:g}", "ours, drift 1"
INSIDE = "ours, misfit {:g} that the data know of"
IN_USE, OTHER = "prior in use", "ours, prior learnt from the other half"
BEFORE = "ours, prior by evidence (before)"
HEAD = (
    "{tasks} open tasks of {families} families, {cuts} cuts: at the median and the .75 quantile of "
    "scale, and {release} by release: models of families that came out before "
    f"{DAY} are fitted, later ones held out, whatever their scale (months by hand, "
    "`RELEASED`; other tables have none). Laws, and how many of their fits are settled: {laws}, "
    "weighed as `forecast` does, which has two more of a rise. 2 chains of 400 "
    "draws and no second tries, fewer than the product takes: all fits count. Rivals see the same "
    "rows (`rivals.py`). Means over families, each counting once. "
    "In use is `{product}`."
)
ACCURACY_WORDS = (
    "Share of later accuracies inside 50 and 90 % intervals, above and below the latter, their "
    "width, the median's mean error (below 0: too low), CRPS, and log probability of the count."
)
UNLOCK_WORDS = (
    "Levels a quarter and half of the way from chance to 1; cuts by scale alone. Truth: from where "
    "on the median of the next bin's worth of models stays above, as labels have it; what no model "
    "passes is censored at the last one. sooner, later: below and above 90 % intervals, never and "
    "already counted, their places drawn evenly. score: log probability of the bin (already, "
    "within .25, .5, 1 decades, later, by no model). `stays` are levels that no model passes; if "
    "one is passed below the cut the bin of the truth reaches beyond it, and a drift's jump counts "
    "as at the cut.\n\n"
    "All levels left to wait for. Of those that came alone nearly all misses are sooner, whatever "
    "is told: what comes later than told is not among them. So beside how many came sooner stands "
    "how many would have, were all told rightly, and how many 90 % intervals of when, given that "
    "it comes within reach, hold."
)
TRIED_WORDS = """\
sd of the half-normal size of the slope of the log odds, an e-fold (`with_misfit`), and the
drift that was before: log x off by a normal number beyond the data, from the first model on.
The size was chosen on the first half of the families by the log score of accuracies; the second
confirms. Not in use: a misfit that the data know of, within them and ahead, its slope at the edge
what they leave of it (`within.py`).

Other forms, tried before on parts of the cuts, gained over none in nats a model: between floor
and ceiling of the law, sizes .2, .4, .8 and 1.6 (11 cuts, sigmoid and flat): -.002, -.005,
-.008, -.015; log x bent in place of the log odds, the same: 0, -.003, -.007, -.012. With all
three laws on 34 cuts, first and second half of the families: as taken, of size .1, .054 +- .047
and .011 +- .021; flat free to fall too, .033 +- .052 and .001 +- .019; slopes that are off at
the edge already, .055 +- .062 and -.002 +- .028; slopes forgotten over 2 and 8 e-folds, not 4,
of size .2, .045 +- .068 and -.016 +- .032, .055 +- .060 and .000 +- .027 (4: .050 +- .065,
-.009 +- .031). None is told from another."""
