"""Coordinates: what is sampled, and which parameters it stands for.

A vector z of unconstrained coordinates becomes sites (what has a prior), these become parameters
in units of the reference scales, and `unit` gives them back their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jaxtyping import Array, Float
from numpyro.distributions import Distribution, biject_to

from ..parametric.coordinates import At, Coordinate, Lookup, as_it_is
from ..parametric.parametric import Law, Noise, Parametric
from ..parametric.seen import UNSEEN
from .pooling import expected_shifts, expected_value, linked, spread_of

__all__ = ["Coordinates", "Site"]

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


class Resolved(NamedTuple):
    """What a vector of coordinates stands for."""

    values: dict[str, Any]
    """Each site's value."""
    log_prior: Any
    """Log prior density of the coordinates."""
    plain: Any
    """The coordinates without their warps."""
    unpinned: Any
    """The coordinates where nothing is pinned."""
    volume: Any
    """Log density that is lost by that."""


@dataclass(frozen=True)
class Coordinates:
    """The coordinates of a law's parameters and its noises'.

    Pooled parameters differ from group to group: link(value of a group) = link(value) + sd * e,
    with e standard normal and sd learnt from all groups. The coordinate of e is e itself until a
    sampler has seen what the data say of each group (`pinned`; see `centring`).
    """

    law: Law
    noise: Noise
    """Of the law's `response`."""
    further: tuple[Noise, ...] = ()
    """Noises of the law's further responses, in their order."""
    pool: tuple[str, ...] = ()
    """Parameters of the law that differ between groups."""
    groups: int = 0
    """Number of groups."""
    runs: Parametric | None = None
    """How rows of one run depend on each other (`noises.runs`); None where they do not."""

    @property
    def noises(self) -> dict[str, Noise]:
        """The noise of each of the law's responses, `response` first."""
        return dict(zip(self.law.responses, (self.noise, *self.further), strict=True))

    @property
    def parts(self) -> tuple[Parametric, ...]:
        """The law, the noises, and what rows of one run have in common."""
        return (self.law, self.noise, *self.further, *((self.runs,) if self.runs else ()))

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
        made = {k: v for k, v in self.law.priors if isinstance(v, Coordinate)}
        warped = {k: 2 + v.last for k, v in made.items() if v.warp is not None}
        found.sort(key=lambda pair: warped.get(pair[0], pair[0] in self.pool))
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
        return self._resolve(z, data)[:3]

    def unpinned(self, z: Float[Array, " size"], data: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return z as it is where nothing is pinned, and the log density lost by the change."""
        return self._resolve(z, data)[3:]

    def _resolve(self, z: Float[Array, " size"], data: Mapping[str, Any]) -> Resolved:
        values, log_prior, plain, unpinned, volume = {}, 0.0, [], [], 0.0
        for site in self.sites:
            raw = z[self.places[site.name]]
            pin = self.pin(site.name, values, data)
            if pin is not None:
                middle, width = pin
                volume += jnp.sum(jnp.log(width * jnp.ones_like(raw)))
                raw = middle + width * raw
            unpinned.append(raw)
            warp = self._warp(site.name, values, data, z)
            if warp is not None:
                raw, slope = jax.jvp(warp, (raw,), (jnp.ones_like(raw),))
                log_prior += jnp.sum(jnp.log(slope))
            plain.append(raw)
            value, density = _constrain_site(site, raw)
            values[site.name] = value
            log_prior += density
        plain, unpinned = (jnp.concatenate(z) if z else jnp.zeros(0) for z in (plain, unpinned))
        return Resolved(values, log_prior + volume, plain, unpinned, volume)

    def pin(self, site: str, values: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
        """Return where a site's coordinates are expected given those before it, and how wide.

        None for what is not pooled.
        """
        of = {f"{name}_shift": name for name in self.pool}.get(site)
        if of is not None:
            value = linked(self.law, of, self.known(values, data)[of])
            return expected_shifts(data["pinned"][of], value, values[f"{of}_sd"])
        if site in self.pool:
            return expected_value(data["pinned"][site], values[f"{site}_sd"])
        return None

    def log_prior(self, plain: Float[Array, " size"]) -> Array:
        """Return the log prior density of coordinates without their warps."""
        return reduce(jnp.add, self.log_priors(plain).values())

    def log_priors(self, plain: Float[Array, " size"]) -> dict[str, Array]:
        """Return the same of each site by name."""
        return {s.name: _constrain_site(s, plain[self.places[s.name]])[1] for s in self.sites}

    def _warp(self, name: str, values: Mapping[str, Any], data: Mapping[str, Any], z: Array) -> Any:
        """Return the warp of a site's raw coordinate, given the sites before it; None without.

        And given what is sampled of those after it: a change of one coordinate at a time, each the
        others as they are by then, so that the volumes multiply.
        """
        prior = dict(self.law.priors).get(name)
        if not isinstance(prior, Coordinate) or prior.warp is None:
            return None
        one = dict.fromkeys(self.law.parameters, 1.0)
        raw = dict.fromkeys(self.law.parameters, jnp.zeros(1))
        raw |= {name: z[at] for name, at in self.places.items()}
        # The coordinate of a parameter in its own unit is none that another's warp could use.
        priors = dict(self.law.priors)
        own = {k for k, _ in self.law.changed if getattr(priors[k], "form", as_it_is) != as_it_is}
        shares, known = values.get("share", jnp.ones(1)), self.known(values, data)
        own_unit = self.noise.support == "real"
        later = {k for k, to in self.law.tied if to in self.places and to not in values}
        at = At(
            span=Lookup("span", data["span"].__getitem__),
            param=Lookup("param", lambda k: 1.0 if k in later else known[k]),
            seen=data.get("seen", UNSEEN),
            scatter=known["sigma"] if own_unit and "sigma" in self.noise.parameters else None,
            share=Lookup(
                "share", (one | {k: shares[i] for i, k in enumerate(self.shares)}).__getitem__
            ),
            coordinate=Lookup(
                "coordinate", (one | {k: v for k, v in values.items() if k not in own}).__getitem__
            ),
            raw=Lookup("raw", raw.__getitem__),
        )
        warp = prior.warp
        return lambda raw: warp(raw, at)

    def sample_prior(self, key: Array) -> dict[str, Any]:
        """Return one prior draw of each site's value."""
        keys = jax.random.split(key, len(self.sites))
        pairs = zip(self.sites, keys, strict=True)
        return {site.name: jax.tree.map(jnp.asarray, site.prior).sample(k) for site, k in pairs}

    def parameters(self, values: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters from the sites' values, in units of the reference scales."""
        known = self.known(values, data)
        found = {name: known[name] for name in self._priors}
        for name in self.pool:
            found[f"{name}_sd"] = values[f"{name}_sd"]
            found[f"{name}_shift"] = values[f"{name}_sd"] * values[f"{name}_shift"]
        return found

    def known(self, values: Mapping[str, Any], data: Mapping[str, Any]) -> Lookup:
        """Return the parameters that are not of groups, each found when first asked for."""
        fixed = dict(pair for part in self.parts for pair in part.fixed)
        tied = dict(pair for part in self.parts for pair in part.tied)
        found: dict[str, Any] = {}

        def find(name):
            prior = self._priors[name]
            if name in fixed:
                return fixed[name] / self.unit(name, known, data)
            if name in tied:
                to = tied[name]
                return known[to] * self.unit(to, known, data) / self.unit(name, known, data)
            if not isinstance(prior, Coordinate):
                return values[name]
            if prior.given:
                return values[name] if name in values else prior.form(0.0, at)
            return prior.form(amplitude(name) if prior.prior is None else values[name], at)

        def once(name):
            if name not in found:
                found[name] = find(name)
            return found[name]

        def amplitude(name):
            level = jnp.exp(values["level"]) * data["y"]
            return level * values["share"][self.shares.index(name)] if "share" in values else level

        known = Lookup("param", once)
        at = self._at(known, data)
        return known

    def unit(self, name: str, params: Mapping[str, Any] | Lookup, data: Mapping[str, Any]) -> Any:
        """Return the unit of a parameter: its natural value is this times the relative one."""
        prior = self._priors.get(name)
        if not isinstance(prior, Coordinate):
            return 1.0
        return prior.unit(self._at(Lookup("param", params.__getitem__), data))

    def _at(self, known: Lookup, data: Mapping[str, Any]) -> At:
        """Return what forms and units may ask for."""
        return At(
            span=Lookup("span", data.get("span", {}).__getitem__),
            ref=Lookup("ref", data["ref"].__getitem__),
            param=known,
            y=data.get("y"),
            chance=data.get("chance"),
        )

    @cached_property
    def _priors(self) -> dict[str, Distribution | Coordinate]:
        """The prior of each parameter of the law and the noises."""
        return dict(pair for part in self.parts for pair in part.priors)


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
