"""Laws that rivals draw through a curve, and their best fits.

Laws are fitted by least squares of log y, all by one descent from many starts, the best fit of
every law that they contain among these: none fits worse than one it contains. With t = log x,
centred, and all exponents of either sign:

    M1      y = b x^c
    M2      y = E + b x^c
    M3      y = b (1/x + g)^c
    M4      (y - E) / (Y - y)^a = b x^c, a > 0
    BNSL k  y = E + b x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i), i = 1 .. k

M1 to M4: Alabdulmohsin, Neyshabur and Zhai 2022 (arXiv 2209.06640) and their code; BNSL: Caballero,
Gupta, Rish and Krueger 2022 (arXiv 2210.14891). A law that has fewer than two rows to spare gives
way to the largest that it contains and that has.

Their code fits M4 by another measure, the squares of log(y - E) - a log(Y - y) - log b - c log x,
with c <= 0 and a >= 0, by linear regression and steps in E and Y in turn. `own_measure` finds the
least of it; it is no least squares of log y, and no law is held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize, nnls
from scipy.special import expit

NONE = -30.0
"""Log of a floor, over the least y, that is none."""
SHARES = (0.0, 0.3, 0.6, 0.9, 0.98)
"""Of the least y, at which floors start."""
WIDTHS = (0.1, 0.5)
"""Of breaks, in shares of the range of t, at which they start."""
ROUGH, FINE, KEPT = 12, 80, 8
"""Steps of the descent from all starts, and then from the best few."""


class Form(NamedTuple):
    """A law of log y over t."""

    log_law: Callable
    """theta (start, parameter), t (row,) -> log y (start, row)."""
    starts: Callable
    """t, log y -> theta (start, parameter)."""
    bounds: np.ndarray
    """(2, parameter)."""
    contains: Mapping[str, Callable]
    """By name of a law it contains: that law's theta, t, log y -> its own theta of the same law."""


def _softplus(z):
    return np.logaddexp(0.0, z)


def _linear(columns: list, target: np.ndarray) -> np.ndarray:
    """Return the coefficients of 1 and of the columns by least squares."""
    return np.linalg.lstsq(np.stack([np.ones_like(target), *columns], 1), target, rcond=None)[0]


def _floors(v: np.ndarray):
    """Give floors to start from, their logs, and the log of what lies above each."""
    for share in SHARES:
        floor = share * np.exp(v.min())
        yield floor, np.log(floor) if share else NONE + v.min(), np.log(np.exp(v) - floor)


def _starts1(t, v):
    return np.array([_linear([t], v)])


def _law1(p, t):
    return p[:, :1] + p[:, 1:] * t


def _starts2(t, v):
    return np.array([[log_floor, *_linear([t], above)] for _, log_floor, above in _floors(v)])


def _law2(p, t):
    return np.logaddexp(p[:, :1], p[:, 1:2] + p[:, 2:] * t)


def _starts3(t, v):
    marks = -np.quantile(t, [0.1, 0.3, 0.5, 0.7, 0.9])
    return np.array([[*_linear([np.logaddexp(-t, g)], v), g] for g in [-30.0, *marks]])


def _law3(p, t):
    return p[:, :1] + p[:, 1:2] * np.logaddexp(-t, p[:, 2:])


def _starts4(t, v):
    found, most = [], np.exp(v.max())
    for floor, log_floor, _ in _floors(v):
        for reach in (1.02, 1.5, 10.0):
            span = reach * (most - floor)
            u = (np.exp(v) - floor) / span
            for a in (0.3, 1.0, 2.0):
                line = _linear([t], np.log(u) - a * np.log1p(-u))
                found.append([log_floor, np.log(span), *line, np.log(a)])
    return np.array(found)


def _law4(p, t):
    """With y = E + B u, u/(1 - u)^a = s and log s = k + c t: u = expit(z) by Newton in z.

    z - (1 - a) log(1 + e^z) = log s has one root; from the start below no step goes past it.
    """
    log_floor, log_span, k, c, log_a = (p[:, i : i + 1] for i in range(5))
    a, target = np.exp(log_a), k + c * t
    z = np.where(target < 0, target, target / a)
    for _ in range(60):
        gap = z - (1 - a) * _softplus(z) - target
        z = z - gap / (expit(-z) + a * expit(z))
        if np.max(np.abs(gap)) < 1e-9:
            break
    return np.logaddexp(log_floor, log_span - _softplus(-z))


