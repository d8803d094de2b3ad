"""RL²: the same on any number of devices, right in its gradient, and better after training."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.evaluation.trials import same_tasks
from quickstudy.mesh import dealt, on_shares
from quickstudy.rl.batch import Batch, gradient_of
from quickstudy.rl.ppo import PPO, PolicyGradient
from quickstudy.rl.rl2 import trial_episodes, trial_tasks, trials_in_a_row
from quickstudy.rl.trpo import TRPO
from quickstudy.training.fit import fit
from quickstudy.training.plan import Plan
from references.corridor import Corridor
from references.small_rl2 import BANDIT, close, head, rl2, updated

KEY = jax.random.key(0)


@pytest.mark.parametrize("trials", [12, 8])
def test_devices_change_nothing(trials, one_device):
    """One device and two; 8 trials do not share out evenly: 9 are drawn on one, 12 on two, and what
    fills up must not count."""
    algorithm = rl2(PPO(optax.sgd(0.1), epochs=2, minibatches=3), trials=trials)
    two = updated(algorithm)
    one_device()
    close(updated(algorithm), two)


def test_trials_are_the_same_on_one_device(one_device):
    """To the bit: the same MDPs, actions and luck."""
    policy = rl2(PPO(optax.sgd(0.1))).policy
    two = eqx.filter_jit(trial_episodes)(policy, BANDIT, KEY, 7).returns
    one_device()
    one = eqx.filter_jit(lambda: trial_episodes(policy, BANDIT, KEY, 7).returns)()
    np.testing.assert_array_equal(np.asarray(one), np.asarray(two))
    assert len(set(np.asarray(one).sum(1).tolist())) > 1


def test_parts_of_a_trial_of_one_step_each():
    """With parts of one step and stored states, gradients stop at every step; forward nothing
    changes, so that the first loss is the same and the gradient is not."""
    whole, cut = (updated(rl2(PolicyGradient(optax.sgd(0.1)), parts=n))[1] for n in (1, 4))
    np.testing.assert_allclose(whole["loss"], cut["loss"], rtol=1e-4, atol=1e-6)
    assert abs(float(whole["gradient_norm"] - cut["gradient_norm"])) > 1e-6


def test_advantages_are_above_the_mean_of_the_others_from_each_time_on():
    """Rewards to go of 3, 1, 1, 1 beside 1, 1, 1 and no fourth step: the others' mean is 1, 1, 1
    and 3, 1, 1, and the first trial, alone at the fourth, keeps its reward; a third that is none
    changes nothing."""
    algorithm = rl2(PolicyGradient(optax.sgd(0.1)), discount=1.0, decay=1.0)
    keys = jax.random.split(KEY, 3)
    rows = jax.vmap(lambda key: trials_in_a_row(algorithm.policy, BANDIT, key))(keys)
    paths = jax.tree.map(lambda x: x[:, 0], rows)
    paid = jnp.array([[2.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 9.0], [9.0, 9.0, 9.0, 9.0]])
    log_prob, value = paths.notes
    real = jnp.arange(4)[None] < jnp.array([4, 3, 0])[:, None]
    paths = paths._replace(reward=paid, real=real, notes=(log_prob, 0 * value))
    # One device per trial: means are over all of them.
    shares = jax.tree.map(lambda x: x[:, None], paths)
    batch = jax.vmap(algorithm._batch, axis_name="tasks")(shares)
    above = np.array([[2, 0, 0, 1], [-2, 0, 0, 0]])
    np.testing.assert_allclose(batch.target[:2, 0, 0], above, atol=1e-6)
    # Of variance 1, from a mean of 1 / 7.
    spread = (9 / 7 - 1 / 49) ** 0.5
    advantage = np.where(real[:2], batch.advantage[:2, 0, 0], 0)
    wanted = np.where(real[:2], (above - 1 / 7) / spread, 0)
    np.testing.assert_allclose(advantage, wanted, atol=1e-5)


def test_policy_gradient_by_enumeration():
    """E[∇ log π A], with A the reward to go of the trial, is ∇J of a bandit with two pulls, by
    the sum over all of its 2 × 2 × 2 × 2 outcomes; and something else without the second reward."""
    trial = qs.Trial(qs.Bandit(arms=2), episodes=2)
    policy = qs.MetaPolicy.create(trial, qs.GRU.create(trial.inputs, 4, key=KEY))
    policy = eqx.tree_at(
        lambda p: p.actor.weight, policy, jax.random.normal(KEY, policy.actor.weight.shape)
    )
    p = jnp.array([0.3, 0.8])
    outcomes = [(a, r, b, s) for a in (0, 1) for r in (0, 1) for b in (0, 1) for s in (0, 1)]
    a, r, b, s = (jnp.array(column) for column in zip(*outcomes, strict=True))

    def chance(arm, paid):
        return jnp.where(paid == 1, p[arm], 1 - p[arm])

    def seen_of(a, r):
        """What is seen at the two steps if the first pull was a and paid r."""
        zero = jnp.zeros(())
        before = jnp.stack([jnp.zeros(2), jax.nn.one_hot(a, 2)])
        paid, flag = jnp.stack([zero, r.astype(float)]), jnp.array([0.0, 1.0])
        return qs.Seen(jnp.zeros((2, 0)), before, paid, flag, 1 - flag)

    seen = jax.vmap(seen_of)(a, r)
    actions = jnp.stack([a, b], 1)

    def logs(policy):
        thought = jax.vmap(lambda one: policy.rethink(policy.begin(), one))(seen)
        one = type(thought.actions).log_prob
        return jax.vmap(jax.vmap(one))(thought.actions, actions)

    parameters, rest = eqx.partition(policy, eqx.is_inexact_array)

    def expected(parameters):
        pi = jnp.exp(logs(eqx.combine(parameters, rest)).sum(1))
        return jnp.sum(pi * chance(a, r) * chance(b, s) * (r + s))

    # The batch has every outcome, weighted by its probability through the advantage.
    pi = jnp.exp(logs(policy).sum(1)) * chance(a, r) * chance(b, s)
    to_go = jnp.stack([r + s, s], 1) * pi[:, None] * 2 * len(outcomes)
    states = jnp.zeros((16, 4))
    ones = jnp.ones((16, 2))
    batch = Batch(seen, actions, ones, to_go, ones, ones > 0, states, jnp.ones(16))
    rule = PolicyGradient(optax.sgd(1.0), value_weight=0.0, entropy_weight=0.0)

    @eqx.filter_jit
    def gradient(batch):
        def share(policy, keys, real):
            return gradient_of(rule.loss, eqx.combine(policy, rest), batch)[0]

        return jax.tree.map(lambda x: -x, on_shares(share, parameters, dealt(jnp.zeros(2))))

    wanted = jax.grad(expected)(parameters)
    close(gradient(batch), wanted, 1e-5)
    size = float(optax.tree.norm(wanted))
    assert size > 0.01
    blind = batch._replace(advantage=batch.advantage * jnp.array([[1.0, 0.0]]))
    error = optax.tree.norm(optax.tree.sub(gradient(blind), wanted))
    assert float(error) > 0.1 * size


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        (PPO(optax.adam(1e-2), epochs=4, minibatches=2), 25),
        (TRPO(optax.adam(1e-2)), 25),
        (PolicyGradient(optax.adam(1e-2)), 150),
    ],
)
def test_learns(rule, steps):
    """Bandits with three arms, four pulls: better than chance (2.0) after a minute's fraction."""
    found = fit(rl2(rule, trials=256), Plan(steps, validate_every=steps), key=KEY)
    returns = qs.evaluate_policy(found.best, BANDIT, trials=2000, key=jax.random.key(1))
    assert returns.policy.total.mean > 2.0 + 0.15
    random = qs.evaluate_policy(qs.Random(BANDIT.environment), BANDIT, trials=2000, key=KEY)
    assert abs(random.policy.total.mean - 2.0) < 3 * random.policy.total.interval


