"""Copies that Gymnasium steps together are those that are stepped one by one."""

import functools
import gc
from typing import ClassVar

import numpy as np
import pytest

from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.vector import HostVector
from quickstudy.errors import BadInput, QuickstudyError

pytest.importorskip("gymnasium")
import gymnasium
from gymnasium.vector import AutoresetMode, SyncVectorEnv

COPIES, HORIZON = 3, 4


class Drifting(gymnasium.Env):
    """A number that drifts with noise of its own; over beyond ±1, a success above."""

    action_space = gymnasium.spaces.Discrete(2, start=3)
    observation_space = gymnasium.spaces.Box(-9.0, 9.0, (2,), np.float32)
    drift = 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-0.5, 0.5)
        return self._seen(), {}

    def step(self, action):
        self.place += self.drift + (action - 3) * 0.1 + self.np_random.normal() / 10
        out = abs(self.place) > 1
        return self._seen(), float(-self.place), out, False, {"success": self.place > 1}

    def _seen(self):
        return np.array([self.place, self.drift], np.float32)


def one():
    return gymnasium.wrappers.TimeLimit(Drifting(), HORIZON)


def sample_task(rng):
    return rng.uniform(-0.5, 0.5)


def set_task(env, task):
    env.unwrapped.drift = task


def set_tasks(vector, tasks):
    for env, task in zip(vector.envs, tasks, strict=True):
        env.unwrapped.drift = task


def vector(mode, copies=COPIES, make=one, horizon=HORIZON):
    made = functools.partial(SyncVectorEnv, [make] * copies, autoreset_mode=mode)
    return HostVector(made, sample_task, set_tasks, COPIES, horizon)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_the_same_episodes_as_one_by_one(mode):
    rng = np.random.default_rng(0)
    with vector(mode) as many, HostEnvironment(one, sample_task, set_task, COPIES, HORIZON) as each:
        assert many.spaces.actions == each.spaces.actions
        ended = np.zeros(2, int)
        for visit in range(2):
            begun = (host.begin(7, 3, 1, visit) for host in (many, each))
            np.testing.assert_array_equal(*begun)
            for _ in range(12):
                actions = rng.integers(2, size=COPIES)
                found, expected = many.step(actions), each.step(actions)
                for name, a, b in zip(found._fields, found, expected, strict=True):
                    np.testing.assert_array_equal(a, b, err_msg=name)
                ended += [found.terminated.sum(), found.truncated.sum()]
        assert (ended > 0).all()


