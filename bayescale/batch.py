"""A checked table laid out for a model: arrays of curves, padded to a few lengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .data import Dataset
from .model import Model

__all__ = ["Batch", "pack"]


@dataclass(frozen=True)
class Batch:
    """Curves of one length class, padded to the same number of rows."""

    curves: tuple[int, ...]
    """Positions of these curves among `Dataset.curve_names`; (0,) for a table without curves."""
    data: dict[str, Any]
    """Arrays with a leading curve axis: inputs, observed, mask, n, stderr, ref, span, y, chance."""


def pack(model: Model, data: Dataset) -> tuple[Batch, ...]:
    """Check that `data` suits `model`, and lay it out by length class.

    Lengths are padded to a power of two (at least 16), so that a table of another length rarely
    needs another compilation.

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
    data.require(model.noise.support if model.law.support == "real" else model.law.support)
    if model.noise.counts and data.n is None:
        data.fail(
            f"has no number of questions, which the noise {model.noise.name} needs",
            remedy="name its column (-n COLUMN), or take noise='normal'",
        )
    names = data.curve_names
    members = [data.curve == name for name in names] if names else [np.ones(len(data), bool)]
    _check_law(model)
    classes: dict[int, list[tuple[int, dict]]] = {}
    for i, member in enumerate(members):
        length = max(16, 1 << (int(member.sum()) - 1).bit_length())
        lane = _lane(model, data.take(member), length)
        classes.setdefault(length, []).append((i, lane))
    return tuple(
        Batch(
            tuple(i for i, _ in lanes),
            jax.tree.map(lambda *leaves: np.stack(leaves), *(lane for _, lane in lanes)),
        )
        for _, lanes in sorted(classes.items())
    )


@cache
def _check_law(model: Model) -> None:
    """Refuse a law that does not return one real number a row."""
    law, rows = model.law, 7
    lane = {"span": {x: np.zeros(2) for x in law.inputs}, "ref": dict.fromkeys(law.inputs, 1.0)}
    lane |= {"y": 1.0, "chance": 0.0}
    dtype = jnp.result_type(float)
    columns = [jax.ShapeDtypeStruct((rows,), dtype)] * len(law.inputs)

    def evaluate(z, *columns):
        params = model.parameters(model.constrain(z, lane)[0], lane)
        return law.fn(*columns, **{name: params[name] for name in law.parameters})

    try:
        found = jax.eval_shape(evaluate, jax.ShapeDtypeStruct((model.size,), dtype), *columns)
    except Exception as error:
        message = str(error).split("\n")[0]
        raise ValueError(
            f"the law {law.name} fails on columns of {rows} rows: {type(error).__name__}: {message}"
        ) from error
    if getattr(found, "shape", None) != (rows,):
        got = f"shape {found.shape}" if hasattr(found, "shape") else f"a {type(found).__name__}"
        raise ValueError(
            f"the law {law.name} must return one number a row: for columns of shape ({rows},) it "
            f"gave {got}; write it in jax.numpy operations that broadcast over its inputs"
        )


def _lane(model: Model, data: Dataset, length: int) -> dict[str, Any]:
    """Return the arrays of one curve."""
    wanted = sum(site.size for site in model.sites if site.name not in model.noise.parameters)
    where = f"curve {data.curve[0]!r}" if data.curve is not None else "the table"
    if len(data) < wanted:
        data.fail(
            f"{where} has {len(data)} rows, the law {model.law!r} {wanted} free parameters",
            remedy="measure more runs, fix or tie parameters, or take a simpler law",
        )
    ((name, response),) = data.responses.items()
    given = data.reference or {}
    ref = {x: float(given.get(x, _reference(model, data.inputs, x))) for x in data.inputs}
    inputs = {x: column / ref[x] for x, column in data.inputs.items()}
    observed = np.round(response * data.n) if model.noise.counts else response
    chance = data.chance if data.chance is not None else np.zeros(len(data))
    if np.ptp(chance) > 0:
        data.fail(f"{where} has several chance levels", role="chance", remedy="use --curve")

    def pad(column):
        return np.concatenate([column, np.full(length - len(data), column[0])])

    lane = {
        "inputs": {x: pad(column) for x, column in inputs.items()},
        "observed": pad(observed),
        "stderr": pad(data.stderr if data.stderr is not None else np.zeros(len(data))),
        "mask": np.arange(length) < len(data),
        "ref": {x: np.float64(value) for x, value in ref.items()},
        "span": {x: np.log([col.min(), col.max()]) for x, col in inputs.items()},
        "y": np.float64(given.get(name, np.median(response))),
        "chance": np.float64(chance[0]),
    }
    return lane | ({"n": pad(data.n.astype(int))} if data.n is not None else {})


def _reference(model: Model, inputs: Mapping[str, np.ndarray], name: str) -> float:
    """Return the largest scale of one input, the geometric mean of each of several.

    What an extrapolation in one scale hangs on is the level at its end; in several, exponents are
    least correlated with the level in the middle.
    """
    if not model.law.relative:
        return 1.0
    name = dict(model.law.same_unit).get(name, name)
    return float(inputs[name].max() if len(inputs) == 1 else np.exp(np.log(inputs[name]).mean()))
