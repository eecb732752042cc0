"""Posterior: the finished record of a fit, with its health, and how it is kept on disk.

A posterior holds draws in natural units and answers nothing by itself: `predict`, `allocate` and
`threshold` are functions of it. Arrays of draws have the shape (chain, draw, ...), with a leading
curve axis exactly when the data named a curve column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.dataset import Dataset
from ..model.model import Model
from .health import FailedFit, Health
from .intervals import INTERVAL, scalar_quantities, summarise

if TYPE_CHECKING:
    import pandas

__all__ = ["Posterior", "SamplingInfo"]


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
    notes: tuple[str, ...] = ()
    """What should be said: an interrupt, curves run twice."""


@dataclass(frozen=True, eq=False)
class Posterior:
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

    @property
    def law(self):
        """The law whose parameters these are."""
        return self.model.law

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the curves; () where the data named none."""
        return self.data.curve_names

    def curve(self, name: str) -> Posterior:
        """Return the posterior of one curve.

        Raises
        ------
        KeyError
            If there is no such curve.
        """
        if name not in self.curves:
            raise KeyError(f"no curve {name!r}; the curves are {', '.join(self.curves[:20])}")
        i, rows = self.curves.index(name), self.data.take(self.data.curve == name)
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

    def trusted(self, allow_failed: bool = False) -> Posterior:
        """Return self, or raise `FailedFit` with what is wrong and what to do.

        With several curves only the failed rows are marked, and nothing is raised unless all
        failed.
        """
        bad = self.health.failed
        if allow_failed or len(bad) < len(self.health.verdicts):
            return self
        first = self.health.verdicts[bad[0]]
        raise FailedFit(
            f"this fit is not to be trusted: {'; '.join(first.problems)}. "
            f"{' '.join(first.advice)} To ask all the same, pass allow_failed=True."
        )

    def scalars(self) -> dict[str, np.ndarray]:
        """Return every scalar quantity of one curve, (chain, draw): alpha, c1, c2."""
        if self.curves:
            raise ValueError("this posterior has several curves; take one: posterior.curve(NAME)")
        return scalar_quantities(self.draws)

    def summary(self, mass: float = INTERVAL) -> pandas.DataFrame:
        """Return a table: one row a quantity, mean, sd, median, interval, R-hat, ESS.

        With several curves the rows are indexed by (curve, quantity).
        """
        import pandas as pd

        tables = {}
        for name, one in self:
            (verdict,) = one.health.verdicts
            rows = {
                quantity: summarise(values, mass)
                | {
                    "r_hat": verdict.rhat.get(quantity, np.nan),
                    "ess": verdict.ess.get(quantity, np.nan),
                    "identified": quantity.rstrip("0123456789") not in verdict.unidentified,
                }
                for quantity, values in one.scalars().items()
            }
            tables[name] = pd.DataFrame.from_dict(rows, orient="index")
        if not self.curves:
            return tables[None]
        return pd.concat(tables, names=["curve", "quantity"])

    def __repr__(self) -> str:
        shape = f"{len(self.curves)} curves, " if self.curves else ""
        lines = [
            f"Posterior of {self.law} with {self.model.noise.name} noise: {shape}"
            f"{self.sampling.chains} x {self.sampling.draws} draws by {self.sampling.method}, "
            f"{len(self.data)} rows of {self.data.source}",
            f"health: {self.health}",
        ]
        if not self.curves:
            table = self.summary()[["mean", "sd", "median", "lo", "hi", "r_hat", "ess"]]
            lines.append(table.to_string(float_format=lambda v: f"{v:.4g}"))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show the summary, the health first, in a notebook."""
        from html import escape

        colour = "#2a7" if self.health.sound else "#c22"
        head, health, *_ = repr(self).split("\n")
        table = self.summary().to_html(float_format=lambda v: f"{v:.4g}", max_rows=40, border=0)
        return (
            f"<p><b>{escape(head)}</b><br><span style='color:{colour}'>{escape(health)}</span></p>"
            f"{table}<p><small>lo, hi: {INTERVAL:.0%} interval, equal tails.</small></p>"
        )
