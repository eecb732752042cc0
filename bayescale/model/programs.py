"""programs: how functions are compiled, and run over draws; when compiled ones are forgotten."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any

import jax
import numpy as np

__all__ = ["by_blocks", "compiled", "make_room"]

BLOCK = 1024
"""Draws that a program takes at once."""

LEVEL = "xla_backend_optimization_level"
QUICK = {
    LEVEL: 1,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}
"""On a CPU: these programs compile at half the price, and run as fast (JAX 0.12 does not know the
second); made in one part, not in many beside each other, they take two thirds of the maps."""
KEPT = 6_000
"""Memory maps that programs may take until they are forgotten; a model takes 100 to 500."""
_others: list[int] = []
"""Maps of the process when it had no programs yet, or had forgotten them."""


def compiled(level: int = QUICK[LEVEL], **how: Any) -> Callable[[Callable], Callable]:
    """Make a function a program, as `jax.jit` does; one that other programs do not call.

    Level 0 is for what runs a moment: on a CPU it compiles two to three times faster than level 1,
    and runs one to four times slower.
    """

    def decorate(fn: Callable) -> Callable:
        @cache
        def program(backend: str) -> Any:
            options = _options(level) if backend == "cpu" else None
            return jax.jit(fn, **how, compiler_options=options)

        @wraps(fn)
        def run(*args: Any, **kwargs: Any) -> Any:
            return program(jax.default_backend())(*args, **kwargs)

        run.program = lambda: program(jax.default_backend())  # type: ignore[attr-defined]
        return run

    return decorate


def by_blocks(program: Callable[[Any], Any], draws: Any) -> Any:
    """Return what a program makes of draws: one that is compiled once, however many they are.

    Parameters
    ----------
    program
        From BLOCK draws to arrays of as many.
    draws
        Arrays with a leading axis of draws.
    """
    count, made = len(jax.tree.leaves(draws)[0]), []
    for first in range(0, count, BLOCK):
        at = np.minimum(np.arange(first, first + BLOCK), count - 1)
        block = jax.device_get(program(jax.tree.map(lambda leaf, at=at: leaf[at], draws)))
        made.append(jax.tree.map(lambda leaf, n=count - first: leaf[:n], block))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *made)


def _options(level: int) -> dict[str, Any]:
    """Return what of `QUICK`, at a level, this version of XLA knows."""
    return {k: v for k, v in (QUICK | {LEVEL: level}).items() if _knows(k, v)}


@cache
def _knows(option: str, value: Any) -> bool:
    with suppress(jax.errors.JaxRuntimeError):
        jax.jit(abs, compiler_options={option: value}).lower(1.0).compile()
        return True
    return False


def make_room() -> None:
    """Forget compiled programs where the process has many memory maps.

    Linux gives a process 65,530 of them; beyond, XLA ends it.

    Raises
    ------
    RuntimeError
        Where there is no room for another model all the same.
    """
    maps, limit = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
    if not (maps.exists() and limit.exists()):
        return
    count = _lines(maps)
    if not _others:
        _others.append(count)
    most = int(limit.read_text())
    if count > min(_others[-1] + KEPT, most // 2):
        jax.clear_caches()
        gc.collect()
        count = _lines(maps)
        _others.append(count)
    if count > 0.9 * most:
        raise RuntimeError(
            f"this process has {count:,} of at most {most:,} memory maps, with which compiling "
            "ends it; go on in a new process, or raise vm.max_map_count"
        )


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")
