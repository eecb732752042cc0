"""fit: from a table to a posterior.

`fit(law, data)` with nothing else is meant to be right. `sampler` says how: `NUTS()` for a
posterior, `Laplace()` or `MAP()` for a quick look. Everything is decided by `seed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.dataset import Dataset
from ..laws import get_law
from ..model.arrays import Batch, pack
from ..model.evaluate import law_at
from ..model.model import Model
from ..noises.names import default_noise, get_noise
from ..parametric.parametric import Law, Noise
from ..posterior.health import UNREACHED, Health
from ..posterior.intervals import scalar_quantities
from ..posterior.posterior import Posterior, SamplingInfo
from .modes import prior_moments
from .samplers import INTERRUPTED, MAP, NUTS, Chains, Clock, Laplace

__all__ = ["as_law_names", "fit", "make_model"]

PRECISIONS = ("float64", "float32")
SEEDS = 2**32
RESEED = 1_000_003  # added to the seed where failed curves are run again


def fit(
    law: Law | Callable[..., Law] | str,
    data: Dataset,
    *,
    noise: Noise | str | Mapping[str, Noise | str] | None = None,
    pool: str | Iterable[str] | None = None,
    sampler: NUTS | Laplace | MAP | None = None,
    seed: int = 0,
    precision: str = "float64",
    progress: Callable[[str, float], None] | None = None,
) -> Posterior:
    """Fit a law to data and return its posterior, whatever its health.

    Parameters
    ----------
    law
        A law, or its name: `chinchilla`, `"broken(2)"`.
    data
        A checked table (`from_frame`); each of its curves is fitted on its own.
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
        Decides every draw, together with the names' order of the curves.
    precision
        "float64" or "float32", for this fit alone.
    progress
        Called with (stage, share done) now and then.

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
    law, sampler = get_law(law), sampler or NUTS()
    model = make_model(law, data, noise, pool)
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {' or '.join(PRECISIONS)}, got {precision!r}")
    if not 0 <= seed < SEEDS:
        raise ValueError(f"seed is a whole number from 0 to {SEEDS - 1}, got {seed}")
    data = as_law_names(law, data)
    clock = Clock(progress)
    with jax.enable_x64(precision == "float64"):
        fits = _fit_batches(model, pack(model, data), sampler, seed, clock)
    order = np.argsort([curve for curves, *_ in fits for curve in curves])
    draws, stats = (
        {name: np.concatenate([each[part][name] for each in fits])[order] for name in fits[0][part]}
        for part in (1, 2)
    )
    verdicts = [verdict for *_, found in fits for verdict in found]
    if data.curve is None:
        draws, stats = ({k: v[0] for k, v in part.items()} for part in (draws, stats))
    z = stats.pop("z")
    return Posterior(
        model,
        data,
        draws,
        stats,
        Health(tuple(verdicts[i] for i in order)),
        _sampling(sampler, seed, precision, clock, stats),
        z,
    )


def make_model(
    law: Law,
    data: Dataset,
    noise: Noise | str | Mapping[str, Noise | str] | None = None,
    pool: str | Iterable[str] | None = None,
) -> Model:
    """Return the model of a law for these data, with defaults where noise and pool are not given.

    Raises
    ------
    ValueError
        For unknown names, a noise for no response, or a pool without groups.
    """
    given = dict(noise) if isinstance(noise, Mapping) else {law.response: noise}
    for name in set(given) - set(law.responses):
        raise ValueError(
            f"no response {name!r} of the law {law.name}: noise is for {', '.join(law.responses)}"
        )
    own = get_noise(given.get(law.response) or default_noise(law, data.n is not None))
    further = tuple(
        get_noise(given.get(name) or {"positive": "student"}.get(support, "normal"))
        for name, support in law.further
    )
    names = (pool,) if isinstance(pool, str) else pool
    if names is None:
        names = _usual_pool(law) if data.group is not None else ()
    names = tuple(names)
    if names and len(data.group_names) < 2:
        raise ValueError(
            f"pool={', '.join(names)} needs a column of groups with two groups or more (--group)"
        )
    return Model(law, own, further, names, len(data.group_names) if names else 0)


def _usual_pool(law: Law) -> tuple[str, ...]:
    """Return what differs between groups unless the user says otherwise."""
    for name in law.pools:
        if name in law.free:
            return (name,)
    raise ValueError(
        f"the data name groups; say what differs between them: pool=... (--pool), of "
        f"{', '.join(law.free)}"
    )


def as_law_names(law: Law, data: Dataset) -> Dataset:
    """Return the data with the only input under the name that the law gives it."""
    if len(data.inputs) != 1 or len(law.inputs) != 1 or tuple(data.inputs) == law.inputs:
        return data
    (old,), (new,) = data.inputs, law.inputs
    columns = {new if role == old else role: text for role, text in data.columns.items()}
    return replace(data, inputs={new: data.inputs[old]}, columns=columns)