class Placed(Drifting):
    """Its task is where it stands, so that to set it in an episode's middle moves it."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.drift
        return self._seen(), {}


def placed(env, task):
    env.unwrapped.drift = env.unwrapped.place = task


def all_placed(vector, tasks):
    for env, task in zip(vector.envs, tasks, strict=True):
        placed(env, task)


def test_a_copy_that_ends_leaves_the_others_where_they_are():
    """Tasks are set where every copy begins: `set_task` may write to what an episode is in."""
    made = functools.partial(
        SyncVectorEnv, [Placed] * COPIES, autoreset_mode=AutoresetMode.DISABLED
    )
    alone = 0
    with (
        HostVector(made, sample_task, all_placed, COPIES, 9) as many,
        HostEnvironment(Placed, sample_task, placed, COPIES, 9) as each,
    ):
        np.testing.assert_array_equal(many.begin(7), each.begin(7))
        for _ in range(40):
            found, expected = (host.step(np.full(COPIES, 3)) for host in (many, each))
            for name, a, b in zip(found._fields, found, expected, strict=True):
                np.testing.assert_array_equal(a, b, err_msg=name)
            alone += found.done.any() and not found.done.all()
    assert alone > 5


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_an_episode_that_ends_by_its_rules_at_the_horizon_is_cut_there_too(mode):
    class Ends(Drifting):
        def step(self, action):
            seen, reward, _, cut, info = super().step(action)
            return seen, reward, True, cut, info

    with (
        vector(mode, make=Ends, horizon=1) as many,
        HostEnvironment(Ends, sample_task, set_task, COPIES, 1) as each,
    ):
        for host in (many, each):
            host.begin(0)
            found = host.step(np.zeros(COPIES, int))
            assert found.terminated.all()
            assert found.truncated.all()


def test_a_horizon_of_its_own():
    """Episodes are cut where the vector leaves their beginning to its user."""
    with vector(AutoresetMode.DISABLED, make=Drifting, horizon=2) as host:
        host.begin(0)
        cut = np.stack([host.step(np.zeros(COPIES, int)).truncated for _ in range(4)])
        assert cut.any()
    with vector(AutoresetMode.SAME_STEP, make=Drifting, horizon=2) as host:
        host.begin(0)
        host.step(np.zeros(COPIES, int))
        with pytest.raises(QuickstudyError, match="max_episode_steps=2"):
            host.step(np.zeros(COPIES, int))


@pytest.mark.parametrize(
    ("host", "message"),
    [
        (vector(AutoresetMode.NEXT_STEP), "copies drift apart.*SAME_STEP or DISABLED"),
        (vector(AutoresetMode.DISABLED, copies=2), "has 2 copies, and 3 are wanted"),
        (HostVector(one, sample_task, set_tasks, 3, 4), "make returned .*VectorEnv"),
    ],
    ids=["next step", "copies", "no vector"],
)
def test_what_cannot_be_stepped_is_refused(host, message):
    with pytest.raises(BadInput, match=message):
        host.begin(0)


def test_a_step_before_the_first_task():
    with pytest.raises(BadInput, match=r"call begin\(\)"):
        vector(AutoresetMode.DISABLED).step(np.zeros(COPIES, int))


def test_what_is_not_finite_names_the_copy_and_its_task():
    with vector(AutoresetMode.DISABLED) as host:
        host.begin(0)
        host.vector.envs[1].unwrapped.drift = np.nan
        said = (
            rf"step: copy 1, task {host.tasks[1]}, seed 0; begin\(seed=0.*the same task again.*nan"
        )
        with pytest.raises(QuickstudyError, match=said):
            host.step(np.zeros(COPIES, int))


def test_a_task_that_cannot_be_drawn_names_the_copy():
    def second(rng):
        return [1.0][int(rng.uniform() < 0.7)]

    with vector(AutoresetMode.DISABLED) as host:
        host.sample_task = second
        with pytest.raises(QuickstudyError, match="failed in sample_task: copy 1, seed 0"):
            host.begin(0)


class Few(gymnasium.vector.VectorEnv):
    """Three copies in one array; `odd` is in place of what a step returns."""

    num_envs = COPIES
    metadata: ClassVar = {"autoreset_mode": AutoresetMode.DISABLED}
    single_observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (COPIES, 2))
    single_action_space = action_space = gymnasium.spaces.Discrete(2)
    odd: ClassVar = {}

    def reset(self, *, seed=None, options=None):
        return np.zeros((COPIES, 2)), {}

    def step(self, actions):
        over = np.zeros(COPIES, bool)
        usual = dict(enumerate((np.zeros((COPIES, 2)), np.zeros(COPIES), over, over, {})))
        return tuple(one for one in (usual | self.odd).values() if one is not ...)


def stepped(**parts):
    few = type("Few", (Few,), parts)
    with HostVector(few, sample_task, lambda vector, tasks: None, COPIES, HORIZON) as host:
        host.begin(0)
        return host.step(np.zeros(COPIES, int))


SAME = {"autoreset_mode": AutoresetMode.SAME_STEP}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"odd": {3: ...}}, r"step returned .*Four values are those of Gym"),
        ({"odd": {0: np.zeros((2, 2))}}, "2 observations were returned.*each copy, 3, as the sp"),
        ({"odd": {0: np.zeros((4, 2))}}, "4 observations were returned.*each copy, 3, as the sp"),
        ({"odd": {0: None}}, "0 observations were returned, None; return one for each copy, 3"),
        ({"odd": {0: np.zeros((3, 3))}}, "copy 0, task .*return such an observation"),
        ({"odd": {2: [0, 1, 0]}, "metadata": SAME}, r"info\['final_obs'\] is None; .* list of 3"),
        ({"odd": {4: {"success": True}}}, r"info\['success'\] is True; return one for each copy"),
        ({"odd": {4: {"success": [1, 0, 2]}}}, "copy 2, .*is 2; return True or False"),
        ({"reset": lambda self, **how: None}, "reset returned None"),
        ({"metadata": {}}, r"by None, its metadata\['autoreset_mode'\].*class of your own name"),
        ({"single_action_space": None}, "single_action_space is None; let it be a gymnasium.space"),
        ({"__init__": lambda self: 1 / 0}, "make failed with ZeroDivisionError"),
    ],
)
def test_a_vector_of_one_s_own_that_returns_what_does_not_fit(parts, said):
    with pytest.raises(QuickstudyError, match=said):
        stepped(**parts)


def test_success_without_a_mask_is_told_of_all_copies():
    assert stepped(odd={4: {"success": np.array([1, 0, 1])}}).success.tolist() == [1, 0, 1]
    masked = {"success": np.array([1, 0, 1]), "_success": np.array([True, True, False])}
    np.testing.assert_array_equal(stepped(odd={4: masked}).success, [1, 0, np.nan])
    assert np.isnan(stepped(odd={4: None}).success).all()


def test_of_many_copies_not_all_tasks_are_told():
    many = functools.partial(SyncVectorEnv, [one] * 100, autoreset_mode=AutoresetMode.DISABLED)
    host = HostVector(many, sample_task, lambda vector, tasks: 1 / 0, 100, HORIZON)
    with host, pytest.raises(QuickstudyError, match="ZeroDivisionError") as told:
        host.begin(0)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    ("place", "bad", "said"),
    [
        (2, [np.nan] * 3, "terminated is nan; return True or False"),
        (2, [2] * 3, "terminated is 2; return True or False"),
        (3, [None] * 3, "truncated is None; return True or False"),
        (2, False, r"terminated have the shape \(\); return one for each copy, \(3,\)"),
        (1, ["1.0"] * 3, "the reward is '1.0'; return one finite number"),
        (1, np.array([0.0, 1e39, 0.0]), r"the reward is .*1e\+39.*; return one finite number"),
        (1, np.array([0.0, -1e25, 0.0]), r"the reward is .*1e\+25.*; return one finite number"),
        (1, np.ma.array([0.0, 1.0, 0.0], mask=[0, 1, 0]), "rewards are .*masked in part"),
        (1, np.zeros((3, 1)), r"rewards have the shape \(3, 1\)"),
        (1, np.zeros(1), r"rewards have the shape \(1,\)"),
    ],
)
def test_rewards_and_flags_are_one_for_each_copy(place, bad, said):
    with vector(AutoresetMode.DISABLED) as host:
        host.begin(0)
        step = host.vector.step

        def odd(actions):
            returned = list(step(actions))
            returned[place] = bad
            return tuple(returned)

        host.vector.step = odd
        with pytest.raises(QuickstudyError, match=said):
            host.step(np.zeros(COPIES, int))


def test_a_vector_that_nobody_closes_is_closed():
    closed = []

    class Closing(SyncVectorEnv):
        def close_extras(self, **kwargs):
            closed.append(self)
            super().close_extras(**kwargs)

    def make():
        return Closing([one] * COPIES, autoreset_mode=AutoresetMode.DISABLED)

    host = HostVector(make, sample_task, set_tasks, COPIES, HORIZON)
    host.begin(0)
    del host
    gc.collect()
    assert len(closed) == 1


def test_a_task_that_stays_on_the_vector_is_refused():
    made = vector(AutoresetMode.DISABLED)
    made.set_task = lambda vector, tasks: setattr(vector, "drift", tasks)
    with made, pytest.raises(QuickstudyError, match=r"tasks \[.*unwrapped.set_attr\('drift', v"):
        made.begin(0)


def test_what_is_no_vector_is_named_and_nothing_of_it_is_closed():
    with (
        pytest.raises(BadInput, match="make returned None"),
        HostVector(lambda: None, sample_task, set_tasks, COPIES, HORIZON) as host,
    ):
        host.begin(0)
