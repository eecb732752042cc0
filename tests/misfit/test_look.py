"""Looks at fits: what contradicts a law is refused, what is odd is told, else there is silence."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.cli.commands import main
from bayescale.misfit.misfit import Finding
from bayescale.posterior.health import Health

T = np.linspace(0, 1, 16)
X = 1e18 * 10 ** (5 * T)
FALLS = 1.8 + 2 * np.exp(-3 * T)
CURVES = {
    "right": FALLS,
    "rising": 1 + 0.2 * T,
    "turning": 2 + 0.8 * (T - 0.5) ** 2,
    "break": 3 * np.exp(-0.1 * T - 2 * np.maximum(T - 0.6, 0)),
    "spike": FALLS * np.where(T > 0.8, 1.35, 1.0),
    "exact": FALLS,
    "one off": FALLS * np.where(np.arange(16) == 5, 1.5, 1.0),
}
NOISY = 0.005


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    rows = []
    for name, y in CURVES.items():
        sd = 0.0 if name == "exact" else NOISY
        noisy = y * np.exp(rng.normal(0, sd, 16)) if sd else y
        rows.append(pd.DataFrame({"curve": name, "C": X, "loss": noisy}))
    close = np.geomspace(1e20, 1.02e20, 16)
    rows.append(pd.DataFrame({"curve": "one scale", "C": close, "loss": rng.normal(2, 0.01, 16)}))
    last = pd.DataFrame({"curve": "two scales", "C": np.repeat([1e18, 1e22], 8)})
    last["loss"] = np.repeat([3.0, 2.0], 8) * np.exp(rng.normal(0, NOISY, 16))
    return pd.concat([*rows, last], ignore_index=True)


@pytest.fixture(scope="module")
def fitted(frame):
    data = bs.from_frame(frame, x="C", y="loss", curve="curve")
    return bs.fit("power", data, sampler=bs.NUTS(warmup=500, draws=400, chains=2, retries=0))


def verdict(fitted, name):
    (found,) = fitted.curve(name).health.verdicts
    return found


def kinds(fit):
    return {note.kind for note in fit.notes}


def test_a_law_that_is_right_is_sound_and_nothing_is_said(fitted):
    for name in ("right", "exact"):
        found = verdict(fitted, name).fit
        assert found.sound, found.problems
        assert found.notes == (), name
        assert found.distinct == {"x": 16}
        assert found.span["x"] == pytest.approx(1e5)


def test_data_exactly_on_a_law_are_a_fit(fitted):
    one = fitted.curve("exact")
    assert one.health.verdicts[0].settled
    assert np.median(one.draws["E"]) == pytest.approx(1.8, rel=1e-3)


@pytest.mark.parametrize("name", ["rising", "turning", "spike"])
def test_data_that_go_against_the_law_are_no_fit(fitted, name):
    found = verdict(fitted, name)
    assert not found.sound
    assert "the data go against the law" in found.fit.problems[0]
    assert "broken(1)" in found.advice[-2]


def test_data_of_another_shape_are_no_fit(fitted):
    found = verdict(fitted, "break")
    assert not found.fit.sound
    assert "another shape" in found.fit.problems[0]
    assert found.fit.relative > 0.2


def test_questions_beyond_contradicted_data_are_refused_those_within_are_not(fitted):
    one = fitted.curve("rising")
    (found,) = one.health.verdicts
    one = replace(one, health=Health((replace(found, sampling=Finding()),)))
    with pytest.raises(bs.FailedFit, match="go against the law"):
        bs.predict(one, {"x": 1e25})
    assert len(bs.predict(one, {"x": 1e25}, allow_failed=True).quantiles()) == 3
    assert one.trusted(within=True) is one
    assert len(bs.predict(one, {"x": 1e20}).quantiles()) == 3


def test_a_run_far_out_is_named_by_its_row(fitted, frame):
    found = verdict(fitted, "one off").fit
    assert found.sound
    row = int(frame.index[frame.curve == "one off"][5]) + 1
    assert row in found.far
    note = next(note for note in found.notes if note.kind == "far")
    assert f"row {row} (" in note
    assert note in fitted.curve("one off").health.verdicts[0].fit.notes
    told = bs.threshold(fitted.curve("one off"), 2.0, allow_failed=True)
    assert any(each == note for each in told.notes)


def test_one_scale_is_no_fit_and_two_are_told(fitted):
    one, two = verdict(fitted, "one scale").fit, verdict(fitted, "two scales").fit
    assert "all rows are at one scale" in one.problems[0]
    assert one.distinct == {"x": 1}
    assert two.sound
    assert "scales" in kinds(two)
    assert "2 different values of C for 3 parameters" in two.notes[0]


def test_the_command_line_ends_with_1_and_says_why(frame, tmp_path, capsys):
    path = tmp_path / "rising.csv"
    frame[frame.curve == "rising"].to_csv(path, index=False)
    quick = ["--chains", "2", "--draws", "400"]
    assert main(["fit", str(path), "--law", "power", "-x", "C", "-y", "loss", *quick]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "the data go against the law" in shown
    assert "broken(1)" in shown


def of_sizes(*losses):
    """The fit of a power law to a few sizes."""
    sizes = np.geomspace(1.4e6, 8.8e7, len(losses))
    data = bs.from_frame(pd.DataFrame({"N": sizes, "loss": losses}), x="N", y="loss")
    return bs.fit("power", data, sampler=bs.NUTS(warmup=500, draws=400, chains=2, retries=0))


def test_the_largest_that_is_worse_than_most_is_told():
    found = of_sizes(2.0, 0.6, 0.5, 0.48, 0.47, 1.9).health.verdicts[0].fit
    assert found.sound
    note = next(note for note in found.notes if note.kind == "worse")
    assert "at the largest N (row 6)" in note


@pytest.mark.parametrize("losses", [(0.59, 0.5, 0.48, 0.47, 1.9), (0.59, 0.5, 0.51, 1.7, 2.4)])
def test_the_largest_that_is_worse_than_all_is_no_fit(losses):
    found = of_sizes(*losses).health.verdicts[0].fit
    assert not found.sound
    assert "at the largest N (row 5) loss is worse than at every smaller one" in found.problems[0]
    assert "--where 'N < ...'" in found.advice[0]
    assert found.chance <= 0.01


def test_what_lies_below_a_detection_limit_has_no_residual():
    sizes, rng = np.geomspace(16, 4096, 9), np.random.default_rng(0)
    errors = 0.9 * (sizes / 16) ** -1.2 * np.exp(rng.normal(0, 0.03, 9))
    shown = np.where(errors < 0.01, 0.0, errors)
    table = pd.DataFrame({"n": sizes, "error": shown})
    data = bs.from_frame(table, x="n", y="error", limit=0.01)
    quick = bs.NUTS(warmup=500, draws=400, chains=2, retries=0)
    found = bs.fit("power", data, sampler=quick).health.verdicts[0].fit
    assert found.sound
    assert found.notes == ()
