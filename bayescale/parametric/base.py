"""Base: what laws and noises have in common, and how parameters of one are held or told anew."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution

from ..messages import near
from .coordinates import At, Coordinate, Lookup, in_own_unit
from .words import LEVEL, said, written

__all__ = ["Parametric", "Wander", "checked_prior", "from_signature"]

DIRECTIONS = ("down", "up")
SUPPORTS = ("positive", "real", "unit")
P = TypeVar("P", bound="Parametric")


@dataclass(frozen=True)
class Parametric:
    """A function of data with a prior for each parameter; see `law` and `noise`."""

    fn: Callable
    name: str
    """How it is written: `chinchilla`, `broken(2)`."""
    inputs: tuple[str, ...]
    """Names of the positional arguments, in order."""
    priors: tuple[tuple[str, Distribution | Coordinate], ...]
    """Prior of each keyword-only argument, in order."""
    support: str = "positive"
    """Values that the response may take: positive, real or unit (0 to 1)."""
    fixed: tuple[tuple[str, float], ...] = ()
    tied: tuple[tuple[str, str], ...] = ()
    changed: tuple[tuple[str, Distribution], ...] = ()
    """Priors that `with_priors` put in the place of those beside the formula."""
    doc: str = field(default="", compare=False)

    def __str__(self) -> str:
        parts = [f"{k}={v:g}" for k, v in self.fixed] + [f"{k}={v}" for k, v in self.tied]
        parts += [f"{k} ~ {written(prior)}" for k, prior in self.changed]
        return self.name + (f" with {', '.join(parts)}" if parts else "")

    def __repr__(self) -> str:
        head = f"{type(self).__name__} {self}, of {', '.join(self.inputs)}"
        rows = self.stated()
        width = max(map(len, rows), default=0)
        return "\n".join([head, *(f"  {name:{width}}  {text}" for name, text in rows.items())])

    def stated(self) -> dict[str, str]:
        """Return each parameter's prior in words and numbers, and what is held.

        Where terms of a law are shares of its level, `level` stands first.
        """
        held = {name: f"fixed at {value:g}" for name, value in self.fixed}
        held |= {name: f"the value of {to}" for name, to in self.tied}
        known = dict(self.priors) | dict(self.changed)
        shares = [k for k in self.free if getattr(known[k], "prior", known[k]) is None]
        found = {k: held.get(k) or said(prior, len(shares) == 1) for k, prior in known.items()}
        return ({"level": LEVEL} if shares else {}) | found

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters, in the order of the signature."""
        return tuple(name for name, _ in self.priors)

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that are neither fixed nor tied."""
        held = {name for name, _ in self.fixed + self.tied}
        held |= {name for name, prior in self.priors if getattr(prior, "given", False)}
        return tuple(name for name in self.parameters if name not in held)

    def prior_of(self, name: str) -> Distribution | Coordinate:
        """Return the prior of a parameter."""
        return dict(self.priors)[name]

    def fix(self: P, **values: float) -> P:
        """Hold parameters at values given in the formula's units: `chinchilla.fix(E=1.8)`.

        Raises
        ------
        ValueError
            For an unknown parameter, or a value that is no finite number.
        """
        for name, value in values.items():
            self._known(name)
            if not (np.ndim(value) == 0 and np.isfinite(value)):
                raise ValueError(
                    f"{self.name}: {name} can be fixed at a finite number, not {value!r}"
                )
        fixed = tuple((k, float(v)) for k, v in values.items())
        free = self._released(values)
        return replace(free, fixed=free.fixed + fixed)

    def tie(self: P, name: str, to: str) -> P:
        """Give `name` the value of `to` in every draw: `chinchilla.tie("beta", "alpha")`.

        Raises
        ------
        ValueError
            For an unknown parameter; where `to` is the same one or not free, or another is tied to
            `name`.
        """
        self._known(name)
        self._known(to)
        if to not in self.free or name == to or name in dict(self.tied).values():
            raise ValueError(
                f"{self.name}: {name} can be tied to another free parameter "
                f"({', '.join(p for p in self.free if p != name)}), not to {to}"
            )
        free = self._released([name])
        return replace(free, tied=(*free.tied, (name, to)))

    def with_priors(self: P, **priors: Any) -> P:
        """Give parameters other priors, in the formula's units.

        `chinchilla.with_priors(alpha=positive(.1, .5), A=positive(10, 1e4))`. What was fixed or
        tied is free again. The rest of the law is as it was: a term that has a prior of its own is
        no share of the level any more, and the level is the sum of the shares that are left.

        Raises
        ------
        TypeError
            If a prior is no distribution, or a discrete or batched one.
        ValueError
            For an unknown parameter, or a prior of another shape than the parameter.
        """
        for name, prior in priors.items():
            self._known(name)
            if isinstance(prior, Coordinate):
                raise TypeError(
                    f"{self.name}: the prior of {name} is a distribution in the formula's units, "
                    "such as positive(0.1, 10), not a coordinate"
                )
            checked_prior(prior, f"{self.name}: {name}")
            shape = self.shape(name)
            if prior.event_shape != shape:
                size = f"a vector of {shape[0]}" if shape else "one number"
                remedy = f".expand({list(shape)}).to_event(1)" if shape else ""
                raise ValueError(
                    f"{self.name}: {name} is {size}, its prior has the event shape "
                    f"{prior.event_shape}; write such as positive(0.1, 10){remedy}"
                )
        free = self._released(priors)
        known = dict(self.priors)
        # A law whose priors are all of the constants themselves stays one.
        plain = not any(isinstance(prior, Coordinate) for prior in known.values())
        known |= {k: new if plain else in_own_unit(known[k], new) for k, new in priors.items()}
        return replace(free, priors=tuple(known.items()), changed=(*free.changed, *priors.items()))

    def _released(self: P, names: Iterable[str]) -> P:
        """Return the law without what was said of these parameters."""
        fixed, tied, changed = (
            tuple((name, value) for name, value in pairs if name not in names)
            for pairs in (self.fixed, self.tied, self.changed)
        )
        return replace(self, fixed=fixed, tied=tied, changed=changed)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a parameter in the formula."""

        def value(name: str) -> Any:
            prior = self.prior_of(name)
            if not isinstance(prior, Coordinate):
                return jnp.ones(prior.event_shape)
            return prior.form(jnp.ones(prior.prior.event_shape if prior.prior else ()), at)

        at = At(
            span=Lookup("span", lambda name: jnp.array([-1.0, 0.0])),
            ref=Lookup("ref", lambda name: 1.0),
            param=Lookup("param", value),
            y=1.0,
            chance=0.0,
        )
        return jax.eval_shape(lambda: jnp.asarray(value(name))).shape

    def _known(self, name: str) -> None:
        if name not in self.parameters:
            raise ValueError(f"{self.name} has no parameter {name!r}{near(name, self.parameters)}")


