"""How draws are made: NUTS for a posterior, Laplace and MAP for a quick look.

A `Sampler` runs one batch of curves and judges each; `fit` does the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import numpy as np

from ..messages import Note
from ..model.arrays import Batch
from ..model.model import Model
from ..posterior.checks import judge, judge_laplace, judge_map
from ..posterior.health import Verdict
from ..progress import Tell
from . import nuts
from .centring import centred, standard
from .jumps import competing
from .lanes import divide
from .modes import Mode, Point, best_of, evaluate, search
from .warmup import WarmUp, carefully

__all__ = [
    "DRAWN_BY",
    "EVIDENCE",
    "MAP",
    "NUTS",
    "Chains",
    "Clock",
    "Laplace",
    "Sampler",
    "a_sampler",
    "by_nuts",
]

INTERRUPTED = Note("interrupted", "interrupted")
SPREAD = 5.0
"""Modes whose Laplace evidence is within this many nats of the best each get a chain."""


@dataclass
class Clock:
    """What a fit tells of itself while it runs: progress, seconds by stage, why it was stopped."""

    tell: Tell
    """Called with a stage and the share of it that is done."""
    seconds: dict[str, float] = field(default_factory=dict)
    stopped: Note | None = None
    """Why no further draws are begun."""
    began: float = field(default_factory=time.perf_counter)

    def timed(self, stage: str, fn: Callable, *args):
        """Call `fn`, adding its wall-clock time to `stage`."""
        self.tell(stage, 0.0)
        before = time.perf_counter()
        try:
            return fn(*args)
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - before

    def over(self, limit: float | None) -> bool:
        """Return whether the fit has run longer than `limit` seconds."""
        return limit is not None and time.perf_counter() - self.began > limit


class Chains(NamedTuple):
    """What a sampler returns for one batch of curves."""

    z: np.ndarray
    """Unconstrained draws, (curve, chain, draw, size)."""
    stats: dict[str, np.ndarray]
    """Of each draw, (curve, chain, draw)."""


@runtime_checkable
class Sampler(Protocol):
    """What `fit` asks of a sampler: a frozen dataclass, whose fields are its settings."""

    def run(self, model: Model, batch: Batch, seed: int, clock: Clock) -> Chains:
        """Return draws of one batch of curves."""
        ...

    @property
    def judge(self) -> Callable[..., Verdict]:
        """The verdict on one curve: `posterior.checks.judge` or one of its like."""
        ...


def a_sampler(given: Any, further: Iterable[str] = ()) -> Any:
    """Return a sampler as it is, `NUTS()` for None; a TypeError for what is none.

    Parameters
    ----------
    further
        Arguments of the call, which may be settings of a sampler.
    """
    for name in {*further} & {each.name for each in fields(NUTS)}:
        raise TypeError(f"{name} is a setting of the sampler: sampler=bs.NUTS({name}=...)")
    if isinstance(given, type) or not (given is None or hasattr(given, "run")):
        said = f"{given.__name__} without ()" if isinstance(given, type) else repr(given)[:60]
        raise TypeError(f"sampler is bs.NUTS(...), bs.Laplace(...) or bs.MAP(...), not {said}")
    return given or NUTS()


EVIDENCE = "laws are weighed by evidence, which takes draws"


def by_nuts(given: Any, why: str, further: Iterable[str] = ()) -> Any:
    """Return a sampler as `a_sampler` does; a TypeError where it is not NUTS, saying `why`."""
    found = a_sampler(given, further)
    if not isinstance(found, NUTS):
        raise TypeError(f"{why} by NUTS: sampler=bs.NUTS(...), not {type(found).__name__}()")
    return found


@dataclass(frozen=True)
class NUTS:
    """The no-U-turn sampler from dispersed starts, in coordinates scaled by mode and curvature.

    Hoffman and Gelman 2014 (arXiv 1111.4246), multinomial, as in BlackJAX. Before each trajectory
    a chain may jump to a place that the warm-up has seen; where trajectories are long and jumps
    are taken often, trajectories are kept to 7 steps. What is offered is settled in the warm-up,
    curve by curve.

    A curve that fails its checks is run again from other starts, with twice the warm-up, smaller
    steps and four times the draws, thinned; what still fails is marked. Not where trajectories take
    more than 256 steps: a second try would take minutes, and seldom helps.
    """

    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    target_accept: float = 0.8
    max_depth: int = 10
    """Trajectories have at most 2^max_depth - 1 leapfrog steps."""
    starts: int = 64
    """Draws from the prior from which modes are looked for."""
    retries: int = 1
    enough: bool = False
    """Whether a predicted curve that is settled is enough, whatever else fails its checks."""
    time_limit: float | None = None
    """Wall-clock seconds after which no further draws are begun; what is drawn is kept."""

    def __post_init__(self):
        for name, least in dict(chains=1, warmup=100, draws=4, starts=1, retries=0).items():
            if getattr(self, name) < least:
                raise ValueError(f"NUTS: {name} is at least {least}, got {getattr(self, name)}")
        if not 0 < self.target_accept < 1:
            raise ValueError(f"NUTS: target_accept lies between 0 and 1, got {self.target_accept}")

    def run(self, model: Model, batch: Batch, seed: int, clock: Clock) -> Chains:
        """Sample one batch of curves."""
        batch, modes = clock.timed("start", self._start, model, batch, seed)
        own, points = _disperse(model, batch, modes, seed, self.chains)
        blocks = divide(batch, own, competing(modes, model), points, seed)
        kept = clock.timed("sampling", self._advance, model, blocks, clock)
        count = len(batch.curves) * self.chains
        joined = jax.tree.map(lambda *leaves: np.concatenate(leaves, 1)[:count], *kept)
        shape = (len(batch.curves), self.chains)
        z, *stats = (leaf.reshape(*shape, *leaf.shape[1:]) for leaf in joined)
        stats = dict(zip(nuts.Draws._fields[1:], stats, strict=True))
        z, lost = standard(model, batch, z)
        stats["log_density"] = stats["log_density"] - lost
        return Chains(z, stats)

    def harder(self, attempt: int) -> NUTS:
        """Return the settings with which a curve that failed is run again.

        Where a settled curve is enough, it is nearly there: half the draws, and larger steps, do.
        """
        return replace(
            self,
            warmup=2 * self.warmup,
            draws=(2 if self.enough else 4) * self.draws,
            target_accept=max(self.target_accept, 0.9 if self.enough else 0.98),
            starts=self.starts * 4 ** (attempt + 1),
        )

    judge = staticmethod(judge)

    def _start(self, model: Model, batch: Batch, seed: int) -> tuple[Batch, list[list[Mode]]]:
        """Return the batch and its modes, in the coordinates that chains move in."""
        return centred(model, batch, search(model, batch.data, batch.keys, seed, self.starts))

    def _advance(self, model, blocks, clock: Clock) -> list[nuts.Draws]:
        """Run all chunks; an interrupt or the time limit keeps what was drawn of every curve."""
        steps = nuts.chunks(self.warmup, self.draws)
        loop = jax.default_backend() == "cpu"
        go = partial(nuts.advance, max_depth=self.max_depth, loop=loop, mesh=blocks[0].mesh)
        target, wide = np.float64(self.target_accept), jax.config.jax_enable_x64
        kept: list[nuts.Draws] = []
        warm_up = WarmUp(self.warmup)

        def advance(block, first, phase):
            with jax.enable_x64(wide):  # a thread of its own knows nothing of ours
                lanes, drawn = go(model, block.lanes, block.data, np.int32(first), phase, target)
                return block._replace(lanes=lanes), jax.device_get(drawn)

        try:
            # The blocks of one program are independent: XLA runs them on as many cores.
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                for done, (first, phase) in enumerate(steps, 1):
                    if kept and clock.over(self.time_limit):
                        clock.stopped = Note("time limit", "stopped at its time limit")
                        break
                    turn = partial(advance, first=first, phase=phase)
                    spread = map if len(blocks) == 1 else pool.map
                    blocks, drawn = zip(*spread(turn, blocks), strict=True)
                    blocks = warm_up.learn(blocks, drawn, first, phase)
                    wanted = phase == nuts.SAMPLE
                    if wanted.any() and not kept:
                        begin = partial(carefully, turn=turn)
                        blocks, drawn = zip(*spread(begin, blocks, drawn), strict=True)
                    if wanted.any():
                        joined = jax.tree.map(lambda *leaves: np.concatenate(leaves), *drawn)
                        kept.append(jax.tree.map(lambda leaf, w=wanted: leaf[:, w], joined))
                    clock.tell("sampling", done / len(steps))
        except KeyboardInterrupt:
            if not kept:
                raise
            clock.stopped = INTERRUPTED
        return kept


@dataclass(frozen=True)
class Laplace:
    """Normal approximation at the best mode: a quick look, checked by importance weights."""

    draws: int = 4000
    starts: int = 64

    judge = staticmethod(judge_laplace)

    def run(self, model: Model, batch: Batch, seed: int, clock: Clock) -> Chains:
        """Draw from the normal approximation of each curve."""
        modes = clock.timed("start", search, model, batch.data, batch.keys, seed, self.starts)
        zs, weights = [], []
        for number, found in zip(batch.keys, modes, strict=True):
            best = best_of(found, model)
            noise = np.random.default_rng([seed, number, 2]).normal(size=(self.draws, model.size))
            zs.append(best.z + noise @ best.scale.T)
            weights.append(-0.5 * (noise**2).sum(1))
        z = np.stack(zs)
        points = clock.timed("weights", evaluate, model, z, batch.data)
        stats = {"log_density": points.log_density, "log_proposal": np.stack(weights)}
        return Chains(z[:, None], {name: value[:, None] for name, value in stats.items()})


@dataclass(frozen=True)
class MAP:
    """The best mode alone: a point, not a posterior."""

    starts: int = 64

    judge = staticmethod(judge_map)

    def run(self, model: Model, batch: Batch, seed: int, clock: Clock) -> Chains:
        """Find the best mode of each curve."""
        modes = clock.timed("start", search, model, batch.data, batch.keys, seed, self.starts)
        best = [
            max((best_of(found, model), *found), key=lambda m: m.log_density) for found in modes
        ]
        density = np.array([mode.log_density for mode in best])
        return Chains(
            np.stack([mode.z for mode in best])[:, None, None],
            {"log_density": density[:, None, None]},
        )


DRAWN_BY: Mapping[str, type[NUTS] | type[Laplace]] = {"NUTS": NUTS, "Laplace": Laplace}
"""Samplers that draw a posterior, by the name that a fit keeps of its own."""


def _disperse(
    model: Model, batch: Batch, modes: list[list[Mode]], seed: int, chains: int
) -> tuple[list[list[Mode]], Point]:
    """Return each chain's own mode, and a point scattered about it from which it starts.

    Chains of one mode alone would make R-hat look better than it is. Candidates are drawn one
    and a half times as wide as the mode's covariance; the first whose density is not absurdly
    low is taken, so that a curved posterior starts no chain far outside its mass.
    """
    tries, size = max(1, 64 // chains), model.size
    own, candidates = [], np.empty((len(modes), chains, tries, size))
    for row, (number, found) in enumerate(zip(batch.keys, modes, strict=True)):
        rng = np.random.default_rng([seed, number, 1])
        best = best_of(found, model)
        near = [m for m in found if m.log_evidence > best.log_evidence - SPREAD] or [best]
        own.append([near[chain] if chain < len(near) else near[0] for chain in range(chains)])
        for chain, mode in enumerate(own[-1]):
            noise = rng.normal(size=(tries, size)) * 1.5
            noise[-1] = 0.0
            candidates[row, chain] = mode.z + noise @ mode.scale.T
    points = evaluate(model, candidates.reshape(len(modes), -1, size), batch.data)
    points = jax.tree.map(lambda leaf: leaf.reshape(candidates.shape[:3] + leaf.shape[2:]), points)
    least = np.array([[mode.log_density - 3 * size for mode in row] for row in own])
    allowed = points.log_density > least[..., None]
    allowed &= np.isfinite(points.gradient).all(-1)
    allowed[..., -1] = True
    pick = allowed.argmax(-1)
    rows, cols = np.indices(pick.shape)
    return own, jax.tree.map(lambda leaf: leaf[rows, cols, pick], points)
