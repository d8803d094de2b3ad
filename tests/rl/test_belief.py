"""The belief: the prior at a trial's start, kept between episodes, and not moved by the policy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.rl.belief import Passing, believed, reading_beliefs
from quickstudy.rl.rollout import rollout
from references.corridor import Corridor
from references.small_varibad import KEY, believing

TRIAL = qs.Trial(Corridor(), episodes=3)


@pytest.fixture(scope="module")
def path():
    run = eqx.filter_jit(lambda task: rollout(believing(TRIAL), TRIAL, task, KEY))
    return run(jnp.array(2))


def inputs(path):
    return jax.vmap(type(path.seen).flat)(path.seen)


def test_a_trial_begins_with_the_prior(path):
    """Exactly, whatever the weights; and no later step has it."""
    q = believing(TRIAL).memory.posteriors(inputs(path))
    for x in (q.mean, q.log_std):
        assert (x[0] == 0).all()
        assert (jnp.abs(x[1:]) > 1e-4).all()
    told = believed(believing(TRIAL), path.seen).observation[0]
    assert told.tolist() == [*path.seen.observation[0].tolist(), 0, 0, 1, 1]


def test_acting_believes_what_training_believes_again(path):
    """Step by step, in a sequence, and where gradients run through it."""
    belief, xs = believing(TRIAL).memory, inputs(path)
    state, steps = belief.initial(), []
    for x in xs:
        state, h = belief.step(state, x)
        steps.append(h)
    last, hs = belief.sequence(belief.initial(), xs, jnp.zeros(len(xs), bool))
    q = belief.posteriors(xs)
    wanted = jnp.concatenate([xs[:, :2], q.mean, jnp.exp(q.log_std)], -1)
    for found in (jnp.stack(steps), hs, belief.whole(xs, xs[:, -1] > 0)[1]):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(last, state, rtol=1e-5, atol=1e-6)


def test_kept_between_episodes_and_not_between_trials(path):
    policy = believing(TRIAL)
    twice = jax.tree.map(lambda x: jnp.concatenate([x, x]), path.seen)
    told = believed(policy, twice).observation
    once = believed(policy, path.seen).observation
    np.testing.assert_allclose(told, jnp.concatenate([once, once]), rtol=1e-5, atol=1e-6)
    begins = np.flatnonzero(np.asarray(path.done))[0] + 1
    alone = believed(policy, jax.tree.map(lambda x: x[begins:], path.seen)).observation
    assert np.abs(np.asarray(alone - once[begins:])).max() > 1e-3


def test_the_policy_s_loss_does_not_move_the_belief(path):
    """Its gradient is exactly zero there, and nowhere else."""
    policy = believing(TRIAL)

    def loss(policy):
        now = policy.rethink(None, path.seen)
        return jnp.sum(now.actions.log_prob(path.action) + now.value**2)

    gradient = eqx.filter_grad(loss)(policy)
    assert float(optax.tree.norm(gradient.memory)) == 0
    assert float(optax.tree.norm((gradient.actor, gradient.critic))) > 0.1
    moved = eqx.filter_grad(lambda b: jnp.sum(b.posteriors(inputs(path)).mean))(policy.memory)
    assert float(optax.tree.norm(moved)) > 0.1


def test_beliefs_that_were_worked_out_before_are_read_alike(path):
    policy = believing(TRIAL)
    wanted = policy.rethink(None, path.seen)
    heads = reading_beliefs(policy)
    assert isinstance(heads.memory, Passing)
    found = heads.rethink(None, believed(policy, path.seen))
    for a, b in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
