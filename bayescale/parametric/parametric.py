"""Parametric: a plain function plus a prior for each of its keyword-only arguments.

Laws and noises are both of this one kind. `law` and `noise` turn a function into one:

>>> @law
... def mine(N, *, E=positive(.5, 3), A=positive(1, 1e4), alpha=positive(.05, 1)):
...     return E + A * N**-alpha

Positional arguments are data, keyword-only arguments are parameters, and the default of a
parameter is its prior: a NumPyro distribution in the parameter's own unit, or `share(...)` or
`scaled(...)` where a dimensionless coordinate is better sampled than the formula's constant.
The result is still the function: `mine(1e9, E=1.7, A=400., alpha=.34)`. What the program wants to
know of a law beyond its formula are arguments of `law`, so that any law is the equal of ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .base import Parametric, Wander, from_signature
from .coordinates import Coordinate
from .extend import extended
from .facts import as_tuples, check_facts, check_names

__all__ = ["Law", "Noise", "Parametric", "law", "noise"]


@dataclass(frozen=True, repr=False)
class Law(Parametric):
    """A formula for a response, and what is known of it."""

    improves: str = "down"
    """Direction in which a response gets better: down (loss) or up (accuracy)."""
    response: str = "loss"
    """Name of the response on plots and tables."""
    unit: str = ""
    """Unit of the response, such as `nats per token`."""
    further: tuple[tuple[str, str], ...] = ()
    """Further responses that the law speaks of, each with its support: it then returns all of
    them by name. Thresholds, predictions and kinds are of `response`."""
    worsens: bool = False
    """Whether the response gets worse along the scale, and for good, as `inverse` does: `threshold`
    then asks where it is lost."""
    less_is_better: tuple[str, ...] = ()
    """Inputs of which less is better, such as a loss that an accuracy is told from."""
    not_scales: tuple[str, ...] = ()
    """Inputs that are no scale of a model, such as the length of the answer: noises that let
    models differ in effective scale leave them as they are."""
    same_unit: tuple[tuple[str, str], ...] = ()
    """Inputs of one kind: (("U", "D"),) gives U the reference scale of D."""
    unlock: str | None = None
    """The parameter that is the scale of an unlock, or of a loss where the law `worsens`: told
    beside a prior twice as wide."""
    floor: str | None = None
    """The parameter that is the response of models that know nothing."""
    ceiling: str | None = None
    """The parameter that is the response of models that know all."""
    pools: tuple[str, ...] = ()
    """Parameters that differ between groups unless told otherwise: the first free one of these."""
    exponents: tuple[str, ...] = ()
    """Parameters that say how steep the law is; pictures of exponents are of these."""
    hypothesis: str | None = None
    """What the law tells of a task, such as `rise`; laws of one hypothesis share its prior
    probability, and those of a `rise` are its explanations. By default the law is its own."""
    says: str = ""
    """The same in words: `a smooth threshold in log scale`."""
    second_stage: tuple[str, str] | None = None
    """("loss", "L0") where the response follows from a further one, L, through L0 - L."""
    powers: Callable[..., Any] | None = None
    """`(**parameters)` -> `PowerSum`, where the law of N and D is a sum of two powers."""
    wander: Wander | None = None
    """What its misfit is made of, where the law is `approximate`."""
    misfit: tuple[str, ...] = ()
    """Parameters of what the formula misses, which lean on their priors: a table needs no rows for
    them."""
    absolute: tuple[str, ...] = ()
    """Inputs that `extend` added: they have no reference scale, and are in their own unit."""
    natural: bool = False
    """Whether the formula needs all inputs in their own unit: a term of `extend` takes some."""

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Evaluate the formula; fixed and tied parameters are filled in where not given."""
        given = dict(self.fixed) | params
        given |= {name: given[to] for name, to in self.tied if name not in params and to in given}
        missing = [name for name in self.parameters if name not in given]
        if missing:
            raise TypeError(f"{self.name} needs a value for {', '.join(missing)}")
        return self.fn(*args, **given)

    def at(self, *args: Any, **params: Any) -> Any:
        """Evaluate the formula for `response`, leaving aside what else the law speaks of."""
        found = self.fn(*args, **params)
        return found[self.response] if self.further else found

    def extend(self, fn: Callable | None = None, *, name: str | None = None, **facts: Any) -> Any:
        """Return the law with a further term, and its coordinates as they are.

        >>> @chinchilla.extend
        ... def with_lr(loss, N, lr, *, c=positive(.001, .3), best=positive(1e-4, 1e-2)):
        ...     return loss + c * jnp.log(lr / best) ** 2

        Parameters
        ----------
        fn
            The first argument is what this law says (of its `response`), then come data columns:
            inputs of this law, any of them in any order, and new ones. Keyword-only arguments are
            new parameters, with priors in their own units. All is seen in its own unit.
        name
            How it is called; by default as `fn`.
        facts
            As in `law`, where they differ from this law's. What is known in closed form of this law
            (`powers`, `second_stage`) is not known of the new one.

        Raises
        ------
        TypeError
            If the signature is of another form.
        ValueError
            If a name is taken, or a fact names what the law does not have.
        """
        check_names(facts, LAW_FACTS)

        def make(fn: Callable) -> Law:
            made = extended(self, fn, name or fn.__name__)
            made = replace(made, powers=None, second_stage=None, **as_tuples(facts))
            check_facts(made)
            return made

        return make if fn is None else make(fn)

    @property
    def responses(self) -> dict[str, str]:
        """Support of each response, `response` first."""
        return {self.response: self.support, **dict(self.further)}

    def name_in(self, responses: Iterable[str], response: str | None = None) -> str:
        """Return what data call a response of the law, its `response` by default.

        Of a law of one, data have one, and call it what they like.
        """
        return (response or self.response) if self.further else next(iter(responses))

    def level_in(self, responses: Iterable[str]) -> str:
        """Return of which of the data's responses terms are shares: the loss beside an accuracy."""
        losses = (name for name, support in self.further if support == "positive")
        return next(losses, self.name_in(responses))

    @property
    def sign(self) -> float:
        """1 where more of the response is better, -1 where less is."""
        return 1.0 if self.improves == "up" else -1.0

    @property
    def size(self) -> int:
        """How many numbers its free parameters are, those of a misfit left out."""
        return sum(math.prod(self.shape(name)) for name in self.free if name not in self.misfit)

    @property
    def relative(self) -> bool:
        """Whether inputs are measured relative to their reference (some prior is a Coordinate).

        What is known of a misfit's place is no prior of the law.
        """
        own = self if self.wander is None else self.wander.base
        return any(isinstance(prior, Coordinate) for _, prior in own.priors)

    @property
    def told(self) -> str:
        """The hypothesis that the law tells: its own name unless it names one."""
        return self.hypothesis or self.name


