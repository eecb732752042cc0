"""terminal: what a command line needs of its process.

Standard output for answers, standard error for all else, exit status, and JAX's global settings,
which no other file touches.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.segment import Segment

from ..messages import shortened, visible

__all__ = [
    "BROKEN_PIPE",
    "FAULT",
    "INTERRUPTED",
    "SOUND",
    "UNTRUSTED",
    "WRONG",
    "complain",
    "drop_output",
    "open_streams",
    "put",
    "show",
    "start_jax",
    "tell",
    "written",
]

SOUND, UNTRUSTED, WRONG = 0, 1, 2
FAULT = 70  # as sysexits.h has it; 1 and 2 mean something to scripts
INTERRUPTED, BROKEN_PIPE = 130, 141  # as shells report SIGINT and SIGPIPE
NARROWEST = 20
"""Characters a line has at least."""


class Terminal(Console):
    """rich's console, to which names of tables are text alone.

    It leaves a broken pipe to the caller: status 1 means something else.
    """

    def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
        """Yield what is written, without what would steer the terminal."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text, "\n"), style, control)

    def on_broken_pipe(self) -> None:
        """Raise it on."""
        raise BrokenPipeError


def open_streams() -> None:
    """Let every letter be written, and what was closed lead nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Let what is still to be written lead nowhere: it must not fail again when Python ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(*parts: Any) -> None:
    """Draw the parts of an answer on standard output."""
    console = Terminal(highlight=False)
    if console.width < NARROWEST:
        console.width = NARROWEST if console.width > 0 else 80  # as COLUMNS=0 means: unknown
    for part in parts:
        console.print(part, markup=False)


def put(document: Any) -> None:
    """Write one JSON document, or text as it is, to standard output."""
    text = document if isinstance(document, str) else written(document)
    sys.stdout.write(text.rstrip("\n") + "\n")


def written(document: Any) -> str:
    """Return a JSON document as text."""
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def tell(*lines: str) -> None:
    """Write lines to standard error."""
    for line in lines:
        sys.stderr.write(f"{visible(line, chr(10))}\n")


def complain(message: str, status: int) -> int:
    """Write one line to standard error and return the exit status."""
    tell(f"bayescale: {shortened(' '.join(message.split()))}")
    return status


def start_jax() -> Path | None:
    """Keep compiled programs from run to run; return where, None if they cannot be kept."""
    from ..datasets.tables import cache_folder

    folder = cache_folder() / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Who can write programs here can run them as the user.
        if hasattr(os, "geteuid") and folder.stat().st_uid != os.geteuid():
            return None
        folder.chmod(0o700)
    except OSError:
        return None
    if not os.access(folder, os.W_OK):
        return None
    import jax

    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder
