"""Named public data: what there is, and how to load it.

`names` lists the built-in tables, `describe` says what one holds and how it is usually fitted,
`load` returns it as a pandas data frame.

Small tables live in this file. Larger ones are downloaded once, with their SHA-256 checked, and
are looked for first in the folder that the environment variable ``BAYESCALE_DATA`` names;
``BAYESCALE_CACHE`` moves the folder that downloads go to.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..messages import near
from .published import published_models

if TYPE_CHECKING:
    import pandas

__all__ = ["DatasetError", "DatasetInfo", "cache_folder", "describe", "load", "names"]


class DatasetError(ValueError):
    """A named table is unknown, or its file cannot be had or is not the published one."""


@dataclass(frozen=True)
class DatasetInfo:
    """What a named table holds and how it is usually fitted."""

    name: str
    """The name that `load` takes."""
    description: str
    """One or two sentences."""
    source: str
    """Where the numbers come from, with an arXiv number or an address."""
    licence: str
    """What is known of the terms of the data."""
    columns: Mapping[str, str]
    """Each column with its meaning and unit."""
    build: Callable[[], pandas.DataFrame] = field(repr=False)
    """Makes the data frame; called by `load`."""
    law: str | None = None
    """A law that fits the table; None for a table that is not to be fitted."""
    x: Mapping[str, str] = field(default_factory=dict)
    """The law's inputs, each with the column that feeds it."""
    y: str | None = None
    """The column of the response."""
    n: str | None = None
    """The column that counts the trials behind a proportion."""
    curve: str | None = None
    """The column that names the curves, where there are several."""
    where: str | None = None
    """The rows that are usually fitted, as the command line's ``--where``."""


@dataclass(frozen=True)
class _Download:
    """One file of a public repository, pinned by commit and by hash."""

    url: str
    filename: str
    sha256: str


_CHINCHILLA = _Download(
    url="https://raw.githubusercontent.com/epoch-research/analyzing-chinchilla/"
    "92258837425e1b5f2851d624287f0120583a3d0e/data/svg_extracted_data.csv",
    filename="svg_extracted_data.csv",
    sha256="193478df4e90f040016431996c45682659306840ecdadf83cfb9cd5ca0aa1b30",
)


def names() -> tuple[str, ...]:
    """List the names that `load` and `describe` take.

    Returns
    -------
    tuple of str
        The names, in alphabetical order.

    Examples
    --------
    >>> bs.datasets.names()
    ('chinchilla', 'gpt3_addition', 'published_models')
    """
    return tuple(_TABLES)


def describe(name: str) -> DatasetInfo:
    """Say what a named table holds, where it comes from and how it is usually fitted.

    Returns
    -------
    DatasetInfo
        Description, source, licence, columns, and the law and columns of the usual fit.

    Raises
    ------
    DatasetError
        If there is no such table; the message lists those there are.

    Examples
    --------
    >>> info = bs.datasets.describe("chinchilla")
    >>> info.law, dict(info.x), info.y
    ('chinchilla', {'N': 'params', 'D': 'tokens'}, 'loss')
    """
    if name not in _TABLES:
        raise DatasetError(f"unknown data set {name!r}{near(name, _TABLES)}")
    return _TABLES[name]


def load(name: str) -> pandas.DataFrame:
    """Load a named table, downloading it the first time where it is not in the package.

    Parameters
    ----------
    name
        One of `names`.

    Returns
    -------
    pandas.DataFrame
        The rows; `describe` says what each column holds.

    Raises
    ------
    DatasetError
        If there is no such table, if its file cannot be downloaded, or if a file found on disk
        is not the published one.

    Examples
    --------
    >>> runs = bs.datasets.load("gpt3_addition")
    >>> runs[["params", "accuracy"]].iloc[-1].tolist()
    [175000000000.0, 1.0]
    """
    return describe(name).build()


def cache_folder() -> Path:
    """Return the folder for what is kept from run to run."""
    import pooch

    try:
        return Path(os.environ.get("BAYESCALE_CACHE") or pooch.os_cache("bayescale")).expanduser()
    except RuntimeError:  # `~nouser`, or no home: nothing can be kept
        return Path(os.devnull, "bayescale")


def _fetch(name: str, file: _Download) -> Path:
    """Find the file under ``BAYESCALE_DATA``, else in the cache, else download it there."""
    if folder := os.environ.get("BAYESCALE_DATA"):
        local = Path(folder).expanduser() / "raw" / file.filename
        if local.is_file():
            if (found := _sha256(local)) != file.sha256:
                raise DatasetError(
                    f"{local} is not the published file of {name!r}: its SHA-256 is {found}, "
                    f"expected {file.sha256}; replace it with {file.url} or unset BAYESCALE_DATA"
                )
            return local

    import pooch

    cache = cache_folder()
    target = cache / file.filename
    if target.is_file() and _sha256(target) == file.sha256:
        return target
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # pooch announces each download on standard error by default
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=file.filename,
            path=cache,
        )
    except (OSError, ValueError) as error:  # every error of requests is an OSError
        raise DatasetError(
            f"cannot download the data set {name!r} ({type(error).__name__}); fetch {file.url} by "
            f"hand and put it at {target}, or in the folder raw/ of the folder that BAYESCALE_DATA "
            "names"
        ) from error
    finally:
        logger.setLevel(level)
    return target


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DatasetError(f"cannot read {path} ({error.strerror})") from error


