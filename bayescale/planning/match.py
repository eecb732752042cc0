"""match: other ways to the same loss, and which of two configurations is better.

- `match` gives the iso-loss curve through a loss or through a configuration, the least compute
  that reaches it, and the smallest model for a little more compute: what one trades for data.
- `compare_runs` gives the probability that one configuration is the better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from ..data.notes import concerning
from ..messages import Note, a_number, as_notes
from ..posterior.display import Sheet, Shown
from ..posterior.intervals import INTERVAL, plain, summarise
from ..posterior.pointwise import said_of_prior
from ..posterior.posterior import Posterior, said_of_group
from ..questions.remarks import said_of_misfit
from . import shown
from .asked import fit_of
from .isoloss import extremes, tokens_for
from .surface import DECADES, Cost, Surface, make_cost, surface

if TYPE_CHECKING:
    import pandas

__all__ = ["TradeOff", "match"]

POINTS = 61
"""Sizes on an iso-loss curve unless they are given."""
QUARTER = 0.25
"""Share of the reference's size for which the data are named in words."""

SHORT = {"params": "N", "tokens": "D", "flops": "C"}
WORDS = {"params": "size", "tokens": "data", "flops": "compute"}


@dataclass(frozen=True, eq=False, repr=False)
class TradeOff(Shown):
    """Ways to one loss; sizes N, data D and cost are inf in draws where it is out of reach."""

    loss: np.ndarray
    """The loss to reach, (draw,): the same for all, or the reference configuration's own."""
    params: np.ndarray
    """Sizes N of the iso-loss curve, (size,)."""
    tokens: np.ndarray
    """Data D that each size needs, (draw, size); inf where no amount is enough."""
    flops: np.ndarray
    """What that costs, (draw, size)."""
    cheapest: Mapping[str, np.ndarray]
    """`params`, `tokens`, `flops` of the least compute that reaches the loss, (draw,) each."""
    smallest: Mapping[str, np.ndarray]
    """`params`, `tokens`, `flops` of the smallest model within `extra`, (draw,) each."""
    extra: float
    """Share of compute that the smallest model may cost beyond the cheapest: .1 is 10 %."""
    reference: Mapping[str, float] | None
    """`params`, `tokens`, `flops` of the configuration that is matched; None for a given loss."""
    quarter: np.ndarray | None
    """Times the reference's data that a quarter of its size needs for its loss, (draw,)."""
    cost: str
    """What is counted as compute."""
    notes: tuple[Note, ...]
    """What should be said with the answer."""

    @property
    def p_reachable(self) -> float:
        """Share of draws in which some configuration reaches the loss."""
        return float(np.isfinite(self.cheapest["flops"]).mean())

    def _quantities(self) -> dict[str, dict[str, float]]:
        """Return the spread of each: `cheapest_N`, `smallest_D_ratio` (to the reference)."""
        found = {"loss": self.loss}
        for which, way in (("cheapest", self.cheapest), ("smallest", self.smallest)):
            for key, name in SHORT.items():
                found[f"{which}_{name}"] = way[key]
                if self.reference:
                    found[f"{which}_{name}_ratio"] = way[key] / self.reference[key]
        if self.quarter is not None:
            found["D_ratio_at_quarter_N"] = self.quarter
        return {name: summarise(draws) for name, draws in found.items()}

    def summary(self) -> dict[str, Any]:
        """Return plain numbers, fit for JSON; None where most draws are out of reach."""
        curve = [
            {"N": size, "D": summarise(self.tokens[:, i]), "flops": summarise(self.flops[:, i])}
            for i, size in enumerate(self.params)
        ]
        reference = self.reference and {SHORT[k]: v for k, v in self.reference.items()}
        same = {name: getattr(self, name) for name in ("p_reachable", "extra", "cost", "notes")}
        return plain(self._quantities() | same | {"reference": reference, "curve": curve})

    def sheets(self) -> list[Sheet]:
        """Return the cheapest way, the smallest model, and the iso-loss curve."""
        return shown.tradeoff(self.summary())

    def table(self, mass: float = INTERVAL) -> pandas.DataFrame:
        """Return the iso-loss curve, one row a size: median and interval of D and of the cost."""
        import pandas as pd

        rows = []
        for i, size in enumerate(self.params):
            row = {"N": size}
            for name, draws in (("D", self.tokens[:, i]), ("flops", self.flops[:, i])):
                of = summarise(draws, mass)
                row |= {f"{name}_{key}": of[key] for key in ("median", "lo", "hi")}
            rows.append(row | {"p_reachable": float(np.isfinite(self.tokens[:, i]).mean())})
        return pd.DataFrame(rows)