@dataclass(frozen=True, repr=False)
class Noise(Parametric):
    """What scatters about a law: (what the law says, columns) -> NumPyro distribution."""

    counts: bool = False
    """Whether it speaks of counts out of n rather than of the response itself."""
    nodes: int = 0
    """The number of Gauss-Hermite nodes in log scale at which it wants the law."""
    spread: str | None = None
    """The parameter that is the sd in log scale of these nodes."""

    @property
    def asks_n(self) -> bool:
        """Whether it depends on the number of questions behind a response."""
        return "n" in self.inputs


def law(
    fn: Callable | None = None,
    *,
    name: str | None = None,
    support: str = "positive",
    responses: Mapping[str, str] | None = None,
    **facts: Any,
) -> Any:
    """Turn a function into a law: positional data columns, keyword-only parameters with priors.

    Parameters
    ----------
    fn
        The formula, in JAX operations that broadcast over the data columns.
    support
        What the response may be: "positive" (losses, errors), "real" or "unit" (accuracies).
    responses
        Of a law of several, each with its support, `{"accuracy": "unit", "loss": "positive"}`: the
        formula then returns a dict by response, and a table gives its columns by these names.
        Questions are of the first.
    facts
        What else is known, each in the words of a field of `Law`: `improves` ("down" for losses,
        "up" for accuracies), `worsens`, `response`, `unit`, `less_is_better`, `not_scales`,
        `same_unit`, `unlock`, `floor`, `ceiling`, `pools`, `exponents`, `hypothesis`, `says`,
        `second_stage`, `powers`, `misfit`.

    Returns
    -------
    Law
        The function still, with its priors; without `fn` what makes one.

    Raises
    ------
    TypeError
        If a parameter has no prior, a discrete or a batched one, the signature is of another form,
        or a fact is unknown.
    ValueError
        If a fact names what the law does not have.

    Examples
    --------
    >>> @bs.law(unit="nats per token")
    ... def mine(N, *, E=bs.positive(0.5, 3), A=bs.positive(1, 1e4), alpha=bs.positive(0.05, 1)):
    ...     return E + A * N**-alpha
    >>> mine.inputs, mine.parameters
    (('N',), ('E', 'A', 'alpha'))
    >>> round(mine(1e9, E=1.7, A=400.0, alpha=0.34), 3)
    2.048
    """
    check_names(facts, LAW_FACTS)
    if responses:
        (facts["response"], support), *others = responses.items()
        facts["further"] = tuple(others)
    facts = as_tuples(facts)

    def make(fn: Callable) -> Law:
        made = from_signature(Law, fn, name, support=support, **facts)
        check_facts(made)
        return made

    return make if fn is None else make(fn)


LAW_FACTS = {
    each for each in Law.__dataclass_fields__ if each not in Parametric.__dataclass_fields__
} - {"further", "absolute", "natural"}


def noise(
    fn: Callable | None = None,
    *,
    support: str = "positive",
    counts: bool = False,
    nodes: int = 0,
    spread: str | None = None,
) -> Any:
    """Turn a function into a noise: (what the law says, columns) -> NumPyro distribution.

    Positional arguments are taken by name: `mean` (the law), `stderr` (known standard error, 0
    where there is none), `n` (questions), `floor` or `ceiling` (the law's parameter that is its
    floor or ceiling). Keyword-only arguments are parameters with priors.

    Parameters
    ----------
    support
        Values of the response that the noise can produce.
    counts
        The distribution is of n * response, a whole number.
    nodes
        If positive (an odd number), `mean` has shape (nodes, rows): the law at every row's scale
        shifted by `spread` times the Gauss-Hermite nodes in log scale, unshifted in the middle.
    spread
        The parameter that is the sd in log scale of these nodes.

    Returns
    -------
    Noise
        The function still, with its priors; without `fn` what makes one.

    Raises
    ------
    TypeError
        As `law`.

    Examples
    --------
    >>> import numpyro.distributions as dist
    >>> @bs.noise(support="real")
    ... def cauchy(mean, *, width=bs.positive(0.001, 0.1)):
    ...     return dist.Cauchy(mean, width)
    >>> cauchy.parameters
    ('width',)
    """

    def make(fn: Callable) -> Noise:
        return from_signature(
            Noise, fn, None, support=support, counts=counts, nodes=nodes, spread=spread
        )

    return make if fn is None else make(fn)
