"""Improving θ by an optimiser: the clipped surrogate, against numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from quickstudy.mesh import dealt, on_shares
from quickstudy.rl.distributions import Categorical
from quickstudy.rl.outer import AdaptedActions, Objective, OuterAscent
from quickstudy.rl.surrogate import Taken

CLIP, RATE = 0.3, 0.5


def objective(chances, old, advantage):
    """Of one step per trajectory; θ is the logit of action 1, which was chosen."""

    def adapted(theta):
        logits = jnp.stack([jnp.zeros_like(theta), theta], -1)
        return AdaptedActions(Categorical(logits[:, None, None]), jnp.zeros(len(advantage)))

    one = jnp.ones((len(advantage), 1, 1))
    return Objective(
        adapted=adapted,
        taken=Taken(
            action=jnp.ones(one.shape, int),
            log_prob=jnp.log(old)[:, None, None],
            advantage=advantage[:, None, None],
            real=one > 0,
        ),
        gain=jnp.zeros(len(advantage)),
        of_every=lambda n: objective(chances, old, advantage),
    )


def logit(p):
    return jnp.log(p) - jnp.log1p(-p)


@pytest.mark.parametrize("epochs", [1, 2])
def test_beyond_the_clip_nothing_moves_up(epochs):
    """π = 0.4, and π_old such that ρ is 1.5, 1.5, 0.5, 0.5, 1.1: where the advantage asks for more
    of what is beyond 1 ± ε the slope is zero, else it is A ρ (1 − π) over five steps."""
    now = jnp.full(5, 0.4)
    ratio = jnp.array([1.5, 1.5, 0.5, 0.5, 1.1])
    advantage = jnp.array([1.0, -1.0, -1.0, 1.0, 1.0])

    def share(theta, given, real):
        ascent = OuterAscent(optax.sgd(RATE), epochs, CLIP)
        return ascent.improve(theta, ascent.init(theta), objective(now, now / ratio, advantage))[0]

    devices = jax.device_count()
    theta = logit(now)
    found = jax.jit(lambda: on_shares(share, theta, dealt(jnp.zeros(devices))))()
    wanted = jnp.array([0.0, -1.5, 0.0, 0.5, 1.1]) * 0.6 / 5 * RATE
    if epochs == 1:
        np.testing.assert_allclose(found - theta, wanted, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal((found - theta)[jnp.array([0, 2])], [0.0, 0.0])
    np.testing.assert_array_equal(jnp.sign(found - theta), jnp.sign(wanted))
