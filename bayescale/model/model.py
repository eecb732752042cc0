"""Model: a law and a noise as one joint density in unconstrained coordinates.

The density is a pure function of a vector z and of one curve's arrays (`batch.pack`), so that any
sampler or optimiser of the field can be run on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jaxtyping import Array, Float
from numpyro.distributions import Distribution, biject_to

from ..parametric.coordinates import Coordinate, by_name
from ..parametric.parametric import Parametric
from .pooling import check_pool, expected_shifts, expected_value, linked, shifted, spread_of

__all__ = ["Model", "Site"]

# The level at the reference is known to a factor of e either way (68 %) from a glance at the
# response: weaker than any two data points.
LEVEL = dist.Normal(0.0, 1.0)


class Site(NamedTuple):
    """One block of sampled coordinates."""

    name: str
    """A parameter's name, or `level` and `share` for a law in shares of its level."""
    prior: Distribution
    size: int
    """Length in unconstrained coordinates."""


class _Names(dict):
    """Values by name, found by `find` when first asked for."""

    def __init__(self, find):
        super().__init__()
        self.find = find

    def __missing__(self, name):
        self[name] = value = self.find(name)
        return value


@dataclass(frozen=True)
class Model:
    """The joint density of a law's parameters, its noises' and the data.

    Pooled parameters differ from group to group: link(value of a group) = link(value) + sd * e,
    with e standard normal and sd learnt from all groups. The coordinate of e is e itself until a
    sampler has seen what the data say of each group (`pinned`; see `centring`).
    """

    law: Parametric
    noise: Parametric
    """Of the law's `response`."""
    further: tuple[Parametric, ...] = ()
    """Noises of the law's further responses, in their order."""
    pool: tuple[str, ...] = ()
    """Parameters of the law that differ between groups."""
    groups: int = 0
    """Number of groups."""

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
        given = ("mean", "stderr", "n")
        for name in set(self.noise.inputs) - set(given) - set(self.law.parameters):
            raise ValueError(
                f"noise {self.noise.name} speaks of {name}, which is no parameter of the law "
                f"{self.law.name} ({', '.join(self.law.parameters)})"
            )
        if self.noise.support == "unit" and self.law.support != "unit":
            raise ValueError(
                f"noise {self.noise.name} is of accuracies, law {self.law.name} is not (its "
                f"support is {self.law.support}); use student, or a law such as sigmoid"
            )

    @property
    def parts(self) -> tuple[Parametric, ...]:
        """The law and the noises."""
        return (self.law, self.noise, *self.further)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All parameters: the law's, the noises', and of what is pooled the sd and the shifts."""
        own = [name for part in self.parts for name in part.parameters]
        return (*own, *(f"{name}_{what}" for name in self.pool for what in ("sd", "shift")))

    @cached_property
    def shares(self) -> tuple[str, ...]:
        """Names of the law's free amplitudes."""
        return tuple(
            name
            for name, prior in self.law.priors
            if isinstance(prior, Coordinate) and prior.prior is None and name in self.law.free
        )

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """The sampled blocks, in their order in z."""
        found = [("level", LEVEL)] if self.shares else []
        if len(self.shares) > 1:
            found.append(("share", dist.Dirichlet(np.ones(len(self.shares)))))
        for part in self.parts:
            for name, prior in part.priors:
                chosen = prior.prior if isinstance(prior, Coordinate) else prior
                if name in part.free and chosen is not None:
                    found.append((name, chosen))
        found += [(f"{name}_sd", spread_of(self.law, name)) for name in self.pool]
        shift = dist.Normal(np.zeros(self.groups), 1.0).to_event(1)
        shifts = [(f"{name}_shift", shift) for name in self.pool]
        # Pooled values lie by their sd; warps may speak of what has none, and shifts of all.
        warped = {k for k, v in self.law.priors if isinstance(v, Coordinate) and v.warp is not None}
        found.sort(key=lambda pair: 2 if pair[0] in warped else pair[0] in self.pool)
        found += shifts
        return tuple(Site(name, prior, _unconstrained_size(prior)) for name, prior in found)

    @property
    def size(self) -> int:
        """Number of unconstrained coordinates."""
        return sum(site.size for site in self.sites)

    @property
    def labels(self) -> tuple[str, ...]:
        """One label for each element of z: `alpha`, `share[0]`."""
        return tuple(
            site.name if site.size == 1 else f"{site.name}[{i}]"
            for site in self.sites
            for i in range(site.size)
        )

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each site's coordinates are in z."""
        ends = np.cumsum([site.size for site in self.sites]).tolist()
        return {s.name: slice(end - s.size, end) for s, end in zip(self.sites, ends, strict=True)}

    def constrain(self, z: Float[Array, " size"], data: Mapping[str, Any]) -> tuple[dict, Any, Any]:
        """Return each site's value, the log prior density of z, and z without its warps."""
        values, log_prior, plain, _, _ = self._resolve(z, data)
        return values, log_prior, plain

    def unpinned(self, z: Float[Array, " size"], data: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return z as it is where nothing is pinned, and the log density lost by the change."""
        return self._resolve(z, data)[3:]

    def _resolve(self, z: Float[Array, " size"], data: Mapping[str, Any]) -> tuple:
        values, log_prior, plain, unpinned, volume = {}, 0.0, [], [], 0.0
        for site in self.sites:
            raw = z[self.places[site.name]]
            pin = self.pin(site.name, values, data)
            if pin is not None:
                middle, width = pin
                volume += jnp.sum(jnp.log(width * jnp.ones_like(raw)))
                raw = middle + width * raw
            unpinned.append(raw)
            warp = self._warp(site.name, values, data)
            if warp is not None:
                raw, slope = jax.jvp(warp, (raw,), (jnp.ones_like(raw),))
                log_prior += jnp.sum(jnp.log(slope))
            plain.append(raw)
            value, density = _constrain_site(site, raw)
            values[site.name] = value
            log_prior += density
        plain, unpinned = (jnp.concatenate(z) if z else jnp.zeros(0) for z in (plain, unpinned))
        return values, log_prior + volume, plain, unpinned, volume

    def pin(self, site: str, values: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
        """Return where a site's coordinates are expected given those before it, and how wide.

        None for what is not pooled.
        """
        of = {f"{name}_shift": name for name in self.pool}.get(site)
        if of is not None:
            value = linked(self.law, of, self._known(values, data)[of])
            return expected_shifts(data["pinned"][of], value, values[f"{of}_sd"])
        if site in self.pool:
            return expected_value(data["pinned"][site], values[f"{site}_sd"])
        return None

    def log_prior(self, plain: Float[Array, " size"]) -> Array:
        """Return the log prior density of coordinates without their warps."""
        return sum(_constrain_site(site, plain[self.places[site.name]])[1] for site in self.sites)

    def _warp(self, name: str, values: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
        """Return the warp of a site's raw coordinate, given the sites before it; None without."""
        prior = dict(self.law.priors).get(name)
        if not isinstance(prior, Coordinate) or prior.warp is None:
            return None
        shares = values.get("share", jnp.ones(1))
        known = dict.fromkeys(self.law.parameters, 1.0) | dict(data["span"]) | dict(values)
        known |= {amplitude: shares[i] for i, amplitude in enumerate(self.shares)}
        return lambda raw: by_name(prior.warp, known, raw)

    def sample_prior(self, key: Array) -> dict[str, Any]:
        """Return one prior draw of each site's value."""
        keys = jax.random.split(key, len(self.sites))
        pairs = zip(self.sites, keys, strict=True)
        return {site.name: jax.tree.map(jnp.asarray, site.prior).sample(k) for site, k in pairs}

    def parameters(self, values: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters from the sites' values, in units of the reference scales."""
        known = self._known(values, data)
        found = {name: known[name] for name in _tables(self)[0]}
        for name in self.pool:
            found[f"{name}_sd"] = values[f"{name}_sd"]
            found[f"{name}_shift"] = values[f"{name}_sd"] * values[f"{name}_shift"]
        return found

    def _known(self, values: Mapping[str, Any], data: Mapping[str, Any]) -> _Names:
        """Return the parameters that are not of groups, each found when first asked for."""
        priors, fixed, tied = _tables(self)

        def find(name):
            prior = priors.get(name)
            if prior is None:
                return data["span"][name] if name in data["span"] else data[name]
            if name in fixed:
                return fixed[name] / self.unit(name, known, data)
            if name in tied:
                to = tied[name]
                return known[to] * self.unit(to, known, data) / self.unit(name, known, data)
            if not isinstance(prior, Coordinate):
                return values[name]
            return by_name(prior.form, known, values[name] if prior.prior else amplitude(name))

        def amplitude(name):
            level = jnp.exp(values["level"]) * data["y"]
            return level * values["share"][self.shares.index(name)] if "share" in values else level

        known = _Names(find)
        return known

    def unit(self, name: str, params: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
        """Return the unit of a parameter: its natural value is this times the relative one."""
        prior = _tables(self)[0].get(name)
        if not isinstance(prior, Coordinate):
            return 1.0
        return by_name(
            prior.unit, _Names(lambda n: data["ref"][n] if n in data["ref"] else params[n])
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
            shift = jnp.exp(params["tau"] * jnp.asarray(nodes, params["tau"].dtype))[:, None]
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
        """Return the distribution of what is observed of `response`: itself, or n times it."""
        return self._about(self.means(params, data)[self.law.response], params, data)

    def _about(self, mean: Array, params: Mapping[str, Any], data: Mapping[str, Any]):
        known = self.of_rows(params, data)
        known |= {"mean": mean, "n": data.get("n"), "stderr": data["stderr"]}
        columns = [known[name] for name in self.noise.inputs]
        return self.noise.fn(*columns, **{name: params[name] for name in self.noise.parameters})

    def log_likelihoods(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> dict:
        """Return the log density of each row by response; 0 for padding and what is missing."""
        means = self.means(params, data)
        own = self._about(means[self.law.response], params, data)
        found = {self.law.response: jnp.where(data["mask"], own.log_prob(data["observed"]), 0.0)}
        for (name, _), noise in zip(self.law.further, self.further, strict=True):
            also = data["beside"][name]
            known = {"mean": means[name], "stderr": jnp.zeros_like(also["observed"])}
            columns = [known[each] for each in noise.inputs]
            scatter = noise.fn(*columns, **{each: params[each] for each in noise.parameters})
            found[name] = jnp.where(also["mask"], scatter.log_prob(also["observed"]), 0.0)
        return found

    def log_likelihood(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> Array:
        """Return the log density of each row, of all that was measured in it; 0 for padding."""
        return sum(self.log_likelihoods(params, data).values())

    def log_density(self, z: Float[Array, " size"], data: Mapping[str, Any]) -> Array:
        """Return the log joint density of z and one curve's data."""
        values, log_prior, _ = self.constrain(z, data)
        return log_prior + jnp.sum(self.log_likelihood(self.parameters(values, data), data))


def _tables(model: Model) -> tuple[dict, dict, dict]:
    priors, fixed, tied = (
        {k: v for part in model.parts for k, v in getattr(part, field)}
        for field in ("priors", "fixed", "tied")
    )
    return priors, fixed, tied


def _constrain_site(site: Site, raw: Array) -> tuple[Any, Array]:
    """Return a site's value at unconstrained coordinates, and the log prior density of these."""
    raw = raw if site.prior.event_shape else raw[0]
    # A NumPy array within a prior would otherwise be a constant of the width first traced.
    prior = jax.tree.map(lambda leaf: jnp.asarray(leaf, raw.dtype), site.prior)
    bijector = biject_to(prior.support)
    value = bijector(raw)
    return value, prior.log_prob(value) + bijector.log_abs_det_jacobian(raw, value)


def _unconstrained_size(prior: Distribution) -> int:
    shape = biject_to(prior.support).inverse_shape(prior.event_shape)
    return int(np.prod(shape, dtype=int))
