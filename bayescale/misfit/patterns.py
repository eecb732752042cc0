"""patterns: whether residuals lie together along a scale, more than the noise lets them.

A fit takes up part of what is wrong with it. Where the posterior moves the law along a direction
of the rows as far as the noise would, the residual there is nothing; where the law cannot go, as a
falling law cannot rise, the residual is whole. With residuals in units of the noise and C the
posterior covariance of the law at the rows, a sound fit leaves residuals of covariance 1 - C,
which is what they are held against.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.polynomial import legendre

__all__ = ["Pattern", "Residue", "pattern", "residue"]

SETS = 2000
"""Sets of simulated residuals, which say what noise alone does; fewer of very long tables."""
CELLS = 2_000_000
"""Simulated residuals in all at most, or nearly."""
ROUGH = 4.0
"""Deviations at which a residual is cut off: single runs far out are no pattern."""
BLOCKS = 8
"""Stretches of a scale of which each has one mean residual."""
WIDE = 1e5
"""Widths of the noise beyond which the law may be anywhere: shares stay exact to 1e-4."""
LITTLE = 0.1
"""Share of the noise's variance up to which a direction is one that the fit takes up."""
LEFT = 3
"""Directions that a fit leaves to the noise from which on some are a pattern beside the others: all
statistics are of shares, and what lies in one or two directions always looks alike."""
SEED = 17
"""Of the simulated residuals: the same draws always get the same verdict."""


@dataclass(frozen=True)
class Residue:
    """What a fit leaves over, one entry a row."""

    residual: Float[np.ndarray, " row"]
    """Measured less fitted: of logs where the response is positive."""
    noise: Float[np.ndarray, " row"]
    """Half the width of the noise's central 68 %, in the same unit."""
    fitted: Float[np.ndarray, " row"]
    """Median of the law, in the same unit."""
    modes: Float[np.ndarray, "row mode"]
    """Directions of the rows in which the posterior moves the law, orthonormal."""
    taken: Float[np.ndarray, " mode"]
    """Share of the noise's variance that the fit takes up along each, 0 to 1."""

    @property
    def free(self) -> int:
        """How many directions the fit leaves to the noise."""
        return len(self.residual) - int(np.sum(1 - self.taken <= LITTLE))

    def scaled(self, rows: Float[np.ndarray, "set row"], factor: Float[np.ndarray, " mode"]):
        """Return sets of rows with what lies along each direction times its factor."""
        return rows + (rows @ self.modes) * (factor - 1) @ self.modes.T


def residue(measured: np.ndarray, law: np.ndarray, runs: np.ndarray, positive: bool) -> Residue:
    """Return residuals beside the noise, and what the fit can take up of them.

    Parameters
    ----------
    measured
        Responses, (row,).
    law, runs
        The law and a new run under draws of the posterior, (draw, row).
    positive
        Whether the response is positive, and residuals are of logs.
    """
    if positive:
        measured, law, runs = (np.log(np.clip(v, 1e-300, 1e300)) for v in (measured, law, runs))
    fitted = np.median(law, 0)
    gaps = runs - law
    lo, hi = np.quantile(gaps, [0.16, 0.84], axis=0)
    noise = (hi - lo) / 2
    alike = noise <= 0  # as counts may be in the middle 68 %
    noise[alike] = np.minimum(abs(gaps[:, alike]), 1e100).mean(0)
    noise = np.maximum(noise, np.finfo(float).tiny ** 0.5)
    modes, taken = _taken((law - law.mean(0)) / noise)
    return Residue(measured - fitted, noise, fitted, modes, taken)


