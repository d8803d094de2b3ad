"""Any of Gymnasium's environments, with a task to set, stepped on the host."""

import jax
import numpy as np
import pytest

from quickstudy import BadInput, QuickstudyError
from quickstudy.envs.environment import Continuous, Discrete
from quickstudy.envs.gridnavi import GridNavi
from quickstudy.envs.gymnasium_env import as_gymnasium
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.navigation import SparseNavigation
from quickstudy.envs.workers import HostWorkers

pytest.importorskip("gymnasium")
import gymnasium

from references import poles

POLES = (poles.make, poles.sample_task, poles.set_task)


def ours_as_host(environment, copies):
    """A round trip: one of our environments, through Gymnasium, as a host environment."""
    return HostEnvironment(
        make=lambda: as_gymnasium(environment),
        sample_task=lambda rng: environment.sample(jax.random.key(int(rng.integers(2**31)))),
        set_task=lambda env, task: env.unwrapped.set_task(task),
        copies=copies,
    )


def test_a_round_trip_keeps_the_tasks_through_resets():
    grid = GridNavi(horizon=8)
    hosts = ours_as_host(grid, copies=3)
    assert hosts.spaces.actions == Discrete(5)
    assert hosts.begin(seed=1).tolist() == [[1.0, *[0.0] * 24]] * 3
    goals = [task.goal.tolist() for task in hosts.tasks]
    assert len(set(map(tuple, goals))) > 1
    rewards, done = [], []
    for _ in range(16):
        states = [env.unwrapped.state for env in hosts.environments]
        pairs = zip(states, hosts.tasks, strict=True)
        step = hosts.step(np.array([int(grid.optimal_action(s, t)) for s, t in pairs]))
        rewards.append(step.reward)
        done.append(step.done)
    rewards = np.array(rewards).reshape(2, 8, 3)
    np.testing.assert_array_equal(rewards[0], rewards[1])
    np.testing.assert_array_equal(rewards[0].argmax(0) + 1, np.sum(goals, 1))
    np.testing.assert_array_equal(np.argwhere(np.all(done, 1)).ravel(), [7, 15])
    assert step.truncated.all()
    assert not step.terminated.any()
    assert step.observation.argmax(1).tolist() == [0, 0, 0]
    assert step.last_observation.argmax(1).tolist() == [5 * y + x for x, y in goals]


def lengthen(env, length):
    env.unwrapped.length = length


def test_any_environment_of_gymnasium_with_a_task_to_set():
    made = {
        "make": lambda: gymnasium.make("CartPole-v1", max_episode_steps=30),
        "sample_task": lambda rng: rng.uniform(0.25, 1.0),
        "set_task": lengthen,
    }
    one, other = HostEnvironment(**made, copies=4), HostEnvironment(**made, copies=4)
    actions = np.random.default_rng(0).integers(0, 2, (60, 4))
    np.testing.assert_array_equal(one.begin(seed=5), other.begin(seed=5))
    assert len(set(one.tasks)) == 4
    ends = 0
    for row in actions:
        step, again = one.step(row), other.step(row)
        for here, there in zip(step, again, strict=True):
            np.testing.assert_array_equal(here, there)
        ends += int(step.done.sum())
        same = (step.observation == step.last_observation).all(1)
        np.testing.assert_array_equal(same, ~step.done)
    assert ends > 4
    assert [env.unwrapped.length for env in one.environments] == one.tasks
    assert (one.begin(seed=6) != other.begin(seed=5)).any()
    one.close()


def test_continuous_actions_are_clipped_to_the_limit():
    hosts = ours_as_host(SparseNavigation(), copies=2)
    assert hosts.spaces.actions == Continuous(2, pytest.approx(0.1))
    hosts.begin(seed=0)
    step = hosts.step(np.array([[5.0, -5.0], [0.05, 0.0]]))
    np.testing.assert_allclose(step.observation, [[0.1, -0.1], [0.05, 0.0]], rtol=1e-6)


def test_actions_that_are_no_numbers_are_the_policy_s_fault():
    hosts = ours_as_host(SparseNavigation(), copies=2)
    hosts.begin(seed=0)
    with pytest.raises(BadInput, match=r"the policy's actions .* lower the learning rate"):
        hosts.step(np.array([[np.nan, 0.0], [0.05, 0.0]]))


