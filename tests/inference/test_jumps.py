"""Jumps: chains that are offered places, and take short trajectories, sample what they should."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayescale.inference import nuts, warmup
from bayescale.inference.fit import fit
from bayescale.inference.jumps import competing, local
from bayescale.inference.lanes import divide, with_lanes
from bayescale.inference.modes import Mode, Point
from bayescale.inference.samplers import NUTS
from bayescale.inference.warmup import remember
from bayescale.laws import get_law
from bayescale.model.arrays import Batch
from bayescale.model.model import Model
from bayescale.noises.names import get_noise
from benchmarks.sbc import designs, simulate

CHAINS, HEAVY = 8, 0.8


class Bananas(Model):
    """Two bent ridges far apart, of which the right one has a share HEAVY of the mass."""

    size = property(lambda self: 2)

    def log_density(self, z, data):
        """Normal in z0 about -8 and 8, and in z1 about half the square of the way from there."""
        away = z[0] - jnp.array([-8.0, 8.0])
        bent = (z[1] - away**2 / 2) / 0.5
        weight = jnp.log(jnp.array([1 - HEAVY, HEAVY]))
        return jax.nn.logsumexp(weight - away**2 / 2 - bent**2 / 2)


@pytest.fixture(scope="module")
def bananas():
    """z of chains, (chain, draw, 2), that begin in the lighter mode and know few places well."""
    with jax.enable_x64(True):
        model = Bananas(get_law("flat"), get_noise("normal"))
        rng = np.random.default_rng(0)
        found = [Mode(np.array([m, 0.0]), 0.0, np.eye(2), 0.0) for m in (-8.0, 8.0)]
        start = np.tile(found[0].z, (1, CHAINS, 1))
        zero = np.zeros((1, CHAINS, 2))
        at = Point(start, np.full((1, CHAINS), np.log(1 - HEAVY)), zero, None)
        batch = Batch((0,), (7,), {"none": np.zeros(1)})
        (block,) = divide(batch, [[found[0]] * CHAINS], competing([found], model), at, 3)
        seen = rng.normal(size=(CHAINS, 60, 2))
        seen[..., 1] += seen[..., 0] ** 2 / 2 - 1  # not where the ridge is
        seen[..., 0] += 8 * rng.choice([-1, 1], size=seen.shape[:2])
        offered = dict(places=np.full(CHAINS, 5), doublings=np.full(CHAINS, nuts.SHORT))
        lanes = block.lanes._replace(step_size=np.full(CHAINS, 0.3), **offered)
        lanes = remember(with_lanes(block, lanes), seen).lanes
        drawn, phase = [], np.full(nuts.CHUNK, nuts.SAMPLE, np.int8)
        for first in range(0, 24 * nuts.CHUNK, nuts.CHUNK):
            lanes, one = nuts.advance(
                model, lanes, block.data, np.int32(first), phase, 0.8, max_depth=10, loop=True
            )
            drawn.append(jax.device_get(one))
    joined = jax.tree.map(lambda *leaves: np.concatenate(leaves, 1), *drawn)
    return joined, jax.device_get(lanes.jumped)


def test_modes_keep_their_weights_whatever_the_places(bananas):
    drawn, _ = bananas
    right = (drawn.z[..., 0] > 0).mean(1)
    assert right.mean() == pytest.approx(HEAVY, abs=0.02)
    assert right == pytest.approx(HEAVY, abs=0.06), "of each chain"


def test_ridges_keep_their_shape_whatever_the_places(bananas):
    z = bananas[0].z
    away = z[..., 0] - 8 * np.sign(z[..., 0])
    for values, sd in ((away, 1.0), (z[..., 1] - away**2 / 2, 0.5)):
        means = values.mean(1)
        assert abs(means.mean()) < 5 * means.std() / np.sqrt(CHAINS) + 0.01 * sd
        assert values.std() == pytest.approx(sd, rel=0.03)
    assert np.mean(away**4) == pytest.approx(3, rel=0.08)


def test_trajectories_are_as_short_as_told_and_jumps_are_counted(bananas):
    drawn, jumped = bananas
    assert drawn.n_steps.max() == 2**nuts.SHORT - 1
    moved = (np.diff(drawn.z[..., 0] > 0, axis=1) != 0).sum(1)
    assert (jumped >= moved).all(), "no trajectory leaves a mode"
    assert (jumped > 0.2 * drawn.n_steps.shape[1]).all()


# ------------------------------------------------------------------ places


def test_places_lie_apart_and_weigh_what_is_nearest():
    rng = np.random.default_rng(1)
    draws = np.concatenate([rng.normal(size=(900, 3)), 30 + rng.normal(size=(100, 3))])
    found = local(draws, 20, rng)
    far = found.centre[:, 0] > 15
    assert 3 <= far.sum() <= 17
    assert np.exp(found.log_weight[far]).sum() == pytest.approx(0.1, abs=0.06)
    assert np.exp(found.log_weight).sum() == pytest.approx(1)
    np.testing.assert_allclose(found.root @ found.unroot, np.tile(np.eye(3), (20, 1, 1)), atol=1e-8)

    even = local(draws, 20)
    assert (even.centre[:, 0] > 15).sum() == 2, "as they come"
    np.testing.assert_allclose(even.log_weight, -np.log(20))


def test_draws_of_one_place_are_no_fault():
    for apart in (None, np.random.default_rng(0)):
        found = local(np.ones((40, 2)), 10, apart)
        assert np.isfinite(found.root).all()
        assert np.exp(found.log_weight).sum() == pytest.approx(1)


# ------------------------------------------------------------------ who is offered them


@pytest.mark.parametrize(
    ("places", "doublings", "share", "length", "want"),
    [
        (0, nuts.WHOLE, 0.0, 7.0, (0, nuts.WHOLE)),  # moves well
        (1, nuts.WHOLE, 0.5, 23.0, (1, nuts.WHOLE)),  # so do chains between modes
        (0, nuts.WHOLE, 0.0, 60.0, (warmup.TRIED, nuts.SHORTER)),
        (6, nuts.SHORTER, 0.6, 12.0, (1, nuts.WHOLE)),  # it was only the first window's scale
        (6, nuts.SHORTER, 0.61, 25.0, (6, nuts.SHORT)),
        (6, nuts.SHORTER, 0.3, 25.0, (16, nuts.SHORT)),
        (6, nuts.SHORTER, 0.1, 25.0, (warmup.PLACES, nuts.SHORTER)),  # places are seldom taken
        (6, nuts.SHORTER, 0.03, 25.0, (1, nuts.WHOLE)),
        (6, nuts.SHORTER, 0.0, 25.0, (1, nuts.WHOLE)),
        (16, nuts.SHORT, 0.0, 7.0, (1, nuts.WHOLE)),
        (16, nuts.SHORT, 1.0, 7.0, (3, nuts.SHORT)),
    ],
)
def test_places_are_offered_where_trajectories_are_long(places, doublings, share, length, want):
    assert warmup._offered(places, doublings, share, length) == want


def test_power_moves_as_it_did_and_broken_laws_jump(monkeypatch):
    """Every one of 4 bent curves passes at the first try; 1 of 6 like these did without jumps."""
    told, offered = [], warmup._offered
    spy = lambda *args: told.append(offered(*args)) or told[-1]  # noqa: E731
    monkeypatch.setattr(warmup, "_offered", spy)
    sampler = NUTS(retries=0)
    design, model = designs()["12 sizes"], Model(get_law("broken(1)"), get_noise("student"))
    with jax.enable_x64(True):
        _, data = simulate(model, design, 4, seed=2)
    posterior = fit("broken(1)", data, sampler=sampler, seed=3)
    short = [doublings == nuts.SHORT for _, doublings in told]
    assert np.mean(short) > 0.2
    steps = posterior.stats["n_steps"].max((1, 2))
    assert (steps == 2**nuts.SHORT - 1).sum() >= 2
    assert sum(verdict.settled for verdict in posterior.health.verdicts) >= 3
    told.clear()
    straight = fit("power", data, sampler=sampler, seed=3)
    assert told
    assert set(told) <= {(0, nuts.WHOLE), (1, nuts.WHOLE)}
    assert straight.stats["n_steps"].max() > 2**nuts.SHORT - 1
