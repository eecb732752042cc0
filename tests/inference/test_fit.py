"""fit: right against a closed form, recovers what was simulated, decided by its seed alone."""

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys

import jax
import numpy as np
import numpyro.distributions as dist
import pytest

import bayescale
from bayescale.data.dataset import Dataset
from bayescale.inference import nuts
from bayescale.inference.fit import fit
from bayescale.inference.samplers import MAP, NUTS, Laplace
from bayescale.messages import DataError
from bayescale.noises.names import get_noise
from bayescale.parametric.parametric import law
from bayescale.posterior.health import FailedFit
from bayescale.posterior.intervals import INTERVAL
from bayescale.questions.predict import predict


@law(support="real", response="y")
def line(x, *, a=dist.Normal(1.0, 2.0), b=dist.Normal(0.0, 3.0)):
    """a + b x, for which the posterior is known."""
    return a + b * x


SIGMA = 0.4
KNOWN = get_noise("normal").fix(sigma=SIGMA)


@pytest.fixture(scope="module")
def line_data():
    rng = np.random.default_rng(0)
    x = np.linspace(0.5, 6, 20)
    return Dataset({"x": x}, {"y": 2 - 0.7 * x + SIGMA * rng.normal(size=20)})


@pytest.fixture(scope="module")
def exact(line_data):
    """Mean and covariance of (a, b) given the line's data."""
    X = np.column_stack([np.ones(20), line_data.inputs["x"]])
    prior = np.diag([1 / 2.0**2, 1 / 3.0**2])
    cov = np.linalg.inv(prior + X.T @ X / SIGMA**2)
    return cov @ (prior @ [1.0, 0.0] + X.T @ line_data.responses["y"] / SIGMA**2), cov


@pytest.fixture(scope="module")
def line_fit(line_data):
    return fit(line, line_data, noise=KNOWN, seed=3)


def pairs(posterior):
    return np.stack([posterior.draws[name].ravel() for name in ("a", "b")], 1)


# ------------------------------------------------------------------ is it right?


@pytest.mark.parametrize("sampler", [None, Laplace(draws=4000)], ids=["NUTS", "Laplace"])
def test_draws_follow_the_exact_posterior(sampler, line_data, line_fit, exact):
    posterior = line_fit if sampler is None else fit(line, line_data, noise=KNOWN, sampler=sampler)
    mean, cov = exact
    draws, sd = pairs(posterior), np.sqrt(np.diag(cov))
    assert len(draws) == 4000
    assert posterior.health.sound
    # At least some 1,000 independent draws stand behind 4,000: four standard errors.
    np.testing.assert_array_less(np.abs(draws.mean(0) - mean), 4 * sd / np.sqrt(1000))
    root = np.linalg.cholesky(np.linalg.inv(cov))
    np.testing.assert_allclose(root.T @ np.cov(draws.T) @ root, np.eye(2), atol=0.13)
    np.testing.assert_array_equal(posterior.draws["sigma"], SIGMA)


def test_map_is_the_exact_mode(line_data, exact):
    posterior = fit(line, line_data, noise=KNOWN, sampler=MAP())
    np.testing.assert_allclose(pairs(posterior)[0], exact[0], atol=1e-4)
    assert posterior.sampling.method == "MAP"


def test_predictions_follow_the_exact_posterior(line_fit, exact):
    mean, cov = exact
    at = np.array([1.0, 12.0])
    X = np.column_stack([np.ones(2), at])
    found = predict(line_fit, {"x": at})
    sd = np.sqrt(np.einsum("ij,jk,ik->i", X, cov, X))
    np.testing.assert_allclose(found.mean.mean(0), X @ mean, atol=0.15 * sd.max())
    np.testing.assert_allclose(found.mean.std(0), sd, rtol=0.1)
    np.testing.assert_allclose(found.new.std(0), np.hypot(sd, SIGMA), rtol=0.1)


