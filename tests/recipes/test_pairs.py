"""Rows of several recipes that belong together: which they are, and what it is to know it."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.inference.samplers import NUTS
from bayescale.recipes.rows import RESPONSES, paired
from tests.documented import kept

QUICK = NUTS(chains=2, warmup=300, draws=300, retries=0)
HOW = dict(x="C", y="loss", group="recipe", sampler=QUICK, progress=False, common="all")
FLOPS = np.geomspace(1e18, 1e21, 8)
FACTOR = 1.5


def runs(seed=0, common=0.02, own=0.003):
    """Two recipes at the same scales, where much of what scatters is common to both."""
    rng = np.random.default_rng(seed)
    shared = common * rng.normal(size=len(FLOPS))
    parts = []
    for name, factor in (("A", 1.0), ("B", FACTOR)):
        loss = 1.7 + 1.6 * (factor * FLOPS / 1e18) ** -0.15
        loss = loss * np.exp(shared + own * rng.normal(size=len(FLOPS)))
        parts.append(pd.DataFrame({"C": FLOPS, "loss": loss, "recipe": name}))
    return pd.concat(parts, ignore_index=True)


def test_what_rows_share_is_in_no_ratio():
    rows = runs()
    told = bs.multiplier(rows, **HOW)
    apart = rows.assign(C=rows.C.where(rows.recipe == "A", rows.C * (1 + 1e-9)))
    alone = bs.multiplier(apart, **HOW)
    width = {}
    for name, found in (("sets", told), ("alone", alone)):
        lo, hi = np.quantile(found.told["B"][1], (0.05, 0.95))
        assert lo < FACTOR < hi, (name, lo, hi)
        width[name] = np.log(hi / lo)
    assert width["sets"] < 0.5 * width["alone"], width
    assert np.median(told.shared) > 0.8
    assert (told.pairs, alone.pairs) == (8, 0)
    assert (alone.shared == 0).all()
    # The scatter of single runs is what it is either way.
    assert np.median(told.scatter) == pytest.approx(np.median(alone.scatter), rel=0.4)
    found = kept(told.summary(), "Multiplier")["paired"]
    assert found["sets"] == 8
    assert found["share"]["lo"] < np.median(told.shared)
    assert kept(alone.summary(), "Multiplier")["paired"] == {"sets": 0, "share": None}
    (note,) = [note for note in told.notes if note.kind == "paired"]
    assert "rows of one C belong together (8 sets)" in note


# ------------------------------------------------------------------ which rows belong together


def table(of="loss", run=None, **columns):
    rows = {"C": [1e18, 1e19, 1e18, 1e19], "recipe": ["A", "A", "B", "B"]} | columns
    rows |= {"y": [3.0, 2.5, 2.9, 2.4]}
    data = bs.from_frame(rows, "C", "y", group="recipe", run=run, duplicates="keep")
    found = paired(data, RESPONSES[of]).run
    if found is None:
        return None
    _, first = np.unique(found.astype(str), return_inverse=True)
    return {frozenset(np.flatnonzero(first == i).tolist()) for i in set(first)}


def sets(*each):
    return {frozenset(one) for one in each}


def test_losses_of_one_scale_belong_together():
    assert table() == sets([0, 2], [1, 3])
    assert table(C=[1e18, 1e19, 2e18, 2e19]) is None
    assert table(C=[1e18, 1e19, 2e18, 1e19]) == sets([0], [1, 3], [2])
    assert table("accuracy") is None


def test_labels_say_which_rows_belong_together():
    seed = dict(seed=["s", "s", "s", "s"])
    assert table(run="seed", **seed) == sets([0, 2], [1, 3])
    assert table("accuracy", run="seed", **seed) == sets([0, 2], [1, 3])
    # Of one configuration recipes may need more compute than others.
    size = dict(size=["small", "large", "small", "large"], C=[1e18, 1e19, 1.1e18, 1.1e19])
    assert table(run="size", **size) == sets([0, 2], [1, 3])
    seeds = dict(seed=[0, 1, 0, 1], C=[1e18, 1e18, 1e18, 1e19])
    assert table(run="seed", **seeds) == sets([0, 2], [1, 3])
    with pytest.raises(bs.DataError, match=r"column 'one': pairs no two recipes; .*--pair"):
        table(run="one", one=["a", "b", "c", "d"])
    with pytest.raises(ValueError, match="pair is a column of a data frame"):
        bs.multiplier(bs.from_frame(runs(), "C", "loss", group="recipe"), pair="C")


def test_accuracies_of_one_model_may_be_paired():
    rng, parts = np.random.default_rng(1), []
    flops = np.geomspace(1e19, 3e21, 8)
    better = 0.8 * rng.normal(size=8)
    for name, factor in (("plain", 1.0), ("thought", 3.0)):
        share = 0.9 / (1 + np.exp(-1.4 * np.log(flops * factor / 3e20) - better))
        parts.append({"C": flops, "acc": rng.binomial(1000, share) / 1000})
        parts[-1] |= {"recipe": name, "model": [f"m{i}" for i in range(8)]}
    rows = pd.concat(map(pd.DataFrame, parts))
    how = HOW | dict(y="acc", n=1000, pair="model", baseline="plain")
    told = bs.multiplier(rows, **how)
    assert told.pairs == 8
    lo, hi = np.quantile(told.told["thought"][1], (0.05, 0.95))
    assert lo < 3 < hi < 2.5 * lo, (lo, hi)
    assert np.median(told.shared) > 0.8
    assert "same scales" not in {note.kind for note in told.notes}
