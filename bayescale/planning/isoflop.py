"""isoflop: the best size at each budget of compute, and the line through these optima.

Approach 2 of Hoffmann et al. 2022 (arXiv 2203.15556), with its uncertainty: runs of about one
compute make a budget, a curve in log N through each tells where the loss is least and how well
that is known, and a line log N* = a log C + log k goes through the optima with their errors and a
scatter of its own. Beside it stands what a law of N and D says of the same runs: it hears all of
them and is one power law throughout, where a curve hears those near its optimum.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.dataset import Dataset
from ..data.from_frame import as_dataset
from ..data.scales import not_flop
from ..inference.fit import fit
from ..inference.samplers import NUTS
from ..messages import Note, near
from ..parametric.parametric import Law
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import plain, summarise
from ..posterior.posterior import Posterior
from ..progress import Progress
from . import shown
from .allocate import allocate
from .parabola import BUDGETS, Optimum, grouped, line, optima

if TYPE_CHECKING:
    import pandas

__all__ = ["IsoFlop", "further", "isoflop"]

FURTHER = {"given": (), "head": ("width",), "embeddings": ("width",), "own": ("C",)}
"""What N and FLOP count -> inputs that the table has beside N and D."""
MATRICES = {"given": 0, "head": 1, "embeddings": 2, "own": 0}
"""Matrices of vocabulary by width that are added to N."""
OUTSIDE = 0.1
"""Share of draws whose optimum lies outside the sizes that were run, above which it is left out."""


@dataclass(frozen=True, eq=False, repr=False)
class IsoFlop(Shown):
    """The optimum of each budget, the line through them, and what a law says."""

    optima: tuple[Optimum, ...]
    """One a budget, ascending."""
    a: np.ndarray
    """Exponent of N* ~ C^a, (draw,); that of tokens is 1 - a."""
    log_k: np.ndarray
    """Its coefficient: log N* = a log C + log k, (draw,)."""
    scatter: np.ndarray
    """Sd of log N* about the line beyond the errors of the optima, (draw,)."""
    count: str
    """What N and FLOP count, in words."""
    law: str | None = None
    """Name of the law whose own answer stands beside; None without."""
    surface: np.ndarray | None = None
    """What that law says N* is at each budget, (draw, budget)."""
    unsound: tuple[str, ...] = ()
    """The law, where its fit is not to be trusted."""
    notes: tuple[Note, ...] = field(default=())
    """What should be said with the answer."""

    @property
    def flops(self) -> np.ndarray:
        """The budgets, (budget,)."""
        return np.array([each.flops for each in self.optima])

    def params(self, flops: Any) -> np.ndarray:
        """Return N* on the line for other budgets, (draw, budget)."""
        return np.exp(self.log_k[:, None] + self.a[:, None] * np.log(np.atleast_1d(flops)))

    @property
    def surface_a(self) -> np.ndarray | None:
        """The law's own exponent between the first budget and the last, (draw,)."""
        if self.surface is None:
            return None
        return np.log(self.surface[:, -1] / self.surface[:, 0]) / np.log(
            self.flops[-1] / self.flops[0]
        )

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `budgets`, one each, and the line."""
        rows = []
        for i, each in enumerate(self.optima):
            N = np.exp(each.log_n)
            row = {"flops": each.flops, "runs": each.runs, "N": summarise(N)}
            row |= {"D": summarise(each.product / N), "loss": summarise(each.loss)}
            row |= {"outside": each.outside, "used": each.outside <= OUTSIDE}
            row["line"] = summarise(self.params(each.flops)[:, 0])
            row["surface"] = None if self.surface is None else summarise(self.surface[:, i])
            rows.append(row)
        found = {"a": summarise(self.a), "b": summarise(1 - self.a)}
        found |= {"log_k": summarise(self.log_k), "scatter": summarise(self.scatter)}
        own = None if self.surface_a is None else summarise(self.surface_a)
        found |= {"surface_a": own, "law": self.law, "count": self.count, "notes": self.notes}
        return plain({"budgets": rows} | found)

    def sheets(self) -> list[Sheet]:
        """Return the optimum of each budget, and how fast it grows."""
        return shown.isoflop(self.summary())

    def table(self) -> pandas.DataFrame:
        """Return one row a budget: the optimum's median, lo and hi, and what line and law say."""
        import pandas as pd

        rows = []
        for each in self.summary()["budgets"]:
            row = {key: each[key] for key in ("flops", "runs", "outside", "used")}
            row |= {f"N_{key}": each["N"][key] for key in ("median", "lo", "hi")}
            row |= {
                key: (each[key] or {}).get("median") for key in ("D", "loss", "line", "surface")
            }
            rows.append(row)
        return pd.DataFrame(rows).set_index("flops")