@pytest.mark.parametrize("name", ["power", "chinchilla", "sigmoid"])
def test_what_was_simulated_is_recovered(name, truth, request):
    """Within what three standard deviations leave out, 0.27 %, and unattended sound."""
    posterior = request.getfixturevalue(f"{name}_fit")
    assert posterior.health.sound, str(posterior.health)
    assert posterior.sampling.leapfrogs < 20
    for parameter, value in truth[name].items():
        below = np.mean(posterior.draws[parameter] < value)
        assert 0.00135 < below < 0.99865, parameter
    (verdict,) = posterior.health.verdicts
    assert not {"alpha", "beta", "x50", "k", "u"} & set(verdict.unidentified)


@law(support="real", response="y")
def fork(x, *, a=dist.Normal(0.2, 1.0)):
    """a^2: two modes, known up to the sign, of which the prior prefers the positive one."""
    return a**2 + 0 * x


def test_chains_jump_between_modes_far_apart(line_data):
    """Two modes 200 standard deviations apart: no trajectory crosses, and weights are known."""
    data = Dataset(line_data.inputs, {"y": 4 + SIGMA * np.random.default_rng(0).normal(size=20)})
    sampler = NUTS(warmup=400, draws=500, retries=0)
    posterior = fit(fork, data, noise=get_noise("normal").fix(sigma=0.1), sampler=sampler, seed=2)
    a = posterior.draws["a"]
    assert np.abs(a).min() > 1.8
    assert np.abs(a).std() < 0.02
    right = a > 0
    crossings = (right[:, 1:] != right[:, :-1]).sum(1)
    assert (crossings > 30).all(), "every chain goes to and fro"
    # The prior's density at either mode: exp(-(a - .2)^2 / 2), and 2 a .2 is their difference.
    want = 1 / (1 + np.exp(-0.4 * np.abs(a).mean()))
    assert right.mean() == pytest.approx(want, abs=0.06)
    assert (np.abs(right.mean(1) - want) < 0.15).all(), "wherever it began"
    assert posterior.health.sound, str(posterior.health)


# ------------------------------------------------------------------ the seed decides


def test_one_seed_one_posterior_and_another_seed_another(power_data, power_fit):
    again, other = (fit("power", power_data, seed=seed) for seed in (1, 2))
    for name, values in power_fit.draws.items():
        np.testing.assert_array_equal(values, again.draws[name], err_msg=name)
    assert not np.any(power_fit.draws["alpha"] == other.draws["alpha"])


def test_chunks_do_not_matter(line_data, line_fit, monkeypatch):
    """Of any length that the warm-up, and its second half, are made of."""
    monkeypatch.setattr(nuts, "CHUNK", 500)
    other = fit(line, line_data, noise=KNOWN, seed=3)
    np.testing.assert_allclose(pairs(other), pairs(line_fit), rtol=1e-6)


def test_single_precision_agrees(power_data, power_fit):
    single = fit("power", power_data, seed=1, precision="float32")
    assert single.health.sound, str(single.health)
    for name in ("E", "alpha", "sigma"):
        one, two = power_fit.draws[name], single.draws[name]
        assert one.mean() == pytest.approx(two.mean(), abs=0.15 * one.std()), name
        assert one.std() == pytest.approx(two.std(), rel=0.15), name
    with pytest.raises(ValueError, match="precision is float64 or float32, got 'half'"):
        fit("power", power_data, precision="half")


def test_sharding_over_devices_changes_nothing(tmp_path, monkeypatch):
    """Eight forced host devices, in another process, give the draws of one device.

    All steps are sampling steps here: adapting the step size would amplify the last digit, in
    which programs for one lane a device and for four may differ.
    """
    script = """
import sys
import jax, numpy as np
from bayescale.data.dataset import Dataset
from bayescale.inference import nuts
from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
def draws():
    nuts.chunks = lambda warmup, draws: [(0, np.full(250, nuts.SAMPLE, np.int8))]
    x = np.geomspace(1e8, 1e11, 12)
    y = 2 + 50 * x**-0.2 * np.exp(0.01 * np.random.default_rng(0).normal(size=12))
    data = Dataset({"x": x}, {"y": y})
    sampler = NUTS(warmup=200, draws=50, retries=0)
    return fit("power", data, seed=5, sampler=sampler).draws
"""
    monkeypatch.setattr(nuts, "chunks", nuts.chunks)  # put back when the test ends
    exec(script, here := {})
    one = here["draws"]()
    assert len(jax.devices()) == 1
    flags = os.environ["XLA_FLAGS"] + " --xla_force_host_platform_device_count=8"
    env = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    script += "np.savez(sys.argv[1], devices=len(jax.devices()), **draws())"
    args = [sys.executable, "-c", script, str(tmp_path / "8.npz")]
    subprocess.run(args, env=env, check=True, timeout=300, capture_output=True)
    eight = np.load(tmp_path / "8.npz")
    assert int(eight["devices"]) == 8
    assert one["E"].shape == (4, 250)
    for name in ("E", "A", "alpha", "sigma", "nu"):
        np.testing.assert_allclose(one[name], eight[name], rtol=1e-6, err_msg=name)


