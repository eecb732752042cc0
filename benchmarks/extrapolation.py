"""Real learning curves fitted unattended: how many pass, what is wrong with the rest, how far off.

`revisiting_extrapolation.csv` (Alabdulmohsin et al. 2022, arXiv 2209.06640), exact copies left
out: fitted on the rows marked for training, the rest predicted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayescale.data.from_frame import from_frame
from bayescale.inference.fit import fit
from bayescale.questions.predict import predict

from .common import cpu_seconds, data_dir, table, write

LAWS = ("power", "broken(1)")


def load() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows to fit and the rows to predict, with a curve column."""
    frame = pd.read_csv(data_dir() / "revisiting_extrapolation.csv")
    frame = frame[frame["copy"] == 0]
    frame["curve"] = frame.domain + "/" + frame.task + "/" + frame.model.astype(str)
    return frame[frame.training == 1], frame[frame.training == 0]


def score(posterior, held: pd.DataFrame) -> pd.DataFrame:
    """Return each curve's RMSLE of the median and coverage of a new run on held-out rows."""
    rows = []
    for name, one in posterior:
        test = held[held.curve == name]
        found = predict(one, {"x": test.seen_examples.to_numpy()}, allow_failed=True)
        _, median, _ = found.quantiles("mean")
        lo, _, hi = found.quantiles("new")
        y = test.loss.to_numpy()
        rows.append(
            {
                "domain": name.split("/")[0],
                "rmsle": float(np.sqrt(np.mean(np.log(median / y) ** 2))),
                "covered": float(np.mean((lo <= y) & (y <= hi))),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Run the study and write its figures."""
    train, held = load()
    data = from_frame(train, {"x": "seen_examples"}, "loss", curve="curve")
    parts, passed = [], []
    for law in LAWS:
        before = cpu_seconds()
        post = fit(law, data)
        spent = cpu_seconds() - before
        verdicts = post.health.verdicts
        settled = [v.prediction_rhat <= 1.01 and v.prediction_ess >= 400 for v in verdicts]
        passed.append(
            {
                "law": law,
                "curves": len(verdicts),
                "pass": sum(v.sound for v in verdicts),
                "fail, but the predicted curve is settled": sum(
                    s and not v.sound for s, v in zip(settled, verdicts, strict=True)
                ),
                "leapfrogs a draw": round(post.sampling.leapfrogs, 1),
                "CPU seconds": round(spent),
            }
        )
        failed = [
            {
                "curve": name,
                "rows": int((data.curve == name).sum()),
                "problem": "; ".join(v.problems),
            }
            for name, v in zip(post.curves, verdicts, strict=True)
            if not v.sound
        ]
        found = score(post, held)
        means = found.groupby("domain").mean()
        means.loc["all"] = found[means.columns].mean()
        parts.append(
            f"## {law}\n\n{table(means)}\n\n"
            + (table(pd.DataFrame(failed)) if failed else "Every curve passes.")
        )
    write(
        "extrapolation",
        "Real learning curves, fitted unattended",
        f"{len(data.curve_names)} curves, student noise on the log, 4 chains of 1000 draws "
        "after 1000 of warm-up, one retry; a fit passes with R-hat < 1.01, ESS > 400 in every "
        "parameter and in the predicted curve, and at most 0.1 % divergent draws.",
        table(pd.DataFrame(passed)),
        "rmsle: root mean squared log error of the median on held-out rows, mean over curves; "
        "covered: share of held-out rows inside the 90 % interval of a new run, mean over curves.",
        *parts,
    )
