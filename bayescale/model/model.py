"""Model: a law and a noise as one joint density in unconstrained coordinates.

The density is a pure function of a vector z and of one curve's arrays (`arrays.pack`), so that any
sampler or optimiser of the field can be run on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpyro.distributions import Distribution

from .censored import log_cdf
from .coordinates import Coordinates
from .located import has_location
from .pooling import check_pool, shifted
from .runs import log_densities, of_new_run
from .wander import is_lognormal, log_marginal, sample_bends

__all__ = ["Model"]


@dataclass(frozen=True)
class Model(Coordinates):
    """The joint density of a law's parameters, its noises' and the data."""

    def __post_init__(self):
        for i, part in enumerate(self.parts):
            for other in self.parts[:i]:
                clash = set(part.parameters) & set(other.parameters)
                if clash:
                    raise ValueError(
                        f"{other.name} and {part.name} both have a parameter "
                        f"{', '.join(sorted(clash))}; rename it in the law, or take another noise"
                    )
        check_pool(self.law, self.pool)
        if bool(self.pool) != bool(self.groups):
            raise ValueError("pool names parameters that differ between groups: name both or none")
        for name in self.noise.inputs:
            if name in ("floor", "ceiling") and getattr(self.law, name) is None:
                raise ValueError(
                    f"noise {self.noise.name} asks for a {name}, which the law {self.law.name} "
                    f"does not name: @law({name}=...), of {', '.join(self.law.parameters)}"
                )
            if name not in ("mean", "stderr", "n", "floor", "ceiling"):
                raise ValueError(
                    f"noise {self.noise.name} asks for {name}; a noise takes mean, stderr, n, "
                    "floor and ceiling"
                )
        if self.law.wander is not None and not is_lognormal(self.noise):
            raise ValueError(
                f"the misfit of {self.law.name} is integrated out, which takes the noise "
                f"lognormal, not {self.noise.name}"
            )
        if self.runs is not None:
            self._check_runs()
        # A law of losses may be of an error rate, and counted; above 1 it is taken for 1.
        counted = self.noise.counts and not self.noise.nodes and self.law.support == "positive"
        if self.noise.support == "unit" and self.law.support != "unit" and not counted:
            raise ValueError(
                f"noise {self.noise.name} is of accuracies, law {self.law.name} is not (its "
                f"support is {self.law.support}); use student, or a law such as sigmoid; of error "
                "rates counted out of n, beta_binomial"
            )

    def _check_runs(self) -> None:
        """Refuse rows of runs where the joint density of such is not known."""
        remedy = "leave the run column out and keep one row a run (where)"
        if self.law.further:
            raise ValueError(
                f"the law {self.law.name} speaks of several responses, of which rows of one run "
                f"have no joint density here; take a law of one, or {remedy}"
            )
        if not has_location(self.noise):
            raise ValueError(
                f"rows of one run have no joint density under the noise {self.noise.name}, which "
                "has no location and scale; take student, lognormal, laplace or normal, of "
                f"accuracies logit_normal, or {remedy}"
            )

    def of_rows(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the law's parameters, those pooled as each row's group has them."""
        found = {name: params[name] for name in self.law.parameters}
        for name in self.pool:
            shift = params[f"{name}_shift"][data["group"]]
            found[name] = shifted(self.law, name, params[name], shift)
        return found

    def means(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Array]:
        """Return what the law says of each response at the data's inputs.

        Of `response`, at the noise's nodes where it has some.
        """
        inputs = [data["inputs"][name] for name in self.law.inputs]
        of_rows = self.of_rows(params, data)
        if self.noise.nodes:
            nodes, _ = np.polynomial.hermite_e.hermegauss(self.noise.nodes)
            spread = params[self.noise.spread]
            shift = jnp.exp(spread * jnp.asarray(nodes, spread.dtype))[:, None]
            scales = [name not in self.law.not_scales for name in self.law.inputs]
            inputs = [
                jnp.asarray(x)[None] * (shift if scale else 1.0)
                for x, scale in zip(inputs, scales, strict=True)
            ]
            of_rows = {k: v[None] if k in self.pool else v for k, v in of_rows.items()}
        found = self.law.fn(*inputs, **of_rows)
        if not self.law.further:
            return {self.law.response: found}
        middle = self.noise.nodes // 2
        return {
            name: value[middle] if self.noise.nodes and name != self.law.response else value
            for name, value in found.items()
        }

    def scatter(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> Distribution:
        """Return the distribution of what is observed of `response`: itself, or n times it.

        Of each row as a run of its own, with what runs differ by.
        """
        found = self._about(self.means(params, data)[self.law.response], params, data)
        return found if self.runs is None else of_new_run(found, self.along(params, data)[1])

    def along(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return each row's gap to the one before, in lengths of memory, and the sd between runs.

        The gap is 0 where the data have none: of rows that are runs of their own.
        """
        assert self.runs is not None
        columns = [data.get(name, 0.0) for name in self.runs.inputs]
        return self.runs.fn(*columns, **{name: params[name] for name in self.runs.parameters})

    def _about(self, mean: Array, params: Mapping[str, Any], data: Mapping[str, Any]):
        rows = self.of_rows(params, data)
        known = {"mean": mean, "n": data.get("n"), "stderr": data["stderr"]}
        known |= {role: rows.get(getattr(self.law, role)) for role in ("floor", "ceiling")}
        columns = [known[name] for name in self.noise.inputs]
        return self.noise.fn(*columns, **{name: params[name] for name in self.noise.parameters})

    def curves(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Array]:
        """Return what the law says of each response at the data's inputs, (row,)."""
        found = self.means(params, data)
        if self.noise.nodes:
            found[self.law.response] = found[self.law.response][self.noise.nodes // 2]
        return found

    def scatters(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> dict:
        """Return the noise about the law, of each response and row, a run's own effect aside.

        A known error is of what was measured: that of log y is stderr/y. Over the law's own mean
        it would be small wherever the law lies high, and a law too flat the likeliest.
        """
        means = self.means(params, data)
        mean, known = means[self.law.response], data
        if self.noise.support == "positive" and "observed" in data:
            error = jnp.where(data["stderr"] > 0, mean / data["observed"], 1.0) * data["stderr"]
            known = dict(data) | {"stderr": error}
        found = {self.law.response: self._about(mean, params, known)}
        for (name, _), noise in zip(self.law.further, self.further, strict=True):
            known = {"mean": means[name], "stderr": jnp.zeros_like(means[name])}
            columns = [known[each] for each in noise.inputs]
            found[name] = noise.fn(*columns, **{each: params[each] for each in noise.parameters})
        return found

    def log_likelihoods(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> dict:
        """Return the log density of each row by response; 0 for padding and what is missing.

        Of a row that is only known to lie below a detection limit the log probability of that.
        Where rows are of runs: of each run, by its number.
        """
        if self.runs is not None:
            (found,) = self.scatters(params, data).values()
            gap, sd = self.along(params, data)
            return {self.law.response: log_densities(found, data["observed"], data, gap, sd)}
        own = {name: data[name] for name in ("observed", "mask", "below") if name in data}
        seen = {self.law.response: own, **data.get("beside", {})}
        return {
            name: jnp.where(seen[name]["mask"], _log_likely(scatter, seen[name]), 0.0)
            for name, scatter in self.scatters(params, data).items()
        }

    def log_likelihood(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> Array:
        """Return the log density of each row (of each run), of all that was measured in it."""
        return reduce(jnp.add, self.log_likelihoods(params, data).values())

    @partial(jax.jit, static_argnums=0)
    def log_density(self, z: Float[Array, " size"], data: Mapping[str, Any]) -> Array:
        """Return the log joint density of z and one curve's data."""
        values, log_prior, _ = self.constrain(z, data)
        params, data = self.as_the_law_takes(self.parameters(values, data), data)
        if self.law.wander is not None:
            rates = self.law.wander.rates(params)[~self.law.wander.ahead]
            along = None if self.runs is None else self.along(params, data)
            return log_prior + log_marginal(self._unbent(params, data), rates, data, along)
        return log_prior + jnp.sum(self.log_likelihood(params, data))

    def bends(self, params: Mapping[str, Any], data: Mapping[str, Any], normal: Array) -> Array:
        """Return a draw of the law's bends given its other parameters and the rows."""
        assert self.law.wander is not None
        params, data = self.as_the_law_takes(params, data)
        felt = np.flatnonzero(~self.law.wander.ahead)
        rates = self.law.wander.rates(params)[felt]
        along = None if self.runs is None else self.along(params, data)
        drawn = sample_bends(self._unbent(params, data), rates, data, along, normal[felt])
        return normal.at[felt].set(drawn)

    def _unbent(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> Distribution:
        """Return the noise about the law without its bends."""
        assert self.law.wander is not None
        (found,) = replace(self, law=self.law.wander.base).scatters(params, data).values()
        return found

    def as_the_law_takes(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> tuple:
        """Return parameters and data as the formula is to see them.

        In units of the references as they are: a law looks alike in any unit. Terms of `extend`
        may not; where one takes inputs of the law, all is in its own unit.
        """
        if not self.law.natural:
            return params, data
        own = {name: params[name] * self.unit(name, params, data) for name in self.law.parameters}
        inputs = {name: x * data["ref"][name] for name, x in data["inputs"].items()}
        return dict(params) | own, dict(data) | {"inputs": inputs}


def _log_likely(scatter: Distribution, seen: Mapping[str, Any]) -> Array:
    """Return the log density of what was observed, the log probability of what lies below it."""
    density = jnp.asarray(scatter.log_prob(seen["observed"]))
    if "below" not in seen:
        return density
    return jnp.where(seen["below"], log_cdf(scatter, seen["observed"]), density)
