"""dependent: rows that look as if several were of one run, and the column that would say so.

Checkpoints are told by how they lie: at even steps along a column of steps or tokens, or closer
together than anybody trains runs to their end, all else the same. Runs that were each trained to
their own number of tokens lie at a few, at growing distances. Repeated evaluations are told by a
column whose values have several rows at one scale each. Seeds are runs of their own: independent,
also where they measure the same. Families in one table are told by a column of labels by which
responses differ.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..messages import Note, option
from .dataset import LABELS, Dataset
from .table import Table

__all__ = ["codes", "dependent", "settled"]

STEPS = re.compile(r"token|step|iter|samples_seen|seen_examples|epoch|images_seen", re.I)
SETTINGS = re.compile(
    r"(^|/)((peak|max|base|min)_)?(lr|learning_rate)(_peak|_max)?$"
    r"|(^|/)((global|micro|total)_)?(bsz|batch|batch_size)$|(^|/)(weight_decay|wd|warmup\w*)$",
    re.I,
)
NAMED = re.compile(r"(^|_)(run|model|checkpoint|ckpt)(_?(id|name))?$", re.I)
FEW, MANY = 5, 30
"""Rows of a run from which even steps tell checkpoints, and close ones do."""
EVEN, HALF, SEVERAL, NEAR = 0.7, 0.5, 12, 0.1
"""Share of a run's steps that are alike (half of several: many begin with doubled steps), and the
distance in log scale of close rows."""
MOST = 0.5
"""Share of the rows that must look so before anything is said."""
OF_A_FAMILY, UNLIKE = 3, 0.6
"""Rows, at as many scales, of each label of a family; and the share of the scatter about one trend
that is left about one with a level of each family, below which families are told."""
REPEATED = 3
"""Rows at one scale, on average, from which repeats are looked at."""


def dependent(data: Dataset, table: Table) -> list[Note]:
    """Return what should be said of rows that may be of one run; nothing where runs are named."""
    if data.run is not None or len(data) < FEW:
        return []
    labels = [each for each in (data.curve, data.group) if each is not None]
    within = codes(labels, len(data))
    own = _marching(data, table, within) or _repeated(data, table, within)
    return own or ([] if labels else _unlike(data, table))


def codes(columns: list[np.ndarray], rows: int) -> np.ndarray:
    """Return a number of each distinct row of several columns; 0 of none."""
    found = np.zeros(rows, int)
    for each in columns:
        code = np.unique(each.astype(str) if each.dtype == object else each, return_inverse=True)[1]
        found = np.unique(found * (code.max() + 1) + code.ravel(), return_inverse=True)[1].ravel()
    return found


def _marching(data: Dataset, table: Table, within: np.ndarray) -> list[Note]:
    """Say that rows lie as checkpoints do, and which column names their runs."""
    for role, x in data.inputs.items():
        if not STEPS.search(f"{role} {data.columns[role]}"):
            continue
        others = [within, *(v for k, v in data.inputs.items() if k != role)]
        same = codes(others, len(data))
        found = [(_share(same, x), "", same)]
        for name, code in _labels(data, table, role, FEW):
            code = codes([within, code], len(data))
            # What mixes scales is no run.
            whole = codes([same, code], len(data)).max() == code.max()
            once = codes([code, x], len(data)).max() + 1 >= MOST * len(data)
            if whole and once:  # a run is at each of its steps once
                found.append((_share(code, x), name, code))
        share = max(each[0] for each in found)
        if share < MOST:
            continue
        named = [each for each in found if each[1] and each[0] >= 0.9 * share]
        single = data.curve is not None and within.max() == same.max()
        single &= codes([within, x], len(data)).max() + 1 >= MOST * len(data)
        named.sort(key=lambda each: (not NAMED.search(each[1]), -each[2].max()))
        code = (named or found)[0][2]
        size = int(np.median(np.bincount(code)))
        if single and found[0][0] >= 0.9 * share:
            remedy = "each curve is one: run=, as curve= (--run, as --curve)"
        else:
            remedy = option("run", named[0][1] if named else "COLUMN")
        text = (
            f"rows lie along {data.columns[role]} as checkpoints of a run do (about {size} each): "
            "such rows are not independent, and intervals that take them so are too narrow; name "
            f"the runs: {remedy}. Runs that were each trained to their end, and seeds, are "
            "independent and need none, nor does a forecast of what a run goes on to"
        )
        return [Note("checkpoints", text)]
    return []


def _labels(data: Dataset, table: Table, role: str, least: int) -> list[tuple[str, np.ndarray]]:
    """Return the columns that could name runs of so many rows, with a number of each value."""
    found = []
    for name in table.known:
        if name == data.columns[role] or name in [data.columns[k] for k in data.responses]:
            continue
        cells = table.texts(name)
        if len(cells) != len(data) or any(each is None for each in cells):
            continue
        code = np.unique(cells.astype(str), return_inverse=True)[1].ravel()
        if (code.max() + 1) * least <= len(data):
            found.append((name, code))
    return found


def _share(code: np.ndarray, x: np.ndarray) -> float:
    """Return the share of rows in groups that lie at even or at close steps of x."""
    order = np.lexsort((x, code))
    code, x = code[order], x[order]
    total, starts = 0, np.r_[np.flatnonzero(np.diff(code, prepend=-1)), len(x)]
    for first, end in pairwise(starts):
        at = np.unique(x[first:end])
        step = np.diff(at)
        if len(at) < FEW:
            continue
        alike = np.mean(abs(step / np.median(step) - 1) < 0.05)
        even = alike >= (EVEN if len(at) < SEVERAL else HALF)
        close = len(at) >= MANY and np.median(np.diff(np.log(at))) < NEAR
        total += (end - first) * bool(even or close)
    return total / len(x)


def _repeated(data: Dataset, table: Table, within: np.ndarray) -> list[Note]:
    """Say that one scale has many rows: settings of a sweep, or evaluations of one model."""
    scale = codes([within, *data.inputs.values()], len(data))
    if len(data) < REPEATED * (scale.max() + 1):
        return []
    many = f"{len(data)} rows lie at {scale.max() + 1} scales"
    settings = [
        name for name in table.known if SETTINGS.search(name) and _differs(table.texts(name), scale)
    ]
    if settings:
        best = f"best={settings} (--best {','.join(settings)!r})"
        noise = option("noise", "frontier")
        text = (
            f"{many} and differ in {', '.join(settings)}: the law of all runs is not that of the "
            f"best ones; keep these ({best}), or fit the lower envelope of all ({noise})"
        )
        return [Note("sweep", text)]
    for name, code in _labels(data, table, next(iter(data.inputs)), REPEATED):
        each = np.unique(codes([scale, code], len(data))).size
        finer = each == code.max() + 1 > scale.max() + 1
        if finer and len(data) >= REPEATED * each:
            text = (
                f"{many}, several of each {name}: evaluations of one model are not independent; "
                f"name the runs: {option('run', name)}. Seeds are runs of their own"
            )
            return [Note("repeats", text)]
    return []


def _unlike(data: Dataset, table: Table) -> list[Note]:
    """Say that responses differ by a column of labels that is not used: families in one table."""
    if len(data.responses) > 1:
        return []
    ((role, y),) = data.responses.items()
    y = np.log(y) if np.all(y > 0) else y
    logs = [np.log(x) for x in data.inputs.values()]
    pairs = [a * b for i, a in enumerate(logs) for b in logs[i:]]
    trend = np.column_stack([np.ones(len(y)), *logs, *pairs])
    scale = codes([*data.inputs.values()], len(data))
    for name, code in _labels(data, table, next(iter(data.inputs)), OF_A_FAMILY):
        cells = table.column(name)
        several = code.max() > 0 and all(isinstance(cell, str) for cell in cells.tolist())
        scales = np.bincount(np.unique(np.column_stack([code, scale]), axis=0)[:, 0])
        if not several or scales.min() < OF_A_FAMILY or len(y) < trend.shape[1] + 2 * len(scales):
            continue
        apart = np.column_stack([trend, code[:, None] == np.arange(1, len(scales))])
        one, own = _scatter(trend, y), _scatter(apart, y)
        if own < UNLIKE * one:
            what = role if role != "y" else data.columns[role]
            text = (
                f"{what} differs by {name}, of {len(scales)} labels, which is not used: about one "
                f"trend rows scatter {one / own:.2g} times as far as about one with levels of "
                f"their own; fit each apart, {option('curve', name)}, or pool them, "
                f"{option('group', name)}"
            )
            return [Note("families", text)]
    return []


def _scatter(design: np.ndarray, y: np.ndarray) -> float:
    """Return the sd of what a linear fit leaves, for its degrees of freedom."""
    design = design / np.maximum(np.abs(design).max(axis=0), 1e-300)
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(np.sqrt(np.sum(left**2) / (len(y) - design.shape[1]))) + 1e-12


def _differs(cells: np.ndarray, scale: np.ndarray) -> bool:
    """Return whether a setting takes several values where most rows are."""
    code = np.unique(cells.astype(str), return_inverse=True)[1].ravel()
    pairs = np.unique(np.column_stack([scale, code]), axis=0)
    return bool(np.mean(np.bincount(pairs[:, 0])[scale] > 1) >= MOST)


# ------------------------------------------------------------------ rows that repeat

SEED = re.compile(r"(^|[^a-z])(seed|replicate|trial)s?($|[^a-z])", re.I)


def settled(data: Dataset, duplicates: str, table: Table) -> Dataset:
    """Return the rows without copies, with them, or refuse them, as `duplicates` says.

    Rows that differ in a column of seeds are no copies.
    """
    roles = data.roles().items()
    columns = [codes([v], len(data)) if role in LABELS else v for role, v in roles]
    # A missing response must equal a missing response; no value is ever infinite.
    matrix = np.nan_to_num(np.column_stack(columns), nan=-np.inf)
    _, first, inverse = np.unique(matrix, axis=0, return_index=True, return_inverse=True)
    original = first[inverse.ravel()]
    copies = np.flatnonzero(original != np.arange(len(data)))
    if not len(copies):
        return data
    count = f"{len(copies)} of {len(data)} rows repeat an earlier row in all columns used"
    apart = _apart(data, table, original[copies], copies)
    seeds = [name for name in apart if SEED.search(name)]
    if duplicates == "error" and not seeds:
        pair = f"first: rows {data.rows[original[copies[0]]]} and {data.rows[copies[0]]}"
        pair += f", which differ in {', '.join(apart[:3])}" * bool(apart)
        drop, keep = (f"duplicates='{d}' (--duplicates {d})" for d in ("drop", "keep"))
        remedy = f"if they are copies, {drop}; if independent measurements, {keep}"
        data.fail(f"{count} ({pair})", remedy=remedy)
    if duplicates != "drop":
        why = f", as they differ in {seeds[0]}" if duplicates == "error" else ""
        note = Note("repeats", f"{count}; kept as independent measurements{why}")
        return replace(data, notes=(*data.notes, note))
    kept = data.take(np.unique(original))
    return replace(kept, notes=(*data.notes, Note("repeats", f"{count}; dropped")))


def _apart(data: Dataset, table: Table, one: np.ndarray, other: np.ndarray) -> list[str]:
    """Return the columns of a table in which each of some rows differs from another."""
    place = {row: at for at, row in enumerate(table.rows.tolist())}
    pairs = [[place[row] for row in data.rows[rows].tolist()] for rows in (one, other)]
    found = []
    for name in table.known:
        cells = table.texts(name)
        if all(cells[a] != cells[b] for a, b in zip(*pairs, strict=True)):
            found.append(name)
    return found
