"""budget: compute budgets as people say them, in FLOP."""

from __future__ import annotations

import re
from math import inf

__all__ = ["budget"]

DAY = 86_400.0
SECONDS = {"seconds": 1.0, "hours": 3600.0, "days": DAY, "years": 365.25 * DAY}
FLOPS = {"t": 1e12, "p": 1e15, "e": 1e18}
_FORM = re.compile(
    r"([0-9][0-9_.]*(?:e[+-]?[0-9]+)?)\s*"
    r"(?:(flops?)"
    r"|(gpu|tera-?flop/?s?|peta-?flop/?s?|exa-?flop/?s?|[tpe]f(?:lop/?s?)?)"
    r"[- ]?(second|hour|day|year)s?)?",
    re.IGNORECASE,
)
EXAMPLES = '"5.76e23", "5.76e23 FLOP", "100 pf-days" or "1000 gpu-days" (also -hours, -years)'


def budget(
    text: str | float,
    *,
    flops_per_gpu: float | None = None,
    mfu: float | None = None,
) -> float:
    """Return a budget in FLOP: "5.76e23", "1000 gpu-days", "100 pf-days".

    A petaflop/s-day is 1e15 x 86,400 = 8.64e19 FLOP. GPU time is worth
    number x seconds x flops_per_gpu x mfu.

    Parameters
    ----------
    flops_per_gpu
        Peak FLOP a second of one GPU, for GPU time: about 3e14 for an A100, 1e15 for an H100, dense
        bfloat16.
    mfu
        Share of that peak that training gets, in (0, 1], typically .3 to .5; for GPU time.

    Returns
    -------
    float
        FLOP.

    Raises
    ------
    ValueError
        If the text is none of these, is not positive, or GPU time lacks what it is worth.

    Examples
    --------
    >>> bs.budget("1000 gpu-days", flops_per_gpu=1e15, mfu=0.4)
    3.456e+22
    """
    found = _FORM.fullmatch(str(text).strip().replace(",", "_"))
    amount = _number(found[1]) if found else None
    if found is None or amount is None or not 0 < amount < inf:
        raise ValueError(f"{text!r} is no compute budget; write {EXAMPLES}")
    _, _, unit, period = found.groups()
    if unit is None:
        return amount
    seconds = amount * SECONDS[f"{period.lower()}s"]
    if unit.lower() != "gpu":
        return seconds * FLOPS[unit[0].lower()]
    if flops_per_gpu is None or not 0 < flops_per_gpu < inf or mfu is None or not 0 < mfu <= 1:
        raise ValueError(
            f"{text!r} needs what a GPU does: flops_per_gpu (--flops-per-gpu), its peak FLOP a "
            "second, such as 1e15, and mfu (--mfu), the share of it that training gets, above 0 "
            f"and up to 1, such as .4; got {flops_per_gpu} and {mfu}"
        )
    return seconds * flops_per_gpu * mfu


def _number(digits: str) -> float | None:
    try:
        return float(digits)
    except ValueError:
        return None
