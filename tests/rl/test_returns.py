"""Advantages in a trial, against numbers worked out by hand."""

import jax.numpy as jnp
import numpy as np

from quickstudy.rl.returns import advantages

TRUE = jnp.ones(4, bool)


def test_two_episodes_are_one_whole():
    """Episodes of two steps: rewards 1, 2 | 4, 8; values 1, 1 | 2, 2; γ = ½, λ = ½.

    δ_3 = 8 − 2 = 6; δ_2 = 4 + ½·2 − 2 = 3; across the episode's end δ_1 = 2 + ½·2 − 1 = 2;
    δ_0 = 1 + ½·1 − 1 = ½. With γλ = ¼: A_3 = 6, A_2 = 4½, A_1 = 3⅛, A_0 = 1 9/32.
    """
    found = advantages(
        jnp.array([1.0, 2.0, 4.0, 8.0]), jnp.array([1.0, 1.0, 2.0, 2.0]), TRUE, 0.5, 0.5
    )
    np.testing.assert_allclose(found, [1.28125, 3.125, 4.5, 6.0])


def test_nothing_comes_behind_the_trial():
    """The third step is the last: what stands behind it counts for nothing, even if absurd."""
    real = jnp.array([True, True, True, False])
    rewards, values = jnp.array([1.0, 1.0, 1.0, 0.0]), jnp.array([0.0, 0.0, 0.0, jnp.nan])
    np.testing.assert_allclose(advantages(rewards, values, real, 1.0, 1.0), [3.0, 2.0, 1.0, 0.0])
