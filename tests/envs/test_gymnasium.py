"""Gymnasium in both directions, and a clear word where it is missing."""

import doctest
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput, QuickstudyError
from quickstudy.envs import gymnasium_env, host, workers
from quickstudy.envs.bandit import Arms, Bandit
from quickstudy.envs.environment import Continuous, Discrete
from quickstudy.envs.games.game import Games
from quickstudy.envs.gridnavi import GridNavi, Hidden
from quickstudy.envs.gymnasium_env import as_gymnasium, import_gymnasium
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.maze import Maze
from quickstudy.envs.navigation import Navigation, SparseNavigation
from quickstudy.envs.tabular import TabularMDP
from quickstudy.envs.workers import HostWorkers

try:
    gymnasium = import_gymnasium()
except QuickstudyError:
    gymnasium = None
needs_gymnasium = pytest.mark.skipif(gymnasium is None, reason="Gymnasium is not installed")

OURS = {
    "Bandit": (Bandit(), (0, 1)),
    "Tabular": (TabularMDP(), (0, 1)),
    "Navigation": (Navigation(), (-10, 10)),
    "SparseNavigation": (SparseNavigation(), (-2, 2)),
    "GridNavi": (GridNavi(), (0, 1)),
    "Maze": (Maze(), (0, 1)),
    "Games": (Games(), (0, 1)),
}


@needs_gymnasium
@pytest.mark.parametrize("name", OURS)
def test_gymnasiums_own_check_passes_without_a_warning(name):
    environment, bounds = OURS[name]
    checker = pytest.importorskip("gymnasium.utils.env_checker")
    gymnasium.register(
        f"quickstudy-tests/{name}-v0", lambda **given: as_gymnasium(environment, None, bounds)
    )
    env = gymnasium.make(f"quickstudy-tests/{name}-v0", disable_env_checker=True).unwrapped
    # The check makes the environment anew to render it, which here would compile it once more.
    checker.check_env(env, skip_render_check=True)


@needs_gymnasium
def test_the_task_stays_until_there_is_a_seed():
    env = as_gymnasium(GridNavi())
    env.reset(seed=3)
    first = env.unwrapped.task.goal.tolist()
    for _ in range(8):
        env.reset()
        assert env.unwrapped.task.goal.tolist() == first
    env.reset(seed=3)
    assert env.unwrapped.task.goal.tolist() == first
    drawn = set()
    for seed in range(8):
        env.reset(seed=seed)
        drawn.add(tuple(env.unwrapped.task.goal.tolist()))
    assert len(drawn) > 3


@needs_gymnasium
def test_the_end_by_rule_is_termination_and_the_horizon_truncation():
    bandit, grid = as_gymnasium(Bandit()), as_gymnasium(GridNavi(horizon=2))
    bandit.reset(seed=0)
    bandit.unwrapped.set_task(Arms(jnp.array([0.0, 1.0, 0.0, 0.0, 0.0])))
    with pytest.raises(BadInput, match="call reset"):
        bandit.step(1)
    bandit.reset()
    observation, *rest = bandit.step(1)
    assert (observation.shape, observation.dtype) == ((0,), np.float32)
    assert rest == [1.0, True, False, {}]
    grid.reset(seed=0)
    assert grid.step(0)[2:4] == (False, False)
    assert grid.step(0)[2:4] == (False, True)
    with pytest.raises(BadInput, match="no episode is going on"):
        grid.step(0)


@needs_gymnasium
def test_it_renders_as_the_environment_draws():
    text, picture = (as_gymnasium(GridNavi(), mode) for mode in ("ansi", "rgb_array"))
    with pytest.raises(BadInput, match="nothing to render"):
        text.render()
    for env in (text, picture):
        env.reset(seed=0)
        env.unwrapped.set_task(Hidden(jnp.array([4, 4])))
        env.reset()
    assert text.render() == "....G\n.....\n.....\n.....\n@...."
    assert (picture.render().shape, picture.render().dtype) == ((80, 80, 3), np.uint8)
    assert as_gymnasium(GridNavi()).render() is None
    with pytest.raises(BadInput, match="TabularMDP can be rendered in no mode"):
        as_gymnasium(TabularMDP(), "ansi")


def ours_as_host(environment, copies):
    """A round trip: one of our environments, through Gymnasium, as a host environment."""
    return HostEnvironment(
        make=lambda: as_gymnasium(environment),
        sample_task=lambda rng: environment.sample(jax.random.key(int(rng.integers(2**31)))),
        set_task=lambda env, task: env.unwrapped.set_task(task),
        copies=copies,
    )


@needs_gymnasium
def test_a_round_trip_keeps_the_tasks_through_resets():
    grid = GridNavi(horizon=8)
    hosts = ours_as_host(grid, copies=3)
    assert hosts.actions == Discrete(5)
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


@needs_gymnasium
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


@needs_gymnasium
def test_continuous_actions_are_clipped_to_the_limit():
    hosts = ours_as_host(SparseNavigation(), copies=2)
    assert hosts.actions == Continuous(2, pytest.approx(0.1))
    hosts.begin(seed=0)
    step = hosts.step(np.array([[5.0, -5.0], [0.05, 0.0]]))
    np.testing.assert_allclose(step.observation, [[0.1, -0.1], [0.05, 0.0]], rtol=1e-6)


@needs_gymnasium
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


@needs_gymnasium
def test_spaces_that_do_not_fit_are_refused():
    def host_of(name, **given):
        return HostEnvironment(
            lambda: gymnasium.make(name, **given), lambda rng: None, lambda env, task: None
        )

    with pytest.raises(BadInput, match="FlattenObservation"):
        host_of("Blackjack-v1")
    with pytest.raises(BadInput, match="copies is 0"):
        HostEnvironment(lambda: None, lambda rng: None, lambda env, task: None, copies=0)
    spaces = gymnasium.spaces
    with pytest.raises(BadInput, match="RescaleAction"):
        host._actions(spaces.Box(-1, 2, (2,)), spaces)
    assert host._actions(spaces.Box(-2, 2, (3,)), spaces) == Continuous(3, 2.0)
    assert host_of("Pendulum-v1").actions == Continuous(1, 2.0)


@needs_gymnasium
@pytest.mark.parametrize("documented", [as_gymnasium, HostEnvironment, HostWorkers])
def test_the_examples_run(documented):
    """The common test of examples leaves them out, for Gymnasium is optional."""
    text = documented.__doc__.replace("  # doctest: +SKIP", "")
    names = {**vars(gymnasium_env), **vars(host), **vars(workers)}
    test = doctest.DocTestParser().get_doctest(text, names, documented.__name__, None, 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_without_gymnasium_all_imports_and_a_message_says_what_to_install():
    program = (
        "import sys; sys.modules['gymnasium'] = None\n"
        "import quickstudy.envs.host\n"
        "from quickstudy.envs.bandit import Bandit\n"
        "from quickstudy.envs.gymnasium_env import as_gymnasium\n"
        "as_gymnasium(Bandit())"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.strip().endswith("pip install 'quickstudy[gymnasium]'")
    assert "QuickstudyError" in ran.stderr
