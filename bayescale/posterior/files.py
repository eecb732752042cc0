"""files: files written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["StorageError", "writable", "write"]


class StorageError(ValueError):
    """A file cannot be written, or is not a fit that can be read."""


def writable(path: str | os.PathLike) -> Path:
    """Return where `path` leads if a file can be written there; asked before a long fit.

    Raises
    ------
    StorageError
        If the folder is missing or closed to us, or something other than a file is in the way.
    """
    target = _resolve(path)
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
            f"{path}: cannot be written: {error.strerror or _line(error)}; "
            "name a file in a folder that exists and is yours"
        ) from error
    return target


def _resolve(path: str | os.PathLike) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # loops of links, no home, a null byte
        raise StorageError(f"{os.fspath(path)!r}: is no path of a file: {_line(error)}") from error


def _beside(target: Path) -> Path:
    """Return a new name in the same folder; from there a rename is atomic."""
    return target.with_name(f".bayescale-{secrets.token_hex(6)}.part")


def _line(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def write(target: Path, content: bytes) -> None:
    """Put a file in its place once all of it is on disk; what was there stays until then."""
    target = target.resolve()
    part = target.with_name(f".bayescale-{secrets.token_hex(6)}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
