"""runs: how rows that are of one run depend on each other.

Checkpoints of a run are off the law together, by what is the run's own (its seed, its data, its
settings), and neighbours among them more than others. Where each run has but one scale, nothing is
remembered along it: its rows have a level in common. Runs of which each has one row are
independent: no part of this is asked for then.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpyro.distributions as dist

from ..parametric.base import Parametric, from_signature
from ..parametric.coordinates import scaled
from ..parametric.parametric import Noise
from ..parametric.priors import positive
from .loss import RELATIVE

__all__ = ["DEPENDENCES", "dependence"]

# In e-folds of the scale along which the rows of a run lie. What a law misses of a training curve
# lasts for one to ten e-folds (GPT-3, OLMo); noise of single evaluations is forgotten from one to
# the next, which data say at once. A prior with more of the short, positive(.05, 50), took memory
# for too short: intervals held 76 to 84 % where these hold 86 to 91 (dependence.md).
LENGTH = positive(0.3, 50)
SPACING = dist.Beta(1.0, 1.0)
TYPICAL = scaled(RELATIVE, lambda s, at: s * at.y, says="{}, times a typical response")
ODDS = positive(0.01, 1)


def _memory(pace, gap, run_length, run_spacing):
    return pace / run_length * jnp.exp(run_spacing * gap)


def within(pace, gap, *, run_length=LENGTH, run_spacing=SPACING):
    """e_i = rho_i e_(i-1) + sqrt(1 - rho_i^2) innovation.

    rho_i = exp(-pace g_i^run_spacing/run_length), of rows of one run about its own curve: pace is
    the typical distance in log scale from one to the next, g_i that of a row relative to it (`gap`
    its log). Residuals are forgotten over run_length: by distance in log scale where run_spacing
    is 1, by rows, however far apart, where it is 0. Real curves are near 1. Of one run alone: a law
    fitted to it is of this run, and tells nothing of how runs differ.
    """
    return _memory(pace, gap, run_length, run_spacing), None


def between(pace, gap, *, run_sd=RELATIVE, run_length=LENGTH, run_spacing=SPACING):
    """log y - log mean = b + e_i, b ~ Normal(0, run_sd) of the run, e_i as in `within`.

    run_sd is relative: how far the level of one run is off the law.
    """
    return _memory(pace, gap, run_length, run_spacing), run_sd


def between_plain(pace, gap, *, run_sd=TYPICAL, run_length=LENGTH, run_spacing=SPACING):
    """y - mean = b + e_i, b ~ Normal(0, run_sd) of the run, e_i as in `within`.

    run_sd is in the unit of the response.
    """
    return _memory(pace, gap, run_length, run_spacing), run_sd


def between_odds(pace, gap, *, run_sd=ODDS, run_length=LENGTH, run_spacing=SPACING):
    """logit y - logit mean = b + e_i, b ~ Normal(0, run_sd) of the run, e_i as in `within`.

    run_sd is in log odds: .4 is from half to .6.
    """
    return _memory(pace, gap, run_length, run_spacing), run_sd


def together(gap, *, run_sd=RELATIVE):
    """log y - log mean = b + e_i, b ~ Normal(0, run_sd) of the set, e_i independent.

    A set is of rows of one scale: evaluations of one model, or models that have all but one thing
    in common. run_sd is relative: how far the level of one set is off the law.
    """
    return jnp.full_like(gap, jnp.inf), run_sd


def together_plain(gap, *, run_sd=TYPICAL):
    """y - mean = b + e_i, b ~ Normal(0, run_sd) of the set, e_i independent, as in `together`.

    run_sd is in the unit of the response.
    """
    return jnp.full_like(gap, jnp.inf), run_sd


def together_odds(gap, *, run_sd=ODDS):
    """logit y - logit mean = b + e_i, b ~ Normal(0, run_sd) of the set, as in `together`.

    run_sd is in log odds.
    """
    return jnp.full_like(gap, jnp.inf), run_sd


KINDS = (within, between, between_plain, between_odds, together, together_plain, together_odds)
DEPENDENCES: dict[str, Parametric] = {fn.__name__: from_signature(Parametric, fn) for fn in KINDS}


def dependence(noise: Noise, several: bool, along: bool = True) -> Parametric:
    """Return how rows of a run depend under a noise.

    Parameters
    ----------
    several
        Whether there is more than one run.
    along
        Whether a run has rows at several scales, which may be remembered from one to the next.
    """
    if not several:
        return DEPENDENCES["within"]
    kind = {"positive": "", "real": "_plain", "unit": "_odds"}[noise.support]
    return DEPENDENCES[("between" if along else "together") + kind]
