"""What was fitted is kept: an interrupted call goes on, and a finished one is read."""

from dataclasses import replace

import numpy as np
import pytest

from bayescale.data.dataset import Dataset
from bayescale.inference import fit as inference
from bayescale.inference.samplers import INTERRUPTED, NUTS
from bayescale.posterior.files import StorageError
from bayescale.workflows import resume
from bayescale.workflows.tasks import tasks

SAMPLER = NUTS(chains=2, warmup=100, draws=100, retries=0)
LAWS = ("sigmoid", "flat")


@pytest.fixture(scope="module")
def two(make_table):
    """Two tasks of 16 models."""
    tables = [make_table["sigmoid"](16, seed) for seed in (0, 1)]
    join = lambda part: np.concatenate([part(table) for table in tables])  # noqa: E731
    return Dataset(
        {"x": join(lambda t: t.inputs["x"])},
        {"acc": join(lambda t: t.responses["acc"])},
        n=join(lambda t: t.n),
        chance=join(lambda t: t.chance),
        curve=np.repeat(["a", "b"], 16),
    )


def counted(monkeypatch, stop_at=None):
    """Count the fits that are made; the one numbered `stop_at` is cut short."""
    made = []

    def fit(law, data, **how):
        made.append(law.name)
        found = inference.fit(law, data, **how)
        if len(made) == stop_at:
            told = replace(found.sampling, notes=(INTERRUPTED,))
            return replace(found, sampling=told)
        return found

    monkeypatch.setattr(resume, "fit", fit)
    return made


def asked(data, folder, **changed):
    how = dict(noise="beta_binomial", sampler=SAMPLER, seed=2, folder=folder) | changed
    return tasks(data, LAWS, **how)


def test_a_call_that_was_cut_short_goes_on(two, tmp_path, monkeypatch):
    whole = asked(two, None).summary()
    made = counted(monkeypatch, stop_at=2)
    with pytest.raises(KeyboardInterrupt):
        asked(two, tmp_path)
    assert made == ["sigmoid", "flat"]
    assert [path.name for path in tmp_path.iterdir()] == ["sigmoid.nc"]
    made = counted(monkeypatch)
    assert asked(two, tmp_path).summary() == whole
    assert made == ["flat"]
    assert asked(two, tmp_path).summary() == whole
    assert made == ["flat"]


def test_what_was_made_of_something_else_is_made_anew(two, tmp_path, monkeypatch):
    asked(two, tmp_path)
    other = two.take(np.arange(1, len(two)))
    for data, changed in (
        (other, {}),
        (two, {"seed": 3}),
        (two, {"sampler": replace(SAMPLER, draws=120)}),
        (two, {"noise": "binomial"}),
    ):
        made = counted(monkeypatch)
        asked(data, tmp_path, **changed)
        assert made == list(LAWS)
        made.clear()
        asked(data, tmp_path, **changed)
        assert made == []
    (tmp_path / "flat.nc").write_bytes(b"damaged")
    made = counted(monkeypatch)
    asked(two, tmp_path, noise="binomial")
    assert made == ["flat"]


def test_a_folder_that_is_none_is_refused_before_the_first_fit(two, tmp_path, monkeypatch):
    made = counted(monkeypatch)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be made"):
        asked(two, tmp_path / "file")
    assert made == []
