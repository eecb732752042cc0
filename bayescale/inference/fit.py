"""fit: from a table to a posterior.

`fit(law, data)` with nothing else is meant to be right. `sampler` says how: `NUTS()` for a
posterior, `Laplace()` or `MAP()` for a quick look. Everything is decided by `seed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..data.from_frame import as_dataset
from ..laws import get_law
from ..messages import SEEDS, a_seed
from ..model.arrays import Batch, pack
from ..model.evaluate import law_at
from ..model.model import Model
from ..model.programs import by_blocks, compiled, make_room
from ..parametric.parametric import Law, Noise
from ..posterior.checks import LONG, checked_scales, looked_at, unidentified
from ..posterior.health import UNREACHED, Health, Verdict
from ..posterior.intervals import scalar_quantities
from ..posterior.posterior import Posterior, SamplingInfo
from ..progress import Progress, waiting
from .make_model import as_law_names, make_model
from .modes import prior_moments
from .samplers import INTERRUPTED, MAP, NUTS, Chains, Clock, Laplace, Sampler, a_sampler

__all__ = ["Fitted", "fit", "fit_batch"]

PRECISIONS = ("float64", "float32")
RESEED = 1_000_003  # added to the seed where failed curves are run again


def fit(
    law: Law | Callable[..., Law] | str,
    data: Any,
    *,
    x: Any = None,
    y: Any = None,
    noise: Noise | str | Mapping[str, Noise | str] | None = None,
    pool: str | Iterable[str] | None = None,
    sampler: NUTS | Laplace | MAP | None = None,
    seed: int = 0,
    precision: str = "float64",
    progress: Progress = True,
    **roles: Any,
) -> Posterior:
    """Fit a law to data and return its posterior, whatever its health.

    Parameters
    ----------
    law
        A law, or its name: `chinchilla`, `"broken(2)"`.
    data
        A checked table (`from_frame`), or a data frame whose columns `x`, `y` and further `roles`
        (as `from_frame` takes them) name; each of its curves is fitted on its own.
    noise
        What scatters about the law. Default: `scale_scatter` for accuracies with a number of
        questions, `normal` for accuracies without (`bounded` beside a loss), `student` (on the
        log) for losses. For a law of several responses a mapping by response.
    pool
        Parameters of the law that differ between the data's groups (partial pooling). Default,
        where the data name groups, what the law names (`pools`): the scale of an unlock, else the
        floor.
    sampler
        `NUTS()` by default.
    seed
        Decides every draw of a curve, together with its name: bit for bit on one machine and
        version, whatever the order of rows and whichever other curves there are.
    precision
        "float64" or "float32", for this fit alone.
    progress
        True: a bar with the time left in notebooks and terminals after two seconds, a line now and
        then where output is piped; False: nothing; a function: called with (stage, share done).

    Returns
    -------
    Posterior
        Draws of every parameter, with the verdict on the fit in `health`.

    Raises
    ------
    DataError
        Where the data do not suit the law or the noise, naming row, column and remedy.
    ValueError
        For an unknown law, noise or precision, a negative seed, or names that clash.

    Examples
    --------
    >>> fit = bs.fit("power", power_data, seed=1)
    >>> fit.health.sound
    True
    >>> float(np.median(fit.draws["alpha"])).__round__(1)
    0.2
    """
    law, sampler = get_law(law), a_sampler(sampler, roles)
    data = as_dataset(data, x, y, law.inputs, **roles)
    model = make_model(law, data, noise, pool)
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {' or '.join(PRECISIONS)}, got {precision!r}")
    seed = a_seed(seed)
    data = as_law_names(law, data)
    make_room()
    with waiting(progress) as tell, jax.enable_x64(precision == "float64"):
        clock = Clock(tell)
        fits = _fit_batches(model, pack(model, data.sorted()), sampler, seed, clock)
    order = np.argsort([curve for each in fits for curve in each.curves])
    draws, stats = (
        {name: np.concatenate([each[name] for each in parts])[order] for name in parts[0]}
        for parts in ([each.draws for each in fits], [each.stats for each in fits])
    )
    verdicts = [verdict for each in fits for verdict in each.verdicts]
    if data.curve is None:
        draws, stats = ({k: v[0] for k, v in part.items()} for part in (draws, stats))
    z = stats.pop("z")
    made = Posterior(
        model,
        data,
        draws,
        stats,
        Health(tuple(verdicts[i] for i in order)),
        _sampling(sampler, seed, precision, clock, stats),
        z,
    )
    return replace(made, health=looked_at(made))


class Fitted(NamedTuple):
    """The fits of the curves of one batch."""

    curves: tuple[int, ...]
    """Their numbers in the data."""
    draws: dict[str, np.ndarray]
    """Parameters in natural units, (curve, chain, draw, ...)."""
    stats: dict[str, np.ndarray]
    """What the sampler says of each draw, and `z`, (curve, chain, draw, ...)."""
    verdicts: list[Verdict]


def _fit_batches(
    model: Model, batches: tuple[Batch, ...], sampler: Sampler, seed: int, clock: Clock
) -> list[Fitted]:
    """Return each batch's fit; after an interrupt what was drawn, the rest marked as failed."""
    fits = []
    for batch in batches:
        if not clock.stopped:
            try:
                fits.append(fit_batch(model, batch, sampler, seed, clock))
                continue
            except KeyboardInterrupt:
                if not fits:
                    raise
                clock.stopped = INTERRUPTED
        fits.append(_unreached(batch, fits[0]))
    least = min(each.stats["log_density"].shape[2] for each in fits)
    cut = lambda part: {name: values[:, :, :least] for name, values in part.items()}  # noqa: E731
    return [each._replace(draws=cut(each.draws), stats=cut(each.stats)) for each in fits]


