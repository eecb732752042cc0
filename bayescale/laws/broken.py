"""Broken power laws: segments of different slope that pass smoothly into each other."""

from __future__ import annotations

from functools import partial
from math import log

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.nn import softplus

from ..parametric.coordinates import scaled, share
from ..parametric.parametric import Law, law
from ..parametric.priors import positive
from .capability import CEILING, FLOOR, capability
from .factory import factory
from .loss import EXPONENT, dropped, width_of

FIRST = dist.Normal(0.3, 0.7)
"""Prior of the first slope where slopes have either sign."""


def _shape(x, c0, c, d, f):
    """x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i), the breaks on the last axis."""
    log_x = jnp.log(x)
    lead = tuple(range(log_x.ndim))
    c, log_d, f = (jnp.expand_dims(jnp.atleast_1d(v), lead) for v in (c, jnp.log(d), f))
    bends = c * f * softplus((log_x[..., None] - log_d) / f)
    return jnp.exp(-c0 * log_x - jnp.sum(bends, -1))


def _at_reference(at):
    """The product term at the reference scale, where x is 1."""
    return _shape(jnp.ones(()), at.param.c0, at.param.c, at.param.d, at.param.f)


def _first_slope(extra, raw, at):
    """Log of the first slope, from the log of the drop of log loss over the span of the data.

    As with `power`, data pin the drop down at both ends, whatever share of the level falls and
    wherever the slope changes: the falling part drops by the first slope times a length, that of
    the segments, each as often as its slope is the first one.
    """
    lo, hi = at.span.x
    width = hi - lo
    cuts = jnp.cumsum(jnp.ones(1) * at.coordinate.d)[: len(at.raw.c)]
    log_d, f = lo + (width + extra) * cuts, at.coordinate.f * width
    after = f * (softplus((hi - log_d) / f) - softplus((lo - log_d) / f))
    ratios = jnp.exp(jnp.concatenate([jnp.zeros(1), at.raw.c - EXPONENT.loc]))
    length = jnp.maximum(width + jnp.sum(jnp.diff(ratios) * after), 1e-6 * width)
    return jnp.log(dropped(raw, at.share.b)) - jnp.log(length)


def _later_slopes(raw, at):
    """Logs of the slopes after the breaks, from those of their ratios to the first."""
    return raw - EXPONENT.loc + jnp.log(at.coordinate.c0)


