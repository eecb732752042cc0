"""outliers: rows that lie far from what all others say of them, and are set aside.

A run that diverged, or was logged wrong, widens the noise of all and bends the misfit of the law.
A law is fitted to all rows at its mode under Student's noise, which such rows hardly move. What the
rest lies off, r of the log, is smoothed by the law's misfit (`approximate`) of one rate q, again
with Student's weights w; with S = q^2 B B^T + s^2/w what all others leave of row i is

    d_i = [S^-1 r]_i / [S^-1]_ii,   of variance v_i = 1/[S^-1]_ii - s^2/w_i + s^2

(Rasmussen and Williams 2006, eq. 5.12), s by the median of |d/sqrt(v)|, q the one of a few that
foretells each row best from the others. Rows are set aside where d/sqrt(v) is beyond what chance
allows any of n rows (Bonferroni).

What came will come again: of k rows set aside among a curve's n, a new run is one of them with

    P = (k + 1/2) / (n + 10)

and lies off by the d of one of the k: the mean of the share under Beta(1/2, 19/2) before the rows,
which weighs as Jeffreys' prior does at 0 and has its mean, .05, in the middle of what may be set
aside, 0 to .1. Where no row is set aside nothing is told to come: over tables of 12 to 80 rows of
which 1 in 50 is far off, a new run is then told to be so 1.5 to 2.2 times in 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.dataset import Dataset
from ..inference.fit import fit
from ..inference.samplers import MAP
from ..laws.approximate import approximate
from ..messages import Note, option
from ..parametric.parametric import Law
from ..questions.predict import Prediction

__all__ = ["OUTLIERS", "FarOff", "SetAside", "come_again", "set_aside"]

OUTLIERS = "outliers"
"""Kind of the note that names rows set aside."""
CHANCE = 0.01
"""Of a table of sound rows that any one is set aside."""
MOST = 0.1
"""Share of a curve's rows that may be: if more lie far off, that is how its runs scatter."""
LEAST = 10
"""Rows of a curve below which none is; of `FEW` or more one far off is named all the same."""
FEW = 5
PLAIN_TO_SEE = 0.1
"""Relative deviation below which none of so few is named."""
FINEST = 1e-6
"""Least relative noise: rows may lie on a law exactly."""
SMALL = 1e-3
"""Relative deviation below which none is."""
RATES = (0.0, 0.003, 0.01, 0.03, 0.1)
"""Rates of the misfit among which one is taken; of several scales ten times as much."""
FREEDOM = 4.0
"""Of Student's weights."""
ROUNDS = 15
EFFICIENCY = 0.37
"""Of the median deviation: its scale is known as if from so much of the rows."""
MODE = MAP(starts=16)
BEFORE = (0.5, 0.5 / (MOST / 2))
"""Rows far off, and all rows, that the prior of their share counts as: its mean is MOST / 2."""


@dataclass(frozen=True, eq=False)
class FarOff:
    """The rows of one curve that lie far from all others."""

    off: np.ndarray
    """What the log of each is off what all others leave of it, (row,)."""
    rows: int
    """How many rows the curve has, these among them."""
    number: int = 0
    """The place of the curve in its table."""

    @property
    def share(self) -> float:
        """The probability that a new run is one of them, P."""
        return (len(self.off) + BEFORE[0]) / (self.rows + BEFORE[1])


@dataclass(frozen=True, eq=False)
class SetAside:
    """A table without the rows that lie far from all others, and what these were."""

    data: Dataset
    """The rows that stay; the table itself where all do."""
    far: Mapping[str | None, FarOff]
    """By curve that has any, under None where there are no curves."""


