"""Critics: one that knows the MDP foresees its reward, and the policy learns nothing from it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.recipes import RECIPES
from quickstudy.rl.critic import Critic, HistoryCritic, InformedCritic
from quickstudy.rl.ppo import PPO
from quickstudy.rl.rl2 import RL2, trials_in_a_row
from quickstudy.training import Plan, fit
from references.corridor import Corridor

KEY = jax.random.key(0)
FEATURES = 6


class Paying(Corridor):
    """Every one of four steps pays what the task is."""

    def sample(self, key):
        return jax.random.uniform(key)

    def step(self, key, state, action, task):
        found = super().step(key, state, action, 3)
        return found._replace(reward=task, done=jnp.array(False))


class Told(Paying):
    """The task is a number, one that never changes, a whole number, and a key."""

    def sample(self, key):
        whole = jax.random.randint(key, (2,), 0, 600)
        return jax.random.uniform(key), jnp.full(3, 7.0), whole, key


class Unspeakable(Paying):
    """The task is a key alone."""

    def sample(self, key):
        return key


TRIAL = qs.Trial(Paying(), episodes=2)


def rl2(critic, **settings):
    memory = qs.GRU.create(TRIAL.inputs, FEATURES, key=KEY)
    policy = qs.MetaPolicy.create(TRIAL, memory, critic=critic)
    ppo = PPO(optax.adam(1e-2), epochs=4, minibatches=1)
    return RL2(policy, TRIAL, ppo, 64, 16, discount=1.0, decay=1.0, **settings)


def informed(environment=TRIAL.environment):
    return InformedCritic.create(environment, FEATURES, width=32, key=KEY)


@pytest.mark.parametrize("critic", [HistoryCritic.create(FEATURES), informed()])
def test_a_critic_expects_nothing_at_first(critic):
    assert isinstance(critic, Critic)
    found = critic.of(jnp.array(0.3))(jnp.ones((5, FEATURES)))
    np.testing.assert_array_equal(found, np.zeros((5, 1)))


def test_what_is_known_from_the_start():
    """Before its first step a trial of eight that pay p each is worth 8 (p − ½) more than the mean.
    A critic of the history thinks the same of all, for it has seen nothing yet."""
    tasks = jnp.array([0.1, 0.3, 0.5, 0.7, 0.9])

    def at_first(critic):
        policy = fit(rl2(critic), Plan(100, validate_every=100), key=KEY).best
        paths = jax.vmap(lambda task: qs.rollout(policy, TRIAL, task, KEY))(tasks)
        return np.asarray(jax.vmap(policy.values)(tasks, paths.notes[1])[:, 0])

    knowing, other = at_first(informed()), at_first(HistoryCritic.create(FEATURES))
    np.testing.assert_allclose(knowing, 8 * (tasks - 0.5), atol=0.4)
    assert np.ptp(other) == 0


def test_inputs_are_of_one_size():
    """Whole numbers up to 600 and fractions alike: the hidden layer reads deviations from the mean
    task, and nothing of what never changes."""
    environment = Told()
    critic = informed(environment)
    first = critic.network.layers[0]
    tasks = jax.vmap(environment.sample)(jax.random.split(jax.random.key(7), 2000))
    numbers = jnp.concatenate([tasks[0][:, None], tasks[1], tasks[2].astype(float)], 1)
    read = first(numbers)
    # A layer's weights are N(0, 2 / inputs), and three of its six inputs vary.
    deviation, mean = jnp.std(read, 0), jnp.mean(read, 0)
    assert 0.3 < float(jnp.sqrt(jnp.mean(deviation**2))) < 2.0
    assert float(jnp.abs(mean).max()) < 0.3
    assert critic.of(environment.sample(KEY))(jnp.ones((2, FEATURES))).shape == (2, 1)


def test_what_cannot_be_told_in_numbers_is_refused():
    with pytest.raises(qs.BadInput, match="Unspeakable have none; give the critic 'history'"):
        informed(Unspeakable())


@pytest.mark.parametrize(("parts", "in_a_row"), [(1, 1), (4, 1), (2, 3)])
def test_every_part_is_judged_in_its_own_mdp(parts, in_a_row):
    """A trial's reward at each step is its task here."""
    algorithm = rl2(informed(), parts=parts, in_a_row=in_a_row)

    def batch_of(keys):
        collect = lambda key: trials_in_a_row(  # noqa: E731
            algorithm.policy, TRIAL, key, parts=parts, in_a_row=in_a_row
        )
        paths = jax.vmap(collect)(keys)
        return paths.reward, algorithm._batch(algorithm.policy, paths)

    run = eqx.filter_jit(jax.vmap(batch_of, axis_name="tasks"))
    paid, batch = run(jax.random.split(KEY, (2, 5)))
    paid = np.asarray(paid).reshape(2, 5, in_a_row * parts, -1)
    np.testing.assert_array_equal(batch.task[..., None].repeat(paid.shape[-1], -1), paid)


def test_acting_asks_no_critic():
    """A policy that is done learning acts the same whatever became of its critic."""
    policy = rl2(informed()).policy
    none = eqx.tree_at(lambda p: p.critic, policy, None, is_leaf=lambda x: x is None)
    path, same = (qs.rollout(p, TRIAL, jnp.array(0.3), KEY) for p in (policy, none))
    np.testing.assert_array_equal(path.action, same.action)


@pytest.mark.parametrize(
    ("critic", "kind"), [("informed", InformedCritic), ("history", HistoryCritic)]
)
def test_recipes_choose(critic, kind):
    recipe = RECIPES["rl2-bandit"](critic=critic, episodes=3, width=8)
    assert isinstance(recipe.learner().critic, kind)
