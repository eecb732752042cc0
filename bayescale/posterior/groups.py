"""Groups: what a pooled fit says of one group, of the average one, and of a new one.

These are three different forecasts. `for_group(fit, "Llama-2")` is of a group that was seen;
`for_group(fit, AVERAGE)` of the centre about which groups scatter; `for_group(fit, NEW)` of one
that was not seen, and is the widest. Each is a Posterior of the same law, so that every question
can be put to it; without `for_group` a pooled fit speaks of the average group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from ..data.given import same_label
from ..messages import Note, a_seed, near
from ..model.pooling import shifted
from .display import MASS, Sheet, Shown, number, share, span
from .intervals import INTERVAL, plain, summarise_shift
from .mixture import a_fit
from .posterior import Posterior

__all__ = ["AVERAGE", "NEW", "OWN_GROUP", "GroupShift", "for_group", "group_shift"]

AVERAGE = "the average one"
NEW = "a new one"
OWN_GROUP = "of the groups, this speaks of each row's own"
"""What is said with an answer about the rows of the table."""


def for_group(posterior: Posterior, name: str, *, seed: int = 0) -> Posterior:
    """Return the posterior of the law for one group, `AVERAGE` or `NEW`.

    Parameters
    ----------
    posterior
        A fit in which parameters are pooled by group.
    name
        A group of the data, `AVERAGE` (all shifts 0) or `NEW` (shifts drawn from their sd).
    seed
        Decides the shifts of a new group.

    Returns
    -------
    Posterior
        Of the same law, its pooled parameters those of the group.

    Raises
    ------
    ValueError
        If nothing is pooled, or there is no such group.

    Examples
    --------
    >>> seen = bs.for_group(pooled_fit, "cloze")
    >>> unseen = bs.for_group(pooled_fit, bs.NEW)
    >>> np.log(unseen.draws["x50"]).std() > np.log(seen.draws["x50"]).std()
    np.True_
    """
    model, names = a_fit(posterior, mixtures=False).model, posterior.data.group_names
    if not model.pool:
        raise ValueError("nothing is pooled in this fit: name a column of groups (--group)")
    name = name if name in (AVERAGE, NEW) else same_label(name, names)
    if name not in (*names, AVERAGE, NEW):
        raise ValueError(f"no group {name!r}{near(name, names)}; or take NEW or AVERAGE")
    rng, draws = np.random.default_rng([a_seed(seed), 3]), dict(posterior.draws)
    for each in model.pool:
        shifts = draws[f"{each}_shift"]
        if name in names:
            moved = shifts[..., names.index(name)]
        else:
            spread = draws[f"{each}_sd"] * (name == NEW)
            moved = spread * rng.normal(size=spread.shape)
        with np.errstate(over="ignore"), jax.enable_x64(True):
            draws[each] = np.asarray(shifted(posterior.law, each, draws[each], moved), float)
        draws[f"{each}_shift"] = np.zeros_like(shifts)  # it is in the parameter now
    data = posterior.data
    note = Note("group", f"of the groups, this speaks of {name}")
    return replace(
        posterior,
        draws=draws,
        data=replace(data, notes=(*data.notes, note)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class GroupShift(Shown):
    """How far a pooled parameter of one group lies from another's."""

    parameter: str
    group: str
    other: str
    link: str
    """`log`: draws are of log ratios; `logit`: of log odds; `identity`: of differences; `years`: of
    dates."""
    draws: np.ndarray
    """Shift of `group` less that of `other`, on the link's scale, (draw,)."""

    def summary(self, mass: float = INTERVAL) -> dict[str, Any]:
        """Return median and interval, log ratios as decades, and P(above 0)."""
        return plain(summarise_shift(self.draws, self.link, mass))

    def sheets(self) -> list[Sheet]:
        """Return one row: the shift and the probability that it is above 0."""
        found = self.summary()
        row = [number(found["median"], 3), span(found["lo"], found["hi"]), share(found["p_above"])]
        head = f"{self.parameter} of {self.group} less that of {self.other}, in {found['unit']}"
        return [Sheet(("", "median", f"{MASS} interval", "P(above 0)"), [["shift", *row]], head)]


def group_shift(
    posterior: Posterior, group: str, other: str = AVERAGE, *, of: str | None = None
) -> GroupShift:
    """Return how far a pooled parameter of one group lies from another group's.

    Both are of the same draws: the interval is of the difference.

    Parameters
    ----------
    of
        The pooled parameter; by default the first.

    Returns
    -------
    GroupShift
        The difference in every draw, on the scale on which groups differ.

    Raises
    ------
    ValueError
        If nothing is pooled, or there is no such group or pooled parameter.

    Examples
    --------
    >>> shift = bs.group_shift(pooled_fit, "letters", "cloze")
    >>> shift.parameter, shift.link
    ('x50', 'log')
    >>> float(np.exp(np.median(shift.draws))) > 2  # letters unlock at a larger scale
    True
    """
    model, names = a_fit(posterior, mixtures=False).model, posterior.data.group_names
    of = of or (model.pool[0] if model.pool else "")
    if of not in model.pool:
        raise ValueError(f"{of!r} is not pooled; pooled are {', '.join(model.pool) or 'none'}")
    group, other = (each if each == AVERAGE else same_label(each, names) for each in (group, other))
    for name in (group, other):
        if name not in (*names, AVERAGE):
            raise ValueError(f"no group {name!r}{near(name, names)}")
    shifts = posterior.flat()[f"{of}_shift"]
    at = {name: shifts[..., i] for i, name in enumerate(names)} | {AVERAGE: 0.0}
    return GroupShift(of, group, other, posterior.shift_link(of), at[group] - at[other])
