"""Parametric: a plain function plus a prior for each of its keyword-only arguments.

Laws and noises are both of this one kind. `law` and `noise` turn a function into one:

>>> @law
... def mine(N, *, E=positive(.5, 3), A=positive(1, 1e4), alpha=positive(.05, 1)):
...     return E + A * N**-alpha

Positional arguments are data, keyword-only arguments are parameters, and the default of a
parameter is its prior: a NumPyro distribution in the parameter's own unit, or `share(...)` or
`scaled(...)` where a dimensionless coordinate is better sampled than the formula's constant.
The result is still the function: `mine(1e9, E=1.7, A=400., alpha=.34)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpyro.distributions import Distribution

from .coordinates import Coordinate

__all__ = ["Parametric", "law", "noise"]

DIRECTIONS = ("down", "up")
SUPPORTS = ("positive", "real", "unit")


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
    improves: str = "down"
    """Direction in which a response gets better: down (loss) or up (accuracy)."""
    response: str = "loss"
    """Name of the response on plots and tables."""
    nodes: int = 0
    """For a noise: the number of Gauss-Hermite nodes in log scale at which it wants the law."""
    counts: bool = False
    """For a noise: whether it speaks of counts out of n rather than of the response itself."""
    further: tuple[tuple[str, str], ...] = ()
    """Further responses that the law speaks of, each with its support: it then returns all of
    them by name. Thresholds, predictions and shapes are of `response`."""
    less_is_better: tuple[str, ...] = ()
    """Inputs of which less is better, such as a loss that an accuracy is told from."""
    not_scales: tuple[str, ...] = ()
    """Inputs that are no scale of a model, such as the length of the answer: noises that let
    models differ in effective scale leave them as they are."""
    same_unit: tuple[tuple[str, str], ...] = ()
    """Inputs of one kind: (("U", "D"),) gives U the reference scale of D."""
    fixed: tuple[tuple[str, float], ...] = ()
    tied: tuple[tuple[str, str], ...] = ()
    doc: str = field(default="", compare=False)

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Evaluate the formula; fixed and tied parameters are filled in where not given."""
        given = dict(self.fixed) | params
        given |= {name: given[to] for name, to in self.tied if name not in params and to in given}
        missing = [name for name in self.parameters if name not in given]
        if missing:
            raise TypeError(f"{self.name} needs a value for {', '.join(missing)}")
        return self.fn(*args, **given)

    def __repr__(self) -> str:
        parts = [f"{k}={v:g}" for k, v in self.fixed] + [f"{k}={v}" for k, v in self.tied]
        return self.name + (f" with {', '.join(parts)}" if parts else "")

    def at(self, *args: Any, **params: Any) -> Any:
        """Evaluate the formula for `response`, leaving aside what else the law speaks of."""
        found = self.fn(*args, **params)
        return found[self.response] if self.further else found

    @property
    def responses(self) -> dict[str, str]:
        """Support of each response, `response` first."""
        return {self.response: self.support, **dict(self.further)}

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters, in the order of the signature."""
        return tuple(name for name, _ in self.priors)

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that are neither fixed nor tied."""
        held = {name for name, _ in self.fixed + self.tied}
        return tuple(name for name in self.parameters if name not in held)

    @property
    def relative(self) -> bool:
        """Whether inputs are measured relative to their reference (some prior is a Coordinate)."""
        return any(isinstance(prior, Coordinate) for _, prior in self.priors)

    def fix(self, **values: float) -> Parametric:
        """Hold parameters at values given in the formula's units: `chinchilla.fix(E=1.8)`."""
        for name, value in values.items():
            self._known(name)
            if not (np.ndim(value) == 0 and np.isfinite(value)):
                raise ValueError(
                    f"{self.name}: {name} can be fixed at a finite number, not {value!r}"
                )
        kept = tuple((k, v) for k, v in self.fixed if k not in values)
        ties = tuple((k, v) for k, v in self.tied if k not in values)
        fixed = kept + tuple((k, float(v)) for k, v in values.items())
        return replace(self, fixed=fixed, tied=ties)

    def tie(self, name: str, to: str) -> Parametric:
        """Give `name` the value of `to` in every draw: `chinchilla.tie("beta", "alpha")`."""
        self._known(name)
        self._known(to)
        if to not in self.free or name == to or name in dict(self.tied).values():
            raise ValueError(
                f"{self.name}: {name} can be tied to another free parameter "
                f"({', '.join(p for p in self.free if p != name)}), not to {to}"
            )
        kept = tuple((k, v) for k, v in self.tied if k != name)
        fixed = tuple((k, v) for k, v in self.fixed if k != name)
        return replace(self, fixed=fixed, tied=(*kept, (name, to)))

    def _known(self, name: str) -> None:
        if name not in self.parameters:
            near = get_close_matches(name, self.parameters, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"{self.name} has no parameter {name!r}; it has {', '.join(self.parameters)}{hint}"
            )


