"""What all tests share. Width (x64) and devices are a test's own choice."""

import gc
import inspect
import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
# Programs run a few times here. Level 0 saves a fifth of compiling, and samples three times slower;
# code made in one part, not in many beside each other, saves a tenth. No flag that some XLA does
# not know: it ends the process (`model.programs` asks before).
FLAGS = "--xla_backend_optimization_level=1 --xla_cpu_parallel_codegen_split_count=1"
os.environ.setdefault("XLA_FLAGS", FLAGS)
# Compiled programs are shared by the workers, and by the processes and kernels that tests start.
PROGRAMS = Path(__file__).parents[1] / ".pytest_cache" / "programs"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(PROGRAMS))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import jax
import numpy as np
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
# Tracing makes millions of small objects, hardly any of them garbage: looking costs a twentieth.
gc.set_threshold(50_000, 5, 4)


@pytest.fixture(autouse=True, scope="session")
def shared_programs():
    """What one test has compiled serves the others, until there are many programs."""
    from bayescale.model import programs

    programs.KEPT = 20_000


@pytest.fixture
def compilations(monkeypatch):
    """Names of the functions compiled, one entry a program; none is forgotten meanwhile."""
    monkeypatch.setattr("bayescale.inference.fit.make_room", lambda: None)
    found, on = [], [True]

    def listen(event, duration, **kwargs):
        if on and event == "/jax/core/compile/backend_compile_duration":
            found.append(str(kwargs.get("fun_name")))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    on.clear()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real scaling data that ``BAYESCALE_DATA`` names; skips without one."""
    folder = os.environ.get("BAYESCALE_DATA")
    if not folder:
        pytest.skip("BAYESCALE_DATA is not set: no folder of real scaling data to test on")
    if not Path(folder).is_dir():
        pytest.fail(f"BAYESCALE_DATA names no folder: {folder}")
    return Path(folder)


# Simulated tables and their posteriors. Sampling takes a fraction of a second, compiling four or
# five: whoever needs some posterior takes one of these.

TRUTH = {
    "power": dict(E=1.8, A=150.0, alpha=0.25, sigma=0.005),
    "chinchilla": dict(E=1.8, A=480.0, B=2000.0, alpha=0.35, beta=0.37, sigma=0.004),
    "sigmoid": dict(g=0.27, u=0.93, x50=2e10, k=1.2, tau=0.5),
}


@pytest.fixture(scope="session")
def truth() -> dict:
    """True constants of the simulated tables, by law."""
    return TRUTH


def power_table(length: int, seed: int = 0, alpha: float = 0.25):
    """A power law with a floor, measured at `length` scales."""
    from bayescale.data.dataset import Dataset

    rng = np.random.default_rng([7, seed])
    x = np.geomspace(1e8, 1e11, length)
    y = (1.8 + 150 * x**-alpha) * np.exp(0.005 * rng.normal(size=length))
    return Dataset({"x": x}, {"y": y}, source=f"power_{length}")


def chinchilla_table(length: int, seed: int = 0):
    """Losses of `length` runs whose parameters and tokens are independent."""
    from bayescale.data.dataset import Dataset

    rng = np.random.default_rng([8, seed])
    N = np.exp(rng.uniform(np.log(5e7), np.log(1e10), length))
    D = np.exp(rng.uniform(np.log(1e9), np.log(3e11), length))
    y = 1.8 + 480 * N**-0.35 + 2000 * D**-0.37
    y = y * np.exp(0.004 * rng.standard_t(6, length))
    return Dataset({"N": N, "D": D}, {"loss": y}, source=f"chinchilla_{length}")


def sigmoid_table(length: int, seed: int = 0):
    """Accuracies on 1,000 questions of `length` models that differ in effective scale."""
    from bayescale.data.dataset import Dataset

    rng = np.random.default_rng([9, seed])
    x = np.geomspace(1e8, 3e12, length)
    shifted = x * np.exp(0.5 * rng.normal(size=length))
    p = 0.27 + (0.93 - 0.27) / (1 + (shifted / 2e10) ** -1.2)
    n = np.full(length, 1000.0)
    chance = np.full(length, 0.25)
    return Dataset({"x": x}, {"acc": rng.binomial(1000, p) / n}, n=n, chance=chance)


def level_table(length: int, seed: int = 0, n: int = 60, p: float = 0.3):
    """Accuracies of `length` models that all know as much."""
    from bayescale.data.dataset import Dataset

    rng = np.random.default_rng([10, seed])
    questions = np.full(length, float(n))
    y = rng.binomial(n, p, length) / questions
    return Dataset(
        {"x": np.geomspace(1e8, 1e11, length)}, {"acc": y}, n=questions, chance=0.25 + 0 * y
    )


@pytest.fixture(scope="session")
def make_table():
    """Tables by law: make_table["power"](length, seed)."""
    return {
        "power": power_table,
        "chinchilla": chinchilla_table,
        "sigmoid": sigmoid_table,
        "flat": level_table,
    }


@pytest.fixture(scope="session")
def power_data():
    """24 points of a power law with a floor."""
    return power_table(24)


@pytest.fixture(scope="session")
def power_fit(power_data):
    """A sound posterior in one scale: power x student, 4 x 1000 draws."""
    from bayescale.inference.fit import fit

    return fit("power", power_data, seed=1)


@pytest.fixture(scope="session")
def chinchilla_fit():
    """A sound posterior in two scales: chinchilla x student, 4 x 1000 draws."""
    from bayescale.inference.fit import fit

    return fit("chinchilla", chinchilla_table(60), seed=1)


@pytest.fixture(scope="session")
def sigmoid_fit():
    """A sound posterior of accuracies: sigmoid x scatter, 4 x 1000 draws."""
    from bayescale.inference.fit import fit

    return fit("sigmoid", sigmoid_table(30), seed=1)


@pytest.fixture(scope="session")
def small():
    """A sampler for posteriors that need not be good: 2 x 200 draws."""
    from bayescale.inference.samplers import NUTS

    return NUTS(chains=2, warmup=200, draws=200, retries=0)


@pytest.fixture
def quick_forecasts(monkeypatch):
    """Forecasts from few draws where no sampler is named: 2 x 300."""
    from bayescale.inference.samplers import NUTS
    from bayescale.recipes.multiplier import multiplier
    from bayescale.workflows.forecast import forecast

    few = NUTS(chains=2, warmup=300, draws=300, retries=0)
    monkeypatch.setitem(inspect.unwrap(forecast).__kwdefaults__, "sampler", few)
    monkeypatch.setitem(inspect.unwrap(multiplier).__kwdefaults__, "sampler", few)


@pytest.fixture(scope="session")
def level_fit():
    """A posterior of one parameter, flat x binomial, of 10 models; 2 x 4000 draws."""
    from bayescale.inference.fit import fit
    from bayescale.inference.samplers import NUTS

    sampler = NUTS(chains=2, warmup=200, draws=4000, retries=0)
    return fit("flat", level_table(10), noise="binomial", sampler=sampler, seed=1)


@pytest.fixture(scope="session")
def rivals(small):
    """Two laws of the same 16 runs, which rise: sigmoid and flat, x beta_binomial."""
    from bayescale.inference.fit import fit

    data = sigmoid_table(16)
    return {
        name: fit(name, data, noise="beta_binomial", sampler=small, seed=1)
        for name in ("sigmoid", "flat")
    }


def pytest_collection_modifyitems(items):
    """Begin with the notebooks, few and long: at the end one worker would wait for the other."""
    items.sort(key=lambda item: item.path.stem != "test_notebooks")
