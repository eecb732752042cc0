"""published: what a law says with constants that were printed, without data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ..messages import near
from ..parametric.parametric import Law
from .names import get_law
from .powers import BESIROGLU, FARSEER, HOFFMANN, KAPLAN

__all__ = ["PUBLISHED", "value_at"]

PUBLISHED: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "chinchilla": {
        "Hoffmann et al. 2022 (arXiv 2203.15556)": HOFFMANN,
        "Besiroglu et al. 2024 (arXiv 2404.10102)": BESIROGLU,
    },
    "farseer": {"Li et al. 2025 (arXiv 2506.10972)": FARSEER},
    "kaplan": {"Kaplan et al. 2020 (arXiv 2001.08361)": KAPLAN},
    "kaplan_steps": {
        "Kaplan et al. 2020 (arXiv 2001.08361)": dict(
            N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76
        )
    },
    "data_constrained": {
        "Muennighoff et al. 2023 (arXiv 2305.16264)": dict(
            E=1.869,
            A=float(np.exp(6.2554)),
            B=float(np.exp(7.3050)),
            alpha=0.3527,
            beta=0.3527,
            R_D=15.39,
            R_N=5.31,
        )
    },
}
"""Law -> source -> the constants that it prints, in the units that the law names."""
GIVEN = "as given"


def value_at(
    law: Law | str, at: Mapping[str, Any], constants: Mapping[str, float] | None = None
) -> dict[str, np.ndarray]:
    """Return what a law says at scales, by source of its constants.

    Parameters
    ----------
    law
        A law, or its name.
    at
        Scale by input, numbers or arrays of one length, in the units of the law.
    constants
        By parameter. All of them make one answer, "as given"; some of them stand in place of those
        that were published (`laws.PUBLISHED`); without any it is all that were published.

    Returns
    -------
    dict
        Source -> values of the law's response, as many as there are scales.

    Raises
    ------
    ValueError
        For a scale that is missing, unknown or not above 0, an unknown parameter, or a constant
        that is neither given nor published.

    Examples
    --------
    >>> found = bs.laws.value_at("chinchilla", {"N": 70e9, "D": 1.4e12})
    >>> {source[:8]: round(float(value), 3) for source, value in found.items()}
    {'Hoffmann': 1.937, 'Besirogl': 1.974}
    >>> own = bs.laws.value_at("power", {"x": 1e8}, {"E": 2, "A": 100, "alpha": 0.25})
    >>> round(float(own["as given"]), 9)
    3.0
    """
    law, given = get_law(law), dict(law.fixed if isinstance(law, Law) else {})
    given |= dict(constants or {})
    for name in given:
        if name not in law.parameters:
            raise ValueError(f"{law.name} has no parameter {name!r}{near(name, law.parameters)}")
    inputs = [_scales(law, name, at) for name in law.inputs]
    for name in at:
        if name not in law.inputs:
            raise ValueError(f"{law.name} has no scale {name!r}{near(name, law.inputs)}")
    for name, to in law.tied:
        if to in given:
            given.setdefault(name, given[to])
    missing = [name for name in law.parameters if name not in given]
    sets = {GIVEN: given} if not missing else {}
    if missing:
        changed = f", with {', '.join(given)} as given" if given else ""
        known = PUBLISHED.get(law.name, {})
        sets = {f"{source}{changed}": {**each, **given} for source, each in known.items()}
    if not sets:
        names = ", ".join(f"{name}=..." for name in missing)
        raise ValueError(
            f"no constants of {law.name} were published that are known here; give {names} "
            f"(--fix '{names.replace(' ', '')}')"
        )
    with jax.enable_x64(True):
        return {source: np.asarray(law.at(*inputs, **each)) for source, each in sets.items()}


def _scales(law: Law, name: str, at: Mapping[str, Any]) -> np.ndarray:
    if name not in at:
        raise ValueError(f"{law.name} needs a value for {name} (--at {name}=...)")
    values = np.asarray(at[name], float)
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise ValueError(f"{name} is positive and finite, got {values.min():g}")
    return values