def isoflop(
    data: Any,
    *,
    x: Any = None,
    y: Any = None,
    budgets: Any = None,
    count: str = "given",
    vocab: float | None = None,
    law: Law | str | None = "chinchilla",
    sampler: NUTS | None = None,
    seed: int = 0,
    progress: Progress = True,
    **roles: Any,
) -> IsoFlop | dict[str, IsoFlop]:
    """Return the best size of each budget and the line through them; by curve, of several.

    Of a budget's runs within a factor of 6 in N of the best one,

        loss = l + s u + k u^2/2 + k q u^3/6 + k r u^4/24 + e,   u = log(N/N0)

    with flat priors of l, s and k. By a Chinchilla law q is beta - alpha and r is
    alpha^2 - alpha beta + beta^2 at every budget: q ~ Normal(0, .3) and r ~ Normal(.12, .12) are
    shared, and a budget's own lie about them with sd .12 and .06. e is normal, its sd learnt from
    all budgets and from each. Then log N* = a log C + log k + scatter, with the joint errors of the
    optima, flat in a and log k; the scatter is none with probability 1/2, else half-Cauchy(.1).

    Parameters
    ----------
    data
        Runs with inputs N and D, and a loss; or a data frame with `x`, `y` and other roles of
        `from_frame`.
    budgets
        In FLOP; by default runs within 15 % of a neighbour in compute are of one.
    count
        What N counts, and so 6 N D FLOP: `given`, as the column has it; `head`, that and
        `vocab` x `width` of the output layer; `embeddings`, that and as much of the input's again,
        where N leaves them out and the table has a further input `width`; `own`, N as given and
        FLOP the table's own, a further input C.
    vocab
        Size of the vocabulary, for `head` and `embeddings`.
    law
        The law of N and D whose own answer stands beside, by `fit` and `allocate`; None for none.
    sampler
        Of that fit; `NUTS()` by default.
    seed
        Decides every draw.

    Returns
    -------
    IsoFlop, or dict of IsoFlop
        Optima, exponent and scatter with their draws, and what the law says.

    Raises
    ------
    DataError
        If runs fall into fewer than 2 budgets whose loss turns within the sizes run, or 6 N D is no
        FLOP for these scales.
    ValueError
        For an unknown `count`, or one without its `vocab`.

    Notes
    -----
    A budget whose optimum may lie outside the sizes that were run, with a probability above .1, is
    shown and left out of the line. Runs are taken as independent: readings of one run at several
    budgets err together, and the exponent is then known less well than its interval says.
    benchmarks/results/isoflop.md says how such intervals fare, and what they say of real tables.

    Examples
    --------
    >>> flops = np.repeat([1e19, 1e20, 1e21], 7)
    >>> N = 0.4 * np.sqrt(flops) * np.tile(np.geomspace(0.3, 3, 7), 3)
    >>> D = flops / 6 / N
    >>> frame = {"N": N, "D": D, "loss": 1.7 + 400 / N**0.33 + 400 / D**0.33}
    >>> found = bs.isoflop(frame, x={"N": "N", "D": "D"}, y="loss", law=None)
    >>> round(float(np.median(found.a)), 2)
    0.5
    """
    data = as_dataset(data, x, y, ("N", "D", *further(count, vocab)), **roles)
    table, flops, words = _counted(data, count, vocab)
    found, names = {}, table.curve_names
    for name in names or (None,):
        own = slice(None) if name is None else np.flatnonzero(table.curve == name)
        part = table if name is None else replace(table.take(own), curve=None)
        named = "" if name is None else f" of curve {name!r}"
        found[name] = _one(part, flops[own], budgets, words, named, seed)
    if law is not None:
        how = dict(sampler=sampler or NUTS(), seed=seed, progress=progress)
        posterior = fit(law, table, **how)
        found = {
            name: _beside(one, posterior if name is None else posterior.curve(name))
            for name, one in found.items()
        }
    return found if names else found[None]


