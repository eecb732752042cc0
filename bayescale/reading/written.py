"""Written: the texts of cells that were read as numbers: as labels 1.1 and 1.10 are two."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.cells import WRITTEN
from ..data.table import open_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Written", "parse_texts", "with_texts"]


class Written(dict):
    """What a frame keeps in its `attrs` of the text it was read from, read when it is asked for.

    It is an empty mapping to all else: pandas writes `attrs` into files as JSON.
    """

    def __init__(self, frame: pd.DataFrame, read: Callable[[str], pd.Series] | Mapping[str, Any]):
        super().__init__()
        self.frame = frame.copy(deep=False)
        self.frame.attrs = {}
        self._read = read

    def column(self, name: str, index: Any) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the texts of rows, and the numbers that were read of them; None where unknown.

        Rows go by their labels, as a filter may have left some out.
        """
        own = self.frame.index
        mapped = isinstance(self._read, Mapping)
        if name not in self.frame or (mapped and name not in self._read):
            return None
        if index.name != own.name or not (index.is_unique and own.is_unique):
            return None
        if own.name is None and not index.equals(own):
            return None
        at = own.get_indexer(index)
        if (at < 0).any():
            return None
        texts = self._read[name] if isinstance(self._read, Mapping) else self._read(name)
        return np.asarray(texts, object)[at], self.frame[name].to_numpy()[at]

    def __deepcopy__(self, memo: Any) -> Written:
        return self  # pandas copies `attrs` with each frame

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


def parse_texts(below: bytes, how: Mapping[str, Any], name: str) -> pd.Series:
    """Return the cells of one column as they stand in a text, without white space about them."""
    import pandas as pd

    how = {**how, "usecols": [name], "dtype": str, "keep_default_na": False}
    return pd.read_csv(io.BytesIO(below), **how)[name].str.strip()


def with_texts(frame: pd.DataFrame, names: Any = None, always: bool = False) -> pd.DataFrame:
    """Return a frame whose columns of numbers are texts where these tell more of them apart.

    Parameters
    ----------
    names
        The columns in question; all, if None.
    always
        Whether texts are taken wherever they are known.
    """
    if WRITTEN not in frame.attrs:
        return frame
    table, made = open_table(frame, "table"), {}
    for name in map(str, frame.columns if names is None else names):
        cells = table.column(name)
        if cells.dtype.kind in "biuf":
            texts = table.texts(name)
            values = {*cells[np.not_equal(texts, None).astype(bool)].tolist()}
            if always or len({*texts} - {None}) > len(values):
                made[name] = texts
    return frame.assign(**made)
