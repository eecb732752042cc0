"""Which kind each open task has, by a rule fixed before any law is fitted.

Performance s is accuracy, 1 - Brier score, 1 - error or -loss; scale is taken in log10.

1. Levels. Tables of many models: 6 to 8 bins of equal count along the log scale (rows // 8 of
   them, rows of equal scale together); a level is the bin's median, its standard error
   1.2533 sd / sqrt(m), where sd is from successive differences in the bin (so that the trend
   inside a bin is no noise) and no less than the binomial one. Curves of one recipe: a level per
   scale; its standard error is binomial, or the published one, or the spread of the table's
   repeated runs, or else comes from how far levels lie from the line between their neighbours.
2. Cut. 0.05 for accuracy, error and Brier score; 5 % of the median level for a loss.
3. A difference between two levels counts if it is above the cut and above z standard errors,
   z = Tukey's 5 % point for the largest of all pairs (about 3 for 8 bins, 2.6 for 4 points).
   The fall F is the largest drop, and the rise R the largest gain, from one level to a later,
   among those that count where any does.
4. Neither counts: flat. Only the fall: inverse. Both: u_shaped if a counted rise follows the
   bottom of the largest fall, else inverted_u.
5. Only the rise: emergent if it waits for a third of the log range, else steady. The wait is
   that of the product, `bayescale.questions.kinds.waited`, of the levels joined by lines: with
   t1 and t2 the shares of the range before they are a = min(cut, D/2) and 2 a away from the
   first, D being the farthest they go (up where the rise is larger), it is 2 t1 - t2, or 0:
   for a curve that is level and then straight the level share.
6. Unlock. The published threshold where the table has one. Else, for emergent and steady tasks
   with FLOP as scale and R >= 0.1: the smallest scale from which on the median of the next
   bin's worth of rows stays above halfway between chance (the first level, where the
   table states no chance that holds) and the highest level; none if that is the smallest scale.

Rows without a finite positive scale and a finite value are left out, as are curves of fewer
than three different scales (five for datablations_final); both are counted.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import studentized_range

from bayescale.questions.kinds import CUT, KINDS, WAIT, coded, waited

from .. import common
from ..common import data_dir

COLUMNS = ["table", "task", "metric", "rows", "published", "label", "source", "start", "end"]
COLUMNS += ["fall", "rise", "wait", "range_decades", "unlock_flops", "threshold_source"]
PUBLISHED = {"Emergence": "emergent", "No Emergence": "steady"}
MEDIAN = np.sqrt(np.pi / 2)  # standard error of a median over that of a mean


@cache
def critical(levels: int, freedom: float) -> float:
    """Return Tukey's 5 % point for the largest of all differences, in standard errors."""
    return float(studentized_range.ppf(0.95, levels, freedom) / np.sqrt(2))


def binomial_error(p, n):
    """Return the standard error of a share, kept off 0 by one success and one failure."""
    p = (p * n + 1) / (n + 2)
    return np.sqrt(p * (1 - p) / n)


