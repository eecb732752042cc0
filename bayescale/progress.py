"""progress: how far a long computation is, for whoever waits for it.

A bar with the time left in notebooks and terminals; a line now and then where output is piped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from html import escape
from threading import Timer
from typing import TYPE_CHECKING, Any, TypeAlias

from .messages import visible

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Progress", "Tell", "telling", "waiting"]

Tell: TypeAlias = Callable[[str, float], None]
"""What is told of a stage, and the share of it that is done."""
Progress: TypeAlias = Tell | bool
"""Who is told; True: whoever looks at the screen, False: nobody."""

PATIENCE = 2.0
"""Seconds after which a wait is worth a bar."""
NOW_AND_THEN = 60.0
"""Seconds between lines where output is piped."""
BLINK = 0.2
"""Seconds between two pictures of a bar in a notebook."""


@contextmanager
def waiting(progress: Progress = True) -> Iterator[Tell]:
    """Show what is told meanwhile, once it takes long.

    Raises
    ------
    TypeError
        If progress is neither True, False nor a function.
    """
    if progress is False:
        shown: Any = nullcontext(lambda stage, share: None)
    elif callable(progress):
        shown = nullcontext(progress)
    elif progress is not True:
        raise TypeError(f"progress is True, False or a function, got {progress!r}")
    elif "IPKernelApp" in getattr(_shell(), "config", ()):
        shown = _cell()
    else:
        from rich.console import Console

        console = Console(stderr=True)
        shown = _bar(console) if console.is_terminal else nullcontext(_lines())
    with shown as tell:
        yield tell


def telling(tell: Tell, what: str, i: int, count: int) -> Tell:
    """Return who is told of the i-th of `count` things, from 0: of all of them, and of which."""
    return lambda stage, share: tell(f"{what}: {stage}", (i + share) / count)


def _shell() -> Any:
    """Return the IPython that runs this, None for none."""
    ipython = sys.modules.get("IPython")
    return ipython and ipython.get_ipython()


@contextmanager
def _cell() -> Iterator[Tell]:
    """Show a bar in a notebook, which ends empty."""
    from IPython.display import HTML, display

    began = seen = entered = time.monotonic()
    before, handle = 0.0, None

    def tell(stage: str, share: float) -> None:
        nonlocal before, entered, seen, handle
        moment = time.monotonic()
        if share == 0 or share < before:
            entered = moment
        before = share
        if moment - began < PATIENCE or moment - seen < BLINK:
            return
        seen = moment
        # A stage that has told no share yet is compiling: there is nothing to measure it by.
        done = f' value="{share:.3f}"' if share else ""
        spent = moment - entered
        left = f", {_clock(spent * (1 - share) / share)} left" if share else ""
        bar = HTML(f"<progress{done}></progress> {escape(visible(stage))}, {_clock(spent)}{left}")
        if handle is None:
            handle = display(bar, display_id=True)
        else:
            handle.update(bar)

    try:
        yield tell
    finally:
        if handle is not None:
            handle.update(HTML(""))


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def _bar(console: Console) -> Iterator[Tell]:
    """Show a bar on a terminal, which vanishes."""
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    said = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), said, BarColumn(), TimeElapsedColumn())
    columns += (TextColumn("left"), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("working", total=None)
    timer = Timer(PATIENCE, bar.start)
    timer.daemon = True
    timer.start()

    def tell(stage: str, share: float) -> None:
        bar.update(task, description=visible(stage), total=1.0 if share else None, completed=share)

    try:
        yield tell
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


def _lines() -> Tell:
    """Return what writes a line on long work now and then."""
    last = time.monotonic()

    def tell(stage: str, share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= NOW_AND_THEN:
            last = time.monotonic()
            sys.stderr.write(f"{visible(stage)}: {share:.0%}\n")

    return tell