def _unreached(batch: Batch, like: Fitted) -> Fitted:
    """Return what stands for curves that an interrupt left without draws: NaN, and a verdict."""

    def empty(values):
        blank = np.nan if values.dtype.kind == "f" else 0
        return np.full((len(batch.curves), *values.shape[1:]), blank, values.dtype)

    draws, stats = (jax.tree.map(empty, part) for part in (like.draws, like.stats))
    return Fitted(batch.curves, draws, stats, [UNREACHED] * len(batch.curves))


def fit_batch(model: Model, batch: Batch, sampler: Sampler, seed: int, clock: Clock) -> Fitted:
    """Return the fits of one length class, failed curves run again."""
    chains = sampler.run(model, batch, seed, clock)
    stats = chains.stats | {"z": chains.z}
    draws, verdicts = clock.timed("checks", _finish, model, batch, sampler, chains, seed)
    for attempt in range(sampler.retries if isinstance(sampler, NUTS) else 0):
        good = np.mean(stats["n_steps"], (1, 2)) > LONG
        good |= [each.settled if sampler.enough else each.sound for each in verdicts]
        bad = np.flatnonzero(~good).tolist()
        if not bad or clock.stopped:
            break
        part = Batch(
            tuple(batch.curves[i] for i in bad),
            tuple(batch.keys[i] for i in bad),
            jax.tree.map(lambda leaf, bad=bad: leaf[bad], batch.data),
        )
        other = (seed + RESEED * (attempt + 1)) % SEEDS
        try:
            again = sampler.harder(attempt).run(model, part, other, clock)
        except KeyboardInterrupt:
            clock.stopped = INTERRUPTED
            break
        thin = again.z.shape[2] // chains.z.shape[2]
        if clock.stopped or not thin:
            break
        again = jax.tree.map(lambda leaf, thin=thin: leaf[:, :, thin - 1 :: thin], again)
        finished = clock.timed("checks", _finish, model, part, sampler, again, other)
        draws_again, verdicts_again = finished
        for row, i in enumerate(bad):
            for old, new in ((draws, draws_again), (stats, again.stats | {"z": again.z})):
                for name in old:
                    old[name] = np.array(old[name])
                    old[name][i] = new[name][row]
            verdicts[i] = verdicts_again[row]
    return Fitted(batch.curves, draws, stats, verdicts)


