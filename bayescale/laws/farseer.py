"""farseer: parameters and tokens that are not separable, whose exponents change along N."""

from __future__ import annotations

import jax.numpy as jnp

from ..parametric.coordinates import given, scaled, share
from ..parametric.parametric import law
from ..parametric.priors import positive, real
from .loss import EXPONENT

__all__ = ["farseer"]

# A change by a factor of up to 2 a decade of N: exp(.3 log 10) = 2. On Farseer's runs what data
# can still give rises by .29 an e-fold of N in its log, the exponent in D falls by .17, and slopes
# change by .03, -.17 and -.15.
BEND = real(-0.3, 0.3)
# The floor and what size alone gives fall together by N^-.11 on Farseer's runs.
SLOPE = positive(0.01, 0.5)
CLOSEST = 1e-4
"""How close to 0 the power of N comes, of which its factor is a slope over the power."""


def _finite(log):
    """Keep a log where its number is a float: two exponentials pass all bounds."""
    limit = 0.9 * jnp.log(jnp.finfo(jnp.result_type(log)).max)
    return jnp.clip(log, -limit, limit)


def _kept_off(power):
    return jnp.where(jnp.abs(power) < CLOSEST, jnp.copysign(CLOSEST, power), power)


def _bend(says: str):
    return scaled(BEND, lambda v, at: _kept_off(v), says=says)


def _factor(prior, power: str, sign: int, says: str):
    """Return the factor c of c N^p whose slope in log N is p c at the reference, there of N."""
    return scaled(
        prior,
        lambda v, at: sign * v / at.param[power],
        lambda at: at.ref.N ** -at.param[power],
        says=says,
    )


def _exponent(at):
    """The exponent in D at the reference."""
    return jnp.exp(at.param.A + at.param.E)


@law(unit="nats per token")
def farseer(
    N,
    D,
    *,
    S=share(lambda u, at: jnp.log(u) - at.param.s),
    Q=share(lambda v, at: jnp.log(v) - at.param.B - _exponent(at) * jnp.log(at.param.D0)),
    E=scaled(
        EXPONENT,
        lambda v, at: jnp.log(v) - at.param.A,
        says="the exponent in D in the middle of the runs is {}",
    ),
    s=_factor(SLOPE, "q", -1, "-v/q with v, how fast the first term falls there, {}"),
    q=_bend("{}: how fast that changes along log N"),
    B=_factor(BEND, "b", 1, "v/b with v, the slope of the second term along log N there, {}"),
    b=_bend("{}: how fast that changes along log N"),
    A=_factor(BEND, "a", 1, "v/a with v, how fast the exponent in D changes along log N, {}"),
    a=_bend("{}: how fast that changes along log N"),
    D0=given(lambda at: 1.0, lambda at: at.ref.D, says="the middle of the table's tokens"),
):
    """exp(s N^q + S) + exp(B N^b + Q) (D/D0)^(-exp(A N^a + E)): a power of D for each size.

    The floor, what more data still give and the exponent in D all depend on N: c N^p + C is a
    straight line in log N bent by p, a power law where p goes to 0. N in parameters without
    embeddings, D in tokens, the result in nats a token (Farseer's in bits a character). What is
    sampled are both terms' shares of the level in the middle of the runs, the three slopes along
    log N there, how each bends, and the exponent in D; powers stay off 0 by 1e-4.

    Li et al. 2025 (arXiv 2506.10972) have D0 = 1, at one token, where the second term says nothing
    of any run; the data's own middle, the default, is as close to their runs and the law is then
    the same in any unit of D. `farseer.fix(D0=1)` is theirs. Their constants: `FARSEER`.
    """
    log_N = jnp.log(N)
    exponent = jnp.exp(_finite(A * jnp.exp(a * log_N) + E))
    floor = s * jnp.exp(q * log_N) + S
    rest = B * jnp.exp(b * log_N) + Q - exponent * (jnp.log(D) - jnp.log(D0))
    return jnp.exp(_finite(jnp.logaddexp(floor, _finite(rest))))
