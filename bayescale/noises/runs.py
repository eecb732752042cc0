"""runs: how rows that are of one run depend on each other.

Checkpoints of a run are off the law together, by what is the run's own (its seed, its data, its
settings), and neighbours among them more than others. Runs of which each has one row are
independent: no part of this is asked for then.
"""

from __future__ import annotations

from ..parametric.base import Parametric, from_signature
from ..parametric.coordinates import scaled
from ..parametric.parametric import Noise
from ..parametric.priors import positive
from .loss import RELATIVE

__all__ = ["DEPENDENCES", "dependence"]

# In e-folds of the scale along which the rows of a run lie, whichever of its checkpoints are in the
# table. Noise of single evaluations is forgotten from one to the next; what a law misses of a
# training curve lasts for one to ten e-folds (GPT-3, OLMo).
LENGTH = positive(0.03, 30)
TYPICAL = scaled(RELATIVE, lambda s, at: s * at.y, says="{}, times a typical response")


def within(gap, *, run_length=LENGTH):
    """e_i = rho_i e_(i-1) + sqrt(1 - rho_i^2) innovation, rho_i = exp(-gap_i/run_length).

    Rows of one run about its own curve: gap is the distance in log scale to the row before, and
    run_length that over which a residual is forgotten. Of one run alone: a law fitted to it is of
    this run, and tells nothing of how runs differ.
    """
    return gap / run_length, None


def between(gap, *, run_sd=RELATIVE, run_length=LENGTH):
    """log y - log mean = b + e_i, b ~ Normal(0, run_sd) of the run, e_i as in `within`.

    run_sd is relative: how far the level of one run is off the law.
    """
    return gap / run_length, run_sd


def between_plain(gap, *, run_sd=TYPICAL, run_length=LENGTH):
    """y - mean = b + e_i, b ~ Normal(0, run_sd) of the run, e_i as in `within`.

    run_sd is in the unit of the response.
    """
    return gap / run_length, run_sd


DEPENDENCES: dict[str, Parametric] = {
    fn.__name__: from_signature(Parametric, fn) for fn in (within, between, between_plain)
}


def dependence(noise: Noise, several: bool) -> Parametric:
    """Return how rows of a run depend under a noise; `several`: there is more than one run."""
    if not several:
        return DEPENDENCES["within"]
    return DEPENDENCES["between" if noise.support == "positive" else "between_plain"]