def _taken(away: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return directions of the rows, (row, mode), and their shares of 1, of draws, (draw, row).

    By the smaller of the two products and not by singular values, over which threads of LAPACK
    that wait for each other take a hundred times as long where cores are shared.
    """
    away = np.clip(away, -WIDE, WIDE) / np.sqrt(len(away))
    many = len(away) < away.shape[1]
    shares, modes = np.linalg.eigh(away @ away.T if many else away.T @ away)
    known = shares > 1e-4
    shares, modes = shares[known], modes[:, known]
    return away.T @ modes / np.sqrt(shares) if many else modes, np.minimum(shares, 1.0)


@dataclass(frozen=True)
class Pattern:
    """How residuals lie along the scales."""

    chance: float = 1.0
    """Probability that noise alone would lie together so."""
    size: float = 0.0
    """Root mean square of the mean residuals of stretches of a scale, in the residuals' unit."""
    relative: float = 0.0
    """The same, as a multiple of what the law itself varies by over the rows."""
    turn: float = 0.0
    """How far the data go back against the law, as a share of all that they go."""
    end: float = 0.0
    """Median residual of the last quarter of the span."""
    end_chance: float = 1.0
    """Probability that noise alone would set the last quarter off so."""


def pattern(left: Residue, scales: Float[np.ndarray, "row scale"]) -> Pattern:
    """Return how residuals lie along the scales, beside what noise would do.

    Two statistics tell a pattern: what low polynomials of the ranks of the scales take off the
    residual sum of squares, and the successive differences along each scale (von Neumann 1941,
    doi 10.1214/aoms/1177731677). The chance is of the smaller one, doubled.
    Nothing is told where the fit leaves fewer than three directions.

    Parameters
    ----------
    scales
        Logs of the scales.
    """
    from scipy.special import erfc

    if left.free < LEFT:
        return Pattern()
    count = len(left.residual)
    units = _cut((left.residual / left.noise)[None])
    rng = np.random.default_rng(SEED)
    sets = int(np.clip(CELLS / count, 1000, SETS))
    normal = rng.standard_normal((sets, count))
    null = _cut(left.scaled(normal, np.sqrt(1 - left.taken)))
    # Rows at one place in any order: tables may have them sorted by what was measured.
    any_order = rng.random(count)
    orders = [
        np.lexsort([any_order, *np.delete(scales, j, 1).T, x]) for j, x in enumerate(scales.T)
    ]
    smooth = _smooth(left, scales)
    chances = [_chance(stat(null), stat(units)) for stat in (smooth, _together(orders))]
    ways = [_stretches(_without_single(left.residual[each]), left.fitted[each]) for each in orders]
    size, turn = max(ways)
    last = scales[:, 0] >= scales[:, 0].max() - np.ptp(scales[:, 0]) / 4
    ends = abs(null[:, last].mean(1)), abs(units[:, last].mean(1))
    # Where the fit takes up nearly all of it, next to nothing would be much: as if it took none.
    alone = float(erfc(ends[1][0] * np.sqrt(last.sum() / 2)))
    return Pattern(
        chance=min(1.0, 2 * min(chances)),
        size=size,
        relative=size / max(float(left.fitted.std()), np.finfo(float).tiny),
        turn=turn,
        end=float(np.median(left.residual[last])),
        end_chance=max(_chance(*ends), alone),
    )


def _cut(residuals: np.ndarray) -> np.ndarray:
    """Return residuals, (set, row), none farther out than `ROUGH` deviations.

    Of the noise, or robust ones of the residuals where these are larger.
    """
    middle = np.median(residuals, -1, keepdims=True)
    usual = 1.4826 * np.median(abs(residuals - middle), -1, keepdims=True)
    reach = ROUGH * np.maximum(usual, 1.0)
    return np.clip(residuals, middle - reach, middle + reach)


def _chance(null: np.ndarray, found: np.ndarray) -> float:
    """Return the share of simulated statistics that are as large as the one found."""
    return float((1 + np.sum(null >= found[0])) / (1 + len(null)))


def _smooth(left: Residue, scales: np.ndarray):
    """Return the statistic: what polynomials of the ranks take off, over what they leave.

    Residuals are first set in units of what a sound fit leaves; directions of which it takes nine
    tenths say nothing.
    """
    kept = 1 - left.taken
    root = np.where(kept > LITTLE, np.sqrt(kept), 0.0)
    whiten = np.where(kept > LITTLE, 1 / np.sqrt(np.maximum(kept, LITTLE)), 0.0)

    shapes = _polynomials(scales)
    directions, sizes, _ = np.linalg.svd(left.scaled(shapes, root).T, full_matrices=False)
    told = sizes > 0.1 * np.linalg.norm(shapes, axis=1).max(initial=0.0)
    basis = directions[:, told][:, : left.free // 3]

    def statistic(residuals):
        white = left.scaled(residuals, whiten)
        taken = ((white @ basis) ** 2).sum(-1)
        return taken / np.maximum((white**2).sum(-1) - taken, 1e-300)

    return statistic


def _polynomials(scales: np.ndarray) -> np.ndarray:
    """Return low polynomials of the ranks of each scale, and products of two, (shape, row)."""
    ranks, shapes = [], []
    for x in scales.T:
        values = np.unique(x)
        ranks.append((np.searchsorted(values, x) + 0.5) / len(values) * 2 - 1)
        degree = min(5 if scales.shape[1] == 1 else 4, len(values) - 1)
        shapes += list(legendre.legvander(ranks[-1], degree).T[1:])
    pairs = [a * b for i, a in enumerate(ranks) for b in ranks[:i]]
    return np.array([*shapes, *pairs]).reshape(-1, len(scales))


def _together(orders: list[np.ndarray]):
    """Return the statistic: how small successive differences are, along the scale that tells."""

    def statistic(residuals):
        total = np.maximum((residuals**2).sum(1), 1e-300)
        steps = [(np.diff(residuals[:, order]) ** 2).sum(1) / total for order in orders]
        return -np.min(steps, axis=0)

    return statistic


def _without_single(left: np.ndarray) -> np.ndarray:
    """Return each residual's median with its two neighbours: what one run has alone is gone."""
    if len(left) < 3:
        return left
    inside = np.median([left[:-2], left[1:-1], left[2:]], axis=0)
    return np.concatenate([inside[:1], inside, inside[-1:]])


def _stretches(left: np.ndarray, fitted: np.ndarray) -> tuple[float, float]:
    """Return size and turn of the mean residuals of stretches, rows in order."""
    parts = np.array_split(np.arange(len(left)), max(2, min(BLOCKS, len(left) // 2)))
    means, law = (np.array([of[part].mean() for part in parts]) for of in (left, fitted))
    goes = (law + means) * np.sign(law[-1] - law[0])
    back = np.maximum.accumulate(goes) - goes
    turn = float(back.max() / max(np.ptp(goes), np.finfo(float).tiny))
    return float(np.sqrt(np.mean(means**2))), turn