@dataclass(frozen=True, eq=False)
class Wander:
    """The misfit of a law: a sum of smooth functions, bends times rates times a basis."""

    base: Parametric
    """The law without it."""
    basis: Callable[..., Any]
    """`(*inputs, **edges)` -> what a bend of 1 at a rate of 1 adds to the log of the response,
    (row, bend)."""
    rates: Callable[..., Any]
    """Parameters -> the rate of each bend, (bend,)."""
    edges: tuple[str, ...]
    """Parameters that say where the data end, and their middle where that counts."""
    ahead: np.ndarray
    """Which bends lie beyond the data, (bend,)."""


def checked_prior(default: Any, where: str) -> Distribution | Coordinate:
    """Return what may stand as a parameter's prior, or raise a TypeError that says where it is."""
    if isinstance(default, Coordinate):
        return default
    if not isinstance(default, Distribution):
        given = "nothing" if default is inspect.Parameter.empty else repr(default)
        raise TypeError(
            f"{where} needs a prior as its default, e.g. {where.split()[-1]}=positive(0.1, 10); "
            f"got {given}"
        )
    if default.is_discrete:
        raise TypeError(f"{where} has a discrete prior; gradients need a continuous one")
    if default.batch_shape:
        raise TypeError(
            f"{where} has a prior of batch shape {default.batch_shape}; make it one joint "
            f"distribution with .to_event()"
        )
    return default


def from_signature(make: type[P], fn: Callable, name: str | None = None, **facts: Any) -> P:
    """Return what a function is by its signature: data, then parameters with their priors."""
    kind = "law" if make is Parametric else make.__name__.lower()
    name = name or fn.__name__
    inputs, priors = [], []
    for arg in inspect.signature(fn).parameters.values():
        if arg.kind is arg.POSITIONAL_OR_KEYWORD and arg.default is arg.empty:
            inputs.append(arg.name)
        elif arg.kind is arg.KEYWORD_ONLY:
            priors.append((arg.name, checked_prior(arg.default, f"{kind} {name}: {arg.name}")))
        else:
            raise TypeError(
                f"{kind} {name}: {arg} is neither data (positional, without a default) nor a "
                f"parameter (after a *, its default a prior)"
            )
    if not inputs:
        raise TypeError(f"{kind} {name} takes no data: name its inputs before the *")
    if not priors and make.__name__ == "Law":
        raise TypeError(f"{kind} {name} has no parameters: name them after a *, each with a prior")
    for fact, allowed in (("support", SUPPORTS), ("improves", DIRECTIONS)):
        if facts.get(fact, allowed[0]) not in allowed:
            raise ValueError(f"{kind} {name}: {fact} is one of {', '.join(allowed)}")
    doc = inspect.getdoc(fn) or ""
    return make(fn, name, tuple(inputs), tuple(priors), doc=doc, **facts)
