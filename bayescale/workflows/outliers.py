"""outliers: rows that lie far from what all others say of them, and are set aside.

A run that diverged, or was logged wrong, widens the noise of all and bends the misfit of the law.
A law is fitted to all rows at its mode under Student's noise, which such rows hardly move. What the
rest lies off, r of the log, is smoothed by the law's misfit (`approximate`) of one rate q, again
with Student's weights w; with S = q^2 B B^T + s^2/w what all others leave of row i is

    d_i = [S^-1 r]_i / [S^-1]_ii,   of variance v_i = 1/[S^-1]_ii - s^2/w_i + s^2

(Rasmussen and Williams 2006, eq. 5.12), s by the median of |d/sqrt(v)|, q the one of a few that
foretells each row best from the others. Rows are set aside where d/sqrt(v) is beyond what chance
allows any of n rows (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.dataset import Dataset
from ..inference.fit import fit
from ..inference.samplers import MAP
from ..laws.approximate import approximate
from ..messages import Note
from ..parametric.parametric import Law

__all__ = ["OUTLIERS", "set_aside"]

OUTLIERS = "outliers"
"""Kind of the note that names rows set aside."""
CHANCE = 0.01
"""Of a table of sound rows that any one is set aside."""
MOST = 0.1
"""Share of a curve's rows that may be: if more lie far off, that is how its runs scatter."""
LEAST = 10
"""Rows of a curve below which none is."""
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


def set_aside(law: Law, data: Dataset) -> Dataset:
    """Return the table without the rows that lie far from all others; a note names them.

    Parameters
    ----------
    law
        A law of one positive response, without its misfit.
    data
        Runs of one response, of one or several curves.

    Returns
    -------
    Dataset
        The same table where no row is set aside. The row of the largest scale (the product of
        several) never is: what comes may begin there.
    """
    (y,) = data.responses.values()
    names = data.curve_names or (None,)
    whole = np.ones(len(y), bool)
    rows = {name: np.flatnonzero(whole if name is None else data.curve == name) for name in names}
    if all(len(own) < LEAST for own in rows.values()):
        return data
    posterior = fit(law, data, noise="student", sampler=MODE, progress=False)
    off = np.zeros(len(y))
    for name, own in rows.items():
        mode = posterior if name is None else posterior.curve(name)
        if len(own) >= LEAST:
            params = {key: value[0] for key, value in mode.flat().items()}
            off[own] = _off(law, params, data.take(own))
    if not off.any():
        return data
    kept = data.take(off == 0)
    return replace(kept, notes=(*data.notes, _note(data, y, off)))


def _off(law: Law, params: Mapping[str, Any], data: Dataset) -> np.ndarray:
    """Return by how much of its log each row to be set aside is off, 0 of all others, (row,)."""
    from scipy.stats import t

    inputs = [data.inputs[name] for name in law.inputs]
    (y,) = data.responses.values()
    with jax.enable_x64(True):
        columns = [jnp.asarray(x) for x in inputs]
        mean = np.asarray(law.fn(*columns, **{name: params[name] for name in law.parameters}))
        basis = _basis(law, columns, params)
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


def _note(data: Dataset, y: np.ndarray, off: np.ndarray) -> Note:
    """Name the rows that are set aside, the farthest first."""
    worst = np.flatnonzero(off)[np.argsort(-abs(off[off != 0]))]
    rows = [f"{data.rows[i]} ({y[i]:.4g}, {100 * np.expm1(off[i]):+.2g} %)" for i in worst[:5]]
    more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
    text = f"set aside, far from what all others say: row {', '.join(rows)}{more}"
    return Note(OUTLIERS, f"{text}; outliers=True (--outliers) takes them in")
