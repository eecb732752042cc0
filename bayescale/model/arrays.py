"""A checked table laid out for a model: arrays of curves, padded to a few lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..data.dataset import Dataset
from ..data.notes import as_rows
from ..data.responses import RESOLUTION, uncounted
from ..messages import bare
from ..parametric.seen import UNSEEN, seen
from .layout import Layout, as_they_come, by_run
from .model import Model
from .pooling import unpinned
from .wander import wander_of

__all__ = ["Batch", "Lane", "check_responses", "lane_of", "lanes", "pack"]

OtherWays = Callable[[str, int], Iterable[str]]


@dataclass(frozen=True)
class Batch:
    """Curves of one length class, padded to the same number of rows."""

    curves: tuple[int, ...]
    """Positions of these curves among `Dataset.curve_names`; (0,) for a table without curves."""
    keys: tuple[int, ...]
    """What seeds their random numbers: of each curve's name alone, whichever others there are."""
    data: dict[str, Any]
    """Arrays with a leading curve axis: inputs, observed, mask, n, stderr, ref, span, y, chance;
    `beside` of further responses; `below` of a detection limit; `group` and `pinned` where
    something is pooled; and what `layout` says of runs."""


def pack(model: Model, data: Dataset) -> tuple[Batch, ...]:
    """Check that `data` suits `model`, and lay it out by length class.

    Lengths are padded to a few (`layout`), so that a table of another length rarely needs another
    compilation.

    Raises
    ------
    DataError
        Naming row, column, value and remedy where the law or the noise cannot speak of the data.
    """
    if tuple(data.inputs) != model.law.inputs:
        data.fail(
            f"has inputs {', '.join(data.inputs)} where the law {model.law.name} takes "
            f"{', '.join(model.law.inputs)}",
            remedy=f"name them so, e.g. -x {model.law.inputs[0]}=COLUMN",
        )
    check_responses(model, data)
    names = data.curve_names
    members = [data.of_curve(name) for name in names or (None,)]
    _check_law(model)
    groups = data.group_names
    classes: dict[tuple, list[tuple[int, dict]]] = {}
    for i, member in enumerate(members):
        own = data.take(member)
        _check_curve(model, own, alone=len(members) == 1)
        layout = _layout(model, own)
        lane = _lane(model, own, layout, groups)
        under = len(lane["under"]["at"]) if "under" in lane else 0
        shape = (len(layout.take), under, *(np.shape(leaf) for leaf in layout.runs.values()))
        classes.setdefault(shape, []).append((i, lane))
    return tuple(
        Batch(
            tuple(i for i, _ in lanes),
            tuple(_key(names[i]) if names else 0 for i, _ in lanes),
            jax.tree.map(lambda *leaves: np.stack(leaves), *(lane for _, lane in lanes)),
        )
        for _, lanes in sorted(classes.items())
    )


def _key(name: str) -> int:
    """Return a number of 32 bits that is a name's own."""
    return int.from_bytes(sha256(str(name).encode()).digest()[:4], "little")


def lane_of(model: Model, data: Dataset) -> dict[str, Any]:
    """Return the arrays of a table of one curve, or of the first of several."""
    return jax.tree.map(lambda leaf: leaf[0], pack(model, data)[0].data)


class Lane(NamedTuple):
    """One curve of a table."""

    curve: int
    """Its position."""
    own: np.ndarray
    """Which rows of the data are its own, (row,)."""
    place: np.ndarray
    """Where these stand in its arrays."""
    data: dict[str, Any]
    """Its arrays."""


def lanes(model: Model, data: Dataset) -> Iterator[Lane]:
    """Yield each curve of a table."""
    names = data.curve_names
    for batch in pack(model, data):
        for row, curve in enumerate(batch.curves):
            own = data.of_curve(names[curve] if names else None)
            place = _layout(model, data.take(own)).place
            lane = jax.tree.map(lambda leaf, row=row: leaf[row], batch.data)
            yield Lane(curve, own, place, lane)


def _as_rows(data: Dataset) -> str:
    """Return how several responses, where one is wanted, become one."""
    names = [bare(data.columns[name]) for name in data.responses]
    return f"; columns of several tasks become rows: {as_rows(names)}" if len(names) > 1 else ""


