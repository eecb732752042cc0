"""make_model: a law and a table as a model, with noise and pool where none is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..data.dataset import Dataset
from ..model.model import Model
from ..noises.names import default_noise, get_noise
from ..noises.runs import dependence
from ..parametric.parametric import Law, Noise, Parametric
from .remedies import checked

__all__ = ["as_law_names", "make_model", "of_runs"]


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
    if noise is not None and law.further and not isinstance(noise, Mapping):
        such = ", ".join(f"{name!r}: ..." for name in law.responses)
        raise ValueError(
            f"the law {law.name} has several responses: say of which the noise is, "
            f"noise={{{such}}} (--noise {law.response}=...)"
        )
    given = dict(noise) if isinstance(noise, Mapping) else {law.response: noise}
    for name in set(given) - set(law.responses):
        raise ValueError(
            f"no response {name!r} of the law {law.name}: noise is for {', '.join(law.responses)}"
        )
    several = of_runs(data)
    own = get_noise(given.get(law.response) or default_noise(law, data.n is not None, several))
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
    groups = len(data.group_names) if names else 0
    runs = _runs(law, own, data) if several else None
    return checked(Model(law, own, further, names, groups, runs), data)


def of_runs(data: Dataset) -> bool:
    """Return whether several rows are of one run."""
    return data.run is not None and len(_named(data)) < len(data)


def _named(data: Dataset) -> set[tuple[str, str]]:
    """Return the runs, each with its curve."""
    curve = [""] * len(data) if data.curve is None else data.curve
    return set(zip(map(str, curve), map(str, data.run), strict=True))


def _along(law: Law, data: Dataset) -> bool:
    """Return whether a run has rows at several scales, all else being the same."""
    curve = [""] * len(data) if data.curve is None else data.curve
    apart = [data.inputs[name] for name in law.not_scales if name in data.inputs]
    scales = [x for name, x in data.inputs.items() if name not in law.not_scales]
    of = [*zip(map(str, curve), map(str, data.run), *apart, strict=True)]
    return len({*zip(of, *scales, strict=True)}) > len({*of})


def _runs(law: Law, noise: Noise, data: Dataset) -> Parametric:
    """Return what rows of one run have in common."""
    if data.limit is not None:
        data.fail(
            "rows of one run have no joint density with a detection limit",
            role="limit",
            remedy="leave the run column out and keep one row a run, or leave the limit out",
        )
    runs = _named(data)
    return dependence(noise, len(runs) > len({curve for curve, _ in runs}), _along(law, data))


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