# ------------------------------------------------------------------ many curves


@pytest.fixture(scope="module")
def three_curves(make_table):
    """Three curves of two length classes, their rows mixed."""
    tables = [
        make_table["power"](n, i, a) for i, (n, a) in enumerate([(24, 0.25), (40, 0.3), (20, 0.35)])
    ]
    rows = np.random.default_rng(0).permutation(84)
    join = lambda part: np.concatenate([part(table) for table in tables])[rows]  # noqa: E731
    labels = np.repeat(["wide", "long", "short"], [24, 40, 20])[rows]
    data = Dataset(
        {"x": join(lambda t: t.inputs["x"])}, {"y": join(lambda t: t.responses["y"])}, curve=labels
    )
    return data, dict(zip(["wide", "long", "short"], tables, strict=True))


def test_many_curves_in_one_call_are_as_one_by_one(three_curves):
    data, tables = three_curves
    joint = fit("power", data, seed=1)
    assert set(joint.curves) == set(tables)
    assert joint.draws["alpha"].shape == (3, 4, 1000)
    assert len(joint.health.verdicts) == 3
    for name, table in tables.items():
        alone, part = fit("power", table, seed=2), joint.curve(name)
        assert part.draws["alpha"].shape == (4, 1000)
        assert len(part.data) == len(table)
        for quantity in ("E", "alpha", "sigma"):
            one, two = part.draws[quantity], alone.draws[quantity]
            assert one.mean() == pytest.approx(two.mean(), abs=0.15 * two.std()), (name, quantity)
            assert one.std() == pytest.approx(two.std(), rel=0.15), (name, quantity)
    found = predict(joint, {"x": [1e12, 1e13]})
    assert found.mean.shape == (3, 4000, 2)
    assert found.decades.shape == (3, 2)


def test_one_named_curve_has_a_curve_dimension(power_data):
    named = Dataset(power_data.inputs, power_data.responses, curve=np.repeat("only", 24))
    posterior = fit("power", named, sampler=MAP())
    assert posterior.curves == ("only",)
    assert posterior.draws["alpha"].shape == (1, 1, 1)


# ------------------------------------------------------------------ interrupts and limits


class Interrupt:
    """A progress callback that presses Ctrl-C when a stage has come so far, the nth time."""

    def __init__(self, stage, share, time=1):
        self.stage, self.share, self.time = stage, share, time

    def __call__(self, stage, share):
        if stage == self.stage and share >= self.share:
            self.time -= 1
            if self.time == 0:
                raise KeyboardInterrupt


def test_an_interrupt_keeps_what_was_drawn(power_data, power_fit):
    # 2,000 steps in chunks of 250: warm-up ends at .5, two chunks of draws at .75.
    posterior = fit("power", power_data, seed=1, progress=Interrupt("sampling", 0.75))
    assert posterior.sampling.notes == ("interrupted",)
    assert posterior.sampling.draws == posterior.draws["alpha"].shape[1] == 500
    np.testing.assert_array_equal(
        posterior.draws["alpha"], power_fit.draws["alpha"][:, :500], err_msg="the first draws"
    )
    assert predict(posterior, {"x": 1e12}, allow_failed=True).mean.shape == (2000, 1)


def test_an_interrupt_before_the_first_draw_is_an_interrupt(power_data):
    with pytest.raises(KeyboardInterrupt):
        fit("power", power_data, seed=1, progress=Interrupt("sampling", 0.25))


