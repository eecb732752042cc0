"""files: files written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["StorageError", "line_of", "resolved", "writable", "write"]


class StorageError(ValueError):
    """A file cannot be written, or is not a fit that can be read."""


def writable(path: str | os.PathLike) -> Path:
    """Return where `path` leads if a file can be written there; asked before a long fit.

    Raises
    ------
    StorageError
        If the folder is missing or closed to us, or something other than a file is in the way.
    """
    target = resolved(path)
    if target.is_dir():
        raise StorageError(f"{path}: cannot be written: it is a folder; name a file in it")
    if target.exists() and not target.is_file():
        raise StorageError(f"{path}: cannot be written: it is no regular file; name another")
    part = _beside(target)
    try:
        part.open("xb").close()
        part.unlink()
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written: {error.strerror or line_of(error)}; "
            "name a file in a folder that exists and is yours"
        ) from error
    return target


def resolved(path: str | os.PathLike) -> Path:
    """Return where a path leads, or raise StorageError where it is none."""
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # loops of links, no home, a null byte
        raise StorageError(
            f"{os.fspath(path)!r}: is no path of a file: {line_of(error)}"
        ) from error


def _beside(target: Path) -> Path:
    """Return a new name in the same folder; from there a rename is atomic."""
    return target.with_name(f".bayescale-{secrets.token_hex(6)}.part")


def line_of(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def write(target: Path, fill: Callable[[Path], Any]) -> None:
    """Put a file in its place once all of it is on disk; what was there stays until then.

    Parameters
    ----------
    fill
        Writes the whole file to the path that it is given.
    """
    target = target.resolve()
    part = _beside(target)
    try:
        fill(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
