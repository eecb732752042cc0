"""The best setting of a sweep at each scale."""

import numpy as np
import pytest

import bayescale as bs
from bayescale.data.from_frame import from_frame
from bayescale.messages import DataError

SWEEP = {
    "N": [1e8, 1e8, 1e8, 1e8, 1e9, 1e9, 1e9],
    "lr": [0.1, 0.2, 0.2, 0.3, 0.1, 0.2, 0.3],
    "seed": [1, 1, 2, 1, 1, 1, 1],
    "loss": [3.5, 3.3, 3.1, 3.15, 2.9, 3.0, 3.1],
}


def sweep(**how):
    return bs.from_frame(SWEEP, {"N": "N"}, "loss", **how)


def test_the_setting_of_lowest_mean_is_kept_with_its_seeds():
    assert sweep(best="lr").rows.tolist() == [4, 5]  # 3.15 is below the mean of 3.3 and 3.1
    assert sweep(best=["lr"], where="lr < .3").rows.tolist() == [2, 3, 5]
    assert sweep(best=["lr", "seed"]).rows.tolist() == [3, 5]


def test_it_says_what_was_left_out_and_where_the_best_is_at_the_end():
    notes = {note.kind: str(note) for note in sweep(best="lr").notes}
    assert "at each of 2 scales: 5 of 7 rows are left out" in notes["best"]
    assert "at 2 of 2 scales the best lr is the lowest or highest" in notes["edge"]


def test_of_accuracies_the_highest_is_best():
    found = bs.from_frame(SWEEP, {"N": "N"}, "loss/10", n=1000, best="lr")
    assert found.responses["y"].tolist() == [0.35, 0.31]


def test_curves_are_scales_of_their_own():
    frame = SWEEP | {"kind": ["a", "a", "b", "b", "a", "b", "b"]}
    found = bs.from_frame(frame, {"N": "N"}, "loss", curve="kind", best="lr")
    assert found.rows.tolist() == [2, 3, 5, 6]


@pytest.mark.parametrize(
    ("best", "said"), [("rate", "no column 'rate'"), ("N", "best=N is a scale of the law")]
)
def test_what_is_no_setting_is_refused(best, said):
    with pytest.raises(DataError, match=said):
        sweep(best=best)


def test_the_frontier_is_found_without_picking(small):
    """The envelope of a sweep within .5 %, where the mean of all runs lies 5 % above it."""
    rng = np.random.default_rng(4)
    x = np.repeat(np.geomspace(1e8, 1e11, 12), 10)
    law = 1.8 + 150 * x**-0.25
    y = law * np.exp(rng.exponential(0.05, len(x)) + 0.001 * rng.normal(size=len(x)))
    data = bs.Dataset({"x": x}, {"loss": y})
    found = bs.fit("power", data, noise="frontier", sampler=small, seed=1)
    said = bs.predict(found, {"x": [1e8, 1e10, 1e11]}, allow_failed=True)
    true = 1.8 + 150 * np.array([1e8, 1e10, 1e11]) ** -0.25
    assert np.allclose(np.median(said.mean, 0) / true, 1, atol=0.005)
    assert np.median(said.new[:, 1]) > true[1] * 1.02


@pytest.mark.parametrize(
    ("name", "text", "highest"),
    [
        ("eval/acc (%)", "`eval/acc (%)`/100", True),
        ("accuracy", "accuracy", True),
        ("mmlu", "mmlu", True),
        ("error", "error", False),
        ("loss", "loss", False),
    ],
)
def test_the_best_of_a_sweep_is_told_by_what_is_measured(name, text, highest):
    scale, rate = (each.ravel() for each in np.meshgrid([1e18, 1e19, 1e20], [0.1, 0.2, 0.4]))
    score = 10 * np.log10(scale) - 150 - 20 * (rate - 0.2) ** 2
    table = {"flops": scale, "lr": rate, name: score if highest else 100 - score}
    data = from_frame(table, "flops", text, best="lr")
    assert len(data) == 3
    kept = score.reshape(3, 3)[1]
    expected = (kept if highest else 100 - kept) / (100 if "/100" in text else 1)
    np.testing.assert_allclose(data.responses["y"], expected)
    assert ("highest" if highest else "lowest") in data.notes[0]
