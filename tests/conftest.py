"""What all tests share. Width (x64), devices and compilation cache are a test's own choice."""

import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real scaling data that ``BAYESCALE_DATA`` names; skips without one."""
    folder = os.environ.get("BAYESCALE_DATA")
    if not folder:
        pytest.skip("BAYESCALE_DATA is not set: no folder of real scaling data to test on")
    if not Path(folder).is_dir():
        pytest.fail(f"BAYESCALE_DATA names no folder: {folder}")
    return Path(folder)
