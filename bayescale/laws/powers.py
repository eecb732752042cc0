"""Sums of two powers of N and D: closed forms of laws, and the constants that were published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..parametric.parametric import Law

__all__ = [
    "BESIROGLU",
    "FARSEER",
    "HOFFMANN",
    "KAPLAN",
    "KAPLAN_FRONTIER",
    "PowerSum",
    "closed_form",
    "implied_exponent",
]


class PowerSum(NamedTuple):
    """r(loss) = A N^-alpha + B D^-beta, with r rising in the loss."""

    log_A: Any
    log_B: Any
    alpha: Any
    beta: Any
    rest: Callable[[Any], Any]
    """r: what the two terms may add up to at a given loss."""


def closed_form(law: Law, params: Mapping[str, Any]) -> PowerSum | None:
    """Return the law as a sum of two powers; None where it is none."""
    if law.powers is None:
        return None
    return law.powers(**{name: np.asarray(params[name], float) for name in law.parameters})


HOFFMANN: Mapping[str, float] = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
"""`chinchilla` as printed by Hoffmann et al. 2022, approach 3, equation 10 (arXiv 2203.15556)."""


BESIROGLU: Mapping[str, float] = dict(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
"""`chinchilla` fitted again to their figure by Besiroglu et al. 2024 (arXiv 2404.10102)."""


FARSEER: Mapping[str, float] = dict(
    s=-0.062465473,
    q=0.13,
    S=0.1284880679442551,
    B=230.73437075885855,
    b=-0.1729,
    Q=-1.544209554,
    A=-1.665630816,
    a=0.0459,
    E=3.133347198805445,
    D0=1.0,
)
"""`farseer` as fitted by Li et al. 2025 (arXiv 2506.10972) to their English runs, in bits a
character; as given to these digits by Li et al. 2026 (arXiv 2604.22753, PlanarG/active-sl,
benchmark/dataset/farseer_scaling_law/laws.py). On the 404 runs there it is off by .3 %."""


KAPLAN: Mapping[str, float] = dict(N_c=6.4e13, D_c=1.8e13, alpha_N=0.076, alpha_D=0.103)
"""`kaplan` as printed by Kaplan et al. 2020, table 2: the joint fit of L(N, D), N without
embeddings (arXiv 2001.08361). The fits in N or in D alone (equations 1.1 and 1.2) differ."""


KAPLAN_FRONTIER: Mapping[str, float] = dict(a=0.73, b=0.27)
"""N ~ C^.73 and D ~ C^.27: the frontier that Kaplan et al. 2020 (arXiv 2001.08361, section 6)
read off training curves with a schedule of one length. Ten times the compute is then 5.4 times N
and 1.9 times D, which Hoffmann et al. 2022 quote as 5.5 and 1.8. It is not what their own L(N, D)
implies under 6 N D: that is C^.575 (`implied_exponent`)."""


def implied_exponent(law: Law, constants: Mapping[str, float]) -> float:
    """Return a in N ~ C^a that the constants of a law imply under C = 6 N D.

    beta/(alpha + beta) for `chinchilla`: .452 with `HOFFMANN`, .513 with `BESIROGLU`;
    alpha_D/(alpha_N + alpha_D) for `kaplan`: .575 with `KAPLAN`.

    Returns
    -------
    float
        The exponent a.

    Raises
    ------
    ValueError
        If the law is no sum of powers of N and D, whose exponent would depend on the budget.

    Examples
    --------
    >>> from bayescale.laws import HOFFMANN, chinchilla
    >>> round(float(bs.laws.implied_exponent(chinchilla, HOFFMANN)), 3)
    0.452
    """
    form = closed_form(law, constants)
    if form is None:
        raise ValueError(
            f"{law.name} has no one exponent: it is no sum of powers of N and D, as chinchilla and "
            "kaplan are; ask allocate for the exponent at a budget"
        )
    return float(form.beta / (form.alpha + form.beta))
