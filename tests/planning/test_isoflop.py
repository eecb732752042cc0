"""Optima of budgets and the line through them: known answers, coverage, what is refused."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.planning.parabola import line, optima

DATA = Path(os.environ.get("BAYESCALE_DATA", "/nowhere"))
real = pytest.mark.skipif(not (DATA / "porian_isoflops.csv").exists(), reason="no data")
X = {"N": "N", "D": "D"}


def runs(seed=0, noise=0.002, budgets=6, sizes=9, reach=(0.2, 5), alpha=0.35, beta=0.37):
    """Runs of a Chinchilla law about the optimum of each budget, and those optima."""
    rng = np.random.default_rng(seed)
    C = np.geomspace(1e18, 1e21, budgets)
    G = (alpha * 480 / (beta * 2000)) ** (1 / (alpha + beta))
    best = G * (C / 6) ** (beta / (alpha + beta))
    off = np.exp(0.3 * rng.normal(size=(budgets, 1)))
    N = (best[:, None] * off * np.geomspace(*reach, sizes)).ravel()
    D = np.repeat(C, sizes) / 6 / N
    loss = 1.8 + 480 * N**-alpha + 2000 * D**-beta
    loss *= np.exp(noise * rng.normal(size=len(N)))
    return pd.DataFrame({"N": N, "D": D, "loss": loss}), best


def inside(draws, truth):
    lo, hi = np.quantile(draws, (0.05, 0.95))
    return lo <= truth <= hi


def test_intervals_hold_the_truth():
    """Of 60 tables: binomial bounds of .9 are .80 and .97, and a line without scatter is wide."""
    exponents, sizes = [], []
    for seed in range(60):
        frame, best = runs(seed)
        found = bs.isoflop(frame, x=X, y="loss", law=None, seed=seed)
        exponents.append(inside(found.a, 0.37 / 0.72))
        sizes += [
            inside(each.log_n, np.log(size))
            for each, size in zip(found.optima, best, strict=True)
            if each.outside <= 0.1
        ]
    assert np.mean(exponents) >= 0.85
    assert 0.85 < np.mean(sizes) < 0.98
    assert len(sizes) > 300


@real
@pytest.mark.parametrize("which", ["count-kaplan/train", "decay-chinchilla", "tuned"])
def test_published_exponents(which):
    """Porian et al. 2024: .834 as Kaplan counted, .571 by Hoffmann's decay, .497 tuned."""
    frame = pd.read_csv(DATA / "porian_isoflops.csv").query("source_file == 'summary_df'")
    published = pd.read_csv(DATA / "porian_published_fits.csv").query("source_file == 'summary_df'")
    (row,) = published[published.experiment.str.contains(which)].itertuples()
    own = frame[frame.experiment == row.experiment]
    found = bs.isoflop(own, x={"N": "params", "D": "tokens"}, y="loss", law=None)
    assert np.median(found.a) == pytest.approx(row.n_exponent, abs=0.035)
    known = pd.read_csv(DATA / "porian_optima.csv").query("source_file == 'summary_df'")
    known = known[known.experiment == row.experiment].set_index("flops").n_opt
    used = [each for each in found.optima if each.outside <= 0.1]
    gaps = [np.median(one.log_n) - np.log(known[float(f"{one.flops:.6g}")]) for one in used]
    assert np.median(np.abs(gaps)) < 0.15


def test_an_optimum_at_the_edge_is_left_out():
    frame, _ = runs(noise=0.001)
    C = 6 * frame.N * frame.D
    last = 0.9 * C.max() < C
    cut = frame[~last | (frame.N[last].quantile(0.45) > frame.N)]
    found = bs.isoflop(cut, x=X, y="loss", law=None)
    *others, edge = found.summary()["budgets"]
    assert not edge["used"]
    assert all(each["used"] for each in others)
    assert [note.kind for note in found.notes] == ["edge"]
    assert inside(found.a, 0.37 / 0.72)
    assert "left out" in repr(found)


def test_of_a_law_far_from_a_parabola_intervals_hold_and_are_no_wider_than_they_need():
    """Sizes off the optimum, where a parabola is wrong: of 60 tables as above; by what is shared.

    If budgets shared no shape, they would be a quarter as wide again: .046 for .037.
    """
    held, widths, how = [], [], dict(noise=0.004, budgets=5, sizes=6, alpha=0.25, beta=0.45)
    for seed in range(60):
        frame, _ = runs(seed, reach=(0.15, 3), **how)
        found = bs.isoflop(frame, x=X, y="loss", law=None, seed=seed)
        held.append(inside(found.a, 0.45 / 0.7))
        widths.append(np.ptp(np.quantile(found.a, (0.05, 0.95))))
    assert np.mean(held) >= 0.85
    assert np.median(widths) < 0.041