def match(
    posterior: Any,
    *,
    loss: float | None = None,
    N: float | None = None,
    D: float | None = None,
    params: Any = None,
    extra: float = 0.1,
    cost: Callable[[Any, Any], Any] | str | None = None,
    inference_tokens: float = 0.0,
    at: Mapping[str, Any] | None = None,
    allow_failed: bool = False,
) -> TradeOff:
    """Return the ways to a loss, or to the loss of a configuration N, D.

    Parameters
    ----------
    posterior
        A fit, or a forecast, as in `allocate`.
    loss
        The loss to reach, in the response's unit.
    N, D
        In its place: parameters and tokens of a configuration to match, draw by draw.
    params
        Sizes of the iso-loss curve; by default a factor of 100 about the cheapest (and the
        configuration).
    extra
        Share of compute that the smallest model may cost beyond the cheapest.
    cost, inference_tokens, at
        As in `allocate`.

    Returns
    -------
    TradeOff
        The iso-loss curve for every draw, its cheapest point and the smallest model.

    Raises
    ------
    FailedFit
        If the fit is not to be trusted, unless `allow_failed`.
    ValueError
        If not exactly one of `loss` and (N, D) is given, or a number is out of range.

    Notes
    -----
    With r(L) = A N^-alpha + B D^-beta (`chinchilla`, `kaplan`) the curve is
    D = (B/(r - A N^-alpha))^(1/beta); under C = 6 N D its cheapest point has
    A N^-alpha = r beta/(alpha+beta) and B D^-beta = r alpha/(alpha+beta). Otherwise both are found
    by bisection, as in `allocate`.

    Examples
    --------
    >>> ways = bs.match(chinchilla_fit, N=28e9, D=300e9)
    >>> bool(np.median(ways.cheapest["params"]) < 28e9)  # fewer parameters, more tokens
    True
    """
    reference = _reference(loss, N, D, extra)
    posterior = fit_of(posterior)
    on = surface(posterior, at, allow_failed)
    spending = make_cost(cost, inference_tokens, on)
    draws = len(next(iter(on.params.values())))
    if reference:
        point = (np.full((draws, 1), reference[key]) for key in ("params", "tokens"))
        target = on.loss(*point)[:, 0]
        reference["flops"] = float(_spent(spending, reference["params"], reference["tokens"]))
    else:
        target = np.full(draws, loss, float)
    ways = extremes(on, spending, target, float(extra))
    sizes = _sizes(params, ways[0]["params"], reference)
    asked = np.append(sizes, QUARTER * reference["params"]) if reference else sizes
    tokens = tokens_for(on, target, asked)
    quarter = tokens[:, -1] / reference["tokens"] if reference else None
    tokens = tokens[:, : len(sizes)]
    return TradeOff(
        loss=target,
        params=sizes,
        tokens=tokens,
        flops=_spent(spending, np.broadcast_to(sizes, tokens.shape), tokens),
        cheapest=ways[0],
        smallest=ways[1],
        extra=float(extra),
        reference=reference,
        quarter=quarter,
        cost=str(spending),
        notes=(
            *concerning(on.table, "split"),
            *(
                notes := _notes(
                    on, ways, float(extra), reference, quarter, said_of_misfit(posterior)
                )
            ),
            *_said_of_prior(posterior, ways[0], notes),
            *said_of_group(posterior),
        ),
    )


