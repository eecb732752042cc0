"""Of a law of loss and accuracy both can be predicted."""

import numpy as np
import pytest

import bayescale as bs
from bayescale.data.dataset import Dataset
from bayescale.inference.samplers import Laplace


@pytest.fixture(scope="module")
def both():
    x = np.geomspace(1e19, 1e23, 24)
    loss = 0.5 + 2 * (x / 1e19) ** -0.25
    noisy = loss * np.exp(0.01 * np.random.default_rng(0).normal(size=24))
    accuracy = np.round(1000 * (0.25 + 0.7 / (1 + np.exp(-4 * (1.2 - loss))))) / 1000
    noisy[3] = np.nan
    data = Dataset(
        {"x": x}, {"accuracy": accuracy, "loss": noisy}, n=1000 + 0 * x, chance=0.25 + 0 * x
    )
    return bs.fit("two_stage", data, sampler=Laplace(draws=400), progress=False)


def test_the_loss_of_two_stages_is_predicted(both):
    at = {"x": [1e20, 1e24]}
    found = bs.predict(both, at, response="loss", allow_failed=True)
    truth = 0.5 + 2 * (np.array([1e20, 1e24]) / 1e19) ** -0.25
    lo, median, hi = found.quantiles()
    assert median == pytest.approx(truth, rel=0.08)
    assert (lo < hi).all()
    params = {k: v[:, None] for k, v in both.flat().items() if k in both.law.parameters}
    own = both.law.fn(np.array([[1e20, 1e24]]), **params)
    np.testing.assert_allclose(found.mean, own["loss"], rtol=1e-5)
    spread = np.log(found.new / found.mean).std(0)  # the loss's own noise, not the accuracy's
    assert spread == pytest.approx(np.median(both.flat()["sigma"]), rel=0.6)
    score = bs.predict(both, at, allow_failed=True)
    assert ((score.mean > 0.2) & (score.mean < 1)).all()
    np.testing.assert_allclose(score.mean, own["accuracy"], rtol=1e-5)


def test_a_response_that_the_law_has_not_is_refused(both):
    with pytest.raises(ValueError, match="there are accuracy, loss"):
        bs.predict(both, {"x": 1e20}, response="brier", allow_failed=True)