def _finish(
    model: Model, batch: Batch, sampler: Sampler, chains: Chains, seed: int
) -> tuple[dict[str, np.ndarray], list[Verdict]]:
    """Return the draws in natural units and each curve's verdict."""
    draws, plain = natural(model, chains.z, batch.data)
    if model.law.wander is not None:
        draws["bends"] = _bends(model, chains.z, batch, seed)
    predictions = law_at(model.law, draws, checked_scales(batch.data))
    _, spread = prior_moments(model)
    verdicts = []
    for i in range(len(batch.curves)):
        stats = {name: values[i] for name, values in chains.stats.items()}
        scalars = scalar_quantities({name: values[i] for name, values in draws.items()})
        verdict = sampler.judge(scalars, predictions[i], stats)
        verdicts.append(replace(verdict, unidentified=unidentified(model, plain[i], spread)))
    return draws, verdicts


def _sampling(
    sampler: Sampler, seed: int, precision: str, clock: Clock, stats: dict
) -> SamplingInfo:
    steps = stats.get("n_steps")
    return SamplingInfo(
        seed=seed,
        method=type(sampler).__name__,
        chains=stats["log_density"].shape[-2],
        draws=stats["log_density"].shape[-1],
        precision=precision,
        device=str(jax.devices()[0]),
        versions={name: version(name) for name in ("bayescale", "jax", "numpyro", "blackjax")},
        seconds={stage: round(value, 3) for stage, value in clock.seconds.items()},
        leapfrogs=float(np.mean(steps)) if steps is not None else float("nan"),
        settings=asdict(sampler),
        notes=(clock.stopped,) if clock.stopped else (),
    )


@compiled(level=0, static_argnames=("model",))
def _relative(model: Model, z, data):
    """Return all parameters of z, (draw, size), in units of the references, and plain z."""

    def one(z):
        values, _, plain = model.constrain(z, data)
        found = model.parameters(values, data)
        return {name: jnp.asarray(value) for name, value in found.items()}, plain

    return jax.vmap(one)(z)


@compiled(static_argnames=("model",))
def _bent(model: Model, z, normal, data):
    def one(z, normal):
        values, _, _ = model.constrain(z, data)
        return model.bends(model.parameters(values, data), data, normal)

    return jax.vmap(one)(z, normal)


def _bends(model: Model, z: np.ndarray, batch: Batch, seed: int) -> np.ndarray:
    """Return of each draw where the law's bends are, (curve, chain, draw, bend)."""
    lead, size, found = z.shape[:3], model.law.shape("bends"), []
    for key, (own, data) in zip(batch.keys, _each_curve(z, batch.data), strict=True):
        rng = np.random.default_rng([seed, key, 18])
        normal = rng.normal(size=(len(own), *size)).astype(z.dtype)
        found.append(by_blocks(lambda each, data=data: _bent(model, *each, data), (own, normal)))
    return np.asarray(found, float).reshape(*lead, *size)


def _each_curve(z: np.ndarray, data: dict) -> Iterator[tuple[np.ndarray, dict]]:
    """Yield the draws of each curve, chains joined, (draw, size), and its arrays."""
    for i, own in enumerate(z):
        yield own.reshape(-1, z.shape[-1]), jax.tree.map(lambda leaf, i=i: leaf[i], data)


def natural(model: Model, z: np.ndarray, data: dict) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return all parameters of z, (curve, chain, draw, size), in natural units, and plain z."""
    lead = z.shape[:3]
    each = [by_blocks(partial(_relative, model, data=of), own) for own, of in _each_curve(z, data)]
    found, plain = jax.tree.map(lambda *leaves: np.stack(leaves), *each)
    found = {k: np.asarray(v, float).reshape(*lead, *v.shape[2:]) for k, v in found.items()}
    refs = {"ref": {name: value[:, None, None] for name, value in data["ref"].items()}}
    found = {name: found[name] for name in model.names}
    for name in tuple(found):
        with np.errstate(over="ignore"):  # N^alpha of an absurd exponent is infinite
            unit = np.asarray(model.unit(name, found, refs))
            extra = found[name].ndim - max(unit.ndim, 3)
            found[name] = found[name] * unit.reshape(unit.shape + (1,) * extra)
    return found, np.asarray(plain, float).reshape(z.shape)