def _parametric(fn: Callable, kind: str, name: str | None, **facts: Any) -> Parametric:
    name = name or fn.__name__
    inputs, priors = [], []
    for arg in inspect.signature(fn).parameters.values():
        if arg.kind is arg.POSITIONAL_OR_KEYWORD and arg.default is arg.empty:
            inputs.append(arg.name)
        elif arg.kind is arg.KEYWORD_ONLY:
            priors.append((arg.name, _prior(arg.default, f"{kind} {name}: {arg.name}")))
        else:
            raise TypeError(
                f"{kind} {name}: {arg} is neither data (positional, without a default) nor a "
                f"parameter (after a *, its default a prior)"
            )
    if not inputs:
        raise TypeError(f"{kind} {name} takes no data: name its inputs before the *")
    if not priors and kind == "law":
        raise TypeError(f"{kind} {name} has no parameters: name them after a *, each with a prior")
    for fact, allowed in (("support", SUPPORTS), ("improves", DIRECTIONS)):
        if facts.get(fact, allowed[0]) not in allowed:
            raise ValueError(f"{kind} {name}: {fact} is one of {', '.join(allowed)}")
    doc = inspect.getdoc(fn) or ""
    return Parametric(fn, name, tuple(inputs), tuple(priors), doc=doc, **facts)


def _prior(default: Any, where: str) -> Distribution | Coordinate:
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


def law(
    fn: Callable | None = None,
    *,
    name: str | None = None,
    support: str = "positive",
    improves: str = "down",
    response: str = "loss",
    further: tuple[tuple[str, str], ...] = (),
    less_is_better: tuple[str, ...] = (),
    not_scales: tuple[str, ...] = (),
    same_unit: tuple[tuple[str, str], ...] = (),
) -> Any:
    """Turn a function into a law: positional data columns, keyword-only parameters with priors.

    Parameters
    ----------
    fn
        The formula, in JAX operations that broadcast over the data columns.
    support
        What the response may be: "positive" (losses, errors), "real" or "unit" (accuracies).
    improves
        "down" for losses, "up" for accuracies: the side on which a threshold is passed.
    response
        What the response is called on plots.
    further
        Further responses with their support, `(("loss", "positive"),)`: the formula then returns a
        dict by response, and a table gives its columns by these names.
    less_is_better
        Inputs of which less is better.
    not_scales
        Inputs that are no scale of a model, such as the length of the answer.
    same_unit
        Pairs of inputs of one kind, e.g. `(("U", "D"),)`: the first is measured relative to the
        reference scale of the second.

    Raises
    ------
    TypeError
        If a parameter has no prior, a discrete or a batched one, or the signature is of
        another form.
    """
    facts = dict(support=support, improves=improves, response=response, same_unit=same_unit)
    facts |= dict(
        further=tuple(further), less_is_better=tuple(less_is_better), not_scales=tuple(not_scales)
    )

    def make(fn: Callable) -> Parametric:
        return _parametric(fn, "law", name, **facts)

    return make if fn is None else make(fn)


def noise(
    fn: Callable | None = None, *, support: str = "positive", nodes: int = 0, counts: bool = False
) -> Any:
    """Turn a function into a noise: (what the law says, columns) -> NumPyro distribution.

    Positional arguments are taken by name: `mean` (the law), `stderr` (known standard error, 0
    where there is none), `n` (questions), or a parameter of the law. Keyword-only arguments are
    parameters with priors.

    Parameters
    ----------
    support
        Values of the response that the noise can produce.
    nodes
        If positive (an odd number), `mean` has shape (nodes, rows): the law at every row's scale
        shifted by `tau` times the Gauss-Hermite nodes in log scale, unshifted in the middle;
        needs a parameter called `tau`.
    counts
        The distribution is of n * response, a whole number.
    """

    def make(fn: Callable) -> Parametric:
        return _parametric(fn, "noise", None, support=support, nodes=nodes, counts=counts)

    return make if fn is None else make(fn)
