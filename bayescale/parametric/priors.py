"""Priors in the user's terms: from a range and the mass that lies inside it.

Any NumPyro distribution is a prior; these helpers save the arithmetic. Use `positive` for
exponents, scales and anything that must stay above zero, `real` for what may take either
sign, `fraction` for what lives between 0 and 1.
"""

from __future__ import annotations

from math import isfinite, log
from statistics import NormalDist

import numpyro.distributions as dist
from numpyro.distributions import Distribution

__all__ = ["Distribution", "fraction", "positive", "real"]


def _centre_and_sd(lo: float, hi: float, mass: float) -> tuple[float, float]:
    if not (isfinite(lo) and isfinite(hi) and lo < hi):
        raise ValueError(f"a prior's range needs lo < hi, got {lo} and {hi}")
    if not 0 < mass < 1:
        raise ValueError(f"a prior's mass lies between 0 and 1, got {mass}")
    return (lo + hi) / 2, (hi - lo) / (2 * NormalDist().inv_cdf((1 + mass) / 2))


def real(lo: float, hi: float, mass: float = 0.9) -> Distribution:
    """Normal with probability `mass` between `lo` and `hi`, and equal tails.

    Returns
    -------
    Distribution
        A NumPyro distribution.

    Raises
    ------
    ValueError
        If lo is not below hi, or the mass not between 0 and 1.

    Examples
    --------
    >>> slope = bs.real(-1, 1)
    >>> round(float(slope.cdf(1.0) - slope.cdf(-1.0)), 3)
    0.9
    """
    return dist.Normal(*_centre_and_sd(lo, hi, mass))


def positive(lo: float, hi: float, mass: float = 0.9) -> Distribution:
    """Log-normal with probability `mass` between `lo` and `hi`, and equal tails.

    Returns
    -------
    Distribution
        A NumPyro distribution.

    Raises
    ------
    ValueError
        If lo is not above 0 and below hi, or the mass not between 0 and 1.

    Examples
    --------
    >>> alpha = bs.positive(0.1, 1)
    >>> [round(float(alpha.icdf(q)), 3) for q in (0.05, 0.5, 0.95)]
    [0.1, 0.316, 1.0]
    """
    if not 0 < lo < hi:
        raise ValueError(f"a positive prior's range needs 0 < lo < hi, got {lo} and {hi}")
    return dist.LogNormal(*_centre_and_sd(log(lo), log(hi), mass))


def fraction(mean: float, concentration: float) -> Distribution:
    """Beta with the given mean, worth `concentration` observations.

    Returns
    -------
    Distribution
        A NumPyro distribution.

    Raises
    ------
    ValueError
        If the mean is not between 0 and 1, or the concentration not above 0.

    Examples
    --------
    >>> floor = bs.fraction(0.25, 8)
    >>> round(float(floor.mean), 3)
    0.25
    """
    if not (0 < mean < 1 and concentration > 0):
        raise ValueError(
            f"a fraction's prior needs 0 < mean < 1 and concentration > 0, "
            f"got {mean} and {concentration}"
        )
    return dist.Beta(mean * concentration, (1 - mean) * concentration)
