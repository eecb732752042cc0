"""files: files written whole or not at all, and the seal by which a damaged one is known."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from ..messages import a_path

__all__ = ["StorageError", "line_of", "resolved", "sealed", "unsealed", "writable", "write"]


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
        return Path(a_path(path)).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # loops of links, no home, a null byte
        raise StorageError(
            f"{os.fspath(path)!r}: is no path of a file: {line_of(error)}"
        ) from error


def line_of(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def write(target: Path, content: bytes | str) -> None:
    """Put a file in its place once all of it is on disk; what was there stays until then.

    A file that is replaced hands on its mode. What a process that was killed had begun is cleared
    away.

    Raises
    ------
    StorageError
        If it cannot be written: what was there is unchanged.
    """
    target = target.resolve()
    part = _beside(target)
    try:
        _clear(target.parent)
        with part.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(part, target)
    except OSError as error:
        raise StorageError(
            f"{target}: could not be written, what was there is unchanged: "
            f"{error.strerror or line_of(error)}"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


PART = ".bayescale-{owner}-{number}.part"


def _owner(process: int | str) -> str:
    """Return what names a process among those of all machines."""
    return f"{platform.node() or 'here'}-{process}"


def _beside(target: Path) -> Path:
    """Return a new name in the same folder; from there a rename is atomic."""
    return target.with_name(PART.format(owner=_owner(os.getpid()), number=secrets.token_hex(6)))


def _clear(folder: Path) -> None:
    """Remove what processes of this machine that are no more had begun to write."""
    for part in folder.glob(PART.format(owner=_owner("*"), number="*")):
        process = part.name.split("-")[-2]
        if process.isdecimal() and not _runs(int(process)):
            part.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    if os.name != "posix":  # elsewhere, to ask is to end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # of another user
        return True
    return True


# ------------------------------------------------------------------ a last line with a checksum


SEAL = re.compile(rb"\nbayescale format (\d+) sha256 ([0-9a-f]{64})\n\Z")
ROOM = 128
LARGEST = 4 << 30
"""Bytes of the largest file that is read."""


def sealed(content: bytes, version: int) -> bytes:
    """Return a file's content with the line that says its format and checksum."""
    digest = hashlib.sha256(content).hexdigest()
    return content + f"\nbayescale format {version} sha256 {digest}\n".encode()


def unsealed(path: str | os.PathLike, version: int) -> bytes:
    """Return the content of a sealed file.

    Raises
    ------
    StorageError
        If it is not ours, of another format, or not as it was written.
    """
    target = resolved(path)
    try:
        if target.exists() and not target.is_file():
            raise StorageError(f"{path}: cannot be read: it is no regular file")
        if target.stat().st_size > LARGEST:
            raise StorageError(f"{path}: is larger than any fit that bayescale reads")
        content = target.read_bytes()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or line_of(error)}") from error
    seal = SEAL.search(content, max(0, len(content) - ROOM))
    if seal is None:
        raise StorageError(
            f"{path}: is no fit saved by bayescale, or was cut short or changed since; copy it "
            "anew, or make one: bayescale fit -o FILE"
        )
    if int(seal[1]) != version:
        raise StorageError(
            f"{path}: is of format {int(seal[1])}, this bayescale reads format {version}; "
            "read it with the version that wrote it, or fit again"
        )
    content = content[: seal.start()]
    if hashlib.sha256(content).hexdigest() != seal[2].decode():
        raise StorageError(f"{path}: is damaged; copy it anew, or fit again")
    return content
