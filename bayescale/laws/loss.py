"""Loss laws: power laws with a floor, in one scale or several.

One scale x (tokens, parameters, FLOP, images seen, width): `power` first; `shifted_power` where a
straight line in double logs levels off near one scale; `saturating` where small scales lie below
the power law; `broken` (beside this file) where the slope changes. Parameters N and tokens D:
`chinchilla`; `kaplan` to compare with OpenAI 2020; `data_constrained` where tokens repeat.
`kaplan_steps` for training curves in N and S.

Every law is its formula, in any unit: `chinchilla(7e10, 1.4e12, E=1.69, A=406.4, B=410.7,
alpha=.34, beta=.28)`. What is sampled are the level of the loss at the reference scale, the
shares of that level which each term has there, and the exponents.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax.nn import softplus

from ..parametric.coordinates import scaled, share
from ..parametric.parametric import Law, law
from ..parametric.priors import positive
from .factory import factory
from .powers import PowerSum

# Published exponents of losses and error rates run from .05 (Kaplan 2020, in C) to about 1
# (image error rates in examples seen); 90 % between these bounds leaves room on both sides.
EXPONENT = positive(0.05, 1.5)


def width_of(span):
    """Length of a span of logs."""
    return span[1] - span[0]


def _contrast(raw, span, share):
    """Log of a term's exponent, from the log of how much the term changes over the data.

    With x in units of the middle of its span 2 s (in logs) and the term's share A of the level
    there, the term falls by A (exp(alpha s) - exp(-alpha s)) from one end to the other. Data pin
    that down; A and alpha apart only by the bend between.
    """
    half = width_of(span) / 2
    return jnp.log(jnp.arcsinh(jnp.exp(raw) / (2 * share))) - jnp.log(half)


def _slope(raw, share):
    return raw - jnp.log(share)


def _drop(raw, x, A):
    """Log of the exponent, from the log of the drop of log loss over the span of the data.

    With the level at the largest x and the share A of the falling part there, a drop r over a
    span s of log x means exp(alpha s) = 1 + (exp(r) - 1)/A: data pin the drop down at both ends.
    """
    return jnp.log(dropped(raw, A)) - jnp.log(width_of(x))


def dropped(raw, share):
    """Drop of the log of the falling part, from the log of the drop of log loss and its share."""
    drop = jnp.exp(raw)
    return softplus(drop + jnp.log(-jnp.expm1(-drop)) - jnp.log(share))


def _root(a, alpha):
    """a^(1/alpha), kept within the range of floats where alpha is tiny."""
    limit = 0.9 * jnp.log(jnp.finfo(jnp.result_type(a)).max)
    return jnp.exp(jnp.clip(jnp.log(a) / alpha, -limit, limit))


def _decay(x, exponent):
    """x^-exponent; exp(log) has a gradient seven times cheaper than that of pow."""
    return jnp.exp(-exponent * jnp.log(x))


@factory
def power(floor: bool = True, rising: bool = False) -> Law:
    """E + A x^-alpha: a floor E that no scale removes, and a part that falls as a power of x.

    Parameters
    ----------
    floor
        Without it, E = 0: a straight line on double logarithmic axes.
    rising
        With it, alpha is negative: a quantity that grows with x, such as the optimal number of
        parameters against compute (whose exponent is then -alpha).

    Returns
    -------
    Law
        The law of these options, always the same one.

    Notes
    -----
    E and A x^-alpha are in the unit of the response, x in any unit. Hestness et al. 2017
    (arXiv 1712.00409); M2 of Alabdulmohsin et al. 2022 (arXiv 2209.06640).

    Examples
    --------
    >>> float(bs.laws.power(floor=False)(1e10, A=100.0, alpha=0.2)).__round__(3)
    1.0
    """
    amplitude = share(unit=lambda at: at.ref.x**at.param.alpha)
    exponent = scaled(EXPONENT, warp=lambda raw, at: _drop(raw, at.span.x, at.share.A))
    if rising:
        falling = lambda a, at: -a  # noqa: E731
        exponent = scaled(
            EXPONENT, falling, warp=lambda raw, at: _slope(raw, at.share.A), says="-v with v {}"
        )
    options = [text for text, on in (("floor=False", not floor), ("rising=True", rising)) if on]
    facts = dict(
        name=f"power({', '.join(options)})" if options else "power",
        improves="up" if rising else "down",
        response="response" if rising else "loss",
        exponents=("alpha",),
    )
    if not floor:

        @law(**facts)
        def formula(x, *, A=amplitude, alpha=exponent):
            """A x^-alpha (arXiv 1712.00409)."""
            return A * _decay(x, alpha)

        return formula

    @law(**facts)
    def formula(x, *, E=share(), A=amplitude, alpha=exponent):
        """E + A x^-alpha (arXiv 1712.00409; M2 of arXiv 2209.06640)."""
        return E + A * _decay(x, alpha)

    return formula


@law(exponents=("c",))
def shifted_power(
    x,
    *,
    beta=share(
        lambda a, at: a / (1 + at.param.gamma) ** at.param.c,
        unit=lambda at: at.ref.x**at.param.c,
    ),
    gamma=scaled(positive(0.003, 3), unit=lambda at: 1 / at.ref.x, says="{}, over the largest x"),
    c=EXPONENT,
):
    """beta (1/x + gamma)^c: a power of x that levels off near x = 1/gamma.

    The floor is beta gamma^c. x in any unit, gamma in 1/x, the result in the response's unit.
    Bansal et al. 2022 (arXiv 2202.01994); M3 of Alabdulmohsin et al. 2022 (arXiv 2209.06640). It
    is `kaplan` at one N.
    """
    return beta * _decay(1 / (1 / x + gamma), c)


def _saturation(x, c, d, f):
    return jnp.exp(-c * f * softplus((jnp.log(x) - jnp.log(d)) / f))


@law(exponents=("c",))
def saturating(
    x,
    *,
    a=share(),
    b=share(lambda amp, at: amp / _saturation(1.0, at.param.c, at.param.d, at.param.f)),
    c=scaled(EXPONENT, warp=lambda raw, at: _slope(raw, at.share.b)),
    d=scaled(
        positive(0.2, 0.8),
        lambda u, at: jnp.exp(at.span.x[0] + u * width_of(at.span.x)),
        lambda at: at.ref.x,
        says="in log x {} of the way from the smallest to the largest x",
    ),
    f=scaled(
        positive(0.02, 0.5),
        lambda u, at: u * width_of(at.span.x),
        says="{}, times the length of the data in log x",
    ),
):
    """a + b (1 + (x/d)^(1/f))^(-c f): a ceiling a + b at small x, a floor a at large x.

    `broken(1)` with c0 = 0. Between, the response falls as x^-c; d is the scale at which it
    begins to, f the width of that bend in units of log x. Caballero et al. 2023
    (arXiv 2210.14891).
    """
    return a + b * _saturation(x, c, d, f)


def _kaplan_powers(N_c, D_c, alpha_N, alpha_D):
    ratio = alpha_N / alpha_D
    rest = lambda loss: loss ** (1 / alpha_D)  # noqa: E731
    return PowerSum(ratio * np.log(N_c), np.log(D_c), ratio, np.ones_like(alpha_D), rest)


@law(unit="nats per token", exponents=("alpha_N", "alpha_D"), powers=_kaplan_powers)
def kaplan(
    N,
    D,
    *,
    N_c=share(lambda a, at: _root(a, at.param.alpha_N), unit=lambda at: at.ref.N),
    D_c=share(lambda a, at: _root(a, at.param.alpha_D), unit=lambda at: at.ref.D),
    alpha_N=EXPONENT,
    alpha_D=EXPONENT,
):
    """((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D: OpenAI's law for parameters and tokens.

    N in non-embedding parameters, D in tokens, the result in nats a token. There is no floor:
    the loss goes to 0. Kaplan et al. 2020, equation 1.5 (arXiv 2001.08361); published
    N_c = 6.4e13, D_c = 1.8e13, alpha_N = .076, alpha_D = .103 (table 2).

    Under C = 6 N D it implies N ~ C^(alpha_D/(alpha_N + alpha_D)) = C^.575, which is not the
    C^.73 of the paper's own frontier (`powers.KAPLAN_FRONTIER`): that was fitted to training
    curves with a fixed schedule.
    """
    size = alpha_N / alpha_D * (jnp.log(N_c) - jnp.log(N))
    return jnp.exp(alpha_D * jnp.logaddexp(size, jnp.log(D_c) - jnp.log(D)))


@law(unit="nats per token", exponents=("alpha_N", "alpha_S"))
def kaplan_steps(
    N,
    S,
    *,
    N_c=share(lambda a, at: _root(a, at.param.alpha_N), unit=lambda at: at.ref.N),
    S_c=share(lambda a, at: _root(a, at.param.alpha_S), unit=lambda at: at.ref.S),
    alpha_N=scaled(EXPONENT, warp=lambda raw, at: _contrast(raw, at.span.N, at.share.N_c)),
    alpha_S=scaled(EXPONENT, warp=lambda raw, at: _contrast(raw, at.span.S, at.share.S_c)),
):
    """(N_c/N)^alpha_N + (S_c/S)^alpha_S: OpenAI's learning curve of a model of N parameters.

    S is S_min, the number of optimiser steps needed at a batch far above the critical batch
    size: S_min = steps / (1 + B_crit(L)/B) with B_crit = 2e8 tokens / L^(1/.21), and the compute
    that goes with it is C_min = C / (1 + B/B_crit(L)). Steps taken at a small batch are not
    S_min: convert them first. Kaplan et al. 2020, equation 1.6 (arXiv 2001.08361); published
    N_c = 6.5e13, S_c = 2.1e3, alpha_N = .077, alpha_S = .76 (table 3).
    """
    size = alpha_N * (jnp.log(N_c) - jnp.log(N))
    return jnp.exp(size) + jnp.exp(alpha_S * (jnp.log(S_c) - jnp.log(S)))


def _chinchilla_powers(E, A, B, alpha, beta):
    return PowerSum(np.log(A), np.log(B), alpha, beta, lambda loss: loss - E)


@law(unit="nats per token", exponents=("alpha", "beta"), powers=_chinchilla_powers)
def chinchilla(
    N,
    D,
    *,
    E=share(),
    A=share(unit=lambda at: at.ref.N**at.param.alpha),
    B=share(unit=lambda at: at.ref.D**at.param.beta),
    alpha=scaled(EXPONENT, warp=lambda raw, at: _contrast(raw, at.span.N, at.share.A)),
    beta=scaled(EXPONENT, warp=lambda raw, at: _contrast(raw, at.span.D, at.share.B)),
):
    """E + A/N^alpha + B/D^beta: an irreducible loss, a part for size and a part for data.

    N in parameters, D in tokens, the result in nats a token. Hoffmann et al. 2022, approach 3
    (arXiv 2203.15556), who print E = 1.69, A = 406.4, B = 410.7, alpha = .34, beta = .28;
    Besiroglu et al. 2024 (arXiv 2404.10102) find E = 1.82, A = 482, B = 2085, alpha = .348,
    beta = .366 from the same runs.
    """
    return E + A * _decay(N, alpha) + B * _decay(D, beta)


@law(same_unit=(("U", "D"),), unit="nats per token", exponents=("alpha", "beta"))
def data_constrained(
    N,
    D,
    U,
    *,
    E=share(),
    A=share(unit=lambda at: at.ref.N**at.param.alpha),
    B=share(unit=lambda at: at.ref.D**at.param.beta),
    alpha=scaled(EXPONENT, warp=lambda raw, at: _contrast(raw, at.span.N, at.share.A)),
    beta=scaled(EXPONENT, warp=lambda raw, at: _contrast(raw, at.span.D, at.share.B)),
    R_D=positive(1, 100),
    R_N=positive(1, 100),
):
    """E + A/N'^alpha + B/D'^beta, where repeated tokens and excess parameters count for less.

    N parameters, D tokens seen, U unique tokens (U = min(U, D)); R_D and R_N, the paper's R_D*
    and R_N*, are the numbers of repetitions after which a further one is worth 1/e:

        D' = U + U R_D (1 - exp(-(D/U - 1)/R_D))
        N' = U_N + U_N R_N (1 - exp(-(N/U_N - 1)/R_N)),   U_N = min(N, N_opt(U))

    with N_opt(U) = (alpha A/(beta B))^(1/alpha) U^(beta/alpha), the size that is optimal for U
    unique tokens. Muennighoff et al. 2023 (arXiv 2305.16264); published R_D = 15.39,
    R_N = 5.31, alpha = beta = .3527, E = 1.869, log A = 6.2554, log B = 7.3050.
    """
    U = jnp.minimum(U, D)
    D_eff = U - U * R_D * jnp.expm1(-(D / U - 1) / R_D)
    log_N_opt = (jnp.log(alpha * A) - jnp.log(beta * B) + beta * jnp.log(U)) / alpha
    log_U_N = jnp.minimum(jnp.log(N), log_N_opt)
    R = jnp.expm1(jnp.minimum(jnp.log(N) - log_U_N, 30.0))
    log_N_eff = log_U_N + jnp.log1p(-R_N * jnp.expm1(-R / R_N))
    return E + A * jnp.exp(-alpha * log_N_eff) + B * _decay(D_eff, beta)