def test_an_interrupt_in_the_second_length_class_keeps_all_curves(three_curves):
    """The classes then have different numbers of draws; the posterior has the fewest."""
    data, _ = three_curves
    posterior = fit("power", data, seed=1, progress=Interrupt("sampling", 0.75, time=4))
    assert "interrupted" in posterior.sampling.notes
    assert posterior.draws["alpha"].shape == (3, 4, 500)


def test_an_interrupt_keeps_the_same_draws_of_every_curve(three_curves):
    """Curves of one length class advance side by side, and stop after the same chunk."""
    data, _ = three_curves
    two = data.take(data.curve != "long")
    whole = fit("power", two, seed=1)
    part = fit("power", two, seed=1, progress=Interrupt("sampling", 0.75))
    assert part.sampling.notes == ("interrupted",)
    assert part.draws["alpha"].shape == (2, 4, 500)
    np.testing.assert_array_equal(part.draws["alpha"], whole.draws["alpha"][:, :, :500])
    np.testing.assert_array_equal(part.z, whole.z[:, :, :500])
    limited = fit("power", two, seed=1, sampler=NUTS(time_limit=0.0))
    assert limited.sampling.notes == ("stopped at its time limit",)
    np.testing.assert_array_equal(limited.draws["alpha"], whole.draws["alpha"][:, :, :250])


def test_an_interrupt_of_the_second_try_keeps_the_first(power_data):
    """A failed curve is run again; Ctrl-C meanwhile must not lose the draws there are."""
    again = Interrupt("start", 0.0, time=2)
    try:
        posterior = fit("power", power_data, seed=1, sampler=NUTS(draws=20), progress=again)
    except KeyboardInterrupt:  # pytest itself would stop
        pytest.fail("the draws of the first try are lost")
    assert not posterior.health.sound
    assert posterior.draws["alpha"].shape == (4, 20)
    assert "interrupted" in posterior.sampling.notes


def test_a_time_limit_keeps_what_was_drawn(power_data):
    posterior = fit("power", power_data, seed=1, sampler=NUTS(time_limit=0.0))
    assert posterior.sampling.notes == ("stopped at its time limit",)
    assert posterior.draws["alpha"].shape == (4, 250)


def test_progress_is_told(power_data):
    told = []
    fit("power", power_data, seed=1, progress=lambda stage, share: told.append((stage, share)))
    assert {stage for stage, _ in told} == {"start", "sampling", "checks"}
    shares = [share for stage, share in told if stage == "sampling"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


# ------------------------------------------------------------------ health decides


@pytest.fixture(scope="module")
def failed_fit(power_data):
    return fit("power", power_data, seed=1, sampler=NUTS(draws=20, retries=0))


def test_questions_refuse_a_failed_fit(failed_fit):
    assert not failed_fit.health.sound
    assert "NOT TO BE TRUSTED" in repr(failed_fit)
    with pytest.raises(FailedFit, match=r"too few independent draws.*allow_failed=True"):
        predict(failed_fit, {"x": 1e12})
    assert predict(failed_fit, {"x": 1e12}, allow_failed=True).mean.shape == (80, 1)


def test_a_failed_curve_is_run_again_with_more_work(power_data):
    posterior = fit("power", power_data, seed=1, sampler=NUTS(draws=150))
    (verdict,) = posterior.health.verdicts
    assert posterior.draws["alpha"].shape == (4, 150)
    assert verdict.sound or min(verdict.ess.values()) > 300, "thinned draws are nearly independent"


def test_a_curve_of_long_trajectories_is_not_run_again(power_data, failed_fit, monkeypatch):
    monkeypatch.setattr("bayescale.inference.fit.LONG", 1.0)
    posterior = fit("power", power_data, seed=1, sampler=NUTS(draws=20))
    np.testing.assert_array_equal(posterior.draws["alpha"], failed_fit.draws["alpha"])


def test_quick_looks(power_data, power_fit):
    mode = fit("power", power_data, seed=1, sampler=MAP())
    assert mode.draws["alpha"].shape == (1, 1)
    alpha = power_fit.draws["alpha"]
    assert abs(mode.draws["alpha"].item() - alpha.mean()) < 2 * alpha.std()
    laplace = fit("power", power_data, seed=1, sampler=Laplace(draws=500))
    assert laplace.draws["alpha"].shape == (1, 500)
    assert laplace.sampling.method == "Laplace"
    assert 0.3 < laplace.draws["alpha"].std() / alpha.std() < 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (dict(chains=0), "chains is at least 1, got 0"),
        (dict(warmup=10), "warmup is at least 100, got 10"),
        (dict(draws=1), "draws is at least 4, got 1"),
        (dict(target_accept=1.0), "target_accept lies between 0 and 1"),
    ],
)
def test_a_sampler_refuses_nonsense(options, says):
    with pytest.raises(ValueError, match=says):
        NUTS(**options)


