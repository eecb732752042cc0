"""A misfit moves what a fit of an accuracy says beyond the data, continuously, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

import bayescale as bs
from bayescale.comparison.predictive import leave_one_out
from bayescale.posterior.bends import KNOTS, bent
from bayescale.posterior.mixture import mix
from bayescale.posterior.pointwise import law_draws
from bayescale.posterior.storage import load, save
from bayescale.questions.predict import predict
from bayescale.questions.residuals import residuals
from bayescale.questions.threshold import threshold
from bayescale.workflows.forecast import variance_shares

X = np.geomspace(1e8, 1e10, 12)
BEYOND = np.array([1e8, 1e10, 1.0001e10, 3e10, 1e11, 1e13])
ASKED = dict(seed=1, allow_failed=True)


@pytest.fixture(scope="module")
def fit():
    """A quick fit of a rise, said to be sampled so that its evidence can be asked."""
    n = 200
    right = np.random.default_rng(0).binomial(n, 0.25 + 0.75 / (1 + (1e10 / X) ** 1.5))
    columns = {"x": X, "y": right / n, "n": np.full(len(X), n), "chance": np.full(len(X), 0.25)}
    data = bs.from_frame(columns, "x", "y", n="n", chance="chance")
    found = bs.fit("sigmoid", data, noise="binomial", sampler=bs.Laplace(draws=400))
    return replace(found, sampling=replace(found.sampling, method="NUTS"))


def paths(bends, x):
    """delta of each draw at scales, (draw, point): slopes at knots, added up on a fine grid."""
    draws = bends.draws.reshape(-1, len(KNOTS))
    v = [np.zeros(len(draws))]
    for i, gap in enumerate(np.diff(KNOTS), 1):
        stay = np.exp(-gap / 4)
        v.append(stay * v[-1] + np.sqrt(1 - stay**2) * draws[:, i])
    fine = np.linspace(0, KNOTS[-1], 20_001)
    slope = np.array([np.interp(fine, KNOTS, own) for own in np.transpose(v)])
    steps = np.cumsum((slope[:, 1:] + slope[:, :-1]) / 2 * np.diff(fine), 1)
    added = np.concatenate([np.zeros((len(v[0]), 1)), steps], 1)
    t = np.clip(np.log(x / 1e10), 0, None)
    return np.array([np.interp(t, fine, own) for own in added])


def test_beyond_the_data_the_log_odds_leave_the_law_by_an_integrated_process(fit):
    wider = bs.with_misfit(fit, 0.4, seed=2)
    assert wider.bends.begins == pytest.approx(1e10, rel=1e-6)
    plain, found = (law_draws(one, {"x": BEYOND}) for one in (fit, wider))
    edge = law_draws(fit, {"x": np.array([1e10])})
    off = expit(logit(plain) + paths(wider.bends, BEYOND))
    kept = np.where(BEYOND > 1e10, np.maximum(off, np.minimum(plain, edge)), plain)
    np.testing.assert_allclose(found, kept, rtol=1e-4)
    np.testing.assert_array_equal(predict(wider, {"x": BEYOND}, **ASKED).mean, found)
    size = np.sqrt(np.square(paths(wider.bends, BEYOND)).mean(0))
    assert (np.diff(size[1:]) > 0).all()
    slope = np.square(wider.bends.draws[..., 1:]).mean() ** 0.5
    assert slope == pytest.approx(0.4, rel=0.2)  # half-normal times normal


def test_it_is_continuous_at_the_edge_and_within_the_data_nothing_changes(fit):
    wider = bs.with_misfit(fit, 1.0)
    near = {"x": np.array([1e8, 3e9, 1e10, 1.00001e10])}
    one, other = law_draws(fit, near), law_draws(wider, near)
    np.testing.assert_allclose(other[:, :3], one[:, :3], rtol=1e-12)
    np.testing.assert_allclose(other[:, 3], one[:, 3], atol=1e-8)
    np.testing.assert_array_equal(residuals(wider).fitted, residuals(fit).fitted)
    np.testing.assert_array_equal(residuals(wider).hi, residuals(fit).hi)
    one, other = (leave_one_out(each) for each in (fit, wider))
    np.testing.assert_array_equal(one.elpd, other.elpd)
    assert bs.log_evidence(wider) == bs.log_evidence(fit)
    found = bs.compare_laws({"plain": fit, "wider": wider})
    assert found.probability["wider"] == pytest.approx(0.5)


def test_what_was_measured_stays_unlocked(fit):
    wider, level = bs.with_misfit(fit, 3.0), 0.45
    plain, found = (threshold(one, level, allow_failed=True) for one in (fit, wider))
    past = (law_draws(fit, {"x": X[-1:]}) >= level)[:, 0]
    assert past.mean() > 0.9
    np.testing.assert_allclose(found.unlock[past], plain.unlock[past], atol=1e-6)
    assert (law_draws(wider, {"x": BEYOND[2:]}) >= law_draws(fit, {"x": X[-1:]}) - 1e-12).all()


def test_new_runs_and_crossings_are_of_one_path(fit):
    wider = bs.with_misfit(fit, 0.6)
    new = predict(wider, {"x": BEYOND}, n=10_000, **ASKED).new
    assert np.abs(new - law_draws(wider, {"x": BEYOND})).max() < 0.03
    found = threshold(wider, 0.9, allow_failed=True)
    cross = np.isfinite(found.log10_scale) & (found.log10_scale > 10.01)
    law, flat = bent(wider)
    assert cross.sum() > 50
    for i in np.flatnonzero(cross)[:50]:
        own = {name: flat[name][i] for name in law.parameters}
        at = np.asarray(law.fn(np.array([10 ** found.log10_scale[i]]), **own))
        assert at[0] == pytest.approx(0.9, abs=1e-3)


def test_it_is_said_and_carried_by_mixtures(fit):
    wider = bs.with_misfit(mix({"a": fit, "b": fit}), 0.5)
    a, b = (part.bends.draws for part in wider.parts.values())
    assert not np.allclose(a, b)  # laws have paths of their own
    notes = threshold(wider, 0.9, allow_failed=True).notes
    (said,) = [note for note in notes if note.kind == "misfit"]
    assert "slopes of its log odds are off by 0.5 an e-fold" in said
    assert not any(each.kind == "misfit" for each in threshold(fit, 0.9, allow_failed=True).notes)
    told = predict(wider, {"x": BEYOND}, **ASKED)
    assert any("as large as it was on other tasks" in note for note in told.notes)
    shares = variance_shares(wider, told)["misfit"]
    assert max(shares[:2]) < 1e-20 < shares[3]
    assert (variance_shares(mix({"a": fit}), told)["misfit"] == 0).all()


def test_it_survives_a_file(fit, tmp_path):
    wider = bs.with_misfit(fit, 0.7, seed=3)
    save(wider, tmp_path / "fit.nc")
    kept = load(tmp_path / "fit.nc")
    assert (kept.bends.sd, kept.bends.begins) == (wider.bends.sd, wider.bends.begins)
    np.testing.assert_array_equal(kept.bends.draws, wider.bends.draws)
    at = {"x": BEYOND}
    np.testing.assert_array_equal(predict(kept, at, **ASKED).new, predict(wider, at, **ASKED).new)
    save(fit, tmp_path / "plain.nc")
    assert load(tmp_path / "plain.nc").bends is None


def test_none_and_refused(fit, power_data):
    assert bs.with_misfit(fit, 0.0) is fit
    with pytest.raises(ValueError, match="sd of 0 or more"):
        bs.with_misfit(fit, -1.0)
    with pytest.raises(ValueError, match=r"power is of x\. Of losses: approximate\(power\)"):
        bs.with_misfit(bs.fit("power", power_data, sampler=bs.Laplace(draws=50)))
