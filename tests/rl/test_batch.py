"""What a policy is improved on: means and gradients over what is real, on all devices."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from quickstudy.mesh import dealt, on_shares
from quickstudy.rl.batch import Batch, gradient_of, mean_of_others, mean_over, value_error
from quickstudy.rl.distributions import Categorical
from quickstudy.rl.policy import Thought
from quickstudy.rl.ppo import PPO
from references.small_rl2 import rl2

X = jnp.array([[1.0, 2.0], [3.0, jnp.inf], [6.0, 10.0], [jnp.nan, 7.0]])
REAL = jnp.array([[True, True], [True, False], [True, True], [False, False]])


def in_mesh(f, rows):
    return jax.jit(lambda rows: on_shares(lambda _, r, real: f(*r), None, dealt(rows)))(rows)


def test_means_are_over_what_is_real():
    """1, 2, 3, 6 and 10, wherever they lie: two devices have two rows each."""
    np.testing.assert_allclose(in_mesh(mean_over, (X, REAL)), 22 / 5)
    assert float(in_mesh(mean_over, (X, jnp.zeros_like(REAL)))) == 0


def test_a_mean_of_others_leaves_each_row_itself_out():
    """Against a loop in NumPy, with rows that end at other times; what is not real may be anything,
    and the row that is alone at the end has no others."""
    rng = np.random.default_rng(0)
    x, lengths = rng.normal(size=(4, 6)), np.array([2, 6, 4, 0])
    real = np.arange(6)[None] < lengths[:, None]
    wanted = np.zeros_like(x)
    for i, t in np.argwhere(real):
        others = [x[j, t] for j in range(4) if j != i and real[j, t]]
        wanted[i, t] = np.mean(others) if others else 0.0
    given = jnp.asarray(np.where(real, x, np.nan)), jnp.asarray(real)

    def share(x, real):
        rows = 2 * jax.lax.axis_index("tasks") + jnp.arange(2)  # of two devices
        everything = jnp.zeros((4, 6)).at[rows].set(mean_of_others(x, real))
        return jax.lax.psum(everything, "tasks")

    found = np.where(real, in_mesh(share, given), 0.0)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    assert found[1, 4] == found[1, 5] == 0


def batch(advantage, real):
    zeros = jnp.zeros(real.shape)
    return Batch(None, zeros.astype(int), zeros, advantage, zeros, real, None, jnp.ones(len(real)))


def test_errors_are_measured_in_the_targets_deviation():
    thought = Thought(Categorical(jnp.zeros((2, 2, 3))), jnp.array([[3.0, 0.0], [4.0, 4.0]]))
    own = batch(X[:2], REAL[:2])._replace(spread=jnp.array([1.0, 4.0]))
    assert value_error(thought, own).tolist() == [[4.5, 0], [0.5, 0.5]]


def test_a_gradient_is_the_mean_over_real_steps():
    """Of a bias b, with the loss b A per step: the gradient is the mean of A, whatever the
    advantages of what is not real; what is noted there may be infinite."""
    policy = rl2(PPO(optax.sgd(0.1))).policy

    def loss(policy, own):
        bias = policy.critic.bias[0]
        return (bias + 1) * own.advantage, {
            "twice": jnp.where(own.real, 2 * own.advantage, jnp.inf)
        }

    def share(advantage, real):
        return gradient_of(loss, policy, batch(advantage, real))

    gradient, metrics = in_mesh(share, (jnp.nan_to_num(X, nan=1e6, posinf=1e6), REAL))
    np.testing.assert_allclose(gradient.critic.bias, [22 / 5], rtol=1e-6)
    others = eqx.tree_at(lambda g: g.critic.bias, gradient, jnp.zeros(1))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(others))
    np.testing.assert_allclose([metrics["loss"], metrics["twice"]], [22 / 5, 44 / 5], rtol=1e-6)