@pytest.mark.parametrize(("off", "lo", "hi"), [(0.0, 0.5, 1.0), (0.25, 0.0, 0.05)])
def test_scatter_is_none_where_optima_lie_on_a_line(off, lo, hi):
    frame, _ = runs(noise=0.001, budgets=8, reach=(0.15, 7))
    rng = np.random.default_rng(4)
    scattered = np.exp(off * np.repeat(rng.normal(size=8), 9))
    frame = frame.assign(N=frame.N * scattered, D=frame.D / scattered)
    found = bs.isoflop(frame, x=X, y="loss", law=None)
    assert lo <= (found.scatter == 0).mean() <= hi


def test_a_table_that_is_refused_costs_no_fit(monkeypatch):
    from bayescale.planning import isoflop as module

    def fitted(*_, **__):
        raise AssertionError("a law was fitted")

    monkeypatch.setattr(module, "fit", fitted)
    frame, _ = runs()
    with pytest.raises(bs.DataError, match="turns within"):
        bs.isoflop(frame.assign(loss=frame.N), x=X, y="loss")


def test_two_budgets_are_a_line_of_which_the_scatter_is_not_known():
    frame, _ = runs(budgets=2)
    found = bs.isoflop(frame, x=X, y="loss", law=None)
    assert [note.kind for note in found.notes] == ["scatter"]
    assert inside(found.a, 0.37 / 0.72)


def test_scatter_about_the_line_is_found():
    """Optima known to 1 % that lie 20 % off a line: its slope is as uncertain as that."""
    rng = np.random.default_rng(1)
    frame, _ = runs(budgets=12, noise=1e-4)
    logs = {k: np.log(frame[k].to_numpy()) for k in "ND"}
    logs["C"] = logs["N"] + logs["D"] + np.log(6)
    rows = np.split(np.arange(len(frame)), 12)
    off = np.repeat(rng.normal(0, 0.2, 12), 9)
    found = optima(logs | {"N": logs["N"] + off}, frame.loss.to_numpy(), rows, 0)
    a, _, scatter = line(found, 0)
    assert 0.12 < np.median(scatter) < 0.35
    assert a.std() > 0.01
    assert inside(a, 0.37 / 0.72)


def test_what_n_counts():
    frame, _ = runs()
    wide = frame.assign(width=1000.0, N=frame.N, C=6 * frame.N * frame.D)
    own = bs.isoflop(wide, x={**X, "C": "C"}, y="loss", law=None, count="own")
    given = bs.isoflop(frame, x=X, y="loss", law=None)
    np.testing.assert_allclose(own.a, given.a, atol=1e-6)
    budgets = np.geomspace(1e18, 1e21, 6)
    how = dict(law=None, count="head", vocab=1e3, budgets=budgets)
    head = bs.isoflop(wide, x={**X, "width": "width"}, y="loss", **how)
    assert "1 x 1000 x width" in head.count
    first = head.summary()["budgets"][0]["N"]["median"]
    assert first == pytest.approx(given.summary()["budgets"][0]["N"]["median"] + 1e6, rel=0.05)


def test_of_curves_each_has_its_line():
    frame = pd.concat([runs(i)[0].assign(recipe=name) for i, name in enumerate("AB")])
    found = bs.isoflop(frame, x=X, y="loss", curve="recipe", law=None)
    assert [*found] == ["A", "B"]
    assert all(inside(one.a, 0.37 / 0.72) for one in found.values())


def test_the_line_speaks_of_other_budgets(chinchilla_fit, monkeypatch):
    from bayescale.planning import isoflop as module

    monkeypatch.setattr(module, "fit", lambda law, data, **how: chinchilla_fit)
    frame, best = runs()
    found = bs.isoflop(frame, x=X, y="loss")
    assert found.law == "chinchilla"
    assert found.surface.shape == (found.surface.shape[0], 6)
    assert len(found.table()) == 6
    assert found.unsound == (() if chinchilla_fit.health.sound else ("chinchilla",))
    ahead = np.median(found.params(1e22), axis=0)
    assert ahead[0] == pytest.approx(best[-1] * 10 ** (0.37 / 0.72), rel=0.25)


@pytest.mark.parametrize(
    ("change", "how", "said"),
    [
        (lambda f: f.assign(D=f.D * np.geomspace(1, 40, len(f))), {}, "name the budgets"),
        (lambda f: f.iloc[:9], {}, "are needed"),
        (lambda f: f, {"count": "haed"}, "head"),
        (lambda f: f.assign(width=1.0), {"count": "head"}, "vocab"),
        (lambda f: f.assign(N=f.N / 1e9), {}, r"no FLOP here; give the scales .*-x 'N=N\*1e9'$"),
        (lambda f: f.assign(loss=f.N), {}, "turns within"),
        (lambda f: f, {"budgets": [-1.0]}, "positive"),
        (lambda f: f, {"budgets": "large"}, "is a number"),
        (lambda f: f, {"budgets": 1e30}, "0 budgets with .* of those named: runs are of 1"),
    ],
)
def test_what_is_refused(change, how, said):
    x = {**X, "width": "width"} if how.get("count") == "head" else X
    with pytest.raises(ValueError, match=said):
        bs.isoflop(change(runs()[0]), x=x, y="loss", law=None, **how)