def test_data_that_do_not_suit_the_law_are_refused_before_sampling(power_data, make_table):
    with pytest.raises(DataError, match="has inputs x where the law chinchilla takes N, D"):
        fit("chinchilla", power_data)
    with pytest.raises(DataError, match="has no number of questions"):
        fit(
            "sigmoid",
            Dataset({"x": power_data.inputs["x"]}, {"y": np.full(24, 0.5)}),
            noise="scale_scatter",
        )
    with pytest.raises(DataError, match="2 rows, the law chinchilla 5 free parameters"):
        fit("chinchilla", make_table["chinchilla"](2))
    with pytest.raises(ValueError, match="noise scale_scatter is of accuracies, law power is not"):
        fit("power", power_data, noise="scale_scatter")


# ------------------------------------------------------------------ compiled once


def test_a_second_table_of_the_same_length_class_compiles_nothing(make_table, compilations):
    at = {"N": [1e10, 7e10], "D": [1e12, 1.4e12]}
    predict(fit("chinchilla", make_table["chinchilla"](60), seed=1), at)
    compilations.clear()
    other = fit("chinchilla", make_table["chinchilla"](50, seed=1), seed=2)
    assert other.health.sound, str(other.health)
    predict(other, at)
    assert compilations == []


# ------------------------------------------------------------------ one interval everywhere


def public_callables():
    for module in pkgutil.walk_packages(bayescale.__path__, "bayescale."):
        home = importlib.import_module(module.name)
        for name, value in vars(home).items():
            if getattr(value, "__module__", None) != home.__name__:
                continue
            yield f"{home.__name__}.{name}", value
            if inspect.isclass(value):
                yield from ((f"{home.__name__}.{name}.{k}", v) for k, v in vars(value).items())


def test_every_interval_has_the_same_default():
    found = {}
    for name, value in public_callables():
        if not inspect.isfunction(inspect.unwrap(value) if callable(value) else value):
            continue
        for parameter in inspect.signature(value).parameters.values():
            if parameter.name == "mass" and parameter.default is not parameter.empty:
                found[name] = parameter.default
    assert len(found) > 5
    assert set(found.values()) == {INTERVAL}, found


def test_lanes_side_by_side_as_on_an_accelerator(power_data, power_fit, monkeypatch):
    """There `vmap` takes the place of `lax.map`; the posterior is the same."""
    monkeypatch.setattr("bayescale.inference.samplers.jax.default_backend", lambda: "gpu")
    posterior = fit("power", power_data, sampler=NUTS(warmup=300, draws=500, retries=0))
    for name, draws in power_fit.draws.items():
        apart = np.mean(np.log(posterior.draws[name])) - np.mean(np.log(draws))
        assert abs(apart) < 0.25 * np.std(np.log(draws)), name


def test_the_seed_decides_whatever_the_order_of_rows_and_of_curves(three_curves):
    """Bit for bit: rows and curves shuffled, and with one of the other curves alone."""
    data, few = three_curves[0], ("short", "wide")
    order = np.random.default_rng(0).permutation(len(data))
    tables = (data, data.take(order), data.take(np.isin(data.curve, few)))
    sampler = NUTS(chains=2, warmup=100, draws=100, retries=0)
    first, *others = (fit("power", table, sampler=sampler, seed=3) for table in tables)
    for other in others:
        for name in few:
            for quantity, draws in first.curve(name).draws.items():
                np.testing.assert_array_equal(draws, other.curve(name).draws[quantity])