def _starts_broken(breaks: int):
    def starts(t, v):
        found = []
        marks = np.quantile(t, np.linspace(0.1, 0.95, 5))
        for _, log_floor, above in list(_floors(v))[::2]:
            for at in combinations(marks, breaks):
                for width in WIDTHS:
                    f = width * np.ptp(t)
                    b, c0, *rest = _linear([-t, *(-f * _softplus((t - d) / f) for d in at)], above)
                    parts = [(c, d, np.log(f)) for c, d in zip(rest, at, strict=True)]
                    found.append([log_floor, b, c0, *np.ravel(parts)])
        return np.array(found)

    return starts


def _law_broken(p, t):
    line = p[:, 1:2] - p[:, 2:3] * t
    for i in range(3, p.shape[1], 3):
        c, d, f = p[:, i : i + 1], p[:, i + 1 : i + 2], np.exp(p[:, i + 2 : i + 3])
        line = line - c * f * _softplus((t - d) / f)
    return np.logaddexp(p[:, :1], line)


def _within_broken(p, t, v):
    """Return M3's law as one of a break: the width 1, from one exponent to none."""
    b, c, g = p
    return np.array([NONE + v.min(), b, c, -c, -g, 0.0])


def _one_more(p, t, v):
    return np.array([*p, 0.0, np.median(t), np.log(WIDTHS[1] * np.ptp(t))])


LEVEL, EXPONENT = (-60.0, 60.0), (-10.0, 10.0)
BREAK = [EXPONENT, (-40.0, 40.0), (-6.0, 4.0)]
FORMS = {
    "M1": Form(_law1, _starts1, np.array([LEVEL, EXPONENT]).T, {}),
    "M2": Form(
        _law2,
        _starts2,
        np.array([LEVEL, LEVEL, EXPONENT]).T,
        {"M1": lambda p, t, v: np.array([NONE + v.min(), *p])},
    ),
    "M3": Form(
        _law3,
        _starts3,
        np.array([LEVEL, EXPONENT, (-40.0, 40.0)]).T,
        {"M1": lambda p, t, v: np.array([p[0], -p[1], -40.0])},
    ),
    "M4": Form(
        _law4,
        _starts4,
        np.array([LEVEL, LEVEL, LEVEL, EXPONENT, (-20.0, 4.0)]).T,
        {
            # a near 0, and Y so high above that no row comes near it
            "M2": lambda p, t, v: np.array(
                [p[0], (top := np.max(p[1] + p[2] * t) + 3), p[1] - top, p[2], -20.0]
            )
        },
    ),
    "BNSL 1": Form(
        _law_broken,
        _starts_broken(1),
        np.array([LEVEL, LEVEL, EXPONENT, *BREAK]).T,
        {"M2": lambda p, t, v: _one_more([p[0], p[1], -p[2]], t, v), "M3": _within_broken},
    ),
    "BNSL 2": Form(
        _law_broken,
        _starts_broken(2),
        np.array([LEVEL, LEVEL, EXPONENT, *BREAK, *BREAK]).T,
        {"BNSL 1": _one_more},
    ),
}


def descend(form: Form, p: np.ndarray, t: np.ndarray, v: np.ndarray, steps: int):
    """Return where Levenberg-Marquardt comes from each start, and its sum of squares.

    Parameters
    ----------
    p
        Starts, (start, parameter).
    v
        Log y, (row,), or (start, row).
    """
    lo, hi = form.bounds
    p = np.clip(p, lo, hi)
    gap = form.log_law(p, t) - v
    sse, damp = np.square(gap).sum(1), np.full(len(p), 1e-2)
    for _ in range(steps):
        moves = 1e-5 * np.eye(p.shape[1])
        near = [(form.log_law(p + m, t) - form.log_law(p - m, t)) / 2e-5 for m in moves]
        slope = np.stack(near, 2)
        square = np.einsum("bni,bnj->bij", slope, slope)
        size = np.einsum("bii->bi", square)
        ridge = damp[:, None] * (size + 1e-9)
        down = np.einsum("bni,bn->bi", slope, gap)
        step = np.linalg.solve(square + ridge[..., None] * np.eye(p.shape[1]), down[..., None])
        new = np.clip(p - step[..., 0], lo, hi)
        left = form.log_law(new, t) - v
        found = np.square(left).sum(1)
        better = found < sse
        small = np.where(better, sse - found, 0.0) <= 1e-9 * sse
        p, gap = np.where(better[:, None], new, p), np.where(better[:, None], left, gap)
        sse, damp = (
            np.where(better, found, sse),
            np.clip(damp * np.where(better, 0.3, 4), 1e-9, 1e9),
        )
        if np.all(small & (better | (damp > 1e8))):
            break
    return p, sse