def test_never_cleared_remembers_another_task():
    """In a row, a policy that never clears begins with the last MDP's memory, others do not."""
    from quickstudy.rl.policy import between_tasks, never

    trial = qs.Trial(Corridor(), episodes=2, in_a_row=2)
    memory = qs.GRU.create(trial.inputs, 6, key=KEY)
    for forgets in (between_tasks, never):
        policy = qs.MetaPolicy.create(trial, memory, forgets=forgets)
        policy = eqx.tree_at(lambda p: p.critic, policy, head(1))
        rows = eqx.filter_jit(trials_in_a_row)(policy, trial, KEY)
        handed_on = jax.tree.map(lambda x: x[:, 0], rows.states)
        second = jax.tree.map(lambda x: x[1], rows.seen)
        rethink = eqx.filter_jit(type(policy).rethink)
        value = rethink(policy, handed_on[1], second).value
        np.testing.assert_allclose(value, rows.notes[1][1], rtol=1e-4, atol=1e-5)
        fresh = rethink(policy, policy.begin(), second).value
        assert rows.reward.shape == (2, 8)
        assert np.allclose(fresh, value, atol=1e-5) == (forgets is between_tasks)


class Paying(Corridor):
    """Every step pays what the task is, a number that is not drawn twice."""

    def sample(self, key):
        return jax.random.uniform(key)

    def step(self, key, state, action, task):
        found = super().step(key, state, action, 3)
        return found._replace(reward=task, done=jnp.array(False))