def _fit_batches(model, batches: tuple[Batch, ...], sampler: Any, seed: int, clock: Clock) -> list:
    """Return each batch's fit; after an interrupt what was drawn, the rest marked as failed."""
    fits = []
    for batch in batches:
        if not clock.stopped:
            try:
                fits.append(_fit_batch(model, batch, sampler, seed, clock))
                continue
            except KeyboardInterrupt:
                if not fits:
                    raise
                clock.stopped = INTERRUPTED
        fits.append(_unreached(batch, *fits[0][1:3]))
    least = min(stats["log_density"].shape[2] for _, _, stats, _ in fits)
    cut = lambda part: {name: values[:, :, :least] for name, values in part.items()}  # noqa: E731
    return [(curves, cut(draws), cut(stats), found) for curves, draws, stats, found in fits]


def _unreached(batch: Batch, draws: dict, stats: dict) -> tuple:
    """Return what stands for curves that an interrupt left without draws: NaN, and a verdict."""

    def empty(values):
        blank = np.nan if values.dtype.kind == "f" else 0
        return np.full((len(batch.curves), *values.shape[1:]), blank, values.dtype)

    found = [{name: empty(values) for name, values in part.items()} for part in (draws, stats)]
    return batch.curves, *found, [UNREACHED] * len(batch.curves)


def _fit_batch(model: Model, batch: Batch, sampler: Any, seed: int, clock: Clock):
    """Return (curves, draws, stats, verdicts) of one length class, failed curves run again."""
    chains = sampler.run(model, batch, seed, clock)
    stats = chains.stats | {"z": chains.z}
    draws, verdicts = clock.timed("checks", _finish, model, batch, sampler, chains)
    for attempt in range(getattr(sampler, "retries", 0)):
        bad = [i for i, verdict in enumerate(verdicts) if not verdict.sound]
        if not bad or clock.stopped:
            break
        part = Batch(
            tuple(batch.curves[i] for i in bad),
            jax.tree.map(lambda leaf, bad=bad: leaf[bad], batch.data),
        )
        try:
            again = sampler.harder(attempt).run(
                model, part, (seed + RESEED * (attempt + 1)) % SEEDS, clock
            )
        except KeyboardInterrupt:
            clock.stopped = INTERRUPTED
            break
        thin = again.z.shape[2] // chains.z.shape[2]
        if clock.stopped or not thin:
            break
        again = jax.tree.map(lambda leaf, thin=thin: leaf[:, :, thin - 1 :: thin], again)
        draws_again, verdicts_again = clock.timed("checks", _finish, model, part, sampler, again)
        for row, i in enumerate(bad):
            for old, new in ((draws, draws_again), (stats, again.stats | {"z": again.z})):
                for name in old:
                    old[name] = np.array(old[name])
                    old[name][i] = new[name][row]
            verdicts[i] = verdicts_again[row]
    return batch.curves, draws, stats, verdicts


def _finish(model: Model, batch: Batch, sampler: Any, chains: Chains):
    """Return the draws in natural units and each curve's verdict."""
    draws, plain = natural(model, chains.z, batch.data)
    inputs = _probe(batch)
    predictions = law_at(model.law, draws, inputs)
    _, spread = prior_moments(model)
    verdicts = []
    for i in range(len(batch.curves)):
        stats = {name: values[i] for name, values in chains.stats.items()}
        scalars = scalar_quantities({name: values[i] for name, values in draws.items()})
        verdicts.append(sampler.judge(model, plain[i], scalars, predictions[i], stats, spread))
    return draws, verdicts


def _probe(batch: Batch) -> dict[str, np.ndarray]:
    """Return scales at which the curve is checked: over the data, and ten times beyond."""
    share = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    inputs = {}
    for name, span in batch.data["span"].items():
        lo, hi = span[:, :1], span[:, 1:]
        logs = np.concatenate([lo + share * (hi - lo), hi + np.log(10.0)], 1)
        inputs[name] = np.exp(logs) * batch.data["ref"][name][:, None]
    return inputs


def _sampling(sampler: Any, seed: int, precision: str, clock: Clock, stats: dict) -> SamplingInfo:
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


@partial(jax.jit, static_argnames=("model",))
def _relative(model: Model, z, data):
    """Return all parameters of z, (curve, draw, size), in units of the references, and plain z."""

    def one(z, data):
        values, _, plain = model.constrain(z, data)
        found = model.parameters(values, data)
        return {name: jnp.asarray(value) for name, value in found.items()}, plain

    return jax.vmap(jax.vmap(one, (0, None)))(z, data)


def natural(model: Model, z: np.ndarray, data: dict) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return all parameters of z, (curve, chain, draw, size), in natural units, and plain z."""
    lead = z.shape[:3]
    flat = z.reshape(lead[0], -1, z.shape[-1])
    found, plain = jax.device_get(_relative(model, flat, data))
    found = {k: np.asarray(v, float).reshape(*lead, *v.shape[2:]) for k, v in found.items()}
    refs = {"ref": {name: value[:, None, None] for name, value in data["ref"].items()}}
    found = {name: found[name] for name in model.names}
    for name in tuple(found):
        with np.errstate(over="ignore"):  # N^alpha of an absurd exponent is infinite
            unit = np.asarray(model.unit(name, found, refs))
            extra = found[name].ndim - max(unit.ndim, 3)
            found[name] = found[name] * unit.reshape(unit.shape + (1,) * extra)
    return found, np.asarray(plain, float).reshape(z.shape)