def further(count: str, vocab: float | None = None) -> tuple[str, ...]:
    """Return the inputs that a table needs beside N and D, by what is counted.

    Raises
    ------
    ValueError
        If there is no such count, or it needs the size of the vocabulary.
    """
    if count not in FURTHER:
        raise ValueError(f"unknown count {count!r}{near(count, FURTHER)}")
    if MATRICES[count] and (vocab is None or not 0 < vocab < np.inf):
        raise ValueError(f"count={count!r} needs vocab, the size of the vocabulary (--vocab)")
    return FURTHER[count]


def _counted(data: Dataset, count: str, vocab: float | None) -> tuple[Dataset, np.ndarray, str]:
    """Return the runs with N as it is to be counted, their FLOP, and what was counted."""
    missing = [name for name in ("N", "D", *FURTHER[count]) if name not in data.inputs]
    if missing or len(data.responses) != 1:
        data.fail(
            f"has scales {', '.join(data.inputs)} and responses {', '.join(data.responses)}",
            remedy=f"give N, D{''.join(f', {x}' for x in FURTHER[count])} and one loss",
        )
    N, D = data.inputs["N"], data.inputs["D"]
    columns = {k: v for k, v in data.columns.items() if k not in ("width", "C")}
    words = "6 N D, N as given"
    if MATRICES[count] and vocab is not None:
        N = N + MATRICES[count] * vocab * data.inputs["width"]
        words = f"6 N D, N with {MATRICES[count]} x {vocab:g} x width"
    inputs = {"N": N, "D": D}
    table = replace(data, inputs=inputs, columns=columns, reference=None)
    if count == "own":
        return table, data.inputs["C"], f"FLOP of {data.columns['C']}, N as given"
    if other := not_flop(data, costs=False):
        table.fail(f"{other[0]}: 6 N D is no FLOP here", remedy=other[1])
    return table, 6 * N * D, words


def _one(
    data: Dataset,
    flops: np.ndarray,
    budgets: Any,
    words: str,
    named: str,
    seed: int,
) -> IsoFlop:
    """Return the answer of one curve."""
    (response,) = data.responses.values()
    known = np.isfinite(response)
    rows, few = grouped(data, flops, known, budgets, named)
    notes = [Note("few", few)] * bool(few)
    logs = {k: np.log(v) for k, v in (data.inputs | {"C": flops}).items()}
    found = optima(logs, response, rows, seed)
    used = [each for each in found if each.outside <= OUTSIDE]
    if len(used) < len(found):
        out = ", ".join(f"{each.flops:.3g}" for each in found if each.outside > OUTSIDE)
        said = f"the loss may not turn within the sizes run at {out} FLOP: left out of the line"
        notes.append(Note("edge", said))
    if len(used) < BUDGETS:
        data.fail(
            f"the loss turns within the sizes run at {len(used)} budgets{named}",
            remedy=f"{BUDGETS} are needed for a line: run smaller and larger sizes at each budget",
        )
    if len(used) == 2:
        said = "of two optima nothing tells the scatter about the line but its prior"
        notes.append(Note("scatter", said))
    a, log_k, scatter = line(used, seed)
    return IsoFlop(tuple(found), a, log_k, scatter, words, notes=tuple(notes))


def _beside(found: IsoFlop, posterior: Posterior) -> IsoFlop:
    """Return the answer with what the law says of the same budgets."""
    plan = allocate(posterior, [6 * each.product for each in found.optima], allow_failed=True)
    with_law = replace(found, law=posterior.law.name, surface=plan.params)
    notes = [note for note in plan.notes if note.kind not in ("beyond",)]
    (verdict,) = posterior.health.verdicts
    unsound = () if verdict.sound else (posterior.law.name,)
    if unsound:
        said = f"the surface is NOT TO BE TRUSTED: {'; '.join(verdict.problems)}"
        notes.append(Note("health", said))
    own, other = (summarise(each) for each in (found.a, with_law.surface_a))
    if own["hi"] < other["lo"] or other["hi"] < own["lo"]:
        said = (
            f"the line and the law {with_law.law} part: a is {own['lo']:.3f} to {own['hi']:.3f} by "
            f"the optima, {other['lo']:.3f} to {other['hi']:.3f} by the law, which takes it from "
            "all runs, and as one power law throughout"
        )
        notes.append(Note("apart", said))
    notes = (*found.notes, *dict.fromkeys(notes))
    return replace(with_law, unsound=unsound, notes=notes)
