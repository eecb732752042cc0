"""Studies run for hours, on demand: that they still start is known here."""

from importlib import import_module

import pytest

from benchmarks.__main__ import STUDIES, main


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_can_start(name):
    assert callable(import_module(f"benchmarks.{STUDIES[name]}").main)


def test_an_unknown_study_is_refused():
    with pytest.raises(SystemExit, match="no study speeed; there are calibration, loss_laws"):
        main(["speeed"])
