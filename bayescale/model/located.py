"""located: a noise as a location plus a scale times a standard variable, where it is one."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from ..parametric.parametric import Noise

__all__ = ["Located", "has_location", "located"]


class Located(NamedTuple):
    """A noise as location plus scale times a standard variable: of the response, or of a link."""

    base: Distribution
    whole: dist.TransformedDistribution | None
    """What is observed, where that is a transform of the base."""

    @property
    def of_logs(self) -> bool:
        """Whether it is of the response's log."""
        return self.whole is not None and type(self._link) is dist.transforms.ExpTransform

    @property
    def standard(self) -> Distribution:
        """The standard variable."""
        dtype = jnp.result_type(self.base.loc)
        return self._at(jnp.zeros((), dtype), jnp.ones((), dtype))

    def filled(self, like: Any) -> Distribution:
        """The standard variable, as many times as an array has elements."""
        return self._at(np.zeros(np.shape(like)), np.ones(np.shape(like)))

    def value(self, observed: Any) -> Any:
        """What was observed, as the base has it."""
        return observed if self.whole is None else self._link.inv(observed)

    def observed(self, value: Any) -> Any:
        """What would be observed of a value of the base."""
        return value if self.whole is None else self._link(value)

    def volume(self, value: Any, observed: Any) -> Any:
        """The log of d observed/d value."""
        return 0.0 if self.whole is None else self._link.log_abs_det_jacobian(value, observed)

    def about(self, base: Distribution) -> Distribution:
        """The noise about another location, of another scale."""
        return base if self.whole is None else type(self.whole)(base, self._link)

    def moved(self, by: Any) -> Distribution:
        """The noise with its location moved."""
        return self.about(self._at(self.base.loc + by, self.base.scale))

    @property
    def _link(self) -> dist.transforms.Transform:
        assert self.whole is not None
        return self.whole.transforms[0]

    def _at(self, loc: Any, scale: Any) -> Distribution:
        given = {name: getattr(self.base, name) for name in self.base.arg_constraints}
        # NumPyro gave those that are one number the rank of the rows.
        alone = {k: jnp.reshape(v, ()) for k, v in given.items() if jnp.size(v) == 1}
        return type(self.base)(**given | alone | {"loc": loc, "scale": scale})


FAMILIES = (dist.Normal, dist.StudentT, dist.Laplace, dist.Logistic, dist.Cauchy, dist.Gumbel)


def located(found: Distribution) -> Located | None:
    """Return a noise's distribution as a `Located`; None where it has no location and scale."""
    if not isinstance(found, dist.TransformedDistribution):
        return Located(found, None) if type(found) in FAMILIES else None
    base, links = found.base_dist, found.transforms
    if len(links) != 1 or type(base) not in FAMILIES:
        return None
    # `about` makes another of the kind: of those that are made of other things, such as LogNormal,
    # of the kind that all are.
    plain = type(found).__init__ is dist.TransformedDistribution.__init__
    return Located(base, found if plain else dist.TransformedDistribution(base, links))


@cache
def has_location(noise: Noise) -> bool:
    """Return whether a noise is `located`, by what it is about a mean of one half."""
    if noise.nodes or noise.counts:
        return False
    half = jnp.full(2, 0.5)
    given = {name: jnp.full(noise.shape(name), 0.5) for name in noise.parameters}
    columns = [jnp.zeros(2) if name == "stderr" else half for name in noise.inputs]
    return located(noise.fn(*columns, **given)) is not None
