"""What the first draws teach the lanes."""

import jax
import numpy as np
import pytest

from bayescale.inference.fit import fit
from bayescale.inference.lanes import Block
from bayescale.inference.nuts import Draws, Lanes
from bayescale.inference.samplers import NUTS
from bayescale.inference.warmup import carefully
from bayescale.laws import get_law
from bayescale.model.model import Model
from bayescale.noises.names import get_noise
from benchmarks.calibration import designs, simulate


def test_only_the_curve_that_diverges_takes_smaller_steps():
    active = np.array([True, True, True, False])  # the last fills the block up
    lanes = Lanes(*[None] * len(Lanes._fields))._replace(active=active, step_size=np.full(4, 0.8))
    block = Block(lanes, {}, np.array([0, 0, 1, 1]), None)
    zero = np.zeros((4, 250))
    first = Draws(np.zeros((4, 250, 3)), zero, zero, zero, zero, zero > 0)
    first.diverging[0, 7] = first.diverging[3] = True
    taken = []

    def turn(block):
        taken.append(np.array(block.lanes.active))
        diverging = (zero > 0) if len(taken) > 1 else first.diverging
        return block, first._replace(z=first.z + len(taken), diverging=diverging)

    after, drawn = carefully(block, first, turn)
    np.testing.assert_array_equal(taken, [[True, True, False, False]] * 2)
    assert after.lanes.step_size == pytest.approx([0.2, 0.2, 0.8, 0.8])
    np.testing.assert_array_equal(after.lanes.active, active)
    np.testing.assert_array_equal(drawn.z[:, 0, 0], [2, 2, 0, 0])
    assert carefully(block, first._replace(diverging=zero > 0), turn)[1].z is first.z


def test_funnels_are_sampled_at_the_first_try():
    """Of 8 like these, 6 fail where no steps are halved."""
    law, noise, design = designs()["sigmoid x scale_scatter"]
    with jax.enable_x64(True):
        _, data = simulate(Model(get_law(law), get_noise(noise)), design, 8, seed=3)
    posterior = fit(law, data, noise=noise, sampler=NUTS(retries=0), seed=4)
    assert len(posterior.health.failed) <= 3