def check_responses(model: Model, data: Dataset, others: OtherWays | None = None) -> None:
    """Refuse responses that the law or its noise cannot speak of.

    Parameters
    ----------
    others
        From the response and a row, what else to do than to leave the row out.
    """
    law, wanted = model.law, tuple(model.law.responses)
    given = tuple(data.responses)
    if len(given) != len(wanted) or (law.further and set(given) != set(wanted)):
        flags = " ".join(f"-y {name}=..." for name in wanted) if law.further else "-y COLUMN"
        data.fail(
            f"has responses {', '.join(given)} where the law {law.name} speaks of "
            f"{', '.join(wanted) if law.further else 'one'}",
            remedy=f"name them so: {flags}{'' if law.further else _as_rows(data)}",
        )
    for name, support in law.responses.items():
        own = name == law.response and (support == "real" or model.noise.counts)
        support = model.noise.support if own else support
        more = others if name == law.response else None
        data.require(support, name if law.further else None, more)
    if data.limit is not None and model.noise.support == "unit":
        remedy = "leave limit (--limit) away, or take noise='student' for a law of losses"
        data.fail(f"the noise {model.noise.name} takes a 0 as it is", role="limit", remedy=remedy)
    # Of a law of losses a 0 would be refused under any other noise.
    shares = law.support != "positive" or bool((data.responses[law.name_in(given)] > 0).all())
    if model.noise.counts and data.n is None:
        data.fail(
            f"has no number of questions, which the noise {model.noise.name} needs",
            remedy="name its column (-n COLUMN)" + ", or take noise='normal'" * shares,
        )
    if model.pool and data.group is None:
        data.fail("has no groups to pool", remedy="name their column (--group COLUMN)")


@cache
def _check_law(model: Model) -> None:
    """Refuse a law that does not return one real number a row."""
    law, rows = model.law, 7
    lane = {"span": {x: np.zeros(2) for x in law.inputs}, "ref": dict.fromkeys(law.inputs, 1.0)}
    lane |= {
        "y": 1.0,
        "chance": 0.0,
        "seen": UNSEEN,
        "pinned": dict.fromkeys(model.pool, unpinned(model.groups)),
    }
    dtype = jnp.result_type(float)
    columns = [jax.ShapeDtypeStruct((rows,), dtype)] * len(law.inputs)

    def evaluate(z, *columns):
        params = model.parameters(model.constrain(z, lane)[0], lane)
        found = law.at(*columns, **{name: params[name] for name in law.parameters})
        return found, {name: params[name] for name in model.pool}

    z = jax.ShapeDtypeStruct((model.size,), dtype)
    try:
        found, pooled = jax.eval_shape(evaluate, z, *columns)
    except Exception as error:
        message = str(error).split("\n")[0]
        raise ValueError(
            f"the law {law.name} fails on columns of {rows} rows: {type(error).__name__}: {message}"
        ) from error
    for name, value in pooled.items():
        if value.shape:
            raise ValueError(f"{name!r} cannot be pooled: it is a vector in {law.name}")
    if getattr(found, "shape", None) != (rows,):
        got = f"shape {found.shape}" if hasattr(found, "shape") else f"a {type(found).__name__}"
        raise ValueError(
            f"the law {law.name} must return one number a row: for columns of shape ({rows},) it "
            f"gave {got}; write it in jax.numpy operations that broadcast over its inputs"
        )


def _check_curve(model: Model, data: Dataset, alone: bool) -> None:
    """Refuse one curve of too few rows, without a response, or of several chance levels."""
    own = {"level", "share", *model.law.parameters} - {*model.law.misfit}
    wanted = sum(site.size for site in model.sites if site.name in own)
    where = f"curve {data.curve[0]!r}" if data.curve is not None else "the table"
    if len(data) < wanted:
        remedy = "measure more runs, fix or tie parameters, or take a simpler law"
        remedy += ", or leave the curve out with where (--where)" * (not alone)
        problem = f"{where} has {len(data)} rows, the law {model.law} {wanted} free parameters"
        data.fail(problem, remedy=remedy)
    for role, values in data.responses.items():
        if not np.isfinite(values).any():
            remedy = "leave the curve out with where (--where)"
            if alone:
                remedy = "take a law of the other response alone"
            data.fail(f"{where} has no value of {role}", role=role, remedy=remedy)
    if data.chance is not None and np.ptp(data.chance) > 0:
        data.fail(f"{where} has several chance levels", role="chance", remedy="use --curve")


