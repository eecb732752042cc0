"""What the studies share: where data are, where results go, how figures are written down."""

from __future__ import annotations

import os
import platform
import resource
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def data_dir() -> Path:
    """Return the folder of real measurements, or end with one clear line."""
    folder = os.environ.get("BAYESCALE_DATA")
    if not folder:
        sys.exit("this study needs the folder of real measurements: set BAYESCALE_DATA")
    return Path(folder)


def cpu_seconds() -> float:
    """Return user and system CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def conditions() -> str:
    """Return one line that says on what the figures were measured."""
    import jax

    names = ("bayescale", "jax", "numpyro", "blackjax", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    where = f"{jax.devices()[0].device_kind}, {os.cpu_count()} cores, {platform.system()}"
    return f"{date.today()}; Python {platform.python_version()}, {versions}; {where}"


def write(name: str, title: str, *parts: str) -> None:
    """Write a study's figures to results/NAME.md, and say so."""
    RESULTS.mkdir(exist_ok=True)
    text = "\n\n".join([f"# {title}", f"Measured {conditions()}.", *parts]) + "\n"
    (RESULTS / f"{name}.md").write_text(text)
    print(text)


def table(frame, digits: int = 4) -> str:
    """Return a data frame as a Markdown table."""
    frame = frame.reset_index() if frame.index.name or frame.index.nlevels > 1 else frame

    def cell(value):
        return f"{value:.{digits}g}" if isinstance(value, float) else str(value)

    rows = [list(map(str, frame.columns)), ["---"] * frame.shape[1]]
    rows += [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