@factory
def broken(n_breaks: int = 1, monotone: bool = True, beyond: float = 0.0) -> Law:
    """a + b x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i): a power law with n_breaks breaks.

    Before d_1 the slope on double logarithmic axes (above the floor a) is -c0, after d_i it is
    -(c0 + c_1 + ... + c_i); f_i is the width of break i in units of log x.

    Parameters
    ----------
    n_breaks
        Number of breaks; d_i are ordered, uniform a priori over the span of the data in log x.
    monotone
        The curve falls everywhere, and its breaks have one width. Without it slopes have either
        sign (double descent, U-shapes) and each break its own width.
    beyond
        Decades beyond the largest scale where breaks may also lie.

    Returns
    -------
    Law
        The law of these options, always the same one.

    Raises
    ------
    ValueError
        If n_breaks is not a whole number of at least 1, or beyond is negative.

    Notes
    -----
    Caballero et al. 2023, BNSL (arXiv 2210.14891). a and the value of the product term at the
    largest scale are sampled as shares of the level there.

    Examples
    --------
    >>> bs.laws.broken(2).parameters
    ('a', 'b', 'c0', 'c', 'd', 'f')
    """
    if n_breaks != int(n_breaks) or n_breaks < 1 or beyond < 0:
        raise ValueError(
            f"broken takes n_breaks >= 1 and beyond >= 0, got {n_breaks} and {beyond}; "
            "a law without a break is `power`"
        )
    n = int(n_breaks)
    extra = beyond * log(10)
    vector = np.ones(n)
    slopes = (
        dist.LogNormal(EXPONENT.loc * vector, EXPONENT.scale).to_event(1)
        if monotone
        else dist.Normal(0.0 * vector, 0.7).to_event(1)
    )
    first = scaled(EXPONENT, warp=partial(_first_slope, extra)) if monotone else FIRST
    # Breaks of one width keep a curve falling where they overlap; unequal ones need not.
    widths = dist.LogNormal(log(0.12), 0.7)
    if not monotone:
        widths = dist.LogNormal(log(0.12) * vector, 0.7).to_event(1)
    options = [str(n)] + ["monotone=False"] * (not monotone) + [f"beyond={beyond:g}"] * (beyond > 0)

    over = f" and {beyond:g} decades beyond" * (beyond > 0)

    @law(name=f"broken({', '.join(options)})", exponents=("c0", "c"))
    def formula(
        x,
        *,
        a=share(),
        b=share(
            lambda amp, at: amp / _at_reference(at),
            unit=lambda at: at.ref.x**at.param.c0,
        ),
        c0=first,
        c=scaled(
            slopes,
            lambda s, at: s - jnp.concatenate([jnp.asarray(at.param.c0)[None], s[:-1]]),
            warp=_later_slopes if monotone else None,
            says="the slopes after the breaks are {}",
        ),
        d=scaled(
            dist.Dirichlet(np.ones(n + 1)),
            lambda u, at: jnp.exp(
                at.span.x[0] + (width_of(at.span.x) + extra) * jnp.cumsum(u)[:-1]
            ),
            unit=lambda at: at.ref.x,
            says=f"in order, uniform in log x over the data{over}",
        ),
        f=scaled(
            widths,
            lambda u, at: jnp.broadcast_to(u * width_of(at.span.x), (n,)),
            says="{}, times the length of the data in log x",
        ),
    ):
        """a + b x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i) (arXiv 2210.14891)."""
        return a + b * _shape(x, c0, jnp.asarray(c), jnp.asarray(d), jnp.asarray(f))

    return formula


@factory
def broken_accuracy(n_breaks: int = 1) -> Law:
    """g + (u - g) exp(-h(x)), h a broken power law whose slopes have either sign.

    Anything bounded: it may rise, fall and turn n_breaks times. h is b x^-c0 prod_i
    (1 + (x/d_i)^(1/f_i))^(-c_i f_i), b sampled as the value of h at the largest scale.

    Parameters
    ----------
    n_breaks
        Number of breaks, as in `broken`.

    Returns
    -------
    Law
        The law of these options, always the same one.

    Raises
    ------
    ValueError
        If n_breaks is not a whole number of at least 1.

    Notes
    -----
    After Caballero et al. 2023, BNSL (arXiv 2210.14891), which writes error rates so.

    Examples
    --------
    >>> bs.laws.broken_accuracy(2).support
    'unit'
    """
    broken_loss = broken(n_breaks, monotone=False)
    priors = {name: prior for name, prior in broken_loss.priors if name not in ("a", "b")}

    @law(
        name=f"broken_accuracy({int(n_breaks)})",
        **capability,
        ceiling="u",
        pools=("g",),
        exponents=("c0", "c"),
        says="anything bounded",
    )
    def formula(
        x,
        *,
        g=FLOOR,
        u=CEILING,
        b=scaled(
            positive(0.05, 5),
            lambda v, at: v / _at_reference(at),
            unit=lambda at: at.ref.x**at.param.c0,
            says="h at the largest x is {}",
        ),
        c0=priors["c0"],
        c=priors["c"],
        d=priors["d"],
        f=priors["f"],
    ):
        """g + (u - g) exp(-h(x)), h a broken power law of either sign (arXiv 2210.14891)."""
        h = b * _shape(x, c0, jnp.asarray(c), jnp.asarray(d), jnp.asarray(f))
        return g + (u - g) * jnp.exp(-h)

    return formula