class Fitted(NamedTuple):
    """A law's best fit."""

    name: str
    """Of the law: one it contains, where rows were few."""
    p: np.ndarray
    sse: float
    alone: float
    """The least sum of squares from its own starts, no law that it contains among them."""


def fitted(name: str, t: np.ndarray, v: np.ndarray, smaller: Mapping[str, Fitted]) -> Fitted:
    """Return the best fit of a law, those of the laws that it contains being known."""
    form = FORMS[name]
    if len(t) < form.bounds.shape[1] + 2 and form.contains:
        return smaller[next(iter(form.contains))]
    own = form.starts(t, v)
    # Where a contained law gave way itself, the one that it gave way to is contained through it.
    within = [f(smaller[k].p, t, v) for k, f in form.contains.items() if smaller[k].name == k]
    p, sse = descend(form, np.array([*own, *within]), t, v, ROUGH)
    first = np.argsort(sse[: len(own)])[:KEPT]
    p, sse = descend(form, p[[*first, *range(len(own), len(p))]], t, v, FINE)
    best = np.argmin(sse)
    return Fitted(name, p[best], float(sse[best]), float(sse[: len(first)].min()))


def own_measure(t: np.ndarray, v: np.ndarray, smaller: Mapping[str, Fitted]) -> Fitted:
    """Return M4 where its authors' measure is least; the law that M4 gives way to, of few rows."""
    if smaller["M4"].name != "M4":
        return smaller["M4"]
    y = np.exp(v)

    def parts(at):
        floor, top = y.min() * expit(at[0]), y.max() + np.exp(at[1])
        # The constant is of either sign: 1 and -1.
        columns = np.stack([np.ones_like(t), -np.ones_like(t), -t, np.log(top - y)], 1)
        (k, less, down, a), off = nnls(columns, np.log(y - floor))
        return off**2, floor, top, k - less, -down, a

    cost = lambda at: parts(at)[0]  # noqa: E731
    gaps = np.log(y.max() * np.geomspace(1e-3, 10, 7))
    grid = [(e, gap) for e in (-10, *np.linspace(-3, 4, 10)) for gap in gaps]
    how = dict(method="Nelder-Mead", bounds=[(-30, 12), (gaps[0], 12)])
    tries = [minimize(cost, at, **how) for at in sorted(grid, key=cost)[:4]]
    _, floor, top, k, c, a = parts(min(tries, key=lambda one: one.fun).x)
    log_span = np.log(top - floor)
    p = [np.log(floor), log_span, k + (a - 1) * log_span, c, np.log(max(a, 1e-9))]
    p = np.clip([p], *FORMS["M4"].bounds)
    sse = float(np.square(FORMS["M4"].log_law(p, t) - v).sum())
    return Fitted("M4", p[0], sse, sse)


def worse(fits: Mapping[str, Fitted]) -> list[tuple[str, str, bool, bool]]:
    """Return of each law and one it contains, both fitted, whether it fits worse: so, and alone."""
    pairs = [(name, k) for name, one in fits.items() for k in FORMS[name].contains]
    pairs = [(a, b) for a, b in pairs if fits[a].name == a and fits[b].name == b]
    most = {b: fits[b].sse * (1 + 1e-4) + 1e-10 for _, b in pairs}
    return [(a, b, fits[a].sse > most[b], fits[a].alone > most[b]) for a, b in pairs]
