"""Programs are compiled as by `jax.jit`, and forgotten before there is no room for more."""

import os
import subprocess
import sys

import jax.numpy as jnp
import pytest

from bayescale.model import programs
from bayescale.model.programs import compiled, make_room


@compiled(static_argnames=("power",))
def raised(x, *, power):
    return x**power


def test_a_program_is_compiled_once_for_each_shape():
    for x in (2.0, 3.0):
        assert raised(x, power=2) == x * x
    assert raised.program()._cache_size() == 1
    raised(jnp.ones(3), power=2)
    assert raised.program()._cache_size() == 2


def test_options_that_this_xla_does_not_know_are_left_out(monkeypatch):
    monkeypatch.setattr(programs, "QUICK", {**programs.QUICK, "xla_no_such_option": True})
    known = programs._options(1)
    assert known == {name: programs.QUICK[name] for name in known}
    assert "xla_backend_optimization_level" in known
    assert "xla_no_such_option" not in known


def test_programs_are_forgotten_where_maps_are_many(monkeypatch):
    raised(2.0, power=3)
    monkeypatch.setattr(programs, "KEPT", 4_000)
    monkeypatch.setattr(programs, "_others", [0])
    monkeypatch.setattr(programs, "_lines", lambda path: programs.KEPT)
    make_room()
    assert raised.program()._cache_size() > 0
    counts = iter((programs.KEPT + 1, 100))
    monkeypatch.setattr(programs, "_lines", lambda path: next(counts))
    make_room()
    assert raised.program()._cache_size() == 0


def test_programs_are_forgotten_before_fits_are_refused(monkeypatch):
    raised(2.0, power=3)
    monkeypatch.setattr(programs, "KEPT", 10**9)
    monkeypatch.setattr(programs, "_others", [0])
    counts = iter((10**8, 100))
    monkeypatch.setattr(programs, "_lines", lambda path: next(counts))
    make_room()
    assert raised.program()._cache_size() == 0


def test_without_room_a_fit_is_refused(monkeypatch):
    monkeypatch.setattr(programs, "_lines", lambda path: 10**9)
    with pytest.raises(RuntimeError, match=r"memory maps.*go on in a new process"):
        make_room()


MANY = """
import numpy as np
import bayescale as bs
from bayescale.model import programs

programs.KEPT = 300
most = 0
for i in range(4):
    x = np.geomspace(1e8, 1e11, 12)
    data = bs.from_frame({"x": x, "y": 1.8 + 150 * x**-0.25 + 0.01 * np.cos(40 * x)}, "x", "y")
    bs.fit(bs.get_law("power").fix(E=1.7 + 0.01 * i), data, sampler=bs.MAP(), seed=i)
    most = max(most, programs._lines(programs.Path("/proc/self/maps")))
print(most - programs._others[0])
"""


def test_maps_stay_bounded_over_models_of_many_shapes():
    """Compiled as for users: by the tests' own flags a model takes few maps."""
    env = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    command = [sys.executable, "-c", MANY]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 1200