def _reference(loss, N, D, extra) -> dict[str, float] | None:
    """Return the configuration to match; None where a loss is given."""
    if (loss is None) == (N is None and D is None) or (N is None) != (D is None):
        raise ValueError("give either loss=..., or a configuration to match: N=..., D=...")
    for name, value in (("N", N), ("D", D)):
        if value is not None and not 0 < a_number(value, name) < np.inf:
            raise ValueError(f"{name} is a positive, finite number, got {value}")
    if loss is not None and not np.isfinite(a_number(loss, "loss")):
        raise ValueError(f"loss is a finite number, got {loss}")
    if not 0 <= a_number(extra, "extra") < np.inf:
        raise ValueError(f"extra is a share of compute, 0 or more (.1 is 10 %), got {extra}")
    return None if N is None or D is None else {"params": float(N), "tokens": float(D)}


def _spent(cost: Cost, N: Any, D: Any) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(cost(N, D), float)


def _sizes(params: Any, cheapest: np.ndarray, reference: Mapping[str, float] | None) -> np.ndarray:
    """Return the sizes of the iso-loss curve."""
    if params is not None:
        sizes = np.atleast_1d(np.asarray(params, float))
        if sizes.ndim > 1 or not (np.isfinite(sizes).all() and (sizes > 0).all()):
            raise ValueError("params are positive, finite sizes")
        return sizes
    known = cheapest[np.isfinite(cheapest)]
    centres = [float(np.median(known))] if len(known) else []
    centres += [reference["params"]] if reference else []
    if not centres:
        raise ValueError(
            "no draw of this fit reaches that loss at any size: it lies below the law's floor"
        )
    return np.geomspace(min(centres) / 10, max(centres) * 10, POINTS)


def _notes(on: Surface, ways, extra: float, reference, quarter, sure: str) -> list[Note]:
    best, small = ways
    reached = np.isfinite(best["flops"])
    notes = {}
    if not reached.all():
        notes["unreached"] = (
            f"out of reach in {1 - reached.mean():.0%} of draws, at any size and data up to "
            f"{DECADES[1]:.0f} decades beyond the runs"
        )
    if reference:
        notes["quarter"] = (
            f"a quarter of the size needs {_say(quarter)} times the data for that loss"
        )
        ratios = [f"{_say(best[k] / reference[k])} times the {what}" for k, what in WORDS.items()]
        notes["cheapest"] = f"the cheapest way to it takes {', '.join(ratios)}"
    if reached.any():
        ratios = {k: small[k][reached] / best[k][reached] for k in WORDS}
        words = [f"{_say(ratios[k])} times the {WORDS[k]}" for k in ("params", "tokens")]
        notes["smallest"] = (
            f"the smallest model within {extra:.0%} extra compute has {' and '.join(words)} of "
            "the cheapest"
        )
        middle = [[np.median(way[k][reached]) for k in ("params", "tokens")] for way in ways]
        decades = on.decades(*np.transpose(middle)).max()
        if decades > 0:
            notes["beyond"] = f"up to {decades:.2g} decades beyond the data: {sure}"
    return as_notes(notes)


def _said_of_prior(posterior: Posterior, cheapest, notes: list[Note]) -> list[Note]:
    """Return whether the prior decides a way that lies beyond the data."""
    if not any(note.kind == "beyond" for note in notes):
        return []
    answers = {"params": "the cheapest N", "tokens": "the cheapest D", "flops": "its compute"}
    return said_of_prior(posterior, {what: cheapest[key] for key, what in answers.items()})


def _say(draws: np.ndarray) -> str:
    found = summarise(draws)
    return f"{found['median']:.3g} ({found['lo']:.3g} to {found['hi']:.3g})"