@pytest.mark.parametrize("in_a_row", [1, 3])
def test_trials_are_in_the_tasks_that_references_are_given(in_a_row):
    """The last of a row is the MDP of that number, which differs from all others, for the whole
    trial."""
    trial = qs.Trial(Paying(), episodes=2, in_a_row=in_a_row)
    policy = qs.MetaPolicy.create(trial, qs.GRU.create(trial.inputs, 6, key=KEY))
    run = eqx.filter_jit(lambda key: trial_episodes(policy, trial, key, 5))
    found, tasks = run(KEY), trial_tasks(trial, KEY, 5)
    each = np.asarray(found.returns / found.lengths)
    np.testing.assert_allclose(each, np.asarray(tasks)[:, None].repeat(2, 1), rtol=1e-5)
    np.testing.assert_array_equal(same_tasks(trial, lambda tasks, _: tasks)(KEY, 5)[:, 0], tasks)
    assert len(set(np.asarray(tasks).tolist())) == 5
    rows = eqx.filter_jit(trials_in_a_row)(policy, trial, KEY)
    paid = [set(row) for row in np.asarray(rows.reward).tolist()]
    assert [len(one) for one in paid] == [1] * in_a_row
    assert len(set.union(*paid)) == in_a_row


def test_parts_must_divide():
    with pytest.raises(qs.BadInput, match="cannot be cut into 3"):
        rl2(PolicyGradient(optax.sgd(0.1)), parts=3)


@pytest.mark.parametrize("name", ["validation_trials", "parts", "trials"])
def test_numbers_of_trials_and_parts_are_positive(name):
    algorithm = rl2(PolicyGradient(optax.sgd(0.1)))
    with pytest.raises(qs.BadInput, match=f"{name} is 0; give a whole number of 1 or more"):
        dataclasses.replace(algorithm, **{name: 0})


def test_more_minibatches_than_trials():
    """One that is padding alone would move the weights by the optimiser's momentum."""
    with pytest.raises(qs.BadInput, match="minibatches is 9, and a step has 8 trials"):
        rl2(PPO(optax.sgd(0.1), minibatches=9), trials=8)
