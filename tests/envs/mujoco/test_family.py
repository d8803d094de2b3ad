"""A family of tasks for a body, and a clear word where MuJoCo is missing."""

import doctest
import subprocess
import sys

import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.environment import Continuous
from quickstudy.envs.mujoco import family as family_module
from quickstudy.envs.mujoco.ant import ant
from quickstudy.envs.mujoco.cheetah import cheetah
from references.bodies import FAMILIES, needs_mujoco

SIZES = {
    "cheetah maml": 20,
    "cheetah promp": 17,
    "cheetah pearl": 20,
    "cheetah varibad": 20,
    "ant maml": 125,
    "ant direction pearl": 27,
    "ant goal pearl": 113,
}


@needs_mujoco
@pytest.mark.parametrize("name", FAMILIES)
def test_a_seed_decides_task_and_start_and_a_reset_without_keeps_the_task(name):
    one, other = FAMILIES[name].make(), FAMILIES[name].make()
    first = one.reset(seed=3)[0]
    kind, aim, version = name.split()
    assert first.shape == (SIZES.get(name) or SIZES[f"{kind} {version}"],)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, other.reset(seed=3)[0])
    np.testing.assert_array_equal(one.task, other.task)
    task, second = one.task, one.reset()[0]
    np.testing.assert_array_equal(one.task, task)
    assert (second != first).any()
    tasks = [FAMILIES[name].sample_task(np.random.default_rng(i)) for i in range(200)]
    different = {tuple(np.ravel(each)) for each in tasks}
    assert len(different) == (
        2 if aim == "direction" and (kind, version) != ("ant", "pearl") else 200
    )


@needs_mujoco
def test_episodes_end_at_the_horizon_or_where_an_ant_falls():
    env = FAMILIES["cheetah direction maml"].make()
    env.reset(seed=0)
    ends = [env.step(np.zeros(6))[2:4] for _ in range(200)]
    assert ends == [(False, False)] * 199 + [(False, True)]
    with pytest.raises(BadInput, match="no episode is going on"):
        env.step(np.zeros(6))
    falling = {"ant goal maml": True, "ant direction pearl": True, "ant goal pearl": False}
    for name, falls in falling.items():
        env = FAMILIES[name].make()
        for height, outside in ((0.19, True), (0.21, False), (0.99, False), (1.01, True)):
            env.body.data.qpos[2] = height  # not stepped: the ground would push a low one up
            assert env.family.ended(env.body) == (falls and outside), (name, height)
        for height, outside in ((1.2, True), (0.5, False)):
            env.reset(seed=0)
            env.body.data.qpos[2], env.body.data.qvel[:] = height, 0
            assert env.step(np.zeros(8))[2] == (falls and outside), (name, height)


@needs_mujoco
def test_copies_on_the_host_have_tasks_of_their_own():
    hosts = FAMILIES["cheetah velocity promp"].hosted(copies=3)
    assert hosts.spaces.actions == Continuous(6, 1.0)
    first = hosts.begin(seed=5)
    assert first.shape == (3, 17)
    assert len(set(hosts.tasks)) == 3
    assert [env.unwrapped.task for env in hosts.environments] == hosts.tasks
    step = hosts.step(np.zeros((3, 6)))
    np.testing.assert_allclose(step.reward, np.negative(hosts.tasks), atol=1.0)
    np.testing.assert_array_equal(hosts.begin(seed=5), first)


@needs_mujoco
def test_wrong_input_is_refused():
    with pytest.raises(BadInput, match="version is 'rl2'"):
        cheetah("velocity", "rl2")
    with pytest.raises(BadInput, match="aim is 'goal'"):
        cheetah("goal", "maml")
    with pytest.raises(BadInput, match="'velocity', 'maml'"):
        ant("velocity", "maml")
    family = FAMILIES["ant goal pearl"]
    with pytest.raises(BadInput, match="render_mode is 'human'"):
        family.make("human")
    env = family.make()
    with pytest.raises(BadInput, match=r"the task is 1\.0"):
        env.set_task(1.0)
    env.reset(seed=0)
    with pytest.raises(BadInput, match=r"shape is \(3,\); give \(8,\)"):
        env.step(np.zeros(3))


@needs_mujoco
def test_the_example_runs():
    """The common test of examples leaves it out, for MuJoCo is optional."""
    text = family_module.Family.__doc__.replace("  # doctest: +SKIP", "")
    names = dict(vars(family_module))
    test = doctest.DocTestParser().get_doctest(text, names, "Family", None, 0)
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed == 0


def test_without_mujoco_all_imports_and_a_message_says_what_to_install():
    program = (
        "import sys; sys.modules['mujoco'] = None\n"
        "from quickstudy.envs.mujoco.cheetah import cheetah\n"
        "cheetah('velocity', 'maml').make()"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.strip().endswith("pip install 'quickstudy[mujoco]'")
