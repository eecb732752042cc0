"""hdf5: a NetCDF file as bytes, and its datasets read as from a stranger.

HDF5 works in memory alone: a disk that fails under it ends the process. What is read is looked at
first: no link leads out of the file, no dataset has another type or claims more than is there, and
each is one block of numbers (texts too are bytes): in trees and heaps HDF5 may turn for ever.
"""

from __future__ import annotations

import io
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from .files import StorageError

if TYPE_CHECKING:
    import h5py
    import xarray

__all__ = ["Reader", "to_bytes"]


def to_bytes(tree: xarray.DataTree) -> bytes:
    """Return a tree as a NetCDF file."""
    return bytes(tree.to_netcdf(engine="h5netcdf"))


class Reader:
    """The named datasets of a NetCDF file in memory; a context manager.

    Raises
    ------
    StorageError
        By each of its methods, for what is not as it is written by us.
    """

    def __init__(self, content: bytes):
        import h5py

        self._size = len(content)
        self._file = h5py.File(io.BytesIO(content), "r")

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: Any, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def numbers(self, path: str, dtype: str) -> np.ndarray:
        """Return an array of numbers, of a type that numpy calls so."""
        found, wanted = self._dataset(path), np.dtype(dtype)
        stored = np.dtype(np.int8) if wanted.kind == "b" else wanted  # NetCDF knows no bool
        if wanted.kind not in "fiub" or found.dtype != stored:
            raise StorageError(f"{path} is of {found.dtype}, not of {dtype}")
        if np.prod(found.shape, dtype=float) * found.dtype.itemsize > self._size:
            raise StorageError(f"{path} claims more than the file has")
        return np.ascontiguousarray(found[()]).astype(wanted)

    def _dataset(self, path: str) -> h5py.Dataset:
        import h5py

        at: Any = self._file
        for name in path.split("/"):
            at = self._next(at, name, path)
        if not isinstance(at, h5py.Dataset):
            raise StorageError(f"{path} is no dataset")
        layout = at.id.get_create_plist()
        if layout.get_layout() == h5py.h5d.CHUNKED:
            raise StorageError(f"{path} is packed")
        if at.is_virtual or layout.get_external_count():
            raise StorageError(f"{path} lies elsewhere")
        return at

    def _next(self, at: Any, name: str, path: str) -> Any:
        import h5py

        if not _is_group(at) or not isinstance(at.get(name, getlink=True), h5py.HardLink):
            raise StorageError(f"{path} is not in the file")
        return at[name]


def _is_group(at: Any) -> bool:
    import h5py

    return isinstance(at, h5py.Group)