def _chinchilla() -> pandas.DataFrame:
    import pandas as pd

    path = _fetch("chinchilla", _CHINCHILLA)
    raw = pd.read_csv(path)
    params, flops, loss = raw["Model Size"], raw["Training FLOP"], raw["loss"]
    # The replication keeps losses strictly below the fifth largest (Besiroglu et al. 2024).
    fifth = sorted(loss)[-5]
    return pd.DataFrame(
        {
            "row": range(len(raw)),
            "params": params,
            "tokens": flops / (6 * params),
            "flops": flops,
            "loss": loss,
            "dropped_by_replication": (loss >= fifth).astype("int64"),
        }
    )


_GPT3 = {
    "GPT-3 Small": 125e6,
    "GPT-3 Medium": 350e6,
    "GPT-3 Large": 760e6,
    "GPT-3 XL": 1.3e9,
    "GPT-3 2.7B": 2.7e9,
    "GPT-3 6.7B": 6.7e9,
    "GPT-3 13B": 13e9,
    "GPT-3 175B": 175e9,
}
_GPT3_TOKENS = 300e9
_TWO_DIGIT_ADDITION = {  # percent, as printed in Table H.1 of arXiv 2005.14165, row "2D+"
    "zero-shot": (0.70, 0.65, 0.70, 0.85, 1.10, 2.54, 15.4, 76.9),
    "one-shot": (2.00, 0.55, 3.15, 4.00, 12.1, 19.6, 73.0, 99.6),
    "few-shot": (2.00, 4.10, 3.50, 4.50, 8.90, 11.9, 55.5, 100.0),
}


def _gpt3_addition() -> pandas.DataFrame:
    import pandas as pd

    rows = [
        (setting, model, params, _GPT3_TOKENS, 6 * params * _GPT3_TOKENS, round(p / 100, 4), 2000)
        for setting, percents in _TWO_DIGIT_ADDITION.items()
        for (model, params), p in zip(_GPT3.items(), percents, strict=True)
    ]
    columns = ["setting", "model", "params", "tokens", "flops", "accuracy", "n"]
    return pd.DataFrame(rows, columns=columns)


_TABLES = {
    info.name: info
    for info in (
        DatasetInfo(
            name="chinchilla",
            description="Training runs of Hoffmann et al. 2022, all 245 points that Epoch AI read "
            "off the SVG of their Figure 4. The replication leaves out the five with the largest "
            "losses; the losses carry a reading error of about 0.01.",
            source="Besiroglu, Erdil, Barnett, You 2024, arXiv 2404.10102, from Hoffmann et al. "
            "2022, arXiv 2203.15556; github.com/epoch-research/analyzing-chinchilla",
            licence="none stated in the repository; downloaded, not redistributed",
            columns={
                "row": "row of the source file, from 0",
                "params": "N, model parameters",
                "tokens": "D, training tokens, as flops / (6 params)",
                "flops": "C, training FLOP",
                "loss": "final training loss, nats per token",
                "dropped_by_replication": "1 for the five rows that the replication leaves out",
            },
            build=_chinchilla,
            law="chinchilla",
            x={"N": "params", "D": "tokens"},
            y="loss",
            where="dropped_by_replication == 0",
        ),
        DatasetInfo(
            name="gpt3_addition",
            description="Accuracy of the eight GPT-3 models on two-digit addition, zero-, one- "
            "and few-shot, 2,000 problems each. The accuracies are the paper's percentages, which "
            "are rounded, so counts made from them are approximate.",
            source="Brown et al. 2020, arXiv 2005.14165, Table H.1",
            licence="facts from a published table",
            columns={
                "setting": "zero-shot, one-shot or few-shot",
                "model": "the paper's name of the model",
                "params": "model parameters, nominal",
                "tokens": "training tokens, 3e11 for every model",
                "flops": "training FLOP, as 6 params tokens",
                "accuracy": "share of problems solved, 0 to 1, rounded in the source",
                "n": "problems posed",
            },
            build=_gpt3_addition,
            law="sigmoid",
            x={"x": "params"},
            y="accuracy",
            n="n",
            curve="setting",
        ),
        DatasetInfo(
            name="published_models",
            description="Published dense language models, to mark scales; not to be fitted.",
            source="the report of each model, in the column source",
            licence="facts from published reports",
            columns={
                "name": "model",
                "organisation": "who trained it",
                "params": "model parameters, nominal",
                "tokens": "training tokens, NaN where not published or disputed",
                "flops": "training FLOP, as 6 params tokens",
                "year": "year of the report",
                "source": "arXiv number or report",
                "note": "what to know about the row",
            },
            build=published_models,
        ),
    )
}
