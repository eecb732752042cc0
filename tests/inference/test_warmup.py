"""What the draws of the warm-up teach the lanes."""

import jax
import numpy as np
import pytest

from bayescale.inference.fit import fit
from bayescale.inference.lanes import Block
from bayescale.inference.nuts import Lanes
from bayescale.inference.samplers import NUTS
from bayescale.inference.warmup import careful
from bayescale.laws import get_law
from bayescale.model.model import Model
from bayescale.noises.names import get_noise
from benchmarks.calibration import designs, simulate


def test_only_the_curve_that_diverges_takes_smaller_steps():
    active = np.array([True, True, True, False])  # the last fills the block up
    lanes = Lanes(*[None] * len(Lanes._fields))._replace(active=active, target=np.full(4, 0.8))
    block = Block(lanes, {}, np.array([0, 0, 1, 1]), None)
    diverging = np.zeros((4, 200), bool)
    diverging[0, 7] = diverging[3] = True
    once = careful(block, diverging)
    assert once.lanes.target == pytest.approx([0.95, 0.95, 0.8, 0.8])
    again = careful(once, diverging)
    assert again.lanes.target == pytest.approx([0.9875, 0.9875, 0.8, 0.8])


def test_funnels_are_sampled_at_the_first_try():
    """Of these 8, 6 fail where all take the same steps."""
    law, noise, design = designs()["sigmoid x scale_scatter"]
    with jax.enable_x64(True):
        _, data = simulate(Model(get_law(law), get_noise(noise)), design, 8, seed=3)
    posterior = fit(law, data, noise=noise, sampler=NUTS(retries=0), seed=3)
    assert len(posterior.health.failed) <= 2
