"""seal: a last line with format and checksum: a damaged file is refused before HDF5 sees it."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO

from .files import StorageError, line_of, resolved

__all__ = ["check_seal", "seal"]

SEAL = re.compile(rb"\nbayescale format (\d+) sha256 ([0-9a-f]{64})\n")
ROOM = 128


def seal(path: Path, version: int) -> None:
    """Append the line to a file."""
    with path.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.write(f"\nbayescale format {version} sha256 {digest}\n".encode())


def check_seal(path: str | os.PathLike, version: int) -> None:
    """Refuse what is not ours, of another format, or not as it was written."""
    try:
        with resolved(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - ROOM))
            seal = SEAL.search(file.read())
            rest = size if seal is None else size - len(seal[0])
            digest = _sha256(file, rest)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or line_of(error)}") from error
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
    if digest != seal[2].decode():
        raise StorageError(f"{path}: is damaged; copy it anew, or fit again")


def _sha256(file: BinaryIO, size: int) -> str:
    """Return the digest of the first `size` bytes."""
    file.seek(0)
    total = hashlib.sha256()
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        total.update(block)
        size -= len(block)
    return total.hexdigest()
