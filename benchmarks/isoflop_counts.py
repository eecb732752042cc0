"""isoflop_counts: real runs with N counted in another way, beside what is published of that."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.planning.isoflop import OUTSIDE

from .common import data_dir

COUNTS = (
    "The same runs of Porian with N counted anew, by `count`: their sizes have neither embeddings "
    "nor head, and a width that their other table tells. As they stand they are of no budgets of "
    "the new count, and `isoflop` says so; losses are read between the tokens of each size."
)

VOCABULARY = 50432
"""Of Porian's models: sizes with the head less those without are multiples of it."""
RECOUNTED = {
    "rw/base/warmup-long/decay-kaplan": ("kaplan/train", "standard/val"),
    "rw/tuned/warmup-long/decay-const": ("kaplan/train", None),
}
"""Experiment -> how its runs count N, and another published count of it."""


def recounted() -> Iterator[dict]:
    """Give what `count` makes of runs whose sizes have neither head nor embeddings.

    Widths are those that the published sizes with the head tell. Runs of one budget of theirs are
    of none in another count: losses are read between the tokens of each size.
    """
    folder = data_dir()
    runs = pd.read_csv(folder / "porian_isoflops.csv")
    fits = pd.read_csv(folder / "porian_published_fits.csv").set_index("experiment").n_exponent
    full = np.unique(runs[runs.param_count == "standard"].params)
    for experiment, (own, other) in RECOUNTED.items():
        rows = runs[runs.experiment == f"{experiment}/count-{own}"]
        for count, matrices in (("given", 0), ("head", 1), ("embeddings", 2)):
            read = []
            for size, each in rows.sort_values("tokens").groupby("params"):
                widths = (full - size) / VOCABULARY / 32
                known = widths[(widths > 0.5) & (abs(widths - widths.round()) < 1e-4)]
                assert len(known) == 1, size
                width = 32 * known[0]
                tokens = rows.flops.unique() / 6 / (size + matrices * VOCABULARY * width)
                tokens = tokens[(tokens >= each.tokens.min()) & (tokens <= each.tokens.max())]
                logs = np.interp(np.log(tokens), np.log(each.tokens), np.log(each.loss))
                read += [
                    (size, d, width, loss) for d, loss in zip(tokens, np.exp(logs), strict=True)
                ]
            frame = pd.DataFrame(read, columns=["N", "D", "width", "loss"])
            x = ["N", "D", "width"][: 2 + (matrices > 0)]
            how = dict(count=count, vocab=VOCABULARY if matrices else None, law=None)
            found = bs.isoflop(frame, x=x, y="loss", **how)
            used = sum(each.outside <= OUTSIDE for each in found.optima)
            names = {"given": own, "head": other}
            told = fits.get(f"{experiment}/count-{names.get(count)}")
            kept = {
                "table": f"Porian {experiment}",
                "count": count,
                "published": "-" if told is None else f"{told:.3f}",
            }
            yield kept | {"a": spread(found.a), "budgets": f"{used} of {len(found.optima)}"}


def spread(drawn: np.ndarray | None) -> str:
    """Return median and 90 % of draws in words."""
    if drawn is None:
        return "-"
    lo, median, hi = np.quantile(drawn, (0.05, 0.5, 0.95))
    return f"{median:.3f} ({lo:.3f} to {hi:.3f})"