def bins(curve: pd.DataFrame) -> pd.DataFrame:
    """Return medians and standard errors in bins of equal count; ties share a bin."""
    curve = curve.sort_values("x", kind="stable")
    count = int(np.clip(len(curve) // 8, 6, 8))
    place = ((curve.x.rank() - 0.5) / len(curve) * count).astype(int).to_numpy()
    found = curve.groupby(place).agg(
        x=("x", "median"), s=("s", "median"), n=("n", "median"), m=("s", "size")
    )
    steps = curve.s.groupby(place).diff()
    sd = np.sqrt((steps**2).groupby(place).mean() / 2)
    floor = binomial_error(found.s, found.n).fillna(0)
    found["se"] = MEDIAN * np.fmax(sd, floor) / np.sqrt(found.m)
    return found.reset_index(drop=True)


def points(curve: pd.DataFrame) -> pd.DataFrame:
    """Return one level per scale, with the known standard error or one from its neighbours."""
    found = curve.groupby("x").agg(s=("s", "median"), se=("se", "max")).reset_index()
    if found.se.isna().any():
        x, s = found.x.to_numpy(), found.s.to_numpy()
        w = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
        off = (s[1:-1] - (1 - w) * s[:-2] - w * s[2:]) / np.sqrt(1 + w**2 + (1 - w) ** 2)
        found["se"] = np.median(np.abs(off)) / 0.6745
    return found


def levels(curve: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Return the smoothed levels (x, s, se) and the z above which a difference counts."""
    if not curve.sweep.iloc[0]:
        found = bins(curve)
        return found, critical(len(found), len(curve) - len(found))
    found = points(curve)
    freedom = np.inf if curve.se.notna().all() else len(found) - 2
    return found, critical(len(found), freedom)


def largest(found: pd.DataFrame, sign: int, cut: float, z: float, start: int = 0):
    """Return the largest rise (sign 1) or fall (-1), where it ends, and whether one counts."""
    s, se = sign * found.s.to_numpy()[start:], found.se.to_numpy()[start:]
    gap = np.triu(s[None, :] - s[:, None], 1)
    sure = gap > np.maximum(cut, z * np.hypot(se[None, :], se[:, None]))
    counted = bool(sure.any())
    gap = np.where(sure, gap, 0) if counted else gap
    end = np.unravel_index(np.argmax(gap), gap.shape)[1]
    return float(gap.max()), int(end) + start, counted


def waiting(found: pd.DataFrame, cut: float) -> float:
    """Return the share of the log range that the levels wait at their start."""
    x, s = found.x.to_numpy(), found.s.to_numpy()
    return float(waited(s[None], cut, (x - x[0]) / np.ptp(x))[0])


def classify(curve: pd.DataFrame, loss: bool = False) -> dict:
    """Return the rule's label and its figures for one curve (log scale x, performance s).

    Further columns: n questions of a share, se standard error of s (nan: unknown), and sweep,
    whether it is one recipe's curve, which needs no bins.
    """
    found, z = levels(curve)
    cut = CUT * (abs(curve.s.median()) if loss else 1)
    fall, bottom, falls = largest(found, -1, cut, z)
    rise, _, rises = largest(found, 1, cut, z)
    wait = waiting(found, cut) if rises and not falls else np.nan
    again = falls and largest(found, 1, cut, z, bottom)[2]
    said = (np.array([each]) for each in (rises, falls, wait >= WAIT, again))
    label = KINDS[coded(*said)[0]]
    figures = {"label": label, "start": found.s[0], "end": found.s.iloc[-1], "fall": fall}
    return figures | {"rise": rise, "wait": wait, "top": found.s.max(), "bins": len(found)}


def unlock(curve: pd.DataFrame, base: float, top: float, size: int) -> float:
    """Return the scale from which on the next `size` rows' median stays above halfway."""
    curve = curve.sort_values("x", kind="stable")
    x, s = curve.x.to_numpy(), curve.s.to_numpy()
    starts = np.unique(x[: len(x) - size + 1])
    ahead = [np.median(s[x >= at][:size]) for at in starts]
    below = np.flatnonzero(np.array(ahead) <= (base + top) / 2)
    if not len(below) or below[-1] + 1 == len(starts):
        return np.nan
    return float(10 ** starts[below[-1] + 1])


def row(name: str, task: str, metric: str, curve: pd.DataFrame) -> dict:
    """Return one row of the table, with the rule's own label under "rule"."""
    found = classify(curve, loss="loss" in metric.lower())
    published, threshold = curve.published.iloc[0], curve.threshold.iloc[0]
    at, source = np.nan, ""
    if np.isfinite(threshold):
        at, source = threshold, "published"
    elif curve.flop.all() and found["label"] in ("emergent", "steady") and found["rise"] >= 0.1:
        chance = curve.chance.iloc[0]
        base = chance if np.isfinite(chance) else found["start"]
        at = unlock(curve, base, found["top"], round(len(curve) / found["bins"]))
        source = "natural" if np.isfinite(at) else ""
    return found | {
        "table": name,
        "task": task,
        "metric": metric,
        "rows": len(curve),
        "published": published,
        "rule": found["label"],
        "label": published or found["label"],
        "source": "published" if published else "rule",
        "range_decades": curve.x.max() - curve.x.min(),
        "unlock_flops": at,
        "threshold_source": source,
    }


def frame(task, metric, scale, s, **more) -> pd.DataFrame:
    """Return rows in the shape that `row` reads; what is not given is unknown."""
    rest = {"n": np.nan, "se": np.nan, "chance": np.nan, "threshold": np.nan}
    rest |= {"published": "", "flop": False, "sweep": False, "least": 3}
    columns = {"task": task, "metric": metric, "scale": scale, "s": s}
    return pd.DataFrame(columns | rest | more)


def overall(d: pd.DataFrame) -> pd.DataFrame:
    """Wu and Lo 2025: their label holds for accuracy, their threshold for both metrics."""
    both = {"threshold": d.published_threshold_flops_1e21 * 1e21, "flop": True}
    kind = d.published_type.map(PUBLISHED)
    acc = {"n": d.n_questions, "chance": d.chance, "published": kind}
    scale = d.flops_1e21 * 1e21
    return pd.concat(
        [
            frame(d.task, "acc", scale, d.acc, **acc, **both),
            frame(d.task, "brier", scale, 1 - d.brier, **both),
        ]
    )


def groups(d: pd.DataFrame) -> pd.DataFrame:
    """The same by difficulty; groups were made from outcomes, so that no chance holds."""
    accuracy = d.metric == "acc"
    return frame(
        d.task + "/" + d.difficulty_group.astype(str),
        d.metric,
        d.flops_1e21 * 1e21,
        d.value.where(accuracy, 1 - d.value),
        n=d.n_questions.where(accuracy),
        flop=True,
    )


def emergent(d: pd.DataFrame) -> pd.DataFrame:
    """Ruan et al. 2024: four tasks said to emerge."""
    scale = d.flops_1e21 * 1e21
    return frame(d.task, d.metric, scale, d.value, n=d.n_examples, chance=d.chance, flop=True)


def gsm8k(d: pd.DataFrame) -> pd.DataFrame:
    """Ruan et al. 2024: ten variants of a task with free answers, hence chance 0."""
    scale = d.flops_1e21 * 1e21
    return frame(d.task, "acc", scale, d.value, n=d.n_examples, chance=0.0, flop=True)


def downstream(d: pd.DataFrame) -> pd.DataFrame:
    """Gadre et al. 2024: tasks over three training sets together."""
    return frame(d.task, "acc", d.flops, d.accuracy, n=d.n_examples, chance=d.chance, flop=True)


def prize(d: pd.DataFrame) -> pd.DataFrame:
    """The inverse-scaling prize's pilot: accuracy if three sizes have it, else loss."""
    task = d.experiment + "/" + d.family
    accuracy = d.accuracy.groupby(task).transform("count") >= 3
    known = binomial_error(d.accuracy, d.n_scored)
    return frame(
        task,
        np.where(accuracy, "acc", "loss"),
        d.params,
        d.accuracy.where(accuracy, -d.mean_loss),
        se=known.where(accuracy, d.se_loss),
        sweep=True,
    )


def repeated(d: pd.DataFrame) -> pd.DataFrame:
    """Muennighoff et al. 2023: loss against epochs at fixed parameters and unique tokens."""
    curve = [f"N={n:.4g} U={u:.4g}" for n, u in zip(d.params, d.unique_tokens, strict=True)]
    log = np.log(d.val_loss).groupby([d.params, d.unique_tokens, d.tokens])
    spread = np.sqrt(log.var().dropna().mul(log.size() - 1).sum() / (log.size() - 1).sum())
    known = spread * d.val_loss
    return frame(curve, "val_loss", d.epochs, -d.val_loss, se=known, sweep=True, least=5)


def double(d: pd.DataFrame) -> pd.DataFrame:
    """Nakkiran et al. 2019: error or loss against width or sample size."""
    error = d.y_name == "Test Error"
    return frame(d.curve, d.y_name, d.x, (1 - d.y).where(error, -d.y), sweep=True)


TABLES = {
    "expemergence_overall": overall,
    "expemergence_difficulty_groups": groups,
    "obsscaling_emergent": emergent,
    "obsscaling_post_training_gsm8k": gsm8k,
    "gadre_downstream": downstream,
    "inverse_scaling_pipeline": prize,
    "datablations_final": repeated,
    "double_descent": double,
}


def curves(name: str) -> tuple[dict, dict]:
    """Return a table's curves by (task, metric), and what was left out."""
    d = TABLES[name](pd.read_csv(data_dir() / f"{name}.csv"))
    good = np.isfinite(d.scale) & (d.scale > 0) & np.isfinite(d.s)
    kept = d[good].assign(x=lambda k: np.log10(k.scale))
    every = dict(iter(kept.groupby(["task", "metric"])))
    long = {key: c for key, c in every.items() if c.scale.nunique() >= c.least.iloc[0]}
    short = d.groupby(["task", "metric"]).ngroups - len(long)
    return long, {"table": name, "rows left out": int((~good).sum()), "short curves": short}


def labelled() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every task's row, the rule's own label among them, and what was left out."""
    rows, left = [], []
    for name in TABLES:
        found, missing = curves(name)
        rows += [row(name, *key, curve) for key, curve in found.items()]
        left.append(missing)
    return pd.DataFrame(rows), pd.DataFrame(left)


def table() -> pd.DataFrame:
    """Return one row per task with its label."""
    return labelled()[0][COLUMNS]


def main() -> None:
    """Label every task and write the table."""
    full, left = labelled()
    found = full[COLUMNS]
    common.RESULTS.mkdir(exist_ok=True)
    found.to_csv(common.RESULTS / "labels.csv", index=False, float_format="%.6g")
    counts = pd.crosstab(full.table, full.label).reindex(columns=list(KINDS), fill_value=0)
    both = full[full.source == "published"][["task", "published", "rule", "rise", "wait"]]
    common.write(
        "labels",
        "Which kind each open task has",
        "## Rule\n\n" + __doc__.split("\n", 2)[2].strip(),
        "## Counts\n\n" + common.table(counts),
        common.table(left),
        "## Published labels beside the rule's\n\n" + common.table(both),
        "## Labels\n\n" + common.table(found.astype(object).where(found.notna(), "")),
    )
