"""Our environments as Gymnasium's, and a clear word where it is missing."""

import doctest
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput, QuickstudyError
from quickstudy.envs import gymnasium_env, host, workers
from quickstudy.envs.bandit import Arms, Bandit
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