def test_failures_name_the_copy_the_task_and_the_seed():
    def refuse(env, length):
        if length > 0.6:
            raise ValueError("too long")

    hosts = HostEnvironment(lambda: gymnasium.make("CartPole-v1"), lambda rng: 0.7, refuse)
    with pytest.raises(QuickstudyError, match=r"set_task or reset: copy 0, task 0\.7, seed 9"):
        hosts.begin(seed=9)
    hosts = HostEnvironment(lambda: gymnasium.make("CartPole-v1"), lambda rng: 0.5, refuse)
    with pytest.raises(BadInput, match="call begin"):
        hosts.step(np.array([0]))
    hosts.begin(seed=9)
    with pytest.raises(QuickstudyError, match=r"failed in step: copy 0, task 0\.5, seed 9"):
        hosts.step(np.array([7]))
    with pytest.raises(BadInput, match=r"shape \(1, 2\); give \(1,\)"):
        hosts.step(np.zeros((1, 2)))


class Broken(poles.Fragile):
    """In task 2 the third step returns what it was made with; or the second reset does."""

    def __init__(self, where, seen, reward):
        self.where, self.seen, self.reward, self.task, self.time = where, seen, reward, 0, 0

    def now(self, broken):
        return self.seen if broken and self.task == 2 else np.zeros(1)

    def reset(self, *, seed=None, options=None):
        broken, self.time = self.where == "reset" and self.time > 0, 0
        return self.now(broken), {}

    def step(self, action):
        self.time += 1
        broken = self.where == "step" and self.time == 3
        paid = self.reward if broken and self.task == 2 else 0.0
        return self.now(broken), paid, False, False, {}


@pytest.mark.parametrize(
    ("where", "seen", "reward", "said"),
    [
        ("step", np.full(1, np.nan), 0.0, "1 of 1 numbers in the observation are infinite"),
        ("step", np.zeros(2), 0.0, r"has the shape \(1,\)"),
        ("step", np.zeros(1), None, "the reward is None"),
        ("reset", np.full(1, np.inf), 0.0, "1 of 1 numbers in the observation are infinite"),
        ("reset", np.zeros((1, 1)), 0.0, r"has the shape \(1,\)"),
    ],
)
def test_what_is_returned_is_checked_and_named(where, seen, reward, said):
    def put(env, task):
        env.unwrapped.task = task

    tasks = iter(range(3))
    host = HostEnvironment(
        lambda: Broken(where, seen, reward), lambda rng: next(tasks), put, 3, horizon=3
    )
    host.begin(9)
    for _ in range(2):
        host.step(np.zeros(3, int))
    with pytest.raises(QuickstudyError, match=rf"{where}: copy 2, task 2, seed 9; .*{said}"):
        host.step(np.zeros(3, int))


class Leaving(poles.Fragile):
    """Calls sys.exit in one of its methods."""

    def __init__(self, where):
        self.where = where
        self.leave("make")

    def leave(self, here):
        if here == self.where:
            raise SystemExit(3)

    def reset(self, *, seed=None, options=None):
        self.leave("reset")
        return np.zeros(1), {}

    def step(self, action):
        self.leave("step")
        return np.zeros(1), 0.0, False, False, {}


@pytest.mark.parametrize(
    ("host", "where"),
    [*((HostEnvironment, here) for here in ("make", "set_task", "reset")), (HostWorkers, "step")],
)
def test_an_environment_that_calls_exit_is_an_error_of_its_own(host, where):
    def put(env, task):
        env.leave("set_task")

    def play():
        with host(lambda: Leaving(where), lambda rng: 0, put, 2, horizon=3) as hosts:
            hosts.begin(9)
            hosts.step(np.zeros(2, int))

    with pytest.raises(QuickstudyError, match=f"{where}.*SystemExit: 3"):
        play()


def test_spaces_are_read_and_copies_are_counted():
    def host_of(name, **given):
        return HostEnvironment(
            lambda: gymnasium.make(name, **given), lambda rng: None, lambda env, task: None
        )

    assert host_of("Pendulum-v1").spaces.actions == Continuous(1, 2.0)
    assert host_of("Blackjack-v1").begin(seed=0).shape == (1, 32 + 11 + 2)
    with pytest.raises(BadInput, match="copies is 0"):
        HostEnvironment(lambda: None, lambda rng: None, lambda env, task: None, copies=0)


def test_visits_find_the_same_tasks_and_draw_the_rest_anew():
    host = HostEnvironment(*POLES, 6)
    first = host.begin(3, each=3)
    tasks = list(host.tasks)
    assert tasks[0] == tasks[2] != tasks[3] == tasks[5]
    assert len({tuple(row) for row in first.tolist()}) == 6
    again = host.begin(3, each=3, visit=1)
    assert host.tasks == tasks
    assert not np.isclose(first, again).all(1).any()
    np.testing.assert_array_equal(host.begin(3, each=3), first)
    # Whoever visits a task alone is in the same task as those who visit it together.
    host.begin(3)
    assert host.tasks[:2] == [tasks[0], tasks[3]]
