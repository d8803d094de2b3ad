"""PPO's loss by hand, and the plain policy gradient."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.rl import ppo
from quickstudy.rl.batch import Batch
from quickstudy.rl.distributions import Categorical
from quickstudy.rl.policy import Thought
from quickstudy.rl.ppo import PPO, PolicyGradient
from references.small_rl2 import close, rl2, updated


def test_the_first_step_of_ppo_is_the_policy_gradient():
    """At ratio 1 nothing is clipped."""
    clipped = rl2(PPO(optax.sgd(0.1), epochs=1, minibatches=1))
    plain = rl2(PolicyGradient(optax.sgd(0.1)))
    close(updated(clipped)[0].parameters, updated(plain)[0].parameters)


POLICY = rl2(PPO(optax.sgd(0.1))).policy
# Two steps of one part: action 1 of probability ¾ and ¼ now, ½ when it was taken.
CHANCES = jnp.array([[[0.25, 0.75], [0.75, 0.25]]])
VALUE, TARGET, SPREAD = jnp.array([[3.0, 1.0]]), jnp.array([[1.0, 1.0]]), jnp.array([2.0])
BATCH = Batch(
    seen=None,
    action=jnp.ones((1, 2), int),
    log_prob=jnp.log(jnp.full((1, 2), 0.5)),
    advantage=jnp.array([[2.0, 2.0]]),
    target=TARGET,
    real=jnp.ones((1, 2), bool),
    state=None,
    spread=SPREAD,
)
ENTROPY = 0.25 * np.log(4) + 0.75 * np.log(4 / 3)
ERROR = np.array([0.5, 0.0])  # ½ (2 / 2)², and nothing


@pytest.fixture
def known_thoughts(monkeypatch):
    thought = Thought(Categorical(jnp.log(CHANCES)), VALUE)
    monkeypatch.setattr(ppo, "thoughts", lambda policy, batch: thought)


@pytest.mark.usefixtures("known_thoughts")
def test_the_clipped_loss_by_hand():
    """ρ is 1.5, of which 1.2 counts, and 0.5, which counts as it is less than what is clipped."""
    rule = PPO(optax.sgd(0.1), value_weight=0.5, entropy_weight=0.1)
    each, notes = rule.loss(POLICY, BATCH)
    wanted = [-1.2 * 2, -0.5 * 2] + 0.5 * ERROR - 0.1 * ENTROPY
    np.testing.assert_allclose(each[0], wanted, rtol=1e-5)
    np.testing.assert_allclose(notes["kl"][0], [0.5 - np.log(1.5), -0.5 - np.log(0.5)], rtol=1e-5)
    np.testing.assert_allclose(notes["entropy"][0], [ENTROPY, ENTROPY], rtol=1e-5)


@pytest.mark.usefixtures("known_thoughts")
def test_the_plain_loss_by_hand():
    each, _ = PolicyGradient(optax.sgd(0.1), entropy_weight=0.1).loss(POLICY, BATCH)
    wanted = -2 * np.log([0.75, 0.25]) + 0.5 * ERROR - 0.1 * ENTROPY
    np.testing.assert_allclose(each[0], wanted, rtol=1e-5)


@pytest.mark.parametrize("name", ["epochs", "minibatches"])
def test_nothing_to_improve_on(name):
    with pytest.raises(qs.BadInput, match=f"{name} is 0"):
        PPO(optax.sgd(0.1), **{name: 0})