def set_aside(law: Law, data: Dataset) -> SetAside:
    """Return the table without the rows that lie far from all others; a note names them.

    Parameters
    ----------
    law
        A law of one positive response, without its misfit.
    data
        Runs of one response, of one or several curves.

    Returns
    -------
    SetAside
        The same table where no row is set aside. The row of the largest scale (the product of
        several) never is: what comes may begin there.
    """
    (y,) = data.responses.values()
    known = ~data.below  # what lies below a limit is off by nothing that is known
    names = data.curve_names or (None,)
    rows = {name: np.flatnonzero(known & data.of_curve(name)) for name in names}
    if all(len(own) < LEAST for own in rows.values()):
        named = _named(data, rows)
        return SetAside(replace(data, notes=(*data.notes, *named)) if named else data, {})
    posterior = fit(law, data, noise="student", sampler=MODE, progress=False)
    off = np.zeros(len(y))
    for name, own in rows.items():
        mode = posterior if name is None else posterior.curve(name)
        if len(own) >= LEAST:
            params = {key: value[0] for key, value in mode.flat().items()}
            off[own] = _off(law, params, data.take(own))
    if not off.any():
        return SetAside(data, {})
    parts = {name: off[own] for name, own in rows.items()}
    far = {
        name: FarOff(one[one != 0], len(one), i)
        for i, (name, one) in enumerate(parts.items())
        if one.any()
    }
    notes = (*data.notes, _note(data, y, off, [one.share for one in far.values()]))
    return SetAside(replace(data.take(off == 0), notes=notes), far)


def _named(data: Dataset, rows: Mapping[str | None, np.ndarray]) -> list[Note]:
    """Name the row of a short curve that lies off a straight line in logs as no other does.

    By its deleted residual, studentised by the scatter of the others (Belsley, Kuh and Welsch
    1980, section 2.1). Of several scales, and of the largest, nothing is said.
    """
    from scipy.stats import t

    (y,), (x, *more) = data.responses.values(), data.inputs.values()
    notes = []
    for own in rows.values():
        if len(own) < FEW or more or not (y[own] > 0).all():
            continue
        at, log = np.log(x[own]), np.log(y[own])
        line = np.vstack([np.ones(len(own)), at - at.mean()]).T
        hat = line @ np.linalg.pinv(line)
        off = (log - hat @ log) / np.maximum(1 - np.diag(hat), 1e-9)  # of what the others say
        free = len(own) - 3
        left = np.sum((log - hat @ log) ** 2) - off**2 * (1 - np.diag(hat))
        sd = np.sqrt(np.maximum(left, 0) / free / np.maximum(1 - np.diag(hat), 1e-9))
        far = t.sf(abs(off) / np.maximum(sd, FINEST), free) * 2 < CHANCE / len(own)
        far &= (abs(off) > PLAIN_TO_SEE) & (at < at.max())
        if far.any():
            i = int(np.argmax(np.where(far, abs(off), 0)))
            notes.append(_name(data, int(own[i]), float(off[i])))
    return notes


def _name(data: Dataset, row: int, off: float) -> Note:
    ((role, y),) = data.responses.items()
    said = f"row {data.rows[row]} ({y[row]:.4g}) is {np.exp(off):.2g} times what all others say"
    more = "which widens the forecast: if it diverged or was logged wrong, leave it out"
    side = f"{data.columns[role]} {'<' if off > 0 else '>'} ..."
    return Note(OUTLIERS, f"{said}, {more}: {option('where', side)}")


def come_again(told: Prediction, far: FarOff | None, seed: int) -> Prediction:
    """Return what is told of a curve, with its new runs as often far off as its rows let expect.

    Parameters
    ----------
    far
        Of the curve's rows; None where none was set aside, and `told` is returned as it is.
    seed
        Decides which draws lie off, and by how much.
    """
    if far is None:
        return told
    rng = np.random.default_rng([seed, 19, far.number])
    first = np.arange(len(told.new)) < round(far.share * len(told.new))
    # So many of each point's draws, no more by chance: near .05 that would decide an interval.
    some = rng.permuted(np.broadcast_to(first[:, None], told.new.shape), axis=0)
    off = np.where(some, rng.choice(far.off, told.new.shape), 0.0)
    return replace(told, new=told.new * np.exp(off))


