"""Posterior: the finished record of a fit, with its health.

A posterior holds draws in natural units and answers nothing by itself: `predict`, `allocate` and
`threshold` are functions of it. Arrays of draws have the shape (chain, draw, ...), with a leading
curve axis exactly when the data named a curve column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.cells import dated
from ..data.dataset import Dataset
from ..data.given import same_label
from ..messages import Note, bare, near
from ..model.model import Model
from ..model.pooling import link_of
from . import shown
from .display import Sheet, Shown
from .health import FailedFit, Health
from .intervals import INTERVAL, plain, scalar_quantities, summarise, summarise_shift

if TYPE_CHECKING:
    import pandas

__all__ = ["Bends", "Posterior", "SamplingInfo", "said_of_group"]

SHOWN_WHOLE = 8
"""Up to so many curves are shown with all their quantities."""


@dataclass(frozen=True)
class SamplingInfo:
    """How a fit was made, and what it cost."""

    seed: int
    method: str
    """`NUTS`, `Laplace` or `MAP`."""
    chains: int
    draws: int
    precision: str
    device: str
    versions: Mapping[str, str]
    seconds: Mapping[str, float]
    """Wall-clock seconds by stage."""
    leapfrogs: float
    """Mean number of leapfrog steps a draw; nan without NUTS."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The sampler's arguments."""
    notes: tuple[Note, ...] = ()
    """What should be said: an interrupt, a time limit."""


@dataclass(frozen=True, eq=False)
class Bends:
    """How the log odds of an accuracy wander off the law beyond the data."""

    sd: float
    """Of the half-normal size of the slope's misfit, in log odds an e-fold of scale."""
    begins: float
    """The scale beyond which it is; up to there nothing changes."""
    draws: np.ndarray
    """Size times what makes the slopes at the knots, (chain, draw, knot)."""


