"""A built-in law with a further term keeps its coordinates, and sees all in its own unit."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayescale.data.dataset import Dataset
from bayescale.inference.fit import fit
from bayescale.inference.samplers import MAP
from bayescale.laws import chinchilla, power, two_stage
from bayescale.model.arrays import lanes
from bayescale.model.model import Model
from bayescale.noises.loss import student
from bayescale.parametric.coordinates import scaled, share
from bayescale.parametric.priors import positive, real
from bayescale.posterior.pointwise import log_likelihood

BEST, COST = positive(1e-4, 1e-2), positive(0.001, 0.3)


@chinchilla.extend
def with_lr(loss, lr, *, c=COST, best=BEST):
    """The loss plus c log(lr / best)^2."""
    return loss + c * jnp.log(lr / best) ** 2


@chinchilla.extend(name="moving", says="the best rate falls with size")
def with_moving_lr(loss, N, lr, *, c=COST, best=BEST, slope=real(-0.5, 0.5)):
    return loss + c * jnp.log(lr / best / (N / 1e9) ** slope) ** 2


@pytest.fixture(scope="module")
def runs():
    """A sweep of learning rates over sizes and tokens."""
    rng = np.random.default_rng(4)
    grids = np.meshgrid(np.geomspace(5e7, 8e8, 4), [10.0, 40.0], np.arange(6), indexing="ij")
    N, ratio, step = (grid.ravel() for grid in grids)
    lr = 5e-4 * 2.0**step
    loss = 1.8 + 480 * N**-0.35 + 2000 * (ratio * N) ** -0.37 + 0.03 * np.log(lr / 2e-3) ** 2
    loss *= np.exp(0.004 * rng.normal(size=len(N)))
    return Dataset({"N": N, "D": ratio * N, "lr": lr}, {"loss": loss})


def test_the_formula_and_what_is_known_of_it():
    assert with_lr.inputs == ("N", "D", "lr")
    assert with_lr.parameters == (*chinchilla.parameters, "c", "best")
    assert with_lr.doc.startswith("The loss plus")
    assert (with_lr.unit, with_lr.exponents) == (chinchilla.unit, chinchilla.exponents)
    assert with_lr.powers is None
    assert with_lr.not_scales == ("lr",)
    assert (with_moving_lr.name, with_moving_lr.says) == ("moving", "the best rate falls with size")
    constants = dict(E=1.8, A=480.0, B=2000.0, alpha=0.35, beta=0.37)
    want = chinchilla(1e9, 2e10, **constants) + 0.03 * np.log(2.0) ** 2
    assert with_lr(1e9, 2e10, 4e-3, **constants, c=0.03, best=2e-3) == pytest.approx(want)
    for name in chinchilla.parameters:
        assert with_lr.prior_of(name) is chinchilla.prior_of(name)
    assert chinchilla.fix(E=1.8).extend(with_lr_term).fixed == (("E", 1.8),)


def with_lr_term(loss, lr, *, c=COST):
    return loss + c * lr


@pytest.mark.parametrize("law", [with_lr, with_moving_lr])
def test_the_density_of_a_fit_is_that_of_its_draws_in_natural_units(law, runs):
    model = Model(law, student)
    with jax.enable_x64(True):
        ((*_, lane),) = lanes(model, runs)
        assert lane["ref"]["lr"] == 1.0
        assert lane["ref"]["N"] == pytest.approx(np.exp(np.log(runs.inputs["N"]).mean()))
        z = jnp.asarray(0.3 * np.random.default_rng(0).normal(size=model.size))
        values, prior, _ = model.constrain(z, lane)
        params = model.parameters(values, lane)
        natural = {k: v * model.unit(k, params, lane) for k, v in params.items()}
        mean = law(*runs.inputs.values(), **{k: natural[k] for k in law.parameters})
        rows = lane | {"inputs": {k: x * lane["ref"][k] for k, x in lane["inputs"].items()}}
        np.testing.assert_allclose(model.curves(natural, rows)["loss"][: len(runs)], mean)
        want = prior + jnp.sum(model.log_likelihood(natural, rows))
        np.testing.assert_allclose(model.log_density(z, lane), want, rtol=1e-9)


def test_the_constants_come_back(runs):
    found = fit(with_moving_lr, runs, sampler=MAP())
    mode = {name: float(values.squeeze()) for name, values in found.draws.items()}
    assert mode["E"] == pytest.approx(1.8, abs=0.1)
    assert mode["c"] == pytest.approx(0.03, rel=0.15)
    assert mode["best"] == pytest.approx(2e-3, rel=0.15)
    assert mode["slope"] == pytest.approx(0.0, abs=0.1)
    assert np.isfinite(log_likelihood(found)).all()


def test_the_only_scale_of_the_base_keeps_its_reference(runs):
    @power().extend
    def spread(loss, lr, *, c=COST):
        return loss + c * lr

    data = replace(runs, inputs={"x": runs.inputs["N"], "lr": runs.inputs["lr"]})
    ((*_, lane),) = lanes(Model(spread, student), data)
    assert lane["ref"] == {"x": runs.inputs["N"].max(), "lr": 1.0}


def test_a_term_is_of_the_main_response():
    @two_stage().extend
    def harder(accuracy, x, *, c=real(-0.1, 0.1)):
        return accuracy + c * jnp.log(x)

    assert harder.second_stage is None
    constants = dict(E=1.8, A=150.0, alpha=0.25, g=0.25, u=0.9, L0=2.2, k=9.0)
    plain, more = two_stage()(1e9, **constants), harder(1e9, **constants, c=0.01)
    assert more["loss"] == plain["loss"]
    assert more["accuracy"] == pytest.approx(float(plain["accuracy"]) + 0.01 * np.log(1e9))


def test_a_term_of_a_term():
    @with_lr.extend
    def more(loss, D, lr, warmup, *, w=COST):
        return loss + w * lr * D * warmup

    assert more.inputs == ("N", "D", "lr", "warmup")
    assert more.absolute == ("lr", "warmup")
    assert more.natural


def test_what_is_no_term_is_refused():
    def taken(loss, lr, *, alpha=COST):
        return loss

    def amplitude(loss, lr, *, c=share()):
        return loss

    def without(loss, lr, *, c):
        return loss

    with pytest.raises(ValueError, match="alpha is a name of chinchilla already"):
        chinchilla.extend(taken)
    with pytest.raises(ValueError, match="cannot be a share"):
        chinchilla.extend(amplitude)
    with pytest.raises(TypeError, match="needs a prior"):
        chinchilla.extend(without)
    with pytest.raises(TypeError, match="did you mean 'says'"):
        chinchilla.extend(sais="x")
    with pytest.raises(ValueError, match="no parameter 'x50'"):
        chinchilla.extend(unlock="x50")(with_lr_term)


def test_a_coordinate_of_a_new_parameter_is_in_units_of_the_reference(runs):
    @chinchilla.extend
    def bent(loss, N, *, N_0=scaled(positive(0.1, 10), unit=lambda at: at.ref.N)):
        return loss + N_0 / N

    ((*_, lane),) = lanes(
        Model(bent, student), replace(runs, inputs={k: runs.inputs[k] for k in "ND"})
    )
    model = Model(bent, student)
    with jax.enable_x64(True):
        params = model.parameters(model.constrain(jnp.zeros(model.size), lane)[0], lane)
        seen, _ = model.as_the_law_takes(params, lane)
    np.testing.assert_allclose(seen["N_0"], lane["ref"]["N"])