def _layout(model: Model, data: Dataset) -> Layout:
    return as_they_come(len(data)) if model.runs is None else by_run(data, model.law.not_scales)


def _lane(model: Model, data: Dataset, layout: Layout, groups: tuple[str, ...]) -> dict[str, Any]:
    """Return the arrays of one curve."""
    law = model.law
    response = data.responses[law.name_in(data.responses)]
    level = law.level_in(data.responses)
    given = data.reference or {}
    ref = {x: float(given.get(x, _reference(model, data.inputs, x))) for x in data.inputs}
    inputs = {x: column / ref[x] for x, column in data.inputs.items()}
    observed = np.round(response * data.n) if model.noise.counts else response
    chance = data.chance if data.chance is not None else np.zeros(len(data))
    stderr = _known_error(model, data, response)

    def pad(column):
        return column[layout.take]

    def filled(column):
        known = np.isfinite(column)
        return pad(np.where(known, column, column[np.argmax(known)]))

    lane = {
        "inputs": {x: pad(column) for x, column in inputs.items()},
        "observed": filled(observed),
        "stderr": pad(stderr),
        "mask": layout.present & pad(np.isfinite(response)),
        "ref": {x: np.float64(value) for x, value in ref.items()},
        "span": {x: np.log([col.min(), col.max()]) for x, col in inputs.items()},
        "y": np.float64(given.get(level, _size(data.responses[level]))),
        "chance": np.float64(chance[0]),
    }
    if law.support == "unit" and len(inputs) == 1:
        asked = np.inf if data.n is None else data.n
        error = np.hypot(stderr, np.sqrt(np.clip(response * (1 - response), 0, 0.25) / asked))
        lane["seen"] = seen(np.log(*inputs.values()), response, error)
    if law.further:
        lane["beside"] = {
            k: {"observed": filled(y), "mask": layout.present & pad(np.isfinite(y))}
            for k, y in ((k, data.responses[k]) for k, _ in law.further)
        }
    if data.limit is not None:
        lane["below"] = pad(data.below)
    if model.pool:
        lane["group"] = pad(np.searchsorted(groups, data.group.astype(str)))
        lane["pinned"] = dict.fromkeys(model.pool, unpinned(len(groups)))
    lane |= layout.runs
    if law.wander is not None:
        lane |= wander_of(law, lane)
    return lane | ({"n": pad(data.n.astype(int))} if data.n is not None else {})


def _known_error(model: Model, data: Dataset, response: np.ndarray) -> np.ndarray:
    """Return the standard error of each row, with what digits and unnamed questions add to it."""
    stderr = data.stderr if data.stderr is not None else np.zeros(len(data))
    if model.noise.counts:
        return stderr
    if model.noise.support != "positive":  # those of logs know of it
        stderr = np.hypot(stderr, RESOLUTION * abs(np.nan_to_num(response)))
    if model.law.support == "unit" and data.n is None:
        stderr = np.hypot(stderr, uncounted(response, data.stderr is not None))
    return stderr


def _size(values: np.ndarray) -> float:
    """Return the median of what was measured; the mean size where that is 0, or 1 of all zeros.

    A reference of 0 would leave no scatter, and no level, but 0.
    """
    known = values[np.isfinite(values)]
    return float(np.median(known) or np.abs(known).mean() or 1.0)


def _reference(model: Model, inputs: Mapping[str, np.ndarray], name: str) -> float:
    """Return the largest scale of one input, the geometric mean of each of several.

    What an extrapolation in one scale hangs on is the level at its end; in several, exponents are
    least correlated with the level in the middle, that of their range where the law's misfit is 0
    there. Of an input that a law was extended by: 1.
    """
    law = model.law
    if not law.relative or name in law.absolute:
        return 1.0
    name = dict(law.same_unit).get(name, name)
    alone = len(inputs) - len(law.absolute) == 1
    values = inputs[name]
    if alone:
        return float(values.max())
    if law.wander is not None:
        return float(np.sqrt(values.min() * values.max()))
    return float(np.exp(np.log(values).mean()))
