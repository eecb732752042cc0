"""Files are whole or not there; what was there stays, and nothing is left lying about."""

import os
import stat
import subprocess
import sys
import textwrap

import pytest

from bayescale.posterior import files
from bayescale.posterior.files import StorageError


def test_a_failure_leaves_what_was_there_and_nothing_else(monkeypatch, tmp_path):
    target = tmp_path / "a.json"
    files.write(target, "old")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StorageError, match="unchanged: No space left on device"):
        files.write(target, "new")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path):
    target = tmp_path / "a.json"
    target.write_text("old")
    target.chmod(0o640)
    files.write(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_what_a_killed_process_had_begun_is_cleared_away(tmp_path):
    """And what one that still runs has begun is not."""
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], **QUIET)
    owners = [files._owner(int(ended.stdout)), files._owner(os.getpid()), "elsewhere-1"]
    parts = [tmp_path / files.PART.format(owner=owner, number="ab12") for owner in owners]
    for part in parts:
        part.write_text("half")
    files.write(tmp_path / "a.json", "new")
    assert [part.exists() for part in parts] == [False, True, True]


QUIET = dict(capture_output=True, text=True, check=True)
FULL = """
    import os
    import numpy as np
    import bayescale as bs
    from bayescale.cli.printed import pictures
    from bayescale.posterior.files import StorageError, write

    x = np.geomspace(1e8, 1e11, 24)
    noise = np.exp(0.005 * np.random.default_rng(0).normal(size=24))
    runs = {"x": x, "y": (1.8 + 150 * x**-0.25) * noise}
    quick = bs.NUTS(chains=2, warmup=200, draws=2000, retries=0)
    fit = bs.fit("power", bs.from_frame(runs, "x", "y"), sampler=quick, seed=1)

    folder = os.environ["FULL"]
    for how in (
        lambda: bs.save(fit, f"{folder}/fit.nc"),
        lambda: pictures.fit(f"{folder}/fit.png", fit),
        lambda: write(__import__("pathlib").Path(folder) / "tasks.json", "x" * 10**6),
    ):
        try:
            how()
        except StorageError as error:
            print(error)
    print(os.listdir(folder), fit.draws["alpha"].shape)
    bs.save(fit, f"{folder}/../fit.nc")
    print(bs.load(f"{folder}/../fit.nc").health.sound)
"""


def test_a_full_disk_costs_nothing_but_the_file(tmp_path):
    """HDF5 that meets a full disk ends the process; here it goes on, and saves elsewhere."""
    disk = tmp_path / "full"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here: a full disk is not tried")
    try:
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(FULL)],
            env=os.environ | {"FULL": str(disk)},
            capture_output=True,
            text=True,
        )
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert run.returncode == 0, run.stderr
    *errors, listing, sound = run.stdout.splitlines()
    assert len(errors) == 3
    assert all("No space left on device" in error for error in errors)
    assert (listing, sound) == ("[] (2, 2000)", "True")