@dataclass(frozen=True, eq=False, repr=False)
class Posterior(Shown):
    """Draws of a law's and a noise's parameters given data, with their health."""

    model: Model
    data: Dataset
    draws: Mapping[str, np.ndarray]
    """Parameter -> ([curve,] chain, draw, ...) in natural units; fixed ones are constant."""
    stats: Mapping[str, np.ndarray]
    """log_density, energy, n_steps, acceptance_rate, diverging: ([curve,] chain, draw)."""
    health: Health
    sampling: SamplingInfo
    z: np.ndarray | None = None
    """The draws in the model's unconstrained coordinates, ([curve,] chain, draw, size)."""
    bends: Bends | None = None
    """Of the only scale beyond the data; `with_misfit` sets it."""

    @property
    def law(self):
        """The law whose parameters these are."""
        return self.model.law

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the curves; () where the data named none."""
        return self.data.curve_names

    @property
    def members(self) -> list[tuple[str, float, Posterior]]:
        """(name, weight, posterior), as of a mixture: itself, with all weight."""
        return [(self.law.name, 1.0, self)]

    def only(self) -> Posterior:
        """Return self, the posterior of one curve.

        Raises
        ------
        ValueError
            If there are several.
        """
        if self.curves:
            raise ValueError("this posterior has several curves; take one: posterior.curve(NAME)")
        return self

    def name_of(self, column: str) -> str:
        """Return the law's input that is called so, or that stands in this column of the table.

        A column whose name wants backticks in arithmetic is known with and without them.

        Raises
        ------
        ValueError
            If there is none.
        """
        inputs, columns = self.law.inputs, self.data.columns
        found = {bare(columns.get(name, name)): name for name in inputs}
        found |= {name: name for name in inputs}
        if bare(column) not in found:
            raise ValueError(
                f"{column!r} is no scale of this fit; its scales are {self.scale_names}"
            )
        return found[bare(column)]

    @property
    def scale_names(self) -> str:
        """The law's inputs, with their columns where these are called otherwise, for messages."""
        columns = {name: self.data.columns.get(name, name) for name in self.law.inputs}
        return ", ".join(k if v == k else f"{k} (or {v})" for k, v in columns.items())

    def curve(self, name: str) -> Posterior:
        """Return the posterior of one curve; a KeyError where there is none of that label.

        `1` is the curve `1.0` where no other label is that number.
        """
        name = same_label(name, self.curves)
        if name not in self.curves:
            raise KeyError(f"no curve {name!r}{near(name, self.curves)}")
        i, rows = self.curves.index(name), self.data.take(self.data.of_curve(name))
        # Shifts stand in the order of all groups, also of those without a row in this curve.
        groups = self.data.group_names if self.model.pool else ()
        return replace(
            self,
            data=replace(rows, curve=None, all_groups=groups),
            draws={k: v[i] for k, v in self.draws.items()},
            stats={k: v[i] for k, v in self.stats.items()},
            z=None if self.z is None else self.z[i],
            health=Health((self.health.verdicts[i],)),
        )

    def __iter__(self) -> Iterator[tuple[str | None, Posterior]]:
        """Yield (name, posterior) of each curve; (None, self) where there are none."""
        if not self.curves:
            yield None, self
        for name in self.curves:
            yield name, self.curve(name)

    def flat(self) -> dict[str, np.ndarray]:
        """Return the draws with chains joined: ([curve,] chain * draw, ...)."""
        lead = 1 if self.curves else 0
        return {
            name: np.reshape(v, (*v.shape[:lead], -1, *v.shape[lead + 2 :]))
            for name, v in self.draws.items()
        }

    def trusted(self, allow_failed: bool = False, *, within: bool = False) -> Posterior:
        """Return self, or raise `FailedFit` with what is wrong and what to do.

        With several curves only the failed rows are marked, and nothing is raised unless all
        failed.

        Parameters
        ----------
        within
            Whether the question stays within the data: there a law that they contradict may be
            asked.
        """
        verdicts = self.health.verdicts
        bad = [one for one in verdicts if not (one.sampling.sound if within else one.sound)]
        if allow_failed or len(bad) < len(verdicts):
            return self
        raise FailedFit(bad[0].problems, bad[0].advice)

    def scalars(self) -> dict[str, np.ndarray]:
        """Return every scalar quantity of one curve, (chain, draw): alpha, c1, c2."""
        return scalar_quantities(self.only().draws)

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON: `quantities`, `health` and `sampling`.

        With several curves the first is empty, and each has its own under `curves`. What groups
        differ by stands under `groups`.
        """
        parts = {name: one._own_summary() for name, one in self}
        found = {"quantities": {}, "health": self.health.summary(self.curves)}
        found |= {"sampling": self._sampling()} | parts.pop(None, {})
        return plain(found | ({"curves": parts} if parts else {}))

    def _own_summary(self) -> dict[str, Any]:
        found = {"quantities": self._quantities(), "health": self.health.summary()}
        return found | ({"groups": self._groups()} if self.model.pool else {})

    def _groups(self) -> dict[str, dict[str, Any]]:
        """Return of each pooled parameter how far each group's lies from the average one's."""
        names, draws, found = self.data.group_names, self.flat(), {}
        runs = {name: int(np.sum(self.data.group == name)) for name in names}
        for of in self.model.pool:
            link = self.shift_link(of)
            found[of] = {
                name: summarise_shift(draws[f"{of}_shift"][..., i], link) | {"runs": runs[name]}
                for i, name in enumerate(names)
            }
        return found

    def shift_link(self, of: str) -> str:
        """Return on which scale groups differ in a pooled parameter: see `summarise_shift`."""
        link, columns = link_of(self.law, of), self.data.columns
        dates = any(dated(columns.get(name, name)) for name in self.law.inputs)
        return "years" if link == "log" and of == self.law.unlock and dates else link

    def _sampling(self) -> dict[str, Any]:
        """Return of what table, under what law and how this was drawn."""
        law, data = self.law, self.data
        facts = {
            "law": law.name,
            "noise": self.model.noise.name,
            "pooled": self.model.pool,
            "runs": self.model.runs is not None,
            "fixed": dict(law.fixed),
            "tied": dict(law.tied),
            "interval": INTERVAL,
        }
        return facts | asdict(self.sampling) | {"data": data.summary()}

    def table(self, mass: float = INTERVAL) -> pandas.DataFrame:
        """Return one row a quantity: median, interval, mean, sd, R-hat, ESS.

        With several curves the rows are indexed by (curve, quantity).
        """
        import pandas as pd

        tables = {}
        for name, one in self:
            (verdict,) = one.health.verdicts
            rows = {
                quantity: {key: found[key] for key in ("median", "lo", "hi", "mean", "sd")}
                | {
                    "r_hat": verdict.rhat.get(quantity, np.nan),
                    "ess": verdict.ess.get(quantity, np.nan),
                    "identified": not verdict.says_little_of(quantity),
                }
                for quantity, found in one._quantities(mass).items()
            }
            tables[name] = pd.DataFrame.from_dict(rows, orient="index")
        if not self.curves:
            return tables[None]
        return pd.concat(tables, names=["curve", "quantity"])

    def _quantities(self, mass: float = INTERVAL) -> dict[str, dict[str, float]]:
        """Return the spread of every scalar quantity of one curve; `groups` tells the shifts."""
        apart = [f"{name}_shift" for name in self.model.pool]
        names = [name for name in self.model.names if name not in apart]
        scalars = scalar_quantities({name: self.draws[name] for name in names})
        return {name: summarise(draws, mass) for name, draws in scalars.items()}

    def sheets(self) -> list[Sheet]:
        """Return the quantities with their health; of many curves the medians, a row a curve."""
        found = self.summary()
        sampling, scale = found["sampling"], self.law.unlock
        if len(self.curves) > SHOWN_WHOLE:
            first, *rest = [shown.medians(found["curves"], scale)]
        else:
            parts = found.get("curves", {"": found}).items()
            first, *rest = [
                replace(sheet, head=f"{name}  {sheet.head}".strip())
                for name, part in parts
                for sheet in shown.curve(part, sampling, scale)
            ]
        return [replace(first, head="\n".join(filter(None, (self.head, first.head)))), *rest]

    @property
    def head(self) -> str:
        """What this is a fit of, in a line."""
        data, model = self.data, self.model
        curves = f" in {len(self.curves)} curves" * bool(self.curves)
        (_, own), *others = model.noises.items()
        noises = [own.name, *(f"{one.name} ({of})" for of, one in others)]
        runs = "" if model.runs is None else f", runs by {data.columns['run']}"
        of = f"{len(data)} rows of {data.source}{curves}{runs}, {', '.join(noises)} noise"
        return f"{self.law}: {of}"

    def said(self) -> list[tuple[str, str]]:
        """Return the health, and how it was drawn."""
        run = self.sampling
        first = self.health.verdicts[0].fit.notes if not self.curves else ()
        how = f"{run.chains} x {run.draws} draws by {run.method}, seed {run.seed}"
        found = [("good" if self.health.sound else "bad", str(self.health)), ("note", how)]
        return found + [("note", f"note: {note}") for note in (*first, *said_of_group(self))]


def said_of_group(one: Posterior) -> list[Note]:
    """Return of which group a fit that pools some speaks; nothing of any other fit."""
    if not one.model.pool:
        return []
    told = [n for n in one.data.notes if isinstance(n, Note) and n.kind == "group"]
    usual = "of the groups, this speaks of the average one, none of those that were measured; for "
    usual += "one of them, or a new one: for_group(fit, NAME or NEW) (--group)"
    return [told[-1] if told else Note("group", usual)]