def _off(law: Law, params: Mapping[str, Any], data: Dataset) -> np.ndarray:
    """Return by how much of its log each row to be set aside is off, 0 of all others, (row,)."""
    from scipy.stats import t

    inputs = [data.inputs[name] for name in law.inputs]
    (y,) = data.responses.values()
    more = (0, max(16, 1 << (len(y) - 1).bit_length()) - len(y))  # few lengths, few programs
    with jax.enable_x64(True):
        columns = [jnp.asarray(np.pad(x, more, mode="edge")) for x in inputs]
        mean = law.fn(*columns, **{name: params[name] for name in law.parameters})
        mean, basis = np.asarray(mean)[: len(y)], _basis(law, columns, params)[: len(y)]
    own = 0.0 if data.stderr is None else data.stderr / y
    share = 1 if len(inputs) == 1 else 10
    tries = [_smoothed(np.log(y / mean), share * rate * basis, own) for rate in RATES]
    off, sd, _ = max(tries, key=lambda each: each[2])
    free = max(EFFICIENCY * (len(y) - len(law.parameters)), 1)
    chance = 2 * t.sf(abs(off) / sd, free)
    far = (chance < CHANCE / len(y)) & (abs(off) > SMALL)
    far[np.argmax(np.sum([np.log(x) for x in inputs], 0))] = False
    allowed = np.argsort(chance)[: int(MOST * len(y))]
    return np.where(far & np.isin(np.arange(len(y)), allowed), off, 0.0)


def _basis(law: Law, columns: list[Any], params: Mapping[str, Any]) -> np.ndarray:
    """Return what the misfit of a law of rate 1 adds at the rows, (row, bend)."""
    nearly = approximate(law)
    wander = nearly.wander
    assert wander is not None
    of = dict(zip(law.inputs, columns, strict=True))
    known = {f"edge_{name}": x.max() for name, x in of.items()}
    known |= {f"middle_{name}": jnp.sqrt(x.min() * x.max()) for name, x in of.items()}
    known |= {name: 1.0 for name in nearly.parameters if name.startswith("misfit")}
    rates = wander.rates(known | {name: params[name] for name in law.parameters})
    basis = wander.basis(*columns, **{name: known[name] for name in wander.edges})
    return np.asarray(basis) * np.asarray(rates)


def _smoothed(
    r: np.ndarray, root: np.ndarray, own: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return what all others leave of each row, its sd, and how well each is foretold."""
    from scipy.stats import t

    smooth, weights = root @ root.T, np.ones(len(r))
    scale = max(1.4826 * np.median(abs(r)), FINEST)
    for _ in range(ROUNDS):
        sd2 = scale**2 + np.square(own)
        inverse = np.linalg.inv(smooth + np.diag(sd2 / weights))
        left = 1 / np.diag(inverse)
        off = (inverse @ r) * left
        variance = np.maximum(left - sd2 / weights, 0) + sd2
        z = off / np.sqrt(variance)
        weights = (FREEDOM + 1) / (FREEDOM + z**2)
        scale = max(scale * 1.4826 * np.median(abs(z)), FINEST)
    sd = np.sqrt(variance)
    return off, sd, float(np.sum(t.logpdf(z, FREEDOM) - np.log(sd)))


def _note(data: Dataset, y: np.ndarray, off: np.ndarray, shares: list[float]) -> Note:
    """Name the rows that are set aside, the farthest first, and say how many such may come."""
    worst = np.flatnonzero(off)[np.argsort(-abs(off[off != 0]))]
    rows = [f"{data.rows[i]} ({y[i]:.4g}, {100 * np.expm1(off[i]):+.2g} %)" for i in worst[:5]]
    more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
    few, many = (f"{100 * share:.2g}" for share in (min(shares), max(shares)))
    to, of = (f" to {many}", " of such curves") if many != few else ("", "")
    text = f"set aside, far from what all others say: row {', '.join(rows)}{more}"
    text += f"; {few}{to} % of new runs{of} are told to lie as far off"
    return Note(OUTLIERS, f"{text}; outliers=True (--outliers) takes them in")
